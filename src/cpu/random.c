/*
** random.c - tensors of random numbers: the kernels' numbers, converted and cut into tasks.
*/
#include <stdatomic.h>

#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/pool.h"
#include "kernel/philox.h"

#define TASK 8192

typedef struct random_job {
  const lrn_view *out;
  int64_t n;
  int dist;
  double a, b;
  lrn_key key;
  const void *p;
  int p_dtype;
  atomic_int_fast64_t bad; /* 1 + position of a probability that is none */
} random_job;

/* m numbers in double (float for a float32 result, whose arithmetic is float's) become elements. */
static void store(const lrn_view *out, int64_t at, int64_t m, const double *v) {
  switch (out->dtype) {
#define CASE(D, TYPE)                             \
  case LRN_##D: {                                 \
    TYPE *o = (TYPE *)out->data + at;             \
    for (int64_t i = 0; i < m; i++)               \
      o[i] = (TYPE)v[i];                          \
    break;                                        \
  }
    CASE(F32, float)
    CASE(F64, double)
    CASE(I64, int64_t)
    CASE(I32, int32_t)
    CASE(U8, uint8_t)
    CASE(BOOL, uint8_t)
#undef CASE
  }
}

static void integers(random_job *job, int64_t from, int64_t m) {
  lrn_draw d = lrn_draw_of(job->key.seed, job->key.step, job->key.stream, job->key.draw);
  int64_t low = (int64_t)job->a;
  uint64_t count = (uint64_t)((int64_t)job->b - low) + 1;
  for (int64_t i = from; i < from + m; i++) {
    uint64_t r = lrn_bits_at(d, job->key.first + (uint64_t)i);
    int64_t v = (int64_t)((uint64_t)low + (count == 0 ? r : lrn_bounded(r, count)));
    switch (job->out->dtype) {
      case LRN_F32: ((float *)job->out->data)[i] = (float)v; break;
      case LRN_F64: ((double *)job->out->data)[i] = (double)v; break;
      case LRN_I64: ((int64_t *)job->out->data)[i] = v; break;
      case LRN_I32: ((int32_t *)job->out->data)[i] = (int32_t)v; break;
      default: ((uint8_t *)job->out->data)[i] = (uint8_t)v; break;
    }
  }
}

/* The smallest of all, whatever thread finds which first. */
static void first_bad(random_job *job, int64_t position) {
  int_fast64_t have = atomic_load(&job->bad);
  while ((have == 0 || position < have) &&
         !atomic_compare_exchange_weak(&job->bad, &have, position))
    ;
}

static void random_task(void *context, int64_t task) {
  random_job *job = context;
  const lrn_kernels *k = lrn_cpu_kernels();
  int64_t from = task * TASK, end = from + TASK < job->n ? from + TASK : job->n;
  int f32 = job->out->dtype == LRN_F32;
  enum { N = 512 };
  float vf[N];
  double v[N];
  if (job->dist == LRN_INTEGER) {
    integers(job, from, end - from);
    return;
  }
  for (int64_t at = from; at < end; at += N) {
    int64_t m = end - at < N ? end - at : N;
    uint64_t first = job->key.first + (uint64_t)at;
    int normal = job->dist == LRN_NORMAL;
    float a = (float)job->a, width = (float)(normal ? job->b : job->b - job->a);
    if (job->dist == LRN_BERNOULLI) {
      k->uniform[1](&job->key, first, m, v); /* 24 bits: the same numbers in both types */
      for (int64_t i = 0; i < m; i++) {
        double p = job->p == NULL             ? job->a
                   : job->p_dtype == LRN_F32 ? (double)((const float *)job->p)[at + i]
                                             : ((const double *)job->p)[at + i];
        if (!(p >= 0 && p <= 1))
          first_bad(job, at + i + 1);
        v[i] = v[i] < p;
      }
    } else if (f32) {
      (normal ? k->normal : k->uniform)[0](&job->key, first, m, vf);
      for (int64_t i = 0; i < m; i++)
        ((float *)job->out->data)[at + i] = a + width * vf[i];
      continue;
    } else {
      (normal ? k->normal : k->uniform)[1](&job->key, first, m, v);
      for (int64_t i = 0; i < m; i++)
        v[i] = job->a + (normal ? job->b : job->b - job->a) * v[i];
    }
    store(job->out, at, m, v);
  }
}

static int64_t count_of(const lrn_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->nd; d++)
    n *= v->size[d];
  return n;
}

static int run(random_job *job) {
  int64_t bad;
  job->n = count_of(job->out);
  LRN_TRY(lrn_parallel_until((job->n + TASK - 1) / TASK, random_task, job));
  bad = atomic_load(&job->bad);
  if (bad > 0)
    return lrn_fail(LRN_EVALUE, "bernoulli: element %lld is no probability: not in [0, 1]",
                    (long long)bad);
  return LRN_OK;
}

int lrn_cpu_random(const lrn_view *out, int dist, double a, double b, lrn_key key) {
  random_job job = {.out = out, .dist = dist, .a = a, .b = b, .key = key};
  return run(&job);
}

int lrn_cpu_bernoulli(const lrn_view *out, const void *p, int p_dtype, lrn_key key) {
  random_job job = {.out = out, .dist = LRN_BERNOULLI, .key = key, .p = p, .p_dtype = p_dtype};
  return run(&job);
}
