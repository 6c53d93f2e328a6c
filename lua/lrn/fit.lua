--- The loop of training: epochs and batches, history, checkpoints, callbacks, the folder of a run.
-- It knows no kind of model. What it trains it sees through a trainer, a table of functions that
-- each kind gives (rbm.lua has the first); all of them get the model first:
--
--   state(m)            { step, epoch, batch, samples }: steps ever; epochs done; batches and rows
--                       of the epoch that is not
--   reserve(m, n)       room for a batch of n rows
--   prepare(m, all)     before the first step ever; all() gives the data, nil where there are none
--   step(m, data, index, first, count, labels, weights)
--                       one step on a batch (see batches.lua); a message where a number failed
--   means(m)            metrics of the epoch so far, a table from name to number
--   shown(m)            those that a progress bar has room for
--   validation(m, data) checked, as validate wants it
--   validate(m, data, stats)  adds its metrics to those of the epoch
--   end_epoch(m)        the next epoch begins
--   resume(m, path)     makes m what a checkpoint holds: true; or nil, message, code
--   metrics(m, validated)  names of what means and validate will measure; nil: nobody knows
--   scheduled(m)        names of options that a schedule may set
--   set(m, name, value) sets one of them
--   results(m, stats)   what fit returns
--   options(m)          for the options.json of a run, from name to value
--   data(m, data)       raises where the data cannot be trained on
--   labels(m)           which targets of the data step gets: see batches.source; nil: none
--   source(m, data, o, labels)  where batches come from; nil: batches.source
--
-- The model itself has history, parameters(), save(path), seed, device, dtype, n_visible, and a
-- text. In its field _aids stays what its files need of aids.lua.
local core = require "lrn.core"
local aids = require "lrn.aids"
local batches = require "lrn.batches"
local check = require "lrn.check"
local history = require "lrn.history"
local log = require "lrn.log"
local monitors = require "lrn.monitors"
local progress = require "lrn.progress"
local runs = require "lrn.run"
local schedules = require "lrn.schedule"

local M = {}

local rules = {
  batch_size = { "integer", 128, min = 1 },
  epochs = { "integer", 10, min = 0 },
  progress = { "boolean", false },
  callback = { "callable" },
  validation = { "any" },
  checkpoint = { "table" },
  resume = { "string" },
  run = { "string|table" },
  shuffle = { "boolean", true },
  schedule = { "table" },
  weights = { "tensor" },
  class_weights = { "table" },
  early_stopping = { "table" },
  average = { "number" },
  metrics = { "table" },
}

-- path: where a checkpoint goes that names no file, the model of the run's folder.
local function checkpoint_rules(t, path)
  if t == nil then return nil end
  local given = {}
  for key, value in next, t do given[key] = value end
  given.path, given[1] = given.path or given[1] or path, nil
  given.every, given[2] = given.every or given[2], nil
  return check.options("fit", given, { path = { "string", required = true },
    every = { "integer", 1, min = 1 }, batches = { "integer", nil, min = 1 } })
end

-- One step; a numeric failure names tensor, epoch and batch.
local function step(trainer, model, ...)
  local message = trainer.step(model, ...)
  if message then
    if not message:find("; try", 1, true) then
      message = message .. "; clean the data, or standardise them"
    end
    check.raise("value", "%s", message)
  end
end

-- {=== Schedules ===

-- From option to function of the epochs done, of what schedules there are.
local function open_schedules(trainer, model, given)
  local found, valid = {}, {}
  for _, name in ipairs(trainer.scheduled(model)) do valid[name] = true end
  for name, s in next, given or {} do
    if not valid[name] then check.unknown("fit: schedule", "option", name, check.names(valid)) end
    found[name] = schedules._of("fit: schedule", name, s)
  end
  return found
end

-- The options as they are after `done` epochs; now: what they were set to last.
local function apply(trainer, model, found, now, done)
  for name, f in pairs(found) do
    local value = f(done)
    if value ~= nil and value ~= now[name] then
      local place = ("fit: schedule: %s after %.4g epochs"):format(name, done)
      if type(value) ~= "number" then
        check.raise("type", "%s: got %s, expected a number", place, check.show(value))
      end
      local ok, message = pcall(trainer.set, model, name, value)
      if not ok then
        check.raise("value", "%s: %s", place,
          (tostring(message):gsub("^.-%f[%w]" .. name .. ": ", "")))
      end
      now[name] = value
    end
  end
end

-- }===

-- "mse=9.31, pl=-80.2", in the history's order.
local function metrics_text(stats)
  local values = history.new()
  values:record(1, stats)
  local parts = {}
  for i, name in ipairs(values:metrics()) do
    parts[i] = ("%s=%.5g"):format(name, stats[name])
  end
  return table.concat(parts, ", ")
end

-- The folder of the run, where one is wanted; nil, message, code where it cannot be had.
local function open_run(trainer, model, run_options, data, o, checkpoint)
  if not run_options then return nil end
  local fit_options = {}
  for name, value in pairs(o) do fit_options[name] = value end
  fit_options.checkpoint = checkpoint
  fit_options.schedule = schedules._plain(o.schedule)
  fit_options.class_weights = schedules._plain(o.class_weights)
  fit_options.metrics = o.metrics and schedules._plain(o.metrics)
  local run, message, code = runs.open(model, run_options, data, trainer.options(model), fit_options)
  if not run then log.warn("%s", message) end
  return run, message, code
end

--- Trains a model.
-- @param trainer how this kind of model is trained, see above
-- @param data data set, tensor, or iterator of batches
-- @param opts the options of fit, see RBM.fit
-- @return what trainer.results says; nil, message, code where a checkpoint cannot be read or
-- written, or the folder of the run holds another one
function M.run(trainer, model, data, opts)
  local o = check.options("fit", opts, rules)
  local run_options = runs.options(o.run)
  local checkpoint = checkpoint_rules(o.checkpoint, run_options and runs.model_path(run_options))
  local source = (trainer.source or batches.source)(model, data, o, trainer.labels(model))
  trainer.data(model, data)
  local validation = o.validation and trainer.validation(model, o.validation)
  if o.resume then
    local ok, message, code = trainer.resume(model, o.resume)
    if not ok then return nil, message, code end
  end
  local past = model.history
  local state = trainer.state(model)
  local last = o.resume and o.epochs or state.epoch + o.epochs
  local scheduled = open_schedules(trainer, model, o.schedule)
  local known = trainer.metrics(model, validation ~= nil)
  local watched = monitors.new(model, o.metrics, data, o.validation, known)
  if known then
    table.move(watched and watched.keys or {}, 1, watched and #watched.keys or 0, #known + 1, known)
    for _, name in ipairs { "ratio", "time", table.unpack(check.names(scheduled)) } do
      known[#known + 1] = name
    end
  end
  local stopping = aids.stopping(o.early_stopping, known)
  local first_averaged = aids.average(o.average, o.resume and 0 or state.epoch, last)
  if state.epoch >= last then
    if o.epochs == 0 and not o.resume then return nil end
    return trainer.results(model, past:last())
  end

  local run <close>, failure, failure_code =
    open_run(trainer, model, run_options, data, o, checkpoint)
  if failure then return nil, failure, failure_code end

  trainer.reserve(model, source.n and math.min(o.batch_size, source.n) or 1)
  if state.step == 0 then
    trainer.prepare(model, function() return source.all(state.epoch + 1) end)
  end

  local per_epoch = source.n and (source.n + o.batch_size - 1) // o.batch_size
  local bar <close> = o.progress and progress.new {
    total = per_epoch and per_epoch * (last - state.epoch),
    desc = ("epoch %d/%d"):format(state.epoch + 1, last), unit = "batch" } or nil
  if bar and state.batch > 0 then bar:skip(state.batch) end

  local function save(why)
    local ok, message, code = model:save(checkpoint.path)
    if ok then return true end
    message = ("fit: checkpoint %s: %s"):format(why, message)
    log.warn("%s", message)
    return nil, message, code
  end

  log.info("fit: %s", (tostring(model):gsub("\n%s*", "; ")))
  local joined = aids.new(model:parameters(), { stopping = stopping, average = first_averaged,
    judged = not scheduled.learning_rate, seldom = watched and watched.keys }, rawget(model, "_aids"), o.resume ~= nil)
  rawset(model, "_aids", joined)
  local stats, settings = nil, {}
  local status = "done"
  if joined:stop(state.epoch) then last = state.epoch end -- it had ended
  for epoch = state.epoch + 1, last do
    local start = core.clock()
    if bar then bar.desc = ("epoch %d/%d"):format(epoch, last) end
    local done = trainer.state(model)
    local seen = done.samples
    source.open(epoch, seen, done.batch)
    joined:open(epoch, done.batch)
    for t, idx, first, count, labels, weights in source.next do
      if not source.n then trainer.reserve(model, count) end
      apply(trainer, model, scheduled, settings, epoch - 1 + (source.n and seen / source.n or 0))
      step(trainer, model, t, idx, first, count, labels, weights)
      seen = seen + count
      joined:step(epoch)
      if bar then bar:update(1, bar:due() and trainer.shown(model) or nil) end
      if checkpoint and checkpoint.batches and
        trainer.state(model).batch % checkpoint.batches == 0 then
        local ok, message, code = save(("in epoch %d"):format(epoch))
        if not ok then return nil, message, code end
      end
    end
    -- An interrupt anywhere below leaves an epoch that is done but not ended; the next fit comes
    -- here again and records the same values.
    stats = trainer.means(model)
    if validation then trainer.validate(model, validation, stats) end
    if watched then watched:measure(epoch, stats) end
    for name in pairs(scheduled) do stats[name] = settings[name] or model[name] end
    stats.ratio = joined:ratio(past, epoch, trainer.state(model).batch)
    stats.time = core.clock() - start
    joined:watch(epoch, stats)
    past:record(epoch, stats)
    trainer.end_epoch(model)
    log.info("epoch %d/%d: %s", epoch, last, metrics_text(stats))
    if run then run:epoch() end
    if checkpoint and (epoch % checkpoint.every == 0 or epoch == last) then
      local ok, message, code = save(("after epoch %d"):format(epoch))
      if not ok then return nil, message, code end
    end
    if o.callback then
      if bar then bar:clear() end
      stats.epoch = epoch
      if o.callback(model, epoch, stats) == false then
        status = "ended by the callback"
        break
      end
    end
    local why = joined:stop(epoch)
    if why then
      status = "stopped early: " .. why
      log.info("fit: %s", status)
      break
    end
  end
  stats = past:last(joined:finish())
  if run then
    local ok, message, code = run:finish(status)
    if not ok then return nil, message, code end
  end
  return trainer.results(model, stats)
end

return M
