-- Units in groups, of which one is 1: the unit itself against sums over its categories, and models with
-- such layers against closed forms: mixtures, Bernoulli layers written with two categories, sums over
-- states. Statistics at 6 sigma (1e-9 a test), seeds fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local temperatures = { 0.5, 1, 2 }
local tolerances = { float32 = 3e-6, float64 = 1e-13 }

-- Inputs of groups of K, among them ties and very unequal ones.
local function inputs(K, n, seed)
  local u, rows = exact.uniform(seed), {}
  for r = 1, n do rows[r] = exact.dyadic(u, K, r % 3 == 0 and 60 or 4) end
  for k = 1, K do rows[1][k] = 0.5 end
  return rows
end

local function softmax(x, T)
  local scaled, p = {}, {}
  for k, v in ipairs(x) do scaled[k] = v / T end
  local total = exact.logsumexp(scaled)
  for k, v in ipairs(scaled) do p[k] = math.exp(v - total) end
  return p, T * total
end

-- Sizes below and above what the kernels take at once (512), and their blocks of sums (4096).
local sizes = { 2, 3, 7, 100, 513, 1500, 5001 }

describe("a group of softmax units", function()
  it("has as mean the softmax of x / T and as cumulant T log sum exp(x / T) at its first unit",
    function()
      for _, K in ipairs(sizes) do
        local rows = inputs(K, K > 1000 and 2 or 5, 11)
        for _, T in ipairs(temperatures) do
          exact.everywhere(function(device, dtype)
            local what = ("%d categories, T = %g, %s on %s"):format(K, T, dtype, device)
            local x = lrn.tensor(rows, { dtype = dtype, device = device })
            local A = core.unit_map("softmax", "cumulant", x, T):tolist()
            local mean = core.unit_map("softmax", "mean", x, T):tolist()
            assert.equal(0, core.unit_map("softmax", "self", x, T):abs():max())
            for r, row in ipairs(rows) do
              local p, a = softmax(row, T)
              exact.near(A[r][1], a, tolerances[dtype] * (1 + math.abs(a)), what)
              for k = 1, K do
                -- inputs of up to 60 / 0.5 round by 2^-18
                exact.near(mean[r][k], p[k], 5 * tolerances[dtype] * (1 + 20 * p[k]), what)
                if k > 1 then assert.equal(0, A[r][k]) end
              end
            end
          end)
        end
      end
    end)

  it("has as mean the derivative of its cumulant", function()
    local h = 1e-4
    for _, T in ipairs(temperatures) do
      local x = { 0.5, -1.25, 2, 0.25, 1.5 }
      local mean = core.unit_map("softmax", "mean", lrn.tensor(x, { dtype = "float64" }), T):tolist()
      local function A(k, d)
        local y = { table.unpack(x) }
        y[k] = y[k] + d
        return core.unit_map("softmax", "cumulant", lrn.tensor(y, { dtype = "float64" }), T)[1]
      end
      for k = 1, #x do exact.near(mean[k], (A(k, h) - A(k, -h)) / (2 * h), 2e-8, "T = " .. T) end
    end
  end)

  it("has as nearest state the first of its largest inputs", function()
    exact.everywhere(function(device, dtype)
      local x = lrn.tensor({ { 1, 3, 2 }, { 2, 2, 1 }, { 0, 0, 0 }, { -5, -1, -1 } },
        { dtype = dtype, device = device })
      assert.same({ { 0, 1, 0 }, { 1, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 } },
        core.unit_map("softmax", "nearest", x, 0.5):tolist())
    end)
    assert.same({ 0, 0, 1, 1, 0 }, core.unit_map("bernoulli", "nearest",
      lrn.tensor { 0.25, 0.5, 0.75, 3, -2 }):tolist())
    assert.same({ -1, 1, 1, 1, -1 }, core.unit_map("spin", "nearest",
      lrn.tensor { -0.25, 0, 0.75, 3, -2 }):tolist())
    local ok, message = pcall(core.unit_map, "gaussian", "nearest", lrn.ones(2))
    assert.is_false(ok)
    assert.matches("gaussian units are real-valued", message, 1, true)
  end)

  it("has one unit at 1 in each sample, drawn with the softmax's probabilities #slow", function()
    local N = { cpu = 60000 }
    for _, T in ipairs(temperatures) do
      for seed, x in ipairs { { 0.5, -1, 1.5 }, { 0, 0 }, { -3, 0.25, 1, 2, -0.5, 0.75, 1.25 } } do
        local p = softmax(x, T)
        exact.everywhere(function(device, dtype)
          local n = N[device] or 6000
          local rows = lrn.tensor(x, { dtype = dtype, device = device }):reshape(1, #x):expand(n, #x)
          local s = core.unit_sample("softmax", rows:contiguous(), T, 40 + seed)
          s = s:to { device = "cpu", dtype = "float64" }
          assert.is_true((s * (s - 1)):abs():max() == 0 and (s:sum(2) - 1):abs():max() == 0)
          local chi = exact.chi_square(s:sum(1):tolist(), p)
          assert.is_true(chi < exact.chi_square_bound(#x - 1), ("T = %g, %s on %s: chi-square %g")
            :format(T, dtype, device, chi))
        end)
      end
    end
  end)

  -- The state is the first category at which the cumulative probability is above the uniform number of
  -- the group's first unit; both are read off other units.
  it("is drawn by the uniform number of its first unit", function()
    local K, n = 4, 500
    local x = lrn.tensor(inputs(K, n, 12), { dtype = "float64" })
    local s = core.unit_sample("softmax", x, 1, 7):tolist()
    -- a Bernoulli unit is 1 where u < sigmoid(x): u of each element to 2^-20 by bisection
    local low, high = lrn.full({ n, K }, 0, { dtype = "float64" }), lrn.ones(n, K, { dtype = "float64" })
    for _ = 1, 20 do
      local middle = (low + high) / 2
      local below = core.unit_sample("bernoulli", (middle / (1 - middle)):log(), 1, 7)
      high = high * (1 - below) + middle * below
      low = low * below + middle * (1 - below)
    end
    local from, to = low:tolist(), high:tolist()
    for r, row in ipairs(x:tolist()) do
      local p, sum = softmax(row, 1), 0
      for k = 1, K do
        if s[r][k] == 1 then
          assert.is_true(from[r][1] < sum + p[k] + 1e-6 and to[r][1] > sum - 1e-6, "row " .. r)
        end
        sum = sum + p[k]
      end
    end
  end)

  it("is never all 0 or NaN, whatever the inputs", function()
    exact.everywhere(function(device, dtype)
      local o = { dtype = dtype, device = device }
      for _, K in ipairs { 2, 3, 600 } do
        local huge = {}
        for k = 1, K do huge[k] = k % 3 == 0 and 1e30 or k % 3 == 1 and -1e30 or 0 end
        local rows = lrn.tensor({ huge, lrn.full({ K }, -1e30):tolist(), lrn.full({ K }, 1e30):tolist(),
          lrn.zeros(K):tolist() }, o)
        for _, T in ipairs { 0.01, 1, 50 } do
          for seed = 1, 50 do
            local s = core.unit_sample("softmax", rows, T, seed)
            assert.is_true((s * (s - 1)):abs():max() == 0 and (s:sum(2) - 1):abs():max() == 0)
          end
          local mean = core.unit_map("softmax", "mean", rows, T)
          assert.is_true((mean:to { dtype = "float64", device = "cpu" }:sum(2) - 1):abs():max() < 1e-4)
          assert.is_true(core.unit_map("softmax", "cumulant", rows, T):isfinite():all())
        end
      end
    end)
  end)

  it("at T is itself at 1 with x / T, bit for bit where T is a power of 2", function()
    exact.everywhere(function(device, dtype)
      local x = lrn.tensor(inputs(5, 200, 13), { dtype = dtype, device = device })
      for _, T in ipairs { 0.25, 4 } do
        assert.is_true(core.unit_sample("softmax", x, T, 9) == core.unit_sample("softmax", x / T, 1, 9))
        assert.is_true(core.unit_map("softmax", "mean", x, T) ==
          core.unit_map("softmax", "mean", x / T, 1))
        assert.is_true(core.unit_map("softmax", "cumulant", x, T) ==
          core.unit_map("softmax", "cumulant", x / T, 1) * T)
      end
    end)
  end)
end)

-- exp(b_k / T) prod_i sum_{v_i} exp(v_i (a_i + W_ik) / T) are the shares of the components.
describe("a hidden group of K softmax units", function()
  it("is a mixture of K: likelihood, features and log Z in closed form", function()
    for _, K in ipairs { 3, 40 } do
      local V = K == 3 and 6 or 40 -- 2^40 visible states: only the hidden layer can be listed
      local p = exact.parameters(V, K, 14, 1)
      local u, rows = exact.uniform(15), {}
      for r = 1, 20 do rows[r] = exact.state_near("bernoulli", exact.dyadic(u, V, 1)) end
      for _, T in ipairs(temperatures) do
        local logs, joint, want = {}, {}, 0
        for k = 1, K do
          logs[k] = p.b[k] / T
          for i = 1, V do logs[k] = logs[k] + math.log(1 + math.exp((p.a[i] + p.W[i][k]) / T)) end
        end
        local log_z = exact.logsumexp(logs)
        for r, v in ipairs(rows) do
          joint[r] = {}
          for k = 1, K do
            joint[r][k] = p.b[k] / T
            for i = 1, V do joint[r][k] = joint[r][k] + v[i] * (p.a[i] + p.W[i][k]) / T end
          end
          want = want + (exact.logsumexp(joint[r]) - log_z) / #rows
        end
        exact.everywhere(function(device, dtype)
          local what = ("%d components, T = %g, %s on %s"):format(K, T, dtype, device)
          local c = exact.model(p, { hidden = "softmax", hidden_categories = K, temperature = T,
            dtype = dtype, device = device })
          exact.near(c:log_partition(), log_z, 1e-11, what)
          exact.near(c:log_likelihood(lrn.tensor(rows)), want, 1e-11, what)
          for r, mean in ipairs(c:hidden_mean(lrn.tensor(rows)):tolist()) do
            local total = exact.logsumexp(joint[r])
            for k = 1, K do
              exact.near(mean[k], math.exp(joint[r][k] - total), 30 * tolerances[dtype], what)
            end
          end
        end)
      end
    end
  end)

  it("as a mixture of Gaussians too", function()
    -- p(v) = sum_k pi_k N(v; a + W_k, T), pi_k ~ exp((b_k + |a + W_k|^2 / 2) / T)
    local V, K = 3, 4
    local p = exact.parameters(V, K, 16, 1)
    local rows = { { 0.5, -1, 0.25 }, { 2, 0, -0.75 } }
    for _, T in ipairs(temperatures) do
      local shares, want = {}, 0
      for k = 1, K do
        shares[k] = p.b[k] / T
        for i = 1, V do shares[k] = shares[k] + (p.a[i] + p.W[i][k]) ^ 2 / (2 * T) end
      end
      local total = exact.logsumexp(shares)
      for _, v in ipairs(rows) do
        local logs = {}
        for k = 1, K do
          logs[k] = shares[k] - total
          for i = 1, V do
            logs[k] = logs[k] - (v[i] - p.a[i] - p.W[i][k]) ^ 2 / (2 * T) -
              0.5 * math.log(2 * math.pi * T)
          end
        end
        want = want + exact.logsumexp(logs) / #rows
      end
      local c = exact.model(p, { visible = "gaussian", hidden = "softmax", hidden_categories = K,
        temperature = T, dtype = "float64" })
      exact.near(c:log_likelihood(lrn.tensor(rows, { dtype = "float64" })), want, 1e-11, "T = " .. T)
    end
  end)
end)

-- A unit of {0, 1} is a group of two, of which the second has input 0.
describe("a layer of groups of two", function()
  local function widened(p, side)
    local q = { W = {}, a = {}, b = {} }
    if side == "hidden" then
      q.a = p.a
      for i, row in ipairs(p.W) do
        q.W[i] = {}
        for j, w in ipairs(row) do q.W[i][2 * j - 1], q.W[i][2 * j] = w, 0 end
      end
      for j, b in ipairs(p.b) do q.b[2 * j - 1], q.b[2 * j] = b, 0 end
    else
      q.b = p.b
      for i, row in ipairs(p.W) do
        q.W[2 * i - 1], q.W[2 * i] = row, {}
        for j in ipairs(row) do q.W[2 * i][j] = 0 end
        q.a[2 * i - 1], q.a[2 * i] = p.a[i], 0
      end
    end
    return q
  end

  local function columns(t) -- the first one of each pair
    return t:reshape(t:size(1), t:size(2) // 2, 2):select(3, 1)
  end

  it("whose second units have no weights is a Bernoulli layer", function()
    local p = exact.parameters(5, 4, 17, 1)
    local v, pairs_v = exact.states(5), {}
    for n, s in ipairs(v) do
      pairs_v[n] = {}
      for i, x in ipairs(s) do pairs_v[n][2 * i - 1], pairs_v[n][2 * i] = x, 1 - x end
    end
    v, pairs_v = lrn.tensor(v), lrn.tensor(pairs_v)
    for _, T in ipairs(temperatures) do
      exact.everywhere(function(device, dtype)
        local what = ("T = %g, %s on %s"):format(T, dtype, device)
        local tolerance = dtype == "float64" and 1e-12 or 2e-5
        local o = { temperature = T, dtype = dtype, device = device }
        local plain = exact.model(p, o)
        local hidden = exact.model(widened(p, "hidden"), { hidden = "softmax", hidden_categories = 2,
          temperature = T, dtype = dtype, device = device })
        local visible = exact.model(widened(p, "visible"), { visible = "softmax",
          visible_categories = 2, temperature = T, dtype = dtype, device = device })
        local both = exact.model(widened(widened(p, "hidden"), "visible"), { visible = "softmax",
          hidden = "softmax", visible_categories = 2, hidden_categories = 2, temperature = T,
          dtype = dtype, device = device })
        local F, z, pl = plain:free_energy(v), plain:log_partition(), plain:pseudo_likelihood(v)
        for _, other in ipairs { { hidden, v }, { visible, pairs_v }, { both, pairs_v } } do
          local c, rows = table.unpack(other)
          exact.near((c:free_energy(rows) - F):abs():max(), 0, tolerance, what .. ": F")
          exact.near(c:log_partition(), z, 1e-11, what .. ": log Z")
          exact.near(c:log_likelihood(rows), plain:log_likelihood(v), 1e-11, what .. ": likelihood")
          -- the same draw chooses the unit, or the pair
          exact.near(c:pseudo_likelihood(rows), pl, 8 * tolerance, what .. ": pl")
        end
        local want = plain:hidden_mean(v)
        exact.near((columns(hidden:hidden_mean(v)) - want):abs():max(), 0, tolerance, what)
        exact.near((columns(both:hidden_mean(pairs_v)) - want):abs():max(), 0, tolerance, what)
      end)
    end
  end)
end)

describe("pseudo_likelihood of visible groups", function()
  -- G log P(v_g | the others) for each group g of a row, from free energies by sums over h
  local function terms(p, v, K, hidden, T)
    local function F(s) -- less the self energy, which is 0
      local f = 0
      for i, a in ipairs(p.a) do f = f - a * s[i] end
      return f - exact.layer_cumulant(hidden, exact.hidden_inputs(p, s), T)
    end
    local out, G = {}, #v // K
    for g = 1, G do
      local logs, own = {}, nil
      for k = 1, K do
        local s = { table.unpack(v) }
        for j = 1, K do s[(g - 1) * K + j] = j == k and 1 or 0 end
        logs[k] = -F(s) / T
        if v[(g - 1) * K + k] == 1 then own = logs[k] end
      end
      out[g] = G * (own - exact.logsumexp(logs))
    end
    return out
  end

  it("of one row is a term of one of its groups, and each group is drawn", function()
    local K, V = 3, 9
    for _, hidden in ipairs(exact.units()) do
      local p = exact.parameters(V, 4, 18, exact.kind(hidden).discrete and 1 or 0.25, 1)
      -- the largest of a group counts, the first one of equals
      local row = lrn.tensor { 0.1, 0.7, 0.2, 0.5, 0.5, 0, 0, 0, 1 }
      local state = { 0, 1, 0, 1, 0, 0, 0, 0, 1 }
      for _, T in ipairs(temperatures) do
        local want = terms(p, state, K, hidden, T)
        exact.everywhere(function(device, dtype)
          local c = exact.model(p, { visible = "softmax", visible_categories = K, hidden = hidden,
            temperature = T, dtype = dtype, device = device })
          local seen = {}
          for _ = 1, 80 do -- a group is missed with probability 3 (2/3)^80 = 2e-14
            local got, found = c:pseudo_likelihood(row), nil
            for g, w in ipairs(want) do
              local tolerance = dtype == "float64" and 1e-8 or 5e-5
              if math.abs(got - w) <= tolerance * (1 + math.abs(w)) then found = g end
            end
            assert.is_truthy(found, ("%s, T = %g, %s on %s: %g"):format(hidden, T, dtype, device, got))
            seen[found] = true
          end
          for g in ipairs(want) do assert.is_true(seen[g], "group " .. g) end
        end)
      end
    end
  end)

  it("and of visible units beside hidden groups is that of the free energies", function()
    local p = exact.parameters(4, 6, 19, 1)
    for _, v in ipairs { { 0, 1, 1, 0 }, { 1, 0, 0, 0 } } do
      for _, T in ipairs(temperatures) do
        local function F(s)
          local f = 0
          for i, a in ipairs(p.a) do f = f - a * s[i] end
          return f - exact.layer_cumulant("softmax", exact.hidden_inputs(p, s), T)
        end
        exact.everywhere(function(device, dtype)
          local c = exact.model(p, { hidden = "softmax", temperature = T, dtype = dtype,
            device = device })
          for _ = 1, 20 do
            local got, found = c:pseudo_likelihood(lrn.tensor(v)), false
            for i = 1, 4 do
              local s = { table.unpack(v) }
              s[i] = 1 - s[i]
              local want = -4 * math.log(1 + math.exp((F(v) - F(s)) / T))
              found = found or math.abs(got - want) < (dtype == "float64" and 1e-11 or 5e-5)
            end
            assert.is_true(found)
          end
        end)
      end
    end
  end)
end)

describe("visible biases from data", function()
  it("give each category the frequency it has, and none probability 0", function()
    for _, T in ipairs(temperatures) do
      local c = core.rbm_new { n_visible = 6, n_hidden = 2, visible = "softmax", seed = 1,
        visible_categories = 3, temperature = T, dtype = "float64" }
      local rows = lrn.tensor({ { 1, 0, 0, 1, 0, 0 }, { 0, 1, 0, 1, 0, 0 }, { 0, 1, 0, 1, 0, 0 },
        { 0, 0, 1, 1, 0, 0 } }, { dtype = "float64" })
      c:prepare(rows)
      local a = c:parameters().a:tolist()
      for i, p in ipairs { 0.25, 0.5, 0.25, 1, 1 / 6, 1 / 6 } do
        exact.near(a[i], T * math.log(p), 1e-14, "bias " .. i)
      end
    end
  end)
end)

describe("dropout over hidden groups", function()
  it("leaves out whole groups", function()
    exact.everywhere(function(device, dtype)
      local c = core.rbm_new { n_visible = 5, n_hidden = 30, hidden = "softmax", hidden_categories = 3,
        mask = "dropout", dropout = 0.4, seed = 2, device = device, dtype = dtype, persistent = 50 }
      c:reserve(40, true)
      c:step(lrn.zeros(40, 5, { device = device, dtype = dtype }), nil, 1, 40)
      local mask = c:mask():to { device = "cpu" }:reshape(90 * 10, 3)
      assert.is_true((mask * (mask - 1)):abs():max() == 0)
      assert.is_true((mask:max(2) - mask:min(2)):abs():max() == 0)
      exact.near(mask:mean(), 0.6, 6 * math.sqrt(0.24 / 900), dtype .. " on " .. device)
    end)
  end)
end)

describe("a class of softmax layers", function()
  local Mixture = lrn.models.define { hidden = "softmax", name = "SpecMixture" }
  local Categories = lrn.models.define { visible = "softmax", name = "SpecCategories" }
  local Both = lrn.models.define { visible = "softmax", hidden = "softmax", name = "SpecBoth" }

  local function refuses(make, options, ...)
    local ok, message = pcall(make, options)
    assert.is_false(ok)
    for _, text in ipairs { ... } do assert.matches(text, message, 1, true) end
  end

  it("needs sizes of groups that divide its layers", function()
    refuses(Categories, { n_visible = 6, n_hidden = 2 },
      "RBM: visible_categories: got 1, expected an integer >= 2: softmax units come in groups")
    refuses(Mixture, { n_visible = 6, n_hidden = 4, hidden_categories = 3 },
      "RBM: n_hidden: got 4, expected a multiple of hidden_categories (3)")
    refuses(Both, { n_visible = 6, n_hidden = 4, visible_categories = 2, hidden_categories = 0 },
      "RBM: hidden_categories: got 0, expected an integer >= 1")
    refuses(Both, { n_visible = 6, n_hidden = 4, visible_categories = 2.5 },
      "RBM: visible_categories: got 2.5, expected an integer")
    refuses(lrn.RBM, { hidden_categories = 2 }, "RBM: unknown option 'hidden_categories'; valid: ")
    refuses(Mixture, { visible_categories = 2 }, "unknown option 'visible_categories'",
      "hidden_categories")
    refuses(core.rbm_new, { visible_categories = 4 },
      "RBM: visible_categories: got 4, expected 1: bernoulli units are not in groups")
    refuses(lrn.models.define { hidden = "softmax", mask = "edropout" }, { hidden_categories = 2 },
      "RBM: mask: got edropout")
    local m = Both { n_visible = 6, n_hidden = 4, visible_categories = 2, hidden_categories = 4 }
    assert.equal(2, m.visible_categories)
    assert.equal(4, m.hidden_categories)
    local ok, message = pcall(function() m.visible_categories = 3 end)
    assert.is_false(ok)
    assert.matches("visible_categories: cannot be assigned", message)
    ok, message = pcall(m._core.set, m._core, "visible_categories", 3)
    assert.is_false(ok)
    assert.matches("fixed when the model is made", message)
    assert.matches("visible_categories = 2  hidden_categories = 4", tostring(m))
    assert.not_matches("categories", tostring(lrn.RBM {}))
  end)

  -- 400 rows of four features with three categories each, which depend on a hidden class
  local function survey()
    local classes = core.unit_sample("softmax", lrn.zeros(400, 2), 1, 31)
    local preference = lrn.tensor { { 3, 0, 0, 0, 3, 0, 0, 0, 3, 3, 0, 0 },
      { 0, 0, 3, 3, 0, 0, 0, 3, 0, 0, 0, 3 } }
    return core.unit_sample("softmax", classes:mm(preference):reshape(400, 4, 3), 1, 32)
      :reshape(400, 12)
  end

  it("learns what a mixture has, and its history, files and resumption are those of any model", function()
    local data, path = survey(), os.tmpname()
    for _, o in ipairs { { "CD", {} }, { "PCD", { persistent = 20 } } } do
      local function new()
        local options = { n_visible = 12, visible_categories = 3, n_hidden = 4, hidden_categories = 2,
          seed = 4, learning_rate = 0.1, momentum = 0.5 }
        for key, value in pairs(o[2]) do options[key] = value end
        return Both(options)
      end
      local m, independent = new(), new()
      independent:fit(data, { epochs = 1 })
      independent.W:fill_(0) -- what biases alone can know
      m:fit(data, { epochs = 40, batch_size = 50 })
      local got, alone = m:log_likelihood(data), independent:log_likelihood(data)
      assert.is_true(got > alone + 0.5, ("%s: %g, alone %g"):format(o[1], got, alone))
      local h = m.history
      assert.is_true(h.pl[40] > h.pl[1] and h.error[40] < h.error[1])
      local s = select(2, m:sample(100, { steps = 5 }))
      assert.is_true((s:reshape(400, 3):sum(2) - 1):abs():max() == 0)

      local half = new()
      half:fit(data, { epochs = 20, batch_size = 50 })
      assert(half:save(path))
      local again = assert(lrn.load(path))
      assert.equal(3, again.visible_categories)
      assert.equal(2, again.hidden_categories)
      assert.equal("SpecBoth", again.class)
      local whole, resumed = new(), new()
      resumed:fit(data, { epochs = 40, batch_size = 50, resume = path })
      again:fit(data, { epochs = 20, batch_size = 50 })
      whole:fit(data, { epochs = 40, batch_size = 50 })
      for name, t in pairs(whole:parameters()) do
        assert.is_true(t == resumed:parameters()[name], name)
        assert.is_true(t == again:parameters()[name], name)
      end
    end
    os.remove(path)
  end)

  it("finds the two groups of rows as its hidden categories", function()
    local data = survey()
    local m = Both { n_visible = 12, visible_categories = 3, n_hidden = 2, hidden_categories = 2,
      seed = 4, learning_rate = 0.2 }
    m:fit(data, { epochs = 40, batch_size = 50 })
    local truth = core.unit_sample("softmax", lrn.zeros(400, 2), 1, 31)
    local agree = (m:forward(data):select(2, 1):gt(0.5):to "float32" - truth:select(2, 1)):abs():mean()
    assert.is_true(math.min(agree, 1 - agree) < 0.05, "wrong: " .. agree)
  end)

  it("does not resume from groups of another size", function()
    local path = os.tmpname()
    local m = Categories { n_visible = 12, visible_categories = 3, n_hidden = 4 }
    m:fit(survey(), { epochs = 1 })
    assert(m:save(path))
    local other = Categories { n_visible = 12, visible_categories = 4, n_hidden = 4 }
    local ok, message = pcall(other.fit, other, survey(), { epochs = 2, resume = path })
    os.remove(path)
    assert.is_false(ok)
    assert.matches("visible_categories = 3, expected 4", message)
  end)
end)
