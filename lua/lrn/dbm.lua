--- Deep Boltzmann machines (Salakhutdinov and Hinton 2009, 2012): several hidden layers, all of which are
-- trained jointly by mean field and persistent chains. The engine has the model (src/model/dbm.c); this
-- file has its options, files and likelihoods, pretrain.lua its start from RBMs.
local check = require "lrn.check"
local core = require "lrn.core"
local aids = require "lrn.aids"
local batches = require "lrn.batches"
local dataset = require "lrn.data.dataset"
local fit = require "lrn.fit"
local likelihood = require "lrn.likelihood"
local history = require "lrn.history"
local options = require "lrn.options"
local pretrain = require "lrn.pretrain"
local rbm = require "lrn.rbm"
local summary = require "lrn.summary"

local M = {}
local methods = {}
local meta = { __name = "lrn.DBM" }

local CLASS = "DBM"
local MOST_STEPS = (1 << 30) - 1 -- of one chain: beyond, its random numbers would repeat
local CHUNK = 4096 -- rows of a data set that are reconstructed at once
local DEFAULTS = { n_visible = 128, n_hidden = { 128, 128 }, persistent = 100 }

-- Which options there are depends on the units.
local function row_of(o)
  return { name = CLASS, deep = true, visible = o.visible or "bernoulli", hidden = o.hidden or "bernoulli" }
end

local function make(c, past, kept)
  return setmetatable({ _core = c, _row = row_of { visible = c:get "visible", hidden = c:get "hidden" },
    _history = past or history.new(), _aids = kept or false, user = {} }, meta)
end

--- Is v a deep Boltzmann machine?
function M.is(v)
  return type(v) == "table" and getmetatable(v) == meta
end

-- The sizes of the hidden layers: from a number or a list.
local function sizes(n_hidden)
  if math.type(n_hidden) == "integer" then n_hidden = { n_hidden } end
  check.value(CLASS, "n_hidden", n_hidden, { "table" })
  local list = {}
  for i = 1, #n_hidden do
    list[i] = check.value(CLASS, "n_hidden", rawget(n_hidden, i), { "integer", required = true, min = 1,
      max = (1 << 31) - 1 })
  end
  return list
end

-- A name for what is wrong with words, which the engine would only number.
local function check_units(o)
  local names = core.units()
  check.value(CLASS, "visible", o.visible, { "string", choices = names })
  check.value(CLASS, "hidden", o.hidden, { "string", choices = { "bernoulli", "spin" } })
  if o.visible and not core.unit_has_density(o.visible) then
    check.raise("value", "DBM: visible: got %q, expected units with a density", o.visible)
  end
end

--- A deep Boltzmann machine.
-- @param given n_hidden: list of sizes, the lowest layer first; visible ("bernoulli"), hidden ("bernoulli" or
-- "spin"); models: a list of RBMs to begin from, in place of sizes and units; and options of RBM
-- @return the model; or nil, message, code where its device is not there
-- @usage local m = lrn.DBM{ n_visible = 64, n_hidden = { 32, 16 }, seed = 1 }; assert(m["2.W"]:size(2) == 16)
function M.new(given)
  if given ~= nil and type(given) ~= "table" then
    check.raise("type", "DBM: options: got %s, expected a table", check.show(given))
  end
  local o, models = {}, nil
  for name, value in next, DEFAULTS do o[name] = value end
  for name, value in next, given or {} do
    if name == "models" then models = value else o[name] = value end
  end
  if models ~= nil then
    for name, value in pairs(pretrain.shape(models)) do
      if (given[name] == nil or name == "n_visible" or name == "n_hidden") then o[name] = value end
    end
  end
  check_units(o)
  options.check(CLASS, row_of(o), o)
  local n_hidden = sizes(o.n_hidden)
  o.n_hidden = nil
  local c, message, code = core.dbm_new(o, n_hidden)
  if not c then return nil, message, code end
  local self = make(c)
  if models then pretrain.compose(self, models) end
  return self
end

local function rows(self, where, name, t)
  return batches.rows(where, name, t, self.n_visible, "n_visible")
end

-- Rows of values as the engine wants them: of the model's kind, on its device.
local function as_model(self, t)
  return t:to { dtype = self.dtype, device = self.device }:contiguous()
end

-- A list of n rows of each hidden layer.
local function layers_of(self, where, list, n)
  local units, found = self._core:units(), {}
  for l = 1, #units - 1 do
    local t, count = batches.rows(where, "layers", rawget(list, l), units[l + 1], "hidden layer " .. l)
    if count ~= n then
      check.raise("size", "%s: layers: got %d rows of layer %d, expected %d", where, count, l, n)
    end
    found[l] = as_model(self, t)
  end
  return found
end

-- {=== Inference ===

--- Features: the mean-field means of a hidden layer. `dbm(x)` is the same.
-- @param opts layer: which one (the highest)
-- @usage local f = lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:forward(lrn.zeros(2, 4));
-- assert(f:size(2) == 2)
function methods:forward(x, opts)
  local top = #self.n_hidden
  local o = check.options("forward", opts, { layer = { "integer", top, min = 1, max = top } })
  return self._core:layer_mean((rows(self, "forward", "x", x)), o.layer)
end

meta.__call = methods.forward

--- Features of a data set, which keeps its targets and classes.
-- @param opts layer: which one (the highest)
-- @usage local f = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 } }:transform((lrn.data.digits()))
function methods:transform(data, opts)
  local top = #self.n_hidden
  local o = check.options("transform", opts, { layer = { "integer", top, min = 1, max = top } })
  return batches.features(self, data, function(t) return self._core:layer_mean(t, o.layer) end)
end

--- Energies. Of rows v: the variational free energy, at least F(v) = -T log of the sum of exp(-E / T) over
-- the hidden states, and F itself where there is one hidden layer. Given the hidden layers, too: E(v, h).
-- @param layers list of the hidden layers' states, as many rows each as v
-- @usage local F = lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:energy(lrn.zeros(2, 4)); assert(#F == 2)
function methods:energy(v, layers)
  local t, n = rows(self, "energy", "v", v)
  if layers == nil then return self._core:free_energy(t) end
  check.value("energy", "layers", layers, { "table" })
  return self._core:joint_energy(t, layers_of(self, "energy", layers, n))
end

--- The error of reconstructing a data set: sum over units, mean over rows; by way of the first hidden layer
-- as mean field has it.
-- @param opts mean_field: its means go down instead of drawn states (false)
-- @return error between data and visible probabilities; the probabilities; the same with sampled units
-- @usage local err, v = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 } }:reconstruct((lrn.data.digits()))
function methods:reconstruct(data, opts)
  local o = check.options("reconstruct", opts, { mean_field = { "boolean", false } })
  local set = dataset.is(data)
  local whole, n = nil, set and #data
  if not set then whole, n = rows(self, "reconstruct", "data", data) end
  if n == 0 then check.raise("size", "reconstruct: data: got 0 rows, expected at least 1") end
  local v, at, sum, sampled = core.empty(n, self.n_visible, { dtype = self.dtype, device = self.device }), 0, 0, 0
  local function part(x, count)
    sum, sampled = self._core:reconstruct_part(v:narrow(1, at + 1, count), x, at, o.mean_field, sum, sampled)
    at = at + count
  end
  if set then
    for x in data:batches { size = CHUNK, shuffle = false } do part(rows(self, "reconstruct", "data", x)) end
  else
    part(whole, n)
  end
  return sum / n, v, sampled / n
end

local sample_rules = { steps = { "integer", 1000, min = 1, max = MOST_STEPS },
  burn = { "integer", 0, min = 0, max = MOST_STEPS }, thin = { "integer", min = 1 }, start = { "tensor|table" } }

--- Fantasies: n chains of block Gibbs sampling over all layers, the odd ones given the even ones and the
-- other way round, from hidden states drawn from the biases, or from `start`.
-- @param n number of chains
-- @param opts steps (1000): sweeps; burn (0): sweeps before them; thin: draws are those of every thin-th sweep,
-- else of the last one alone; start: n rows of visible values, or the states of the hidden layers that sample
-- or chains gave
-- @return visible means of the last sweep and its states: n x n_visible, with thin draws x n x n_visible; and
-- the list of the hidden layers' states at the end
-- @usage local v, s, h = lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:sample(2, { steps = 10 });
-- assert(h[2]:size(2) == 2)
function methods:sample(n, opts)
  n = check.value("sample", "n", n, { "integer", required = true, min = 1 })
  local o, c = check.options("sample", opts, sample_rules), self._core
  if o.thin and o.thin > o.steps then
    check.raise("value", "sample: thin: got %d, expected an integer <= steps, %d", o.thin, o.steps)
  end
  local start, hidden, count = nil, nil, n
  if check.is_tensor(o.start) then
    start, count = rows(self, "sample", "start", o.start)
  elseif o.start then
    hidden = layers_of(self, "sample: start", o.start, n)
  end
  if count ~= n then check.raise("size", "sample: start: got %d rows, expected n = %d", count, n) end
  local function go(steps)
    local v, s
    v, s, hidden = c:sample(n, steps, start, hidden)
    start = nil
    return v, s
  end
  if o.burn > 0 then go(o.burn) end
  if not o.thin then
    local v, s = go(o.steps)
    return v, s, hidden
  end
  local means, states = {}, {}
  for i = 1, o.steps // o.thin do means[i], states[i] = go(o.thin) end
  return core.stack(means, 1), core.stack(states, 1), hidden
end

--- What data are standardised by, as RBM:statistics.
-- @usage assert(next(lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:statistics()) == nil)
function methods:statistics()
  local found = self._core:statistics() or {}
  for name, t in pairs(found) do found[name] = t:clone() end
  return found
end

--- The persistent chains' states: a list with a tensor a hidden layer; nil before training.
-- @usage local m = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 }, persistent = 5 };
-- m:fit((lrn.data.digits()), { epochs = 1 }); assert(m:chains()[2]:size(1) == 5)
function methods:chains()
  local found = self._core:chain()
  for l, t in ipairs(found or {}) do found[l] = t:clone() end
  return found
end

--- The parameters: a table from name to tensor, "1.W", "1.a", "1.b", "2.W", "2.b" and so on. Writing to them
-- writes to the model.
-- @usage local p = lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:parameters(); assert(p["2.W"]:size(1) == 3)
function methods:parameters()
  return self._core:parameters()
end

-- }===

-- {=== Likelihoods ===

-- States that the model itself would give, as well as `burn` sweeps can, for annealing downwards.
local function samples(self, n, burn, data)
  local held, start = self._core:chain(), nil
  if held and self._core:state().step > 0 then
    start = {}
    for l, t in ipairs(held) do start[l] = likelihood.spread(t, n) end
  elseif data then
    start = likelihood.spread(data, n)
  end
  local _, v, h = self:sample(n, { steps = burn, start = start })
  h.v = v
  return h, v
end

--- log Z in nats: exact, where the layers of even or of odd numbers have at most 2^24 states together, 24
-- units; elsewhere by annealed importance sampling both ways, as RBM:log_partition.
-- @param opts those of RBM:log_partition
-- @return the figure; the lower and the upper end of the bracket; and a table, as there
-- @usage print(lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:log_partition())
function methods:log_partition(opts)
  local info = likelihood.partition(self, "log_partition", opts, nil, samples)
  return info.log_z, info.log_z_low, info.log_z_high, info
end

--- A lower bound on the log-likelihood of data in nats, mean over rows: entropy of mean field plus its expected
-- -E / T, minus log Z. method = "exact" gives the log-likelihood itself, of small models.
-- @param data data set or tensor
-- @param opts those of RBM:log_partition; method: "ais", log Z by annealing even where it could be exact;
-- "exact": log p(v) exactly, by listing hidden states for each row
-- @return the bound; the same with log Z at the upper and at the lower end of its bracket; and the table of
-- log_partition, with bound = true where it is one
-- @usage print(lrn.DBM{ n_visible = 9, n_hidden = { 4, 3 } }:log_likelihood(lrn.data.bars_and_stripes(3)))
function methods:log_likelihood(data, opts)
  local where, c = "log_likelihood", self._core
  local t = likelihood.all_rows(self, where, "data", data)
  local exact = type(opts) == "table" and rawget(opts, "method") == "exact"
  local sum = c:log_likelihood(t, 0) -- bad values are found before the work begins
  local info = likelihood.partition(self, where, opts, t, samples)
  if exact then sum = c:log_marginal(t):mean() end
  info.bound = not exact
  return sum - info.log_z, sum - info.log_z_high, sum - info.log_z_low, info
end

-- }===

-- {=== Training ===

-- What fit.lua asks of the model that it trains; the rest is an RBM's.
local trainer = setmetatable({}, { __index = rbm.trainer })

function trainer.metrics(_, validated)
  return { "mse", "error", validated and "val_error" or nil }
end

function trainer.means(self)
  local state = self._core:state()
  return { mse = state.mse / state.samples, error = state.error / state.samples }
end

function trainer.shown(self) return trainer.means(self) end
function trainer.results(_, stats) return stats.mse end

function trainer.validate(self, data, stats)
  stats.val_error = self:reconstruct(data)
end

-- Reads a checkpoint into this model. Whatever goes wrong, the model is as before.
function trainer.resume(self, path)
  local file, message, code = core.file_load(path)
  if not file then return nil, message, code end
  local other
  other, message, code = M.from_file(file, path, true, self.device)
  if not other then return nil, message, code end
  for _, option in ipairs(options.all(self._row)) do
    local name = option[1]
    local got, want = other[name], self[name]
    if name == "n_hidden" then got, want = table.concat(got, ", "), table.concat(want, ", ") end
    if got ~= want and not option.live and name ~= "seed" then
      check.raise("value", "fit: resume: %s has a model with %s = %s, expected %s", path, name,
        tostring(got), tostring(want))
    end
  end
  self._core, self._history, self._aids = other._core, other._history, other._aids
  return true
end

--- Trains an RBM for each layer, on what the ones below make of the data, and begins from them.
-- @param data data set, tensor or iterator of batches
-- @param opts epochs (10), batch_size (128), shuffle, progress, callback(rbm, epoch, stats, layer); steps,
-- persistent, learning_rate, momentum, decay and other options of RBM, which are those of this model where
-- nothing else is said; each one value, or a list with one a layer
-- @return the list of the RBMs
-- @usage local m = lrn.DBM{ n_visible = 64, n_hidden = { 16, 8 }, seed = 1 };
-- m:pretrain((lrn.data.digits()), { epochs = { 2, 1 }, batch_size = 16 })
function methods:pretrain(data, opts)
  return pretrain.run("pretrain", self, data, opts)
end

--- Trains all layers jointly. The options are those of RBM's fit, without weights; and
-- @param opts pretrain: options of pretrain, which is done first (not where a checkpoint is resumed)
-- @return mse of the last epoch; nil, message, code where a checkpoint cannot be read or written
-- @usage local m = lrn.DBM{ n_visible = 64, n_hidden = { 16, 8 }, learning_rate = 0.01, seed = 1 };
-- m:fit((lrn.data.digits()), { epochs = 1, pretrain = { epochs = 1 } })
function methods:fit(data, opts)
  if type(opts) ~= "table" then return fit.run(trainer, self, data, opts) end
  local o, before = {}, rawget(opts, "pretrain")
  for name, value in next, opts do
    if name ~= "pretrain" then o[name] = value end
  end
  for _, name in ipairs { "weights", "class_weights" } do
    if o[name] ~= nil then
      check.raise("argument", "fit: %s: a deep Boltzmann machine takes none", name)
    end
  end
  if before ~= nil and o.resume == nil then
    check.value("fit", "pretrain", before, { "table" })
    local given = { batch_size = o.batch_size, progress = o.progress, shuffle = o.shuffle }
    for name, value in next, before do given[name] = value end
    local models, message, code = pretrain.run("fit: pretrain", self, data, given)
    if not models then return nil, message, code end
  end
  return fit.run(trainer, self, data, o)
end

-- }===

-- {=== Files ===

local counters = { "step", "calls", "epoch", "batch", "samples" }
local sums = { "mse", "error" }
local means = { "mean.v", "mean.h", "mean.sparse" }

--- Writes the model with all that training needs to go on: parameters, momentum, chains, generator, the place
-- in the epoch, options and history. The old file stays whole until the new one is.
-- @return true; or nil, message, code
-- @usage local p = os.tmpname(); assert(lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }:save(p)); os.remove(p)
function methods:save(path)
  check.value("save", "path", path, { "string", required = true })
  local file, c, state = core.file_new(), self._core, self._core:state()
  local o, place = {}, {}
  for _, option in ipairs(options.all(self._row)) do
    if option[1] ~= "n_hidden" and option[1] ~= "device" then o[option[1]] = c:get(option[1]) end
  end
  o.seed = tostring(o.seed)
  for _, name in ipairs(counters) do place[name] = state[name] end
  for _, name in ipairs(sums) do place[name] = ("%a"):format(state[name]) end
  file:meta("lrn.format", "1")
  file:meta("lrn.class", CLASS)
  file:meta("lrn.options", core.json_encode(o))
  file:meta("lrn.layers", core.json_encode(self.n_hidden))
  file:meta("lrn.place", core.json_encode(place))
  file:meta("lrn.history", self._history:encode())
  for _, set in ipairs { c:parameters(), c:kept() } do
    for _, name in ipairs(check.names(set)) do file:put(name, set[name]) end
  end
  for name, t in pairs(c:statistics() or {}) do file:put("stat." .. name, t) end
  aids.store(self._aids, file, state.batch > 0)
  return file:save(path)
end

-- The description of a model in a file: options, sizes, place; or nil and a message.
local function described(file)
  local o = core.json_decode(file:meta "lrn.options" or "")
  local units = core.json_decode(file:meta "lrn.layers" or "")
  local place = core.json_decode(file:meta "lrn.place" or "")
  if type(o) ~= "table" or type(units) ~= "table" or type(place) ~= "table" then
    return nil, "lrn.options, lrn.layers, lrn.place: damaged"
  end
  o.seed = type(o.seed) == "string" and math.tointeger(tonumber(o.seed)) or nil
  local good = o.seed ~= nil and math.type(o.n_visible) == "integer"
  for _, name in ipairs(counters) do
    good = good and math.type(place[name]) == "integer" and place[name] >= 0
  end
  for _, name in ipairs(sums) do
    place[name] = type(place[name]) == "string" and tonumber(place[name])
    good = good and place[name]
  end
  if not good then return nil, "lrn.options, lrn.place: damaged" end
  -- the tensors are looked at first: sizes of a hostile file must not make us allocate
  local below = o.n_visible
  for l = 1, #units do
    local W = file:get(l .. ".W")
    if not W or check.shape(W) ~= ("[%s, %s]"):format(below, units[l]) then
      return nil, ("tensor '%d.W': found %s, expected [%s, %s]"):format(l, W and check.show(W) or "nothing",
        tostring(below), tostring(units[l]))
    end
    below = units[l]
  end
  return o, units, place
end

-- Tensors of the model by name, from the file; nil, or a message.
local function fetch(file, set)
  for name, t in pairs(set) do
    local x = file:get(name)
    if not x or check.shape(x) ~= check.shape(t) or x.dtype ~= t.dtype then
      return ("tensor '%s': found %s, expected %s%s"):format(name, x and check.show(x) or "nothing", t.dtype,
        check.shape(t))
    end
    t:copy_(x)
  end
end

-- Parameters and what training goes on from, into a new core.
local function restore(c, file, units, place)
  local message = fetch(file, c:parameters())
  local mean, std = file:get "stat.mean", file:get "stat.std"
  if not message and mean and std and c:get "normalize" then c:set_statistics(mean, std) end
  if not message and file:get "1.momentum.W" then
    c:reserve(1, true)
    for l = 1, #units do
      for which, name in ipairs(means) do
        if file:get(l .. "." .. name) then c:begin_mean(l, which) end
      end
    end
    message = fetch(file, c:kept())
  end
  c:set_state(place)
  return message
end

--- A model from an open file. exactly: of this class, or an error says so.
-- @return the model; or nil, message, code
function M.from_file(file, path, exactly, device)
  local function bad(message)
    return nil, ("load: %s: %s"):format(path, message), "EFORMAT"
  end
  if exactly and file:meta "lrn.class" ~= CLASS then
    return bad(("got a model of class %s, expected DBM"):format(check.show(file:meta "lrn.class")))
  end
  local o, units, place = described(file)
  if not o then return bad(units) end
  o.device = device
  local past, message = history.decode(file:meta "lrn.history" or "{}")
  if not past then return bad("lrn.history: " .. message) end
  local ok, c, why, code = pcall(core.dbm_new, o, units)
  if not ok and core.error.kind(c) == "memory" then error(c, 0) end
  if not ok then return bad("lrn.options: " .. tostring(c):gsub("^.-DBM: ", "")) end
  if not c then return nil, why, code end
  local done
  done, message = pcall(restore, c, file, units, place)
  if not done and core.error.kind(message) == "memory" then error(message, 0) end
  if message then return bad(tostring(message)) end
  local kept
  kept, message = aids.restore(file, c:parameters())
  if message then return bad(message) end
  return make(c, past, kept)
end

-- }===

-- {=== Fields ===

local function n_hidden(self)
  return table.move(self._core:units(), 2, #self._core:units(), 1, {})
end

-- A parameter by its name; "W" stands for "1.W".
local function parameter_of(self, key)
  local parameters = self._core:parameters()
  return parameters[key] or parameters["1." .. tostring(key)]
end

function meta:__index(key)
  local method = methods[key]
  if method then return method end
  if key == "n_hidden" then return n_hidden(self) end
  if options.of(rawget(self, "_row"), key) then return self._core:get(key) end
  if key == "history" then return rawget(self, "_history") end
  if key == "class" then return CLASS end
  return type(key) == "string" and parameter_of(self, key) or nil
end

local function live_names(self)
  local names = check.names(self._core:parameters())
  for _, option in ipairs(options.all(rawget(self, "_row"))) do
    if option.live then names[#names + 1] = option[1] end
  end
  table.move({ "history", "user" }, 1, 2, #names + 1, names)
  table.sort(names)
  return names
end

function meta:__newindex(key, value)
  local option = options.of(rawget(self, "_row"), key)
  if option and option.live then
    self._core:set(key, value)
  elseif option or methods[key] or key == "class" then
    check.raise("argument", "DBM: %s: cannot be assigned; %s", key,
      option and "make a new model for another value" or "it is a part of every model")
  elseif key == "history" then
    if not history.is(value) then
      check.raise("type", "DBM: history: got %s, expected a history", check.show(value))
    end
    rawset(self, "_history", value)
  else
    local parameter = type(key) == "string" and parameter_of(self, key)
    if not parameter then check.unknown(CLASS, "field", key, live_names(self)) end
    check.tensor(CLASS, key, value)
    if check.shape(value) ~= check.shape(parameter) then
      check.raise("size", "DBM: %s: got %s, expected %s", key, check.shape(value), check.shape(parameter))
    end
    parameter:copy_(value)
  end
end

--- Layers, parameters, options and how far training is.
function meta:__tostring()
  local c = self._core
  local head = ("DBM %s (%s visible, %s hidden), %s on %s"):format(table.concat(c:units(), " - "),
    c:get "visible", c:get "hidden", c:get "dtype", c:get "device")
  return summary.text(head, c:parameters(), options.settings(self._row, c), c:state())
end

-- }===

check.class("deep model", methods, M.is)
M.methods = methods
return M
