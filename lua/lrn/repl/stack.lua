--- Levels of the stack, also of one that overflowed: asking for a level costs its depth, so that
-- they are not all walked.
local getinfo, max = debug.getinfo, math.max

local M = {}

-- The deepest level, as seen by the caller's caller.
local function last()
  local low, high = 1, 64
  while getinfo(high + 2, "l") do low, high = high, 2 * high end
  while low + 1 < high do
    local middle = (low + high) // 2
    if getinfo(middle + 2, "l") then low = middle else high = middle end
  end
  return low
end

--- The level of a call of f among the 100 deepest, as the caller's debug.getinfo counts, or nil;
-- and the deepest level.
function M.find(f)
  local deepest = last()
  for level = deepest, max(1, deepest - 100), -1 do
    if getinfo(level + 1, "f").func == f then return level, deepest end
  end
  return nil, deepest
end

return M
