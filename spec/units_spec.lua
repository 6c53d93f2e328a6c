-- The rows of kernel/unit.def, none of them named: cumulant, mean and samples against sums and
-- integrals over the states. (softmax_spec.lua has the units that come in groups.) Statistics at 6 sigma (2e-9 each), seeds fixed.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local temperatures = { 0.5, 1, 2 }
local inputs = { -6, -3.25, -1, -0.5, 0, 0.25, 0.75, 2, 4.5, 6 }

local function map(unit, part, x, T, options)
  return core.unit_map(unit, part, lrn.tensor(x, options or { dtype = "float64" }), T):tolist()
end

-- Of rows with a density; of all where `all`. Units in groups: softmax_spec.lua.
local function each(f, all)
  for _, unit in ipairs(exact.units(false, all)) do
    for _, T in ipairs(temperatures) do f(unit, T, unit .. " at T = " .. T) end
  end
end

describe("every unit", function()
  it("has as mean the derivative of its cumulant", function()
    local h = 1e-4
    local plus, minus, between = {}, {}, {}
    for i, x in ipairs(inputs) do
      between[i] = x == 0 and 0.01 or x -- a mean may have a kink at 0
      plus[i], minus[i] = between[i] + h, between[i] - h
    end
    each(function(unit, T, what)
      local a, b = map(unit, "cumulant", plus, T), map(unit, "cumulant", minus, T)
      for i, mean in ipairs(map(unit, "mean", between, T)) do
        exact.near(mean, (a[i] - b[i]) / (2 * h), 2e-7, what .. ", x = " .. inputs[i])
      end
    end, true)
  end)

  it("has as cumulant T log of the sum or integral of exp((x s - self(s)) / T)", function()
    each(function(unit, T, what)
      local A, mean = map(unit, "cumulant", inputs, T), map(unit, "mean", inputs, T)
      for i, x in ipairs(inputs) do
        local want = exact.cumulant(unit, x, T)
        exact.near(A[i], want, 1e-8 * (1 + x * x), what .. ", cumulant, x = " .. x)
        exact.near(mean[i], (exact.moments(unit, x, T)), 1e-8 * (1 + x * x),
          what .. ", mean, x = " .. x)
      end
    end)
  end)

  it("has a self energy of 0 or s^2 / 2 that no temperature changes", function()
    each(function(unit, T, what)
      local k = exact.kind(unit)
      local states = k.discrete and k.s or { 0, 0.5, 1, 3 }
      for i, e in ipairs(map(unit, "self", states, T)) do
        assert.equal(k.discrete and 0 or states[i] ^ 2 / 2, e, what)
      end
    end)
  end)

  -- float: 8 bits below its precision over the size of the terms
  it("gives in float32, and on each device, what it gives in float64 on the CPU", function()
    each(function(unit, T, what)
      for _, part in ipairs { "self", "cumulant", "mean" } do
        local want = map(unit, part, inputs, T)
        exact.everywhere(function(device, dtype)
          local got = map(unit, part, inputs, T, { dtype = dtype, device = device })
          for i, x in ipairs(inputs) do
            local tolerance = dtype == "float64" and 0 or 2 ^ -21 * (1 + x * x)
            exact.near(got[i], want[i], tolerance, ("%s, %s of %g, %s on %s"):format(what, part, x,
              dtype, device))
          end
        end)
      end
    end, true)
  end)

  -- With s = T s' where self is 0, s = sqrt(T) s' where it is quadratic.
  it("at T is itself at 1 with another input", function()
    each(function(unit, T, what)
      local discrete = exact.kind(unit).discrete
      local f = discrete and T or math.sqrt(T)
      local scaled = {}
      for i, x in ipairs(inputs) do scaled[i] = x / f end
      local A, A1 = map(unit, "cumulant", inputs, T), map(unit, "cumulant", scaled, 1)
      local mean, mean1 = map(unit, "mean", inputs, T), map(unit, "mean", scaled, 1)
      for i, x in ipairs(inputs) do
        local tolerance = 1e-13 * (1 + x * x)
        if discrete then
          exact.near(A[i], T * A1[i], tolerance, what)
          exact.near(mean[i], mean1[i], tolerance, what)
        else
          exact.near(A[i], T * (A1[i] + 0.5 * math.log(T)), tolerance, what)
          exact.near(mean[i], f * mean1[i], tolerance, what)
        end
      end
    end)
  end)

  it("draws at T what it draws at 1, bit for bit where the factors are powers of 2", function()
    for _, unit in ipairs(exact.units(false)) do
      exact.everywhere(function(device, dtype)
        for _, T in ipairs { 0.25, 4 } do
          local f = exact.kind(unit).discrete and T or math.sqrt(T)
          local x = lrn.linspace(-4, 4, 1000, { dtype = dtype, device = device })
          local hot, cold = core.unit_sample(unit, x, T, 9), core.unit_sample(unit, x / f, 1, 9)
          if not exact.kind(unit).discrete then cold = cold * f end
          assert.is_true(hot == cold, unit .. " at T = " .. T .. ", " .. dtype .. " on " .. device)
        end
      end)
    end
  end)
end)

describe("a sample of every unit", function()
  local sizes = { cpu = 200000 }

  it("has the mean and the variance of the density, within 6 sigma #slow", function()
    each(function(unit, T, what)
      exact.everywhere(function(device, dtype)
        local N = sizes[device] or 20000
        for seed, x in ipairs { -4, -0.5, 0, 1.75 } do
          local s = core.unit_sample(unit, lrn.full({ N }, x, { dtype = dtype, device = device }),
            T, 100 + seed):to { dtype = "float64", device = "cpu" }
          local mean, var, fourth = exact.moments(unit, x, T)
          local where = ("%s, x = %g, %s on %s"):format(what, x, dtype, device)
          exact.near(s:mean(), mean, 6 * math.sqrt(var / N), where .. ", mean")
          -- about the true mean: an unbiased estimate of var with this variance
          exact.near(((s - mean) ^ 2):mean(), var, 6 * math.sqrt((fourth - var ^ 2) / N),
            where .. ", variance")
        end
      end)
    end)
  end)

  -- 16 cells of about the same probability, or the states; chi-square at 6 sigma
  it("is distributed as the density says", function()
    local N = 100000
    each(function(unit, T, what)
      for seed, x in ipairs { -3, 0.5, 2 } do
        local k, p = exact.kind(unit), exact.density(unit, x, T)
        local s = core.unit_sample(unit, lrn.full({ N }, x, { dtype = "float64" }), T, 200 + seed)
        local counts, cells = {}, {}
        if k.discrete then
          cells = p
          for i, state in ipairs(k.s) do counts[i] = s:eq(state):sum() end
        else
          -- cell edges half-way between grid points, where the trapezoid rule sums the density
          local h = k.s[2] - k.s[1]
          local sum, below = 0, 0
          for i, state in ipairs(k.s) do
            local density = p[i] / k.w[i] * h * ((i == 1 or i == #k.s) and 0.5 or 1)
            sum = sum + density
            if (sum > 1 / 16 and #cells < 15) or i == #k.s then
              local edge = i == #k.s and math.huge or state + h / 2
              local upto = s:le(edge):sum()
              cells[#cells + 1], counts[#counts + 1] = sum, upto - below
              below, sum = upto, 0
            end
          end
        end
        assert.equal(N, (function() local n = 0 for _, c in ipairs(counts) do n = n + c end
          return n end)())
        local chi, bound = exact.chi_square(counts, cells), exact.chi_square_bound(#cells - 1)
        assert.is_true(chi < bound, ("%s, x = %g: chi-square %.4g, bound %.4g"):format(what, x, chi,
          bound))
      end
    end)
  end)

  it("is never outside of the states", function()
    for _, unit in ipairs(exact.units(false)) do
      local k = exact.kind(unit)
      exact.everywhere(function(device, dtype)
        local x = lrn.linspace(-60, 60, 4000, { dtype = dtype, device = device })
        for _, T in ipairs { 0.01, 1, 50 } do
          local s = core.unit_sample(unit, x, T, 4)
          assert.is_true(s:isfinite():all(), unit)
          if k.discrete then
            assert.is_true(((s - k.s[1]) * (s - k.s[2])):abs():max() == 0, unit)
          elseif k.s[1] == 0 then
            assert.is_true(s:min() >= 0, unit)
          end
          assert.is_true(core.unit_map(unit, "mean", x, T):isfinite():all(), unit)
          assert.is_true(core.unit_map(unit, "cumulant", x, T):isfinite():all(), unit)
        end
      end)
    end
  end)
end)
