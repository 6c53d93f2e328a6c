--- Pictures in the terminal: which way it can draw, and how large.
-- @module lrn.plot.terminal

local blocks = require "lrn.plot.blocks"
local cells = require "lrn.plot.cells"
local check = require "lrn.check"
local core = require "lrn.core"
local figures = require "lrn.plot.figure"
local inline = require "lrn.plot.inline"
local sixel = require "lrn.plot.sixel"

local floor, max, min = math.floor, math.max, math.min

local M = {}

local KINDS = { "kitty", "iterm", "sixel", "blocks", "file", "none" }

-- What tells a terminal that draws: variable, pattern, kind.
local SIGNS = {
  { "KITTY_WINDOW_ID", ".", "kitty" }, { "TERM", "kitty", "kitty" },
  { "TERM", "ghostty", "kitty" }, { "TERM_PROGRAM", "^ghostty$", "kitty" },
  { "TERM_PROGRAM", "^iTerm", "iterm" }, { "LC_TERMINAL", "^iTerm", "iterm" },
  { "TERM_PROGRAM", "^WezTerm$", "iterm" },
}

-- Size of a cell, then what the terminal is: the answer to the second ends with "c" and comes from
-- every terminal, also from those that do not know the first.
local QUESTION, LIMIT = "\27[16t\27[c", 100 -- milliseconds

local CELL = 8    -- pixels: the width of a cell of which nothing is known,
local USUAL = 10  -- and of one for which figures are made; where cells are twice as wide, so are figures
local SMALL = 256 -- pixels: a bare image is enlarged up to here,
local TINY = 32   -- and to so many columns
local PAGE = 100  -- columns: wider than that, figures of characters do not get
local LEAST = 15  -- rows that a figure of characters has at least, however small the terminal

local answer -- of the terminal; false: none came

local function ask()
  if answer == nil then answer = core.terminal_ask(QUESTION, "c", LIMIT) or false end
  return answer or nil
end

--- How a picture is shown.
-- @tparam function env name to value of a variable of the environment
-- @bool tty whether standard output is a terminal
-- @tparam function question asks the terminal: its answer, or nil
-- @treturn string "kitty", "iterm", "sixel", "blocks", "file" or "none"
-- @usage print(require("lrn.plot.terminal").choose(os.getenv, false, function() end))
function M.choose(env, tty, question)
  local wanted, term = env "LRN_SHOW", env "TERM"
  if wanted == "" then wanted = nil end
  if wanted then
    check.value("show", "LRN_SHOW", wanted, { "string", choices = KINDS })
  end
  if wanted == "none" then return "none" end
  if not tty then return "file" end -- no escape sequence into a file, whatever is wanted
  if wanted then return wanted end
  if not term or term == "" or term == "dumb" then return "file" end
  if not term:find "^screen" and not term:find "^tmux" then -- they hand on the environment alone
    for _, sign in ipairs(SIGNS) do
      if (env(sign[1]) or ""):find(sign[2]) then return sign[3] end
    end
  end
  local abilities = (question() or ""):match "\27%[%?([%d;]*)c"
  if abilities and (";" .. abilities .. ";"):find(";4;", 1, true) then return "sixel" end
  return (env "NO_COLOR" or "") == "" and "blocks" or "file"
end

--- Colours of a terminal: "rgb" where it says so, else 256.
-- @tparam function env
-- @usage print(require("lrn.plot.terminal").depth(os.getenv))
function M.depth(env)
  local color = env "COLORTERM"
  if color == "truecolor" or color == "24bit" then return "rgb" end
  return (env "TERM" or ""):find "%-direct$" and "rgb" or 256
end

-- Whether the terminal has more than ASCII.
local function ascii(env)
  for _, name in ipairs{ "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = env(name)
    if value and value ~= "" then return not value:lower():find "utf%-?8" end
  end
  return true
end

-- Width of a figure in pixels of its own.
local function width_of(fig)
  return max(1, floor(fig.width * fig.dpi + .5))
end

-- A figure on a surface that is so many pixels wide.
local function render(fig, width)
  return fig:render(fig.dpi * width / width_of(fig))
end

-- A figure as RGB pixels; their width and height.
local function pixels(fig, width)
  local surface <close> = render(fig, width)
  local w, h = surface:size()
  return surface:tobytes():gsub("(...).", "%1"), w // 1 | 0, h // 1 | 0
end

-- How many pixels wide a figure is drawn on a terminal of so many columns.
local function fit(fig, columns, cell)
  local natural = width_of(fig)
  local times = max(1, floor(cell / USUAL + .5))
  local image = fig.bare_image
  if image then times = max(times, SMALL // max(natural, natural * image.height // image.width)) end
  return min(natural * times, floor(columns * cell))
end

-- Kind to a function of figure, columns, rows, width of a cell: what to write.
local DRAW = {
  kitty = function(fig, columns, _, cell)
    local surface <close> = render(fig, fit(fig, columns, cell))
    return inline.kitty(surface:topng())
  end,
  iterm = function(fig, columns, _, cell)
    local surface <close> = render(fig, fit(fig, columns, cell))
    return inline.iterm(surface:topng(), floor(surface:size()))
  end,
  sixel = function(fig, columns, _, cell)
    return sixel.encode(pixels(fig, fit(fig, columns, cell)))
  end,
  blocks = function(fig, columns, rows)
    local depth, plain, image = M.depth(os.getenv), ascii(os.getenv), fig.bare_image
    if not image then
      return cells.encode(fig, min(columns, PAGE), max(LEAST, rows - 1), depth, plain)
    end
    local width = image.width * max(1, TINY // max(image.width, image.height))
    local bytes, w, h = pixels(fig, min(width, columns))
    return blocks.encode(bytes, w, h, depth, plain)
  end,
}

local saved = 0 -- pictures of this program

-- A name in $TMPDIR that is not taken.
local function free_name()
  local folder, name = os.getenv "TMPDIR", nil
  if not folder or folder == "" then folder = "/tmp" end
  repeat
    saved = saved + 1
    name = ("%s/lrn-%d.png"):format(folder, saved)
  until not core.exists(name)
  return name
end

--- What `Figure:show` writes, and does.
-- @tparam Figure fig
-- @treturn[1] string for standard output
-- @return[2] nil, message, code where a file cannot be written
-- @usage -- io.write(require("lrn.plot.terminal").show(fig))
function M.show(fig)
  local kind = M.choose(os.getenv, core.isatty(1), ask)
  if kind == "none" then return "" end
  if kind == "file" then
    local name = free_name()
    local ok, message, code = figures.save("show", fig, name)
    if not ok then return nil, message, code end
    return name .. "\n"
  end
  local columns, rows, width = core.terminal_size(1)
  columns, rows = columns or 80, rows or 24
  local cell = width and width > 0 and width / columns
    or kind ~= "blocks" and tonumber((ask() or ""):match "\27%[6;%d+;(%d+)t") or CELL
  return DRAW[kind](fig, columns, rows, cell)
end

return M
