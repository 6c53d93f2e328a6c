--- Layer by layer: the start of a deep Boltzmann machine from RBMs (Salakhutdinov and Hinton 2009).
--
-- Each RBM is trained on the means that the ones below it give, batch by batch, so that no copy of the
-- data as features is ever made. In the deep machine a layer between two others hears both; an RBM of
-- the stack hears one of them. So what it hears counts twice: the first RBM is trained with doubled inputs
-- to its hidden units, the last one with doubled inputs to its visible ones, and of those between, which
-- are trained as they are, half of the weights remain. A layer's bias is the mean of the biases that its
-- two RBMs have learned.
local batches = require "lrn.batches"
local check = require "lrn.check"
local core = require "lrn.core"
local dataset = require "lrn.data.dataset"
local options = require "lrn.options"
local rbm = require "lrn.rbm"

local M = {}

local ROWS = 512 -- of features at once, where their mean is taken

-- What fit takes, and options of the RBMs that begin as those of the deep model, or as an RBM's.
local fit_rules = {
  epochs = { "integer|table", 10, min = 0 }, batch_size = { "integer|table", 128, min = 1 },
  progress = { "boolean", false }, callback = { "callable" }, shuffle = { "boolean", true },
}
local inherited = { "learning_rate", "momentum", "decay", "l1", "max_norm", "sparsity_cost",
  "sparsity_target", "sparsity_decay", "centering", "optimizer", "beta1", "beta2", "epsilon", "temperature",
  "dtype", "device" }
local own = { "steps", "persistent" }

-- Of a value, or a list with one a layer, that of layer i.
local function of_layer(where, name, value, i, n)
  if type(value) ~= "table" then return value end
  if #value ~= n then
    check.raise("size", "%s: %s: got %d values, expected one, or %d, one a layer", where, name, #value, n)
  end
  return value[i]
end

local function names_of_rbm()
  local names = {}
  for _, list in ipairs { inherited, own } do
    for _, name in ipairs(list) do
      if name ~= "dtype" and name ~= "device" then names[name] = true end
    end
  end
  return names
end

-- The options of RBM i and those of its fit.
local function options_of(where, self, given, i, n)
  local known, model, training = names_of_rbm(), {}, {}
  for name in next, given do
    if not fit_rules[name] and not known[name] then
      for key in pairs(fit_rules) do known[key] = true end
      check.unknown(where, "option", name, check.names(known))
    end
  end
  for name, rule in pairs(fit_rules) do
    local value = check.value(where, name, rawget(given, name), rule)
    value = of_layer(where, name, value, i, n)
    if rule[1]:find "integer" then
      value = check.value(where, name, value, { "integer", required = true, min = rule.min })
    end
    training[name] = value
  end
  for _, name in ipairs(inherited) do model[name] = self[name] end
  for name in pairs(known) do
    if rawget(given, name) ~= nil then model[name] = of_layer(where, name, rawget(given, name), i, n) end
  end
  if model.optimizer == "adam" then model.momentum = nil end
  local units = self._core:units()
  model.n_visible, model.n_hidden, model.seed = units[i], units[i + 1], self.seed + i
  return model, training
end

-- Data whose batches are the features of the last of the models.
local function through(models, data)
  if #models == 0 then return data end
  local function up(x)
    for _, m in ipairs(models) do x = m:forward(x) end
    return x
  end
  if check.is_tensor(data) then data = dataset.new((batches.rows("pretrain", "data", data, nil))) end
  if dataset.is(data) then return data:map(up) end
  return function(epoch, batch)
    local x = data(epoch, batch)
    return x ~= nil and up(x) or nil
  end
end

-- The visible biases at which units without weights have the means of the features.
local function biases(m, data)
  local sum, n = nil, 0
  for x in data:batches { size = ROWS, shuffle = false } do
    local part = x:to "float64":sum(1)
    sum, n = sum and sum + part or part, n + x:size(1)
  end
  local spin = m.visible == "spin"
  local p = sum / n
  if spin then p = (p + 1) / 2 end
  p = p:clamp(1 / (n + 2), 1 - 1 / (n + 2))
  m.a:copy_((p:log() - (1 - p):log()) * (m.temperature / (spin and 2 or 1)))
end

-- What can be seen of the data before the work: what they are, and their width.
local function check_data(where, self, data)
  if dataset.is(data) then
    if #data > 0 then data = data:subset { 1 } end
    data = data:tensor()
  end
  if check.is_tensor(data) then
    local _, n = batches.rows(where, "data", data, self.n_visible, "n_visible")
    if n == 0 then check.raise("size", "%s: data: got 0 rows, expected at least 1", where) end
  elseif type(data) ~= "function" then
    check.raise("type", "%s: data: got %s, expected a data set, a tensor or an iterator of batches", where,
      check.show(data))
  end
end

-- Trains one of the RBMs; what goes wrong names the layer.
local function train(where, m, i, features, training)
  local ok, e = pcall(m.fit, m, features, training)
  if ok then return end
  local text = type(e) == "string" and e:match "fit: (.*)$"
  if not text then error(e, 0) end
  check.raise(core.error.kind(e) or "value", "%s: layer %d: %s", where, i, text)
end

local function stack(where, self, data, opts)
  local given = check.value(where, "options", opts, { "table", {} })
  local n, models = #self._core:units() - 1, {}
  for i = 1, n do options_of(where, self, given, i, n) end -- what is wrong is said before the work
  check_data(where, self, data)
  for i = 1, n do
    local row = { name = "RBM", visible = i == 1 and self.visible or self.hidden, hidden = self.hidden,
      up_scale = n > 1 and i == 1 and 2 or 1, down_scale = n > 1 and i == n and 2 or 1 }
    local model, training = options_of(where, self, given, i, n)
    for _, name in ipairs { "visible_categories", "normalize", "visible_noise", "visible_bias" } do
      if i == 1 and options.of(row, name) then model[name] = self[name] end
    end
    local features = through(models, data)
    local streamed = i > 1 and dataset.is(features) -- fit would look at all features at once
    if streamed then model.visible_bias = "zero" end
    local m, message, code = rbm.new(row, model)
    if not m then return nil, message, code end
    if streamed then biases(m, features) end
    local callback = training.callback
    training.callback = callback and function(_, epoch, stats) return callback(m, epoch, stats, i) end
    train(where, m, i, features, training)
    models[i] = m
  end
  return models
end

local function compatible(self, models)
  local units = self._core:units()
  for i, m in ipairs(models) do
    if m.n_visible ~= units[i] or m.n_hidden ~= units[i + 1] then
      check.raise("size", "DBM: models: model %d is %d x %d, expected %d x %d", i, m.n_visible, m.n_hidden,
        units[i], units[i + 1])
    end
  end
end

--- Gives a deep model the parameters that follow from RBMs, one a hidden layer.
function M.compose(self, models)
  compatible(self, models)
  local p, n = self:parameters(), #models
  p["1.a"]:copy_(models[1].a)
  for i, m in ipairs(models) do
    p[i .. ".W"]:copy_(m.W * (i > 1 and i < n and 0.5 or 1))
    p[i .. ".b"]:copy_(i < n and (m.b + models[i + 1].a:to { dtype = m.dtype, device = m.device }) * 0.5 or m.b)
  end
  local found = models[1]:statistics()
  if found.mean then self._core:set_statistics(found.mean, found.std) end
end

--- Trains an RBM for each hidden layer, and takes the model's parameters from them.
-- @param where what messages begin with
-- @param self the deep model, which gives sizes, units and options
-- @return list of the RBMs; or nil, message, code
function M.run(where, self, data, opts)
  local steps = self._core:state().step
  if steps > 0 then
    check.raise("state", "%s: the model is trained already, for %d steps; make a new one", where, steps)
  end
  local models, message, code = stack(where, self, data, opts)
  if models then M.compose(self, models) end
  return models, message, code
end

--- Sizes and units of a stack of RBMs, as options of a deep model.
function M.shape(models)
  check.value("DBM", "models", models, { "table" })
  if #models == 0 then check.raise("size", "DBM: models: got none, expected RBMs, the lowest first") end
  local o = { n_hidden = {} }
  for i = 1, #models do
    local m = rawget(models, i)
    if not rbm.is(m) then
      check.raise("type", "DBM: models: got %s as number %d, expected an RBM", check.show(m), i)
    end
    local c = m._core
    if c:get "n_classes" > 0 or c:get "variance" or i > 1 and c:get "visible" ~= o.hidden or
      o.hidden and c:get "hidden" ~= o.hidden then
      check.raise("value", "DBM: models: number %d is %s, expected plain RBMs whose hidden units are of one kind, \z
        that of the visible units above", i, (tostring(m):match "^[^\n]*"))
    end
    o.n_visible = o.n_visible or m.n_visible
    o.n_hidden[i], o.hidden = m.n_hidden, c:get "hidden"
  end
  local c = models[1]._core
  local class = { name = "DBM", deep = true, visible = c:get "visible", hidden = o.hidden }
  for _, name in ipairs { "visible", "visible_categories", "normalize", "dtype", "device", "temperature" } do
    if options.of(class, name) then o[name] = c:get(name) end
  end
  return o
end

return M
