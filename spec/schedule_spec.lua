-- Schedules: what they give, and what fit does with them.
local lrn = require "lrn"
local S = lrn.schedule

local bars = lrn.data.bars_and_stripes(3) -- 14 images of 9

local function small(options)
  local o = { n_visible = 9, n_hidden = 6, seed = 1 }
  for name, value in pairs(options or {}) do o[name] = value end
  return lrn.RBM(o)
end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.matches(pattern, message)
end

describe("a schedule", function()
  local function near(want, got) assert(math.abs(want - got) < 1e-15, got) end

  it("has the value of its formula at any time", function()
    near(.1, S.constant(.1)(1e9))
    local s = S.linear { from = .5, to = .9, epochs = 4 }
    for t, want in pairs { [0] = .5, [1] = .6, [2.5] = .75, [4] = .9, [40] = .9 } do
      near(want, s(t))
    end
    s = S.cosine { from = .1, to = .02, epochs = 8 }
    for t, want in pairs { [0] = .1, [4] = .06, [2] = .06 + .04 * math.sqrt(.5), [8] = .02,
      [9] = .02 } do
      near(want, s(t))
    end
    s = S.step { from = 1, factor = .5, every = 10 }
    for t, want in pairs { [0] = 1, [9.99] = 1, [10] = .5, [25] = .25 } do near(want, s(t)) end
    near(.1, S.step { from = 1, every = 2 } (3))
    s = S.exponential { from = 2, factor = .25 }
    for t, want in pairs { [0] = 2, [.5] = 1, [1] = .5 } do near(want, s(t)) end
  end)

  it("warms up to another one, whose time is the same", function()
    local s = S.warmup { to = S.step { from = 1, factor = .5, every = 3 }, epochs = 4, share = .2 }
    for t, want in pairs { [0] = .2, [2] = .6, [3] = .4, [4] = .5, [6] = .25 } do
      near(want, s(t))
    end
    near(.025, S.warmup { to = .1, epochs = 4 } (1))
    near(.2, S.warmup { to = { [1] = .1, [9] = .2 }, epochs = 4 } (8))
    near(9, S.warmup { to = function(t) return t end, epochs = 4 } (9))
  end)

  it("prints what it is", function()
    assert.equal("cosine(epochs = 10, from = 0.1, to = \z
      0)", tostring(S.cosine { from = .1, epochs = 10 }))
  end)

  it("says what is wrong with its options", function()
    fails("schedule.linear: unknown option 'form' %(did you mean 'from'%?%); valid: epochs, \z
      from, to",
      S.linear, { form = 1 })
    fails("schedule.cosine: from: missing, expected a number", S.cosine, { epochs = 2 })
    fails("schedule.linear: epochs: got 0, expected a number >= 1e%-06", S.linear,
      { from = 1, to = 2, epochs = 0 })
    fails("schedule.constant: value: got \"x\", expected a number", S.constant, "x")
    fails("schedule.warmup: to: got \"x\", expected", S.warmup, { to = "x", epochs = 1 })
  end)
end)

describe("fit with a schedule", function()
  local function watched(options, fit)
    local m, seen = small(options), {}
    fit.callback = function(model) seen[#seen + 1] = model[next(fit.schedule)] end
    m:fit(bars, fit)
    return m, seen
  end

  it("sets an option by epoch, and leaves it alone before the first one of a table", function()
    local m, seen = watched({ learning_rate = .3 }, { epochs = 6, schedule =
      { learning_rate = { [3] = .1, [5] = .01 } } })
    assert.same({ .3, .3, .1, .1, .01, .01 }, seen)
    assert.same(seen, m.history.learning_rate)
    assert.equal(.01, m.learning_rate) -- and stays
    local _, steps = watched(nil, { epochs = 3, schedule = { steps = { 1, 5, 2 } } })
    assert.same({ 1, 5, 2 }, steps)
    local _, momentum = watched(nil, { epochs = 3, schedule = { momentum = S.step { from = .5,
      factor = 1.25, every = 1 } } })
    assert.same({ .5, .625, .78125 }, momentum)
  end)

  it("trains as assigning the option before each epoch does", function()
    local a, b = small(), small()
    a:fit(bars, { epochs = 4, batch_size = 4, schedule = { learning_rate = { .1, .02, .3, .05 },
      momentum = { .1, .2, .3, .4 }, steps = { 2, 1, 3, 1 } } })
    for epoch = 1, 4 do
      b.learning_rate, b.momentum = ({ .1, .02, .3, .05 })[epoch], epoch / 10
      b.steps = ({ 2, 1, 3, 1 })[epoch]
      b:fit(bars, { epochs = 1, batch_size = 4 })
    end
    for _, name in ipairs { "W", "a", "b" } do assert.is_true(a[name] == b[name]) end
    assert.same(a.history.mse, b.history.mse)
  end)

  it("asks a function with the part of the epoch that is done", function()
    local asked = {}
    small():fit(bars, { epochs = 2, batch_size = 7, schedule = { learning_rate = function(t)
      asked[#asked + 1] = t
      return .1
    end } })
    assert.same({ 0, .5, 1, 1.5 }, asked)
    asked = {}
    small():fit(bars:batches { size = 7, seed = 1 }, { epochs = 2, schedule =
      { learning_rate = function(t)
        asked[#asked + 1] = t
        return .1
      end } })
    assert.same({ 0, 0, 1, 1 }, asked) -- an iterator's epoch has no length
  end)

  it("goes on bit for bit from a checkpoint within an epoch", function()
    local path = os.tmpname()
    local function options(more)
      local o = { epochs = 4, batch_size = 4, schedule = { learning_rate =
        S.cosine { from = .3, epochs = 4 },
        momentum = S.linear { from = 0, to = .8, epochs = 3 } } }
      for name, value in pairs(more) do o[name] = value end
      return o
    end
    local whole, cut, again = small(), small(), small()
    whole:fit(bars, options {})
    local left = 10 -- of 4 batches an epoch
    local stopping = bars:map(function(x)
      left = left - 1
      if left < 0 then error "stop" end
      return x
    end)
    pcall(cut.fit, cut, stopping, options { checkpoint = { path = path, batches = 1 } })
    assert(again:fit(bars, options { resume = path }))
    os.remove(path)
    assert.is_true(whole.W == again.W)
    assert.same(whole.history.learning_rate, again.history.learning_rate)
    assert.same(whole.history.momentum, again.history.momentum)
  end)

  it("says which value is wrong, before the step", function()
    local m = small()
    local before = m.W:clone()
    fails("fit: schedule: momentum after 0 epochs: got 1.5, expected a number >= 0 and < \z
      1", m.fit, m,
      bars, { schedule = { momentum = 1.5 } })
    fails("fit: schedule: steps after 0 epochs: got 1.5, expected an integer", m.fit, m, bars,
      { schedule = { steps = 1.5 } })
    fails("fit: schedule: learning_rate after 0 epochs: got \"x\", expected a \z
      number", m.fit, m, bars,
      { schedule = { learning_rate = function() return "x" end } })
    fails("fit: schedule: learning_rate after 0 epochs: got %-?nan", m.fit, m, bars,
      { schedule = { learning_rate = function() return 0 / 0 end } })
    fails("fit: schedule: learning_rate: got 1 for \"x\", expected numbers by \z
      epoch", m.fit, m, bars,
      { schedule = { learning_rate = { x = 1 } } })
    fails("fit: schedule: unknown option 'learning_rat' %(did you mean \z
      'learning_rate'%?%)", m.fit, m,
      bars, { schedule = { learning_rat = 1 } })
    fails("fit: schedule: unknown option \z
      'persistent'", m.fit, m, bars, { schedule = { persistent = 3 } })
    assert.is_true(before == m.W)
  end)

  it("stands in the options of a run", function()
    local folder = os.tmpname()
    os.remove(folder)
    small():fit(bars, { epochs = 1, run = { path = folder, pictures = false },
      class_weights = { 1, 2 }, schedule = { learning_rate = { [1] = .1, [5] = .01 },
      momentum = S.linear { from = 0, to = .5,
      epochs = 2 }, decay = function() return 0 end } })
    local f = assert(io.open(folder .. "/options.json"))
    local o = require "lrn.core".json_decode(f:read "a")
    f:close()
    os.execute("rm -r " .. folder)
    assert.same({ learning_rate = { ["1"] = .1, ["5"] = .01 }, decay = true,
      momentum = { kind = "linear", from = 0, to = .5, epochs = 2 } }, o.fit.schedule)
    assert.same({ ["1"] = 1, ["2"] = 2 }, o.fit.class_weights)
  end)
end)
