--- Noise taken away: pixels of test images are flipped with a known probability, and an RBM that was
-- trained on clean ones says what was there, pixel by pixel: the posterior mean of the model given the noise.
--
--     lrn examples/conditional/denoising.lua --flip 0.1
--
-- What to expect of the wrong pixels, noisy and denoised, after 10 epochs of MNIST and 100 of the digits
-- (whose 64 pixels say much less about each other):
--
--   MNIST    10.1 %   1.9 %
--   digits   10.0 %   5.2 %
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM on clean digits and takes the noise away from others.",
  hidden = 256, learning_rate = 0.05, epochs = { 10, 100 }, batch_size = { 100, 50 },
  { "flip", "number", 0.1, "probability that noise flips a pixel", min = 0.001, max = 0.499 },
  { "images", "integer", 200, "test images", min = 1 },
}

-- 0 and 1: the model's own states
local function bits(set)
  return set.data:view(#set, opt.pixels):gt(127):to { dtype = "float32", device = opt.device }
end

local rbm = common.check(lrn.RBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate, centering = 0.01,
  persistent = 100, device = opt.device, seed = opt.seed,
})
rbm:fit(bits(train), common.fit_options(opt))

local clean = bits(test)
clean = clean:narrow(1, 1, math.min(opt.images, #clean))
local flips = lrn.rand({ #clean, opt.pixels }):lt(opt.flip):to { dtype = "float32", device = opt.device }
local noisy = (clean - flips):abs()
local mean, _, std = rbm:denoise(noisy, { flip = opt.flip })

local function wrong(t)
  return 100 * t:gt(0.5):to "float32":ne(clean):to "float32":mean()
end
print(("wrong pixels: %.2f %% of the noisy images, %.2f %% of the denoised ones"):format(wrong(noisy),
  wrong(mean)))

-- A line each: noisy, denoised, how sure (white: not), clean
common.picture(opt, "denoised.png", function(plot)
  local n = math.min(12, #clean)
  local lines = {}
  for i, t in ipairs { noisy, mean, std * 2, clean } do lines[i] = t:narrow(1, 1, n) end
  return plot.mosaic(lrn.cat(lines, 1):cpu():t(), { tile = opt.tile, cols = n,
    zoom = opt.zoom, scale = "all" })
end)
common.finish(rbm, test, opt)
