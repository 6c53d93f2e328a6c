/*
** ltensor.c - tensors as userdata: fields, views, conversion. They are made in lmake.c; selection by
** t[...] and t(...) is in lindex.c, arithmetic in lops.c.
*/
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind/lbind.h"
#include "lrn_lua.h"

#define T1(f) lrn_tensor *t = lrnB_tensor(L, 1, f)

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

/* t[key]: upvalue 1 is the table of methods. A closed tensor has them too: t:close() may come twice,
   and the others raise under their own names. */
static int tensor_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    const char *key = lua_tostring(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
      return 1;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
      if (strcmp(fields[i].name, key) == 0)
        return fields[i].push(L, lrnB_tensor(L, 1, key));
    return 0;
  }
  return lrnB_get_selected(L, lrnB_tensor(L, 1, "index"), 2, 1, 1);
}

static int tensor_newindex(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "index");
  if (lua_type(L, 2) == LUA_TSTRING)
    return lrnB_raise(L, "argument", "tensor: field %s cannot be set", lrnB_show(L, 2));
  return lrnB_set_selected(L, t, 2, 3);
}

static int tensor_call(lua_State *L) {
  lrn_tensor *t = lrnB_tensor(L, 1, "index");
  return lrnB_get_selected(L, t, 2, lua_gettop(L) - 1, 0);
}

static int tensor_len(lua_State *L) {
  T1("#");
  if (lrn_tensor_ndim(t) == 0)
    return lrnB_raise(L, "size", "#: a tensor without dimensions has no length");
  lua_pushinteger(L, lrn_tensor_size(t, 0));
  return 1;
}

static void free_tensor(void *p) { lrn_tensor_free(p); }
static int tensor_close(lua_State *L) { return lrnB_box_close(L, LRNB_TENSOR, free_tensor); }
static int tensor_gc(lua_State *L) { return lrnB_box_gc(L, LRNB_TENSOR, free_tensor); }

static int tensor_tostring(lua_State *L) {
  lrnB_box *box = luaL_checkudata(L, 1, LRNB_TENSOR);
  if (lrnB_open_object(box) == NULL) {
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

static int tensor_is_readonly(lua_State *L) {
  T1("is_readonly");
  lua_pushboolean(L, lrn_tensor_is_readonly(t));
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
  if (lrn_tensor_ndim(t) == 0)
    return lrnB_raise(L, "size", "slice: a tensor without dimensions cannot be sliced");
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
    lrnB_options(L, 2, "to", lrnB_place);
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
  const lrn_device *device = lrnB_open_device(L, name, f);
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
  LRNB_TRY(L, lrnB_set_value(L, t, index, top > 1 ? top : 2, "set"));
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
  lrnB_drop(L, -2);
  lua_remove(L, -2);
  return *packed;
}

static int tensor_tobytes(lua_State *L) {
  T1("tobytes");
  lrn_tensor *h = on_host(L, t);
  lua_pushlstring(L, lrn_tensor_data(h),
                  (size_t)lrn_tensor_numel(h) * lrn_dtype_size(lrn_tensor_dtype(h)));
  lrnB_drop(L, -2);
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
  lrnB_drop(L, -2);
  return 1;
}

static int tensor_equal(lua_State *L) {
  int same = 0;
  lrn_tensor *a, *b;
  if (lrnB_opt_tensor(L, 1, "equal") == NULL || lrnB_opt_tensor(L, 2, "equal") == NULL) {
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

static const luaL_Reg functions[] = {{"is_tensor", core_is_tensor}, {NULL, NULL}};

/* In the module and among the methods. */
static const luaL_Reg both[] = {
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
  {"rows", tensor_rows}, {"equal", tensor_equal}, {"is_readonly", tensor_is_readonly},
  {NULL, NULL}};

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
  lua_pushcfunction(L, tensor_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, tensor_close);
  lua_setfield(L, -2, "__close");
  lua_getfield(L, -2, "methods");
  lua_pushcclosure(L, tensor_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/* {=== lrn_lua.h === */

/* In a state without lrn there is no account, and nothing would ever free what is in the box. */
static int make_box(lua_State *L) {
  if (luaL_getmetatable(L, LRNB_TENSOR) == LUA_TNIL)
    return luaL_error(L, "tensor: lrn is not open in this state; see luaopen_lrn");
  lua_pop(L, 1);
  lrnB_new_tensor(L);
  return 1;
}

void lrnL_pushtensor(lua_State *L, const lrn_tensor *t) {
  luaL_checkstack(L, 2, NULL);
  make_box(L);
  LRNB_TRY(L, lrn_tensor_alias((lrn_tensor **)(void *)&((lrnB_box *)lua_touserdata(L, -1))->p, t));
}

/* The box is made protected: where there is no memory for it, t is freed, then the error goes on. */
void lrnL_givetensor(lua_State *L, lrn_tensor *t) {
  if (!lua_checkstack(L, 2)) {
    lrn_tensor_free(t);
    luaL_error(L, "stack overflow");
  }
  lua_pushcfunction(L, make_box);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
    lrn_tensor_free(t);
    lua_error(L);
  }
  ((lrnB_box *)lua_touserdata(L, -1))->p = t;
  lrnB_result(L);
}

int lrnL_raise(lua_State *L, int status) { return lrnB_fail(L, status); }

lrn_tensor *lrnL_checktensor(lua_State *L, int arg) { return lrnB_tensor(L, arg, "tensor"); }
lrn_tensor *lrnL_totensor(lua_State *L, int arg) { return lrnB_opt_tensor(L, arg, "tensor"); }

/* ===} */
