-- f(...) raises an error of this kind, whose message matches the pattern.
local assert = require "luassert"

return function(kind, pattern, f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok, "no error: " .. pattern)
  assert.equal(kind, require "lrn".error.kind(e), e)
  assert.matches(pattern, e)
end
