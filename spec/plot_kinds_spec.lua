-- lrn.plot: what each kind of plot draws, against closed forms: bars, histograms, scatters, bands,
-- heat maps, rules, texts, logarithmic axes, categories, colour bars, data at the edge of sense.
local lrn = require "lrn"
local bins = require "lrn.plot.bins"
local colors = require "lrn.plot.colors"
local plot = require "lrn.plot"
local support = dofile "spec/support/figures.lua"
local thin = require "lrn.plot.thin"
local ticks = require "lrn.plot.ticks"

local pick, texts, ramp, assert_laid_out = support.pick, support.texts, support.ramp,
  support.assert_laid_out

local NAN, INF = 0 / 0, math.huge

-- Pixels of a figure as RGBA bytes, and its width.
local function pixels(fig)
  local surface <close> = fig:render()
  return surface:tobytes(), (surface:size())
end

-- Mean difference of two pictures, and the part of bytes that are off by more than 32.
local function difference(a, b)
  assert.equal(#a, #b)
  local sum, off = 0, 0
  for i = 1, #a, 4096 do
    local x, y = { a:byte(i, i + 4095) }, { b:byte(i, i + 4095) }
    for k = 1, #x do
      local d = math.abs(x[k] - y[k])
      sum, off = sum + d, off + (d > 32 and 1 or 0)
    end
  end
  return sum / #a, off / #a
end

-- Value to pixels, by the ticks of an axis: a second way that does not know of scales.
local function by_ticks(fig, axis)
  local at, values = {}, {}
  for _, p in ipairs(pick(fig, "line", "tick")) do
    local upright = p.points[2] == p.points[4]
    if upright == (axis == "y") then at[#at + 1] = upright and p.points[2] or p.points[1] end
  end
  for i, text in ipairs(texts(fig, axis .. "tick")) do
    values[i] = tonumber((text:gsub("−", "-")))
  end
  local n = #values
  local slope = (at[n] - at[1]) / (values[n] - values[1])
  return function(v) return at[1] + slope * (v - values[1]) end
end

-- WCAG's contrast of a colour {r, g, b} in 0..255 with black (0) or white (1).
local function contrast(rgb, ground)
  local sum = 0
  for i, weight in ipairs{ .2126, .7152, .0722 } do
    local v = rgb[i] / 255
    sum = sum + weight * (v <= .03928 and v / 12.92 or ((v + .055) / 1.055) ^ 2.4)
  end
  return (math.max(sum, ground) + .05) / (math.min(sum, ground) + .05)
end

describe("ticks of a linear axis", function()
  it("cover 1000 random ranges with steps of 1, 2, 2.5 or 5", function()
    math.randomseed(20)
    for _ = 1, 1000 do
      local size = 10 ^ (math.random() * 600 - 300)
      local lo = (math.random() - .5) * size * 10 ^ math.random(0, 3)
      local hi, n = lo + size * (math.random() + .01), math.random(1, 9)
      local values, step = ticks.locate(lo, hi, { n = n })
      local digits = ("%.3e"):format(step):match "^(.*)e"
      assert.is_truthy(("1.000 2.000 2.500 5.000"):find(digits, 1, true), digits)
      assert.is_true(#values >= 2 and #values <= math.max(n, 2) + 1)
      assert.is_true(values[1] - lo < step * 1.000001 and hi - values[#values] < step * 1.000001)
      local labels = ticks.format(values)
      for i = 2, #labels do assert.not_equal(labels[i - 1], labels[i]) end
    end
  end)

  it("exist where the range is no double", function()
    local values, step = ticks.locate(-1.7e308, 1.7e308)
    assert.is_true(#values >= 5 and #values <= 10)
    assert.equal(0, values[(#values + 1) / 2])
    for i = 2, #values do
      assert.near(1, (values[i] / 10 - values[i - 1] / 10) / (step / 10), 1e-9)
    end
    values = ticks.locate(1e308, 1.7e308) -- their sum is none
    assert.is_true(#values >= 4 and values[1] >= 1e308)
  end)
end)

describe("ticks of a logarithmic axis", function()
  it("are decades, with 2 to 9 between them", function()
    local values, minor = ticks.locate_log(1, 1000)
    assert.same({ 1.0, 10.0, 100.0, 1000.0 }, values)
    assert.equal(3 * 8, #minor)
    assert.same({ "10⁰", "10¹", "10²", "10³" }, (ticks.format_log(values)))
    assert.same({ "10⁻²⁰", "10⁰", "10²⁰" }, (ticks.format_log{ 1e-20, 1, 1e20 }))
  end)

  it("lie inside 1000 random ranges, evenly spaced, as many as asked for", function()
    math.randomseed(21)
    for _ = 1, 1000 do
      local a = math.random() * 400 - 200
      local lo, hi = 10 ^ a, 10 ^ (a + 2.1 + math.random() * 100)
      local n = math.random(2, 9)
      local values, minor = ticks.locate_log(lo, hi, { n = n })
      assert.is_true(#values >= 2 and #values <= n + 1)
      local stride = math.log(values[2] / values[1], 10)
      for i, v in ipairs(values) do
        assert.is_true(v >= lo * .999999 and v <= hi * 1.000001)
        local k = math.log(v, 10)
        assert.near(math.floor(k + .5), k, 1e-9)
        if i > 1 then assert.near(stride, math.log(v / values[i - 1], 10), 1e-6) end
      end
      for _, v in ipairs(minor) do assert.is_true(v >= lo * .999999 and v <= hi * 1.000001) end
    end
  end)

  it("are 1, 2, 5 over less than two decades, and even steps over much less", function()
    assert.same({ "2", "5", "10", "20", "50" }, (ticks.format_log(ticks.locate_log(2, 60))))
    assert.same({ "2×10⁻⁹", "5×10⁻⁹" }, (ticks.format_log(ticks.locate_log(1.5e-9, 6e-9))))
    local values = ticks.locate_log(101, 103)
    for i = 2, #values do assert.near(values[2] - values[1], values[i] - values[i - 1], 1e-9) end
    assert.is_true(#values >= 3)
    assert.error_matches(function() ticks.locate_log(0, 1) end, "0 < lo < hi")
  end)
end)

describe("a logarithmic axis", function()
  it("makes a straight line of a power law", function()
    local fig = plot.figure()
    local x = ramp(20, function(i) return 1.5 ^ i end)
    fig:axes():line(x, ramp(20, function(i) return 7 * x[i] ^ 2 end)):xscale "log":yscale "log"
    local p = pick(fig, "line", "series")[1].points
    local slope = (p[40] - p[2]) / (p[39] - p[1])
    for i = 1, 39, 2 do assert.near(p[2] + slope * (p[i] - p[1]), p[i + 1], 1e-6) end
    assert.is_true(#pick(fig, "line", "minor tick") > 8)
  end)

  it("breaks lines where values are not positive, and counts them", function()
    local fig = plot.figure()
    fig:axes():line{ 1, 10, -1, 100, 10, 0 }:yscale "log"
    assert.equal(2, fig.nan_count)
    assert.equal(2, #pick(fig, "line", "series"))
    fig = plot.figure()
    fig:axes():yscale "log":scatter({ 1, 2, 3 }, { 1, 0, 5 })
    assert.equal(1, fig.nan_count)
    assert.equal(4, #pick(fig, "marks", "series")[1].points)
    fig = plot.figure()
    fig:axes():line{ -1, -2 }:yscale "log" -- nothing to show is no error
    assert.same({ "10⁰", "10¹" }, texts(fig, "ytick"))
  end)

  it("lets bars stand on the axis, and empty bins be empty", function()
    local fig = plot.figure()
    fig:axes():bar({ "a", "b", "c" }, { 1, 100, 0 }):yscale "log"
    local bars, frame = pick(fig, "rect", "series"), pick(fig, "rect", "frame")[1]
    assert.equal(2, #bars)
    for _, bar in ipairs(bars) do assert.near(frame.y + frame.h, bar.y + bar.h, 1e-6) end
    fig = plot.figure()
    fig:axes():hist({ 1, 1, 1, 9 }, { bins = 4, log = true })
    assert.equal(0, fig.nan_count)
  end)

  it("refuses what has no place on it", function()
    local ax = plot.figure():axes():yscale "log"
    assert.error_matches(function() ax:image{ { 1 } } end, "an image needs linear axes")
    assert.error_matches(function() ax:ylim(-1, 10) end, "positive limits on a log axis")
    ax = plot.figure():axes():ylim(-1, 1)
    assert.error_matches(function() ax:yscale "log" end, "not positive")
    assert.error_matches(function() ax:yscale "lag" end, '"linear" or "log"')
    assert.error_matches(function() plot.figure():axes():image{ { 1 } }:xscale "log" end,
      "needs linear axes")
  end)
end)

describe("bars", function()
  it("are as high as their values, and stand on the axis", function()
    local fig = plot.figure()
    local values = { 3, 1.5, 4 }
    fig:axes():bar({ "a", "b", "c" }, values)
    local y, frame = by_ticks(fig, "y"), pick(fig, "rect", "frame")[1]
    for i, bar in ipairs(pick(fig, "rect", "series")) do
      assert.near(y(values[i]), bar.y, .01)
      assert.near(frame.y + frame.h, bar.y + bar.h, .01)
      assert.equal("#1f77b4", bar.fill)
    end
    assert.same({ "a", "b", "c" }, texts(fig, "xtick"))
    local surface <close> = fig:render()
    local bar = pick(fig, "rect", "series")[2]
    local x, top = math.floor(bar.x + bar.w / 2), math.floor(bar.y + .5)
    assert.same({ 31, 119, 180, 255 }, { surface:get_pixel(x, top + 2) })
    assert.same({ 255, 255, 255, 255 }, { surface:get_pixel(x, top - 1) })
  end)

  it("of several series stand beside each other in their order", function()
    local fig = plot.figure()
    fig:axes():bar({ "a", "b" }, { { 1, 2 }, { 3, 4 }, { 5, 6 } }, { label = { "x", "y", "z" } })
      :legend()
    local bars = pick(fig, "rect", "series")
    table.sort(bars, function(p, q) return p.x < q.x end)
    for i = 2, 6 do assert.is_true(bars[i].x >= bars[i - 1].x + bars[i - 1].w - 1e-6) end
    local wanted = { "#1f77b4", "#ff7f0e", "#2ca02c" }
    for i, bar in ipairs(bars) do assert.equal(wanted[(i - 1) % 3 + 1], bar.fill) end
    assert.near(bars[4].x - bars[3].x - bars[3].w, .2 / .8 * 3 * bars[1].w, .01) -- a gap of .2
    assert.same({ "x", "y", "z" }, texts(fig, "legend"))
    assert.equal(3, #pick(fig, "rect", "legend handle"))
  end)

  it("lie where they are horizontal, the first name on top", function()
    local fig = plot.figure()
    fig:axes():bar({ "first", "second" }, { 2, -1 }, { horizontal = true, err = .5 })
    local bars, x = pick(fig, "rect", "series"), by_ticks(fig, "x")
    assert.is_true(bars[1].y < bars[2].y)
    assert.near(x(0), bars[1].x, .01)
    assert.near(x(2), bars[1].x + bars[1].w, .01)
    assert.near(x(-1), bars[2].x, .01)
    local whisker = pick(fig, "line", "error bar")[1].points
    assert.near(x(1.5), whisker[1], .01)
    assert.near(x(2.5), whisker[3], .01)
  end)

  it("have error bars of the length that is said", function()
    local fig = plot.figure()
    fig:axes():bar({ 10, 20 }, { 3, 4 }, { err = { .5, 1 } })
    local y, lines = by_ticks(fig, "y"), pick(fig, "line", "error bar")
    assert.equal(2 * 3, #lines) -- a line and two caps
    assert.near(y(2.5), lines[1].points[2], .01)
    assert.near(y(3.5), lines[1].points[4], .01)
    assert.near(y(5), lines[4].points[4], .01)
  end)

  it("are seen however narrow and low they are", function()
    local fig = plot.figure()
    fig:axes():bar(ramp(3000, function() return 1 end)):ylim(0, 2)
    local frame = pick(fig, "rect", "frame")[1]
    local surface <close> = fig:render()
    for x = math.floor(frame.x + .1 * frame.w), frame.x + .9 * frame.w do
      local r, g, b = surface:get_pixel(x, math.floor(frame.y + .75 * frame.h))
      assert.is_true(r < 160 and g < 200 and b < 230, ("%d: %d %d %d"):format(x, r, g, b))
    end
  end)

  it("share their categories with lines and scatters, and learn new ones", function()
    local fig = plot.figure()
    fig:axes():bar({ "a", "b" }, { 1, 2 }):line({ "b", "c" }, { 1, 2 }):scatter({ "a" }, { 1 })
    assert.same({ "a", "b", "c" }, texts(fig, "xtick"))
    local bars, line = pick(fig, "rect", "series"), pick(fig, "line", "series")[1].points
    assert.near(bars[2].x + bars[2].w / 2, line[1], 1e-6)
  end)

  it("leave out what is not finite, and say what does not fit", function()
    local fig = plot.figure()
    fig:axes():bar({ 1, NAN, 3, INF })
    assert.equal(2, fig.nan_count)
    assert.equal(2, #pick(fig, "rect", "series"))
    local ax = plot.figure():axes()
    assert.error_matches(function() ax:bar({ "a" }, { 1, 2 }) end,
      "bar: heights: got 2 values, expected 1")
    assert.error_matches(function() ax:bar({ "a" }, { 1 }, { err = { 1, 2 } }) end, "bar: err")
    assert.error_matches(function() ax:bar({ { 1 }, { 2 } }, { label = { "a" } }) end,
      "label: got 1, expected 2")
    assert.error_matches(function() ax:bar({ "a", 2 }, { 1, 2 }) end, "expected a string")
    assert.error_matches(function() ax:bar({ 1 }, { widht = 1 }) end, "did you mean 'width'")
  end)
end)

describe("histograms", function()
  it("count every value once", function()
    math.randomseed(22)
    for _ = 1, 50 do
      local data = ramp(math.random(1, 300), function() return math.random(-5, 5) / 2 end)
      local edges = bins.edges("hist", { data }, math.random(1, 20))
      local counts, outside = bins.count(data, edges)
      assert.equal(0, outside)
      for i, n in ipairs(counts) do
        local plain = 0
        for _, v in ipairs(data) do
          local last = i == #counts and v == edges[i + 1]
          if v >= edges[i] and (v < edges[i + 1] or last) then plain = plain + 1 end
        end
        assert.equal(plain, n)
      end
    end
  end)

  it("have as many bins as the rules of Sturges and of Freedman and Diaconis say", function()
    for _, n in ipairs{ 10, 100, 900 } do
      local even = ramp(n, function(i) return i / 7 end) -- its interquartile range is half of all
      assert.equal(math.ceil(n ^ (1 / 3)), #bins.edges("hist", { even }, "fd") - 1)
      assert.equal(math.ceil(math.log(n, 2) + 1), #bins.edges("hist", { even }, "sturges") - 1)
      assert.equal(math.ceil(math.max(n ^ (1 / 3), math.log(n, 2) + 1)),
        #bins.edges("hist", { even }, "auto") - 1)
    end
    -- Bins of whole numbers are not narrower than 1; outliers do not make millions of bins.
    assert.equal(9, #bins.edges("hist", { ramp(10000, function(i) return i % 10 end) }, "auto") - 1)
    local outlier = ramp(1000, function(i) return i / 1e6 end)
    outlier[1] = 1e9
    assert.equal(1000, #bins.edges("hist", { outlier }, "fd") - 1)
  end)

  it("of a density have area 1, also with uneven bins", function()
    local fig = plot.figure()
    local t = lrn.randn(500)
    fig:axes():hist(t, { bins = { -3, -1, 0, .5, 4 }, density = true })
    local a, area, inside = fig:axes().artists[1], 0, 0
    for i, h in ipairs(a.heights) do area = area + h * (a.edges[i + 1] - a.edges[i]) end
    assert.near(1, area, 1e-12)
    fig:axes():hist(t, { bins = { -100, 100 } })
    for _, h in ipairs(fig:axes().artists[2].heights) do inside = inside + h end
    assert.equal(500, inside)
  end)

  it("are one outline a series, filled or not", function()
    local fig = plot.figure()
    fig:axes():hist({ lrn.randn(100), lrn.randn(80) }, { label = { "a", "b" }, bins = 7 }):legend()
    local filled = pick(fig, "polygon", "series")
    assert.equal(2, #filled)
    assert.equal(2 * (2 + 2 * 7), #filled[1].points)
    assert.equal("#1f77b48c", filled[1].color)
    assert.same({ "a", "b" }, texts(fig, "legend"))
    fig = plot.figure()
    fig:axes():hist({ { 1, 2, 2 } }, { style = "step", bins = 2 })
    local y, points = by_ticks(fig, "y"), pick(fig, "line", "series")[1].points
    assert.near(y(1), points[4], .01)
    assert.near(y(2), points[8], .01)
    assert.near(y(0), points[2], .01)
  end)

  it("take no values, one value, and only NaN", function()
    for _, t in ipairs{ {}, { 5 }, { NAN, INF }, lrn.zeros(3, 3) } do
      local fig = plot.figure()
      fig:axes():hist(t)
      assert.equal(1, #pick(fig, "polygon", "series"))
      assert_laid_out(fig)
    end
    local ax = plot.figure():axes()
    assert.error_matches(function() ax:hist({ 1 }, { bins = 0 }) end, "bins: got 0")
    assert.error_matches(function() ax:hist({ 1 }, { bins = "fdd" }) end, "auto, fd, sturges")
    assert.error_matches(function() ax:hist({ 1 }, { bins = { 1, 1 } }) end, "edge 2: got 1")
    assert.error_matches(function() ax:hist({ 1 }, { range = { 2, 1 } }) end, "range: got 2 and 1")
  end)
end)

describe("scatters", function()
  it("colour classes and name them, whole numbers in order and names as they come", function()
    local fig = plot.figure()
    fig:axes():scatter({ 1, 2, 3, 4 }, { 1, 2, 3, 4 }, { c = lrn.tensor{ 7, 3, 7, 5 } }):legend()
    assert.same({ "3", "5", "7" }, texts(fig, "legend"))
    assert.same({ "#2ca02c", "#1f77b4", "#2ca02c", "#ff7f0e" },
      pick(fig, "marks", "series")[1].colors)
    fig = plot.figure()
    fig:axes():scatter({ 1, 2, 3 }, { 1, 2, 3 }, { c = { "on", "off", "on" } }):legend()
    assert.same({ "on", "off" }, texts(fig, "legend"))
    fig = plot.figure()
    fig:axes():scatter({ 1, 2 }, { 1, 2 }, { c = { 0, 1 }, label = { "zero", "one" } }):legend()
    assert.same({ "zero", "one" }, texts(fig, "legend"))
  end)

  it("send numbers through a colour map and have a colour bar", function()
    local fig = plot.figure()
    fig:axes():scatter({ 1, 2, 3 }, { 1, 2, 3 }, { c = { 0, .5, 2.5 }, cmap = "gray" }):colorbar()
    assert.same({ "#000000", "#333333", "#ffffff" }, pick(fig, "marks", "series")[1].colors)
    local labels = texts(fig, "colorbar tick")
    assert.equal("0.0", labels[1])
    assert.equal("2.5", labels[#labels])
    local whole = plot.figure()
    whole:axes():scatter({ 1, 2 }, { 1, 2 }, { c = { 0, 1 }, cmap = "viridis" }):colorbar()
    assert.equal(0, #texts(whole, "legend"))
    assert.error_matches(function()
      plot.figure():axes():scatter({ 1 }, { 1 }, { c = { "a" } }):colorbar()
    end, "no image")
  end)

  it("have marks of the areas that are given", function()
    local fig = plot.figure{ dpi = 72 } -- a pixel is a point
    fig:axes():scatter({ 1, 2 }, { 1, 2 }, { s = { 100, 25 }, c = "red", marker = "s" })
    local marks = pick(fig, "marks", "series")[1]
    assert.same({ 10, 5 }, marks.sizes)
    local surface <close> = fig:render()
    local x, y = math.floor(marks.points[1]), math.floor(marks.points[2])
    assert.same({ 255, 0, 0, 255 }, { surface:get_pixel(x - 3, y + 4) })
    assert.same({ 255, 255, 255, 255 }, { surface:get_pixel(x - 7, y) })
  end)

  it("leave out and count points that are not finite in any way", function()
    local fig = plot.figure()
    fig:axes():scatter({ 1, 2, NAN, 4, 5 }, { 1, INF, 3, 4, 5 }, { c = { .1, 1, 1, NAN, .9 } })
    assert.equal(3, fig.nan_count)
    assert.equal(4, #pick(fig, "marks", "series")[1].points)
    local ax = plot.figure():axes()
    assert.error_matches(function() ax:scatter({ 1, 2 }, { 1 }) end, "y: got 1 values, expected 2")
    assert.error_matches(function() ax:scatter({ 1, 2 }, { 1, 2 }, { c = { 1, 2, 3 , 4, 5 } }) end,
      "c: got 5 values, expected 2")
    assert.error_matches(function() ax:scatter({ 1 }, { 1 }, { s = -1 }) end, "area >= 0")
    assert.error_matches(function()
      ax:scatter({ 1 }, { 1 }, { c = { 1 }, label = { "a", "b" } })
    end, "label: got 2, expected 1")
  end)
end)

describe("colours that are none", function()
  it("are refused where they are given, in the name of the function", function()
    for _, color in ipairs{ "redd", "#12", { 255, 0, 0 }, { 1, 2 }, { "a", 1, 1 }, {}, 7 } do
      local ax = plot.figure():axes()
      for name, call in pairs{
        line = function() ax:line({ 1, 2 }, { color = color }) end,
        bar = function() ax:bar({ 1, 2 }, { color = { color } }) end,
        band = function() ax:band({ 1 }, { 1 }, { 1 }, { color = color }) end,
        hline = function() ax:hline(1, { color = color }) end,
        text = function() ax:text(1, 1, "x", { color = color }) end,
        title = function() ax:title("x", { color = color }) end,
        ylabel = function() ax:ylabel("x", { color = color }) end,
        suptitle = function() ax.figure:suptitle("x", { color = color }) end,
      } do
        assert.error_matches(call, "^" .. name .. ": color: got") -- luassert cuts the position
      end
    end
    local fig = plot.figure()
    fig:axes():hist({ { 1 }, { 2 } }, { color = { "red", { 0, 0, 1 } }, alpha = 1 })
    assert.same({ "#ff0000", "#0000ff" }, { pick(fig, "polygon")[1].color,
                                            pick(fig, "polygon")[2].color })
  end)
end)

describe("bands and rules", function()
  it("fill the area between two curves in the colour of their line", function()
    local fig = plot.figure()
    fig:axes():line({ 0, 10 }, { 1, 1 }):band({ 0, 10 }, { 0, 0 }, { 2, 2 }, { alpha = .5 })
    local band, x, y = pick(fig, "polygon", "series")[1], by_ticks(fig, "x"), by_ticks(fig, "y")
    assert.equal("#1f77b480", band.color)
    local p, area = band.points, 0
    for i = 1, #p, 2 do
      local k = i + 2 > #p and 1 or i + 2
      area = area + (p[i] * p[k + 1] - p[k] * p[i + 1]) / 2
    end
    assert.near((x(10) - x(0)) * (y(0) - y(2)), math.abs(area), .1)
  end)

  it("break bands where a number is missing", function()
    local fig = plot.figure()
    fig:axes():band({ 1, 2, 3, 4, 5 }, { 0, 0, NAN, 0, 0 }, { 1, 1, 1, 1, 1 })
    assert.equal(2, #pick(fig, "polygon", "series"))
    assert.equal(1, fig.nan_count)
  end)

  it("draw rules from edge to edge, and make room for them", function()
    local fig = plot.figure()
    fig:axes():line{ 1, 2, 3 }:hline(5, { style = "--", label = "limit" }):vline{ 2, 2.5 }:legend()
    local rules, frame = pick(fig, "line", "rule"), pick(fig, "rect", "frame")[1]
    assert.equal(3, #rules)
    assert.near(by_ticks(fig, "y")(5), rules[1].points[2], .01)
    assert.same({ frame.x, frame.x + frame.w }, { rules[1].points[1], rules[1].points[3] })
    assert.same({ frame.y, frame.y + frame.h }, { rules[2].points[2], rules[2].points[4] })
    assert.same({ "limit" }, texts(fig, "legend"))
    fig:axes():ylim(0, 4)
    assert.equal(2, #pick(fig, "line", "rule")) -- the one at 5 is outside
  end)
end)

describe("texts", function()
  it("stand at their point, on the page, and not outside of the axes", function()
    local fig = plot.figure()
    fig:axes():line{ 1, 2, 3 }:text(2, 2, "here", { halign = "center", valign = "middle" })
    local p = pick(fig, "text", "text")[1]
    assert.near(by_ticks(fig, "x")(2), p.box.x + p.box.w / 2, 1)
    assert.near(by_ticks(fig, "y")(2), p.box.y + p.box.h / 2, 1.5)
    fig:axes():text(3, 3, "a long remark at the very edge of the axes, which would leave the page")
    local _, width = fig:drawlist()
    local q = pick(fig, "text", "text")[2].box
    assert.is_true(q.x >= 0 and q.x + q.w <= width)
    fig:axes():text(300, 3, "elsewhere")
    assert.equal(2, #pick(fig, "text", "text"))
    assert.error_matches(function() fig:axes():text(nil, 1, "x") end, "text: x: got nil")
  end)
end)

describe("heat maps", function()
  it("write black on light and white on dark cells", function()
    local fig = plot.figure()
    local m = { ramp(16, function(i) return i end), ramp(16, function(i) return i + 16 end) }
    fig:axes():heatmap(m, { annotate = "%d", cmap = "viridis" })
    local notes, image = pick(fig, "text", "note"), pick(fig, "image", "image")[1]
    assert.equal(32, #notes)
    for k, note in ipairs(notes) do
      assert.equal(tostring(k), note.text)
      local rgb = { image.bytes:byte(3 * k - 2, 3 * k) }
      local mine = contrast(rgb, note.color == "#ffffff" and 1 or 0)
      assert.is_true(mine >= contrast(rgb, note.color == "#ffffff" and 0 or 1))
      assert.is_true(mine >= 4.5)
      assert.near(image.x + ((k - 1) % 16 + .5) * image.w / 16, note.box.x + note.box.w / 2, 2)
    end
  end)

  it("name rows from the top and columns from the left", function()
    local fig = plot.figure()
    fig:axes():heatmap({ { 1, 2, 3 }, { 4, 5, 6 } }, { rows = { "r1", "r2" },
      cols = { "c1", "c2", "c3" }, annotate = function(v, i, j) return v .. ":" .. i .. j end })
    local rows, cols = pick(fig, "text", "ytick"), pick(fig, "text", "xtick")
    assert.same({ "r1", "r2" }, { rows[1].text, rows[2].text })
    assert.is_true(rows[1].y < rows[2].y and cols[1].x < cols[3].x)
    assert.equal("4:21", pick(fig, "text", "note")[4].text)
    assert_laid_out(fig)
  end)

  it("leave out notes that nobody could read, and say what is wrong", function()
    local fig = plot.figure{ width = 2, height = 2 }
    fig:axes():heatmap(lrn.rand(60, 60), { annotate = true })
    assert.equal(0, #pick(fig, "text", "note"))
    local ax = plot.figure():axes()
    assert.error_matches(function() ax:heatmap({ { 1 } }, { rows = { "a", "b" } }) end,
      "rows: got 2 names, expected 1")
    assert.error_matches(function() ax:heatmap({ { 1 } }, { annotate = "%y" }) end, "annotate: got")
    assert.error_matches(function() ax:heatmap{ 1, 2 } end, "got shape %[2%], expected %[h, w%]")
  end)

  it("show NaN as nothing, and do not stop at it", function()
    local fig = plot.figure()
    fig:axes():heatmap({ { 1, NAN }, { 3, INF } }, { annotate = "%d" })
    assert.equal(2, fig.nan_count)
    local bytes = pick(fig, "image", "image")[1].bytes
    assert.equal("\255\255\255", bytes:sub(4, 6))
    assert.equal(colors.map("viridis")[255], bytes:sub(10, 12))
  end)
end)

describe("colour bars", function()
  it("need limits in order, and make one of two that the data give", function()
    for name, draw in pairs{
      image = function(ax, opts) ax:image({ { 0, 1 } }, opts) end,
      heatmap = function(ax, opts) ax:heatmap({ { 0, 1 } }, opts) end,
      mosaic = function(ax, opts) ax:mosaic({ { 0, 1 } }, opts) end,
      scatter = function(ax, opts) ax:scatter({ 1, 2 }, { 1, 2 },
        { c = { 0, 1 }, vmin = opts.vmin, vmax = opts.vmax }) end,
    } do
      local function with(opts) return function() draw(plot.figure():axes(), opts) end end
      assert.error_matches(with{ vmin = 2, vmax = 1 }, name .. ": vmin: got 2, expected at most")
      assert.error_matches(with{ vmax = INF }, name .. ": vmax: got inf, expected a finite number")
      local fig = plot.figure()
      draw(fig:axes(), { vmin = 5 })
      fig:axes():colorbar()
      assert_laid_out(fig)
    end
  end)

  it("have labels that do not meet, however low they are", function()
    for _, height in ipairs{ .6, .7, .8, 1, 1.5, 2, 4, 10 } do
      local fig = plot.figure{ width = 6, height = height }
      fig:axes():image(lrn.rand(4, 60) - .5, { vmin = -.77, vmax = .77 }):axis(false):colorbar()
      local labels = pick(fig, "text", "colorbar tick")
      assert.is_true(#labels >= 2)
      for i = 2, #labels do
        assert.is_true(labels[i].box.y + labels[i].box.h < labels[i - 1].box.y, height)
      end
    end
    local _, test = lrn.data.digits()
    local model = { reconstruct = function(_, x) return 0, x * .5 end }
    for _, n in ipairs{ 4, 16, 40 } do
      assert_laid_out(plot.model.reconstructions(model, test, { n = n, tile = { 8, 8 } }))
    end
  end)
end)

describe("labels", function()
  it("of categories are broken, slanted, stood up or thinned, but never meet #slow", function()
    math.randomseed(23)
    local words = { "training", "test", "persistent", "a", "contrastive divergence", "k = 10",
                    "Ωμέγα", "temperature 0.5", "x" }
    local angles = {}
    for _ = 1, 60 do
      local names, seen = {}, {}
      for i = 1, math.random(1, 30) do
        names[i] = words[math.random(#words)] .. " " .. i
        if math.random() < .3 then names[i] = tostring(i) end
        seen[names[i]] = true
      end
      local fig = plot.figure{ width = math.random(3, 9), height = math.random(3, 6),
                               cols = math.random(1, 2) }
      local flat = math.random() < .3
      fig:axes(1, 1):bar(names, ramp(#names, function(i) return i % 5 end), { horizontal = flat })
        :title(("t "):rep(math.random(1, 40))):xlabel "x":ylabel(("y "):rep(math.random(1, 40)))
      assert_laid_out(fig)
      for _, p in ipairs(pick(fig, "text", "xtick")) do angles[p.angle] = true end
    end
    assert.same({ [0] = true, [45] = true, [90] = true }, angles)
  end)

  it("of all kinds lie well in random figures #slow", function()
    math.randomseed(24)
    local scales = { 1e-9, 1, 1e3, 1e12 }
    for _ = 1, 40 do
      local rows, cols = math.random(1, 2), math.random(1, 3)
      local fig = plot.figure{ width = 3 * cols + math.random(0, 3), height = 2.5 * rows + 1,
                               rows = rows, cols = cols, dpi = math.random(60, 200) }
      if math.random() < .5 then fig:suptitle "a title over all of it" end
      for r = 1, rows do
        for c = 1, cols do
          local ax, scale = fig:axes(r, c), scales[math.random(#scales)]
          local y = ramp(30, function(i) return scale * (10 + math.sin(i) + i / 9) end)
          local kind = math.random(6)
          if kind == 1 then ax:line(y, { label = "l" }):hline(y[1])
          elseif kind == 2 then ax:scatter(y, y, { c = y }):colorbar{ label = "value" }
          elseif kind == 3 then ax:hist(y)
          elseif kind == 4 then ax:line(y):yscale "log":hline(scale)
          elseif kind == 5 then ax:heatmap(lrn.rand(3, 4) * scale, { annotate = "%.1g" }):colorbar()
          else ax:image(lrn.rand(9, 5), { aspect = "auto" }):colorbar() end
          if math.random() < .7 then ax:title("panel " .. r .. c) end
          if math.random() < .7 then ax:xlabel "number of epochs":ylabel "squared error" end
          if math.random() < .3 and kind < 3 then ax:legend{ loc = "outside" } end
        end
      end
      assert_laid_out(fig)
    end
  end)

  it("are drawn smaller where they would not fit a small figure", function()
    math.randomseed(27)
    local kinds = {
      function(ax) ax:line({ 1, 2, 3 }, { 1e5, 2e5, -3e5 }) end,
      function(ax) ax:bar({ "one name", "two", "three names" }, { 1, 2, 3 }) end,
      function(ax) ax:image{ { 1, 2 }, { 3, 4 } }:colorbar{ label = "value" } end,
      function(ax) ax:line({ 1, 100 }, { 1, 1e4 }):yscale "log":xscale "log" end,
      function(ax) ax:heatmap({ { 1, 2 }, { 3, 4 } }, { rows = { "row 1", "row 2" } }) end,
    }
    for i = 1, 100 do
      local fig = plot.figure{ width = .8 + 2 * math.random(), height = .6 + 2 * math.random() }
      kinds[i % 5 + 1](fig:axes())
      if i % 2 == 0 then fig:axes():title "title here":xlabel "x label":ylabel "y label" end
      assert_laid_out(fig)
    end
  end)

  it("at ticks of your own are as given", function()
    local fig = plot.figure()
    fig:axes():line{ 1, 2, 3, 4 }:xticks({ 3, 1, 9 }, { "three", "one", "nine" }):yticks{}
    assert.same({ "one", "three" }, texts(fig, "xtick"))
    assert.same({}, texts(fig, "ytick"))
    fig:axes():yticks(lrn.tensor{ 1.5, -2.5, 2 })
    assert.same({ "1.5", "2" }, texts(fig, "ytick"))
    assert.error_matches(function() fig:axes():xticks({ 1 }, { "a", "b" }) end,
      "labels: got 2, expected a list of 1")
    assert.error_matches(function() fig:axes():xticks{ NAN } end, "finite")
  end)
end)

describe("legends", function()
  it("show lines, marks and areas of all kinds", function()
    local fig = plot.figure()
    fig:axes():line({ 1, 2 }, { label = "line" }):scatter({ 1 }, { 2 }, { label = "points" })
      :bar({ 1, 2 }, { label = "bars" }):band({ 1, 2 }, { 0, 0 }, { 1, 1 }, { label = "band" })
      :hline(1, { label = "rule" }):hist({ 1, 2 }, { label = "counts" }):legend()
    assert.same({ "line", "points", "bars", "band", "rule", "counts" }, texts(fig, "legend"))
    local kinds = {}
    for i, p in ipairs(pick(fig, nil, "legend handle")) do kinds[i] = p.kind end
    assert.same({ "line", "marks", "rect", "rect", "line", "rect" }, kinds)
  end)

  it("avoid marks and bars", function()
    local fig = plot.figure()
    fig:axes():bar({ 9, 9, 9, 1, 1, 1 }, { label = "bars" }):legend()
    local box, frame = pick(fig, "rect", "legend")[1], pick(fig, "rect", "frame")[1]
    assert.is_true(box.x > frame.x + frame.w / 2 and box.y < frame.y + frame.h / 2)
    fig = plot.figure()
    fig:axes():scatter(ramp(50, function(i) return i end), ramp(50, function(i) return 50 - i end),
      { label = "points" }):scatter({ 50 }, { 50 }):legend()
    box = pick(fig, "rect", "legend")[1]
    assert.is_true(box.y > frame.y + frame.h / 2 and box.x < frame.x + frame.w / 2)
  end)

  it("stand beside the axes, with room of their own", function()
    local fig = plot.figure()
    local ax = fig:axes():image(lrn.rand(5, 5)):colorbar{ label = "value" }
    for i = 1, 10 do ax:line({ i, 1 }, { 1, 2 }, { label = "class " .. i }) end
    ax:legend{ loc = "outside" }
    local box, frame = pick(fig, "rect", "legend")[1], pick(fig, "rect", "frame")[1]
    local label = pick(fig, "text", "colorbar label")[1].box
    assert.is_true(box.x > label.x + label.w and box.x > frame.x + frame.w)
    assert_laid_out(fig)
  end)

  it("break long labels instead of leaving the axes", function()
    local fig = plot.figure{ width = 4, height = 3 }
    fig:axes():line({ 1, 2 }, { label = ("a rather long label "):rep(6) }):legend()
    local box, frame = pick(fig, "rect", "legend")[1], pick(fig, "rect", "frame")[1]
    assert.is_true(box.x >= frame.x and box.x + box.w <= frame.x + frame.w)
    assert_laid_out(fig)
  end)
end)

describe("much data", function()
  -- The same figure with and without thinning.
  local function both(make)
    local path, points = thin.path, thin.points
    local thinned = pixels(make())
    thin.path = function(p) return p end
    thin.points = function(p, _, c, s) return p, c, s end
    local ok, whole = pcall(function() return (pixels(make())) end)
    thin.path, thin.points = path, points
    assert(ok, whole)
    return thinned, whole
  end

  it("is thinned without a change that one sees #slow", function()
    local n = 110000
    local y = ramp(n, function(i) return math.sin(i / 9000) + .3 * math.sin(i * i) end)
    local mean, off = difference(both(function()
      local fig = plot.figure{ width = 3, height = 2 }
      fig:axes():line(y)
      return fig
    end))
    assert.is_true(mean < 1 and off < .001, ("%g %g"):format(mean, off))
    math.randomseed(25)
    local x, c = {}, {}
    for i = 1, n do
      x[i], c[i] = math.random() + math.random() + math.random(), math.random(3)
    end
    mean, off = difference(both(function()
      local fig = plot.figure{ width = 3, height = 2 }
      fig:axes():scatter(x, y, { c = c, s = 9 })
      return fig
    end))
    assert.is_true(mean < 1 and off < .001, ("%g %g"):format(mean, off))
  end)

  it("makes small files", function()
    local n = 200000
    local fig = plot.figure()
    local x = ramp(n, function(i) return i / n end)
    fig:axes():line(x, x):scatter(x, ramp(n, function(i) return math.sin(i / n) end))
      :band(x, x, ramp(n, function() return 2 end))
    local points = 0
    for _, p in ipairs(pick(fig, nil, "series")) do points = points + #p.points / 2 end
    assert.is_true(points < 40000, points)
  end)
end)

describe("data at the edge of sense", function()
  -- Everything that is drawn has numbers for coordinates, and those of a size that cairo takes.
  local function assert_finite(fig)
    for _, p in ipairs(fig:drawlist()) do
      for _, v in ipairs(p.points or { p.x, p.y, p.w, p.h }) do
        assert.is_true(v == v and math.abs(v) < 1e6, p.kind .. " " .. tostring(v))
      end
    end
    assert_laid_out(fig)
    local surface <close> = fig:render()
  end

  it("is drawn: huge, tiny, constant, single, none, infinite", function()
    for _, data in ipairs{
      { -1e308, 1e308, 0 }, { 1e308, 1.7e308 }, { 1e-300, 2e-300 }, { 0, 5e-324 },
      { 1e15, 1e15 + 1 }, { 7 }, { 7, 7 }, {}, { NAN }, { INF, -INF, 1 }, { 0, 0 }, { -1e-9, 1e9 },
      { math.mininteger, math.maxinteger }, { math.mininteger },
    } do
      local n = #data
      local index = ramp(n, function(i) return i end)
      for name, draw in pairs{
        line = function(ax) ax:line(data) end,
        swapped = function(ax) ax:line(data, index) end,
        scatter = function(ax) ax:scatter(index, data) end,
        values = function(ax)
          if n > 0 then ax:scatter(index, index, { c = data, cmap = "gray" }) end
        end,
        bar = function(ax) ax:bar(data) end,
        error = function(ax) ax:bar(data, { err = .5, horizontal = true }) end,
        hist = function(ax) ax:hist(data) end,
        step = function(ax) ax:hist(data, { style = "step", log = true, bins = "fd" }) end,
        band = function(ax) ax:band(index, data, data) end,
        rule = function(ax) ax:hline(data):vline(data) end,
        log = function(ax) ax:line(data):yscale "log" end,
        image = function(ax) if n > 0 then ax:image{ data }:colorbar() end end,
        heat = function(ax) if n > 0 then ax:heatmap({ data }, { annotate = true }) end end,
      } do
        local fig = plot.figure{ width = 3, height = 2 }
        local ok, message = pcall(function()
          draw(fig:axes())
          assert_finite(fig)
        end)
        assert(ok, ("%s of {%s}: %s"):format(name, table.concat(data, ", "), tostring(message)))
      end
    end
  end)

  it("and arguments of any kind are refused in the function's name, or drawn", function()
    local closed = lrn.zeros(3)
    closed:close()
    local junk = { 1, 0, -1, 2 ^ 63, NAN, INF, -1e308, "x", "", "log", true, false, {}, { 1, 2, 3 },
      { "a", "b", "c" }, { { 1, 2 }, { 3, 4 } }, { 1, "a" }, { {} }, lrn.zeros(3), lrn.zeros(2, 2),
      lrn.zeros(0), closed, print, { x = 1 }, { label = "x" }, { label = {} }, { color = 3 },
      { bins = -1 }, { bins = {} }, { c = { 1, 2, 3 } }, { c = {} }, { s = "a" }, { err = "x" },
      { rows = { 1 } }, { annotate = "%s%s" }, { width = 1e308 }, { size = 1e308 }, { alpha = 2 },
      { range = { 1 } }, { vmin = "a" }, math.mininteger, ("x"):rep(10000), { 1e308, -1e308 },
      { NAN }, n = 60 } -- the rest is nil
    local methods = {}
    for name, f in pairs(getmetatable(plot.figure():axes()).__index) do
      if type(f) == "function" and not name:find "^_" and name ~= "composed" then
        methods[#methods + 1] = name
      end
    end
    table.sort(methods)
    math.randomseed(26)
    for _ = 1, 2000 do
      local fig = plot.figure{ width = 3, height = 2 }
      local ax, said = fig:axes(), {}
      for _ = 1, 3 do
        local name, args, n = methods[math.random(#methods)], {}, math.random(0, 4)
        for k = 1, n do args[k] = junk[math.random(junk.n)] end
        local ok, message = pcall(ax[name], ax, table.unpack(args, 1, n))
        said[#said + 1] = name
        if not ok then
          assert.is_truthy(message:find(name .. ": ", 1, true) or message:find "tensor was closed",
            name .. " says " .. message)
        end
      end
      local ok, message = pcall(fig.drawlist, fig)
      assert(ok, table.concat(said, ", ") .. ": " .. tostring(message))
    end
  end)

  it("far outside of the limits is drawn as it goes there", function()
    local fig = plot.figure()
    fig:axes():line({ 0, 1, 2 }, { 0, 1e30, 0 }):ylim(0, 1)
    local lines, x = pick(fig, "line", "series"), by_ticks(fig, "x")
    assert.equal(2, #lines)
    for _, p in ipairs(lines) do -- the way up is at 0, the way down at 2
      assert.near(p.points[1], p.points[3], 1e-3)
    end
    assert.near(x(0), lines[1].points[1], .01)
    assert.near(x(2), lines[2].points[1], .01)
    assert_finite(fig)
  end)
end)

describe("SVG files", function()
  local function save(fig)
    local name = support.path(".svg", finally)
    assert(fig:save(name))
    return name, support.read(name)
  end

  it("hold their labels as text, each with its length", function()
    local fig = plot.figure()
    fig:axes():line({ 1, 2 }, { label = "a < b & \"c\"" }):legend():title "Ünïcode\nsecond line"
      :xlabel "bad \255 byte, \1 control":ylabel "upright"
    local _, text = save(fig)
    for _, label in ipairs{ "a &lt; b &amp; &quot;c&quot;", ">Ünïcode<", ">second line<",
                            ">upright<", "bad \u{fffd} byte, \u{fffd} control" } do
      assert.is_truthy(text:find(label, 1, true), label)
    end
    assert.is_truthy(text:find('<svg xmlns="http://www.w3.org/2000/svg" width="460.8pt"', 1, true))
    for length in text:gmatch 'textLength="([^"]*)"' do assert.is_true(tonumber(length) > 0) end
    assert.equal(utf8.len(text), utf8.len(text)) -- raises no error: it is UTF-8
    assert.is_truthy(utf8.len(text))
  end)

  it("look as PNG files do, to another program", function()
    if not os.execute "command -v rsvg-convert >/dev/null 2>&1" then
      pending "rsvg-convert is not installed"
      return
    end
    local cairo = require "lrn.plot.cairo"
    local fig = plot.figure{ rows = 2, cols = 2, width = 8, height = 6 }
    fig:axes(1, 1):line({ 1, 3, 2 }, { marker = "o", style = "--", label = "line" }):legend():grid()
      :title "A title":ylabel "upright"
    fig:axes(1, 2):scatter({ 1, 2, 3 }, { 1, 3, 2 }, { c = { 1, 2.5, 3 }, s = 200, alpha = .5 })
      :colorbar():xlim(1.5, 3.5)
    fig:axes(2, 1):bar({ "one rather long name", "another rather long name", "the third one" },
      { 3, 1, 2 }, { err = .3 })
    fig:axes(2, 2):mosaic({ { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 1 } }, { cmap = "viridis" })
    local name = save(fig)
    local other = support.path(".png", finally)
    assert.is_true(os.execute(("rsvg-convert -w 800 -o '%s' '%s'"):format(other, name)))
    local surface <close> = assert(cairo.read_png(other))
    local theirs, ours = surface:tobytes(), pixels(fig)
    local mean = difference(ours, theirs)
    assert.is_true(mean < 3, mean) -- their lines are not on whole pixels
  end)
end)

describe("the binding of files", function()
  it("reads the PNG files that it writes, and encodes as RFC 4648 says", function()
    local cairo, base64 = require "lrn.plot.cairo", require "lrn.plot.base64"
    local surface <close> = cairo.image_surface(3, 2)
    cairo.context(surface):set_source_rgba(1, 0, .2):rectangle(0, 0, 2, 1):fill()
    local name = support.path(".png", finally)
    assert.is_true(cairo.write_file(name, surface:topng()))
    local other <close> = assert(cairo.read_png(name))
    assert.equal(surface:tobytes(), other:tobytes())
    assert.same({ nil, "read_png: /none.png: No such file or directory", "EIO" },
      { cairo.read_png "/none.png" })
    assert.is_true(cairo.write_file(name, "no picture"))
    local none, message = cairo.read_png(name)
    assert.is_nil(none)
    assert.matches("not a PNG file", message)
    for text, code in pairs{ [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
                             fooba = "Zm9vYmE=", foobar = "Zm9vYmFy", ["\255\254\0"] = "//4A" } do
      assert.equal(code, base64.encode(text))
    end
  end)
end)
