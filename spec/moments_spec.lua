-- Exact moments, log Z in closed form, and training by the likelihood's own gradient, against sums over
-- the states of both layers in plain Lua, differences of log Z, and what follows from symmetry.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local near = exact.near
local f64 = { dtype = "float64" }

-- One thread unless a test says so: the models are tiny.
local before = core.set()
before_each(function() core.set { threads = 1 } end)
after_each(function() core.set { threads = before.threads } end)

local function doubles(t) return lrn.tensor(t, f64) end

-- f(model, parameters, unit names, T) for every pair of kinds of which one has states, at three temperatures
local function each_pair(V, H, seed, f)
  for _, visible in ipairs(exact.units()) do
    for _, hidden in ipairs(exact.units()) do
      if exact.kind(visible).discrete or exact.kind(hidden).discrete then
        for _, T in ipairs { 0.5, 1, 2 } do
          local p = exact.parameters(V, H, seed, 0.75)
          f(exact.model(p, { visible = visible, hidden = hidden, temperature = T, dtype = "float64" }), p,
            visible, hidden, T, ("%s-%s at T = %g"):format(visible, hidden, T))
        end
      end
    end
  end
end

-- A model of two Gaussian layers, its matrix P = [I, -W; -W', I], its inverse and c = [a; b].
local function gaussian(V, H, seed, width, options)
  local p = exact.parameters(V, H, seed, width, 0.75)
  local o = { visible = "gaussian", hidden = "gaussian", dtype = "float64" }
  for key, value in pairs(options or {}) do o[key] = value end
  return exact.model(p, o), p
end

-- Gauss-Jordan on an n x n matrix: inverse and determinant, in plain Lua.
local function inverted(P)
  local n, M, det = #P, {}, 1
  for i, row in ipairs(P) do
    M[i] = { table.unpack(row) }
    for j = 1, n do M[i][n + j] = i == j and 1 or 0 end
  end
  for i = 1, n do
    local best = i
    for r = i, n do if math.abs(M[r][i]) > math.abs(M[best][i]) then best = r end end
    if best ~= i then M[i], M[best], det = M[best], M[i], -det end
    local d = M[i][i]
    det = det * d
    for j = 1, 2 * n do M[i][j] = M[i][j] / d end
    for r = 1, n do
      local x = r ~= i and M[r][i] or 0
      if x ~= 0 then for j = 1, 2 * n do M[r][j] = M[r][j] - x * M[i][j] end end
    end
  end
  local out = {}
  for i = 1, n do out[i] = { table.unpack(M[i], n + 1, 2 * n) } end
  return out, det
end

describe("moments", function()
  it("are T times the derivatives of log Z, for every pair that can be summed #slow", function()
    each_pair(4, 4, 41, function(c, _, _, _, T, what)
      local log_z, vh, v, h = c:moments()
      near(c:log_partition(), log_z, 1e-12, what)
      local d = exact.derivative(c:parameters(), function() return c:log_partition() end)
      for name, got in pairs { W = vh, a = v, b = h } do
        for i, x in ipairs(got:view(-1):tolist()) do
          near(x, T * d[name][i], 1e-7, ("%s: %s[%d]"):format(what, name, i))
        end
      end
    end)
  end)

  it("of two discrete layers are sums over the states of both", function()
    each_pair(4, 4, 42, function(c, p, visible, hidden, T, what)
      if not (exact.kind(visible).discrete and exact.kind(hidden).discrete) then return end
      local vs, hs, logs = exact.states(4, visible), exact.states(4, hidden), {}
      for _, v in ipairs(vs) do
        for _, h in ipairs(hs) do logs[#logs + 1] = -exact.energy(p, v, h) / T end
      end
      local log_z, n, vh = exact.logsumexp(logs), 0, {}
      for i = 1, 4 do vh[i] = { 0, 0, 0, 0 } end
      for _, v in ipairs(vs) do
        for _, h in ipairs(hs) do
          n = n + 1
          local P = math.exp(logs[n] - log_z)
          for i = 1, 4 do
            for j = 1, 4 do vh[i][j] = vh[i][j] + P * v[i] * h[j] end
          end
        end
      end
      local got_z, got = c:moments()
      near(got_z, log_z, 1e-12, what)
      near((got - doubles(vh)):abs():max(), 0, 1e-12, what)
    end)
  end)

  it("do not depend on which layer is listed, and more than one block gives the same", function()
    local p = exact.parameters(13, 4, 43, 0.5)
    local turned = { W = {}, a = p.b, b = p.a }
    for j = 1, 4 do
      turned.W[j] = {}
      for i = 1, 13 do turned.W[j][i] = p.W[i][j] end
    end
    local both = { dtype = "float64", visible = "spin", hidden = "bernoulli" }
    local other = { dtype = "float64", visible = "bernoulli", hidden = "spin" }
    local z, vh, v, h = exact.model(p, both):moments()
    local z2, hv, h2, v2 = exact.model(turned, other):moments()
    near(z, z2, 1e-12, "log Z")
    near((vh - hv:t()):abs():max() + (v - v2):abs():max() + (h - h2):abs():max(), 0, 1e-12, "moments")
    -- 2^13 states, two blocks: Gaussian hidden units cannot be listed
    both.hidden = "gaussian"
    local c = exact.model(exact.parameters(13, 4, 43, 0.125), both)
    local _, m = c:moments()
    local d = exact.derivative({ W = c:parameters().W:narrow(1, 1, 1) },
      function() return c:log_partition() end)
    for j, x in ipairs(d.W) do near(m[{ 1, j }], x, 1e-7, "E[v1 h" .. j .. "]") end
  end)

  it("are the same to the bit with one thread and with two", function()
    local c = exact.model(exact.parameters(14, 30, 44, 0.5), { dtype = "float32" })
    local function all()
      local z, vh, v, h = c:moments()
      return string.pack("d", z), vh, v, h
    end
    core.set { threads = 1 }
    local one = { all() }
    core.set { threads = 2 }
    local two = { all() }
    assert.equal(one[1], two[1])
    for i = 2, 4 do assert.is_true(one[i]:eq(two[i]):all()) end
  end)

  -- E = sum (v^2 / 2 - a v) / s - b h - sum (v / s) W h: dE / dW_ij = -v_i h_j / s_i
  it("are those of v where its variances are learned", function()
    local c = core.rbm_new { n_visible = 3, n_hidden = 2, visible = "gaussian", variance = true,
      temperature = 2, dtype = "float64", seed = 50 }
    local p = c:parameters()
    for i, name in ipairs { "W", "a", "b", "z" } do
      p[name]:copy_(lrn.randn(p[name].shape, { generator = lrn.generator(i) }) * .5)
    end
    local _, vh, v, h = c:moments()
    local d = exact.derivative({ W = p.W, a = p.a, b = p.b }, function() return c:log_partition() end)
    for i = 1, 3 do
      local s = math.exp(p.z[i])
      near(v[i], 2 * s * d.a[i], 1e-7, "v")
      for j = 1, 2 do near(vh[{ i, j }], 2 * s * d.W[(i - 1) * 2 + j], 1e-7, "vh") end
    end
    for j = 1, 2 do near(h[j], 2 * d.b[j], 1e-7, "h") end
  end)

  it("say what they are not for", function()
    local function refused(pattern, options)
      options.n_visible, options.n_hidden = options.n_visible or 30, options.n_hidden or 30
      local ok, message = pcall(function() return core.rbm_new(options):moments() end)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    refused("moments: exact only where", {})
    refused("moments: exact only where", { visible = "gaussian", hidden = "relu" })
    refused("moments: not defined for nrelu units", { hidden = "nrelu" })
    refused("moments: not for a model with labels", { n_visible = 4, n_hidden = 3, n_classes = 2 })
  end)
end)

describe("a model of two Gaussian layers", function()
  it("has log Z and moments of the Gaussian that it is", function()
    for _, shape in ipairs { { 5, 3 }, { 3, 5 }, { 4, 4 }, { 1, 1 } } do
      for _, T in ipairs { 0.5, 1, 2 } do
        local V, H = shape[1], shape[2]
        local c, p = gaussian(V, H, 45, 0.25, { temperature = T })
        local n, P, b = V + H, {}, {}
        for i = 1, n do
          P[i] = {}
          for j = 1, n do P[i][j] = i == j and 1 or 0 end
          b[i] = i <= V and p.a[i] or p.b[i - V]
        end
        for i = 1, V do
          for j = 1, H do P[i][V + j], P[V + j][i] = -p.W[i][j], -p.W[i][j] end
        end
        local Q, det = inverted(P)
        local mean, quadratic = {}, 0
        for i = 1, n do
          mean[i] = 0
          for j = 1, n do mean[i] = mean[i] + Q[i][j] * b[j] end
          quadratic = quadratic + mean[i] * b[i]
        end
        local what = ("%d x %d at T = %g"):format(V, H, T)
        local log_z, vh, v, h = c:moments()
        near(log_z, n / 2 * math.log(2 * math.pi * T) - math.log(det) / 2 + quadratic / (2 * T), 1e-12, what)
        near(c:log_partition(), log_z, 1e-13, what)
        for i = 1, V do
          near(v[i], mean[i], 1e-12, what)
          for j = 1, H do
            near(vh[{ i, j }], T * Q[i][V + j] + mean[i] * mean[V + j], 1e-12, what)
          end
        end
        for j = 1, H do near(h[j], mean[V + j], 1e-12, what) end
      end
    end
  end)

  -- p(v) = N(m, S) with S = T (I - W W')^-1, by the same inverse in plain Lua
  it("has the log-likelihood of its Gaussian density", function()
    local c, p = gaussian(2, 1, 46, 0.5, { temperature = 2 })
    local M = {}
    for i = 1, 2 do
      M[i] = {}
      for k = 1, 2 do M[i][k] = (i == k and 1 or 0) - p.W[i][1] * p.W[k][1] end
    end
    local Q, det = inverted(M)
    local m = {}
    for i = 1, 2 do
      m[i] = 0
      for k = 1, 2 do m[i] = m[i] + Q[i][k] * (p.a[k] + p.W[k][1] * p.b[1]) end
    end
    local x = { 0.5, -1.25 }
    local q = 0
    for i = 1, 2 do
      for k = 1, 2 do q = q + (x[i] - m[i]) * M[i][k] * (x[k] - m[k]) end
    end
    near(c:log_likelihood(lrn.tensor({ x }, f64)), -q / 4 - math.log(2 * math.pi * 2) + math.log(det) / 2,
      1e-12)
  end)

  it("is refused where its weights are too large for a distribution", function()
    local c = gaussian(3, 2, 47, 0.25)
    c:parameters().W:fill_(0)
    c:parameters().W:set(1, 1, 0.999)
    assert(c:log_partition())
    for _, w in ipairs { 1, 1.5 } do
      c:parameters().W:set(1, 1, w)
      for _, f in ipairs { "log_partition", "moments" } do
        local ok, message = pcall(c[f], c)
        assert.is_false(ok)
        assert.matches(f .. ": the model is no distribution: .* singular value of W is 1 or more", message)
      end
    end
  end)
end)

describe("rule = exact", function()
  local bars = lrn.data.bars_and_stripes(3)

  it("has the gradient of minus the mean log-likelihood, for every pair #slow", function()
    each_pair(4, 4, 48, function(_, p, visible, hidden, T, what)
      local c = exact.model(p, { visible = visible, hidden = hidden, temperature = T, dtype = "float64",
        rule = "exact" })
      local rows = {}
      for i, numbers in ipairs { { 1, -1, 1, 1 }, { -1, 1, 1, -1 }, { 1, 1, -1, -1 } } do
        rows[i] = exact.state_near(visible, numbers)
      end
      local data = lrn.tensor(rows, f64)
      c:reserve(3, true)
      assert.is_nil(c:compute_gradient(data, nil, 1, 3))
      local got = c:gradient()
      local want = exact.derivative(c:parameters(), function() return -c:log_likelihood(data) end)
      for name, list in pairs(want) do
        for i, g in ipairs(got[name]:view(-1):tolist()) do
          near(g, T * list[i], 1e-7, ("%s: %s[%d]"):format(what, name, i))
        end
      end
    end)
  end)

  it("raises the likelihood at each step of a small rate, whatever joins it", function()
    for _, o in ipairs { {}, { centering = 0.05 }, { hidden = "spin" }, { dtype = "float64" } } do
      local class = lrn.models.define { hidden = o.hidden }
      o.hidden, o.rule, o.seed = nil, "exact", 3
      o.n_visible, o.n_hidden, o.learning_rate = 9, 5, 0.05
      local m = class(o)
      m.W:copy_(m.W * 30)
      local before = m:log_likelihood(bars)
      m:fit(bars, { epochs = 60, batch_size = #bars, callback = function(model)
        local now = model:log_likelihood(bars)
        assert.is_true(now > before, ("%g after %g"):format(now, before))
        before = now
      end })
    end
  end)

  it("works with Adam, momentum, decay and norms, and has the metrics of a sweep from the data", function()
    local m = lrn.RBM { n_visible = 9, n_hidden = 6, rule = "exact", optimizer = "adam", decay = 1e-4,
      max_norm = 12, clip = 1, sparsity_cost = 1e-3, learning_rate = 0.05, seed = 4 }
    local first = m:log_likelihood(bars)
    local mse, pl = m:fit(bars, { epochs = 300, batch_size = 7 })
    assert.is_true(m:log_likelihood(bars) > first + 1)
    assert.is_true(mse > 0 and mse < 5 and pl < 0)
    assert.is_true(m.history:last().error > 0)
  end)

  it("weighs rows as it would count them, and rows that all weigh 0 change nothing", function()
    local data = lrn.tensor { { 1, 0, 1 }, { 0, 1, 1 } }
    local function gradient(t, weights)
      local c = core.rbm_new { n_visible = 3, n_hidden = 2, rule = "exact", seed = 9, dtype = "float64" }
      c:reserve(#t, true)
      local ok = c:compute_gradient(t, nil, 1, #t, nil, weights)
      assert.is_nil(ok)
      return c:gradient()
    end
    local weighed = gradient(data, lrn.tensor({ 2, 1 }, f64))
    local counted = gradient(lrn.cat({ data, data:narrow(1, 1, 1) }, 1))
    local none = gradient(data, lrn.zeros(2, f64))
    for name, g in pairs(counted) do
      near((weighed[name] - g):abs():max(), 0, 1e-14, name)
      near(none[name]:abs():max(), 0, 0, name)
    end
  end)

  it("finds the distribution itself: enough units, and the likelihood is minus the entropy #slow", function()
    local m = lrn.RBM { n_visible = 4, n_hidden = 6, rule = "exact", optimizer = "adam",
      learning_rate = 0.05, seed = 5, dtype = "float64" }
    local data = lrn.tensor { { 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 0, 0, 1, 1 }, { 1, 1, 1, 1 } }
    m:fit(data, { epochs = 2000, batch_size = 4 })
    near(m:log_likelihood(data), -math.log(4), 0.02)
  end)

  it("is kept in files, and cannot be changed; what does not go with it says so", function()
    local m = lrn.RBM { n_visible = 4, n_hidden = 3, rule = "exact" }
    local path = os.tmpname()
    assert(m:save(path))
    local back = assert(lrn.load(path))
    os.remove(path)
    assert.equal("exact", back.rule)
    assert.equal("cd", lrn.RBM { n_visible = 2, n_hidden = 2 }.rule)
    local function fails(pattern, f, ...)
      local ok, message = pcall(f, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    fails("rule: cannot be assigned", function() m.rule = "cd" end)
    fails("RBM: rule: got 'x', expected 'cd' or 'exact'", lrn.RBM, { rule = "x" })
    fails("RBM: persistent: got 4, expected 0", function() m.persistent = 4 end)
    fails("rule: got exact, expected cd", lrn.RBM, { rule = "exact", n_visible = 50, n_hidden = 50 })
    fails("rule: got exact, expected cd", lrn.DropoutRBM, { rule = "exact", n_visible = 5, n_hidden = 5 })
    fails("rule: got exact, expected cd: variances", lrn.VarianceGaussianRBM,
      { rule = "exact", n_visible = 5, n_hidden = 5 })
    fails("n_classes: got 3, expected 0", lrn.DiscriminativeRBM,
      { rule = "exact", n_visible = 5, n_hidden = 5, n_classes = 3 })
  end)

  it("resumes from a checkpoint with the bits of a run that was not interrupted", function()
    local function model()
      return lrn.RBM { n_visible = 9, n_hidden = 4, rule = "exact", momentum = 0.5, seed = 6 }
    end
    local whole, half, path = model(), model(), os.tmpname()
    whole:fit(bars, { epochs = 6, batch_size = 5 })
    half:fit(bars, { epochs = 3, batch_size = 5 })
    assert(half:save(path))
    local rest = assert(lrn.load(path))
    os.remove(path)
    rest:fit(bars, { epochs = 3, batch_size = 5 })
    assert.is_true(whole.W:eq(rest.W):all())
    assert.is_true(whole.a:eq(rest.a):all())
  end)

  it("trains on every device", function()
    for _, device in ipairs(exact.devices()) do
      local m = lrn.RBM { n_visible = 9, n_hidden = 3, rule = "exact", device = device, seed = 7 }
      local c = lrn.RBM { n_visible = 9, n_hidden = 3, rule = "exact", seed = 7 }
      m:fit(bars, { epochs = 3, batch_size = 5 })
      c:fit(bars, { epochs = 3, batch_size = 5 })
      near((m.W:to { device = "cpu" } - c.W):abs():max(), 0, 1e-5, device)
    end
  end)
end)

-- A unit 1 where it was 0 and the reverse, or the other sign: the same distribution with other parameters.
describe("a change of gauge", function()
  it("of a hidden unit leaves likelihood and log Z; a permutation, too", function()
    for _, unit in ipairs { "bernoulli", "spin" } do
      local p = exact.parameters(6, 4, 49, 1)
      local c = exact.model(p, { hidden = unit, dtype = "float64" })
      local data = lrn.tensor(exact.states(6))
      local ll, z = c:log_likelihood(data), c:log_partition()
      local q = exact.parameters(6, 4, 49, 1)
      local constant = unit == "bernoulli" and p.b[2] or 0
      for i = 1, 6 do
        if unit == "bernoulli" then q.a[i] = p.a[i] + p.W[i][2] end
        q.W[i][2] = -p.W[i][2]
      end
      q.b[2] = -p.b[2]
      -- and units 1 and 3 change places
      q.b[1], q.b[3] = q.b[3], q.b[1]
      for i = 1, 6 do q.W[i][1], q.W[i][3] = q.W[i][3], q.W[i][1] end
      local d = exact.model(q, { hidden = unit, dtype = "float64" })
      near(d:log_likelihood(data), ll, 1e-12, unit)
      near(d:log_partition() + constant, z, 1e-12, unit)
    end
  end)
end)
