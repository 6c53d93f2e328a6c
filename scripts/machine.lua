-- What pages of measurements say about where they were made: for scripts/results.lua and
-- scripts/bench_gc.lua, which run in the repository's folder.
local M = {}

--- What a command prints, without the space at its end.
function M.output_of(command)
  local pipe <close> = io.popen(command .. " 2> /dev/null")
  return pipe and pipe:read "a":gsub("%s+$", "") or ""
end

function M.processor()
  for line in io.lines "/proc/cpuinfo" do
    local name = line:match "^model name%s*:%s*(.*)"
    if name then return name end
  end
  return "unknown processor"
end

--- Tells commits apart from what was built on top of them; documents do not count.
function M.commit()
  local id = M.output_of "git rev-parse --short HEAD"
  if id == "" then return "unknown" end
  local changed = M.output_of "git status --porcelain -- src lua CMakeLists.txt"
  return id .. (changed ~= "" and ", with changes that were not committed" or "")
end

return M
