--- What was found on this machine, and what is missing: `lrn --doctor`.
-- A line for each thing: ok, missing (an optional part that is not there) or wrong (something that
-- is there and does not work, or is set to what it cannot be), and below what to do about it.
local core = require "lrn.core"
local check = require "lrn.check"

local M = {}

-- {=== Reading the surroundings ===

local function read(path)
  local f <close> = io.open(path, "rb")
  return f and f:read "a"
end

local function env(name)
  local value = os.getenv(name)
  return value and value ~= "" and value or nil
end

-- What a command prints, its first line; nil where it fails.
local function output(command)
  local p = io.popen(command .. " 2> /dev/null")
  if not p then return nil end
  local line = p:read "l"
  return p:close() and line or nil
end

-- Can the shared library be loaded? A library stays loaded, so only the doctor asks.
local function loads(name)
  local ok, message = package.loadlib(name, "*")
  return ok and true or false, message
end

local function gigabytes(kb)
  return ("%.1f GB"):format(kb / 1048576)
end

-- }===

-- {=== Checks: each calls line(status, name, what, advice) ===

local function lua(line)
  line("ok", "lrn", ("%s, %s, Lua files from %s"):format(core.version, _VERSION,
    env "LRN_PATH" or "the library"))
end

-- A product whose result is known: does the machine's BLAS compute?
local function multiplies()
  local n = 65
  local a = core.arange(1, n * n, { dtype = "float64" }):reshape(n, n)
  local b = a:mm(core.ones(n, n, { dtype = "float64" }))
  return b[n][1] == n * (n * (n - 1) + (n + 1) / 2), b[n][1]
end

local slow_cores = { Prescott = true, Core2 = true, Penryn = true, Dunnington = true,
  Nehalem = true, Opteron = true, Opteron_SSE3 = true, Barcelona = true, Atom = true,
  Nano = true, Katmai = true, Coppermine = true, Northwood = true, Banias = true,
  Sandybridge = true, Bulldozer = true, Piledriver = true }

local function blas(line)
  local kind, flags = core.build.blas, read "/proc/cpuinfo" or ""
  local ok, got = multiplies()
  if not ok then
    line("wrong", "OpenBLAS", ("core %s: a product is wrong (%s)"):format(kind, got),
      "another OpenBLAS: apt install libopenblas0-pthread")
  elseif slow_cores[kind] and flags:find "%f[%w]avx2%f[%W]" then
    line("wrong", "OpenBLAS", ("core %s on a processor with AVX2: several times slower than it \z
      could be"):format(kind), env "OPENBLAS_CORETYPE" and
      "unset OPENBLAS_CORETYPE" or "a newer OpenBLAS, or OPENBLAS_CORETYPE=Haswell (AMD: Zen)")
  else
    line("ok", "OpenBLAS", "core " .. kind)
  end
  if env "OPENBLAS_CORETYPE" then
    line("wrong", "OPENBLAS_CORETYPE", ("%s: set by hand; the bits of products depend on it")
      :format(env "OPENBLAS_CORETYPE"), "unset it, unless results of another machine are repeated")
  end
  if env "OPENBLAS_L2_SIZE" then
    line("wrong", "OPENBLAS_L2_SIZE", env "OPENBLAS_L2_SIZE" .. ": set by hand; wrong values make \z
      products slow", "unset it")
  end
end

local function kernels(line)
  local isa, flags = core.build.isa, read "/proc/cpuinfo" or ""
  if isa == "generic" and flags:find "%f[%w]avx2%f[%W]" and flags:find "%f[%w]fma%f[%W]" then
    line("wrong", "kernels", "generic on a processor with AVX2 and FMA", env "LRN_ISA" and
      "unset LRN_ISA" or "a build with the AVX2 kernels (x86-64, GCC or Clang)")
  else
    line("ok", "kernels", isa)
  end
end

-- "0-3,8" -> 5
local function count_list(text)
  local n = 0
  for from, to in text:gmatch "(%d+)%-?(%d*)" do
    n = n + (to == "" and 1 or tonumber(to) - tonumber(from) + 1)
  end
  return n
end

local function threads(line)
  local n = core.set().threads
  local list = (read "/proc/self/status" or ""):match "Cpus_allowed_list:%s*(%S+)"
  local allowed = list and count_list(list)
  local text = ("%d%s"):format(n, list and (" on processors %s (%d)"):format(list, allowed) or "")
  if allowed and n > allowed then
    line("wrong", "threads", text .. ": more threads than processors",
      env "LRN_NUM_THREADS" and "unset LRN_NUM_THREADS" or "lrn.set{ threads = n }")
  else
    line("ok", "threads", text)
  end
end

local function memory(line)
  local info = read "/proc/meminfo" or ""
  local total, free = info:match "MemTotal:%s*(%d+)", info:match "MemAvailable:%s*(%d+)"
  local limit = tonumber((read "/sys/fs/cgroup/memory.max" or ""):match "%d+")
  if not total then
    line("missing", "memory", "/proc/meminfo cannot be read")
    return
  end
  local text = ("%s, %s available"):format(gigabytes(total), gigabytes(free or 0))
  if limit then text = text .. (", limit of the group %s"):format(gigabytes(limit / 1024)) end
  line("ok", "memory", text)
end

local function plots(line)
  local path = core.library_folder() .. "/liblrn_plot.so"
  local chosen = env "LRN_PLOT_LIB"
  local ok, message = pcall(require, "lrn.plot.cairo")
  if ok then
    line("ok", "plots", chosen or path)
  elseif chosen or core.exists(path) then
    line("wrong", "plots", tostring(message), chosen and "unset LRN_PLOT_LIB" or
      "apt install libcairo2 libpango-1.0-0 libpangocairo-1.0-0")
    return
  else
    line("missing", "plots", "built without them", "scripts/setup, and build again with \z
      -DLRN_PLOT=ON")
    return
  end
  local font = output "fc-match sans family"
  if font then
    line("ok", "fonts", "sans is " .. font)
  else
    line("missing", "fonts", "no fontconfig, or no font: labels will be empty boxes",
      "apt install fontconfig fonts-dejavu-core")
  end
end

local function cuda(line)
  local path = core.library_folder() .. "/liblrn_cuda.so"
  local driver = (read "/proc/driver/nvidia/version" or ""):match "Module%s+([%d.]+)" or
    (read "/proc/driver/nvidia/version" or ""):match "([%d.]+)"
  if driver then
    line("ok", "NVIDIA driver", driver)
  else
    line("missing", "NVIDIA driver", "not loaded", "nothing, where there is no NVIDIA GPU")
  end
  if not core.exists(path) then
    line("missing", "CUDA", "built without it", "a CUDA toolkit, and build again with \z
      -DLRN_CUDA=ON")
    return
  end
  local ok, why = core.cuda_available()
  if ok then
    local names = {}
    for _, name in ipairs(core.devices()) do
      if name:find "^cuda" then names[#names + 1] = name end
    end
    line("ok", "CUDA", table.concat(names, ", "))
  else
    line(driver and "wrong" or "missing", "CUDA", (why:gsub("^device cuda[:%d]*: ", "")),
      driver and "nvidia-smi says more" or "nothing, where there is no NVIDIA GPU")
  end
end

local function data(line)
  local digits = pcall(require "lrn.data".digits)
  line(digits and "ok" or "wrong", "data: digits", digits and "in the library" or
    "not in the library", not digits and "build again" or nil)
  local files = require "lrn.data.files"
  for _, folder in ipairs(files.folders()) do
    local there = core.exists(folder)
    local from = folder == env "LRN_DATA" and "LRN_DATA" or "cache"
    line(there and "ok" or from == "LRN_DATA" and "wrong" or "missing", "data: " .. from,
      folder .. (there and "" or " is not there"), not there and
      (from == "LRN_DATA" and "set LRN_DATA to a folder" or "mkdir -p " .. folder) or nil)
  end
  local catalogue = require "lrn.data.catalogue"
  for _, name in ipairs(check.names(catalogue)) do
    local row = catalogue[name]
    local paths, bases = files.find(nil, row), files.folders()
    if paths then
      line("ok", "data: " .. row.title, paths[1]:match "^(.*)/")
    else
      line("missing", "data: " .. row.title, #bases > 0 and "not in or below " ..
        table.concat(bases, ", ") or "no folder to look in: neither LRN_DATA nor HOME is set",
        ("lrn.data.%s{ download = true }, or put its files (plain or .gz) into one of them")
        :format(name))
    end
  end
end

local function downloads(line)
  local fetch = require "lrn.fetch"
  local curl, message = fetch.library()
  local path = core.library_folder() .. "/liblrn_curl.so"
  if curl then
    line("ok", "downloads", curl.version():match "^%S+ ?%S*" .. (fetch.offline() and "; LRN_OFFLINE forbids them" or
      ""))
  elseif core.exists(path) then
    line("wrong", "downloads", message, "apt install libcurl4")
  else
    line("missing", "downloads", "built without libcurl: data sets are put in place by hand",
      "apt install libcurl4-openssl-dev, and build again")
  end
end

-- Variables of lrn, with what they may be; a function gives true or what is expected.
local function any() return true end
local function flag(v) return v == "0" or v == "1" or "0 or 1" end
local function one_of(...)
  local list = { ... }
  return function(v)
    for _, x in ipairs(list) do
      if x == v then return true end
    end
    return "one of " .. table.concat(list, ", ")
  end
end
local function a_path(v) return core.exists(v) or "a path that is there" end

local variables = { LRN_PATH = a_path, LRN_DATA = a_path, LRN_PLOT_LIB = a_path,
  LRN_ISA = one_of("generic", "avx2"), LRN_DENSE = flag, LRN_PROGRESS = flag, LRN_OFFLINE = flag,
  LRN_NUM_THREADS = function(v)
    local n = math.tointeger(tonumber(v))
    return n and n >= 1 and n <= 256 or "an integer from 1 to 256"
  end,
  LRN_LOG = one_of("debug", "info", "warn", "error", "off"),
  LRN_SHOW = one_of("kitty", "iterm", "sixel", "blocks", "file", "none"),
  LRN_EMUL_ORDER = any, LRN_BIN = any, LRN_SANITIZED = any }

local function environment(line)
  local known, found = check.names(variables), 0
  local set = {}
  for entry in (read "/proc/self/environ" or ""):gmatch "[^%z]+" do
    local name, value = entry:match "^(LRN_[^=]*)=(.+)$"
    if name then set[#set + 1] = { name, value } end
  end
  table.sort(set, function(a, b) return a[1] < b[1] end)
  for _, pair in ipairs(set) do
    local name, value = pair[1], pair[2]
    found = found + 1
    if not variables[name] then
      local near = check.nearest(name, known)
      line("wrong", name, value .. ": there is no such variable" ..
        (near and " (did you mean " .. near .. "?)" or ""), "unset it")
    else
      local good = variables[name](value)
      if good == true then
        line("ok", name, value)
      else
        line("wrong", name, ("got %s, expected %s"):format(value, good), "unset or correct it")
      end
    end
  end
  if found == 0 then line("ok", "variables", "no LRN_... is set") end
end

local function terminal(line)
  local streams = {}
  for i, name in ipairs { "input", "output", "errors" } do
    streams[i] = name .. (core.isatty(i - 1) and " yes" or " no")
  end
  local locale = env "LC_ALL" or env "LC_CTYPE" or env "LANG" or "C"
  local wide = core.terminal_size(2)
  line("ok", "terminal", ("%s; %s, %s%s, locale %s%s"):format(table.concat(streams, ", "),
    "TERM " .. (env "TERM" or "is not set"), wide and wide .. " columns" or "width unknown",
    env "NO_COLOR" and ", NO_COLOR" or "", locale,
    locale:lower():find "utf%-?8" and "" or ": no blocks in bars"))
  local path = core.library_folder() .. "/liblrn_edit.so"
  if not core.exists(path) then
    line("missing", "libedit", "built without it: no editing and completion at the prompt",
      "apt install libedit-dev, and build again")
    return
  end
  local ok, why = loads(path)
  line(ok and "ok" or "wrong", "libedit", ok and path or why, not ok and "apt install libedit2" or
    nil)
end

local function folders(line)
  local name = os.tmpname()
  local f = io.open(name, "w")
  local ok = f and f:write "x" and f:close()
  os.remove(name)
  line(ok and "ok" or "wrong", "temporary files", name:match "^(.*)/" or ".", not ok and
    "make it writable, or free room on it" or nil)
end

-- }===

local checks = { lua, blas, kernels, threads, memory, plots, cuda, data, downloads, environment, terminal,
  folders }

--- All that was found: a list of { status =, name =, what =, advice = }; status is ok, missing or
-- wrong.
-- @usage for _, x in ipairs(lrn.doctor.examine()) do assert(x.status ~= nil) end
function M.examine()
  local list = {}
  local function line(status, name, what, advice)
    list[#list + 1] = { status = status, name = name, what = what, advice = advice }
  end
  for _, f in ipairs(checks) do
    local ok, e = pcall(f, line)
    if not ok then line("wrong", "doctor", tostring(e), "please report this") end
  end
  return list
end

--- Prints it.
-- @param file has a write method; stdout
-- @return true where nothing is wrong
-- @usage lrn.doctor.report{ write = function() end }
function M.report(file)
  file = check.value("doctor.report", "file", file, { "writer", io.stdout })
  if io.type(file) == "closed file" then
    check.raise("state", "doctor.report: file: got a closed file")
  end
  local list, wrong, missing, width = M.examine(), 0, 0, 0
  for _, x in ipairs(list) do width = math.max(width, #x.name) end
  for _, x in ipairs(list) do
    file:write(("%-8s %-" .. width .. "s  %s\n"):format(x.status, x.name, x.what))
    if x.status ~= "ok" and x.advice then
      file:write((" "):rep(width + 11), "to do: ", x.advice, "\n")
    end
    wrong = wrong + (x.status == "wrong" and 1 or 0)
    missing = missing + (x.status == "missing" and 1 or 0)
  end
  file:write(("%d wrong, %d missing (optional)\n"):format(wrong, missing))
  return wrong == 0
end

return M
