-- Pictures in the terminal: the encoders against independent decoders, the choice among them, and
-- what comes out of a program on a terminal and on none. Tensors as pictures and files.
local lrn = require "lrn"
local blocks = require "lrn.plot.blocks"
local cairo = require "lrn.plot.cairo"
local inline = require "lrn.plot.inline"
local pictures = require "spec.support.pictures"
local plot = require "lrn.plot"
local sixel = require "lrn.plot.sixel"
local terminal = require "lrn.plot.terminal"

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  local name = os.getenv "LRN_BIN" or arg[lowest]
  return quote(name:find "^/" and name or os.getenv "PWD" .. "/" .. name)
end

local LRN = interpreter()

local function has_tool(name)
  return os.execute("command -v " .. name .. " > /dev/null 2>&1") == true
end

local function read(name)
  local f <close> = assert(io.open(name, "rb"))
  return f:read "a"
end

-- A folder of its own for a test; `clear` removes all.
local folders = {}

local function folder()
  local name = os.tmpname()
  os.remove(name)
  assert(os.execute("mkdir " .. name))
  folders[#folders + 1] = name
  return name
end

local function clear()
  for _, name in ipairs(folders) do os.execute("rm -rf " .. name) end
  folders = {}
end

local function write(name, text)
  local f <close> = assert(io.open(name, "wb"))
  f:write(text)
  return name
end

local function run(command)
  local p <close> = assert(io.popen(command))
  return p:read "a"
end

-- A picture of a function (x, y, from 1) -> r, g, b: its bytes, and the picture.
local function draw(width, height, f)
  local bytes, picture = {}, { width = width, height = height }
  for y = 1, height do
    picture[y] = {}
    for x = 1, width do
      local r, g, b = f(x, y)
      bytes[#bytes + 1] = string.char(r, g, b)
      picture[y][x] = { r, g, b }
    end
  end
  return table.concat(bytes), picture
end

local function noise(width, height, levels)
  math.randomseed(width * 1000 + height)
  local function v() return math.random(0, levels - 1) * 255 // (levels - 1) end
  return draw(width, height, function() return v(), v(), v() end)
end

-- Largest difference of a channel.
local function difference(a, b)
  local most = 0
  assert.same({ a.width, a.height }, { b.width, b.height })
  for y = 1, a.height do
    for x = 1, a.width do
      for k = 1, 3 do most = math.max(most, math.abs(a[y][x][k] - b[y][x][k])) end
    end
  end
  return most
end

describe("base64", function()
  it("is what coreutils' base64 says, at every length", function()
    math.randomseed(3)
    for n = 0, 70 do
      local list = {}
      for i = 1, n do list[i] = string.char(math.random(0, 255)) end
      local bytes = table.concat(list)
      assert.equal(pictures.pipe("base64 -w0", bytes), inline.base64(bytes))
    end
  end)
end)

describe("a PNG in memory", function()
  after_each(clear)

  it("has the bytes of the file, and the pixels that were drawn", function()
    local bytes, picture = noise(37, 11, 256)
    local surface = cairo.image_surface(37, 11, "rgb24")
    cairo.context(surface):draw_image(bytes, 37, 11, 3, 0, 0, 37, 11)
    local png = surface:topng()
    assert.equal(0, difference(picture, pictures.png(png)))
    local name = folder() .. "/a.png"
    assert(surface:write_to_png(name))
    assert.equal(read(name), png)
  end)

  it("fits its buffer where nothing can be compressed", function()
    for _, size in ipairs{ { 1, 1 }, { 1, 300 }, { 300, 1 }, { 250, 250 } } do
      local bytes, picture = noise(size[1], size[2], 256)
      local surface = cairo.image_surface(size[1], size[2], "rgb24")
      cairo.context(surface):draw_image(bytes, size[1], size[2], 3, 0, 0, size[1], size[2])
      assert.equal(0, difference(picture, pictures.png(surface:topng())))
    end
  end)
end)

describe("kitty's protocol", function()
  it("carries the PNG in pieces of at most 4096, all but the last announcing more", function()
    for _, size in ipairs{ { 2, 2 }, { 60, 60 } } do
      local bytes, picture = noise(size[1], size[2], 256)
      local surface = cairo.image_surface(size[1], size[2], "rgb24")
      cairo.context(surface):draw_image(bytes, size[1], size[2], 3, 0, 0, size[1], size[2])
      local text, data, more, pieces = inline.kitty(surface:topng()), {}, "1", 0
      local rest = text:gsub("\27_G([^;]*);([^\27]*)\27\\", function(keys, piece)
        pieces = pieces + 1
        assert.equal("1", more) -- the one before said so
        more = keys:match "m=(%d)"
        assert.is_true(#piece <= 4096 and (more == "0" or #piece % 4 == 0))
        assert.equal(pieces == 1, keys:find "a=T,f=100" ~= nil)
        data[#data + 1] = piece
        return ""
      end)
      assert.equal("\n", rest)
      assert.equal("0", more)
      assert.equal(size[1] > 2, pieces > 1)
      local png = pictures.pipe("base64 -d", table.concat(data))
      assert.equal(0, difference(picture, pictures.png(png)))
    end
  end)
end)

describe("iTerm2's protocol", function()
  it("carries the PNG with its size", function()
    local bytes, picture = noise(9, 5, 256)
    local surface = cairo.image_surface(9, 5, "rgb24")
    cairo.context(surface):draw_image(bytes, 9, 5, 3, 0, 0, 9, 5)
    local size, width, data = inline.iterm(surface:topng(), 9)
      :match "^\27%]1337;File=inline=1;size=(%d+);width=(%d+)px;[%w=]+:([^\7]*)\7\n$"
    local png = pictures.pipe("base64 -d", data)
    assert.same({ tostring(#png), "9" }, { size, width })
    assert.equal(0, difference(picture, pictures.png(png)))
  end)
end)

describe("sixels", function()
  -- A channel is written in percent: at most half of 2.55 off.
  local ROUNDED = 1.3

  it("are the picture, at any size", function()
    for _, size in ipairs{ { 1, 1 }, { 7, 6 }, { 5, 7 }, { 1, 13 }, { 300, 5 }, { 40, 40 } } do
      local bytes, picture = noise(size[1], size[2], 4) -- 64 colours
      local got, colors = pictures.sixel(sixel.encode(bytes, size[1], size[2]))
      assert.same(size, got.said)
      assert.is_true(colors <= 64)
      assert.is_true(difference(picture, got) <= ROUNDED)
    end
  end)

  it("of one colour are short", function()
    local bytes, picture = draw(500, 60, function() return 255, 0, 128 end)
    local text = sixel.encode(bytes, 500, 60)
    assert.is_true(difference(picture, (pictures.sixel(text))) <= ROUNDED)
    assert.is_true(#text < 150)
  end)

  it("of many colours have 256, near those of the picture", function()
    local bytes, picture = draw(80, 60, function(x, y)
      return (x - 1) * 255 // 79, (y - 1) * 255 // 59, 255 - (x - 1) * 255 // 79
    end)
    local got, colors = pictures.sixel(sixel.encode(bytes, 80, 60))
    assert.equal(256, colors)
    local sum = 0
    for y = 1, 60 do
      for x = 1, 80 do
        for k = 1, 3 do sum = sum + math.abs(picture[y][x][k] - got[y][x][k]) end
      end
    end
    assert.is_true(sum / (80 * 60 * 3) < 6) -- 16 x 16 boxes of 16 levels: 4 on average
    bytes, picture = noise(100, 60, 256) -- 6000 colours
    got, colors = pictures.sixel(sixel.encode(bytes, 100, 60))
    assert.is_true(colors <= 256)
    assert.is_true(difference(picture, got) < 128)
  end)

  it("are read by libsixel", function()
    if not has_tool "sixel2png" then
      pending "sixel2png is not installed"
      return
    end
    for _, size in ipairs{ { 33, 20 }, { 4, 6 }, { 100, 1 } } do
      local bytes, picture = noise(size[1], size[2], 4)
      local png = pictures.pipe("sixel2png", sixel.encode(bytes, size[1], size[2]))
      local got = pictures.png(png)
      -- libsixel's height is a multiple of 6
      assert.is_true(got.height >= picture.height and got.height < picture.height + 6)
      got.height = picture.height
      assert.is_true(difference(picture, got) <= 2)
    end
  end)
end)

describe("half blocks", function()
  it("are the picture, two pixels a cell", function()
    for _, size in ipairs{ { 1, 2 }, { 9, 8 }, { 80, 50 } } do
      local bytes, picture = noise(size[1], size[2], 256)
      local rows = pictures.cells(blocks.encode(bytes, size[1], size[2]))
      assert.equal(size[2] // 2, #rows)
      assert.equal(0, difference(picture, pictures.halves(rows)))
    end
  end)

  it("of an odd height leave the last half to the terminal", function()
    local bytes, picture = noise(5, 3, 256)
    local got = pictures.halves(pictures.cells(blocks.encode(bytes, 5, 3)))
    assert.same({ 5, 4 }, { got.width, got.height })
    assert.same({}, got[4])
    got.height = 3
    assert.equal(0, difference(picture, got))
  end)

  it("end each line with the terminal's colours, and repeat none", function()
    local bytes = draw(40, 4, function(_, y) return y < 3 and 0 or 255, 0, 0 end)
    local text = blocks.encode(bytes, 40, 4)
    assert.equal(("\27[48;2;0;0;0m%s\27[0m\n\27[48;2;255;0;0m%s\27[0m\n"):format((" "):rep(40),
      (" "):rep(40)), text)
  end)

  it("of 256 colours take the nearest one", function()
    local bytes, picture = noise(30, 20, 256)
    local got = pictures.halves(pictures.cells(blocks.encode(bytes, 30, 20, 256)))
    local function far(a, b) return (a[1] - b[1]) ^ 2 + (a[2] - b[2]) ^ 2 + (a[3] - b[3]) ^ 2 end
    for y = 1, 20 do
      for x = 1, 30 do
        local least = math.huge
        for n = 16, 255 do least = math.min(least, far(picture[y][x], pictures.xterm(n))) end
        assert.equal(least, far(picture[y][x], got[y][x]))
      end
    end
  end)

  it("without any are spaces in the mean of two pixels", function()
    local bytes, picture = noise(6, 5, 256)
    local rows = pictures.cells(blocks.encode(bytes, 6, 5, "rgb", true))
    assert.equal(3, #rows)
    for y, row in ipairs(rows) do
      for x, cell in ipairs(row) do
        assert.equal(" ", cell[1])
        local a, b = picture[2 * y - 1][x], (picture[2 * y] or picture[2 * y - 1])[x]
        for k = 1, 3 do assert.is_true(math.abs(cell[3][k] - (a[k] + b[k]) / 2) <= .5) end
      end
    end
  end)
end)

describe("the way to show", function()
  local function choose(env, tty, answer)
    return terminal.choose(function(name) return env[name] end, tty, function() return answer end)
  end

  it("is found in the environment, then asked for, else half blocks", function()
    for _, case in ipairs{
      { "kitty", { TERM = "xterm-256color", KITTY_WINDOW_ID = "1" } },
      { "kitty", { TERM = "xterm-kitty" } },
      { "kitty", { TERM = "xterm-ghostty" } },
      { "iterm", { TERM = "xterm-256color", TERM_PROGRAM = "iTerm.app" } },
      { "iterm", { TERM = "xterm-256color", LC_TERMINAL = "iTerm2" } },
      { "iterm", { TERM = "xterm-256color", TERM_PROGRAM = "WezTerm" } },
      { "sixel", { TERM = "xterm" }, "\27[?63;1;2;4;6c" },
      { "sixel", { TERM = "xterm" }, "\27[6;20;10t\27[?4c" },
      { "blocks", { TERM = "xterm" }, "\27[?64;1;2;14;40;44c" },
      { "blocks", { TERM = "xterm" } },
      { "blocks", { TERM = "tmux-256color", KITTY_WINDOW_ID = "1" } },
      { "sixel", { TERM = "screen", TERM_PROGRAM = "iTerm.app" }, "\27[?1;2;4c" },
      { "file", { TERM = "dumb", KITTY_WINDOW_ID = "1" } },
      { "file", {} },
      { "file", { TERM = "xterm", NO_COLOR = "1" } },
      { "kitty", { TERM = "xterm-kitty", NO_COLOR = "1" } },
      { "sixel", { TERM = "xterm-kitty", LRN_SHOW = "sixel" } },
      { "blocks", { TERM = "xterm", LRN_SHOW = "" } },
      { "file", { TERM = "xterm-kitty", LRN_SHOW = "file" } },
      { "none", { TERM = "xterm-kitty", LRN_SHOW = "none" } },
    } do
      assert.equal(case[1], choose(case[2], true, case[3]))
    end
  end)

  it("is a file where standard output is no terminal, whatever is wanted", function()
    for _, wanted in ipairs{ "kitty", "iterm", "sixel", "blocks", "file" } do
      assert.equal("file", choose({ TERM = "xterm-kitty", LRN_SHOW = wanted }, false))
    end
    assert.equal("none", choose({ LRN_SHOW = "none" }, false))
  end)

  it("that is none is an error that says which there are", function()
    assert.error_matches(function() choose({ LRN_SHOW = "ascii" }, false) end,
      'show: LRN_SHOW: got "ascii", expected "kitty" or "iterm" or "sixel" or "blocks"')
  end)

  it("has as many colours as the environment says", function()
    local function depth(env) return terminal.depth(function(name) return env[name] end) end
    assert.equal("rgb", depth{ COLORTERM = "truecolor" })
    assert.equal("rgb", depth{ COLORTERM = "24bit", TERM = "xterm" })
    assert.equal("rgb", depth{ TERM = "xterm-direct" })
    assert.equal(256, depth{ TERM = "xterm-256color", COLORTERM = "yes" })
    assert.equal(256, depth{})
  end)
end)

-- A script that shows a known image, 40 x 14 pixels, and a figure.
local SCRIPT = [[
  local plot = require "lrn".plot
  local rows = {}
  for y = 1, 14 do
    rows[y] = {}
    for x = 1, 40 do rows[y][x] = (x * 37 + y * 91) % 256 end
  end
  plot.mosaic({ rows }, { vmin = 0, vmax = 255 }):show()
  if ... == "figure" then
    plot.plot({ 9, 4, 3 }, { 8, 5, 4 }, { labels = { "train", "test" }, title = "Convergence",
      subtitle = "a remark", ylabel = "squared error" }):show()
  end
]]

local function expected(x, y) return (x * 37 + y * 91) % 256 end

local function assert_pixels(picture, zoom)
  for y = 1, 14 do
    for x = 1, 40 do
      local v = expected(x, y)
      assert.same({ v, v, v }, picture[zoom * y][zoom * x])
    end
  end
end

describe("a program that shows", function()
  local where, script

  before_each(function()
    where = folder()
    script = write(where .. "/a.lua", SCRIPT)
  end)

  after_each(clear)

  it("into a pipe writes the paths of pictures and no escape sequence", function()
    for _, wanted in ipairs{ "", "kitty", "sixel", "blocks" } do
      local out = run(("TMPDIR=%s LRN_SHOW=%s TERM=xterm-kitty %s %s"):format(where, wanted, LRN,
        script))
      local name = out:match "^([^\n]*%.png)\n$"
      assert.is_truthy(name and name:find(where, 1, true), out)
      assert_pixels(pictures.png(read(name)), 1)
    end
    assert.equal("", run(("TMPDIR=%s LRN_SHOW=none %s %s"):format(where, LRN, script)))
    assert.equal("4\n", run(("ls %s/*.png | wc -l"):format(where)))
  end)

  it("says why where the folder for pictures is not there", function()
    local out = run(("TMPDIR=/nonexistent %s -e 'print(lrn.plot.figure():show())' 2>&1")
      :format(LRN))
    assert.equal("nil\tshow: /nonexistent/lrn-1.png: No such file or directory\tEIO\n", out)
  end)

  -- What a command writes to a terminal, byte for byte.
  local function typescript(environment, arguments)
    local name = where .. "/typescript"
    run(("SHELL=/bin/sh script -qec %s %s < /dev/null > /dev/null"):format(
      quote(("env -u NO_COLOR -u COLORTERM %s %s %s %s"):format(environment, LRN, script,
        arguments or "")), name))
    local text = read(name):gsub("\r\n", "\n"):gsub("^Script started[^\n]*\n", "")
      :gsub("\nScript done[^\n]*\n$", "")
    return text
  end

  it("on kitty, iTerm2 and sixel terminals writes the picture for them", function()
    if not has_tool "script" then
      pending "script is not installed"
      return
    end
    local text = typescript "TERM=xterm-kitty"
    local data = text:gsub("\27_G[^;]*;([^\27]*)\27\\", "%1")
    -- 40 pixels are enlarged 6 times, to stay below 256
    assert_pixels(pictures.png(pictures.pipe("base64 -d", data)), 6)
    text = typescript "TERM=xterm TERM_PROGRAM=iTerm.app"
    data = text:match "^\27%]1337;[^:]*:([^\7]*)\7"
    assert_pixels(pictures.png(pictures.pipe("base64 -d", data)), 6)
    local got = pictures.sixel((typescript "TERM=xterm LRN_SHOW=sixel"):match "\27P.*")
    for y = 1, 14 do
      for x = 1, 40 do assert.near(expected(x, y), got[6 * y][6 * x][1], 1.3) end
    end
  end)

  it("reads an answer of the terminal, and leaves what was typed ahead", function()
    if not has_tool "script" then
      pending "script is not installed"
      return
    end
    -- A terminal that answers when it sees the question.
    local ask = write(where .. "/ask.lua", [[
      local answer = require "lrn.core".terminal_ask("\27[c", "c", 20000)
      print(("%q"):format(answer), io.read())
    ]])
    run(([[cd %s; mkfifo keys; ( exec 3> keys; n=0
      until grep -q '\[c' seen 2> /dev/null || [ $n -gt 1000 ]; do sleep .02; n=$((n + 1)); done
      printf '\033[?62;4c' >&3; sleep .5; printf 'typed\n' >&3; sleep 1 ) &
      SHELL=/bin/sh timeout 30 script -qfec %s seen < keys > /dev/null; wait]]):format(where,
      quote(LRN .. " " .. ask)))
    assert.is_truthy(read(where .. "/seen"):find('"\\27[?62;4c"\ttyped', 1, true))
    -- Keys that wait are not taken for an answer.
    os.remove(where .. "/seen")
    write(where .. "/ask.lua", [[
      os.execute "sleep 1"
      print(require "lrn.core".terminal_ask("\27[c", "c", 20000), io.read())
    ]])
    run(([[cd %s; ( printf 'early\n'; sleep 3 ) |
      SHELL=/bin/sh timeout 30 script -qfec %s seen > /dev/null]]):format(where,
      quote(LRN .. " " .. ask)))
    assert.is_truthy(read(where .. "/seen"):find("nil\tearly", 1, true))
  end)

  -- The screen of a terminal of 80 x 60 after the program.
  local function screen(environment, arguments)
    if not has_tool "tmux" then
      pending "no tmux here"
      return nil
    end
    local tmux = ("tmux -L lrn-show-%d"):format(math.random(1 << 40))
    local command = ("env -u NO_COLOR -u COLORTERM %s %s %s %s; echo done; sleep 60"):format(
      environment, LRN, script, arguments or "")
    if not os.execute(("LC_ALL=C.UTF-8 %s -f /dev/null new-session -d -s x -x 80 -y 60 %s 2> /dev/null")
      :format(tmux, quote(command))) then
      pending "tmux cannot open a terminal here"
      return nil
    end
    local text
    for _ = 1, 300 do
      text = run(tmux .. " capture-pane -e -N -p -t x")
      if text:find "done" then break end
      os.execute "sleep 0.05"
    end
    os.execute(tmux .. " kill-server 2> /dev/null")
    assert.is_truthy(text:find "done", text)
    return text
  end

  -- Rows of cells on the screen up to the word "done"; tmux leaves out what is equal to before, and
  -- says 39 and 49 for the terminal's own.
  local function cells(text)
    return pictures.cells((text:match "^(.-)[^\n]*done"))
  end

  it("on another terminal draws half blocks, in the colours that it has", function()
    local text = screen("LC_ALL=C.UTF-8 COLORTERM=truecolor")
    if not text then return end
    local rows = cells(text)
    assert.equal(7, #rows)
    for _, row in ipairs(rows) do -- what stands behind the picture is the terminal's
      for x = 41, #row do assert.same({ " " }, row[x]) end
      for x = #row, 41, -1 do row[x] = nil end
    end
    assert_pixels(pictures.halves(rows), 1)
    assert.is_falsy(text:find("?1;2c", 1, true)) -- the answer of tmux was read
    rows = cells(screen "LC_ALL=C.UTF-8")
    for y = 1, 14 do
      for x = 1, 40 do
        local cell = rows[(y + 1) // 2][x]
        local v = (y % 2 == 1 and cell[1] == "▀" and cell[2] or cell[3])[1]
        assert.is_true(math.abs(v - expected(x, y)) <= 10) -- the greys are 10 apart
      end
    end
  end)

  it("sets the texts of a figure as characters", function()
    for _, locale in ipairs{ "C.UTF-8", "C" } do
      local text = screen("COLORTERM=truecolor LC_ALL=" .. locale, "figure")
      if not text then return end
      local lines, all = {}, {}
      for i, row in ipairs(cells(text)) do
        local line = {}
        for x, cell in ipairs(row) do line[x] = cell[1] end
        lines[i] = table.concat(line)
        all[i] = lines[i]
      end
      all = table.concat(all, "\n")
      for _, word in ipairs{ "Convergence", "squared error", "a remark", "train", "test",
                             "epoch" } do
        assert.is_truthy(all:find(word, 1, true), word)
      end
      assert.equal(locale == "C.UTF-8", all:find("▀", 1, true) ~= nil)
    end
  end)
end)
