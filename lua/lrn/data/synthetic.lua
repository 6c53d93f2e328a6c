--- Data sets that are computed: small, exact, and the same everywhere.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"

local M = {}

--- All n x n images of bars or of stripes (D. MacKay 2003, section 43): each row black or white, or
-- each column. 2^(n+1) - 2 different images; label 1 where columns are whole (bars), 2 where rows
-- are (stripes); the empty and the full image, which are both, count as bars.
-- @param n side, 1..10
-- @usage local ds = lrn.data.bars_and_stripes(3); assert(#ds == 14)
function M.bars_and_stripes(n)
  n = check.value("bars_and_stripes", "n", n, { "integer", required = true, min = 1, max = 10 })
  local images, labels = {}, {}
  local function add(pattern, label)
    local image = {}
    for i = 1, n do
      local row = {}
      for j = 1, n do
        local bit = label == 1 and j or i
        row[j] = 255 * (pattern >> (bit - 1) & 1)
      end
      image[i] = row
    end
    images[#images + 1], labels[#labels + 1] = image, label
  end
  for pattern = 0, 2 ^ n - 1 | 0 do add(pattern, 1) end
  for pattern = 1, 2 ^ n - 2 | 0 do add(pattern, 2) end
  return dataset.new(core.tensor(images, { dtype = "uint8" }),
    core.tensor(labels, { dtype = "int64" }), { classes = { "bars", "stripes" },
    name = "bars and stripes" })
end

return M
