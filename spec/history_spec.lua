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

  -- A folder of its own, removed afterwards.
  local function in_folder(f)
    local folder = os.tmpname()
    os.remove(folder)
    assert(lrn.io.mkdir(folder))
    local old = log.level "off"
    local ok, e = pcall(f, folder)
    log.level(old)
    log.file(nil)
    os.execute("rm -r '" .. folder .. "'")
    assert(ok, e)
  end

  local function read(path)
    local f = io.open(path, "rb")
    if not f then return nil end
    local text = f:read "a"
    f:close()
    return text
  end

  it("rotates a file that would grow over its limit, and keeps so many", function()
    in_folder(function(folder)
      local path = folder .. "/x.log"
      assert(log.file(path, { max_size = 200, keep = 2 }))
      local line = #"2026-01-01 00:00:00 INFO  message 01\n"
      for i = 1, 30 do log.info("message %02d", i) end
      local all = {}
      for i, name in ipairs { path .. ".2", path .. ".1", path } do
        local text = read(name)
        assert.is_true(#text <= 200)
        assert.equal(0, #text % line) -- whole messages
        if i < 3 then assert.is_true(#text + line > 200) end
        for n in text:gmatch "message (%d+)" do all[#all + 1] = tonumber(n) end
      end
      assert.is_nil(read(path .. ".3"))
      for i, n in ipairs(all) do assert.equal(30 - #all + i, n) end -- the newest, in order
    end)
  end)

  it("keeps no older file where none is wanted, and a message over the limit", function()
    in_folder(function(folder)
      local path = folder .. "/x.log"
      assert(log.file(path, { max_size = 100, keep = 0 }))
      for i = 1, 9 do log.info("message %02d", i) end
      assert.is_nil(read(path .. ".1"))
      assert.matches("message 09\n$", read(path))
      log.info("%s", ("x"):rep(1000))
      assert.matches("INFO  x+\n$", read(path))
      assert(log.file(path, { max_size = 0 }))
      for _ = 1, 30 do log.info "no limit" end
      assert.is_nil(read(path .. ".1"))
    end)
  end)

  it("begins a file anew that was moved or deleted, and says once where it cannot", function()
    in_folder(function(folder)
      local path = folder .. "/below/x.log"
      assert(lrn.io.mkdir(folder .. "/below"))
      assert(log.file(path))
      log.info "one"
      os.rename(path, folder .. "/moved")
      log.info "two"
      assert.matches("one\n$", read(folder .. "/moved"))
      assert.matches("^[^\n]*two\n$", read(path))
      os.execute("rm -r '" .. folder .. "/below'")
      local text = capture(function()
        log.level "error"
        log.info "lost"
        log.info "lost too"
      end)
      assert.matches("^lrn.log: .*/below/x.log: No such file.*\n$", text) -- said once
      assert.equal(1, select(2, text:gsub("\n", "")))
      assert(lrn.io.mkdir(folder .. "/below"))
      log.info "three"
      assert.matches("^[^\n]*three\n$", read(path))
    end)
  end)

  it("goes to further files until they are closed", function()
    in_folder(function(folder)
      do
        local copy <close> = assert(log.tee(folder .. "/a", "warn"))
        log.info "no"
        log.warn "yes"
        assert.is_table(copy)
      end
      log.warn "after"
      assert.matches("^[^\n]*WARN  yes\n$", read(folder .. "/a"))
      local ok, message, code = log.tee "/nowhere/at/all.log"
      assert.is_nil(ok)
      assert.matches("^log.tee: /nowhere/at/all.log: ", message)
      assert.equal("EIO", code)
    end)
  end)

  it("survives a disk that is full", function()
    if not io.open("/dev/full", "a") then return pending "no /dev/full here" end
    assert(log.file "/dev/full")
    local text = capture(function() log.level "error" log.info "x" log.info "y" end)
    log.file(nil)
    assert.matches("^lrn.log: /dev/full: No space left on device", text)
  end)

  it("takes its level from LRN_LOG, and says when that is none", function()
    local lowest = 0
    while arg[lowest - 1] do lowest = lowest - 1 end
    local function run(value)
      local p = assert(io.popen(("LRN_LOG=%s '%s' -e 'lrn.log.info \"a\" lrn.log.warn \"b\"' 2>&1")
        :format(value, arg[lowest])))
      local text = p:read "a"
      p:close()
      return (text:gsub("%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d ", ""))
    end
    assert.equal("INFO  a\nWARN  b\n", run "debug")
    assert.equal("WARN  b\n", run "''")
    assert.equal("", run "off")
    assert.equal('WARN  LRN_LOG: got "loud", expected one of debug, info, warn, error, off\n' ..
      "WARN  b\n", run "loud")
  end)

  it("reports a file that cannot be opened", function()
    local ok, message, code = log.file "/nowhere/at/all.log"
    assert.is_nil(ok)
    assert.matches("^log.file: /nowhere/at/all.log: ", message)
    assert.is_string(code)
  end)

  it("refuses a format and an output that do not work", function()
    assert.error_matches(function() capture(function() log.warn("%d", "x") end) end,
      "^log.warn: format: got \"%%d\": number expected, got string")
    log.output(nil)
    local f = assert(io.tmpfile())
    log.output(f)
    f:close()
    assert.error_matches(function() log.error "x" end, "log.error: output: got a closed file")
    log.output(nil)
    assert.error_matches(function() log.output(3) end,
      "log.output: file: got 3, expected something with a method write")
  end)

  it("refuses a level that is none", function()
    assert.error_matches(function() log.level "loud" end,
      'log.level: level: got "loud", expected "debug" or "info" or "warn" or "error" or "off"')
  end)
end)
