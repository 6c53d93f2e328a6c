--- What the readers of image sets share: where their files lie, and images with labels from IDX.
local core = require "lrn.core"
local dataset = require "lrn.data.dataset"

local M = {}

--- Folders in which data files are looked for, in order.
-- @param root the caller's own, or nil
function M.folders(root)
  local function env(name)
    local value = os.getenv(name)
    return value and value ~= "" and value or nil
  end
  local list = { root, n = 1 }
  if not root then list.n = 0 end
  local function add(path)
    if path then
      list.n = list.n + 1
      list[list.n] = path
    end
  end
  add(env "LRN_DATA")
  local cache = env "XDG_CACHE_HOME"
  local home = env "HOME"
  add(cache and cache .. "/lrn" or home and home .. "/.cache/lrn")
  list.n = nil
  return list
end

--- Paths of a set's files, plain or .gz, in the first folder that has them all: in the folder
-- itself, under the set's name, or in torchvision's tree.
-- @param names list of file names without .gz
-- @return list of paths, or nil and the folders that were searched
function M.find(root, set, tree, names)
  local searched = {}
  for _, base in ipairs(M.folders(root)) do
    for _, below in ipairs { "", "/" .. set, "/" .. tree .. "/raw" } do
      local folder = base:gsub("(.)/+$", "%1") .. below
      searched[#searched + 1] = folder
      local paths = {}
      for i, name in ipairs(names) do
        for _, suffix in ipairs { "", ".gz" } do
          if not paths[i] and core.exists(folder .. "/" .. name .. suffix) then
            paths[i] = folder .. "/" .. name .. suffix
          end
        end
      end
      if #paths == #names then return paths end
    end
  end
  return nil, searched
end

--- A data set from a tensor of images (N x h x w) and one of labels counted from 0.
-- @return the data set, or nil, message, code
function M.labelled(images, labels, classes, name, where)
  if images.ndim ~= 3 or images.dtype ~= "uint8" then
    return nil, ("%s: got %s images of %d dimensions, expected uint8 of 3"):format(where,
      images.dtype, images.ndim), "EFORMAT"
  end
  if labels.ndim ~= 1 or labels:size(1) ~= images:size(1) then
    return nil, ("%s: got %d labels for %d images"):format(where, labels.numel, images:size(1)),
      "EFORMAT"
  end
  labels = labels:to "int64"
  if labels.numel > 0 and (labels:min() < 0 or labels:max() >= #classes) then
    return nil, ("%s: got labels from %d to %d, expected 0..%d"):format(where, labels:min(),
      labels:max(), #classes - 1), "EFORMAT"
  end
  return dataset.new(images, labels + 1, { classes = classes, name = name })
end

return M
