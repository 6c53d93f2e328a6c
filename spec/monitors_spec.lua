-- Metrics that fit measures where its option metrics names them.
local lrn = require "lrn"

local ds = lrn.data.bars_and_stripes(4)
local train, val = ds:split { train = .7, test = .3, seed = 1 }

local function new(options)
  local o = { n_visible = 16, n_hidden = 8, learning_rate = .2, seed = 3 }
  for name, value in pairs(options or {}) do o[name] = value end
  return lrn.RBM(o)
end

local function fit(rbm, epochs, more)
  local o = { epochs = epochs, batch_size = 21, validation = val,
    metrics = { "log_likelihood", free_energy_gap = 2, every = 3 } }
  for name, value in pairs(more or {}) do o[name] = value end
  return rbm:fit(train, o)
end

describe("fit with metrics", function()
  it("records, in the epochs that are due, what the model itself says", function()
    local rbm, said = new(), {}
    fit(rbm, 7, { callback = function(m, epoch)
      said[epoch] = { (m:log_likelihood(train)), (m:log_likelihood(val)),
        m:energy(train:tensor()):mean(), m:energy(val:tensor()):mean() }
    end })
    local h = rbm.history
    for epoch = 1, 6 do
      if epoch % 3 == 0 then
        assert.near(said[epoch][1], h.log_likelihood[epoch], 1e-12)
        assert.near(said[epoch][2], h.val_log_likelihood[epoch], 1e-12)
      else
        assert.is_true(h.log_likelihood[epoch] ~= h.log_likelihood[epoch]) -- NaN
      end
      if epoch % 2 == 0 then
        assert.near(said[epoch][3], h.free_energy[epoch], 1e-12)
        assert.near(said[epoch][4], h.val_free_energy[epoch], 1e-12)
        assert.near(said[epoch][4] - said[epoch][3], h.free_energy_gap[epoch], 1e-12)
      end
    end
    assert.equal(6, #h.log_likelihood)
    assert.equal(7, #h.mse)
  end)

  it("measures the training set by its first 1,000 rows", function()
    local many = lrn.rand { 1200, 16 }
    local rbm = new()
    rbm:fit(many, { epochs = 1, metrics = { "log_likelihood" } })
    assert.near((rbm:log_likelihood(many:narrow(1, 1, 1000))), rbm.history.log_likelihood[1], 1e-12)
    assert.is_nil(rbm.history.val_log_likelihood)
  end)

  it("changes nothing in training", function()
    local with, without = new(), new()
    fit(with, 5)
    without:fit(train, { epochs = 5, batch_size = 21 })
    assert.is_true(with.W == without.W)
  end)

  it("stops where the likelihood was best, and has those parameters", function()
    -- CD-1 at this rate loses likelihood of rows it has not seen (docs/likelihood.md)
    local rbm, kept = new { learning_rate = .5 }, {}
    fit(rbm, 3000, { metrics = { "log_likelihood", every = 10 },
      early_stopping = { metric = "val_log_likelihood", patience = 60 },
      callback = function(m, epoch) kept[epoch] = m.W:clone() end })
    local h, best = rbm.history, nil
    assert.is_true(#h < 3000)
    for epoch = 10, #h, 10 do
      if not best or h.val_log_likelihood[epoch] > h.val_log_likelihood[best] then best = epoch end
    end
    assert.equal(#h, best + 60)
    assert.is_true(rbm.W == kept[best])
    assert.near(h.val_log_likelihood[best], (rbm:log_likelihood(val)), 1e-12)
  end)

  it("goes on from a checkpoint as if it had not stopped", function()
    local path = os.tmpname()
    local whole, cut, resumed = new(), new(), new()
    fit(whole, 9)
    fit(cut, 4, { checkpoint = { path } })
    fit(resumed, 9, { resume = path })
    os.remove(path)
    assert.is_true(whole.W == resumed.W)
    for _, name in ipairs { "log_likelihood", "val_log_likelihood", "free_energy_gap" } do
      for epoch = 1, 9 do
        local a, b = whole.history[name][epoch], resumed.history[name][epoch]
        assert.is_true(a == b or a ~= a and b ~= b, name)
      end
    end
  end)

  it("brackets the likelihood where no layer can be listed", function()
    local rbm = lrn.RBM { n_visible = 30, n_hidden = 30, seed = 2 }
    local x = lrn.rand({ 40, 30 }):round()
    rbm:fit(x, { epochs = 1, batch_size = 20, metrics = { "log_likelihood" } })
    -- after two steps the weights are near 0 and the units all but independent: 30 log 2, less a little
    assert.near(-30 * math.log(2), rbm.history.log_likelihood[1], 1.5)
  end)

  it("says before training what is wrong", function()
    local rbm = new()
    local function fails(text, data, options)
      local ok, message = pcall(rbm.fit, rbm, data, options)
      assert.is_false(ok)
      assert.is_true(tostring(message):find(text, 1, true) ~= nil, tostring(message))
    end
    fails("fit: unknown metric 'entropy'; valid: free_energy_gap, log_likelihood", train,
      { metrics = { "entropy" } })
    fails("fit: metrics: free_energy_gap: needs the option validation", train,
      { metrics = { "free_energy_gap" } })
    fails("fit: metrics: every: got 0, expected an integer >= 1", train,
      { metrics = { "log_likelihood", every = 0 } })
    fails("expected a data set or a tensor to measure on", function() end,
      { metrics = { "log_likelihood" } })
    fails("fit: early_stopping: unknown metric 'val_log_likelihood'", train,
      { early_stopping = { metric = "val_log_likelihood" } })
    assert.equal(0, #rbm.history)
    rbm = lrn.GaussianSeluRBM { n_visible = 16, n_hidden = 4 }
    fails("not defined for selu units", train, { metrics = { "log_likelihood" } })
    rbm = new()
    rbm:fit(train, { epochs = 1, metrics = { "pl", "error" } }) -- recorded anyway
  end)
end)
