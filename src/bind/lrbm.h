/*
** lrbm.h - what the bindings of models share.
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

#endif
