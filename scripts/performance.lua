--- Measures what docs/performance.md shows, and writes it; run by `scripts/bench page`.
--
--     lrn scripts/performance.lua --bench build/release/lrn_bench --out docs/performance.md
--
-- Each block is one call of lrn_bench, whose cases take turns with their own products.
local lrn = require "lrn"
local machine = dofile "scripts/machine.lua"

local opt = { bench = "build/release/lrn_bench", out = "docs/performance.md", images = "20000", rounds = "3" }
for i = 1, #arg, 2 do
  local name = arg[i]:match "^%-%-(%a+)$"
  if not opt[name] or not arg[i + 1] then error("performance: got " .. arg[i]) end
  opt[name] = arg[i + 1]
end

local images = (os.getenv "LRN_DATA" or "") .. "/mnist/train-images-idx3-ubyte.gz"
if not io.open(images) then error("performance: no " .. images) end

-- Targets of the design, by rule, data, path, threads and hidden units.
local target = {
  ["CD-1 grey dense 1"] = { [128] = 1.25, [500] = 1.12, [1024] = 1.08 },
  ["CD-1 binary default 1"] = { [128] = 0.66, [500] = 0.48, [1024] = 0.43 },
  ["CD-1 grey default 1"] = { [128] = 0.85, [500] = 0.70, [1024] = 0.65 },
  ["PCD-1 binary default 1"] = { [500] = 0.48 },
  ["CD-10 binary default 1"] = { [500] = 0.48 },
  ["CD-1 grey dense 2"] = { [128] = 1.25, [500] = 1.15, [1024] = 1.12 },
  ["CD-1 binary default 2"] = { [128] = 0.90, [500] = 0.58, [1024] = 0.45 },
  ["AIS grey default 1"] = { [500] = 1.3 }, ["AIS grey dense 1"] = { [500] = 1.3 },
}

local calls = {
  "cd data=binary,grey path=default threads=1",
  "cd data=binary,grey path=dense threads=1",
  "cd data=binary rule=pcd-1,cd-10 hidden=500 threads=1",
  "cd data=grey path=dense threads=2",
  "cd data=binary threads=2",
  "ais path=default,dense threads=1",
}

local function number(line, name) return tonumber(line:match('"' .. name .. '":([-%d.]+)')) end
local function word(line, name) return line:match('"' .. name .. '":"([^"]*)"') end

local rows, mse = {}, {}
--- After each block, so that a run that is stopped leaves what it had.
local function write_page()
  local agree = {}
  for _, m in pairs(mse) do
    if m.dense and m.default then
      agree[#agree + 1] = ("| %s | %4d | %.2f | %.2f | %+.2f %% |"):format(m.data, m.hidden, m.dense,
        m.default, 100 * (m.default / m.dense - 1))
    end
  end
  table.sort(agree)

  local file <close> = assert(io.open(opt.out, "w"))
  file:write(([[
# Speed

What a training step costs, against the bare matrix products that it consists of. This page is
written by `scripts/bench page`; `scripts/bench cd` and `scripts/bench ais` measure single cases.

| | |
|---|---|
| machine | %s |
| lrn | %s, kernels %s, commit %s |
| OpenBLAS core | %s, single-threaded; lrn cuts products into slices |
| data | %s images of MNIST an epoch, batches of 128, epochs 3 to %d; grey as they are, binary at > 127 |
| date, load | %s, %s processes wanted the cores over the last 15 minutes |

*floor*: the float32 products of a step (five of CD-1 and PCD-1, 23 of CD-10), through OpenBLAS,
cut as lrn cuts them, and nothing else. *epoch*: all that `fit` does, metrics and
pseudo-likelihood (a sixth product) included; momentum 0, learning rate 0.1. The two take turns,
twelve times an epoch, and the ratio is the median over epochs, with its range. One thread is
measured in time of the thread, two in time of the wall, which says little on a busy machine. *default* adds up listed rows where values
are 0 (below); *dense* is `LRN_DENSE=1`. *target* is what the project set itself.

| rule | data | path | hidden | threads | floor, s | epoch, s | epoch / floor | target | met |
|---|---|---|---|---|---|---|---|---|---|
%s

AIS: 100 chains through 1,000 temperatures; its floor is the two products of each.

The dense path does six products where the floor has five, which alone is 1.2: the
pseudo-likelihood is taken after the update, of rounded inputs, so that no product of the step
serves it. On the default path that product is a sum of rows as well.

## The same model

Reconstruction error (`mse`) of the last epoch on both paths, from the same seed: a different order
of sums, and a state that is drawn otherwise where a probability meets its random number within the
last bits.

| data | hidden | dense | default | difference |
|---|---|---|---|---|
%s

## Zeros

States are 0 or 1, and most bytes of an image are 0, so that a product with them is a sum of rows of
weights that are listed, times their value where it is not 1 (`src/cpu/listed.c`). Every product of a
step goes that way: v W, h W' and v'q; so do inference, annealing, and all models with such layers. The
choice is made for each product from the number of values that are not 0: above 0.45 of them it is the
dense product's. It depends on neither threads nor instruction set, and nor do the bits of such a sum.
`LRN_DENSE=1` or `lrn.set{ dense = true }` leaves dense products alone.
]]):format(machine.processor(), lrn.version, lrn.build.isa, machine.commit(), lrn.build.blas, opt.images,
  tonumber(opt.rounds) + 2, os.date "!%Y-%m-%d",
  machine.output_of "cut -d' ' -f3 /proc/loadavg", table.concat(rows, "\n"), table.concat(agree, "\n")))
end

for _, call in ipairs(calls) do
  local command = ("env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE '%s' %s warm=2 rounds=%s images=%s json=1"):format(
    opt.bench, call, opt.rounds, opt.images)
  local n = 0
  for line in machine.output_of(command):gmatch "[^\n]+" do
    local rule, data, path = word(line, "rule"), word(line, "data"), word(line, "path")
    local threads, hidden = number(line, "threads"), number(line, "hidden")
    local goal = target[("%s %s %s %d"):format(rule, data, path, threads)]
    goal = goal and goal[hidden]
    local ratio = number(line, "ratio")
    rows[#rows + 1] = ("| %s | %s | %s | %d | %d | %.3f | %.3f | **%.2f** (%.2f to %.2f) | %s | %s |"):format(rule,
      data, path, hidden, threads, number(line, "floor"), number(line, "epoch"), ratio, number(line, "low"),
      number(line, "high"), goal and ("%.2f"):format(goal) or "", goal and (ratio <= goal and "yes" or "no") or "")
    if rule == "CD-1" and threads == 1 then
      local key = data .. " " .. hidden
      mse[key] = mse[key] or { data = data, hidden = hidden }
      mse[key][path] = number(line, "mse")
    end
    n = n + 1
  end
  if n == 0 then error("performance: no output: " .. command) end
  write_page()
end
