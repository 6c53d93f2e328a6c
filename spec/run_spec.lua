-- fit{ run = folder }: what a run of training leaves behind.
local lrn = require "lrn"
local core = require "lrn.core"
local history = require "lrn.history"

local plots = pcall(require, "lrn.plot.cairo")
local train, test = lrn.data.digits()

local folder
local function read(name, path)
  local f = io.open((path or folder) .. "/" .. name, "rb")
  if not f then return nil end
  local text = f:read "a"
  f:close()
  return text
end

local function options() return assert(core.json_decode(read "options.json")) end

local function exists(name) return core.exists(folder .. "/" .. name) end

local function model(o)
  o = o or {}
  o.n_visible, o.n_hidden, o.seed = o.n_visible or 64, o.n_hidden or 9, 5
  return lrn.RBM(o)
end

local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  return arg[lowest]
end

-- A program that trains, in a process of its own: exit code and what it printed.
local function child(code, prefix)
  local name = os.tmpname()
  local f = assert(io.open(name, "w"))
  f:write(code)
  f:close()
  local p = assert(io.popen(("%s '%s' %s 2>&1"):format(prefix or "", interpreter(), name)))
  local text = p:read "a"
  local _, _, status = p:close()
  os.remove(name)
  return status, text
end

describe("a run of training", function()
  local level
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    level = lrn.log.level "off"
  end)
  after_each(function()
    lrn.log.level(level)
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("leaves options, history, log and model", function()
    local m = model { momentum = 0.5 }
    assert(m:fit(train, { epochs = 3, batch_size = 200, run = folder, validation = test,
      callback = function() end }))
    local o = options()
    assert.equal("done", o.status)
    assert.same({ "RBM", 64, 9, 0.5, 5, "float32" }, { o.model.class, o.model.n_visible,
      o.model.n_hidden, o.model.momentum, o.model.seed, o.model.dtype })
    assert.same({ 3, 200, true, true }, { o.fit.epochs, o.fit.batch_size, o.fit.shuffle,
      o.fit.callback })
    assert.same({ 1437, "uint8", { 1437, 8, 8 } }, { o.data.size, o.data.dtype, o.data.shape })
    assert.equal(360, o.fit.validation.size)
    assert.same({ 5, lrn.version, lrn.build.blas, lrn.build.isa, lrn.set().threads },
      { o.seed, o.lrn, o.machine.blas, o.machine.isa, o.machine.threads })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", o.started)

    local h = assert(history.decode(read "history.json"))
    assert.same(m.history:metrics(), h:metrics())
    for name, list in pairs(m.history) do assert.same(list, h[name]) end

    local again = assert(lrn.load(folder .. "/model.safetensors"))
    assert.is_true(again.W == m.W)
    assert.same(m.history.mse, again.history.mse)

    local text = read "run.log"
    assert.matches("fit: RBM 64 x 9", text)
    for i = 1, 3 do assert.matches(("epoch %d/3: mse="):format(i), text) end
    assert.matches("fit: done after 3 epochs", text)
  end)

  it("has its history as CSV that reads back as the same numbers", function()
    local m = model()
    m:fit(train, { epochs = 2, run = folder })
    m:fit(train, { epochs = 2, run = folder, validation = test })
    local lines = {}
    for line in read "history.csv":gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal("epoch," .. table.concat(m.history:metrics(), ","), lines[1])
    assert.equal(5, #lines)
    for i = 1, 4 do
      local cells = {}
      for cell in (lines[i + 1] .. ","):gmatch "([^,]*)," do cells[#cells + 1] = cell end
      assert.equal(i, tonumber(cells[1]))
      for j, name in ipairs(m.history:metrics()) do
        local x = m.history[name][i]
        local cell = cells[j + 1]
        assert.is_true(x ~= x and cell == "nan" or x == tonumber(cell))
      end
    end
  end)

  it("leaves pictures, where plots are built", function()
    model():fit(train, { epochs = 1, run = folder })
    for _, name in ipairs { "filters.png", "reconstructions.png", "history.png" } do
      if plots then
        assert.equal("\137PNG", (read(name) or ""):sub(1, 4))
      else
        assert.matches("no picture " .. name, read "run.log", 1, true)
      end
    end
  end)

  it("leaves none where they are not wanted", function()
    model():fit(train, { epochs = 1, run = { path = folder, pictures = false } })
    assert.is_false(exists "filters.png" or exists "history.png")
    assert.is_true(exists "model.safetensors")
  end)

  it("says in its log which pictures there are not, and why", function()
    local m = model { n_visible = 7 } -- no square
    local batches = 0
    m:fit(function()
      batches = batches + 1
      return batches % 3 ~= 0 and lrn.zeros(4, 7) or nil
    end, { epochs = 1, run = folder })
    assert.is_false(exists "filters.png" or exists "reconstructions.png")
    local text = read "run.log"
    assert.matches("no picture filters.png: ", text)
    assert.matches("no picture reconstructions.png: ", text)
    assert.equal("iterator", options().data.kind)
    assert.equal("done", options().status)
  end)

  it("goes without plots in a build that has none", function()
    local status, text = child(("assert(lrn.RBM{ n_visible = 64, n_hidden = 4 }:fit( \z
      (lrn.data.digits()), { epochs = 1, run = %q }))"):format(folder),
      "LRN_PLOT_LIB=/nowhere/x.so")
    assert.same({ 0, "" }, { status, text })
    assert.matches("no picture history.png: .*cannot be opened", read "run.log")
    assert.is_true(exists "model.safetensors")
  end)

  it("trains the same model as without a folder, also what comes after", function()
    local a, b = model(), model()
    a:fit(train, { epochs = 2 })
    b:fit(train, { epochs = 2, run = folder })
    assert.is_true(a.W == b.W)
    assert.is_true(select(2, a:reconstruct(test)) == select(2, b:reconstruct(test)))
  end)

  it("has each epoch in its history before the callback sees it", function()
    local seen = {}
    model():fit(train, { epochs = 3, run = folder, callback = function(_, epoch)
      seen[epoch] = #history.decode(read "history.json")
      assert.equal("running", options().status)
    end })
    assert.same({ 1, 2, 3 }, seen)
  end)

  it("that the callback ends, or an error, says so", function()
    model():fit(train, { epochs = 5, run = folder, callback = function() return false end })
    assert.same({ "ended by the callback", 1 }, { options().status, options().epochs })
    assert.error_matches(function()
      model():fit(train, { epochs = 5, run = { path = folder, overwrite = true },
        callback = function(_, epoch) if epoch == 2 then error "no disk" end end })
    end, "no disk")
    assert.equal("stopped", options().status)
    assert.matches("no disk", options().error)
    assert.equal(2, #history.decode(read "history.json"))
    assert.matches("fit: stopped: .*no disk", read "run.log")
    assert.is_false(exists "model.safetensors") -- the model of the run that was overwritten
    lrn.log.info "after" -- the log is closed
    assert.is_nil(read "run.log":find("after", 1, true))
  end)

  it("refuses the folder of another run, which stays as it is", function()
    model():fit(train, { epochs = 2, run = folder })
    local before = {}
    for _, name in ipairs { "options.json", "history.json", "history.csv", "run.log",
      "model.safetensors" } do before[name] = read(name) end
    local other = model { learning_rate = 0.01 }
    local ok, message, code = other:fit(train, { epochs = 1, run = folder })
    assert.is_nil(ok)
    assert.matches("^fit: run: .* has a run of 2 epochs already .*overwrite = true", message)
    assert.equal("EEXIST", code)
    for name, text in pairs(before) do assert.equal(text, read(name)) end
  end)

  it("refuses a folder in which a file of one of its names lies", function()
    assert(lrn.io.mkdir(folder))
    local m = model()
    assert(m:save(folder .. "/model.safetensors"))
    local before = read "model.safetensors"
    local ok, message, code = model():fit(train, { epochs = 1, run = folder })
    assert.same({ nil, "EEXIST" }, { ok, code })
    assert.matches("has files already %(model%.safetensors%)", message)
    assert.equal(before, read "model.safetensors")
  end)

  it("overwrites where it is told to, and nothing else in the folder", function()
    model():fit(train, { epochs = 2, run = folder })
    local f = assert(io.open(folder .. "/notes.txt", "w"))
    f:write "mine"
    f:close()
    local m = model { learning_rate = 0.01 }
    assert(m:fit(train, { epochs = 1,
      run = { path = folder, overwrite = true, pictures = false } }))
    assert.equal(0.01, options().model.learning_rate)
    assert.equal(1, #history.decode(read "history.json"))
    assert.is_nil(options().before)
    assert.is_false(exists "filters.png") -- of the old run
    assert.equal("mine", read "notes.txt")
  end)

  it("takes the folder of a run that ended before its first epoch", function()
    pcall(model().fit, model(), lrn.full({ 8, 64 }, 0 / 0), { run = folder })
    assert.equal("stopped", options().status)
    assert(model():fit(train, { epochs = 1, run = folder }))
    assert.equal("done", options().status)
  end)

  it("goes on in its folder, from the model or from a checkpoint in it", function()
    local whole = model()
    whole:fit(train, { epochs = 6 })
    local m = model()
    m:fit(train, { epochs = 2, run = folder, checkpoint = {} })
    m:fit(train, { epochs = 2, run = folder })
    local again = model()
    assert(again:fit(train, { epochs = 6, run = folder, resume = folder .. "/model.safetensors" }))
    assert.is_true(again.W == whole.W)
    assert.same(whole.history.mse, history.decode(read "history.json").mse)
    assert.equal(2, #options().before)
    assert.same({ 2, 4, 6 }, { options().before[1].epochs, options().before[2].epochs,
      options().epochs })
    assert.equal(3, select(2, read "run.log":gsub("fit: done", "")))
  end)

  it("goes on after metrics came that it did not have, and where overwrite is set", function()
    local m = model()
    m:fit(train, { epochs = 1, run = folder, checkpoint = {} })
    m:fit(train, { epochs = 1, validation = test }) -- val_error is NaN before
    assert(m:fit(train, { epochs = 1, run = { path = folder, overwrite = true } }))
    assert.equal(1, #options().before)
    assert.equal(3, #history.decode(read "history.json"))
  end)

  it("resumes from an older checkpoint than its last epoch", function()
    local m = model()
    m:fit(train, { epochs = 4, run = folder, checkpoint = { folder .. "/at2.safetensors", 2 },
      callback = function(_, epoch) return epoch < 3 end })
    assert.equal(3, #history.decode(read "history.json"))
    local again = model()
    assert(again:fit(train, { epochs = 4, run = folder, resume = folder .. "/at2.safetensors" }))
    local whole = model()
    whole:fit(train, { epochs = 4 })
    assert.is_true(again.W == whole.W)
    assert.same(whole.history.mse, history.decode(read "history.json").mse)
  end)

  it("is whole when it is killed at any moment #slow", function()
    local code = ("local m = lrn.RBM{ n_visible = 64, n_hidden = 4, seed = 1 } \z
      io.write 'ready\\n' io.flush() m:fit((lrn.data.digits()), { epochs = 100000, \z
      run = { path = %q, overwrite = true }, checkpoint = {} })"):format(folder)
    for i = 1, 8 do
      child(code, ("timeout -s KILL %.2f"):format(0.3 + 0.041 * i))
      local o = options()
      assert.equal("running", o.status)
      local h = assert(history.decode(read "history.json"))
      assert.is_true(#h > 0)
      local rows = 0
      for line in read "history.csv":gmatch "([^\n]*)\n" do
        rows = rows + 1
        assert.equal(5, select(2, line:gsub(",", "")))
      end
      assert.is_true(math.abs(rows - 1 - #h) <= 1)
      local m = assert(lrn.load(folder .. "/model.safetensors"))
      assert.is_true(#m.history > 0)
      for k, x in ipairs(m.history.mse) do
        if h.mse[k] then assert.equal(h.mse[k], x) end
      end
    end
    -- and the last one goes on
    local m = lrn.RBM { n_visible = 64, n_hidden = 4, seed = 1 }
    local n = #assert(lrn.load(folder .. "/model.safetensors")).history
    assert(m:fit(train, { epochs = n + 1, run = folder, resume = folder .. "/model.safetensors" }))
    assert.same({ "done", n + 1 }, { options().status, options().epochs })
  end)

  it("in a folder that cannot be made, or written, gives nil, message, code", function()
    local f = assert(io.open(folder, "w"))
    f:close()
    local ok, message, code = model():fit(train, { epochs = 1, run = folder .. "/x" })
    assert.is_nil(ok)
    assert.matches("^fit: run: .*/x: ", message)
    assert.equal("ENOTDIR", code)
  end)

  it("refuses options that are none", function()
    local function raises(text, run)
      local ok, e = pcall(function() model():fit(train, { run = run }) end)
      assert.is_false(ok)
      assert.is_truthy(e:find(text, 1, true), e)
      assert.matches("run_spec%.lua:%d+: ", e)
    end
    raises("fit: run: got 3, expected a string or a table", 3)
    raises("fit: run: path: missing, expected a string", {})
    raises("fit: run: unknown option 'overwite' (did you mean 'overwrite'?)", { path = folder,
      overwite = true })
    raises("fit: run: path: got \"\", expected a folder", "")
    assert.is_false(core.exists(folder))
  end)
end)
