--- Training on data with gaps: a part of all values is taken away, in training and test images. A model with
-- `missing` leaves each gap out of its row; two others get 0, or the unit's mean, in its place.
--
--     lrn examples/conditional/missing_values.lua --gone 0.3
--
-- What to expect with 30 % missing, after 5 epochs of MNIST and 30 of the digits; in the gaps NaN, 0, the mean:
--
--   MNIST    test error 15.1  20.6  19.8   mean squared error over the gaps 0.023  0.035  0.031
--   digits   test error  2.7   3.7   3.5   mean squared error over the gaps 0.058  0.079  0.065
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains RBMs on digits of which a part of the pixels is missing.",
  hidden = 128, learning_rate = 0.1, epochs = { 5, 30 },
  { "gone", "number", 0.3, "part of the values that is missing", min = 0, max = 0.95 },
}

local function numbers(set)
  return set.data:view(#set, opt.pixels):to { dtype = "float32", device = opt.device } / 255
end
local x, y = numbers(train), numbers(test)
local function gaps(t)
  return lrn.rand({ table.unpack(t.shape) }):lt(opt.gone):to { device = opt.device }
end
local gone, test_gone = gaps(x), gaps(y)
local mean = x:mean(1):view(1, -1)

-- What stands in the gaps of t.
local fills = {
  { "NaN, missing = true", function(t) return lrn.full_like(t, 0 / 0) end },
  { "0", lrn.zeros_like },
  { "the mean", function(t) return mean:expand(#t, opt.pixels) end },
}

-- Mean squared error over the gaps of the test images.
local function error(v)
  local off = (v - y):masked_select(test_gone)
  return off.numel > 0 and (off * off):mean() or 0
end

local models = {}
for i, fill in ipairs(fills) do
  local name, values = table.unpack(fill)
  print("in the gaps: " .. name)
  models[i] = common.check(lrn.RBM {
    n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate, missing = i == 1,
    device = opt.device, seed = opt.seed,
  })
  models[i]:fit(lrn.where(gone, values(x), x), common.fit_options(opt))
  local _, v = models[i]:reconstruct(lrn.where(test_gone, values(y), y), { mean_field = true })
  print(("test error: whole images %.3f; the gaps, by one sweep from the rest: %.4f"):format(
    models[i]:reconstruct(y, { mean_field = true }), error(v)))
end
print(("the gaps, by the mean image: %.4f"):format(error(mean:expand(#y, opt.pixels))))

-- A line each: gaps (grey), the means that fill them, the truth
local rbm, n = models[1], math.min(12, #y)
local holes = lrn.where(test_gone, lrn.full_like(y, 0 / 0), y):narrow(1, 1, n)
local filled = rbm:impute(holes)
common.picture(opt, "filled.png", function(plot)
  local lines = { lrn.where(holes:isnan(), lrn.full_like(holes, 0.5), holes), filled, y:narrow(1, 1, n) }
  return plot.mosaic(lrn.cat(lines, 1):cpu():t(), { tile = opt.tile, cols = n,
    zoom = opt.zoom, scale = "all" })
end)
common.finish(rbm, test, opt)
