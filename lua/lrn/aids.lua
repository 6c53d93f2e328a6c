--- What joins training beside its steps, for any model: early stopping, an average of the
-- parameters, and how far the weights move in an epoch. It is kept with the model and goes into its
-- files, so that resumed training is what it would have been.
--
--   early stopping   the parameters of the best epoch are held, and come back at the end
--   average          mean of the parameters after each step from an epoch on (Polyak and Juditsky
--                    1992), summed in float64; the model gets it at the end
--   ratio            |W1 - W0| / (steps sqrt(|W0| |W1|)), W0 and W1 the weights before and after
--                    the epoch: how far a step moved them, by their size. About 1e-3 is usual
--                    (Hinton 2012, section 7, of single updates, most of which is noise)
local check = require "lrn.check"
local core = require "lrn.core"
local log = require "lrn.log"

local M = {}
local methods = {}
local meta = { __index = methods, __name = "lrn.Aids" }

local LEAST, MOST = 1e-4, 1e-2 -- of the ratio, where the learning rate is right
local ENOUGH = 50 -- steps of an epoch from which on its noise has cancelled
local YOUNG, GROWTH = 3, 10 -- epochs in which weights grow from near 0, and MOST is so much more

-- {=== Sets of tensors ===

local function copies(set, dtype)
  local new = {}
  for name, t in pairs(set) do
    new[name] = core.empty(t.shape, { dtype = dtype or t.dtype, device = t.device }):copy_(t)
  end
  return new
end

local function copy(to, from)
  for name, t in pairs(to) do t:copy_(from[name]) end
end

-- Root of the sum of squares over all of them, or over their differences.
local function size(set, other)
  local sum = 0
  for name, t in pairs(set) do
    local d = other and (t - other[name]):norm() or t:norm()
    sum = sum + d * d
  end
  return math.sqrt(sum)
end

-- What is multiplied with, and what is not where there is nothing else.
local function weights(parameters)
  local found = {}
  for name, t in pairs(parameters) do
    if t.ndim >= 2 then found[name] = t end
  end
  return next(found) and found or parameters
end

-- }===

-- {=== Options ===

local stopping_rules = {
  metric = { "string", required = true },
  patience = { "integer", 5, min = 1 },
  min_delta = { "number", 0, min = 0 },
  mode = { "string", choices = { "min", "max" } },
}

-- Of these more is better.
local function rises(metric)
  return metric:find "pl$" or metric:find "accuracy$" or metric:find "likelihood$"
end

--- The option early_stopping of fit. known: metrics that will be recorded; nil where only the first
-- epoch tells.
function M.stopping(given, known)
  if given == nil then return nil end
  local o = check.options("fit: early_stopping", given, stopping_rules)
  if known then
    local there = false
    for _, name in ipairs(known) do there = there or name == o.metric end
    if not there then check.unknown("fit: early_stopping", "metric", o.metric, known) end
  end
  o.mode = o.mode or (rises(o.metric) and "max" or "min")
  return o
end

--- The option average of fit, as the first epoch that counts: an integer is that epoch, a fraction
-- the share of the epochs first + 1 to last after which it begins.
function M.average(given, first, last)
  if given == nil then return nil end
  local whole = math.type(given) == "integer"
  if given ~= given or whole and given < 1 or not whole and (given < 0 or given >= 1) then
    check.raise("value", "fit: average: got %s, expected an epoch >= 1, or a fraction >= 0 and < 1",
      check.show(given))
  end
  return whole and given or first + math.floor(given * (last - first) + 1e-9) + 1
end

-- }===

--- For one call of fit.
-- @param parameters of the model: their tensors
-- @param o stopping: what M.stopping gave; average: what M.average gave; judged: is the learning
-- rate the model's own all the time; seldom: metrics that an epoch may be without
-- @param kept what an earlier fit left
-- @param resumed does this one go on with it?
function M.new(parameters, o, kept, resumed)
  kept = kept or {}
  local self = setmetatable({ parameters = parameters, weights = weights(parameters),
    options = o, start = kept.start, start_at = kept.start_at }, meta)
  local stopping = resumed and o.stopping and kept.stopping
  if stopping and stopping.metric == o.stopping.metric then
    self.stopping = stopping
    self.best = kept.best or copies(parameters) -- a fit that had ended left the best ones
  elseif o.stopping then
    self.stopping = { metric = o.stopping.metric }
  end
  if o.average then
    local before = resumed and kept.average
    self.average = before or { from = o.average, count = 0 }
    self.sum = before and kept.sum or nil
  end
  return self
end

--- Before the first batch of an epoch, or where it goes on.
function methods:open(epoch, batch)
  local at = self.start_at
  if self.start and at.epoch == epoch and at.batch <= batch then return end
  if not self.start then self.start = copies(self.weights) else copy(self.start, self.weights) end
  self.start_at = { epoch = epoch, batch = batch }
end

--- After a step.
function methods:step(epoch)
  local average = self.average
  if not average or epoch < average.from then return end
  if not self.sum then
    self.sum = copies(self.parameters, "float64")
  else
    for name, t in pairs(self.sum) do t:add_(self.parameters[name]) end
  end
  average.count = average.count + 1
end

local function judge(self, history, ratio, epoch, steps)
  if self.warned or ratio ~= ratio or ratio == 0 then return end
  local before, advice = history.ratio or {}, nil
  local most = epoch <= YOUNG and GROWTH * MOST or MOST
  if ratio > most and steps >= ENOUGH then
    advice = ("more than %g: learning_rate is too large; try a third of it, or larger batches")
      :format(most)
  elseif ratio >= LEAST or not self.options.judged then
    return
  elseif (before[epoch - 1] or 0) > MOST then
    advice = ("after %.2g before: learning_rate was too large, and units are stuck; begin anew \z
      with a tenth of it"):format(before[epoch - 1])
  else
    for k = 1, epoch - 1 do
      if (before[k] or 0) >= LEAST then return end -- it moved, and has settled
    end
    advice = ("less than %g: learning_rate is too small; try ten times as much"):format(LEAST)
  end
  self.warned = true
  log.warn("fit: in epoch %d a step moved the weights by %.2g of their size, %s", epoch, ratio,
    advice)
end

--- The ratio of the epoch that ends, after so many batches of it.
function methods:ratio(history, epoch, batch)
  local steps = batch - self.start_at.batch
  local before, after = size(self.start), size(self.weights)
  local length = before > 0 and after > 0 and math.sqrt(before * after) or math.max(before, after)
  local moved = size(self.weights, self.start)
  local ratio = moved > 0 and steps > 0 and moved / (steps * length) or 0
  judge(self, history, ratio, epoch, steps)
  return ratio
end

--- The metrics of an epoch are there: is it the best one so far?
function methods:watch(epoch, stats)
  local s, o = self.stopping, self.options.stopping
  if not s then return end
  local value = stats[s.metric]
  if value == nil then
    for _, name in ipairs(self.options.seldom or {}) do
      if name == s.metric then return end
    end
    check.unknown("fit: early_stopping", "metric", s.metric, check.names(stats))
  end
  local gain = s.best and (o.mode == "max" and value - s.best or s.best - value)
  if not s.best or s.best ~= s.best and value == value or gain > o.min_delta then
    s.best, s.epoch = value, epoch
    if not self.best then self.best = copies(self.parameters) else copy(self.best,
      self.parameters) end
  end
end

--- Has it not become better for too long? Then a sentence that says so.
function methods:stop(epoch)
  local s = self.stopping
  if not s or not s.epoch or epoch - s.epoch < self.options.stopping.patience then return nil end
  return ("%s was best in epoch %d (%.6g)"):format(s.metric, s.epoch, s.best)
end

--- The end of training: parameters that an average or the best epoch gives go into the model.
-- @return the epoch whose parameters it has; nil for the last, or an average
function methods:finish()
  local average, s = self.average, self.stopping
  local parameters = self.parameters
  self.start, self.start_at, self.parameters, self.weights = nil, nil, nil, nil
  if average and average.count > 0 then
    for name, t in pairs(parameters) do t:copy_(self.sum[name] / average.count) end
    log.info("fit: parameters are the mean over %d steps, from epoch %d on", average.count,
      average.from)
    self.average, self.sum, self.best = nil, nil, nil
    return nil
  end
  if not (s and s.epoch) then return nil end
  if self.best then copy(parameters, self.best) end
  self.best = nil
  log.info("fit: parameters are those of epoch %d, %s = %.6g", s.epoch, s.metric, s.best)
  return s.epoch
end

-- {=== Files ===

local sets = { "best", "sum", "start" } -- sum: always float64

local special = { nan = 0 / 0, ["-nan"] = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

-- A number as exact text, NaN and infinities too, and back.
local function text_of(x) return ("%a"):format(x) end
local function number_of(text) return special[text] or tonumber(text) end

--- Writes what is kept into a model's file. inside: is an epoch under way? Else its start is not
-- needed.
function M.store(kept, file, inside)
  if not kept then return end
  local s, average = kept.stopping, kept.average
  local start_at = inside and kept.start_at or nil
  if not (s and s.epoch) and not average and not start_at then return end
  file:meta("lrn.aids", core.json_encode {
    stopping = s and s.epoch and { metric = s.metric, best = text_of(s.best), epoch = s.epoch },
    average = average, start = start_at })
  for _, set in ipairs(sets) do
    if kept[set] and (set ~= "start" or inside) then
      for _, name in ipairs(check.names(kept[set])) do file:put(set .. "." .. name, kept[set][name]) end
    end
  end
end

local function whole(t, ...)
  for _, name in ipairs { ... } do
    if type(t) ~= "table" or math.type(t[name]) ~= "integer" or t[name] < 0 then return false end
  end
  return true
end

local function read_set(file, set, like, dtype)
  local found = {}
  for name, t in pairs(like) do
    local x = file:get(set .. "." .. name)
    if not x then return nil end
    if check.shape(x) ~= check.shape(t) or x.dtype ~= (dtype or t.dtype) then
      return nil, ("tensor '%s.%s': found %s, expected %s%s"):format(set, name, check.show(x),
        dtype or t.dtype, check.shape(t))
    end
    found[name] = x:to { device = t.device }:clone() -- of its own, not the file's
  end
  return found
end

--- Back from a model's file; nil where it has nothing; nil and a message where that is damaged.
function M.restore(file, parameters)
  local text = file:meta "lrn.aids"
  if not text then return nil end
  local o, message = core.json_decode(text)
  if type(o) ~= "table" then return nil, "lrn.aids: " .. (message or "expected an object") end
  local kept = {}
  local s = o.stopping
  if s then
    local best = whole(s, "epoch") and type(s.best) == "string" and number_of(s.best)
    if not best or type(s.metric) ~= "string" then return nil, "lrn.aids: stopping: damaged" end
    kept.stopping = { metric = s.metric, best = best, epoch = s.epoch }
    kept.best, message = read_set(file, "best", parameters)
    if message then return nil, message end
  end
  if o.average then
    if not whole(o.average, "from", "count") then return nil, "lrn.aids: average: damaged" end
    kept.average = { from = o.average.from, count = o.average.count }
    kept.sum, message = read_set(file, "sum", parameters, "float64")
    if message or o.average.count > 0 and not kept.sum then
      return nil, message or "lrn.aids: average: its tensors are missing"
    end
  end
  if o.start then
    if not whole(o.start, "epoch", "batch") then return nil, "lrn.aids: start: damaged" end
    kept.start, message = read_set(file, "start", weights(parameters))
    if message then return nil, message end
    kept.start_at = kept.start and { epoch = o.start.epoch, batch = o.start.batch }
  end
  return kept
end

-- }===

return M
