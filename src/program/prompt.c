/*
** prompt.c - the prompt: reads an input of one or more lines, runs it, prints what it gives.
**
** Where standard input is no terminal it is lua's, byte for byte. At a terminal the loop is
** lua/lrn/repl/terminal.lua, and this file gives it what Lua cannot do: reading plain lines, calls
** that Ctrl-C stops, and files (program/files.c).
*/
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program/program.h"

enum { LINE_READ, LINE_END, LINE_DROPPED }; /* dropped: Ctrl-C on a terminal */

/* Pushes a line of any length without its newline. */
static int get_line(lua_State *L) {
  luaL_Buffer b;
  int got = 0, typed = isatty(STDIN_FILENO);
  luaL_buffinit(L, &b);
  if (typed)
    lrnP_typing();
  errno = 0;
  for (;;) {
    char *part = luaL_prepbuffer(&b);
    size_t n;
    if (fgets(part, LUAL_BUFFERSIZE, stdin) == NULL)
      break;
    got = 1;
    n = strlen(part);
    if (n > 0 && part[n - 1] == '\n') {
      luaL_addsize(&b, n - 1);
      break;
    }
    luaL_addsize(&b, n);
  }
  if (typed)
    lrnP_typed();
  luaL_pushresult(&b);
  if (ferror(stdin) && errno == EINTR) {
    clearerr(stdin);
    puts("");
    return LINE_DROPPED;
  }
  return got ? LINE_READ : LINE_END;
}

/* {=== The prompt of lua === */

static void print_prompt(lua_State *L, int first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
    fputs(first ? "> " : ">> ", stdout);
  else
    fputs(luaL_tolstring(L, -1, NULL), stdout);
  fflush(stdout);
  lua_settop(L, first ? 0 : 1);
}

/* Pushes a line; "=x" at the start of an input is "return x". Input that is not typed is echoed, as
   lua does with its readline: the output reads as a session. */
static int read_line(lua_State *L, int first) {
  int line;
  print_prompt(L, first);
  line = get_line(L);
  if (line != LINE_READ)
    return line;
  if (!isatty(STDIN_FILENO))
    puts(lua_tostring(L, -1));
  if (first && lua_tostring(L, -1)[0] == '=') {
    lua_pushfstring(L, "return %s", lua_tostring(L, -1) + 1);
    lua_remove(L, -2);
  }
  return LINE_READ;
}

/* Whether a syntax error says that the chunk ends too early; pops the message then. */
static int is_incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t n;
  const char *message;
  if (status != LUA_ERRSYNTAX)
    return 0;
  message = lua_tolstring(L, -1, &n);
  if (n < sizeof mark - 1 || strcmp(message + n - (sizeof mark - 1), mark) != 0)
    return 0;
  lua_pop(L, 1);
  return 1;
}

static int load_text(lua_State *L, int index) {
  size_t n;
  const char *text = lua_tolstring(L, index, &n);
  return luaL_loadbufferx(L, text, n, "=stdin", "t");
}

/* Reads an input, which may take several lines, and leaves its function or a syntax error,
   status in *status. An expression is compiled as "return <expression>". */
static int load_input(lua_State *L, int *status) {
  int line;
  lua_settop(L, 0);
  line = read_line(L, 1);
  if (line != LINE_READ)
    return line;
  lua_pushfstring(L, "return %s", lua_tostring(L, 1));
  *status = load_text(L, 2);
  if (*status != LUA_OK) {
    lua_settop(L, 1);
    while (is_incomplete(L, *status = load_text(L, 1))) {
      line = read_line(L, 0);
      if (line == LINE_DROPPED)
        return line;
      if (line == LINE_END) { /* the input ends too early: report that */
        lua_settop(L, 1);
        *status = load_text(L, 1);
        break;
      }
      lua_pushliteral(L, "\n");
      lua_insert(L, 2);
      lua_concat(L, 3);
    }
  }
  lua_replace(L, 1);
  lua_settop(L, 1);
  return LINE_READ;
}

static void print_results(lua_State *L) {
  int n = lua_gettop(L);
  if (n == 0)
    return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lua_pcall(L, n, 0, 0) != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    lrnP_message(lua_pushfstring(L, "error calling 'print' (%s)",
                                  message != NULL ? message : "?"));
  }
}

static void plain_prompt(lua_State *L) {
  int line, status = LUA_OK;
  while ((line = load_input(L, &status)) != LINE_END) {
    if (line == LINE_DROPPED)
      continue;
    if (status == LUA_OK)
      status = lrnP_call(L, 0, LUA_MULTRET);
    if (lrnP_report(L, status) == LUA_OK)
      print_results(L);
  }
  lua_settop(L, 0);
  puts("");
  fflush(stdout);
}

/* ===} */

/* {=== The prompt at a terminal: what lrn.repl.terminal needs === */

/* read(prompt) -> a line; or nil, "end" or "dropped" */
static int terminal_read(lua_State *L) {
  int line;
  fputs(luaL_checkstring(L, 1), stdout);
  fflush(stdout);
  line = get_line(L);
  lrnP_typing();
  if (line == LINE_READ)
    return 1;
  clearerr(stdin); /* the end that Ctrl-D makes is no end */
  lua_pushnil(L);
  lua_pushstring(L, line == LINE_END ? "end" : "dropped");
  return 2;
}

/* call(f, handler) -> true and what f returns, or false and what the handler made of its error.
   Between calls Ctrl-C does nothing. */
static int terminal_call(lua_State *L) {
  int status;
  lua_settop(L, 2);
  lua_insert(L, 1); /* handler, f */
  lrnP_interruptible(L);
  status = lua_pcall(L, 0, LUA_MULTRET, 1);
  lrnP_typing();
  lrnP_uninterruptible(L);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  return lua_gettop(L);
}

/* 0: the modules of the prompt do not work; the error is reported. */
static int terminal_prompt(lua_State *L) {
  static const luaL_Reg functions[] = {{"read", terminal_read},
                                       {"call", terminal_call},
                                       {"append", lrnP_append},
                                       {"files", lrnP_files},
                                       {NULL, NULL}};
  int status;
  lua_settop(L, 0);
  lua_warning(L, "@on", 0);
  lrnP_typing();
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lrn.repl.terminal");
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_OK) {
    lua_getfield(L, -1, "run");
    luaL_newlib(L, functions);
    status = lua_pcall(L, 1, 0, 0);
  }
  lrnP_typed();
  return lrnP_report(L, status) == LUA_OK;
}

/* ===} */

void lrnP_prompt(lua_State *L) {
  const char *name = lrnP_name();
  lrnP_set_name(NULL);
  if (!isatty(STDIN_FILENO) || !terminal_prompt(L))
    plain_prompt(L);
  lrnP_set_name(name);
}
