-- A program that reads standard input: counts words.
local counts, n = {}, 0
for line in io.lines() do
  for w in line:gmatch "%a+" do
    w = w:lower()
    counts[w] = (counts[w] or 0) + 1
    n = n + 1
  end
end
local list = {}
for w in pairs(counts) do list[#list + 1] = w end
table.sort(list, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
for i = 1, math.min(3, #list) do print(list[i], counts[list[i]]) end
print(n, io.read "l")
