--- Pictures as files inside escape sequences: the protocols of kitty and of iTerm2.
-- Both carry a PNG in base64. Strings to strings, nothing is written.
-- @module lrn.plot.inline

local concat = table.concat

local M = {}

local CHUNK = 4096 -- kitty's limit on base64 in one sequence

local DIGITS = {}
for digit in ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):gmatch "." do
  DIGITS[#DIGITS + 1] = digit
end

local PAIRS = {} -- 12 bits to their two digits
for i = 0, 4095 do PAIRS[i] = DIGITS[(i >> 6) + 1] .. DIGITS[(i & 63) + 1] end

--- Bytes in base64 (RFC 4648), without line breaks.
-- @string bytes
-- @treturn string
-- @usage print(require("lrn.plot.inline").base64("Man"))   --> TWFu
function M.base64(bytes)
  local out, n, k = {}, #bytes, 0
  for i = 1, n - 2, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    out[k + 1], out[k + 2] = PAIRS[a << 4 | b >> 4], PAIRS[(b & 15) << 8 | c]
    k = k + 2
  end
  local a, b = bytes:byte(n - n % 3 + 1, n)
  if b then
    out[k + 1] = PAIRS[a << 4 | b >> 4] .. DIGITS[((b & 15) << 2) + 1] .. "="
  elseif a then
    out[k + 1] = PAIRS[a << 4] .. "=="
  end
  return concat(out)
end

--- A PNG for kitty's protocol: in pieces, without an answer of the terminal.
-- @string png
-- @treturn string
-- @usage local text = require("lrn.plot.inline").kitty("\137PNG...")
function M.kitty(png)
  local data, out = M.base64(png), {}
  for i = 1, math.max(1, #data), CHUNK do
    local more = i + CHUNK <= #data and 1 or 0
    -- a=T: show at once; f=100: PNG; q=2: say nothing, not even of errors
    local keys = i == 1 and "a=T,f=100,q=2,m=" or "m="
    out[#out + 1] = ("\27_G%s%d;%s\27\\"):format(keys, more, data:sub(i, i + CHUNK - 1))
  end
  return concat(out) .. "\n"
end

--- A PNG for iTerm2's protocol.
-- @string png
-- @int width pixels
-- @treturn string
-- @usage local text = require("lrn.plot.inline").iterm("\137PNG...", 640)
function M.iterm(png, width)
  return ("\27]1337;File=inline=1;size=%d;width=%dpx;preserveAspectRatio=1:%s\7\n"):format(#png,
    width, M.base64(png))
end

return M
