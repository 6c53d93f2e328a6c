-- Reductions: exact references, every subset of dimensions against a model in plain Lua, NaN and
-- empty cases, and one shape of summation for all threads, layouts and devices (numerics.md,
-- "Sums").
local lrn = require "lrn"
local plain = dofile "spec/support/plain.lua"
local bits = dofile "spec/support/bits.lua"
local raises = plain.raises

local huge, nan = math.huge, 0 / 0
local function r32(x) return (string.unpack("<f", string.pack("<f", x))) end

-- The exact sum, rounded once (Shewchuk 1997).
local function exact_sum(list)
  local partials = {}
  for _, x in ipairs(list) do
    local n = 0
    for i = 1, #partials do
      local y = partials[i]
      if math.abs(x) < math.abs(y) then x, y = y, x end
      local high = x + y
      local low = y - (high - x)
      if low ~= 0 then
        n = n + 1
        partials[n] = low
      end
      x = high
    end
    for i = #partials, n + 2, -1 do partials[i] = nil end
    partials[n + 1] = x
  end
  local total = 0.0
  for i = #partials, 1, -1 do total = total + partials[i] end
  return total
end

local function near(got, want, relative)
  if want ~= want then return assert(got ~= got, ("%s, expected NaN"):format(got)) end
  if got == want then return end
  if math.abs(got - want) > relative * math.abs(want) then
    error(("%s, expected %s"):format(got, want), 2)
  end
end

-- What each reduction makes of a list of numbers (booleans as 0 and 1).
local models = {}
function models.sum(list, float) return float and exact_sum(list) or (function()
  local s = 0
  for _, x in ipairs(list) do s = s + x end
  return s
end)() end
function models.mean(list) return exact_sum(list) / #list end
function models.var(list, _, correction)
  local m, s = models.mean(list), {}
  for i, x in ipairs(list) do s[i] = (x - m) ^ 2 end
  return exact_sum(s) / math.max(#list - (correction or 1), 0)
end
function models.std(list) return math.sqrt(models.var(list)) end
function models.norm(list)
  local s = {}
  for i, x in ipairs(list) do s[i] = x * x + 0.0 end
  return math.sqrt(exact_sum(s))
end
function models.max(list) return math.max(table.unpack(list)) end
function models.min(list) return math.min(table.unpack(list)) end
function models.logsumexp(list)
  local m, s = models.max(list), {}
  for i, x in ipairs(list) do s[i] = math.exp(x - m) end
  return m + math.log(exact_sum(s))
end
function models.count_nonzero(list)
  local n = 0
  for _, x in ipairs(list) do if x ~= 0 then n = n + 1 end end
  return n
end
function models.any(list) return models.count_nonzero(list) > 0 end
function models.all(list) return models.count_nonzero(list) == #list end

local result_dtype = {
  sum = function(d) return d:find "float" and d or "int64" end,
  count_nonzero = function() return "int64" end,
  any = function() return "bool" end, all = function() return "bool" end,
  max = function(d) return d end, min = function(d) return d end,
}
local function real_dtype(d) return d:find "float" and d or "float32" end

local dtypes = { "float32", "float64", "int64", "int32", "uint8", "bool" }

local function sample(random, shape, dtype)
  local list = {}
  for i = 1, plain.count(shape) do
    list[i] = dtype == "bool" and random(0, 3) > 0 or dtype == "uint8" and random(0, 255)
      or dtype:find "int" and random(-1000, 1000) or r32(random(-100000, 100000) / 777)
  end
  return plain.tensor(shape, list, { dtype = dtype })
end

describe("every reduction", function()
  it("over every subset of dimensions, with and without keepdim, is the model's", function()
    local random = plain.random(7)
    local shape, n = { 3, 4, 5 }, 3
    for _, dtype in ipairs(dtypes) do
      local t = sample(random, shape, dtype)
      local values = {}
      for i, v in ipairs(plain.flat(t)) do
        values[i] = v == true and 1 or v == false and 0 or v
      end
      local layouts = plain.layouts(t)
      local names = { "contiguous", "transposed", "flipped", "strided" }
      for name, model in pairs(models) do
        if name ~= "logsumexp" or dtype:find "float" then
          for subset = 0, 7 do
            local dims, kept, gone, keep = {}, {}, {}, {}
            for d = 1, n do
              if subset >> (d - 1) & 1 == 1 or subset == 0 then
                dims[#dims + 1] = random(0, 1) == 0 and d or d - n - 1
                keep[d] = 1
              else
                kept[#kept + 1], keep[d] = shape[d], shape[d]
              end
              gone[d] = subset == 0 or subset >> (d - 1) & 1 == 1
            end
            local lists = {}
            for k, at in plain.positions(shape) do
              local p = {}
              for d = 1, n do if not gone[d] then p[#p + 1] = at[d] end end
              local i = plain.number(kept, p)
              lists[i] = lists[i] or {}
              table.insert(lists[i], values[k])
            end
            local dim = subset > 0 and (#dims == 1 and random(0, 1) == 0 and dims[1] or dims) or nil
            local u = layouts[names[random(1, 4)]]
            local r, k = u[name](u, dim), u[name](u, dim, true)
            assert.same(keep, k.shape)
            local want = (result_dtype[name] or real_dtype)(dtype)
            assert.equal(want, k.dtype)
            local got
            if subset == 0 then
              got = { r }
              local kind = want == "bool" and "boolean" or "number"
              assert.equal(kind, type(r))
              if kind == "number" then
                assert.equal(want:find "float" and "float" or "integer", math.type(r))
              end
            else
              assert.same(kept, r.shape)
              got = plain.flat(r)
            end
            assert.same(got, plain.flat(k))
            for i, list in ipairs(lists) do
              local x = model(list, dtype:find "float" ~= nil)
              if want:find "float" then
                near(got[i], x, want == "float32" and 1.5e-7 or 1e-14)
              elseif dtype == "bool" and (name == "max" or name == "min") then
                assert.equal(x == 1, got[i])
              else
                assert.equal(x, got[i], name .. " of " .. dtype)
              end
            end
          end
        end
      end
    end
  end)

  it("of a 0-d tensor is of its one element", function()
    for name, want in pairs { sum = 3.0, mean = 3.0, max = 3.0, min = 3.0, norm = 3.0,
      logsumexp = 3.0, any = true, all = true, count_nonzero = 1, argmax = 1, argmin = 1 } do
      local t = lrn.tensor(3)
      assert.equal(want, t[name](t))
    end
  end)

  it("refuses dimensions that are not there, twice or none", function()
    local t = lrn.zeros(2, 3)
    for name in pairs(models) do
      raises("value", { name .. ": dim: got 0; positions start at 1" }, t[name], t, 0)
      raises("value", { name .. ": dim: got 3, expected 1 to 2" }, t[name], t, { 1, 3 })
      raises("value", { name .. ": dim: a dimension stands twice" }, t[name], t, { 1, -2 })
      raises("value", { name .. ": dim: got an empty list" }, t[name], t, {})
      raises("type", { name .. ": dim: got 'x'" }, t[name], t, "x")
    end
    raises("type", { "logsumexp", "int64" }, function() return lrn.arange(1, 3):logsumexp() end)
  end)
end)

describe("sums", function()
  it("of 10,000,000 x 0.1 in float32 are within 1 ulp of the exact sum", function()
    local t = lrn.full({ 10000000 }, 0.1)
    local exact = 10000000 * r32(0.1) -- fits a double exactly
    assert.is_true(math.abs(t:sum() - exact) <= 0.0625) -- 1 ulp at 2^19..2^20
    assert.equal(r32(0.1), t:mean())
    assert.equal(r32(exact), t:sum())
  end)

  it("of float32 are the exact sum rounded, where doubles hold it", function()
    local random = plain.random(13)
    for _ = 1, 30 do
      local list = {}
      for i = 1, random(1, 9000) do
        list[i] = random(-2 ^ 23 | 0, 2 ^ 23 | 0) / 2 ^ random(0, 10)
      end
      assert.equal(r32(exact_sum(list)), lrn.tensor(list):sum())
    end
  end)

  it("of ill-conditioned float64 are as if computed in twice the precision", function()
    local random = plain.random(19)
    for _ = 1, 20 do
      local list, magnitude = {}, 0.0
      for i = 1, random(100, 9000), 2 do
        local big = random(-2 ^ 30 | 0, 2 ^ 30 | 0) * 2.0 ^ random(0, 60)
        list[i], list[i + 1] = big, -big
      end
      for i = #list, 2, -1 do
        local k = random(1, i)
        list[i], list[k] = list[k], list[i]
      end
      local rest = {}
      for i = 1, 50 do rest[i] = random(-1000, 1000) / 3 end
      for _, x in ipairs(rest) do list[#list + 1] = x end
      for _, x in ipairs(list) do magnitude = magnitude + math.abs(x) end
      local exact, got = exact_sum(list), lrn.tensor(list, { dtype = "float64" }):sum()
      assert.is_true(math.abs(got - exact) <= 2.0 ^ -53 * math.abs(exact) +
        #list * 2.0 ^ -106 * magnitude) -- of plain summation: 2^-53 * magnitude
    end
    local t = lrn.tensor({ 1e16, 1, -1e16 }, { dtype = "float64" }):unsqueeze(1):expand(30000, 3)
    assert.equal(30000.0, t:sum())
    assert.equal(30000.0, t:t():clone():sum())
  end)

  it("of integers are exact, and wrap as Lua's do", function()
    local random = plain.random(3)
    local list, sum = {}, 0
    for i = 1, 5000 do
      list[i] = random(0, 2 ^ 31 - 2 | 0) * 0x9e3779b97f4a7c15
      sum = sum + list[i]
    end
    local t = lrn.tensor(list, { dtype = "int64" })
    assert.equal(sum, t:sum())
    assert.equal(sum, t:reshape(50, 100):sum(1):sum())
    assert.equal(255 * 100000, lrn.full({ 100000 }, 255, { dtype = "uint8" }):sum())
    assert.equal(2147483647 * 10, lrn.full({ 10 }, 2147483647, { dtype = "int32" }):sum())
  end)

  it("keep infinities and NaN, in float32 and float64", function()
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "float32", "float64" } do
        local function sum(list)
          return lrn.tensor(list, { dtype = dtype }):to { device = device }:sum()
        end
        assert.equal(huge, sum { huge, 1, 2 })
        assert.equal(-huge, sum { 1, -huge, 2 })
        assert.is_true(sum { huge, -huge } ~= sum { huge, -huge })
        assert.is_true(sum { nan, 1 } ~= sum { nan, 1 })
        local m = lrn.tensor({ { 1, huge, 3, 4, 5 }, { 1, 1, nan, 4, 5 } }, { dtype = dtype })
          :to { device = device }:sum(1):tolist()
        assert.equal(2, m[1])
        assert.equal(huge, m[2])
        assert.is_true(m[3] ~= m[3])
      end
    end
    assert.equal(huge, lrn.tensor({ 1e308, 1e308 }, { dtype = "float64" }):sum())
    assert.equal(1e308, lrn.tensor({ 1e308, 1e308, -1e308 }, { dtype = "float64" }):sum())
  end)

  it("of nothing are 0; means are NaN; extremes raise", function()
    for _, device in ipairs(plain.devices()) do
      local t = lrn.zeros({ 0, 3 }, { device = device })
      assert.equal(0.0, t:sum())
      assert.same({ 0.0, 0.0, 0.0 }, t:sum(1):tolist())
      assert.same({ 0 }, t:sum(2).shape)
      assert.is_true(t:mean() ~= t:mean())
      assert.is_true(t:var() ~= t:var())
      assert.equal(0, t:count_nonzero())
      assert.equal(0.0, t:norm())
      assert.is_false(t:any())
      assert.is_true(t:all())
      assert.same({ 0 }, t:max(2).shape)
      for _, f in ipairs { "max", "min", "argmax", "argmin", "logsumexp" } do
        raises("value", { f .. ": ", "no element" }, t[f], t)
        raises("value", { f .. ": ", "no element" }, t[f], t, 1)
      end
    end
  end)
end)

describe("mean, var, std and norm", function()
  it("do not lose the spread to a large offset", function()
    assert.equal(0.5, lrn.tensor { 1e7, 1e7 + 1 }:var())
    assert.equal(0.5, lrn.tensor({ 1700000000, 1700000001 }, { dtype = "int64" }):var())
    assert.equal(16777220.0, lrn.tensor({ 16777219, 16777221 }, { dtype = "int32" }):mean())
    local t = lrn.randn(10000, { generator = lrn.generator(1), dtype = "float64" })
    near((t + 1e6):var(), t:var(), 1e-9)
  end)

  it("divide by n - correction", function()
    local t = lrn.tensor({ 1, 2, 4, 9 }, { dtype = "float64" })
    for c = 0, 3 do near(t:var(nil, false, { correction = c }), 38 / (4 - c), 1e-15) end
    near(t:std(1, { correction = 0 }):item(), math.sqrt(9.5), 1e-15)
    assert.equal(huge, t:var(nil, { correction = 4 }))
    assert.is_true(lrn.tensor { 3 }:var() ~= lrn.tensor { 3 }:var())
    assert.equal(0.0, lrn.tensor { 3 }:var(1, { correction = 0 }):item())
  end)

  it("neither overflow nor vanish where the result is a float32", function()
    near(lrn.tensor { 3e30, 4e30 }:norm(), 5e30, 1e-6)
    near(lrn.tensor { 3e-30, 4e-30 }:norm(), 5e-30, 1e-6)
    near(lrn.tensor { 1e30, -1e30 }:std(), math.sqrt(2) * 1e30, 1e-6)
  end)
end)

describe("extremes", function()
  it("give a NaN where there is one", function()
    for _, device in ipairs(plain.devices()) do
      for at = 1, 70, 23 do
        local t = lrn.arange(1, 70):to "float32"
        t[at] = nan
        t = t:to { device = device }
        assert.is_true(t:max() ~= t:max())
        assert.is_true(t:min() ~= t:min())
        assert.equal(at, t:argmax())
        assert.equal(at, t:argmin())
        assert.same({ at }, t:unsqueeze(1):argmax(2):tolist())
      end
    end
  end)

  it("of argmax and argmin are the first, from 1 on, along a dimension or flat", function()
    local random = plain.random(5)
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs(dtypes) do
        local shape = { 4, 5, 3 }
        local list = {}
        for i = 1, 60 do
          list[i] = dtype == "bool" and random(0, 1) == 1 or dtype ~= "bool" and random(0, 3)
        end
        local t = plain.tensor(shape, list, { dtype = dtype })
        local value = t:to "int64"
        for _, u in pairs(plain.layouts(t:to { device = device })) do
          for name, better in pairs { argmax = function(a, b) return a > b end,
            argmin = function(a, b) return a < b end } do
            local flat, best = plain.flat(value), 1
            for i = 2, 60 do if better(flat[i], flat[best]) then best = i end end
            assert.equal(best, u[name](u))
            assert.equal("integer", math.type(u[name](u)))
            for d = 1, 3 do
              local r = u[name](u, d)
              local keep = u[name](u, d, true)
              assert.equal("int64", r.dtype)
              assert.equal(1, keep:size(d))
              assert.is_true(keep:squeeze(d) == r)
              local got = plain.flat(r)
              for k, at in plain.positions(r.shape) do
                local p = { table.unpack(at) }
                table.insert(p, d, 1)
                local first = 1
                for i = 2, shape[d] do
                  local q = { table.unpack(p) }
                  p[d], q[d] = first, i
                  if better(flat[plain.number(shape, q)], flat[plain.number(shape, p)]) then
                    first = i
                  end
                end
                assert.equal(first, got[k])
              end
            end
          end
        end
      end
    end
  end)

  it("reach the ends of each integer type", function()
    for dtype, ends in pairs { int64 = { math.mininteger, math.maxinteger },
      int32 = { -2147483648, 2147483647 }, uint8 = { 0, 255 } } do
      local low = lrn.full({ 50 }, ends[1], { dtype = dtype })
      local high = lrn.full({ 50 }, ends[2], { dtype = dtype })
      assert.equal(ends[1], low:max())
      assert.equal(ends[2], high:min())
    end
    assert.equal(-huge, lrn.full({ 3 }, -huge):max())
    assert.equal(huge, lrn.full({ 3 }, huge):min())
  end)
end)

describe("logsumexp", function()
  it("does not overflow or underflow, and knows the infinities", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local function f(list) return lrn.tensor(list, { dtype = dtype }):logsumexp() end
      near(f { 1000, 1000 }, 1000 + math.log(2), 1e-6)
      near(f { -1000, -1000 }, -1000 + math.log(2), 1e-6)
      assert.equal(1000.0, f { 1000, -1000 })
      assert.equal(-huge, f { -huge, -huge })
      assert.equal(3.0, f { -huge, 3 })
      assert.equal(huge, f { huge, 3 })
      assert.equal(huge, f { huge, -huge })
      assert.is_true(f { nan, 3 } ~= f { nan, 3 })
      assert.same({ -huge, huge, 3.0 }, lrn.tensor({ { -huge, huge, -huge }, { -huge, 1, 3 } },
        { dtype = dtype }):logsumexp(1):tolist())
    end
  end)
end)

describe("the bits of a sum", function()
  -- n numbers of all sizes that cancel: what is left is rounding error, which shows any other
  -- shape.
  local function cancelling(n, dtype, seed)
    local g = lrn.generator(seed)
    local half = lrn.randn(n // 2, { generator = g, dtype = dtype })
    half = half * lrn.pow(2.0, lrn.randint(0, 90, { n // 2 }, { generator = g }):to(dtype))
    local t = lrn.cat { half, -half, lrn.ones(n % 2, { dtype = dtype }) }
    return t:index_select(1, lrn.randperm(n, { generator = g }))
  end

  -- lengths around lanes and blocks; widths around the column kernel's
  local lengths = { 1, 31, 33, 4095, 4096, 4097, 8192, 12289 }
  local widths = { 1, 4, 8, 9, 19 }

  it("are the same for rows, columns, flipped twice, strided and several dimensions", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local source = lrn.randn(12289 * 19, { generator = lrn.generator(3), dtype = dtype })
      source:mul_(lrn.randn(12289 * 19, { generator = lrn.generator(4), dtype = dtype }):exp())
      for _, n in ipairs(lengths) do
        local hard = {}
        for i = 1, 19 do hard[i] = cancelling(n, dtype, i) end
        hard = lrn.stack(hard, 1)
        for _, w in ipairs(widths) do
          for _, rows in ipairs { source:narrow(1, 1, n * w):view(w, n), hard:narrow(1, 1, w) } do
            local columns = rows:t():clone()
            local wide = lrn.zeros({ w, 2 * n }, { dtype = dtype })
            local strided = wide:slice { dim = 2, from = 2, to = 2 * n, step = 2 }
            strided:copy_(rows)
            for _, f in ipairs { "sum", "mean", "var", "norm", "logsumexp" } do
              local want = rows[f](rows, 2):tobytes()
              local function same(t, d, what)
                if t[f](t, d):tobytes() ~= want then
                  error(("%s of %s, %d x %d: %s differs"):format(f, dtype, w, n, what))
                end
              end
              same(columns, 1, "columns")
              same(columns:t(), 2, "transposed columns")
              same(strided, 2, "strided")
              same(rows:flip(2):clone():flip(2), 2, "flipped")
              same(rows:flip(1):clone():flip(1), 2, "flipped rows")
              if n % 3 == 0 then same(rows:reshape(w, n // 3, 3), { 2, 3 }, "two dimensions") end
              if w == 1 then
                local all = ("%a"):format(rows[f](rows))
                assert.equal(all, ("%a"):format(rows[f](rows, 2)[1]))
                assert.equal(all, ("%a"):format(columns[f](columns)))
              end
            end
          end
        end
      end
    end
  end)

  it("are the same for one long output, which threads share, and for several", function()
    for _, dtype in ipairs { "float32", "float64" } do
      for _, n in ipairs { 4096 * 64, 4096 * 64 + 1, 4096 * 200 + 77, 1300007 } do
        local t = cancelling(n, dtype, 5)
        local sum = t:sum()
        assert.same({ sum, sum }, t:unsqueeze(1):expand(2, n):sum(2):tolist())
        assert.same({ sum }, t:unsqueeze(1):sum(2):tolist())
        for _, device in ipairs(plain.devices()) do
          assert.equal(sum, t:to { device = device }:sum(), device)
        end
      end
    end
  end)

  it("are the same for 1, 2, 3 and 7 threads", function()
    for _, dtype in ipairs { "float32", "float64" } do
      local t = cancelling(1300007, dtype, 5)
      local m = t:narrow(1, 1, 1300000):view(1000, 1300)
      plain.same_for_threads(function()
        local out = {}
        for _, f in ipairs { "sum", "mean", "var", "norm", "logsumexp", "max", "argmin" } do
          out[#out + 1] = ("%a"):format(t[f](t))
          out[#out + 1] = m[f](m, 1):tobytes() .. m[f](m, 2):tobytes()
        end
        out[#out + 1] = ("%a"):format(t:dot(t:flip(1)))
        return table.concat(out)
      end)
    end
    local i = lrn.arange(1, 1000003) * 0x9e3779b97f4a7c15
    plain.same_for_threads(function() return ("%d %d %d"):format(i:sum(), i:max(), i:argmax()) end)
  end)

  it("are the same on every device", function()
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "float32", "float64" } do
        local t = cancelling(3 * 4099, dtype, 6):view(3, 4099)
        local u = t:to { device = device }
        for _, f in ipairs { "sum", "mean", "var", "std", "norm", "logsumexp", "max", "argmax" } do
          for _, dim in ipairs { 1, 2 } do
            local want = bits.hash(bits.bytes(t[f](t, dim)))
            assert.equal(want, bits.hash(bits.bytes(u[f](u, dim))), f)
          end
          assert.equal(t[f](t), u[f](u))
        end
      end
    end
  end)
end)
