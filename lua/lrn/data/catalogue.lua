--- The data sets of images that lrn knows by name: a row each. `lua/lrn/data/images.lua` finds,
-- fetches and reads what a row describes.
--
--   title     as people write it
--   folders   below a folder of data, where the files may lie: the second is where they are put
--   kind      how they are read: "idx" or "cifar"
--   tile      height and width of an image; channels, where it has several
--   names     lists of files, without .gz, of which one list must be there in full
--   files     what is fetched: name, size and SHA-256. Those of all sets are the ones that
--             tensorflow-datasets 4.9.10 (url_checksums/) pins
--   mirrors   where, in turn
--   mark      first labels of the test set, by which a folder is told from one of another set whose
--             files have the same names
--   classes   names of the classes, in the order of the labels
return {
  mnist = {
    title = "MNIST", folders = { "", "/mnist", "/MNIST/raw" }, kind = "idx", tile = { 28, 28 },
    names = { { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
      "t10k-labels-idx1-ubyte" } },
    files = {
      { "train-images-idx3-ubyte.gz", 9912422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609" },
      { "train-labels-idx1-ubyte.gz", 28881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c" },
      { "t10k-images-idx3-ubyte.gz", 1648877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6" },
      { "t10k-labels-idx1-ubyte.gz", 4542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6" },
    },
    mirrors = { "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://storage.googleapis.com/cvdf-datasets/mnist/" },
    mark = "7210414959069015",
    classes = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" },
  },
  fashion_mnist = {
    title = "Fashion-MNIST", kind = "idx", tile = { 28, 28 },
    folders = { "", "/fashion_mnist", "/FashionMNIST/raw", "/fashion-mnist" },
    names = { { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
      "t10k-labels-idx1-ubyte" } },
    files = {
      { "train-images-idx3-ubyte.gz", 26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84" },
      { "train-labels-idx1-ubyte.gz", 29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845" },
      { "t10k-images-idx3-ubyte.gz", 4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073" },
      { "t10k-labels-idx1-ubyte.gz", 5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5" },
    },
    mirrors = { "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/" },
    mark = "9211614657457341",
    classes = { "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
      "Sneaker", "Bag", "Ankle boot" },
  },
  kmnist = {
    title = "KMNIST", folders = { "", "/kmnist", "/KMNIST/raw" }, kind = "idx", tile = { 28, 28 },
    names = { { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
      "t10k-labels-idx1-ubyte" } },
    files = {
      { "train-images-idx3-ubyte.gz", 18165135,
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4" },
      { "train-labels-idx1-ubyte.gz", 29497,
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17" },
      { "t10k-images-idx3-ubyte.gz", 3041136,
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5" },
      { "t10k-labels-idx1-ubyte.gz", 5120,
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c" },
    },
    mirrors = { "http://codh.rois.ac.jp/kmnist/dataset/kmnist/" },
    classes = { "o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo" },
  },
  cifar10 = {
    title = "CIFAR-10", kind = "cifar", tile = { 32, 32 }, channels = 3,
    folders = { "", "/cifar10", "/cifar-10-batches-bin", "/cifar10/cifar-10-batches-bin" },
    names = { { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
      "data_batch_5.bin", "test_batch.bin" }, { "cifar-10-binary.tar" } },
    files = { { "cifar-10-binary.tar.gz", 170052171,
      "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd" } },
    mirrors = { "https://www.cs.toronto.edu/~kriz/" },
    classes = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
      "truck" },
  },
}
