/*
** interrupt_test.c - lrn_set_interrupt: long calls stop, what they were to change is whole.
**
** A flag that is set before the call shows without a clock which calls look at it. One set by
** another thread shows that they look again; that part prints how long they took to stop.
*/
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "lrn.h"

enum { V = 40, H = 30, N = 300, BATCH = 50 };

static volatile int flag;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lrn_tensor *numbers(int64_t rows, int64_t columns, uint64_t seed) {
  lrn_tensor *t = NULL;
  int64_t size[2] = {rows, columns};
  lrn_key key = {.seed = seed, .stream = LRN_STREAM_USER};
  if (lrn_tensor_new(&t, LRN_F32, 2, size, NULL) == LRN_OK)
    lrn_random(t, LRN_BERNOULLI, 0.4, 0, key);
  return t;
}

/* Stops: LRN_EINTERRUPTED, the flag taken back, and the next call runs. */
#define STOPS(call)                                                                   \
  do {                                                                                \
    int stops_status;                                                                 \
    __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);                                     \
    stops_status = (call);                                                            \
    CHECK(stops_status == LRN_EINTERRUPTED, "%s: %d", #call, stops_status);           \
    CHECK(flag == 0, "%s: the flag stays", #call);                                    \
    stops_status = (call);                                                            \
    CHECK(stops_status == LRN_OK, "%s again: %s", #call, lrn_error_message());        \
  } while (0)

/* Runs to its end with the flag set, which stays for the next call. */
#define RUNS(call)                                                                    \
  do {                                                                                \
    int runs_status;                                                                  \
    __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);                                     \
    runs_status = (call);                                                             \
    CHECK(runs_status == LRN_OK, "%s: %d %s", #call, runs_status, lrn_error_message()); \
    CHECK(flag == 1, "%s: the flag is gone", #call);                                  \
    flag = 0;                                                                         \
  } while (0)

static void tensors_stop(void) {
  lrn_tensor *a = numbers(V, H, 1), *b = numbers(H, V, 2), *out = NULL, *c = NULL;
  lrn_arg args[2] = {lrn_argt(a), lrn_argd(2)};
  lrn_key key = {.seed = 1, .stream = LRN_STREAM_USER};
  STOPS(lrn_mm(&out, a, b));
  lrn_tensor_free(out);
  STOPS(lrn_map(&out, NULL, lrn_op_find("mul"), args, 2));
  lrn_tensor_free(out);
  STOPS(lrn_reduce(&out, lrn_reduce_find("sum"), a, 0, 0));
  lrn_tensor_free(out);
  STOPS(lrn_reduce(&out, lrn_reduce_find("max"), a, 1, 0));
  lrn_tensor_free(out);
  STOPS(lrn_tensor_to(&out, a, LRN_F64, NULL));
  lrn_tensor_free(out);
  STOPS(lrn_random(a, LRN_UNIFORM, 0, 1, key));
  CHECK(lrn_tensor_clone(&c, a) == LRN_OK, "%s", lrn_error_message());
  /* in place: the whole of it */
  RUNS(lrn_map(NULL, a, lrn_op_find("mul"), args, 2));
  RUNS(lrn_tensor_copy(c, a));
  RUNS(lrn_tensor_fill(c, 1));
  CHECK(lrn_mm(&out, a, b) == LRN_OK, "%s", lrn_error_message());
  RUNS(lrn_gemm(out, 1, a, b, 1));
  lrn_tensor_free(out);
  lrn_tensor_free(a);
  lrn_tensor_free(b);
  lrn_tensor_free(c);
}

/* Parameters, momentum and chains of two models are the same bytes. */
static int same(lrn_rbm *m, lrn_work *w, lrn_rbm *m2, lrn_work *w2) {
  lrn_file *f = NULL, *f2 = NULL;
  const char *path = "interrupt_test.1", *path2 = "interrupt_test.2";
  char command[128];
  int equal = lrn_file_new(&f) == LRN_OK && lrn_file_new(&f2) == LRN_OK &&
              lrn_rbm_store(f, m, w) == LRN_OK && lrn_rbm_store(f2, m2, w2) == LRN_OK &&
              lrn_file_save(f, path) == LRN_OK && lrn_file_save(f2, path2) == LRN_OK;
  snprintf(command, sizeof command, "cmp -s %s %s", path, path2);
  equal = equal && system(command) == 0;
  remove(path);
  remove(path2);
  lrn_file_free(f);
  lrn_file_free(f2);
  return equal;
}

/* An interrupted step changes nothing: training that was interrupted equals training that was
   not, bit for bit. */
static void steps_are_whole(int64_t sweeps, int64_t chains) {
  lrn_tensor *data = numbers(N, V, 3);
  lrn_rbm *m[2] = {NULL, NULL};
  lrn_work *w[2] = {NULL, NULL};
  int64_t stopped = 0;
  for (int i = 0; i < 2; i++) {
    lrn_rbm_options o;
    lrn_rbm_defaults(&o);
    o.n_visible = V;
    o.n_hidden = H;
    o.steps = sweeps;
    o.persistent = chains;
    o.momentum = 0.5;
    o.seed = 7;
    CHECK(lrn_rbm_new(&m[i], &o) == LRN_OK, "%s", lrn_error_message());
    CHECK(lrn_work_new(&w[i], m[i], BATCH, LRN_WORK_TRAIN) == LRN_OK, "%s", lrn_error_message());
    for (int64_t at = 0; at < N; at += BATCH) {
      int st;
      if (i == 1)
        flag = 1;
      st = lrn_rbm_step(m[i], w[i], &(lrn_batch){.data = data, .first = at, .count = BATCH});
      if (st == LRN_EINTERRUPTED) {
        stopped++;
        st = lrn_rbm_step(m[i], w[i], &(lrn_batch){.data = data, .first = at, .count = BATCH});
      }
      CHECK(st == LRN_OK, "step: %s", lrn_error_message());
      flag = 0;
    }
  }
  /* CD looks before its sweeps; PCD, whose chains a sweep moves, does not */
  CHECK(stopped == (chains > 0 ? 0 : N / BATCH), "%lld steps stopped", (long long)stopped);
  CHECK(same(m[0], w[0], m[1], w[1]), "an interrupted step (k = %lld, %lld chains) left a trace",
        (long long)sweeps, (long long)chains);
  for (int i = 0; i < 2; i++) {
    lrn_work_free(w[i]);
    lrn_rbm_free(m[i]);
  }
  lrn_tensor_free(data);
}

static void inference_stops(void) {
  lrn_tensor *data = numbers(N, V, 4), *F = NULL, *mean = NULL, *v = NULL;
  lrn_rbm_options o;
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  int64_t rows = N, hidden[2] = {N, H}, visible[2] = {N, V};
  double x, y;
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = 12;
  hidden[1] = 12;
  CHECK(lrn_rbm_new(&m, &o) == LRN_OK && lrn_work_new(&w, m, BATCH, 0) == LRN_OK &&
          lrn_tensor_new(&F, LRN_F32, 1, &rows, NULL) == LRN_OK &&
          lrn_tensor_new(&mean, LRN_F32, 2, hidden, NULL) == LRN_OK &&
          lrn_tensor_new(&v, LRN_F32, 2, visible, NULL) == LRN_OK,
        "%s", lrn_error_message());
  STOPS(lrn_rbm_free_energy(m, w, F, data));
  STOPS(lrn_rbm_hidden(m, w, mean, NULL, data));
  STOPS(lrn_rbm_visible(m, w, v, NULL, mean));
  STOPS(lrn_rbm_reconstruct(m, w, &x, &y, v, data, 0));
  STOPS(lrn_rbm_sample(m, w, v, NULL, NULL, &(lrn_sampling){.n = N, .steps = 5}));
  STOPS(lrn_rbm_gibbs(m, w, NULL, NULL, NULL, NULL, v, data));
  STOPS(lrn_rbm_pseudo_likelihood(m, w, &x, data));
  STOPS(lrn_rbm_log_partition(m, &x));
  STOPS(lrn_rbm_log_likelihood(m, &x, data));
  lrn_tensor_free(data);
  lrn_tensor_free(F);
  lrn_tensor_free(mean);
  lrn_tensor_free(v);
  lrn_work_free(w);
  lrn_rbm_free(m);
}

/* {=== From another thread, in the middle === */

static double set_at;

static void *set_later(void *microseconds) {
  usleep((useconds_t)(intptr_t)microseconds);
  set_at = now();
  __atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
  return NULL;
}

static int sample_long(void *context) {
  lrn_rbm *m = context;
  lrn_work *w = NULL;
  lrn_tensor *v = NULL;
  int64_t size[2] = {BATCH, V};
  int st = lrn_work_new(&w, m, BATCH, 0);
  st = st < 0 ? st : lrn_tensor_new(&v, LRN_F32, 2, size, NULL);
  st = st < 0 ? st : lrn_rbm_sample(m, w, v, NULL, NULL, &(lrn_sampling){.n = BATCH, .steps = 1 << 29});
  lrn_tensor_free(v);
  lrn_work_free(w);
  return st;
}

static int partition_long(void *context) {
  double x;
  return lrn_rbm_log_partition(context, &x); /* 2^24 states */
}

static int product_long(void *context) {
  lrn_tensor *a = context, *out = NULL;
  int st = lrn_mm(&out, a, a);
  lrn_tensor_free(out);
  return st;
}

static void stops_in_the_middle(const char *name, int (*call)(void *), void *context) {
  pthread_t thread;
  int st;
  flag = 0;
  pthread_create(&thread, NULL, set_later, (void *)(intptr_t)150000);
  st = call(context);
  printf("%s: stopped %.1f ms after it was asked\n", name, 1e3 * (now() - set_at));
  pthread_join(thread, NULL);
  CHECK(st == LRN_EINTERRUPTED, "%s: %d %s", name, st, lrn_error_message());
  flag = 0;
}

static void long_calls(void) {
  lrn_rbm_options o;
  lrn_rbm *m = NULL;
  lrn_tensor *a = numbers(6000, 6000, 5);
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = 24;
  CHECK(lrn_rbm_new(&m, &o) == LRN_OK, "%s", lrn_error_message());
  stops_in_the_middle("sample", sample_long, m);
  stops_in_the_middle("log_partition", partition_long, m);
  stops_in_the_middle("mm", product_long, a);
  lrn_rbm_free(m);
  lrn_tensor_free(a);
}

/* ===} */

static void *other_thread(void *unused) {
  lrn_tensor *a = numbers(V, H, 1), *out = NULL;
  (void)unused;
  CHECK(lrn_reduce(&out, lrn_reduce_find("sum"), a, 0, 0) == LRN_OK,
        "a flag of another thread stopped this one");
  lrn_tensor_free(out);
  lrn_tensor_free(a);
  return NULL;
}

int main(void) {
  pthread_t thread;
  lrn_set_interrupt(&flag);
  tensors_stop();
  steps_are_whole(1, 0);
  steps_are_whole(5, 0);
  steps_are_whole(3, 20);
  inference_stops();
  long_calls();
  flag = 1;
  pthread_create(&thread, NULL, other_thread, NULL);
  pthread_join(thread, NULL);
  flag = 1;
  lrn_set_interrupt(NULL);
  {
    lrn_tensor *a = numbers(V, H, 1);
    CHECK(a != NULL && flag == 1, "a flag that was given up was looked at");
    lrn_tensor_free(a);
  }
  return check_done();
}
