-- No drift: chains that start exactly distributed stay so. Start states are drawn here from the
-- enumerated (or integrated) model; after 1, 4 and 16 sweeps their joint distribution is tested by
-- chi-square at 6 sigma (1e-9 a test), means and covariances within 6 sigma. That the tests are
-- tight enough is shown with chains of a model whose visible bias is scaled by 0.9: they fail.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local sizes = { cpu = 120000 } -- chains; fewer on slower devices
local SWEEPS = { 1, 4, 16 }
local T = 0.8

local function scaled_bias(p, factor)
  local out = { W = p.W, a = {}, b = p.b }
  for i, a in ipairs(p.a) do out.a[i] = factor * a end
  return out
end

local function passes(counts, p)
  local chi, bound = exact.chi_square(counts, p), exact.chi_square_bound(#p - 1)
  return chi < bound, ("chi-square %.5g, bound %.5g"):format(chi, bound)
end

-- f(visible, hidden, name) for pairs where the layer of this side is discrete
local function pairs_with(side, f)
  for _, one in ipairs(exact.units()) do
    for _, other in ipairs(exact.units()) do
      if exact.kind(one).discrete then
        local visible, hidden = side == "visible" and one or other,
          side == "visible" and other or one
        f(visible, hidden, visible .. "-" .. hidden)
      end
    end
  end
end

local function options_for(visible, hidden, device, dtype)
  return { visible = visible, hidden = hidden, device = device, dtype = dtype, temperature = T,
    learning_rate = 0 }
end

-- Where and in what the chains run: everything for the first pair, float32 on the CPU for others.
local function places(first, f)
  if first then
    exact.everywhere(f)
  else
    f("cpu", "float32")
  end
end

-- Weights of a size at which a real-valued other layer still mixes and has a density; visible
-- biases that a factor of 0.9 shows on.
local function model_for(V, H, seed, own, other, visible)
  local spins = exact.kind(own).s[1] == -1 and exact.kind(other).s[1] == -1
  local p = exact.parameters(V, H, seed, exact.kind(other).discrete and 1.5 or 0.5, 1)
  local size = exact.kind(visible).grouped and 0.5 or 1 -- what counts is the difference in a group
  for i = 1, V do p.a[i] = (i % 2 == 0 and -1 or 1) * size * (1.5 + math.abs(p.a[i])) end
  return spins and exact.divided(p, 2) or p -- half of that turns a spin as much
end

-- N rows drawn from `prob` over the states
local function start_rows(states, prob, N, seed, options)
  return exact.rows_of(states, exact.draw_counts(prob, N, exact.uniform(seed)), options)
end

describe("chains over discrete visible units", function()
  it("that start from the model stay there, and leave where a bias is scaled by 0.9 #slow", function()
    local first = true
    pairs_with("visible", function(visible, hidden, name)
      local p = model_for(4, 3, 61, visible, hidden, visible)
      local prob, states = exact.marginal(p, "visible", visible, hidden, T)
      places(first, function(device, dtype)
        local N = sizes[device] or 6000
        local start = start_rows(states, prob, N, 62)
        local c = exact.model(p, options_for(visible, hidden, device, dtype))
        for _, sweeps in ipairs(SWEEPS) do
          local mean, state = c:sample(N, sweeps, start)
          local ok, text = passes(exact.count_states(state, visible), prob)
          local what = ("%s, %d sweeps, %s on %s: "):format(name, sweeps, dtype, device)
          assert.is_true(ok, what .. text)
          -- the means of the last sweep have the mean of the model as well
          local want = {}
          for n, s in ipairs(states) do
            for i, value in ipairs(s) do want[i] = (want[i] or 0) + prob[n] * value end
          end
          for i, value in ipairs(mean:to { device = "cpu", dtype = "float64" }:mean(1):tolist()) do
            exact.near(value, want[i], 6 * 0.5 / math.sqrt(N), what .. "mean " .. i)
          end
        end
        local biased = exact.model(scaled_bias(p, 0.9),
          options_for(visible, hidden, device, dtype))
        if device == "cpu" then
          for _, sweeps in ipairs(SWEEPS) do
            local _, state = biased:sample(N, sweeps, start)
            local ok, text = passes(exact.count_states(state, visible), prob)
            assert.is_false(ok, name .. ", biased, " .. sweeps .. " sweeps: " .. text)
          end
        end
      end)
      first = false
    end)
  end)

  -- The negative states of CD-k when the data are the model's; and the joint distribution with the
  -- hidden states of gibbs
  it("stay there in training and in gibbs, with the joint distribution of v and h", function()
    for _, unit in ipairs(exact.units()) do
      if exact.kind(unit).discrete then
        -- a chi-square needs states that occur: energies of spins differ four times as much
        local p = exact.parameters(4, 3, 63, exact.kind(unit).s[1] == 0 and 1.5 or 0.5)
        local prob, states = exact.marginal(p, "visible", unit, unit, T)
        local N = sizes.cpu
        local start = start_rows(states, prob, N, 64)
        local c = exact.model(p, options_for(unit, unit, "cpu", "float32"))
        start = start:to { dtype = "float32" }
        c:reserve(N, true)
        for _, k in ipairs(SWEEPS) do
          c:set("steps", k)
          c:step(start, nil, 1, N)
          local ok, text = passes(exact.count_states(c:negative(), unit), prob)
          assert.is_true(ok, "CD-" .. k .. ": " .. text)
        end
        -- joint
        local logs = {}
        for _, h in ipairs(exact.states(3, unit)) do
          for _, v in ipairs(states) do logs[#logs + 1] = -exact.energy(p, v, h) / T end
        end
        local log_z = exact.logsumexp(logs)
        for n, x in ipairs(logs) do logs[n] = math.exp(x - log_z) end
        for _, k in ipairs { 1, 4 } do
          c:set("steps", k)
          local _, sh, _, th, vk = c:gibbs(start)
          local ok, text = passes(exact.count_pairs(start, unit, sh, unit), logs)
          assert.is_true(ok, "gibbs, start: " .. text)
          ok, text = passes(exact.count_pairs(vk, unit, th, unit), logs)
          assert.is_true(ok, "gibbs, " .. k .. " sweeps: " .. text)
        end
      end
    end
  end)
end)

describe("persistent chains of discrete hidden units", function()
  it("that start from the model stay there, and leave where a bias is scaled by 0.9 #slow", function()
    local first = true
    pairs_with("hidden", function(visible, hidden, name)
      local p = model_for(4, 3, 65, hidden, visible, visible)
      local prob, states = exact.marginal(p, "hidden", hidden, visible, T)
      -- mean and covariance of the visible units over the mixture
      local mean, second = {}, {}
      local discrete = exact.kind(visible).discrete
      for i = 1, 4 do mean[i], second[i] = 0, { 0, 0, 0, 0 } end
      for n, h in ipairs(states) do
        local m, var = exact.layer_moments(visible, exact.visible_inputs(p, h), T)
        for i = 1, 4 do
          mean[i] = mean[i] + prob[n] * m[i]
          for j = 1, 4 do
            second[i][j] = second[i][j] + prob[n] * (m[i] * m[j] + var[i][j])
          end
        end
      end
      places(first, function(device, dtype)
        local P = sizes[device] or 6000
        local start = start_rows(states, prob, P, 66, { dtype = dtype })
        local data = lrn.zeros(1, 4, { dtype = dtype, device = device })
        local function chain_of(parameters, sweeps)
          local o = options_for(visible, hidden, device, dtype)
          o.persistent, o.steps = P, sweeps
          local c = exact.model(parameters, o)
          c:reserve(1, true)
          c:chain():copy_(start)
          assert.is_nil((c:step(data, nil, 1, 1)))
          return c
        end
        for _, sweeps in ipairs(SWEEPS) do
          local c = chain_of(p, sweeps)
          local what = ("%s, PCD-%d, %s on %s: "):format(name, sweeps, dtype, device)
          local ok, text = passes(exact.count_states(c:chain(), hidden), prob)
          assert.is_true(ok, what .. text)
          local v = c:negative():to { device = "cpu", dtype = "float64" }
          for i = 1, 4 do
            local vi = v:select(2, i)
            exact.near(vi:mean(), mean[i], 6 * vi:std() / math.sqrt(P), what .. "mean " .. i)
            for j = 1, i do
              local product = vi * v:select(2, j)
              -- and 36 / P: a rare product that did not occur has no spread either
              exact.near(product:mean(), second[i][j], 6 * product:std() / math.sqrt(P) + 36 / P,
                what .. "moment " .. i .. j)
            end
          end
          if discrete then
            local joint = exact.marginal(p, "visible", visible, hidden, T)
            ok, text = passes(exact.count_states(c:negative(), visible), joint)
            assert.is_true(ok, what .. text)
          end
          if device == "cpu" then
            ok, text = passes(exact.count_states(chain_of(scaled_bias(p, 0.9), sweeps):chain(),
              hidden), prob)
            assert.is_false(ok, what .. "biased: " .. text)
          end
        end
      end)
      first = false
    end)
  end)

  -- Two steps of PCD-k go on where the first ended: with learning rate 0, 4 x PCD-1 is as far as
  -- PCD-4 from a start that is far away.
  it("carry on from step to step", function()
    local p = exact.parameters(4, 3, 67, 1.5)
    local prob, states = exact.marginal(p, "hidden", "bernoulli", "bernoulli", T)
    local P = sizes.cpu
    local o = options_for("bernoulli", "bernoulli", "cpu", "float32")
    o.persistent = P
    local c = exact.model(p, o)
    local data = lrn.zeros(1, 4)
    c:reserve(1, true)
    c:chain():fill_(1)
    -- the exact distribution after n sweeps from all ones
    local at = {}
    for n in ipairs(states) do at[n] = n == #states and 1 or 0 end
    local function sig(x) return 1 / (1 + math.exp(-x / T)) end
    local function chance(s, inputs)
      local q = 1
      for j, x in ipairs(inputs) do q = q * (s[j] == 1 and sig(x) or 1 - sig(x)) end
      return q
    end
    for sweep = 1, 4 do
      local v_prob, next_prob = {}, {}
      for n, v in ipairs(exact.states(4)) do
        v_prob[n] = 0
        for m, h in ipairs(states) do
          v_prob[n] = v_prob[n] + at[m] * chance(v, exact.visible_inputs(p, h))
        end
      end
      for m, h in ipairs(states) do
        next_prob[m] = 0
        for n, v in ipairs(exact.states(4)) do
          next_prob[m] = next_prob[m] + v_prob[n] * chance(h, exact.hidden_inputs(p, v))
        end
      end
      at = next_prob
      c:step(data, nil, 1, 1)
      local ok, text = passes(exact.count_states(c:chain()), at)
      assert.is_true(ok, "sweep " .. sweep .. ": " .. text)
      if sweep == 1 then assert.is_false((passes(exact.count_states(c:chain()), prob))) end
    end
  end)
end)

describe("chains of one visible and one hidden unit of any kinds", function()
  -- p(v) integrated over h on the grid of v; 24 cells of about the same probability
  it("that start from the model's density stay there #slow", function()
    local N = 100000
    local p = { W = { { 0.375 } }, a = { 0.75 }, b = { -0.25 } }
    for _, visible in ipairs(exact.units(false)) do
      for _, hidden in ipairs(exact.units(false)) do
        local k = exact.kind(visible)
        local logs, points = {}, {}
        local step = k.discrete and 1 or 5
        for n = 1, #k.s, step do
          local s = k.s[n]
          points[#points + 1] = s
          logs[#points] = -math.huge
          if math.abs(s) <= 9 then
            logs[#points] = (p.a[1] * s - k.self[n] +
              exact.cumulant(hidden, p.b[1] + p.W[1][1] * s, T)) / T
          end
        end
        local half = not k.discrete and 0.5 or 1 -- of the mass at an end of the half line
        local total = exact.logsumexp(logs)
        local prob = {}
        for n, x in ipairs(logs) do prob[n] = math.exp(x - total) end
        if k.s[1] == 0 and not k.discrete then
          local rest = 1 - half * prob[1]
          prob[1] = half * prob[1]
          for n = 1, #prob do prob[n] = prob[n] / rest end
        end
        -- a draw: a grid point, and for real states a place within its cell
        local h = k.discrete and 0 or points[2] - points[1]
        local u = exact.uniform(68)
        local rows = {}
        for n, count in ipairs(exact.draw_counts(prob, N, u)) do
          for _ = 1, count do
            local s = points[n] + h * (u() - 0.5)
            rows[#rows + 1] = s < 0 and k.s[1] == 0 and -s or s
          end
        end
        local start = lrn.tensor(rows, { dtype = "float64" }):reshape(N, 1)
        local function check(factor, sweeps)
          local c = exact.model(scaled_bias(p, factor), options_for(visible, hidden, "cpu",
            "float64"))
          local _, state = c:sample(N, sweeps, start)
          local cells, counts, sum, below = {}, {}, 0, 0
          for n, s in ipairs(points) do
            sum = sum + prob[n]
            if (sum > 1 / 24) or n == #points or k.discrete then
              local upto = state:le(n == #points and math.huge or s + h / 2):sum()
              cells[#cells + 1], counts[#counts + 1] = sum, upto - below
              below, sum = upto, 0
            end
          end
          return passes(counts, cells)
        end
        for _, sweeps in ipairs(SWEEPS) do
          local ok, text = check(1, sweeps)
          assert.is_true(ok, ("%s-%s, %d sweeps: %s"):format(visible, hidden, sweeps, text))
        end
        local ok, text = check(0.8, 16)
        assert.is_false(ok, ("%s-%s, biased: %s"):format(visible, hidden, text))
      end
    end
  end)
end)

describe("chains with some visible units held, at a temperature that is not the model's", function()
  -- P(h | held) by enumeration of h, the free units summed or integrated out; exact start rows: h from it, then v
  -- given h. After the sweeps h is drawn once more, jointly with v: both are tested where v can be listed.
  it("stay in the conditional distribution, jointly, and leave it where a bias is scaled by 0.7", function()
    for _, visible in ipairs(exact.units()) do
      for _, device in ipairs(exact.devices()) do
        local N = device == "cpu" and 60000 or 3000
        local discrete = exact.kind(visible).discrete
        local p = model_for(4, 3, 77, "bernoulli", visible, visible)
        local held = exact.state_near(visible, { 0.5, -0.5, 0.25, 1 })
        local function free_inputs(h)
          local u = exact.visible_inputs(p, h)
          return { u[3], u[4] }
        end
        local hs, logs = exact.states(3), {}
        for n, h in ipairs(hs) do
          logs[n] = exact.layer_cumulant(visible, free_inputs(h), T) / T
          for j, s in ipairs(h) do
            logs[n] = logs[n] + s * (p.b[j] + held[1] * p.W[1][j] + held[2] * p.W[2][j]) / T
          end
        end
        local log_z, prob = exact.logsumexp(logs), {}
        for n, x in ipairs(logs) do prob[n] = math.exp(x - log_z) end
        local mask = lrn.tensor({ 1, 1, 0, 0 }, { device = device })
        local values = lrn.tensor({ held[1], held[2], 0 / 0, 0 / 0 }, { device = device })
        local options = { visible = visible, device = device, dtype = "float32", temperature = T }
        local h0 = exact.rows_of(hs, exact.draw_counts(prob, N, exact.uniform(78)), { dtype = "float32" })
        local c = exact.model(p, options)
        c:reserve(512, false)
        local _, start = c:visible(h0:to { device = device })
        local warm = exact.model(p, { visible = visible, device = device, dtype = "float32", temperature = 3,
          seed = 6 }) -- draws of its own
        for _, sweeps in ipairs { 1, 4 } do
          local _, v = warm:sample(N, sweeps, start, nil, { mask = mask, values = values, temperature = T })
          local _, h = c:hidden(v)
          local what = ("%s on %s, %d sweeps: "):format(visible, device, sweeps)
          local ok, text = passes(exact.count_states(h), prob)
          assert.is_true(ok, what .. text)
          if discrete then
            local wants, joint, counts = {}, {}, exact.count_pairs(v, visible, h, "bernoulli")
            local vs, at, total = exact.states(4, visible), 0, 0
            for _, y in ipairs(hs) do
              for _, x in ipairs(vs) do
                at = at + 1
                if x[1] == held[1] and x[2] == held[2] then
                  wants[#wants + 1] = math.exp(-exact.energy(p, x, y) / T)
                  joint[#joint + 1] = counts[at]
                  total = total + wants[#wants]
                else
                  assert.equal(0, counts[at], what .. "a held unit moved")
                end
              end
            end
            for n in ipairs(wants) do wants[n] = wants[n] / total end
            ok, text = passes(joint, wants)
            assert.is_true(ok, what .. "jointly: " .. text)
          end
        end
        if device == "cpu" then
          local biased = exact.model(scaled_bias(p, 0.7), options)
          local _, v = biased:sample(N, 4, start, nil, { mask = mask, values = values })
          assert.is_false((passes(exact.count_states((select(2, c:hidden(v)))), prob)), visible .. ", biased")
        end
      end
    end
  end)
end)
