/*
** lrn_lua.h - lrn inside a Lua 5.4 state: open it, and exchange tensors with it.
** The library liblrn_lua links no liblua: the host brings its own, the only one of the process.
**
** Errors     Every function here may raise a Lua error (a longjmp): call it where Lua calls you, in
**            a lua_CFunction below lua_pcall, and hold nothing there that only a C++ destructor
**            or a later free would release. Messages name function, argument, what came, and
**            what was expected; lrn.error.kind(message) gives their kind.
** Threads    A state, with all its coroutines, belongs to one thread at a time, as everywhere in
**            Lua: each function may be called from any thread that may use L, and from several
**            threads at once for different states. Nothing is shared between states but the
**            process's settings (lrn_set_threads, ...; lrn.set in Lua). A tensor goes to another
**            thread or state by its storage: take a view (lrn_tensor_alias) while the value is
**            on the stack, free it there; the count is atomic, the elements are as in lrn.h.
*/
#ifndef LRN_LUA_H
#define LRN_LUA_H

#include "lrn.h"

#ifdef __cplusplus
extern "C" {
#endif

#include <lua.h> /* has no extern "C" of its own */

/* Leaves the module table on the stack; for luaL_requiref(L, "lrn", luaopen_lrn, 0). Needs the
   libraries package and base, and for most modules those of luaL_openlibs. The mode of the
   garbage collector, signals and the locale stay as the host has them. Raises on another Lua
   version.
   Threads: states may be opened in several threads at once. */
LRN_API int luaopen_lrn(lua_State *L);

/* Push a tensor as userdata. The state takes a view of its own (lrn_tensor_alias), freed by the
   collector, by lua_close, or by t:close() in the script: the caller keeps `t` and frees it,
   also where this raises (out of memory; lrn is not open in L).
   Threads: t is read, so that several threads may push one tensor, each to its own state; the
   view may be the last to live, and then the state's thread runs the release of wrapped memory. */
LRN_API void lrnL_pushtensor(lua_State *L, const lrn_tensor *t);

/* Push a tensor and give it away: the state owns `t` from here on, and frees it also where this
   raises (out of memory). For the results of a lua_CFunction. Its bytes count for the pace of the
   garbage collector, as those of tensors made in Lua do.
   Threads: no other thread may use this header any more; views of its storage are free. */
LRN_API void lrnL_givetensor(lua_State *L, lrn_tensor *t);

/* The tensor at stack index arg, lent: valid while the value is on the stack or referenced and
   not closed. Raises an argument error for anything else.
   Threads: the lent header may be read by other threads while this one keeps the value alive and
   the script cannot close it; safer is a view of its own for each (lrn_tensor_alias). */
LRN_API lrn_tensor *lrnL_checktensor(lua_State *L, int arg);

/* Same, but NULL for a value that is no tensor; a closed tensor raises.
   Threads: as lrnL_checktensor. */
LRN_API lrn_tensor *lrnL_totensor(lua_State *L, int arg);

/* The model (lrn.RBM and its kin) at stack index arg, lent for inference in C, with a workspace of
   the host's own: valid while the script's model is referenced, and is not the target of a
   resume, which puts another in its place. Raises an argument error for anything else.
   Threads: many may read it at once, as any model, while no thread runs the script: fit and
   assignments to its fields write to it. */
LRN_API const lrn_rbm *lrnL_checkrbm(lua_State *L, int arg);

/* Raise the failure that an engine call has just returned, at the line of the Lua caller:
   `if (st != LRN_OK) return lrnL_raise(L, st);`
   Threads: reads the thread-local message, so call it in the thread of the failing call. */
LRN_API int lrnL_raise(lua_State *L, int status);

#ifdef __cplusplus
}
#endif
#endif
