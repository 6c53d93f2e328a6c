--- Sets of ratings: which of `levels` a user gave an item, for few of all pairs. Stored by user, items
-- ascending within one: 5 bytes a rating and 8 a user.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"

local M = {}
local methods = {}
local meta = { __name = "lrn.Ratings" }

local MOST = 255 -- levels
local IDS = 10 ^ 8 | 0 -- users or items: an id that is far off would only take memory

--- Is v a set of ratings?
function M.is(v)
  return type(v) == "table" and getmetatable(v) == meta
end

-- raw: offset, item, level (tensors counted from 0), n_users, n_items, levels, name, titles
local function make(raw)
  return setmetatable({ _raw = raw }, meta)
end

local function same_kind(raw, offset, item, level)
  return make { offset = offset, item = item, level = level, n_users = raw.n_users,
    n_items = raw.n_items, levels = raw.levels, name = raw.name, titles = raw.titles }
end

-- {=== Arguments ===

local integers = { int64 = true, int32 = true }

-- A list or tensor as a contiguous vector on the CPU.
local function column(where, name, t, ids)
  if type(t) == "table" and not check.is_tensor(t) then
    for i = 1, #t do
      local v = rawget(t, i)
      if type(v) ~= "number" or ids and not math.tointeger(v) then
        check.raise("type", "%s: %s: got %s at %d, expected %s", where, name, check.show(v), i,
          ids and "integers" or "numbers")
      end
    end
    t = #t > 0 and core.tensor(t, { dtype = ids and "int64" or "float64" }) or
      core.zeros(0, { dtype = ids and "int64" or "float64" })
  end
  check.tensor(where, name, t)
  if t.ndim ~= 1 or ids and not integers[t.dtype] then
    check.raise("type", "%s: %s: got %s, expected a list of %s", where, name, check.show(t),
      ids and "integers (int64 or int32)" or "numbers")
  end
  return t:cpu():contiguous()
end

--- Levels as given, checked: ascending numbers.
function M.levels(where, levels)
  check.value(where, "levels", levels, { "table", required = true })
  local list = {}
  for i = 1, #levels do
    local v = rawget(levels, i)
    if type(v) ~= "number" or v - v ~= 0 or i > 1 and v <= list[i - 1] then
      check.raise("value", "%s: levels: got %s at %d, expected ascending numbers", where, check.show(v), i)
    end
    list[i] = v
  end
  if #list < 2 or #list > MOST then
    check.raise("value", "%s: levels: got %d, expected 2 to %d", where, #list, MOST)
  end
  return list
end

--- 1, 2, ... n
function M.stars(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

-- Levels that the ratings themselves tell: whole ones from 1 on, halves from .5 on, or each value that
-- is there.
local function found_levels(where, ratings)
  local list = {}
  if ratings.numel == 0 then return M.stars(5) end
  local r = ratings:to "float32"
  if not r:isfinite():all() then
    check.raise("value", "%s: ratings: got NaN or an infinity, expected numbers", where)
  end
  local least, most = r:min(), r:max()
  for _, unit in ipairs { 1, .5 } do
    local steps = r / unit
    if least >= unit and most / unit <= MOST and steps:floor():eq(steps):all() then
      for i = 1, math.max(2, math.tointeger(most / unit)) do list[i] = unit == 1 and i or i * unit end
      return list
    end
  end
  local value = least
  while #list < MOST do
    list[#list + 1] = tonumber(("%.7g"):format(value)) -- .1, not what float32 makes of it
    local larger = r:gt(value)
    if not larger:any() then break end
    value = r:masked_select(larger):min()
  end
  if #list < 2 then
    check.raise("value", "%s: levels: got one rating alone, %g, expected the option levels", where, value)
  end
  return list
end

-- }===

local rules = {
  users = { "tensor|table" }, items = { "tensor|table" }, ratings = { "tensor|table" },
  file = { "string" },
  n_users = { "integer", nil, min = 1, max = IDS }, n_items = { "integer", nil, min = 1, max = IDS },
  n_ratings = { "integer", nil, min = 2, max = MOST }, levels = { "table" },
  duplicates = { "string", "error", choices = { "error", "last" } },
  name = { "string" }, titles = { "table" },
}

-- What the triplets of a call are; nil, message, code of a file.
local function triplets(where, o)
  if o.file then
    for _, name in ipairs { "users", "items", "ratings" } do
      if o[name] then
        check.raise("argument", "%s: %s: got one beside file, expected one of the two", where, name)
      end
    end
    return core.ratings_read(o.file, where)
  end
  local users = column(where, "users", check.value(where, "users", o.users,
    { "tensor|table", required = true }), true)
  local items = column(where, "items", check.value(where, "items", o.items,
    { "tensor|table", required = true }), true)
  local ratings = column(where, "ratings", check.value(where, "ratings", o.ratings,
    { "tensor|table", required = true }))
  if items.numel ~= users.numel or ratings.numel ~= users.numel then
    check.raise("size", "%s: items, ratings: got %d and %d, expected %d, as many as users", where,
      items.numel, ratings.numel, users.numel)
  end
  return users, items, ratings
end

--- A set of ratings from triplets: tensors or lists, or the lines of a text file.
-- @param options users, items (integers from 1 on), ratings; or file: a path, with a line a rating: user,
-- item, rating, separated by tab, blank, comma, semicolon or "::", more columns are left out; n_users,
-- n_items (the largest that there are); levels: what a rating can be, ascending, or n_ratings = 5 for 1
-- to 5 (absent: whole numbers from 1 on, halves from .5 on, or else what is there); duplicates: a pair of
-- user and item that comes twice is an "error", or the "last" one counts; name; titles: of the items
-- @return the set; of a file also nil, message, code
-- @usage local set = lrn.data.ratings{ users = { 1, 1, 2 }, items = { 1, 3, 3 }, ratings = { 5, 1, 4 } };
-- assert(#set == 3 and set.n_users == 2)
function M.new(options)
  local where = "ratings"
  local o = check.options(where, options, rules)
  local users, items, ratings = triplets(where, o)
  if not users then return nil, items, ratings end
  if o.levels and o.n_ratings and #o.levels ~= o.n_ratings then
    check.raise("value", "%s: n_ratings: got %d, expected %d, as many as levels", where, o.n_ratings, #o.levels)
  end
  if not o.levels and not o.n_ratings and not ratings:to "float32":isfinite():all() then
    check.raise("value", "%s: ratings: got NaN or an infinity, expected numbers", where)
  end
  local levels = o.levels and M.levels(where, o.levels) or o.n_ratings and M.stars(o.n_ratings) or
    found_levels(where, ratings)
  local some = users.numel > 0
  local n_users = o.n_users or some and math.max(users:max(), 1) or 1
  local n_items = o.n_items or some and math.max(items:max(), 1) or 1
  if n_users > IDS or n_items > IDS then
    local message = ("%s: %s: got %d, expected at most %d: number them from 1 on"):format(where,
      n_users > IDS and "users" or "items", n_users > IDS and n_users or n_items, IDS)
    if o.file then return nil, message, "EFORMAT" end
    check.raise("value", "%s", message)
  end
  local offset, item, level = core.ratings_sort(users, items, ratings, levels, n_users, n_items,
    o.duplicates == "last")
  if not offset then
    if o.file then return nil, ("%s: %s: %s"):format(where, o.file, item:gsub("^ratings: ", "")), "EFORMAT" end
    check.raise("value", "%s", item)
  end
  return make { offset = offset, item = item, level = level, n_users = n_users, n_items = n_items,
    levels = levels, name = o.name, titles = o.titles }
end

--- The tensors of a set as the engine takes them: offset, item, level; nil for level where only items
-- count. And the set's levels.
function M.rows(set)
  local raw = set._raw
  return raw.offset, raw.item, raw.level
end

--- A set of one user for what a caller gives in its place: a table from item to rating.
function M.fold_in(where, given, n_items, levels)
  local items, ratings = {}, {}
  for item, rating in next, given do
    local i = math.tointeger(item)
    if not i or i < 1 or i > n_items or type(rating) ~= "number" then
      check.raise("value", "%s: user: got %s = %s, expected a table from item (1..%d) to rating", where,
        check.show(item), check.show(rating), n_items)
    end
    items[#items + 1] = i
  end
  table.sort(items)
  local users = {}
  for k, i in ipairs(items) do users[k], ratings[k] = 1, given[i] end
  local offset, item, level = core.ratings_sort(column(where, "user", users, true),
    column(where, "user", items, true), column(where, "user", ratings), levels, 1, n_items, false)
  if not offset then check.raise("value", "%s: user: %s", where, (item:gsub("^ratings: ", ""))) end
  return make { offset = offset, item = item, level = level, n_users = 1, n_items = n_items,
    levels = levels }
end

-- {=== Methods ===

local function values_of(raw)
  return core.tensor(raw.levels, { dtype = "float32" }):index_select(1, raw.level:to "int64" + 1)
end

--- The ratings as three tensors of one length, in the set's order: users, items (int64, from 1 on) and
-- ratings (float32).
-- @usage local u, i, r = lrn.data.ratings{ users = { 2, 1 }, items = { 1, 1 }, ratings = { 5, 3 }
-- }:triplets(); assert(u[1] == 1 and r[1] == 3)
function methods:triplets()
  local raw = self._raw
  return core.ratings_users(raw.offset):to "int64", raw.item:to "int64" + 1, values_of(raw)
end

--- What one user rated: items and ratings.
-- @usage local i, r = lrn.data.ratings{ users = { 1, 1 }, items = { 4, 2 }, ratings = { 5, 3 } }:user(1);
-- assert(i[1] == 2 and r[1] == 3)
function methods:user(user)
  local raw = self._raw
  user = check.value("user", "user", user, { "integer", required = true, min = 1, max = raw.n_users })
  local from, to = raw.offset[user], raw.offset[user + 1]
  local part = { levels = raw.levels, level = raw.level:narrow(1, from + 1, to - from) }
  return raw.item:narrow(1, from + 1, to - from):to "int64" + 1, values_of(part)
end

--- How many ratings each user (or item) has.
-- @param of "users" or "items"
-- @usage local n = lrn.data.ratings{ users = { 1, 3 }, items = { 1, 1 }, ratings = { 5, 3 } }:counts
-- "users"; assert(n[2] == 0 and n[3] == 1)
function methods:counts(of)
  local raw = self._raw
  of = check.value("counts", "of", of, { "string", "users", choices = { "users", "items" } })
  if of == "users" then
    return raw.offset:narrow(1, 2, raw.n_users) - raw.offset:narrow(1, 1, raw.n_users)
  end
  return core.ratings_totals(raw.item, raw.level, raw.n_items, raw.levels):to "int64"
end

--- The mean of all ratings, and of each item: an item's own ratings with `prior` ratings of the mean of
-- all, so that one without ratings has that.
-- @param options prior (0)
-- @usage local m, i = lrn.data.ratings{ users = { 1, 2 }, items = { 1, 1 }, ratings = { 5, 3 },
-- n_items = 2 }:means(); assert(m == 4 and i[2] == 4)
function methods:means(options)
  local o = check.options("means", options, { prior = { "number", 0, min = 0, max = 1e15 } })
  local raw = self._raw
  if #self == 0 then check.raise("size", "means: self: got no ratings, expected at least 1") end
  local count, sum = core.ratings_totals(raw.item, raw.level, raw.n_items, raw.levels)
  local mean = sum:sum() / count:sum()
  local weight = count + o.prior
  return mean, core.where(weight:gt(0), (sum + o.prior * mean) / weight:maximum(1e-300),
    core.full_like(sum, mean))
end

--- Splits the ratings at random, whoever gave them: fractions (`.8`) or numbers of ratings for train, val,
-- test. Users and items keep their numbers in each part. The result depends on seed alone.
-- @return the parts asked for, in the order train, val, test
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 30, density = .5, seed = 1 };
-- local a, b = set:split{ train = .9, test = .1 }; assert(#a + #b == #set)
function methods:split(options)
  local raw, parts = self._raw, {}
  local positions = dataset.split_positions(options, #self)
  local users, steps = core.ratings_users(raw.offset), M.stars(#raw.levels)
  for k, idx in ipairs(positions) do
    local offset, item, level = core.ratings_sort(users:index_select(1, idx),
      raw.item:index_select(1, idx) + 1, raw.level:index_select(1, idx) + 1, steps, raw.n_users,
      raw.n_items, false)
    parts[k] = same_kind(raw, assert(offset, item), item, level)
  end
  return table.unpack(parts)
end

-- }===

--- Fields: n_users, n_items, n_ratings (how many levels there are), levels, name, titles.
function meta:__index(key)
  local method = methods[key]
  if method then return method end
  local raw = rawget(self, "_raw")
  if key == "n_ratings" then return #raw.levels end
  if key == "levels" then return table.move(raw.levels, 1, #raw.levels, 1, {}) end
  if key == "n_users" or key == "n_items" or key == "name" or key == "titles" then return raw[key] end
  return nil
end

function meta:__newindex(key, value)
  if key == "name" or key == "titles" then
    self._raw[key] = value
    return
  end
  check.raise("argument", "Ratings: field %s: cannot be assigned; name and titles can", check.show(key))
end

--- How many ratings there are.
function meta:__len()
  return self._raw.item:size(1)
end

function meta:__tostring()
  local raw = self._raw
  return ("Ratings%s: %d by %d users of %d items, %d levels %.4g..%.4g"):format(
    raw.name and " " .. raw.name or "", #self, raw.n_users, raw.n_items, #raw.levels, raw.levels[1],
    raw.levels[#raw.levels])
end

check.class("Ratings", methods, M.is)
M.methods = methods
return M
