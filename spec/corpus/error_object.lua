local e = setmetatable({}, { __tostring = function() return "rendered by __tostring" end })
error(e)
