-- The run that lrn and Learnergy 2.0.2 are compared by, and what Learnergy reported for it:
-- the first 10,000 training images of MNIST / 255, RBM of 784 x 128, CD-1, learning rate 0.1,
-- batches of 128, 5 epochs, biases from zero. scripts/results makes docs/results.md with it.
local lrn = require "lrn"

local M = {}

M.images, M.hidden, M.epochs = 10000, 128, 5

-- Reported by Learnergy 2.0.2: per epoch mse and pl, and at the end the reconstruction error of the
-- 10,000 test images from probabilities, hidden states sampled.
M.published = {
  mse = { 131.7, 88.2, 78.2, 71.9, 68.0 },
  pl = { -201.5, -151.1, -133.9, -124.6, -118.6 },
  error = 24.1,
}

--- Training and test set of the comparison; nil and a message where MNIST is not found.
function M.data()
  local train, test = lrn.data.mnist()
  if not train then return nil, test end
  return train:subset(lrn.arange(1, M.images)), test
end

--- One run: { mse = per epoch, pl = per epoch, error = on the test set, time = per epoch }.
function M.run(train, test, seed)
  local rbm = lrn.RBM { n_visible = 784, n_hidden = M.hidden, learning_rate = 0.1, seed = seed,
    visible_bias = "zero" }
  rbm:fit(train, { epochs = M.epochs, batch_size = 128 })
  return { mse = rbm.history.mse, pl = rbm.history.pl, time = rbm.history.time,
    error = (rbm:reconstruct(test)) }
end

return M
