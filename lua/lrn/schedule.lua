--- Values that change as training goes on: learning rate, momentum, steps.
-- A schedule is a function of the epochs that are done, which count in parts while one is under
-- way: 2.25 is a quarter into the third. It knows nothing else, so that resumed training goes on
-- with the same values. `fit` takes what is made here, any function, and a table of numbers by
-- epoch.
local check = require "lrn.check"

local M = {}
local meta = { __name = "lrn.Schedule" }

-- Share of the way that is gone at t.
local function share(o, t)
  return math.min(t / o.epochs, 1)
end

local kinds = {
  constant = function(o) return o.value end,
  linear = function(o, t) return o.from + (o.to - o.from) * share(o, t) end,
  cosine = function(o, t) -- Loshchilov and Hutter 2017, equation 5, without restarts
    return o.to + (o.from - o.to) * (1 + math.cos(math.pi * share(o, t))) / 2
  end,
  step = function(o, t) return o.from * o.factor ^ (t // o.every) end,
  exponential = function(o, t) return o.from * o.factor ^ t end,
  warmup = function(o, t) return o.to(t) * (o.share + (1 - o.share) * share(o, t)) end,
}

function meta:__call(t)
  return kinds[self.kind](self, t)
end

function meta:__tostring()
  local parts = {}
  for _, name in ipairs(check.names(self)) do
    if name ~= "kind" then parts[#parts + 1] = name .. " = " .. tostring(self[name]) end
  end
  return self.kind .. "(" .. table.concat(parts, ", ") .. ")"
end

local function make(kind, options, rules)
  local o = check.options("schedule." .. kind, options, rules)
  o.kind = kind
  return setmetatable(o, meta)
end

local value = { "number", required = true }
local epochs = { "number", required = true, min = 1e-6 }

--- Always the same.
-- @usage assert(lrn.schedule.constant(.1)(7) == .1)
function M.constant(v)
  return make("constant", { value = check.value("schedule.constant", "value", v, value) },
    { value = value })
end

--- In a straight line from one value to another in so many epochs, and stays there.
-- @usage assert(lrn.schedule.linear{ from = .5, to = .9, epochs = 4 }(1) == .6)
function M.linear(options)
  return make("linear", options, { from = value, to = value, epochs = epochs })
end

--- Half a cosine from one value to another (0) in so many epochs, and stays there.
-- @usage local s = lrn.schedule.cosine{ from = .1, epochs = 10 }; assert(s(0) == .1 and s(10) == 0)
function M.cosine(options)
  return make("cosine", options, { from = value, to = { "number", 0 }, epochs = epochs })
end

--- Times a factor (0.1) every so many epochs.
-- @usage assert(lrn.schedule.step{ from = 1, factor = .5, every = 10 }(25) == .25)
function M.step(options)
  return make("step", options, { from = value, factor = { "number", .1, min = 0 }, every = epochs })
end

--- Times a factor each epoch, smoothly.
-- @usage assert(lrn.schedule.exponential{ from = 1, factor = .5 }(2) == .25)
function M.exponential(options)
  return make("exponential", options, { from = value,
    factor = { "number", required = true, min = 0 } })
end

--- Grows in so many epochs from a share (0) of another schedule, or number, to all of it.
-- @usage assert(lrn.schedule.warmup{ to = .1, epochs = 4 }(1) == .025)
function M.warmup(options)
  local o = make("warmup", options, { to = { "any", required = true }, epochs = epochs,
    share = { "number", 0, min = 0, max = 1 } })
  o.to = M._of("schedule.warmup", "to", o.to)
  return o
end

-- {=== For fit ===

local function by_epoch(where, name, list)
  local first = {}
  for epoch, v in next, list do
    if math.type(epoch) ~= "integer" or epoch < 1 or type(v) ~= "number" then
      check.raise("value", "%s: %s: got %s for %s, expected numbers by epoch, such as { [1] = \z
        0.1, [5] = 0.01 }", where, name, check.show(v), check.show(epoch))
    end
    first[#first + 1] = epoch
  end
  table.sort(first)
  return function(t)
    local now
    for _, epoch in ipairs(first) do
      if epoch <= t + 1 then now = list[epoch] end
    end
    return now
  end
end

--- What a user gave as a schedule: a function of the epochs done. It may give nil, for as it is:
-- before the first epoch of a table.
function M._of(where, name, given)
  if type(given) == "number" then return M.constant(given) end
  if type(given) == "table" and not getmetatable(given) then return by_epoch(where, name, given) end
  return check.value(where, name, given, { "number|table|callable", required = true })
end

--- The same as JSON can hold it.
function M._plain(given)
  if type(given) ~= "table" then return type(given) == "number" and given or true end
  local plain = {}
  for name, v in next, given do
    plain[tostring(name)] = type(v) == "table" and M._plain(v) or
      type(v) ~= "function" and v or true
  end
  return plain
end

-- }===

return M
