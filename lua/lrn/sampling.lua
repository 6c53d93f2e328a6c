--- How well the chains of a model mix. Adds its methods to those of rbm.lua, which has sample itself.
local check = require "lrn.check"
local log = require "lrn.log"
local mixing = require "lrn.mixing"
local rbm = require "lrn.rbm"

local methods = {}

local AGREE = 1.1 -- R-hat above which chains have not mixed
local LENGTHS = 50 -- autocorrelation times that a run must have, or they are not known
local SELDOM = 0.1 -- a swap rate below which rungs hardly meet

--- The swap rates of the model's persistent chains with replicas: how often each pair of neighbouring rungs
-- exchanged states, since the ladder was last adapted (see docs/sampling.md).
-- @return replicas - 1 rates, the first one that of the model and its neighbour; the betas of the rungs; nil, nil
-- where there are no replicas or no training was begun
-- @usage local m = lrn.RBM{ n_visible = 64, n_hidden = 8, persistent = 16, replicas = 4 };
-- m:fit((lrn.data.digits()), { epochs = 1 }); assert(#m:swap_rates() == 3)
function methods:swap_rates()
  local beta, rates = self._core:ladder()
  return rates, beta
end

local rules = {
  chains = { "integer", 10, min = 2 },
  steps = { "integer", 1000, min = 4, max = 1 << 24 },
  burn = { "integer", 100, min = 0, max = 1 << 24 },
  replicas = { "integer", 1, min = 1 },
  base = { "any" },
  start = { "tensor" },
  clamp = { "table" },
  temperature = { "number" },
  of = { "string|callable", "energy" },
}

-- What is looked at of draws x chains x n_visible: draws x chains numbers.
local function numbers_of(self, of, v)
  local draws, chains = v:size(1), v:size(2)
  local rows = v:reshape(draws * chains, v:size(3))
  local x
  if of == "energy" then
    x = self:energy(rows)
  else
    x = of(rows)
    if not check.is_tensor(x) or x.numel ~= draws * chains then
      check.raise("value", "mixing: of: got %s from the function, expected a tensor of %d values, one a row",
        check.show(x), draws * chains)
    end
  end
  return x:reshape(draws, chains)
end

-- Why the chains are not to be trusted; nil where they are.
local function doubts(r, o)
  local list = {}
  if r.rhat > AGREE then list[#list + 1] = ("chains do not agree (R-hat %.2f)"):format(r.rhat) end
  if o.steps < LENGTHS * r.tau then
    list[#list + 1] = ("%d steps are %.0f autocorrelation times only"):format(o.steps, o.steps / r.tau)
  end
  if r.swap_rates and r.swap_rates:min() < SELDOM then
    list[#list + 1] = ("rungs hardly meet (a swap rate of %.3f): take more replicas"):format(r.swap_rates:min())
  end
  return #list > 0 and table.concat(list, "; ") or nil
end

--- Runs chains and says how well they mix: what a draw is worth, and whether chains that began apart agree.
-- @param opts chains (10); steps (1000) after burn (100) sweeps; of: what is looked at, "energy" (the free
-- energy, which cannot tell modes of equal weight apart) or a function from rows of visible states to a
-- tensor of a number each; replicas (1), base, start, clamp, temperature as for sample
-- @return table: tau (autocorrelation time, in sweeps), ess (effective sample size of all draws), rhat (split
-- R-hat), values (steps x chains), with replicas swap_rates and betas; and warning where the chains have not
-- mixed, which is logged, too
-- @usage print(lrn.RBM{ n_visible = 4, n_hidden = 3 }:mixing{ chains = 4, steps = 200 }.tau)
function methods:mixing(opts)
  local o = check.options("mixing", opts, rules)
  if type(o.of) == "string" and o.of ~= "energy" or check.is_tensor(o.of) then
    check.raise("value", "mixing: of: got %s, expected \"energy\" or a function", check.show(o.of))
  end
  local out = table.pack(self:sample(o.chains, { steps = o.steps, burn = o.burn, thin = 1, start = o.start,
    clamp = o.clamp, temperature = o.temperature, replicas = o.replicas, base = o.base }))
  local r = { values = numbers_of(self, o.of, out[2]) }
  r.tau = mixing.autocorrelation_time(r.values)
  r.ess = r.values.numel / r.tau
  r.rhat = mixing.rhat(r.values)
  if o.replicas > 1 then r.swap_rates, r.betas = out[out.n - 1], out[out.n] end
  r.warning = doubts(r, o)
  if r.warning then log.warn("mixing: the chains have not mixed: %s", r.warning) end
  return r
end

check.class("model", methods, rbm.is)
for name, f in pairs(methods) do rbm.methods[name] = f end
return methods
