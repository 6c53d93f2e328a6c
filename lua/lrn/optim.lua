--- Optimisers: what makes steps of gradients, for models written in Lua. The same update as that of
-- the models of the engine; decay and l1 act on tensors of two and more dimensions, the weights.
--
--   sgd    m = momentum m + g;  theta -= learning_rate m
--   adam   Kingma and Ba 2015
--
-- `opt:step(gradients)` makes one; options such as `opt.learning_rate` are live.
local check = require "lrn.check"
local core = require "lrn.core"

local M = {}
local methods = {}
local meta = { __name = "lrn.Optimizer" }

local shared = { decay = { "number", 0, min = 0 }, l1 = { "number", 0, min = 0 },
  clip = { "number", 0, min = 0 } }
local BELOW_1 = 1 - 2 ^ -53 -- the largest number < 1
local kinds = {
  sgd = { learning_rate = { "number", .1, min = 0 },
    momentum = { "number", 0, min = 0, max = BELOW_1 } },
  adam = { learning_rate = { "number", .001, min = 0 },
    beta1 = { "number", .9, min = 0, max = BELOW_1 },
    beta2 = { "number", .999, min = 0, max = BELOW_1 },
    epsilon = { "number", 1e-8, min = 1e-300 } },
}
for _, rules in pairs(kinds) do
  for name, rule in pairs(shared) do rules[name] = rule end
end

--- Names of the optimisers.
M._names = check.names(kinds)

--- Options of a kind, sorted.
function M._options(kind) return check.names(kinds[kind]) end

local function is(v) return getmetatable(v) == meta end

-- A tensor like each parameter, all 0.
local function zeros(parameters)
  local new = {}
  for name, t in next, parameters do
    new[name] = core.zeros(t.shape, { dtype = t.dtype, device = t.device })
  end
  return new
end

--- An optimiser by name.
-- @param where what messages begin with
-- @param kind "sgd" or "adam"
-- @param parameters table from name to tensor: contiguous, float32 or float64; step writes to them
-- @param options those of the kind
function M._new(where, kind, parameters, options)
  check.value(where, "parameters", parameters, { "table", required = true })
  local names = check.names(parameters)
  local first = parameters[names[1]]
  if not first then check.raise("value", "%s: parameters: got none, expected tensors by \z
    name", where) end
  for _, name in ipairs(names) do
    local t = parameters[name]
    check.tensor(where, "parameters." .. name, t)
    if t.dtype ~= "float32" and t.dtype ~= "float64" or t.dtype ~= first.dtype or
      t.device ~= first.device or not t:is_contiguous() then
      check.raise("type", "%s: parameters.%s: got %s on %s, expected contiguous tensors of \z
        float32 or float64, all of one kind and device", where, name, check.show(t), t.device)
    end
  end
  local o = check.options(where, options, kinds[kind])
  o.step = 0
  return setmetatable({ _kind = kind, _options = o, _parameters = parameters, _names = names,
    _bad = core.zeros(#names, { dtype = "int64", device = first.device }),
    _first = zeros(parameters), _second = kind == "adam" and zeros(parameters) or false }, meta)
end

--- Gradient descent with momentum.
-- @usage local W = lrn.ones(2); local opt = lrn.optim.sgd({ W = W }, { learning_rate = .5 });
-- opt:step{ W = lrn.ones(2) }; assert(W:sum() == 1)
function M.sgd(parameters, options) return M._new("optim.sgd", "sgd", parameters, options) end

--- Adam.
-- @usage local opt = lrn.optim.adam({ W = lrn.ones(2) }, { learning_rate = .01 })
function M.adam(parameters, options) return M._new("optim.adam", "adam", parameters, options) end

-- The squared norm of all gradients, as a tensor of their kind.
local function squared_norm(gradients)
  local sum, dtype, device = 0, nil, nil
  for _, g in next, gradients do
    sum, dtype, device = sum + g:norm() ^ 2, g.dtype, g.device
  end
  return dtype and core.full({ 1 }, sum, { dtype = dtype, device = device })
end

--- One step. A parameter without a gradient stays as it is.
-- @param gradients table from name to tensor, each of its parameter's shape and dtype
-- @return nothing; or the name of a parameter that is no longer finite
function methods:step(gradients)
  check.value("step", "gradients", gradients, { "table", required = true })
  local o, parameters = self._options, self._parameters
  for name, g in next, gradients do
    local t = parameters[name]
    if not t then check.unknown("step", "gradient", name, self._names) end
    check.tensor("step", "gradient " .. name, g)
    if check.shape(g) ~= check.shape(t) or g.dtype ~= t.dtype or g.device ~= t.device then
      check.raise("size", "step: gradient %s: got %s on %s, expected %s%s on %s", name,
        check.show(g):gsub("a tensor ", ""), g.device, t.dtype, check.shape(t), t.device)
    end
  end
  o.step = o.step + 1
  local norm2 = o.clip > 0 and squared_norm(gradients) or nil
  for i, name in ipairs(self._names) do
    local g = gradients[name]
    if g then
      core.optimize(o, parameters[name], g:contiguous(), self._first[name],
        self._second and self._second[name] or nil, self._bad, i, norm2)
    end
  end
  if self._bad:max() == 0 then return nil end
  local at = self._bad:gt(0):to("int64"):argmax()
  self._bad:fill_(0)
  return self._names[at]
end

--- The tensors that it keeps, by name: momentum.W (Adam: first moments), and of Adam second.W.
-- @usage assert(lrn.optim.adam{ W = lrn.ones(2) }:tensors()["second.W"]:sum() == 0)
function methods:tensors()
  local kept = {}
  for name, t in pairs(self._first) do kept["momentum." .. name] = t end
  for name, t in pairs(self._second or {}) do kept["second." .. name] = t end
  return kept
end

--- Fields: the options; steps, how many were made.
function meta:__index(key)
  local method = methods[key]
  if method then return method end
  local o = rawget(self, "_options")
  if key == "steps" then return o.step end
  if key == "kind" then return rawget(self, "_kind") end
  if key ~= "step" then return o[key] end
  return nil
end

function meta:__newindex(key, value)
  local rules = kinds[self._kind]
  local where = "optim." .. self._kind
  if key == "steps" then
    self._options.step = check.value(where, key, value, { "integer", required = true, min = 0 })
    return
  end
  if not rules[key] then check.unknown(where, "option", key, check.names(rules)) end
  self._options[key] = check.value(where, key, value, { rules[key][1], required = true,
    min = rules[key].min, max = rules[key].max })
end

function meta:__tostring()
  local parts = {}
  for i, name in ipairs(M._options(self._kind)) do
    parts[i] = ("%s = %.7g"):format(name, self._options[name])
  end
  return ("%s(%s), %d steps"):format(self._kind, table.concat(parts, ", "), self._options.step)
end

check.class("optimizer", methods, is)
M._methods = methods
return M
