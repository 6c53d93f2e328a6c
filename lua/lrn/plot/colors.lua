--- Colours: names and hexadecimal forms, the tab10 cycle, colour maps.
-- @module lrn.plot.colors

local check = require "lrn.check"

local floor, char, concat = math.floor, string.char, table.concat

local M = {}

--- The ten colours that series take in turn ("C0" to "C9").
M.tab10 = { "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd",
            "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf" }

local NAMES = { black = "#000000", white = "#ffffff", gray = "#808080", grey = "#808080",
                red = "#ff0000", green = "#008000", blue = "#0000ff", orange = "#ffa500",
                lightgray = "#d3d3d3", lightgrey = "#d3d3d3", none = "#00000000" }

-- viridis of Smith, van der Walt and Firing (2015), CC0: 256 entries.
local VIRIDIS = [[
44015444025645045745055946075a46085c460a5d460b5e470d60470e61471063471164471365481467481668481769
48186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979472a7a472c7a
472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84433d84433e85423f85
4240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a3d4e8a3c4f8a3c508b3b518b
3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d355e8d355f8d34608d34618d33628d
33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e
2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e297b8e287c8e287d8e277e8e277f8e27808e26818e
26828e26828e25838e25848e25858e24868e24878e23888e23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d
21918c20928c20928c20938c1f948c1f958b1f968b1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f88
1fa0881fa1881fa1871fa28720a38620a48621a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad81
28ae8029af7f2ab07f2cb17e2db27d2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc74
3fbc7340bd7242be7144bf7046c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc863
5ec96260ca6063cb5f65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d
84d44b86d54989d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32
addc30b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21a
d8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723fde725]]

-- Blue over white to red, ours: equally dark at both ends, white exactly in the middle (entry
-- 128 of 0..255, which is where 0 of a symmetric range falls).
local BWR = { { -1, 0x14, 0x3c, 0x78 }, { -.6, 0x33, 0x7a, 0xb8 }, { -.25, 0xa9, 0xcc, 0xe6 },
              { 0, 0xff, 0xff, 0xff },
              { .25, 0xf3, 0xbf, 0xb0 }, { .6, 0xcb, 0x4d, 0x46 }, { 1, 0x78, 0x10, 0x2a } }

local function between(anchors, t)
  local i = 2
  while i < #anchors and anchors[i][1] < t do i = i + 1 end
  local a, b = anchors[i - 1], anchors[i]
  local part, rgb = (t - a[1]) / (b[1] - a[1]), {}
  for k = 2, 4 do rgb[k - 1] = floor(a[k] + part * (b[k] - a[k]) + .5) end
  return char(rgb[1], rgb[2], rgb[3])
end

-- Name to a function that gives entry i of 0..255 as three bytes.
local MAPS = {
  gray = function(i) return char(i, i, i) end,
  bwr = function(i) return between(BWR, i < 128 and (i - 128) / 128 or (i - 128) / 127) end,
  viridis = function(i)
    if i == 0 then
      VIRIDIS = VIRIDIS:gsub("%s", ""):gsub("%x%x", function(h) return char(tonumber(h, 16)) end)
    end
    return VIRIDIS:sub(3 * i + 1, 3 * i + 3)
  end,
}

local made = {}

--- Names of the colour maps; each also exists reversed, with "_r" behind it.
-- @treturn {string}
-- @usage print(table.concat(require("lrn.plot.colors").maps(), " "))   --> bwr gray viridis
function M.maps()
  local names = {}
  for name in pairs(MAPS) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- A colour map: a list whose entries 0 to 255 are strings of three bytes.
-- @string name "gray", "viridis", "bwr" (blue, white, red); "gray_r" and so on
-- @usage print(require("lrn.plot.colors").map("gray")[255]:byte(1, 3))   --> 255 255 255
function M.map(name)
  local base, entries, make
  if made[name] then return made[name] end
  base = type(name) == "string" and name:gsub("_r$", "") or name
  if not MAPS[base] then check.unknown("cmap", "colour map", base, M.maps()) end
  make, entries = MAPS[base], {}
  for i = 0, 255 do entries[i] = make(i) end
  made[base] = entries
  if name ~= base then
    made[name] = {}
    for i = 0, 255 do made[name][i] = entries[255 - i] end
  end
  return made[name]
end

--- Numbers through a colour map, as RGB bytes; what is not finite takes the colour `bad`.
-- @tparam {number} data
-- @number lo mapped to the first entry, with all below
-- @number hi mapped to the last entry, with all above; lo where both are equal is the middle
-- @string cmap
-- @string[opt="#ffffff"] bad
-- @treturn string three bytes a number
-- @usage print(#require("lrn.plot.colors").apply({ 0, .5, 1 }, 0, 1, "gray"))   --> 9
function M.apply(data, lo, hi, cmap, bad)
  local entry, hole, out = M.mapper(lo, hi, cmap), M.bytes(bad or "#ffffff"), {}
  for i = 1, #data do out[i] = entry(data[i]) or hole end
  return concat(out)
end

--- The numbers at the ends of a colour map: options vmin and vmax, else those of the data.
-- @string where the function to blame
-- @tparam table opts with vmin, vmax
-- @tparam ?number lo least of the data; nil: there is none
-- @tparam ?number hi
-- @usage print(require("lrn.plot.colors").limits("image", { vmin = 0 }, 1, 5))   --> 0 5
function M.limits(where, opts, lo, hi)
  local a, b = opts.vmin, opts.vmax
  for name, v in pairs{ vmin = a or 0, vmax = b or 0 } do
    if v - v ~= 0 then
      check.raise("value", "%s: %s: got %s, expected a finite number", where, name, v)
    end
  end
  if a and b and a > b then
    check.raise("value", "%s: vmin: got %s, expected at most vmax = %s", where, a, b)
  end
  lo, hi = (a or lo or 0) + 0.0, (b or hi or 1) + 0.0 -- integers would wrap around
  if lo > hi then -- one of them is given, and all of the data are beyond it
    if a then hi = lo else lo = hi end
  end
  return lo, hi
end

--- Entries of a colour map for numbers, as `apply` takes them: a function of a number that gives
-- three bytes, nil for NaN.
-- @number lo
-- @number hi
-- @string cmap
-- @usage print(#require("lrn.plot.colors").mapper(0, 1, "gray")(.5))   --> 3
function M.mapper(lo, hi, cmap)
  local entries = M.map(cmap)
  local part = hi - lo < math.huge and 1 or .25 -- a range that is no double: a quarter of it is
  local from = part * lo
  local scale, shift = hi > lo and 255 / (part * hi - from) or 0, hi > lo and .5 or 128
  return function(v)
    if v <= lo then return entries[hi > lo and 0 or v < lo and 0 or 128] end
    if v >= hi then return entries[255] end
    return v == v and entries[floor((part * v - from) * scale + shift)] or nil
  end
end

--- Whether black or white is read better on a colour, by its luminance (WCAG 2).
-- @number r 0..1
-- @number g
-- @number b
-- @usage print(require("lrn.plot.colors").contrast(1, 1, 0))   --> black
function M.contrast(r, g, b)
  local function linear(v) return v <= .03928 and v / 12.92 or ((v + .055) / 1.055) ^ 2.4 end
  local luminance = .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b)
  return luminance > .179 and "black" or "white" -- where both contrasts are equal
end

--- A colour as red, green, blue, alpha in 0..1.
-- @tparam string|table color "C0".."C9", "#rgb", "#rrggbb", "#rrggbbaa", a name, or {r, g, b [, a]}
-- @string[opt] where the function to blame
-- @usage print(require("lrn.plot.colors").rgba("#ff0000"))   --> 1.0 0.0 0.0 1.0
function M.rgba(color, where)
  local hex, n
  if type(color) == "table" and (#color == 3 or #color == 4) then
    local good = true
    for i = 1, #color do
      local v = color[i]
      good = good and type(v) == "number" and v >= 0 and v <= 1
    end
    if good then return color[1], color[2], color[3], color[4] or 1 end
  elseif type(color) == "string" then
    n = color:match("^C(%d)$")
    hex = n and M.tab10[n + 1] or NAMES[color] or color
    if hex:find("^#%x%x%x$") then hex = hex:gsub("%x", "%0%0") end
    if hex:find("^#%x%x%x%x%x%x$") then hex = hex .. "ff" end
    if hex:find("^#%x%x%x%x%x%x%x%x$") then
      n = tonumber(hex:sub(2), 16)
      return (n >> 24) / 255, (n >> 16 & 255) / 255, (n >> 8 & 255) / 255, (n & 255) / 255
    end
  end
  return check.raise("value",
    '%scolor: got %s, expected "C0" to "C9", "#rrggbb", {r, g, b} of 0..1, or a name: %s',
    where and where .. ": " or "", check.show(color), concat(check.names(NAMES), ", "))
end

local function byte(x)
  return floor(x * 255 + .5)
end

--- A colour as "#rrggbb", or "#rrggbbaa" where it is not opaque.
-- @tparam string|table color
-- @usage print(require("lrn.plot.colors").hex("C0"))   --> #1f77b4
function M.hex(color)
  local r, g, b, a = M.rgba(color)
  local text = ("#%02x%02x%02x"):format(byte(r), byte(g), byte(b))
  return a < 1 and text .. ("%02x"):format(byte(a)) or text
end

--- A colour as three bytes.
-- @tparam string|table color
-- @usage print(require("lrn.plot.colors").bytes("#010203"):byte(1, 3))   --> 1 2 3
function M.bytes(color)
  local r, g, b = M.rgba(color)
  return char(byte(r), byte(g), byte(b))
end

return M
