--- Two kinds of digits make a model of two modes. Plain Gibbs chains stay in the mode where they are; chains with
-- replicas at other temperatures cross. Drawn are which kind each chain shows, sweep after sweep, and its states.
--
--     lrn examples/sampling/tempering.lua --replicas 10 --first 0 --second 1
--
-- What to expect of the digits, with 20 chains of 1,000 sweeps after 300 epochs: an autocorrelation time of several
-- hundred sweeps and R-hat above 1.2 for plain chains, of 5 to 10 sweeps and 1.00 to 1.01 with 10 replicas, at swap
-- rates of about 0.7. Each tempered sweep costs about ten plain ones.
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "../common.lua")

local opt, train, test = common.start {
  about = "Samples a model of two kinds of digits by plain chains and by parallel tempering.",
  hidden = 16, learning_rate = 0.1, epochs = { 20, 300 }, batch_size = { 100, 20 },
  { "first", "integer", 0, "one digit", min = 0, max = 9 },
  { "second", "integer", 1, "the other", min = 0, max = 9 },
  { "chains", "integer", 20, "chains of each kind", min = 2 },
  { "sweeps", "integer", 1000, "sweeps of a chain", min = 20 },
  { "replicas", "integer", 10, "rungs of a tempered chain", min = 2 },
}

-- Images of a digit, black and white.
local function images_of(set, digit)
  local rows = set.targets:eq(digit + 1):nonzero():view(-1)
  return (set.data:index_select(1, rows):reshape(#rows, opt.pixels):to "float32" / 255):gt(.5):to "float32"
end
local one, other = images_of(train, opt.first), images_of(train, opt.second)
local data = lrn.cat({ one, other }, 1):to { device = opt.device }

-- Which of them a row is nearer to: 1 for the first, 0 for the second.
local toward, middle = one:mean(1) - other:mean(1), (one:mean(1) + other:mean(1)) / 2
local function kind(v) return (v:cpu() - middle):mv(toward):gt(0):to "float32" end

local rbm = common.check(lrn.RBM { n_visible = opt.pixels, n_hidden = opt.hidden, device = opt.device,
  learning_rate = opt.learning_rate, persistent = opt.epochs > 0 and 100 or 0, seed = opt.seed })
rbm:fit(data, common.fit_options(opt))
print(("training data are of the first kind in %.2f of all rows"):format(kind(data):mean()))

local runs = {}
for i, way in ipairs { { label = "plain" }, { label = "tempered", replicas = opt.replicas } } do
  local r = rbm:mixing { chains = opt.chains, steps = opt.sweeps, burn = 200, replicas = way.replicas, base = data,
    of = kind }
  print(("%-8s  autocorrelation time %7.1f sweeps   effective draws %7.0f of %d   R-hat %.3f   first kind %.2f")
    :format(way.label, r.tau, r.ess, opt.chains * opt.sweeps, r.rhat, r.values:mean()))
  if r.swap_rates then print(("swap rates from %.2f to %.2f"):format(r.swap_rates:min(), r.swap_rates:max())) end
  runs[i] = { label = way.label, values = r.values }
end
common.finish(rbm, test, opt)

common.picture(opt, "modes.png", function(plot)
  local fig = plot.figure { width = 9, height = 5.5, rows = 2, cols = 1 }
  for i, run in ipairs(runs) do
    local height = math.max(1, opt.sweeps // (4 * opt.chains)) -- of a chain, in pixels
    local bands = run.values:t():unsqueeze(2):expand(opt.chains, height, opt.sweeps)
    fig:axes(i, 1):image(bands:reshape(opt.chains * height, opt.sweeps), { cmap = "gray" })
      :title(("%d %s chains, one below the other: white where a %d, black where a %d"):format(opt.chains, run.label,
        opt.first, opt.second)):xlabel "sweep":yticks {}
  end
  return fig
end)
