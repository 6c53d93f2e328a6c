-- Elementwise operations: every row of kernel/ops.def, on every dtype and device and in every
-- layout, against references in plain Lua; and bits that depend on neither threads nor instruction
-- set.
local lrn = require "lrn"
local core = require "lrn.core"
local plain = dofile "spec/support/plain.lua"
local bits = dofile "spec/support/bits.lua"
local raises = plain.raises

local huge, nan = math.huge, 0 / 0

-- {=== References: each takes Lua numbers and gives the exact result, or nearly so ===

local function r32(x) return (string.unpack("<f", string.pack("<f", x))) end
local function r64(x) return x end

local function log1p(x) -- Kahan
  local u = 1 + x
  if u == 1 or u ~= u then return x ~= x and x or u == 1 and x or u end
  if u == huge then return huge end
  return math.log(u) * x / (u - 1)
end
local function expm1(x)
  local u = math.exp(x)
  if u == 1 then return x end
  if u - 1 == -1 or u == huge or u ~= u then return u - 1 end
  return (u - 1) * x / math.log(u)
end
-- erf by its Taylor series, erfc of large arguments by Laplace's continued fraction
local function erf_series(x)
  local term, sum = x, x
  for k = 1, 200 do
    term = term * -x * x / k
    sum = sum + term / (2 * k + 1)
    if math.abs(term) < 1e-20 * math.abs(sum) then break end
  end
  return 2 / math.sqrt(math.pi) * sum
end
local function erfc_fraction(x)
  local f = 0.0
  for k = 300, 1, -1 do f = k / 2 / (x + f) end
  return math.exp(-x * x) / math.sqrt(math.pi) / (x + f)
end
local function erfc(x)
  if x ~= x then return x end
  if x > 30 then return 0.0 elseif x < -30 then return 2.0 end
  if x > 1 then return erfc_fraction(x) elseif x < -1 then return 2 - erfc_fraction(-x) end
  return 1 - erf_series(x)
end
local function erf(x)
  if math.abs(x) <= 2 then return erf_series(x) end
  return x ~= x and x or x > 0 and 1 - erfc(x) or erfc(-x) - 1
end
local function tanh(x)
  if math.abs(x) > 30 then return x > 0 and 1.0 or -1.0 end
  local e = expm1(2 * x)
  return e / (e + 2)
end
local function round(x)
  if x ~= x or math.abs(x) >= 2 ^ 52 then return x end
  local f = math.floor(x)
  local d = x - f
  if d > 0.5 or (d == 0.5 and f % 2 == 1) then f = f + 1 end
  return f + 0.0
end
local function whole(f) -- of a function that gives a Lua integer where it can
  return function(x)
    if x ~= x or math.abs(x) >= 2 ^ 52 then return x end
    return f(x) + 0.0
  end
end
local function softplus(x)
  return x ~= x and x or math.max(x, 0) + log1p(math.exp(-math.abs(x)))
end
local function max(a, b) return a ~= a and a or b ~= b and b or a > b and a or b end
local function min(a, b) return a ~= a and a or b ~= b and b or a < b and a or b end
local function ipow(a, b)
  local r = 1
  for _ = 1, b do r = r * a end
  return r
end
local function bool(f) return function(a, b) return f(a, b) and true or false end end
local function is(a) return a ~= 0 and a ~= false end

-- family; the function of floats; ulp: tolerance in units in the last place of float32 and float64
-- (none: exactly the correctly rounded result; for float32 the bounds of math_test.c, for float64
-- the reference's own error on top). `r` rounds to the dtype. int: the function of integers where
-- another. domain: arguments for which the kernel promises digits, see kernel/math.h.
local function moderate(a) return math.abs(a) <= 1e5 end

local rows = {
  exp = { "FLOAT", math.exp, 1, 2 },
  expm1 = { "FLOAT", expm1, 2, 5 },
  log = { "FLOAT", math.log, 1, 2 },
  log1p = { "FLOAT", log1p, 1.5, 5 },
  sqrt = { "FLOAT", math.sqrt },
  rsqrt = { "FLOAT", function(a, _, _, r) return 1 / r(math.sqrt(a)) end },
  sin = { "FLOAT", math.sin, 1, 2, domain = moderate },
  cos = { "FLOAT", math.cos, 1, 2, domain = moderate },
  tanh = { "FLOAT", tanh, 3, 8 },
  sigmoid = { "FLOAT", function(a) return 1 / (1 + math.exp(-a)) end, 2.5, 4 },
  softplus = { "FLOAT", softplus, 2, 8 },
  logsigmoid = { "FLOAT", function(a) return -softplus(-a) end, 2, 8 },
  erf = { "FLOAT", erf, 2, 40 },
  erfc = { "FLOAT", erfc, 4, 800 }, -- the reference's exp(-x^2) loses digits with x
  floor = { "FLOAT", whole(math.floor) },
  ceil = { "FLOAT", whole(math.ceil) },
  round = { "FLOAT", round },
  trunc = { "FLOAT", whole(function(a) return a < 0 and math.ceil(a) or math.floor(a) end) },
  div = { "FLOAT", function(a, b) return a / b end },
  lerp = { "FLOAT", function(a, b, c, r) return a + r(c * r(b - a)) end },
  neg = { "NUMBER", function(a) return -a end },
  abs = { "NUMBER", function(a) return a < 0 and -a or a == 0 and a * a or a end },
  sign = { "NUMBER", function(a) return a > 0 and 1 or a < 0 and -1 or 0 end },
  relu = { "NUMBER", function(a) return a <= 0 and 0 or a end },
  square = { "NUMBER", function(a) return a * a end },
  add = { "NUMBER", function(a, b) return a + b end },
  sub = { "NUMBER", function(a, b) return a - b end },
  mul = { "NUMBER", function(a, b) return a * b end },
  floordiv = { "NUMBER", function(a, b, _, r) return whole(math.floor)(r(a / b)) end,
    int = function(a, b) return a // b end },
  mod = { "NUMBER", function(a, b) return a % b end,
    domain = function(a, b) return a ~= a or b ~= b or math.abs(a / b) < 2 ^ 53 end },
  pow = { "NUMBER", function(a, b) return a ^ b end, 1, 3, int = ipow },
  maximum = { "NUMBER", max },
  minimum = { "NUMBER", min },
  clamp = { "NUMBER", function(a, b, c) return min(max(a, b), c) end },
  eq = { "COMPARE", bool(function(a, b) return a == b end) },
  ne = { "COMPARE", bool(function(a, b) return a ~= b end) },
  lt = { "COMPARE", bool(function(a, b) return a < b end) },
  le = { "COMPARE", bool(function(a, b) return a <= b end) },
  gt = { "COMPARE", bool(function(a, b) return a > b end) },
  ge = { "COMPARE", bool(function(a, b) return a >= b end) },
  logical_not = { "COMPARE", function(a) return not is(a) end },
  logical_and = { "COMPARE", function(a, b) return is(a) and is(b) end },
  logical_or = { "COMPARE", function(a, b) return is(a) or is(b) end },
  logical_xor = { "COMPARE", function(a, b) return is(a) ~= is(b) end },
  bnot = { "BITS", function(a) return ~a end },
  band = { "BITS", function(a, b) return a & b end },
  bor = { "BITS", function(a, b) return a | b end },
  bxor = { "BITS", function(a, b) return a ~ b end },
  isnan = { "TEST", function(a) return a ~= a end },
  isinf = { "TEST", function(a) return a == huge or a == -huge end },
  isfinite = { "TEST", function(a) return a - a == 0 end },
  where = { "SELECT", function(a, b, c) return a and b or c end },
}

local wrap = {
  int64 = function(x) return x end,
  int32 = function(x) return (x + 0x80000000 & 0xffffffff) - 0x80000000 end,
  uint8 = function(x) return x & 255 end,
  bool = function(x) return x & 1 end,
}

-- ===}

local function is_float(dtype) return dtype:find "float" ~= nil end

-- One unit in the last place of x in that dtype.
local function ulp(x, dtype)
  local e = (string.unpack("<i8", string.pack("<d", x)) >> 52 & 0x7ff) - 1023
  if dtype == "float32" then return 2.0 ^ (math.max(e, -126) - 23) end
  return 2.0 ^ (math.max(e, -1022) - 52)
end

local function close(got, want, dtype, tolerance)
  if want ~= want then return got ~= got end
  local rounded = dtype == "float32" and r32(want) or want
  if got == rounded then return true end
  if not tolerance or got ~= got or want - want ~= 0 then return false end
  if got - got ~= 0 then return (got > 0) == (want > 0) and math.abs(rounded) > 1.7e308
    or math.abs(want) >= 3.4028234e38 and dtype == "float32" end
  return math.abs(got - want) <= tolerance * ulp(want, dtype)
end

local real = { 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, -3.5, nan, huge, -huge, 1e-40, -1e-44,
  1e-20, 88.7, -87.4, -103.5, 7.25, -7.25, 2 ^ 24 + 2, -2 ^ 23 - 1, 1e10, 3e38, -3e38, 100.75 }
local real2 = { 3.0, -0.0, 2, -2, 0.5, 2, -1.5, huge, 2.5, -7, nan, 3, -huge, 1e-20, 1e30, 1e-20, 1,
  -1, 0.0, 2, 2, 5, 3, 1e5, 1.5, 0.25, 100.75 }
local whole64 = { 0, 1, -1, 7, -7, 255, 256, -300, 2 ^ 31 | 0, -2 ^ 31 | 0, 2 ^ 53 + 1 | 0,
  math.maxinteger, math.mininteger, math.mininteger + 1, 12345678901, -3 }
local divisors = { 1, -1, 2, -2, 3, -3, 7, 255, math.maxinteger, math.mininteger, 10, -10 }

-- n values for operand k of that dtype.
local function operand(random, dtype, k, n, small)
  local list = {}
  for i = 1, n do
    if dtype == "bool" then
      list[i] = random(0, 1)
    elseif is_float(dtype) then
      local from = k == 1 and real or real2
      local u = random(-2 ^ 30 | 0, 2 ^ 30 | 0) / 2 ^ 30
      list[i] = i <= #from and from[i] or u * 2.0 ^ random(-8, 6)
      if dtype == "float32" then list[i] = r32(list[i]) end
    else
      local from = k == 1 and whole64 or divisors
      list[i] = i <= #from and from[i] or random(-100, 100)
      if small then list[i] = random(0, small) end
      list[i] = wrap[dtype](list[i])
      if k > 1 and not small and list[i] == 0 then list[i] = 1 end
    end
  end
  return list
end

local function tensor(list, dtype)
  local values = list
  if dtype == "bool" then
    values = {}
    for i, v in ipairs(list) do values[i] = v == 1 end
  end
  return lrn.tensor(values, { dtype = dtype })
end

-- The dtypes on which a family is defined.
local function takes(family, dtype)
  if family == "NUMBER" then return dtype ~= "bool" end
  if family == "BITS" then return not is_float(dtype) end
  return true
end

local dtypes = { "float32", "float64", "int64", "int32", "uint8", "bool" }
local N, shape = 65, { 5, 13 }

-- Operands as lists for an operation on a dtype.
local function operands(op, dtype)
  local random, lists = plain.random(97), {}
  for k = 1, op.arity do
    local own = op.name == "where" and k == 1 and "bool" or dtype
    lists[k] = operand(random, own, k, N, op.name == "pow" and k == 2 and not is_float(dtype) and 9)
  end
  return lists
end

-- Each operand as a tensor of that shape.
local function tensors(op, dtype, lists)
  local t = {}
  for k = 1, op.arity do
    t[k] = tensor(lists[k], op.name == "where" and k == 1 and "bool" or dtype):reshape(shape)
  end
  return t
end

describe("operations", function()
  it("all have a reference here", function()
    local count = 0
    for _, op in ipairs(core.ops()) do
      assert.is_truthy(rows[op.name], op.name .. " has no row in ops_spec")
      assert.is_truthy(lrn[op.name]) -- lrn.log is a module that can be called
      assert.is_function(lrn.zeros(1)[op.name])
      assert.is_function(lrn.zeros(1)[op.name .. "_"])
      count = count + 1
    end
    for _ in pairs(rows) do count = count - 1 end
    assert.equal(0, count)
  end)

  for _, op in ipairs(core.ops()) do
    it(op.name .. " is what Lua computes, on every dtype", function()
      local row = rows[op.name]
      local family, f = row[1], row[2]
      for _, dtype in ipairs(dtypes) do
        local lists = operands(op, dtype)
        local t = tensors(op, dtype, lists)
        if not takes(family, dtype) then
          raises("type", { op.name .. ": not defined for " .. dtype }, core[op.name],
            table.unpack(t))
        else
          local result = core[op.name](table.unpack(t))
          local computing = (family == "FLOAT" or family == "TEST") and not is_float(dtype)
            and "float32" or dtype
          local expected = (family == "COMPARE" or family == "TEST") and "bool" or computing
          assert.equal(expected, result.dtype)
          assert.same(shape, result.shape)
          local got = plain.flat(result)
          local r = computing == "float32" and r32 or r64
          local tolerance = computing == "float32" and row[3] or row[4]
          for i = 1, N do
            local a, b, c = lists[1][i], lists[2] and lists[2][i], lists[3] and lists[3][i]
            if computing ~= dtype then
              a, b, c = r(a + 0.0), b and r(b + 0.0), c and r(c + 0.0)
            end
            local want
            if op.name == "where" then
              want = a == 1 and b or c
              if a == 1 then want = b end
            elseif is_float(computing) then
              want = f(a, b, c, r)
            else
              want = (row.int or f)(a, b, c)
            end
            if type(want) == "number" and not is_float(computing) then want = wrap[dtype](want) end
            if expected == "bool" and type(want) == "number" then want = want == 1 end
            local ok = got[i] == want
            if is_float(computing) and row.domain and not row.domain(a, b) then
              ok = true
            elseif type(want) == "number" and is_float(expected) then
              ok = close(got[i], want, expected, tolerance)
            end
            if not ok then
              error(("%s of %s: f(%s, %s, %s) = %s, expected %s"):format(op.name, dtype, a, b, c,
                got[i], want))
            end
          end
        end
      end
    end)
  end

  it("give the same bits in every layout, in place, and into `out`", function()
    local random = plain.random(101)
    local names = { "contiguous", "transposed", "flipped", "strided" }
    for _, device in ipairs(plain.devices()) do
      for _, op in ipairs(core.ops()) do
        for _, dtype in ipairs(dtypes) do
          if takes(rows[op.name][1], dtype) then
            local t = tensors(op, dtype, operands(op, dtype))
            local result = core[op.name](table.unpack(t))
            local want = bits.bytes(result)
            local function same(r, what)
              if bits.bytes(r) ~= want then
                error(("%s of %s on %s: %s differs"):format(op.name, dtype, device, what))
              end
            end
            for _ = 1, device == "cpu" and 4 or 2 do
              local moved, used = {}, {}
              for k = 1, op.arity do
                used[k] = names[random(1, 4)]
                moved[k] = plain.layouts(t[k])[used[k]]
                if device ~= "cpu" then -- the strides must survive the way there
                  local there = t[k]:to { device = device }
                  moved[k] = plain.layouts(there)[used[k]]
                end
              end
              same(core[op.name](table.unpack(moved)), table.concat(used, ", "))
              local out = plain.layouts(result:zeros_like { device = device })[names[random(1, 4)]]
              local options = moved[1].add and { out = out }
              moved[op.arity + 1] = options
              assert.is_true(rawequal(out, core[op.name](table.unpack(moved))))
              same(out, "out")
              if result.dtype == dtype and op.name ~= "where" then
                moved[op.arity + 1] = nil
                local first = moved[1]
                assert.is_true(rawequal(first, first[op.name .. "_"](table.unpack(moved))))
                same(first, "in place")
              end
            end
          end
        end
      end
    end
  end)

  it("broadcast: expanded, 0-d and scalar operands give the bits of full ones", function()
    for _, device in ipairs(plain.devices()) do
      for _, op in ipairs(core.ops()) do
        for _, dtype in ipairs(dtypes) do
          if takes(rows[op.name][1], dtype) and op.arity > 1 then
            local t = tensors(op, dtype, operands(op, dtype))
            for k = 1, op.arity do t[k] = t[k]:to { device = device } end
            for k = 1, op.arity do
              local full = { table.unpack(t) }
              for _, part in ipairs { t[k] { 2, 2 }, t[k] "3", t[k] "2:2, 5:5", t[k](4, 5) } do
                local is_tensor = lrn.is_tensor(part)
                local args = { table.unpack(t) }
                args[k] = part
                if is_tensor then
                  full[k] = part:expand(shape):clone()
                else
                  full[k] = lrn.full(shape, part, { dtype = t[k].dtype, device = device })
                end
                local want = core[op.name](table.unpack(full))
                local got = core[op.name](table.unpack(args))
                assert.equal(want.dtype, got.dtype)
                if bits.bytes(want) ~= bits.bytes(got) then
                  error(("%s of %s on %s, operand %d broadcast from %s"):format(op.name, dtype,
                    device, k, is_tensor and table.concat(part.shape, "x") or "a number"))
                end
              end
            end
          end
        end
      end
    end
  end)

  it("of nothing give nothing, and of 0-d tensors 0-d ones", function()
    for _, device in ipairs(plain.devices()) do
      for _, op in ipairs(core.ops()) do
        for _, dtype in ipairs(dtypes) do
          if takes(rows[op.name][1], dtype) then
            for _, size in ipairs { { 0 }, { 3, 0, 2 }, {} } do
              local args = {}
              for k = 1, op.arity do
                local own = op.name == "where" and k == 1 and "bool" or dtype
                args[k] = lrn.ones(size, { dtype = own, device = device })
              end
              local r = core[op.name](table.unpack(args))
              assert.same(size, r.shape)
              assert.equal(device, r.device)
            end
          end
        end
      end
    end
  end)
end)

describe("integers", function()
  it("divide and take remainders as Lua does, for all pairs of signs and ends", function()
    local list = { 0, 1, -1, 2, -2, 3, -3, 7, -7, math.maxinteger, math.mininteger, 10 }
    for _, a in ipairs(list) do
      for _, b in ipairs(list) do
        if b ~= 0 then
          local t = lrn.tensor({ a }, { dtype = "int64" })
          assert.equal(a // b, (t // b)[1])
          assert.equal(a % b, (t % b)[1])
          assert.equal(a // b, (a // lrn.tensor({ b }, { dtype = "int64" }))[1])
        end
      end
    end
  end)

  it("refuse division by 0 and negative exponents before they write", function()
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "int64", "int32", "uint8" } do
        local t = lrn.full({ 3 }, 7, { dtype = dtype, device = device })
        local zero = lrn.tensor({ 1, 0, 2 }, { dtype = dtype }):to { device = device }
        raises("value", { "floordiv: integer division by 0" }, function() return t // 0 end)
        raises("value", { "mod: integer division by 0" }, function() return t % zero end)
        raises("value", { "floordiv_: integer division by 0" }, t.floordiv_, t, zero)
        if dtype ~= "uint8" then
          raises("value", { "pow: negative exponent" }, function() return t ^ -1 end)
          raises("value", { "pow_: negative exponent" }, t.pow_, t, -zero)
        end
        assert.same({ 7, 7, 7 }, t:tolist())
      end
    end
    assert.same({ huge }, (lrn.ones(1) // 0):tolist())
  end)

  it("wrap, as Lua's do", function()
    local t = lrn.tensor({ math.maxinteger, math.mininteger }, { dtype = "int64" })
    assert.same({ math.mininteger, math.mininteger + 1 }, (t + 1):tolist())
    assert.same({ -math.maxinteger, math.mininteger }, (-t):tolist())
    assert.same({ math.maxinteger, math.mininteger }, t:abs():tolist())
    assert.same({ 1, 0 }, (t * t):tolist())
    assert.same({ 44, 253 }, (lrn.tensor({ 100, 255 }, { dtype = "u8" }) * 3):tolist())
  end)
end)

describe("NaN and signed zero", function()
  it("maximum and minimum: NaN wins, +0 is above -0, from either side", function()
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs { "float32", "float64" } do
        local a = lrn.tensor({ nan, 1, 0.0, -0.0 }, { dtype = dtype }):to { device = device }
        local b = lrn.tensor({ 1, nan, -0.0, 0.0 }, { dtype = dtype }):to { device = device }
        local high, low = a:maximum(b):tolist(), a:minimum(b):tolist()
        for i = 1, 2 do
          assert.is_true(high[i] ~= high[i])
          assert.is_true(low[i] ~= low[i])
        end
        for i = 3, 4 do
          assert.equal(huge, 1 / high[i])
          assert.equal(-huge, 1 / low[i])
        end
      end
    end
  end)

  it("negation and rounding keep the sign of zero", function()
    local t = lrn.tensor { 0.0, -0.0, -0.3, 0.3 }
    for name, want in pairs { neg = { -huge, huge }, floor = { huge, -huge }, ceil = { huge, -huge,
      -huge }, round = { huge, -huge, -huge, huge }, trunc = { huge, -huge, -huge, huge } } do
      local list = t[name](t):tolist()
      for i, w in ipairs(want) do assert.equal(w, 1 / list[i], name) end
    end
  end)
end)

describe("operators", function()
  it("are the operations of their names", function()
    local a, b = lrn.tensor { 1.5, -2, 7 }, lrn.tensor { 2, 3, -4 }
    local i, j = lrn.tensor({ 6, 5, 12 }, { dtype = "int64" }), lrn.tensor({ 3, 4, 10 },
      { dtype = "int64" })
    for got, want in pairs {
      [a + b] = a:add(b), [a - b] = a:sub(b), [a * b] = a:mul(b), [a / b] = a:div(b),
      [a // b] = a:floordiv(b), [a % b] = a:mod(b), [a:abs() ^ b] = a:abs():pow(b), [-a] = a:neg(),
      [i & j] = i:band(j), [i | j] = i:bor(j), [i ~ j] = i:bxor(j), [~i] = i:bnot(),
      [2 - a] = lrn.sub(2, a), [2 / a] = lrn.div(2, a), [7 // i] = lrn.floordiv(7, i),
      [2 ^ i] = lrn.pow(2, i), [7 % i] = lrn.mod(7, i),
    } do
      assert.is_true(got == want)
    end
    assert.equal("float32", (i / j).dtype)
  end)
end)

describe("bits", function()
  it("are those of the CPU on every device", function()
    local want, names = bits.hashes()
    for _, device in ipairs(plain.devices()) do
      if device ~= "cpu" then
        local got = bits.hashes(device)
        for _, name in ipairs(names) do
          assert.equal(want[name], got[name], ("%s on %s"):format(name, device))
        end
      end
    end
    assert.is_true(#names > 400)
  end)

  it("are those of the generic kernels", function()
    local program = arg[0]
    for i = -1, -20, -1 do program = arg[i] or program end
    local command = ("LRN_ISA=generic '%s' spec/support/bits.lua 2>&1"):format(program)
    local pipe = assert(io.popen(command))
    local isa = pipe:read()
    local want, names = bits.hashes()
    local got = {}
    for line in pipe:lines() do
      local hash, name = line:match "^(%x+)\t(.*)$"
      if hash then got[name] = hash end
    end
    pipe:close()
    assert.equal("generic", isa)
    for _, name in ipairs(names) do assert.equal(want[name], got[name], name) end
  end)

  it("do not depend on the number of threads", function()
    local n = 100003 -- several tasks
    local parts = {}
    for _, dtype in ipairs { "float32", "int32" } do
      local t = bits.values(dtype, 997, 3)
      parts[dtype] = t:unsqueeze(1):expand(n // 997 + 1, 997):reshape(-1):narrow(1, 1, n)
    end
    local x, i = parts.float32, parts.int32
    local wide = x:narrow(1, 1, 99994):view(2, 49997)
    for _, op in ipairs(core.ops()) do
      plain.same_for_threads(function()
        local t = rows[op.name][1] == "BITS" and i or x
        local args = { t, t:flip(1), t }
        if op.name == "where" then args[1] = t:gt(0) end
        return bits.bytes(core[op.name](table.unpack(args, 1, op.arity)))
      end)
    end
    plain.same_for_threads(function()
      return bits.bytes(wide:t() + wide:select(1, 1):unsqueeze(2))
    end)
    plain.same_for_threads(function()
      return x:flip(1):clone():masked_fill(x:isnan(), 0):tobytes()
    end)
    plain.same_for_threads(function()
      return i:index_select(1, lrn.arange(n, 1, -3)):tobytes() .. i[i:gt(3)]:tobytes()
    end)
    plain.same_for_threads(function() return tostring(select(2, pcall(i.to, i, "uint8"))) end)
  end)
end)
