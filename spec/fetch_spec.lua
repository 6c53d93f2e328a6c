-- lrn.io.fetch against a server that cuts, delays, lies, ignores ranges, sends wrong bytes and
-- redirects: every fetch ends with the right file or with an error, and with nothing in between.
local lrn = require "lrn"
local core = require "lrn.core"
local fetch = require "lrn.fetch"
local program = dofile "spec/support/program.lua"
local web = dofile "spec/support/web.lua"
local has, sh, quote = program.has, program.sh, program.quote

local SIZE = 300000

local function write(path, bytes)
  local f <close> = assert(io.open(path, "wb"))
  f:write(bytes)
end

local function read(path)
  local f <close> = io.open(path, "rb")
  return f and f:read "a"
end

describe("io.sha256", function()
  it("is what sha256sum prints", function()
    for _, n in ipairs { 0, 1, 63, 64, 65, 65536, 65537, 200001 } do
      local path = program.file(("ab\0\255"):rep(n):sub(1, n), "wb")
      local pipe <close> = io.popen("sha256sum " .. quote(path))
      assert.equal(pipe:read "a":match "^%x+", lrn.io.sha256(path))
    end
    program.clean()
  end)

  it("says why there is none", function()
    local digits, message, code = lrn.io.sha256 "/nowhere/at/all"
    assert.same({ nil, "ENOENT" }, { digits, code })
    has(message, "sha256: /nowhere/at/all: No such file")
    assert.is_nil((lrn.io.sha256 "/tmp"))
  end)
end)

describe("fetch", function()
  local data, sum, folder, path, server, why
  local offline = fetch.offline

  setup(function()
    local g = lrn.generator(5)
    local values = lrn.randint(0, 255, SIZE, { generator = g }):tolist()
    local parts = {}
    for i = 1, SIZE, 100 do
      parts[#parts + 1] = string.char(table.unpack(values, i, math.min(i + 99, SIZE)))
    end
    data = table.concat(parts)
    folder = os.tmpname()
    os.remove(folder)
    assert(lrn.io.mkdir(folder .. "/web"))
    write(folder .. "/web/x.bin", data)
    sum = lrn.io.sha256(folder .. "/web/x.bin")
    local library
    library, why = fetch.library()
    if library then server, why = web.serve(folder .. "/web") end
    fetch.offline = function() return false end -- scripts/test sets LRN_OFFLINE
  end)

  teardown(function()
    fetch.offline = offline
    if server then server:close() end
    os.execute("rm -rf " .. quote(folder))
  end)

  before_each(function()
    path = folder .. "/got/x.bin"
    os.execute("rm -rf " .. quote(folder .. "/got"))
    if server then server:requests() end
  end)
  after_each(program.clean)

  -- A test that needs the server.
  local function test(name, f)
    it(name, function()
      if not server then
        pending(why)
        return
      end
      f()
    end)
  end

  local function get(way, options, name)
    local urls = {}
    for i, w in ipairs(type(way) == "table" and way or { way }) do
      urls[i] = w:find "://" and w or server:url(w .. "/x.bin")
    end
    local o = { progress = false }
    for key, value in pairs(options or {}) do o[key] = value end
    return lrn.io.fetch(#urls == 1 and urls[1] or urls, name or path, o)
  end

  local function good(way, options)
    local ok, from = get(way, options)
    assert(ok, from)
    assert.is_true(read(path) == data, "another file")
    assert.is_nil(read(path .. ".part"))
    return from
  end

  -- Fails, and leaves no file; `left` bytes of a part (0).
  local function bad(way, options, code, text, left)
    local ok, message, number = get(way, options)
    assert.is_nil(ok)
    assert.equal(code, number, message)
    has(message, "fetch: " .. path .. ": ")
    has(message, text)
    assert.is_nil(read(path))
    assert.equal(left or 0, #(read(path .. ".part") or ""))
    return message
  end

  local function ranges()
    local list = {}
    for i, r in ipairs(server:requests()) do list[i] = r[2] end
    return list
  end

  local both, checked = { size = SIZE }, {}
  setup(function()
    both.sha256, checked.sha256 = sum, sum
  end)

  describe("of a good server", function()
    test("gives the file, and makes its folder", function()
      local url = good("ok", both)
      assert.equal(server:url "ok/x.bin", url)
      assert.same({ "" }, ranges())
    end)

    test("needs neither size nor checksum", function()
      good "ok"
      good "chunks"
    end)

    test("does not ask for a file that is there", function()
      good("ok", both)
      server:requests()
      assert.is_nil(good("ok", { sha256 = sum:upper() }))
      assert.same({}, ranges())
    end)

    test("replaces a file that is another", function()
      assert(lrn.io.mkdir(folder .. "/got"))
      write(path, "something else")
      good("ok", both)
    end)

    test("shows a bar", function()
      local _, err, code = sh(("LRN_OFFLINE= LRN -e 'assert(lrn.io.fetch(%q, %q, { size = %d }))'")
        :format(server:url "ok/x.bin", path, SIZE))
      assert.equal(0, code, err)
      assert.matches("x.bin: 100%% 300k/300k %[00:00<00:00, [%d.]+[kM]?B/s%]\n", err)
    end)

    test("takes a name in the folder where it runs", function()
      local command = "cd %s && LRN_OFFLINE= LRN -e 'print(lrn.io.fetch(%q, \"y.bin\"))' 2>&1"
      local out = sh(command:format(quote(folder), server:url "ok/x.bin"))
      has(out, "true\t")
      assert.is_true(read(folder .. "/y.bin") == data)
    end)
  end)

  describe("goes on where it was", function()
    local function leave(bytes)
      assert(lrn.io.mkdir(folder .. "/got"))
      write(path .. ".part", bytes)
    end

    test("after a cut, asking for the rest", function()
      good("cut/70000", both)
      assert.same({ "", "bytes=70000-", "bytes=140000-", "bytes=210000-", "bytes=280000-" },
        ranges())
    end)

    test("after a cut, where only the checksum is known", function()
      good("cut/160000", checked)
      assert.same({ "", "bytes=160000-" }, ranges())
    end)

    test("after a process that died", function()
      leave(data:sub(1, 1234))
      good("ok", both)
      assert.same({ "bytes=1234-" }, ranges())
    end)

    test("from another mirror", function()
      good({ "status/500", "cutwhole/1000", "ok" }, both)
      assert.same({ "", "", "bytes=1000-", "bytes=1000-" }, ranges())
    end)

    test("and begins again where what was left is of another file", function()
      leave(("?"):rep(1234))
      good("ok", both)
      assert.same({ "bytes=1234-", "" }, ranges())
      leave(("?"):rep(SIZE))
      os.remove(path)
      good("ok", both)
      leave(("?"):rep(SIZE + 1))
      os.remove(path)
      good("ok", both)
      leave(("?"):rep(SIZE + 1))
      os.remove(path)
      good("ok", checked) -- the server refuses the range
    end)

    test("without the network where all had come", function()
      leave(data)
      good("http://127.0.0.1:1/x.bin", both)
      assert.same({}, ranges())
    end)

    test("and begins again where the server ignores the range, or sends another", function()
      leave(data:sub(1, 1234))
      good("noranges", both)
      os.remove(path)
      leave(data:sub(1, 1234))
      good("wrongrange/77", both)
      os.remove(path)
      leave(data:sub(1, 1234))
      good("wrongrange/77", checked)
    end)

    test("but not without a checksum", function()
      leave(data:sub(1, 1234))
      good("ok", { size = SIZE })
      assert.same({ "" }, ranges())
    end)
  end)

  describe("takes no part for the whole", function()
    test("where the server cuts, and no checksum is known", function()
      bad("cut/70000", { size = SIZE }, "ENETWORK", "/cut/70000/x.bin: ")
      bad("cut/70000", nil, "ENETWORK", "/cut/70000/x.bin: ")
      assert.same({ "", "" }, ranges())
    end)

    test("where the server cuts at the same place again and again", function()
      bad("cutwhole/70000", both, "ENETWORK", "/cutwhole/70000/x.bin: ", 70000)
      assert.is_true(#ranges() <= 3)
      bad("cut/0", both, "ENETWORK", "/cut/0/x.bin: ", 70000)
    end)

    test("where the server lies about the length", function()
      bad("longer/10", both, "ENETWORK", "it has 300010 bytes, expected 300000")
      bad("longer/10", nil, "ENETWORK", "")
      bad("shorter/10", both, "ENETWORK", "it has 299990 bytes, expected 300000")
      bad("shorter/10", checked, "ECHECKSUM", "the SHA-256 of its 299990 bytes is ")
      bad("more/10", both, "ENETWORK", "it sends more than the 300000 bytes expected")
      bad("more/10", checked, "ECHECKSUM", "the SHA-256 of its 300010 bytes is ")
      bad("fewer/10", { size = SIZE }, "ENETWORK", "only 299990 of 300000 bytes came")
    end)

    test("where a length that is told would be needed, and is not there", function()
      bad("untold/10", nil, "ENETWORK", "it does not say how long the file is")
      bad("untold/0", nil, "ENETWORK", "it does not say how long the file is")
      bad("untold/10", { size = SIZE }, "ENETWORK", "only 299990 of 300000 bytes came")
      bad("untold/10", checked, "ECHECKSUM", "expected " .. sum)
      good("untold/0", { size = SIZE })
      os.remove(path)
      good("untold/0", checked)
    end)
  end)

  test("refuses wrong bytes, and leaves the file that was there", function()
    bad("wrong", both, "ECHECKSUM", "expected " .. sum)
    assert(lrn.io.mkdir(folder .. "/got"))
    write(path, "as it was")
    local ok, _, code = get("wrong", both)
    assert.same({ nil, "ECHECKSUM" }, { ok, code })
    assert.equal("as it was", read(path))
    assert.is_nil(read(path .. ".part"))
  end)

  test("takes no page that explains an error for the file", function()
    bad("status/404", nil, "ENETWORK", "it answers with status 404")
    bad("status/403", both, "ENETWORK", "it answers with status 403")
    bad("status/204", checked, "ENETWORK", "it answers with status 204")
  end)

  test("gives up a server that is silent", function()
    bad("hang", { timeout = 0.3 }, "ENETWORK", "no data for 0.3 s")
    bad("stop/5000", { timeout = 0.3 }, "ENETWORK", "no data for 0.3 s")
    bad("stop/300", { timeout = 0.3, sha256 = sum }, "ENETWORK", "no data for 0.3 s", 300)
    good("ok", checked)
    assert.equal("bytes=300-", table.remove(ranges()))
  end)

  test("gives up a connection that is not made, and shares the time among the mirrors", function()
    local silent = "https://127.0.0.1:" .. server.silent_port .. "/x"
    local message = bad({ silent, silent }, { connect_timeout = 0.8 }, "ENETWORK", silent)
    assert.equal(2, select(2, message:gsub("time", "")))
    assert.is_true(#message < 600)
  end)

  test("asks the mirrors in turn, and says what was wrong with each", function()
    local ways = { "http://127.0.0.1:1/x.bin", "status/500", "wrong", "ok" }
    assert.equal(server:url "ok/x.bin", good(ways, both))
    os.remove(path)
    ways[4] = "http://nowhere.invalid/x.bin"
    local message = bad(ways, both, "ENETWORK", "/status/500/x.bin: it answers with status 500; ")
    has(message, "http://127.0.0.1:1/x.bin: ")
    has(message, "the SHA-256 of its 300000 bytes is ")
    has(message, "http://nowhere.invalid/x.bin: Could not resolve host: nowhere.invalid")
  end)

  describe("over redirections", function()
    test("goes from http to http", function()
      good(server:url("to?" .. server:url "to?/ok/x.bin"), both)
    end)

    test("goes nowhere else", function()
      for _, where in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/" } do
        bad(server:url("to?" .. where), nil, "ENETWORK", "it redirects to " .. where ..
          ", expected https or http")
      end
      bad("round", nil, "ENETWORK", "it redirects more than 5 times")
    end)

    local function secure(url)
      local command = "CURL_CA_BUNDLE=%s LRN_OFFLINE= LRN -e 'print(lrn.io.fetch(%q, %q, { \z
        progress = false }))'"
      return sh(command:format(quote(server.certificate), url, path))
    end

    test("goes from http to https and never back", function()
      if not server.tls then
        pending "no openssl"
        return
      end
      has(secure(server:secure "ok/x.bin"), "true\t")
      assert.is_true(read(path) == data)
      os.remove(path)
      has(secure(server:url("to?" .. server:secure "ok/x.bin")), "true\t")
      os.remove(path)
      has(secure(server:secure("to?" .. server:secure "ok/x.bin")), "true\t")
      os.remove(path)
      has(secure(server:secure("to?" .. server:url "ok/x.bin")),
        "it redirects to " .. server:url "ok/x.bin" .. ", expected https\tENETWORK")
      assert.is_nil(read(path))
      has(secure(server:url("to?" .. server:secure("to?" .. server:url "ok/x.bin"))),
        ", expected https\tENETWORK")
      assert.is_nil(read(path))
    end)

    test("trusts no certificate that nobody signed", function()
      if not server.tls then
        pending "no openssl"
        return
      end
      bad(server:secure "ok/x.bin", nil, "ENETWORK", "certificate")
    end)
  end)

  describe("and other processes", function()
    local function script(way)
      return program.file(("print(lrn.io.fetch(%q, %q, { sha256 = %q, size = %d }))"):format(
        server:url(way .. "/x.bin"), path, sum, SIZE))
    end

    test("several at once: one fetches, and all have the file", function()
      local name = script "slow/30000"
      local command = "for i in 1 2 3; do LRN_OFFLINE= LRN_PROGRESS=0 LRN %s & done; wait"
      local out, err = sh(command:format(name))
      assert.equal(3, select(2, out:gsub("true", "")), err)
      assert.is_true(read(path) == data)
      assert.is_nil(read(path .. ".part"))
      assert.same({ "" }, ranges())
    end)

    test("waits for one that is at it, and takes what that one fetched", function()
      assert(lrn.io.mkdir(folder .. "/got"))
      local part <close> = assert(core.part_open(path))
      assert.is_false(core.part_open(path)) -- not this process either
      local out, err = program.file "", program.file ""
      local pipe <close> = io.popen(("LRN_OFFLINE= %s %s > %s 2> %s"):format(quote(program.path),
        script "ok", out, err))
      for _ = 1, 400 do
        if #read(err) > 0 then break end
        os.execute "sleep 0.05"
      end
      assert.equal(path .. ": another process fetches it; waiting\n", read(err))
      assert(part:write(data:sub(1, 5000)))
      assert(part:write(data:sub(5001)))
      assert.equal(sum, part:sha256())
      assert(part:commit())
      part:close()
      pipe:read "a" -- until it ends
      assert.equal("true\tnil\n", read(out))
      assert.is_true(read(path) == data)
      assert.is_nil(read(path .. ".part"))
      assert.same({}, ranges())
    end)

    -- Sends a signal to a process that runs the script, as soon as the shell's condition holds.
    local function stop(signal, way, condition)
      return sh(("LRN_OFFLINE= LRN %s & pid=$!; i=0; until %s || [ $i -gt 200 ]; do sleep 0.05; \z
        i=$((i + 1)); done; kill -%s $pid; wait $pid"):format(script(way), condition, signal))
    end

    local function something_came() return ("[ -s %s.part ]"):format(quote(path)) end

    local function goes_on()
      local part = read(path .. ".part")
      assert.is_true(#part >= 3000 and #part < SIZE and data:sub(1, #part) == part)
      assert.is_nil(read(path))
      server:requests()
      good("ok", both)
      assert.same({ "bytes=" .. #part .. "-" }, ranges())
    end

    test("Ctrl-C stops it, and the next goes on", function()
      local _, err, code = stop("INT", "slow/3000", something_came())
      assert.equal(1, code)
      has(err, "interrupted!")
      goes_on()
    end)

    test("Ctrl-C stops it where nothing comes, and leaves nothing", function()
      local _, err = stop("INT", "hang/77", ("grep -q /hang/77/ %s"):format(quote(server.report)))
      has(err, "interrupted!")
      assert.is_nil(read(path .. ".part"))
      assert.is_nil(read(path))
    end)

    test("one that was killed leaves what the next goes on with", function()
      stop("KILL", "slow/3000", something_came())
      goes_on()
    end)
  end)

  test("says what is wrong with the disk, and asks nobody", function()
    for place, code in pairs { [folder .. "/web/x.bin/y"] = "ENOTDIR",
      ["/proc/nowhere/y"] = "ENOENT", [folder] = "EISDIR" } do
      local ok, message, number = get("ok", nil, place)
      assert.same({ nil, code }, { ok, number }, message)
      has(message, "fetch: " .. place:match "^/%w+")
    end
    assert.same({}, ranges())
  end)

  test("does not write through a link that stands for the part", function()
    assert(lrn.io.mkdir(folder .. "/got"))
    local victim = program.file "safe"
    os.execute(("ln -s %s %s.part"):format(quote(victim), quote(path)))
    local ok = get("ok", both)
    assert.is_nil(ok)
    assert.equal("safe", read(victim))
  end)

  test("leaves no folder where nothing came", function()
    path = folder .. "/got/a/b/x.bin"
    bad("status/404", nil, "ENETWORK", "404")
    assert.is_nil((os.rename(folder .. "/got", folder .. "/got")))
    bad("stop/300", { timeout = 0.3, sha256 = sum }, "ENETWORK", "no data", 300)
  end)

  test("asks nobody with LRN_OFFLINE=1", function()
    local text = "print(lrn.io.fetch(%q, %q, { sha256 = %q, progress = false }))"
    local name = program.file(text:format(server:url "ok/x.bin", path, sum))
    has(sh("LRN_OFFLINE=1 LRN " .. name), "LRN_OFFLINE is set: no network\tEOFFLINE")
    assert.same({}, ranges())
    has(sh("LRN_OFFLINE=0 LRN " .. name), "true\t")
    has(sh("LRN_OFFLINE=1 LRN " .. name), "true") -- it is there
    assert.same({ "" }, ranges())
  end)

  it("says so where lrn has no libcurl", function()
    local library = fetch.library
    fetch.library = function() return nil, "this lrn was built without libcurl (LRN_CURL)" end
    local ok, message, code = lrn.io.fetch("http://127.0.0.1:1/x", "/tmp/x")
    fetch.library = library
    assert.same({ nil, "EBUILD" }, { ok, code })
    has(message, "fetch: /tmp/x: this lrn was built without libcurl")
  end)

  it("refuses what is no address, no name, no checksum", function()
    for _, url in ipairs { "file:///etc/passwd", "ftp://a/b", "x", "", "http://", "http:///x",
      "https://a b", "http://a\nb" } do
      local ok, e = pcall(lrn.io.fetch, url, "/tmp/x")
      assert.is_false(ok)
      has(e, "fetch: url: got ")
      has(e, "expected http://... or https://...")
    end
    local u = "http://127.0.0.1:1/x"
    local function message(...) return select(2, pcall(lrn.io.fetch, ...)) end
    has(message(nil, "x"), "fetch: url: missing")
    has(message({}, "x"), "fetch: url: got an empty list")
    has(message({ u, 3 }, "x"), "fetch: url[2]: got 3")
    has(message(u), "fetch: path: missing")
    has(message(u, "/tmp/"), 'fetch: path: got "/tmp/", expected the name of a file')
    has(message(u, "x", { sha256 = "abc" }), 'fetch: sha256: got "abc", expected 64')
    has(message(u, "x", { size = -1 }), "fetch: size: got -1")
    has(message(u, "x", { sha25 = "" }), "did you mean 'sha256'")
  end)
end)
