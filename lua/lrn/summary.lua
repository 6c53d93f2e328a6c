--- A model in a few lines, for tostring.
local check = require "lrn.check"

local M = {}

local function thousands(n)
  local text = tostring(n)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

--- Shapes, how many numbers, settings, and how far training is.
-- @param head what it is
-- @param parameters table from name to tensor
-- @param settings list of { name, value }
-- @param state with epoch and step
function M.text(head, parameters, settings, state)
  local parts, total, shown = {}, 0, {}
  for _, name in ipairs(check.names(parameters)) do
    parts[#parts + 1] = name .. " " .. check.shape(parameters[name])
    total = total + parameters[name].numel
  end
  for i, setting in ipairs(settings) do
    local value = setting[2]
    shown[i] = setting[1] .. " = " .. (math.type(value) == "float" and ("%.7g"):format(value) or
      tostring(value))
  end
  return ("%s\n  %s: %s parameters\n  %s\n  trained for %d epochs, %d steps"):format(head,
    table.concat(parts, "  "), thousands(total), table.concat(shown, "  "), state.epoch, state.step)
end

return M
