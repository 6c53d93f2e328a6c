-- Pictures in the terminal: the encoders against independent decoders, the choice among them, and
-- what comes out of a program on a terminal and on none. Tensors as pictures and files.
local lrn = require "lrn"
local base64 = require "lrn.plot.base64"
local blocks = require "lrn.plot.blocks"
local cairo = require "lrn.plot.cairo"
local cells = require "lrn.plot.cells"
local inline = require "lrn.plot.inline"
local pictures = dofile "spec/support/pictures.lua"
local plot = require "lrn.plot"
local sixel = require "lrn.plot.sixel"
local support = dofile "spec/support/figures.lua"
local terminal = require "lrn.plot.terminal"

local read, run = support.read, support.capture

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
      assert.equal(pictures.pipe("base64 -w0", bytes), base64.encode(bytes))
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

  it("keep black and white, of however many colours", function()
    local bytes = draw(120, 120, function(x, y)
      if y > 60 then return x > 60 and 255 or 0, x > 60 and 255 or 0, x > 60 and 255 or 0 end
      return x * 2, y * 4, (x * y) % 256 -- some 7000
    end)
    local got = pictures.sixel(sixel.encode(bytes, 120, 120))
    assert.same({ 255.0, 255.0, 255.0 }, got[100][100])
    assert.same({ 0.0, 0.0, 0.0 }, got[100][20])
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

describe("a figure in characters", function()
  local function lines(fig, columns, rows)
    local list = {}
    for i, row in ipairs(pictures.cells(cells.encode(fig, columns, rows, "rgb"))) do
      local line = {}
      for x, cell in ipairs(row) do line[x] = cell[1] end
      list[i] = table.concat(line)
    end
    return list
  end

  it("is as large as it may be, or as its images need", function()
    local fig = plot.figure()
    fig:axes():line{ 1, 2, 4 }
    for _, size in ipairs{ { 80, 100, 30 }, { 80, 18, 18 }, { 40, 100, 20 }, { 9, 5, 5 } } do
      local got = lines(fig, size[1], size[2])
      assert.equal(size[3], #got)
      for _, line in ipairs(got) do assert.equal(size[1], utf8.len(line)) end
    end
    local wide = lines(plot.model.filters({ W = lrn.rand(16, 40) }), 80, 5)
    assert.is_true(#wide > 5)
  end)

  it("has level texts that do not meet", function()
    local names, values = {}, {}
    for i = 1, 20 do names[i], values[i] = "category " .. i, i end
    local fig = plot.figure()
    fig:axes():bar(names, values):ylabel "how many":title "many names"
    local all = table.concat(lines(fig, 80, 30), "\n")
    assert.is_truthy(all:find("how many", 1, true))
    assert.is_truthy(all:find("category 1 ", 1, true))
    local _, count = all:gsub("category %d+", "")
    assert.is_true(count >= 4 and count < 20)
    assert.equal(count, select(2, all:gsub("category %d+ ", "")))
    local labels = { ("long "):rep(4) .. "train", "test" } -- no legend where there is no room
    fig = plot.plot({ 1, 2 }, { 2, 3 }, { labels = labels })
    assert.is_truthy(table.concat(lines(fig, 60, 20)):find "test")
    assert.is_falsy(table.concat(lines(fig, 18, 6)):find "test")
    fig = plot.figure{ rows = 8 } -- with no room for two ticks of a colour bar
    for r = 1, 8 do fig:axes(r):image{ { -1, 1 } }:colorbar{ label = "weight" } end
    for _, line in ipairs(lines(fig, 60, 24)) do
      assert.is_falsy(line:find "%d%-" or line:find "%d\u{2212}")
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

  it("shows a picture from a file", function()
    local bytes, picture = noise(21, 9, 256)
    local surface <close> = cairo.image_surface(21, 9, "rgb24")
    cairo.context(surface):draw_image(bytes, 21, 9, 3, 0, 0, 21, 9)
    local name = where .. "/it's.png"
    assert(surface:write_to_png(name))
    local out = run(("TMPDIR=%s %s %s %s"):format(where, LRN, write(where .. "/b.lua",
      "require 'lrn'.plot.show(...)"), quote(name)))
    assert.equal(0, difference(picture, pictures.png(read(out:match "^[^\n]+"))))
    assert.same({ nil, "show: /none.png: No such file or directory", "EIO" },
      { plot.show "/none.png" })
    local none, message, code = plot.show(script)
    assert.same({ "nil", "EFORMAT" }, { tostring(none), code })
    assert.is_truthy(message:find("show: " .. script .. ": ", 1, true), message)
  end)

  it("says why where the folder for pictures is not there", function()
    local out = run(("TMPDIR=/nonexistent %s -e 'print(lrn.plot.figure():show())' 2>&1")
      :format(LRN))
    assert.equal("nil\tshow: /nonexistent/lrn-1.png: No such file or directory\tEIO\n", out)
  end)

  -- What the script writes to a terminal, byte for byte. Its keyboard is a pipe that stays open:
  -- `script` may lose output after the end of its input.
  local function typescript(environment)
    local name = where .. "/typescript"
    local command = ("env -u NO_COLOR -u COLORTERM %s %s %s 2> /dev/null"):format(environment, LRN,
      script)
    run(("cd %s; rm -f keys; mkfifo keys; exec 3<> keys; SHELL=/bin/sh script -qec %s %s <&3")
      :format(where, quote(command), name))
    local text = read(name):gsub("\r\n", "\n"):gsub("^Script started[^\n]*\n", "")
      :gsub("\nScript done[^\n]*\n$", "")
    return (text:gsub("^\27%[16t\27%[c", "")) -- `script` knows no pixels: their size was asked for
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

  it("reads an answer of the terminal, and leaves what was typed ahead #slow", function()
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
    local command = ("env -u NO_COLOR -u COLORTERM %s %s %s %s 2> /dev/null; echo done; sleep 60"):format(
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

describe("a tensor as a picture", function()
  after_each(clear)

  local function saved(t, opts)
    local name = folder() .. "/t.png"
    assert(plot.save_tensor(t, name, opts))
    return pictures.png(read(name))
  end

  -- Random bytes of a shape, and the function that gives the value at indices from 1.
  local function bytes_of(...)
    local shape, list = { ... }, {}
    local n = 1
    for _, size in ipairs(shape) do n = n * size end
    math.randomseed(n)
    for i = 1, n do list[i] = math.random(0, 255) end
    local t = lrn.tensor(list, { dtype = "uint8" }):reshape(table.unpack(shape))
    return t, function(...)
      local at = 0
      for d, index in ipairs{ ... } do at = at * shape[d] + index - 1 end
      return list[at + 1]
    end
  end

  -- Height and width of one image, and how pixel (y, x), channel c of image k is found.
  local layouts = {
    { shape = { 5, 7 }, 5, 7, function(_, y, x) return y, x end },
    { shape = { 5, 7, 3 }, 5, 7, function(_, y, x, c) return y, x, c end },
    { shape = { 3, 5, 7 }, 5, 7, function(_, y, x, c) return c, y, x end },
    { shape = { 1, 5, 7 }, 5, 7, function(_, y, x) return 1, y, x end },
    { shape = { 5, 7, 1 }, 5, 7, function(_, y, x) return y, x, 1 end },
    { shape = { 4, 5, 7 }, 5, 7, function(k, y, x) return k, y, x end, n = 4 },
    { shape = { 4, 5, 7, 3 }, 5, 7, function(k, y, x, c) return k, y, x, c end, n = 4 },
    { shape = { 4, 3, 5, 7 }, 5, 7, function(k, y, x, c) return k, c, y, x end, n = 4 },
    { shape = { 4, 1, 5, 7 }, 5, 7, function(k, y, x) return k, 1, y, x end, n = 4 },
    { shape = { 3, 5, 7 }, 5, 7, function(k, y, x) return k, y, x end, n = 3, layout = "nhw" },
    { shape = { 5, 3, 3 }, 3, 3, function(k, y, x) return k, y, x end, n = 5, layout = "nhw" },
    { shape = { 3, 5, 3 }, 5, 3, function(_, y, x, c) return c, y, x end, layout = "chw" },
    { shape = { 49 }, 7, 7, function(_, y, x) return 7 * (y - 1) + x end },
    { shape = { 4, 35 }, 5, 7, function(k, y, x) return k, 7 * (y - 1) + x end, n = 4,
      tile = { 5, 7 } },
    { shape = { 4, 105 }, 5, 7, function(k, y, x, c) return k, 21 * (y - 1) + 3 * (x - 1) + c end,
      n = 4, tile = { 5, 7, 3 } },
  }

  it("has every byte of every image in its pixel, whatever the order of dimensions", function()
    for _, l in ipairs(layouts) do
      local t, value = bytes_of(table.unpack(l.shape))
      local h, w, index = table.unpack(l)
      local n = l.n or 1
      local picture = saved(t, { layout = l.layout, tile = l.tile, cols = 2 })
      local cols = math.min(2, n)
      local rows = (n + cols - 1) // cols
      assert.same({ cols * (w + 1) - 1, rows * (h + 1) - 1 }, { picture.width, picture.height })
      for k = 1, n do
        for y = 1, h do
          for x = 1, w do
            local pixel = picture[(k - 1) // cols * (h + 1) + y][(k - 1) % cols * (w + 1) + x]
            assert.same({ value(index(k, y, x, 1)), value(index(k, y, x, 2)),
                          value(index(k, y, x, 3)) }, pixel)
          end
        end
      end
      for x = 1, picture.width do -- between the tiles
        if rows > 1 then assert.same({ 255, 255, 255 }, picture[h + 1][x]) end
      end
    end
  end)

  it("shows 0..1 as it is, other numbers from the least to the greatest, or as is said", function()
    local function grays(t, opts)
      local list = {}
      for x, pixel in ipairs(saved(t, opts)[1]) do list[x] = pixel[1] end
      return list
    end
    assert.same({ 0, 64, 128 }, grays(lrn.tensor{ { 0, .25, .5 } }))
    assert.same({ 0, 128, 255 }, grays(lrn.tensor{ { -1, 0, 1 } }))
    assert.same({ 0, 128, 255 }, grays(lrn.tensor{ { 10, 15, 20 } }))
    assert.same({ 0, 255, 0 }, grays(lrn.tensor{ { 0, 1, 0 } }:gt(.5)))
    assert.same({ 10, 20, 30 }, grays(lrn.tensor({ { 10, 20, 30 } }, { dtype = "uint8" })))
    assert.same({ 0, 128, 255 },
      grays(lrn.tensor({ { 10, 20, 30 } }, { dtype = "uint8" }), { scale = "all" }))
    assert.same({ 128, 191, 255 }, grays({ { 0, 1, 2 } }, { scale = "symmetric" }))
    assert.same({ 0, 128, 255 }, grays({ { 0, 1, 2 } }, { vmin = 0, vmax = 2 }))
    assert.same({ 0, 0, 255, 255 }, grays({ { -1, 0, 1, 2 } }, { vmin = 0, vmax = 1 }))
  end)

  it("may be enlarged, coloured, and have holes", function()
    local picture = saved({ { 0, 1 }, { 0 / 0, 0 } }, { zoom = 3, cmap = "viridis" })
    assert.same({ 6, 6 }, { picture.width, picture.height })
    assert.same({ 68, 1, 84 }, picture[3][3])
    assert.same({ 253, 231, 37 }, picture[1][4])
    assert.same({ 255, 255, 255 }, picture[6][1])
    assert.equal(1, plot.save_tensor({ { 0, 0 / 0 } }, folder() .. "/a.png").nan_count)
  end)

  it("is a mosaic of any number of filters under Learnergy's name", function()
    assert.equal(200, plot.create_mosaic(lrn.rand(12, 200), { tile = { 3, 4 } }).bare_image.tiles)
  end)

  it("that is none is an error that says what is", function()
    local where = folder() .. "/a.png"
    for _, case in ipairs{
      { lrn.zeros(5, 5, 5, 5), nil, "got shape %[5, 5, 5, 5%], expected one or several images" },
      { lrn.zeros(5), nil, "5 values are no square image" },
      { lrn.zeros(2, 2, 2, 2, 2), nil, "got shape" },
      { lrn.zeros(5, 5), { layout = "chw" }, 'layout: got "chw" for shape %[5, 5%]' },
      { lrn.zeros(5, 5, 5), { layout = "chw" }, "channels c must be 1 or 3" },
      { lrn.zeros(5, 5), { layout = "xy" }, "layout: got" },
      { lrn.zeros(4, 6), { tile = { 2, 2 } }, "{2, 2} has 4 values, expected 6" },
      { lrn.zeros(0, 5), nil, "nothing to show in shape %[0, 5%]" },
      { lrn.zeros(5, 5), { vmin = 2, vmax = 1 }, "vmin: got 2" },
      { lrn.zeros(5, 5), { zom = 2 }, "did you mean 'zoom'" },
      { "picture", nil, 'got "picture", expected a tensor or a list' },
    } do
      assert.error_matches(function() plot.save_tensor(case[1], where, case[2]) end,
        "save_tensor: .*" .. case[3])
      assert.error_matches(function() plot.show_tensor(case[1], case[2]) end,
        "show_tensor: .*" .. case[3])
    end
    assert.error_matches(function() plot.save_tensor({ { 1 } }) end, "save_tensor: path: missing")
    assert.error_matches(function() plot.save_tensor({ { 1 } }, "a.bmp") end,
      "save_tensor: path: got .*%.png")
    assert.same({ nil, "save_tensor: /nonexistent/a.png: No such file or directory", "EIO" },
      { plot.save_tensor({ { 1 } }, "/nonexistent/a.png") })
    assert.error_matches(function() plot.show(plot.figure(), { zoom = 2 }) end,
      "show: unknown option 'zoom'")
  end)
end)
