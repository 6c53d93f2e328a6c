--- Data sets: `lrn.data.Dataset`, readers and generators.
local M = {}

local dataset = require "lrn.data.dataset"
M.Dataset = dataset.new
M.is_dataset = dataset.is

--- Is v a set of ratings?
-- @usage assert(not lrn.data.is_ratings(3))
function M.is_ratings(v) return require "lrn.data.ratings".is(v) end

-- Read at first use.
local function images(name)
  return function() return require "lrn.data.images".loader(name) end
end
local lazy = {
  mnist = images "mnist", fashion_mnist = images "fashion_mnist", kmnist = images "kmnist",
  cifar10 = images "cifar10",
  digits = function() return require "lrn.data.digits" end,
  bars_and_stripes = function() return require "lrn.data.synthetic".bars_and_stripes end,
  shifter = function() return require "lrn.data.synthetic".shifter end,
  ising = function() return require "lrn.data.synthetic".ising end,
  ratings = function() return require "lrn.data.ratings".new end,
  movielens = function() return require "lrn.data.movielens" end,
  low_rank_ratings = function() return require "lrn.data.synthetic".low_rank_ratings end,
  transforms = function() return require "lrn.data.transforms" end,
}

local meta = {}

function meta:__index(key)
  local load = lazy[key]
  if not load then return nil end
  local value = load()
  rawset(self, key, value)
  return value
end

function meta:__pairs()
  for key in pairs(lazy) do meta.__index(self, key) end
  return next, self, nil
end

return setmetatable(M, meta)
