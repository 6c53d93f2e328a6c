--- How axes are laid out and drawn: limits, ticks, the room for labels, then everything in its
-- place. The figure asks for the plan of each axes, gives them boxes, and has them drawn.
-- @module lrn.plot.panel

local array = require "lrn.plot.array"
local colors = require "lrn.plot.colors"
local legend = require "lrn.plot.legend"
local ticks = require "lrn.plot.ticks"

local floor, ceil, max, min, huge = math.floor, math.ceil, math.max, math.min, math.huge
local abs = math.abs

-- Points, as in matplotlib.
local FONT = 10
local TICK, PAD, LABEL_PAD, TITLE_PAD = 3.5, 3.5, 4, 6
local SPINE, GRID = .8, .8
local BAR, BAR_GAP = 10, 8 -- width of a colour bar, and its distance

local MARGIN = .05 -- of the range of the data, on each side
local GRID_COLOR = "#b0b0b0"

-- On, off, on, off in line widths.
local DASHES = { ["-"] = {}, ["--"] = { 3.7, 1.6 }, ["-."] = { 6.4, 1.6, 1, 1.6 },
                 [":"] = { 1, 1.65 } }

local M = {}

local function last_image(axes)
  for i = #axes.artists, 1, -1 do
    if axes.artists[i].kind == "image" then return axes.artists[i] end
  end
  return nil
end

-- The limits of the data with their margin; constant data gets .5 on both sides.
local function widen(lo, hi, margin)
  if lo > hi then return 0, 1 end
  if hi - lo <= 1e-13 * max(abs(lo), abs(hi)) then
    local d = max(.5, 1e-3 * abs(lo))
    return lo - d, hi + d
  end
  return lo - margin * (hi - lo), hi + margin * (hi - lo)
end

local function view(axes)
  local x1, x2, y1, y2, margin = huge, -huge, huge, -huge, MARGIN
  local whole_x, whole_y, lines, image = true, false, 0, last_image(axes)
  for _, a in ipairs(axes.artists) do
    if a.kind == "line" then
      lines = lines + 1
      whole_x = whole_x and a.whole
      for _, run in ipairs(a.runs) do
        local xa, xb = array.range(run.x)
        local ya, yb = array.range(run.y)
        x1, x2, y1, y2 = min(x1, xa), max(x2, xb), min(y1, ya), max(y2, yb)
      end
    end
  end
  whole_x = whole_x and lines > 0
  if image then
    margin = 0
    whole_x, whole_y = lines == 0 or whole_x, true
    x1, x2 = min(x1, .5), max(x2, image.width + .5)
    y1, y2 = min(y1, .5), max(y2, image.height + .5)
  end
  x1, x2 = widen(x1, x2, margin)
  y1, y2 = widen(y1, y2, margin)
  if image then y1, y2 = y2, y1 end
  local xlim, ylim = axes.limits.x, axes.limits.y
  if xlim then x1, x2 = xlim[1], xlim[2] end
  if ylim then y1, y2 = ylim[1], ylim[2] end
  return { x1 = x1, x2 = x2, y1 = y1, y2 = y2, whole_x = whole_x, whole_y = whole_y }
end

-- At most n ticks between two limits, in either order.
local function ticks_between(a, b, n, whole)
  local values = ticks.locate(min(a, b), max(a, b), { n = max(1, min(9, n)), integer = whole })
  local labels, suffix = ticks.format(values)
  return { values = values, labels = labels, suffix = suffix }
end

local function widest(canvas, labels, size)
  local w = 0
  for _, label in ipairs(labels) do w = max(w, canvas:measure(label, size).w) end
  return w
end

-- As many as their labels have room for, half an em apart.
local function x_ticks(canvas, v, width, size)
  local n, t = max(1, min(9, floor(width / (3 * size)))), nil
  while true do
    t = ticks_between(v.x1, v.x2, n, v.whole_x)
    local count = #t.values
    local pitch = count > 1
      and width * abs((t.values[2] - t.values[1]) / (v.x2 - v.x1)) or huge
    if n == 1 or widest(canvas, t.labels, size) + .6 * size <= pitch then return t end
    n = n - 1
  end
end

-- How far labels at ticks between two limits, `length` pixels apart, reach over both ends.
local function overhang(values, from, to, length, half)
  local before, after = 0, 0
  for i, v in ipairs(values) do
    local at = (v - from) / (to - from) * length
    before, after = max(before, half(i) - at), max(after, at + half(i) - length)
  end
  return before, after
end

-- Titles, placed in lines: the rows of texts from the axes upwards, each with its parts.
local function title_rows(axes, canvas, width)
  local u = canvas.unit
  local left, center, right = axes.titles.left, axes.titles.center, axes.titles.right
  local rows, used = {}, 0
  local function part(t, loc)
    local text, size = canvas:fit(t.text, t.size * u, width)
    return { text = text, size = size, color = t.color, loc = loc,
             w = canvas:measure(text, size).w }
  end
  local list = {}
  if left then list[#list + 1] = part(left, "left") end
  if center then list[#list + 1] = part(center, "center") end
  if right then list[#list + 1] = part(right, "right") end
  for _, p in ipairs(list) do used = used + p.w end
  if used + (#list - 1) * FONT * u <= width and not (center and #list > 1) then
    if #list > 0 then rows[1] = list end
  else
    -- Too much for one line: title on top, the smaller remark under its beginning.
    for i = #list, 1, -1 do
      if list[i].loc == "right" and i > 1 and left then list[i].loc = "left" end
      rows[#rows + 1] = { list[i] }
    end
  end
  return rows
end

local function rows_height(canvas, rows)
  local height = 0
  for i, row in ipairs(rows) do
    local tall = 0
    for _, p in ipairs(row) do
      local cap, descent, lines = canvas:metrics(p.text, p.size)
      tall = max(tall, cap + lines + (i > 1 and descent or 0))
      row.descent = max(row.descent or 0, descent)
    end
    row.tall = tall
    height = height + tall + (i > 1 and .25 * FONT * canvas.unit or 0)
  end
  return height
end

--- The plan of the axes for an inner box of about width x height: ticks, and the room that is
-- needed around the box.
-- @usage -- local plan = require("lrn.plot.panel").plan(ax, canvas, 400, 300, 480)
function M.plan(axes, canvas, width, height, cell_width)
  local u = canvas.unit
  local size = FONT * u
  local cap, descent = canvas:metrics("H", size)
  local v, offset, before, after = view(axes), 0, nil, nil
  local p = { view = v, left = 0, right = 0, top = 0, bottom = 0, size = size, cap = cap,
              descent = descent }
  local reach = (TICK + PAD) * u
  local function half_cap() return cap / 2 end
  if axes.shown then
    p.x = x_ticks(canvas, v, width, size)
    p.y = ticks_between(v.y1, v.y2, floor(height / (2 * size)), v.whole_y)
    p.y_width = widest(canvas, p.y.labels, size)
    p.left = reach + p.y_width
    p.bottom = reach + cap + descent
    if p.x.suffix ~= "" then p.bottom = p.bottom + PAD * u + cap + descent end
    if p.y.suffix ~= "" then offset = PAD * u + cap + descent end
    before, after = overhang(p.x.values, v.x1, v.x2, width, function(i)
      return canvas:measure(p.x.labels[i], size).w / 2
    end)
    p.left, p.right = max(p.left, before), max(SPINE * u, after)
    p.top = select(2, overhang(p.y.values, v.y1, v.y2, height, half_cap))
  end
  local label = axes.labels.x
  if label then
    local text, s = canvas:fit(label.text, label.size * u, cell_width)
    p.xlabel = { text = text, size = s, color = label.color, down = p.bottom + LABEL_PAD * u }
    p.bottom = p.xlabel.down + canvas:block(text, s)
  end
  label = axes.labels.y
  if label then
    local text, s = label.text, label.size * u
    if not label.horizontal then text, s = canvas:fit(text, s, height + p.bottom + p.top) end
    p.ylabel = { text = text, size = s, color = label.color, horizontal = label.horizontal,
                 out = p.left + LABEL_PAD * u }
    p.left = p.ylabel.out
      + (label.horizontal and canvas:measure(text, s).w or canvas:block(text, s))
  end
  if axes.bar then
    local image = axes.bar.image
    local lo, hi = image.vmin, image.vmax
    if lo == hi then lo, hi = lo - .5, hi + .5 end
    p.bar = ticks_between(lo, hi, floor(height / (2 * size)), false)
    p.bar.lo, p.bar.hi = lo, hi
    p.bar.room = (BAR_GAP + BAR) * u + reach + widest(canvas, p.bar.labels, size)
    if axes.bar.label then
      local text, s = canvas:fit(axes.bar.label, size, height + p.top + p.bottom)
      p.bar.text, p.bar.text_size, p.bar.out = text, s, p.bar.room + LABEL_PAD * u
      p.bar.room = p.bar.out + canvas:block(text, s)
    end
    p.right = max(p.right, p.bar.room)
    before, after = overhang(p.bar.values, lo, hi, height, half_cap)
    p.bottom, p.top = max(p.bottom, before), max(p.top, after)
    if p.bar.suffix ~= "" then offset = PAD * u + cap + descent end
  end
  p.top = max(p.top, offset)
  p.rows = title_rows(axes, canvas, width + p.right)
  if #p.rows > 0 then
    p.title_up = offset > 0 and offset + PAD * u or TITLE_PAD * u
    p.top = max(p.top, p.title_up + rows_height(canvas, p.rows))
  end
  return p
end

-- Pixels of the figure a pixel of the image, in a box: what fits, a whole number where that
-- costs little, and no more than `image.zoom` where the image has one.
local function image_scale(image, width, height)
  local scale = min(width / image.width, height / image.height, image.zoom or huge)
  local whole = floor(scale + 1e-9)
  return whole >= 1 and whole / scale > .9 and whole or scale
end

--- Height of the inner box at which an image fills the width; nil without an image.
-- @usage -- local h = require("lrn.plot.panel").natural_height(ax, 400)
function M.natural_height(axes, width)
  local image = last_image(axes)
  return image and ceil(image_scale(image, width, huge) * image.height)
end

-- The part of the inner box that the axes fill: all of it, or what keeps an image's pixels square.
local function fill_box(axes, inner)
  local image = last_image(axes)
  local x, y, w, h = inner.x, inner.y, inner.w, inner.h
  if image then
    local scale = image_scale(image, w, h)
    w, h = scale * image.width, scale * image.height
    x, y = inner.x + (inner.w - w) / 2, inner.y + (inner.h - h) / 2
  end
  local left, top = floor(x + .5), floor(y + .5)
  local right, bottom = floor(x + w + .5), floor(y + h + .5)
  return { x = left, y = top, w = max(1, right - left), h = max(1, bottom - top) }
end

--------------------------------------------------------------------------------------------
-- Drawing
--------------------------------------------------------------------------------------------

-- Of more points than can be seen, in each pixel column the first, least, greatest and last.
local function thin(points, width)
  local out, i, n = {}, 1, #points
  if n <= 16 * width then return points end
  for k = 3, n, 2 do
    if points[k] < points[k - 2] then return points end -- not a function of x
  end
  while i < n do
    local column, lo, hi, last = floor(points[i]), i, i, i
    while last + 2 < n and floor(points[last + 2]) == column do
      last = last + 2
      if points[last + 1] < points[lo + 1] then lo = last end
      if points[last + 1] > points[hi + 1] then hi = last end
    end
    local a, b = min(lo, hi), max(lo, hi)
    for _, k in ipairs{ i, a, b, last } do
      out[#out + 1] = points[k]
      out[#out + 1] = points[k + 1]
    end
    i = last + 2
  end
  return out
end

local function scaled(list, by)
  local out = {}
  for i, v in ipairs(list) do out[i] = v * by end
  return #out > 0 and out or nil
end

local function draw_lines(axes, canvas, to_x, to_y, box)
  local u, all = canvas.unit, {}
  for _, a in ipairs(axes.artists) do
    if a.kind == "line" then
      local t = { color = a.color, width = a.width * u, clip = box }
      local marks = { color = a.color, size = a.size * u, marker = a.marker, clip = box }
      if a.style ~= "none" then t.dash = scaled(DASHES[a.style], t.width) end
      for _, run in ipairs(a.runs) do
        local points = {}
        for i = 1, #run.x do
          points[2 * i - 1], points[2 * i] = to_x(run.x[i]), to_y(run.y[i])
        end
        all[#all + 1] = points
        if a.marker then canvas:marks("series", points, marks) end
        if #points == 2 and not a.marker then -- a line of one point would be nothing
          marks.marker, marks.size = "o", 2 * t.width
          canvas:marks("series", points, marks)
        elseif #points > 2 and a.style ~= "none" then
          canvas:line("series", thin(points, box.w), t)
        end
      end
    end
  end
  return all
end

local function draw_legend(axes, canvas, box, runs, size)
  local entries, u = {}, canvas.unit
  for _, a in ipairs(axes.artists) do
    if a.kind == "line" and a.label then
      local dash = false
      if a.style ~= "none" then dash = scaled(DASHES[a.style], a.width * u) end
      entries[#entries + 1] = { label = a.label, color = a.color, width = a.width * u, dash = dash,
                                marker = a.marker, size = a.size * u }
    end
  end
  if #entries > 0 then legend.draw(canvas, entries, box, runs, axes.legend_loc, size) end
end

local function draw_titles(canvas, p, box)
  local y = box.y - (p.title_up or 0)
  for i, row in ipairs(p.rows) do
    if i > 1 then y = y - row.descent - .25 * FONT * canvas.unit end
    for _, t in ipairs(row) do
      local x = t.loc == "left" and box.x or t.loc == "right" and box.x + box.w or box.x + box.w / 2
      local _, _, lines = canvas:metrics(t.text, t.size)
      local half = t.w / 2
      if t.loc == "center" then -- stay on the page where the axes are narrow
        x = max(half + 2, min(canvas.width - half - 2, x))
      end
      canvas:text("title", t.text, x, y - lines, { size = t.size, color = t.color, halign = t.loc })
    end
    y = y - (row.tall - (i > 1 and row.descent or 0))
  end
end

local function draw_bar(axes, canvas, p, box)
  local u, image, bar = canvas.unit, axes.bar.image, p.bar
  local x, w = floor(box.x + box.w + BAR_GAP * u + .5), floor(BAR * u + .5)
  local stroke, ramp = { color = "black", width = SPINE * u, snap = "y" }, {}
  for i = 1, 256 do ramp[i] = 256 - i end
  ramp = { bytes = colors.apply(ramp, 0, 255, image.cmap), width = 1, height = 256, channels = 3 }
  canvas:image("colorbar", ramp, x, box.y, w, box.h)
  canvas:rect("colorbar frame", x, box.y, w, box.h, { stroke = "black", width = SPINE * u })
  for i, v in ipairs(bar.values) do
    local y = box.y + box.h * (1 - (v - bar.lo) / (bar.hi - bar.lo))
    canvas:line("tick", { x + w, y, x + w + TICK * u, y }, stroke)
    canvas:text("colorbar tick", bar.labels[i], x + w + (TICK + PAD) * u, y,
      { size = p.size, valign = "middle" })
  end
  if bar.suffix ~= "" then
    canvas:text("offset", bar.suffix, x, box.y - PAD * u, { size = p.size, valign = "bottom" })
  end
  if bar.text then
    canvas:text("colorbar label", bar.text, box.x + box.w + bar.out, box.y + box.h / 2,
      { size = bar.text_size, angle = 90, halign = "center", valign = "top" })
  end
end

local function draw_ticks(canvas, p, box, to_x, to_y)
  local u = canvas.unit
  local function stroke(snap) return { color = "black", width = SPINE * u, snap = snap } end
  local bottom = box.y + box.h
  for i, v in ipairs(p.x.values) do
    local x = to_x(v)
    canvas:line("tick", { x, bottom, x, bottom + TICK * u }, stroke "x")
    canvas:text("xtick", p.x.labels[i], x, bottom + (TICK + PAD) * u,
      { size = p.size, halign = "center", valign = "top" })
  end
  for i, v in ipairs(p.y.values) do
    local y = to_y(v)
    canvas:line("tick", { box.x - TICK * u, y, box.x, y }, stroke "y")
    canvas:text("ytick", p.y.labels[i], box.x - (TICK + PAD) * u, y,
      { size = p.size, halign = "right", valign = "middle" })
  end
  if p.x.suffix ~= "" then
    canvas:text("offset", p.x.suffix, box.x + box.w,
      bottom + (TICK + 2 * PAD) * u + p.cap + p.descent,
      { size = p.size, halign = "right", valign = "top" })
  end
  if p.y.suffix ~= "" then
    canvas:text("offset", p.y.suffix, box.x, box.y - PAD * u, { size = p.size, valign = "bottom" })
  end
end

local function draw_grid(canvas, p, box, to_x, to_y)
  local width = GRID * canvas.unit
  local upright = { color = GRID_COLOR, width = width, snap = "x" }
  local level = { color = GRID_COLOR, width = width, snap = "y" }
  for _, v in ipairs(p.x.values) do
    local x = to_x(v)
    canvas:line("grid", { x, box.y, x, box.y + box.h }, upright)
  end
  for _, v in ipairs(p.y.values) do
    local y = to_y(v)
    canvas:line("grid", { box.x, y, box.x + box.w, y }, level)
  end
end

--- Draws the axes as planned into an inner box { x, y, w, h }.
-- @usage -- require("lrn.plot.panel").draw(ax, canvas, plan, box)
function M.draw(axes, canvas, p, inner)
  local box, v = fill_box(axes, inner), p.view
  local function to_x(x) return box.x + (x - v.x1) / (v.x2 - v.x1) * box.w end
  local function to_y(y) return box.y + (v.y2 - y) / (v.y2 - v.y1) * box.h end
  for _, a in ipairs(axes.artists) do
    if a.kind == "image" then
      local x, y = to_x(.5), to_y(.5)
      local image = canvas:image("image", a, x, y, to_x(a.width + .5) - x, to_y(a.height + .5) - y)
      image.clip = (axes.limits.x or axes.limits.y) and box or nil
    end
  end
  if axes.shown and axes.has_grid then draw_grid(canvas, p, box, to_x, to_y) end
  local runs = draw_lines(axes, canvas, to_x, to_y, box)
  if axes.shown then
    draw_ticks(canvas, p, box, to_x, to_y)
    canvas:rect("frame", box.x, box.y, box.w, box.h,
      { stroke = "black", width = SPINE * canvas.unit })
  end
  if p.xlabel then
    canvas:text("xlabel", p.xlabel.text, box.x + box.w / 2, box.y + box.h + p.xlabel.down,
      { size = p.xlabel.size, color = p.xlabel.color, halign = "center", valign = "top" })
  end
  if p.ylabel then
    local upright = p.ylabel.horizontal
    canvas:text("ylabel", p.ylabel.text, box.x - p.ylabel.out, box.y + box.h / 2,
      { size = p.ylabel.size, color = p.ylabel.color, angle = upright and 0 or 90,
        halign = upright and "right" or "center", valign = upright and "middle" or "bottom" })
  end
  if p.bar then draw_bar(axes, canvas, p, box) end
  draw_titles(canvas, p, box)
  if axes.legend_loc then draw_legend(axes, canvas, box, runs, p.size) end
end

return M
