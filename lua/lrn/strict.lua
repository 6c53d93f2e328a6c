--- Undeclared globals as errors: what `lrn --strict` switches on.
-- Reading or writing a global that does not exist raises at that line. A global is declared by
-- `lrn.strict.declare`, by rawset, or by C code (as by the option -l); one that was declared may be
-- nil.
local check = require "lrn.check"

local M = {}

-- Names of other versions and builds of Lua, which portable modules ask for: reading them is nil.
local elsewhere = {}
for name in ([[setfenv getfenv loadstring unpack module newproxy gcinfo jit bit bit32 ffi
  _PROMPT _PROMPT2]]):gmatch "%S+" do
  elsewhere[name] = true
end

local declared = {}
local ours -- the metatable that is on _G

-- Lua code, or C, which may use any global?
local function from_lua()
  local info = debug.getinfo(3, "S")
  return info ~= nil and info.what ~= "C"
end

local function refuse(name, verb)
  local text = tostring(name)
  local near = type(name) == "string" and check.nearest(text, check.names(_G))
  error(("strict: global '%s' is %s but was never declared%s; make it local, or declare it: \z
    lrn.strict.declare \"%s\""):format(text, verb, near and " (did you mean '" .. near .. "'?)" or
    "", text), 3)
end

--- Makes reading and writing undeclared globals an error.
-- @usage lrn.strict.on(); assert(not pcall(load "return nosuchglobal")); lrn.strict.off()
function M.on()
  if ours and getmetatable(_G) == ours then return end
  if getmetatable(_G) ~= nil then
    check.raise("state", "strict.on: the table of globals has a metatable already")
  end
  ours = {
    __index = function(_, name)
      if declared[name] or elsewhere[name] or not from_lua() then return nil end
      refuse(name, "read")
    end,
    __newindex = function(t, name, value)
      if not declared[name] and from_lua() then refuse(name, "written") end
      declared[name] = true
      rawset(t, name, value)
    end,
  }
  setmetatable(_G, ours)
end

--- Back to Lua's own rules.
function M.off()
  if ours and getmetatable(_G) == ours then setmetatable(_G, nil) end
  ours = nil
end

--- Declares globals; they are nil until they get a value.
-- @usage lrn.strict.declare("verbose", "main")
function M.declare(...)
  for i = 1, select("#", ...) do
    declared[check.value("strict.declare", "name", (select(i, ...)), { "string",
      required = true })] = true
  end
end

return M
