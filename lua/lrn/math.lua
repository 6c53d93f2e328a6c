--- Small functions on tensors.
local check = require "lrn.check"

local M = {}

--- Values moved and scaled to 0..1, as floats: (t - min) / (max - min + 1e-10); a constant gives 0.
-- @usage local t = lrn.math.unitary_scale(lrn.tensor{ 1, 2, 3, 4, 5 });
-- assert(math.abs(t[2] - .25) < 1e-6)
function M.unitary_scale(t)
  if not check.is_tensor(t) then
    check.raise("type", "unitary_scale: t: got %s, expected a tensor", check.show(t))
  end
  if t.dtype ~= "float64" then t = t:to "float32" end
  if t.numel == 0 then return t:clone() end
  local shifted = t - t:min()
  return shifted / (shifted:max() + 1e-10)
end

return M
