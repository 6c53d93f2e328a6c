--- A figure: a grid of axes on a page, laid out so that nothing is cut, and saved as PNG, SVG
-- or PDF.
-- @classmod lrn.plot.Figure

local axes = require "lrn.plot.axes"
local canvases = require "lrn.plot.canvas"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"
local panel = require "lrn.plot.panel"

local floor, max, min = math.floor, math.max, math.min

local SUPTITLE = 14
local EDGE, GAP = 6, 12 -- points around all, and between axes
local ROUNDS, FREE = 8, 4 -- ticks depend on the room for them, the room on their labels
local LEAST = 8 -- pixels of an inner box, however small the figure
local SMALLEST = .15 -- of a cell: an inner box that is smaller has too large labels
local SHRINK, LEAST_UNIT = .85, .25 -- of a point, for such a figure

local COUNT = { "integer", 1, min = 1, max = 100 }
local OPTIONS = { width = { "number", 6.4 }, height = { "number|string", 4.8 },
                  dpi = { "number", 100 }, rows = COUNT, cols = COUNT }
local TITLE = { size = { "number", SUPTITLE, min = 1, max = 1000 }, color = { "any", "black" } }
local PATH = { "string", required = true }
local SAVE = { dpi = { "number", min = 1, max = 10000 } }

local Figure = {}
Figure.__index = Figure
Figure.__name = "lrn.plot.Figure"

local M = { Figure = Figure }

--- A new figure.
-- @tparam[opt] table opts `width` (6.4) and `height` (4.8) in inches, `height = "fit"`: as high as
-- the images in it need; `dpi` (100), `rows` (1), `cols` (1)
-- @treturn Figure
-- @usage local fig = require("lrn.plot").figure{ width = 7, height = 5 }
function M.new(opts)
  opts = check.options("figure", opts, OPTIONS)
  local self = setmetatable({ width = opts.width, height = opts.height, dpi = opts.dpi,
                              rows = opts.rows, cols = opts.cols, cells = {}, nan_count = 0 },
                            Figure)
  local height = self.height == "fit" and 1 or self.height
  if type(height) ~= "number" then
    check.raise("value", 'figure: height: got %s, expected a number or "fit"', check.show(height))
  end
  for _, inches in ipairs{ self.width, height } do
    if not (inches > 0 and inches <= 200 and self.dpi > 0 and inches * self.dpi <= 32767) then
      check.raise("value", "figure: %s x %s in at %s dpi is no size for a picture", self.width,
        self.height, self.dpi)
    end
  end
  return self
end

--- A figure that is one image and nothing else, a pixel of it `zoom` pixels of the figure.
-- @tparam table image as composed by lrn.plot.mosaic
-- @int zoom
-- @usage -- local fig = require("lrn.plot.figure").bare(image, 2)
function M.bare(image, zoom)
  local self = M.new{ width = image.width * zoom / 100, height = image.height * zoom / 100 }
  self.bare_image, self.nan_count = image, image.bad
  return self
end

function Figure:__tostring()
  return ("%s (%s x %s in, %d x %d axes)"):format(Figure.__name, self.width, self.height, self.rows,
    self.cols)
end

--- The axes in a row and column of the grid; the same object each time.
-- @int[opt=1] row
-- @int[opt=1] col
-- @treturn Axes
-- @usage local ax = require("lrn.plot").figure{ cols = 2 }:axes(1, 2)
function Figure:axes(row, col)
  row, col = row or 1, col or 1
  local r, c = math.tointeger(row), math.tointeger(col)
  if not (r and c and r >= 1 and c >= 1 and r <= self.rows and c <= self.cols) then
    check.raise("value", "axes: row, col: got %s, %s, expected a place in the %d x %d grid",
      check.show(row), check.show(col), self.rows, self.cols)
  end
  if self.bare_image then check.raise("state", "axes: a pure mosaic has none; give it a title") end
  local i = (r - 1) * self.cols + c
  self.cells[i] = self.cells[i] or axes.new(self)
  return self.cells[i]
end

--- A title over all axes.
-- @string text
-- @tparam[opt] table opts size (14), color ("black")
-- @return self
-- @usage require("lrn.plot").figure{ cols = 2 }:suptitle("two views")
function Figure:suptitle(text, opts)
  opts = check.options("suptitle", opts, TITLE)
  colors.rgba(opts.color, "suptitle")
  if self.bare_image then
    check.raise("state", "suptitle: a pure mosaic has no room; give it a title")
  end
  self.title = { text = tostring(text), size = opts.size, color = opts.color }
  return self
end

-- Lays the grid out once: all inner boxes have one width, and one height unless the figure's height
-- is to fit. Margins are those that the axes of a column and of a row need.
local function arrange(self, canvas)
  local u, rows, cols = canvas.unit, self.rows, self.cols
  local fit = self.height == "fit"
  local width, top, title = canvas.width, EDGE * u, nil
  local height = fit and canvas.width or canvas.height
  if self.title then
    local text, size = canvas:fit(self.title.text, self.title.size * u, width - 2 * EDGE * u)
    local cap = canvas:metrics(text, size)
    title = { text = text, size = size, color = self.title.color, y = top, cap = cap }
    top = top + canvas:block(text, size) + EDGE * u
  end
  local w = .75 * width / cols
  local heights, plans, left, right, above, below = {}, {}, nil, nil, nil, nil
  for r = 1, rows do heights[r] = .7 * height / rows end
  for round = 1, ROUNDS do
    local old_w, old_heights, moved = w, table.move(heights, 1, rows, 1, {}), 0
    left, right, above, below = {}, {}, {}, {}
    for c = 1, cols do left[c], right[c] = 0, 0 end
    for r = 1, rows do above[r], below[r] = 0, 0 end
    for i, ax in pairs(self.cells) do
      local r, c = (i - 1) // cols + 1, (i - 1) % cols + 1
      local p = panel.plan(ax, canvas, w, heights[r], width / cols - 2 * EDGE * u,
        height / rows - 2 * EDGE * u)
      plans[i] = p
      left[c], right[c] = max(left[c], p.left), max(right[c], p.right)
      above[r], below[r] = max(above[r], p.top), max(below[r], p.bottom)
    end
    local free = width - 2 * EDGE * u - (cols - 1) * GAP * u
    for c = 1, cols do free = free - left[c] - right[c] end
    w = max(LEAST, free / cols)
    free = height - top - EDGE * u - (rows - 1) * GAP * u
    for r = 1, rows do free = free - above[r] - below[r] end
    for r = 1, rows do heights[r] = max(LEAST, free / rows) end
    if fit then
      for r = 1, rows do
        local need = 0
        for c = 1, cols do
          local ax = self.cells[(r - 1) * cols + c]
          need = max(need, ax and (panel.natural_height(ax, w) or .75 * w) or 0)
        end
        heights[r] = max(LEAST, need)
      end
    end
    -- Labels that change their form with the room could go to and fro: later rounds only shrink.
    if round > FREE then
      w = min(w, old_w)
      for r = 1, rows do heights[r] = min(heights[r], old_heights[r]) end
    end
    for r = 1, rows do moved = max(moved, math.abs(heights[r] - old_heights[r])) end
    if max(moved, math.abs(w - old_w)) < .5 then break end
  end
  local y = top
  local boxes = {}
  for r = 1, rows do
    local x = EDGE * u
    y = y + above[r]
    for c = 1, cols do
      x = x + left[c]
      boxes[(r - 1) * cols + c] = { x = x, y = y, w = w, h = heights[r] }
      x = x + w + right[c] + GAP * u
    end
    y = y + heights[r] + below[r] + GAP * u
  end
  if fit then canvas.height = floor(y - GAP * u + EDGE * u + .5) end
  local fits = w >= SMALLEST * width / cols
  for r = 1, rows do fits = fits and (fit or heights[r] >= SMALLEST * height / rows) end
  return fits, plans, boxes, title
end

-- Lays the grid out. Where labels take nearly all of a small figure, everything is drawn smaller.
local function lay_out(self, canvas)
  local unit = canvas.unit
  while true do
    local fits, plans, boxes, title = arrange(self, canvas)
    if fits or canvas.unit < LEAST_UNIT * unit then return plans, boxes, title end
    canvas.unit = SHRINK * canvas.unit
  end
end

-- The canvas with everything on it; a canvas that is given has its own size and ruler.
local function compose(self, canvas)
  canvas = canvas or canvases.new(floor(self.width * self.dpi + .5),
    self.height == "fit" and 1 or floor(self.height * self.dpi + .5), self.dpi / 72)
  local width = canvas.width
  local background = canvas:rect("figure", 0, 0, width, canvas.height, { fill = "white" })
  if self.bare_image then
    canvas:image("image", self.bare_image, 0, 0, width, canvas.height)
    return canvas
  end
  local plans, boxes, title = lay_out(self, canvas)
  background.h = canvas.height
  if title then
    canvas:text("suptitle", title.text, width / 2, title.y,
      { size = title.size, color = title.color, halign = "center", valign = "top" })
  end
  for i = 1, self.rows * self.cols do
    if self.cells[i] then panel.draw(self.cells[i], canvas, plans[i], boxes[i]) end
  end
  return canvas
end

M.compose = compose

--- Everything that is drawn, in order, as plain tables (see lrn.plot.canvas).
-- @treturn {table}
-- @treturn number width in pixels
-- @treturn number height in pixels
-- @usage for _, p in ipairs(require("lrn.plot").figure():drawlist()) do print(p.kind, p.role) end
function Figure:drawlist()
  local canvas = compose(self)
  return canvas.list, canvas.width, canvas.height
end

-- Two runs give the same bytes: a PDF has a date only where SOURCE_DATE_EPOCH gives one.
local function metadata(surface)
  local epoch = tonumber(os.getenv "SOURCE_DATE_EPOCH")
  surface:set_metadata("creator", "lrn")
  surface:set_metadata("created", epoch and os.date("!%Y-%m-%dT%H:%M:%SZ", epoch // 1) or "")
end

--- Paints the figure on an image surface of lrn.plot.cairo, whose pixels can be read.
-- @number[opt] dpi the figure's own
-- @return surface
-- @usage print(require("lrn.plot").figure():render():get_pixel(1, 1))   --> 255 255 255 255
function Figure:render(dpi)
  dpi = check.value("render", "dpi", dpi, { "number", nil, min = 1, max = 10000 })
  local cairo = require "lrn.plot.cairo"
  local canvas = compose(self)
  local scale = (dpi or self.dpi) / self.dpi
  local surface = cairo.image_surface(max(1, floor(canvas.width * scale + .5)),
    max(1, floor(canvas.height * scale + .5)), "rgb24")
  local context <close> = cairo.context(surface)
  canvases.paint(canvas.list, context, scale, true)
  return surface
end

local function save_png(self, path, dpi)
  local surface <close> = self:render(dpi)
  return surface:write_to_png(path)
end

local function save_pdf(self, path)
  local cairo = require "lrn.plot.cairo"
  local canvas = compose(self)
  local scale = 72 / self.dpi
  local surface <close>, message, code = cairo.pdf_surface(path, canvas.width * scale,
    canvas.height * scale)
  if not surface then return nil, message, code end
  local context <close> = cairo.context(surface)
  metadata(surface)
  canvases.paint(canvas.list, context, scale, false)
  return surface:finish()
end

local function save_svg(self, path)
  local cairo, svg = require "lrn.plot.cairo", require "lrn.plot.svg"
  return cairo.write_file(path, svg.document(compose(self), self.dpi))
end

local SAVERS = { png = save_png, pdf = save_pdf, svg = save_svg }

--- What `Figure:save` does, in the name of another function.
-- @string where the function to blame
-- @tparam Figure self
-- @string path
-- @number[opt] dpi of a PNG
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage -- local ok, message, code = require("lrn.plot.figure").save("show", fig, "a.png")
function M.save(where, self, path, dpi)
  check.value(where, "path", path, PATH)
  local ending = path:match "%.(%w+)$"
  local saver = ending and SAVERS[ending:lower()]
  if not saver then
    check.raise("value", "%s: path: got %s, expected one that ends in .png, .svg or .pdf", where,
      check.show(path))
  end
  local ok, message, code = saver(self, path, dpi)
  if not ok then return nil, where .. ": " .. message:gsub("^[%w_]+: ", ""), code end
  return self
end

--- Saves as PNG, SVG or PDF, by the ending of the name. The file appears when it is complete.
-- @string path
-- @tparam[opt] table opts `dpi` of a PNG (the figure's)
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage assert(require("lrn.plot").figure():save(os.tmpname() .. ".png", { dpi = 200 }))
function Figure:save(path, opts)
  return M.save("save", self, path, check.options("save", opts, SAVE).dpi)
end

--- Shows the figure in the terminal: as a picture where it draws some (kitty, iTerm2, sixel), else
-- in coloured characters. Where standard output is no terminal, saves it as a PNG in $TMPDIR and
-- prints its path. `LRN_SHOW` = kitty, iterm, sixel, blocks, file or none says how instead.
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage require("lrn.plot").plot({ 9, 4, 3 }):show()
function Figure:show()
  local text, message, code = require "lrn.plot.terminal".show(self)
  if not text then return nil, message, code end
  io.stdout:write(text)
  io.stdout:flush()
  return self
end

check.class("Figure", Figure,
  function(v) return type(v) == "table" and getmetatable(v) == Figure end)
return M
