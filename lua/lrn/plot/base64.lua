--- Bytes as text (RFC 4648).
-- @module lrn.plot.base64

local M = {}

local PAIRS = {} -- 12 bits to their two digits
local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function prepare()
  for i = 0, 4095 do
    PAIRS[i] = DIGITS:sub((i >> 6) + 1, (i >> 6) + 1) .. DIGITS:sub((i & 63) + 1, (i & 63) + 1)
  end
end

--- Bytes in base64, without line breaks.
-- @string bytes
-- @treturn string
-- @usage print(require("lrn.plot.base64").encode("Man"))   --> TWFu
function M.encode(bytes)
  if not PAIRS[0] then prepare() end
  local out, n, k = {}, #bytes, 0
  for i = 1, n - 2, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    out[k + 1] = PAIRS[a << 4 | b >> 4]
    out[k + 2] = PAIRS[(b & 15) << 8 | c]
    k = k + 2
  end
  local a, b = bytes:byte(n - n % 3 + 1, n)
  if b then
    out[k + 1] = PAIRS[a << 4 | b >> 4] .. PAIRS[(b & 15) << 8]:sub(1, 1) .. "="
  elseif a then
    out[k + 1] = PAIRS[a << 4] .. "=="
  end
  return table.concat(out)
end

return M
