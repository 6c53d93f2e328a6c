--- The methods of axes that draw arrays: image, heatmap, mosaic.
-- `lrn.plot.axes` makes them methods of Axes; each returns its axes, so that calls chain.
-- @module lrn.plot.images

local array = require "lrn.plot.array"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"
local mosaic = require "lrn.plot.mosaic"

-- Options, as rules of lrn.check.
local function aspect(default)
  return { "string", default, choices = { "equal", "auto" } }
end
local IMAGE = { cmap = { "string", "viridis" }, vmin = { "number" }, vmax = { "number" },
                aspect = aspect "equal" }
local HEATMAP = { cmap = { "string", "viridis" }, vmin = { "number" }, vmax = { "number" },
                  aspect = aspect "auto", annotate = { "boolean|string|function", false },
                  rows = { "table" }, cols = { "table" } }

local M = {}

local function add_image(self, where, image)
  self:_lost(where, image.bad, image.width * image.height)
  image.kind, image.data = "image", { x = { { .5, image.width + .5 } },
                                      y = { { .5, image.height + .5 } } }
  return self:_add(image)
end

-- h x w numbers, or RGB, as an image; the array too.
local function compose(where, t, opts, may_be_rgb)
  local a = array.from(t, where)
  local lo, hi, bad = array.range(a.data)
  local nd = #a.shape
  local rgb = may_be_rgb and nd == 3 and a.shape[3] == 3
  if not rgb and nd ~= 2 or a.n == 0 then
    check.raise("size", "%s: data: got shape %s, expected [h, w]%s", where,
      array.shape_text(a.shape), may_be_rgb and " or [h, w, 3]" or "")
  end
  if rgb then
    lo, hi = 0, (hi or 0) > 1 and 255 or 1
  end
  lo, hi = colors.limits(where, opts, lo, hi)
  return {
    width = a.shape[2], height = a.shape[1], channels = 3, vmin = lo, vmax = hi, bad = bad,
    cmap = not rgb and opts.cmap or nil, free = opts.aspect == "auto",
    bytes = rgb and mosaic.gray_bytes(a.data, lo, hi) or colors.apply(a.data, lo, hi, opts.cmap),
  }, a
end

--- An image: h x w numbers through a colour map, or h x w x 3 (RGB, as bytes 0..255 or in 0..1).
-- Row 1 is on top; pixel (i, j) is centred on y = i, x = j.
-- @param t tensor or nested list
-- @tparam[opt] table opts cmap ("viridis"), vmin, vmax (least and greatest of the data), aspect
-- ("equal": pixels are square; "auto": they fill the axes)
-- @return self
-- @usage require("lrn.plot").figure():axes():image({ { 0, 1 }, { 2, 3 } }, { cmap = "gray" })
function M:image(t, opts)
  opts = check.options("image", opts, IMAGE)
  return add_image(self, "image", (compose("image", t, opts, true)))
end

-- What stands in the cells.
local function notes_of(a, image, annotate)
  local notes = { kind = "notes", width = image.width, texts = {}, colors = {},
                  data = { x = {}, y = {} } }
  local entry = colors.mapper(image.vmin, image.vmax, image.cmap)
  local whole = type(annotate) == "string" and annotate:find "%%[-+ #0-9.]*[di]"
  for k, v in ipairs(a.data) do
    local row, col = (k - 1) // image.width + 1, (k - 1) % image.width + 1
    local text, bytes = "", entry(v)
    if type(annotate) == "function" then
      text = tostring(annotate(v, row, col))
    elseif v - v == 0 then
      text = annotate:format(whole and math.floor(v + .5) or v)
    elseif v == v then
      text = v > 0 and "∞" or "-∞"
    end
    text = text:gsub("^%-", "\u{2212}")
    notes.texts[k] = text
    notes.colors[k] = bytes and colors.contrast(bytes:byte(1) / 255, bytes:byte(2) / 255,
      bytes:byte(3) / 255) or "black"
  end
  return notes
end

-- Names on an axis of cells 1 to n.
local function name_cells(self, axis, what, names, n)
  if #names ~= n then
    check.raise("size", "heatmap: %s: got %d names, expected %d", what, #names, n)
  end
  local list = {}
  for i, name in ipairs(names) do list[i] = tostring(name) end
  self.categories[axis] = { names = list, at = {} }
  for i, name in ipairs(list) do self.categories[axis].at[name] = i end
end

--- A matrix as coloured cells, with names of rows and columns and the numbers in the cells, black
-- or white, whichever is read better. Row 1 is on top.
-- @param m tensor or nested list, h x w
-- @tparam[opt] table opts cmap ("viridis"), vmin, vmax, aspect ("auto": cells fill the axes;
-- "equal": they are square), `rows` and `cols`: names; `annotate`: a format such as "%d" or "%.2f",
-- true ("%.3g"), or a function of value, row and column that gives a text
-- @return self
-- @usage require("lrn.plot").figure():axes():heatmap({ { 9, 1 }, { 2, 8 } }, { annotate = "%d" })
function M:heatmap(m, opts)
  opts = check.options("heatmap", opts, HEATMAP)
  local annotate = opts.annotate == true and "%.3g" or opts.annotate
  if type(annotate) == "string" and not pcall(string.format, annotate, 1) then
    check.raise("value", "heatmap: annotate: got %s, expected a format for one number",
      check.show(annotate))
  end
  local image, a = compose("heatmap", m, opts, false)
  if opts.rows then name_cells(self, "y", "rows", opts.rows, image.height) end
  if opts.cols then name_cells(self, "x", "cols", opts.cols, image.width) end
  add_image(self, "heatmap", image)
  if annotate then self:_add(notes_of(a, image, annotate)) end
  return self
end

--- A mosaic of images: the columns of W, or the images of an n x h x w array.
-- Ticks and frame are off.
-- @param W tensor or nested list, V x H (a tile for each of the H columns)
-- @tparam[opt] table opts `tile` = {height, width}, {height, width, 3} or {3, height, width}: how the
-- values of a tile lie (square), `cols`, `gap`
-- (1), `scale` ("tile", "all", "symmetric"), `vmin`, `vmax` (instead of scale), `cmap` ("gray"),
-- `background` ("#ffffff")
-- @return self
-- @usage require("lrn.plot").figure():axes():mosaic({ { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 } })
function M:mosaic(W, opts)
  return self:composed("mosaic", mosaic.compose("mosaic", W, opts))
end

--- Adds what `lrn.plot.mosaic.compose` made, without frame. For the modules of lrn.plot.
function M:composed(where, image)
  check.value("composed", "where", where, { "string", required = true })
  if type(image) ~= "table" or type(image.width) ~= "number" or type(image.height) ~= "number" or
    type(image.bad) ~= "number" then
    check.raise("type", "composed: image: got %s, expected what lrn.plot.mosaic composes",
      check.show(image))
  end
  self.shown = false
  return add_image(self, where, image)
end

return M
