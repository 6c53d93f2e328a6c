--- A deep Boltzmann machine (Salakhutdinov, Hinton 2009): an RBM for each layer first, then all layers
-- jointly by mean field and persistent chains. Images are made black and white, so that the bound on their
-- log-likelihood means something; it is printed as training goes on, with the bracket that it lies in.
--
--     lrn examples/deep/dbm.lua --pretrain 10 --layers 64,32
--
-- What to expect of the digits, in nats:
--
--   after 20 epochs of each RBM -19.85, after 80 epochs of joint training -18.65
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains a deep Boltzmann machine: layer by layer, then jointly.",
  epochs = { 5, 80 }, batch_size = { 100, 32 }, learning_rate = 0.005,
  { "layers", "integer", nil, "hidden units of each layer (500,1000 on MNIST, 64,32 on digits)", list = true,
    min = 1 },
  { "pretrain", "integer", nil, "epochs of each RBM (5 on MNIST, 20 on digits); 0: none", min = 0 },
  { "every", "integer", nil, "epochs between two bounds (5 on MNIST, 20 on digits)", min = 1 },
  { "temperatures", "integer", 1000, "rungs of the ladder that log Z is annealed on", min = 1 },
}
local large = opt.pixels > 64
local layers = opt.layers or large and { 500, 1000 } or { 64, 32 }
local before = opt.pretrain or large and 5 or 20
local every = opt.every or large and 5 or 20

local black_and_white = lrn.data.transforms.binarize(large and 128 / 255 or 0.5)
local binary, probe = train:map(black_and_white), test:map(black_and_white)

local dbm = common.check(lrn.DBM { n_visible = opt.pixels, n_hidden = layers, learning_rate = opt.learning_rate,
  momentum = 0.5, centering = 0.01, mean_field = 10, tolerance = 1e-3, device = opt.device, seed = opt.seed })
if before > 0 then
  dbm:pretrain(binary, { epochs = before, batch_size = opt.batch_size, learning_rate = 0.05, centering = 0,
    progress = opt.progress, callback = function(rbm, epoch, _, layer)
      if epoch == before then
        print(("layer %d, %d x %d: error %.3f"):format(layer, rbm.n_visible, rbm.n_hidden, rbm.history.error[epoch]))
      end
    end })
end

local epochs, bounds, lows, highs = {}, {}, {}, {}
local function measure(epoch)
  local bound, low, high, how = dbm:log_likelihood(probe, { temperatures = opt.temperatures, burn = 200 })
  print(("epoch %3d   bound on log p(test image) %.2f (%.2f to %.2f), log Z %s"):format(epoch, bound, low, high,
    how.method == "exact" and "exact" or "annealed"))
  epochs[#epochs + 1], bounds[#bounds + 1], lows[#lows + 1], highs[#highs + 1] = epoch, bound, low, high
end
measure(0)

local fit = common.fit_options(opt)
local line = fit.callback
function fit.callback(model, epoch, stats)
  line(model, epoch, stats)
  if epoch % every == 0 or epoch == opt.epochs then measure(epoch) end
end
dbm:fit(binary, fit)

-- What it dreams of: chains that begin at the states of those it was trained with.
local chains = dbm:chains()
local n = math.min(chains and chains[1]:size(1) or 64, 64)
if chains then
  for l, h in ipairs(chains) do chains[l] = h:narrow(1, 1, n) end
end
local fantasies = dbm:sample(n, { steps = 200, start = chains })
common.picture(opt, "fantasies.png", function(plot)
  return plot.mosaic(fantasies:t(), { tile = opt.tile, cols = 8, zoom = 56 // opt.tile[1], vmin = 0, vmax = 1 })
end)
common.picture(opt, "bound.png", function(plot)
  local figure = plot.figure { width = 7, height = 4 }
  figure:axes():band(epochs, lows, highs):line(epochs, bounds, { marker = "o" }):xlabel "epoch of joint training"
    :ylabel "nats":title("bound on log p(test image)", { loc = "left" }):grid(true)
  return figure
end)
common.finish(dbm, test, opt)
