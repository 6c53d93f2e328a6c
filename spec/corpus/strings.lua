-- The string library without patterns.
print(("x"):rep(3, ","), ("abc"):reverse(), ("MiXed"):upper(), ("MiXed"):lower(), #"a\0b")
print(("hello"):sub(2, -2), ("hello"):sub(-100, 2), ("hello"):sub(4, 2), ("hello"):sub(0))
print(("hello"):byte(1, -1))
print(string.char(72, 105), string.char(), ("%q"):format("a\n\0b\"\\\200"))
print("a" < "b", "a" < "B", "Z" < "a", "" < "a", "a\0b" < "a\0c", "10" < "9")
print("10" + 5, "0x10" * 2, "3.0" + 1, 10 .. 20, -"2", "7" // "2")
print(pcall(function() return "a" + 1 end))
print(pcall(function() return {} .. "x" end))
print(#[[
first newline skipped]], "\x41\u{48}\65\z
      tail", '\'')
for _, s in ipairs { "1e1", "0x1p4", " 12 ", "1 2", "", "0x", "1e", "nan", "inf", "1_000" } do
  io.write(tostring(tonumber(s)), " ")
end
print()
print(tonumber("zz", 36), tonumber("-ff", 16), tonumber("8", 8), tonumber("1e1", 10), tonumber("7", 8))
print(pcall(tonumber, "1", 99))
print(tostring(nil), tostring(true), tostring(1e15), tostring(1e16), tostring(-0.0), 2^53, 1e100)
