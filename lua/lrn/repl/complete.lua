--- What could stand at the cursor: names, fields, methods, options, files, topics of help.
-- Completion runs no code of the user: tables are read without their metamethods, `__index` is
-- followed where it is a table. Only `__index` functions of lrn itself are called; all they do is
-- load a module or read a field.
local core = require "lrn.core"
local check = require "lrn.check"
local lex = require "lrn.repl.lex"

local find, sub, match = string.find, string.sub, string.match
local ipairs, load, next, pcall, rawequal, rawget, tonumber, type = ipairs, load, next, pcall,
  rawequal, rawget, tonumber, type
local os, package, require, sort = os, package, require, table.sort
local globals = _G
local getmetatable, getinfo = debug.getmetatable, debug.getinfo

local M = {}

-- {=== Values ===

-- Files of lrn have this in front of their names.
local ours = getinfo(1, "S").source:match "^(.*)repl/complete%.lua$" or "\0"

local function is_ours(f)
  local source = getinfo(f, "S").source
  return sub(source, 1, #ours) == ours
end

-- Classes of lrn, by the last word of their __name; help.class has their methods.
local aliases = { Model = "RBM" }

-- Fields beside methods; they need not be complete.
local fields = {
  Tensor = { "shape", "ndim", "numel", "dtype", "device", "strides" },
  Dataset = { "data", "targets", "classes", "name", "transform" },
  RBM = { "class", "history", "user" },
  RatingRBM = { "class", "history", "user", "n_items", "n_ratings", "levels" },
  Ratings = { "n_users", "n_items", "n_ratings", "levels", "name", "titles" },
}

local function help()
  local ok, module = pcall(require, "lrn.help")
  return ok and module or nil
end

-- A class's methods; pcall: a class may be missing from a build.
local function methods_of(class)
  local h = class and help()
  local ok, methods = pcall(function() return h and h.class(class) end)
  return ok and methods or nil
end

local function class_of(v)
  if core.is_tensor(v) then return "Tensor" end
  local kind = type(v)
  if kind ~= "table" and kind ~= "userdata" then return nil end
  local meta = getmetatable(v)
  local name = type(meta) == "table" and rawget(meta, "__name")
  local class = type(name) == "string" and match(name, "^lrn%..-(%w+)$")
  class = aliases[class] or class
  local row = class == "RBM" and kind == "table" and rawget(v, "_row")
  if type(row) == "table" and rawget(row, "kind") then class = rawget(row, "name") end
  return methods_of(class) and class or nil
end

-- The tables in which v's fields are, v itself first; and an __index function that ends the chain.
local function places(v)
  local list = {}
  for _ = 1, 50 do
    if type(v) == "table" then list[#list + 1] = v end
    local meta = getmetatable(v)
    local index = type(meta) == "table" and rawget(meta, "__index")
    if type(index) == "function" then return list, index end
    if type(index) ~= "table" then return list end
    v = index
  end
  return list
end

local function get(v, key)
  local list, index = places(v)
  for _, t in ipairs(list) do
    local value = rawget(t, key)
    if value ~= nil then return value end
  end
  local methods = methods_of(class_of(v))
  if methods and rawget(methods, key) ~= nil then return rawget(methods, key) end
  if index and type(v) == "table" and is_ours(index) then
    local ok, value = pcall(index, v, key)
    if ok then return value end
  end
  return nil
end

local function callable(v)
  if type(v) == "function" then return true end
  local meta = getmetatable(v)
  return type(meta) == "table" and rawget(meta, "__call") ~= nil
end

-- The name of a module of lrn below lrn, as in help entries; nil for another table.
local function module_name(t)
  for name, module in next, package.loaded do
    if rawequal(module, t) then return match(name, "^lrn%.(.*)$") end
  end
  return nil
end

-- Calls f(name, parameter) for the options that the help entry of that name lists, and for those of the
-- entry that it is like.
local function each_option(name, f)
  local h = help()
  local entry = h and h.find(name)
  while entry do
    for _, p in ipairs(entry.params or {}) do
      local option = match(p[1], "^options%.([%w_]+)$")
      if option then f(option, p) end
    end
    entry = entry.like and h.find(entry.like)
  end
end

-- Calls f(name, value) for the fields of v that can be known; value may be nil.
local function each_field(v, class, f)
  if v ~= nil then
    for _, t in ipairs((places(v))) do
      for key, value in next, t do
        if type(key) == "string" then f(key, value) end
      end
    end
  end
  local methods = methods_of(class)
  for key, value in next, methods or {} do f(key, value) end
  for _, key in ipairs(fields[class] or {}) do f(key) end
  if methods and v ~= nil and methods.parameters and is_ours(methods.parameters) then
    local ok, parameters = pcall(methods.parameters, v)
    for key, value in next, ok and type(parameters) == "table" and parameters or {} do
      f(key, value)
    end
  end
  if v ~= nil and class == "RBM" then each_option("RBM", f) end
  if type(v) == "table" and rawequal(v, package.loaded.lrn) then
    for _, entry in ipairs(help() and help().entries() or {}) do
      f(match(entry.name, "^%l[%w_]*") or match(entry.name, "^(%u%w*)$"))
    end
  elseif type(v) == "table" then -- a module that reads its parts at first use
    local _, index = places(v)
    local name = index and is_ours(index) and module_name(v)
    for _, entry in ipairs(name and help().entries() or {}) do
      if sub(entry.name, 1, #name + 1) == name .. "." then
        f(match(entry.name, "^[%w_]+", #name + 2))
      end
    end
  end
end

-- ===}

-- {=== Expressions, read backwards from a token ===

local closers = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

-- The position of the bracket that is open around token i; nil: none is.
local function enclosing(tokens, i)
  local depth = 0
  while i >= 1 do
    local text = tokens[i].kind == "symbol" and tokens[i].text
    if closers[text] then
      depth = depth + 1
    elseif text == "(" or text == "[" or text == "{" then
      if depth == 0 then return i end
      depth = depth - 1
    end
    i = i - 1
  end
  return nil
end

local function string_value(token)
  local f = load("return " .. token.text, "=", "t", {})
  return f and f()
end

-- What the expression that ends at token i is: `{ value =, class =, path = }`, path being its name
-- in the help where that is known; nil: nobody knows.
local expression

-- The help entry of an expression.
local function entry_of(e)
  local h = e and help()
  return h and (e.path and h.find(e.path) or type(e.value) == "function" and h.find(e.value)) or nil
end

-- The result of a call, after the help of what is called.
local function result_of(callee)
  local entry = entry_of(callee)
  local class = entry and entry.returns and entry.returns[1] and match(entry.returns[1][1], "^%a+")
  return methods_of(class) and { class = class, path = class } or nil
end

function expression(tokens, i, scope)
  local token = tokens[i]
  if not token then return nil end
  local before = tokens[i - 1] and tokens[i - 1].text
  if token.kind == "name" then
    if before == "." or before == ":" then
      local object = expression(tokens, i - 2, scope)
      if not object then return nil end
      local path = object.path and (object.path == "" and token.text or
        object.path .. "." .. token.text)
      if object.value == nil then
        local methods = methods_of(object.class)
        return methods and { value = rawget(methods, token.text), path = path } or nil
      end
      local value = get(object.value, token.text)
      return { value = value, class = class_of(value), path = class_of(value) or path }
    end
    local value = scope(token.text)
    if value == nil then return nil end
    local class = class_of(value)
    return { value = value, class = class,
      path = class or rawequal(value, package.loaded.lrn) and "" or
        type(value) == "table" and module_name(value) or nil }
  elseif token.kind == "string" then
    if i > 1 and (tokens[i - 1].kind == "name" or closers[before]) then -- f"text"
      return result_of(expression(tokens, i - 1, scope))
    end
    return { value = string_value(token) }
  elseif closers[token.text] and token.kind == "symbol" then
    local open = enclosing(tokens, i - 1)
    if not open then return nil end
    local left = tokens[open - 1]
    local applied = left and (left.kind == "name" or left.kind == "string" or closers[left.text])
    if token.text == "]" then
      local object = applied and open == i - 2 and expression(tokens, open - 1, scope)
      local key = object and object.value ~= nil and tokens[i - 1]
      if not key or key.kind ~= "string" and key.kind ~= "number" then return nil end
      local value = get(object.value, key.kind == "number" and tonumber(key.text) or
        string_value(key))
      return { value = value, class = class_of(value), path = class_of(value) }
    elseif applied then
      return result_of(expression(tokens, open - 1, scope))
    elseif token.text == ")" and open < i - 1 then
      return expression(tokens, i - 1, scope)
    end
  end
  return nil
end

-- ===}

-- {=== The parts of a line ===

-- Names that the text itself declares or uses.
local function own_names(tokens, last, add)
  for i = 1, last do
    local before = tokens[i - 1] and tokens[i - 1].text
    if tokens[i].kind == "name" and before ~= "." and before ~= ":" then add(tokens[i].text) end
  end
end

-- The options of the call f{ ... or f(x, { ... in which a key may stand behind token `last`.
local function option_names(tokens, last, scope)
  local token = tokens[last]
  if not token or token.kind ~= "symbol" or not find(token.text, "^[{,;]$") then return nil end
  local open = enclosing(tokens, last)
  if not open or tokens[open].text ~= "{" then return nil end
  local left = tokens[open - 1]
  if left and (left.text == "(" or left.text == ",") then
    open = enclosing(tokens, open - 1)
    if not open or tokens[open].text ~= "(" then return nil end
  end
  local callee = expression(tokens, open - 1, scope)
  local entry = entry_of(callee)
  local names
  if entry then
    each_option(entry.name, function(name)
      names = names or {}
      names[#names + 1] = name
    end)
  end
  return names
end

local function collector(prefix)
  local list, seen = {}, {}
  return list, function(name)
    if type(name) == "string" and not seen[name] and sub(name, 1, #prefix) == prefix then
      seen[name] = true
      list[#list + 1] = name
    end
  end
end

local function file_names(text, list_folder)
  local folder, prefix = match(text, "^(.*/)([^/]*)$")
  folder, prefix = folder or "", prefix or text
  local list, add = collector(prefix)
  local path = folder
  if sub(path, 1, 2) == "~/" and os.getenv "HOME" then path = os.getenv "HOME" .. sub(path, 2) end
  local ok, names = pcall(list_folder, path)
  for _, name in ipairs(ok and names or {}) do
    if prefix ~= "" or sub(name, 1, 1) ~= "." then add(name) end
  end
  return list, #prefix
end

local function code(text, scope, env, options)
  local tokens = lex.tokens(text)
  local last = #tokens
  local token = tokens[last]
  if token and token.open then
    if token.kind ~= "string" or not options.files then return {}, 0 end
    local content = match(token.text, "^['\"](.*)$")
    if not content or find(content, "\\", 1, true) then return {}, 0 end
    return file_names(content, options.files)
  end
  local prefix = ""
  if token and token.to == #text then
    if token.kind == "name" or token.kind == "keyword" then
      prefix = token.text
      last = last - 1
    elseif token.kind == "number" or token.kind == "comment" then
      return {}, 0
    end
  end
  local list, add = collector(prefix)
  local before = tokens[last] and tokens[last].kind == "symbol" and tokens[last].text
  if before == "." or before == ":" then
    local object = expression(tokens, last - 1, scope)
    if not object then return {}, 0 end
    each_field(object.value, object.class, function(name, value)
      local fits = before == "." or callable(value)
      if fits and type(name) == "string" and find(name, "^[%a_][%w_]*$") and
        not lex.keywords[name] and (sub(name, 1, 1) ~= "_" or prefix ~= "") then
        add(name)
      end
    end)
    return list, #prefix
  elseif before == "::" or before == "..." then
    return {}, 0
  end
  local named = option_names(tokens, last, scope)
  if named then
    for _, name in ipairs(named) do add(name .. " = ") end
    if #list > 0 or prefix == "" then return list, #prefix end
  end
  for name in next, lex.keywords do add(name) end
  own_names(tokens, last, add)
  for _, name in ipairs(options.names or {}) do add(name) end
  for _, place in ipairs((places(env))) do
    for name in next, place do
      if type(name) == "string" and find(name, "^[%a_][%w_]*$") then add(name) end
    end
  end
  return list, #prefix
end

local function topics(prefix)
  local list, add = collector(prefix)
  local start = match(prefix, "^lrn%.") or ""
  for _, entry in ipairs(help() and help().entries() or {}) do add(start .. entry.name) end
  return list
end

-- ===}

--- A function that gives the value of a variable: lookup's, else the global one.
function M.lookup(env, lookup)
  return function(name)
    local value = lookup and lookup(name)
    if value ~= nil then return value end
    return get(env, name)
  end
end

local rules = { files = { "function" }, names = { "table" }, lookup = { "function" },
  commands = { "table" } }

--- What could stand at a place of a text.
-- @param text what is typed so far, of several lines too
-- @param pos the last byte before the cursor (-1: the end)
-- @param env table of globals (_G)
-- @param options names: further variables (list); lookup: their values (`f(name)`, nil: none);
-- files: `f(folder)` gives the names in it; commands: words after % (list)
-- @return sorted list of words; the position at which the word begins that they replace
-- @usage assert(lrn.repl.complete("string.rep")[1] == "rep")
function M.complete(text, pos, env, options)
  check.value("repl.complete", "text", text, { "string", required = true })
  pos = check.value("repl.complete", "pos", pos, { "integer", -1, min = -1 })
  env = check.value("repl.complete", "env", env, { "table", globals })
  return M.words(text, pos, env, check.options("repl.complete", options, rules))
end

--- The same, unchecked. It uses no globals, so that the prompt works on whatever becomes of them.
function M.words(text, pos, env, options)
  text = pos == -1 and text or sub(text, 1, pos)
  local scope = M.lookup(env, options.lookup)
  local list, typed
  local command = options.commands and match(text, "^%s*%%(%w*)$")
  local topic = options.commands and
    (match(text, "^%s*%?%s*([%w_.:]*)$") or match(text, "^%s*%%help%s+([%w_.:]*)$"))
  if command then
    local add
    list, add = collector(command)
    for _, name in ipairs(options.commands) do add(name) end
    typed = #command
  elseif topic then
    list, typed = topics(topic), #topic
    if #list == 0 then list, typed = code(topic, scope, env, options) end
  elseif options.commands and options.files and match(text, "^%s*%%run%s+[^%s\"']*$") then
    list, typed = file_names(match(text, "(%S*)$"), options.files)
  else
    local skipped = options.commands and match(text, "^%s*%%%w+%s()") or
      match(text, "^%s*=()") or 1
    list, typed = code(sub(text, skipped), scope, env, options)
  end
  sort(list)
  return list, #text - typed + 1
end

--- The value of an expression such as "rbm.W" or "lrn.data" and the name of its help entry, found
-- without running code; nil where that is not known.
function M.value_of(text, lookup)
  local tokens = lex.tokens(text)
  local e = expression(tokens, #tokens, lookup)
  if not e then return nil, nil end
  local entry = entry_of(e)
  return e.value, entry and entry.name
end

return M
