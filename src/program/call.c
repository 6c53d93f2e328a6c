/*
** call.c - protected calls with a traceback, and the messages of the program.
*/
#include <stdio.h>

#include "program/program.h"

static const char *program_name = "lrn";

void lrnP_set_name(const char *name) { program_name = name; }
const char *lrnP_name(void) { return program_name; }

void lrnP_message(const char *message) {
  fflush(stdout);
  if (program_name != NULL)
    fprintf(stderr, "%s: ", program_name);
  fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

int lrnP_report(lua_State *L, int status) {
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    lrnP_message(message != NULL ? message : "(error object is not a string)");
    lua_pop(L, 1);
  }
  return status;
}

/* Message handler of lrnP_call: adds a traceback, except to objects that render themselves. */
static int traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
      return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

int lrnP_call(lua_State *L, int narg, int nres) {
  int status, base = lua_gettop(L) - narg;
  lua_pushcfunction(L, traceback);
  lua_insert(L, base);
  lrnP_interruptible(L);
  status = lua_pcall(L, narg, nres, base);
  lrnP_uninterruptible(L);
  lua_remove(L, base);
  return status;
}
