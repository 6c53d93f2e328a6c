-- An uncaught error ends the program with a traceback and code 1.
local M = {}
function M.field(x) error("deep " .. x) end
local function by_local(f) f "down" end
function Global(n) if n > 0 then return Global(n - 1) end by_local(M.field) end
local t = setmetatable({}, { __index = function(_, k) Global(2) return k end })
print "before"
io.stdout:write "no newline"
local co = coroutine.wrap(function() return t.key end)
local ok, e = pcall(co)
print(ok, e)
table.sort({ 3, 2, 1 }, function(a, b) local _ = t.key return a < b end)
print "never"
