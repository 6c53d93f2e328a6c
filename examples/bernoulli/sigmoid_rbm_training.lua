--- An RBM whose visible states are their means, for grey values that are no coin flips (Hinton
-- 2012, section 3.2). Its mse is that of the means: not to be compared with the mse of an RBM, while the
-- test error is.
--
--     lrn examples/bernoulli/sigmoid_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, both with 128 hidden units (an RBM:
-- 14.4 and 2.8):
--
--   MNIST, batch 128: error 29.5 -> 14.1  test error 13.7
--   digits, batch 16: error  4.8 ->  2.1  test error  2.2
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with mean-field visible units and reconstructs the test set.",
  hidden = 128, learning_rate = 0.1,
}
local rbm = common.check(lrn.SigmoidRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
