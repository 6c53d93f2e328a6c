print "carriage"
print "returns"
error "x"
