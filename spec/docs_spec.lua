-- What README.md and docs/ say is tried: Lua blocks run, what they are said to print is what they
-- print, and files that are named exist.
--
-- A block that begins with "```lua" runs in an environment of its own, in an empty folder; one
-- that is marked "```lua norun" is only compiled. A "```text" block that follows a Lua block after
-- the one word "prints" is its output: words are compared exactly, numbers within 5 %, since their
-- last digits depend on OpenBLAS's core.
local lfs = require "lfs"
local lrn = require "lrn"

local function lines(command)
  local pipe <close> = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function exists(path)
  return lfs.attributes(path, "mode") ~= nil
end

local folders = { scripts = true, docs = true, examples = true, spec = true, src = true,
  cuda = true }
local pages = lines "ls README.md docs/*.md"

-- Fenced blocks of a page: { info =, code =, line =, before = text between it and the last one }
local function blocks(path)
  local list, block, before, n = {}, nil, {}, 0
  for line in io.lines(path) do
    n = n + 1
    local info = line:match "^%s*```(.*)$"
    if not info then
      local into = block and block.body or before
      into[#into + 1] = line
    elseif block then
      block.code = table.concat(block.body, "\n") .. "\n"
      list[#list + 1], block, before = block, nil, {}
    else
      block = { info = info, line = n, body = {}, before = table.concat(before, " ") }
    end
  end
  assert.is_nil(block, path .. ": a block is not closed")
  return list
end

-- Runs code in an empty folder; what it printed.
local function run(code, name)
  local printed = {}
  local env = setmetatable({ print = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    printed[#printed + 1] = table.concat(parts, "\t")
  end }, { __index = _G })
  local chunk = assert(load(code, name, "t", env))
  local here, folder = lfs.currentdir(), os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
  assert(lfs.chdir(folder))
  local ok, message = xpcall(chunk, debug.traceback)
  assert(lfs.chdir(here))
  os.execute(("rm -rf '%s'"):format(folder))
  assert(ok, message)
  return table.concat(printed, "\n") .. "\n"
end

local NUMBER = "%-?%d+%.?%d*"

local function same_output(got, expected, where)
  assert.equal((expected:gsub(NUMBER, "#"):gsub("%s+", " ")), (got:gsub(NUMBER, "#"):gsub("%s+",
    " ")), where)
  local next_number = expected:gmatch(NUMBER)
  for number in got:gmatch(NUMBER) do
    local x, want = tonumber(number), tonumber(next_number())
    assert.is_true(math.abs(x - want) <= 0.05 * math.abs(want),
      ("%s: prints %s, said to print %s"):format(where, x, want))
  end
end

describe("the documentation", function()
  local plots = pcall(require, "lrn.plot.cairo")

  it("has Lua blocks that run and print what they are said to print", function()
    -- Blocks that show are not to leave pictures in $TMPDIR.
    local terminal = plots and require "lrn.plot.terminal" or {}
    local show = terminal.show
    terminal.show = function() return "" end
    finally(function() terminal.show = show end)
    local count = 0
    for _, page in ipairs(pages) do
      local list = blocks(page)
      for i, block in ipairs(list) do
        local where = ("%s:%d"):format(page, block.line)
        if block.info == "lua norun" then
          assert(load(block.code, "=" .. where, "t"))
        elseif block.info == "lua" and (plots or not block.code:find("plot", 1, true)) then
          count = count + 1
          local printed = run(block.code, "=" .. where)
          local after = list[i + 1]
          if after and after.info == "text" and after.before:match "^%s*prints%s*$" then
            same_output(printed, after.code, where)
          end
        end
      end
    end
    assert.is_true(count >= 2)
  end)

  it("names only files that exist", function()
    local missing = {}
    for _, page in ipairs(pages) do
      local text, folder = read(page), page:match "^(.*/)" or ""
      for link in text:gmatch "%]%(([^)%s]+)%)" do
        if not link:find "^%a+:" and not link:find "^#" and not exists(folder .. link) then
          missing[#missing + 1] = page .. ": " .. link
        end
      end
      for path in text:gmatch "[%w_./-]+" do
        path = path:gsub("^%./", ""):gsub("[./]+$", "")
        local top = path:match "^(%w+)/"
        if top and folders[top] and not exists(path) then
          missing[#missing + 1] = page .. ": " .. path
        end
      end
    end
    assert.equal("", table.concat(missing, "\n"))
  end)

  it("has links to sections that exist", function()
    for _, page in ipairs(pages) do
      local sections = {}
      for title in ("\n" .. read(page)):gmatch "\n#+ ([^\n]+)" do
        sections[title:lower():gsub("[^%w -]", ""):gsub(" ", "-")] = true
      end
      for link in read(page):gmatch "%]%(#([^)]+)%)" do
        assert.is_true(sections[link] == true, page .. ": #" .. link)
      end
    end
  end)

  it("has the sections of decisions.md that comments refer to", function()
    local text = read "docs/decisions.md"
    local names = lines [[grep -rhoE 'docs/decisions\.md, "[^"]+"' CMakeLists.txt src cuda lua]]
    for _, found in ipairs(names) do
      local title = found:match '"([^"]+)"'
      assert.is_truthy(("\n" .. text):find("\n## " .. title .. "\n", 1, true), title)
    end
    assert.is_true(#names >= 4)
  end)

  it("has in the README the numbers of docs/results.md", function()
    local results = read "docs/results.md"
    local row_of_three = "\n| ([%w, ]+) | (%-?[%d.]+) | (%-?[%d.]+) |"
    for name, theirs, ours in read "README.md":gmatch(row_of_three) do
      local found = false
      for row in results:gmatch "[^\n]+" do
        local a, b = row:match "^| [^|]+| (%-?[%d.]+) | (%-?[%d.]+) |"
        found = found or a == theirs and b == ours
      end
      assert.is_true(found, name)
    end
  end)

  it("names an lrn version that is this one", function()
    assert.is_truthy(read "docs/changelog.md":find("## " .. lrn.version, 1, true))
  end)
end)
