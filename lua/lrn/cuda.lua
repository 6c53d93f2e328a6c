--- CUDA devices.
local core = require "lrn.core"

local M = {}

--- Can models and tensors live on a CUDA device here?
-- @return true; or false and why not
-- @usage local yes, why = lrn.cuda.available(); print(yes or why)
function M.available()
  return core.cuda_available()
end

return M
