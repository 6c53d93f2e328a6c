local x <close> = setmetatable({}, { __close = function() print "closed by the end of the state" end })
local y = setmetatable({}, { __gc = function() print "finalized" end })
os.exit(true, true)
