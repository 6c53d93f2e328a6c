--- Help from one source: the entries in lrn/help/*.lua feed `lrn.help`, the reference pages and the
-- editor stubs. An entry is a table:
--
--     { name = "data.mnist",               -- below lrn; "RBM.fit", "Dataset.split", "Tensor.sum":
-- a method
--       text = "What it does.",
--       params = { { "name", "type", "what it is", default } },   -- "options.x": a field of
-- options
--       returns = { { "type", "what it is" } },
--       errors = "what raises, or gives nil, message, code",
--       like = "RBM",                    -- options of this entry are options here, too
--       example = "code that runs; lrn is there" }
--
-- A tensor function has one entry, under the name that exists: `method = true` says that `t:f(...)`
-- is the same.
local check = require "lrn.check"
local core = require "lrn.core"

local M = {}

local topics = { "tensor", "model", "deep", "training", "data", "ratings", "system", "plot", "repl" }

local list, by_name

local function load_entries()
  if list then return end
  list, by_name = {}, {}
  for _, topic in ipairs(topics) do
    for _, entry in ipairs(require("lrn.help." .. topic)) do
      entry.topic = topic
      list[#list + 1] = entry
      by_name[entry.name] = entry
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
end

--- All entries, sorted by name.
-- @usage for _, entry in ipairs(lrn.help.entries()) do assert(entry.text) end
function M.entries()
  load_entries()
  return list
end

-- Tables in which the methods of a class lie.
local classes = {
  RBM = function()
    require "lrn.labels" -- adds to them
    return require "lrn.rbm".methods
  end,
  DBM = function() return require "lrn.dbm".methods end,
  Model = function() return require "lrn.model".methods end,
  Optimizer = function() return require "lrn.optim"._methods end,
  RatingRBM = function() return require "lrn.ratings".methods end,
  Dataset = function() return require "lrn.data.dataset".methods end,
  Ratings = function() return require "lrn.data.ratings".methods end,
  History = function() return getmetatable(require "lrn.history".new()).__index end,
  Progress = function() return require "lrn.progress".methods end,
  Tensor = function() return core.methods end,
  Generator = function() return core.generator_methods end,
  Figure = function() return require "lrn.plot.figure".Figure end,
  Axes = function() return require "lrn.plot.axes".Axes end,
  Session = function() return require "lrn.repl.session".methods end,
}

--- The methods of a class by its name, for tools: a table, or nil.
-- @usage assert(lrn.help.class "RBM".fit)
function M.class(name)
  local get = classes[name]
  if not get then return nil end
  local ok, methods = pcall(get)
  return ok and methods or nil
end

--- What a name stands for: "data.mnist", "RBM.fit", "Tensor.sum", also with "lrn." in front. nil:
-- nothing.
-- @usage assert(lrn.help.resolve "data.digits" == lrn.data.digits)
function M.resolve(name)
  check.value("help.resolve", "name", name, { "string", required = true })
  name = name:gsub("^lrn%.", ""):gsub(":", ".")
  local class, method = name:match "^(%u%w*)%.([%w_]+)$"
  if class then
    local methods = M.class(class)
    if methods and methods[method] then return methods[method] end
  end
  local value = require "lrn"
  for part in name:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

--- The entry of a name or of a function; nil where there is none.
-- @usage assert(lrn.help.find(lrn.zeros).name == "zeros")
function M.find(what)
  load_entries()
  if type(what) == "string" then
    local name = what:gsub("^lrn%.", ""):gsub(":", ".")
    local plain = name:gsub("^Tensor%.", "")
    local entry = by_name[name] or by_name["Tensor." .. name] or by_name[plain]
    if entry then return entry end
    entry = by_name[plain:gsub("_$", "")]
    return entry and entry.inplace and entry or nil
  end
  for _, entry in ipairs(list) do
    if rawequal(M.resolve(entry.name), what) then return entry end
    if entry.method and rawequal(M.resolve("Tensor." .. entry.name), what) then return entry end
    if entry.inplace and rawequal(M.resolve("Tensor." .. entry.name .. "_"), what) then
      return entry
    end
  end
  return nil
end

local function signature(entry)
  local names, seen = {}, false
  for _, p in ipairs(entry.params or names) do
    if p[1]:find "^options%." then
      if not seen then names[#names + 1] = "options" end
      seen = true
    else
      seen = seen or p[1] == "options"
      names[#names + 1] = p[1]
    end
  end
  local class, method = entry.name:match "^(%u%w*)%.([%w_]+)$"
  local name = class and class:lower() .. ":" .. method or "lrn." .. entry.name
  if entry.module then return name end
  return name .. "(" .. table.concat(names, ", ") .. ")"
end

local function default_text(v)
  return type(v) == "string" and ("%q"):format(v) or tostring(v)
end

local function block(text, indent)
  return indent .. text:gsub("\n", "\n" .. indent)
end

--- The help text of a name, a function or words to look for.
-- @usage assert(lrn.help.text "RBM.fit":find "batch_size")
function M.text(what)
  load_entries()
  if what == nil then
    local out = { "lrn.help(name) explains a function: lrn.help \"RBM.fit\", lrn.help(lrn.zeros).",
      "" }
    for _, topic in ipairs(topics) do
      local names, line = {}, "  "
      for _, entry in ipairs(list) do
        if entry.topic == topic then names[#names + 1] = entry.name end
      end
      out[#out + 1] = topic .. ":"
      for _, name in ipairs(names) do
        if #line + #name > 86 then
          out[#out + 1] = line
          line = "  "
        end
        line = line .. name .. " "
      end
      out[#out + 1] = line
    end
    return table.concat(out, "\n")
  end
  local entry = M.find(what)
  if not entry then
    if type(what) ~= "string" then return "no help for " .. check.show(what) end
    local found = {}
    for _, e in ipairs(list) do
      local all = (e.name .. " " .. e.text):lower()
      local fits = true
      for word in what:lower():gmatch "%S+" do fits = fits and all:find(word, 1, true) end
      if fits then found[#found + 1] = ("  %-28s %s"):format(e.name, e.text:match "^[^\n]*") end
    end
    if #found == 0 then return ("no help for %q"):format(what) end
    return table.concat(found, "\n")
  end
  local out = { signature(entry) }
  if entry.method then out[1] = out[1] .. "   also t:" .. entry.name .. "(...)" end
  if entry.inplace then out[1] = out[1] .. "   in place: t:" .. entry.name .. "_(...)" end
  out[#out + 1] = block(entry.text, "  ")
  local width = 0
  for _, p in ipairs(entry.params or {}) do width = math.max(width, #p[1]) end
  for _, p in ipairs(entry.params or {}) do
    out[#out + 1] = ("    %-" .. width .. "s  %s: %s%s"):format(p[1], p[2], p[3],
      p[4] ~= nil and " [" .. default_text(p[4]) .. "]" or "")
  end
  for i, r in ipairs(entry.returns or {}) do
    out[#out + 1] = ("  %s %s: %s"):format(i == 1 and "returns" or "       ", r[1], r[2])
  end
  if entry.errors then out[#out + 1] = "  errors: " .. entry.errors end
  if entry.example then out[#out + 1] = "  example:\n" .. block(entry.example, "    ") end
  return table.concat(out, "\n")
end

--- Prints that text.
-- @usage lrn.help "RBM.fit"
function M.show(what)
  io.stdout:write(M.text(what), "\n")
end

return setmetatable(M, { __call = function(_, what) M.show(what) end })
