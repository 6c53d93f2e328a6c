--- Schedules and early stopping: a learning rate that falls along a cosine, a momentum that rises after
-- five epochs, and an end where the validation loss has not been better for a while; the model then is
-- the one of its best epoch.
--
--     lrn examples/training/early_stopping.lua --limit 1000 --patience 5
--
-- What to expect of 1000 images and at most 100 epochs:
--
--   MNIST:  ended after 18 epochs, test accuracy 0.879
--   digits: ended after 17 epochs, test accuracy 0.897
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a discriminative RBM on few images until it is not getting better.",
  epochs = { 100, 100 }, batch_size = { 16, 16 }, limit = 1000, hidden = 256, learning_rate = 0.2,
  { "patience", "integer", 5, "epochs without a better validation loss", min = 1 },
}
local rbm = common.check(lrn.DiscriminativeRBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, n_classes = #train.classes, device = opt.device,
  seed = opt.seed,
})
rbm:fit(train, common.fit_options(opt, {
  validation = test,
  schedule = {
    learning_rate = lrn.schedule.cosine { from = opt.learning_rate, epochs = math.max(opt.epochs, 1) },
    momentum = { [1] = 0.5, [6] = 0.9 },
  },
  early_stopping = { metric = "val_loss", patience = opt.patience },
}))
print(("ended after %d epochs"):format(#rbm.history))
common.classify(rbm, test, opt)
common.finish(rbm, test, opt)
