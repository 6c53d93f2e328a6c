os.exit(256 + 3)
