--- The legend of an axes: its size, the place where it hides least, its drawing.
-- @module lrn.plot.legend

local floor, ceil, max, min, abs = math.floor, math.ceil, math.max, math.min, math.abs

local M = {}

-- In ems, matplotlib's.
local PAD, HANDLE, HANDLE_PAD, SPACING, COLUMN, BORDER = .4, 2, .8, .5, 2, .5

-- Name to the part of the free room left of and above the legend, in the order of preference.
local PLACES = { { "upper right", 1, 0 }, { "upper left", 0, 0 }, { "lower left", 0, 1 },
                 { "lower right", 1, 1 }, { "center left", 0, .5 }, { "center right", 1, .5 },
                 { "lower center", .5, 1 }, { "upper center", .5, 0 }, { "center", .5, .5 } }

--- Names for `loc`.
M.locations = { "best", "outside" }
for _, place in ipairs(PLACES) do M.locations[#M.locations + 1] = place[1] end

local WIDEST = .7 -- of the axes: longer labels are broken

-- Columns of entries that fit the height, and the size of all.
local function arrange(canvas, entries, em, box)
  local cap, _, first = canvas:metrics("H", em)
  local texts, tall = {}, first
  for i, e in ipairs(entries) do
    texts[i] = e.label
    if canvas:measure(e.label, em).w > WIDEST * box.w then
      texts[i] = canvas:fit(e.label, em, WIDEST * box.w)
    end
    tall = max(tall, (select(3, canvas:metrics(texts[i], em))))
  end
  local pitch = cap + tall + (SPACING + .2) * em
  local room = box.h - 2 * (BORDER + PAD) * em
  local rows = max(1, min(#entries, floor((room + SPACING * em) / pitch)))
  local cols = ceil(#entries / rows)
  local widths, total = {}, 2 * PAD * em + (cols - 1) * COLUMN * em
  rows = ceil(#entries / cols)
  for c = 1, cols do
    local w = 0
    for i = (c - 1) * rows + 1, min(c * rows, #entries) do
      w = max(w, canvas:measure(texts[i], em).w)
    end
    widths[c] = (HANDLE + HANDLE_PAD) * em + w
    total = total + widths[c]
  end
  return { em = em, pitch = pitch, rows = rows, widths = widths, w = total, texts = texts,
           entries = entries, h = 2 * PAD * em + rows * pitch - SPACING * em }
end

--- A legend arranged to fit a box: `w`, `h`, and what `draw` needs. Its font shrinks to a third
-- before anything is cut.
-- @param canvas
-- @tparam {table} entries of lrn.plot.artists
-- @tparam table box of the axes, with w, h
-- @number size of the font in pixels
-- @usage -- local legend = require("lrn.plot.legend").fit(canvas, entries, box, 14)
function M.fit(canvas, entries, box, size)
  local legend = arrange(canvas, entries, size, box)
  while (legend.w > box.w or legend.h > box.h) and legend.em > size / 3 do
    legend = arrange(canvas, entries, legend.em * .9, box)
  end
  return legend
end

-- How much of what is drawn a rectangle hides: marks, points on lines 4 pixels apart, and areas as
-- if such points filled them.
local function hidden(cover, x, y, w, h)
  local n = 0
  local function count(px, py)
    if px >= x and px <= x + w and py >= y and py <= y + h then n = n + 1 end
  end
  for _, p in ipairs(cover.runs) do
    local marks = p.points
    for i = 1, marks and #marks or 0, 2 do count(marks[i], marks[i + 1]) end
    for i = 1, #p - 1, 2 do
      local x1, y1 = p[i], p[i + 1]
      local x2, y2 = p[i + 2] or x1, p[i + 3] or y1
      local steps = min(200, 1 + floor(max(abs(x2 - x1), abs(y2 - y1)) / 4))
      for k = 0, steps - 1 do count(x1 + (x2 - x1) * k / steps, y1 + (y2 - y1) * k / steps) end
    end
  end
  for _, r in ipairs(cover.rects) do
    local wide = min(x + w, r.x + r.w) - max(x, r.x)
    local high = min(y + h, r.y + r.h) - max(y, r.y)
    if wide > 0 and high > 0 then n = n + wide * high / 16 end
  end
  return n
end

local function find_place(loc, legend, box, cover)
  local border = BORDER * legend.em
  local best_x, best_y, least
  for _, place in ipairs(PLACES) do
    local x = box.x + border + place[2] * (box.w - 2 * border - legend.w)
    local y = box.y + border + place[3] * (box.h - 2 * border - legend.h)
    if loc == place[1] then return x, y end
    if loc == "best" then
      local n = hidden(cover, x, y, legend.w, legend.h)
      if not least or n < least - 1e-9 then best_x, best_y, least = x, y, n end
      if n == 0 then break end
    end
  end
  return best_x, best_y
end

local function draw_handle(canvas, e, from, to, middle, em)
  if e.patch then
    canvas:rect("legend handle", from, middle - .35 * em, to - from, .7 * em,
      { fill = e.color, snap = true })
    return
  end
  if e.dash ~= false then canvas:line("legend handle", { from, middle, to, middle }, e) end
  if e.marker then
    canvas:marks("legend handle", { (from + to) / 2, middle },
      { color = e.color, marker = e.marker, size = min(e.size, em) })
  end
end

--- Draws a legend.
-- @param canvas
-- @tparam table legend of `fit`
-- @tparam table box of the axes, with x, y, w, h; for an "outside" one its own place
-- @tparam table cover what not to hide: `runs`, each {x, y, x, y, ...} or { points = marks }, and
-- `rects`
-- @string loc
-- @usage -- require("lrn.plot.legend").draw(canvas, legend, box, cover, "best")
function M.draw(canvas, legend, box, cover, loc)
  local em, unit = legend.em, canvas.unit
  local x, y = box.x, box.y
  if loc ~= "outside" then x, y = find_place(loc, legend, box, cover) end
  local left = x + PAD * em
  canvas:rect("legend", x, y, legend.w, legend.h, { fill = { 1, 1, 1, .8 }, width = .8 * unit,
                                                    stroke = "#cccccc", radius = .2 * em })
  for c, width in ipairs(legend.widths) do
    for row = 1, legend.rows do
      local k = (c - 1) * legend.rows + row
      if not legend.entries[k] then break end
      local middle = y + PAD * em + (row - 1) * legend.pitch + (legend.pitch - SPACING * em) / 2
      draw_handle(canvas, legend.entries[k], left, left + HANDLE * em, middle, em)
      canvas:text("legend", legend.texts[k], left + (HANDLE + HANDLE_PAD) * em, middle,
        { size = em, valign = "middle" })
    end
    left = left + width + COLUMN * em
  end
end

return M
