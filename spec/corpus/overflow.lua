-- The Lua stack overflows: caught, and not.
local function deep(n) return 1 + deep(n + 1) end
local ok, m = pcall(deep, 1)
print(ok, (m:gsub("\n.*", "")))
local s = ("("):rep(190) .. "1" .. (")"):rep(190)
print(load("return " .. s)())
print((select(2, load("return " .. ("("):rep(300) .. "1" .. (")"):rep(300)))))
print((select(2, load(("do "):rep(300) .. ("end "):rep(300)))))
local t = setmetatable({}, {})
getmetatable(t).__index = function(_, k) return t[k] end
print((select(2, pcall(function() return t.x end)):gsub("\n.*", "")))
local co = coroutine.wrap(function() return pcall(deep, 1) end)
print((select(2, co()):gsub("\n.*", "")))
local function nest(n) return coroutine.wrap(function() return n == 0 and "bottom" or nest(n - 1)() end) end
print(nest(50)())
print(pcall(nest(250)))
deep(1)
