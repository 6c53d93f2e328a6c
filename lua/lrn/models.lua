--- The model classes as rows: which units each layer has, what training leaves out, and options
-- that differ from RBM's. A new class is a new row.
local core = require "lrn.core"
local check = require "lrn.check"
local options = require "lrn.options"
local dbm = require "lrn.dbm"
local ratings = require "lrn.ratings"
local rbm = require "lrn.rbm"
require "lrn.labels" -- its methods, for the rows that have labels
require "lrn.likelihood" -- likewise, for all
require "lrn.conditional"
require "lrn.sampling"

local M = {}

local B, G = "bernoulli", "gaussian"

-- `defaults`: options that only this class has, or that start with another value.
local rows = {
  { name = "RBM", visible = B, hidden = B }, -- Hinton 2002, 2012
  { name = "DropoutRBM", visible = B, hidden = B, mask = "dropout", -- Srivastava et al. 2014
    defaults = { dropout = .5 } },
  { name = "DropConnectRBM", visible = B, hidden = B, mask = "dropconnect", -- Wan et al. 2013
    defaults = { dropout = .5 } },
  { name = "EDropoutRBM", visible = B, hidden = B, mask = "edropout" }, -- Roder et al. 2020
  { name = "SigmoidRBM", visible = B, hidden = B, -- Hinton 2012, section 3.2
    defaults = { visible_noise = false } },
  { name = "DiscriminativeRBM", visible = B, hidden = B, -- Larochelle and Bengio 2008
    defaults = { n_classes = 0 } },
  { name = "HybridDiscriminativeRBM", visible = B, hidden = B, -- likewise, section 5
    defaults = { n_classes = 0, alpha = .01 } },
  -- Hinton and Salakhutdinov 2006; Hinton 2012, section 13.2
  { name = "GaussianRBM", visible = G, hidden = B,
    defaults = { normalize = true, visible_noise = false, learning_rate = 0.005 } },
  { name = "GaussianReluRBM", visible = G, hidden = "nrelu", -- Nair and Hinton 2010
    defaults = { normalize = true, visible_noise = false, learning_rate = 0.001 } },
  { name = "GaussianSeluRBM", visible = G, hidden = "selu",
    defaults = { visible_noise = false, learning_rate = 0.01 } },
  { name = "VarianceGaussianRBM", visible = G, hidden = B, variance = true, -- Cho, Ilin, Raiko 2011
    defaults = { normalize = true, learning_rate = 0.005 } },
  ratings.row, -- Salakhutdinov, Mnih and Hinton 2007
}

local function constructor(row)
  return function(given) return rbm.new(row, given) end
end

M.rows = {}

-- Do two rows say the same?
local function same(a, b)
  local p, q = a.defaults or {}, b.defaults or {}
  for name, value in pairs(p) do
    if q[name] ~= value then return false end
  end
  for name in pairs(q) do
    if p[name] == nil then return false end
  end
  return a.visible == b.visible and a.hidden == b.hidden and
    (a.mask or "none") == (b.mask or "none") and (a.variance or false) == (b.variance or false)
end

--- Makes a class from rows of the unit table and returns its constructor. A named class keeps its
-- name in files, which load as such where the same name is defined.
-- @param row visible, hidden: "bernoulli", "gaussian", "relu", "spin", "nrelu", "selu" or "softmax";
-- mask: "none", "dropout", "dropconnect" or "edropout", what a training step leaves out; variance
-- (false): gaussian visible units learn theirs; defaults: options that start with another value than
-- RBM's; name ("RBM"). A softmax layer is groups of one-hot units: the models have visible_categories
-- or hidden_categories, the units of a group.
-- @usage local GaussianBernoulli = lrn.models.define{ visible = "gaussian", hidden = "bernoulli",
-- defaults = { learning_rate = .001 } }
function M.define(row)
  local units = core.units()
  local r = check.options("models.define", row, { name = { "string", "RBM" },
    visible = { "string", B, choices = units }, hidden = { "string", B, choices = units },
    mask = { "string", "none", choices = { "none", "dropout", "dropconnect", "edropout" } },
    variance = { "boolean", false }, defaults = { "table", {} } })
  local given = r.defaults
  r.defaults = (r.mask == "dropout" or r.mask == "dropconnect") and { dropout = .5 } or {}
  options.check("models.define: defaults", r, given)
  for name, value in next, given do r.defaults[name] = value end
  if not r.name:find "^%a[%w_]*$" then
    check.raise("value",
      "models.define: name: got %s, expected a letter, then letters, digits or _",
      check.show(r.name))
  end
  if r.variance and r.visible ~= "gaussian" then
    check.raise("value", "models.define: variance: got true, expected false: visible is %s, not gaussian",
      r.visible)
  end
  local known = M.rows[r.name]
  if known and r.name ~= "RBM" and not same(known, r) then
    check.raise("argument", "models.define: name: %s is defined already, as another model", r.name)
  end
  if r.name ~= "RBM" then M.rows[r.name] = r end
  return constructor(r)
end

for _, row in ipairs(rows) do
  M.rows[row.name] = row
  M[row.name] = constructor(row)
end

M.DBM = dbm.new -- deep: of layers, not of a row

return M
