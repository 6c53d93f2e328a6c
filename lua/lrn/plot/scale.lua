--- What "linear" and "log" are for an axis: which values it shows, where they lie between the
-- limits, the limits that data get, and the ticks.
-- @module lrn.plot.scale

local array = require "lrn.plot.array"
local ticks = require "lrn.plot.ticks"

local max, min, abs, log, huge = math.max, math.min, math.abs, math.log, math.huge

local M = {}

local LARGEST = 1.7e308
local CONSTANT = 1e-13 -- a range below this part of the values is none: rounding
local TINY = 1e-305 -- and one below this has no digits left for ticks

local linear = { name = "linear", above = -huge }

--- Where a value lies: 0 at `from`, 1 at `to`. Any pair of finite limits will do.
function linear.position(from, to)
  local range = to - from
  if abs(range) < huge then
    return function(v) return (v - from) / range end
  end
  range = to / 2 - from / 2
  return function(v) return (v / 2 - from / 2) / range end
end

--- Whether two limits are one number but for rounding.
function linear.flat(lo, hi)
  local range = abs(hi - lo)
  return range <= CONSTANT * max(abs(lo), abs(hi)) or range < TINY
end

--- The limits of data: `low` and `high` are the parts of the range that are added below and above.
function linear.widen(lo, hi, low, high)
  if lo > hi then return 0, 1 end
  local range = min(hi - lo, LARGEST)
  if linear.flat(lo, hi) then
    local d = max(.5, 1e-3 * abs(lo))
    return lo - d, hi + d
  end
  return max(-LARGEST, lo - low * range), min(LARGEST, hi + high * range)
end

function linear.ticks(lo, hi, n, whole)
  local values = ticks.locate(lo, hi, { n = n, integer = whole })
  local labels, suffix = ticks.format(values)
  return { values = values, labels = labels, suffix = suffix, minor = {} }
end

local logarithmic = { name = "log", above = 0 }

function logarithmic.position(from, to)
  local a = log(from, 10)
  local range = log(to, 10) - a
  return function(v) return v > 0 and (log(v, 10) - a) / range or range > 0 and -huge or huge end
end

function logarithmic.widen(lo, hi, low, high)
  if lo > hi then return 1, 10 end
  local a, b = log(lo, 10), log(hi, 10)
  if b - a <= 1e-6 then
    a, b = a - .5, b + .5
  else
    a, b = a - low * (b - a), b + high * (b - a)
  end
  return 10.0 ^ max(-307, a), 10.0 ^ min(308.2, b)
end

function logarithmic.ticks(lo, hi, n)
  local values, minor = ticks.locate_log(lo, hi, { n = n })
  local labels, suffix = ticks.format_log(values)
  return { values = values, labels = labels, suffix = suffix, minor = minor }
end

--- Name to scale.
M.linear, M.log = linear, logarithmic

--- Names of the scales.
M.names = { "linear", "log" }

--- Least and greatest of the numbers that a scale shows, over lists of them.
-- @tparam table scale
-- @tparam {{number}} lists
-- @treturn number least; huge where there are none
-- @treturn number greatest; -huge
-- @usage local s = require "lrn.plot.scale"; print(s.range(s.log, { { -1, 2, 3 } }))   --> 2 3
function M.range(scale, lists)
  local lo, hi = huge, -huge
  for _, list in ipairs(lists) do
    local a, b = array.range(list, scale.above)
    if a then lo, hi = min(lo, a), max(hi, b) end
  end
  return lo + 0.0, hi + 0.0 -- integers would wrap around
end

return M
