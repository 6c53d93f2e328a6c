/*
** lmake.c - new tensors: from sizes, ladders of numbers, Lua values and functions.
*/
#include <math.h>
#include <string.h>

#include "bind/lbind.h"

#define T1(f) lrn_tensor *t = lrnB_tensor(L, 1, f)

const char *const lrnB_place[] = {"dtype", "device", NULL};

static const char default_dtype_key = 'd';

int lrnB_default_dtype(lua_State *L) {
  int dtype = LRN_F32;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &default_dtype_key) == LUA_TNUMBER)
    dtype = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return dtype;
}

void lrnB_set_default_dtype(lua_State *L, int dtype) {
  lua_pushinteger(L, dtype);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &default_dtype_key);
}

/* New tensor on the top, from sizes at `arg` and options behind them. */
static lrn_tensor *make(lua_State *L, int arg, int *options, int dtype, const char *f) {
  int64_t size[LRN_MAXDIM];
  int nd = lrnB_sizes(L, arg, size, options, f);
  const lrn_device *device;
  lrn_tensor **box;
  lrnB_options(L, *options, f, lrnB_place);
  dtype = lrnB_dtype_option(L, *options, dtype, f);
  device = lrnB_device_option(L, *options, NULL, f);
  box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, dtype, nd, size, device));
  return *box;
}

static int filled(lua_State *L, double value, const char *f) {
  int options;
  lrn_tensor *t = make(L, 1, &options, lrnB_default_dtype(L), f);
  LRNB_TRY(L, lrn_tensor_fill(t, value));
  return lrnB_result(L);
}
static int core_zeros(lua_State *L) { return filled(L, 0, "zeros"); }
static int core_ones(lua_State *L) { return filled(L, 1, "ones"); }
static int core_empty(lua_State *L) {
  int options;
  make(L, 1, &options, lrnB_default_dtype(L), "empty");
  return lrnB_result(L);
}

/* The number or boolean at arg into one element. Does it fit the dtype? */
int lrnB_set_value(lua_State *L, lrn_tensor *t, const int64_t *index, int arg, const char *f) {
  if (lua_isboolean(L, arg))
    return lrn_tensor_set_int(t, index, lua_toboolean(L, arg));
  if (lua_isinteger(L, arg))
    return lrn_tensor_set_int(t, index, lua_tointeger(L, arg));
  return lrn_tensor_set(t, index, lrnB_number(L, arg, f, "value"));
}

void lrnB_fill(lua_State *L, lrn_tensor *t, int arg, const char *f) {
  lrn_tensor **one = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(one, lrn_tensor_dtype(t), 0, NULL, NULL));
  LRNB_TRY_AS(L, f, lrnB_set_value(L, *one, NULL, arg, f));
  LRNB_TRY_AS(L, f, lrn_tensor_copy(t, *one));
  lua_pop(L, 1);
}

static int core_full(lua_State *L) {
  int options, dtype = lrnB_default_dtype(L);
  lrn_tensor *t;
  lua_settop(L, 3);
  if (lua_type(L, 1) == LUA_TNUMBER) { /* full(n, value): one dimension */
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_replace(L, 1);
  }
  if (lua_type(L, 2) == LUA_TBOOLEAN)
    dtype = LRN_BOOL;
  lua_pushvalue(L, 2); /* the options must follow the sizes */
  lua_remove(L, 2);
  t = make(L, 1, &options, dtype, "full");
  lrnB_fill(L, t, 3, "full");
  return lrnB_result(L);
}

static lrn_tensor *make_like(lua_State *L, const lrn_tensor *t, int options, const char *f) {
  int64_t size[LRN_MAXDIM];
  int nd = lrn_tensor_ndim(t);
  lrn_tensor **box;
  int dtype;
  const lrn_device *device;
  lrnB_options(L, options, f, lrnB_place);
  dtype = lrnB_dtype_option(L, options, lrn_tensor_dtype(t), f);
  device = lrnB_device_option(L, options, lrn_tensor_device(t), f);
  for (int d = 0; d < nd; d++)
    size[d] = lrn_tensor_size(t, d);
  box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, dtype, nd, size, device));
  return *box;
}
static int core_zeros_like(lua_State *L) {
  T1("zeros_like");
  LRNB_TRY(L, lrn_tensor_fill(make_like(L, t, 2, "zeros_like"), 0));
  return lrnB_result(L);
}
static int core_ones_like(lua_State *L) {
  T1("ones_like");
  LRNB_TRY(L, lrn_tensor_fill(make_like(L, t, 2, "ones_like"), 1));
  return lrnB_result(L);
}
static int core_empty_like(lua_State *L) {
  T1("empty_like");
  make_like(L, t, 2, "empty_like");
  return lrnB_result(L);
}
static int core_full_like(lua_State *L) {
  T1("full_like");
  lrnB_fill(L, make_like(L, t, 3, "full_like"), 2, "full_like");
  return lrnB_result(L);
}
static int like_random(lua_State *L, int dist, const char *f) {
  T1(f);
  lrn_tensor *r = make_like(L, t, 2, f);
  lrn_key key = lrnB_next_key(L);
  LRNB_TRY_AS(L, f, lrn_random(r, dist, 0, 1, key));
  return lrnB_result(L);
}
static int core_rand_like(lua_State *L) { return like_random(L, LRN_UNIFORM, "rand_like"); }
static int core_randn_like(lua_State *L) { return like_random(L, LRN_NORMAL, "randn_like"); }

static int core_eye(lua_State *L) {
  int64_t n = lrnB_integer(L, 1, "eye", "n");
  int64_t m = lua_type(L, 2) == LUA_TNUMBER ? lrnB_integer(L, 2, "eye", "m") : n;
  int options = lua_type(L, 2) == LUA_TNUMBER ? 3 : 2;
  int64_t size[2] = {n, m};
  const lrn_device *device;
  lrn_tensor **box, **diagonal;
  int dtype;
  lrnB_options(L, options, "eye", lrnB_place);
  dtype = lrnB_dtype_option(L, options, lrnB_default_dtype(L), "eye");
  device = lrnB_device_option(L, options, NULL, "eye");
  box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "eye", lrn_tensor_new(box, dtype, 2, size, device));
  LRNB_TRY(L, lrn_tensor_fill(*box, 0));
  diagonal = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_diagonal(diagonal, *box, 0, 0, 1));
  LRNB_TRY(L, lrn_tensor_fill(*diagonal, 1));
  lua_pop(L, 1);
  return lrnB_result(L);
}

/* Room for n values on the host, to be filled before ladder_end. Leaves two boxes on the stack: the
   result's, empty, and that of the room. */
static void *ladder_begin(lua_State *L, int dtype, int64_t n, const char *f) {
  lrn_tensor **host;
  lrnB_new_tensor(L);
  host = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(host, dtype, 1, &n, NULL));
  return lrn_tensor_data(*host);
}

/* The values become a tensor of the dtype and on the device that the options name. */
static int ladder_end(lua_State *L, int options, int dtype, const char *f) {
  lrnB_box *box = lua_touserdata(L, -2), *host = lua_touserdata(L, -1);
  const lrn_device *device;
  lrnB_options(L, options, f, lrnB_place);
  dtype = lrnB_dtype_option(L, options, dtype, f);
  device = lrnB_device_option(L, options, NULL, f);
  LRNB_TRY_AS(L, f, lrn_tensor_to((lrn_tensor **)(void *)&box->p, host->p, dtype, device));
  lrnB_drop(L, -1);
  lua_pop(L, 1);
  return lrnB_result(L);
}

/* arange of integers: exact up to the ends of int64 */
static int integer_range(lua_State *L, int64_t from, int64_t to, int64_t step, int options) {
  uint64_t span = step > 0 ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
  uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step, count = 0;
  int64_t *v;
  if (step == 0)
    lrnB_raise(L, "value", "arange: step: got 0");
  if (step > 0 ? from <= to : from >= to) {
    count = span / stride;
    if (count >= (uint64_t)1 << 47)
      lrnB_raise(L, "size", "arange: from %lld to %lld step %lld: too many values",
                 (long long)from, (long long)to, (long long)step);
    count++;
  }
  v = ladder_begin(L, LRN_I64, (int64_t)count, "arange");
  for (uint64_t i = 0; i < count; i++)
    v[i] = (int64_t)((uint64_t)from + i * (uint64_t)step);
  return ladder_end(L, options, LRN_I64, "arange");
}

static int core_arange(lua_State *L) {
  int n = 1, options, integers = 1;
  int64_t count;
  double from, to, step = 1, last, *v;
  while (n <= 3 && lua_type(L, n) == LUA_TNUMBER)
    integers &= lua_isinteger(L, n++);
  options = n;
  lua_settop(L, options);
  from = lrnB_number(L, 1, "arange", "from");
  to = lrnB_number(L, 2, "arange", "to");
  if (integers)
    return integer_range(L, lua_tointeger(L, 1), lua_tointeger(L, 2),
                         options > 3 ? lua_tointeger(L, 3) : 1, options);
  if (options > 3)
    step = lua_tonumber(L, 3);
  if (step == 0 || !(from - from == 0 && to - to == 0 && step - step == 0))
    lrnB_raise(L, "value", "arange: from %g to %g step %g: expected finite numbers, step not 0",
               from, to, step);
  last = floor((to - from) / step * (1 + 1e-15) + 1e-9);
  if (last >= 0x1p47)
    lrnB_raise(L, "size", "arange: from %g to %g step %g: too many values", from, to, step);
  count = last < 0 ? 0 : (int64_t)last + 1;
  v = ladder_begin(L, LRN_F64, count, "arange");
  for (int64_t i = 0; i < count; i++)
    v[i] = from + (double)i * step;
  return ladder_end(L, options, lrnB_default_dtype(L), "arange");
}

static int spaced(lua_State *L, int power, const char *f) {
  double from = lrnB_number(L, 1, f, "from"), to = lrnB_number(L, 2, f, "to");
  int64_t n = lrnB_integer(L, 3, f, "n");
  double step = n > 1 ? (to - from) / (double)(n - 1) : 0, *v;
  lua_settop(L, 4);
  if (n < 1)
    lrnB_raise(L, "value", "%s: n: got %lld, expected an integer >= 1", f, (long long)n);
  v = ladder_begin(L, LRN_F64, n, f);
  for (int64_t i = 0; i < n; i++) {
    double x = i > 0 && i == n - 1 ? to : from + (double)i * step; /* the last one exactly */
    v[i] = power ? pow(10, x) : x;
  }
  return ladder_end(L, 4, lrnB_default_dtype(L), f);
}
static int core_linspace(lua_State *L) { return spaced(L, 0, "linspace"); }
static int core_logspace(lua_State *L) { return spaced(L, 1, "logspace"); }

/* {=== from Lua values === */

typedef struct literal {
  lrn_tensor *t;
  int nd, depth_of_first;
  int64_t size[LRN_MAXDIM], index[LRN_MAXDIM];
  int integers, booleans, numbers;
} literal;

/* Follows the first elements down to see the shape. */
static void literal_shape(lua_State *L, int arg, literal *l) {
  lua_pushvalue(L, arg);
  while (lua_type(L, -1) == LUA_TTABLE) {
    if (l->nd == LRN_MAXDIM)
      lrnB_raise(L, "size", "tensor: value: tables nested deeper than %d", LRN_MAXDIM);
    l->size[l->nd++] = lrnB_length(L, -1, "tensor", "value");
    if (l->size[l->nd - 1] == 0)
      break;
    luaL_checkstack(L, 4, NULL);
    lua_rawgeti(L, -1, 1);
    lua_remove(L, -2);
  }
  l->booleans = lua_type(L, -1) == LUA_TBOOLEAN;
  lua_pop(L, 1);
}

static void literal_store(lua_State *L, literal *l, int depth) {
  if (depth == l->nd) {
    if (lua_type(L, -1) != LUA_TBOOLEAN && lua_type(L, -1) != LUA_TNUMBER)
      lrnB_raise(L, "type",
                 "tensor: value: got %s among the elements, expected numbers or booleans",
                 lrnB_show(L, lua_gettop(L)));
    LRNB_TRY_AS(L, "tensor", lrnB_set_value(L, l->t, l->index, lua_gettop(L), "tensor"));
    return;
  }
  if (lua_type(L, -1) != LUA_TTABLE ||
      lrnB_length(L, -1, "tensor", "value") != l->size[depth])
    lrnB_raise(L, "size", "tensor: value: rows of different lengths: got %s at depth %d, expected a table "
               "of %lld", lrnB_show(L, lua_gettop(L)), depth + 1, (long long)l->size[depth]);
  luaL_checkstack(L, 4, NULL);
  for (int64_t i = 0; i < l->size[depth]; i++) {
    l->index[depth] = i;
    lua_rawgeti(L, -1, i + 1);
    literal_store(L, l, depth + 1);
    lua_pop(L, 1);
  }
}

/* tensor(value [, options]) */
static int core_tensor(lua_State *L) {
  static const char *const valid[] = {"dtype", "device", "shape", NULL};
  literal l = {0};
  const lrn_device *device;
  lrn_tensor **host, **box;
  int dtype;
  lua_settop(L, 2);
  lrnB_options(L, 2, "tensor", valid);
  device = lrnB_device_option(L, 2, NULL, "tensor");
  if (lrnB_opt_tensor(L, 1, "tensor") != NULL) { /* a tensor: converted copy */
    lrn_tensor *t = lrnB_tensor(L, 1, "tensor");
    dtype = lrnB_dtype_option(L, 2, lrn_tensor_dtype(t), "tensor");
    host = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_clone(host, t));
    box = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
    lrnB_drop(L, -2);
    return lrnB_result(L);
  }
  if (lua_type(L, 1) == LUA_TSTRING) { /* bytes */
    size_t n;
    const char *bytes = lua_tolstring(L, 1, &n);
    size_t item;
    dtype = lrnB_dtype_option(L, 2, LRN_U8, "tensor");
    item = lrn_dtype_size(dtype);
    if (n % item != 0)
      lrnB_raise(L, "size", "tensor: got %lld bytes, expected a multiple of %lld for %s",
                 (long long)n, (long long)item, lrn_dtype_name(dtype));
    if (dtype == LRN_BOOL)
      for (size_t i = 0; i < n; i++)
        if ((unsigned char)bytes[i] > 1)
          lrnB_raise(L, "value", "tensor: byte %lld is %d, expected 0 or 1 for bool",
                     (long long)i + 1, (unsigned char)bytes[i]);
    l.size[0] = (int64_t)(n / item);
    host = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_new(host, dtype, 1, l.size, NULL));
    memcpy(lrn_tensor_data(*host), bytes, n);
    if (lrnB_option(L, 2, "shape") != LUA_TNIL) {
      int nd = lrnB_sizes(L, lua_gettop(L), l.size, NULL, "tensor");
      lrn_tensor **shaped = lrnB_new_tensor(L);
      LRNB_TRY(L, lrn_tensor_view(shaped, *host, nd, l.size));
      host = shaped;
    }
    box = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
    lrnB_drop(L, -2);
    return lrnB_result(L);
  }
  if (lua_type(L, 1) != LUA_TTABLE && lua_type(L, 1) != LUA_TNUMBER &&
      lua_type(L, 1) != LUA_TBOOLEAN)
    lrnB_raise(L, "type", "tensor: value: got %s, expected a table, a number, a boolean or a string "
               "of bytes", lrnB_show(L, 1));
  literal_shape(L, 1, &l);
  dtype = lrnB_dtype_option(L, 2, l.booleans ? LRN_BOOL : lrnB_default_dtype(L), "tensor");
  host = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_new(host, dtype, l.nd, l.size, NULL));
  l.t = *host;
  lua_pushvalue(L, 1);
  literal_store(L, &l, 0);
  lua_pop(L, 1);
  if (device == NULL || device == lrn_device_cpu())
    return lrnB_result(L);
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
  lrnB_drop(L, -2);
  return lrnB_result(L);
}

/* from_function(size, f [, options]) */
static int core_from_function(lua_State *L) {
  int64_t size[LRN_MAXDIM], index[LRN_MAXDIM] = {0};
  int nd, dtype;
  const lrn_device *device;
  lrn_tensor **host, **box;
  int64_t n;
  lua_settop(L, 3);
  nd = lrnB_sizes(L, 1, size, NULL, "from_function");
  if (lua_type(L, 2) != LUA_TFUNCTION)
    lrnB_raise(L, "type", "from_function: f: got %s, expected a function", lrnB_show(L, 2));
  lrnB_options(L, 3, "from_function", lrnB_place);
  dtype = lrnB_dtype_option(L, 3, lrnB_default_dtype(L), "from_function");
  device = lrnB_device_option(L, 3, NULL, "from_function");
  host = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "from_function", lrn_tensor_new(host, dtype, nd, size, NULL));
  n = lrn_tensor_numel(*host);
  for (int64_t i = 0; i < n; i++) {
    lua_pushvalue(L, 2);
    for (int d = 0; d < nd; d++)
      lua_pushinteger(L, index[d] + 1);
    lua_call(L, nd, 1);
    LRNB_TRY_AS(L, "from_function",
                lrnB_set_value(L, *host, index, lua_gettop(L), "from_function"));
    lua_pop(L, 1);
    for (int d = nd - 1; d >= 0 && ++index[d] == size[d]; d--)
      index[d] = 0;
  }
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
  lrnB_drop(L, -2);
  return lrnB_result(L);
}

/* ===} */

static const luaL_Reg functions[] = {
  {"tensor", core_tensor}, {"zeros", core_zeros}, {"ones", core_ones}, {"empty", core_empty},
  {"full", core_full}, {"eye", core_eye}, {"arange", core_arange}, {"linspace", core_linspace},
  {"logspace", core_logspace}, {"from_function", core_from_function}, {NULL, NULL}};
static const luaL_Reg both[] = {
  {"zeros_like", core_zeros_like}, {"ones_like", core_ones_like},
  {"empty_like", core_empty_like}, {"full_like", core_full_like},
  {"rand_like", core_rand_like}, {"randn_like", core_randn_like}, {NULL, NULL}};

void lrnB_open_make(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lrnB_tensor_functions(L, both);
}
