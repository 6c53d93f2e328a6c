local x <close> = setmetatable({}, { __close = function() error "in close at the end" end })
print "body"
