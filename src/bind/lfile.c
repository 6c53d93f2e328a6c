/*
** lfile.c - files: safetensors containers, IDX, JSON. Facts about the world (no such file, corrupt
** data) come back as nil, message, code.
*/
#include <string.h>

#include "bind/lbind.h"
#include "bind/lfile.h"
#include "io/idx.h"
#include "io/json.h"

/* {=== Containers === */

static lrn_file *check_file(lua_State *L, const char *f) { return lrnB_check(L, 1, LRNB_FILE, f); }

static void free_file(void *p) { lrn_file_free(p); }
static int file_close(lua_State *L) { return lrnB_box_close(L, LRNB_FILE, free_file); }
static int file_gc(lua_State *L) { return lrnB_box_gc(L, LRNB_FILE, free_file); }

/* The container in the box on the top was read: its tensors are memory that came with it. */
static int read_file(lua_State *L) {
  lrnB_box *box = lua_touserdata(L, -1);
  size_t bytes = 0;
  for (int i = 0; i < lrn_file_count(box->p); i++) {
    const char *name;
    bytes += lrn_tensor_storage_bytes(lrn_file_at(box->p, i, &name));
  }
  lrnB_tally_set(&box->tally, bytes);
  return 1;
}

static int core_file_new(lua_State *L) {
  lrnB_box *box = lrnB_new(L, LRNB_FILE);
  LRNB_TRY(L, lrn_file_new((lrn_file **)(void *)&box->p));
  return 1;
}

static int core_file_load(lua_State *L) {
  const char *path = lrnB_string(L, 1, "load", "path");
  lrnB_box *box = lrnB_new(L, LRNB_FILE);
  int st = lrn_file_load((lrn_file **)(void *)&box->p, path);
  return st == LRN_OK ? read_file(L) : lrnB_world(L, st);
}

static int core_file_parse(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n), *name = luaL_optstring(L, 2, "string");
  lrnB_box *box = lrnB_new(L, LRNB_FILE);
  int st = lrn_file_parse((lrn_file **)(void *)&box->p, bytes, n, name);
  return st == LRN_OK ? read_file(L) : lrnB_world(L, st);
}

static int file_put(lua_State *L) {
  lrn_file *file = check_file(L, "put");
  const char *name = lrnB_string(L, 2, "put", "name");
  lrn_tensor *t = lrnB_tensor(L, 3, "put");
  LRNB_TRY(L, lrn_file_put(file, name, t));
  lua_settop(L, 1);
  return 1;
}

static int push_lent(lua_State *L, const lrn_tensor *t) {
  lrn_tensor **box = lrnB_new_tensor(L);
  LRNB_TRY(L, lrn_tensor_alias(box, t));
  return 1;
}

static int file_get(lua_State *L) {
  const lrn_tensor *t = lrn_file_get(check_file(L, "get"), lrnB_string(L, 2, "get", "name"));
  return t != NULL ? push_lent(L, t) : 0;
}

static int file_names(lua_State *L) {
  lrn_file *file = check_file(L, "names");
  int n = lrn_file_count(file);
  lua_createtable(L, n, 0);
  for (int i = 0; i < n; i++) {
    const char *name;
    lrn_file_at(file, i, &name);
    lua_pushstring(L, name);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* meta(key) reads, meta(key, value) writes */
static int file_meta(lua_State *L) {
  lrn_file *file = check_file(L, "meta");
  const char *key = lrnB_string(L, 2, "meta", "key");
  if (lua_gettop(L) >= 3) {
    const char *value = lrnB_string(L, 3, "meta", "value");
    LRNB_TRY(L, lrn_file_put_meta(file, key, value));
    lua_settop(L, 1);
    return 1;
  }
  lua_pushstring(L, lrn_file_meta(file, key)); /* nil for NULL */
  return 1;
}

static int file_metas(lua_State *L) {
  lrn_file *file = check_file(L, "metas");
  lua_newtable(L);
  for (int i = 0; i < lrn_file_meta_count(file); i++) {
    const char *key, *value = lrn_file_meta_at(file, i, &key);
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
  }
  return 1;
}

static int file_save(lua_State *L) {
  lrn_file *file = check_file(L, "save");
  int st = lrn_file_save(file, lrnB_string(L, 2, "save", "path"));
  if (st != LRN_OK)
    return lrnB_world(L, st);
  lua_pushboolean(L, 1);
  return 1;
}

/* ===} */

/* {=== IDX === */

static int core_idx_load(lua_State *L) {
  const char *path = lrnB_string(L, 1, "idx.load", "path");
  lrn_tensor **t = lrnB_new_tensor(L);
  int st = lrn_idx_load(t, path);
  return st == LRN_OK ? lrnB_result(L) : lrnB_world(L, st);
}

static int core_idx_parse(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n), *name = luaL_optstring(L, 2, "string");
  lrn_tensor **t = lrnB_new_tensor(L);
  int st = lrn_idx_parse(t, (const unsigned char *)bytes, n, name);
  return st == LRN_OK ? lrnB_result(L) : lrnB_world(L, st);
}

static int core_idx_save(lua_State *L) {
  const char *path = lrnB_string(L, 1, "idx.save", "path");
  int st = lrn_idx_save(path, lrnB_tensor(L, 2, "idx.save"));
  if (st != LRN_OK)
    return lrnB_world(L, st);
  lua_pushboolean(L, 1);
  return 1;
}

/* ===} */

/* {=== JSON === */

static int encode(lua_State *L, json_buf *b, int depth);

/* The table at the top as an object, its names in order, so that equal tables have equal texts. The
   names are sorted on the stack, where nothing can raise. */
static int encode_object(lua_State *L, json_buf *b, int depth) {
  int t = lua_gettop(L), ok = 1;
  lua_pushnil(L);
  while (ok && lua_next(L, t) != 0) {
    int low = t + 1, high = lua_gettop(L) - 1;
    lua_pop(L, 1);
    ok = lua_type(L, -1) == LUA_TSTRING && lua_checkstack(L, 6);
    while (ok && low < high) {
      int middle = (low + high) / 2;
      if (strcmp(lua_tostring(L, middle), lua_tostring(L, -1)) < 0)
        low = middle + 1;
      else
        high = middle;
    }
    if (ok) {
      lua_pushvalue(L, -1);
      lua_insert(L, low);
    }
  }
  lrn_json_put_open(b, '{');
  for (int i = t + 1, last = lua_gettop(L); ok && i <= last; i++) {
    lrn_json_put_key(b, lua_tostring(L, i));
    lua_pushvalue(L, i);
    lua_rawget(L, t);
    ok = encode(L, b, depth + 1);
    lua_pop(L, 1);
  }
  lrn_json_put_close(b, '}');
  lua_settop(L, t);
  return ok;
}

/* The value at the top of the stack into b; pops nothing. Returns 0 where Lua's value has no JSON
   form (the caller raises once b's memory is free). */
static int encode(lua_State *L, json_buf *b, int depth) {
  if (depth > 60 || !lua_checkstack(L, 6))
    return 0;
  switch (lua_type(L, -1)) {
    case LUA_TNIL: lrn_json_put_null(b); return 1;
    case LUA_TBOOLEAN: lrn_json_put_bool(b, lua_toboolean(L, -1)); return 1;
    case LUA_TSTRING: lrn_json_put_string(b, lua_tostring(L, -1)); return 1;
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1))
        lrn_json_put_int(b, lua_tointeger(L, -1));
      else
        lrn_json_put_double(b, lua_tonumber(L, -1));
      return 1;
    case LUA_TTABLE: {
      size_t n = lua_rawlen(L, -1);
      int ok = 1;
      if (n > 0 || (lua_pushnil(L), lua_next(L, -2) == 0)) { /* a list; {} is one */
        lrn_json_put_open(b, '[');
        for (size_t i = 1; i <= n && ok; i++) {
          lua_rawgeti(L, -1, (lua_Integer)i);
          ok = encode(L, b, depth + 1);
          lua_pop(L, 1);
        }
        lrn_json_put_close(b, ']');
        return ok;
      }
      lua_pop(L, 2);
      return encode_object(L, b, depth);
    }
    default: return 0;
  }
}

static int core_json_encode(lua_State *L) {
  json_buf b = {0};
  lrnB_box *box;
  int ok, st;
  lua_settop(L, 1);
  box = lrnB_new(L, LRNB_BYTES); /* is to hold the text while the string is made */
  lua_pushvalue(L, 1);
  ok = encode(L, &b, 0); /* raises nothing: raw access, and the stack is checked */
  st = b.status;
  if (ok && st == LRN_OK) {
    box->p = b.s;
    lua_pushlstring(L, b.s, b.n);
    return 1;
  }
  lrnB_free_bytes(b.s);
  return ok ? lrnB_fail(L, st)
            : lrnB_raise(L, "type", "json: got a value that JSON does not have, expected tables, "
                         "strings, numbers, booleans");
}

static void push_json(lua_State *L, const json_value *v) {
  double d;
  int64_t i;
  int truth;
  luaL_checkstack(L, 6, "json");
  switch (lrn_json_type(v)) {
    case JSON_BOOL:
      lrn_json_bool(&truth, v);
      lua_pushboolean(L, truth);
      break;
    case JSON_INT:
      lrn_json_int(&i, v);
      lua_pushinteger(L, i);
      break;
    case JSON_REAL:
      lrn_json_number(&d, v);
      lua_pushnumber(L, d);
      break;
    case JSON_STRING: lua_pushlstring(L, lrn_json_string(v), lrn_json_len(v)); break;
    case JSON_ARRAY:
      lua_newtable(L);
      for (size_t k = 0; k < lrn_json_len(v); k++) {
        push_json(L, lrn_json_at(v, k));
        lua_rawseti(L, -2, (lua_Integer)k + 1);
      }
      break;
    case JSON_OBJECT:
      lua_newtable(L);
      for (size_t k = 0; k < lrn_json_len(v); k++) {
        const json_value *key = lrn_json_key_at(v, k);
        lua_pushlstring(L, lrn_json_string(key), lrn_json_len(key));
        push_json(L, lrn_json_at(v, k));
        lua_rawset(L, -3);
      }
      break;
    default: lua_pushnil(L); break;
  }
}

static void free_json(void *p) { lrn_json_free(p); }
static int json_gc(lua_State *L) { return lrnB_box_gc(L, LRNB_JSON, free_json); }

static int core_json_decode(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  lrnB_box *box = lrnB_new(L, LRNB_JSON);
  int st = lrn_json_parse((json_doc **)(void *)&box->p, text, n, "json");
  if (st != LRN_OK)
    return lrnB_world(L, st);
  push_json(L, lrn_json_root(box->p));
  return 1;
}

static int bytes_gc(lua_State *L) { return lrnB_box_gc(L, LRNB_BYTES, lrnB_free_bytes); }

/* ===} */

static const luaL_Reg functions[] = {
  {"file_new", core_file_new}, {"file_load", core_file_load}, {"file_parse", core_file_parse},
  {"idx_load", core_idx_load}, {"idx_parse", core_idx_parse}, {"idx_save", core_idx_save},
  {"json_encode", core_json_encode}, {"json_decode", core_json_decode}, {NULL, NULL}};
static const luaL_Reg methods[] = {
  {"put", file_put}, {"get", file_get}, {"names", file_names}, {"meta", file_meta},
  {"metas", file_metas}, {"save", file_save}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lrnB_open_file(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
  lrnB_class(L, LRNB_FILE, methods, none, file_close, file_gc);
  lrnB_class(L, LRNB_JSON, none, none, json_gc, json_gc);
  lrnB_class(L, LRNB_BYTES, none, none, bytes_gc, bytes_gc);
}
