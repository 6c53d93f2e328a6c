-- Bitwise operators.
print(5 & 3, 5 | 3, 5 ~ 3, ~5, 1 << 4, 256 >> 4, -1 >> 60, 1 << 64, 1 << 63, -1 << 1, 1 >> -1, 1 << -1)
print(0xF0 & 0x3C | 1 ~ 2, ~0, ~~7, 3.0 & 1)
print(pcall(function() return "0x10" & 0xff end))
print(pcall(function(s) return s & 0xff end, "0x10"))
local function popcount(x) local n = 0 while x ~= 0 do x = x & (x - 1) n = n + 1 end return n end
print(popcount(255), popcount(-1), popcount(0))
local crc = 0xffffffff
for c in ("123456789"):gmatch "." do
  crc = crc ~ c:byte()
  for _ = 1, 8 do crc = (crc >> 1) ~ (0xedb88320 & -(crc & 1)) end
end
print(("%08x"):format(crc ~ 0xffffffff))
print(pcall(function() return 1 & {} end))
print(pcall(function() local t = { x = 1.5 } return t.x & 1 end))
