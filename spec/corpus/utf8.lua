-- The utf8 library.
local s = "aé漢😀"
print(#s, utf8.len(s), utf8.char(97, 233, 28450, 128512) == s, utf8.charpattern)
for p, c in utf8.codes(s) do io.write(p, ":", c, " ") end
print()
print(utf8.codepoint(s, 1, -1))
print(utf8.offset(s, 3), utf8.offset(s, -1), utf8.offset(s, 0, 3), utf8.offset(s, 9))
print(utf8.len "\xff", utf8.len("abc\xE4", 1), utf8.len("\u{7FFFFFFF}", 1, -1, true))
print(pcall(utf8.codepoint, "\xff"))
print(pcall(function() for _ in utf8.codes "ab\xff" do end end))
print(pcall(utf8.char, -1))
print(pcall(utf8.len, "abc", 5))
for w in s:gmatch(utf8.charpattern) do io.write(w, "|") end
print()
