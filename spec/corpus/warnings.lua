-- warn: off by default, control messages, pieces.
warn "nobody sees this"
warn("in pieces ", "@on")
warn "@on"
warn("one ", "two ", "three")
warn "@unknown"
warn("@off", " is no control message in two pieces")
warn("pieces end in ", "@off")
warn "still on"
warn "@off"
warn "off again"
warn("x", "@on")
warn "is it on?"
print(pcall(warn), pcall(warn, {}), pcall(warn, "a", nil))
