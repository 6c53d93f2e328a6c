-- Tensors: making, fields, views, selection and writing against a model in plain Lua, conversion,
-- and what the errors say.
local lrn = require "lrn"
local core = require "lrn.core"
local plain = dofile "spec/support/plain.lua"
local flat, ramp, raises = plain.flat, plain.ramp, plain.raises

local dtypes = { "float32", "float64", "int64", "int32", "uint8", "bool" }
local aliases = { f32 = "float32", f64 = "float64", i64 = "int64", i32 = "int32", u8 = "uint8",
  b = "bool" }

describe("making", function()
  it("gives every dtype, by its name and by its alias", function()
    for alias, name in pairs(aliases) do
      for _, maker in ipairs { "zeros", "ones", "empty" } do
        assert.equal(name, lrn[maker](2, 3, { dtype = alias }).dtype)
        assert.equal(name, lrn[maker]({ 2, 3 }, { dtype = name }).dtype)
      end
      assert.equal(name, lrn.full({ 2 }, 1, { dtype = alias }).dtype)
      assert.equal(name, lrn.tensor({ 1, 0 }, { dtype = alias }).dtype)
      assert.equal(name, lrn.ones(2):zeros_like({ dtype = alias }).dtype)
    end
  end)

  it("gives float32 by default, and what lrn.set chose", function()
    assert.equal("float32", lrn.zeros(2).dtype)
    lrn.set { dtype = "float64" }
    local ok, e = pcall(function()
      for _, t in ipairs { lrn.zeros(2), lrn.tensor { 1 }, lrn.rand(2), lrn.eye(2),
        lrn.arange(0, 1, 0.5), lrn.linspace(0, 1, 3), lrn.full({ 2 }, 1) } do
        assert.equal("float64", t.dtype)
      end
      assert.equal("int64", lrn.arange(1, 3).dtype)
      assert.equal("bool", lrn.tensor { true }.dtype)
    end)
    lrn.set { dtype = "float32" }
    assert(ok, e)
    raises("value", { "set", "dtype", "int64" }, lrn.set, { dtype = "int64" })
  end)

  it("takes sizes one by one or as a list, floats with integer values too", function()
    assert.same({ 2, 3 }, lrn.zeros(2, 3).shape)
    assert.same({ 2, 3 }, lrn.zeros({ 2, 3 }).shape)
    assert.same({ 2, 3 }, lrn.zeros(2.0, 3.0).shape)
    assert.same({}, lrn.zeros({}).shape)
    assert.same({ 0, 3 }, lrn.zeros(0, 3).shape)
    assert.equal(8, lrn.zeros(1, 1, 1, 1, 1, 1, 1, 1).ndim)
  end)

  it("fills: full, ones, eye", function()
    for _, dtype in ipairs(dtypes) do
      local one = dtype == "bool" and true or dtype:find "float" and 1.0 or 1
      assert.same({ one, one }, lrn.ones(2, { dtype = dtype }):tolist())
      assert.same({ one, one }, lrn.full(2, 1, { dtype = dtype }):tolist())
      local e = lrn.eye(2, 3, { dtype = dtype }):to "int64"
      assert.same({ { 1, 0, 0 }, { 0, 1, 0 } }, e:tolist())
    end
    assert.equal("bool", lrn.full({ 2 }, true).dtype)
    assert.equal(math.maxinteger, lrn.full({ 2 }, math.maxinteger, { dtype = "int64" })[2])
    assert.equal(math.mininteger, lrn.zeros(2, { dtype = "int64" }):fill_(math.mininteger)[1])
    assert.equal(5, lrn.zeros(3):full_like(5):mean())
  end)

  it("of nested tables keeps their shape and values", function()
    local random = plain.random(11)
    for _ = 1, 40 do
      local shape = plain.shape(random, 4, 4)
      local list = {}
      for i = 1, plain.count(shape) do list[i] = random(-100, 100) + 0.5 end
      local t = plain.tensor(shape, list)
      local again = lrn.tensor(t:tolist())
      assert.same(shape, again.shape)
      assert.same(list, flat(again))
    end
    assert.same({ 0 }, lrn.tensor({}).shape)
    assert.same({ 2, 0 }, lrn.tensor({ {}, {} }).shape)
    assert.same({}, lrn.tensor(3).shape)
    assert.equal("bool", lrn.tensor({ { true, false } }).dtype)
    local t = lrn.ones(3)
    local copy = lrn.tensor(t)
    copy[1] = 7
    assert.equal(1, t[1])
  end)

  it("of nested tables refuses what is no tensor", function()
    raises("size", "tensor: value: rows of different lengths", lrn.tensor, { { 1, 2 }, { 3 } })
    raises("size", "tensor: value: rows of different lengths", lrn.tensor, { { 1, 2 }, 3 })
    raises("size", "tensor: value: rows of different lengths", lrn.tensor, { {}, { 1 } })
    raises("type", { "tensor: value: got ", "expected numbers" }, lrn.tensor, { 1, { 2 } })
    raises("type", "tensor: value: got 'x'", lrn.tensor, { 1, "x" })
    raises("type", "tensor: value: got nil", lrn.tensor, { 1, nil, 3 })
    raises("type", "tensor: value: got nil", lrn.tensor, nil)
    raises("value", { "tensor: ", "2.5", "int64" }, lrn.tensor, { 2.5 }, { dtype = "int64" })
    raises("value", { "tensor: ", "256", "uint8" }, lrn.tensor, { 256 }, { dtype = "uint8" })
    raises("value", { "tensor: ", "-1", "uint8" }, lrn.tensor, { -1 }, { dtype = "uint8" })
    raises("value", { "tensor: ", "int32" }, lrn.tensor, { 2 ^ 31 | 0 }, { dtype = "int32" })
    local deep = 1
    for _ = 1, 9 do deep = { deep } end
    raises("size", "nested deeper", lrn.tensor, deep)
  end)

  it("of bytes is the inverse of tobytes, for every dtype and shape", function()
    local random = plain.random(5)
    for _, dtype in ipairs(dtypes) do
      for _ = 1, 8 do
        local shape = plain.shape(random, 3, 4)
        local t = ramp(shape):to(dtype)
        local again = lrn.tensor(t:tobytes(), { dtype = dtype, shape = shape })
        assert.same(shape, again.shape)
        assert.equal(dtype, again.dtype)
        assert.is_true(t == again)
      end
    end
    assert.same({ 97, 98 }, lrn.tensor("ab"):tolist())
    assert.equal("", lrn.zeros(0, 3):tobytes())
    raises("size", { "3 bytes", "float32" }, lrn.tensor, "abc", { dtype = "float32" })
    raises("value", "bool", lrn.tensor, "\0\2", { dtype = "bool" })
    raises("size", "[3]", lrn.tensor, "abcd", { shape = { 3 } })
  end)

  it("arange includes its end, as a for loop does", function()
    for _, c in ipairs { { 1, 5, 1 }, { 1, 6, 2 }, { 5, 1, -1 }, { 5, 2, -2 },
      { 3, 3, 1 }, { 3, 2, 1 }, { -4, 4, 3 } } do
      local list = {}
      for i = c[1], c[2], c[3] do list[#list + 1] = i end
      assert.same(list, lrn.arange(c[1], c[2], c[3]):tolist())
    end
    local tenth = lrn.arange(0, 1, 0.1)
    assert.equal(11, tenth.numel)
    assert.equal("float32", tenth.dtype)
    assert.same({ 1.0, 1.5, 2.0 }, lrn.arange(1, 2, 0.5):tolist())
    assert.equal("float64", lrn.arange(1, 3, { dtype = "float64" }).dtype)
  end)

  it("arange of integers is exact up to the ends of int64", function()
    local big = 2 ^ 53 | 0
    assert.same({ big + 1, big + 2, big + 3 }, lrn.arange(big + 1, big + 3):tolist())
    assert.same({ math.maxinteger - 1, math.maxinteger },
      lrn.arange(math.maxinteger - 1, math.maxinteger):tolist())
    assert.same({ math.mininteger, -1, math.maxinteger - 1 },
      lrn.arange(math.mininteger, math.maxinteger, math.maxinteger):tolist())
    assert.same({ math.maxinteger, -1 },
      lrn.arange(math.maxinteger, math.mininteger, math.mininteger):tolist())
  end)

  it("linspace and logspace have both ends, exactly", function()
    local random = plain.random(3)
    for _ = 1, 60 do
      local from, to = random(-1000, 1000) / 7, random(-1000, 1000) / 3
      local n = random(2, 50)
      local t = lrn.linspace(from, to, n, { dtype = "float64" })
      assert.equal(n, t.numel)
      assert.equal(from, t[1])
      assert.equal(to, t[-1])
      for i = 2, n - 1 do
        assert.near(from + (to - from) * (i - 1) / (n - 1), t[i], 1e-12 * 1000)
      end
    end
    assert.same({ 1.0, 10.0, 100.0 }, lrn.logspace(0, 2, 3, { dtype = "float64" }):tolist())
    assert.same({ 2.0 }, lrn.linspace(2, 9, 1):tolist())
    raises("value", { "linspace: n", "got 0" }, lrn.linspace, 0, 1, 0)
  end)

  it("from_function calls f with positions from 1 on", function()
    local t = lrn.from_function({ 2, 3, 2 }, function(i, j, k) return 100 * i + 10 * j + k end,
      { dtype = "int32" })
    for _, at in plain.positions { 2, 3, 2 } do
      assert.equal(100 * at[1] + 10 * at[2] + at[3], t(at[1], at[2], at[3]))
    end
    assert.equal("bool", lrn.from_function({ 2 }, function(i) return i == 1 end,
      { dtype = "bool" }).dtype)
    raises(nil, "from_function", lrn.from_function, { 2 }, function() return "x" end)
    raises("value", { "from_function", "2.5", "int64" }, lrn.from_function, { 2 },
      function() return 2.5 end, { dtype = "int64" })
    raises("type", { "from_function: f", "nil" }, lrn.from_function, { 2 })
  end)

  it("like another tensor keeps shape, dtype and device", function()
    for _, device in ipairs(plain.devices()) do
      local t = lrn.zeros({ 2, 3 }, { dtype = "float64", device = device })
      for _, name in ipairs { "zeros_like", "ones_like", "empty_like", "rand_like",
        "randn_like" } do
        local u = t[name](t)
        assert.same(t.shape, u.shape)
        assert.equal("float64", u.dtype)
        assert.equal(device, u.device)
      end
    end
  end)

  it("refuses bad sizes and names function, size and what came", function()
    for _, f in ipairs { "zeros", "ones", "empty", "rand", "randn" } do
      raises("size", { f .. ": size", "[2, -1]" }, lrn[f], 2, -1)
      raises("value", { f .. ": size: got 2.5" }, lrn[f], 2.5)
      raises("type", { f .. ": size: got '3'" }, lrn[f], { 2, "3" })
      raises("type", { f .. ": size: got '3'" }, lrn[f], "3")
      raises("size", { f .. ": size", "8" }, lrn[f], 1, 1, 1, 1, 1, 1, 1, 1, 1)
      raises("size", { f .. ": size", "2^47" }, lrn[f], 2 ^ 24, 2 ^ 24)
      raises("size", { f .. ": size", "2^47" }, lrn[f], 2 ^ 62 | 0, 4)
      raises("size", { f .. ": size", "2^47" }, lrn[f], 2 ^ 32 | 0, 2 ^ 32 | 0)
      raises("size", { f .. ": size", "2^47" }, lrn[f], math.maxinteger, 3)
      raises("size", { f .. ": size", "2^47" }, lrn[f], 0, math.maxinteger, math.maxinteger)
    end
    raises("value", "arange: step", lrn.arange, 1, 5, 0)
    raises("value", { "arange", "step 0" }, lrn.arange, 1, 5, 0.0)
    raises("value", "finite", lrn.arange, 1, math.huge, 1.5)
    raises("size", "too many", lrn.arange, math.mininteger, math.maxinteger)
    raises("size", "eye: size: got [-1, -1]", lrn.eye, -1)
  end)

  it("refuses unknown options with the list of the valid ones", function()
    local t = lrn.ones(2, 2)
    for _, f in ipairs { "zeros", "ones", "empty", "rand", "randn" } do
      raises("argument", { f .. ": unknown option 'dtpye'", "valid: dtype, device" }, lrn[f], 2,
        { dtpye = "int64" })
    end
    raises("argument", { "full: unknown option 'x'", "dtype" }, lrn.full, { 2 }, 1, { x = 1 })
    raises("argument", { "eye: unknown option 'x'" }, lrn.eye, 2, { x = 1 })
    raises("argument", { "arange: unknown option 'x'" }, lrn.arange, 1, 2, { x = 1 })
    raises("argument", { "tensor: unknown option 'x'", "shape" }, lrn.tensor, { 1 }, { x = 1 })
    raises("argument", { "tensor: unknown option 1" }, lrn.tensor, { 1 }, { "float64" })
    raises("argument", { "slice: unknown option 'form'", "from" }, t.slice, t, { form = 1 })
    raises("argument", { "add: unknown option 'x'", "out" }, t.add, t, 1, { x = 1 })
    raises("argument", { "add_: unknown option 'x'" }, t.add_, t, 1, { x = 1 })
    raises("argument", { "to: unknown option 'x'" }, t.to, t, { x = 1 })
    raises("argument", { "var: unknown option 'x'", "correction" }, t.var, t, 1, { x = 1 })
    raises("argument", { "bernoulli: unknown option 'device'" }, t.bernoulli, t, { device = "cpu" })
    raises("argument", { "randperm: unknown option 'dtype'" }, lrn.randperm, 2, { dtype = "f32" })
    raises("type", { "zeros: options: got 'int64'" }, lrn.zeros, 2, "int64")
    raises("argument", { "zeros: dtype", "'float16'", "float32" }, lrn.zeros, 2,
      { dtype = "float16" })
    raises("argument", { "'gpu'", "cpu" }, lrn.zeros, 2, { device = "gpu" })
  end)
end)

describe("fields", function()
  it("tell shape, strides, numel, dtype and device", function()
    local t = lrn.zeros({ 2, 3, 4 }, { dtype = "int32" })
    assert.same({ 2, 3, 4 }, t.shape)
    assert.same({ 12, 4, 1 }, t.strides)
    assert.same({ 1, 4, 12 }, t:permute(3, 2, 1).strides)
    assert.equal(24, t.numel)
    assert.equal(3, t.ndim)
    assert.equal("int32", t.dtype)
    assert.equal("cpu", t.device)
    assert.equal(2, #t)
    assert.equal(4, t:size(-1))
    assert.equal(2, t:size(1))
    local shape = t.shape
    shape[1] = 99
    assert.equal(2, t:size(1))
  end)

  it("cannot be set", function()
    local t = lrn.zeros(2)
    raises("argument", { "field", "'shape'" }, function() t.shape = { 1 } end)
  end)

  it("raise where a 0-d tensor has no length", function()
    raises("size", "#", function() return #lrn.tensor(1) end)
    raises("size", "rows", function() lrn.tensor(1):rows() end)
  end)

  it("take dimensions from 1 on; 0 says that positions start at 1", function()
    local t = lrn.zeros(2, 3)
    for name, args in pairs { size = {}, sum = {}, narrow = { 1, 1 }, select = { 1 }, flip = {},
      squeeze = {}, argmax = {}, unfold = { 1 }, mean = {} } do
      raises("value", { name .. ": dim: got 0; positions start at 1" }, t[name], t, 0,
        table.unpack(args))
      raises("value", { name .. ": dim: got 3, expected 1 to 2" }, t[name], t, 3,
        table.unpack(args))
      raises("value", { name .. ": dim: got 1.5, expected an integer" }, t[name], t, 1.5,
        table.unpack(args))
    end
    raises("value", "transpose: d2: got 0; positions start at 1", t.transpose, t, 1, 0)
    raises("type", "select: i: got '1'", t.select, t, 1, "1")
    raises("value", "select: i: got 0; positions start at 1", t.select, t, 1, 0)
  end)
end)

-- Are there strides with which the elements of t, in row order, have that shape?
local function can_view(t, shape)
  local offsets, old, strides = {}, t.strides, {}
  for k, at in plain.positions(t.shape) do
    offsets[k] = 0
    for d = 1, #at do offsets[k] = offsets[k] + (at[d] - 1) * old[d] end
  end
  for d = 1, #shape do
    local next_one = {}
    for e = 1, #shape do next_one[e] = e == d and shape[d] > 1 and 2 or 1 end
    strides[d] = offsets[plain.number(shape, next_one)]
  end
  for k, at in plain.positions(shape) do
    local offset = 0
    for d = 1, #shape do offset = offset + (at[d] - 1) * strides[d] end
    if offset ~= offsets[k] then return false end
  end
  return true
end

-- Every view of a ramp has, at each position, the element that the model says.
local function agrees(view, shape, want)
  assert.same(shape, view.shape)
  local got = flat(view)
  for k, at in plain.positions(shape) do
    local expected = want(at)
    if got[k] ~= expected then
      error(("at %s: %s, expected %s"):format(table.concat(at, ", "), got[k], expected), 2)
    end
  end
end

describe("views", function()
  it("share storage with their parent, whatever made them", function()
    for _, make in ipairs {
      function(t) return t:t() end, function(t) return t:transpose(1, 2) end,
      function(t) return t:permute(2, 1) end, function(t) return t:view(3, 2) end,
      function(t) return t:reshape(6) end, function(t) return t:flatten() end,
      function(t) return t:narrow(1, 1, 2) end, function(t) return t:select(1, 1) end,
      function(t) return t:slice { dim = 2, from = 3, to = 1, step = -2 } end,
      function(t) return t:squeeze() end, function(t) return t:unsqueeze(2) end,
      function(t) return t:unfold(2, 2, 1) end, function(t) return t:diagonal() end,
      function(t) return t:flip(1):flip(2) end, function(t) return t[1] end,
      function(t) return t({ 1, 2 }, { 1, 3 }) end, function(t) return t "1:2, ::-1" end,
      function(t) return t:contiguous() end, function(t) return t:expand(4, 2, 3) end,
      function(t) return t:to "float32" end, function(t) return t:cpu() end,
    } do
      local t = ramp({ 2, 3 }, "float32")
      local v = make(t)
      t:fill_(5)
      for _, x in ipairs(flat(v)) do assert.equal(5, x) end
    end
    local t = lrn.zeros(2, 3)
    t:t()[3] = 7 -- and the other way round
    assert.same({ { 0.0, 0.0, 7.0 }, { 0.0, 0.0, 7.0 } }, t:tolist())
  end)

  it("copies do not", function()
    local t = ramp({ 2, 3 }, "float32")
    for _, make in ipairs {
      function() return t:clone() end, function() return t:t():contiguous() end,
      function() return t:t():reshape(6) end, function() return t[t:gt(0)] end,
      function() return t(lrn.tensor({ 1 }, { dtype = "int64" })) end,
      function() return t:to "float64" end, function() return lrn.tensor(t) end,
    } do
      local copy = make()
      local before = copy:tobytes()
      t:add_(1)
      assert.equal(before, copy:tobytes())
    end
  end)

  it("keep their parent's storage alive", function()
    local v
    do v = ramp({ 1000 }):narrow(1, 991, 10) end
    collectgarbage() collectgarbage()
    assert.equal(9955, v:sum())
  end)

  it("permute, transpose, flip, narrow and select move positions as the model", function()
    local random = plain.random(17)
    for _ = 1, 60 do
      local shape = plain.shape(random, 5, 4, 1)
      local t, n = ramp(shape), #shape
      local order = {}
      for d = 1, n do order[d] = d end
      for d = n, 2, -1 do
        local e = random(1, d)
        order[d], order[e] = order[e], order[d]
      end
      local permuted = {}
      for d = 1, n do permuted[d] = shape[order[d]] end
      local function source(at)
        local from = {}
        for d = 1, n do from[order[d]] = at[d] end
        return plain.number(shape, from)
      end
      local p = t:permute(order)
      agrees(p, permuted, source)
      local d = random(1, n)
      agrees(p:flip(d), permuted, function(at)
        local from = { table.unpack(at) }
        from[d] = permuted[d] + 1 - at[d]
        return source(from)
      end)
      local first = random(1, permuted[d])
      local len = random(0, permuted[d] - first + 1)
      local narrowed = { table.unpack(permuted) }
      narrowed[d] = len
      agrees(p:narrow(d - n - 1, first - permuted[d] - 1, len), narrowed, function(at)
        local from = { table.unpack(at) }
        from[d] = from[d] + first - 1
        return source(from)
      end)
      local rest = { table.unpack(permuted) }
      table.remove(rest, d)
      local selected = p:select(d, first)
      agrees(selected, rest, function(at)
        local from = { table.unpack(at) }
        table.insert(from, d, first)
        return source(from)
      end)
      assert.same(permuted, p:unsqueeze(d):squeeze(d).shape)
    end
  end)

  it("unfold and diagonal as the model", function()
    local random = plain.random(23)
    for _ = 1, 60 do
      local shape = plain.shape(random, 4, 5, 2)
      local t, n = ramp(shape):transpose(1, 2):contiguous():transpose(1, 2), #shape
      local base = flat(t)
      local d, step = random(1, n), random(1, 4)
      local size = random(1, shape[d])
      local want = { table.unpack(shape) }
      want[d] = (shape[d] - size) // step + 1
      want[n + 1] = size
      agrees(t:unfold(d, size, step), want, function(at)
        local from = { table.unpack(at, 1, n) }
        from[d] = (at[d] - 1) * step + at[n + 1]
        return base[plain.number(shape, from)]
      end)
      local d1, d2 = random(1, n), random(1, n)
      if d1 ~= d2 then
        local offset = random(-5, 5)
        local rows = shape[d1] + math.min(offset, 0)
        local columns = shape[d2] - math.max(offset, 0)
        want = {}
        for k = 1, n do if k ~= d1 and k ~= d2 then want[#want + 1] = shape[k] end end
        want[#want + 1] = math.max(0, math.min(rows, columns))
        agrees(t:diagonal(offset, d1, d2), want, function(at)
          local from, k = {}, 0
          for e = 1, n do
            if e ~= d1 and e ~= d2 then
              k = k + 1
              from[e] = at[k]
            end
          end
          from[d1] = at[#want] - math.min(offset, 0)
          from[d2] = at[#want] + math.max(offset, 0)
          return base[plain.number(shape, from)]
        end)
      end
    end
    assert.same({ 1, 2 }, lrn.zeros(2):unfold(1, 2, math.maxinteger).shape)
  end)

  it("reshape gives the elements in row order, from any layout", function()
    local random = plain.random(29)
    for _ = 1, 600 do
      local shape, n = {}, 1
      for d = 1, random(1, 4) do
        shape[d] = ({ 1, 2, 3, 4, 6 })[random(1, 5)]
        n = n * shape[d]
      end
      local t = ramp(shape)
      local d = random(1, #shape)
      local choice = random(1, 6)
      if choice == 2 then t = t:transpose(1, d) end
      if choice == 3 then t = t:flip(d) end
      if choice >= 5 then t = t:transpose(1, d):narrow(random(1, #shape), 1, 1) end
      if choice == 4 then t = t:unsqueeze(d):expand(table.unpack((function()
        local e = { table.unpack(t.shape) }
        table.insert(e, d, 2)
        return e
      end)())) end
      local list = flat(t)
      n = #list
      local want, rest = {}, n
      while rest > 1 do
        local s = random(1, rest)
        while rest % s ~= 0 do s = random(1, rest) end
        want[#want + 1] = s
        rest = rest // s
        if #want == 7 then break end
      end
      want[#want + 1] = rest
      local r = t:reshape(want)
      assert.same(want, r.shape)
      assert.same(list, flat(r))
      local open = { table.unpack(want) }
      open[random(1, #open)] = -1
      assert.same(want, t:reshape(open).shape)
      -- a view is made exactly where one is possible: then it shares, and reads the same
      local ok, v = pcall(t.view, t, want)
      if ok then
        assert.same(list, flat(v))
      else
        raises("size", "the strides do not allow it", t.view, t, want)
      end
      assert.equal(can_view(t, want), ok)
      assert.same(list, flat(t:flatten()))
    end
  end)

  it("a view over merged or split strides is possible where strides permit", function()
    local t = ramp({ 4, 6, 5 })
    assert.same({ 24, 5 }, t:view(24, 5).shape)
    local narrow = t:narrow(1, 2, 2)
    assert.same(flat(narrow), flat(narrow:view(60)))
    local step = t:slice { dim = 3, from = 1, to = 5, step = 2 }
    assert.same({ 24, 3 }, step:view(24, 3).shape)
    raises("size", "view: int64[4, 6, 3] to [72]", step.view, step, 72)
    assert.same({ 2, 3, 4, 5 }, t:transpose(1, 2):view(2, 3, 4, 5).shape)
    raises("size", "view", function() return t:transpose(1, 2):view(24, 5) end)
  end)

  it("reshape refuses another number of elements", function()
    local t = lrn.zeros(2, 3)
    raises("size", { "reshape: float32[2, 3] to [7]" }, t.reshape, t, 7)
    raises("size", { "view: float32[2, 3] to [4, -1]" }, t.view, t, 4, -1)
    raises("size", { "reshape: float32[2, 3] to [-1, -1]" }, t.reshape, t, -1, -1)
    raises("size", { "reshape: float32[2, 3] to [-6]" }, t.reshape, t, -6)
    raises("size", { "reshape" }, t.reshape, t, 2 ^ 32 | 0, 2 ^ 32 | 0)
    raises("size", { "reshape" }, t.reshape, t, 6, math.maxinteger, 0)
  end)

  it("expand repeats without a copy and -1 keeps a size", function()
    local t = ramp({ 3, 1 })
    assert.same({ { 1, 1 }, { 2, 2 }, { 3, 3 } }, t:expand(3, 2):tolist())
    assert.same({ 2, 3, 4 }, t:expand(2, -1, 4).shape)
    assert.same({ 0, 3, 1 }, t:expand(0, 3, 1).shape)
    assert.equal(0, t:expand(3, 2).strides[2])
    raises("size", "expand: int64[3, 1] to [2, 1]", t.expand, t, 2, 1)
    raises("size", "expand: int64[3, 1] to [3]", t.expand, t, 3)
    raises("size", "expand: int64[3, 1] to [-1, 3, 1]", t.expand, t, -1, 3, 1)
    raises("size", "2^47", t.expand, t, 3, 2 ^ 46 | 0)
  end)

  it("refuse what they cannot do, in words of positions from 1 on", function()
    local t = lrn.zeros(2, 3)
    raises("size", { "t: got 3 dimensions" }, function() return lrn.zeros(1, 1, 1):t() end)
    raises("size", { "permute", "[2, 3]" }, t.permute, t, 1, 1)
    raises("size", { "permute: got 1 dimensions, expected 2" }, t.permute, t, 1)
    raises("value", { "permute", "0" }, t.permute, t, 0, 1)
    raises("size", { "diagonal: one dimension twice" }, t.diagonal, t, 0, 1, 1)
    raises("value", { "narrow: length: got 3" }, t.narrow, t, 1, 1, 3)
    raises("value", { "narrow: length: got -1" }, t.narrow, t, 1, 1, -1)
    raises("value", { "narrow: from: got 4" }, t.narrow, t, 1, 4, 1)
    raises("value", { "unfold: windows of 4", "3 positions" }, t.unfold, t, 2, 4)
    raises("value", { "unfold: windows of 0" }, t.unfold, t, 2, 0)
    raises("value", { "unfold", "every 0" }, t.unfold, t, 2, 1, 0)
    raises("size", "unsqueeze", function()
      return lrn.zeros(1, 1, 1, 1, 1, 1, 1, 1):unsqueeze(1)
    end)
    assert.same({ 2, 0 }, t:narrow(2, 4, 0).shape)
  end)

  it("that repeat elements refuse to be written, since no value would be right", function()
    local t = lrn.zeros(1, { dtype = "int64" })
    local e = t:expand(3)
    raises("size", { "add_: ", "repeats" }, e.add_, e, 1)
    raises("size", { "fill_: ", "repeats" }, e.fill_, e, 1)
    raises("size", { "zero_: ", "repeats" }, e.zero_, e)
    raises("size", { "copy_: ", "repeats" }, e.copy_, e, lrn.ones(3))
    raises("size", { "index: ", "repeats" }, function() e[{ { 1, 2 } }] = 4 end)
    raises("size", { "index_copy_: ", "repeats" }, e.index_copy_, e, 1,
      lrn.tensor({ 1 }, { dtype = "int64" }), 4)
    e[2] = 9 -- one element is well defined
    assert.equal(9, t[1])
    assert.same({ 10, 10, 10 }, (e + 1):tolist())
    assert.equal(3, lrn.ones(3):expand(1, 3):add_(0):sum())
  end)
end)

-- {=== Selection against a model: per dimension a list of positions and whether it is dropped ===

-- A random selector of a dimension: what is passed, the positions, dropped?, does it copy?
local function selector(random, size, tensors)
  local choice = random(1, tensors and 9 or 7)
  local function list(from, to, step)
    local at = {}
    for i = from, to, step do at[#at + 1] = i end
    return at
  end
  if choice == 1 then return nil, list(1, size, 1) end
  if choice == 2 then
    local i = random(1, size)
    return random(0, 1) == 0 and i or i - size - 1, { i }, true
  end
  if choice == 3 then
    local i = random(1, size)
    return { i }, { i }
  end
  if choice == 4 then return {}, list(1, size, 1) end
  if choice == 5 then -- an empty range
    local k = random(1, size + 1)
    return { k, k - 1 }, {}
  end
  if choice <= 7 then
    local a, b = random(1, size), random(1, size)
    local step = random(1, 3)
    if a > b then step = -step end
    if a == b and random(0, 1) == 0 then step = -step end
    local from = random(0, 1) == 0 and a or a - size - 1
    local to = random(0, 1) == 0 and b or b - size - 1
    if step == 1 and random(0, 1) == 0 then return { from, to }, list(a, b, 1) end
    return { from, to, step }, list(a, b, step)
  end
  if choice == 8 then
    local at, given = {}, {}
    for k = 1, random(0, 4) do
      at[k] = random(1, size)
      given[k] = random(0, 1) == 0 and at[k] or at[k] - size - 1
    end
    return lrn.tensor(given, { dtype = random(0, 1) == 0 and "int64" or "int32" }), at, false, true
  end
  local at, given = {}, {}
  for i = 1, size do
    given[i] = random(0, 1) == 1
    if given[i] then at[#at + 1] = i end
  end
  return lrn.tensor(given, { dtype = "bool" }), at, false, true
end

-- A random selection of t (shape, list): selectors, their number, the result's shape and numbers.
local function selection(random, shape, fixed)
  local s = { n = random(1, #shape), copies = false }
  local lists, want = {}, {}
  for d = 1, #shape do
    local list, drop, copy
    if d <= s.n then
      s[d], list, drop, copy = selector(random, shape[d], not s.copies and not fixed)
      s.copies = s.copies or copy
    else
      list = {}
      for i = 1, shape[d] do list[i] = i end
    end
    lists[d] = list
    if not drop then want[#want + 1] = #list end
  end
  local numbers = {}
  local sizes = {}
  for d = 1, #shape do sizes[d] = #lists[d] end
  for _, at in plain.positions(sizes) do
    local from = {}
    for d = 1, #shape do from[d] = lists[d][at[d]] end
    numbers[#numbers + 1] = plain.number(shape, from)
  end
  return s, want, numbers
end

local function with_layout(random, t)
  local names = { "contiguous", "transposed", "flipped", "strided" }
  return plain.layouts(t)[names[random(1, 4)]]
end

describe("selection", function()
  it("by a call gives what the model says, in every layout", function()
    local random = plain.random(31)
    for _ = 1, 400 do
      local shape = plain.shape(random, 4, 5, 1)
      local t = with_layout(random, ramp(shape))
      local s, want, numbers = selection(random, shape)
      local got = t(table.unpack(s, 1, s.n))
      if #want == 0 then
        assert.equal(numbers[1], got)
      else
        assert.same(want, got.shape)
        assert.same(numbers, flat(got))
      end
    end
  end)

  it("by a table is the same, {} standing for nil", function()
    local random = plain.random(37)
    for _ = 1, 300 do
      local shape = plain.shape(random, 4, 5, 1)
      local t = with_layout(random, ramp(shape))
      local s, want, numbers = selection(random, shape)
      for d = 1, s.n do if s[d] == nil then s[d] = {} end end
      local got = t[{ table.unpack(s, 1, s.n) }]
      if #want == 0 then
        assert.equal(numbers[1], got)
      else
        assert.same(want, got.shape)
        assert.same(numbers, flat(got))
      end
    end
  end)

  it("by a text is the same", function()
    local random = plain.random(41)
    for _ = 1, 300 do
      local shape = plain.shape(random, 3, 5, 1)
      local t = with_layout(random, ramp(shape))
      local s, want, numbers = selection(random, shape, true)
      local parts = {}
      for d = 1, s.n do
        local v = s[d]
        if v == nil or (type(v) == "table" and #v == 0) then
          parts[d] = ({ ":", "1:-1", " : " })[random(1, 3)]
        elseif type(v) == "number" then
          parts[d] = (" %d "):format(v)
        elseif #v == 1 then
          parts[d] = ("%d:%d"):format(v[1], v[1])
        else
          parts[d] = table.concat(v, ":")
        end
      end
      local got = t(table.concat(parts, ","))
      if #want == 0 then
        assert.equal(numbers[1], got)
      else
        assert.same(want, got.shape)
        assert.same(numbers, flat(got))
      end
    end
    local t = ramp({ 5 })
    assert.same({ 5, 4, 3, 2, 1 }, t "::-1":tolist())
    assert.same({ 5, 3, 1 }, t "::-2":tolist())
    assert.same({ 4, 5 }, t "-2:":tolist())
    assert.same({ 1, 2 }, t ":2":tolist())
    assert.same({ 0, 2 }, lrn.zeros(0, 2) ":, ::-1".shape)
  end)

  it("slice is the range of one dimension", function()
    local random = plain.random(43)
    for _ = 1, 100 do
      local shape = plain.shape(random, 3, 5, 1)
      local t, d = ramp(shape), random(1, #shape)
      local a, b, step = random(1, shape[d]), random(1, shape[d]), random(1, 2)
      if a > b then step = -step end
      local s = {}
      for k = 1, d - 1 do s[k] = {} end
      s[d] = { a, b, step }
      assert.is_true(t[s] == t:slice { dim = d, from = a, to = b, step = step })
    end
    local t = ramp({ 2, 3 })
    assert.same({ { 3, 2, 1 }, { 6, 5, 4 } }, t:slice { dim = 2, step = -1 }:tolist())
    assert.is_true(t == t:slice { dim = 1 })
  end)

  it("of a row is a view, of a position of a vector a Lua number of its kind", function()
    assert.equal("integer", math.type(ramp({ 3 })[2]))
    assert.equal("float", math.type(ramp({ 3 }, "float32")[2]))
    assert.is_true(lrn.tensor { true }[1])
    assert.equal("integer", math.type(ramp({ 3 }, "uint8")(2)))
    assert.same({ 3 }, ramp({ 2, 3 })[-1].shape)
    assert.equal(6, ramp({ 2, 3 })[2.0][3.0])
    assert.equal(7, lrn.tensor(7)())
    assert.same({ 2, 3 }, ramp({ 2, 3 })().shape)
  end)

  it("by a mask of the whole shape gives the elements in row order", function()
    local random = plain.random(47)
    for _ = 1, 60 do
      local shape = plain.shape(random, 4, 4, 0)
      local t = with_layout(random, ramp(shape))
      local limit = random(0, plain.count(shape) + 1)
      local mask = t:gt(limit)
      local want = {}
      for i = limit + 1, plain.count(shape) do want[#want + 1] = i end
      assert.same(want, t[mask]:tolist())
      assert.same(want, t(mask):tolist())
      assert.same(want, t:masked_select(mask):tolist())
      local where = mask:nonzero()
      assert.same({ #want, #shape }, where.shape)
      local list = where:tolist()
      for k, i in ipairs(want) do assert.equal(i, plain.number(shape, list[k])) end
    end
  end)

  it("refuses what lies outside, and clips nothing", function()
    local t = ramp({ 3, 4 })
    raises("value", { "index: 0 on dimension 1", "positions start at 1" },
      function() return t[0] end)
    raises("value", { "index: 0 on dimension 2", "positions start at 1" },
      function() return t(1, 0) end)
    raises("value", { "0 in a range on dimension 2", "positions start at 1" },
      function() return t(nil, { 0, 2 }) end)
    raises("value", "index: 4 on dimension 1 of size 3", function() return t[4] end)
    raises("value", "index: -4 on dimension 1 of size 3", function() return t[-4] end)
    raises("value", "index: 5 on dimension 2 of size 4", function() return t(1, 5) end)
    for _, r in ipairs { { 1, 5 }, { 3, 1 }, { 1, 3, -1 }, { 1, 4, 0 }, { 6, 5 }, { 5, 6, -1 },
      { -5, 2 }, { math.mininteger, 1 }, { 1, math.maxinteger },
      { math.maxinteger, math.mininteger },
      { math.maxinteger, 1, -1 }, { 4, 2, 1 } } do
      raises("value", { "index: range {", "on dimension 2 of size 4" },
        function() return t({}, r) end)
    end
    assert.same({ 3, 1 }, t({}, { 2, 3, math.maxinteger }).shape)
    raises("size", "index: 3 selectors for 2 dimensions", function() return t(1, 1, 1) end)
    raises("size", "index: 3 selectors for 2 dimensions", function() return t[{ 1, 1, 1 }] end)
    raises("size", "more selectors than the 2 dimensions", function() return t "1,1,1" end)
    raises("size", "a range of 4 numbers", function() return t({ 1, 2, 3, 4 }) end)
    for _, text in ipairs { "", "x", "1,", "1:2:3:4", "1:2:", "::", "1.5", "1 2", "::0" } do
      raises("value", "index: ", function() return t(text) end)
    end
    raises("value", "index: position: got 1.5, expected an integer", function() return t[1.5] end)
    raises("type", "index: got true", function() return t(true) end)
    raises("type", "index: got nil", function() return t[nil] end)
    raises("type", "index: got 'x'", function() return t(1, "x") end)
    raises("type", { "index: ", "float32", "int64" }, function() return t(lrn.ones(2)) end)
    raises("value", { "index: position 4 is outside of 1..3" },
      function() return t(lrn.tensor({ 1, 4 }, { dtype = "int64" })) end)
    raises("value", { "index: position 0 is outside of 1..3" },
      function() return t(lrn.tensor({ 0 }, { dtype = "int64" })) end)
    raises("value", "outside", function()
      return t(lrn.tensor({ math.mininteger }, { dtype = "int64" }))
    end)
    raises("size", { "index: mask", "bool[2]", "3 elements" },
      function() return t(lrn.tensor { true, false }) end)
    raises("size", { "index: mask", "bool[4, 3]", "int64[3, 4]" },
      function() return t[lrn.ones({ 4, 3 }, { dtype = "bool" })] end)
    raises("argument", "two index tensors", function()
      local i = lrn.tensor({ 1 }, { dtype = "int64" })
      return t(i, i)
    end)
  end)
end)

describe("writing", function()
  it("to a selection changes these elements and no other", function()
    local random = plain.random(53)
    for round = 1, 400 do
      local shape = plain.shape(random, 4, 4, 1)
      local t = with_layout(random, ramp(shape))
      local want = flat(t)
      local s, result, numbers = selection(random, shape)
      for d = 1, s.n do if s[d] == nil then s[d] = {} end end
      local key = { table.unpack(s, 1, s.n) }
      if round % 2 == 0 or #result == 0 then
        t[key] = -round
        for _, i in ipairs(numbers) do want[i] = -round end
      else
        local list = {}
        for k in ipairs(numbers) do list[k] = -k end
        t[key] = plain.tensor(result, list, { dtype = "int64" })
        for k, i in ipairs(numbers) do want[i] = -k end -- the last of repeated ones wins
      end
      assert.same(want, flat(t))
    end
  end)

  it("broadcasts the value", function()
    local t = lrn.zeros(2, 3, { dtype = "int64" })
    t[{ {}, { 2, 3 } }] = lrn.tensor({ 7, 8 }, { dtype = "int64" })
    assert.same({ { 0, 7, 8 }, { 0, 7, 8 } }, t:tolist())
    t[2] = 9
    assert.same({ { 0, 7, 8 }, { 9, 9, 9 } }, t:tolist())
    raises("size", "index: ", function() t[{ {}, { 1, 2 } }] = lrn.ones(3) end)
  end)

  it("by a mask writes a number, or one value for each true element", function()
    local random = plain.random(59)
    for _ = 1, 60 do
      local shape = plain.shape(random, 3, 4, 1)
      local t = with_layout(random, ramp(shape))
      local limit = random(0, plain.count(shape))
      local mask = t:le(limit)
      local u = t:clone()
      t[mask] = -1
      local want, count = {}, 0
      for i = 1, plain.count(shape) do want[i] = i <= limit and -1 or i end
      assert.same(want, flat(t))
      local list = {}
      for i = 1, limit do list[i] = -i end
      u[mask] = lrn.tensor(list, { dtype = "int64" })
      for i = 1, plain.count(shape) do
        want[i] = i <= limit and -i or i
        count = count + (i <= limit and 1 or 0)
      end
      assert.same(want, flat(u))
      assert.equal(count, mask:sum())
    end
    local t = lrn.zeros(3, 4)
    raises("size", { "mask", "bool[4, 3]" },
      function() t[lrn.ones({ 4, 3 }, { dtype = "bool" })] = lrn.ones(12) end)
    raises("size", { "mask", "bool[1, 4]" },
      function() t[lrn.ones({ 1, 4 }, { dtype = "bool" })] = 1 end)
    raises("size", { "true elements" },
      function() t[lrn.ones({ 3, 4 }, { dtype = "bool" })] = lrn.ones(11) end)
    local b = lrn.zeros(2, { dtype = "bool" })
    b[lrn.tensor { true, false }] = true
    assert.same({ true, false }, b:tolist())
  end)

  it("from an overlapping part of itself reads before it writes", function()
    local t = ramp({ 6 })
    t[{ { 2, 6 } }] = t { 1, 5 }
    assert.same({ 1, 1, 2, 3, 4, 5 }, t:tolist())
    t = ramp({ 6 })
    t:copy_(t:flip(1))
    assert.same({ 6, 5, 4, 3, 2, 1 }, t:tolist())
    t = ramp({ 3, 3 })
    t:add_(t:t())
    assert.same({ { 2, 6, 10 }, { 6, 10, 14 }, { 10, 14, 18 } }, t:tolist())
    t = ramp({ 4 })
    t[lrn.tensor({ 4, 3, 2, 1 }, { dtype = "int64" })] = t
    assert.same({ 4, 3, 2, 1 }, t:tolist())
  end)

  it("refuses a value that does not fit the dtype", function()
    local u8, i32 = lrn.zeros(2, { dtype = "uint8" }), lrn.zeros(2, { dtype = "int32" })
    raises("value", { "index: ", "300", "uint8" }, function() u8[1] = 300 end)
    raises("value", { "index: ", "-1", "uint8" }, function() u8[{ {} }] = -1 end)
    raises("value", { "index: ", "2.5", "uint8" }, function() u8[1] = 2.5 end)
    raises("value", { "index: ", "int32" }, function() i32[1] = 2 ^ 31 | 0 end)
    raises("value", { "set: ", "300", "uint8" }, u8.set, u8, 1, 300)
    raises("value", { "fill_: ", "300", "uint8" }, u8.fill_, u8, 300)
    raises("value", { "full: ", "nan", "int64" }, lrn.full, { 2 }, 0 / 0, { dtype = "int64" })
    raises("value", { "copy_: ", "float32", "uint8" }, u8.copy_, u8, lrn.tensor { 1, 300 })
    raises("type", { "index: value: got 'x'" }, function() u8[1] = "x" end)
    raises("type", { "index: value: got nil" }, function() u8[1] = nil end)
    raises("size", { "set: got 0 positions, expected 1" }, function() u8:set() end)
    raises("type", { "set: value: got nothing" }, function() lrn.tensor(1):set() end)
    u8[1] = true
    u8[2] = 7.0
    assert.same({ 1, 7 }, u8:tolist())
  end)

  it("leaves no view behind that would hold the memory of a closed tensor", function()
    local live = function() return lrn.memory().live_bytes end
    collectgarbage() collectgarbage() collectgarbage "stop"
    local before = live()
    local t = lrn.zeros(1000, 1000)
    t[1] = 5
    t[{ { 2, 3 }, 2 }] = 6
    t[{ -1, -1 }] = 7
    t[{ lrn.tensor({ 4, 5 }, { dtype = "int64" }), 2 }] = 8
    local with = live() - before
    t:close()
    local left = live() - before
    collectgarbage "restart"
    assert.is_true(with >= 4e6)
    assert.is_true(left < 1e4, left)
  end)

  it("past the end raises: a tensor does not grow", function()
    local t = lrn.zeros(3)
    raises("value", { "index: 4 on dimension 1 of size 3", "does not grow" },
      function() t[#t + 1] = 1 end)
    raises("value", { "index: 4 on dimension 1 of size 3", "does not grow" },
      function() lrn.zeros(3, 2)[4] = 1 end)
    raises("value", "index: 0 on dimension 1", function() t[0] = 1 end)
    raises("type", "index: got nil, expected a selector", function() t[nil] = 1 end)
  end)

  it("of one element by set, get and item", function()
    local t = lrn.zeros({ 2, 3 }, { dtype = "int64" })
    assert.equal(t, t:set(2, -1, math.maxinteger))
    assert.equal(math.maxinteger, t:get(2, 3))
    assert.equal(math.maxinteger, t[2][3])
    assert.equal(5, lrn.tensor(0):set(5):item())
    raises("size", "set: got 1 positions, expected 2", t.set, t, 1, 5)
    raises("size", "get: got 3 positions, expected 2", t.get, t, 1, 1, 1)
    raises("value", "get: index: got 0; positions start at 1", t.get, t, 0, 1)
    raises("size", "item: got 6 elements, expected 1", t.item, t)
  end)
end)

describe("pairs and rows", function()
  it("go over positions and rows, which are views", function()
    local t = ramp({ 3, 2 })
    local seen = {}
    for i, row in pairs(t) do
      seen[i] = row:tolist()
      row:fill_(i)
    end
    assert.same({ { 1, 2 }, { 3, 4 }, { 5, 6 } }, seen)
    assert.same({ { 1, 1 }, { 2, 2 }, { 3, 3 } }, t:tolist())
    seen = {}
    for i, x in ramp({ 4 }):rows() do seen[i] = x end
    assert.same({ 1, 2, 3, 4 }, seen)
    for _ in pairs(lrn.zeros(0, 2)) do error "a row of nothing" end
  end)
end)

describe("joining and picking", function()
  it("cat and stack put parts where the model says", function()
    local random = plain.random(61)
    for _ = 1, 60 do
      local shape = plain.shape(random, 4, 4, 1)
      local d, parts, total = random(1, #shape), {}, 0
      for k = 1, random(1, 4) do
        local s = { table.unpack(shape) }
        s[d] = random(0, 3)
        total = total + s[d]
        parts[k] = with_layout(random, ramp(s) + 1000 * k)
      end
      local joined = lrn.cat(parts, d - #shape - 1)
      local first = 1
      for _, p in ipairs(parts) do
        assert.is_true(p == joined:narrow(d, first, p:size(d)))
        first = first + p:size(d)
      end
      assert.equal(total, joined:size(d))
      local same = { ramp(shape), with_layout(random, -ramp(shape)) }
      local e = random(1, #shape + 1)
      local stacked = lrn.stack(same, e)
      assert.equal(2, stacked:size(e))
      for k = 1, 2 do assert.is_true(same[k] == stacked:select(e, k)) end
    end
    assert.equal("float64", lrn.cat { lrn.ones(1), lrn.ones(1, { dtype = "float64" }) }.dtype)
    assert.equal("int64", lrn.cat { lrn.tensor { true }, ramp({ 1 }) }.dtype)
    raises("size", { "cat", "float32[2, 2]", "float32[2, 3]" }, lrn.cat,
      { lrn.zeros(2, 2), lrn.zeros(2, 3) })
    raises("size", { "stack", "[3, 1]" }, lrn.stack, { lrn.zeros(2), lrn.zeros(3) }, 2)
    raises("type", { "cat: list: got nil" }, lrn.cat)
    raises("type", { "cat: list: got 3 at 2, expected a tensor" }, lrn.cat, { lrn.zeros(1), 3 })
    raises("value", { "cat: list: got 0" }, lrn.cat, {})
  end)

  it("index_select and gather read, index_copy_ writes, as the model", function()
    local random = plain.random(67)
    for _, device in ipairs(plain.devices()) do
      for _ = 1, 40 do
        local shape = plain.shape(random, 3, 4, 1)
        local d = random(1, #shape)
        local t = with_layout(random, ramp(shape)):to { device = device }
        local at = {}
        for k = 1, random(0, 5) do at[k] = random(1, shape[d]) end
        local idx = lrn.tensor(at, { dtype = "int64", device = device })
        local want = { table.unpack(shape) }
        want[d] = #at
        local picked = t:index_select(d, idx)
        agrees(picked, want, function(p)
          local from = { table.unpack(p) }
          from[d] = at[p[d]]
          return plain.number(shape, from)
        end)
        local copy = lrn.zeros(shape, { dtype = "int64", device = device })
        copy:index_copy_(d, idx, picked)
        local hit = {}
        for _, i in ipairs(at) do hit[i] = true end
        agrees(copy, shape, function(p) return hit[p[d]] and plain.number(shape, p) or 0 end)
        local spread = {}
        for e = 1, #shape do spread[e] = e == d and random(0, 4) or random(1, shape[e]) end
        local positions = {}
        for k = 1, plain.count(spread) do positions[k] = random(1, shape[d]) end
        local index = plain.tensor(spread, positions, { dtype = "int64" }):to { device = device }
        agrees(t:gather(d, index), spread, function(p)
          local from = { table.unpack(p) }
          from[d] = positions[plain.number(spread, p)]
          return plain.number(shape, from)
        end)
      end
    end
    local t, bad = ramp({ 3 }), lrn.tensor({ 5 }, { dtype = "int64" })
    raises("value", "index_select: position 5 is outside of 1..3", t.index_select, t, 1, bad)
    raises("value", "index_copy_: position 5 is outside of 1..3", t.index_copy_, t, 1, bad, 1)
    raises("value", "gather: position 5 is outside of 1..3", t.gather, t, 1, bad)
    raises("size", { "gather", "int64[1]", "float32[2, 2]" }, function()
      return lrn.zeros(2, 2):gather(1, bad)
    end)
    local exact = t:index_copy_(1, lrn.tensor({ 1 }, { dtype = "int64" }), math.maxinteger)
    assert.equal(math.maxinteger, exact[1])
  end)

  it("masked_fill gives a copy with the value where the mask is true", function()
    local t = ramp({ 4 })
    assert.same({ 1, 2, 0, 0 }, t:masked_fill(t:gt(2), 0):tolist())
    assert.same({ 1, 2, 3, 4 }, t:tolist())
    assert.equal("bool", lrn.zeros(2, { dtype = "bool" }):masked_fill(lrn.tensor { true, false },
      true).dtype)
    raises("type", { "masked_fill", "int64", "bool" }, t.masked_fill, t, t, 0)
  end)
end)

describe("conversion", function()
  it("of floats truncates towards 0", function()
    local t = lrn.tensor({ 2.7, -2.7, 0.9, -0.9, 0, 255.9 }, { dtype = "float64" })
    assert.same({ 2, -2, 0, 0, 0, 255 }, t:to "int64":tolist())
    assert.same({ 2, -2, 0, 0, 0, 255 }, t:to "i32":tolist())
    assert.same({ 2, 0, 0, 0, 255 }, t { 1, 6 }:masked_select(t:gt(-2)):to "uint8":tolist())
    assert.same({ true, true, true, true, false, true }, t:to "bool":tolist())
  end)

  it("raises for values that do not fit, in every layout, and names both dtypes", function()
    local ends = { uint8 = { -1, 256 }, int32 = { -2147483649, 2147483648 },
      int64 = { -2 ^ 64, 2 ^ 63 } }
    for dtype, bad in pairs(ends) do
      for _, v in ipairs { bad[1], bad[2], 0 / 0, math.huge, -math.huge } do
        local t = lrn.zeros({ 40, 3 }, { dtype = "float64" })
        t[{ 37, 2 }] = v
        for _, u in pairs(plain.layouts(t)) do
          raises("value", { "to: ", "float64", dtype }, u.to, u, dtype)
        end
      end
      if dtype ~= "int64" then
        raises("value", { "to: ", "int64", dtype }, function()
          return lrn.tensor({ bad[1] }, { dtype = "int64" }):to(dtype)
        end)
      end
    end
    local edge = lrn.tensor({ -2147483648, 2147483647 }, { dtype = "int64" })
    assert.is_true(edge:to "int32" == edge)
    assert.same({ 0, 255 }, lrn.tensor({ -0.5, 255.5 }):to "uint8":tolist())
    assert.equal(math.mininteger, lrn.tensor({ -2 ^ 63 }, { dtype = "float64" }):to "int64"[1])
  end)

  it("between all dtypes keeps numbers that both hold", function()
    local values = { 0, 1, 1, 0, 1 }
    for _, from in ipairs(dtypes) do
      local t = lrn.tensor(values, { dtype = from })
      for _, to in ipairs(dtypes) do
        for _, device in ipairs(plain.devices()) do
          local u = t:to { device = device }:to { dtype = to }:cpu()
          assert.equal(to, u.dtype)
          assert.same(values, flat(u:to "int64"))
        end
      end
    end
  end)

  it("to what it is gives the tensor itself", function()
    local t = lrn.zeros(2)
    assert.is_true(rawequal(t, t:to "float32"))
    assert.is_true(rawequal(t, t:to { dtype = "f32", device = "cpu" }))
    assert.is_true(rawequal(t, t:contiguous()))
  end)

  it("to another device and back keeps the bytes", function()
    local random = plain.random(71)
    for _, device in ipairs(plain.devices()) do
      for _, dtype in ipairs(dtypes) do
        local shape = plain.shape(random, 3, 4)
        local t = with_layout(random, ramp(shape):to(dtype):unsqueeze(1))
        local there = t:to { device = device }
        assert.equal(device, there.device)
        assert.equal(t:tobytes(), there:tobytes())
        assert.equal(t:tobytes(), there:cpu():tobytes())
        assert.same(t:tolist(), there:tolist())
      end
    end
  end)

  it("tolist gives floats, integers and booleans", function()
    assert.equal("float", math.type(lrn.ones(1):tolist()[1]))
    assert.equal("integer", math.type(lrn.ones(1, { dtype = "u8" }):tolist()[1]))
    assert.is_true(lrn.ones(1, { dtype = "bool" }):tolist()[1])
    assert.equal(3.0, lrn.tensor(3):tolist())
    assert.same({}, lrn.zeros(0, 3):tolist())
    assert.same({ {}, {} }, lrn.zeros(2, 0):tolist())
    assert.equal(math.mininteger, lrn.full({ 1 }, math.mininteger, { dtype = "i64" }):tolist()[1])
    assert.equal(string.unpack("f", string.pack("f", 0.1)), lrn.tensor { 0.1 }[1])
  end)
end)

describe("closing", function()
  it("at the end of a block, and by close, makes every use raise", function()
    local outer
    do
      local t <close> = lrn.zeros(3)
      outer = t
    end
    local closed = lrn.zeros(2)
    closed:close()
    for _, t in ipairs { outer, closed } do
      raises("state", "closed", function() return t:sum() end)
      raises("state", "closed", function() return t[1] end)
      raises("state", "closed", function() return t(1) end)
      raises("state", "closed", function() t[1] = 1 end)
      raises("state", "closed", function() return t + 1 end)
      raises("state", { "add: argument 2", "closed" }, function() return lrn.zeros(2) + t end)
      raises("state", "closed", function() return #t end)
      raises("state", "closed", function() return t.shape end)
      raises("state", "closed", function() return t == lrn.zeros(2) end)
      raises("state", { "mm: argument 2", "closed" }, function() return lrn.zeros(2, 2):mm(t) end)
      raises("state", "closed", function() return lrn.cat { t } end)
      raises("state", "closed", function() pairs(t) end)
      assert.equal("tensor (closed)", tostring(t))
      assert.is_true(lrn.is_tensor(t))
    end
  end)

  it("leaves views of the same storage usable", function()
    local t = ramp({ 4 })
    local v = t { 2, 3 }
    t:close()
    assert.same({ 2, 3 }, v:tolist())
  end)

  it("gives the memory back at once", function()
    collectgarbage() collectgarbage()
    local before = core.memory().live_bytes
    local t = lrn.zeros(1000, 1000)
    assert.is_true(core.memory().live_bytes >= before + 4000000)
    t:close()
    assert.is_true(core.memory().live_bytes < before + 4000)
  end)
end)

describe("equality", function()
  it("is of shape and values, across dtypes and layouts", function()
    local t = ramp({ 3, 4 })
    for _, u in pairs(plain.layouts(t)) do assert.is_true(t == u) end
    assert.is_true(t == t:to "float32")
    assert.is_false(t == t:reshape(4, 3))
    assert.is_false(t == t:reshape(12))
    local other = t:clone()
    other[{ 3, 4 }] = 0
    assert.is_true(t ~= other)
    assert.is_true(lrn.zeros(0, 2) == lrn.zeros(0, 2))
    assert.is_false(lrn.zeros(0, 2) == lrn.zeros(2, 0))
    assert.is_false(lrn.tensor { 0 / 0 } == lrn.tensor { 0 / 0 })
    assert.is_true(lrn.tensor { 0.0 } == lrn.tensor { -0.0 })
    assert.is_false(t == 3)
    assert.is_false(t:equal(nil))
  end)

  it("does not round integers to compare them with floats", function()
    local i = lrn.tensor({ 16777217 }, { dtype = "int64" })
    assert.is_false(i == lrn.tensor { 16777216 })
    assert.same({ true }, i:gt(16777216.5):tolist())
    assert.same({ true }, i:gt(lrn.tensor { 16777216 }):tolist())
  end)
end)

describe("tostring", function()
  it("says shape, dtype and device", function()
    local s = tostring(lrn.zeros({ 2, 3 }, { dtype = "int32" }))
    assert.matches("int32", s)
    assert.matches("2", s)
    assert.matches("3", s)
    assert.matches("cpu", s)
  end)

  it("summarises over 1000 elements and shows all below", function()
    local small = tostring(lrn.arange(1, 1000))
    for i = 1, 1000 do assert.is_truthy(small:find(tostring(i), 1, true)) end
    local big = tostring(lrn.arange(100001, 200000))
    assert.is_true(#big < 3000)
    assert.matches("100001", big)
    assert.matches("200000", big)
    assert.is_nil(big:find("150000", 1, true))
  end)

  it("works for every dtype, shape and value", function()
    for _, dtype in ipairs(dtypes) do
      for _, shape in ipairs { {}, { 0 }, { 1 }, { 2, 0, 3 }, { 2, 3, 4 },
        { 1, 1, 1, 1, 1, 1, 1, 1 }, { 2000 }, { 100, 100 } } do
        assert.equal("string", type(tostring(lrn.ones(shape, { dtype = dtype }))))
      end
    end
    local s = tostring(lrn.tensor { 0 / 0, math.huge, -math.huge, 1e-300, 1e30 })
    assert.matches("nan", s)
    assert.matches("inf", s)
  end)
end)

describe("dtypes", function()
  it("of a mixture follow the table", function()
    local rank = { bool = 0, uint8 = 1, int32 = 2, int64 = 3, float32 = 4, float64 = 5 }
    for _, a in ipairs(dtypes) do
      for _, b in ipairs(dtypes) do
        if a ~= "bool" or b ~= "bool" then
          local want = rank[a] > rank[b] and a or b
          local x, y = lrn.ones(2, { dtype = a }), lrn.ones(2, { dtype = b })
          assert.equal(want, (x + y).dtype)
          assert.equal(want, lrn.cat { x, y }.dtype)
        end
      end
    end
  end)

  it("a Lua number never changes the kind of a tensor", function()
    for _, dtype in ipairs(dtypes) do
      local t = lrn.ones(2, { dtype = dtype })
      if dtype ~= "bool" then
        assert.equal(dtype, (t + 1).dtype)
        assert.equal(dtype, (1 + t).dtype)
        assert.equal(dtype, t:maximum(1).dtype)
        assert.equal(dtype, t:clamp(0, 5).dtype)
        assert.equal(dtype, t:clamp(0).dtype)
        assert.equal(dtype, t:clamp(nil, 5).dtype)
        assert.equal(dtype, (t + true).dtype)
      end
      local float = dtype:find "float" and dtype or "float32"
      assert.equal(float, (t + 1.5).dtype)
      assert.equal(float, (t / 2).dtype)
      assert.equal(float, (t * 2.0).dtype)
      assert.equal("bool", t:gt(0.5).dtype)
      assert.equal(float, lrn.where(lrn.tensor { true, false }, t, 1.5).dtype)
      assert.equal(dtype, lrn.where(lrn.tensor { true, false }, t, true).dtype)
    end
    assert.equal("bool", lrn.where(lrn.tensor { true }, true, false).dtype)
    assert.equal("int64", lrn.where(lrn.tensor { true }, 1, 2).dtype)
  end)

  it("an integer that does not fit is an error and is not wrapped", function()
    local u8, i32 = lrn.ones(2, { dtype = "uint8" }), lrn.ones(2, { dtype = "int32" })
    raises("value", { "add: 300 does not fit uint8" }, function() return u8 + 300 end)
    raises("value", { "sub: 300 does not fit uint8" }, function() return 300 - u8 end)
    raises("value", { "mul: -1 does not fit uint8" }, function() return u8 * -1 end)
    raises("value", { "add: 4294967296 does not fit int32" }, function() return i32 + (1 << 32) end)
    raises("value", { "clamp: 300 does not fit uint8" }, function() return u8:clamp(nil, 300) end)
    raises("value", { "add_: 300 does not fit uint8" }, function() u8:add_(300) end)
    assert.same({ 254, 254 }, (u8 + 253):tolist())
  end)

  it("arithmetic of bool is an error that says what to use; logic is not", function()
    local b = lrn.tensor { true, false }
    for _, f in ipairs { function() return b + b end, function() return -b end,
      function() return b * 2 end, function() return b // 1 end, function() return b:abs() end } do
      raises("type", { "not defined for bool", "logical_and" }, f)
    end
    assert.same({ false, true }, (~b):tolist())
    assert.same({ true, false }, (b & true):tolist())
    assert.same({ true, true }, (b | lrn.tensor { false, true }):tolist())
    assert.same({ 2, 1 }, (b + lrn.tensor({ 1, 1 }, { dtype = "int64" })):tolist())
    assert.equal(1, b:sum())
  end)

  it("in place stay as they are, and a kind that does not fit raises", function()
    local random = plain.random(73)
    for _, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8" } do
      local t = lrn.full({ 2, 3 }, 7, { dtype = dtype })
      for _, f in ipairs { "add_", "sub_", "mul_", "maximum_", "mod_", "floordiv_" } do
        assert.is_true(rawequal(t, t[f](t, random(1, 3))))
        assert.equal(dtype, t.dtype)
      end
      t:gt_(0)
      assert.equal(dtype, t.dtype)
    end
    local i32 = lrn.ones(2, { dtype = "int32" })
    raises("type", { "add_: ", "float32", "int32", "in place" }, i32.add_, i32, 0.5)
    raises("type", { "exp_: ", "int32" }, i32.exp_, i32)
    raises("type", { "div_: ", "int32" }, i32.div_, i32, 2)
    raises("type", { "add_: ", "float32", "int32" }, i32.add_, i32, lrn.ones(2))
    local f = lrn.ones(2)
    f:add_(lrn.ones(2, { dtype = "float64" }))
    assert.equal("float32", f.dtype)
    raises("size", { "add_: ", "[3, 2]", "float32[2]" }, f.add_, f, lrn.ones(3, 2))
  end)

  it("strings are no numbers", function()
    local t = lrn.ones(2)
    raises("type", { "add: argument 1: got '10', expected a tensor or a number" },
      function() return "10" + t end)
    raises("type", { "mul: argument 2: got nil" }, function() return t * nil end)
    raises("type", { "add: argument 2: got a table" }, function() return t:add({}) end)
    raises("type", { "add: got no tensor" }, lrn.add, 1, 2)
    raises("argument", { "add: got 3 arguments, expected 2" }, t.add, t, 1, 2)
    raises("type", { "use a:lt(b)" }, function() return t < t end)
    raises("type", { "use a:lt(b)" }, function() return t <= t end)
    raises(nil, "concatenate", function() return t .. "x" end)
  end)
end)

describe("broadcasting", function()
  it("follows NumPy's rules, against the model", function()
    local random = plain.random(79)
    for _ = 1, 150 do
      local full = plain.shape(random, 4, 3, 1)
      local function part()
        local s = {}
        for d = random(1, #full), #full do s[#s + 1] = random(0, 2) == 0 and 1 or full[d] end
        return s
      end
      local sa, sb = part(), part()
      local want = {}
      for d = 1, math.max(#sa, #sb) do
        local a = sa[#sa - math.max(#sa, #sb) + d] or 1
        local b = sb[#sb - math.max(#sa, #sb) + d] or 1
        want[d] = a == 1 and b or a
      end
      local function at(shape, p)
        local q = {}
        for d = 1, #shape do
          q[d] = shape[d] == 1 and 1 or p[#want - #shape + d]
        end
        return plain.number(shape, q)
      end
      local a, b = with_layout(random, ramp(sa)), with_layout(random, ramp(sb))
      agrees(a * 1000 + b, want, function(p) return at(sa, p) * 1000 + at(sb, p) end)
    end
  end)

  it("refuses shapes that do not, and names both", function()
    local a, b = lrn.zeros(2, 3), lrn.zeros(4)
    raises("size", { "add: shapes [2, 3] and [4] do not broadcast (3 vs 4)" },
      function() return a + b end)
    raises("size", { "where" }, lrn.where, lrn.tensor { true, false, true }, a, b)
    assert.same({ 0, 3 }, (lrn.zeros(0, 1) + lrn.zeros(3)).shape)
    raises("size", { "add: shapes [0] and [2]" }, function() return lrn.zeros(0) + lrn.zeros(2) end)
  end)
end)
