--- lrn: a numerical environment for energy-based machine learning.
-- The table that `require "lrn"` gives: the tensor functions of the engine, and modules that load
-- at first use.
local core = require "lrn.core"

local M = {}

-- What the engine offers to the Lua files of lrn and not to everybody.
local private = {}
for name in ([[
  optimize rbm_new dbm_new rbm_restore file_new file_load file_parse idx_load idx_save idx_parse
  json_encode json_decode permutation ising default_seed clock isatty terminal_size terminal_ask mkdir
  embedded part_open sha256_file raw_load
  exists memory memory_fail raise ops is_tensor error cuda set build version manual_seed
  methods generator_methods library_folder cuda_available
  anneal_summary unit_map unit_sample unit_can_flip unit_grouped unit_has_density units log
  ratings_sort ratings_read ratings_users ratings_totals collector cache]]):gmatch "%S+" do
  private[name] = true
end
for name, value in pairs(core) do
  if not private[name] then M[name] = value end
end

M.version = core.version
M.build = core.build
M.error = core.error
M.memory = core.memory
M.set = core.set
M.is_tensor = core.is_tensor
M.EPSILON = 1e-10

--- Seeds the default generator of lrn and Lua's `math.random`.
-- @usage lrn.manual_seed(1)
function M.manual_seed(seed)
  core.manual_seed(seed)
  math.randomseed(seed)
end

-- Loaded at first use: name in lrn -> module, and field of it where it is one.
local lazy = {
  cli = { "cli" }, cuda = { "cuda" }, data = { "data" }, doctor = { "doctor" }, help = { "help" },
  io = { "io" }, log = { "log" }, math = { "math" }, models = { "models" }, optim = { "optim" },
  plot = { "plot" }, testing = { "testing" }, Model = { "model", "new" },
  progress = { "progress" }, repl = { "repl" }, schedule = { "schedule" }, strict = { "strict" },
  save = { "io", "save" }, load = { "io", "load" }, RBM = { "models", "RBM" },
  DropoutRBM = { "models", "DropoutRBM" }, DropConnectRBM = { "models", "DropConnectRBM" },
  EDropoutRBM = { "models", "EDropoutRBM" }, SigmoidRBM = { "models", "SigmoidRBM" },
  DiscriminativeRBM = { "models", "DiscriminativeRBM" },
  HybridDiscriminativeRBM = { "models", "HybridDiscriminativeRBM" },
  GaussianRBM = { "models", "GaussianRBM" }, GaussianReluRBM = { "models", "GaussianReluRBM" },
  GaussianSeluRBM = { "models", "GaussianSeluRBM" },
  RatingRBM = { "models", "RatingRBM" }, DBM = { "models", "DBM" },
  VarianceGaussianRBM = { "models", "VarianceGaussianRBM" },
}

local meta = { __name = "lrn" }

function meta:__index(key)
  local from = lazy[key]
  if not from then return nil end
  local value = require("lrn." .. from[1])
  if from[2] then value = value[from[2]] end
  rawset(self, key, value)
  return value
end

function meta:__pairs()
  for key in pairs(lazy) do pcall(meta.__index, self, key) end -- a build without plots goes without
  return next, self, nil
end

return setmetatable(M, meta)
