-- Calls everything that lrn exports, and the private functions of lrn.core, with wrong and wild
-- arguments. Run by spec/fuzz_spec.lua in a process and a folder of its own:
--
--     lrn fuzz.lua SEED CALLS [FIRST [LAST]]
--
-- A call depends on SEED and its number alone, so FIRST (and LAST) repeat a part of a run. Before
-- each call its number and text go to the file `last`, which tells what crashed; `report` gets a
-- line for each thing that is wrong, and at the end the number of calls.
local lrn = require "lrn"
local core = require "lrn.core"

local seed, calls = tonumber(arg[1]), tonumber(arg[2])
local first, last = tonumber(arg[3] or 1), tonumber(arg[4]) or math.huge
local verbose = arg[3] ~= nil

-- What the calls may not reach or change: the process, and what this file needs itself.
local clock, stderr = os.clock, io.stderr
local memory_fail, collector = core.memory_fail, core.collector
local pcall, type, tostring, unpack = pcall, type, tostring, table.unpack
local format, concat = string.format, table.concat
os.exit = function() error("evil: exit", 0) end -- luacheck: ignore
print = function() end -- luacheck: ignore

-- {=== Random numbers: splitmix64 of (seed, call) ===

local state = 0
local function bits()
  state = state + 0x9E3779B97F4A7C15
  local z = state
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31)
end
local function below(n) return (bits() >> 1) % n end
local function one_of(list) return list[below(#list) + 1] end
local function chance(percent) return below(100) < percent end

-- ===}

-- {=== Values; `text` tells what was made ===

local text -- pieces of the text of the call
local function say(s) text[#text + 1] = s end

local long = ("x"):rep(70000)
local evil = function() error("evil", 0) end

local plain = {
  "nil", "true", "false", "0", "1", "2", "3", "4", "5", "-1", "-2", "7", "100", "2^31|0", "2^40|0",
  "2^53|0", "math.maxinteger", "math.mininteger", "2^63", "0.0", "-0.0", "0.5", "-1.5", "2.0",
  "1e-320",
  "1e308", "1/0", "-1/0", "0/0", '""', '"x"', '"float32"', '"int64"', '"bool"', '"cpu"', '"emul"',
  '"cuda:99"', '"1:2, :"', '"::-1"', '"a\\0b"', '"\\xff\\xfe"', '"%s%n%99999d"', '"file"',
  '"sub/file.png"', '"dir"', '"nan"', '"2"', '"\\n"', '"W"', '"dtype"', '"train"', '"gray"',
  '"none"', '"data"', '"a.svg"', '"a.pdf"', '"lrn.zeros"', '"RBM.fit"',
}
local plain_value = {}
for i, code in ipairs(plain) do plain_value[i] = load("return " .. code)() end
local small = { 0, 1, 1, 2, 2, 3, 3, 4, -1, -2 }

local value, options_for -- below

local shapes = { {}, { 0 }, { 1 }, { 4 }, { 3, 4 }, { 2, 3, 2 }, { 1, 1, 1, 1, 1, 1, 1, 1 },
  { 0, 3 }, { 5, 0 }, { 4, 4 }, { 6, 64 }, { 8, 8 } }
local dtypes = { "float32", "float64", "int64", "int32", "uint8", "bool" }
local views = {
  function(t) return t end, function(t) return t.ndim == 2 and t:t() or t end,
  function(t) return t.ndim < 8 and t:unsqueeze(1) or t end,
  function(t) return t.ndim > 0 and t:flip(1) or t end,
  function(t) return t.ndim == 1 and t:unsqueeze(1):expand(3, #t) or t end,
  function(t) return t.ndim > 0 and #t > 1 and t[{ { 2, -1 } }] or t end,
}
local devices = lrn.devices()

local function tensor()
  local shape, dtype = one_of(shapes), one_of(dtypes)
  local device = chance(10) and one_of(devices) or "cpu"
  say(format("T%s%s", dtype, "[" .. concat(shape, " ") .. "]"))
  local t = lrn.ones(shape, { dtype = dtype, device = device })
  if dtype == "float32" and chance(40) then t = lrn.rand(shape) end
  if dtype == "float32" and t.numel > 0 and chance(10) then
    t:reshape(-1):set(1, one_of { 0 / 0, 1 / 0, -1 / 0 })
  end
  t = one_of(views)(t)
  if chance(5) then
    t:close()
    say ":closed"
  end
  return t
end

local function rbm()
  say "model"
  local m = (chance(30) and lrn.VarianceGaussianRBM or lrn.RBM) { n_visible = 4, n_hidden = 3,
    seed = 1, persistent = below(2) * 2 }
  if chance(3) then m._core:close() end
  return m
end

local function dbm()
  say "deep model"
  local m = lrn.DBM { n_visible = 4, n_hidden = { 3, 2 }, seed = 1, persistent = below(2) * 2 }
  if chance(3) then m._core:close() end
  return m
end

local function inner_core()
  local c = core.rbm_new { n_visible = 4, n_hidden = 3, seed = 1 }
  say "core"
  if chance(5) then c:close() end
  return c
end

local function file()
  say "container"
  local f = core.file_new()
  if chance(50) then f:put("t", lrn.ones(2)):meta("k", "v") end
  if chance(5) then f:close() end
  return f
end

-- Objects by the name of their class, as lrn.help or the metatable has it.
local make = {
  Tensor = tensor, ["lrn.Tensor"] = tensor, RBM = rbm, ["lrn.Core"] = inner_core,
  DBM = dbm, ["lrn.DeepCore"] = function()
    say "deep core"
    local c = core.dbm_new({ n_visible = 4, seed = 1 }, { 3, 2 })
    if chance(5) then c:close() end
    return c
  end,
  ["lrn.File"] = file,
  Model = function()
    say "own model"
    return lrn.Model { name = "Fuzzed", seed = 1,
      parameters = { W = lrn.ones(4, 3), b = lrn.ones(3) },
      step = function(self) return { loss = self.W:norm() }, { W = self.W } end }
  end,
  Optimizer = function()
    say "optimizer"
    return lrn.optim[one_of { "sgd", "adam" }] { W = lrn.ones(4), b = lrn.ones(3) }
  end,
  Generator = function() say "generator" return lrn.generator(1) end,
  Dataset = function()
    say "dataset"
    local d = lrn.data.Dataset(lrn.rand(5, 4), chance(50) and lrn.tensor { 1, 2, 1, 2, 1 } or nil)
    return chance(30) and d:subset { 2, 1, -1 } or d
  end,
  Ratings = function()
    say "ratings"
    return lrn.data.ratings { users = { 1, 2, 2 }, items = { 3, 1, 4 }, ratings = { 5, 1, 3 }, n_items = 4 }
  end,
  RatingRBM = function()
    say "rating model"
    local m = lrn.RatingRBM { n_items = 4, n_hidden = 3, seed = 1 }
    if chance(50) then m:fit(lrn.data.ratings { users = { 1 }, items = { 4 }, ratings = { 5 } }, { epochs = 1 }) end
    if chance(3) then m._core:close() end
    return m
  end,
  History = function() say "history" return rbm().history end,
  Progress = function()
    say "progress"
    return lrn.progress.new { total = 3, file = { write = function() end } }
  end,
  Figure = function()
    say "figure"
    return lrn.plot.figure { width = 1, height = 1, dpi = 24 }
  end,
}
make["lrn.Generator"] = make.Generator
local has_plots, cairo = pcall(require, "lrn.plot.cairo")
if has_plots then
  make["lrn.plot.Surface"] = function() say "surface" return cairo.image_surface(8, 8) end
  make["lrn.plot.Context"] = function()
    say "context"
    return cairo.context(cairo.image_surface(8, 8))
  end
end
function make.Session()
  say "session"
  return lrn.repl.session { write = function() end, write_error = function() end }
end
function make.Axes() return make.Figure():axes() end

local metamethods = { "__index", "__len", "__tostring", "__call", "__pairs", "__eq", "__lt", "__le",
  "__concat", "__unm", "__add", "__newindex", "__close", "__metatable", "__name", "__gc" }

-- A table whose metamethods raise, lie, close the last tensor or are no functions at all.
local function wild(victim)
  local meta = {}
  local event = one_of(metamethods)
  local kind = below(6)
  say(format("wild<%s %d>", event, kind))
  local f = evil
  if kind == 1 then
    f = function() return one_of { 1 << 40, -1, 3 } end
  elseif kind == 2 then
    f = function(_, k)
      if victim and core.is_tensor(victim) then victim:close() end
      return k
    end
  elseif kind == 3 then
    f = one_of { 5, {}, "x", true }
  elseif kind == 4 then
    f = function() coroutine.yield(1) end
  elseif kind == 5 then
    f = function() return {} end
  end
  if event == "__gc" then
    local inner = victim
    f = function() if inner and core.is_tensor(inner) then inner:close() end end
  elseif event == "__name" then
    f = one_of { 5, long, "a\0b", {} }
  end
  meta[event] = f
  local t = setmetatable(chance(50) and { 1, 2 } or {}, meta)
  if event == "__gc" then
    t = nil
    return {}
  end
  return t
end

local function cyclic()
  say "cyclic"
  local t = { 1, x = {} }
  t[2], t.x.y = t, t
  if chance(50) then t[1] = t end
  return t
end

local functions = {
  function() end, evil, function(...) return ... end, function() coroutine.yield() end,
  function() return 1 end, function() return {} end,
  function() -- an iterator that ends
    if chance(70) then return lrn.ones(5, 4) end
  end,
  function(x)
    if core.is_tensor(x) then x:close() end
    return x
  end,
}

local function some_function()
  local i = below(#functions) + 1
  say("f" .. i)
  return functions[i]
end

local function list_of(maker)
  local list = {}
  say "{"
  for i = 1, below(4) do
    if i > 1 then say ", " end
    list[i] = maker()
  end
  say "}"
  return list
end

local function plain_one()
  local i = below(#plain) + 1
  say(plain[i])
  return plain_value[i]
end

local function small_one()
  local v = one_of(small)
  say(tostring(v))
  return v
end

local others = {
  function() say "closed file" local f = io.tmpfile() f:close() return f end,
  function() say "coroutine" return coroutine.create(functions[below(#functions) + 1]) end,
  function() say "running" return (coroutine.running()) end,
  function() say "long" return long end,
  function() say "lrn" return lrn end,
  function() say "lrn.core" return core end,
  cyclic,
}
local classes = {}
for name in pairs(make) do classes[#classes + 1] = name end
table.sort(classes)

function value(depth, victim)
  local p = below(100)
  if p < 38 then return plain_one() end
  if p < 50 then return small_one() end
  if p < 68 then return tensor() end
  if p < 75 then return wild(victim) end
  if p < 79 then return some_function() end
  if p < 86 and depth < 3 then return list_of(function() return value(depth + 1, victim) end) end
  if p < 90 then return list_of(small_one) end
  if p < 92 then return list_of(tensor) end
  if p < 95 then return one_of(others)() end
  if p < 97 then return make[one_of(classes)]() end
  return options_for(nil, depth, victim)
end

-- A table of options: their names from the help entry where there is one.
function options_for(names, depth, victim)
  local o = {}
  say "{"
  for _ = 1, 1 + below(3) do
    local name = names and #names > 0 and chance(95) and one_of(names) or
      one_of { "dtype", "device", "seed", "generator", "out", "x", "path" }
    say(name .. " = ")
    o[name] = value(depth + 1, victim)
    say ", "
  end
  say "}"
  return o
end

-- ===}

-- {=== What is called ===

-- {name =, f =, self = class or nil, params = types by help, options = names}
local targets, by_function = {}, {}

local entries = {}
for _, e in ipairs(lrn.help.entries()) do entries[e.name] = e end

local function add(name, f, self)
  if type(f) ~= "function" or by_function[f] then return end
  if name:match "[^.]*$":find "^_[^_]" then return end -- between files of lrn
  local target = { name = name, f = f, self = self, short = name:match "[^.]*$", params = {},
    options = {}, calls = 0, time = 0 }
  local e = entries[name] or entries[target.short] or entries[target.short:gsub("_$", "")]
  for _, p in ipairs(e and e.params or {}) do
    local option = p[1]:match "^options%.(.*)"
    if option then
      target.options[#target.options + 1] = option
    else
      target.params[#target.params + 1] = p[2]
    end
  end
  -- called as a field, so that messages can name it
  target.call = assert(load(("local t = ... return function(...) local r = t.%s(...) return r end")
    :format(target.short)))({ [target.short] = f })
  if f == memory_fail then -- nothing of this file must fail by it
    target.call = function(...)
      f(...)
      memory_fail(0, 0)
    end
  end
  by_function[f] = target
  targets[#targets + 1] = target
end

local function sorted(t)
  local names = {}
  for name in next, t do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local seen = {}
local function walk(prefix, t)
  if seen[t] then return end
  seen[t] = true
  for _ in pairs(t) do end -- what loads at first use is there now
  for _, name in ipairs(sorted(t)) do
    local v = rawget(t, name)
    if type(v) == "function" then
      add(prefix .. name, v)
    elseif type(v) == "table" then
      walk(prefix .. name .. ".", v)
    end
  end
  local meta = getmetatable(t)
  if type(meta) == "table" and meta ~= seen and meta.__call then
    add(prefix .. "__call", meta.__call)
  end
end

local function add_class(name, methods)
  for _, method in ipairs(sorted(methods)) do add(name .. "." .. method, methods[method], name) end
end

walk("", lrn)
local class_names = {}
for _, e in ipairs(lrn.help.entries()) do
  local class = e.name:match "^(%u%w*)%."
  if class and not class_names[class] then
    class_names[class] = true
    local methods = lrn.help.class(class)
    if methods then add_class(class, methods) end
  end
end
-- Userdata of lrn and the metamethods of everything.
for name, meta in pairs(debug.getregistry()) do
  if type(name) == "string" and type(meta) == "table" and rawget(meta, "__name") == name and
    name:find "^lrn" then
    class_names[#class_names + 1] = name
  end
end
table.sort(class_names)
for _, name in ipairs(class_names) do
  local meta = debug.getregistry()[name]
  if type(meta.__index) == "table" then add_class(name, meta.__index) end
  add_class(name, meta)
end
for class, maker in pairs(make) do
  text = {}
  local ok, object = pcall(maker)
  local meta = ok and getmetatable(object)
  if type(meta) == "table" then
    if type(meta.__index) == "table" then add_class(class, meta.__index) end
    add_class(class, meta)
  end
end
walk("core.", core)
table.sort(targets, function(a, b) return a.name < b.name end)

-- ===}

-- {=== Calls ===

local out = assert(io.open("report", "w"))
out:setvbuf "line"
local last_call = assert(io.open("last", "w"))
last_call:setvbuf "full"
local blanks = (" "):rep(100) .. "\n" -- over what is left of the call before
local wrong = 0

local function complain(n, target, message)
  wrong = wrong + 1
  local line = format("call %d of seed %d: %s: %s", n, seed, concat(text), message)
  out:write((line:gsub("[%c\x80-\xff]", "?"):sub(1, 600)), "\n")
  if verbose then stderr:write(line:sub(1, 2000), "\n") end
end

-- Arguments for a call of target.
local function arguments(target)
  local list, n = {}, 0
  local victim
  say(target.name)
  say "("
  if target.self and make[target.self] and chance(90) then
    n = 1
    list[1] = make[target.self]()
    victim = list[1]
    say ", "
  end
  local params, behind = target.params, n
  local count = chance(70) and #params > 0 and #params or below(5)
  for i = 1, count do
    n = n + 1
    local kind = params[n - behind]
    if kind and chance(60) then
      local k = kind
      if k:find "tensor" or k:find "Tensor" then
        list[n] = tensor()
      elseif k:find "integer" and chance(60) then
        list[n] = small_one()
      elseif k:find "table" and #target.options > 0 and chance(70) then
        list[n] = options_for(target.options, 1, victim)
      elseif k:find "Dataset" then
        list[n] = make.Dataset()
      elseif k:find "function" then
        list[n] = some_function()
      elseif k:find "string" then
        list[n] = one_of { "x", "file", "float32", "dir/file.png", "a.svg", long }
        say(list[n]:sub(1, 20))
      else
        list[n] = value(0, victim)
      end
    else
      list[n] = value(0, victim)
    end
    if core.is_tensor(list[n]) then victim = list[n] end
    if i < count then say ", " end
  end
  say ")"
  return list, n
end

-- Errors that no function of lrn makes by itself.
local foreign = { "evil", "interrupted!", "not enough memory", "out of memory", "yield",
  "C stack overflow", "stack overflow" }
local function is_foreign(e)
  for _, part in ipairs(foreign) do
    if e:find(part, 1, true) then return true end
  end
end

-- Functions that say what they stand for under another's name.
local alias = { transform = "forward", activations = "forward" }

-- Does a message say which argument it is about? "f: NAME: ...", "argument 2", the name of an option
-- or of a parameter, shapes of operands, a number that does not fit; a function of one argument may
-- just say what it got. What is wrong with the state of things names no argument.
local function names_argument(target, e)
  local entry = entries[target.name] or entries[target.short]
  if not entry or target.name:find "^core%." or lrn.error.kind(e) == "state" then return true end
  local said = e:gsub("^%[string.-%]:%d+: ", "")
  if said:find "^[%w_.]+: [%w_.][%w_., ]*: " or said:find "argument #?%d" or
    said:find "unknown %l+" or said:find "%[[%d, ]*%]" or said:find "does not fit %l" then
    return true
  end
  for _, p in ipairs(entry.params or {}) do
    if said:find(p[1]:gsub("^options%.", ""), 1, true) then return true end
  end
  return #(entry.params or {}) <= 1 and said:find "got "
end

local function check(n, target, e)
  if type(e) ~= "string" then
    if type(e) ~= "nil" then complain(n, target, "the error is a " .. type(e)) end
    return
  end
  if is_foreign(e) or target.name == "core.raise" then return end
  if target.short:find "^__" then return end -- not what users call
  -- a metamethod of the caller that is no function, or gives no iterator
  if e:find("'__tostring' must return a string", 1, true) then return end
  if e:find "was closed" and concat(text):find "wild<__gc" then return end -- by a finalizer
  if concat(text):find "wild<" and not e:find "nil value" and
    (e:find "attempt to call an? %l+ value" or e:find "attempt to index an? %l+ value") then
    return
  end
  -- Positions in our files: as they are embedded, or below LRN_PATH. The folder of a clone may be
  -- called lrn, too.
  local ours = (" " .. e):find "[^%w_/.-]lrn/[%w_/]+%.lua:%d+:" or
    e:find "lua/lrn/[%w_/]+%.lua:%d+:"
  if ours or e:find "attempt to" or e:find "bad argument #%d+ to '%?'" or
    e:find "bad argument #%-" or e:find "'for' " then
    complain(n, target, "an error of our own code: " .. e)
    return
  end
  -- The private functions name the public one that they serve.
  local name = target.short:gsub("_$", "")
  if alias[name] and e:find(alias[name], 1, true) then return end
  if not target.name:find "^core%." and not target.name:find "^lrn%." and
    not e:find("model was closed", 1, true) and not e:find(name, 1, true) and
    not name:find(e:match ": ([%w_.]+): " or "\0", 1, true) then
    complain(n, target, "the function is not named: " .. e)
    return
  end
  if not names_argument(target, e) then complain(n, target, "no argument is named: " .. e) end
end

local function protected(target, list, n)
  if chance(10) then
    local co = coroutine.create(target.call)
    local ok, e = coroutine.resume(co, unpack(list, 1, n))
    if coroutine.status(co) == "suspended" then coroutine.close(co) end
    return ok, e
  end
  return pcall(target.call, unpack(list, 1, n))
end

local total, made_calls, n = 0, 0, first - 1
while made_calls < calls and n < last do
  n = n + 1
  state = seed * 1000003 + n
  text = {}
  local target = targets[below(#targets) + 1]
  -- none may take more than its share of the time
  if target.time < 0.5 + total / 40 or verbose then
    local made, list, count = pcall(arguments, target)
    if not made then
      complain(n, target, "the arguments: " .. tostring(list))
      list, count = {}, 0
    end
    last_call:seek "set"
    last_call:write(format("call %d of seed %d: %s", n, seed, concat(text)):sub(1, 400), blanks)
    last_call:flush()
    local before = clock()
    local ok, e = protected(target, list, count)
    memory_fail(0, 0)
    local spent = clock() - before
    target.calls, target.time, total = target.calls + 1, target.time + spent, total + spent
    made_calls = made_calls + 1
    if verbose then
      stderr:write(concat(text), " -> ", ok and "ok" or type(e) == "string" and e:sub(1, 300) or
        type(e), "\n")
    end
    if not ok then check(n, target, e) end
    if spent > 5 then complain(n, target, format("took %.1f s", spent)) end
    if n % 500 == 0 then
      collector(true)
      core.set { threads = 2, dense = false, deterministic = false, dtype = "float32" }
      collectgarbage()
      -- at times the collector works at each allocation, so that finalizers run inside of calls
      if n // 500 % 8 == 0 then
        collectgarbage("incremental", 1, 1000, 1)
      else
        collectgarbage "generational"
      end
    end
  end
end

local not_reached = {}
for _, target in ipairs(targets) do
  if target.calls == 0 then not_reached[#not_reached + 1] = target.name end
end
table.sort(targets, function(a, b) return a.time > b.time end)
for i = 1, 8 do
  local t = targets[i]
  out:write(format("slow: %s %d calls %.2f s\n", t.name, t.calls, t.time))
end
out:write(format("not reached: %s\n", concat(not_reached, " ")))
out:write(format("done: %d calls of %d functions, %d wrong\n", made_calls, #targets, wrong))
out:close()
-- ===}
