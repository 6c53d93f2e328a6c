-- Deep Boltzmann machines in plain Lua: parameters, energies, and sums over all states of all layers.
local lrn = require "lrn"
local core = require "lrn.core"
local exact = dofile "spec/support/exact.lua"

local M = {}

local f64 = { dtype = "float64" }

--- Parameters by name, "1.W" = a table: multiples of 1/32; so few that all states can be listed.
function M.parameters(units, seed, width)
  local u, p = exact.uniform(seed), {}
  for l = 1, #units - 1 do
    local W = {}
    for i = 1, units[l] do W[i] = exact.dyadic(u, units[l + 1], width or 1) end
    p[l .. ".W"] = W
    if l == 1 then p["1.a"] = exact.dyadic(u, units[1], width or 1) end
    p[l .. ".b"] = exact.dyadic(u, units[l + 1], width or 1)
  end
  return p
end

--- The engine's model with these parameters.
function M.model(units, p, options)
  local o = { n_visible = units[1], seed = 5, visible_bias = "zero", mean_field = 3000, tolerance = 1e-13 }
  for key, value in pairs(options or {}) do o[key] = value end
  if o.visible then o.visible_categories = exact.categories(o.visible, units[1]) end
  local c = core.dbm_new(o, table.move(units, 2, #units, 1, {}))
  for name, t in pairs(c:parameters()) do t:copy_(lrn.tensor(p[name], f64)) end
  return c
end

-- E without self energies
function M.energy(p, states)
  local e, a = 0, p["1.a"]
  for i, v in ipairs(states[1]) do e = e - a[i] * v end
  for l = 1, #states - 1 do
    local W, b, below, above = p[l .. ".W"], p[l .. ".b"], states[l], states[l + 1]
    for j, h in ipairs(above) do
      e = e - b[j] * h
      for i, s in ipairs(below) do e = e - s * W[i][j] * h end
    end
  end
  return e
end

--- All joint states of the hidden layers: a list of lists of layers.
function M.hidden_states(units, hidden)
  local all = { {} }
  for l = 2, #units do
    local more = {}
    for _, below in ipairs(all) do
      for _, s in ipairs(exact.states(units[l], hidden)) do
        local one = table.move(below, 1, #below, 1, {})
        one[#one + 1] = s
        more[#more + 1] = one
      end
    end
    all = more
  end
  return all
end

--- log of the sum over hidden states of exp(-E(v, h) / T), self energy of v included.
function M.log_marginal(units, p, v, visible, hidden, T)
  local logs, self = {}, core.unit_map(visible, "self", lrn.tensor(v, f64)):sum()
  for i, h in ipairs(M.hidden_states(units, hidden)) do
    logs[i] = -(M.energy(p, { v, table.unpack(h) }) + self) / T
  end
  return exact.logsumexp(logs)
end

--- log Z: over all states of the visible units, or their integral where they are real.
function M.log_z(units, p, visible, hidden, T)
  local logs = {}
  if exact.kind(visible).discrete then
    for i, v in ipairs(exact.states(units[1], visible)) do
      logs[i] = M.log_marginal(units, p, v, visible, hidden, T)
    end
    return exact.logsumexp(logs)
  end
  local none = {}
  for i = 1, units[1] do none[i] = 0 end
  for i, h in ipairs(M.hidden_states(units, hidden)) do
    local inputs = exact.visible_inputs({ W = p["1.W"], a = p["1.a"], b = p["1.b"] }, h[1])
    logs[i] = (-M.energy(p, { none, table.unpack(h) }) + exact.layer_cumulant(visible, inputs, T)) / T
  end
  return exact.logsumexp(logs)
end

--- The RBM of the layers of even numbers (visible) and of odd ones (hidden), which is the same model where
-- all units are of one kind.
function M.folded(units, p, options)
  local place, n = {}, { 0, 0 }
  for l = 1, #units do
    local side = (l - 1) % 2 + 1
    place[l], n[side] = n[side], n[side] + units[l]
  end
  local q = { W = {}, a = {}, b = {} }
  for i = 1, n[1] do
    q.W[i] = {}
    for j = 1, n[2] do q.W[i][j] = 0 end
  end
  for i, a in ipairs(p["1.a"]) do q.a[i] = a end
  for l = 1, #units - 1 do
    local to = l % 2 == 1 and q.b or q.a
    for j, b in ipairs(p[l .. ".b"]) do to[place[l + 1] + j] = b end
    for i, row in ipairs(p[l .. ".W"]) do
      for j, w in ipairs(row) do
        if l % 2 == 1 then q.W[place[l] + i][place[l + 1] + j] = w
        else q.W[place[l + 1] + j][place[l] + i] = w end
      end
    end
  end
  return exact.model(q, options)
end

M.exact = exact
return M
