-- visible_noise = false: wherever a visible state would be drawn, its mean is taken.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local V, H, ROWS = 5, 4, 9

describe("without visible noise", function()
  -- The chain, replayed: h drawn by the model itself, v its mean
  it("the negative phase is the mean given the hidden states, for all units", function()
    local p = exact.parameters(V, H, 81, 0.6)
    for _, visible in ipairs(core.units()) do
      exact.everywhere(function(device, dtype)
        local c = exact.model(p, { visible = visible, visible_noise = false, device = device,
          dtype = dtype })
        local v = core.unit_sample(visible, lrn.zeros(ROWS, V, { device = device, dtype = dtype }), 1, 8)
        c:reserve(ROWS, true)
        local _, h, q, _, vk = c:gibbs(v)
        assert.is_true(vk == (c:visible(h)), visible)
        assert.is_true(q == c:hidden_mean(vk), visible)
        local mean, state = c:visible(h)
        assert.is_true(mean == state, visible)
        mean, state = c:sample(6, 3)
        assert.is_true(mean == state, visible)
        -- the error is that of the means, twice
        c:step(v, nil, 1, ROWS)
        local s = c:state()
        assert.equal(s.error, s.mse)
        local difference = v - c:negative()
        exact.near(s.error, (difference * difference):sum(), dtype == "float64" and 1e-9 or 1e-3,
          visible)
        local err, _, sampled = c:reconstruct(v, false)
        assert.equal(err, sampled)
      end)
    end
  end)

  it("a model with noise has another mse than error", function()
    local m = lrn.RBM { n_visible = 64, n_hidden = 8, seed = 2 }
    m:fit(lrn.data.digits(), { epochs = 1 })
    assert.is_true(m.history.mse[1] > 1.2 * m.history.error[1])
  end)

  it("SigmoidRBM learns the digits and keeps its option in files", function()
    local digits, path = lrn.data.digits(), os.tmpname()
    local m = lrn.SigmoidRBM { n_visible = 64, n_hidden = 30, seed = 1 }
    local before = m:reconstruct(digits)
    m:fit(digits, { epochs = 5 })
    assert.is_true(m:reconstruct(digits) < 0.8 * before)
    assert(m:save(path))
    local again = assert(lrn.load(path))
    os.remove(path)
    assert.equal("SigmoidRBM", again.class)
    assert.is_false(again.visible_noise)
    local ok, message = pcall(lrn.SigmoidRBM, { visible_noise = 1 })
    assert.is_false(ok)
    assert.matches("visible_noise: got 1, expected true or false", message, 1, true)
  end)
end)
