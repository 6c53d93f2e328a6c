-- What the specs of the plots share: reading a draw list, and whether its labels lie well.
local assert = require "luassert"

local M = {}

--- A list of f(1) to f(n).
function M.ramp(n, f)
  local list = {}
  for i = 1, n do list[i] = f(i) end
  return list
end

--- A name for a temporary file, which busted's `finally` removes.
function M.path(ending, finally)
  local name = os.tmpname()
  os.remove(name)
  finally(function() os.remove(name .. ending) end)
  return name .. ending
end

function M.read(name)
  local f = assert(io.open(name, "rb"))
  local bytes = f:read "a"
  f:close()
  return bytes
end

function M.capture(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

--- Primitives of a figure of a kind and a role; nil for any.
function M.pick(fig, kind, role)
  local found = {}
  for _, p in ipairs(fig:drawlist()) do
    if (not kind or p.kind == kind) and (not role or p.role == role) then found[#found + 1] = p end
  end
  return found
end

--- Texts of a role.
function M.texts(fig, role)
  local list = {}
  for i, p in ipairs(M.pick(fig, "text", role)) do list[i] = p.text end
  return list
end

-- Corners of a text.
local function corners(p)
  local b = p.box
  return p.quad or { b.x, b.y, b.x + b.w, b.y, b.x + b.w, b.y + b.h, b.x, b.y + b.h }
end

-- Whether the line of a side of quadrangle a has a on one side and b on the other.
local function separated(a, b)
  local function reach(q, nx, ny)
    local lo, hi = math.huge, -math.huge
    for j = 1, 7, 2 do
      local d = q[j] * nx + q[j + 1] * ny
      lo, hi = math.min(lo, d), math.max(hi, d)
    end
    return lo, hi
  end
  for i = 1, 7, 2 do
    local k = i < 7 and i + 2 or 1 -- the next corner
    local nx, ny = a[k + 1] - a[i + 1], a[i] - a[k]
    local a1, a2 = reach(a, nx, ny)
    local b1, b2 = reach(b, nx, ny)
    if a1 >= b2 or b1 >= a2 then return true end
  end
  return false
end

--- Every text is on the page, and no two of them meet.
function M.assert_laid_out(fig)
  local list, width, height = fig:drawlist()
  local seen = {}
  for _, p in ipairs(list) do
    if p.kind == "text" and p.text ~= "" then
      local b = p.box
      assert.is_true(b.x >= 0 and b.y >= 0 and b.x + b.w <= width and b.y + b.h <= height,
        ("'%s' lies outside: %g %g %g %g"):format(p.text, b.x, b.y, b.w, b.h))
      local mine = corners(p)
      for _, q in ipairs(seen) do
        local other = corners(q)
        assert.is_true(separated(mine, other) or separated(other, mine),
          ("'%s' meets '%s'"):format(p.text, q.text))
      end
      seen[#seen + 1] = p
    end
  end
end

return M
