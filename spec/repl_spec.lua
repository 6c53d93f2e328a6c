-- The prompt: its parts as functions, and the program at a terminal (tmux).
local lrn = require "lrn"
local lfs = require "lfs"
local Terminal = dofile "spec/support/terminal.lua"
local program = dofile "spec/support/program.lua"
local lex = require "lrn.repl.lex"
local history = require "lrn.repl.history"
local terminal = require "lrn.repl.terminal"
local color = require "lrn.repl.color"

local has, quote, LRN = program.has, program.quote, program.path

local function lacks(text, part)
  assert(not text:find(part, 1, true), ("%q in %q"):format(part, text))
end

local function sources()
  local list = {}
  local p <close> = assert(io.popen "find lua -name '*.lua' | LC_ALL=C sort")
  for name in p:lines() do
    local f <close> = assert(io.open(name))
    list[#list + 1] = { name = name, text = f:read "a" }
  end
  return list
end

describe("tokens", function()
  local function lines(text) return (text:gsub("[^\n]", "")) end

  it("of lrn's own sources, joined again, compile to the same code", function()
    for _, source in ipairs(sources()) do
      local parts, at = {}, 1
      for _, token in ipairs(lex.tokens(source.text)) do
        local space = source.text:sub(at, token.from - 1)
        assert(not space:find "%S" and not token.open and
          source.text:sub(token.from, token.to) == token.text, source.name)
        parts[#parts + 1] = lines(space)
        at = token.to + 1
        parts[#parts + 1] = token.kind == "comment" and lines(token.text) or token.text
      end
      local ours = assert(load(table.concat(parts, " "), "=x"))
      local same = string.dump(assert(load(source.text, "=x")), true) == string.dump(ours, true)
      assert(same, source.name)
    end
  end)

  it("tell strings, comments and numbers, also those that do not end", function()
    local function kinds(text)
      local list = {}
      for i, t in ipairs(lex.tokens(text)) do list[i] = t.kind .. (t.open and "!" or "") end
      return table.concat(list, " ")
    end
    assert.equal("name symbol string", kinds [[x = "a\"b"]])
    assert.equal("string!", kinds [["a\"b]])
    assert.equal("string", kinds "[==[ ]] ]=] ]==]")
    assert.equal("string!", kinds "[==[ ]] ]=]")
    assert.equal("comment name", kinds "--[[ a\nb ]] x")
    assert.equal("comment name", kinds "-- a\nx")
    assert.equal("comment!", kinds "-- a")
    assert.equal("number symbol number number number", kinds "0x1p-4 .. 1e+5 .5 3")
    assert.equal("string", kinds '"a\\z\n  b"')
  end)
end)

describe("completion", function()
  local complete = lrn.repl.complete

  local function words(text, env, options)
    return table.concat((complete(text, -1, env or _G, options)), " ")
  end

  it("knows globals, keywords and names of the text", function()
    assert.equal("tonumber tostring", words("to", { tonumber = 1, tostring = 1, x = 1 }))
    assert.equal("while", words("whi", {}))
    assert.equal("xylophone", words("for xylophone = 1, 2 do print(xyl", {}))
    assert.equal("_G _VERSION", words("_", { _G = 1, _VERSION = 1, ["_ "] = 1 }))
    assert.equal("alpha", words("x = { al", {}, { names = { "alpha", "beta" } }))
  end)

  it("knows fields along tables of __index", function()
    local env = { a = setmetatable({ one = 1, ["no name"] = 1, ["end"] = 1 },
      { __index = { two = 2, f = print, b = { three = { four = 4 } } } }) }
    assert.equal("b f one two", words("a.", env))
    assert.equal("f", words("a:", env))
    assert.equal("four", words("print(a.b.three.", env))
    assert.equal("four", words("a['b'][\"three\"].", env))
    assert.equal("four", words("(a.b).three.f", env))
    assert.equal("", words("a.one.", env))
    assert.equal("", words("nothing.", env))
  end)

  it("knows what strings, files and numbers of lists have", function()
    assert.equal("rep reverse", words "('x'):re")
    assert.equal("rep reverse", words("x.y[2]:re", { x = { y = { 1, "two" } } }))
    assert.equal("seek setvbuf", words "io.stdout:se")
    assert.equal("", words "1.")
  end)

  it("knows tensors, models, data sets and what calls of lrn return", function()
    local env = { t = lrn.zeros(2), rbm = lrn.RBM { n_visible = 3, n_hidden = 2 }, lrn = lrn,
      ds = lrn.data.bars_and_stripes(2) }
    has(words("t:su", env), "sum")
    assert.equal("shape", words("t.sha", env))
    assert.equal("W", words("rbm.W", env))
    has(words("rbm.", env), "learning_rate")
    lacks(words("rbm:", env), "learning_rate")
    has(words("rbm.W:", env), "transpose")
    assert.equal("batches", words("ds:ba", env))
    assert.equal("sum", words("lrn.zeros(2, f(3)):sum", env))
    has(words("lrn.RBM{ n_hidden = 3 }:", env), "fit")
    has(words("lrn.data.", env), "bars_and_stripes")
    assert.equal("mnist", words("lrn.data.mn", env))
    assert.equal("RBM RatingRBM", words("lrn.R", env))
    env.ratings = lrn.data.ratings { users = { 1 }, items = { 2 }, ratings = { 5 } }
    env.model = lrn.RatingRBM { n_items = 2, n_hidden = 1 }
    assert.equal("triplets", words("ratings:tri", env))
    assert.equal("recommend", words("model:rec", env)) -- and not reconstruct, which RBM has
  end)

  it("knows options where a key may stand", function()
    local env = { lrn = lrn, rbm = lrn.RBM { n_visible = 3, n_hidden = 2 } }
    assert.equal("n_hidden =  n_visible = ", words("lrn.RBM{ n", env))
    assert.equal("n_hidden =  n_visible = ", words("lrn.DropoutRBM{ n", env)) -- like RBM
    assert.equal("dropout = ", words("lrn.models.DropoutRBM{ dro", env))
    assert.equal("n_visible = ", words("lrn.RBM({ n_hidden = f{ 1, 2 }, n_v", env))
    assert.equal("batch_size = ", words("rbm:fit(train, { ba", env))
    has(words("rbm:fit(train, {", env), "epochs = ")
    assert.equal("floor", words("lrn.RBM{ n_hidden = math.fl", { lrn = lrn, math = math }))
    assert.equal("not", words("x = { no", {}))
  end)

  it("knows files in quotes, and only where it may look", function()
    local asked
    local function files(folder)
      asked = folder
      return { "data/", "digits.npy", ".hidden", "x y" }
    end
    assert.equal("data/ digits.npy", words("lrn.load('d", {}, { files = files }))
    assert.equal("", asked)
    assert.equal("digits.npy", words('lrn.load("some/where/di', {}, { files = files }))
    assert.equal("some/where/", asked)
    assert.equal(".hidden", words('f".', {}, { files = files }))
    assert.equal("", words("f('d", {}))
    assert.equal("", words("-- 'd", {}, { files = files }))
  end)

  it("knows commands and topics of help, where there are commands", function()
    local options = { commands = { "time", "timeit", "who" } }
    assert.equal("time timeit", words("%ti", {}, options))
    assert.equal("data.mnist", words("?data.mn", {}, options))
    assert.equal("lrn.data.mnist", words("?lrn.data.mn", {}, options))
    assert.equal("tostring", words("%time tos", { tostring = 1 }, options))
    assert.equal("", words("%ti", {}))
  end)

  it("says where the word begins, and looks at the text before the cursor", function()
    local list, from = complete("print(string.re + x", 15)
    assert.same({ { "rep", "reverse" }, 14 }, { list, from })
    list, from = complete("", -1, {})
    assert.equal(1, from)
    assert.truthy(#list >= 22) -- the keywords
  end)

  it("runs no code of the user", function()
    local function trap() error "a metamethod was called" end
    local meta = { __index = trap, __pairs = trap, __len = trap, __call = trap, __tostring = trap,
      __metatable = false, __eq = trap, __lt = trap, __name = "x" }
    local called = 0
    local env = { a = setmetatable({ b = setmetatable({ c = 1 }, meta) }, meta), lrn = lrn,
      f = function() called = called + 1 return {} end }
    assert.equal("b", words("a.", env))
    assert.equal("c", words("a.b.", env))
    assert.equal("", words("a.none.", env))
    assert.equal("", words("f().", env))
    assert.equal("b", words("a:", env)) -- it has __call
    words("lrn.zeros(f()):", env)
    words("a(f()):", env)
    words("x", setmetatable({}, meta))
    assert.equal(0, called)
  end)

  it("never raises, whatever is typed", function()
    math.randomseed(7)
    local env = { lrn = lrn, string = string, t = lrn.zeros(2), self = {} }
    local options = { commands = { "time" }, files = function() error "no files" end }
    local count = 0
    for _, source in ipairs(sources()) do
      for _ = 1, 5 do
        local from = math.random(#source.text)
        complete(source.text:sub(from, from + math.random(200)), -1, env, options)
        count = count + 1
      end
    end
    local pieces = { "lrn", ".", ":", "(", ")", "[", "]", "{", "}", "'", '"', "[[", "--", "..", "?",
      "%", "t", "data", "=", ",", "\n", "1", "0x", "e", "\\", "\0", "\xff", "::", "<", "local" }
    for _ = 1, 3000 do
      local text = {}
      for i = 1, math.random(12) do text[i] = pieces[math.random(#pieces)] end
      local list, at = complete(table.concat(text), -1, env, options)
      assert(type(list) == "table" and at >= 1)
      count = count + 1
    end
    assert.truthy(count > 3000)
  end)

  it("does as Tab should: inserts what is common, else lists", function()
    local tab = terminal.tab
    assert.equal("", tab("x", {}, 1, 80))
    assert.equal("nt", tab("pri", { "print" }, 1, 80))
    assert.equal("", (tab("print", { "print" }, 1, 80)))
    assert.equal("a", (tab("x.b", { "bar", "baz" }, 3, 80)))
    assert.same({ "", "bar  baz\n" }, { tab("x.ba", { "bar", "baz" }, 3, 80) })
    assert.same({ "", "é  è\n" }, { tab("", { "é", "è" }, 1, 80) }) -- not half a character
    assert.equal("a  c  e\nb  d\n", terminal.columns({ "a", "b", "c", "d", "e" }, 9))
  end)
end)

describe("inspect", function()
  local inspect = lrn.repl.inspect

  it("writes numbers, strings and constants as Lua does", function()
    assert.equal("1", inspect(1))
    assert.equal("1.0", inspect(1.0))
    assert.equal("-0.1", inspect(-0.1))
    assert.equal("nil", inspect(nil))
    assert.equal("true", inspect(true))
    assert.equal([["a\tb\n\"c\" \\ é"]], inspect "a\tb\n\"c\" \\ é")
    assert.equal([["\x00\x1B\xFF"]], inspect "\0\27\xff")
    has(inspect(("é"):rep(20000)), "... (40000 bytes)")
    assert.truthy(utf8.len(inspect(("é"):rep(20000))))
  end)

  it("writes tables that Lua reads back", function()
    math.randomseed(3)
    local function make(level)
      local kind = math.random(level > 0 and 7 or 5)
      if kind == 1 then return math.random(-100, 100) end
      if kind == 2 then return math.random() < .5 end
      if kind == 3 then return math.random(1000) / 8 end
      if kind <= 5 then
        local bytes = {}
        for i = 1, math.random(0, 12) do bytes[i] = string.char(math.random(0, 255)) end
        return table.concat(bytes)
      end
      local t = {}
      for i = 1, math.random(0, 6) do t[i] = make(level - 1) end
      for _ = 1, math.random(0, 4) do
        local key = make(0)
        if key == key then t[key] = make(level - 1) end
      end
      return t
    end
    for _ = 1, 300 do
      local v = make(3)
      for _, width in ipairs { 20, 80, 10000 } do
        local text = inspect(v, { width = width })
        assert.same(v, assert(load("return " .. text))())
      end
    end
  end)

  it("puts the list first, then keys in order, and breaks what is too wide", function()
    assert.equal('{ 10, 20, [-1] = 0, [1.5] = 0, a = 1, ["b c"] = 2, ["end"] = 3, [true] = 4 }',
      inspect { 10, 20, ["b c"] = 2, a = 1, [1.5] = 0, [-1] = 0, [true] = 4, ["end"] = 3 })
    local numbers = {}
    for i = 1, 30 do numbers[i] = i end
    for line in inspect(numbers, { width = 40 }):gmatch "[^\n]+" do assert.truthy(#line <= 40) end
    assert.equal("{\n  a = { 1, 2, 3 },\n  bb = { 4, 5, 6 }\n}",
      inspect({ a = { 1, 2, 3 }, bb = { 4, 5, 6 } }, { width = 20 }))
    assert.equal("{}", inspect {})
  end)

  it("ends where tables contain themselves, are deep, long or many", function()
    local t = { name = "t" }
    t.self, t.list = t, { t }
    assert.equal('{ list = { <cycle> }, name = "t", self = <cycle> }', inspect(t))
    local shared = {}
    assert.equal("{ {}, {} }", inspect { shared, shared })
    local deep = {}
    for _ = 1, 1000 do deep = { deep } end
    assert.equal("{ { {...} } }", inspect(deep, { depth = 2 }))
    local long = {}
    for i = 1, 1000 do long[i] = i end
    has(inspect(long), "... 900 more")
    has(inspect(long, { items = 3 }), "{ 1, 2, 3, ... 997 more }")
    local many = {}
    for i = 1, 100 do
      many[i] = {}
      for j = 1, 100 do many[i][j] = j end
    end
    assert.truthy(#inspect(many) < 20000)
  end)

  it("shows objects by __tostring, tensors and models in a line inside tables", function()
    local o = setmetatable({}, { __tostring = function() return "an object" end })
    assert.equal("an object", inspect(o))
    assert.equal("{ <an object>, <float32[2, 3]> }", inspect { o, lrn.zeros(2, 3) })
    assert.equal(tostring(lrn.zeros(2)), inspect(lrn.zeros(2)))
    local rbm = lrn.RBM { n_visible = 3, n_hidden = 2 }
    assert.equal(tostring(rbm), inspect(rbm))
    assert.is_nil(inspect { rbm }:find "\n")
    local broken = setmetatable({}, { __tostring = function() error("no", 0) end })
    has(inspect(broken), "__tostring fails: no")
    local closed = lrn.zeros(2)
    closed:close()
    assert.is_string(inspect { closed })
    assert.equal("point { x = 1 }", inspect(setmetatable({ x = 1 }, { __name = "point",
      __index = error, __pairs = error, __len = error })))
    has(inspect(function() end), "repl_spec.lua")
  end)

  it("paints kinds, and does not count escape sequences as columns", function()
    local text = inspect({ 1, "a", true }, { paint = color.paint })
    assert.equal('{ \27[36m1\27[0m, \27[32m"a"\27[0m, \27[35mtrue\27[0m }', text)
    local long = {}
    for i = 1, 10 do long[i] = i end
    assert.is_nil(inspect(long, { paint = color.paint, width = 40 }):find "\n")
  end)
end)

-- A session that collects what it writes.
local function new_session(env)
  local out = {}
  local function write(text) out[#out + 1] = text end
  local s = lrn.repl.session { env = env or setmetatable({}, { __index = _G }), write = write,
    write_error = write }
  return function(...)
    local first = #out + 1
    for _, input in ipairs { ... } do assert.equal("done", (s:input(input))) end
    return table.concat(out, "", first)
  end, s
end

describe("a session", function()
  it("prints results, nil too, and nothing for statements", function()
    local run = new_session()
    assert.equal("2\n", run "1 + 1")
    assert.equal('"a"\tnil\n', run "'a', nil")
    assert.equal("nil\n", run "nil")
    assert.equal("", run("x = 1", "", "-- nothing", ";", "local y", "(function() end)()"))
    assert.equal("1\n", run "=x")
    assert.equal("1\t2\n", run "return 1, 2")
    assert.equal('"a"\n' .. tostring(lrn.zeros(2)) .. "\n", run "'a', lrn.zeros(2)")
  end)

  it("keeps the last results in _ and __, and leaves the globals alone", function()
    local env = setmetatable({}, { __index = _G })
    local run = new_session(env)
    assert.equal("nil\n", run "_G._")
    run("10", "20, 30")
    assert.equal("20\n", run "_")
    run "5"
    assert.equal("25\n", run "_ + __")
    run "x = 1"
    assert.equal("25\n", run "_")
    assert.same({ x = 1 }, { x = rawget(env, "x"), _ = rawget(env, "_") })
    assert.equal("3\n", run "for _, v in pairs { 3 } do return v end")
  end)

  it("keeps locals as if all inputs were one chunk", function()
    local inputs = {
      "local n, m = 1, 2",
      "n = n + 1",
      "local function get() return n end",
      "n = 10 print(n, m, get())",
      "local n = 'another'",
      "print(n, get())",
      "local n = n .. '!'",
      "print(n, get())",
      "local t = {} for i = 1, 3 do local n = i t[i] = function() n = n + 1 return n end end",
      "print(t[1](), t[1](), t[2](), n)",
      "local a <const>, b, c <const> = 5, {}, {}",
      "print(a, #b, type(c)) b = a",
      "print(b)",
      "do local hidden = 1 end print(hidden)",
      "local function fact(k) return k < 2 and 1 or k * fact(k - 1) end",
      "print(fact(5))",
      "local p, q = (function() return 1, 2 end)() -- a comment",
      "print(p, q)",
      "if n then local inner = 2 else local inner = 3 end local outer = 4",
      "print(inner, outer)",
      "local s = [[ local no = 1 ]] local r = 'local no = 2'",
      "print(no, s, r)",
      "repeat local u = 1 until u == 1 local v = 7",
      "print(u, v)",
      "local f = function() v = v + 1 end f() f()",
      "print(v)",
    }
    local function collect(into)
      return setmetatable({ print = function(...)
        local parts = table.pack(...)
        for i = 1, parts.n do parts[i] = tostring(parts[i]) end
        into[#into + 1] = table.concat(parts, " ")
      end }, { __index = _G })
    end
    local ours, theirs = {}, {}
    local run = new_session(collect(ours))
    for _, input in ipairs(inputs) do assert.equal("", run(input)) end
    assert(load(table.concat(inputs, "\n"), "=x", "t", collect(theirs)))()
    assert.truthy(#theirs > 10)
    assert.same(theirs, ours)
  end)

  it("keeps constants constant, and closes <close> at the end of its input", function()
    local run = new_session()
    run("local k <const> = 1", "local t <const> = {}")
    has(run "k = 2", "attempt to assign to const variable 'k'")
    has(run "t = 2", "attempt to assign to const variable 't'")
    assert.equal("1\t{}\n", run "k, t")
    assert.equal("", run "local k = 3 k = 4")
    assert.equal("4\n", run "k")
    run "local no <const> = false"
    assert.equal("false\n", run "no")
    run("closed = 0 \z
      local c <close> = setmetatable({}, { __close = function() closed = closed + 1 end })")
    assert.equal("1\tnil\n", run "closed, c")
  end)

  it("keeps locals beside results, labels and returns", function()
    local run = new_session()
    assert.equal("1\n", run "local a = 1 return a")
    assert.equal("1\n", run "a")
    assert.equal("", run "local b = 2 return;")
    assert.equal("2\n", run "b")
    assert.equal("3\n", run "do local d = 3 return d end")
    assert.equal("", run "goto skip local e = 1 ::skip::") -- no code may follow: not kept
    assert.equal("", run "while true do local g = 1 break end local h = 5")
    assert.equal("5\tnil\n", run "h, g")
    assert.equal("", run "local _ENV = {}")
    assert.equal("2\n", run "tonumber '2'")
  end)

  it("keeps the locals of an input that fails as far as they were set", function()
    local run = new_session()
    has(run "local a, k <const> = 1, 7 local b = 2 do local a = 3 error 'oops' end local c = 4",
      "oops")
    assert.equal("1\t2\tnil\n", run "a, b, c")
    has(run "local a = x.y", "attempt to index a nil value (global 'x')")
    assert.equal("1\n", run "a")
  end)

  it("asks for more where the input is not whole", function()
    local _, s = new_session()
    for _, text in ipairs { "for i = 1, 2 do", "x =", "f(", "[[", "%time for i = 1,", "local x = {",
        "{ 1,", "1 +", "-- a\n{", "f(1),",
        "x = 'to be continued\\" } do
      local state, message = s:input(text)
      assert.equal("more", state, text)
      has(message, "<eof>")
    end
    assert.same({}, s.inputs)
    for i, text in ipairs { "x = = 1", "1 1", "'open", "f(]", "a b" } do
      assert.equal("done", (s:input(text)))
      assert.equal(text, s.inputs[i])
    end
  end)

  it("shows errors with the stack of the user's code, at its line", function()
    local run = new_session()
    assert.equal("stdin:1: oops\n", run "error 'oops'")
    assert.equal("stdin:2: attempt to call a nil value (global 'nofunction')\n",
      run "\nnofunction()")
    run "function f(n) if n == 0 then error 'deep' end f(n - 1) end"
    local text = run "f(2)"
    has(text, "stdin:1: deep\nstack traceback:\n\t[C]: in function 'error'\n\tstdin:1: in ")
    assert.matches("\tstdin:1: in main chunk\n$", text)
    lacks(text, "lrn/repl")
    assert.matches("^stdin:1: zeros: ", run "lrn.zeros 'x'") -- lrn's own functions are not shown
    lacks(run "lrn.RBM{ n_hiden = 1 }", "traceback")
    run "object = setmetatable({}, { __tostring = function() return 'an object' end })"
    assert.equal("an object\n", run "error(object)")
    assert.equal("(error object is a table value)\n", run "error {}")
    has(run "f(100)", "...\t(skipping ")
    has(run "setmetatable({}, { __tostring = function() error 'x' end })", "__tostring fails")
    assert.equal("stdin:1: unexpected symbol near 'then'\n", run "then")
  end)

  it("shows the ends of a stack that overflowed, and keeps its locals #slow", function()
    local run = new_session()
    local text = run "local before = 1 local function g() return g() + 1 end g()"
    assert.matches("^stdin:1: stack overflow", text)
    has(text, "levels)\n")
    assert.matches("\n\tstdin:1: in main chunk\n$", text)
    assert.equal("1\n", run "before")
  end)

  it("explains names, variables, methods and words", function()
    local run = new_session()
    has(run "?lrn.zeros", lrn.help.text "zeros":match "^[^\n]*")
    has(run "lrn.zeros?", lrn.help.text "zeros":match "^[^\n]*")
    has(run "?  data.digits  ", lrn.help.text "data.digits":match "^[^\n]*")
    has(run '?"negative digits"', "no help for")
    has(run '?"bars stripes"', "data.bars_and_stripes")
    has(run "?", lrn.help.text():match "^[^\n]*")
    run "local rbm, answer = lrn.RBM{ n_visible = 3, n_hidden = 2 }, 42"
    has(run "?rbm.fit", "rbm:fit(data, options)")
    has(run "?rbm:fit", "rbm:fit(data, options)")
    has(run "?rbm", "RBM 3 x 2")
    assert.equal("answer: number\n42\n", run "?answer")
    has(run "?xyzzy", 'no help for "xyzzy"')
    assert.equal("print: function in C\n", run "?print")
    run "function twice(x) return 2 * x end"
    assert.equal("twice: function of 1 argument, stdin:1\n", run "?twice")
    for line in run "?rbm.fit":gmatch "[^\n]+" do assert.truthy(#line <= 80, line) end
  end)

  it("has commands; an unknown one lists them", function()
    local run, s = new_session()
    for _, name in ipairs(require "lrn.repl.commands".names()) do has(run "%help", "%" .. name) end
    has(run "%help zeros", "lrn.zeros(")
    assert.matches("^42\ntime: [%d.e-]+ [mun]?s  %(CPU [%d.e-]+ [mun]?s%)\n$", run "%time 6 * 7")
    assert.equal("42\n", run "_")
    has(run "%time error 'x'", "stdin:1: x")
    lacks(run "%time error 'x'", "time:")
    assert.matches("^[%d.]+ [mun]?s %+%- [%d.]+ [mun]?s a loop " ..
      "%(mean and deviation of 2 runs, 10 loops each%), best [%d.]+ [mun]?s\n$",
      run "%timeit -n 10 -r 2 math.sin(1)")
    run("count = 0", "%timeit -n5 -r3 count = count + 1")
    assert.equal("15\n", run "count")
    run("local y = lrn.zeros(2)", "z = 'text'")
    assert.equal("count  global  number      15\ny      local   lrn.Tensor  { 0, 0 } ...\n" ..
      'z      global  string      "text"\n', run "%who")
    run "wide = ('x'):rep(200)"
    assert.equal(80, #run "%who wide":match "^[^\n]*")
    assert.equal('z  global  string  "text"\n', run "%who z")
    has(run "%mem", "tensors and models")
    has(run "%device", table.concat(lrn.devices(), ", "))
    s.inputs = { "a", "for b\nend", "c" }
    assert.equal("   2  for b\n      end\n", run "%history for b")
    local text = run "%histroy"
    has(text, "did you mean %history?")
    for _, name in ipairs(require "lrn.repl.commands".names()) do has(text, "%" .. name) end
    has(run "%", "unknown command")
  end)

  it("runs files: their globals stay, their arguments are in arg and ...", function()
    local name = os.tmpname()
    local f = assert(io.open(name, "w"))
    f:write "ran = { arg[0], arg[1], ... }\nif ... == 'fail' then error 'in the file' end"
    f:close()
    local run = new_session()
    assert.equal("", run("%run " .. name .. " a b"))
    assert.equal(('{ "%s", "a", "a", "b" }\n'):format(name), run "ran")
    local text = run("%run '" .. name .. "' fail")
    has(text, name .. ":2: in the file\nstack traceback:")
    lacks(text, "commands.lua")
    os.remove(name)
    has(run("%run " .. name), "cannot open " .. name)
    has(run "%run", "which file?")
  end)
end)

describe("the history file", function()
  it("gives back what was put in, lines and tabs included", function()
    local inputs = { "1 + 1", "for i = 1, 2 do\n\tprint(i)\n\n  end", "x = 'é\\n'", "a\n\t\tb" }
    local text = ""
    for _, input in ipairs(inputs) do text = text .. history.encode(input) end
    assert.same(inputs, history.decode(text))
    assert.is_nil(history.encode " \n\t ")
    assert.equal("x\n", history.encode "\n  x \n")
    assert.same({ "a", "b", "a" }, history.decode "a\na\nb\nb\na\na\n")
    assert.same({}, history.load "/nowhere/history")
  end)
end)

describe("colour", function()
  it("is for terminals that know it, unless NO_COLOR or LRN_COLOR say otherwise", function()
    local getenv = os.getenv
    local function wanted(env, is_terminal)
      os.getenv = function(name) return env[name] end -- luacheck: ignore
      local ok, yes = pcall(color.wanted, is_terminal)
      os.getenv = getenv -- luacheck: ignore
      assert(ok, yes)
      return yes
    end
    assert.is_true(wanted({ TERM = "xterm" }, true))
    assert.is_true(wanted({ TERM = "xterm", NO_COLOR = "" }, true))
    assert.is_false(wanted({ TERM = "xterm", NO_COLOR = "1" }, true))
    assert.is_false(wanted({ TERM = "xterm" }, false))
    assert.is_false(wanted({ TERM = "dumb" }, true))
    assert.is_false(wanted({}, true))
    assert.is_true(wanted({ LRN_COLOR = "always", NO_COLOR = "1" }, false))
    assert.is_false(wanted({ LRN_COLOR = "never", TERM = "xterm" }, true))
    assert.is_true(wanted({ LRN_COLOR = "auto", TERM = "xterm" }, true))
  end)
end)

-- {=== At a terminal ===

local edits = lfs.attributes(program.folder .. "/liblrn_edit.so") ~= nil

describe("at a terminal, the prompt", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
  end)

  after_each(function() os.execute("rm -rf " .. quote(folder)) end)

  -- A terminal in which lrn runs and shows its first prompt; variables: "NAME=value ...".
  local function open(variables, arguments, columns)
    local t = Terminal.open(("cd %s && unset NO_COLOR LRN_COLOR LRN_HISTORY LC_ALL LC_CTYPE LANG; \z
      export HOME=%s XDG_STATE_HOME=%s/state %s; exec %s %s"):format(quote(folder), quote(folder),
      quote(folder), variables or "", quote(LRN), arguments or ""), columns)
    if t then t:wait_last ">" end
    return t
  end

  local function test(name, f, needs_editing)
    it(name, function()
      if needs_editing and not edits then
        pending "built without libedit"
        return
      end
      f()
    end)
  end

  local function history_text()
    local f <close> = assert(io.open(folder .. "/state/lrn/history"))
    return f:read "a"
  end

  -- open, or skip the test where tmux is not there
  local function terminal_or_pending(...)
    local t = open(...)
    if not t then pending "no tmux, or it cannot open a terminal here" end
    return t
  end

  test("prints results, keeps _ and locals, explains, has commands", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:line "6 * 7"
    t:wait "\n42\n"
    t:line "_ + 1"
    t:wait "\n43\n"
    t:enter "local keep, text = { 1, 2 }, 'a\\tb'"
    t:line "keep, text"
    t:wait '\n{ 1, 2 }        "a\\tb"\n'
    t:line "lrn.zeros(1, 2)"
    t:wait "(1 x 2 float32 tensor on cpu)"
    t:line "?lrn.eye"
    t:wait "The identity matrix"
    t:line "%who"
    t:wait "keep  local  table"
    t:line "%nonsense"
    t:wait "unknown command; there are: %help"
    t:line "error 'oops'"
    t:wait "\nstdin:1: oops\n>"
    t:line "warn 'careful'"
    t:wait "Lua warning: careful"
    t:keys "C-d"
    t:wait_end()
  end)

  test("reads inputs of several lines, drops them at Ctrl-C, ends them at Ctrl-D", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:enter "for i = 1, 2 do"
    t:enter "print('line', i)"
    t:line "end"
    t:wait "\nline    1\nline    2\n>"
    t:enter "x = {"
    t:keys "C-c"
    t:wait ">> ^C\n>"
    t:type "y = = 1"
    t:wait "y = = 1"
    t:keys "C-c"
    t:wait "y = = 1^C\n>"
    t:line "while true do end"
    t:wait "\n> while true do end\n"
    os.execute "sleep 0.2" -- nothing shows that it runs
    t:keys "C-c"
    t:wait "^Cinterrupted!\n>"
    t:enter "if x then"
    t:keys "C-d"
    t:wait "'end' expected near <eof>\n>"
    t:line "'still ' .. 'here'"
    t:wait '"still here"'
  end)

  test("is plain at a dumb terminal, where everything else works", function()
    local t <close> = terminal_or_pending "TERM=dumb"
    if not t then return end
    lacks(t:screen(), "Tab")
    t:enter "local x = 'é'"
    t:line "x .. 'ü'"
    t:wait '\n"éü"\n'
    t:line "?lrn.eye"
    t:wait "The identity matrix"
    t:wait_last ">"
    t:keys "C-c"
    t:wait "> ^C\n>"
    lacks(t:screen(true), "\27[")
    t:keys "C-d"
    t:wait_end()
  end)

  test("has colours, but not with NO_COLOR, nor where LRN_COLOR forbids them", function()
    local function shown(variables)
      local t <close> = terminal_or_pending(variables)
      if not t then return nil end
      t:line "'text', 12"
      t:wait '"text"  12'
      t:line "error 'oops'"
      t:wait "stdin:1: oops"
      return t:screen(true)
    end
    local screen = shown ""
    if not screen then return end
    has(screen, '\27[32m"text"')
    has(screen, "\27[36m12")
    has(screen, "\27[31mstdin:1: oops")
    assert.matches("\27%[1m\27%[34m>", screen)
    lacks(shown "NO_COLOR=1", "\27[")
    lacks(shown "LRN_COLOR=never", "\27[")
    has(shown "NO_COLOR=1 LRN_COLOR=always", "\27[32m")
  end)

  test("takes its texts from _PROMPT and _PROMPT2, objects and colours too", function()
    local t <close> = terminal_or_pending("", "-i -e '_PROMPT = \">\"'")
    if not t then return end
    t:line("_PROMPT2, _PROMPT = 'c:', \z
      setmetatable({}, { __tostring = function() return 'a\\nb:' end })")
    t:wait "\na\nb:"
    t:line "f("
    t:wait "b:f(\nc:"
    t:keys "C-c"
    t:line "_PROMPT = '\\27[32m[\\27[1mé]\\27[0m '"
    t:wait_last "[é]"
    t:type "12345"
    t:keys "C-a" -- the cursor finds the start of the input, or the columns are counted wrong
    t:type "9"
    t:keys "Enter"
    t:wait "[é] 912345\n912345\n"
    t:enter "_PROMPT = setmetatable({}, { __tostring = error })"
  end, true)

  test("leaves the terminal as it was, after os.exit, an error in C and a signal", function()
    local t <close> = Terminal.open("PS1='$ ' sh")
    if not t then
      pending "no tmux here"
      return
    end
    t:wait "$"
    t:line("HOME=" .. folder .. "; export HOME; stty -a > " .. folder .. "/before")
    local function check_settings()
      t:line("clear; stty -a > " .. folder .. "/after && cmp " .. folder .. "/before " .. folder ..
        "/after && echo sa'me'")
      t:wait "same"
    end
    t:line(LRN)
    t:wait_last ">"
    t:line "os.exit(3)"
    t:wait_last "$"
    t:line "echo code $?"
    t:wait "code 3"
    check_settings()
    for _, signal in ipairs { "TERM", "KILL", "HUP" } do
      t:line "clear"
      t:line(("sh -c 'echo $$ > %s/pid; exec %s'"):format(folder, LRN))
      t:wait_last ">"
      t:type "half a line"
      t:wait "> half a line"
      if signal ~= "KILL" then
        os.execute(("kill -%s $(cat %s/pid)"):format(signal, folder))
        t:wait_last "$"
        check_settings()
      else
        t:keys "C-c"
        t:line "os.execute 'kill -KILL $PPID'" -- while code runs, the terminal is as it was
        t:wait "Killed"
        check_settings()
      end
    end
  end, true)

  test("can be stopped and goes on", function()
    local t <close> = Terminal.open("PS1='$ ' bash --norc -i")
    if not t then
      pending "no tmux here"
      return
    end
    t:wait "$"
    t:line("HOME=" .. folder .. " " .. LRN)
    t:wait_last ">"
    t:type "40 +"
    t:wait "> 40 +"
    t:keys "C-z"
    t:wait "Stopped"
    t:line "fg"
    t:wait_last "> 40 +"
    t:line " 2"
    t:wait "\n42\n"
  end, true)

  test("edits: moves, deletes, recalls, searches", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:type "pint(1)"
    t:keys("C-a", "Right", "r", "End", "BSpace")
    t:line ", 'x')"
    t:wait "\n1       x\n"
    t:type "one two three"
    t:keys("C-w", "C-w", "C-a", "Delete", "Delete", "Delete", "C-k")
    t:line "'clean'"
    t:wait '\n"clean"\n'
    t:wait_last ">"
    t:keys("Up", "Up")
    t:wait_last "> print(1, 'x')"
    t:keys "Down"
    t:wait_last "> 'clean'"
    t:keys "C-c"
    t:keys "C-r"
    t:type "prin"
    t:keys "Enter"
    t:wait "\n> 'clean'^C\n> print(1, 'x')\n1       x\n>"
  end, true)

  test("recalls an input of several lines as one, and moves in it", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:enter "for i = 1, 2 do"
    t:enter "  print(i)"
    t:line "end"
    t:wait "\n2\n>"
    t:line "'between'"
    t:wait '"between"\n'
    t:wait_last ">"
    t:keys("Up", "Up")
    t:wait '"between"\n> for i = 1, 2 do\n  print(i)\nend'
    t:keys("Up", "End", "BSpace", "BSpace")
    t:type "'again', i)"
    t:keys "Enter"
    t:wait "\nagain   1\nagain   2\n>"
    t:keys("C-d")
    t:wait_end()
    has(history_text(), "for i = 1, 2 do\n\t  print('again', i)\n\tend\n")
  end, true)

  test("has the history of earlier sessions and of those beside it, no repetitions", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    local other <close> = open()
    t:enter "first = 1"
    t:enter "first = 1"
    t:enter "   "
    other:enter "second = 2"
    t:enter "third = 'é'"
    t:line "os.exit(0)"
    t:wait_end()
    other:keys "C-d"
    other:wait_end()
    local text = history_text()
    assert.equal("first = 1\nsecond = 2\nthird = 'é'\n", (text:gsub("os.exit%(0%)\n", "")))
    assert.equal("rw-------", lfs.attributes(folder .. "/state/lrn/history", "permissions"))
    local again <close> = open()
    again:keys("Up", "Up")
    again:wait_last "> third = 'é'"
    again:keys("Up", "Up")
    again:wait_last "> first = 1"
  end, true)

  test("keeps its history elsewhere, or not at all, as LRN_HISTORY says", function()
    local t <close> = terminal_or_pending("LRN_HISTORY=" .. folder .. "/own")
    if not t then return end
    t:line "1"
    t:wait "\n1\n"
    local f <close> = assert(io.open(folder .. "/own"))
    assert.equal("1\n", f:read "a")
    local none <close> = open "LRN_HISTORY=none"
    none:line "1"
    none:wait "\n1\n"
    local bad <close> = open "LRN_HISTORY=/dev/null/no"
    bad:line "1"
    bad:wait "history is not kept"
    bad:wait "\n1\n"
    assert.is_nil(lfs.attributes(folder .. "/state"))
  end)

  test("shortens a history that is too long, and keeps its end", function()
    assert(lfs.mkdir(folder .. "/state"))
    assert(lfs.mkdir(folder .. "/state/lrn"))
    local f = assert(io.open(folder .. "/state/lrn/history", "w"))
    for i = 1, 60000 do f:write("entry(", i, ")\n\tmore(", i, ")\n") end
    f:close()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:enter "last = 1"
    local text = history_text()
    assert.truthy(#text <= history.LIMIT and #text >= history.LIMIT / 2 - 100)
    assert.matches("^entry%(%d+%)\n\tmore", text)
    assert.matches("entry%(60000%)\n\tmore%(60000%)\nlast = 1\n$", text)
  end)

  test("completes at Tab: one name whole, several as far as they agree, then a list", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:type "colle"
    t:keys "Tab"
    t:line " 'count' > 0"
    t:wait "collectgarbage 'count' > 0\ntrue\n"
    t:type "string.r"
    t:keys "Tab"
    t:wait_last "> string.re"
    t:keys "Tab"
    t:wait "\nrep      reverse\n> string.re"
    t:type "p('x', 2)"
    t:keys "Enter"
    t:wait '"xx"'
    t:enter "local answer = { whole = 42 }"
    t:type "answ"
    t:keys "Tab"
    t:type ".w"
    t:keys("Tab", "Enter")
    t:wait "\n> answer.whole\n42\n"
    t:type "lrn.RBM{ n_v"
    t:keys "Tab"
    t:wait_last "> lrn.RBM{ n_visible ="
    t:keys "C-c"
    assert(io.open(folder .. "/some file.txt", "w")):close()
    t:type "io.open('so"
    t:keys "Tab"
    t:wait_last "> io.open('some file.txt"
    t:keys "C-c"
    t:keys "Tab" -- where nothing stands: an indent
    t:line "'indented'"
    t:wait ">   'indented'"
  end, true)

  test("takes a paste as it would be typed, tabs included, and shows no more than that", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:paste "local n = 3\nfor i = 1, n do\n\tif i % 2 == 1 then\n\t\tprint(i, 'ü')\n\tend\nend\n\z
      n * 14\nstr\t= 'x'\n"
    t:wait("> local n = 3\n> for i = 1, n do\n>>      if i % 2 == 1 then\n\z
      >>              print(i, 'ü')\n>>      end\n>> end\n1       ü\n3       ü\n> n * 14\n42\n\z
      > str   = 'x'\n>")
    local long = {}
    for i = 1, 500 do long[i] = ("total = (total or 0) + %d -- %s"):format(i, ("x"):rep(30)) end
    t:paste(table.concat(long, "\n") .. "\ntotal\n")
    t:wait "> total\n125250\n>"
    t:paste "'no newline'"
    t:wait_last "> 'no newline'"
  end, true)

  test("edits UTF-8 and lines that are wider than the terminal", function()
    local t <close> = terminal_or_pending("", "", 40)
    if not t then return end
    t:type "'äöü漢字x'"
    t:keys("Left", "Left", "Left", "Left", "BSpace")
    t:type "é"
    t:keys "Enter"
    t:wait "> 'äöé漢字x'\n\"äöé漢字x\"\n>"
    t:type("#'" .. ("0123456789"):rep(9) .. "'")
    t:keys("C-a", "Right", "Right")
    t:type "abc"
    t:keys "Enter"
    t:wait "\n93\n>"
    has(t:screen(), "> #'abc" .. ("0123456789"):rep(9):sub(1, 33) .. "\n")
    t:type(("abcdefgh "):rep(6))
    t:resize(60, 30)
    t:wait("> " .. ("abcdefgh "):rep(6):sub(1, -2))
    t:keys "C-c"
    t:line "1 + 1"
    t:wait "> 1 + 1\n2\n"
  end, true)

  test("begins a line of its own behind output that has not ended its line", function()
    local t <close> = terminal_or_pending("", "", 40)
    if not t then return end
    for _, n in ipairs { 0, 1, 39, 40, 41 } do
      t:line "os.execute 'clear'"
      t:wait "true"
      t:line(("io.stdout:write(('x'):rep(%d)); x = 1"):format(n))
      local text = ("x"):rep(n):gsub(("x"):rep(40), "%0\n") .. (n % 40 > 0 and "\n" or "")
      t:wait(("x = 1\n%s>\n"):format(text))
    end
  end, true)

  test("goes on whatever becomes of the globals", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:enter "local G, keep = _G, 1"
    t:enter "for name in pairs(G) do G[name] = nil end"
    t:line "keep + 41"
    t:wait "\n42\n"
    t:line "{ 1, { 'two' } }, G, missing.field"
    t:wait "attempt to index a nil value (global 'missing')"
    t:line "{ 1, { 'two' } }, G"
    t:wait '{ 1, { "two" } }        {}'
    t:type "kee"
    t:keys("Tab", "Enter")
    t:wait "\n> keep\n1\n"
    t:line "%who"
    t:wait "keep  local  number"
    t:line "error 'x'"
    t:wait "attempt to call a nil value (global 'error')"
  end, true)

  test("leaves input that follows to the code that it runs", function()
    local t <close> = terminal_or_pending()
    if not t then return end
    t:line "name = io.read()"
    t:line "somebody" -- without echo where it comes before io.read
    t:wait_last ">"
    t:line "'<' .. name .. '>'"
    t:wait '"<somebody>"'
  end)
end)
-- ===}
