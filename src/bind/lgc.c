/*
** lgc.c - the collector's pace. Lua sees a userdata of 40 bytes where an object holds megabytes, so
** each state keeps an account of the bytes behind its objects, in two parts:
**
**   owed   bytes made since the collector was last told. It is told before an object is made, as if
**          Lua had allocated them (LUA_GCSTEP): garbage goes before new memory comes. For what the
**          program closed in the meantime nothing is owed.
**   live   bytes of the objects that are neither closed nor collected. A generational collector
**          leaves objects that grew old to a full collection, which comes when Lua's own heap has
**          doubled: never, for a loop over large tensors. So there is one where live has grown,
**          over what the last one left, by Lua's heap + 8 MB (which pays for marking the heap) and
**          by an eighth (so that a live set which grows sees a logarithmic number of them).
**
** Nothing is done while the program has stopped the collector, nor inside of a finalizer.
*/
#include <string.h>

#include "bind/lbind.h"
#include "bind/lgc.h"

enum { UNIT = 1024, SLACK = 8 << 20 };

struct lrnB_account {
  size_t owed, live;
  size_t floor;  /* live after the last full collection, or less */
  int64_t fulls; /* full collections so far */
  int unpaced;   /* for measurements */
};

static const char account_key = 'a'; /* registry: the state's account, a userdata */

static lrnB_account *account_of(lua_State *L) {
  lrnB_account *a;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &account_key);
  a = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return a;
}

static int is_time_for_all(lua_State *L, const lrnB_account *a) {
  size_t growth = a->live - a->floor;
  return growth > SLACK && growth > a->floor / 8 &&
         growth > SLACK + (size_t)lua_gc(L, LUA_GCCOUNT) * UNIT;
}

static void pace(lua_State *L, lrnB_account *a) {
  size_t owed = a->owed;
  if (owed < UNIT)
    return;
  a->owed = 0;
  if (a->unpaced || lua_gc(L, LUA_GCISRUNNING) != 1)
    return;
  if (is_time_for_all(L, a)) {
    a->fulls++;
    lua_gc(L, LUA_GCCOLLECT);
    a->floor = a->live;
  } else
    lrnB_tell_collector(L, owed);
}

void lrnB_tally_begin(lua_State *L, lrnB_tally *tally) {
  tally->account = account_of(L);
  tally->bytes = 0;
  tally->closed = 0;
}

void lrnB_pace(lua_State *L) { pace(L, account_of(L)); }

void lrnB_tally_set(lrnB_tally *tally, size_t bytes) {
  lrnB_account *a = tally->account;
  if (bytes > tally->bytes) {
    a->owed += bytes - tally->bytes;
    a->live += bytes - tally->bytes;
  } else {
    a->live -= tally->bytes - bytes;
    if (a->live < a->floor)
      a->floor = a->live;
  }
  tally->bytes = bytes;
}

void lrnB_tally_close(lrnB_tally *tally) {
  lrnB_account *a = tally->account;
  a->owed -= tally->bytes < a->owed ? tally->bytes : a->owed;
  lrnB_tally_set(tally, 0);
}

int lrnB_closes_later(lua_State *L, lrnB_tally *tally) {
  tally->closed = 1;
  return lua_gc(L, LUA_GCCOUNT) < 0;
}

void lrnB_collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT); /* twice: what finalizers release goes in the second */
  lua_gc(L, LUA_GCCOLLECT);
}

/* collector([paced]) -> the account; false switches the pace off: scripts/bench_gc.lua measures
   with and without it */
static int core_collector(lua_State *L) {
  lrnB_account *a = account_of(L);
  if (!lua_isnoneornil(L, 1))
    a->unpaced = !lua_toboolean(L, 1);
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, !a->unpaced);
  lua_setfield(L, -2, "paced");
  lua_pushinteger(L, (lua_Integer)a->live);
  lua_setfield(L, -2, "live_bytes");
  lua_pushinteger(L, (lua_Integer)a->owed);
  lua_setfield(L, -2, "owed_bytes");
  lua_pushinteger(L, a->fulls);
  lua_setfield(L, -2, "full_collections");
  return 1;
}

void lrnB_open_collector(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &account_key) != LUA_TUSERDATA) {
    lrnB_account *a = lua_newuserdatauv(L, sizeof *a, 0);
    memset(a, 0, sizeof *a);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &account_key);
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, core_collector);
  lua_setfield(L, -2, "collector");
}
