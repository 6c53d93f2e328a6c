--- A discriminative RBM that also learns the images with their labels: alpha weighs the contrastive
-- divergence of the joint model (Larochelle and Bengio 2008, section 5). Images without a label count
-- in that part, and it draws images of a class that is asked for.
--
--     lrn examples/discriminative/hybrid_discriminative_rbm_training.lua --alpha 0.01
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits; samples.png has a row of images for
-- each class, which --alpha 0.1 makes more like digits (and the accuracy on MNIST 0.959):
--
--   MNIST, batch 128: loss 0.51 -> 0.12  error 39.5 -> 24.4  test accuracy 0.967
--   digits, batch 16: loss 2.09 -> 0.06  error  5.4 ->  2.8  test accuracy 0.906
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a hybrid RBM, classifies the test set and draws images of each class.",
  hidden = 128, learning_rate = 0.1,
  { "momentum", "number", 0.9, "share of the last update that stays", min = 0, max = 0.999 },
  { "alpha", "number", 0.01, "weight of the generative part", min = 0 },
}
local classes = #train.classes
local rbm = common.check(lrn.HybridDiscriminativeRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, n_classes = classes, alpha = opt.alpha,
  learning_rate = opt.learning_rate, momentum = opt.momentum, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt, { validation = test }))
common.classify(rbm, test, opt)
local labels = lrn.arange(1, classes):reshape(classes, 1):expand(classes, 8):reshape(-1)
local images = rbm:sample(8 * classes, { steps = 500, labels = labels })
common.picture(opt, "samples.png", function(plot)
  return plot.mosaic(images:t(), { tile = opt.tile, cols = 8, zoom = opt.zoom })
end)
common.finish(rbm, test, opt)
