-- The gradient of every pair of units against differences of free energies, and the update rule
-- against the same five lines in Lua.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 4, 3, 7

-- Rows that are states of the kind of unit.
local function data_for(visible, options)
  local u, rows = exact.uniform(41), {}
  for r = 1, ROWS do
    rows[r] = exact.state_near(visible, exact.dyadic(u, V, 1.5))
  end
  return lrn.tensor(rows, options)
end

-- d/dtheta of mean F(plus) - mean F(minus), central differences on a float64 model
local function numerical(p, options, plus, minus)
  local o = { visible = options.visible, hidden = options.hidden,
    temperature = options.temperature, dtype = "float64" }
  local c = exact.model(p, o)
  plus, minus = plus:to { device = "cpu", dtype = "float64" }, minus:to { device = "cpu",
    dtype = "float64" }
  return exact.derivative(c:parameters(), function()
    return c:free_energy(plus):mean() - c:free_energy(minus):mean()
  end)
end

-- Of all kinds; hidden ones only of those with a density where `dense`.
local function pairs_of_units(f, dense)
  for _, visible in ipairs(core.units()) do
    for _, hidden in ipairs(dense and exact.units() or core.units()) do
      f(visible, hidden, visible .. "-" .. hidden)
    end
  end
end

describe("the gradient", function()
  local rules = {
    { name = "CD-1", steps = 1 }, { name = "CD-3", steps = 3 },
    { name = "PCD, 1 chain", steps = 1, persistent = 1 },
    { name = "PCD-2, 5 chains", steps = 2, persistent = 5 },
    { name = "PCD, more chains than rows", steps = 1, persistent = 11 },
  }

  it("is the derivative of mean F(v+) - mean F(v-) for every pair, rule and temperature #slow", function()
    -- small weights, so that every pair has a density
    local p = exact.parameters(V, H, 42, 0.25, 0.75)
    pairs_of_units(function(visible, hidden, name)
      exact.everywhere(function(device, dtype)
        for _, rule in ipairs(rules) do
          for _, T in ipairs { 0.7, 1 } do
            local options = { visible = visible, hidden = hidden, temperature = T, device = device,
              dtype = dtype, steps = rule.steps, persistent = rule.persistent }
            local c = exact.model(p, options)
            local data = data_for(visible, { dtype = dtype, device = device })
            c:reserve(ROWS, true)
            local chain = c:chain() and c:chain():clone()
            assert.is_nil((c:compute_gradient(data, nil, 1, ROWS)))
            local g, minus = c:gradient(), c:negative():clone()
            local what = ("%s, %s, T = %g, %s on %s"):format(name, rule.name, T, dtype, device)
            assert.same({ rule.persistent or ROWS, V }, minus.shape, what)
            assert.is_false(minus == data, what)
            if chain then assert.same({ rule.persistent, H }, chain.shape) end
            for key, want in pairs(numerical(p, options, data, minus)) do
              local got = g[key]:view(-1):tolist()
              for i, w in ipairs(want) do
                exact.near(got[i], w, (dtype == "float64" and 1e-8 or 2e-6) * (1 + math.abs(w)),
                  what .. ", " .. key .. " " .. i)
              end
            end
          end
        end
      end)
    end, true)
  end)

  -- E[v- q-] after one sweep from v+, by summing over all h and v-; 100,000 rows, 6 sigma of a
  -- product in [0, 1], whose variance is at most 1/4
  it("of CD-1 is on average what the sum over all chains of one sweep says", function()
    local N = 100000
    local p = exact.parameters(V, H, 43, 1.5)
    for _, T in ipairs { 0.7, 1 } do
      local plus = { 1, 0, 0, 1 }
      local function sig(x) return 1 / (1 + math.exp(-x / T)) end
      local function chance(states, inputs)
        local q = 1
        for j, x in ipairs(inputs) do q = q * (states[j] == 1 and sig(x) or 1 - sig(x)) end
        return q
      end
      local want = { W = {}, a = {}, b = {} }
      for i = 1, V do
        want.a[i] = -plus[i]
        for j = 1, H do
          want.W[(i - 1) * H + j] = -plus[i] * sig(exact.hidden_inputs(p, plus)[j])
        end
      end
      for j = 1, H do want.b[j] = -sig(exact.hidden_inputs(p, plus)[j]) end
      for _, h in ipairs(exact.states(H)) do
        local ph = chance(h, exact.hidden_inputs(p, plus))
        for _, v in ipairs(exact.states(V)) do
          local q = ph * chance(v, exact.visible_inputs(p, h))
          local x = exact.hidden_inputs(p, v)
          for i = 1, V do
            want.a[i] = want.a[i] + q * v[i]
            for j = 1, H do
              local at = (i - 1) * H + j
              want.W[at] = want.W[at] + q * v[i] * sig(x[j])
            end
          end
          for j = 1, H do want.b[j] = want.b[j] + q * sig(x[j]) end
        end
      end
      for _, dtype in ipairs(exact.dtypes) do
        local c = exact.model(p, { temperature = T, dtype = dtype })
        c:reserve(N, true)
        c:compute_gradient(lrn.tensor(plus, { dtype = dtype }):reshape(1, V):expand(N, V)
          :contiguous(), nil, 1, N)
        for key, g in pairs(c:gradient()) do
          for i, x in ipairs(g:view(-1):tolist()) do
            exact.near(x, want[key][i], 6 * 0.5 / math.sqrt(N), key .. i .. " at T = " .. T)
          end
        end
      end
    end
  end)
end)

describe("the update", function()
  -- g_W += decay W; m = momentum m + g; theta -= rate m, with options that change on the way
  it("is momentum, decay of weights alone and the rate of the moment, replayed in Lua", function()
    local p = exact.parameters(V, H, 44, 0.25, 0.75)
    local schedule = {
      { learning_rate = 0.1, momentum = 0, decay = 0 },
      { learning_rate = 0.1, momentum = 0.5, decay = 0.01 },
      { learning_rate = 0.3, momentum = 0.9, decay = 0.01 },
      { learning_rate = 0, momentum = 0.9, decay = 0.2 },
      { learning_rate = 0.05, momentum = 0.9, decay = 0 },
    }
    pairs_of_units(function(visible, hidden, name)
      for _, device in ipairs(exact.devices()) do
        for _, persistent in ipairs { 0, 3 } do
          local c = exact.model(p, { visible = visible, hidden = hidden, dtype = "float64",
            device = device, persistent = persistent })
          local data = data_for(visible, { dtype = "float64", device = device })
          c:reserve(ROWS, true)
          local theta, m = {}, {}
          for key, t in pairs(c:parameters()) do
            theta[key], m[key] = t:view(-1):tolist(), {}
            for i = 1, #theta[key] do m[key][i] = 0 end
          end
          for step, o in ipairs(schedule) do
            for key, value in pairs(o) do c:set(key, value) end
            c:compute_gradient(data, nil, 1, ROWS)
            local gradient = {}
            for key, t in pairs(c:gradient()) do gradient[key] = t:view(-1):tolist() end
            c:update()
            assert.equal(step, c:state().step)
            local now, momentum = c:parameters(), c:momentum()
            for key, g in pairs(gradient) do
              local got, got_m = now[key]:view(-1):tolist(), momentum[key]:view(-1):tolist()
              for i = 1, #g do
                local full = g[i] + (key == "W" and o.decay * theta[key][i] or 0)
                m[key][i] = o.momentum * m[key][i] + full
                theta[key][i] = theta[key][i] - o.learning_rate * m[key][i]
                local what = ("%s, step %d, %s %d on %s"):format(name, step, key, i, device)
                exact.near(got_m[i], m[key][i], 1e-12 * (1 + math.abs(m[key][i])), what)
                exact.near(got[i], theta[key][i], 1e-12 * (1 + math.abs(theta[key][i])), what)
              end
            end
          end
        end
      end
    end)
  end)

  it("in two halves has the bits of a step", function()
    local p = exact.parameters(V, H, 45, 0.25, 0.75)
    pairs_of_units(function(visible, hidden, name)
      exact.everywhere(function(device, dtype)
        for _, persistent in ipairs { 0, 3 } do
          local made = {}
          for way = 1, 2 do
            local c = exact.model(p, { visible = visible, hidden = hidden, dtype = dtype,
              device = device, persistent = persistent, momentum = 0.5, decay = 0.01, steps = 2 })
            local data = data_for(visible, { dtype = dtype, device = device })
            c:reserve(ROWS, true)
            for _ = 1, 3 do
              if way == 1 then
                c:step(data, nil, 1, ROWS)
              else
                c:compute_gradient(data, nil, 1, ROWS)
                c:update()
              end
            end
            made[way] = c
          end
          for key, t in pairs(made[1]:parameters()) do
            assert.is_true(t == made[2]:parameters()[key], ("%s, %s, %s on %s"):format(name, key,
              dtype, device))
          end
        end
      end)
    end)
  end)

  it("with steps, persistent and temperature changed between steps uses the new ones", function()
    local p = exact.parameters(V, H, 46, 0.5)
    local data = data_for("bernoulli", { dtype = "float64" })
    local c = exact.model(p, { dtype = "float64" })
    c:reserve(ROWS, true)
    for n, o in ipairs { { steps = 3 }, { temperature = 0.5 }, { persistent = 4 },
      { persistent = 2, temperature = 2 }, { persistent = 0, steps = 1 } } do
      for key, value in pairs(o) do c:set(key, value) end
      c:reserve(ROWS, true)
      c:compute_gradient(data, nil, 1, ROWS)
      local now = {}
      for key, t in pairs(c:parameters()) do now[key] = t:tolist() end
      local want = numerical(now, { temperature = c:get "temperature" }, data, c:negative())
      for key, g in pairs(c:gradient()) do
        for i, x in ipairs(g:view(-1):tolist()) do
          exact.near(x, want[key][i], 1e-8, "change " .. n .. ", " .. key)
        end
      end
      c:update()
    end
  end)

  it("goes by the number of chains that was set last", function()
    local c = exact.model(exact.parameters(V, H, 47, 0.5), {})
    c:reserve(ROWS, true)
    c:set("persistent", 4)
    assert.equal(4, c:chain():size(1))
    assert.is_nil((c:step(data_for "bernoulli", nil, 1, ROWS)))
    assert.equal(4, c:negative():size(1))
  end)
end)
