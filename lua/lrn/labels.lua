--- Models with labels (option n_classes): what they can be asked about classes, and how they are
-- trained. Adds methods to those of rbm.lua, which comes here for whatever has to do with labels.
local core = require "lrn.core"
local batches = require "lrn.batches"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"
local rbm = require "lrn.rbm"

local M = {}
local methods = {}

local CHUNK = 4096 -- rows that predict gathers at once

local function n_classes(self)
  return self._core:get "n_classes"
end

local function want_labels(self, where)
  if n_classes(self) == 0 then
    check.raise("argument", "%s: self: got a model without labels (%s), expected one with n_classes",
      where, self.class)
  end
end

-- Labels of n rows as the engine takes them. `none`: whether 0, for a row without a label, may be there.
local function labels_of(self, where, name, t, n, none)
  want_labels(self, where)
  check.tensor(where, name, t)
  if t.ndim ~= 1 or t:size(1) ~= n then
    check.raise("size", "%s: %s: got %s, expected %d labels, one a row", where, name, check.shape(t), n)
  end
  if t.dtype ~= "int64" and t.dtype ~= "int32" and t.dtype ~= "uint8" then
    check.raise("type", "%s: %s: got %s, expected labels as int64", where, name, t.dtype)
  end
  local low, high = t:min(), t:max()
  if low < (none and 0 or 1) or high > n_classes(self) then
    check.raise("value", "%s: %s: got labels from %d to %d, expected 1 to %d%s", where, name, low, high,
      n_classes(self), none and ", or 0 for a row without one" or "")
  end
  return t:to { dtype = "int64", device = self.device }:contiguous()
end

--- hidden_sampling given labels.
function M.hidden_given(self, v, labels)
  local t, n = batches.rows("hidden_sampling", "v", v, self.n_visible, "n_visible")
  return rbm.infer(self, n):hidden_given(t, labels_of(self, "hidden_sampling", "labels", labels, n))
end

--- F(v, label), from F(v) of each row.
function M.joint_energy(self, F, v, labels)
  local n = F:size(1)
  local index = labels_of(self, "energy", "labels", labels, n):reshape(n, 1)
  return F - self:log_probabilities(v):gather(2, index):reshape(n) * self.temperature
end

--- The labels of n chains, checked.
function M.of_chains(self, labels, n)
  return labels_of(self, "sample", "labels", labels, n)
end

--- log P(class | v) of each row: N x n_classes.
-- @usage local l = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2
-- }:log_probabilities(lrn.zeros(2, 4)); assert(l:size(2) == 2)
function methods:log_probabilities(v)
  want_labels(self, "log_probabilities")
  local t, n = batches.rows("log_probabilities", "v", v, self.n_visible, "n_visible")
  return (rbm.infer(self, n):classify(t))
end

--- P(class | v) of each row, and a class drawn from it.
-- @return N x n_classes probabilities; N labels
-- @usage local p, y = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2
-- }:labels_sampling(lrn.zeros(2, 4)); assert(p:size(2) == 2)
function methods:labels_sampling(v)
  want_labels(self, "labels_sampling")
  local t, n = batches.rows("labels_sampling", "v", v, self.n_visible, "n_visible")
  return select(2, rbm.infer(self, n):classify(t, true))
end

--- P(class | h) of rows of hidden values, and a class drawn from it: the label's step of the chain.
-- @usage local p, y = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2
-- }:class_sampling(lrn.zeros(2, 3)); assert(p:size(2) == 2)
function methods:class_sampling(h)
  want_labels(self, "class_sampling")
  local t, n = batches.rows("class_sampling", "h", h, self.n_hidden, "n_hidden")
  return rbm.infer(self, n):classify_hidden(t)
end

-- P(class | v) and labels of every row of a data set or tensor.
local function classify_all(self, where, data)
  local log_p, p = {}, {}
  local function add(x)
    local t, n = batches.rows(where, "data", x, self.n_visible, "n_visible")
    log_p[#log_p + 1], p[#p + 1] = rbm.infer(self, n):classify(t)
  end
  if dataset.is(data) then
    for x in data:batches { size = CHUNK, shuffle = false } do add(x) end
  else
    add(data)
  end
  if #p == 0 or p[1]:size(1) == 0 then
    check.raise("size", "%s: data: got 0 rows, expected at least 1", where)
  end
  if #p == 1 then return log_p[1], p[1] end
  return core.cat(log_p, 1), core.cat(p, 1)
end

--- The most probable class of each row.
-- @param data data set (its targets are the true classes) or tensor
-- @return the share of rows whose class is the target's, nil where there are no targets; P(class | v),
-- N x n_classes; the N classes
-- @usage local rbm = lrn.DiscriminativeRBM{ n_visible = 64, n_hidden = 8, n_classes = 10 };
-- local accuracy, p, labels = rbm:predict((lrn.data.digits()))
function methods:predict(data)
  want_labels(self, "predict")
  local _, p = classify_all(self, "predict", data)
  local labels = p:argmax(2)
  local targets = dataset.is(data) and data.targets
  if not targets then return nil, p, labels end
  targets = labels_of(self, "predict", "targets", targets, p:size(1), true)
  local known = targets:ne(0):count_nonzero()
  local accuracy = labels:eq(targets):count_nonzero() / known
  return known > 0 and accuracy or nil, p, labels
end

-- {=== Training ===

local trainer = setmetatable({}, { __index = rbm.trainer })

function trainer.labels() return "classes" end

function trainer.metrics(self, validated)
  local names = { "loss", "accuracy" }
  if self._core:get "alpha" > 0 then table.move({ "mse", "error" }, 1, 2, 3, names) end
  if self._core:get "replicas" > 1 then names[#names + 1] = "swap" end
  if validated then table.move({ "val_loss", "val_accuracy" }, 1, 2, #names + 1, names) end
  return names
end

-- The whole of a set's targets is looked at before training: on a GPU nobody looks at a batch's.
function trainer.data(self, data)
  local targets = dataset.is(data) and data.targets
  if targets then labels_of(self, "fit", "targets", targets, #data, true) end
end

-- Of labelled rows so far; mse and error where the model learns the data, too.
function trainer.means(self)
  local state = self._core:state()
  local generative = self._core:get "alpha" > 0
  return { loss = state.labelled > 0 and state.loss / state.labelled or nil,
    accuracy = state.labelled > 0 and state.hits / state.labelled or nil,
    mse = generative and state.mse / state.samples or nil,
    error = generative and state.error / state.samples or nil, swap = rbm.swap_rate(self) }
end

function trainer.shown(self)
  local m = trainer.means(self)
  return { loss = m.loss, accuracy = m.accuracy }
end

function trainer.validation(self, data)
  if not dataset.is(data) or not data.targets then
    check.raise("type", "fit: validation: got %s, expected a data set with targets",
      check.show(data))
  end
  return { data = data, targets = labels_of(self, "fit", "validation", data.targets, #data) }
end

function trainer.validate(self, validation, stats)
  local log_p, p = classify_all(self, "fit", validation.data)
  local y = validation.targets
  stats.val_loss = -log_p:gather(2, y:reshape(-1, 1)):mean()
  stats.val_accuracy = p:argmax(2):eq(y):count_nonzero() / y:size(1)
end

function trainer.results(_, stats) return stats.loss, stats.accuracy end

-- }===

check.class("model", methods, rbm.is)
for name, f in pairs(methods) do rbm.methods[name] = f end
M.trainer = trainer
rbm.labelled = M
return M
