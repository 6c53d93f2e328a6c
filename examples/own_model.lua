--- A model that lrn does not have: a Boltzmann machine without hidden units, every pixel joined
-- to every other, E(v) = -1/2 v J v' - b v', trained by pseudo-likelihood (Besag 1975; Hyvarinen
-- 2006). Its loss, -sum_i log P(v_i | the others), has an exact gradient, which gradcheck confirms.
--
--     lrn examples/own_model.lua --epochs 30 --out out/own_model
--
-- What to expect, of training and test images (log 2 a pixel at the start: 543 and 44), and a
-- picture that shows for each pixel which others hold it on (red) and off (blue):
--
--   MNIST, 5 epochs:   loss 82.3 -> 45.2  test 46.7
--   digits, 30 epochs: loss 32.5 -> 14.9  test 15.4
local lrn = require "lrn"
local common = dofile((arg[0]:match "^.*/" or "./") .. "common.lua")

local opt, train, test = common.start {
  about = "Trains a fully visible Boltzmann machine, written in Lua, on handwritten digits.",
  epochs = { 5, 30 }, batch_size = { 128, 128 }, learning_rate = 0.01,
}

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

local small, v = machine(5, { dtype = "float64" }), lrn.rand(7, 5):round():to "float64"
small.J, small.b = lrn.randn(5, 5), lrn.randn(5)
local _, gradients = small:loss(v)
print("gradcheck", lrn.testing.gradcheck(function() return (small:loss(v)) end, small:parameters(),
  gradients))

local model = machine(opt.pixels, { device = opt.device })
model:fit(train, common.fit_options(opt, { validation = test,
  schedule = { learning_rate = lrn.schedule.cosine { from = opt.learning_rate,
    epochs = math.max(opt.epochs, 1) } } }))
print(model)
common.check(model:save(common.path(opt, "model.safetensors")))
common.picture(opt, "couplings.png", function(plot)
  return plot.model.filters({ W = model.J + model.J:t() }, { tile = opt.tile, cmap = "bwr",
    scale = "symmetric", title = "couplings of each pixel" })
end)
