--- Real-valued visible units and selu hidden ones, without noise and without a distribution: for
-- comparisons with Learnergy. It is an autoencoder in all but name.
--
--     lrn examples/gaussian/gaussian_selu_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, of pixels from 0 to 1:
--
--   MNIST, batch 128: error 9.82 -> 3.67  test error 3.59
--   digits, batch 16: error 2.78 -> 0.05  test error 0.05
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a model with real-valued visible and selu hidden units.",
  hidden = 128, learning_rate = 0.01,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
}
local rbm = common.check(lrn.GaussianSeluRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
