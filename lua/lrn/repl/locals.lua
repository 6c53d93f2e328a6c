--- Local variables that outlive their input.
--
-- An input that declares locals outside of blocks gets a closure over them as its first result:
--
--     local n = 0 function inc() n = n + 1 end
--     return function() return n end
--
-- and an input that names some of them becomes the body of a function in whose scope they are:
--
--     local n = ... return function(...)
--     inc() print(n)
--     end
--
-- whose upvalues are joined with the closure's. So it is the same variable, as if all inputs were
-- one chunk: functions that share it go on sharing it, and a second `local n` is another variable.
-- A constant, which may have no upvalue, is passed by value. Of an input that fails the locals that
-- were set are kept by value.
local lex = require "lrn.repl.lex"
local stack = require "lrn.repl.stack"

local concat, pack, unpack, sort = table.concat, table.pack, table.unpack, table.sort
local ipairs, load, next, select, setmetatable, type = ipairs, load, next, select, setmetatable,
  type
local getlocal, getupvalue, upvaluejoin = debug.getlocal, debug.getupvalue, debug.upvaluejoin

local M = {}
local Scope = {}
Scope.__index = Scope

local CHUNK = "=stdin"
local MANY = 180 -- Lua allows 200 local variables

--- A scope: what inputs have declared.
function M.new(env)
  return setmetatable({ env = env, cells = {} }, Scope)
end

-- What a chunk declares at its outermost level: `{ name, attribute }` in order; and its return.
local function declared(tokens)
  local list, depth, at_return, i = {}, 0, nil, 1
  local function text(k) return tokens[k] and tokens[k].text end
  while i <= #tokens do
    local token = tokens[i]
    if token.kind == "keyword" then
      local word = token.text
      if word == "function" or word == "if" or word == "do" or word == "repeat" then
        depth = depth + 1
      elseif word == "end" or word == "until" then
        depth = depth - 1
      elseif depth == 0 and word == "return" then
        at_return = i
      elseif depth == 0 and word == "local" then
        if text(i + 1) == "function" then
          list[#list + 1] = { text(i + 2) }
        else
          repeat
            local name, attribute = text(i + 1), nil
            i = i + 1
            if text(i + 1) == "<" then
              attribute = text(i + 2)
              i = i + 3
            end
            list[#list + 1] = { name, attribute }
            i = i + 1
          until text(i) ~= ","
          i = i - 1
        end
      end
    end
    i = i + 1
  end
  return list, at_return
end

-- The source that also returns a closure over the names.
local function capturing(text, tokens, at_return, names)
  local names_text = concat(names, ", ")
  local capture = "return function() return " .. names_text .. " end"
  if not at_return then return text .. "\n" .. capture end
  local token, after = tokens[at_return], tokens[at_return + 1]
  local nothing = not after or after.text == ";"
  return text:sub(1, token.from - 1) .. capture .. (nothing and "" or ",") .. text:sub(token.to + 1)
end

local function cell_of(value)
  return function() return value end
end

--- Gives a variable of that name a value; later inputs see it, closures over an older one do not.
function Scope:set(name, value)
  self.cells[name] = { f = cell_of(value), index = 1 }
end

--- The value of a variable, and whether there is one.
function Scope:get(name)
  local cell = self.cells[name]
  if not cell then return nil, false end
  local _, value = getupvalue(cell.f, cell.index)
  return value, true
end

--- The names, sorted.
function Scope:names()
  local list = {}
  for name in next, self.cells do list[#list + 1] = name end
  sort(list)
  return list
end

-- The text as a function with the variables that it names in scope; nil and a message where that is
-- no code: it assigns to a constant.
local function inside(self, text, used)
  local list, values = {}, {}
  for i, name in ipairs(used) do
    local cell = self.cells[name]
    list[i] = name .. (cell.const and " <const>" or "")
    if cell.const then values[i] = self:get(name) end
  end
  local outer, message = load(("local %s = ... return function(...) %s\nend"):format(
    concat(list, ", "), text), CHUNK, "t", self.env)
  if not outer then return nil, message end
  local f = outer(unpack(values, 1, #used))
  local i, name = 1, getupvalue(f, 1)
  while name do
    local cell = self.cells[name]
    if cell and not cell.const then upvaluejoin(f, i, cell.f, cell.index) end
    i = i + 1
    name = getupvalue(f, i)
  end
  return f
end

local function keep(self, list, capture)
  local position = {}
  local i, name = 1, getupvalue(capture, 1)
  while name do
    position[name] = i
    i = i + 1
    name = getupvalue(capture, i)
  end
  local values = pack(capture())
  local kept = {}
  for _, entry in ipairs(list) do kept[entry[1]] = entry end -- the last one of a name counts
  for k, keeping in ipairs(list.names) do
    local const = kept[keeping][2] == "const"
    if const or not position[keeping] then
      self.cells[keeping] = { f = cell_of(values[k]), index = 1, const = const }
    else
      self.cells[keeping] = { f = capture, index = position[keeping] }
    end
  end
end

-- Locals of a function that failed, from where its message handler is called.
local function keep_failed(self, list, f)
  local level = stack.find(f)
  if not level then return end
  local k, i = 1, 1
  while true do
    local name, value = getlocal(level, i)
    if not name then return end
    local at = k
    while list[at] and list[at][1] ~= name and list[at][2] == "const" do at = at + 1 end
    if not list[at] or list[at][1] ~= name then return end -- a block's
    if list[at][2] ~= "close" and name ~= "_ENV" then
      self.cells[name] = { f = cell_of(value), index = 1, const = list[at][2] == "const" }
    end
    k, i = at + 1, i + 1
  end
end

-- Does a message say that a text ends too early? A string in quotes may go on in another line only
-- after a backslash.
local function is_incomplete(message, text)
  return type(message) == "string" and message:sub(-5) == "<eof>" and
    (not message:find "unfinished string near <eof>$" or text:find "\\z?%s*$" ~= nil)
end

--- Compiles an input; an expression as `return nil, expression`, which is no tail call, so that its
-- errors have a position.
-- @return a table `{ f =, finish =, failed = }`: the function to call; `finish(...)`, which takes
-- what it returned, keeps its locals and gives what the input returned; and `failed()`, to be
-- called by the message handler of an error. Or nil, the message, and whether more text is missing.
function Scope:compile(text)
  local tokens = {}
  for _, token in ipairs(lex.tokens(text)) do
    if token.kind ~= "comment" then tokens[#tokens + 1] = token end
  end
  local source, f, message = "return nil, " .. text, nil, nil
  if #tokens > 0 then f, message = load(source, CHUNK, "t", self.env) end
  local expression, wanted = f ~= nil, message
  if not f then
    source = text
    f, message = load(source, CHUNK, "t", self.env)
    if not f then
      if is_incomplete(wanted, text) then message = wanted end -- "{ 1," is no statement
      return nil, message, is_incomplete(message, text)
    end
  end
  local list, at_return = declared(tokens)
  local names, used, seen = {}, {}, {}
  for i = #list, 1, -1 do
    local name = list[i][1]
    if not seen[name] and list[i][2] ~= "close" and name ~= "_ENV" then
      names[#names + 1] = name
    end
    seen[name] = true
  end
  list.names = names
  seen = {}
  for _, token in ipairs(tokens) do
    local name = token.text
    if token.kind == "name" and self.cells[name] and not seen[name] then
      seen[name] = true
      used[#used + 1] = name
    end
  end
  -- Where the longer code is none (a goto over a local, too many locals), the shorter one runs.
  local captures = #names > 0 and #names <= MANY
  local longer = captures and capturing(source, tokens, at_return, names) or source
  local g
  if #used > 0 and #used <= MANY then
    g, message = inside(self, longer, used)
    if not g and captures then
      captures = false
      g, message = inside(self, source, used)
    end
    if not g then return nil, message, false end
  elseif captures then
    g = load(longer, CHUNK, "t", self.env)
  end
  if not g then g, captures = f, false end
  return { f = g,
    finish = function(...)
      if captures then keep(self, list, (...)) end
      if captures or expression then return select(2, ...) end
      return ...
    end,
    failed = function()
      if captures then keep_failed(self, list, g) end
    end }
end

return M
