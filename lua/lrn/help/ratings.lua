-- Help entries of ratings: sets of them and the model.
local small = "local set = lrn.data.low_rank_ratings{ users = 20, items = 9, density = .5, seed = 1 }\n"
local model = small .. "local m = lrn.RatingRBM{ n_items = 9, n_hidden = 2, seed = 1 }\n"

local user = { "user", "integer, table or Tensor", "a number: of the ratings of the last fit, or of given; a \z
  table from item to rating: somebody new" }
local given = { "options.given", "Ratings", "what users' numbers refer to, instead of the ratings of the last \z
  fit; needed after load" }
local test = { "test", "Ratings", "of the same users" }

return {
  { name = "data.ratings",
    text = "A set of ratings from triplets (user, item, rating): tensors or lists, or lines of a text file. \z
    Stored by user,\n5 bytes a rating. Users and items are numbered from 1.",
    params = { { "options.users", "Tensor or table", "integers from 1 on" },
      { "options.items", "Tensor or table", "as many" },
      { "options.ratings", "Tensor or table", "as many; each one of the levels" },
      { "options.file", "string", "instead of the three: a line a rating, user, item, rating and what follows, \z
        separated by tab, blank, comma, semicolon or \"::\"; a heading is skipped" },
      { "options.n_users", "integer", "absent: the largest number there is; at most 10^8" },
      { "options.n_items", "integer", "likewise" },
      { "options.levels", "table", "what a rating can be, ascending; absent: 1, 2, ... or .5, 1, ... or what \z
        there is" },
      { "options.n_ratings", "integer", "levels 1 to n_ratings" },
      { "options.duplicates", "string", "a pair that comes twice is an \"error\", or the \"last\" one counts",
        "error" },
      { "options.name", "string", "for tostring" }, { "options.titles", "table", "of the items, kept with it" } },
    returns = { { "Ratings", "#set ratings; n_users, n_items, n_ratings, levels, name, titles. Of a file also \z
      nil, message, code" } },
    errors = "a user, item or rating that is none; lists of different lengths",
    example = "local set = lrn.data.ratings{ users = { 1, 1, 2 }, items = { 1, 3, 3 }, ratings = { 5, 1, 4 } \z
      }\nassert(#set == 3 and set.n_items == 3)" },
  { name = "data.is_ratings", text = "Is v a set of ratings?", params = { { "v", "any", "" } },
    returns = { { "boolean", "" } }, example = "assert(not lrn.data.is_ratings(3))" },
  { name = "data.movielens",
    text = "A MovieLens set, from the files of its archive: looked for in root, $LRN_DATA and \z
    $XDG_CACHE_HOME/lrn (~/.cache/lrn),\ndirectly or in a folder of the archive's name. Nothing is downloaded.",
    params = { { "options.root", "string", "a folder to look in first" },
      { "options.name", "string", "\"ml-100k\", \"ml-1m\", \"ml-20m\", \"ml-25m\", \"ml-32m\", \"ml-latest\", \z
        \"ml-latest-small\"", "ml-100k" },
      { "options.fold", "integer or string", "of ml-100k: 1 to 5, \"a\", \"b\": its own split into training and \z
        test set" } },
    returns = { { "Ratings", "all, with titles where their file is; with fold the training set; or nil, message, \z
      code (\"ENOENT\")" }, { "Ratings", "with fold: the test set" } },
    errors = "an unknown name or fold",
    example = "local train, test = lrn.data.movielens{ fold = 1 }\nif train then print(#train, #test) else \z
      print(test) end" },
  { name = "data.low_rank_ratings",
    text = "Generated ratings: normal vectors of users times those of items, over the root of their length, \z
    plus the item's own\nbias and noise, in whole steps about the middle level; which pairs are rated is drawn.",
    params = { { "options.users", "integer", "how many" }, { "options.items", "integer", "how many" },
      { "options.rank", "integer", "length of the vectors", 3 },
      { "options.density", "number", "share of the pairs that are rated", .1 },
      { "options.noise", "number", "standard deviation", .3 },
      { "options.n_ratings", "integer", "levels", 5 },
      { "options.seed", "integer", "absent: drawn from the default generator" } },
    returns = { { "Ratings", "" } },
    example = small .. "assert(set.n_users == 20 and set.n_items == 9)" },
  { name = "Ratings.triplets", text = "All ratings as three vectors in the set's order: by user, then item.",
    params = {},
    returns = { { "Tensor", "users, int64" }, { "Tensor", "items, int64" }, { "Tensor", "ratings, float32" } },
    example = small .. "local users, items, ratings = set:triplets()\nassert(users.numel == #set)" },
  { name = "Ratings.user", text = "What one user rated.", params = { { "user", "integer", "1..n_users" } },
    returns = { { "Tensor", "items, int64" }, { "Tensor", "ratings, float32" } },
    errors = "a user outside the set",
    example = small .. "local items, ratings = set:user(3)\nassert(items.numel == ratings.numel)" },
  { name = "Ratings.counts", text = "How many ratings each user, or each item, has.",
    params = { { "of", "string", "\"users\" or \"items\"", "users" } },
    returns = { { "Tensor", "int64" } }, example = small .. "assert(set:counts():sum() == #set)" },
  { name = "Ratings.means",
    text = "The mean of all ratings and of each item's: what a model must be better than.",
    params = { { "options.prior", "number", "each item has so many ratings of the mean of all beside its own", 0 } },
    returns = { { "number", "mean of all" }, { "Tensor", "n_items means, float64" } },
    errors = "a set without ratings",
    example = small .. "local all, items = set:means{ prior = 5 }\nassert(items.numel == 9)" },
  { name = "Ratings.split",
    text = "Splits the ratings at random, whoever gave them; users and items keep their numbers.",
    params = { { "options.train", "number", "first result: a fraction (.8) or a number of ratings" },
      { "options.val", "number", "second (validation is the same)" },
      { "options.validation", "number", "see val" }, { "options.test", "number", "last" },
      { "options.seed", "integer", "", 1 } },
    returns = { { "Ratings", "the parts that were asked for, in this order" } },
    errors = "parts of more than the set",
    example = small .. "local a, b = set:split{ train = .8, test = .2 }\nassert(#a + #b == #set)" },
  { name = "RatingRBM",
    text = "A model of ratings (Salakhutdinov, Mnih, Hinton 2007): a softmax visible unit an item, of which a \z
    user has those\nthat they rated; all others are absent. Work is proportional to the ratings. Options marked * \z
    can be assigned later.",
    params = { { "options.n_items", "integer", "how many items" },
      { "options.n_ratings", "integer", "how many levels a rating has: 1 to n_ratings", 5 },
      { "options.levels", "table", "instead: what a rating can be, ascending" },
      { "options.n_hidden", "integer", "hidden units", 100 },
      { "options.conditional", "boolean", "hidden units see which items were rated, too, by weights D \z
        (n_items x n_hidden)", false },
      { "options.steps", "integer", "* k of CD-k", 1 },
      { "options.optimizer", "string", "\"adam\", or \"sgd\" (with momentum)", "adam" },
      { "options.learning_rate", "number", "* >= 0", .005 },
      { "options.decay", "number", "* >= 0: of the weights", .003 },
      { "options.smoothing", "number", "* >= 0: what in an item's weights is not a straight line over its levels \z
        decays so much more", .2 },
      { "options.momentum", "number", "* of sgd, in [0, 1)", 0 },
      { "options.l1", "number", "* >= 0; l1 sign(W) joins the weights' gradient", 0 },
      { "options.clip", "number", "* > 0: the largest norm of the whole gradient; 0: no limit", 0 },
      { "options.max_norm", "number", "* > 0: the largest norm of the weights of a hidden unit; 0: no limit", 0 },
      { "options.beta1", "number", "* of Adam, in [0, 1)", 0.9 },
      { "options.beta2", "number", "* of Adam, in [0, 1)", 0.999 },
      { "options.epsilon", "number", "* of Adam, > 0", 1e-8 },
      { "options.temperature", "number", "* > 0; in training and in inference", 1 },
      { "options.visible_bias", "string", "* \"data\": start at the shares of each item's levels, smoothed by \z
        those of all; \"zero\"", "data" },
      { "options.dtype", "string", "\"float32\" or \"float64\"", "float32" },
      { "options.device", "string", "\"cpu\", \"cuda\", \"cuda:1\"", "cpu" },
      { "options.seed", "integer", "of all its random numbers; absent: drawn from the default generator" } },
    returns = { { "RatingRBM", "W is (n_items n_ratings) x n_hidden, the levels of an item side by side" } },
    errors = "n_items missing; levels that do not ascend; an option of models of rows",
    example = model .. "m:fit(set, { epochs = 2 })" },
  { name = "RatingRBM.fit",
    text = "Trains by contrastive divergence on the users of a set. History: rmse (of the ratings given states \z
    that are drawn from\nthem) and, with validation, val_rmse and val_mae. Options are those of RBM:fit without \z
    weights and class_weights.",
    params = { { "data", "Ratings", "what is known of each user" },
      { "options.validation", "Ratings", "ratings of the same users that data has not" },
      { "options", "table", "and those of RBM:fit; batch_size counts users" } }, like = "RBM.fit",
    returns = { { "number", "rmse of the last epoch; nil, message, code where a checkpoint cannot be read or \z
      written" }, { "number", "val_rmse, or nil" } },
    errors = "a set of other items or levels",
    example = model .. "local train, test = set:split{ train = .8, test = .2 }\nm:fit(train, { epochs = 2, \z
      validation = test })\nprint(m.history.val_rmse[2])" },
  { name = "RatingRBM.predict",
    text = "Expected ratings: the mean of the levels under their probabilities, which are those given the hidden \z
    means given the\nuser's ratings (mean field).",
    params = { user, { "items", "integer, table or Tensor", "which; with a Tensor of users as many" }, given },
    returns = { { "number or Tensor", "expected ratings; a number for one item" },
      { "Tensor", "N x levels probabilities" } },
    errors = "a user or item outside; no ratings of the user",
    example = model .. "m:fit(set, { epochs = 2 })\nprint(m:predict(3, { 1, 5 }))\nprint(m:predict({ [2] = 5, [9] \z
      = 1 }, 4))" },
  { name = "RatingRBM.recommend",
    text = "The items with the highest expected ratings, the best first; of equal ones the lower number.",
    params = { user, { "k", "integer", "how many at most", 10 },
      { "options.exclude_seen", "boolean", "without those that the user has rated", true },
      { "options.items", "Tensor or table", "among these alone; absent: all" }, given },
    returns = { { "Tensor", "items, int64" }, { "Tensor", "their expected ratings" } },
    errors = "see RatingRBM.predict",
    example = model .. "local items, ratings = m:recommend({ [2] = 5 }, 3)\nassert(items.numel == 3)" },
  { name = "RatingRBM.rmse",
    text = "Root of the mean squared difference between a set's ratings and what predict says of them.",
    params = { test, given }, returns = { { "number", "" } }, errors = "sets of other users or items",
    example = model .. "print(m:rmse(set, { given = set }))" },
  { name = "RatingRBM.mae", text = "Mean absolute difference, likewise.", params = { test, given },
    returns = { { "number", "" } }, errors = "see RatingRBM.rmse",
    example = model .. "print(m:mae(set, { given = set }))" },
  { name = "RatingRBM.forward", text = "Hidden means given each user's ratings.",
    params = { { "set", "Ratings", "" } }, returns = { { "Tensor", "n_users x n_hidden" } },
    errors = "a set of other items or levels",
    example = model .. "assert(m:forward(set):size(1) == 20)" },
  { name = "RatingRBM.energy", text = "Free energy of each user's ratings, given which items they rated.",
    params = { { "set", "Ratings", "" } }, returns = { { "Tensor", "n_users values" } },
    errors = "a set of other items or levels",
    example = model .. "assert(m:energy(set).numel == 20)" },
}
