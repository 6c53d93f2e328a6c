/*
** lrn.c - the program lrn: the command line of lua, with the global `lrn` open.
**
** After the model of lua.c: main makes a state and runs `program` in it, protected; that
** reads the arguments, runs LUA_INIT, the -e and -l options, the script, and the prompt
** (program/prompt.c). Scripts, standard input and strings are source text; binary chunks are
** refused.
*/
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lrn.h"
#include "lrn_lua.h"
#include "program/program.h"

/* {====================================================================
** The state: memory, warnings, panic
** ===================================================================== */

/* lua_Alloc. Takes part in lrn_memory_fail; shrinking and freeing never fail, as Lua asks. */
static void *allocate(void *ud, void *ptr, size_t osize, size_t nsize) {
  void *p;
  (void)ud;
  if (nsize == 0) {
    free(ptr);
    return NULL;
  }
  if (ptr != NULL && nsize <= osize) {
    p = realloc(ptr, nsize);
    return p != NULL ? p : ptr;
  }
  if (lrn_memory_must_fail())
    return NULL;
  p = realloc(ptr, nsize);
  if (p == NULL) { /* what the engine keeps of freed tensors may be what is missing */
    lrn_memory_empty_cache();
    p = realloc(ptr, nsize);
  }
  return p;
}

/* lua_WarnFunction, off until "@on". A message may come in pieces; while warnings are off, its last
   piece is taken for a control message too, as lua does. */
typedef struct warnings {
  int on, continued; /* continued: a piece was printed and more of it comes */
} warnings;

static void warning(void *ud, const char *message, int tocont) {
  warnings *w = ud;
  int control = !tocont && !w->continued && message[0] == '@';
  if (control) {
    if (strcmp(message, "@on") == 0)
      w->on = 1;
    else if (strcmp(message, "@off") == 0)
      w->on = 0;
    return;
  }
  if (!w->on)
    return;
  fprintf(stderr, "%s%s%s", w->continued ? "" : "Lua warning: ", message, tocont ? "" : "\n");
  fflush(stderr);
  w->continued = tocont;
}

static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "PANIC: unprotected error in call to Lua API (%s)\n",
          message != NULL ? message : "error object is not a string");
  return 0; /* Lua aborts */
}

/* }==================================================================== */

/* {====================================================================
** Options
** ===================================================================== */

enum {
  OPTION_ERROR = 1,
  OPTION_I = 2,
  OPTION_V = 4,
  OPTION_E_CODE = 8,   /* -e */
  OPTION_E_NOENV = 16, /* -E */
  OPTION_HELP = 32,
  OPTION_VERSION = 64,
  OPTION_DOCTOR = 128,
  OPTION_STRICT = 256
};

/* What lua has not: no option of lua begins with two dashes. */
static const struct {
  const char *name, *what;
  int option, ends; /* ends: the program does that and nothing else */
} long_options[] = {
  {"--help", "show this text and end", OPTION_HELP, 1},
  {"--version", "show what this lrn is made of and end", OPTION_VERSION, 1},
  {"--doctor", "show what was found and what is missing here, and end", OPTION_DOCTOR, 1},
  {"--strict", "undeclared globals are errors", OPTION_STRICT, 0}};
enum { LONG_OPTIONS = sizeof long_options / sizeof *long_options };

/* lua's text, byte for byte; after that, where it is asked for, what is our own. */
static void print_usage(FILE *out, int all) {
  fprintf(out,
          "usage: %s [options] [script [args]]\n"
          "Available options are:\n"
          "  -e stat   execute string 'stat'\n"
          "  -i        enter interactive mode after executing 'script'\n"
          "  -l mod    require library 'mod' into global 'mod'\n"
          "  -l g=mod  require library 'mod' into global 'g'\n"
          "  -v        show version information\n"
          "  -E        ignore environment variables\n"
          "  -W        turn warnings on\n"
          "  --        stop handling options\n"
          "  -         stop handling options and execute stdin\n",
          lrnP_name());
  for (int i = 0; all && i < LONG_OPTIONS; i++)
    fprintf(out, "  %-9s %s\n", long_options[i].name, long_options[i].what);
}

/* Whether a library that is opened at first use stands beside liblrn.so. */
static const char *has_library(const char *name) {
  Dl_info info;
  char path[PATH_MAX];
  const char *slash;
  if (dladdr((void *)(size_t)&lrn_version, &info) == 0 || info.dli_fname == NULL)
    return "unknown";
  slash = strrchr(info.dli_fname, '/');
  snprintf(path, sizeof path, "%.*s%s",
           slash != NULL ? (int)(slash - info.dli_fname) + 1 : 0, info.dli_fname, name);
  return access(path, R_OK) == 0 ? "yes" : "no";
}

static void print_version(void) {
  printf("lrn %s\n", lrn_version());
  printf("  Lua          %s\n", LUA_RELEASE + sizeof "Lua");
  printf("  OpenBLAS     %s\n", lrn_blas_core());
  printf("  kernels      %s\n", lrn_isa());
  printf("  threads      %d\n", lrn_get_threads());
  printf("  plots        %s\n", has_library("liblrn_plot.so"));
  printf("  editing      %s\n", has_library("liblrn_edit.so"));
  printf("  downloads    %s\n", has_library("liblrn_curl.so"));
  printf("  CUDA         %s\n", has_library("liblrn_cuda.so"));
}

/* Reads the options; *first is the position of the script, argc where there is none. */
static int collect_options(int argc, char **argv, int *first) {
  int options = 0, i;
  for (i = 1; i < argc; i++) {
    const char *a = argv[i];
    *first = i;
    if (a[0] != '-' || a[1] == '\0') /* a script, or '-': standard input */
      return options;
    if (a[1] == '-') {
      int n = 0;
      if (a[2] == '\0') {
        *first = i + 1;
        return options;
      }
      while (n < LONG_OPTIONS && strcmp(a, long_options[n].name) != 0)
        n++;
      if (n == LONG_OPTIONS)
        return OPTION_ERROR;
      options |= long_options[n].option;
      if (long_options[n].ends)
        return options;
      continue;
    }
    if (a[1] == 'e' || a[1] == 'l') { /* takes an argument: the rest, or the next one */
      if (a[1] == 'e')
        options |= OPTION_E_CODE;
      if (a[2] == '\0' && (++i >= argc || argv[i][0] == '-'))
        return OPTION_ERROR;
      continue;
    }
    if (strchr("ivEW", a[1]) == NULL || a[2] != '\0')
      return OPTION_ERROR;
    options |= a[1] == 'i' ? OPTION_I | OPTION_V : a[1] == 'v' ? OPTION_V : 0;
    options |= a[1] == 'E' ? OPTION_E_NOENV : 0;
  }
  *first = argc;
  return options;
}

/* The global `arg`: the script at 0, its arguments from 1 on, what stood before it below 0. */
static void push_arg_table(lua_State *L, int argc, char **argv, int script) {
  int i;
  if (script == argc)
    script = 0;
  lua_createtable(L, argc - script, script + 1);
  for (i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* }==================================================================== */

/* {====================================================================
** Running chunks
** ===================================================================== */

static int do_chunk(lua_State *L, int status) {
  if (status == LUA_OK)
    status = lrnP_call(L, 0, 0);
  return lrnP_report(L, status);
}

static int do_file(lua_State *L, const char *name) {
  return do_chunk(L, luaL_loadfilex(L, name, "t"));
}

static int do_string(lua_State *L, const char *code, const char *name) {
  return do_chunk(L, luaL_loadbufferx(L, code, strlen(code), name, "t"));
}

/* Raises where `require` of the module, which is the first argument, would load a binary chunk. */
static int check_text(lua_State *L) {
  static const char *const there[] = {LUA_LOADED_TABLE, LUA_PRELOAD_TABLE};
  const char *file;
  for (int i = 0; i < 2; i++)
    if (lua_getfield(L, LUA_REGISTRYINDEX, there[i]) == LUA_TTABLE &&
        lua_getfield(L, -1, lua_tostring(L, 1)) != LUA_TNIL)
      return 0;
  lua_settop(L, 1);
  if (lua_getglobal(L, LUA_LOADLIBNAME) != LUA_TTABLE ||
      lua_getfield(L, 2, "searchpath") != LUA_TFUNCTION ||
      lua_getfield(L, 2, "path") != LUA_TSTRING)
    return 0; /* require will say it */
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  file = lua_tostring(L, -1);
  if (file != NULL && luaL_loadfilex(L, file, "t") != LUA_OK &&
      strstr(lua_tostring(L, -1), "attempt to load a binary chunk") != NULL)
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", lua_tostring(L, 1),
                      file, lua_tostring(L, -1));
  return 0;
}

/* -l mod: global mod = require "mod"; -l g=mod: global g = require "mod". */
static int do_library(lua_State *L, const char *spec) {
  const char *equals = strchr(spec, '=');
  const char *module = equals != NULL ? equals + 1 : spec;
  size_t n = equals != NULL ? (size_t)(equals - spec) : strlen(spec);
  int status;
  lua_pushcfunction(L, check_text);
  lua_pushstring(L, module);
  status = lrnP_call(L, 1, 0);
  if (status == LUA_OK) {
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    status = lrnP_call(L, 1, 1);
  }
  if (status == LUA_OK) {
    lua_pushglobaltable(L);
    lua_pushlstring(L, spec, n);
    lua_rotate(L, -3, -1); /* table, name, module */
    lua_settable(L, -3);
    lua_pop(L, 1);
  }
  return lrnP_report(L, status);
}

/* Calls a function of one of our own modules, and leaves its result where there is one. */
static int do_module(lua_State *L, const char *module, const char *function, int nres) {
  int status;
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  status = lrnP_call(L, 1, 1);
  if (status == LUA_OK) {
    lua_getfield(L, -1, function);
    lua_remove(L, -2);
    status = lrnP_call(L, 0, nres);
  }
  return lrnP_report(L, status);
}

/* LUA_INIT: code, or a file where it starts with '@'. */
static int do_init(lua_State *L) {
  const char *name = "=LUA_INIT" LUA_VERSUFFIX;
  const char *value = getenv(name + 1);
  if (value == NULL) {
    name = "=LUA_INIT";
    value = getenv(name + 1);
  }
  if (value == NULL)
    return LUA_OK;
  return value[0] == '@' ? do_file(L, value + 1) : do_string(L, value, name);
}

/* The options that run something, in order: argv[1] to argv[n - 1]. 0: one of them failed. */
static int run_options(lua_State *L, char **argv, int n) {
  int i;
  for (i = 1; i < n; i++) {
    int option = argv[i][1];
    if (option == 'W')
      lua_warning(L, "@on", 0);
    if (option == 'e' || option == 'l') {
      const char *text = argv[i][2] != '\0' ? argv[i] + 2 : argv[++i];
      int status =
          option == 'e' ? do_string(L, text, "=(command line)") : do_library(L, text);
      if (status != LUA_OK)
        return 0;
    }
  }
  return 1;
}

/* The script argv[0] with the elements 1 to #arg of `arg` as arguments. */
static int do_script(lua_State *L, char **argv) {
  const char *name = argv[0];
  int status, i, n;
  if (strcmp(name, "-") == 0 && strcmp(argv[-1], "--") != 0)
    name = NULL;
  status = luaL_loadfilex(L, name, "t");
  if (status == LUA_OK) {
    if (lua_getglobal(L, "arg") != LUA_TTABLE)
      luaL_error(L, "'arg' is not a table");
    n = (int)luaL_len(L, -1);
    luaL_checkstack(L, n + 3, "too many arguments to script");
    for (i = 1; i <= n; i++)
      lua_rawgeti(L, -i, i);
    lua_remove(L, -i);
    status = lrnP_call(L, n, LUA_MULTRET);
  }
  return lrnP_report(L, status);
}

/* }==================================================================== */

/* Everything after the state is there; returns true where all went well. */
static int program(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  int script = argc;
  int options = collect_options(argc, argv, &script);
  int terminal = isatty(STDIN_FILENO), prompt;
  luaL_checkversion(L);
  if (options & OPTION_ERROR) {
    fprintf(stderr, "%s: ", lrnP_name());
    if (argv[script][1] == 'e' || argv[script][1] == 'l')
      fprintf(stderr, "'%s' needs argument\n", argv[script]);
    else
      fprintf(stderr, "unrecognized option '%s'\n", argv[script]);
    print_usage(stderr, argv[script][1] == '-');
    return 0;
  }
  if (options & (OPTION_HELP | OPTION_VERSION)) {
    if (options & OPTION_HELP)
      print_usage(stdout, 1);
    else
      print_version();
    lua_pushboolean(L, 1);
    return 1;
  }
  prompt = (options & OPTION_I) ||
           (script == argc && !(options & (OPTION_E_CODE | OPTION_V)) && terminal);
  if (prompt || (options & OPTION_V))
    puts(LUA_COPYRIGHT);
  if (prompt && terminal)
    printf("lrn %s  (OpenBLAS %s, %s kernels, threads: %d)\n", lrn_version(),
           lrn_blas_core(), lrn_isa(), lrn_get_threads());
  fflush(stdout);
  if (options & OPTION_E_NOENV) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* for package.path */
  }
  luaL_openlibs(L);
  lrnP_open_coroutine(L);
  luaL_requiref(L, "lrn", luaopen_lrn, 1);
  lua_pop(L, 1);
  push_arg_table(L, argc, argv, script);
  lua_gc(L, LUA_GCGEN, 0, 0);
  if (options & OPTION_DOCTOR)
    return do_module(L, "lrn.doctor", "report", 1) == LUA_OK;
  if (!(options & OPTION_E_NOENV) && do_init(L) != LUA_OK)
    return 0;
  if ((options & OPTION_STRICT) && do_module(L, "lrn.strict", "on", 0) != LUA_OK)
    return 0;
  if (!run_options(L, argv, script))
    return 0;
  if (script < argc && do_script(L, argv + script) != LUA_OK)
    return 0;
  if (prompt)
    lrnP_prompt(L);
  else if (script == argc && !(options & (OPTION_E_CODE | OPTION_V)))
    do_file(L, NULL); /* as in lua, its errors do not show in the exit code; those of '-' do */
  lua_pushboolean(L, 1);
  return 1;
}

static int lrn_main(int argc, char **argv) {
  warnings w = {0, 0};
  int status, ok;
  lua_State *L = lua_newstate(allocate, NULL);
  if (argc > 0 && argv[0][0] != '\0')
    lrnP_set_name(argv[0]);
  if (L == NULL) {
    lrnP_message("cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_atpanic(L, panic);
  lua_setwarnf(L, warning, &w);
  lua_pushcfunction(L, program);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  status = lua_pcall(L, 2, 1, 0);
  ok = lua_toboolean(L, -1);
  lrnP_report(L, status);
  lua_close(L);
  return ok && status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) { return lrn_main(argc, argv); }
