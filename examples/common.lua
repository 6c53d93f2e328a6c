--- What the examples share: options, data, the lines that they print, the files that they leave.
-- An example loads it with dofile, from beside itself.
local lrn = require "lrn"

local M = {}

local name = arg[0]:match "[^/]*$":gsub("%.lua$", "")

--- Ends the program with a message about the world: a file, a device.
function M.fail(message)
  io.stderr:write(name, ": ", message, "\n")
  os.exit(1, true)
end

--- The values of a function that returns nil and a message where the world is not as it must be.
function M.check(...)
  if not ... then M.fail((select(2, ...))) end
  return ...
end

local data_help = "mnist, digits, or a folder with MNIST's files; auto: MNIST where its files are \z
  found, else digits"

-- Training and test set; where they are not those of MNIST, why.
local function load_data(where)
  local message
  if where ~= "digits" then
    local folder = where ~= "auto" and where ~= "mnist" and where or nil
    local train, test = lrn.data.mnist { root = folder }
    if train then return train, test, "MNIST", { 28, 28 } end
    if where ~= "auto" then M.fail(test) end
    message = "MNIST was not found; UCI digits (shipped)"
  end
  local train, test = lrn.data.digits()
  return train, test, message or "UCI digits (shipped)", { 8, 8 }
end

--- Reads the command line and the data.
-- @param spec about, and rows of options, as lrn.cli.parse takes them; epochs, batch_size:
-- { on MNIST, on digits } (5, 20; 128, 16); limit: default of this option; hidden, learning_rate:
-- likewise, of examples that have them
-- @return options, with tile (height and width of an image) and pixels; training and test set
function M.start(spec)
  local epochs, batch_size = spec.epochs or { 5, 20 }, spec.batch_size or { 128, 16 }
  local rows = {
    about = spec.about,
    { "epochs", "integer", nil,
      ("epochs to train (%d on MNIST, %d on digits)"):format(table.unpack(epochs)), min = 0,
      short = "e" },
    { "data", "string", "auto", data_help },
    { "device", "string", "cpu", "cpu, cuda or cuda:N" },
    { "seed", "integer", 1, "seed of all random numbers", min = 0 },
    { "out", "string", "out/" .. name, "folder for the model and the pictures", short = "o" },
    { "batch_size", "integer", nil,
      ("rows of a batch (%d on MNIST, %d on digits)"):format(table.unpack(batch_size)), min = 1 },
    { "limit", "integer", spec.limit, "use only so many training images", min = 1 },
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
  table.move(spec, 1, #spec, #rows + 1, rows)
  local opt = lrn.cli.parse(rows)
  if opt.device:find "^cuda" then M.check(lrn.cuda.available()) end
  if opt.threads then lrn.set { threads = opt.threads } end
  lrn.manual_seed(opt.seed)

  local train, test, which, tile = load_data(opt.data)
  print(("data: %s, %d training and %d test images of %d x %d"):format(which, #train, #test,
    table.unpack(tile)))
  local usual = which == "MNIST" and 1 or 2
  opt.tile, opt.pixels = tile, tile[1] * tile[2]
  opt.epochs = opt.epochs or epochs[usual]
  opt.batch_size = opt.batch_size or batch_size[usual]
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
    return plot.mosaic(images:t(), { tile = opt.tile, cols = 8, zoom = 56 // opt.tile[1] })
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
