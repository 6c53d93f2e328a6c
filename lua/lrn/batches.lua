--- Rows of data as a model takes them, and where the batches of training come from.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"

local M = {}

-- Rows of a tensor in the model's sense: a 1-d tensor is one row of V, else dimension 1 counts.
local function as_rows(t)
  return t.ndim == 1 and t:reshape(1, -1) or t
end

--- Rows of `width` values from a tensor or a data set (transformed), or an error that says what
-- came.
function M.rows(where, name, t, width, unit)
  if dataset.is(t) then t = t:tensor() end
  check.tensor(where, name, t)
  if t.ndim == 0 then
    check.raise("size", "%s: %s: got a tensor without dimensions, expected rows", where, name)
  end
  local r = as_rows(t)
  local n, got = r:size(1), 1
  for d = 2, r.ndim do got = got * r:size(d) end
  if got ~= width then
    check.raise("size", "%s: %s: got rows of %d values (%s), expected %d (%s)", where, name, got,
      check.shape(t), width, unit)
  end
  return r, n
end

-- Where batches come from: an object with n (rows; nil for an iterator), open(epoch, rows done,
-- batches done) and next() -> tensor, index or nil, first row, count; nil at the end of the epoch.

local function on_device(self, t)
  return t.device == self.device and t or t:to { device = self.device }
end

local function set_source(self, data, o)
  local base, index, transform
  if dataset.is(data) then
    base, index, transform = dataset.source(data)
  else
    check.tensor("fit", "data", data)
    base = data.ndim == 0 and data or as_rows(data)
  end
  local n = index and index:size(1) or base.ndim > 0 and base:size(1) or 0
  local source = { n = n }
  if not transform then
    base = on_device(self, M.rows("fit", "data", base, self.n_visible, "n_visible"))
  end
  if n == 0 then check.raise("size", "fit: data: got 0 rows, expected at least 1") end
  local permutation, at = nil, 1
  function source.open(epoch, done)
    at, permutation = done + 1, index
    if o.shuffle then
      permutation = core.permutation(n, self.seed, epoch)
      if index then permutation = index:index_select(1, permutation) end
    end
    if permutation and not transform then permutation = on_device(self, permutation) end
  end
  function source.next()
    local count = math.min(o.batch_size, n - at + 1)
    if count <= 0 then return nil end
    local first = at
    at = at + count
    if not transform then return base, permutation, first, count end
    local x = permutation and base:index_select(1, permutation:narrow(1, first, count)) or
      base:narrow(1, first, count)
    return on_device(self, M.rows("fit", "data", transform(x), self.n_visible, "n_visible")), nil,
      1, count
  end
  -- The whole set, for the visible biases; the tensor itself where nothing is chosen or
  -- transformed.
  function source.all()
    return dataset.is(data) and data:tensor() or base
  end
  return source
end

local function iterator_source(self, f)
  local source, batch, epoch_now = {}, 0, 0
  local waiting -- the first batch, after all() took it
  local function pull()
    local x = f(epoch_now, batch)
    if x ~= nil then
      local t, n = M.rows("fit", "data (batch of the iterator)", x, self.n_visible, "n_visible")
      if n == 0 then
        check.raise("size", "fit: data: the iterator gave a batch of 0 rows, expected at least 1")
      end
      return t, n
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
    local t, n
    if waiting then
      t, waiting = waiting, nil
      n = t:size(1)
    else
      batch = batch + 1
      t, n = pull()
    end
    if not t then
      if batch == 1 then
        check.raise("value",
          "fit: data: the iterator gave no batch in epoch %d; it must begin anew after nil",
          epoch_now)
      end
      return nil
    end
    return on_device(self, t), nil, 1, n
  end
  -- Its first batch must stand for the data.
  function source.all(epoch)
    source.open(epoch, 0, 0)
    batch = batch + 1
    waiting = pull()
    return waiting
  end
  return source
end

--- The source of batches for fit: from a data set, a tensor, or an iterator.
-- @param model with n_visible, device and seed
-- @param o options of fit: batch_size, shuffle
function M.source(model, data, o)
  if dataset.is(data) or check.is_tensor(data) then return set_source(model, data, o) end
  if type(data) == "function" or type(data) == "table" and getmetatable(data) and
    getmetatable(data).__call and getmetatable(data) ~= getmetatable(model) then
    return iterator_source(model, data)
  end
  check.raise("type", "fit: data: got %s, expected a data set, a tensor or an iterator of batches",
    check.show(data))
end

return M
