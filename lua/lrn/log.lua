--- Messages with a level, to stderr and to a file: `lrn.log.info("epoch %d", 3)`.
-- Quiet by default: warnings and errors only. `LRN_LOG=debug` sets the level from outside.
-- `lrn.log(t)` is the logarithm of a tensor, as every elementwise operation is lrn.f.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}

local levels = { "debug", "info", "warn", "error", "off" }
local number = {}
for i, name in ipairs(levels) do number[name] = i end

local initial = os.getenv("LRN_LOG")
local state = {
  console = number[initial] or number.warn,
  file_level = number.debug,
  file = nil, path = nil, -- open log file
  out = nil,              -- nil: io.stderr at the time of the message
}

local function level_number(where, name)
  if not number[name] then
    check.raise("value", "%s: level: got %s, expected one of %s", where, check.show(name),
      table.concat(levels, ", "))
  end
  return number[name]
end

--- Sets the console's level and returns the one before; without an argument only returns it.
-- @usage local old = lrn.log.level("error"); lrn.log.level(old)
function M.level(name)
  local old = levels[state.console]
  if name ~= nil then state.console = level_number("log.level", name) end
  return old
end

--- Where console messages go: anything with a write method; nil: stderr.
function M.output(file)
  state.out = file
end

--- Messages also go to the end of a file, from `level` on ("debug"); nil closes it.
-- @return true, or nil, message, code
-- @usage local path = os.tmpname(); assert(lrn.log.file(path)); lrn.log.file(nil); os.remove(path)
function M.file(path, level)
  local wanted = level and level_number("log.file", level) or number.debug
  local file
  if path ~= nil then
    check.value("log.file", "path", path, { "string" })
    local message
    file, message = io.open(path, "a")
    if not file then return nil, "log.file: " .. message, "EIO" end
  end
  if state.file then state.file:close() end
  state.file, state.path, state.file_level = file, path, wanted
  return true
end

local function text(format, ...)
  if select("#", ...) == 0 then return tostring(format) end
  return tostring(format):format(...)
end

local function write(level, name, format, ...)
  local n = number[level]
  local console = n >= state.console
  local filed = state.file and n >= state.file_level
  if not console and not filed then return end
  local message = text(format, ...)
  local line = ("%s %-5s %s%s\n"):format(os.date("%Y-%m-%d %H:%M:%S"), level:upper(),
    name and name .. ": " or "", message)
  if console then (state.out or io.stderr):write(line) end
  if filed then
    state.file:write(line)
    state.file:flush()
  end
end

--- @usage lrn.log.debug("batch %d", 3)
function M.debug(format, ...) write("debug", nil, format, ...) end
--- @usage lrn.log.info("epoch %d", 3)
function M.info(format, ...) write("info", nil, format, ...) end
--- @usage lrn.log.warn("%s is missing", "x")
function M.warn(format, ...) write("warn", nil, format, ...) end
--- @usage lrn.log.error("cannot open %s", "x")
function M.error(format, ...) write("error", nil, format, ...) end

--- A logger whose messages carry a name: a table with debug, info, warn and error.
-- @usage lrn.log.named("loader").info("%d files", 4)
function M.named(name)
  check.value("log.named", "name", name, { "string", required = true })
  local logger = {}
  for i = 1, 4 do
    local level = levels[i]
    logger[level] = function(format, ...) write(level, name, format, ...) end
  end
  return logger
end

return setmetatable(M, { __call = function(_, ...) return core.log(...) end })
