--- Draws the picture of docs/likelihood.md: what contrastive divergence does to the likelihood of
-- bars and stripes while its reconstruction error falls. From the repository's folder:
--
--     build/release/lrn scripts/likelihood.lua
local lrn = require "lrn"

local opt = lrn.cli.parse {
  about = "Draws the picture of docs/likelihood.md.",
  { "epochs", "integer", 4000, "epochs to train", min = 100 },
  { "every", "integer", 25, "epochs between two points", min = 1 },
  { "out", "string", "docs/pictures", "folder of the picture" },
}

lrn.set { threads = 1 } -- products this small are not worth more
local ds = lrn.data.bars_and_stripes(4)
local models = {
  { "CD-1", {} },
  { "CD-10", { steps = 10 } },
  { "exact gradient", { rule = "exact" } },
}

local figure = lrn.plot.figure { rows = 1, cols = 2, width = 8, height = 3.2 }
local errors, likelihoods = figure:axes(1, 1), figure:axes(1, 2)
for _, row in ipairs(models) do
  local name, options = table.unpack(row)
  options.n_visible, options.n_hidden, options.learning_rate, options.seed = 16, 12, 0.5, 1
  local x, e, l = {}, {}, {}
  lrn.RBM(options):fit(ds, { epochs = opt.epochs, batch_size = 30, callback = function(m, epoch, stats)
    if epoch % opt.every == 0 then
      x[#x + 1], e[#e + 1], l[#l + 1] = epoch, stats.error, m:log_likelihood(ds)
    end
  end })
  errors:line(x, e, { label = name })
  likelihoods:line(x, l, { label = name })
end
errors:xlabel "epoch":ylabel "reconstruction error":grid():legend()
likelihoods:hline(-math.log(#ds), { style = "--" })
likelihoods:xlabel "epoch":ylabel "log-likelihood (nats)":grid():legend { loc = "lower right" }
assert(lrn.io.mkdir(opt.out))
assert(figure:save(opt.out .. "/likelihood.png"))
