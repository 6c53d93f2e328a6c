--- What a model says of visible units that are missing or seen through noise, given those that are known:
-- imputation, in-painting and denoising, by chains that hold to what is known. Adds its methods to those of
-- rbm.lua; docs/conditional.md explains them.
local core = require "lrn.core"
local batches = require "lrn.batches"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"
local rbm = require "lrn.rbm"

local methods = {}

local MOST_STEPS = (1 << 30) - 1 -- sweeps of a chain
local CHAINS = 4096 -- that run at once

local chain_rules = {
  steps = { "integer", 100, min = 1, max = MOST_STEPS // 2 },
  burn = { "integer", 50, min = 0, max = MOST_STEPS // 2 },
  chains = { "integer", 10, min = 1, max = CHAINS },
}

local function rules(more)
  for name, rule in pairs(chain_rules) do more[name] = rule end
  return more
end
local impute_rules = rules { mask = { "tensor" } }
local denoise_rules = rules { flip = { "number" }, noise = { "number" } }

-- Rows of data as the model's numbers; uint8 means value / 255.
local function numbers(self, where, name, data)
  local t, n = batches.rows(where, name, data, self.n_visible, "n_visible")
  if n == 0 then check.raise("size", "%s: %s: got 0 rows, expected at least 1", where, name) end
  local x = t:to { dtype = self.dtype, device = self.device }:reshape(n, self.n_visible)
  return t.dtype == "uint8" and x / 255 or x, n
end

-- Raises for the first row with a value that is not finite among these.
local function check_finite(where, name, x, known)
  local bad = (x:isfinite():logical_not() & known):nonzero()
  if bad.numel > 0 then
    check.raise("value", "%s: %s: row %d, value %d is infinite", where, name, bad:get(1, 1), bad:get(1, 2))
  end
end

-- Means, deviations and a draw of n rows, each from several chains; known(first, last, chains) gives what
-- is known of the rows of these chains, a row for each.
local function posterior(self, n, o, known)
  local V, parts = self.n_visible, { {}, {}, {} }
  local at_once = math.max(1, CHAINS // o.chains)
  for first = 1, n, at_once do
    local count = math.min(at_once, n - first + 1)
    local rows = core.arange(first, first + count - 1, { device = self.device }):view(count, 1)
      :expand(count, o.chains):reshape(count * o.chains)
    local what = known(rows)
    what.burn = o.burn
    local mean, std, state = rbm.infer(self, count * o.chains):posterior(count * o.chains, o.steps, what)
    mean, std = mean:view(count, o.chains, V), std:view(count, o.chains, V)
    local average = mean:mean(2)
    local off = mean - average:view(count, 1, V)
    local i = #parts[1] + 1
    parts[1][i] = average
    parts[2][i] = state:view(count, o.chains, V):select(2, 1)
    parts[3][i] = ((std * std):mean(2) + (off * off):mean(2)):sqrt()
  end
  for i, list in ipairs(parts) do parts[i] = #list == 1 and list[1]:contiguous() or core.cat(list, 1) end
  return table.unpack(parts, 1, 3)
end

-- A result of n rows in the shape of the data that it stands for.
local function shaped(data, ...)
  local t = dataset.is(data) and data:tensor() or data
  local out = { ... }
  for i, x in ipairs(out) do out[i] = x:reshape(t.shape) end
  if dataset.is(data) then
    out[1] = dataset.new(out[1], data.targets, { classes = data.classes, name = data.name })
  end
  return table.unpack(out)
end

-- Which values of rows x are known: bool, as many rows.
local function known_of(self, x, n, mask)
  local known = x:isnan():logical_not()
  if not mask then return known end
  local m = mask.numel == self.n_visible and mask:reshape(1, mask.numel) or
    (batches.rows("impute", "mask", mask, self.n_visible, "n_visible"))
  if m:size(1) ~= 1 and m:size(1) ~= n then
    check.raise("size", "impute: mask: got %s, expected %d values, or %d rows of them", check.shape(mask),
      self.n_visible, n)
  end
  m = m:to { dtype = self.dtype, device = self.device }:reshape(m:size(1), self.n_visible)
  if not (m:eq(0) | m:eq(1)):all() then
    check.raise("value", "impute: mask: got values from %g to %g, expected 0 and 1", m:min(), m:max())
  end
  return known & m:ne(0):expand(n, self.n_visible)
end

--- Fills in what is missing: the mean of each missing unit given all that the row has, under the whole
-- model, from chains that keep what is known. Rows without a gap stay as they are.
-- @param data data set or tensor, with NaN for what is missing
-- @param opts steps (100): sweeps over which means are taken; burn (50): sweeps before them; chains (10) of
-- each row; mask: 0 where a value counts as missing besides, n_visible values or rows of them
-- @return data in which the gaps have their means, of the model's dtype; with one draw of them; and the
-- standard deviation of what stands in them, 0 elsewhere
-- @usage local m = lrn.RBM{ n_visible = 4, n_hidden = 3 };
-- local v, draw, std = m:impute(lrn.tensor{ { 1, 0, 0/0, 1 } }); assert(v[1][1] == 1)
function methods:impute(data, opts)
  local o = check.options("impute", opts, impute_rules)
  local x, n = numbers(self, "impute", "data", data)
  local known = known_of(self, x, n, o.mask)
  check_finite("impute", "data", x, known)
  local gaps = known:all(2):logical_not():nonzero():view(-1)
  if gaps.numel == 0 then return shaped(data, x:clone(), x:clone(), core.zeros_like(x)) end
  local given, held = x:index_select(1, gaps), known:index_select(1, gaps)
  local mean, draw, std = posterior(self, gaps.numel, o, function(rows)
    return { mask = held:index_select(1, rows), values = given:index_select(1, rows) }
  end)
  mean, draw = core.where(held, given, mean), core.where(held, given, draw)
  std = core.where(held, core.zeros_like(std), std)
  if gaps.numel == n then return shaped(data, mean, draw, std) end
  return shaped(data, x:clone():index_copy_(1, gaps, mean), x:clone():index_copy_(1, gaps, draw),
    core.zeros_like(x):index_copy_(1, gaps, std))
end

--- Takes away noise of a known kind: posterior means of the visible units given rows that were seen through
-- it.
-- @param y data set or tensor; NaN: not seen
-- @param opts flip: of units of two states the probability that one shows the other, of softmax units that a
-- group shows one drawn anew; noise: of Gaussian units the standard deviation of what was added, in units of
-- the data. One of them. steps (100), burn (50), chains (10): as of impute
-- @return the means, of the model's dtype, in the shape of y; one draw; standard deviations
-- @usage local m = lrn.RBM{ n_visible = 4, n_hidden = 3 };
-- local v = m:denoise(lrn.tensor{ { 1, 0, 0, 1 } }, { flip = 0.1 }); assert(v:size(2) == 4)
function methods:denoise(y, opts)
  local o = check.options("denoise", opts, denoise_rules)
  local real = not core.unit_can_flip(self._core:get "visible")
  local wanted, other = real and "noise" or "flip", real and "flip" or "noise"
  if o[other] then
    check.raise("argument", "denoise: %s: got %s, expected nothing: %s visible units take %s", other,
      check.show(o[other]), self._core:get "visible", wanted)
  end
  check.value("denoise", wanted, o[wanted], { "number", required = true })
  local x, n = numbers(self, "denoise", "y", y)
  check_finite("denoise", "y", x, x:isnan():logical_not())
  return shaped(y, posterior(self, n, o, function(rows)
    return { noisy = x:index_select(1, rows), [wanted] = o[wanted] }
  end))
end

check.class("model", methods, rbm.is)
for name, f in pairs(methods) do rbm.methods[name] = f end
return methods
