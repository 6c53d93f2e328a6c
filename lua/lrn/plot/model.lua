--- Pictures of a trained model.
-- @module lrn.plot.model

local array = require "lrn.plot.array"
local cases = require "lrn.plot.cases"
local check = require "lrn.check"
local diagnosis = require "lrn.plot.diagnosis"
local figures = require "lrn.plot.figure"
local mosaic = require "lrn.plot.mosaic"

local M = {}
for name, picture in pairs(diagnosis) do M[name] = picture end

local FILTERS = { title = { "string" }, subtitle = { "string" }, colorbar = { "boolean", true },
                  width = { "number", 6.4, min = .5, max = 100 } }
for name, rule in pairs(mosaic.options) do FILTERS[name] = rule end
local RECONSTRUCTIONS = { n = { "integer", 10, min = 1, max = 500 }, tile = { "table" },
                          cols = { "integer", min = 1, max = 100 }, title = { "string" },
                          cmap = { "string", "gray" },
                          width = { "number", min = .5, max = 100 } }

-- Names of `rbm.history` in their order, with the panel that each is on; seldom: not of every epoch, the
-- line goes from one that has it to the next.
local CURVES = {
  { key = "mse", label = "MSE (sampled)", panel = "error" },
  { key = "error", label = "error (probabilities)", panel = "error" },
  { key = "val_error", label = "error, validation", panel = "error", style = "--" },
  { key = "pl", label = "training", panel = "pl" },
  { key = "val_pl", label = "validation", panel = "pl", style = "--" },
  { key = "log_likelihood", label = "training", panel = "likelihood", seldom = true },
  { key = "val_log_likelihood", label = "validation", panel = "likelihood", style = "--",
    seldom = true },
  { key = "free_energy_gap", label = "gap", panel = "gap", seldom = true },
  { key = "loss", label = "training", panel = "loss" },
  { key = "val_loss", label = "validation", panel = "loss", style = "--" },
  { key = "accuracy", label = "training", panel = "accuracy" },
  { key = "val_accuracy", label = "validation", panel = "accuracy", style = "--" },
  { key = "ratio", label = "|dW| / |W|", panel = "ratio" },
  { key = "learning_rate", label = "learning rate", panel = "rate" },
  { key = "time", label = "time", panel = "time" },
}
local PANELS = { error = "squared error per sample", pl = "log pseudo-likelihood",
                 likelihood = "log-likelihood (nats)", gap = "free-energy gap", loss = "loss",
                 accuracy = "accuracy", ratio = "|dW| / |W| of a step",
                 rate = "learning rate", time = "seconds per epoch" }
local HISTORY = { keys = { "table", { "mse", "error", "val_error", "pl", "val_pl",
                                     "log_likelihood", "val_log_likelihood", "free_energy_gap",
                                     "loss", "val_loss", "accuracy", "val_accuracy" } },
                  title = { "string" }, subtitle = { "string" } }

local ABREAST = 16 -- cases side by side in one group
local GROUPS = 33  -- on one page
local LARGE = 112  -- pixels of a tile: no larger, however few there are

--- The receptive fields of the hidden units, as a mosaic with a title.
-- @param model with `W`, V x H; its `visible_shape` gives the tile where `tile` does not
-- @tparam[opt] table opts those of `lrn.plot.mosaic`; `title`, `subtitle`, `width` in inches (6.4),
-- `colorbar` (on for one scale of all tiles)
-- @treturn Figure
-- @usage -- lrn.plot.model.filters(rbm, { scale = "symmetric", cmap = "bwr" }):save("filters.png")
function M.filters(model, opts)
  opts = check.options("filters", opts, FILTERS)
  cases.model("filters", model, "W")
  if not array.is(model.W) then
    check.raise("type", "filters: model: got %s as W, expected a matrix", check.show(model.W))
  end
  local own = {}
  for name in pairs(mosaic.options) do own[name] = opts[name] end
  own.tile = opts.tile or type(model.visible_shape) == "table" and model.visible_shape or nil
  local fig = figures.new{ width = opts.width, height = "fit" }
  local ax = fig:axes():composed("filters", mosaic.compose("filters", model.W, own))
  local image = ax.artists[1]
  ax:title(opts.title or ("%d filters"):format(image.tiles), { loc = "left", size = 14 })
  ax:title(opts.subtitle or image.vmin and "one scale for all" or "each on its own scale",
    { loc = "right", size = 8, color = "gray" })
  if image.vmin and opts.colorbar then ax:colorbar{ label = "weight" } end
  return fig
end

-- The image with lines that are so wide, padded on the right.
local function widened(image, width)
  local missing, stride, lines = ("\255\255\255"):rep(width - image.width), 3 * image.width, {}
  for y = 1, image.height do
    lines[y] = image.bytes:sub((y - 1) * stride + 1, y * stride) .. missing
  end
  image.bytes, image.width = table.concat(lines), width
end

--- Inputs, their reconstructions and the differences, in three rows; more cases than `cols` in
-- several groups of three rows.
-- @param model with `reconstruct`
-- @param data data set, tensor or list of cases
-- @tparam[opt] table opts `n` (10) cases, `cols` of them side by side (at most 16, in even groups),
-- `tile`, `cmap` ("gray"), `title`, `width` in inches (at most 7)
-- @treturn Figure
-- @usage -- lrn.plot.model.reconstructions(rbm, test, { n = 10 }):save("reconstructions.png")
function M.reconstructions(model, data, opts)
  local f = "reconstructions"
  opts = check.options(f, opts, RECONSTRUCTIONS)
  cases.model(f, model, "reconstruct")
  local input = cases.first(f, "data", data, opts.n)
  local _, output = model:reconstruct(input)
  local a, from = cases.rows(f, input)
  local b, to = cases.rows(f, output)
  local n, lo, hi = #a, array.range(from.data)
  if from.n ~= to.n or n == 0 then
    check.raise("size", "%s: shapes differ: %s and %s", f, array.shape_text(from.shape),
      array.shape_text(to.shape))
  end
  local h, w, channels, planes = mosaic.tile_shape(f, cases.tile(model, opts.tile, from.shape),
    from.n // n)
  local groups = (n + ABREAST - 1) // ABREAST
  local cols = math.min(n, opts.cols or (n + groups - 1) // groups)
  groups = (n + cols - 1) // cols
  if groups > GROUPS then
    check.raise("size", "%s: cols: got %d for %d cases, expected at least %d", f, cols, n,
      (n + GROUPS - 1) // GROUPS)
  end
  local difference, most = {}, 0
  for i, row in ipairs(a) do
    difference[i] = {}
    for j, v in ipairs(row) do
      local d = b[i][j] - v
      difference[i][j], most = d, d == d and math.max(most, math.abs(d)) or most
    end
  end
  local zoom, across = math.max(1, LARGE // math.max(h, w)), cols * (w + 1) - 1
  local fig = figures.new{ width = opts.width or math.min(7, 2.2 + across * zoom / 100),
                           height = "fit", rows = 3 * groups }
  local tile = planes and { channels, h, w } or { h, w, channels }
  local common = { tile = tile, cols = cols, vmin = lo, vmax = hi, cmap = opts.cmap }
  local signed = { tile = tile, cols = cols, vmin = -most, vmax = most, cmap = "bwr" }
  local kinds = { { "input", a, common }, { "reconstruction", b, common },
                  { "difference", difference, signed } }
  for g = 1, groups do
    for k, kind in ipairs(kinds) do
      local first = (g - 1) * cols + 1
      local last = math.min(n, first + cols - 1)
      local image = mosaic.compose(f, table.move(kind[2], first, last, 1, {}), kind[3], true)
      if image.width < across then widened(image, across) end
      image.zoom = zoom
      fig:axes(3 * (g - 1) + k):composed(f, image):ylabel(kind[1], { horizontal = true })
    end
    -- Of colours there is no one scale: grey is no difference.
    if channels == 1 then fig:axes(3 * g):colorbar() end
  end
  if opts.title then fig:axes(1):title(opts.title, { loc = "left", size = 14 }) end
  return fig
end

-- The values of a curve and their epochs, or nil where there are none.
local function curve(history, row)
  local values = history and history[row.key]
  if values == nil or not history then return nil end
  local a = array.from(values, "history", 1)
  if not array.range(a.data) then return nil end
  local found, epochs = {}, {}
  for epoch, value in ipairs(a.data) do
    if value == value or not row.seldom then
      found[#found + 1], epochs[#epochs + 1] = value, epoch
    end
  end
  return found, epochs
end

--- The curves of training: errors on one panel, the log pseudo-likelihood on another.
-- @param model with `history`, or a table of lists; what is absent or all NaN is left out
-- @tparam[opt] table opts `keys` (mse, error, pl, log_likelihood, loss, accuracy and those of validation,
-- free_energy_gap; ratio, learning_rate and time are there too), `title`, `subtitle`
-- @treturn Figure
-- @usage require("lrn.plot").model.history({ mse = { 3, 2, 1 }, pl = { -90, -80, -75 } })
function M.history(model, opts)
  opts = check.options("history", opts, HISTORY)
  local history = type(model) == "table" and (model.history or model)
  if type(history) ~= "table" then
    check.raise("type", "history: model: got %s, expected a model with history, or a table of lists",
      check.show(model))
  end
  local panels, order, known, wanted, longest = {}, {}, {}, {}, 1
  for i, row in ipairs(CURVES) do known[i], known[row.key] = row.key, true end
  for _, key in ipairs(opts.keys) do
    if not known[key] then check.unknown("history", "key", key, known) end
    wanted[key] = true
  end
  for _, row in ipairs(CURVES) do
    local values, epochs = curve(wanted[row.key] and history, row)
    if values then
      if not panels[row.panel] then
        panels[row.panel] = {}
        order[#order + 1] = row.panel
      end
      table.insert(panels[row.panel], { row = row, values = values, epochs = epochs })
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
      ax:line(c.epochs, c.values, { label = c.row.label, style = c.row.style, color = "C" .. k - 1,
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
