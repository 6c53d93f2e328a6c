--- Tensors as pictures, value by value: one image or many, grey or RGB, any order of dimensions.
-- @module lrn.plot.tensors

local array = require "lrn.plot.array"
local check = require "lrn.check"
local figures = require "lrn.plot.figure"
local mosaic = require "lrn.plot.mosaic"

local M = {}

-- Orders of dimensions: where n, height, width and channels stand; planes: channels are not last.
local LAYOUTS = {
  hw = { h = 1, w = 2 }, hwc = { h = 1, w = 2, c = 3 }, chw = { h = 2, w = 3, c = 1 },
  nhw = { n = 1, h = 2, w = 3 }, nhwc = { n = 1, h = 2, w = 3, c = 4 },
  nchw = { n = 1, h = 3, w = 4, c = 2 },
}
-- What a shape is taken for: the first that fits.
local GUESSES = { [2] = { "hw" }, [3] = { "hwc", "chw", "nhw" }, [4] = { "nhwc", "nchw" } }

local OPTIONS = { layout = { "string", choices = check.names(LAYOUTS) },
                  zoom = { "integer", 1, min = 1, max = 100 } }
for name, rule in pairs(mosaic.options) do OPTIONS[name] = rule end
OPTIONS.scale = { "string", "auto", choices = { "auto", "tile", "all", "symmetric" } }

local function fits(shape, layout)
  local channels = layout.c and shape[layout.c]
  return channels == nil or channels == 1 or channels == 3
end

local function layout_of(where, shape, wanted)
  local text = array.shape_text(shape)
  if wanted then
    if #wanted ~= #shape or not fits(shape, LAYOUTS[wanted]) then
      check.raise("size", '%s: layout: got "%s" for shape %s, whose channels c must be 1 or 3', where,
        wanted, text)
    end
    return LAYOUTS[wanted]
  end
  for _, name in ipairs(GUESSES[#shape] or {}) do
    if fits(shape, LAYOUTS[name]) then return LAYOUTS[name] end
  end
  return check.raise("size", "%s: data: got shape %s, expected one or several images: [h, w], "
    .. "[h, w, 3], [3, h, w], [n, h, w], [n, h, w, 3] or [n, 3, h, w]", where, text)
end

-- The tiles of an array (see mosaic.join): as `tile` says, which then is one row each, or as its
-- shape or `layout` does.
local function tiles_of(where, a, opts)
  local shape = a.shape
  local t = { data = a.data, step = 1 }
  if a.n == 0 then
    check.raise("size", "%s: data: there is nothing to show in shape %s", where,
      array.shape_text(shape))
  end
  if opts.tile or #shape == 1 then
    t.n = #shape > 1 and shape[1] or 1
    t.h, t.w, t.channels, t.planes = mosaic.tile_shape(where, opts.tile, a.n // t.n)
  else
    local l = layout_of(where, shape, opts.layout)
    t.n, t.h, t.w, t.channels = shape[l.n] or 1, shape[l.h], shape[l.w], shape[l.c] or 1
    t.planes = t.channels > 1 and l.c < l.h
  end
  t.size = t.h * t.w * t.channels
  function t.first(k) return (k - 1) * t.size end
  return t
end

-- What black and white are where nothing is said: those of bytes and booleans, and of numbers in
-- 0..1; else the least and the greatest.
local function scale_of(x, a, opts)
  if opts.scale ~= "auto" or opts.vmin or opts.vmax then return opts.scale, opts.vmin, opts.vmax end
  local dtype = check.is_tensor(x) and x.dtype
  local lo, hi = array.range(a.data)
  if dtype == "uint8" then return "all", 0, 255 end
  if not lo or lo >= 0 and hi <= 1 then return "all", 0, 1 end
  return "all"
end

--- A figure that is a tensor's values and nothing else, pixel by pixel.
-- @string where the function to blame
-- @param x tensor or nested list
-- @tparam[opt] table opts see `lrn.plot.save_tensor`
-- @treturn Figure
-- @usage local fig = require("lrn.plot.tensors").figure("show", { { 0, 1 }, { 1, 0 } })
function M.figure(where, x, opts)
  opts = check.options(where, opts, OPTIONS)
  local a = array.from(x, where)
  local own = {}
  for name in pairs(mosaic.options) do own[name] = opts[name] end
  own.scale, own.vmin, own.vmax = scale_of(x, a, opts)
  return figures.bare(mosaic.join(where, tiles_of(where, a, opts), own), opts.zoom)
end

return M
