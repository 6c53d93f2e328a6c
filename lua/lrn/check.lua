--- Checks of arguments and options, and the one way Lua code of lrn raises an error.
-- Messages have one form, `function: argument: got VALUE, expected WHAT`, the position of the
-- first caller outside lrn, and a kind for `lrn.error.kind`.
local core = require "lrn.core"

-- Kept, as the prompt checks with them whatever a script makes of the globals.
local getmetatable, ipairs, math, next, pairs, pcall, rawget, select, table, tostring, type =
  getmetatable, ipairs, math, next, pairs, pcall, rawget, select, table, tostring, type
local debug = debug

local M = {}

-- Files of lrn have this in front of their names: "@/path/lrn/", or what embedded files are called.
local ours = debug.getinfo(1, "S").source:match("^(.*)check%.lua$") or "\0"

--- Raises an error of that kind at the line that called lrn.
-- @param kind "argument", "size", "value", "type", "build", "memory" or "state"
-- @param format, ... as for string.format
function M.raise(kind, format, ...)
  local message = select("#", ...) > 0 and format:format(...) or format
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and (info.what == "C" or info.source:sub(1, #ours) == ours) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  core.raise(kind, message, info and level or 0) -- 0: without a position, where a tail call took it
end

--- Is v a tensor?
function M.is_tensor(v)
  return core.is_tensor(v)
end

--- Raises for what is no tensor, or a closed one.
function M.tensor(where, name, t)
  if not core.is_tensor(t) then
    M.raise("type", "%s: %s: got %s, expected a tensor", where, name, M.show(t))
  end
  M.open(where, name, t)
end

--- Raises for a closed tensor.
function M.open(where, name, t)
  if not pcall(function() return t.ndim end) then
    M.raise("state", "%s: %s: got a closed tensor, expected an open one", where, name)
  end
end

--- Sizes as text: "[64, 784]".
function M.shape(t)
  return "[" .. table.concat(t.shape, ", ") .. "]"
end

--- A value as it stands in a message.
function M.show(v)
  local kind = type(v)
  if kind == "string" then
    return #v <= 60 and ("%q"):format(v):gsub("\\\n", "\\n") or ("%q..."):format(v:sub(1, 57))
  elseif kind == "number" or kind == "nil" or kind == "boolean" then
    return tostring(v)
  elseif core.is_tensor(v) then
    local ok, text = pcall(function() return v.dtype .. M.shape(v) end)
    return ok and "a tensor " .. text or "a closed tensor"
  end
  return "a " .. kind
end

-- Levenshtein's distance, by rows.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local change = diagonal + (a:byte(i) == b:byte(j) and 0 or 1)
      row[j] = math.min(change, above + 1, row[j - 1] + 1)
      diagonal = above
    end
  end
  return row[#b]
end

--- The name of the list that a typing error most likely meant; nil where none is near.
function M.nearest(name, names)
  if #name > 100 then return nil end
  local best, least = nil, math.max(2, #name // 3) + 1
  for _, candidate in ipairs(names) do
    local d = distance(name:lower(), candidate:lower())
    if d < least and d < #candidate then best, least = candidate, d end
  end
  return best
end

--- Keys of a table that are strings, sorted.
function M.names(t)
  local list = {}
  for key in next, t do
    if type(key) == "string" then list[#list + 1] = key end
  end
  table.sort(list)
  return list
end

--- Raises for a name that is not in the list: says which are, and the nearest.
function M.unknown(where, what, name, names)
  local near = type(name) == "string" and M.nearest(name, names)
  M.raise("argument", "%s: unknown %s %s%s; valid: %s", where, what,
    type(name) == "string" and "'" .. name .. "'" or M.show(name),
    near and " (did you mean '" .. near .. "'?)" or "",
    #names > 0 and table.concat(names, ", ") or "none")
end

local tests = {
  any = function() return true end,
  integer = function(v) return math.type(v) == "integer" or (math.type(v) == "float" and
    v == math.floor(v)
    and math.tointeger(v) ~= nil) end,
  tensor = M.is_tensor,
  callable = function(v)
    if type(v) == "function" then return true end
    local meta = getmetatable(v)
    return type(meta) == "table" and meta.__call ~= nil
  end,
  writer = function(v)
    local ok, write = pcall(function() return v.write end)
    return ok and type(write) == "function"
  end,
}
local words = { integer = "an integer", number = "a number", boolean = "true or false",
  string = "a string", table = "a table", ["function"] = "a function", callable = "a function",
  tensor = "a tensor", writer = "something with a method write", any = "a value" }

local function is_a(v, kind)
  local test = tests[kind]
  if test then return test(v) end
  return type(v) == kind
end

local function expected(rule)
  local parts = {}
  for kind in rule[1]:gmatch("[^|]+") do parts[#parts + 1] = words[kind] or kind end
  local text = table.concat(parts, " or ")
  if rule.choices then
    local quoted = {}
    for i, choice in ipairs(rule.choices) do quoted[i] = ("%q"):format(choice) end
    text = table.concat(quoted, " or ")
  end
  local limits = {}
  if rule.min then limits[#limits + 1] = ">= " .. rule.min end
  if rule.max then limits[#limits + 1] = "<= " .. rule.max end
  return #limits > 0 and text .. " " .. table.concat(limits, " and ") or text
end

--- A value after a rule `{kind, default, min =, max =, choices =}`; kind may be "string|table".
-- @return the value (an integer as one, the default for nil)
function M.value(where, name, v, rule)
  if v == nil then
    if not rule.required then return rule[2] end
    M.raise("argument", "%s: %s: missing, expected %s", where, name, expected(rule))
  end
  local good = false
  for kind in rule[1]:gmatch("[^|]+") do
    if is_a(v, kind) then
      good = true
      if kind == "integer" then v = math.tointeger(v) end
      break
    end
  end
  local fits = good
  if good and type(v) == "number" then
    fits = v == v and not (rule.min and v < rule.min) and not (rule.max and v > rule.max)
  elseif good and rule.choices then
    fits = false
    for _, choice in ipairs(rule.choices) do fits = fits or choice == v end
  end
  if not fits then
    local ranged = good or type(v) == "number" and (rule[1]:find "integer" or rule[1]:find "number")
    M.raise(ranged and "value" or "type", "%s: %s: got %s, expected %s", where, name, M.show(v),
      expected(rule))
  end
  return v
end

--- A table of options after its rules: checked, defaults filled in. Unknown names raise.
-- @usage local o = check.options("fit", options, { epochs = { "integer", 10, min = 0 } })
function M.options(where, options, rules)
  if options ~= nil and type(options) ~= "table" then
    M.raise("type", "%s: options: got %s, expected a table", where, M.show(options))
  end
  local result = {}
  for name in next, options or result do -- raw: options are what stands in the table
    if not rules[name] then M.unknown(where, "option", name, M.names(rules)) end
  end
  for name, rule in pairs(rules) do
    result[name] = M.value(where, name, options and rawget(options, name), rule)
  end
  return result
end

--- Makes the methods of a class check what they are called on: `m.fit(data)` for `m:fit(data)`.
-- @param name of the class, as users know it
-- @param is whether a value is an object of it
function M.class(name, methods, is)
  for method, f in pairs(methods) do
    if type(f) == "function" and method:sub(1, 1) ~= "_" then
      methods[method] = function(self, ...)
        if not is(self) then
          M.raise("type", "%s: self: got %s, expected %s %s (call it as x:%s(...), with a colon)",
            method, M.show(self), name:find "^[AEIOU]" and "an" or "a", name, method)
        end
        return f(self, ...)
      end
    end
  end
end

return M
