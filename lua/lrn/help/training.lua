-- Help entries of what training takes: schedules, optimisers, models written in Lua, and checks.
local numbers = "function of the epochs done"

local function schedule(name, text, params, example)
  return { name = "schedule." .. name, text = text, params = params,
    returns = { { "Schedule", numbers .. ", such as 2.25; for fit's option schedule" } },
    errors = "a value that is no number", example = example }
end

local from = { "options.from", "number", "value at the start" }
local to = { "options.to", "number", "value at the end" }
local epochs = { "options.epochs", "number", "how long it takes; afterwards it stays" }

local shared = {
  { "parameters", "table", "from name to Tensor: contiguous, float32 or float64; step writes to \z
    them" },
  { "options.decay", "number", "* >= 0; of weights, tensors of two and more dimensions", 0 },
  { "options.l1", "number", "* >= 0; l1 sign(W) joins the weights' gradient", 0 },
  { "options.clip", "number", "* > 0: the largest norm of the whole gradient; 0: no limit", 0 },
}

local function optimizer(name, text, more, example)
  local params = { table.unpack(shared) }
  for i, row in ipairs(more) do table.insert(params, i + 1, row) end
  return { name = "optim." .. name, text = text .. " Options marked * are fields of it.",
    params = params, returns = { { "Optimizer", "its step(gradients) changes the parameters" } },
    errors = "no parameters, or such as are not contiguous", example = example }
end

local mean = "local m = lrn.Model{ name = \"Mean\", parameters = { mu = lrn.zeros(64) },\n\z
  step = function(self, x)\n  local d = self.mu - x:mean(1)\n\z
  return { loss = d:norm() }, { mu = d }\nend }\n"

return {
  schedule("constant", "Always the same value.", { { "value", "number", "the value" } },
    "assert(lrn.schedule.constant(.1)(7) == .1)"),
  schedule("linear", "In a straight line from one value to another.", { from, to, epochs },
    "assert(lrn.schedule.linear{ from = .5, to = .9, epochs = 4 }(2) == .7)"),
  schedule("cosine", "Half a cosine from one value to another (Loshchilov and Hutter 2017).",
    { from, { "options.to", "number", "value at the end", 0 }, epochs },
    "assert(lrn.schedule.cosine{ from = .1, epochs = 10 }(10) == 0)"),
  schedule("step", "Times a factor every so many epochs.", { from,
    { "options.factor", "number", ">= 0", .1 }, { "options.every", "number", "epochs" } },
    "assert(lrn.schedule.step{ from = 1, factor = .5, every = 10 }(25) == .25)"),
  schedule("exponential", "Times a factor each epoch, smoothly.", { from,
    { "options.factor", "number", ">= 0" } },
    "assert(lrn.schedule.exponential{ from = 1, factor = .5 }(2) == .25)"),
  schedule("warmup", "Grows to another schedule, whose time it does not change.", {
    { "options.to", "Schedule, function, table or number", "what it grows to" }, epochs,
    { "options.share", "number", "of its value at the start", 0 } },
    "assert(lrn.schedule.warmup{ to = .1, epochs = 4 }(1) == .025)"),

  optimizer("sgd", "Gradient descent: m = momentum m + g; theta -= learning_rate m.", {
    { "options.learning_rate", "number", "* >= 0", .1 },
    { "options.momentum", "number", "* in [0, 1)", 0 } },
    "local W = lrn.ones(2)\nlocal opt = lrn.optim.sgd({ W = W }, { learning_rate = .5 })\n\z
    opt:step{ W = lrn.ones(2) }\nassert(W:sum() == 1)"),
  optimizer("adam", "Adam (Kingma and Ba 2015).", {
    { "options.learning_rate", "number", "* >= 0", .001 },
    { "options.beta1", "number", "* in [0, 1)", .9 },
    { "options.beta2", "number", "* in [0, 1)", .999 },
    { "options.epsilon", "number", "* > 0", 1e-8 } },
    "local opt = lrn.optim.adam({ W = lrn.ones(2) }, { learning_rate = .01 })\n\z
    opt:step{ W = lrn.ones(2) }\nassert(opt.steps == 1)"),
  { name = "Optimizer.step", text = "One step. A parameter without a gradient stays as it is.",
    params = { { "gradients", "table", "from name to Tensor, like its parameter" } },
    returns = { { "string", "a parameter that is no longer finite; nil: all are" } },
    errors = "an unknown name, another shape, dtype or device",
    example = "local b = lrn.ones(2)\n\z
      lrn.optim.sgd({ b = b }, { learning_rate = 1 }):step{ b = b }\n\z
      assert(b:sum() == 0)" },
  { name = "Optimizer.tensors", text = "What it keeps from step to step.", params = {},
    returns = { { "table", "from name to Tensor: momentum.W, and of Adam second.W" } },
    example = "assert(lrn.optim.sgd{ W = lrn.ones(2) }:tensors()[\"momentum.W\"]:sum() == 0)" },

  { name = "Model",
    text = "A model of your own: parameters and a step, and fit with all that belongs to it, \z
    history, files and the\nrest as for RBM. step(self, x, labels, weights) gets the rows of a \z
    batch, N x V in the model's dtype (uint8\ndata are divided by 255), and returns a table of \z
    metrics, means over rows, and a table of gradients, of which\nthe optimiser makes a step; or \z
    no gradients, where it has changed the parameters in place itself.",
    params = {
      { "options.name", "string", "of the class, in files; the last model of a name gives \z
        lrn.load its functions" },
      { "options.parameters", "table", "from name to Tensor, float32 or float64, on one device" },
      { "options.step", "function", "see above; weights are nil, or those of the batch's rows" },
      { "options.validate", "function",
        "(self, x, labels) -> table of metrics, for fit's option validation" },
      { "options.prepare", "function", "(self, x), once before the first step, with all rows" },
      { "options.optimizer", "string", "\"sgd\" or \"adam\"", "sgd" },
      { "options", "table", "and those of optim.sgd, optim.adam, which are fields: \z
        learning_rate, ..." },
      { "options.seed", "integer", "of shuffling and of the field generator, which step may draw \z
        from; absent: drawn from the default generator" },
      { "options.user", "table", "values of yours, saved as JSON", nil },
      { "options.NAME", "function", "any other function becomes a method" } },
    returns = { { "Model", "the model" } },
    errors = "an unknown option, a value outside its range, a name that every model has",
    example = mean .. "m:fit((lrn.data.digits()), { epochs = 1 })\nassert(m.history.loss[1] > 0)" },
  { name = "Model.fit", text = "Trains, with the options of RBM.fit. A metric or a parameter \z
    that is no longer finite ends it\nwith an error that names it.",
    params = { { "data", "Dataset, Tensor or function", "step gets its targets as labels" },
      { "options", "table", "those of RBM.fit" } }, like = "RBM.fit",
    returns = { { "table", "the metrics of the last epoch; nil, message, code where a checkpoint \z
      cannot be read or written" } }, errors = "see RBM.fit; what step raises",
    example = mean .. "assert(m:fit((lrn.data.digits()), { epochs = 2 }).loss < 2)" },
  { name = "Model.parameters", text = "The parameters.", params = {},
    returns = { { "table", "from name to Tensor" } },
    example = mean .. "assert(m:parameters().mu.numel == 64)" },
  { name = "Model.save", text = "Writes the model with all that training needs to go on, but no \z
    code.",
    params = { { "path", "string", "a safetensors file; lrn.load reads it" } },
    returns = { { "boolean", "true; or nil, message, code" } },
    errors = "a path that is no text; values in user that JSON does not have",
    example = mean .. "local path = os.tmpname()\nassert(m:save(path))\n\z
      assert(lrn.load(path).mu == m.mu)\nos.remove(path)" },
  { name = "Model.load", text = "Makes the model what a file of its class holds, or leaves it as \z
    it is.",
    params = { { "path", "string", "what save wrote" } },
    returns = { { "boolean", "true; or nil, message, code" } }, errors = "a path that is no text",
    example = mean .. "local path = os.tmpname()\nassert(m:save(path))\nassert(m:load(path))\n\z
      os.remove(path)" },

  { name = "testing.gradcheck",
    text = "Compares gradients with central differences of a function, in float64.",
    params = { { "f", "function", "without arguments; gives a number from the parameters, draws \z
      nothing" },
      { "parameters", "table", "from name to float64 Tensor; afterwards as before" },
      { "gradients", "table", "from name to float64 Tensor: what the derivatives should be" },
      { "options.eps", "number", "of the difference, times max(1, |theta|)", 1e-6 },
      { "options.tolerance", "number", "of |g - d| / max(|g|, |d|, floor)", 1e-5 },
      { "options.floor", "number", "absent: 1e-3 of the largest gradient of the tensor" },
      { "options.most", "integer",
        "elements of a tensor that are looked at, spread over it", 100 } },
    returns = { { "boolean", "did all agree" }, { "number", "the largest relative error" },
      { "string", "where: tensor, element and both values" } },
    errors = "tensors of another dtype or shape, names without a gradient",
    example = "local x = lrn.tensor({ 1, 2 }, { dtype = \"float64\" })\n\z
      local function f() return (x * x):sum() end\n\z
      assert(lrn.testing.gradcheck(f, { x = x }, { x = x * 2 }))" },
}
