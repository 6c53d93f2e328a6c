-- Bad input: each mistake gives an error that names function, argument, value and what was
-- expected, at the caller's line and with a kind; a fact about the world gives nil, message, code.
local lrn = require "lrn"

local bars = lrn.data.bars_and_stripes(3)

local function model(options)
  local o = { n_visible = 9, n_hidden = 5, seed = 3 }
  for key, value in pairs(options or {}) do o[key] = value end
  return lrn.RBM(o)
end

-- f raises at a line of this file, with this text in the message and this kind.
local function raises(kind, parts, f)
  local ok, e = pcall(f)
  assert.is_false(ok, "no error")
  local message = tostring(e)
  for _, part in ipairs(type(parts) == "table" and parts or { parts }) do
    assert.is_true(message:find(part, 1, true) ~= nil, ("%q is not in: %s"):format(part, message))
  end
  assert.matches("bad_input_spec%.lua:%d+: ", message)
  if kind then assert.equal(kind, lrn.error.kind(e), message) end
end

describe("options of a model", function()
  it("that are unknown are refused, with the valid ones and the nearest", function()
    raises("argument", { "RBM: unknown option 'momentun'", "did you mean 'momentum'",
      "learning_rate", "n_visible" }, function() return model { momentun = 0.5 } end)
    raises("argument", "RBM: unknown option", function() return model { [1] = 784 } end)
    raises("type", { "RBM: options: got 784, expected a table" },
      function() return lrn.RBM(784) end)
  end)

  it("are checked for sizes", function()
    for _, name in ipairs { "n_visible", "n_hidden", "steps" } do
      for _, bad in ipairs { 0, -1, 2.5, 0 / 0, math.huge, "3", true, {} } do
        raises(nil, { "RBM: " .. name .. ": got ", "expected an integer" },
          function() return model { [name] = bad } end)
      end
    end
    raises("value", "RBM: n_hidden: got 0, expected an integer",
      function() return model { n_hidden = 0 } end)
    raises(nil, "RBM: n_hidden: got 2.5, expected", function() return model { n_hidden = 2.5 } end)
    raises("value", "RBM: n_hidden: got -1, expected",
      function() return model { n_hidden = -1 } end)
  end)

  it("are checked for sizes whose product overflows", function()
    for _, n in ipairs { 2 ^ 31 | 0, 2 ^ 40 | 0, math.maxinteger } do
      local ok, e = pcall(model, { n_visible = n, n_hidden = n })
      assert.is_false(ok)
      assert.matches("RBM", tostring(e))
    end
  end)

  it("are checked for their ranges", function()
    local cases = { learning_rate = { -1, 0 / 0, math.huge, "x" }, momentum = { -0.1, 1, 5, 0 / 0 },
      decay = { -1, 0 / 0 }, temperature = { 0, -1, 0 / 0 }, persistent = { -1, 2.5 },
      seed = { 2.5, "x" }, visible_bias = { "mean", 3 }, dtype = { "int64", "float16", 3 },
      rule = { "pcd", 3 } }
    for name, list in pairs(cases) do
      for _, bad in ipairs(list) do
        raises(nil, { "RBM: ", name }, function() return model { [name] = bad } end)
      end
    end
  end)

  it("are checked when assigned, and keep their value", function()
    local m = model()
    raises("value", "momentum: got 5", function() m.momentum = 5 end)
    raises("value", "learning_rate: got -1", function() m.learning_rate = -1 end)
    assert.equal(0.1, m.learning_rate)
    raises("argument", { "RBM: n_hidden: cannot be assigned", "make a new model" },
      function() m.n_hidden = 3 end)
    raises("argument", { "RBM: unknown field 'learning_rat'", "did you mean 'learning_rate'",
      "user" }, function() m.learning_rat = 3 end)
    raises("argument", "RBM: fit: cannot be assigned", function() m.fit = 3 end)
    raises("size", "RBM: W: got [9, 4], expected [9, 5]", function() m.W = lrn.zeros(9, 4) end)
    raises("type", "RBM: W: got 3, expected a tensor", function() m.W = 3 end)
    raises("type", "RBM: history: got 3, expected a history", function() m.history = 3 end)
  end)

  it("that name a device that is not there give nil, message, code or an error", function()
    local ok, m, message = pcall(model, { device = "tpu" })
    assert.matches("tpu", tostring(ok and message or m))
    if not lrn.cuda.available() then
      ok, m, message = pcall(model, { device = "cuda" })
      assert.is_false(ok and m ~= nil)
      assert.matches("cuda", tostring(ok and message or m))
    end
  end)
end)

describe("options of fit", function()
  local m = model()
  it("are checked", function()
    raises("argument", { "fit: unknown option 'epoch'", "did you mean 'epochs'" },
      function() m:fit(bars, { epoch = 3 }) end)
    raises("value", "fit: batch_size: got 0, expected an integer >= 1",
      function() m:fit(bars, { batch_size = 0 }) end)
    raises("value", "fit: batch_size: got 2.5, expected an integer >= 1",
      function() m:fit(bars, { batch_size = 2.5 }) end)
    raises("value", "fit: epochs: got -1, expected an integer >= 0",
      function() m:fit(bars, { epochs = -1 }) end)
    raises("type", "fit: epochs: got \"3\", expected an integer",
      function() m:fit(bars, { epochs = "3" }) end)
    raises("type", "fit: callback: got 3, expected a function",
      function() m:fit(bars, { callback = 3 }) end)
    raises("argument", "fit: path: missing", function() m:fit(bars, { checkpoint = {} }) end)
    raises("value", "fit: every: got 0", function() m:fit(bars, { checkpoint = { "x", 0 } }) end)
    raises("argument", "fit: unknown option 'evry'",
      function() m:fit(bars, { checkpoint = { path = "x", evry = 3 } }) end)
    raises("type", "fit: resume: got 3, expected a string",
      function() m:fit(bars, { resume = 3 }) end)
    raises("type", "fit: options: got 3, expected a table", function() m:fit(bars, 3) end)
    assert.equal(0, #m.history)
  end)
end)

describe("data", function()
  local m = model()
  m:fit(bars, { epochs = 1 })

  it("of another shape is refused everywhere", function()
    local wrong = lrn.zeros(4, 8)
    raises("size", "fit: data: got rows of 8 values ([4, 8]), expected 9 (n_visible)",
      function() m:fit(wrong) end)
    for _, name in ipairs { "forward", "energy", "hidden_sampling", "gibbs_sampling", "reconstruct",
      "pseudo_likelihood", "transform", "log_likelihood" } do
      raises("size", { ": got rows of 8 values ([4, 8]), expected 9 (n_visible)" },
        function() m[name](m, wrong) end)
    end
    raises("size", "visible_sampling: h: got rows of 8 values ([4, 8]), expected 5 (n_hidden)",
      function() m:visible_sampling(wrong) end)
    raises("size", "forward: x: got a tensor without dimensions",
      function() m:forward(lrn.tensor(3)) end)
    raises("size", "fit: validation: got rows of 8",
      function() m:fit(bars, { validation = wrong }) end)
    raises("size", "sample: start: got 1 rows, expected n = 2",
      function() m:sample(2, { start = lrn.zeros(9) }) end)
  end)

  it("that is no tensor is refused", function()
    for _, bad in ipairs { 3, "x", {}, true } do
      raises("type", "fit: data: got ", function() m:fit(bad) end)
      raises("type", "forward: x: got ", function() m:forward(bad) end)
      raises("type", "reconstruct: data: got ", function() m:reconstruct(bad) end)
    end
    raises("type", "fit: data: got nil, expected a data set, a tensor or an iterator",
      function() m:fit() end)
    raises("type", "fit: data (batch of the iterator): got 3",
      function() m:fit(function() return 3 end) end)
  end)

  it("that is closed is refused", function()
    local t = lrn.zeros(4, 9)
    do local _ <close> = t end
    raises("state", "forward: x: got a closed tensor", function() m:forward(t) end)
    raises("state", "fit: data: got a closed tensor", function() m:fit(t) end)
    raises("state", { "closed" }, function() return t:sum() end)
  end)

  it("that is empty is refused", function()
    raises("size", "fit: data: got 0 rows, expected at least 1",
      function() m:fit(lrn.zeros(0, 9)) end)
    raises("size", "fit: data: got 0 rows, expected at least 1",
      function() m:fit(bars:subset {}) end)
    raises("size", "reconstruct: data: got 0 rows, expected at least 1",
      function() m:reconstruct(bars:subset {}) end)
    raises("value", "fit: data: the iterator gave no batch in epoch",
      function() m:fit(function() end) end)
  end)

  it("with NaN or infinity stops training, with the place, before anything changes", function()
    for _, bad in ipairs { 0 / 0, math.huge, -math.huge } do
      local x = lrn.rand(20, 9)
      x:set(15, 3, bad)
      local n = model { visible_bias = "zero" }
      raises("value", { "fit: ", "epoch 1", "batch 4" },
        function() n:fit(x, { batch_size = 4, shuffle = false }) end)
      for _, t in pairs(n:parameters()) do assert.is_true(t:isfinite():all()) end
    end
  end)

  it("larger than fits says so", function()
    local ok = pcall(m.sample, m, math.maxinteger, { steps = 1 })
    assert.is_false(ok)
    raises("value", "sample: n: got 0, expected an integer >= 1", function() m:sample(0) end)
    raises("value", "sample: steps: got 0", function() m:sample(1, { steps = 0 }) end)
  end)

  it("labels of another length are refused", function()
    raises("size", "Dataset: targets: got [3], expected 4 targets", function()
      return lrn.data.Dataset(lrn.zeros(4, 9), lrn.zeros(3))
    end)
  end)

  it("a batch larger than the data is one short batch", function()
    assert.is_number((model():fit(bars, { epochs = 1, batch_size = 10 ^ 6 })))
    assert.is_number((model():fit(bars, { epochs = 1, batch_size = math.maxinteger })))
  end)
end)

describe("parameters that stop being finite", function()
  it("stop training with tensor, epoch, batch and advice, and leave what was saved alone",
    function()
    local path = os.tmpname()
    local m = model { learning_rate = 1e6, decay = 0.01 }
    assert(m:save(path))
    local f = io.open(path, "rb")
    local before = f:read "a"
    f:close()
    local ok, e = pcall(m.fit, m, bars, { epochs = 1000, batch_size = 4 })
    assert.is_false(ok)
    assert.matches("fit: .*[Wab]%f[%A].*epoch %d+, batch %d+.*smaller learning_rate", tostring(e))
    assert.equal("value", lrn.error.kind(e))
    f = io.open(path, "rb")
    assert.equal(before, f:read "a")
    f:close()
    os.remove(path)
  end)
end)

describe("tensors", function()
  it("of shapes, dtypes and devices that do not fit are refused", function()
    raises("size", { "mm", "[2, 3]", "[2, 3]" }, function() return lrn.zeros(2,
      3):mm(lrn.zeros(2, 3)) end)
    raises("size", { "add", "[2, 3]", "[4]" }, function() return lrn.zeros(2, 3) + lrn.zeros(4) end)
    raises(nil, { "zeros" }, function() return lrn.zeros(-1) end)
    raises(nil, { "zeros" }, function() return lrn.zeros(2.5) end)
    raises(nil, { "zeros" }, function() return lrn.zeros(2 ^ 40 | 0, 2 ^ 40 | 0) end)
    raises(nil, { "float16", "float32" }, function() return lrn.zeros(2, { dtype = "float16" }) end)
    raises("argument", { "zeros", "dtpe" }, function() return lrn.zeros(2,
      { dtpe = "float32" }) end)
    raises(nil, { "0" }, function() return lrn.zeros(2)[0] end)
    raises(nil, { "3" }, function() return lrn.zeros(2)[3] end)
  end)
end)

describe("files", function()
  it("that are missing give nil, message, code", function()
    for _, f in ipairs { lrn.load, lrn.io.idx.load, lrn.io.safetensors.load } do
      local v, message, code = f "/nowhere/at/all"
      assert.is_nil(v)
      assert.matches("/nowhere/at/all", message)
      assert.equal("ENOENT", code)
      assert.error_matches(function() f(3) end, "path: got 3, expected a string")
      assert.error_matches(function() f() end, "path: missing, expected a string")
    end
  end)
end)

-- What spec/fuzz_spec.lua found, a line each.
describe("calls that once went wrong", function()
  it("of methods without their object say so", function()
    local fit = model().fit
    raises("type", { "fit: self: got a table, expected a model", "with a colon" },
      function() fit({}, bars) end)
    raises("type", "split: self: got 3, expected a Dataset", function() bars.split(3) end)
    raises("type", "record: self: got nil, expected a history",
      function() model().history.record() end)
    raises("type", "close: argument 1: got 3, expected a tensor",
      function() lrn.zeros(1).close(3) end)
  end)

  it("with tables whose iteration raises read what stands in them", function()
    local trap = setmetatable({ n_visible = 4, n_hidden = 3 },
      { __pairs = function() error "called" end, __index = function() error "called" end })
    assert.equal(4, lrn.RBM(trap).n_visible)
    assert.equal(0, model():fit(bars, setmetatable({ epochs = 0 }, getmetatable(trap))) or 0)
  end)

  it("with sizes and counts beyond all bounds are refused at once", function()
    raises("value", { "sample: steps: got 9007199254740992, expected an integer", "<= 1073741823" },
      function() model():sample(1, { steps = 2 ^ 53 }) end)
    raises("value", "RBM: steps: got 2000000000, expected an integer <= 1073741823",
      function() return model { steps = 2000000000 } end)
    raises("size", "sample: size: got [9007199254740992, 9]",
      function() model():sample(2 ^ 53) end)
    raises("value", "workspace: batch: got 9223372036854775807, expected 1 to 2^31 - 1",
      function() model()._core:reserve(math.maxinteger) end)
    raises("value", "record: epoch: got 1099511627776, expected an integer >= 1 and <= ",
      function() model().history:record(2 ^ 40, { mse = 1 }) end)
    local unknown = ("x"):rep(100000)
    raises("argument", "RBM: unknown field", function() model()[unknown] = 3 end)
  end)

  it("with lists nested in themselves end", function()
    local list = { 1, 2 }
    list[1] = list
    raises("size", "tensor: ", function() return lrn.tensor(list) end)
    if pcall(require, "lrn.plot.cairo") then
      raises("size", "image: data: got a list nested deeper than 8",
        function() lrn.plot.figure():axes():image(list) end)
    end
    raises("value", "save: value", function() lrn.save(os.tmpname(), list) end)
  end)

  it("name the function that was called", function()
    local deep = lrn.zeros(1, 1, 1, 1, 1, 1, 1, 1)
    raises("size", "stack: got 8 dimensions", function() lrn.stack { lrn.zeros(1), deep } end)
    raises("size", "unsqueeze: got 8 dimensions", function() deep:unsqueeze(1) end)
    raises("size", "slice: a tensor without dimensions", function() lrn.tensor(3):slice() end)
    raises("type", "randn_like: real numbers into a tensor of dtype int32",
      function() lrn.zeros(2, { dtype = "int32" }):randn_like() end)
    raises("size", "from_function: size: got [-2]",
      function() lrn.from_function(-2, function() end) end)
    raises("argument", "eye: device: 'tpu' is none", function() lrn.eye(1, { device = "tpu" }) end)
    raises("type", "cli.usage: spec: got 3", function() lrn.cli.usage(3) end)
    raises("argument", "progress.range: unknown option",
      function() lrn.progress.range(3, { x = 1 }) end)
    raises("type", "help.resolve: name: got 3", function() lrn.help.resolve(3) end)
    raises("size", "transform: data: got rows of 3",
      function() model():transform(lrn.zeros(2, 3)) end)
    local closed = lrn.zeros(4, 9)
    closed:close()
    raises("state", "Dataset: data: got a closed tensor", function() lrn.data.Dataset(closed) end)
    raises("state", "save: value: got a closed tensor", function() lrn.save("x", closed) end)
    raises("type", "save: __pairs of a value: got 2, expected a function",
      function() lrn.save("x", setmetatable({}, { __pairs = function() return 2 end })) end)
    raises("state", "equal: argument 2", function() lrn.zeros(1):equal(closed) end)
    raises("state", "unitary_scale: t: got a closed tensor",
      function() lrn.math.unitary_scale(closed) end)
  end)

  it("of the log with formats and files that do not fit", function()
    raises("value", "log.error: format: got \"%d\": number expected, got string",
      function() lrn.log.error("%d", "x") end)
    raises(nil, "log.output: file: got a table, expected ", function() lrn.log.output {} end)
    local f = io.tmpfile()
    lrn.log.output(f)
    f:close()
    local ok, e = pcall(lrn.log.error, "x")
    lrn.log.output(nil)
    assert.is_false(ok)
    assert.matches("log.error: output: got a closed file", e)
  end)
end)
