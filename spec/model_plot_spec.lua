-- Pictures of models: what is drawn is what the model says, for models whose answers are known and for
-- a trained one.
local lrn = require "lrn"
local plot = require "lrn.plot"
local model_plots = require "lrn.plot.model"

local support = dofile "spec/support/figures.lua"
local pick, texts, assert_laid_out = support.pick, support.texts, support.assert_laid_out

-- The first byte of pixel (x, y), from 1, of an image of the draw list.
local function value(image, x, y)
  return image.bytes:byte(((y - 1) * image.width + x - 1) * 3 + 1)
end

local function gray(v) return math.floor(v * 255 + .5) end

-- n cases of `size` values in 0..1 that are all different.
local function cases(n, size)
  local list = {}
  for i = 1, n do
    list[i] = {}
    for j = 1, size do list[i][j] = ((i * 7919 + j * 104729) % 1009) / 1008 end
  end
  return list
end

local function trained(options)
  local rbm = lrn.RBM { n_visible = 64, n_hidden = 20, seed = 1, momentum = .5 }
  local train, test = lrn.data.digits()
  rbm:fit(train, options or { epochs = 2, batch_size = 100 })
  return rbm, train, test
end

describe("updates", function()
  it("are what the last step added to the parameters", function()
    local rbm = trained { epochs = 1, batch_size = 64 }
    local before = {}
    for name, t in pairs(rbm:parameters()) do before[name] = t:clone() end
    rbm:fit(lrn.bernoulli(lrn.full({ 50, 64 }, .5)), { epochs = 1, batch_size = 50 }) -- one step
    local names = 0
    for name, step in pairs(rbm:updates()) do
      names = names + 1
      local added = rbm[name] - before[name]
      assert.is_true(step:norm() > 0)
      assert.is_true((added - step):norm() < 1e-4 * step:norm(), name)
    end
    assert.equal(3, names)
  end)

  it("are those of Adam where it is the optimizer", function()
    local rbm = lrn.RBM { n_visible = 64, n_hidden = 12, seed = 1, optimizer = "adam",
      learning_rate = .01, dtype = "float64" }
    local data = lrn.bernoulli(lrn.full({ 50, 64 }, .5))
    for _ = 1, 3 do
      local before = {}
      for name, t in pairs(rbm:parameters()) do before[name] = t:clone() end
      rbm:fit(data, { epochs = 1, batch_size = 50 }) -- one step
      if #rbm.history > 1 then -- before the first one the visible biases were set from the data
        for name, step in pairs(rbm:updates()) do
          assert.is_true((rbm[name] - before[name] - step):norm() < 1e-10 * step:norm(), name)
        end
      end
    end
  end)

  it("are none before training", function()
    assert.same({}, lrn.RBM { n_visible = 4, n_hidden = 2 }:updates())
  end)
end)

describe("reconstructions", function()
  -- A model that halves, so that each of the three rows is known.
  local function halving(model)
    model.reconstruct = function(_, x)
      local out = {}
      for i, case in ipairs(x) do
        out[i] = {}
        for j, v in ipairs(case) do out[i][j] = v / 2 end
      end
      return 0, out
    end
    return model
  end

  it("show every case once, in even groups of at most 16, all on one scale", function()
    for _, n in ipairs{ 1, 5, 16, 17, 40 } do
      local h, w = 3, 4
      local data = cases(n, h * w)
      local fig = model_plots.reconstructions(halving{}, data, { n = n, tile = { h, w } })
      local images = pick(fig, "image", "image")
      local groups = (n + 15) // 16
      local cols = (n + groups - 1) // groups
      assert.equal(3 * groups, #images)
      local least, most = math.huge, -math.huge
      for _, row in ipairs(data) do
        for _, v in ipairs(row) do least, most = math.min(least, v), math.max(most, v) end
      end
      local scale = images[1].w / images[1].width
      for i, case in ipairs(data) do
        local g, at = (i - 1) // cols, (i - 1) % cols
        for y = 1, h do
          for x = 1, w do
            local v = case[(y - 1) * w + x]
            for k = 1, 2 do
              local image = images[3 * g + k]
              local wanted = math.max(0, gray((v / k - least) / (most - least)))
              assert.equal(wanted, value(image, at * (w + 1) + x, y))
              assert.near(scale, image.w / image.width, .02 * scale)
            end
          end
        end
      end
      assert.equal(groups, #pick(fig, "image", "colorbar"))
      assert_laid_out(fig)
    end
  end)

  it("of images with colours in front are those of the same images with them behind", function()
    local behind = lrn.tensor(cases(3, 24), { dtype = "float64" })
    local front = behind:reshape(3, 8, 3):permute(1, 3, 2):contiguous()
    local function bytes(tile, data)
      local images = pick(model_plots.reconstructions(halving { }, data:tolist(), { tile = tile }),
        "image", "image")
      return { images[1].bytes, images[2].bytes, images[3].bytes }
    end
    local wanted = bytes({ 2, 4, 3 }, behind)
    assert.same(wanted, bytes({ 3, 2, 4 }, front:reshape(3, 24)))
    -- the shape of the data says it, and so it does in a mosaic
    local model = { reconstruct = function(_, x) return 0, x:reshape(3, 24) / 2 end }
    local images = pick(model_plots.reconstructions(model, front:reshape(3, 3, 2, 4)), "image",
      "image")
    assert.same(wanted, { images[1].bytes, images[2].bytes, images[3].bytes })
    local mosaic = require "lrn.plot.mosaic"
    assert.equal(mosaic.compose("mosaic", behind:reshape(3, 2, 4, 3), {}).bytes,
      mosaic.compose("mosaic", front:reshape(3, 3, 2, 4), {}).bytes)
    assert.equal(mosaic.compose("mosaic", behind:t(), { tile = { 2, 4, 3 } }).bytes,
      mosaic.compose("mosaic", front:reshape(3, 24):t(), { tile = { 3, 2, 4 } }).bytes)
  end)

  it("of RGB images are RGB, and their difference has no colour bar", function()
    local data = cases(3, 2 * 4 * 3)
    local fig = model_plots.reconstructions(halving{ visible_shape = { 2, 4, 3 } }, data)
    local images = pick(fig, "image", "image")
    local image = images[1]
    assert.same({ 14, 2 }, { image.width, image.height })
    local range = { math.huge, -math.huge }
    for _, row in ipairs(data) do
      range = { math.min(range[1], table.unpack(row)), math.max(range[2], table.unpack(row)) }
    end
    for c = 0, 2 do -- channels of the second case's first pixel
      assert.equal(gray((data[2][c + 1] - range[1]) / (range[2] - range[1])),
        image.bytes:byte(5 * 3 + c + 1))
    end
    assert.equal(0, #pick(fig, "image", "colorbar"))
    assert_laid_out(fig)
  end)

  it("are not enlarged beyond reason", function()
    local _, width, height = model_plots.reconstructions(halving{}, cases(1, 64)):drawlist()
    assert.is_true(width < 400 and height < 500)
  end)

  it("say where there are too many for a page", function()
    assert.error_matches(function()
      model_plots.reconstructions(halving{}, cases(200, 4), { n = 200, cols = 2 })
    end, "reconstructions: cols: got 2 for 200 cases, expected at least 7")
  end)
end)

describe("histograms", function()
  it("count every parameter, and say how large the last step was", function()
    local rbm = trained()
    local fig = model_plots.histograms(rbm)
    for i, name in ipairs{ "W", "a", "b" } do
      local sum = 0
      for _, n in ipairs(fig:axes(1, i).artists[1].heights) do sum = sum + n end
      assert.equal(rbm[name].numel, sum)
      for _, tick in ipairs(texts(fig, "ytick")) do assert.is_falsy(tick:find(".", 1, true)) end
      local ratio = texts(fig, "title")[2 * i]:gsub("\u{2212}", "-"):match "= (.*)$"
      assert.near(rbm:updates()[name]:norm() / rbm[name]:norm(), tonumber(ratio),
        .06 * tonumber(ratio))
    end
    assert.same({ "W", "a", "b" }, { texts(fig, "title")[1], texts(fig, "title")[3],
                                     texts(fig, "title")[5] })
    assert_laid_out(fig)
  end)

  it("have a second row for the steps, and logarithmic counts", function()
    local rbm = trained()
    local fig = model_plots.histograms(rbm, { updates = true, log = true, title = "all" })
    assert.equal(6, #pick(fig, "rect", "frame"))
    local sum = 0
    for _, n in ipairs(fig:axes(2, 1).artists[1].heights) do sum = sum + n end
    assert.equal(rbm.W.numel, sum)
    assert_laid_out(fig)
  end)

  it("of an untrained model say nothing about steps", function()
    local fig = model_plots.histograms(lrn.RBM { n_visible = 4, n_hidden = 2 }, { updates = true })
    assert.same({ "W", "a", "b" }, texts(fig, "title"))
    assert.equal(3, #pick(fig, "rect", "frame"))
  end)
end)

describe("activations", function()
  -- Unit 2 is dead, unit 4 always on, the others depend on the case.
  local means = {}
  for i = 1, 30 do means[i] = { (i % 7) / 7, .01 * (i % 5), (i % 3) / 2, .96 + .001 * (i % 9) } end
  local model = { forward = function(_, x) return lrn.tensor(means):narrow(1, 1, #x) end }

  it("are a raster, a row a unit, in which dead and busy units are marked", function()
    local fig = model_plots.activations(model, lrn.zeros(30, 5))
    local image = pick(fig, "image", "image")[1]
    assert.same({ 30, 4 }, { image.width, image.height })
    for i = 1, 30 do
      for j = 1, 4 do assert.near(gray(means[i][j]), value(image, i, j), 1) end
    end
    assert.same({ "dead: 2", "always on: 4" }, texts(fig, "legend"))
    local rules = pick(fig, "line", "rule")
    assert.equal(2, #rules)
    for k, unit in ipairs{ 2, 4 } do -- through the middle of its row
      assert.near(image.y + (unit - .5) * image.h / 4, rules[k].points[2], 1)
    end
    assert_laid_out(fig)
  end)

  it("are of as many cases as are asked for, and without marks where there is nothing to mark",
    function()
      local fig = model_plots.activations(model, lrn.zeros(30, 5), { n = 7, threshold = 0 })
      assert.equal(7, pick(fig, "image", "image")[1].width)
      assert.same({}, texts(fig, "legend"))
      assert.error_matches(function() model_plots.activations(model, {}) end,
        "activations: data: got a table, expected cases")
    end)

  it("name some of many units", function()
    local dead = { forward = function(_, x) return lrn.zeros(#x, 12) end }
    local fig = model_plots.activations(dead, lrn.zeros(3, 2))
    assert.same({ "dead: 1, 2, 3, 4, 5, 6, 7, 8 and 4 more" },
      { (texts(fig, "legend")[1]:gsub("\n", " ")) })
    assert_laid_out(fig)
  end)

  it("may be of units that are not binary", function()
    local relu = { forward = function(_, x) return lrn.tensor{ { 0, 3, 5 }, { 0, 10, 5 } } * #x end }
    local fig = model_plots.activations(relu, lrn.zeros(2, 2))
    assert.same({ "dead: 1" }, texts(fig, "legend"))
    assert.equal(255, value(pick(fig, "image", "image")[1], 2, 2))
  end)
end)

describe("chains", function()
  -- A chain that begins at .1 i and moves up by .01 a sweep.
  local function counting()
    return { sample = function(_, n, o)
      local x = o.start or lrn.arange(1, n):to "float64":reshape(n, 1) * .1 * lrn.ones({ 1, 4 },
        { dtype = "float64" })
      x = x + .01 * o.steps
      return x, x
    end }
  end

  it("are rows in time, each going on where it was", function()
    local fig = model_plots.chains(counting(), { n = 3, frames = 5, every = 4 })
    local image = pick(fig, "image", "image")[1]
    assert.same({ 5 * 3 - 1, 3 * 3 - 1 }, { image.width, image.height })
    for i = 1, 3 do
      for k = 1, 5 do
        assert.near(gray(.1 * i + .04 * k), value(image, 3 * k - 2, 3 * i - 2), 1)
      end
    end
    assert.same({ "sweeps: from 4 to 20, 4 a column" }, texts(fig, "xlabel"))
    assert_laid_out(fig)
  end)

  it("begin at the data where those are given, which then are the first column", function()
    local start = lrn.tensor({ { .5, .5, .5, .5 }, { .7, .7, .7, .7 } }, { dtype = "float64" })
    local fig = model_plots.chains(counting(), { n = 8, frames = 3, every = 10, start = start })
    local image = pick(fig, "image", "image")[1]
    for i, v in ipairs{ .5, .7 } do
      for k = 0, 2 do assert.near(gray(v + .1 * k), value(image, 3 * k + 1, 3 * i - 2), 1) end
    end
    assert.same({ "sweeps: from 0 to 20, 10 a column" }, texts(fig, "xlabel"))
  end)

  it("are drawn of a trained machine, in 0..1 and with its tiles", function()
    local rbm, _, test = trained()
    for _, options in ipairs{ { n = 1, frames = 1 }, { start = test, n = 4 }, { tile = { 4, 16 } } } do
      local fig = model_plots.chains(rbm, options)
      assert_laid_out(fig)
      assert.equal((options.n or 8) * (options.frames or 12), pick(fig, "image", "image")[1].tiles)
    end
  end)
end)

describe("the gap of free energies", function()
  it("is drawn from the history, with what lies between the curves shaded", function()
    local history = { free_energy = { -3, -5, -7 }, val_free_energy = { -3, -4, -4.5 } }
    local fig = model_plots.free_energy_gap({ history = history })
    assert.same({ "training", "validation", "gap" }, texts(fig, "legend"))
    assert.equal("gap 2.5", texts(fig, "title")[2])
    local lines, area = pick(fig, "line", "series"), pick(fig, "polygon", "series")[1]
    -- The area's corners are the points of both lines.
    local corners = {}
    for i = 1, #area.points, 2 do
      corners[("%.3f %.3f"):format(area.points[i], area.points[i + 1])] = true
    end
    for _, line in ipairs(lines) do
      for i = 1, #line.points, 2 do
        assert.is_true(corners[("%.3f %.3f"):format(line.points[i], line.points[i + 1])])
      end
    end
    assert_laid_out(fig)
  end)

  it("is drawn of two sets, as the difference of their means", function()
    local rbm, train, test = trained()
    local fig = model_plots.free_energy_gap(rbm, train, test, { n = 300 })
    local function mean(set)
      local x = set:tensor():narrow(1, 1, 300):to "float64" / 255
      return rbm:energy(x:to "float32"):mean()
    end
    local gap = texts(fig, "title")[2]:gsub("\u{2212}", "-"):match "gap (.*)$"
    assert.near(mean(test) - mean(train), tonumber(gap), 1e-2)
    assert.same({ "training", "validation", "gap of the means" }, texts(fig, "legend"))
    assert_laid_out(fig)
  end)

  it("has both where both are there", function()
    local rbm, train, test = trained { epochs = 2, callback = function(m, epoch)
      m.history:record(epoch, { free_energy = -epoch, val_free_energy = 1 - epoch })
    end }
    local fig = model_plots.free_energy_gap(rbm, train, test)
    assert.equal(2, #pick(fig, "rect", "frame"))
    assert_laid_out(fig)
    assert.equal(1, #pick(model_plots.free_energy_gap(rbm), "rect", "frame"))
  end)

  it("needs two sets or a history", function()
    local rbm, train = trained { epochs = 1 }
    assert.error_matches(function() model_plots.free_energy_gap(rbm) end,
      "free_energy_gap: train: missing, .* history has no free_energy")
    assert.error_matches(function() model_plots.free_energy_gap(rbm, train) end,
      "free_energy_gap: validation: missing")
    assert.error_matches(function() model_plots.free_energy_gap(rbm, nil, train) end,
      "free_energy_gap: train: missing")
    assert.error_matches(function() model_plots.free_energy_gap(rbm, train, 3) end,
      "free_energy_gap: validation: got 3, expected cases")
  end)
end)

describe("options of pictures of models", function()
  it("are checked", function()
    local rbm = lrn.RBM { n_visible = 4, n_hidden = 2 }
    for name, call in pairs{
      histograms = function(o) plot.model.histograms(rbm, o) end,
      activations = function(o) plot.model.activations(rbm, lrn.zeros(2, 4), o) end,
      chains = function(o) plot.model.chains(rbm, o) end,
      reconstructions = function(o) plot.model.reconstructions(rbm, lrn.zeros(2, 4), o) end,
      free_energy_gap = function(o) plot.model.free_energy_gap(rbm, lrn.zeros(2, 4),
        lrn.zeros(2, 4), o) end,
    } do
      assert.error_matches(function() call{ wdth = 3 } end, name .. ": .*did you mean 'width'")
      assert.error_matches(function() call{ width = "x" } end, name .. ": width: got")
    end
  end)

  it("come after a model, which is checked too", function()
    for name, field in pairs{ filters = "W", histograms = "parameters", activations = "forward",
                              chains = "sample", reconstructions = "reconstruct",
                              free_energy_gap = "history" } do
      for _, bad in ipairs{ false, 3, "rbm", {}, print } do
        assert.error_matches(function() plot.model[name](bad or nil) end,
          ("%s: model: got .*, expected a model with %s"):format(name, field))
      end
    end
    assert.error_matches(function() plot.model.history(3) end,
      "history: model: got 3, expected a model with history, or a table of lists")
  end)
end)
