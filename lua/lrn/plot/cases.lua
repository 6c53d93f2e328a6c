--- What pictures of a model take from data: a few cases of a set, and their shape.
-- @module lrn.plot.cases

local array = require "lrn.plot.array"
local check = require "lrn.check"

local M = {}

--- A model, checked for the fields or methods that a picture needs.
-- @string where the function to blame
-- @param model
-- @string ... their names
-- @return model
-- @usage require("lrn.plot.cases").model("filters", { W = { { 1 } } }, "W")
function M.model(where, model, ...)
  for _, name in ipairs{ ... } do
    if type(model) ~= "table" or model[name] == nil then
      check.raise("type", "%s: model: got %s, expected a model with %s", where, check.show(model),
        table.concat({ ... }, ", "))
    end
  end
  return model
end

--- The first n cases of a data set (as its batches give them), a tensor or a list. Bytes become
-- 0..1, which is what models make of them.
-- @string where the function to blame
-- @string name of its argument
-- @param data
-- @int n
-- @return tensor, or the list where a list came
-- @usage local x = require("lrn.plot.cases").first("chains", "data", (lrn.data.digits()), 4)
function M.first(where, name, data, n)
  local cases = data
  if type(data) == "table" and data.batches then
    for batch in data:batches{ size = n, shuffle = false } do
      cases = batch
      break
    end
  elseif type(data) == "table" and #data > 0 then
    return table.move(data, 1, math.min(n, #data), 1, {})
  end
  if not check.is_tensor(cases) or cases.ndim == 0 or #cases == 0 then
    check.raise("size", "%s: %s: got %s, expected cases", where, name, check.show(data))
  end
  cases = cases:narrow(1, 1, math.min(n, #cases))
  return cases.dtype == "uint8" and cases:to"float32" / 255 or cases
end

--- Cases as a list of lists of numbers, and the array that they came from.
-- @string where the function to blame
-- @param x tensor or list
-- @treturn {table}
-- @treturn table
-- @usage local rows = require("lrn.plot.cases").rows("chains", { { 1, 2 }, { 3, 4 } })
function M.rows(where, x)
  local a = array.from(x, where)
  local n = a.shape[1]
  local size, rows = a.n // math.max(n, 1), {}
  for i = 1, n do rows[i] = table.move(a.data, (i - 1) * size + 1, i * size, 1, {}) end
  return rows, a
end

--- The shape of a case as an image: what is asked for, else the model's, else the data's; nil where
-- none says.
-- @usage local tile = require("lrn.plot.cases").tile({}, nil, { 10, 28, 28 })
function M.tile(model, tile, shape)
  return tile or model.visible_shape or #shape > 2 and { table.unpack(shape, 2) } or nil
end

return M
