-- goto: continue, nested loops, closures in loops.
for i = 1, 5 do
  if i % 2 == 0 then goto continue end
  io.write(i, " ")
  ::continue::
end
print()
for i = 1, 3 do
  for j = 1, 3 do
    if i * j == 4 then goto out end
    io.write(i * j, " ")
  end
end
::out::
print "out"
do
  local k = 0
  local fs = {}
  ::top::
  local x = k
  fs[#fs + 1] = function() return x end
  k = k + 1
  if k < 3 then goto top end
  print(fs[1](), fs[2](), fs[3]())
end
print(load "goto nowhere")
print(load "::a:: ::a::")
print(load "do ::x:: end goto x")
print(load "goto f; local x; ::f:: print(x)")
print(load "break")
print(load "for i = 1, 2 do local function f() break end end")
repeat local done = true until done
while true do break end
