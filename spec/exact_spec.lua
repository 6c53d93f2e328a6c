-- Free energy, conditionals, log Z and the likelihoods of small models against sums over all
-- states of both layers, done here in plain Lua. Statistics at 6 sigma (2e-9), seeds fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local temperatures = { 0.5, 1, 2 }
local shapes = { { 4, 4, 11 }, { 3, 5, 12 } }
local tolerances = { float32 = 3e-6, float64 = 1e-12 }

-- f(parameters, temperature, options of the engine, tolerance, what)
local function each(f)
  for _, shape in ipairs(shapes) do
    local p = exact.parameters(table.unpack(shape))
    for _, T in ipairs(temperatures) do
      exact.everywhere(function(device, dtype)
        f(p, T, { device = device, dtype = dtype, temperature = T }, tolerances[dtype],
          ("%d x %d, T = %g, %s on %s"):format(shape[1], shape[2], T, dtype, device))
      end)
    end
  end
end

-- log sum over the states of the other layer of exp(-E / T), for each state of this one
local function summed_out(p, side, T)
  local vs, hs, out = exact.states(#p.a), exact.states(#p.b), {}
  for n, s in ipairs(side == "visible" and vs or hs) do
    local logs = {}
    for m, other in ipairs(side == "visible" and hs or vs) do
      local e = side == "visible" and exact.energy(p, s, other) or exact.energy(p, other, s)
      logs[m] = -e / T
    end
    out[n] = exact.logsumexp(logs)
  end
  return out
end

describe("an RBM of units of {0, 1}", function()
  it("has the free energy that exp(-F / T) = sum over h of exp(-E / T) says", function()
    each(function(p, T, options, tolerance, what)
      local F = exact.model(p, options):free_energy(lrn.tensor(exact.states(#p.a))):tolist()
      for n, log_sum in ipairs(summed_out(p, "visible", T)) do
        exact.near(F[n], -T * log_sum, tolerance * 16, what)
      end
    end)
  end)

  it("has as conditionals the shares of the states where a unit is 1", function()
    each(function(p, T, options, tolerance, what)
      local c = exact.model(p, options)
      for _, way in ipairs { "hidden", "visible" } do
        local given = exact.states(way == "hidden" and #p.a or #p.b)
        local sums = exact.states(way == "hidden" and #p.b or #p.a)
        local means, states = c[way](c, lrn.tensor(given))
        assert.is_true(means:isfinite():all() and (states * (states - 1)):abs():max() == 0)
        means = means:tolist()
        for n, s in ipairs(given) do
          local all, one = {}, {}
          for j = 1, #sums[1] do one[j] = 0 end
          for m, other in ipairs(sums) do
            local e = way == "hidden" and exact.energy(p, s, other) or exact.energy(p, other, s)
            all[m] = math.exp(-e / T)
            for j, value in ipairs(other) do one[j] = one[j] + value * all[m] end
          end
          local total = 0
          for _, x in ipairs(all) do total = total + x end
          for j, x in ipairs(one) do
            exact.near(means[n][j], x / total, tolerance, what .. ", " .. way)
          end
        end
      end
    end)
  end)

  it("has the log Z and the log likelihood of the enumeration", function()
    each(function(p, T, options, _, what)
      local c = exact.model(p, options)
      local logs = summed_out(p, "visible", T)
      local log_z = exact.logsumexp(logs)
      exact.near(c:log_partition(), log_z, 1e-12, what)
      exact.near(c:log_partition(), exact.logsumexp(summed_out(p, "hidden", T)), 1e-12, what)
      local rows = { 2, 3, 3, 7, 8 }
      local data, want = {}, 0
      for i, n in ipairs(rows) do
        data[i] = exact.states(#p.a)[n]
        want = want + (logs[n] - log_z) / #rows
      end
      exact.near(c:log_likelihood(lrn.tensor(data)), want, 1e-12, what)
    end)
  end)

  it("at temperature T is the one at 1 whose parameters are divided by T", function()
    each(function(p, T, options, tolerance, what)
      local hot = exact.model(p, options)
      options.temperature = 1
      local cold = exact.model(exact.divided(p, T), options)
      local v, h = lrn.tensor(exact.states(#p.a)), lrn.tensor(exact.states(#p.b))
      local function same(a, b, name)
        exact.near((a - b):abs():max(), 0, 16 * tolerance, what .. ", " .. name)
      end
      same(hot:free_energy(v) / T, cold:free_energy(v), "F")
      same((hot:hidden(v)), (cold:hidden(v)), "hidden")
      same((hot:visible(h)), (cold:visible(h)), "visible")
      exact.near(hot:log_partition(), cold:log_partition(), 1e-12, what)
      exact.near(hot:log_likelihood(v), cold:log_likelihood(v), 1e-12, what)
    end)
  end)

  it("takes uint8 as value / 255, and real inputs as they are", function()
    each(function(p, T, options, tolerance, what)
      local c = exact.model(p, options)
      local v, bytes = {}, {}
      for i = 1, #p.a do
        bytes[i] = 60 * i
        v[i] = bytes[i] / 255
      end
      local want = 0
      for i = 1, #p.a do want = want - p.a[i] * v[i] end
      for _, x in ipairs(exact.hidden_inputs(p, v)) do
        want = want - T * math.log(1 + math.exp(x / T))
      end
      exact.near(c:free_energy(lrn.tensor(bytes, { dtype = "uint8" })):item(), want,
        16 * tolerance, what)
      exact.near(c:free_energy(lrn.tensor(v, { dtype = "float64" })):item(), want,
        16 * tolerance, what)
    end)
  end)
end)

describe("pseudo_likelihood", function()
  -- V log sigmoid((F(flip_i v) - F(v)) / T) for each i
  local function terms(p, v, T)
    local function free(s)
      local logs = {}
      for m, h in ipairs(exact.states(#p.b)) do logs[m] = -exact.energy(p, s, h) / T end
      return -T * exact.logsumexp(logs)
    end
    local out = {}
    for i = 1, #v do
      local flipped = { table.unpack(v) }
      flipped[i] = 1 - v[i]
      out[i] = -#v * math.log(1 + math.exp(-(free(flipped) - free(v)) / T))
    end
    return out
  end

  it("of one row is one of the terms of its units, and every unit is drawn", function()
    each(function(p, T, options, tolerance, what)
      local c = exact.model(p, options)
      -- rounded, half to even: 0.5 becomes 0
      local rounded = { 0, 1, 1, 0 }
      local row = lrn.tensor({ 0.5, 0.75, 1, 0.25 }):narrow(1, 1, #p.a)
      local want = terms(p, { table.unpack(rounded, 1, #p.a) }, T)
      local seen = {}
      for _ = 1, 120 do -- a unit is missed with probability 4 (3/4)^120 = 4e-15
        local got, found = c:pseudo_likelihood(row), nil
        for i, w in ipairs(want) do
          if math.abs(got - w) <= 8 * tolerance * (1 + math.abs(w)) then found = i end
        end
        assert.is_truthy(found, what .. ": " .. got)
        seen[found] = true
      end
      for i in ipairs(want) do assert.is_true(seen[i], what .. ": unit " .. i) end
    end)
  end)

  it("is on average the mean over units and rows, within 6 sigma #slow", function()
    each(function(p, T, options, tolerance, what)
      local c = exact.model(p, options)
      local states, copies = exact.states(#p.a), options.device == "cpu" and 4000 or 400
      local mean, var = 0, 0
      for _, v in ipairs(states) do
        local sum, squares = 0, 0
        for _, x in ipairs(terms(p, v, T)) do sum, squares = sum + x, squares + x * x end
        mean = mean + sum / #v / #states
        var = var + (squares / #v - (sum / #v) ^ 2) / #states
      end
      local counts = {}
      for i = 1, #states do counts[i] = copies end
      local got = c:pseudo_likelihood(exact.rows_of(states, counts))
      exact.near(got, mean, 6 * math.sqrt(var / (copies * #states)) + 8 * tolerance, what)
    end)
  end)
end)

describe("a model of any two kinds of units", function()
  -- The energy summed or integrated over both hidden units of a 2 x 2 model on the product grid
  it("has the free energy that the integral over h of exp(-E / T) says #slow", function()
    local p = exact.parameters(2, 2, 21, 0.75)
    for _, hidden in ipairs(exact.units()) do
      local k = exact.kind(hidden)
      -- every 12th point, Simpson's weights anew
      local s, w, self = {}, {}, {}
      if not k.discrete then
        local step, h = 12, 12 * (k.s[2] - k.s[1])
        for i = 1, #k.s, step do
          s[#s + 1], self[#self + 1] = k.s[i], k.self[i]
          w[#w + 1] = h / 3 * ((i == 1 or i == #k.s) and 1 or #w % 2 == 1 and 4 or 2)
        end
      end
      -- states of both units, their weights and self energies
      local both = {}
      for _, state in ipairs(k.discrete and exact.states(2, hidden) or {}) do
        both[#both + 1] = { state, 1, 0 }
      end
      for i = 1, #s do
        for j = 1, #s do both[#both + 1] = { { s[i], s[j] }, w[i] * w[j], self[i] + self[j] } end
      end
      for _, visible in ipairs(exact.units()) do
        local rows = exact.kind(visible).discrete and { { 0, 0 }, { 1, 0 }, { 1, 1 } } or
          { { 0, 0.5 }, { 1.25, 2 } }
        local self_v = core.unit_map(visible, "self", lrn.tensor(rows, { dtype = "float64" }))
        self_v = self_v:sum(2):tolist()
        for _, T in ipairs(temperatures) do
          local want = {}
          for n, v in ipairs(rows) do
            local sum = 0
            for _, state in ipairs(both) do
              local e = self_v[n] + state[3] + exact.energy(p, v, state[1])
              if e < 45 * T then sum = sum + state[2] * math.exp(-e / T) end
            end
            want[n] = -T * math.log(sum)
          end
          exact.everywhere(function(device, dtype)
            local c = exact.model(p, { visible = visible, hidden = hidden, temperature = T,
              device = device, dtype = dtype })
            for n, F in ipairs(c:free_energy(lrn.tensor(rows)):tolist()) do
              exact.near(F, want[n], dtype == "float64" and 1e-6 or 5e-6,
                ("%s-%s at T = %g, %s on %s"):format(visible, hidden, T, dtype, device))
            end
          end)
        end
      end
    end
  end)

  -- Where one layer is discrete, log Z is a sum over its states of the other layer's integrals.
  it("has the log Z of its enumeration, or says that it has none", function()
    local p = exact.parameters(3, 2, 22, 0.75)
    for _, visible in ipairs(exact.units()) do
      for _, hidden in ipairs(exact.units()) do
        local side = exact.kind(visible).discrete and "visible" or
          exact.kind(hidden).discrete and "hidden"
        for _, T in ipairs(temperatures) do
          local c = exact.model(p, { visible = visible, hidden = hidden, temperature = T,
            dtype = "float64" })
          local what = visible .. "-" .. hidden .. " at T = " .. T
          if side then
            local _, _, log_z = exact.marginal(p, side, side == "visible" and visible or hidden,
              side == "visible" and hidden or visible, T)
            exact.near(c:log_partition(), log_z, 1e-8, what)
            local v = lrn.tensor { { 0, 1, 1 }, { 1, 0, 1 } }
            if exact.kind(visible).s[1] == -1 then v = v * 2 - 1 end
            exact.near(c:log_likelihood(v), -c:free_energy(v):mean() / T - log_z, 1e-8, what)
          elseif visible ~= "gaussian" or hidden ~= "gaussian" then -- these: moments_spec.lua
            local ok, message = pcall(c.log_partition, c)
            assert.is_false(ok, what)
            assert.matches("log_partition: exact only where", message)
          end
        end
      end
    end
  end)

  it("has a pseudo-likelihood only where its visible units are discrete", function()
    for _, visible in ipairs(core.units()) do
      local c = exact.model(exact.parameters(3, 2, 23, 1), { visible = visible })
      local ok, message = pcall(c.pseudo_likelihood, c, lrn.ones(2, 3))
      assert.equal(exact.kind(visible).discrete, ok)
      if not ok then assert.matches("pseudo_likelihood: not defined for " .. visible, message) end
    end
  end)
end)

-- With s = 2 v - 1 and t = 2 h - 1 the energy of spins (W, a, b) is that of {0, 1} units with
-- 4 W, 2 a - 2 W 1, 2 b - 2 1 W, and the constant  sum a + sum b - sum W  more.
describe("a model of spins", function()
  it("is one of {0, 1} units with other parameters: F, log Z, likelihood, pl", function()
    local p = exact.parameters(5, 4, 31, 0.75)
    local q, constant = { W = {}, a = {}, b = {} }, 0
    for i, row in ipairs(p.W) do
      q.W[i], q.a[i] = {}, 2 * p.a[i]
      constant = constant + p.a[i]
      for j, w in ipairs(row) do
        q.W[i][j] = 4 * w
        q.a[i] = q.a[i] - 2 * w
        q.b[j] = (q.b[j] or 2 * p.b[j]) - 2 * w
        constant = constant - w
      end
    end
    for _, b in ipairs(p.b) do constant = constant + b end
    local v = lrn.tensor(exact.states(5))
    exact.everywhere(function(device, dtype)
      for _, T in ipairs(temperatures) do
        local o = { device = device, dtype = dtype, temperature = T }
        local binary = exact.model(q, o)
        o.visible, o.hidden = "spin", "spin"
        local spins = exact.model(p, o)
        local what = ("T = %g, %s on %s"):format(T, dtype, device)
        local tolerance = dtype == "float64" and 1e-11 or 2e-4
        local F, G = spins:free_energy(v * 2 - 1):tolist(), binary:free_energy(v):tolist()
        for n = 1, #F do exact.near(F[n], G[n] + constant, tolerance, what .. ": F") end
        exact.near(spins:log_partition(), binary:log_partition() - constant / T,
          math.max(tolerance, 1e-10), what .. ": log Z")
        exact.near(spins:log_likelihood(v * 2 - 1), binary:log_likelihood(v), 20 * tolerance,
          what .. ": likelihood")
        exact.near(spins:pseudo_likelihood(v * 2 - 1), binary:pseudo_likelihood(v), tolerance,
          what .. ": pl")
      end
    end)
  end)
end)
