-- Models with labels against sums over all states: DiscriminativeRBM and HybridDiscriminativeRBM.
local lrn = require "lrn"
local core = require "lrn.core"

local V, H, C = 4, 3, 3

-- A model of small sizes with weights that matter, in float64.
local function model(class, options)
  local o = { n_visible = V, n_hidden = H, n_classes = C, dtype = "float64", seed = 7,
    visible_bias = "zero" }
  for name, value in pairs(options or {}) do o[name] = value end
  local m = lrn[class](o)
  local g = lrn.generator(11)
  for _, name in ipairs { "W", "a", "b", "U", "c" } do
    m[name] = lrn.randn({ table.unpack(m[name].shape) }, { dtype = "float64", generator = g }) * 0.8
  end
  return m
end

local function bits(n, code)
  local x = {}
  for i = 1, n do x[i] = code >> (i - 1) & 1 end
  return x
end

local function all_rows(n)
  local list = {}
  for code = 0, (1 << n) - 1 do list[#list + 1] = bits(n, code) end
  return list
end

local function as_lists(m)
  return { W = m.W:tolist(), a = m.a:tolist(), b = m.b:tolist(), U = m.U:tolist(), c = m.c:tolist() }
end

-- E(v, y, h)
local function energy(p, v, y, h)
  local e = -p.c[y]
  for i = 1, V do e = e - p.a[i] * v[i] end
  for j = 1, H do
    e = e - (p.b[j] + p.U[y][j]) * h[j]
    for i = 1, V do e = e - v[i] * p.W[i][j] * h[j] end
  end
  return e
end

-- sum over h of exp(-E(v, y, h) / T)
local function weight(p, v, y, T)
  local sum = 0
  for _, h in ipairs(all_rows(H)) do sum = sum + math.exp(-energy(p, v, y, h) / T) end
  return sum
end

local function near(got, expected, what, tolerance)
  assert.is_true(math.abs(got - expected) <= (tolerance or 1e-11) * (1 + math.abs(expected)),
    ("%s: got %.15g, expected %.15g"):format(what, got, expected))
end

local function data(rows, seed)
  local g = lrn.generator(seed or 3)
  return lrn.rand({ rows, V }, { dtype = "float64", generator = g }):round()
end

local function labels(list)
  return lrn.tensor(list, { dtype = "int64" })
end

describe("A model with labels", function()
  for _, T in ipairs { 1, .5, 2 } do
    describe(("at temperature %g"):format(T), function()
      local m = model("DiscriminativeRBM", { temperature = T })
      local p = as_lists(m)
      local rows = all_rows(V)
      local v = lrn.tensor(rows, { dtype = "float64" })

      it("has the class probabilities of an enumeration", function()
        local log_p, probabilities = m:log_probabilities(v), m:labels_sampling(v)
        for r, row in ipairs(rows) do
          local sum = 0
          for y = 1, C do sum = sum + weight(p, row, y, T) end
          for y = 1, C do
            local expected = weight(p, row, y, T) / sum
            near(probabilities(r, y), expected, "P")
            near(log_p(r, y), math.log(expected), "log P")
          end
        end
      end)

      it("has the free energies of an enumeration, with the label and without", function()
        local F = m:energy(v)
        for r, row in ipairs(rows) do
          local sum = 0
          for y = 1, C do sum = sum + weight(p, row, y, T) end
          near(F[r], -T * math.log(sum), "F(v)")
        end
        for y = 1, C do
          local Fy = m:energy(v, lrn.full(#rows, y, { dtype = "int64" }))
          for r, row in ipairs(rows) do
            near(Fy[r], -T * math.log(weight(p, row, y, T)), "F(v, y)")
          end
        end
      end)

      it("has the partition function and the likelihood of an enumeration", function()
        local Z, ll = 0, 0
        for _, row in ipairs(rows) do
          for y = 1, C do Z = Z + weight(p, row, y, T) end
        end
        near(m:log_partition(), math.log(Z), "log Z")
        for _, row in ipairs(rows) do
          local sum = 0
          for y = 1, C do sum = sum + weight(p, row, y, T) end
          ll = ll + math.log(sum / Z) / #rows
        end
        near((m:log_likelihood(v)), ll, "log likelihood")
        -- and where the visible layer is the one that is listed
        local wide = lrn.DiscriminativeRBM { n_visible = 2, n_hidden = 30, n_classes = 2, seed = 3,
          dtype = "float64", temperature = T }
        local both = wide:energy(lrn.tensor({ { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } },
          { dtype = "float64" }))
        near(wide:log_partition(), (both * (-1 / T)):logsumexp(), "log Z")
      end)

      it("has the conditionals of an enumeration", function()
        local states = all_rows(H)
        local Py = m:class_sampling(lrn.tensor(states, { dtype = "float64" }))
        for k, h in ipairs(states) do
          local w, sum = {}, 0
          for y = 1, C do
            w[y] = math.exp(-energy(p, { 0, 0, 0, 0 }, y, h) / T)
            sum = sum + w[y]
          end
          for y = 1, C do near(Py(k, y), w[y] / sum, "P(y | h)") end
        end
        local mixture, total = m:forward(v), nil
        for y = 1, C do
          local given = m:hidden_sampling(v, lrn.full(#rows, y, { dtype = "int64" }))
          for r, row in ipairs(rows) do
            for j = 1, H do
              local on = 0
              for _, h in ipairs(states) do
                if h[j] == 1 then on = on + math.exp(-energy(p, row, y, h) / T) end
              end
              near(given(r, j), on / weight(p, row, y, T), "P(h | v, y)")
            end
          end
          local part = given * m:labels_sampling(v)(nil, y):reshape(-1, 1)
          total = total and total + part or part
        end
        near((mixture - total):abs():max(), 0, "forward is the mixture over labels")
      end)
    end)
  end

  -- The largest difference between the engine's gradient and the central difference of f.
  local function check_gradient(m, f)
    local worst = 0
    for name, g in pairs(m._core:gradient()) do
      local p = m:parameters()[name]
      local flat, got = p:reshape(-1), g:reshape(-1)
      for i = 1, #flat do
        local x, d = flat[i], 1e-5
        flat:set(i, x + d)
        local up = f()
        flat:set(i, x - d)
        local down = f()
        flat:set(i, x)
        local numeric = (up - down) / (2 * d)
        worst = math.max(worst, math.abs(numeric - got[i]) / (1 + math.abs(numeric)))
      end
    end
    assert.is_true(worst < 2e-9, ("largest difference %g"):format(worst))
  end

  local B = 6
  local some = { 1, 3, 2, 2, 1, 3 }

  for _, T in ipairs { 1, .5, 2 } do
    it(("learns by the derivative of -log P(y | v) at temperature %g"):format(T), function()
      local m = model("DiscriminativeRBM", { temperature = T })
      local v, y = data(B), labels(some)
      m._core:reserve(B, true)
      assert(not m._core:compute_gradient(v, nil, 1, B, y))
      local index = y:reshape(B, 1)
      check_gradient(m, function()
        return -T * m:log_probabilities(v):gather(2, index):mean()
      end)
      assert.equal(0, m._core:gradient().a:abs():max())
    end)

    it(("learns, with alpha, the data, too, at temperature %g"):format(T), function()
      local m = model("HybridDiscriminativeRBM", { temperature = T, alpha = .7, steps = 2 })
      local v, y = data(B), labels(some)
      m._core:reserve(B, true)
      assert(not m._core:compute_gradient(v, nil, 1, B, y))
      local index = y:reshape(B, 1)
      local vn, yn = m._core:negative()
      vn, yn = vn:clone(), yn:clone():argmax(2)
      assert.is_true((m._core:negative() - v):abs():max() > 0)
      check_gradient(m, function()
        return -T * m:log_probabilities(v):gather(2, index):mean() +
          .7 * (m:energy(v, y):mean() - m:energy(vn, yn):mean())
      end)
    end)
  end

  it("learns -log p(v) from rows without a label, alone and among others", function()
    for _, list in ipairs { { 0, 0, 0, 0, 0, 0 }, { 1, 0, 2, 0, 0, 3 } } do
      local m = model("HybridDiscriminativeRBM", { alpha = .7 })
      local v, y = data(B), labels(list)
      m._core:reserve(B, true)
      assert(not m._core:compute_gradient(v, nil, 1, B, y))
      local vn, yn = m._core:negative()
      vn, yn = vn:clone(), yn:clone():argmax(2)
      check_gradient(m, function()
        local log_p, F, sum = m:log_probabilities(v), m:energy(v), 0
        for r = 1, B do
          local k = list[r]
          if k > 0 then sum = sum - log_p(r, k) - .7 * log_p(r, k) end
          sum = sum + .7 * F[r]
        end
        return sum / B - .7 * m:energy(vn, yn):mean()
      end)
      if list[1] == 0 then -- a batch that comes without labels is the same
        local other = model("HybridDiscriminativeRBM", { alpha = .7 })
        other._core:reserve(B, true)
        assert(not other._core:compute_gradient(v, nil, 1, B))
        for name, g in pairs(m._core:gradient()) do
          assert.is_true(g == other._core:gradient()[name], name)
        end
      end
    end
  end)

  it("learns likewise from persistent chains, which carry their labels along", function()
    local m = model("HybridDiscriminativeRBM", { alpha = .7, persistent = 5 })
    local v, y = data(B), labels(some)
    m._core:reserve(B, true)
    assert(not m._core:compute_gradient(v, nil, 1, B, y))
    local vn, yn = m._core:negative()
    vn, yn = vn:clone(), yn:clone():argmax(2)
    assert.equal(5, vn:size(1))
    local index = y:reshape(B, 1)
    check_gradient(m, function()
      return -m:log_probabilities(v):gather(2, index):mean() +
        .7 * (m:energy(v, y):mean() - m:energy(vn, yn):mean())
    end)
  end)

  it("is, with alpha = 0, the discriminative model bit for bit", function()
    local train = lrn.data.digits()
    local made = {}
    for i, class in ipairs { "DiscriminativeRBM", "HybridDiscriminativeRBM" } do
      local o = { n_visible = 64, n_hidden = 12, n_classes = 10, seed = 5, momentum = .5, decay = 1e-3 }
      if i == 2 then o.alpha = 0 end
      made[i] = lrn[class](o)
      made[i]:fit(train, { epochs = 2, batch_size = 50 })
    end
    for name, p in pairs(made[1]:parameters()) do
      assert.is_true(p == made[2]:parameters()[name], name)
    end
    assert.same(made[1].history.loss, made[2].history.loss)
  end)

  it("leaves alone what P(y | v) does not know, also with decay", function()
    local m = lrn.DiscriminativeRBM { n_visible = 64, n_hidden = 4, n_classes = 10, seed = 5, decay = .1,
      visible_bias = "zero" }
    m.a = lrn.full(64, .25)
    m:fit((lrn.data.digits()), { epochs = 1 })
    assert.is_true((m.a - .25):abs():max() == 0)
  end)

  it("has finite probabilities for any weights", function()
    local m = model("DiscriminativeRBM")
    m.W, m.U, m.c = m.W * 1e4, m.U * 1e5, m.c * 1e6
    local p = m:labels_sampling(data(8))
    assert.is_true(p:isfinite():all())
    near((p:sum(2) - 1):abs():max(), 0, "sum")
  end)

  it("draws classes, and does not take the likeliest", function()
    -- 6000 draws: a frequency is off by more than 5 standard deviations less than once in 10^6
    local n = 6000
    local m = model("DiscriminativeRBM")
    local h = lrn.zeros(n, H, { dtype = "float64" })
    local p, y = m:class_sampling(h)
    local p2, y2 = m:labels_sampling(lrn.zeros(n, V, { dtype = "float64" }))
    for k = 1, C do
      for _, pair in ipairs { { p, y }, { p2, y2 } } do
        local expected = pair[1](1, k)
        local share = pair[2]:eq(k):count_nonzero() / n
        assert.is_true(math.abs(share - expected) < 5 * math.sqrt(expected * (1 - expected) / n),
          ("class %d: %g, expected %g"):format(k, share, expected))
      end
    end
  end)

  it("has chains that stay where the joint distribution is", function()
    -- chi-square of (v, y) over its 12 cells, 11 degrees of freedom: above 45 less than 5 in 10^6
    local m = lrn.HybridDiscriminativeRBM { n_visible = 2, n_hidden = 2, n_classes = 3, seed = 9,
      dtype = "float64" }
    local g = lrn.generator(2)
    for _, name in ipairs { "W", "a", "b", "U", "c" } do
      m[name] = lrn.randn({ table.unpack(m[name].shape) }, { dtype = "float64", generator = g })
    end
    local n, logZ = 8000, m:log_partition()
    local _, v, y = m:sample(n, { steps = 60 })
    local cell = v(nil, 1) + v(nil, 2) * 2
    local chi = 0
    for code = 0, 3 do
      for k = 1, 3 do
        local row = lrn.tensor({ bits(2, code) }, { dtype = "float64" })
        local expected = n * math.exp(-m:energy(row, labels { k })[1] - logZ)
        local got = (cell:eq(code) & y:eq(k)):count_nonzero()
        chi = chi + (got - expected) ^ 2 / expected
      end
    end
    assert.is_true(chi < 45, ("chi-square %g"):format(chi))
    -- a label that is held fixed: the chain is that of p(v | y)
    local _, v1, y1 = m:sample(n, { steps = 60, labels = lrn.full(n, 2, { dtype = "int64" }) })
    assert.is_true(y1:eq(2):all())
    local both = lrn.tensor({ { 0, 0 }, { 1, 0 }, { 0, 1 }, { 1, 1 } }, { dtype = "float64" })
    local p = (m:energy(both, lrn.full(4, 2, { dtype = "int64" })) * -1)
    p = (p - p:logsumexp()):exp()
    cell, chi = v1(nil, 1) + v1(nil, 2) * 2, 0
    for code = 0, 3 do -- 3 degrees of freedom: above 28 less than 5 in 10^6
      local got = cell:eq(code):count_nonzero()
      chi = chi + (got - n * p[code + 1]) ^ 2 / (n * p[code + 1])
    end
    assert.is_true(chi < 28, ("chi-square given a label %g"):format(chi))
  end)

  it("learns digits, and says how well", function()
    local train, test = lrn.data.digits()
    for _, class in ipairs { "DiscriminativeRBM", "HybridDiscriminativeRBM" } do
      local m = lrn[class] { n_visible = 64, n_hidden = 32, n_classes = 10, seed = 1, momentum = .9 }
      local loss, accuracy = m:fit(train, { epochs = 10, batch_size = 16, validation = test })
      local got, p, y = m:predict(test)
      assert.is_true(got > .87, ("%s: %g"):format(class, got))
      assert.equal(got, m.history.val_accuracy[10])
      assert.equal(loss, m.history.loss[10])
      assert.equal(accuracy, m.history.accuracy[10])
      assert.is_true(loss < m.history.loss[1])
      assert.same({ #test, 10 }, { p:size(1), p:size(2) })
      assert.near(got, y:eq(test.targets):count_nonzero() / #test, 1e-12)
      assert.is_nil(m.history.pl)
      assert.equal(class == "HybridDiscriminativeRBM", m.history.error ~= nil)
      assert.is_nil((m:predict(test.data)))
    end
  end)

  it("gains from rows without labels what the others do not tell", function()
    -- bars against stripes, of which four rows have labels
    local train = lrn.data.bars_and_stripes(4)
    local loss = {}
    for i, list in ipairs { labels { 1, 2 }, nil } do loss[i] = list end
    local m = lrn.HybridDiscriminativeRBM { n_visible = 16, n_hidden = 16, n_classes = 2, alpha = 1,
      seed = 4, learning_rate = .05 }
    local x = train.data:to "float32"
    local y = lrn.zeros(#train, { dtype = "int64" })
    local before = m:energy(x):mean() - m:energy(1 - x * .5):mean()
    m:fit(lrn.data.Dataset(x, y), { epochs = 100, batch_size = 8 })
    local after = m:energy(x):mean() - m:energy(1 - x * .5):mean()
    assert.is_true(after < before)
    assert.is_nil(m.history.loss)
    assert.is_true(m.history.error[100] < m.history.error[1])
  end)

  it("does the same on every device and with any number of threads", function()
    local was = lrn.set().threads
    local first
    for _, device in ipairs(core.devices()) do
      for _, threads in ipairs(device == "cpu" and { 1, 2 } or { 1 }) do
        lrn.set { threads = threads }
        local m = lrn.HybridDiscriminativeRBM { n_visible = 64, n_hidden = 8, n_classes = 10, seed = 5,
          device = device, alpha = .5, dtype = "float64" }
        m.W, m.U = (m.W * 64):round() / 64, (m.U * 64):round() / 64
        local x = lrn.data.digits():subset(lrn.arange(1, 40))
        local v = (x.data:reshape(40, 64):to "float64" / 255):round()
        local p, drawn = m:labels_sampling(v)
        m._core:reserve(40, true)
        local moved, y = v:to { device = device }, x.targets:to { device = device }
        assert(not m._core:compute_gradient(moved, nil, 1, 40, y))
        local got = { p = p:cpu(), drawn = drawn:cpu(), c = m._core:gradient().c:cpu() }
        if not first then first = got end
        assert.is_true(got.drawn == first.drawn, device)
        assert.is_true((got.p - first.p):abs():max() < 1e-14, device)
        assert.is_true((got.c - first.c):abs():max() < 1e-14, device)
      end
    end
    lrn.set { threads = was }
  end)

  it("goes on from a checkpoint as if it had not stopped", function()
    local train = lrn.data.digits()
    local path = os.tmpname()
    local function new()
      return lrn.HybridDiscriminativeRBM { n_visible = 64, n_hidden = 8, n_classes = 10, seed = 5,
        alpha = .1, momentum = .5, persistent = 10, centering = .01, sparsity_cost = .01 }
    end
    local whole, cut = new(), new()
    whole:fit(train, { epochs = 4 })
    cut:fit(train, { epochs = 2, checkpoint = { path } })
    local resumed = new()
    assert(resumed:fit(train, { epochs = 4, resume = path }))
    for name, p in pairs(whole:parameters()) do
      assert.is_true(p == resumed:parameters()[name], name)
    end
    assert.same(whole.history.loss, resumed.history.loss)
    assert(resumed:save(path))
    local again = assert(lrn.load(path))
    assert.equal("HybridDiscriminativeRBM", again.class)
    assert.equal(10, again.n_classes)
    assert.equal(.1, again.alpha)
    local _, p = whole:predict(train)
    local _, q = again:predict(train)
    assert.is_true(p == q)
    os.remove(path)
  end)

  it("says what is wrong", function()
    local function fails(text, f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.is_true(tostring(message):find(text, 1, true) ~= nil, tostring(message))
    end
    local D = lrn.DiscriminativeRBM
    fails("DiscriminativeRBM: n_classes", D, { n_visible = 4, n_hidden = 3 })
    fails("expected an integer >= 2", D, { n_visible = 4, n_hidden = 3, n_classes = 1 })
    fails("alpha", D, { n_visible = 4, n_hidden = 3, n_classes = 2, alpha = 1 })
    fails("n_classes", lrn.RBM, { n_visible = 4, n_hidden = 3, n_classes = 2 })
    fails("alpha", lrn.HybridDiscriminativeRBM, { n_classes = 2, alpha = -1 })
    local m = D { n_visible = V, n_hidden = H, n_classes = C }
    local x = lrn.zeros(4, V)
    local function set(list) return lrn.data.Dataset(x, labels(list)) end
    fails("fit: targets: got labels from 1 to 4, expected 1 to 3", m.fit, m, set { 1, 2, 3, 4 })
    fails("fit: targets: got labels from -1 to 3", m.fit, m, set { 1, 2, 3, -1 })
    fails("predict: targets", m.predict, m, set { 1, 2, 3, 4 })
    fails("fit: validation", m.fit, m, set { 1, 2, 3, 3 }, { validation = x })
    fails("hidden_sampling: labels: got [3], expected 4 labels", m.hidden_sampling, m, x, labels { 1, 2, 3 })
    fails("pseudo_likelihood: not for a model with labels", m.pseudo_likelihood, m, x)
    fails("sample: labels", m.sample, m, 2, { labels = labels { 1, 4 } })
    fails("sample", m.sample, m, 2, { label = 1 })
    fails("n_classes", function() m.n_classes = 4 end)
    local plain = lrn.RBM { n_visible = 4, n_hidden = 2 }
    fails("predict: self: got a model without labels (RBM)", plain.predict, plain, x)
    fails("hidden_sampling: self", plain.hidden_sampling, plain, x, labels { 1, 1, 1, 1 })
  end)
end)
