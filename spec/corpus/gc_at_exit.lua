-- Errors of finalizers while the state closes are warnings.
warn "@on"
local keep = setmetatable({}, { __gc = function() print "first registered, last run" end })
keep2 = setmetatable({}, { __gc = function() error "at exit" end })
keep3 = setmetatable({}, { __gc = function() error(setmetatable({}, { __tostring = function() return "obj" end })) end })
print "end of the script"
