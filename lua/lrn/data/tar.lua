--- Archives of tar (POSIX ustar): the files in one, as views of its bytes. Nothing is written, so
-- that names and links in an archive lead nowhere.
local M = {}

local BLOCK = 512

local function text(s, first, last)
  return (s:sub(first, last):match "^[^\0]*")
end

local function octal(s, first, last)
  return tonumber(text(s, first, last):match "^ *([0-7]+)" or "", 8)
end

-- The sum of a header's bytes, its own field counted as blanks.
local function sum(header)
  local total = 8 * 32
  for i = 1, BLOCK do
    if i < 149 or i > 156 then total = total + header:byte(i) end
  end
  return total
end

--- The regular files of an archive.
-- @param bytes uint8 tensor of one dimension
-- @return table from name (without folders) to a view of its bytes; or nil, why
function M.files(bytes)
  local files, at, n = {}, 0, #bytes
  while at + BLOCK <= n do
    local header = string.char(table.unpack(bytes:narrow(1, at + 1, BLOCK):tolist()))
    if not header:find "[^\0]" then return files end -- the end: blocks of zeros
    local size = octal(header, 125, 136)
    if not size or octal(header, 149, 156) ~= sum(header) then
      return nil, ("byte %d: found no header of an archive"):format(at)
    end
    local first = at + BLOCK
    if size > n - first then
      return nil, ("byte %d: found the end inside of a file of %d bytes"):format(n, size)
    end
    local kind = header:sub(157, 157)
    if (kind == "0" or kind == "\0") and size > 0 then
      files[text(header, 1, 100):match "[^/]*$"] = bytes:narrow(1, first + 1, size)
    end
    at = first + (size + BLOCK - 1) // BLOCK * BLOCK
  end
  return nil, ("byte %d: found no end of the archive"):format(n)
end

return M
