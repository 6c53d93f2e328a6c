/*
** api_test.c - lrn_lua.h as a host uses it: who owns what where memory runs out, what errors say,
** several states, threads, and a locale with a decimal comma. Built against an installed lrn by
** spec/install.sh.
*/
#define _DEFAULT_SOURCE
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <lrn_lua.h>

#include "../c/check.h"

/* A program's functions go before those of the same name in a library, also for the library. */
int json_parse(void);
int json_parse(void) { abort(); }

/* {=== States with an allocator that fails === */

/* Let `countdown` more allocations succeed, then one (all 0) or every one (all 1) fails. */
static struct {
  long countdown; /* < 0: off */
  int all;
} failing = {-1, 0};

static void *allocate(void *ud, void *block, size_t before, size_t size) {
  (void)ud;
  if (size == 0) {
    free(block);
    return NULL;
  }
  if (block != NULL && size <= before) /* Lua relies on it that this succeeds */
    return realloc(block, size);
  if (failing.countdown == 0) {
    if (!failing.all)
      failing.countdown = -1;
    return NULL;
  }
  if (failing.countdown > 0)
    failing.countdown--;
  return realloc(block, size);
}

static int open_lrn(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "lrn", luaopen_lrn, 1);
  return 0;
}

static lua_State *open_state(void) {
  lua_State *L = lua_newstate(allocate, NULL);
  lua_pushcfunction(L, open_lrn);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_OK, "%s", lua_tostring(L, -1));
  return L;
}

/* Runs text; the message of its error, "" where there was none. Valid until the next call. */
static const char *run(lua_State *L, const char *text) {
  static char message[1024];
  lua_settop(L, 0);
  message[0] = '\0';
  if (luaL_loadbufferx(L, text, strlen(text), "=chunk", "t") != LUA_OK ||
      lua_pcall(L, 0, LUA_MULTRET, 0) != LUA_OK)
    snprintf(message, sizeof message, "%s", lua_tostring(L, -1));
  return message;
}

static int released;
static void release(void *ud) {
  (void)ud;
  released++;
}

static float memory[6];
static lrn_tensor *wrap(void) {
  static const int64_t size[2] = {2, 3};
  lrn_tensor *t = NULL;
  int st = lrn_tensor_wrap(&t, memory, LRN_F32, 2, size, NULL, release, NULL);
  CHECK(st == LRN_OK, "%s", lrn_error_message());
  return t;
}

/* ===} */

/* {=== Push and give === */

static int push(lua_State *L) {
  lrnL_pushtensor(L, lua_touserdata(L, 1));
  lua_setglobal(L, "t");
  return 0;
}
static int give(lua_State *L) {
  lrnL_givetensor(L, lua_touserdata(L, 1));
  lua_setglobal(L, "t");
  return 0;
}

static int call_with(lua_State *L, lua_CFunction f, void *p) {
  lua_settop(L, 0);
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, p);
  return lua_pcall(L, 1, 0, 0);
}

/* The n-th allocation of Lua or of the engine fails, for all n until the call succeeds. */
static void walk(lua_CFunction f, int engine, int all) {
  lua_State *L = open_state();
  int gives = f == give, failed = 0;
  long n;
  for (n = 0; n < 100; n++) {
    lrn_tensor *t = wrap();
    int status;
    released = 0;
    run(L, "collectgarbage()"); /* finalizers of earlier turns run now */
    if (engine)
      lrn_memory_fail(n + 1, all);
    else {
      failing.countdown = n;
      failing.all = all;
    }
    status = call_with(L, f, t);
    failing.countdown = -1;
    lrn_memory_fail(0, 0);
    failed += status != LUA_OK;
    CHECK(status == LUA_OK || status == LUA_ERRMEM ||
            strstr(lua_tostring(L, -1), "out of memory") != NULL, "%s", lua_tostring(L, -1));
    lua_settop(L, 0);
    if (!gives) {
      CHECK(released == 0, "%ld: the host's tensor was freed", n);
      CHECK(lrn_tensor_ndim(t) == 2, "%ld", n);
      lrn_tensor_free(t);
    }
    run(L, "t = nil collectgarbage()");
    CHECK(released == 1, "%s, %ld: released %d times", gives ? "give" : "push", n, released);
    if (status == LUA_OK && n > 0)
      break;
  }
  CHECK(n < 100, "it never succeeds");
  /* Lua's emergency collection hides one failure; a push allocates in the engine, a give not */
  CHECK(failed > 0 || !all || (engine && gives), "no failure reached the call");
  lua_close(L);
}

static void test_ownership(void) {
  for (int all = 0; all < 2; all++)
    for (int engine = 0; engine < 2; engine++) {
      walk(push, engine, all);
      walk(give, engine, all);
    }
}

/* In a state where lrn is not open there is no metatable, so nothing would free the tensor. */
static void test_not_open(void) {
  lua_State *L = luaL_newstate();
  lrn_tensor *t = wrap();
  released = 0;
  CHECK(call_with(L, push, t) == LUA_ERRRUN && strstr(lua_tostring(L, -1), "not open") != NULL,
        "%s", lua_tostring(L, -1));
  CHECK(released == 0, "%d", released);
  CHECK(call_with(L, give, t) == LUA_ERRRUN && strstr(lua_tostring(L, -1), "not open") != NULL,
        "%s", lua_tostring(L, -1));
  CHECK(released == 1, "%d", released);
  lua_close(L);
  CHECK(released == 1, "%d", released);
}

/* One memory, seen from both sides. */
static void test_shared(void) {
  lua_State *L = open_state();
  lrn_tensor *t = wrap();
  memory[5] = 1.5f;
  CHECK(call_with(L, push, t) == LUA_OK, "%s", lua_tostring(L, -1));
  CHECK(*run(L, "assert(t(2, 3) == 1.5) t[1] = -2") == '\0', "%s", lua_tostring(L, -1));
  for (int i = 0; i < 6; i++)
    CHECK(memory[i] == (i < 3 ? -2.0f : i == 5 ? 1.5f : 0.0f), "%d: %g", i, (double)memory[i]);
  lua_close(L);
  lrn_tensor_free(t);
}

static void test_readonly(void) {
  static const double constant[2] = {1, 2};
  const int64_t size = 2;
  lua_State *L = open_state();
  lrn_tensor *t = NULL;
  CHECK(lrn_tensor_wrap_const(&t, constant, LRN_F64, 1, &size, NULL, NULL, NULL) == LRN_OK, "%s",
        lrn_error_message());
  CHECK(call_with(L, give, t) == LUA_OK, "%s", lua_tostring(L, -1));
  CHECK(*run(L, "local function refused(f, ...) \n"
                "  local ok, e = pcall(f, ...) \n"
                "  assert(not ok and e:find 'read%-only' and lrn.error.kind(e) == 'state', e) \n"
                "end \n"
                "assert(t:is_readonly() and not t:clone():is_readonly() and t:sum() == 3) \n"
                "refused(t.add_, t, 1) refused(t.fill_, t, 1) refused(t.zero_, t) \n"
                "refused(t.copy_, t, lrn.zeros(2)) refused(t.set, t, 1, 5) \n"
                "refused(function() t[1] = 5 end) refused(function() t[t:gt(1)] = 5 end) \n"
                "refused(function() t[{ { 1, 2 } }] = 5 end) \n"
                "refused(t.add_, t:narrow(1, 2, 1), 1) \n"
                "assert((t + t):sum() == 6)") == '\0', "%s", lua_tostring(L, -1));
  lua_close(L);
}

/* ===} */

/* {=== Reading arguments, raising failures === */

static int host_multiply(lua_State *L) {
  const lrn_tensor *a = lrnL_checktensor(L, 1), *b = lrnL_checktensor(L, 2);
  lrn_tensor *out = NULL;
  int st = lrn_mm(&out, a, b);
  if (st != LRN_OK)
    return lrnL_raise(L, st);
  lrnL_givetensor(L, out);
  return 1;
}
static int host_is_tensor(lua_State *L) {
  lua_pushboolean(L, lrnL_totensor(L, 1) != NULL);
  return 1;
}

static void test_functions(void) {
  static const struct {
    const char *text, *message;
  } cases[] = {
    {"assert(mul(lrn.ones(2, 3), lrn.ones(3, 4)) == lrn.full({ 2, 4 }, 3))", ""},
    {"assert(is(lrn.ones(2)) and not is(5) and not is(io.stdout) and not is())", ""},
    {"\nmul(lrn.ones(2, 3), lrn.ones(2, 3))",
     "chunk:2: mm: inner dimensions differ: [2, 3] x [2, 3]"},
    {"mul(lrn.ones(2, 3))", "chunk:1: tensor: argument 2: got nothing, expected a tensor"},
    {"mul('x')", "chunk:1: tensor: argument 1: got 'x', expected a tensor"},
    {"local t = lrn.ones(2) t:close() mul(t)",
     "chunk:1: tensor: argument 1: the tensor was closed"},
    {"local t = lrn.ones(2) t:close() is(t)", "chunk:1: tensor: argument 1: the tensor was closed"},
    {"local ok, e = pcall(mul, lrn.ones(2, 3), lrn.ones(2, 3)) "
     "assert(lrn.error.kind(e) == 'size', e)", ""},
    {"local ok, e = coroutine.resume(coroutine.create(mul), lrn.ones(2, 3), lrn.ones(2, 3)) "
     "assert(not ok and lrn.error.kind(e) == 'size', e)", ""},
    {"assert(coroutine.wrap(mul)(lrn.ones(2, 3), lrn.ones(3, 1)):sum() == 6)", ""},
  };
  lua_State *L = open_state();
  lua_register(L, "mul", host_multiply);
  lua_register(L, "is", host_is_tensor);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *message = run(L, cases[i].text);
    CHECK(strncmp(message, cases[i].message, strlen(cases[i].message)) == 0 &&
            (*message != '\0') == (*cases[i].message != '\0'), "%s: %s", cases[i].text, message);
  }
  lua_close(L);
}

/* ===} */

/* {=== States and threads === */

enum { THREADS = 4 };

static const char training[] =
  "local data = lrn.data.bars_and_stripes(3).data \n"
  "local rbm = lrn.RBM{ n_visible = 9, n_hidden = 5, seed = 3 } \n"
  "rbm:fit(data, { epochs = 5, batch_size = 4, progress = false }) \n"
  "for i = 1, 200 do local x = lrn.ones(30, 30) + i end \n"
  "W = rbm.W \n";

typedef struct trainer {
  pthread_t thread;
  lrn_tensor *W; /* a view that outlives the thread's state */
  char message[256];
} trainer;

static int take_W(lua_State *L) {
  lrn_tensor **out = lua_touserdata(L, 1);
  int st;
  lua_getglobal(L, "W");
  st = lrn_tensor_alias(out, lrnL_checktensor(L, lua_gettop(L)));
  return st == LRN_OK ? 0 : lrnL_raise(L, st);
}

static void *train(void *argument) {
  trainer *self = argument;
  lua_State *L = luaL_newstate(); /* `failing` belongs to the main thread */
  lua_pushcfunction(L, open_lrn);
  if (lua_pcall(L, 0, 0, 0) != LUA_OK ||
      luaL_loadbufferx(L, training, strlen(training), "=training", "t") != LUA_OK ||
      lua_pcall(L, 0, 0, 0) != LUA_OK || call_with(L, take_W, &self->W) != LUA_OK)
    snprintf(self->message, sizeof self->message, "%s", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

/* States train side by side, each in its thread; all get the same weights, which live on. */
static void test_threads(void) {
  trainer t[THREADS];
  memset(t, 0, sizeof t);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&t[i].thread, NULL, train, &t[i]) == 0, "pthread_create");
  for (int i = 0; i < THREADS; i++) {
    pthread_join(t[i].thread, NULL);
    CHECK(t[i].W != NULL, "thread %d: %s", i, t[i].message);
  }
  for (int i = 1; i < THREADS && t[0].W != NULL && t[i].W != NULL; i++)
    CHECK(memcmp(lrn_tensor_data(t[0].W), lrn_tensor_data(t[i].W), 9 * 5 * sizeof(float)) == 0,
          "thread %d has other weights", i);
  for (int i = 0; i < THREADS; i++)
    lrn_tensor_free(t[i].W);
}

/* ===} */

/* {=== A script's model in C === */

typedef struct reader {
  pthread_t thread;
  const lrn_rbm *model;
  const lrn_tensor *data;
  float energy[16];
  int status;
} reader;

static void *read_energy(void *argument) {
  reader *self = argument;
  const int64_t rows = lrn_tensor_size(self->data, 0);
  lrn_work *w = NULL;
  lrn_tensor *energy = NULL;
  int st = lrn_work_new(&w, self->model, 5, 0);
  st = st < 0 ? st : lrn_tensor_wrap(&energy, self->energy, LRN_F32, 1, &rows, NULL, NULL, NULL);
  st = st < 0 ? st : lrn_rbm_free_energy(self->model, w, energy, self->data);
  self->status = st;
  lrn_tensor_free(energy);
  lrn_work_free(w);
  return NULL;
}

/* energies(rbm, data, expected): several threads read the model of the script. */
static int energies(lua_State *L) {
  const lrn_rbm *m = lrnL_checkrbm(L, 1);
  const lrn_tensor *data = lrnL_checktensor(L, 2), *expected = lrnL_checktensor(L, 3);
  reader r[THREADS];
  memset(r, 0, sizeof r);
  for (int i = 0; i < THREADS; i++) {
    r[i].model = m;
    r[i].data = data;
    CHECK(pthread_create(&r[i].thread, NULL, read_energy, &r[i]) == 0, "pthread_create");
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(r[i].thread, NULL);
    CHECK(r[i].status == LRN_OK && lrn_tensor_numel(expected) <= 16 &&
            memcmp(r[i].energy, lrn_tensor_data(expected),
                   (size_t)lrn_tensor_numel(expected) * sizeof(float)) == 0,
          "thread %d has other energies", i);
  }
  return 0;
}

static void test_model(void) {
  static const struct {
    const char *text, *message;
  } cases[] = {
    {"local data = lrn.data.bars_and_stripes(3).data(({1, 12})) \n"
     "local rbm = lrn.RBM{ n_visible = 9, n_hidden = 5, seed = 3 } \n"
     "rbm:fit(data, { epochs = 5, batch_size = 4, progress = false }) \n"
     "energies(rbm, data, rbm:energy(data))", ""},
    {"energies({})", "chunk:1: model: argument 1: got a table, expected a model"},
    {"energies(lrn.ones(2))",
     "chunk:1: model: argument 1: got a tensor float32[2], expected a model"},
    {"energies()", "chunk:1: model: argument 1: got nothing, expected a model"},
    {"energies({ _core = io.stdout })", "chunk:1: model: argument 1: got a table"},
    {"local m = lrn.RBM{ n_visible = 2, n_hidden = 2 } m._core:close() energies(m)",
     "chunk:1: model: argument 1: the model was closed"},
  };
  lua_State *L = open_state();
  lua_register(L, "energies", energies);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *message = run(L, cases[i].text);
    CHECK(strncmp(message, cases[i].message, strlen(cases[i].message)) == 0 &&
            (*message != '\0') == (*cases[i].message != '\0'), "%s: %s", cases[i].text, message);
  }
  lua_close(L);
}

/* ===} */

/* {=== Stopping === */

/* docs/embedding.md shows this part. */
static volatile int stop_engine; /* lrn sets it back to 0 where it has stopped a call */
static volatile int stop_script; /* stays: a script cannot catch its way out */

static void on_count(lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (__atomic_load_n(&stop_script, __ATOMIC_RELAXED)) {
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* again at the next instruction, after a pcall */
    luaL_error(L, "stopped by the host");
  }
}

/* In the thread that runs the state, before it does. */
static void allow_stop(lua_State *L) {
  lrn_set_interrupt(&stop_engine);
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1000); /* coroutines made later inherit it */
}

/* In any thread. */
static void stop(void) {
  __atomic_store_n(&stop_script, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&stop_engine, 1, __ATOMIC_RELAXED);
}

typedef struct runner {
  pthread_t thread;
  const char *script;
  int begun;
  char message[256];
} runner;

static int begin(lua_State *L) {
  int *begun = lua_touserdata(L, lua_upvalueindex(1));
  __atomic_store_n(begun, 1, __ATOMIC_RELEASE);
  return 0;
}

static void *run_until_stopped(void *argument) {
  runner *self = argument;
  lua_State *L = luaL_newstate();
  lua_pushcfunction(L, open_lrn);
  if (lua_pcall(L, 0, 0, 0) == LUA_OK) {
    lua_pushlightuserdata(L, &self->begun);
    lua_pushcclosure(L, begin, 1);
    lua_setglobal(L, "begin");
    allow_stop(L);
    if (luaL_loadbufferx(L, self->script, strlen(self->script), "=script", "t") == LUA_OK)
      lua_pcall(L, 0, 0, 0);
  }
  snprintf(self->message, sizeof self->message, "%s", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

/* Loops of Lua, in a coroutine and behind pcall too, and a call of the engine that would take
   minutes: each ends soon after the host has said so, from another thread. */
static void test_stop(void) {
  static const char *const scripts[] = {
    "begin() while true do end",
    "begin() while true do pcall(function() while true do end end) end",
    "coroutine.wrap(function() begin() while true do end end)()",
    "local rbm = lrn.RBM{ n_visible = 2000, n_hidden = 2000 } begin() "
    "rbm:sample(2000, { steps = 1000000 })",
  };
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
    runner r = {.script = scripts[i]};
    stop_engine = stop_script = 0;
    CHECK(pthread_create(&r.thread, NULL, run_until_stopped, &r) == 0, "pthread_create");
    while (!__atomic_load_n(&r.begun, __ATOMIC_ACQUIRE))
      usleep(1000);
    usleep(20000);
    stop();
    pthread_join(r.thread, NULL);
    CHECK(strstr(r.message, "stopped by the host") != NULL ||
            strstr(r.message, "interrupted!") != NULL, "%s: %s", scripts[i], r.message);
  }
  stop_engine = stop_script = 0;
}

/* ===} */

/* {=== The process around it === */

static int product(lrn_tensor **out) {
  const int64_t size[2] = {300, 300};
  const lrn_key key = {5, 0, LRN_STREAM_USER, 0, 0};
  lrn_tensor *a = NULL;
  int st = lrn_tensor_new(&a, LRN_F32, 2, size, NULL);
  st = st < 0 ? st : lrn_random(a, LRN_NORMAL, 0, 1, key);
  st = st < 0 ? st : lrn_mm(out, a, a);
  lrn_tensor_free(a);
  return st;
}

/* After a fork the child has no workers of the pool; it makes its own, and gets the same bits. */
static void test_fork(void) {
  lrn_tensor *parent = NULL, *child = NULL;
  pid_t pid;
  int status = -1;
  CHECK(lrn_set_threads(3) == LRN_OK && product(&parent) == LRN_OK, "%s", lrn_error_message());
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    int equal = 0;
    _exit(product(&child) == LRN_OK && lrn_tensor_equal(&equal, parent, child) == LRN_OK && equal
            ? 0 : 1);
  }
  CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
          WEXITSTATUS(status) == 0, "status %d", status);
  lrn_tensor_free(parent);
}

/* The engine reads its own JSON, not with the function above. */
static void test_names(void) {
  lua_State *L = open_state();
  CHECK(*run(L, "local path = os.tmpname() assert(lrn.save(path, { 1, 2 })) \n"
                "assert(#assert(lrn.load(path)) == 2) os.remove(path)") == '\0', "%s",
        lua_tostring(L, -1));
  lua_close(L);
}

/* Files and numbers are the same whatever the host's locale; LOCPATH has a German one. */
static void test_locale(void) {
  lua_State *L;
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL || strcmp(localeconv()->decimal_point, ",") != 0) {
    SKIP("no locale de_DE.UTF-8 (localedef made none)");
    return;
  }
  L = open_state();
  CHECK(*run(L, "local rbm = lrn.RBM{ n_visible = 4, n_hidden = 2, learning_rate = 0.125 } \n"
                "local path = os.tmpname() \n"
                "assert(rbm:save(path)) \n"
                "local f <close> = io.open(path, 'rb') \n"
                "local text = f:read 'a' \n"
                "assert(text:find('0.125', 1, true) and not text:find('0,125', 1, true)) \n"
                "assert(assert(lrn.load(path)).learning_rate == 0.125) \n"
                "assert(lrn.save(path, { a = 1e300, b = 0.1, c = 2.0 })) \n"
                "local g <close> = io.open(path, 'rb') \n"
                "assert(not g:read 'a':find ',%d+e%+300') \n"
                "local t = assert(lrn.load(path)) \n"
                "os.remove(path) \n"
                "assert(t.a == 1e300 and t.b == 0.1 and t.c == 2.0)") == '\0', "%s",
        lua_tostring(L, -1));
  lua_close(L);
  setlocale(LC_ALL, "C");
}

/* A host that has no position-independent code must find the plots too: they are beside
   liblrn_lua.so, not beside the program (LRN_PLOTS: the build has them). */
static void test_plot(void) {
  lua_State *L;
  if (getenv("LRN_PLOTS") == NULL) {
    SKIP("a build without plots");
    return;
  }
  L = open_state();
  CHECK(*run(L, "local path = os.tmpname() .. '.png' \n"
                "local fig = lrn.plot.figure() fig:axes(1, 1):line({ 1, 2, 3 }) fig:save(path) \n"
                "local f <close> = assert(io.open(path, 'rb')) os.remove(path) \n"
                "assert(f:read(4) == '\\x89PNG')") == '\0', "%s", lua_tostring(L, -1));
  lua_close(L);
}

/* The header that was compiled against, and the library that is loaded. */
static void test_version(void) {
  CHECK(strcmp(lrn_version(), LRN_VERSION) == 0, "%s, header %s", lrn_version(), LRN_VERSION);
}

/* ===} */

int main(void) {
  lrn_memory before, after;
  lrn_memory_stats(&before);
  test_version();
  test_not_open();
  test_shared();
  test_readonly();
  test_ownership();
  test_functions();
  test_threads();
  test_model();
  test_stop();
  test_fork();
  test_names();
  test_locale();
  test_plot();
  lrn_memory_stats(&after);
  CHECK(before.live_blocks == after.live_blocks, "%lld blocks are left",
        (long long)(after.live_blocks - before.live_blocks));
  return check_done();
}
