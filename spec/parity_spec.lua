-- Small things that users of Learnergy look for: similarity of images, reconstruction in batches,
-- kinds of errors, EPSILON.
local lrn = require "lrn"

-- {=== Images ===

-- Images that Python makes with the same integers:
--   i = numpy.arange(h)[:, None]; j = numpy.arange(w)[None, :]
--   plane = (i*i*7 + j*13 + i*j*3 + s*29 + k) % 256            s: channel
--   a = plane(k=0); b = a*3//4 + plane(k=91)//4
local function plane(h, w, s, k)
  local rows = {}
  for i = 0, h - 1 do
    rows[i + 1] = {}
    for j = 0, w - 1 do
      rows[i + 1][j + 1] = (i * i * 7 + j * 13 + i * j * 3 + s * 29 + k) % 256
    end
  end
  return rows
end

local function pair(s)
  local p, q, mixed = plane(16, 20, s, 0), plane(16, 20, s, 91), {}
  for i, row in ipairs(p) do
    mixed[i] = {}
    for j, x in ipairs(row) do mixed[i][j] = x * 3 // 4 + q[i][j] // 4 end
  end
  return lrn.tensor(p, { dtype = "uint8" }), lrn.tensor(mixed, { dtype = "uint8" })
end

local function floats(t) return t:to "float64" / 255 end

local function near(want, got)
  assert.is_true(math.abs(want - got) <= 1e-12 * math.abs(want),
    ("%.17g, not %.17g"):format(got, want))
end

local a8, b8 = pair(0)
local a, b = floats(a8), floats(b8)
local ra, rb = {}, {}
for s = 0, 2 do ra[s + 1], rb[s + 1] = pair(s) end
local rgb_a, rgb_b = lrn.stack(ra), lrn.stack(rb)

-- Figures of scikit-image 0.26.0 with numpy 2.4.6 on Python 3.11 (pip install scikit-image):
--   from skimage.metrics import structural_similarity as S, peak_signal_noise_ratio as P
--   g = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
describe("ssim equals scikit-image's", function()
  it("of gray images", function() -- S(a/255, b/255, data_range=1, **g)
    near(0.885509145026883, lrn.math.ssim(a, b))
  end)

  it("of bytes, whose range is 255", function()
    near(0.8855091450268833, lrn.math.ssim(a8, b8))
    near(0.8855091450268833, lrn.math.ssim(a8, b8, { data_range = 255 }))
    near(0.885509145026883, lrn.math.ssim(a8, b))
  end)

  it("of RGB images, channels first or last", function() -- S(..., channel_axis=0)
    near(0.8862994185625389, lrn.math.ssim(rgb_a, rgb_b, { channels = "first" }))
    near(0.8862994185625389,
      lrn.math.ssim(rgb_a:permute(2, 3, 1), rgb_b:permute(2, 3, 1), { channels = "last" }))
  end)

  it("with another range", function() -- S(..., data_range=2)
    near(0.8879299000964129, lrn.math.ssim(a, b, { data_range = 2 }))
  end)

  it("with other constants", function() -- S(..., sigma=1, K1=.02, K2=.05): a window of 9
    near(0.8860023131139467, lrn.math.ssim(a, b, { sigma = 1, window = 9, k1 = .02, k2 = .05 }))
  end)

  it("with a uniform window", function() -- S(..., win_size=7, use_sample_covariance=False)
    near(0.885625339294974, lrn.math.ssim(a, b, { kernel = "uniform" }))
  end)

  it("with Learnergy's settings", function() -- S(a/255, b/255, data_range=ptp(b/255), win_size=7)
    near(0.8852472108481025, lrn.math.ssim(a, b, { kernel = "uniform", sample_covariance = true,
      data_range = b:max() - b:min() }))
  end)
end)

describe("psnr equals scikit-image's", function()
  it("of gray images, bytes and RGB", function() -- P(a/255, b/255, data_range=1)
    near(18.569119303925472, (lrn.math.psnr(a, b)))
    near(18.56911930392547, (lrn.math.psnr(a8, b8)))
    near(24.589719217205097, (lrn.math.psnr(a, b, { data_range = 2 })))
    near(18.47408389647804, (lrn.math.psnr(rgb_a, rgb_b, { channels = "first" })))
  end)
end)

describe("similarity of images", function()
  it("is 1 and infinite for equal ones, constants too", function()
    for _, x in ipairs { a, a8, lrn.zeros(11, 11), lrn.ones(3, 12, 12) } do
      assert.equal(1, (lrn.math.ssim(x, x)))
      assert.equal(math.huge, (lrn.math.psnr(x, x)))
    end
    assert.equal(1, (lrn.math.ssim(lrn.zeros(11, 11), lrn.zeros(11, 11), { k1 = 0, k2 = 0 })))
  end)

  it("is symmetric", function()
    near(lrn.math.ssim(a, b), (lrn.math.ssim(b, a)))
    near(lrn.math.psnr(a, b), (lrn.math.psnr(b, a)))
  end)

  it("gives of a batch the value of each, and their mean", function()
    for _, f in ipairs { lrn.math.ssim, lrn.math.psnr } do
      local mean, each = f(rgb_a, rgb_b) -- three gray images
      assert.same({ 3 }, each.shape)
      for i = 1, 3 do near(f(ra[i], rb[i]), each[i]) end
      near((each[1] + each[2] + each[3]) / 3, mean)
      local color, one = f(rgb_a:reshape(1, 3, 16, 20), rgb_b:reshape(1, 3, 16, 20))
      assert.same({ 1 }, one.shape)
      near(f(rgb_a, rgb_b, { channels = "first" }), color)
    end
  end)

  it("takes a model's rows beside images", function()
    local m = lrn.RBM { n_visible = 320, n_hidden = 8, seed = 1 }
    local _, v = m:reconstruct(rgb_a)
    local mean, each = lrn.math.ssim(v, rgb_a)
    assert.same({ 3 }, each.shape)
    near(lrn.math.ssim(v:reshape(3, 16, 20), rgb_a), mean)
  end)

  it("does not depend on how many images are compared at once", function()
    local x, y = lrn.rand(40, 200, 200), lrn.rand(40, 200, 200) -- 1.6 million pixels: two pieces
    local _, each = lrn.math.ssim(x, y)
    near(lrn.math.ssim(x[1], y[1]), each[1])
    near(lrn.math.ssim(x[40], y[40]), each[40])
  end)

  it("of noise is the closed form of its mse", function()
    local x = lrn.zeros(12, 12, { dtype = "float64" })
    near(20, (lrn.math.psnr(x, x + 0.1)))
    -- constants: the variances are 0, so only the means stay: C1 / (.25 + C1)
    near(1e-4 / (.25 + 1e-4), (lrn.math.ssim(x, x + 0.5)))
  end)

  it("refuses what it cannot compare", function()
    local function raises(kind, text, f, ...)
      local ok, e = pcall(f, ...)
      assert.is_false(ok)
      assert.is_truthy(e:find(text, 1, true), e)
      assert.equal(kind, lrn.error.kind(e))
    end
    raises("type", "ssim: b: got 3, expected a tensor", lrn.math.ssim, a, 3)
    raises("argument", "psnr: a: missing, expected a tensor", lrn.math.psnr)
    raises("size", "psnr: b: got [20, 16], expected [16, 20] as a", lrn.math.psnr, a, b:t())
    raises("size", "ssim: a: got images of 10 x 20, expected at least 11 x 11", lrn.math.ssim,
      a:narrow(1, 1, 10), b:narrow(1, 1, 10))
    raises("size", "psnr: a: got [3], expected h x w, n x h x w", lrn.math.psnr, lrn.zeros(3),
      lrn.zeros(3))
    raises("value", "ssim: a: got values from 0 to 255, expected 0..1, bytes, or data_range",
      lrn.math.ssim, lrn.full({ 11, 11 }, 255) * lrn.eye(11), lrn.zeros(11, 11))
    raises("value", "ssim: window: got 4, expected an odd number", lrn.math.ssim, a, b,
      { window = 4 })
    raises("value", "psnr: data_range: got 0, expected a number > 0", lrn.math.psnr, a, b,
      { data_range = 0 })
    raises("argument", "ssim: sample_covariance: got true", lrn.math.ssim, a, b,
      { sample_covariance = true })
    raises("argument", "unknown option 'win'", lrn.math.ssim, a, b, { win = 4 })
  end)
end)

describe("unitary_scale", function()
  it("moves and scales to 0..1", function()
    assert.same({ 0, .25, .5, .75, 1 },
      lrn.math.unitary_scale(lrn.tensor({ 1, 2, 3, 4, 5 })):tolist())
    assert.same({ 0, 0 }, lrn.math.unitary_scale(lrn.tensor({ 7, 7 })):tolist())
  end)
end)

-- }===

describe("reconstruct", function()
  local images = lrn.tensor(plane(1500, 20, 0, 0), { dtype = "uint8" })
  local device = "cpu"
  local function model()
    return lrn.RBM { n_visible = 20, n_hidden = 9, seed = 4, device = device }
  end
  local set = lrn.data.Dataset(images):subset(lrn.arange(1, 1300))
  local scaled = lrn.data.Dataset(images, nil, { transform = function(x)
    return x:to "float32" / 255 end }):subset(lrn.arange(1, 1300))

  local function bits(data, options)
    local m = model()
    local e, v, s = m:reconstruct(data, options)
    local e2, v2, s2 = m:reconstruct(data, options) -- the next call draws other numbers
    return { e, v:tobytes(), s, e2, v2:tobytes(), s2 }
  end

  it("has the same bits for every batch size, on every device", function()
    for _, name in ipairs(lrn.devices()) do
      device = name
      local want = bits(images:narrow(1, 1, 1300))
      for _, size in ipairs { 512, 700 } do
        assert.same(want, bits(set, { batch_size = size }))
        assert.same(want, bits(scaled, { batch_size = size }))
      end
    end
    device = "cpu"
    for _, mean_field in ipairs { false, true } do
      local want = bits(images:narrow(1, 1, 1300), { mean_field = mean_field })
      if not mean_field then assert.not_equal(want[5], want[2]) end
      for _, size in ipairs { 1, 7, 512, 513, 1300, 5000, math.maxinteger } do
        local o = { batch_size = size, mean_field = mean_field }
        assert.same(want, bits(set, o))
        assert.same(want, bits(scaled, o))
      end
    end
  end)

  it("has the same bits after training with a large batch", function()
    local m = model()
    m:fit(scaled, { epochs = 1, batch_size = 1300 })
    local path = os.tmpname()
    assert(m:save(path))
    local again = assert(lrn.load(path))
    os.remove(path)
    assert.is_true(select(2, m:reconstruct(set)) == select(2, again:reconstruct(set)))
  end)

  it("sees a data set with a transform in parts", function()
    local most = 0
    local spy = lrn.data.Dataset(images, nil, { transform = function(x)
      most = math.max(most, #x)
      return x:to "float32" / 255
    end })
    model():reconstruct(spy, { batch_size = 100 })
    assert.equal(512, most)
    model():reconstruct(spy, { batch_size = 1000 })
    assert.equal(1024, most)
  end)

  it("refuses batch sizes that are none, and empty sets", function()
    for _, bad in ipairs { 0, -1, 2.5, "3" } do
      assert.error_matches(function() model():reconstruct(set, { batch_size = bad }) end,
        "reconstruct: batch_size: got .*, expected an integer >= 1")
    end
    assert.error_matches(function() model():reconstruct(set:subset {}) end,
      "reconstruct: data: got 0 rows")
  end)
end)

describe("an error of lrn has a kind:", function()
  local gaussian = lrn.models.define { visible = "gaussian" }
  local cases = {
    { "argument", "an unknown option", function() lrn.RBM { n_hiden = 3 } end },
    { "argument", "a missing argument", function() lrn.save "/tmp/x" end },
    { "size", "shapes that do not fit", function() lrn.zeros(2, 3):mm(lrn.zeros(2, 3)) end },
    { "value", "a number outside its range", function() lrn.RBM { n_hidden = 0 } end },
    { "value", "data that are no numbers", function()
      lrn.RBM { n_visible = 2, n_hidden = 2 }:fit(lrn.full({ 4, 2 }, 0 / 0), { epochs = 1 })
    end },
    { "type", "a value of another type", function() lrn.math.unitary_scale(3) end },
    { "build", "what is not defined for a model", function()
      gaussian { n_visible = 2, n_hidden = 2 }:pseudo_likelihood(lrn.zeros(1, 2))
    end },
    { "memory", "more than there is", function() lrn.zeros(1 << 20, 1 << 25) end },
    { "state", "a closed tensor", function()
      local t = lrn.zeros(2)
      t:close()
      return t + 1
    end },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. ", " .. case[2], function()
      local ok, e = pcall(case[3])
      assert.is_false(ok)
      assert.is_string(e)
      assert.equal(case[1], lrn.error.kind(e), e)
    end)

    it(case[1] .. ", " .. case[2] .. ", with text around it", function()
      local _, e = pcall(case[3])
      assert.equal(case[1], lrn.error.kind("while training: " .. e))
      assert.equal(case[1], lrn.error.kind(debug.traceback(e)))
      local wrapped, outer = pcall(error, "run 3: " .. e, 0)
      assert.is_false(wrapped)
      assert.equal(case[1], lrn.error.kind(outer))
      local object = setmetatable({}, { __tostring = function() return "failed: " .. e end })
      assert.equal(case[1], lrn.error.kind(object))
    end)
  end

  it("and none for errors of others", function()
    for _, e in ipairs { "x", "", 3, true, {}, print, io.stderr, lrn.zeros(2), false } do
      assert.is_nil(lrn.error.kind(e))
    end
    assert.is_nil(lrn.error.kind(nil))
    assert.is_nil(lrn.error.kind(setmetatable({}, { __tostring = function() error "x" end })))
    assert.is_nil(lrn.error.kind(setmetatable({}, { __tostring = function() return {} end })))
    local _, e = pcall(function() local x = nil; return x.y end)
    assert.is_nil(lrn.error.kind(e))
  end)

  it("that survives a coroutine and a message handler", function()
    local co = coroutine.create(cases[1][3])
    local _, e = coroutine.resume(co)
    assert.equal("argument", lrn.error.kind(e))
    local _, traced = xpcall(cases[3][3], debug.traceback)
    assert.equal("size", lrn.error.kind(traced))
  end)
end)

describe("EPSILON", function()
  it("is Learnergy's", function() assert.equal(1e-10, lrn.EPSILON) end)
end)
