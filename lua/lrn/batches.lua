--- Rows of data as a model takes them, and where the batches of training come from, with labels
-- where the model wants them.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"

local M = {}

local CHUNK = 4096 -- rows whose features are computed at once

-- Rows of a tensor in the model's sense: a 1-d tensor is one row of V, else dimension 1 counts.
local function as_rows(t)
  return t.ndim == 1 and t:reshape(1, -1) or t
end

--- Rows of `width` values (nil: of any) from a tensor or a data set (transformed), or an error that
-- says what came.
function M.rows(where, name, t, width, unit)
  if dataset.is(t) then t = t:tensor() end
  check.tensor(where, name, t)
  if t.ndim == 0 then
    check.raise("size", "%s: %s: got a tensor without dimensions, expected rows", where, name)
  end
  local r = as_rows(t)
  local n, got = r:size(1), 1
  for d = 2, r.ndim do got = got * r:size(d) end
  if width and got ~= width then
    check.raise("size", "%s: %s: got rows of %d values (%s), expected %d (%s)", where, name, got,
      check.shape(t), width, unit)
  end
  return r, n
end

--- Features of a data set, which keeps its targets and classes, or of a tensor: of f(rows, how many).
function M.features(self, data, f)
  local width = self.n_visible
  if check.is_tensor(data) then return dataset.new(f(M.rows("transform", "data", data, width, "n_visible"))) end
  if not dataset.is(data) then
    check.raise("type", "transform: data: got %s, expected a data set or a tensor",
      check.show(data))
  end
  local parts = {}
  for x in data:batches { size = CHUNK, shuffle = false } do
    parts[#parts + 1] = f(M.rows("transform", "data", x, width, "n_visible"))
  end
  if #parts == 0 then check.raise("size", "transform: data: got 0 rows, expected at least 1") end
  return dataset.new(#parts == 1 and parts[1] or core.cat(parts, 1), data.targets,
    { classes = data.classes, name = data.name })
end

-- Where batches come from: an object with n (rows; nil for an iterator), open(epoch, rows done,
-- batches done) and next() -> tensor, index or nil, first row, count, labels or nil, weights or
-- nil; nil at the end of the epoch. Row i of the batch is row first + i - 1 of tensor and labels,
-- or the one that this place of the index names; weights are the batch's alone.

local function on_device(self, t)
  return t.device == self.device and t or t:to { device = self.device }
end

local class_dtypes = { int64 = true, int32 = true, uint8 = true }

-- Targets as `want` says: "classes", one integer a sample, as int64; "targets": these or any
-- others.
local function labels_of(name, t, n, want)
  if t == nil or not want then return nil end
  check.tensor("fit", name, t)
  if t.ndim == 0 or t:size(1) ~= n then
    check.raise("size", "fit: %s: got %s, expected %d, one a sample", name, check.shape(t), n)
  end
  if t.ndim ~= 1 or not class_dtypes[t.dtype] then
    if want == "targets" then return t end
    check.raise("type", "fit: %s: got %s, expected one integer a sample", name, check.show(t))
  end
  return t:to "int64"
end

-- {=== Weights ===

-- What fit's class_weights say of labels: one weight each; 1 for a class that is not named, and for
-- a row without a label, 0.
local function weights_by_class(given, labels, classes)
  local known, most, least = {}, labels:max(), labels:min()
  if least < 0 then
    check.raise("value", "fit: class_weights: got label %d, expected 1..C, or 0 for none", least)
  end
  for i, name in ipairs(classes or {}) do known[name] = i end
  local list = {}
  for i = 0, most do list[i + 1] = 1 end
  for key, weight in next, given do
    local label = known[key] or math.tointeger(key)
    if not label or label < 1 or classes and label > #classes then
      check.raise("argument", "fit: class_weights: got %s, expected labels%s", check.show(key),
        classes and " 1.." .. #classes .. " or names of classes" or "")
    end
    if type(weight) ~= "number" or not (weight >= 0 and weight < math.huge) then
      check.raise("value", "fit: class_weights: got %s for %s, expected numbers >= 0",
        check.show(weight), check.show(key))
    end
    if label <= most then list[label + 1] = weight end
  end
  return core.tensor(list, { dtype = "float64" }):index_select(1, labels + 1)
end

local function sample_weights(given, n)
  check.tensor("fit", "weights", given)
  if given.ndim ~= 1 or given:size(1) ~= n then
    check.raise("size", "fit: weights: got %s, expected [%d], one a row", check.shape(given), n)
  end
  local w = given:to { dtype = "float64", device = "cpu" }
  if not (w:min() >= 0 and w:max() < math.huge) then
    check.raise("value", "fit: weights: got values from %g to %g, expected numbers >= 0", w:min(),
      w:max())
  end
  return w
end

-- One weight a row of a data set, in its order, in float64 on the CPU; nil where all weigh the
-- same.
local function weights_of(o, n, index, targets, classes)
  local w = o.weights and sample_weights(o.weights, n)
  if o.class_weights then
    local labels = labels_of("targets", targets, targets and targets:size(1), "classes")
    if not labels then
      check.raise("argument", "fit: class_weights: got data without labels, expected a data set \z
        with targets")
    end
    labels = labels:cpu()
    if index then labels = labels:index_select(1, index) end
    local by_class = weights_by_class(o.class_weights, labels, classes)
    w = w and w * by_class or by_class
  end
  if w and w:max() == 0 then
    check.raise("value", "fit: weights: got 0 for every row, expected some above 0")
  end
  return w
end

-- }===

local function set_source(self, data, o, want)
  local base, index, transform, targets
  if dataset.is(data) then
    base, index, transform, targets = dataset.source(data)
  else
    check.tensor("fit", "data", data)
    base = data.ndim == 0 and data or as_rows(data)
  end
  local labels = labels_of("targets", targets, base.ndim > 0 and base:size(1) or 0, want)
  local n = index and index:size(1) or base.ndim > 0 and base:size(1) or 0
  local source = { n = n }
  if not transform then
    base = on_device(self, M.rows("fit", "data", base, self.n_visible, "n_visible"))
    labels = labels and on_device(self, labels)
  end
  if n == 0 then check.raise("size", "fit: data: got 0 rows, expected at least 1") end
  local weights = weights_of(o, n, index, targets, dataset.is(data) and data.classes)
  local permutation, weights_now, at = nil, weights, 1
  function source.open(epoch, done)
    at, permutation = done + 1, index
    if o.shuffle then
      permutation = core.permutation(n, self.seed, epoch)
      weights_now = weights and weights:index_select(1, permutation)
      if index then permutation = index:index_select(1, permutation) end
    end
    if permutation and not transform then permutation = on_device(self, permutation) end
  end
  function source.next()
    local count = math.min(o.batch_size, n - at + 1)
    if count <= 0 then return nil end
    local first = at
    at = at + count
    local w = weights_now and on_device(self, weights_now:narrow(1, first, count):to(self.dtype))
    if not transform then return base, permutation, first, count, labels, w end
    local function chosen(t)
      return permutation and t:index_select(1, permutation:narrow(1, first, count)) or
        t:narrow(1, first, count)
    end
    local x = M.rows("fit", "data", transform(chosen(base)), self.n_visible, "n_visible")
    return on_device(self, x), nil, 1, count, labels and on_device(self, chosen(labels)), w
  end
  -- The whole set, for the visible biases; the tensor itself where nothing is chosen or
  -- transformed.
  function source.all()
    return dataset.is(data) and data:tensor() or base
  end
  return source
end

local function iterator_source(self, f, o, want)
  if o.weights then
    check.raise("argument", "fit: weights: got an iterator as data, expected a data set or a \z
      tensor")
  end
  local source, batch, epoch_now = {}, 0, 0
  local waiting -- the first batch, after all() took it
  local function pull()
    local x, y = f(epoch_now, batch)
    if x ~= nil then
      local t, n = M.rows("fit", "data (batch of the iterator)", x, self.n_visible, "n_visible")
      if n == 0 then
        check.raise("size", "fit: data: the iterator gave a batch of 0 rows, expected at least 1")
      end
      local name = "data (labels of the iterator)"
      local w = o.class_weights and weights_of(o, n, nil, y)
      return t, n, labels_of(name, y, n, want), w and on_device(self, w:to(self.dtype))
    end
  end
  function source.open(epoch, _, batches_done)
    if waiting then return end -- open already
    epoch_now, batch = epoch, 0
    for _ = 1, batches_done do
      batch = batch + 1
      pull()
    end
  end
  function source.next()
    local t, n, labels, w
    if waiting then
      t, n, labels, w = table.unpack(waiting, 1, 4)
      waiting = nil
    else
      batch = batch + 1
      t, n, labels, w = pull()
    end
    if not t then
      if batch == 1 then
        check.raise("value",
          "fit: data: the iterator gave no batch in epoch %d; it must begin anew after nil",
          epoch_now)
      end
      return nil
    end
    return on_device(self, t), nil, 1, n, labels and on_device(self, labels), w
  end
  -- Its first batch must stand for the data.
  function source.all(epoch)
    source.open(epoch, 0, 0)
    batch = batch + 1
    waiting = { pull() }
    return waiting[1]
  end
  return source
end

--- The source of batches for fit: from a data set, a tensor, or an iterator.
-- @param model with n_visible, device, dtype and seed
-- @param o options of fit: batch_size, shuffle, weights, class_weights
-- @param want which targets go along: "classes" (one integer a sample, as int64), "targets" (these
-- or any others); nil: none. On the model's device; nil where the data have none, or an iterator
-- gave none (it may return x, y)
function M.source(model, data, o, want)
  if dataset.is(data) or check.is_tensor(data) then return set_source(model, data, o, want) end
  if type(data) == "function" or type(data) == "table" and getmetatable(data) and
    getmetatable(data).__call and getmetatable(data) ~= getmetatable(model) then
    return iterator_source(model, data, o, want)
  end
  check.raise("type", "fit: data: got %s, expected a data set, a tensor or an iterator of batches",
    check.show(data))
end

return M
