/*
** rated.c - the slots of ratings on the CPU: tasks over rows, and over items.
*/
#include "cpu/cpu.h"
#include "cpu/pool.h"

typedef struct rated_job {
  const lrn_rated *batch;
  const uint8_t *level;
  void *x;
  const lrn_rated_down_args *down;
  const lrn_rated_gradient_args *gradient;
} rated_job;

enum { ITEMS_TASK = 16 };

static void up_task(void *context, int64_t row) {
  const rated_job *job = context;
  lrn_cpu_kernels()->rated_up[job->batch->dtype](job->batch, job->level, job->x, row);
}

int lrn_cpu_rated_up(const lrn_rated *batch, const uint8_t *level, void *x) {
  rated_job job = {.batch = batch, .level = level, .x = x};
  lrn_parallel(batch->rows, up_task, &job);
  return LRN_OK;
}

static void down_task(void *context, int64_t row) {
  const rated_job *job = context;
  lrn_cpu_kernels()->rated_down[job->batch->dtype](job->batch, job->down, row);
}

int lrn_cpu_rated_down(const lrn_rated *batch, const lrn_rated_down_args *args) {
  rated_job job = {.batch = batch, .down = args};
  lrn_parallel(batch->rows, down_task, &job);
  if (args->target != NULL) {
    lrn_cpu_add_terms(args->error, args->scratch, batch->entries);
    *args->number += (double)batch->entries;
  }
  return LRN_OK;
}

static void gradient_task(void *context, int64_t task) {
  const rated_job *job = context;
  int64_t begin = task * ITEMS_TASK, end = begin + ITEMS_TASK, n = job->gradient->items;
  lrn_cpu_kernels()->rated_gradient[job->batch->dtype](job->batch, job->gradient, begin,
                                                       end < n ? end : n);
}

int lrn_cpu_rated_gradient(const lrn_rated *batch, const lrn_rated_gradient_args *args) {
  rated_job job = {.batch = batch, .gradient = args};
  lrn_parallel((args->items + ITEMS_TASK - 1) / ITEMS_TASK, gradient_task, &job);
  return LRN_OK;
}

typedef struct smooth_job {
  const lrn_rated *batch;
  double strength;
  void *gW;
} smooth_job;

static void smooth_task(void *context, int64_t item) {
  const smooth_job *job = context;
  lrn_cpu_kernels()->rated_smooth[job->batch->dtype](job->batch, job->strength, job->gW, item);
}

int lrn_cpu_rated_smooth(const lrn_rated *batch, double strength, void *gW) {
  smooth_job job = {batch, strength, gW};
  lrn_parallel(batch->n_items, smooth_task, &job);
  return LRN_OK;
}
