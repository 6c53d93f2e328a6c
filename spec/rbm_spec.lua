-- The model object: options, fields, fit, inference.
local lrn = require "lrn"

local function small(options)
  local o = { n_visible = 9, n_hidden = 5, seed = 3 }
  for key, value in pairs(options or {}) do o[key] = value end
  return lrn.RBM(o)
end

local bars = lrn.data.bars_and_stripes(3)

local function same_parameters(a, b)
  for name, t in pairs(a:parameters()) do
    if t ~= b:parameters()[name] then return false end
  end
  return true
end

local function near(a, b, tolerance)
  assert.is_true(math.abs(a - b) <= (tolerance or 1e-5), ("%.9g is not near %.9g"):format(a, b))
end

describe("lrn.RBM", function()
  it("has the documented defaults", function()
    local m = lrn.RBM { seed = 1 }
    assert.equal(128, m.n_visible)
    assert.equal(128, m.n_hidden)
    assert.equal(1, m.steps)
    assert.equal(0.1, m.learning_rate)
    assert.equal(0, m.momentum)
    assert.equal(0, m.decay)
    assert.equal(1, m.temperature)
    assert.equal(0, m.persistent)
    assert.equal("data", m.visible_bias)
    assert.equal("cd", m.rule)
    assert.equal("float32", m.dtype)
    assert.equal("cpu", m.device)
    assert.equal(1, m.seed)
    assert.equal(lrn.RBM, lrn.models.RBM)
  end)

  it("draws weights from N(0, 0.01^2) by its seed and starts biases at 0", function()
    local m = lrn.RBM { n_visible = 100, n_hidden = 100, seed = 7 }
    assert.same({ 100, 100 }, m.W.shape)
    near(m.W:mean(), 0, 6 * 0.01 / 100)
    near(m.W:std(), 0.01, 0.0006)
    assert.equal(0, m.a:abs():max())
    assert.equal(0, m.b:abs():max())
    assert.is_true(m.W == lrn.RBM { n_visible = 100, n_hidden = 100, seed = 7 }.W)
    assert.is_false(m.W == lrn.RBM { n_visible = 100, n_hidden = 100, seed = 8 }.W)
  end)

  it("draws an absent seed from the default generator", function()
    lrn.manual_seed(5)
    local a, b = lrn.RBM { n_visible = 4, n_hidden = 4 }, lrn.RBM { n_visible = 4, n_hidden = 4 }
    lrn.manual_seed(5)
    local c = lrn.RBM { n_visible = 4, n_hidden = 4 }
    assert.is_true(a.W == c.W)
    assert.is_false(a.W == b.W)
  end)

  it("gives options and parameters as fields, and takes new values", function()
    local m = small()
    m.learning_rate = 0.5
    assert.equal(0.5, m.learning_rate)
    m.W = lrn.ones(9, 5)
    assert.equal(45, m.W:sum())
    m.b:fill_(2)
    assert.equal(10, m:parameters().b:sum())
    m.user.note = "mine"
    assert.equal("mine", m.user.note)
    assert.is_nil(m.nothing)
  end)

  it("prints shapes, number of parameters, options and device", function()
    local text = tostring(lrn.RBM { n_visible = 784, n_hidden = 128, seed = 1 })
    assert.matches("^RBM 784 x 128 %(bernoulli visible, bernoulli hidden%), float32 on cpu\n", text)
    assert.matches("W %[784, 128%]  a %[784%]  b %[128%]", text)
    assert.matches("101,264 parameters", text)
    assert.matches("learning_rate = 0%.1", text)
  end)
end)

describe("fit", function()
  it("returns mse and pl of the last epoch and appends to the history", function()
    local m = small()
    local mse, pl = m:fit(bars, { epochs = 3, batch_size = 4 })
    for _, name in ipairs { "mse", "error", "pl", "time" } do assert.equal(3, #m.history[name]) end
    assert.equal(m.history.mse[3], mse)
    assert.equal(m.history.pl[3], pl)
    assert.is_true(pl < 0 and mse > 0)
    m:fit(bars, { epochs = 2 })
    assert.equal(5, #m.history.mse)
    assert.equal(5, #m.history)
  end)

  it("does nothing for no epoch", function()
    local m = small()
    local before = m.W:clone()
    assert.is_nil((m:fit(bars, { epochs = 0 })))
    assert.is_true(before == m.W)
    assert.equal(0, #m.history)
  end)

  it("learns", function()
    local train = lrn.data.digits()
    local m = lrn.RBM { n_visible = 64, n_hidden = 32, seed = 1, visible_bias = "zero" }
    m:fit(train, { epochs = 10, batch_size = 32 })
    local h = m.history
    assert.is_true(h.mse[10] < 0.85 * h.mse[1])
    assert.is_true(h.error[10] < h.mse[10])
    assert.is_true(h.pl[10] > h.pl[1])
  end)

  it("works on every device as on the CPU, within the tolerance of products", function()
    local core = require "lrn.core"
    local train = lrn.data.digits():subset(lrn.arange(1, 80))
    local function run(device, persistent)
      local m = lrn.RBM { n_visible = 64, n_hidden = 12, seed = 5, device = device,
        persistent = persistent, momentum = 0.5, decay = 0.001 }
      local mse, pl = m:fit(train, { epochs = 2, batch_size = 24 })
      local path = os.tmpname()
      assert(m:save(path))
      local again = assert(lrn.load(path, { device = device }))
      os.remove(path)
      assert.equal(device == "cpu" and "cpu" or device, again.W.device)
      return { mse, pl, (m:reconstruct(train)), m:energy(train):mean(), m.W:norm(),
        (again:sample(8, { steps = 3 })):mean(), again(train.data):sum() }
    end
    for _, persistent in ipairs { 0, 10 } do
      local expected = run("cpu", persistent)
      for _, device in ipairs(core.devices()) do
        for i, v in ipairs(run(device, persistent)) do
          assert.near(expected[i], v, 1e-3 * (1 + math.abs(expected[i])), device .. " " .. i)
        end
      end
    end
  end)

  it("gives the same bits from a data set, its tensor and an iterator in the same order", function()
    local function train(data, options)
      local m = small { visible_bias = "zero" }
      options.epochs, options.batch_size = 3, 4
      m:fit(data, options)
      return m
    end
    local a = train(bars, {})
    assert.is_true(same_parameters(a, train(bars.data, {})))
    assert.is_true(same_parameters(a, train(bars:batches { size = 4, seed = 3 }, {})))
    local plain = train(bars, { shuffle = false })
    assert.is_false(same_parameters(a, plain))
    local calls = {}
    local iterator = function(epoch, batch)
      calls[#calls + 1] = epoch .. "." .. batch
      local first = (batch - 1) * 4 + 1
      if first <= 14 then return bars.data:narrow(1, first, math.min(4, 15 - first)) end
    end
    assert.is_true(same_parameters(plain, train(iterator, {})))
    assert.equal("1.1 1.2 1.3 1.4 1.5 2.1", table.concat(calls, " ", 1, 6))
  end)

  it("starts the visible biases from an iterator's first batch, once", function()
    local m = small()
    local n = 0
    m:fit(function(_, batch)
      if batch > 2 then return nil end
      n = n + 1
      return bars.data
    end, { epochs = 2 })
    assert.equal(4, n)
    assert.is_true(m.a:abs():max() > 0)
  end)

  it("gives the same bits for a subset and for its rows", function()
    local half = bars:subset { 9, 2, 14, 5, 6, 1 }
    local a, b = small(), small()
    a:fit(half, { epochs = 2, batch_size = 4 })
    b:fit(half.data:clone(), { epochs = 2, batch_size = 4 })
    assert.is_true(same_parameters(a, b))
  end)

  it("gives the same bits for transformed data and for the data transformed before", function()
    local f = function(x) return x:to "float32" * (1 / 510) end
    local a, b = small(), small()
    a:fit(bars:map(f), { epochs = 2, batch_size = 4 })
    b:fit(f(bars.data), { epochs = 2, batch_size = 4 })
    assert.is_true(same_parameters(a, b))
  end)

  it("takes a batch larger than the data as one short batch", function()
    local a, b = small(), small()
    a:fit(bars, { epochs = 2, batch_size = 1000 })
    b:fit(bars, { epochs = 2, batch_size = 14 })
    assert.is_true(same_parameters(a, b))
    assert.equal(a.history.mse[2], b.history.mse[2])
  end)

  it("takes one row, and rows of any shape of n_visible values", function()
    local m = small()
    assert(m:fit(lrn.ones(9), { epochs = 1 }))
    assert(m:fit(lrn.ones(4, 3, 3), { epochs = 1 }))
    assert(m:fit(lrn.ones(4, 1, 9, 1), { epochs = 1 }))
  end)

  it("gives the same bits for any number of threads", function()
    local train = lrn.data.digits()
    local models = {}
    for i, threads in ipairs { 1, 2, 3 } do
      lrn.set { threads = threads }
      models[i] = lrn.RBM { n_visible = 64, n_hidden = 40, seed = 2 }
      models[i]:fit(train, { epochs = 1 })
    end
    lrn.set { threads = 1 }
    assert.is_true(same_parameters(models[1], models[2]) and same_parameters(models[1], models[3]))
    assert.equal(models[1].history.pl[1], models[3].history.pl[1])
  end)

  it("calls back after each epoch with its numbers, and ends where the callback says false",
    function()
    local m = small()
    local seen = {}
    m:fit(bars, { epochs = 9, callback = function(model, epoch, stats)
      assert.equal(m, model)
      assert.equal(stats.mse, m.history.mse[epoch])
      seen[#seen + 1] = epoch
      return epoch < 3
    end })
    assert.same({ 1, 2, 3 }, seen)
    assert.equal(3, #m.history.mse)
  end)

  it("stays whole when a callback fails", function()
    local a, b = small(), small()
    assert.error_matches(function()
      a:fit(bars, { epochs = 5, callback = function() error "enough" end })
    end, "enough")
    a:fit(bars, { epochs = 2 })
    b:fit(bars, { epochs = 3 })
    assert.is_true(same_parameters(a, b))
    assert.same(b.history.mse, a.history.mse)
  end)

  it("goes on where an error between two batches left it", function()
    local left = 6
    local stop = bars:map(function(x)
      left = left - 1
      if left < 0 then error "stop" end
      return x
    end)
    local a, b = small { visible_bias = "zero" }, small { visible_bias = "zero" }
    assert.error_matches(function() a:fit(stop, { epochs = 3, batch_size = 4 }) end, "stop")
    assert.equal(1, #a.history.mse)
    left = math.huge
    a:fit(stop, { epochs = 2, batch_size = 4 })
    b:fit(bars, { epochs = 3, batch_size = 4 })
    assert.is_true(same_parameters(a, b))
    assert.same(b.history.mse, a.history.mse)
    assert.same(b.history.pl, a.history.pl)
  end)

  it("measures a validation set without a change in training", function()
    local a, b = small(), small()
    a:fit(bars, { epochs = 3, validation = bars:subset { 1, 2, 3 } })
    b:fit(bars, { epochs = 3 })
    assert.equal(3, #a.history.val_error)
    assert.equal(3, #a.history.val_pl)
    assert.is_true(same_parameters(a, b))
  end)

  it("acts on assigned options at the next step", function()
    local m = small()
    m:fit(bars, { epochs = 1 })
    local before = m.W:clone()
    m.learning_rate = 0
    m:fit(bars, { epochs = 1 })
    assert.is_true(before == m.W)
    m.learning_rate = 0.1
    m:fit(bars, { epochs = 1 })
    assert.is_false(before == m.W)
  end)

  it("trains by persistent chains", function()
    local a, b = small { persistent = 8 }, small()
    a:fit(bars, { epochs = 3 })
    b:fit(bars, { epochs = 3 })
    assert.is_false(same_parameters(a, b))
    assert.equal(3, #a.history.mse)
  end)

  it("shows progress on stderr without disturbing what it does", function()
    local a, b = small(), small()
    local err = io.stderr
    local text = {}
    -- luacheck: ignore
    io.stderr = { write = function(_, ...) for _,
      s in ipairs { ... } do text[#text + 1] = s end end,
      flush = function() end }
    local ok, message = pcall(a.fit, a, bars, { epochs = 2, batch_size = 4, progress = true })
    io.stderr = err -- luacheck: ignore
    assert.is_true(ok, message)
    b:fit(bars, { epochs = 2, batch_size = 4 })
    assert.is_true(same_parameters(a, b))
    if os.getenv "LRN_PROGRESS" ~= "0" then
      assert.matches("epoch 2/2: 100%%.*8/8.*mse=", table.concat(text))
    end
  end)

  it("has no pl where visible units are real-valued", function()
    local Gaussian = lrn.models.define { visible = "gaussian", hidden = "bernoulli",
      name = "SpecGaussian" }
    local m = Gaussian { n_visible = 4, n_hidden = 3, learning_rate = 0.001, seed = 1 }
    local mse, pl = m:fit(lrn.randn(20, 4), { epochs = 2, validation = lrn.randn(5, 4) })
    assert.is_number(mse)
    assert.is_nil(pl)
    assert.is_nil(m.history.pl)
    assert.is_nil(m.history.val_pl)
    assert.equal(2, #m.history.val_error)
    assert.matches("^SpecGaussian 4 x 3 %(gaussian visible", tostring(m))
  end)
end)

describe("inference", function()
  local m = small()
  m:fit(bars, { epochs = 20, batch_size = 7 })

  it("gives probabilities and states of each layer", function()
    local p, h = m:hidden_sampling(bars.data)
    assert.same({ 14, 5 }, p.shape)
    assert.same({ 14, 5 }, h.shape)
    assert.is_true(p:min() >= 0 and p:max() <= 1)
    assert.is_true((h * (h - 1)):abs():max() == 0)
    local q, v = m:visible_sampling(h)
    assert.same({ 14, 9 }, q.shape)
    assert.is_true((v * (v - 1)):abs():max() == 0)
  end)

  it("computes the hidden means sigmoid(v W + b)", function()
    local x = bars.data:to "float32":reshape(14, 9) / 255
    local expected = (x:mm(m.W) + m.b):sigmoid()
    assert.is_true((m:forward(bars.data) - expected):abs():max() < 1e-6)
    assert.is_true(m(bars.data) == m:forward(bars.data))
  end)

  it("computes features of a data set in batches, with its labels", function()
    local f = m:transform(bars)
    assert.is_true(f.data == m(bars.data))
    assert.is_true(f.targets == bars.targets)
    assert.equal(bars.classes, f.classes)
    assert.is_true(m:transform(bars.data).data == f.data)
  end)

  it("computes the free energy -a.v - sum softplus(v W + b)", function()
    local x = bars.data:to "float32":reshape(14, 9) / 255
    local expected = -(x * m.a):sum(2) - (x:mm(m.W) + m.b):softplus():sum(2)
    local F = m:energy(bars.data)
    assert.same({ 14 }, F.shape)
    assert.is_true((F - expected):abs():max() < 1e-4)
  end)

  it("has probabilities that sum to 1", function()
    local all = {}
    for i = 0, 2 ^ 9 - 1 | 0 do
      local row = {}
      for j = 1, 9 do row[j] = i >> (j - 1) & 1 end
      all[i + 1] = row
    end
    local log_p = -m:energy(lrn.tensor(all)) - m:log_partition()
    near(log_p:exp():sum(), 1, 1e-4)
    near(m:log_likelihood(bars), (-m:energy(bars.data)):mean() - m:log_partition(), 1e-4)
  end)

  it("scales as (W / T, 1) where the temperature is T", function()
    local a, b = small { temperature = 2 }, small()
    for name, t in pairs(a:parameters()) do
      t:copy_(m:parameters()[name])
      b:parameters()[name]:copy_(m:parameters()[name] / 2)
    end
    assert.is_true((a(bars.data) - b(bars.data)):abs():max() < 1e-6)
    near(a:log_likelihood(bars), b:log_likelihood(bars), 1e-4)
  end)

  it("reconstructs: error from probabilities, the probabilities, the sampled error", function()
    local err, v, sampled = m:reconstruct(bars)
    local x = bars.data:to "float32":reshape(14, 9) / 255
    assert.same({ 14, 9 }, v.shape)
    near(err, ((x - v) ^ 2):sum() / 14, 1e-4)
    assert.is_true(sampled > err)
    local a, va = m:reconstruct(bars, { mean_field = true })
    local b, vb = m:reconstruct(bars, { mean_field = true })
    assert.equal(a, b)
    assert.is_true(va == vb)
  end)

  it("estimates the pseudo-likelihood", function()
    local pl = m:pseudo_likelihood(bars)
    assert.is_true(pl < 0)
    assert.is_true(pl > small():pseudo_likelihood(bars) - 5)
  end)

  it("runs the Gibbs chain", function()
    local ph, sh, qh, th, vk = m:gibbs_sampling(bars.data)
    for _, t in ipairs { ph, sh, qh, th } do assert.same({ 14, 5 }, t.shape) end
    assert.same({ 14, 9 }, vk.shape)
    assert.is_true(ph == m(bars.data))
    assert.is_true((qh - m(vk)):abs():max() < 1e-6)
  end)

  it("draws fantasies, from noise or from given rows", function()
    local mean, state = m:sample(6, { steps = 20 })
    assert.same({ 6, 9 }, mean.shape)
    assert.is_true((state * (state - 1)):abs():max() == 0)
    assert.same({ 2, 9 }, m:sample(2, { steps = 1, start = bars.data:narrow(1, 1, 2) }).shape)
  end)

  it("takes uint8 as value / 255, a data set as its data, and one row as a batch of one", function()
    local x = bars.data:to "float32" / 255
    assert.is_true((m(bars.data) - m(x)):abs():max() < 1e-6)
    assert.same({ 1, 5 }, m(lrn.zeros(9)).shape)
    assert.same({ 0, 5 }, m(lrn.zeros(0, 9)).shape)
    assert.is_true(m:energy(bars) == m:energy(bars.data))
  end)

  it("leaves the model as it is", function()
    local before = { m.W:clone(), m.a:clone(), m.b:clone() }
    m:reconstruct(bars)
    m:sample(3, { steps = 3 })
    m:gibbs_sampling(bars.data)
    assert.is_true(before[1] == m.W and before[2] == m.a and before[3] == m.b)
  end)
end)
