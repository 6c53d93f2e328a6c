--- Draws the pictures of README.md: what an RBM learns from MNIST. From the repository's folder,
-- with LRN_DATA naming the folder above mnist/:
--
--     build/release/lrn scripts/pictures.lua
local lrn = require "lrn"

local opt = lrn.cli.parse {
  about = "Draws the pictures of README.md; needs MNIST.",
  { "epochs", "integer", 20, "epochs to train", min = 1 },
  { "out", "string", "docs/pictures", "folder of the pictures" },
}

local train, test = lrn.data.mnist()
if not train then
  io.stderr:write("pictures: ", test, "\n")
  os.exit(1, true)
end

local rbm = lrn.RBM { n_visible = 784, n_hidden = 128, learning_rate = 0.1, momentum = 0.5,
  decay = 2e-4, seed = 1 }
local mse, pl = rbm:fit(train, { epochs = opt.epochs, batch_size = 128, progress = true })
print(("mse %.1f, pl %.1f, test reconstruction error %.1f"):format(mse, pl,
  (rbm:reconstruct(test))))

assert(lrn.io.mkdir(opt.out))
local plot = lrn.plot.model
assert(plot.filters(rbm, { tile = { 28, 28 }, cols = 16, width = 5.4,
  title = "what 128 hidden units look for" }):save(opt.out .. "/filters.png"))
assert(plot.reconstructions(rbm, test, { n = 12 }):save(opt.out .. "/reconstructions.png"))
