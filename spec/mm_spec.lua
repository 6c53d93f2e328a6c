-- Matrix products: against plain Lua in every layout, exactly with dyadic values, the same bits
-- for any number of threads.
local lrn = require "lrn"
local core = require "lrn.core"
local plain = dofile "spec/support/plain.lua"
local raises = plain.raises

local names = { "contiguous", "transposed", "flipped", "strided" }

-- Multiples of 1/8 up to 4: sums of a few hundred products are exact in float32.
local function dyadic(random, shape, dtype)
  local list = {}
  for i = 1, plain.count(shape) do list[i] = random(-32, 32) / 8 end
  return plain.tensor(shape, list, { dtype = dtype })
end

local function product(a, b)
  local m, k, n = a:size(1), a:size(2), b:size(2)
  local x, y, list = plain.flat(a), plain.flat(b), {}
  for i = 1, m do
    for j = 1, n do
      local s = 0.0
      for l = 1, k do s = s + x[(i - 1) * k + l] * y[(l - 1) * n + j] end
      list[(i - 1) * n + j] = s
    end
  end
  return list
end

describe("mm", function()
  it("is the product, in every layout of both operands, for every size, on every device", function()
    local random = plain.random(83)
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "float32", "float64" } do
        for _, size in ipairs { { 1, 1, 1 }, { 1, 5, 1 }, { 5, 1, 3 }, { 1, 7, 4 }, { 4, 7, 1 },
          { 3, 4, 5 }, { 17, 9, 33 }, { 33, 40, 2 } } do
          local m, k, n = size[1], size[2], size[3]
          local a, b = dyadic(random, { m, k }, dtype), dyadic(random, { k, n }, dtype)
          local want = product(a, b)
          a, b = plain.layouts(a:to { device = device }), plain.layouts(b:to { device = device })
          for _, x in ipairs(names) do
            for _, y in ipairs(names) do
              local c = a[x]:mm(b[y])
              assert.same({ m, n }, c.shape)
              assert.equal(dtype, c.dtype)
              assert.equal(device, c.device)
              assert.same(want, plain.flat(c))
            end
          end
        end
      end
    end
  end)

  it("of expanded and overlapping views is that of their copies", function()
    local random = plain.random(89)
    local row, b = dyadic(random, { 1, 4 }), dyadic(random, { 4, 3 })
    local a = row:expand(5, 4)
    assert.is_true(a:mm(b) == a:clone():mm(b))
    assert.is_true(b:t():mm(a:t()) == a:clone():mm(b):t())
    local column = dyadic(random, { 5, 1 }):expand(5, 4)
    assert.is_true(column:mm(b) == column:clone():mm(b))
    local windows = dyadic(random, { 9 }):unfold(1, 4, 2)
    assert.is_true(windows:mm(b) == windows:clone():mm(b))
    windows = dyadic(random, { 9 }):unfold(1, 4, 1)
    assert.is_true(windows:mm(b) == windows:clone():mm(b))
    assert.is_true(b:mm(b:t()) == b:clone():mm(b:t():clone()))
  end)

  it("with a size of 0 is empty, or zeros where the inner size is 0", function()
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "float32", "float64" } do
        local function zeros(m, n) return lrn.zeros(m, n, { dtype = dtype, device = device }) end
        assert.same({ 0, 3 }, zeros(0, 2):mm(zeros(2, 3)).shape)
        assert.same({ 3, 0 }, zeros(3, 2):mm(zeros(2, 0)).shape)
        for _ = 1, 20 do -- whatever the new memory held
          local c = zeros(3, 0):mm(zeros(0, 2))
          assert.same({ { 0.0, 0.0 }, { 0.0, 0.0 }, { 0.0, 0.0 } }, c:tolist())
          c:fill_(7)
          c:close()
          assert.equal(0.0, zeros(0, 3):t():mm(zeros(2, 0):t()):sum())
        end
      end
    end
  end)

  it("passes NaN and infinity on", function()
    local c = lrn.tensor { { 0 / 0, 1 }, { 1, 1 / 0 }, { 1, 1 } }:mm(lrn.eye(2)):tolist()
    assert.is_true(c[1][1] ~= c[1][1])
    assert.is_true(c[2][2] == 1 / 0)
    assert.same({ 1.0, 1.0 }, c[3])
  end)

  it("is exact on every device with 0/1 operands and dyadic weights", function()
    local g = lrn.generator(9)
    local v = lrn.full({ 70, 300 }, 0.4):bernoulli { generator = g }
    local w = (lrn.randn(300, 90, { generator = g }) * 64):round() / 64
    local want = v:to "float64":mm(w:to "float64")
    for _, device in ipairs(plain.devices()) do
      local got = v:to { device = device }:mm(w:to { device = device }):cpu()
      assert.is_true(got == want)
    end
  end)

  it("is as near to float64 as its sum of magnitudes allows", function()
    local g = lrn.generator(10)
    local a, b = lrn.randn(40, 500, { generator = g }), lrn.randn(500, 30, { generator = g })
    local exact = a:to "float64":mm(b:to "float64")
    local bound = a:abs():to "float64":mm(b:abs():to "float64") * (500 * 2 ^ -24)
    assert.is_true((a:mm(b):to "float64" - exact):abs():le(bound):all())
  end)

  it("gives the same bits for 1, 2, 3 and 7 threads, deterministic or not", function()
    local before = core.set().deterministic
    finally(function() core.set { deterministic = before } end)
    local g = lrn.generator(11)
    for _, deterministic in ipairs { false, true } do
      core.set { deterministic = deterministic }
      for _, dtype in ipairs { "float32", "float64" } do
        for _, size in ipairs { { 3, 5, 7 }, { 128, 300, 101 }, { 33, 784, 500 },
          { 700, 64, 9 } } do
          local m, k, n = size[1], size[2], size[3]
          local a = lrn.randn(m, k, { generator = g, dtype = dtype })
          local b = lrn.randn(k, n, { generator = g, dtype = dtype })
          local at, bt = a:t():clone():t(), b:t():clone():t()
          plain.same_for_threads(function()
            return a:mm(b):tobytes() .. at:mm(b):tobytes() .. a:mm(bt):tobytes()
          end)
        end
      end
    end
  end)

  it("deterministic changes no number by more than rounding", function()
    local before = core.set().deterministic
    finally(function() core.set { deterministic = before } end)
    local g = lrn.generator(12)
    local a, b = lrn.randn(61, 200, { generator = g }), lrn.randn(200, 61, { generator = g })
    core.set { deterministic = false }
    local free = a:mm(b)
    core.set { deterministic = true }
    assert.is_true((a:mm(b) - free):abs():max() < 1e-4)
  end)

  it("refuses other sizes and dtypes, and names both", function()
    raises("size", "mm: inner dimensions differ: [64, 784] x [500, 784] (784 vs 500)", function()
      return lrn.zeros(64, 784):mm(lrn.zeros(500, 784))
    end)
    raises("size", { "mm: ", "float32[3]", "float32[3, 2]", "matrices" },
      function() return lrn.zeros(3):mm(lrn.zeros(3, 2)) end)
    raises("type", { "mm: ", "float32", "float64" }, function()
      return lrn.zeros(2, 2):mm(lrn.zeros(2, 2, { dtype = "float64" }))
    end)
    raises("type", { "mm: ", "int64", "float" }, function()
      local i = lrn.zeros(2, 2, { dtype = "int64" })
      return i:mm(i)
    end)
    raises("type", { "mm: argument 2: got nothing, expected a tensor" },
      function() return lrn.zeros(2, 2):mm() end)
  end)
end)

describe("matmul, mv, dot and outer", function()
  it("are products of the right shapes", function()
    local random = plain.random(91)
    local a, b = dyadic(random, { 3, 4 }), dyadic(random, { 4, 5 })
    local u, v = dyadic(random, { 3 }), dyadic(random, { 4 })
    assert.is_true(a:matmul(b) == a:mm(b))
    assert.is_true(a:matmul(v) == a:mv(v))
    assert.same(product(a, v:unsqueeze(2)), plain.flat(a:mv(v)))
    assert.same({ 3 }, a:mv(v).shape)
    assert.same(product(u:unsqueeze(1), a), plain.flat(u:matmul(a)))
    assert.same({ 4 }, u:matmul(a).shape)
    assert.same({}, v:matmul(v).shape)
    assert.equal(v:dot(v), v:matmul(v):item())
    assert.same(product(v:unsqueeze(1), v:unsqueeze(2))[1], v:dot(v))
    assert.same({ 3, 4 }, u:outer(v).shape)
    for i = 1, 3 do
      for j = 1, 4 do assert.equal(u[i] * v[j], u:outer(v)(i, j)) end
    end
    local i = lrn.arange(1, 4)
    assert.equal(30, i:dot(i))
    assert.equal("integer", math.type(i:dot(i)))
    assert.equal(0.0, lrn.zeros(0):dot(lrn.zeros(0)))
    assert.same({ 0.0, 0.0 }, lrn.zeros(2, 0):mv(lrn.zeros(0)):tolist())
  end)

  it("refuse other shapes under their own names", function()
    raises("size", { "mv: ", "[2, 3]", "4" }, function()
      return lrn.zeros(2, 3):mv(lrn.zeros(4))
    end)
    raises("size", { "mv: got ", "a matrix and a vector" },
      function() return lrn.zeros(2):mv(lrn.zeros(2)) end)
    raises("size", { "matmul: ", "(3 vs 2)" },
      function() return lrn.zeros(2, 3):matmul(lrn.zeros(2, 3)) end)
    raises("size", { "dot: ", "float32[2]", "float32[3]" },
      function() return lrn.zeros(2):dot(lrn.zeros(3)) end)
    raises("size", { "outer: ", "float32[2, 2]" },
      function() return lrn.zeros(2, 2):outer(lrn.zeros(2)) end)
    raises("type", { "dot: ", "int64", "float32" },
      function() return lrn.arange(1, 2):dot(lrn.zeros(2)) end)
  end)
end)
