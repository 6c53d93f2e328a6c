-- Gaussian visible units with learned variances s = e^z: energies, conditionals, likelihood and gradient
-- against sums over all hidden states and integrals over visible ones, from
--   E = sum_i (v_i^2 / 2 - a_i v_i) / s_i - b.h - sum_ij (v_i / s_i) W_ij h_j
-- written down here. Statistics at 6 sigma, seeds fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 3, 3, 6
local F64 = { dtype = "float64" }
local temperatures = { 0.5, 1, 2 }

-- W, a, b as elsewhere, and z in [-1.5, 1.5]
local function parameters(seed, width)
  local p = exact.parameters(V, H, seed, width or 0.5, 0.75)
  p.z = exact.dyadic(exact.uniform(seed + 1000), V, 1.5)
  return p
end

local function model(p, options)
  local o = { visible = "gaussian", variance = true }
  for key, value in pairs(options or {}) do o[key] = value end
  return exact.model(p, o)
end

local function energy(p, v, h)
  local e = 0
  for j = 1, #p.b do e = e - p.b[j] * h[j] end
  for i = 1, #p.a do
    local s = math.exp(p.z[i])
    e = e + (v[i] ^ 2 / 2 - p.a[i] * v[i]) / s
    for j = 1, #p.b do e = e - v[i] / s * p.W[i][j] * h[j] end
  end
  return e
end

local function rows_of(n, seed, width)
  local u, rows = exact.uniform(seed), {}
  for r = 1, n do rows[r] = exact.dyadic(u, V, width or 2) end
  return rows
end

-- log p(h) up to a constant: v integrated out, u = a + W h its mean
local function log_hidden(p, h, T)
  local sum = 0
  for j = 1, #p.b do sum = sum + p.b[j] * h[j] end
  for i, u in ipairs(exact.visible_inputs(p, h)) do sum = sum + u ^ 2 / (2 * math.exp(p.z[i])) end
  return sum / T
end

describe("visible units with variances of their own", function()
  it("have the free energy and the hidden means of the sum over all hidden states", function()
    local p, rows = parameters(11), rows_of(ROWS, 12)
    for _, hidden in ipairs { "bernoulli", "spin" } do
      for _, T in ipairs(temperatures) do
        exact.everywhere(function(device, dtype)
          local c = model(p, { hidden = hidden, temperature = T, device = device, dtype = dtype })
          local F, means = c:free_energy(lrn.tensor(rows)):tolist(), c:hidden(lrn.tensor(rows))
          means = means:tolist()
          local tolerance = dtype == "float64" and 1e-11 or 2e-4
          for r, v in ipairs(rows) do
            local total, one, low = 0, { 0, 0, 0 }, math.huge
            for _, h in ipairs(exact.states(H, hidden)) do low = math.min(low, energy(p, v, h)) end
            for _, h in ipairs(exact.states(H, hidden)) do
              local w = math.exp(-(energy(p, v, h) - low) / T)
              total = total + w
              for j = 1, H do one[j] = one[j] + w * h[j] end
            end
            local what = ("%s, T = %g, %s on %s, row %d"):format(hidden, T, dtype, device, r)
            exact.near(F[r], low - T * math.log(total), tolerance, what)
            for j = 1, H do exact.near(means[r][j], one[j] / total, tolerance, what) end
          end
        end)
      end
    end
  end)

  -- The mean is a + W h at any temperature; the standard deviation is sigma sqrt(T), not sigma^2.
  it("are drawn from N(a + W h, T s), mean first", function()
    local p, N = parameters(13), 20000
    local h = { 1, 0, 1 }
    local u = exact.visible_inputs(p, h)
    for _, T in ipairs(temperatures) do
      for _, dtype in ipairs(exact.dtypes) do
        local c = model(p, { temperature = T, dtype = dtype })
        local mean, state = c:visible(lrn.tensor(h):reshape(1, H):expand(N, H))
        state = state:to(F64)
        for i = 1, V do
          local what = ("T = %g, %s, unit %d"):format(T, dtype, i)
          local s, x = T * math.exp(p.z[i]), state:select(2, i)
          exact.near(mean:select(2, i):min(), u[i], 1e-6, what)
          exact.near(mean:select(2, i):max(), u[i], 1e-6, what)
          exact.near(x:mean(), u[i], 6 * math.sqrt(s / N), what)
          exact.near(((x - u[i]) ^ 2):mean(), s, 6 * s * math.sqrt(2 / N), what)
        end
        for i = 2, V do -- independent: the mean of a product has variance s_i s_j / N
          local x, y = state:select(2, 1) - u[1], state:select(2, i) - u[i]
          exact.near((x * y):mean(), 0, 6 * T * math.exp((p.z[1] + p.z[i]) / 2) / math.sqrt(N))
        end
      end
    end
  end)

  it("with z = 0 have the numbers of unit variance, noise and gradient included", function()
    local p = parameters(14)
    for i = 1, V do p.z[i] = 0 end
    local plain = { W = p.W, a = p.a, b = p.b }
    exact.everywhere(function(device, dtype)
      local o = { visible = "gaussian", device = device, dtype = dtype, steps = 2 }
      local v = lrn.tensor(rows_of(ROWS, 15), { device = device, dtype = dtype })
      local one, other = model(p, o), exact.model(plain, o)
      local tolerance = dtype == "float64" and 1e-13 or 1e-5
      local _, _, _, _, got = one:gibbs(v)
      local _, _, _, _, want = other:gibbs(v)
      exact.near((got - want):abs():max(), 0, 10 * tolerance)
      one, other = model(p, o), exact.model(plain, o)
      exact.near((one:free_energy(v) - other:free_energy(v)):abs():max(), 0, tolerance)
      exact.near(one:log_partition(), other:log_partition(), 1e-12)
      one:reserve(ROWS, true)
      other:reserve(ROWS, true)
      one:compute_gradient(v, nil, 1, ROWS)
      other:compute_gradient(v, nil, 1, ROWS)
      exact.near((one:negative() - other:negative()):abs():max(), 0, tolerance)
      for key, g in pairs(other:gradient()) do
        exact.near((one:gradient()[key] - g):abs():max(), 0, tolerance, key)
      end
    end)
  end)

  it("have the log Z of the integral over v, and a likelihood that integrates to 1", function()
    for _, hidden in ipairs { "bernoulli", "spin" } do
      local p = { W = { { 0.5, -0.75 } }, a = { 0.25 }, b = { -0.5, 0.125 }, z = { -0.75 } }
      for _, T in ipairs(temperatures) do
        local c = model(p, { hidden = hidden, temperature = T, dtype = "float64" })
        -- Simpson over [-12, 12]
        local n, sum, density = 2400, 0, 0
        local grid = lrn.linspace(-12, 12, n + 1, F64):reshape(n + 1, 1)
        local F = c:free_energy(grid):tolist()
        local log_z = c:log_partition()
        for k = 0, n do
          local w = 0.01 / 3 * ((k == 0 or k == n) and 1 or k % 2 == 1 and 4 or 2)
          sum = sum + w * math.exp(-F[k + 1] / T)
          density = density + w * math.exp(-F[k + 1] / T - log_z)
        end
        exact.near(log_z, math.log(sum), 1e-10, hidden .. " at T = " .. T)
        exact.near(density, 1, 1e-10)
        exact.near(c:log_likelihood(grid:narrow(1, 1201, 1)), -F[1201] / T - log_z, 1e-12)
      end
    end
  end)
end)

describe("their gradient", function()
  -- F = sum (v^2 / 2 - a v) / s - sum A(b + (v / s) (M * W)), mean over rows
  local function mean_energy(hidden, T, p, v, M)
    local precision = (-p.z):exp()
    local x = (v * precision):mm(M and p.W * M or p.W) + p.b
    local A = core.unit_map(hidden, "cumulant", x, T)
    return ((v * v / 2 - v * p.a) * precision):sum(2):mean() - A:sum(2):mean()
  end
  local rules = { { steps = 1 }, { steps = 3 }, { steps = 2, persistent = 4 },
    { steps = 1, mask = "dropconnect", dropout = 0.4 }, { steps = 1, visible_noise = false } }

  it("is the derivative of mean F(v+) - mean F(v-) for W, a, b and z", function()
    local p0 = parameters(21, 0.25)
    for _, hidden in ipairs(exact.units()) do
      for n, rule in ipairs(rules) do
        exact.everywhere(function(device, dtype)
          local T = n % 2 == 0 and 0.7 or 1
          local o = { hidden = hidden, temperature = T, device = device, dtype = dtype }
          for key, value in pairs(rule) do o[key] = value end
          local c = model(p0, o)
          local v = lrn.tensor(rows_of(ROWS, 22), { dtype = dtype, device = device })
          c:reserve(ROWS, true)
          c:compute_gradient(v, nil, 1, ROWS)
          local function double(t) return t:to { device = "cpu", dtype = "float64" }:clone() end
          local p, M = {}, rule.mask and double(c:mask()):narrow(1, 1, V)
          for name, t in pairs(c:parameters()) do p[name] = double(t) end
          local minus = double(c:negative())
          local want = exact.derivative(p, function()
            return mean_energy(hidden, T, p, double(v), M) - mean_energy(hidden, T, p, minus, M)
          end)
          local seen = 0
          for name, g in pairs(c:gradient()) do
            for i, x in ipairs(g:view(-1):tolist()) do
              seen = seen + 1
              exact.near(x, want[name][i], (dtype == "float64" and 2e-8 or 2e-5) *
                (1 + math.abs(want[name][i])), ("%s, rule %d, %s %d, %s on %s"):format(hidden, n, name,
                i, dtype, device))
            end
          end
          assert.equal(V * H + H + 2 * V, seen)
        end)
      end
    end
  end)

  -- In the coordinates W, a' = a + W nu, b' = b + W' (mu / s) the gradient of W moves a and b as well.
  it("centred is that of W, a + W nu and b + W' (mu / s), mu and nu the means of v and q", function()
    local c = model(parameters(23, 0.25), { dtype = "float64", centering = 1 })
    local v = lrn.tensor(rows_of(ROWS, 24), F64)
    c:reserve(ROWS, true)
    local nu = (c:hidden(v)):mean(1):tolist()
    local mu = v:mean(1):tolist()
    c:compute_gradient(v, nil, 1, ROWS)
    local p, minus = c:parameters(), c:negative():clone()
    local function objective()
      return mean_energy("bernoulli", 1, p, v) - mean_energy("bernoulli", 1, p, minus)
    end
    local plain, got, h = exact.derivative(p, objective), c:gradient(), 1e-5
    for i = 1, V do
      for j = 1, H do
        local function moved(by)
          p.W:set(i, j, p.W(i, j) + by)
          p.a:set(i, p.a[i] - by * nu[j])
          p.b:set(j, p.b[j] - by * mu[i] * math.exp(-p.z[i]))
        end
        moved(h)
        local above = objective()
        moved(-2 * h)
        local below = objective()
        moved(h)
        exact.near(got.W(i, j), (above - below) / (2 * h), 1e-8, "W " .. i .. " " .. j)
      end
    end
    for i = 1, V do -- back to a: da = da' - dW nu
      local want = plain.a[i]
      for j = 1, H do want = want - got.W(i, j) * nu[j] end
      exact.near(got.a[i], want, 1e-8, "a " .. i)
      exact.near(got.z[i], plain.z[i], 1e-8, "z " .. i)
    end
    for j = 1, H do
      local want = plain.b[j]
      for i = 1, V do want = want - got.W(i, j) * mu[i] * math.exp(-p.z[i]) end
      exact.near(got.b[j], want, 1e-8, "b " .. j)
    end
  end)

  -- Without noise in v and h the rows of a pair are alike: one of weight 2 is two of weight 1.
  it("with weights of rows is that of rows so often as they weigh, z's as well", function()
    local p = parameters(28, 0.25)
    local o = { dtype = "float64", hidden = "selu", visible_noise = false }
    local once, twice = model(p, o), model(p, o)
    local v = lrn.tensor(rows_of(2, 29), F64)
    local doubled = v:index_select(1, lrn.tensor({ 1, 1, 1, 2 }, { dtype = "int64" }))
    once:reserve(2, true)
    twice:reserve(4, true)
    once:compute_gradient(v, nil, 1, 2, nil, lrn.tensor({ 3, 1 }, F64))
    twice:compute_gradient(doubled, nil, 1, 4)
    for name, g in pairs(twice:gradient()) do
      exact.near((once:gradient()[name] - g):abs():max(), 0, 1e-13, name)
    end
  end)

  it("takes z at variance_rate times the rate, without decay and l1", function()
    for _, optimizer in ipairs { "sgd", "adam" } do
      local o = { dtype = "float64", learning_rate = 0.03, variance_rate = 0.5, decay = 0.3, l1 = 0.2,
        momentum = optimizer == "sgd" and 0.5 or 0, optimizer = optimizer }
      local c = model(parameters(25, 0.25), o)
      local v = lrn.tensor(rows_of(ROWS, 26), F64)
      c:reserve(ROWS, true)
      local m, s, z = { 0, 0, 0 }, { 0, 0, 0 }, c:parameters().z:tolist()
      for t = 1, 4 do
        c:compute_gradient(v, nil, 1, ROWS)
        local g = c:gradient().z:tolist()
        c:update()
        for i = 1, V do
          if optimizer == "sgd" then
            m[i] = 0.5 * m[i] + g[i]
            z[i] = z[i] - 0.015 * m[i]
          else
            m[i], s[i] = 0.9 * m[i] + 0.1 * g[i], 0.999 * s[i] + 0.001 * g[i] ^ 2
            z[i] = z[i] - 0.015 * (m[i] / (1 - 0.9 ^ t)) / (math.sqrt(s[i] / (1 - 0.999 ^ t)) + 1e-8)
          end
          exact.near(c:parameters().z[i], z[i], 1e-12, optimizer .. ", step " .. t)
        end
      end
    end
  end)

  it("leaves z between -6 and 2, whatever the rate", function()
    exact.everywhere(function(device, dtype)
      local c = model(parameters(27, 0.05), { device = device, dtype = dtype, learning_rate = 1e-3,
        variance_rate = 1e7 })
      c:reserve(ROWS, true)
      local least, most = math.huge, -math.huge
      for n = 1, 10 do
        local v = lrn.tensor(rows_of(ROWS, 27 + n), { device = device, dtype = dtype })
        c:step(v, nil, 1, ROWS)
        local z = c:parameters().z
        least, most = math.min(least, z:min()), math.max(most, z:max())
      end
      assert.equal(-6, least)
      assert.equal(2, most)
    end)
  end)
end)

describe("chains over units with variances", function()
  -- v drawn from the exact mixture over h; after sweeps p(h) must be what it was.
  it("that start from the model stay there, and leave where sigma is another #slow", function()
    local T, N = 0.8, 60000
    local p = parameters(31, 0.75)
    local states, logs = exact.states(H), {}
    for n, h in ipairs(states) do logs[n] = log_hidden(p, h, T) end
    local prob, log_z = {}, exact.logsumexp(logs)
    for n, x in ipairs(logs) do prob[n] = math.exp(x - log_z) end
    local h = exact.rows_of(states, exact.draw_counts(prob, N, exact.uniform(32)))
    local bound = exact.chi_square_bound(#prob - 1)
    for _, dtype in ipairs(exact.dtypes) do
      local c = model(p, { temperature = T, dtype = dtype, seed = 33 })
      local _, start = c:visible(h)
      local wider = { W = p.W, a = p.a, b = p.b, z = {} }
      for i = 1, V do wider.z[i] = p.z[i] + 0.3 end
      local biased = model(wider, { temperature = T, dtype = dtype, seed = 33 })
      for _, sweeps in ipairs { 1, 4, 16 } do
        local _, v = c:sample(N, sweeps, start)
        local _, state = c:hidden(v)
        local chi = exact.chi_square(exact.count_states(state), prob)
        assert.is_true(chi < bound, ("%s, %d sweeps: %g, bound %g"):format(dtype, sweeps, chi, bound))
        _, v = biased:sample(N, sweeps, start)
        _, state = biased:hidden(v)
        chi = exact.chi_square(exact.count_states(state), prob)
        assert.is_true(chi > bound, ("%s, biased, %d sweeps: %g"):format(dtype, sweeps, chi))
      end
    end
  end)
end)

describe("VarianceGaussianRBM", function()
  it("reads sigma as e^(z / 2) and takes it", function()
    local m = lrn.VarianceGaussianRBM { n_visible = 3, n_hidden = 2, seed = 1 }
    assert.is_true(m.sigma == lrn.ones(3))
    m.sigma = lrn.tensor { 0.5, 1, 2 }
    for i, x in ipairs { 0.5, 1, 2 } do
      exact.near(m.sigma[i], x, 1e-6)
      exact.near(m.z[i], 2 * math.log(x), 1e-6)
    end
    local function refused(value, pattern)
      local before = m.z:clone()
      local ok, message = pcall(function() m.sigma = value end)
      assert.is_false(ok)
      assert.matches(pattern, message, 1, true)
      assert.is_true(before == m.z)
    end
    refused(lrn.tensor { 1, 0, 1 }, "sigma: got values from 0 to 1, expected from 0.0498 to 2.72")
    refused(lrn.tensor { 1, -1, 1 }, "sigma: got values from -1 to 1, expected from")
    refused(lrn.tensor { 1, 3, 1 }, "sigma: got values from 1 to 3, expected from")
    refused(lrn.ones(4), "sigma: got [4], expected [3]")
    refused(1, "sigma: got 1, expected a tensor")
    local plain = lrn.GaussianRBM { n_visible = 3, n_hidden = 2 }
    assert.is_nil(plain.sigma)
    assert.has_error(function() plain.sigma = lrn.ones(3) end)
    assert.is_nil(plain:parameters().z)
  end)

  it("names sigma among its fields, and a z that is no longer finite", function()
    local m = lrn.VarianceGaussianRBM { n_visible = 3, n_hidden = 2, seed = 1 }
    local _, message = pcall(function() m.sigmas = 1 end)
    assert.matches(" sigma[, ;]", message)
    m.learning_rate, m.variance_rate = 1e308, 1e308
    local ok
    ok, message = pcall(m.fit, m, lrn.rand(9, 3, { dtype = "float64" }), { epochs = 2 })
    assert.is_false(ok)
    assert.matches("is no longer finite", message, 1, true)
  end)

  it("says of the last step what it added to z", function()
    local m = lrn.VarianceGaussianRBM { n_visible = 64, n_hidden = 5, seed = 2, variance_rate = 0.5,
      dtype = "float64" }
    local digits = lrn.data.digits():subset(lrn.arange(1, 128))
    local before = m.z:clone()
    m:fit(digits, { epochs = 1 })
    exact.near((m:updates().z - (m.z - before)):abs():max(), 0, 1e-15)
    assert.is_true((m.z - before):abs():max() > 0)
  end)

  it("learns larger variances for noise than for what hidden units explain", function()
    lrn.manual_seed(5)
    local N = 2000
    local hidden = (lrn.rand(N, 1, F64) - 0.5):sign()
    local v = lrn.cat({ hidden:expand(N, 4) + lrn.randn(N, 4, F64) * 0.2, lrn.randn(N, 4, F64) }, 2)
    local m = lrn.VarianceGaussianRBM { n_visible = 8, n_hidden = 4, seed = 3, momentum = 0.9,
      learning_rate = 0.01, variance_rate = 1 }
    m:fit(v, { epochs = 40 })
    local sigma = m.sigma
    assert.is_true(sigma:narrow(1, 1, 4):max() < 0.5 and sigma:narrow(1, 5, 4):min() > 0.8,
      tostring(sigma))
  end)
end)
