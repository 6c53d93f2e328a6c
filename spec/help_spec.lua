-- Every exported function has a help entry, every entry names something, every example runs.
local lrn = require "lrn"
local help = lrn.help

-- name -> function, for all that lrn exports
local function exported()
  local names = {}
  local seen = {}
  local function walk(prefix, t)
    if seen[t] then return end
    seen[t] = true
    for name, value in pairs(t) do
      if type(name) == "string" and name:sub(1, 1) ~= "_" then
        if type(value) == "function" then
          names[prefix .. name] = value
        elseif type(value) == "table" and not lrn.is_tensor(value) and
          (prefix .. name) ~= "models.rows" then
          walk(prefix .. name .. ".", value)
        end
      end
    end
  end
  walk("", lrn)
  for _, class in ipairs { "RBM", "DBM", "Model", "Optimizer", "Dataset", "RatingRBM", "Ratings", "History",
    "Progress", "Tensor",
    "Generator", "Figure", "Axes", "Session" } do
    for name, f in pairs(help.class(class) or {}) do
      if type(f) == "function" and not name:find "^_" then names[class .. "." .. name] = f end
    end
  end
  return names
end

local plots = pcall(require, "lrn.plot.cairo") -- a build without them has no pictures to try

describe("help", function()
  it("has an entry for every exported function", function()
    local missing = {}
    for name, f in pairs(exported()) do
      if not help.find(name) and not help.find(f) then missing[#missing + 1] = name end
    end
    table.sort(missing)
    assert.equal("", table.concat(missing, " "))
  end)

  it("has no entry for what does not exist", function()
    local extra = {}
    for _, entry in ipairs(help.entries()) do
      if (plots or entry.topic ~= "plot") and help.resolve(entry.name) == nil then
        extra[#extra + 1] = entry.name
      end
      if entry.method and not help.class "Tensor"[entry.name] then
        extra[#extra + 1] = "Tensor." .. entry.name
      end
      if entry.inplace and not help.class "Tensor"[entry.name .. "_"] then
        extra[#extra + 1] = entry.name .. "_"
      end
    end
    assert.equal("", table.concat(extra, " "))
  end)

  it("has complete entries", function()
    local types = { string = true, number = true, boolean = true, ["nil"] = true, table = true }
    local seen = {}
    for _, entry in ipairs(help.entries()) do
      assert.is_nil(seen[entry.name], entry.name)
      seen[entry.name] = true
      assert.is_true(type(entry.text) == "string" and #entry.text > 0, entry.name)
      for _, p in ipairs(entry.params or {}) do
        assert.is_true(type(p[1]) == "string" and type(p[2]) == "string" and type(p[3]) == "string",
          entry.name)
        assert.is_true(types[type(p[4])], entry.name)
      end
      for _, r in ipairs(entry.returns or {}) do
        assert.is_true(type(r[1]) == "string" and type(r[2]) == "string", entry.name)
      end
      assert.is_string(entry.example, entry.name)
    end
  end)

  it("has examples that run", function()
    local print_before = print
    local failed = {}
    -- Examples that show are not to leave pictures in $TMPDIR.
    local terminal = plots and require "lrn.plot.terminal" or {}
    local show = terminal.show
    terminal.show = function() return "" end
    finally(function() terminal.show = show end)
    for _, entry in ipairs(help.entries()) do
      if plots or entry.topic ~= "plot" then
        local chunk, message = load(entry.example, "=" .. entry.name, "t",
          setmetatable({ lrn = lrn, print = function() end }, { __index = _G }))
        local ok = chunk ~= nil
        if ok then ok, message = pcall(chunk) end
        if not ok then failed[#failed + 1] = entry.name .. ": " .. tostring(message) end
      end
    end
    assert.equal(print_before, print)
    assert.equal("", table.concat(failed, "\n"))
  end)

  it("finds entries by name and by function, also as methods", function()
    assert.equal("RBM.fit", help.find "RBM:fit".name)
    assert.equal("data.digits", help.find "lrn.data.digits".name)
    assert.equal("data.digits", help.find(lrn.data.digits).name)
    assert.equal("RBM.fit", help.find(lrn.RBM { n_visible = 2, n_hidden = 2 }.fit).name)
    assert.is_not_nil(help.find "exp")
    assert.is_not_nil(help.find(lrn.zeros(1).exp))
  end)

  it("prints signature, parameters with defaults, returns and example", function()
    local text = help.text "RBM.fit"
    assert.matches("^rbm:fit%(data, options%)\n", text)
    assert.matches("options.batch_size +integer: .* %[128%]\n", text)
    assert.matches("\n  returns number: ", text)
    assert.matches("\n  example:\n    local train", text)
  end)

  it("searches words, and says where it knows nothing", function()
    assert.matches("data.split", help.text "splits random":gsub("Dataset", "data"))
    assert.equal('no help for "xyzzy"', help.text "xyzzy")
    assert.matches("no help for a function", help.text(function() end))
    assert.matches("RBM.fit", help.text())
  end)
end)
