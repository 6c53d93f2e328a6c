-- Annealed importance sampling against exact figures of small models, and what is true of it whatever
-- the model: unbiased weights, no variance without weights, nothing that depends on threads, batches or
-- the device. Seeds are fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local near = exact.near
local f64 = { dtype = "float64" }

-- One thread unless a test says so: the models are tiny.
local before = core.set()
before_each(function() core.set { threads = 1 } end)
after_each(function() core.set { threads = before.threads } end)

local function ladder(n) return core.linspace(0, 1, n + 1, f64) end

-- A 10 x 8 model with normal weights of deviation `width` and biases of half as much.
local function model(options, width)
  width = width or 1
  local o = { n_visible = 10, n_hidden = 8, seed = 1 }
  for key, value in pairs(options or {}) do o[key] = value end
  if o.visible == "softmax" then o.visible_categories = 5 end
  if o.hidden == "softmax" then o.hidden_categories = 4 end
  local g = lrn.generator(o.seed)
  local c = core.rbm_new(o)
  for _, name in ipairs { "W", "a", "b" } do
    local t = c:parameters()[name]
    t:copy_(lrn.randn(t.shape, { dtype = "float64", generator = g }) * (name == "W" and width or width / 2))
  end
  return c
end

local function forward(c, n, chains, base)
  c:reserve(math.min(chains, 512), false)
  return c:anneal(chains, ladder(n), base)
end

-- Backwards from samples of the exact distribution: enough sweeps for models as small as these.
local function backward(c, n, chains)
  c:reserve(math.min(chains, 512), false)
  local _, v = c:sample(chains, 400)
  return c:anneal(chains, ladder(n), nil, v)
end

-- Pairs with the size of weights at which they are distributions; the hidden inputs of the first are of
-- the size that training leads to.
local pairs_of_units = {
  { "bernoulli", "bernoulli", 1 }, { "spin", "spin", .35 }, { "bernoulli", "spin", .5 },
  { "gaussian", "bernoulli", .5 }, { "softmax", "bernoulli", 1 }, { "bernoulli", "softmax", 1 },
  { "bernoulli", "gaussian", .25 }, { "spin", "relu", .25 }, { "relu", "bernoulli", .3 },
  { "gaussian", "gaussian", .1 },
}

describe("annealed importance sampling", function()
  it("with 1,000 temperatures and 100 chains is within 0.05 of the exact log Z #slow", function()
    for _, pair in ipairs(pairs_of_units) do
      for seed = 1, 2 do
        local c = model({ visible = pair[1], hidden = pair[2], seed = seed }, pair[3])
        local what = ("%s-%s, seed %d"):format(pair[1], pair[2], seed)
        local z = c:log_partition()
        near(core.anneal_summary(forward(c, 1000, 100)), z, 0.05, what)
        near(core.anneal_summary(backward(c, 1000, 100), true), z, 0.05, what)
      end
    end
  end)

  it("has an error that tells how far off it is: within 5 of them", function()
    for _, T in ipairs { 0.5, 2 } do
      for seed = 4, 6 do
        local c = model({ temperature = T, seed = seed }, T)
        local z = c:log_partition()
        local got, err, count, spread = core.anneal_summary(forward(c, 300, 200))
        near(got, z, 5 * err, "T = " .. T)
        assert.is_true(count > 20 and count <= 200 and spread > 0)
      end
    end
  end)

  -- Jensen: E log mean w < log Z, and the longer the ladder the less so. 600 batches of 5 chains; the
  -- difference of the means is 6 of its standard errors or more.
  it("is too low on its way up and too high on its way down, less so on longer ladders", function()
    local c = model({ seed = 7 }, 1.5)
    local z = c:log_partition()
    local function mean_off(f, n, backwards)
      local sum, squares, runs = 0, 0, 600
      local all = f(c, n, runs * 5)
      for r = 1, runs do
        local x = core.anneal_summary(all:narrow(1, 5 * r - 4, 5), backwards) - z
        sum, squares = sum + x, squares + x * x
      end
      return sum / runs, math.sqrt((squares / runs - (sum / runs) ^ 2) / (runs - 1))
    end
    local up, up_error = mean_off(forward, 3)
    local down, down_error = mean_off(backward, 3, true)
    assert.is_true(up < -6 * up_error, ("up: %g +- %g"):format(up, up_error))
    assert.is_true(down > 6 * down_error, ("down: %g +- %g"):format(down, down_error))
    local longer_up = mean_off(forward, 300)
    local longer_down = mean_off(backward, 300, true)
    assert.is_true(math.abs(longer_up) < -up / 3, ("%g, %g"):format(up, longer_up))
    assert.is_true(math.abs(longer_down) < down / 3, ("%g, %g"):format(down, longer_down))
  end)

  -- The mean of w / Z is 1 whatever the ladder: 5,000 chains, 6 standard errors (2e-9).
  it("has weights whose mean is Z, with two rungs as with five", function()
    for _, o in ipairs { {}, { hidden = "spin", temperature = 2 }, { visible = "softmax" } } do
      for _, n in ipairs { 1, 2, 5 } do
        o.n_visible, o.n_hidden, o.seed = o.visible and 5 or 4, 3, 8
        local c = model(o, .7)
        local w = (forward(c, n, 5000) - c:log_partition()):exp()
        near(w:mean(), 1, 6 * w:std() / math.sqrt(5000), ("%d rungs"):format(n))
        local down = (c:log_partition() - backward(c, n, 5000)):exp()
        near(down:mean(), 1, 6 * down:std() / math.sqrt(5000), ("%d rungs down"):format(n))
      end
    end
  end)

  it("without weights has no variance, and the exact log Z", function()
    for _, pair in ipairs(pairs_of_units) do
      local c = model({ visible = pair[1], hidden = pair[2], dtype = "float64", temperature = 1.5 }, 1)
      c:parameters().W:fill_(0)
      local z = c:log_partition()
      local all = forward(c, 20, 30)
      near((all - z):abs():max(), 0, 1e-11, pair[1] .. "-" .. pair[2])
      near((backward(c, 20, 30) - z):abs():max(), 0, 1e-11, pair[1] .. "-" .. pair[2])
      local log_z, err, count, spread = core.anneal_summary(all)
      near(log_z, z, 1e-11)
      near(err, 0, 1e-6)
      near(count, 30, 1e-6)
      near(spread, 0, 1e-11)
    end
  end)

  it("goes by a base whose means are those of data", function()
    local c = model({ seed = 9 }, 1)
    local data = lrn.tensor { { 1, 1, 1, 0, 0, 0, 1, 0, 1, 0 }, { 1, 0, 1, 0, 0, 1, 1, 0, 1, 1 } }
    c:reserve(100, false)
    local base = c:base_biases(data)
    for i = 1, 10 do -- (N m, kept off 0 and 1 by 1 / (N + 2))
      local p = math.min(math.max((data[{ 1, i }] + data[{ 2, i }]) / 2, 1 / 4), 3 / 4)
      near(base[i], math.log(p / (1 - p)), 1e-12)
    end
    near(core.anneal_summary(forward(c, 1000, 100, base)), c:log_partition(), 0.05)
  end)

  it("sums over the label of a model that has one", function()
    for _, T in ipairs { 1, 2 } do
      local c = model({ n_classes = 3, temperature = T, seed = 10 }, 1)
      local g = lrn.generator(3)
      for _, name in ipairs { "U", "c" } do
        local t = c:parameters()[name]
        t:copy_(lrn.randn(t.shape, { generator = g }))
      end
      local z = c:log_partition()
      near(core.anneal_summary(forward(c, 1000, 100)), z, 0.05, "up")
      near(core.anneal_summary(backward(c, 1000, 100), true), z, 0.05, "down")
    end
  end)

  it("is of the model without its mask, and with noise where training has none", function()
    local c = model({ mask = "dropconnect", dropout = .5, seed = 11 }, 1)
    near(core.anneal_summary(forward(c, 1000, 100)), c:log_partition(), 0.05)
    c = model({ visible_noise = false, seed = 12 }, 1)
    near(core.anneal_summary(forward(c, 1000, 100)), c:log_partition(), 0.05)
  end)

  it("is of data as they are where a model standardises them or has variances of its own", function()
    local g = lrn.generator(17)
    local data = lrn.randn({ 200, 5 }, { generator = g }) * 3 + 7
    data:narrow(2, 5, 1):fill_(4) -- a constant unit
    for _, class in ipairs { "GaussianRBM", "VarianceGaussianRBM" } do
      local m = lrn[class] { n_visible = 5, n_hidden = 6, seed = 18, learning_rate = 0.05 }
      m:fit(data, { epochs = 20, batch_size = 20 })
      m.W:copy_(m.W + lrn.randn({ 5, 6 }, { generator = g }) * .5)
      m.W:narrow(1, 5, 1):fill_(0)
      local truth, z = m:log_likelihood(data), m:log_partition()
      local mean, _, _, info = m:log_likelihood(data, { method = "ais", burn = 300 })
      near(mean, truth, 0.05, class)
      near(info.forward, z, 0.05, class)
      near(info.backward, z, 0.05, class)
      near(m:log_partition { method = "ais", burn = 300 }, z, 0.05, class)
    end
  end)

  it("has the same bits with one thread and two, and in whatever workspace", function()
    local function run(n, room)
      core.set { threads = n }
      local c = model({ n_visible = 40, n_hidden = 30, seed = 13 }, .5)
      c:reserve(room, room > 200)
      return c:anneal(200, ladder(20))
    end
    local one = run(1, 200)
    assert.is_true(one:eq(run(2, 200)):all())
    assert.is_true(one:eq(run(2, 300)):all())
  end)

  -- Weights in units of 1/4 and few rungs: products are exact.
  it("has the same draws in batches as at once", function()
    local c = model({ seed = 14 }, 1)
    local W = c:parameters().W
    W:copy_((W * 4):round() / 4)
    local betas = core.linspace(0, 1, 5, f64)
    c:reserve(7, false)
    local small = core.rbm_new { n_visible = 10, n_hidden = 8, seed = 14 }
    for name, t in pairs(small:parameters()) do t:copy_(c:parameters()[name]) end
    small:reserve(512, false)
    local a, b = c:anneal(600, betas), small:anneal(600, betas)
    near((a - b):abs():max(), 0, 1e-4)
  end)

  it("on other devices is as on the CPU", function()
    for _, device in ipairs(exact.devices()) do
      local function run(where)
        local c = model({ device = where, seed = 15 }, 1)
        local W = c:parameters().W
        W:copy_((W * 4):round() / 4)
        return forward(c, 4, 40)
      end
      near((run(device) - run "cpu"):abs():max(), 0, 1e-4, device)
    end
  end)

  it("allocates before its rungs, not on them, on every device", function()
    for _, device in ipairs(exact.devices()) do
      for _, o in ipairs { {}, { visible = "spin", hidden = "spin" }, { visible = "softmax" },
        { n_classes = 3 }, { visible = "gaussian" } } do
        o.device = device
        local c = model(o, .2)
        c:reserve(20, false)
        local short, long, counts = ladder(2), ladder(50), {}
        for i, betas in ipairs { short, long, short, long } do
          collectgarbage()
          collectgarbage "stop"
          local before_it = core.memory().allocations
          local z = c:anneal(20, betas)
          counts[i] = core.memory().allocations - before_it
          collectgarbage "restart"
          assert.is_true(z:isfinite():all())
        end
        assert.equal(counts[1], counts[2], device)
        assert.equal(counts[3], counts[4], device)
      end
    end
  end)

  -- Where states are 0 and 1 products are sums of selected rows: another order, the same figures. Weights
  -- in units of 1/4 make both exact, so that chains take the same ways.
  it("is the same with dense products as with those of 0 and 1", function()
    local function run(dense)
      core.set { dense = dense }
      finally(function() core.set { dense = false } end)
      local c = model({ n_visible = 40, n_hidden = 30, seed = 19 }, .3)
      for _, t in pairs(c:parameters()) do t:copy_((t * 4):round() / 4) end
      c:parameters().a:sub_(2) -- few ones
      c:parameters().b:sub_(2)
      return forward(c, 8, 50)
    end
    local sums, dense = run(false), run(true)
    near((sums - dense):abs():max(), 0, 1e-4)
  end)

  it("draws anew at each call, the same for the same seed", function()
    local a, b = model({ seed = 16 }, 1), model({ seed = 16 }, 1)
    local first = forward(a, 5, 10)
    assert.is_true(first:eq(forward(b, 5, 10)):all())
    assert.is_false(first:eq(forward(a, 5, 10)):all())
  end)

  it("says what it cannot take", function()
    local c = model()
    c:reserve(4, false)
    local function fails(pattern, ...)
      local ok, message = pcall(c.anneal, c, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    fails("anneal: chains: got 0", 0, ladder(3))
    fails("anneal: ladder: got 1 values", 4, lrn.zeros(1, f64))
    fails("anneal: ladder: got 0 to 0.5, expected 0 to 1", 4, ladder(3) / 2)
    fails("anneal: ladder: got 0.5 after 0.5", 4, lrn.tensor({ 0, .5, .5, 1 }, f64))
    fails("anneal: base: got 3 values, expected 10", 4, ladder(3), lrn.zeros(3))
    fails("anneal: start: got 3 rows, expected 4", 4, ladder(3), nil, lrn.zeros(3, 10))
    fails("anneal: ladder: got .*float32", 4, lrn.zeros(3))
    c = model { hidden = "nrelu" }
    c:reserve(4, false)
    fails("anneal: not defined for nrelu units", 4, ladder(3))
    c = model({ visible = "gaussian", hidden = "relu" }, 3)
    c:reserve(4, false)
    fails("anneal: the model is no distribution", 4, ladder(3))
  end)
end)

describe("log_likelihood and log_partition", function()
  local bars = lrn.data.bars_and_stripes(3)

  local function trained(options)
    local o = { n_visible = 9, n_hidden = 12, seed = 2 }
    for key, value in pairs(options or {}) do o[key] = value end
    local m = lrn.RBM(o)
    m:fit(bars, { epochs = 300, batch_size = 7 })
    return m
  end

  it("are exact where a layer can be listed, three times the same", function()
    local m = trained()
    local mean, low, high, info = m:log_likelihood(bars)
    assert.equal(mean, low)
    assert.equal(mean, high)
    assert.equal("exact", info.method)
    local z, z_low, z_high, about = m:log_partition()
    assert.is_true(z == z_low and z == z_high and about.log_z == z and info.log_z == z)
    near(mean, -m:energy(bars.data):mean() - z, 1e-4)
  end)

  it("by annealing have the exact figure in their bracket, and say how they were had #slow", function()
    for _, options in ipairs { {}, { persistent = 10 } } do
      local m = trained(options)
      local truth, z = m:log_likelihood(bars), m:log_partition()
      local mean, low, high, info = m:log_likelihood(bars, { method = "ais" })
      assert.is_true(low <= truth and truth <= high and low <= mean and mean <= high)
      near(mean, truth, 0.05)
      assert.is_true(high - low < 0.5)
      assert.equal("ais", info.method)
      assert.equal(100, info.chains)
      assert.equal(1000, info.temperatures)
      assert.is_nil(info.warning)
      assert.is_true(info.ess > 50 and info.ess <= 100 and info.error < 0.05)
      local log_z, z_low, z_high, again = m:log_partition { method = "ais", chains = 50,
        temperatures = "classical", base = bars }
      near(log_z, z, 0.05)
      assert.is_true(z_low < z_high)
      assert.equal(14500, again.temperatures)
      assert.equal(50, again.chains)
    end
  end)

  it("are annealed where neither layer can be listed", function()
    local m = lrn.RBM { n_visible = 30, n_hidden = 30, seed = 3 }
    local data = (lrn.rand(5, 30) + 0.5):floor()
    local mean, low, high, info = m:log_likelihood(data, { temperatures = 50 })
    assert.equal("ais", info.method)
    assert.is_true(low <= mean and mean <= high and high - low < 0.3)
    -- as good as no weights: log p = sum of log p_i at biases 0
    near(mean, -30 * math.log(2), 0.3)
    assert.is_false((pcall(m.log_partition, m, { method = "exact" })))
  end)

  it("warn, once, where the bracket is wide or few chains count", function()
    local m = lrn.RBM { n_visible = 16, n_hidden = 12, seed = 4 }
    m.W:copy_(lrn.randn({ 16, 12 }, { generator = lrn.generator(5) }) * 4)
    local lines = {}
    lrn.log.output { write = function(_, text) lines[#lines + 1] = text end }
    finally(function() lrn.log.output(nil) end)
    local _, low, high, info = m:log_likelihood(lrn.zeros(2, 16), { method = "ais", temperatures = 3,
      chains = 20, burn = 50 })
    assert.is_true(high - low > 1 and info.ess < 2)
    assert.matches("log Z lies between .* only: more temperatures.*%d of 20 chains count", info.warning)
    assert.equal(1, #lines)
    assert.matches("log_likelihood: the figure means little", lines[1])
  end)

  -- Spins that are all 1 or all -1, these e^2 times as often: one sweep from the first does not come to
  -- the others.
  it("say that the way down began at states that are not the model's", function()
    local m = lrn.models.define { visible = "spin", hidden = "spin" } { n_visible = 10, n_hidden = 8,
      seed = 5 }
    m.W:fill_(.4)
    m.a:fill_(-.1)
    lrn.log.level "error"
    finally(function() lrn.log.level "warn" end)
    local z = m:log_partition()
    local both = lrn.cat({ lrn.ones(1, 10), -lrn.ones(1, 10) }, 1)
    local _, _, _, info = m:log_likelihood(lrn.ones(3, 10), { method = "ais", base = both, burn = 1,
      temperatures = 400 })
    assert.matches("the way up says .*, the way down less", info.warning)
    assert.equal(info.forward, info.log_z)
    near(info.forward, z, 0.1)
    assert.is_true(info.backward < z - 0.5)
  end)

  it("take more temperatures by themselves where the bracket is wide", function()
    local m = lrn.RBM { n_visible = 16, n_hidden = 12, seed = 6 }
    m.W:copy_(lrn.randn({ 16, 12 }, { generator = lrn.generator(7) }) * 3)
    local _, _, _, info = m:log_likelihood(lrn.zeros(2, 16), { method = "ais", chains = 2, burn = 100 })
    assert.is_true(info.temperatures > 1000)
  end)

  it("refuse what they cannot take", function()
    local m = trained()
    local function fails(pattern, f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    fails('log_partition: method: got "x", expected "exact" or "ais"', m.log_partition, m, { method = "x" })
    fails('temperatures: got "fast", expected an integer >= 1 or "classical"', m.log_partition, m,
      { method = "ais", temperatures = "fast" })
    fails("log_likelihood: unknown option 'chain'", m.log_likelihood, m, bars, { chain = 3 })
    fails("log_likelihood: base: got", m.log_likelihood, m, bars, { method = "ais", base = 3 })
    fails("log_likelihood: data: got 0 rows", m.log_likelihood, m, lrn.zeros(0, 9))
  end)

  it("can be asked in the callback of fit, which trains as without", function()
    local a, b = lrn.RBM { n_visible = 9, n_hidden = 4, seed = 8 }, lrn.RBM { n_visible = 9, n_hidden = 4,
      seed = 8 }
    local curve = {}
    a:fit(bars, { epochs = 3, callback = function(m, epoch)
      curve[epoch] = m:log_likelihood(bars, { method = "ais", temperatures = 20, chains = 10 })
    end })
    b:fit(bars, { epochs = 3 })
    assert.equal(3, #curve)
    assert.is_true(a.W:eq(b.W):all())
  end)
end)

describe("moments of a model", function()
  it("are a table by name", function()
    local m = lrn.RBM { n_visible = 4, n_hidden = 3, seed = 1 }
    local got = m:moments()
    near(got.log_z, m:log_partition(), 1e-12)
    assert.same({ 4, 3 }, got.vh.shape)
    assert.same({ 4 }, got.v.shape)
    assert.same({ 3 }, got.h.shape)
  end)
end)
