-- Help for deep Boltzmann machines: see lrn/help.lua for what an entry is.
local rows = "N rows of n_visible values: a tensor (uint8 counts as value / 255)"
local data = "data set or tensor"
local small = "lrn.DBM{ n_visible = 4, n_hidden = { 3, 2 } }"
local ais = {
  { "options.chains", "integer", "chains of the annealing each way", 100 },
  { "options.temperatures", "integer or \"classical\"", "rungs of the ladder: 1000, and more where the \z
    bracket stays wider than a nat" },
  { "options.base", data, "whose means the model without weights has; absent: samples of the model" },
  { "options.burn", "integer", "sweeps to the states that the way down begins at", 1000 } }
local function with_ais(...)
  local list = { ... }
  return table.move(ais, 1, #ais, #list + 1, list)
end

return {
  { name = "DBM",
    text = "A deep Boltzmann machine (Salakhutdinov and Hinton 2009): v, h1, h2, ... with weights between \z
    neighbours, all\ntrained jointly, by mean field for the data and persistent chains for the model. Its \z
    parameters are dbm[\"1.W\"],\n[\"1.a\"], [\"1.b\"], [\"2.W\"], [\"2.b\"] and so on; dbm.W is dbm[\"1.W\"]. \z
    One hidden layer is an RBM.\nThe options that are marked * are fields that can be assigned at any time and \z
    act at the next step.",
    params = {
      { "options.n_visible", "integer", "visible units", 128 },
      { "options.n_hidden", "integer or table", "sizes of the hidden layers, 1 to 16 of them, the lowest first: \z
        { 128, 128 }" },
      { "options.models", "table", "RBMs to begin from, the lowest first, in place of sizes and units" },
      { "options.visible", "string", "units of the visible layer: any kind with a density", "bernoulli" },
      { "options.hidden", "string", "\"bernoulli\" or \"spin\"", "bernoulli" },
      { "options.visible_categories", "integer", "units of a group, of softmax visible units" },
      { "options.persistent", "integer", "* chains; 0: they begin at the data in each step", 100 },
      { "options.steps", "integer", "* sweeps of the chains a step", 1 },
      { "options.mean_field", "integer", "* turns of mean field at most", 25 },
      { "options.tolerance", "number", "* a row's mean field ends where no mean moves by more", 1e-4 },
      { "options.learning_rate", "number", "* >= 0", 0.1 },
      { "options", "table", "and momentum, decay, l1, max_norm, sparsity_..., centering, optimizer, temperature, \z
        visible_bias, visible_noise, normalize, dtype, device and seed, as RBM has them" } },
    returns = { { "DBM", "the model; dbm.user is a table for your own values" } },
    errors = "an unknown option (the valid ones are listed), a value outside its range, models that do not fit",
    example = "local dbm = lrn.DBM{ n_visible = 64, n_hidden = { 32, 16 }, seed = 1 }\n\z
      dbm.learning_rate = 0.01\nassert(dbm[\"2.W\"]:size(1) == 32)" },
  { name = "models.DBM", text = "The same as lrn.DBM.", params = { { "options", "table", "see DBM" } },
    like = "DBM", returns = { { "DBM", "the model" } }, errors = "see DBM",
    example = "assert(lrn.models.DBM == lrn.DBM)" },
  { name = "DBM.pretrain",
    text = "Trains an RBM for each hidden layer on the means of the ones below, batch by batch, and takes its \z
    parameters from\nthem: the first with inputs doubled on the way up, the last on the way down, of the others \z
    half of the weights\n(Salakhutdinov and Hinton 2009). Values may be lists with one a layer.",
    params = {
      { "data", "data set, tensor or function", "as for fit" },
      { "options.epochs", "integer or table", "of each RBM", 10 },
      { "options.batch_size", "integer or table", "rows of a batch", 128 },
      { "options.progress", "boolean", "a progress bar", false },
      { "options.shuffle", "boolean", "a new order in each epoch", true },
      { "options.callback", "function", "called as callback(rbm, epoch, stats, layer) after each epoch" },
      { "options.steps", "integer or table", "k of CD-k", 1 },
      { "options.persistent", "integer or table", "PCD chains; 0: CD", 0 },
      { "options.learning_rate", "number or table", "absent: that of the deep model; and so momentum, decay, l1, \z
        max_norm, sparsity_..., centering, optimizer, temperature" } },
    returns = { { "table", "the RBMs, the lowest first" } },
    errors = "a model that is trained already, unknown options, lists of another length",
    example = "local dbm = lrn.DBM{ n_visible = 64, n_hidden = { 16, 8 }, seed = 1 }\n\z
      local models = dbm:pretrain((lrn.data.digits()), { epochs = { 2, 1 }, batch_size = 16 })\n\z
      assert(models[2].n_visible == 16)" },
  { name = "DBM.fit",
    text = "Trains all layers jointly. Options, callback, checkpoints and history as RBM.fit has them, but weights \z
    and\nclass_weights; mse and error are of one sweep from the mean field of the data.",
    params = { { "data", "data set, tensor or function", "as for RBM.fit" },
      { "options.pretrain", "table", "options of DBM.pretrain, which is done first" },
      { "options", "table", "and those of RBM.fit" } }, like = "RBM.fit",
    returns = { { "number", "mse of the last epoch; nil, message, code where a checkpoint cannot be read or \z
      written" } },
    errors = "see RBM.fit",
    example = "local dbm = lrn.DBM{ n_visible = 64, n_hidden = { 16, 8 }, learning_rate = 0.01, seed = 1 }\n\z
      dbm:fit((lrn.data.digits()), { epochs = 1, pretrain = { epochs = 1, learning_rate = 0.1 } })" },
  { name = "DBM.forward", text = "Features: the mean-field means of a hidden layer. dbm(x) is the same.",
    params = { { "x", "Tensor", rows }, { "options.layer", "integer", "1 is the lowest; absent: the highest" } },
    returns = { { "Tensor", "N x units of the layer" } }, errors = "rows of another width, a layer that is none",
    example = "assert(" .. small .. ":forward(lrn.zeros(5, 4), { layer = 1 }):size(2) == 3)" },
  { name = "DBM.transform", text = "Features of a data set, which keeps its targets and classes.",
    params = { { "data", data, "what to transform" },
      { "options.layer", "integer", "1 is the lowest; absent: the highest" } },
    returns = { { "Dataset", "features in place of the rows" } }, errors = "rows of another width",
    example = "local f = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 } }:transform((lrn.data.digits()))\n\z
      assert(f.data:size(2) == 4)" },
  { name = "DBM.energy",
    text = "Of rows v the variational free energy, an upper bound on F(v) = -T log sum exp(-E / T), F itself for one \z
    hidden\nlayer; given the hidden layers, too, E(v, h).",
    params = { { "v", "Tensor", rows }, { "layers", "table", "states of the hidden layers, N rows each" } },
    returns = { { "Tensor", "N values" } }, errors = "rows of another width or number",
    example = "assert(#" .. small .. ":energy(lrn.zeros(2, 4), { lrn.ones(2, 3), lrn.ones(2, 2) }) == 2)" },
  { name = "DBM.reconstruct",
    text = "The error of a data set and its images from the first hidden layer as mean field has it: sum over units, \z
    mean over\nrows.",
    params = { { "data", data, "what to reconstruct" },
      { "options.mean_field", "boolean", "means go down instead of drawn states", false } },
    returns = { { "number", "error of the means" }, { "Tensor", "the means: N x n_visible" },
      { "number", "error of drawn states" } },
    errors = "rows of another width",
    example = "local err, v = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 } }:reconstruct((lrn.data.digits()))" },
  { name = "DBM.sample",
    text = "Fantasies: n chains of block Gibbs sampling, the layers of odd numbers given the even ones and the other \z
    way round.",
    params = { { "n", "integer", "chains" }, { "options.steps", "integer", "sweeps", 1000 },
      { "options.burn", "integer", "sweeps before them", 0 },
      { "options.thin", "integer", "draws are those of every thin-th sweep; absent: of the last alone" },
      { "options.start", "Tensor or table", "n rows of visible values, or the states of the hidden layers that \z
        sample and chains give" } },
    returns = { { "Tensor", "visible means of the last sweep: n x n_visible, with thin draws x n x n_visible" },
      { "Tensor", "its states" }, { "table", "states of the hidden layers at the end" } },
    errors = "n or steps below 1, thin above steps, a start of another size",
    example = "local v, s, h = " .. small .. ":sample(2, { steps = 10 })\nassert(h[1]:size(2) == 3)" },
  { name = "DBM.chains", text = "The states of the persistent chains: copies.",
    returns = { { "table", "a tensor a hidden layer; nil before training" } },
    example = "local dbm = lrn.DBM{ n_visible = 64, n_hidden = { 8, 4 }, persistent = 5 }\n\z
      dbm:fit((lrn.data.digits()), { epochs = 1 })\nassert(dbm:chains()[2]:size(1) == 5)" },
  { name = "DBM.parameters", text = "The parameters by name. Writing to them writes to the model.",
    returns = { { "table", "\"1.W\", \"1.a\", \"1.b\", \"2.W\", \"2.b\", ... to tensor" } },
    example = "local p = " .. small .. ":parameters()\nassert(p[\"2.b\"]:size(1) == 2)" },
  { name = "DBM.statistics", text = "What data are standardised by, with normalize: see RBM.statistics.",
    returns = { { "table", "mean and std; empty where there are none" } },
    example = "assert(next(" .. small .. ":statistics()) == nil)" },
  { name = "DBM.log_partition",
    text = "log Z in nats: exact where the layers of even or of odd numbers have at most 2^24 states together (24 \z
    units of two\nstates), else by annealed importance sampling up and down.",
    params = with_ais({ "options.method", "string", "\"exact\" or \"ais\"; absent: exact where it can be" }),
    returns = { { "number", "the figure" }, { "number", "the lower end of the bracket" },
      { "number", "the upper end" }, { "table", "how it was had, and warning where it means little: see \z
      RBM.log_partition" } },
    errors = "method = \"exact\" where no layers can be listed",
    example = "local z, low, high, how = " .. small .. ":log_partition()\nassert(how.method == \"exact\")" },
  { name = "DBM.log_likelihood",
    text = "A lower bound on the log-likelihood in nats, mean over rows: entropy of mean field plus its expected -E / T, \z
    minus\nlog Z. What it lacks is how far mean field is from P(h | v). method = \"exact\" gives the \z
    log-likelihood itself.",
    params = with_ais({ "data", data, "whose likelihood is asked" },
      { "options.method", "string", "\"ais\": log Z by annealing in any case; \"exact\": no bound, by listing \z
        hidden states for each row" }),
    returns = { { "number", "the bound" }, { "number", "the same at the upper end of log Z" },
      { "number", "the same at its lower end" }, { "table", "that of log_partition, with bound = true or false" } },
    errors = "rows of another width; method = \"exact\" where no layers can be listed",
    example = "local dbm = lrn.DBM{ n_visible = 9, n_hidden = { 4, 3 } }\n\z
      local bars = lrn.data.bars_and_stripes(3)\n\z
      assert(dbm:log_likelihood(bars) <= dbm:log_likelihood(bars, { method = \"exact\" }) + 1e-4)" },
  { name = "DBM.save",
    text = "Writes the model with all that training needs to go on; lrn.load reads it.",
    params = { { "path", "string", "file to write" } }, returns = { { "boolean", "true; or nil, message, code" } },
    example = "local p = os.tmpname()\nassert(" .. small .. ":save(p))\nassert(lrn.load(p).class == \"DBM\")\n\z
      os.remove(p)" },
}
