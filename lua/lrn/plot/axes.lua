--- One set of axes: what is drawn in it, its limits, labels and ticks.
-- Every method that draws or sets returns the axes, so that calls chain. Sizes are in points,
-- as in matplotlib; the figure turns them into pixels.
-- @classmod lrn.plot.Axes

local array = require "lrn.plot.array"
local canvases = require "lrn.plot.canvas"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"
local legend = require "lrn.plot.legend"
local mosaic = require "lrn.plot.mosaic"

local FONT, TITLE = 10, 12
local STYLES = { "-", "--", "-.", ":", "none" }

-- Options, as rules of lrn.check.
local LINE = { label = { "string" }, color = { "any" }, width = { "number", 1.5, min = 0 },
               style = { "string", "-", choices = STYLES }, size = { "number", 6, min = 0 },
               marker = { "string", choices = canvases.markers },
               alpha = { "number", 1, min = 0, max = 1 } }
local IMAGE = { cmap = { "string", "viridis" }, vmin = { "number" }, vmax = { "number" } }
local FONT_SIZE = { "number", FONT, min = 1, max = 1000 }
local COLOR = { "any", "black" }
local XLABEL = { size = FONT_SIZE, color = COLOR }
local YLABEL = { size = FONT_SIZE, color = COLOR, horizontal = { "boolean", false } }
local TITLES = { loc = { "string", "center", choices = { "left", "center", "right" } },
                 size = { "number", TITLE, min = 1, max = 1000 }, color = COLOR }
local LEGEND = { loc = { "string", "best", choices = legend.locations } }
local COLORBAR = { label = { "string" } }

local Axes = {}
Axes.__index = Axes
Axes.__name = "lrn.plot.Axes"

local M = { Axes = Axes }

--- New axes of a figure; scripts call `fig:axes(row, column)`.
-- @usage local ax = require("lrn.plot").figure():axes(1, 1)
function M.new(figure)
  return setmetatable({ figure = figure, artists = {}, titles = {}, labels = {}, limits = {},
                        shown = true }, Axes)
end

function Axes:__tostring()
  return ("%s (%d artists)"):format(Axes.__name, #self.artists)
end

--------------------------------------------------------------------------------------------
-- What is drawn
--------------------------------------------------------------------------------------------

local function lost(self, where, bad, n)
  if bad > 0 then
    self.figure.nan_count = self.figure.nan_count + bad
    warn(("lrn: %s: %d of %d values are not finite and are left out"):format(where, bad, n))
  end
end

local function is_options(x)
  return type(x) == "table" and x[1] == nil and getmetatable(x) == nil
end

--- A line through points. NaN and infinities break it and are counted in `fig.nan_count`.
-- @param[opt] x tensor or list; positions 1 to n without
-- @param y tensor or list
-- @tparam[opt] table opts label, color ("C0"), width (1.5), style ("-" "--" "-." ":" "none"),
-- marker ("o" "." "s" "^" "x" "+"), size (6, of the marker), alpha (1)
-- @return self
-- @usage require("lrn.plot").figure():axes():line({ 3, 2, 1.5 }, { label = "train" })
function Axes:line(x, y, opts)
  local implicit, bad, xs, ys, color = y == nil or opts == nil and is_options(y), 0, nil, nil, nil
  if implicit then x, y, opts = nil, x, y or opts end
  opts = check.options("line", opts, LINE)
  ys = array.from(y, "line", 1)
  if implicit then
    xs = { data = {}, n = ys.n }
    for i = 1, ys.n do xs.data[i] = i end
  else
    xs = array.from(x, "line", 1)
  end
  if xs.n ~= ys.n then
    check.raise("size", "line: y: got %d values, expected %d as in x", ys.n, xs.n)
  end
  -- Runs of points between those that are not finite.
  local runs, run = {}, nil
  for i = 1, ys.n do
    local px, py = xs.data[i], ys.data[i]
    if px - px == 0 and py - py == 0 then
      if not run then
        run = { x = {}, y = {} }
        runs[#runs + 1] = run
      end
      run.x[#run.x + 1], run.y[#run.y + 1] = px, py
    else
      run, bad = nil, bad + 1
    end
  end
  lost(self, "line", bad, ys.n)
  self.series = (self.series or 0) + 1
  color = { colors.rgba(opts.color or "C" .. (self.series - 1) % #colors.tab10) }
  color[4] = color[4] * opts.alpha
  self.artists[#self.artists + 1] = {
    kind = "line", runs = runs, label = opts.label, color = color, width = opts.width,
    style = opts.style, marker = opts.marker, size = opts.size,
    whole = implicit or ys.n > 2 and array.whole(xs.data),
  }
  return self
end

local function add_image(self, where, image)
  lost(self, where, image.bad, image.width * image.height)
  image.kind = "image"
  self.artists[#self.artists + 1] = image
  return self
end

--- An image: h x w numbers through a colour map, or h x w x 3 (RGB, as bytes 0..255 or in 0..1).
-- Row 1 is on top; pixel (i, j) is centred on y = i, x = j.
-- @param t tensor or nested list
-- @tparam[opt] table opts cmap ("viridis"), vmin, vmax (least and greatest of the data)
-- @return self
-- @usage require("lrn.plot").figure():axes():image({ { 0, 1 }, { 2, 3 } }, { cmap = "gray" })
function Axes:image(t, opts)
  local a = array.from(t, "image")
  local lo, hi, bad = array.range(a.data)
  local nd = #a.shape
  local rgb = nd == 3 and a.shape[3] == 3
  opts = check.options("image", opts, IMAGE)
  if not rgb and nd ~= 2 or a.n == 0 then
    check.raise("size", "image: data: got shape %s, expected [h, w] or [h, w, 3]",
      array.shape_text(a.shape))
  end
  if rgb then
    lo, hi = 0, (hi or 0) > 1 and 255 or 1
  end
  lo, hi = opts.vmin or lo or 0, opts.vmax or hi or 1
  return add_image(self, "image", {
    width = a.shape[2], height = a.shape[1], channels = 3, vmin = lo, vmax = hi, bad = bad,
    cmap = opts.cmap,
    bytes = rgb and mosaic.gray_bytes(a.data, lo, hi) or colors.apply(a.data, lo, hi, opts.cmap),
  })
end

--- A mosaic of images: the columns of W, or the images of an n x h x w array.
-- Ticks and frame are off.
-- @param W tensor or nested list, V x H (a tile for each of the H columns)
-- @tparam[opt] table opts `tile` = {height, width} or {height, width, 3} (square), `cols`, `gap`
-- (1), `scale` ("tile", "all", "symmetric"), `vmin`, `vmax` (instead of scale), `cmap` ("gray"),
-- `background` ("#ffffff")
-- @return self
-- @usage require("lrn.plot").figure():axes():mosaic({ { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 } })
function Axes:mosaic(W, opts)
  return self:composed("mosaic", mosaic.compose("mosaic", W, opts))
end

--- Adds what `lrn.plot.mosaic.compose` made, without frame. For the modules of lrn.plot.
function Axes:composed(where, image)
  self.shown = false
  return add_image(self, where, image)
end

--------------------------------------------------------------------------------------------
-- Labels and limits
--------------------------------------------------------------------------------------------

--- The title above the axes; a left, a centred and a right one may stand together.
-- @string text
-- @tparam[opt] table opts loc ("center"), size (12), color ("black")
-- @return self
-- @usage require("lrn.plot").figure():axes():title("convergence", { loc = "left", size = 14 })
function Axes:title(text, opts)
  opts = check.options("title", opts, TITLES)
  self.titles[opts.loc] = { text = tostring(text), size = opts.size, color = opts.color }
  return self
end

--- The label below.
-- @string text
-- @tparam[opt] table opts size (10), color ("black")
-- @return self
-- @usage require("lrn.plot").figure():axes():xlabel("epoch")
function Axes:xlabel(text, opts)
  opts = check.options("xlabel", opts, XLABEL)
  self.labels.x = { text = tostring(text), size = opts.size, color = opts.color }
  return self
end

--- The label on the left.
-- @string text
-- @tparam[opt] table opts size (10), color ("black"), horizontal (false)
-- @return self
-- @usage require("lrn.plot").figure():axes():ylabel("MSE")
function Axes:ylabel(text, opts)
  opts = check.options("ylabel", opts, YLABEL)
  self.labels.y = { text = tostring(text), size = opts.size, color = opts.color,
                    horizontal = opts.horizontal }
  return self
end

local function set_limits(self, which, lo, hi)
  if type(lo) ~= "number" or type(hi) ~= "number" or lo - lo ~= 0 or hi - hi ~= 0 or lo == hi then
    check.raise("value", "%slim: got %s and %s, expected two different finite numbers", which,
      check.show(lo), check.show(hi))
  end
  self.limits[which] = { lo, hi }
  return self
end

--- Limits of the x axis, left and right; a greater left one turns it round.
-- @number lo
-- @number hi
-- @return self
-- @usage require("lrn.plot").figure():axes():xlim(0, 10)
function Axes:xlim(lo, hi) return set_limits(self, "x", lo, hi) end

--- Limits of the y axis, bottom and top.
-- @number lo
-- @number hi
-- @return self
-- @usage require("lrn.plot").figure():axes():ylim(0, 1)
function Axes:ylim(lo, hi) return set_limits(self, "y", lo, hi) end

--- Lines behind the data at each tick.
-- @bool[opt=true] on
-- @return self
-- @usage require("lrn.plot").figure():axes():grid(true)
function Axes:grid(on)
  self.has_grid = on ~= false
  return self
end

--- Frame, ticks and their labels on or off; titles and labels stay.
-- @bool[opt=true] on
-- @return self
-- @usage require("lrn.plot").figure():axes():axis(false)
function Axes:axis(on)
  self.shown = on ~= false
  return self
end

--- A legend of the lines that have a label.
-- @tparam[opt] table opts `loc`: "best" (hides least), "upper right", "lower center", ...
-- @return self
-- @usage require("lrn.plot").figure():axes():line({ 1, 2 }, { label = "a" }):legend{ loc = "best" }
function Axes:legend(opts)
  opts = check.options("legend", opts, LEGEND)
  self.legend_loc = opts.loc
  return self
end

--- A colour bar right of the axes, for its last image.
-- @tparam[opt] table opts `label`
-- @return self
-- @usage require("lrn.plot").figure():axes():image({ { 0, 1 } }):colorbar{ label = "weight" }
function Axes:colorbar(opts)
  opts = check.options("colorbar", opts, COLORBAR)
  for _, a in ipairs(self.artists) do
    if a.kind == "image" then self.bar = { image = a, label = opts.label } end
  end
  if not self.bar then check.raise("state", "colorbar: there is no image in these axes") end
  if not self.bar.image.vmin then
    check.raise("state", 'colorbar: the tiles have a scale each; use scale = "all" or "symmetric"')
  end
  return self
end

return M
