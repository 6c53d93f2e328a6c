--- Colours of the prompt.
local os = os

local M = {}

local codes = { prompt = "1;34", error = "31", string = "32", number = "36", constant = "35",
  dim = "2" }

--- Is colour wanted? LRN_COLOR=always and never say so; else where the output is a terminal that
-- knows colours and NO_COLOR is unset or empty.
-- @param terminal is the output one?
function M.wanted(terminal)
  local own, no, term = os.getenv "LRN_COLOR", os.getenv "NO_COLOR", os.getenv "TERM"
  if own == "always" then return true end
  if own == "never" or not terminal then return false end
  return (no == nil or no == "") and term ~= nil and term ~= "" and term ~= "dumb"
end

--- A text in the colour of its kind.
function M.paint(kind, text)
  local code = codes[kind]
  return code and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

--- The text as it is.
function M.plain(_, text)
  return text
end

return M
