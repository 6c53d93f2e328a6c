--- One axis: which ticks it has, how their labels find room, and their drawing. Labels are
-- measured, so they never meet: numbers get fewer, names are broken, slanted, stood up, thinned.
-- @module lrn.plot.axis

local floor, max, min, abs, huge = math.floor, math.max, math.min, math.abs, math.huge

-- Points, as in matplotlib.
local TICK, MINOR, PAD, SPINE, GRID = 3.5, 2, 3.5, .8, .8
local GRID_COLOR = "#b0b0b0"
local SOME, MOST = 5, 9 -- intervals to try first: by the length, in these limits

local SLANT = 45
local SINE = math.sqrt(.5)
local GAP_X, GAP_Y = .6, .35 -- ems between labels
local LINES = 3 -- of a name that is broken
local SMALLEST = .75 -- of the letters: before long names are broken

local M = { TICK = TICK, PAD = PAD, SPINE = SPINE }

-- Whether labels at pixel positions, each as long as its extent, leave the gap between them; only
-- every `stride`-th of them.
local function apart(at, extents, gap, stride)
  for i = 1 + stride, #at, stride do
    local k = i - stride
    if abs(at[i] - at[k]) < (extents[i] + extents[k]) / 2 + gap then return false end
  end
  return true
end

local function every(list, stride)
  local out = {}
  for i = 1, #list, stride do out[#out + 1] = list[i] end
  return out
end

-- Leaves out ticks until the rest is apart.
local function thin(t, at, extents, gap)
  local stride = 1
  while not apart(at, extents, gap, stride) do stride = stride + 1 end
  t.values, t.labels = every(t.values, stride), every(t.labels, stride)
  return t
end

-- Widths of labels on a horizontal axis, heights on a vertical one.
local function extents_of(canvas, labels, size, upright)
  local list = {}
  for i, label in ipairs(labels) do
    local cap, _, lines = canvas:metrics(label, size)
    list[i] = upright and cap + lines or canvas:measure(label, size).w
  end
  return list
end

local function positions_of(spec, values)
  local position, at = spec.scale.position(spec.from, spec.to), {}
  for i, v in ipairs(values) do at[i] = position(v) * spec.length end
  return at
end

-- Numbers: the finest ticks whose labels have room.
local function number_ticks(canvas, spec)
  local size, upright = spec.size, spec.upright
  local lo, hi = min(spec.from, spec.to), max(spec.from, spec.to)
  local gap = (upright and GAP_Y or GAP_X) * size
  local n = max(SOME, min(MOST, floor(spec.length / ((upright and 2 or 3) * size))))
  while true do
    local t = spec.scale.ticks(lo, hi, n, spec.whole)
    local at, extents = positions_of(spec, t.values),
      extents_of(canvas, t.labels, size, upright)
    if apart(at, extents, gap, 1) then return t end
    if n == 1 then return thin(t, at, extents, gap) end
    n = n - 1
  end
end

-- Names as lines of at most `width`; nil where they would have too many, or smaller letters.
local function broken(canvas, labels, size, width)
  local list = {}
  if width < size then return nil end
  for i, label in ipairs(labels) do
    local text, s = canvas:fit(label, size, width)
    local _, lines = text:gsub("\n", "")
    if s < size or lines >= LINES then return nil end
    list[i] = text
  end
  return list
end

-- Names that are at most `width`: on one line each, if need be in smaller letters; else broken too.
local function squeezed(canvas, labels, size, width)
  local list, least, wide = {}, size, 0
  for _, label in ipairs(labels) do wide = max(wide, canvas:measure(label, size).w) end
  if wide * SMALLEST <= width then return labels, size * min(1, width / max(wide, 1)) end
  for i, label in ipairs(labels) do
    local text, s = canvas:fit(label, size, width)
    list[i], least = text, min(least, s)
  end
  return list, least
end

-- Names below a horizontal axis: level, broken, slanted, upright, and then only some of them.
local function names_below(canvas, spec, t)
  local size, labels = spec.size, t.labels
  local at = positions_of(spec, t.values)
  if apart(at, extents_of(canvas, labels, size), GAP_X * size, 1) then return t end
  local pitch = huge
  for i = 2, #at do pitch = min(pitch, abs(at[i] - at[i - 1])) end
  local lines = broken(canvas, labels, size, pitch - GAP_X * size)
  if lines then
    t.labels = lines
    return t
  end
  if canvas.flat then return thin(t, at, extents_of(canvas, labels, size), GAP_X * size) end
  for _, angle in ipairs{ SLANT, 90 } do
    local part = angle == SLANT and SINE or 1 -- of a length or a distance that is across
    t.angle = angle
    t.labels, t.size = squeezed(canvas, labels, size, spec.deep / part)
    local extents = extents_of(canvas, t.labels, t.size, true)
    for i, extent in ipairs(extents) do extents[i] = extent / part end
    if apart(at, extents, .4 * size / part, 1) then return t end
    if angle == 90 then return thin(t, at, extents, .4 * size) end
  end
  return t
end

local function names_beside(canvas, spec, t)
  t.labels, t.size = squeezed(canvas, t.labels, spec.size, spec.deep)
  return thin(t, positions_of(spec, t.values), extents_of(canvas, t.labels, t.size, true),
    GAP_Y * spec.size)
end

-- Ticks at given values that lie between the limits.
local function given(spec, values, labels)
  local lo, hi = min(spec.from, spec.to), max(spec.from, spec.to)
  local t = { values = {}, labels = {}, suffix = "", minor = {} }
  for i, v in ipairs(values) do
    if v >= lo and v <= hi and v > spec.scale.above then
      t.values[#t.values + 1], t.labels[#t.labels + 1] = v, labels and labels[i] or false
    end
  end
  if not labels then
    local numbers = {}
    for i, v in ipairs(t.values) do
      numbers[i] = ("%.12g"):format(v):gsub("^%-", "\u{2212}")
    end
    t.labels = numbers
  end
  return t
end

-- How far a label reaches from its tick to the left and right (of a horizontal axis), or up and
-- down, and away from the axes.
local function reach(canvas, t, label, upright)
  local cap, descent, lines = canvas:metrics(label, t.size)
  local w = canvas:measure(label, t.size).w
  if upright then return (cap + lines) / 2, (cap + lines) / 2, w end
  if t.angle == 0 then return w / 2, w / 2, cap + descent + lines end
  if t.angle == 90 then return cap / 2, cap / 2 + descent + lines, w end
  return (w + cap / 2) * SINE, (cap / 2 + descent + lines) * SINE,
    (cap + w + descent + lines) * SINE
end

--- Ticks for an axis, with the room that their labels need.
-- @param canvas
-- @tparam table spec `upright` (a y axis), `scale`, `from`, `to` (the limits), `length` (pixels),
-- `size` (of the font), `whole` (only whole numbers), `deep` (room for names away from the axis),
-- `names` (of 1 to n), `fixed` ({ values =, labels = })
-- @treturn table values, labels, suffix, minor, angle, size; and `before`, `after` (how far labels
-- reach over the ends of the axis), `out` (their depth)
-- @usage -- local t = require("lrn.plot.axis").plan(canvas, spec)
function M.plan(canvas, spec)
  local values, labels = {}, nil
  if spec.fixed then
    values, labels = spec.fixed.values, spec.fixed.labels
  elseif spec.names then
    labels = spec.names
    for i = 1, #labels do values[i] = i end
  end
  local t
  if not (spec.fixed or spec.names) then
    t = number_ticks(canvas, spec)
  else
    t = given(spec, values, labels)
    t.angle, t.size = 0, spec.size
    t = (spec.upright and names_beside or names_below)(canvas, spec, t)
  end
  t.angle, t.size = t.angle or 0, t.size or spec.size
  t.before, t.after, t.out = 0, 0, 0
  local at = positions_of(spec, t.values)
  for i, label in ipairs(t.labels) do
    local left, right, out = reach(canvas, t, label, spec.upright)
    t.before, t.after = max(t.before, left - at[i]), max(t.after, right + at[i] - spec.length)
    t.out = max(t.out, out)
  end
  return t
end

--- Draws the ticks of a horizontal axis below a box, of an upright one left of it.
-- @param canvas
-- @tparam table t of `plan`
-- @tparam table box
-- @tparam function to value to pixels
-- @bool upright
-- @usage -- require("lrn.plot.axis").draw(canvas, t, box, view.x, false)
function M.draw(canvas, t, box, to, upright)
  local u = canvas.unit
  local stroke = { color = "black", width = SPINE * u, snap = upright and "y" or "x" }
  local function mark(role, v, length)
    local at = to(v)
    if upright then
      canvas:line(role, { box.x - length * u, at, box.x, at }, stroke)
    else
      canvas:line(role, { at, box.y + box.h, at, box.y + box.h + length * u }, stroke)
    end
    return at
  end
  for _, v in ipairs(t.minor) do mark("minor tick", v, MINOR) end
  for i, v in ipairs(t.values) do
    local at = mark("tick", v, TICK)
    if upright then
      canvas:text("ytick", t.labels[i], box.x - (TICK + PAD) * u, at,
        { size = t.size, halign = "right", valign = "middle" })
    else
      local shift = t.angle == SLANT and canvas:metrics("H", t.size) * SINE / 2 or 0
      canvas:text("xtick", t.labels[i], at - shift, box.y + box.h + (TICK + PAD) * u,
        { size = t.size, halign = t.angle == 0 and "center" or "right", angle = t.angle,
          valign = t.angle == 90 and "middle" or "top" })
    end
  end
end

--- Draws grid lines at the ticks of an axis.
-- @usage -- require("lrn.plot.axis").draw_grid(canvas, t, box, view.x, false)
function M.draw_grid(canvas, t, box, to, upright)
  local stroke = { color = GRID_COLOR, width = GRID * canvas.unit, snap = upright and "y" or "x" }
  for _, v in ipairs(t.values) do
    local at = to(v)
    canvas:line("grid", upright and { box.x, at, box.x + box.w, at }
      or { at, box.y, at, box.y + box.h }, stroke)
  end
end

return M
