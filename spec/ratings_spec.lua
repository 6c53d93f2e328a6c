-- Models of ratings against sums over their states in plain Lua, under every mask; against the dense model
-- where nobody left anything out; and their bits on every device and number of threads.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"
local sets = require "lrn.data.ratings"

local ITEMS, K, H = 3, 3, 2

-- {=== The model in plain numbers ===

-- Parameters of a model, as tables counted from 1: W[item][level][j], a[item][level], b[j], D[item][j].
local function numbers(m)
  local W, a, b = m.W:tolist(), m.a:tolist(), m.b:tolist()
  local p = { W = {}, a = {}, b = b, D = m.D and m.D:tolist(), T = m.temperature, K = m.n_ratings }
  for i = 1, m.n_items do
    p.W[i], p.a[i] = {}, {}
    for k = 1, p.K do
      p.W[i][k], p.a[i][k] = W[(i - 1) * p.K + k], a[(i - 1) * p.K + k]
    end
  end
  return p
end

-- E(v, h) of the items that v has: v[item] = level.
local function energy(p, v, h)
  local E = 0
  for j, hj in ipairs(h) do E = E - p.b[j] * hj end
  for i, k in pairs(v) do
    E = E - p.a[i][k]
    for j, hj in ipairs(h) do
      E = E - p.W[i][k][j] * hj - (p.D and p.D[i][j] * hj or 0)
    end
  end
  return E
end

-- All states of n units of `values` each.
local function states(n, values)
  local list = { {} }
  for _ = 1, n do
    local more = {}
    for _, s in ipairs(list) do
      for value = values[1], values[2] do
        local t = table.move(s, 1, #s, 1, {})
        t[#t + 1] = value
        more[#more + 1] = t
      end
    end
    list = more
  end
  return list
end

-- log sum over hidden states of exp(-E / T)
local function log_weight(p, v, n)
  local list = {}
  for _, h in ipairs(states(n, { 0, 1 })) do list[#list + 1] = -energy(p, v, h) / p.T end
  return exact.logsumexp(list)
end

-- }===

-- Every way to leave items out, with every rating of the others: one user each.
local function every_user(items, levels)
  local users, list = { u = {}, i = {}, r = {} }, {}
  for mask = 0, 2 ^ items - 1 | 0 do
    local there = {}
    for i = 1, items do
      if mask >> (i - 1) & 1 == 1 then there[#there + 1] = i end
    end
    for _, ratings in ipairs(states(#there, { 1, levels })) do
      local v = {}
      for n, i in ipairs(there) do
        v[i] = ratings[n]
        users.u[#users.u + 1], users.i[#users.i + 1], users.r[#users.r + 1] = #list + 1, i, ratings[n]
      end
      list[#list + 1] = v
    end
  end
  return lrn.data.ratings { users = users.u, items = users.i, ratings = users.r, n_users = #list,
    n_items = items, n_ratings = levels }, list
end

local function model(o)
  local given = { n_items = ITEMS, n_ratings = K, n_hidden = H, seed = 5, dtype = "float64",
    smoothing = 0 }
  for name, value in pairs(o or {}) do given[name] = value end
  local m = lrn.RatingRBM(given)
  local u = exact.uniform(11)
  for _, name in ipairs { "D", "W", "a", "b" } do
    local t = m:parameters()[name]
    if t then
      t:copy_(lrn.tensor(exact.dyadic(u, t.numel, 2), { dtype = "float64" }):reshape(t.shape))
    end
  end
  return m
end

local kinds = { plain = {}, conditional = { conditional = true }, hot = { temperature = 1.7 } }

local function near(expected, got, what)
  assert.is_true(math.abs(expected - got) <= 1e-9 * (1 + math.abs(expected)),
    ("%s: got %.15g, expected %.15g"):format(what, got, expected))
end

-- core methods take a set as three tensors.
local function rows(set) return sets.rows(set) end

describe("a model of ratings", function()
  it("has the energies and hidden means of enumeration, whatever was rated", function()
    local set, users = every_user(ITEMS, K)
    for kind, o in pairs(kinds) do
      local m = model(o)
      local p, F, q = numbers(m), m:energy(set), m:forward(set)
      for u, v in ipairs(users) do
        local all = log_weight(p, v, H)
        near(-p.T * all, F[u], kind .. ": F")
        for j = 1, H do
          local on = {}
          for _, h in ipairs(states(H, { 0, 1 })) do
            if h[j] == 1 then on[#on + 1] = -energy(p, v, h) / p.T end
          end
          near(math.exp(exact.logsumexp(on) - all), q[u][j], kind .. ": q")
        end
      end
    end
  end)

  it("predicts by the levels' probabilities given those means", function()
    local set, users = every_user(ITEMS, K)
    for kind, o in pairs(kinds) do
      local m = model(o)
      local p, q = numbers(m), m:forward(set)
      for u, v in ipairs(users) do
        for i = 1, ITEMS do
          local weights, mean = {}, 0
          for k = 1, K do
            local x = p.a[i][k]
            for j = 1, H do x = x + p.W[i][k][j] * q[u][j] end
            weights[k] = x / p.T
          end
          local all = exact.logsumexp(weights)
          local rating, probabilities = m:predict(v, i)
          for k = 1, K do
            near(math.exp(weights[k] - all), probabilities[k], kind .. ": P")
            mean = mean + k * math.exp(weights[k] - all)
          end
          near(mean, rating, kind .. ": mean")
        end
      end
    end
  end)

  it("has the gradient of F(v+) - F(v-), differentiated numerically, under every mask", function()
    local set, users = every_user(ITEMS, K)
    for kind, o in pairs(kinds) do
      local m = model(o)
      local c, n = m._core, set.n_users
      local offset, item, level = rows(set)
      c:reserve(1, true)
      assert.is_nil(c:ratings_gradient(offset, item, level, nil, 1, n))
      local gradient, levels, at = c:gradient(), c:ratings_negative():tolist(), 0
      local minus = {}
      for u, v in ipairs(users) do
        minus[u] = {}
        for i = 1, ITEMS do
          if v[i] then
            at = at + 1
            minus[u][i] = levels[at] + 1
          end
        end
      end
      local function objective()
        local p, sum = numbers(m), 0
        for u = 1, n do
          sum = sum - p.T * (log_weight(p, users[u], H) - log_weight(p, minus[u], H))
        end
        return sum / n
      end
      for name, t in pairs(m:parameters()) do
        local flat, g = t:reshape(-1), gradient[name]:reshape(-1)
        for e = 1, flat.numel do
          local old, step = flat[e], 1e-5
          flat[e] = old + step
          local high = objective()
          flat[e] = old - step
          local low = objective()
          flat[e] = old
          assert.is_true(math.abs((high - low) / (2 * step) - g[e]) < 1e-7, kind .. ": " .. name .. " " .. e)
        end
      end
    end
  end)

  it("draws levels as often as P(v | h) says, 6 sigma", function()
    -- With one item and weights 0 the levels of the chain's end have the biases' softmax.
    local n = 20000
    local set = lrn.data.ratings { users = lrn.arange(1, n), items = lrn.ones(n):to "int64",
      ratings = lrn.ones(n), n_ratings = 3 }
    local m = lrn.RatingRBM { n_items = 1, n_ratings = 3, n_hidden = 2, seed = 3 }
    m.W, m.a = lrn.zeros(3, 2), lrn.tensor { .5, -.25, 0 }
    local offset, item, level = rows(set)
    m._core:reserve(1, true)
    m._core:ratings_gradient(offset, item, level, nil, 1, n)
    local drawn, z = m._core:ratings_negative(), math.exp(.5) + math.exp(-.25) + 1
    for k, x in ipairs { .5, -.25, 0 } do
      local p = math.exp(x) / z
      local count = drawn:eq(k - 1):count_nonzero()
      assert.is_true(math.abs(count - n * p) < 6 * math.sqrt(n * p * (1 - p)))
    end
  end)

  it("smooths: the gradient has what is no straight line over the levels besides", function()
    local set = every_user(ITEMS, 4)
    local function gradient(smoothing)
      local m = model { n_ratings = 4, smoothing = smoothing }
      m._core:reserve(1, true)
      local offset, item, level = rows(set)
      m._core:ratings_gradient(offset, item, level, nil, 1, set.n_users)
      return m._core:gradient().W:clone(), m
    end
    local more, m = gradient(.5)
    local d, W = more - gradient(0), m.W
    for i = 0, ITEMS - 1 do
      for j = 1, H do
        -- least squares by hand: z = -3/2, -1/2, 1/2, 3/2
        local w, mean, slope = {}, 0, 0
        for k = 1, 4 do w[k] = W[4 * i + k][j] end
        for k = 1, 4 do mean, slope = mean + w[k] / 4, slope + (k - 2.5) * w[k] / 5 end
        for k = 1, 4 do near(.5 * (w[k] - mean - slope * (k - 2.5)), d[4 * i + k][j], "smoothing") end
      end
    end
  end)

  -- Rows of all items as the dense model takes them.
  local function dense_rows(set)
    local _, _, ratings = set:triplets()
    local hot = lrn.zeros(#set, set.n_ratings)
    for e, r in ipairs(ratings:tolist()) do hot[{ e, math.tointeger(r) }] = 1 end
    return hot:reshape(set.n_users, -1)
  end

  it("is the dense model where all items were rated: the same draws, the same steps", function()
    local set = lrn.data.low_rank_ratings { users = 40, items = 6, density = 1, n_ratings = 4, seed = 2 }
    for _, o in ipairs { {}, { steps = 3, temperature = 1.5 }, { momentum = .9, decay = .01, clip = .5 },
      { optimizer = "adam", l1 = .001, max_norm = 1 } } do
      local options = { n_hidden = 5, seed = 9, dtype = "float64", optimizer = "sgd", decay = 0,
        learning_rate = .1 }
      for name, value in pairs(o) do options[name] = value end
      options.n_items, options.n_ratings, options.smoothing = 6, 4, 0
      local sparse = lrn.RatingRBM(options)
      options.n_items, options.n_ratings, options.smoothing = nil, nil, nil
      options.n_visible, options.visible, options.hidden = 24, "softmax", "bernoulli"
      options.visible_categories = 4
      local dense = core.rbm_new(options)
      local x, offset, item, level = dense_rows(set):to "float64", rows(set)
      sparse._core:reserve(1, true)
      dense:reserve(40, true)
      for _ = 1, 5 do
        assert.is_nil(sparse._core:ratings_step(offset, item, level, nil, 1, 40, sparse.levels))
        assert.is_nil(dense:step(x, nil, 1, 40))
        local levels = sparse._core:ratings_negative():to "int64":reshape(40, 6)
        assert.is_true(levels + 1 == dense:negative():reshape(40, 6, 4):argmax(3))
        for name, t in pairs(dense:parameters()) do
          local d = (t - sparse:parameters()[name]):abs():max()
          assert.is_true(d < (o.optimizer == "adam" and 1e-8 or 1e-12), name .. " differs by " .. d) -- Adam: 0 by epsilon
        end
      end
    end
  end)

  it("does not touch the weights of items that nobody rated", function()
    local set = lrn.data.ratings { users = { 1, 1, 2 }, items = { 1, 3, 3 }, ratings = { 5, 1, 4 },
      n_items = 4, n_ratings = 5 }
    local m = lrn.RatingRBM { n_items = 4, n_hidden = 3, seed = 1, decay = 0, smoothing = 0,
      visible_bias = "zero" }
    local before = m.W:clone()
    m:fit(set, { epochs = 5 })
    for i = 1, 4 do
      local first = (i - 1) * 5 + 1
      assert.equal(i == 2 or i == 4, before:narrow(1, first, 5) == m.W:narrow(1, first, 5))
    end
  end)

  it("begins with the biases of the levels' shares, the more an item was rated the more its own", function()
    local users, items, values = {}, {}, {}
    for u = 1, 1000 do users[u], items[u], values[u] = u, 1, u <= 250 and 1 or 2 end
    users[1001], items[1001], values[1001] = 1, 2, 1
    local m = lrn.RatingRBM { n_items = 3, n_ratings = 2, n_hidden = 2, seed = 1, learning_rate = 0 }
    m:fit(lrn.data.ratings { users = users, items = items, ratings = values, n_items = 3 }, { epochs = 1 })
    m.W, m.b = lrn.zeros(6, 2), lrn.zeros(2)
    local _, p = m:predict({}, { 1, 2, 3 })
    assert.is_true(math.abs(p[1][1] - .25) < .002)
    assert.is_true(p[2][1] > .35 and p[2][1] < .45)
    assert.is_true(math.abs(p[3][1] - .25) < .002)
  end)
end)

describe("training on ratings", function()
  local function train(device, dtype)
    local set = lrn.data.low_rank_ratings { users = 30, items = 17, density = .4, seed = 4 }
    local m = lrn.RatingRBM { n_items = 17, n_hidden = 37, seed = 8, steps = 2, momentum = .5,
      optimizer = "sgd", learning_rate = .5, conditional = true, smoothing = .1, device = device, dtype = dtype }
    m:fit(set, { epochs = 2, batch_size = 17 })
    local parts = { ("%a"):format(m.history.rmse[2]) }
    for _, name in ipairs { "D", "W", "a", "b" } do parts[#parts + 1] = m:parameters()[name]:tobytes() end
    parts[#parts + 1] = m:energy(set):tobytes()
    parts[#parts + 1] = select(2, m:predict(7, { 1, 9, 17 })):tobytes()
    return parts, ("%a"):format(m:rmse(set))
  end

  local threads = core.set().threads
  after_each(function() core.set { threads = threads } end)

  -- No matrix product is in it, so that devices agree, too; but for the means of levels.
  it("has the same bits for any number of threads, and on every device", function()
    for _, dtype in ipairs(exact.dtypes) do
      core.set { threads = 1 }
      local reference, rmse = train("cpu", dtype)
      for _, n in ipairs { 2, 5 } do
        core.set { threads = n }
        local bits, figure = train("cpu", dtype)
        assert.equal(rmse, figure)
        for k in ipairs(bits) do assert.is_true(reference[k] == bits[k], dtype .. ": part " .. k) end
      end
      for _, device in ipairs(exact.devices()) do
        local bits = train(device, dtype)
        for k in ipairs(bits) do assert.is_true(reference[k] == bits[k], device .. ": part " .. k) end
      end
    end
  end)

  it("predicts held-out ratings better than the items' means", function()
    local set = lrn.data.low_rank_ratings { users = 300, items = 80, rank = 2, density = .4, seed = 1 }
    local a, b = set:split { train = .9, test = .1, seed = 1 }
    local m = lrn.RatingRBM { n_items = 80, n_hidden = 20, seed = 1 }
    local rmse, val = m:fit(a, { epochs = 40, batch_size = 25, validation = b })
    local users, items, values = b:triplets()
    local _, by_item = a:means { prior = 5 }
    local baseline = math.sqrt((by_item:index_select(1, items):to "float32" - values):square():mean())
    assert.is_true(val < .7 * baseline, ("%.3f against %.3f"):format(val, baseline))
    assert.equal(m.history.val_rmse[40], val)
    assert.equal(m.history.rmse[40], rmse)
    near(val, m:rmse(b), "rmse")
    near(m.history.val_mae[40], m:mae(b), "mae")
    -- pairs, and the same by hand
    local predicted, p = m:predict(users, items)
    assert.is_true(math.abs(math.sqrt((predicted - values):square():mean()) - val) < 1e-5)
    assert.same({ #b, 5 }, p.shape)
  end)

  it("goes on bit for bit from a checkpoint in the middle of an epoch, and stops early", function()
    local set = lrn.data.low_rank_ratings { users = 90, items = 30, density = .5, seed = 1 }
    local a, b = set:split { train = .8, test = .2, seed = 1 }
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local options = { n_items = 30, n_hidden = 8, seed = 2 }
    local schedule = { steps = { 1, [3] = 2 } }
    local whole = lrn.RatingRBM(options)
    whole:fit(a, { epochs = 4, batch_size = 20, validation = b, schedule = schedule })
    local part = lrn.RatingRBM(options)
    pcall(part.fit, part, a, { epochs = 4, batch_size = 20, validation = b, schedule = schedule,
      checkpoint = { path, batches = 3, every = 100 }, callback = function(_, epoch)
        if epoch == 2 then error "stop" end
      end })
    local again = lrn.RatingRBM(options)
    assert(again:fit(a, { epochs = 4, batch_size = 20, validation = b, schedule = schedule, resume = path }))
    for name, t in pairs(whole:parameters()) do assert.is_true(t == again:parameters()[name], name) end
    assert.same(whole.history.val_rmse, again.history.val_rmse)
    assert.same(whole.history.rmse, again.history.rmse)
    local early = lrn.RatingRBM(options)
    early:fit(a, { epochs = 200, batch_size = 20, validation = b,
      early_stopping = { metric = "val_rmse", patience = 2 } })
    assert.is_true(#early.history < 200)
    assert.equal(math.min(table.unpack(early.history.val_rmse)), early:rmse(b))
  end)

  it("reaches the file: levels, options, predictions; and refuses one of other levels", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local set = lrn.data.ratings { users = { 1, 1, 2 }, items = { 1, 3, 3 }, ratings = { .5, 4, 3.5 },
      n_items = 4 }
    local m = lrn.RatingRBM { n_items = 4, levels = set.levels, n_hidden = 3, seed = 1 }
    m:fit(set, { epochs = 2 })
    assert(m:save(path))
    local again = assert(lrn.load(path))
    assert.equal("RatingRBM", again.class)
    assert.same({ .5, 1, 1.5, 2, 2.5, 3, 3.5, 4 }, again.levels)
    assert.equal(4, again.n_items)
    assert.equal(8, again.n_ratings)
    assert.equal(m:predict({ [2] = 1.5 }, 1), again:predict({ [2] = 1.5 }, 1))
    assert.equal(m:predict(2, 1), again:predict(2, 1, { given = set }))
    assert.error_matches(function() again:predict(2, 1) end, "predict: given: missing, expected a set")
    local stars = lrn.RatingRBM { n_items = 4, n_ratings = 8, n_hidden = 3, seed = 1 }
    assert.error_matches(function()
      stars:fit(lrn.data.ratings { users = { 1 }, items = { 4 }, ratings = { 8 } }, { epochs = 1, resume = path })
    end, "fit: resume: .* has a model with level 0.5, expected 1")
  end)

  it("allocates nothing in a step that is not the largest so far", function()
    local set = lrn.data.low_rank_ratings { users = 60, items = 20, density = .5, seed = 1 }
    local m = lrn.RatingRBM { n_items = 20, n_hidden = 8, seed = 2 }
    local offset, item, level = rows(set)
    m._core:reserve(1, true)
    m._core:ratings_step(offset, item, level, nil, 1, 60, m.levels)
    local before = core.memory().allocations
    for first = 1, 41, 20 do m._core:ratings_step(offset, item, level, nil, first, 20, m.levels) end
    assert.equal(before, core.memory().allocations)
  end)
end)

describe("recommend", function()
  local set = lrn.data.low_rank_ratings { users = 50, items = 30, density = .5, seed = 1 }
  local m = lrn.RatingRBM { n_items = 30, n_hidden = 8, seed = 2 }
  m:fit(set, { epochs = 20, batch_size = 10 })

  it("gives the best of what predict says, without those that the user has rated", function()
    local items, worth = m:recommend(3, 30)
    local seen = set:user(3)
    assert.equal(30 - seen.numel, items.numel)
    for _, i in ipairs(seen:tolist()) do assert.is_false(items:eq(i):any()) end
    assert.is_true(worth == m:predict(3, items))
    local list = worth:tolist()
    for k = 2, #list do assert.is_true(list[k - 1] >= list[k]) end
    assert.same({ 30 }, (m:recommend(3, 99, { exclude_seen = false })).shape)
    assert.is_true(m:recommend(3, 4) == items:narrow(1, 1, 4))
    local some = lrn.tensor({ items[9], items[2], items[2], seen[1] }, { dtype = "int64" })
    assert.same({ items[2], items[9] }, (m:recommend(3, 4, { items = some })):tolist())
  end)

  it("takes a new user as a table, with the bits of one in the set", function()
    local items, ratings = set:user(7)
    local table_of = {}
    for k, i in ipairs(items:tolist()) do table_of[i] = ratings[k] end
    assert.is_true(m:predict(7, { 1, 2, 30 }) == m:predict(table_of, { 1, 2, 30 }))
    assert.is_true(m:recommend(7, 5) == m:recommend(table_of, 5))
    assert.equal(5, (m:recommend({}, 5)).numel)
    assert.equal(0, (m:predict({}, {})).numel)
  end)

  it("says what is wrong with what it was given", function()
    local function fails(pattern, f, ...)
      local arguments = table.pack(...)
      assert.error_matches(function() f(table.unpack(arguments, 1, arguments.n)) end, pattern)
    end
    fails("predict: user: got 51, expected 1..50", m.predict, m, 51, 1)
    fails("predict: items: got numbers from 31 to 31, expected 1..30", m.predict, m, 1, 31)
    fails("predict: user: got 40 = 5, expected a table from item %(1..30%) to rating", m.predict, m, { [40] = 5 }, 1)
    fails("predict: user: ratings: got 9", m.predict, m, { [4] = 9 }, 1)
    fails("predict: items: got 1, expected 2, one a user", m.predict, m,
      lrn.tensor({ 1, 2 }, { dtype = "int64" }), { 1 })
    fails("recommend: user: got \"x\", expected a number, or a table", m.recommend, m, "x")
    fails("recommend: k: got 0, expected an integer >= 1", m.recommend, m, 1, 0)
    fails("recommend: items: got numbers from 0 to 0", m.recommend, m, 1, 3, { items = { 0 } })
    fails("rmse: test: got 5, expected a set of ratings", m.rmse, m, 5)
    fails("fit: data: got a tensor float32%[2, 2%], expected a set of ratings", m.fit, m, lrn.zeros(2, 2))
    fails("fit: data: got 3 items, expected 30 %(n_items%)", m.fit, m,
      lrn.data.ratings { users = { 1 }, items = { 3 }, ratings = { 5 } })
    fails("fit: weights: got one, expected none", m.fit, m, set, { weights = lrn.ones(50) })
    fails("RatingRBM: n_items: missing", lrn.RatingRBM, {})
    fails("unknown option 'n_visible'; valid: .*n_items, n_ratings", lrn.RatingRBM, { n_visible = 5, n_items = 5 })
    fails("unknown option 'persistent'", lrn.RatingRBM, { n_items = 5, persistent = 5 })
    fails("levels: got 1 at 2, expected ascending numbers", lrn.RatingRBM, { n_items = 5, levels = { 2, 1 } })
    fails("n_items: cannot be assigned", function() m.n_items = 3 end)
  end)
end)
