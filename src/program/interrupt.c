/*
** interrupt.c - Ctrl-C.
**
** The signal handler may do no more than set things that others look at: a flag, which long engine
** calls poll, and a hook, which Lua runs before its next instruction, call or return. A hook
** belongs to one coroutine, and lua_State tells nobody which one runs; so coroutine.resume, wrap
** and close are replaced by functions that note it. Without a Ctrl-C no hook is set and nothing
** is slower.
**
** Whoever raises the error takes the flag back, so that one Ctrl-C raises once: a script may catch
** it, save what it has, and go on.
*/
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <lualib.h>

#include "lrn.h"
#include "program/program.h"

static struct {
  lua_State *volatile L;  /* the running state or coroutine; NULL where none runs */
  pthread_t thread;       /* and its thread */
  volatile int flag;      /* a Ctrl-C that nobody has raised yet */
  struct timespec before; /* when the last one came */
} interrupt;

/* {=== The signal === */

static void set_sigint(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask); /* no SA_RESTART: a read that waits ends with EINTR */
  sigaction(SIGINT, &action, NULL);
}

/* Runs when the engine is in no call, so that models and files are whole. */
static void stop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  if (interrupt.flag) {
    interrupt.flag = 0;
    lua_pushliteral(L, "interrupted!"); /* the traceback says where */
    lua_error(L);
  }
}

static void set_hook(lua_State *L) {
  lua_sethook(L, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* The first Ctrl-C asks the script to stop; a second one within a second ends the program, for
   code that does not listen: a C module, or a script that catches errors. Two within 0.1 s are one,
   sent both to the process and to its group (timeout does that). */
static void on_interrupt(int sig) {
  struct timespec now;
  double since;
  int saved = errno;
  if (!pthread_equal(pthread_self(), interrupt.thread)) { /* came to a worker thread */
    pthread_kill(interrupt.thread, sig);
    errno = saved;
    return;
  }
  clock_gettime(CLOCK_MONOTONIC, &now);
  since = (double)(now.tv_sec - interrupt.before.tv_sec) +
          1e-9 * (double)(now.tv_nsec - interrupt.before.tv_nsec);
  if (interrupt.before.tv_sec != 0 && since < 0.1) {
    /* the same one */
  } else if (interrupt.L == NULL || (interrupt.before.tv_sec != 0 && since < 1.0)) {
    set_sigint(SIG_DFL);
    raise(sig); /* acts when this handler returns */
  } else {
    interrupt.before = now;
    interrupt.flag = 1;
    set_hook(interrupt.L);
  }
  errno = saved;
}

void lrnP_interruptible(lua_State *L) {
  interrupt.thread = pthread_self();
  interrupt.flag = 0;
  interrupt.L = L;
  lrn_set_interrupt(&interrupt.flag);
  set_sigint(on_interrupt);
}

void lrnP_uninterruptible(lua_State *L) {
  interrupt.L = NULL;
  lrn_set_interrupt(NULL);
  if (lua_gethook(L) == stop) /* a Ctrl-C that came too late */
    lua_sethook(L, NULL, 0, 0);
}

static void on_typing(int sig) { (void)sig; }

void lrnP_typing(void) {
  memset(&interrupt.before, 0, sizeof interrupt.before);
  set_sigint(on_typing);
}

void lrnP_typed(void) { set_sigint(on_interrupt); }

/* ===} */

/* {=== Coroutines === */

/* co runs now, on behalf of L. */
static void enter(lua_State *co) {
  if (interrupt.L != NULL)
    interrupt.L = co;
}

/* L runs again. A Ctrl-C that co did not live to raise is L's. */
static void leave(lua_State *L, lua_State *co) {
  if (interrupt.L == NULL)
    return;
  interrupt.L = L;
  if (lua_gethook(co) == stop)
    lua_sethook(co, NULL, 0, 0);
  if (interrupt.flag)
    set_hook(L);
}

/* Resumes co with narg values from the top of L. What it yields or returns goes there, and their
   number is returned; or a message, and -1. */
static int resume(lua_State *L, lua_State *co, int narg) {
  int status, results;
  if (!lua_checkstack(co, narg)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, narg);
  enter(co);
  status = lua_resume(co, L, narg, &results);
  leave(L, co);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

/* Ends co: its to-be-closed variables are closed. Returns a status; an error stays on co. */
static int reset(lua_State *L, lua_State *co) {
  int status;
  enter(co);
  status = lua_resetthread(co);
  leave(L, co);
  return status;
}

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

static int coroutine_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  int results = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  if (results < 0)
    results = 1;
  lua_insert(L, -(results + 1));
  return results + 1;
}

/* The function that wrap makes; upvalue 1 is its coroutine. */
static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int status, results = resume(L, co, lua_gettop(L));
  if (results >= 0)
    return results;
  status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* it died of an error */
    status = reset(L, co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
  lua_State *co;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

static int coroutine_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  lua_Debug ar;
  int status;
  if (co == L)
    return luaL_error(L, "cannot close a running coroutine");
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar)) /* it waits for one that it resumed */
    return luaL_error(L, "cannot close a normal coroutine");
  status = reset(L, co);
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_OK)
    return 1;
  lua_xmove(co, L, 1);
  return 2;
}

void lrnP_open_coroutine(lua_State *L) {
  static const luaL_Reg functions[] = {{"resume", coroutine_resume},
                                       {"wrap", coroutine_wrap},
                                       {"close", coroutine_close},
                                       {NULL, NULL}};
  lua_getglobal(L, LUA_COLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}

/* ===} */
