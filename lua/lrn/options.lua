--- The options of a model, one row each, for everything in Lua that walks them: which can be assigned
-- when the model is there, and which are worth showing. The engine knows their ranges
-- (src/model/options.def).
local check = require "lrn.check"
local core = require "lrn.core"

local M = {}

-- live: can be assigned at any time. shown: never in tostring where false; a function of the model's
-- core: where it says so. class: the class says it, not the caller (but of a deep one); a function of the
-- class: where it says so. some: not of all classes, see `of`. flat: not of deep ones. rows: only of models
-- that take rows of data, not ratings.
local function unless(name, value)
  return function(c) return c:get(name) ~= value end
end
local function where(name, value)
  return function(c) return c:get(name) == value end
end

-- Of which classes an option is.
local function of_gaussian(class) return class.visible == "gaussian" end
local function in_groups(side)
  return function(class) return core.unit_grouped(class[side] or "bernoulli") end
end
local function of_deep(class) return class.deep == true end
local function of_variance(class) return class.variance == true end
local function of_ratings(class) return class.kind == "ratings" end

M.rows = {
  { "n_visible", shown = false, class = of_ratings }, { "n_hidden", shown = false },
  { "visible_categories", some = in_groups "visible", class = of_ratings,
    shown = function(c) return c:get "visible_categories" > 1 end },
  { "hidden_categories", some = in_groups "hidden" },
  { "n_classes", some = true }, { "alpha", live = true, some = true },
  { "visible", class = true, shown = false }, { "hidden", class = true, shown = false },
  { "mask", class = true, shown = false, flat = true }, { "variance", class = true, shown = false, flat = true },
  { "up_scale", class = true, shown = unless("up_scale", 1), flat = true },
  { "down_scale", class = true, shown = unless("down_scale", 1), flat = true },
  { "rule", rows = true, shown = unless("rule", "cd"), flat = true },
  { "mean_field", live = true, some = of_deep }, { "tolerance", live = true, some = of_deep },
  { "steps", live = true }, { "learning_rate", live = true }, { "momentum", live = true },
  { "decay", live = true },
  { "l1", live = true, shown = unless("l1", 0) },
  { "clip", live = true, shown = unless("clip", 0), flat = true },
  { "max_norm", live = true, shown = unless("max_norm", 0) },
  { "sparsity_cost", rows = true, live = true, shown = unless("sparsity_cost", 0) },
  { "sparsity_target", rows = true, live = true, shown = unless("sparsity_cost", 0) },
  { "sparsity_decay", rows = true, live = true, shown = unless("sparsity_cost", 0) },
  { "centering", rows = true, live = true, shown = unless("centering", 0) },
  { "dropout", live = true, some = true },
  { "visible_noise", rows = true, live = true, shown = unless("visible_noise", true) },
  { "normalize", some = of_gaussian },
  { "input_normalize", live = true, some = of_gaussian, shown = unless("input_normalize", true), flat = true },
  { "variance_rate", live = true, some = of_variance },
  { "missing", rows = true, live = true, shown = unless("missing", false), flat = true },
  { "conditional", some = of_ratings, shown = where("conditional", true) },
  { "smoothing", live = true, some = of_ratings },
  { "optimizer", shown = unless("optimizer", "sgd") },
  { "beta1", live = true, shown = where("optimizer", "adam") },
  { "beta2", live = true, shown = where("optimizer", "adam") },
  { "epsilon", live = true, shown = where("optimizer", "adam") },
  { "temperature", live = true }, { "persistent", rows = true, live = true },
  { "replicas", rows = true, live = true, shown = unless("replicas", 1), flat = true },
  { "fast_rate", rows = true, live = true, shown = unless("fast_rate", 0), flat = true },
  { "fast_decay", rows = true, live = true, shown = unless("fast_rate", 0), flat = true },
  { "visible_bias", live = true },
  { "dtype", shown = false }, { "device", shown = false }, { "seed" },
}

local by_name = {}
for _, row in ipairs(M.rows) do by_name[row[1]] = row end

--- The row of an option that models of this class have; nil for another name. `some`: only classes
-- with a default of their own have it, or those that it is true of.
-- @param class a row of lrn.models: { name =, visible =, hidden =, defaults =, ... }
-- @usage assert(require("lrn.options").of({ name = "RBM" }, "steps").live)
function M.of(class, name)
  local row = by_name[name]
  if row and row.flat and class.deep then return nil end
  if row and row.rows and class.kind == "ratings" then return nil end
  if not row or not row.some or class.defaults and class.defaults[name] ~= nil then return row end
  return type(row.some) == "function" and row.some(class) and row or nil
end

--- The rows of a class, in the order in which they are shown.
-- @usage for _, row in ipairs(require("lrn.options").all{ name = "RBM" }) do print(row[1]) end
function M.all(class)
  local list = {}
  for _, row in ipairs(M.rows) do list[#list + 1] = M.of(class, row[1]) end
  return list
end

--- What tostring shows of a model's options: a list of { name, value }.
-- @param c core of a model of this class
function M.settings(class, c)
  local settings = {}
  for _, option in ipairs(M.all(class)) do
    local shown = option.shown
    if type(shown) == "function" then shown = shown(c) end
    if shown ~= false then settings[#settings + 1] = { option[1], c:get(option[1]) } end
  end
  return settings
end

-- Does the class itself say it?
local function said(row, class)
  if type(row.class) == "function" then return row.class(class) end
  return row.class
end

--- Raises for a name that models of this class do not have, or that the class itself says.
-- @param where what the message begins with
-- @param given table from name to value; names of class.own are the class's to check
function M.check(where, class, given)
  for name in next, given do
    local row = M.of(class, name)
    local said_here = row and said(row, class) and not class.deep
    if (not row or said_here) and not (class.own and class.own[name]) then
      local valid = check.names(class.own or {})
      for _, known in ipairs(M.all(class)) do
        if not said(known, class) or class.deep then valid[#valid + 1] = known[1] end
      end
      table.sort(valid)
      check.unknown(where, "option", name, valid)
    end
  end
end

return M
