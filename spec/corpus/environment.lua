-- _ENV and globals.
x = 1
local function f() local _ENV <const> = { print = print, x = 2 } print(x) y = 3 return _ENV.y end
print(f(), y, x, _ENV == _G, _G._G == _G)
local function sandbox(code, env) return load(code, "=box", "t", env) end
print(pcall(sandbox("a = 5 return a", {})), a)
print(pcall(sandbox("return print", {})))
print(pcall(function() local _ENV = nil return x end))
setmetatable(_G, { __index = function(_, k) return "undefined " .. k end, __newindex = function(t, k, v) rawset(t, k, v * 2) end })
print(nosuch) z = 21 print(z)
local names = {}
for k in pairs(_G) do names[#names + 1] = k end
table.sort(names)
print(#names > 20, _VERSION)
