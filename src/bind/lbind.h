/*
** lbind.h - what every file of the binding shares: boxes, argument readers, errors.
**
** A binding function checks its arguments, makes the empty box of its result, lets the engine
** store into the box, and raises on failure: an error's longjmp passes over no C resource that
** Lua does not hold. Integers are 1-based in Lua and 0-based in C; the readers here, and
** LRN_BASE where index tensors are read or written, are the only places that know it.
*/
#ifndef LRN_BIND_LBIND_H
#define LRN_BIND_LBIND_H

#include <lauxlib.h>
#include <lua.h>

#include "lrn.h"

#define LRN_BASE 1

/* {=== Errors === */

/* Raises "file:line: message" at the first caller outside of lrn's own Lua files; lrn.error.kind
   knows the kind of it afterwards. */
int lrnB_raise(lua_State *L, const char *kind, const char *format, ...);
/* The last engine failure, with the kind that its status has. */
int lrnB_fail(lua_State *L, int status);
/* The same under the name of the binding's function: what stands before the first colon goes. */
int lrnB_fail_as(lua_State *L, const char *f, int status);
/* Pushes nil, message, code for a fact about the world (LRN_EIO, LRN_EFORMAT) and returns 3; any
   other failure raises. */
int lrnB_world(lua_State *L, int status);

/* An engine call; when memory is out, a full collection and one retry. */
#define LRNB_OR(L, call, fail)                               \
  do {                                                       \
    int lrnB_st = (call);                                    \
    if (lrnB_st == LRN_ENOMEM) {                             \
      lrnB_collect(L);                                       \
      lrnB_st = (call);                                      \
    }                                                        \
    if (lrnB_st != LRN_OK)                                   \
      fail;                                                  \
  } while (0)
#define LRNB_TRY(L, call) LRNB_OR(L, call, lrnB_fail(L, lrnB_st))
#define LRNB_TRY_AS(L, f, call) LRNB_OR(L, call, lrnB_fail_as(L, f, lrnB_st))

/* ===} */

/* {=== The collector's pace (lgc.c) === */

typedef struct lrnB_account lrnB_account;

/* What an object of the engine holds, in the account of its state. */
typedef struct lrnB_tally {
  lrnB_account *account;
  size_t bytes; /* counted so far; views hold nothing of their own */
  int closed;   /* the program closed it: no use from then on */
} lrnB_tally;

/* Before an object is made: lets the collector work for what was made since the last time. */
void lrnB_pace(lua_State *L);
void lrnB_tally_begin(lua_State *L, lrnB_tally *tally);
/* The object holds so many bytes from now on. */
void lrnB_tally_set(lrnB_tally *tally, size_t bytes);
/* It holds nothing any more, and that without the collector's help. */
void lrnB_tally_close(lrnB_tally *tally);
/* Marks as closed. 1: the memory must wait for __gc. Inside of a finalizer, which may run at any
   allocation, a function of ours may be at work on the object. */
int lrnB_closes_later(lua_State *L, lrnB_tally *tally);
void lrnB_collect(lua_State *L); /* fully, finalizers included */

/* ===} */

/* {=== Boxes: userdata that holds one pointer to an engine object === */

typedef struct lrnB_box {
  void *p; /* NULL: freed, or not yet filled */
  lrnB_tally tally;
} lrnB_box;

typedef void (*lrnB_free)(void *p);

/* A class of boxes: methods, metamethods, and what frees the object. __close and the method close
   are one idempotent function. */
void lrnB_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *meta,
                lua_CFunction close, lua_CFunction gc);
/* Bodies of __gc, and of __close and close. */
int lrnB_box_gc(lua_State *L, const char *class_name, lrnB_free free_object);
int lrnB_box_close(lua_State *L, const char *class_name, lrnB_free free_object);
/* The open object in a box; NULL where it is closed. */
static inline void *lrnB_open_object(const lrnB_box *box) {
  return box->tally.closed ? NULL : box->p;
}
lrnB_box *lrnB_new(lua_State *L, const char *class_name);
/* The open object at arg; "f: argument 2: got nil, expected a tensor" otherwise. */
void *lrnB_check(lua_State *L, int arg, const char *class_name, const char *function);

#define LRNB_TENSOR "lrn.Tensor"
lrn_tensor **lrnB_new_tensor(lua_State *L); /* an empty box on the stack */
lrn_tensor *lrnB_tensor(lua_State *L, int arg, const char *function);
lrn_tensor *lrnB_opt_tensor(lua_State *L, int arg, const char *function); /* NULL: no tensor */
/* The open tensor at index; NULL for anything else. */
static inline lrn_tensor *lrnB_open_tensor_at(lua_State *L, int index) {
  lrnB_box *box = luaL_testudata(L, index, LRNB_TENSOR);
  return box != NULL ? lrnB_open_object(box) : NULL;
}
/* Counts the bytes of the tensor on the top, which is no view. Returns 1. */
int lrnB_result(lua_State *L);
/* Frees at once the tensor in the box at index, a temporary of ours. */
void lrnB_drop(lua_State *L, int index);

/* ===} */

/* {=== Argument readers: f is the function's name, name the argument's === */

const char *lrnB_show(lua_State *L, int arg); /* a value as it stands in messages */
int64_t lrnB_integer(lua_State *L, int arg, const char *f, const char *name);
double lrnB_number(lua_State *L, int arg, const char *f, const char *name);
const char *lrnB_string(lua_State *L, int arg, const char *f, const char *name);
/* 0-based dimension of a tensor with nd of them; -1 is the last; 0 raises. */
int lrnB_dim(lua_State *L, int arg, int nd, const char *f, const char *name);
/* 0-based position in a dimension of that size. */
int64_t lrnB_index(lua_State *L, int arg, int64_t size, const char *f, const char *name);
/* The length of the list at arg. Lists and options are read raw, without metamethods: those could
   close what the function holds. So a proxy, whose __len speaks for another table, is refused. */
lua_Integer lrnB_length(lua_State *L, int arg, const char *f, const char *name);
/* Sizes: one list at arg, or integers from arg on. Returns nd; *next is the argument after. */
int lrnB_sizes(lua_State *L, int arg, int64_t size[LRN_MAXDIM], int *next, const char *f);
/* A mask of dimensions: nil (0), a number, or a list. */
unsigned lrnB_dims(lua_State *L, int arg, int nd, const char *f);

/* The options table at arg (nil: none): raises for a key that is not in `valid` (ended by NULL). */
void lrnB_options(lua_State *L, int arg, const char *f, const char *const *valid);
/* Option `name`: pushes its value and returns its type; LUA_TNIL (nothing pushed) if absent. */
int lrnB_option(lua_State *L, int arg, const char *name);
/* options.dtype (or `dtype`), options.device (or `device`) */
int lrnB_dtype_option(lua_State *L, int arg, int dtype, const char *f);
const lrn_device *lrnB_device_option(lua_State *L, int arg, const lrn_device *device,
                                     const char *f);
int lrnB_parse_dtype(lua_State *L, int arg, const char *f);
const lrn_device *lrnB_open_device(lua_State *L, const char *name, const char *f);
/* What lrn.set{ dtype = } chose. */
int lrnB_default_dtype(lua_State *L);
void lrnB_set_default_dtype(lua_State *L, int dtype);
extern const char *const lrnB_place[]; /* options that say where a tensor lives: dtype, device */
/* The number or boolean at arg into the element at index: a status. */
int lrnB_set_value(lua_State *L, lrn_tensor *t, const int64_t *index, int arg, const char *f);

/* ===} */

/* Each fills the table on the top with its part of lrn.core. */
void lrnB_open_collector(lua_State *L); /* the first: boxes need the account */
void lrnB_open_tensor(lua_State *L);
void lrnB_open_make(lua_State *L);
void lrnB_open_ops(lua_State *L);
void lrnB_open_random(lua_State *L);
void lrnB_open_file(lua_State *L);
void lrnB_open_part(lua_State *L);
void lrnB_open_rbm(lua_State *L);
void lrnB_open_dbm(lua_State *L);
void lrnB_open_optim(lua_State *L);
void lrnB_open_ratings(lua_State *L);
void lrnB_open_terminal(lua_State *L);

/* Functions that stand in the core table (at `core`) and, with the same name, among the methods of
   tensors. */
void lrnB_tensor_functions(lua_State *L, const luaL_Reg *functions);

/* What the n selectors at `first` choose; is_key: t[s], where a table is a list of selectors
   (in a call it is a range). */
int lrnB_get_selected(lua_State *L, lrn_tensor *t, int first, int n, int is_key);
int lrnB_set_selected(lua_State *L, lrn_tensor *t, int selector, int value);
/* The value at `value` as a tensor of t's dtype and device, on the top: a tensor as it is, else a
   number or boolean, checked against the dtype, becomes one element. */
lrn_tensor *lrnB_value_tensor(lua_State *L, const lrn_tensor *t, int value, const char *f);
/* A number or boolean into every element of t, checked against its dtype. */
void lrnB_fill(lua_State *L, lrn_tensor *t, int arg, const char *f);
int lrnB_push_element(lua_State *L, const lrn_tensor *t, const int64_t *index);
/* A full reduction as a Lua value: bool, integer or float by dtype. */
int lrnB_push_item(lua_State *L, const lrn_tensor *t);
/* An operand of an elementwise operation. */
lrn_arg lrnB_arg(lua_State *L, int arg, const char *f);
/* The generator that calls without one use: one key of stream `user`, and counts the call. */
lrn_key lrnB_next_key(lua_State *L);

#endif
