--- A model of ratings (Salakhutdinov, Mnih, Hinton 2007): a softmax visible unit an item, of which a user
-- has those that they rated, and Bernoulli hidden units. It is a row of models.lua with methods of its own,
-- as what it takes are sets of ratings (data/ratings.lua) and not rows of data.
local core = require "lrn.core"
local check = require "lrn.check"
local fit = require "lrn.fit"
local rbm = require "lrn.rbm"
local ratings = require "lrn.data.ratings"

local M = {}
local methods = {}

local CHUNK = 512 -- users whose hidden means are computed at once
local MOST = 2 ^ 31 - 2 | 0

-- {=== Options and files: see rbm.new ===

local own = {
  n_items = { "integer", required = true, min = 1, max = MOST },
  n_ratings = { "integer", nil, min = 2, max = 255 },
  levels = { "table" },
}

local function complete(o)
  local where = "RatingRBM"
  local n_items = check.value(where, "n_items", o.n_items, own.n_items)
  local n = check.value(where, "n_ratings", o.n_ratings, own.n_ratings)
  local levels = o.levels ~= nil and ratings.levels(where, o.levels) or ratings.stars(n or 5)
  if n and n ~= #levels then
    check.raise("value", "%s: n_ratings: got %d, expected %d, as many as levels", where, n, #levels)
  end
  o.n_items, o.n_ratings, o.levels = nil, nil, nil
  if n_items > MOST // #levels then
    check.raise("value", "%s: n_items: got %d, expected at most %d, with %d levels", where, n_items,
      MOST // #levels, #levels)
  end
  o.n_visible, o.visible_categories = n_items * #levels, #levels
  return { _levels = levels }
end

local function store(self, file)
  local list = {}
  for k, level in ipairs(rawget(self, "_levels")) do list[k] = ("%.17g"):format(level) end
  file:meta("lrn.levels", table.concat(list, " "))
end

local function restore(file, c)
  local list, text = {}, file:meta "lrn.levels" or ""
  for word in text:gmatch "%S+" do list[#list + 1] = tonumber(word) end
  for k = 1, #list do
    if k > 1 and not (list[k] > list[k - 1]) then return nil, "lrn.levels: not ascending" end
    if math.tointeger(list[k]) then list[k] = math.tointeger(list[k]) end
  end
  if c:get "visible" ~= "softmax" or #list ~= c:get "visible_categories" then
    return nil, ("lrn.levels: found %d, expected %d"):format(#list, c:get "visible_categories")
  end
  return { _levels = list }
end

local function field(self, key)
  if key == "n_items" then
    return self._core:get "n_visible" // self._core:get "visible_categories"
  elseif key == "n_ratings" then
    return self._core:get "visible_categories"
  elseif key == "levels" then
    local levels = rawget(self, "_levels")
    return table.move(levels, 1, #levels, 1, {})
  end
  return nil
end

-- What tostring has for the visible layer.
local function size(self) return ("%d items"):format(self.n_items) end

-- Before this model becomes what a checkpoint holds.
local function resumed(self, other, path)
  local theirs = rawget(other, "_levels")
  for k, level in ipairs(rawget(self, "_levels")) do
    if theirs[k] ~= level then
      check.raise("value", "fit: resume: %s has a model with level %g, expected %g", path, theirs[k], level)
    end
  end
end

-- }===

-- {=== Arguments ===

-- A set that this model can take.
local function check_set(self, where, name, set)
  if not ratings.is(set) then
    check.raise("type", "%s: %s: got %s, expected a set of ratings", where, name, check.show(set))
  end
  if set.n_items ~= self.n_items then
    check.raise("size", "%s: %s: got %d items, expected %d (n_items)", where, name, set.n_items,
      self.n_items)
  end
  local mine, theirs = rawget(self, "_levels"), set.levels
  local same = #mine == #theirs
  for k = 1, #mine do same = same and mine[k] == theirs[k] end
  if not same then
    check.raise("value", "%s: %s: got %d levels %g..%g, expected the model's %d, %g..%g", where, name,
      #theirs, theirs[1], theirs[#theirs], #mine, mine[1], mine[#mine])
  end
  return set
end

-- The ratings that hidden units are given: those of the option, else those of the last fit.
local function given_set(self, where, given)
  local set = given or rawget(self, "_given")
  if set then return check_set(self, where, "given", set) end
  check.raise("argument", "%s: given: missing, expected a set with the user's ratings: the model was not \z
    trained here; or give the user as a table from item to rating", where)
end

-- A user as a set and a number in it: a number, or a table from item to rating.
local function one_user(self, where, user, given)
  if ratings.is(user) then
    check.raise("type", "%s: user: got a set of ratings, expected a number; give the set as option given", where)
  elseif type(user) == "table" and not check.is_tensor(user) then
    return ratings.fold_in(where, user, self.n_items, rawget(self, "_levels")), 1
  end
  local u = math.type(user) and math.tointeger(user)
  if not u then
    check.raise("type", "%s: user: got %s, expected a number, or a table from item to rating", where,
      check.show(user))
  end
  local set = given_set(self, where, given)
  if u < 1 or u > set.n_users then
    check.raise("value", "%s: user: got %d, expected 1..%d", where, u, set.n_users)
  end
  return set, u
end

-- Numbers from 1 to most, as a contiguous int64 vector on the CPU; a number stands for a list of one.
local function numbers(where, name, t, most)
  if math.type(t) and math.tointeger(t) then t = { t } end
  if type(t) == "table" and not check.is_tensor(t) then
    for i = 1, #t do
      if not math.tointeger(rawget(t, i)) then
        check.raise("type", "%s: %s: got %s at %d, expected integers", where, name, check.show(rawget(t, i)), i)
      end
    end
    t = #t > 0 and core.tensor(t, { dtype = "int64" }) or core.zeros(0, { dtype = "int64" })
  end
  check.tensor(where, name, t)
  if t.ndim ~= 1 or t.dtype ~= "int64" and t.dtype ~= "int32" then
    check.raise("type", "%s: %s: got %s, expected a number or a list of them (int64)", where, name, check.show(t))
  end
  if t.numel > 0 and (t:min() < 1 or t:max() > most) then
    check.raise("value", "%s: %s: got numbers from %d to %d, expected 1..%d", where, name, t:min(), t:max(), most)
  end
  return t:to { dtype = "int64", device = "cpu" }:contiguous()
end

-- }===

-- {=== Inference ===

-- Hidden means of users (index, or nil for all) first .. first + count - 1 of a set.
local function hidden(self, set, index, first, count)
  local offset, item, level = ratings.rows(set)
  return self._core:ratings_hidden(offset, item, level, index, first, count)
end

-- Probabilities of the levels of items, n x levels; row r of h has those from offset[r] on.
local function visible(self, h, offset, item, first, count)
  return self._core:ratings_visible(offset, item, nil, nil, first, count, h,
    offset[first + count] - offset[first])
end

-- Mean ratings of rows of probabilities.
local function expected(self, p)
  return p:mv(core.tensor(rawget(self, "_levels"), { dtype = p.dtype, device = p.device })):cpu()
end

-- For pairs (user, item), users as they come: runs of equal users share one row.
local function pairs_of(users, items)
  local runs, at = {}, { 0 }
  for k, user in ipairs(users:tolist()) do
    if user ~= runs[#runs] then
      runs[#runs + 1] = user
      at[#runs] = k - 1
    end
  end
  at[#runs + 1] = users.numel
  return core.tensor(runs, { dtype = "int64" }), core.tensor(at, { dtype = "int64" }),
    (items - 1):to "int32"
end

local function predict_pairs(self, users, items, set)
  if users.numel ~= items.numel then
    check.raise("size", "predict: items: got %d, expected %d, one a user", items.numel, users.numel)
  end
  if users.numel == 0 then
    return core.zeros(0), core.zeros(0, self.n_ratings)
  end
  local runs, offset, item = pairs_of(users, items)
  local parts = {}
  for first = 1, runs.numel, CHUNK do
    local count = math.min(CHUNK, runs.numel - first + 1)
    parts[#parts + 1] = visible(self, hidden(self, set, runs, first, count), offset, item, first, count)
  end
  local p = core.cat(parts, 1)
  return expected(self, p), p
end

--- What users will rate items: the mean of the levels under their probabilities, given the hidden units'
-- means given the user's ratings (mean field: one pass up, one down).
-- @param user a number: of that user's ratings in the training set, or in the option given; a table from
-- item to rating: somebody new; or a tensor of numbers, one for each of as many items
-- @param items a number, a list, or a tensor of them
-- @param options given: a set of ratings, which users' numbers refer to
-- @return the expected ratings, a number where items is one; N x levels probabilities
-- @usage local m = lrn.RatingRBM{ n_items = 4, n_hidden = 2 };
-- local r, p = m:predict({ [1] = 5, [3] = 2 }, { 2, 4 }); assert(r:size(1) == 2 and p:size(2) == 5)
function methods:predict(user, items, options)
  local o = check.options("predict", options, { given = { "table" } })
  local index = numbers("predict", "items", items, self.n_items)
  if check.is_tensor(user) then
    local set = given_set(self, "predict", o.given)
    return predict_pairs(self, numbers("predict", "user", user, set.n_users), index, set)
  end
  local set, u = one_user(self, "predict", user, o.given)
  local h = hidden(self, set, nil, u, 1)
  local p = visible(self, h, core.tensor({ 0, index.numel }, { dtype = "int64" }), (index - 1):to "int32", 1, 1)
  local mean = expected(self, p)
  if math.type(items) then return mean[1], p[1] end
  return mean, p
end

--- The items that a user is expected to rate highest.
-- @param user as in predict: a number, or a table from item to rating
-- @param k how many (10); fewer where there are not as many
-- @param options exclude_seen (true): without those that the user has rated; items: among these alone;
-- given: as in predict
-- @return the items, the best first (int64); their expected ratings
-- @usage local m = lrn.RatingRBM{ n_items = 4, n_hidden = 2 };
-- local items = m:recommend({ [1] = 5 }, 2); assert(items:size(1) == 2)
function methods:recommend(user, k, options)
  k = check.value("recommend", "k", k, { "integer", 10, min = 1 })
  local o = check.options("recommend", options, { exclude_seen = { "boolean", true },
    items = { "tensor|table" }, given = { "table" } })
  local set, u = one_user(self, "recommend", user, o.given)
  local n = self.n_items
  local among = o.items and numbers("recommend", "items", o.items, n)
  local p = visible(self, hidden(self, set, nil, u, 1), core.tensor({ 0, n }, { dtype = "int64" }),
    core.arange(0, n - 1):to "int32", 1, 1)
  local mean, seen, list = expected(self, p):tolist(), {}, {}
  if o.exclude_seen then
    for _, item in ipairs((set:user(u)):tolist()) do seen[item] = true end
  end
  for i = 1, among and among.numel or n do
    local item = among and among[i] or i
    if not seen[item] then
      list[#list + 1] = item
      seen[item] = true
    end
  end
  table.sort(list, function(a, b)
    if mean[a] ~= mean[b] then return mean[a] > mean[b] end
    return a < b
  end)
  local best, worth = {}, {}
  for i = 1, math.min(k, #list) do best[i], worth[i] = list[i], mean[list[i]] end
  if #best == 0 then return core.zeros(0, { dtype = "int64" }), core.zeros(0) end
  return core.tensor(best, { dtype = "int64" }), core.tensor(worth, { dtype = "float32" })
end

-- Sums of squared and absolute differences over the ratings of a test set.
local function differences(self, where, test, given)
  local set = given_set(self, where, given)
  check_set(self, where, "test", test)
  if test.n_users ~= set.n_users then
    check.raise("size", "%s: test: got %d users, expected %d, those of the ratings given", where, test.n_users,
      set.n_users)
  end
  if #test == 0 then check.raise("size", "%s: test: got no ratings, expected at least 1", where) end
  local offset, item, level = ratings.rows(test)
  local values = core.tensor(rawget(self, "_levels"), { dtype = "float64" })
  local squares, sizes = 0, 0
  for first = 1, test.n_users, CHUNK do
    local count = math.min(CHUNK, test.n_users - first + 1)
    local from, to = offset[first], offset[first + count]
    if to > from then
      local p = visible(self, hidden(self, set, nil, first, count), offset, item, first, count)
      local true_ones = values:index_select(1, level:narrow(1, from + 1, to - from):to "int64" + 1)
      local d = expected(self, p):to "float64" - true_ones
      squares, sizes = squares + (d * d):sum(), sizes + d:abs():sum()
    end
  end
  return squares, sizes
end

--- The root of the mean squared difference between a set's ratings and what predict says of them.
-- @param test a set of ratings
-- @param options given: a set with what is known of the same users (the training set)
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 };
-- print(lrn.RatingRBM{ n_items = 9, n_hidden = 2 }:rmse(set, { given = set }))
function methods:rmse(test, options)
  local o = check.options("rmse", options, { given = { "table" } })
  return math.sqrt(differences(self, "rmse", test, o.given) / #test)
end

--- The mean absolute difference; otherwise as rmse.
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 };
-- print(lrn.RatingRBM{ n_items = 9, n_hidden = 2 }:mae(set, { given = set }))
function methods:mae(test, options)
  local o = check.options("mae", options, { given = { "table" } })
  return select(2, differences(self, "mae", test, o.given)) / #test
end

--- Hidden means of each user of a set: N x n_hidden.
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 };
-- assert(lrn.RatingRBM{ n_items = 9, n_hidden = 2 }:forward(set):size(1) == 20)
function methods:forward(set)
  check_set(self, "forward", "set", set)
  local parts = {}
  for first = 1, set.n_users, CHUNK do
    parts[#parts + 1] = hidden(self, set, nil, first, math.min(CHUNK, set.n_users - first + 1))
  end
  return core.cat(parts, 1)
end

--- Free energy of each user of a set, given which items they rated.
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 };
-- assert(lrn.RatingRBM{ n_items = 9, n_hidden = 2 }:energy(set):size(1) == 20)
function methods:energy(set)
  check_set(self, "energy", "set", set)
  local offset, item, level = ratings.rows(set)
  local parts = {}
  for first = 1, set.n_users, CHUNK do
    parts[#parts + 1] = self._core:ratings_energy(offset, item, level, nil, first,
      math.min(CHUNK, set.n_users - first + 1))
  end
  return core.cat(parts, 1)
end

-- }===

-- {=== Training ===

local trainer = setmetatable({}, { __index = rbm.trainer })

local function no_rows(o)
  for _, name in ipairs { "weights", "class_weights" } do
    if o[name] then
      check.raise("argument", "fit: %s: got one, expected none: a model of ratings has no weights of rows", name)
    end
  end
end

-- Users who rated something, in batches: see batches.lua.
function trainer.source(self, data, o)
  check_set(self, "fit", "data", data)
  no_rows(o)
  local users = data:counts "users":gt(0):nonzero():reshape(-1)
  local source, at, order = { n = users.numel }, 1, users
  if users.numel == 0 then check.raise("size", "fit: data: got no ratings, expected at least 1") end
  rawset(self, "_given", data)
  function source.open(epoch, done)
    at = done + 1
    order = o.shuffle and users:index_select(1, core.permutation(users.numel, self.seed, epoch)) or users
  end
  function source.next()
    local count, first = math.min(o.batch_size, users.numel - at + 1), at
    if count <= 0 then return nil end
    at = at + count
    return data, order, first, count
  end
  function source.all() return data end
  return source
end

function trainer.reserve(self) self._core:reserve(1, true) end

function trainer.prepare(self, all)
  self._core:ratings_prepare(ratings.rows(all()))
end

function trainer.step(self, set, order, first, count)
  local offset, item, level = ratings.rows(set)
  return self._core:ratings_step(offset, item, level, order, first, count, rawget(self, "_levels"))
end

function trainer.means(self)
  local state = self._core:state()
  return { rmse = math.sqrt(state.error / state.labelled) }
end

function trainer.shown(self) return trainer.means(self) end

function trainer.metrics(_, validated)
  return { "rmse", validated and "val_rmse" or nil, validated and "val_mae" or nil }
end

function trainer.validation(self, data)
  check_set(self, "fit", "validation", data)
  local given = rawget(self, "_given")
  if data.n_users ~= given.n_users then
    check.raise("size", "fit: validation: got %d users, expected %d, those of the data", data.n_users,
      given.n_users)
  end
  if #data == 0 then check.raise("size", "fit: validation: got no ratings, expected at least 1") end
  return data
end

function trainer.validate(self, data, stats)
  local squares, sizes = differences(self, "fit", data)
  stats.val_rmse, stats.val_mae = math.sqrt(squares / #data), sizes / #data
end

function trainer.results(_, stats) return stats.rmse, stats.val_rmse end

--- Trains by contrastive divergence on the users of a set. Options are those of RBM.fit, without weights.
-- @param data a set of ratings
-- @param options as in RBM.fit; validation: a set of ratings of the same users, whose val_rmse and val_mae
-- are measured given those of data
-- @return rmse of the last epoch (of ratings given states drawn from them: it only shows that training
-- goes on); val_rmse; nil, message, code where a checkpoint cannot be read or written
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 };
-- lrn.RatingRBM{ n_items = 9, n_hidden = 2 }:fit(set, { epochs = 1 })
function methods:fit(data, options)
  return fit.run(trainer, self, data, options)
end

-- }===

check.class("model", methods, rbm.is)
for _, name in ipairs { "parameters", "updates", "save" } do methods[name] = rbm.methods[name] end
M.methods = methods

rbm.kinds.ratings = { methods = methods, complete = complete, store = store, restore = restore,
  resumed = resumed, size = size, field = field }

-- What the defaults are worth: docs/ratings.md.
M.row = { name = "RatingRBM", visible = "softmax", hidden = "bernoulli", kind = "ratings", own = own,
  defaults = { n_hidden = 100, optimizer = "adam", learning_rate = .005, decay = .003, smoothing = .2 } }
return M
