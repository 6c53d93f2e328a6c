--- CIFAR-10, binary version: records of a label (0..9) and 32 x 32 values each of red, green, blue.
local core = require "lrn.core"
local tar = require "lrn.data.tar"

local M = {}

local RECORD = 1 + 3 * 32 * 32
local TESTS = "test_batch.bin"

-- Bytes of the files by their names, from the files or from the archive that has them.
local function sources(names, paths)
  if #paths == #names then
    local files = {}
    for i, path in ipairs(paths) do
      local t, message, code = core.raw_load(path)
      if not t then return nil, message, code end
      files[names[i]] = t
    end
    return files
  end
  local archive, message, code = core.raw_load(paths[1])
  if not archive then return nil, message, code end
  local files
  files, message = tar.files(archive)
  if not files then return nil, ("cifar10: %s: %s"):format(paths[1], message), "EFORMAT" end
  return files
end

-- Images and labels of these files, one behind the other.
local function join(files, list, where)
  local records = {}
  for i, name in ipairs(list) do
    local bytes = files[name]
    if not bytes then return nil, ("cifar10: %s: found no %s"):format(where, name), "EFORMAT" end
    if #bytes == 0 or #bytes % RECORD ~= 0 then
      return nil, ("cifar10: %s: %s: found %d bytes, expected a multiple of %d"):format(where,
        name, #bytes, RECORD), "EFORMAT"
    end
    records[i] = bytes:reshape(#bytes // RECORD, RECORD)
  end
  local images, labels = {}, {}
  for i, r in ipairs(records) do
    images[i], labels[i] = r:narrow(2, 2, RECORD - 1), r:narrow(2, 1, 1)
  end
  return core.cat(images, 1):reshape(-1, 3, 32, 32), core.cat(labels, 1):reshape(-1)
end

--- Images (N x 3 x 32 x 32, uint8) and labels, counted from 0, of training and test.
-- @param row of the catalogue
-- @param paths of the six files, or of the archive
-- @return { images, labels, where } twice; or nil, message, code
function M.read(row, paths)
  local names = row.names[1]
  local files, message, code = sources(names, paths)
  if not files then return nil, message, code end
  local where = #paths == 1 and paths[1] or paths[1]:match "^(.*)/"
  local list = {}
  for _, name in ipairs(names) do
    if name ~= TESTS then list[#list + 1] = name end
  end
  local images, labels
  images, labels, code = join(files, list, where)
  if not images then return nil, labels, code end
  local test_images, test_labels
  test_images, test_labels, code = join(files, { TESTS }, where)
  if not test_images then return nil, test_labels, code end
  return { images, labels, where }, { test_images, test_labels, where }
end

return M
