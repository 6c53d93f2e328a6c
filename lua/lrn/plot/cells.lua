--- A figure on a grid of characters: everything but its texts painted small, two pixels a cell one
-- above the other, and the texts as characters over it.
-- The layout is the one of every figure; only the ruler differs: a character is one pixel wide and
-- two high, whatever its size.
-- @module lrn.plot.cells

local blocks = require "lrn.plot.blocks"
local canvases = require "lrn.plot.canvas"
local colors = require "lrn.plot.colors"
local figures = require "lrn.plot.figure"

local floor, max = math.floor, math.max

local M = {}

local UNIT = .2 -- pixels a point: a line of text of 10 points is one cell, two pixels, high
local GRID = "#e4e4e4"
local ROWS = 20 -- of a figure at least, where the terminal has them: texts need room
local ASCII = { ["\u{2212}"] = "-", ["×"] = "x" }

-- flat: no text is turned.
local Cells = setmetatable({ flat = true }, { __index = canvases.Canvas })
Cells.__index = Cells

local function characters(text)
  return utf8.len(text) or #text
end

function Cells:measure(text) -- luacheck: ignore self
  local w, n = 0, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do w, n = max(w, characters(line)), n + 1 end
  return { w = w, h = 2, x = 0, y = -2, ink_w = w, ink_h = 2 * n }
end

-- No stroke thinner than a pixel, no mark smaller than one and a half; a grid that is so thick must
-- be light.
function Cells:line(role, points, t)
  local p = canvases.Canvas.line(self, role, points, t)
  p.width = max(1, p.width)
  if role == "grid" then p.color = GRID end
  return p
end

function Cells:marks(role, points, t)
  local p = canvases.Canvas.marks(self, role, points, t)
  p.size = max(1.5, p.size)
  return p
end

-- The axes without upright text: the label of y stands on the left of the title, the one of the
-- colour bar on the right.
local function lie_down(ax)
  local titles, labels, ramp = {}, { x = ax.labels.x }, ax.ramp
  for loc, title in pairs(ax.titles) do titles[loc] = title end
  local y = ax.labels.y
  if y and y.horizontal then
    labels.y = y
  elseif y then
    local left = titles.left
    titles.left = { text = left and left.text .. "\n" .. y.text or y.text, size = y.size,
                    color = left and left.color or y.color }
  end
  if ramp and ramp.label then
    local right = titles.right
    titles.right = right or { text = ramp.label, size = 10, color = "black" }
    ramp = { of = ramp.of }
  end
  return setmetatable({ titles = titles, labels = labels, ramp = ramp }, { __index = ax })
end

local SHARES = { left = 0, center = .5, right = 1 }

-- Puts a line of text into a row; where another text stands already it is left out.
local function put(cells, column, text, color, columns, plain)
  local own = {}
  for c in text:gmatch(utf8.charpattern) do
    if plain and #c > 1 then c = ASCII[c] or "?" end
    if column >= 1 and column <= columns and not c:find "%c" then
      if cells[column] then return end
      own[column] = { c, color }
    end
    column = column + 1
  end
  for at, letter in pairs(own) do cells[at] = letter end
end

-- Texts of a draw list by row and column of cells.
local function letters(list, columns, plain)
  local grid = {}
  for _, p in ipairs(list) do
    if p.kind == "text" then
      local r, g, b = colors.bytes(p.color):byte(1, 3)
      local row = floor(p.y / 2 - .5) + 1 -- the cell above the baseline
      for text in (p.text .. "\n"):gmatch "(.-)\n" do
        grid[row] = grid[row] or {}
        put(grid[row], floor(p.x - SHARES[p.halign] * characters(text) + .5) + 1, text,
          r << 16 | g << 8 | b, columns, plain)
        row = row + 1
      end
    end
  end
  return grid
end

--- A figure on a grid of cells: pixels, two a cell, and texts over them.
-- @tparam Figure fig
-- @int columns its width
-- @int rows its greatest height, where the figure does not fit its images
-- @bool[opt] plain ASCII alone
-- @treturn string RGB, three bytes a pixel
-- @treturn int width in pixels, and in cells
-- @treturn int height in pixels
-- @treturn {table} texts, as `lrn.plot.blocks` takes them
-- @usage -- local bytes, width, height, texts = require("lrn.plot.cells").compose(fig, 80, 24)
function M.compose(fig, columns, rows, plain)
  local height = 1
  if fig.height ~= "fit" then
    height = 2 * math.min(rows, max(ROWS, floor(columns * fig.height / fig.width / 2 + .5)))
  end
  local canvas = setmetatable({ list = {}, width = columns, height = height, unit = UNIT }, Cells)
  local copy = setmetatable({ cells = {} }, { __index = fig })
  for i, ax in pairs(fig.cells) do copy.cells[i] = lie_down(ax) end
  figures.compose(copy, canvas)
  local shapes = {}
  for _, p in ipairs(canvas.list) do
    if p.kind ~= "text" then shapes[#shapes + 1] = p end
  end
  return canvases.pixels(shapes, canvas.width, canvas.height), canvas.width, canvas.height,
    letters(canvas.list, columns, plain)
end

--- A figure as lines of coloured characters.
-- @tparam Figure fig
-- @int columns as of `compose`
-- @int rows
-- @param[opt] depth "rgb" or 256
-- @bool[opt] plain ASCII alone
-- @treturn string
-- @usage -- io.write(require("lrn.plot.cells").encode(fig, 80, 24))
function M.encode(fig, columns, rows, depth, plain)
  local bytes, width, height, texts = M.compose(fig, columns, rows, plain)
  return blocks.encode(bytes, width, height, depth, plain, texts)
end

return M
