-- Every script below examples/, found by walking the folder, as a user runs it: in a process of its
-- own, shrunk to a few steps on the shipped digits. common.lua is what they share.
local lrn = require "lrn"
local program = dofile "spec/support/program.lua"
local has, sh, quote = program.has, program.sh, program.quote

local COMMON = { "--epochs", "--data", "--device", "--seed", "--out", "--limit", "--batch-size",
  "--no-progress", "--no-plots", "--no-download" }
-- Where the data are not images: what --data is to be, and what the example then says.
local DATA = { ["examples/ratings/recommend.lua"] = { "generated", "data: generated ratings" } }
local NO_PICTURE = { ["examples/models/create_models.lua"] = true } -- its models are not trained
-- They make their data themselves, and have no --data.
local OWN_DATA = { ["examples/sampling/ising.lua"] = true }
local plots, cairo = pcall(require, "lrn.plot.cairo")

local function lines(command)
  local pipe <close> = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

local function files(folder, kind)
  return lines(("find %s -name '*.%s' | LC_ALL=C sort"):format(quote(folder), kind))
end

local scripts = {}
for _, path in ipairs(files("examples", "lua")) do
  if path ~= "examples/common.lua" then scripts[#scripts + 1] = path end
end

local root = os.tmpname()
os.remove(root)

-- Runs a script into a folder; the text that it printed.
local function run(script, out, more)
  local data = DATA[script] or OWN_DATA[script] and { nil, "data: " } or { "digits", "data: UCI digits" }
  local text, err, code = sh(("LRN_SHOW=none LRN %s %s --epochs 2 --limit 160 \z
    --threads 1 --no-progress --out %s %s"):format(script, data[1] and "--data " .. data[1] or "",
    quote(out), more or ""))
  assert.same({ "", 0 }, { err, code }, script)
  has(text, data[2])
end

-- A model file without the seconds that its epochs took, which lengthen or shorten the header.
local function timeless(path)
  local file <close> = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  local n = ("<I8"):unpack(bytes)
  local header = bytes:sub(9, 8 + n):gsub([[\"time\":%[.-%],?]], ""):gsub(" +$", "")
  return header .. bytes:sub(9 + n)
end

describe("every class", function()
  it("has an example that makes one, and a section in docs/models.md", function()
    local sources = {}
    for i, script in ipairs(scripts) do
      local file <close> = assert(io.open(script))
      sources[i] = file:read "a"
    end
    local examples = table.concat(sources)
    local file <close> = assert(io.open "docs/models.md")
    local page = file:read "a"
    local names = sh [[LRN -e 'for name in pairs(lrn.models.rows) do print(name) end']]
    assert.is_true(#names > 0)
    for name in names:gmatch "%w+" do
      assert.is_truthy(examples:find("%f[%w]lrn%." .. name .. " "), name .. " has no example")
      has(page, "\n## " .. name .. "\n")
    end
  end)
end)

describe("every example", function()
  teardown(function() os.execute("rm -rf " .. quote(root)) end)

  it("is found", function()
    local found = table.concat(scripts, " ")
    has(found, "examples/rbm_training.lua")
    assert.is_true(#scripts > 10)
  end)

  it("says with --help what it does, and takes the common options", function()
    for _, script in ipairs(scripts) do
      local text, err, code = sh("LRN " .. script .. " --help")
      assert.same({ "", 0 }, { err, code }, script)
      text = text:gsub("%[no%-%]", "no-")
      for _, option in ipairs(COMMON) do
        local of_data = option == "--data" or option == "--no-download"
        assert.equal(not (of_data and OWN_DATA[script]), text:find(option, 1, true) ~= nil, option)
      end
      assert.matches("^usage: [%w_]+%.lua %[options%]\n\n%u.-%.\n\noptions:\n", text)
    end
  end)

  it("says in its first lines what it shows, and a command that it is run by", function()
    for _, script in ipairs(scripts) do
      local file <close> = assert(io.open(script))
      local head = file:read "a":match "^(.-)\nlocal "
      assert.matches("^%-%-%- %u", head, script)
      has(head, "\n--     lrn " .. script)
    end
  end)

  it("refuses an option that it does not have, and says which one it may be", function()
    for _, script in ipairs(scripts) do
      local text, err, code = sh("LRN " .. script .. " --epoch 3")
      assert.same({ "", 2 }, { text, code }, script)
      has(err, "unknown option --epoch (did you mean --epochs?)")
    end
  end)

  it("leaves models that load and pictures, and the same bytes with the same seed", function()
    for i, script in ipairs(scripts) do
      local first, second = root .. "/" .. i .. "a", root .. "/" .. i .. "b"
      run(script, first)
      run(script, second, "--no-plots")
      local models = files(first, "safetensors")
      assert.is_true(#models > 0, script)
      for _, path in ipairs(models) do
        assert(lrn.load(path))
        local twin = second .. path:sub(#first + 1)
        assert.is_true(timeless(path) == timeless(twin), script .. ": two runs with one seed differ")
      end
      local drawn = files(first, "png")
      assert.equal(plots and not NO_PICTURE[script], #drawn > 0, script)
      for _, path in ipairs(drawn) do
        local image <close> = assert(cairo.read_png(path))
        local width, height = image:size()
        assert.is_true(width >= 16 and height >= 16, path)
      end
      assert.equal(0, #files(second, "png"), script)
    end
  end)
end)
