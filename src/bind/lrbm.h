/*
** lrbm.h - lrn.Core, for the files that add methods to it.
*/
#ifndef LRN_BIND_LRBM_H
#define LRN_BIND_LRBM_H

#include "bind/lbind.h"

typedef struct lrnB_core {
  lrn_rbm *m;
  lrn_work *w;
  lrnB_tally tally;
} lrnB_core;

/* The open model at argument 1. */
lrnB_core *lrnB_check_core(lua_State *L, const char *f);
/* Model and workspace have the sizes that count from now on. */
void lrnB_count_core(lrnB_core *c);
/* What a call that trains returns: nothing, or message and kind where the numbers are at fault. */
int lrnB_trained(lua_State *L, int st);
/* A new tensor of the model's kind on the top: n x units, or n values for 0 units. */
lrn_tensor *lrnB_core_output(lua_State *L, const lrnB_core *c, int64_t n, int64_t units, const char *f);

extern const luaL_Reg lrnB_ratings_methods[]; /* lratings.c */

#endif
