--- A session of a prompt: takes inputs, runs them, writes what they give.
-- It knows no terminal, so that a program with a console of its own can use it.
local check = require "lrn.check"
local color = require "lrn.repl.color"
local commands = require "lrn.repl.commands"
local complete = require "lrn.repl.complete"
local inspect = require "lrn.repl.inspect"
local locals = require "lrn.repl.locals"
local stack = require "lrn.repl.stack"

local concat, pack, unpack = table.concat, table.pack, table.unpack
local ipairs, pcall, select, setmetatable, tostring, type, xpcall = ipairs, pcall, select,
  setmetatable, tostring, type, xpcall
local globals, io, max = _G, io, math.max
local getinfo, traceback, getmetatable = debug.getinfo, debug.traceback, debug.getmetatable

local M = {}

--- Methods of a session.
M.methods = {}
local methods = M.methods
local meta = { __index = methods, __name = "lrn.Session" }

local function ignore() end

local rules = {
  env = { "table" },
  write = { "function", function(text) io.stdout:write(text) end },
  write_error = { "function", function(text) io.stderr:write(text) end },
  call = { "function", xpcall },
  color = { "boolean", false },
  color_errors = { "boolean", false },
  width = { "function", function() return 80 end },
  remember = { "function", ignore },
  files = { "function" },
}

--- A new session.
-- @param options env: the globals (_G); write, write_error: `f(text)` for results and errors; call:
-- what runs an input, like xpcall; color, color_errors: escape sequences in what is written; width:
-- `f()` gives the columns there are; remember: `f(input)` before a whole input runs; files:
-- `f(folder)` gives the names in it, for completion
-- @usage local s = lrn.repl.session{ write = function(text) assert(text == "2\n") end }
-- assert(s:input "1 + 1" == "done")
function M.new(options)
  local self = check.options("repl.session", options, rules)
  self.env = self.env or globals
  self.scope = locals.new(self.env)
  self.inputs = {}
  return setmetatable(self, meta)
end

-- {=== Errors ===

local ours = getinfo(1, "S").source:match "^(.*)repl/session%.lua$" or "\0"

-- The stack between an error and the chunk f, without functions of lrn; "" where that says no more
-- than the message. Of a deep one the first and the last ten levels.
local function trace(f)
  local found, deepest = stack.find(f)
  local last = found or deepest
  local lines, c_lines, own = {}, 0, 0
  local function drop_c() -- functions of C that lrn called, or that called it
    for _ = 1, c_lines do lines[#lines] = nil end
    c_lines = 0
  end
  local level = 3
  while level <= last do
    if level == 13 and last > 22 then
      level = last - 9
      lines[#lines + 1], c_lines = ("...\t(skipping %d levels)"):format(level - 13), 0
    end
    local stop = level + 9 -- traceback shows ten levels before it leaves some out
    for line in traceback("", level):gmatch "\n\t([^\n]*)" do
      if level > stop or level > last then break end
      local info = getinfo(level, "Sf")
      if info.func == methods.run then last = level end -- f made a tail call
      if info.source:sub(1, #ours) == ours then
        drop_c()
      else
        lines[#lines + 1] = level == found and line:gsub(": in .*$", ": in main chunk") or line
        c_lines = info.what == "C" and c_lines + 1 or 0
        if info.what ~= "C" and level ~= found then own = own + 1 end
      end
      level = level + 1
    end
  end
  return own > 0 and "\nstack traceback:\n\t" .. concat(lines, "\n\t") or ""
end

local function message_of(e)
  if type(e) == "string" or type(e) == "number" then return tostring(e), true end
  local m = getmetatable(e)
  if type(m) == "table" and m.__tostring ~= nil then
    local ok, text = pcall(tostring, e)
    if ok then return text, false end
  end
  return ("(error object is a %s value)"):format(type(e)), true
end

--- Writes an error.
-- @usage lrn.repl.session{ write_error = function(text) assert(text == "oops\n") end }:fail "oops"
function methods:fail(message)
  message = tostring(message)
  self.write_error((self.color_errors and color.paint("error", message) or message) .. "\n")
end

-- ===}

-- {=== Running ===

--- Calls f; its error is written, with the stack above f.
-- @return true and what f returned, or false
-- @usage assert(lrn.repl.session():run(function() return true end))
function methods:run(f, failed)
  check.value("run", "f", f, { "callable", required = true })
  check.value("run", "failed", failed, { "callable" })
  local results = pack(self.call(f, function(e)
    if failed then failed() end
    local message, wants_trace = message_of(e)
    return wants_trace and message .. trace(f) or message
  end))
  if results[1] then return unpack(results, 1, results.n) end
  self:fail(results[2])
  return false
end

--- A value as this session shows it.
-- @usage assert(lrn.repl.session():inspect "x" == '"x"')
function methods:inspect(v, options)
  local o = check.value("inspect", "options", options, { "table", {} })
  return inspect.text(v, o.width or max(20, self.width()),
    o.paint or self.color and color.paint or color.plain, o.depth, o.items)
end

--- Writes results and keeps the first: `_` is it, `__` the one before.
-- @usage lrn.repl.session{ write = function(text) assert(text == "1\tnil\n") end }:show(1, nil)
function methods:show(...)
  local n = select("#", ...)
  if n == 0 then return end
  local last, had = self.scope:get "_"
  if had then self.scope:set("__", last) end
  self.scope:set("_", (...))
  local values = pack(...)
  self:run(function()
    local texts, lines = {}, false
    for i = 1, n do
      texts[i] = self:inspect(values[i])
      lines = lines or texts[i]:find("\n", 1, true) ~= nil
    end
    self.write(concat(texts, lines and "\n" or "\t") .. "\n")
  end)
end

--- Keeps an input: in the list `inputs`, and where `remember` puts it.
-- @usage local s = lrn.repl.session(); s:note "1 + 1"; assert(s.inputs[1] == "1 + 1")
function methods:note(input)
  check.value("note", "input", input, { "string", required = true })
  if not input:find "%S" then return end
  self.inputs[#self.inputs + 1] = input
  self.remember(input)
end

--- Compiles an input and keeps it.
-- @param text the code
-- @param input what was typed for it (text)
-- @return what `perform` takes; false where it is no code, which is written; nil and a message
-- where it is not whole
-- @usage local chunk, message = lrn.repl.session():compile "for i = 1,"
-- assert(chunk == nil and message:find "<eof>")
function methods:compile(text, input)
  check.value("compile", "text", text, { "string", required = true })
  check.value("compile", "input", input, { "string" })
  local chunk, message, incomplete = self.scope:compile(text)
  if incomplete then return nil, message end
  self:note(input or text)
  if chunk then return chunk end
  self:fail(message)
  return false
end

--- Runs what `compile` gave; its locals are kept.
-- @return true and the results; false where it failed, which is written
-- @usage local s = lrn.repl.session(); s:perform(s:compile "local x = 2")
-- assert(select(2, s:perform(s:compile "x")) == 2)
function methods:perform(chunk)
  check.value("perform", "chunk", chunk, { "table", required = true })
  if type(chunk.f) ~= "function" or type(chunk.finish) ~= "function" then
    check.raise("type", "perform: chunk: got a table, expected what compile gave")
  end
  local results = pack(self:run(chunk.f, chunk.failed))
  if not results[1] then return false end
  return true, chunk.finish(unpack(results, 2, results.n))
end

--- Takes an input: Lua, `=expression`, `?name`, `name?` or `%command`.
-- @return "done"; or "more" and a message where the input is not whole
-- @usage local s = lrn.repl.session{ write = function() end }
-- assert(s:input "for i = 1, 2 do" == "more")
-- assert(s:input "for i = 1, 2 do\nend" == "done")
function methods:input(text)
  check.value("input", "text", text, { "string", required = true })
  local command = commands.find(text)
  if command then return commands.run(self, command) end
  local chunk, message = self:compile((text:gsub("^=", "return ", 1)), text)
  if chunk == nil then return "more", message end
  if chunk then
    local results = pack(self:perform(chunk))
    if results[1] then self:show(unpack(results, 2, results.n)) end
  end
  return "done"
end

--- What could stand at a place of an input; see `lrn.repl.complete`.
-- @usage assert(lrn.repl.session():complete "string.rep"[1] == "rep")
function methods:complete(text, pos)
  check.value("complete", "text", text, { "string", required = true })
  pos = check.value("complete", "pos", pos, { "integer" })
  return complete.words(text, pos or -1, self.env, { names = self.scope:names(),
    lookup = function(name) return (self.scope:get(name)) end, files = self.files,
    commands = commands.names() })
end

-- ===}

check.class("Session", methods,
  function(v) return type(v) == "table" and getmetatable(v) == meta end)

return M
