-- Does not compile.
local x = 1
if x then
  print "a"
else if
  print "b"
end
