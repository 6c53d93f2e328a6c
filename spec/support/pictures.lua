-- Decoders of what the plots write, made from the formats' descriptions and independent of the code
-- under test: PNG, sixels, coloured characters. A picture is { width, height, [y][x] = {r, g, b} }.
local M = {}

-- The output of a shell command that gets `input`.
function M.pipe(command, input)
  local name = os.tmpname()
  local f = assert(io.open(name, "wb"))
  f:write(input)
  f:close()
  local p = assert(io.popen(("{ %s\n} < '%s' 2> /dev/null"):format(command, name), "r"))
  local out = p:read "a"
  p:close()
  os.remove(name)
  return out
end

-- Inflates a zlib stream: gzip's tool reads the same data behind another head, and only complains
-- that the checksum is missing.
local function inflate(data)
  return M.pipe("gzip -dc", "\31\139\8\0\0\0\0\0\0\3" .. data:sub(3, -5))
end

local function paeth(a, b, c)
  local p = a + b - c
  local pa, pb, pc = math.abs(p - a), math.abs(p - b), math.abs(p - c)
  return pa <= pb and pa <= pc and a or pb <= pc and b or c
end

-- PNG of 8 bits a channel, without interlacing (RFC 2083).
function M.png(bytes)
  assert(bytes:sub(1, 8) == "\137PNG\r\n\26\n", "no PNG")
  local at, data = 9, {}
  local picture, channels
  while at <= #bytes do
    local length, kind = (">I4c4"):unpack(bytes, at)
    if kind == "IHDR" then
      local w, h, depth, color, _, _, interlaced = (">I4I4BBBBB"):unpack(bytes, at + 8)
      assert(depth == 8 and interlaced == 0)
      channels = assert(({ [0] = 1, [2] = 3, [6] = 4 })[color])
      picture = { width = w, height = h }
    elseif kind == "IDAT" then
      data[#data + 1] = bytes:sub(at + 8, at + 7 + length)
    end
    at = at + 12 + length
  end
  local raw = inflate(table.concat(data))
  local stride = picture.width * channels
  assert(#raw == (stride + 1) * picture.height)
  local above = {}
  for y = 1, picture.height do
    local start = (y - 1) * (stride + 1) + 1
    local filter, line = raw:byte(start), {}
    for i = 1, stride do
      local a, b, c = line[i - channels] or 0, above[i] or 0, above[i - channels] or 0
      local guess = filter == 0 and 0 or filter == 1 and a or filter == 2 and b
        or filter == 3 and (a + b) // 2 or paeth(a, b, c)
      line[i] = (raw:byte(start + i) + guess) & 255
    end
    local row = {}
    for x = 1, picture.width do
      local i = (x - 1) * channels
      row[x] = channels == 1 and { line[i + 1], line[i + 1], line[i + 1] }
        or { line[i + 1], line[i + 2], line[i + 3] }
    end
    picture[y], above = row, line
  end
  return picture
end

-- Sixels (DEC's VT330/VT340 manual, chapter 14), and how many colours were defined.
function M.sixel(text)
  local body = assert(text:match "^\27P[%d;]*q(.-)\27\\%s*$", "no sixels")
  local colors, count, picture = {}, 0, { width = 0, height = 0 }
  local x, top, color, at = 1, 0, nil, 1
  local function column(bits, times)
    assert(color, "a sixel before any colour")
    for _ = 1, times do
      for k = 0, 5 do
        if bits >> k & 1 == 1 then
          local row = picture[top + k + 1] or {}
          picture[top + k + 1] = row
          row[x] = color
          picture.width = math.max(picture.width, x)
          picture.height = math.max(picture.height, top + k + 1)
        end
      end
      x = x + 1
    end
  end
  while at <= #body do
    local c = body:sub(at, at)
    local rest = body:match('^[%d;]*', at + 1)
    if c == '"' then
      local w, h = rest:match "^1;1;(%d+);(%d+)$"
      picture.said = { math.tointeger(w), math.tointeger(h) }
      at = at + 1 + #rest
    elseif c == "#" then
      local n, r, g, b = rest:match "^(%d+);2;(%d+);(%d+);(%d+)$"
      if n then
        colors[n], count = { r * 255 / 100, g * 255 / 100, b * 255 / 100 }, count + 1
        assert(r + 0 <= 100 and g + 0 <= 100 and b + 0 <= 100)
      end
      color = assert(colors[n or rest], "a colour that was not defined")
      at = at + 1 + #rest
    elseif c == "!" then
      local n = rest
      column(body:byte(at + 1 + #n) - 63, math.tointeger(n))
      at = at + 2 + #n
    elseif c == "$" then
      x, at = 1, at + 1
    elseif c == "-" then
      x, top, at = 1, top + 6, at + 1
    else
      local bits = c:byte() - 63
      assert(bits >= 0 and bits < 64, "not a sixel: " .. c)
      column(bits, 1)
      at = at + 1
    end
  end
  return picture, count
end

-- xterm's 256 colours from 16 on.
local LEVEL = { [0] = 0, 95, 135, 175, 215, 255 }
function M.xterm(n)
  if n >= 232 then return { 8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232) } end
  n = n - 16
  return { LEVEL[n // 36], LEVEL[n // 6 % 6], LEVEL[n % 6] }
end

-- Lines of cells: [row][column] = { character, text colour, background }; colours are nil where
-- they are the terminal's own.
function M.cells(text)
  local rows = {}
  local front, back
  for line in text:gmatch "([^\n]*)\n" do
    local row, at = {}, 1
    while at <= #line do
      local from, to, codes = line:find("^\27%[([%d;]*)m", at)
      if from then
        local list, i = {}, 1
        for n in (codes .. ";"):gmatch "(%d*);" do list[#list + 1] = math.tointeger(n) or 0 end
        while i <= #list do
          local code, color = list[i], nil
          if code == 38 or code == 48 then
            if list[i + 1] == 2 then
              color = { list[i + 2], list[i + 3], list[i + 4] }
              i = i + 4
            else
              color = M.xterm(list[i + 2])
              i = i + 2
            end
            if code == 38 then front = color else back = color end
          elseif code == 0 then
            front, back = nil, nil
          elseif code == 39 then
            front = nil
          elseif code == 49 then
            back = nil
          else
            error("an attribute that is no colour: " .. code)
          end
          i = i + 1
        end
        at = to + 1
      else
        local c = line:match("^" .. utf8.charpattern, at)
        assert(c ~= "\27", "an escape sequence that is no colour")
        row[#row + 1] = { c, front, back }
        at = at + #c
      end
    end
    rows[#rows + 1] = row
  end
  return rows
end

-- The pixels of cells, two a cell; nil where the terminal's own background shows.
function M.halves(rows)
  local picture = { width = rows[1] and #rows[1] or 0, height = 2 * #rows }
  for y, row in ipairs(rows) do
    local upper, lower = {}, {}
    for x, cell in ipairs(row) do
      assert(cell[1] == "▀" or cell[1] == " ", cell[1])
      upper[x] = cell[1] == "▀" and cell[2] or cell[3]
      lower[x] = cell[3]
    end
    picture[2 * y - 1], picture[2 * y] = upper, lower
  end
  return picture
end

return M
