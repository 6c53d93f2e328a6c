std = "lua54"
read_globals = { "lrn" }
max_line_length = 100
exclude_files = { "build" }
files["spec"] = { std = "+busted" }
