-- Help entries of models and what belongs to them: history.
local rows =
  "tensor of rows of n_visible values: N x V, N x h x w, or one row; uint8 means value / 255"
local size_error = "rows of another width, no tensor, a closed tensor"
-- Of models with gaussian visible units.
local normalize = { "options.normalize", "boolean",
  "the model works on data standardised by its first training set", true }
local input_normalize = { "options.input_normalize", "boolean",
  "* false: forward takes rows that are standardised already", true }
local function noise(value)
  return { "options.visible_noise", "boolean",
    "* true: visible states are drawn, the exact chain; false: they are their means", value }
end

return {
  { name = "RBM",
    text = "A restricted Boltzmann machine: binary visible and hidden units, weights W (V x H), \z
    biases a and b.\nThe options that are marked * are fields that can be assigned at any time \z
    and act at the next step.",
    params = {
      { "options.n_visible", "integer", "visible units V", 128 },
      { "options.n_hidden", "integer", "hidden units H", 128 },
      { "options.steps", "integer", "* sweeps of the chain: k of CD-k", 1 },
      { "options.learning_rate", "number", "* >= 0; multiplies the whole momentum buffer", 0.1 },
      { "options.momentum", "number", "* in [0, 1)", 0 },
      { "options.decay", "number", "* >= 0; acts on the weights only", 0 },
      { "options.l1", "number", "* >= 0; l1 sign(W) joins the weights' gradient", 0 },
      { "options.clip", "number",
        "* > 0: the largest norm of the gradient of all parameters; 0: no limit", 0 },
      { "options.max_norm", "number",
        "* > 0: the largest norm of the weights of a hidden unit; 0: no limit", 0 },
      { "options.sparsity_cost", "number",
        "* > 0: how much the hidden units are drawn to sparsity_target; 0: not", 0 },
      { "options.sparsity_target", "number", "* mean that each hidden unit is to have", 0.1 },
      { "options.sparsity_decay", "number", "* of the running mean that is compared, in [0, 1)", 0.9 },
      { "options.centering", "number",
        "* rate of the running means that centre the gradient, 0.01 say; 0: not centred", 0 },
      { "options.visible_noise", "boolean",
        "* false: wherever a visible state would be drawn, its mean is taken", true },
      { "options.optimizer", "string", "\"sgd\" (momentum), or \"adam\"", "sgd" },
      { "options.beta1", "number", "* of Adam, in [0, 1)", 0.9 },
      { "options.beta2", "number", "* of Adam, in [0, 1)", 0.999 },
      { "options.epsilon", "number", "* of Adam, > 0", 1e-8 },
      { "options.missing", "boolean", "* true: a NaN in data is a unit that its row does not have: absent from its \z
        energy, gradient and errors; of softmax units all of a group. Not with chains or the exact rule", false },
      { "options.temperature", "number", "* > 0; in training and in inference", 1 },
      { "options.persistent", "integer", "* P > 0: PCD with P chains; 0: CD", 0 },
      { "options.replicas", "integer", "* R > 1: each of these chains is one of R rungs at other temperatures, which \z
        exchange states (docs/sampling.md); not with a mask", 1 },
      { "options.fast_rate", "number", "* > 0: the chains see fast weights, which learn at this rate (Tieleman and \z
        Hinton 2009); not with a mask", 0 },
      { "options.fast_decay", "number", "* in [0, 1): what is left of fast weights after a step", .95 },
      { "options.visible_bias", "string",
        "* \"data\": start at the mean of the first data; \"zero\"", "data" },
      { "options.rule", "string", "\"cd\": contrastive divergence, PCD where persistent > 0; \"exact\": the \z
        likelihood's own gradient, for small models (RBM.moments)", "cd" },
      { "options.dtype", "string", "\"float32\" or \"float64\"", "float32" },
      { "options.device", "string", "\"cpu\", \"cuda\", \"cuda:1\"", "cpu" },
      { "options.seed", "integer",
        "of all its random numbers; absent: drawn from the default generator" } },
    returns = { { "RBM",
      "the model; parameters are rbm.W, rbm.a, rbm.b; rbm.user is a table for your own values" } },
    errors = "an unknown option (the valid ones are listed), a value outside its range",
    example =
      "local rbm = lrn.RBM{ n_visible = 64, n_hidden = 32, seed = 1 }\nrbm.learning_rate = \z
      0.05\nassert(rbm.W:size(1) == 64)" },
  { name = "DropoutRBM",
    text = "An RBM that leaves out hidden units while it trains: each row of a batch has a mask of \z
    its own, the same one\nin both phases (Srivastava et al. 2014, section 8). Features, energies and \z
    likelihoods are those of all\nunits; towards the visible units the weights count 1 - dropout.",
    params = { { "options.dropout", "number", "* probability of leaving a unit out, 0 to 1", .5 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "local m = lrn.DropoutRBM{ n_visible = 64, n_hidden = 32, dropout = .3 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })" },
  { name = "DropConnectRBM",
    text = "An RBM that leaves out weights while it trains: one mask a batch, the same one in both \z
    phases (after Wan et al.\n2013, who draw one a row). Otherwise the weights count 1 - dropout.",
    params = { { "options.dropout", "number", "* probability of leaving a weight out, 0 to 1", .5 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "local m = lrn.DropConnectRBM{ n_visible = 64, n_hidden = 32, dropout = .3 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })" },
  { name = "EDropoutRBM",
    text = "An RBM whose steps leave out hidden units by their importance I = (q- / q+) / max I of \z
    the row: kept where I\nis below a uniform number (Roder et al. 2020, arXiv 2101.06741). The \z
    change of energy of the paper cancels\nin I. A step costs two; CD only.",
    params = { { "options", "table", "those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM; persistent",
    example = "local m = lrn.EDropoutRBM{ n_visible = 64, n_hidden = 32 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })" },
  { name = "SigmoidRBM",
    text = "An RBM whose visible states are their means, for data between 0 and 1 (Hinton 2012, \z
    section 3.2): visible_noise\n= false. mse and error are then the same, and not comparable with \z
    the mse of an RBM.",
    params = { { "options", "table", "those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "local m = lrn.SigmoidRBM{ n_visible = 64, n_hidden = 32 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })\nassert(m.history.mse[1] == m.history.error[1])" },
  { name = "DiscriminativeRBM",
    text = "An RBM that learns classes: P(class | v), exact, by its logarithm's derivative (Larochelle \z
    and Bengio 2008).\nIt has U (n_classes x n_hidden) and c (n_classes) beside W and b; a does not \z
    take part. fit wants a data set\nwith targets 1 to n_classes (0: a row without a label, which \z
    teaches nothing here), gives loss, the mean of\n-log P(label | v), and accuracy, both before each \z
    update, and records them; validation adds val_loss and\nval_accuracy.",
    params = { { "options.n_classes", "integer", "number of classes, at least 2; required" },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM; n_classes",
    example = "local train, test = lrn.data.digits()\nlocal m = lrn.DiscriminativeRBM{ n_visible = 64, \z
      n_hidden = 32, n_classes = 10 }\nm:fit(train, { epochs = 1 })\nprint((m:predict(test)))" },
  { name = "HybridDiscriminativeRBM",
    text = "A DiscriminativeRBM that learns the data, too: its objective is -log P(class | v) + alpha \z
    (-log p(v, class)),\nthe second part by contrastive divergence (or PCD) on v and label jointly; \z
    rows without a label (target 0, or\na batch without targets) have -log p(v) there (Larochelle and \z
    Bengio 2008, section 5). alpha = 0 is\nDiscriminativeRBM. Records mse and error beside loss and \z
    accuracy; sample() draws from it.",
    params = { { "options.alpha", "number", "* >= 0; weight of the generative part", .01 },
      { "options", "table", "and those of DiscriminativeRBM" } }, like = "DiscriminativeRBM",
    returns = { { "RBM", "the model" } }, errors = "see DiscriminativeRBM",
    example = "local train, test = lrn.data.digits()\nlocal m = lrn.HybridDiscriminativeRBM{ n_visible = \z
      64, n_hidden = 32, n_classes = 10, alpha = .1 }\nm:fit(train, { epochs = 1 })\nlocal ones = \z
      m:sample(4, { steps = 10, labels = lrn.full(4, 2, { dtype = \"int64\" }) })" },
  { name = "models.DiscriminativeRBM", text = "The same as lrn.DiscriminativeRBM.",
    params = { { "options", "table", "see DiscriminativeRBM" } }, like = "DiscriminativeRBM",
    returns = { { "RBM", "the model" } }, errors = "see DiscriminativeRBM",
    example = "assert(lrn.models.DiscriminativeRBM == lrn.DiscriminativeRBM)" },
  { name = "models.HybridDiscriminativeRBM", text = "The same as lrn.HybridDiscriminativeRBM.",
    params = { { "options", "table", "see HybridDiscriminativeRBM" } }, like = "HybridDiscriminativeRBM",
    returns = { { "RBM", "the model" } }, errors = "see HybridDiscriminativeRBM",
    example = "assert(lrn.models.HybridDiscriminativeRBM == lrn.HybridDiscriminativeRBM)" },
  { name = "RBM.predict", text = "The most probable class of each row, of a model with labels.",
    params = { { "data", "data set or tensor", "the targets of a data set are the true classes" } },
    returns = { { "number", "share of the rows whose class is the target's (rows with target 0 aside); \z
      nil without targets" }, { "Tensor", "P(class | v): N x n_classes" },
      { "Tensor", "the classes: N, int64" } },
    errors = "a model without labels, targets out of range, rows of another width",
    example = "local m = lrn.DiscriminativeRBM{ n_visible = 64, n_hidden = 8, n_classes = 10 }\n\z
      local accuracy, p, labels = m:predict((lrn.data.digits()))" },
  { name = "RBM.log_probabilities", text = "log P(class | v) of a model with labels, exact.",
    params = { { "v", "Tensor", rows } }, returns = { { "Tensor", "N x n_classes" } },
    errors = "a model without labels; " .. size_error,
    example = "local m = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2 }\n\z
      assert(m:log_probabilities(lrn.zeros(5, 4)):size(2) == 2)" },
  { name = "RBM.labels_sampling", text = "P(class | v) of a model with labels, and a class drawn from it.",
    params = { { "v", "Tensor", rows } },
    returns = { { "Tensor", "probabilities: N x n_classes" }, { "Tensor", "classes: N, int64" } },
    errors = "a model without labels; " .. size_error,
    example = "local m = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2 }\n\z
      local p, y = m:labels_sampling(lrn.zeros(5, 4))" },
  { name = "RBM.class_sampling",
    text = "P(class | h) of a model with labels, and a class drawn from it: the label's step of the chain.",
    params = { { "h", "Tensor", "rows of n_hidden values" } },
    returns = { { "Tensor", "probabilities: N x n_classes" }, { "Tensor", "classes: N, int64" } },
    errors = "a model without labels; " .. size_error,
    example = "local m = lrn.DiscriminativeRBM{ n_visible = 4, n_hidden = 3, n_classes = 2 }\n\z
      local p, y = m:class_sampling(lrn.zeros(5, 3))" },
  { name = "GaussianRBM",
    text = "Real-valued visible units of variance 1 and binary hidden ones, for data in any units: the \z
    first fit computes\nmean and standard deviation of each visible unit over all its rows (of an \z
    iterator: over the first batch), and\nthe model works on (v - mean) / std from then on. What goes \z
    in and what comes out is in units of the data;\nerrors, mse and energies are in standardised \z
    units, a likelihood is that of the data. A unit whose deviation is\nbelow 0.01 of the range of \z
    all data is constant: it reconstructs to its mean and adds nothing to an error.\nvisible_noise = \z
    false, the usual way, takes the means of visible units wherever states would be drawn: less noise \z
    to\nlearn from, but no longer the model's own chain, which visible_noise = true is. There is no \z
    pl; see log_likelihood\nfor few hidden units, and lrn.plot.model.free_energy_gap.\nThe default \z
    learning rate suits up to about 1000 hidden units: a larger one soon ends with weights that are \z
    not\nfinite (Hinton 2012, section 13.2).",
    params = { normalize, input_normalize, noise(false),
      { "options.learning_rate", "number", "* >= 0", 0.005 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM; fit: NaN or infinity in the data",
    example = "local train = lrn.data.digits()\nlocal m = lrn.GaussianRBM{ n_visible = 64, n_hidden \z
      = 32, seed = 1 }\nm:fit(train, { epochs = 2 })\nlocal err, v = m:reconstruct(train) -- v \z
      between 0 and 1, as the digits" },
  { name = "GaussianReluRBM",
    text = "Real-valued visible units, as those of GaussianRBM, and noisy rectified hidden ones: h = \z
    max(0, x + N(0, sig(x)))\n(Nair and Hinton 2010). They stand for many copies of a binary unit with \z
    offsets -1/2, -3/2, ...: forward gives\nthe copies' mean softplus(x), energy its integral; the \z
    states' own mean is lower where x is near 0. A step\nsums v h with sampled h in both phases. At a \z
    temperature the copies see x / T. The noise makes it a rule, not a\ndensity: no log_partition, no \z
    log_likelihood. The hidden row \"relu\" (models.define) is the exact rectified Gaussian.",
    params = { normalize, input_normalize, noise(false),
      { "options.learning_rate", "number", "* >= 0", 0.001 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "local m = lrn.GaussianReluRBM{ n_visible = 64, n_hidden = 32, momentum = .9 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })\nassert(m:forward(lrn.zeros(2, 64)):min() >= 0)" },
  { name = "GaussianSeluRBM",
    text = "Real-valued visible units and hidden ones without noise, h = selu(x) (Klambauer et al. \z
    2017). There is no\nprobability behind it: a step is that of an autoencoder whose weights up are \z
    those down, with v h of the data minus\nv h of the reconstruction. energy is the potential of that \z
    rule; log_partition and log_likelihood are refused.",
    params = { { normalize[1], normalize[2], normalize[3], false }, input_normalize, noise(false),
      { "options.learning_rate", "number", "* >= 0", 0.01 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "local m = lrn.GaussianSeluRBM{ n_visible = 64, n_hidden = 32 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })" },
  { name = "VarianceGaussianRBM",
    text = "A GaussianRBM whose visible units learn their variance s = e^z (Cho, Ilin, Raiko 2011): \z
    E = sum of (v^2 / 2 - a v) / s\n- b.h - (v / s) W h. It has the parameter z, which begins at 0 and \z
    is kept within [-6, 2]; m.sigma reads e^(z/2), the\ndeviations, and can be assigned. They are in \z
    units of the standardised data. Visible states are drawn: with their\nmeans alone z would only \z
    grow. Decay, l1 and max_norm leave z alone. At a temperature variances are T s.",
    params = { normalize, input_normalize,
      { "options.variance_rate", "number", "* >= 0; z has so many times the learning rate", 0.1 },
      { "options.learning_rate", "number", "* >= 0", 0.005 },
      { "options", "table", "and those of RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM; sigma outside of 0.0498 to 2.72",
    example = "local m = lrn.VarianceGaussianRBM{ n_visible = 64, n_hidden = 32 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })\nprint(m.sigma:min(), m.sigma:max())" },
  { name = "models.GaussianRBM", text = "The same as lrn.GaussianRBM.",
    params = { { "options", "table", "see GaussianRBM" } }, like = "GaussianRBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "assert(lrn.models.GaussianRBM == lrn.GaussianRBM)" },
  { name = "models.GaussianReluRBM", text = "The same as lrn.GaussianReluRBM.",
    params = { { "options", "table", "see GaussianReluRBM" } }, like = "GaussianReluRBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "assert(lrn.models.GaussianReluRBM == lrn.GaussianReluRBM)" },
  { name = "models.GaussianSeluRBM", text = "The same as lrn.GaussianSeluRBM.",
    params = { { "options", "table", "see GaussianSeluRBM" } }, like = "GaussianSeluRBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "assert(lrn.models.GaussianSeluRBM == lrn.GaussianSeluRBM)" },
  { name = "models.VarianceGaussianRBM", text = "The same as lrn.VarianceGaussianRBM.",
    params = { { "options", "table", "see VarianceGaussianRBM" } }, like = "VarianceGaussianRBM",
    returns = { { "RBM", "the model" } }, errors = "see GaussianRBM",
    example = "assert(lrn.models.VarianceGaussianRBM == lrn.VarianceGaussianRBM)" },
  { name = "models.SigmoidRBM", text = "The same as lrn.SigmoidRBM.",
    params = { { "options", "table", "see SigmoidRBM" } }, like = "SigmoidRBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "assert(lrn.models.SigmoidRBM == lrn.SigmoidRBM)" },
  { name = "models.DropoutRBM", text = "The same as lrn.DropoutRBM.",
    params = { { "options", "table", "see DropoutRBM" } }, like = "DropoutRBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "assert(lrn.models.DropoutRBM == lrn.DropoutRBM)" },
  { name = "models.DropConnectRBM", text = "The same as lrn.DropConnectRBM.",
    params = { { "options", "table", "see DropConnectRBM" } }, like = "DropConnectRBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "assert(lrn.models.DropConnectRBM == lrn.DropConnectRBM)" },
  { name = "models.EDropoutRBM", text = "The same as lrn.EDropoutRBM.",
    params = { { "options", "table", "see EDropoutRBM" } }, like = "EDropoutRBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "assert(lrn.models.EDropoutRBM == lrn.EDropoutRBM)" },
  { name = "models.RBM", text = "The same as lrn.RBM.",
    params = { { "options", "table", "see RBM" } }, like = "RBM",
    returns = { { "RBM", "the model" } }, errors = "see RBM",
    example = "assert(lrn.models.RBM == lrn.RBM)" },
  { name = "models.define",
    text = "Makes a model class from rows of the unit table: which units each layer has, and \z
    which options start with\nanother value than RBM's.",
    params = { { "options.visible", "string",
      "\"bernoulli\", \"gaussian\", \"relu\", \"spin\", \"nrelu\", \"selu\" or \"softmax\" (one-hot \z
        groups)", "bernoulli" },
      { "options.hidden", "string", "likewise", "bernoulli" },
      { "options.mask", "string",
        "what a step leaves out: \"none\", \"dropout\", \"dropconnect\", \"edropout\"", "none" },
      { "options.variance", "boolean",
        "gaussian visible units learn their variance, as those of VarianceGaussianRBM", false },
      { "options.defaults", "table", "options of the class, such as { learning_rate = .01 }" },
      { "options.name", "string", "the class's name, also in files", "RBM" } },
    returns = { { "function", "a constructor like lrn.RBM; where a layer is softmax with one more \z
      option, visible_categories or hidden_categories: the units of a group, an integer >= 2 of which \z
      n_visible or n_hidden is a multiple; with gaussian visible units normalize (false) and \z
      input_normalize" } },
    errors = "an unknown unit or option; edropout with softmax hidden units; variance of units that are \z
      not gaussian; a name that is defined as another model",
    example =
      "local Gaussian = lrn.models.define{ visible = \"gaussian\", hidden = \"bernoulli\", name = \z
      \"MyGaussian\",\ndefaults = { learning_rate = .001 } }\nlocal m = Gaussian{ n_visible = 3, \z
      n_hidden = 2 }\nlocal Mixture = lrn.models.define{ hidden = \"softmax\", name = \z
      \"MyMixture\" }\nlocal ten = Mixture{ n_visible = \z
      64, n_hidden = 10, hidden_categories = 10 }" },
  { name = "RBM.fit",
    text = "Trains by contrastive divergence, or by PCD where persistent says so. An error or \z
    Ctrl-C between two batches\nleaves the model whole; a later fit goes on there.",
    params = { { "data", "Dataset, Tensor or function",
      "an iterator gives a batch a call, nil at the end of an epoch, and begins anew" },
      { "options.batch_size", "integer", "rows of a batch; a last short one counts for its size",
        128 },
      { "options.epochs", "integer", "so many more; with resume: in total", 10 },
      { "options.progress", "boolean", "a bar on stderr", false },
      { "options.callback", "function",
        "called after each epoch with model, epoch, stats; false ends training" },
      { "options.validation", "Dataset or Tensor", "adds val_error and val_pl to the history" },
      { "options.checkpoint", "table",
        "{ path, every } or { path =, every = epochs, batches = }: saved so often" },
      { "options.resume", "string", "path of a checkpoint: goes on from there bit for bit" },
      { "options.run", "string or table",
        "a folder, or { path =, overwrite = false, pictures = true }; gets options.json, \z
        history.json, history.csv (each epoch), run.log, and at the end model.safetensors, \z
        filters.png, reconstructions.png, history.png; a checkpoint without a path goes to its \z
        model.safetensors. A folder of another run is refused (EEXIST) without overwrite; one of \z
        the same training goes on" },
      { "options.shuffle", "boolean", "a new order each epoch, by seed and epoch", true },
      { "options.schedule", "table", "from option (learning_rate, momentum, steps, ...) to what \z
        it is as training goes on: see schedule.linear and its like, a function of the epochs \z
        done, or a table of numbers by epoch; goes into the history" },
      { "options.weights", "Tensor", "one number >= 0 a row of data: its share in the gradient; \z
        metrics count rows alike" },
      { "options.class_weights", "table", "likewise by label or name of class; 1 for those not \z
        named" },
      { "options.early_stopping", "table", "{ metric =, patience = 5, min_delta = 0, mode = \z
        \"min\" or \"max\" }: ends training when the metric was not better for so many epochs; \z
        the parameters are those of its best epoch at the end" },
      { "options.metrics", "table", "names of what is measured beside: log_likelihood (and \z
        val_log_likelihood), free_energy_gap (with free_energy and val_free_energy; needs \z
        validation), of the first 1,000 training rows; { \"log_likelihood\", every = 5 } or \z
        { log_likelihood = 5 }: in every fifth epoch" },
      { "options.average", "number", "the epoch, or share of the epochs, from which on the \z
        parameters after each step are averaged; the model gets their mean at the end" } },
    returns = { { "number",
      "mse of the last epoch (early_stopping: the best); nil, message, code where a checkpoint \z
        cannot be read or written, or run is refused" },
      { "number", "log pseudo-likelihood of the last epoch; nil for real-valued visible units" } },
    errors = "NaN or infinity in data or parameters (names tensor, epoch and batch); an empty set; "
      .. size_error,
    example =
      "local train = lrn.data.digits()\nlocal rbm = lrn.RBM{ n_visible = 64, n_hidden = 16, seed \z
      = 1 }\nlocal mse, pl = rbm:fit(train, { epochs = 2 })\nassert(#rbm.history.mse == 2)" },
  { name = "RBM.reconstruct",
    text = "The error of reconstructing data: sum over units of the squared difference, mean over \z
    rows.",
    params = { { "data", "Dataset or Tensor", rows },
      { "options.mean_field", "boolean", "hidden means go down instead of sampled states",
        false },
      { "options.batch_size", "integer",
        "rows of a data set gathered and transformed at once, rounded up to a multiple of 512; \z
        results do not depend on it", 512 } },
    returns = { { "number", "error between data and visible probabilities" },
      { "Tensor", "the probabilities, N x V" },
      { "number", "the error with sampled visible units" } },
    errors = size_error,
    example =
      "local _, test = lrn.data.digits()\nlocal err, v = lrn.RBM{ n_visible = 64, n_hidden = 8 \z
      }:reconstruct(test)\nassert(v:size(1) == #test)" },
  { name = "RBM.hidden_sampling", text = "Hidden units given visible ones.",
    params = { { "v", "Tensor", rows }, { "labels", "Tensor",
      "of a model with labels, N: those of the rows; absent: summed out of the means, drawn for the states" } },
    returns = { { "Tensor", "means (probabilities), N x H" }, { "Tensor", "sampled states" } },
      errors = size_error,
    example =
      "local p, h = lrn.RBM{ n_visible = 4, n_hidden = 3 }:hidden_sampling(lrn.zeros(2, 4))" },
  { name = "RBM.visible_sampling", text = "Visible units given hidden ones.",
    params = { { "h", "Tensor", "rows of n_hidden values" } },
    returns = { { "Tensor", "means (probabilities), N x V" }, { "Tensor", "sampled states" } },
      errors = size_error,
    example =
      "local p, v = lrn.RBM{ n_visible = 4, n_hidden = 3 }:visible_sampling(lrn.zeros(2, 3))" },
  { name = "RBM.forward", text = "Features: the hidden means. rbm(x) is the same.",
    params = { { "x", "Tensor", rows } },
    returns = { { "Tensor", "N x H" } }, errors = size_error,
    example =
      "local rbm = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nassert(rbm(lrn.zeros(2, 4)) == \z
      rbm:forward(lrn.zeros(2, 4)))" },
  { name = "RBM.transform",
    text = "The features of a data set as a data set with the same targets, computed in batches.",
    params = { { "data", "Dataset or Tensor", rows } },
      returns = { { "Dataset", "its data are N x H" } }, errors = size_error,
    example =
      "local train = lrn.data.digits()\nlocal f = lrn.RBM{ n_visible = 64, n_hidden = 3 \z
      }:transform(train)\nassert(#f == #train and f.targets == train.targets)" },
  { name = "RBM.energy",
    text = "Free energy of each row: F(v) = -a.v - T sum_j softplus((v W + b)_j / T); of real-valued \z
    visible units\nwith sum of v^2 / 2, v standardised where the model does.",
    params = { { "v", "Tensor", rows }, { "labels", "Tensor",
      "of a model with labels, N: gives F(v, label)" } },
    returns = { { "Tensor", "N values" } }, errors = size_error,
    example =
      "local F = lrn.RBM{ n_visible = 4, n_hidden = 3 }:energy(lrn.zeros(2, 4))\nassert(F:size(1) \z
      == 2)" },
  { name = "RBM.pseudo_likelihood",
    text = "Log pseudo-likelihood in nats, mean over rows: of each row one unit (softmax: one group), \z
    drawn at random,\nstands for all.",
    params = { { "v", "Dataset or Tensor", rows .. "; rounded to the nearest states" } },
      returns = { { "number", "<= 0; higher is better" } },
    errors = "real-valued visible units; " .. size_error,
    example =
      "local train = lrn.data.digits()\nassert(lrn.RBM{ n_visible = 64, n_hidden = 3 \z
      }:pseudo_likelihood(train) < 0)" },
  { name = "RBM.gibbs_sampling", text = "The chain of `steps` sweeps from rows v.",
    params = { { "v", "Tensor", rows } },
    returns = { { "Tensor", "hidden means given v" }, { "Tensor", "states drawn from them" },
      { "Tensor", "hidden means at the end" }, { "Tensor", "states drawn from them" },
        { "Tensor", "visible states at the end" } },
    errors = size_error,
    example =
      "local ph, sh, qh, th, vk = lrn.RBM{ n_visible = 4, n_hidden = 3 \z
      }:gibbs_sampling(lrn.zeros(2, 4))\nassert(vk:size(2) == 4)" },
  { name = "RBM.sample", text = "Fantasy particles: n chains of block Gibbs sampling.",
    params = { { "n", "integer", "number of chains" }, { "options.steps", "integer", "sweeps",
      1000 },
      { "options.burn", "integer", "sweeps before them", 0 },
      { "options.thin", "integer", "draws are those of every thin-th step; absent: of the last step alone" },
      { "options.start", "Tensor",
        "n rows of visible values; absent: hidden states from the biases alone, or from what is clamped" },
      { "options.clamp", "table", "{ mask, values }: where the mask is 1, visible units keep these values, \z
        bit for bit, in all sweeps and results; each is n_visible values or n rows of them (images, too), in \z
        units of the data; a value is read only where the mask is 1; of softmax units whole groups" },
      { "options.temperature", "number", "in place of the model's" },
      { "options.labels", "Tensor", "n labels that a model with labels holds fixed" },
      { "options.replicas", "integer", "rungs of parallel tempering; their ladder adapts while the chains burn", 1 },
      { "options.base", "Dataset or Tensor", "data whose means the hottest rung has; absent: those of training, \z
        of a model with replicas; else it is uniform" } },
    returns = { { "Tensor", "visible means of the last sweep, n x V; with thin draws x n x V" },
      { "Tensor", "the states" }, { "Tensor", "the labels, n or draws x n, of a model that has them" },
      { "Tensor", "with replicas: how often each pair of neighbouring rungs exchanged states" },
      { "Tensor", "with replicas: the rungs' betas, from 1 to 0" } },
    errors = "n or steps below 1, thin above steps; a held value that is NaN or infinite; " .. size_error,
    example =
      "local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nlocal images = m:sample(2, { steps = 10 \z
      })\nassert(images:size(1) == 2)\nlocal upper = { lrn.tensor{ 1, 1, 0, 0 }, lrn.tensor{ 1, 0, 0, 0 } \z
      }\nlocal _, v = m:sample(2, { steps = 20, burn = 5, thin = 4, clamp = upper })\nassert(v(5, 2, 1) == 1)" },
  { name = "RBM.impute",
    text = "Fills in what is missing: the mean of each missing unit given all that its row has, under the whole model,\n\z
    from chains that keep what is known. Whether or not the model was trained with `missing`.",
    params = { { "data", "Dataset|Tensor", "NaN: missing; of softmax units all of a group" },
      { "options.mask", "Tensor", "n_visible values or rows of them (images, too): 0 where a value counts as missing \z
        besides" },
      { "options.steps", "integer", "sweeps over which means are taken", 100 },
      { "options.burn", "integer", "sweeps before them", 50 },
      { "options.chains", "integer", "chains of each row", 10 } },
    returns = { { "Dataset|Tensor", "data with means in the gaps, of the model's dtype; what is known stays, bit for bit" },
      { "Tensor", "the same with one draw in the gaps" },
      { "Tensor", "standard deviation of what stands in the gaps, 0 elsewhere" } },
    errors = "an infinite value that is known, a part of a group; " .. size_error,
    example = "local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nlocal v = m:impute(lrn.tensor{ { 1, 0, 0/0, 1 } \z
      })\nassert(v(1, 1) == 1 and v(1, 3) > 0)" },
  { name = "RBM.denoise",
    text = "Takes away noise of a known kind: posterior means of the visible units given rows that were seen through it.",
    params = { { "y", "Dataset|Tensor", "rows with noise; NaN: not seen" },
      { "options.flip", "number", "of units of two states: the probability, in (0, 1), that one shows the other; of \z
        softmax units: that a group shows one of its units drawn anew" },
      { "options.noise", "number", "of Gaussian units: standard deviation of what was added, in units of the data" },
      { "options.steps", "integer", "sweeps over which means are taken", 100 },
      { "options.burn", "integer", "sweeps before them", 50 },
      { "options.chains", "integer", "chains of each row", 10 } },
    returns = { { "Dataset|Tensor", "the means, of the model's dtype, in the shape of y" }, { "Tensor", "one draw" },
      { "Tensor", "standard deviations" } },
    errors = "flip for real-valued units, noise for others, neither of them; real-valued units that are not Gaussian; "
      .. size_error,
    example = "local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nlocal v = m:denoise(lrn.tensor{ { 1, 0, 0, 1 } }, { \z
      flip = 0.1 })\nassert(v(1, 1) > v(1, 2))" },
  { name = "RBM.swap_rates",
    text = "How often neighbouring rungs of the persistent chains exchanged states, since their ladder was last \z
    adapted.\nfit records the mean as swap.",
    returns = { { "Tensor", "replicas - 1 rates, that of the model and its neighbour first; nil where there are no \z
      replicas" }, { "Tensor", "the betas of the rungs, from 1 to 0" } },
    errors = "a closed model",
    example = "local m = lrn.RBM{ n_visible = 64, n_hidden = 8, persistent = 16, replicas = 4 }\n\z
      m:fit((lrn.data.digits()), { epochs = 1 })\nassert(#m:swap_rates() == 3)" },
  { name = "RBM.mixing",
    text = "Runs chains of the model and says how well they mix: what a draw is worth, and whether chains agree.\n\z
    A warning is logged where they do not (R-hat above 1.1), where they were shorter than 50 autocorrelation\n\z
    times, and where rungs exchange states less often than in 1 of 10 rounds.",
    params = { { "options.chains", "integer", "chains", 10 }, { "options.steps", "integer", "sweeps of each", 1000 },
      { "options.burn", "integer", "sweeps before them", 100 },
      { "options.of", "string or function", "\"energy\": the free energy, which cannot tell modes of equal weight \z
        apart; or a function from rows of visible states to a tensor of a number each", "energy" },
      { "options.replicas", "integer", "as for RBM.sample, which has base, start, clamp and temperature, too", 1 },
      { "options", "table", "base, start, clamp, temperature: as for RBM.sample" } },
    returns = { { "table", "tau (autocorrelation time in sweeps), ess (effective sample size of all draws), rhat \z
      (split R-hat), values (steps x chains); with replicas swap_rates and betas; warning where there is one" } },
    errors = "fewer than 2 chains or 4 steps; a function that gives something else",
    example = "local r = lrn.RBM{ n_visible = 4, n_hidden = 3 }:mixing{ chains = 4, steps = 200, burn = 10 }\n\z
      assert(r.tau < 3 and r.rhat < 1.1)" },
  { name = "RBM.log_partition",
    text = "log Z: exact, by enumerating the layer with fewer states, or in closed form (two Gaussian layers); else a bracket by\n\z
    annealed importance sampling: from a model without weights up (on average too low) and from samples of the model\n\z
    down again (on average too high). Of standardised data where the model standardises.",
    params = {
      { "options.method", "string", "\"exact\" or \"ais\"; nil: exact where there is an exact figure" },
      { "options.chains", "integer", "annealed at once, >= 2", 100 },
      { "options.temperatures", "integer or string",
        "rungs of the ladder, equally far apart; \"classical\": the 14,500 of Salakhutdinov and Murray 2008; \z
        nil: 1,000, then 4,000 and 16,000 while the bracket is wider than 1 nat" },
      { "options.base", "Dataset or Tensor",
        "data whose means the model without weights has; nil: samples of the model" },
      { "options.burn", "integer", "sweeps to the samples that the way down begins at", 1000 } },
    returns = { { "number", "in nats" }, { "number", "lower end" }, { "number", "upper end" },
      { "table", "method (\"exact\" or \"ais\"), log_z, log_z_low, log_z_high; of \"ais\" also forward and \z
        backward (the two estimates), error (standard error), ess (how many chains count), spread (standard \z
        deviation of the log weights), chains, temperatures, and warning: a text where the figure means little" } },
    errors = "method = \"exact\" without a layer of at most 2^24 states (24 units of 0 and 1); a model whose \z
      exp(-E) has no finite integral",
    example = "local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nprint(m:log_partition())\n\z
      print(m:log_partition{ method = \"ais\", temperatures = 100 })" },
  { name = "RBM.log_likelihood",
    text = "Log-likelihood of data: exact where log_partition is; else between two ends, by annealed importance\n\z
    sampling. Of real-valued units it is the log density of the data as given, which the statistics of a model that\n\z
    standardises them are part of; constant units are left out.",
    params = { { "data", "Dataset or Tensor", rows },
      { "options", "table", "those of RBM.log_partition; base is the data where it is not given" } },
    returns = { { "number", "mean over rows, in nats" }, { "number", "lower end (an exact figure: the same)" },
      { "number", "upper end" }, { "table", "how it was had: see RBM.log_partition" } },
    errors = "see RBM.log_partition; " .. size_error,
    example =
      "local ds = lrn.data.bars_and_stripes(3)\nassert(lrn.RBM{ n_visible = 9, n_hidden = 3 \z
      }:log_likelihood(ds) < 0)" },
  { name = "RBM.moments",
    text = "Moments of the model's own distribution, exact: T times the derivatives of log Z by W, a and b.",
    params = {},
    returns = { { "table", "vh: E[v h'] (V x H), v: E[v], h: E[h], float64 tensors; log_z" } },
    errors = "no layer of at most 2^24 states (24 units of 0 and 1); a model with labels",
    example = "local m = lrn.RBM{ n_visible = 4, n_hidden = 3 }:moments()\nassert(m.vh:size(1) == 4)" },
  { name = "RBM.parameters", text = "The parameters. Writing to one writes to the model.",
    params = {},
    returns = { { "table", "from name to Tensor: W (V x H), a (V), b (H); learned variances: z (V)" } },
    example =
      "for name, t in pairs(lrn.RBM{ n_visible = 4, n_hidden = 3 }:parameters()) do print(name, \z
      t.numel) end" },
  { name = "RBM.statistics",
    text = "What data are standardised by: mean and standard deviation of each visible unit in the first \z
    training set; std 0:\na constant unit.",
    params = {},
    returns = { { "table", "mean, std: copies, float64; empty where there are none" } },
    example =
      "local m = lrn.GaussianRBM{ n_visible = 64, n_hidden = 4 }\nm:fit((lrn.data.digits()), { epochs \z
      = 1 })\nassert(m:statistics().mean:max() < 1)" },
  { name = "RBM.updates",
    text = "What the last step of training added to each parameter, before max_norm. Its norm over the parameter's \z
    should be about 1e-3.",
    params = {},
    returns = { { "table", "from name to Tensor; empty before the first step" } },
    example =
      "local rbm = lrn.RBM{ n_visible = 64, n_hidden = 4 }\nrbm:fit((lrn.data.digits()), { epochs \z
      = 1 })\nprint(rbm:updates().W:norm() / rbm.W:norm())" },
  { name = "RBM.save",
    text = "Writes the model with all that training needs to go on. The old file stays whole \z
    until the new one is.",
    params = { { "path", "string", "a safetensors file; lrn.load reads it" } },
    returns = { { "boolean", "true; or nil, message, code" } }, errors = "a path that is no text",
    example =
      "local path = os.tmpname()\nassert(lrn.RBM{ n_visible = 4, n_hidden = 3 \z
      }:save(path))\nlocal again = assert(lrn.load(path))\nos.remove(path)" },
  { name = "History.metrics", text = "Names of the metrics that were recorded.", params = {},
    returns = { { "table", "list of names in a fixed order" } },
    example =
      "local rbm = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nrbm:fit(lrn.zeros(8, 4), { epochs = 1 \z
      })\nassert(rbm.history:metrics()[1] == \"mse\")" },
  { name = "History.record",
    text = "Sets the values of an epoch; epochs in which a metric is missing are NaN.",
    params = { { "epoch", "integer", "counted from 1" },
      { "values", "table", "from metric to number" } },
    example =
      "local rbm = lrn.RBM{ n_visible = 4, n_hidden = 3 }\nrbm.history:record(1, { mine = 3 })" },
  { name = "History.last", text = "The values of one epoch.",
    params = { { "epoch", "integer", "absent: the last" } },
    returns = { { "table", "from metric to number" } },
    example = "assert(next(lrn.RBM{ n_visible = 4, n_hidden = 3 }.history:last()) == nil)" },
  { name = "History.csv",
    text = "The history as CSV: a line of names, then one an epoch, digits enough to read the \z
    same numbers.", params = {},
    returns = { { "string", "CSV" } },
    example =
      "local h = lrn.RBM{ n_visible = 4, n_hidden = 3 }.history\nh:record(1, { mse = 20.5 \z
      })\nassert(h:csv() == \"epoch,mse\\n1,20.5\\n\")" },
  { name = "History.encode", text = "The history as JSON; NaN and infinities as texts.",
    params = {},
    returns = { { "string", "JSON" } },
    example = "assert(lrn.RBM{ n_visible = 4, n_hidden = 3 }.history:encode() == \"{}\")" },
}
