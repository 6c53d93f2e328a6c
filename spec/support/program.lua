-- Runs the program lrn as a user would: for the specs of its command line, prompt and Ctrl-C.
-- The binary is the one that runs the spec, or the one named by LRN_BIN.
local M = {}

local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  local name = os.getenv "LRN_BIN" or arg[lowest]
  return name:find "^/" and name or os.getenv "PWD" .. "/" .. name
end

M.path = interpreter()
M.folder = M.path:match "^(.*)/"

function M.quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local files = {}

-- A temporary file with that text: its name. `clean` removes all of them.
function M.file(text, mode)
  local name = os.tmpname()
  files[#files + 1] = name
  local f = assert(io.open(name, mode or "w"))
  f:write(text)
  f:close()
  return name
end

function M.forget_later(name) files[#files + 1] = name end

function M.clean()
  for _, name in ipairs(files) do os.remove(name) end
  files = {}
end

-- Runs a shell command line in which LRN stands for the binary; what it printed on standard
-- output, what on standard error, and its exit code.
function M.sh(command, input)
  local err = M.file ""
  command = command:gsub("%f[%w_]LRN%f[^%w_]", function() return M.quote(M.path) end)
  local p = assert(io.popen(("{ %s\n} < %s 2> %s"):format(command,
    input and M.file(input) or "/dev/null", err)))
  local out = p:read "a"
  local _, _, code = p:close()
  local f = assert(io.open(err))
  local message = f:read "a"
  f:close()
  return out, message, code
end

function M.has(text, part)
  assert(text:find(part, 1, true), ("%q not in %q"):format(part, text))
end

return M
