--- A model that lrn does not have: a Boltzmann machine without hidden units, every pixel joined
-- to every other, E(v) = -1/2 v J v' - b v', trained by pseudo-likelihood (Besag 1975; Hyvarinen
-- 2006). Its loss, -sum_i log P(v_i | the others), has an exact gradient, which gradcheck confirms.
--
--     lrn examples/own_model.lua --epochs 30 --out out/own_model
--
-- What to expect of the digits, after 30 epochs: loss 14.9, 15.4 on the test images (64 log 2 =
-- 44.4 at the start), and a picture that shows for each pixel which others hold it on (red) and off
-- (blue).
local lrn = require "lrn"
local opt = lrn.cli.parse {
  about = "Trains a fully visible Boltzmann machine, written in Lua, on handwritten digits.",
  { "data", "string", "digits", "digits (shipped), mnist, or a folder with MNIST's files" },
  { "epochs", "integer", 30, "epochs to train", min = 1, short = "e" },
  { "seed", "integer", 1, "seed of the order of batches", min = 0 },
  { "device", "string", "cpu", "cpu, cuda or cuda:N" },
  { "out", "string", "out/own_model", "folder for model and picture", short = "o" } }

-- x_i = sum_j J_ij v_j + b_i, J symmetric without a diagonal; P(v_i = 1 | the others) is
-- sigmoid(x_i).
local function loss(self, v)
  local off = (1 - lrn.eye(v:size(2), { dtype = v.dtype, device = v.device })) / 2
  local x = v:mm((self.J + self.J:t()) * off) + self.b
  local delta = (x:sigmoid() - v) / v:size(1)
  local G = v:t():mm(delta)
  return (x:softplus() - v * x):sum() / v:size(1), { J = (G + G:t()) * off, b = delta:sum(1) }
end

local function machine(V, kind)
  return lrn.Model { name = "VisibleBoltzmann", optimizer = "adam", loss = loss, seed = opt.seed,
    parameters = { J = lrn.zeros({ V, V }, kind), b = lrn.zeros({ V }, kind) },
    step = function(self, x) local l, g = self:loss(x:round()) return { loss = l }, g end,
    validate = function(self, x) return { loss = (self:loss(x:round())) } end }
end

lrn.manual_seed(opt.seed)
local small, v = machine(5, { dtype = "float64" }), lrn.rand(7, 5):round():to "float64"
small.J, small.b = lrn.randn(5, 5), lrn.randn(5)
local _, gradients = small:loss(v)
local function loss_of_small() return (small:loss(v)) end
print("gradcheck", lrn.testing.gradcheck(loss_of_small, small:parameters(), gradients))

local train, test = lrn.data.digits()
if opt.data ~= "digits" then train, test = lrn.data.mnist { root = opt.data ~= "mnist" and opt.data or nil } end
if not train then io.stderr:write("own_model: ", test, "\n") os.exit(1, true) end
local side = train.data:size(2)
local model = machine(side * side, { device = opt.device })
model:fit(train, { epochs = opt.epochs, validation = test, progress = true,
  schedule = { learning_rate = lrn.schedule.cosine { from = .01, epochs = opt.epochs } } })
print(tostring(model) .. "\n" .. tostring(model.history))
assert(lrn.io.mkdir(opt.out))
assert(model:save(opt.out .. "/model.safetensors"))
lrn.plot.model.filters({ W = model.J + model.J:t(), visible_shape = { side, side } },
  { cmap = "bwr", scale = "symmetric", title = "couplings" }):save(opt.out .. "/couplings.png")
