--- Progress bars with tqdm's habits: on stderr, at most ten updates a second, rate and time left.
-- Bars that are open at the same time stand one below the other. Where stderr is no terminal: a
-- plain line every 10 % or 30 s. `LRN_PROGRESS=0` silences them.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}
local methods = {}
local meta = { __index = methods, __name = "lrn.Progress" }

local rules = {
  total = { "integer", nil, min = 0 },
  initial = { "integer", 0, min = 0 },
  leave = { "boolean" },
  desc = { "string", "" },
  unit = { "string", "it" },
  unit_scale = { "boolean", false },
  interval = { "number", 0.1, min = 0 },
  smoothing = { "number", 0.3, min = 0, max = 1 },
  file = { "writer" },
  clock = { "function" },
  tty = { "boolean" },
  columns = { "integer", nil, min = 1 },
  unicode = { "boolean" },
}

local function utf8_locale()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(name)
    if value and value ~= "" then return value:lower():find("utf%-?8") ~= nil end
  end
  return false
end

local function silent()
  return os.getenv("LRN_PROGRESS") == "0"
end

-- 75 -> "01:15", 3675 -> "1:01:15"
local function duration(seconds)
  local s = math.floor(seconds + 0.5)
  local h, m = s // 3600, s // 60 % 60
  if h > 0 then return ("%d:%02d:%02d"):format(h, m, s % 60) end
  return ("%02d:%02d"):format(m, s % 60)
end

-- 9912422 -> "9.91M"; three digits at least, as many as there are below 1000
local function scaled(n)
  local prefix = 0
  while n >= 999.5 and prefix < 6 do n, prefix = n / 1000, prefix + 1 end
  local form = prefix == 0 and math.type(n) == "integer" and "%d" or n < 9.995 and "%.2f" or
    n < 99.95 and "%.1f" or "%.0f"
  return form:format(n) .. ("kMGTPE"):sub(prefix, prefix)
end

local function per_second(rate, unit, scale)
  if not rate or rate <= 0 or rate == math.huge then return "?" .. unit .. "/s" end
  if scale then return scaled(rate) .. unit .. "/s" end
  if rate < 1 then return ("%.2fs/%s"):format(1 / rate, unit) end
  return ((rate < 100 and "%.2f" or rate < 1000 and "%.1f" or "%.0f") .. "%s/s"):format(rate, unit)
end

local eighths = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

local function blocks(fraction, width, unicode)
  local cells = fraction * width
  local full = math.floor(cells)
  if not unicode then return ("#"):rep(full) .. (" "):rep(width - full) end
  local part = math.floor((cells - full) * 8)
  if part == 0 then return ("█"):rep(full) .. (" "):rep(width - full) end
  return ("█"):rep(full) .. eighths[part] .. (" "):rep(width - full - 1)
end

--- The line as it would be drawn now.
function methods:line(now)
  now = check.value("progress.line", "now", now, { "number" }) or self.clock()
  local elapsed = now - self.start
  local done = self.n - self.first
  local rate = self.rate
  if self.closed or not rate then rate = elapsed > 0 and done > 0 and done / elapsed or nil end
  local head = self.desc ~= "" and self.desc .. ": " or ""
  local tail
  local show = self.unit_scale and scaled or tostring
  local speed = per_second(rate, self.unit, self.unit_scale)
  if not self.total then
    tail = ("%s%s [%s, %s"):format(show(self.n), self.unit, duration(elapsed), speed)
  else
    local left = rate and self.n <= self.total and duration((self.total - self.n) / rate) or "?"
    tail = ("%s/%s [%s<%s, %s"):format(show(self.n), show(self.total), duration(elapsed), left,
      speed)
  end
  tail = tail .. (self.postfix ~= "" and ", " .. self.postfix or "") .. "]"
  if not self.total then return head .. tail end
  local fraction = self.total == 0 and 1 or math.min(1, self.n / self.total)
  head = ("%s%3d%%"):format(head, math.floor(fraction * 100))
  if not self.tty then return head .. " " .. tail end
  local columns = self.columns or core.terminal_size(2) or 80
  local width = math.min(columns - (utf8.len(head) or #head) - (utf8.len(tail) or #tail) - 4, 60)
  if width < 3 then return head .. " " .. tail end
  return ("%s|%s| %s"):format(head, blocks(fraction, width, self.unicode), tail)
end

-- Bars on terminals, by the file that they write to: the first stands in the cursor's line, the
-- second in the line below, and so on. The cursor is always back in the first one's line. A bar
-- that was forgotten without being closed leaves when it is collected.
local shown = setmetatable({}, { __mode = "k" })
local weak = { __mode = "v" }

-- The bars of a file in their order.
local function bars_of(file)
  local bars, boxes = {}, {}
  for _, box in ipairs(shown[file] or boxes) do
    if box[1] then bars[#bars + 1], boxes[#boxes + 1] = box[1], box end
  end
  shown[file] = boxes
  return bars
end

local function enter(self)
  local bars = bars_of(self.file)
  table.insert(shown[self.file], setmetatable({ self }, weak))
  return #bars
end

-- The place of a bar among those of its file, from 0; nil where it has none.
local function place(self)
  for i, bar in ipairs(bars_of(self.file)) do
    if bar == self then return i - 1 end
  end
end

-- Moves k lines down, writes, and moves back.
local function write_below(file, k, ...)
  file:write(("\n"):rep(k), "\r", ...)
  if k > 0 then file:write("\r", ("\27[A"):rep(k)) end
end

local function flush(file)
  if file.flush then file:flush() end
end

local function draw(self, now)
  if self.silent then return end
  if self.tty then
    local line = self:line(now)
    local columns = self.columns or core.terminal_size(2) or 80
    local n = utf8.len(line) or #line
    if n >= columns then -- a line that wraps could not be drawn over
      local stop = utf8.offset(line, columns)
      line = stop and line:sub(1, stop - 1) or line:sub(1, columns - 1)
    end
    write_below(self.file, place(self) or 0, line, "\27[K")
    self.drawn = true
  else
    self.file:write(self:line(now), "\n")
  end
  flush(self.file)
end

-- Takes the bars of a file off the screen, and puts them back.
local function hide(file)
  for i, bar in ipairs(bars_of(file)) do
    if bar.drawn then write_below(file, i - 1, "\27[K") end
  end
end

local function show(file)
  for _, bar in ipairs(bars_of(file)) do
    if bar.drawn then draw(bar) end
  end
end

local function new(where, options)
  local o = check.options(where, options, rules)
  local self = setmetatable({
    total = o.total, desc = o.desc, unit = o.unit, unit_scale = o.unit_scale,
    interval = o.interval, smoothing = o.smoothing, file = o.file or io.stderr,
    clock = o.clock or core.clock, columns = o.columns, n = o.initial, first = o.initial, leave = o.leave, postfix = "", closed = false,
    drawn = false,
  }, meta)
  self.tty = o.tty
  if self.tty == nil then self.tty = o.file == nil and core.isatty(2) end
  self.unicode = o.unicode
  if self.unicode == nil then self.unicode = utf8_locale() end
  self.silent = silent()
  self.start = self.clock()
  self.last_time, self.last_n, self.plain_time = self.start, self.n, self.start
  self.tenth = self.total and self.total > 0 and self.n * 10 // self.total or 0
  if self.tty and not self.silent then
    local others = enter(self)
    if self.leave == nil then self.leave = others == 0 end
    draw(self, self.start)
  end
  return self
end

--- A bar. Options: total (nil: unknown), initial (done before: counts in the total, not in the
-- rate), desc, unit, unit_scale (9912422 as 9.91M), interval (seconds between updates), leave (its
-- last line stays: true, and false for one that began while another was open), and for tests file,
-- clock, tty, columns, unicode.
-- Use it as a `<close>` variable: an error ends its line.
-- @usage local bar <close> = lrn.progress.new{ total = 3 }; for i = 1, 3 do bar:update(1) end
function M.new(options)
  return new("progress.new", options)
end

--- Writes text, whole lines, above the bars that are open: to stderr, or to a file.
-- @usage lrn.progress.write "a line\n"
function M.write(text, file)
  check.value("progress.write", "text", text, { "string", required = true })
  file = check.value("progress.write", "file", file, { "writer", io.stderr })
  if io.type(file) == "closed file" then
    check.raise("state", "progress.write: file: got a closed file")
  end
  hide(file)
  file:write(text)
  show(file)
  flush(file)
end

-- Plain text is due at each tenth of the total, and every 30 s besides.
local function plain_due(self, now)
  local tenth = self.total and self.total > 0 and self.n * 10 // self.total or self.tenth
  if tenth > self.tenth and self.n > self.first or now - self.plain_time >= 30 then
    self.tenth, self.plain_time = tenth, now
    return true
  end
  return false
end

--- Would an update draw now? To spare the work of a costly postfix.
function methods:due(step)
  if self.silent or self.closed then return false end
  if self.tty then return self.clock() - self.last_time >= self.interval end
  if self.clock() - self.plain_time >= 30 then return true end
  return self.total ~= nil and self.total > 0 and
    (self.n + (step or 1)) * 10 // self.total > self.tenth
end

-- { mse = 3.25, pl = -80 } -> "mse=3.25, pl=-80"
local function metrics(t)
  local parts = {}
  for i, name in ipairs(check.names(t)) do
    local value = t[name]
    parts[i] = name .. "=" .. (math.type(value) == "float" and ("%.4g"):format(value) or
      tostring(value))
  end
  return table.concat(parts, ", ")
end

--- n more are done (1); postfix, where given, is shown behind the rate: a text, or a table of
-- metrics.
-- @usage local bar <close> = lrn.progress.new{ total = 10 }; bar:update(10, { mse = 3.2 })
function methods:update(n, postfix)
  if self.closed then check.raise("state", "progress.update: the bar is closed") end
  if type(n) ~= "number" then n = check.value("progress.update", "n", n, { "number", 1 }) end
  self.n = self.n + n
  if type(postfix) == "table" then
    self.postfix = metrics(postfix)
  elseif postfix ~= nil then
    self.postfix = check.value("progress.update", "postfix", postfix, { "string" })
  end
  if self.silent then return self end
  local now = self.clock()
  local dt = now - self.last_time
  if self.tty then
    if dt < self.interval then return self end
    local rate = (self.n - self.last_n) / dt
    self.rate = self.rate and self.smoothing * rate + (1 - self.smoothing) * self.rate or rate
    self.last_time, self.last_n = now, self.n
    draw(self, now)
  elseif plain_due(self, now) then
    draw(self, now)
  end
  return self
end

--- n were done before this bar began (a resumed run): they count in the total, not in the rate.
function methods:skip(n)
  self.n, self.first, self.last_n = self.n + n, self.first + n, self.last_n + n
  self.tenth = self.total and self.total > 0 and self.n * 10 // self.total or self.tenth
  return self
end

--- Takes the bar off its line, so that something else may be printed; the next update draws it
-- again. progress.write is for single messages.
function methods:clear()
  if self.tty and self.drawn and not self.silent and not self.closed then
    write_below(self.file, place(self) or 0, "\27[K")
    flush(self.file)
    self.drawn = false
  end
  return self
end

--- Draws the last line and ends it, or takes it away where it is not to be left. Closing twice is
-- closing once.
function methods:close()
  if self.closed then return end
  self.closed = true
  if self.silent then return end
  if self.tty then
    hide(self.file)
    local at = place(self)
    if at then table.remove(shown[self.file], at + 1) end
    if self.leave then
      draw(self)
      self.file:write("\n")
    end
    show(self.file)
    flush(self.file)
  elseif self.tenth < 10 and self.n > self.first or not self.total then
    draw(self)
  end
end

meta.__close = methods.close

--- Iterates 1..n with a bar.
-- @usage for i in lrn.progress.range(100, { desc = "work" }) do end
function M.range(n, options)
  n = check.value("progress.range", "n", n, { "integer", required = true, min = 0 })
  check.value("progress.range", "options", options, { "table" })
  local o = {}
  for key, value in next, options or o do o[key] = value end
  o.total = n
  local bar = new("progress.range", o)
  local function step(_, i)
    if i > 0 then bar:update(1) end
    if i < n then return i + 1 end
    bar:close()
  end
  return step, nil, 0, bar
end

check.class("progress bar", methods,
  function(v) return type(v) == "table" and getmetatable(v) == meta end)
M.methods = methods
return M
