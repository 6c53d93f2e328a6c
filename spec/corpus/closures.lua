-- Upvalues, loops, recursion, varargs.
local fs = {}
for i = 1, 3 do
  local n = 0
  fs[i] = function() n = n + i return n end
end
print(fs[1](), fs[1](), fs[2](), fs[3](), fs[2]())
local function counter()
  local c = 0
  return function() c = c + 1 return c end, function() return c end
end
local inc, get = counter()
inc() inc()
print(get())
local function sum(...)
  local s = 0
  for _, v in ipairs { ... } do s = s + v end
  return s, select("#", ...)
end
print(sum(), sum(1, 2, 3), (sum(4, 5)))
local function tail(n) if n == 0 then return "done" end return tail(n - 1) end
print(tail(100000))
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(22))
print((function(...) return ... end)(1, nil, 3))
local t = { (function() return 1, 2 end)(), (function() return 1, 2 end)() }
print(#t, t[1], t[2], t[3])
print(pcall(select, 0))
local function f(a, b, ...) local x <const> = a return x, b, ... end
print(f(1), f(1, 2, 3, 4))
do local x = 1 do local x = x + 1 print(x) end print(x) end
for i = 3, 1, -1 do io.write(i, " ") end
for i = 1, 0 do io.write "never" end
for i = 1.0, 2, 0.5 do io.write(i, " ") end
for i = math.maxinteger - 1, math.maxinteger do io.write(i, " ") end
print()
print(pcall(function() for i = 1, 10, 0 do end end))
print(pcall(function() for i = "a", 2 do end end))
