-- docs/embedding.md shows code of files that spec/install.sh compiles and runs, word by word.
local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function squeeze(text) return (text:gsub("%s+", " ")) end

-- One text of all files, without the margin of comments.
local function sources(folders)
  local list = {}
  for _, folder in ipairs(folders) do
    local pipe <close> = assert(io.popen("ls " .. folder .. "/*"))
    for path in pipe:lines() do list[#list + 1] = read(path) end
  end
  return squeeze(table.concat(list, "\n"):gsub("\n%*%* ?", "\n"))
end

-- The fenced blocks of a page in one of the languages: { code =, line =, info = }
local function blocks(path, languages)
  local list, block, n = {}, nil, 0
  for line in io.lines(path) do
    n = n + 1
    local info = line:match "^%s*```(.*)$"
    if info and block then
      block.code = squeeze(table.concat(block, "\n"))
      if languages[block.info] then list[#list + 1] = block end
      block = nil
    elseif info then
      block = { info = info, line = n }
    elseif block then
      block[#block + 1] = line
    end
  end
  return list
end

describe("docs/embedding.md", function()
  local text = sources { "examples/embed", "spec/hosts" }

  it("has code that stands in the examples and in the tests of hosts", function()
    local list = blocks("docs/embedding.md", { c = true, cpp = true, cmake = true })
    assert.is_true(#list >= 9)
    for _, block in ipairs(list) do
      assert.is_truthy(text:find(block.code, 1, true), "line " .. block.line .. ": " .. block.code)
    end
  end)

  it("has the commands of the examples' comments", function()
    local count = 0
    for _, block in ipairs(blocks("docs/embedding.md", { sh = true })) do
      if block.code:find "^cc " then
        count = count + 1
        assert.is_truthy(text:find(block.code, 1, true), block.code)
      end
    end
    assert.is_true(count >= 1)
  end)

  it("names every function of lrn_lua.h", function()
    local page = read "docs/embedding.md"
    for name in read "src/lrn_lua.h":gmatch "LRN_API [%w_ *]-([%w_]+)%(" do
      if name ~= "lrnL_totensor" then -- its twin is there
        assert.is_truthy(page:find(name, 1, true), name)
      end
    end
  end)
end)
