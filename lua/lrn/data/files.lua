--- Where the files of a data set lie, and how they get there.
local core = require "lrn.core"
local fetch = require "lrn.fetch"
local catalogue = require "lrn.data.catalogue"

local M = {}

-- What another folder would not help against.
local NETWORK = { ENETWORK = true, ECHECKSUM = true, EOFFLINE = true, EBUILD = true }

local function env(name)
  local value = os.getenv(name)
  return value and value ~= "" and value or nil
end

--- Folders in which data files are looked for, in order.
-- @param root the caller's own, or nil
function M.folders(root)
  local cache, home = env "XDG_CACHE_HOME", env "HOME"
  local list = {}
  list[#list + 1] = root
  list[#list + 1] = env "LRN_DATA"
  list[#list + 1] = cache and cache .. "/lrn" or home and home .. "/.cache/lrn"
  return list
end

local function below(base, folder)
  return base:gsub("(.)/+$", "%1") .. folder
end

-- Paths of all files of a list, plain or, unless that is all, .gz; nil where one is missing.
local function paths_in(folder, names, plain)
  local paths = {}
  for i, name in ipairs(names) do
    for _, suffix in ipairs { "", not plain and ".gz" or nil } do
      if not paths[i] and core.exists(folder .. "/" .. name .. suffix) then
        paths[i] = folder .. "/" .. name .. suffix
      end
    end
    if not paths[i] then return nil end
  end
  return paths
end

-- The title of another set to which these files belong: sets that came after MNIST took the names
-- of its files. Their last one has the labels of the test.
local function belongs_to(row, paths)
  local path = paths[#paths]
  local labels, digest
  for _, other in pairs(catalogue) do
    if other ~= row and other.names[1][#paths] == row.names[1][#paths] and
      row.names[1] ~= other.names[1] then
      if not digest then
        digest = core.sha256_file(path) or ""
        local t = core.idx_load(path)
        labels = t and t.ndim == 1 and t.dtype == "uint8" and
          table.concat(t:narrow(1, 1, math.min(16, #t)):tolist()) or ""
      end
      local last = other.files[#other.files]
      if digest == last[3] or labels == other.mark then return other.title end
    end
  end
end

--- Paths of a set's files, plain or .gz, in the first folder that has them all.
-- @param root a folder to look in first, or nil
-- @param row of the catalogue, or one like it: folders, names; plain: not .gz
-- @return list of paths; or nil and the folders that were searched, with what spoke against them
function M.find(root, row)
  local searched = {}
  for _, base in ipairs(M.folders(root)) do
    for _, folder in ipairs(row.folders) do
      local place = below(base, folder)
      local whose
      for _, names in ipairs(row.names) do
        local paths = paths_in(place, names, row.plain)
        whose = paths and belongs_to(row, paths)
        if paths and not whose then return paths end
      end
      searched[#searched + 1] = whose and ("%s (which has %s)"):format(place, whose) or place
    end
  end
  return nil, searched
end

-- The mirrors of a file, that which served the last one first.
local function addresses(mirrors, name, first)
  local urls = {}
  if first then urls[1] = first .. name end
  for _, base in ipairs(mirrors) do
    if base ~= first then urls[#urls + 1] = base .. name end
  end
  return urls
end

-- Fetches what is missing of a set into a folder.
local function fetch_into(folder, row, mirrors, options)
  local first
  for _, file in ipairs(row.files) do
    local name, size, sha256 = table.unpack(file)
    local plain = name:gsub("%.gz$", "")
    if not core.exists(folder .. "/" .. name) and not core.exists(folder .. "/" .. plain) then
      local ok, result, code = fetch.fetch(addresses(mirrors, name, first), folder .. "/" .. name,
        { size = size, sha256 = sha256, progress = options.progress })
      if not ok then return nil, result, code, file end
      first = result and result:sub(1, -#name - 1) or first
    end
  end
  return true
end

--- Fetches the files of a set: into root, else into the first of the folders that can be written.
-- @param where begins messages
-- @param row of the catalogue
-- @param options root, mirrors, progress
-- @return true; or nil, message, code
function M.fetch(where, row, options)
  local mirrors = {}
  for i, base in ipairs(options.mirrors or row.mirrors) do mirrors[i] = base:gsub("/*$", "/") end
  local place, message, code, file
  for _, base in ipairs(options.root and { options.root } or M.folders()) do
    place = below(base, row.folders[2])
    local ok
    ok, message, code, file = fetch_into(place, row, mirrors, options)
    if ok then return true end
    if NETWORK[code] then break end
  end
  if not place then
    return nil, where .. ": there is no folder for the files: none of root, LRN_DATA, \z
      XDG_CACHE_HOME, HOME is set", "ENOENT"
  end
  local path = place .. "/" .. file[1]
  message = message:gsub("^fetch: ", "")
  if message:sub(1, #path + 2) == path .. ": " then message = message:sub(#path + 3) end
  return nil, ("%s: %s could not be fetched: %s. Put it there yourself: %s%s as %s (%d bytes, \z
    SHA-256 %s); or name a folder that has it by root or LRN_DATA"):format(where, file[1], message,
    mirrors[1], file[1], path, file[2], file[3]), code
end

return M
