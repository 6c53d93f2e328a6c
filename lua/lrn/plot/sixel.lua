--- Pictures in DEC's sixels: strips of six lines, one pass a colour, at most 256 colours.
-- Strings to strings, nothing is written.
-- @module lrn.plot.sixel

local floor, max, min = math.floor, math.max, math.min
local char, concat = string.char, table.concat

local M = {}

local COLORS = 256
local MANY = 4096 -- different colours that the median cut is given at most

-- How often each colour occurs, as 24-bit numbers of which only the `mask`ed bits count.
local function count(words, mask)
  local times, n = {}, 0
  for i = 1, #words do
    local w = words[i] & mask
    local before = times[w]
    if not before then n = n + 1 end
    times[w] = (before or 0) + 1
  end
  return times, n
end

-- A box of colours: its longest side, and how much a cut of it would help.
local function box(list, times)
  local self = { list = list, shift = 0, gain = -1 }
  local weight, longest = 0, -1
  for _, w in ipairs(list) do weight = weight + times[w] end
  for shift = 0, 16, 8 do
    local lo, hi = 255, 0
    for _, w in ipairs(list) do
      local v = w >> shift & 255
      lo, hi = min(lo, v), max(hi, v)
    end
    if hi - lo > longest then self.shift, longest = shift, hi - lo end
  end
  if #list > 1 then self.gain = weight * longest end
  self.weight = weight
  return self
end

-- Both halves of a box, by weight, along its longest side.
local function cut(b, times)
  local list, shift = b.list, b.shift
  table.sort(list, function(x, y)
    local p, q = x >> shift & 255, y >> shift & 255
    return p < q or p == q and x < y
  end)
  local seen, at = 0, 1
  for i = 1, #list - 1 do
    at, seen = i, seen + times[list[i]]
    if 2 * seen >= b.weight then break end
  end
  return box(table.move(list, 1, at, 1, {}), times),
    box(table.move(list, at + 1, #list, 1, {}), times)
end

-- The mean of a box whose colours have `bits` bits a channel; the missing ones are the high ones
-- again, so that white is white.
local function mean(b, times, bits)
  local word = 0
  for shift = 0, 16, 8 do
    local sum = 0
    for _, w in ipairs(b.list) do
      local v = w >> shift & 255
      sum = sum + times[w] * (v | v >> bits)
    end
    word = word | floor(sum / b.weight + .5) << shift
  end
  return word
end

-- A palette (from 0) of at most 256 colours, and for every colour its number in it. As many colours
-- as that stay as they are; of more, Heckbert's median cut (1982) makes the choice.
local function quantize(words)
  local mask, bits = 0xffffff, 8
  local times, n = count(words, mask)
  while n > MANY do
    bits = bits - 1
    mask = (0xff << 8 - bits & 0xff) * 0x010101
    times, n = count(words, mask)
  end
  local all = {}
  for w in pairs(times) do all[#all + 1] = w end
  table.sort(all)
  local boxes = { box(all, times) }
  while #boxes < min(n, COLORS) do
    local best = 1
    for i = 2, #boxes do
      if boxes[i].gain > boxes[best].gain then best = i end
    end
    boxes[best], boxes[#boxes + 1] = cut(boxes[best], times)
  end
  local palette, number = {}, {}
  for i, b in ipairs(boxes) do
    palette[i - 1] = mean(b, times, bits)
    for _, w in ipairs(b.list) do number[w] = i - 1 end
  end
  return palette, number, mask
end

local function repeated(v, n)
  local c = char(63 + v)
  return n > 3 and "!" .. n .. c or c:rep(n)
end

-- A run of one colour ends: `n` sixels v up to column `upto`, after nothing since column `done`.
local function flush(run)
  local out, gap = run.out, run.upto - run.n - run.done
  if gap > 0 then out[#out + 1] = repeated(0, gap) end
  out[#out + 1] = repeated(run.v, run.n)
  run.done = run.upto
end

-- Six lines, or fewer, of `width` pixels that begin behind the positions `starts`. A colour's sixels
-- are strung together while the columns go by.
local function strip(words, number, mask, starts, width, out)
  local runs, order, bits = {}, {}, {}
  for x = 1, width do
    local here, n = {}, 0 -- the colours of this column
    for y = 1, #starts do
      local c = number[words[starts[y] + x] & mask]
      local before = bits[c]
      if not before then
        n = n + 1
        here[n], before = c, 0
      end
      bits[c] = before | 1 << y - 1
    end
    for i = 1, n do
      local c = here[i]
      local v, run = bits[c], runs[c]
      bits[c] = nil
      if run and run.v == v and run.upto == x - 1 then
        run.n, run.upto = run.n + 1, x
      elseif run then
        flush(run)
        run.v, run.n, run.upto = v, 1, x
      else
        runs[c], order[#order + 1] = { v = v, n = 1, upto = x, done = 0, out = {} }, c
      end
    end
  end
  for i, c in ipairs(order) do
    flush(runs[c])
    out[#out + 1] = (i > 1 and "$#" or "#") .. c .. concat(runs[c].out)
  end
end

local function percent(v)
  return (v * 200 + 255) // 510 -- rounded
end

--- RGB pixels as sixels.
-- @string bytes width x height x 3
-- @int width
-- @int height
-- @treturn string
-- @usage local text = require("lrn.plot.sixel").encode("\255\0\0", 1, 1)
function M.encode(bytes, width, height)
  local words = {}
  for i = 1, width * height do
    local r, g, b = bytes:byte(3 * i - 2, 3 * i)
    words[i] = r << 16 | g << 8 | b
  end
  local palette, number, mask = quantize(words)
  -- 0;1: square pixels, what is not set stays as it was; then the size.
  local out = { ("\27P0;1q\"1;1;%d;%d"):format(width, height) }
  for i = 0, #palette do
    local w = palette[i]
    out[#out + 1] = ("#%d;2;%d;%d;%d"):format(i, percent(w >> 16), percent(w >> 8 & 255),
      percent(w & 255))
  end
  for top = 0, height - 1, 6 do
    local starts = {}
    for y = top, min(top + 5, height - 1) do starts[#starts + 1] = y * width end
    if top > 0 then out[#out + 1] = "-" end
    strip(words, number, mask, starts, width, out)
  end
  out[#out + 1] = "\27\\\n"
  return concat(out)
end

return M
