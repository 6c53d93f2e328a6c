/*
** bench.c - times training epochs, and annealing, against the bare matrix products they contain.
**
** usage: lrn_bench cd|ais [name=value[,value...] ...]       (scripts/bench says what the names are)
**
** floor: the float32 products of a step (v W, and k times h W', v W; v'q twice) through lrn_gemm, which
** cuts them as the step does, on buffers of the same shapes; nothing else. epoch: lrn_rbm_step over
** the same batches: gather, sampling, metrics (mse, error, pl), gradient, update. The two take
** turns, twelve times an epoch; the figure is the median over rounds, epochs, of their ratio within one. On
** one thread time is the thread's own, so that a busy machine counts less; on more it is the wall's.
**
** ais. floor: the two products of a rung (v W, h W'), 1,000 times, 100 rows. epoch: lrn_rbm_anneal of as
** many chains and rungs, of a model after the epochs of `warm`.
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

enum { V = 784, CHAINS = 100, RUNGS = 1000, MOST_ROUNDS = 99, TURNS = 12 };

static double now(int threads) {
  struct timespec t;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
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

static void binarise(lrn_tensor *images) {
  uint8_t *x = lrn_tensor_data(images);
  for (int64_t i = 0; i < lrn_tensor_numel(images); i++)
    x[i] = x[i] > 127 ? 255 : 0;
}

/* What is timed: a row of the output */
typedef struct bench_case {
  int64_t hidden, batch, steps, images, rounds;
  int threads, persistent, anneal, binary, dense, warm, json;
} bench_case;

typedef struct products {
  lrn_tensor *v, *h, *W, *Wt, *vt, *x, *u, *g;
} products;

static products new_products(int64_t batch, int64_t H) {
  products p = {matrix(batch, V), matrix(batch, H), matrix(V, H), NULL, NULL, matrix(batch, H),
                matrix(batch, V), matrix(V, H)};
  TRY(lrn_tensor_transpose(&p.Wt, p.W, 0, 1));
  TRY(lrn_tensor_transpose(&p.vt, p.v, 0, 1));
  return p;
}

static void one_floor_step(const products *p, int64_t steps) {
  TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  for (int64_t k = 0; k < steps; k++) {
    TRY(lrn_gemm(p->u, 1, p->h, p->Wt, 0));
    TRY(lrn_gemm(p->x, 1, p->v, p->W, 0));
  }
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 0));
  TRY(lrn_gemm(p->g, 1, p->vt, p->h, 1));
}

static void print(const bench_case *c, double floor, double epoch, const double *ratio, double mse) {
  double low = ratio[0], high = ratio[c->rounds - 1];
  double middle = c->rounds % 2 ? ratio[c->rounds / 2]
                                : 0.5 * (ratio[c->rounds / 2 - 1] + ratio[c->rounds / 2]);
  char rule[32];
  snprintf(rule, sizeof rule, "%s-%lld", c->persistent ? "PCD" : "CD", (long long)c->steps);
  if (c->anneal)
    snprintf(rule, sizeof rule, "AIS");
  printf(c->json
           ? "{\"rule\":\"%s\",\"data\":\"%s\",\"path\":\"%s\",\"hidden\":%lld,\"batch\":%lld,\"threads\":%d,"
             "\"floor\":%.4f,\"epoch\":%.4f,\"ratio\":%.4f,\"low\":%.4f,\"high\":%.4f,\"mse\":%.3f}\n"
           : "%-6s %-6s %-7s 784 x %-5lld batch %lld  threads %d  floor %.3f s  epoch %.3f s  "
             "ratio %.2f (%.2f to %.2f)  mse %.1f\n",
         rule, c->binary ? "binary" : "grey", c->dense ? "dense" : "default", (long long)c->hidden,
         (long long)c->batch, c->threads, floor, epoch, middle, low, high, mse);
  fflush(stdout);
}

/* A model in training: what all that is timed needs */
typedef struct training {
  lrn_rbm *m;
  lrn_work *w;
  const lrn_tensor *data;
  lrn_tensor *idx;
  products p;
} training;

static training begin(const bench_case *c, const lrn_tensor *data) {
  training t = {.data = data, .p = new_products(c->anneal ? CHAINS : c->batch, c->hidden)};
  int64_t n = lrn_tensor_size(data, 0);
  lrn_rbm_options o;
  TRY(lrn_set_threads(c->threads));
  TRY(lrn_set_dense(c->dense));
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = c->hidden;
  o.learning_rate = 0.1;
  o.momentum = 0;
  o.steps = c->steps;
  o.persistent = c->persistent ? c->batch : 0;
  TRY(lrn_rbm_new(&t.m, &o));
  TRY(lrn_work_new(&t.w, t.m, c->batch, LRN_WORK_TRAIN));
  TRY(lrn_rbm_prepare(t.m, t.w, data));
  TRY(lrn_tensor_new(&t.idx, LRN_I64, 1, &n, NULL));
  return t;
}

static void end(training *t) {
  lrn_tensor_free(t->idx);
  lrn_work_free(t->w);
  lrn_rbm_free(t->m);
  for (int i = 0; i < 8; i++)
    lrn_tensor_free(((lrn_tensor **)&t->p)[i]);
}

/* One epoch; its time into *whole, that of the products into *bare where it is not NULL */
static void epoch_of(const bench_case *c, training *t, int64_t number, double *whole, double *bare) {
  int64_t batches = c->images / c->batch;
  TRY(lrn_permutation(t->idx, 0, (lrn_key){1, (uint64_t)number, LRN_STREAM_SHUFFLE, 0, 0}));
  *whole = 0;
  for (int64_t turn = 0; turn < TURNS; turn++) {
    int64_t from = batches * turn / TURNS, to = batches * (turn + 1) / TURNS;
    double start = now(c->threads);
    for (int64_t b = from; b < to; b++)
      TRY(lrn_rbm_step(t->m, t->w, &(lrn_batch){.data = t->data, .idx = t->idx, .first = b * c->batch,
                                                .count = c->batch}));
    *whole += now(c->threads) - start;
    start = now(c->threads);
    for (int64_t b = from; b < to && bare != NULL; b++)
      one_floor_step(&t->p, c->steps);
    if (bare != NULL)
      *bare += now(c->threads) - start;
  }
}

static void anneal(const bench_case *c, training *t, double *whole, double *bare) {
  double ladder[RUNGS + 1], start = now(c->threads);
  lrn_tensor *log_w;
  int64_t chains = CHAINS;
  for (int i = 0; i < RUNGS; i++) {
    TRY(lrn_gemm(t->p.x, 1, t->p.v, t->p.W, 0));
    TRY(lrn_gemm(t->p.u, 1, t->p.h, t->p.Wt, 0));
  }
  *bare = now(c->threads) - start;
  for (int i = 0; i <= RUNGS; i++)
    ladder[i] = (double)i / RUNGS;
  TRY(lrn_tensor_new(&log_w, LRN_F64, 1, &chains, NULL));
  start = now(c->threads);
  TRY(lrn_rbm_anneal(t->m, t->w, log_w, NULL, ladder, RUNGS + 1, NULL));
  *whole = now(c->threads) - start;
  lrn_tensor_free(log_w);
}

static void bench(const bench_case *c, const lrn_tensor *data) {
  double floor[MOST_ROUNDS], epoch[MOST_ROUNDS], ratio[MOST_ROUNDS], f, e;
  lrn_state means = {0};
  training t = begin(c, data);
  for (int64_t r = -c->warm; r < c->rounds; r++) {
    double whole = 0, bare = 0;
    if (r < 0 || !c->anneal) {
      epoch_of(c, &t, r + c->warm, &whole, r < 0 ? NULL : &bare);
      TRY(lrn_work_end_epoch(t.w, &means));
    } else
      anneal(c, &t, &whole, &bare);
    if (r >= 0) {
      floor[r] = bare;
      epoch[r] = whole;
      ratio[r] = whole / bare;
    }
  }
  f = median(floor, (int)c->rounds);
  e = median(epoch, (int)c->rounds);
  median(ratio, (int)c->rounds); /* sorts */
  print(c, f, e, ratio, means.mse);
  end(&t);
}

/* {=== name=value[,value...] === */

enum { HIDDEN, DATA, PATH, RULE, THREADS, BATCH, IMAGES, WARM, ROUNDS, JSON, NAMES };
static const char *const names[NAMES] = {"hidden", "data", "path", "rule", "threads",
                                         "batch", "images", "warm", "rounds", "json"};
static char *values[NAMES] = {"128,500,1024", "grey", "default", "cd-1", "1,2",
                              "128", "60000", "1", "5", "0"};

static int usage(const char *got) {
  fprintf(stderr, "lrn_bench: got '%s', expected cd or ais, and name=value[,value...], the names:", got);
  for (int i = 0; i < NAMES; i++)
    fprintf(stderr, " %s (%s)", names[i], values[i]);
  fprintf(stderr, "\n");
  return 2;
}

static int parse(int argc, char **argv) {
  for (int a = 2; a < argc; a++) {
    char *equals = strchr(argv[a], '=');
    int i = 0;
    while (i < NAMES && (equals == NULL || strlen(names[i]) != (size_t)(equals - argv[a]) ||
                         strncmp(names[i], argv[a], strlen(names[i])) != 0))
      i++;
    if (i == NAMES)
      return usage(argv[a]);
    values[i] = equals + 1;
  }
  return 0;
}

static int next_word(char out[64], const char **at) {
  size_t n = strcspn(*at, ",");
  if (**at == '\0' || n >= 64)
    return 0;
  memcpy(out, *at, n);
  out[n] = '\0';
  *at += n + ((*at)[n] == ',');
  return 1;
}

/* One name after the other is given each of its values. */
static int run(int name, bench_case *c, lrn_tensor *const data[2]) {
  const char *at = values[name];
  char word[64];
  if (name == WARM) {
    if (c->hidden < 1 || c->batch < 1 || c->images < TURNS * c->batch || c->images > 60000 ||
        c->threads < 1 || c->steps < 1 || c->rounds < 1 || c->rounds > MOST_ROUNDS)
      return usage("a number out of range");
    bench(c, data[c->binary]);
    return 0;
  }
  while (next_word(word, &at)) {
    long long n = atoll(word);
    switch (name) {
      case HIDDEN: c->hidden = n; break;
      case DATA: c->binary = strcmp(word, "binary") == 0; break;
      case PATH: c->dense = strcmp(word, "dense") == 0; break;
      case RULE:
        c->persistent = word[0] == 'p';
        c->steps = atoll(word + strcspn(word, "-") + (strchr(word, '-') != NULL));
        break;
      case THREADS: c->threads = (int)n; break;
      case BATCH: c->batch = n; break;
      case IMAGES: c->images = n; break;
    }
    if (run(name + 1, c, data) != 0)
      return 2;
  }
  return 0;
}

/* ===} */

int main(int argc, char **argv) {
  const char *what;
  lrn_tensor *data[2];
  bench_case c = {0};
  int st;
  if (argc < 2 || (strcmp(argv[1], "cd") != 0 && strcmp(argv[1], "ais") != 0))
    return usage(argc < 2 ? "" : argv[1]);
  c.anneal = argv[1][0] == 'a';
  if (c.anneal) {
    values[HIDDEN] = "500";
    values[PATH] = "default,dense";
  }
  if (parse(argc, argv) != 0)
    return 2;
  c.rounds = atoll(values[ROUNDS]);
  c.warm = atoi(values[WARM]);
  c.json = atoi(values[JSON]);
  data[0] = images(&what);
  TRY(lrn_tensor_clone(&data[1], data[0]));
  binarise(data[1]);
  if (!c.json)
    printf("lrn %s  kernels %s  OpenBLAS core %s  %s images: %s  %d rounds, medians\n", lrn_version(),
           lrn_isa(), lrn_blas_core(), values[IMAGES], what, (int)c.rounds);
  st = run(0, &c, data);
  lrn_tensor_free(data[0]);
  lrn_tensor_free(data[1]);
  return st;
}
