--- Many small images as one: the columns of a weight matrix as tiles.
-- @module lrn.plot.mosaic

local array = require "lrn.plot.array"
local check = require "lrn.check"
local colors = require "lrn.plot.colors"

local floor, ceil, max, abs, sqrt = math.floor, math.ceil, math.max, math.abs, math.sqrt
local concat = table.concat

local M = {}

-- Between tiles of a map that has white in its range, where white would not be seen.
local BACKGROUND = { bwr = "#c0c0c0", bwr_r = "#c0c0c0" }

--- The options that `compose` knows, as rules of lrn.check.
M.options = { tile = { "table" }, cols = { "integer", min = 1 },
              gap = { "integer", 1, min = 0, max = 1000 },
              scale = { "string", "tile", choices = { "tile", "all", "symmetric" } },
              vmin = { "number" }, vmax = { "number" },
              cmap = { "string", "gray" }, background = { "any" } }

--- Numbers as grey levels, a byte each (three of them an RGB pixel).
-- @tparam {number} data
-- @number lo black
-- @number hi white
-- @usage print(require("lrn.plot.mosaic").gray_bytes({ 0, 1 }, 0, 1):byte(1, 2))   --> 0 255
function M.gray_bytes(data, lo, hi)
  local entry, out = colors.mapper(lo, hi, "gray"), {}
  for i = 1, #data do out[i] = (entry(data[i]) or "\255"):sub(1, 1) end
  return concat(out)
end

local function list_text(list)
  local parts = {}
  for i, v in ipairs(list) do parts[i] = tostring(v) end
  return concat(parts, ", ")
end

--- Checks a tile option: height, width and 1 or 3 channels, these behind or in front.
-- @string where the function to blame
-- @tparam ?table tile
-- @int size number of values a tile
-- @treturn int height
-- @treturn int width
-- @treturn int channels
-- @treturn ?boolean planes: red, green and blue come one after the other
-- @usage print(require("lrn.plot.mosaic").tile_shape("mosaic", nil, 784))   --> 28 28 1
function M.tile_shape(where, tile, size)
  if tile == nil then
    local side = floor(sqrt(size) + .5)
    if side * side ~= size then
      check.raise("size", "%s: tile: %d values are no square image; give tile = {height, width}",
        where, size)
    end
    return side, side, 1
  end
  local h, w = math.tointeger(tile[1]), math.tointeger(tile[2])
  local channels, planes = math.tointeger(tile[3] or 1), nil
  if (h == 1 or h == 3) and channels ~= 1 and channels ~= 3 then
    planes, h, w, channels = h == 3, w, channels, h
  end
  if not (h and w and h > 0 and w > 0 and (channels == 1 or channels == 3)) then
    check.raise("size", "%s: tile: got {%s}, expected {height, width}, {height, width, 3} or \z
      {3, height, width}", where, list_text(tile))
  end
  if h * w * channels ~= size then
    check.raise("size", "%s: tile: {%s} has %d values, expected %d as in the data", where,
      list_text(tile), h * w * channels, size)
  end
  return h, w, channels, planes
end

-- The array as tiles: { n, h, w, channels, data, first(k), step }: value i (from 1) of tile k
-- (from 1) is data[first(k) + i * step].
local function tiles_of(where, W, tile, by_row)
  local a = array.from(W, where)
  local nd, shape, n = #a.shape, a.shape, nil
  local t = { data = a.data, step = 1 }
  if nd == 2 and not by_row then
    n = shape[2]
    t.size, t.step = shape[1], n
    t.first = function(k) return k - n end
  elseif nd >= 2 and nd <= 4 and (nd ~= 4 or shape[4] == 3 or shape[2] == 3) then
    n = shape[1]
    t.size = n > 0 and a.n // n or 0
    t.first = function(k) return (k - 1) * t.size end
    if nd > 2 then tile = tile or { shape[2], shape[3], shape[4] } end
  else
    check.raise("size", "%s: data: got shape %s, expected [V, H], [n, h, w], [n, h, w, 3] or \z
      [n, 3, h, w]", where, array.shape_text(shape))
  end
  if a.n == 0 then
    check.raise("size", "%s: data: there is nothing to show in shape %s", where,
      array.shape_text(shape))
  end
  t.n = n
  t.h, t.w, t.channels, t.planes = M.tile_shape(where, tile, t.size)
  return t
end

-- Columns for a mosaic about as wide as high; up to twice as wide where that fills every row.
local function default_cols(n, h, w)
  local square = max(1, math.min(n, ceil(sqrt(n * h / w) - 1e-9)))
  for cols = square, math.min(n, 2 * square) do
    if n % cols == 0 then return cols end
  end
  return square
end

local function values_of(t, k)
  local values, data, step = {}, t.data, t.step
  local at = t.first(k)
  for i = 1, t.size do values[i] = data[at + i * step] end
  if not t.planes then return values end
  local pixels, plane = {}, t.size // t.channels -- red, green and blue come one after the other
  for i = 1, plane do
    for c = 0, t.channels - 1 do pixels[#pixels + 1] = values[c * plane + i] end
  end
  return pixels
end

--- Composes tiles into one image. Every tile is drawn, whatever their number.
-- @string where the function to blame
-- @param W tensor or nested list: V x H (tiles are its columns), n x h x w (x 3) or n x 3 x h x w
-- @tparam[opt] table opts see `lrn.plot.Axes:mosaic`
-- @bool[opt] by_row the rows of a matrix are the tiles
-- @treturn table bytes (RGB), width, height, channels, tiles, rows, cols, bad (values that are
-- not finite), cmap, and vmin, vmax where one scale holds for all
-- @usage local image = require("lrn.plot.mosaic").compose("mosaic", { { 1 }, { 2 }, { 3 }, { 4 } })
function M.compose(where, W, opts, by_row)
  opts = check.options(where, opts, M.options)
  return M.join(where, tiles_of(where, W, opts.tile, by_row), opts)
end

--- The same for tiles that are found already.
-- @string where the function to blame
-- @tparam table t n, h, w, channels, size; value i of tile k is data[first(k) + i * step]; `planes`:
-- its channels come one after the other
-- @tparam table opts checked ones
-- @treturn table as of compose
-- @usage -- local image = require("lrn.plot.mosaic").join("mosaic", t, opts)
function M.join(where, t, opts)
  local gap, scale, cmap = opts.gap, opts.scale, opts.cmap
  local background = opts.background or BACKGROUND[cmap] or "#ffffff"
  local cols = math.min(opts.cols or default_cols(t.n, t.h, t.w), t.n)
  local rows = (t.n + cols - 1) // cols
  local hole = colors.bytes(background)
  local lo, hi, bad = array.range(t.data)
  lo, hi = lo or 0, hi or 0
  if scale == "symmetric" then
    hi = max(abs(lo), abs(hi))
    lo = -hi
  end
  if opts.vmin or opts.vmax then
    scale, lo, hi = "all", colors.limits(where, opts, lo, hi)
  end
  local width = cols * (t.w + gap) - gap
  local empty_line = hole:rep(width)
  local between, missing = hole:rep(gap), hole:rep(t.w)
  local lines = {}
  for row = 1, rows do
    local strips = {} -- for each line of the row, its parts
    for y = 1, t.h do strips[y] = {} end
    for col = 1, cols do
      local k, bytes = (row - 1) * cols + col, nil
      if k <= t.n then
        local values, a, b = values_of(t, k), lo, hi
        if scale == "tile" then
          a, b = array.range(values)
          a, b = a or 0, b or 0
        end
        bytes = t.channels == 3 and M.gray_bytes(values, a, b)
          or colors.apply(values, a, b, cmap, background)
      end
      for y = 1, t.h do
        local strip = strips[y]
        if col > 1 then strip[#strip + 1] = between end
        strip[#strip + 1] = bytes and bytes:sub((y - 1) * t.w * 3 + 1, y * t.w * 3) or missing
      end
    end
    if row > 1 then
      for _ = 1, gap do lines[#lines + 1] = empty_line end
    end
    for y = 1, t.h do lines[#lines + 1] = concat(strips[y]) end
  end
  local image = { bytes = concat(lines), width = width, height = rows * (t.h + gap) - gap,
                  channels = 3, tiles = t.n, rows = rows, cols = cols, bad = bad,
                  cmap = t.channels == 1 and cmap or nil }
  if scale ~= "tile" then image.vmin, image.vmax = lo, hi end
  return image
end

return M
