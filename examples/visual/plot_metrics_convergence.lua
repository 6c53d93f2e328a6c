--- The metrics of a model that was saved, epoch by epoch: its history travels in its file.
--
--     lrn examples/rbm_training.lua
--     lrn examples/visual/plot_metrics_convergence.lua --model out/rbm_training/rbm.safetensors
--
-- What to expect: error.png, mse.png, pl.png and time.png, a curve each, and history.csv.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Plots what the training of a saved model measured.",
  { "model", "string", nil, "file of a model; absent: one is trained" },
}
local model = common.load_or_train(opt, train)
for _, metric in ipairs(model.history:metrics()) do
  print(("%-8s %9.3f -> %9.3f"):format(metric, model.history[metric][1],
    model.history:last()[metric]))
  common.picture(opt, metric .. ".png", function(plot)
    return plot.plot(model.history[metric], { labels = metric, title = model.class,
      ylabel = metric })
  end)
end
local file = common.check(io.open(common.path(opt, "history.csv"), "w"))
file:write(model.history:csv())
file:close()
common.finish(model, test, opt)
