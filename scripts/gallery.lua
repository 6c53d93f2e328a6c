--- The gallery of plots: draws the pictures of docs/pictures/plots/ and writes docs/plots.md, in
-- which each stands beside the code that drew it. From the repository's folder:
--
--     build/release/lrn scripts/gallery.lua          -- all of it
--     build/release/lrn scripts/gallery.lua --page   -- the page alone, on standard output
--
-- A row is { name of the picture, heading, what to know about it, code }. The code is shown as it
-- is run; it ends by saving `fig`, or by showing it.
local cairo = require "lrn.plot.cairo"
local cells = require "lrn.plot.cells"
local figures = require "lrn.plot.figure"
local lrn = require "lrn"

local opt = lrn.cli.parse {
  about = "Draws the gallery of plots and writes docs/plots.md.",
  { "page", "boolean", false, "print the page and draw nothing" },
  { "out", "string", "docs", "folder of the page" },
}

local INTRO = [[
# Plots

Figures are drawn by cairo and pango: no display is needed, nothing is loaded before the first
plot, and the same program gives the same bytes. The habits are matplotlib's: 6.4 x 4.8 inches at
100 dpi, DejaVu Sans 10, sizes in points, the tab10 colours, viridis. Numbers come as tensors or as
lists. Every call takes its options in one table and returns its axes, so that calls chain:

```lua
local fig = lrn.plot.figure{ width = 6.4, height = 4.8, cols = 2 }
fig:axes(1, 1):line({ 3, 2, 1.5 }, { label = "train" }):xlabel "epoch":ylabel "error":legend()
fig:axes(1, 2):hist(lrn.randn(1000), { bins = "fd" }):title "weights":grid()
fig:save "figure.png" -- or .svg, .pdf
```

`lrn.help "Axes.line"` and its like tell all options. This page is written by
`scripts/gallery.lua`; its code runs as it stands.

]]

local OUTRO = [[
## What holds for all of them

* **Files.** The ending says the format: `.png` (`fig:save("a.png", { dpi = 300 })`), `.svg`,
  `.pdf`. Text stays text in SVG and PDF: it can be searched and copied. A file appears under its
  name when it is complete. Where it cannot be written, `save` returns nil, a message and a code.
  A PDF carries a date only where `SOURCE_DATE_EPOCH` gives one.
* **Room.** Labels are measured before the axes are placed, so none is cut and none meets another:
  numbers get fewer ticks; names are broken, slanted, stood up, and then only some of them shown;
  a colour bar has as many labels as it has room for; a legend goes where it hides least.
* **Numbers that are none.** NaN and infinities break a line and are left out elsewhere, and a
  logarithmic axis leaves out what is not positive; `fig.nan_count` says how many, and a warning
  does (`warn "@on"`). Constant data get half a unit on both sides, no data give empty axes.
* **Much data.** More points than there are pixels are thinned so that the picture stays the same:
  a line to its extremes in each quarter of a pixel, opaque marks to those that are not covered.
* **Colours.** `"C0"` to `"C9"`, `"#rrggbb"`, `"#rrggbbaa"`, `{r, g, b, a}` in 0..1, or a name such
  as `"red"`. Colour maps: `"viridis"`, `"gray"`, `"bwr"` (blue, white, red, for numbers with a
  sign), each also with `_r` behind it, reversed.
* **Specs.** `fig:drawlist()` is the list of all that is drawn, with places in pixels;
  `fig:render()` is a surface whose pixels can be read.
]]

local ROWS = {

{ "line", "Lines", [[
`y` alone, or `x` and `y`; one call a series. Ticks of an axis of counted things, such as epochs,
are whole numbers.]], [[
local train, test = {}, {}
for epoch = 1, 40 do
  train[epoch] = 20 + 60 * math.exp(-epoch / 6)
  test[epoch] = 26 + 58 * math.exp(-epoch / 7) + epoch / 8
end
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():line(train, { label = "train" }):line(test, { label = "validation", style = "--" })
  :xlabel "epoch":ylabel "squared error":grid():legend()
fig:save "line.png"
]] },

{ "errors", "Error bars and markers", [[
`err` is half of a bar: a number, or one a point.]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():line({ 1, 2, 5, 10, 20 }, { -112, -104, -99.5, -97, -96 },
    { err = { 3, 2.2, 1.6, 1.2, 1 }, marker = "o", label = "CD-k" })
  :line({ 1, 2, 5, 10, 20 }, { -103, -100, -97, -95.8, -95.5 },
    { err = 1.2, marker = "s", label = "PCD-k" })
  :xlabel "sweeps k":ylabel "log-likelihood":legend{ loc = "lower right" }
fig:save "errors.png"
]] },

{ "band", "Bands, rules, texts", [[
A band has the colour of the last line. A text stands at a point of the data, moved by `dx` and `dy`
points.]], [[
local x, mean, lo, hi = {}, {}, {}, {}
for i = 1, 60 do
  x[i] = i / 6
  mean[i] = 4 * (1 - math.exp(-x[i] / 2.5))
  lo[i], hi[i] = mean[i] - 1.5 / x[i] ^ .5, mean[i] + 1.5 / x[i] ^ .5
end
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():line(x, mean, { label = "estimate" }):band(x, lo, hi, { label = "3 sigma" })
  :hline(4, { style = "--", label = "exact" }):vline(6, { style = ":" })
  :text(6, 1.2, "burn-in ends", { dx = 4 })
  :xlabel "time":ylabel "log Z":legend{ loc = "lower right" }
fig:save "band.png"
]] },

{ "log", "Logarithmic axes", [[
Decades with minor ticks at 2 to 9; 1, 2, 5 where there are fewer than two decades. What is not
positive has no place on such an axis and is counted.]], [[
local n, naive, blocked = {}, {}, {}
for i = 0, 12 do
  n[i + 1] = 16 * 2 ^ i
  naive[i + 1] = 1e-9 * n[i + 1] ^ 2
  blocked[i + 1] = 4e-7 * n[i + 1] ^ 1.1
end
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():line(n, naive, { label = "n²", marker = "o", size = 4 })
  :line(n, blocked, { label = "n^1.1", marker = "s", size = 4 })
  :xscale "log":yscale "log":xlabel "n":ylabel "seconds":grid():legend()
fig:save "log.png"
]] },

{ "ticks", "Limits and ticks of your own", [[
`xlim` and `ylim` set the limits, a greater first one turns the axis round. `xticks` and `yticks` put
ticks where you want them, with labels or without.]], [[
local x = lrn.linspace(-math.pi, math.pi, 200)
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():line(x, x:cos()):line(x, x:sin()):xlim(-math.pi, math.pi):ylim(-1.2, 1.2)
  :xticks({ -math.pi, -math.pi / 2, 0, math.pi / 2, math.pi }, { "−π", "−π/2", "0", "π/2", "π" })
  :yticks{ -1, 0, 1 }:grid()
fig:save "ticks.png"
]] },

{ "scatter", "Scatters of classes", [[
`c` holds a class a point: names, or up to 20 whole numbers. Each has its colour, and its entry in
the legend.]], [[
local train = lrn.data.digits()
local x = train:tensor():view(#train, 64):to "float32" / 255
local function mean_of(class)
  return x:index_select(1, train.targets:eq(class):nonzero():flatten()):mean(1)
end
local zero, one, four = mean_of(1), mean_of(2), mean_of(5)
local wanted = train.targets:eq(1):logical_or(train.targets:eq(2)):logical_or(train.targets:eq(5))
local chosen = wanted:nonzero():flatten()
local some = x:index_select(1, chosen)
local names = {}
for i, class in ipairs(train.targets:index_select(1, chosen):tolist()) do
  names[i] = "digit " .. class - 1
end
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():scatter(some:mv(zero - one), some:mv(four - one), { c = names, s = 14, alpha = .6 })
  :xlabel "towards 0 from 1":ylabel "towards 4 from 1":legend()
fig:save "scatter.png"
]] },

{ "values", "Scatters of values", [[
Other numbers in `c` go through a colour map, and `s` may give each mark its area.]], [[
lrn.manual_seed(3)
local x, y = lrn.randn(150), lrn.randn(150)
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():scatter(x, y, { c = x * x + y * y, s = 10 + 60 * (x * y):abs(), alpha = .8 })
  :colorbar{ label = "squared distance" }
fig:save "values.png"
]] },

{ "bar", "Bars", [[
Names or numbers, one series or several, with error bars.]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():bar({ "CD-1", "CD-10", "PCD-1" }, { { 41, 33, 30 }, { 44, 37, 36 } },
    { label = { "train", "test" }, err = 1.5 })
  :ylabel "squared error":legend()
fig:save "bar.png"
]] },

{ "names", "Long names", [[
Names that do not fit are broken into lines, then slanted, then stood up.]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():bar({ "Bernoulli", "Gaussian", "rectified linear", "softmax", "replicated softmax",
    "truncated exponential", "beta", "von Mises" }, { 4, 6, 5, 3, 7, 2, 4, 1 })
  :ylabel "models"
fig:save "names.png"
]] },

{ "horizontal", "Horizontal bars", [[
The first name is on top.]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():bar({ "matrix products", "sampling", "random numbers", "update", "copies", "the rest" },
    { 58, 17, 11, 8, 4, 2 }, { horizontal = true, color = "C2" })
  :xlabel "part of an epoch, %"
fig:save "horizontal.png"
]] },

{ "hist", "Histograms", [[
Series share their bins: a number of them, their edges, or a rule ("auto", "fd", "sturges").
`density` makes the area 1.]], [[
lrn.manual_seed(1)
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():hist({ lrn.randn(4000), lrn.randn(1500) * .6 + 2.2 },
    { bins = "fd", density = true, label = { "data", "samples" } })
  :xlabel "free energy":ylabel "density":legend()
fig:save "hist.png"
]] },

{ "steps", "Histograms as outlines", [[
`style = "step"` draws outlines, `log` counts on a logarithmic axis, so that the tails of weights
show.]], [[
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .1, seed = 1 }
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
local ax = fig:axes():xlabel "weight":ylabel "count"
for _, epochs in ipairs{ 10, 10, 20 } do
  rbm:fit((lrn.data.digits()), { epochs = epochs, batch_size = 50, progress = false })
  ax:hist(rbm.W, { bins = 60, range = { -1, 1 }, style = "step", log = true,
                   label = "epoch " .. #rbm.history.mse })
end
ax:legend()
fig:save "steps.png"
]] },

{ "image", "Images", [[
A matrix through a colour map, or h x w x 3 as RGB. Row 1 is on top; pixels are square unless
`aspect = "auto"`.]], [[
local t = lrn.linspace(-3, 3, 61)
local wave = (t * t):sin():outer(t:cos())
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
fig:axes():image(wave, { cmap = "bwr", vmin = -1, vmax = 1 }):colorbar{ label = "amplitude" }
fig:save "image.png"
]] },

{ "heatmap", "Heat maps", [[
Names of rows and columns, and the numbers in the cells, black or white by luminance.]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.6 }
fig:axes():heatmap({ { 96, 0, 3, 1 }, { 0, 91, 2, 7 }, { 5, 1, 88, 6 }, { 0, 9, 4, 87 } },
    { annotate = "%d", rows = { "zero", "one", "two", "three" },
      cols = { "zero", "one", "two", "three" } })
  :xlabel "predicted":ylabel "true class":colorbar{ label = "%" }
fig:save "heatmap.png"
]] },

{ "mosaic", "Mosaics", [[
Images as tiles of one: the columns of a matrix, or n x h x w. Every tile on its own scale, or all
on one ("all", "symmetric").]], [[
local train = lrn.data.digits()
local fig = lrn.plot.figure{ width = 4.8, height = "fit" }
fig:axes():mosaic(train.data:narrow(1, 1, 60),
    { cols = 15, cmap = "gray_r", background = "#b0c4de" })
  :title("the first 60 digits", { loc = "left" })
fig:save "mosaic.png"
]] },

{ "outside", "A legend outside", [[
`loc`: "best" (it hides least), a corner such as "upper left", or "outside".]], [[
local fig = lrn.plot.figure{ width = 4.8, height = 3.2 }
local ax = fig:axes():xlabel "temperature":ylabel "energy":legend{ loc = "outside" }
for class = 0, 9 do
  local y = {}
  for i = 1, 20 do y[i] = -50 - 6 * class + (4 + class / 3) * i ^ .8 end
  ax:line(y, { label = "digit " .. class })
end
fig:save "outside.png"
]] },

{ "grid", "Several axes", [[
A figure is a grid of axes, which `fig:axes(row, column)` gives. Margins follow the labels.]], [[
local x = lrn.linspace(.1, 10, 100)
local fig = lrn.plot.figure{ width = 6.4, height = 4.4, rows = 2, cols = 2 }
fig:suptitle "four views"
fig:axes(1, 1):line(x, x:sin()):title("sin x", { loc = "left" }):grid()
fig:axes(1, 2):line(x, x:exp()):yscale "log":title("exp x", { loc = "left" }):grid()
fig:axes(2, 1):line(x, x * 1e-6):title("small", { loc = "right" }):xlabel "x"
fig:axes(2, 2):line(x, x + 123456):title("far from 0", { loc = "right" }):xlabel "x"
fig:save "grid.png"
]] },

{ "plot", "Curves in one call", [[
`lrn.plot.plot` is Learnergy's call: series, labels, title and subtitle.]], [[
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 32, learning_rate = .1, seed = 1 }
rbm:fit((lrn.data.digits()), { epochs = 50, batch_size = 50, progress = false })
local fig = lrn.plot.plot(rbm.history.mse, { labels = "MSE", title = "Convergence",
  subtitle = "RBM, 64 visible, 32 hidden", ylabel = "squared error" })
fig:save("plot.png", { dpi = 70 })
]] },

{ "filters", "Filters of a model", [[
`lrn.plot.model.filters`: the columns of W, each on its own scale or all on one.]], [[
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .1, seed = 1 }
rbm:fit((lrn.data.digits()), { epochs = 40, batch_size = 50, progress = false })
local fig = lrn.plot.model.filters(rbm, { scale = "symmetric", cmap = "bwr", cols = 12,
  width = 4.8 })
fig:save "filters.png"
]] },

{ "reconstructions", "Reconstructions", [[
`lrn.plot.model.reconstructions`: inputs, what the model makes of them, and the difference.]], [[
local train, test = lrn.data.digits()
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .1, seed = 1 }
rbm:fit(train, { epochs = 40, batch_size = 50, progress = false })
local fig = lrn.plot.model.reconstructions(rbm, test, { n = 12, width = 6, tile = { 8, 8 } })
fig:save "reconstructions.png"
]] },

{ "histograms", "Parameters and their steps", [[
`lrn.plot.model.histograms`. The titles say how large the last step was, compared to the parameter:
about 1e-3 is right for W. `updates` adds the steps themselves, `log` makes the counts
logarithmic.]], [[
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .1, seed = 1 }
rbm:fit((lrn.data.digits()), { epochs = 20, batch_size = 50 })
local fig = lrn.plot.model.histograms(rbm, { updates = true, width = 8 })
fig:save "histograms.png"
]] },

{ "activations", "Hidden units", [[
`lrn.plot.model.activations`: a row a unit, a column a case. Units that are off or on for all cases
are marked; they carry nothing.]], [[
local train, test = lrn.data.digits()
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .2, seed = 1 }
rbm:fit(train, { epochs = 20, batch_size = 10 })
local fig = lrn.plot.model.activations(rbm, test)
fig:save "activations.png"
]] },

{ "chains", "Chains", [[
`lrn.plot.model.chains`: fantasy particles, a row a chain, from left to right in time; from the
biases, or from cases, which then are the first column.]], [[
local train, test = lrn.data.digits()
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 48, learning_rate = .1, seed = 1 }
rbm:fit(train, { epochs = 40, batch_size = 50 })
local fig = lrn.plot.model.chains(rbm, { start = test, n = 6, every = 5 })
fig:save "chains.png"
]] },

{ "gap", "The gap of free energies", [[
`lrn.plot.model.free_energy_gap`: a gap between training and validation that grows is over-fitting.
Over epochs where the history has `free_energy` and `val_free_energy`, as here by a callback; as
distributions where data are given.]], [[
local digits, test = lrn.data.digits()
local train = digits:subset(lrn.arange(1, 200))
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 64, learning_rate = .2, seed = 1 }
rbm:fit(train, { epochs = 60, batch_size = 20, callback = function(model, epoch)
  model.history:record(epoch, { free_energy = model:energy(train):mean(),
                                val_free_energy = model:energy(test):mean() })
end })
local fig = lrn.plot.model.free_energy_gap(rbm, train, test)
fig:save "gap.png"
]] },

{ "tensor", "Tensors as pictures", [[
`lrn.plot.save_tensor` writes every value as a pixel, or as `zoom` x `zoom`: h x w, h x w x 3,
3 x h x w, and several images as tiles. Bytes keep their grey, numbers in 0..1 theirs, others go from
the least to the greatest, unless `scale`, `vmin` and `vmax` say otherwise. `lrn.plot.show_tensor`
shows the same in the terminal.]], [[
local x = lrn.linspace(0, 1, 96)
local ones = lrn.ones(48)
local rgb = lrn.stack({ ones:outer(x), lrn.linspace(0, 1, 48):outer(lrn.ones(96)),
  ones:outer(1 - x) }, 1)
lrn.plot.save_tensor(rgb, "tensor.png", { zoom = 3 })
]] },

{ "terminal", "In the terminal", [[
`fig:show()` draws where you are: a picture on kitty, iTerm2, WezTerm, Ghostty and on terminals that
say that they know sixels, else coloured half blocks with the texts as characters, as below; 24-bit
colours where `COLORTERM` has them, else 256. Where standard output is no terminal it writes no
escape code, but saves a PNG in `$TMPDIR` and prints its path. `LRN_SHOW` = `kitty`, `iterm`,
`sixel`, `blocks`, `file` or `none` says how instead.]], [[
local rbm = lrn.RBM{ n_visible = 64, n_hidden = 32, learning_rate = .1, seed = 1 }
rbm:fit((lrn.data.digits()), { epochs = 50, batch_size = 50 })
local fig = lrn.plot.plot(rbm.history.mse, rbm.history.error, { title = "Convergence",
  labels = { "MSE, sampled", "error of the means" }, ylabel = "squared error" })
fig:show()
]] },
}

local function page()
  local parts = { INTRO }
  for _, row in ipairs(ROWS) do
    local name, heading, text, code = row[1], row[2], row[3], row[4]
    parts[#parts + 1] = ("## %s\n\n%s\n\n```lua\n%s```\n\n![%s](pictures/plots/%s.png)\n\n"):format(
      heading, text, code, heading, name)
  end
  parts[#parts + 1] = OUTRO
  return table.concat(parts)
end

if opt.page then
  io.write(page())
  return
end

-- What `fig:show()` gives on a terminal of 80 x 30 cells, as a picture.
local function photograph(fig, path)
  local w, h, size = 9, 18, 15 -- of a cell, and of its font, in pixels
  local bytes, columns, height, texts = cells.compose(fig, 80, 30)
  local surface <close> = cairo.image_surface(columns * w, height // 2 * h, "rgb24")
  local context <close> = cairo.context(surface)
  context:draw_image(bytes, columns, height, 3, 0, 0, columns * w, height // 2 * h, "nearest")
  context:set_font("DejaVu Sans Mono", size)
  for row, letters in pairs(texts) do
    for column, letter in pairs(letters) do
      local at = ((2 * row - 1) * columns + column - 1) * 3
      local function channel(i) return bytes:byte(at + i) / 255 end
      local x, y, color = (column - 1) * w, (row - 1) * h, letter[2]
      context:set_source_rgba(channel(1), channel(2), channel(3)):rectangle(x, y, w, h):fill()
      context:set_source_rgba((color >> 16) / 255, (color >> 8 & 255) / 255, (color & 255) / 255)
      context:show_text(letter[1], x, y + size - 1)
    end
  end
  assert(surface:write_to_png(path))
end

local function draw(row)
  local folder = opt.out .. "/pictures/plots/"
  local save, show = figures.save, figures.Figure.show
  function figures.save(where, fig, name, dpi) -- the code saves into the current folder
    return assert(save(where, fig, folder .. name, dpi))
  end
  function figures.Figure.show(fig) photograph(fig, folder .. row[1] .. ".png") end
  local env = setmetatable({}, { __index = _G })
  local ok, message = pcall(assert(load(row[4], "=" .. row[1], "t", env)))
  figures.save, figures.Figure.show = save, show
  assert(ok, message)
end

assert(lrn.io.mkdir(opt.out .. "/pictures/plots"))
for _, row in ipairs(ROWS) do draw(row) end
local file <close> = assert(io.open(opt.out .. "/plots.md", "w"))
assert(file:write(page()))
