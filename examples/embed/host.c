/*
** host.c - a program in C that opens a Lua state of its own and lends its memory to a script.
**
** With an installed lrn (docs/embedding.md):
**
**     cc host.c -o host $(pkg-config --cflags --libs lrn-lua lua5.4) \
**       -Wl,-rpath,$(pkg-config --variable=libdir lrn)
**     ./host [script.lua]
**
** or, all examples of this folder, by its CMakeLists.txt:
**
**     cmake -S examples/embed -B embed -DCMAKE_PREFIX_PATH=/usr/local && cmake --build embed
**
** The host has images and wants to know which of them look unusual. The images are its own, and
** stay where they are; how to judge them is the script's business, and so easily changed. The
** script sees three globals:
**
**   samples          the images, uint8, read-only: the host's array itself
**   scores           float32, one a sample, for the script to fill: the host's array again
**   host.invert(t)   a function of the host that takes a tensor and gives one
**
** What to see here:
**   - everything that may raise a Lua error stands below one lua_pcall, with a traceback;
**   - memory is wrapped, not copied, and its release is called exactly once (see `cases`);
**   - the state has an allocator with a limit, so that a script cannot take all memory.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <lrn_lua.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE, PATTERNS = 1 << SIDE, SAMPLES = 2 * PATTERNS + 1 };

static const char default_script[] =
  "local rbm = lrn.RBM{ n_visible = 16, n_hidden = 12, learning_rate = 0.2, momentum = 0.5 }\n"
  "rbm:fit(samples:narrow(1, 1, 32), { epochs = 200, batch_size = 4, progress = false })\n"
  "scores:copy_(rbm:energy(samples))           -- into the host's own array\n"
  "assert(host.invert(samples)(1, 1) == 255 - samples(1, 1))\n"
  "assert(not pcall(samples.fill_, samples, 0)) -- read-only\n";

/* {=== The host's data: all bars and stripes of 4 x 4 pixels, and one image that is neither === */

static unsigned char images[SAMPLES][PIXELS];
static float scores[SAMPLES];

static void draw_images(void) {
  static const char odd[] = "1001"
                            "0110"
                            "0110"
                            "1001";
  int pattern, row, column, pixel;
  for (pattern = 0; pattern < PATTERNS; pattern++)
    for (row = 0; row < SIDE; row++)
      for (column = 0; column < SIDE; column++) {
        int at = row * SIDE + column;
        images[pattern][at] = pattern >> row & 1 ? 255 : 0;
        images[PATTERNS + pattern][at] = pattern >> column & 1 ? 255 : 0;
      }
  for (pixel = 0; pixel < PIXELS; pixel++)
    images[SAMPLES - 1][pixel] = odd[pixel] == '1' ? 255 : 0;
}

/* ===} */

/* {=== The state: memory, errors, the host's function === */

/* A lua_Alloc with a limit. Memory of tensors is the engine's and does not count here. */
typedef struct memory {
  size_t used, limit;
} memory;

static void *allocate(void *ud, void *block, size_t before, size_t size) {
  memory *m = ud;
  void *p;
  if (block == NULL)
    before = 0; /* it is a type then */
  if (size == 0) {
    free(block);
    m->used -= before;
    return NULL;
  }
  if (size > before && m->used + (size - before) > m->limit)
    return NULL; /* Lua collects garbage, tries again, and raises "not enough memory" */
  p = realloc(block, size);
  if (p != NULL)
    m->used = m->used - before + size;
  return p;
}

/* Message handler: the error with the calls that led to it. */
static int traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* host.invert(t): 255 - t. The shape of every function of a host on tensors: read the arguments
   (which may raise), call the engine, raise what it says, or give the result away. */
static int host_invert(lua_State *L) {
  lrn_tensor *inverted = NULL;
  lrn_arg args[2];
  int status;
  args[0] = lrn_argi(255);
  args[1] = lrn_argt(lrnL_checktensor(L, 1));
  status = lrn_map(&inverted, NULL, lrn_op_find("sub"), args, 2);
  if (status != LRN_OK)
    return lrnL_raise(L, status);
  lrnL_givetensor(L, inverted); /* freed by the state from here on, also where this raises */
  return 1;
}

static const luaL_Reg host_functions[] = {{"invert", host_invert}, {NULL, NULL}};

/* What a state runs. The tensors stay the host's: the state takes views of its own. */
typedef struct job {
  const char *file; /* NULL: text */
  const char *text;
  const lrn_tensor *samples, *scores;
} job;

/* Runs below lua_pcall: an error anywhere in here unwinds to it, and holds nothing that would
   be lost. */
static int run_job(lua_State *L) {
  const job *j = lua_touserdata(L, 1);
  int status;
  luaL_openlibs(L);
  luaL_requiref(L, "lrn", luaopen_lrn, 1); /* the global `lrn`, and what require "lrn" finds */
  lua_gc(L, LUA_GCGEN, 0, 0); /* the collector's better mode for loops that make tensors */
  luaL_newlib(L, host_functions);
  lua_setglobal(L, "host");
  lrnL_pushtensor(L, j->samples);
  lua_setglobal(L, "samples");
  lrnL_pushtensor(L, j->scores);
  lua_setglobal(L, "scores");
  if (j->file != NULL)
    status = luaL_loadfilex(L, j->file, "t"); /* text alone: bytecode of strangers is unsafe */
  else
    status = luaL_loadbufferx(L, j->text, strlen(j->text), "=(built in)", "t");
  if (status != LUA_OK)
    return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

static lua_State *new_state(memory *m) {
  m->used = 0;
  m->limit = 64 << 20;
  return lua_newstate(allocate, m);
}

/* lua_pcall of run_job in L; the message, if any, stays on the stack. */
static int protected_run(lua_State *L, job *j) {
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, run_job);
  lua_pushlightuserdata(L, j);
  return lua_pcall(L, 1, 0, -3);
}

/* ===} */

/* {=== Who lets go last? === */

/* The memory of `scores` in the cases below: who frees it must do so once. */
typedef struct buffer {
  float values[SAMPLES];
  int released;
} buffer;

/* Called by the thread that frees the last view; in a state that is while it collects or closes.
   It must not call Lua or raise. */
static void release(void *ud) {
  buffer *b = ud;
  b->released++;
}

/* Each lends a buffer to a state of its own. The host frees its header when the script has run,
   or keeps it until the state has died. `expected`: the calls of release so far when the script
   has run, when the state has died, and at the end. */
enum { HOST_KEEPS_IT = 1, SCRIPT_FAILS = 2, PUSH_FAILS = 4 };
static const struct {
  const char *name, *script;
  int flags, expected[3];
} cases[] = {
  {"the state dies first", "scores[1] = 5", HOST_KEEPS_IT, {0, 0, 1}},
  {"the host lets go first", "scores[1] = 5", 0, {0, 1, 1}},
  {"the script closes it", "scores[1] = 5 scores:close()", 0, {1, 1, 1}},
  {"it closes it, the host does not let go", "scores[1] = 5 scores:close()", HOST_KEEPS_IT,
   {0, 0, 1}},
  {"a view outlives it",
   "scores[1] = 5 view = scores:narrow(1, 1, 2) scores:close() assert(view[1] == 5)", 0,
   {0, 1, 1}},
  {"a view outlives it for a while",
   "scores[1] = 5 local view = scores:narrow(1, 1, 2) scores:close() view:close()", 0,
   {1, 1, 1}},
  {"the script fails", "scores[1] = 5 error 'no luck'", SCRIPT_FAILS, {0, 1, 1}},
  {"a push fails", "scores[1] = 5", PUSH_FAILS, {0, 1, 1}},
};

/* Runs below lua_pcall: pushes the tensor until memory is out. */
static int push_in_vain(lua_State *L) {
  const lrn_tensor *t = lua_touserdata(L, 1);
  int i;
  for (i = 0; i < 1000000; i++) {
    luaL_checkstack(L, 1, NULL);
    lrnL_pushtensor(L, t);
  }
  return 0;
}

/* 1 where release was called when it should be, and not twice. */
static int lend(size_t i, const lrn_tensor *samples) {
  const int64_t size = SAMPLES;
  buffer b = {{0}, 0};
  lrn_tensor *t = NULL;
  memory m;
  job j;
  int seen[3], failed, right;
  lua_State *L = new_state(&m);
  if (L == NULL)
    return 0;
  if (lrn_tensor_wrap(&t, b.values, LRN_F32, 1, &size, NULL, release, &b) != LRN_OK) {
    lua_close(L);
    return 0;
  }
  j.file = NULL;
  j.text = cases[i].script;
  j.samples = samples;
  j.scores = t;
  failed = protected_run(L, &j) != LUA_OK;
  right = failed == !!(cases[i].flags & SCRIPT_FAILS);
  if (cases[i].flags & PUSH_FAILS) {
    m.limit = m.used + (64 << 10);
    lua_pushcfunction(L, push_in_vain);
    lua_pushlightuserdata(L, t);
    right &= lua_pcall(L, 1, 0, 0) != LUA_OK; /* no memory for a box, or for the stack */
  }
  if (!(cases[i].flags & HOST_KEEPS_IT)) {
    lrn_tensor_free(t);
    t = NULL;
  }
  seen[0] = b.released;
  lua_close(L);
  seen[1] = b.released;
  lrn_tensor_free(t); /* NULL is fine */
  seen[2] = b.released;
  right &= memcmp(seen, cases[i].expected, sizeof seen) == 0 && b.values[0] == 5;
  printf("  %-40s %d %d %d  %s\n", cases[i].name, seen[0], seen[1], seen[2],
         right ? "as it should be" : "WRONG");
  return right;
}

/* ===} */

int main(int argc, char **argv) {
  const int64_t image_size[3] = {SAMPLES, SIDE, SIDE}, score_size = SAMPLES;
  lrn_tensor *samples = NULL, *filled = NULL;
  lua_State *L = NULL;
  memory m;
  job j;
  size_t i;
  int status, result = EXIT_FAILURE, most = 0;

  draw_images();
  /* Static memory: there is nothing to release. */
  status = lrn_tensor_wrap_const(&samples, images, LRN_U8, 3, image_size, NULL, NULL, NULL);
  if (status == LRN_OK)
    status = lrn_tensor_wrap(&filled, scores, LRN_F32, 1, &score_size, NULL, NULL, NULL);
  if (status != LRN_OK) {
    fprintf(stderr, "host: %s (%s)\n", lrn_error_message(), lrn_status_name(status));
    goto done;
  }
  L = new_state(&m);
  if (L == NULL) {
    fprintf(stderr, "host: no memory for a Lua state\n");
    goto done;
  }
  j.file = argc > 1 ? argv[1] : NULL;
  j.text = default_script;
  j.samples = samples;
  j.scores = filled;
  if (protected_run(L, &j) != LUA_OK) {
    fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
    goto done;
  }
  for (i = 1; i < SAMPLES; i++)
    if (scores[i] > scores[most])
      most = (int)i;
  printf("lrn %s: sample %d of %d is the least usual (score %.2f; the first has %.2f)\n",
         lrn_version(), most + 1, SAMPLES, (double)scores[most], (double)scores[0]);
  if (argc == 1 && most != SAMPLES - 1) {
    fprintf(stderr, "host: the last one should be\n");
    goto done;
  }

  result = EXIT_SUCCESS;
  printf("calls of release when the script has run, when the state has died, at the end:\n");
  for (i = 0; i < sizeof cases / sizeof *cases; i++)
    if (!lend(i, samples))
      result = EXIT_FAILURE;
done:
  if (L != NULL)
    lua_close(L);
  lrn_tensor_free(samples);
  lrn_tensor_free(filled);
  return result;
}
