--- Half a digit completed: the upper half of test images is held fixed while an RBM that was trained on
-- whole ones samples the lower half; several completions, their mean, and what was there.
--
--     lrn examples/conditional/half_a_digit.lua --hidden 256 --sweeps 500
--
-- What to expect of the mean squared error over the hidden halves, after 20 epochs of MNIST and 100 of the
-- digits, and of the mean image in their place:
--
--   MNIST    0.070  (0.086)
--   digits   0.106  (0.135)
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local COMPLETIONS = 5

local opt, train, test = common.start {
  about = "Completes the lower half of digits by sampling it given the upper half.",
  hidden = 256, learning_rate = 0.05, epochs = { 20, 100 }, batch_size = { 100, 50 },
  { "sweeps", "integer", 500, "sweeps of each chain", min = 1 },
}
local rows, columns = table.unpack(opt.tile)

-- 0 and 1: the model's own states
local function bits(set)
  return set.data:view(#set, opt.pixels):gt(127):to { dtype = "float32", device = opt.device }
end

local rbm = common.check(lrn.RBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate, centering = 0.01,
  persistent = 100, device = opt.device, seed = opt.seed,
})
local x = bits(train)
rbm:fit(x, common.fit_options(opt))

-- The first test image of each class.
local first = {}
for i, label in ipairs(test.targets:tolist()) do first[label] = first[label] or i end
local truth = bits(test:subset(first))
local n = #truth

local known = lrn.cat({ lrn.ones(rows // 2 * columns), lrn.zeros((rows - rows // 2) * columns) }, 1)
known = known:to { device = opt.device }
local hidden = known:eq(0):view(1, -1):expand(n, opt.pixels)

local pictures = { lrn.where(hidden, lrn.full_like(truth, 0.5), truth) }
for i = 1, COMPLETIONS do
  local _, state = rbm:sample(n, { steps = opt.sweeps, clamp = { known, truth } })
  pictures[i + 1] = state
end
local mean = rbm:impute(truth, { mask = known, steps = opt.sweeps, burn = opt.sweeps // 2 })
table.move({ mean, truth }, 1, 2, #pictures + 1, pictures)

-- Over the hidden half of all test images.
local all = bits(test):narrow(1, 1, math.min(#test, 500))
local function error(guess)
  local off = (guess - all):masked_select(known:eq(0):view(1, -1):expand(#all, opt.pixels))
  return (off * off):mean()
end
print(("mean squared error of the hidden half: %.4f; of the mean image %.4f"):format(
  error(rbm:impute(all, { mask = known, chains = 5, steps = 100, burn = 50 })),
  error(x:mean(1):view(1, -1):expand(#all, opt.pixels))))

-- A digit a line: what was given, completions, their mean, the truth
common.picture(opt, "completions.png", function(plot)
  local tiles = lrn.stack(pictures, 2):view(n * #pictures, opt.pixels)
  return plot.mosaic(tiles:cpu():t(), { tile = opt.tile, cols = #pictures, zoom = opt.zoom,
    scale = "all" })
end)
common.finish(rbm, test, opt)
