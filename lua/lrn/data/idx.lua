--- Images with labels, and sets of them in four IDX files.
local core = require "lrn.core"
local dataset = require "lrn.data.dataset"

local M = {}

--- A data set from a tensor of images (N x h x w, or N x channels x h x w) and one of labels
-- counted from 0.
-- @return the data set, or nil, message, code
function M.labelled(images, labels, classes, name, where)
  if images.ndim ~= 3 and images.ndim ~= 4 or images.dtype ~= "uint8" then
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

--- Images and labels of training and test.
-- @param paths of the four files: images and labels of training, of test
-- @return { images, labels, where } twice; or nil, message, code
function M.read(_, paths)
  local tensors = {}
  for i, path in ipairs(paths) do
    local t, message, code = core.idx_load(path)
    if not t then return nil, message, code end
    tensors[i] = t
  end
  return { tensors[1], tensors[2], paths[2] }, { tensors[3], tensors[4], paths[4] }
end

return M
