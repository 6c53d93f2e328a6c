-- debug: info, hooks, locals, upvalues, traceback.
local function f(a, b, ...) local c = 3 local info = debug.getinfo(1, "nSlutf") return info end
local i = f(1, 2, 3)
print(i.name, i.namewhat, i.what, i.short_src:match "[^/]*$", i.currentline, i.linedefined, i.lastlinedefined, i.nups, i.nparams, i.isvararg, i.istailcall, i.func == f)
print(debug.getinfo(print).what, debug.getinfo(print).short_src, debug.getinfo(1000), pcall(debug.getinfo, 1, ">"))
local function g() local one, two = 1, "two" local n, v = debug.getlocal(1, 2) debug.setlocal(1, 1, 10) return n, v, one end
print(g())
local up = 1
local function h() return up end
print(debug.getupvalue(h, 1), debug.setupvalue(h, 1, 5), up, debug.upvalueid(h, 1) ~= nil)
local lines, count = {}, 0
debug.sethook(function(e, l) lines[#lines + 1] = l end, "l")
local q = 1
q = q + 1
debug.sethook()
print(#lines >= 2, debug.gethook())
debug.sethook(function() count = count + 1 end, "", 100)
for _ = 1, 10000 do end
debug.sethook()
print(count > 10)
local events = {}
debug.sethook(function(e) events[#events + 1] = e end, "cr")
math.abs(1)
debug.sethook()
print(table.concat(events, " "))
print((debug.traceback("message", 1):gsub("\n.*", "")), debug.traceback({}) ~= nil, debug.traceback(nil))
print(debug.getmetatable("").__index == string, debug.getregistry ~= nil)
print(pcall(debug.setuservalue, {}), debug.getuservalue(1))
debug.setmetatable(0, { __index = { double = function(n) return n * 2 end } })
print((5):double())
debug.setmetatable(0, nil)
local co = coroutine.create(function(x) local y = x coroutine.yield() end)
coroutine.resume(co, 8)
print(debug.getlocal(co, 1, 1), (debug.traceback(co):gsub("[^\n]*/", "")))
