--- How many independent draws a chain is worth: autocorrelation, its time, the effective sample size, and
-- whether several chains agree. They are in lrn.math; rbm:mixing puts them together.
--
-- All take draws x chains (or the draws of one chain), in the order in which they came.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}

local WINDOW = 5 -- autocorrelation times that are summed over (Sokal 1989, section 3)

-- draws x chains in float64 on the CPU.
local function series(where, x, least)
  check.tensor(where, "x", x)
  if x.ndim < 1 or x.ndim > 2 or x.numel == 0 or x:size(1) < least then
    check.raise("size", "%s: x: got %s, expected draws x chains, at least %d draws", where, check.shape(x), least)
  end
  if x.ndim == 1 then x = x:unsqueeze(2) end
  return x:to { dtype = "float64", device = "cpu" }
end

-- Deviations from the mean over all chains, so that chains that stay apart are correlated with themselves;
-- and a function of the lag: the autocorrelation there.
local function correlations(x)
  local off = x - x:mean()
  local n = x:size(1)
  local variance = (off * off):sum()
  return function(lag)
    return (off:narrow(1, 1, n - lag) * off:narrow(1, lag + 1, n - lag)):sum() / variance
  end
end

--- Autocorrelation of draws at the lags 0, 1, ... max_lag: sum (x_i - m) (x_(i + lag) - m) over sum (x_i - m)^2,
-- both over all chains, m the mean of all.
-- @param x draws, or draws x chains
-- @param max_lag below the number of draws (half of it)
-- @return max_lag + 1 values, the first one 1; NaN where nothing varies
-- @usage local r = lrn.math.autocorrelation(lrn.tensor{ 1, -1, 1, -1 }, 2); assert(r[2] == -.75)
function M.autocorrelation(x, max_lag)
  x = series("autocorrelation", x, 2)
  local n = x:size(1)
  max_lag = check.value("autocorrelation", "max_lag", max_lag, { "integer", n // 2, min = 0, max = n - 1 })
  local at, out = correlations(x), {}
  for lag = 0, max_lag do out[lag + 1] = at(lag) end
  return core.tensor(out, { dtype = "float64" })
end

local function time_of(x)
  local at, tau = correlations(x), 1
  for lag = 1, x:size(1) // 2 do
    tau = tau + 2 * at(lag)
    if not (lag < WINDOW * math.max(tau, 1)) then return tau, lag end
  end
  return tau, x:size(1) // 2
end

--- The integrated autocorrelation time, in draws: 1 + 2 sum of the autocorrelations up to the first lag that is
-- 5 such times, and at least 5 (Sokal 1989), at most half of the draws. So many draws are worth one independent one; a figure
-- above a fiftieth of the draws is itself not to be trusted.
-- @param x draws, or draws x chains
-- @return the time, 1 for independent draws; the lag that it was summed to
-- @usage assert(lrn.math.autocorrelation_time(lrn.randn(1000, 4)) < 2)
function M.autocorrelation_time(x)
  return time_of(series("autocorrelation_time", x, 4))
end

--- Effective sample size: how many independent draws have as exact a mean; draws x chains over the
-- autocorrelation time.
-- @param x draws, or draws x chains
-- @usage assert(lrn.math.ess(lrn.randn(1000, 4)) > 2000)
function M.ess(x)
  x = series("ess", x, 4)
  return x.numel / (time_of(x))
end

--- Split R-hat (Gelman et al. 2013, section 11.4): whether chains agree, and each with itself. The halves of all
-- chains count as chains; with W the mean of their variances and B / n the variance of their means it is
-- sqrt((n - 1) / n + B / (n W)). 1: they do; above 1.1, or better 1.01: they have not mixed.
-- @param x draws, or draws x chains
-- @usage assert(lrn.math.rhat(lrn.randn(1000, 4)) < 1.05)
function M.rhat(x)
  x = series("rhat", x, 4)
  local n = x:size(1) // 2
  local halves = core.cat({ x:narrow(1, 1, n), x:narrow(1, x:size(1) - n + 1, n) }, 2)
  local within, between = halves:var(1):mean(), halves:mean(1):var()
  return math.sqrt((n - 1) / n + between / within)
end

return M
