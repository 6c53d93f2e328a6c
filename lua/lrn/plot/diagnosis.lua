--- Pictures that tell how training goes: parameters and their steps, hidden units, chains, and the
-- free energies of two sets. `lrn.plot.model` has them as its own.
-- @module lrn.plot.diagnosis

local array = require "lrn.plot.array"
local cases = require "lrn.plot.cases"
local check = require "lrn.check"
local core = require "lrn.core"
local figures = require "lrn.plot.figure"
local mosaic = require "lrn.plot.mosaic"

local M = {}

local WIDTH = { "number", min = .5, max = 100 }
local TEXT = { "string" }
local HISTOGRAMS = { bins = { "any", "auto" }, log = { "boolean", false },
                     updates = { "boolean", false }, title = TEXT, width = WIDTH }
local ACTIVATIONS = { n = { "integer", 100, min = 1 }, title = TEXT, cmap = { "string", "gray" },
                      threshold = { "number", .05, min = 0, max = .5 }, width = WIDTH }
local CHAINS = { n = { "integer", 8, min = 1, max = 1000 },
                 frames = { "integer", 12, min = 1, max = 1000 },
                 every = { "integer", 10, min = 1 }, start = { "any" }, tile = { "table" },
                 cmap = { "string", "gray" }, title = TEXT, width = WIDTH }
local GAP = { n = { "integer", 1000, min = 1 }, bins = { "any", "auto" }, title = TEXT,
              width = WIDTH }

local LARGE = 112 -- pixels of a tile: no larger, however few there are
local NAMED = 8 -- units whose numbers are in the legend

-- W and the biases first, then what else a model has.
local ORDER = { W = 1, a = 2, b = 3 }

local function names_of(parameters)
  local names = check.names(parameters)
  table.sort(names, function(x, y)
    local i, j = ORDER[x] or 9, ORDER[y] or 9
    return i < j or i == j and x < y
  end)
  return names
end

local function power(x) -- "1.2e−3"
  return ("%.1e"):format(x):gsub("e%-0?", "e\u{2212}"):gsub("e%+0?", "e")
end

--- Histograms of the parameters, with the size of the last step relative to theirs in the title.
-- @param model with `parameters()`, and `updates()` for the steps
-- @tparam[opt] table opts `bins` ("auto"), `log` (false): logarithmic counts, `updates` (false):
-- also histograms of the last step, in a second row; `title`, `width` in inches (3.6 a panel)
-- @treturn Figure
-- @usage -- lrn.plot.model.histograms(rbm, { log = true }):save("histograms.png")
function M.histograms(model, opts)
  opts = check.options("histograms", opts, HISTOGRAMS)
  local parameters = cases.model("histograms", model, "parameters"):parameters()
  local names, steps = names_of(parameters), model.updates and model:updates() or {}
  local rows = opts.updates and next(steps) and 2 or 1
  local fig = figures.new{ width = opts.width or 3.6 * #names, height = 3 * rows + .2,
                           rows = rows, cols = #names }
  for i, name in ipairs(names) do
    local value, step = parameters[name], steps[name]
    local ax = fig:axes(1, i):hist(value, { bins = opts.bins, log = opts.log })
    ax:title(name, { loc = "left" }):grid(true)
    if i == 1 then ax:ylabel "count" end
    if step then
      local size = value:norm()
      ax:title(size > 0 and ("|\u{394}%s|/|%s| = %s"):format(name, name, power(step:norm() / size))
        or name .. " is 0", { loc = "right", size = 8, color = "gray" })
      if rows == 2 then
        ax = fig:axes(2, i):hist(step, { bins = opts.bins, log = opts.log, color = "C1" })
        ax:title("\u{394}" .. name .. ", the last step", { loc = "left" }):grid(true)
        if i == 1 then ax:ylabel "count" end
      end
    end
  end
  if opts.title then fig:suptitle(opts.title) end
  return fig
end

-- "dead: 3, 17, 40 and 5 more"
local function list_of(what, units)
  local text = what .. ": " .. table.concat(units, ", ", 1, math.min(#units, NAMED))
  return #units > NAMED and ("%s and %d more"):format(text, #units - NAMED) or text
end

--- The hidden means of some cases as a raster, a row a unit. Units that are off for all cases, and
-- units that are on for all, are marked by lines: they carry no information.
-- @param model with `forward`
-- @param data data set, tensor or list of cases
-- @tparam[opt] table opts `n` (100) cases, `threshold` (.05): dead is a unit that never gets above
-- it, always on one that never gets below one minus it; `cmap` ("gray"), `title`, `width` in inches
-- (7)
-- @treturn Figure
-- @usage -- lrn.plot.model.activations(rbm, test):save("activations.png")
function M.activations(model, data, opts)
  local f = "activations"
  opts = check.options(f, opts, ACTIVATIONS)
  local means = cases.model(f, model, "forward"):forward(cases.first(f, "data", data, opts.n))
  local rows, a = cases.rows(f, means)
  local n, units = #rows, a.shape[2]
  local lo, hi = array.range(a.data)
  local binary = lo and lo >= 0 and hi <= 1
  lo, hi = binary and 0 or lo or 0, binary and 1 or hi or 1
  local raster, dead, always = {}, {}, {}
  local off, on = opts.threshold * hi, binary and 1 - opts.threshold or math.huge
  for j = 1, units do
    local row = {}
    for i = 1, n do row[i] = rows[i][j] end
    local least, most = array.range(row)
    if most and most <= off then dead[#dead + 1] = j end
    if least and least >= on then always[#always + 1] = j end
    raster[j] = row
  end
  local fig = figures.new{ width = opts.width or 7, height = 4.8 }
  local ax = fig:axes():image(raster, { cmap = opts.cmap, vmin = lo, vmax = hi, aspect = "auto" })
  ax:xlabel "case":ylabel "hidden unit":colorbar{ label = "mean" }
  if #dead > 0 then
    ax:hline(dead, { color = "C3", label = list_of("dead", dead) })
  end
  if #always > 0 then
    ax:hline(always, { color = "C0", label = list_of("always on", always) })
  end
  if #dead + #always > 0 then ax:legend{ loc = "outside" } end
  ax:title(opts.title or ("%d units, %d cases"):format(units, n), { loc = "left" })
  ax:title(("mean %.3g; %d dead, %d always on"):format(means:mean(), #dead, #always),
    { loc = "right", size = 8, color = "gray" })
  return fig
end

--- Fantasy particles: a row a chain, from left to right in time.
-- @param model with `sample`
-- @tparam[opt] table opts `n` (8) chains, `frames` (12) of each, `every` (10) sweeps between them;
-- `start`: data set, tensor or list whose first n cases the chains begin at, which then are the
-- first column; `tile`, `cmap` ("gray"), `title`, `width` in inches (at most 7)
-- @treturn Figure
-- @usage -- lrn.plot.model.chains(rbm, { start = test }):save("chains.png")
function M.chains(model, opts)
  local f = "chains"
  opts = check.options(f, opts, CHAINS)
  cases.model(f, model, "sample")
  local n, frames, states = opts.n, {}, nil
  if opts.start ~= nil then
    states = cases.first(f, "start", opts.start, n)
    if not check.is_tensor(states) then states = core.tensor(states) end
    n, frames[1] = #states, states
  end
  local from = #frames == 1 and 0 or opts.every
  for k = #frames + 1, opts.frames do
    frames[k], states = model:sample(n, { steps = opts.every, start = states })
  end
  local tiles, shape = {}, frames[1].shape
  for k, frame in ipairs(frames) do
    for i, row in ipairs(cases.rows(f, frame)) do tiles[(i - 1) * #frames + k] = row end
  end
  -- the scale of the data that the chains began at, else of where they are now
  local lo, hi = array.range(array.from(frames[opts.start ~= nil and 1 or #frames], f).data)
  local binary = lo and lo >= 0 and hi <= 1
  local image = mosaic.compose(f, tiles,
    { tile = cases.tile(model, opts.tile, shape), cols = #frames, cmap = opts.cmap,
      vmin = binary and 0 or lo, vmax = binary and 1 or hi }, true)
  image.zoom = math.max(1, LARGE // math.max(image.width // #frames, image.height // n))
  local fig = figures.new{ width = opts.width or math.min(7, .5 + image.width * image.zoom / 100),
                           height = "fit" }
  local ax = fig:axes():composed(f, image):ylabel "chain"
  ax:xlabel(("sweeps: from %d to %d, %d a column"):format(from, from + (#frames - 1) * opts.every,
    opts.every))
  ax:title(opts.title or n == 1 and "a chain" or ("%d chains"):format(n), { loc = "left" })
  return fig
end

-- One panel: the curves of the history, what is between them shaded.
local function gap_curves(ax, train, validation)
  local a, b = array.from(train, "history", 1), array.from(validation, "history", 1)
  local x, lo, hi = {}, {}, {}
  for i = 1, math.min(a.n, b.n) do
    local low, high = math.min(a.data[i], b.data[i]), math.max(a.data[i], b.data[i])
    if low == low and high == high then
      x[#x + 1], lo[#lo + 1], hi[#hi + 1] = i, low, high
    end
  end
  local last = #x > 0 and b.data[x[#x]] - a.data[x[#x]] or 0 / 0
  ax:line(a.data, { label = "training" }):line(b.data, { label = "validation" })
  ax:band(x, lo, hi, { color = "C3", label = "gap" })
  return ax:xlabel "epoch":ylabel "mean free energy":grid(true):legend(), last
end

-- The other: how the free energies of both sets are distributed, what is between the means shaded.
local function gap_distributions(ax, a, b, bins)
  local both = { array.from(a, "free_energy_gap").data, array.from(b, "free_energy_gap").data }
  ax:hist(both, { bins = bins, density = true, label = { "training", "validation" } })
  local peak, means = 0, { a:mean(), b:mean() }
  for _, artist in ipairs(ax.artists) do
    peak = math.max(peak, (select(2, array.range(artist.heights))) or 0)
  end
  for k, mean in ipairs(means) do ax:vline(mean, { color = "C" .. k - 1, width = 1.5 }) end
  ax:band(means, { 0, 0 }, { peak, peak }, { color = "C3", label = "gap of the means" })
  return ax:xlabel "free energy":ylabel "density":legend(), means[2] - means[1]
end

--- The free energies of training and validation cases. The model does not normalise them, but their
-- difference is one of mean log-likelihoods, and a gap that grows is over-fitting (Hinton 2010).
-- Curves over epochs where the history has `free_energy` and `val_free_energy`, which a callback of
-- `fit` may record; distributions where data are given.
-- @param model with `energy`, or with a `history`
-- @param[opt] train data set, tensor or list of cases
-- @param[opt] validation likewise
-- @tparam[opt] table opts `n` (1000) cases of each, `bins` ("auto"), `title`, `width` in inches
-- @treturn Figure
-- @usage -- lrn.plot.model.free_energy_gap(rbm, train, validation):save("gap.png")
function M.free_energy_gap(model, train, validation, opts)
  local f = "free_energy_gap"
  opts = check.options(f, opts, GAP)
  cases.model(f, model, train == nil and "history" or "energy")
  local history = type(model.history) == "table" and model.history or {}
  local curves = history.free_energy and history.val_free_energy
  if (train == nil) ~= (validation == nil) then
    check.raise("argument", "%s: %s: missing, expected cases, as for %s", f,
      train == nil and "train" or "validation", train == nil and "validation" or "train")
  elseif not curves and train == nil then
    check.raise("argument", "%s: train: missing, expected cases, since the history has no "
      .. "free_energy and val_free_energy", f)
  end
  local cols = (curves and 1 or 0) + (train ~= nil and 1 or 0)
  local fig = figures.new{ width = opts.width or cols == 1 and 6.4 or 10, height = 4.2,
                           cols = cols }
  local function titled(ax, gap)
    ax:title(("gap %.3g"):format(gap):gsub("%-", "\u{2212}"),
      { loc = "right", size = 8, color = "gray" })
  end
  if curves then
    titled(gap_curves(fig:axes(1, 1), history.free_energy, history.val_free_energy))
  end
  if train ~= nil then
    titled(gap_distributions(fig:axes(1, cols),
      model:energy(cases.first(f, "train", train, opts.n)),
      model:energy(cases.first(f, "validation", validation, opts.n)), opts.bins))
  end
  fig:axes(1, 1):title(opts.title or "free energy", { loc = "left" })
  return fig
end

return M
