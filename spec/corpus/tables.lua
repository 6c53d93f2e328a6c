-- The table library, length, next.
local t = { 10, 20, 30, nil }
table.insert(t, 40) table.insert(t, 1, 5)
print(#t, table.concat(t, ","), table.remove(t), table.remove(t, 1), table.concat(t, ","))
print(table.remove {}, table.remove({}, 0), #{ n = 1 }, #{ 1, 2, nil, 4 } >= 2)
print(table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2 }, 1, 4))
print(table.pack(nil, 2, nil).n, select("#", nil, nil), select(-1, 1, 2, 3))
print(table.concat(table.move({ 1, 2, 3, 4, 5 }, 2, 5, 1), " "), table.concat(table.move({ 1, 2, 3 }, 1, 3, 3), " "))
print(table.concat({ 1, 2.5, "x" }, "-", 2, 3), table.concat({}, "x"))
print(pcall(table.concat, { 1, {}, 3 }))
print(pcall(table.insert, { 1, 2, 3 }, 6, 1))
print(pcall(table.insert, {}, 1, 2, 3))
print(pcall(table.unpack, {}, 1, 1e7))
print(pcall(next, {}, "nokey"))
print(pcall(function() local t = {} t[nil] = 1 end))
print(pcall(function() local t = {} t[0 / 0] = 1 end))
print(pcall(rawset, {}, nil, 1))
local keys = {}
for k in pairs { x = 1, y = 2, 3, [4.0] = 5, [2 ^ 53] = 6 } do keys[#keys + 1] = tostring(k) end
table.sort(keys)
print(table.concat(keys, " "))
local a = setmetatable({}, { __index = function(_, i) if i <= 3 then return i * i end end,
  __len = function() return 3 end })
print(#a, table.concat(a, ","), table.unpack(a))
for i, v in ipairs(a) do io.write(i, "=", v, " ") end
print(rawlen(a), rawequal(a, a), rawget(a, 1))
print(next {}, type(next), next { 7 })
