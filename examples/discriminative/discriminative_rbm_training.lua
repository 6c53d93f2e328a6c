--- An RBM with a layer of classes, trained to tell them apart: log P(class | image), exactly
-- (Larochelle and Bengio 2008). It learns no model of the images.
--
--     lrn examples/discriminative/discriminative_rbm_training.lua --momentum 0.9
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits (whose test images are by other
-- writers):
--
--   MNIST, batch 128: loss 0.51 -> 0.13  test accuracy 0.966
--   digits, batch 16: loss 2.11 -> 0.03  test accuracy 0.917
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a discriminative RBM and classifies the test set.",
  hidden = 128, learning_rate = 0.1,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
}
local rbm = common.check(lrn.DiscriminativeRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, n_classes = #train.classes,
  learning_rate = opt.learning_rate, momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt, { validation = test }))
common.classify(rbm, test, opt)
common.finish(rbm, test, opt)
