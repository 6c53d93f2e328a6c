-- A program: classes with inheritance, a queue, memoisation, a parser of arithmetic.
local Account = {}
Account.__index = Account
function Account.new(b) return setmetatable({ balance = b }, Account) end
function Account:deposit(v) self.balance = self.balance + v return self end
function Account:withdraw(v)
  if v > self.balance then error("insufficient funds", 2) end
  self.balance = self.balance - v
  return self
end
local Special = setmetatable({}, { __index = Account })
Special.__index = Special
function Special.new(b, limit) local o = Account.new(b) o.limit = limit return setmetatable(o, Special) end
function Special:withdraw(v)
  if v - self.balance >= self.limit then error("over the limit", 2) end
  self.balance = self.balance - v
  return self
end
print(Account.new(10):deposit(5):withdraw(3).balance, Special.new(10, 100):withdraw(50).balance)
print(pcall(function() Account.new(1):withdraw(2) end))
print(pcall(function() Special.new(1, 1):withdraw(2) end))
local memo = setmetatable({}, { __mode = "kv" })
local function fact(n) if n <= 1 then return 1 end memo[n] = memo[n] or n * fact(n - 1) return memo[n] end
print(fact(20), fact(21), fact(25.0))
local function eval(s)
  local at = 1
  local expr
  local function atom()
    at = s:find("%S", at)
    if s:sub(at, at) == "(" then at = at + 1 local v = expr(1) at = s:find("%)", at) + 1 return v end
    local n = s:match("^%-?%d+%.?%d*", at)
    at = at + #n
    return math.tointeger(n) or tonumber(n)
  end
  local levels = { { "+", "-" }, { "*", "/", "%" }, { "^" } }
  local ops = { ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end,
    ["*"] = function(a, b) return a * b end, ["/"] = function(a, b) return a / b end,
    ["%"] = function(a, b) return a % b end, ["^"] = function(a, b) return a ^ b end }
  function expr(l)
    if l > #levels then return atom() end
    local v = expr(l + 1)
    while true do
      local p, op = s:match("^%s*()([%+%-%*/%%%^])", at)
      local mine = false
      for _, o in ipairs(levels[l]) do mine = mine or o == op end
      if not mine then return v end
      at = p + 1
      v = ops[op](v, expr(l == 3 and l or l + 1))
    end
  end
  return expr(1)
end
print(eval "1 + 2 * 3", eval "(1 + 2) * 3 - 4 / 2", eval "2 ^ 3 ^ 2", eval "-7 % 3", eval "10 - 3 - 2")
