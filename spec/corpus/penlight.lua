-- Penlight as a user has it (apt: lua-penlight).
local found, List = pcall(require, "pl.List")
if not found then
  print "no Penlight here"
  return
end
local stringx, tablex, pretty = require "pl.stringx", require "pl.tablex", require "pl.pretty"
local class, OrderedMap, Set = require "pl.class", require "pl.OrderedMap", require "pl.Set"
local seq, func, template = require "pl.seq", require "pl.func", require "pl.template"
local lexer, data, path = require "pl.lexer", require "pl.data", require "pl.path"
local stringio, sip, types = require "pl.stringio", require "pl.sip", require "pl.types"
local l = List { 3, 1, 2 }
print(l:sort(), l:reverse(), l:map(function(x) return x * x end), l:slice(1, 2), List.range(1, 5):filter(function(x) return x % 2 == 1 end))
print(stringx.split("a,b,,c", ","), stringx.strip "  x ", stringx.title "hello world", stringx.center("x", 5, "-"))
print(pretty.write({ 1, 2, { x = "y" } }, ""), pretty.number(123456, "T"))
print(tablex.deepcompare({ 1, { 2 } }, { 1, { 2 } }), tablex.find({ 5, 6 }, 6), tablex.size { a = 1, b = 2 })
class.Animal()
function Animal:_init(name) self.name = name end
function Animal:__tostring() return self.name .. ": " .. self:speak() end
class.Dog(Animal)
function Dog:speak() return "bark" end
local d = Dog "Fido"
print(d, d:is_a(Animal), Dog:class_of(d), Animal:class_of(3))
local m = OrderedMap()
m:set("z", 1) m:set("a", 2)
print(m, m:keys())
print(Set { 1, 2, 3 } * Set { 2, 3, 4 } == Set { 2, 3 }, Set.len(Set { 1, 2 } + Set { 3 }))
print(seq.sum(seq.map(function(x) return x + 1 end, seq.range(1, 4))), seq.copy(seq.range(1, 3)))
print(func.compose(string.upper, string.reverse) "abc")
print(template.substitute("# for i = 1, 2 do\n<$(i)>\n# end\n", { _escape = "#" }))
for t, v in lexer.lua "local x = 'a' .. 3.5 -- end" do io.write(t, ":", v, " ") end
print()
print(data.read(stringio.open "x y\n1 2\n3 4\n"):column_by_name "y")
print(path.basename "/a/b.txt", path.extension "x.tar.gz", path.join("a", "b"), path.normpath "/a/./b/../c")
local r = {}
print(sip.match("$v = $d", "answer = 42", r), r[1], r[2])
print(types.is_callable(print), types.is_integer(3.5), types.to_bool "yes")
print(pcall(List.new, 5))
print(pcall(stringx.split, nil))
