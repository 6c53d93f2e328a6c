--- Measures the tables of docs/results.md and writes that page; run by scripts/results, from the
-- repository's folder.
--
--     lrn scripts/results.lua --seeds 5 --out docs/results.md
local lrn = require "lrn"
local learnergy = dofile "spec/support/learnergy.lua"
local family = dofile "spec/support/family.lua"
local machine = dofile "scripts/machine.lua"

local opt = lrn.cli.parse {
  about = "Trains what docs/results.md compares and writes that page.",
  { "seeds", "integer", 5, "seeds 1 to N", min = 1 },
  { "out", "string", "docs/results.md", "where the page goes" },
}

local function fail(message)
  io.stderr:write("results: ", message, "\n")
  os.exit(1, true)
end

--- Mean, least and largest of value(run) over runs.
local function over(runs, value)
  local sum, low, high = 0, math.huge, -math.huge
  for _, run in ipairs(runs) do
    local x = value(run)
    sum, low, high = sum + x, math.min(low, x), math.max(high, x)
  end
  return sum / #runs, low, high
end

local rows, outside = {}, 0

-- A row of the table; `allowed`: largest relative difference of the means.
local function row(what, published, allowed, runs, value)
  local mean, low, high = over(runs, value)
  local within = math.abs(mean / published - 1) <= allowed
  if not within then outside = outside + 1 end
  rows[#rows + 1] = ("| %s | %.1f | %.2f | %.2f .. %.2f | %.3f | %s |"):format(what, published,
    mean, low, high, mean / published,
    ("%s %.0f %%"):format(within and "within" or "**outside of**", 100 * allowed))
end

local train, test = learnergy.data()
if not train then fail(test) end

local runs = {}
for seed = 1, opt.seeds do
  runs[seed] = learnergy.run(train, test, seed)
  io.stderr:write(("seed %d: mse %.2f, pl %.2f, test error %.3f\n"):format(seed,
    runs[seed].mse[learnergy.epochs], runs[seed].pl[learnergy.epochs], runs[seed].error))
end

local published = learnergy.published
for epoch = 1, learnergy.epochs do
  row("mse, epoch " .. epoch, published.mse[epoch], 0.03, runs,
    function(run) return run.mse[epoch] end)
end
for epoch = 1, learnergy.epochs do
  row("pl, epoch " .. epoch, published.pl[epoch], 0.04, runs,
    function(run) return run.pl[epoch] end)
end
row("test reconstruction error", published.error, 0.03, runs, function(run) return run.error end)

-- {=== The dense family ===

local members, missed = {}, 0
for _, row in ipairs(family.rows) do
  local found = {}
  for seed = 1, opt.seeds do found[seed] = family.run(row, train, test, seed) end
  for i, figure in ipairs(row.figures) do
    local mean, low, high = over(found, function(values) return values[i] end)
    local target = family.target(figure)
    local reached = family.reached(figure, mean)
    if not reached then missed = missed + 1 end
    local number = mean < 1 and "%.3f" or "%.2f"
    members[#members + 1] = ("| %s | %s | %s | %s | %s | %s .. %s | %s |"):format(
      family.title(row), family.names[figure[1]], target or "", figure.learnergy or "",
      number:format(mean), number:format(low), number:format(high),
      target and (reached and "reached" or "**missed**") or "")
    io.stderr:write(members[#members], "\n")
  end
end

-- ===}

-- {=== Speed and memory ===

local bench = machine.output_of "scripts/bench cd"
if not bench:find "ratio" then fail("scripts/bench cd failed") end

-- Peak memory of the main job: it runs in a process of its own, which then reads its high-water mark.
local job = [[
arg = { [0] = "examples/rbm_training.lua", "--data", "mnist", "--epochs", "2", "--no-progress",
  "--out", os.tmpname() .. ".d" }
dofile(arg[0])
for line in io.lines "/proc/self/status" do
  local kb = line:match "^VmHWM:%s*(%d+)"
  if kb then print("peak " .. kb) end
end
os.execute("rm -r " .. arg[9])]]
local peak = machine.output_of(("build/release/lrn -e '%s'"):format(job)):match "peak (%d+)"
peak = tonumber(peak)
if not peak then fail("the main job failed") end
peak = peak * 1024 / 1e6
local set_mb = 70000 * 784 / 1e6
local parameters_mb = 4 * (784 * 128 + 784 + 128) / 1e6
local bound = set_mb + 4 * parameters_mb + 64
if peak > bound then outside = outside + 1 end

-- ===}

local set = lrn.set()
local page = ([[
# Results

Written by `scripts/results`; do not edit by hand.

| | |
|---|---|
| machine | %s, %d threads |
| OpenBLAS core, kernels | %s, %s |
| lrn | %s, commit %s |
| date | %s |
| command | `scripts/results%s` |

## The same work as Learnergy 2.0.2

The first 10,000 training images of MNIST / 255 (grey, not binarised), RBM of 784 x 128, CD-1,
learning rate 0.1, batches of 128, 5 epochs, biases from zero (`visible_bias = "zero"`), float32.
Learnergy's numbers are what its version 2.0.2 reported for it. Those of lrn are over seeds 1 to %d:
mean, least and largest value.

* mse: squared difference between an image and the sampled end of its chain, summed over the pixels,
  mean over the images of the epoch, each taken before the update of its batch.
* pl: log pseudo-likelihood in nats, estimated from one random pixel an image, after the update.
* test reconstruction error: squared difference between an image and the probabilities given sampled
  hidden states, summed over the pixels, mean over the 10,000 test images, after epoch 5.

| | Learnergy | lrn, mean | lrn, range | lrn / Learnergy | |
|---|---|---|---|---|---|
%s

Learnergy weighs a last short batch (16 images here) like a full one; lrn weighs it by its images.

## The dense family, %d seeds

The same images, 5 epochs, batches of 128, 128 hidden units; everything else as the class has it by
default or as the row says (`spec/support/family.lua` has a line for each). test error is that of the
10,000 test images from probabilities, hidden states sampled; mean field: hidden means went down
instead. GaussianRBM, GaussianReluRBM and VarianceGaussianRBM have theirs in standard deviations of
the training set (the mean image has 609), the others on the scale of 0 to 1.

| model | figure | target | Learnergy | lrn, mean | lrn, range | |
|---|---|---|---|---|---|---|
%s

## An epoch against its bare matrix products

`scripts/bench cd`. floor: the five float32 products of a CD-1 step on the same shapes, cut in the
same way, and nothing else. epoch: all that `fit` does for 60,000 images, metrics and
pseudo-likelihood (a sixth product) included. Both take turns in one run; medians of seconds, and
the ratio's median and range.

```text
%s
```

## Memory of the main job

`examples/rbm_training.lua --data mnist` peaks at %.1f MB of resident memory (VmHWM), pictures
included. The images are %.1f MB as uint8, the parameters %.2f MB; images + 4 times the parameters +
64 MB are %.1f MB.
]]):format(machine.processor(), set.threads, lrn.build.blas, lrn.build.isa, lrn.version,
  machine.commit(),
  os.date "!%Y-%m-%d", opt.seeds == 5 and "" or " --seeds " .. opt.seeds, opt.seeds,
  table.concat(rows, "\n"), opt.seeds, table.concat(members, "\n"), bench, peak, set_mb, parameters_mb, bound)

local file, message = io.open(opt.out, "w")
if not file then fail(message) end
if not file:write(page) or not file:close() then fail("cannot write " .. opt.out) end
print(("%s: %d of %d values within their bounds"):format(opt.out, #rows - outside, #rows))
if outside > 0 then fail(("%d values outside of their bounds"):format(outside)) end
if missed > 0 then fail(("%d targets of the dense family missed"):format(missed)) end
