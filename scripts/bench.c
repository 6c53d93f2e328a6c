/*
** bench.c - times a CD-1 epoch against the bare matrix products it contains.
**
** usage: lrn_bench cd [rounds]
**
** floor: the five float32 products of a CD-1 step (v W, h W', v W, v'q twice) through lrn_gemm, which
** cuts them as the step does, on buffers of the same shapes; nothing else. epoch: lrn_rbm_step over
** the same batches: gather, sampling, metrics (mse, error, pl), gradient, update. The two take
** turns; the figure is the median over rounds of their ratio within one round.
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

enum { V = 784, BATCH = 128, MOST_ROUNDS = 99 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
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

static void one_floor_step(const products *p) {
  TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  TRY(lrn_gemm(p->u, 1, p->h, p->Wt, 0));
  TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 0));
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 1));
}

static void bench(int64_t H, int threads, int rounds, const lrn_tensor *data, int64_t n) {
  lrn_rbm_options o;
  lrn_rbm *m;
  lrn_work *w;
  lrn_tensor *idx;
  products p = {matrix(BATCH, V), matrix(BATCH, H), matrix(V, H), NULL, NULL, matrix(BATCH, H),
                matrix(BATCH, V), matrix(V, H)};
  double floor[MOST_ROUNDS], epoch[MOST_ROUNDS], ratio[MOST_ROUNDS];
  int64_t batches = n / BATCH;
  lrn_state means;
  TRY(lrn_tensor_transpose(&p.Wt, p.W, 0, 1));
  TRY(lrn_tensor_transpose(&p.vt, p.v, 0, 1));
  TRY(lrn_set_threads(threads));
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = H;
  TRY(lrn_rbm_new(&m, &o));
  TRY(lrn_work_new(&w, m, BATCH, LRN_WORK_TRAIN));
  TRY(lrn_rbm_prepare(m, w, data));
  TRY(lrn_tensor_new(&idx, LRN_I64, 1, &n, NULL));
  for (int r = -1; r < rounds; r++) { /* the first round warms up */
    double t0 = now(), t1, t2;
    for (int64_t b = 0; b < batches; b++)
      one_floor_step(&p);
    t1 = now();
    TRY(lrn_permutation(idx, 0, (lrn_key){1, (uint64_t)(r + 2), LRN_STREAM_SHUFFLE, 0, 0}));
    for (int64_t b = 0; b < batches; b++)
      TRY(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .first = b * BATCH, .count = BATCH}));
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
  for (int i = 0; i < 8; i++)
    lrn_tensor_free(((lrn_tensor **)&p)[i]);
}

int main(int argc, char **argv) {
  static const int64_t hidden[] = {128, 500, 1024};
  int rounds = argc > 2 ? atoi(argv[2]) : 5;
  const char *what;
  lrn_tensor *data;
  if (argc < 2 || strcmp(argv[1], "cd") != 0 || rounds < 1 || rounds > MOST_ROUNDS) {
    fprintf(stderr, "usage: %s cd [rounds, 1 to %d]\n", argv[0], MOST_ROUNDS);
    return 2;
  }
  data = images(&what);
  printf("lrn %s  kernels %s  OpenBLAS core %s  60000 images: %s  %d rounds, medians\n",
         lrn_version(), lrn_isa(), lrn_blas_core(), what, rounds);
  for (int threads = 1; threads <= 2; threads++)
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
      bench(hidden[i], threads, rounds, data, 60000);
  lrn_tensor_free(data);
  return 0;
}
