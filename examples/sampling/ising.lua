--- The two-dimensional Ising model learnt from configurations: an RBM of spins for each of three temperatures,
-- below, at and above the critical one (2.269). A model of a distribution should give samples that one
-- cannot tell from data: energy and magnetisation a site of both, how many of both are mostly up, and
-- pictures of both. Trained by CD-5, whose chains begin at data; those of PCD, which below the critical
-- temperature never turn over, come to prefer one side, and so does the model (try --persistent: the energy is
-- even better, and 85 of 100 samples are up).
--
--     lrn examples/sampling/ising.lua
--
-- What to expect; the exact energies of the finite torus (Kaufman 1949) are -1.859, -1.492 and -0.665:
--
--   T = 1.800  data:     energy -1.858  |magnetisation| 0.956  up 0.50
--              samples:  energy -1.826  |magnetisation| 0.955  up 0.52
--   T = 2.269  data:     energy -1.494  |magnetisation| 0.779  up 0.49
--              samples:  energy -1.449  |magnetisation| 0.774  up 0.54
--   T = 3.500  data:     energy -0.667  |magnetisation| 0.251  up 0.49
--              samples:  energy -0.638  |magnetisation| 0.252  up 0.51
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local critical = 2 / math.log(1 + math.sqrt(2))
local temperatures = { 1.8, critical, 3.5 }
local sets = {}

local opt, train = common.start {
  about = "Trains an RBM of spins on the Ising model at three temperatures and samples from it.",
  epochs = { 30, 30 }, batch_size = { 100, 100 }, limit = 5000, hidden = 128, learning_rate = 0.05,
  { "side", "integer", 8, "spins a side", min = 2, max = 64 },
  { "steps", "integer", 500, "sweeps to the samples", min = 1 },
  { "persistent", "boolean", false, "train by PCD instead of CD-5" },
  generate = function(o)
    for i, T in ipairs(temperatures) do
      local ds = lrn.data.ising { temperature = T, n = o.limit, side = o.side, seed = o.seed + i }
      sets[i] = ds:map(function(x) return x:to "float32" * (2 / 255) - 1 end)
    end
    return sets[1], sets[1], ("Ising model at %d temperatures"):format(#sets), { o.side, o.side }
  end,
}

-- Moved by one around the torus along dimension d
local function moved(s, d)
  local n = s:size(d)
  return lrn.cat({ s:narrow(d, 2, n - 1), s:narrow(d, 1, 1) }, d)
end

-- Of configurations of -1 and 1: mean energy a site, mean |magnetisation|, and the share that is up
local function measure(rows)
  local s = rows:cpu():view(#rows, opt.side, opt.side)
  local bonds = s * moved(s, 2) + s * moved(s, 3)
  local m = s:view(#rows, -1):mean(2)
  return -bonds:mean(), m:abs():mean(), m:gt(0):to "float64":mean()
end

local SpinRBM = lrn.models.define { visible = "spin", hidden = "spin", name = "IsingRBM" }
local shown = {}
for i, T in ipairs(temperatures) do
  local rbm = common.check(SpinRBM {
    n_visible = opt.pixels, n_hidden = opt.hidden, learning_rate = opt.learning_rate,
    steps = opt.persistent and 1 or 5, persistent = opt.persistent and opt.batch_size or 0, device = opt.device, seed = opt.seed,
  })
  rbm:fit(sets[i], { epochs = opt.epochs, batch_size = opt.batch_size, progress = opt.progress,
    schedule = { learning_rate = lrn.schedule.linear { from = opt.learning_rate, to = 0,
      epochs = math.max(opt.epochs, 1) } } })
  local data = sets[i]:tensor():view(#sets[i], -1)
  local n = math.min(#data, 1000)
  local start = lrn.rand(n, opt.pixels):ge(.5):to "float32" * 2 - 1 -- no side is preferred
  local _, samples = rbm:sample(n, { steps = opt.steps, start = start:to { device = opt.device } })
  print(("T = %.3f  data:     energy %.3f  |magnetisation| %.3f  up %.2f"):format(T, measure(data)))
  print(("           samples:  energy %.3f  |magnetisation| %.3f  up %.2f"):format(measure(samples)))
  for _, rows in ipairs { data, samples } do
    shown[#shown + 1] = rows:narrow(1, 1, math.min(8, #rows)):cpu()
  end
  common.check(rbm:save(common.path(opt, ("ising%d.safetensors"):format(i))))
end

common.picture(opt, "configurations.png", function(plot)
  local figure = plot.figure { rows = #shown // 2, cols = 2, width = 8, height = 4 }
  for k, rows in ipairs(shown) do
    local i, what = (k + 1) // 2, k % 2 == 1 and "data" or "samples of the model"
    figure:axes(i, 2 - k % 2):title(("%s, T = %.3f"):format(what, temperatures[i]))
      :mosaic(rows:t(), { tile = opt.tile, cols = 8, vmin = -1, vmax = 1, cmap = "viridis" })
  end
  return figure
end)
