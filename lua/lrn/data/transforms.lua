--- Functions from a batch to a batch, for a data set's transform or for `map`.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}

--- float32 values times factor (1/255).
-- @usage local f = lrn.data.transforms.scale(1 / 255); assert(f(lrn.ones(1, 1)):max() < 1)
function M.scale(factor)
  factor = check.value("scale", "factor", factor, { "number", 1 / 255 })
  return function(x) return x:to "float32" * factor end
end

--- 1 where a value reaches the threshold (0.5), else 0, as float32; uint8 counts as value / 255.
-- @usage local f = lrn.data.transforms.binarize(); assert(f(lrn.ones(1, 1)):sum() == 1)
function M.binarize(threshold)
  threshold = check.value("binarize", "threshold", threshold, { "number", 0.5 })
  return function(x)
    local limit = x.dtype == "uint8" and threshold * 255 or threshold
    return x:to "float32":ge(limit):to "float32"
  end
end

--- Labels 1..n as rows of n values, 1 at the label.
-- @usage local y = lrn.data.transforms.onehot(3)(lrn.tensor({ 2 }, { dtype = "int64" }))
function M.onehot(n)
  n = check.value("onehot", "n", n, { "integer", required = true, min = 1 })
  return function(labels) return core.eye(n):index_select(1, labels) end
end

--- One after the other.
-- @usage local f = lrn.data.transforms.compose(lrn.data.transforms.scale(),
-- lrn.data.transforms.binarize())
function M.compose(...)
  local list = table.pack(...)
  for i = 1, list.n do check.value("compose", "function " .. i, list[i],
    { "callable", required = true }) end
  return function(x)
    for i = 1, list.n do x = list[i](x) end
    return x
  end
end

return M
