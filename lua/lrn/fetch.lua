--- Files from the network: `lrn.io.fetch`. A file is made whole beside its place, as path.part, and
-- renamed when its size and its checksum are right; see src/io/part.h. libcurl (src/bind/lcurl.c,
-- opened at first use) carries single requests; what to ask and what to believe is decided here.
local core = require "lrn.core"
local check = require "lrn.check"
local progress = require "lrn.progress"

local M = {}

local LIBRARY = "liblrn_curl.so"
local STEP = 0.05 -- seconds within libcurl, between which Ctrl-C is seen
local HOPS = 5 -- redirections of a request
local CUTS = 20 -- transfers of a mirror that break off, as long as each brings something
local SHORTEST = 0.3 -- seconds for a connection, however many mirrors were tried before

local rules = { sha256 = { "string" }, size = { "integer", nil, min = 0 },
  timeout = { "number", 20, min = 0.1 }, connect_timeout = { "number", 4, min = 0.1 },
  progress = { "boolean", true } }

-- {=== The library, and whether it may be used ===

local opened

--- The binding of libcurl; or nil and why there is none.
function M.library()
  if opened then return opened end
  local path = core.library_folder() .. "/" .. LIBRARY
  if not core.exists(path) then return nil, "this lrn was built without libcurl (LRN_CURL)" end
  local open, message = package.loadlib(path, "luaopen_lrn_curl")
  if not open then return nil, message end
  opened = open()
  return opened
end

--- Does LRN_OFFLINE forbid the network?
function M.offline()
  local value = os.getenv "LRN_OFFLINE"
  return value ~= nil and value ~= "" and value ~= "0"
end

-- }===

-- {=== One request ===
-- Functions here return true; or nil, why, kind: "connect" (no answer), "cut" (it broke off),
-- "silent" (it stopped sending), "redirect" (why: where to), "restart" (no use in asking for a
-- part), "answer" (a useless answer), "disk" (with a code).

-- Whether what the answer announces is what was asked for. The part begins again where it must.
local function accept(job, from, t)
  local status, length, range, target, delimited = t:response()
  if target then return nil, target, "redirect" end
  if status == 416 and from > 0 then return nil, "it refuses to go on", "restart" end
  if status ~= 200 and not (status == 206 and from > 0) then
    return nil, ("it answers with status %d"):format(status), "answer"
  end
  local total
  if status == 206 then
    local first, all = (range or ""):match "^%s*bytes%s+(%d+)%-%d+/(%S+)"
    if tonumber(first) ~= from then return nil, "it sends another part", "restart" end
    total = math.tointeger(tonumber(all)) or length and from + length
  else
    if from > 0 then
      local ok, message, code = job.part:clear()
      if not ok then return nil, message, "disk", code end
    end
    total = length
  end
  if job.size and total and total ~= job.size then
    return nil, ("it has %d bytes, expected %d"):format(total, job.size), "answer"
  end
  if not (job.size or job.sha256 or delimited) then
    return nil, "it does not say how long the file is; the option size or sha256 would", "answer"
  end
  job.total = job.size or total
  return true
end

local function write(job, bytes)
  if job.size and job.part:size() + #bytes > job.size then
    job.part:clear()
    return nil, ("it sends more than the %d bytes expected"):format(job.size), "answer"
  end
  local ok, message, code = job.part:write(bytes)
  if not ok then return nil, message, "disk", code end
  if job.bar then job.bar:update(#bytes) end
  return true
end

local function show(job, started)
  if not job.progress then return end
  job.bar = progress.new { total = job.total, initial = job.part:size(),
    desc = job.path:match "[^/]*$", unit = "B", unit_scale = true }
  job.bar.start = started -- its rate counts the wait for the first byte
end

local function request(job, url)
  local from = job.part:size()
  local share = job.mirrors > 1 and job.patience / 2 or job.patience -- half for who comes after
  local t <close> = job.curl.transfer(url, from, math.max(SHORTEST, share), "lrn/" .. core.version)
  local shown <close> = setmetatable({}, { __close = function()
    if job.bar then job.bar:close() end
    job.bar = nil
  end })
  local started = core.clock()
  local begun, last = false, started
  while true do
    local bytes, state, message = t:step(STEP)
    local now = core.clock()
    if not begun and (#bytes > 0 or state == "done") then
      local ok, why, kind, code = accept(job, from, t)
      if not ok then return nil, why, kind, code end
      show(job, started)
      begun = true
    end
    if #bytes > 0 then
      local ok, why, kind, code = write(job, bytes)
      if not ok then return nil, why, kind, code end
      last = now
    elseif state == "running" and now - last > job.timeout then
      return nil, ("no data for %g s"):format(job.timeout), "silent"
    end
    if state == "failed" then return nil, message, t:response() > 0 and "cut" or "connect" end
    if state == "done" then
      if job.size and job.part:size() < job.size then
        return nil, ("only %d of %d bytes came"):format(job.part:size(), job.size), "cut"
      end
      return true
    end
  end
end

local function scheme(url)
  return (url:match "^(%a[%w+.-]*)://" or ""):lower()
end

-- The same over redirections: to https, or from http to http.
local function follow(job, url)
  for _ = 0, HOPS do
    local start = core.clock()
    local ok, why, kind, code = request(job, url)
    if kind == "connect" then
      job.patience = math.max(0, job.patience - (core.clock() - start))
    end
    if kind ~= "redirect" then return ok, why, kind, code end
    local to = scheme(why)
    if to ~= "https" and not (to == "http" and scheme(url) == "http") then
      return nil, ("it redirects to %s, expected https%s"):format(why,
        scheme(url) == "http" and " or http" or ""), "answer"
    end
    url = why
  end
  return nil, ("it redirects more than %d times"):format(HOPS), "answer"
end

-- }===

-- {=== A file ===

-- Is what has come the file that was asked for?
local function verify(job)
  if not job.sha256 then return true end
  local found, message, code = job.part:sha256()
  if not found then return nil, message, "disk", code end
  if found == job.sha256 then return true end
  return nil, ("the SHA-256 of its %d bytes is %s, expected %s"):format(job.part:size(), found,
    job.sha256), "checksum"
end

-- From one mirror. What is there already is gone on with only where a checksum will say whether the
-- pieces fit; where they do not, the file is asked for again from its first byte.
local function from_mirror(job, url)
  local part, best, cuts, restarted = job.part, 0, 0, false
  while true do
    local resumed = part:size()
    if not job.sha256 or restarted or job.size and resumed > job.size then
      part:clear()
      resumed = 0
    end
    local ok, why, kind, code = true, nil, nil, nil
    if resumed == 0 or resumed ~= job.size then ok, why, kind, code = follow(job, url) end
    if ok then ok, why, kind, code = verify(job) end
    if ok then return true end
    if kind == "checksum" then part:clear() end
    if (kind == "checksum" and resumed > 0 or kind == "restart") and not restarted then
      restarted = true
    elseif kind == "cut" and job.sha256 and part:size() > best and cuts < CUTS then
      best, cuts, restarted = part:size(), cuts + 1, false
    else
      return nil, why, kind, code
    end
  end
end

-- From the mirrors in turn.
local function from_mirrors(job, urls)
  local reasons, last = {}, nil
  for i, url in ipairs(urls) do
    job.mirrors = #urls - i + 1
    local ok, why, kind, code = from_mirror(job, url)
    if ok then
      ok, why, code = job.part:commit()
      if ok then return true, url end
      return nil, why, code
    end
    if kind == "disk" then return nil, why, code end
    reasons[i], last = url .. ": " .. why, kind == "checksum" and "ECHECKSUM" or "ENETWORK"
  end
  return nil, ("fetch: %s: %s"):format(job.path, table.concat(reasons, "; ")), last
end

-- Is there a file that is the one asked for?
local function is_there(path, o)
  return o.sha256 ~= nil and core.exists(path) and core.sha256_file(path) == o.sha256
end

-- The part, as soon as no one else has it.
local function hold(curl, path, say)
  local part, message, code = core.part_open(path)
  if part == false and say then
    progress.write(("%s: another process fetches it; waiting\n"):format(path))
  end
  while part == false do
    curl.wait(STEP)
    part, message, code = core.part_open(path)
  end
  return part, message, code
end

-- The folder of a file: a list of those that had to be made, the lowest first.
local function make_folder(path)
  local made, folder = {}, path:match "^(.+)/"
  local lowest = folder
  while folder and not core.exists(folder) do
    made[#made + 1], folder = folder, folder:match "^(.+)/"
  end
  if #made == 0 then return made end
  local ok, message, code = core.mkdir(lowest)
  if ok then return made end
  return nil, "fetch: " .. message:gsub("^mkdir: ", ""), code
end

local function fetch_into(curl, urls, path, o)
  local part <close>, message, code = hold(curl, path, o.progress)
  if not part then return nil, message, code end
  if is_there(path, o) then -- another process was at it meanwhile
    part:discard()
    return true
  end
  local job <close> = setmetatable({ part = part, path = path, curl = curl, size = o.size,
    sha256 = o.sha256, timeout = o.timeout, progress = o.progress, patience = o.connect_timeout },
    { __close = function() if not o.sha256 then part:discard() end end })
  return from_mirrors(job, urls)
end

local function is_url(url)
  return type(url) == "string" and url:find "^[Hh][Tt][Tt][Pp][Ss]?://[^%s%c/]+[^%s%c]*$" ~= nil
end

local function check_urls(url)
  if type(url) == "table" then
    local urls = {}
    for i = 1, rawlen(url) do
      if not is_url(rawget(url, i)) then
        check.raise("value", "fetch: url[%d]: got %s, expected http://... or https://...", i,
          check.show(rawget(url, i)))
      end
      urls[i] = rawget(url, i)
    end
    if #urls > 0 then return urls end
    check.raise("value", "fetch: url: got an empty list, expected the addresses of mirrors")
  end
  check.value("fetch", "url", url, { "string|table", required = true })
  if is_url(url) then return { url } end
  return check.raise("value", "fetch: url: got %s, expected http://... or https://...",
    check.show(url))
end

--- Fetches a file over HTTP; the folder is made where it is missing. A file that is there under its
-- name is always whole: it comes as path.part and is renamed when its size and checksum are right.
-- With sha256, a file that has it is not fetched again, and a part that was left is gone on with.
-- Of several processes that fetch one file, one does it and the others wait.
-- @param url where it is, or a list of mirrors, which are tried in turn; redirections go to https,
-- or from http to http
-- @param options sha256 (64 hexadecimal digits), size (bytes), timeout (seconds without a byte:
-- 20), connect_timeout (seconds for all mirrors together: 4), progress (true)
-- @return true, the mirror it came from (nil where the file was there); or nil, message, code:
-- "ENETWORK", "ECHECKSUM", "EOFFLINE" (LRN_OFFLINE=1), "EBUILD" (no libcurl), or one of the disk
-- @usage local ok, message = lrn.io.fetch("http://127.0.0.1:1/x", "/tmp/x"); assert(not ok)
function M.fetch(url, path, options)
  local urls = check_urls(url)
  check.value("fetch", "path", path, { "string", required = true })
  local o = check.options("fetch", options, rules)
  if path == "" or path:find "/$" or path:find "%z" then
    check.raise("value", "fetch: path: got %s, expected the name of a file", check.show(path))
  end
  if o.sha256 and not (#o.sha256 == 64 and o.sha256:find "^%x+$") then
    check.raise("value", "fetch: sha256: got %s, expected 64 hexadecimal digits",
      check.show(o.sha256))
  end
  o.sha256 = o.sha256 and o.sha256:lower()
  if is_there(path, o) then return true end
  if M.offline() then
    return nil, ("fetch: %s: LRN_OFFLINE is set: no network"):format(path), "EOFFLINE"
  end
  local curl, message = M.library()
  if not curl then return nil, ("fetch: %s: %s"):format(path, message), "EBUILD" end
  local made, problem, number = make_folder(path)
  if not made then return nil, problem, number end
  local ok, result, code = fetch_into(curl, urls, path, o)
  if ok then return true, result end
  for _, folder in ipairs(made) do os.remove(folder) end -- those that are empty
  return nil, result, code
end

return M
