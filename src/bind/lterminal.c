/*
** lterminal.c - questions to a terminal: is there one, how large is it, what can it draw.
*/
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "bind/lbind.h"

#define MAX_ANSWER 256

/* isatty(fd) */
static int core_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* terminal_size(fd) -> columns, rows, width, height; the last two are pixels, 0 where the terminal
   does not say. nil: no terminal, or one without a size. */
static int core_terminal_size(lua_State *L) {
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 0;
  lua_pushinteger(L, size.ws_col);
  lua_pushinteger(L, size.ws_row);
  lua_pushinteger(L, size.ws_xpixel);
  lua_pushinteger(L, size.ws_ypixel);
  return 4;
}

static int64_t milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Writes the question and reads up to the byte `last`. 0 where that did not come in time. */
static size_t ask(int fd, const char *question, size_t length, int last, int limit,
                  char *answer) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int64_t end = milliseconds() + limit;
  size_t n = 0;
  if (poll(&p, 1, 0) != 0) /* somebody typed ahead: those bytes are not ours */
    return 0;
  if (write(fd, question, length) != (ssize_t)length)
    return 0;
  while (n < MAX_ANSWER) {
    int64_t left = end - milliseconds();
    if (left <= 0)
      return 0;
    if (poll(&p, 1, (int)left) <= 0) /* time is up, or a signal */
      continue;
    if (read(fd, answer + n, 1) != 1)
      return 0;
    if (answer[n++] == last)
      return n;
  }
  return 0;
}

/* terminal_ask(question, last, ms) -> answer, up to and with the character `last`, or nil. Asks the
   terminal that controls this process, whose input is not echoed meanwhile. nil also where keys
   wait to be read, and for a job in the background, which the kernel would stop. */
static int core_terminal_ask(lua_State *L) {
  size_t length, n;
  const char *question = luaL_checklstring(L, 1, &length);
  const char *last = luaL_checkstring(L, 2);
  int limit = (int)luaL_checkinteger(L, 3);
  char answer[MAX_ANSWER];
  struct termios before, raw;
  int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  if (tcgetpgrp(fd) != getpgrp() || tcgetattr(fd, &before) != 0) {
    close(fd);
    return 0;
  }
  raw = before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* Ctrl-C stays one */
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  n = 0;
  if (tcsetattr(fd, TCSANOW, &raw) == 0) {
    n = ask(fd, question, length, last[0], limit, answer);
    tcsetattr(fd, TCSANOW, &before);
  }
  close(fd);
  if (n == 0)
    return 0;
  lua_pushlstring(L, answer, n);
  return 1;
}

static const luaL_Reg functions[] = {{"isatty", core_isatty},
                                     {"terminal_size", core_terminal_size},
                                     {"terminal_ask", core_terminal_ask},
                                     {NULL, NULL}};

void lrnB_open_terminal(lua_State *L) { luaL_setfuncs(L, functions, 0); }
