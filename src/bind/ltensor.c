/*
** ltensor.c - tensors as userdata: making, fields, views, conversion. Selection by t[...] and
** t(...) is in lindex.c, arithmetic in lops.c.
*/
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind/lbind.h"
#include "lrn_lua.h"

#define T1(f) lrn_tensor *t = lrnB_tensor(L, 1, f)

static const char *const like_options[] = {"dtype", "device", NULL};

/* {=== Making === */

static const char default_dtype_key = 'd';

int lrnB_default_dtype(lua_State *L) {
  int dtype = LRN_F32;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &default_dtype_key) == LUA_TNUMBER)
    dtype = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return dtype;
}

void lrnB_set_default_dtype(lua_State *L, int dtype);
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
  lrnB_options(L, *options, f, like_options);
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
static int set_value(lua_State *L, lrn_tensor *t, const int64_t *index, int arg, const char *f) {
  if (lua_isboolean(L, arg))
    return lrn_tensor_set_int(t, index, lua_toboolean(L, arg));
  if (lua_isinteger(L, arg))
    return lrn_tensor_set_int(t, index, lua_tointeger(L, arg));
  return lrn_tensor_set(t, index, lrnB_number(L, arg, f, "value"));
}

void lrnB_fill(lua_State *L, lrn_tensor *t, int arg, const char *f) {
  lrn_tensor **one = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(one, lrn_tensor_dtype(t), 0, NULL, NULL));
  LRNB_TRY_AS(L, f, set_value(L, *one, NULL, arg, f));
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
  lrnB_options(L, options, f, like_options);
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
  LRNB_TRY(L, lrn_random(r, dist, 0, 1, key));
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
  lrnB_options(L, options, "eye", like_options);
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
  lrnB_options(L, options, f, like_options);
  dtype = lrnB_dtype_option(L, options, dtype, f);
  device = lrnB_device_option(L, options, NULL, f);
  LRNB_TRY_AS(L, f, lrn_tensor_to((lrn_tensor **)(void *)&box->p, host->p, dtype, device));
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
      lrnB_raise(L, "size", "tensor: tables nested deeper than %d", LRN_MAXDIM);
    l->size[l->nd++] = luaL_len(L, -1);
    if (l->size[l->nd - 1] == 0)
      break;
    luaL_checkstack(L, 4, NULL);
    lua_geti(L, -1, 1);
    lua_remove(L, -2);
  }
  l->booleans = lua_type(L, -1) == LUA_TBOOLEAN;
  lua_pop(L, 1);
}

static void literal_store(lua_State *L, literal *l, int depth) {
  if (depth == l->nd) {
    if (lua_type(L, -1) != LUA_TBOOLEAN && lua_type(L, -1) != LUA_TNUMBER)
      lrnB_raise(L, "type", "tensor: got %s among the elements, expected numbers or booleans",
                 lrnB_show(L, lua_gettop(L)));
    LRNB_TRY_AS(L, "tensor", set_value(L, l->t, l->index, lua_gettop(L), "tensor"));
    return;
  }
  if (lua_type(L, -1) != LUA_TTABLE || luaL_len(L, -1) != l->size[depth])
    lrnB_raise(L, "size", "tensor: rows of different lengths: got %s at depth %d, expected a table "
               "of %lld", lrnB_show(L, lua_gettop(L)), depth + 1, (long long)l->size[depth]);
  luaL_checkstack(L, 4, NULL);
  for (int64_t i = 0; i < l->size[depth]; i++) {
    l->index[depth] = i;
    lua_geti(L, -1, i + 1);
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
  if (lrnB_opt_tensor(L, 1) != NULL) { /* a tensor: converted copy */
    lrn_tensor *t = lrnB_tensor(L, 1, "tensor");
    dtype = lrnB_dtype_option(L, 2, lrn_tensor_dtype(t), "tensor");
    host = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_clone(host, t));
    box = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
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
    return lrnB_result(L);
  }
  if (lua_type(L, 1) != LUA_TTABLE && lua_type(L, 1) != LUA_TNUMBER &&
      lua_type(L, 1) != LUA_TBOOLEAN)
    lrnB_raise(L, "type", "tensor: got %s, expected a table, a number, a boolean or a string of "
               "bytes", lrnB_show(L, 1));
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
  lrnB_options(L, 3, "from_function", like_options);
  dtype = lrnB_dtype_option(L, 3, lrnB_default_dtype(L), "from_function");
  device = lrnB_device_option(L, 3, NULL, "from_function");
  host = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_new(host, dtype, nd, size, NULL));
  n = lrn_tensor_numel(*host);
  for (int64_t i = 0; i < n; i++) {
    lua_pushvalue(L, 2);
    for (int d = 0; d < nd; d++)
      lua_pushinteger(L, index[d] + 1);
    lua_call(L, nd, 1);
    LRNB_TRY_AS(L, "from_function",
                set_value(L, *host, index, lua_gettop(L), "from_function"));
    lua_pop(L, 1);
    for (int d = nd - 1; d >= 0 && ++index[d] == size[d]; d--)
      index[d] = 0;
  }
  box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_to(box, *host, dtype, device));
  return lrnB_result(L);
}

/* ===} */
/* ===} */

/* {=== Fields === */

static int field_shape(lua_State *L, lrn_tensor *t) {
  int nd = lrn_tensor_ndim(t);
  lua_createtable(L, nd, 0);
  for (int d = 0; d < nd; d++) {
    lua_pushinteger(L, lrn_tensor_size(t, d));
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}
static int field_strides(lua_State *L, lrn_tensor *t) {
  int nd = lrn_tensor_ndim(t);
  lua_createtable(L, nd, 0);
  for (int d = 0; d < nd; d++) {
    lua_pushinteger(L, lrn_tensor_stride(t, d));
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}
static int field_ndim(lua_State *L, lrn_tensor *t) {
  lua_pushinteger(L, lrn_tensor_ndim(t));
  return 1;
}
static int field_numel(lua_State *L, lrn_tensor *t) {
  lua_pushinteger(L, lrn_tensor_numel(t));
  return 1;
}
static int field_dtype(lua_State *L, lrn_tensor *t) {
  lua_pushstring(L, lrn_dtype_name(lrn_tensor_dtype(t)));
  return 1;
}
static int field_device(lua_State *L, lrn_tensor *t) {
  lua_pushstring(L, lrn_device_name(lrn_tensor_device(t)));
  return 1;
}

static const struct {
  const char *name;
  int (*push)(lua_State *, lrn_tensor *);
} fields[] = {{"shape", field_shape}, {"strides", field_strides}, {"ndim", field_ndim},
              {"numel", field_numel}, {"dtype", field_dtype},     {"device", field_device}};

/* t[key]: upvalue 1 is the table of methods */
static int tensor_index(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "tensor");
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *key = lua_tostring(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
      return 1;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
      if (strcmp(fields[i].name, key) == 0)
        return fields[i].push(L, t);
    return 0;
  }
  return lrnB_get_selected(L, t, 2, 1, 1);
}

static int tensor_newindex(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "tensor");
  if (lua_type(L, 2) == LUA_TSTRING)
    return lrnB_raise(L, "argument", "tensor: field %s cannot be set", lrnB_show(L, 2));
  return lrnB_set_selected(L, t, 2, 3);
}

static int tensor_call(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "tensor");
  return lrnB_get_selected(L, t, 2, lua_gettop(L) - 1, 0);
}

static int tensor_len(lua_State *L) {
  T1("#");
  if (lrn_tensor_ndim(t) == 0)
    return lrnB_raise(L, "size", "#: a tensor without dimensions has no length");
  lua_pushinteger(L, lrn_tensor_size(t, 0));
  return 1;
}

static int tensor_close(lua_State *L) {
  lrnB_box *box = luaL_checkudata(L, 1, LRNB_TENSOR);
  lrn_tensor_free(box->p);
  box->p = NULL;
  return 0;
}

static int tensor_tostring(lua_State *L) {
  lrnB_box *box = luaL_checkudata(L, 1, LRNB_TENSOR);
  if (box->p == NULL) {
    lua_pushliteral(L, "tensor (closed)");
    return 1;
  }
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lrn.format");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "tensor");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int rows_next(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "rows");
  lua_Integer i = luaL_optinteger(L, 2, 0) + 1;
  if (i > lrn_tensor_size(t, 0))
    return 0;
  lua_settop(L, 1);
  lua_pushinteger(L, i);
  lrnB_get_selected(L, t, 2, 1, 1);
  lua_pushinteger(L, i);
  lua_insert(L, -2);
  return 2;
}

static int tensor_rows(lua_State *L) {
  T1("rows");
  if (lrn_tensor_ndim(t) == 0)
    return lrnB_raise(L, "size", "rows: a tensor without dimensions has no rows");
  lua_pushcfunction(L, rows_next);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int tensor_size(lua_State *L) {
  T1("size");
  lua_pushinteger(L, lrn_tensor_size(t, lrnB_dim(L, 2, lrn_tensor_ndim(t), "size", "dim")));
  return 1;
}

static int core_is_tensor(lua_State *L) {
  lua_pushboolean(L, luaL_testudata(L, 1, LRNB_TENSOR) != NULL);
  return 1;
}

static int tensor_is_contiguous(lua_State *L) {
  T1("is_contiguous");
  lua_pushboolean(L, lrn_tensor_is_contiguous(t));
  return 1;
}

/* ===} */

/* {=== Views === */

#define VIEW(call)                        \
  {                                       \
    lrn_tensor **out = lrnB_new_tensor(L); \
    LRNB_TRY(L, call);                    \
    return 1;                             \
  }

static int tensor_t(lua_State *L) {
  T1("t");
  if (lrn_tensor_ndim(t) != 2)
    return lrnB_raise(L, "size", "t: got %d dimensions, expected 2; use transpose or permute",
                      lrn_tensor_ndim(t));
  VIEW(lrn_tensor_transpose(out, t, 0, 1))
}
static int tensor_transpose(lua_State *L) {
  T1("transpose");
  int d1 = lrnB_dim(L, 2, lrn_tensor_ndim(t), "transpose", "d1");
  int d2 = lrnB_dim(L, 3, lrn_tensor_ndim(t), "transpose", "d2");
  VIEW(lrn_tensor_transpose(out, t, d1, d2))
}
static int tensor_permute(lua_State *L) {
  T1("permute");
  int64_t order[LRN_MAXDIM];
  int dims[LRN_MAXDIM], nd = lrn_tensor_ndim(t);
  int n = lrnB_sizes(L, 2, order, NULL, "permute");
  if (n != nd)
    return lrnB_raise(L, "size", "permute: got %d dimensions, expected %d", n, nd);
  for (int d = 0; d < nd; d++) {
    if (order[d] == 0 || order[d] > nd || order[d] < -nd)
      return lrnB_raise(L, "value", "permute: dimension %lld, expected 1 to %d",
                        (long long)order[d], nd);
    dims[d] = (int)(order[d] > 0 ? order[d] - LRN_BASE : order[d] + nd);
  }
  VIEW(lrn_tensor_permute(out, t, dims))
}
static int tensor_view(lua_State *L) {
  T1("view");
  int64_t size[LRN_MAXDIM];
  int nd = lrnB_sizes(L, 2, size, NULL, "view");
  VIEW(lrn_tensor_view(out, t, nd, size))
}
static int tensor_reshape(lua_State *L) {
  T1("reshape");
  int64_t size[LRN_MAXDIM];
  int nd = lrnB_sizes(L, 2, size, NULL, "reshape");
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_reshape(out, t, nd, size));
  return lrn_tensor_shares(*out, t) ? 1 : lrnB_result(L);
}
static int tensor_flatten(lua_State *L) {
  T1("flatten");
  int64_t all = lrn_tensor_numel(t);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_reshape(out, t, 1, &all));
  return lrn_tensor_shares(*out, t) ? 1 : lrnB_result(L);
}
static int tensor_expand(lua_State *L) {
  T1("expand");
  int64_t size[LRN_MAXDIM];
  int nd = lrnB_sizes(L, 2, size, NULL, "expand");
  VIEW(lrn_tensor_expand(out, t, nd, size))
}
static int tensor_narrow(lua_State *L) {
  T1("narrow");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "narrow", "dim");
  int64_t size = lrn_tensor_size(t, d), len = lrnB_integer(L, 4, "narrow", "length"), from;
  if (len == 0 && lua_tointeger(L, 3) == size + 1)
    from = size; /* nothing, after the last */
  else
    from = lrnB_index(L, 3, size, "narrow", "from");
  if (len < 0 || len > size - from)
    return lrnB_raise(L, "value", "narrow: length: got %lld, expected 0 to %lld from position %lld",
                      (long long)len, (long long)(size - from), (long long)from + 1);
  VIEW(lrn_tensor_narrow(out, t, d, from, len))
}
static int tensor_select(lua_State *L) {
  T1("select");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "select", "dim");
  int64_t i = lrnB_index(L, 3, lrn_tensor_size(t, d), "select", "i");
  VIEW(lrn_tensor_select(out, t, d, i))
}
static int tensor_slice(lua_State *L) {
  static const char *const valid[] = {"dim", "from", "to", "step", NULL};
  T1("slice");
  int64_t step = 1;
  int d = 0;
  lua_settop(L, 2);
  lrnB_options(L, 2, "slice", valid);
  if (lrnB_option(L, 2, "dim") != LUA_TNIL)
    d = lrnB_dim(L, lua_gettop(L), lrn_tensor_ndim(t), "slice", "dim");
  if (lrnB_option(L, 2, "step") != LUA_TNIL)
    step = lrnB_integer(L, lua_gettop(L), "slice", "step");
  lua_settop(L, 2);
  lua_createtable(L, LRN_MAXDIM, 0); /* {{}, {}, {from, to, step}} */
  for (int k = 0; k < d; k++) {
    lua_newtable(L);
    lua_rawseti(L, 3, k + 1);
  }
  lua_createtable(L, 3, 0);
  if (lrnB_option(L, 2, "from") == LUA_TNIL)
    lua_pushinteger(L, step > 0 ? 1 : -1);
  lua_rawseti(L, 4, 1);
  if (lrnB_option(L, 2, "to") == LUA_TNIL)
    lua_pushinteger(L, step > 0 ? -1 : 1);
  lua_rawseti(L, 4, 2);
  lua_pushinteger(L, step);
  lua_rawseti(L, 4, 3);
  lua_rawseti(L, 3, d + 1);
  return lrnB_get_selected(L, t, 3, 1, 1);
}
static int tensor_squeeze(lua_State *L) {
  T1("squeeze");
  int d = lua_isnoneornil(L, 2) ? -1 : lrnB_dim(L, 2, lrn_tensor_ndim(t), "squeeze", "dim");
  VIEW(lrn_tensor_squeeze(out, t, d))
}
static int tensor_unsqueeze(lua_State *L) {
  T1("unsqueeze");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t) + 1, "unsqueeze", "dim");
  VIEW(lrn_tensor_unsqueeze(out, t, d))
}
static int tensor_unfold(lua_State *L) {
  T1("unfold");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "unfold", "dim");
  int64_t size = lrnB_integer(L, 3, "unfold", "size");
  int64_t step = lua_isnoneornil(L, 4) ? 1 : lrnB_integer(L, 4, "unfold", "step");
  VIEW(lrn_tensor_unfold(out, t, d, size, step))
}
static int tensor_diagonal(lua_State *L) {
  T1("diagonal");
  int nd = lrn_tensor_ndim(t);
  int64_t offset = lua_isnoneornil(L, 2) ? 0 : lrnB_integer(L, 2, "diagonal", "offset");
  int d1 = lua_isnoneornil(L, 3) ? 0 : lrnB_dim(L, 3, nd, "diagonal", "d1");
  int d2 = lua_isnoneornil(L, 4) ? 1 : lrnB_dim(L, 4, nd, "diagonal", "d2");
  VIEW(lrn_tensor_diagonal(out, t, offset, d1, d2))
}
static int tensor_flip(lua_State *L) {
  T1("flip");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "flip", "dim");
  int64_t n = lrn_tensor_size(t, d);
  VIEW(lrn_tensor_slice(out, t, d, n > 0 ? n - 1 : 0, n, n > 0 ? -1 : 1))
}

/* ===} */

/* {=== Conversion and elements === */

static int tensor_to(lua_State *L) {
  T1("to");
  int dtype = lrn_tensor_dtype(t);
  const lrn_device *device = NULL;
  lrn_tensor **out;
  if (lua_type(L, 2) == LUA_TSTRING)
    dtype = lrnB_parse_dtype(L, 2, "to");
  else {
    lrnB_options(L, 2, "to", like_options);
    dtype = lrnB_dtype_option(L, 2, dtype, "to");
    device = lrnB_device_option(L, 2, NULL, "to");
  }
  out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "to", lrn_tensor_to(out, t, dtype, device));
  if (!lrn_tensor_shares(*out, t))
    return lrnB_result(L);
  lua_pushvalue(L, 1); /* nothing changed: t itself */
  return 1;
}

static int to_named(lua_State *L, const char *name, const char *f) {
  T1(f);
  lrn_tensor **out;
  const lrn_device *device = lrnB_open_device(L, name);
  out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_to(out, t, lrn_tensor_dtype(t), device));
  return lrn_tensor_shares(*out, t) ? 1 : lrnB_result(L);
}
static int tensor_cpu(lua_State *L) { return to_named(L, "cpu", "cpu"); }
static int tensor_cuda(lua_State *L) {
  char name[32];
  snprintf(name, sizeof name, "cuda:%lld",
           lua_isnoneornil(L, 2) ? 0LL : (long long)lrnB_integer(L, 2, "cuda", "i"));
  return to_named(L, name, "cuda");
}

static int tensor_clone(lua_State *L) {
  T1("clone");
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_clone(out, t));
  return lrnB_result(L);
}
static int tensor_contiguous(lua_State *L) {
  T1("contiguous");
  if (lrn_tensor_is_contiguous(t)) {
    lua_settop(L, 1);
    return 1;
  }
  return tensor_clone(L);
}

static int tensor_copy_(lua_State *L) {
  T1("copy_");
  lrn_tensor *src = lrnB_tensor(L, 2, "copy_");
  LRNB_TRY_AS(L, "copy_", lrn_tensor_copy(t, src));
  lua_settop(L, 1);
  return 1;
}
static int tensor_fill_(lua_State *L) {
  T1("fill_");
  lrnB_fill(L, t, 2, "fill_");
  lua_settop(L, 1);
  return 1;
}
static int tensor_zero_(lua_State *L) {
  T1("zero_");
  LRNB_TRY_AS(L, "zero_", lrn_tensor_fill(t, 0));
  lua_settop(L, 1);
  return 1;
}

/* Element (i, j, ...) given by the n arguments from `first` on. */
static void read_position(lua_State *L, const lrn_tensor *t, int first, int n, int64_t *index,
                          const char *f) {
  if (n != lrn_tensor_ndim(t))
    lrnB_raise(L, "size", "%s: got %d positions, expected %d", f, n, lrn_tensor_ndim(t));
  for (int d = 0; d < n; d++)
    index[d] = lrnB_index(L, first + d, lrn_tensor_size(t, d), f, "index");
}
static int tensor_get(lua_State *L) {
  T1("get");
  int64_t index[LRN_MAXDIM];
  read_position(L, t, 2, lua_gettop(L) - 1, index, "get");
  return lrnB_push_element(L, t, index);
}
static int tensor_set(lua_State *L) {
  T1("set");
  int64_t index[LRN_MAXDIM];
  int top = lua_gettop(L);
  read_position(L, t, 2, top > 2 ? top - 2 : 0, index, "set");
  LRNB_TRY(L, set_value(L, t, index, top > 1 ? top : 2, "set"));
  lua_settop(L, 1);
  return 1;
}

int lrnB_push_element(lua_State *L, const lrn_tensor *t, const int64_t *index) {
  int dtype = lrn_tensor_dtype(t);
  if (dtype <= LRN_F64) {
    double d = 0;
    LRNB_TRY(L, lrn_tensor_get(&d, t, index));
    lua_pushnumber(L, d);
  } else {
    int64_t i = 0;
    LRNB_TRY(L, lrn_tensor_get_int(&i, t, index));
    if (dtype == LRN_BOOL)
      lua_pushboolean(L, i != 0);
    else
      lua_pushinteger(L, i);
  }
  return 1;
}

int lrnB_push_item(lua_State *L, const lrn_tensor *t) {
  static const int64_t first[LRN_MAXDIM] = {0};
  return lrnB_push_element(L, t, first);
}

static int tensor_item(lua_State *L) {
  T1("item");
  if (lrn_tensor_numel(t) != 1)
    return lrnB_raise(L, "size", "item: got %lld elements, expected 1",
                      (long long)lrn_tensor_numel(t));
  return lrnB_push_item(L, t);
}

/* A host copy that is contiguous, on the top. */
static lrn_tensor *on_host(lua_State *L, const lrn_tensor *t) {
  lrn_tensor **host = lrnB_new_tensor(L), **packed;
  LRNB_TRY(L, lrn_tensor_to(host, t, lrn_tensor_dtype(t), lrn_device_cpu()));
  packed = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_contiguous(packed, *host));
  lua_remove(L, -2);
  return *packed;
}

static int tensor_tobytes(lua_State *L) {
  T1("tobytes");
  lrn_tensor *h = on_host(L, t);
  lua_pushlstring(L, lrn_tensor_data(h),
                  (size_t)lrn_tensor_numel(h) * lrn_dtype_size(lrn_tensor_dtype(h)));
  return 1;
}

static void list_from(lua_State *L, const lrn_tensor *h, int d, int64_t *at) {
  const void *p = lrn_tensor_data(h);
  if (d == lrn_tensor_ndim(h)) {
    int64_t i = (*at)++;
    switch (lrn_tensor_dtype(h)) {
      case LRN_F32: lua_pushnumber(L, (double)((const float *)p)[i]); break;
      case LRN_F64: lua_pushnumber(L, ((const double *)p)[i]); break;
      case LRN_I64: lua_pushinteger(L, ((const int64_t *)p)[i]); break;
      case LRN_I32: lua_pushinteger(L, ((const int32_t *)p)[i]); break;
      case LRN_U8: lua_pushinteger(L, ((const uint8_t *)p)[i]); break;
      default: lua_pushboolean(L, ((const uint8_t *)p)[i]); break;
    }
    return;
  }
  luaL_checkstack(L, 4, NULL);
  lua_createtable(L, (int)(lrn_tensor_size(h, d) > 1 << 20 ? 1 << 20 : lrn_tensor_size(h, d)), 0);
  for (int64_t i = 0; i < lrn_tensor_size(h, d); i++) {
    list_from(L, h, d + 1, at);
    lua_rawseti(L, -2, i + 1);
  }
}
static int tensor_tolist(lua_State *L) {
  T1("tolist");
  int64_t at = 0;
  lrn_tensor *h = on_host(L, t);
  list_from(L, h, 0, &at);
  return 1;
}

static int tensor_equal(lua_State *L) {
  int same = 0;
  lrn_tensor *a, *b;
  if (lrnB_opt_tensor(L, 1) == NULL || lrnB_opt_tensor(L, 2) == NULL) {
    lua_pushboolean(L, 0);
    return 1;
  }
  a = lrnB_tensor(L, 1, "equal");
  b = lrnB_tensor(L, 2, "equal");
  LRNB_TRY(L, lrn_tensor_equal(&same, a, b));
  lua_pushboolean(L, same);
  return 1;
}

/* ===} */

static const luaL_Reg functions[] = {
  {"tensor", core_tensor}, {"zeros", core_zeros}, {"ones", core_ones}, {"empty", core_empty},
  {"full", core_full}, {"eye", core_eye}, {"arange", core_arange}, {"linspace", core_linspace},
  {"logspace", core_logspace}, {"from_function", core_from_function},
  {"is_tensor", core_is_tensor}, {NULL, NULL}};

/* In the module and among the methods. */
static const luaL_Reg both[] = {
  {"zeros_like", core_zeros_like}, {"ones_like", core_ones_like},
  {"empty_like", core_empty_like}, {"full_like", core_full_like},
  {"rand_like", core_rand_like}, {"randn_like", core_randn_like},
  {"transpose", tensor_transpose}, {"permute", tensor_permute}, {"view", tensor_view},
  {"reshape", tensor_reshape}, {"flatten", tensor_flatten}, {"expand", tensor_expand},
  {"narrow", tensor_narrow}, {"select", tensor_select}, {"slice", tensor_slice},
  {"squeeze", tensor_squeeze}, {"unsqueeze", tensor_unsqueeze}, {"unfold", tensor_unfold},
  {"diagonal", tensor_diagonal}, {"flip", tensor_flip}, {"to", tensor_to},
  {"cpu", tensor_cpu}, {"clone", tensor_clone},
  {"contiguous", tensor_contiguous}, {"is_contiguous", tensor_is_contiguous},
  {"copy_", tensor_copy_}, {"fill_", tensor_fill_}, {"zero_", tensor_zero_},
  {"get", tensor_get}, {"size", tensor_size}, {"t", tensor_t},
  {"item", tensor_item}, {"tolist", tensor_tolist}, {"tobytes", tensor_tobytes},
  {"rows", tensor_rows}, {"equal", tensor_equal}, {NULL, NULL}};

/* Methods alone: lrn.set and lrn.cuda are other things. */
static const luaL_Reg methods[] = {
  {"set", tensor_set}, {"cuda", tensor_cuda}, {"close", tensor_close}, {NULL, NULL}};

static const luaL_Reg meta[] = {
  {"__newindex", tensor_newindex}, {"__call", tensor_call}, {"__len", tensor_len},
  {"__tostring", tensor_tostring}, {"__pairs", tensor_rows}, {"__eq", tensor_equal},
  {NULL, NULL}};

void lrnB_tensor_functions(lua_State *L, const luaL_Reg *list) {
  luaL_setfuncs(L, list, 0);
  lua_getfield(L, -1, "methods");
  for (; list->name != NULL; list++) { /* the same function object in both */
    lua_getfield(L, -2, list->name);
    lua_setfield(L, -2, list->name);
  }
  lua_pop(L, 1);
}

void lrnB_open_tensor(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "methods");
  lrnB_tensor_functions(L, both);
  luaL_newmetatable(L, LRNB_TENSOR);
  luaL_setfuncs(L, meta, 0);
  lua_pushcfunction(L, tensor_close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, tensor_close);
  lua_setfield(L, -2, "__close");
  lua_getfield(L, -2, "methods");
  lua_pushcclosure(L, tensor_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/* {=== lrn_lua.h === */

void lrnL_pushtensor(lua_State *L, const lrn_tensor *t) {
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_alias(box, t));
}
lrn_tensor *lrnL_checktensor(lua_State *L, int arg) { return lrnB_tensor(L, arg, "tensor"); }
lrn_tensor *lrnL_totensor(lua_State *L, int arg) { return lrnB_opt_tensor(L, arg); }

/* ===} */
