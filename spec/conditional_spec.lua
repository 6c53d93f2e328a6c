-- Imputation and denoising against exact conditional means and deviations: sums over hidden or visible
-- states, and integrals in closed form. Statistics with fixed seeds; tolerances are 5 sigma and more.
local lrn = require "lrn"
local exact = dofile "spec/support/exact.lua"

local V, H = 4, 3
local NAN = 0 / 0
local CHAINS = { steps = 300, burn = 50, chains = 256 }

-- A model of a class made from rows, with these parameters.
local function model(visible, hidden, p, options)
  local o = { n_visible = V, n_hidden = #p.b, seed = 9, visible_bias = "zero" }
  for key, value in pairs(options or {}) do o[key] = value end
  if exact.categories(visible, V) > 1 then o.visible_categories = exact.categories(visible, V) end
  if exact.categories(hidden, #p.b) > 1 then o.hidden_categories = exact.categories(hidden, #p.b) end
  if visible == "gaussian" then o.normalize = o.normalize or false end
  local m = assert(lrn.models.define { visible = visible, hidden = hidden, variance = p.z and true or nil }(o))
  for name, t in pairs(m:parameters()) do t:copy_(lrn.tensor(p[name], { dtype = "float64" })) end
  return m
end

-- Means and deviations of the visible units given some of them, of a model with discrete hidden units, by
-- summing over these: p(h | known) ~ exp((b.h + sum_known v_i (W h)_i + sum of A(u_i) over the others) / T)
local function given(p, visible, hidden, T, v, known)
  local logs, moments, K = {}, {}, exact.categories(visible, V)
  for n, h in ipairs(exact.states(H, hidden)) do
    local u, free = exact.visible_inputs(p, h), {}
    logs[n] = 0
    for j = 1, H do logs[n] = logs[n] + p.b[j] * h[j] end
    for i = 1, V, K do
      local x = table.move(u, i, i + K - 1, 1, {})
      if known[i] then
        for k = i, i + K - 1 do logs[n] = logs[n] + v[k] * u[k] end
      elseif K == 1 then
        logs[n] = logs[n] + exact.cumulant(visible, x[1], T)
        free[i] = { exact.moments(visible, x[1], T) }
      else
        for k = 1, K do x[k] = x[k] / T end
        local z = exact.logsumexp(x)
        logs[n] = logs[n] + T * z
        for k = 1, K do
          local q = math.exp(x[k] - z)
          free[i + k - 1] = { q, q * (1 - q) }
        end
      end
    end
    logs[n], moments[n] = logs[n] / T, free
  end
  local z, mean, std = exact.logsumexp(logs), {}, {}
  for i = 1, V do
    mean[i], std[i] = v[i], 0
    if not known[i] then
      local first, second = 0, 0
      for n, log_p in ipairs(logs) do
        local q, m = math.exp(log_p - z), moments[n][i]
        first, second = first + q * m[1], second + q * (m[2] + m[1] ^ 2)
      end
      mean[i], std[i] = first, math.sqrt(second - first ^ 2)
    end
  end
  return mean, std
end

local function compare(got, want, tolerance, what)
  for i, value in ipairs(want) do
    exact.near(got[i], value, tolerance * math.max(1, math.abs(value)), what .. ", unit " .. i)
  end
end

-- The masks of V units or groups of them, and rows with NaN where they say so
local function masked_rows(visible, seed)
  local K, u, full, holes, known = exact.categories(visible, V), exact.uniform(seed), {}, {}, {}
  for code = 0, 2 ^ (V // K) - 1 do
    local r = #full + 1
    full[r] = exact.state_near(visible, exact.dyadic(u, V, 1.5))
    known[r], holes[r] = {}, {}
    for i = 1, V do
      known[r][i] = code // 1 >> ((i - 1) // K) & 1 == 1
      holes[r][i] = known[r][i] and full[r][i] or NAN
    end
  end
  return full, holes, known
end

describe("impute", function()
  it("gives the conditional means and deviations, under every mask #slow", function()
    for _, pair in ipairs { { "bernoulli", "bernoulli" }, { "spin", "bernoulli" }, { "softmax", "spin" },
      { "gaussian", "bernoulli" }, { "relu", "bernoulli" } } do
      local visible, hidden = pair[1], pair[2]
      local p = exact.parameters(V, H, 81, visible == "relu" and 0.4 or 0.9)
      local full, holes, known = masked_rows(visible, 82)
      for _, T in ipairs { 0.7, 1 } do
        for _, device in ipairs(exact.devices()) do
          local m = model(visible, hidden, p, { temperature = T, device = device, dtype = "float64" })
          local o = device == "cpu" and CHAINS or { steps = 40, burn = 20, chains = 128 }
          local mean, draw, std = m:impute(lrn.tensor(holes, { device = device }), o)
          mean, draw, std = mean:tolist(), draw:tolist(), std:tolist()
          for r, row in ipairs(full) do
            local what = ("%s, T = %g on %s, row %d"):format(visible, T, device, r)
            local want, spread = given(p, visible, hidden, T, row, known[r])
            compare(mean[r], want, device == "cpu" and 0.03 or 0.09, what)
            compare(std[r], spread, device == "cpu" and 0.04 or 0.12, what .. ", deviation")
            for i = 1, V do
              if known[r][i] then
                assert.equal(row[i], mean[r][i], what)
                assert.equal(row[i], draw[r][i], what)
                assert.equal(0, std[r][i], what)
              elseif exact.kind(visible).discrete then
                assert.is_true(draw[r][i] == exact.kind(visible).s[1] or draw[r][i] == exact.kind(visible).s[2])
              end
            end
          end
        end
      end
    end
  end)

  it("draws as the exact conditional distribution does", function()
    local p = exact.parameters(V, H, 83)
    local m = model("bernoulli", "bernoulli", p, { seed = 4 })
    local N = 4000
    local _, draw = m:impute(lrn.tensor({ { 1, NAN, NAN, 0 } }):expand(N, V), { chains = 1, steps = 60 })
    local logs = {}
    for n, s in ipairs(exact.states(2)) do
      local v = { 1, s[1], s[2], 0 }
      logs[n] = 0
      for i = 1, V do logs[n] = logs[n] + p.a[i] * v[i] end
      logs[n] = logs[n] + exact.layer_cumulant("bernoulli", exact.hidden_inputs(p, v), 1)
    end
    local z, q = exact.logsumexp(logs), {}
    for n, x in ipairs(logs) do q[n] = math.exp(x - z) end
    local counts = exact.count_states(draw:narrow(2, 2, 2))
    assert.is_true(exact.chi_square(counts, q) < exact.chi_square_bound(3))
  end)

  it("works in units of the data where the model standardises them", function()
    local data = lrn.randn({ 60, V }, { generator = lrn.generator(1) }) *
      lrn.tensor { 2, 3, 0.5, 1 } + lrn.tensor { 5, -10, 0, 1 }
    local p = exact.parameters(V, H, 84, 0.5)
    local plain = model("gaussian", "bernoulli", p, { dtype = "float64" })
    local standard = model("gaussian", "bernoulli", p, { dtype = "float64", normalize = true })
    standard:fit(data, { epochs = 1, batch_size = 60 })
    for name, t in pairs(standard:parameters()) do t:copy_(lrn.tensor(p[name], { dtype = "float64" })) end
    local s = standard:statistics()
    local holes = data:narrow(1, 1, 8):to "float64"
    holes[{ {}, 2 }] = NAN
    holes[{ { 1, 4 }, 4 }] = NAN
    local z = (holes - s.mean) / s.std
    local o = { steps = 400, burn = 40, chains = 100 }
    local mean, draw, std = standard:impute(holes, o)
    local mean_z, _, std_z = plain:impute(z, o)
    assert.is_true(((mean - s.mean) / s.std - mean_z):abs():max() < 0.1)
    assert.is_true((std / s.std - std_z):abs():max() < 0.1)
    assert.is_true(draw:isfinite():all())
    local known = holes:isnan():logical_not()
    assert.is_true(mean:masked_select(known) == holes:masked_select(known))
  end)

  it("keeps what is known bit for bit, and the shape, the targets and the classes of a set", function()
    local train = lrn.data.digits():subset(lrn.arange(1, 20))
    local rbm = lrn.RBM { n_visible = 64, n_hidden = 8, seed = 1 }
    local half = lrn.cat({ lrn.ones(32), lrn.zeros(32) }, 1)
    local set, draw, std = rbm:impute(train, { mask = half:view(8, 8), chains = 2, steps = 5, burn = 2 })
    local x = train:tensor()
    assert.same(x.shape, set.data.shape)
    assert.same(x.shape, draw.shape)
    assert.is_true(set.targets == train.targets and set.classes == train.classes)
    assert.is_true(set.data:narrow(2, 1, 4) == (x:to "float32" / 255):narrow(2, 1, 4))
    assert.is_true(std:narrow(2, 1, 4):max() == 0 and std:narrow(2, 5, 4):min() > 0)
    local whole, same, none = rbm:impute(lrn.eye(64))
    assert.is_true(whole == lrn.eye(64) and same == whole and none:max() == 0)
    local some = lrn.eye(64)
    some[{ 3, 5 }] = NAN
    local filled, one = rbm:impute(some, { chains = 2, steps = 5 })
    assert.is_true(filled:narrow(1, 4, 61) == some:narrow(1, 4, 61) and filled[3][3] == 1)
    assert.is_true(one[3][5] == 0 or one[3][5] == 1)
  end)

  it("is the same with the same seed, and does not depend on how many rows go along", function()
    local function new() return lrn.RBM { n_visible = V, n_hidden = H, seed = 3 } end
    local holes = lrn.tensor { { 1, NAN, 0, 1 }, { NAN, NAN, 1, 0 } }
    local a, b = new():impute(holes), new():impute(holes)
    assert.is_true(a == b)
    assert.is_true(new():impute(lrn.cat({ holes, lrn.ones(700, V) }, 1)):narrow(1, 1, 2) == a)
  end)

  it("says what is wrong with its arguments", function()
    local rbm = lrn.RBM { n_visible = V, n_hidden = H, seed = 3 }
    local function says(text, f, ...)
      local ok, message = pcall(f, rbm, ...)
      assert.is_false(ok)
      assert.equal(text, (message:gsub("^.-:%d+: ", "")))
    end
    local x = lrn.tensor { { 1, NAN, 0, 1 / 0 } }
    says("impute: data: row 1, value 4 is infinite", rbm.impute, x)
    assert.is_true(rbm:impute(x, { mask = lrn.tensor { 1, 1, 1, 0 } }):isfinite():all())
    says("impute: mask: got values from 0 to 3, expected 0 and 1", rbm.impute, x,
      { mask = lrn.tensor { 0, 1, 3, 1 } })
    says("impute: mask: got [2, 4], expected 4 values, or 1 rows of them", rbm.impute, x,
      { mask = lrn.ones(2, 4) })
    says("denoise: flip: missing, expected a number", rbm.denoise, lrn.ones(1, 4))
    says("denoise: flip: got 1, expected a probability > 0 and < 1 (visible units are bernoulli)",
      rbm.denoise, lrn.ones(1, 4), { flip = 1 })
    says("denoise: noise: got 0.1, expected nothing: bernoulli visible units take flip", rbm.denoise,
      lrn.ones(1, 4), { noise = 0.1 })
    says("denoise: y: row 1, value 4 is infinite", rbm.denoise, x, { flip = 0.1 })
    rbm = lrn.GaussianRBM { n_visible = V, n_hidden = H }
    says("denoise: noise: got -1, expected a number > 0 (visible units are gaussian)", rbm.denoise,
      lrn.ones(1, 4), { noise = -1 })
    rbm = lrn.models.define { visible = "relu", hidden = "bernoulli" } { n_visible = V, n_hidden = H }
    says("denoise: not for relu visible units", rbm.denoise, lrn.ones(1, 4), { noise = 1 })
    rbm = lrn.models.define { visible = "softmax", hidden = "bernoulli" } { n_visible = V, n_hidden = H,
      visible_categories = 2 }
    says("impute: clamp: mask: row 1 holds a part of group 1, expected all of its 2 units or none",
      rbm.impute, lrn.tensor { { 1, NAN, 0, 1 } })
  end)
end)

describe("denoise", function()
  -- Means by summing over all v: p(v) prod_i p(y_i | v_i), where NaN says nothing.
  it("gives the posterior means of states under noise that flips them #slow", function()
    for _, visible in ipairs { "bernoulli", "spin", "softmax" } do
      local p = exact.parameters(V, H, 85)
      local K = exact.categories(visible, V)
      local _, holes = masked_rows(visible, 86)
      for _, T in ipairs { 0.8, 1 } do
        local probability, states = exact.marginal(p, "visible", visible, "bernoulli", T)
        for _, flip in ipairs { 0.1, 0.7 } do
          for _, device in ipairs(exact.devices()) do
            local m = model(visible, "bernoulli", p, { temperature = T, device = device, dtype = "float64" })
            local o = device == "cpu" and { steps = 300, burn = 50, chains = 256, flip = flip } or
              { steps = 40, burn = 20, chains = 128, flip = flip }
            local got, _, std = m:denoise(lrn.tensor(holes, { device = device }), o)
            got, std = got:tolist(), std:tolist()
            for r, y in ipairs(holes) do
              local total, mean, second = 0, {}, {}
              for i = 1, V do mean[i], second[i] = 0, 0 end
              for n, v in ipairs(states) do
                local q = probability[n]
                for i = 1, V, K do
                  if y[i] == y[i] then
                    local same = true
                    for k = i, i + K - 1 do same = same and v[k] == y[k] end
                    if K > 1 then
                      q = q * ((same and 1 - flip or 0) + flip / K)
                    else
                      q = q * (same and 1 - flip or flip)
                    end
                  end
                end
                total = total + q
                for i = 1, V do mean[i], second[i] = mean[i] + q * v[i], second[i] + q * v[i] ^ 2 end
              end
              local spread = {}
              for i = 1, V do
                mean[i] = mean[i] / total
                spread[i] = math.sqrt(second[i] / total - mean[i] ^ 2)
              end
              local what = ("%s, T = %g, flip = %g on %s, row %d"):format(visible, T, flip, device, r)
              compare(got[r], mean, device == "cpu" and 0.03 or 0.12, what)
              compare(std[r], spread, device == "cpu" and 0.03 or 0.12, what .. ", deviation")
            end
          end
        end
      end
    end
  end)

  -- v | h ~ N(u, T s), y | v ~ N(v, r^2): p(h | y) ~ exp(b.h / T) prod_i exp(u_i^2 / (2 T s_i)) N(y_i; u_i, T s_i + r^2)
  it("gives the posterior means of Gaussian units under Gaussian noise #slow", function()
    local r2 = 0.6 ^ 2
    for _, z in ipairs { false, { 0.5, -1, 0, 0.25 } } do
      local p = exact.parameters(V, H, 87, 0.5)
      p.z = z or nil
      local _, holes = masked_rows("gaussian", 88)
      for _, T in ipairs { 0.8, 1 } do
        for _, device in ipairs(exact.devices()) do
          local m = model("gaussian", "bernoulli", p, { temperature = T, device = device, dtype = "float64" })
          local o = device == "cpu" and { steps = 300, burn = 50, chains = 256, noise = 0.6 } or
            { steps = 40, burn = 20, chains = 128, noise = 0.6 }
          local got, _, std = m:denoise(lrn.tensor(holes, { device = device }), o)
          got, std = got:tolist(), std:tolist()
          for r, y in ipairs(holes) do
            local logs, means, variances = {}, {}, {}
            for n, h in ipairs(exact.states(H)) do
              local u = exact.visible_inputs(p, h)
              logs[n], means[n], variances[n] = 0, {}, {}
              for j = 1, H do logs[n] = logs[n] + p.b[j] * h[j] / T end
              for i = 1, V do
                local s = T * (z and math.exp(z[i]) or 1)
                logs[n] = logs[n] + u[i] ^ 2 / (2 * s)
                means[n][i], variances[n][i] = u[i], s
                if y[i] == y[i] then
                  logs[n] = logs[n] - (y[i] - u[i]) ^ 2 / (2 * (s + r2))
                  means[n][i] = (u[i] * r2 + y[i] * s) / (s + r2)
                  variances[n][i] = s * r2 / (s + r2)
                end
              end
            end
            local total, mean, spread = exact.logsumexp(logs), {}, {}
            for i = 1, V do
              local first, second = 0, 0
              for n, log_p in ipairs(logs) do
                local q = math.exp(log_p - total)
                first, second = first + q * means[n][i], second + q * (variances[n][i] + means[n][i] ^ 2)
              end
              mean[i], spread[i] = first, math.sqrt(second - first ^ 2)
            end
            local what = ("T = %g on %s, row %d"):format(T, device, r)
            compare(got[r], mean, device == "cpu" and 0.03 or 0.12, what)
            compare(std[r], spread, device == "cpu" and 0.03 or 0.12, what .. ", deviation")
          end
        end
      end
    end
  end)

  it("takes noise in units of the data, and leaves a constant unit at its mean", function()
    local data = lrn.randn({ 80, V }, { generator = lrn.generator(2) }) *
      lrn.tensor { 2, 3, 0, 1 } + lrn.tensor { 5, -10, 7, 1 }
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 2, dtype = "float64", learning_rate = 0 }
    m:fit(data, { epochs = 1 })
    m.W:zero_()
    -- without weights v ~ N(mean, std^2), so that the posterior mean is known
    local s = m:statistics()
    local y = data:narrow(1, 1, 5):to "float64"
    local got, _, std = m:denoise(y, { noise = 3, steps = 50, chains = 20 })
    local s2 = s.std * s.std
    local want = (s.mean * 9 + y * s2) / (s2 + 9)
    assert.is_true((got - want):abs():max() < 1e-9)
    local spread = (s2 * 9 / (s2 + 9)):sqrt()
    assert.is_true((std / spread:clamp(1e-9, 100) - spread:gt(0):to "float64"):abs():max() < 0.15)
    assert.is_true(got:select(2, 3):eq(s.mean[3]):all() and std:select(2, 3):max() == 0)
  end)

  it("brings images nearer to what they were than the noise left them #slow", function()
    local train, test = lrn.data.digits()
    local function bits(set) return set.data:view(#set, 64):gt(127):to "float32" end
    local x, clean = bits(train), bits(test):narrow(1, 1, 100)
    local rbm = lrn.RBM { n_visible = 64, n_hidden = 64, seed = 1, persistent = 50, learning_rate = 0.05 }
    rbm:fit(x, { epochs = 40, batch_size = 50 })
    local flipped = lrn.rand({ 100, 64 }, { generator = lrn.generator(5) }):lt(0.1):to "float32"
    local y = (clean - flipped):abs()
    local v = rbm:denoise(y, { flip = 0.1 })
    local function wrong(t) return t:gt(0.5):to "float32":ne(clean):to "float32":mean() end
    assert.is_true(wrong(v) < 0.65 * wrong(y), ("%g of %g"):format(wrong(v), wrong(y)))

    local real = train.data:view(#train, 64):to "float32" / 255
    local small = test.data:view(#test, 64):narrow(1, 1, 100):to "float32" / 255
    local g = lrn.GaussianRBM { n_visible = 64, n_hidden = 64, seed = 1, learning_rate = 0.01 }
    g:fit(real, { epochs = 40, batch_size = 50 })
    local noisy = small + lrn.randn({ 100, 64 }, { generator = lrn.generator(6) }) * 0.3
    local function error(t) return ((t - small) * (t - small)):mean() end
    local e = error(g:denoise(noisy, { noise = 0.3 }))
    assert.is_true(e < 0.5 * error(noisy), ("%g of %g"):format(e, error(noisy)))
  end)
end)
