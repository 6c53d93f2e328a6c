-- Persistent chains with fast weights and with replicas in training: formulas, what is saved, and what they are
-- for. That they keep their distribution is in tempering_spec.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local bars = (lrn.data.bars_and_stripes(3))

local function bytes_of(tensors)
  local out = {}
  for _, name in ipairs { "W", "a", "b", "U", "c", "z" } do
    if tensors[name] then out[#out + 1] = tensors[name]:tobytes() end
  end
  return table.concat(out)
end

local raises = dofile "spec/support/raises.lua"

describe("fast weights", function()
  it("of rate 0 are plain PCD, bit for bit", function()
    local function trained(more)
      local o = { n_visible = 9, n_hidden = 6, persistent = 10, steps = 2, seed = 3 }
      for name, value in pairs(more) do o[name] = value end
      local m = lrn.RBM(o)
      m:fit(bars, { epochs = 5, batch_size = 4 })
      return bytes_of(m:parameters()) .. m._core:chain():tobytes()
    end
    assert.is_true(trained {} == trained { fast_rate = 0, fast_decay = 0.5, replicas = 1 })
    assert.is_false(trained {} == trained { fast_rate = 1 })
  end)

  -- theta and f by the formulas from the gradient; the chains of a twin whose parameters are theta + f; the
  -- gradient's negative phase by theta alone from their states.
  it("follow the formula, and only the chains see them", function()
    for _, device in ipairs(exact.devices()) do
      for _, pair in ipairs { { "bernoulli", "bernoulli" }, { "gaussian", "bernoulli" }, { "spin", "relu" },
        { "softmax", "softmax" } } do
        local V, H, P, B, rate, decay = 8, 4, 6, 5, 0.05, 0.9
        local p = exact.parameters(V, H, 91, 0.25)
        local function new(more)
          local o = { visible = pair[1], hidden = pair[2], device = device, dtype = "float64", persistent = P,
            steps = 2, learning_rate = 0.01, decay = 0.1, seed = 4 }
          for name, value in pairs(more) do o[name] = value end
          local c = exact.model(p, o)
          c:reserve(B, true)
          return c
        end
        local c = new { fast_rate = rate, fast_decay = decay }
        local twin = new { learning_rate = 0 }
        local data = core.unit_sample(pair[1], lrn.linspace(-1, 1, B * V, { dtype = "float64", device = device })
          :reshape(B, V // 2, 2), 1, 6):reshape(B, V)
        local f = {}
        for name, t in pairs(c:parameters()) do f[name] = lrn.zeros_like(t) end
        for step = 1, 4 do
          local what = ("%s-%s on %s, step %d"):format(pair[1], pair[2], device, step)
          local old = {}
          for name, t in pairs(c:parameters()) do
            old[name] = t:clone()
            twin:parameters()[name]:copy_(t + f[name])
          end
          twin:chain():copy_(c:chain())
          twin:set_state { step = step - 1 }
          assert.is_nil((c:step(data, nil, 1, B)))
          assert.is_nil((twin:step(data, nil, 1, B)))
          assert.is_true(twin:negative() == c:negative() and twin:chain() == c:chain(), what)
          -- the negative phase
          local g, v = c:gradient(), c:negative()
          local function mean_of(x)
            x = x:mm(old.W) + old.b
            if pair[2] == "softmax" then x = x:reshape(x:size(1), H // 2, 2) end
            return core.unit_map(pair[2], "mean", x:contiguous(), 1):reshape(-1, H)
          end
          local gW = v:t():mm(mean_of(v)) / P - data:t():mm(mean_of(data)) / B
          exact.near((g.W - gW):abs():max(), 0, 1e-12, what .. " W")
          for name, t in pairs(g) do
            f[name] = f[name] * decay - t * rate
            exact.near((c:fast()[name] - f[name]):abs():max(), 0, 1e-14, what .. " fast " .. name)
            f[name] = c:fast()[name]:clone()
          end
        end
      end
    end
  end)

  it("of variances are 0", function()
    local m = lrn.VarianceGaussianRBM{ n_visible = 9, n_hidden = 4, persistent = 5, fast_rate = 0.1, seed = 1 }
    m:fit(bars, { epochs = 3 })
    local f = m._core:fast()
    assert.equal(0, f.z:abs():max())
    assert.is_true(f.W:abs():max() > 0 and m.W:isfinite():all())
  end)

  -- A model of two modes, all off and all on, that plain chains leave about once in 10^4 sweeps. Switches of
  -- independent chains: a difference of 6 sigma (1e-9).
  it("drive chains from mode to mode", function()
    local V, P = 8, 100
    local function switches(fast_rate)
      local c = core.rbm_new { n_visible = V, n_hidden = 1, persistent = P, fast_rate = fast_rate, seed = 2,
        learning_rate = 0, visible_bias = "zero" }
      c:parameters().W:fill_(7)
      c:parameters().a:fill_(-3.5)
      c:parameters().b:fill_(-28)
      local data = lrn.cat({ lrn.zeros(10, V), lrn.ones(10, V) }, 1)
      c:reserve(20, true)
      c:chain():fill_(0)
      local n, before = 0, c:chain():clone()
      for _ = 1, 200 do
        c:step(data, nil, 1, 20)
        n = n + (c:chain():ne(before)):sum()
        before = c:chain():clone()
      end
      return n
    end
    local plain, fast = switches(0), switches(0.3)
    assert.is_true(fast - plain > 6 * math.sqrt(fast + plain), plain .. ", " .. fast)
  end)
end)

describe("options of chains that change while training is under way", function()
  -- one fit in whose callback they change, against two fits with the change between them
  local function same(new, name, value)
    local data = lrn.data.bars_and_stripes(3)
    local once, twice, never, differ = new(), new(), new(), 0
    never:fit(data, { epochs = 4, batch_size = 4 })
    once:fit(data, { epochs = 4, batch_size = 4, callback = function(m, epoch)
      if epoch == 2 then m[name] = value end
    end })
    twice:fit(data, { epochs = 2, batch_size = 4 })
    twice[name] = value
    twice:fit(data, { epochs = 2, batch_size = 4 })
    for key, t in pairs(once:parameters()) do
      assert.is_true(t == twice:parameters()[key], name .. ", " .. key)
      if t ~= never:parameters()[key] then differ = differ + 1 end
    end
    assert.is_true(differ > 0, name)
  end

  it("act at once, as between two fits", function()
    local function rbm() return lrn.RBM { n_visible = 9, n_hidden = 6, persistent = 5, seed = 3 } end
    local function deep() return lrn.DBM { n_visible = 9, n_hidden = { 6, 3 }, persistent = 5, seed = 3 } end
    same(rbm, "fast_rate", 0.01)
    same(rbm, "persistent", 8)
    same(rbm, "persistent", 0)
    same(rbm, "replicas", 3)
    same(deep, "persistent", 8)
  end)

  it("may be scheduled", function()
    local m = lrn.RBM { n_visible = 9, n_hidden = 6, persistent = 5, seed = 3 }
    m:fit(bars, { epochs = 4, batch_size = 4, schedule = { fast_rate = function(epoch)
      return epoch > 2 and 0.01 or 0
    end } })
    assert.is_true(m._core:fast().W:abs():max() > 0)
  end)
end)

describe("replicas in training", function()
  local kinds = {
    { fast_rate = 0.02 },
    { replicas = 4 },
    { replicas = 3, fast_rate = 0.02, steps = 2, optimizer = "adam", learning_rate = 0.01 },
  }

  it("and fast weights are saved: resume is bit for bit, also in the middle of an epoch", function()
    local path = os.tmpname()
    for _, device in ipairs(exact.devices()) do
      for i, kind in ipairs(kinds) do
        local function new()
          local o = { n_visible = 9, n_hidden = 6, persistent = 6, seed = 3, device = device }
          for name, value in pairs(kind) do o[name] = value end
          return lrn.RBM(o)
        end
        local function all(m)
          local _, rates, base = m._core:ladder()
          return bytes_of(m:parameters()) .. m._core:chain():tobytes() .. bytes_of(m._core:fast() or {}) ..
            (rates and rates:tobytes() .. base:tobytes() .. m._core:ladder():tobytes() or "")
        end
        local data = lrn.data.Dataset(bars.data:to { device = device })
        local whole = new()
        whole:fit(data, { epochs = 30, batch_size = 4 })
        for _, cut in ipairs { { epochs = 9 }, { epochs = 12, batches = 3 } } do
          local part = new()
          part:fit(data, { epochs = cut.epochs, batch_size = 4,
            checkpoint = { path = path, batches = cut.batches, every = cut.batches and 100 or 1 } })
          local again = new()
          assert(again:fit(data, { epochs = 30, batch_size = 4, resume = path }))
          assert.is_true(all(whole) == all(again), i .. " on " .. device)
          assert.same(whole.history.swap, again.history.swap)
        end
      end
    end
    os.remove(path)
  end)

  it("report swaps, and the ladder adapts until all rates are alike", function()
    local m = lrn.RBM{ n_visible = 9, n_hidden = 6, persistent = 50, replicas = 5, seed = 3 }
    assert.is_nil((m:swap_rates()))
    m:fit(bars, { epochs = 300, batch_size = 7 })
    local rates, betas = m:swap_rates()
    assert.equal(4, #rates)
    assert.is_true(betas[1] == 1 and betas[5] == 0)
    for i = 1, 4 do
      assert.is_true(betas[i] > betas[i + 1])
      exact.near(rates[i], rates:mean(), 0.05, "rate " .. i)
    end
    local swap = m.history.swap
    assert.equal(300, #swap)
    exact.near(swap[300], rates:mean(), 1e-12)
    -- the weights have grown since equal steps were right
    assert.is_true(swap[300] < swap[1])
  end)

  it("begin anew where their number changes, and refuse what they are not for", function()
    local m = lrn.RBM{ n_visible = 9, n_hidden = 6, persistent = 4, replicas = 3, seed = 3 }
    m:fit(bars, { epochs = 1 })
    m.replicas = 2
    m:fit(bars, { epochs = 1 })
    assert.same({ 8, 6 }, m._core:chain().shape)
    m.replicas, m.fast_rate = 1, 0.1
    m:fit(bars, { epochs = 1 })
    assert.is_nil((m:swap_rates()))
    m.fast_rate = 0
    m:fit(bars, { epochs = 1 })
    raises("value", "RBM: replicas: got 2, expected 1: without persistent chains", lrn.RBM, { replicas = 2 })
    raises("value", "RBM: fast_rate: got 0.1, expected 0: without persistent", lrn.RBM, { fast_rate = 0.1 })
    raises("value", "RBM: replicas: got 0, expected an integer >= 1", lrn.RBM, { persistent = 2, replicas = 0 })
    raises("value", "fast_decay: got 1, expected a number >= 0 and < 1", lrn.RBM, { fast_decay = 1 })
    raises("value", "fast_rate: got 0.1, expected 0: a model with a mask", lrn.DropoutRBM,
      { persistent = 2, fast_rate = 0.1 })
    for _, class in ipairs { "DropoutRBM", "GaussianReluRBM" } do
      local ok, e = pcall(lrn[class], { persistent = 2, replicas = 2 })
      assert.is_false(ok)
      assert.matches("RBM: replicas: got 2, expected 1: .* have no energies to exchange states by", e)
    end
    assert.is_false((pcall(function() lrn.DropoutRBM{ n_visible = 4 }:sample(2, { replicas = 3 }) end)))
  end)

  it("serve models with labels and with variances", function()
    for _, device in ipairs(exact.devices()) do
      local labelled = lrn.HybridDiscriminativeRBM{ n_visible = 9, n_hidden = 6, n_classes = 2, persistent = 5,
        replicas = 3, alpha = 0.5, seed = 3, device = device, fast_rate = 0.01 }
      local set = lrn.data.Dataset(bars.data:to { device = device }, bars.targets)
      labelled:fit(set, { epochs = 3, batch_size = 4 })
      assert.equal(3, #labelled.history.swap)
      local _, v, y = labelled:sample(6, { steps = 8, thin = 4, replicas = 3, burn = 40 })
      assert.same({ 2, 6, 9 }, v.shape)
      assert.same({ 2, 6 }, y.shape)
      local _, _, given = labelled:sample(6, { steps = 8, replicas = 3, labels = lrn.full(6, 2, { dtype = "int64" }) })
      assert.same({ 2, 2, 2, 2, 2, 2 }, given:tolist())
    end
    local m = lrn.VarianceGaussianRBM{ n_visible = 9, n_hidden = 6, persistent = 5, replicas = 3, seed = 3 }
    m:fit(bars, { epochs = 3, batch_size = 4 })
    assert.is_true(m.W:isfinite():all() and m:swap_rates():min() > 0)
  end)

  it("in a file that is damaged say so", function()
    local m = lrn.RBM{ n_visible = 9, n_hidden = 6, persistent = 4, replicas = 3, seed = 3 }
    m:fit(bars, { epochs = 1 })
    local function broken(change)
      local file = core.file_new()
      m._core:store(file)
      local copy, path = core.file_new(), os.tmpname()
      for _, name in ipairs { "W", "a", "b", "momentum.W", "momentum.a", "momentum.b", "chain.h", "chain.beta",
        "chain.rate", "chain.base" } do
        local t = change[name]
        if t == nil then t = file:get(name) end
        if t then copy:put(name, t) end
      end
      for _, name in ipairs { "lrn.format", "lrn.class", "lrn.options", "lrn.generator", "lrn.epoch", "lrn.ladder" } do
        copy:meta(name, change[name] or file:meta(name))
      end
      assert(copy:save(path))
      local got, message = lrn.load(path)
      os.remove(path)
      return got, message
    end
    assert(broken {})
    for pattern, change in pairs {
      ["chain.beta': expected values that fall from 1 to 0"] = { ["chain.beta"] = lrn.tensor({ 1, 1, 0 },
        { dtype = "float64" }) },
      ["lrn.ladder: 'x', expected two integers"] = { ["lrn.ladder"] = "x" },
      ["chain.rate': found"] = { ["chain.rate"] = lrn.zeros(3, 3, { dtype = "float64" }) },
      ["chain.h': expected 4 chains of 3 rungs"] = { ["chain.h"] = lrn.zeros(4, 6) },
      ["'chain.base' is missing"] = { ["chain.base"] = false },
    } do
      local got, message = broken(change)
      assert.is_nil(got, pattern)
      assert.matches(pattern, message, 1, true)
    end
  end)
end)
