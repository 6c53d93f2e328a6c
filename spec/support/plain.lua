-- Tensors modelled by plain Lua: shapes and row-major lists; random choices with a fixed seed; the
-- same numbers in several layouts; assertions about errors.
local lrn = require "lrn"
local core = require "lrn.core"

local M = {}

--- Integers of its own (Park and Miller 1988): specs must not depend on the generator under test.
function M.random(seed)
  local state = seed
  return function(low, high)
    state = state * 48271 % 2147483647
    return low + state % (high - low + 1)
  end
end

--- Elements of t in row order, as a list.
function M.flat(t)
  local list = {}
  local function walk(v)
    if type(v) ~= "table" then list[#list + 1] = v return end
    for i = 1, #v do walk(v[i]) end
  end
  walk(t:tolist())
  return list
end

function M.count(shape)
  local n = 1
  for _, s in ipairs(shape) do n = n * s end
  return n
end

--- All positions of a shape in row order: an iterator over number and position (one table, reused).
function M.positions(shape)
  local n, k, at = M.count(shape), 0, {}
  for d = 1, #shape do at[d] = 1 end
  at[#shape] = 0
  return function()
    k = k + 1
    if k > n then return nil end
    if #shape > 0 then
      local d = #shape
      at[d] = at[d] + 1
      while d > 1 and at[d] > shape[d] do
        at[d] = 1
        d = d - 1
        at[d] = at[d] + 1
      end
    end
    return k, at
  end
end

--- Row-major number of a position.
function M.number(shape, at)
  local n = 0
  for d = 1, #shape do n = n * shape[d] + at[d] - 1 end
  return n + 1
end

--- Tensor of a shape from a row-major list.
function M.tensor(shape, list, options)
  if #shape == 0 then return lrn.tensor(list[1], options) end
  local flat = lrn.tensor(list, options)
  if #list == 0 then return lrn.zeros(shape, { dtype = options and options.dtype }) end
  return flat:reshape(shape)
end

--- 1, 2, 3, ... in a shape.
function M.ramp(shape, dtype)
  local list = {}
  for i = 1, M.count(shape) do list[i] = i end
  return M.tensor(shape, list, { dtype = dtype or "int64" })
end

--- A random shape of up to `most` dimensions with sizes 0 or 1 to `size`.
function M.shape(random, most, size, least)
  local shape = {}
  for d = 1, random(least or 0, most) do shape[d] = random(1, size) end
  return shape
end

--- The same numbers laid out differently: name -> tensor.
function M.layouts(t)
  local n = t.ndim
  local out = { contiguous = t:clone() }
  if n >= 1 then
    local back = {}
    for d = 1, n do back[d] = n + 1 - d end
    out.transposed = t:permute(back):clone():permute(back)
    out.flipped = t:flip(n):clone():flip(n)
    local wide, inner = t.shape, {}
    for d = 1, n do
      wide[d] = wide[d] * 2 + 1
      inner[d] = t:size(d) > 0 and { 2, 2 * t:size(d), 2 } or { 1, 0 }
    end
    local big = lrn.ones(wide, { dtype = t.dtype, device = t.device })
    big[inner] = t
    out.strided = big[inner]
  else
    out.transposed, out.flipped, out.strided = t:clone(), t:clone(), t:clone()
  end
  return out
end

--- Devices that the build has, the CPU first.
function M.devices() return core.devices() end

--- f raises at a line of the calling file, with these texts in the message and this kind.
function M.raises(kind, parts, f, ...)
  local ok, e = pcall(f, ...)
  if ok then error("no error; expected: " .. (type(parts) == "table" and parts[1] or parts), 2) end
  local message = tostring(e)
  for _, part in ipairs(type(parts) == "table" and parts or { parts }) do
    if not message:find(part, 1, true) then
      error(("%q is not in: %s"):format(part, message), 2)
    end
  end
  if kind and lrn.error.kind(e) ~= kind then
    error(("kind %s, expected %s: %s"):format(lrn.error.kind(e), kind, message), 2)
  end
end

--- Runs f for several numbers of threads and wants the same string each time.
function M.same_for_threads(f)
  local before, first = core.set().threads, nil
  for _, n in ipairs { 1, 2, 3, 7 } do
    core.set { threads = n }
    local ok, got = pcall(f)
    core.set { threads = before }
    if not ok then error(got, 0) end
    first = first or got
    if got ~= first then error(("%d threads give other bits"):format(n), 2) end
  end
  return first
end

return M
