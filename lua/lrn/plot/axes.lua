--- One set of axes: what is drawn in it, its limits, labels and ticks.
-- Every method that draws or sets returns the axes, so that calls chain. Sizes are in points,
-- as in matplotlib; the figure turns them into pixels.
-- @classmod lrn.plot.Axes

local array = require "lrn.plot.array"
local artists = require "lrn.plot.artists"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"
local images = require "lrn.plot.images"
local legend = require "lrn.plot.legend"
local scale = require "lrn.plot.scale"
local series = require "lrn.plot.series"

local FONT, TITLE = 10, 12

-- Options, as rules of lrn.check.
local FONT_SIZE = { "number", FONT, min = 1, max = 1000 }
local COLOR = { "any", "black" }
local XLABEL = { size = FONT_SIZE, color = COLOR }
local YLABEL = { size = FONT_SIZE, color = COLOR, horizontal = { "boolean", false } }
local TITLES = { loc = { "string", "center", choices = { "left", "center", "right" } },
                 size = { "number", TITLE, min = 1, max = 1000 }, color = COLOR }
local LEGEND = { loc = { "string", "best", choices = legend.locations } }
local SCALE = { "string", required = true, choices = scale.names }
local COLORBAR = { label = { "string" } }

local Axes = {}
Axes.__index = Axes
Axes.__name = "lrn.plot.Axes"
for _, methods in ipairs{ series, images } do
  for name, method in pairs(methods) do Axes[name] = method end
end

local M = { Axes = Axes }

--- New axes of a figure; scripts call `fig:axes(row, column)`.
-- @usage local ax = require("lrn.plot").figure():axes(1, 1)
function M.new(figure)
  return setmetatable({ figure = figure, artists = {}, titles = {}, labels = {}, limits = {},
                        categories = {}, fixed = {}, scales = { x = "linear", y = "linear" },
                        series = 0, shown = true }, Axes)
end

function Axes:__tostring()
  return ("%s (%d artists)"):format(Axes.__name, #self.artists)
end

--------------------------------------------------------------------------------------------
-- For the modules of lrn.plot
--------------------------------------------------------------------------------------------

--- Counts values that are left out, and warns.
function Axes:_lost(where, bad, n)
  if bad > 0 then
    self.figure.nan_count = self.figure.nan_count + bad
    warn(("lrn: %s: %d of %d values are not finite and are left out"):format(where, bad, n))
  end
end

--- The next colour of the palette.
function Axes:_next_color()
  self.series = self.series + 1
  return "C" .. (self.series - 1) % #colors.tab10
end

--- The colour of the last series, or the first of the palette.
function Axes:_last_color()
  for i = #self.artists, 1, -1 do
    local a = self.artists[i]
    if a.kind == "line" or a.kind == "scatter" then return a.color end
  end
  return "C0"
end

--- Positions of names on an axis; new names get the next whole numbers.
function Axes:_categorize(axis, names, where)
  local c = self.categories[axis] or { names = {}, at = {} }
  local positions = {}
  for i, name in ipairs(names) do
    if type(name) ~= "string" then
      check.raise("type", "%s: %s: got %s, expected a string as the first", where, axis,
        check.show(name))
    end
    if not c.at[name] then
      c.names[#c.names + 1] = name
      c.at[name] = #c.names
    end
    positions[i] = c.at[name]
  end
  self.categories[axis] = c
  return positions
end

-- A logarithmic axis has no place for values that are not positive, nor for images.
local function check_logarithmic(self, axis, a)
  if self.scales[axis] ~= "log" then return end
  if a.kind == "image" then
    check.raise("state", "%sscale: an image needs linear axes", axis)
  end
  local bad, n = 0, 0
  for _, list in ipairs(a.data[axis]) do
    local _, _, without = array.range(list, 0)
    bad, n = bad + without, n + #list
  end
  if a.base and a.base[axis] then bad = 0 end -- empty bins
  if bad > 0 then
    self.figure.nan_count = self.figure.nan_count + bad
    warn(("lrn: %sscale: %d of %d values are not positive and have no place on a log axis")
      :format(axis, bad, n))
  end
end

--- Adds an artist (see lrn.plot.artists).
function Axes:_add(artist)
  for _, axis in ipairs{ "x", "y" } do check_logarithmic(self, axis, artist) end
  self.artists[#self.artists + 1] = artist
  return self
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
  colors.rgba(opts.color, "title")
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
  colors.rgba(opts.color, "xlabel")
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
  colors.rgba(opts.color, "ylabel")
  self.labels.y = { text = tostring(text), size = opts.size, color = opts.color,
                    horizontal = opts.horizontal }
  return self
end

local function set_limits(self, which, lo, hi)
  if type(lo) ~= "number" or type(hi) ~= "number" or lo - lo ~= 0 or hi - hi ~= 0
    or scale.linear.flat(lo, hi) then
    check.raise("value", "%slim: lo, hi: got %s, %s, expected two different finite numbers", which,
      check.show(lo), check.show(hi))
  end
  if self.scales[which] == "log" and (lo <= 0 or hi <= 0) then
    check.raise("value", "%slim: got %s and %s, expected positive limits on a log axis", which, lo,
      hi)
  end
  self.limits[which] = { lo + 0.0, hi + 0.0 }
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

local function set_scale(self, axis, name)
  name = check.value(axis .. "scale", "name", name, SCALE)
  local limits = self.limits[axis]
  if name == "log" and limits and (limits[1] <= 0 or limits[2] <= 0) then
    check.raise("value", "%sscale: the limits %s and %s are not positive", axis, limits[1],
      limits[2])
  end
  if name == self.scales[axis] then return self end
  self.scales[axis] = name
  for _, a in ipairs(self.artists) do check_logarithmic(self, axis, a) end
  return self
end

--- The scale of the x axis: "linear" or "log". What is not positive has no place on a logarithmic
-- axis: it breaks lines and is counted in `fig.nan_count`.
-- @string name
-- @return self
-- @usage require("lrn.plot").figure():axes():line({ 1, 10, 100 }, { 1, 2, 3 }):xscale "log"
function Axes:xscale(name) return set_scale(self, "x", name) end

--- The scale of the y axis: "linear" or "log".
-- @string name
-- @return self
-- @usage require("lrn.plot").figure():axes():line{ 1, .1, .01 }:yscale "log"
function Axes:yscale(name) return set_scale(self, "y", name) end

local function set_ticks(self, axis, values, labels)
  local where = axis .. "ticks"
  local list = array.from(values, where, 1).data
  local order, fixed = {}, { values = {}, labels = labels and {} }
  if labels ~= nil and (type(labels) ~= "table" or #labels ~= #list) then
    check.raise("size", "%s: labels: got %s, expected a list of %d", where,
      type(labels) == "table" and #labels or check.show(labels), #list)
  end
  for i, v in ipairs(list) do
    if v - v ~= 0 then
      check.raise("value", "%s: values: got %s, expected finite numbers", where, check.show(v))
    end
    order[i] = i
  end
  table.sort(order, function(a, b) return list[a] < list[b] end)
  for i, k in ipairs(order) do
    fixed.values[i] = list[k]
    if labels then fixed.labels[i] = tostring(labels[k]) end
  end
  self.fixed[axis] = fixed
  return self
end

--- Ticks of the x axis where you want them. Labels that would overlap are slanted, then thinned.
-- @param values tensor or list; empty: no ticks
-- @tparam[opt] {string} labels the numbers themselves without
-- @return self
-- @usage require("lrn.plot").figure():axes():xlim(0, 2):xticks({ 0, 1, 2 }, { "a", "b", "c" })
function Axes:xticks(values, labels) return set_ticks(self, "x", values, labels) end

--- Ticks of the y axis where you want them.
-- @param values tensor or list; empty: no ticks
-- @tparam[opt] {string} labels the numbers themselves without
-- @return self
-- @usage require("lrn.plot").figure():axes():ylim(0, 1):yticks{ 0, .5, 1 }
function Axes:yticks(values, labels) return set_ticks(self, "y", values, labels) end

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

--- A legend of all that has a label.
-- @tparam[opt] table opts `loc`: "best" (hides least), "upper right", "lower center", ...,
-- "outside" (right of the axes)
-- @return self
-- @usage require("lrn.plot").figure():axes():line({ 1, 2 }, { label = "a" }):legend{ loc = "best" }
function Axes:legend(opts)
  opts = check.options("legend", opts, LEGEND)
  self.legend_loc = opts.loc
  return self
end

--- A colour bar right of the axes, for the last thing in them whose colours stand for numbers:
-- image, heat map, mosaic, scatter.
-- @tparam[opt] table opts `label`
-- @return self
-- @usage require("lrn.plot").figure():axes():image({ { 0, 1 } }):colorbar{ label = "weight" }
function Axes:colorbar(opts)
  opts = check.options("colorbar", opts, COLORBAR)
  local mapped = artists.mapped(self.artists)
  if not mapped then
    check.raise("state",
      "colorbar: there is no image in these axes, and nothing else whose colours are numbers")
  end
  if not mapped.vmin then
    check.raise("state", 'colorbar: the tiles have a scale each; use scale = "all" or "symmetric"')
  end
  self.ramp = { of = mapped, label = opts.label }
  return self
end

check.class("Axes", Axes, function(v) return type(v) == "table" and getmetatable(v) == Axes end)
return M
