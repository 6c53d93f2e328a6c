--- Data sets: `lrn.data.Dataset`, readers and generators.
local M = {}

local dataset = require "lrn.data.dataset"
M.Dataset = dataset.new
M.is_dataset = dataset.is

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
