-- find, match, gmatch, gsub: classes, captures, anchors, frontiers, balance.
print(("key = value"):match "^(%w+)%s*=%s*(%w+)$")
print(("THE (quick) fox"):find("%((%a+)%)"))
print(("THE (quick) fox"):find("(", 1, true), ("abc"):find("b", -1), ("abc"):find("", 10))
print(("hello world"):gsub("o", "0", 1))
print(("hello"):gsub("", "-"))
print(("abc"):gsub("%w", "%0%0"), ("abc"):gsub("%w", { a = 1, c = false }))
print(pcall(string.gsub, "abc", "%w", { b = true }))
print(("$name is $age"):gsub("%$(%w+)", function(k) return ({ name = "Bob", age = 42 })[k] end))
for k, v in ("a=1, b=2, c=3"):gmatch "(%w+)=(%w+)" do io.write(k, v, ";") end
print()
for w in ("one two"):gmatch "()%a+()" do io.write(w, " ") end
print()
print(("THE (quick (brown)) fox"):match "%b()", ("[[x]]"):match "%[(.-)%]")
print(("THE end"):gsub("%f[%a]%a+", string.lower))
print(("x^2"):gsub("%^", "**"), ("a.b"):gsub("%.", "%%"))
print(("  trim  "):match "^%s*(.-)%s*$" .. "|")
print(("2024-01-31"):match "(%d+)-(%d+)-(%d+)")
print(("aaa"):find("a-", 2), ("aaa"):match "a-$", ("\0a\0"):find "%z", ("a\0b"):find "%z")
for _, bad in ipairs { "[a", "%", "(a", "a)", "%1", "%b", "%f", "(" .. ("a?"):rep(3) } do
  print(pcall(string.find, "aaa", bad))
end
print(pcall(string.gsub, "x", "x", "%2"))
print(pcall(string.rep, "x", 1 << 60))
print(pcall(string.gsub, "x", ".", function() return {} end))
