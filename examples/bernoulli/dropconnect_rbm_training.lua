--- An RBM that leaves out weights while it trains: one mask a batch, the same one in both phases
-- and on the way down (after Wan et al. 2013). Otherwise its weights count 1 - dropout.
--
--     lrn examples/bernoulli/dropconnect_rbm_training.lua --dropout 0.5
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, both with 128 hidden units (an RBM:
-- 14.4 and 2.8; half of the weights learn in a step):
--
--   MNIST, batch 128: error 44.9 -> 28.7  test error 25.1
--   digits, batch 16: error  4.8 ->  4.3  test error  4.2
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with dropconnect and reconstructs the test set with the scaled weights.",
  hidden = 128, learning_rate = 0.1,
  { "dropout", "number", 0.5, "probability of leaving a weight out", min = 0, max = 1 },
}
local rbm = common.check(lrn.DropConnectRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, dropout = opt.dropout,
  learning_rate = opt.learning_rate, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
