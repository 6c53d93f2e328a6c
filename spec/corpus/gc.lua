-- Collection: weak tables, finalizers and their order, resurrection, modes, ephemerons.
local weak = setmetatable({}, { __mode = "v" })
weak[1], weak.x = {}, "strings stay"
collectgarbage()
print(weak[1], weak.x)
local order = {}
for i = 1, 3 do setmetatable({}, { __gc = function() order[#order + 1] = i end }) end
collectgarbage()
print(table.concat(order, " "))
local saved
setmetatable({ v = 5 }, { __gc = function(o) saved = o end })
collectgarbage()
print(saved.v)
local e = setmetatable({}, { __mode = "k" })
do local k = {} e[k] = { k } end
collectgarbage()
print(next(e))
print(collectgarbage "incremental", collectgarbage "generational", collectgarbage "incremental")
print(collectgarbage "isrunning", collectgarbage "stop", collectgarbage "isrunning", collectgarbage "restart")
print(collectgarbage("setpause", 100), type(collectgarbage "count"), collectgarbage "step")
print(pcall(collectgarbage, "nothing"))
warn "@on"
setmetatable({}, { __gc = function() error "in a finalizer" end })
collectgarbage()
warn "@off"
setmetatable({}, { __gc = function() error "silent" end })
collectgarbage()
setmetatable({}, { __gc = true })
collectgarbage()
print "end"
