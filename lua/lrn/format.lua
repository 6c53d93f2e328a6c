--- Tensors as text, for tostring and the prompt.
local M = {}

local LIMIT = 1000 -- elements; above, only the edges of each dimension are shown
local EDGE = 3

local function number(x, float)
  if type(x) == "boolean" then return tostring(x) end
  if not float then return tostring(x) end
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" end
  if x == -math.huge then return "-inf" end
  return ("%.5g"):format(x)
end

-- Positions of one dimension that are shown; 0 stands for "...".
local function shown(n, all)
  local list = {}
  if all or n <= 2 * EDGE + 1 then
    for i = 1, n do list[i] = i end
  else
    for i = 1, EDGE do list[i] = i end
    list[#list + 1] = 0
    for i = n - EDGE + 1, n do list[#list + 1] = i end
  end
  return list
end

-- The texts of all shown elements, nested as the tensor is; the widest one sets `width`.
local function collect(t, float, all, state)
  if t.ndim == 0 then
    local text = number(t:item(), float)
    state.width = math.max(state.width, #text)
    return text
  end
  local list = {}
  for k, i in ipairs(shown(t:size(1), all)) do
    if i == 0 then
      list[k] = false
    else
      list[k] = collect(t:select(1, i), float, all, state)
    end
  end
  return list
end

local function render(list, depth, width, lines, prefix)
  if type(list[1]) ~= "table" then
    local parts = {}
    for k, text in ipairs(list) do
      parts[k] = text and (" "):rep(width - #text) .. text or "..."
    end
    lines[#lines + 1] = prefix .. "{ " .. table.concat(parts, ", ") .. " }"
    return
  end
  lines[#lines + 1] = prefix .. "{"
  for _, inner in ipairs(list) do
    if inner then
      render(inner, depth + 1, width, lines, prefix .. "  ")
      lines[#lines] = lines[#lines] .. ","
    else
      lines[#lines + 1] = prefix .. "  ..."
    end
  end
  lines[#lines + 1] = prefix .. "}"
end

--- A tensor's values (all up to 1000 elements, else the edges), then shape, dtype and device.
-- @usage print(lrn.eye(2))
function M.tensor(t)
  local shape = table.concat(t.shape, " x ")
  local title = ("%s%s tensor on %s"):format(shape ~= "" and shape .. " " or "", t.dtype, t.device)
  if t.numel == 0 then return "{} " .. title end
  local float = t.dtype:find("float", 1, true) ~= nil
  local state = { width = 1 }
  local ok, list = pcall(collect, t:cpu(), float, t.numel <= LIMIT, state)
  if not ok then return title end
  if t.ndim == 0 then return list .. " (" .. title .. ")" end
  local lines = {}
  render(list, 1, state.width, lines, "")
  lines[#lines + 1] = "(" .. title .. ")"
  return table.concat(lines, "\n")
end

return M
