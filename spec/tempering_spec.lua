-- Parallel tempering: every rung keeps its distribution, rungs stay independent of each other, the ladder
-- adapts, and all of it is saved. Chains start from exact samples of enumerated models; bounds are 6 sigma
-- (1e-9 a test).
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local T = 0.8
local R = 4
local sizes = { cpu = 20000 } -- chains; fewer on slower devices
-- the sanitizers look for other faults than statistics do
local sanitized = (os.getenv "LRN_SANITIZED" or "") ~= ""

-- The parameters of the rung at beta.
local function at(p, base, beta)
  local out = { W = {}, a = {}, b = {} }
  for i, row in ipairs(p.W) do
    out.W[i], out.a[i] = {}, base[i] + beta * (p.a[i] - base[i])
    for j, w in ipairs(row) do out.W[i][j] = beta * w end
  end
  for j, b in ipairs(p.b) do out.b[j] = beta * b end
  return out
end

local function passes(counts, p)
  local chi, bound = exact.chi_square(counts, p), exact.chi_square_bound(#p - 1)
  return chi < bound, ("chi-square %.5g, bound %.5g"):format(chi, bound)
end

-- Units whose energies differ by more (spins) or that share a state get smaller weights.
local function parameters_for(visible, hidden, seed)
  local discrete = exact.kind(visible).discrete and exact.kind(hidden).discrete
  local p = exact.parameters(4, 3 + (exact.kind(hidden).grouped and 1 or 0), seed, discrete and 1.5 or 0.5, 0.75)
  local spins = (exact.kind(visible).s[1] == -1 and 1 or 0) + (exact.kind(hidden).s[1] == -1 and 1 or 0)
  return spins > 0 and exact.divided(p, spins == 2 and 3 or 2) or p
end

local function discrete_units()
  local out = {}
  for _, unit in ipairs(exact.units()) do
    if exact.kind(unit).discrete then out[#out + 1] = unit end
  end
  return out
end

-- A model with P persistent chains of R rungs, each of which is exactly distributed.
local function tempered(p, visible, hidden, device, dtype, P, sweeps)
  local c = exact.model(p, { visible = visible, hidden = hidden, device = device, dtype = dtype,
    temperature = T, learning_rate = 0, persistent = P, replicas = R, steps = sweeps })
  c:reserve(1, true)
  -- what the ladder ends at: the biases of some data
  local data = core.unit_sample(visible, lrn.linspace(-1, 1, 40 * 4):reshape(40, 2, 2), 1, 7)
  assert(c:prepare(data:reshape(40, 4)) == nil)
  local beta, _, base = c:ladder()
  local rungs = {}
  for r = 1, R do
    local q = at(p, base:tolist(), beta[r])
    local prob, states = exact.marginal(q, "hidden", hidden, visible, T)
    local rows = exact.rows_of(states, exact.draw_counts(prob, P, exact.uniform(70 + r)), { dtype = dtype })
    -- in an order that no other rung has
    rows = rows:index_select(1, core.permutation(P, 9, r))
    c:chain():narrow(1, (r - 1) * P + 1, P):copy_(rows)
    rungs[r] = { p = q, prob = prob }
  end
  return c, rungs, beta
end

local function joint(p, visible, hidden)
  local logs = {}
  for _, h in ipairs(exact.states(#p.b, hidden)) do
    for _, v in ipairs(exact.states(#p.a, visible)) do logs[#logs + 1] = -exact.energy(p, v, h) / T end
  end
  local log_z = exact.logsumexp(logs)
  for n, x in ipairs(logs) do logs[n] = math.exp(x - log_z) end
  return logs
end

describe("persistent chains with replicas", function()
  it("keep the distribution of every rung, and the rungs independent #slow", function()
    local first = true
    for _, hidden in ipairs(discrete_units()) do
      for _, visible in ipairs(exact.units()) do
        local function run(device, dtype)
          local P = sanitized and 500 or sizes[device] or 1000
          local p = parameters_for(visible, hidden, 71)
          local data = lrn.zeros(1, 4, { dtype = dtype, device = device })
          for _, sweeps in ipairs { 1, 5 } do
            local c, rungs = tempered(p, visible, hidden, device, dtype, P, sweeps)
            assert.is_nil((c:step(data, nil, 1, 1)))
            local what = ("%s-%s, %d sweeps, %s on %s: "):format(visible, hidden, sweeps, dtype, device)
            for r = 1, R do
              local h = c:chain():narrow(1, (r - 1) * P + 1, P)
              local ok, text = passes(exact.count_states(h, hidden), rungs[r].prob)
              assert.is_true(ok, what .. "rung " .. r .. ": " .. text)
              if r < R then
                local both = {}
                for _, y in ipairs(rungs[r + 1].prob) do
                  for _, x in ipairs(rungs[r].prob) do both[#both + 1] = x * y end
                end
                ok, text = passes(exact.count_pairs(h, hidden, c:chain():narrow(1, r * P + 1, P), hidden), both)
                assert.is_true(ok, what .. "rungs " .. r .. ", " .. r + 1 .. ": " .. text)
              end
            end
            -- the negative phase and the hidden states: jointly the model's
            if exact.kind(visible).discrete then
              local ok, text = passes(exact.count_pairs(c:negative(), visible, c:chain():narrow(1, 1, P), hidden),
                joint(p, visible, hidden))
              assert.is_true(ok, what .. "jointly: " .. text)
            end
            local _, rates = c:ladder()
            assert.is_true(rates[1] > 0.01 and rates[1] < 0.999, what .. "rate " .. rates[1])
          end
        end
        if first then exact.everywhere(run) else run("cpu", "float32") end
        first = false
      end
    end
  end)

  it("are told from those of a beta that is 0.1 off: the tests are tight enough", function()
    local p = parameters_for("bernoulli", "bernoulli", 71)
    local P = sizes.cpu
    local c, rungs, beta = tempered(p, "bernoulli", "bernoulli", "cpu", "float32", P, 1)
    local _, _, base = c:ladder()
    c:step(lrn.zeros(1, 4), nil, 1, 1)
    for r = 1, R do
      local counts = exact.count_states(c:chain():narrow(1, (r - 1) * P + 1, P))
      local near = exact.marginal(at(p, base:tolist(), beta[r] < 0.5 and beta[r] + 0.1 or beta[r] - 0.1),
        "hidden", "bernoulli", "bernoulli", T)
      assert.is_true((passes(counts, rungs[r].prob)))
      assert.is_false((passes(counts, near)))
    end
  end)

  -- Two rows a pair, everything else equal: the acceptance is min(1, exp(g)) with g of free energies, which
  -- another part of the engine computes.
  it("swap as often as the free energies say", function()
    for _, visible in ipairs(exact.units()) do
      local p = parameters_for(visible, "bernoulli", 72)
      local P = 500
      local c, _, beta = tempered(p, visible, "bernoulli", "cpu", "float64", P, 1)
      local _, _, base = c:ladder()
      local before = c:chain():clone()
      local v = {}
      c:step(lrn.zeros(1, 4, { dtype = "float64" }), nil, 1, 1)
      local _, rates = c:ladder()
      local want = 0
      for r = 1, 2 do
        local rung = exact.model(at(p, base:tolist(), beta[r]), { visible = visible, dtype = "float64",
          temperature = T, seed = 80 + r })
        -- its draws are others than those of the step: what agrees are means over chains
        rung:reserve(P, false)
        v[r] = select(2, rung:visible(before:narrow(1, (r - 1) * P + 1, P)))
      end
      local F = {}
      for r = 1, 2 do
        local rung = exact.model(at(p, base:tolist(), beta[r]), { visible = visible, dtype = "float64",
          temperature = T })
        rung:reserve(P, false)
        F[r] = { rung:free_energy(v[1]), rung:free_energy(v[2]) }
      end
      local g = (F[1][1] + F[2][2] - F[1][2] - F[2][1]) / T
      local accept = g:clamp(-1e9, 0):exp()
      want = accept:mean()
      exact.near(rates[1], want, 8 * accept:std() / math.sqrt(P), visible)
    end
  end)
end)

describe("sampling with replicas", function()
  it("has the model's distribution, jointly, clamped and at a temperature #slow", function()
    for _, visible in ipairs(discrete_units()) do
      for _, device in ipairs(visible == "bernoulli" and exact.devices() or { "cpu" }) do
        local N = sanitized and 500 or device == "cpu" and 40000 or 1000
        local p = parameters_for(visible, visible, 73)
        local options = { visible = visible, hidden = visible, device = device, temperature = 2 }
        local hot = lrn.tensor({ 0.25, -0.5, 0.5, 0.25 }, { dtype = "float64" })
        local prob, states = exact.marginal(p, "visible", visible, visible, T)
        local _, v, rates, beta = exact.model(p, options):sample(N, 9, nil, nil,
          { burn = 70, temperature = T, replicas = R, hot = hot })
        local ok, text = passes(exact.count_states(v, visible), prob)
        assert.is_true(ok, visible .. " on " .. device .. ": " .. text)
        assert.equal(R - 1, #rates)
        assert.is_true(beta[1] == 1 and beta[R] == 0)
        -- held units: the conditional distribution
        local mask, held = lrn.tensor{ 1, 1, 0, 0 }, states[2]
        local _, w = exact.model(p, options):sample(N, 9, nil, nil,
          { burn = 70, temperature = T, replicas = R, hot = hot, mask = mask, values = lrn.tensor(held) })
        local some, total = {}, 0
        for n, s in ipairs(states) do
          local fits = s[1] == held[1] and s[2] == held[2]
          some[n] = fits and prob[n] or 0
          total = total + some[n]
        end
        local counts, kept, want = exact.count_states(w, visible), {}, {}
        for n, x in ipairs(some) do
          if x > 0 then
            kept[#kept + 1], want[#want + 1] = counts[n], x / total
          else
            assert.equal(0, counts[n])
          end
        end
        ok, text = passes(kept, want)
        assert.is_true(ok, visible .. " clamped: " .. text)
      end
    end
  end)
end)
