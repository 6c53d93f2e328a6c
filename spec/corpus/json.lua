-- A program: a JSON writer and reader, and back.
local function encode(v)
  if type(v) == "table" then
    local out = {}
    if #v > 0 then
      for i, x in ipairs(v) do out[i] = encode(x) end
      return "[" .. table.concat(out, ",") .. "]"
    end
    for k, x in pairs(v) do out[#out + 1] = ("%q:%s"):format(k, encode(x)) end
    table.sort(out)
    return "{" .. table.concat(out, ",") .. "}"
  end
  return type(v) == "string" and ("%q"):format(v) or tostring(v)
end
local function decode(s)
  local at = 1
  local value
  local function skip() at = s:find("%S", at) or #s + 1 end
  local function expect(c) skip() if s:sub(at, at) ~= c then error(("expected %s at %d"):format(c, at), 0) end at = at + 1 end
  function value()
    skip()
    local c = s:sub(at, at)
    if c == "{" then
      at = at + 1
      local t = {}
      skip()
      if s:sub(at, at) == "}" then at = at + 1 return t end
      repeat
        skip()
        local k = value()
        expect ":"
        t[k] = value()
        skip()
        local more = s:sub(at, at) == ","
        if more then at = at + 1 end
      until not more
      expect "}"
      return t
    elseif c == "[" then
      at = at + 1
      local t = {}
      skip()
      if s:sub(at, at) == "]" then at = at + 1 return t end
      repeat
        t[#t + 1] = value()
        skip()
        local more = s:sub(at, at) == ","
        if more then at = at + 1 end
      until not more
      expect "]"
      return t
    elseif c == '"' then
      local e = s:find('"', at + 1, true)
      local text = s:sub(at + 1, e - 1)
      at = e + 1
      return text
    end
    local word = s:match("^[%w.+-]+", at) or error("unexpected at " .. at, 0)
    at = at + #word
    if word == "true" then return true elseif word == "false" then return false end
    return tonumber(word) or error("bad word " .. word, 0)
  end
  return value()
end
local text = '{"name":"lua","list":[1,2.5,-3e2,true,false,{"deep":[[],{}]}],"n":10}'
print(encode(decode(text)))
print(encode(decode(encode(decode(text)))) == encode(decode(text)))
print(pcall(decode, '{"a" 1}'))
print(pcall(decode, "[1,"))
