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
/* Rows of v in a model's sense: one dimension is one row. */
int64_t lrnB_rows(const lrn_tensor *v);
/* New tensors on the top: float64 on the CPU, of nd dimensions; and one of a model's dtype and device, n x
   units, or n values for 0 units. */
lrn_tensor *lrnB_doubles(lua_State *L, int nd, int64_t rows, int64_t columns, const char *f);
lrn_tensor *lrnB_model_output(lua_State *L, const lrn_rbm_options *o, int64_t n, int64_t units, const char *f);
/* statistics() -> {mean =, std =}, or nothing */
int lrnB_push_statistics(lua_State *L, const lrn_rbm *m);
/* (chains, ladder, base or nil) from 2 on */
void lrnB_anneal_args(lua_State *L, int64_t *chains, lrn_tensor **ladder, lrn_tensor **base);
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

/* Room for the n rows of one call; and as many as a workspace needs for them. */
void lrnB_inference_room(lua_State *L, lrnB_core *c, int64_t n);
int64_t lrnB_inference_batch(int64_t n);

extern const luaL_Reg lrnB_ratings_methods[];  /* lratings.c */
extern const luaL_Reg lrnB_sampling_methods[]; /* lsample.c */

#endif
