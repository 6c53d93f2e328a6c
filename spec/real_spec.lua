-- Models of real-valued data: statistics and units of the data, constant units, and the hidden units
-- that are a rule without a density. Measured against the same model on data that were standardised
-- here, in plain Lua.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local F64 = { dtype = "float64" }
local classes = { "GaussianRBM", "GaussianReluRBM", "GaussianSeluRBM", "VarianceGaussianRBM" }
local N, V, H = 60, 6, 4

-- Rows in odd units: scales from 0.5 to 300, offsets; columns 3 and 5 constant but for a value in one
-- row that stays below 0.01 of the range.
local function raw_rows(seed)
  local u, rows = exact.uniform(seed), {}
  for r = 1, N do
    local shared = u() - 0.5
    rows[r] = { 100 + 300 * (u() + shared), -20 + 40 * u(), 7, 50 * (u() - shared), -3,
      5 + 30 * u() }
  end
  rows[9][5] = -2
  return rows
end

-- Mean and population deviation by the definition, two passes; 0 for constant columns.
local function statistics(rows)
  local mean, std, low, high = {}, {}, math.huge, -math.huge
  for i = 1, #rows[1] do
    local sum, squares = 0, 0
    for _, row in ipairs(rows) do
      sum, low, high = sum + row[i], math.min(low, row[i]), math.max(high, row[i])
    end
    mean[i] = sum / #rows
    for _, row in ipairs(rows) do squares = squares + (row[i] - mean[i]) ^ 2 end
    std[i] = math.sqrt(squares / #rows)
  end
  for i, s in ipairs(std) do
    if s < 0.01 * (high - low) then std[i] = 0 end
  end
  return mean, std
end

local function standardised(rows, mean, std)
  local out = {}
  for r, row in ipairs(rows) do
    out[r] = {}
    for i, x in ipairs(row) do out[r][i] = std[i] > 0 and (x - mean[i]) / std[i] or 0 end
  end
  return out
end

local function in_data_units(t, mean, std)
  return t:to(F64) * lrn.tensor(std, F64) + lrn.tensor(mean, F64)
end

local function near(a, b, tolerance, what)
  exact.near((a:to { device = "cpu", dtype = "float64" } - b:to { device = "cpu",
    dtype = "float64" }):abs():max(), 0, tolerance, what)
end

local function same(a, b, what)
  for name, t in pairs(a:parameters()) do assert.is_true(t == b:parameters()[name], what or name) end
end

local rows = raw_rows(1)
local mean, std = statistics(rows)
local data, scaled = lrn.tensor(rows, F64), lrn.tensor(standardised(rows, mean, std), F64)

describe("the statistics of a model", function()
  local function fitted(x, options)
    local o = { n_visible = V, n_hidden = H, seed = 1, learning_rate = 0 }
    for key, value in pairs(options or {}) do o[key] = value end
    local m = lrn.GaussianRBM(o)
    m:fit(x, { epochs = 1, batch_size = 7 })
    return m:statistics()
  end

  it("are mean and deviation of all rows in double, 0 for what varies less than 0.01 of the range",
    function()
      assert.equal(0, std[3])
      assert.equal(0, std[5])
      for _, device in ipairs(exact.devices()) do
        for _, dtype in ipairs(exact.dtypes) do
          local s = fitted(data:to { device = device }, { device = device, dtype = dtype })
          for i = 1, V do
            exact.near(s.mean[i], mean[i], 1e-13 * (1 + math.abs(mean[i])))
            exact.near(s.std[i], std[i], 1e-13 * (1 + std[i]))
          end
        end
      end
    end)

  it("are the same for a view, a data set of chosen rows, and bytes over 255", function()
    local s = fitted(lrn.cat({ data, data * 2 }, 2):narrow(2, 1, V))
    exact.near(s.mean[1], mean[1], 1e-10)
    local double = lrn.cat({ data, data + 1000 }, 1)
    s = fitted(lrn.data.Dataset(double, lrn.ones(2 * N)):subset(lrn.arange(1, N)))
    exact.near(s.std[6], std[6], 1e-12)
    local bytes, u = {}, exact.uniform(3)
    for r = 1, 20 do
      bytes[r] = {}
      for i = 1, V do bytes[r][i] = math.floor(256 * u()) end
    end
    local want = fitted(lrn.tensor(bytes, F64) / 255)
    s = fitted(lrn.tensor(bytes, { dtype = "uint8" }))
    near(s.mean, want.mean, 1e-15)
    near(s.std, want.std, 1e-15)
  end)

  it("of an iterator are those of its first batch", function()
    local at = 0
    local s = fitted(function()
      at = at + 1
      if at > 3 then
        at = 0
        return nil
      end
      return data:narrow(1, 20 * at - 19, 20)
    end)
    local first = {}
    for r = 1, 20 do first[r] = rows[r] end
    local want, deviation = statistics(first)
    for i = 1, V do
      exact.near(s.mean[i], want[i], 1e-12)
      exact.near(s.std[i], deviation[i], 1e-12)
    end
  end)

  it("stay those of the first fit, and there are none before it", function()
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 1 }
    assert.same({}, m:statistics())
    local plain = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 1, normalize = false }
    assert.is_true(m:forward(data) == plain:forward(data))
    m:fit(data, { epochs = 1 })
    local s = m:statistics()
    s.mean:fill_(5) -- a copy
    m:fit(data * 3, { epochs = 1 })
    near(m:statistics().mean, lrn.tensor(mean, F64), 1e-12)
  end)

  it("are not there where normalize is false", function()
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, normalize = false, learning_rate = 1e-9 }
    m:fit(data, { epochs = 1 })
    assert.same({}, m:statistics())
    assert.is_false(m.normalize)
  end)
end)

-- The twin sees the same numbers, but standardised by hand.
describe("a model that standardises", function()
  local function twins(class, options)
    local made = {}
    for k, normalize in ipairs { true, false } do
      local o = { n_visible = V, n_hidden = H, seed = 4, dtype = "float64", normalize = normalize,
        learning_rate = 0.002, momentum = 0.5, visible_bias = "zero" }
      for key, value in pairs(options or {}) do o[key] = value end
      made[k] = lrn[class](o)
    end
    if made[2].n_visible == V then -- as the first fit does to those of constant units
      made[2].W = made[2].W * lrn.tensor(std, F64):gt(0):to(F64):reshape(V, 1)
    end
    return made[1], made[2]
  end

  -- With noise the twin's constant units move; then only columns that vary are taken.
  local function pairs_of_data(noise)
    if not noise then return data, scaled end
    local columns = lrn.tensor({ 1, 2, 4, 6 }, { dtype = "int64" })
    return data:index_select(2, columns), scaled:index_select(2, columns)
  end

  it("trains and infers as one whose data were standardised before", function()
    for _, class in ipairs(classes) do
      for _, o in ipairs { {}, { steps = 3, temperature = 0.7 }, { persistent = 5, decay = 0.01 },
        { centering = 0.01, visible_noise = true }, { steps = 2, visible_noise = true } } do
        o.visible_noise = o.visible_noise or false
        local raw, ready = pairs_of_data(o.visible_noise)
        o.n_visible = raw:size(2)
        local m, twin = twins(class, o)
        m:fit(raw, { epochs = 4, batch_size = 16 })
        twin:fit(ready, { epochs = 4, batch_size = 16 })
        for name, t in pairs(m:parameters()) do
          near(t, twin:parameters()[name], 1e-9, class .. ", " .. name)
        end
        near(m:forward(raw), twin:forward(ready), 1e-9, class)
        near((m:hidden_sampling(raw)), (twin:hidden_sampling(ready)), 1e-9, class)
        near(m:energy(raw), twin:energy(ready), 1e-7, class)
        for _, key in ipairs { "mse", "error" } do
          for n = 1, 4 do
            exact.near(m.history[key][n], twin.history[key][n], 1e-9, class .. ", " .. key)
          end
        end
      end
    end
  end)

  it("takes and gives what it has in units of the data, errors in its own", function()
    for _, class in ipairs(classes) do
      local m, twin = twins(class, { visible_noise = true })
      m:fit(data, { epochs = 3, batch_size = 16 })
      for name, t in pairs(m:parameters()) do twin[name] = t end
      m._core:set_state { calls = 7 }
      twin._core:set_state { calls = 7 }
      local live = lrn.tensor(std, F64):gt(0):to(F64)
      local function check(got, want, what)
        near(got, in_data_units(want * live, mean, std), 1e-9, class .. ": " .. what)
      end
      local h = core.unit_sample("bernoulli", lrn.zeros(9 * H, F64), 1, 3):reshape(9, H)
      local a, b = m:visible_sampling(h)
      local c, d = twin:visible_sampling(h)
      check(a, c, "visible mean")
      check(b, d, "visible state")
      a, b = m:sample(9, { steps = 3, start = data:narrow(1, 1, 9) })
      c, d = twin:sample(9, { steps = 3, start = scaled:narrow(1, 1, 9) })
      check(a, c, "sample mean")
      check(b, d, "sample state")
      check((m:sample(9, { steps = 2 })), (twin:sample(9, { steps = 2 })), "sample")
      check((select(5, m:gibbs_sampling(data))), (select(5, twin:gibbs_sampling(scaled))), "gibbs")
      local err, v = m:reconstruct(data)
      local _, w = twin:reconstruct(scaled)
      check(v, w, "reconstruction")
      exact.near(err, (((w - scaled) * live) ^ 2):sum() / N, 1e-10, class .. ": error")
    end
  end)

  it("has a likelihood of the data: its density over them integrates to 1", function()
    -- column 1 varies, column 2 does not and is left out
    local x = lrn.tensor({ { 4, 1 }, { 9, 1 }, { 1, 1 }, { 7, 1.01 }, { 2, 1 } }, F64)
    for _, class in ipairs { "GaussianRBM", "VarianceGaussianRBM" } do
      for _, T in ipairs { 0.5, 1, 2 } do
        local m = lrn[class] { n_visible = 2, n_hidden = 3, seed = 2, dtype = "float64",
          temperature = T, learning_rate = 0.1, variance_rate = class ~= "GaussianRBM" and 1 or nil }
        m:fit(x, { epochs = 30, batch_size = 2 })
        assert.equal(0, m:statistics().std[2])
        local sum, n = 0, 1200
        local grid = {}
        for k = 0, n do
          grid[1] = { -40 + 90 * k / n, 1 }
          local w = 90 / n / 3 * ((k == 0 or k == n) and 1 or k % 2 == 1 and 4 or 2)
          sum = sum + w * math.exp((m:log_likelihood(lrn.tensor(grid, F64))))
        end
        exact.near(sum, 1, 1e-6, class .. " at T = " .. T)
      end
    end
  end)

  it("with input_normalize = false takes standardised rows in forward, and there alone", function()
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 5, dtype = "float64" }
    m:fit(data, { epochs = 2 })
    local want, F = m:forward(data), m:energy(data)
    assert.is_true(m:hidden_sampling(data) == want)
    m.input_normalize = false
    near(m:forward(scaled), want, 1e-12)
    near(m(scaled), want, 1e-12)
    near(m:transform(scaled).data, want, 1e-12)
    assert.is_true(m:hidden_sampling(data) == want)
    assert.is_true(m:energy(data) == F)
  end)

  it("gives a row the same features whatever else is in the batch", function()
    for _, class in ipairs(classes) do
      local m = lrn[class] { n_visible = V, n_hidden = H, seed = 6, normalize = true }
      m:fit(data, { epochs = 1 })
      local other = data * -50 + 3
      other:narrow(1, 7, 1):copy_(data:narrow(1, 7, 1))
      assert.is_true(m:forward(data)[7] == m:forward(other)[7], class)
      near(m:forward(data)[7], m:forward(data[7]):view(-1), 1e-5, class)
      local _, v = m:reconstruct(data, { mean_field = true })
      local _, w = m:reconstruct(other, { mean_field = true })
      assert.is_true(v[7] == w[7], class)
    end
  end)

  it("gives a constant unit its mean, and it no part in any error, with every aid of training",
    function()
      for _, class in ipairs(classes) do
        for _, o in ipairs { { decay = 0.1, l1 = 0.01, centering = 0.1, sparsity_cost = 0.1 },
          { optimizer = "adam" }, { persistent = 8, visible_noise = true, momentum = 0.9 },
          { visible_noise = true, max_norm = 1, clip = 1, temperature = 2 } } do
          o.n_visible, o.n_hidden, o.seed, o.normalize, o.learning_rate = V, H, 7, true, 1e-3
          local m = lrn[class](o)
          m:fit(data, { epochs = 3, batch_size = 16 })
          for _, i in ipairs { 3, 5 } do
            assert.equal(0, m.W:select(1, i):abs():max(), class)
            assert.equal(0, m.a[i], class)
            if m.z then assert.equal(0, m.z[i]) end
          end
          -- the same rows, but for what the constant units have
          local strange = data:clone()
          strange:narrow(2, 3, 1):fill_(1e6)
          strange:narrow(2, 5, 1):fill_(-1e6)
          local calls = m._core:state().calls
          local err, v, sampled = m:reconstruct(data)
          m._core:set_state { calls = calls }
          local again, w, resampled = m:reconstruct(strange)
          assert.equal(err, again, class)
          assert.equal(sampled, resampled, class)
          assert.is_true(v == w)
          for _, t in ipairs { v, (select(2, m:sample(5, { steps = 2 }))) } do
            for _, i in ipairs { 3, 5 } do
              exact.near(t:select(2, i):min(), mean[i], 1e-6 * math.abs(mean[i]))
              exact.near(t:select(2, i):max(), mean[i], 1e-6 * math.abs(mean[i]))
            end
          end
        end
      end
    end)

  it("gets by with a single row, batches of one, and data that are all alike", function()
    for _, class in ipairs(classes) do
      for _, x in ipairs { data:narrow(1, 1, 1), data:narrow(1, 1, 5), lrn.full({ 9, V }, 0.1, F64),
        lrn.zeros(4, V) } do
        local m = lrn[class] { n_visible = V, n_hidden = H, seed = 8, normalize = true }
        m:fit(x, { epochs = 2, batch_size = 1 })
        assert.is_true(m.W:isfinite():all() and m.b:isfinite():all())
        local err, v = m:reconstruct(x)
        assert.is_true(err == err and v:isfinite():all())
        if #x == 1 or #x == 9 then near(v, x, 1e-4) end
      end
    end
  end)

  it("refuses data with a NaN anywhere, before it has learned from others", function()
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 9 }
    local before = m.W:clone()
    local bad = data:clone()
    bad:set(50, 4, 0 / 0)
    local ok, message = pcall(m.fit, m, bad, { epochs = 1, batch_size = 5, shuffle = false })
    assert.is_false(ok)
    assert.matches("fit: data: row 50, value 4 is NaN or infinite", message, 1, true)
    assert.is_true(before == m.W)
    assert.same({}, m:statistics())
    ok, message = pcall(m.fit, m, data * 1e39, { epochs = 1 })
    assert.is_false(ok)
    assert.matches("unit 1: a mean of .* cannot be standardised in float32", message)
    m:fit(data, { epochs = 1 })
    assert.equal(0, m:statistics().std[3])
  end)
end)

describe("files of a real-valued model", function()
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("have the statistics, and training goes on from them bit for bit", function()
    for _, class in ipairs(classes) do
      local o = { n_visible = V, n_hidden = H, seed = 10, momentum = 0.9, normalize = true }
      local whole, part = lrn[class](o), lrn[class](o)
      whole:fit(data, { epochs = 5, batch_size = 16 })
      part:fit(data, { epochs = 2, batch_size = 16 })
      assert(part:save(path))
      local again = assert(lrn.load(path))
      assert.equal(class, again.class)
      assert.is_true(again:statistics().mean == part:statistics().mean)
      assert.is_true(again:statistics().std == part:statistics().std)
      assert.is_true(again:forward(data) == part:forward(data))
      again:fit(data, { epochs = 3, batch_size = 16 })
      same(whole, again, class)
      assert.is_true(whole:forward(data) == again:forward(data))
      assert.equal((whole:reconstruct(data)), (again:reconstruct(data)))
      local resumed = lrn[class](o)
      resumed:fit(data, { epochs = 5, batch_size = 16, resume = path })
      same(whole, resumed, class)
      assert.is_true(whole:forward(data) == resumed:forward(data))
      -- under the names of the format
      local file = assert(lrn.io.safetensors.load(path))
      assert.equal(0, file["stat.std"][3])
      exact.near(file["stat.mean"][1], mean[1], 1e-10)
      assert.equal(class == "VarianceGaussianRBM", file.z ~= nil)
    end
  end)

  it("with statistics that cannot be are refused", function()
    local m = lrn.GaussianRBM { n_visible = V, n_hidden = H, seed = 11 }
    m:fit(data, { epochs = 1 })
    for _, bad in ipairs { { "stat.std", lrn.full({ V }, -1, F64) },
      { "stat.mean", lrn.full({ V }, 0 / 0, F64) }, { "stat.mean", lrn.zeros(V + 1, F64) },
      { "stat.std", lrn.zeros(V) } } do
      local file = core.file_new()
      m._core:store(file)
      local other = core.file_new()
      other:meta("lrn.options", file:meta "lrn.options")
      other:meta("lrn.format", "1")
      other:meta("lrn.class", "GaussianRBM")
      assert(file:save(path))
      for name, t in pairs(assert(lrn.io.safetensors.load(path))) do
        other:put(name, name == bad[1] and bad[2] or t)
      end
      assert(other:save(path))
      local got, message, code = lrn.load(path)
      assert.is_nil(got)
      assert.equal("EFORMAT", code)
      assert.matches("stat", message, 1, true)
    end
  end)
end)

describe("a class of real-valued models", function()
  it("trains on the digits by its defaults, shuffled, with no pl", function()
    local digits = lrn.data.digits()
    for _, class in ipairs(classes) do
      local m = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      local mse, pl = m:fit(digits, { epochs = 1 })
      local first = (m:reconstruct(digits))
      assert.is_true(mse > 0)
      assert.is_nil(pl)
      assert.is_nil(m.history.pl)
      m:fit(digits, { epochs = 9 })
      assert.is_true(m:reconstruct(digits) < first, class)
      local _, v = m:reconstruct(digits)
      assert.is_true(v:min() > -0.8 and v:max() < 1.8, class) -- pixels, not standard deviations
      local straight = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      straight:fit(digits, { epochs = 1, shuffle = false })
      local mixed = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      mixed:fit(digits, { epochs = 1 })
      assert.is_false(straight.W == mixed.W, class)
      -- the order is that of seed and epoch
      local ordered = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      ordered:fit(digits:subset(core.permutation(#digits, 1, 1)), { epochs = 1, shuffle = false })
      near(ordered.W, mixed.W, 1e-6, class)
      local ok, message = pcall(m.pseudo_likelihood, m, digits)
      assert.is_false(ok)
      assert.matches("not defined for gaussian visible units", message, 1, true)
    end
  end)

  it("has the options of real-valued data, which the binary ones have not", function()
    assert.is_true(lrn.GaussianRBM { n_visible = 2, n_hidden = 2 }.normalize)
    assert.is_true(lrn.VarianceGaussianRBM { n_visible = 2, n_hidden = 2 }.visible_noise)
    assert.is_false(lrn.GaussianSeluRBM { n_visible = 2, n_hidden = 2 }.normalize)
    local function refused(f, pattern)
      local ok, message = pcall(f)
      assert.is_false(ok)
      assert.matches(pattern, message, 1, true)
    end
    refused(function() lrn.RBM { normalize = true } end, "RBM: unknown option 'normalize'")
    refused(function() lrn.SigmoidRBM { input_normalize = true } end, "unknown option")
    refused(function() lrn.GaussianRBM { variance_rate = 1 } end, "unknown option 'variance_rate'")
    refused(function() lrn.GaussianRBM { variance = true } end, "unknown option 'variance'")
    refused(function() lrn.GaussianRBM { normalize = 1 } end,
      "normalize: got 1, expected true or false")
    refused(function() lrn.VarianceGaussianRBM { variance_rate = -1 } end,
      "variance_rate: got -1, expected a number >= 0")
    local m = lrn.VarianceGaussianRBM { n_visible = 2, n_hidden = 2 }
    refused(function() m.normalize = false end, "normalize: cannot be assigned")
    refused(function() m.variance = false end, "variance")
    refused(function() m.variance_rate = 0 / 0 end, "variance_rate: got")
    refused(function() m.input_normalize = "no" end, "input_normalize: got 'no'")
    refused(function() core.rbm_new { normalize = true } end, "normalize: got true, expected false")
    refused(function() core.rbm_new { variance = true } end, "variance: got true, expected false")
    refused(function() core.rbm_new { visible = "gaussian", variance = true, n_classes = 3 } end,
      "n_classes: got 3, expected 0: not with learned variances")
    refused(function() core.rbm_new { hidden = "nrelu", n_classes = 3 } end,
      "n_classes: got 3, expected 0: not with nrelu units")
    refused(function() lrn.models.define { variance = true } end,
      "models.define: variance: got true, expected false")
  end)

  it("is made by models.define of any hidden row, with learned variances or without", function()
    for _, hidden in ipairs(core.units()) do
      for _, variance in ipairs { false, true } do
        local m = lrn.models.define { visible = "gaussian", hidden = hidden, variance = variance } {
          n_visible = V, n_hidden = H, seed = 3, learning_rate = 1e-3, normalize = true,
          hidden_categories = core.unit_grouped(hidden) and 2 or nil }
        m:fit(data, { epochs = 3 })
        assert.equal(variance, m.sigma ~= nil)
        assert.is_true(m:reconstruct(data) < 10)
      end
    end
  end)

  it("trains on 10,000 images of MNIST by its defaults #slow", function()
    local train, test = lrn.data.mnist { download = false }
    if not train then
      pending "no MNIST"
      return
    end
    train = train:subset(lrn.arange(1, 10000))
    for _, class in ipairs(classes) do
      local m = lrn[class] { n_visible = 784, n_hidden = 128, seed = 1 }
      local constant = m.normalize and 620 or 60
      m:fit(train, { epochs = 5 })
      local err = m:reconstruct(test)
      assert.is_true(err < 0.8 * constant, ("%s: %g"):format(class, err)) -- the mean image: `constant`
    end
  end)
end)

describe("noisy rectified units", function()
  local function normal(t) return math.exp(-t * t / 2) / math.sqrt(2 * math.pi) end
  local function Phi(t) return 0.5 * (1 + lrn.erf(lrn.tensor({ t / math.sqrt(2) }, F64))[1]) end
  -- Mean and variance of max(0, N(x, sigma^2)), sigma^2 = sig(x)
  local function moments(x)
    local s = math.sqrt(1 / (1 + math.exp(-x)))
    local m = x * Phi(x / s) + s * normal(x / s)
    local second = (x * x + s * s) * Phi(x / s) + x * s * normal(x / s)
    return m, second - m * m
  end

  it("are max(0, x + N(0, sig(x))), at a temperature that of x / T", function()
    local n = 40000
    for _, T in ipairs { 0.5, 1, 2 } do
      exact.everywhere(function(device, dtype)
        local count = device == "cpu" and n or 4000
        for k, x in ipairs { -3, -0.5, 0, 1.5, 6 } do
          local s = core.unit_sample("nrelu", lrn.full({ count }, x, { device = device,
            dtype = dtype }), T, 10 + k):to { device = "cpu", dtype = "float64" }
          local m, var = moments(x / T)
          local what = ("x = %g, T = %g, %s on %s"):format(x, T, dtype, device)
          assert.equal(0, s:lt(0):sum())
          exact.near(s:mean(), m, 6 * math.sqrt(var / count), what)
          exact.near(((s - m) ^ 2):mean(), var, 6 * math.sqrt(4 * (var + x * x) * var / count) +
            6 * var / math.sqrt(count), what)
          -- nothing below 0: as often as N(x, sig(x)) is
          local zero = Phi(-(x / T) / math.sqrt(1 / (1 + math.exp(-x / T))))
          exact.near(s:eq(0):sum() / count, zero, 6 * math.sqrt(zero * (1 - zero) / count) + 1e-9,
            what)
        end
      end)
    end
  end)

  it("have the mean softplus and its integral, -Li2(-e^x)", function()
    -- mpmath 1.3: -polylog(2, -exp(x))
    for x, want in pairs { [-8.5] = 0.00020345802010218052, [-2] = 0.13101248471442377, [0] = 0.82246703342411322, [0.5] = 1.2367167868533452, [6] = 19.642456849034784 } do
      local A = core.unit_map("nrelu", "cumulant", lrn.tensor({ x }, F64), 1)[1]
      exact.near(A, want, 1e-15 * math.max(1, want), "x = " .. x)
      exact.near(core.unit_map("nrelu", "mean", lrn.tensor({ x }, F64), 1)[1], math.log(1 +
        math.exp(x)), 1e-13)
    end
  end)

  -- One row n times: the gradient is -v+ m(x+) + <v- m(x-)>, m the mean of the states. The mean of
  -- the copies, softplus, is 0.4 above m near x = 0: this would be seen.
  it("enter the sums of a step as states, drawn in both phases", function()
    local n = 60000
    local p = exact.parameters(3, 2, 41, 0.25, 0.25)
    local plus = { 0.5, -1, 0.25 }
    for _, o in ipairs { { steps = 1 }, { steps = 2 }, { persistent = 60000 }, { temperature = 2 } } do
      local T = o.temperature or 1
      o.visible, o.hidden, o.dtype = "gaussian", "nrelu", "float64"
      local c = exact.model(p, o)
      c:reserve(n, true)
      c:compute_gradient(lrn.tensor(plus, F64):reshape(1, 3):expand(n, 3):contiguous(), nil, 1, n)
      local g, minus = c:gradient(), c:negative()
      local x = minus:mm(c:parameters().W) + c:parameters().b
      for j = 1, 2 do
        local s = ((x:select(2, j) / T):sigmoid()):sqrt()
        local t = x:select(2, j) / T / s
        local m = x:select(2, j) / T * (1 + (t / math.sqrt(2)):erf()) / 2 +
          s * (t * t / -2):exp() / math.sqrt(2 * math.pi)
        local of_plus = moments(exact.hidden_inputs(p, plus)[j] / T)
        exact.near(g.b[j], m:mean() - of_plus, 6 * 1.5 / math.sqrt(n), "b")
        for i = 1, 3 do
          exact.near(g.W(i, j), (minus:select(2, i) * m):mean() - plus[i] * of_plus,
            6 * 4 / math.sqrt(n), "W")
        end
      end
    end
  end)

  it("have no likelihood, as selu has none, on either side", function()
    for _, unit in ipairs { "nrelu", "selu" } do
      for _, o in ipairs { { hidden = unit }, { visible = unit } } do
        o.n_visible, o.n_hidden, o.seed = 3, 2, 1
        local c = core.rbm_new(o)
        for _, f in ipairs { "log_partition", "log_likelihood" } do
          local ok, message = pcall(c[f], c, lrn.zeros(1, 3))
          assert.is_false(ok)
          assert.matches("not defined for " .. unit .. " units, which are a rule without a density",
            message, 1, true)
        end
      end
    end
  end)
end)

describe("selu units", function()
  it("are selu(x) with no noise, for any seed", function()
    local l, a = 1.0507009873554805, 1.6732632423543772
    local x = { -5, -1, -0.25, 0, 0.5, 3 }
    exact.everywhere(function(device, dtype)
      local t = lrn.tensor(x, { device = device, dtype = dtype })
      local s = core.unit_sample("selu", t, 1, 1)
      assert.is_true(s == core.unit_sample("selu", t, 1, 2))
      assert.is_true(s == core.unit_map("selu", "mean", t, 1))
      for i, value in ipairs(s:tolist()) do
        exact.near(value, l * (x[i] > 0 and x[i] or a * (math.exp(x[i]) - 1)),
          dtype == "float64" and 1e-14 or 1e-6)
      end
    end)
  end)
end)
