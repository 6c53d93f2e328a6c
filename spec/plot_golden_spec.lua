-- lrn.plot: small pictures of all kinds, compared with those in spec/golden/ that a person has
-- looked at: the mean difference is below 1/255, and at most 0.1 % of the pixels are off by over 32.
-- Text is not hinted, so that versions of the font libraries agree.
--
-- After a change that is meant to be seen: LRN_UPDATE_GOLDEN=1 rewrites the pictures. Look at them.
-- A failure leaves build/golden/NAME.png: what was expected, what came, and where they differ.
local cairo = require "lrn.plot.cairo"
local plot = require "lrn.plot"
local support = dofile "spec/support/figures.lua"

local ramp = support.ramp
local FOLDER, FAILED = "spec/golden", "build/golden"

-- Repeatable and alike everywhere: no matrix product, no training.
local function wave(n, period, shift)
  return ramp(n, function(i) return math.sin(i / period + (shift or 0)) end)
end
local WEIGHTS = ramp(64, function(i)
  return ramp(15, function(k)
    local x, y = (i - 1) % 8 - 3.5, (i - 1) // 8 - 3.5
    return math.sin(x * math.cos(k) + y * math.sin(k)) * math.exp(-(x * x + y * y) / (6 + k))
  end)
end)

-- Name, options of the figure, what is drawn on axes (1, 1).
local CASES = {
  { "line", {}, function(ax)
    ax:line(wave(50, 5), { label = "a" }):line(wave(50, 9), { label = "b", style = "--" })
      :title "two waves":xlabel "x":ylabel "y":legend():grid()
  end },
  { "styles", {}, function(ax)
    for i, style in ipairs{ "-", "--", "-.", ":", "none" } do
      ax:line({ i, i + 1, i }, { style = style, marker = ({ "o", "s", "^", "x", "+" })[i] })
    end
  end },
  { "gaps", {}, function(ax) ax:line{ 1, 2, 0 / 0, 3, math.huge, 2, 1, 0 / 0 } end },
  { "offset", {}, function(ax) ax:line({ 1e9, 1e9 + 2, 1e9 + 3 }, { 2e-7, 1e-7, 3e-7 }) end },
  { "band", {}, function(ax)
    local x, y = ramp(30, function(i) return i / 3 end), wave(30, 4)
    ax:line(x, y):band(x, ramp(30, function(i) return y[i] - .3 end),
      ramp(30, function(i) return y[i] + i / 40 end)):hline(0, { style = ":" }):vline(5)
      :text(5, -.8, "here", { dx = 3 })
  end },
  { "log", {}, function(ax)
    ax:line({ 1, 1e2, 1e4 }, { 1e-3, 1, 20 }, { marker = "o" }):xscale "log":yscale "log":grid()
  end },
  { "log_short", {}, function(ax) ax:line({ 2, 30 }, { 101, 104 }):xscale "log":yscale "log" end },
  { "scatter", {}, function(ax)
    ax:scatter(wave(60, 3), wave(60, 7), { c = ramp(60, function(i) return i % 3 end), s = 16 })
      :legend{ loc = "outside" }
  end },
  { "values", {}, function(ax)
    ax:scatter(wave(60, 3), wave(60, 7), { c = wave(60, 11), s = ramp(60, function(i) return i end),
      alpha = .6 }):colorbar{ label = "phase" }
  end },
  { "bar", {}, function(ax)
    ax:bar({ "one", "two", "three" }, { { 3, -1, 2 }, { 2, 1, 2.5 } }, { err = .4,
      label = { "p", "q" } }):legend()
  end },
  { "horizontal", {}, function(ax)
    ax:bar({ "a long name", "short", "x" }, { 5, 3, 1 }, { horizontal = true, color = "C3" })
  end },
  { "slanted", {}, function(ax)
    ax:bar({ "Bernoulli", "Gaussian", "rectified", "softmax", "truncated" }, { 1, 2, 3, 2, 1 })
  end },
  { "upright", {}, function(ax)
    ax:bar(ramp(30, function(i) return "unit " .. i end), ramp(30, function(i) return i % 7 end))
  end },
  { "hist", {}, function(ax)
    ax:hist({ wave(300, 7), wave(200, 11, 1) }, { bins = 12, label = { "p", "q" } }):legend()
  end },
  { "hist_step", {}, function(ax)
    ax:hist(ramp(400, function(i) return (i % 20) ^ 2 end),
      { style = "step", log = true, bins = 16 })
  end },
  { "image", {}, function(ax)
    ax:image(ramp(12, function(i) return ramp(16, function(k) return i * k % 17 end) end))
      :colorbar()
  end },
  { "rgb", {}, function(ax)
    ax:image(ramp(4, function(i)
      return ramp(6, function(k) return { 60 * i, 40 * k, 128 } end)
    end))
  end },
  { "heatmap", {}, function(ax)
    ax:heatmap({ { 9, 1, 0 }, { 2, 7, 1 }, { 0, 3, 8 } }, { annotate = "%d",
      rows = { "a", "b", "c" }, cols = { "a", "b", "c" } }):ylabel "true":xlabel "predicted"
  end },
  { "mosaic", {}, function(ax)
    ax:mosaic(WEIGHTS, { scale = "symmetric", cmap = "bwr", cols = 5 }):colorbar():title "filters"
  end },
  { "constant", {}, function(ax) ax:line{ 5, 5, 5 }:title "5" end },
  { "empty", {}, function(ax) ax:line{}:xlabel "nothing" end },
  { "low_bar", { height = "fit" }, function(ax)
    ax:mosaic(WEIGHTS, { scale = "all", cols = 15 }):colorbar()
  end },
  { "titles", {}, function(ax)
    ax:line{ 1, 2 }:title("left", { loc = "left" })
      :title("a grey remark", { loc = "right", size = 8, color = "gray" }):ylabel "a label so long that it has to be broken into lines"
  end },
}

local function figure_of(case)
  local opts = { width = 3, height = 2, dpi = 80 }
  for name, value in pairs(case[2]) do opts[name] = value end
  local fig = plot.figure(opts)
  case[3](fig:axes())
  return fig
end

-- Mean difference in 1/255, and the part of the pixels that are off by more than 32 in a channel.
local function compare(a, b)
  local sum, off = 0, 0
  for i = 1, #a, 4 do
    local r1, g1, b1 = a:byte(i, i + 2)
    local r2, g2, b2 = b:byte(i, i + 2)
    local r, g, bl = math.abs(r1 - r2), math.abs(g1 - g2), math.abs(b1 - b2)
    sum = sum + r + g + bl
    if math.max(r, g, bl) > 32 then off = off + 1 end
  end
  return sum / (3 * #a / 4), off / (#a / 4)
end

-- Expected, actual and their difference side by side.
local function write_difference(name, wanted, surface)
  os.execute("mkdir -p " .. FAILED)
  local w, h = surface:size()
  w, h = math.tointeger(w), math.tointeger(h)
  local a, b, parts = wanted:tobytes(), surface:tobytes(), {}
  local same_size = #a == #b
  for i = 1, same_size and #a or 0, 4 do
    local r1, g1, b1 = a:byte(i, i + 2)
    local r2, g2, b2 = b:byte(i, i + 2)
    parts[#parts + 1] = string.char(255 - math.abs(r1 - r2), 255 - math.abs(g1 - g2),
      255 - math.abs(b1 - b2))
  end
  local sheet <close> = cairo.image_surface(3 * w + 20, h)
  local context <close> = cairo.context(sheet)
  local ww, wh = wanted:size()
  ww, wh = math.tointeger(ww), math.tointeger(wh)
  context:set_source_rgba(.5, .5, .5):paint()
  context:draw_image(a, ww, wh, 4, 0, 0, ww, wh)
  context:draw_image(b, w, h, 4, w + 10, 0, w, h)
  if same_size then context:draw_image(table.concat(parts), w, h, 3, 2 * w + 20, 0, w, h) end
  assert(sheet:write_to_png(("%s/%s.png"):format(FAILED, name)))
end

describe("the golden picture", function()
  local update = os.getenv "LRN_UPDATE_GOLDEN"
  update = update and update ~= "" and update ~= "0"

  -- Where another font stands in for DejaVu Sans nothing can be alike.
  local font = io.popen("fc-match 'DejaVu Sans' 2>/dev/null"):read "a"
  local missing = font ~= "" and not font:find("DejaVu Sans", 1, true)

  for _, case in ipairs(CASES) do
    it("of " .. case[1], function()
      if missing then
        pending "DejaVu Sans is not installed"
        return
      end
      local fig = figure_of(case)
      local name = ("%s/%s.png"):format(FOLDER, case[1])
      if update then assert(fig:save(name)) end
      local wanted <close> = assert(cairo.read_png(name))
      local surface <close> = fig:render()
      local a, b = wanted:tobytes(), surface:tobytes()
      local mean, off = math.huge, 1
      if #a == #b then mean, off = compare(a, b) end
      if mean >= 1 or off > .001 then write_difference(case[1], wanted, surface) end
      assert.is_true(mean < 1 and off <= .001,
        ("mean difference %.3f, %.2f %% of pixels differ; see %s/%s.png"):format(mean, 100 * off,
          FAILED, case[1]))
      support.assert_laid_out(fig)
    end)
  end

  it("is one of a case, and every case has one", function()
    local names, found = {}, {}
    for i, case in ipairs(CASES) do names[i] = case[1] .. ".png" end
    for line in support.capture("ls " .. FOLDER):gmatch "[^\n]+" do found[#found + 1] = line end
    table.sort(names)
    table.sort(found)
    assert.same(names, found)
  end)

  it("would not pass for another one", function()
    local a <close> = figure_of(CASES[1]):render()
    local b <close> = (function()
      local fig = figure_of(CASES[1])
      fig:axes():title "two waver" -- a letter
      return fig
    end)():render()
    local mean, off = compare(a:tobytes(), b:tobytes())
    assert.is_true(mean >= 1 or off > .001)
  end)
end)

describe("the gallery", function()
  it("is the page that its script writes", function()
    local first = 0
    while arg[first - 1] do first = first - 1 end
    local command = ("'%s' scripts/gallery.lua --page"):format(os.getenv "LRN_BIN" or arg[first])
    assert.equal(support.read "docs/plots.md", support.capture(command))
    for name in support.read "docs/plots.md":gmatch "%((pictures/[^)]+)%)" do
      local surface <close> = assert(cairo.read_png("docs/" .. name))
    end
  end)
end)
