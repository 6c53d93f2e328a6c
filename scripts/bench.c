/*
** bench.c - times a CD-1 epoch, and annealing, against the bare matrix products they contain.
**
** usage: lrn_bench cd|ais [rounds]
**
** cd.
** floor: the five float32 products of a CD-1 step (v W, h W', v W, v'q twice) through lrn_gemm, which
** cuts them as the step does, on buffers of the same shapes; nothing else. epoch: lrn_rbm_step over
** the same batches: gather, sampling, metrics (mse, error, pl), gradient, update. The two take
** turns; the figure is the median over rounds of their ratio within one round.
**
** ais. floor: the two products of a rung (v W, h W') through lrn_gemm, 1,000 times, 100 rows. anneal:
** lrn_rbm_anneal of as many chains and rungs, of a model after one epoch of CD-1, with dense products
** alone and with those of 0 and 1 as sums of rows.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lrn.h"

#define TRY(call)                                                        \
  do {                                                                   \
    if ((call) != LRN_OK) {                                              \
      fprintf(stderr, "bench: %s\n", lrn_error_message());               \
      exit(1);                                                           \
    }                                                                    \
  } while (0)

enum { V = 784, BATCH = 128, CHAINS = 100, RUNGS = 1000, MOST_ROUNDS = 99 };

/* Of one thread its own time: what else runs on the machine disturbs it less. */
static clockid_t the_clock = CLOCK_MONOTONIC;

static double now(void) {
  struct timespec t;
  clock_gettime(the_clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static double median(double *v, int n) {
  qsort(v, (size_t)n, sizeof *v, compare);
  return n % 2 ? v[n / 2] : 0.5 * (v[n / 2 - 1] + v[n / 2]);
}

static lrn_tensor *matrix(int64_t n, int64_t m) {
  int64_t size[2] = {n, m};
  lrn_tensor *t;
  TRY(lrn_tensor_new(&t, LRN_F32, 2, size, NULL));
  TRY(lrn_random(t, LRN_UNIFORM, 0, 1, (lrn_key){1, 0, LRN_STREAM_USER, 0, 0}));
  return t;
}

/* MNIST where LRN_DATA has it, else as many images of the same density of ink. */
static lrn_tensor *images(const char **what) {
  const char *folder = getenv("LRN_DATA");
  char path[4096];
  lrn_tensor *t;
  int64_t size[2] = {60000, V};
  if (folder != NULL) {
    snprintf(path, sizeof path, "%s/mnist/train-images-idx3-ubyte.gz", folder);
    if (lrn_idx_load(&t, path) == LRN_OK) {
      *what = "MNIST";
      return t;
    }
  }
  *what = "made up, density 0.13";
  TRY(lrn_tensor_new(&t, LRN_U8, 2, size, NULL));
  TRY(lrn_random(t, LRN_BERNOULLI, 0.13, 0, (lrn_key){1, 0, LRN_STREAM_USER, 0, 0}));
  for (int64_t i = 0; i < 60000 * V; i++)
    ((uint8_t *)lrn_tensor_data(t))[i] *= 255;
  return t;
}

typedef struct products {
  lrn_tensor *v, *h, *W, *Wt, *vt, *x, *u, *g;
} products;

static products make_products(int64_t rows, int64_t H) {
  products p = {matrix(rows, V), matrix(rows, H), matrix(V, H), NULL, NULL, matrix(rows, H),
                matrix(rows, V), matrix(V, H)};
  TRY(lrn_tensor_transpose(&p.Wt, p.W, 0, 1));
  TRY(lrn_tensor_transpose(&p.vt, p.v, 0, 1));
  return p;
}

static void free_products(products *p) {
  for (int i = 0; i < 8; i++)
    lrn_tensor_free(((lrn_tensor **)p)[i]);
}

static void make_model(lrn_rbm **m, lrn_work **w, int64_t H, const lrn_tensor *data) {
  lrn_rbm_options o;
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = H;
  TRY(lrn_rbm_new(m, &o));
  TRY(lrn_work_new(w, *m, BATCH, LRN_WORK_TRAIN));
  TRY(lrn_rbm_prepare(*m, *w, data));
}

static void one_epoch(lrn_rbm *m, lrn_work *w, const lrn_tensor *data, lrn_tensor *idx, int r) {
  int64_t batches = lrn_tensor_numel(idx) / BATCH;
  TRY(lrn_permutation(idx, 0, (lrn_key){1, (uint64_t)(r + 2), LRN_STREAM_SHUFFLE, 0, 0}));
  for (int64_t b = 0; b < batches; b++)
    TRY(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .first = b * BATCH, .count = BATCH}));
}

static void one_floor_step(const products *p) {
  TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  TRY(lrn_gemm(p->u, 1, p->h, p->Wt, 0));
  TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 0));
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 1));
}

static void bench_cd(int64_t H, int threads, int rounds, const lrn_tensor *data, int64_t n) {
  lrn_rbm *m;
  lrn_work *w;
  lrn_tensor *idx;
  products p = make_products(BATCH, H);
  double floor[MOST_ROUNDS], epoch[MOST_ROUNDS], ratio[MOST_ROUNDS];
  int64_t batches = n / BATCH;
  lrn_state means;
  TRY(lrn_set_threads(threads));
  make_model(&m, &w, H, data);
  TRY(lrn_tensor_new(&idx, LRN_I64, 1, &n, NULL));
  for (int r = -1; r < rounds; r++) { /* the first round warms up */
    double t0 = now(), t1, t2;
    for (int64_t b = 0; b < batches; b++)
      one_floor_step(&p);
    t1 = now();
    one_epoch(m, w, data, idx, r);
    TRY(lrn_work_end_epoch(w, &means));
    t2 = now();
    if (r >= 0) {
      floor[r] = t1 - t0;
      epoch[r] = t2 - t1;
      ratio[r] = (t2 - t1) / (t1 - t0);
    }
  }
  {
    double low, high, middle = median(ratio, rounds);
    low = ratio[0];
    high = ratio[rounds - 1];
    printf("cd  784 x %-5lld batch %d  threads %d  floor %.3f s  epoch %.3f s  ratio %.2f "
           "(%.2f to %.2f)  mse %.1f\n",
           (long long)H, BATCH, threads, median(floor, rounds), median(epoch, rounds), middle, low,
           high, means.mse);
    fflush(stdout);
  }
  lrn_tensor_free(idx);
  lrn_work_free(w);
  lrn_rbm_free(m);
  free_products(&p);
}

static void bench_ais(int64_t H, int threads, int rounds, const lrn_tensor *data, int64_t n) {
  static const char *const names[] = {"0/1 as sums", "dense"};
  lrn_rbm *m;
  lrn_work *w;
  lrn_tensor *idx, *log_z;
  products p = make_products(CHAINS, H);
  double ladder[RUNGS + 1], floor[MOST_ROUNDS], spent[2][MOST_ROUNDS], ratio[2][MOST_ROUNDS];
  int64_t chains = CHAINS;
  TRY(lrn_set_threads(threads));
  make_model(&m, &w, H, data);
  TRY(lrn_tensor_new(&idx, LRN_I64, 1, &n, NULL));
  TRY(lrn_tensor_new(&log_z, LRN_F64, 1, &chains, NULL));
  one_epoch(m, w, data, idx, 0);
  for (int i = 0; i <= RUNGS; i++)
    ladder[i] = (double)i / RUNGS;
  for (int r = -1; r < rounds; r++) { /* the first round warms up */
    double t[4];
    t[0] = now();
    for (int i = 0; i < RUNGS; i++) {
      TRY(lrn_gemm(p.x, 1, p.v, p.W, 0));
      TRY(lrn_gemm(p.u, 1, p.h, p.Wt, 0));
    }
    for (int dense = 0; dense < 2; dense++) {
      t[dense + 1] = now();
      TRY(lrn_set_dense(dense));
      TRY(lrn_rbm_anneal(m, w, log_z, NULL, ladder, RUNGS + 1, NULL));
    }
    t[3] = now();
    for (int dense = 0; r >= 0 && dense < 2; dense++) {
      floor[r] = t[1] - t[0];
      spent[dense][r] = t[dense + 2] - t[dense + 1];
      ratio[dense][r] = spent[dense][r] / floor[r];
    }
  }
  TRY(lrn_set_dense(0));
  for (int dense = 0; dense < 2; dense++) {
    double middle = median(ratio[dense], rounds);
    printf("ais 784 x %-5lld chains %d  temperatures %d  threads %d  %-11s  floor %.3f s  anneal %.3f s  "
           "ratio %.2f (%.2f to %.2f)\n",
           (long long)H, CHAINS, RUNGS, threads, names[dense], median(floor, rounds),
           median(spent[dense], rounds), middle, ratio[dense][0], ratio[dense][rounds - 1]);
  }
  fflush(stdout);
  lrn_tensor_free(idx);
  lrn_tensor_free(log_z);
  lrn_work_free(w);
  lrn_rbm_free(m);
  free_products(&p);
}

int main(int argc, char **argv) {
  static const int64_t hidden[] = {128, 500, 1024};
  int rounds = argc > 2 ? atoi(argv[2]) : 5;
  const char *what;
  lrn_tensor *data;
  int ais = argc > 1 && strcmp(argv[1], "ais") == 0;
  if (argc < 2 || (!ais && strcmp(argv[1], "cd") != 0) || rounds < 1 || rounds > MOST_ROUNDS) {
    fprintf(stderr, "usage: %s cd|ais [rounds, 1 to %d]\n", argv[0], MOST_ROUNDS);
    return 2;
  }
  data = images(&what);
  printf("lrn %s  kernels %s  OpenBLAS core %s  60000 images: %s  %d rounds, medians\n",
         lrn_version(), lrn_isa(), lrn_blas_core(), what, rounds);
  for (int threads = 1; threads <= 2; threads++) {
    the_clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    if (ais)
      bench_ais(500, threads, rounds, data, 60000);
    else
      for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        bench_cd(hidden[i], threads, rounds, data, 60000);
  }
  lrn_tensor_free(data);
  return 0;
}
