-- Rows that lack values, option `missing`: against the smaller model that has only the units which are
-- there, under every mask; sums over states and formulas in plain Lua doubles.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H = 4, 3
local NAN = 0 / 0
local F64 = { dtype = "float64" }

-- What can be absent together: units, or groups of them. Lists of flags, one a unit: all subsets.
local function masks(visible)
  local K = exact.categories(visible, V)
  local out = {}
  for code = 0, 2 ^ (V // K) - 1 do
    local there = {}
    for i = 1, V do there[i] = code // 1 >> ((i - 1) // K) & 1 == 1 end
    out[#out + 1] = there
  end
  return out
end

-- A row of states for each mask, and the same with NaN for what is absent.
local function rows_of(visible, seed)
  local u, full, holes = exact.uniform(seed), {}, {}
  for r, there in ipairs(masks(visible)) do
    full[r] = exact.state_near(visible, exact.dyadic(u, V, 1.5))
    holes[r] = {}
    for i, value in ipairs(full[r]) do holes[r][i] = there[i] and value or NAN end
  end
  return full, holes
end

-- F of a row of the model that has only these units, built by hand: the sums go over `there` alone. With
-- variances s = e^z where p.z is given.
local function free_energy(p, visible, hidden, T, v, there)
  local self = core.unit_map(visible, "self", lrn.tensor(v, F64)):tolist()
  local F, x = 0, { table.unpack(p.b) }
  for i = 1, V do
    if there[i] then
      local s = p.z and math.exp(p.z[i]) or 1
      F = F + (self[i] - p.a[i] * v[i]) / s
      for j = 1, H do x[j] = x[j] + v[i] / s * p.W[i][j] end
    end
  end
  return F - exact.layer_cumulant(hidden, x, T)
end

local function copy(t)
  if type(t) ~= "table" then return t end
  local out = {}
  for key, value in pairs(t) do out[key] = copy(value) end
  return out
end

-- Central differences of f(p) by every number in p: the same shape.
local function differences(p, f)
  local q, h = copy(p), 1e-5
  local function walk(t)
    local out = {}
    for key, value in pairs(t) do
      if type(value) == "table" then
        out[key] = walk(value)
      else
        t[key] = value + h
        local above = f(q)
        t[key] = value - h
        out[key] = (above - f(q)) / (2 * h)
        t[key] = value
      end
    end
    return out
  end
  return walk(q)
end

local function flat(t, out)
  out = out or {}
  for _, value in ipairs(t) do
    if type(value) == "table" then flat(value, out) else out[#out + 1] = value end
  end
  return out
end

local PAIRS = { { "bernoulli", "bernoulli" }, { "spin", "spin" }, { "softmax", "bernoulli" },
  { "gaussian", "bernoulli" }, { "gaussian", "softmax", H = 4 }, { "relu", "spin" } }

local function each_pair(f)
  for _, pair in ipairs(PAIRS) do
    local visible, hidden = pair[1], pair[2]
    H = pair.H or 3
    f(visible, hidden, visible .. "-" .. hidden)
  end
  H = 3
end

describe("a row that lacks values", function()
  it("has the energy and the features of the model without these units, under every mask", function()
    each_pair(function(visible, hidden, name)
      local p = exact.parameters(V, H, 51, 0.5, 0.75)
      local full, holes = rows_of(visible, 52)
      for _, T in ipairs { 0.7, 1 } do
        exact.everywhere(function(device, dtype)
          local c = exact.model(p, { visible = visible, hidden = hidden, temperature = T,
            device = device, dtype = dtype, missing = true })
          local tolerance = dtype == "float64" and 1e-9 or 2e-5
          local data = lrn.tensor(holes, { device = device, dtype = dtype })
          local F, q = c:free_energy(data):tolist(), c:hidden_mean(data):tolist()
          for r, there in ipairs(masks(visible)) do
            local what = ("%s, T = %g, %s on %s, row %d"):format(name, T, dtype, device, r)
            exact.near(F[r], free_energy(p, visible, hidden, T, full[r], there), tolerance, what)
            local x = { table.unpack(p.b) }
            for i = 1, V do
              for j = 1, H do x[j] = x[j] + (there[i] and full[r][i] or 0) * p.W[i][j] end
            end
            for j, want in ipairs((exact.layer_moments(hidden, x, T))) do
              exact.near(q[r][j], want, tolerance, what .. ", unit " .. j)
            end
          end
        end)
      end
    end)
  end)

  it("has the energy that a smaller RBM gives", function()
    local p = exact.parameters(V, H, 53)
    local full, holes = rows_of("bernoulli", 54)
    local c = exact.model(p, { dtype = "float64", missing = true })
    local F = c:free_energy(lrn.tensor(holes, F64)):tolist()
    for r, there in ipairs(masks "bernoulli") do
      local small, v = { W = {}, a = {}, b = p.b }, {}
      for i = 1, V do
        if there[i] then
          small.W[#small.W + 1], small.a[#small.a + 1] = p.W[i], p.a[i]
          v[#v + 1] = full[r][i]
        end
      end
      if #v > 0 then
        local want = exact.model(small, F64):free_energy(lrn.tensor({ v }, F64)):tolist()[1]
        exact.near(F[r], want, 1e-12, "row " .. r)
      end
    end
  end)

  it("trains by the gradient of that model's energies, under every mask", function()
    each_pair(function(visible, hidden, name)
      local p = exact.parameters(V, H, 55, 0.25, 0.75)
      local full, holes = rows_of(visible, 56)
      local mask = masks(visible)
      local n = #mask
      for _, steps in ipairs { 1, 3 } do
        exact.everywhere(function(device, dtype)
          local c = exact.model(p, { visible = visible, hidden = hidden, temperature = 0.8, steps = steps,
            device = device, dtype = dtype, missing = true })
          c:reserve(n, true)
          assert.is_nil((c:compute_gradient(lrn.tensor(holes, { device = device, dtype = dtype }), nil, 1, n)))
          local minus = c:negative():to { device = "cpu", dtype = "float64" }:tolist()
          local what = ("%s, CD-%d, %s on %s"):format(name, steps, dtype, device)
          local moved = 0
          for r, there in ipairs(mask) do
            for i = 1, V do
              if not there[i] then assert.equal(0, minus[r][i], what) end
              moved = moved + math.abs(there[i] and minus[r][i] - full[r][i] or 0)
            end
          end
          assert.is_true(moved > 0, what)
          local want = differences(p, function(q)
            local sum = 0
            for r, there in ipairs(mask) do
              sum = sum + free_energy(q, visible, hidden, 0.8, full[r], there)
                - free_energy(q, visible, hidden, 0.8, minus[r], there)
            end
            return sum / n
          end)
          for key, g in pairs(c:gradient()) do
            local got = g:to "float64":view(-1):tolist()
            for i, w in ipairs(flat(want[key])) do
              exact.near(got[i], w, (dtype == "float64" and 1e-8 or 2e-6) * (1 + math.abs(w)),
                what .. ", " .. key .. " " .. i)
            end
          end
        end)
      end
    end)
  end)

  it("trains variances of their own by the gradient of that model's energies", function()
    local p = exact.parameters(V, H, 57, 0.25, 0.75)
    p.z = exact.dyadic(exact.uniform(58), V, 1)
    local full, holes = rows_of("gaussian", 59)
    local mask = masks "gaussian"
    exact.everywhere(function(device, dtype)
      local c = exact.model(p, { visible = "gaussian", variance = true, device = device, dtype = dtype,
        missing = true })
      c:reserve(#mask, true)
      local data = lrn.tensor(holes, { device = device, dtype = dtype })
      local F = c:free_energy(data):tolist()
      for r, there in ipairs(mask) do
        exact.near(F[r], free_energy(p, "gaussian", "bernoulli", 1, full[r], there),
          dtype == "float64" and 1e-9 or 2e-5, "row " .. r)
      end
      assert.is_nil((c:compute_gradient(data, nil, 1, #mask)))
      local minus = c:negative():to { device = "cpu", dtype = "float64" }:tolist()
      local want = differences(p, function(q)
        local sum = 0
        for r, there in ipairs(mask) do
          sum = sum + free_energy(q, "gaussian", "bernoulli", 1, full[r], there)
            - free_energy(q, "gaussian", "bernoulli", 1, minus[r], there)
        end
        return sum / #mask
      end)
      for key, g in pairs(c:gradient()) do
        local got = g:to "float64":view(-1):tolist()
        for i, w in ipairs(flat(want[key])) do
          exact.near(got[i], w, (dtype == "float64" and 1e-8 or 4e-6) * (1 + math.abs(w)), key .. " " .. i)
        end
      end
    end)
  end)

  -- -log P(y | v) of a row, v what is there; by summing over h
  it("has the classes that the model without these units gives, and their gradient", function()
    local C = 3
    local u = exact.uniform(61)
    local p = exact.parameters(V, H, 60)
    p.U, p.c = {}, exact.dyadic(u, C, 1)
    for y = 1, C do p.U[y] = exact.dyadic(u, H, 1.5) end
    local full, holes = rows_of("bernoulli", 62)
    local mask = masks "bernoulli"
    local function log_p(q, v, there)
      local s = {}
      for y = 1, C do
        s[y] = q.c[y]
        for j = 1, H do
          local x = q.b[j] + q.U[y][j]
          for i = 1, V do x = x + (there[i] and v[i] or 0) * q.W[i][j] end
          s[y] = s[y] + math.log(1 + math.exp(x))
        end
      end
      local z = exact.logsumexp(s)
      for y = 1, C do s[y] = s[y] - z end
      return s
    end
    local labels, list = {}, {}
    for r = 1, #mask do list[r] = r % C + 1 end
    labels = lrn.tensor(list, { dtype = "int64" })
    exact.everywhere(function(device, dtype)
      local c = exact.model(p, { n_classes = C, device = device, dtype = dtype, missing = true })
      local data = lrn.tensor(holes, { device = device, dtype = dtype })
      local got = c:classify(data):tolist()
      for r, there in ipairs(mask) do
        for y, want in ipairs(log_p(p, full[r], there)) do
          exact.near(got[r][y], want, dtype == "float64" and 1e-11 or 2e-5, "row " .. r)
        end
      end
      c:reserve(#mask, true)
      assert.is_nil((c:compute_gradient(data, nil, 1, #mask, labels:to { device = device })))
      local want = differences(p, function(q)
        local sum = 0
        for r, there in ipairs(mask) do sum = sum - log_p(q, full[r], there)[list[r]] / #mask end
        return sum
      end)
      for key, g in pairs(c:gradient()) do
        local values = g:to "float64":view(-1):tolist()
        for i, w in ipairs(flat(want[key])) do
          exact.near(values[i], w, dtype == "float64" and 1e-8 or 1e-5, key .. " " .. i)
        end
      end
    end)
  end)
end)

describe("training on rows that lack values", function()
  local train = lrn.data.digits():subset(lrn.arange(1, 96))

  -- With and without `missing`, on data without a NaN: the same parameters, history and draws.
  it("has the same bits as without the option where nothing is missing #slow", function()
    local real = train.data:view(96, -1):to "float32" / 255
    local cases = {
      { "RBM", {} }, { "RBM", { optimizer = "adam", learning_rate = 0.01 } },
      { "RBM", { centering = 0.05, sparsity_cost = 0.1, momentum = 0.5, steps = 2 } },
      { "RBM", { centering = 0.05 }, weighed = true },
      { "DropoutRBM", { centering = 0.1 } }, { "DropConnectRBM", {} }, { "EDropoutRBM", {} },
      { "HybridDiscriminativeRBM", { n_classes = 10, alpha = 0.5, centering = 0.1 } },
      { "GaussianRBM", { centering = 0.1 } }, { "VarianceGaussianRBM", {} }, { { visible = "spin", hidden = "spin" }, {} },
      { { visible = "softmax", hidden = "bernoulli" }, { visible_categories = 2 } },
    }
    for _, device in ipairs(exact.devices()) do
      for _, case in ipairs(cases) do
        local models = {}
        for i, missing in ipairs { false, true } do
          local o = { n_visible = 64, n_hidden = 9, seed = 3, device = device, missing = missing }
          for key, value in pairs(case[2]) do o[key] = value end
          local class = type(case[1]) == "table" and lrn.models.define(case[1]) or lrn[case[1]]
          models[i] = assert(class(o))
          local data = models[i].visible == "gaussian" and real or train
          models[i]:fit(data, { epochs = 2, batch_size = 40,
            weights = case.weighed and lrn.linspace(0.1, 2, 96) or nil })
        end
        local what = models[1].class .. " on " .. device
        for name, t in pairs(models[1]:parameters()) do
          assert.is_true(t == models[2]:parameters()[name], what .. ": " .. name)
        end
        for _, name in ipairs(models[1].history:metrics()) do
          if name ~= "time" then assert.same(models[1].history[name], models[2].history[name], what) end
        end
      end
    end
  end)

  -- Masks that leave out nothing, and weights that are all the same, change nothing.
  it("goes with masks and with weights of rows", function()
    local x = train.data:view(96, -1):to "float32" / 255
    x = lrn.where(lrn.rand({ 96, 64 }, { generator = lrn.generator(8) }):lt(0.3), lrn.full({ 96, 64 }, NAN), x)
    local function fit(class, options, more)
      local o = { n_visible = 64, n_hidden = 9, seed = 3, missing = true, centering = 0.05 }
      for key, value in pairs(options) do o[key] = value end
      local m = lrn[class](o)
      m:fit(x, { epochs = 2, batch_size = 32, weights = more })
      return m.W
    end
    local plain = fit("RBM", {})
    assert.is_true(fit("DropoutRBM", { dropout = 0 }) == plain)
    assert.is_true(fit("DropConnectRBM", { dropout = 0 }) == plain)
    assert.is_true((fit("RBM", {}, lrn.full({ 96 }, 0.5)) - plain):abs():max() < 1e-5)
    assert.is_false(fit("DropoutRBM", { dropout = 0.5 }) == plain)
    assert.is_true(fit("EDropoutRBM", {}):isfinite():all())
    -- and rows of weight 0 do not disturb
    local heavy = lrn.cat({ lrn.ones(64), lrn.zeros(32) }, 1)
    assert.is_true(fit("RBM", {}, heavy):isfinite():all())
  end)

  it("takes means and deviations of data, and biases from them, over what is there", function()
    exact.everywhere(function(device, dtype)
      local options = { dtype = dtype, device = device }
      local tolerance = dtype == "float64" and 1e-12 or 1e-6
      local data = lrn.tensor({ { 1, NAN, 2, NAN }, { 3, 5, 4, NAN }, { NAN, 9, 9, NAN }, { 8, 1, 1, NAN } },
        options)
      local m = lrn.GaussianRBM { n_visible = 4, n_hidden = 2, missing = true, dtype = dtype, device = device }
      m:fit(data, { epochs = 1 })
      local mean, std = m:statistics().mean:tolist(), m:statistics().std:tolist()
      for i, want in ipairs { { 4, math.sqrt(26 / 3) }, { 5, math.sqrt(32 / 3) }, { 4, math.sqrt(38 / 4) }, { 0, 0 } } do
        exact.near(mean[i], want[1], 1e-12, "mean " .. i)
        exact.near(std[i], want[2], 1e-12, "deviation " .. i)
      end
      local bits = lrn.tensor({ { 1, 0, NAN, NAN }, { 1, NAN, 1, NAN }, { 0, 0, NAN, NAN } }, options)
      local c = core.rbm_new { n_visible = 4, n_hidden = 2, missing = true, dtype = dtype, device = device,
        seed = 1 }
      c:reserve(3, true)
      c:prepare(bits)
      local a = c:parameters().a:tolist()
      -- means 2/3, 0 (kept 1/4 away from it), 1 (1/3 away), and a unit that nobody has
      for i, p in ipairs { 2 / 3, 1 / 4, 2 / 3, 1 / 2 } do
        exact.near(a[i], math.log(p / (1 - p)), tolerance, "bias " .. i)
      end
    end)
  end)

  it("counts what is there in its errors", function()
    local _, holes = rows_of("bernoulli", 63)
    exact.everywhere(function(device, dtype)
      local c = exact.model(exact.parameters(V, H, 64), { missing = true, device = device, dtype = dtype })
      local data = lrn.tensor(holes, { device = device, dtype = dtype })
      c:reserve(#holes, true)
      assert.is_nil((c:step(data, nil, 1, #holes)))
      local minus, want = c:negative():tolist(), 0
      for r, row in ipairs(holes) do
        for i, value in ipairs(row) do
          if value == value then want = want + (value - minus[r][i]) ^ 2 end
        end
      end
      assert.equal(want, c:state().mse)
      assert.is_true(c:state().error > 0 and c:state().error < want + #holes * V)
    end)
  end)

  -- gW' = gW - mu gb' - ga nu', ga' = ga - gW' nu, gb' = gb - gW'' mu of the plain gradient
  it("is centred by means over what is there", function()
    local p = exact.parameters(V, H, 65)
    local data = lrn.tensor({ { 1, 0, NAN, 1 }, { NAN, 1, NAN, 1 }, { 1, 1, NAN, 0 }, { 0, NAN, NAN, NAN } }, F64)
    local again = lrn.tensor({ { NAN, 0, NAN, 1 }, { NAN, 1, 1, NAN }, { NAN, 0, NAN, 1 }, { NAN, 1, 0, 1 } }, F64)
    local rate, mu, nu = 0.25, { 2 / 3, 2 / 3, 0, 2 / 3 }, nil
    local plain = exact.model(p, { missing = true, dtype = "float64" })
    local centred = exact.model(p, { missing = true, dtype = "float64", centering = rate })
    plain:reserve(4, true)
    centred:reserve(4, true)
    -- the second batch moves the means by the rate times the share of its rows that have the unit
    local share = { { 0, 0 }, { 1, 2 / 4 }, { 2 / 4, 1 / 2 }, { 3 / 4, 1 } }
    for batch, x in ipairs { data, again } do
      assert.is_nil((plain:compute_gradient(x, nil, 1, 4)))
      assert.is_nil((centred:compute_gradient(x, nil, 1, 4)))
      local now = plain:hidden_mean(x):mean(1)
      nu = nu and nu * (1 - rate) + now * rate or now
      if batch == 2 then
        for i, s in ipairs(share) do mu[i] = mu[i] + rate * s[1] * (s[2] - mu[i]) end
      end
      local m = lrn.tensor(mu, F64):view(V, 1)
      local g = plain:gradient()
      local n = nu:view(H, 1)
      local gW = g.W - m:mm(g.b:view(1, H)) - g.a:view(V, 1):mm(n:t())
      local want = { W = gW, a = g.a - gW:mm(n):view(-1), b = g.b - gW:t():mm(m):view(-1) }
      for name, t in pairs(want) do
        assert.is_true((centred:gradient()[name] - t):abs():max() < 1e-12, name .. " of batch " .. batch)
      end
    end
  end)

  it("saves the option with the model, and resumes to the same bits", function()
    local holes = train.data:view(96, -1):to "float32" / 255
    holes = lrn.where(lrn.rand({ 96, 64 }, { generator = lrn.generator(3) }):lt(0.3),
      lrn.full({ 96, 64 }, NAN), holes)
    local path = os.tmpname()
    local function new() return lrn.RBM { n_visible = 64, n_hidden = 8, seed = 2, missing = true } end
    local whole, half = new(), new()
    whole:fit(holes, { epochs = 4, batch_size = 32 })
    half:fit(holes, { epochs = 2, batch_size = 32 })
    assert(half:save(path))
    local again = assert(lrn.load(path))
    os.remove(path)
    assert.is_true(again.missing)
    again:fit(holes, { epochs = 2, batch_size = 32 })
    assert.is_true(again.W == whole.W and again.a == whole.a and again.b == whole.b)
    assert.is_truthy(tostring(again):find("missing = true", 1, true), tostring(again))
  end)

  -- What a model is for: the pixels that rows lack, and whole rows. Zeros or the mean in place of what is
  -- missing teach the model that it is there.
  it("recovers what zeros or means in place of the missing values hide #slow", function()
    local images, test = lrn.data.digits()
    local function numbers(set) return set.data:view(#set, 64):to "float32" / 255 end
    local x, y = numbers(images), numbers(test)
    local function gone(t, seed) return lrn.rand({ t:size(1), 64 }, { generator = lrn.generator(seed) }):lt(0.3) end
    local holes, test_holes = gone(x, 1), gone(y, 2)
    local mean = x:mean(1):view(1, 64)
    local fills = {
      missing = function(t) return lrn.full({ t:size(1), 64 }, NAN) end,
      zero = function(t) return lrn.zeros(t:size(1), 64) end,
      mean = function(t) return mean:expand(t:size(1), 64) end,
    }
    local whole, parts = {}, {}
    for name, fill in pairs(fills) do
      local m = lrn.RBM { n_visible = 64, n_hidden = 64, seed = 1, missing = name == "missing" }
      m:fit(lrn.where(holes, fill(x), x), { epochs = 15, batch_size = 16 })
      whole[name] = m:reconstruct(y, { mean_field = true })
      local _, v = m:reconstruct(lrn.where(test_holes, fill(y), y), { mean_field = true })
      parts[name] = ((v - y) * (v - y)):masked_select(test_holes):mean()
    end
    local base = ((mean:expand(y:size(1), 64) - y) * (mean:expand(y:size(1), 64) - y)):masked_select(test_holes):mean()
    local what = ("whole %g %g %g, parts %g %g %g, mean %g"):format(whole.missing, whole.zero, whole.mean,
      parts.missing, parts.zero, parts.mean, base)
    assert.is_true(whole.missing < 0.85 * math.min(whole.zero, whole.mean), what)
    assert.is_true(parts.missing < 0.95 * math.min(parts.zero, parts.mean), what)
    assert.is_true(parts.missing < 0.85 * base, what)
  end)

  it("can be switched on and off at any time, also while fit runs", function()
    local holes = lrn.tensor { { 1, 0, NAN, 1 }, { 0, 1, 1, 0 } }
    local rbm = lrn.RBM { n_visible = 4, n_hidden = 2, seed = 1 }
    assert.has_error(function() rbm:energy(holes) end)
    rbm.missing = true
    assert.is_true(rbm:energy(holes):isfinite():all())
    rbm.missing = false
    rbm:energy(lrn.zeros(700, 4)) -- more room while it is off
    rbm.missing = true
    assert.is_true(rbm:energy(lrn.cat({ holes, lrn.zeros(698, 4) }, 1)):isfinite():all())
    rbm = lrn.RBM { n_visible = 4, n_hidden = 2, seed = 1 }
    rbm:fit(lrn.ones(4, 4), { epochs = 2, callback = function(m) m.missing = true end })
    assert.is_true(rbm.missing)
  end)
end)

describe("inference from rows that lack values", function()
  it("counts what is there in the pseudo-likelihood", function()
    for _, visible in ipairs { "bernoulli", "spin", "softmax" } do
      local p = exact.parameters(V, H, 66)
      local full, holes = rows_of(visible, 67)
      local K = exact.categories(visible, V)
      for _, device in ipairs(exact.devices()) do
        local c = exact.model(p, { visible = visible, missing = true, dtype = "float64", device = device })
        for r, there in ipairs(masks(visible)) do
          -- log P(v_i | the others that are there), of each unit or group
          local terms = {}
          for i = 1, V, K do
            if there[i] then
              local others, own = {}, nil
              for k = 1, math.max(K, 2) do
                local v = { table.unpack(full[r]) }
                if K > 1 then
                  for j = 1, K do v[i + j - 1] = j == k and 1 or 0 end
                else
                  v[i] = exact.kind(visible).s[k]
                end
                others[k] = -free_energy(p, visible, "bernoulli", 1, v, there)
                local same = true
                for j = i, i + K - 1 do same = same and v[j] == full[r][j] end
                own = same and others[k] or own
              end
              terms[#terms + 1] = own - exact.logsumexp(others)
            end
          end
          -- any of them times their number; all of them in turn are drawn among so many rows
          local seen, n = {}, 40
          for _ = 1, n do
            local got, best = c:pseudo_likelihood(lrn.tensor({ holes[r] }, { dtype = "float64", device = device })), nil
            if #terms == 0 then
              assert.equal(0, got)
            else
              for i, term in ipairs(terms) do
                if math.abs(got - #terms * term) < 1e-9 then best = i end
              end
              assert.is_truthy(best, ("%s, row %d: %g"):format(visible, r, got))
              seen[best] = true
            end
          end
          for i = 1, #terms do assert.is_true(seen[i], visible .. ": never drawn") end
        end
      end
    end
  end)

  it("reconstructs all units, and errs over those that are there", function()
    local p = exact.parameters(V, H, 68)
    local full, holes = rows_of("bernoulli", 69)
    exact.everywhere(function(device, dtype)
      local c = exact.model(p, { missing = true, device = device, dtype = dtype })
      local data = lrn.tensor(holes, { device = device, dtype = dtype })
      local err, v = c:reconstruct(data, true)
      local means, q, want = v:tolist(), c:hidden_mean(data):tolist(), 0
      for r, there in ipairs(masks "bernoulli") do
        for i, u in ipairs(exact.visible_inputs(p, q[r])) do
          local mean = 1 / (1 + math.exp(-u))
          exact.near(means[r][i], mean, 1e-5, "row " .. r)
          if there[i] then want = want + (full[r][i] - mean) ^ 2 end
        end
      end
      exact.near(err, want / #holes, 1e-5, dtype .. " on " .. device)
    end)
  end)

  it("runs chains of the model without these units: what was NaN stays so", function()
    local _, holes = rows_of("bernoulli", 70)
    exact.everywhere(function(device, dtype)
      local c = exact.model(exact.parameters(V, H, 71), { missing = true, device = device, dtype = dtype,
        steps = 3 })
      local data = lrn.tensor(holes, { device = device, dtype = dtype })
      local _, _, qh, th, vk = c:gibbs(data)
      assert.is_true(vk:isnan() == data:isnan())
      assert.is_true(qh:isfinite():all() and th:isfinite():all())
      local want = c:hidden_mean(vk)
      assert.is_true((qh - want):abs():max() < 1e-6) -- h given that v, absent where it is
    end)
  end)

  it("transforms, predicts and validates as any others", function()
    local train, test = lrn.data.digits()
    local function with_holes(set, n)
      local x = set.data:view(#set, -1):narrow(1, 1, n):to "float32" / 255
      x = lrn.where(lrn.rand({ n, 64 }, { generator = lrn.generator(n) }):lt(0.2), lrn.full({ n, 64 }, NAN), x)
      return lrn.data.Dataset(x, set.targets:narrow(1, 1, n), { classes = set.classes })
    end
    train, test = with_holes(train, 800), with_holes(test, 300)
    local m = lrn.DiscriminativeRBM { n_visible = 64, n_hidden = 40, n_classes = 10, seed = 1, missing = true,
      optimizer = "adam", learning_rate = 0.01 }
    m:fit(train, { epochs = 15, batch_size = 32, validation = test })
    assert.is_true((m:predict(test)) > 0.75)
    assert.is_true(m:transform(test).data:isfinite():all())
    local rbm = lrn.RBM { n_visible = 64, n_hidden = 20, seed = 1, missing = true }
    rbm:fit(train, { epochs = 2, validation = test, metrics = { "free_energy_gap" } })
    assert.is_true(rbm.history.val_error[2] > 0 and rbm.history.val_pl[2] < 0)
  end)
end)

describe("what missing values are refused by", function()
  local holes = lrn.tensor { { 1, 0, NAN, 1 }, { 0, 1, 1, 0 } }
  local function message(f, ...)
    local ok, text = pcall(f, ...)
    assert.is_false(ok)
    return (text:gsub("^.-:%d+: ", ""))
  end
  local function rbm(options)
    local o = { n_visible = 4, n_hidden = 2, seed = 1, missing = true }
    for key, value in pairs(options or {}) do o[key] = value end
    return lrn.RBM(o)
  end

  it("chains that belong to no row, and the exact rule", function()
    local says = "RBM: missing: got true, expected false: each row of data that lacks values has a model, and \z
      a log Z, of its own, of which %s nothing; use CD"
    assert.equal(says:format "persistent chains know", message(rbm, { persistent = 3 }))
    assert.equal(says:format "the exact rule knows", message(rbm, { rule = "exact" }))
    local m = rbm()
    assert.equal(says:format "persistent chains know", message(function() m.persistent = 2 end))
    assert.equal(0, m.persistent)
  end)

  it("a model without the option, as before", function()
    local m = rbm { missing = false }
    assert.equal("energy: data: row 1 of the batch, value 3 is NaN or infinite", message(m.energy, m, holes))
    assert.matches("^fit: data: row 1 of the batch, value 3 is NaN or infinite", message(m.fit, m, holes,
      { shuffle = false }))
  end)

  it("infinities, and groups of which only a part is NaN", function()
    local m = rbm()
    assert.equal("energy: data: row 2 of the batch, value 4 is NaN or infinite",
      message(m.energy, m, lrn.tensor { { NAN, 0, 1, 1 }, { 0, 1, 1, math.huge } }))
    local groups = lrn.models.define { visible = "softmax", hidden = "bernoulli" } { n_visible = 4, n_hidden = 2, visible_categories = 2, missing = true }
    assert.is_true(groups:energy(lrn.tensor { 1, 0, NAN, NAN }):isfinite():all())
    assert.equal("energy: data: row 1 of the batch, group 2: some of its 2 values are NaN, expected all or none",
      message(groups.energy, groups, lrn.tensor { 1, 0, NAN, 0 }))
  end)

  it("likelihoods", function()
    local m = rbm()
    assert.equal("log_likelihood: data: row 1 of the batch, value 3 is NaN or infinite; log_likelihood takes \z
      rows without missing values: impute fills them in", message(m.log_likelihood, m, holes))
    assert.is_true(m:log_likelihood(holes:narrow(1, 2, 1)) < 0)
    assert.is_true(m:log_partition { method = "ais", temperatures = 20, base = holes } > 0)
  end)
end)
