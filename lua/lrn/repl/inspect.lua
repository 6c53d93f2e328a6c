--- Values as text for reading: what the prompt prints.
-- Tables are walked without calling their metamethods; `__tostring` of an object is called.
local core = require "lrn.core"
local check = require "lrn.check"
local keywords = require "lrn.repl.lex".keywords

local format, find, gsub, byte, sub = string.format, string.find, string.gsub, string.byte,
  string.sub
local concat, sort = table.concat, table.sort
local ipairs, next, pcall, rawget, tostring, type = ipairs, next, pcall, rawget, tostring, type
local getmetatable = debug.getmetatable
local is_tensor = core.is_tensor
local getinfo, utf8len, mathtype = debug.getinfo, utf8.len, math.type

local M = {}

local MARGIN = 2
local STRING = 10000 -- bytes of a string that are shown, inside tables a tenth
local TOTAL = 2000   -- items of all tables together

local escapes = { ["\a"] = "\\a", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t", ["\v"] = "\\v", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escaped(c) return escapes[c] or format("\\x%02X", byte(c)) end

-- A string as Lua source; UTF-8 stays as it is.
local function quote(s, limit)
  local cut = #s > limit and sub(s, 1, limit) or s
  if cut ~= s then -- not inside a character
    cut = gsub(cut, "[\xC0-\xFF][\x80-\xBF]*$", "")
  end
  local text = gsub(cut, '[%c\\"]', escaped)
  if not utf8len(cut) then text = gsub(text, "[\x80-\xFF]", escaped) end
  text = '"' .. text .. '"'
  return cut == s and text or text .. format("... (%d bytes)", #s)
end

local function plain(_, text) return text end

-- Columns of a text; escape sequences have none.
local function width_of(text)
  text = gsub(text, "\27%[[%d;]*m", "")
  return utf8len(text) or #text
end

local ranks = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local ka, kb = type(a), type(b)
  if ka == kb and (ka == "number" or ka == "string") then return a < b end
  local ra, rb = ranks[ka] or 4, ranks[kb] or 4
  if ra ~= rb then return ra < rb end
  if ka ~= kb or ka == "boolean" then return ka < kb or ka == kb and b and not a end
  return format("%p", a) < format("%p", b)
end

local function is_name(key)
  return type(key) == "string" and find(key, "^[%a_][%w_]*$") and
    not keywords[key]
end

-- What an object says of itself; nil where it has no __tostring.
local function own_text(v)
  local meta = getmetatable(v)
  if type(meta) ~= "table" or rawget(meta, "__tostring") == nil then return nil end
  local ok, text = pcall(tostring, v)
  if ok then return text end
  return format("<%s: __tostring fails: %s>", type(v), tostring(text))
end

local function tensor_line(t)
  local ok, text = pcall(function() return format("<%s[%s]>", t.dtype, concat(t.shape, ", ")) end)
  return ok and text or "<closed tensor>"
end

local function function_text(f)
  local info = getinfo(f, "S")
  if info.what == "C" then return tostring(f) end
  return format("%s (%s:%d)", tostring(f), info.short_src, info.linedefined)
end

-- state: paint, depth, items, width, left (items that may still be shown), above (tables that are
-- being shown)
local render

local function table_text(v, state, level, column)
  local meta = getmetatable(v)
  local name = type(meta) == "table" and rawget(meta, "__name")
  local prefix = type(name) == "string" and name .. " " or ""
  if next(v) == nil then return prefix .. "{}" end
  if level > state.depth then return prefix .. "{...}" end
  state.above[v] = true
  local inner = column + MARGIN
  local parts, shown, total, scalar = {}, 0, 0, true
  local function add(key, value)
    total = total + 1
    if shown >= state.items or state.left <= 0 then return end
    shown, state.left = shown + 1, state.left - 1
    scalar = scalar and key == nil and type(value) ~= "table"
    local label = ""
    if is_name(key) then
      label = key .. " = "
    elseif key ~= nil then
      label = "[" .. render(key, state, state.depth + 1, inner) .. "] = "
    end
    parts[shown] = label .. render(value, state, level + 1, inner)
  end
  local n = 0
  while rawget(v, n + 1) ~= nil do
    n = n + 1
    add(nil, rawget(v, n))
  end
  local keys = {}
  for key in next, v do
    if not (mathtype(key) == "integer" and key >= 1 and key <= n) then keys[#keys + 1] = key end
  end
  sort(keys, before)
  for _, key in ipairs(keys) do add(key, rawget(v, key)) end
  state.above[v] = nil
  if total > shown then
    parts[#parts + 1] = state.paint("dim", format("... %d more", total - shown))
  end

  local one = prefix .. "{ " .. concat(parts, ", ") .. " }"
  if not find(one, "\n", 1, true) and column + width_of(one) <= state.width then return one end
  local lines, line = {}, ""
  local space = (" "):rep(inner)
  for i, part in ipairs(parts) do
    local item = part .. (i < #parts and "," or "")
    if not scalar or line ~= "" and inner + width_of(line) + 1 + width_of(item) > state.width then
      if line ~= "" then lines[#lines + 1] = space .. line end
      line = item
    else
      line = line == "" and item or line .. " " .. item
    end
  end
  lines[#lines + 1] = space .. line
  return prefix .. "{\n" .. concat(lines, "\n") .. "\n" .. (" "):rep(column) .. "}"
end

function render(v, state, level, column)
  local kind = type(v)
  if kind == "string" then
    return state.paint("string", quote(v, level > 1 and STRING // 10 or STRING))
  elseif kind == "number" or kind == "boolean" or kind == "nil" then
    return state.paint(kind == "number" and "number" or "constant", tostring(v))
  elseif is_tensor(v) then
    if level > 1 then return tensor_line(v) end
    local ok, text = pcall(tostring, v)
    return ok and text or tensor_line(v)
  elseif kind == "function" then
    return function_text(v)
  end
  local text = own_text(v)
  if text then
    if level == 1 then return text end
    local first = text:match "^[^\n]*"
    return "<" .. (#first > 120 and sub(first, 1, 117) .. "..." or first) .. ">"
  end
  if kind ~= "table" then return tostring(v) end
  if state.above[v] then return state.paint("dim", "<cycle>") end
  return table_text(v, state, level, column)
end

local rules = { depth = { "integer", 5, min = 0 }, items = { "integer", 100, min = 1 },
  width = { "integer", 80, min = 20 }, paint = { "function", plain } }

--- A value as text. Numbers and strings are as in Lua source; tables have their list first, then
-- their keys in order, on one line where they fit; a table inside itself is `<cycle>`; tensors and
-- models inside a table take one line.
-- @param options depth (5), items of one table (100), width (80), paint: `paint(kind, text)` gives
-- the text in colour; kind is "number", "string", "constant" or "dim"
-- @usage assert(lrn.repl.inspect { 1, "two", x = {} } == '{ 1, "two", x = {} }')
function M.inspect(v, options)
  local o = check.options("repl.inspect", options, rules)
  return M.text(v, o.width, o.paint, o.depth, o.items)
end

--- The same, unchecked; depth and items may be absent. It uses no globals, so that the prompt works
-- on whatever becomes of them.
function M.text(v, width, paint, depth, items)
  return (render(v, { paint = paint, depth = depth or rules.depth[2],
    items = items or rules.items[2], width = width, left = TOTAL, above = {} }, 1, 0))
end

return M
