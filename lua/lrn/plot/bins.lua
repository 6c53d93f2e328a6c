--- Histograms: where the bins lie, after numpy's rules, and how many values fall into each.
-- @module lrn.plot.bins

local array = require "lrn.plot.array"
local check = require "lrn.check"

local floor, ceil, max, min, log, huge = math.floor, math.ceil, math.max, math.min, math.log,
  math.huge

local MOST = 1000 -- bins that a rule may choose: more are not seen

local M = {}

-- Quantile of sorted numbers, linear between neighbours.
local function quantile(sorted, q)
  local at = 1 + q * (#sorted - 1)
  local i = floor(at)
  local low, high = sorted[i], sorted[min(i + 1, #sorted)]
  return low + (at - i) * (high - low)
end

local function sturges(n, range)
  return range / (log(n, 2) + 1)
end

-- Freedman and Diaconis (1981): twice the interquartile range over the cube root of n.
local function freedman_diaconis(n, _, sorted)
  return 2 * (quantile(sorted, .75) - quantile(sorted, .25)) / n ^ (1 / 3)
end

-- Name to a function that gives the width of a bin; 0 where the data do not say.
local RULES = {
  sturges = sturges,
  fd = freedman_diaconis,
  auto = function(n, range, sorted)
    local wide, fine = sturges(n, range), freedman_diaconis(n, range, sorted)
    return fine > 0 and min(wide, fine) or wide
  end,
}

--- Names of the rules.
M.rules = check.names(RULES)

local function even(lo, hi, n)
  local edges, range = {}, hi - lo
  for k = 0, n do
    edges[k + 1] = range < huge and lo + k * range / n or lo * (1 - k / n) + hi * (k / n)
  end
  edges[1], edges[n + 1] = lo, hi
  return edges
end

local function check_edges(where, edges)
  for i = 1, #edges do
    local v = edges[i]
    if type(v) ~= "number" or v - v ~= 0 or i > 1 and v <= edges[i - 1] then
      check.raise("value", "%s: bins: edge %d: got %s, expected finite numbers in ascending order",
        where, i, check.show(v))
    end
  end
  if #edges < 2 then
    check.raise("value", "%s: bins: got %d edge, expected two or more", where, #edges)
  end
  return edges
end

--- Edges of bins for all of the lists.
-- @string where the function to blame
-- @tparam {{number}} lists
-- @tparam int|string|table bins number of bins, rule ("auto", "fd", "sturges"), or the edges
-- @tparam[opt] {number} range least and greatest value; those of the data
-- @treturn {number} one more than there are bins, in ascending order
-- @usage print(#require("lrn.plot.bins").edges("hist", { { 1, 2, 3 } }, 2))   --> 3
function M.edges(where, lists, bins, range)
  if check.is_tensor(bins) or type(bins) == "table" then
    return check_edges(where, array.from(bins, where, 1).data)
  end
  local n = math.tointeger(bins)
  if not (n and n >= 1 and n <= 1e6 or RULES[bins]) then
    check.raise("value", "%s: bins: got %s, expected a number >= 1, edges, or one of %s", where,
      check.show(bins), table.concat(M.rules, ", "))
  end
  local lo, hi, sorted = range and range[1] or huge, range and range[2] or -huge, {}
  if range and not (type(lo) == "number" and type(hi) == "number" and lo <= hi and lo - lo == 0
    and hi - hi == 0) then
    check.raise("value", "%s: range: got %s and %s, expected two finite numbers in order", where,
      check.show(lo), check.show(hi))
  end
  for _, list in ipairs(lists) do
    local a, b = array.range(list)
    if not range and a then lo, hi = min(lo, a), max(hi, b) end
  end
  lo, hi = lo + 0.0, hi + 0.0 -- integers would wrap around
  if lo > hi then lo, hi = 0.0, 1.0 end
  if lo == hi then lo, hi = lo - max(.5, 1e-3 * math.abs(lo)), hi + max(.5, 1e-3 * math.abs(hi)) end
  if n then return even(lo, hi, n) end
  local whole = true
  for _, list in ipairs(lists) do
    for i = 1, #list do
      local v = list[i]
      if v >= lo and v <= hi then
        sorted[#sorted + 1] = v
        whole = whole and v == floor(v)
      end
    end
  end
  if #sorted == 0 then return even(lo, hi, 1) end
  table.sort(sorted)
  local width = RULES[bins](#sorted, hi - lo, sorted)
  if whole then width = max(1, width) end
  n = width > 0 and (hi - lo) / width or 1
  return even(lo, hi, max(1, min(MOST, n == n and ceil(min(n, MOST)) or 1)))
end

--- How many of the numbers fall into each bin: edges[i] <= v < edges[i + 1], the last one closed.
-- @tparam {number} data
-- @tparam {number} edges
-- @treturn {int}
-- @treturn int how many numbers are outside or not finite
-- @usage print((require("lrn.plot.bins").count({ 1, 1, 2 }, { 0, 1, 2 })[2]))   --> 3
function M.count(data, edges)
  local n, counts, outside = #edges - 1, {}, 0
  local lo, hi = edges[1], edges[#edges]
  for i = 1, n do counts[i] = 0 end
  for i = 1, #data do
    local v = data[i]
    if v >= lo and v <= hi then
      local a, b = 1, n -- bisection: right for edges of any spacing, and to the last bit
      while a < b do
        local middle = (a + b + 1) // 2
        if v >= edges[middle] then a = middle else b = middle - 1 end
      end
      counts[a] = counts[a] + 1
    else
      outside = outside + 1
    end
  end
  return counts, outside
end

return M
