/*
** lrn.c - lrn.so: what `require "lrn"` opens in a stock lua5.4. luaopen_lrn itself is in
** liblrn_lua.so, which this file depends on; the loader's dlsym finds it there.
*/
#include "lrn_lua.h"

/* Keeps the dependency on liblrn_lua.so through --as-needed. */
int (*const lrn_module_anchor)(lua_State *) = luaopen_lrn;
