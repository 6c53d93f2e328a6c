--- Data sets that are computed: small, exact, and the same everywhere.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"
local ratings = require "lrn.data.ratings"

local M = {}

--- All n x n images of bars or of stripes (D. MacKay 2003, section 43): each row black or white, or
-- each column. 2^(n+1) - 2 different images; label 1 where columns are whole (bars), 2 where rows
-- are (stripes); the empty and the full image, which are both, count as bars.
-- @param n side, 1..10
-- @usage local ds = lrn.data.bars_and_stripes(3); assert(#ds == 14)
function M.bars_and_stripes(n)
  n = check.value("bars_and_stripes", "n", n, { "integer", required = true, min = 1, max = 10 })
  local images, labels = {}, {}
  local function add(pattern, label)
    local image = {}
    for i = 1, n do
      local row = {}
      for j = 1, n do
        local bit = label == 1 and j or i
        row[j] = 255 * (pattern >> (bit - 1) & 1)
      end
      image[i] = row
    end
    images[#images + 1], labels[#labels + 1] = image, label
  end
  for pattern = 0, 2 ^ n - 1 | 0 do add(pattern, 1) end
  for pattern = 1, 2 ^ n - 2 | 0 do add(pattern, 2) end
  return dataset.new(core.tensor(images, { dtype = "uint8" }),
    core.tensor(labels, { dtype = "int64" }), { classes = { "bars", "stripes" },
    name = "bars and stripes" })
end

--- The shifter (G. Hinton, T. Sejnowski 1986): all patterns of n bits, each above itself moved by one
-- to the left (label 1), not at all (2), and by one to the right (3), around the ends. No single pixel,
-- and no pair in one row, says anything about the label.
-- @param n bits, 2..12
-- @return 3 2^n images of 2 x n
-- @usage local ds = lrn.data.shifter(8); assert(#ds == 768)
function M.shifter(n)
  n = check.value("shifter", "n", n, { "integer", required = true, min = 2, max = 12 })
  local i64 = { dtype = "int64" }
  local codes = core.arange(0, (1 << n) - 1, i64):view(-1, 1)
  local bits = codes // core.full({ n }, 2, i64):pow(core.arange(n - 1, 0, -1, i64)) % 2
  local images, labels = {}, {}
  for label, first in ipairs { 2, 1, n } do -- the bit that comes to stand at the left
    local moved = core.cat({ bits:narrow(2, first, n + 1 - first), bits:narrow(2, 1, first - 1) }, 2)
    images[label] = core.stack({ bits, moved }, 2)
    labels[label] = core.full({ 1 << n }, label, i64)
  end
  return dataset.new((core.cat(images, 1) * 255):to "uint8", core.cat(labels, 1),
    { classes = { "left", "none", "right" }, name = "shifter" })
end

--- Independent configurations of the two-dimensional Ising model on a torus: spins that are up (255) or
-- down (0), p = exp(-E / T) / Z, E = - sum of s_i s_j over neighbours. The critical temperature is
-- 2 / log(1 + sqrt(2)) = 2.269: below it most spins are alike, above it only near ones. Each has a chain of
-- its own of cluster updates (Swendsen and Wang 1987), which forgets its start at any temperature.
-- @param options temperature (2.269...); n (1000) configurations; side (16), 2..1024; sweeps (100) of a
-- chain; seed (drawn)
-- @return Dataset of n x side x side, without labels
-- @usage local ds = lrn.data.ising{ temperature = 2, n = 50, side = 8, seed = 1 }; assert(#ds == 50)
function M.ising(options)
  local o = check.options("ising", options, {
    temperature = { "number", 2 / math.log(1 + math.sqrt(2)), min = 1e-6, max = 1e6 },
    n = { "integer", 1000, min = 1, max = 0xffffffff }, side = { "integer", 16, min = 2, max = 1024 },
    sweeps = { "integer", 100, min = 1 }, seed = { "integer" },
  })
  local spins = core.ising(o.n, o.side, o.temperature, o.sweeps, o.seed or core.default_seed())
  return dataset.new(spins:mul_(255), nil, { name = ("Ising, T = %.4g"):format(o.temperature) })
end

local PAIRS = 2 ^ 20 | 0 -- of users and items that are made at once

local low_rank = {
  users = { "integer", required = true, min = 1, max = 10 ^ 7 | 0 },
  items = { "integer", required = true, min = 1, max = 10 ^ 6 | 0 },
  rank = { "integer", 3, min = 1, max = 1000 },
  density = { "number", .1, min = 0, max = 1 },
  noise = { "number", .3, min = 0, max = 1e6 },
  n_ratings = { "integer", 5, min = 2, max = 255 },
  seed = { "integer" },
}

--- Ratings that a low-rank matrix makes: user u rates item i by u . v / sqrt(rank) + the item's own bias +
-- noise, all of it normal, in whole steps about the middle of the levels. Which pairs are rated is drawn
-- with probability `density`.
-- @param options users, items; rank (3); density (.1); noise, its standard deviation (.3); n_ratings, how
-- many levels (5); seed (drawn)
-- @usage local set = lrn.data.low_rank_ratings{ users = 20, items = 30, seed = 1 }; assert(set.n_items ==
-- 30)
function M.low_rank_ratings(options)
  local where = "low_rank_ratings"
  local o = check.options(where, options, low_rank)
  local g = core.generator(o.seed or core.default_seed())
  local V, bias = core.randn(o.items, o.rank, { generator = g }),
    core.randn(1, o.items, { generator = g }) * .5
  local middle, spread = (o.n_ratings + 1) / 2, (o.n_ratings - 1) / 4
  local users, items, values = {}, {}, {}
  local chunk = math.max(1, PAIRS // o.items)
  for first = 1, o.users, chunk do
    local n = math.min(chunk, o.users - first + 1)
    local U = core.randn(n, o.rank, { generator = g })
    local score = core.mm(U, V:t()) / math.sqrt(o.rank) + bias
    score = score + core.randn(n, o.items, { generator = g }) * o.noise
    local rated = core.rand(n, o.items, { generator = g }):lt(o.density)
    local level = (score * spread + middle):round():clamp(1, o.n_ratings)
    local at = rated:nonzero()
    users[#users + 1] = (at:select(2, 1) + (first - 1)):to "int32"
    items[#items + 1] = at:select(2, 2):to "int32"
    values[#values + 1] = level:masked_select(rated):to "uint8"
  end
  return ratings.new { users = core.cat(users, 1), items = core.cat(items, 1),
    ratings = core.cat(values, 1), n_users = o.users, n_items = o.items, n_ratings = o.n_ratings,
    name = "low rank" }
end

return M
