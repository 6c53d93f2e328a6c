--- Real-valued visible and noisy rectified hidden units (Nair and Hinton 2010): a hidden unit says how
-- much, not only whether.
--
--     lrn examples/gaussian/gaussian_relu_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits. Errors are in standard deviations;
-- hidden states are drawn, which costs a third of it (by mean field the first is 81):
--
--   MNIST, batch 128: error 244 -> 131  test error 127
--   digits, batch 16: error  44 ->  14  test error  14
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with real-valued visible and rectified hidden units.",
  hidden = 256, learning_rate = 0.001,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
}
local rbm = common.check(lrn.GaussianReluRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
