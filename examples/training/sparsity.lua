--- Hidden units that are on for few images: a sparsity target (Hinton 2012, section 11), beside the
-- same model without one.
--
--     lrn examples/training/sparsity.lua --target 0.1 --cost 0.1
--
-- What to expect, after 5 epochs of MNIST and 20 of the digits, without a target and with it:
--
--   MNIST, batch 128: mean of the hidden units 0.36 and 0.15  test error 14.4 and 17.5
--   digits, batch 16: mean of the hidden units 0.24 and 0.11  test error  2.8 and  2.7
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM whose hidden units are drawn to a small mean.",
  hidden = 128, learning_rate = 0.1,
  { "target", "number", 0.1, "mean that each hidden unit is to have", min = 0, max = 1 },
  { "cost", "number", 0.1, "how strongly it is drawn there; the first model has 0", min = 0 },
}
local rbm
for _, cost in ipairs { 0, opt.cost } do
  print("sparsity_cost = " .. cost)
  rbm = common.check(lrn.RBM {
    n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
    sparsity_cost = cost, sparsity_target = opt.target, device = opt.device, seed = opt.seed,
  })
  rbm:fit(train, common.fit_options(opt))
  local mean = rbm:transform(test).data:mean(1)
  print(("mean of the hidden units %.3f, from %.3f to %.3f; test error %.3f"):format(mean:mean(),
    mean:min(), mean:max(), (rbm:reconstruct(test))))
end
common.finish(rbm, test, opt)
common.picture(opt, "activations.png", function(plot)
  return plot.model.activations(rbm, test)
end)
