-- Sets of ratings: from triplets and files, their parts, MovieLens's archives, and the generated set.
local lrn = require "lrn"
local core = require "lrn.core"
local sets = require "lrn.data.ratings"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- "1 3 5; 2 1 4": users, items, ratings of a set in its order
local function text(set)
  local u, i, r = set:triplets()
  local parts = {}
  for k = 1, u.numel do parts[k] = ("%d %d %g"):format(u[k], i[k], r[k]) end
  return table.concat(parts, "; ")
end

local function fails(pattern, options)
  assert.error_matches(function() lrn.data.ratings(options) end, pattern)
end

describe("a set of ratings", function()
  it("is sorted by user and item, whatever the triplets' order", function()
    local set = lrn.data.ratings { users = { 2, 1, 2, 4 }, items = { 3, 2, 1, 1 }, ratings = { 5, 4, 1, 3 } }
    assert.equal("1 2 4; 2 1 1; 2 3 5; 4 1 3", text(set))
    assert.same({ 4, 3, 5, 4 }, { set.n_users, set.n_items, set.n_ratings, #set })
    assert.same({ 1, 2, 0, 1 }, set:counts "users":tolist())
    assert.same({ 2, 1, 1 }, set:counts "items":tolist())
    local items, ratings = set:user(2)
    assert.same({ { 1, 3 }, { 1, 5 } }, { items:tolist(), ratings:tolist() })
    assert.equal(0, (set:user(3)).numel)
    assert.equal("Ratings: 4 by 4 users of 3 items, 5 levels 1..5", tostring(set))
    -- against a plain sort of random triplets
    local n, list = 2000, {}
    local order = core.permutation(n, 3, 0):tolist()
    local users, items, values = {}, {}, {}
    for k, x in ipairs(order) do
      users[k], items[k], values[k] = x % 37 + 1, x // 37 + 1, x * 7919 % 5 + 1
      list[k] = { users[k], items[k], values[k] }
    end
    table.sort(list, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
    for k, triplet in ipairs(list) do list[k] = table.concat(triplet, " ") end
    for _, dtype in ipairs { "int32", "int64" } do
      local sorted = lrn.data.ratings { users = lrn.tensor(users, { dtype = dtype }),
        items = lrn.tensor(items, { dtype = dtype }), ratings = lrn.tensor(values, { dtype = "uint8" }) }
      assert.equal(table.concat(list, "; "), text(sorted))
    end
  end)

  it("takes 5 bytes a rating and 8 a user", function()
    local set = lrn.data.low_rank_ratings { users = 100, items = 50, seed = 1 }
    local offset, item, level = sets.rows(set)
    assert.same({ "int64", "int32", "uint8" }, { offset.dtype, item.dtype, level.dtype })
    assert.same({ 101, #set, #set }, { offset.numel, item.numel, level.numel })
  end)

  it("finds levels: whole numbers, halves, or what there is", function()
    local function levels(ratings, o)
      local given = { users = {}, items = {}, ratings = ratings }
      for k in ipairs(ratings) do given.users[k], given.items[k] = k, 1 end
      for name, value in pairs(o or {}) do given[name] = value end
      local set = lrn.data.ratings(given)
      local _, _, back = set:triplets()
      for k, r in ipairs(ratings) do assert.is_true(math.abs(back[k] - r) < 1e-6) end
      return set.levels
    end
    assert.same({ 1, 2, 3, 4 }, levels { 4, 1, 2 })
    assert.same({ .5, 1, 1.5, 2, 2.5 }, levels { 2.5, 1 })
    assert.same({ -1, 0, 7 }, levels { 7, -1, 0 })
    assert.same({ 1, 2, 3, 4, 5 }, levels({ 4, 1 }, { n_ratings = 5 }))
    assert.same({ 0, 4, 9 }, levels({ 4, 9 }, { levels = { 0, 4, 9 } }))
    assert.same({ .1, .2 }, levels { .2, .1, .1 })
  end)

  it("says which triplet is wrong, and what two ratings of one pair mean", function()
    fails("ratings: users: got 0 %(triplet 2%), expected 1..2", { users = { 2, 0 }, items = { 1, 1 }, ratings = { 1, 2 } })
    fails("ratings: items: got 4 %(triplet 1%), expected 1..3",
      { users = { 2 }, items = { 4 }, ratings = { 1 }, n_items = 3 })
    fails("ratings: ratings: got 6 %(triplet 1%), expected one of the 5 levels 1..5",
      { users = { 2 }, items = { 4 }, ratings = { 6 }, n_ratings = 5 })
    fails("ratings: user 2 rated item 4 twice; say which counts: duplicates = \"last\"",
      { users = { 2, 1, 2 }, items = { 4, 1, 4 }, ratings = { 1, 1, 5 } })
    fails("ratings: items, ratings: got 1 and 2, expected 2", { users = { 2, 1 }, items = { 4 }, ratings = { 1, 1 } })
    fails("ratings: users: missing", { items = { 4 }, ratings = { 1, 1 } })
    fails("ratings: users: got 1.5 at 1, expected integers", { users = { 1.5 }, items = { 4 }, ratings = { 1 } })
    fails("ratings: ratings: got NaN or an infinity", { users = { 1 }, items = { 4 }, ratings = { 0 / 0 } })
    fails("ratings: ratings: got .nan", { users = { 1 }, items = { 4 }, ratings = { 0 / 0 }, n_ratings = 5 })
    fails("unknown option 'user'", { user = { 1 } })
    local set = lrn.data.ratings { users = { 2, 2, 1, 2 }, items = { 4, 4, 4, 1 }, ratings = { 1, 3, 2, 4 },
      duplicates = "last" }
    assert.equal("1 4 2; 2 1 4; 2 4 3", text(set))
  end)

  it("has means, with prior ratings of the mean of all", function()
    local set = lrn.data.ratings { users = { 1, 2, 3 }, items = { 1, 1, 3 }, ratings = { 5, 4, 3 }, n_items = 3 }
    local mean, items = set:means()
    assert.equal(4, mean)
    assert.same({ 4.5, 4, 3 }, items:tolist())
    assert.same({ (9 + 2 * 4) / 4, 4, (3 + 2 * 4) / 3 }, select(2, set:means { prior = 2 }):tolist())
  end)

  it("splits into parts that hold each rating once, by the seed alone", function()
    local set = lrn.data.low_rank_ratings { users = 40, items = 30, density = .5, seed = 3 }
    local a, b, c = set:split { train = .7, val = .1, test = .2, seed = 5 }
    local all = {}
    for _, part in ipairs { a, b, c } do
      assert.same({ 40, 30 }, { part.n_users, part.n_items })
      assert.same(set.levels, part.levels)
      for triplet in (text(part) .. "; "):gmatch "(.-); " do all[#all + 1] = triplet end
    end
    local expected = {}
    for triplet in (text(set) .. "; "):gmatch "(.-); " do expected[#expected + 1] = triplet end
    table.sort(all)
    table.sort(expected)
    assert.same(expected, all)
    assert.is_true(math.abs(#a / #set - .7) < .01)
    assert.equal(text(a), text((set:split { train = .7, val = .1, test = .2, seed = 5 })))
    assert.is_true(text(a) ~= text((set:split { train = .7, val = .1, test = .2, seed = 6 })))
    assert.equal(100, #(set:split { train = 100 }))
    assert.error_matches(function() set:split {} end, "split: got no part")
  end)
end)

describe("a file of ratings", function()
  local path = os.tmpname()
  teardown(function() os.remove(path) end)

  it("is read with any of the usual separators, further columns, a heading, and no last newline", function()
    for _, content in ipairs { "1\t3\t5\t881250949\n2\t1\t4\t9\n", "1::3::5::97\n2::1::4::97",
      "userId,movieId,rating,timestamp\r\n1,3,5.0,99\r\n2,1,4.0,99\r\n", "1 3 5\n\n2  1 4\n",
      "2;1;4\n1;3;5\n" } do
      write(path, content)
      assert.equal("1 3 5; 2 1 4", text(assert(lrn.data.ratings { file = path })))
    end
    write(path, "1,3,.5\n2,1,4.5\n")
    assert.equal(9, lrn.data.ratings { file = path }.n_ratings)
    local lines = {}
    for k = 1, 20000 do lines[k] = ("%d\t%d\t%d\t%d"):format(k, k % 100 + 1, k % 5 + 1, k) end
    write(path, table.concat(lines, "\n"))
    local set = lrn.data.ratings { file = path }
    assert.same({ 20000, 20000, 100 }, { #set, set.n_users, set.n_items })
  end)

  it("that is damaged names the line, or says what is missing", function()
    for content, message in pairs {
      ["1\t3\t5\n1\tx\t5\n"] = "line 2: got '1\tx\t5', expected user, item, rating",
      ["1\t3\t5\n1\t2\n"] = "line 2: got '1\t2'", ["1\t3\t5x\n"] = "line 1: got",
      ["1\t3\t5\n-1\t2\t4\n"] = "line 2: got", ["1\t99999999999\t4\n"] = "line 1: got",
      ["1\t2\t1e5\n"] = "line 1: got", [""] = "no line with user, item, rating",
      ["heading\n"] = "no line with user, item, rating",
      ["1\t1\t5\n1\t1\t4\n"] = "user 1 rated item 1 twice" } do
      write(path, content)
      local set, text_of, code = lrn.data.ratings { file = path }
      assert.is_nil(set)
      assert.is_truthy(text_of:find("ratings: " .. path, 1, true), text_of)
      assert.is_truthy(text_of:find(message, 1, true), text_of)
      assert.equal("EFORMAT", code)
    end
    local set, message, code = lrn.data.ratings { file = "/nowhere/u.data" }
    assert.same({ nil, "ratings: /nowhere/u.data: No such file or directory", "ENOENT" }, { set, message, code })
    assert.matches("Is a directory", select(2, lrn.data.ratings { file = "/tmp" }))
  end)
end)

describe("movielens", function()
  local root = os.tmpname()
  setup(function()
    os.remove(root)
    assert(core.mkdir(root))
    assert(core.mkdir(root .. "/ml-100k"))
    assert(core.mkdir(root .. "/ml-1m"))
    write(root .. "/ml-100k/u.data", "196\t242\t3\t881250949\n22\t377\t1\t878887116\n")
    write(root .. "/ml-100k/u1.base", "1\t1\t5\t874965758\n1\t2\t3\t876893171\n")
    write(root .. "/ml-100k/u1.test", "1\t6\t5\t887431973\n")
    write(root .. "/ml-100k/u.item", "1|Toy Story (1995)|01-Jan-1995||x|0|1\n2|Mis\xe9rables, Les|x\n")
    write(root .. "/ml-1m/ratings.dat", "1::1193::5::978300760\n")
    write(root .. "/ml-1m/movies.dat", "1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n")
  end)
  teardown(function() os.execute("rm -rf '" .. root .. "'") end)

  it("reads the archive's files where they lie, with titles", function()
    local set = assert(lrn.data.movielens { root = root })
    assert.equal("22 377 1; 196 242 3", text(set))
    assert.same({ 943, 1682, 5 }, { set.n_users, set.n_items, set.n_ratings })
    assert.same({ "Toy Story (1995)", "Misérables, Les" }, { set.titles[1], set.titles[2] })
    local train, test = lrn.data.movielens { root = root .. "/ml-100k", fold = 1 }
    assert.same({ "1 1 5; 1 2 3", "1 6 5", 1682, 943 }, { text(train), text(test), train.n_items, test.n_users })
    local large = assert(lrn.data.movielens { root = root, name = "ml-1m" })
    assert.equal("1 1193 5", text(large))
    assert.equal("One Flew Over the Cuckoo's Nest (1975)", large.titles[1193])
  end)

  it("says where it looked and what to put there", function()
    local set, message, code = lrn.data.movielens { root = root, fold = 2 }
    assert.is_nil(set)
    assert.equal("ENOENT", code)
    assert.is_truthy(message:find("no folder has u2.base and u2.test of ml-100k; looked in " .. root, 1, true))
    assert.is_truthy(message:find("Unpack ml-100k.zip from grouplens.org", 1, true))
    assert.error_matches(function() lrn.data.movielens { fold = 7 } end, "fold: got 7, expected 1 to 5")
    assert.error_matches(function() lrn.data.movielens { name = "ml-1m", fold = 1 } end, "only ml%-100k has them")
    assert.error_matches(function() lrn.data.movielens { name = "netflix" } end, "name: got \"netflix\", expected")
  end)
end)

describe("low_rank_ratings", function()
  it("depends on its seed alone, and has the density asked for, 6 sigma", function()
    local o = { users = 300, items = 40, density = .3, seed = 7 }
    local set = lrn.data.low_rank_ratings(o)
    assert.equal(text(set), text(lrn.data.low_rank_ratings(o)))
    assert.is_true(math.abs(#set - 3600) < 6 * math.sqrt(12000 * .3 * .7))
    o.seed = 8
    assert.is_true(text(set) ~= text(lrn.data.low_rank_ratings(o)))
  end)

  it("has the rank asked for: without noise, users differ by multiples of one vector", function()
    local set = lrn.data.low_rank_ratings { users = 4, items = 400, rank = 1, density = 1, noise = 0,
      n_ratings = 255, seed = 1 }
    local _, _, ratings = set:triplets()
    local r = ratings:reshape(4, 400):tolist()
    local n, xy, xx, yy = 0, 0, 0, 0
    for i = 1, 400 do
      local inside = true -- where nothing was cut off at the ends of the levels
      for u = 1, 4 do inside = inside and r[u][i] > 1 and r[u][i] < 255 end
      if inside then
        local x, y = r[1][i] - r[2][i], r[3][i] - r[4][i]
        n, xy, xx, yy = n + 1, xy + x * y, xx + x * x, yy + y * y
      end
    end
    assert.is_true(n > 100)
    assert.is_true(math.abs(xy) > .999 * math.sqrt(xx * yy))
  end)
end)
