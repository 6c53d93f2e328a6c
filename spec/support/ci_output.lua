-- Output of busted as scripts/test reads it: the plain terminal's, then a line for each test that
-- failed or was skipped, and "N passed, N failed, N skipped" at the end.
local busted = require "busted"

local function list(label, tests)
  for _, test in ipairs(tests) do
    local why = type(test.message) == "string" and test.message:match("^[^\n]*") or ""
    io.write(label, ": ", test.name or "?", why ~= "" and ": " or "", why, "\n")
  end
end

return function(options)
  local handler = require "busted.outputHandlers.plainTerminal"(options)
  -- Subscribed after plainTerminal, so this runs after it; replacing handler.suiteEnd would not.
  busted.subscribe({ "suite", "end" }, function()
    io.write("\n")
    list("skipped", handler.pendings)
    list("failed", handler.failures)
    list("failed", handler.errors)
    io.write(("%d passed, %d failed, %d skipped\n"):format(handler.successesCount,
      handler.failuresCount + handler.errorsCount, handler.pendingsCount))
    io.flush()
    return nil, true
  end)
  return handler
end
