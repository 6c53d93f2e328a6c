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
M.locations = { "best" }
for _, place in ipairs(PLACES) do M.locations[#M.locations + 1] = place[1] end

-- Columns of entries that fit the height, and the size of all.
local function arrange(canvas, entries, em, box)
  local cap = canvas:metrics("H", em)
  local pitch = cap + SPACING * em + .2 * em
  local room = box.h - 2 * (BORDER + PAD) * em
  local rows = max(1, min(#entries, floor((room + SPACING * em) / pitch)))
  local cols = ceil(#entries / rows)
  local widths, total = {}, 2 * PAD * em + (cols - 1) * COLUMN * em
  rows = ceil(#entries / cols)
  for c = 1, cols do
    local w = 0
    for i = (c - 1) * rows + 1, min(c * rows, #entries) do
      w = max(w, canvas:measure(entries[i].label, em).w)
    end
    widths[c] = (HANDLE + HANDLE_PAD) * em + w
    total = total + widths[c]
  end
  return { em = em, cap = cap, pitch = pitch, rows = rows, widths = widths, w = total,
           h = 2 * PAD * em + rows * pitch - SPACING * em }
end

-- How much of the lines a rectangle hides: points on them, 4 pixels apart.
local function hidden(runs, x, y, w, h)
  local n = 0
  for _, p in ipairs(runs) do
    for i = 1, #p - 1, 2 do
      local x1, y1 = p[i], p[i + 1]
      local x2, y2 = p[i + 2] or x1, p[i + 3] or y1
      local steps = min(200, 1 + floor(max(abs(x2 - x1), abs(y2 - y1)) / 4))
      for k = 0, steps - 1 do
        local px, py = x1 + (x2 - x1) * k / steps, y1 + (y2 - y1) * k / steps
        if px >= x and px <= x + w and py >= y and py <= y + h then n = n + 1 end
      end
    end
  end
  return n
end

local function find_place(loc, legend, box, runs)
  local border = BORDER * legend.em
  local best_x, best_y, least
  for _, place in ipairs(PLACES) do
    local x = box.x + border + place[2] * (box.w - 2 * border - legend.w)
    local y = box.y + border + place[3] * (box.h - 2 * border - legend.h)
    if loc == place[1] then return x, y end
    if loc == "best" then
      local n = hidden(runs, x, y, legend.w, legend.h)
      if not least or n < least then best_x, best_y, least = x, y, n end
      if n == 0 then break end
    end
  end
  return best_x, best_y
end

--- Draws a legend.
-- @param canvas
-- @tparam {table} entries each `{ label =, color =, width =, dash =, marker =, size = }`
-- @tparam table box of the axes, with x, y, w, h
-- @tparam {table} runs the lines not to hide, each {x, y, x, y, ...}
-- @string loc
-- @number size of the font in pixels
-- @usage -- require("lrn.plot.legend").draw(canvas, entries, box, runs, "best", 14)
function M.draw(canvas, entries, box, runs, loc, size)
  local legend = arrange(canvas, entries, size, box)
  while (legend.w > box.w or legend.h > box.h) and legend.em > size / 3 do
    legend = arrange(canvas, entries, legend.em * .9, box)
  end
  local em, unit = legend.em, canvas.unit
  local x, y = find_place(loc, legend, box, runs)
  local left = x + PAD * em
  canvas:rect("legend", x, y, legend.w, legend.h, { fill = { 1, 1, 1, .8 }, width = .8 * unit,
                                                    stroke = "#cccccc", radius = .2 * em })
  for c, width in ipairs(legend.widths) do
    for row = 1, legend.rows do
      local e = entries[(c - 1) * legend.rows + row]
      if not e then break end
      local middle = y + PAD * em + (row - 1) * legend.pitch + (legend.pitch - SPACING * em) / 2
      local from, to = left, left + HANDLE * em
      if e.dash ~= false then
        canvas:line("legend handle", { from, middle, to, middle }, e)
      end
      if e.marker then
        canvas:marks("legend handle", { (from + to) / 2, middle }, e)
      end
      canvas:text("legend", e.label, to + HANDLE_PAD * em, middle, { size = em, valign = "middle" })
    end
    left = left + width + COLUMN * em
  end
end

return M
