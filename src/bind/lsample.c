/*
** lsample.c - methods of lrn.Core that run chains: gibbs, sample, posterior.
*/
#include "bind/lrbm.h"
#include "lrn_lua.h"

static int core_gibbs(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "gibbs_sampling");
  lrn_tensor *v = lrnB_tensor(L, 2, "gibbs_sampling"), *out[5];
  const lrn_rbm_options *o = lrn_rbm_get_options(c->m);
  int64_t n = lrnB_rows(v);
  lrnB_inference_room(L, c, n);
  for (int i = 0; i < 5; i++)
    out[i] = lrnB_core_output(L, c, n, i < 4 ? o->n_hidden : o->n_visible, "gibbs_sampling");
  LRNB_TRY(L, lrn_rbm_gibbs(c->m, c->w, out[0], out[1], out[2], out[3], out[4], v));
  return 5;
}
/* A new tensor of draws x n x last on the top; without draws, or without a last size, those left out. */
static lrn_tensor *draws_output(lua_State *L, const lrnB_core *c, int dtype, int64_t draws, int64_t n,
                                int64_t last) {
  int64_t size[3] = {draws, n, last};
  int from = draws > 0 ? 0 : 1;
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "sample", lrn_tensor_new(box, dtype, (last > 0 ? 3 : 2) - from, size + from,
                                          lrn_rbm_get_options(c->m)->device));
  lrnB_result(L);
  return *box;
}

/* A field of sample's table: an integer or number, else the default; a tensor or NULL. */
static int64_t integer_field(lua_State *L, int table, const char *name) {
  int64_t value = 0;
  if (lrnB_option(L, table, name) != LUA_TNIL)
    value = lrnB_integer(L, lua_gettop(L), "sample", name);
  lua_settop(L, table);
  return value;
}
static double number_field(lua_State *L, int table, const char *name) {
  double value = 0;
  if (lrnB_option(L, table, name) != LUA_TNIL)
    value = lrnB_number(L, lua_gettop(L), "sample", name);
  lua_settop(L, table);
  return value;
}
static lrn_tensor *tensor_field(lua_State *L, int table, const char *name) {
  lrn_tensor *t = NULL;
  if (lrnB_option(L, table, name) != LUA_TNIL)
    t = lrnB_tensor(L, lua_gettop(L), "sample");
  lua_settop(L, table); /* which keeps the tensor */
  return t;
}

/* sample(n, steps, start or nil, labels or nil [, { burn, thin, temperature, mask, values, replicas, ladder,
   hot }]) -> mean, state, labels of a model that has them; with replicas then swap rates and betas */
static int core_sample(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "sample");
  const lrn_rbm_options *o = lrn_rbm_get_options(c->m);
  lrn_sampling how = {.n = lrnB_integer(L, 2, "sample", "n"),
                      .steps = lrnB_integer(L, 3, "sample", "steps"),
                      .start = lrnB_opt_tensor(L, 4, "sample"),
                      .labels = lrnB_opt_tensor(L, 5, "sample"), .base = LRN_BASE};
  lrn_tensor *mean, *state, *labels;
  int64_t draws;
  lua_settop(L, 6);
  if (lua_istable(L, 6)) {
    how.burn = integer_field(L, 6, "burn");
    how.thin = integer_field(L, 6, "thin");
    how.temperature = number_field(L, 6, "temperature");
    how.mask = tensor_field(L, 6, "mask");
    how.values = tensor_field(L, 6, "values");
    how.replicas = integer_field(L, 6, "replicas");
    how.ladder = tensor_field(L, 6, "ladder");
    how.hot = tensor_field(L, 6, "hot");
  }
  if (how.n < 1)
    return lrnB_raise(L, "value", "sample: n: got %lld, expected an integer >= 1", (long long)how.n);
  lrnB_inference_room(L, c, how.n);
  draws = how.thin > 0 && how.steps >= how.thin ? how.steps / how.thin : 0;
  mean = draws_output(L, c, o->dtype, draws, how.n, o->n_visible);
  state = draws_output(L, c, o->dtype, draws, how.n, o->n_visible);
  labels = o->n_classes > 0 ? draws_output(L, c, LRN_I64, draws, how.n, 0) : NULL;
  if (how.replicas > 1) {
    how.swap_rates = lrnB_doubles(L, 1, how.replicas - 1, 0, "sample");
    how.betas = lrnB_doubles(L, 1, how.replicas, 0, "sample");
  }
  LRNB_TRY(L, lrn_rbm_sample(c->m, c->w, mean, state, labels, &how));
  return (labels != NULL ? 3 : 2) + (how.replicas > 1 ? 2 : 0);
}
/* posterior(n, steps, { burn, mask, values, noisy, flip, noise }) -> mean, std, state */
static int core_posterior(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "posterior");
  int64_t V = lrn_rbm_get_options(c->m)->n_visible;
  lrn_known how = {.n = lrnB_integer(L, 2, "posterior", "n"),
                   .steps = lrnB_integer(L, 3, "posterior", "steps")};
  lrn_tensor *out[3];
  lua_settop(L, 4);
  if (lua_istable(L, 4)) {
    how.burn = integer_field(L, 4, "burn");
    how.mask = tensor_field(L, 4, "mask");
    how.values = tensor_field(L, 4, "values");
    how.noisy = tensor_field(L, 4, "noisy");
    how.flip = number_field(L, 4, "flip");
    how.noise = number_field(L, 4, "noise");
  }
  if (how.n < 1)
    return lrnB_raise(L, "value", "posterior: n: got %lld, expected an integer >= 1", (long long)how.n);
  lrnB_inference_room(L, c, how.n);
  for (int i = 0; i < 3; i++)
    out[i] = lrnB_core_output(L, c, how.n, V, "posterior");
  LRNB_TRY(L, lrn_rbm_posterior(c->m, c->w, out[0], out[1], out[2], &how));
  return 3;
}

const luaL_Reg lrnB_sampling_methods[] = {
  {"gibbs", core_gibbs}, {"sample", core_sample}, {"posterior", core_posterior}, {NULL, NULL}};
