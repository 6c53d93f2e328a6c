-- rbm:sample: burn, thin, temperature and clamps. What a sweep draws is tested elsewhere (units, drift);
-- here, which sweeps are looked at, and what is held.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H = 12, 8

local function fresh(visible, hidden, device, dtype, more)
  local p = exact.parameters(V, H, 31, 1)
  local o = { visible = visible, hidden = hidden, device = device, dtype = dtype, n_classes = nil }
  for name, value in pairs(more or {}) do o[name] = value end
  return exact.model(p, o)
end

-- f(new model, what) for the pairs of the diagonal on every device, and mixed ones on the CPU
local function each(f)
  for i, unit in ipairs(exact.units()) do
    for _, device in ipairs(exact.devices()) do
      for _, other in ipairs(device == "cpu" and exact.units() or { exact.units()[i] }) do
        f(function(more) return fresh(unit, other, device, "float32", more) end,
          ("%s-%s on %s"):format(unit, other, device), unit, device)
      end
    end
  end
end

local raises = dofile "spec/support/raises.lua"

describe("sample", function()
  it("with burn is the end of a longer chain, and with thin looks at it on the way", function()
    each(function(new, what)
      local mean, state = new():sample(5, 7)
      local m2, s2 = new():sample(5, 3, nil, nil, { burn = 4 })
      assert.is_true(mean == m2 and state == s2, what)
      local means, states = new():sample(5, 6, nil, nil, { burn = 1, thin = 3 })
      assert.same({ 2, 5, V }, means.shape)
      assert.is_true(means:select(1, 2) == mean and states:select(1, 2) == state, what)
      mean, state = new():sample(5, 4)
      assert.is_true(means:select(1, 1) == mean and states:select(1, 1) == state, what)
    end)
  end)

  it("with thin has the labels of the same sweeps", function()
    local function new()
      local m = lrn.HybridDiscriminativeRBM{ n_visible = 6, n_hidden = 4, n_classes = 3, seed = 7 }
      m.W, m.U = m.W * 60, m.U * 60
      return m
    end
    local _, v, y = new():sample(9, { steps = 6, thin = 2 })
    assert.same({ 3, 9 }, y.shape)
    for d = 1, 3 do
      local _, v1, y1 = new():sample(9, { steps = 2 * d })
      assert.is_true(v:select(1, d) == v1 and y:select(1, d) == y1)
    end
  end)

  it("at a temperature is that of a model with it", function()
    each(function(new, what)
      local mean, state = new({ temperature = 0.6 }):sample(5, 4)
      local m2, s2 = new():sample(5, 4, nil, nil, { temperature = 0.6 })
      assert.is_true(mean == m2 and state == s2, what)
    end)
    local m = lrn.RBM{ n_visible = 3, n_hidden = 2, temperature = 2 }
    m:sample(2, { steps = 2, temperature = 5 })
    assert.equal(2, m.temperature)
  end)

  it("does not depend on the batches that chains go through", function()
    local _, all = fresh("bernoulli", "bernoulli", "cpu", "float32"):sample(700, 4, nil, nil,
      { thin = 2, mask = lrn.eye(1, V), values = lrn.ones(V) })
    local narrow = fresh("bernoulli", "bernoulli", "cpu", "float32")
    local _, some = narrow:sample(600, 4, nil, nil, { thin = 2, mask = lrn.eye(1, V), values = lrn.ones(V) })
    assert.is_true(all:narrow(2, 1, 512) == some:narrow(2, 1, 512))
  end)

  it("refuses what makes no sense, and says what would", function()
    local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }
    local function bad(kind, pattern, o) raises(kind, pattern, m.sample, m, 2, o) end
    bad("value", "sample: thin: got 11, expected an integer <= steps, 10", { steps = 10, thin = 11 })
    bad("value", "sample: burn: got %-1, expected an integer >= 0", { burn = -1 })
    bad("value", "sample: temperature: got 0, expected a number > 0", { temperature = 0 })
    bad("value", "sample: temperature: got inf", { temperature = 1 / 0 })
    bad("type", "sample: clamp: got 1, expected a table", { clamp = 1 })
    bad("type", "sample: clamp: values: got nil, expected a tensor", { clamp = { lrn.ones(4) } })
    bad("argument", "sample: clamp: unknown field 'masks' %(did you mean 'mask'%?%)",
      { clamp = { masks = 1 } })
    bad("size", "sample: clamp: mask: got %[3, 4%], expected 4 values, or 2 rows of them",
      { clamp = { lrn.ones(3, 4), lrn.ones(4) } })
    bad("value", "sample: clamp: mask: row 1, value 2 is neither 0 nor 1",
      { clamp = { lrn.tensor{ 1, .5, 0, 0 }, lrn.ones(4) } })
    bad("value", "sample: clamp: values: row 2, value 3 is NaN or infinite, and held",
      { clamp = { lrn.ones(4), lrn.tensor{ { 1, 1, 1, 1 }, { 1, 1, 0 / 0, 1 } } } })
    bad("value", "sample: burn %+ steps: got", { steps = 2 ^ 29 // 1 | 0, burn = 2 ^ 30 - 2 ^ 28 // 1 | 0 })
  end)
end)

describe("a clamp", function()
  -- Values that the unit can have
  local function values_for(unit, device)
    local x = lrn.linspace(-1, 1, 5 * V, { device = device }):reshape(5, V)
    local s = core.unit_sample(unit, unit == "softmax" and x:reshape(5 * V // 2, 2) or x, 1, 4)
    return s:reshape(5, V)
  end
  local function mask_for(device)
    local pairs_held = core.unit_sample("bernoulli", lrn.zeros(5, V // 2, 1, { device = device }), 1, 5)
    return pairs_held:expand(5, V // 2, 2):reshape(5, V)
  end

  it("holds units bit for bit, in means and states, and leaves the others free", function()
    each(function(new, what, unit, device)
      local mask, values = mask_for(device), values_for(unit, device)
      local free = mask:eq(0)
      for _, given in ipairs { mask, mask:ne(0), mask:to "uint8", mask:to "int64", mask:cpu() } do
        local mean, state = new():sample(5, 6, nil, nil, { thin = 2, mask = given, values = values })
        for d = 1, 3 do
          for _, t in ipairs { mean:select(1, d), state:select(1, d) } do
            assert.is_true(t[mask:ne(0)] == values[mask:ne(0)], what)
            assert.is_false(t[free] == values[free], what)
          end
        end
      end
    end)
  end)

  it("holds a unit at what a model is told of it: what is free has the conditional means", function()
    each(function(new, what, unit, device)
      local values = values_for(unit, device)
      local mask = lrn.ones(V, { device = device })
      local c = new()
      local _, state = c:sample(5, 3, nil, nil, { mask = mask, values = values })
      assert.is_true(state == values, what)
      -- two units free: their means are those given hidden states, which depend on v alone
      mask:narrow(1, 1, 2):fill_(0)
      local mean = new():sample(5, 1, values, nil, { mask = mask, values = values })
      local free = new():sample(5, 1, values)
      assert.is_true(mean:narrow(2, 1, 2) == free:narrow(2, 1, 2), what)
    end)
  end)

  it("that holds nothing changes no bit", function()
    each(function(new, what, unit, device)
      local start = values_for(unit, device)
      local nothing = lrn.zeros(V, { device = device })
      local a, b = new():sample(5, 4, start)
      local c, d = new():sample(5, 4, start, nil, { mask = nothing, values = nothing * (0 / 0) })
      assert.is_true(a == c and b == d, what)
    end)
  end)

  it("takes one row for all, rows, images and bytes", function()
    local m = lrn.RBM{ n_visible = 12, n_hidden = 4 }
    local mask = lrn.zeros(3, 4)
    mask:narrow(1, 1, 2):fill_(1)
    local image = lrn.arange(0, 11):reshape(3, 4):to "uint8"
    local _, v = m:sample(2, { steps = 3, clamp = { mask, image } })
    local want = image:to "float32" / 255
    assert.is_true(v:narrow(2, 1, 8):reshape(2, 2, 4) == want:narrow(1, 1, 2):unsqueeze(1):expand(2, 2, 4):contiguous())
    local _, w = m:sample(2, { steps = 3, clamp = { mask = mask:ne(0):unsqueeze(1):expand(2, 3, 4),
      values = image:unsqueeze(1):expand(2, 3, 4) } })
    assert.is_true(w:narrow(2, 1, 8) == v:narrow(2, 1, 8))
  end)

  it("does not read a value that is not held", function()
    local m = lrn.RBM{ n_visible = 3, n_hidden = 2 }
    local _, v = m:sample(1, { steps = 5, clamp = { lrn.tensor{ 0, 1, 0 }, lrn.tensor{ 0 / 0, 1, 1 / 0 } } })
    assert.is_true(v(1, 2) == 1 and v:isfinite():all())
    raises("value", "row 1, value 1 is NaN or infinite", m.sample, m, 1,
      { clamp = { lrn.tensor{ 1, 1, 0 }, lrn.tensor{ 0 / 0, 1, 1 } } })
  end)

  it("is in units of the data, and comes back as it was given", function()
    for _, class in ipairs { "GaussianRBM", "VarianceGaussianRBM", "GaussianReluRBM" } do
      for _, device in ipairs(exact.devices()) do
        local data = lrn.randn(50, 6, { generator = lrn.generator(3) }) * 7 + 100
        data = data:to { device = device }
        local m = lrn[class]{ n_visible = 6, n_hidden = 4, device = device, seed = 2, normalize = true }
        m:fit(data, { epochs = 2 })
        local mask = lrn.tensor({ 1, 0, 1, 0, 0, 1 }, { device = device })
        local mean, v = m:sample(50, { steps = 4, thin = 2, clamp = { mask, data } })
        for d = 1, 2 do
          for _, i in ipairs { 1, 3, 6 } do
            assert.is_true(v:select(1, d):select(2, i) == data:select(2, i), class)
            assert.is_true(mean:select(1, d):select(2, i) == data:select(2, i), class)
          end
        end
        local free = v:select(3, 2):mean()
        assert.is_true(free > 80 and free < 120, class) -- and not standardised
        -- the model sees them standardised: what follows is what follows from such rows
        local twin = lrn[class]{ n_visible = 6, n_hidden = 4, device = device, seed = 2, normalize = true }
        twin:fit(data, { epochs = 2 })
        local all = lrn.ones(6, { device = device })
        assert.is_true((select(2, twin:sample(50, { steps = 1, clamp = { all, data } }))) == data)
      end
    end
  end)

  it("holds a group of softmax units as a whole", function()
    local c = fresh("softmax", "bernoulli", "cpu", "float32") -- groups of 2
    local mask = lrn.zeros(1, V)
    mask[{ 1, 4 }] = 1
    raises("value", "sample: clamp: mask: row 1 holds a part of group 2, expected all of its 2 units or none",
      c.sample, c, 3, 2, nil, nil, { mask = mask, values = lrn.ones(V) })
    mask[{ 1, 3 }] = 1
    local values = lrn.zeros(V)
    values[4] = 1
    local _, v = c:sample(30, 4, nil, nil, { mask = mask, values = values })
    assert.is_true(v:select(2, 4):eq(1):all() and v:select(2, 3):eq(0):all())
    assert.equal(30 * V // 2, v:sum())
  end)

  it("leaves a model with a given label both", function()
    local m = lrn.HybridDiscriminativeRBM{ n_visible = 6, n_hidden = 4, n_classes = 3, seed = 7 }
    local _, v, y = m:sample(4, { steps = 5, labels = lrn.tensor({ 1, 2, 3, 2 }, { dtype = "int64" }),
      clamp = { lrn.tensor{ 1, 1, 0, 0, 0, 0 }, lrn.tensor{ 1, 0, 0, 0, 0, 0 } } })
    assert.same({ 1, 2, 3, 2 }, y:tolist())
    assert.is_true(v:select(2, 1):eq(1):all() and v:select(2, 2):eq(0):all())
  end)
end)
