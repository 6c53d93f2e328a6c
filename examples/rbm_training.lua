--- Trains an RBM on handwritten digits, reconstructs the test set, saves the model, loads it back
-- and draws what it learned. The main job of lrn: `scripts/run` builds everything and ends here.
--
--     lrn examples/rbm_training.lua --epochs 10 --hidden 128 --out out/rbm
--
-- MNIST (60,000 + 10,000 images of 28 x 28) is used where its files are found, else the shipped
-- UCI digits (1437 + 360 images of 8 x 8). What to expect (128 hidden, learning rate 0.1, CD-1):
--
--   MNIST, 10 epochs, batch 128: mse 80.6 -> 41.9  pl -137 -> -80  test error 12.2 (sampled 41.4)
--   digits, 50 epochs, batch 16: mse 13.9 ->  9.1  pl  -26 -> -18  test error  2.5 (sampled  9.4)
--
-- mse and errors are sums of squares over the pixels of an image. Options and data sets, which all
-- examples share, are in common.lua; the other folders have an example each of what else there is.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "common.lua")
local check = common.check

local opt, train, test = common.start {
  about = "Trains an RBM on handwritten digits, reconstructs the test set, saves, loads back, \z
    draws.",
  epochs = { 10, 50 }, hidden = 128, learning_rate = 0.1,
  { "momentum", "number", 0, "share of the last update that stays", min = 0, max = 0.999 },
  { "decay", "number", 0, "weight decay", min = 0 },
  { "steps", "integer", 1, "k of CD-k", min = 1 },
  { "persistent", "integer", 0, "chains of PCD; 0: CD", min = 0 },
}

local rbm = check(lrn.RBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, steps = opt.steps,
  learning_rate = opt.learning_rate, momentum = opt.momentum, decay = opt.decay,
  persistent = opt.persistent, device = opt.device, seed = opt.seed,
})
print(rbm)

-- Batches, epochs, a progress bar, and a line of numbers after each epoch.
local mse, pl, code = rbm:fit(train, common.fit_options(opt))
if code then common.fail(pl) end
if mse then print(("trained: mse %.3f, pl %.3f"):format(mse, pl)) end

local err, images, sampled = rbm:reconstruct(test)
images:close() -- 31 MB for MNIST, which the pictures below make again for ten images
print(("test reconstruction error %.3f (probabilities), %.3f (sampled pixels)"):format(err,
  sampled))

local path = common.path(opt, "rbm.safetensors")
check(rbm:save(path))
local again = check(lrn.load(path, { device = opt.device }))
local probe = test:subset { 1, 2, 3, 4, 5, 6, 7, 8 }.data
if again(probe) ~= rbm(probe) then common.fail "the model that was loaded back differs" end
print("saved and loaded back, same features: " .. path)

if not pcall(require, "lrn.plot.cairo") then
  print("no pictures: this lrn was built without its plot library")
elseif opt.plots then
  local plot = lrn.plot.model
  check(plot.filters(rbm, { tile = opt.tile }):save(opt.out .. "/filters.png"))
  check(plot.reconstructions(rbm, test):save(opt.out .. "/reconstructions.png"))
  if mse then check(plot.history(rbm):save(opt.out .. "/history.png")) end
end
print("output folder: " .. opt.out)
