/*
** lpart.c - files that arrive piece by piece, checksums of files, and their plain bytes.
*/
#include "bind/lbind.h"
#include "io/part.h"
#include "io/raw.h"

#define PART "lrn.Part"

/* What a failed call gives, and true for one that did its work. */
static int done(lua_State *L, int st) {
  if (st != LRN_OK)
    return lrnB_world(L, st);
  lua_pushboolean(L, 1);
  return 1;
}

static lrn_part *check_part(lua_State *L, const char *f) { return lrnB_check(L, 1, PART, f); }

static void free_part(void *p) { lrn_part_close(p); }
static int part_close(lua_State *L) { return lrnB_box_close(L, PART, free_part); }
static int part_gc(lua_State *L) { return lrnB_box_gc(L, PART, free_part); }

/* part_open(path): the part, or false where another holds it */
static int core_part_open(lua_State *L) {
  const char *path = lrnB_string(L, 1, "fetch", "path");
  lrnB_box *box = lrnB_new(L, PART);
  int st = lrn_part_open((lrn_part **)(void *)&box->p, path, "fetch");
  if (st != LRN_OK)
    return lrnB_world(L, st);
  if (box->p == NULL)
    lua_pushboolean(L, 0);
  return 1;
}

static int part_size(lua_State *L) {
  lua_pushinteger(L, lrn_part_size(check_part(L, "size")));
  return 1;
}

static int part_write(lua_State *L) {
  lrn_part *p = check_part(L, "write");
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  return done(L, lrn_part_write(p, bytes, n));
}

static int part_clear(lua_State *L) { return done(L, lrn_part_clear(check_part(L, "clear"))); }
static int part_commit(lua_State *L) { return done(L, lrn_part_commit(check_part(L, "commit"))); }

static int part_discard(lua_State *L) {
  lrn_part_discard(check_part(L, "discard"));
  return 0;
}

static int part_sha256(lua_State *L) {
  char hex[65];
  int st = lrn_part_sha256(check_part(L, "sha256"), hex);
  if (st != LRN_OK)
    return lrnB_world(L, st);
  lua_pushstring(L, hex);
  return 1;
}

static int core_sha256_file(lua_State *L) {
  char hex[65];
  int st = lrn_sha256_file(hex, lrnB_string(L, 1, "sha256", "path"));
  if (st != LRN_OK)
    return lrnB_world(L, st);
  lua_pushstring(L, hex);
  return 1;
}

static int core_raw_load(lua_State *L) {
  const char *path = lrnB_string(L, 1, "raw_load", "path");
  lrn_tensor **t = lrnB_new_tensor(L);
  int st = lrn_raw_load(t, path);
  return st == LRN_OK ? lrnB_result(L) : lrnB_world(L, st);
}

static const luaL_Reg functions[] = {{"part_open", core_part_open},
                                     {"sha256_file", core_sha256_file},
                                     {"raw_load", core_raw_load},
                                     {NULL, NULL}};
static const luaL_Reg methods[] = {
  {"size", part_size}, {"write", part_write}, {"clear", part_clear}, {"commit", part_commit},
  {"discard", part_discard}, {"sha256", part_sha256}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lrnB_open_part(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lrnB_class(L, PART, methods, none, part_close, part_gc);
}
