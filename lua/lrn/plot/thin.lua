--- Fewer points where more cannot be seen: long series stay fast to draw and small as files, and
-- look the same. Points are pixels in one list {x, y, x, y, ...}.
-- @module lrn.plot.thin

local floor, max, min = math.floor, math.max, math.min

local M = {}

local FAR = 16000 -- pixels: cairo's coordinates end at 2^23, and a page is never that large
local MANY = 20000 -- marks below this number are all kept

--- Adds a point to a list.
-- @usage local list = {}; require("lrn.plot.thin").push(list, 1, 2)
function M.push(list, x, y)
  local n = #list
  list[n + 1] = x
  list[n + 2] = y
end

local push = M.push

local COLUMNS = 4 -- a pixel: the fringes of a line are finer than its pixels

--- Of a function's points, in each quarter of a pixel column the first, least, greatest and last;
-- another path, or a short one, as it is.
-- @tparam {number} points
-- @number width pixels
-- @usage print(#require("lrn.plot.thin").path({ 1, 2, 3, 4 }, 100))   --> 4
function M.path(points, width)
  local out, i, n = {}, 1, #points
  if n <= 8 * COLUMNS * width then return points end
  for k = 3, n, 2 do
    if points[k] < points[k - 2] then return points end -- not a function of x
  end
  while i < n do
    local column, lo, hi, last = floor(COLUMNS * points[i]), i, i, i
    while last + 2 < n and floor(COLUMNS * points[last + 2]) == column do
      last = last + 2
      if points[last + 1] < points[lo + 1] then lo = last end
      if points[last + 1] > points[hi + 1] then hi = last end
    end
    local a, b = min(lo, hi), max(lo, hi)
    for _, k in ipairs{ i, a, b, last } do
      push(out, points[k], points[k + 1])
    end
    i = last + 2
  end
  return out
end

--- Of many marks, the last one in each square of a third of a pixel: those that opaque ones would
-- cover. Lists of colours and sizes go along. Marks that one sees through are all kept.
-- @tparam {number} points
-- @number alpha
-- @tparam[opt] {string} colors
-- @tparam[opt] {number} sizes
-- @usage print(#require("lrn.plot.thin").points({ 1, 2, 1, 2 }, 1))   --> 4
function M.points(points, alpha, colors, sizes)
  if #points <= 2 * MANY or alpha < 1 then return points, colors, sizes end
  local seen, keep = {}, {}
  for i = #points - 1, 1, -2 do
    local cell = floor(3 * points[i]) * 1000003 + floor(3 * points[i + 1])
    if not seen[cell] then
      seen[cell] = true
      keep[#keep + 1] = i
    end
  end
  local out, tints, spans = {}, colors and {}, sizes and {}
  for k = #keep, 1, -1 do
    local i = keep[k]
    push(out, points[i], points[i + 1])
    if tints then tints[#out // 2] = colors[(i + 1) // 2] end
    if spans then spans[#out // 2] = sizes[(i + 1) // 2] end
  end
  return out, tints, spans
end

local function is_near(v) return v >= -FAR and v <= FAR end

-- The part of a segment in the square of +-FAR (Liang and Barsky 1984); nil where there is none.
local function clip(x1, y1, x2, y2)
  local from, to = 0, 1
  for _, side in ipairs{ { x1, x2 - x1 }, { y1, y2 - y1 } } do
    local at, step = side[1], side[2]
    if step == 0 then
      if not is_near(at) then return nil end
    else
      local a, b = (-FAR - at) / step, (FAR - at) / step
      from, to = max(from, min(a, b)), min(to, max(a, b))
    end
  end
  if from > to then return nil end
  return x1 + from * (x2 - x1), y1 + from * (y2 - y1), x1 + to * (x2 - x1), y1 + to * (y2 - y1)
end

--- A path as the paths that are left of it within 16000 pixels of the page.
-- @tparam {number} points
-- @treturn {{number}}
-- @usage print(#require("lrn.plot.thin").near({ 0, 0, 1, 1e9, 2, 0 }))   --> 2
function M.near(points)
  local all = true
  for i = 1, #points do
    if not is_near(points[i]) then
      all = false
      break
    end
  end
  if all then return { points } end
  local list, run = {}, nil
  for i = 1, #points - 3, 2 do
    local x1, y1, x2, y2 = clip(points[i], points[i + 1], points[i + 2], points[i + 3])
    if x1 then
      if not (run and run[#run - 1] == x1 and run[#run] == y1) then
        run = { x1, y1 }
        list[#list + 1] = run
      end
      push(run, x2, y2)
    else
      run = nil
    end
  end
  return list
end

return M
