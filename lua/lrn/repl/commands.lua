--- The commands of the prompt: `%time`, `?name` and the others.
local core = require "lrn.core"
local check = require "lrn.check"
local complete = require "lrn.repl.complete"

local debug, io, math, os, table, utf8 = debug, io, math, os, table, utf8
local collectgarbage, ipairs, load, loadfile, next = collectgarbage, ipairs, load, loadfile, next
local rawget, require, tostring, type = rawget, require, tostring, type

local M = {}

-- {=== Texts ===

local units = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 1e-9, "ns" } }

local function seconds(t)
  for _, unit in ipairs(units) do
    if t >= unit[1] or unit[2] == "ns" then
      return ("%.3g %s"):format(t / unit[1], unit[2])
    end
  end
end

local function bytes(n)
  if n < 1024 then return ("%d bytes"):format(n) end
  for _, unit in ipairs { "kB", "MB", "GB" } do
    n = n / 1024
    if n < 1024 or unit == "GB" then return ("%.1f %s"):format(n, unit) end
  end
end

local function rows_text(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i = 1, #row - 1 do widths[i] = math.max(widths[i] or 0, utf8.len(row[i]) or #row[i]) end
  end
  local lines = {}
  for _, row in ipairs(rows) do
    local line = ""
    for i = 1, #row do
      line = line .. row[i]
      if i < #row then line = line .. (" "):rep(widths[i] - (utf8.len(row[i]) or #row[i]) + 2) end
    end
    lines[#lines + 1] = line
  end
  return table.concat(lines, "\n") .. "\n"
end

-- ===}

-- {=== Help ===

local function summary(session, v)
  local text = session:inspect(v, { depth = 1, items = 10, width = 10000,
    paint = function(_, plain) return plain end })
  return (text:gsub("\n.*$", " ..."))
end

-- A line of at most so many columns.
local function cut(line, width)
  local n = utf8.len(line)
  if not n or n <= width then return line end
  return line:sub(1, utf8.offset(line, width - 2) - 1) .. "..."
end

-- Lines that are longer than the terminal, broken between words, deeper than they begin.
local function fold(text, width)
  width = math.max(40, math.min(width, 100))
  return (text:gsub("[^\n]+", function(line)
    if (utf8.len(line) or #line) <= width then return nil end
    local indent = line:match "^ *" .. "    "
    local out, column = {}, 0
    for space, word in line:gmatch "(%s*)(%S+)" do
      local n = utf8.len(word) or #word
      if column > 0 and column + #space + n > width then
        out[#out + 1] = "\n" .. indent
        column, space = #indent, ""
      end
      out[#out + 1] = space .. word
      column = column + #space + n
    end
    return table.concat(out)
  end))
end

-- ?name, ?variable, ?"words", ?
local function explain(session, topic)
  local help = require "lrn.help"
  local function show(text) session.write(fold(text, session.width()) .. "\n") end
  local words = topic:match "^(['\"]).*%1$" and topic:sub(2, -2)
  if words then return show(help.text(words)) end
  topic = topic:gsub("^lrn$", "")
  if topic == "" then return show(help.text()) end
  local entry = help.find(topic)
  if entry then return show(help.text(entry.name)) end
  local value, name = complete.value_of(topic, complete.lookup(session.env, function(variable)
    return (session.scope:get(variable))
  end))
  if value == nil then return show(name and help.text(name) or help.text(topic)) end
  if type(value) ~= "function" then
    session.write(topic .. ": " .. type(value) .. "\n" .. session:inspect(value) .. "\n")
    if name then show("\n" .. help.text(name)) end
  elseif name then
    show(help.text(name))
  else
    local info = debug.getinfo(value, "Su")
    show(topic .. ": function" .. (info.what == "C" and " in C" or
      (" of %d%s argument%s, %s:%d"):format(info.nparams, info.isvararg and " or more" or "",
        info.nparams == 1 and not info.isvararg and "" or "s", info.short_src, info.linedefined)))
  end
end

-- ===}

-- {=== Time ===

local function time(session, text, input)
  local chunk, message = session:compile(text, input)
  if not chunk then return chunk == nil and "more", message end
  local wall, cpu = core.clock(), os.clock()
  local results = table.pack(session:perform(chunk))
  wall, cpu = core.clock() - wall, os.clock() - cpu
  if results[1] then
    session:show(table.unpack(results, 2, results.n))
    session.write(("time: %s  (CPU %s)\n"):format(seconds(wall), seconds(cpu)))
  end
end

local function timeit(session, text, input)
  local loops, repeats = nil, 7
  while true do
    local option, n, rest = text:match "^%-([nr])%s*(%d+)%s+(.*)$"
    if not option then break end
    n = math.tointeger(n)
    if n < 1 then return session:fail "%timeit: -n and -r: got 0, expected 1 or more" end
    if option == "n" then loops = n else repeats = n end
    text = rest
  end
  if not text:find "%S" then
    return session:fail "%timeit: what? %timeit [-n loops] [-r runs] code"
  end
  local chunk, message = session:compile(text, input)
  if not chunk then return chunk == nil and "more", message end
  local expression = load("return " .. text, "=", "t") ~= nil
  chunk, message = session.scope:compile((
    "return function(lrn_n) for lrn_i = 1, lrn_n do %s%s\nend end"):format(
    expression and "local lrn_x = " or "", text))
  if not chunk then return session:fail(message) end
  local ok, f = session:run(chunk.f)
  local times = {}
  ok = ok and session:run(function()
    local function took(n)
      local start = core.clock()
      f(n)
      return core.clock() - start
    end
    if not loops then -- 1, 2, 5, 10 ... until a run takes a tenth of a second
      loops = 1
      while took(loops) < 0.1 do
        loops = tostring(loops):find "^2" and loops * 5 // 2 or loops * 2
      end
    end
    for i = 1, repeats do times[i] = took(loops) / loops end
  end)
  if not ok then return end
  local sum, square, best = 0, 0, math.huge
  for _, t in ipairs(times) do sum, best = sum + t, math.min(best, t) end
  local mean = sum / repeats
  for _, t in ipairs(times) do square = square + (t - mean) ^ 2 end
  session.write(("%s +- %s a loop (mean and deviation of %d runs, %d loops each), best %s\n")
    :format(seconds(mean), seconds((square / repeats) ^ 0.5), repeats, loops, seconds(best)))
end

-- ===}

-- {=== What there is ===

local standard = {}
for name in ([[_G _VERSION arg assert collectgarbage coroutine debug dofile error getmetatable io
    ipairs load loadfile lrn math next os package pairs pcall print rawequal rawget rawlen rawset
    require select setmetatable string table tonumber tostring type utf8 warn
    xpcall]]):gmatch "%S+" do
  standard[name] = true
end

local function who(session, pattern)
  local rows, names = {}, {}
  local function add(name, value, where)
    if pattern ~= "" and not name:find(pattern, 1, true) then return end
    local meta = debug.getmetatable(value)
    local class = type(meta) == "table" and type(value) ~= "string" and rawget(meta, "__name")
    names[#names + 1] = name
    rows[name] = { name, where, type(class) == "string" and class or type(value),
      summary(session, value) }
  end
  for name, value in next, session.env do
    if type(name) == "string" and not standard[name] then add(name, value, "global") end
  end
  for _, name in ipairs(session.scope:names()) do
    if name ~= "_" and name ~= "__" then
      if rows[name] then -- the local one is what inputs see
        for i = #names, 1, -1 do
          if names[i] == name then table.remove(names, i) end
        end
      end
      add(name, (session.scope:get(name)), "local")
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do rows[i] = rows[name] end
  if #names == 0 then return session.write "nothing yet\n" end
  session.write((rows_text(rows):gsub("[^\n]+", function(line)
    return cut(line, session.width())
  end)))
end

local function mem(session)
  local m = core.memory()
  local rows = {
    { "tensors and models", bytes(m.live_bytes) .. (" in %d blocks"):format(m.live_blocks) },
    { "their peak", bytes(m.peak_bytes) },
    { "Lua", bytes(collectgarbage "count" * 1024 // 1 | 0) } }
  local status = io.open "/proc/self/status"
  if status then
    local text = status:read "a"
    status:close()
    local resident, peak = text:match "VmRSS:%s*(%d+)", text:match "VmHWM:%s*(%d+)"
    if resident and peak then
      rows[4] = { "process", bytes(resident * 1024) .. ", at most " .. bytes(peak * 1024) }
    end
  end
  session.write(rows_text(rows))
end

local function device(session)
  local lrn = require "lrn"
  local set = core.set()
  local yes, why = lrn.cuda.available()
  session.write(rows_text {
    { "devices", table.concat(lrn.devices(), ", ") },
    { "CUDA", yes and "yes" or "no: " .. tostring(why) },
    { "CPU", ("%s kernels, OpenBLAS for %s, threads: %d"):format(lrn.build.isa, lrn.build.blas,
      set.threads) },
    { "dtype", set.dtype .. " for new tensors" } })
end

local function history(session, text)
  local first, last, word = 1, #session.inputs - 1, nil -- without this one
  if text:find "^%d+$" then
    first = math.max(1, last - math.tointeger(text) + 1)
  elseif text ~= "" then
    word = text
  end
  local out = {}
  for i = first, last do
    if not word or session.inputs[i]:find(word, 1, true) then
      out[#out + 1] = ("%4d  %s\n"):format(i, (session.inputs[i]:gsub("\n", "\n      ")))
    end
  end
  session.write(table.concat(out))
end

local function run_file(session, text)
  local words = {}
  for word in text:gmatch "%S+" do words[#words + 1] = word end
  local quoted, rest = text:match "^([\"'].-[\"'])%s*(.*)$"
  if quoted then
    words = { quoted:sub(2, -2) }
    for word in rest:gmatch "%S+" do words[#words + 1] = word end
  end
  local name = words[1]
  if not name then return session:fail "%run: which file? %run file [arguments]" end
  local path = name
  if name:sub(1, 2) == "~/" and os.getenv "HOME" then path = os.getenv "HOME" .. name:sub(2) end
  local chunk, message = loadfile(path, "t", session.env)
  if not chunk then return session:fail(message) end
  local old = session.env.arg
  session.env.arg = table.move(words, 1, #words, 0, {})
  local ok = session:run(function() chunk(table.unpack(words, 2)) end)
  session.env.arg = old
  return ok
end

-- ===}

local commands

local function list(session, topic)
  if topic ~= "" then return explain(session, topic) end
  local rows = {}
  for _, c in ipairs(commands) do rows[#rows + 1] = { "%" .. c[1] .. " " .. c[2], c[3] } end
  session.write(rows_text(rows) .. [[
?name        what a function, an option, a variable is: ?lrn.zeros  ?rbm.fit  ?"words"
_  __        the last result, and the one before
Tab          completes names, fields, methods, options, and files in quotes
Up, Ctrl-R   earlier inputs, and search in them;  Ctrl-C drops the line;  Ctrl-D ends
local x = 1  is kept for later inputs; code that load or require reads does not see it
]])
end

-- name, arguments, text, function; code: what follows is Lua, perhaps of several lines
commands = {
  { "help", "[name]", "this list, or what ?name says", list },
  { "time", "code", "runs it and says how long it took", time, code = true },
  { "timeit", "[-n loops] [-r runs] code", "times it in a loop", timeit, code = true },
  { "who", "[part]", "variables and what they hold", who },
  { "run", "file [arguments]", "runs a file; its globals stay", run_file },
  { "mem", "", "memory of tensors, of Lua, of the process", mem },
  { "device", "", "what computes here", device },
  { "history", "[n | word]", "inputs of this session", history },
}

--- The words that may follow `%`.
function M.names()
  local names = {}
  for i, c in ipairs(commands) do names[i] = c[1] end
  return names
end

--- Is an input a command? Then what `run` takes, else nil.
function M.find(text)
  local line = text:match "^%s*(.-)%s*$"
  if line:sub(1, 1) == "?" then return { explain, line:match "^%?%s*(.*)$", text } end
  local asked = line:match "^([%a_][%w_.:]*)%s*%?$"
  if asked then return { explain, asked, text } end
  if line:sub(1, 1) ~= "%" then return nil end
  local name, rest = line:match "^%%([%w_]*)%s*(.*)$"
  for _, c in ipairs(commands) do
    if c[1] == name then return { c[4], rest, text, code = c.code } end
  end
  return { function(session)
    local near = check.nearest(name, M.names())
    session:fail(("%%%s: unknown command%s; there are: %%%s"):format(name,
      near and " (did you mean %" .. near .. "?)" or "", table.concat(M.names(), ", %")))
  end, rest, text }
end

--- Runs what `find` found. "done"; or "more" and a message where its code is not whole.
function M.run(session, command)
  if not command.code then session:note(command[3]) end
  local more, message = command[1](session, command[2], command[3])
  if more == "more" then return more, message end
  return "done"
end

return M
