-- Ctrl-C: stops what runs, leaves whole what it was about.
local program = dofile "spec/support/program.lua"
local file, has, quote, sh = program.file, program.has, program.quote, program.sh
local LRN = program.path
local Terminal = dofile "spec/support/terminal.lua"

describe("Ctrl-C", function()
  after_each(program.clean)

  it("stops a loop with an error at the line where it was", function()
    local name = file "io.write('ready\\n') io.flush()\nwhile true do\nend\n"
    local out, err, code = sh("timeout --preserve-status -s INT 0.5 LRN " .. name)
    assert.same({ "ready\n", 1 }, { out, code })
    assert.equal(LRN .. ": interrupted!", err:match "^[^\n]*")
    has(err, name .. ":2: in main chunk")
  end)

  it("can be caught, and the script goes on", function()
    local out, err, code = sh [[timeout --preserve-status -s INT 0.5 LRN -e '
      local ok, message = pcall(function() while true do end end)
      print(ok, message)']]
    assert.same({ "false\tinterrupted!\n", "", 0 }, { out, err, code })
  end)

  it("ends the program at once when it comes twice within a second", function()
    local name = file "while true do pcall(function() while true do end end) end"
    -- The subshell's own kill: background jobs of sh ignore SIGINT, but lrn sets its handler.
    local _, _, code = sh("LRN " .. name .. [[ &
      pid=$!; sleep 0.7; kill -INT $pid; sleep 0.2; kill -INT $pid; wait $pid]])
    assert.equal(130, code)
  end)

  it("twice, but slowly, does not end a script that catches it #slow", function()
    local _, _, code = sh([[LRN -e 'for i = 1, 2 do pcall(function() while true do end end) end
      os.exit(5)' & pid=$!; sleep 0.7; kill -INT $pid; sleep 1.2; kill -INT $pid; wait $pid]])
    assert.equal(5, code)
  end)

  it("on a terminal stops a running input, again and again", function()
    local t <close> = Terminal.open("LRN_HISTORY=none exec " .. quote(LRN))
    if not t then
      pending "no tmux, or it cannot open a terminal here"
      return
    end
    t:wait_last ">"
    for i = 1, 2 do
      t:line(("x = %d while true do end"):format(i))
      t:wait(("x = %d while true do end\n"):format(i))
      os.execute "sleep 0.3" -- nothing shows that it runs
      t:keys "C-c"
      t:wait_last ">"
      local _, stops = t:screen():gsub("%^Cinterrupted!\n", "")
      assert.equal(i, stops)
    end
    t:line "40 + x"
    t:wait "\n42\n"
  end)

  -- Runs `prepare`, then `code` with a Ctrl-C that comes a little after its start; a busy machine
  -- may take its time before. What it printed, its errors, its exit code.
  local function interrupted(code, prepare)
    return sh("timeout 60 LRN " .. file((prepare or "") .. [[

      local pid = assert(io.open "/proc/self/stat"):read "n"
      os.execute(("(sleep 0.3; kill -INT %d) &"):format(pid))
      ]] .. code))
  end

  describe("in coroutines", function()
    it("stops a loop in one that was resumed", function()
      local out, err, code = interrupted([[
        print(coroutine.resume(coroutine.create(function() while true do end end)))
        print(coroutine.running())
      ]])
      assert.equal("false\tinterrupted!\n", out:match "^[^\n]*\n")
      assert.same({ "", 0 }, { err, code })
    end)

    it("stops a loop in one that was wrapped, and the error goes up", function()
      local out, err, code = interrupted([[
        local function loop() while true do end end
        coroutine.wrap(function() coroutine.wrap(loop)() end)()
      ]])
      assert.same({ "", 1 }, { out, code })
      has(err, "interrupted!\nstack traceback:")
    end)

    it("stops a pcall in a coroutine in a pcall, the innermost one first", function()
      local out, _, code = interrupted([[
        print(pcall(coroutine.wrap(function()
          return "inner", pcall(function() while true do end end)
        end)))
      ]])
      assert.same({ "true\tinner\tfalse\tinterrupted!\n", 0 }, { out, code })
    end)

    it("stops whoever runs when they hand over to each other quickly", function()
      for _, body in ipairs { "while true do coroutine.yield() end",
                              "for i = 1, 50 do coroutine.yield() end" } do
        local _, err, code = interrupted(([[
          while true do
            local co = coroutine.create(function() %s end)
            while coroutine.status(co) ~= "dead" do assert(coroutine.resume(co)) end
          end]]):format(body))
        assert.equal(1, code)
        has(err, "interrupted!")
      end
    end)

    it("stops a __close handler that coroutine.close runs", function()
      local out, _, code = interrupted([[
        local co = coroutine.create(function()
          local x <close> = setmetatable({}, { __close = function() while true do end end })
          coroutine.yield()
        end)
        coroutine.resume(co)
        print(coroutine.close(co))
        print(coroutine.status(co))
      ]])
      assert.same({ "false\tinterrupted!\ndead\n", 0 }, { out, code })
    end)

    it("raises once: the code that caught it goes on", function()
      local out, _, code = interrupted([[
        local co = coroutine.create(function() while true do end end)
        local n = 0
        print(coroutine.resume(co))
        for i = 1, 100000 do n = n + 1 end
        print(n, debug.gethook())
      ]])
      assert.same({ "false\tinterrupted!\n100000\tnil\n", 0 }, { out, code })
    end)

    it("sets no hook where nobody interrupts", function()
      assert.equal("nil\tnil\n", (sh [[LRN -e 'local h
        coroutine.wrap(function() h = debug.gethook() end)() print(h, (debug.gethook()))']]))
    end)
  end)

  describe("in the engine", function()
    local function stops(what, prepare, call, after)
      it("stops " .. what, function()
        local out, err, status = interrupted("print(pcall(" .. call .. "))\n" .. (after or ""),
          prepare)
        assert.equal("false\tinterrupted!\n", out:match "^[^\n]*\n")
        assert.same({ "", 0 }, { err, status })
        if after then assert.equal("true\n", out:match "\n(.*)$") end
      end)
    end

    stops("a long chain, and the model is as before",
      [[local m = lrn.RBM{ n_visible = 60, n_hidden = 40 }
        local v, W = lrn.rand(5, 60), m.W:clone()
        local before = m:energy(v)]],
      "m.sample, m, 10, { steps = 1000000000 }",
      "print(m.W == W and m:energy(v) == before and #m:sample(3, { steps = 2 }) == 3)")

    stops("the enumeration of 2^24 states",
      "local m, v = lrn.RBM{ n_visible = 400, n_hidden = 24 }, lrn.zeros(4, 400)",
      "m.log_likelihood, m, v")

    stops("annealing",
      [[local m = lrn.RBM{ n_visible = 60, n_hidden = 50 }
        local v = lrn.zeros(4, 60)]],
      "m.log_likelihood, m, v, { temperatures = 100000000, burn = 1 }")

    stops("a step of the exact gradient, and the model is as before",
      [[local m = lrn.RBM{ n_visible = 200, n_hidden = 24, rule = "exact" }
        local W, data = m.W:clone(), lrn.rand(20, 200):round()]],
      "m.fit, m, data, { epochs = 1, progress = false }", "print(m.W == W)")

    stops("a product that takes seconds", "local a = lrn.rand(9000, 9000)", "a.mm, a, a")

    stops("a loop of short calls", "local a = lrn.rand(50)",
      "function() while true do a = a + 0 end end", "print(a:sum() > 0)")

    stops("training between its steps, which may go on",
      [[local m = lrn.RBM{ n_visible = 64, n_hidden = 32, seed = 3 }
        local data = lrn.rand(500, 64):round()]],
      "m.fit, m, data, { epochs = 1000000000, progress = false }",
      "m:fit(data, { epochs = 1, progress = false }) print(m.W:isfinite():all())")

    stops("training within a step of very many sweeps",
      [[local m = lrn.RBM{ n_visible = 64, n_hidden = 32, steps = 100000000 }
        local W, data = m.W:clone(), lrn.rand(20, 64):round()]],
      "m.fit, m, data, { epochs = 1, progress = false }", "print(m.W == W)")
  end)

  it("leaves a checkpoint whole, and training goes on from it bit for bit #slow", function()
    local path, plain = os.tmpname(), os.tmpname()
    local fit = [[
      local path, stop = ...
      local m = lrn.RBM{ n_visible = 64, n_hidden = 32, momentum = .5, seed = 3 }
      lrn.manual_seed(1)
      local data = lrn.rand(500, 64):round()
      local options = { epochs = 40, batch_size = 20, progress = false,
                        checkpoint = { path, 1 } }
      if stop == "slowly" then
        options.callback = function(_, epoch)
          if epoch == 3 then io.write "ready\n" io.flush() while true do end end
        end
      elseif stop == "resume" then
        options.resume = path
      end
      m:fit(data, options)
      assert(m:save(path))
    ]]
    local name = file(fit)
    local function parameters(of)
      return (sh(("LRN -e 'local m = assert(lrn.load %q) io.write(m.W:tobytes(), m.b:tobytes())'")
        :format(of)))
    end
    assert.equal("", select(2, sh("LRN " .. name .. " " .. plain)))
    local _, err, code = sh("timeout --preserve-status -s INT 1 LRN " .. name .. " " .. path ..
      " slowly")
    assert.equal(1, code)
    has(err, "interrupted!")
    assert.equal("", select(2, sh("LRN " .. name .. " " .. path .. " resume")))
    assert.equal(parameters(plain), parameters(path))
    os.remove(path)
    os.remove(plain)
  end)
end)
