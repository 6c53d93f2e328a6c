/*
** lrbm.h - what the bindings of models share: options, state, and lrn.Core.
*/
#ifndef LRN_BIND_LRBM_H
#define LRN_BIND_LRBM_H

#include "bind/lbind.h"

/* The options in the table at 1, for the constructor f, a closure whose first upvalue is the core table. */
void lrnB_model_options(lua_State *L, lrn_rbm_options *o, const char *f);
/* get(name) -> value; set(name, value): the arguments from 2 on. */
int lrnB_push_model_option(lua_State *L, const lrn_rbm_options *o, const char *f);
void lrnB_set_model_option(lua_State *L, lrn_rbm_options *o, const char *f);
/* state() -> table; set_state(table) */
int lrnB_push_state(lua_State *L, const lrn_work *w);
int lrnB_set_state(lua_State *L, lrn_work *w);
/* (data, index or nil, first, count, labels or nil, weights or nil) from 2 on */
lrn_batch lrnB_batch(lua_State *L);
/* What a call that trains returns: nothing, or message and kind where the numbers are at fault. */
int lrnB_trained(lua_State *L, int st);

typedef struct lrnB_core {
  lrn_rbm *m;
  lrn_work *w;
  lrnB_tally tally;
} lrnB_core;

/* The open model at argument 1. */
lrnB_core *lrnB_check_core(lua_State *L, const char *f);
/* Model and workspace have the sizes that count from now on. */
void lrnB_count_core(lrnB_core *c);
/* A new tensor of the model's kind on the top: n x units, or n values for 0 units. */
lrn_tensor *lrnB_core_output(lua_State *L, const lrnB_core *c, int64_t n, int64_t units, const char *f);

extern const luaL_Reg lrnB_ratings_methods[]; /* lratings.c */

#endif
