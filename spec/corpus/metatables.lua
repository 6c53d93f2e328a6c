-- Metamethods.
local V = {}
V.__index = V
local function vec(x, y) return setmetatable({ x = x, y = y }, V) end
function V.__add(a, b) return vec(a.x + b.x, a.y + b.y) end
function V.__mul(a, b)
  if type(a) == "number" then return vec(a * b.x, a * b.y) end
  return type(b) == "number" and vec(a.x * b, a.y * b) or a.x * b.x + a.y * b.y
end
function V.__unm(a) return vec(-a.x, -a.y) end
function V.__eq(a, b) return a.x == b.x and a.y == b.y end
function V.__lt(a, b) return a.x < b.x end
function V.__le(a, b) return a.x <= b.x end
function V.__len() return 2 end
function V.__tostring(a) return ("(%g, %g)"):format(a.x, a.y) end
function V.__concat(a, b) return tostring(a) .. tostring(b) end
function V.__call(a, k) return a[k] end
function V.__idiv() return "idiv" end
function V.__mod() return "mod" end
function V.__band() return "band" end
function V.__shl() return "shl" end
function V.__bnot() return "bnot" end
V.__name = "vec"
local a, b = vec(1, 2), vec(3, 4)
print(tostring(a + b), tostring(2 * a), a * b, tostring(-a), a == vec(1, 2), a ~= b, a < b, a >= b)
print(#a, a .. b, a .. "!", a "y", a // 1, a % 1, a & 1, 1 << a, ~a)
print(pcall(function() return a - b end))
print(pcall(function() return a < 1 end))
print(pcall(function() return 1 | a end))
local log = {}
local proxy = setmetatable({}, {
  __index = function(_, k) log[#log + 1] = "get " .. k return k end,
  __newindex = function(t, k, v) log[#log + 1] = "set " .. k rawset(t, k, v) end,
  __pairs = function() return function(_, k) if not k then return 1, "one" end end, nil, nil end,
  __metatable = "locked" })
proxy.x = proxy.y
proxy.x = proxy.x
print(table.concat(log, "; "), getmetatable(proxy), pcall(setmetatable, proxy, {}))
for k, v in pairs(proxy) do print(k, v) end
print(getmetatable "".__index == string, getmetatable(print))
local chain = setmetatable({}, { __index = setmetatable({ mid = 1 }, { __index = { base = 2 } }) })
print(chain.mid, chain.base, chain.none)
print(pcall(function() local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x end))
print(pcall(setmetatable, 1, {}), pcall(setmetatable, {}, 1))
