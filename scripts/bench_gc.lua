--- Measures what the collector's pace and the cache of freed blocks are worth; run by
-- `scripts/bench gc`.
--
--     lrn scripts/bench_gc.lua --rounds 3 --out docs/memory.md
--
-- A row is a loop that makes a tensor and drops it, beside a heap of small Lua tables and, in some
-- rows, tensors that are kept. Each measurement runs in a process of its own, one thread; the modes
-- take turns, and medians are shown.
local lrn = require "lrn"
local core = require "lrn.core"
local machine = dofile "scripts/machine.lua"

local MB = 1e6
-- label, bytes of a tensor, Lua tables, tensors kept, repetitions; ring: the kept ones are replaced
-- in turn; close: `local t <close>`
local rows = {
  { "80 KB", 80e3, 0, 0, 10000 }, { "80 KB", 80e3, 1000000, 0, 10000 },
  { "1 MB", 1e6, 0, 0, 1000 }, { "1 MB", 1e6, 50000, 0, 1000 },
  { "8 MB", 8e6, 50000, 0, 200 }, { "8 MB", 8e6, 1000000, 0, 200 },
  { "1 MB, 1000 kept", 1e6, 0, 1000, 2000 },
  { "1 MB, the oldest of 100 replaced", 1e6, 0, 100, 2000, ring = true },
  { "80 KB, `<close>`", 80e3, 1000000, 0, 10000, close = true },
}
-- collector, paced, bytes of the cache (nil: as it is)
local modes = {
  { "incremental", "incremental", false, 0 }, { "generational", "generational", false, 0 },
  { "no cache", "generational", true, 0 }, { "lrn", "generational", true },
}

local function measure(row, mode)
  collectgarbage(mode[2])
  core.collector(mode[3])
  if mode[4] then core.cache(mode[4]) end
  local n, tables, kept = row[2] // 4 | 0, {}, {}
  for i = 1, row[3] do tables[i] = { i } end
  for i = 1, row[4] do kept[i] = lrn.zeros(n) end
  collectgarbage()
  local live = lrn.memory().live_bytes
  local heap = collectgarbage "count" * 1024
  local start = os.clock()
  if row.ring then
    for i = 1, row[5] do kept[i % row[4] + 1] = lrn.zeros(n) end
  elseif row.close then
    for _ = 1, row[5] do local t <close> = lrn.zeros(n) end
  else
    for _ = 1, row[5] do local t = lrn.zeros(n) end -- luacheck: ignore
  end
  local us = (os.clock() - start) / row[5] * 1e6
  return us, lrn.memory().peak_bytes, live + row[2] + heap -- one tensor is live in the loop
end

if arg[1] == "measure" then
  local us, peak, bound = measure(rows[tonumber(arg[2])], modes[tonumber(arg[3])])
  print(("%.6g %d %d"):format(us, peak, math.ceil(bound)))
  return
end

local opt = lrn.cli.parse {
  about = "Measures the collector's pace: time an allocation and peak memory, with and without.",
  { "rounds", "integer", 3, "medians are over so many", min = 1, max = 99 },
  { "out", "string", "", "a page to write; else the table is printed" },
}

local function fail(message)
  io.stderr:write("bench gc: ", message, "\n")
  os.exit(1, true)
end

local function median(list)
  table.sort(list)
  local n = #list
  return n % 2 == 1 and list[n // 2 + 1] or (list[n // 2] + list[n // 2 + 1]) / 2
end

local program = arg[-1] or "lrn"
local results = {} -- [row][mode] = { us = list, peak = list, bound = list }
for r = 1, #rows do
  results[r] = {}
  for m = 1, #modes do results[r][m] = { us = {}, peak = {}, bound = {} } end
end
for round = 1, opt.rounds do
  for r = 1, #rows do
    for m = 1, #modes do
      local text = machine.output_of(("LRN_NUM_THREADS=1 '%s' '%s' measure %d %d"):format(program,
        arg[0],
        r, m))
      local us, peak, bound = text:match "^(%S+) (%d+) (%d+)$"
      if not us then fail(("row %d, mode %d: %s"):format(r, m, text)) end
      local cell = results[r][m]
      cell.us[round], cell.peak[round], cell.bound[round] = tonumber(us), tonumber(peak),
        tonumber(bound)
    end
    io.stderr:write(("round %d of %d: row %d of %d\n"):format(round, opt.rounds, r, #rows))
  end
end

local NOISE = 1.1
local lines, slower, larger = {}, 0, 0
for r, row in ipairs(rows) do
  local cells, us = {}, {}
  for m = 1, #modes do
    us[m] = median(results[r][m].us)
    cells[m] = (us[m] < 100 and "%.1f us, %.0f MB" or "%.0f us, %.0f MB"):format(us[m],
      median(results[r][m].peak) / MB)
  end
  local peak, bound = median(results[r][4].peak), median(results[r][4].bound) + 16 * MB
  local fast, small = us[4] <= NOISE * math.min(us[1], us[2]), peak <= bound
  slower, larger = slower + (fast and 0 or 1), larger + (small and 0 or 1)
  lines[r] = ("| %s | %s | %s | %s | %s | **%s** | %.0f MB%s%s |"):format(row[1],
    row[3] == 0 and "0" or row[3] == 1000000 and "1 M" or row[3] // 1000 .. " k", cells[1],
    cells[2], cells[3], cells[4], bound / MB, small and "" or ", **exceeded**", fast and "" or ", **slower**")
end

local text = ([[
| tensor | Lua tables | stock, incremental | stock, generational | pace | pace and cache | bound |
|---|---|---|---|---|---|---|
%s

Peak above live set + Lua heap + 16 MB in %d of %d rows; slower than without pace (by more than
%.0f %%) in %d.
]]):format(table.concat(lines, "\n"), larger, #rows, 100 * (NOISE - 1), slower)

if opt.out == "" then
  io.stdout:write(text)
else
  local file = assert(io.open(opt.out, "w"))
  local set = lrn.set()
  assert(file:write(([[
# Memory

Made by `scripts/bench gc`; do not edit by hand.

Lua's collector sees a userdata of some 60 bytes where a tensor holds megabytes. lrn tells it of the
bytes before each new tensor (the pace), collects fully where tensors that grew old pile up, and
keeps freed blocks of 64 KB and more, up to 64 MB, for the next tensors of their size (the cache;
`lrn.empty_cache()` gives them back). The table is a loop that makes a tensor of zeros and drops it,
beside a heap of small Lua tables: processor time for one tensor, and the peak of live and cached
bytes. Each measurement is a process of its own, on one thread; medians of %d rounds in turns. The
bound is live set + Lua heap + 16 MB.

| | |
|---|---|
| machine | %s |
| lrn | %s, kernels %s, commit %s |
| date | %s |
| command | `scripts/bench gc%s` |

%s]]):format(opt.rounds, machine.processor(), lrn.version, set and lrn.build.isa,
    machine.commit(), os.date "!%Y-%m-%d",
    opt.rounds == 3 and "" or " " .. opt.rounds, text)))
  assert(file:close())
  print(("%s: %d rows, %d above their bound, %d slower"):format(opt.out, #rows, larger, slower))
end
if larger + slower > 0 then os.exit(1, true) end
