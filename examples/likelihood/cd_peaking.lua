--- Is my model any good? Reconstruction error against likelihood, of models trained by CD-1, CD-10 and
-- something better: on bars and stripes the gradient of the likelihood itself; on MNIST or the digits,
-- thresholded in the middle of their range, chains that go on (PCD). All likelihoods are exact: one layer
-- is small enough to list its states. Draws both curves.
--
--     lrn examples/likelihood/cd_peaking.lua
--     lrn examples/likelihood/cd_peaking.lua --data mnist --epochs 10 --every 2
--
-- What to expect (docs/likelihood.md has the pictures, and what to do about it):
--
--   bars and stripes of 4 x 4, 16-12, 4000 epochs, learning rate 0.5; no model is better than -3.40:
--     CD-1             error 0.00   log-likelihood -5.87, at its best -4.76 (epoch 1025)
--     CD-10            error 0.00   log-likelihood -4.35, at its best -3.75 (epoch 2750)
--     exact gradient   error 0.00   log-likelihood -3.77, at its best -3.68 (epoch 3875)
--   MNIST, 784-20, --epochs 10 --every 2:
--     CD-1             error 42.13   log-likelihood -166.06, at its best -164.47 (epoch 6)
--     CD-10            error 45.78   log-likelihood -147.88, at its best -147.16 (epoch 8)
--     PCD              error 41.58   log-likelihood -149.10, at its best -147.27 (epoch 6)
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local bars = false
local opt, train, test = common.start {
  about = "Shows what contrastive divergence does to the likelihood while the error falls.",
  epochs = { 20, 40 }, batch_size = { 100, 20 },
  data_help = "auto: bars and stripes; mnist, digits, or a folder with MNIST's files",
  auto = function(o)
    local ds = lrn.data.bars_and_stripes(4)
    bars = true
    o.epochs, o.batch_size = o.epochs or 4000, o.batch_size or #ds
    return ds, ds, "bars and stripes", { 4, 4 }
  end,
  { "hidden", "integer", nil, "hidden units, at most 24 (12 for bars and stripes, 16 for digits, else 20)",
    min = 1, max = 24, short = "n" },
  { "learning_rate", "number", nil, "step of the update (0.5 for bars and stripes, else 0.05)", min = 0 },
  { "every", "integer", nil, "epochs between two points (25 for bars and stripes, else 1)", min = 1 },
}
local hidden = opt.hidden or bars and 12 or opt.pixels == 64 and 16 or 20
local every = opt.every or bars and 25 or 1
if not bars then
  local function black_and_white(x) return x:gt(127):to "float32" end
  train, test = train:map(black_and_white), test:map(black_and_white)
end

local models = {
  { "CD-1", {} },
  { "CD-10", { steps = 10 } },
  bars and { "exact gradient", { rule = "exact" } } or { "PCD", { persistent = opt.batch_size } },
}
local curves = {}
for i, row in ipairs(models) do
  local name, options = table.unpack(row)
  options.n_visible, options.n_hidden, options.seed = opt.pixels, hidden, opt.seed
  options.learning_rate, options.device = opt.learning_rate or bars and .5 or .05, opt.device
  local model = common.check(lrn.RBM(options))
  local curve = { name = name, epoch = {}, error = {}, likelihood = {} }
  local best, at = -math.huge, 0
  model:fit(train, { epochs = opt.epochs, batch_size = opt.batch_size, progress = opt.progress,
    callback = function(m, epoch, stats)
      if epoch % every ~= 0 and epoch ~= opt.epochs then return end
      local n, likelihood = #curve.epoch + 1, (m:log_likelihood(test))
      curve.epoch[n], curve.error[n], curve.likelihood[n] = epoch, stats.error, likelihood
      if likelihood > best then best, at = likelihood, epoch end
      if not bars then
        print(("%-5s epoch %3d   error %6.2f   log-likelihood %7.2f"):format(name, epoch, stats.error,
          likelihood))
      end
    end })
  curves[i] = curve
  local last = #curve.epoch
  if last > 0 then
    print(("%-14s   error %.2f   log-likelihood %.2f, at its best %.2f (epoch %d)"):format(name,
      curve.error[last], curve.likelihood[last], best, at))
  end
  common.check(model:save(common.path(opt, ("model%d.safetensors"):format(i))))
end

common.picture(opt, "cd_peaking.png", function(plot)
  local figure = plot.figure { rows = 1, cols = 2, width = 8, height = 3.2 }
  local errors, likelihoods = figure:axes(1, 1), figure:axes(1, 2)
  for _, curve in ipairs(curves) do
    errors:line(curve.epoch, curve.error, { label = curve.name })
    likelihoods:line(curve.epoch, curve.likelihood, { label = curve.name })
  end
  errors:xlabel "epoch":ylabel "reconstruction error":grid():legend()
  if bars then likelihoods:hline(-math.log(#test), { style = "--" }) end
  likelihoods:xlabel "epoch":ylabel "log-likelihood (nats)":grid():legend { loc = "best" }
  return figure
end)
