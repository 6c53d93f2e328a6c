--- A picture as a list of primitives, and the painter of such a list.
-- A primitive is a plain table: `kind` ("text", "line", "marks", "rect", "image"), `role` (what
-- it is for: "title", "tick", "series", ...), coordinates in pixels from the top left corner at
-- the resolution of the figure, colours as "#rrggbb[aa]". Everything that is drawn is in the
-- list, so specs read it instead of pixels, and each output format paints the same list.
-- @module lrn.plot.canvas

local colors = require "lrn.plot.colors"

local floor, max, min, pi, huge = math.floor, math.max, math.min, math.pi, math.huge

local FAMILY = "DejaVu Sans, sans-serif"
local SHADES = { left = 0, center = .5, right = 1 }

local Canvas = {}
Canvas.__index = Canvas

local M = { Canvas = Canvas }

--- An empty canvas.
-- @number width pixels
-- @number height pixels
-- @number unit pixels a point
-- @usage local canvas = require("lrn.plot.canvas").new(640, 480, 100 / 72)
function M.new(width, height, unit)
  local cairo = require "lrn.plot.cairo"
  return setmetatable({ list = {}, width = width, height = height, unit = unit, known = {},
                        ruler = cairo.context(cairo.image_surface(1, 1)) }, Canvas)
end

--- Extents of a text: w and h of all its lines, and its ink box relative to the left end of the
-- first baseline.
function Canvas:measure(text, size, weight)
  local key = size .. (weight or "") .. text
  local found = self.known[key]
  if not found then
    local ruler = self.ruler:set_font(FAMILY, size, weight)
    local w, h, base, x, y, ink_w, ink_h = ruler:text_extents(text)
    found = { w = w, h = h, x = x, y = y - base, ink_w = ink_w, ink_h = ink_h }
    self.known[key] = found
  end
  return found
end

local function count_lines(text)
  local _, n = text:gsub("\n", "")
  return n + 1
end

--- Vertical sizes of a text: height of a capital, descent, distance of its first and last line.
function Canvas:metrics(text, size)
  local h, n = self:measure("H", size), count_lines(text)
  local g = self:measure("g", size)
  return h.ink_h, g.y + g.ink_h, (n - 1) * h.h
end

--- From the top of the capitals to the descent of the last line.
function Canvas:block(text, size)
  local cap, descent, lines = self:metrics(text, size)
  return cap + descent + lines
end

--- The text broken at spaces, and if that is not enough made smaller, to be at most `width`.
-- @return text, size
function Canvas:fit(text, size, width, weight)
  local lines = {}
  for paragraph in (text .. "\n"):gmatch "(.-)\n" do
    local line
    for word in paragraph:gmatch "%S+" do
      local longer = line and line .. " " .. word or word
      if line and self:measure(longer, size, weight).w > width then
        lines[#lines + 1] = line
        line = word
      else
        line = longer
      end
    end
    lines[#lines + 1] = line or ""
  end
  text = table.concat(lines, "\n")
  local wide = self:measure(text, size, weight).w
  if wide > width and width > 0 then size = size * width / wide end
  return text, size
end

-- Of a rectangle, in order around it.
local CORNER_X, CORNER_Y = { [0] = 0, 1, 1, 0 }, { [0] = 0, 0, 1, 1 }

-- Cosine and sine of an angle in degrees, exact at right angles.
local function turn(angle)
  if angle == 0 then return 1, 0 end
  if angle == 90 then return 0, 1 end
  return math.cos(angle * pi / 180), math.sin(angle * pi / 180)
end

function Canvas:add(primitive)
  self.list[#self.list + 1] = primitive
  return primitive
end

--- Adds a text. Its point is the left end, middle or right end (`halign`) of the "baseline" of
-- the first line, the "top" of its capitals, the "middle" of the capitals, or the "bottom" of
-- the last descent (`valign`). `angle` is in degrees, counter-clockwise, about that point. The
-- primitive has its `box`, and where it is slanted the four corners of its `quad`.
function Canvas:text(role, text, x, y, t)
  local size, halign, valign = t.size, t.halign or "left", t.valign or "baseline"
  local m = self:measure(text, size, t.weight)
  local cap, descent, lines = self:metrics(text, size)
  local down = valign == "top" and cap or valign == "middle" and (cap - lines) / 2
    or valign == "bottom" and -descent - lines or 0
  local left = m.x - SHADES[halign] * m.w
  local p = { kind = "text", role = role, text = text, size = size, weight = t.weight,
              halign = halign, angle = t.angle or 0, color = colors.hex(t.color or "black") }
  local cosine, sine = turn(p.angle)
  p.x, p.y = x + down * sine, y + down * cosine
  local x1, x2, y1, y2, quad = huge, -huge, huge, -huge, {}
  for i = 0, 3 do
    local lx, ly = left + CORNER_X[i] * m.ink_w, m.y + CORNER_Y[i] * m.ink_h
    local px, py = p.x + lx * cosine + ly * sine, p.y - lx * sine + ly * cosine
    x1, x2, y1, y2 = min(x1, px), max(x2, px), min(y1, py), max(y2, py)
    quad[2 * i + 1], quad[2 * i + 2] = px, py
  end
  p.box = { x = x1, y = y1, w = x2 - x1, h = y2 - y1 }
  if p.angle % 90 ~= 0 then p.quad = quad end
  return self:add(p)
end

--- Moves a text.
function Canvas:move(p, dx, dy) -- luacheck: ignore 212
  p.x, p.y, p.box.x, p.box.y = p.x + dx, p.y + dy, p.box.x + dx, p.box.y + dy
  for i = 1, p.quad and 7 or 0, 2 do
    p.quad[i], p.quad[i + 1] = p.quad[i] + dx, p.quad[i + 1] + dy
  end
end

--- Adds an open path through points = {x, y, x, y, ...}.
function Canvas:line(role, points, t)
  return self:add{ kind = "line", role = role, points = points, color = colors.hex(t.color),
                   width = t.width, dash = t.dash, clip = t.clip, snap = t.snap,
                   join = t.join }
end

--- Adds a closed path through points, filled.
function Canvas:polygon(role, points, t)
  return self:add{ kind = "polygon", role = role, points = points, color = colors.hex(t.color),
                   clip = t.clip }
end

--- Adds a mark ("o", "s", "^", "x", "+", ".") of `size` at each of the points. Lists `colors` (as
-- "#rrggbb") and `sizes` give each its own.
function Canvas:marks(role, points, t)
  return self:add{ kind = "marks", role = role, points = points, color = colors.hex(t.color),
                   marker = t.marker, size = t.size, colors = t.colors, sizes = t.sizes,
                   clip = t.clip }
end

--- Adds a rectangle with `fill`, `stroke` (a colour) of `width`, round corners of `radius`; `snap`
-- puts the edges of one without stroke on whole pixels.
function Canvas:rect(role, x, y, w, h, t)
  return self:add{ kind = "rect", role = role, x = x, y = y, w = w, h = h,
                   fill = t.fill and colors.hex(t.fill), stroke = t.stroke and colors.hex(t.stroke),
                   width = t.width, radius = t.radius, clip = t.clip, snap = t.snap }
end

--- Adds pixels ({ bytes, width, height, channels }) that fill a rectangle.
function Canvas:image(role, pixels, x, y, w, h)
  return self:add{ kind = "image", role = role, x = x, y = y, w = w, h = h, bytes = pixels.bytes,
                   width = pixels.width, height = pixels.height, channels = pixels.channels,
                   tiles = pixels.tiles, rows = pixels.rows, cols = pixels.cols }
end

-- Marks as functions of context, centre and radius; true: to be filled, else stroked.
local MARKS = {
  o = function(c, x, y, r)
    c:new_sub_path():arc(x, y, r, 0, 2 * pi):close_path()
    return true
  end,
  ["."] = function(c, x, y, r)
    c:new_sub_path():arc(x, y, r / 2, 0, 2 * pi):close_path()
    return true
  end,
  s = function(c, x, y, r)
    c:rectangle(x - r, y - r, 2 * r, 2 * r)
    return true
  end,
  ["^"] = function(c, x, y, r)
    c:move_to(x, y - r):line_to(x + r, y + r):line_to(x - r, y + r):close_path()
    return true
  end,
  x = function(c, x, y, r)
    c:move_to(x - r, y - r):line_to(x + r, y + r):move_to(x - r, y + r):line_to(x + r, y - r)
    return false
  end,
  ["+"] = function(c, x, y, r)
    c:move_to(x - r, y):line_to(x + r, y):move_to(x, y - r):line_to(x, y + r)
    return false
  end,
}

--- Names of the marks.
M.markers = { "o", ".", "s", "^", "x", "+" }

-- Device pixels at which a horizontal or vertical stroke is sharp; the identity on a page.
local function snapper(scale, raster)
  if not raster then
    return function(v) return v end, function(w) return w end
  end
  local function width(w)
    return max(1, floor(w * scale + .5)) / scale
  end
  local function place(v, w)
    local odd = w > 0 and floor(width(w) * scale + .5) % 2 == 1
    if odd then return (floor(v * scale) + .5) / scale end
    return floor(v * scale + .5) / scale
  end
  return place, width
end

local function rounded(c, x, y, w, h, r)
  c:new_sub_path():arc(x + w - r, y + r, r, -pi / 2, 0):arc(x + w - r, y + h - r, r, 0, pi / 2)
  c:arc(x + r, y + h - r, r, pi / 2, pi):arc(x + r, y + r, r, pi, 1.5 * pi):close_path()
end

-- One painter a kind: context, primitive, scale, raster, place, width.
local PAINT = {}

function PAINT.text(c, p)
  c:set_font(FAMILY, p.size, p.weight):translate(p.x, p.y):rotate(-p.angle * pi / 180)
  c:show_text(p.text, 0, 0, p.halign)
end

function PAINT.line(c, p, _, _, place, width)
  local points = p.points
  c:set_line_width(p.snap and width(p.width) or p.width):set_dash(p.dash)
  c:set_line_join(p.join or "round"):set_line_cap(p.snap and "butt" or p.dash and "butt" or "round")
  if p.snap then
    points = {}
    for i = 1, #p.points, 2 do
      local x, y = p.points[i], p.points[i + 1]
      points[i] = p.snap == "x" and place(x, p.width) or x
      points[i + 1] = p.snap == "y" and place(y, p.width) or y
    end
  end
  c:polyline(points):stroke()
end

function PAINT.polygon(c, p)
  c:polyline(p.points):close_path():fill()
end

-- Opaque marks of one colour and size are one path; others cover each other, so each is painted.
function PAINT.marks(c, p)
  local mark, filled = MARKS[p.marker], true
  local alpha = select(4, colors.rgba(p.color))
  local each = p.colors or p.sizes or alpha < 1
  for i = 1, #p.points, 2 do
    local k = (i + 1) // 2
    local size = p.sizes and p.sizes[k] or p.size
    filled = mark(c, p.points[i], p.points[i + 1], size / 2)
    if each then
      if p.colors then c:set_source_rgba(colors.rgba(p.colors[k])) end
      if filled then c:fill() else c:set_line_width(size / 5):stroke() end
    end
  end
  if each then return end
  if filled then c:fill() else c:set_line_width(p.size / 5):stroke() end
end

local NARROW = 4 -- device pixels: bars that rounding would make uneven, or nothing at all

function PAINT.rect(c, p, scale, _, place, width)
  local x, y, x2, y2 = p.x, p.y, p.x + p.w, p.y + p.h
  local w = p.stroke and p.width or 0
  if p.stroke or p.snap and p.w * scale >= NARROW then x, x2 = place(x, w), place(x2, w) end
  if p.stroke or p.snap and p.h * scale >= NARROW then y, y2 = place(y, w), place(y2, w) end
  if p.radius then
    rounded(c, x, y, x2 - x, y2 - y, p.radius)
  else
    c:rectangle(x, y, x2 - x, y2 - y)
  end
  if p.fill then c:set_source_rgba(colors.rgba(p.fill)):fill_preserve() end
  if p.stroke then
    c:set_source_rgba(colors.rgba(p.stroke)):set_line_width(width(w)):set_line_join("miter")
    c:set_dash():stroke_preserve()
  end
  c:new_path()
end

function PAINT.image(c, p, scale, raster)
  local x, y, x2, y2 = p.x, p.y, p.x + p.w, p.y + p.h
  if raster then
    x, y = floor(x * scale + .5) / scale, floor(y * scale + .5) / scale
    x2, y2 = floor(x2 * scale + .5) / scale, floor(y2 * scale + .5) / scale
  end
  c:draw_image(p.bytes, p.width, p.height, p.channels, x, y, max(x2 - x, 1e-3), max(y2 - y, 1e-3))
end

--- Paints a list of primitives.
-- @tparam {table} list
-- @param context of lrn.plot.cairo
-- @number scale device units a pixel of the figure
-- @bool raster whether device units are pixels, on which lines are to be sharp
-- @usage -- require("lrn.plot.canvas").paint(fig:drawlist(), context, 1, true)
function M.paint(list, context, scale, raster)
  local place, width = snapper(scale, raster)
  context:save():scale(scale, scale)
  for _, p in ipairs(list) do
    context:save()
    if p.clip then context:rectangle(p.clip.x, p.clip.y, p.clip.w, p.clip.h):clip() end
    if p.color then context:set_source_rgba(colors.rgba(p.color)) end
    PAINT[p.kind](context, p, scale, raster, place, width)
    context:restore()
  end
  context:restore()
end

--- The pixels of a list of primitives, at the size for which it was made.
-- @tparam {table} list
-- @int width
-- @int height
-- @treturn string RGB, three bytes a pixel
-- @usage -- local bytes = require("lrn.plot.canvas").pixels(fig:drawlist())
function M.pixels(list, width, height)
  local cairo = require "lrn.plot.cairo"
  local surface <close> = cairo.image_surface(width, height, "rgb24")
  local context <close> = cairo.context(surface)
  M.paint(list, context, 1, true)
  return (surface:tobytes():gsub("(...).", "%1"))
end

return M
