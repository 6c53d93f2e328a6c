-- One seed of the comparison with Learnergy 2.0.2 that docs/results.md shows for five of them.
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
