--- The colour bar of an axes: what numbers its colours stand for.
-- @module lrn.plot.colorbar

local axis = require "lrn.plot.axis"
local colors = require "lrn.plot.colors"
local scale = require "lrn.plot.scale"

local floor, max = math.floor, math.max

local BAR, GAP = 10, 8 -- width, and distance from the axes; points
local LABEL_PAD = 4

local M = {}

--- The plan of a colour bar beside axes that are `height` pixels high: its ticks, and the room
-- that it needs to the right (`room`), and above and below (`after`, `before`).
-- @tparam table bar { of = artist with vmin, vmax, cmap, label = string or nil }
-- @usage -- local p = require("lrn.plot.colorbar").plan(canvas, ax.ramp, 300, 14)
function M.plan(canvas, bar, height, size)
  local u = canvas.unit
  local lo, hi = scale.linear.widen(bar.of.vmin, bar.of.vmax, 0, 0)
  local p = axis.plan(canvas, { upright = true, scale = scale.linear, from = lo, to = hi,
                                length = height, size = size })
  p.lo, p.hi, p.spread = lo, hi, 0
  if #p.values < 2 then
    -- A bar too low for two labels: the ends of the scale, moved apart to one line each.
    local ends = scale.linear.ticks(lo, hi, 2, false)
    local n, cap = #ends.values, canvas:metrics("H", size)
    p.values, p.labels = { ends.values[1], ends.values[n] }, { ends.labels[1], ends.labels[n] }
    p.suffix, p.spread, p.out = ends.suffix, cap + .35 * size, 0
    for _, label in ipairs(p.labels) do p.out = max(p.out, canvas:measure(label, size).w) end
    p.before = max(p.before, (p.spread + cap - height) / 2)
    p.after = p.before
  end
  p.room = (GAP + BAR + axis.TICK + axis.PAD) * u + p.out
  p.room = max(p.room, GAP * u + canvas:measure(p.suffix, size).w)
  if bar.label then
    local text, s = canvas:fit(bar.label, size, height + p.before + p.after)
    p.text, p.text_size, p.text_out = text, s, p.room + LABEL_PAD * u
    p.room = p.text_out + canvas:block(text, s)
  end
  return p
end

--- Draws a colour bar as planned, right of a box.
-- @usage -- require("lrn.plot.colorbar").draw(canvas, ax.ramp, plan, box)
function M.draw(canvas, bar, p, box)
  local u = canvas.unit
  local x, w = floor(box.x + box.w + GAP * u + .5), floor(BAR * u + .5)
  local stroke, ramp = { color = "black", width = axis.SPINE * u, snap = "y" }, {}
  local place = scale.linear.position(p.hi, p.lo)
  for i = 1, 256 do ramp[i] = 256 - i end
  ramp = { bytes = colors.apply(ramp, 0, 255, bar.of.cmap), width = 1, height = 256, channels = 3 }
  canvas:image("colorbar", ramp, x, box.y, w, box.h)
  canvas:rect("colorbar frame", x, box.y, w, box.h,
    { stroke = "black", width = axis.SPINE * u })
  for i, v in ipairs(p.values) do
    local y = box.y + box.h * place(v)
    canvas:line("tick", { x + w, y, x + w + axis.TICK * u, y }, stroke)
    if p.spread > 0 then y = box.y + box.h / 2 + (i == 1 and .5 or -.5) * p.spread end
    canvas:text("colorbar tick", p.labels[i], x + w + (axis.TICK + axis.PAD) * u, y,
      { size = p.size, valign = "middle" })
  end
  if p.suffix ~= "" then
    canvas:text("offset", p.suffix, x, box.y - axis.PAD * u - p.after,
      { size = p.size, valign = "bottom" })
  end
  if p.text then
    canvas:text("colorbar label", p.text, box.x + box.w + p.text_out, box.y + box.h / 2,
      { size = p.text_size, angle = 90, halign = "center", valign = "top" })
  end
end

return M
