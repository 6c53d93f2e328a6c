--- One test image and its reconstruction, in the terminal where it can show pictures, and as
-- sample.png.
--
--     lrn examples/visual/show_reconstructed_sample.lua --epochs 1 --sample 3
--
-- What to expect: a digit, and beside it the same one, smoother.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM, reconstructs one image and shows both.",
  epochs = { 1, 20 }, hidden = 128, learning_rate = 0.1,
  { "sample", "integer", 1, "which test image", min = 1 },
}
if opt.sample > #test then common.fail(("--sample: there are %d images"):format(#test)) end
local rbm = common.check(lrn.RBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  device = opt.device, seed = opt.seed,
})
rbm:fit(train, common.fit_options(opt))
local one = test:subset { opt.sample }
local err, image = rbm:reconstruct(one)
print(("label %s, error %.3f"):format(one.classes[one.targets[1]], err))
common.picture(opt, "sample.png", function(plot)
  local original = one.data:to { dtype = image.dtype, device = opt.device } / 255
  local both = lrn.cat({ original:reshape(1, opt.pixels), image }, 1)
  return plot.show_tensor(both:view(2, table.unpack(opt.tile)), { zoom = 8 })
end)
common.finish(rbm, test, opt)
