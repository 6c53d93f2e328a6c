--- Messages with a level, to stderr and to files: `lrn.log.info("epoch %d", 3)`.
-- Quiet by default: warnings and errors only. `LRN_LOG=debug` sets the level from outside.
-- A file is opened for each message and closed after it: nothing waits in a buffer, and one that
-- was moved or deleted in between begins anew. When it would grow over its limit it becomes
-- `path.1`, that one `path.2`, and so on; the last is deleted.
-- `lrn.log(t)` is the logarithm of a tensor, as every elementwise operation is lrn.f.
local core = require "lrn.core"
local check = require "lrn.check"
local progress = require "lrn.progress"

local M = {}

local levels = { "debug", "info", "warn", "error", "off" }
local number = {}
for i, name in ipairs(levels) do number[name] = i end

local initial = os.getenv("LRN_LOG")
if initial == "" then initial = nil end
local state = {
  console = number[initial] or number.warn,
  main = nil,                       -- the file of M.file
  files = {},                       -- all open ones
  out = nil,                        -- nil: io.stderr at the time of the message
  complaint = initial and not number[initial] and
    ("LRN_LOG: got %s, expected one of %s"):format(check.show(initial),
      table.concat(levels, ", ")) or nil,
}

-- {=== Files ===

local file_rules = {
  level = { "string", "debug", choices = levels },
  max_size = { "integer", 10 << 20, min = 0 },
  keep = { "integer", 3, min = 0, max = 1000 },
}

local function rotate(file)
  for i = file.keep - 1, 1, -1 do os.rename(file.path .. "." .. i, file.path .. "." .. i + 1) end
  if file.keep > 0 then
    os.rename(file.path, file.path .. ".1")
  else
    os.remove(file.path)
  end
end

-- Appends text. Where old files cannot be moved the file grows on: no message is lost for that.
local function append(file, text)
  local f, message = io.open(file.path, "ab")
  if not f then return nil, message end
  local size = f:seek "end" -- nil: a pipe or a terminal
  if size and size > 0 and file.max_size > 0 and size + #text > file.max_size then
    f:close()
    rotate(file)
    f, message = io.open(file.path, "ab")
    if not f then return nil, message end
  end
  local ok
  ok, message = f:write(text)
  local closed, why = f:close()
  if not ok or not closed then return nil, ("%s: %s"):format(file.path, message or why) end
  return true
end

local function open(where, path, options)
  if type(options) == "string" then options = { level = options } end
  local o = check.options(where, options, file_rules)
  check.value(where, "path", path, { "string", required = true })
  local file = { path = path, level = number[o.level], max_size = o.max_size, keep = o.keep }
  local ok, message = append(file, "")
  if not ok then return nil, where .. ": " .. message, "EIO" end
  table.insert(state.files, file)
  return file
end

local function close(file)
  for i, other in ipairs(state.files) do
    if other == file then table.remove(state.files, i) end
  end
end

--- Messages also go to the end of a file; nil ends that.
-- @param path the file; it is made where it is missing
-- @param options a level, or a table: level ("debug": all messages), max_size (10 MB; 0: no limit),
-- keep (3: so many older files stay, `path.1` the newest)
-- @return true, or nil, message, code
-- @usage local path = os.tmpname(); assert(lrn.log.file(path, { max_size = 1 << 20 }));
-- lrn.log.file(nil); os.remove(path)
function M.file(path, options)
  local file, message, code
  if path ~= nil then
    file, message, code = open("log.file", path, options)
    if not file then return nil, message, code end
  end
  if state.main then close(state.main) end
  state.main = file
  return true
end

local tee = { __name = "lrn.LogFile" }
tee.__index = tee

--- One more file that gets the messages, until its `close`; a run of training has its own.
-- @param path, options as for log.file
-- @return an object with close, also as `<close>` variable; or nil, message, code
-- @usage local path = os.tmpname()
-- do local copy <close> = assert(lrn.log.tee(path)); lrn.log.info "hello" end
-- os.remove(path)
function M.tee(path, options)
  local file, message, code = open("log.tee", path, options)
  if not file then return nil, message, code end
  return setmetatable({ file = file }, tee)
end

function tee:close()
  close(self.file)
end

tee.__close = tee.close

-- }===

local function level_number(where, name)
  return number[check.value(where, "level", name, { "string", choices = levels })]
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
  state.out = check.value("log.output", "file", file, { "writer" })
end

local function text(level, format, ...)
  if select("#", ...) == 0 then return tostring(format) end
  local ok, message = pcall(string.format, tostring(format), ...)
  if not ok then
    check.raise("value", "log.%s: format: got %s: %s", level, check.show(format),
      tostring(message):match "%((.*)%)$" or message)
  end
  return message
end

local function console(level, line)
  if not state.out then
    progress.write(line)
  elseif io.type(state.out) == "closed file" then
    check.raise("state", "log.%s: output: got a closed file", level)
  else
    state.out:write(line)
  end
end

local function write(level, name, format, ...)
  if state.complaint then
    local complaint = state.complaint
    state.complaint = nil
    write("warn", nil, "%s", complaint)
  end
  local n = number[level]
  local wanted = n >= state.console
  for _, file in ipairs(state.files) do wanted = wanted or n >= file.level end
  if not wanted then return end
  local line = ("%s %-5s %s%s\n"):format(os.date("%Y-%m-%d %H:%M:%S"), level:upper(),
    name and name .. ": " or "", text(level, format, ...))
  if n >= state.console then console(level, line) end
  for _, file in ipairs(state.files) do
    if n >= file.level then
      local ok, message = append(file, line)
      if not ok and not file.failed and state.console < number.off then
        console(level, ("lrn.log: %s; its messages are lost until it can be written again\n")
          :format(message))
      end
      file.failed = not ok
    end
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
