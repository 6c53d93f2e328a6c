/*
** lrn_lua.h - lrn inside a Lua 5.4 state: open it, and exchange tensors with it.
** The library liblrn_lua links no liblua: the host brings its own.
*/
#ifndef LRN_LUA_H
#define LRN_LUA_H

#include "lrn.h"

#ifdef __cplusplus
extern "C" {
#endif

#include <lua.h> /* has no extern "C" of its own */

/* Leaves the module table on the stack; for luaL_requiref(L, "lrn", luaopen_lrn, 0). Any number
   of states per process, each used by one thread at a time. Raises on another Lua version. */
LRN_API int luaopen_lrn(lua_State *L);

/* Push a tensor as userdata. The state takes a view of its own (lrn_tensor_alias): the caller
   keeps `t` and frees it. Raises a Lua error when memory is out. */
LRN_API void lrnL_pushtensor(lua_State *L, const lrn_tensor *t);

/* The tensor at stack index arg, lent: valid while the value is on the stack or referenced and
   not closed. Raises an argument error for anything else. */
LRN_API lrn_tensor *lrnL_checktensor(lua_State *L, int arg);

/* Same, but NULL for a value that is no tensor; a closed tensor raises. */
LRN_API lrn_tensor *lrnL_totensor(lua_State *L, int arg);

#ifdef __cplusplus
}
#endif
#endif
