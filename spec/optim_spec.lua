-- What a step does beside plain momentum: Adam, L1, clipping, norms of weights, sparsity, centring.
-- Each rule is replayed in Lua doubles from its formula.
local lrn = require "lrn"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 5, 4, 9

local function data(options)
  local u, rows = exact.uniform(51), {}
  for r = 1, ROWS do
    rows[r] = {}
    for i = 1, V do rows[r][i] = u() < 0.5 and 1 or 0 end
  end
  return lrn.tensor(rows, options)
end

local function numbers(t) return t:to { device = "cpu", dtype = "float64" }:view(-1):tolist() end

local function each_key(tensors, f)
  for _, key in ipairs { "W", "a", "b" } do f(key, numbers(tensors[key])) end
end

-- Runs six steps of a model and f(theta, gradient, step) -> wanted parameters beside it; gradients
-- and parameters are tables from name to list. f keeps what it needs.
local function replay(options, f, tolerance)
  exact.everywhere(function(device, dtype)
    local o = { device = device, dtype = dtype }
    for key, value in pairs(options) do o[key] = value end
    local c = exact.model(exact.parameters(V, H, 52, 0.5), o)
    c:reserve(ROWS, true)
    local x = data { device = device, dtype = dtype }
    local rule = f()
    for step = 1, 6 do
      local theta, gradient = {}, {}
      each_key(c:parameters(), function(key, list) theta[key] = list end)
      c:compute_gradient(x, nil, 1, ROWS)
      each_key(c:gradient(), function(key, list) gradient[key] = list end)
      c:update()
      local want = rule(theta, gradient, step)
      each_key(c:parameters(), function(key, got)
        for i, value in ipairs(got) do
          exact.near(value, want[key][i], (tolerance or 1e-12) * (dtype == "float64" and 1 or 2e8),
            ("step %d, %s %d, %s on %s"):format(step, key, i, dtype, device))
        end
      end)
    end
  end)
end

local function map(tensors, f)
  local out = {}
  for key, list in pairs(tensors) do
    out[key] = {}
    for i, x in ipairs(list) do out[key][i] = f(x, key, i) end
  end
  return out
end

local function norm(gradient)
  local sum = 0
  for _, list in pairs(gradient) do
    for _, g in ipairs(list) do sum = sum + g * g end
  end
  return math.sqrt(sum)
end

describe("an update", function()
  -- Kingma and Ba 2015, algorithm 1
  it("by Adam has corrected first and second moments", function()
    replay({ optimizer = "adam", learning_rate = 0.02, beta1 = 0.8, beta2 = 0.95, epsilon = 1e-6,
      decay = 0.01 }, function()
      local m, v
      return function(theta, gradient, t)
        m = m or map(theta, function() return 0 end)
        v = v or map(theta, function() return 0 end)
        return map(theta, function(x, key, i)
          local g = gradient[key][i] + (key == "W" and 0.01 * x or 0)
          m[key][i] = 0.8 * m[key][i] + 0.2 * g
          v[key][i] = 0.95 * v[key][i] + 0.05 * g * g
          local mean, square = m[key][i] / (1 - 0.8 ^ t), v[key][i] / (1 - 0.95 ^ t)
          return x - 0.02 * mean / (math.sqrt(square) + 1e-6)
        end)
      end
    end, 1e-11)
  end)

  it("with l1 draws weights alone to 0, by a constant amount", function()
    replay({ learning_rate = 0.1, l1 = 0.3, momentum = 0.5 }, function()
      local m
      return function(theta, gradient)
        m = m or map(theta, function() return 0 end)
        return map(theta, function(x, key, i)
          local sign = x > 0 and 1 or x < 0 and -1 or 0
          m[key][i] = 0.5 * m[key][i] + gradient[key][i] + (key == "W" and 0.3 * sign or 0)
          return x - 0.1 * m[key][i]
        end)
      end
    end)
  end)

  it("with clip has the gradient's direction and at most that norm, before decay", function()
    for _, clip in ipairs { 0.05, 0.4 } do
      local clipped = 0
      replay({ learning_rate = 0.5, clip = clip, decay = 0.02 }, function()
        return function(theta, gradient)
          local c = math.min(1, clip / norm(gradient))
          if c < 1 then clipped = clipped + 1 end
          return map(theta, function(x, key, i)
            return x - 0.5 * (c * gradient[key][i] + (key == "W" and 0.02 * x or 0))
          end)
        end
      end)
      assert.is_true(clipped > 0, "nothing was clipped at " .. clip)
    end
  end)

  it("with max_norm leaves no hidden unit longer weights, and shorter ones alone", function()
    local scaled, kept = 0, 0
    replay({ learning_rate = 0.3, max_norm = 0.7 }, function()
      return function(theta, gradient)
        local want = map(theta, function(x, key, i) return x - 0.3 * gradient[key][i] end)
        for j = 1, H do
          local sum = 0
          for i = 1, V do sum = sum + want.W[(i - 1) * H + j] ^ 2 end
          local factor = math.min(1, 0.7 / math.sqrt(sum))
          if factor < 1 then scaled = scaled + 1 else kept = kept + 1 end
          for i = 1, V do want.W[(i - 1) * H + j] = factor * want.W[(i - 1) * H + j] end
        end
        return want
      end
    end)
    assert.is_true(scaled > 0 and kept > 0)
  end)

  it("with everything off has the bits of momentum alone", function()
    exact.everywhere(function(device, dtype)
      local made = {}
      for way, more in ipairs { {}, { clip = 1e30, max_norm = 1e30 } } do
        local o = { device = device, dtype = dtype, momentum = 0.5, decay = 0.01 }
        for key, value in pairs(more) do o[key] = value end
        local c = exact.model(exact.parameters(V, H, 53, 0.5), o)
        c:reserve(ROWS, true)
        for _ = 1, 4 do c:step(data { device = device, dtype = dtype }, nil, 1, ROWS) end
        made[way] = c:parameters()
      end
      for key, t in pairs(made[1]) do
        assert.is_true(t == made[2][key], ("%s, %s on %s"):format(key, dtype, device))
      end
    end)
  end)
end)

-- <v+> and <q+> of the step's data under theta
local function means_of(theta, x)
  local p = { W = {}, a = theta.a, b = theta.b }
  for i = 1, V do p.W[i] = { table.unpack(theta.W, (i - 1) * H + 1, i * H) } end
  local q = exact.model(p, { dtype = "float64" }):hidden_mean(x)
  return x:mean(1):tolist(), q:mean(1):tolist()
end

-- Beside each model with an aid runs one without it, with the same parameters: its gradient.
local function compare(options, f)
  exact.everywhere(function(device, dtype)
    local o = { device = device, dtype = dtype, learning_rate = 0.2 }
    local plain = exact.model(exact.parameters(V, H, 54, 0.5), o)
    for key, value in pairs(options) do o[key] = value end
    local c = exact.model(exact.parameters(V, H, 54, 0.5), o)
    local x = data { dtype = "float64" }
    local rule = f()
    c:reserve(ROWS, true)
    plain:reserve(ROWS, true)
    for step = 1, 5 do
      local theta, gradient = {}, {}
      for name, t in pairs(plain:parameters()) do t:copy_(c:parameters()[name]) end
      each_key(c:parameters(), function(key, list) theta[key] = list end)
      local on = x:to { device = device, dtype = dtype }
      c:compute_gradient(on, nil, 1, ROWS)
      plain:compute_gradient(on, nil, 1, ROWS)
      each_key(plain:gradient(), function(key, list) gradient[key] = list end)
      local want = rule(gradient, means_of(theta, x))
      each_key(c:gradient(), function(key, got)
        for i, value in ipairs(got) do
          exact.near(value, want[key][i], dtype == "float64" and 1e-12 or 1e-5,
            ("step %d, %s %d, %s on %s"):format(step, key, i, dtype, device))
        end
      end)
      c:update()
      plain:update() -- so that both draw for the same step
    end
  end)
end

describe("the gradient", function()
  it("with a sparsity target draws the running mean of each hidden unit to it", function()
    compare({ sparsity_cost = 0.7, sparsity_target = 0.2, sparsity_decay = 0.6 }, function()
      local p
      return function(g, v, q)
        p = p or q
        for j = 1, H do p[j] = 0.6 * p[j] + 0.4 * q[j] end
        return map(g, function(x, key, i)
          local j = (i - 1) % H + 1
          local off = 0.7 * (p[j] - 0.2)
          return x + (key == "b" and off or key == "W" and v[(i - 1) // H + 1] * off or 0)
        end)
      end
    end)
  end)

  it("that is centred is that of v - mu and h - nu, and goes down where the plain one does", function()
    compare({ centering = 0.3 }, function()
      local mu, nu
      return function(g, v, q)
        mu, nu = mu or v, nu or q
        for i = 1, V do mu[i] = 0.7 * mu[i] + 0.3 * v[i] end
        for j = 1, H do nu[j] = 0.7 * nu[j] + 0.3 * q[j] end
        local out = { W = {}, a = { table.unpack(g.a) }, b = { table.unpack(g.b) } }
        for i = 1, V do
          for j = 1, H do
            local at = (i - 1) * H + j
            out.W[at] = g.W[at] - mu[i] * g.b[j] - g.a[i] * nu[j]
            out.a[i] = out.a[i] - out.W[at] * nu[j]
            out.b[j] = out.b[j] - out.W[at] * mu[i]
          end
        end
        -- its product with the plain gradient is |gW|^2 + |ga|^2 + |gb|^2 of centred gW, plain ga, gb
        local product, squares = 0, norm { out.W, g.a, g.b } ^ 2
        for key, list in pairs(g) do
          for i, x in ipairs(list) do product = product + x * out[key][i] end
        end
        exact.near(product, squares, 1e-12 * (1 + squares))
        return out
      end
    end)
  end)
end)

describe("a model with Adam", function()
  local function new()
    return lrn.RBM { n_visible = 64, n_hidden = 20, seed = 4, optimizer = "adam",
      learning_rate = 0.005, clip = 2, l1 = 1e-4, max_norm = 3, sparsity_cost = 0.1,
      centering = 0.01 }
  end

  it("goes on from a checkpoint bit for bit", function()
    local digits, path = lrn.data.digits(), os.tmpname()
    local whole, half = new(), new()
    whole:fit(digits, { epochs = 4 })
    half:fit(digits, { epochs = 2, checkpoint = { path, 1 } })
    local rest = new()
    rest:fit(digits, { epochs = 4, resume = path })
    os.remove(path)
    for name, t in pairs(whole:parameters()) do
      assert.is_true(t == rest:parameters()[name], name)
    end
  end)

  it("comes back from a file with its options", function()
    local path, m = os.tmpname(), new()
    assert(m:save(path))
    local again = assert(lrn.load(path))
    os.remove(path)
    for _, name in ipairs { "optimizer", "beta1", "beta2", "epsilon", "l1", "clip", "max_norm",
                              "sparsity_cost", "centering" } do
      assert.equal(m[name], again[name], name)
    end
  end)

  it("learns the digits", function()
    local m, digits = new(), lrn.data.digits()
    local before = m:reconstruct(digits)
    m:fit(digits, { epochs = 5 })
    assert.is_true(m:reconstruct(digits) < 0.8 * before)
  end)

  it("has neither momentum nor another optimizer afterwards", function()
    local ok, message = pcall(lrn.RBM, { optimizer = "adam", momentum = 0.5 })
    assert.is_false(ok)
    assert.matches("RBM: momentum: got 0.5, expected 0: adam has beta1 instead", message, 1, true)
    local m = new()
    ok, message = pcall(function() m.optimizer = "sgd" end)
    assert.is_false(ok)
    assert.matches("optimizer: cannot be assigned", message, 1, true)
    ok, message = pcall(lrn.RBM, { optimizer = "adagrad" })
    assert.is_false(ok)
    assert.matches("RBM: optimizer: got 'adagrad', expected 'sgd' or 'adam'", message, 1, true)
    for _, o in ipairs { { beta1 = 1 }, { beta2 = -1 }, { epsilon = 0 }, { l1 = -1 },
                         { clip = 0 / 0 }, { max_norm = -2 } } do
      ok, message = pcall(lrn.RBM, o)
      assert.is_false(ok)
      assert.matches("RBM: " .. next(o) .. ": got ", message, 1, true)
    end
  end)
end)
