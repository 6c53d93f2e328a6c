--- Pictures as files inside escape sequences: the protocols of kitty and of iTerm2.
-- Both carry a PNG in base64. Strings to strings, nothing is written.
-- @module lrn.plot.inline

local base64 = require "lrn.plot.base64"

local concat = table.concat

local M = {}

local CHUNK = 4096 -- kitty's limit on base64 in one sequence

--- A PNG for kitty's protocol: in pieces, without an answer of the terminal.
-- @string png
-- @treturn string
-- @usage local text = require("lrn.plot.inline").kitty("\137PNG...")
function M.kitty(png)
  local data, out = base64.encode(png), {}
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
    width, base64.encode(png))
end

return M
