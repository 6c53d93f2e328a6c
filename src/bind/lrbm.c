/*
** lrbm.c - lrn.Core: a model and its workspace behind one userdata. lua/lrn/rbm.lua makes of it
** what users see; here are only calls of lrn.h.
*/
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/lbind.h"
#include "bind/lfile.h"
#include "bind/lrbm.h"
#include "lrn_lua.h"
#include "model/model.h"

#define CORE "lrn.Core"

typedef lrnB_core core;

static core *check_core(lua_State *L, const char *f) { return lrnB_check_core(L, f); }

lrnB_core *lrnB_check_core(lua_State *L, const char *f) {
  core *c = luaL_testudata(L, 1, CORE);
  if (c == NULL)
    lrnB_raise(L, "type", "%s: self: got %s, expected a model", f, lrnB_show(L, 1));
  if (c->m == NULL || c->tally.closed)
    lrnB_raise(L, "state", "%s: the model was closed", f);
  return c;
}

/* What a script calls a model is the table of rbm.lua, with the core in its field _core. */
const lrn_rbm *lrnL_checkrbm(lua_State *L, int arg) {
  core *c = NULL;
  luaL_checkstack(L, 1, NULL);
  if (lua_type(L, arg) == LUA_TTABLE) {
    arg = lua_absindex(L, arg);
    lua_pushliteral(L, "_core");
    lua_rawget(L, arg);
    c = luaL_testudata(L, -1, CORE);
    lua_pop(L, 1);
  }
  if (c == NULL)
    lrnB_raise(L, "type", "model: argument %d: got %s, expected a model", arg, lrnB_show(L, arg));
  if (c->m == NULL || c->tally.closed)
    lrnB_raise(L, "state", "model: argument %d: the model was closed", arg);
  return c->m;
}

static int core_gc(lua_State *L) {
  core *c = luaL_checkudata(L, 1, CORE);
  lrn_work_free(c->w);
  lrn_rbm_free(c->m);
  c->w = NULL;
  c->m = NULL;
  lrnB_tally_set(&c->tally, 0);
  return 0;
}

static int core_close(lua_State *L) {
  core *c = luaL_testudata(L, 1, CORE);
  if (c == NULL)
    return lrnB_raise(L, "type", "close: got %s, expected a model", lrnB_show(L, 1));
  if (lrnB_closes_later(L, &c->tally))
    return 0;
  lrnB_tally_close(&c->tally);
  return core_gc(L);
}

static core *new_core(lua_State *L) {
  core *c;
  lrnB_pace(L);
  c = lua_newuserdatauv(L, sizeof *c, 0);
  c->m = NULL;
  c->w = NULL;
  lrnB_tally_begin(L, &c->tally);
  luaL_setmetatable(L, CORE);
  return c;
}

/* Model and workspace have the sizes that count from now on. */
void lrnB_count_core(lrnB_core *c) {
  const char *name;
  lrnB_tally_set(&c->tally, lrn_tensor_storage_bytes(lrn_rbm_parameter(c->m, 0, &name)) +
                              lrn_work_bytes(c->w));
}

/* {=== Options === */

typedef enum { INTEGER, NUMBER, BOOLEAN, WORDS, UNIT_ROW, DTYPE, DEVICE, SEED } option_kind;
typedef struct option {
  const char *name;
  option_kind kind;
  size_t offset;
  int words;
  const char *word[4];
} option;
#define OPTION(name, kind) {#name, kind, offsetof(lrn_rbm_options, name), 0, {0}},
#define COUNT(name, ...) OPTION(name, INTEGER)
#define REAL(name, ...) OPTION(name, NUMBER)
#define FLAG(name, ...) OPTION(name, BOOLEAN)
#define WORD(name, value, count, ...) \
  {#name, WORDS, offsetof(lrn_rbm_options, name), count, {__VA_ARGS__}},
static const option options[] = {
#include "model/options.def"
  OPTION(visible, UNIT_ROW) OPTION(hidden, UNIT_ROW) OPTION(dtype, DTYPE) OPTION(device, DEVICE)
  OPTION(seed, SEED)
};
#undef COUNT
#undef REAL
#undef FLAG
#undef WORD
enum { OPTIONS = sizeof options / sizeof *options };

static const option *find_option(lua_State *L, const char *name, const char *f) {
  for (int i = 0; i < OPTIONS; i++)
    if (strcmp(options[i].name, name) == 0)
      return &options[i];
  lrnB_raise(L, "argument", "%s: unknown option '%s'", f, name);
  return NULL;
}

static int read_word(lua_State *L, const option *opt, int arg, const char *f) {
  const char *word = lrnB_string(L, arg, f, opt->name);
  luaL_Buffer b;
  for (int i = 0; i < opt->words; i++)
    if (strcmp(word, opt->word[i]) == 0)
      return i;
  luaL_buffinit(L, &b);
  for (int i = 0; i < opt->words; i++) {
    luaL_addstring(&b, i > 0 ? " or '" : "'");
    luaL_addstring(&b, opt->word[i]);
    luaL_addchar(&b, '\'');
  }
  luaL_pushresult(&b);
  return lrnB_raise(L, "value", "%s: %s: got '%s', expected %s", f, opt->name, word,
                    lua_tostring(L, -1));
}

/* The value at arg into its place among the options. */
static void read_option(lua_State *L, lrn_rbm_options *o, const option *opt, int arg, const char *f) {
  char *at = (char *)o + opt->offset;
  switch (opt->kind) {
    case INTEGER: *(int64_t *)(void *)at = lrnB_integer(L, arg, f, opt->name); break;
    case NUMBER: *(double *)(void *)at = lrnB_number(L, arg, f, opt->name); break;
    case SEED: *(uint64_t *)(void *)at = (uint64_t)lrnB_integer(L, arg, f, opt->name); break;
    case UNIT_ROW:
      if (lrn_unit_parse((int *)(void *)at, lrnB_string(L, arg, f, opt->name)) != LRN_OK)
        lrnB_raise(L, "value", "%s: %s: %s", f, opt->name, lrn_error_message());
      break;
    case DTYPE:
      if (lrn_dtype_parse((int *)(void *)at, lrnB_string(L, arg, f, opt->name)) != LRN_OK)
        lrnB_raise(L, "value", "%s: dtype: got %s, expected 'float32' or 'float64'", f,
                   lrnB_show(L, arg));
      break;
    case DEVICE:
      *(const lrn_device **)(void *)at =
        lrnB_open_device(L, lrnB_string(L, arg, f, opt->name), f);
      break;
    case BOOLEAN:
      if (!lua_isboolean(L, arg))
        lrnB_raise(L, "type", "%s: %s: got %s, expected true or false", f, opt->name,
                   lrnB_show(L, arg));
      *(int *)(void *)at = lua_toboolean(L, arg);
      break;
    case WORDS: *(int *)(void *)at = read_word(L, opt, arg, f); break;
  }
}

static void push_option(lua_State *L, const lrn_rbm_options *o, const option *opt) {
  const char *at = (const char *)o + opt->offset;
  switch (opt->kind) {
    case INTEGER: lua_pushinteger(L, *(const int64_t *)(const void *)at); break;
    case NUMBER: lua_pushnumber(L, *(const double *)(const void *)at); break;
    case SEED: lua_pushinteger(L, (lua_Integer) * (const uint64_t *)(const void *)at); break;
    case UNIT_ROW: lua_pushstring(L, lrn_unit_name(*(const int *)(const void *)at)); break;
    case DTYPE: lua_pushstring(L, lrn_dtype_name(*(const int *)(const void *)at)); break;
    case DEVICE:
      lua_pushstring(L, lrn_device_name(*(const lrn_device *const *)(const void *)at));
      break;
    case BOOLEAN: lua_pushboolean(L, *(const int *)(const void *)at); break;
    case WORDS: lua_pushstring(L, opt->word[*(const int *)(const void *)at]); break;
  }
}

void lrnB_model_options(lua_State *L, lrn_rbm_options *o, const char *f) {
  static const char *valid[OPTIONS + 1];
  int top = lua_gettop(L);
  for (int i = 0; i < OPTIONS; i++)
    valid[i] = options[i].name;
  lrnB_options(L, 1, f, valid);
  lrn_rbm_defaults(o);
  o->dtype = lrnB_default_dtype(L) == LRN_F64 ? LRN_F64 : LRN_F32;
  for (int i = 0; i < OPTIONS; i++) {
    if (lrnB_option(L, 1, options[i].name) != LUA_TNIL)
      read_option(L, o, &options[i], top + 1, f);
    else if (options[i].kind == SEED) { /* drawn from the default generator */
      lua_getfield(L, lua_upvalueindex(1), "default_seed");
      lua_call(L, 0, 1);
      o->seed = (uint64_t)lua_tointeger(L, -1);
    }
    lua_settop(L, top);
  }
}

int lrnB_push_model_option(lua_State *L, const lrn_rbm_options *o, const char *f) {
  push_option(L, o, find_option(L, luaL_checkstring(L, 2), f));
  return 1;
}

void lrnB_set_model_option(lua_State *L, lrn_rbm_options *o, const char *f) {
  read_option(L, o, find_option(L, luaL_checkstring(L, 2), f), 3, f);
}

/* rbm_new(options) */
static int core_rbm_new(lua_State *L) {
  lrn_rbm_options o;
  core *c;
  lua_settop(L, 1);
  lrnB_model_options(L, &o, "RBM");
  c = new_core(L);
  LRNB_TRY(L, lrn_rbm_new(&c->m, &o));
  LRNB_TRY(L, lrn_work_new(&c->w, c->m, 1, 0));
  lrnB_count_core(c);
  return 1;
}

static int core_get(lua_State *L) {
  core *c = check_core(L, "get");
  return lrnB_push_model_option(L, lrn_rbm_get_options(c->m), "RBM");
}

static int core_set(lua_State *L) {
  core *c = check_core(L, "set");
  lrn_rbm_options before = *lrn_rbm_get_options(c->m), o = before;
  int st;
  lrnB_set_model_option(L, &o, "RBM");
  LRNB_TRY(L, lrn_rbm_set_options(c->m, &o));
  /* training may be under way, which reserves at its beginning alone */
  st = lrn_work_reserve(c->w, c->m, lrn_work_batch(c->w), 0);
  if (st == LRN_ENOMEM) {
    lrnB_collect(L);
    st = lrn_work_reserve(c->w, c->m, lrn_work_batch(c->w), 0);
  }
  if (st != LRN_OK) {
    lrn_rbm_set_options(c->m, &before);
    return lrnB_fail(L, st);
  }
  lrnB_count_core(c);
  return 0;
}

/* ===} */

/* {=== Parameters and training === */

lrn_tensor *lrnB_doubles(lua_State *L, int nd, int64_t rows, int64_t columns, const char *f) {
  int64_t size[2] = {rows, columns};
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, LRN_F64, nd, size, NULL));
  lrnB_result(L);
  return *box;
}

typedef lrn_tensor *(*getter)(const void *object, int i, const char **name);

/* {W =, a =, b =}: views; nothing where there are none */
static int push_named(lua_State *L, const void *object, getter get) {
  const char *name;
  lua_newtable(L);
  for (int i = 0;; i++) {
    lrn_tensor *t = get(object, i, &name), **box;
    if (t == NULL)
      return i > 0;
    box = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_alias(box, t));
    lua_setfield(L, -2, name);
  }
}
static lrn_tensor *get_parameter(const void *m, int i, const char **name) {
  return lrn_rbm_parameter(m, i, name);
}
static lrn_tensor *get_gradient(const void *w, int i, const char **name) {
  return lrn_work_gradient(w, i, name);
}
static lrn_tensor *get_momentum(const void *w, int i, const char **name) {
  return lrn_work_momentum(w, i, name);
}
static lrn_tensor *get_second(const void *w, int i, const char **name) {
  return lrn_work_second(w, i, name);
}
static int core_parameters(lua_State *L) {
  return push_named(L, check_core(L, "parameters")->m, get_parameter);
}
static int core_gradient(lua_State *L) {
  return push_named(L, check_core(L, "gradient")->w, get_gradient);
}
static int core_momentum(lua_State *L) {
  return push_named(L, check_core(L, "momentum")->w, get_momentum);
}
static int core_second(lua_State *L) {
  return push_named(L, check_core(L, "second")->w, get_second);
}
static lrn_tensor *get_statistic(const void *m, int i, const char **name) {
  return lrn_rbm_statistic(m, i, name);
}
int lrnB_push_statistics(lua_State *L, const lrn_rbm *m) { return push_named(L, m, get_statistic); }
static int core_statistics(lua_State *L) {
  return lrnB_push_statistics(L, check_core(L, "statistics")->m);
}
static int core_mask(lua_State *L) {
  lrn_tensor *t = lrn_work_mask(check_core(L, "mask")->w), **box;
  if (t == NULL)
    return 0;
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_alias(box, t));
  return 1;
}
static lrn_tensor *get_fast(const void *w, int i, const char **name) {
  return lrn_work_fast(w, i, name);
}
static int core_fast(lua_State *L) {
  return push_named(L, check_core(L, "fast")->w, get_fast);
}
/* ladder() -> betas, swap rates, biases at beta = 0; nothing without replicas */
static int core_ladder(lua_State *L) {
  core *c = check_core(L, "swap_rates");
  lrn_tensor *beta = lrn_work_ladder(c->w), *rates;
  lua_settop(L, 1);
  if (beta == NULL)
    return 0;
  LRNB_TRY(L, lrn_tensor_clone(lrnB_new_tensor(L), beta));
  rates = lrnB_doubles(L, 1, lrn_tensor_numel(beta) - 1, 0, "swap_rates");
  LRNB_TRY(L, lrn_work_swap_rates(c->w, lrn_tensor_data(rates)));
  LRNB_TRY(L, lrn_tensor_clone(lrnB_new_tensor(L), lrn_work_base(c->w)));
  return 3;
}
static int core_chain(lua_State *L) {
  lrn_tensor *t = lrn_work_chain(check_core(L, "chain")->w), **box;
  if (t == NULL)
    return 0;
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_alias(box, t));
  return 1;
}
/* negative() -> v-, and the one-hot labels of a model that has them */
static int core_negative(lua_State *L) {
  core *c = check_core(L, "negative");
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_work_negative(box, c->w));
  if (lrn_rbm_get_options(c->m)->n_classes == 0)
    return 1;
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_work_negative_labels(box, c->w));
  return 2;
}

/* reserve(batch, train) */
static int core_reserve(lua_State *L) {
  core *c = check_core(L, "fit");
  int64_t batch = lrnB_integer(L, 2, "fit", "batch_size");
  int flags = lua_toboolean(L, 3) ? LRN_WORK_TRAIN : 0;
  lrnB_pace(L);
  LRNB_TRY(L, lrn_work_reserve(c->w, c->m, batch, flags));
  lrnB_count_core(c);
  return 0;
}

int lrnB_trained(lua_State *L, int st) {
  if (st == LRN_ENUMERIC) {
    lua_pushstring(L, lrn_error_message());
    lua_pushliteral(L, "value");
    return 2;
  }
  return st == LRN_OK ? 0 : lrnB_fail(L, st);
}

static int core_prepare(lua_State *L) {
  core *c = check_core(L, "fit");
  lrn_tensor *data = lrnB_tensor(L, 2, "fit");
  int st = lrn_rbm_prepare(c->m, c->w, data);
  if (st == LRN_ENOMEM) {
    lrnB_collect(L);
    st = lrn_rbm_prepare(c->m, c->w, data);
  }
  return lrnB_trained(L, st);
}

lrn_batch lrnB_batch(lua_State *L) {
  lrn_tensor *data = lrnB_tensor(L, 2, "fit"), *idx = lrnB_opt_tensor(L, 3, "fit");
  int64_t first = lrnB_integer(L, 4, "fit", "first"), count = lrnB_integer(L, 5, "fit", "count");
  if (first < 1)
    lrnB_raise(L, "value", "fit: first: got %lld, expected an integer >= 1", (long long)first);
  return (lrn_batch){.data = data, .idx = idx, .base = LRN_BASE, .first = first - LRN_BASE,
                     .count = count, .labels = lrnB_opt_tensor(L, 6, "fit"),
                     .weights = lrnB_opt_tensor(L, 7, "fit")};
}

/* step(data, index or nil, first, count, labels or nil, weights or nil) -> nothing, or message,
   kind */
static int step_with(lua_State *L, int gradient_only) {
  core *c = check_core(L, "fit");
  lrn_batch batch = lrnB_batch(L);
  return lrnB_trained(L, gradient_only ? lrn_rbm_gradient(c->m, c->w, &batch)
                                       : lrn_rbm_step(c->m, c->w, &batch));
}
static int core_step(lua_State *L) { return step_with(L, 0); }
static int core_compute_gradient(lua_State *L) { return step_with(L, 1); }
static int core_update(lua_State *L) {
  core *c = check_core(L, "update");
  LRNB_TRY(L, lrn_rbm_update(c->m, c->w));
  return 0;
}

static const struct {
  const char *name;
  size_t offset;
  int is_int;
} state_fields[] = {
#define FIELD(name, is_int) {#name, offsetof(lrn_state, name), is_int}
  FIELD(step, 1), FIELD(calls, 1), FIELD(epoch, 1), FIELD(batch, 1), FIELD(samples, 1),
  FIELD(mse, 0), FIELD(error, 0), FIELD(pl, 0), FIELD(loss, 0), FIELD(hits, 0), FIELD(labelled, 0)};
enum { STATE_FIELDS = sizeof state_fields / sizeof *state_fields };

int lrnB_push_state(lua_State *L, const lrn_work *w) {
  lrn_state s;
  lrn_work_get_state(w, &s);
  lua_createtable(L, 0, STATE_FIELDS);
  for (int i = 0; i < STATE_FIELDS; i++) {
    const char *at = (const char *)&s + state_fields[i].offset;
    if (state_fields[i].is_int)
      lua_pushinteger(L, *(const int64_t *)(const void *)at);
    else
      lua_pushnumber(L, *(const double *)(const void *)at);
    lua_setfield(L, -2, state_fields[i].name);
  }
  return 1;
}

int lrnB_set_state(lua_State *L, lrn_work *w) {
  lrn_state s;
  lua_settop(L, 2);
  if (lua_type(L, 2) != LUA_TTABLE)
    return lrnB_raise(L, "type", "set_state: state: got %s, expected a table", lrnB_show(L, 2));
  lrn_work_get_state(w, &s);
  for (int i = 0; i < STATE_FIELDS; i++) {
    char *at = (char *)&s + state_fields[i].offset;
    if (lrnB_option(L, 2, state_fields[i].name) != LUA_TNIL) {
      if (state_fields[i].is_int)
        *(int64_t *)(void *)at = lrnB_integer(L, lua_gettop(L), "set_state", state_fields[i].name);
      else
        *(double *)(void *)at = lrnB_number(L, lua_gettop(L), "set_state", state_fields[i].name);
    }
    lua_settop(L, 2);
  }
  lrn_work_set_state(w, &s);
  return 0;
}

static int core_state(lua_State *L) { return lrnB_push_state(L, check_core(L, "state")->w); }
static int core_set_state(lua_State *L) { return lrnB_set_state(L, check_core(L, "set_state")->w); }

/* end_epoch() -> mse, error, pl (nil where the model has none) */
static int core_end_epoch(lua_State *L) {
  core *c = check_core(L, "end_epoch");
  lrn_state means;
  LRNB_TRY(L, lrn_work_end_epoch(c->w, &means));
  lua_pushnumber(L, means.mse);
  lua_pushnumber(L, means.error);
  if (lrn_unit_can_flip(lrn_rbm_get_options(c->m)->visible) &&
      lrn_rbm_get_options(c->m)->n_classes == 0)
    lua_pushnumber(L, means.pl);
  else
    lua_pushnil(L);
  return 3;
}

/* ===} */

/* {=== Inference === */

int64_t lrnB_rows(const lrn_tensor *v) {
  return lrn_tensor_ndim(v) <= 1 ? 1 : lrn_tensor_size(v, 0);
}

lrn_tensor *lrnB_model_output(lua_State *L, const lrn_rbm_options *o, int64_t n, int64_t units, const char *f) {
  int64_t size[2] = {n, units};
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, o->dtype, units > 0 ? 2 : 1, size, o->device));
  lrnB_result(L);
  return *box;
}

lrn_tensor *lrnB_core_output(lua_State *L, const lrnB_core *c, int64_t n, int64_t units, const char *f) {
  return lrnB_model_output(L, lrn_rbm_get_options(c->m), n, units, f);
}

/* The same for a label a row. */
static lrn_tensor *labels_output(lua_State *L, const core *c, int64_t n, const char *f) {
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, LRN_I64, 1, &n, lrn_rbm_get_options(c->m)->device));
  lrnB_result(L);
  return *box;
}

int64_t lrnB_inference_batch(int64_t n) { return n < 1 ? 1 : n < LRN_INFER_ROWS ? n : LRN_INFER_ROWS; }

void lrnB_inference_room(lua_State *L, lrnB_core *c, int64_t n) {
  LRNB_TRY(L, lrn_work_reserve(c->w, c->m, lrnB_inference_batch(n), 0));
  lrnB_count_core(c);
}

static int core_hidden(lua_State *L) {
  core *c = check_core(L, "hidden_sampling");
  lrn_tensor *v = lrnB_tensor(L, 2, "hidden_sampling");
  int64_t n = lrnB_rows(v), H = lrn_rbm_get_options(c->m)->n_hidden;
  lrn_tensor *mean, *state;
  lrnB_inference_room(L, c, n);
  mean = lrnB_core_output(L, c, n, H, "hidden_sampling");
  state = lrnB_core_output(L, c, n, H, "hidden_sampling");
  LRNB_TRY(L, lrn_rbm_hidden(c->m, c->w, mean, state, v));
  return 2;
}
static int core_hidden_mean(lua_State *L) {
  core *c = check_core(L, "forward");
  lrn_tensor *v = lrnB_tensor(L, 2, "forward"), *mean;
  int64_t n = lrnB_rows(v);
  lrnB_inference_room(L, c, n);
  mean = lrnB_core_output(L, c, n, lrn_rbm_get_options(c->m)->n_hidden, "forward");
  LRNB_TRY_AS(L, "forward", lrn_rbm_forward(c->m, c->w, mean, v));
  return 1;
}
static int core_visible(lua_State *L) {
  core *c = check_core(L, "visible_sampling");
  lrn_tensor *h = lrnB_tensor(L, 2, "visible_sampling"), *mean, *state;
  int64_t n = lrnB_rows(h), V = lrn_rbm_get_options(c->m)->n_visible;
  lrnB_inference_room(L, c, n);
  mean = lrnB_core_output(L, c, n, V, "visible_sampling");
  state = lrnB_core_output(L, c, n, V, "visible_sampling");
  LRNB_TRY(L, lrn_rbm_visible(c->m, c->w, mean, state, h));
  return 2;
}
static int core_free_energy(lua_State *L) {
  core *c = check_core(L, "energy");
  lrn_tensor *v = lrnB_tensor(L, 2, "energy"), *F;
  int64_t n = lrnB_rows(v);
  lrnB_inference_room(L, c, n);
  F = lrnB_core_output(L, c, n, 0, "energy");
  LRNB_TRY(L, lrn_rbm_free_energy(c->m, c->w, F, v));
  return 1;
}
static int core_pseudo_likelihood(lua_State *L) {
  core *c = check_core(L, "pseudo_likelihood");
  lrn_tensor *v = lrnB_tensor(L, 2, "pseudo_likelihood");
  double pl = 0;
  lrnB_inference_room(L, c, lrnB_rows(v));
  LRNB_TRY(L, lrn_rbm_pseudo_likelihood(c->m, c->w, &pl, v));
  lua_pushnumber(L, pl);
  return 1;
}
/* reconstruct_part(v, data, first, mean_field, error sum, sampled sum) -> the two sums; v are rows of
   the result, first counts from 0 */
static int core_reconstruct_part(lua_State *L) {
  core *c = check_core(L, "reconstruct");
  lrn_tensor *v = lrnB_tensor(L, 2, "reconstruct"), *data = lrnB_tensor(L, 3, "reconstruct");
  int64_t first = lrnB_integer(L, 4, "reconstruct", "first");
  int mean_field = lua_toboolean(L, 5);
  double total[2] = {luaL_optnumber(L, 6, 0), luaL_optnumber(L, 7, 0)};
  LRNB_TRY(L, lrn_rbm_reconstruct_part(c->m, c->w, total, v, data, first, mean_field));
  lua_pushnumber(L, total[0]);
  lua_pushnumber(L, total[1]);
  return 2;
}
/* reconstruct(data, mean_field) -> error, v, sampled */
static int core_reconstruct(lua_State *L) {
  core *c = check_core(L, "reconstruct");
  lrn_tensor *data = lrnB_tensor(L, 2, "reconstruct"), *v;
  int mean_field = lua_toboolean(L, 3);
  int64_t n = lrnB_rows(data);
  double error = 0, sampled = 0;
  lrnB_inference_room(L, c, n);
  v = lrnB_core_output(L, c, n, lrn_rbm_get_options(c->m)->n_visible, "reconstruct");
  LRNB_TRY(L, lrn_rbm_reconstruct(c->m, c->w, &error, &sampled, v, data, mean_field));
  lua_pushnumber(L, error);
  lua_insert(L, -2);
  lua_pushnumber(L, sampled);
  return 3;
}
/* classify(v, draw) -> log P(y | v), P(y | v), drawn labels or nothing */
static int core_classify(lua_State *L) {
  core *c = check_core(L, "classify");
  lrn_tensor *v = lrnB_tensor(L, 2, "classify"), *log_p, *p, *drawn;
  int64_t n = lrnB_rows(v), C = lrn_rbm_get_options(c->m)->n_classes;
  int draw = lua_toboolean(L, 3);
  lrnB_inference_room(L, c, n);
  log_p = lrnB_core_output(L, c, n, C, "classify");
  p = lrnB_core_output(L, c, n, C, "classify");
  drawn = draw ? labels_output(L, c, n, "classify") : NULL;
  LRNB_TRY(L, lrn_rbm_classify(c->m, c->w, log_p, p, drawn, LRN_BASE, v));
  return draw ? 3 : 2;
}
/* classify_hidden(h) -> P(y | h), drawn labels */
static int core_classify_hidden(lua_State *L) {
  core *c = check_core(L, "class_sampling");
  lrn_tensor *h = lrnB_tensor(L, 2, "class_sampling"), *p, *drawn;
  int64_t n = lrnB_rows(h);
  lrnB_inference_room(L, c, n);
  p = lrnB_core_output(L, c, n, lrn_rbm_get_options(c->m)->n_classes, "class_sampling");
  drawn = labels_output(L, c, n, "class_sampling");
  LRNB_TRY(L, lrn_rbm_classify_hidden(c->m, c->w, p, drawn, LRN_BASE, h));
  return 2;
}
/* hidden_given(v, labels) -> mean, state */
static int core_hidden_given(lua_State *L) {
  core *c = check_core(L, "hidden_sampling");
  lrn_tensor *v = lrnB_tensor(L, 2, "hidden_sampling"), *mean, *state;
  lrn_tensor *labels = lrnB_tensor(L, 3, "hidden_sampling");
  int64_t n = lrnB_rows(v), H = lrn_rbm_get_options(c->m)->n_hidden;
  lrnB_inference_room(L, c, n);
  mean = lrnB_core_output(L, c, n, H, "hidden_sampling");
  state = lrnB_core_output(L, c, n, H, "hidden_sampling");
  LRNB_TRY(L, lrn_rbm_hidden_given(c->m, c->w, mean, state, v, labels, LRN_BASE));
  return 2;
}
static int core_log_partition(lua_State *L) {
  core *c = check_core(L, "log_partition");
  double z = 0;
  LRNB_TRY(L, lrn_rbm_log_partition(c->m, &z));
  lua_pushnumber(L, z);
  return 1;
}
/* log_likelihood(data, log Z or nil: the exact one) */
static int core_log_likelihood(lua_State *L) {
  core *c = check_core(L, "log_likelihood");
  lrn_tensor *v = lrnB_tensor(L, 2, "log_likelihood");
  int given = !lua_isnoneornil(L, 3);
  double mean = 0, log_z = given ? lrnB_number(L, 3, "log_likelihood", "log_z") : 0;
  LRNB_TRY_AS(L, "log_likelihood", given ? lrn_rbm_log_likelihood_at(c->m, &mean, v, log_z)
                                         : lrn_rbm_log_likelihood(c->m, &mean, v));
  lua_pushnumber(L, mean);
  return 1;
}
static int core_has_exact(lua_State *L) {
  lua_pushboolean(L, lrn_rbm_has_exact(check_core(L, "log_partition")->m));
  return 1;
}

/* check_integrable(function): raises where log Z is not known to be finite */
static int core_check_integrable(lua_State *L) {
  core *c = check_core(L, "log_partition");
  LRNB_TRY_AS(L, lrnB_string(L, 2, "log_partition", "function"), lrn_rbm_check_integrable(c->m));
  return 0;
}

/* moments() -> log Z, E[v h'], E[v], E[h] */
static int core_moments(lua_State *L) {
  core *c = check_core(L, "moments");
  const lrn_rbm_options *o = lrn_rbm_get_options(c->m);
  double log_z = 0;
  lrn_tensor *vh, *v, *h;
  lua_settop(L, 1);
  vh = lrnB_doubles(L, 2, o->n_visible, o->n_hidden, "moments");
  v = lrnB_doubles(L, 1, o->n_visible, 0, "moments");
  h = lrnB_doubles(L, 1, o->n_hidden, 0, "moments");
  LRNB_TRY(L, lrn_rbm_moments(c->m, &log_z, vh, v, h));
  lua_pushnumber(L, log_z);
  lua_insert(L, 2);
  return 4;
}
/* base_biases(data) -> n_visible values */
static int core_base_biases(lua_State *L) {
  core *c = check_core(L, "base");
  lrn_tensor *data = lrnB_tensor(L, 2, "base"), *out;
  lrnB_inference_room(L, c, lrnB_rows(data));
  out = lrnB_doubles(L, 1, lrn_rbm_get_options(c->m)->n_visible, 0, "base");
  LRNB_TRY(L, lrn_rbm_base_biases(c->m, c->w, out, data));
  return 1;
}
void lrnB_anneal_args(lua_State *L, int64_t *chains, lrn_tensor **ladder, lrn_tensor **base) {
  lrn_tensor *t;
  *chains = lrnB_integer(L, 2, "anneal", "chains");
  *ladder = t = lrnB_tensor(L, 3, "anneal");
  *base = lrnB_opt_tensor(L, 4, "anneal");
  if (*chains < 1)
    lrnB_raise(L, "value", "anneal: chains: got %lld, expected an integer >= 1", (long long)*chains);
  if (lrn_tensor_dtype(t) != LRN_F64 || lrn_tensor_device(t) != lrn_device_cpu() ||
      !lrn_tensor_is_contiguous(t))
    lrnB_raise(L, "type", "anneal: ladder: got %s, expected contiguous float64 values on cpu", lrnB_show(L, 3));
}

/* anneal(chains, ladder, base or nil, start or nil) -> what each chain says of log Z */
static int core_anneal(lua_State *L) {
  core *c = check_core(L, "anneal");
  lrn_tensor *ladder, *base, *start, *log_z;
  int64_t n;
  lrnB_anneal_args(L, &n, &ladder, &base);
  start = lrnB_opt_tensor(L, 5, "anneal");
  lrnB_inference_room(L, c, n);
  log_z = lrnB_doubles(L, 1, n, 0, "anneal");
  LRNB_TRY_AS(L, "anneal", lrn_rbm_anneal(c->m, c->w, log_z, base, lrn_tensor_data(ladder),
                                          lrn_tensor_numel(ladder), start));
  return 1;
}
/* anneal_summary(log_z, backwards) -> log Z, its standard error, chains that count, spread */
static int core_anneal_summary(lua_State *L) {
  lrn_annealed s = {0};
  LRNB_TRY(L, lrn_anneal_summary(&s, lrnB_tensor(L, 1, "anneal"), lua_toboolean(L, 2)));
  lua_pushnumber(L, s.log_z);
  lua_pushnumber(L, s.error);
  lua_pushnumber(L, s.effective);
  lua_pushnumber(L, s.spread);
  return 4;
}

/* ===} */

static int core_store(lua_State *L) {
  core *c = check_core(L, "save");
  lrn_file *file = lrnB_check(L, 2, LRNB_FILE, "save");
  LRNB_TRY(L, lrn_rbm_store(file, c->m, c->w));
  return 0;
}

/* rbm_restore(file, device or nil) -> core | nil, message, code */
static int core_rbm_restore(lua_State *L) {
  lrn_file *file = lrnB_check(L, 1, LRNB_FILE, "load");
  const lrn_device *device =
    lua_isnoneornil(L, 2) ? NULL : lrnB_open_device(L, lrnB_string(L, 2, "load", "device"), "load");
  core *c = new_core(L);
  int st = lrn_rbm_restore(&c->m, &c->w, file, device);
  if (st == LRN_ENOMEM) {
    lrnB_collect(L);
    st = lrn_rbm_restore(&c->m, &c->w, file, device);
  }
  if (st == LRN_OK) {
    lrnB_count_core(c);
    return 1;
  }
  /* whatever is wrong with options in a file is a fact about the file */
  if (st == LRN_EVALUE || st == LRN_EARG || st == LRN_ETYPE || st == LRN_ESHAPE) {
    char text[512];
    snprintf(text, sizeof text, "%s", lrn_error_message());
    st = lrn_fail(LRN_EFORMAT, "load: %s", text);
  }
  return lrnB_world(L, st);
}

/* {=== Units, for tests and for those who try a row === */

/* A new tensor of x's shape and kind on the top. */
static lrn_tensor *output_like(lua_State *L, const lrn_tensor *x) {
  int64_t size[LRN_MAXDIM];
  lrn_tensor **out = lrnB_new_tensor(L);
  for (int d = 0; d < lrn_tensor_ndim(x); d++)
    size[d] = lrn_tensor_size(x, d);
  LRNB_TRY(L, lrn_tensor_new(out, lrn_tensor_dtype(x), lrn_tensor_ndim(x), size,
                             lrn_tensor_device(x)));
  lrnB_result(L);
  return *out;
}

/* unit_map(unit, part, x [, temperature]) */
static int core_unit_map(lua_State *L) {
  static const char *const parts[] = {"self", "cumulant", "mean", "nearest", NULL};
  int unit = 0, part = luaL_checkoption(L, 2, NULL, parts);
  lrn_tensor *x = lrnB_tensor(L, 3, "unit_map"), *out;
  double temperature = luaL_optnumber(L, 4, 1);
  LRNB_TRY(L, lrn_unit_parse(&unit, luaL_checkstring(L, 1)));
  out = output_like(L, x);
  LRNB_TRY(L, lrn_unit_map(out, unit, part, x, temperature));
  return 1;
}

/* unit_sample(unit, x, temperature, seed) */
static int core_unit_sample(lua_State *L) {
  int unit = 0;
  lrn_tensor *x = lrnB_tensor(L, 2, "unit_sample"), *out;
  double temperature = luaL_optnumber(L, 3, 1);
  lrn_key key = {(uint64_t)luaL_optinteger(L, 4, 1), 0, LRN_STREAM_USER, 0, 0};
  LRNB_TRY(L, lrn_unit_parse(&unit, luaL_checkstring(L, 1)));
  out = output_like(L, x);
  LRNB_TRY(L, lrn_unit_sample(out, unit, x, temperature, key));
  return 1;
}

static int core_units(lua_State *L) {
  lua_newtable(L);
  for (int u = 0; lrn_unit_name(u) != NULL; u++) {
    lua_pushstring(L, lrn_unit_name(u));
    lua_rawseti(L, -2, u + 1);
  }
  return 1;
}

/* unit_grouped(unit) -> whether units come in groups of categories */
static int core_unit_grouped(lua_State *L) {
  int unit;
  LRNB_TRY(L, lrn_unit_parse(&unit, lrnB_string(L, 1, "unit_grouped", "unit")));
  lua_pushboolean(L, lrn_unit_grouped(unit));
  return 1;
}

/* unit_can_flip(unit) -> whether its states can be counted */
static int core_unit_can_flip(lua_State *L) {
  int unit;
  LRNB_TRY(L, lrn_unit_parse(&unit, lrnB_string(L, 1, "unit_can_flip", "unit")));
  lua_pushboolean(L, lrn_unit_can_flip(unit));
  return 1;
}

/* unit_has_density(unit) */
static int core_unit_has_density(lua_State *L) {
  int unit;
  LRNB_TRY(L, lrn_unit_parse(&unit, lrnB_string(L, 1, "unit_has_density", "unit")));
  lua_pushboolean(L, lrn_unit_has_density(unit));
  return 1;
}

/* ===} */

static const luaL_Reg functions[] = {
  {"rbm_restore", core_rbm_restore}, {"unit_map", core_unit_map},
  {"unit_sample", core_unit_sample}, {"units", core_units},
  {"unit_can_flip", core_unit_can_flip}, {"unit_grouped", core_unit_grouped},
  {"unit_has_density", core_unit_has_density}, {"anneal_summary", core_anneal_summary},
  {NULL, NULL}};
static const luaL_Reg methods[] = {
  {"get", core_get}, {"set", core_set}, {"parameters", core_parameters},
  {"gradient", core_gradient}, {"momentum", core_momentum}, {"second", core_second}, {"chain", core_chain},
  {"fast", core_fast}, {"ladder", core_ladder}, {"mask", core_mask}, {"statistics", core_statistics},
  {"negative", core_negative}, {"reserve", core_reserve}, {"prepare", core_prepare},
  {"step", core_step}, {"compute_gradient", core_compute_gradient}, {"update", core_update},
  {"state", core_state}, {"set_state", core_set_state}, {"end_epoch", core_end_epoch},
  {"hidden", core_hidden}, {"hidden_mean", core_hidden_mean}, {"visible", core_visible},
  {"free_energy", core_free_energy}, {"pseudo_likelihood", core_pseudo_likelihood},
  {"reconstruct", core_reconstruct}, {"reconstruct_part", core_reconstruct_part},
  {"classify", core_classify}, {"classify_hidden", core_classify_hidden},
  {"hidden_given", core_hidden_given},
  {"log_partition", core_log_partition}, {"log_likelihood", core_log_likelihood},
  {"has_exact", core_has_exact}, {"moments", core_moments}, {"base_biases", core_base_biases},
  {"anneal", core_anneal}, {"check_integrable", core_check_integrable},
  {"store", core_store}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lrnB_open_rbm(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, core_rbm_new, 1); /* upvalue: the core table, for default_seed */
  lua_setfield(L, -2, "rbm_new");
  lrnB_class(L, CORE, methods, none, core_close, core_gc);
  luaL_getmetatable(L, CORE);
  lua_getfield(L, -1, "__index");
  luaL_setfuncs(L, lrnB_sampling_methods, 0);
  luaL_setfuncs(L, lrnB_ratings_methods, 0);
  lua_pop(L, 2);
}
