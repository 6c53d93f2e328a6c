--- A model written in Lua: its parameters and a step, and fit, history, checkpoints, schedules,
-- early stopping, files and the rest as for every other model.
--
-- `step(self, x, labels, weights)` gets the rows of a batch, N x V in the model's dtype (uint8 data
-- are divided by 255). It returns a table of metrics, means over the rows, and a table of
-- gradients, of which the optimiser makes a step; or no gradients, where it has changed the
-- parameters itself.
local aids = require "lrn.aids"
local batches = require "lrn.batches"
local check = require "lrn.check"
local core = require "lrn.core"
local fit = require "lrn.fit"
local history = require "lrn.history"
local optim = require "lrn.optim"
local summary = require "lrn.summary"

local M = {}
local methods = {}
local meta = { __name = "lrn.Model" }

local ROWS = 512 -- of validation data at once

-- What a model does, by its name: files hold no code. The last lrn.Model of a name counts.
local known = {}

--- Is v a model of this kind?
function M.is(v)
  return type(v) == "table" and getmetatable(v) == meta
end

local rules = {
  name = { "string", required = true },
  parameters = { "table", required = true },
  step = { "callable", required = true },
  validate = { "callable" },
  prepare = { "callable" },
  optimizer = { "string", "sgd", choices = optim._names },
  seed = { "integer" },
  user = { "table" },
}
for _, kind in ipairs(optim._names) do
  for _, option in ipairs(optim._options(kind)) do rules[option] = { "number" } end
end

local function make(name, functions, parameters, optimizer, seed, user)
  local state = { step = 0, epoch = 0, batch = 0, samples = 0, sums = {} }
  return setmetatable({ _name = name, _functions = functions, _parameters = parameters,
    _optimizer = optimizer, _state = state, _history = history.new(), _aids = false,
    generator = core.generator(seed), seed = seed, user = user }, meta)
end

--- A model of your own.
-- @param given name; parameters: table from name to tensor, which training changes; step, see
-- above; validate(self, x, labels), like step without gradients, for fit's option validation;
-- prepare(self, x), before the first step, with all rows; optimizer ("sgd" or "adam") and its
-- options (learning_rate, ...); seed, of shuffling and of self.generator; user, a table for values
-- of yours, which goes into files; any other function becomes a method
-- @usage local m = lrn.Model{ name = "Mean", parameters = { mu = lrn.zeros(64) },
-- step = function(self, x) local d = self.mu - x:mean(1); return { loss = d:norm() }, { mu = d }
-- end }
function M.new(given)
  local where = "Model"
  check.value(where, "options", given, { "table", required = true })
  local functions, o = {}, {}
  for name, value in next, given do
    if not rules[name] and type(name) == "string" and type(value) == "function" then
      if methods[name] then
        check.raise("argument", "Model: %s: is a method of every model; choose another name", name)
      end
      functions[name] = value
    else
      o[name] = value
    end
  end
  o = check.options(where, o, rules)
  if not o.name:find "^%a[%w_]*$" then
    check.raise("value", "Model: name: got %s, expected a letter, then letters, digits or _",
      check.show(o.name))
  end
  functions.step, functions.validate, functions.prepare = o.step, o.validate, o.prepare
  local parameters, settings = {}, {}
  for name, t in next, o.parameters do
    if type(name) ~= "string" or not name:find "^%a[%w_]*$" or methods[name] or functions[name] or
      rules[name] then
      check.raise("value", "Model: parameters: got %s as a name, expected a letter, then letters, \z
        digits or _, and no option or method", check.show(name))
    end
    parameters[name] = t
  end
  for _, kind in ipairs(optim._names) do
    for _, name in ipairs(optim._options(kind)) do settings[name] = o[name] end
  end
  local optimizer = optim._new(where, o.optimizer, parameters, settings)
  known[o.name] = functions
  return make(o.name, functions, parameters, optimizer, o.seed or core.default_seed(), o.user or {})
end

--- The parameters: a table from name to tensor.
function methods:parameters()
  local list = {}
  for name, t in pairs(self._parameters) do list[name] = t end
  return list
end

-- {=== Training ===

-- N x V in the model's dtype.
local function values(self, t)
  local x = t:reshape(t:size(1), -1)
  if x.dtype == "uint8" then return x:to(self.dtype) / 255 end
  return x:to(self.dtype)
end

local function place(state)
  return ("epoch %d, batch %d (step %d)"):format(state.epoch + 1, state.batch + 1, state.step + 1)
end

local function finite(x) return x - x == 0 end

-- Metrics of n rows join the sums, which are weighted by rows.
local function take_in(self, where, sums, stats, n)
  if type(stats) ~= "table" then
    check.raise("type", "%s: %s: returned %s, expected a table of metrics, such as { loss = 0.5 }",
      self._name, where, check.show(stats))
  end
  for name, x in next, stats do
    if check.is_tensor(x) and x.numel == 1 then x = x:view(-1)[1] end
    if type(name) ~= "string" or type(x) ~= "number" then
      check.raise("type", "%s: %s: returned %s for %s, expected numbers by their names", self._name,
        where, check.show(x), check.show(name))
    end
    sums[name] = (sums[name] or 0) + x * n
  end
end

local advice = "; try a smaller learning_rate, less decay, or standardised data"

local function step(self, data, idx, first, count, labels, weights)
  local state = self._state
  local at = idx and idx:narrow(1, first, count)
  local function chosen(t)
    return at and t:index_select(1, at) or t:narrow(1, first, count)
  end
  local stats, gradients = self._functions.step(self, values(self, chosen(data)),
    labels and chosen(labels), weights)
  local sums = {}
  take_in(self, "step", sums, stats, count)
  for _, name in ipairs(check.names(sums)) do
    if not finite(sums[name]) then
      return ("fit: %s is no longer finite: %s%s"):format(name, place(state), advice)
    end
  end
  local bad
  if gradients ~= nil then
    bad = self._optimizer:step(gradients)
  else
    for _, name in ipairs(check.names(self._parameters)) do
      bad = bad or not finite(self._parameters[name]:sum()) and name
    end
  end
  local message = bad and ("fit: %s is no longer finite: %s%s"):format(bad, place(state), advice)
  for name, x in pairs(sums) do state.sums[name] = (state.sums[name] or 0) + x end
  state.step, state.batch, state.samples = state.step + 1, state.batch + 1, state.samples + count
  return message
end

local function means(sums, n, prefix)
  local result = {}
  for name, x in pairs(sums) do result[prefix .. name] = x / n end
  return result
end

-- What fit.lua asks of the model that it trains.
local trainer = { step = step }

function trainer.labels() return "targets" end
function trainer.state(self) return self._state end
function trainer.reserve() end
function trainer.data() end
function trainer.means(self) return means(self._state.sums, self._state.samples, "") end
function trainer.metrics() return nil end
function trainer.results(_, stats) return stats end

function trainer.prepare(self, all)
  local prepare = self._functions.prepare
  local data = prepare and all()
  if data then prepare(self, values(self, data:to { device = self.device })) end
end

function trainer.shown(self)
  local m, few = trainer.means(self), {}
  for i, name in ipairs(check.names(m)) do
    if i <= 2 then few[name] = m[name] end
  end
  return few
end

function trainer.validation(self, data)
  if not self._functions.validate then
    check.raise("argument", "fit: validation: %s has no function validate", self._name)
  end
  return batches.source(self, data, { batch_size = ROWS, shuffle = false }, "targets")
end

function trainer.validate(self, source, stats)
  local sums, n = {}, 0
  source.open(1, 0, 0)
  for t, idx, first, count, labels in source.next do
    local at = idx and idx:narrow(1, first, count)
    local function chosen(x) return at and x:index_select(1, at) or x:narrow(1, first, count) end
    take_in(self, "validate", sums, self._functions.validate(self, values(self, chosen(t)),
      labels and chosen(labels)), count)
    n = n + count
  end
  for name, x in pairs(means(sums, n, "val_")) do stats[name] = x end
end

function trainer.end_epoch(self)
  local s = self._state
  s.epoch, s.batch, s.samples, s.sums = s.epoch + 1, 0, 0, {}
end

function trainer.scheduled(self) return optim._options(self._optimizer.kind) end
function trainer.set(self, name, value) self._optimizer[name] = value end
function trainer.resume(self, path) return self:load(path) end

function trainer.options(self)
  local given = { class = self._name, optimizer = self._optimizer.kind, dtype = self.dtype,
    device = self.device, seed = self.seed }
  for _, name in ipairs(trainer.scheduled(self)) do given[name] = self._optimizer[name] end
  return given
end

--- Trains. The options are those of RBM's fit.
-- @param data data set (step gets its targets), tensor, or iterator of batches
-- @return the metrics of the last epoch, a table; nil, message, code where a checkpoint cannot be
-- read or written
-- @usage lrn.Model{ name = "Mean", parameters = { mu = lrn.zeros(64) }, step = function(self, x)
-- local d = self.mu - x:mean(1); return { loss = d:norm() }, { mu = d } end
-- }:fit((lrn.data.digits()), { epochs = 1 })
function methods:fit(data, opts)
  return fit.run(trainer, self, data, opts)
end

-- }===

-- {=== Files ===

--- Writes parameters, the optimiser's state, history, generator, user, and the place in training.
-- @return true; or nil, message, code
function methods:save(path)
  check.value("save", "path", path, { "string", required = true })
  local state, o = self._state, self._optimizer
  local ok, user = pcall(core.json_encode, self.user)
  if not ok then
    check.raise("value", "save: user: %s", (tostring(user):gsub("^.-json: ", "")))
  end
  local sums, options = {}, {}
  for name, x in pairs(state.sums) do sums[name] = ("%a"):format(x) end
  for _, name in ipairs(optim._options(o.kind)) do options[name] = o[name] end
  local generator = self.generator:state()
  local file = core.file_new()
  file:meta("lrn.format", "1")
  file:meta("lrn.class", self._name)
  file:meta("lrn.model", core.json_encode { optimizer = o.kind, options = options, steps = o.steps,
    seed = tostring(self.seed), step = state.step, epoch = state.epoch, batch = state.batch,
    samples = state.samples, sums = sums, generator = generator })
  file:meta("lrn.user", user)
  file:meta("lrn.history", self._history:encode())
  for _, set in ipairs { self._parameters, o:tensors() } do
    for _, name in ipairs(check.names(set)) do file:put(name, set[name]) end
  end
  aids.store(self._aids, file, state.batch > 0)
  return file:save(path)
end

local numbers = { "step", "epoch", "batch", "samples", "steps" }

-- The description of a model in a file; nil and a message.
local function described(file)
  local o = core.json_decode(file:meta "lrn.model" or "")
  local good = type(o) == "table" and type(o.options) == "table" and type(o.sums) == "table" and
    type(o.generator) == "table" and math.tointeger(tonumber(o.seed)) and
    (o.optimizer == "sgd" or o.optimizer == "adam")
  for _, name in ipairs(numbers) do
    good = good and math.type(o[name]) == "integer" and o[name] >= 0
  end
  if not good then return nil, "lrn.model: damaged" end
  for name, text in pairs(o.sums) do
    if type(text) ~= "string" or not tonumber(text) then return nil, "lrn.model: sums: damaged" end
    o.sums[name] = tonumber(text)
  end
  local past, message = history.decode(file:meta "lrn.history" or "{}")
  if not past then return nil, "lrn.history: " .. message end
  o.history = past
  o.user = core.json_decode(file:meta "lrn.user" or "{}")
  return o
end

-- What the file says, into the model: first all is read and looked at, then all is written.
local function take(self, file, o)
  local found = {}
  local wanted = self._optimizer:tensors()
  for name, t in pairs(self._parameters) do wanted[name] = t end
  for name, t in pairs(wanted) do
    local x = file:get(name)
    if not x or check.shape(x) ~= check.shape(t) or x.dtype ~= t.dtype then
      return nil, ("tensor '%s': found %s, expected \z
        %s"):format(name, x and check.show(x) or "nothing",
        check.show(t))
    end
    found[name] = x
  end
  local kept, message = aids.restore(file, self._parameters)
  if message then return nil, message end
  local ok = pcall(function()
    local trial = optim._new("load", o.optimizer, { W = core.zeros(1) }, o.options)
    trial.steps = o.steps
    core.generator(1):set_state(o.generator)
  end)
  if not ok then return nil, "lrn.model: options or generator: damaged" end
  for name, t in pairs(wanted) do t:copy_(found[name]) end
  for name, value in pairs(o.options) do self._optimizer[name] = value end
  self._optimizer.steps = o.steps
  self.generator:set_state(o.generator)
  rawset(self, "seed", math.tointeger(tonumber(o.seed)))
  rawset(self, "user", type(o.user) == "table" and o.user or {})
  self._state = { step = o.step, epoch = o.epoch, batch = o.batch, samples = o.samples,
    sums = o.sums }
  self._history, self._aids = o.history, kept or false
  return true
end

--- Makes this model what a file of the same class holds. Whatever goes wrong, it is as before.
-- @return true; or nil, message, code
function methods:load(path)
  check.value("load", "path", path, { "string", required = true })
  local file, message, code = core.file_load(path)
  if not file then return nil, message, code end
  local class, o = file:meta "lrn.class", nil
  if class ~= self._name or not file:meta "lrn.model" then
    return nil, ("load: %s: got a model of class %s, expected %s"):format(path, check.show(class),
      self._name), "EFORMAT"
  end
  o, message = described(file)
  if o and o.optimizer ~= self._optimizer.kind then
    o, message = nil, ("got optimizer %s, expected %s"):format(o.optimizer, self._optimizer.kind)
  end
  local ok
  if o then ok, message = take(self, file, o) end
  if not ok then return nil, ("load: %s: %s"):format(path, message), "EFORMAT" end
  return true
end

--- A model from an open file, for lrn.load: with the functions of the lrn.Model of this name in
-- this process, or with a step that says that there was none.
-- @return the model; or nil, message, code
function M.from_file(file, path, device)
  local name = file:meta "lrn.class"
  local o, message = described(file)
  if not o then return nil, ("load: %s: %s"):format(path, message), "EFORMAT" end
  local functions = known[name] or { step = function()
    check.raise("state", "fit: %s: its file has no code; make it by lrn.Model and use \z
      model:load(path)",
      name)
  end }
  local parameters = {}
  for _, tensor in ipairs(file:names()) do
    if not tensor:find("%.") then
      local ok, t = pcall(function() return file:get(tensor):to { device = device }:clone() end)
      if not ok then return nil, ("load: %s"):format(t), "EARG" end
      parameters[tensor] = t
    end
  end
  local ok, self = pcall(function()
    local optimizer = optim._new("load", o.optimizer, parameters, o.options)
    return make(name, functions, parameters, optimizer, 1, {})
  end)
  if not ok then return nil, ("load: %s: lrn.model: damaged"):format(path), "EFORMAT" end
  ok, message = take(self, file, o)
  if not ok then return nil, ("load: %s: %s"):format(path, message), "EFORMAT" end
  return self
end

-- }===

-- {=== Fields ===

local function first_parameter(self)
  local _, t = next(rawget(self, "_parameters"))
  return t
end

--- Fields: parameters, options of the optimiser, history, class, device, dtype, and the functions
-- it was made with.
function meta:__index(key)
  local method = methods[key] or rawget(self, "_functions")[key]
  if method then return method end
  local t = rawget(self, "_parameters")[key]
  if t then return t end
  if key == "history" then return rawget(self, "_history") end
  if key == "class" then return rawget(self, "_name") end
  if key == "optimizer" then return rawget(self, "_optimizer").kind end
  if key == "device" or key == "dtype" then return first_parameter(self)[key] end
  return rules[key] and rawget(self, "_optimizer")[key] or nil
end

function meta:__newindex(key, value)
  local where = self._name
  local parameter = self._parameters[key]
  if parameter then
    check.tensor(where, key, value)
    if check.shape(value) ~= check.shape(parameter) then
      check.raise("size", "%s: %s: got %s, expected %s", where, key, check.shape(value),
        check.shape(parameter))
    end
    parameter:copy_(value)
  elseif key == "history" then
    if not history.is(value) then
      check.raise("type", "%s: history: got %s, expected a history", where, check.show(value))
    end
    rawset(self, "_history", value)
  else
    local names = optim._options(self._optimizer.kind)
    for _, name in ipairs(names) do
      if name == key then
        self._optimizer[key] = value
        return
      end
    end
    table.move(check.names(self._parameters), 1, #check.names(self._parameters), #names + 1, names)
    names[#names + 1] = "history"
    names[#names + 1] = "user"
    table.sort(names)
    check.unknown(where, "field", key, names)
  end
end

--- Shapes, parameters, options and how far training is.
function meta:__tostring()
  local o, settings = self._optimizer, {}
  for _, name in ipairs(optim._options(o.kind)) do
    if name == "learning_rate" or o[name] ~= 0 then settings[#settings + 1] = { name, o[name] } end
  end
  settings[#settings + 1] = { "optimizer", o.kind }
  settings[#settings + 1] = { "seed", self.seed }
  local head = ("%s (written in Lua), %s on %s"):format(self._name, self.dtype, self.device)
  return summary.text(head, self._parameters, settings, self._state)
end

-- }===

check.class("model", methods, M.is)
M.methods = methods
return M
