--- Pictures: figures of lines and images, mosaics of weights, curves of training.
-- Drawn by cairo and pango, after matplotlib's habits; no display is needed.
-- @module lrn.plot

local array = require "lrn.plot.array"
local check = require "lrn.check"
local figures = require "lrn.plot.figure"
local model = require "lrn.plot.model"
local mosaic = require "lrn.plot.mosaic"
local tensors = require "lrn.plot.tensors"

local M = {}

local MOSAIC = { title = { "string" }, zoom = { "integer", 1, min = 1, max = 100 } }
for name, rule in pairs(mosaic.options) do MOSAIC[name] = rule end

local PLOT = { labels = { "table|string" }, title = { "string" }, subtitle = { "string" },
               xlabel = { "string", "epoch" }, ylabel = { "string", "value" },
               grid = { "boolean", true }, legend = { "boolean", true } }

--- A new, empty figure.
-- @function figure
-- @tparam[opt] table opts see `lrn.plot.figure.new`
-- @treturn Figure
-- @usage local fig = require("lrn.plot").figure{ width = 6.4, height = 4.8, dpi = 100 }
M.figure = figures.new

--- Pictures of a trained model: `filters`, `reconstructions`, `history`, `histograms`,
-- `activations`, `chains`, `free_energy_gap` (see `lrn.plot.model`).
M.model = model

--- The columns of a weight matrix as tiles of one image. Saved as PNG it is exact: one pixel a
-- value, or `zoom` x `zoom` pixels.
-- @param W tensor or nested list, V x H
-- @tparam[opt] table opts those of `Axes:mosaic`; `zoom` (1); `title`, which makes room around
-- @treturn Figure
-- @usage require("lrn.plot").mosaic({ { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 } }, { zoom = 8 })
function M.mosaic(W, opts)
  opts = check.options("mosaic", opts, MOSAIC)
  local own = {}
  for name in pairs(mosaic.options) do own[name] = opts[name] end
  local image, zoom = mosaic.compose("mosaic", W, own), opts.zoom
  local fig
  if not opts.title then return figures.bare(image, zoom) end
  image.zoom = zoom
  fig = figures.new{ width = math.max(3, image.width * zoom / 100 + .2), height = "fit" }
  fig:axes():composed("mosaic", image):title(opts.title)
  return fig
end

--- Learnergy's name of `mosaic`.
M.create_mosaic = M.mosaic

--- Saves a tensor as a picture: every value is a pixel, with its own grey where it is a byte or in
-- 0..1. One image or several, which become tiles: [h, w], [h, w, 3], [3, h, w], [n, h, w],
-- [n, h, w, 3], [n, 3, h, w].
-- @param t tensor or nested list
-- @string path that ends in .png, .svg or .pdf
-- @tparam[opt] table opts `layout` ("hw", "hwc", "chw", "nhw", "nhwc", "nchw": where the shape has
-- two meanings), `tile` = {height, width [, 3]} (each row is such an image), `scale` ("auto": 0..255
-- for bytes, 0..1 where all values lie there, else as "all"; "tile", "all", "symmetric"), `vmin`,
-- `vmax`, `cmap` ("gray"), `cols`, `gap` (1), `background`, `zoom` (1)
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage local p = os.tmpname() .. ".png"; require("lrn.plot").save_tensor({ { 0, 1 } }, p)
function M.save_tensor(t, path, opts)
  return figures.save("save_tensor", tensors.figure("save_tensor", t, opts), path)
end

-- A PNG file as a figure.
local function read(path)
  local surface <close>, message, code = require "lrn.plot.cairo".read_png(path)
  if not surface then return nil, "show: " .. message:gsub("^[%w_]+: ", ""), code end
  local w, h = surface:size()
  return figures.bare({ bytes = surface:tobytes(), width = w // 1 | 0, height = h // 1 | 0,
                        channels = 4, bad = 0 }, 1)
end

--- Shows a figure, a tensor (as `save_tensor` saves it) or a PNG file, as `Figure:show` shows.
-- @param x Figure, tensor, nested list, or path of a PNG file
-- @tparam[opt] table opts of a tensor, as of `save_tensor`
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage require("lrn.plot").show({ { 0, .5 }, { .5, 1 } })
function M.show(x, opts)
  local fig, message, code = x, nil, nil
  if type(x) == "string" then
    fig, message, code = read(x)
  elseif getmetatable(x) ~= figures.Figure then
    return tensors.figure("show", x, opts):show()
  end
  check.options("show", opts, {})
  if not fig then return nil, message, code end
  return fig:show()
end

--- Shows a tensor as a picture, as `save_tensor` saves it and `Figure:show` shows.
-- @param t tensor or nested list
-- @tparam[opt] table opts as of `save_tensor`
-- @treturn[1] Figure
-- @return[2] nil, message, code
-- @usage require("lrn.plot").show_tensor({ { 0, .5 }, { .5, 1 } })
function M.show_tensor(t, opts)
  return tensors.figure("show_tensor", t, opts):show()
end

-- Series, and the option table that may follow them.
local function split(...)
  local series, n = { ... }, select("#", ...)
  local last = series[n]
  if n > 0 and type(last) == "table" and not array.is(last) then
    series[n] = nil
    return series, last
  end
  return series, nil
end

--- Curves over epochs: a 7 x 5 in figure, its title on the left, its subtitle grey on the right.
-- @param ... one or more series (tensors or lists), and an option table: `labels` (a list, or a
-- string for one series), `title`, `subtitle`, `xlabel` ("epoch"), `ylabel` ("value"), `grid`
-- (true), `legend` (true)
-- @treturn Figure
-- @usage require("lrn.plot").plot({ 9, 4, 3 }, { 8, 5, 4 }, { labels = { "train", "test" } })
function M.plot(...)
  local series, opts = split(...)
  opts = check.options("plot", opts, PLOT)
  local labels = opts.labels
  if type(labels) == "string" then labels = { labels } end
  if #series == 0 then check.raise("argument", "plot: series: got none, expected at least one") end
  if labels and #labels ~= #series then
    check.raise("size", "plot: labels: got %d, expected %d as there are series", #labels, #series)
  end
  local fig = figures.new{ width = 7, height = 5 }
  local ax = fig:axes():xlabel(opts.xlabel):ylabel(opts.ylabel):grid(opts.grid)
  for i, y in ipairs(series) do
    array.from(y, "plot", 1) -- raises under this name
    ax:line(y, { label = labels and labels[i] or nil })
  end
  if opts.title then ax:title(opts.title, { loc = "left", size = 14 }) end
  if opts.subtitle then ax:title(opts.subtitle, { loc = "right", size = 8, color = "gray" }) end
  if labels and opts.legend then ax:legend() end
  return fig
end

return M
