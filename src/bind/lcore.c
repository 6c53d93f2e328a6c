/*
** lcore.c - luaopen_lrn: makes lrn.core, lets `require` find the embedded Lua files, and gives what
** lua/lrn/init.lua returns. Also what belongs to the process and its surroundings.
*/
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "bind/embedded.h"
#include "bind/lbind.h"
#include "bind/lfile.h"
#include "lrn_lua.h"

void lrnB_open_errors(lua_State *L);

void lrnB_free_bytes(void *p) { lrn_free(p); }

/* {=== Embedded files === */

static const lrn_embedded *find_embedded(const char *path) {
  for (const lrn_embedded *e = lrn_embedded_files; e->path != NULL; e++)
    if (strcmp(e->path, path) == 0)
      return e;
  return NULL;
}

static int core_embedded(lua_State *L) {
  const lrn_embedded *e = find_embedded(luaL_checkstring(L, 1));
  if (e == NULL)
    return 0;
  lua_pushlstring(L, e->begin, (size_t)(e->end - e->begin));
  return 1;
}

/* package.preload's function for one file, upvalue 1 its path. LRN_PATH, a folder, goes first. A file
   runs once per state, also where package.loaded was cleared (busted does that between spec files):
   two copies of a module would not know each other's objects. */
static int load_module(lua_State *L) {
  const char *path = lua_tostring(L, lua_upvalueindex(1)), *folder = getenv("LRN_PATH");
  const lrn_embedded *e = find_embedded(path);
  int st = LUA_ERRFILE;
  lua_settop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "lrn.modules");
  if (lua_getfield(L, 2, path) != LUA_TNIL)
    return 1;
  if (folder != NULL && *folder != '\0') {
    lua_pushfstring(L, "%s/%s", folder, path);
    if (access(lua_tostring(L, -1), R_OK) == 0) {
      st = luaL_loadfilex(L, lua_tostring(L, -1), "t");
      if (st != LUA_OK)
        return lua_error(L);
    }
  }
  if (st != LUA_OK) {
    lua_pushfstring(L, "@%s", path);
    st = luaL_loadbufferx(L, e->begin, (size_t)(e->end - e->begin), lua_tostring(L, -1), "t");
    if (st != LUA_OK)
      return lua_error(L);
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, path);
  return 1;
}

/* "lrn/data/init.lua" -> "lrn.data", "lrn/rbm.lua" -> "lrn.rbm"; lrn/init.lua is `lrn.init`: the name
   `lrn` belongs to luaopen_lrn. */
static void preload_modules(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (const lrn_embedded *e = lrn_embedded_files; e->path != NULL; e++) {
    char name[128];
    size_t n = strlen(e->path);
    if (n < 5 || n >= sizeof name || strcmp(e->path + n - 4, ".lua") != 0)
      continue;
    memcpy(name, e->path, n - 4);
    name[n - 4] = '\0';
    if (strcmp(name, "lrn/init") != 0 && n > 9 && strcmp(name + n - 9, "/init") == 0)
      name[n - 9] = '\0';
    for (char *p = name; *p != '\0'; p++)
      if (*p == '/')
        *p = '.';
    lua_pushstring(L, e->path);
    lua_pushcclosure(L, load_module, 1);
    lua_setfield(L, -2, name);
  }
  lua_pop(L, 1);
}

/* ===} */

/* {=== Process and surroundings === */

static int core_clock(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec);
  return 1;
}

static int core_exists(lua_State *L) {
  lua_pushboolean(L, access(luaL_checkstring(L, 1), F_OK) == 0);
  return 1;
}

/* mkdir(path): with its parents; true where it is a folder afterwards */
static int core_mkdir(lua_State *L) {
  const char *path = lrnB_string(L, 1, "mkdir", "path");
  size_t n = strlen(path);
  char *part = lua_newuserdatauv(L, n + 1, 0);
  struct stat s;
  for (size_t i = 1; i <= n; i++)
    if (path[i] == '/' || path[i] == '\0') {
      memcpy(part, path, i);
      part[i] = '\0';
      if (mkdir(part, 0777) != 0 && errno != EEXIST)
        return lrnB_world(L, lrn_fail_errno(errno, "mkdir", part));
    }
  if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode))
    return lrnB_world(L, lrn_fail_errno(ENOTDIR, "mkdir", path));
  lua_pushboolean(L, 1);
  return 1;
}

/* Asked by an address that no program has under the same name: see own_folder in device.c. */
static int core_library_folder(lua_State *L) {
  Dl_info info;
  const char *slash;
  if (dladdr(lrn_embedded_files, &info) == 0 || info.dli_fname == NULL)
    return 0;
  slash = strrchr(info.dli_fname, '/');
  if (slash == NULL)
    lua_pushliteral(L, ".");
  else
    lua_pushlstring(L, info.dli_fname, (size_t)(slash - info.dli_fname));
  return 1;
}

static int core_memory(lua_State *L) {
  lrn_memory m;
  lrn_memory_stats(&m);
  lua_createtable(L, 0, 5);
#define FIELD(name) (lua_pushinteger(L, m.name), lua_setfield(L, -2, #name))
  FIELD(live_bytes);
  FIELD(peak_bytes);
  FIELD(live_blocks);
  FIELD(allocations);
  FIELD(cached_bytes);
#undef FIELD
  return 1;
}

static int core_empty_cache(lua_State *L) {
  (void)L;
  lrn_memory_empty_cache();
  return 0;
}

/* cache(bytes): what is kept of freed blocks at most; for measurements and tests */
static int core_cache(lua_State *L) {
  lrn_memory_set_cache(lrnB_integer(L, 1, "cache", "bytes"));
  return 0;
}

/* memory_fail(n, mode): tests only */
static int core_memory_fail(lua_State *L) {
  lrn_memory_fail(luaL_optinteger(L, 1, 0), (int)luaL_optinteger(L, 2, 0));
  return 0;
}

static int core_cuda_available(lua_State *L) {
  const lrn_device *device;
  int st = lrn_device_open(&device, "cuda");
  lua_pushboolean(L, st == LRN_OK);
  if (st == LRN_OK)
    return 1;
  lua_pushstring(L, lrn_error_message());
  return 2;
}

/* devices() -> names of those that open */
static int core_devices(lua_State *L) {
  static const char *const names[] = {"cpu", "cuda:0", "emul"};
  int n = 0;
  lua_newtable(L);
  for (int i = 0; i < 3; i++) {
    const lrn_device *device;
    if (lrn_device_open(&device, names[i]) == LRN_OK) {
      lua_pushstring(L, names[i]);
      lua_rawseti(L, -2, ++n);
    }
  }
  return 1;
}

/* options.name, true or false, through one of the engine's switches */
static void set_switch(lua_State *L, const char *name, int (*set)(int on)) {
  if (lrnB_option(L, 1, name) == LUA_TNIL)
    return;
  if (!lua_isboolean(L, 2))
    lrnB_raise(L, "type", "set: %s: got %s, expected true or false", name, lrnB_show(L, 2));
  set(lua_toboolean(L, 2));
  lua_settop(L, 1);
}

/* set{threads =, deterministic =, dense =, dtype =}; set() -> what is set */
static int core_set(lua_State *L) {
  static const char *const valid[] = {"threads", "deterministic", "dense", "dtype", NULL};
  lua_settop(L, 1);
  lrnB_options(L, 1, "set", valid);
  if (lrnB_option(L, 1, "dtype") != LUA_TNIL) {
    int dtype = lrnB_parse_dtype(L, 2, "set");
    if (dtype > LRN_F64)
      return lrnB_raise(L, "value", "set: dtype: got %s, expected float32 or float64",
                        lrn_dtype_name(dtype));
    lrnB_set_default_dtype(L, dtype);
    lua_settop(L, 1);
  }
  if (lrnB_option(L, 1, "threads") != LUA_TNIL) {
    int64_t n = lrnB_integer(L, 2, "set", "threads");
    LRNB_TRY(L, lrn_set_threads(n > 1 << 20 ? 1 << 20 : n < 0 ? 0 : (int)n));
    lua_settop(L, 1);
  }
  set_switch(L, "deterministic", lrn_set_deterministic);
  set_switch(L, "dense", lrn_set_dense);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, lrn_get_threads());
  lua_setfield(L, -2, "threads");
  lua_pushboolean(L, lrn_get_deterministic());
  lua_setfield(L, -2, "deterministic");
  lua_pushboolean(L, lrn_get_dense());
  lua_setfield(L, -2, "dense");
  lua_pushstring(L, lrn_dtype_name(lrnB_default_dtype(L)));
  lua_setfield(L, -2, "dtype");
  return 1;
}

/* ===} */

static const luaL_Reg functions[] = {
  {"clock", core_clock}, {"exists", core_exists}, {"mkdir", core_mkdir},
  {"library_folder", core_library_folder},
  {"memory", core_memory}, {"memory_fail", core_memory_fail},
  {"empty_cache", core_empty_cache}, {"cache", core_cache},
  {"cuda_available", core_cuda_available}, {"devices", core_devices}, {"set", core_set},
  {"embedded", core_embedded}, {NULL, NULL}};

/* require "lrn.core" */
static int open_core(lua_State *L) {
  lua_createtable(L, 0, 160);
  lrnB_open_errors(L);
  lrnB_open_collector(L);
  luaL_setfuncs(L, functions, 0);
  lua_pushstring(L, lrn_version());
  lua_setfield(L, -2, "version");
  lua_createtable(L, 0, 2);
  lua_pushstring(L, lrn_blas_core());
  lua_setfield(L, -2, "blas");
  lua_pushstring(L, lrn_isa());
  lua_setfield(L, -2, "isa");
  lua_setfield(L, -2, "build");
  lrnB_open_tensor(L);
  lrnB_open_make(L);
  lrnB_open_random(L);
  lrnB_open_ops(L);
  lrnB_open_file(L);
  lrnB_open_part(L);
  lrnB_open_rbm(L);
  lrnB_open_dbm(L);
  lrnB_open_optim(L);
  lrnB_open_ratings(L);
  lrnB_open_terminal(L);
  return 1;
}

int luaopen_lrn(lua_State *L) {
  luaL_checkversion(L);
  preload_modules(L);
  luaL_requiref(L, "lrn.core", open_core, 0);
  lua_pop(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lrn.init");
  lua_call(L, 1, 1);
  return 1;
}
