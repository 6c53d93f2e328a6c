--- Checks of what is computed by hand.
local check = require "lrn.check"
local core = require "lrn.core"

local M = {}

-- "W[3, 7]" of a flat position
local function place(name, shape, flat)
  if #shape == 0 then return name end
  local index, rest = {}, flat - 1
  for d = #shape, 1, -1 do
    index[d] = rest % shape[d] + 1
    rest = rest // shape[d]
  end
  return name .. "[" .. table.concat(index, ", ") .. "]"
end

local function doubles(where, name, t)
  check.tensor(where, name, t)
  if t.dtype ~= "float64" then
    check.raise("type", "%s: %s: got %s, expected float64, in which a difference says something",
      where, name, check.show(t))
  end
end

--- Compares gradients with central differences of a function, in float64:
-- (f(theta + h) - f(theta - h)) / 2 h, h = eps max(1, |theta|), for each element.
-- @param f function without arguments that gives a number; it reads the parameters, and draws
-- nothing
-- @param parameters table from name to float64 tensor; as before afterwards
-- @param gradients the same names, what the derivatives should be
-- @param opts eps (1e-6); tolerance (1e-5) of |g - d| / max(|g|, |d|, floor); floor (1e-3 of the
-- largest of its tensor, and 1e-8); most (100) elements of a tensor that are looked at, spread over
-- it
-- @return did all agree; the largest relative error; where, as text
-- @usage local x = lrn.tensor({ 1, 2 }, { dtype = "float64" });
-- assert(lrn.testing.gradcheck(function() return (x * x):sum() end, { x = x }, { x = x * 2 }))
function M.gradcheck(f, parameters, gradients, opts)
  local where = "gradcheck"
  check.value(where, "f", f, { "callable", required = true })
  check.value(where, "parameters", parameters, { "table", required = true })
  check.value(where, "gradients", gradients, { "table", required = true })
  local o = check.options(where, opts, { eps = { "number", 1e-6, min = 1e-12, max = 1 },
    tolerance = { "number", 1e-5, min = 0 }, floor = { "number", nil, min = 0 },
    most = { "integer", 100, min = 1 } })
  local names = check.names(parameters)
  for _, name in ipairs(check.names(gradients)) do
    if parameters[name] == nil then check.unknown(where, "gradient", name, names) end
  end
  local function value()
    local y = f()
    if check.is_tensor(y) and y.numel == 1 then y = y:view(-1)[1] end
    if type(y) ~= "number" then
      check.raise("type", "gradcheck: f: returned %s, expected a number", check.show(y))
    end
    return y
  end
  local worst, text, checked = 0, "", false
  for _, name in ipairs(names) do
    local t, g = parameters[name], gradients[name]
    doubles(where, "parameters." .. name, t)
    if g == nil then
      check.raise("argument", "gradcheck: gradients.%s: missing, expected a tensor %s", name,
        check.shape(t))
    end
    doubles(where, "gradients." .. name, g)
    if check.shape(g) ~= check.shape(t) then
      check.raise("size", "gradcheck: gradients.%s: got %s, expected %s", name, check.shape(g),
        check.shape(t))
    end
    if t.numel > 0 and not t:is_contiguous() then
      check.raise("type", "gradcheck: parameters.%s: got a view with gaps, expected a contiguous \z
        tensor", name)
    end
    local flat, given = t:view(-1), g:contiguous():view(-1)
    local floor = o.floor or math.max(1e-8, t.numel > 0 and 1e-3 * given:abs():max() or 0)
    local stride = (t.numel + o.most - 1) // o.most
    for i = 1, t.numel, math.max(stride, 1) do
      local old, want = flat[i], given[i]
      local h = o.eps * math.max(1, math.abs(old))
      flat[i] = old + h
      local ok, high = pcall(value)
      flat[i] = old - h
      local low
      if ok then ok, low = pcall(value) end
      flat[i] = old
      if not ok then error(low or high, 0) end
      local d = (high - low) / ((old + h) - (old - h))
      local off = math.abs(want - d) / math.max(math.abs(want), math.abs(d), floor)
      if not checked or off > worst or off ~= off then
        worst = off
        text = ("%s: the gradient is %.9g, the difference \z
          %.9g"):format(place(name, t.shape, i), want,
          d)
        checked = true
        if off ~= off then return false, off, text end
      end
    end
  end
  return worst <= o.tolerance, worst, text
end

return M
