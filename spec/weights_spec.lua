-- Weights of rows: of a step in the engine, and of samples and classes in fit.
local lrn = require "lrn"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 5, 4, 9

local function data(seed, options)
  local u, rows = exact.uniform(seed), {}
  for r = 1, ROWS do
    rows[r] = {}
    for i = 1, V do rows[r][i] = u() < 0.5 and 1 or 0 end
  end
  return lrn.tensor(rows, options)
end

local function double(t) return t:to { device = "cpu", dtype = "float64" } end

local function same(got, want, tolerance, message)
  for _, key in ipairs { "W", "a", "b" } do
    local off = (double(got[key]) - double(want[key])):abs():max()
    assert(off <= tolerance, ("%s: %s is off by %g"):format(message, key, off))
  end
end

local function gradient(c, x, weights, idx)
  c:reserve(ROWS, true)
  c:compute_gradient(x, idx, 1, (idx or x):size(1), nil, weights)
  local g = {}
  for key, t in pairs(c:gradient()) do g[key] = double(t) end
  return g
end

-- The gradient of Bernoulli units from the visible states of both phases, in doubles.
local function formula(c, x, weights, pcd)
  local p, minus = {}, double(c:negative())
  for key, t in pairs(c:parameters()) do p[key] = double(t) end
  local function q(v) return (v:mm(p.W) + p.b):sigmoid() end
  local w = (weights / weights:sum()):view(-1, 1)
  local wn = pcd and lrn.full({ minus:size(1), 1 }, 1 / minus:size(1), { dtype = "float64" }) or w
  return { W = minus:t():mm(q(minus) * wn) - x:t():mm(q(x) * w),
    a = (minus * wn):sum(1) - (x * w):sum(1), b = (q(minus) * wn):sum(1) - (q(x) * w):sum(1) }
end

describe("weights of the rows of a step", function()
  local weights = { 2, 0, 1, 0.5, 3, 1e-3, 7, 1, 0.25 }

  it("weigh both phases of CD, and the data alone of PCD", function()
    for _, persistent in ipairs { 0, 3, 12 } do
      exact.everywhere(function(device, dtype)
        local at = { device = device, dtype = dtype }
        local c = exact.model(exact.parameters(V, H, 3, 0.7),
          { device = device, dtype = dtype, persistent = persistent })
        local x, w = data(7, at), lrn.tensor(weights, at)
        same(gradient(c, x, w), formula(c, double(x), double(w), persistent > 0),
          dtype == "float64" and 1e-14 or 1e-6, ("%s on %s, %d"):format(dtype, device, persistent))
      end)
    end
  end)

  it("count a row as often as it were there, where the chain draws nothing", function()
    local copies = { 1, 3, 2, 1, 1, 4, 1, 1, 2 }
    local idx = {}
    for r, n in ipairs(copies) do
      for _ = 1, n do idx[#idx + 1] = r end
    end
    exact.everywhere(function(device)
      local at = { device = device, dtype = "float64" }
      local parameters = exact.parameters(V, H, 9, 40000) -- every unit is sure of itself
      local function model()
        local c = exact.model(parameters, { device = device, dtype = "float64", centering = 0.3,
          sparsity_cost = 0.2 })
        c:reserve(#idx, true)
        return c
      end
      local x = data(8, at)
      local a = model()
      local plus = double(x):mm(double(a:parameters().W)) + double(a:parameters().b)
      assert.is_true(plus:abs():min() > 40)
      same(gradient(a, x, lrn.tensor(copies, at)),
        gradient(model(), x, nil, lrn.tensor(idx, { dtype = "int64", device = device })), 1e-13,
        device)
    end)
  end)

  it("are shares: their scale says nothing, and one for all is none", function()
    exact.everywhere(function(device, dtype)
      local at = { device = device, dtype = dtype }
      local x = data(7, at)
      local function of(w)
        return gradient(exact.model(exact.parameters(V, H, 3, 0.7), at), x, w)
      end
      local tolerance = dtype == "float64" and 1e-14 or 1e-6
      same(of(lrn.full({ ROWS }, 17.5, at)), of(nil), tolerance, device)
      same(of(lrn.tensor(weights, at)), of(lrn.tensor(weights, at) * 1e4), tolerance, device)
    end)
  end)

  it("of 0 for all give a gradient of 0, also of PCD", function()
    for _, persistent in ipairs { 0, 4 } do
      exact.everywhere(function(device, dtype)
        local at = { device = device, dtype = dtype }
        local c = exact.model(exact.parameters(V, H, 3, 0.7),
          { device = device, dtype = dtype, persistent = persistent })
        for key, t in pairs(gradient(c, data(7, at), lrn.zeros({ ROWS }, at))) do
          assert.equal(0, t:abs():max(), key)
        end
      end)
    end
  end)

  it("serve one step and no other", function()
    local at = { dtype = "float64" }
    local function model() return exact.model(exact.parameters(V, H, 3, 0.7), at) end
    local x, w = data(7, at), lrn.tensor(weights, at)
    local a, b = model(), model()
    gradient(a, x, w)
    same(gradient(a, x), gradient(b, x), 0, "after weights")
  end)

  it("go with every mask and every unit", function()
    for _, o in ipairs { { mask = "dropout", dropout = .5 }, { mask = "dropconnect", dropout = .5 },
      { mask = "edropout" }, { visible = "gaussian" }, { hidden = "relu" }, { visible = "spin",
      hidden = "spin" }, { hidden = "softmax", hidden_categories = 2 } } do
      o.dtype = "float64"
      local x, w = data(7, { dtype = "float64" }), lrn.full({ ROWS }, 3, { dtype = "float64" })
      local function model() return exact.model(exact.parameters(V, H, 3, 0.5), o) end
      same(gradient(model(), x, w), gradient(model(), x), 1e-13, o.mask or o.visible or o.hidden)
    end
  end)

  -- alpha, chains: the discriminative part alone; with that of CD, and that of PCD
  local labelled = { { 0, 0 }, { .7, 0 }, { .7, 3 } }
  local labels = { 1, 2, 3, 0, 3, 2, 0, 1, 1 } -- 0: none

  -- Of a model of three classes, from rows, their labels and weights.
  local function of_labelled(kind, x, y, w, idx, device)
    local c = lrn.HybridDiscriminativeRBM { n_visible = V, n_hidden = H, n_classes = 3,
      alpha = kind[1], persistent = kind[2], dtype = "float64", seed = 3, device = device,
      centering = .2,
      sparsity_cost = .1 }._core
    for name, t in pairs(c:parameters()) do
      t:copy_(lrn.randn(t.shape, { generator = lrn.generator(#name + name:byte()) }))
    end
    c:reserve(20, true)
    local n = (idx or x):size(1)
    c:compute_gradient(x, idx, 1, n, y, w)
    local g = {}
    for name, t in pairs(c:gradient()) do g[name] = double(t) end
    return g
  end

  local function all_same(a, b, tolerance, message)
    for name, t in pairs(a) do
      local off = (t - b[name]):abs():max()
      assert(off <= tolerance, ("%s: %s is off by %g"):format(message, name, off))
    end
  end

  it("go with labels: they equal duplicated rows, and rows that weigh 0 are not there", function()
    local copies, idx = { 2, 0, 1, 3, 1, 2, 0, 1, 1 }, {}
    for r, n in ipairs(copies) do
      for _ = 1, n do idx[#idx + 1] = r end
    end
    for _, device in ipairs(exact.devices()) do
      local at, whole = { device = device, dtype = "float64" }, { device = device, dtype = "int64" }
      for _, kind in ipairs(labelled) do
        local x, y = data(7, at), lrn.tensor(labels, whole)
        local name = ("alpha %g, %d chains on %s"):format(kind[1], kind[2], device)
        local weighted = of_labelled(kind, x, y, lrn.tensor(copies, at), nil, device)
        if kind[1] == 0 or kind[2] > 0 then -- nothing that counts is drawn for a row
          all_same(weighted, of_labelled(kind, x, y, nil, lrn.tensor(idx, whole), device), 1e-13,
            name)
        end
        local other, classes = x:clone(), y:clone()
        for r, n in ipairs(copies) do
          if n == 0 then other[r], classes[r] = 1 - x[r], 2 end
        end
        all_same(weighted,
          of_labelled(kind, other, classes, lrn.tensor(copies, at), nil, device), 1e-14, name)
        all_same(of_labelled(kind, x, y, nil, nil, device),
          of_labelled(kind, x, y, lrn.full({ ROWS }, 5, at), nil, device), 1e-13, name)
      end
    end
  end)

  it("of another number, type or device are refused", function()
    local c = exact.model(exact.parameters(V, H, 3, 0.7), {})
    for _, w in ipairs { lrn.ones(ROWS - 1), lrn.ones(ROWS, 1), lrn.ones({ ROWS }, { dtype =
      "float64" }), lrn.ones(2 * ROWS)("::2") } do
      local _, message = pcall(gradient, c, data(7), w)
      assert.matches("gradient: weights: got .*, expected a contiguous float32%[9%] on \z
        cpu", message)
    end
  end)
end)
