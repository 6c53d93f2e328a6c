--- The prompt at a terminal: reads inputs, edited by libedit where that is there, and keeps them.
local core = require "lrn.core"
local color = require "lrn.repl.color"
local history = require "lrn.repl.history"
local sessions = require "lrn.repl.session"

local io, math, os, package, table, utf8 = io, math, os, package, table, utf8
local ipairs, pcall, tostring, warn = ipairs, pcall, tostring, warn

local M = {}

local LISTED = 200 -- names below a line
local LITERAL = "\1" -- around escape sequences, for libedit: they have no width

-- The editor (src/program/editor.c); nil where there is none or the terminal cannot do it.
local function open_editor()
  local term = os.getenv "TERM"
  if not term or term == "" or term == "dumb" or not core.isatty(1) then return nil end
  local open = package.loadlib(core.library_folder() .. "/liblrn_edit.so", "luaopen_lrn_edit")
  local editor = open and open()
  return editor and editor.open() and editor or nil
end

local function common_prefix(list)
  local first, last, n = list[1], list[#list], 0
  while n < #first and first:byte(n + 1) == last:byte(n + 1) do n = n + 1 end
  while n > 0 and n < #first and first:byte(n + 1) & 0xC0 == 0x80 do n = n - 1 end
  return first:sub(1, n)
end

--- Words in columns, read downwards.
function M.columns(list, width)
  local widest, shown = 0, math.min(#list, LISTED)
  for i = 1, shown do widest = math.max(widest, utf8.len(list[i]) or #list[i]) end
  local columns = math.max(1, (width + 1) // (widest + 2))
  local rows = (shown + columns - 1) // columns
  local lines = {}
  for row = 1, rows do
    local line = ""
    for i = row, shown, rows do
      local space = widest + 2 - (utf8.len(list[i]) or #list[i])
      line = line .. list[i] .. (i + rows <= shown and (" "):rep(space) or "")
    end
    lines[row] = line
  end
  if shown < #list then lines[rows + 1] = ("... %d more"):format(#list - shown) end
  return table.concat(lines, "\n") .. "\n"
end

--- What Tab does: the text to insert at the cursor, and one to show below the line, or nil.
-- @param list, from what `complete` gave for `text`, which ends at the cursor
function M.tab(text, list, from, width)
  if #list == 0 then return "" end
  local typed = #text - from + 1
  local insert = common_prefix(list):sub(typed + 1)
  if #list == 1 or insert ~= "" then return insert end
  return "", M.columns(list, width)
end

-- A prompt of the user, _PROMPT or _PROMPT2, or ours in colour.
local function prompt_text(env, name, default, painted, literal)
  local ok, text = pcall(function()
    local value = env[name]
    return value ~= nil and tostring(value) or nil
  end)
  text = ok and text or painted and color.paint("prompt", default) .. " " or default .. " "
  if literal then text = text:gsub("\27%[[%d;]*%a", LITERAL .. "%0" .. LITERAL) end
  -- libedit ties a sequence to the character behind it
  return (text:gsub("^(.*)([^\1])(\1[^\1]*\1)$", "%1%3%2"))
end

-- Keeps inputs in the file of the history; says once why it cannot.
local function keeper(path, append, editor)
  local last, complained
  if path then
    local inputs = editor and history.load(path) or {}
    for _, input in ipairs(inputs) do editor.add(input) end
    last = inputs[#inputs]
  end
  return function(input)
    if editor then editor.add(input) end
    local line = path and history.encode(input)
    if not line or input == last then return end
    last = input
    local made, message = core.mkdir(path:match "^(.*)/" or ".")
    if made then made, message = append(path, line, history.LIMIT) end
    if not made and not complained then
      complained = true
      warn("history is not kept: ", tostring(message))
    end
  end
end

--- Reads and runs inputs until Ctrl-D.
-- @param program what src/program/prompt.c gives: read, call, append, files
function M.run(program)
  local editor = open_editor()
  local painted = color.wanted(core.isatty(1))
  local function width() return core.terminal_size(1) or 80 end
  local session = sessions.new { call = program.call, files = program.files, color = painted,
    color_errors = color.wanted(core.isatty(2)), width = width,
    write_error = function(text)
      io.stdout:flush()
      io.stderr:write(text)
    end,
    remember = keeper(history.path(), program.append, editor) }
  local env, above = session.env, "" -- lines of the input that are typed already

  local function tab(before, after)
    if not before:find "%S" then return "  " end
    local text = above .. before
    local list, from = session:complete(text)
    local word = list[1] and list[1]:sub(#text - from + 2)
    if #list == 1 and after:sub(1, #word) == word then return "" end -- it stands there
    return M.tab(text, list, from, width())
  end

  local function read(first)
    local text = first and prompt_text(env, "_PROMPT", ">", painted, editor) or
      prompt_text(env, "_PROMPT2", ">>", painted, editor)
    if editor then return editor.read(text, tab) end
    return program.read(text)
  end

  io.stdout:write("?name explains, ", editor and "Tab completes, " or "",
    "%help lists more, Ctrl-D ends\n")
  while true do
    above = ""
    local text, why = read(true)
    while text do
      local state, message = session:input(text)
      if state ~= "more" then break end
      above = text .. "\n"
      local line
      line, why = read(false)
      if not line and why == "end" then
        io.stdout:write "\n"
        session:fail(message)
      end
      why = nil
      text = line and above .. line
    end
    if why == "end" then break end
  end
  if editor then editor.close() end
  io.stdout:write "\n"
end

return M
