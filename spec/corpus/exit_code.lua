io.write "buffered without newline"
setmetatable({}, { __gc = function() print "not run" end })
os.exit(7)
