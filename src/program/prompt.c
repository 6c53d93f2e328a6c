/*
** prompt.c - the prompt: reads an input of one or more lines, runs it, prints what it gives.
*/
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program/program.h"

enum { LINE_READ, LINE_END, LINE_DROPPED }; /* dropped: Ctrl-C on a terminal */

static void print_prompt(lua_State *L, int first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
    fputs(first ? "> " : ">> ", stdout);
  else
    fputs(luaL_tolstring(L, -1, NULL), stdout);
  fflush(stdout);
  lua_settop(L, first ? 0 : 1);
}

/* Pushes a line of any length without its newline; "=x" at the start of an input is "return x".
   Input that is not typed is echoed, as lua does with its readline: the output reads as a session. */
static int read_line(lua_State *L, int first) {
  luaL_Buffer b;
  int got = 0, terminal = isatty(STDIN_FILENO);
  print_prompt(L, first);
  luaL_buffinit(L, &b);
  if (terminal)
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
  if (terminal)
    lrnP_typed();
  luaL_pushresult(&b);
  if (ferror(stdin) && errno == EINTR) {
    clearerr(stdin);
    puts("");
    return LINE_DROPPED;
  }
  if (!got)
    return LINE_END;
  if (!terminal)
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

void lrnP_prompt(lua_State *L) {
  const char *name = lrnP_name();
  int line, status = LUA_OK;
  lrnP_set_name(NULL);
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
  lrnP_set_name(name);
}
