--- Trains what docs/likelihood_mnist.md tells of, and writes that page. Takes MNIST (LRN_DATA) and an hour or
-- two; models are kept in a folder, and those that are there are not trained again. From the repository's
-- folder:
--
--     build/release/lrn scripts/likelihood_mnist.lua
local lrn = require "lrn"
local machine = dofile "scripts/machine.lua"

local opt = lrn.cli.parse {
  about = "Measures the likelihoods of MNIST and writes docs/likelihood_mnist.md.",
  { "seeds", "integer", 3, "seeds 1 to N of the small models", min = 1 },
  { "large", "boolean", true, "train and measure 784-500, too, which takes most of the time" },
  { "models", "string", "out/likelihood_mnist", "folder of the trained models" },
  { "threads", "integer", nil, "threads (all processors)", min = 1 },
  { "out", "string", "docs/likelihood_mnist.md", "where the page goes" },
}
if opt.threads then lrn.set { threads = opt.threads } end

local function check(...)
  if ... then return ... end
  io.stderr:write("likelihood_mnist: ", (select(2, ...)), "\n")
  os.exit(1, true)
end

-- Above 127 is 1, the rest 0.
local function thresholded(ds) return ds.data:view(#ds, -1):gt(127):to "float32" end
local train, test = check(lrn.data.mnist())
train, test = thresholded(train), thresholded(test)
check(lrn.io.mkdir(opt.models))

local kept, trained = 0, 0

-- The model of that name, from the folder or trained now.
local function model(name, options, epochs, schedule)
  local path = ("%s/%s.safetensors"):format(opt.models, name)
  local there = io.open(path)
  if there then
    there:close()
    kept = kept + 1
    return check(lrn.load(path))
  end
  options.n_visible, options.persistent = 784, 100
  local rbm = lrn.RBM(options)
  rbm:fit(train, { epochs = epochs, batch_size = 100, schedule = schedule })
  check(rbm:save(path))
  trained = trained + 1
  return rbm
end

-- {=== 16 hidden units: exact === }

local small = {
  { "centred", { centering = 1 }, "at least -145" },
  { "plain, visible biases from the data", {}, "at least -148" },
  { "plain, biases from zero", { visible_bias = "zero" }, "about -206" },
}
local exact = {}
for k, row in ipairs(small) do
  local what, given, expected = table.unpack(row)
  local sum, figures = 0, {}
  for seed = 1, opt.seeds do
    local options = { n_hidden = 16, learning_rate = 0.01, seed = seed }
    for name, value in pairs(given) do options[name] = value end
    figures[seed] = model(("16_%d_%d"):format(k, seed), options, 50):log_likelihood(test)
    io.stderr:write(("%s, seed %d: %.2f\n"):format(what, seed, figures[seed]))
    sum = sum + figures[seed]
  end
  for i, x in ipairs(figures) do figures[i] = ("%.2f"):format(x) end
  exact[k] = ("| %s | %s | **%.2f** | %s |"):format(what, expected, sum / opt.seeds,
    table.concat(figures, ", "))
end

-- A model of pixels that know nothing of each other, with the means of the training set
local p = train:mean(1):clamp(1 / (#train + 2), 1 - 1 / (#train + 2)):to "float64"
local base = (test:to "float64" * p:log() + (1 - test:to "float64") * (1 - p):log()):sum() / #test

-- ===}

-- {=== 500 hidden units: a bracket === }

local function bracket()
  local large = model("500_1", { n_hidden = 500, learning_rate = 0.01, centering = 1, momentum = 0, seed = 1 },
    200, { learning_rate = lrn.schedule.linear { from = 0.01, to = 0, epochs = 200 } })
  local mean, low, high, how = large:log_likelihood(test, { base = train })
  io.stderr:write(("784-500: %.2f, %.2f to %.2f\n"):format(mean, low, high))
  return ([[

## 500 hidden units, a bracket

Centred, PCD-1 with 100 chains, batches of 100, 200 epochs, learning rate from 0.01 to 0 in a straight line, no
momentum, seed 1. Annealed importance sampling with %d chains each way and %d temperatures, from a model with the
means of the training set.

| | |
|---|---|
| log-likelihood | **%.2f** |
| bracket | %.2f to %.2f |
| log Z, the way up and the way down | %.2f, %.2f |
| chains that count | %.1f of %d |
| warning | %s |
]]):format(how.chains, how.temperatures, mean, low, high, how.forward, how.backward, how.ess, how.chains,
    how.warning or "none")
end

-- ===}

local large = opt.large and bracket() or ""
local set = lrn.set()
local command = { "build/release/lrn scripts/likelihood_mnist.lua" }
if opt.seeds ~= 3 then command[#command + 1] = "--seeds " .. opt.seeds end
if not opt.large then command[#command + 1] = "--no-large" end
local page = ([[
# Likelihoods of MNIST

Written by `scripts/likelihood_mnist.lua`; do not edit by hand.

| | |
|---|---|
| machine | %s, %d threads |
| OpenBLAS core, kernels | %s, %s |
| lrn | %s, commit %s |
| date | %s |
| command | `%s` |
| models | %d trained by this command, %d that an earlier run or build had left in the folder |

Images of 28 x 28, thresholded: a value above 127 is 1, the others are 0. Trained on all 60,000; figures are
log-likelihoods in nats, means over the 10,000 test images. A figure for images that were binarised otherwise
(drawn from their grey values, say) is about other data and cannot be compared with these.

## 16 hidden units, exact

PCD-1 with 100 chains, batches of 100, learning rate 0.01, 50 epochs, no momentum, seeds 1 to %d. log Z by
listing the 2^16 states of the hidden layer.

| | expected | mean | by seed |
|---|---|---|---|
%s

Pixels that know nothing of each other, with the means of the training set: %.2f. Without biases from the data
and without centring the model stays there.
%s]]):format(machine.processor(), set.threads, lrn.build.blas, lrn.build.isa, lrn.version, machine.commit(),
  os.date "!%Y-%m-%d", table.concat(command, " "), trained, kept, opt.seeds, table.concat(exact, "\n"), base,
  large)
local file <close> = check(io.open(opt.out, "w"))
check(file:write(page))
