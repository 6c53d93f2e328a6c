#!/usr/bin/env lua
print("line", debug.getinfo(1, "l").currentline)
error "on line 3"
