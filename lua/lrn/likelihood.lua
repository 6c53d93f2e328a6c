--- How probable a model finds data: log Z and likelihoods, exact where a layer can be listed, else a
-- bracket by annealed importance sampling; and the moments of the model. Adds its methods to those of
-- rbm.lua.
local core = require "lrn.core"
local batches = require "lrn.batches"
local check = require "lrn.check"
local log = require "lrn.log"
local rbm = require "lrn.rbm"

local methods = {}

-- Ladders that are tried one after the other while the bracket is wider than WIDE nats, where the caller
-- names none. A bracket that stays wider, or fewer chains that count than this share, gets a warning.
local LADDERS = { 1000, 4000, 16000 }
local WIDE = 1
local FEW = 0.1

local rules = {
  method = { "string", choices = { "exact", "ais" } },
  chains = { "integer", 100, min = 2 },
  temperatures = { "integer|string", min = 1 },
  base = { "any" },
  burn = { "integer", 1000, min = 1, max = (1 << 30) - 1 },
}

-- {=== Annealing ===

-- Betas from 0 to 1, so many after the first; "classical": the 14,500 of Salakhutdinov and Murray 2008.
local function ladder(temperatures)
  local f64 = { dtype = "float64" }
  if temperatures ~= "classical" then return core.linspace(0, 1, temperatures + 1, f64) end
  return core.cat({ core.linspace(0, .5, 501, f64):narrow(1, 1, 500),
    core.linspace(.5, .9, 4001, f64):narrow(1, 1, 4000), core.linspace(.9, 1, 10001, f64) }, 1)
end

-- n rows, spread evenly over those of t, which come more than once where there are fewer.
local function spread(t, n)
  local count = t:size(1)
  local index = core.arange(0, n - 1, { dtype = "int64", device = t.device }) * count
  return t:index_select(1, index:floordiv(n) + 1)
end

-- Rows that the model itself would give, as well as `burn` sweeps can: from the chains of its training,
-- else from data, else from nothing.
local function samples(self, chains, burn, data)
  local held = self._core:chain()
  local start
  if held and self._core:state().step > 0 then
    held = held:narrow(1, 1, self.persistent) -- of the first rung
    start = spread((select(2, self:visible_sampling(held))), chains)
  elseif data then
    start = spread(data, chains)
  end
  return (select(2, self:sample(chains, { steps = burn, start = start })))
end

-- Both ways over one ladder.
local function anneal(self, o, temperatures, base, start)
  local betas, c = ladder(temperatures), rbm.infer(self, o.chains)
  local up, up_error, up_count, up_spread = core.anneal_summary(c:anneal(o.chains, betas, base))
  local down, down_error, down_count, down_spread =
    core.anneal_summary(c:anneal(o.chains, betas, base, start), true)
  local crossed = up - down > 4 * math.sqrt(up_error ^ 2 + down_error ^ 2)
  return { method = "ais", log_z = crossed and up or (up + down) / 2,
    log_z_low = math.min(up - 2 * up_error, down), log_z_high = math.max(down + 2 * down_error, up),
    forward = up, backward = down, error = math.max(up_error, down_error),
    ess = math.min(up_count, down_count), spread = math.max(up_spread, down_spread),
    crossed = crossed,
    chains = o.chains, temperatures = temperatures == "classical" and 14500 or temperatures }
end

-- Why a figure means little; nil where it is sound.
local function doubts(info, burn)
  local list = {}
  if info.log_z_high - info.log_z_low > WIDE then
    list[#list + 1] = ("log Z lies between %.2f and %.2f only: more temperatures narrow that")
      :format(info.log_z_low, info.log_z_high)
  end
  if info.ess < FEW * info.chains then
    list[#list + 1] = ("%.1f of %d chains count: take more temperatures, or more chains")
      :format(info.ess, info.chains)
  end
  if info.crossed then
    list[#list + 1] = ("the way up says %.2f, the way down less, %.2f: after %d sweeps the states it \z
      begins at were not yet the model's; take more (burn)"):format(info.forward, info.backward, burn)
  end
  return #list > 0 and table.concat(list, "; ") or nil
end

local function all_rows(self, where, name, data)
  local t, n = batches.rows(where, name, data, self.n_visible, "n_visible")
  if n == 0 then check.raise("size", "%s: %s: got 0 rows, expected at least 1", where, name) end
  return t
end

-- What is known of log Z: a table, see log_partition. data: rows, or nil. begin: as `samples`, of another
-- kind of model; its second value are the visible rows.
local function partition(self, where, opts, data, begin)
  local o = check.options(where, opts, rules)
  if type(o.temperatures) == "string" and o.temperatures ~= "classical" then
    check.raise("value", "%s: temperatures: got %s, expected an integer >= 1 or \"classical\"", where,
      check.show(o.temperatures))
  end
  if o.method ~= "ais" and (o.method == "exact" or self._core:has_exact()) then
    local z = self._core:log_partition()
    return { method = "exact", log_z = z, log_z_low = z, log_z_high = z }
  end
  self._core:check_integrable(where)
  local base = o.base ~= nil and all_rows(self, where, "base", o.base) or data
  local start, visible = (begin or samples)(self, o.chains, o.burn, data or base)
  base = rbm.infer(self, o.chains):base_biases(base or visible or start)
  local info
  for _, n in ipairs(o.temperatures and { o.temperatures } or LADDERS) do
    info = anneal(self, o, n, base, start)
    if info.log_z_high - info.log_z_low <= WIDE or info.crossed then break end
  end
  info.warning = doubts(info, o.burn)
  info.crossed = nil
  if info.warning then log.warn("%s: the figure means little: %s", where, info.warning) end
  return info
end

-- }===

--- log Z in nats: exact, by enumerating the layer with fewer states (at most 2^24: 24 units of 0 and 1) or
-- in closed form (two Gaussian layers); elsewhere by annealed importance sampling, from a model without
-- weights up and from samples of the model down again. The first is on average too low, the second too
-- high: they bracket log Z.
-- @param opts method: "exact" or "ais" (exact where possible); chains (100); temperatures: rungs of the
-- ladder, equally far apart, or "classical", the 14,500 of Salakhutdinov and Murray 2008 (1,000, and
-- 4,000 and 16,000 where the bracket stays wider than a nat); base: data whose means the model
-- without weights has (else samples of the model); burn (1000): sweeps to the samples that the way
-- down begins at, from the chains of a model that is trained with such, else from data
-- @return the figure; the lower and the upper end of the bracket; and a table: method, log_z, log_z_low,
-- log_z_high, and of "ais" forward, backward, error (standard error), ess (how many chains count),
-- spread (standard deviation of the log weights), chains, temperatures, and warning where the figure
-- means little, which is logged, too
-- @usage print(lrn.RBM{ n_visible = 4, n_hidden = 3 }:log_partition{ method = "ais", temperatures = 100 })
function methods:log_partition(opts)
  local info = partition(self, "log_partition", opts)
  return info.log_z, info.log_z_low, info.log_z_high, info
end

--- Log-likelihood of data in nats, mean over rows: exact where log_partition is, else between two ends.
-- @param data data set or tensor
-- @param opts as for log_partition; base is the data, where it is not given
-- @return the figure; the lower and the upper end of what it may be (an exact figure three times); and
-- the table of log_partition
-- @usage print(lrn.RBM{ n_visible = 9, n_hidden = 3 }:log_likelihood(lrn.data.bars_and_stripes(3)))
function methods:log_likelihood(data, opts)
  local rows = all_rows(self, "log_likelihood", "data", data)
  local c = self._core
  local sum = c:log_likelihood(rows, 0) -- bad values are found before the work begins
  local info = partition(self, "log_likelihood", opts, rows)
  return sum - info.log_z, sum - info.log_z_high, sum - info.log_z_low, info
end

--- Moments of the model's own distribution, exact, where its log Z is: training by the likelihood's
-- gradient compares them with those of the data.
-- @return { v = E[v], h = E[h], vh = E[v h'] (V x H), log_z = } in float64
-- @usage local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }:moments(); assert(m.vh:size(1) == 4)
function methods:moments()
  local log_z, vh, v, h = self._core:moments()
  return { log_z = log_z, v = v, h = h, vh = vh }
end

check.class("model", methods, rbm.is)
for name, f in pairs(methods) do rbm.methods[name] = f end
return { partition = partition, all_rows = all_rows, spread = spread }
