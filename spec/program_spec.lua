-- The program lrn: its command line, prompt and modules.

local program = dofile "spec/support/program.lua"
local file, has, quote, sh = program.file, program.has, program.quote, program.sh
local LRN, FOLDER = program.path, program.folder
local sanitized = os.getenv "LRN_SANITIZED"

describe("the program lrn", function()
  after_each(program.clean)

  describe("options", function()
    it("-e runs code, several in their order", function()
      assert.equal("1\n2\n", (sh [[LRN -e 'x = 1 print(x)' -e'print(x + 1)']]))
    end)

    it("-l puts a module into a global, or into one of another name", function()
      local path = file "return { answer = 42 }"
      local module = path:match "[^/]+$"
      local run = "LUA_PATH=" .. quote(path:match "^.*/" .. "?") .. " LRN -l "
      assert.equal("42\tnil\n", (sh(run .. module .. " -e 'print(" .. module .. ".answer, m)'")))
      assert.equal("42\tnil\n", (sh(run .. "m=" .. module .. " -e 'print(m.answer, " .. module .. ")'")))
      local _, err, code = sh "LRN -l nosuchmodule -e 'print(1)'"
      has(err, "module 'nosuchmodule' not found")
      assert.equal(1, code)
    end)

    it("-v prints Lua's version", function()
      assert.truthy((sh "LRN -v"):find "^Lua 5%.4%.%d+  Copyright")
    end)

    it("-E ignores LUA_INIT and LUA_PATH", function()
      local code = [[-e 'print(x, (package.path:find("nowhere")))']]
      assert.equal("1\t1\n", (sh("LUA_INIT='x = 1' LUA_PATH='nowhere;;' LRN " .. code)))
      assert.equal("nil\tnil\n", (sh("LUA_INIT='x = 1' LUA_PATH='nowhere;;' LRN -E " .. code)))
    end)

    it("-W turns warnings on, which are off", function()
      local _, err = sh [[LRN -e 'warn("a", "b")']]
      assert.equal("", err)
      _, err = sh [[LRN -W -e 'warn("a", "b")']]
      assert.equal("Lua warning: ab\n", err)
      _, err = sh [[LRN -e 'warn("@on") warn("a") warn("@off") warn("b") warn("@on", "c")']]
      assert.equal("Lua warning: a\n", err)
    end)

    it("-- ends the options, - is standard input", function()
      local name = file "print('script', ...)"
      assert.equal("script\t-e\n", (sh("LRN -- " .. name .. " -e")))
      assert.equal("in\ta\tb\n", (sh("LRN - a b", "print('in', ...)")))
      assert.equal("in\n", (sh("LRN", "print('in', ...)")))
      assert.equal("", (sh("LRN -e ''", "print('in', ...)")))
      local _, err, code = sh("cd /nowhere 2> /dev/null; LRN -- -", "print 'in'")
      has(err, "cannot open -")
      assert.equal(1, code)
    end)

    it("--help and --version say what is there", function()
      local out, err, code = sh "LRN --help"
      has(out, "usage:")
      assert.same({ "", 0 }, { err, code })
      out, err, code = sh "LRN --version"
      assert.truthy(out:find("lrn " .. lrn.version, 1, true))
      for _, what in ipairs { "OpenBLAS", "kernels", "threads", "plots", "editing", "CUDA" } do
        has(out, what)
      end
      assert.same({ "", 0 }, { err, code })
    end)

    it("refuses an unknown option with the usage", function()
      for _, option in ipairs { "-x", "--unknown", "-vi", "-Ex", "-i2" } do
        local out, err, code = sh("LRN " .. option .. " -e 'print(1)'")
        assert.same({ "", 1 }, { out, code })
        has(err, "unrecognized option '" .. option .. "'\nusage:")
      end
      for _, option in ipairs { "-e", "-l", "-e -v" } do
        local _, err, code = sh("LRN " .. option)
        has(err, "needs argument")
        assert.equal(1, code)
      end
    end)
  end)

  describe("scripts", function()
    it("get their arguments as varargs and in arg, with negative indices", function()
      local name = file [[
        print(select("#", ...), ...)
        print(arg[0], #arg, arg[1], arg[2], arg[-1], arg[-2], arg[-3] ~= nil, arg[-4])
      ]]
      local out = sh("LRN -e 'y = 2' " .. name .. " a 'b c'")
      assert.equal(("2\ta\tb c\n%s\t2\ta\tb c\ty = 2\t-e\ttrue\tnil\n"):format(name), out)
      assert.equal("nil\tprint(arg[-1], arg[2])\n", (sh "LRN -e 'print(arg[-1], arg[2])'"))
    end)

    it("may start with a # line and have their name as chunk name", function()
      local name = file "#!/usr/bin/env lrn\nprint(debug.getinfo(1, 'S').source)\n"
      assert.equal("@" .. name .. "\n", (sh("LRN " .. name)))
    end)

    it("are text: binary chunks are refused, from files and standard input", function()
      local chunk = string.dump(assert(load "print(1)"))
      local name = file(chunk, "wb")
      for _, command in ipairs { "LRN " .. name, "LRN - < " .. name, "LRN < " .. name,
                                 "LUA_INIT=@" .. name .. " LRN -e 'x = 1'" } do
        local out, err, code = sh(command)
        local piped = command == "LRN < " .. name -- lua gives 0 there whatever happens
        assert.same({ "", piped and 0 or 1 }, { out, code })
        has(err, "attempt to load a binary chunk (mode is 't')")
      end
    end)

    it("that are not there, or do not compile, give exit code 1", function()
      local _, err, code = sh "LRN /nowhere/x.lua"
      has(err, "cannot open /nowhere/x.lua")
      assert.equal(1, code)
      _, err, code = sh [[LRN -e 'x = = 1']]
      has(err, "unexpected symbol near '='")
      assert.equal(1, code)
    end)

    it("set the exit code by os.exit, closing the state where asked", function()
      local close = [[setmetatable({}, { __gc = function() print "closed" end })]]
      local out, _, code = sh("LRN -e 'x = " .. close .. " os.exit(7, true)'")
      assert.same({ "closed\n", 7 }, { out, code })
      out, _, code = sh("LRN -e 'x = " .. close .. " os.exit(3)'")
      assert.same({ "", 3 }, { out, code })
      out, _, code = sh("LRN -e 'x = " .. close .. "'")
      assert.same({ "closed\n", 0 }, { out, code })
      _, _, code = sh "LRN -e 'os.exit(false)'"
      assert.equal(1, code)
    end)

    it("run in generational mode", function()
      assert.equal("generational\n", (sh [[LRN -e 'print(collectgarbage "incremental")']]))
    end)

    it("need arg to be a table", function()
      local _, err, code = sh("LRN -e 'arg = 1' " .. file "")
      has(err, "'arg' is not a table")
      assert.equal(1, code)
    end)
  end)

  describe("errors", function()
    it("come with a traceback and the program's name", function()
      local name = file "local function f() error 'oops' end\nf()\n"
      local out, err, code = sh("LRN " .. name)
      assert.same({ "", 1 }, { out, code })
      assert.equal(LRN .. ": " .. name .. ":1: oops", err:match "^[^\n]*")
      has(err, "stack traceback:")
      has(err, name .. ":2: in main chunk")
    end)

    it("that are objects are rendered by __tostring", function()
      local _, err, code = sh [[LRN -e 'error(setmetatable({},
        { __tostring = function() return "an object" end }))']]
      assert.same({ LRN .. ": an object\n", 1 }, { err, code })
      _, err, code = sh "LRN -e 'error {}'"
      has(err, "(error object is a table value)")
      assert.equal(1, code)
      _, err, code = sh "LRN -e 'error()'"
      has(err, "(error object is a nil value)")
      assert.equal(1, code)
    end)
  end)

  describe("LUA_INIT", function()
    it("runs code, or a file after @, before all else", function()
      assert.equal("1\n", (sh [[LUA_INIT='x = 1' LRN -e 'print(x)']]))
      local name = file "x = (x or 0) + 10"
      assert.equal("10\n", (sh("LUA_INIT=@" .. name .. " LRN -e 'print(x)'")))
      assert.equal("2\n", (sh [[LUA_INIT='x = 1' LUA_INIT_5_4='x = 2' LRN -e 'print(x)']]))
      assert.equal(lrn.version .. "\n", (sh [[LUA_INIT='print(lrn.version)' LRN -e 'x = 1']]))
    end)

    it("that fails ends the program", function()
      local out, err, code = sh [[LUA_INIT='error("bad init")' LRN -e 'print(1)']]
      assert.same({ "", 1 }, { out, code })
      has(err, "LUA_INIT:1: bad init")
    end)
  end)

  describe("globals", function()
    it("are those of lua and lrn", function()
      local code = [[local t = {} for k in pairs(_G) do t[#t + 1] = k end
        table.sort(t) print(table.concat(t, " "), getmetatable(_G))]]
      local ours = sh("LRN -e " .. quote(code))
      local theirs = sh("lua5.4 -e " .. quote(code))
      assert.equal(theirs, (ours:gsub("lrn ", "", 1)))
    end)

    it("hold the same lrn that require gives", function()
      assert.equal("true\n", (sh [[LRN -e 'print(rawequal(lrn, require "lrn"))']]))
    end)
  end)

  describe("the prompt", function()
    -- The output of a session without the first line and the echo.
    local function session(input, options)
      local out, err, code = sh("LRN -i " .. (options or "") .. [[ -e '_PROMPT="" _PROMPT2=""']],
        input)
      return out:gsub("^[^\n]*\n", ""), err, code
    end

    it("prints results, reads inputs of several lines, and echoes what is not typed", function()
      local out, err, code = sh("LRN -i", "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\n=nil, 'a'\nx = 1")
      assert.same({ "", 0 }, { err, code })
      assert.equal("> 1 + 1\n2\n> for i = 1, 2 do\n>> print(i)\n>> end\n1\n2\n> =nil, 'a'\nnil\ta\n" ..
        "> x = 1\n> \n", (out:gsub("^[^\n]*\n", "")))
    end)

    it("does what lua -i does, byte for byte", function()
      local input = "1+1\nx=3\nfor i=1,2 do\nprint(i)\nend\nx\nerror{}\n=x,nil\nlocal function\n" ..
        "f() end\nprint 'a' error 'b'\nreturn 1, 2\n\n-- nothing\n'a' .. \n'b'\n"
      local out, err, code = sh("LRN -i", input)
      local out2, err2, code2 = sh("lua5.4 -i", input)
      assert.same({ out2, err2, code2 }, { out, err, code })
    end)

    it("goes on after an error, with no program name in the message", function()
      local out, err, code = session "error 'a'\nx x\n2\n"
      has(out, "\n2\n")
      assert.equal(0, code)
      assert.truthy(err:find "^stdin:1: a\nstack traceback:")
      has(err, "stdin:1: syntax error near 'x'")
    end)

    it("takes its texts from _PROMPT and _PROMPT2, objects too", function()
      local out = sh("LRN -i", "_PROMPT = 'one>' _PROMPT2 = setmetatable({}, " ..
        "{__tostring = function() return 'two>' end})\nf(\n1)\n")
      has(out, "one>f(\ntwo>1)\n")
    end)

    it("prints through the global print", function()
      local out, err = session "print = nil\n1\n"
      has(err, "error calling 'print' (attempt to call a nil value)")
      has(out, "1\n")
    end)

    it("reads long lines and a last line without a newline", function()
      local long = ("x"):rep(20000)
      has((session("#'" .. long .. "'\n40 + 2")), "\n42\n")
      has((session("#'" .. long .. "'\n")), "\n20000\n")
    end)

    it("follows a script", function()
      local name = file "y = 11 print('script', ...)"
      local out = sh("LRN -i " .. name .. " a", "y\n")
      has(out, "script\ta\n> y\n11\n> \n")
    end)
  end)

  describe("modules", function()
    it("in C load", function()
      assert.equal("directory\n", (sh [[LRN -e 'print(require "lfs".attributes("/", "mode"))']]))
    end)

    it("lrn loads into a stock lua5.4", function()
      -- A sanitizer's runtime must come first in a program that was built without it.
      local preload = sanitized and "LD_PRELOAD=$(gcc -print-file-name=libasan.so):" ..
        "$(gcc -print-file-name=libubsan.so) " or ""
      local out, err, code = sh(preload .. "LUA_CPATH=" .. quote(FOLDER .. "/?.so") ..
        [[ lua5.4 -e 'local l = require "lrn" print(l.version, lrn)']])
      assert.same({ lrn.version .. "\tnil\n", "", 0 }, { out, err, code })
    end)

    it("busted runs inside lrn", function()
      local spec = file "describe('x', function() it('y', function() assert.equal(1, 1) end) end)"
      os.rename(spec, spec .. "_spec.lua")
      program.forget_later(spec .. "_spec.lua")
      local out, _, code = sh("cd / && LRN /usr/bin/busted --ignore-lua -o TAP " .. spec .. "_spec.lua")
      has(out, "ok 1 - x y")
      assert.equal(0, code)
    end)
  end)

  it("takes settings from its environment; an empty variable is an unset one", function()
    local function says(variables)
      local command = ("env %s %s -e %s"):format(variables, quote(LRN), quote
        "local s = lrn.set() io.write(tostring(s.dense), ' ', s.threads, ' ', lrn.build.isa)")
      local p <close> = assert(io.popen(command))
      return p:read "a"
    end
    local usual = says "-u LRN_DENSE -u LRN_NUM_THREADS -u LRN_ISA"
    assert.matches("^false %d+ %w+$", usual)
    assert.equal(usual, says "LRN_DENSE= LRN_NUM_THREADS= LRN_ISA=")
    assert.equal("true 3 generic", says "LRN_DENSE=1 LRN_NUM_THREADS=3 LRN_ISA=generic")
  end)

  it("starts fast", function()
    local n = 20
    local out = sh(("date +%%s%%N; for i in %s; do LRN -e ''; done; date +%%s%%N"):format(
      ("1 "):rep(n)))
    local a, b = out:match "(%d+)\n(%d+)"
    -- Printed, not asserted: the machine may be busy.
    io.write(("[start-up %.1f ms] "):format((b - a) / n / 1e6))
    assert.truthy(tonumber(b) > tonumber(a))
  end)
end)
