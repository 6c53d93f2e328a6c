--- Makes one model of every class, prints its shapes, parameters and options, and trains none.
--
--     lrn examples/models/create_models.lua
--     lrn -e 'lrn.help "RBM"'          -- what the options mean
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt = common.start { about = "Makes one model of every class and prints it.", hidden = 128 }

local names = {}
for name in pairs(lrn.models.rows) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local labels, ratings = name:find "Discriminative", name == "RatingRBM"
  local model = common.check(lrn[name] { n_visible = not ratings and opt.pixels or nil,
    n_items = ratings and 1000 or nil, n_hidden = opt.hidden,
    n_classes = labels and 10 or nil, device = opt.device, seed = opt.seed })
  print(tostring(model) .. "\n")
  common.check(model:save(common.path(opt, name .. ".safetensors")))
end
print(("%d classes; a file of each in %s"):format(#names, opt.out))
