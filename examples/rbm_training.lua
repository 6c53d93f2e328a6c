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
-- mse and errors are sums of squares over the pixels of an image.
local lrn = require "lrn"

local opt = lrn.cli.parse {
  about = "Trains an RBM on handwritten digits, reconstructs the test set, saves, loads back, \z
    draws.",
  { "epochs", "integer", nil, "epochs to train (10 on MNIST, 50 on digits)", min = 0, short = "e" },
  { "hidden", "integer", 128, "hidden units", min = 1, short = "n" },
  { "data", "string", "auto", "mnist, digits, or a folder with MNIST's files; auto: MNIST where \z
    its files are found, else digits" },
  { "device", "string", "cpu", "cpu, cuda or cuda:N" },
  { "seed", "integer", 1, "seed of all random numbers", min = 0 },
  { "out", "string", "out/rbm_training", "folder for the model and the pictures", short = "o" },
  { "batch_size", "integer", nil, "rows of a batch (128 on MNIST, 16 on digits)", min = 1 },
  { "learning_rate", "number", 0.1, "step of the update", min = 0 },
  { "momentum", "number", 0, "share of the last update that stays", min = 0, max = 0.999 },
  { "decay", "number", 0, "weight decay", min = 0 },
  { "steps", "integer", 1, "k of CD-k", min = 1 },
  { "persistent", "integer", 0, "chains of PCD; 0: CD", min = 0 },
  { "limit", "integer", nil, "use only so many training images", min = 1 },
  { "threads", "integer", nil, "threads (all processors)", min = 1 },
  { "progress", "boolean", true, "progress bar" },
  { "plots", "boolean", true, "draw the pictures" },
}

local function fail(...)
  io.stderr:write("rbm_training: ", table.concat({ ... }, " "), "\n")
  os.exit(1, true)
end

local function load_data()
  if opt.data ~= "digits" then
    local folder = opt.data ~= "auto" and opt.data ~= "mnist" and opt.data or nil
    local train, test = lrn.data.mnist { root = folder }
    if train then
      print(("data: MNIST, %d training and %d test images of 28 x 28"):format(#train, #test))
      return train, test, { 28, 28 }, { epochs = 10, batch_size = 128 }
    elseif opt.data ~= "auto" then
      fail(test)
    end
  end
  local train, test = lrn.data.digits()
  print(("data: UCI digits (shipped), %d training and %d test images of 8 x 8%s"):format(#train,
    #test, opt.data == "auto" and "; MNIST was not found" or ""))
  return train, test, { 8, 8 }, { epochs = 50, batch_size = 16 }
end

if opt.device:find "^cuda" then
  local there, why = lrn.cuda.available()
  if not there then fail(why) end
end
if opt.threads then lrn.set { threads = opt.threads } end
lrn.manual_seed(opt.seed)
local train, test, tile, usual = load_data()
if opt.limit and opt.limit < #train then train = train:subset(lrn.arange(1, opt.limit)) end

local rbm, message = lrn.RBM {
  n_visible = tile[1] * tile[2], n_hidden = opt.hidden, steps = opt.steps,
  learning_rate = opt.learning_rate, momentum = opt.momentum, decay = opt.decay,
  persistent = opt.persistent, device = opt.device, seed = opt.seed,
}
if not rbm then fail(message) end
print(rbm)

local epochs = opt.epochs or usual.epochs
local mse, pl, code = rbm:fit(train, {
  batch_size = opt.batch_size or usual.batch_size, epochs = epochs, progress = opt.progress,
  callback = function(_, epoch, stats)
    if epoch <= 10 or epoch % 10 == 0 or epoch == epochs then
      print(("epoch %3d   mse %8.3f   error %8.3f   pl %9.3f   %.2f s"):format(epoch, stats.mse,
        stats.error, stats.pl, stats.time))
    end
  end,
})
if code then fail(pl) end
if mse then print(("trained: mse %.3f, pl %.3f"):format(mse, pl)) end

local err, images, sampled = rbm:reconstruct(test)
images:close() -- 31 MB for MNIST, which the pictures below make again for ten images
print(("test reconstruction error %.3f (probabilities), %.3f (sampled pixels)"):format(err,
  sampled))

local made, why = lrn.io.mkdir(opt.out)
if not made then fail(why) end
local path = opt.out .. "/rbm.safetensors"
local saved
saved, why = rbm:save(path)
if not saved then fail(why) end
local again
again, why = lrn.load(path, { device = opt.device })
if not again then fail(why) end
local probe = test:subset { 1, 2, 3, 4, 5, 6, 7, 8 }.data
if again(probe) ~= rbm(probe) then fail("the model that was loaded back differs") end
print("saved and loaded back, same features: " .. path)

if opt.plots then
  local plot = pcall(require, "lrn.plot.cairo") and lrn.plot
  if not plot then
    print("no pictures: this lrn was built without its plot library")
  else
    local function save(name, figure)
      local ok, trouble = figure:save(opt.out .. "/" .. name)
      if not ok then fail(trouble) end
    end
    save("filters.png", plot.model.filters(rbm, { tile = tile }))
    save("reconstructions.png", plot.model.reconstructions(rbm, test))
    if mse then save("history.png", plot.model.history(rbm)) end
  end
end
print("output folder: " .. opt.out)
