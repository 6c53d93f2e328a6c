error(3.5)
