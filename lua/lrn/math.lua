--- Small functions on tensors: scaling, how alike two images are, and those of mixing.lua.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}

local CHUNK = 1 << 20 -- pixels that are compared at once: some ten float64 copies of them exist

--- Values moved and scaled to 0..1, as floats: (t - min) / (max - min + 1e-10); a constant gives 0.
-- @usage local t = lrn.math.unitary_scale(lrn.tensor{ 1, 2, 3, 4, 5 });
-- assert(math.abs(t[2] - .25) < 1e-6)
function M.unitary_scale(t)
  check.tensor("unitary_scale", "t", t)
  if t.dtype ~= "float64" then t = t:to "float32" end
  if t.numel == 0 then return t:clone() end
  local shifted = t - t:min()
  return shifted / (shifted:max() + 1e-10)
end

-- {=== Pairs of images ===

local channel_rule = { "string", choices = { "first", "last" } }

-- An image tensor as n x c x h x w. h x w is one gray image, n x h x w a batch of them, n x c x h x
-- w a batch in color; `channels` says that there is a dimension of channels, and where.
local function planes(where, name, t, channels)
  local least, most = channels and 3 or 2, 4
  if t.ndim < least or t.ndim > most or t.numel == 0 then
    check.raise("size", "%s: %s: got %s, expected %s", where, name, check.shape(t),
      channels == "last" and "h x w x c or n x h x w x c" or
      channels and "c x h x w or n x c x h x w" or "h x w, n x h x w or n x c x h x w")
  end
  if channels == "last" then
    t = t.ndim == 3 and t:permute(3, 1, 2) or t:permute(1, 4, 2, 3)
  end
  if t.ndim == 2 then return t:reshape(1, 1, t:size(1), t:size(2)) end
  if t.ndim == 4 then return t end
  if channels then return t:reshape(1, t:size(1), t:size(2), t:size(3)) end
  return t:reshape(t:size(1), 1, t:size(2), t:size(3))
end

-- Two images or batches as n x c x h x w each. Rows of a model, n x (h w), take the shape of the
-- other.
local function pair(where, a, b, channels)
  for name, t in pairs { a = check.value(where, "a", a, { "tensor", required = true }),
    b = check.value(where, "b", b, { "tensor", required = true }) } do
    check.open(where, name, t)
  end
  if a.device ~= b.device then
    check.raise("value", "%s: b: got a tensor on %s, expected one on %s as a", where, b.device,
      a.device)
  end
  local function flat(t, like)
    return not channels and t.ndim == 2 and like.ndim > 2 and t.numel == like.numel and
      t:size(1) == like:size(1) and t:reshape(table.unpack(like.shape)) or t
  end
  local shape_a, shape_b = check.shape(a), check.shape(b)
  a, b = flat(a, b), flat(b, a)
  if check.shape(a) ~= check.shape(b) then
    check.raise("size", "%s: b: got %s, expected %s as a", where, shape_b, shape_a)
  end
  return planes(where, "a", a, channels), planes(where, "b", b, channels)
end

-- Calls f with pieces of images as float64, bytes as value / 255, and puts what it gives (one
-- number an image) together: the mean and all.
local function each_piece(a, b, f)
  local n, size = a:size(1), a.numel // a:size(1)
  local step, parts = math.max(1, CHUNK // size), {}
  local function floats(t, first, count)
    local x = t:narrow(1, first, count):to "float64"
    return t.dtype == "uint8" and x / 255 or x
  end
  for first = 1, n, step do
    local count = math.min(step, n - first + 1)
    parts[#parts + 1] = f(floats(a, first, count), floats(b, first, count))
  end
  local all = #parts == 1 and parts[1] or core.cat(parts, 1)
  return all:mean(), all
end

-- L of the formulas, in units of the values that each_piece gives.
local function range_of(where, given, a, b)
  if given then
    if given == 0 then
      check.raise("value", "%s: data_range: got 0, expected a number > 0", where)
    end
    return a.dtype == "uint8" and b.dtype == "uint8" and given / 255 or given
  end
  for name, t in pairs { a = a, b = b } do
    if t.dtype ~= "uint8" and t.dtype ~= "bool" then
      local low, high = t:min(), t:max()
      if not (low >= 0 and high <= 1) then
        check.raise("value",
          "%s: %s: got values from %.6g to %.6g, expected 0..1, bytes, or data_range, which says \z
          how far apart values can be", where, name, low, high)
      end
    end
  end
  return 1
end

local psnr_rules = { data_range = { "number", nil, min = 0, max = 1e300 }, channels = channel_rule }

--- Peak signal-to-noise ratio in decibels: 10 log10(L^2 / mse). Equal images have infinity.
-- @param a, b images of the same shape: h x w, n x h x w, n x c x h x w, or rows n x (h w) beside
-- such a batch; bytes mean value / 255
-- @param options data_range: L, how far apart values can be (1; of bytes 255); channels: "first" or
-- "last", where a dimension of channels is
-- @return mean over the images; a tensor of the value of each
-- @usage local a = lrn.rand(8, 8); assert(lrn.math.psnr(a, a) == math.huge)
function M.psnr(a, b, options)
  local o = check.options("psnr", options, psnr_rules)
  a, b = pair("psnr", a, b, o.channels)
  local range = range_of("psnr", o.data_range, a, b)
  return each_piece(a, b, function(x, y)
    local d = x - y
    local mse = (d * d):mean { 2, 3, 4 }
    return (range * range / mse):log() * (10 / math.log(10))
  end)
end

local ssim_rules = { data_range = psnr_rules.data_range, channels = channel_rule,
  kernel = { "string", "gaussian", choices = { "gaussian", "uniform" } },
  window = { "integer", nil, min = 1 }, sigma = { "number", 1.5, min = 1e-3 },
  k1 = { "number", 0.01, min = 0 }, k2 = { "number", 0.03, min = 0 },
  sample_covariance = { "boolean", false } }

-- Weights of one axis of the window; the window is their outer product.
local function window_weights(o)
  local w, total = {}, 0
  for i = 1, o.window do
    local d = i - (o.window + 1) / 2
    w[i] = o.kernel == "uniform" and 1 or math.exp(-d * d / (2 * o.sigma * o.sigma))
    total = total + w[i]
  end
  for i = 1, o.window do w[i] = w[i] / total end
  return w
end

-- Weighted means in all windows that lie inside the images: n x c x h x w becomes
-- n x c x (h - m + 1) x (w - m + 1).
local function local_means(x, w)
  for dim = 3, 4 do
    local count = x:size(dim) - #w + 1
    local sum = x:narrow(dim, 1, count) * w[1]
    for i = 2, #w do sum:add_(x:narrow(dim, i, count) * w[i]) end
    x = sum
  end
  return x
end

--- Structural similarity of images (Wang, Bovik, Sheikh, Simoncelli 2004), 1 for equal ones. In
-- each window that lies inside, with means m, variances s, covariance s_ab and C = (k L)^2:
-- (2 m_a m_b + C1) (2 s_ab + C2) / ((m_a^2 + m_b^2 + C1) (s_a + s_b + C2)); 0 / 0 is 1.
-- The mean over windows and channels is an image's value.
-- @param a, b as for psnr
-- @param options data_range, channels as for psnr; kernel ("gaussian" or "uniform"), window (side:
-- 11, uniform 7), sigma (1.5), k1 (.01), k2 (.03), sample_covariance (false: divide by the
-- window's weight, true: as by n - 1; needs kernel = "uniform")
-- @return mean over the images; a tensor of the value of each
-- @usage local a = lrn.rand(16, 16); assert(lrn.math.ssim(a, a) == 1)
function M.ssim(a, b, options)
  local o = check.options("ssim", options, ssim_rules)
  o.window = o.window or o.kernel == "uniform" and 7 or 11
  if o.window % 2 == 0 then
    check.raise("value", "ssim: window: got %d, expected an odd number", o.window)
  end
  if o.sample_covariance and (o.kernel ~= "uniform" or o.window == 1) then
    check.raise("argument",
      "ssim: sample_covariance: got true, expected it with kernel = \"uniform\" and window > 1")
  end
  a, b = pair("ssim", a, b, o.channels)
  if a:size(3) < o.window or a:size(4) < o.window then
    check.raise("size", "ssim: a: got images of %d x %d, expected at least %d x %d, the window",
      a:size(3), a:size(4), o.window, o.window)
  end
  local range = range_of("ssim", o.data_range, a, b)
  local c1, c2 = (o.k1 * range) ^ 2, (o.k2 * range) ^ 2
  local w, area = window_weights(o), o.window * o.window
  local unbias = o.sample_covariance and area / (area - 1) or 1
  return each_piece(a, b, function(x, y)
    local mx, my = local_means(x, w), local_means(y, w)
    local vx = (local_means(x * x, w) - mx * mx) * unbias
    local vy = (local_means(y * y, w) - my * my) * unbias
    local cov = (local_means(x * y, w) - mx * my) * unbias
    local above = (mx * my * 2 + c1) * (cov * 2 + c2)
    local below = (mx * mx + my * my + c1) * (vx + vy + c2)
    return core.where(below:eq(0), 1.0, above / below):mean { 2, 3, 4 }
  end)
end

-- }===

for name, f in pairs(require "lrn.mixing") do M[name] = f end

return M
