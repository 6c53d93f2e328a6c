-- lrn.progress: bars after tqdm's habits, with a clock of the test's own.
local lrn = require "lrn"
local progress = lrn.progress

local quiet = os.getenv "LRN_PROGRESS" == "0"

local function setup(options)
  local now, written = 100, {}
  local o = { clock = function() return now end, tty = true, columns = 80, unicode = false,
    file = { write = function(_, ...) for _,
      s in ipairs { ... } do written[#written + 1] = s end end } }
  for key, value in pairs(options) do o[key] = value end
  local bar = progress.new(o)
  local first = table.concat(written)
  written = {}
  return bar, function(dt) now = now + dt end, function()
    local text = table.concat(written)
    written = {}
    return text
  end, first
end

-- A file that puts what is written into a list.
local function writer(list)
  return { write = function(_, ...)
    for _, text in ipairs { ... } do list[#list + 1] = text end
  end }
end

-- What a terminal of some lines shows after the text: carriage return, newline, cursor up, and
-- deletion to the end of the line.
local function screen(text)
  local lines, row, col = { "" }, 1, 0
  local at = 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == "\r" then
      col = 0
    elseif c == "\n" then
      row, col = row + 1, 0
      lines[row] = lines[row] or ""
    elseif text:sub(at, at + 2) == "\27[A" then
      row, at = math.max(1, row - 1), at + 2
    elseif text:sub(at, at + 2) == "\27[K" then
      lines[row], at = lines[row]:sub(1, col), at + 2
    else
      lines[row] = lines[row]:sub(1, col) .. c .. lines[row]:sub(col + 2)
      col = col + 1
    end
    at = at + 1
  end
  return lines, row, col
end

describe("a progress bar", function()
  if quiet then
    pending("LRN_PROGRESS=0 is set")
    return
  end

  it("shows percent, count, time, time left and rate on a terminal", function()
    local bar, pass, text = setup { total = 1000, desc = "train" }
    pass(12)
    bar:update(420, "loss=0.123")
    assert.equal("\rtrain:  42%|" .. ("#"):rep(8) .. (" "):rep(12) ..
      "| 420/1000 [00:12<00:17, 35.00it/s, loss=0.123]\27[K", text())
  end)

  it("draws at most ten times a second", function()
    local bar, pass, text = setup { total = 1000 }
    local draws = 0
    for _ = 1, 1000 do
      pass(0.001)
      bar:update(1)
      if text() ~= "" then draws = draws + 1 end
    end
    assert.is_true(draws >= 9 and draws <= 10)
  end)

  it("smooths the rate with weight 0.3 for the newest", function()
    local bar, pass = setup { total = 1000 }
    pass(1) bar:update(10)
    pass(1) bar:update(20)
    assert.matches("13%.00it/s", bar:line())
  end)

  it("shows seconds an item where it is slow", function()
    local bar, pass = setup { total = 10, unit = "epoch" }
    pass(4) bar:update(1)
    assert.matches("4%.00s/epoch", bar:line())
    assert.matches("%[00:04<00:36,", bar:line())
  end)

  it("shows hours from one hour on", function()
    local bar, pass = setup { total = 10 }
    pass(3675) bar:update(10)
    assert.matches("%[1:01:15<00:00,", bar:line())
  end)

  it("never fills the line to its last column", function()
    for columns = 1, 100 do
      local bar, pass, text = setup { total = 100, desc = "a description", columns = columns,
        unicode = true }
      pass(1) bar:update(55, "mse=12.345, pl=-123.456")
      local line = text():gsub("\27%[K", ""):gsub("\r", "")
      assert.is_true(utf8.len(line) < math.max(columns, 2))
    end
  end)

  it("draws eighths of a cell where the locale is UTF-8", function()
    local bar, pass = setup { total = 1000, unicode = true, columns = 60 }
    pass(1) bar:update(333)
    assert.matches("█+[▏▎▍▌▋▊▉]?", bar:line())
  end)

  it("ends its line once", function()
    local bar, pass, text = setup { total = 10 }
    pass(1) bar:update(10)
    text()
    bar:close()
    bar:close()
    local _, count = text():gsub("\n", "")
    assert.equal(1, count)
    assert.error_matches(function() bar:update(1) end, "progress.update: the bar is closed")
  end)

  it("ends its line when an error leaves its block", function()
    local bar, pass, text = setup { total = 10 }
    pcall(function()
      local b <close> = bar
      pass(1) b:update(3)
      error "x"
    end)
    assert.matches("3/10.*\n$", text())
  end)

  it("clears its line for other output", function()
    local bar, pass, text = setup { total = 10 }
    pass(1) bar:update(1)
    text()
    bar:clear()
    assert.equal("\r\27[K", text())
    bar:clear()
    assert.equal("", text())
  end)

  it("counts what was done before in the total and not in the rate", function()
    local bar, pass = setup { total = 100 }
    bar:skip(50)
    pass(10) bar:update(10)
    assert.matches(" 60%%.*60/100 %[00:10<00:40, 1%.00it/s", bar:line())
  end)

  it("counts up where no total is known", function()
    local bar, pass = setup {}
    pass(2) bar:update(10)
    assert.equal("10it [00:02, 5.00it/s]", bar:line())
  end)

  it("bears a total of 0", function()
    local bar, _, text = setup { total = 0 }
    bar:close()
    assert.matches("100%%", text())
  end)

  it("is there from the beginning", function()
    local _, _, _, first = setup { total = 1000, desc = "train", columns = 43 }
    assert.equal("\rtrain:   0%|     | 0/1000 [00:00<?, ?it/s]\27[K", first)
    _, _, _, first = setup { total = 1000, tty = false }
    assert.equal("", first)
  end)

  it("shows metrics by name", function()
    local bar, pass = setup { total = 10 }
    pass(1)
    bar:update(1, { pl = -80.12345, mse = 3.25, epoch = 4 })
    assert.matches("epoch=4, mse=3%.25, pl=%-80%.12%]$", bar:line())
    assert.error_matches(function() bar:update(1, 3) end,
      "progress.update: postfix: got 3, expected a string")
    assert.error_matches(function() bar:update "x" end,
      'progress.update: n: got "x", expected a number')
  end)

  it("begins at a number that was done before", function()
    local bar, pass = setup { total = 100, initial = 50 }
    pass(10) bar:update(10)
    assert.matches(" 60%%.*60/100 %[00:10<00:40, 1%.00it/s", bar:line())
  end)

  it("follows the width of the terminal", function()
    local bar, pass, text = setup { total = 100 }
    bar.columns = 80
    pass(1) bar:update(1)
    local wide = #text()
    bar.columns = 50
    pass(1) bar:update(1)
    assert.equal(wide - 30, #text())
  end)

  it("stands below one that is open, and leaves its line to it", function()
    local written, now = {}, 0
    local out = writer(written)
    local function new(o)
      o.file, o.tty, o.columns, o.unicode = out, true, 60, false
      o.clock = function() return now end
      return progress.new(o)
    end
    local function seen() return screen(table.concat(written)) end
    local outer = new { total = 2, desc = "epoch" }
    for _ = 1, 2 do
      local inner <close> = new { total = 3, desc = "batch" }
      for _ = 1, 3 do
        now = now + 1
        inner:update(1)
      end
      local lines, row = seen()
      assert.matches("^epoch: ", lines[#lines - 1])
      assert.matches("^batch: 100%%", lines[#lines])
      assert.equal(#lines - 1, row)
      progress.write("a message\n", out)
      local after = seen()
      local n = #after
      assert.matches("^a message$", after[n - 2])
      assert.matches("^epoch: ", after[n - 1])
      assert.matches("^batch: ", after[n])
      inner:close()
      after = seen()
      assert.equal("", after[#after])
      now = now + 1
      outer:update(1)
    end
    outer:close()
    local lines = seen()
    assert.same({ "a message", "a message", "" }, { lines[1], lines[2], lines[4] })
    assert.matches("^epoch: 100%%", lines[3])
  end)

  it("that stays below others is written above them", function()
    local written, now = {}, 0
    local out = writer(written)
    local function new(o)
      o.file, o.tty, o.columns, o.clock = out, true, 60, function() return now end
      return progress.new(o)
    end
    local outer = new { total = 1, desc = "outer" }
    local inner = new { total = 1, desc = "inner", leave = true }
    now = 1
    inner:update(1):close()
    local lines = screen(table.concat(written))
    assert.matches("^inner: 100%%", lines[1])
    assert.matches("^outer:   0%%", lines[2])
    outer:close()
    lines = screen(table.concat(written))
    assert.same({ "inner", "outer", "" },
      { lines[1]:match "^%a+", lines[2]:match "^%a+", lines[3] })
  end)

  it("that was forgotten does not push later ones down", function()
    local written = {}
    local out = writer(written)
    progress.new { total = 1, file = out, tty = true, columns = 60 }
    collectgarbage()
    collectgarbage()
    local before = #written
    progress.new { total = 1, file = out, tty = true, columns = 60 }
    assert.is_true(#written > before)
    assert.is_nil(table.concat(written, "", before + 1):find("\n", 1, true))
  end)

  it("draws # where the locale is not UTF-8, and nothing where LRN_PROGRESS=0", function()
    local lowest = 0
    while arg[lowest - 1] do lowest = lowest - 1 end
    local function run(variables)
      local command = "env -u LC_ALL -u LC_CTYPE -u LANG -u LRN_PROGRESS %s '%s' -e '%s' 2>&1"
      local code = [[local b = lrn.progress.new{ total = 2, tty = true, columns = 60,
        file = io.stdout } b:update(2) b:close()]]
      local p = assert(io.popen(command:format(variables, arg[lowest], code)))
      local text = p:read "a"
      p:close()
      return text
    end
    assert.matches("100%%|##", run "LANG=C")
    assert.matches("100%%|##", run "LANG=C.UTF-8 LC_ALL=POSIX")
    assert.matches("100%%|██", run "LANG=C LC_CTYPE=de_DE.utf8")
    assert.matches("100%%|██", run "LC_ALL= LANG=C.UTF-8")
    assert.equal("", run "LRN_PROGRESS=0")
  end)

  it("writes a plain line every tenth where it is no terminal", function()
    local bar, pass, text = setup { total = 100, tty = false, desc = "fit" }
    for _ = 1, 100 do
      pass(0.01)
      bar:update(1)
    end
    bar:close()
    local lines = {}
    local all = text()
    for line in all:gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(10, #lines)
    assert.equal("fit:  10% 10/100 [00:00<00:01, 100", lines[1]:match "^.-, 100")
    assert.matches("^fit: 100%% 100/100", lines[10])
    assert.is_nil(all:find "[\r\27]")
  end)

  it("writes a plain line every 30 s besides", function()
    local bar, pass, text = setup { total = 1000, tty = false }
    for _ = 1, 5 do
      pass(10)
      bar:update(1)
    end
    local _, count = text():gsub("\n", "")
    assert.equal(1, count)
  end)

  it("says when a costly postfix is worth computing", function()
    local bar, pass = setup { total = 100, tty = false }
    assert.is_false(bar:due(1))
    assert.is_true(bar:due(10))
    bar = setup { total = 100 }
    assert.is_false(bar:due())
    local tty, later = setup { total = 100 }
    later(1)
    assert.is_true(tty:due())
    pass(1)
  end)

  it("iterates a range", function()
    local _, _, text = setup {}
    local seen = {}
    local out = { write = function(_, s) seen.last = s end }
    for i in progress.range(5, { file = out, tty = false }) do seen[#seen + 1] = i end
    assert.same({ 1, 2, 3, 4, 5 }, { table.unpack(seen) })
    for _ in progress.range(0, { file = out, tty = false }) do error "never" end
    text()
  end)

  it("refuses unknown options", function()
    assert.error_matches(function() progress.new { totl = 3 } end,
      "progress.new: unknown option 'totl' %(did you mean 'total'%?%)")
    assert.error_matches(function() progress.new { file = 3 } end,
      "progress.new: file: got 3, expected something with a method write")
    assert.error_matches(function() progress.write("x", {}) end,
      "progress.write: file: got a table, expected something with a method write")
    assert.error_matches(function() progress.new { total = -1 } end,
      "progress.new: total: got %-1, expected an integer >= 0")
  end)
end)
