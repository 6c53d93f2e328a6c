-- What the analytic specs measure the engine against, in plain Lua doubles: states of units,
-- energies, sums and integrals over states, and bounds of statistics.
--
-- A kind of unit is known here by its name only as the engine's argument. Its states are read off
-- its samples: the two values that come, or the reals from 0 on, or all reals; sums and integrals follow
-- from them. Units of which a single one of many is 1 come in groups.
local lrn = require "lrn"
local core = require "lrn.core"

local M = {}

M.dtypes = { "float32", "float64" }

--- Devices on which a model can be made.
function M.devices()
  local out = {}
  for _, device in ipairs(core.devices()) do
    if pcall(core.rbm_new, { n_visible = 2, n_hidden = 2, seed = 1, device = device }) then
      out[#out + 1] = device
    end
  end
  return out
end

--- f(device, dtype) for every pair.
function M.everywhere(f)
  for _, device in ipairs(M.devices()) do
    for _, dtype in ipairs(M.dtypes) do f(device, dtype) end
  end
end

-- {=== Numbers ===

--- A generator of our own (Lehmer, 2^31 - 1): u() in (0, 1).
function M.uniform(seed)
  local x = seed * 7919 % 2147483647
  return function()
    x = x * 48271 % 2147483647
    return x / 2147483647
  end
end

--- n values k/32 in [-width, width]: exact in float32.
function M.dyadic(u, n, width)
  local out = {}
  for i = 1, n do out[i] = math.floor((2 * u() - 1) * width * 32 + 0.5) / 32 end
  return out
end

function M.logsumexp(list)
  local high, sum = -math.huge, 0
  for _, x in ipairs(list) do high = math.max(high, x) end
  for _, x in ipairs(list) do sum = sum + math.exp(x - high) end
  return high + math.log(sum)
end

--- The value that a chi-square of k degrees exceeds as rarely as a normal exceeds 6 sigma: 1e-9
-- (Wilson and Hilferty 1931).
function M.chi_square_bound(k)
  local c = 2 / (9 * k)
  return k * (1 - c + 6 * math.sqrt(c)) ^ 3
end

--- sum (n - N p)^2 / (N p)
function M.chi_square(counts, p)
  local n, chi = 0, 0
  for _, c in ipairs(counts) do n = n + c end
  for i, c in ipairs(counts) do chi = chi + (c - n * p[i]) ^ 2 / (n * p[i]) end
  return chi
end

function M.near(got, want, tolerance, what)
  local off = math.abs(got - want)
  if off > tolerance or off ~= off then
    error(("%s: got %.17g, expected %.17g within %.3g"):format(what or "value", got, want,
      tolerance), 2)
  end
end

-- ===}

-- {=== Units ===

local known = {}

-- Simpson's rule with `n` (even) steps on [from, to]: points and weights.
local function simpson(from, to, n)
  local s, w, h = {}, {}, (to - from) / n
  for i = 0, n do
    s[i + 1] = from + i * h
    w[i + 1] = h / 3 * ((i == 0 or i == n) and 1 or i % 2 == 1 and 4 or 2)
  end
  return s, w
end

--- kind.discrete, kind.s and kind.w (states of a unit and their weights), kind.self (at these states);
-- kind.grouped: the states are those of groups, and functions of one unit below are not for it.
-- The grid serves inputs in [-8, 8] at temperatures from 0.5 to 2.
function M.kind(unit)
  if known[unit] then return known[unit] end
  local x = lrn.full({ 500 }, -1, { dtype = "float64" })
  local k = { self = {} }
  local values, seen, least = {}, {}, 0
  for _, value in ipairs(core.unit_sample(unit, x, 1, 3):tolist()) do
    if not seen[value] then values[#values + 1] = value end
    seen[value] = true
    least = math.min(least, value)
  end
  k.discrete = #values == 2
  k.grouped = k.discrete and core.unit_sample(unit, x, 1, 3):sum() == 1
  if k.discrete then
    table.sort(values)
    k.s, k.w = values, { 1, 1 }
  else
    k.s, k.w = simpson(least < 0 and -24 or 0, 24, least < 0 and 2400 or 4800)
  end
  k.self = core.unit_map(unit, "self", lrn.tensor(k.s, { dtype = "float64" })):tolist()
  known[unit] = k
  return k
end

--- Units of a group in a layer of n units: the smallest number of them, or 1 where there are no groups.
function M.categories(unit, n)
  if not M.kind(unit).grouped then return 1 end
  for k = 2, n do
    if n % k == 0 then return k end
  end
end

--- The rows whose states have the density of their cumulant, or all where `all`; of them those in
-- groups, or those that are not, where `grouped` says so: list of names.
function M.units(grouped, all)
  local out = {}
  for _, unit in ipairs(core.units()) do
    if (all or core.unit_has_density(unit)) and
      (grouped == nil or M.kind(unit).grouped == grouped) then out[#out + 1] = unit end
  end
  return out
end

--- A state of a layer near these numbers: list of so many.
function M.state_near(unit, numbers)
  local k, out, K = M.kind(unit), {}, M.categories(unit, #numbers)
  for i, x in ipairs(numbers) do
    if k.grouped then
      local first, best = (i - 1) // K * K + 1, i
      for j = first, first + K - 1 do
        if numbers[j] > numbers[best] or numbers[j] == numbers[best] and j < best then best = j end
      end
      out[i] = best == i and 1 or 0
    else
      out[i] = k.discrete and k.s[x > 0 and 2 or 1] or k.s[1] == 0 and math.abs(x) or x
    end
  end
  return out
end

--- T log integral exp((x s - self(s)) / T) ds, and optionally the moments under that density.
function M.cumulant(unit, x, T)
  local k, high, sum = M.kind(unit), -math.huge, 0
  for i, s in ipairs(k.s) do high = math.max(high, x * s - k.self[i]) end
  for i, s in ipairs(k.s) do
    sum = sum + k.w[i] * math.exp((x * s - k.self[i] - high) / T)
  end
  return high + T * math.log(sum)
end

--- The density (times weight) at the states of kind.s.
function M.density(unit, x, T)
  local k, A, p = M.kind(unit), M.cumulant(unit, x, T), {}
  for i, s in ipairs(k.s) do p[i] = k.w[i] * math.exp((x * s - k.self[i] - A) / T) end
  return p
end

--- Mean, variance and fourth central moment.
function M.moments(unit, x, T)
  local k, p, mean, var, fourth = M.kind(unit), M.density(unit, x, T), 0, 0, 0
  for i, s in ipairs(k.s) do mean = mean + p[i] * s end
  for i, s in ipairs(k.s) do
    var = var + p[i] * (s - mean) ^ 2
    fourth = fourth + p[i] * (s - mean) ^ 4
  end
  return mean, var, fourth
end

-- ===}

-- {=== Layers ===

--- The cumulant of a layer with these inputs.
function M.layer_cumulant(unit, inputs, T)
  local A, K = 0, M.categories(unit, #inputs)
  for i = 1, #inputs, K do
    local x = {}
    for k = 1, K do x[k] = inputs[i + k - 1] / T end
    A = A + (K > 1 and T * M.logsumexp(x) or M.cumulant(unit, inputs[i], T))
  end
  return A
end

--- Means of a layer's units and their covariances, a matrix.
function M.layer_moments(unit, inputs, T)
  local mean, covariance, K = {}, {}, M.categories(unit, #inputs)
  for i in ipairs(inputs) do covariance[i] = {} end
  for i = 1, #inputs do
    for j = 1, #inputs do covariance[i][j] = 0 end
    if K == 1 then
      mean[i], covariance[i][i] = M.moments(unit, inputs[i], T)
    else
      local x, first = {}, (i - 1) // K * K + 1
      for k = 1, K do x[k] = inputs[first + k - 1] / T end
      mean[i] = math.exp(inputs[i] / T - M.logsumexp(x))
      for j = first, i do
        local c = (i == j and mean[i] or 0) - mean[i] * mean[j]
        covariance[i][j], covariance[j][i] = c, c
      end
    end
  end
  return mean, covariance
end

-- ===}

-- {=== Models ===

-- How states of n units of that kind are numbered: by digits below `base`, one a unit or group of K, the
-- first one lowest.
local function numbering(n, unit)
  local K = unit and M.categories(unit, n) or 1
  return n // K, K > 1 and K or 2, K
end

--- All states of n units of that kind, which is discrete ({0, 1}), in the order of their numbers.
function M.states(n, unit)
  local out, two = {}, unit and M.kind(unit).s or { 0, 1 }
  local digits, base, K = numbering(n, unit)
  for code = 0, base ^ digits - 1 do
    local s, rest = {}, code // 1 | 0
    for i = 1, digits do
      local digit = rest % base
      rest = rest // base
      if K == 1 then s[i] = two[1 + digit] end
      for k = 1, K > 1 and K or 0 do s[(i - 1) * K + k] = k == digit + 1 and 1 or 0 end
    end
    out[code + 1] = s
  end
  return out
end

--- Parameters {W =, a =, b =} as tables, multiples of 1/32.
function M.parameters(V, H, seed, width, bias_width)
  local u = M.uniform(seed)
  local p = { W = {} }
  for i = 1, V do p.W[i] = M.dyadic(u, H, width or 1.5) end
  p.a = M.dyadic(u, V, bias_width or width or 1.5)
  p.b = M.dyadic(u, H, bias_width or width or 1.5)
  return p
end

function M.divided(p, T)
  local out = { W = {}, a = {}, b = {} }
  for i, row in ipairs(p.W) do
    out.W[i] = {}
    for j, w in ipairs(row) do out.W[i][j] = w / T end
  end
  for i, a in ipairs(p.a) do out.a[i] = a / T end
  for j, b in ipairs(p.b) do out.b[j] = b / T end
  return out
end

--- Central differences of objective() by every element of the tensors p (float64), which are put back:
-- a table from name to list.
function M.derivative(p, objective)
  local out, h = {}, 1e-5
  for name, t in pairs(p) do
    local flat, g = t:view(-1), {}
    for i = 1, t.numel do
      local value = flat[i]
      flat:set(i, value + h)
      local above = objective()
      flat:set(i, value - h)
      g[i] = (above - objective()) / (2 * h)
      flat:set(i, value)
    end
    out[name] = g
  end
  return out
end

--- A model of the engine with these parameters.
function M.model(p, options)
  local o = { n_visible = #p.a, n_hidden = #p.b, seed = 5, visible_bias = "zero" }
  for key, value in pairs(options or {}) do o[key] = value end
  o.visible_categories = o.visible_categories or M.categories(o.visible or "bernoulli", #p.a)
  o.hidden_categories = o.hidden_categories or M.categories(o.hidden or "bernoulli", #p.b)
  local c = core.rbm_new(o)
  for name, t in pairs(c:parameters()) do
    t:copy_(lrn.tensor(p[name], { dtype = "float64" }))
  end
  return c
end

function M.hidden_inputs(p, v)
  local x = {}
  for j = 1, #p.b do
    x[j] = p.b[j]
    for i = 1, #p.a do x[j] = x[j] + v[i] * p.W[i][j] end
  end
  return x
end

function M.visible_inputs(p, h)
  local u = {}
  for i = 1, #p.a do
    u[i] = p.a[i]
    for j = 1, #p.b do u[i] = u[i] + h[j] * p.W[i][j] end
  end
  return u
end

--- -a.v - b.h - v W h
function M.energy(p, v, h)
  local e = 0
  for i = 1, #p.a do
    e = e - p.a[i] * v[i]
    for j = 1, #p.b do e = e - v[i] * p.W[i][j] * h[j] end
  end
  for j = 1, #p.b do e = e - p.b[j] * h[j] end
  return e
end

--- Probabilities of the states of the layer of discrete units (`side` "visible" or
-- "hidden"), of kind `unit`; units of the other layer, of kind `other`, integrated out.
function M.marginal(p, side, unit, other, T)
  local states = M.states(side == "visible" and #p.a or #p.b, unit)
  local own = side == "visible" and p.a or p.b
  local inputs = side == "visible" and M.hidden_inputs or M.visible_inputs
  local logs = {}
  for n, s in ipairs(states) do
    logs[n] = 0
    for i, value in ipairs(s) do logs[n] = logs[n] + own[i] * value / T end
    logs[n] = logs[n] + M.layer_cumulant(other, inputs(p, s), T) / T
  end
  local log_z = M.logsumexp(logs)
  for n = 1, #logs do logs[n] = math.exp(logs[n] - log_z) end
  return logs, states, log_z
end

--- N independent draws from p: counts.
function M.draw_counts(p, N, u)
  local counts, upto, sum = {}, {}, 0
  for i = 1, #p do
    sum = sum + p[i]
    upto[i], counts[i] = sum, 0
  end
  for _ = 1, N do
    local x, low, high = u() * sum, 1, #p
    while low < high do
      local middle = (low + high) // 2
      if x < upto[middle] then high = middle else low = middle + 1 end
    end
    counts[low] = counts[low] + 1
  end
  return counts
end

--- Rows of `states` in these numbers, as a tensor, and in shuffled order where `order` is given.
function M.rows_of(states, counts, options)
  local parts = {}
  for i, n in ipairs(counts) do
    if n > 0 then parts[#parts + 1] = lrn.full({ n }, i, { dtype = "int64" }) end
  end
  return lrn.tensor(states, options):index_select(1, lrn.cat(parts, 1))
end

-- Numbers of rows of states (see M.states) as a column, and how many there are.
local function numbers(t, unit)
  local n = t:size(2)
  local digits, base, K = numbering(n, unit)
  local two, weights = unit and M.kind(unit).s or { 0, 1 }, {}
  for i = 1, digits do
    for k = 1, K do
      weights[(i - 1) * K + k] = { (K > 1 and k - 1 or 1) * base ^ (i - 1) }
    end
  end
  t = (t:to { device = "cpu", dtype = "float64" } - two[1]) / (two[2] - two[1])
  return t:mm(lrn.tensor(weights, { dtype = "float64" })), base ^ digits
end

local function count(codes, n)
  local counts = {}
  for i = 1, n do counts[i] = codes:eq(i - 1):sum() end
  return counts
end

--- How often each state occurs among rows of states of that kind ({0, 1}), in the order of M.states.
function M.count_states(t, unit)
  return count(numbers(t, unit))
end

--- The same of pairs of states, in the order (1, 1), (2, 1), ...
function M.count_pairs(t, unit, t2, unit2)
  local codes, n = numbers(t, unit)
  local codes2, n2 = numbers(t2, unit2)
  return count(codes + codes2 * n, n * n2)
end

-- ===}

return M
