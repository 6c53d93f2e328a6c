-- A terminal for specs: tmux, with a server of its own. Waiting is polling the screen.
local Terminal = {}
Terminal.__index = Terminal

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

local function output(command)
  local p = assert(io.popen(command))
  local text = p:read "a"
  p:close()
  return text
end

-- Opens a terminal in which a shell command line runs; nil where tmux is not there or cannot.
function Terminal.open(command, columns, rows)
  if os.execute "command -v tmux > /dev/null" ~= true then return nil end
  local name = os.tmpname() -- unique among processes, whatever the seed of math.random
  os.remove(name)
  local self = setmetatable({ tmux = "tmux -L lrn-spec-" .. name:match "[^/]+$" }, Terminal)
  local made = os.execute((self.tmux .. " -f /dev/null new-session -d -s x -x %d -y %d %s \z
    2> /dev/null"):format(columns or 100, rows or 30, quote(command)))
  return made and self or nil
end

-- Keys by tmux's names: "C-c", "Enter", "Up".
function Terminal:keys(...)
  for _, key in ipairs { ... } do os.execute(self.tmux .. " send-keys -t x " .. key) end
end

-- Text as it is, without Enter.
function Terminal:type(text)
  os.execute(self.tmux .. " send-keys -t x -l " .. quote(text))
end

function Terminal:line(text)
  self:type(text)
  self:keys "Enter"
end

-- As one paste, bracketed where the program asked for that.
function Terminal:paste(text, plain)
  local name = os.tmpname()
  local f = assert(io.open(name, "w"))
  f:write(text)
  f:close()
  os.execute(("%s load-buffer %s; %s paste-buffer %s -t x"):format(self.tmux, name, self.tmux,
    plain and "" or "-p"))
  os.remove(name)
end

-- What stands there; with escape sequences where `escapes`.
function Terminal:screen(escapes)
  return output(self.tmux .. " capture-pane -p -t x " .. (escapes and "-e" or ""))
end

local function poll(what, self, test)
  local last
  for _ = 1, 200 do
    last = self:screen()
    if test(last) then return last end
    os.execute "sleep 0.05"
  end
  error(("%s did not come: %s"):format(what, last), 3)
end

-- Until that text is on the screen.
function Terminal:wait(text)
  return poll(("%q"):format(text), self, function(screen) return screen:find(text, 1, true) end)
end

-- Until the last line of the screen is that.
function Terminal:wait_last(text)
  return poll(("a last line %q"):format(text), self, function(screen)
    return screen:gsub("%s+$", ""):match "[^\n]*$" == text
  end)
end

-- A line, and all that it does until the next prompt: what is typed earlier is echoed twice, at
-- once and by the editor.
function Terminal:enter(text)
  local function last(screen) return screen:gsub("%s+$", ""):match "[^\n]*$" end
  local shown = text:gsub("%s+$", "")
  self:type(text)
  poll(("%q"):format(shown), self, function(screen)
    return shown == "" or last(screen):sub(-#shown) == shown
  end)
  self:keys "Enter"
  poll("a prompt", self, function(screen) return last(screen) == ">" or last(screen) == ">>" end)
end

-- Until the program has ended.
function Terminal:wait_end()
  for _ = 1, 200 do
    if not os.execute(self.tmux .. " has-session -t x 2> /dev/null") then return end
    os.execute "sleep 0.05"
  end
  error("the program does not end: " .. self:screen(), 2)
end

function Terminal:resize(columns, rows)
  os.execute(("%s resize-window -t x -x %d -y %d"):format(self.tmux, columns, rows))
end

-- The process that the shell command became (exec).
function Terminal:pid()
  return math.tointeger(output(self.tmux .. " display-message -p -t x '#{pane_pid}'"))
end

function Terminal:close()
  os.execute(self.tmux .. " kill-server 2> /dev/null")
end

Terminal.__close = Terminal.close

return Terminal
