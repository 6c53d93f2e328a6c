--- The model classes as rows: which units each layer has. A new class is a new row.
local core = require "lrn.core"
local check = require "lrn.check"
local rbm = require "lrn.rbm"

local M = {}

local rows = {
  { name = "RBM", visible = "bernoulli", hidden = "bernoulli" }, -- Hinton 2002, 2012
}

local function constructor(row)
  return function(options) return rbm.new(row, options) end
end

M.rows = {}

--- Makes a class from rows of the unit table and returns its constructor. A named class keeps its
-- name in files, which load as such where the same name is defined.
-- @param row visible, hidden: "bernoulli", "gaussian", "relu" or "spin"; name ("RBM")
-- @usage local GaussianBernoulli = lrn.models.define{ visible = "gaussian", hidden = "bernoulli" }
function M.define(row)
  local units = core.units()
  local r = check.options("models.define", row, { name = { "string", "RBM" },
    visible = { "string", "bernoulli", choices = units }, hidden = { "string", "bernoulli",
      choices = units } })
  if not r.name:find "^%a[%w_]*$" then
    check.raise("value",
      "models.define: name: got %s, expected a letter, then letters, digits or _",
      check.show(r.name))
  end
  local known = M.rows[r.name]
  if known and r.name ~= "RBM" and (known.visible ~= r.visible or known.hidden ~= r.hidden) then
    check.raise("argument", "models.define: name: %s is defined already, with other units", r.name)
  end
  if r.name ~= "RBM" then M.rows[r.name] = r end
  return constructor(r)
end

for _, row in ipairs(rows) do
  M.rows[row.name] = row
  M[row.name] = constructor(row)
end

return M
