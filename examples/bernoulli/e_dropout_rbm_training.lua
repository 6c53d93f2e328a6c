--- An RBM whose steps leave out hidden units by how much they matter: a unit whose probability
-- grows between data and reconstruction is the likelier to go (Roder et al. 2020). A step costs two.
--
--     lrn examples/bernoulli/e_dropout_rbm_training.lua
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, both with 128 hidden units (an RBM:
-- 14.4 and 2.8):
--
--   MNIST, batch 128: error 30.9 -> 15.1  test error 14.4
--   digits, batch 16: error  4.6 ->  2.9  test error  2.8
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with energy-based dropout and reconstructs the test set.",
  hidden = 128, learning_rate = 0.1,
}
local rbm = common.check(lrn.EDropoutRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
