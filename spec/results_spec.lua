-- One seed of what docs/results.md shows for five of them: the comparison with Learnergy 2.0.2, and
-- the targets of the dense family.
local family = dofile "spec/support/family.lua"
local learnergy = dofile "spec/support/learnergy.lua"

describe("the work of Learnergy 2.0.2 #slow", function()
  local train, test, run

  setup(function()
    train, test = learnergy.data()
    run = train and learnergy.run(train, test, 1)
  end)

  local function near(what, got, expected, allowed)
    assert.is_true(math.abs(got / expected - 1) <= allowed,
      ("%s: got %.2f, expected %.1f within %.0f %%"):format(what, got, expected, 100 * allowed))
  end

  local function each(name, allowed)
    if not run then
      pending "MNIST was not found"
      return
    end
    for epoch = 1, learnergy.epochs do
      near(("%s of epoch %d"):format(name, epoch), run[name][epoch],
        learnergy.published[name][epoch], allowed)
    end
  end

  it("gives its mse in each epoch", function() each("mse", 0.04) end)
  it("gives its pseudo-likelihood in each epoch", function() each("pl", 0.06) end)

  it("gives its reconstruction error on the test set", function()
    if not run then
      pending "MNIST was not found"
      return
    end
    near("error", run.error, learnergy.published.error, 0.04)
  end)
end)

describe("the dense family #slow", function()
  -- One seed is as far off as seeds differ: 1.5 % is three times the largest spread of the table.
  local ALLOWED = 0.015

  it("reaches what it is to reach on 10,000 images in 5 epochs", function()
    local train, test = family.data()
    if not train then
      pending "MNIST was not found"
      return
    end
    for _, row in ipairs(family.rows) do
      local aimed = false
      for _, figure in ipairs(row.figures) do aimed = aimed or family.target(figure) end
      if aimed then
        local values = family.run(row, train, test, 1)
        for i, figure in ipairs(row.figures) do
          local slack = values[i] * (figure.most and 1 - ALLOWED or 1 + ALLOWED)
          assert.is_true(family.reached(figure, slack), ("%s: %s: got %.4g, expected %s"):format(
            family.title(row), family.names[figure[1]], values[i], family.target(figure)))
        end
      end
    end
  end)
end)
