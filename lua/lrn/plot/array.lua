--- What the plots accept as numbers, made one thing: a flat Lua list and a shape.
-- Nested Lua lists and lrn tensors come in; no other file of `lrn.plot` knows tensors.
-- @module lrn.plot.array

local check = require "lrn.check"

local floor = math.floor

local M = {}

-- string.unpack returns one result an element, so it goes in blocks that fit the Lua stack.
local BLOCK = 128
local UNPACK = { float32 = "<f", float64 = "<d", int64 = "<i8", int32 = "<i4", uint8 = "<B",
                 bool = "<B" }

local function from_tensor(x)
  local bytes, data = x:tobytes(), {}
  local format = UNPACK[x.dtype]
  local count, size = x.numel, string.packsize(format)
  local block = "<" .. format:sub(2):rep(BLOCK)
  for i = 0, count - BLOCK, BLOCK do
    table.move({ block:unpack(bytes, i * size + 1) }, 1, BLOCK, i + 1, data)
  end
  for i = count - count % BLOCK, count - 1 do
    data[i + 1] = format:unpack(bytes, i * size + 1)
  end
  return { data = data, shape = x.shape, n = count }
end

local function shape_text(shape)
  return "[" .. table.concat(shape, ", ") .. "]"
end

-- Appends the numbers of a nested list to `data`; its shape must be shape[depth..].
local function flatten(list, shape, depth, data, where)
  if rawlen(list) ~= shape[depth] then
    check.raise("size", "%s: ragged list: got %d elements, expected %d as in the first", where,
      rawlen(list), shape[depth])
  end
  for i = 1, rawlen(list) do
    local x = list[i]
    if depth < #shape then
      if type(x) ~= "table" then
        check.raise("type", "%s: list of lists: got %s, expected a list", where, check.show(x))
      end
      flatten(x, shape, depth + 1, data, where)
    elseif type(x) == "number" then
      data[#data + 1] = x
    elseif type(x) == "boolean" then
      data[#data + 1] = x and 1 or 0
    else
      check.raise("type", "%s: list: got %s, expected a number", where, check.show(x))
    end
  end
end

--- True for what `from` accepts; a table with names for keys is options, not data.
-- @param x
-- @usage print(require("lrn.plot.array").is({ 1, 2, 3 }))   --> true
function M.is(x)
  return check.is_tensor(x) or type(x) == "table" and (rawget(x, 1) ~= nil or next(x) == nil)
end

--- A tensor or a nested list as `{ data =, shape =, n = }`, data in row-major order.
-- @param x
-- @string where the function to blame
-- @int[opt] ndim the number of dimensions that is wanted
-- @usage print(#require("lrn.plot.array").from({ { 1, 2 }, { 3, 4 } }, "image").data)   --> 4
function M.from(x, where, ndim)
  local result
  if check.is_tensor(x) then
    check.open(where, "data", x)
    result = from_tensor(x)
  elseif type(x) == "table" and M.is(x) then
    local shape, inner = {}, x
    repeat
      if #shape == 8 then
        check.raise("size", "%s: data: got a list nested deeper than 8", where)
      end
      shape[#shape + 1] = rawlen(inner)
      inner = inner[1]
    until type(inner) ~= "table"
    result = { data = {}, shape = shape }
    flatten(x, shape, 1, result.data, where)
    result.n = #result.data
  else
    check.raise("type", "%s: data: got %s, expected a tensor or a list of numbers", where,
      type(x) == "table" and "a table with names" or check.show(x))
  end
  if ndim and #result.shape ~= ndim then
    check.raise("size", "%s: data: got shape %s, expected %d dimension%s", where,
      shape_text(result.shape), ndim, ndim == 1 and "" or "s")
  end
  return result
end

--- Least and greatest finite number of a list, and how many are not finite.
-- @tparam {number} data
-- @number[opt] above numbers that are not above this one are left out like those
-- @treturn ?number least
-- @treturn ?number greatest
-- @treturn int
-- @usage print(require("lrn.plot.array").range{ 1, 0 / 0, 3 })   --> 1 3 1
function M.range(data, above)
  local lo, hi, bad = math.huge, -math.huge, 0
  above = above or -math.huge
  for i = 1, #data do
    local v = data[i]
    if v - v ~= 0 or v <= above then
      bad = bad + 1
    else
      if v < lo then lo = v end
      if v > hi then hi = v end
    end
  end
  if lo > hi then return nil, nil, bad end
  return lo, hi, bad
end

--- True where every number is a whole one.
-- @tparam {number} data
-- @usage print(require("lrn.plot.array").whole{ 1, 2.0 })   --> true
function M.whole(data)
  for i = 1, #data do
    if floor(data[i]) ~= data[i] then return false end
  end
  return true
end

M.shape_text = shape_text

return M
