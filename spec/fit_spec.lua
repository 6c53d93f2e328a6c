-- The loop of training: what batches carry, and what fit does around a step.
local lrn = require "lrn"
local batches = require "lrn.batches"

local model = { n_visible = 3, device = "cpu", seed = 5 }

-- Row i of the data is {i, i, i}, its label i: of every batch, rows and labels as lists.
local function walk(data, o, want, width)
  local source = batches.source(model, data, o, want)
  source.open(1, 0, 0)
  local rows, labels = {}, {}
  for t, idx, first, count, y in source.next do
    for r = first, first + count - 1 do
      local i = idx and idx[r] or r
      rows[#rows + 1] = t[i][width or 1]
      labels[#labels + 1] = y and y[i]
    end
  end
  return rows, labels
end

local function numbered(n, options)
  local data = lrn.arange(1, n):to "float32":reshape(-1, 1):expand(n, 3):contiguous()
  return lrn.data.Dataset(data, lrn.arange(1, n):to "uint8", options)
end

describe("labels of batches", function()
  local sets = {
    whole = function() return numbered(7) end,
    subset = function() return numbered(20):subset { 3, 9, 4, 20, 1, 17, 8 } end,
    transformed = function() return numbered(20, { transform = function(x) return x * 1 end }):subset
      { 3, 9, 4, 20, 1, 17, 8 } end,
    iterator = function() return numbered(7):batches { size = 3, seed = 2 } end,
  }
  for name, make in pairs(sets) do
    for _, shuffle in ipairs { true, false } do
      it(("belong to their rows: %s, shuffle = %s"):format(name, shuffle), function()
        for _, want in ipairs { "classes", "targets" } do
          local rows, labels = walk(make(), { batch_size = 3, shuffle = shuffle }, want)
          assert.equal(7, #rows)
          assert.same(rows, labels)
        end
      end)
    end
  end

  it("are int64 where they are integers, else as they are where any will do", function()
    local function dtype(targets, want)
      local set = lrn.data.Dataset(lrn.ones(4, 3), targets)
      local source = batches.source(model, set, { batch_size = 2 }, want)
      source.open(1, 0, 0)
      return select(5, source.next()).dtype
    end
    for _, given in ipairs { "uint8", "int32", "int64" } do
      assert.equal("int64", dtype(lrn.ones({ 4 }, { dtype = given }), "classes"))
      assert.equal("int64", dtype(lrn.ones({ 4 }, { dtype = given }), "targets"))
    end
    assert.equal("float32", dtype(lrn.ones(4, 2), "targets"))
  end)

  it("are not there where the data have none, or nobody wants them", function()
    local _, labels = walk(lrn.ones(4, 3), { batch_size = 2 }, "classes")
    assert.same({}, labels)
    _, labels = walk(numbered(4), { batch_size = 2 }, nil)
    assert.same({}, labels)
    local left = 2
    _, labels = walk(function()
      left = left - 1
      return left > 0 and lrn.ones(2, 3) or nil
    end, { batch_size = 2 }, "classes")
    assert.same({}, labels)
  end)

  it("stay with the first batch of an iterator, which prepare took", function()
    local source = batches.source(model, numbered(6):batches { size = 3, seed = 2 },
      { batch_size = 3 }, "classes")
    assert.equal(3, source.all(1):size(1))
    source.open(1, 0, 0)
    local t, _, _, _, y = source.next()
    assert.same(t:select(2, 1):to("int64"):tolist(), y:tolist())
  end)

  it("that are no classes are an error that says so", function()
    local function message(targets, want)
      local _, e = pcall(batches.source, model, lrn.data.Dataset(lrn.ones(2, 3), targets),
        { batch_size = 2 }, want)
      return e
    end
    assert.matches("fit: targets: got a tensor float32%[2%], expected one integer a sample",
      message(lrn.ones(2), "classes"))
    assert.matches("fit: targets: got a tensor int64%[2, 1%], expected one integer a sample",
      message(lrn.ones(2, 1, { dtype = "int64" }), "classes"))
    local source = batches.source(model, function() return lrn.ones(2, 3), lrn.ones(3) end,
      { batch_size = 2 }, "targets")
    source.open(1, 0, 0)
    local _, e = pcall(source.next)
    assert.matches("fit: data %(labels of the iterator%): got %[3%], expected 2, one a sample", e)
  end)
end)

local bars = lrn.data.bars_and_stripes(3) -- 14 images of 9

local function small(options)
  local o = { n_visible = 9, n_hidden = 6, seed = 1 }
  for name, value in pairs(options or {}) do o[name] = value end
  return lrn.RBM(o)
end

local function same_parameters(a, b)
  return a.W == b.W and a.a == b.a and a.b == b.b
end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

-- Data that stop training at the n-th batch.
local function stopping_after(n)
  return bars:map(function(x)
    n = n - 1
    if n < 0 then error "stop" end
    return x
  end)
end

-- fit is cut after `cut` batches, of which there are four an epoch, and goes on from the
-- checkpoint: the model, and the one that was not cut.
local function resumed(options, cut)
  local path = os.tmpname()
  local function with(more)
    local o = { batch_size = 4 }
    for name, value in pairs(options) do o[name] = value end
    for name, value in pairs(more) do o[name] = value end
    return o
  end
  local whole, part, again = small(), small(), small()
  whole:fit(bars, with {})
  pcall(part.fit, part, stopping_after(cut), with { checkpoint = { path = path, batches = 1 } })
  assert(again:fit(bars, with { resume = path }))
  os.remove(path)
  return again, whole
end

describe("weights in fit", function()
  -- The gradient of one full step from the data alone: PCD's chains are the same for both.
  local function step(data, options, dtype)
    local m = small { persistent = 5, dtype = dtype or "float64", visible_bias = "zero",
      learning_rate = 1 }
    options.epochs, options.batch_size, options.shuffle = 1, 1000, false
    m:fit(data, options)
    return m
  end

  local function near(a, b)
    for name, t in pairs(a:parameters()) do
      local off = (t - b[name]):abs():max()
      assert(off < 1e-14, name .. " " .. off)
    end
  end

  local idx = { 1, 2, 2, 3, 5, 5, 5, 9 }
  local weights = lrn.tensor { 1, 2, 1, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0 }

  it("of samples equal duplicated samples", function()
    near(step(bars, { weights = weights }), step(bars:subset(idx), {}))
    -- of a subset: aligned with its rows
    near(step(bars:subset { 9, 5, 2, 1, 3, 7 }, { weights = lrn.tensor { 1, 3, 2, 1, 1, 0 } }),
      step(bars:subset { 9, 5, 5, 5, 2, 2, 1, 3 }, {}))
    near(step(bars:map(function(x) return x end), { weights = weights }),
      step(bars:subset(idx), {}))
    near(step(bars:tensor(), { weights = weights }), step(bars:subset(idx), {}))
  end)

  it("of classes equal duplicated classes, by label and by name", function()
    local twice = {}
    for i, label in ipairs(bars.targets:tolist()) do
      twice[#twice + 1] = i
      if label == 2 then twice[#twice + 1] = i end
    end
    near(step(bars, { class_weights = { [2] = 2 } }), step(bars:subset(twice), {}))
    near(step(bars, { class_weights = { .5, 1 } }), step(bars:subset(twice), {}))
    near(step(bars, { class_weights = { [bars.classes[2]] = 2 } }), step(bars:subset(twice), {}))
    near(step(bars:batches { size = 14, shuffle = false }, { class_weights = { [2] = 2 } }),
      step(bars:subset(twice), {}))
    near(step(bars, { class_weights = { [2] = 2 }, weights = weights }), step(bars, { weights =
      lrn.where(bars.targets:eq(2), weights * 2, weights) }))
  end)

  it("go with their rows through shuffling and batches", function()
    -- rows that weigh nothing might hold anything: here ones, there zeros
    local function fitted(fill)
      local x = lrn.cat({ bars:tensor():to "float32":reshape(14, 9), lrn.full({ 14, 9 }, fill) }, 1)
      local m = small { visible_bias = "zero", visible_noise = false }
      m:fit(x, { epochs = 2, batch_size = 6,
        weights = lrn.cat({ lrn.ones(14), lrn.zeros(14) }, 1) })
      return m
    end
    assert.is_true(same_parameters(fitted(0), fitted(1)))
  end)

  it("are the same after a checkpoint within an epoch", function()
    local again, whole = resumed({ epochs = 3, weights = lrn.arange(0, 13),
      class_weights = { 1, .2 } }, 6)
    assert.is_true(same_parameters(again, whole))
  end)

  it("of 1 change nothing but the order of sums", function()
    local a, b = small { dtype = "float64" }, small { dtype = "float64" }
    a:fit(bars, { epochs = 1, batch_size = 4 })
    b:fit(bars, { epochs = 1, batch_size = 4, weights = lrn.ones(14), class_weights = {} })
    assert.is_true((a.W - b.W):abs():max() < 1e-13)
  end)

  it("that are none are errors that say so", function()
    local m = small()
    local function bad(options, data)
      local ok, message = pcall(m.fit, m, data or bars, options)
      assert.is_false(ok)
      return message
    end
    assert.matches("fit: weights: got %[3%], expected %[14%], one a \z
      row", bad { weights = lrn.ones(3) })
    assert.matches("fit: weights: got values from %-1 to %-1, expected numbers >= 0",
      bad { weights = -lrn.ones(14) })
    assert.matches("fit: weights: got values from %-?nan", bad { weights = lrn.full(14, 0 / 0) })
    assert.matches("fit: weights: got 0 for every row", bad { weights = lrn.zeros(14) })
    assert.matches("fit: weights: got an iterator as data", bad({ weights = lrn.ones(14) },
      bars:batches {}))
    assert.matches("fit: class_weights: got data without labels", bad({ class_weights = { 1 } },
      bars.data))
    assert.matches("fit: class_weights: got 3, expected labels 1..2 or names of classes",
      bad { class_weights = { [3] = 1 } })
    assert.matches('fit: class_weights: got "x", expected labels 1..2',
      bad { class_weights = { x = 1 } })
    assert.matches("fit: class_weights: got %-1 for 1, expected numbers >= 0",
      bad { class_weights = { -1 } })
  end)
end)

describe("early stopping", function()
  local function options(more)
    local o = { epochs = 30, batch_size = 4, validation = bars:subset { 1, 5, 9 },
      early_stopping = { metric = "val_error", patience = 3 } }
    for name, value in pairs(more or {}) do o[name] = value end
    return o
  end

  local function best_of(list, better)
    local at = 1
    for i, x in ipairs(list) do if better(x, list[at]) then at = i end end
    return at
  end

  it("ends when the metric was not better for so many epochs, with the best parameters", function()
    for metric, better in pairs { val_error = function(x, y) return x < y end,
      val_pl = function(x, y) return x > y end } do
      local held = {}
      local m = small { learning_rate = 1 }
      local mse = m:fit(bars, options { early_stopping = { metric = metric, patience = 3 },
        callback = function(model, epoch)
          held[epoch] = { W = model.W:clone(), a = model.a:clone(), b = model.b:clone() }
        end })
      local at = best_of(m.history[metric], better)
      assert.equal(at + 3, #m.history)
      assert.is_true(same_parameters(m, held[at]), metric)
      assert.equal(m.history.mse[at], mse)
    end
  end)

  it("goes to the end where the metric gets better, and restores the best there too", function()
    local held = {}
    local m = small { learning_rate = 1 }
    m:fit(bars, options { epochs = 5, early_stopping = { metric = "val_error", patience = 100 },
      callback = function(model, epoch) held[epoch] = model.W:clone() end })
    assert.equal(5, #m.history)
    assert.is_true(m.W == held[best_of(m.history.val_error, function(x, y) return x < y end)])
  end)

  it("counts what is not better by more than min_delta, and takes mode at its word", function()
    local m = small()
    m:fit(bars, options { early_stopping = { metric = "mse", patience = 4, min_delta = 1000 } })
    assert.equal(5, #m.history)
    m = small()
    m:fit(bars, options { early_stopping = { metric = "learning_rate", mode = "max", patience = 2 },
      schedule = { learning_rate = { .1, .2, .3, .2, .1 } } })
    assert.equal(5, #m.history)
  end)

  it("is the same after any checkpoint", function()
    for _, cut in ipairs { 5, 8, 21, 30 } do
      local o = options { early_stopping = { metric = "val_error", patience = 4 } }
      local again, whole = resumed(o, cut)
      assert.is_true(same_parameters(again, whole))
      assert.same(whole.history.val_error, again.history.val_error)
      assert.same(whole.history.ratio, again.history.ratio)
    end
  end)

  it("that has ended training has ended it for resume too, until patience is longer", function()
    local path = os.tmpname()
    local fast = { learning_rate = 1 }
    local a, b, c = small(fast), small(fast), small(fast)
    a:fit(bars, options {})
    assert(a:save(path))
    assert(b:fit(bars, options { resume = path }))
    assert.is_true(same_parameters(a, b))
    assert.equal(#a.history, #b.history)
    assert(c:fit(bars, options { resume = path, early_stopping = { metric = "val_error",
      patience = 4 } }))
    assert.is_true(#c.history > #a.history)
    os.remove(path)
  end)

  it("says in the run's options why it stopped", function()
    local folder = os.tmpname()
    os.remove(folder)
    local m = small { learning_rate = 1 }
    m:fit(bars, options { run = { path = folder, pictures = false } })
    local f = assert(io.open(folder .. "/options.json"))
    local o = require "lrn.core".json_decode(f:read "a")
    f:close()
    assert.matches("^stopped early: val_error was best in epoch %d+ %([%d.]+%)$", o.status)
    local saved = assert(lrn.load(folder .. "/model.safetensors"))
    assert.is_true(same_parameters(saved, m))
    os.execute("rm -r " .. folder)
  end)

  it("refuses a metric that is not recorded, before training", function()
    local m = small()
    local function with(metric, more)
      local o = options(more)
      o.early_stopping = { metric = metric }
      return o
    end
    fails("fit: early_stopping: unknown metric 'val_eror' %(did you mean 'val_error'%?%); valid: \z
      mse",
      m.fit, m, bars, with "val_eror")
    local o = with "val_error"
    o.validation = nil
    fails("fit: early_stopping: unknown metric 'val_error'", m.fit, m, bars, o)
    fails("fit: early_stopping: unknown metric \z
      'learning_rate'", m.fit, m, bars, with "learning_rate")
    fails("fit: early_stopping: metric: missing", m.fit, m, bars, { early_stopping = {} })
    fails("fit: early_stopping: patience: got 0, expected an integer >= 1", m.fit, m, bars,
      { early_stopping = { metric = "mse", patience = 0 } })
    assert.equal(0, #m.history)
  end)
end)

describe("an average of the parameters", function()
  -- The mean of W after each step from epoch `from` on, in float64; steps; the model without.
  local function trace(epochs, from)
    local m, sum, n = small(), lrn.zeros({ 9, 6 }, { dtype = "float64" }), 0
    local source = batches.source(m, bars, { batch_size = 4, shuffle = true })
    m._core:reserve(4, true)
    m._core:prepare(bars:tensor())
    for epoch = 1, epochs do
      source.open(epoch, 0, 0)
      for t, idx, first, count in source.next do
        m._core:step(t, idx, first, count)
        if epoch >= from then sum, n = sum + m.W:to "float64", n + 1 end
      end
      m._core:end_epoch()
    end
    return sum / n, n, m
  end

  it("is the mean after each step from its epoch on", function()
    local mean, n, plain = trace(6, 4)
    assert.equal(12, n)
    local m = small()
    m:fit(bars, { epochs = 6, batch_size = 4, average = 4 })
    assert.is_true(m.W == mean:to "float32")
    assert.is_false(m.W == plain.W)
    local half, zero = small(), small()
    half:fit(bars, { epochs = 6, batch_size = 4, average = .5 })
    assert.is_true(same_parameters(half, m))
    zero:fit(bars, { epochs = 6, batch_size = 4, average = 0. })
    assert.is_true(zero.W == (trace(6, 1)):to "float32")
  end)

  it("does not touch training itself", function()
    local seen = {}
    local a, b = small(), small()
    a:fit(bars, { epochs = 5, batch_size = 4, average = 2, callback = function(m, epoch)
      seen[epoch] = m.W:clone()
    end })
    b:fit(bars, { epochs = 5, batch_size = 4, callback = function(m, epoch)
      assert.is_true(seen[epoch] == m.W)
    end })
    assert.same(a.history.mse, b.history.mse)
  end)

  it("is the same after any checkpoint", function()
    for _, cut in ipairs { 3, 13, 17, 24 } do
      local again, whole = resumed({ epochs = 7, average = .4 }, cut)
      assert.is_true(same_parameters(again, whole))
    end
  end)

  it("and early stopping work on every device, and from its checkpoints", function()
    for _, device in ipairs(lrn.devices()) do
      for _, more in ipairs { { average = 2 }, { early_stopping = { metric = "val_error",
        patience = 2 } } } do
        local path = os.tmpname()
        local function options(epochs, resume)
          local o = { epochs = epochs, batch_size = 4, validation = bars, resume = resume,
            checkpoint = { path, 1 }, weights = lrn.arange(1, 14) }
          for name, value in pairs(more) do o[name] = value end
          return o
        end
        local at = { device = device }
        local whole, part, again = small(at), small(at), small(at)
        whole:fit(bars, options(4))
        part:fit(bars, options(2))
        assert(again:fit(bars, options(4, path)))
        os.remove(path)
        assert.is_true(same_parameters(whole, again), device)
      end
    end
  end)

  it("begins anew in the next fit", function()
    local a, b = small(), small()
    a:fit(bars, { epochs = 4, batch_size = 4, average = 3 })
    b:fit(bars, { epochs = 4, batch_size = 4, average = 3 })
    a:fit(bars, { epochs = 2, batch_size = 4, average = .5 })
    b:fit(bars, { epochs = 2, batch_size = 4, average = 6 })
    assert.is_true(same_parameters(a, b))
  end)

  it("comes before the best parameters, where it has begun", function()
    local o = { epochs = 6, batch_size = 4, early_stopping = { metric = "mse", patience = 9 } }
    local best, both, late = small(), small(), small()
    best:fit(bars, o)
    o.average = 4
    both:fit(bars, o)
    assert.is_true(both.W == (trace(6, 4)):to "float32")
    o.average = 7
    late:fit(bars, o)
    assert.is_true(same_parameters(late, best))
  end)

  it("is refused where it is neither an epoch nor a fraction", function()
    local m = small()
    for _, bad in ipairs { 0, -1, 1.5, -.5, 1. } do
      fails("fit: average: got .*, expected an epoch >= 1, or a fraction >= 0 and < \z
        1", m.fit, m, bars,
        { average = bad })
    end
    fails("fit: average: got %-?nan, expected a number", m.fit, m, bars, { average = 0 / 0 })
  end)
end)

describe("the ratio of update to weights", function()
  local function warnings(f)
    local err, said = io.stderr, {}
    io.stderr = { write = function(self, ...) -- luacheck: ignore
      said[#said + 1] = table.concat { ... }
      return self
    end, flush = function() end }
    local ok, message = pcall(f)
    io.stderr = err -- luacheck: ignore
    assert.is_true(ok, message)
    local text = table.concat(said)
    return text, select(2, text:gsub("moved the weights", ""))
  end

  it("is how far a step moved them, by their size", function()
    local m = small()
    local W = { [0] = m.W:clone() }
    m:fit(bars, { epochs = 3, batch_size = 4, callback = function(model, epoch)
      W[epoch] = model.W:clone()
    end })
    for epoch = 1, 3 do
      local moved = (W[epoch] - W[epoch - 1]):norm()
      local want = moved / (4 * math.sqrt(W[epoch]:norm() * W[epoch - 1]:norm()))
      assert(math.abs(m.history.ratio[epoch] - want) < 1e-12 * want)
    end
  end)

  local digits = lrn.data.digits()
  local function train(rate, options)
    local text, count = warnings(function()
      lrn.RBM { n_visible = 64, n_hidden = 32, seed = 1, learning_rate = rate }:fit(digits,
        options or { epochs = 3, batch_size = 16 })
    end)
    return text, count
  end

  it("warns once a fit of a learning rate that is far too small or too large", function()
    local text, count = train(1e-6)
    assert.equal(1, count)
    assert.matches("in epoch 1 a step moved the weights by %S+ of their size, less than 0.0001: \z
      learning_rate is too small; try ten times as much", text)
    text, count = train(20)
    assert.equal(1, count)
    assert.matches("in epoch 1 .* more than 0.1: learning_rate is too large; try a third of it, \z
      or larger batches", text)
    text, count = train(3, { epochs = 4, batch_size = 16 })
    assert.equal(1, count)
    assert.matches("too large", text)
  end)

  it("does not warn of learning rates that work, of none, of a warm-up, or of weights that have \z
    settled", function()
    for _, rate in ipairs { .01, .1, .3, 1 } do assert.equal("", (train(rate))) end
    assert.equal("", (train(.1, { epochs = 2 })))
    assert.equal("", (train(0)))
    assert.equal("", (train(.1, { epochs = 3, batch_size = 16, schedule = { learning_rate =
      { 1e-9, .1, 1e-9 } } })))
    assert.equal("", (warnings(function()
      local m = lrn.RBM { n_visible = 64, n_hidden = 32, seed = 1 }
      m:fit(digits, { epochs = 1, batch_size = 16 })
      m.learning_rate = 1e-9
      m:fit(digits, { epochs = 1, batch_size = 16 })
      assert.is_true(m.history.ratio[2] < 1e-4)
    end)))
  end)
end)

describe("what fit measures", function()
  it("counts a short last batch for its rows", function()
    local a, b, sum = small { learning_rate = 0 }, small { learning_rate = 0 }, 0
    a:fit(bars, { epochs = 1, batch_size = 4, shuffle = false }) -- 4, 4, 4 and 2 rows
    local c, x = b._core, bars:tensor():reshape(14, 9):to "float32" / 255
    c:reserve(4, true)
    c:prepare(bars:tensor())
    for first = 1, 14, 4 do
      local count = math.min(4, 15 - first)
      c:step(bars:tensor(), nil, first, count)
      sum = sum + (x:narrow(1, first, count) - c:negative()):norm() ^ 2
    end
    assert(math.abs(a.history.mse[1] - sum / 14) < 1e-5)
  end)

  it("has a pseudo-likelihood without a floor", function()
    local m = small { learning_rate = 0, visible_bias = "zero" }
    m.W, m.a = lrn.zeros(9, 6), lrn.full(9, -1000)
    local _, pl = m:fit(lrn.ones(5, 9), { epochs = 1 })
    assert.equal(-9000, pl) -- 9 log sigmoid(-1000); not 9 log 1e-10
    assert.equal(-9000, m:pseudo_likelihood(lrn.ones(5, 9)))
  end)

  it("leaves the process's default type as it is", function()
    small { dtype = "float64" }:fit(bars, { epochs = 1 })
    assert.equal("float32", lrn.zeros(1).dtype)
    lrn.Model { name = "Wide", parameters = { x = lrn.ones({ 1 }, { dtype = "float64" }) },
      step = function() return { loss = 1 } end }:fit(bars, { epochs = 1 })
    assert.equal("float32", lrn.zeros(1).dtype)
  end)
end)

describe("models with labels", function()
  it("take all of it: class weights, schedules, early stopping by accuracy, averaging", function()
    local function fitted(options)
      local m = lrn.HybridDiscriminativeRBM { n_visible = 9, n_hidden = 6, n_classes = 2, seed = 1,
        learning_rate = .5 }
      options.batch_size = 4
      m:fit(bars, options)
      return m
    end
    local m = fitted { epochs = 40, validation = bars, schedule = { alpha = { .1, .01 } },
      class_weights = { 1, 2 }, early_stopping = { metric = "val_accuracy", patience = 4 } }
    local best = 1
    for i, x in ipairs(m.history.val_accuracy) do
      if x > m.history.val_accuracy[best] then best = i end
    end
    assert.equal(math.min(best + 4, 40), #m.history)
    assert.equal(.01, m.history.alpha[2])
    fails("unknown metric 'val_error'; valid: loss, accuracy, mse, error, val_loss, \z
      val_accuracy, ratio", fitted,
      { validation = bars, early_stopping = { metric = "val_error" } })
    assert.is_false(fitted { epochs = 4, average = 2 }.U == fitted { epochs = 4 }.U)
  end)
end)
