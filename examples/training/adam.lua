--- Adam beside gradient descent with momentum, on the same model and data: the curves of both.
--
--     lrn examples/training/adam.lua --adam-rate 0.005
--
-- What to expect, test errors after 5 epochs of MNIST and 20 of the digits:
--
--   MNIST, batch 128: plain 14.4  momentum 0.9 11.6  Adam 11.8
--   digits, batch 16: plain  2.8  momentum 0.9  2.4  Adam  2.7
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains the same RBM by gradient descent, with momentum, and by Adam.",
  hidden = 128, learning_rate = 0.1,
  { "adam_rate", "number", 0.005, "learning rate of Adam", min = 0 },
}
local ways = {
  { label = "plain", learning_rate = opt.learning_rate },
  { label = "momentum 0.9", learning_rate = opt.learning_rate, momentum = 0.9 },
  { label = "Adam", learning_rate = opt.adam_rate, optimizer = "adam" },
}
local rbm, series, labels = nil, {}, {}
for i, way in ipairs(ways) do
  labels[i], way.label = way.label, nil
  way.n_visible, way.n_hidden, way.device, way.seed = opt.pixels, opt.hidden, opt.device, opt.seed
  print(labels[i])
  rbm = common.check(lrn.RBM(way))
  rbm:fit(train, common.fit_options(opt))
  series[i] = rbm.history.error
  print(("test error %.3f"):format((rbm:reconstruct(test))))
end
common.finish(rbm, test, opt)
if opt.epochs > 0 then
  common.picture(opt, "curves.png", function(plot)
    series[#series + 1] = { labels = labels, title = "error of one sweep", ylabel = "per image" }
    return plot.plot(table.unpack(series))
  end)
end
