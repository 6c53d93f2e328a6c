--- Pictures in coloured characters: each cell of the terminal is two pixels, "▀" in the colour of
-- the upper one on the colour of the lower one. Strings to strings, nothing is written.
-- @module lrn.plot.blocks

local check = require "lrn.check"

local byte, concat = string.byte, table.concat

local M = {}

-- How much of the 256 colours' cube a channel's value is: its six levels.
local LEVELS = { [0] = 0, 95, 135, 175, 215, 255 }
local STEP = {}
for v = 0, 255 do
  local best = 0
  for i = 1, 5 do
    if math.abs(LEVELS[i] - v) < math.abs(LEVELS[best] - v) then best = i end
  end
  STEP[v] = best
end

local function far(r, g, b, x, y, z)
  return (r - x) ^ 2 + (g - y) ^ 2 + (b - z) ^ 2
end

-- The nearest of xterm's colours 16 to 255: the 6 x 6 x 6 cube, and 24 greys 8, 18, ..., 238.
local function xterm(r, g, b)
  local i, j, k = STEP[r], STEP[g], STEP[b]
  local gray = math.max(0, math.min(23, ((r + g + b) / 3 - 3) // 10 | 0))
  local v = 8 + 10 * gray
  local off = far(r, g, b, LEVELS[i], LEVELS[j], LEVELS[k])
  if far(r, g, b, v, v, v) < off then return 232 + gray end
  return 16 + 36 * i + 6 * j + k
end

-- Depth to the parameters of a colour, behind 38 (text) or 48 (background).
local FORMS = {
  rgb = function(r, g, b) return ("2;%d;%d;%d"):format(r, g, b) end,
  [256] = function(r, g, b) return ("5;%d"):format(xterm(r, g, b)) end,
}

-- Colours of the pixels of a line, in that form; the form of a colour is made once.
local function line_of(bytes, y, width, form, known)
  local line = {}
  for x = 1, width do
    local at = (y * width + x) * 3
    local r, g, b = byte(bytes, at - 2, at)
    local key = r << 16 | g << 8 | b
    local text = known[key]
    if not text then
      text = form(r, g, b)
      known[key] = text
    end
    line[x] = text
  end
  return line
end

-- Every second line is the mean of two: for terminals without "▀".
local function halve(bytes, width, height)
  local out = {}
  for y = 0, height - 1, 2 do
    local a, n = y * width * 3, width * 3
    local b = y + 1 < height and a + n or a
    for i = 1, n do
      out[#out + 1] = string.char((byte(bytes, a + i) + byte(bytes, b + i) + 1) // 2)
    end
  end
  return concat(out), (height + 1) // 2
end

--- RGB pixels as lines of text with colours.
-- @string bytes width x height x 3
-- @int width
-- @int height
-- @param[opt] depth "rgb" (default) or 256 colours
-- @bool[opt] plain no character but the space: two lines of pixels become one colour
-- @tparam[opt] {table} texts characters over the picture, by row and column of cells:
-- `texts[row][column] = { "text's character", colour as 0xrrggbb }`
-- @treturn string (height + 1) // 2 lines
-- @usage io.write(require("lrn.plot.blocks").encode("\255\0\0\0\0\255", 1, 2))
function M.encode(bytes, width, height, depth, plain, texts)
  local form, known = FORMS[depth or "rgb"], {}
  if not form then
    check.raise("value", 'blocks: depth: got %s, expected "rgb" or 256', check.show(depth))
  end
  local step = plain and 1 or 2
  if plain then bytes, height = halve(bytes, width, height) end
  local out = {}
  for y = 0, height - 1, step do
    local upper = line_of(bytes, y, width, form, known)
    local lower = upper
    if not plain and y + 1 < height then lower = line_of(bytes, y + 1, width, form, known) end
    local last = not plain and y + 1 >= height -- half a line: nothing below
    local text, back -- colours that are on
    local letters = texts and texts[y // step + 1]
    for x = 1, width do
      local above, below, glyph = upper[x], last and "" or lower[x], "▀"
      local letter = letters and letters[x]
      if letter then
        glyph, above = letter[1], form(letter[2] >> 16, letter[2] >> 8 & 255, letter[2] & 255)
      elseif above == below then
        glyph = " "
      end
      if below ~= back then
        out[#out + 1] = last and "\27[49m" or "\27[48;" .. below .. "m"
        back = below
      end
      if glyph ~= " " and above ~= text then
        out[#out + 1] = "\27[38;" .. above .. "m"
        text = above
      end
      out[#out + 1] = glyph
    end
    out[#out + 1] = "\27[0m\n"
  end
  return concat(out)
end

return M
