--- How axes are laid out and drawn: limits, ticks, the room for labels, then everything in its
-- place. The figure asks for the plan of each axes, gives them boxes, and has them drawn.
-- @module lrn.plot.panel

local artists = require "lrn.plot.artists"
local axis = require "lrn.plot.axis"
local colorbar = require "lrn.plot.colorbar"
local legend = require "lrn.plot.legend"
local scale = require "lrn.plot.scale"

local floor, ceil, max, min, huge = math.floor, math.ceil, math.max, math.min, math.huge

-- Points, as in matplotlib.
local FONT = 10
local LABEL_PAD, TITLE_PAD = 4, 6
local TICK, PAD, SPINE = axis.TICK, axis.PAD, axis.SPINE
local NAMES = .4 -- of a cell: the most that names of categories take of it
local LEGEND_GAP = 8 -- between axes and a legend outside

local SHADES = { left = 0, center = .5, right = 1 }
local MARGIN = .05 -- of the range of the data, on each side
local FAR = 16000 -- pixels: what is beyond is drawn there

local M = {}

local function last_image(axes)
  for i = #axes.artists, 1, -1 do
    if axes.artists[i].kind == "image" then return axes.artists[i] end
  end
  return nil
end

-- Pixels of the figure a pixel of the image, in a box: what fits, a whole number where that
-- costs little, and no more than `image.zoom` where the image has one.
local function image_scale(image, width, height)
  local scale = min(width / image.width, height / image.height, image.zoom or huge)
  local whole = floor(scale + 1e-9)
  return whole >= 1 and whole / scale > .9 and whole or scale
end

-- Limits and scale of one axis, and whether its ticks are whole numbers.
local function view_axis(axes, which, image)
  local s, lists, base, votes = scale[axes.scales[which]], {}, false, { yes = 0, no = 0 }
  for _, a in ipairs(axes.artists) do
    for _, list in ipairs(a.data[which]) do lists[#lists + 1] = list end
    base = base or a.base and a.base[which] == 0
    local whole = a.whole and a.whole[which]
    if whole ~= nil then votes[whole and "yes" or "no"] = votes[whole and "yes" or "no"] + 1 end
  end
  local lo, hi = scale.range(s, lists)
  local low, high = image and 0 or MARGIN, image and 0 or MARGIN
  if base and s.name == "linear" and lo <= hi then -- bars stand on the axis
    lo, hi = min(lo, 0), max(hi, 0)
    if lo == hi then hi = 1 end
    if lo == 0 then low = 0 end
    if hi == 0 then high = 0 end
  elseif base and lo <= hi then
    lo, low = lo / 2, 0
  end
  local from, to = s.widen(lo, hi, low, high)
  if which == "y" and (image or axes.categories.y) then from, to = to, from end
  local limits = axes.limits[which]
  if limits then from, to = limits[1], limits[2] end
  return { scale = s, from = from, to = to,
           whole = votes.no == 0 and (votes.yes > 0 or image ~= nil) }
end

local function plan_axis(axes, canvas, v, which, length, deep)
  local names = axes.categories[which]
  return axis.plan(canvas, { upright = which == "y", scale = v.scale, from = v.from, to = v.to,
                             length = length, size = FONT * canvas.unit, whole = v.whole,
                             deep = deep, names = names and names.names,
                             fixed = axes.fixed[which] })
end

-- Titles, placed in lines: the rows of texts from the axes upwards, each with its parts. Several
-- share a line of the axes' width; one alone may reach beyond, up to `room`.
local function title_rows(axes, canvas, width, room)
  local u = canvas.unit
  local left, center, right = axes.titles.left, axes.titles.center, axes.titles.right
  local rows, used = {}, 0
  local function part(t, loc)
    local text, size = canvas:fit(t.text, t.size * u, room)
    return { text = text, size = size, color = t.color, loc = loc,
             w = canvas:measure(text, size).w }
  end
  local list = {}
  if left then list[#list + 1] = part(left, "left") end
  if center then list[#list + 1] = part(center, "center") end
  if right then list[#list + 1] = part(right, "right") end
  for _, p in ipairs(list) do used = used + p.w end
  if #list < 2 or used + (#list - 1) * FONT * u <= width and not center then
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

-- Whether the titles are one row that leaves the offset, on the left, its line.
local function beside(p, canvas, width)
  local row, from = p.rows[1], width
  if #p.rows > 1 or p.bar and p.bar.suffix ~= "" then return false end
  for _, t in ipairs(row) do
    from = min(from, SHADES[t.loc] * (width - t.w))
  end
  local suffix = p.y.ticks and p.y.ticks.suffix or ""
  return canvas:measure(suffix, p.size).w + FONT * canvas.unit < from
end

--- The plan of the axes for an inner box of about width x height: ticks, and the room that is
-- needed around the box.
-- @usage -- local plan = require("lrn.plot.panel").plan(ax, canvas, 400, 300, 480, 360)
function M.plan(axes, canvas, width, height, cell_width, cell_height)
  local u, image, offset = canvas.unit, last_image(axes), 0
  local size = FONT * u
  local cap, descent = canvas:metrics("H", size)
  local p = { left = 0, right = 0, top = 0, bottom = 0, size = size, cap = cap, descent = descent,
              x = view_axis(axes, "x", image), y = view_axis(axes, "y", image) }
  local reach = (TICK + PAD) * u
  if image and not image.free then -- the axes are smaller than their box
    local s = image_scale(image, width, height)
    width, height = s * image.width, s * image.height
  end
  if axes.shown then
    p.x.ticks = plan_axis(axes, canvas, p.x, "x", width, max(40 * u, NAMES * cell_height))
    p.y.ticks = plan_axis(axes, canvas, p.y, "y", height, max(40 * u, NAMES * cell_width))
    p.left = reach + p.y.ticks.out
    p.bottom = reach + p.x.ticks.out
    if p.x.ticks.suffix ~= "" then p.bottom = p.bottom + PAD * u + cap + descent end
    if p.y.ticks.suffix ~= "" then offset = PAD * u + cap + descent end
    p.left, p.right = max(p.left, p.x.ticks.before), max(SPINE * u, p.x.ticks.after)
    p.top, p.bottom = p.y.ticks.after, max(p.bottom, p.y.ticks.before)
    p.right = max(p.right, canvas:measure(p.y.ticks.suffix, size).w - width)
    p.left = max(p.left, canvas:measure(p.x.ticks.suffix, size).w - width)
  end
  local label = axes.labels.x
  if label then
    local text, s = canvas:fit(label.text, label.size * u, width + 2 * min(p.left, p.right))
    p.xlabel = { text = text, size = s, color = label.color, down = p.bottom + LABEL_PAD * u }
    p.bottom = p.xlabel.down + canvas:block(text, s)
  end
  label = axes.labels.y
  if label then
    local text, s = label.text, label.size * u
    if not label.horizontal then
      text, s = canvas:fit(text, s, height + 2 * min(p.top, p.bottom))
    end
    p.ylabel = { text = text, size = s, color = label.color, horizontal = label.horizontal,
                 out = p.left + LABEL_PAD * u }
    p.left = p.ylabel.out
      + (label.horizontal and canvas:measure(text, s).w or canvas:block(text, s))
  end
  if axes.ramp then
    p.bar = colorbar.plan(canvas, axes.ramp, height, size)
    p.right = max(p.right, p.bar.room)
    p.bottom, p.top = max(p.bottom, p.bar.before), max(p.top, p.bar.after)
    if p.bar.suffix ~= "" then offset = max(offset, p.bar.after + PAD * u + cap + descent) end
  end
  if axes.legend_loc then
    local entries = artists.handles(axes.artists, u)
    if #entries > 0 and axes.legend_loc == "outside" then
      local room = { w = cell_width / 2, h = max(height, 3 * size) }
      p.legend = legend.fit(canvas, entries, room, size)
      p.legend_out = p.right + LEGEND_GAP * u
      p.right = p.legend_out + p.legend.w
      p.bottom = max(p.bottom, p.legend.h - height)
    elseif #entries > 0 then
      p.entries = entries
    end
  end
  p.top = max(p.top, offset)
  p.rows = title_rows(axes, canvas, width, width + p.right)
  if #p.rows > 0 then
    p.title_up = offset > 0 and not beside(p, canvas, width) and offset + PAD * u or TITLE_PAD * u
    p.top = max(p.top, p.title_up + rows_height(canvas, p.rows))
  end
  return p
end

--- Height of the inner box at which an image fills the width; nil without an image.
-- @usage -- local h = require("lrn.plot.panel").natural_height(ax, 400)
function M.natural_height(axes, width)
  local image = last_image(axes)
  return image and not image.free and ceil(image_scale(image, width, huge) * image.height)
end

-- The part of the inner box that the axes fill: all of it, or what keeps an image's pixels square.
local function fill_box(axes, inner)
  local image = last_image(axes)
  local x, y, w, h = inner.x, inner.y, inner.w, inner.h
  if image and not image.free then
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

local function draw_offsets(canvas, p, box)
  local u = canvas.unit
  if p.x.ticks.suffix ~= "" then
    canvas:text("offset", p.x.ticks.suffix, box.x + box.w,
      box.y + box.h + (TICK + 2 * PAD) * u + p.x.ticks.out,
      { size = p.size, halign = "right", valign = "top" })
  end
  if p.y.ticks.suffix ~= "" then
    canvas:text("offset", p.y.ticks.suffix, box.x, box.y - PAD * u,
      { size = p.size, valign = "bottom" })
  end
end

local function limit(v, far) return max(-far, min(far, v)) end

-- What artists need to draw themselves (see lrn.plot.artists).
local function view_of(axes, canvas, p, box)
  local place_x = p.x.scale.position(p.x.from, p.x.to)
  local place_y = p.y.scale.position(p.y.to, p.y.from)
  local function far_x(v) return limit(box.x + place_x(v) * box.w, 1e12) end
  local function far_y(v) return limit(box.y + place_y(v) * box.h, 1e12) end
  return {
    canvas = canvas, unit = canvas.unit, box = box, far_x = far_x, far_y = far_y,
    x = function(v) return limit(far_x(v), FAR) end,
    y = function(v) return limit(far_y(v), FAR) end,
    shows = { x = function(v) return v > p.x.scale.above end,
              y = function(v) return v > p.y.scale.above end },
    inside = function(x, y)
      return x >= box.x - 1 and x <= box.x + box.w + 1 and y >= box.y - 1
        and y <= box.y + box.h + 1
    end,
    limited = axes.limits.x or axes.limits.y, cover = { runs = {}, rects = {} },
  }
end

--- Draws the axes as planned into an inner box { x, y, w, h }.
-- @usage -- require("lrn.plot.panel").draw(ax, canvas, plan, box)
function M.draw(axes, canvas, p, inner)
  local box = fill_box(axes, inner)
  local view = view_of(axes, canvas, p, box)
  artists.draw(axes.artists, view, 0, 0)
  if axes.shown and axes.has_grid then
    axis.draw_grid(canvas, p.x.ticks, box, view.x, false)
    axis.draw_grid(canvas, p.y.ticks, box, view.y, true)
  end
  artists.draw(axes.artists, view, 1, 3)
  if axes.shown then
    axis.draw(canvas, p.x.ticks, box, view.x, false)
    axis.draw(canvas, p.y.ticks, box, view.y, true)
    draw_offsets(canvas, p, box)
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
  if p.bar then colorbar.draw(canvas, axes.ramp, p.bar, box) end
  draw_titles(canvas, p, box)
  if p.legend then
    legend.draw(canvas, p.legend, { x = box.x + box.w + p.legend_out, y = box.y }, view.cover,
      "outside")
  elseif p.entries then
    local fitted = legend.fit(canvas, p.entries, box, p.size)
    if not canvas.flat or fitted.w <= box.w and fitted.h <= box.h then -- characters do not shrink
      legend.draw(canvas, fitted, box, view.cover, axes.legend_loc)
    end
  end
end

return M
