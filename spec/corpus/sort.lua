-- table.sort with and without a comparison, and an invalid one.
local t = {}
local x = 7
for i = 1, 200 do x = x * 1103515245 + 12345 & 0x7fffffff t[i] = x % 1000 end
table.sort(t)
for i = 2, #t do assert(t[i - 1] <= t[i]) end
print(t[1], t[100], t[200])
table.sort(t, function(a, b) return a > b end)
print(t[1], t[100], t[200])
local words = { "pear", "Apple", "fig", "apple", "Fig" }
table.sort(words)
print(table.concat(words, " "))
table.sort(words, function(a, b) return a:lower() < b:lower() or a:lower() == b:lower() and a < b end)
print(table.concat(words, " "))
print(pcall(table.sort, { 1, "x", 2 }))
print(pcall(table.sort, { 3, 1, 2, 5, 4, 9, 8, 7, 6, 0 }, function() return true end))
print(pcall(table.sort, { 1, 2, 3 }, function() error("in compare", 0) end))
print(pcall(table.sort, setmetatable({}, { __len = function() return math.maxinteger end })))
