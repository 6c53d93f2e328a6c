-- The layer rule of docs/architecture.md, read from the #include lines of the sources, and the
-- rule that no Lua module sets a global.

-- What a folder may include beside itself: the folders to its left.
local MAY = {
  base = {},
  kernel = {},
  device = { "base", "kernel" },
  cpu = { "base", "kernel", "device" },
  cuda = { "base", "kernel", "device" },
  tensor = { "base", "kernel", "device", "cpu" },
  io = { "base", "kernel", "device", "cpu", "tensor" },
  model = { "base", "kernel", "device", "cpu", "tensor", "io" },
  bind = { "base", "kernel", "device", "cpu", "tensor", "io", "model" },
  program = {}, -- a host like any other: the public headers
}
local KERNEL_SYSTEM = { ["math.h"] = true, ["stdint.h"] = true, ["string.h"] = true }

local function lines(command)
  local p = assert(io.popen(command))
  local list = {}
  for line in p:lines() do list[#list + 1] = line end
  p:close()
  return list
end

local function read(name)
  local f = assert(io.open(name))
  local text = f:read "a"
  f:close()
  return text
end

-- Everything of C below src/ and cuda/: name, layer ("base", ..., "" for src/ itself), text.
local function sources()
  local list = {}
  for _, name in ipairs(lines "find src cuda -type f | LC_ALL=C sort") do
    local layer = name:match "^src/(%w+)/" or name:match "^(cuda)/" or ""
    list[#list + 1] = { name = name, layer = layer, text = read(name) }
  end
  return list
end

-- Calls f(source, kind, header) for each #include; kind is '"' or '<'.
local function each_include(f)
  for _, source in ipairs(sources()) do
    for kind, header in source.text:gmatch '\n[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]' do
      f(source, kind, header)
    end
  end
end

local function layer_of(source, header)
  local folder = header:match "^(%w+)/"
  if folder and MAY[folder] then return folder end
  if header == "lrn.h" or header == "lrn_lua.h" or folder == nil then
    -- A file beside the includer, or a public header.
    local beside = source.name:match "^(.*/)" .. header
    local f = header:find "^lrn" == nil and io.open(beside)
    if f then
      f:close()
      return source.layer
    end
  end
end

local function check(rule)
  local broken = {}
  each_include(function(source, kind, header)
    local message = rule(source, kind, header)
    if message then
      broken[#broken + 1] = ("%s includes %s: %s"):format(source.name, header, message)
    end
  end)
  assert.same({}, broken)
end

describe("layers", function()
  it("has sources to look at", function()
    local n = 0
    each_include(function() n = n + 1 end)
    assert.truthy(n > 20)
  end)

  it("include only folders to their left", function()
    check(function(source, _, header)
      local from, to = source.layer, layer_of(source, header)
      if from == "" or to == nil or from == to then return end
      for _, allowed in ipairs(MAY[from] or {}) do
        if allowed == to then return end
      end
      return from .. " must not know " .. to
    end)
  end)

  it("every folder of src is a layer", function()
    for _, name in ipairs(lines "find src -mindepth 1 -maxdepth 1 -type d") do
      assert.truthy(MAY[name:match "[^/]+$"], name)
    end
  end)

  it("of kernel/ include nothing but math.h, stdint.h and string.h", function()
    check(function(source, kind, header)
      if source.layer ~= "kernel" or layer_of(source, header) == "kernel" then return end
      if kind ~= "<" or not KERNEL_SYSTEM[header] then return "kernel must not know it" end
    end)
  end)

  it("let only bind/ and the program see Lua", function()
    check(function(source, _, header)
      local name = header:match "[^/]+$"
      if name ~= "lua.h" and name ~= "lauxlib.h" and name ~= "lualib.h" and name ~= "luaconf.h" and
         name ~= "lrn_lua.h" and name ~= "lua.hpp" then
        return
      end
      if source.layer ~= "bind" and source.layer ~= "program" and source.name ~= "src/lrn.c" and
         source.name ~= "src/lrn_lua.h" then
        return "only bind/ and the program see Lua"
      end
    end)
  end)

  it("let only cuda/ see CUDA, and cairo and libedit only their bindings", function()
    check(function(source, _, header)
      if (header:find "^cuda" or header:find "^cublas" or header:find "^nv") and
         source.layer ~= "cuda" then
        return "only cuda/ sees CUDA"
      end
      if (header:find "cairo" or header:find "pango") and source.name ~= "src/bind/lcairo.c" then
        return "only lcairo.c draws"
      end
      if header == "histedit.h" and source.name ~= "src/program/editor.c" then
        return "only editor.c edits lines"
      end
    end)
  end)

  it("let public headers include only public headers and the C library", function()
    check(function(source, kind, header)
      if source.name ~= "src/lrn.h" and source.name ~= "src/lrn_lua.h" then return end
      if kind == '"' and header ~= "lrn.h" then return "it is private" end
    end)
  end)

  it("leave nothing to do in src, cuda, lua and examples", function()
    local todo = lines "grep -rnwE 'TODO|FIXME|XXX' src cuda lua examples --include='*.*'"
    assert.same({}, todo)
  end)
end)

describe("Lua modules", function()
  it("set no global and use only those of Lua", function()
    if #lines "command -v luac5.4" == 0 then
      pending "no luac5.4 here"
      return
    end
    local known = {}
    for name in pairs(_G) do known[name] = true end
    for _, name in ipairs { "describe", "it", "pending", "setup", "teardown", "before_each" } do
      known[name] = nil -- busted's
    end
    local broken = {}
    for _, name in ipairs(lines "find lua examples -name '*.lua' | LC_ALL=C sort") do
      for _, line in ipairs(lines("luac5.4 -p -l " .. name .. " 2>&1")) do
        local at, op, global = line:match '%[(%d+)%]%s+([SG]ETTABUP)%s.*_ENV "([^"]*)"'
        if line:find "^luac" then
          broken[#broken + 1] = line
        elseif op == "SETTABUP" then
          broken[#broken + 1] = ("%s:%s: sets the global %s"):format(name, at, global)
        elseif op == "GETTABUP" and (not known[global] or
               (global == "lrn" and name:find "^lua/")) then
          broken[#broken + 1] = ("%s:%s: uses the global %s"):format(name, at, global)
        end
      end
    end
    assert.same({}, broken)
  end)

  it("are text that Lua 5.4 reads without a name of a test", function()
    assert.same({}, lines "grep -rlE 'require[ (]*.(busted|luassert)' lua")
  end)
end)
