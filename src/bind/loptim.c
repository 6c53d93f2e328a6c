/*
** loptim.c - one step of an optimiser on one tensor, for lua/lrn/optim.lua.
*/
#include "bind/lbind.h"
#include "lrn_lua.h"

static double number_of(lua_State *L, const char *name) {
  double x;
  lua_getfield(L, 1, name);
  x = luaL_optnumber(L, -1, 0);
  lua_pop(L, 1);
  return x;
}

/* optimize(options, theta, g, m, s or nil, bad, place, norm2 or nil): see lrn_optimize; place from
   1 on. decay and l1 act on what has two dimensions and more. */
static int core_optimize(lua_State *L) {
  lrn_tensor *theta = lrnB_tensor(L, 2, "step"), *g = lrnB_tensor(L, 3, "step");
  lrn_tensor *m = lrnB_tensor(L, 4, "step"), *s = lrnB_opt_tensor(L, 5, "step");
  lrn_tensor *bad = lrnB_tensor(L, 6, "step"), *norm2 = lrnB_opt_tensor(L, 8, "step");
  int64_t place = lrnB_integer(L, 7, "step", "place") - LRN_BASE;
  int weights = lrn_tensor_ndim(theta) > 1;
  lrn_update_options o;
  luaL_checktype(L, 1, LUA_TTABLE);
  o = (lrn_update_options){.learning_rate = number_of(L, "learning_rate"),
                           .momentum = number_of(L, "momentum"),
                           .decay = weights ? number_of(L, "decay") : 0,
                           .l1 = weights ? number_of(L, "l1") : 0,
                           .clip = number_of(L, "clip"),
                           .beta1 = number_of(L, "beta1"),
                           .beta2 = number_of(L, "beta2"),
                           .epsilon = number_of(L, "epsilon"),
                           .step = (int64_t)number_of(L, "step")};
  LRNB_TRY(L, lrn_optimize(theta, m, s, g, norm2, bad, place, &o));
  return 0;
}

void lrnB_open_optim(lua_State *L) {
  lua_pushcfunction(L, core_optimize);
  lua_setfield(L, -2, "optimize");
}
