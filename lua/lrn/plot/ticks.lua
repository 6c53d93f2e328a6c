--- Where the ticks of an axis stand and what they say, after matplotlib's habits: steps 1, 2,
-- 2.5, 5 times a power of ten, at most `n` intervals, only ticks inside the limits.
-- @module lrn.plot.ticks

local check = require "lrn.check"

local floor, ceil, log, max, abs = math.floor, math.ceil, math.log, math.max, math.abs

local M = {}

-- From one decade below the one of range / n to one above: finer steps are for the case that
-- the limits lie between two multiples of the coarser ones.
local STEPS = { .1, .2, .25, .5, 1, 2, 2.5, 5, 10, 20 }
local OPTIONS = { n = { "integer", 9, min = 1 }, integer = { "boolean", false } }
local MIN_TICKS = 2
local CLOSE = 1e-10 -- of a step: a tick that lies outside by rounding alone

local MINUS = "\u{2212}"
local SUPERSCRIPT = { ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴",
                      ["5"] = "⁵", ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹",
                      ["-"] = "⁻" }

local function order(x) -- of magnitude
  local e = floor(log(x, 10))
  return 10.0 ^ (e + 1) <= x and e + 1 or e -- log is not exact at powers of ten
end

-- A power of ten to count from where the limits are far from 0 compared to their distance.
local function origin(lo, hi)
  local middle = lo / 2 + hi / 2
  if abs(middle) < 100 * (hi - lo) then return 0.0 end
  return (middle < 0 and -1 or 1) * 10.0 ^ order(abs(middle))
end

local function multiples(lo, hi, step, from)
  local values = {}
  local first = ceil((lo - from) / step - CLOSE)
  local last = floor((hi - from) / step + CLOSE)
  for k = first, last do
    values[#values + 1] = from + k * step
  end
  return values
end

--- Ticks in the closed interval from `lo` to `hi`.
-- @number lo
-- @number hi greater than lo
-- @tparam[opt] table opts `n`: most intervals (9); `integer`: whole numbers, where there are any
-- (false)
-- @treturn {number} in ascending order
-- @treturn number the step
-- @usage print(table.concat(require("lrn.plot.ticks").locate(0, 1), " "))   --> 0.0 0.2 0.4 ...
function M.locate(lo, hi, opts)
  opts = check.options("ticks", opts, OPTIONS)
  if not (lo < hi and lo - lo == 0 and hi - hi == 0) then
    check.raise("value", "ticks: limits: got %s and %s, expected finite ones, lo < hi", lo, hi)
  end
  local n, integer = opts.n, opts.integer
  if hi - lo == math.huge then -- a range that is no double: a tenth of it is
    local values, step = M.locate(lo / 10, hi / 10, { n = n })
    for i, v in ipairs(values) do values[i] = 10 * v end
    return values, 10 * step
  end
  local raw, from = (hi - lo) / n, origin(lo, hi)
  local scale = 10.0 ^ order(raw)
  local enough = floor(hi) - ceil(lo) >= MIN_TICKS - 1 -- whole numbers
  local steps, values, step = {}, {}, nil
  for _, s in ipairs(STEPS) do
    s = s * scale
    if not integer or s < 1 or abs(s - floor(s + .5)) < 1e-3 then
      steps[#steps + 1] = s
      if s >= raw * (1 - 1e-12) then break end
    end
  end
  for i = #steps, 1, -1 do
    step = steps[i]
    if integer and enough then step = max(1.0, step) end
    values = multiples(lo, hi, step, from)
    if #values >= MIN_TICKS then break end
  end
  if integer and not enough and floor(hi) >= ceil(lo) then -- one epoch: its number alone
    values, step = multiples(lo, hi, 1.0, 0.0), 1.0
  end
  return values, step
end

-- The part that all values share, where writing it once saves at least four digits of each.
local function shared(values)
  local lo, hi = abs(values[1]), abs(values[#values])
  local e, sign = nil, values[1] < 0 and -1 or 1
  if #values < 2 or values[1] <= 0 and values[#values] >= 0 then return 0.0 end
  if lo > hi then lo, hi = hi, lo end
  e = order(hi) + 1
  while lo // 10.0 ^ e == hi // 10.0 ^ e do e = e - 1 end
  e = e + 1
  if (hi - lo) / 10.0 ^ e <= 1e-2 then -- a carry: 0.999 and 1.001
    e = order(hi) + 1
    while hi // 10.0 ^ e - lo // 10.0 ^ e <= 1 do e = e - 1 end
    e = e + 1
  end
  local top = hi // 10.0 ^ e
  return top >= 1000 and sign * top * 10.0 ^ e or 0.0
end

-- Decimal digits with which every value is exact to a thousandth of the step.
local function decimals(values, step)
  for d = 0, 15 do
    local exact, format = true, "%." .. d .. "f"
    for _, v in ipairs(values) do
      if abs(tonumber(format:format(v)) - v) > 1e-3 * step then
        exact = false
        break
      end
    end
    if exact then return d end
  end
  return 15
end

local function minus(text)
  return (text:gsub("^%-", MINUS))
end

-- Mantissas that may carry labels where there are not two decades, from many to few.
local MANTISSAS = { { 1, 2, 5 }, { 1, 3 }, { 1 } }

-- 10^k, rounded once: 10.0 ^ -5 is not 1e-5 everywhere.
local function power_of_ten(k)
  return tonumber("1e" .. k)
end

-- m * 10^k for the mantissas, inside the limits, in ascending order.
local function mantissas_between(lo, hi, mantissas)
  local values = {}
  for k = floor(log(lo, 10)) - 1, ceil(log(hi, 10)) do
    for _, m in ipairs(mantissas) do
      local v = tonumber(m .. "e" .. k)
      if v >= lo * (1 - CLOSE) and v <= hi * (1 + CLOSE) then values[#values + 1] = v end
    end
  end
  return values
end

-- Decades from one label to the next: 1, 2, 3, 5, 10, 20, 30, 50, 100, ...
local function decade_stride(least)
  local scale = 1
  while true do
    for _, s in ipairs{ 1, 2, 3, 5 } do
      if s * scale >= least then return s * scale end
    end
    scale = 10 * scale
  end
end

--- Ticks of a logarithmic axis: decades, as many as there is room for; 1, 2, 5 or evenly spaced
-- values where the limits hold fewer than two decades.
-- @number lo greater than 0
-- @number hi greater than lo
-- @tparam[opt] table opts `n`: most intervals (9)
-- @treturn {number} ticks with labels
-- @treturn {number} minor ones: 2 to 9 in each decade, or the decades that have no label
-- @usage print(table.concat(require("lrn.plot.ticks").locate_log(1, 1000), " ")) --> 1.0 10.0 ...
function M.locate_log(lo, hi, opts)
  opts = check.options("ticks", opts, { n = OPTIONS.n })
  if not (lo > 0 and lo < hi and hi - hi == 0) then
    check.raise("value", "ticks: limits: got %s and %s, expected finite ones, 0 < lo < hi", lo, hi)
  end
  local n, minor = opts.n, nil
  local first, last = ceil(log(lo, 10) - CLOSE), floor(log(hi, 10) + CLOSE)
  local decades, values = last - first + 1, {}
  if decades < 2 then
    for _, mantissas in ipairs(MANTISSAS) do
      values = mantissas_between(lo, hi, mantissas)
      if #values <= n + 1 then break end
    end
    if #values < 2 then return (M.locate(lo, hi, { n = n })), {} end
    minor = mantissas_between(lo, hi, { 2, 3, 4, 5, 6, 7, 8, 9 })
  else
    local stride = decade_stride(decades / (n + 1))
    local from = ceil(first / stride) * stride
    if from + stride > last then from = first end
    for k = from, last, stride do values[#values + 1] = power_of_ten(k) end
    minor = {}
    if stride == 1 then
      minor = mantissas_between(lo, hi, { 2, 3, 4, 5, 6, 7, 8, 9 })
    elseif stride <= 10 then
      for k = first, last do
        if (k - from) % stride ~= 0 then minor[#minor + 1] = power_of_ten(k) end
      end
    end
  end
  return values, minor
end

local function raised(k)
  return "10" .. ("%d"):format(k):gsub(".", SUPERSCRIPT)
end

--- The labels of a logarithmic axis: powers of ten, or plain numbers where 2 and 5 are among them.
-- @tparam {number} values as of `locate_log`
-- @treturn {string}
-- @treturn string what is factored out of them, or ""
-- @usage print(table.concat((require("lrn.plot.ticks").format_log{ 1, 10, 100 }), " "))
function M.format_log(values)
  local labels, powers, single = {}, true, true
  for i, v in ipairs(values) do
    local m, k = ("%.12e"):format(v):match "^([%d.]+)e([-+]%d+)$"
    m, k = tonumber(m), math.tointeger(tonumber(k))
    powers, single = powers and m == 1, single and m == floor(m)
    labels[i] = { m, k, v }
  end
  if not single then return M.format(values) end -- evenly spaced
  local plain = #values > 0 and values[1] >= 1e-4 and values[#values] < 1e6
  for i, label in ipairs(labels) do
    if powers then
      labels[i] = raised(label[2])
    elseif plain then
      labels[i] = ("%.12g"):format(label[3])
    else
      labels[i] = ("%d×%s"):format(label[1], raised(label[2]))
    end
  end
  return labels, ""
end

--- The labels of ticks, with what is factored out of them.
-- Powers of ten are, where the largest label is not within 1e-5..1e6, and a common offset where
-- it saves four digits.
-- @tparam {number} values in ascending order, evenly spaced
-- @treturn {string}
-- @treturn string such as "×10⁻⁶ +1200", or ""
-- @usage print(require("lrn.plot.ticks").format{ 0, 1e6, 2e6 })   --> table ×10⁶
function M.format(values)
  local labels, suffix, scaled = {}, {}, {}
  local offset, largest, power, digits, step, format
  if #values == 0 then return labels, "" end
  offset = shared(values)
  if offset ~= 0 then
    largest = values[#values] - values[1]
  else
    largest = max(abs(values[1]), abs(values[#values]))
  end
  power = largest > 0 and order(largest) or 0
  if power > -5 and power < 6 then power = 0 end
  for i, v in ipairs(values) do
    scaled[i] = (v - offset) / 10.0 ^ power
  end
  step = #values > 1 and abs(scaled[2] - scaled[1]) or max(abs(scaled[1]), 1e-300)
  digits = decimals(scaled, step)
  format = "%." .. digits .. "f"
  for i, v in ipairs(scaled) do
    if abs(v) < 1e-6 * step then v = 0.0 end
    labels[i] = minus(format:format(v))
  end
  if power ~= 0 then
    suffix[1] = "×" .. raised(power)
  end
  if offset ~= 0 then
    suffix[#suffix + 1] = (offset < 0 and MINUS or "+") .. ("%.12g"):format(abs(offset))
  end
  return labels, table.concat(suffix, " ")
end

return M
