--- Tokens of Lua source, also of source that is not finished: for completion and for finding the
-- local variables of an input.
local find, sub = string.find, string.sub

local M = {}

--- The reserved words of Lua.
M.keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
    return then true until while]]):gmatch "%a+" do
  M.keywords[word] = true
end

local three = { ["..."] = true }
local two = { ["=="] = true, ["~="] = true, ["<="] = true, [">="] = true, ["//"] = true,
  ["::"] = true, ["<<"] = true, [">>"] = true, [".."] = true }

-- The last byte of a long bracket that opens at `from`, and whether it is closed; nil: it is none.
local function long_bracket(text, from)
  local _, opened, level = find(text, "^%[(=*)%[", from)
  if not opened then return nil end
  local _, to = find(text, "]" .. level .. "]", opened + 1, true)
  return to or #text, to ~= nil
end

-- The last byte of a string whose quote is at `from`, and whether it is closed.
local function quoted(text, from)
  local quote, at = sub(text, from, from), from + 1
  while true do
    at = find(text, "[\\\n" .. quote .. "]", at)
    if not at then return #text, false end
    local c = sub(text, at, at)
    if c == quote then return at, true end
    if c == "\n" then return at - 1, true end -- an error of the source; it ends here
    local _, skipped = find(text, "^\\z%s*", at)
    at = skipped and skipped + 1 or at + 2
  end
end

--- All tokens in order: `{ kind, from, to, text, open }`; kind is "name", "keyword", "number",
-- "string", "comment" or "symbol"; `open`: a string or comment that does not end.
function M.tokens(text)
  local list, at = {}, 1
  local function add(kind, to, open)
    list[#list + 1] = { kind = kind, from = at, to = to, text = sub(text, at, to),
      open = open or nil }
    at = to + 1
  end
  while true do
    at = find(text, "%S", at)
    if not at then return list end
    local c = sub(text, at, at)
    local _, to = find(text, "^[%a_][%w_]*", at)
    if to then
      add(M.keywords[sub(text, at, to)] and "keyword" or "name", to)
    elseif find(text, "^%.?%d", at) then
      local _, e = find(text, "^0[xX][%x.]*[pP]?", at)
      local exponent = "[pP]"
      if not e then
        _, e = find(text, "^[%d.]+[eE]?", at)
        exponent = "[eE]"
      end
      if find(sub(text, e, e), exponent) then _, e = find(text, "^[+-]?%d*", e + 1) end
      _, e = find(text, "^[%w_]*", e + 1)
      add("number", e)
    elseif c == "'" or c == '"' then
      local e, closed = quoted(text, at)
      add("string", e, not closed)
    elseif sub(text, at, at + 1) == "--" then
      local e, closed = long_bracket(text, at + 2)
      if not e then
        e = find(text, "\n", at, true)
        closed, e = e ~= nil, e and e - 1 or #text
      end
      add("comment", e, not closed)
    else
      local e, closed = long_bracket(text, at)
      if e then
        add("string", e, not closed)
      elseif three[sub(text, at, at + 2)] then
        add("symbol", at + 2)
      elseif two[sub(text, at, at + 1)] then
        add("symbol", at + 1)
      else
        add("symbol", at)
      end
    end
  end
end

return M
