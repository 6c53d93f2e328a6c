-- Help entries of what is around the numbers: files, command lines, messages, progress, the library
-- itself.
return {
  { name = "save",
    text = "Writes a value: tensors, texts, numbers, booleans, tables of them (also nested), or a \z
    model. safetensors with a\nchecksum; the old file stays whole until the new one is.",
    params = { { "path", "string", "" }, { "value", "any", "what load gives back" } },
    returns = { { "boolean", "true; or nil, message, code" } },
    errors = "a function, a userdata, a table that contains itself",
    example =
      "local path = os.tmpname()\nassert(lrn.save(path, { x = lrn.ones(2), note = \"two\", n = { \z
      1, 2 } }))\nassert(lrn.load(path).note == \"two\")\nos.remove(path)" },
  { name = "load",
    text = "Reads what save or a model's save wrote; of another program's safetensors file: a \z
    table from name to tensor.\nFiles hold data only; reading one runs no code.",
    params = { { "path", "string", "" }, { "options.device", "string", "where a model goes",
      "cpu" } },
    returns = { { "any", "the value; or nil, message, code" } }, errors = "a path that is no text",
    example =
      "local value, message, code = lrn.load \"nowhere.safetensors\"\nassert(value == nil and \z
      code)" },
  { name = "io.save", text = "The same as lrn.save.", params = { { "path", "string", "" },
    { "value", "any", "" } },
    returns = { { "boolean", "see save" } }, example = "assert(lrn.io.save == lrn.save)" },
  { name = "io.load", text = "The same as lrn.load.", params = { { "path", "string", "" },
    { "options", "table", "see load" } },
    returns = { { "any", "see load" } }, example = "assert(lrn.io.load == lrn.load)" },
  { name = "io.mkdir", text = "Makes a folder, and those above it where they are missing.",
    params = { { "path", "string", "" } },
    returns = { { "boolean", "true; or nil, message, code" } },
      example = "assert(lrn.io.mkdir \"/tmp\")" },
  { name = "io.fetch",
    text = "Fetches a file over HTTP. It comes as path.part and is renamed when its size and \z
    checksum are right, so that a file\nthat is there is always whole; its folder is made. With \z
    sha256, a file that has it is not fetched again, and what is left of\nan earlier try is gone \z
    on with. Of several processes one fetches, the others wait. Redirections go to https, or from \z
    http\nto http. LRN_OFFLINE=1 forbids the network. docs/data.md has more.",
    params = { { "url", "string", "http:// or https://; a list: mirrors, tried in turn" },
      { "path", "string", "where the file is to be" },
      { "options.sha256", "string", "64 hexadecimal digits; absent: not checked" },
      { "options.size", "integer", "bytes; absent: what the server says" },
      { "options.timeout", "number", "seconds without a byte until a server is given up", 20 },
      { "options.connect_timeout", "number", "seconds to connect, for all mirrors together", 4 },
      { "options.progress", "boolean", "a bar on stderr", true } },
    returns = { { "boolean", "true; or nil, message, code: \"ENETWORK\", \"ECHECKSUM\", \z
      \"EOFFLINE\", \"EBUILD\" (no libcurl), or one of the disk" },
      { "string", "the address that it came from; nil where it was there" } },
    errors = "no address; no name of a file; no SHA-256; an unknown option",
    example =
      "local ok, message = lrn.io.fetch(\"http://127.0.0.1:1/x\", \"/tmp/x\")\nassert(not ok)\z
      \nprint(message)" },
  { name = "io.sha256", text = "The SHA-256 of a file.", params = { { "path", "string", "" } },
    returns = { { "string", "64 hexadecimal digits; or nil, message, code" } },
    example =
      "local path = os.tmpname()\nassert(#lrn.io.sha256(path) == 64)\nos.remove(path)" },
  { name = "io.idx.load", text = "Reads an IDX file, plain or gzip.",
    params = { { "path", "string", "" } },
    returns = { { "Tensor", "of the file's type; or nil, message, code" } },
    example = "local t, message = lrn.io.idx.load \"nowhere.idx\"\nassert(not t and message)" },
  { name = "io.idx.save", text = "Writes a tensor as IDX; compressed where the path ends in .gz.",
    params = { { "path", "string", "" }, { "t", "Tensor", "uint8, int32, float32 or float64" } },
    returns = { { "boolean", "true; or nil, message, code" } }, errors = "a type that IDX has not",
    example =
      "local path = os.tmpname()\nassert(lrn.io.idx.save(path, lrn.ones(2, \z
      3)))\nassert(lrn.io.idx.load(path) == lrn.ones(2, 3))\nos.remove(path)" },
  { name = "io.safetensors.load", text = "All tensors of a safetensors file, and its metadata.",
    params = { { "path", "string", "" } },
    returns = { { "table", "from name to Tensor; or nil, message, code" },
      { "table", "from key to text" } },
    example =
      "local t, message = lrn.io.safetensors.load \"nowhere.safetensors\"\nassert(not t and \z
      message)" },
  { name = "io.safetensors.save", text = "Writes tensors under names, and metadata.",
    params = { { "path", "string", "" }, { "tensors", "table", "from name to Tensor" },
      { "metadata", "table", "from key to text" } },
    returns = { { "boolean", "true; or nil, message, code" } },
      errors = "a value that is no tensor",
    example =
      "local path = os.tmpname()\nassert(lrn.io.safetensors.save(path, { x = lrn.ones(2) }, { by \z
      = \"me\" }))\nos.remove(path)" },
  { name = "math.unitary_scale",
    text = "Values moved and scaled to 0..1: (t - min) / (max - min + 1e-10); a constant gives 0.",
    params = { { "t", "Tensor", "" } }, returns = { { "Tensor", "float32 (float64 for float64)" } },
      errors = "no tensor",
    example =
      "local t = lrn.math.unitary_scale(lrn.tensor{ 1, 2, 3, 4, 5 })\nassert(math.abs(t[2] - .25) \z
      < 1e-6)" },
  { name = "math.ssim",
    text = "Structural similarity of images (Wang, Bovik, Sheikh, Simoncelli 2004): 1 for equal \z
    ones. Over windows that lie\ninside the image; the mean over windows and channels is an \z
    image's value. Bytes mean value / 255.\nLearnergy's figure is { kernel = \"uniform\", \z
    sample_covariance = true, data_range = b:max() - b:min() }.",
    params = { { "a", "Tensor", "h x w, n x h x w, n x c x h x w; rows n x (h w) beside a batch" },
      { "b", "Tensor", "of the same shape" },
      { "options.data_range", "number", "how far apart values can be; of bytes 255", 1 },
      { "options.channels", "string", "\"first\" or \"last\": there is a dimension of channels" },
      { "options.kernel", "string", "\"gaussian\" or \"uniform\"", "gaussian" },
      { "options.window", "integer", "side of the window, odd; 7 where uniform", 11 },
      { "options.sigma", "number", "of the gaussian, in pixels", 1.5 },
      { "options.k1", "number", "", 0.01 }, { "options.k2", "number", "", 0.03 },
      { "options.sample_covariance", "boolean", "divide by n - 1; with the uniform window",
        false } },
    returns = { { "number", "mean over the images" }, { "Tensor", "the value of each" } },
    errors = "shapes that differ; images smaller than the window; floats outside 0..1 without \z
      data_range",
    example =
      "local a = lrn.rand(16, 16)\nassert(lrn.math.ssim(a, a) == 1)\nassert(lrn.math.ssim(a, 1 - \z
      a) < 1)" },
  { name = "math.psnr",
    text = "Peak signal-to-noise ratio in decibels, 10 log10(L^2 / mse); infinity for equal \z
    images. Bytes mean value / 255.",
    params = { { "a", "Tensor", "h x w, n x h x w, n x c x h x w; rows n x (h w) beside a batch" },
      { "b", "Tensor", "of the same shape" },
      { "options.data_range", "number", "L: how far apart values can be; of bytes 255", 1 },
      { "options.channels", "string", "\"first\" or \"last\": there is a dimension of \z
        channels" } },
    returns = { { "number", "mean over the images" }, { "Tensor", "the value of each" } },
    errors = "shapes that differ; floats outside 0..1 without data_range",
    example =
      "local a = lrn.zeros(8, 8)\nassert(math.abs(lrn.math.psnr(a, a + 0.1) - 20) < 1e-4)" },
  { name = "math.autocorrelation",
    text = "Autocorrelation of draws at the lags 0, 1, ... max_lag, about the mean over all chains.",
    params = { { "x", "Tensor", "draws, or draws x chains" },
      { "max_lag", "integer", "below the number of draws; absent: half of it" } },
    returns = { { "Tensor", "max_lag + 1 float64 values, the first one 1; NaN where nothing varies" } },
    errors = "fewer than 2 draws, max_lag out of range",
    example = "local r = lrn.math.autocorrelation(lrn.tensor{ 1, -1, 1, -1 }, 2)\nassert(r[2] == -.75)" },
  { name = "math.autocorrelation_time",
    text = "Integrated autocorrelation time in draws, with Sokal's window: 1 + 2 sum of the autocorrelations up to \z
    the first\nlag that is 5 such times, at most half of the draws. To be trusted below a fiftieth of the draws.",
    params = { { "x", "Tensor", "draws, or draws x chains" } },
    returns = { { "number", "the time; 1 for independent draws" }, { "integer", "the lag that it was summed to" } },
    errors = "fewer than 4 draws", example = "assert(lrn.math.autocorrelation_time(lrn.randn(1000, 4)) < 2)" },
  { name = "math.ess", text = "Effective sample size: draws x chains over the autocorrelation time.",
    params = { { "x", "Tensor", "draws, or draws x chains" } },
    returns = { { "number", "how many independent draws have as exact a mean" } },
    errors = "fewer than 4 draws", example = "assert(lrn.math.ess(lrn.randn(1000, 4)) > 2000)" },
  { name = "math.rhat",
    text = "Split R-hat (Gelman et al. 2013): whether chains agree with each other, and each with itself. Above 1.1, or \z
    better\n1.01, they have not mixed.",
    params = { { "x", "Tensor", "draws, or draws x chains" } },
    returns = { { "number", "1 where they agree; NaN where nothing varies" } },
    errors = "fewer than 4 draws", example = "assert(lrn.math.rhat(lrn.randn(1000, 4)) < 1.05)" },
  { name = "manual_seed", text = "Seeds the default generator of lrn and Lua's math.random.",
    params = { { "seed", "integer", "" } },
    example =
      "lrn.manual_seed(1)\nlocal a = lrn.rand(3)\nlrn.manual_seed(1)\nassert(a == lrn.rand(3))" },
  { name = "set", text = "Sets what holds for the whole process.",
    params = { { "options.threads", "integer",
      "threads of one call, 1..256; results do not depend on it" },
      { "options.deterministic", "boolean", "eight slices a product, whatever its shape", false },
      { "options.dense", "boolean", "no sums of listed rows in place of products with many zeros; also LRN_DENSE=1",
        false },
      { "options.dtype", "string", "dtype of new tensors: \"float32\" or \"float64\"",
        "float32" } },
    errors = "an unknown option, a value outside its range", example = "lrn.set{ threads = 1 }" },
  { name = "devices", text = "Names of the devices that can be opened here.", params = {},
    returns = { { "table", "list of names; \"cpu\" is always there" } },
    example = "assert(lrn.devices()[1] == \"cpu\")" },
  { name = "memory", text = "Memory that tensors and models hold.", params = {},
    returns = { { "table", "live_bytes; cached_bytes: freed and kept for the next tensors; \z
      peak_bytes: the most that both were together; live_blocks, allocations: numbers" } },
    example = "assert(lrn.memory().live_bytes >= 0)" },
  { name = "empty_cache",
    text = "Gives back to the system what is kept of freed tensors: at most 64 MB, which the next \z
    tensors of such sizes would take.", params = {}, returns = {},
    example = "lrn.empty_cache()\nassert(lrn.memory().cached_bytes == 0)" },
  { name = "error.kind",
    text = "The kind of an error that lrn raised: argument, size, value, type, build, memory or \z
    state.",
    params = { { "e", "any",
      "what pcall gave; other text may stand around the message, or an object that gives it as \z
      its text" } },
      returns = { { "string", "nil for another error" } },
    example =
      "local ok, e = pcall(lrn.RBM, { n_hiden = 3 })\nassert(not ok and lrn.error.kind(e) == \z
      \"argument\")" },
  { name = "cuda.available", text = "Can models and tensors live on a CUDA device here?",
    params = {},
    returns = { { "boolean", "" }, { "string", "why not" } },
      example = "local yes, why = lrn.cuda.available()\nprint(yes or why)" },
  { name = "doctor.examine",
    text = "What was found on this machine and what is missing: lrn --doctor prints it.",
    params = {},
    returns = { { "table", "list of { status =, name =, what =, advice = }; status is ok, missing \z
      (optional) or wrong" } },
    example = "for _, x in ipairs(lrn.doctor.examine()) do assert(x.status) end" },
  { name = "doctor.report", text = "Prints what doctor.examine found.",
    params = { { "file", "any", "has a write method; stdout" } },
    returns = { { "boolean", "true where nothing is wrong" } },
    example = "lrn.doctor.report{ write = function() end }" },
  { name = "strict.on",
    text = "Reading or writing an undeclared global raises at its line; lrn --strict begins so. \z
    Declared is what exists,\nand what strict.declare, rawset or C code makes.",
    params = {}, errors = "a table of globals that has a metatable already",
    example =
      "lrn.strict.on()\nassert(not pcall(load \"return nosuchglobal\"))\nlrn.strict.off()" },
  { name = "strict.off", text = "Back to Lua's own rules.", params = {},
    example = "lrn.strict.off()" },
  { name = "strict.declare", text = "Declares globals; they are nil until they get a value.",
    params = { { "...", "string", "names" } }, errors = "a name that is no text",
    example = "lrn.strict.declare(\"verbose\", \"main\")" },
  { name = "cli.parse",
    text = "Reads a script's options after one declaration. --help prints and leaves with 0; a \z
    mistake prints one line and\nleaves with 2. A row: { name, type, default, help, min =, max =, \z
    choices =, short =, list =, required = }.",
    params = { { "spec", "table", "rows, and name, about, epilog, positional (rows)" },
      { "args", "table", "absent: the global arg" } },
    returns = { { "table", "from option to value" } }, errors = "a declaration that is wrong",
    example =
      "local opt = lrn.cli.parse({ { \"epochs\", \"integer\", 10, \"epochs to train\", min = 0 } \z
      }, { \"--epochs=3\" })\nassert(opt.epochs == 3)" },
  { name = "cli.try", text = "The same without leaving the program.",
    params = { { "spec", "table", "see cli.parse" },
    { "args", "table", "absent: the global arg" } },
    returns = { { "table",
      "the options; or nil and a line; or nil, nil, true where help was asked for" } },
    errors = "a declaration that is wrong",
    example =
      "local opt, message = lrn.cli.try({ { \"n\", \"integer\" } }, { \"--n=x\" })\nassert(not \z
      opt and message)" },
  { name = "cli.usage", text = "The --help text of a declaration.",
    params = { { "spec", "table", "see cli.parse" } },
    returns = { { "string", "" } },
      example = "print(lrn.cli.usage{ name = \"job\", { \"n\", \"integer\", 1, \"a number\" } })" },
  { name = "log.level",
    text = "Sets the console's level (debug, info, warn, error, off); LRN_LOG sets it from \z
    outside.",
    params = { { "name", "string", "absent: only asks" } },
      returns = { { "string", "the level before" } }, errors = "no level",
    example = "local old = lrn.log.level \"error\"\nlrn.log.level(old)" },
  { name = "log.output", text = "Where console messages go.",
    params = { { "file", "any", "has a write method; nil: stderr" } },
    example = "lrn.log.output(nil)" },
  { name = "log.file",
    text = "Appends messages to a file too. One that would grow over max_size becomes path.1, \z
    that one path.2, and so on.",
    params = { { "path", "string", "nil: no file any more" },
      { "options", "string or table", "a level, or a table with the following" },
      { "options.level", "string", "messages from this level on", "debug" },
      { "options.max_size", "integer", "bytes; 0: no limit", 10 << 20 },
      { "options.keep", "integer", "older files that stay", 3 } },
    returns = { { "boolean", "true; or nil, message, code" } }, errors = "no level",
    example =
      "local path = os.tmpname()\nassert(lrn.log.file(path, { level = \"info\", max_size = 1 << \z
      20, keep = 2 }))\nlrn.log.file(nil)\nos.remove(path)" },
  { name = "log.tee", text = "One more file that gets the messages until it is closed.",
    params = { { "path", "string", "" }, { "options", "string or table", "see log.file" } },
    returns = { { "LogFile", "has close, also as <close> variable; or nil, message, code" } },
    errors = "no level",
    example =
      "local path = os.tmpname()\ndo\n  local copy <close> = assert(lrn.log.tee(path))\n  \z
      lrn.log.info \"hello\"\nend\nos.remove(path)" },
  { name = "log.debug", text = "A message of that level.", params = { { "format", "string", "" },
    { "...", "any", "as for string.format" } },
    example = "lrn.log.debug(\"batch %d\", 3)" },
  { name = "log.info", text = "A message of that level.", params = { { "format", "string", "" },
    { "...", "any", "as for string.format" } },
    example = "lrn.log.info(\"epoch %d\", 3)" },
  { name = "log.warn", text = "A message of that level.", params = { { "format", "string", "" },
    { "...", "any", "as for string.format" } },
    example =
      "local old = lrn.log.level \"off\"\nlrn.log.warn(\"%s is missing\", \z
      \"x\")\nlrn.log.level(old)" },
  { name = "log.error", text = "A message of that level.", params = { { "format", "string", "" },
    { "...", "any", "as for string.format" } },
    example =
      "local old = lrn.log.level \"off\"\nlrn.log.error(\"cannot open %s\", \z
      \"x\")\nlrn.log.level(old)" },
  { name = "log.named", text = "A logger whose messages carry a name.",
    params = { { "name", "string", "" } },
    returns = { { "table", "debug, info, warn, error" } },
      example = "lrn.log.named \"loader\".info(\"%d files\", 4)" },
  { name = "progress.new",
    text = "A progress bar with tqdm's habits, on stderr. LRN_PROGRESS=0 silences it. As a \z
    <close> variable it ends its line\nalso when an error passes. Bars that are open together \z
    stand below each other.",
    params = { { "options.total", "integer", "absent: unknown" },
      { "options.initial", "integer", "done before: counts in the total and not in the rate", 0 },
      { "options.desc", "string", "in front", "" },
      { "options.leave", "boolean",
        "its last line stays; absent: not where another bar was open before" },
      { "options.unit", "string", "", "it" },
      { "options.unit_scale", "boolean", "9912422 as 9.91M", false },
      { "options.interval", "number", "seconds between updates", 0.1 },
      { "options.smoothing", "number", "weight of the newest rate", 0.3 }, { "options.file", "any",
        "has a write method; stderr" },
      { "options.clock", "function", "seconds" }, { "options.tty", "boolean", "absent: found out" },
      { "options.columns", "integer", "absent: found out" }, { "options.unicode", "boolean",
        "absent: found out" } },
    returns = { { "Progress", "the bar" } }, errors = "an unknown option",
    example =
      "local bar <close> = lrn.progress.new{ total = 3, file = { write = function() end } }\nfor \z
      i = 1, 3 do bar:update(1, \"i=\" .. i) end" },
  { name = "progress.range", text = "Iterates 1..n with a bar.", params = { { "n", "integer", "" },
    { "options", "table", "see progress.new" } },
    returns = { { "function", "for a for loop" } }, errors = "n below 0",
    example =
      "for i in lrn.progress.range(3, { file = { write = function() end } }) do assert(i <= 3) \z
      end" },
  { name = "progress.write", text = "Writes whole lines above the bars that are open.",
    params = { { "text", "string", "with its newline" }, { "file", "any",
      "has a write method; stderr" } },
    example = "lrn.progress.write(\"a line\\n\", { write = function() end })" },
  { name = "Progress.update", text = "n more are done.", params = { { "n", "integer", "", 1 },
    { "postfix", "string or table", "shown behind the rate: a text, or metrics by name" } },
    returns = { { "Progress", "itself" } }, errors = "a closed bar",
    example =
      "lrn.progress.new{ total = 2, file = { write = function() end } }:update(2):close()" },
  { name = "Progress.skip",
    text = "n were done before: they count in the total and not in the rate.",
    params = { { "n", "integer", "" } },
    returns = { { "Progress", "itself" } },
      example =
      "lrn.progress.new{ total = 2, file = { write = function() end } }:skip(1):close()" },
  { name = "Progress.clear", text = "Takes the bar off its line, for other output.", params = {},
    returns = { { "Progress", "itself" } },
    example = "lrn.progress.new{ total = 2, file = { write = function() end } }:clear():close()" },
  { name = "Progress.close", text = "Draws the last line and ends it.", params = {},
    example = "lrn.progress.new{ total = 2, file = { write = function() end } }:close()" },
  { name = "Progress.line", text = "The line as it would be drawn now.",
    params = { { "now", "number", "clock; absent: asked" } },
    returns = { { "string", "" } },
      example = "assert(lrn.progress.new{ total = 2 }:line():find \"0/2\")" },
  { name = "Progress.due", text = "Would an update draw now? Spares the work of a costly postfix.",
    params = { { "step", "integer", "", 1 } },
    returns = { { "boolean", "" } }, example = "lrn.progress.new{ total = 2 }:due()" },
  { name = "help.entries", text = "All help entries.", params = {},
    returns = { { "table", "list, sorted by name" } },
    example = "assert(#lrn.help.entries() > 100)" },
  { name = "help.find", text = "The entry of a name or of a function.",
    params = { { "what", "string or function", "" } },
    returns = { { "table", "the entry, or nil" } },
      example = "assert(lrn.help.find(lrn.zeros).name == \"zeros\")" },
  { name = "help.text", text = "The help text of a name, a function, or words to look for.",
    params = { { "what", "any", "absent: an overview" } },
    returns = { { "string", "" } },
      example = "assert(lrn.help.text \"RBM.fit\":find \"batch_size\")" },
  { name = "help.show", text = "Prints that text; lrn.help(what) is the same.",
    params = { { "what", "any", "" } },
    example = "local _ = lrn.help.show" },
  { name = "help.resolve",
    text = "What a name stands for: \"data.mnist\", \"RBM.fit\", \"Tensor.sum\".",
    params = { { "name", "string", "" } },
    returns = { { "any", "nil: nothing" } },
      example = "assert(lrn.help.resolve \"data.digits\" == lrn.data.digits)" },
  { name = "help.class", text = "The methods of a class by its name.",
    params = { { "name", "string", "RBM, Dataset, History, Progress, Tensor" } },
    returns = { { "table", "from name to function, or nil" } },
      example = "assert(lrn.help.class \"RBM\".fit)" },
}
