-- Data sets of images by name: where their files are found, how they are fetched, what CIFAR-10's
-- binary records hold.
local lrn = require "lrn"
local catalogue = require "lrn.data.catalogue"
local images = require "lrn.data.images"
local fetch = require "lrn.fetch"
local program = dofile "spec/support/program.lua"
local web = dofile "spec/support/web.lua"
local has, sh, quote = program.has, program.sh, program.quote

local root

local function write(path, bytes)
  assert(lrn.io.mkdir(path:match "^(.*)/"))
  local f <close> = assert(io.open(path, "wb"))
  f:write(bytes)
end

before_each(function()
  root = os.tmpname()
  os.remove(root)
end)
after_each(function()
  os.execute("rm -rf " .. quote(root))
  program.clean()
end)

-- The four files of a set like MNIST, of n images each, with these first labels of the test.
local function idx_files(folder, row, labels, suffix)
  assert(lrn.io.mkdir(folder))
  for i, name in ipairs(row.names[1]) do
    local t = i % 2 == 1 and lrn.full({ #labels, 28, 28 }, i, { dtype = "uint8" }) or
      lrn.tensor(labels, { dtype = "uint8" })
    assert(lrn.io.idx.save(folder .. "/" .. name .. (suffix or ""), t))
  end
end

local function digits(text)
  local list = {}
  for d in text:gmatch "%d" do list[#list + 1] = math.tointeger(d) end
  return list
end

describe("the catalogue", function()
  it("has whole rows", function()
    for name, row in pairs(catalogue) do
      assert.equal(10, #row.classes, name)
      assert.is_truthy(require("lrn.data." .. row.kind).read)
      assert.equal("function", type(lrn.data[name]))
      assert.is_true(#row.mirrors > 0)
      for _, base in ipairs(row.mirrors) do assert.matches("^https?://.*/$", base) end
      for _, file in ipairs(row.files) do
        assert.equal(3, #file)
        assert.matches("%.gz$", file[1])
        assert.is_true(math.type(file[2]) == "integer" and file[2] > 0)
        assert.is_true(#file[3] == 64 and not file[3]:find "[^%da-f]")
      end
    end
  end)
end)

describe("the sets with MNIST's names of files", function()
  it("are found in a folder, below their own names and in torchvision's tree", function()
    for name, folders in pairs { fashion_mnist = { "", "/fashion_mnist", "/FashionMNIST/raw" },
      kmnist = { "", "/kmnist", "/KMNIST/raw" } } do
      for i, below in ipairs(folders) do
        idx_files(root .. below, catalogue[name], { 0, 9, 4 }, i % 2 == 0 and ".gz" or "")
        local train, test = assert(lrn.data[name] { root = root })
        assert.equal(name .. " train", train.name)
        assert.same({ 3, 28, 28 }, train.data.shape)
        assert.same({ 1, 3 }, { train.data:max(), test.data:max() })
        assert.same({ 1, 10, 5 }, test.targets:tolist())
        assert.equal(catalogue[name].classes[5], test.classes[test.targets[3]])
        os.execute("rm -rf " .. quote(root))
      end
    end
  end)

  it("are not taken for each other", function()
    local marked = { mnist = catalogue.mnist.mark, fashion_mnist = catalogue.fashion_mnist.mark }
    for owner, mark in pairs(marked) do
      idx_files(root, catalogue[owner], digits(mark))
      assert(lrn.data[owner] { root = root })
      for _, name in ipairs { "mnist", "fashion_mnist", "kmnist" } do
        if name ~= owner then
          -- MNIST may be elsewhere
          local train, message = lrn.data[name] { root = root }
          if train then assert.is_false(#train == 16) end
          if not train then
            has(message, root .. " (which has " .. catalogue[owner].title .. "), ")
          end
        end
      end
      os.execute("rm -rf " .. quote(root))
    end
  end)

  it("say where they were looked for, and what would bring them", function()
    local out = sh(("unset LRN_DATA; HOME=%s XDG_CACHE_HOME= LRN -e 'print(lrn.data.kmnist{ \z
      root = \"/nowhere/at/all\" })'"):format(quote(root)))
    for _, part in ipairs { "nil\tkmnist: no folder has all of train-images-idx3-ubyte, ",
      "t10k-labels-idx1-ubyte (plain or .gz); looked in /nowhere/at/all, /nowhere/at/all/kmnist, ",
      "/nowhere/at/all/KMNIST/raw, " .. root .. "/.cache/lrn, ", "LRN_DATA",
      "download = true fetches them\tENOENT" } do
      has(out, part)
    end
  end)

  it("say, with no network, what is to be put where", function()
    if not fetch.library() then
      pending "no libcurl"
      return
    end
    local ask = "unset LRN_DATA; HOME=%s XDG_CACHE_HOME= %s LRN -e 'print(lrn.data.mnist{ \z
      download = true, mirrors = { \"http://127.0.0.1:1/a\" } })'"
    for setting, reason in pairs { ["LRN_OFFLINE=1"] = "LRN_OFFLINE is set: no network",
      ["LRN_OFFLINE="] = "http://127.0.0.1:1/a/train-images-idx3-ubyte.gz: " } do
      local out = sh(ask:format(quote(root), setting))
      has(out, "nil\tmnist: train-images-idx3-ubyte.gz could not be fetched: " .. reason)
      has(out, ("Put it there yourself: http://127.0.0.1:1/a/train-images-idx3-ubyte.gz as \z
        %s/.cache/lrn/mnist/train-images-idx3-ubyte.gz (9912422 bytes, SHA-256 440f"):format(root))
      assert.matches(setting == "LRN_OFFLINE=1" and "EOFFLINE\n$" or "ENETWORK\n$", out)
    end
    assert.is_nil((io.open(root .. "/.cache/lrn/mnist")))
  end)

  it("refuse mirrors that are no addresses", function()
    assert.error_matches(function() lrn.data.mnist { mirrors = {} } end,
      "mnist: mirrors: got an empty")
    assert.error_matches(function() lrn.data.kmnist { mirrors = { "ftp://x" } } end,
      'kmnist: mirrors%[1%]: got "ftp://x", expected http')
    assert.error_matches(function() lrn.data.cifar10 { downlaod = true } end,
      "did you mean 'download'")
  end)
end)

describe("fetching a set", function()
  local server, why
  local offline = fetch.offline
  local folder = os.tmpname()

  -- A set of four small files, which the server has.
  local row = { title = "Tiny", folders = { "", "/tiny" }, kind = "idx",
    names = { { "a-images", "a-labels", "b-images", "b-labels" } }, classes = { "no", "yes" } }

  setup(function()
    os.remove(folder)
    idx_files(folder, row, { 0, 1, 1 }, ".gz")
    row.files = {}
    for i, name in ipairs(row.names[1]) do
      local path = folder .. "/" .. name .. ".gz"
      local f <close> = assert(io.open(path, "rb"))
      row.files[i] = { name .. ".gz", f:seek "end", lrn.io.sha256(path) }
    end
    local library
    library, why = fetch.library()
    if library then server, why = web.serve(folder) end
    fetch.offline = function() return false end
  end)
  teardown(function()
    fetch.offline = offline
    if server then server:close() end
    os.execute("rm -rf " .. quote(folder))
  end)

  local function load(mirrors, options)
    local o = { root = root, download = true, progress = false, mirrors = mirrors }
    for key, value in pairs(options or {}) do o[key] = value end
    return images.load("tiny", row, o)
  end

  local function test(name, f)
    it(name, function()
      if not server then
        pending(why)
        return
      end
      server:requests()
      f()
    end)
  end

  test("puts its files below its name, and finds them the next time", function()
    local train, tests = assert(load { server:url "ok" })
    assert.same({ 1, 2, 2 }, train.targets:tolist())
    assert.same({ 3, 28, 28 }, tests.data.shape)
    assert.equal(4, #server:requests())
    for _, file in ipairs(row.files) do
      assert.equal(file[3], lrn.io.sha256(root .. "/tiny/" .. file[1]))
    end
    assert(load({ server:url "ok" }, { download = false }))
    assert(load { server:url "ok/" })
    assert.same({}, server:requests())
  end)

  test("fetches what is missing, and leaves what is there", function()
    assert(load { server:url "ok" })
    os.remove(root .. "/tiny/b-images.gz")
    local plain = assert(lrn.io.idx.load(root .. "/tiny/a-labels.gz"))
    assert(lrn.io.idx.save(root .. "/tiny/a-labels", plain))
    os.remove(root .. "/tiny/a-labels.gz")
    server:requests()
    assert(load { server:url "ok" })
    assert.same({ { "/ok/b-images.gz", "" } }, server:requests())
  end)

  test("stays with the mirror that served", function()
    assert(load { server:url "status/500", server:url "cut/1000" })
    local asked = {}
    for i, r in ipairs(server:requests()) do asked[i] = r[1]:match "^/(%a+)" end
    assert.equal("status", asked[1])
    for i = 2, #asked do assert.equal("cut", asked[i]) end
  end)

  test("believes no wrong bytes, and says what to do", function()
    local train, message, code = load { server:url "wrong" }
    assert.same({ nil, "ECHECKSUM" }, { train, code })
    has(message, "tiny: a-images.gz could not be fetched: " .. server:url "wrong/a-images.gz" ..
      ": the SHA-256 of its ")
    has(message, "Put it there yourself: " .. server:url "wrong/a-images.gz" .. " as " .. root ..
      "/tiny/a-images.gz (")
  end)

  test("takes the first folder that can be written where none is named", function()
    local list = {}
    for i, f in ipairs(row.files) do list[i] = ("{ %q, %d, %q }"):format(table.unpack(f)) end
    local script = program.file(([[
      local row = { title = "T", folders = { "", "/tiny" }, kind = "idx", classes = { "a", "b" },
        names = { { "a-images", "a-labels", "b-images", "b-labels" } }, files = { %s } }
      print(require "lrn.data.images".load("tiny", row, { download = true, progress = false,
        mirrors = { %q } }))
    ]]):format(table.concat(list, ", "), server:url "ok"))
    has(sh(("unset XDG_CACHE_HOME; LRN_OFFLINE= LRN_DATA=/proc HOME=%s LRN %s"):format(quote(root),
      script)), "Dataset tiny train")
    assert.is_truthy(lrn.io.sha256(root .. "/.cache/lrn/tiny/a-images.gz"))
  end)
end)

describe("cifar10", function()
  local names = catalogue.cifar10.names[1]

  -- Records: label k of file i is (i + k) % 10, the values tell file, record and channel.
  local function value(i, k, c) return i * 40 + k * 9 + c end
  local function record(i, k)
    local parts = { string.char((i + k) % 10) }
    for c = 1, 3 do
      -- the first value of each row says which it is
      for r = 0, 31 do parts[#parts + 1] = string.char(r) .. string.char(value(i, k, c)):rep(31) end
    end
    return table.concat(parts)
  end
  local function files(folder)
    for i, name in ipairs(names) do
      write(folder .. "/" .. name, record(i - 1, 1) .. record(i - 1, 2))
    end
  end

  local function look(train, test)
    assert.same({ 10, 3, 32, 32 }, train.data.shape)
    assert.same({ 2, 3, 32, 32 }, test.data.shape)
    assert.equal("uint8", train.data.dtype)
    assert.same({ 2, 3, 3, 4, 4, 5, 5, 6, 6, 7 }, train.targets:tolist())
    assert.same({ 7, 8 }, test.targets:tolist())
    assert.equal("frog", test.classes[test.targets[1]])
    for n = 1, 10 do
      local i, k = (n - 1) // 2, (n - 1) % 2 + 1
      for c = 1, 3 do
        assert.equal(value(i, k, c), train.data(n, c, 20, 2))
        assert.same({ 31, value(i, k, c) }, { train.data(n, c, 32, 1), train.data(n, c, 32, 32) })
      end
    end
    assert.equal(value(5, 2, 3), test.data(2, 3, 1, 32))
  end

  it("is read from its six files, in each place where they may lie", function()
    for _, below in ipairs { "", "/cifar10", "/cifar-10-batches-bin",
      "/cifar10/cifar-10-batches-bin" } do
      files(root .. below)
      look(assert(lrn.data.cifar10 { root = root }))
      os.execute("rm -rf " .. quote(root))
    end
  end)

  it("is read from the archive as tar packs it, whatever else is in there", function()
    files(root .. "/in/cifar-10-batches-bin")
    write(root .. "/in/cifar-10-batches-bin/readme.html", "<html>")
    write(root .. "/in/cifar-10-batches-bin/batches.meta.txt", "")
    os.execute(("ln -s /etc/passwd %s/in/cifar-10-batches-bin/link"):format(quote(root)))
    for _, format in ipairs { "ustar", "gnu", "pax" } do
      assert(os.execute(("cd %s && mkdir -p cifar10 && tar --format=%s -cf \z
        cifar10/cifar-10-binary.tar -C in cifar-10-batches-bin && gzip -f \z
        cifar10/cifar-10-binary.tar"):format(quote(root), format)))
      look(assert(lrn.data.cifar10 { root = root }))
    end
    os.execute(("gunzip %s/cifar10/cifar-10-binary.tar.gz"):format(quote(root)))
    look(assert(lrn.data.cifar10 { root = root }))
  end)

  it("goes into models and batches as it is", function()
    files(root)
    local train = assert(lrn.data.cifar10 { root = root })
    local rbm = lrn.RBM { n_visible = 3072, n_hidden = 4, seed = 1 }
    local mse = rbm:fit(train, { batch_size = 5, epochs = 1, progress = false })
    assert.is_true(mse > 0)
    assert.same({ 10, 4 }, rbm(train.data).shape)
  end)

  it("gives nil and a message for records that are cut, archives that are damaged, labels that \z
    there are not", function()
    local function message(part)
      local train, text, code = lrn.data.cifar10 { root = root }
      assert.same({ nil, "EFORMAT" }, { train, code })
      has(text, part)
    end
    files(root)
    write(root .. "/data_batch_3.bin", record(2, 1):sub(1, -2))
    message("cifar10: " .. root ..
      ": data_batch_3.bin: found 3072 bytes, expected a multiple of 3073")
    write(root .. "/data_batch_3.bin", "")
    message "data_batch_3.bin: found 0 bytes"
    write(root .. "/data_batch_3.bin", "\10" .. record(2, 1):sub(2))
    message "labels from 1 to 10, expected 0..9"
    os.execute("rm -rf " .. quote(root))

    files(root .. "/in")
    local archive = root .. "/cifar-10-binary.tar"
    assert(os.execute(("cd %s/in && tar -cf ../cifar-10-binary.tar *"):format(quote(root))))
    local f <close> = assert(io.open(archive, "rb"))
    local bytes = f:read "a"
    write(archive, bytes:sub(1, 3000))
    message "found the end inside of a file of 6146 bytes"
    write(archive, bytes:sub(1, 512 + 6656))
    message "found no end of the archive"
    write(archive, bytes:sub(1, 10) .. "x" .. bytes:sub(12))
    message "byte 0: found no header of an archive"
    write(archive, (bytes:gsub("data_batch_4", "data_batch_9", 1)))
    message "byte 21504: found no header of an archive"
    write(archive, ("\0"):rep(10240))
    message "found no data_batch_1.bin"
    write(archive, "")
    message "byte 0: found no end of the archive"
  end)
end)

describe("an example", function()
  local run = "LRN_DATA=%s HOME=%s XDG_CACHE_HOME= %s LRN examples/rbm_training.lua %s --epochs 1 \z
    --hidden 4 --no-plots --no-progress --threads 1 --out %s/out"

  local function example(setting, options)
    return sh(run:format(quote(root), quote(root), setting, options, quote(root)))
  end

  it("takes the data set that --data names", function()
    idx_files(root .. "/fashion_mnist", catalogue.fashion_mnist, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })
    local out, err, code = example("LRN_OFFLINE=1", "--data fashion_mnist")
    assert.same({ "", 0 }, { err, code })
    has(out, "data: Fashion-MNIST, 10 training and 10 test images of 28 x 28\n")
    for i, name in ipairs(catalogue.cifar10.names[1]) do
      write(root .. "/cifar10/" .. name, (string.char(i) .. ("abc"):rep(1024)):rep(8))
    end
    out, err, code = example("LRN_OFFLINE=1", "--data cifar10")
    assert.same({ "", 0 }, { err, code })
    has(out, "data: CIFAR-10, 40 training and 8 test images of 3 x 32 x 32\n")
  end)

  it("takes the shipped digits where MNIST cannot be had, and says why", function()
    for _, setting in ipairs { "LRN_OFFLINE=1", "LRN_OFFLINE=0" } do
      local options = setting == "LRN_OFFLINE=0" and "--no-download" or ""
      local out, err, code = example(setting, options)
      assert.same({ "", 0 }, { err, code })
      has(out, "data: MNIST was not found; UCI digits (shipped), 1437 training and 360 test")
    end
    if not fetch.library() then return end
    -- a proxy that is not there stands for no network
    local out, err, code = example("https_proxy=http://127.0.0.1:1 LRN_OFFLINE=", "")
    assert.equal(0, code)
    has(out, "data: MNIST was not found; UCI digits (shipped), 1437 training and 360 test")
    has(err, "rbm_training: mnist: train-images-idx3-ubyte.gz could not be fetched: https://")
    has(err, " as " .. root .. "/mnist/train-images-idx3-ubyte.gz (9912422 bytes")
  end)

  it("fails where the set that is named cannot be had", function()
    local _, err, code = example("LRN_OFFLINE=1", "--data kmnist")
    assert.equal(1, code)
    has(err,
      "rbm_training: kmnist: train-images-idx3-ubyte.gz could not be fetched: LRN_OFFLINE is set")
    _, err, code = example("LRN_OFFLINE=1", "--data /nowhere/at/all")
    assert.equal(1, code)
    has(err, "looked in /nowhere/at/all, ")
  end)
end)
