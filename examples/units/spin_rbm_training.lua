--- Units of -1 and 1 instead of 0 and 1, made from rows of the unit table by lrn.models.define. The
-- data are mapped to that range by a transform; a pixel weighs four times as much in an error.
--
--     lrn examples/units/spin_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, both with 128 hidden units:
--
--   MNIST, batch 128: error 93.8 -> 48.2  test error 46.5, on the scale of 0 to 1: 11.6
--   digits, batch 16: error 18.0 -> 10.5  test error 10.7, on the scale of 0 to 1:  2.7
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a Boltzmann machine of spins, -1 and 1, on both layers.",
  hidden = 128, learning_rate = 0.01,
}
local function to_spins(x) return x:to "float32" * (2 / 255) - 1 end
train, test = train:map(to_spins), test:map(to_spins)

local SpinRBM = lrn.models.define { visible = "spin", hidden = "spin", name = "SpinRBM" }
local rbm = common.check(SpinRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f, that is %.3f on a scale of 0 to 1"):format((rbm:reconstruct(test)),
  (rbm:reconstruct(test)) / 4))
common.finish(rbm, test, opt)
