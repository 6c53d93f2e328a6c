-- Help entries of data sets.
local image_options = { { "options.root", "string", "a folder to look in first" },
  { "options.download", "boolean", "fetches what no folder has, into root, else LRN_DATA, else \z
    the cache; LRN_OFFLINE=1 forbids it", false },
  { "options.mirrors", "table", "addresses of folders to fetch from, instead of the known ones" },
  { "options.progress", "boolean", "a bar on stderr while it fetches", true } }
local image_returns = { { "Dataset", "training set; or nil, message, code: \"ENOENT\": the files \z
  are not there, \"EFORMAT\": they are others, and those of io.fetch" },
  { "Dataset", "test set" } }
return {
  { name = "data.Dataset",
    text = "A data set: samples along dimension 1 of a tensor, and a target for each where there \z
    are any.\nFields: data, targets, classes, name, transform; #ds; ds[i] is sample i; ds(i) \z
    gives sample and target.",
    params = { { "data", "Tensor", "N samples along dimension 1" },
      { "targets", "Tensor", "N targets; class labels are 1..C in int64" },
      { "options.transform", "function", "from a batch to a batch, applied when samples are read" },
      { "options.classes", "table", "list of names: classes[label]" }, { "options.name", "string",
        "shown by tostring" } },
    returns = { { "Dataset", "it refers to the tensors, nothing is copied" } },
    errors = "targets of another length; a transform that is no function; an unknown option",
    example =
      "local ds = lrn.data.Dataset(lrn.zeros(10, 4))\nassert(#ds == 10 and ds[1].numel == 4)" },
  { name = "data.is_dataset", text = "Is the value a data set?",
    params = { { "v", "any", "a value" } },
    returns = { { "boolean", "" } }, example = "assert(not lrn.data.is_dataset(3))" },
  { name = "data.mnist",
    text = "MNIST: 60,000 training and 10,000 test images of 28 x 28, digits. Labels 1..10, \z
    classes \"0\"..\"9\"; images stay uint8.\nThe four files, plain or .gz, are looked for in \z
    root, $LRN_DATA, and $XDG_CACHE_HOME/lrn or ~/.cache/lrn: in the folder\nitself, in mnist/ \z
    and in MNIST/raw/. Where they are not, download fetches them (11.6 MB) into mnist/.",
    params = image_options,
    returns = image_returns, errors = "an unknown option",
    example =
      "local train, test = lrn.data.mnist()\nif train then print(#train, #test) else print(test) \z
      end" },
  { name = "data.fashion_mnist",
    text = "Fashion-MNIST: 60,000 training and 10,000 test images of 28 x 28, clothes. Labels \z
    1..10, classes \"T-shirt/top\",\n\"Trouser\", ...; uint8. The four files, plain or .gz, are \z
    looked for as those of data.mnist, in fashion_mnist/,\nFashionMNIST/raw/, fashion-mnist/; \z
    download fetches them (30.9 MB).",
    params = image_options,
    returns = image_returns, errors = "an unknown option",
    example =
      "local train, test = lrn.data.fashion_mnist()\nprint(train and train.classes[1] or test)" },
  { name = "data.kmnist",
    text = "KMNIST: 60,000 training and 10,000 test images of 28 x 28, cursive Japanese \z
    characters. Labels 1..10, classes \"o\",\n\"ki\", ...; uint8. The four files, plain or .gz, \z
    are looked for as those of data.mnist, in kmnist/ and KMNIST/raw/;\ndownload fetches them \z
    (21.2 MB).",
    params = image_options,
    returns = image_returns, errors = "an unknown option",
    example = "local train, test = lrn.data.kmnist()\nprint(train and train.classes[1] or test)" },
  { name = "data.cifar10",
    text = "CIFAR-10: 50,000 training and 10,000 test images, N x 3 x 32 x 32 (red, green, blue). \z
    Labels 1..10, classes \"airplane\",\n\"automobile\", ...; uint8. Read from the binary \z
    version: cifar-10-binary.tar.gz as it is, or its six .bin files, in a folder\nof data, in \z
    cifar10/ or cifar-10-batches-bin/; download fetches it (170 MB).",
    params = image_options,
    returns = image_returns, errors = "an unknown option",
    example =
      "local train, test = lrn.data.cifar10()\nprint(train and train.data.shape[2] or test)" },
  { name = "data.digits",
    text = "The shipped set of real digits: 8 x 8 scans (UCI optical digits, CC BY 4.0). The \z
    first 1437 of the file's order\nare for training, the last 360, by other writers, for the \z
    test. Labels 1..10, classes \"0\"..\"9\"; uint8.",
    params = {}, returns = { { "Dataset", "training set, 1437 images" },
      { "Dataset", "test set, 360 images" } },
    example =
      "local train, test = lrn.data.digits()\nassert(#train == 1437 and #test == 360 and \z
      train.classes[1] == \"0\")" },
  { name = "data.bars_and_stripes",
    text = "All n x n images of bars (label 1: whole columns) or stripes (label 2: whole rows); \z
    2^(n+1) - 2 of them, uint8.",
    params = { { "n", "integer", "side, 1..10" } },
      returns = { { "Dataset", "all images, each once" } },
    errors = "n outside 1..10", example = "assert(#lrn.data.bars_and_stripes(3) == 14)" },
  { name = "data.shifter",
    text = "The shifter (Hinton and Sejnowski 1986): all patterns of n bits, each above itself moved by one \z
    to the left (label 1), not at all (2) or to the right (3), around the ends. No pixel alone says \z
    anything about the label; uint8.",
    params = { { "n", "integer", "bits, 2..12" } },
    returns = { { "Dataset", "3 * 2^n images of 2 x n" } },
    errors = "n outside 2..12", example = "assert(#lrn.data.shifter(4) == 48)" },
  { name = "data.ising",
    text = "Independent configurations of the two-dimensional Ising model on a torus, p = exp(-E / T) / Z, E = \z
    minus the sum of s_i s_j over neighbours; spins up are 255, down 0 (uint8). Critical temperature: \z
    2.269. Each has a chain of cluster updates of its own (Swendsen and Wang 1987).",
    params = { { "options.temperature", "number", "", 2.2691853142130216 },
      { "options.n", "integer", "configurations", 1000 }, { "options.side", "integer", "2..1024", 16 },
      { "options.sweeps", "integer", "cluster updates of each", 100 },
      { "options.seed", "integer", "absent: drawn from the default generator" } },
    returns = { { "Dataset", "n x side x side, without labels" } },
    errors = "a temperature that is not above 0; an unknown option",
    example = "local ds = lrn.data.ising{ temperature = 3, n = 20, side = 8, seed = 1 }\nassert(#ds == 20)" },
  { name = "data.transforms.scale", text = "A transform: float32 values times a factor.",
    params = { { "factor", "number", "", 1 / 255 } },
    returns = { { "function", "from a batch to a batch" } },
    example = "local f = lrn.data.transforms.scale(2)\nassert(f(lrn.ones(1, 1)):max() == 2)" },
  { name = "data.transforms.binarize",
    text = "A transform: 1 where a value reaches the threshold, else 0; uint8 counts as value / \z
    255.",
    params = { { "threshold", "number", "", 0.5 } },
      returns = { { "function", "from a batch to a batch" } },
    example =
      "local train = lrn.data.digits()\nlocal ds = \z
      train:map(lrn.data.transforms.binarize())\nassert(ds[1]:max() == 1)" },
  { name = "data.transforms.onehot",
    text = "A transform of labels: rows of n values with a 1 at the label.",
    params = { { "n", "integer", "number of classes" } },
    returns = { { "function", "from labels (N) to N x n" } }, errors = "n below 1",
    example =
      "local y = lrn.data.transforms.onehot(3)(lrn.tensor({ 2, 3 }, { dtype = \"int64\" \z
      }))\nassert(y:sum() == 2)" },
  { name = "data.transforms.compose", text = "One transform after the other.",
    params = { { "...", "function", "the transforms, first to last" } },
    returns = { { "function", "from a batch to a batch" } },
      errors = "an argument that is no function",
    example = "local t = lrn.data.transforms\nlocal f = t.compose(t.scale(), t.binarize())" },
  { name = "Dataset.get",
    text = "Sample i and its target. ds(i) is the same; ds[i] gives the sample alone.",
    params = { { "i", "integer", "1..#ds, or -1 for the last" } },
    returns = { { "Tensor or number", "the sample, transformed" },
      { "number or Tensor", "its target, or nil" } },
    errors = "a position outside the set; 0",
    example =
      "local train = lrn.data.digits()\nlocal x, label = \z
      train:get(1)\nassert(train.classes[label] == \"0\")" },
  { name = "Dataset.tensor",
    text = "The whole set as it goes into a model: transformed; copied only where it must be.",
    params = {},
    returns = { { "Tensor", "N samples" } },
      example = "assert(lrn.data.bars_and_stripes(2):tensor():size(1) == 6)" },
  { name = "Dataset.subset",
    text = "The chosen samples as a data set; nothing is copied until its data are asked for.",
    params = { { "idx", "table or Tensor", "positions (int64, int32), or a mask (bool)" } },
      returns = { { "Dataset", "in that order" } },
    errors = "a position outside the set",
    example = "local ds = lrn.data.bars_and_stripes(3):subset{ 1, -1 }\nassert(#ds == 2)" },
  { name = "Dataset.split",
    text = "Splits at random, into parts that depend on the seed alone. A part is a fraction (.8) \z
    or an integer number of samples.",
    params = { { "options.train", "number", "first result" }, { "options.val", "number",
      "second (validation is the same)" },
      { "options.validation", "number", "see val" }, { "options.test", "number", "last" },
      { "options.seed", "integer", "", 1 }, { "options.stratify", "boolean",
        "each class keeps its share in each part", false } },
    returns = { { "Dataset", "the parts that were asked for, in this order" } },
    errors = "parts of more than the set; stratify without labels",
    example =
      "local a, b = lrn.data.digits():split{ train = .8, test = .2, seed = 1, stratify = true \z
      }\nassert(#a + #b == 1437)" },
  { name = "Dataset.batches",
    text = "Iterates over batches: tensors of samples (transformed) and of targets. The order is \z
    a function of seed and epoch.\nAfter the last batch comes nil, and then the next epoch.",
    params = { { "options.size", "integer", "samples of a batch", 128 },
      { "options.shuffle", "boolean", "", true },
      { "options.seed", "integer", "absent: drawn from the default generator" },
        { "options.epoch", "integer", "the first", 1 },
      { "options.drop_last", "boolean", "leaves out a last short batch", false } },
    returns = { { "function", "an iterator, also for fit" } },
    example =
      "for x, y in lrn.data.digits():batches{ size = 100, seed = 1 } do assert(x:size(1) == \z
      y:size(1)) end" },
  { name = "Dataset.map",
    text = "The same samples with f applied to each batch, after the transform that is there. \z
    Lazy.",
    params = { { "f", "function", "from a batch to a batch of as many samples" } },
      returns = { { "Dataset", "" } },
    errors = "no function; a result with another number of samples",
    example =
      "local ds = lrn.data.digits():map(function(x) return x:to\"float32\" / 255 \z
      end)\nassert(ds[1]:max() <= 1)" },
}
