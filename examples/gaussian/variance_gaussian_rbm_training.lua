--- Real-valued visible units that learn their variance (Cho, Ilin and Raiko 2011). Its chains draw
-- their visible states, so that mse holds the noise that the model sees in the data.
--
--     lrn examples/gaussian/variance_gaussian_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits. Errors are in standard deviations:
--
--   MNIST, batch 128: mse 918 -> 612  error 379 -> 301  test error 291  sigma 0.41 to 1.11
--   digits, batch 16: mse 109 ->  45  error  54 ->  20  test error  19  sigma 0.53 to 1.08
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with real-valued visible units that learn their variance.",
  hidden = 128, learning_rate = 0.005,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
}
local rbm = common.check(lrn.VarianceGaussianRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f, sigma from %.3f to %.3f"):format((rbm:reconstruct(test)), rbm.sigma:min(),
  rbm.sigma:max()))
common.finish(rbm, test, opt)
