--- Real-valued visible units of variance 1 (Hinton and Salakhutdinov 2006): the model standardises
-- its data by the training set, and gives reconstructions in the data's own units.
--
--     lrn examples/gaussian/gaussian_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits. Errors are in standard deviations;
-- the mean image has 609 on MNIST and 51 on the digits:
--
--   MNIST, batch 128: error 369 -> 302  test error 292
--   digits, batch 16: error  50 ->  29  test error  29
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with real-valued visible units and reconstructs the test set.",
  hidden = 128, learning_rate = 0.005,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
}
local rbm = common.check(lrn.GaussianRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
