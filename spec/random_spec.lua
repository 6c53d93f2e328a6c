-- Random numbers: generators, distributions (fixed seeds, 6 sigma: an error once in 5e8), and bits
-- that depend on neither threads nor device. The vectors of numerics.md are in
-- spec/c/random_test.c.
local lrn = require "lrn"
local core = require "lrn.core"
local plain = dofile "spec/support/plain.lua"
local bits = dofile "spec/support/bits.lua"
local raises = plain.raises

-- Counts as chi-square with k degrees of freedom: mean k, variance 2 k.
local function within_6_sigma(counts, expected)
  local chi2 = 0
  for i = 1, #counts do chi2 = chi2 + (counts[i] - expected) ^ 2 / expected end
  local k = #counts - 1
  assert.is_true(math.abs(chi2 - k) < 6 * math.sqrt(2 * k) + 6,
    ("chi-square %.1f with %d degrees of freedom"):format(chi2, k))
end

describe("a generator", function()
  it("gives the same numbers from the same seed, others from another", function()
    for _, f in ipairs { lrn.rand, lrn.randn } do
      local a = f(100, { generator = lrn.generator(5) })
      assert.is_true(a == f(100, { generator = lrn.generator(5) }))
      assert.is_false(a == f(100, { generator = lrn.generator(6) }))
    end
    assert.is_false(lrn.rand(9, { generator = lrn.generator(1) })
      == lrn.rand(9, { generator = lrn.generator(1 | 1 << 40) }))
  end)

  it("gives other numbers at each call, and counts the calls", function()
    local g = lrn.generator(5)
    local a, b = lrn.rand(10, { generator = g }), lrn.rand(10, { generator = g })
    assert.is_false(a == b)
    assert.same({ seed = 5, step = 2 }, g:state())
    lrn.randint(1, 6, { 2 }, { generator = g })
    lrn.randperm(3, { generator = g })
    lrn.ones(2):bernoulli { generator = g }
    assert.equal(5, g:state().step)
    assert.matches("seed 5", tostring(g))
  end)

  it("goes back to a saved state", function()
    local g = lrn.generator(8)
    lrn.rand(3, { generator = g })
    local state = g:state()
    local a, b = lrn.randn(7, { generator = g }), lrn.rand(7, { generator = g })
    assert.equal(g, g:set_state(state))
    assert.is_true(a == lrn.randn(7, { generator = g }))
    assert.is_true(b == lrn.rand(7, { generator = g }))
    local other = lrn.generator(0):set_state(state)
    assert.is_true(a == lrn.randn(7, { generator = other }))
  end)

  it("splits into generators that differ from it and from one another", function()
    local list = { lrn.generator(3):split(50) }
    assert.equal(50, #list)
    local again, seen = { lrn.generator(3):split(50) }, {}
    for i, g in ipairs(list) do
      local seed = g:state().seed
      assert.equal(seed, again[i]:state().seed)
      assert.is_nil(seen[seed])
      seen[seed] = true
      assert.equal(0, g:state().step)
    end
    assert.is_nil(seen[3])
  end)

  it("refuses bad seeds, states and counts", function()
    local g = lrn.generator(1)
    raises("type", "generator: seed: got 'x'", lrn.generator, "x")
    raises("value", "generator: seed: got 2.5", lrn.generator, 2.5)
    raises("value", "set_state: step: got -1", g.set_state, g, { seed = 1, step = -1 })
    raises("type", "set_state: step: got nil", g.set_state, g, { seed = 1 })
    raises("argument", "set_state: unknown option 'x'", g.set_state, g, { x = 1 })
    raises("value", "split: n: got 0", g.split, g, 0)
    raises("type", { "rand: generator: got 5" }, lrn.rand, 2, { generator = 5 })
    raises("type", { "state: got ", "generator" }, g.state, lrn.zeros(1))
  end)
end)

describe("manual_seed", function()
  it("fixes what calls without a generator give, and math.random", function()
    local function draw()
      lrn.manual_seed(12)
      return bits.bytes(lrn.rand(5)) .. bits.bytes(lrn.randn(5)) .. bits.bytes(lrn.randperm(9)) ..
        bits.bytes(lrn.randint(1, 100, { 4 })) .. bits.bytes(lrn.zeros(3):rand_like()) ..
        bits.bytes((lrn.ones(20) / 2):bernoulli()) .. math.random(1 << 40) .. math.random()
    end
    local first = draw()
    assert.equal(first, draw())
    lrn.manual_seed(13)
    assert.is_false(lrn.rand(5) == (function() lrn.manual_seed(12) return lrn.rand(5) end)())
    lrn.manual_seed(12)
    local a = math.random(1 << 40)
    lrn.manual_seed(13)
    assert.is_true(a ~= math.random(1 << 40))
    raises(nil, "manual_seed: seed: got 2.5", lrn.manual_seed, 2.5)
  end)
end)

describe("uniform numbers", function()
  it("are multiples of 2^-24 in [0, 1), the same in both float dtypes", function()
    local function rand(dtype)
      return lrn.rand(200000, { dtype = dtype, generator = lrn.generator(21) })
    end
    local u = rand "float64"
    assert.is_true(u:min() >= 0 and u:max() < 1)
    assert.is_true(u * 2 ^ 24 == (u * 2 ^ 24):floor())
    assert.is_true(u == rand "float32")
    assert.is_true(math.abs(u:mean() - 0.5) < 6 * math.sqrt(1 / 12 / 200000))
    local counts, bin = {}, (u * 64):floor()
    for k = 0, 63 do counts[k + 1] = bin:eq(k):sum() end
    within_6_sigma(counts, 200000 / 64)
    -- neighbours are independent
    local pairs_ = u:view(100000, 2)
    local product = ((pairs_ "1:-1, 1" - 0.5) * (pairs_ "1:-1, 2" - 0.5)):mean()
    assert.is_true(math.abs(product) < 6 / 12 / math.sqrt(100000))
  end)
end)

describe("normal numbers", function()
  it("have the moments and the tails of a normal distribution", function()
    local n = 400000
    for _, dtype in ipairs { "float32", "float64" } do
      local z = lrn.randn(n, { dtype = dtype, generator = lrn.generator(22) }):to "float64"
      local function moment(k) return (z ^ k):mean() end
      assert.is_true(math.abs(moment(1)) < 6 * math.sqrt(1 / n))
      assert.is_true(math.abs(moment(2) - 1) < 6 * math.sqrt(2 / n))
      assert.is_true(math.abs(moment(3)) < 6 * math.sqrt(15 / n))
      assert.is_true(math.abs(moment(4) - 3) < 6 * math.sqrt(96 / n))
      for x = -3, 3 do
        local p = 0.5 * lrn.tensor({ -x / math.sqrt(2) }, { dtype = "float64" }):erfc()[1]
        local got = z:lt(x):sum() / n
        assert.is_true(math.abs(got - p) < 6 * math.sqrt(p * (1 - p) / n))
      end
      assert.is_true(z:isfinite():all())
    end
  end)
end)

describe("bernoulli", function()
  it("has the frequency p, and is u < p of the uniform draw", function()
    local n = 100000
    for _, p in ipairs { 0, 1e-3, 0.25, 0.5, 0.9, 1 } do
      for _, dtype in ipairs { "float32", "float64" } do
        local t = lrn.full({ n }, p, { dtype = dtype }):bernoulli { generator = lrn.generator(23) }
        assert.equal(dtype, t.dtype)
        assert.is_true(t == lrn.rand(n, { generator = lrn.generator(23) }):lt(
          lrn.tensor(p, { dtype = dtype })))
        assert.is_true(math.abs(t:sum() - n * p) <= 6 * math.sqrt(n * p * (1 - p)))
      end
    end
    local bool = lrn.full({ 10 }, 1):bernoulli { dtype = "bool" }
    assert.equal("bool", bool.dtype)
    assert.is_true(bool:all())
  end)

  it("takes p in any layout", function()
    local p = lrn.rand(6, 50, { generator = lrn.generator(1) })
    local want = p:bernoulli { generator = lrn.generator(2) }
    for _, u in pairs(plain.layouts(p)) do
      assert.is_true(want == u:bernoulli { generator = lrn.generator(2) })
    end
  end)

  it("refuses what is no probability, and names the first such element", function()
    for _, bad in ipairs { -1e-9, 1.0001, 0 / 0, 1 / 0 } do
      local p = lrn.full({ 30000 }, 0.5)
      p[20001], p[9], p[29999] = bad, bad, bad
      plain.same_for_threads(function()
        raises("value", "bernoulli: element 9 is no probability", p.bernoulli, p)
        return ""
      end)
    end
    raises("type", { "bernoulli: p: got int64" }, function()
      return lrn.arange(0, 1):bernoulli()
    end)
  end)
end)

describe("randint", function()
  it("is uniform on from..to, both included", function()
    local t = lrn.randint(-3, 9, { 130000 }, { generator = lrn.generator(24) })
    assert.equal("int64", t.dtype)
    local counts = {}
    for k = -3, 9 do counts[k + 4] = t:eq(k):sum() end
    assert.equal(-3, t:min())
    assert.equal(9, t:max())
    within_6_sigma(counts, 10000)
    assert.same({ 7, 7 }, lrn.randint(7, 7, { 2 }):tolist())
  end)

  it("reaches all of int64, and limits that no float holds", function()
    local g = lrn.generator(25)
    local t = lrn.randint(math.mininteger, math.maxinteger, { 4000 }, { generator = g })
    assert.is_true(math.abs(t:lt(0):sum() - 2000) < 6 * math.sqrt(1000))
    for bit = 0, 63 do -- every bit is fair
      local ones = (t & (1 << bit)):ne(0):sum()
      assert.is_true(math.abs(ones - 2000) < 6 * math.sqrt(1000))
    end
    local big = 2 ^ 53 | 0
    local edge = lrn.randint(big + 1, big + 3, { 600 }, { generator = g })
    local counts = {}
    for k = 1, 3 do counts[k] = edge:eq(big + k):sum() end
    assert.equal(600, counts[1] + counts[2] + counts[3])
    within_6_sigma(counts, 200)
    assert.same({ math.maxinteger }, lrn.randint(math.maxinteger, math.maxinteger, { 1 }):tolist())
  end)

  it("refuses limits that are turned around or do not fit the dtype", function()
    raises("value", { "randint: from 2 to 1" }, lrn.randint, 2, 1, { 3 })
    raises("value", { "randint: ", "256", "uint8" }, lrn.randint, 0, 256, { 3 },
      { dtype = "uint8" })
    raises("value", { "randint: ", "int32" }, lrn.randint, 0, 1 << 31, { 3 }, { dtype = "int32" })
    raises("value", { "randint: ", "int32" }, lrn.randint, 0, math.maxinteger, { 3 },
      { dtype = "int32" })
    raises("value", { "randint: from: got 0.5" }, lrn.randint, 0.5, 1, { 3 })
    raises("type", { "rand: ", "int64" }, lrn.rand, 3, { dtype = "int64" })
    assert.equal("uint8", lrn.randint(0, 255, { 3 }, { dtype = "u8" }).dtype)
  end)
end)

describe("permutations", function()
  it("hold each of 1..n once", function()
    for _, n in ipairs { 0, 1, 2, 10, 1000 } do
      local p = lrn.randperm(n)
      assert.same({ n }, p.shape)
      local seen = {}
      for _, i in ipairs(p:tolist()) do seen[i] = true end
      for i = 1, n do assert.is_true(seen[i]) end
    end
    raises("value", "randperm: n: got -1", lrn.randperm, -1)
  end)

  it("are uniform: all orders of four, and where each of ten goes", function()
    local g, orders, counts = lrn.generator(26), {}, {}
    for _ = 1, 12000 do
      local key = table.concat(lrn.randperm(4, { generator = g }):tolist())
      orders[key] = (orders[key] or 0) + 1
    end
    for _, n in pairs(orders) do counts[#counts + 1] = n end
    assert.equal(24, #counts)
    within_6_sigma(counts, 500)
    local place = {}
    for i = 1, 100 do place[i] = 0 end
    for _ = 1, 5000 do
      for k, i in ipairs(lrn.randperm(10, { generator = g }):tolist()) do
        place[(k - 1) * 10 + i] = place[(k - 1) * 10 + i] + 1
      end
    end
    within_6_sigma(place, 500)
  end)

  it("of the shuffling stream depend on seed and epoch alone", function()
    local p = core.permutation(100, 5, 2)
    assert.is_true(p == core.permutation(100, 5, 2))
    assert.is_false(p == core.permutation(100, 5, 3))
    assert.is_false(p == core.permutation(100, 6, 2))
  end)
end)

describe("bits of random numbers", function()
  -- several tasks, and no multiple of a block
  local function draws(device)
    local out = {}
    for _, dtype in ipairs { "float32", "float64" } do
      local g = lrn.generator(27)
      local options = { dtype = dtype, device = device, generator = g }
      out[#out + 1] = lrn.rand(30011, options):tobytes()
      out[#out + 1] = lrn.randn(30011, options):tobytes()
      local p = lrn.linspace(0, 1, 30011, { dtype = dtype, device = device })
      out[#out + 1] = p:bernoulli { generator = g }:tobytes()
      out[#out + 1] = lrn.randint(-5, 1 << 40, { 20011 }, { device = device, generator = g })
        :tobytes()
      out[#out + 1] = lrn.randint(math.mininteger, 5, { 99 }, { device = device, generator = g })
        :tobytes()
    end
    return table.concat(out)
  end

  it("are the same for 1, 2, 3 and 7 threads", function()
    plain.same_for_threads(draws)
  end)

  it("are the same on every device", function()
    local want = bits.hash(draws "cpu")
    for _, device in ipairs(plain.devices()) do
      assert.equal(want, bits.hash(draws(device)), device)
    end
  end)

  it("do not depend on the shape, and a longer draw begins with a shorter one", function()
    for _, f in ipairs { lrn.rand, lrn.randn } do
      local function draw(...) return f({ ... }, { generator = lrn.generator(28) }) end
      local t = draw(30000)
      assert.equal(t:tobytes(), draw(100, 3, 100):tobytes())
      for _, n in ipairs { 1, 2, 3, 5, 1000, 8193 } do
        assert.equal(t:narrow(1, 1, n):tobytes(), draw(n):tobytes())
      end
    end
  end)
end)
