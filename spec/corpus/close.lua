-- To-be-closed variables: order, errors, generic for, break, return, goto.
local function c(name) return setmetatable({}, { __close = function(_, e) print("close", name, e) end }) end
do local a <close>, b = c "a", 1 local d <close> = c "d" print "body" end
local function f() local x <close> = c "x" return "value" end
print(f())
print(pcall(function() local x <close> = c "y" error("oops", 0) end))
print(pcall(function() local x <close> = setmetatable({}, { __close = function(_, e) error("second after " .. tostring(e), 0) end }) error("first", 0) end))
for i = 1, 3 do local x <close> = c(i) if i == 2 then break end end
for k in (function() return next, { one = 1 }, nil, c "for" end)() do print(k) end
for k in (function() return next, { one = 1 }, nil, c "for2" end)() do break end
do local n <close> = nil local m <close> = false end
print(pcall(function() local z <close> = 42 end))
print(pcall(function() local z <close> = {} end))
print(load "local x <close>, y <close> = 1, 2")
print(load "local x <const> = 1; x = 2")
print(load "local x <what> = 1")
local function g() local a <close> = c "tail" return f() end
print(g())
do local i = 0 ::again:: local x <close> = c("goto" .. i) i = i + 1 if i < 2 then goto again end end
