-- Products with states that are mostly 0 are sums of listed rows: the same models as with dense products,
-- but for the order of sums. spec/c/listed_test.c has the products by themselves.
local lrn = require "lrn"

local before = lrn.set()
after_each(function() lrn.set { dense = before.dense, threads = before.threads } end)

local digits = lrn.data.digits()
-- the same, of 0 and 255 alone
local function binary()
  local x = digits.data:to { dtype = "float32" }
  return lrn.gt(x, 127):to { dtype = "uint8" } * 255
end

local function trained(options, data, dense)
  local o = { n_visible = 64, n_hidden = 70, seed = 3, learning_rate = 0.1 }
  for key, value in pairs(options) do o[key] = value end
  lrn.set { dense = dense }
  local rbm = lrn.RBM(o)
  local mse, pl = rbm:fit(data, { epochs = 3, batch_size = 100, progress = false })
  return rbm, mse, pl
end

describe("sums of listed rows", function()
  local rules = { ["CD-1"] = {}, ["CD-3"] = { steps = 3 }, PCD = { persistent = 50 },
    ["in float64"] = { dtype = "float64" }, warm = { temperature = 1.5 } }
  for name, rule in pairs(rules) do
    it("train as dense products do, " .. name, function()
      for kind, data in pairs { grey = digits.data, binary = binary() } do
        local _, mse, pl = trained(rule, data, false)
        local _, dense_mse, dense_pl = trained(rule, data, true)
        assert.is_true(math.abs(mse / dense_mse - 1) < 0.02, ("%s: mse %g, dense %g"):format(kind, mse, dense_mse))
        assert.is_true(math.abs(pl / dense_pl - 1) < 0.02, ("%s: pl %g, dense %g"):format(kind, pl, dense_pl))
      end
    end)
  end

  it("have the same bits for 1, 2, 3 and 7 threads", function()
    local first
    for _, threads in ipairs { 1, 2, 3, 7 } do
      lrn.set { threads = threads }
      local W = trained({}, binary(), false):parameters().W:tobytes()
      first = first or W
      assert.is_true(first == W, threads .. " threads")
    end
  end)

  it("are used: the bits are not those of dense products, the figures are", function()
    local data = binary()
    local rbm = trained({}, data, false)
    lrn.set { dense = false }
    local F = rbm:energy(data)
    lrn.set { dense = true }
    local G = rbm:energy(data)
    assert.is_true(F:tobytes() ~= G:tobytes())
    assert.is_true((F - G):abs():max() < 1e-5 * F:abs():max())
  end)
end)
