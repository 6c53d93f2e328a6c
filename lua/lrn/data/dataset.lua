--- A data set: samples along dimension 1 of a tensor, and a target for each where there are any.
-- Subsets are views by index: nothing is copied until `data` or `targets` of one is asked for.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}
local methods = {}
local meta = { __name = "lrn.Dataset" }

local CHUNK = 4096 -- rows that a transform sees at once when a whole set is asked for

--- Is v a data set?
-- @usage assert(not lrn.data.is_dataset(3))
function M.is(v)
  return type(v) == "table" and getmetatable(v) == meta
end

local function make(raw)
  return setmetatable({ _raw = raw }, meta)
end

--- A data set.
-- @param data tensor of N samples along dimension 1
-- @param targets nil, or a tensor of N along dimension 1 (class labels 1..C: int64)
-- @param options transform: function from a batch (a tensor of samples) to a batch; classes: names
-- of the classes, `classes[label]`; name
-- @usage local ds = lrn.data.Dataset(lrn.zeros(10, 4)); assert(#ds == 10)
function M.new(data, targets, options)
  local where = "Dataset"
  check.tensor(where, "data", data)
  if data.ndim == 0 then
    check.raise("size", "%s: data: got a tensor without dimensions, expected samples", where)
  end
  if targets ~= nil then
    check.tensor(where, "targets", targets)
    if targets.ndim == 0 or targets:size(1) ~= data:size(1) then
      check.raise("size", "%s: targets: got %s, expected %d targets, as many as data has samples",
        where, check.shape(targets), data:size(1))
    end
  end
  local o = check.options(where, options, { transform = { "callable" }, classes = { "table" },
    name = { "string" } })
  return make { data = data, targets = targets, n = data:size(1), transform = o.transform,
    classes = o.classes, name = o.name }
end

--- Rows of base tensor t that belong to the set, all of them or those of a narrowed index.
local function rows(raw, t, first, count)
  if raw.index then
    return t:index_select(1, raw.index:narrow(1, first, count))
  end
  return t:narrow(1, first, count)
end

local function whole(raw, key)
  local t = raw[key]
  if t == nil or not raw.index then return t end
  raw.own = raw.own or {}
  if not raw.own[key] then raw.own[key] = t:index_select(1, raw.index) end
  return raw.own[key]
end

local function transformed(raw, x)
  if not raw.transform then return x end
  local y = raw.transform(x)
  if not check.is_tensor(y) or y.ndim == 0 or y:size(1) ~= x:size(1) then
    check.raise("size",
      "Dataset: transform: returned %s for a batch of %d samples, expected as many samples",
      check.show(y), x:size(1))
  end
  return y
end

local function position(self, i, where)
  local n = self._raw.n
  local k = math.tointeger(i)
  if not k then
    check.raise("type", "%s: index: got %s, expected an integer", where, check.show(i))
  end
  if k < 0 then k = k + n + 1 end
  if k < 1 or k > n then
    check.raise("value", "%s: index: got %d, expected 1..%d or -%d..-1%s", where, i, n, n,
      i == 0 and " (positions start at 1)" or "")
  end
  return k
end

--- Sample i (transformed) and its target. `ds(i)` is the same; `ds[i]` gives the sample alone, as
-- Lua's indexing has one result.
-- @usage local x, y = (lrn.data.bars_and_stripes(3)):get(1)
function methods:get(i)
  local raw = self._raw
  local k = position(self, i, "Dataset.get")
  local sample = transformed(raw, rows(raw, raw.data, k, 1))[1]
  if raw.targets == nil then return sample, nil end
  return sample, rows(raw, raw.targets, k, 1)[1]
end

meta.__call = methods.get

--- The whole set as it goes into a model: transformed, and only copied where it must be.
-- @usage local t = lrn.data.bars_and_stripes(3):tensor(); assert(t:size(2) == 9)
function methods:tensor()
  local raw = self._raw
  if not raw.transform then return whole(raw, "data") end
  local parts = {}
  for first = 1, raw.n, CHUNK do
    parts[#parts + 1] = transformed(raw, rows(raw, raw.data, first,
      math.min(CHUNK, raw.n - first + 1)))
  end
  if #parts == 1 then return parts[1] end
  if #parts == 0 then return transformed(raw, raw.data:narrow(1, 1, 0)) end
  return core.cat(parts, 1)
end

local function derive(raw, index)
  local new = { data = raw.data, targets = raw.targets, index = index, n = index:size(1),
    transform = raw.transform, classes = raw.classes, name = raw.name }
  if raw.index then new.index = raw.index:index_select(1, index) end
  return make(new)
end

--- The chosen rows as a data set again: a list of positions, an index tensor, or a mask.
-- @usage local ds = lrn.data.bars_and_stripes(3):subset{ 1, 3, -1 }; assert(#ds == 3)
function methods:subset(idx)
  local raw = self._raw
  if not check.is_tensor(idx) then
    if type(idx) ~= "table" then
      check.raise("type",
        "subset: idx: got %s, expected a list or a tensor of positions, or a mask", check.show(idx))
    end
    local list = {}
    for i, v in ipairs(idx) do list[i] = position(self, v, "subset") end
    idx = #list > 0 and core.tensor(list, { dtype = "int64" }) or core.zeros(0, { dtype = "int64" })
  end
  check.open("subset", "idx", idx)
  if idx.ndim ~= 1 then
    check.raise("size", "subset: idx: got %s, expected one dimension", check.show(idx))
  elseif idx.dtype == "bool" then
    if idx:size(1) ~= raw.n then
      check.raise("size", "subset: mask: got %d values, expected %d, one a sample", idx:size(1),
        raw.n)
    end
    idx = idx:nonzero():reshape(-1)
  elseif idx.dtype ~= "int64" and idx.dtype ~= "int32" then
    check.raise("type", "subset: idx: got %s, expected int64, int32 or bool", idx.dtype)
  elseif idx.numel > 0 then
    local least, most = idx:min(), idx:max()
    if least < -raw.n or most > raw.n or idx:eq(0):any() then
      check.raise("value", "subset: idx: got positions from %d to %d, expected 1..%d or -%d..-1",
        least, most, raw.n, raw.n)
    end
    if least < 0 then idx = core.where(idx:lt(0), idx + (raw.n + 1), idx) end
  end
  return derive(raw, idx:to "int64")
end

local order = { "train", "val", "validation", "test" }

-- Sizes of the parts of n samples; what rounding leaves over goes to the largest remainders.
local function sizes(n, parts)
  local result, remainder, total, share = {}, {}, 0, 0
  for i, part in ipairs(parts) do
    local exact = math.type(part) == "integer" and part or part * n
    result[i] = math.floor(exact + 1e-9)
    remainder[i] = { exact - result[i], i }
    total, share = total + result[i], share + exact
  end
  table.sort(remainder, function(a, b)
    if a[1] ~= b[1] then return a[1] > b[1] end
    return a[2] < b[2]
  end)
  local left = math.floor(share + 0.5) - total
  for k = 1, left do
    local i = remainder[k][2]
    result[i] = result[i] + 1
  end
  return result
end

-- What a split of n samples asks for, by names of its options.
local part_rules = { train = { "number", nil, min = 0 }, val = { "number", nil, min = 0 },
  validation = { "number", nil, min = 0 }, test = { "number", nil, min = 0 },
  seed = { "integer", 1 } }

-- The parts of n samples that options ask for, in order: fractions, or integers.
local function parts_of(o, n)
  local parts, names, whole_share = {}, {}, 0
  for _, name in ipairs(order) do
    local part = o[name]
    if part then
      if math.type(part) == "float" and part > 1 then
        check.raise("value",
          "split: %s: got %s, expected a fraction of 1 or an integer number of samples", name, part)
      end
      parts[#parts + 1], names[#names + 1] = part, name
      whole_share = whole_share + (math.type(part) == "integer" and part / math.max(n, 1) or part)
    end
  end
  if #parts == 0 then check.raise("argument", "split: got no part, expected train, val or test") end
  if whole_share > 1 + 1e-9 then
    check.raise("value",
      "split: %s: got parts of %.6g of the samples together, expected at most all of them",
      table.concat(names, ", "), whole_share)
  end
  return parts
end

--- Positions of n samples in the parts that options ask for: a list of index tensors.
function M.split_positions(options, n)
  local o = check.options("split", options, part_rules)
  local permutation, list, at = core.permutation(n, o.seed, 0), {}, 1
  for k, size in ipairs(sizes(n, parts_of(o, n))) do
    list[k] = permutation:narrow(1, at, size)
    at = at + size
  end
  return list
end

--- Splits at random: fractions (`.8`) or numbers of samples (`100`) for train, val, test. The
-- result depends on seed alone. `stratify = true` keeps the shares of the classes in each part.
-- @return the parts asked for, in the order train, val, test
-- @usage local a, b = lrn.data.digits():split{ train = .75, test = .25, seed = 1 }; assert(#a > #b)
function methods:split(options)
  local rules = { stratify = { "boolean", false } }
  for name, rule in pairs(part_rules) do rules[name] = rule end
  local o = check.options("split", options, rules)
  local raw = self._raw
  local parts = parts_of(o, raw.n)
  local permutation = core.permutation(raw.n, o.seed, 0)
  local lists = {}
  if o.stratify then
    if not raw.targets or raw.targets.ndim ~= 1 then
      check.raise("argument",
        "split: stratify: got true, expected a data set with one label a sample")
    end
    for _, part in ipairs(parts) do
      if math.type(part) == "integer" then
        check.raise("value", "split: stratify: got a number of samples (%d), expected fractions",
          part)
      end
    end
    local labels, groups, found = whole(raw, "targets"):tolist(), {}, {}
    for _, i in ipairs(permutation:tolist()) do
      local group = groups[labels[i]]
      if not group then
        group = {}
        groups[labels[i]] = group
        found[#found + 1] = labels[i]
      end
      group[#group + 1] = i
    end
    table.sort(found)
    for k = 1, #parts do lists[k] = {} end
    for _, label in ipairs(found) do
      local group, at = groups[label], 1
      for k, size in ipairs(sizes(#group, parts)) do
        table.move(group, at, at + size - 1, #lists[k] + 1, lists[k])
        at = at + size
      end
    end
    for k in ipairs(parts) do -- classes mixed again, in the permutation's order
      local member, mixed = {}, {}
      for _, i in ipairs(lists[k]) do member[i] = true end
      for _, i in ipairs(permutation:tolist()) do
        if member[i] then mixed[#mixed + 1] = i end
      end
      lists[k] = self:subset(mixed)
    end
  else
    local at = 1
    for k, size in ipairs(sizes(raw.n, parts)) do
      lists[k] = derive(raw, permutation:narrow(1, at, size))
      at = at + size
    end
  end
  return table.unpack(lists)
end

--- Iterates over batches: each a tensor of samples (transformed) and one of targets or nil. The
-- order is a function of (seed, epoch). After the last batch the iterator gives nil and begins the
-- next epoch, so that it can be given to `fit`, or used in several loops.
-- @param options size (128), shuffle (true), seed (drawn), epoch (1), drop_last (false)
-- @usage for x, y in lrn.data.digits():batches{ size = 100, seed = 1 } do assert(x:size(1) <= 100)
-- end
function methods:batches(options)
  local o = check.options("batches", options, { size = { "integer", 128, min = 1 },
    shuffle = { "boolean", true }, seed = { "integer" },
    epoch = { "integer", 1, min = 1 }, drop_last = { "boolean", false } })
  local raw = self._raw
  local seed = o.seed or o.shuffle and core.default_seed()
  local epoch, first, permutation = o.epoch, 1, nil
  return function()
    local count = math.min(o.size, raw.n - first + 1)
    if count <= 0 or (o.drop_last and count < o.size) then
      epoch, first, permutation = epoch + 1, 1, nil
      return nil
    end
    local x, y
    if o.shuffle then
      permutation = permutation or core.permutation(raw.n, seed, epoch)
      local idx = permutation:narrow(1, first, count)
      if raw.index then idx = raw.index:index_select(1, idx) end
      x = raw.data:index_select(1, idx)
      y = raw.targets and raw.targets:index_select(1, idx)
    else
      x = rows(raw, raw.data, first, count)
      y = raw.targets and rows(raw, raw.targets, first, count)
    end
    first = first + count
    return transformed(raw, x), y
  end
end

--- The same samples with f applied to each batch, after the transform that is there. Lazy.
-- @usage local ds = lrn.data.digits():map(function(x) return x:to"float32" / 255 end)
function methods:map(f)
  check.value("map", "f", f, { "callable", required = true })
  local raw = self._raw
  local old = raw.transform
  local new = {}
  for key, value in pairs(raw) do new[key] = value end
  new.transform = old and function(x) return f(old(x)) end or f
  return make(new)
end

--- For fit: base tensor, index of its rows in the set (nil: all in order), transform (or nil), and
-- targets of the base's rows (or nil).
function M.source(ds)
  local raw = ds._raw
  return raw.data, raw.index, raw.transform and function(x) return transformed(raw, x) end,
    raw.targets
end

--- Fields: data, targets (of a subset: its rows), classes, name, transform; `ds[i]` is sample i.
function meta:__index(key)
  local method = methods[key]
  if method then return method end
  local raw = rawget(self, "_raw")
  if key == "data" or key == "targets" then return whole(raw, key) end
  if key == "classes" or key == "name" or key == "transform" then return raw[key] end
  if type(key) == "number" then return (methods.get(self, key)) end
  return nil
end

function meta:__newindex(key, value)
  local raw = rawget(self, "_raw")
  if key == "classes" or key == "name" then
    raw[key] = value
    return
  end
  check.raise("argument",
    "Dataset: field %s: cannot be assigned; classes and name can, and map and subset make new sets",
    check.show(key))
end

function meta:__len()
  return self._raw.n
end

function meta:__tostring()
  local raw = self._raw
  local shape = raw.data.shape
  shape[1] = raw.n
  return ("Dataset%s: %s[%s]%s%s%s"):format(raw.name and " " .. raw.name or "", raw.data.dtype,
    table.concat(shape, ", "), raw.targets and ", targets " .. raw.targets.dtype or ", no targets",
    raw.classes and (", %d classes"):format(#raw.classes) or "", raw.transform and ", transformed"
      or "")
end

check.class("Dataset", methods, M.is)
M.methods = methods
return M
