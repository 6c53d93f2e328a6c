--- Data sets of images by name: found or fetched, and read, after their rows in the catalogue.
local check = require "lrn.check"
local catalogue = require "lrn.data.catalogue"
local files = require "lrn.data.files"
local idx = require "lrn.data.idx"

local M = {}

local rules = { root = { "string" }, download = { "boolean", false },
  mirrors = { "table" }, progress = { "boolean", true } }

local readers = { idx = "lrn.data.idx", cifar = "lrn.data.cifar" }

local function missing(where, row, searched)
  local choices = {}
  for i, names in ipairs(row.names) do choices[i] = table.concat(names, ", ") end
  return ("%s: no folder has all of %s (plain or .gz); looked in %s. Put the files into one of \z
    these, or name their folder by root or LRN_DATA; download = true fetches them"):format(where,
    table.concat(choices, ", or "), #searched > 0 and table.concat(searched, ", ") or
    "none, as neither root nor LRN_DATA nor HOME is set"), "ENOENT"
end

local function check_mirrors(where, mirrors)
  if not mirrors then return end
  local n = #mirrors
  for i = 1, n do
    if type(mirrors[i]) ~= "string" or not mirrors[i]:find "^[Hh][Tt][Tt][Pp][Ss]?://[^%s%c/]" then
      check.raise("value", "%s: mirrors[%d]: got %s, expected http://... or https://...", where, i,
        check.show(mirrors[i]))
    end
  end
  if n == 0 then
    check.raise("value", "%s: mirrors: got an empty list, expected addresses of folders", where)
  end
end

--- The training and the test set that a row describes.
-- @param where begins messages
-- @param row of the catalogue
-- @param options root, download, mirrors, progress
-- @return train, test; or nil, message, code
function M.load(where, row, options)
  local o = check.options(where, options, rules)
  check_mirrors(where, o.mirrors)
  local paths, searched = files.find(o.root, row)
  if not paths and o.download then
    local ok, message, code = files.fetch(where, row, o)
    if not ok then return nil, message, code end
    paths, searched = files.find(o.root, row)
  end
  if not paths then return nil, missing(where, row, searched) end
  local train, test, code = require(readers[row.kind]).read(row, paths)
  if not train then return nil, test, code end
  local sets = {}
  for i, part in ipairs { train, test } do
    local images, labels, from = table.unpack(part)
    local message
    sets[i], message, code = idx.labelled(images, labels, row.classes,
      where .. (i == 1 and " train" or " test"), where .. ": " .. from)
    if not sets[i] then return nil, message, code end
  end
  return sets[1], sets[2]
end

--- The function of a set: `lrn.data.mnist` and its kin.
-- @param name of the row
-- @usage local train, message = lrn.data.mnist(); print(train or message)
function M.loader(name)
  return function(options) return M.load(name, catalogue[name], options) end
end

return M
