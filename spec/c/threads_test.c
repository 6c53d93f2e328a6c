/*
** threads_test.c - one model read by many threads, each with a workspace of its own; the number of
** threads changed meanwhile; views of one storage made and freed by several threads; signals. Also
** run under the thread sanitizer:
**
**   cmake --preset tsan && cmake --build --preset tsan --target threads_test &&
**     build/tsan/threads_test
*/
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "lrn.h"

enum { THREADS = 8, TURNS = 6, V = 70, H = 90, N = 120, BATCH = 50 };

/* {=== One model, many readers === */

typedef struct results {
  float F[N], mean[N * H], state[N * H], v[N * V], fantasy[N * V], end[N * V];
  double error, sampled, pl;
} results;

static lrn_rbm *model;
static lrn_tensor *data;
static results want;

static int wrapped(lrn_tensor **out, float *x, int64_t rows, int64_t columns) {
  int64_t size[2] = {rows, columns};
  return lrn_tensor_wrap(out, x, LRN_F32, columns > 0 ? 2 : 1, size, NULL, NULL, NULL);
}

/* Everything that is asked of a model, in a workspace made for it. */
static int ask(results *r, int64_t batch) {
  lrn_work *w = NULL;
  lrn_tensor *F = NULL, *mean = NULL, *state = NULL, *v = NULL, *fantasy = NULL, *end = NULL;
  int st = lrn_work_new(&w, model, batch, 0);
  st = st < 0 ? st : wrapped(&F, r->F, N, 0);
  st = st < 0 ? st : wrapped(&mean, r->mean, N, H);
  st = st < 0 ? st : wrapped(&state, r->state, N, H);
  st = st < 0 ? st : wrapped(&v, r->v, N, V);
  st = st < 0 ? st : wrapped(&fantasy, r->fantasy, N, V);
  st = st < 0 ? st : wrapped(&end, r->end, N, V);
  st = st < 0 ? st : lrn_rbm_free_energy(model, w, F, data);
  st = st < 0 ? st : lrn_rbm_hidden(model, w, mean, state, data);
  st = st < 0 ? st : lrn_rbm_reconstruct(model, w, &r->error, &r->sampled, v, data, 0);
  st = st < 0 ? st : lrn_rbm_sample(model, w, NULL, fantasy, NULL, &(lrn_sampling){.n = N, .steps = 3});
  st = st < 0 ? st : lrn_rbm_gibbs(model, w, NULL, NULL, NULL, NULL, end, data);
  st = st < 0 ? st : lrn_rbm_pseudo_likelihood(model, w, &r->pl, data);
  lrn_tensor_free(F);
  lrn_tensor_free(mean);
  lrn_tensor_free(state);
  lrn_tensor_free(v);
  lrn_tensor_free(fantasy);
  lrn_tensor_free(end);
  lrn_work_free(w);
  return st;
}

typedef struct reader {
  pthread_t thread;
  int status, differ;
  char message[256];
} reader;

static atomic_int readers;

static void *read_model(void *argument) {
  reader *self = argument;
  results *r = malloc(sizeof *r);
  for (int turn = 0; turn < TURNS && self->status == 0; turn++) {
    memset(r, 0, sizeof *r);
    self->status = ask(r, BATCH);
    if (self->status != LRN_OK)
      strncpy(self->message, lrn_error_message(), sizeof self->message - 1);
    self->differ += memcmp(r, &want, sizeof *r) != 0;
  }
  free(r);
  atomic_fetch_sub(&readers, 1);
  return NULL;
}

static void make_model(void) {
  lrn_rbm_options o;
  int64_t size[2] = {N, V};
  lrn_key key = {3, 0, LRN_STREAM_USER, 0, 0};
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = H;
  o.steps = 2;
  CHECK(lrn_rbm_new(&model, &o) == LRN_OK &&
          lrn_tensor_new(&data, LRN_F32, 2, size, NULL) == LRN_OK &&
          lrn_random(data, LRN_BERNOULLI, 0.4, 0, key) == LRN_OK,
        "%s", lrn_error_message());
  /* weights that make a difference */
  CHECK(lrn_random(lrn_rbm_parameter(model, 0, NULL), LRN_NORMAL, 0, 0.5, key) == LRN_OK, "%s",
        lrn_error_message());
}

static void test_readers(int change_threads) {
  reader r[THREADS];
  memset(r, 0, sizeof r);
  atomic_store(&readers, THREADS);
  for (int i = 0; i < THREADS; i++) {
    CHECK(pthread_create(&r[i].thread, NULL, read_model, &r[i]) == 0, "pthread_create");
  }
  for (int n = 1; change_threads && atomic_load(&readers) > 0; n = n % 5 + 1)
    CHECK(lrn_set_threads(n) == LRN_OK && lrn_get_threads() == n, "%d: %s", n,
          lrn_error_message());
  for (int i = 0; i < THREADS; i++) {
    pthread_join(r[i].thread, NULL);
    CHECK(r[i].status == LRN_OK, "thread %d: %s", i, r[i].message);
    CHECK(r[i].differ == 0, "thread %d: %d of %d results differ", i, r[i].differ, TURNS);
  }
}

/* }=== */

/* {=== Training at once: a model of its own in each thread === */

static void *train(void *argument) {
  double *sum = argument;
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  lrn_rbm_options o;
  int st;
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = H;
  o.persistent = 30;
  st = lrn_rbm_new(&m, &o);
  st = st < 0 ? st : lrn_work_new(&w, m, BATCH, LRN_WORK_TRAIN);
  for (int step = 0; step < 2 * TURNS && st == LRN_OK; step++)
    st = lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = step % 2 * BATCH, .count = BATCH});
  *sum = st;
  if (st == LRN_OK) {
    const float *W = lrn_tensor_data(lrn_rbm_parameter(m, 0, NULL));
    for (int i = 0; i < V * H; i++)
      *sum += (double)W[i] * (i + 1);
  }
  lrn_work_free(w);
  lrn_rbm_free(m);
  return NULL;
}

static void test_trainers(void) {
  pthread_t t[THREADS];
  double alone, sums[THREADS];
  train(&alone);
  CHECK(alone > LRN_OK || alone < -20, "status %g", alone);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&t[i], NULL, train, &sums[i]) == 0, "pthread_create");
  for (int i = 0; i < THREADS; i++) {
    pthread_join(t[i], NULL);
    CHECK(sums[i] == alone, "thread %d: %.17g, alone %.17g", i, sums[i], alone);
  }
}

/* }=== */

/* {=== Views of one storage === */

static atomic_int released;
static void release(void *ud) {
  free(ud);
  atomic_fetch_add(&released, 1);
}

typedef struct viewer {
  pthread_t thread;
  lrn_tensor *mine; /* a view that this thread frees */
  int status;
  double sum;
} viewer;

static void *use_views(void *argument) {
  viewer *self = argument;
  for (int turn = 0; turn < 200; turn++) {
    lrn_tensor *row = NULL, *turned = NULL, *total = NULL;
    int st = lrn_tensor_select(&row, self->mine, 0, turn % 4);
    st = st < 0 ? st : lrn_tensor_transpose(&turned, self->mine, 0, 1);
    st = st < 0 ? st : lrn_mean(&total, turned, 0, 0);
    st = st < 0 ? st : lrn_tensor_get(&self->sum, total, NULL);
    lrn_tensor_free(turned);
    lrn_tensor_free(row);
    lrn_tensor_free(total);
    if (st < 0)
      self->status = st;
  }
  lrn_tensor_free(self->mine);
  return NULL;
}

static void test_views(void) {
  for (int turn = 0; turn < 5; turn++) {
    int64_t size[2] = {4 * THREADS, 50};
    double *x = malloc(sizeof *x * 4 * THREADS * 50);
    lrn_tensor *whole = NULL;
    viewer v[THREADS];
    memset(v, 0, sizeof v);
    for (int i = 0; i < 4 * THREADS * 50; i++)
      x[i] = i / 200; /* thread i's rows hold i */
    atomic_store(&released, 0);
    CHECK(lrn_tensor_wrap(&whole, x, LRN_F64, 2, size, NULL, release, x) == LRN_OK, "%s",
          lrn_error_message());
    for (int i = 0; i < THREADS; i++) {
      CHECK(lrn_tensor_narrow(&v[i].mine, whole, 0, 4 * i, 4) == LRN_OK, "%s",
            lrn_error_message());
      CHECK(pthread_create(&v[i].thread, NULL, use_views, &v[i]) == 0, "pthread_create");
    }
    lrn_tensor_free(whole); /* a thread frees the last one */
    for (int i = 0; i < THREADS; i++) {
      pthread_join(v[i].thread, NULL);
      CHECK(v[i].status == 0 && v[i].sum == i, "thread %d: %s, %g", i,
            lrn_status_name(v[i].status), v[i].sum);
    }
    CHECK(atomic_load(&released) == 1, "released %d times", atomic_load(&released));
  }
}

/* }=== */

/* A message belongs to the thread that failed. */
static void *fail_alone(void *argument) {
  int *wrong = argument, n = *wrong;
  *wrong = 0;
  for (int turn = 0; turn < 1000; turn++) {
    char expected[32];
    lrn_tensor *t = NULL;
    int64_t size = -1 - n;
    snprintf(expected, sizeof expected, "%d", -1 - n);
    if (lrn_tensor_new(&t, LRN_F32, 1, &size, NULL) != LRN_ESHAPE ||
        strstr(lrn_error_message(), expected) == NULL)
      ++*wrong;
  }
  return NULL;
}

static void test_messages(void) {
  pthread_t t[THREADS];
  int wrong[THREADS];
  for (int i = 0; i < THREADS; i++) {
    wrong[i] = 100 + 7 * i;
    CHECK(pthread_create(&t[i], NULL, fail_alone, &wrong[i]) == 0, "pthread_create");
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(t[i], NULL);
    CHECK(wrong[i] == 0, "thread %d: %d messages of others", i, wrong[i]);
  }
}

/* A signal that the host's threads block stays pending: no worker runs the handler. */
static void test_signals(void) {
  sigset_t one, before, pending;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  CHECK(lrn_set_threads(4) == LRN_OK, "%s", lrn_error_message()); /* with the signal open */
  signal(SIGUSR1, SIG_DFL); /* which would end the process */
  pthread_sigmask(SIG_BLOCK, &one, &before);
  kill(getpid(), SIGUSR1);
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGUSR1) == 1, "not pending");
  signal(SIGUSR1, SIG_IGN); /* takes it away */
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void test_set_threads(void) {
  int before = lrn_get_threads();
  CHECK(lrn_set_threads(0) == LRN_EVALUE && strstr(lrn_error_message(), "got 0") != NULL, "%s",
        lrn_error_message());
  CHECK(lrn_set_threads(257) == LRN_EVALUE && lrn_set_threads(-1) == LRN_EVALUE, "%s",
        lrn_error_message());
  CHECK(lrn_get_threads() == before, "%d", lrn_get_threads());
  for (int n = 1; n < 12; n += 3) {
    results *r = calloc(1, sizeof *r);
    CHECK(lrn_set_threads(n) == LRN_OK, "%s", lrn_error_message());
    CHECK(ask(r, BATCH) == LRN_OK, "%s", lrn_error_message());
    CHECK(memcmp(r, &want, sizeof *r) == 0, "%d threads: other results", n);
    free(r);
  }
}

int main(int argc, char **argv) {
  lrn_memory before, after;
  (void)argc;
  if (getenv("OPENBLAS_NUM_THREADS") == NULL) { /* OpenBLAS's own threads take signals: none then */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  lrn_memory_stats(&before);
  make_model();
  CHECK(lrn_set_threads(1) == LRN_OK, "%s", lrn_error_message());
  CHECK(ask(&want, BATCH) == LRN_OK, "%s", lrn_error_message());
  test_readers(0);
  CHECK(lrn_set_threads(4) == LRN_OK, "%s", lrn_error_message());
  test_readers(0);
  test_readers(1);
  test_set_threads();
  test_trainers();
  test_views();
  test_messages();
  test_signals();
  lrn_tensor_free(data);
  lrn_rbm_free(model);
  CHECK(lrn_set_threads(1) == LRN_OK, "%s", lrn_error_message());
  lrn_memory_stats(&after);
  CHECK(before.live_blocks == after.live_blocks, "%lld blocks are left",
        (long long)(after.live_blocks - before.live_blocks));
  return check_done();
}
