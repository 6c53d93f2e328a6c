--- The folder of a run of training: options, history, log, model and pictures, for `fit{ run = }`.
-- Every file is written beside its place and renamed, so that a run that is killed leaves whole
-- ones. What goes wrong while training goes on is a warning; the end says it again.
local core = require "lrn.core"
local check = require "lrn.check"
local dataset = require "lrn.data.dataset"
local ratings = require "lrn.data.ratings"
local history = require "lrn.history"
local log = require "lrn.log"

local M = {}
local methods = {}
local meta = { __index = methods, __name = "lrn.Run" }

local rules = { path = { "string", required = true }, overwrite = { "boolean", false },
  pictures = { "boolean", true } }

local LONG = 1000 -- epochs from which on writing the history may take more time than an epoch

-- What a run leaves, by what it is.
local names = { options = "options.json", csv = "history.csv", history = "history.json",
  log = "run.log", model = "model.safetensors" }
local pictures = { "filters.png", "reconstructions.png", "history.png" }

--- The option `run` of fit, a path or a table, as a table; nil for nil.
function M.options(given)
  if given == nil then return nil end
  if type(given) == "string" then given = { path = given } end
  local o = check.options("fit: run", given, rules)
  if o.path == "" then check.raise("value", "fit: run: path: got \"\", expected a folder") end
  return o
end

--- The place of the model in a run's folder.
function M.model_path(o)
  return o.path .. "/" .. names.model
end

-- {=== Files ===

-- JSON of tables with sorted names, an indented line each; lists stay in one line.
local function pretty(value, indent)
  if type(value) ~= "table" or #value > 0 and type(value[1]) ~= "table" or next(value) == nil then
    return core.json_encode(value)
  end
  local parts, inner = {}, indent .. "  "
  if #value > 0 then
    for i, item in ipairs(value) do parts[i] = inner .. pretty(item, inner) end
    return "[\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "]"
  end
  for i, name in ipairs(check.names(value)) do
    parts[i] = inner .. core.json_encode(name) .. ": " .. pretty(value[name], inner)
  end
  return "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

local function read(path)
  local f <close> = io.open(path, "rb")
  return f and f:read "a"
end

-- Whole or not at all for whoever reads it, also when this process is killed; without waiting for
-- the disk, which an epoch should not.
local function write(path, text)
  local temporary = path .. ".tmp"
  local f, message = io.open(temporary, "wb")
  if not f then return nil, message end
  local ok
  ok, message = f:write(text)
  local closed, why = f:close()
  if ok and closed then
    ok, message = os.rename(temporary, path)
    if ok then return true end
  end
  os.remove(temporary)
  return nil, ("%s: %s"):format(path, message or why)
end

-- }===

-- {=== The folder ===

-- Do the epochs that a folder's history has agree with the model's, as far as both go? Then it is
-- an earlier part of the same training. A metric that came later is NaN before.
local function continues(model, found)
  local n = math.min(#model.history, #found)
  local nan = 0 / 0
  for _, name in ipairs(model.history:metrics()) do
    local ours, theirs = model.history[name], found[name] or {}
    for i = 1, n do
      local x, y = ours[i] or nan, theirs[i] or nan
      if x ~= y and (x == x or y == y) then return false end
    end
  end
  return n > 0
end

-- Whose folder is it? true: it continues this model's run; false: there is nothing to lose; nil and
-- a message.
local function examine(model, o)
  local found = {}
  for _, name in pairs(names) do
    if core.exists(o.path .. "/" .. name) then found[#found + 1] = name end
  end
  if #found == 0 then return false end
  local text = read(o.path .. "/" .. names.history)
  local old = text and history.decode(text)
  if old and continues(model, old) then return true end
  local model_is_there = core.exists(M.model_path(o))
  if text and old and #old == 0 and not model_is_there then return false end
  table.sort(found)
  return nil, ("fit: run: %s has %s already (%s), expected an empty folder, one of the training \z
    that resume continues, or { path =, overwrite = true }"):format(o.path,
    old and #old > 0 and ("a run of %d epoch%s"):format(#old, #old > 1 and "s" or "") or
    "files", table.concat(found, ", "))
end

local function temporary_picture(name)
  return (name:gsub("%.png$", ".tmp.png")) -- its ending says what is drawn
end

-- Removes what an earlier run left, its rotated logs too.
local function sweep(path)
  for _, name in pairs(names) do
    os.remove(path .. "/" .. name)
    os.remove(path .. "/" .. name .. ".tmp")
  end
  for _, name in ipairs(pictures) do
    os.remove(path .. "/" .. name)
    os.remove(path .. "/" .. temporary_picture(name))
  end
  local i = 1
  while os.remove(("%s/%s.%d"):format(path, names.log, i)) do i = i + 1 end
end

-- Sizes of what batches are made of, before a transform; nil for an iterator.
local function shape_of(data)
  if check.is_tensor(data) then return data.ndim > 1 and data.shape or { 1, data.numel } end
  if not dataset.is(data) then return nil end
  local shape = dataset.source(data).shape
  shape[1] = #data
  return shape
end

local function describe_data(data)
  if ratings.is(data) then
    return { kind = "ratings", size = #data, users = data.n_users, items = data.n_items, name = data.name,
      levels = data.levels }
  end
  local shape = shape_of(data)
  if not shape then return { kind = "iterator" } end
  if check.is_tensor(data) then
    return { kind = "tensor", size = shape[1], shape = shape, dtype = data.dtype }
  end
  return { kind = "data set", size = shape[1], shape = shape, dtype = dataset.source(data).dtype,
    name = data.name, classes = data.classes and #data.classes or nil,
    transform = data.transform ~= nil }
end

local function now()
  return os.date "!%Y-%m-%dT%H:%M:%SZ"
end

-- Options of fit as JSON can hold them.
local function plain(options)
  local result = {}
  for name, value in pairs(options) do
    local kind = type(value)
    if name == "validation" then
      result[name] = describe_data(value)
    elseif kind == "table" then
      result[name] = plain(value)
    elseif kind == "string" or kind == "number" or kind == "boolean" then
      result[name] = value
    else
      result[name] = true
    end
  end
  return result
end

--- Opens the folder of a run: makes it, writes what is known at the start, and begins its log.
-- @param model with its history; a folder that has the beginning of it goes on
-- @param o what M.options gave
-- @param data what fit trains on
-- @param model_options, fit_options tables from name to value
-- @return the run; or nil, message, code
function M.open(model, o, data, model_options, fit_options)
  local ok, message, code = core.mkdir(o.path)
  if not ok then return nil, "fit: run: " .. message:gsub("^mkdir: ", ""), code end
  local continued
  continued, message = examine(model, o)
  if continued == nil and not o.overwrite then return nil, message, "EEXIST" end
  local before = continued and core.json_decode(read(o.path .. "/" .. names.options) or "")
  if not continued then sweep(o.path) end
  local self = setmetatable({ model = model, path = o.path, start = core.clock(),
    shown = fit_options.validation or data, pictures = o.pictures, wrote = 0, took = 0 }, meta)
  self.log, message, code = log.tee(o.path .. "/" .. names.log)
  if not self.log then return nil, "fit: run: " .. message:gsub("^log.tee: ", ""), code end
  local set = core.set()
  self.options = { lrn = core.version, lua = _VERSION, model = model_options,
    fit = plain(fit_options), seed = model.seed, data = describe_data(data), started = now(),
    status = "running", epochs = #model.history,
    machine = { blas = core.build.blas, isa = core.build.isa, threads = set.threads,
      deterministic = set.deterministic, dense = set.dense } }
  if type(before) == "table" then
    local list = type(before.before) == "table" and before.before or {}
    before.before = nil
    list[#list + 1] = before
    self.options.before = list
  end
  ok, message = self:state {}
  if ok then ok, message = self:history() end
  if not ok then
    self.log:close()
    return nil, "fit: run: " .. message, "EIO"
  end
  return self
end

-- Writes options.json with these fields changed.
function methods:state(fields)
  for name, value in pairs(fields) do self.options[name] = value end
  return write(self.path .. "/" .. names.options, pretty(self.options, "") .. "\n")
end

-- Writes the history, in both forms.
function methods:history()
  local log_of = self.model.history
  local ok, message = write(self.path .. "/" .. names.history, log_of:encode() .. "\n")
  if ok then ok, message = write(self.path .. "/" .. names.csv, log_of:csv()) end
  return ok, message
end

--- After an epoch: the history so far. Of a long one some are left out where writing would take
-- more than half of the time; finish writes it all.
function methods:epoch()
  local start = core.clock()
  if #self.model.history > LONG and start - self.wrote < self.took then return end
  local ok, message = self:history()
  self.wrote = core.clock()
  self.took = self.wrote - start
  if not ok and not self.failed then log.warn("fit: run: %s", message) end
  self.failed = not ok
end

-- }===

-- {=== Pictures ===

-- Height and width of a sample, where the data say so.
local function tile_of(data, n_visible)
  local shape = shape_of(data) or {}
  local h, w = shape[2], shape[3]
  if #shape == 3 and h * w == n_visible then return { h, w } end
  return nil
end

-- One picture by draw(plot); a line in the log says why there is none.
local function picture(self, name, draw)
  local path = self.path .. "/" .. name
  local temporary = temporary_picture(path)
  local ok, message = pcall(function()
    local figure = draw(require "lrn.plot".model)
    local saved, why = figure:save(temporary)
    if saved then saved, why = os.rename(temporary, path) end
    if not saved then error(why, 0) end
  end)
  if ok then return end
  os.remove(temporary)
  message = tostring(message)
  if message:find("interrupted", 1, true) then error(message, 0) end
  log.info("no picture %s: %s", name, message)
end

-- Drawn from the model in the file: making reconstructions takes random numbers, and the model that
-- was trained goes on as if nobody had looked.
local function draw_pictures(self)
  picture(self, "history.png", function(plot)
    return plot.history(self.model)
  end)
  local saved, message = require "lrn.io".load(self.path .. "/" .. names.model,
    { device = self.model.device })
  if not saved then
    log.info("no pictures of the model: %s", message)
    return
  end
  local data = self.shown
  local tile = tile_of(data, saved.n_visible)
  picture(self, "filters.png", function(plot) return plot.filters(saved, { tile = tile }) end)
  if not shape_of(data) then
    log.info("no picture reconstructions.png: %s", ratings.is(data) and "the model takes ratings" or
      "the data come from an iterator")
    return
  end
  picture(self, "reconstructions.png", function(plot)
    return plot.reconstructions(saved, data, { tile = tile })
  end)
end

-- }===

--- The end of training: history, model, pictures.
-- @param status what options.json says of it
-- @return true; or nil, message, code where something could not be written
function methods:finish(status)
  local ok, message = self:history()
  local saved, why, code = self.model:save(self.path .. "/" .. names.model)
  if saved and self.pictures then draw_pictures(self) end
  local said, whynot = self:state { status = status, ended = now(), epochs = #self.model.history,
    seconds = core.clock() - self.start }
  log.info("fit: %s after %d epochs; %s", status, #self.model.history, self.path)
  self.finished = true
  if ok and saved and said then return true end
  message = "fit: run: " .. (message or why or whynot):gsub("^save: ", "")
  log.warn("%s", message)
  return nil, message, code or "EIO"
end

--- Ends the log. An error that passes is recorded; the model in the folder stays as it was saved
-- last.
function meta:__close(e)
  if not self.finished then
    local text = e ~= nil and tostring(e) or "left before the end"
    log.info("fit: stopped: %s", text)
    self:history()
    self:state { status = "stopped", error = text, ended = now(), epochs = #self.model.history,
      seconds = core.clock() - self.start }
  end
  self.log:close()
end

return M
