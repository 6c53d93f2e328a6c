-- Faults that other libraries of Boltzmann machines have, of this kind: a number that is off, a
-- state that stays from training, something that happens behind the user's back. Those that belong
-- to one part have their specs with it (mask_spec, gradient_spec, exact_spec, files_spec, ...); here
-- are those that only show from outside.
local lfs = require "lfs"
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"
local program = dofile "spec/support/program.lua"

local digits = lrn.data.digits()

describe("the metrics of an epoch", function()
  -- Without learning, the batches of one epoch are those of two epochs of one batch each: same
  -- parameters, same numbers of steps, same draws.
  it("count a short last batch for its rows, not like a full one", function()
    local x = digits.data:narrow(1, 1, 30):to "float32":reshape(30, 64) / 255
    local batches = { x:narrow(1, 1, 24), x:narrow(1, 25, 6) }
    local function model()
      return lrn.RBM { n_visible = 64, n_hidden = 20, seed = 5, learning_rate = 0,
        visible_bias = "zero" }
    end
    local together, apart = model(), model()
    together:fit(function(_, batch) return batches[batch] end, { epochs = 1 })
    apart:fit(function(epoch, batch) return batch == 1 and batches[epoch] or nil end,
      { epochs = 2 })
    for _, name in ipairs { "mse", "error", "pl" } do
      local first, second = table.unpack(apart.history[name])
      local mean = (24 * first + 6 * second) / 30
      exact.near(together.history[name][1], mean, 1e-9 * math.abs(mean), name)
      assert.is_true(math.abs(first - second) > 1e-3, name .. ": the spec tells nothing")
    end
  end)

  -- With W = 0 and one visible unit, which is 1, it is exactly log sigmoid(a).
  it("have a pseudo-likelihood without a floor", function()
    exact.everywhere(function(device, dtype)
      local c = exact.model({ W = { { 0 } }, a = { -400 }, b = { 0 } }, { device = device,
        dtype = dtype })
      c:reserve(2, false)
      assert.equal(-400, c:pseudo_likelihood(lrn.ones(2, 1, { device = device, dtype = dtype })))
    end)
  end)
end)

describe("after training with a mask", function()
  -- Batches of 50 rows; features of 50 rows, of 7, and of one, against the formula.
  it("features are those of the whole model, for any number of rows", function()
    for _, class in ipairs { "DropoutRBM", "DropConnectRBM", "EDropoutRBM" } do
      local m = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      m:fit(digits:subset(lrn.arange(1, 200)), { epochs = 3, batch_size = 50 })
      local keep = class == "DropConnectRBM" and 0.5 or 1
      for _, rows in ipairs { 50, 7, 1 } do
        local x = digits.data:narrow(1, 1, rows):to "float32":reshape(rows, 64) / 255
        local want = ((x:mm(m.W) * keep) + m.b):sigmoid()
        local got = m(x)
        assert.is_true((got - want):abs():max() < 1e-6, class)
        assert.is_true(got:min() > 0, class)
      end
    end
  end)

  it("reconstructions are those of the model, drawn anew and without a mask", function()
    for _, class in ipairs { "DropoutRBM", "DropConnectRBM", "EDropoutRBM" } do
      local m = lrn[class] { n_visible = 64, n_hidden = 40, seed = 1 }
      m:fit(digits:subset(lrn.arange(1, 200)), { epochs = 3, batch_size = 50 })
      local up, down = class == "DropConnectRBM" and 0.5 or 1, class == "EDropoutRBM" and 1 or 0.5
      local x = digits.data:narrow(1, 1, 50):to "float32":reshape(50, 64) / 255
      local q = (x:mm(m.W) * up + m.b):sigmoid()
      local want = (q:mm(m.W:t()) * down + m.a):sigmoid()
      local _, got = m:reconstruct(x, { mean_field = true })
      assert.is_true((got - want):abs():max() < 1e-6, class)
    end
  end)

  it("everything is finite where all hidden units are off, or on", function()
    for _, b in ipairs { -500, 500 } do
      local c = core.rbm_new { n_visible = 64, n_hidden = 10, mask = "edropout", seed = 1,
        learning_rate = 0 }
      c:parameters().b:fill_(b)
      local x = digits.data:narrow(1, 1, 20):to "float32":reshape(20, 64) / 255
      c:reserve(20, true)
      assert.is_nil((c:step(x, nil, 1, 20)))
      local mask = c:mask():narrow(1, 1, 20)
      assert.is_true((mask * (mask - 1)):abs():max() == 0)
      for _, g in pairs(c:gradient()) do assert.is_true(g:isfinite():all()) end
    end
  end)
end)

describe("behind the user's back", function()
  it("a model changes no default: dtype, generator, other models", function()
    lrn.manual_seed(3)
    local want = lrn.rand(4)
    lrn.manual_seed(3)
    local m = lrn.RBM { n_visible = 64, n_hidden = 5, seed = 1, dtype = "float64" }
    m:fit(digits, { epochs = 1 })
    assert.equal("float64", m.W.dtype)
    assert.equal("float32", lrn.zeros(1).dtype)
    assert.is_true(lrn.rand(4) == want)
  end)

  it("training prints nothing and leaves no file", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
    local out, err, code = program.sh(("cd %s && unset LRN_LOG; LRN -e '%s'"):format(folder,
      "lrn.RBM{ n_visible = 64, n_hidden = 5 }:fit((lrn.data.digits()), { epochs = 2 })"))
    program.clean()
    assert.same({ "", "", 0 }, { out, err, code })
    assert(lfs.rmdir(folder)) -- fails where something is in it
  end)

  it("no training state leaks into inference: what reconstructs does not depend on the last batch",
    function()
    local function model(epochs)
      local m = lrn.RBM { n_visible = 64, n_hidden = 12, seed = 2, learning_rate = 0,
        visible_bias = "zero" }
      m:fit(digits, { epochs = epochs, batch_size = 10 + epochs })
      return m
    end
    local x = digits:subset { 1, 2, 3, 4, 5 }
    local _, a = model(1):reconstruct(x)
    local _, b = model(3):reconstruct(x)
    assert.is_true(a == b)
  end)
end)
