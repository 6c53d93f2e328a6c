--- MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 digits of 28 x 28, from its four IDX files.
local core = require "lrn.core"
local check = require "lrn.check"
local idx = require "lrn.data.idx"

local names = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte" }

local function classes()
  local list = {}
  for i = 1, 10 do list[i] = tostring(i - 1) end
  return list
end

--- The training and the test set. The files, plain or .gz, are looked for in root, `$LRN_DATA` and
-- `$XDG_CACHE_HOME/lrn` (`~/.cache/lrn`): directly, in `mnist/` and in `MNIST/raw/`. Labels are
-- 1..10, classes "0".."9"; images stay uint8.
-- @param options root: a folder to look in first; download: accepted, but nothing is fetched
-- @return train, test; or nil, message, code
-- @usage local train, message = lrn.data.mnist(); print(train or message)
local function mnist(options)
  local o = check.options("mnist", options,
    { root = { "string" }, download = { "boolean", false } })
  local paths, searched = idx.find(o.root, "mnist", "MNIST", names)
  if not paths then
    return nil,
      ("mnist: no folder has all of %s (plain or .gz); looked in %s. Put the four files into one \z
      of "
      .. "these, or name their folder by root or LRN_DATA%s"):format(table.concat(names, ", "),
      table.concat(searched, ", "), o.download and "; this version of lrn downloads nothing" or ""),
        "ENOENT"
  end
  local tensors = {}
  for i, path in ipairs(paths) do
    local t, message, code = core.idx_load(path)
    if not t then return nil, message, code end
    tensors[i] = t
  end
  local train, message, code = idx.labelled(tensors[1], tensors[2], classes(), "mnist train",
    "mnist: " .. paths[2])
  if not train then return nil, message, code end
  local test
  test, message, code = idx.labelled(tensors[3], tensors[4], classes(), "mnist test", "mnist: " ..
    paths[4])
  if not test then return nil, message, code end
  return train, test
end

return mnist
