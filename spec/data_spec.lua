-- lrn.data: Dataset, the shipped and generated sets, MNIST's readers.
local lrn = require "lrn"
local Dataset = lrn.data.Dataset

local function labelled(n)
  local labels = {}
  for i = 1, n do labels[i] = i % 3 + 1 end
  return Dataset(lrn.arange(1, n):to "float32":reshape(n, 1),
    lrn.tensor(labels, { dtype = "int64" }), { classes = { "a", "b", "c" } })
end

local function values(ds)
  return ds.data:reshape(-1):to "int64":tolist()
end

describe("Dataset", function()
  it("holds tensors by reference, with length, samples and targets", function()
    local data = lrn.zeros(4, 2, 3)
    local ds = Dataset(data, lrn.tensor({ 1, 2, 1, 2 }, { dtype = "int64" }))
    assert.equal(4, #ds)
    data:fill_(7)
    assert.equal(7, ds[1]:max())
    assert.same({ 2, 3 }, ds[-1].shape)
    local x, y = ds(2)
    assert.same({ 2, 3 }, x.shape)
    assert.equal(2, y)
    assert.equal(1, select(2, ds:get(3)))
    assert.matches("^Dataset: float32%[4, 2, 3%], targets int64$", tostring(ds))
  end)

  it("refuses targets of another length, and what is no tensor", function()
    assert.error_matches(function() Dataset(lrn.zeros(4, 2), lrn.zeros(3)) end,
      "Dataset: targets: got %[3%], expected 4 targets")
    assert.error_matches(function() Dataset({ 1, 2 }) end,
      "Dataset: data: got a table, expected a tensor")
    assert.error_matches(function() Dataset(lrn.zeros(4), nil, { trnsform = print }) end,
      "did you mean 'transform'")
    assert.error_matches(function() Dataset(lrn.zeros(4), nil, { transform = 3 }) end,
      "transform: got 3, expected a function")
  end)

  it("refuses positions outside", function()
    local ds = labelled(5)
    assert.error_matches(function() return ds[6] end, "got 6, expected 1..5 or %-5..%-1")
    assert.error_matches(function() return ds[0] end, "positions start at 1")
    assert.error_matches(function() return ds[1.5] end, "expected an integer")
    assert.error_matches(function() ds:subset { 1, 9 } end, "subset: index: got 9")
    assert.error_matches(function() ds:subset(lrn.tensor({ 7 }, { dtype = "int64" })) end,
      "subset: idx: got positions")
    assert.error_matches(function() ds.data = 3 end, "cannot be assigned")
  end)

  it("makes subsets by list, tensor and mask, of subsets too", function()
    local ds = labelled(6)
    local sub = ds:subset { 5, 1, -1 }
    assert.same({ 5, 1, 6 }, values(sub))
    assert.same({ 3, 2, 1 }, sub.targets:tolist())
    assert.same({ 6, 5 }, values(sub:subset { 3, 1 }))
    assert.same({ 6, 2 }, values(ds:subset(lrn.tensor({ -1, 2 }, { dtype = "int64" }))))
    assert.same({ 4, 5, 6 }, values(ds:subset(ds.data:reshape(-1):gt(3))))
    assert.equal(0, #ds:subset {})
    assert.same(ds.classes, sub.classes)
    assert.equal(6, (sub[3])[1])
  end)

  it("splits into disjoint parts by the seed alone", function()
    local ds = labelled(100)
    local a, b, c = ds:split { train = .8, val = .1, test = .1, seed = 4 }
    assert.same({ 80, 10, 10 }, { #a, #b, #c })
    local seen = {}
    for _, part in ipairs { a, b, c } do
      for _, v in ipairs(values(part)) do
        assert.is_nil(seen[v])
        seen[v] = true
      end
    end
    assert.equal(100, #seen)
    assert.same(values(a), values((ds:split { train = .8, test = .2, seed = 4 })))
    assert.are_not.same(values(a), values((ds:split { train = .8, test = .2, seed = 5 })))
    local d, e = ds:split { train = 30, test = 20 }
    assert.same({ 30, 20 }, { #d, #e })
  end)

  it("keeps the shares of the classes where it is told to", function()
    local ds = labelled(90)
    local a, b = ds:split { train = .8, test = .2, seed = 1, stratify = true }
    assert.same({ 72, 18 }, { #a, #b })
    for label = 1, 3 do
      assert.equal(24, a.targets:eq(label):sum())
      assert.equal(6, b.targets:eq(label):sum())
    end
    assert.is_false(a.targets:narrow(1, 1, 24):eq(a.targets[1]):all())
  end)

  it("refuses splits that make no sense", function()
    local ds = labelled(10)
    assert.error_matches(function() ds:split {} end, "split: got no part")
    assert.error_matches(function() ds:split { train = .8, test = .3 } end,
      "1.1 of the samples together")
    assert.error_matches(function() ds:split { train = 1.5 } end, "split: train: got 1.5")
    assert.error_matches(function() ds:split { train = 11 } end, "expected at most all")
    assert.error_matches(function() ds:split { trian = .5 } end, "did you mean 'train'")
    assert.error_matches(function() Dataset(lrn.zeros(4, 1)):split { train = .5,
      stratify = true } end, "one label a sample")
  end)

  it("iterates over batches, every sample once, in an order by seed and epoch", function()
    local ds = labelled(10)
    local function order(options)
      local out, sizes = {}, {}
      for x, y in ds:batches(options) do
        sizes[#sizes + 1] = x:size(1)
        for i = 1, x:size(1) do
          out[#out + 1] = math.tointeger(x[i][1])
          assert.equal(out[#out] % 3 + 1, y[i])
        end
      end
      return out, sizes
    end
    local a, sizes = order { size = 4, seed = 1 }
    assert.same({ 4, 4, 2 }, sizes)
    assert.same(a, (order { size = 3, seed = 1 }))
    assert.are_not.same(a, (order { size = 4, seed = 1, epoch = 2 }))
    assert.are_not.same(a, (order { size = 4, seed = 2 }))
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, (order { size = 4, shuffle = false }))
    table.sort(a)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, a)
    assert.same({ 4, 4 }, select(2, order { size = 4, drop_last = true }))
  end)

  it("begins the next epoch after the end of one", function()
    local ds = labelled(5)
    local next_batch = ds:batches { size = 5, seed = 1 }
    local first = next_batch():clone()
    assert.is_nil(next_batch())
    local second = next_batch()
    assert.is_true(second == ds:batches { size = 5, seed = 1, epoch = 2 }())
    assert.is_false(first == second)
  end)

  it("transforms batches when they are read", function()
    local ds = labelled(5):map(function(x) return x * 10 end):map(function(x) return x + 1 end)
    assert.equal(11, ds[1][1])
    assert.equal(51, ds:tensor():max())
    assert.equal(5, ds.data:max())
    assert.equal(41, ds:subset { 4 }:batches { size = 9 }():max())
    local bad = labelled(5):map(function(x) return x:narrow(1, 1, 1) end)
    assert.error_matches(function() bad:tensor() end, "expected as many samples")
  end)
end)

describe("lrn.data.transforms", function()
  local t = lrn.data.transforms
  it("scale, binarize, onehot, compose", function()
    local x = lrn.tensor({ { 0, 100 }, { 128, 255 } }, { dtype = "uint8" })
    assert.equal(1, t.scale()(x):max())
    assert.same({ { 0, 0 }, { 1, 1 } }, t.binarize()(x):tolist())
    assert.same({ { 0, 1 }, { 1, 1 } }, t.binarize(0.3)(x):tolist())
    assert.same({ { 0, 0 }, { 1, 1 } }, t.compose(t.scale(), t.binarize())(x):tolist())
    assert.same({ { 0, 1, 0 }, { 0, 0, 1 } },
      t.onehot(3)(lrn.tensor({ 2, 3 }, { dtype = "int64" })):tolist())
    assert.error_matches(function() t.compose(3) end, "compose: function 1: got 3")
  end)
end)

describe("digits", function()
  local train, test = lrn.data.digits()
  it("is there, with a fixed split", function()
    assert.equal(1437, #train)
    assert.equal(360, #test)
    assert.same({ 1437, 8, 8 }, train.data.shape)
    assert.equal("uint8", train.data.dtype)
    assert.equal(255, train.data:max())
    assert.equal(0, train.data:min())
  end)

  it("has labels from 1 and their names", function()
    assert.equal(1, train.targets:min())
    assert.equal(10, train.targets:max())
    local names = {}
    for i = 1, 10 do names[i] = train.classes[train.targets[i]] end
    assert.equal("0 1 2 3 4 5 6 7 8 9", table.concat(names, " "))
  end)

  it("has the source's values times 255 / 16", function()
    -- first row of digits.csv: 0,0,5,13,9,1,0,0
    assert.same({ 0, 0, 80, 207, 143, 16, 0, 0 }, train[1][1]:tolist())
  end)
end)

describe("bars_and_stripes", function()
  it("has each image once", function()
    for n = 2, 4 do
      local ds = lrn.data.bars_and_stripes(n)
      assert.equal(2 ^ (n + 1) - 2 | 0, #ds)
      local seen = {}
      for i = 1, #ds do
        local key = table.concat(ds[i]:reshape(-1):tolist(), " ")
        assert.is_nil(seen[key])
        seen[key] = true
      end
    end
  end)

  it("has whole columns for bars and whole rows for stripes", function()
    local ds = lrn.data.bars_and_stripes(3)
    for i = 1, #ds do
      local x, y = ds(i)
      if y == 2 then x = x:t() end
      assert.is_true(x[1] == x[2] and x[2] == x[3])
    end
  end)

  it("refuses other sides", function()
    for _, n in ipairs { 0, -1, 2.5, 11 } do
      assert.error_matches(function() lrn.data.bars_and_stripes(n) end, "bars_and_stripes: n: got ")
    end
  end)
end)

describe("shifter", function()
  it("has each pattern above itself, moved as the label says", function()
    for n = 2, 5 do
      local ds = lrn.data.shifter(n)
      local seen = {}
      assert.equal(3 * 2 ^ n | 0, #ds)
      for i = 1, #ds do
        local x, label = ds(i)
        local rows = x:tolist()
        local key = label .. ": " .. table.concat(rows[1], " ")
        assert.is_nil(seen[key])
        seen[key] = true
        for j = 1, n do -- moved to the right: bit j is that at its left
          assert.equal(rows[1][(j - 1 - (label - 2)) % n + 1], rows[2][j])
          assert.is_true(rows[1][j] == 0 or rows[1][j] == 255)
        end
      end
    end
    for _, n in ipairs { 1, 2.5, 13 } do
      assert.error_matches(function() lrn.data.shifter(n) end, "shifter: n: got ")
    end
  end)
end)

-- Statistics at 6 sigma (2e-9), seeds fixed.
describe("ising", function()
  local function near(a, b, bound, what)
    assert.is_true(math.abs(a - b) <= bound, ("%s: %g, expected %g +- %g"):format(what, a, b, bound))
  end

  -- energies a site of configurations, as doubles
  local function energies(ds)
    local s = ds.data:to "float64" * (2 / 255) - 1
    local n = s:size(2)
    local function moved(d) return lrn.cat({ s:narrow(d, 2, n - 1), s:narrow(d, 1, 1) }, d) end
    return -(s * moved(2) + s * moved(3)):view(#ds, -1):mean(2)
  end

  it("gives the states of a 3 x 3 torus as often as exp(-E / T) says", function()
    local n, side, sites = 20000, 3, 9
    for _, T in ipairs { 1.5, 2.5, 6 } do
      -- all 512 states, in plain Lua; those of one energy and one magnetisation are alike
      local weight, z = {}, 0
      for code = 0, 511 do
        local function spin(i, j) return 2 * (code >> (i % side * side + j % side) & 1) - 1 end
        local e, m = 0, 0
        for i = 0, 2 do
          for j = 0, 2 do
            e = e - spin(i, j) * (spin(i + 1, j) + spin(i, j + 1))
            m = m + spin(i, j)
          end
        end
        local key = e .. " " .. m
        weight[key] = (weight[key] or 0) + math.exp(-e / T)
        z = z + math.exp(-e / T)
      end
      local ds = lrn.data.ising { temperature = T, n = n, side = side, sweeps = 30, seed = 3 }
      local E = (energies(ds) * sites):round():tolist()
      local M = (ds.data:to "float64" * (2 / 255) - 1):view(n, -1):sum(2):round():tolist()
      local count = {}
      for i = 1, n do
        local key = (E[i] // 1 | 0) .. " " .. (M[i] // 1 | 0)
        count[key] = (count[key] or 0) + 1
      end
      for key in pairs(count) do assert.is_truthy(weight[key], key) end
      for key, w in pairs(weight) do
        local p = w / z
        near(count[key] or 0, n * p, 6 * math.sqrt(n * p * (1 - p)) + 1, ("T = %g, %s"):format(T, key))
      end
    end
  end)

  -- log Z of a torus of m x n spins (Kaufman 1949, equation 76) in the coupling K = 1 / T; the energy a site
  -- is minus its derivative by K, over the sites.
  it("has the energy of the finite torus, below, at and above the critical temperature #slow", function()
    local function log_z(L, K)
      local sinh, cosh = (math.exp(2 * K) - math.exp(-2 * K)) / 2, (math.exp(2 * K) + math.exp(-2 * K)) / 2
      local function gamma(r)
        if r == 0 then return 2 * K + math.log((math.exp(2 * K) - 1) / (math.exp(2 * K) + 1)) end
        local c = cosh * cosh / sinh - math.cos(math.pi * r / L)
        return math.log(c + math.sqrt(c * c - 1))
      end
      local terms = {}
      for kind = 1, 4 do
        local log, sign = 0, 1
        for k = 0, L - 1 do
          local g = L * gamma(kind <= 2 and 2 * k + 1 or 2 * k) / 2
          local a = math.abs(g)
          log = log + a + math.log(kind % 2 == 1 and 1 + math.exp(-2 * a) or 1 - math.exp(-2 * a))
          if kind % 2 == 0 and g < 0 then sign = -sign end
        end
        terms[kind] = { log, sign }
      end
      local top, sum = terms[1][1], 0
      for _, t in ipairs(terms) do sum = sum + t[2] * math.exp(t[1] - top) end
      return -math.log(2) + L * L / 2 * math.log(2 * sinh) + top + math.log(sum)
    end
    for _, case in ipairs { { 3, 2.2 }, { 16, 1.8 }, { 16, 2 / math.log(1 + math.sqrt(2)) }, { 16, 3.5 } } do
      local L, T = table.unpack(case)
      local K, d, n = 1 / T, 1e-4, 1000
      local exact = -(log_z(L, K + d) - log_z(L, K - d)) / (2 * d) / L ^ 2
      local e = energies(lrn.data.ising { temperature = T, n = n, side = L, seed = 4 })
      near(e:mean(), exact, 6 * e:std() / math.sqrt(n), ("side %d, T = %g"):format(L, T))
    end
  end)

  it("is the same for the same seed, of the configuration's number alone, and says what it is", function()
    local a = lrn.data.ising { n = 5, side = 6, sweeps = 3, seed = 7 }
    local b = lrn.data.ising { n = 9, side = 6, sweeps = 3, seed = 7 }
    assert.is_true(a.data:eq(b.data:narrow(1, 1, 5)):all())
    assert.is_false(a.data:eq(lrn.data.ising { n = 5, side = 6, sweeps = 3, seed = 8 }.data):all())
    assert.same({ 5, 6, 6 }, a.data.shape)
    assert.same({ [0] = true, [255] = true }, (function()
      local seen = {}
      for _, x in ipairs(a.data:view(-1):tolist()) do seen[x] = true end
      return seen
    end)())
    assert.is_false(b.data[1]:eq(b.data[2]):all())
  end)

  it("refuses what it cannot make", function()
    local function fails(pattern, options)
      assert.error_matches(function() lrn.data.ising(options) end, pattern)
    end
    fails("ising: side: got 1, expected", { side = 1 })
    fails("ising: temperature: got 0, expected", { temperature = 0 })
    fails("ising: sweeps: got 1000000000, expected 1 to", { sweeps = 1000000000 })
    fails("ising: unknown option 'temp'", { temp = 2 })
  end)
end)

describe("mnist", function()
  local function folder()
    local path = os.tmpname()
    os.remove(path)
    return path
  end

  local names = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte" }

  local function write(path, suffix, images, labels)
    assert(lrn.io.mkdir(path))
    for i, name in ipairs(names) do
      local t = i % 2 == 1 and images or labels
      assert(lrn.io.idx.save(path .. "/" .. name .. suffix, t))
    end
  end

  it("is found in the folder, in mnist/ and in MNIST/raw/, packed or not", function()
    local images = lrn.full({ 3, 28, 28 }, 9, { dtype = "uint8" })
    local labels = lrn.tensor({ 0, 9, 4 }, { dtype = "uint8" })
    for _, below in ipairs { "", "/mnist", "/MNIST/raw" } do
      for _, suffix in ipairs { "", ".gz" } do
        local root = folder()
        write(root .. below, suffix, images, labels)
        local train, test = assert(lrn.data.mnist { root = root })
        assert.is_true(train.data == images)
        assert.same({ 1, 10, 5 }, test.targets:tolist())
        assert.equal("9", train.classes[10])
        os.execute("rm -rf " .. root)
      end
    end
  end)

  it("gives nil and a message for files that do not fit together", function()
    local root = folder()
    local images = lrn.zeros({ 3, 28, 28 }, { dtype = "uint8" })
    write(root, "", images, lrn.tensor({ 0, 9 }, { dtype = "uint8" }))
    local train, message, code = lrn.data.mnist { root = root }
    assert.is_nil(train)
    assert.matches("got 2 labels for 3 images", message)
    assert.equal("EFORMAT", code)
    write(root, "", images, lrn.tensor({ 0, 9, 10 }, { dtype = "uint8" }))
    assert.matches("labels from 0 to 10", (select(2, lrn.data.mnist { root = root })))
    write(root, "", lrn.zeros({ 3, 784 }, { dtype = "uint8" }),
      lrn.tensor({ 0, 9, 1 }, { dtype = "uint8" }))
    assert.matches("2 dimensions", (select(2, lrn.data.mnist { root = root })))
    local f = io.open(root .. "/" .. names[1], "w")
    f:write "no idx"
    f:close()
    assert.is_nil((lrn.data.mnist { root = root }))
    os.execute("rm -rf " .. root)
  end)

  it("has 60,000 and 10,000 images #slow", function()
    local train, test = lrn.data.mnist()
    if not train then
      pending("MNIST was not found: " .. test)
      return
    end
    assert.same({ 60000, 28, 28 }, train.data.shape)
    assert.same({ 10000, 28, 28 }, test.data.shape)
    assert.equal(6, train.targets[1]) -- a five
    assert.equal("5", train.classes[train.targets[1]])
  end)
end)
