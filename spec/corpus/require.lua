-- package and require: preload, searchers, path, loaders' second value, errors.
package.preload.made = function(...) print("loading", ...) return { v = 1 } end
print(require "made".v, select(2, require "made"), package.loaded.made.v)
package.preload.none = function() end
print(require "none", package.loaded.none)
package.preload.no = function() return false end
print(require "no", require "no")
package.preload.bad = function() error "while loading" end
print(pcall(require, "bad"))
local dir = os.tmpname()
os.remove(dir)
os.execute("mkdir " .. dir)
local f = io.open(dir .. "/mod.lua", "w") f:write "local name, file = ... return { name = name, file = file:match '[^/]*$' }" f:close()
f = io.open(dir .. "/wrong.lua", "w") f:write "x = = 1" f:close()
os.execute("mkdir " .. dir .. "/sub")
f = io.open(dir .. "/sub/init.lua", "w") f:write "return 'sub'" f:close()
package.path = dir .. "/?.lua;" .. dir .. "/?/init.lua"
package.cpath = ""
print(require "mod".name, require "mod".file)
local sub, where = require "sub"
print(sub, where:match "[^/]*/[^/]*$", select("#", require "sub"))
print((select(2, pcall(require, "wrong")):gsub(dir, "DIR")))
print((select(2, pcall(require, "a.b")):gsub(dir, "DIR")))
print((package.searchpath("mod", package.path):gsub(dir, "DIR")))
print((select(2, package.searchpath("x.y", package.path)):gsub(dir, "DIR")))
print(#package.searchers, package.config:sub(1, 1), type(package.loadlib))
print(package.loadlib("/nowhere/x.so", "luaopen_x"))
package.path = nil
print(pcall(require, "zzz"))
package.path = ""
package.searchers = nil
print(pcall(require, "zzz"))
os.execute("rm -r " .. dir)
