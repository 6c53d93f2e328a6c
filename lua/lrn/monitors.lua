--- Metrics that fit measures beside those of training, where its option metrics names them: what a model
-- is judged by is dearer than an error, so each has its period.
--
--   log_likelihood    of training rows, and val_log_likelihood of the validation set, in nats: exact
--                     where it can be, else by annealing (see likelihood.lua)
--   free_energy_gap   mean F of the validation set minus mean F of training rows, which are recorded,
--                     too: a gap that grows is over-fitting (Hinton 2012, section 6)
--
-- Training rows are the same ones every time, the first MOST of the set.
local batches = require "lrn.batches"
local check = require "lrn.check"
local core = require "lrn.core"
local dataset = require "lrn.data.dataset"

local M = {}
local methods = {}
local meta = { __index = methods, __name = "lrn.Monitors" }

local MOST = 1000

-- method: what a model must have; keys: in history; validation: whether it needs one.
local rows = {
  log_likelihood = { method = "log_likelihood", keys = { "log_likelihood", "val_log_likelihood" } },
  free_energy_gap = { method = "energy", validation = true,
    keys = { "free_energy", "val_free_energy", "free_energy_gap" } },
}

-- One log Z serves both sets.
function rows.log_likelihood.measure(model, train, validation, stats)
  local figure, _, _, how = model:log_likelihood(train)
  stats.log_likelihood = figure
  if not validation then return end
  local c = rawget(model, "_core")
  stats.val_log_likelihood = c and c:log_likelihood(validation, 0) - how.log_z or
    (model:log_likelihood(validation))
end

function rows.log_likelihood.check(model)
  local c = rawget(model, "_core")
  if c and not c:has_exact() then c:check_integrable("fit: metrics: log_likelihood") end
end

function rows.free_energy_gap.measure(model, train, validation, stats)
  stats.free_energy = model:energy(train):mean()
  stats.val_free_energy = model:energy(validation):mean()
  stats.free_energy_gap = stats.val_free_energy - stats.free_energy
end

-- The periods by name, from { "a", "b", every = 5 } or { a = 10 }.
local function periods(given)
  local every = check.value("fit: metrics", "every", given.every, { "integer", 1, min = 1 })
  local found = {}
  for key, value in next, given do
    if math.type(key) == "integer" then
      found[check.value("fit", "metrics", value, { "string", required = true })] = every
    elseif key ~= "every" then
      found[tostring(key)] = check.value("fit: metrics", tostring(key), value,
        { "integer", required = true, min = 1 })
    end
  end
  return found
end

local function matrix(model, name, t)
  return (batches.rows("fit", name, t, model.n_visible, "n_visible"))
end

-- The first rows of the training data, which are looked at once.
local function first_rows(model, data)
  if dataset.is(data) then
    return matrix(model, "data", data:subset(core.arange(1, math.min(#data, MOST))))
  end
  if not check.is_tensor(data) then
    check.raise("argument", "fit: metrics: got %s as data, expected a data set or a tensor to measure on",
      check.show(data))
  end
  local t = matrix(model, "data", data)
  return t:narrow(1, 1, math.min(t:size(1), MOST))
end

--- What the option metrics of fit asks for.
-- @param given the option; nil: nothing
-- @param recorded metrics that training records anyway, which may be named, too; or nil
-- @return with keys, the names in history, and measure(epoch, stats); nil where nothing is asked for
-- @usage local m = require "lrn.monitors".new(lrn.RBM{ n_visible = 9 }, { "log_likelihood" },
-- (lrn.data.bars_and_stripes(3))); assert(m.keys[1] == "log_likelihood")
function M.new(model, given, data, validation, recorded)
  if given == nil then return nil end
  local valid, own = {}, {}
  for _, name in ipairs(check.names(rows)) do
    if type(model[rows[name].method]) == "function" then valid[#valid + 1] = name end
  end
  for _, name in ipairs(recorded or {}) do own[name] = true end
  local self = setmetatable({ model = model, periods = {}, keys = {} }, meta)
  for name, every in pairs(periods(given)) do
    local row = rows[name]
    if row and type(model[row.method]) == "function" then
      if row.validation and validation == nil then
        check.raise("argument", "fit: metrics: %s: needs the option validation", name)
      end
      if row.check then row.check(model) end
      self.periods[name] = every
      for _, key in ipairs(row.keys) do
        if validation ~= nil or not key:find "^val_" then self.keys[#self.keys + 1] = key end
      end
    elseif not own[name] then
      check.unknown("fit", "metric", name, valid)
    end
  end
  if next(self.periods) == nil then return nil end
  table.sort(self.keys)
  self.train = first_rows(model, data)
  self.validation = validation ~= nil and matrix(model, "validation", validation) or nil
  return self
end

--- Adds to the metrics of an epoch those that are due.
function methods:measure(epoch, stats)
  for _, name in ipairs(check.names(self.periods)) do
    if epoch % self.periods[name] == 0 then
      rows[name].measure(self.model, self.train, self.validation, stats)
    end
  end
end

return M
