--- The parts of the prompt, for programs that have a console of their own: completion, values as
-- text, and sessions that keep local variables and results.
local M = {}

M.complete = require "lrn.repl.complete".complete
M.inspect = require "lrn.repl.inspect".inspect
M.session = require "lrn.repl.session".new

return M
