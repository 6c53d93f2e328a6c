/*
** editor.c - liblrn_edit.so: a line of a terminal, edited by libedit.
**
** Opened by the prompt alone, so that scripts do not load libedit; what Tab means, what is kept and
** where is Lua's business (lua/lrn/repl/terminal.lua).
**
** Signals are blocked while libedit works and taken only inside `wait`, where the program sleeps in
** pselect: there is no moment at which one is missed, and what a handler would do is done by plain
** code after it. libedit's own handlers are not used: they signal the whole process group.
*/
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include <histedit.h>
#include <lauxlib.h>

#define LITERAL L'\1' /* around escape sequences in the prompt: they have no width */
#define KEY_REDRAW L'\036' /* what the reader gives where the line must be drawn anew */
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

/* One for the terminal of the process. */
static struct {
  EditLine *el;
  HistoryW *history;
  locale_t locale; /* the user's characters; UTF-8 where the user named none */
  wchar_t *prompt;
  lua_State *L;       /* while a line is read */
  pthread_t thread;   /* that reads it */
  char *queue;        /* pasted bytes that are not read yet: queue[first] to queue[last - 1] */
  size_t first, last, size;
  mbstate_t decoder;
  int dropped; /* Ctrl-C */
  int literal; /* the character comes from a paste */
} editor;

/* {=== Signals === */

static const int signals[] = {SIGINT, SIGTSTP, SIGCONT, SIGWINCH, SIGTERM, SIGHUP, SIGQUIT};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

static volatile sig_atomic_t came[N_SIGNALS];
static struct sigaction before[N_SIGNALS];
static sigset_t mask_before;

static void on_signal(int sig) {
  if (!pthread_equal(pthread_self(), editor.thread)) { /* came to a worker thread */
    pthread_kill(editor.thread, sig);
    return;
  }
  for (int i = 0; i < N_SIGNALS; i++)
    if (signals[i] == sig)
      came[i] = 1;
}

static void take_signals(void) {
  struct sigaction action;
  sigset_t mask;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigemptyset(&mask);
  for (int i = 0; i < N_SIGNALS; i++)
    sigaddset(&mask, signals[i]);
  sigprocmask(SIG_BLOCK, &mask, &mask_before);
  for (int i = 0; i < N_SIGNALS; i++) {
    came[i] = 0;
    sigaction(signals[i], &action, &before[i]);
  }
}

static void give_signals(void) {
  for (int i = 0; i < N_SIGNALS; i++)
    sigaction(signals[i], &before[i], NULL);
  sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

static void put(const char *text) {
  fputs(text, stdout);
  fflush(stdout);
}

/* Lets a signal have its usual effect, with the terminal as the shell left it. */
static void pass_on(int sig) {
  put(PASTE_OFF);
  el_wset(editor.el, EL_PREP_TERM, 0);
  give_signals();
  raise(sig);
  take_signals();
  el_wset(editor.el, EL_PREP_TERM, 1);
  put(PASTE_ON);
  el_wset(editor.el, EL_REFRESH);
}

enum { DROPPED, QUIET, REDRAW };

/* Acts on the signals that came. */
static int act(void) {
  int result = QUIET;
  for (int i = 0; i < N_SIGNALS; i++) {
    if (!came[i])
      continue;
    came[i] = 0;
    switch (signals[i]) {
    case SIGINT:
      editor.dropped = 1;
      return DROPPED;
    case SIGWINCH:
      el_resize(editor.el);
      result = REDRAW;
      break;
    case SIGCONT: /* after a stop that could not be seen coming */
      el_wset(editor.el, EL_PREP_TERM, 1);
      put(PASTE_ON);
      el_wset(editor.el, EL_REFRESH);
      break;
    case SIGTSTP:
      pass_on(SIGTSTP);
      break;
    default:
      pass_on(signals[i]);
    }
  }
  return result;
}

/* ===} */

/* {=== Characters === */

/* Sleeps until there is something to read (QUIET), to draw, or the line is dropped. */
static int wait(void) {
  int ready = 0;
  for (;;) {
    sigset_t blocked;
    fd_set set;
    int result;
    /* pselect lets no signal in where there is something to read; what was typed after a Ctrl-C
       belongs to the next line. */
    sigprocmask(SIG_SETMASK, &mask_before, &blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    result = act();
    if (result != QUIET || ready)
      return result;
    FD_ZERO(&set);
    FD_SET(STDIN_FILENO, &set);
    ready = pselect(STDIN_FILENO + 1, &set, NULL, NULL, NULL, &mask_before) >= 0 ||
            errno != EINTR; /* after an error the read will say why */
  }
}

/* A byte of a paste as it would be typed: lines end with '\n', other controls are left out. */
static int pasted(char *byte) {
  while (editor.first < editor.last) {
    unsigned char c = (unsigned char)editor.queue[editor.first++];
    if (c == '\r') {
      if (editor.first < editor.last && editor.queue[editor.first] == '\n')
        continue;
      c = '\n';
    }
    if (c >= ' ' ? c != 127 : c == '\n' || c == '\t') {
      *byte = (char)c;
      return 1;
    }
  }
  return 0;
}

/* EL_GETCFN. One byte is read at a time: what follows a line belongs to the code that it runs. */
static int get_character(EditLine *el, wchar_t *c) {
  char byte;
  (void)el;
  for (;;) {
    editor.literal = pasted(&byte);
    if (!editor.literal) {
      ssize_t got;
      int result = wait();
      if (result == DROPPED)
        return -1;
      if (result == REDRAW) {
        *c = KEY_REDRAW;
        return 1;
      }
      got = read(STDIN_FILENO, &byte, 1);
      if (got < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (got <= 0)
        return 0;
    }
    switch (mbrtowc(c, &byte, 1, &editor.decoder)) {
    case (size_t)-2:
      break;
    case (size_t)-1:
      memset(&editor.decoder, 0, sizeof editor.decoder);
      break;
    default:
      return 1;
    }
  }
}

/* Text as wide characters, by malloc; NULL: it is not in the user's encoding, or no memory. */
static wchar_t *widen(const char *text) {
  size_t n = strlen(text);
  wchar_t *wide = malloc((n + 1) * sizeof *wide);
  if (wide != NULL && mbstowcs(wide, text, n + 1) == (size_t)-1) {
    free(wide);
    return NULL;
  }
  return wide;
}

static void push_narrow(lua_State *L, const wchar_t *wide, size_t n) {
  luaL_Buffer b;
  char bytes[MB_LEN_MAX];
  mbstate_t state;
  memset(&state, 0, sizeof state);
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < n; i++) {
    size_t k = wcrtomb(bytes, wide[i], &state);
    if (k != (size_t)-1)
      luaL_addlstring(&b, bytes, k);
  }
  luaL_pushresult(&b);
}

/* ===} */

/* {=== Keys === */

static unsigned char key_redraw(EditLine *el, wint_t key) {
  (void)el;
  (void)key;
  return CC_REFRESH;
}

/* Bracketed paste: the terminal has sent ESC [ 200 ~. All up to ESC [ 201 ~ goes to the queue. */
static unsigned char key_paste(EditLine *el, wint_t key) {
  static const char end[] = "\033[201~";
  const size_t n = sizeof end - 1;
  int ended = 0;
  (void)el;
  (void)key;
  editor.first = editor.last = 0;
  while (!ended) {
    ssize_t got;
    if (editor.last == editor.size) {
      size_t size = editor.size > 0 ? 2 * editor.size : 4096;
      char *queue = realloc(editor.queue, size);
      if (queue == NULL)
        break;
      editor.queue = queue;
      editor.size = size;
    }
    if (wait() == DROPPED) {
      came[0] = 1; /* signals[0]: the reader ends the line */
      editor.last = 0;
      break;
    }
    got = read(STDIN_FILENO, editor.queue + editor.last, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (got <= 0)
      break;
    editor.last++;
    ended = editor.last >= n && memcmp(editor.queue + editor.last - n, end, n) == 0;
  }
  if (ended)
    editor.last -= n;
  return CC_NORM;
}

/* The completer, its argument, gives what to insert at the cursor, and a text to show or nil. */
static int complete_line(lua_State *L) {
  const LineInfoW *line = el_wline(editor.el);
  push_narrow(L, line->buffer, (size_t)(line->cursor - line->buffer));
  push_narrow(L, line->cursor, (size_t)(line->lastchar - line->cursor));
  lua_call(L, 2, 2);
  luaL_checkstring(L, -2);
  luaL_optstring(L, -1, NULL);
  return 2;
}

/* Tab. The completer lies at the top of the stack of the state that reads. */
static unsigned char key_complete(EditLine *el, wint_t key) {
  lua_State *L = editor.L;
  int result = CC_ERROR;
  (void)key;
  if (editor.literal)
    return el_winsertstr(el, L"\t") == 0 ? CC_REFRESH : CC_ERROR;
  if (lua_isnil(L, -1))
    return CC_ERROR;
  lua_pushcfunction(L, complete_line);
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    lua_pop(L, 1);
    return CC_ERROR;
  }
  if (lua_rawlen(L, -2) > 0) {
    wchar_t *text = widen(lua_tostring(L, -2));
    if (text != NULL && el_winsertstr(el, text) == 0)
      result = CC_REFRESH;
    free(text);
  }
  if (!lua_isnil(L, -1)) {
    fputs("\033[J\n", stdout);
    put(lua_tostring(L, -1));
    el_wset(el, EL_REFRESH); /* draws the line anew, where the cursor is now */
    result = CC_NORM;
  }
  lua_pop(L, 2);
  return (unsigned char)result;
}

/* In an input of several lines these keys move in it. Up from its first line and down from its last
   go to other inputs. */

static const wchar_t *line_start(const LineInfoW *line, const wchar_t *at) {
  while (at > line->buffer && at[-1] != L'\n')
    at--;
  return at;
}

static const wchar_t *line_end(const LineInfoW *line, const wchar_t *at) {
  while (at < line->lastchar && *at != L'\n')
    at++;
  return at;
}

static unsigned char go(EditLine *el, const wchar_t *to) {
  el_cursor(el, (int)(to - el_wline(el)->cursor));
  return CC_REFRESH;
}

/* To the line that begins at start, as far to the right as the cursor is in its own. */
static unsigned char go_to_line(EditLine *el, const wchar_t *start) {
  const LineInfoW *line = el_wline(el);
  const wchar_t *end = line_end(line, start);
  const wchar_t *to = start + (line->cursor - line_start(line, line->cursor));
  return go(el, to < end ? to : end);
}

static unsigned char key_up(EditLine *el, wint_t key) {
  const LineInfoW *line = el_wline(el);
  const wchar_t *start = line_start(line, line->cursor);
  (void)key;
  if (start > line->buffer)
    return go_to_line(el, line_start(line, start - 1));
  el_wpush(el, L"\020"); /* ^P */
  return CC_NORM;
}

static unsigned char key_down(EditLine *el, wint_t key) {
  const LineInfoW *line = el_wline(el);
  const wchar_t *end = line_end(line, line->cursor);
  (void)key;
  if (end < line->lastchar)
    return go_to_line(el, end + 1);
  el_wpush(el, L"\016"); /* ^N */
  return CC_NORM;
}

static unsigned char key_home(EditLine *el, wint_t key) {
  const LineInfoW *line = el_wline(el);
  (void)key;
  return go(el, line_start(line, line->cursor));
}

static unsigned char key_end(EditLine *el, wint_t key) {
  const LineInfoW *line = el_wline(el);
  (void)key;
  return go(el, line_end(line, line->cursor));
}

static const struct {
  const wchar_t *name;
  unsigned char (*f)(EditLine *, wint_t);
} commands[] = {{L"lrn-redraw", key_redraw},
                {L"lrn-paste", key_paste},
                {L"lrn-complete", key_complete},
                {L"lrn-up", key_up},
                {L"lrn-down", key_down},
                {L"lrn-home", key_home},
                {L"lrn-end", key_end}};

/* What other line editors have and libedit's emacs mode lacks; ~/.editrc comes after it. */
static const wchar_t *const bindings[][2] = {
    {L"\033[A", L"lrn-up"},          {L"\033OA", L"lrn-up"},
    {L"\033[B", L"lrn-down"},        {L"\033OB", L"lrn-down"},
    {L"\033[H", L"lrn-home"},        {L"\033OH", L"lrn-home"},
    {L"\033[1~", L"lrn-home"},       {L"^A", L"lrn-home"},
    {L"\033[F", L"lrn-end"},         {L"\033OF", L"lrn-end"},
    {L"\033[4~", L"lrn-end"},        {L"^E", L"lrn-end"},
    {L"\033[3~", L"ed-delete-next-char"},
    {L"\033[1;5C", L"em-next-word"}, {L"\033[1;5D", L"ed-prev-word"},
    {L"\033[1;3C", L"em-next-word"}, {L"\033[1;3D", L"ed-prev-word"},
    {L"^R", L"em-inc-search-prev"},  {L"^S", L"em-inc-search-next"},
    {L"^W", L"ed-delete-prev-word"}};

/* ===} */

/* {=== The module === */

static wchar_t *get_prompt(EditLine *el) {
  static wchar_t none[] = L"";
  (void)el;
  return editor.prompt != NULL ? editor.prompt : none;
}

/* The user's characters. A C locale knows ASCII only, and libedit would drop all else; terminals
   are UTF-8. The locale of the program stays as it is: this one is used while a line is read. */
static locale_t user_locale(void) {
  locale_t user = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
  if (user == (locale_t)0 || strcmp(nl_langinfo_l(CODESET, user), "ANSI_X3.4-1968") == 0) {
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 != (locale_t)0) {
      if (user != (locale_t)0)
        freelocale(user);
      return utf8;
    }
  }
  return user;
}

/* Puts the cursor at the start of a line, which libedit expects: where output left it behind text,
   so many spaces end in the next line, else in this one. */
static void begin_line(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    printf("%*s\r\033[K", size.ws_col, "");
}

static int start(void) {
  HistEventW event;
  size_t i;
  editor.el = el_init("lrn", stdin, stdout, stderr);
  editor.history = history_winit();
  if (editor.el == NULL || editor.history == NULL)
    return 0;
  history_w(editor.history, &event, H_SETSIZE, 10000);
  history_w(editor.history, &event, H_SETUNIQUE, 1);
  el_wset(editor.el, EL_HIST, history_w, editor.history);
  el_wset(editor.el, EL_EDITOR, L"emacs");
  el_wset(editor.el, EL_SIGNAL, 0);
  el_wset(editor.el, EL_GETCFN, get_character);
  el_wset(editor.el, EL_PROMPT_ESC, get_prompt, LITERAL);
  for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
    el_wset(editor.el, EL_ADDFN, commands[i].name, L"lrn", commands[i].f);
  for (i = 0; i < sizeof bindings / sizeof bindings[0]; i++)
    el_wset(editor.el, EL_BIND, bindings[i][0], bindings[i][1], NULL);
  el_source(editor.el, NULL);
  el_wset(editor.el, EL_BIND, L"^I", L"lrn-complete", NULL);
  el_wset(editor.el, EL_BIND, L"^^", L"lrn-redraw", NULL);
  el_wset(editor.el, EL_BIND, L"\033[200~", L"lrn-paste", NULL);
  return 1;
}

static void stop(void) {
  if (editor.el != NULL)
    el_end(editor.el);
  if (editor.history != NULL)
    history_wend(editor.history);
  if (editor.locale != (locale_t)0)
    freelocale(editor.locale);
  free(editor.prompt);
  free(editor.queue);
  memset(&editor, 0, sizeof editor);
}

/* open() -> true; nil where libedit cannot work here */
static int edit_open(lua_State *L) {
  locale_t old;
  int started;
  stop();
  editor.locale = user_locale();
  old = uselocale(editor.locale);
  started = start();
  uselocale(old);
  if (!started)
    stop();
  lua_pushboolean(L, started);
  return 1;
}

static int edit_close(lua_State *L) {
  (void)L;
  stop();
  return 0;
}

/* read(prompt, completer) -> the line without its newline; or nil, "end" or "dropped" */
static int edit_read(lua_State *L) {
  const char *prompt = luaL_checkstring(L, 1), *newline = strrchr(prompt, '\n');
  const wchar_t *line;
  locale_t old;
  int n;
  lua_settop(L, 2);
  luaL_argcheck(L, editor.el != NULL, 1, "the editor is not open");
  begin_line();
  if (newline != NULL) { /* libedit's prompt is one line */
    fwrite(prompt, 1, (size_t)(newline + 1 - prompt), stdout);
    prompt = newline + 1;
  }
  old = uselocale(editor.locale);
  free(editor.prompt);
  editor.prompt = widen(prompt);
  editor.L = L;
  editor.thread = pthread_self();
  editor.dropped = 0;
  memset(&editor.decoder, 0, sizeof editor.decoder);
  take_signals();
  el_resize(editor.el);
  put(PASTE_ON);
  line = el_wgets(editor.el, &n);
  put(editor.dropped ? PASTE_OFF "^C\033[J\n" : PASTE_OFF);
  if (editor.dropped)
    editor.first = editor.last = 0;
  give_signals();
  if (line == NULL || n <= 0) {
    uselocale(old);
    lua_pushnil(L);
    lua_pushstring(L, editor.dropped ? "dropped" : "end");
    return 2;
  }
  if (line[n - 1] == L'\n')
    n--;
  push_narrow(L, line, (size_t)n);
  uselocale(old);
  return 1;
}

/* add(input): to what the keys up and ^R find */
static int edit_add(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  locale_t old = uselocale(editor.locale);
  wchar_t *wide = widen(text);
  HistEventW event;
  uselocale(old);
  if (wide != NULL && editor.history != NULL)
    history_w(editor.history, &event, H_ENTER, wide);
  free(wide);
  return 0;
}

/* forget(): what was pasted and is not read yet */
static int edit_forget(lua_State *L) {
  (void)L;
  editor.first = editor.last = 0;
  return 0;
}

__attribute__((visibility("default"))) int luaopen_lrn_edit(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", edit_open},     {"close", edit_close},
                                       {"read", edit_read},     {"add", edit_add},
                                       {"forget", edit_forget}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

/* ===} */
