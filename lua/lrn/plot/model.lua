--- Pictures of a trained model.
-- @module lrn.plot.model

local array = require "lrn.plot.array"
local check = require "lrn.check"
local figures = require "lrn.plot.figure"
local mosaic = require "lrn.plot.mosaic"

local M = {}

local FILTERS = { title = { "string" }, subtitle = { "string" }, colorbar = { "boolean", true },
                  width = { "number", 6.4, min = .5, max = 100 } }
for name, rule in pairs(mosaic.options) do FILTERS[name] = rule end
local RECONSTRUCTIONS = { n = { "integer", 10, min = 1 }, tile = { "table" }, title = { "string" },
                          cmap = { "string", "gray" },
                          width = { "number", 7, min = .5, max = 100 } }

-- Names of `rbm.history` in their order, with the panel that each is on.
local CURVES = {
  { key = "mse", label = "MSE (sampled)", panel = "error" },
  { key = "error", label = "error (probabilities)", panel = "error" },
  { key = "val_error", label = "error, validation", panel = "error", style = "--" },
  { key = "pl", label = "training", panel = "pl" },
  { key = "val_pl", label = "validation", panel = "pl", style = "--" },
  { key = "loss", label = "loss", panel = "loss" },
  { key = "accuracy", label = "accuracy", panel = "accuracy" },
  { key = "time", label = "time", panel = "time" },
}
local PANELS = { error = "squared error per sample", pl = "log pseudo-likelihood", loss = "loss",
                 accuracy = "accuracy", time = "seconds per epoch" }
local HISTORY = { keys = { "table", { "mse", "error", "val_error", "pl", "val_pl" } },
                  title = { "string" }, subtitle = { "string" } }

local function tile_of(model, opts)
  return opts.tile or model.visible_shape
end

--- The receptive fields of the hidden units, as a mosaic with a title.
-- @param model with `W`, V x H; its `visible_shape` gives the tile where `tile` does not
-- @tparam[opt] table opts those of `lrn.plot.mosaic`; `title`, `subtitle`, `width` in inches (6.4),
-- `colorbar` (on for one scale of all tiles)
-- @treturn Figure
-- @usage -- lrn.plot.model.filters(rbm, { scale = "symmetric", cmap = "bwr" }):save("filters.png")
function M.filters(model, opts)
  opts = check.options("filters", opts, FILTERS)
  local own = {}
  for name in pairs(mosaic.options) do own[name] = opts[name] end
  own.tile = tile_of(model, opts)
  local fig = figures.new{ width = opts.width, height = "fit" }
  local ax = fig:axes():mosaic(model.W, own)
  local image = ax.artists[1]
  ax:title(opts.title or ("%d filters"):format(image.tiles), { loc = "left", size = 14 })
  ax:title(opts.subtitle or image.vmin and "one scale for all" or "each on its own scale",
    { loc = "right", size = 8, color = "gray" })
  if image.vmin and opts.colorbar then ax:colorbar{ label = "weight" } end
  return fig
end

-- The first n cases of a data set (as its batches give them), a tensor or a list. Bytes become
-- 0..1, which is what models make of them.
local function first_cases(data, n)
  local cases = data
  if type(data) == "table" and data.batches then
    for batch in data:batches{ size = n, shuffle = false } do
      cases = batch
      break
    end
  elseif type(data) == "table" then
    return table.move(data, 1, math.min(n, #data), 1, {})
  end
  if not check.is_tensor(cases) or cases.ndim == 0 or #cases == 0 then
    check.raise("size", "reconstructions: data: got %s, expected cases", check.show(data))
  end
  cases = cases:narrow(1, 1, math.min(n, #cases))
  return cases.dtype == "uint8" and cases:to"float32" / 255 or cases
end

local function rows_of(x)
  local a = array.from(x, "reconstructions")
  local n = a.shape[1]
  local size, rows = a.n // math.max(n, 1), {}
  for i = 1, n do rows[i] = table.move(a.data, (i - 1) * size + 1, i * size, 1, {}) end
  return rows, a
end

--- Inputs, their reconstructions and the differences, in three rows.
-- @param model with `reconstruct`
-- @param data data set, tensor or list of cases
-- @tparam[opt] table opts `n` (10) cases, `tile`, `cmap` ("gray"), `title`, `width` in inches (7)
-- @treturn Figure
-- @usage -- lrn.plot.model.reconstructions(rbm, test, { n = 10 }):save("reconstructions.png")
function M.reconstructions(model, data, opts)
  opts = check.options("reconstructions", opts, RECONSTRUCTIONS)
  local input = first_cases(data, opts.n)
  local _, output = model:reconstruct(input)
  local a, from = rows_of(input)
  local b, to = rows_of(output)
  local tile = tile_of(model, opts)
  local lo, hi = array.range(from.data)
  if from.n ~= to.n or #a == 0 then
    check.raise("size", "reconstructions: shapes differ: %s and %s", array.shape_text(from.shape),
      array.shape_text(to.shape))
  end
  if not tile and #from.shape > 2 then tile = { table.unpack(from.shape, 2) } end
  local difference = {}
  for i, row in ipairs(a) do
    difference[i] = {}
    for j, v in ipairs(row) do difference[i][j] = b[i][j] - v end
  end
  local fig = figures.new{ width = opts.width, height = "fit", rows = 3 }
  local common = { tile = tile, cols = #a, vmin = lo, vmax = hi, cmap = opts.cmap }
  local signed = { tile = tile, cols = #a, scale = "symmetric", cmap = "bwr" }
  for i, row in ipairs{ { "input", a, common }, { "reconstruction", b, common },
                        { "difference", difference, signed } } do
    local image = mosaic.compose("reconstructions", row[2], row[3], true)
    fig:axes(i):composed("reconstructions", image):ylabel(row[1], { horizontal = true })
  end
  fig:axes(3):colorbar()
  if opts.title then fig:axes(1):title(opts.title, { loc = "left", size = 14 }) end
  return fig
end

-- The values of a curve, or nil where there are none.
local function curve(history, key)
  local values = history[key]
  if values == nil then return nil end
  local a = array.from(values, "history", 1)
  return array.range(a.data) and a.data or nil
end

--- The curves of training: errors on one panel, the log pseudo-likelihood on another.
-- @param model with `history`, or a table of lists; what is absent or all NaN is left out
-- @tparam[opt] table opts `keys` (mse, error, val_error, pl, val_pl), `title`, `subtitle`
-- @treturn Figure
-- @usage require("lrn.plot").model.history({ mse = { 3, 2, 1 }, pl = { -90, -80, -75 } })
function M.history(model, opts)
  opts = check.options("history", opts, HISTORY)
  local history = model.history or model
  local panels, order, known, wanted, longest = {}, {}, {}, {}, 1
  for i, row in ipairs(CURVES) do known[i], known[row.key] = row.key, true end
  for _, key in ipairs(opts.keys) do
    if not known[key] then check.unknown("history", "key", key, known) end
    wanted[key] = true
  end
  for _, row in ipairs(CURVES) do
    local values = wanted[row.key] and curve(history, row.key)
    if values then
      if not panels[row.panel] then
        panels[row.panel] = {}
        order[#order + 1] = row.panel
      end
      table.insert(panels[row.panel], { row = row, values = values })
      longest = math.max(longest, #values)
    end
  end
  local count = math.max(1, #order)
  local alone = count == 1
  local fig = figures.new{ width = alone and 7 or 5 * count, height = alone and 5 or 4,
                           cols = count }
  for i, name in ipairs(order) do
    local ax = fig:axes(1, i):xlabel("epoch"):ylabel(PANELS[name]):grid(true)
    for k, c in ipairs(panels[name]) do
      ax:line(c.values, { label = c.row.label, style = c.row.style, color = "C" .. k - 1,
                          marker = longest <= 12 and "o" or nil, size = 4 })
    end
    if #panels[name] > 1 then ax:legend() end
  end
  if #order == 0 then fig:axes():xlabel("epoch"):ylabel("value") end
  if opts.title then fig:suptitle(opts.title) end
  if opts.subtitle then
    fig:axes(1, count):title(opts.subtitle, { loc = "right", size = 8, color = "gray" })
  end
  return fig
end

return M
