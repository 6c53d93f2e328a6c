-- The program lrn against lua5.4: programs of spec/corpus and command lines, run by both under the
-- same name; standard output, standard error and exit code must be the same bytes.

local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  local name = os.getenv "LRN_BIN" or arg[lowest]
  return name:find "^/" and name or os.getenv "PWD" .. "/" .. name
end

local function first_line(command)
  local p = assert(io.popen(command))
  local line = p:read "l"
  p:close()
  return line
end

local LRN, LUA = interpreter(), first_line "command -v lua5.4"
local CORPUS = os.getenv "PWD" .. "/spec/corpus"
local INPUT = "the first line\n 42 the rest\nof the input the end"

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  return text
end

-- A shell command in which L is one of the two, called "lua": output, errors, code.
local function run(binary, command, input)
  local out, err, inp = os.tmpname(), os.tmpname(), os.tmpname()
  local f = assert(io.open(inp, "wb"))
  f:write(input)
  f:close()
  local script = ("cd %s\nL() { ( exec -a lua %s \"$@\" ); }\n%s"):format(quote(CORPUS),
    quote(binary), command)
  local _, _, code = os.execute(("env -u LUA_INIT -u LUA_INIT_5_4 -u LUA_PATH -u LUA_PATH_5_4 " ..
    "-u LUA_CPATH -u LUA_CPATH_5_4 timeout 60 bash -c %s < %s > %s 2> %s"):format(quote(script),
    inp, out, err))
  local o, e = read(out), read(err)
  os.remove(out)
  os.remove(err)
  os.remove(inp)
  return o, e, code
end

local function same(command, input)
  local o, e, c = run(LUA, command, input or INPUT)
  local o2, e2, c2 = run(LRN, command, input or INPUT)
  assert.not_equal(124, c)
  assert.same({ out = o, err = e, code = c }, { out = o2, err = e2, code = c2 })
end

describe("lrn does what lua does", function()
  if not LUA then
    pending "no lua5.4 here"
    return
  end

  describe("with", function()
    local names = {}
    local p = assert(io.popen("ls " .. quote(CORPUS)))
    for name in p:lines() do names[#names + 1] = name end
    p:close()
    assert(#names >= 50)
    for _, name in ipairs(names) do
      it(name, function() same("L " .. name .. " a 'b c' ''") end)
    end
  end)

  describe("with busted", function()
    it("on specs that pass, fail, err and wait", function()
      local name = os.tmpname()
      local f = assert(io.open(name, "w"))
      f:write [[
        describe("a", function()
          local n = 0
          before_each(function() n = n + 1 end)
          it("passes", function() assert.equal(1, n) assert.same({ 1, { 2 } }, { 1, { 2 } }) end)
          it("fails", function() assert.is_true(false) end)
          it("differs", function() assert.equal("a", "b") end)
          it("errs", function() error "oops" end)
          pending("waits")
          it("spies", function()
            local s = spy.new(function() end)
            s(1)
            assert.spy(s).was.called_with(1)
          end)
          it("matches", function() assert.error_matches(function() error "abc" end, "b") end)
        end)]]
      f:close()
      same("L /usr/bin/busted --ignore-lua -o TAP " .. name)
      same("L /usr/bin/busted --ignore-lua -o plainTerminal --no-coverage " .. name ..
        " | grep -v seconds")
      same("L /usr/bin/busted --help")
      os.remove(name)
    end)
  end)

  -- What is in one group shares a kind of command line.
  local groups = {
    ["options"] = {
      [[L -e 'x = 1 print(x)' -e'print(x + 1)']], [[L -e '' -e 'return 5']], [[L -e 'x=']],
      [[L -v]], [[L -v -e 'print(1)']], [[L -E -e 'print(package.path, package.cpath)']],
      [[L -W -e 'warn("a", "b")']], [[L -e 'warn "a"']], [[L -W -v -]], [[L -v -- /dev/null]],
      [[L -l string -e 'print(string)' | cut -c1-5]], [[L -l g=string -e 'print(g == string)']],
      [[L -lstring -e 'print(1)']], [[L -l nosuchmodule]], [[L -l g=nosuchmodule]],
      [[L -l g= -e 'print(1)']], [[L -l =string -e 'print(_G[""] == string)']], [[L -l string=x]],
      [[L -e 'print(1)' -l nosuchmodule -e 'print(2)']], [[L -e 'error()' -e 'print(2)']],
      [[L -e 'setmetatable(_G, {__newindex = function() error "read-only" end})' -l m=string]],
      [[L -e 'package.path = "?.lua"' -l returns -e 'print(returns)']],
    },
    ["options that are none"] = {
      "L -x", "L -e", "L -l", "L -e -v", "L -e -x", "L -l -x", "L -vi", "L -i-", "L -W1", "L -Ex",
      "L -ix", "L -vv", "L -e '--' -e 'print(2)'", "L -ee", "L -l-x", "L -e 'print(1)' -x",
      "L -v -x",
    },
    ["scripts"] = {
      "L arguments.lua", "L arguments.lua -e x -- - ''", "L -W -e '' arguments.lua 1 2",
      "L - a b < arguments.lua", "L < arguments.lua", "L -- arguments.lua a", "L -- -e", "L --",
      "L -", "L ''", "L /nowhere/x.lua", "L /",
      "L -e 'print(arg[0], arg[1], arg[-1], arg[-2], #arg)'",
      "L -e 'arg = nil' returns.lua", "L -e 'arg[1] = 5 arg[3] = 7' arguments.lua",
      "L -e 'setmetatable(arg, { __len = function() return 2 end })' arguments.lua 1 2 3",
      "echo 'print(...)' | L -", "echo 'print(...) error(1)' | L - x", "L < /dev/null", "L -E",
      "L -W", "d=$(mktemp -d); cp arguments.lua $d/-e; cd $d; L -- -e; rm -r $d",
    },
    ["exit codes"] = {
      "echo 'error(1)' | L", "echo 'x x' | L", "echo 'error(1)' | L -", "L -e 'os.exit(3)'",
      "L -e 'os.exit(false)'", "L -e 'os.exit(true)'", "L -e 'os.exit(3, true)'",
      "L -e 'os.exit(-1)'",
      "L -e 'os.exit(2^53)'", "L -e 'os.exit(1.5)'", "L -e 'error {}'", "L -e 'error()'",
      "L -e 'error(nil, 2)'",
      "L -e 'error(setmetatable({}, {__tostring = function() return \"o\" end}))'",
      "L -e 'local x <close> = setmetatable({}, {__close = function() error(\"c\", 0) end})'",
      "L -W -e 'x = setmetatable({}, {__gc = function() error(\"g\", 0) end})'",
      "L -e 'x = setmetatable({}, {__gc = function() os.exit(9) end})'",
      "L -e 'coroutine.wrap(function() os.exit(4, true) end)()'",
      "L -e 'string.rep(\"x\", 1 << 40)'", "L -e 'io.stdout:close() print(1)'",
      "L -e 'print(1)' >&-; echo $?", "L -v >&-; echo $?",
    },
    ["the environment"] = {
      "LUA_INIT='print(1)' L -e 'print(2)'", "LUA_INIT='x = 1' L -E -e 'print(x)'",
      "LUA_INIT=@returns.lua L -e 'print(2)'", "LUA_INIT=@/nowhere L -e 'print(2)'",
      "LUA_INIT=@syntax.lua L -e 'print(2)'", "LUA_INIT='error(1)' L -v",
      "LUA_INIT='error({})' L -e 'print(1)'", "LUA_INIT='x = = 1' L -e 'print(1)'",
      "LUA_INIT= L -e 'print(1)'", "LUA_INIT='print(1)' LUA_INIT_5_4='print(54)' L -e ''",
      "LUA_INIT='print(1)' LUA_INIT_5_4= L -e ''",
      "LUA_INIT='print(arg[0], #arg, ...)' L -e '' returns.lua",
      "LUA_INIT='print(1)' L -x", "LUA_INIT='os.exit(5)' L -e 'print(1)'",
      "LUA_PATH='a;;b' LUA_CPATH=';;c' L -e 'print(package.path, package.cpath)'",
      "LUA_PATH=a LUA_PATH_5_4=b LUA_CPATH_5_4='c;;' L -e 'print(package.path, package.cpath)'",
      "LUA_PATH='?.lua' L -l returns -e 'print(returns)'",
      "LUA_PATH=a LUA_CPATH=b LUA_INIT='print(9)' L -E -e 'print(package.path, package.cpath)'",
      "LUA_PATH= LUA_CPATH= L -e 'print(package.path, package.cpath)'",
    },
    ["the prompt in a pipe"] = {
      "L -i < /dev/null", "L -i returns.lua < /dev/null", "L -i -e 'print(1)' < /dev/null",
      "echo '1 1' | L -i", "echo '1, nil, \"x\"' | L -i", "printf 'x =\\n1\\nx\\n' | L -i",
      "printf '_PROMPT = \"a\" _PROMPT2 = \"b\"\\nf(\\n1)\\n_PROMPT = nil\\n3' | L -i",
      "printf '_PROMPT = 1\\n1\\n_PROMPT = setmetatable({}, {__tostring = function() \z
        return \"t\" end})\\n2' | L -i",
      "L -i -e '_PROMPT = 5 _PROMPT2 = false' < /dev/null", "echo 'os.exit(3)' | L -i",
      "printf 'return\\nreturn 1,2\\n(1)\\n= 3\\n=\\n' | L -i", "echo 'error {}' | L -i",
      "printf 'error(setmetatable({}, {__tostring = function() return 1 end}))\\n\z
        error(nil)\\n' | L -i",
      "echo 'local x <close> = setmetatable({}, {__close = error})' | L -i",
      "printf '\\n\\n--\\n' | L -i",
      "printf 'print = nil\\n1\\n' | L -i", "printf 'for i = 1, 2 do\\nprint(i)\\nend' | L -i",
      "printf 'local t = {}\\nt\\n' | L -i", "printf 'goto x\\n::x:: print(1)\\n' | L -i",
      "echo 'warn(\"@on\") warn(\"w\")' | L -i", "echo 'coroutine.yield()' | L -i",
      "L -i nosuch.lua < /dev/null", "printf 'print(...)\\narg[0]\\n' | L -i returns.lua x",
    },
  }
  for name, commands in pairs(groups) do
    describe("for " .. name .. ":", function()
      for _, command in ipairs(commands) do
        it(command, function() same(command) end)
      end
    end)
  end
end)

-- The one difference: where a file, or standard input, is the source, it must be text. What a
-- program loads by itself is Lua's business, and bytecode too (corpus/load.lua).
describe("binary chunks", function()
  local chunk
  before_each(function()
    chunk = os.tmpname()
    local f = assert(io.open(chunk, "wb"))
    f:write(string.dump(assert(load "print 'ran' return { ran = true }")))
    f:close()
  end)
  after_each(function() os.remove(chunk) end)

  it("are refused as scripts, from standard input, and by LUA_INIT", function()
    for _, command in ipairs { "L %s", "L < %s", "L - < %s", "LUA_INIT=@%s L -e ''", "L -i %s" } do
      local out, err = run(LRN, command:format(chunk), "")
      assert.is_nil(out:find("ran", 1, true))
      assert.matches("attempt to load a binary chunk %(mode is 't'%)", err)
    end
    local _, _, code = run(LRN, "L " .. chunk, "")
    assert.equal(1, code)
  end)

  it("are refused as modules of -l", function()
    local folder, name = chunk:match "^(.*)/([^/]*)$"
    local command = ("LUA_PATH='%s/?' L -l m=%s -e 'print(1)'"):format(folder, name)
    local out, err, code = run(LRN, command, "")
    assert.same({ "", 1 }, { out, code })
    assert.matches("^lua: error loading module '" .. name .. "' from file '" .. chunk ..
      "':\n\tattempt to load a binary chunk %(mode is 't'%)\n", err)
  end)

  it("are loaded by load, loadfile and dofile of a program, as it was written for lua", function()
    same(("L -e 'dofile %q print(loadfile(%q)().ran)'"):format(chunk, chunk))
    same(("LUA_PATH='%s/?' L -e 'print(require(%q).ran)'"):format(chunk:match "^(.*)/([^/]*)$"))
    same [[L -e 'print(load(string.dump(function(...) return select("#", ...) end))(1, 2))']]
  end)

  it("are no files of lrn", function()
    local v, message = lrn.load(chunk)
    assert.is_nil(v)
    assert.is_string(message)
  end)
end)

describe("long options", function()
  it("are listed where one is misspelt, and by --help", function()
    local out, err, code = run(LRN, "L --hepl", "")
    assert.same({ "", 1 }, { out, code })
    assert.matches("^lua: unrecognized option '%-%-hepl'\nusage: lua ", err)
    local help = run(LRN, "L --help", "")
    for _, option in ipairs { "--help", "--version", "--doctor", "--strict" } do
      assert.is_truthy(err:find(option, 1, true))
      assert.is_truthy(help:find(option, 1, true))
    end
  end)

  it("are no options behind a script, --, or as an argument of -e", function()
    same "L arguments.lua --strict --help"
    same "L -- --strict"
    same "L -e --help"
  end)

  describe("--strict", function()
    local function strict(command, input) return run(LRN, command, input or "") end

    it("makes reading and writing undeclared globals errors at their line", function()
      local _, err, code = strict("L --strict -", "local count = 1\nprint(cuont)")
      assert.equal(1, code)
      assert.matches("^lua: stdin:2: strict: global 'cuont' is read but was never declared", err)
      _, err, code = strict("L --strict -", "local x = 1\n\ny = 2")
      assert.equal(1, code)
      assert.matches("^lua: stdin:3: strict: global 'y' is written but was never declared", err)
      _, err = strict("L --strict -", "pritn(1)")
      assert.matches("did you mean 'print'%?", err)
      _, err = strict("L --strict -", "local function f() undefined_one = 1 end\nf()")
      assert.matches("^lua: stdin:1: strict: global 'undefined_one'", err)
    end)

    it("leaves declared ones alone, and lua's, and those of C", function()
      local out, err = strict([[L --strict -l s=string -W -e 'rawset(_G, "a", 1) a = 2
        lrn.strict.declare("b", "c") b = 3
        print(a, b, c, s.rep("x", 2), arg ~= nil, unpack, _G.jit)']])
      assert.same({ "2\t3\tnil\txx\ttrue\tnil\tnil\n", "" }, { out, err })
    end)

    it("lets LUA_INIT set what it likes", function()
      local out = strict [[LUA_INIT='x = 5' L --strict -e 'print(x)']]
      assert.equal("5\n", out)
    end)

    it("is borne by lrn itself, all modules and the prompt", function()
      local code = [[for _, entry in ipairs(lrn.help.entries()) do
          if entry.name:match "^strict" == nil and entry.topic ~= "plot" then
            local silent = setmetatable({ print = type }, { __index = _G, __newindex = _G })
            local ok, e = pcall(load(entry.example, entry.name, "t", silent))
            if not ok and e:find "strict:" then print(entry.name, e) end
          end
        end
        for _, name in ipairs(lrn.help.entries()) do local _ = lrn.help.text(name.name) end
        local m = lrn.RBM{ n_visible = 64, n_hidden = 4 }
        m:fit((lrn.data.digits()), { epochs = 1 })]]
      local out, err = strict("L --strict - 2>&1 | grep strict:; true", code)
      assert.same({ "", "" }, { out, err })
      assert.matches("> 1\n1\n> \n$", (strict("L --strict -i", "1\n")))
    end)

    it("does not take a table of globals that is taken", function()
      local _, err, code = strict [[LUA_INIT='setmetatable(_G, {})' L --strict -e 'print(1)']]
      assert.equal(1, code)
      assert.matches("strict.on: the table of globals has a metatable already", err)
    end)
  end)

  describe("--doctor", function()
    local clean = "env -u LRN_ISA -u LRN_NUM_THREADS -u LRN_LOG -u LRN_PATH -u LRN_DENSE " ..
      "-u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE -u LRN_PLOT_LIB -u LRN_PROGRESS "
    local function doctor(variables)
      return run(LRN, ("%s %s %s --doctor"):format(clean, variables or "", quote(LRN)), "")
    end

    it("says of each thing whether it is there, and what to do", function()
      local out, err, code = doctor("LRN_DATA=" .. quote(CORPUS))
      assert.equal("", err)
      for _, name in ipairs { "lrn", "OpenBLAS", "kernels", "threads", "memory", "plots",
        "NVIDIA driver", "CUDA", "data: digits", "data: MNIST", "terminal", "libedit",
        "temporary files" } do
        assert.is_truthy(("\n" .. out):find("\n%l+ +" .. name:gsub("%p", "%%%0") .. " "), name)
      end
      for line in out:gmatch "[^\n]+" do
        assert.is_truthy(line:find "^ok " or line:find "^missing " or line:find "^wrong " or
          line:find "^ +to do: " or line:find "^%d+ wrong, %d+ missing", line)
      end
      assert.equal(out:find "\nwrong" and 1 or 0, code)
    end)

    it("finds settings that are wrong, and gives 1", function()
      for variable, text in pairs {
        ["LRN_NUM_THREADS=x"] = "LRN_NUM_THREADS +got x, expected an integer",
        ["LRN_LGO=info"] = "LRN_LGO .*did you mean LRN_LOG", ["LRN_LOG=loud"] = "LRN_LOG +got loud",
        ["OPENBLAS_L2_SIZE=7"] = "OPENBLAS_L2_SIZE +7", ["LRN_DATA=/nowhere"] = "data: LRN_DATA",
        ["LRN_PLOT_LIB=/nowhere/x.so"] = "plots" } do
        local out, _, code = doctor(variable)
        assert.equal(1, code, variable)
        assert.matches("wrong +" .. text, out)
      end
    end)
  end)
end)
