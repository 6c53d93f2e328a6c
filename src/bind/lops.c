/*
** lops.c - what tensors compute: the rows of ops.def as methods and operators, reductions,
** positions, joining, products.
*/
#include "bind/lbind.h"

#define T1(f) lrn_tensor *t = lrnB_tensor(L, 1, f)

/* {=== Elementwise === */

lrn_arg lrnB_arg(lua_State *L, int arg, const char *f) {
  if (luaL_testudata(L, arg, LRNB_TENSOR) != NULL)
    return lrn_argt(lrnB_tensor(L, arg, f));
  switch (lua_type(L, arg)) {
    case LUA_TBOOLEAN: return lrn_argb(lua_toboolean(L, arg));
    case LUA_TNUMBER:
      return lua_isinteger(L, arg) ? lrn_argi(lua_tointeger(L, arg)) : lrn_argd(lua_tonumber(L, arg));
    default:
      lrnB_raise(L, "type", "%s: argument %d: got %s, expected a tensor or a number", f, arg,
                 lrnB_show(L, arg));
      return lrn_argi(0);
  }
}

/* Operands of *op from the stack, behind them nothing but an option table. A clamp with one limit
   is a maximum or minimum: a limit at infinity would make floats of integers. Returns the place of
   the options. */
static int read_args(lua_State *L, int *op, lrn_arg args[3]) {
  const char *name = lrn_op_name(*op);
  int n = lrn_op_arity(*op), options = n + 1, first = 0, any = 0;
  if (*op == lrn_op_find("clamp") && (lua_isnoneornil(L, 2) || lua_isnoneornil(L, 3) ||
                                      (lua_istable(L, 3) && lua_isnone(L, 4)))) {
    int low = !lua_isnoneornil(L, 2);
    if (!low && lua_type(L, 3) != LUA_TNUMBER && luaL_testudata(L, 3, LRNB_TENSOR) == NULL)
      lrnB_raise(L, "type", "%s: got no limit, expected a lowest or a highest value", name);
    if (lua_istable(L, 3))
      options = 3;
    args[0] = lrnB_arg(L, 1, name);
    args[1] = lrnB_arg(L, low ? 2 : 3, name);
    any = args[0].t != NULL || args[1].t != NULL;
    *op = lrn_op_find(low ? "maximum" : "minimum");
  } else
    for (; first < n; first++) {
      args[first] = lrnB_arg(L, first + 1, name);
      any |= args[first].t != NULL;
    }
  if (!any)
    lrnB_raise(L, "type", "%s: got no tensor among the arguments", name);
  if (lua_gettop(L) > options || (lua_gettop(L) == options && !lua_isnil(L, options) &&
                                  !lua_istable(L, options)))
    lrnB_raise(L, "argument", "%s: got %d arguments, expected %d", name, lua_gettop(L), n);
  return options;
}

/* upvalue 1: the operation */
static int op_new(lua_State *L) {
  static const char *const valid[] = {"out", NULL};
  int op = (int)lua_tointeger(L, lua_upvalueindex(1)), options;
  const char *name = lrn_op_name(op);
  lrn_arg args[3];
  lrn_tensor **out;
  options = read_args(L, &op, args);
  lrnB_options(L, options, name, valid);
  if (lrnB_option(L, options, "out") != LUA_TNIL) {
    lrn_tensor *into = lrnB_tensor(L, lua_gettop(L), name);
    LRNB_TRY_AS(L, name, lrn_map(NULL, into, op, args, lrn_op_arity(op)));
    return 1;
  }
  out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, name, lrn_map(out, NULL, op, args, lrn_op_arity(op)));
  return lrnB_result(L);
}

static int op_in_place(lua_State *L) {
  static const char *const valid[] = {NULL};
  int op = (int)lua_tointeger(L, lua_upvalueindex(1));
  const char *name = lua_tostring(L, lua_upvalueindex(2));
  lrn_tensor *t = lrnB_tensor(L, 1, name);
  lrn_arg args[3];
  lrnB_options(L, read_args(L, &op, args), name, valid);
  LRNB_TRY_AS(L, name, lrn_map(NULL, t, op, args, lrn_op_arity(op)));
  lua_settop(L, 1);
  return 1;
}

/* An operator: Lua gives a unary one its operand twice. */
static int op_operator(lua_State *L) {
  int op = (int)lua_tointeger(L, lua_upvalueindex(1)), n = lrn_op_arity(op);
  lrn_arg args[3];
  lrn_tensor **out;
  lua_settop(L, n);
  read_args(L, &op, args);
  out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_map(out, NULL, op, args, n));
  return lrnB_result(L);
}

static int op_order(lua_State *L) {
  return lrnB_raise(L, "type", "tensor: < and <= give one boolean in Lua; use a:lt(b), a:le(b), "
                    "a:gt(b), a:ge(b)");
}

static const struct {
  const char *event, *op;
} operators[] = {{"__add", "add"},      {"__sub", "sub"},  {"__mul", "mul"},  {"__div", "div"},
                 {"__idiv", "floordiv"}, {"__mod", "mod"},  {"__pow", "pow"},  {"__unm", "neg"},
                 {"__band", "band"},    {"__bor", "bor"},  {"__bxor", "bxor"}, {"__bnot", "bnot"}};

/* ops() -> list of {name =, arity =, help =} */
static int core_ops(lua_State *L) {
  lua_createtable(L, lrn_op_count(), 0);
  for (int op = 0; op < lrn_op_count(); op++) {
    lua_createtable(L, 0, 3);
    lua_pushstring(L, lrn_op_name(op));
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, lrn_op_arity(op));
    lua_setfield(L, -2, "arity");
    lua_pushstring(L, lrn_op_help(op));
    lua_setfield(L, -2, "help");
    lua_rawseti(L, -2, op + 1);
  }
  return 1;
}

/* ===} */

/* {=== Reductions: without dim a Lua value, along dims a tensor === */

static int keepdim(lua_State *L, int arg) { return lua_toboolean(L, arg); }

/* The box on the top is the result: as it is, or its only element. */
static int reduced(lua_State *L, unsigned dims, int keep) {
  lrnB_box *box = lua_touserdata(L, -1);
  return dims == 0 && !keep ? lrnB_push_item(L, box->p) : lrnB_result(L);
}

static int reduce_by(lua_State *L, const char *red, const char *f) {
  T1(f);
  unsigned dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), f);
  int keep = keepdim(L, 3);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_reduce(out, lrn_reduce_find(red), t, dims, keep));
  return reduced(L, dims, keep);
}
static int tensor_sum(lua_State *L) { return reduce_by(L, "sum", "sum"); }
static int tensor_max(lua_State *L) { return reduce_by(L, "max", "max"); }
static int tensor_min(lua_State *L) { return reduce_by(L, "min", "min"); }
static int tensor_count_nonzero(lua_State *L) { return reduce_by(L, "count", "count_nonzero"); }

static int tensor_mean(lua_State *L) {
  T1("mean");
  unsigned dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), "mean");
  int keep = keepdim(L, 3);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_mean(out, t, dims, keep));
  return reduced(L, dims, keep);
}

/* var(dim, keepdim, {correction = 1}); a table may stand in place of keepdim */
static int variance(lua_State *L, int root, const char *f) {
  static const char *const valid[] = {"correction", NULL};
  T1(f);
  unsigned dims;
  int keep, options = lua_istable(L, 3) ? 3 : 4;
  double correction = 1;
  lrn_tensor **out;
  lua_settop(L, 4);
  dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), f);
  keep = options == 4 && keepdim(L, 3);
  lrnB_options(L, options, f, valid);
  if (lrnB_option(L, options, "correction") != LUA_TNIL)
    correction = lrnB_number(L, lua_gettop(L), f, "correction");
  out = lrnB_new_tensor(L);
  LRNB_TRY(L, (root ? lrn_std : lrn_var)(out, t, dims, keep, correction));
  return reduced(L, dims, keep);
}
static int tensor_var(lua_State *L) { return variance(L, 0, "var"); }
static int tensor_std(lua_State *L) { return variance(L, 1, "std"); }

static int tensor_norm(lua_State *L) {
  T1("norm");
  unsigned dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), "norm");
  int keep = keepdim(L, 3);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_norm(out, t, dims, keep));
  return reduced(L, dims, keep);
}

static int tensor_logsumexp(lua_State *L) {
  T1("logsumexp");
  unsigned dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), "logsumexp");
  int keep = keepdim(L, 3);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "logsumexp", lrn_logsumexp(out, t, dims, keep));
  return reduced(L, dims, keep);
}

/* any and all of nothing are false and true, as in logic */
static int truth(lua_State *L, int all, const char *f) {
  T1(f);
  unsigned dims = lrnB_dims(L, 2, lrn_tensor_ndim(t), f);
  int keep = keepdim(L, 3);
  lrn_tensor **flags = lrnB_new_tensor(L), **count, **out;
  lrn_arg args[2] = {lrn_argt(t), lrn_argi(0)};
  LRNB_TRY(L, lrn_map(flags, NULL, lrn_op_find(all ? "eq" : "ne"), args, 2));
  count = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_reduce(count, lrn_reduce_find("count"), *flags, dims, keep));
  out = lrnB_new_tensor(L);
  args[0] = lrn_argt(*count);
  LRNB_TRY(L, lrn_map(out, NULL, lrn_op_find(all ? "eq" : "ne"), args, 2));
  lrnB_drop(L, -3);
  lrnB_drop(L, -2);
  return reduced(L, dims, keep);
}
static int tensor_any(lua_State *L) { return truth(L, 0, "any"); }
static int tensor_all(lua_State *L) { return truth(L, 1, "all"); }

static int arg_extreme(lua_State *L, int max, const char *f) {
  T1(f);
  int d = lua_isnoneornil(L, 2) ? -1 : lrnB_dim(L, 2, lrn_tensor_ndim(t), f, "dim");
  int keep = keepdim(L, 3);
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_argextreme(out, t, max, d, keep, LRN_BASE));
  return reduced(L, d < 0 ? 0 : 1, keep);
}
static int tensor_argmax(lua_State *L) { return arg_extreme(L, 1, "argmax"); }
static int tensor_argmin(lua_State *L) { return arg_extreme(L, 0, "argmin"); }

/* ===} */

/* {=== Positions and joining === */

static int tensor_index_select(lua_State *L) {
  T1("index_select");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "index_select", "dim");
  lrn_tensor *idx = lrnB_tensor(L, 3, "index_select"), **out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "index_select", lrn_index_select(out, t, d, idx, LRN_BASE));
  return lrnB_result(L);
}
static int tensor_gather(lua_State *L) {
  T1("gather");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "gather", "dim");
  lrn_tensor *idx = lrnB_tensor(L, 3, "gather"), **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_gather(out, t, d, idx, LRN_BASE));
  return lrnB_result(L);
}
static int tensor_index_copy_(lua_State *L) {
  T1("index_copy_");
  int d = lrnB_dim(L, 2, lrn_tensor_ndim(t), "index_copy_", "dim");
  lrn_tensor *idx = lrnB_tensor(L, 3, "index_copy_");
  lrn_tensor *src = lrnB_value_tensor(L, t, 4, "index_copy_");
  LRNB_TRY_AS(L, "index_copy_", lrn_index_copy(t, d, idx, LRN_BASE, src));
  lua_settop(L, 1);
  return 1;
}
static int tensor_masked_select(lua_State *L) {
  T1("masked_select");
  lrn_tensor *mask = lrnB_tensor(L, 2, "masked_select"), **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_masked_select(out, t, mask));
  return lrnB_result(L);
}
static int tensor_masked_fill(lua_State *L) {
  T1("masked_fill");
  lrn_tensor *mask = lrnB_tensor(L, 2, "masked_fill"), **out;
  lrn_arg args[3] = {lrn_argt(mask), lrnB_arg(L, 3, "masked_fill"), lrn_argt(t)};
  out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "masked_fill", lrn_map(out, NULL, lrn_op_find("where"), args, 3));
  return lrnB_result(L);
}
static int tensor_nonzero(lua_State *L) {
  T1("nonzero");
  lrn_tensor **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_nonzero(out, t, LRN_BASE));
  return lrnB_result(L);
}

/* cat(list [, dim]), stack(list [, dim]) */
static int join(lua_State *L, int new_dim, const char *f) {
  lua_Integer n;
  const lrn_tensor **list;
  lrn_tensor **out;
  int nd, d = 0;
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TTABLE)
    return lrnB_raise(L, "type", "%s: list: got %s, expected a table of tensors", f,
                      lrnB_show(L, 1));
  n = lrnB_length(L, 1, f, "list");
  if (n < 1 || n > 1 << 20)
    return lrnB_raise(L, "value", "%s: list: got %lld tensors, expected at least 1", f,
                      (long long)n);
  list = lua_newuserdatauv(L, (size_t)n * sizeof *list, 0);
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, 1, i + 1); /* stays in the table: lent */
    list[i] = lrnB_open_tensor_at(L, -1);
    if (list[i] == NULL)
      return lrnB_raise(L, luaL_testudata(L, -1, LRNB_TENSOR) != NULL ? "state" : "type",
                        "%s: list: got %s at %lld, expected a tensor", f,
                        lrnB_show(L, lua_gettop(L)), (long long)i + 1);
    lua_pop(L, 1);
  }
  nd = lrn_tensor_ndim(list[0]) + new_dim;
  if (!lua_isnoneornil(L, 2))
    d = lrnB_dim(L, 2, nd, f, "dim");
  out = lrnB_new_tensor(L);
  LRNB_TRY(L, (new_dim ? lrn_stack : lrn_cat)(out, list, (int)n, d));
  return lrnB_result(L);
}
static int core_cat(lua_State *L) { return join(L, 0, "cat"); }
static int core_stack(lua_State *L) { return join(L, 1, "stack"); }

/* ===} */

/* {=== Products === */

static int tensor_mm(lua_State *L) {
  T1("mm");
  lrn_tensor *u = lrnB_tensor(L, 2, "mm"), **out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_mm(out, t, u));
  return lrnB_result(L);
}

/* Matrices and vectors: a vector on the left is a row, on the right a column, and its dimension
   is dropped from the result. */
static int product(lua_State *L, const char *f) {
  T1(f);
  lrn_tensor *u = lrnB_tensor(L, 2, f), **a, **b, **c;
  int left = lrn_tensor_ndim(t) == 1, right = lrn_tensor_ndim(u) == 1;
  a = lrnB_new_tensor(L);
  LRNB_TRY(L, left ? lrn_tensor_unsqueeze(a, t, 0) : lrn_tensor_alias(a, t));
  b = lrnB_new_tensor(L);
  LRNB_TRY(L, right ? lrn_tensor_unsqueeze(b, u, 1) : lrn_tensor_alias(b, u));
  c = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_mm(c, *a, *b));
  if (right) {
    lrn_tensor **flat = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_squeeze(flat, *c, 1));
    c = flat;
  }
  if (left) {
    lrn_tensor **flat = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_squeeze(flat, *c, 0));
  }
  return lrnB_result(L);
}
static int tensor_matmul(lua_State *L) { return product(L, "matmul"); }
static int tensor_mv(lua_State *L) {
  if (lrn_tensor_ndim(lrnB_tensor(L, 1, "mv")) != 2 || lrn_tensor_ndim(lrnB_tensor(L, 2, "mv")) != 1)
    return lrnB_raise(L, "size", "mv: got %s and %s, expected a matrix and a vector",
                      lrnB_show(L, 1), lrnB_show(L, 2));
  return product(L, "mv");
}

static int tensor_dot(lua_State *L) {
  T1("dot");
  lrn_tensor *u = lrnB_tensor(L, 2, "dot"), **out;
  if (lrn_tensor_ndim(t) != 1 || lrn_tensor_ndim(u) != 1 ||
      lrn_tensor_size(t, 0) != lrn_tensor_size(u, 0))
    return lrnB_raise(L, "size", "dot: got %s and %s, expected vectors of one length",
                      lrnB_show(L, 1), lrnB_show(L, 2));
  out = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_reduce2(out, lrn_reduce_find("dot"), t, u, 0, 0));
  return lrnB_push_item(L, *out);
}

static int tensor_outer(lua_State *L) {
  T1("outer");
  lrn_tensor *u = lrnB_tensor(L, 2, "outer"), **a, **out;
  lrn_arg args[2];
  if (lrn_tensor_ndim(t) != 1 || lrn_tensor_ndim(u) != 1)
    return lrnB_raise(L, "size", "outer: got %s and %s, expected two vectors", lrnB_show(L, 1),
                      lrnB_show(L, 2));
  a = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_unsqueeze(a, t, 1));
  args[0] = lrn_argt(*a);
  args[1] = lrn_argt(u);
  out = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, "outer", lrn_map(out, NULL, lrn_op_find("mul"), args, 2));
  return lrnB_result(L);
}

/* ===} */

static const luaL_Reg functions[] = {
  {"ops", core_ops}, {"cat", core_cat}, {"stack", core_stack}, {NULL, NULL}};

static const luaL_Reg both[] = {
  {"sum", tensor_sum}, {"max", tensor_max}, {"min", tensor_min}, {"mean", tensor_mean},
  {"var", tensor_var}, {"std", tensor_std}, {"norm", tensor_norm},
  {"logsumexp", tensor_logsumexp}, {"any", tensor_any}, {"all", tensor_all},
  {"argmax", tensor_argmax}, {"argmin", tensor_argmin}, {"count_nonzero", tensor_count_nonzero},
  {"index_select", tensor_index_select}, {"gather", tensor_gather},
  {"index_copy_", tensor_index_copy_}, {"masked_select", tensor_masked_select},
  {"masked_fill", tensor_masked_fill}, {"nonzero", tensor_nonzero}, {"mm", tensor_mm},
  {"matmul", tensor_matmul}, {"mv", tensor_mv}, {"dot", tensor_dot}, {"outer", tensor_outer},
  {NULL, NULL}};

void lrnB_open_ops(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lrnB_tensor_functions(L, both);
  lua_getfield(L, -1, "methods");
  for (int op = 0; op < lrn_op_count(); op++) {
    lua_pushinteger(L, op);
    lua_pushcclosure(L, op_new, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, lrn_op_name(op)); /* core */
    lua_setfield(L, -2, lrn_op_name(op)); /* methods */
    lua_pushfstring(L, "%s_", lrn_op_name(op));
    lua_pushinteger(L, op);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, op_in_place, 2);
    lua_settable(L, -3);
  }
  lua_pop(L, 1);
  luaL_getmetatable(L, LRNB_TENSOR);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    lua_pushinteger(L, lrn_op_find(operators[i].op));
    lua_pushcclosure(L, op_operator, 1);
    lua_setfield(L, -2, operators[i].event);
  }
  lua_pushcfunction(L, op_order);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__lt");
  lua_setfield(L, -2, "__le");
  lua_pop(L, 1);
}
