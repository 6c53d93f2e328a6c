--- The weights of an RBM as a mosaic, one tile a hidden unit, in three scales: each tile on its
-- own, one scale for all, and one that is symmetric about 0.
--
--     lrn examples/visual/create_weights_mosaic.lua --hidden 100
--
-- What to expect: tile.png, all.png and symmetric.png; strokes of the pen, light and dark.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Trains an RBM and draws its weights.",
  hidden = 128, learning_rate = 0.1,
}
local rbm = common.check(lrn.RBM {
  n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
  device = opt.device, seed = opt.seed,
})
rbm:fit(train, common.fit_options(opt))
for scale, cmap in pairs { tile = "gray", all = "gray", symmetric = "bwr" } do
  common.picture(opt, scale .. ".png", function(plot)
    return plot.mosaic(rbm.W, { tile = opt.tile, scale = scale, cmap = cmap,
      zoom = opt.zoom })
  end)
end
common.finish(rbm, test, opt)
