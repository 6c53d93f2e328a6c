/*
** lratings.c - ratings: sorted and read, and the methods of a model of them, for lua/lrn/data/ratings.lua
** and lua/lrn/ratings.lua. Users and items are counted from 1 in arguments and from 0 in what is sorted.
*/
#include "bind/lrbm.h"
#include "lrn_lua.h"

enum { MOST = 256 }; /* levels: more than the engine takes, which says so */

/* The ascending numbers at arg. */
static int read_levels(lua_State *L, int arg, const char *f, double values[MOST]) {
  lua_Integer n = lrnB_length(L, arg, f, "levels");
  for (lua_Integer i = 1; i <= n && i <= MOST; i++) {
    lua_rawgeti(L, arg, i);
    values[i - 1] = lrnB_number(L, lua_gettop(L), f, "levels");
    lua_pop(L, 1);
  }
  return n < MOST ? (int)n : MOST;
}

/* Three empty boxes on the top, and the same once they are filled. */
static void push_three(lua_State *L, lrn_tensor **box[3]) {
  lrnB_pace(L);
  for (int i = 0; i < 3; i++)
    box[i] = lrnB_new_tensor(L);
}
static int take_three(lua_State *L, lrn_tensor **const box[3], lrn_tensor *const out[3]) {
  for (int i = 0; i < 3; i++) {
    *box[i] = out[i];
    lua_pushvalue(L, -3 + i);
    lrnB_result(L);
    lua_pop(L, 1);
  }
  return 3;
}

/* ratings_sort(users, items, ratings, levels, n_users, n_items, keep_last) -> offset, item, level; or
   nil, message where the triplets are at fault */
static int core_ratings_sort(lua_State *L) {
  lrn_tensor *users = lrnB_tensor(L, 1, "ratings"), *items = lrnB_tensor(L, 2, "ratings");
  lrn_tensor *ratings = lrnB_tensor(L, 3, "ratings"), *out[3], **box[3];
  double values[MOST];
  int n_values = read_levels(L, 4, "ratings", values), st;
  int64_t n_users = lrnB_integer(L, 5, "ratings", "n_users"), bad;
  int64_t n_items = lrnB_integer(L, 6, "ratings", "n_items");
  push_three(L, box);
  st = lrn_ratings_sort(out, users, items, ratings, LRN_BASE, n_users, n_items, values, n_values,
                        lua_toboolean(L, 7), &bad);
  if (st == LRN_EVALUE) {
    lua_pushnil(L);
    lua_pushstring(L, lrn_error_message());
    return 2;
  }
  if (st != LRN_OK)
    return lrnB_fail(L, st);
  return take_three(L, box, out);
}

/* ratings_read(path, function) -> users, items, ratings; or nil, message, code */
static int core_ratings_read(lua_State *L) {
  const char *path = lrnB_string(L, 1, "ratings", "path"), *f = luaL_checkstring(L, 2);
  lrn_tensor *out[3], **box[3];
  int st;
  push_three(L, box);
  st = lrn_ratings_read(out, path, f);
  return st == LRN_OK ? take_three(L, box, out) : lrnB_world(L, st);
}

/* ratings_users(offset) -> the user of each rating, int32 */
static int core_ratings_users(lua_State *L) {
  lrn_tensor *offset = lrnB_tensor(L, 1, "ratings"), **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_ratings_users(box, offset, LRN_BASE));
  return lrnB_result(L);
}

/* ratings_totals(id counted from 0, level, n, levels) -> counts, sums */
static int core_ratings_totals(lua_State *L) {
  lrn_tensor *id = lrnB_tensor(L, 1, "ratings"), *level = lrnB_tensor(L, 2, "ratings"), *out[2];
  lrn_tensor **box[2];
  int64_t n = lrnB_integer(L, 3, "ratings", "n");
  double values[MOST];
  int n_values = read_levels(L, 4, "ratings", values);
  for (int i = 0; i < 2; i++)
    box[i] = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_ratings_totals(out, id, level, n, values, n_values));
  *box[0] = out[0];
  *box[1] = out[1];
  return 2;
}

/* (offset, item, level or nil, users or nil, first, count) at arguments 2 to 7 */
static lrn_ratings_batch batch_at(lua_State *L, const char *f) {
  lrn_ratings_batch b = {
    .ratings = {lrnB_tensor(L, 2, f), lrnB_tensor(L, 3, f), lrnB_opt_tensor(L, 4, f)},
    .idx = lrnB_opt_tensor(L, 5, f),
    .base = LRN_BASE,
    .first = lrnB_integer(L, 6, f, "first") - LRN_BASE,
    .count = lrnB_integer(L, 7, f, "count")};
  return b;
}

/* Once more after a full collection, where memory was short. */
#define RETRY(L, st, call)    \
  do {                        \
    st = (call);              \
    if (st == LRN_ENOMEM) {   \
      lrnB_collect(L);        \
      st = (call);            \
    }                         \
  } while (0)

/* ratings_prepare(offset, item, level) */
static int core_ratings_prepare(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "fit");
  lrn_ratings ratings = {lrnB_tensor(L, 2, "fit"), lrnB_tensor(L, 3, "fit"), lrnB_tensor(L, 4, "fit")};
  int st;
  RETRY(L, st, lrn_ratings_prepare(c->m, c->w, &ratings));
  return lrnB_trained(L, st);
}

/* ratings_step(offset, item, level, users, first, count, levels) -> nothing, or message, kind */
static int core_ratings_step(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "fit");
  lrn_ratings_batch batch = batch_at(L, "fit");
  double values[MOST];
  int n = read_levels(L, 8, "fit", values), st;
  if (n != lrn_rbm_get_options(c->m)->visible_categories)
    return lrnB_raise(L, "size", "fit: levels: got %d, expected %lld", n,
                      (long long)lrn_rbm_get_options(c->m)->visible_categories);
  batch.values = values;
  RETRY(L, st, lrn_ratings_step(c->m, c->w, &batch));
  lrnB_count_core(c);
  return lrnB_trained(L, st);
}

/* ratings_gradient(offset, item, level, users, first, count) */
static int core_ratings_gradient(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "gradient");
  lrn_ratings_batch batch = batch_at(L, "gradient");
  int st;
  RETRY(L, st, lrn_ratings_gradient(c->m, c->w, &batch));
  lrnB_count_core(c);
  return lrnB_trained(L, st);
}

/* ratings_negative() -> levels at the end of the last chain, counted from 0 */
static int core_ratings_negative(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "negative");
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_ratings_negative(box, c->w));
  return lrnB_result(L);
}

/* ratings_hidden(offset, item, level, users, first, count) -> hidden means */
static int core_ratings_hidden(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "predict");
  lrn_ratings_batch batch = batch_at(L, "predict");
  lrn_tensor *mean =
    lrnB_core_output(L, c, batch.count, lrn_rbm_get_options(c->m)->n_hidden, "predict");
  LRNB_TRY_AS(L, "predict", lrn_ratings_hidden(c->m, c->w, mean, &batch));
  lrnB_count_core(c);
  return 1;
}

/* ratings_energy(offset, item, level, users, first, count) -> free energies */
static int core_ratings_energy(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "energy");
  lrn_ratings_batch batch = batch_at(L, "energy");
  lrn_tensor *F = lrnB_core_output(L, c, batch.count, 0, "energy");
  LRNB_TRY_AS(L, "energy", lrn_ratings_free_energy(c->m, c->w, F, &batch));
  lrnB_count_core(c);
  return 1;
}

/* ratings_visible(offset, item, nil, users, first, count, h, n) -> n x levels probabilities, n how many
   items the batch has */
static int core_ratings_visible(lua_State *L) {
  lrnB_core *c = lrnB_check_core(L, "predict");
  lrn_ratings_batch batch = batch_at(L, "predict");
  lrn_tensor *h = lrnB_tensor(L, 8, "predict");
  int64_t n = lrnB_integer(L, 9, "predict", "n");
  lrn_tensor *mean =
    lrnB_core_output(L, c, n, lrn_rbm_get_options(c->m)->visible_categories, "predict");
  LRNB_TRY_AS(L, "predict", lrn_ratings_visible(c->m, c->w, mean, h, &batch));
  lrnB_count_core(c);
  return 1;
}

const luaL_Reg lrnB_ratings_methods[] = {
  {"ratings_prepare", core_ratings_prepare}, {"ratings_step", core_ratings_step},
  {"ratings_gradient", core_ratings_gradient}, {"ratings_negative", core_ratings_negative},
  {"ratings_hidden", core_ratings_hidden}, {"ratings_energy", core_ratings_energy},
  {"ratings_visible", core_ratings_visible}, {NULL, NULL}};

static const luaL_Reg functions[] = {
  {"ratings_sort", core_ratings_sort}, {"ratings_read", core_ratings_read},
  {"ratings_users", core_ratings_users}, {"ratings_totals", core_ratings_totals}, {NULL, NULL}};

void lrnB_open_ratings(lua_State *L) { luaL_setfuncs(L, functions, 0); }
