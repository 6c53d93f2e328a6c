-- What each class of the dense family reaches in the same little work: the first 10,000 training
-- images of MNIST, 5 epochs, batches of 128, 128 hidden units, everything else as the class has it
-- or as its row says. scripts/results makes a table of docs/results.md with it.
local lrn = require "lrn"
local learnergy = dofile "spec/support/learnergy.lua"

local M = { data = learnergy.data }

local classes = { n_classes = 10 } -- which no title needs to say

-- A configuration a row. fixed: options that its title does not have. figures: what is measured of it (see `measures`); most, least: the target;
-- learnergy: what its version 2.0.2 reported for the same work.
M.rows = {
  { class = "RBM", figures = { { "error", most = 24.5, learnergy = 24.1 },
    { "mean_field", most = 22.8 } } },
  { class = "RBM", options = { momentum = 0.9 }, figures = { { "error", most = 18 } } },
  { class = "RBM", options = { optimizer = "adam", learning_rate = 0.005 },
    figures = { { "error" } } },
  { class = "RBM", options = { persistent = 128 }, figures = { { "error" } } },
  { class = "DropoutRBM", figures = { { "error" } } },
  { class = "DropConnectRBM", figures = { { "error" } } },
  { class = "EDropoutRBM", figures = { { "error" } } },
  { class = "SigmoidRBM", figures = { { "error" } } },
  { class = "DiscriminativeRBM", fixed = classes,
    figures = { { "accuracy", learnergy = "0.820" } } },
  { class = "DiscriminativeRBM", fixed = classes, options = { momentum = 0.9 },
    figures = { { "accuracy", least = 0.91 } } },
  { class = "DiscriminativeRBM", fixed = classes,
    options = { optimizer = "adam", learning_rate = 0.005 },
    figures = { { "accuracy", least = 0.925 } } },
  { class = "HybridDiscriminativeRBM", fixed = classes,
    figures = { { "accuracy", learnergy = "0.823" } } },
  { class = "HybridDiscriminativeRBM", fixed = classes, options = { momentum = 0.9 },
    figures = { { "accuracy", least = 0.91 } } },
  { class = "HybridDiscriminativeRBM", fixed = classes,
    options = { optimizer = "adam", learning_rate = 0.005 },
    figures = { { "accuracy", least = 0.925 } } },
  { class = "GaussianRBM", figures = { { "error" } } },
  { class = "GaussianReluRBM", options = { n_hidden = 256, learning_rate = 0.001, momentum = 0.9 },
    figures = { { "mean_field", most = 145 }, { "error" } } },
  { class = "GaussianSeluRBM", figures = { { "error" } } },
  { class = "VarianceGaussianRBM", figures = { { "error" } } },
}

local measures = {
  error = function(model, test) return (model:reconstruct(test)) end,
  accuracy = function(model, test) return (model:predict(test)) end,
  mean_field = function(model, test) return (model:reconstruct(test, { mean_field = true })) end,
}

-- What a figure is called in the table.
M.names = {
  error = "test error",
  accuracy = "test accuracy",
  mean_field = "test error, mean field",
}

--- The figures of a row for one seed: a list like row.figures.
function M.run(row, train, test, seed)
  local options = { n_visible = 784, n_hidden = 128, seed = seed }
  for _, more in ipairs { row.fixed or {}, row.options or {} } do
    for name, value in pairs(more) do options[name] = value end
  end
  local model = lrn[row.class](options)
  model:fit(train, { epochs = learnergy.epochs, batch_size = 128 })
  local out = {}
  for i, figure in ipairs(row.figures) do out[i] = measures[figure[1]](model, test) end
  return out
end

--- "RBM, momentum = 0.9"
function M.title(row)
  local parts = { row.class }
  local names = {}
  for name in pairs(row.options or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = name .. " = " .. row.options[name] end
  return table.concat(parts, ", ")
end

--- Does a value reach the target of its figure?
function M.reached(figure, value)
  return value <= (figure.most or math.huge) and value >= (figure.least or -math.huge)
end

--- "at most 24.5"; nil where there is no target.
function M.target(figure)
  return figure.most and "at most " .. figure.most or figure.least and "at least " .. figure.least
end

return M
