-- No input from Lua crashes, leaks or hangs, and messages name the function: everything that lrn
-- exports is called at random by spec/support/fuzz.lua, in a process of its own.
local lrn = require "lrn"
local core = require "lrn.core"

local interpreter = arg and arg[0] or "lua5.4"
for i = -1, -20, -1 do interpreter = arg and arg[i] or interpreter end

local sanitized = (os.getenv "LRN_SANITIZED" or "") ~= ""
local SEED = 20260801
local CALLS = sanitized and 200000 or 6000

-- The call that runs is in the file `last`. Where it stays the same for 10 s, Ctrl-C stops it, as
-- it must stop any call; what that does not stop in another 10 s is killed. Without a sanitizer,
-- which has its own limit, 4 GB of addresses are all there is.
local script = [[
cd '%s' && : > last || exit 1
unset LRN_DATA LRN_LOG
HOME='%s'; XDG_CACHE_HOME=$HOME; LRN_PROGRESS=0; LRN_NUM_THREADS=2; LRN_SHOW=none LRN_OFFLINE=1
OPENBLAS_NUM_THREADS=1 # its threads take addresses, on machines that have many processors
export HOME XDG_CACHE_HOME LRN_PROGRESS LRN_NUM_THREADS LRN_SHOW LRN_OFFLINE OPENBLAS_NUM_THREADS
if [ -n '%s' ]; then
  ASAN_OPTIONS=$ASAN_OPTIONS:max_allocation_size_mb=512; export ASAN_OPTIONS
else
  ulimit -v 4000000
fi
'%s' '%s' %d %d > out 2> err < /dev/null &
pid=$!
same=0
while kill -0 $pid 2> /dev/null; do
  sleep 0.2
  now=$(head -c 300 last)
  if [ "$now" = "$before" ]; then same=$((same + 1)); else same=0; fi
  before=$now
  [ $same != 50 ] || kill -INT $pid
  [ $same -lt 100 ] || kill -KILL $pid
done
wait $pid
echo "exit $?"
]]

local function read(path)
  local f = io.open(path, "rb")
  local text = f and f:read "a" or ""
  if f then f:close() end
  return text
end

local function run(folder)
  local here = io.popen("pwd"):read "l"
  local function absolute(path)
    return path:sub(1, 1) == "/" and path or path:find "/" and here .. "/" .. path or path
  end
  local command = script:format(folder, folder, sanitized and "yes" or "", absolute(interpreter),
    here .. "/spec/support/fuzz.lua", SEED, CALLS)
  local name = os.tmpname()
  local f = assert(io.open(name, "w"))
  f:write(command)
  f:close()
  local pipe = assert(io.popen("sh " .. name .. " 2>&1"))
  local output = pipe:read "a"
  pipe:close()
  os.remove(name)
  return output
end

describe("random calls of everything exported", function()
  local folder, output, report
  lazy_setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(core.mkdir(folder))
    output = run(folder)
    report = read(folder .. "/report")
  end)
  lazy_teardown(function() os.execute("rm -rf '" .. folder .. "'") end)

  it("do not crash, hang or leak", function()
    assert.equal("exit 0\n", output, "the last call: " .. read(folder .. "/last"):sub(1, 400) ..
      "\n" .. read(folder .. "/err"):sub(-6000))
    assert.matches("\ndone: %d+ calls", report)
  end)

  it("raise errors that name function and argument, none of them from inside", function()
    local lines = {}
    for line in report:gmatch "call %d+ of seed [^\n]*" do lines[#lines + 1] = line end
    assert.equal("", table.concat(lines, "\n", 1, math.min(#lines, 20)))
  end)

  it("reach every function", function()
    assert.matches("\nnot reached: \n", report)
    local calls, functions = report:match "done: (%d+) calls of (%d+) functions"
    assert.is_true(tonumber(calls) == CALLS)
    -- at least what help knows of; a class without methods of its own counts there alone
    assert.is_true(tonumber(functions) >= 0.9 * #lrn.help.entries())
  end)
end)
