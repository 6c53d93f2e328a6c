-- Files: values, models, checkpoints; what happens to them when something goes wrong.
local lrn = require "lrn"

local paths = {}
local function temporary()
  local path = os.tmpname()
  os.remove(path)
  paths[#paths + 1] = path
  return path
end
teardown(function() for _, path in ipairs(paths) do os.execute("rm -rf " .. path) end end)

local function read(path)
  local f = assert(io.open(path, "rb"))
  local s = f:read "a"
  f:close()
  return s
end

local function write(path, s)
  local f = assert(io.open(path, "wb"))
  f:write(s)
  f:close()
end

local interpreter = arg and arg[0] or "lua5.4"
for i = -1, -20, -1 do interpreter = arg and arg[i] or interpreter end

local bars = lrn.data.bars_and_stripes(3)

local function model(options)
  local o = { n_visible = 9, n_hidden = 5, seed = 3, momentum = 0.5, visible_bias = "zero" }
  for key, value in pairs(options or {}) do o[key] = value end
  return lrn.RBM(o)
end

-- Equal in all that training reads and has measured, time apart.
local function assert_same_model(a, b)
  for name, t in pairs(a:parameters()) do
    assert.is_true(t == b:parameters()[name], name .. " differs")
  end
  local x, y = temporary(), temporary()
  assert(a:save(x))
  assert(b:save(y))
  local ta, ma = assert(lrn.io.safetensors.load(x))
  local tb, mb = assert(lrn.io.safetensors.load(y))
  for name, t in pairs(ta) do assert.is_true(tb[name] ~= nil and t == tb[name], name ..
    " differs") end
  for name in pairs(tb) do assert.is_not_nil(ta[name]) end
  for _, key in ipairs { "lrn.format", "lrn.class", "lrn.options",
    "lrn.generator" } do assert.equal(ma[key], mb[key]) end
  for _, name in ipairs { "mse", "error", "pl" } do assert.same(a.history[name],
    b.history[name]) end
end

describe("lrn.save and lrn.load", function()
  it("round-trip tables of tensors, texts, numbers and booleans", function()
    local path = temporary()
    local value = { x = lrn.rand(3, 4), note = "text \"quoted\" \n ü", n = 3, r = 3.0,
      tiny = 5e-324, big = math.mininteger, third = 1 / 3, yes = true, no = false, empty = {},
      list = { 1, 2, { deep = lrn.ones(2, { dtype = "int64" }) } }, [7] = "seven", [2.5] = "half",
      [true] = 1, bytes = "\0\255\254", nan = 0 / 0, inf = math.huge, minus = -math.huge }
    assert(lrn.save(path, value))
    local again = assert(lrn.load(path))
    assert.is_true(again.nan ~= again.nan)
    assert.is_true(value.x == again.x)
    assert.is_true(value.list[3].deep == again.list[3].deep)
    assert.equal("int64", again.list[3].deep.dtype)
    for _, t in ipairs { value, again } do t.nan, t.x, t.list[3].deep = nil, nil, nil end
    assert.same(value, again)
    assert.equal("integer", math.type(again.n))
    assert.equal("float", math.type(again.r))
  end)

  it("round-trip a single tensor of each type, a text and a number", function()
    local path = temporary()
    for _, dtype in ipairs { "float32", "float64", "int64", "int32", "uint8", "bool" } do
      local t = lrn.tensor({ 0, 1, 1 }, { dtype = "int64" }):to(dtype)
      assert(lrn.save(path, t))
      local again = assert(lrn.load(path))
      assert.equal(dtype, again.dtype)
      assert.is_true(t == again)
    end
    for _, v in ipairs { "text", 3, 2.5, true } do
      assert(lrn.save(path, v))
      assert.equal(v, lrn.load(path))
    end
  end)

  it("write a table of tensors so that other programs see the names", function()
    local path = temporary()
    local t = lrn.rand(2)
    assert(lrn.save(path, { weights = t, sub = { bias = t, other = lrn.ones(1) } }))
    local tensors = assert(lrn.io.safetensors.load(path))
    assert.is_true(tensors["sub.other"] ~= nil)
    assert.is_true(tensors.weights ~= nil or tensors["sub.bias"] ~= nil)
    local again = lrn.load(path)
    assert.is_true(again.weights == t and again.sub.bias == t)
  end)

  it("read another program's safetensors as a table of tensors", function()
    local path = temporary()
    assert(lrn.io.safetensors.save(path, { x = lrn.ones(2), y = lrn.zeros(1) }, { by = "me" }))
    local t = assert(lrn.load(path))
    assert.same({ 1, 1 }, t.x:tolist())
    local _, metadata = lrn.io.safetensors.load(path)
    assert.equal("me", metadata.by)
  end)

  it("refuse what is no data", function()
    local path = temporary()
    local loop = {}
    loop.self = loop
    local cases = { { print, "got a function" }, { { f = print }, "value at f: got a function" },
      { loop, "contains itself" }, { { [{}] = 1 }, "cannot be a key" },
        { { m = model() }, "value at m: got an object" },
      { coroutine.create(print), "got a thread" } }
    for _, case in ipairs(cases) do
      assert.error_matches(function() lrn.save(path, case[1]) end, case[2])
    end
    assert.error_matches(function() lrn.save(path) end, "save: value: missing")
    assert.error_matches(function() lrn.save(3, 3) end, "save: path: got 3, expected a string")
    assert.is_nil(io.open(path))
  end)
end)

describe("JSON", function()
  local core = require "lrn.core"

  it("of a table has its names in order, however it was filled", function()
    local names = {}
    for i = 1, 300 do names[i] = ("k%03d"):format(i * 7 % 307) end
    local t = { inner = { b = { true }, a = {}, c = "x" } }
    for i, name in ipairs(names) do t[name] = i end
    local text, last = core.json_encode(t), ""
    assert.matches('"inner":{"a":[],"b":[true],"c":"x"}', text, 1, true)
    for name in text:gmatch '"(k%d+)":' do
      assert.is_true(last < name)
      last = name
    end
    assert.same(t, core.json_decode(text))
    local other = { inner = t.inner }
    for i = #names, 1, -1 do other[names[i]] = i end
    assert.equal(text, core.json_encode(other))
  end)

  it("has no names that are no text", function()
    for _, t in ipairs { { a = 1, [true] = 2 }, { a = { [1.5] = 1 } }, { a = print } } do
      assert.error_matches(function() core.json_encode(t) end, "a value that JSON does not have")
    end
  end)
end)

describe("a saved model", function()
  it("comes back with parameters, options, history and the same outputs", function()
    local path = temporary()
    local m = model { temperature = 0.7, decay = 1e-4, persistent = 6 }
    m:fit(bars, { epochs = 2, batch_size = 4 })
    assert.is_true(m:save(path))
    local again = assert(lrn.load(path))
    assert_same_model(m, again)
    assert.equal(0.7, again.temperature)
    assert.equal(6, again.persistent)
    assert.same(m.history.time, again.history.time)
    assert.is_true(m(bars.data) == again(bars.data))
    local p, h = m:hidden_sampling(bars.data)
    local q, g = again:hidden_sampling(bars.data)
    assert.is_true(p == q and h == g)
    assert.equal(tostring(m), tostring(again))
  end)

  it("can be saved before it was trained", function()
    local path = temporary()
    local m = model()
    assert(m:save(path))
    local again = assert(lrn.load(path))
    m:fit(bars, { epochs = 1 })
    again:fit(bars, { epochs = 1 })
    assert_same_model(m, again)
  end)

  it("keeps the class that defined it", function()
    local path = temporary()
    local Named = lrn.models.define { visible = "gaussian", hidden = "relu", name = "FilesSpec" }
    local m = Named { n_visible = 3, n_hidden = 2, seed = 1 }
    assert(lrn.save(path, m))
    local again = assert(lrn.load(path))
    assert.equal("FilesSpec", again.class)
    assert.equal("gaussian", again.visible)
    assert.is_true(again.W == m.W)
  end)

  it("goes on bit for bit", function()
    for _, options in ipairs { {}, { persistent = 5 }, { steps = 3 }, { dtype = "float64" } } do
      local path = temporary()
      local a, b = model(options), model(options)
      a:fit(bars, { epochs = 5, batch_size = 4 })
      b:fit(bars, { epochs = 2, batch_size = 4 })
      assert(b:save(path))
      local c = assert(lrn.load(path))
      c:fit(bars, { epochs = 3, batch_size = 4 })
      assert_same_model(a, c)
    end
  end)
end)

describe("fit with resume", function()
  it("continues an interrupted run bit for bit, from any batch", function()
    local whole = model { persistent = 3 }
    whole:fit(bars, { epochs = 3, batch_size = 4 })
    for k = 0, 11 do
      local path = temporary()
      local left = k
      local stopping = bars:map(function(x)
        left = left - 1
        if left < 0 then error "stop" end
        return x
      end)
      local m = model { persistent = 3 }
      assert.is_false((pcall(m.fit, m, stopping, { epochs = 3, batch_size = 4 })))
      assert(m:save(path))
      local other = model { persistent = 3, seed = 77 }
      assert(other:fit(bars, { epochs = 3, batch_size = 4, resume = path }))
      assert_same_model(whole, other)
    end
  end)

  it("continues from checkpoints that fit itself wrote", function()
    local path = temporary()
    local whole = model()
    whole:fit(bars, { epochs = 4, batch_size = 4 })
    local m = model()
    m:fit(bars, { epochs = 3, batch_size = 4, checkpoint = { path, 2 } })
    local c = model()
    local mse, pl = c:fit(bars, { epochs = 4, batch_size = 4, resume = path,
      checkpoint = { path = path, every = 1 } })
    assert.equal(whole.history.mse[4], mse)
    assert.equal(whole.history.pl[4], pl)
    assert_same_model(whole, c)
    assert_same_model(whole, assert(lrn.load(path)))
    -- nothing is left to do
    local d = model()
    assert.equal(mse, (d:fit(bars, { epochs = 4, resume = path })))
    assert_same_model(whole, d)
  end)

  it("writes checkpoints between batches where it is told to", function()
    local path = temporary()
    local whole = model()
    whole:fit(bars, { epochs = 2, batch_size = 4 })
    local left = 7
    local stopping = bars:map(function(x)
      left = left - 1
      if left < 0 then error "stop" end
      return x
    end)
    local m = model()
    pcall(m.fit, m, stopping, { epochs = 2, batch_size = 4, checkpoint = { path = path, batches = 1,
      every = 100 } })
    local c = model()
    c:fit(bars, { epochs = 2, batch_size = 4, resume = path })
    assert_same_model(whole, c)
  end)

  it("continues an iterator, with the batches that were done left out", function()
    local path = temporary()
    local function stream(stop_at)
      local calls = 0
      return function(_, batch)
        calls = calls + 1
        if calls == stop_at then error "stop" end
        if batch <= 3 then return bars.data:narrow(1, 4 * batch - 3, 4) end
      end
    end
    local whole, m = model(), model()
    whole:fit(stream(), { epochs = 2 })
    pcall(m.fit, m, stream(7), { epochs = 2 })
    assert(m:save(path))
    local c = model()
    c:fit(stream(), { epochs = 2, resume = path })
    assert_same_model(whole, c)
  end)

  it("reports a file that is missing or holds another model, and leaves the model alone", function()
    local m = model()
    local before = m.W:clone()
    local r, message, code = m:fit(bars, { resume = "/nowhere/at/all" })
    assert.is_nil(r)
    assert.matches("/nowhere/at/all", message)
    assert.equal("ENOENT", code)
    local path = temporary()
    assert(model { n_hidden = 4 }:save(path))
    assert.error_matches(function() m:fit(bars, { resume = path }) end,
      "fit: resume: .* n_hidden = 4, expected 5")
    assert(lrn.save(path, { 1 }))
    r, message = m:fit(bars, { resume = path })
    assert.is_nil(r)
    assert.matches("expected RBM", message)
    assert.is_true(before == m.W)
  end)
end)

describe("a file that is not what it should be", function()
  local path, bytes
  setup(function()
    path = temporary()
    local m = model { persistent = 2 }
    m:fit(bars, { epochs = 1 })
    assert(m:save(path))
    bytes = read(path)
  end)

  it("gives nil, message and code when it ends early", function()
    local cut = temporary()
    local step = math.max(1, #bytes // 150)
    for n = 0, #bytes - 1, step do
      write(cut, bytes:sub(1, n))
      local v, message, code = lrn.load(cut)
      assert.is_nil(v)
      assert.matches(cut, message, 1, true)
      assert.is_string(code)
    end
  end)

  it("gives nil, message and code when a byte is wrong", function()
    local bad = temporary()
    local step = math.max(1, #bytes // 150)
    for n = 1, #bytes, step do
      write(bad, bytes:sub(1, n - 1) .. string.char(bytes:byte(n) ~ 0x15) .. bytes:sub(n + 1))
      local ok, v, message, code = pcall(lrn.load, bad)
      assert.is_true(ok, v)
      if v == nil then
        assert.is_string(message)
        assert.is_string(code)
      end
    end
  end)

  it("is noticed by its checksum where only numbers changed", function()
    local bad = temporary()
    write(bad, bytes:sub(1, -2) .. string.char(bytes:byte(-1) ~ 1))
    local v, message, code = lrn.load(bad)
    assert.is_nil(v)
    assert.matches("SHA%-256", message)
    assert.equal("EFORMAT", code)
  end)

  it("of another kind gives nil, message and code", function()
    for _, text in ipairs { "", "x", ("x"):rep(1000), "\27Lua", "\8\0\0\0\0\0\0\0{}      " } do
      local bad = temporary()
      write(bad, text)
      local v, message, code = lrn.load(bad)
      if text:sub(1, 1) ~= "\8" then
        assert.is_nil(v)
        assert.is_string(message)
        assert.is_string(code)
      end
    end
    local v, _, code = lrn.load "/nowhere/at/all"
    assert.is_nil(v)
    assert.equal("ENOENT", code)
    v, _, code = lrn.load "/tmp"
    assert.is_nil(v)
    assert.is_string(code)
  end)
end)

describe("an IDX file", function()
  it("round-trips, plain and packed", function()
    for _, suffix in ipairs { "", ".gz" } do
      local path = temporary() .. suffix
      paths[#paths + 1] = path
      for _, dtype in ipairs { "uint8", "int32", "float32", "float64" } do
        local t = lrn.arange(1, 24):to(dtype):reshape(2, 3, 4)
        assert.is_true(lrn.io.idx.save(path, t))
        local again = assert(lrn.io.idx.load(path))
        assert.equal(dtype, again.dtype)
        assert.is_true(t == again)
      end
    end
  end)

  it("that is cut or corrupt gives nil, message and code", function()
    for _, suffix in ipairs { "", ".gz" } do
      local path = temporary() .. suffix
      paths[#paths + 1] = path
      assert(lrn.io.idx.save(path, lrn.arange(1, 24):to "uint8":reshape(2, 3, 4)))
      local bytes = read(path)
      for n = 0, #bytes - 1 do
        write(path, bytes:sub(1, n))
        local t, message, code = lrn.io.idx.load(path)
        assert.is_nil(t)
        assert.matches(path, message, 1, true)
        assert.is_string(code)
      end
      for n = 1, #bytes do
        write(path, bytes:sub(1, n - 1) .. string.char(bytes:byte(n) ~ 0xff) .. bytes:sub(n + 1))
        local ok, t, message = pcall(lrn.io.idx.load, path)
        assert.is_true(ok, t)
        assert.is_true(t ~= nil or type(message) == "string")
      end
    end
  end)
end)

describe("a save that fails", function()
  local function list(folder)
    local p = io.popen("ls -A " .. folder)
    local text = p:read "a"
    p:close()
    return text
  end

  it("says so and leaves no file", function()
    local m = model()
    for _, path in ipairs { "/nowhere/at/all/m", "/dev/null/m", "/tmp", "" } do
      local ok, message, code = m:save(path)
      assert.is_nil(ok)
      assert.is_string(message)
      assert.is_string(code)
    end
    local ok, message, code = lrn.save("/nowhere/at/all/m", { 1 })
    assert.is_nil(ok)
    assert.matches("/nowhere/at/all/m", message)
    assert.equal("ENOENT", code)
  end)

  it("for want of permission names it", function()
    local ok, _, code = model():save "/sys/kernel/lrn-spec"
    assert.is_nil(ok)
    assert.is_true(code == "EACCES" or code == "EPERM" or code == "EROFS" or code == "ENOENT", code)
  end)

  it("for want of space leaves the old file whole and no other behind #slow", function()
    local folder = temporary()
    assert(lrn.io.mkdir(folder))
    local path = folder .. "/m.safetensors"
    assert(lrn.save(path, { old = true }))
    local old = read(path)
    local script = temporary()
    write(script, ([[
      local lrn = require "lrn"
      local m = lrn.RBM { n_visible = 200, n_hidden = 200, seed = 1 }
      local ok, message, code = m:save %q
      assert(ok == nil and type(message) == "string" and type(code) == "string", "saved?")
      ok, message, code = m:fit(lrn.ones(4, 200), { epochs = 2, checkpoint = { %q } })
      assert(ok == nil and message:find "checkpoint" and #m.history.mse == 1, "trained on?")
      assert(m(lrn.ones(1, 200)):numel_ok ~= false)
    ]]):gsub("%s*assert%(m%(.-\n", "\n"):format(path, path))
    local p =
      io.popen(("sh -c \"trap '' XFSZ; ulimit -f 8; LRN_LOG=off exec %s %s\" 2>&1; echo \z
      $?"):format(interpreter, script))
    local text = p:read "a"
    p:close()
    assert.equal("0\n", text)
    assert.equal(old, read(path))
    assert.equal("m.safetensors\n", list(folder))
  end)
end)
