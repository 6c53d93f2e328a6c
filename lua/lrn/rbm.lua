--- Restricted Boltzmann machines: the model object over the engine's step.
-- One class for all rows of models.lua: which units a layer has is data, not code. The engine holds
-- parameters, workspace and the place in the epoch; this file holds options, history and files, and
-- what fit.lua trains it by.
local core = require "lrn.core"
local aids = require "lrn.aids"
local batches = require "lrn.batches"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"
local fit = require "lrn.fit"
local history = require "lrn.history"
local log = require "lrn.log"
local options = require "lrn.options"
local summary = require "lrn.summary"

local M = {}
local methods = {}
local meta = { __name = "lrn.Model" }

local INFER = 512  -- rows that inference computes at once (LRN_INFER_ROWS in model/model.h)
local Z_LOW, Z_HIGH = -6, 2 -- of log variances (model/variance.c)
local MOST_STEPS = (1 << 30) - 1 -- of one chain: beyond, its random numbers would repeat

-- Kinds of models that do not take rows of data, by name (ratings.lua). Each has methods, in place of those
-- here; complete(o), which makes the engine's options of those given and returns fields of the model;
-- store(model, file) and restore(file, core), which gives the fields again, or nil and a message;
-- resumed(model, other, path), before model becomes other; field(model, key); size(model), for tostring.
M.kinds = { rows = { methods = methods } }

local function kind_of(self) return M.kinds[rawget(self, "_row").kind or "rows"] end

-- extra: fields that only models of this row have.
local function make(c, row, extra, past, kept)
  local self = { _core = c, _row = row, _history = past or history.new(), _aids = kept or false,
    user = {} }
  for name, value in pairs(extra or {}) do self[name] = value end
  return setmetatable(self, meta)
end

--- Is v a model?
function M.is(v)
  return type(v) == "table" and getmetatable(v) == meta
end

--- A new model of a row: { name =, visible =, hidden =, mask =, variance =, defaults = }. A row with
-- kind is of M.kinds, and own has its options that complete reads.
-- @return the model; or nil, message, code where its device is not there
function M.new(row, given)
  if given ~= nil and type(given) ~= "table" then
    check.raise("type", "%s: options: got %s, expected a table", row.name, check.show(given))
  end
  local o = {}
  for name, value in pairs(row.defaults or o) do o[name] = value end
  options.check(row.name, row, given or {})
  for name, value in next, given or {} do o[name] = value end
  if row.defaults and row.defaults.n_classes then
    check.value(row.name, "n_classes", given and given.n_classes, { "integer", required = true, min = 2 })
  end
  o.visible, o.hidden, o.mask, o.variance = row.visible, row.hidden, row.mask, row.variance
  o.up_scale, o.down_scale = row.up_scale, row.down_scale
  local kind = row.kind and M.kinds[row.kind]
  local extra = kind and kind.complete(o)
  local c, message, code = core.rbm_new(o)
  if not c then return nil, message, code end
  return make(c, row, extra)
end

local is_set, rows = dataset.is, batches.rows

-- Rows of visible values, at least one.
local function samples(self, where, name, data)
  local t, n = rows(where, name, data, self._core:get "n_visible", "n_visible")
  if n == 0 then check.raise("size", "%s: %s: got 0 rows, expected at least 1", where, name) end
  return t, n
end

local function has_labels(self)
  return rawget(self, "_core"):get "n_classes" > 0
end

local function infer(self, n)
  self._core:reserve(math.min(math.max(n, 1), INFER), false)
  return self._core
end

-- {=== Inference ===

--- Hidden means (for Bernoulli units: probabilities) and sampled states given rows of visible
-- values; of a model with labels given those, too, or else with the label summed out of the means and
-- drawn for the states.
-- @usage local p, h = lrn.RBM{ n_visible = 4, n_hidden = 3 }:hidden_sampling(lrn.zeros(2, 4))
function methods:hidden_sampling(v, labels)
  if labels ~= nil then return M.labelled.hidden_given(self, v, labels) end
  local t, n = rows("hidden_sampling", "v", v, self.n_visible, "n_visible")
  return infer(self, n):hidden(t)
end

--- Visible means and sampled states given rows of hidden values.
-- @usage local p, v = lrn.RBM{ n_visible = 4, n_hidden = 3 }:visible_sampling(lrn.zeros(2, 3))
function methods:visible_sampling(h)
  local t, n = rows("visible_sampling", "h", h, self.n_hidden, "n_hidden")
  return infer(self, n):visible(t)
end

--- Features: the hidden means. `rbm(x)` is the same.
-- @usage local f = lrn.RBM{ n_visible = 4, n_hidden = 3 }:forward(lrn.zeros(2, 4));
-- assert(f:size(2) == 3)
function methods:forward(x)
  local t, n = rows("forward", "x", x, self.n_visible, "n_visible")
  return infer(self, n):hidden_mean(t)
end

function meta:__call(...) return self:forward(...) end

--- Features of a data set, which keeps its targets and classes.
-- @usage local f = lrn.RBM{ n_visible = 64, n_hidden = 3 }:transform((lrn.data.digits()))
function methods:transform(data)
  return batches.features(self, data, function(t, n) return infer(self, n):hidden_mean(t) end)
end

--- Free energy of each row; of a model with labels that of v and its label, where labels are given.
-- @usage local F = lrn.RBM{ n_visible = 4, n_hidden = 3 }:energy(lrn.zeros(2, 4));
-- assert(F:size(1) == 2)
function methods:energy(v, labels)
  local t, n = rows("energy", "v", v, self.n_visible, "n_visible")
  local F = infer(self, n):free_energy(t)
  return labels ~= nil and M.labelled.joint_energy(self, F, v, labels) or F
end

--- Log pseudo-likelihood, mean over rows, in nats: one unit of each row, drawn at random, stands
-- (of softmax units: one group) for all. Not for real-valued visible units.
-- @usage print(lrn.RBM{ n_visible = 64, n_hidden = 3 }:pseudo_likelihood((lrn.data.digits())))
function methods:pseudo_likelihood(v)
  local t, n = samples(self, "pseudo_likelihood", "v", v)
  return infer(self, n):pseudo_likelihood(t)
end

-- reconstruct in parts of `size` rows of a data set, gathered and transformed one after the other.
local function reconstruct_parts(self, data, size, mean_field)
  local n, at, error_sum, sampled_sum = #data, 0, nil, nil
  local v = core.empty(n, self.n_visible, { dtype = self.dtype, device = self.device })
  local c = infer(self, n)
  for x in data:batches { size = size, shuffle = false } do
    local t, count = rows("reconstruct", "data", x, self.n_visible, "n_visible")
    error_sum, sampled_sum = c:reconstruct_part(v:narrow(1, at + 1, count), t, at, mean_field,
      error_sum, sampled_sum)
    at = at + count
  end
  return error_sum / n, v, sampled_sum / n
end

--- The error of reconstructing a data set: sum over units, mean over rows.
-- @param data data set or tensor
-- @param opts mean_field: hidden means go down instead of sampled states (false); batch_size: rows
-- of a data set that are gathered and transformed at once (512; rounded up to a multiple of it, so
-- that the results do not depend on it)
-- @return error between data and visible probabilities; the probabilities; the same with sampled
-- units
-- @usage local err, v = lrn.RBM{ n_visible = 64, n_hidden = 3 }:reconstruct((lrn.data.digits()))
function methods:reconstruct(data, opts)
  local o = check.options("reconstruct", opts, { mean_field = { "boolean", false },
    batch_size = { "integer", INFER, min = 1 } })
  if is_set(data) then
    local _, index, transform = dataset.source(data)
    if #data > 0 and (index or transform) then
      local size = (math.min(o.batch_size, #data) + INFER - 1) // INFER * INFER
      return reconstruct_parts(self, data, size, o.mean_field)
    end
  end
  local t, n = samples(self, "reconstruct", "data", data)
  return infer(self, n):reconstruct(t, o.mean_field)
end

--- The chain of `steps` sweeps from rows v: hidden means and states at its start, hidden means and
-- states at its end, and the visible states there.
-- @usage local ph, sh, qh, th, vk = lrn.RBM{ n_visible = 4, n_hidden = 3
-- }:gibbs_sampling(lrn.zeros(2, 4))
function methods:gibbs_sampling(v)
  local t, n = rows("gibbs_sampling", "v", v, self.n_visible, "n_visible")
  return infer(self, n):gibbs(t)
end

-- mask and values of the clamp of n chains, each n_visible values or n rows of them; nil, nil without one.
local function clamped(self, given, n)
  if given == nil then return nil end
  local pair, names = {}, { "mask", "values" }
  for key in next, given do
    if key ~= 1 and key ~= 2 and key ~= "mask" and key ~= "values" then
      check.unknown("sample: clamp", "field", key, names)
    end
  end
  for i, name in ipairs(names) do
    local t = rawget(given, name)
    if t == nil then t = rawget(given, i) end
    check.tensor("sample: clamp", name, t)
    if t.numel == self.n_visible then
      pair[i] = t:reshape(t.numel)
    else
      local count
      pair[i], count = rows("sample: clamp", name, t, self.n_visible, "n_visible")
      if count ~= n then
        check.raise("size", "sample: clamp: %s: got %s, expected %d values, or %d rows of them", name,
          check.shape(t), self.n_visible, n)
      end
    end
  end
  return pair[1], pair[2]
end

local sample_rules = { steps = { "integer", 1000, min = 1, max = MOST_STEPS },
  burn = { "integer", 0, min = 0, max = MOST_STEPS }, thin = { "integer", min = 1 },
  temperature = { "number" }, start = { "tensor" }, labels = { "tensor" }, clamp = { "table" },
  replicas = { "integer", 1, min = 1 }, base = { "any" } }

-- The arguments of core:sample after the number of chains.
local function sampling(self, n, o)
  local labels = o.labels and M.labelled.of_chains(self, o.labels, n)
  local start
  if o.start then
    local count
    start, count = rows("sample", "start", o.start, self.n_visible, "n_visible")
    if count ~= n then
      check.raise("size", "sample: start: got %d rows, expected n = %d", count, n)
    end
  end
  if o.thin and o.thin > o.steps then
    check.raise("value", "sample: thin: got %d, expected an integer <= steps, %d", o.thin, o.steps)
  end
  if o.temperature and not (o.temperature > 0 and o.temperature < math.huge) then
    check.raise("value", "sample: temperature: got %s, expected a number > 0", check.show(o.temperature))
  end
  local mask, values = clamped(self, o.clamp, n)
  local hot
  if o.base ~= nil and o.replicas > 1 then
    local data, count = samples(self, "sample", "base", o.base)
    hot = infer(self, count):base_biases(data)
  end
  return o.steps, start, labels, { burn = o.burn, thin = o.thin, temperature = o.temperature, mask = mask,
    values = values, replicas = o.replicas, hot = hot }
end

--- Fantasies: n chains of block Gibbs sampling, from hidden states drawn from the biases or from rows
-- `start`. See docs/sampling.md.
-- @param n number of chains
-- @param opts steps (1000): sweeps; burn (0): sweeps before them; thin: the draws are those of every thin-th
-- step, else of the last one alone; start: n rows of visible values; clamp = { mask, values }: where the
-- mask is 1, visible units keep these values (each n_visible values or n rows of them; a value is read only
-- where the mask is 1); temperature: in place of the model's; labels: n labels that a model with labels holds
-- fixed; replicas (1): rungs of parallel tempering, whose ladder adapts while the chains burn; base: data whose
-- means the hottest rung has (those of training, of a model with replicas; else it is uniform)
-- @return visible means of the last sweep, its states, and the labels of a model that has them: n rows, or
-- with thin draws x n rows; with replicas then the swap rates of neighbouring rungs, and their betas
-- @usage local v = lrn.RBM{ n_visible = 4, n_hidden = 3 }:sample(2, { steps = 10 });
-- assert(v:size(1) == 2)
function methods:sample(n, opts)
  n = check.value("sample", "n", n, { "integer", required = true, min = 1 })
  return infer(self, n):sample(n, sampling(self, n, check.options("sample", opts, sample_rules)))
end

--- The parameters: a table from name to tensor. Writing to them writes to the model.
-- @usage local p = lrn.RBM{ n_visible = 4, n_hidden = 3 }:parameters(); assert(p.W:size(1) == 4)
function methods:parameters()
  return self._core:parameters()
end

--- What data are standardised by: copies of the mean and the standard deviation of each visible unit
-- in the first training set, 0 for a constant unit; an empty table where there are none.
-- @return table { mean =, std = } of float64 tensors
-- @usage local m = lrn.GaussianRBM{ n_visible = 64, n_hidden = 8 }; m:fit((lrn.data.digits()),
-- { epochs = 1 }); assert(m:statistics().std:min() == 0)
function methods:statistics()
  local found = self._core:statistics() or {}
  for name, t in pairs(found) do found[name] = t:clone() end
  return found
end

--- What the last step of training added to each parameter (before max_norm): a table from name to
-- tensor, empty before the first step. Its size over the parameter's tells whether the learning rate is right: about 1e-3.
-- @usage local rbm = lrn.RBM{ n_visible = 64, n_hidden = 4 }; rbm:fit((lrn.data.digits()),
-- { epochs = 1 }); print((rbm:updates().W:norm() / rbm.W:norm()))
function methods:updates()
  local added, c = {}, self._core
  local t, rate = c:state().step, c:get "learning_rate"
  if t == 0 then return added end
  local adam = c:get "optimizer" == "adam"
  local second = adam and c:second()
  for name, first in pairs(c:momentum()) do
    local rate = name == "z" and rate * c:get "variance_rate" or rate
    if adam then
      local root = (second[name] / (1 - c:get "beta2" ^ t)):sqrt() + c:get "epsilon"
      added[name] = first / root * (-rate / (1 - c:get "beta1" ^ t))
    else
      added[name] = first * -rate
    end
  end
  return added
end

-- }===

-- {=== Training ===

-- Reads a checkpoint into this model. Whatever goes wrong, the model is as before.
local function resume(self, path)
  local file, message, code = core.file_load(path)
  if not file then return nil, message, code end
  local other
  other, message, code = M.from_file(file, path, self._row, self.device)
  if not other then return nil, message, code end
  for _, option in ipairs(options.all(self._row)) do
    local name = option[1]
    local got, want = other._core:get(name), self._core:get(name)
    if got ~= want and not option.live and name ~= "seed" then
      check.raise("value", "fit: resume: %s has a model with %s = %s, expected %s", path, name,
        tostring(got), tostring(want))
    end
  end
  if kind_of(self).resumed then kind_of(self).resumed(self, other, path) end
  self._core, self._history, self._aids = other._core, other._history, other._aids
  return true
end

-- What fit.lua asks of the model that it trains.
local trainer = { resume = resume }

-- Options that memory follows from.
local structural = { persistent = true, replicas = true }

-- Numbers that can change from step to step: of a live option, but not how many chains there are.
function trainer.scheduled(self)
  local names = {}
  for _, option in ipairs(options.all(self._row)) do
    local name = option[1]
    if option.live and not structural[name] and type(self._core:get(name)) == "number" then
      names[#names + 1] = name
    end
  end
  return names
end

function trainer.set(self, name, value) self._core:set(name, value) end

--- The mean swap rate of chains with replicas, which history has as swap; nil without.
function M.swap_rate(self)
  local _, rates = self._core:ladder()
  return rates and (rates:mean()) or nil
end

function trainer.metrics(self, validated)
  local pl = core.unit_can_flip(self._core:get "visible")
  local names = { "mse", "error", pl and "pl" or nil }
  if self._core:get "replicas" > 1 then names[#names + 1] = "swap" end
  if validated then table.move({ "val_error", pl and "val_pl" or nil }, 1, 2, #names + 1, names) end
  return names
end

function trainer.labels() return nil end
function trainer.data() end
function trainer.state(self) return self._core:state() end
function trainer.reserve(self, count) self._core:reserve(count, true) end
function trainer.end_epoch(self) self._core:end_epoch() end

function trainer.prepare(self, all)
  local c = self._core
  local normalize = c:get "normalize"
  if not normalize and c:get "visible_bias" ~= "data" and c:get "replicas" == 1 then return end
  local data = all()
  local message = data and c:prepare(data)
  -- a bad value where only biases were wanted is the step's to find
  if message and normalize then check.raise("value", "%s; clean the data", message) end
  local std = c:statistics()
  local constant = std and std.std:eq(0):sum() or 0
  if constant > 0 then
    log.info("fit: %d of %d visible units are constant: they vary less than 0.01 of the range of all \z
      data, and are left out", constant, self.n_visible)
  end
end

function trainer.step(self, ...) return self._core:step(...) end

-- Over the epoch so far; pl where visible units have two states.
function trainer.means(self)
  local c = self._core
  local state = c:state()
  local n = state.samples
  return { mse = state.mse / n, error = state.error / n,
    pl = core.unit_can_flip(c:get "visible") and state.pl / n or nil, swap = M.swap_rate(self) }
end

function trainer.shown(self)
  local m = trainer.means(self)
  return { mse = m.mse, pl = m.pl }
end

function trainer.validation(self, data)
  return (samples(self, "fit", "validation", data))
end

function trainer.validate(self, data, stats)
  local c = infer(self, data:size(1))
  stats.val_error = c:reconstruct(data, false)
  if stats.pl then stats.val_pl = c:pseudo_likelihood(data) end
end

function trainer.results(_, stats) return stats.mse, stats.pl end

function trainer.options(self)
  local given = { class = self.class, visible = self.visible, hidden = self.hidden }
  for _, option in ipairs(options.all(self._row)) do given[option[1]] = self[option[1]] end
  return given
end

--- Trains by contrastive divergence (or PCD, where `persistent` says so).
-- @param data data set, tensor, or iterator: a function that returns one batch a call, nil at the
-- end of an epoch, and begins anew after that; it is called with the numbers of epoch and batch
-- @param opts batch_size (128); epochs (10): so many more, or with resume: in total; progress
-- (false); callback(model, epoch, stats), which ends training by returning false; validation: a
-- data set whose val_error and val_pl are measured after each epoch; checkpoint = { path, every }
-- or { path =, every =, batches = }: saved every so many epochs, and batches; resume: path of a
-- checkpoint to go on from; run: a folder, or { path =, overwrite =, pictures = }, that gets
-- options, history, log, model and pictures (see lua/lrn/run.lua); shuffle (true); schedule, weights,
-- class_weights, early_stopping, average, metrics: see docs/training.md
-- @return mse and pl of the last epoch, of a model with labels loss and accuracy; nil, message, code
-- where a checkpoint cannot be read or written, or the folder of the run holds another one
-- @usage lrn.RBM{ n_visible = 64, n_hidden = 16 }:fit((lrn.data.digits()), { epochs = 1 })
function methods:fit(data, opts)
  return fit.run(has_labels(self) and M.labelled.trainer or trainer, self, data, opts)
end

-- }===

-- {=== Files ===

--- Writes the model with all that training needs to go on: parameters, momentum, chains, generator,
-- the place in the epoch, options and history. The old file stays whole until the new one is.
-- @return true; or nil, message, code
-- @usage local p = os.tmpname(); assert(lrn.RBM{ n_visible = 4, n_hidden = 3 }:save(p));
-- os.remove(p)
function methods:save(path)
  check.value("save", "path", path, { "string", required = true })
  local file = core.file_new()
  file:meta("lrn.class", self._row.name)
  self._core:store(file)
  if kind_of(self).store then kind_of(self).store(self, file) end
  file:meta("lrn.history", self._history:encode())
  aids.store(self._aids, file, self._core:state().batch > 0)
  return file:save(path)
end

--- A model from an open file. row: the class it must be; nil: as the file says.
-- @return the model; or nil, message, code
function M.from_file(file, path, row, device)
  local class = file:meta "lrn.class"
  if row and class ~= row.name then
    return nil, ("load: %s: got a model of class %s, expected %s"):format(path, check.show(class),
      row.name), "EFORMAT"
  end
  local past = history.new()
  local text = file:meta "lrn.history"
  if text then
    local message
    past, message = history.decode(text)
    if not past then return nil, ("load: %s: lrn.history: %s"):format(path, message), "EFORMAT" end
  end
  local c, message, code = core.rbm_restore(file, device)
  if not c then return nil, ("load: %s: %s"):format(path, (message:gsub("^load: ", ""))), code end
  local kept
  kept, message = aids.restore(file, c:parameters())
  if message then return nil, ("load: %s: %s"):format(path, message), "EFORMAT" end
  row = row or require "lrn.models".rows[class] or { name = class }
  local own, extra = { visible = c:get "visible", hidden = c:get "hidden", mask = c:get "mask",
    variance = c:get "variance" }, nil
  for name, value in pairs(row) do
    if own[name] == nil then own[name] = value end
  end
  if row.kind then
    extra, message = M.kinds[row.kind].restore(file, c)
    if not extra then return nil, ("load: %s: %s"):format(path, message), "EFORMAT" end
  end
  return make(c, own, extra, past, kept)
end

-- }===

-- {=== Fields ===

local function field_names(self)
  local names = check.names(self._core:parameters())
  for _, option in ipairs(options.all(rawget(self, "_row"))) do
    if option.live then names[#names + 1] = option[1] end
  end
  if self._core:get "variance" then names[#names + 1] = "sigma" end
  names[#names + 1] = "history"
  names[#names + 1] = "user"
  table.sort(names)
  return names
end

function meta:__index(key)
  local kind = kind_of(self)
  if kind.methods[key] then return kind.methods[key] end
  local value = kind.field and kind.field(self, key)
  if value ~= nil then return value end
  if options.of(rawget(self, "_row"), key) then return self._core:get(key) end
  if key == "history" then return rawget(self, "_history") end
  if key == "class" then return rawget(self, "_row").name end
  if type(key) ~= "string" then return nil end
  local parameters = self._core:parameters()
  if key == "sigma" and parameters.z then return (parameters.z / 2):exp() end
  return parameters[key]
end

-- z of deviations that it can have (model/variance.c).
local function z_of(where, sigma)
  local z = 2 * sigma:to "float64":log()
  if not z:isfinite():all() or z:min() < Z_LOW - 1e-6 or z:max() > Z_HIGH + 1e-6 then
    check.raise("value", "%s: sigma: got values from %g to %g, expected from %.3g to %.3g", where,
      sigma:min(), sigma:max(), math.exp(Z_LOW / 2), math.exp(Z_HIGH / 2))
  end
  return z:clamp(Z_LOW, Z_HIGH)
end

function meta:__newindex(key, value)
  local where = self._row.name
  local option = options.of(rawget(self, "_row"), key)
  if option and option.live then
    self._core:set(key, value)
    return
  end
  local own, method = self._row.own and self._row.own[key], kind_of(self).methods[key]
  if option or own or method or key == "class" then
    check.raise("argument", "%s: %s: cannot be assigned; %s", where, key,
      (option or own) and "make a new model for another value" or "it is a part of every model")
  end
  if key == "history" then
    if not history.is(value) then
      check.raise("type", "%s: history: got %s, expected a history", where, check.show(value))
    end
    rawset(self, "_history", value)
    return
  end
  local parameters = self._core:parameters()
  local sigma = key == "sigma" and parameters.z
  local parameter = sigma or type(key) == "string" and parameters[key]
  if not parameter then check.unknown(where, "field", key, field_names(self)) end
  check.tensor(where, key, value)
  if check.shape(value) ~= check.shape(parameter) then
    check.raise("size", "%s: %s: got %s, expected %s", where, key, check.shape(value),
      check.shape(parameter))
  end
  parameter:copy_(sigma and z_of(where, value) or value)
end

--- Shapes, parameters, options and how far training is.
function meta:__tostring()
  local c, row = self._core, self._row
  local size = kind_of(self).size
  local head = ("%s %s x %d (%s visible, %s hidden), %s on %s"):format(row.name,
    size and size(self) or c:get "n_visible", c:get "n_hidden", c:get "visible", c:get "hidden", c:get "dtype",
    c:get "device")
  return summary.text(head, c:parameters(), options.settings(self._row, c), c:state())
end

-- }===

check.class("model", methods, M.is)
M.methods, M.trainer, M.infer = methods, trainer, infer
return M
