-- lrn.history and lrn.log.
local lrn = require "lrn"
local history = require "lrn.history"

describe("a history", function()
  it("appends one value a metric and epoch", function()
    local h = history.new()
    assert.equal(0, #h)
    h:record(1, { mse = 9, pl = -3 })
    h:record(2, { mse = 8, pl = -2 })
    assert.same({ 9, 8 }, h.mse)
    assert.same({ "mse", "pl" }, h:metrics())
    assert.same({ mse = 8, pl = -2 }, h:last())
    assert.equal(2, #h)
  end)

  it("records an epoch twice as once", function()
    local h = history.new()
    h:record(1, { mse = 9 })
    h:record(1, { mse = 9 })
    assert.same({ 9 }, h.mse)
  end)

  it("keeps a metric that came later aligned with the epochs, by NaN", function()
    local h = history.new()
    h:record(1, { mse = 9 })
    h:record(2, { mse = 8, val_error = 7 })
    assert.equal(2, #h.val_error)
    assert.is_true(h.val_error[1] ~= h.val_error[1])
    assert.equal(7, h.val_error[2])
  end)

  it("comes back from its text bit for bit", function()
    local h = history.new()
    for i = 1, 20 do h:record(i, { mse = 100 / (i + 1 / 3), pl = -math.pi * i, time = 0.1 * i }) end
    h:record(21, { mse = 0 / 0, pl = -math.huge, time = math.huge })
    local again = assert(history.decode(h:encode()))
    for name, list in pairs(h) do
      for i, x in ipairs(list) do
        local y = again[name][i]
        assert.is_true(x == y or (x ~= x and y ~= y))
      end
    end
    assert.equal(#h, #again)
    assert.equal(0, #assert(history.decode(history.new():encode())))
  end)

  it("refuses text that is no history", function()
    for _, text in ipairs { "", "[", "3", '{"mse": 3}', '{"mse": [true]}', '{"mse": ["x"]}',
      '{"record": [1]}' } do
      local h, message = history.decode(text)
      assert.is_nil(h)
      assert.is_string(message)
    end
  end)

  it("prints its last ten epochs", function()
    local h = history.new()
    assert.equal("history: no epoch yet", tostring(h))
    for i = 1, 12 do h:record(i, { mse = i }) end
    local text = tostring(h)
    assert.matches("^epoch +mse\n  %.%.%.\n    3 +3\n", text)
    assert.matches("\n   12 +12$", text)
  end)
end)

describe("the log", function()
  local log = lrn.log
  local function capture(f)
    local text = {}
    log.output { write = function(_, s) text[#text + 1] = s end }
    local old = log.level()
    f()
    log.level(old)
    log.output(nil)
    return table.concat(text)
  end

  it("writes from its level on, with time, level and name", function()
    local text = capture(function()
      log.level "warn"
      log.info "no"
      log.warn("epoch %d", 3)
      log.named "loader".error "100%"
    end)
    assert.matches("^%d+%-%d%d%-%d%d %d%d:%d%d:%d%d WARN  epoch 3\n.- ERROR loader: 100%%\n$", text)
  end)

  it("is silent when off", function()
    assert.equal("", capture(function() log.level "off" log.error "x" end))
  end)

  it("writes to a file, at its own level", function()
    local path = os.tmpname()
    assert(log.file(path, "info"))
    capture(function() log.level "off" log.debug "a" log.info "b" end)
    assert(log.file(nil))
    local f = assert(io.open(path))
    local text = f:read "a"
    f:close()
    os.remove(path)
    assert.matches("INFO  b\n$", text)
    assert.is_nil(text:find "DEBUG")
  end)

  it("reports a file that cannot be opened", function()
    local ok, message, code = log.file "/nowhere/at/all.log"
    assert.is_nil(ok)
    assert.matches("^log.file: /nowhere/at/all.log: ", message)
    assert.is_string(code)
  end)

  it("refuses a level that is none", function()
    assert.error_matches(function() log.level "loud" end,
      "log.level: level: got \"loud\", expected one of debug, info, warn, error, off")
  end)
end)
