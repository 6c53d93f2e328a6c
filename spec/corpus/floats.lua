-- Floats as text, math functions, comparisons with NaN.
for _, x in ipairs { 0.1, 1 / 3, 1e21, 1e-7, 123456789.123, 5e-324, 1.7976931348623157e308, 100.0, -0.0, 3.14159265358979 } do
  io.write(tostring(x), " ", ("%.17g"):format(x), "\n")
end
local nan = 0 / 0
print(nan == nan, nan < 1, nan > 1, not (nan <= 1), math.huge > 1e308, -math.huge)
print(math.sqrt(2), math.sin(1), math.cos(1), math.exp(1), math.log(10), math.log(8, 2), math.log(1000, 10), math.pi)
print(math.atan(1, 1), math.atan(-1, -1), math.asin(1), math.acos(0), math.tan(0.5), math.deg(math.pi), math.rad(180))
print(0x.8p1, 0xA.8, 1e2, .5, 3., 0x1p-2)
print(2 ^ 0.5, 10 // 3.0, 10.5 % 3, -2 ^ 2, 2 ^ 3 ^ 2)
math.randomseed(42)
local a = { math.random(), math.random(10), math.random(5, 6), math.random(0) }
math.randomseed(42)
print(a[1] == math.random(), a[2] == math.random(10), a[3] == math.random(5, 6), a[4] == math.random(0))
print(a[1], a[2], a[3], a[4])
print(pcall(math.random, 0, -1))
print(pcall(math.floor, "x"))
