-- The loop of training: what batches carry, and what fit does around a step.
local lrn = require "lrn"
local batches = require "lrn.batches"

local model = { n_visible = 3, device = "cpu", seed = 5 }

-- Row i of the data is {i, i, i}, its label i: of every batch, rows and labels as lists.
local function walk(data, o, want, width)
  local source = batches.source(model, data, o, want)
  source.open(1, 0, 0)
  local rows, labels = {}, {}
  for t, idx, first, count, y in source.next do
    for r = first, first + count - 1 do
      local i = idx and idx[r] or r
      rows[#rows + 1] = t[i][width or 1]
      labels[#labels + 1] = y and y[i]
    end
  end
  return rows, labels
end

local function numbered(n, options)
  local data = lrn.arange(1, n):to "float32":reshape(-1, 1):expand(n, 3):contiguous()
  return lrn.data.Dataset(data, lrn.arange(1, n):to "uint8", options)
end

describe("labels of batches", function()
  local sets = {
    whole = function() return numbered(7) end,
    subset = function() return numbered(20):subset { 3, 9, 4, 20, 1, 17, 8 } end,
    transformed = function() return numbered(20, { transform = function(x) return x * 1 end }):subset
      { 3, 9, 4, 20, 1, 17, 8 } end,
    iterator = function() return numbered(7):batches { size = 3, seed = 2 } end,
  }
  for name, make in pairs(sets) do
    for _, shuffle in ipairs { true, false } do
      it(("belong to their rows: %s, shuffle = %s"):format(name, shuffle), function()
        for _, want in ipairs { "classes", "targets" } do
          local rows, labels = walk(make(), { batch_size = 3, shuffle = shuffle }, want)
          assert.equal(7, #rows)
          assert.same(rows, labels)
        end
      end)
    end
  end

  it("are int64 as classes and as they are as targets", function()
    local function dtype(want)
      local source = batches.source(model, numbered(4), { batch_size = 2 }, want)
      source.open(1, 0, 0)
      return select(5, source.next()).dtype
    end
    assert.equal("int64", dtype "classes")
    assert.equal("uint8", dtype "targets")
  end)

  it("are not there where the data have none, or nobody wants them", function()
    local _, labels = walk(lrn.ones(4, 3), { batch_size = 2 }, "classes")
    assert.same({}, labels)
    _, labels = walk(numbered(4), { batch_size = 2 }, nil)
    assert.same({}, labels)
    local left = 2
    _, labels = walk(function()
      left = left - 1
      return left > 0 and lrn.ones(2, 3) or nil
    end, { batch_size = 2 }, "classes")
    assert.same({}, labels)
  end)

  it("stay with the first batch of an iterator, which prepare took", function()
    local source = batches.source(model, numbered(6):batches { size = 3, seed = 2 },
      { batch_size = 3 }, "classes")
    assert.equal(3, source.all(1):size(1))
    source.open(1, 0, 0)
    local t, _, _, _, y = source.next()
    assert.same(t:select(2, 1):to("int64"):tolist(), y:tolist())
  end)

  it("that are no classes are an error that says so", function()
    local function message(targets, want)
      local _, e = pcall(batches.source, model, lrn.data.Dataset(lrn.ones(2, 3), targets),
        { batch_size = 2 }, want)
      return e
    end
    assert.matches("fit: targets: got a tensor float32%[2%], expected one integer a sample",
      message(lrn.ones(2), "classes"))
    assert.matches("fit: targets: got a tensor int64%[2, 1%], expected one integer a sample",
      message(lrn.ones(2, 1, { dtype = "int64" }), "classes"))
    local source = batches.source(model, function() return lrn.ones(2, 3), lrn.ones(3) end,
      { batch_size = 2 }, "targets")
    source.open(1, 0, 0)
    local _, e = pcall(source.next)
    assert.matches("fit: data %(labels of the iterator%): got %[3%], expected 2, one a sample", e)
  end)
end)
