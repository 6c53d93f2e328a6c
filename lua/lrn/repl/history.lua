--- The file in which the prompt keeps its inputs.
-- One input after the other; its second and later lines begin with a tab.
local check = require "lrn.check"

local io, os = io, os

local M = {}

M.LIMIT = 1 << 20 -- bytes; src/program/files.c halves a file that is longer

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- The file: $LRN_HISTORY, else lrn/history in $XDG_STATE_HOME or ~/.local/state. nil: none, where
-- LRN_HISTORY is "none" or there is no home.
function M.path()
  local path = variable "LRN_HISTORY"
  if path then return path ~= "none" and path or nil end
  local state, home = variable "XDG_STATE_HOME", variable "HOME"
  if state and state:sub(1, 1) == "/" then return state .. "/lrn/history" end
  return home and home .. "/.local/state/lrn/history" or nil
end

--- An input as it stands in the file; nil for one that is only space.
function M.encode(input)
  input = input:gsub("^%s+", ""):gsub("%s+$", "")
  if input == "" or input:find "%z" then return nil end
  return input:gsub("\r?\n", "\n\t") .. "\n"
end

--- The inputs of a text in that form, the oldest first, without one that equals the one before.
function M.decode(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do
    if line:sub(1, 1) == "\t" and #list > 0 then
      list[#list] = list[#list] .. "\n" .. line:sub(2)
    elseif line ~= "" then
      if #list > 1 and list[#list] == list[#list - 1] then list[#list] = nil end
      list[#list + 1] = line
    end
  end
  if #list > 1 and list[#list] == list[#list - 1] then list[#list] = nil end
  return list
end

--- The inputs of a file; none where it cannot be read.
function M.load(path)
  check.value("repl.history", "path", path, { "string", required = true })
  local file = io.open(path, "rb")
  if not file then return {} end
  local text = file:read "a"
  file:close()
  return M.decode(text or "")
end

return M
