/*
** ldbm.c - lrn.DeepCore: a deep Boltzmann machine and its workspace behind one userdata, for
** lua/lrn/dbm.lua. Where a method is also one of lrn.Core it has the same name and arguments.
*/
#include <stdio.h>
#include <string.h>

#include "bind/lrbm.h"
#include "model/model.h"

#define CORE "lrn.DeepCore"

typedef struct core {
  lrn_dbm *m;
  lrn_dbm_work *w;
  lrnB_tally tally;
} core;

static core *check_core(lua_State *L, const char *f) {
  core *c = luaL_testudata(L, 1, CORE);
  if (c == NULL)
    lrnB_raise(L, "type", "%s: self: got %s, expected a deep model", f, lrnB_show(L, 1));
  if (c->w == NULL || c->tally.closed)
    lrnB_raise(L, "state", "%s: the model was closed", f);
  return c;
}

static int core_gc(lua_State *L) {
  core *c = luaL_checkudata(L, 1, CORE);
  lrn_dbm_work_free(c->w);
  lrn_dbm_free(c->m);
  c->w = NULL;
  c->m = NULL;
  lrnB_tally_set(&c->tally, 0);
  return 0;
}

static int core_close(lua_State *L) {
  core *c = luaL_testudata(L, 1, CORE);
  if (c == NULL)
    return lrnB_raise(L, "type", "close: got %s, expected a deep model", lrnB_show(L, 1));
  if (lrnB_closes_later(L, &c->tally))
    return 0;
  lrnB_tally_close(&c->tally);
  return core_gc(L);
}

static void count_core(core *c) {
  size_t bytes = lrn_dbm_work_bytes(c->w);
  for (int i = 0; i < lrn_dbm_layers(c->m); i++)
    bytes += lrn_tensor_storage_bytes(lrn_rbm_parameter(lrn_dbm_get_pair(c->m, i), 0, NULL));
  lrnB_tally_set(&c->tally, bytes);
}

/* dbm_new(options, n_hidden: a list) */
static int core_dbm_new(lua_State *L) {
  int64_t n_hidden[LRN_DBM_LAYERS];
  lrn_rbm_options o;
  lua_Integer layers;
  core *c;
  lua_settop(L, 2);
  lrnB_model_options(L, &o, "DBM");
  layers = lrnB_length(L, 2, "DBM", "n_hidden");
  if (layers < 1 || layers > LRN_DBM_LAYERS)
    return lrnB_raise(L, "size", "DBM: n_hidden: got %lld numbers, expected 1 to %d", (long long)layers,
                      LRN_DBM_LAYERS);
  for (lua_Integer i = 0; i < layers; i++) {
    lua_rawgeti(L, 2, i + 1);
    n_hidden[i] = lrnB_integer(L, 3, "DBM", "n_hidden");
    lua_settop(L, 2);
  }
  lrnB_pace(L);
  c = lua_newuserdatauv(L, sizeof *c, 0);
  c->m = NULL;
  c->w = NULL;
  lrnB_tally_begin(L, &c->tally);
  luaL_setmetatable(L, CORE);
  LRNB_TRY_AS(L, "DBM", lrn_dbm_new(&c->m, &o, n_hidden, (int)layers));
  LRNB_TRY(L, lrn_dbm_work_new(&c->w, c->m, 1, 0));
  count_core(c);
  return 1;
}

static int core_get(lua_State *L) {
  return lrnB_push_model_option(L, lrn_dbm_get_options(check_core(L, "get")->m), "DBM");
}

static int core_set(lua_State *L) {
  core *c = check_core(L, "set");
  lrn_rbm_options before = *lrn_dbm_get_options(c->m), o = before;
  int st;
  lrnB_set_model_option(L, &o, "DBM");
  LRNB_TRY_AS(L, "DBM", lrn_dbm_set_options(c->m, &o));
  /* training may be under way, which reserves at its beginning alone */
  st = lrn_dbm_work_reserve(c->w, c->m, lrn_dbm_work_batch(c->w), 0);
  if (st == LRN_ENOMEM) {
    lrnB_collect(L);
    st = lrn_dbm_work_reserve(c->w, c->m, lrn_dbm_work_batch(c->w), 0);
  }
  if (st != LRN_OK) {
    lrn_dbm_set_options(c->m, &before);
    return lrnB_fail(L, st);
  }
  count_core(c);
  return 0;
}

/* units() -> list: of each layer, the visible one first */
static int core_units(lua_State *L) {
  core *c = check_core(L, "units");
  lua_newtable(L);
  for (int l = 0; l <= lrn_dbm_layers(c->m); l++) {
    lua_pushinteger(L, lrn_dbm_units(c->m, l));
    lua_rawseti(L, -2, l + 1);
  }
  return 1;
}

/* {=== Tensors by name: "1.W" === */

static int is_there(const lrn_rbm *pair, const char *name) {
  const char *known;
  for (int i = 0; lrn_rbm_parameter(pair, i, &known) != NULL; i++)
    if (strcmp(known, name) == 0)
      return 1;
  return 0;
}

/* The tensor into the table on the top, as "1.infix.name". */
static void add_tensor(lua_State *L, lrn_tensor *t, int i, const char *infix, const char *name) {
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_alias(box, t));
  lua_pushfstring(L, "%d.%s%s", i + 1, infix, name);
  lua_insert(L, -2);
  lua_rawset(L, -3);
}

typedef lrn_tensor *(*getter)(const lrn_work *w, int i, const char **name);

static void add_buffer(lua_State *L, const core *c, getter get, const char *infix) {
  for (int i = 0; i < lrn_dbm_layers(c->m); i++) {
    const char *name;
    lrn_tensor *t;
    for (int k = 0; (t = get(lrn_dbm_work_pair(c->w, i), k, &name)) != NULL; k++)
      if (is_there(lrn_dbm_get_pair(c->m, i), name))
        add_tensor(L, t, i, infix, name);
  }
}

static void add_parameters(lua_State *L, const core *c) {
  for (int i = 0; i < lrn_dbm_layers(c->m); i++) {
    const char *name;
    lrn_tensor *t;
    for (int k = 0; (t = lrn_rbm_parameter(lrn_dbm_get_pair(c->m, i), k, &name)) != NULL; k++)
      add_tensor(L, t, i, "", name);
  }
}

static int core_parameters(lua_State *L) {
  core *c = check_core(L, "parameters");
  lua_newtable(L);
  add_parameters(L, c);
  return 1;
}

static int core_gradient(lua_State *L) {
  core *c = check_core(L, "gradient");
  lua_newtable(L);
  add_buffer(L, c, lrn_work_gradient, "");
  return 1;
}

/* kept() -> what training goes on from beside the parameters: momentum, second moments, running means,
   chains; empty before it has begun */
static int core_kept(lua_State *L) {
  static const char *const means[LRN_MEANS] = {"mean.v", "mean.h", "mean.sparse", "mean.y"};
  core *c = check_core(L, "kept");
  lua_newtable(L);
  add_buffer(L, c, lrn_work_momentum, "momentum.");
  add_buffer(L, c, lrn_work_second, "second.");
  for (int i = 0; i < lrn_dbm_layers(c->m); i++) {
    const lrn_work *w = lrn_dbm_work_pair(c->w, i);
    if (lrn_work_chain(w) != NULL)
      add_tensor(L, lrn_work_chain(w), i, "chain.", "h");
    for (int k = 0; k < LRN_MEANS; k++)
      if (w->means_begun & 1 << k)
        add_tensor(L, w->mean[k], i, "", means[k]);
  }
  return 1;
}

/* begin_mean(pair, which): that running mean, both counted from 1, has begun */
static int core_begin_mean(lua_State *L) {
  core *c = check_core(L, "begin_mean");
  int64_t pair = lrnB_integer(L, 2, "begin_mean", "pair"), which = lrnB_integer(L, 3, "begin_mean", "which");
  lrn_work *w = lrn_dbm_work_pair(c->w, (int)pair - LRN_BASE);
  if (w == NULL || which < 1 || which > LRN_MEANS || w->mean[which - 1] == NULL)
    return lrnB_raise(L, "value", "begin_mean: got %lld, %lld, expected a pair and a mean of it",
                      (long long)pair, (long long)which);
  w->means_begun |= 1 << (which - 1);
  return 0;
}

static int core_statistics(lua_State *L) {
  return lrnB_push_statistics(L, lrn_dbm_get_pair(check_core(L, "statistics")->m, 0));
}

/* set_statistics(mean, std): float64 vectors on the CPU */
static int core_set_statistics(lua_State *L) {
  core *c = check_core(L, "set_statistics");
  const lrn_tensor *t[2] = {lrnB_tensor(L, 2, "set_statistics"), lrnB_tensor(L, 3, "set_statistics")};
  for (int i = 0; i < 2; i++)
    if (lrn_tensor_dtype(t[i]) != LRN_F64 || lrn_tensor_device(t[i]) != lrn_device_cpu() ||
        !lrn_tensor_is_contiguous(t[i]) || lrn_tensor_numel(t[i]) != lrn_dbm_units(c->m, 0))
      return lrnB_raise(L, "type", "set_statistics: got %s, expected %lld float64 values", lrnB_show(L, i + 2),
                        (long long)lrn_dbm_units(c->m, 0));
  LRNB_TRY(L, lrn_dbm_set_statistics(c->m, lrn_tensor_data(t[0]), lrn_tensor_data(t[1])));
  return 0;
}

/* chain() -> list of the chains' states, a tensor a hidden layer; nothing where there are none */
static int core_chain(lua_State *L) {
  core *c = check_core(L, "chain");
  if (lrn_work_chain(lrn_dbm_work_pair(c->w, 0)) == NULL)
    return 0;
  lua_newtable(L);
  for (int i = 0; i < lrn_dbm_layers(c->m); i++) {
    lrn_tensor **box = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_alias(box, lrn_work_chain(lrn_dbm_work_pair(c->w, i))));
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* negative(layer) -> its rows of the last step's negative phase; 0 is the visible layer */
static int core_negative(lua_State *L) {
  core *c = check_core(L, "negative");
  int64_t layer = lrnB_integer(L, 2, "negative", "layer");
  lrn_tensor **box;
  if (layer < 0 || layer > lrn_dbm_layers(c->m))
    return lrnB_raise(L, "value", "negative: layer: got %lld, expected 0 to %d", (long long)layer,
                      lrn_dbm_layers(c->m));
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_dbm_work_negative(box, c->w, (int)layer));
  return 1;
}

/* ===} */

/* {=== Training === */

/* reserve(batch, train) */
static int core_reserve(lua_State *L) {
  core *c = check_core(L, "fit");
  int64_t batch = lrnB_integer(L, 2, "fit", "batch_size");
  int flags = lua_toboolean(L, 3) ? LRN_WORK_TRAIN : 0;
  lrnB_pace(L);
  LRNB_TRY(L, lrn_dbm_work_reserve(c->w, c->m, batch, flags));
  count_core(c);
  return 0;
}

static int core_prepare(lua_State *L) {
  core *c = check_core(L, "fit");
  lrn_tensor *data = lrnB_tensor(L, 2, "fit");
  int st = lrn_dbm_prepare(c->m, c->w, data);
  if (st == LRN_ENOMEM) {
    lrnB_collect(L);
    st = lrn_dbm_prepare(c->m, c->w, data);
  }
  return lrnB_trained(L, st);
}

static int core_step(lua_State *L) {
  core *c = check_core(L, "fit");
  lrn_batch batch = lrnB_batch(L);
  return lrnB_trained(L, lrn_dbm_step(c->m, c->w, &batch));
}
static int core_compute_gradient(lua_State *L) {
  core *c = check_core(L, "fit");
  lrn_batch batch = lrnB_batch(L);
  return lrnB_trained(L, lrn_dbm_gradient(c->m, c->w, &batch));
}
static int core_update(lua_State *L) {
  core *c = check_core(L, "update");
  LRNB_TRY(L, lrn_dbm_update(c->m, c->w));
  return 0;
}
static int core_state(lua_State *L) {
  return lrnB_push_state(L, lrn_dbm_work_pair(check_core(L, "state")->w, 0));
}
static int core_set_state(lua_State *L) {
  return lrnB_set_state(L, lrn_dbm_work_pair(check_core(L, "set_state")->w, 0));
}
/* end_epoch() -> mse, error */
static int core_end_epoch(lua_State *L) {
  core *c = check_core(L, "end_epoch");
  lrn_state means;
  LRNB_TRY(L, lrn_work_end_epoch(lrn_dbm_work_pair(c->w, 0), &means));
  lua_pushnumber(L, means.mse);
  lua_pushnumber(L, means.error);
  return 2;
}

/* ===} */

/* {=== Inference === */

static lrn_tensor *output(lua_State *L, const core *c, int64_t n, int64_t units, const char *f) {
  return lrnB_model_output(L, lrn_dbm_get_options(c->m), n, units, f);
}

/* A list of n rows of each hidden layer on the top. */
static void outputs(lua_State *L, const core *c, lrn_tensor *layers[], int64_t n, const char *f) {
  lua_newtable(L);
  for (int l = 1; l <= lrn_dbm_layers(c->m); l++) {
    layers[l - 1] = output(L, c, n, lrn_dbm_units(c->m, l), f);
    lua_rawseti(L, -2, l);
  }
}

/* The list of tensors at arg, one a hidden layer. They stay in the list, which nobody else has. */
static void inputs(lua_State *L, int arg, const core *c, lrn_tensor *layers[], const char *f) {
  if (lua_type(L, arg) != LUA_TTABLE)
    lrnB_raise(L, "type", "%s: layers: got %s, expected a list of tensors", f, lrnB_show(L, arg));
  for (int l = 1; l <= lrn_dbm_layers(c->m); l++) {
    lua_rawgeti(L, arg, l);
    layers[l - 1] = lrnB_open_tensor_at(L, -1);
    if (layers[l - 1] == NULL)
      lrnB_raise(L, "type", "%s: layers: got %s for layer %d, expected a tensor", f, lrnB_show(L, -1), l);
    lua_pop(L, 1);
  }
}

static void inference_room(lua_State *L, core *c, int64_t n) {
  LRNB_TRY(L, lrn_dbm_work_reserve(c->w, c->m, lrnB_inference_batch(n), 0));
  count_core(c);
}

/* mean_field(v) -> list of the hidden layers' means, variational free energy */
static int core_mean_field(lua_State *L) {
  core *c = check_core(L, "mean_field");
  lrn_tensor *v = lrnB_tensor(L, 2, "mean_field"), *means[LRN_DBM_LAYERS], *F;
  int64_t n = lrnB_rows(v);
  inference_room(L, c, n);
  outputs(L, c, means, n, "mean_field");
  F = output(L, c, n, 0, "mean_field");
  LRNB_TRY(L, lrn_dbm_infer(c->m, c->w, means, F, v));
  return 2;
}
/* layer_mean(v, layer) -> means of one hidden layer, and nothing else */
static int core_layer_mean(lua_State *L) {
  core *c = check_core(L, "forward");
  lrn_tensor *v = lrnB_tensor(L, 2, "forward"), *means[LRN_DBM_LAYERS] = {NULL};
  int64_t layer = lrnB_integer(L, 3, "forward", "layer"), n = lrnB_rows(v);
  if (layer < 1 || layer > lrn_dbm_layers(c->m))
    return lrnB_raise(L, "value", "forward: layer: got %lld, expected 1 to %d", (long long)layer,
                      lrn_dbm_layers(c->m));
  inference_room(L, c, n);
  means[layer - 1] = output(L, c, n, lrn_dbm_units(c->m, (int)layer), "forward");
  LRNB_TRY_AS(L, "forward", lrn_dbm_infer(c->m, c->w, means, NULL, v));
  return 1;
}
/* free_energy(v) */
static int core_free_energy(lua_State *L) {
  core *c = check_core(L, "energy");
  lrn_tensor *v = lrnB_tensor(L, 2, "energy"), *F;
  int64_t n = lrnB_rows(v);
  inference_room(L, c, n);
  F = output(L, c, n, 0, "energy");
  LRNB_TRY_AS(L, "energy", lrn_dbm_infer(c->m, c->w, NULL, F, v));
  return 1;
}
/* joint_energy(v, layers) */
static int core_joint_energy(lua_State *L) {
  core *c = check_core(L, "energy");
  lrn_tensor *v = lrnB_tensor(L, 2, "energy"), *h[LRN_DBM_LAYERS], *E;
  int64_t n = lrnB_rows(v);
  inputs(L, 3, c, h, "energy");
  inference_room(L, c, n);
  E = output(L, c, n, 0, "energy");
  LRNB_TRY(L, lrn_dbm_energy(c->m, c->w, E, v, h));
  return 1;
}
/* reconstruct_part(v, data, first, mean_field, error sum, sampled sum) -> the two sums */
static int core_reconstruct_part(lua_State *L) {
  core *c = check_core(L, "reconstruct");
  lrn_tensor *v = lrnB_tensor(L, 2, "reconstruct"), *data = lrnB_tensor(L, 3, "reconstruct");
  double total[2] = {luaL_optnumber(L, 6, 0), luaL_optnumber(L, 7, 0)};
  inference_room(L, c, lrnB_rows(data));
  LRNB_TRY(L, lrn_dbm_reconstruct_part(c->m, c->w, total, v, data, lrnB_integer(L, 4, "reconstruct", "first"),
                                       lua_toboolean(L, 5)));
  lua_pushnumber(L, total[0]);
  lua_pushnumber(L, total[1]);
  return 2;
}
/* sample(n, steps, start or nil, hidden layers to start from or nil) -> mean, state, hidden layers */
static int core_sample(lua_State *L) {
  core *c = check_core(L, "sample");
  int64_t n = lrnB_integer(L, 2, "sample", "n"), steps = lrnB_integer(L, 3, "sample", "steps");
  lrn_tensor *start = lrnB_opt_tensor(L, 4, "sample"), *from[LRN_DBM_LAYERS], *to[LRN_DBM_LAYERS], *mean, *state;
  int given;
  lua_settop(L, 5);
  given = !lua_isnil(L, 5);
  if (given)
    inputs(L, 5, c, from, "sample");
  if (n < 1)
    return lrnB_raise(L, "value", "sample: n: got %lld, expected an integer >= 1", (long long)n);
  inference_room(L, c, n);
  mean = output(L, c, n, lrn_dbm_units(c->m, 0), "sample");
  state = output(L, c, n, lrn_dbm_units(c->m, 0), "sample");
  outputs(L, c, to, n, "sample");
  LRNB_TRY(L, lrn_dbm_sample(c->m, c->w, mean, state, to, start, given ? from : NULL, steps));
  return 3;
}

/* ===} */

/* {=== Likelihoods === */

static int core_has_exact(lua_State *L) {
  lua_pushboolean(L, lrn_dbm_has_exact(check_core(L, "log_partition")->m));
  return 1;
}
/* All models that can be made are distributions. */
static int core_check_integrable(lua_State *L) {
  check_core(L, "log_partition");
  return 0;
}
static int core_log_partition(lua_State *L) {
  core *c = check_core(L, "log_partition");
  double z = 0;
  LRNB_TRY(L, lrn_dbm_log_partition(c->m, &z));
  lua_pushnumber(L, z);
  return 1;
}

/* log_marginal(v) -> log p(v) + log Z of each row, exact */
static int core_log_marginal(lua_State *L) {
  core *c = check_core(L, "log_likelihood");
  lrn_tensor *v = lrnB_tensor(L, 2, "log_likelihood");
  lrn_tensor *out = lrnB_doubles(L, 1, lrnB_rows(v), 0, "log_likelihood");
  LRNB_TRY(L, lrn_dbm_log_marginal(c->m, out, v));
  return 1;
}
/* log_likelihood(v, log Z) -> the bound, mean over rows */
static int core_log_likelihood(lua_State *L) {
  core *c = check_core(L, "log_likelihood");
  lrn_tensor *v = lrnB_tensor(L, 2, "log_likelihood");
  double mean = 0, log_z = lrnB_number(L, 3, "log_likelihood", "log_z");
  inference_room(L, c, lrnB_rows(v));
  LRNB_TRY(L, lrn_dbm_log_likelihood_at(c->m, c->w, &mean, v, log_z));
  lua_pushnumber(L, mean);
  return 1;
}
/* base_biases(data) -> n_visible values */
static int core_base_biases(lua_State *L) {
  core *c = check_core(L, "base");
  lrn_tensor *data = lrnB_tensor(L, 2, "base"), *out;
  inference_room(L, c, lrnB_rows(data));
  out = lrnB_doubles(L, 1, lrn_dbm_units(c->m, 0), 0, "base");
  LRNB_TRY(L, lrn_dbm_base_biases(c->m, c->w, out, data));
  return 1;
}
/* anneal(chains, ladder, base or nil, start or nil: { v, h1, h2, ... }) -> what each chain says of log Z */
static int core_anneal(lua_State *L) {
  core *c = check_core(L, "anneal");
  lrn_tensor *ladder, *base, *v = NULL, *h[LRN_DBM_LAYERS], *log_z;
  int64_t n;
  lrnB_anneal_args(L, &n, &ladder, &base);
  lua_settop(L, 5);
  if (!lua_isnil(L, 5)) {
    inputs(L, 5, c, h, "anneal");
    lua_getfield(L, 5, "v");
    v = lrnB_tensor(L, 6, "anneal");
  }
  inference_room(L, c, n);
  log_z = lrnB_doubles(L, 1, n, 0, "anneal");
  LRNB_TRY_AS(L, "anneal", lrn_dbm_anneal(c->m, c->w, log_z, base, lrn_tensor_data(ladder),
                                          lrn_tensor_numel(ladder), v, v != NULL ? h : NULL));
  return 1;
}

/* ===} */

static const luaL_Reg methods[] = {
  {"get", core_get}, {"set", core_set}, {"units", core_units}, {"parameters", core_parameters},
  {"gradient", core_gradient}, {"kept", core_kept}, {"begin_mean", core_begin_mean},
  {"statistics", core_statistics}, {"set_statistics", core_set_statistics}, {"chain", core_chain},
  {"negative", core_negative}, {"reserve", core_reserve}, {"prepare", core_prepare}, {"step", core_step},
  {"compute_gradient", core_compute_gradient}, {"update", core_update}, {"state", core_state},
  {"set_state", core_set_state}, {"end_epoch", core_end_epoch}, {"mean_field", core_mean_field},
  {"layer_mean", core_layer_mean}, {"free_energy", core_free_energy}, {"joint_energy", core_joint_energy},
  {"reconstruct_part", core_reconstruct_part}, {"sample", core_sample}, {"has_exact", core_has_exact},
  {"check_integrable", core_check_integrable}, {"log_partition", core_log_partition},
  {"log_marginal", core_log_marginal}, {"log_likelihood", core_log_likelihood},
  {"base_biases", core_base_biases}, {"anneal", core_anneal}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lrnB_open_dbm(lua_State *L) {
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, core_dbm_new, 1); /* upvalue: the core table, for default_seed */
  lua_setfield(L, -2, "dbm_new");
  lrnB_class(L, CORE, methods, none, core_close, core_gc);
}
