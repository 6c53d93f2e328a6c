/*
** lrandom.c - random tensors and generators. A generator is a seed and a count of calls; each call
** is one draw of stream `user`, step = that count, so that its numbers do not depend on what was
** drawn before in how many pieces.
*/
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bind/lbind.h"

#define GENERATOR "lrn.Generator"

typedef struct generator {
  uint64_t seed, step;
} generator;

static const char default_key = 'g'; /* registry: the state's default generator */

static generator *new_generator(lua_State *L, uint64_t seed) {
  generator *g = lua_newuserdatauv(L, sizeof *g, 0);
  g->seed = seed;
  g->step = 0;
  luaL_setmetatable(L, GENERATOR);
  return g;
}

static generator *default_generator(lua_State *L) {
  generator *g;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &default_key);
  g = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return g;
}

static lrn_key next_key(generator *g) {
  lrn_key key = {g->seed, g->step++, LRN_STREAM_USER, 0, 0};
  return key;
}
lrn_key lrnB_next_key(lua_State *L) { return next_key(default_generator(L)); }

static int core_manual_seed(lua_State *L) {
  generator *g = default_generator(L);
  g->seed = (uint64_t)lrnB_integer(L, 1, "manual_seed", "seed");
  g->step = 0;
  return 0;
}

/* default_seed() -> 53 random bits of the default generator, for a model without a seed */
static int core_default_seed(lua_State *L) {
  int64_t one = 1, zero = 0, v = 0;
  lrn_tensor **t = lrnB_new_tensor(L);
  lrn_key key = lrnB_next_key(L);
  LRNB_TRY(L, lrn_tensor_new(t, LRN_I64, 1, &one, NULL));
  LRNB_TRY(L, lrn_random(*t, LRN_INTEGER, 0, 0x1p53 - 1, key));
  LRNB_TRY(L, lrn_tensor_get_int(&v, *t, &zero));
  lua_pushinteger(L, v);
  return 1;
}

static const char *const options_valid[] = {"dtype", "device", "generator", NULL};

/* The generator that options.generator names, or the default. */
static generator *generator_option(lua_State *L, int arg, const char *f) {
  generator *g = default_generator(L);
  if (lrnB_option(L, arg, "generator") != LUA_TNIL) {
    g = luaL_testudata(L, -1, GENERATOR);
    if (g == NULL)
      lrnB_raise(L, "type", "%s: generator: got %s, expected one of lrn.generator", f,
                 lrnB_show(L, lua_gettop(L)));
    lua_pop(L, 1);
  }
  return g;
}

/* Sizes at `sizes` (and options behind them), or a list at `sizes`. from, to: of integers. */
static int random_of(lua_State *L, int sizes, int dtype, int dist, int64_t from, int64_t to,
                     const char *f) {
  int64_t size[LRN_MAXDIM];
  int options, nd = lrnB_sizes(L, sizes, size, &options, f);
  const lrn_device *device;
  generator *g;
  lrn_tensor **t;
  lrn_key key;
  lrnB_options(L, options, f, options_valid);
  dtype = lrnB_dtype_option(L, options, dtype, f);
  device = lrnB_device_option(L, options, NULL, f);
  g = generator_option(L, options, f);
  t = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(t, dtype, nd, size, device));
  key = next_key(g);
  LRNB_TRY_AS(L, f, dist == LRN_INTEGER ? lrn_random_integer(*t, from, to, key)
                                        : lrn_random(*t, dist, 0, 1, key));
  return lrnB_result(L);
}
static int core_rand(lua_State *L) {
  return random_of(L, 1, lrnB_default_dtype(L), LRN_UNIFORM, 0, 0, "rand");
}
static int core_randn(lua_State *L) {
  return random_of(L, 1, lrnB_default_dtype(L), LRN_NORMAL, 0, 0, "randn");
}
static int core_randint(lua_State *L) {
  int64_t from = lrnB_integer(L, 1, "randint", "from"), to = lrnB_integer(L, 2, "randint", "to");
  return random_of(L, 3, LRN_I64, LRN_INTEGER, from, to, "randint");
}

static int tensor_bernoulli(lua_State *L) {
  static const char *const valid[] = {"dtype", "generator", NULL}; /* the device is p's */
  lrn_tensor *p = lrnB_tensor(L, 1, "bernoulli"), **t;
  int64_t size[LRN_MAXDIM];
  generator *g;
  lrn_key key;
  int dtype;
  lrnB_options(L, 2, "bernoulli", valid);
  dtype = lrnB_dtype_option(L, 2, lrn_tensor_dtype(p), "bernoulli");
  g = generator_option(L, 2, "bernoulli");
  for (int d = 0; d < lrn_tensor_ndim(p); d++)
    size[d] = lrn_tensor_size(p, d);
  t = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_new(t, dtype, lrn_tensor_ndim(p), size, lrn_tensor_device(p)));
  key = next_key(g);
  LRNB_TRY_AS(L, "bernoulli", lrn_random_bernoulli(*t, p, key));
  return lrnB_result(L);
}

static int permuted(lua_State *L, int64_t n, lrn_key key, const char *f) {
  lrn_tensor **t;
  if (n < 0)
    return lrnB_raise(L, "value", "%s: n: got %lld, expected an integer >= 0", f, (long long)n);
  t = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(t, LRN_I64, 1, &n, NULL));
  LRNB_TRY(L, lrn_permutation(*t, LRN_BASE, key));
  return lrnB_result(L);
}
static int core_randperm(lua_State *L) {
  static const char *const valid[] = {"generator", NULL};
  int64_t n = lrnB_integer(L, 1, "randperm", "n");
  generator *g;
  lrnB_options(L, 2, "randperm", valid);
  g = generator_option(L, 2, "randperm");
  return permuted(L, n, next_key(g), "randperm");
}
/* permutation(n, seed, epoch): stream `shuffle` */
static int core_permutation(lua_State *L) {
  lrn_key key = {(uint64_t)lrnB_integer(L, 2, "permutation", "seed"),
                 (uint64_t)lrnB_integer(L, 3, "permutation", "epoch"), LRN_STREAM_SHUFFLE, 0, 0};
  return permuted(L, lrnB_integer(L, 1, "permutation", "n"), key, "permutation");
}

/* ising(n, side, temperature, sweeps, seed) -> uint8 of n x side x side */
static int core_ising(lua_State *L) {
  int64_t size[3] = {lrnB_integer(L, 1, "ising", "n"), lrnB_integer(L, 2, "ising", "side"), 0};
  double temperature = lrnB_number(L, 3, "ising", "temperature");
  int64_t sweeps = lrnB_integer(L, 4, "ising", "sweeps");
  lrn_key key = {(uint64_t)lrnB_integer(L, 5, "ising", "seed"), 0, LRN_STREAM_USER, 0, 0};
  lrn_tensor **t = lrnB_new_tensor(L);
  size[2] = size[1];
  LRNB_TRY_AS(L, "ising", lrn_tensor_new(t, LRN_U8, 3, size, NULL));
  LRNB_TRY(L, lrn_ising(*t, temperature, sweeps, key));
  return lrnB_result(L);
}

/* {=== Generators === */

static generator *check_generator(lua_State *L, const char *f) {
  generator *g = luaL_testudata(L, 1, GENERATOR);
  if (g == NULL)
    lrnB_raise(L, "type", "%s: got %s, expected a generator", f, lrnB_show(L, 1));
  return g;
}
static int core_generator(lua_State *L) {
  new_generator(L, (uint64_t)lrnB_integer(L, 1, "generator", "seed"));
  return 1;
}
static int generator_state(lua_State *L) {
  generator *g = check_generator(L, "state");
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, (lua_Integer)g->seed);
  lua_setfield(L, -2, "seed");
  lua_pushinteger(L, (lua_Integer)g->step);
  lua_setfield(L, -2, "step");
  return 1;
}
static int generator_set_state(lua_State *L) {
  generator *g = check_generator(L, "set_state");
  static const char *const valid[] = {"seed", "step", NULL};
  int64_t seed, step;
  lua_settop(L, 2);
  if (lua_isnil(L, 2))
    return lrnB_raise(L, "type", "set_state: state: got nil, expected a table of seed and step");
  lrnB_options(L, 2, "set_state", valid);
  if (lrnB_option(L, 2, "seed") == LUA_TNIL)
    lua_pushnil(L);
  seed = lrnB_integer(L, lua_gettop(L), "set_state", "seed");
  if (lrnB_option(L, 2, "step") == LUA_TNIL)
    lua_pushnil(L);
  step = lrnB_integer(L, lua_gettop(L), "set_state", "step");
  if (step < 0)
    return lrnB_raise(L, "value", "set_state: step: got %lld, expected an integer >= 0",
                      (long long)step);
  g->seed = (uint64_t)seed;
  g->step = (uint64_t)step;
  lua_settop(L, 1);
  return 1;
}
/* split(n) -> n generators with seeds drawn from this one */
static int generator_split(lua_State *L) {
  generator *g = check_generator(L, "split");
  int64_t n = lrnB_integer(L, 2, "split", "n");
  lrn_tensor **t;
  lrn_key key;
  if (n < 1 || n > 10000)
    return lrnB_raise(L, "value", "split: n: got %lld, expected 1 to 10000", (long long)n);
  luaL_checkstack(L, (int)n + 4, "split");
  t = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_new(t, LRN_I64, 1, &n, NULL));
  key = next_key(g);
  LRNB_TRY(L, lrn_random(*t, LRN_INTEGER, 0, 0x1p53 - 1, key));
  for (int64_t i = 0; i < n; i++)
    new_generator(L, (uint64_t)((int64_t *)lrn_tensor_data(*t))[i]);
  return (int)n;
}
static int generator_tostring(lua_State *L) {
  generator *g = check_generator(L, "tostring");
  char text[96];
  snprintf(text, sizeof text, "generator (seed %llu, %llu calls)", (unsigned long long)g->seed,
           (unsigned long long)g->step);
  lua_pushstring(L, text);
  return 1;
}

/* ===} */

static const luaL_Reg functions[] = {
  {"rand", core_rand}, {"randn", core_randn}, {"randint", core_randint},
  {"randperm", core_randperm}, {"permutation", core_permutation}, {"ising", core_ising}, {"generator", core_generator},
  {"manual_seed", core_manual_seed}, {"default_seed", core_default_seed}, {NULL, NULL}};
static const luaL_Reg both[] = {{"bernoulli", tensor_bernoulli}, {NULL, NULL}};
static const luaL_Reg generator_methods[] = {
  {"state", generator_state}, {"set_state", generator_set_state}, {"split", generator_split},
  {NULL, NULL}};

void lrnB_open_random(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lrnB_tensor_functions(L, both);
  luaL_newmetatable(L, GENERATOR);
  lua_pushcfunction(L, generator_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_newtable(L);
  luaL_setfuncs(L, generator_methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "generator_methods"); /* core */
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  /* unseeded: differs from run to run, as math.random does in Lua 5.4 */
  new_generator(L, (uint64_t)time(NULL) * 0x9E3779B97F4A7C15u ^ (uint64_t)(uintptr_t)L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &default_key);
}
