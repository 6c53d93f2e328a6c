-- lrn.DBM as its users see it: options and messages, training and pre-training, likelihoods, files.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local near = exact.near
local bars = lrn.data.bars_and_stripes(3)
bars = lrn.data.Dataset(bars.data:reshape(14, 9):to "float32" / 255, bars.targets)
local before = core.set()
before_each(function() core.set { threads = 1 } end)
after_each(function() core.set { threads = before.threads } end)

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

local function small(options)
  local o = { n_visible = 9, n_hidden = { 8, 5 }, seed = 1, persistent = 20, learning_rate = 0.05 }
  for key, value in pairs(options or {}) do o[key] = value end
  return lrn.DBM(o)
end

local function same_parameters(a, b)
  for name, t in pairs(a:parameters()) do assert.is_true(t == b:parameters()[name], name) end
end

describe("lrn.DBM", function()
  it("has parameters by layer, options as fields, and a text", function()
    local m = lrn.DBM { n_visible = 4, n_hidden = { 3, 2, 5 }, seed = 1 }
    local names = require "lrn.check".names(m:parameters())
    assert.same({ "1.W", "1.a", "1.b", "2.W", "2.b", "3.W", "3.b" }, names)
    assert.same({ 2, 5 }, m["3.W"].shape)
    assert.is_true(m.W == m["1.W"])
    assert.same({ 3, 2, 5 }, m.n_hidden)
    assert.equal(25, m.mean_field)
    m.mean_field, m.learning_rate = 7, 0.5
    assert.equal(7, m.mean_field)
    assert.equal(0.5, m.learning_rate)
    assert.matches("^DBM 4 %- 3 %- 2 %- 5 %(bernoulli visible, bernoulli hidden%), float32 on cpu\n", tostring(m))
    assert.matches("mean_field = 7", tostring(m))
    assert.is_false(m["1.W"] == m["2.W"]:t()) -- draws of their own
    assert.same({ 7 }, lrn.DBM { n_hidden = 7 }.n_hidden)
  end)

  it("says what is wrong with its options", function()
    fails("DBM: unknown option 'momentun' %(did you mean 'momentum'%?%); valid: .*mean_field", lrn.DBM,
      { momentun = 1 })
    fails("DBM: unknown option 'rule'", lrn.DBM, { rule = "cd" })
    fails("DBM: unknown option 'clip'", lrn.DBM, { clip = 1 })
    fails("DBM: n_hidden: got 0, expected an integer >= 1", lrn.DBM, { n_hidden = { 4, 0 } })
    fails("DBM: n_hidden: got \"x\", expected a table", lrn.DBM, { n_hidden = "x" })
    fails("DBM: n_hidden: got 17 numbers, expected 1 to 16", lrn.DBM,
      { n_hidden = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } })
    fails("DBM: hidden: got \"gaussian\", expected \"bernoulli\" or \"spin\"", lrn.DBM, { hidden = "gaussian" })
    fails("DBM: visible: got \"selu\", expected units with a density", lrn.DBM, { visible = "selu" })
    fails("DBM: mean_field: got 0, expected an integer >= 1", lrn.DBM, { mean_field = 0 })
    fails("DBM: learning_rate: got %-1, expected a number >= 0", lrn.DBM, { learning_rate = -1 })
    fails("DBM: unknown option 'normalize'", lrn.DBM, { normalize = true })
    local m = small()
    fails("DBM: n_hidden: cannot be assigned", function() m.n_hidden = { 1 } end)
    fails("DBM: tolerance: got %-1, expected a number >= 0", function() m.tolerance = -1 end)
    fails("DBM: unknown field 'x'; valid: 1.W, 1.a", function() m.x = 1 end)
    fails("DBM: 2.W: got %[2, 2%], expected %[8, 5%]", function() m["2.W"] = lrn.zeros(2, 2) end)
    fails("fit: weights: a deep Boltzmann machine takes none", m.fit, m, bars, { weights = lrn.ones(14) })
    fails("forward: layer: got 3, expected an integer >= 1 and <= 2", m.forward, m, bars.data, { layer = 3 })
    fails("energy: layers: got 2 rows of layer 1, expected 1", m.energy, m, lrn.zeros(1, 9),
      { lrn.zeros(2, 8), lrn.zeros(1, 5) })
    fails("sample: thin: got 9, expected an integer <= steps, 5", m.sample, m, 2, { steps = 5, thin = 9 })
    fails("pretrain: epochs: got 3 values, expected one, or 2", m.pretrain, m, bars, { epochs = { 1, 1, 1 } })
    fails("pretrain: unknown option 'epoch' %(did you mean 'epochs'%?%)", m.pretrain, m, bars, { epoch = 1 })
    fails("pretrain: data: got rows of 4 values", m.pretrain, m, lrn.zeros(3, 4))
  end)

  it("gives features of any layer, reconstructions, and samples in every form", function()
    local m = small()
    m:fit(bars, { epochs = 3, batch_size = 7 })
    local f = m:transform(bars, { layer = 1 })
    assert.same({ 14, 8 }, f.data.shape)
    assert.is_true(f.targets == bars.targets)
    assert.is_true(m:transform(bars.data).data == m(bars.data))
    assert.same({ 14, 5 }, m(bars.data).shape)
    local err, v, sampled = m:reconstruct(bars, { mean_field = true })
    assert.same({ 14, 9 }, v.shape)
    near(err, (v - bars.data):pow(2):sum() / 14, 1e-4)
    assert.is_true(sampled > err)
    local mean, states, hidden = m:sample(6, { steps = 20, burn = 5, thin = 5 })
    assert.same({ 4, 6, 9 }, mean.shape)
    assert.same({ 4, 6, 9 }, states.shape)
    assert.same({ 6, 5 }, hidden[2].shape)
    assert.is_true((states * (states - 1)):abs():max() == 0)
    mean = m:sample(14, { steps = 1, start = bars.data })
    assert.same({ 14, 9 }, mean.shape)
    -- with layers given, the first sweep draws v from them alone
    mean = m:sample(6, { steps = 1, start = hidden })
    local want = (hidden[1]:mm(m["1.W"]:t()) + m["1.a"]):sigmoid()
    near((mean - want):abs():max(), 0, 1e-6)
    assert.same({ 20, 5 }, m:chains()[2].shape)
  end)

  it("learns bars and stripes: the exact log-likelihood rises, and the bound with it #slow", function()
    local m = small { n_hidden = { 12, 6 }, learning_rate = 0.1, persistent = 50, centering = 0.1 }
    local first = m:log_likelihood(bars, { method = "exact" })
    m:fit(bars, { epochs = 1500, batch_size = 14, pretrain = { epochs = 200 } })
    local last, _, _, how = m:log_likelihood(bars, { method = "exact" })
    assert.is_false(how.bound)
    assert.is_true(first < -6 and last > -3.8 and last <= -math.log(14), ("%g, then %g"):format(first, last))
    local bound, _, _, about = m:log_likelihood(bars)
    assert.is_true(about.bound and bound <= last + 1e-4 and bound > last - 0.2, ("bound %g of %g"):format(bound, last))
  end)
end)

describe("likelihoods of lrn.DBM", function()
  it("are brackets where log Z is annealed, and say how they were had #slow", function()
    local m = small()
    m:fit(bars, { epochs = 100, batch_size = 7 })
    local z = m:log_partition()
    local got, low, high, how = m:log_partition { method = "ais" }
    near(got, z, 0.05)
    assert.is_true(low <= z and z <= high)
    assert.same({ "ais", 100, 1000 }, { how.method, how.chains, how.temperatures })
    local bound, b_low, b_high, about = m:log_likelihood(bars, { method = "ais", base = bars })
    near(bound, (m:log_likelihood(bars)), 0.05)
    assert.is_true(b_low <= bound and bound <= b_high and about.bound)
    assert.equal("exact", (select(4, m:log_likelihood(bars))).method)
    -- a model that was never trained has no chains to begin from
    assert.is_true((small():log_partition { method = "ais", temperatures = 50 }) > 0)
  end)

  it("are of data as they are, where a model standardises them", function()
    local g = lrn.generator(3)
    local data = lrn.randn({ 300, 4 }, { generator = g }) * 3 + 7
    local m = lrn.DBM { n_visible = 4, n_hidden = { 4, 3 }, visible = "gaussian", normalize = true, seed = 2,
      learning_rate = 0.005, persistent = 50 }
    m:fit(data, { epochs = 20, batch_size = 30 })
    -- as good as a Gaussian of the data's mean and deviation, or a little better
    local gauss = -4 * (0.5 * math.log(2 * math.pi) + 0.5) - m:statistics().std:log():sum()
    near(m:log_likelihood(data, { method = "exact" }), gauss, 0.2)
    near(m:log_likelihood(data), gauss, 0.2)
    local mean = m:sample(500, { steps = 50 })
    near(mean:mean(), 7, 0.5)
    local err, v = m:reconstruct(data)
    near(v:mean(), 7, 0.5)
    assert.is_true(err < 4.5)
  end)

  it("are metrics of fit, and stop training", function()
    local m = small()
    m:fit(bars, { epochs = 6, batch_size = 7, validation = bars, metrics = { log_likelihood = 2,
      free_energy_gap = 1 }, early_stopping = { metric = "log_likelihood", patience = 50 } })
    assert.is_true(m.history.log_likelihood[2] < 0 and m.history.val_log_likelihood[6] < 0)
    near(m.history.val_log_likelihood[2], m.history.log_likelihood[2], 1e-4)
    near(m.history.free_energy_gap[3], 0, 1e-4)
    assert.is_nil(m.history.pl)
    assert.is_true(m.history.val_error[6] > 0)
  end)
end)

describe("pre-training", function()
  it("doubles what the first and the last RBM hear, and halves those between", function()
    local m = lrn.DBM { n_visible = 9, n_hidden = { 8, 7, 6 }, seed = 3 }
    local models = m:pretrain(bars, { epochs = { 4, 3, 2 }, batch_size = { 7, 14, 14 }, learning_rate = { .1, .2, .3 } })
    assert.equal(3, #models)
    for i, m2 in ipairs(models) do
      assert.equal(({ 4, 3, 2 })[i], #m2.history)
      near(m2.learning_rate, ({ .1, .2, .3 })[i], 1e-12)
      assert.equal(i == 1 and 2 or 1, m2._core:get "up_scale")
      assert.equal(i == 3 and 2 or 1, m2._core:get "down_scale")
    end
    assert.is_true(m["1.W"] == models[1].W and m["3.W"] == models[3].W)
    assert.is_true(m["2.W"] == models[2].W / 2)
    assert.is_true(m["1.a"] == models[1].a and m["3.b"] == models[3].b)
    near((m["1.b"] - (models[1].b + models[2].a) / 2):abs():max(), 0, 1e-7)
    near((m["2.b"] - (models[2].b + models[3].a) / 2):abs():max(), 0, 1e-7)
    -- P(h | v) of the first: its input counts twice, its bias once; P(v | h) as ever
    local p = models[1]:hidden_sampling(bars.data)
    near((p - (bars.data:to "float32":mm(models[1].W) * 2 + models[1].b):sigmoid()):abs():max(), 0, 1e-6)
    local q = models[3]:visible_sampling(lrn.ones(1, 6))
    near((q - (lrn.ones(1, 6):mm(models[3].W:t()) * 2 + models[3].a):sigmoid()):abs():max(), 0, 1e-6)
    fails("log_partition: not defined for an RBM whose inputs are doubled", models[1].log_partition, models[1])
    fails("log_likelihood: not defined for an RBM whose inputs are doubled", models[1].log_likelihood, models[1], bars)
  end)

  it("begins where saved RBMs have ended", function()
    local m = lrn.DBM { n_visible = 9, n_hidden = { 8, 7 }, seed = 3 }
    local models, path = m:pretrain(bars, { epochs = 3 }), os.tmpname()
    for i, rbm in ipairs(models) do
      assert(rbm:save(path))
      models[i] = assert(lrn.load(path))
      assert.equal(rbm._core:get "up_scale", models[i]._core:get "up_scale")
    end
    os.remove(path)
    local again = lrn.DBM { models = models, learning_rate = .01 }
    assert.same({ 8, 7 }, again.n_hidden)
    same_parameters(m, again)
    fails("DBM: models: got 5 as number 1, expected an RBM",
      lrn.DBM, { models = { 5 } })
    fails("DBM: models: model 2 is 9 x 8, expected 8 x 8",
      lrn.DBM, { models = { models[1], models[1] } })
    fails("DBM: models: got none", lrn.DBM, { models = {} })
  end)

  it("is the same from a data set, a tensor and an iterator that give the same batches", function()
    local function run(data)
      local m = small()
      m:pretrain(data, { epochs = 2, batch_size = 7, shuffle = false })
      return m
    end
    local x = bars.data:to "float32"
    local a, b = run(bars), run(x)
    same_parameters(a, b)
    local c = run(function(_, batch) if batch <= 2 then return x:narrow(1, 7 * batch - 6, 7) end end)
    assert.is_true(c["1.W"]:isfinite():all() and c["2.W"]:norm() > 0)
  end)

  -- 25 seeds would say more; the margin is wide.
  it("improves the bound at equal epochs: digits #slow", function()
    local train, test = lrn.data.digits()
    local function run(pretrained, seed)
      local m = lrn.DBM { n_visible = 64, n_hidden = { 48, 24 }, learning_rate = .01, seed = seed, momentum = .5 }
      m:fit(train, { epochs = pretrained and 10 or 20, batch_size = 32,
        pretrain = pretrained and { epochs = 10, learning_rate = .05 } or nil })
      return (m:log_likelihood(test, { temperatures = 500 }))
    end
    for seed = 1, 2 do
      local with, without = run(true, seed), run(false, seed)
      assert.is_true(with > without + 1, ("with %g, without %g"):format(with, without))
    end
  end)

  it("is refused where a model is trained already, and is not done again at a resume", function()
    local path = os.tmpname()
    local m = small()
    m:fit(bars, { epochs = 1, pretrain = { epochs = 1 }, checkpoint = { path } })
    fails("pretrain: the model is trained already, for 1 steps", m.pretrain, m, bars)
    fails("fit: pretrain: the model is trained already", m.fit, m, bars, { epochs = 1, pretrain = {} })
    local other = small()
    other:fit(bars, { epochs = 3, resume = path, pretrain = { epochs = 1 } })
    m:fit(bars, { epochs = 2 })
    same_parameters(m, other)
    os.remove(path)
  end)
end)

describe("files of lrn.DBM", function()
  local path = os.tmpname()
  teardown(function() os.remove(path) end)

  it("bring back everything: training goes on bit for bit", function()
    for _, o in ipairs { {}, { optimizer = "adam", dtype = "float64" }, { centering = .05, sparsity_cost = .01,
      momentum = .5 }, { hidden = "spin", persistent = 0 } } do
      local a, b = small(o), small(o)
      a:fit(bars, { epochs = 5, batch_size = 5 })
      b:fit(bars, { epochs = 2, batch_size = 5 })
      assert(b:save(path))
      local c = assert(lrn.load(path))
      assert.equal("DBM", c.class)
      assert.equal(tostring(b), tostring(c))
      assert.is_true(b(bars.data) == c(bars.data))
      c:fit(bars, { epochs = 3, batch_size = 5 })
      same_parameters(a, c)
      assert.same(a.history.error[5], c.history.error[5])
      -- and from a checkpoint inside an epoch
      local d = small(o)
      d:fit(bars, { epochs = 1, batch_size = 5, checkpoint = { path = path, batches = 2, every = 100 } })
      local e = small(o)
      assert(e:fit(bars, { epochs = 5, batch_size = 5, resume = path }))
      same_parameters(a, e)
      local s1, s2 = (a:sample(3, { steps = 2 })), (c:sample(3, { steps = 2 }))
      assert.is_true(s1 == s2)
    end
  end)

  it("keep the statistics of data that are standardised", function()
    local m = lrn.DBM { n_visible = 3, n_hidden = { 3, 2 }, visible = "gaussian", normalize = true, seed = 1 }
    local x = lrn.randn({ 50, 3 }, { generator = lrn.generator(1) }) * 4 + 9
    m:fit(x, { epochs = 1 })
    assert(m:save(path))
    local again = assert(lrn.load(path))
    assert.is_true(again:statistics().mean == m:statistics().mean)
    assert.is_true(again(x) == m(x))
  end)

  it("that are damaged are refused, and say what is wrong", function()
    local m = small()
    m:fit(bars, { epochs = 1 })
    assert(m:save(path))
    local tensors, metas = lrn.io.safetensors.load(path)
    local function altered(change, pattern)
      local t, o = {}, {}
      for name, x in pairs(tensors) do t[name] = x end
      for name, x in pairs(metas) do o[name] = x end
      change(t, o)
      local other = os.tmpname()
      assert(lrn.io.safetensors.save(other, t, o))
      local got, message, code = lrn.load(other)
      os.remove(other)
      assert.is_nil(got)
      assert.matches(pattern, message)
      assert.equal("EFORMAT", code)
    end
    altered(function(t) t["2.W"] = nil end, "tensor '2.W': found nothing, expected %[8, 5%]")
    altered(function(t) t["2.b"] = lrn.zeros(3) end, "tensor '2.b': found a tensor float32%[3%], expected float32%[5%]")
    altered(function(t) t["1.momentum.b"] = nil end, "tensor '1.momentum.b': found nothing")
    altered(function(_, o) o["lrn.layers"] = "[8, 1000000000]" end, "tensor '2.W': found")
    altered(function(_, o) o["lrn.layers"] = "5" end, "damaged")
    altered(function(_, o) o["lrn.place"] = "{}" end, "damaged")
    altered(function(_, o) o["lrn.options"] = o["lrn.options"]:gsub('"steps":1', '"steps":-1') end, "steps: got %-1")
    altered(function(_, o) o["lrn.options"] = o["lrn.options"]:gsub('"steps":1', '"stepz":1') end, "unknown option")
    altered(function(_, o) o["lrn.history"] = "[" end, "lrn.history")
    fails("fit: resume: .* has a model with n_hidden = 8, 5, expected 4, 5", function()
      small { n_hidden = { 4, 5 } }:fit(bars, { resume = path, epochs = 2 })
    end)
    local rbm = lrn.RBM { n_visible = 9, n_hidden = 3 }
    local got, message = rbm:fit(bars, { resume = path, epochs = 2 })
    assert.is_nil(got)
    assert.matches("got a model of class \"DBM\", expected RBM", message)
  end)
end)
