--- What training measured, epoch by epoch: one array a metric, `history.mse[3]`.
-- Arrays are indexed by the epoch in the model's life; an epoch in which a metric was not
-- measured (a validation set that came later) is NaN there, which plots show as a gap.
local check = require "lrn.check"
local core = require "lrn.core"

local M = {}
local methods = {}
local meta = { __index = methods, __name = "lrn.History" }

local MOST = 10 ^ 7 -- epochs: where one is left out, NaN fills it

-- What a model measures comes first, names that lrn does not know behind those that it does; then
-- how it was trained.
local first = { "loss", "accuracy", "mse", "error", "pl", "rmse", "val_loss", "val_accuracy",
  "val_error", "val_pl", "val_rmse", "val_mae", "log_likelihood", "val_log_likelihood", "free_energy", "val_free_energy",
  "free_energy_gap" }
local last = { "swap", "ratio", "learning_rate", "momentum", "steps", "time" }
local OTHERS = 100
local rank = {}
for i, name in ipairs(first) do rank[name] = i end
for i, name in ipairs(last) do rank[name] = OTHERS + i end

--- An empty history.
-- @usage local h = require "lrn.history".new(); h:record(1, { mse = 20.5 });
-- assert(h.mse[1] == 20.5)
function M.new()
  return setmetatable({}, meta)
end

--- Is v a history?
function M.is(v)
  return getmetatable(v) == meta
end

--- Names of the metrics, in a fixed order.
-- @usage local h = require "lrn.history".new(); h:record(1, { pl = -9, mse = 1 });
-- assert(h:metrics()[1] == "mse")
function methods:metrics()
  local names = {}
  for name in pairs(self) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    local i, j = rank[a] or OTHERS, rank[b] or OTHERS
    if i ~= j then return i < j end
    return a < b
  end)
  return names
end

--- Sets the values of one epoch. Doing it twice is doing it once.
-- @param epoch counted from 1
-- @param values table from metric to number
function methods:record(epoch, values)
  epoch = check.value("record", "epoch", epoch, { "integer", required = true, min = 1, max = MOST })
  check.value("record", "values", values, { "table", required = true })
  for name, value in next, values do
    if type(name) ~= "string" or type(value) ~= "number" then
      check.raise("type", "record: values: got %s for %s, expected numbers by their names",
        check.show(value), check.show(name))
    end
  end
  for name, value in next, values do
    local list = rawget(self, name)
    if not list then
      list = {}
      rawset(self, name, list)
    end
    for i = #list + 1, epoch - 1 do list[i] = 0 / 0 end
    list[epoch] = value
  end
end

--- Values of the last epoch (or of the given one): a table from metric to number.
function methods:last(epoch)
  epoch = check.value("last", "epoch", epoch, { "integer" })
  local n, values = epoch or #self, {}
  for name, list in pairs(self) do values[name] = list[n] end
  return values
end

local function finite(x)
  return x == x and x ~= math.huge and x ~= -math.huge
end

--- As JSON; NaN and infinities, which JSON has not, as strings. Equal histories have equal texts.
function methods:encode()
  local parts = {}
  for _, name in ipairs(self:metrics()) do
    local values = {}
    for i, x in ipairs(self[name]) do values[i] = finite(x) and x or tostring(x) end
    parts[#parts + 1] = core.json_encode(name) .. ":" .. core.json_encode(values)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- The shortest decimal that reads as the same number.
local function shortest(x)
  if math.type(x) == "integer" or not finite(x) then return tostring(x) end
  for digits = 15, 16 do
    local text = ("%%.%dg"):format(digits):format(x)
    if tonumber(text) == x then return text end
  end
  return ("%.17g"):format(x)
end

--- As CSV: a line of names, then one an epoch; what was not measured is NaN, or empty at the end.
-- @usage local h = require "lrn.history".new(); h:record(1, { mse = 20.5 });
-- assert(h:csv() == "epoch,mse\n1,20.5\n")
function methods:csv()
  local metrics = self:metrics()
  local lines = { table.concat({ "epoch", table.unpack(metrics) }, ",") }
  for i = 1, #self do
    local cells = { tostring(i) }
    for j, name in ipairs(metrics) do
      local x = self[name][i]
      cells[j + 1] = x and (x ~= x and "nan" or shortest(x)) or ""
    end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

local special = { nan = 0 / 0, ["-nan"] = 0 / 0, inf = math.huge, ["-inf"] = -math.huge }

--- Back from encode's text. nil and a message where it is none.
function M.decode(text)
  local value, message = core.json_decode(text)
  if type(value) ~= "table" then return nil, message or "expected an object" end
  local history = M.new()
  for name, list in pairs(value) do
    if type(name) ~= "string" or type(list) ~= "table" or methods[name] then
      return nil, "expected arrays of numbers under names"
    end
    local values = {}
    for i = 1, #list do
      local x = list[i]
      if type(x) == "string" then x = special[x] end
      if type(x) ~= "number" then return nil, ("%s[%d]: expected a number"):format(name, i) end
      values[i] = x
    end
    rawset(history, name, values)
  end
  return history
end

--- Number of epochs.
function meta:__len()
  local n = 0
  for _, list in next, self do n = math.max(n, #list) end
  return n
end

--- A table of the last ten epochs.
function meta:__tostring()
  local names, n = self:metrics(), #self
  if n == 0 then return "history: no epoch yet" end
  local wide, head = {}, { ("%5s"):format "epoch" }
  for j, name in ipairs(names) do
    wide[j] = math.max(12, #name + 2)
    head[j + 1] = (" "):rep(wide[j] - #name) .. name
  end
  local lines = { table.concat(head) }
  for i = math.max(1, n - 9), n do
    local row = { ("%5d"):format(i) }
    for j, name in ipairs(names) do
      local x = self[name][i]
      row[j + 1] = ("%" .. wide[j] .. "s"):format(x and ("%.5g"):format(x) or "")
    end
    lines[#lines + 1] = table.concat(row)
  end
  if n > 10 then table.insert(lines, 2, "  ...") end
  return table.concat(lines, "\n")
end

check.class("history", methods, M.is)
return M
