-- Starts spec/support/http_server.py for a spec: a web server on the loopback that misbehaves as it
-- is told.
local program = dofile "spec/support/program.lua"
local quote = program.quote

local M = {}
local methods = {}
local meta = { __index = methods }

local function read(path)
  local f <close> = assert(io.open(path, "rb"))
  return f:read "a"
end

local function has(command)
  return (os.execute("command -v " .. command .. " > /dev/null 2>&1"))
end

-- A server of the files in a folder; nil and why where there can be none.
function M.serve(folder)
  if not has "python3" then return nil, "no python3" end
  local base = os.tmpname()
  local self = setmetatable({ base = base, report = base .. ".report" }, meta)
  local tls = ""
  if has "openssl" then
    self.certificate = base .. ".pem"
    local made = os.execute(("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lrn \z
      -addext subjectAltName=IP:127.0.0.1 -keyout %s.key -out %s.pem > /dev/null 2>&1"):format(base,
      base))
    if made then tls = quote(base .. ".pem") .. " " .. quote(base .. ".key") end
  end
  self.tls = tls ~= ""
  self.pipe = assert(io.popen(("exec python3 spec/support/http_server.py %s %s %s"):format(
    quote(folder), quote(self.report), tls), "w"))
  for _ = 1, 200 do
    local f = io.open(self.report)
    local text = f and f:read "l"
    if f then f:close() end
    self.port, self.tls_port, self.silent_port = (text or ""):match "^(%d+) (%d+) (%d+)$"
    if self.port then return self end
    os.execute "sleep 0.05"
  end
  self:close()
  return nil, "the server does not start"
end

-- http://127.0.0.1:PORT/PATH
function methods:url(path)
  return ("http://127.0.0.1:%s/%s"):format(self.port, path)
end

function methods:secure(path)
  return ("https://127.0.0.1:%s/%s"):format(self.tls_port, path)
end

-- The requests since the last call: a list of { path, range }.
function methods:requests()
  local list, n = {}, 0
  for path, range in read(self.report):gmatch "(/%S*) ([^\n]*)\n" do
    n = n + 1
    if n > (self.seen or 0) then list[#list + 1] = { path, range } end
  end
  self.seen = n
  return list
end

function methods:close()
  self.pipe:close()
  for _, ending in ipairs { "", ".report", ".pem", ".key" } do os.remove(self.base .. ending) end
end

return M
