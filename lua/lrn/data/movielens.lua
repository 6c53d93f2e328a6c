--- MovieLens (F. M. Harper, J. A. Konstan 2015): ratings of films, from the files of its archives. Its
-- terms forbid handing it on, so it is read where it is found.
local check = require "lrn.check"
local files = require "lrn.data.files"
local ratings = require "lrn.data.ratings"

-- What an archive has. levels: of its ratings; titles: file, the pattern of its lines, and whether it is in
-- Latin-1; folds: names of the parts of a split that comes with it.
local function stars(from, to, step)
  local list = {}
  for value = from, to, step do list[#list + 1] = value end
  return list
end
local sets = {
  ["ml-100k"] = { file = "u.data", levels = stars(1, 5, 1), n_users = 943, n_items = 1682,
    titles = "u.item", line = "^(%d+)|([^|\n]*)", latin = true,
    folds = { ["1"] = "u1", ["2"] = "u2", ["3"] = "u3", ["4"] = "u4", ["5"] = "u5", a = "ua", b = "ub" } },
  ["ml-1m"] = { file = "ratings.dat", levels = stars(1, 5, 1), n_users = 6040, n_items = 3952,
    titles = "movies.dat", line = "^(%d+)::(.-)::", latin = true },
}
for _, name in ipairs { "ml-20m", "ml-25m", "ml-32m", "ml-latest-small", "ml-latest" } do
  sets[name] = { file = "ratings.csv", levels = stars(.5, 5, .5), titles = "movies.csv",
    line = '^(%d+),"?(.-)"?,[^,]*$' }
end

-- Latin-1 as UTF-8.
local function utf8_of(text)
  return (text:gsub("[\x80-\xff]", function(c) return utf8.char(c:byte()) end))
end

-- Titles by item, where the file is there.
local function titles_of(set, folder)
  local file = set.titles and io.open(folder .. "/" .. set.titles)
  if not file then return nil end
  local list = {}
  for line in file:lines() do
    local item, title = line:match(set.line)
    if item then list[math.tointeger(item)] = set.latin and utf8_of(title) or title end
  end
  file:close()
  return list
end

local rules = {
  root = { "string" },
  name = { "string", "ml-100k", choices = check.names(sets) },
  fold = { "integer|string" },
}

--- A MovieLens set as its archive has it. The files are looked for in root, `$LRN_DATA` and
-- `$XDG_CACHE_HOME/lrn` (`~/.cache/lrn`): directly, and in a folder of the archive's name.
-- @param options root: a folder to look in first; name: "ml-100k" (also "ml-1m", "ml-20m", "ml-25m",
-- "ml-32m", "ml-latest", "ml-latest-small"); fold: 1 to 5, "a" or "b", of ml-100k: the split u1.base and
-- u1.test, and so on, instead of all ratings
-- @return the set, with titles where their file is there; with fold the training and the test set; or nil,
-- message, code
-- @usage local set, message = lrn.data.movielens(); print(set or message)
local function movielens(options)
  local o = check.options("movielens", options, rules)
  local set, names = sets[o.name], nil
  if o.fold ~= nil then
    local base = set.folds and set.folds[tostring(o.fold)]
    if not base then
      check.raise("value", "movielens: fold: got %s, expected %s", check.show(o.fold),
        set.folds and "1 to 5, \"a\" or \"b\"" or "none: only ml-100k has them")
    end
    names = { base .. ".base", base .. ".test" }
  else
    names = { set.file }
  end
  local paths, searched = files.find(o.root, { folders = { "", "/" .. o.name }, names = { names },
    plain = true })
  if not paths then
    return nil, ("movielens: no folder has %s of %s; looked in %s. Unpack %s.zip from grouplens.org into \z
      one of these, or name its folder by root or LRN_DATA"):format(table.concat(names, " and "), o.name,
      table.concat(searched, ", "), o.name), "ENOENT"
  end
  local titles, list = titles_of(set, paths[1]:match "^(.*)/"), {}
  for i, path in ipairs(paths) do
    local part, message, code = ratings.new { file = path, levels = set.levels, n_users = set.n_users,
      n_items = set.n_items, name = o.name .. (o.fold and " " .. names[i] or ""), titles = titles }
    if not part then return nil, "movielens: " .. message:gsub("^ratings: ", ""), code end
    list[i] = part
  end
  return table.unpack(list)
end

return movielens
