-- Results of every elementwise operation, reduction, draw and conversion, as bytes in which every
-- NaN is the same one: what must not depend on threads, instruction set or device.
-- Run as a program it prints a line "hash name" for each.
local lrn = require "lrn"
local core = require "lrn.core"

local M = {}

local nan = 0 / 0

--- Bytes of t with all NaNs alike (their payloads are no part of the contract).
function M.bytes(t)
  if type(t) ~= "userdata" then return ("%s %a"):format(math.type(t), t) end
  if t.dtype:find "float" then t = t:masked_fill(t:isnan(), nan) end
  return t:tobytes()
end

-- FNV-1a over 8-byte words.
function M.hash(s)
  local h = 0x100001b3
  s = s .. ("\0"):rep(-#s % 8)
  for i = 1, #s, 8 do
    h = (h ~ (string.unpack("<i8", s, i))) * 0x100000001b3
    h = h ~ (h >> 29)
  end
  return ("%016x"):format(h)
end

-- Values that find mistakes: of all sizes, with the special ones; n of them.
local function values(dtype, n, salt)
  local list, state = {}, 12345 + salt
  local special = { 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.5, nan, math.huge, -math.huge, 1e-40,
    -1e-310, 3e38, 1e300, 88.5, -104.0, 709.5 }
  for i = 1, n do
    state = state * 48271 % 2147483647
    local u = state / 2147483647
    if dtype:find "float" then
      if i % 5 == 0 then
        list[i] = special[state % #special + 1]
      elseif i % 5 == 1 then
        list[i] = (u - 0.5) * 2.0 ^ (state % 60 - 30)
      else
        list[i] = (u - 0.5) * 12
      end
    elseif dtype == "bool" then
      list[i] = state % 3 == 0
    elseif dtype == "uint8" then
      list[i] = state % 256
    elseif dtype == "int32" then
      list[i] = i % 3 == 0 and (state * 4 - 2 ^ 32 | 0) // 2 or state % 41 - 20
    else
      list[i] = i % 3 == 0 and state * 0x9e3779b97f4a7c15 or state % 41 - 20
    end
  end
  return lrn.tensor(list, { dtype = dtype })
end
M.values = values

local dtypes = { "float32", "float64", "int64", "int32", "uint8", "bool" }

--- f(name, result) for every case; results are tensors or numbers.
function M.each(f, device, n)
  n = n or 1003
  local function at(t) return device and t:to { device = device } or t end
  local mask = at(values("bool", n, 9))
  for _, dtype in ipairs(dtypes) do
    local a, b, c = at(values(dtype, n, 1)), at(values(dtype, n, 2)), at(values(dtype, n, 3))
    local positive = dtype ~= "bool" and not dtype:find "float"
      and at(values("uint8", n, 4)):clamp(1, 60):to(dtype)
    for _, op in ipairs(core.ops()) do
      local x, y, z = a, b, c
      if op.name == "where" then x, y, z = mask, a, b end
      if positive and (op.name == "mod" or op.name == "floordiv" or op.name == "pow") then
        y = positive
      end
      local args = { x, y, z }
      local ok, r = pcall(core[op.name], table.unpack(args, 1, op.arity))
      if ok then f(op.name .. " " .. dtype, r) end
    end
    for _, to in ipairs(dtypes) do
      local ok, r = pcall(a.to, a, to)
      if ok then f("to " .. dtype .. " " .. to, r) end
    end
    local matrix = a:narrow(1, 1, n // 7 * 7):reshape(7, -1)
    for _, m in ipairs { matrix, matrix:t(), matrix:flip(2) } do
      for _, red in ipairs { "sum", "max", "min", "mean", "var", "norm", "logsumexp",
        "count_nonzero", "any", "all", "argmax", "argmin" } do
        for dim = 0, 2 do
          local ok, r = pcall(m[red], m, dim > 0 and dim or nil, true)
          if ok then f(("%s %s %d %s"):format(red, dtype, dim, table.concat(m.strides, ",")), r) end
        end
      end
    end
  end
  for _, dtype in ipairs { "float32", "float64" } do
    local options = { dtype = dtype, device = device, generator = lrn.generator(42) }
    f("rand " .. dtype, lrn.rand(n, options))
    f("randn " .. dtype, lrn.randn(n, options))
    options.dtype, options.device = nil, nil
    f("bernoulli " .. dtype,
      at(lrn.linspace(0, 1, n, { dtype = dtype })):bernoulli { generator = options.generator })
  end
  local g = lrn.generator(7)
  for _, dtype in ipairs { "int64", "int32", "uint8", "float32" } do
    f("randint " .. dtype, lrn.randint(3, 250, { n }, { dtype = dtype, device = device,
      generator = g }))
  end
end

--- name -> hash, and the names in order.
function M.hashes(device, n)
  local hash, names = {}, {}
  M.each(function(name, r)
    while hash[name] do name = name .. "'" end
    hash[name], names[#names + 1] = M.hash(M.bytes(r)), name
  end, device, n)
  return hash, names
end

if arg and arg[0] and arg[0]:find "spec/support/bits%.lua$" then
  local hash, names = M.hashes()
  print(lrn.build.isa)
  for _, name in ipairs(names) do print(hash[name], name) end
end

return M
