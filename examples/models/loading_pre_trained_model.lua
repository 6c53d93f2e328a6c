--- Loads a model of any class from its file, reconstructs the test set and draws images from it.
--
--     lrn examples/rbm_training.lua
--     lrn examples/models/loading_pre_trained_model.lua --model out/rbm_training/rbm.safetensors
--
-- What to expect: the test error that the training printed; samples.png, in which most tiles are
-- digits, or nearly.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Loads a model, reconstructs the test set, and samples from it.",
  { "model", "string", nil, "file of a model; absent: one is trained" },
  { "sweeps", "integer", 1000, "sweeps of the chains that are sampled from", min = 1 },
}
local model = common.load_or_train(opt, train)
print(model)
if model.n_visible ~= opt.pixels then
  common.fail(("the model has %d visible units, the images %d pixels; --data names others")
    :format(model.n_visible, opt.pixels))
end
print(("test error %.3f"):format((model:reconstruct(test))))
local images = model:sample(64, { steps = opt.sweeps })
common.picture(opt, "samples.png", function(plot)
  return plot.mosaic(images:t(), { tile = opt.tile, cols = 8, zoom = opt.zoom })
end)
common.finish(model, test, opt)
