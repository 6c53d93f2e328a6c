-- lrn.cli: typed options from one declaration.
local lrn = require "lrn"
local cli = lrn.cli

local function spec()
  return {
    name = "job", about = "Does a job.",
    { "epochs", "integer", 10, "epochs to train", min = 0, max = 1000, short = "e" },
    { "rate", "number", 0.1, "learning rate", min = 0 },
    { "data", "string", "auto", "data set", choices = { "auto", "mnist" } },
    { "batch_size", "integer", 128, "rows of a batch", min = 1 },
    { "shuffle", "boolean", true, "new order each epoch" },
    { "verbose", "boolean", false, "says more", short = "v" },
    { "layers", "integer", { 4, 2 }, "hidden units", list = true, min = 1 },
    { "note", "string", nil, "any text" },
    positional = { { "files", "string", nil, "what to read", list = true } },
  }
end

describe("cli.try", function()
  it("gives the defaults for no argument", function()
    local o = assert(cli.try(spec(), {}))
    assert.same({ epochs = 10, rate = 0.1, data = "auto", batch_size = 128, shuffle = true,
      verbose = false, layers = { 4, 2 } }, o)
  end)

  it("reads --k v, --k=v, -k v and -kv", function()
    for _, args in ipairs { { "--epochs", "3" }, { "--epochs=3" }, { "-e", "3" }, { "-e3" },
      { "-e=3" }, { "-e", "+3" } } do
      assert.equal(3, assert(cli.try(spec(), args)).epochs)
    end
    assert.equal(1e-3, cli.try(spec(), { "--rate", "1e-3" }).rate)
    assert.equal("", cli.try(spec(), { "--note=" }).note)
    assert.equal("a=b", cli.try(spec(), { "--note=a=b" }).note)
  end)

  it("takes - and _ in names as the same", function()
    assert.equal(5, cli.try(spec(), { "--batch-size", "5" }).batch_size)
    assert.equal(5, cli.try(spec(), { "--batch_size=5" }).batch_size)
  end)

  it("reads booleans, with --no- in front", function()
    local o = cli.try(spec(), { "--no-shuffle", "-v" })
    assert.equal(false, o.shuffle)
    assert.equal(true, o.verbose)
    assert.equal(false, cli.try(spec(), { "--verbose=false" }).verbose)
  end)

  it("reads lists by commas and by repetition", function()
    assert.same({ 8, 4, 2 }, cli.try(spec(), { "--layers", "8,4,2" }).layers)
    assert.same({ 8, 4 }, cli.try(spec(), { "--layers=8", "--layers=4" }).layers)
  end)

  it("does not change the default list of the declaration", function()
    local s = spec()
    cli.try(s, { "--layers", "9" })
    assert.same({ 4, 2 }, cli.try(s, {}).layers)
  end)

  it("collects positional arguments, all of them after --", function()
    assert.same({ "a", "b" }, cli.try(spec(), { "a", "-v", "b" }).files)
    assert.same({ "-v" }, cli.try(spec(), { "--", "-v" }).files)
    assert.same({ "-3" }, cli.try(spec(), { "-3" }).files)
  end)

  it("says what is wrong in one line with option, value and what was expected", function()
    local cases = {
      { { "--epochs", "x" }, '--epochs: got "x", expected an integer >= 0 and <= 1000' },
      { { "--epochs=2.5" }, '--epochs: got "2.5", expected an integer >= 0 and <= 1000' },
      { { "--epochs=-1" }, '--epochs: got "-1", expected an integer >= 0 and <= 1000' },
      { { "--epochs=1001" }, '--epochs: got "1001", expected an integer >= 0 and <= 1000' },
      { { "--rate=nan" }, '--rate: got "nan", expected a number >= 0' },
      { { "--data", "cifar" }, '--data: got "cifar", expected one of auto,mnist' },
      { { "--layers", "4,,2" }, '--layers: got "", expected an integer >= 1' },
      { { "--epohcs", "3" }, "unknown option --epohcs (did you mean --epochs?)" },
      { { "--no-epochs" }, "unknown option --no-epochs (did you mean --epochs?)" },
      { { "-q" }, "unknown option -q" },
      { { "--epochs" }, "--epochs: a value is missing, expected an integer >= 0 and <= 1000" },
      { { "--verbose=3" }, '--verbose: got "3", expected no value' },
    }
    for _, case in ipairs(cases) do
      local o, message = cli.try(spec(), case[1])
      assert.is_nil(o)
      assert.equal(case[2], message)
    end
  end)

  it("refuses an argument too many, and a required one that is missing", function()
    local s = { { "n", "integer", nil, "n", required = true } }
    assert.equal('unexpected argument "x"', select(2, cli.try(s, { "--n=1", "x" })))
    assert.equal("--n: missing, expected an integer", select(2, cli.try(s, {})))
  end)

  it("tells that help was asked for", function()
    assert.same({ nil, nil, true }, { cli.try(spec(), { "--help" }) })
    assert.is_true(select(3, cli.try(spec(), { "-h" })))
  end)
end)

describe("cli declarations", function()
  it("are checked", function()
    assert.error_matches(function() cli.try({ { "x", "int" } }, {}) end,
      "cli.try: x: type: got \"int\"")
    assert.error_matches(function() cli.try({ { "x", "integer", mim = 1 } }, {}) end,
      "unknown x: key 'mim' %(did you mean 'min'%?%)")
    assert.error_matches(function() cli.try({ { "x", "integer" }, { "x", "integer" } }, {}) end,
      "cli.try: x: declared twice")
    assert.error_matches(function() cli.try({ abuot = "x" }, {}) end, "did you mean 'about'")
    assert.error_matches(function() cli.try({ { 3 } }, {}) end, "cli.try: row 1: expected a row")
  end)
end)

describe("cli.usage", function()
  it("names every option with its default and choices", function()
    local text = cli.usage(spec())
    assert.matches("^usage: job %[options%] %[files%.%.%.%]\n", text)
    for _, part in ipairs { "%-e, %-%-epochs N  ", "epochs to train %[10%]", "%-%-%[no%-%]shuffle",
      "%-%-batch%-size N", "%(auto,mnist%) %[auto%]", "%-%-layers N,%.%.%.", "%[4,2%]",
      "%-h, %-%-help", "Does a job%." } do
      assert.matches(part, text)
    end
    for line in text:gmatch "[^\n]+" do assert.is_true(#line <= 90) end
  end)
end)

describe("cli.parse", function()
  local interpreter = arg and arg[-1] or "lua5.4"
  for i = -1, -20, -1 do interpreter = arg and arg[i] or interpreter end

  local function run(line)
    local script = os.tmpname()
    local f = assert(io.open(script, "w"))
    f:write [[local o = require "lrn".cli.parse { name = "job", { "n", "integer", 1, "a number" } }
      print("n", o.n)]]
    f:close()
    local p = io.popen(("%s %s %s 2>&1; echo \"exit $?\""):format(interpreter, script, line))
    local text = p:read "a"
    p:close()
    os.remove(script)
    return text
  end

  it("leaves with 2 and one line for a mistake", function()
    assert.equal('job: --n: got "x", expected an integer (--help lists the options)\nexit 2\n',
      run "--n x")
  end)

  it("leaves with 0 after --help", function()
    assert.matches("^usage: job.*exit 0\n$", run "--help")
  end)

  it("reads the global arg", function()
    assert.equal("n\t7\nexit 0\n", run "--n=7")
  end)
end)
