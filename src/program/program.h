/*
** program.h - what the parts of the program lrn share: see src/lrn.c.
*/
#ifndef LRN_PROGRAM_PROGRAM_H
#define LRN_PROGRAM_PROGRAM_H

#include <lauxlib.h>
#include <lua.h>

/* {=== call.c: calls with a traceback, and messages === */

/* What messages start with; NULL: nothing, at the prompt. */
void lrnP_set_name(const char *name);
const char *lrnP_name(void);
void lrnP_message(const char *message);
/* Prints the error on the top of the stack, if status says that there is one, and pops it.
   Returns status. */
int lrnP_report(lua_State *L, int status);
/* Calls the function below narg arguments, with traceback and Ctrl-C; as lua_pcall otherwise. */
int lrnP_call(lua_State *L, int narg, int nres);

/* ===} */

/* {=== interrupt.c: Ctrl-C === */

/* Between these two, Ctrl-C stops what L runs: Lua code, also in coroutines, and engine calls. */
void lrnP_interruptible(lua_State *L);
void lrnP_uninterruptible(lua_State *L);
/* Until lrnP_typed: Ctrl-C does nothing but end a read of the terminal with EINTR. */
void lrnP_typing(void);
void lrnP_typed(void);
/* Puts resume, wrap and close that keep track of the running coroutine into the table coroutine;
   they are Lua's own in every other respect. */
void lrnP_open_coroutine(lua_State *L);

/* ===} */

/* {=== files.c: what the prompt does with files === */

/* append(path, text, limit): to a file that only its owner can read, made where it is missing. One
   that is longer than limit bytes keeps its last half. Sessions may do so at once.
   -> true; or nil, message */
int lrnP_append(lua_State *L);
/* files(folder) -> names in it, folders with a '/' behind; empty where it cannot be read. */
int lrnP_files(lua_State *L);

/* ===} */

/* {=== prompt.c === */

/* Reads, runs and prints until the input ends. */
void lrnP_prompt(lua_State *L);

/* ===} */

#endif
