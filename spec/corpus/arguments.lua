-- arg and ...
print(select("#", ...), ...)
print(#arg, arg[1], arg[2], arg[3], arg[0]:match "[^/]*$")
local low = 0
while arg[low - 1] do low = low - 1 end
print(arg[low])
for i = low + 1, -1 do io.write(arg[i], " ") end
print()
