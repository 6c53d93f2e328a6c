-- Models that leave out a part of themselves in each training step: dropout, dropconnect and
-- edropout. The masks are read off; what follows from them is computed here.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 4, 3, 7

local function data(visible, options)
  local u, rows = exact.uniform(71), {}
  for r = 1, ROWS do rows[r] = exact.state_near(visible, exact.dyadic(u, V, 1.5)) end
  return lrn.tensor(rows, options)
end

local function double(t) return t:to { device = "cpu", dtype = "float64" }:clone() end

-- mean over rows of F(v) = sum self(v) - a.v - sum_j r_j A(x_j), x = v (M * W) + b, at T
local function mean_energy(unit, T, p, v, r, M)
  local x = v:mm(M and p.W * M or p.W) + p.b
  local A = core.unit_map(unit.hidden, "cumulant", x, T)
  local self = core.unit_map(unit.visible, "self", v, T)
  if r then A = A * r end
  return (self:sum(2) - v:mm(p.a:view(-1, 1)):view(-1) - A:sum(2)):mean()
end

local rules = { { steps = 1 }, { steps = 3 }, { steps = 2, persistent = 5 } }

describe("with a mask", function()
  it("the gradient is the derivative of the thinned free energies, one mask in both phases", function()
    local parameters = exact.parameters(V, H, 72, 0.5)
    for _, mask in ipairs { "dropout", "dropconnect", "edropout" } do
      for _, visible in ipairs(core.units()) do
        for _, hidden in ipairs(exact.units()) do
          for n, rule in ipairs(rules) do
            local chains = mask == "edropout" and rule.persistent
            if not chains and not (mask == "edropout" and exact.kind(hidden).grouped) then
              local T = n == 2 and 1.5 or 1
              local what = ("%s, %s-%s, rule %d"):format(mask, visible, hidden, n)
              local c = exact.model(parameters, { visible = visible, hidden = hidden, mask = mask,
                dropout = mask ~= "edropout" and 0.4 or nil, steps = rule.steps, temperature = T,
                persistent = rule.persistent, dtype = "float64" })
              local v = data(visible, { dtype = "float64" })
              c:reserve(ROWS, true)
              c:compute_gradient(v, nil, 1, ROWS)
              local p, m = {}, c:mask():clone()
              for name, t in pairs(c:parameters()) do p[name] = t:clone() end
              local plus, minus, M
              if mask == "dropconnect" then
                M = m:narrow(1, 1, V)
              else
                plus = m:narrow(1, 1, ROWS)
                minus = rule.persistent and m:narrow(1, ROWS + 1, rule.persistent) or plus
              end
              local unit, negative = { visible = visible, hidden = hidden }, c:negative():clone()
              local want = exact.derivative(p, function()
                return mean_energy(unit, T, p, v, plus, M) -
                  mean_energy(unit, T, p, negative, minus, M)
              end)
              for name, g in pairs(c:gradient()) do
                for i, x in ipairs(g:view(-1):tolist()) do
                  exact.near(x, want[name][i], 1e-6, what .. ", " .. name .. " " .. i)
                end
              end
            end
          end
        end
      end
    end
  end)

  -- 6 sigma of a binomial
  it("parts are left out with their probability, anew at each step", function()
    exact.everywhere(function(device, dtype)
      for _, mask in ipairs { "dropout", "dropconnect" } do
        local c = core.rbm_new { n_visible = 60, n_hidden = 50, mask = mask, dropout = 0.3, seed = 3,
          device = device, dtype = dtype }
        local v = lrn.zeros(60, 60, { device = device, dtype = dtype })
        c:reserve(60, true)
        c:step(v, nil, 1, 60)
        local first = double(c:mask():narrow(1, 1, 60))
        c:step(v, nil, 1, 60)
        local second = double(c:mask():narrow(1, 1, 60))
        for _, m in ipairs { first, second } do
          assert.is_true((m * (m - 1)):abs():max() == 0)
          exact.near(m:mean(), 0.7, 6 * math.sqrt(0.21 / 3000), mask .. " on " .. device)
        end
        exact.near((first * second):mean(), 0.49, 6 * math.sqrt(0.25 / 3000), mask)
      end
    end)
  end)

  it("of rate 0 a model has the bits of one without", function()
    exact.everywhere(function(device, dtype)
      for _, rule in ipairs(rules) do
        local made = {}
        for n, mask in ipairs { "none", "dropout", "dropconnect" } do
          local c = exact.model(exact.parameters(V, H, 73, 0.5), { mask = mask, device = device,
            dtype = dtype, steps = rule.steps, persistent = rule.persistent, momentum = 0.5 })
          c:reserve(ROWS, true)
          for _ = 1, 3 do c:step(data("bernoulli", { device = device, dtype = dtype }), nil, 1, ROWS) end
          made[n] = c
        end
        for n = 2, 3 do
          for name, t in pairs(made[1]:parameters()) do
            assert.is_true(t == made[n]:parameters()[name], name)
          end
          local s, want = made[n]:state(), made[1]:state()
          assert.same({ want.mse, want.error, want.pl }, { s.mse, s.error, s.pl })
        end
      end
    end)
  end)

  it("of rate 1 dropout learns nothing about weights and hidden biases", function()
    local c = exact.model(exact.parameters(V, H, 74, 0.5), { mask = "dropout", dropout = 1 })
    c:reserve(ROWS, true)
    c:compute_gradient(data "bernoulli", nil, 1, ROWS)
    assert.equal(0, c:gradient().W:abs():max())
    assert.equal(0, c:gradient().b:abs():max())
  end)

  -- q+ and q- of the pass without a mask come from the plain model, whose draws they share.
  it("edropout keeps a unit where I = (q- / q+) / max I is below a uniform number", function()
    local p = exact.parameters(20, 16, 75, 0.7)
    local n = 40
    local v = lrn.full({ n, 20 }, 0.4, { dtype = "float64" }):bernoulli {
      generator = lrn.generator(5) }
    local plain = exact.model(p, { dtype = "float64" })
    local c = exact.model(p, { dtype = "float64", mask = "edropout" })
    plain:reserve(n, true)
    c:reserve(n, true)
    plain:compute_gradient(v, nil, 1, n)
    c:compute_gradient(v, nil, 1, n)
    local I = plain:hidden_mean(plain:negative():clone()) / plain:hidden_mean(v)
    I = I / I:max(2, true)
    local mask = c:mask():narrow(1, 1, n)
    -- P(keep) = 1 - I: in ten classes of I, within 6 sigma
    local kept, all = {}, {}
    for k, value in ipairs(I:view(-1):tolist()) do
      local class = math.min(10, 1 + math.floor(value * 10))
      all[class] = all[class] or { n = 0, expected = 0, var = 0 }
      local a = all[class]
      a.n, a.expected, a.var = a.n + 1, a.expected + 1 - value, a.var + value * (1 - value)
      kept[class] = (kept[class] or 0) + mask:contiguous():view(-1)[k]
    end
    local classes = 0
    for class, a in pairs(all) do
      classes = classes + 1
      exact.near(kept[class], a.expected, 6 * math.sqrt(a.var) + 1e-9, "class " .. class)
    end
    assert.is_true(classes >= 4)
    -- the unit that matters most goes: I = 1 is never below a number below 1
    local most = I:argmax(2)
    for r = 1, n do assert.equal(0, mask(r, most[r])) end
  end)
end)

describe("outside of training", function()
  local function pair(mask)
    local p = exact.parameters(V, H, 76, 0.8)
    local thinned = exact.model(p, { mask = mask, dropout = 0.25, dtype = "float64" })
    local scaled = { W = {}, a = p.a, b = p.b }
    for i, row in ipairs(p.W) do
      scaled.W[i] = {}
      for j, w in ipairs(row) do scaled.W[i][j] = 0.75 * w end
    end
    return thinned, exact.model(p, { dtype = "float64" }), exact.model(scaled, { dtype = "float64" })
  end
  local v, h = lrn.tensor(exact.states(V)), lrn.tensor(exact.states(H))

  local function same(got, want)
    assert.is_true((got - want):abs():max() < 1e-14)
  end

  it("dropout goes up as it is, and down with its weights times what is kept", function()
    local m, plain, scaled = pair "dropout"
    exact.near(m:pseudo_likelihood(v), plain:pseudo_likelihood(v), 1e-12)
    same(m:hidden_mean(v), plain:hidden_mean(v))
    same((m:visible(h)), (scaled:visible(h)))
    same(m:free_energy(v), plain:free_energy(v))
    exact.near(m:log_partition(), plain:log_partition(), 1e-12)
    exact.near(m:log_likelihood(v), plain:log_likelihood(v), 1e-12)
  end)

  it("dropconnect is the model of the weights times what is kept", function()
    local m, _, scaled = pair "dropconnect"
    exact.near(m:pseudo_likelihood(v), scaled:pseudo_likelihood(v), 1e-12)
    same(m:hidden_mean(v), scaled:hidden_mean(v))
    same((m:visible(h)), (scaled:visible(h)))
    same(m:free_energy(v), scaled:free_energy(v))
    exact.near(m:log_partition(), scaled:log_partition(), 1e-12)
    exact.near(m:log_likelihood(v), scaled:log_likelihood(v), 1e-12)
  end)
end)

describe("the classes", function()
  local classes = { "DropoutRBM", "DropConnectRBM", "EDropoutRBM" }

  it("learn the digits, give features without chance, and come back from a file", function()
    local digits = lrn.data.digits()
    for _, name in ipairs(classes) do
      local m = lrn[name] { n_visible = 64, n_hidden = 30, seed = 1 }
      local before = m:reconstruct(digits)
      m:fit(digits, { epochs = 5 })
      assert.is_true(m:reconstruct(digits) < 0.8 * before, name)
      assert.is_true(m:forward(digits.data) == m:forward(digits.data), name)
      local path = os.tmpname()
      assert(m:save(path))
      local again = assert(lrn.load(path))
      os.remove(path)
      assert.equal(name, again.class)
      assert.equal(m.dropout, again.dropout)
      m:fit(digits, { epochs = 1 })
      again:fit(digits, { epochs = 1 })
      assert.is_true(m.W == again.W, name)
    end
  end)

  it("have dropout where it means something, half by default, live", function()
    assert.equal(.5, lrn.DropoutRBM().dropout)
    local m = lrn.DropConnectRBM { dropout = .2, n_visible = 4, n_hidden = 3 }
    m.dropout = .3
    assert.equal(.3, m.dropout)
    assert.matches("dropout = 0.3", tostring(m), 1, true)
    for _, name in ipairs { "RBM", "EDropoutRBM" } do
      local ok, message = pcall(lrn[name], { dropout = .5 })
      assert.is_false(ok)
      assert.matches(name .. ": unknown option 'dropout'", message, 1, true)
      assert.is_nil(lrn[name]().dropout)
      ok = pcall(function() lrn[name]().dropout = .5 end)
      assert.is_false(ok)
    end
    for _, bad in ipairs { -0.1, 1.5, 0 / 0 } do
      local ok, message = pcall(lrn.DropoutRBM, { dropout = bad })
      assert.is_false(ok)
      assert.matches("dropout: got .*, expected a number from 0 to 1", message)
    end
    local ok, message = pcall(lrn.EDropoutRBM, { persistent = 3 })
    assert.is_false(ok)
    assert.matches("persistent: got 3, expected 0: edropout is defined for CD", message, 1, true)
    ok, message = pcall(lrn.RBM, { mask = "dropout" })
    assert.is_false(ok)
    assert.matches("unknown option 'mask'", message, 1, true)
  end)
end)
