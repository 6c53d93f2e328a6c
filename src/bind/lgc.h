/*
** lgc.h - the one place that knows LUA_GCSTEP, whose unit is another in Lua 5.5; for the plots' own
** library too.
*/
#ifndef LRN_BIND_LGC_H
#define LRN_BIND_LGC_H

#include <lua.h>
#include <stddef.h>

/* The collector works as if Lua had allocated so many bytes. */
static inline void lrnB_tell_collector(lua_State *L, size_t bytes) {
  size_t kb = bytes / 1024;
  lua_gc(L, LUA_GCSTEP, (int)(kb > 1 << 20 ? 1 << 20 : kb));
}

#endif
