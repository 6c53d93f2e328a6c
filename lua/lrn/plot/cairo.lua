--- The binding of cairo and pango (src/bind/lcairo.c), opened at first use.
-- @module lrn.plot.cairo

local check = require "lrn.check"

local LIBRARY = "liblrn_plot.so"

local function library_path()
  local path = os.getenv "LRN_PLOT_LIB"
  local core = package.loaded["lrn.core"]
  if path and path ~= "" then return path end
  if type(core) == "table" and core.library_folder then
    return core.library_folder() .. "/" .. LIBRARY
  end
  return nil
end

local function open()
  local path = library_path()
  local opener, message
  if path then
    opener, message = package.loadlib(path, "luaopen_lrn_cairo")
    if opener then return opener("lrn.plot.cairo") end
  end
  return check.raise("build", "plot: %s cannot be opened: built without LRN_PLOT (%s)", LIBRARY,
    message or "no path to look at; LRN_PLOT_LIB may name one")
end

return open()
