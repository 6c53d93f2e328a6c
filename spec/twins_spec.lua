-- No two files of the models share six lines, and no file has the same six twice: what two models
-- have in common is a row or a function. Blank lines, lone brackets and `end`s, comments and
-- #includes are no lines here; indentation does not count.
local SIZE = 6

local function lines(command)
  local pipe <close> = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

-- Text without comments, each replaced by the newlines that it has; strings are left alone.
local function code_of(text, is_lua)
  local function newlines(s) return (s:gsub("[^\n]", "")) end
  if is_lua then
    return (("\n" .. text):gsub("\n%s*%-%-[^\n]*", "\n"):sub(2))
  end
  return (text:gsub("/%*.-%*/", newlines):gsub("//[^\n]*", ""))
end

-- The lines that count: { text =, number = }
local function lines_of(text, is_lua)
  local list, number = {}, 0
  for line in (code_of(text, is_lua) .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    line = line:match "^%s*(.-)%s*$"
    local trivial = line:find "^[%s%(%){}%[%];,]*$" or line:find "^end[%s%)},;]*$" or
      line:find "^#%s*include"
    if not trivial then list[#list + 1] = { text = line, number = number } end
  end
  return list
end

-- Places where SIZE lines that count stand a second time: "a.c:10 and b.c:20"; a longer run is one.
local function twins(files)
  local seen, found = {}, {}
  for _, file in ipairs(files) do
    local list, last = lines_of(file.text, file.name:find "%.lua$"), -SIZE
    for i = 1, #list - SIZE + 1 do
      local parts = {}
      for k = 0, SIZE - 1 do parts[k + 1] = list[i + k].text end
      local key = table.concat(parts, "\n")
      local where = ("%s:%d"):format(file.name, list[i].number)
      if not seen[key] then
        seen[key] = where
      else
        if i > last + 1 then found[#found + 1] = seen[key] .. " and " .. where end
        last = i
      end
    end
  end
  return found
end

describe("the files of the models", function()
  it("share no six lines", function()
    local files = {}
    for _, name in ipairs(lines "ls src/model/*.c src/bind/lrbm.c lua/lrn/*.lua") do
      local f <close> = assert(io.open(name))
      files[#files + 1] = { name = name, text = f:read "a" }
    end
    assert.is_true(#files > 20)
    assert.same({}, twins(files))
  end)

  it("would be caught: a copy with other indentation, comments and braces between", function()
    local a = "int f(void) {\n  a();\n  b();\n  c(); /* why */\n\n  d();\n  e();\n}\n"
    local b = "#include \"x.h\"\n\nint f(void)\n{\n  x();\n}\nint g(int n) {\n    a();\n    // no\n"
      .. "    b();\n    c();\n    d();\n    e();\n    return n;\n}\n"
    assert.same({}, twins { { name = "a.c", text = a }, { name = "b.c", text = b } })
    b = b:gsub("int g%(int n%) {", "int f(void) {")
    assert.same({ "a.c:1 and b.c:7" },
      twins { { name = "a.c", text = a }, { name = "b.c", text = b } })
    local c = "local function f()\n  a()\n  b()\n  c() -- x\n  d()\n  e()\nend\n\n"
    assert.same({ "c.lua:1 and c.lua:9" }, twins { { name = "c.lua", text = c .. c } })
  end)
end)
