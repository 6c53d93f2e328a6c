--- Files: `lrn.save` and `lrn.load` of tables of tensors, texts and numbers; IDX and safetensors.
-- Everything goes through one container, safetensors: tensors under their names, the rest as JSON
-- in its metadata. Files hold data only; reading one runs no code.
local core = require "lrn.core"
local check = require "lrn.check"

local M = { idx = {}, safetensors = {} }

local DEPTH = 100 -- nesting of tables

-- {=== Values and their description ===
-- A value is described by JSON: a text, an integer, a finite float and a boolean by itself; else by
-- { tensor = name }, { hex = bytes of a text that is no UTF-8 }, { number = "nan" | "inf" | "-inf"
-- },
-- { list = [...] } or { map = [[key, value], ...] }.

local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function unhex(s)
  return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
end

-- pairs of a user's table, whose __pairs may give anything.
local function entries(value)
  local iterator, state, first = pairs(value)
  check.value("save", "__pairs of a value", iterator, { "callable", required = true })
  return iterator, state, first
end

local function describe(value, path, file, state)
  local kind = type(value)
  if kind == "string" then
    return utf8.len(value) and value or { hex = hex(value) }
  elseif kind == "boolean" or math.type(value) == "integer" then
    return value
  elseif kind == "number" then
    if value ~= value then return { number = "nan" } end
    if value == math.huge then return { number = "inf" } end
    if value == -math.huge then return { number = "-inf" } end
    -- a float that JSON would show as an integer
    if value == math.floor(value) then -- format writes the decimal point of the locale
      return { number = (("%.17g"):format(value):gsub("[^%de+-]+", ".")) }
    end
    return value
  elseif check.is_tensor(value) then
    check.open("save", "value", value)
    if not state.names[value] then
      local name = path == "" and "tensor" or path
      if not utf8.len(name) or name:find "[%c]" or name == "__metadata__" then name = "tensor" end
      local unique, i = name, 1
      while state.used[unique] do
        i = i + 1
        unique = name .. "#" .. i
      end
      state.used[unique], state.names[value] = true, unique
      file:put(unique, value)
    end
    return { tensor = state.names[value] }
  elseif kind == "table" then
    if state.open[value] then check.raise("value",
      "save: value%s: a table that contains itself cannot be saved", path ~= "" and " at " .. path
      or "") end
    if state.depth >= DEPTH then
      check.raise("value", "save: value: tables are nested deeper than %d", DEPTH)
    end
    local meta = getmetatable(value)
    if meta ~= nil and (type(meta) ~= "table" or not meta.__pairs) then
      check.raise("type",
        "save: value%s: got an object (%s), expected a plain table or a model at the top",
        path ~= "" and " at " .. path or "", type(meta) == "table" and
        type(meta.__name) == "string" and meta.__name or "a table with a metatable")
    end
    state.open[value], state.depth = true, state.depth + 1
    local n, count = #value, 0
    for _ in entries(value) do count = count + 1 end
    local result
    local function below(key)
      return path == "" and tostring(key) or path .. "." .. tostring(key)
    end
    if n == count and n > 0 then
      local list = {}
      for i = 1, n do list[i] = describe(value[i], below(i), file, state) end
      result = { list = list }
    else
      local map = {}
      local keys = {}
      for key in entries(value) do
        if type(key) == "table" or type(key) == "userdata" then
          check.raise("type", "save: value%s: a %s cannot be a key", path ~= "" and " at " .. path
            or "", type(key))
        end
        keys[#keys + 1] = key
      end
      table.sort(keys, function(a, b)
        if type(a) ~= type(b) then return type(a) < type(b) end
        if type(a) == "boolean" then return a and not b end
        return a < b
      end)
      for i, key in ipairs(keys) do
        map[i] = { describe(key, "", file, state), describe(value[key], below(key), file, state) }
      end
      result = { map = #map > 0 and map or false }
    end
    state.open[value], state.depth = nil, state.depth - 1
    return result
  end
  check.raise("type",
    "save: value%s: got %s, expected tensors, texts, numbers, booleans and tables of them",
    path ~= "" and " at " .. path or "", check.show(value))
end

local special = { nan = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

local function bad(what)
  error({ bad = what }, 0)
end

local function rebuild(d, file, depth)
  if type(d) ~= "table" then
    if d == nil then bad "null" end
    return d
  end
  if depth > DEPTH + 1 then bad "nested too deep" end
  if type(d.tensor) == "string" then
    return file:get(d.tensor) or bad(("no tensor %q"):format(d.tensor))
  elseif type(d.hex) == "string" then
    return unhex(d.hex)
  elseif d.number ~= nil then
    local x = special[d.number] or type(d.number) == "string" and tonumber(d.number)
    return x and x + 0.0 or bad "number"
  elseif type(d.list) == "table" then
    local list = {}
    for i = 1, #d.list do list[i] = rebuild(d.list[i], file, depth + 1) end
    return list
  elseif d.map == false then
    return {}
  elseif type(d.map) == "table" then
    local map = {}
    for i = 1, #d.map do
      local pair = d.map[i]
      if type(pair) ~= "table" or pair[1] == nil or pair[2] == nil then bad "a pair" end
      local key = rebuild(pair[1], file, depth + 1)
      if key ~= key then bad "a key that is NaN" end
      map[key] = rebuild(pair[2], file, depth + 1)
    end
    return map
  end
  bad "a description that is none"
end

-- }===

--- Writes a value: a tensor, a text, a number, a boolean, a table of these (also nested), or a
-- model. The old file stays whole until the new one is.
-- @return true; or nil, message, code
-- @usage local p = os.tmpname(); assert(lrn.save(p, { x = lrn.ones(2), note = "two" }));
-- os.remove(p)
function M.save(path, value)
  check.value("save", "path", path, { "string", required = true })
  for _, kind in ipairs { "lrn.rbm", "lrn.model" } do
    if require(kind).is(value) then return value:save(path) end
  end
  if value == nil then check.raise("argument", "save: value: missing, expected a value") end
  local file = core.file_new()
  local description = describe(value, "", file, { names = {}, used = {}, open = {}, depth = 0 })
  file:meta("lrn.format", "1")
  file:meta("lrn.value", core.json_encode { value = description })
  return file:save(path)
end

--- Reads what `lrn.save` or a model's `save` wrote; of another program's safetensors file: a table
-- from name to tensor.
-- @param options device: where a model goes ("cpu")
-- @return the value; or nil, message, code
-- @usage local p = os.tmpname(); lrn.save(p, { 1, 2 }); assert(#lrn.load(p) == 2); os.remove(p)
function M.load(path, options)
  check.value("load", "path", path, { "string", required = true })
  local o = check.options("load", options, { device = { "string", "cpu" } })
  local file, message, code = core.file_load(path)
  if not file then return nil, message, code end
  local format = file:meta "lrn.format"
  if format and format ~= "1" then
    return nil, ("load: %s: lrn.format: got %s, expected 1 (a newer lrn wrote it?)"):format(path,
      check.show(format)), "EFORMAT"
  end
  if file:meta "lrn.model" then return require "lrn.model".from_file(file, path, o.device) end
  if file:meta "lrn.class" == "DBM" then return require "lrn.dbm".from_file(file, path, nil, o.device) end
  if file:meta "lrn.class" then return require "lrn.rbm".from_file(file, path, nil, o.device) end
  local text = file:meta "lrn.value"
  if not text then
    local tensors = {}
    for _, name in ipairs(file:names()) do tensors[name] = file:get(name) end
    return tensors
  end
  local description
  description, message = core.json_decode(text)
  if type(description) ~= "table" then
    return nil, ("load: %s: lrn.value: %s"):format(path, message or "expected an object"), "EFORMAT"
  end
  local ok, value = pcall(rebuild, description.value, file, 0)
  if not ok then
    if type(value) == "table" and value.bad then
      return nil, ("load: %s: lrn.value: %s"):format(path, value.bad), "EFORMAT"
    end
    error(value, 0)
  end
  return value
end

--- Makes a folder, and those above it where they are missing.
-- @return true; or nil, message, code
-- @usage assert(lrn.io.mkdir("/tmp"))
function M.mkdir(path)
  check.value("mkdir", "path", path, { "string", required = true })
  return core.mkdir(path)
end

--- Fetches a file over HTTP: see lua/lrn/fetch.lua.
-- @usage local ok, message = lrn.io.fetch("http://127.0.0.1:1/x", "/tmp/x"); assert(not ok)
function M.fetch(url, path, options)
  return require "lrn.fetch".fetch(url, path, options)
end

--- The SHA-256 of a file, in hexadecimal digits.
-- @return the digits; or nil, message, code
-- @usage local p = os.tmpname(); print(lrn.io.sha256(p)); os.remove(p)
function M.sha256(path)
  check.value("sha256", "path", path, { "string", required = true })
  return core.sha256_file(path)
end

--- An IDX file, plain or .gz.
-- @return the tensor; or nil, message, code
-- @usage local t, message = lrn.io.idx.load("nowhere.idx"); assert(not t and message)
function M.idx.load(path)
  check.value("idx.load", "path", path, { "string", required = true })
  return core.idx_load(path)
end

--- Writes a tensor (uint8, int32, float32, float64) as IDX; compressed where path ends in .gz.
-- @return true; or nil, message, code
-- @usage local p = os.tmpname(); assert(lrn.io.idx.save(p, lrn.ones(2, 3))); os.remove(p)
function M.idx.save(path, t)
  check.value("idx.save", "path", path, { "string", required = true })
  check.value("idx.save", "t", t, { "tensor", required = true })
  return core.idx_save(path, t)
end

--- All tensors of a safetensors file, and its metadata.
-- @return table from name to tensor, table from key to text; or nil, message, code
-- @usage local t, message = lrn.io.safetensors.load("nowhere.safetensors");
-- assert(not t and message)
function M.safetensors.load(path)
  check.value("safetensors.load", "path", path, { "string", required = true })
  local file, message, code = core.file_load(path)
  if not file then return nil, message, code end
  local tensors = {}
  for _, name in ipairs(file:names()) do tensors[name] = file:get(name) end
  return tensors, file:metas()
end

--- Writes tensors under names, and metadata (texts).
-- @return true; or nil, message, code
-- @usage local p = os.tmpname(); assert(lrn.io.safetensors.save(p, { x = lrn.ones(2) }));
-- os.remove(p)
function M.safetensors.save(path, tensors, metadata)
  check.value("safetensors.save", "path", path, { "string", required = true })
  check.value("safetensors.save", "tensors", tensors, { "table", required = true })
  check.value("safetensors.save", "metadata", metadata, { "table" })
  for name, t in pairs(tensors) do
    if type(name) ~= "string" or not check.is_tensor(t) then
      check.raise("type",
        "safetensors.save: tensors: got %s under %s, expected tensors under names", check.show(t),
        check.show(name))
    end
  end
  local file = core.file_new()
  for _, name in ipairs(check.names(tensors)) do file:put(name, tensors[name]) end
  for key, text in pairs(metadata or {}) do
    if type(key) ~= "string" or type(text) ~= "string" then
      check.raise("type", "safetensors.save: metadata: got %s under %s, expected texts under names",
        check.show(text), check.show(key))
    end
    file:meta(key, text)
  end
  return file:save(path)
end

return M
