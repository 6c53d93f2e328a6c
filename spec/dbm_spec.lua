-- The engine's deep Boltzmann machines against sums over all states of all layers in plain Lua, against the
-- RBM that a deep machine folds into, and against the RBM that one of one layer is. Statistics at 6 sigma
-- (2e-9), seeds fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local deep = dofile "spec/support/deep.lua"
local exact = deep.exact

local near = exact.near
local f64 = { dtype = "float64" }
local before = core.set()
after_each(function() core.set { threads = before.threads, deterministic = before.deterministic } end)

local shapes = { { 4, 3, 2 }, { 3, 4, 5 }, { 4, 2, 3, 2 }, { 2, 3, 2, 2, 1 }, { 5, 3 } }
local kinds = { { "bernoulli", "bernoulli" }, { "spin", "spin" }, { "bernoulli", "spin" },
  { "softmax", "bernoulli" }, { "gaussian", "bernoulli" }, { "relu", "spin" } }
local temperatures = { 1, 0.5, 2 }

-- f(units, p, options, kinds, T, what)
local function each(f)
  for k, kind in ipairs(kinds) do
    for n, units in ipairs(shapes) do
      local p = deep.parameters(units, 10 * k + n)
      local T = temperatures[(k + n) % 3 + 1]
      f(units, p, { visible = kind[1], hidden = kind[2], temperature = T, dtype = "float64" }, kind, T,
        ("%s of %s-%s, T = %g"):format(table.concat(units, "-"), kind[1], kind[2], T))
    end
  end
end

-- Some rows of visible states of that kind.
local function some_rows(units, visible)
  if exact.kind(visible).discrete then return exact.states(units[1], visible) end
  local u, list = exact.uniform(9), {}
  for i = 1, 5 do
    list[i] = {}
    for k = 1, units[1] do list[i][k] = visible == "relu" and 2 * u() or 4 * u() - 2 end
  end
  return list
end

describe("exact figures of a deep Boltzmann machine", function()
  it("log Z is the sum over all states of all layers", function()
    each(function(units, p, options, kind, T, what)
      local tolerance = exact.kind(kind[1]).discrete and 1e-12 or 1e-8
      near(deep.model(units, p, options):log_partition(), deep.log_z(units, p, kind[1], kind[2], T), tolerance,
        what)
    end)
  end)

  it("log Z is that of the RBM of its even and its odd layers", function()
    each(function(units, p, options, kind, _, what)
      if kind[1] ~= kind[2] then return end
      near(deep.model(units, p, options):log_partition(), deep.folded(units, p, options):log_partition(), 1e-12,
        what)
    end)
  end)

  it("log p(v) is the sum over the hidden states of each row", function()
    each(function(units, p, options, kind, T, what)
      local list = some_rows(units, kind[1])
      local got = deep.model(units, p, options):log_marginal(lrn.tensor(list, f64))
      for i, v in ipairs(list) do
        near(got[i], deep.log_marginal(units, p, v, kind[1], kind[2], T), 1e-12, what)
      end
    end)
  end)

  it("the energy of all layers is -a.v - b.h - v W1 h1 - h1 W2 h2", function()
    for _, dtype in ipairs(exact.dtypes) do
      for _, device in ipairs(exact.devices()) do
        local units = { 4, 2, 3, 2 }
        local p = deep.parameters(units, 3)
        local c = deep.model(units, p, { dtype = dtype, device = device })
        local u, rows, want = exact.uniform(4), { {}, {}, {}, {} }, {}
        for n = 1, 20 do
          local one = {}
          for l = 1, 4 do
            one[l] = {}
            for i = 1, units[l] do one[l][i] = u() < 0.5 and 1 or 0 end
            rows[l][n] = one[l]
          end
          want[n] = deep.energy(p, one)
        end
        local t = {}
        for l = 1, 4 do t[l] = lrn.tensor(rows[l], { dtype = dtype, device = device }) end
        local got = c:joint_energy(t[1], { t[2], t[3], t[4] }):tolist()
        for n, e in ipairs(want) do near(got[n], e, 1e-5, dtype .. " on " .. device) end
      end
    end
  end)

  it("stay what they are when hidden units change places, or 0 and 1", function()
    local units = { 5, 4, 3 }
    local p = deep.parameters(units, 5)
    local function figures(q)
      local c = deep.model(units, q, f64)
      return c:log_marginal(lrn.tensor(exact.states(5), f64)) - c:log_partition()
    end
    local want = figures(p)
    local q = { ["1.a"] = p["1.a"], ["2.b"] = p["2.b"], ["1.W"] = {}, ["1.b"] = {}, ["2.W"] = {} }
    local order = { 3, 1, 4, 2 }
    for j, from in ipairs(order) do q["1.b"][j], q["2.W"][j] = p["1.b"][from], p["2.W"][from] end
    for i, row in ipairs(p["1.W"]) do
      q["1.W"][i] = {}
      for j, from in ipairs(order) do q["1.W"][i][j] = row[from] end
    end
    near((figures(q) - want):abs():max(), 0, 1e-12, "permuted")
    -- h1_2 -> 1 - h1_2
    q = { ["1.a"] = {}, ["2.b"] = {}, ["1.W"] = {}, ["1.b"] = table.move(p["1.b"], 1, 4, 1, {}), ["2.W"] = {} }
    q["1.b"][2] = -q["1.b"][2]
    for i, row in ipairs(p["1.W"]) do
      q["1.W"][i], q["1.a"][i] = table.move(row, 1, 4, 1, {}), p["1.a"][i] + row[2]
      q["1.W"][i][2] = -row[2]
    end
    for j, row in ipairs(p["2.W"]) do q["2.W"][j] = table.move(row, 1, 3, 1, {}) end
    for k, w in ipairs(p["2.W"][2]) do q["2.W"][2][k], q["2.b"][k] = -w, p["2.b"][k] + w end
    near((figures(q) - want):abs():max(), 0, 1e-12, "flipped")
  end)

  it("are refused where neither parity can be listed, and the message says so", function()
    local c = core.dbm_new({ n_visible = 30, seed = 1 }, { 30, 30 })
    assert.is_false(c:has_exact())
    local ok, message = pcall(c.log_partition, c)
    assert.is_false(ok)
    assert.matches("log_partition: exact only where the layers of even or of odd numbers have at most 2%^24", message)
    assert.is_false((pcall(c.log_marginal, c, lrn.zeros(1, 30))))
    assert.is_true(core.dbm_new({ n_visible = 1000, seed = 1 }, { 12, 1000, 12 }):has_exact())
    assert.is_true(core.dbm_new({ n_visible = 10, seed = 1 }, { 1000, 14 }):has_exact())
  end)
end)

describe("mean field", function()
  it("gives a bound: below the exact figure, and at it where there is one hidden layer", function()
    each(function(units, p, options, kind, T, what)
      local c = deep.model(units, p, options)
      local v = lrn.tensor(some_rows(units, kind[1]), f64)
      local gap = c:log_marginal(v) + c:free_energy(v) / T
      if #units == 2 then
        near(gap:abs():max(), 0, 1e-12, what)
      else
        assert.is_true(gap:min() > -1e-12 and gap:max() > 1e-9, what)
      end
    end)
  end)

  it("rises with every turn", function()
    local units = { 6, 5, 4, 3 }
    local p = deep.parameters(units, 8, 2)
    local v, last = lrn.tensor(exact.states(6), f64), nil
    for turns = 1, 8 do
      local F = deep.model(units, p, { dtype = "float64", mean_field = turns, tolerance = 0 }):free_energy(v)
      if last then assert.is_true((F - last):max() < 1e-12, "turn " .. turns) end
      last = F
    end
  end)

  -- mu = A'(input from its neighbours), the definition; means of Bernoulli and spin units in closed form
  it("ends at means that follow from their neighbours", function()
    for _, hidden in ipairs { "bernoulli", "spin" } do
      local units, T = { 4, 3, 4, 2 }, 0.8
      local p = deep.parameters(units, 12)
      local c = deep.model(units, p, { hidden = hidden, dtype = "float64", temperature = T })
      local v = lrn.tensor(exact.states(4), f64)
      local mu = c:mean_field(v)
      local q = c:parameters()
      local layers = { v, mu[1], mu[2], mu[3] }
      for l = 2, 4 do
        local x = layers[l - 1]:mm(q[l - 1 .. ".W"]) + q[l - 1 .. ".b"]
        if l < 4 then x = x + layers[l + 1]:mm(q[l .. ".W"]:t()) end
        local want = hidden == "spin" and (x / T):tanh() or (x / T):sigmoid()
        near((want - layers[l]):abs():max(), 0, 1e-10, hidden .. ", layer " .. l - 1)
      end
    end
  end)

  -- At the fixed point the means do not add to the derivative.
  it("has as the bound's gradient what a step takes from the data", function()
    for _, case in ipairs { { "bernoulli", "bernoulli", 1 }, { "spin", "spin", 0.5 }, { "gaussian", "bernoulli", 2 } } do
      local units, n, P = { 4, 3, 3, 2 }, 6, 5
      local p = deep.parameters(units, 13, case[2] == "spin" and 0.5 or 1)
      local c = deep.model(units, p, { visible = case[1], hidden = case[2], temperature = case[3],
        dtype = "float64", persistent = P })
      local v = lrn.tensor(some_rows(units, case[1]), f64)
      v = lrn.cat({ v, v }, 1):narrow(1, 1, n)
      local want = exact.derivative(c:parameters(), function() return c:free_energy(v):mean() end)
      c:reserve(n, true)
      assert.is_nil((c:compute_gradient(v, nil, 1, n)))
      local s, g = {}, c:gradient()
      for l = 0, 3 do s[l] = c:negative(l) end
      for i = 1, 3 do
        local gW = g[i .. ".W"] + s[i - 1]:t():mm(s[i]) / n -- odd rows have sign and weight
        for k, x in ipairs(gW:contiguous():view(-1):tolist()) do near(x, want[i .. ".W"][k], 2e-8, i .. ".W") end
        local sum = s[i]:sum(1) * (i % 2 == 1 and 1 / n or -1 / P)
        for k, x in ipairs((g[i .. ".b"] + sum):tolist()) do near(x, want[i .. ".b"][k], 2e-8, i .. ".b") end
      end
      for k, x in ipairs((g["1.a"] - s[0]:mean(1)):tolist()) do near(x, want["1.a"][k], 2e-8, "1.a") end
    end
  end)

  it("of a row does not depend on its neighbours, whatever the tolerance", function()
    local units = { 6, 5, 4 }
    local p = deep.parameters(units, 15, 3)
    for _, tolerance in ipairs { 0.1, 1e-3, 0 } do
      local c = deep.model(units, p, { dtype = "float64", mean_field = 40, tolerance = tolerance })
      local v = lrn.tensor(exact.states(6), f64)
      local all = c:mean_field(v)
      for r = 1, 64, 7 do
        local one = c:mean_field(v:narrow(1, r, 1))
        for l = 1, 2 do near((one[l] - all[l]:narrow(1, r, 1)):abs():max(), 0, 1e-14, "row " .. r) end
      end
    end
  end)
end)

describe("a deep machine of one hidden layer", function()
  -- Everything that three epochs leave behind, as bytes.
  local function trained(make, o)
    local c = make(o)
    local data = core.unit_sample("bernoulli", lrn.linspace(-2, 2, 20 * 6), 1, 6):reshape(20, 6)
    data = data:to { dtype = o.dtype or "float32", device = o.device or "cpu" }
    local index = core.permutation(20, 3, 1):to { device = o.device or "cpu" }
    c:reserve(7, true)
    c:prepare(data)
    for _ = 1, 3 do
      for first = 1, 20, 7 do assert.is_nil((c:step(data, index, first, math.min(7, 21 - first)))) end
    end
    local p, s = c:parameters(), c:state()
    local out = { ("%a %a"):format(s.mse, s.error) }
    for _, name in ipairs { "W", "a", "b" } do out[#out + 1] = (p["1." .. name] or p[name]):tobytes() end
    for _, t in ipairs { c:free_energy(data), (c:sample(9, 3)), (select(2, c:sample(9, 3, data:narrow(1, 1, 9)))) } do
      out[#out + 1] = t:tobytes()
    end
    return out, c
  end
  local function as_rbm(o)
    o.n_hidden = 5
    local c = core.rbm_new(o)
    o.n_hidden = nil
    return c
  end
  local function as_dbm(o) return core.dbm_new(o, { 5 }) end

  it("is trained as an RBM is, to the bit, and draws the same samples", function()
    for _, o in ipairs { {}, { persistent = 4 }, { persistent = 30, steps = 3 }, { centering = .1, persistent = 4 },
      { sparsity_cost = .1 }, { optimizer = "adam", max_norm = .05 }, { momentum = .5, decay = .01, l1 = .001 },
      { hidden = "spin", visible = "spin", temperature = 1.5, persistent = 8 },
      { visible_noise = false }, { dtype = "float64", persistent = 7 } } do
      o.n_visible, o.seed = 6, 9
      local want, got = trained(as_rbm, o), trained(as_dbm, o)
      for i, bytes in ipairs(want) do assert.is_true(bytes == got[i], ("part %d"):format(i)) end
    end
  end)

  it("has an RBM's likelihoods", function()
    local _, r = trained(as_rbm, { n_visible = 6, seed = 4, persistent = 6, temperature = 2 })
    local _, d = trained(as_dbm, { n_visible = 6, seed = 4, persistent = 6, temperature = 2 })
    local v = lrn.tensor(exact.states(6))
    near(d:log_partition(), r:log_partition(), 1e-12)
    near(d:log_marginal(v):mean() - d:log_partition(), r:log_likelihood(v), 1e-12)
    near(d:log_likelihood(v, 0), r:log_likelihood(v, 0), 1e-5)
  end)
end)

describe("annealed importance sampling of a deep machine", function()
  local function ladder(n) return core.linspace(0, 1, n + 1, f64) end
  local cases = { { { 10, 8, 6 }, "bernoulli", "bernoulli", .7 }, { { 10, 14, 6 }, "bernoulli", "bernoulli", .5 },
    { { 8, 6, 4, 6 }, "spin", "spin", .3 }, { { 6, 8, 4 }, "gaussian", "bernoulli", .3 },
    { { 9, 6, 5 }, "softmax", "spin", .4 } }
  local function model(case, options)
    local o = { visible = case[2], hidden = case[3], mean_field = 25 }
    for key, value in pairs(options or {}) do o[key] = value end
    return deep.model(case[1], deep.parameters(case[1], 31, 2 * case[4]), o)
  end
  local function downwards(c, n, chains)
    local _, v, start = c:sample(chains, 400)
    start.v = v
    return c:anneal(chains, ladder(n), nil, start)
  end

  it("is within 0.05 of the exact log Z both ways #slow", function()
    for _, case in ipairs(cases) do
      for _, T in ipairs { 1, 1.5 } do
        local c = model(case, { temperature = T })
        local z = c:log_partition()
        near(core.anneal_summary(c:anneal(100, ladder(1000))), z, 0.05, table.concat(case[1], "-") .. " up")
        near(core.anneal_summary(downwards(c, 1000, 100), true), z, 0.05, table.concat(case[1], "-") .. " down")
      end
    end
  end)

  it("has weights whose mean is Z, on short ladders too: 5,000 chains #slow", function()
    for _, case in ipairs(cases) do
      local c = model(case)
      for _, n in ipairs { 2, 6 } do
        local w = (c:anneal(5000, ladder(n)) - c:log_partition()):exp()
        near(w:mean(), 1, 6 * w:std() / math.sqrt(5000), case[2] .. ", up")
        w = (c:log_partition() - downwards(c, n, 5000)):exp()
        near(w:mean(), 1, 6 * w:std() / math.sqrt(5000), case[2] .. ", down")
      end
    end
  end)

  it("without weights and hidden biases has no variance, and goes from a base of its own", function()
    local c = model(cases[1], { dtype = "float64" })
    local base = lrn.linspace(-1, 1, 10, f64)
    near(core.anneal_summary(c:anneal(200, ladder(500), base)), c:log_partition(), 0.1)
    for name, t in pairs(c:parameters()) do
      if not name:find "a" then t:fill_(0) end
    end
    near((c:anneal(20, ladder(5), base) - c:log_partition()):abs():max(), 0, 1e-11)
  end)

  it("says what it cannot take", function()
    local c = model(cases[1])
    local function fails(pattern, ...)
      local ok, message = pcall(c.anneal, c, ...)
      assert.is_false(ok)
      assert.matches(pattern, message)
    end
    fails("anneal: chains: got 0", 0, ladder(3))
    fails("anneal: ladder: got 0 to 0.5", 4, ladder(3) / 2)
    fails("anneal: base: got 3 values, expected 10", 4, ladder(3), lrn.zeros(3))
    fails("anneal: layers: got nil for layer 1", 4, ladder(3), nil, {})
    fails("anneal: start: got 3 rows, expected 4", 4, ladder(3), nil,
      { lrn.zeros(4, 8), lrn.zeros(4, 6), v = lrn.zeros(3, 10) })
  end)
end)

describe("block Gibbs sampling over all layers", function()
  local T, sweeps = 0.8, { 1, 4 }

  -- The exact joint distribution over v and all hidden layers, in the order of exact.states of all units.
  local function joint(units, p, visible, hidden)
    local logs, states = {}, {}
    for _, h in ipairs(deep.hidden_states(units, hidden)) do
      for _, v in ipairs(exact.states(units[1], visible)) do
        states[#states + 1] = { v, table.unpack(h) }
        logs[#logs + 1] = -deep.energy(p, states[#states]) / T
      end
    end
    local z = exact.logsumexp(logs)
    for i, x in ipairs(logs) do logs[i] = math.exp(x - z) end
    return logs, states
  end

  -- How often each of `states` occurs among rows of the layers.
  local function count(states, layers)
    local width, at = 0, {}
    for _, t in ipairs(layers) do width = width + t:size(2) end
    local weights = {}
    for i = 1, width do weights[i] = { 2.0 ^ (i - 1) } end
    weights = lrn.tensor(weights, f64)
    local function codes(t) return t:to { dtype = "float64", device = "cpu" }:gt(0):to "float64":mm(weights):view(-1) end
    local all = {}
    for n, s in ipairs(states) do
      all[n] = {}
      for _, layer in ipairs(s) do table.move(layer, 1, #layer, #all[n] + 1, all[n]) end
    end
    for n, code in ipairs(codes(lrn.tensor(all, f64)):tolist()) do at[code] = n end
    local counts = {}
    for n = 1, #states do counts[n] = 0 end
    local parts = {}
    for l, t in ipairs(layers) do parts[l] = t:to { dtype = "float64", device = "cpu" } end
    for _, code in ipairs(codes(lrn.cat(parts, 2)):tolist()) do counts[at[code]] = counts[at[code]] + 1 end
    return counts
  end

  local function passes(counts, prob)
    local chi, bound = exact.chi_square(counts, prob), exact.chi_square_bound(#prob - 1)
    return chi < bound, ("chi-square %.5g, bound %.5g"):format(chi, bound)
  end

  local function start_of(units, states, counts, options)
    local layers = {}
    for l = 1, #units do
      local rows = {}
      for n, s in ipairs(states) do rows[n] = s[l] end
      layers[l] = exact.rows_of(rows, counts):to(options)
    end
    return layers
  end

  local cases = { { { 3, 2, 2 }, "bernoulli", "bernoulli" }, { { 3, 2, 2 }, "spin", "spin" },
    { { 2, 2, 1, 2 }, "bernoulli", "spin" } }

  it("does not drift, jointly over all layers, and does where a bias is wrong #slow", function()
    for n, case in ipairs(cases) do
      local units, visible, hidden = table.unpack(case)
      local p = deep.parameters(units, 40 + n, hidden == "spin" and 0.6 or 1.2)
      local prob, states = joint(units, p, visible, hidden)
      for _, device in ipairs(exact.devices()) do
        local N = device == "cpu" and 60000 or 6000
        local counts = exact.draw_counts(prob, N, exact.uniform(7))
        local start = start_of(units, states, counts, { dtype = "float32", device = device })
        local from = table.move(start, 2, #start, 1, {})
        local o = { visible = visible, hidden = hidden, temperature = T, device = device, learning_rate = 0,
          persistent = N }
        local c = deep.model(units, p, o)
        local wrong = { ["2.b"] = {} }
        for key, value in pairs(p) do wrong[key] = wrong[key] or value end
        for k, b in ipairs(p["2.b"]) do wrong["2.b"][k] = b + 0.3 end
        for _, k in ipairs(sweeps) do
          local what = ("%s %s on %s, %d sweeps: "):format(table.concat(units, "-"), hidden, device, k)
          local _, v, h = c:sample(N, k, nil, from)
          local ok, text = passes(count(states, { v, table.unpack(h) }), prob)
          assert.is_true(ok, what .. text)
          local biased = deep.model(units, wrong, o)
          _, v, h = biased:sample(N, k, nil, from)
          ok, text = passes(count(states, { v, table.unpack(h) }), prob)
          if device == "cpu" then assert.is_false(ok, what .. "biased: " .. text) end
          -- the chains of training
          local d = deep.model(units, p, o)
          d:set("steps", k)
          d:reserve(1, true)
          for l, t in ipairs(d:chain()) do t:copy_(from[l]) end
          assert.is_nil((d:step(lrn.ones(1, units[1], { dtype = "float32", device = device }), nil, 1, 1)))
          ok, text = passes(count(states, { d:negative(0), table.unpack(d:chain()) }), prob)
          assert.is_true(ok, what .. "PCD: " .. text)
        end
      end
    end
  end)

  it("comes to the model's distribution from anywhere #slow", function()
    local units = { 3, 2, 2 }
    local p = deep.parameters(units, 41, 1)
    local prob, states = joint(units, p, "bernoulli", "bernoulli")
    local c = deep.model(units, p, { temperature = T })
    local _, v, h = c:sample(30000, 60, lrn.ones(30000, 3))
    local ok, text = passes(count(states, { v, h[1], h[2] }), prob)
    assert.is_true(ok, text)
    local mean
    mean, v, h = c:sample(30000, 60)
    ok, text = passes(count(states, { v, h[1], h[2] }), prob)
    assert.is_true(ok, text)
    near((mean:mean(1) - v:mean(1)):abs():max(), 0, 6 * 0.5 / math.sqrt(30000))
  end)
end)

describe("bits of a deep machine", function()
  local function epoch(o)
    o.n_visible, o.seed, o.momentum, o.steps = 70, 3, 0.5, 2
    local c = core.dbm_new(o, { 61, 40, 13 })
    local data = core.unit_sample("bernoulli", lrn.linspace(-2, 2, 150 * 70), 1, 6):reshape(150, 70)
    data = data:to { dtype = o.dtype, device = o.device }
    c:reserve(64, true)
    c:prepare(data)
    for first = 1, 150, 64 do
      assert.is_nil((c:step(data, nil, first, math.min(64, 151 - first))))
    end
    local out = { ("%a %a"):format(c:end_epoch()) }
    for _, set in ipairs { c:parameters(), c:kept() } do
      for _, name in ipairs(require "lrn.check".names(set)) do out[#out + 1] = set[name]:tobytes() end
    end
    for _, t in ipairs { c:free_energy(data), c:layer_mean(data, 3), (c:sample(30, 3)),
      c:anneal(20, core.linspace(0, 1, 11, f64)), c:log_likelihood(data, 0) } do
      out[#out + 1] = type(t) == "number" and ("%a"):format(t) or t:tobytes()
    end
    return out
  end

  it("do not depend on the number of threads", function()
    for _, o in ipairs { { dtype = "float32", persistent = 33 }, { dtype = "float64", centering = .01 } } do
      o.device = "cpu"
      core.set { threads = 1 }
      local want = epoch(o)
      for _, threads in ipairs { 2, 3 } do
        core.set { threads = threads }
        local got = epoch(o)
        for i, bytes in ipairs(want) do assert.is_true(bytes == got[i], ("part %d"):format(i)) end
      end
    end
  end)

  -- Parameters in units of 1/32 and states of 0 and 1: products are exact.
  it("of chains and energies are those of the CPU on other devices", function()
    local units = { 17, 9, 6, 4 }
    local p = deep.parameters(units, 51)
    for _, dtype in ipairs(exact.dtypes) do
      local want
      for _, device in ipairs(exact.devices()) do
        local c = deep.model(units, p, { dtype = dtype, device = device, mean_field = 10, tolerance = 1e-3 })
        local mean, v, h = c:sample(40, 5)
        local got = { mean:tobytes(), v:tobytes(), h[1]:tobytes(), h[2]:tobytes(), h[3]:tobytes(),
          c:joint_energy(v, h):tobytes() }
        want = want or got
        for i, bytes in ipairs(want) do assert.is_true(bytes == got[i], ("part %d on %s"):format(i, device)) end
      end
    end
  end)

  it("of mean field, gradient and annealing are close to the CPU's on other devices", function()
    local units = { 17, 9, 6, 4 }
    local p = deep.parameters(units, 52)
    local v = core.unit_sample("bernoulli", lrn.zeros(16 * 17), 1, 7):reshape(16, 17)
    local want
    for _, device in ipairs(exact.devices()) do
      local c = deep.model(units, p, { dtype = "float64", device = device, mean_field = 10, tolerance = 1e-3,
        persistent = 12 })
      c:reserve(16, true)
      assert.is_nil((c:compute_gradient(v:to { device = device, dtype = "float64" }, nil, 1, 16)))
      local got = c:gradient()
      got.F, got.z = c:free_energy(v), c:anneal(30, core.linspace(0, 1, 6, f64))
      want = want or got
      for name, t in pairs(want) do
        near((t - got[name]:cpu()):abs():max(), 0, 1e-9, name .. " on " .. device)
      end
    end
  end)
end)
