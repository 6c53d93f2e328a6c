--- The kinds of things that stand in axes. A kind is a row: `layer` (the order of painting), `draw`
-- and `handles` (what the legend shows of it). An artist is a plain table:
--
--     { kind =, label =, color = {r, g, b, a},
--       data = { x = {lists}, y = {lists} },   -- numbers that the limits have to hold
--       base = { y = 0 },                      -- where bars start: no margin beyond it
--       whole = { x = boolean }, ... }         -- counted, so that ticks are whole numbers
--
-- `draw` gets the artist and a view of the axes:
--
--     { canvas =, unit = pixels a point, box =, x = function to pixels, y =, scale = { x =, y = },
--       cover = { runs = {}, rects = {} } }    -- what the legend should not hide
-- @module lrn.plot.artists

local colors = require "lrn.plot.colors"
local thin = require "lrn.plot.thin"

local max, min, abs, push = math.max, math.min, math.abs, thin.push

-- On, off, on, off in line widths.
local DASHES = { ["-"] = {}, ["--"] = { 3.7, 1.6 }, ["-."] = { 6.4, 1.6, 1, 1.6 },
                 [":"] = { 1, 1.65 } }
local FONT = 10
local LEAST_NOTE = 4 -- points: smaller notes in the cells of a heat map are left out

local M = {}

--- Styles of lines; "none" leaves the marks.
M.styles = { "-", "--", "-.", ":", "none" }

-- false: no line at all; nil: a solid one.
local function dash_of(style, width)
  if style == "none" then return false end
  local dash = {}
  for i, v in ipairs(DASHES[style]) do dash[i] = v * width end
  return #dash > 0 and dash or nil
end

local function line_handle(a, u)
  local dash = dash_of(a.style, a.width * u)
  return { { label = a.label, color = a.color, width = a.width * u, dash = dash, marker = a.marker,
             size = a.size and a.size * u } }
end

local function patch_handle(a)
  return { { label = a.label, color = a.color, patch = true } }
end

local kinds = {}
M.kinds = kinds

--------------------------------------------------------------------------------------------
-- Images
--------------------------------------------------------------------------------------------

kinds.image = { layer = 0, draw = function(a, v)
  local x, y = v.x(.5), v.y(.5)
  local image = v.canvas:image("image", a, x, y, v.x(a.width + .5) - x, v.y(a.height + .5) - y)
  image.clip = v.limited and v.box or nil
end }

-- Texts in the cells of an image, in one size that fits all of them.
kinds.notes = { layer = 3, draw = function(a, v)
  local canvas, wide, size = v.canvas, 0, FONT * v.unit
  for _, text in ipairs(a.texts) do wide = max(wide, canvas:measure(text, size).w) end
  local room_x = .9 * abs(v.x(2) - v.x(1)) / max(wide, 1)
  local room_y = .8 * abs(v.y(2) - v.y(1)) / canvas:metrics("H", size)
  size = size * min(1, room_x, room_y)
  if size < LEAST_NOTE * v.unit then return end
  for k, text in ipairs(a.texts) do
    local x, y = v.x((k - 1) % a.width + 1), v.y((k - 1) // a.width + 1)
    if v.inside(x, y) then
      canvas:text("note", text, x, y, { size = size, color = a.colors[k], halign = "center",
                                        valign = "middle" })
    end
  end
end }

--------------------------------------------------------------------------------------------
-- Areas
--------------------------------------------------------------------------------------------

-- Bars from a.base to a.heights[i], between a.from[i] and a.to[i]; `flat` ones lie.
kinds.bars = { layer = 1, handles = patch_handle, draw = function(a, v)
  local box, cover = v.box, v.cover.rects
  for i, height in ipairs(a.heights) do
    local x1, x2, y1, y2
    if a.flat then
      x1, x2, y1, y2 = v.x(a.origin), v.x(height), v.y(a.from[i]), v.y(a.to[i])
    else
      x1, x2, y1, y2 = v.x(a.from[i]), v.x(a.to[i]), v.y(a.origin), v.y(height)
    end
    x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    x1, x2 = max(x1, box.x), min(x2, box.x + box.w)
    y1, y2 = max(y1, box.y), min(y2, box.y + box.h)
    if x2 > x1 and y2 >= y1 and v.shows[a.flat and "x" or "y"](height) then
      cover[#cover + 1] = v.canvas:rect("series", x1, y1, x2 - x1, y2 - y1,
        { fill = a.color, clip = box, snap = true })
    end
  end
end }

-- The outline of a histogram as points: base, up, over, ..., down.
local function stairs(a, v)
  local points, base = {}, v.y(0)
  local function add(x, y) push(points, x, y) end
  add(v.x(a.edges[1]), base)
  for i, count in ipairs(a.heights) do
    local y = v.shows.y(count) and v.y(count) or base
    add(v.x(a.edges[i]), y)
    add(v.x(a.edges[i + 1]), y)
  end
  add(v.x(a.edges[#a.edges]), base)
  return points
end

-- A histogram: one filled outline, so that neighbours have no seams, or the outline alone.
kinds.stairs = { layer = 1,
  handles = function(a, u) return a.filled and patch_handle(a) or line_handle(a, u) end,
  draw = function(a, v)
    local points, cover, bottom = stairs(a, v), v.cover.rects, v.box.y + v.box.h
    if a.filled then
      v.canvas:polygon("series", points, { color = a.color, clip = v.box })
    else
      v.canvas:line("series", points, { color = a.color, width = a.width * v.unit, clip = v.box,
        dash = dash_of(a.style, a.width * v.unit) or nil, join = "miter" })
    end
    for i = 3, #points - 5, 4 do
      local x1, x2, y = points[i], points[i + 2], max(points[i + 1], v.box.y)
      cover[#cover + 1] = { x = min(x1, x2), y = y, w = abs(x2 - x1), h = max(0, bottom - y) }
    end
  end }

kinds.band = { layer = 1, handles = patch_handle, draw = function(a, v)
  for _, run in ipairs(a.runs) do
    local upper, lower, outline = {}, {}, {}
    for i = 1, #run.x do
      if v.shows.x(run.x[i]) then
        local x = v.x(run.x[i])
        push(upper, x, v.y(run.hi[i]))
        push(lower, x, v.y(run.lo[i]))
      end
    end
    upper, lower = thin.path(upper, v.box.w), thin.path(lower, v.box.w)
    table.move(upper, 1, #upper, 1, outline)
    for i = #lower - 1, 1, -2 do
      push(outline, lower[i], lower[i + 1])
    end
    if #outline > 4 then
      v.canvas:polygon("series", outline, { color = a.color, clip = v.box })
      v.cover.runs[#v.cover.runs + 1] = upper
      v.cover.runs[#v.cover.runs + 1] = lower
    end
  end
end }

--------------------------------------------------------------------------------------------
-- Lines and marks
--------------------------------------------------------------------------------------------

-- Pixels of a run's points, in pieces where a value has no place on a logarithmic axis.
local function pieces(run, v)
  local list, piece = {}, nil
  for i = 1, #run.x do
    local x, y = run.x[i], run.y[i]
    if v.shows.x(x) and v.shows.y(y) then
      if not piece then
        piece = {}
        list[#list + 1] = piece
      end
      push(piece, v.far_x(x), v.far_y(y))
    else
      piece = nil
    end
  end
  return list
end

kinds.line = { layer = 2, handles = line_handle, draw = function(a, v)
  local u, canvas, box = v.unit, v.canvas, v.box
  local t = { color = a.color, width = a.width * u, clip = box }
  local marks = { color = a.color, size = a.size * u, marker = a.marker, clip = box }
  t.dash = dash_of(a.style, t.width) or nil
  for _, run in ipairs(a.runs) do
    for _, points in ipairs(pieces(run, v)) do
      if #points > 2 and a.style ~= "none" then
        for _, near in ipairs(thin.near(points)) do
          v.cover.runs[#v.cover.runs + 1] = near
          canvas:line("series", thin.path(near, box.w), t)
        end
      end
      if a.marker then
        points = thin.points(points, a.color[4])
        v.cover.runs[#v.cover.runs + 1] = { points = points }
        canvas:marks("series", points, marks)
      elseif #points == 2 then -- a line of one point would be nothing
        v.cover.runs[#v.cover.runs + 1] = points
        canvas:marks("series", points, { color = a.color, size = 2 * t.width, marker = "o",
                                         clip = box })
      end
    end
  end
end }

kinds.scatter = { layer = 2,
  handles = function(a, u)
    local size = (a.size or 6) * u
    if not a.classes then
      return { { label = a.label, color = a.color, dash = false, marker = a.marker, size = size } }
    end
    local list = {}
    for i, class in ipairs(a.classes) do
      list[i] = { label = class.label, color = class.color, dash = false, marker = a.marker,
                  size = size }
    end
    return list
  end,
  draw = function(a, v)
    local points, tints, sizes = {}, a.colors and {}, a.sizes and {}
    for i = 1, #a.x do
      if v.shows.x(a.x[i]) and v.shows.y(a.y[i]) then
        push(points, v.x(a.x[i]), v.y(a.y[i]))
        if tints then tints[#points // 2] = a.colors[i] end
        if sizes then sizes[#points // 2] = a.sizes[i] * v.unit end
      end
    end
    points, tints, sizes = thin.points(points, a.color[4], tints, sizes)
    if #points == 0 then return end
    v.cover.runs[#v.cover.runs + 1] = { points = points }
    v.canvas:marks("series", points, { color = a.color, size = (a.size or 6) * v.unit,
      marker = a.marker, colors = tints, sizes = sizes, clip = v.box })
  end }

-- Lines over the whole of the axes, at values of one of them.
kinds.rule = { layer = 2, handles = line_handle, draw = function(a, v)
  local box, u = v.box, v.unit
  for _, value in ipairs(a.values) do
    local points
    if not v.shows[a.axis](value) then
      points = {}
    elseif a.axis == "x" then
      local x = v.x(value)
      points = x >= box.x and x <= box.x + box.w and { x, box.y, x, box.y + box.h } or {}
    else
      local y = v.y(value)
      points = y >= box.y and y <= box.y + box.h and { box.x, y, box.x + box.w, y } or {}
    end
    if #points > 0 then
      v.cover.runs[#v.cover.runs + 1] = points
      v.canvas:line("rule", points, { color = a.color, width = a.width * u, clip = box,
        dash = dash_of(a.style, a.width * u) or nil, snap = a.axis })
    end
  end
end }

-- Error bars: at a.at[i] from a.lo[i] to a.hi[i], with caps.
kinds.whiskers = { layer = 2, draw = function(a, v)
  local t = { color = a.color, width = a.width * v.unit, clip = v.box }
  local cap = a.cap * v.unit
  local across, along = a.flat and "y" or "x", a.flat and "x" or "y"
  for i = 1, #a.at do
    if v.shows[across](a.at[i]) and v.shows[along](a.hi[i]) then
      local at, lo, hi = v[across](a.at[i]), v[along](a.lo[i]), v[along](a.hi[i])
      for _, s in ipairs{ { at, lo, at, hi }, { at - cap, lo, at + cap, lo },
                          { at - cap, hi, at + cap, hi } } do
        if a.flat then s[1], s[2], s[3], s[4] = s[2], s[1], s[4], s[3] end
        v.canvas:line("error bar", s, t)
      end
    end
  end
end }

--------------------------------------------------------------------------------------------
-- Text
--------------------------------------------------------------------------------------------

kinds.text = { layer = 3, draw = function(a, v)
  local x, y = v.x(a.x), v.y(a.y)
  if not (v.shows.x(a.x) and v.shows.y(a.y) and v.inside(x, y)) then return end
  local canvas, edge = v.canvas, 2
  local t = { size = a.size * v.unit, color = a.color, halign = a.halign, valign = a.valign,
              angle = a.angle, weight = a.weight }
  local p = canvas:text("text", a.text, x + a.dx * v.unit, y - a.dy * v.unit, t)
  -- Stay on the page.
  local b = p.box
  local shift_x = max(0, edge - b.x) - max(0, b.x + b.w - canvas.width + edge)
  local shift_y = max(0, edge - b.y) - max(0, b.y + b.h - canvas.height + edge)
  canvas:move(p, shift_x, shift_y)
  v.cover.rects[#v.cover.rects + 1] = p.box
end }

--- The handles of all artists that have a label, in their order.
-- @usage -- local entries = require("lrn.plot.artists").handles(ax.artists, unit)
function M.handles(list, unit)
  local entries = {}
  for _, a in ipairs(list) do
    local make = kinds[a.kind].handles
    if make and (a.label or a.classes) then
      for _, entry in ipairs(make(a, unit)) do entries[#entries + 1] = entry end
    end
  end
  return entries
end

--- Draws the artists of a layer, or of those from it on.
-- @usage -- require("lrn.plot.artists").draw(ax.artists, view, 0, 0)
function M.draw(list, view, from, to)
  for layer = from, to do
    for _, a in ipairs(list) do
      if kinds[a.kind].layer == layer then kinds[a.kind].draw(a, view) end
    end
  end
end

--- The last artist whose colours stand for numbers; nil without one.
-- @usage -- local a = require("lrn.plot.artists").mapped(ax.artists)
function M.mapped(list)
  for i = #list, 1, -1 do
    if list[i].cmap then return list[i] end
  end
  return nil
end

--- A colour as {r, g, b, a}, its alpha times `alpha`; `where` is the function to blame.
-- @usage print(require("lrn.plot.artists").tint("C0", .5)[4])   --> 0.5
function M.tint(color, alpha, where)
  local c = { colors.rgba(color, where) }
  c[4] = c[4] * alpha
  return c
end

return M
