--- The methods of axes that draw numbers: line, scatter, bar, hist, band, hline, vline, text.
-- `lrn.plot.axes` makes them methods of Axes; each returns its axes, so that calls chain.
-- @module lrn.plot.series

local array = require "lrn.plot.array"
local artists = require "lrn.plot.artists"
local bins = require "lrn.plot.bins"
local canvases = require "lrn.plot.canvas"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"

local sqrt, floor, tint = math.sqrt, math.floor, artists.tint

local MARKER = 6 -- points
local CLASSES = 20 -- more labels than this are a scale, not classes
local CAP = 3 -- half of an error bar's cap, points

-- Options, as rules of lrn.check.
local ALPHA = { "number", 1, min = 0, max = 1 }
local WIDTH = { "number", 1.5, min = 0 }
local COLOR = { "any" }
local LINE = { label = { "string" }, color = COLOR, width = WIDTH,
               style = { "string", "-", choices = artists.styles },
               size = { "number", MARKER, min = 0 },
               marker = { "string", choices = canvases.markers }, alpha = ALPHA, err = { "any" } }
local SCATTER = { c = { "any" }, s = { "any" }, cmap = { "string" }, vmin = { "number" },
                  vmax = { "number" }, alpha = ALPHA, label = { "string|table" },
                  marker = { "string", "o", choices = canvases.markers } }
local BAR = { label = { "string|table" }, color = COLOR, alpha = ALPHA, err = { "any" },
              width = { "number", .8, min = 0, max = 1 }, horizontal = { "boolean", false } }
local HIST = { bins = { "any", "auto" }, range = { "table" }, density = { "boolean", false },
               log = { "boolean", false }, label = { "string|table" }, color = COLOR,
               alpha = { "number", min = 0, max = 1 }, width = WIDTH,
               style = { "string", "bar", choices = { "bar", "step" } } }
local BAND = { label = { "string" }, color = COLOR, alpha = { "number", .2, min = 0, max = 1 } }
local RULE = { label = { "string" }, color = { "any", "#606060" }, alpha = ALPHA,
               width = { "number", 1, min = 0 },
               style = { "string", "-", choices = artists.styles } }
local TEXT = { size = { "number", 10, min = 1, max = 1000 }, color = { "any", "black" },
               halign = { "string", "left", choices = { "left", "center", "right" } },
               valign = { "string", "baseline", choices = { "baseline", "top", "middle",
                                                            "bottom" } },
               angle = { "number", 0, min = -360, max = 360 }, dx = { "number", 0 },
               dy = { "number", 0 }, weight = { "string", "normal",
                                                choices = { "normal", "bold" } } }

local M = {}

--------------------------------------------------------------------------------------------
-- Arguments
--------------------------------------------------------------------------------------------

local function is_options(x)
  return type(x) == "table" and x[1] == nil and getmetatable(x) == nil
end

local function finite(v) return v - v == 0 end

local function count_up(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

-- Coordinates along an axis: numbers, or names that become its categories.
local function along(self, axis, x, where)
  if type(x) == "table" and type(x[1]) == "string" then
    return { data = self:_categorize(axis, x, where) }
  end
  return array.from(x, where, 1)
end

local function same_length(where, name, n, expected)
  if n ~= expected then
    check.raise("size", "%s: %s: got %d values, expected %d as in x", where, name, n, expected)
  end
end

-- (x, y, opts), (y, opts) or (y): x, y, opts and whether x is just 1 to n.
local function split_xy(x, y, opts)
  if y == nil or opts == nil and is_options(y) then return nil, x, y or opts, true end
  return x, y, opts, false
end

-- The label of the k-th of n series, or nil.
local function label_of(where, label, k, n)
  if type(label) == "table" and #label ~= n then
    check.raise("size", "%s: label: got %d, expected %d as there are series", where, #label, n)
  end
  if type(label) == "table" then return tostring(label[k]) end
  return k == 1 and label or nil
end

-- The colour of the k-th of n series: the option's, or the next of the palette.
local function color_of(self, where, color, k, n)
  local list = type(color) == "table" and type(color[1]) ~= "number"
  if list and #color < n then
    check.raise("size", "%s: color: got %d, expected %d as there are series", where, #color, n)
  end
  return color and (list and color[k] or color) or self:_next_color()
end

-- One or several series of numbers: a tensor or a flat list is one, a list of those several.
local function several(where, t)
  local list = {}
  local first = type(t) == "table" and rawget(t, 1) -- raw: a data set is no list
  if type(first) == "table" or check.is_tensor(first) then
    for i, part in ipairs(t) do list[i] = array.from(part, where).data end
  else
    list[1] = array.from(t, where).data
  end
  return list
end

-- Runs of points between those with a number that is not finite, and how many those are.
local function runs_of(columns, names)
  local runs, run, bad = {}, nil, 0
  for i = 1, #columns[1] do
    local good = true
    for k = 1, #columns do good = good and finite(columns[k][i]) end
    if good then
      if not run then
        run = {}
        for _, name in ipairs(names) do run[name] = {} end
        runs[#runs + 1] = run
      end
      for k, name in ipairs(names) do
        local list = run[name]
        list[#list + 1] = columns[k][i]
      end
    else
      run, bad = nil, bad + 1
    end
  end
  return runs, bad
end

local function lists_of(runs, name)
  local lists = {}
  for i, run in ipairs(runs) do lists[i] = run[name] end
  return lists
end

-- Adds error bars around values: `err` is a number, or one a value.
local function add_whiskers(self, where, at, values, err, t)
  local list = type(err) == "number" and { n = #at } or array.from(err, where, 1)
  same_length(where, "err", list.n, #at)
  local a = { kind = "whiskers", at = {}, lo = {}, hi = {}, color = t.color, width = t.width,
              cap = t.cap, flat = t.flat }
  for i = 1, #at do
    local e = (list.data and list.data[i] or err) + 0.0
    if finite(e) and finite(values[i]) and finite(at[i]) then
      local k = #a.at + 1
      a.at[k], a.lo[k], a.hi[k] = at[i], values[i] - e, values[i] + e
    end
  end
  a.data = t.flat and { x = { a.lo, a.hi }, y = { a.at } } or { x = { a.at }, y = { a.lo, a.hi } }
  self:_add(a)
end

--------------------------------------------------------------------------------------------
-- Lines and marks
--------------------------------------------------------------------------------------------

--- A line through points. NaN and infinities break it and are counted in `fig.nan_count`.
-- @param[opt] x tensor or list, also of names; positions 1 to n without
-- @param y tensor or list
-- @tparam[opt] table opts label, color ("C0"), width (1.5), style ("-" "--" "-." ":" "none"),
-- marker ("o" "." "s" "^" "x" "+"), size (6, of the marker), alpha (1), err (half of an error bar:
-- a number or one a point)
-- @return self
-- @usage require("lrn.plot").figure():axes():line({ 3, 2, 1.5 }, { label = "train" })
function M:line(x, y, opts)
  local implicit
  x, y, opts, implicit = split_xy(x, y, opts)
  opts = check.options("line", opts, LINE)
  local ys = array.from(y, "line", 1)
  local xs = implicit and { data = count_up(ys.n) } or along(self, "x", x, "line")
  same_length("line", "y", ys.n, #xs.data)
  local runs, bad = runs_of({ xs.data, ys.data }, { "x", "y" })
  self:_lost("line", bad, ys.n)
  local color = tint(color_of(self, "line", opts.color, 1, 1), opts.alpha, "line")
  self:_add{ kind = "line", runs = runs, label = opts.label, color = color, width = opts.width,
            style = opts.style, marker = opts.marker, size = opts.size,
            whole = { x = implicit or ys.n > 2 and array.whole(xs.data) },
            data = { x = lists_of(runs, "x"), y = lists_of(runs, "y") } }
  if opts.err ~= nil then
    add_whiskers(self, "line", xs.data, ys.data, opts.err,
      { color = color, width = opts.width, cap = CAP })
  end
  return self
end

-- Names or whole numbers as classes: for each value its colour, and the classes in order.
local function classify(c, names, alpha)
  local found, classes, tints = {}, {}, {}
  for _, v in ipairs(c) do
    if not found[v] then
      found[v] = true
      classes[#classes + 1] = { value = v }
    end
  end
  if type(c[1]) ~= "string" then
    table.sort(classes, function(a, b) return a.value < b.value end)
  end
  if type(names) == "table" and #names ~= #classes then
    check.raise("size", "scatter: label: got %d, expected %d as there are classes", #names,
      #classes)
  end
  for i, class in ipairs(classes) do
    local v = class.value
    class.color = tint(colors.tab10[(i - 1) % #colors.tab10 + 1], alpha)
    class.label = type(names) == "table" and tostring(names[i])
      or type(v) == "number" and ("%d"):format(v) or v
    found[v] = colors.hex(class.color)
  end
  for i, v in ipairs(c) do tints[i] = found[v] end
  return tints, classes
end

-- Whether numbers are labels of classes: whole, and few.
local function are_labels(c)
  local seen, n = {}, 0
  for i = 1, #c do
    local v = c[i]
    if v ~= floor(v) then return false end
    if not seen[v] then
      seen[v], n = true, n + 1
      if n > CLASSES then return false end
    end
  end
  return n > 0
end

--- Marks at points.
-- @param x tensor or list, also of names
-- @param y tensor or list
-- @tparam[opt] table opts `c`: a colour, or one value a point. Names and up to 20 whole numbers are
-- classes, each in its colour and with its entry in the legend; other numbers go through `cmap`
-- ("viridis"; naming one makes a scale of whole numbers too) between `vmin` and `vmax`, and have a
-- colour bar. `s`: area of a mark in square points, a number (36) or one a point; `marker` ("o");
-- `alpha` (1); `label`, a list of them for classes
-- @return self
-- @usage require("lrn.plot").figure():axes():scatter({ 1, 2, 3 }, { 2, 1, 3 }, { c = { 0, 1, 1 } })
function M:scatter(x, y, opts)
  opts = check.options("scatter", opts, SCATTER)
  local xs, ys = along(self, "x", x, "scatter"), array.from(y, "scatter", 1)
  local n, c, s = ys.n, opts.c, opts.s
  same_length("scatter", "y", n, #xs.data)
  local a = { kind = "scatter", marker = opts.marker, x = {}, y = {}, label = opts.label,
              whole = { x = false }, size = MARKER }
  local names = type(c) == "table" and type(c[1]) == "string"
  local plain = type(c) == "string" or type(c) == "table" and #c ~= n and type(c[1]) == "number"
    and (#c == 3 or #c == 4)
  local values
  if names then
    values = c
  elseif c ~= nil and not plain then
    values = array.from(c, "scatter", 1).data
  end
  if values then same_length("scatter", "c", #values, n) end
  if s ~= nil and type(s) ~= "number" then
    s = array.from(s, "scatter", 1).data
    same_length("scatter", "s", #s, n)
    a.sizes = {}
  elseif s and not (s >= 0 and s < math.huge) then
    check.raise("value", "scatter: s: got %s, expected an area >= 0 or a list of them",
      check.show(s))
  elseif s then
    a.size = sqrt(s)
  end
  local kept, bad = values and {}, 0
  for i = 1, n do
    local px, py, area, v = xs.data[i], ys.data[i], a.sizes and s[i] or 0, values and values[i]
    if finite(px) and finite(py) and finite(area) and area >= 0
      and (type(v) ~= "number" or finite(v)) then
      local k = #a.x + 1
      a.x[k], a.y[k] = px, py
      if a.sizes then a.sizes[k] = sqrt(area) end
      if kept then kept[k] = v end
    else
      bad = bad + 1
    end
  end
  self:_lost("scatter", bad, n)
  a.color = tint(kept and "black" or plain and c or self:_next_color(), opts.alpha,
    "scatter")
  if kept and (names or not opts.cmap and not opts.vmin and not opts.vmax and are_labels(kept)) then
    a.colors, a.classes = classify(kept, opts.label, opts.alpha)
    a.label = nil
  elseif kept then
    a.cmap, a.vmin, a.vmax = opts.cmap or "viridis", colors.limits("scatter", opts,
      array.range(kept))
    local entry, memo = colors.mapper(a.vmin, a.vmax, a.cmap), {}
    a.colors = {}
    for i, v in ipairs(kept) do
      local bytes = entry(v)
      memo[bytes] = memo[bytes] or colors.hex{ bytes:byte(1) / 255, bytes:byte(2) / 255,
                                               bytes:byte(3) / 255, opts.alpha }
      a.colors[i] = memo[bytes]
    end
    a.color = tint("gray", opts.alpha) -- of its handle in the legend
  end
  if type(a.label) == "table" then
    check.raise("type", "scatter: label: got a list, expected a string where there are no classes")
  end
  a.data = { x = { a.x }, y = { a.y } }
  return self:_add(a)
end

--- The area between two curves, as of a mean and its errors. It has the colour of the last series
-- unless one is given.
-- @param x tensor or list
-- @param lo tensor or list
-- @param hi tensor or list
-- @tparam[opt] table opts color, alpha (.2), label
-- @return self
-- @usage require("lrn.plot").figure():axes():band({ 1, 2, 3 }, { 0, 1, 1 }, { 2, 2, 3 })
function M:band(x, lo, hi, opts)
  opts = check.options("band", opts, BAND)
  local xs, a, b = along(self, "x", x, "band"), array.from(lo, "band", 1), array.from(hi, "band", 1)
  same_length("band", "lo", a.n, #xs.data)
  same_length("band", "hi", b.n, #xs.data)
  local runs, bad = runs_of({ xs.data, a.data, b.data }, { "x", "lo", "hi" })
  self:_lost("band", bad, a.n)
  local y = lists_of(runs, "lo")
  table.move(lists_of(runs, "hi"), 1, #runs, #y + 1, y)
  return self:_add{ kind = "band", runs = runs, label = opts.label,
                   color = tint(opts.color or self:_last_color(), opts.alpha, "band"),
                   whole = { x = a.n > 2 and array.whole(xs.data) },
                   data = { x = lists_of(runs, "x"), y = y } }
end

local function add_rule(self, where, axis, value, opts)
  opts = check.options(where, opts, RULE)
  local values = type(value) == "number" and { value } or array.from(value, where, 1).data
  local kept = {}
  for _, v in ipairs(values) do
    if finite(v) then kept[#kept + 1] = v end
  end
  self:_lost(where, #values - #kept, #values)
  return self:_add{ kind = "rule", axis = axis, values = kept, label = opts.label,
                   color = tint(opts.color, opts.alpha, where), width = opts.width,
                   style = opts.style,
                   data = { x = {}, y = {}, [axis] = { kept } } }
end

--- A horizontal line over the whole width, at a value or at several.
-- @tparam number|table y
-- @tparam[opt] table opts color ("#606060"), width (1), style ("-"), alpha (1), label
-- @return self
-- @usage require("lrn.plot").figure():axes():hline(0, { style = "--" })
function M:hline(y, opts) return add_rule(self, "hline", "y", y, opts) end

--- A vertical line over the whole height, at a value or at several.
-- @tparam number|table x
-- @tparam[opt] table opts as for `hline`
-- @return self
-- @usage require("lrn.plot").figure():axes():vline({ 1, 2 }, { label = "restarts" })
function M:vline(x, opts) return add_rule(self, "vline", "x", x, opts) end

--- A text at a point of the data. It is moved where it would leave the page, and left out where
-- the point is outside of the axes.
-- @number x
-- @number y
-- @string text
-- @tparam[opt] table opts size (10), color ("black"), halign ("left" "center" "right"), valign
-- ("baseline" "top" "middle" "bottom"), angle (0, degrees), weight ("normal" "bold"), dx and dy
-- (0, points to the right and up)
-- @return self
-- @usage require("lrn.plot").figure():axes():line{ 1, 3, 2 }:text(2, 3, "peak", { dy = 4 })
function M:text(x, y, text, opts)
  opts = check.options("text", opts, TEXT)
  for name, v in pairs{ x = x or false, y = y or false } do
    if type(v) ~= "number" or not finite(v) then
      check.raise("value", "text: %s: got %s, expected a finite number", name, check.show(v or nil))
    end
  end
  opts.kind, opts.x, opts.y, opts.text = "text", x, y, tostring(text)
  opts.color, opts.data = tint(opts.color, 1, "text"), { x = {}, y = {} }
  return self:_add(opts)
end

--------------------------------------------------------------------------------------------
-- Bars
--------------------------------------------------------------------------------------------

--- Bars from 0. Several series stand beside each other.
-- @param[opt] x names (categories) or numbers, the middles of the bars; 1 to n without
-- @param heights tensor or list of n, or a list of several series
-- @tparam[opt] table opts label (a list for several series), color (likewise), alpha (1), width (.8
-- of the distance), horizontal (false; the first category is on top), err (half of an error bar: a
-- number, one a bar, or a list of those for several series)
-- @return self
-- @usage require("lrn.plot").figure():axes():bar({ "cd", "pcd" }, { 3, 2 }, { err = .2 })
function M:bar(x, heights, opts)
  local implicit
  x, heights, opts, implicit = split_xy(x, heights, opts)
  opts = check.options("bar", opts, BAR)
  local series, flat = several("bar", heights), opts.horizontal
  local axis = flat and "y" or "x"
  local n, count = #series[1], #series
  local at = implicit and count_up(n) or along(self, axis, x, "bar").data
  local pitch = math.huge
  local sorted = table.move(at, 1, #at, 1, {})
  table.sort(sorted)
  for i = 2, #sorted do
    local d = sorted[i] - sorted[i - 1]
    if d > 0 then pitch = math.min(pitch, d) end
  end
  if not finite(pitch) then pitch = 1 end
  local width = opts.width * pitch / count
  for k, values in ipairs(series) do
    same_length("bar", "heights", #values, #at)
    local a = { kind = "bars", from = {}, to = {}, heights = {}, origin = 0, flat = flat,
                label = label_of("bar", opts.label, k, count), whole = { [axis] = array.whole(at) },
                color = tint(color_of(self, "bar", opts.color, k, count), opts.alpha, "bar"),
                base = flat and { x = 0 } or { y = 0 } }
    local shift, middles = (k - 1 - count / 2) * width, {}
    for i, h in ipairs(values) do
      middles[i] = at[i] + shift + width / 2
      if finite(h) and finite(at[i]) then
        local j = #a.heights + 1
        a.from[j], a.to[j], a.heights[j] = at[i] + shift, at[i] + shift + width, h
      end
    end
    self:_lost("bar", #values - #a.heights, #values)
    a.data = flat and { x = { a.heights }, y = { a.from, a.to } }
      or { x = { a.from, a.to }, y = { a.heights } }
    self:_add(a)
    if opts.err ~= nil then
      local err = count > 1 and type(opts.err) == "table" and opts.err[k] or opts.err
      add_whiskers(self, "bar", middles, values, err,
        { color = tint("black", 1), width = 1, cap = CAP, flat = flat })
    end
  end
  return self
end

--- A histogram, of one series or of several over common bins.
-- @param t tensor or list, of any shape; or a list of tensors or lists, a series each
-- @tparam[opt] table opts `bins`: a number, the edges, or the rule "auto" (default), "fd" (Freedman
-- and Diaconis), "sturges"; `range` = {least, greatest}; `density` (false): the area is 1; `log`
-- (false): a logarithmic y axis; `style`: "bar" (filled) or "step" (outline); `label` and `color`,
-- lists for several series; `alpha` (1; .55 for several filled ones); `width` (1.5, of the outline)
-- @return self
-- @usage require("lrn.plot").figure():axes():hist({ 1, 2, 2, 3 }, { bins = 3 })
function M:hist(t, opts)
  opts = check.options("hist", opts, HIST)
  local series = several("hist", t)
  local n = #series
  local edges = bins.edges("hist", series, opts.bins, opts.range)
  local filled = opts.style == "bar"
  for k, values in ipairs(series) do
    local counts = bins.count(values, edges)
    local inside = 0
    for _, c in ipairs(counts) do inside = inside + c end
    local _, _, bad = array.range(values)
    self:_lost("hist", bad, #values)
    if opts.density then
      for i, c in ipairs(counts) do
        counts[i] = inside > 0 and c / inside / (edges[i + 1] - edges[i]) or 0
      end
    end
    self:_add{ kind = "stairs", edges = edges, heights = counts, filled = filled, style = "-",
              width = opts.width, label = label_of("hist", opts.label, k, n),
              color = tint(color_of(self, "hist", opts.color, k, n),
                opts.alpha or filled and n > 1 and .55 or 1, "hist"),
              data = { x = { edges }, y = { counts } }, base = { y = 0 },
              whole = not opts.density and { y = true } or nil }
  end
  if opts.log then self:yscale "log" end
  return self
end

return M
