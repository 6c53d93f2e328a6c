--- What the examples share: options, data, the lines that they print, the files that they leave.
-- An example loads it with dofile, from beside itself.
local lrn = require "lrn"

local M = {}

local program = arg[0]:match "[^/]*$":gsub("%.lua$", "")

--- Ends the program with a message about the world: a file, a device.
function M.fail(message)
  io.stderr:write(program, ": ", message, "\n")
  os.exit(1, true)
end

--- The values of a function that returns nil and a message where the world is not as it must be.
function M.check(...)
  if not ... then M.fail((select(2, ...))) end
  return ...
end

-- Data sets by the names that --data takes: title, height and width of an image, in front of them 3
-- where it has colours.
local sets = {
  mnist = { "MNIST", { 28, 28 } }, fashion_mnist = { "Fashion-MNIST", { 28, 28 } },
  kmnist = { "KMNIST", { 28, 28 } }, cifar10 = { "CIFAR-10", { 3, 32, 32 } },
  digits = { "UCI digits (shipped)", { 8, 8 } },
}

local function data_help(own)
  return ("mnist, fashion_mnist, kmnist, cifar10, digits, or a folder with the files of %s; auto: \z
    %s where it is found or can be fetched, else digits"):format(own, sets[own][1])
end

-- Failures to fetch that the user asked for, or that building lrn did.
local expected = { ENOENT = true, EOFFLINE = true, EBUILD = true }

-- Training and test set, what they are (and why they are not `own`, the example's set), and the
-- shape of an image.
local function load_data(where, own, download)
  local name, root = where, nil
  if where == "auto" then
    name = own
  elseif not sets[where] then
    name, root, download = own, where, false
  end
  local title, tile = table.unpack(sets[name])
  local train, test, code = lrn.data[name](name ~= "digits" and { root = root, download = download }
    or nil)
  if train then return train, test, title, tile, name end
  if where ~= "auto" then M.fail(test) end
  if not expected[code] then io.stderr:write(program, ": ", test, "\n") end
  train, test = lrn.data.digits()
  return train, test, title .. " was not found; " .. sets.digits[1], sets.digits[2], "digits"
end

-- What the options say of images, and of other data where an example has them.
local function image_data(own)
  return { sets = { sets[own][1], "digits" }, rows = "training images", help = data_help(own),
    download = "fetch the data where they are not found" }
end

--- Reads the command line.
-- @param spec see start; ratings: what the options say of data that are no images: sets, names of the two
-- that there may be; rows, what there are many of; help; download
-- @return options; and resolve(usual), which fills in what depends on the set, the first or the second
function M.options(spec)
  local epochs, batch_size = spec.epochs or { 5, 20 }, spec.batch_size or { 128, 16 }
  local data = spec.ratings or image_data(spec.data or "mnist")
  local function on(values)
    return ("(%d on %s, %d on %s)"):format(values[1], data.sets[1], values[2], data.sets[2])
  end
  local rows = {
    about = spec.about,
    { "epochs", "integer", nil, "epochs to train " .. on(epochs), min = 0, short = "e" },
    { "data", "string", "auto", spec.data_help or data.help },
    { "download", "boolean", true, data.download },
    { "device", "string", "cpu", "cpu, cuda or cuda:N" },
    { "seed", "integer", 1, "seed of all random numbers", min = 0 },
    { "out", "string", "out/" .. program, "folder for the model and the pictures", short = "o" },
    { "batch_size", "integer", nil, "rows of a batch " .. on(batch_size), min = 1 },
    { "limit", "integer", spec.limit, "use only so many " .. data.rows, min = 1 },
    { "threads", "integer", nil, "threads (all processors)", min = 1 },
    { "progress", "boolean", true, "progress bar" },
    { "plots", "boolean", true, "draw the pictures" },
  }
  if spec.hidden then
    rows[#rows + 1] = { "hidden", "integer", spec.hidden, "hidden units", min = 1, short = "n" }
  end
  if spec.learning_rate then
    rows[#rows + 1] = { "learning_rate", "number", spec.learning_rate, "step of the update",
      min = 0 }
  end
  if spec.generate then table.move(rows, 4, #rows + 2, 2) end -- without data and download
  table.move(spec, 1, #spec, #rows + 1, rows)
  local opt = lrn.cli.parse(rows)
  if opt.device:find "^cuda" then M.check(lrn.cuda.available()) end
  if opt.threads then lrn.set { threads = opt.threads } end
  lrn.manual_seed(opt.seed)
  return opt, function(usual)
    opt.epochs = opt.epochs or epochs[usual]
    opt.batch_size = opt.batch_size or batch_size[usual]
  end
end

--- Reads the command line and the data.
-- @param spec about, and rows of options, as lrn.cli.parse takes them; data: the name of its data
-- set ("mnist"); epochs, batch_size: { on that, on digits } (5, 20; 128, 16); limit: default of
-- this option; hidden, learning_rate: likewise, of examples that have them; auto: a function of the
-- options that gives the data of --data auto, as training and test set, name and shape of an image, and
-- data_help, what they are; generate: the same where there are no other data, and no --data
-- @return options, with tile (the shape of an image: height and width, in front of them 3 where it
-- has colours), pixels (how many values that is) and zoom (of mosaics); training and test set
function M.start(spec)
  local opt, resolve = M.options(spec)
  local own_data = spec.generate or opt.data == "auto" and spec.auto or nil
  local train, test, which, tile, found
  if own_data then
    train, test, which, tile = own_data(opt)
  else
    train, test, which, tile, found = load_data(opt.data, spec.data or "mnist", opt.download)
  end
  print(("data: %s, %d training and %d test images of %s"):format(which, #train, #test,
    table.concat(tile, " x ")))
  resolve(found == "digits" and 2 or 1)
  opt.tile, opt.pixels = tile, tile[1] * tile[2] * (tile[3] or 1)
  opt.zoom = math.max(1, 56 // tile[#tile])
  if opt.limit and opt.limit < #train then train = train:subset(lrn.arange(1, opt.limit)) end
  return opt, train, test
end

--- Options of fit: batches, epochs and progress as the command line has them, and a line an epoch.
function M.fit_options(opt, more)
  local o = { batch_size = opt.batch_size, epochs = opt.epochs, progress = opt.progress }
  o.callback = function(model, epoch, stats)
    if epoch > 10 and epoch % 10 > 0 and epoch ~= opt.epochs then return end
    local line = ("epoch %3d"):format(epoch)
    for _, metric in ipairs(model.history:metrics()) do
      if metric ~= "time" and metric ~= "ratio" and stats[metric] then
        line = line .. ("   %s %8.3f"):format(metric, stats[metric])
      end
    end
    print(("%s   %.2f s"):format(line, stats.time))
  end
  for key, value in pairs(more or {}) do o[key] = value end
  return o
end

--- The model of the option --model; where there is none, an RBM that is trained now.
function M.load_or_train(opt, train)
  if opt.model then return (M.check(lrn.load(opt.model, { device = opt.device }))) end
  local rbm = M.check(lrn.RBM { n_visible = opt.pixels, device = opt.device, seed = opt.seed })
  rbm:fit(train, M.fit_options(opt))
  return rbm
end

--- Makes the folder of the option --out; its path with a name in it.
function M.path(opt, file)
  M.check(lrn.io.mkdir(opt.out))
  return opt.out .. "/" .. file
end

--- Draws a picture into the folder: draw(lrn.plot) gives the figure. Builds without the plot
-- library, and --no-plots, do without.
function M.picture(opt, file, draw)
  if not opt.plots or not pcall(require, "lrn.plot.cairo") then return end
  M.check(draw(lrn.plot):save(M.path(opt, file)))
end

--- Classifies the test set: prints the accuracy, draws the images that were taken for others, and
-- says what the first of them were taken for.
function M.classify(model, test, opt)
  local accuracy, _, labels = model:predict(test)
  print(("test accuracy %.4f"):format(accuracy))
  local wrong = labels:cpu():ne(test.targets):nonzero():view(-1)
  if #wrong == 0 then return end
  wrong = wrong:narrow(1, 1, math.min(#wrong, 64))
  local said = {}
  for i, row in ipairs(wrong:tolist()) do
    if i > 8 then break end
    said[i] = ("%s as %s"):format(test.classes[test.targets[row]], test.classes[labels[row]])
  end
  print("the first mistakes: " .. table.concat(said, ", "))
  M.picture(opt, "mistakes.png", function(plot)
    local images = test.data:index_select(1, wrong):view(#wrong, -1)
    return plot.mosaic(images:t(), { tile = opt.tile, cols = 8, zoom = opt.zoom })
  end)
end

--- The end of an example: saves the model, loads it back, compares the two, draws filters and history,
-- and reconstructions of models that were trained for them.
function M.finish(model, test, opt)
  local path = M.path(opt, "model.safetensors")
  M.check(model:save(path))
  local again = M.check(lrn.load(path, { device = opt.device }))
  local probe = test:subset { 1, 2, 3, 4, 5, 6, 7, 8 }.data
  if again(probe) ~= model(probe) then M.fail "the model that was loaded back differs" end
  M.picture(opt, "filters.png", function(plot)
    return plot.model.filters(model, { tile = opt.tile })
  end)
  if model.history.error then
    M.picture(opt, "reconstructions.png", function(plot)
      return plot.model.reconstructions(model, test)
    end)
  end
  if #model.history > 0 then
    M.picture(opt, "history.png", function(plot) return plot.model.history(model) end)
  end
  print("saved and loaded back, same features: " .. path)
end

return M
