--- How probable are images that the model has not seen? An RBM of more units than can be listed, trained by
-- PCD; its likelihood lies in a bracket, from annealing up to the model and down from it. A longer ladder of
-- temperatures makes the bracket narrower. Beside it a model small enough to list, where the exact figure is
-- known.
--
--     lrn examples/likelihood/ais.lua
--
-- Images are thresholded in the middle of their range. What to expect of 20 epochs of the digits
-- (--data digits):
--
--   12 hidden units       10 temperatures:   -19.87     -20.16 to   -19.59    46 of 100 chains count
--                       1000 temperatures:   -19.87     -19.89 to   -19.85    99 of 100 chains count
--                      exact:                -19.87
--   128 hidden units      10 temperatures:   -19.18     -19.40 to   -18.94    16 of 100 chains count
--                       1000 temperatures:   -19.12     -19.14 to   -19.11    97 of 100 chains count
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Brackets the likelihood of an RBM by annealed importance sampling.",
  hidden = 128, learning_rate = 0.2,
  { "chains", "integer", 100, "chains that are annealed each way", min = 2 },
  { "burn", "integer", 1000, "sweeps to the samples that the way down begins at", min = 1 },
}
local function black_and_white(x) return x:gt(127):to "float32" end
train, test = train:map(black_and_white), test:map(black_and_white)

local ladders = { 10, 30, 100, 300, 1000 }
local shown = {}
for i, hidden in ipairs { 12, opt.hidden } do
  local rbm = common.check(lrn.RBM {
    n_visible = opt.pixels, n_hidden = hidden, persistent = 100, centering = 1,
    learning_rate = opt.learning_rate, device = opt.device, seed = opt.seed,
  })
  print(("%d hidden units"):format(hidden))
  rbm:fit(train, common.fit_options(opt, {
    schedule = { learning_rate = lrn.schedule.linear { from = opt.learning_rate, to = 0,
      epochs = math.max(opt.epochs, 1) } },
  }))
  local x, low, high, mean = {}, {}, {}, {}
  lrn.log.level "error" -- short ladders are meant to be poor
  for k, temperatures in ipairs(ladders) do
    local figure, from, to, how = rbm:log_likelihood(test, { method = "ais", base = train,
      temperatures = temperatures, chains = opt.chains, burn = opt.burn })
    x[k], mean[k], low[k], high[k] = temperatures, figure, from, to
    print(("%5d temperatures: %8.2f   %8.2f to %8.2f   %3.0f of %d chains count"):format(temperatures,
      figure, from, to, how.ess, how.chains))
  end
  lrn.log.level "warn"
  local exact = hidden == 12 and rbm:log_likelihood(test) or nil
  if exact then print(("exact:              %8.2f"):format(exact)) end
  shown[i] = { hidden = hidden, x = x, mean = mean, low = low, high = high, exact = exact }
  common.check(rbm:save(common.path(opt, ("model%d.safetensors"):format(hidden))))
end

common.picture(opt, "brackets.png", function(plot)
  local figure = plot.figure { rows = 1, cols = 2, width = 8, height = 3.2 }
  for i, s in ipairs(shown) do
    local ax = figure:axes(1, i):title(("%d hidden units"):format(s.hidden))
    ax:band(s.x, s.low, s.high):line(s.x, s.mean, { label = "by annealing" })
    if s.exact then ax:hline(s.exact, { style = "--" }) end
    ax:xscale "log":xlabel "temperatures":ylabel "log-likelihood (nats)":grid()
  end
  return figure
end)
