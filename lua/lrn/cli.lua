--- Command lines of scripts: typed options declared once, `--help` made from them.
--
--     local opt = lrn.cli.parse{
--       about = "Trains an RBM.",
--       { "epochs", "integer", 10, "epochs to train", min = 0, short = "e" },
--       { "device", "string", "cpu", "where it runs", choices = { "cpu", "cuda" } },
--       { "layers", "integer", { 256, 128 }, "hidden units of each layer", list = true },
--       { "shuffle", "boolean", true, "new order in each epoch" },
--       positional = { { "files", "string", nil, "what to read", list = true } },
--     }
--
-- Taken: `--epochs 3`, `--epochs=3`, `-e 3`, `-e3`, `--shuffle`, `--no-shuffle`, `--layers 64,32`
-- (or the option again and again), `--batch-size` for `batch_size`, `--` before the positional
-- ones.
local check = require "lrn.check"

local M = {}

local kinds = { string = "TEXT", integer = "N", number = "X", boolean = "" }
local spec_keys = { about = true, name = true, epilog = true, positional = true }
local row_keys = { min = true, max = true, choices = true, short = true, list = true,
  required = true, metavar = true }

local function flag_of(name)
  return "--" .. name:gsub("_", "-")
end

-- A row of the declaration as a table with names; mistakes in it are the script's.
local function row(where, raw, place)
  if type(raw) ~= "table" or type(raw[1]) ~= "string" or not raw[1]:find("^%a[%w_-]*$") then
    check.raise("argument", "%s: %s: expected a row { name, type, default, help }", where, place)
  end
  local name = raw[1]:gsub("-", "_")
  if not kinds[raw[2]] then
    check.raise("argument",
      "%s: %s: type: got %s, expected one of boolean, integer, number, string", where, name,
      check.show(raw[2]))
  end
  for key in pairs(raw) do
    if type(key) == "string" and not row_keys[key] then
      check.unknown(where, name .. ": key", key, check.names(row_keys))
    end
  end
  return { name = name, flag = flag_of(name), type = raw[2], default = raw[3], help = raw[4] or "",
    min = raw.min, max = raw.max, choices = raw.choices, short = raw.short, list = raw.list,
    required = raw.required, metavar = raw.metavar or kinds[raw[2]] }
end

local function declaration(where, spec)
  if type(spec) ~= "table" then
    check.raise("type", "%s: spec: got %s, expected a table", where, check.show(spec))
  end
  for key in next, spec do
    if type(key) == "string" and not spec_keys[key] then
      check.unknown(where, "key", key, check.names(spec_keys))
    end
  end
  local d = { rows = {}, by_flag = {}, by_short = {}, positional = {}, about = spec.about,
    epilog = spec.epilog, name = spec.name or (arg and arg[0] and arg[0]:match("[^/]*$")) or "lrn" }
  for i, raw in ipairs(spec) do
    local r = row(where, raw, "row " .. i)
    if d.by_flag[r.flag] then check.raise("argument", "%s: %s: declared twice", where, r.name) end
    d.rows[i], d.by_flag[r.flag] = r, r
    if r.short then d.by_short[r.short] = r end
  end
  for i, raw in ipairs(spec.positional or {}) do
    d.positional[i] = row(where, raw, "positional " .. i)
  end
  return d
end

local function shown(value)
  if type(value) == "table" then
    local parts = {}
    for i, v in ipairs(value) do parts[i] = tostring(v) end
    return table.concat(parts, ",")
  end
  return tostring(value)
end

local function label(r)
  local text = (r.short and "-" .. r.short .. ", " or "    ") .. r.flag
  if r.type == "boolean" then
    return r.default == true and (r.short and "-" .. r.short .. ", " or "    ") .. "--[no-]" ..
      r.flag:sub(3) or text
  end
  return text .. " " .. r.metavar .. (r.list and ",..." or "")
end

local function wrap(text, indent, width)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > width - indent then
      lines[#lines + 1] = line
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n" .. (" "):rep(indent))
end

local function usage(d)
  local out = { "usage: " .. d.name .. (#d.rows > 0 and " [options]" or "") }
  for _, p in ipairs(d.positional) do
    local name = p.name .. (p.list and "..." or "")
    out[1] = out[1] .. " " .. (p.required and name or "[" .. name .. "]")
  end
  if d.about then out[#out + 1] = "\n" .. wrap(d.about, 0, 88) end
  local entries, widest = {}, 0
  for _, r in ipairs(d.rows) do
    local help = r.help
    if r.choices then help = help .. " (" .. shown(r.choices) .. ")" end
    if r.default ~= nil and r.type ~= "boolean" then
      help = help .. " [" .. shown(r.default) .. "]"
    end
    if r.required then help = help .. " (required)" end
    entries[#entries + 1] = { label(r), help }
  end
  entries[#entries + 1] = { "-h, --help", "show this and leave" }
  for _, e in ipairs(entries) do widest = math.max(widest, #e[1]) end
  widest = math.min(widest, 30)
  if #d.positional > 0 then
    out[#out + 1] = ""
    for _, p in ipairs(d.positional) do
      out[#out + 1] = ("  %-" .. widest .. "s  %s"):format(p.name, wrap(p.help, widest + 4, 88))
    end
  end
  out[#out + 1] = "\noptions:"
  for _, e in ipairs(entries) do
    local text = wrap(e[2], widest + 4, 88)
    if #e[1] > widest then
      out[#out + 1] = "  " .. e[1] .. "\n" .. (" "):rep(widest + 4) .. text
    else
      out[#out + 1] = ("  %-" .. widest .. "s  %s"):format(e[1], text)
    end
  end
  if d.epilog then out[#out + 1] = "\n" .. d.epilog end
  return table.concat(out, "\n") .. "\n"
end

local articles = { integer = "an integer", number = "a number", string = "a text" }

local function expected(r)
  if r.choices then return "one of " .. shown(r.choices) end
  local text = articles[r.type]
  if r.min then text = text .. " >= " .. r.min end
  if r.max then text = text .. (r.min and " and <= " or " <= ") .. r.max end
  return text
end

local function convert_one(r, text, name)
  local value = text
  if r.type == "integer" then
    value = text:find("^%s*[+-]?%d") and math.tointeger(tonumber((text:gsub("^%s*%+", "")))) or nil
  elseif r.type == "number" then
    value = text:find("^%s*[+-]?%.?%d") and tonumber((text:gsub("^%s*%+", ""))) or nil
  end
  local good = value ~= nil
  if good and type(value) == "number" then
    good = not (r.min and value < r.min) and not (r.max and value > r.max)
  end
  if good and r.choices then
    good = false
    for _, choice in ipairs(r.choices) do good = good or choice == value end
  end
  if not good then return nil, ("%s: got %q, expected %s"):format(name, text, expected(r)) end
  return value
end

local function store(r, result, seen, text, name)
  if not r.list then
    local value, message = convert_one(r, text, name)
    if value == nil then return message end
    result[r.name] = value
    return
  end
  if not seen[r] then result[r.name], seen[r] = {}, true end
  for part in (text .. ","):gmatch("([^,]*),") do
    local value, message = convert_one(r, part, name)
    if value == nil then return message end
    table.insert(result[r.name], value)
  end
end

local function unknown(d, flag)
  local flags = { "--help" }
  for _, r in ipairs(d.rows) do
    flags[#flags + 1] = r.flag
    if r.type == "boolean" then flags[#flags + 1] = "--no-" .. r.flag:sub(3) end
  end
  local near = check.nearest(flag, flags)
  return ("unknown option %s%s"):format(flag, near and " (did you mean " .. near .. "?)" or "")
end

local function read(d, args)
  local result, seen, rest = {}, {}, {}
  local i, n = 1, rawlen(args)
  local only_positional = false
  while i <= n do
    local a = tostring(args[i])
    if only_positional or a == "-" or a:sub(1, 1) ~= "-" or
      (a:find("^%-%.?%d") and not d.by_short[a:sub(2, 2)]) then
      rest[#rest + 1] = a
    elseif a == "--" then
      only_positional = true
    elseif a == "--help" or a == "-h" and not d.by_short.h then
      return nil, nil, true
    else
      local name, value, r, no
      if a:sub(1, 2) == "--" then
        name, value = a:match("^(%-%-[^=]+)=(.*)$")
        name = (name or a):gsub("_", "-")
        r = d.by_flag[name]
        if not r and name:sub(1, 5) == "--no-" then
          r = d.by_flag["--" .. name:sub(6)]
          no = r and r.type == "boolean"
          if not no then r = nil end
        end
      else
        name = a:sub(1, 2)
        r = d.by_short[a:sub(2, 2)]
        if #a > 2 then value = a:sub(3):gsub("^=", "") end
      end
      if not r then return nil, unknown(d, name) end
      if r.type == "boolean" then
        if value and (no or (value ~= "true" and value ~= "false")) then
          return nil, ("%s: got %q, expected no value"):format(name, value)
        end
        result[r.name] = not no and value ~= "false"
      else
        if not value then
          i = i + 1
          value = args[i] and tostring(args[i])
          if not value then
            return nil, ("%s: a value is missing, expected %s"):format(name, expected(r))
          end
        end
        local message = store(r, result, seen, value, name)
        if message then return nil, message end
      end
    end
    i = i + 1
  end
  local next_one = 1
  for _, p in ipairs(d.positional) do
    repeat
      local text = rest[next_one]
      if not text then break end
      local value, message = convert_one(p, text, p.name)
      if value == nil then return nil, message end
      if p.list then
        result[p.name] = result[p.name] or {}
        table.insert(result[p.name], value)
      else
        result[p.name] = value
      end
      next_one = next_one + 1
    until not p.list
    if result[p.name] == nil and p.required then
      return nil, ("%s: missing, %s"):format(p.name, p.help)
    end
  end
  if rest[next_one] then return nil, ("unexpected argument %q"):format(rest[next_one]) end
  for _, rows in ipairs { d.rows, d.positional } do
    for _, r in ipairs(rows) do
      if result[r.name] == nil then
        if r.required then return nil, ("%s: missing, expected %s"):format(r.flag, expected(r)) end
        result[r.name] = r.default
        if result[r.name] == nil and r.type == "boolean" then result[r.name] = false end
      end
    end
  end
  return result
end

--- The `--help` text of a declaration.
-- @usage print(lrn.cli.usage{ name = "x", { "epochs", "integer", 10, "epochs to train" } })
function M.usage(spec)
  return usage(declaration("cli.usage", spec))
end

--- Reads arguments without leaving the program: the options, or nil and one line (nil, nil, true
-- where help was asked for).
-- @usage local opt = lrn.cli.try({ { "epochs", "integer", 10 } }, { "--epochs=3" });
-- assert(opt.epochs == 3)
function M.try(spec, args)
  local d = declaration("cli.try", spec)
  return read(d, check.value("cli.try", "args", args, { "table", arg or {} }))
end

--- Reads the script's arguments (the global `arg`). `--help` prints and leaves with 0; a mistake
-- prints one line and leaves with 2.
-- @usage local opt = lrn.cli.parse({ { "epochs", "integer", 10 } }, {}); assert(opt.epochs == 10)
function M.parse(spec, args)
  local d = declaration("cli.parse", spec)
  local result, message, help = read(d, check.value("cli.parse", "args", args,
    { "table", arg or {} }))
  if help then
    io.stdout:write(usage(d))
    os.exit(0, true)
  elseif not result then
    io.stderr:write(d.name, ": ", message, " (--help lists the options)\n")
    os.exit(2, true)
  end
  return result
end

return M
