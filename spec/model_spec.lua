-- Models written in Lua (lrn.Model), optimisers, and gradcheck.
local lrn = require "lrn"
local program = dofile "spec/support/program.lua"
local core = require "lrn.core"

local bars = lrn.data.bars_and_stripes(3) -- 14 images of 9

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

-- Logistic regression on one class, in closed form; `more` changes what is given to lrn.Model.
local function logistic(more, kind)
  local given = { name = "Logistic", seed = 3, learning_rate = .5,
    parameters = { W = lrn.zeros({ 9, 1 }, kind), b = lrn.zeros({ 1 }, kind) },
    loss = function(self, x, labels, weights)
      local y = labels:eq(1):to(x.dtype):view(-1, 1)
      local u = x:mm(self.W) + self.b
      local share = weights and (weights / weights:sum()):view(-1, 1) or 1 / x:size(1)
      local d = (u:sigmoid() - y) * share
      return ((u:softplus() - u * y) * share):sum(), { W = x:t():mm(d), b = d:sum(1) }
    end,
    step = function(self, x, labels, weights)
      local loss, gradients = self:loss(x, labels, weights)
      return { loss = loss }, gradients
    end,
    validate = function(self, x, labels) return { loss = (self:loss(x, labels)) } end }
  for name, value in pairs(more or {}) do given[name] = value end
  return lrn.Model(given)
end

local function same(a, b)
  return a.W == b.W and a.b == b.b
end

describe("a model written in Lua", function()
  it("trains by its gradients, with labels, as the formula says", function()
    local m = logistic({ momentum = .5 }, { dtype = "float64" })
    local stats = m:fit(bars, { epochs = 3, batch_size = 1000, shuffle = false })
    local x = bars:tensor():reshape(14, 9):to "float64" / 255
    local y = bars.targets:eq(1):to "float64":view(-1, 1)
    local W, b, mW, mb, loss = lrn.zeros({ 9, 1 }, { dtype = "float64" }), 0, 0, 0, nil
    for _ = 1, 3 do
      local u = x:mm(W) + b
      loss = (u:softplus() - u * y):sum() / 14
      local d = (u:sigmoid() - y) / 14
      mW, mb = mW * .5 + x:t():mm(d), mb * .5 + d:sum()
      W, b = W - mW * .5, b - mb * .5
    end
    assert.is_true((m.W - W):abs():max() < 1e-14)
    assert(math.abs(m.b[1] - b) < 1e-14)
    assert(math.abs(stats.loss - loss) < 1e-14)
    assert.same({ "loss", "ratio", "time" }, m.history:metrics())
  end)

  it("gets rows in its dtype, bytes divided by 255, flat, in batches whose means are \z
    weighted", function()
    local seen = {}
    local m = logistic { step = function(_, x, labels)
      seen[#seen + 1] = { x:size(1), x:size(2), x.dtype, x:max(), labels.dtype }
      return { loss = x:size(1) }
    end, parameters = { W = lrn.zeros(2, 2) } }
    local stats = m:fit(lrn.data.Dataset(lrn.full({ 5, 3, 3 }, 255, { dtype = "uint8" }),
      lrn.ones({ 5 }, { dtype = "uint8" })), { epochs = 1, batch_size = 3 })
    assert.same({ { 3, 9, "float32", 1, "int64" }, { 2, 9, "float32", 1, "int64" } }, seen)
    assert.equal((3 * 3 + 2 * 2) / 5, stats.loss)
  end)

  it("trains on every device", function()
    local function trained(device)
      local m = logistic(nil, { device = device })
      m:fit(bars, { epochs = 3, batch_size = 4 })
      return m.W:cpu()
    end
    for _, device in ipairs(core.devices()) do
      if device ~= "cpu" then
        assert.is_true((trained(device) - trained "cpu"):abs():max() < 1e-6, device)
      end
    end
  end)

  it("may change its parameters itself, and draw from its own generator", function()
    local function model()
      return lrn.Model { name = "Walk", seed = 5, parameters = { x = lrn.zeros(3) },
        step = function(self)
          self.x:add_(lrn.randn(3, { generator = self.generator }))
          return { far = self.x:norm() }
        end }
    end
    local a, b = model(), model()
    a:fit(bars, { epochs = 2 })
    b:fit(bars, { epochs = 2 })
    assert.is_true(a.x == b.x)
    local path = os.tmpname()
    assert(a:save(path))
    local c = model()
    assert(c:load(path))
    os.remove(path)
    a:fit(bars, { epochs = 2 })
    c:fit(bars, { epochs = 2 })
    assert.is_true(a.x == c.x)
    assert.same(a.history.far, c.history.far)
  end)

  it("takes schedules, validation, weights, early stopping, averaging, callbacks, \z
    progress", function()
    local m, called = logistic(), 0
    m:fit(bars, { epochs = 4, batch_size = 4, schedule = { learning_rate = { 1, .5, .25 } },
      validation = bars:subset { 1, 2, 12, 13 }, callback = function(model, _, stats)
        called = called + 1
        assert.equal(m, model)
        assert.is_true(stats.val_loss > 0)
      end })
    assert.same({ 1, .5, .25, .25 }, m.history.learning_rate)
    assert.equal(.25, m.learning_rate)
    assert.equal(4, called)
    m = logistic()
    m:fit(bars, { epochs = 50, validation = bars, early_stopping = { metric = "val_loss",
      min_delta = .5, patience = 2 } })
    assert.equal(3, #m.history)
    fails("fit: early_stopping: unknown metric 'lss' %(did you mean 'loss'%?%); valid: loss, \z
      ratio, time",
      m.fit, m, bars, { early_stopping = { metric = "lss" } })
    local a, b = logistic(nil, { dtype = "float64" }), logistic(nil, { dtype = "float64" })
    a:fit(bars, { epochs = 1, batch_size = 20, weights = lrn.arange(1, 14) })
    local idx = {}
    for i = 1, 14 do for _ = 1, i do idx[#idx + 1] = i end end
    b:fit(bars:subset(idx), { epochs = 1, batch_size = 200 })
    assert.is_true((a.W - b.W):abs():max() < 1e-14)
    local mean, n, c = 0, 0, logistic(nil, { dtype = "float64" })
    c:fit(bars, { epochs = 3, batch_size = 14, average = 2, callback = function(model, epoch)
      if epoch >= 2 then mean, n = mean + model.W, n + 1 end
    end })
    assert.is_true((c.W - mean / n):abs():max() < 1e-15)
    local given = false
    m = logistic { prepare = function(self, x)
      given = x:size(1)
      self.b = x:mean() * lrn.ones(1)
    end }
    m:fit(bars, { epochs = 0 })
    assert.is_false(given)
    m:fit(bars, { epochs = 1 })
    m:fit(bars, { epochs = 1 })
    assert.equal(14, given)
  end)

  it("goes on bit for bit from a checkpoint, at any batch, also with Adam", function()
    for _, optimizer in ipairs { "sgd", "adam" } do
      local path = os.tmpname()
      local more = { optimizer = optimizer, learning_rate = .1,
        momentum = optimizer == "sgd" and .9 or nil }
      local options = { epochs = 4, batch_size = 4, validation = bars, average = 3,
        early_stopping = { metric = "val_loss", patience = 10 } }
      local whole, part, again = logistic(more), logistic(more), logistic(more)
      whole:fit(bars, options)
      local left = 9
      options.checkpoint = { path = path, batches = 1 }
      pcall(part.fit, part, bars:map(function(x)
        left = left - 1
        if left < 0 then error "stop" end
        return x
      end), options)
      options.checkpoint, options.resume = nil, path
      assert(again:fit(bars, options))
      os.remove(path)
      assert.is_true(same(whole, again))
      assert.same(whole.history.loss, again.history.loss)
      assert.same(whole.history.val_loss, again.history.val_loss)
      assert.same(whole.history.ratio, again.history.ratio)
    end
  end)

  it("saves and loads parameters, options, history and what user holds", function()
    local path = os.tmpname()
    local m = logistic { optimizer = "adam", learning_rate = .125,
      user = { note = "α", list = { 1, 2 } } }
    m:fit(bars, { epochs = 2 })
    assert(lrn.save(path, m))
    local n = assert(lrn.load(path)) -- with the functions of the last lrn.Model of this name
    assert.is_true(same(m, n))
    assert.same({ note = "α", list = { 1, 2 } }, n.user)
    assert.equal(.125, n.learning_rate)
    assert.same(m.history.loss, n.history.loss)
    m:fit(bars, { epochs = 1 })
    n:fit(bars, { epochs = 1 })
    assert.is_true(same(m, n))
    assert.equal(tostring(m), tostring(n))
    m.user.f = print
    fails("model_spec.lua:%d+: save: user: got a value that JSON does not have", m.save, m, path)
    os.remove(path)
  end)

  it("of which this process has no code loads, and says so where it would train", function()
    local path, copy = os.tmpname(), os.tmpname()
    local m = logistic { name = "KnownHere" }
    assert(m:save(path))
    local code = ("local m = assert(lrn.load(%q)) print(m.W:size(1), m.class) m:fit(lrn.ones(2, \z
      9))")
      :format(path)
    local p = io.popen(("%s -e '%s' 2>&1"):format(program.quote(program.path), code))
    local text = p:read "a"
    p:close()
    assert.matches("^9\tKnownHere\n", text)
    assert.matches("fit: KnownHere: its file has no code; make it by lrn.Model and use \z
      model:load%(path%)",
      text)
    os.remove(path)
    os.remove(copy)
  end)

  it("stays as it is where a file is of another model, or damaged", function()
    local path = os.tmpname()
    assert(lrn.RBM { n_visible = 9, n_hidden = 2 }:save(path))
    local m = logistic()
    local before = m.W:clone()
    local ok, message, code = m:load(path)
    assert.same({ nil, ('load: %s: got a model of class "RBM", expected Logistic'):format(path),
      "EFORMAT" }, { ok, message, code })
    assert(logistic({ optimizer = "adam" }):save(path))
    ok, message = m:load(path)
    assert.is_nil(ok)
    assert.matches("got optimizer adam, expected sgd", message)
    assert(logistic({ parameters = { W = lrn.ones(3, 1), b = lrn.ones(1) } }):save(path))
    ok, message = m:load(path)
    assert.is_nil(ok)
    assert.matches("tensor '.*W': found .*%[3, 1%], expected .*%[9, 1%]", message)
    ok, message, code = m:load "/nonexistent/file"
    assert.same({ nil, "ENOENT" }, { ok, code })
    assert.matches("nonexistent", message)
    assert.is_true(before == m.W)
    os.remove(path)
  end)

  it("stops where a metric or a parameter is no longer finite, and names it and the \z
    batch", function()
    local function after(n, what)
      local k = 0
      return logistic { step = function(self)
        k = k + 1
        return what(self, k == n)
      end }
    end
    local advice = "; try a smaller learning_rate, less decay, or standardised data"
    local m = after(6, function(_, bad) return { loss = bad and 0 / 0 or 1, other = 1 } end)
    fails("fit: loss is no longer finite: epoch 2, batch 2 %(step 6%)" .. advice, m.fit, m, bars,
      { batch_size = 4 })
    m = after(6, function(self, bad)
      return { loss = 1 }, { b = lrn.full(1, bad and math.huge or 0) }
    end)
    fails("fit: b is no longer finite: epoch 2, batch 2 %(step 6%)" .. advice, m.fit, m, bars,
      { batch_size = 4 })
    m = after(3, function(self, bad)
      if bad then self.W:fill_(0 / 0) end
      return { loss = 1 }
    end)
    fails("fit: W is no longer finite: epoch 1, batch 3 %(step 3%)" .. advice, m.fit, m, bars,
      { batch_size = 4 })
  end)

  it("says what is wrong with what it was given, or returns", function()
    fails("Model: %a+: missing, expected", lrn.Model, {})
    fails("Model: options: got 3, expected a table", lrn.Model, 3)
    fails("Model: name: got \"a b\", expected a letter", logistic, { name = "a b" })
    fails("Model: parameters: got none, expected tensors by name", logistic, { parameters = {} })
    fails("Model: parameters.W: got 3, expected a tensor", logistic, { parameters = { W = 3 } })
    fails("Model: parameters.b: got a tensor int64%[2%] on cpu, expected", logistic,
      { parameters = { b = lrn.ones({ 2 }, { dtype = "int64" }) } })
    fails("Model: parameters: got \"fit\" as a \z
      name", logistic, { parameters = { fit = lrn.ones(1) } })
    fails("Model: unknown option 'lerning_rate' %(did you mean 'learning_rate'%?%)", logistic,
      { lerning_rate = 1 })
    fails("Model: unknown option 'beta1'", logistic, { beta1 = .5 })
    fails("Model: learning_rate: got %-1, expected a number >= 0", logistic, { learning_rate = -1 })
    fails("Model: fit: is a method of every model", logistic, { fit = print })
    local function step(f) return logistic { step = f } end
    local m = step(function() return 3 end)
    fails("Logistic: step: returned 3, expected a table of metrics", m.fit, m, bars)
    m = step(function() return { loss = "x" } end)
    fails("Logistic: step: returned \"x\" for \"loss\", expected numbers", m.fit, m, bars)
    m = step(function() return { loss = 1 }, { V = lrn.ones(1) } end)
    fails("step: unknown gradient 'V'; valid: W, b", m.fit, m, bars)
    m = step(function() return { loss = 1 }, { b = lrn.ones(2) } end)
    fails("step: gradient b: got float32%[2%] on cpu, expected float32%[1%] on cpu", m.fit, m, bars)
    m = step(function() error "mine" end)
    fails("mine", m.fit, m, bars)
    m = logistic()
    m.W = lrn.ones(9, 1)
    assert.equal(9, m.W:sum())
    fails("Logistic: W: got %[2%], expected %[9, 1%]", function() m.W = lrn.ones(2) end)
    fails("Logistic: unknown field 'w' %(did you mean 'W'%?%)", function() m.w = 3 end)
    fails("optim.sgd: momentum: got 1, expected a number >= 0", function() m.momentum = 1 end)
    m = lrn.Model { name = "Plain", parameters = { x = lrn.ones(1) },
      step = function() return {} end }
    fails("fit: validation: Plain has no function validate", m.fit, m, bars, { validation = bars })
  end)

  it("prints what it is, and leaves the folder of a run", function()
    local m = logistic()
    local folder = os.tmpname()
    os.remove(folder)
    assert(m:fit(bars, { epochs = 2, run = { path = folder, pictures = false } }))
    assert.equal("Logistic (written in Lua), float32 on cpu\n  W [9, 1]  b [1]: 10 parameters\n  \z
      learning_rate = 0.5  optimizer = sgd  seed = 3\n  trained for 2 epochs, 2 steps", tostring(m))
    local n = assert(lrn.load(folder .. "/model.safetensors"))
    assert.is_true(same(m, n))
    os.execute("rm -r " .. folder)
  end)
end)

describe("an optimiser", function()
  -- Twenty steps of an RBM and of the optimiser with the same gradients.
  it("makes the same steps as the models do, bit for bit, on every device", function()
    for _, device in ipairs(core.devices()) do
      for _, o in ipairs { { momentum = .9, decay = .01 }, { l1 = .01, clip = .5 },
        { optimizer = "adam", decay = .1 },
        { optimizer = "adam", beta1 = .5, clip = 1, epsilon = 1e-3 } } do
        local kind, more = o.optimizer or "sgd", {}
        local options = { n_visible = 9, n_hidden = 4, seed = 2, learning_rate = .05,
          device = device, dtype = "float64" }
        for name, value in pairs(o) do
          options[name] = value
          more[name] = value
        end
        more.optimizer, more.learning_rate = nil, .05
        local ok, rbm = pcall(lrn.RBM, options)
        if ok and rbm then
          local c, copies = rbm._core, {}
          for name, t in pairs(rbm:parameters()) do copies[name] = t:clone() end
          local optimizer = lrn.optim[kind](copies, more)
          c:reserve(14, true)
          local x = bars:tensor():to { device = device }
          for _ = 1, 20 do
            c:compute_gradient(x, nil, 1, 14)
            local g = {}
            for name, t in pairs(c:gradient()) do g[name] = t:clone() end
            c:update()
            assert.is_nil(optimizer:step(g))
          end
          for name, t in pairs(rbm:parameters()) do
            local off = (t - copies[name]):abs():max()
            assert(off <= (o.clip and 1e-15 or 0), ("%s %s on %s: \z
              %g"):format(kind, name, device, off))
          end
        end
      end
    end
  end)

  it("has live options, and leaves alone what has no gradient", function()
    local W, b = lrn.ones(2, 2), lrn.ones(2)
    local o = lrn.optim.sgd({ W = W, b = b }, { learning_rate = 1, decay = .5 })
    o:step { W = lrn.zeros(2, 2) }
    assert.equal(2, W:sum()) -- decay, of weights alone
    assert.equal(2, b:sum())
    o.learning_rate = .5
    o:step { b = lrn.ones(2) }
    assert.equal(1, b:sum())
    assert.equal(2, o.steps)
    assert.equal("sgd(clip = 0, decay = 0.5, l1 = 0, learning_rate = 0.5, momentum = 0), 2 steps",
      tostring(o))
    fails("optim.sgd: unknown option 'beta1'", function() o.beta1 = 1 end)
    fails("optim.adam: beta1: got 1, expected a number >= \z
      0", lrn.optim.adam, { b = b }, { beta1 = 1 })
    fails("step: gradients: missing", o.step, o)
  end)

  it("names the parameter that is no longer finite", function()
    local o = lrn.optim.adam { W = lrn.ones(2, 2), b = lrn.ones(2) }
    assert.is_nil(o:step { W = lrn.ones(2, 2), b = lrn.ones(2) })
    assert.equal("b", o:step { W = lrn.ones(2, 2), b = lrn.full(2, 0 / 0) })
  end)
end)

describe("gradcheck", function()
  local W = lrn.randn({ 3, 4 }, { dtype = "float64", generator = lrn.generator(1) })
  local b = lrn.randn({ 4 }, { dtype = "float64", generator = lrn.generator(2) })
  local x = lrn.randn({ 6, 3 }, { dtype = "float64", generator = lrn.generator(3) })
  local function f() return (x:mm(W) + b):softplus():sum() end
  local function gradients()
    local s = (x:mm(W) + b):sigmoid()
    return { W = x:t():mm(s), b = s:sum(1) }
  end
  local p = { W = W, b = b }

  it("passes a right gradient, and leaves the parameters as they were", function()
    local before = W:clone()
    local ok, worst, where = lrn.testing.gradcheck(f, p, gradients())
    assert.is_true(ok)
    assert.is_true(worst < 1e-7)
    assert.matches("^[Wb]%[", where)
    assert.is_true(before == W)
    -- a closed form: d (x^3) = 3 x^2, at large and small values
    for _, value in ipairs { 1e-3, 1, 1e5 } do
      local t = lrn.full({ 1 }, value, { dtype = "float64" })
      assert.is_true(lrn.testing.gradcheck(function() return (t * t * t):sum() end, { t = t },
        { t = t * t * 3 }))
    end
  end)

  it("finds a factor, a sign, one element and a sum that was forgotten, and says where", function()
    local function broken(change)
      local g = gradients()
      change(g)
      return lrn.testing.gradcheck(f, p, g)
    end
    local ok, worst = broken(function(g) g.W = g.W * 2 end)
    assert.is_false(ok)
    assert(math.abs(worst - .5) < 1e-6)
    ok, worst = broken(function(g) g.b = -g.b end)
    assert.is_false(ok)
    assert(math.abs(worst - 2) < 1e-6)
    local where
    ok, worst, where = broken(function(g) g.W[{ 2, 3 }] = g.W(2, 3) * 1.001 end)
    assert.is_false(ok)
    assert.matches("^W%[2, 3%]: the gradient is %S+, the difference %S+$", where)
    assert(math.abs(worst - 1e-3) < 1e-5)
    assert.is_false((broken(function(g) g.b = g.b / 6 end)))
    ok, worst = broken(function(g) g.b[1] = 0 / 0 end)
    assert.is_false(ok)
    assert.is_true(worst ~= worst)
  end)

  it("confirms what a model says that its gradient is", function()
    local m = logistic(nil, { dtype = "float64" })
    m.W, m.b = lrn.randn({ 9, 1 }, { generator = lrn.generator(4) }), lrn.ones(1)
    local data, labels = bars:tensor():reshape(14, 9):to "float64" / 255, bars.targets:to "int64"
    local _, g = m:loss(data, labels)
    local function f_of_m() return (m:loss(data, labels)) end
    assert.is_true(lrn.testing.gradcheck(f_of_m, m:parameters(), g))
  end)

  it("restores the parameter when the function fails, and says what is wrong otherwise", function()
    local before = W:clone()
    fails("mine", lrn.testing.gradcheck, function() error "mine" end, p, gradients())
    assert.is_true(before == W)
    fails("gradcheck: f: returned nil, expected a number", lrn.testing.gradcheck, function() end, p,
      gradients())
    fails("gradcheck: gradients.b: missing, expected a tensor %[4%]", lrn.testing.gradcheck, f, p,
      { W = W })
    fails("gradcheck: unknown gradient 'c'", lrn.testing.gradcheck, f, p, { W = W, b = b, c = b })
    fails("gradcheck: gradients.b: got %[2%], expected %[4%]", lrn.testing.gradcheck, f, p,
      { W = W, b = lrn.ones({ 2 }, { dtype = "float64" }) })
    fails("gradcheck: parameters.W: got a tensor float32%[2%], expected \z
      float64", lrn.testing.gradcheck, f,
      { W = lrn.ones(2) }, { W = lrn.ones(2) })
  end)
end)

describe("the example of a model of one's own", function()
  it("runs, checks its gradient, learns, and leaves model and picture", function()
    local folder = os.tmpname()
    os.remove(folder)
    local p = io.popen(("LRN_PROGRESS=0 %s examples/own_model.lua --data digits --epochs 3 \z
      --out %s 2>&1"):format(
      program.quote(program.path), folder))
    local text = p:read "a"
    assert.is_true(p:close(), text)
    assert.matches("gradcheck%s+true", text)
    local m = assert(lrn.load(folder .. "/model.safetensors"))
    assert.equal("VisibleBoltzmann", m.class)
    assert.is_true(m.history.loss[3] < m.history.loss[1])
    assert.is_true(m.history.val_loss[3] < 25)
    if pcall(require, "lrn.plot.cairo") then assert(io.open(folder .. "/couplings.png")):close() end
    os.execute("rm -r " .. folder)
  end)

  it("has under 40 lines of code", function()
    local n = 0
    for line in io.lines "examples/own_model.lua" do
      if line:find "%S" and not line:find "^%s*%-%-" then n = n + 1 end
    end
    assert.is_true(n < 40, n)
  end)
end)

describe("lrn.models.define", function()
  it("makes a class of any units, masks and defaults, which loads as such", function()
    local path = os.tmpname()
    for _, visible in ipairs(core.units()) do
      for _, mask in ipairs { "none", "dropout", "dropconnect", "edropout" } do
        local name = ("Defined_%s_%s"):format(visible, mask)
        local class = lrn.models.define { name = name, visible = visible, mask = mask,
          defaults = { learning_rate = .01, optimizer = "adam", clip = 1,
            visible_categories = visible == "softmax" and 3 or nil } }
        local m = class { n_visible = 12, n_hidden = 6, seed = 1 }
        assert.same({ .01, "adam", 1 }, { m.learning_rate, m.optimizer, m.clip })
        assert.matches("^" .. name .. " 12 x 6 %(" .. visible .. " visible, bernoulli \z
          hidden%)", tostring(m))
        m:fit(lrn.tensor({ { 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0 } }):expand(8, 12), { epochs = 1 })
        assert(m:save(path))
        local n = assert(lrn.load(path))
        assert.equal(name, n.class)
        assert.equal(tostring(m), tostring(n))
        assert.is_true(m.W == n.W)
      end
    end
    os.remove(path)
  end)

  it("lets options of the caller win, and default masks have their rate", function()
    local class = lrn.models.define { name = "DefinedDropout", mask = "dropout",
      defaults = { learning_rate = .01 } }
    assert.equal(.2, class { learning_rate = .2 }.learning_rate)
    assert.equal(.5, class {}.dropout)
    assert.equal(.25, lrn.models.define { name = "DefinedDropout2", mask = "dropout",
      defaults = { dropout = .25 } } {}.dropout)
  end)

  it("refuses unknown options, and another class of a name", function()
    local define = lrn.models.define
    fails("models.define: defaults: unknown option 'lerning_rate' %(did you mean \z
      'learning_rate'%?%)",
      define, { defaults = { lerning_rate = 1 } })
    fails("models.define: defaults: unknown option \z
      'dropout'", define, { defaults = { dropout = .5 } })
    fails("models.define: defaults: unknown option \z
      'mask'", define, { defaults = { mask = "dropout" } })
    fails("models.define: unknown option 'default' %(did you mean \z
      'defaults'%?%)", define, { default = {} })
    fails("learning_rate: got %-1, expected a number >= 0", function()
      return define { name = "DefinedBad", defaults = { learning_rate = -1 } } {}
    end)
    define { name = "DefinedTwice", defaults = { learning_rate = .5 } }
    define { name = "DefinedTwice", defaults = { learning_rate = .5 } }
    fails("models.define: name: DefinedTwice is defined already, as another model", define,
      { name = "DefinedTwice" })
    fails("models.define: name: DefinedTwice is defined already, as another model", define,
      { name = "DefinedTwice", defaults = { learning_rate = .6 } })
  end)
end)
