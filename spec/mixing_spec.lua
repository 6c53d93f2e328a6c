-- Autocorrelation and what follows, against closed forms of AR(1) series and sums written out; and rbm:mixing.
local lrn = require "lrn"
local exact = dofile "spec/support/exact.lua"

-- x_t = rho x_(t-1) + sqrt(1 - rho^2) e_t from its stationary distribution: n x m
local function ar1(n, m, rho, seed)
  local e = lrn.randn(n, m, { dtype = "float64", generator = lrn.generator(seed) })
  local rows = { e:select(1, 1) }
  for t = 2, n do rows[t] = rows[t - 1] * rho + e:select(1, t) * math.sqrt(1 - rho * rho) end
  return lrn.stack(rows, 1)
end

describe("autocorrelation", function()
  it("is the sum that its help says", function()
    local x = lrn.randn(13, 3, { dtype = "float64", generator = lrn.generator(5) })
    local list, mean, c = x:tolist(), x:mean(), {}
    for lag = 0, 12 do
      c[lag] = 0
      for t = 1, 13 - lag do
        for k = 1, 3 do c[lag] = c[lag] + (list[t][k] - mean) * (list[t + lag][k] - mean) end
      end
    end
    local got = lrn.math.autocorrelation(x, 12)
    assert.equal(13, #got)
    for lag = 0, 12 do exact.near(got[lag + 1], c[lag] / c[0], 1e-14, "lag " .. lag) end
    assert.equal(7, #lrn.math.autocorrelation(x))
    assert.is_true(lrn.math.autocorrelation(x:select(2, 1), 3)[1] == 1)
  end)

  -- rho^k, and tau = (1 + rho) / (1 - rho). The spread of tau over runs is about tau sqrt(2 (2 M + 1) / N) with
  -- the window M = 5 tau (Madras and Sokal 1988): bounds are 6 of it, plus the bias e^-5 or so of the window.
  it("of AR(1) series is what theory says, and so are tau and the effective sample size", function()
    for _, rho in ipairs { 0, 0.5, 0.9, -0.5 } do
      local n, m = 4000, 10
      local x = ar1(n, m, rho, 11)
      local got = lrn.math.autocorrelation(x, 6)
      local tau = (1 + rho) / (1 - rho)
      for k = 0, 6 do
        exact.near(got[k + 1], rho ^ k, 6 * math.sqrt(math.max(tau, 1) / (n * m)), "rho " .. rho .. " lag " .. k)
      end
      local t, window = lrn.math.autocorrelation_time(x)
      assert.is_true(window >= 5 * t)
      exact.near(t, tau, 6 * tau * math.sqrt(2 * (2 * window + 1) / (n * m)) + 0.03 * tau, "tau of " .. rho)
      exact.near(lrn.math.ess(x), n * m / t, 1e-6)
    end
  end)

  it("takes chains that stay apart for what they are", function()
    local x = lrn.zeros(100, 2, { dtype = "float64" })
    x:select(2, 1):fill_(1)
    assert.is_true(lrn.math.autocorrelation_time(x) > 40)
    assert.is_true(lrn.math.ess(x) < 5)
    local y = lrn.randn(1000, 4, { generator = lrn.generator(1) })
    assert.is_true(lrn.math.rhat(y) < 1.02)
    y:select(2, 1):add_(3)
    assert.is_true(lrn.math.rhat(y) > 1.5)
    local drift = lrn.randn(1000, 1, { generator = lrn.generator(1) }) + lrn.linspace(0, 4, 1000):unsqueeze(2)
    assert.is_true(lrn.math.rhat(drift) > 1.5)
  end)

  it("R-hat is the formula, written out", function()
    local x = lrn.randn(9, 2, { dtype = "float64", generator = lrn.generator(8) })
    local list, sequences = x:tolist(), {}
    for k = 1, 2 do
      sequences[#sequences + 1], sequences[#sequences + 2] = {}, {}
      for t = 1, 4 do
        sequences[2 * k - 1][t], sequences[2 * k][t] = list[t][k], list[t + 5][k]
      end
    end
    local means, W, B, grand = {}, 0, 0, 0
    for i, s in ipairs(sequences) do
      local mean, var = 0, 0
      for _, v in ipairs(s) do mean = mean + v / 4 end
      for _, v in ipairs(s) do var = var + (v - mean) ^ 2 / 3 end
      means[i], W, grand = mean, W + var / 4, grand + mean / 4
    end
    for _, mean in ipairs(means) do B = B + 4 * (mean - grand) ^ 2 / 3 end
    exact.near(lrn.math.rhat(x), math.sqrt((0.75 * W + B / 4) / W), 1e-13)
  end)

  it("of what does not vary is no number, and bad arguments are refused", function()
    local nan = lrn.math.autocorrelation(lrn.ones(5))[1]
    assert.is_true(nan ~= nan)
    for f, least in pairs { autocorrelation = 2, autocorrelation_time = 4, ess = 4, rhat = 4 } do
      local ok, e = pcall(lrn.math[f], lrn.ones(1))
      assert.is_false(ok)
      assert.matches(f .. ": x: got %[1%], expected draws x chains, at least " .. least .. " draws", e)
    end
    assert.error_matches(function() lrn.math.autocorrelation(lrn.ones(5), 5) end,
      "max_lag: got 5, expected an integer >= 0 and <= 4")
  end)
end)

describe("mixing", function()
  lrn.log.level "error"

  -- Two modes of V units that are all off or all on; h is 1 in one of them.
  local function two_modes(w)
    local m = lrn.RBM{ n_visible = 8, n_hidden = 1, seed = 5 }
    m.W, m.a, m.b = lrn.full({ 8, 1 }, w), lrn.full({ 8 }, -w / 2), lrn.full({ 1 }, -4 * w)
    return m
  end
  local function share(v) return v:mean(2) end

  it("of independent draws is 1, and of a model in closed form what it must be", function()
    local m = lrn.RBM{ n_visible = 4, n_hidden = 2, seed = 5 }
    m.W = m.W * 0
    local r = m:mixing{ chains = 20, steps = 400, of = share }
    exact.near(r.tau, 1, 0.15)
    assert.is_true(r.rhat < 1.02 and r.warning == nil)
    assert.same({ 400, 20 }, r.values.shape)
    assert.equal(8000, math.floor(r.ess * r.tau + 0.5))
    -- One hidden unit: h is a chain of two states with flips f each, whose memory decays as (1 - 2 f)^t; the mean
    -- of v decides about the next h.
    local w, n = 1.5, 8
    local p = 1 / (1 + math.exp(-w / 2))
    local f, first, factorial = 0, 0, { [0] = 1 }
    for k = 1, n do factorial[k] = factorial[k - 1] * k end
    for k = 0, n do
      local ways = factorial[n] / (factorial[k] * factorial[n - k])
      local high, low = ways * p ^ k * (1 - p) ^ (n - k), ways * (1 - p) ^ k * p ^ (n - k)
      local on = 1 / (1 + math.exp(4 * w - w * k))
      f = f + high * (1 - on)
      first = first + (high + low) / 2 * (k / n - 0.5) * (p - 0.5) * (2 * on - 1)
    end
    local x = two_modes(w):mixing{ chains = 50, steps = 4000, of = share }
    local between, within = (p - 0.5) ^ 2, p * (1 - p) / n
    local c = lrn.math.autocorrelation(x.values, 3)
    for t = 1, 3 do
      exact.near(c[t + 1], first / (between + within) * (1 - 2 * f) ^ (t - 1), 0.02, "lag " .. t)
    end
  end)

  it("says when chains stay in the mode where they began, and that with replicas they do not", function()
    local m = two_modes(6)
    local plain = m:mixing{ chains = 20, steps = 1000, of = share }
    assert.is_true(plain.rhat > 1.2 or plain.tau > 100)
    assert.matches("do not agree", plain.warning)
    local tempered = m:mixing{ chains = 20, steps = 1000, burn = 200, of = share, replicas = 8 }
    assert.is_nil(tempered.warning)
    assert.is_true(tempered.tau * 10 < plain.tau, tempered.tau .. ", " .. plain.tau)
    -- half of the draws in each: 6 sigma of the effective sample size
    exact.near(tempered.values:mean(), 0.5, 6 * 0.5 / math.sqrt(tempered.ess))
    assert.equal(7, #tempered.swap_rates)
    -- the energy of both is the same
    assert.is_true(m:mixing{ chains = 20, steps = 1000 }.rhat < 1.1)
    local few = m:mixing{ chains = 4, steps = 50, of = share, replicas = 2 }
    assert.matches("take more replicas", few.warning)
  end)

  it("refuses what is no observable", function()
    local m = two_modes(1)
    assert.error_matches(function() m:mixing{ of = "mean" } end, "mixing: of: got \"mean\", expected \"energy\" or")
    assert.error_matches(function() m:mixing{ steps = 10, chains = 2, of = function() return 1 end } end,
      "mixing: of: got 1 from the function, expected a tensor of 20 values")
  end)
end)
