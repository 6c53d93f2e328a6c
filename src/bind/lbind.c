/*
** lbind.c - boxes, argument readers, errors: see lbind.h.
*/
#include "bind/lbind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* {=== Errors === */

/* Errors are plain strings, so that pcall, find and .. work on them as Lua users expect; their
   kinds are kept beside, for the last KINDS messages of a state. */
enum { KINDS = 64 };
static const char kinds_key = 'k'; /* registry: {message, kind, message, kind, ..., next =} */

static void remember_kind(lua_State *L, int message, const char *kind) {
  lua_Integer next;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kinds_key) == LUA_TTABLE) {
    lua_getfield(L, -1, "next");
    next = lua_tointeger(L, -1) % KINDS;
    lua_pop(L, 1);
    lua_pushvalue(L, message);
    lua_rawseti(L, -2, 2 * next + 1);
    lua_pushstring(L, kind);
    lua_rawseti(L, -2, 2 * next + 2);
    lua_pushinteger(L, next + 1);
    lua_setfield(L, -2, "next");
  }
  lua_pop(L, 1);
}

static int to_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* error.kind(e): the kind of a message of lrn, also where more text stands around it, or an object
   whose __tostring gives it */
static int error_kind(lua_State *L) {
  const char *text;
  lua_Integer next;
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TSTRING && luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
    lua_pushcfunction(L, to_text);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
      return 0;
    lua_replace(L, 1);
    lua_settop(L, 1);
  }
  if (lua_type(L, 1) != LUA_TSTRING)
    return 0;
  text = lua_tostring(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kinds_key);
  lua_getfield(L, -1, "next");
  next = lua_tointeger(L, -1);
  lua_pop(L, 1);
  for (lua_Integer i = 1; i <= KINDS; i++) { /* the newest first */
    lua_Integer at = ((next - i) % KINDS + KINDS) % KINDS;
    if (lua_rawgeti(L, -1, 2 * at + 1) == LUA_TSTRING &&
        strstr(text, lua_tostring(L, -1)) != NULL) {
      lua_rawgeti(L, -2, 2 * at + 2);
      return 1;
    }
    lua_pop(L, 1);
  }
  return 0;
}

/* Is this chunk one of lrn's own Lua files? */
static int is_ours(const char *source) {
  const char *path = getenv("LRN_PATH");
  size_t n = path != NULL ? strlen(path) : 0;
  if (strncmp(source, "@lrn/", 5) == 0)
    return 1;
  return n > 0 && source[0] == '@' && strncmp(source + 1, path, n) == 0 &&
         strncmp(source + 1 + n, "/lrn/", 5) == 0;
}

/* Pushes "file:line: " of the first Lua function outside of lrn. */
static void push_where(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && !is_ours(ar.source)) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

static int raise_top(lua_State *L, const char *kind) {
  push_where(L);
  lua_insert(L, -2);
  lua_concat(L, 2);
  remember_kind(L, lua_gettop(L), kind);
  return lua_error(L);
}

int lrnB_raise(lua_State *L, const char *kind, const char *format, ...) {
  char text[1024];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  luaL_checkstack(L, 8, NULL);
  lua_pushstring(L, text);
  return raise_top(L, kind);
}

static const char *kind_of(int status) {
  switch (status) {
    case LRN_ESHAPE: return "size";
    case LRN_EVALUE:
    case LRN_ENUMERIC: return "value";
    case LRN_ETYPE: return "type";
    case LRN_ENOMEM: return "memory";
    case LRN_ESTATE: return "state";
    case LRN_EUNSUPPORTED: return "build";
    default: return "argument";
  }
}

/* The host's wish, not the script's mistake: the same text as where Lua code is stopped. */
static int interrupted(lua_State *L) {
  lua_pushstring(L, lrn_error_message());
  return lua_error(L);
}

int lrnB_fail(lua_State *L, int status) {
  if (status == LRN_EINTERRUPTED)
    return interrupted(L);
  return lrnB_raise(L, kind_of(status), "%s", lrn_error_message());
}

int lrnB_fail_as(lua_State *L, const char *f, int status) {
  const char *message = lrn_error_message(), *colon = strstr(message, ": ");
  if (status == LRN_EINTERRUPTED)
    return interrupted(L);
  return lrnB_raise(L, kind_of(status), "%s%s", f, colon != NULL ? colon : "");
}

int lrnB_world(lua_State *L, int status) {
  int e = lrn_error_errno();
  if (status != LRN_EIO && status != LRN_EFORMAT)
    return lrnB_fail(L, status);
  lua_pushnil(L);
  lua_pushstring(L, lrn_error_message());
  switch (e) {
#define CODE(E) case E: lua_pushliteral(L, #E); break;
    CODE(ENOENT) CODE(EACCES) CODE(EPERM) CODE(ENOSPC) CODE(EISDIR) CODE(ENOTDIR) CODE(EROFS)
    CODE(EFBIG) CODE(EDQUOT) CODE(EMFILE) CODE(ENAMETOOLONG) CODE(EEXIST) CODE(EIO)
#undef CODE
    default: lua_pushstring(L, status == LRN_EFORMAT ? "EFORMAT" : "EIO"); break;
  }
  return 3;
}

/* raise(kind, message, level): an error of Lua code, at that level */
static int core_raise(lua_State *L) {
  const char *kind = luaL_checkstring(L, 1);
  int level = (int)luaL_optinteger(L, 3, 1);
  luaL_checkstring(L, 2);
  luaL_where(L, level);
  lua_pushvalue(L, 2);
  lua_concat(L, 2);
  remember_kind(L, lua_gettop(L), kind);
  return lua_error(L);
}

void lrnB_open_errors(lua_State *L);
void lrnB_open_errors(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kinds_key) != LUA_TTABLE) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kinds_key);
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, core_raise);
  lua_setfield(L, -2, "raise");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, error_kind);
  lua_setfield(L, -2, "kind");
  lua_setfield(L, -2, "error");
}

/* ===} */

/* {=== Boxes === */

void lrnB_class(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *meta,
                lua_CFunction close, lua_CFunction gc) {
  luaL_newmetatable(L, name); /* sets __name */
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__close");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "close");
  lua_setfield(L, -2, "__index");
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
}

lrnB_box *lrnB_new(lua_State *L, const char *class_name) {
  lrnB_box *box;
  lrnB_pace(L);
  box = lua_newuserdatauv(L, sizeof *box, 0);
  box->p = NULL;
  lrnB_tally_begin(L, &box->tally);
  luaL_setmetatable(L, class_name);
  return box;
}

/* "lrn.Tensor" -> "tensor" */
static const char *class_word(const char *class_name) {
  return strcmp(class_name, LRNB_TENSOR) == 0 ? "tensor" : class_name;
}

static void free_tensor(void *p) { lrn_tensor_free(p); }

static void free_box(lrnB_box *box, lrnB_free free_object) {
  void *p = box->p;
  box->p = NULL;
  lrnB_tally_close(&box->tally);
  free_object(p);
}

int lrnB_box_gc(lua_State *L, const char *class_name, lrnB_free free_object) {
  lrnB_box *box = luaL_checkudata(L, 1, class_name);
  lrnB_tally_set(&box->tally, 0);
  free_box(box, free_object);
  return 0;
}

int lrnB_box_close(lua_State *L, const char *class_name, lrnB_free free_object) {
  lrnB_box *box = luaL_testudata(L, 1, class_name);
  if (box == NULL)
    return lrnB_raise(L, "type", "close: argument 1: got %s, expected a %s", lrnB_show(L, 1),
                      class_word(class_name));
  if (!lrnB_closes_later(L, &box->tally))
    free_box(box, free_object);
  return 0;
}

void *lrnB_check(lua_State *L, int arg, const char *class_name, const char *function) {
  lrnB_box *box = luaL_testudata(L, arg, class_name);
  if (box == NULL)
    lrnB_raise(L, "type", "%s: argument %d: got %s, expected a %s", function, arg,
               lrnB_show(L, arg), class_word(class_name));
  if (lrnB_open_object(box) == NULL)
    lrnB_raise(L, "state", "%s: argument %d: the %s was closed", function, arg,
               class_word(class_name));
  return box->p;
}

lrn_tensor **lrnB_new_tensor(lua_State *L) {
  return (lrn_tensor **)(void *)&lrnB_new(L, LRNB_TENSOR)->p;
}

lrn_tensor *lrnB_tensor(lua_State *L, int arg, const char *function) {
  return lrnB_check(L, arg, LRNB_TENSOR, function);
}

lrn_tensor *lrnB_opt_tensor(lua_State *L, int arg, const char *function) {
  if (luaL_testudata(L, arg, LRNB_TENSOR) == NULL)
    return NULL;
  return lrnB_tensor(L, arg, function);
}

int lrnB_result(lua_State *L) {
  lrnB_box *box = lua_touserdata(L, -1);
  lrnB_tally_set(&box->tally, lrn_tensor_storage_bytes(box->p));
  return 1;
}

void lrnB_drop(lua_State *L, int index) {
  free_box(lua_touserdata(L, index), free_tensor);
}

/* ===} */

/* {=== Argument readers === */

const char *lrnB_show(lua_State *L, int arg) {
  lrnB_box *box = luaL_testudata(L, arg, LRNB_TENSOR);
  if (box != NULL) {
    lrn_tensor *t = lrnB_open_object(box);
    luaL_Buffer b;
    if (t == NULL)
      return "a closed tensor";
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "a tensor ");
    luaL_addstring(&b, lrn_dtype_name(lrn_tensor_dtype(t)));
    for (int d = 0; d < lrn_tensor_ndim(t); d++) {
      char size[32];
      snprintf(size, sizeof size, "%s%lld", d ? ", " : "[", (long long)lrn_tensor_size(t, d));
      luaL_addstring(&b, size);
    }
    luaL_addstring(&b, lrn_tensor_ndim(t) > 0 ? "]" : "[]");
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
  }
  switch (lua_type(L, arg)) {
    case LUA_TNIL:
    case LUA_TNUMBER:
    case LUA_TBOOLEAN: return luaL_tolstring(L, arg, NULL);
    case LUA_TSTRING: return lua_pushfstring(L, "'%s'", lua_tostring(L, arg));
    case LUA_TNONE: return "nothing";
    default: return lua_pushfstring(L, "a %s", lua_typename(L, lua_type(L, arg)));
  }
}

int64_t lrnB_integer(lua_State *L, int arg, const char *f, const char *name) {
  int ok;
  lua_Integer i = 0;
  if (lua_type(L, arg) != LUA_TNUMBER)
    lrnB_raise(L, "type", "%s: %s: got %s, expected an integer", f, name, lrnB_show(L, arg));
  i = lua_tointegerx(L, arg, &ok);
  if (!ok)
    lrnB_raise(L, "value", "%s: %s: got %s, expected an integer", f, name, lrnB_show(L, arg));
  return i;
}

double lrnB_number(lua_State *L, int arg, const char *f, const char *name) {
  if (lua_type(L, arg) != LUA_TNUMBER)
    lrnB_raise(L, "type", "%s: %s: got %s, expected a number", f, name, lrnB_show(L, arg));
  return lua_tonumber(L, arg);
}

const char *lrnB_string(lua_State *L, int arg, const char *f, const char *name) {
  if (lua_type(L, arg) != LUA_TSTRING)
    lrnB_raise(L, "type", "%s: %s: got %s, expected a string", f, name, lrnB_show(L, arg));
  return lua_tostring(L, arg);
}

/* 1-based, negative from the end, to 0-based; `what` is "dimension" or "index" */
static int64_t position(lua_State *L, int64_t i, int64_t size, const char *f, const char *name) {
  if (i == 0)
    lrnB_raise(L, "value", "%s: %s: got 0; positions start at 1", f, name);
  if (i > size || i < -size)
    lrnB_raise(L, "value", "%s: %s: got %lld, expected 1 to %lld (or -%lld to -1)", f, name,
               (long long)i, (long long)size, (long long)size);
  return i > 0 ? i - LRN_BASE : i + size;
}

int lrnB_dim(lua_State *L, int arg, int nd, const char *f, const char *name) {
  return (int)position(L, lrnB_integer(L, arg, f, name), nd, f, name);
}

int64_t lrnB_index(lua_State *L, int arg, int64_t size, const char *f, const char *name) {
  return position(L, lrnB_integer(L, arg, f, name), size, f, name);
}

lua_Integer lrnB_length(lua_State *L, int arg, const char *f, const char *name) {
  if (!lua_istable(L, arg))
    lrnB_raise(L, "type", "%s: %s: got %s, expected a list", f, name, lrnB_show(L, arg));
  if (luaL_getmetafield(L, arg, "__len") != LUA_TNIL)
    lrnB_raise(L, "type", "%s: %s: got a table with a length of its own (__len), expected a plain "
               "list", f, name);
  return (lua_Integer)lua_rawlen(L, arg);
}

int lrnB_sizes(lua_State *L, int arg, int64_t size[LRN_MAXDIM], int *next, const char *f) {
  int nd = 0;
  if (lua_type(L, arg) == LUA_TTABLE) {
    lua_Integer n = lrnB_length(L, arg, f, "size");
    if (n > LRN_MAXDIM)
      lrnB_raise(L, "size", "%s: size: got %lld dimensions, expected at most %d", f, (long long)n,
                 LRN_MAXDIM);
    for (; nd < n; nd++) {
      lua_rawgeti(L, arg, nd + 1);
      size[nd] = lrnB_integer(L, lua_gettop(L), f, "size");
      lua_pop(L, 1);
    }
    arg++;
  } else
    while (lua_type(L, arg) == LUA_TNUMBER) {
      if (nd == LRN_MAXDIM)
        lrnB_raise(L, "size", "%s: size: got more than %d dimensions", f, LRN_MAXDIM);
      size[nd++] = lrnB_integer(L, arg++, f, "size");
    }
  if (nd == 0 && !lua_isnoneornil(L, arg) && lua_type(L, arg) != LUA_TTABLE)
    lrnB_raise(L, "type", "%s: size: got %s, expected integers or a list of them", f,
               lrnB_show(L, arg));
  if (next != NULL)
    *next = arg;
  return nd;
}

unsigned lrnB_dims(lua_State *L, int arg, int nd, const char *f) {
  unsigned dims = 0;
  lua_Integer n;
  if (lua_isnoneornil(L, arg))
    return 0;
  if (lua_type(L, arg) != LUA_TTABLE)
    return 1u << lrnB_dim(L, arg, nd, f, "dim");
  n = lrnB_length(L, arg, f, "dim");
  if (n < 1)
    lrnB_raise(L, "value", "%s: dim: got an empty list", f);
  for (lua_Integer i = 1; i <= n; i++) {
    unsigned bit;
    lua_rawgeti(L, arg, i);
    bit = 1u << lrnB_dim(L, lua_gettop(L), nd, f, "dim");
    lua_pop(L, 1);
    if (dims & bit)
      lrnB_raise(L, "value", "%s: dim: a dimension stands twice in the list", f);
    dims |= bit;
  }
  return dims;
}

void lrnB_options(lua_State *L, int arg, const char *f, const char *const *valid) {
  if (lua_isnoneornil(L, arg))
    return;
  if (lua_type(L, arg) != LUA_TTABLE)
    lrnB_raise(L, "type", "%s: options: got %s, expected a table", f, lrnB_show(L, arg));
  lua_pushnil(L);
  while (lua_next(L, arg) != 0) {
    const char *key;
    int found = 0;
    lua_pop(L, 1);
    key = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    for (int i = 0; key != NULL && valid[i] != NULL && !found; i++)
      found = strcmp(valid[i], key) == 0;
    if (!found) {
      luaL_Buffer b;
      const char *shown = lrnB_show(L, lua_gettop(L));
      luaL_buffinit(L, &b);
      for (int i = 0; valid[i] != NULL; i++) {
        if (i > 0)
          luaL_addstring(&b, ", ");
        luaL_addstring(&b, valid[i]);
      }
      luaL_pushresult(&b);
      lrnB_raise(L, "argument", "%s: unknown option %s; valid: %s", f, shown, lua_tostring(L, -1));
    }
  }
}

int lrnB_option(lua_State *L, int arg, const char *name) {
  if (lua_type(L, arg) != LUA_TTABLE)
    return LUA_TNIL;
  arg = lua_absindex(L, arg);
  lua_pushstring(L, name);
  if (lua_rawget(L, arg) == LUA_TNIL)
    lua_pop(L, 1);
  else
    return lua_type(L, -1);
  return LUA_TNIL;
}

int lrnB_parse_dtype(lua_State *L, int arg, const char *f) {
  int dtype;
  if (lrn_dtype_parse(&dtype, lrnB_string(L, arg, f, "dtype")) != LRN_OK)
    lrnB_raise(L, "argument", "%s: %s", f, lrn_error_message());
  return dtype;
}

int lrnB_dtype_option(lua_State *L, int arg, int dtype, const char *f) {
  if (lrnB_option(L, arg, "dtype") != LUA_TNIL) {
    dtype = lrnB_parse_dtype(L, lua_gettop(L), f);
    lua_pop(L, 1);
  }
  return dtype;
}

const lrn_device *lrnB_open_device(lua_State *L, const char *name, const char *f) {
  const lrn_device *device = NULL;
  int st = lrn_device_open(&device, name);
  if (st != LRN_OK)
    lrnB_raise(L, kind_of(st), "%s: %s", f, lrn_error_message());
  return device;
}

const lrn_device *lrnB_device_option(lua_State *L, int arg, const lrn_device *device,
                                     const char *f) {
  if (lrnB_option(L, arg, "device") != LUA_TNIL) {
    device = lrnB_open_device(L, lrnB_string(L, lua_gettop(L), f, "device"), f);
    lua_pop(L, 1);
  }
  return device;
}

/* ===} */
