coroutine.wrap(function() pcall(os.exit, false) end)()
