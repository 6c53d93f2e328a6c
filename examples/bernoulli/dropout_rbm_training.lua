--- An RBM that leaves out hidden units while it trains: a mask a row, held through the whole step
-- (Srivastava et al. 2014, section 8). Features and energies are those of all units.
--
--     lrn examples/bernoulli/dropout_rbm_training.lua --dropout 0.5
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, both with 128 hidden units (an RBM:
-- 14.4 and 2.8; so few units do not overfit: dropout costs here):
--
--   MNIST, batch 128: error 39.6 -> 27.8  test error 23.2
--   digits, batch 16: error  4.7 ->  3.2  test error  2.8
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM with dropout and reconstructs the test set with all its units.",
  hidden = 128, learning_rate = 0.1,
  { "dropout", "number", 0.5, "probability of leaving a hidden unit out", min = 0, max = 1 },
}
local rbm = common.check(lrn.DropoutRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, dropout = opt.dropout,
  learning_rate = opt.learning_rate, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
common.finish(rbm, test, opt)
