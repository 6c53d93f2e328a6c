--- Softmax hidden units: groups of one-hot units, of which one is 1. With a single group the model is a
-- mixture, and learns by itself what kinds of images there are: each filter is one of them. Without
-- the sparsity target (--even 0) one kind takes more than half of the images.
--
--     lrn examples/units/softmax_rbm_training.lua --groups 1 --kinds 20
--
-- What to expect, of a group of 20 units, after 10 epochs of MNIST and 50 of the digits:
--
--   MNIST, batch 128: error 44.1 -> 36.3  test error 36.2  kinds of 0.04 to 0.06 of the images
--   digits, batch 16: error  4.7 ->  2.3  test error  2.5  kinds of 0.02 to 0.08 of the images
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a mixture of kinds of images: an RBM with softmax hidden units.",
  epochs = { 10, 50 }, learning_rate = 0.2,
  { "groups", "integer", 1, "softmax groups in the hidden layer", min = 1 },
  { "kinds", "integer", 20, "units of a group", min = 2 },
  { "even", "number", 1, "how strongly each kind is drawn to its even share of the images", min = 0 },
  { "momentum", "number", 0.5, "share of the last update that stays", min = 0, max = 0.999 },
}
local Mixture = lrn.models.define { hidden = "softmax", name = "Mixture" }
local rbm = common.check(Mixture {
  n_visible = opt.pixels, n_hidden = opt.groups * opt.kinds, hidden_categories = opt.kinds,
  learning_rate = opt.learning_rate, momentum = opt.momentum, sparsity_cost = opt.even,
  sparsity_target = 1 / opt.kinds, device = opt.device, seed = opt.seed,
})
print(rbm)
rbm:fit(train, common.fit_options(opt))
print(("test error %.3f"):format((rbm:reconstruct(test))))
if opt.groups == 1 then
  local share = rbm:transform(test).data:mean(1)
  print(("kinds are from %.3f to %.3f of the test images; log-likelihood of one %.1f"):format(
    share:min(), share:max(), (rbm:log_likelihood(test))))
end
common.finish(rbm, test, opt)
