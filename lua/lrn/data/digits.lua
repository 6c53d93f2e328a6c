--- The data set that lrn ships: 1797 scanned digits of 8 x 8 (E. Alpaydin, C. Kaynak 1998, UCI; CC
-- BY 4.0, see DIGITS-LICENSE.md beside this file).
local core = require "lrn.core"
local check = require "lrn.check"
local idx = require "lrn.data.idx"

local TRAIN = 1437 -- the first 1437 of the file's order train, the last 360 test

local function read(name)
  local path = "lrn/data/" .. name
  local bytes = core.embedded(path)
  if not bytes then
    check.raise("build", "digits: %s: this build of lrn has not got the data set", path)
  end
  local t, message = core.idx_parse(bytes, path)
  if not t then check.raise("build", "digits: %s", message) end
  return t
end

--- The training set (1437 images, the first of the file's order) and the test set (the last 360,
-- which other people wrote). uint8 images of 8 x 8, labels 1..10 with classes "0".."9".
-- @return train, test
-- @usage local train, test = lrn.data.digits(); assert(#train == 1437 and #test == 360)
local function digits()
  local images, labels = read "digits-images.idx.gz", read "digits-labels.idx.gz"
  local n = images:size(1)
  local classes = {}
  for i = 1, 10 do classes[i] = tostring(i - 1) end
  local function part(first, count, name)
    return assert(idx.labelled(images:narrow(1, first, count), labels:narrow(1, first, count),
      classes, name, "digits"))
  end
  return part(1, TRAIN, "digits train"), part(TRAIN + 1, n - TRAIN, "digits test")
end

return digits
