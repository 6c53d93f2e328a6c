--- Recommends films: a model of ratings is trained on what users gave the films that they saw, and says
-- what they will give the others; also for somebody new, whose ratings it never saw.
--
--     lrn examples/ratings/recommend.lua --data ~/data
--
-- The folder has the archive ml-100k of grouplens.org, unpacked; where it is not found, ratings are
-- generated. What to expect (root mean square of the test set's errors):
--
--   MovieLens, split u1:  mean of all 1.154, means of the films 1.033, model 0.939
--   generated:            mean of all 1.042, means of the items 0.952, model 0.498
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, resolve = common.options {
  about = "Trains a model of ratings, compares it with means, and recommends.",
  epochs = { 80, 80 }, batch_size = { 50, 25 }, hidden = 100, learning_rate = 0.005,
  ratings = { sets = { "MovieLens", "generated ratings" }, rows = "training ratings",
    help = "generated, movielens, or a folder with its files; auto: MovieLens where its files are \z
      found, else generated", download = "accepted; MovieLens is not fetched" },
  { "user", "integer", 1, "whom to recommend to", min = 1 },
}

-- Training and test set, their name, and which of the two it is.
local function load_data(where)
  if where ~= "generated" then
    local folder = where ~= "auto" and where ~= "movielens" and where or nil
    local train, test = lrn.data.movielens { root = folder, fold = 1 }
    if train then return train, test, "MovieLens 100K, split u1", 1 end
    if where ~= "auto" then common.fail(test) end
  end
  local train, test = lrn.data.low_rank_ratings { users = 400, items = 200, rank = 3, density = .25,
    seed = 1 }:split { train = .8, test = .2 }
  return train, test, "generated ratings of rank 3", 2
end

local train, test, which, number = load_data(opt.data)
resolve(number)
print(("data: %s, %d training and %d test ratings by %d users of %d items"):format(which, #train, #test,
  train.n_users, train.n_items))
if opt.limit and opt.limit < #train then train = train:split { train = opt.limit, seed = opt.seed } end
if opt.user > train.n_users then
  common.fail(("--user: got %d, expected at most %d"):format(opt.user, train.n_users))
end

-- What a model must be better than.
local _, test_items, test_ratings = test:triplets()
local function rmse(predicted) return math.sqrt((predicted - test_ratings):square():mean()) end
local mean, item_means = train:means { prior = 1 }
local baselines = { { "mean of all", rmse(lrn.full_like(test_ratings, mean)) },
  { "means of the items", rmse(item_means:index_select(1, test_items):to "float32") } }
for _, line in ipairs(baselines) do print(("%-20s rmse %.4f"):format(line[1], line[2])) end

local model = common.check(lrn.RatingRBM {
  n_items = train.n_items, levels = train.levels, n_hidden = opt.hidden,
  learning_rate = opt.learning_rate, device = opt.device, seed = opt.seed,
})
model:fit(train, common.fit_options(opt, { validation = test, average = .5 }))
print(("%-20s rmse %.4f, mae %.4f"):format("model", model:rmse(test), model:mae(test)))

local function show(who, items, ratings)
  print(who)
  for k = 1, items.numel do
    local item = items[k]
    print(("  %.2f  %s"):format(ratings[k], train.titles and train.titles[item] or "item " .. item))
  end
end
-- Among items that are rated more often than the mean one: of the others little is known.
local often = train:counts "items"
local known = { items = often:ge(#train / train.n_items):nonzero():reshape(-1) }
show(("user %d may like"):format(opt.user), model:recommend(opt.user, 5, known))

-- Somebody new: the best for the item that is rated most, the worst for the next.
local best = often:argmax()
often[best] = 0
local worst = often:argmax()
local taste = { [best] = train.levels[#train.levels], [worst] = train.levels[1] }
show("somebody new, who gave these", lrn.tensor({ best, worst }, { dtype = "int64" }),
  lrn.tensor { taste[best], taste[worst] })
show("may like", model:recommend(taste, 5, known))

local path = common.path(opt, "model.safetensors")
common.check(model:save(path))
local again = common.check(lrn.load(path, { device = opt.device }))
if again:recommend(taste, 5) ~= model:recommend(taste, 5) then
  common.fail "the model that was loaded back differs"
end
if #model.history > 0 then
  common.picture(opt, "rmse.png", function(plot)
    local fig = plot.figure { width = 6.4, height = 4 }
    local ax = fig:axes()
    local n = #model.history
    local epochs = lrn.arange(1, n)
    for _, line in ipairs(baselines) do
      ax:line(lrn.tensor { 1, math.max(n, 2) }, lrn.tensor { line[2], line[2] }, { label = line[1], style = "--" })
    end
    ax:line(epochs, lrn.tensor(model.history.val_rmse), { label = "model, test ratings" })
    ax:line(epochs, lrn.tensor(model.history.rmse), { label = "model, training ratings" })
    ax:title(which):xlabel "epoch":ylabel "RMSE":legend { loc = "best" }:grid(true)
    return fig
  end)
end
print("saved and loaded back, same recommendations: " .. path)
