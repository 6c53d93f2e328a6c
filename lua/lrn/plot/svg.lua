--- A list of primitives (see lrn.plot.canvas) as SVG, written by ourselves so that text stays text:
-- it can be searched, copied and translated, and the same figure gives the same bytes. Each line of
-- text says how long pango has measured it, so that it keeps its place in another font.
-- @module lrn.plot.svg

local base64 = require "lrn.plot.base64"
local colors = require "lrn.plot.colors"

local concat = table.concat
local ceil, floor, max, min, sqrt = math.ceil, math.floor, math.max, math.min, math.sqrt

local FAMILY = "DejaVu Sans, Verdana, sans-serif" -- Verdana: letters of the same widths
local ANCHOR = { left = "start", center = "middle", right = "end" }
local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local REPLACEMENT = "\u{fffd}"

local M = {}

-- A number in at most two decimals: a hundredth of a pixel.
local function num(x)
  local text = ("%.2f"):format(x):gsub("%.?0+$", "")
  return text == "-0" and "0" or text
end

-- A text as XML holds it: UTF-8 without control characters.
local function escape(text)
  while not utf8.len(text) do
    local _, bad = utf8.len(text)
    text = text:sub(1, bad - 1) .. REPLACEMENT .. text:sub(bad + 1)
  end
  return (text:gsub("[%z\1-\8\11\12\14-\31]", REPLACEMENT):gsub('[&<>"]', ESCAPES))
end

-- fill="..." or stroke="...", with an opacity where there is one.
local function paint(what, color)
  local _, _, _, alpha = colors.rgba(color)
  local text = (' %s="%s"'):format(what, color:sub(1, 7))
  return alpha < 1 and text .. (' %s-opacity="%.3g"'):format(what, alpha) or text
end

local function path_of(points)
  local parts = {}
  for i = 1, #points, 2 do
    parts[#parts + 1] = (i == 1 and "M" or "L") .. num(points[i]) .. " " .. num(points[i + 1])
  end
  return concat(parts)
end

local function circle(x, y, r)
  return ("M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 -%s 0z"):format(num(x - r), num(y), num(r), num(r),
    num(2 * r), num(r), num(r), num(2 * r))
end

-- Marks as paths, and whether they are filled; see MARKS of lrn.plot.canvas.
local MARKS = {
  o = function(x, y, r) return circle(x, y, r), true end,
  ["."] = function(x, y, r) return circle(x, y, r / 2), true end,
  s = function(x, y, r)
    return ("M%s %sh%sv%sh-%sz"):format(num(x - r), num(y - r), num(2 * r), num(2 * r), num(2 * r)),
      true
  end,
  ["^"] = function(x, y, r)
    return path_of{ x, y - r, x + r, y + r, x - r, y + r } .. "z", true
  end,
  x = function(x, y, r)
    return path_of{ x - r, y - r, x + r, y + r } .. path_of{ x - r, y + r, x + r, y - r }, false
  end,
  ["+"] = function(x, y, r)
    return path_of{ x - r, y, x + r, y } .. path_of{ x, y - r, x, y + r }, false
  end,
}

-- One writer a kind: the element of a primitive.
local WRITE = {}

-- An element a line.
function WRITE.text(p, canvas)
  local lines, pitch, k = {}, canvas:measure("H", p.size).h, 0
  local style = p.weight == "bold" and ' font-weight="bold"' or ""
  if p.halign ~= "left" then style = style .. (' text-anchor="%s"'):format(ANCHOR[p.halign]) end
  if p.color ~= "#000000" then style = style .. paint("fill", p.color) end
  if p.angle ~= 0 then
    style = style .. (' transform="rotate(%s %s %s)"'):format(num(-p.angle), num(p.x), num(p.y))
  end
  for line in (p.text .. "\n"):gmatch "(.-)\n" do
    if line ~= "" then
      lines[#lines + 1] = ('<text x="%s" y="%s" font-size="%s" textLength="%s" '
        .. 'lengthAdjust="spacingAndGlyphs"%s>%s</text>'):format(num(p.x), num(p.y + k * pitch),
          num(p.size), num(canvas:measure(line, p.size, p.weight).w), style, escape(line))
    end
    k = k + 1
  end
  return concat(lines, "\n")
end

function WRITE.line(p)
  local dash = {}
  for i, v in ipairs(p.dash or {}) do dash[i] = num(v) end
  local cap = not p.snap and not p.dash and ' stroke-linecap="round"' or ""
  return ('<path d="%s" fill="none"%s stroke-width="%s"%s stroke-linejoin="%s"%s/>')
    :format(path_of(p.points), paint("stroke", p.color), num(p.width), cap, p.join or "round",
      p.dash and (' stroke-dasharray="%s"'):format(concat(dash, " ")) or "")
end

function WRITE.polygon(p)
  return ('<path d="%sz"%s/>'):format(path_of(p.points), paint("fill", p.color))
end

function WRITE.marks(p)
  local mark, parts, elements, filled = MARKS[p.marker], {}, {}, nil
  local _, _, _, alpha = colors.rgba(p.color)
  local each = p.colors or p.sizes or alpha < 1
  local function element(d, color, size)
    elements[#elements + 1] = filled and ('<path d="%s"%s/>'):format(d, paint("fill", color))
      or ('<path d="%s" fill="none"%s stroke-width="%s"/>'):format(d, paint("stroke", color),
        num(size / 5))
  end
  for i = 1, #p.points, 2 do
    local k = (i + 1) // 2
    local size = p.sizes and p.sizes[k] or p.size
    local d
    d, filled = mark(p.points[i], p.points[i + 1], size / 2)
    if each then element(d, p.colors and p.colors[k] or p.color, size) else parts[k] = d end
  end
  if not each then element(concat(parts), p.color, p.size) end
  return concat(elements, "\n")
end

function WRITE.rect(p)
  return ('<rect x="%s" y="%s" width="%s" height="%s"%s%s%s/>'):format(num(p.x), num(p.y),
    num(p.w), num(p.h), p.radius and (' rx="%s"'):format(num(p.radius)) or "",
    p.fill and paint("fill", p.fill) or ' fill="none"',
    p.stroke and paint("stroke", p.stroke) .. (' stroke-width="%s"'):format(num(p.width)) or "")
end

-- Viewers smooth what they enlarge, so pixels become squares of more pixels, half a pixel of the
-- figure each, up to MOST of them.
local MOST = 4000000

function WRITE.image(p)
  local cairo = require "lrn.plot.cairo"
  local k = max(1, ceil(2 * max(p.w / p.width, p.h / p.height)))
  k = max(1, min(k, floor(sqrt(MOST / (p.width * p.height)))))
  local w, h = k * p.width, k * p.height
  local surface <close> = cairo.image_surface(w, h, p.channels == 4 and "argb32" or "rgb24")
  local context <close> = cairo.context(surface)
  context:draw_image(p.bytes, p.width, p.height, p.channels, 0, 0, w, h, "nearest")
  return ('<image x="%s" y="%s" width="%s" height="%s" preserveAspectRatio="none" '
    .. 'style="image-rendering:pixelated" href="data:image/png;base64,%s"/>'):format(num(p.x),
      num(p.y), num(p.w), num(p.h), base64.encode(surface:topng()))
end

-- Clips are named after their place, so that equal names of two pictures on one page mean the same.
local function clip_id(box)
  return ("clip-%s-%s-%s-%s"):format(num(box.x), num(box.y), num(box.w), num(box.h))
end

--- A canvas as an SVG document.
-- @param canvas of lrn.plot.canvas, with its list
-- @number dpi pixels an inch
-- @treturn string
-- @usage -- local text = require("lrn.plot.svg").document(canvas, 100)
function M.document(canvas, dpi)
  local clips, defs, body, open = {}, {}, {}, nil
  for _, p in ipairs(canvas.list) do
    local id = p.clip and clip_id(p.clip)
    if id and not clips[id] then
      clips[id] = true
      defs[#defs + 1] = ('<clipPath id="%s"><rect x="%s" y="%s" width="%s" height="%s"/>'
        .. "</clipPath>"):format(id, num(p.clip.x), num(p.clip.y), num(p.clip.w), num(p.clip.h))
    end
    if id ~= open then
      if open then body[#body + 1] = "</g>" end
      if id then body[#body + 1] = ('<g clip-path="url(#%s)">'):format(id) end
      open = id
    end
    body[#body + 1] = WRITE[p.kind](p, canvas)
  end
  if open then body[#body + 1] = "</g>" end
  local w, h = canvas.width, canvas.height
  return concat({
    '<?xml version="1.0" encoding="UTF-8"?>',
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%spt" height="%spt" viewBox="0 0 %d %d" '
      .. 'font-family="%s" xml:space="preserve">'):format(num(w * 72 / dpi), num(h * 72 / dpi),
        floor(w), floor(h), FAMILY),
    #defs > 0 and "<defs>" .. concat(defs) .. "</defs>" or "<defs/>",
    concat(body, "\n"), "</svg>", "" }, "\n")
end

return M
