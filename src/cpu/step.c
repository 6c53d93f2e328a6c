/*
** step.c - the step's own slots on the CPU: tasks over rows, blocks and parameters.
*/
#include <stdatomic.h>

#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/pool.h"

/* args->scratch has a pair of doubles a block; float64 sums carry a compensation, which is added
   when the block is done: what is lost then is below the last bit of a sum of blocks. */
typedef struct unit_job {
  const lrn_unit_args *args;
  int64_t n;
} unit_job;

static void unit_task(void *context, int64_t block) {
  const unit_job *job = context;
  const lrn_unit_args *a = job->args;
  int64_t size = lrn_unit_block(a->categories), begin = block * size, end = begin + size;
  lrn_partial sums[2] = {{0, 0, 0}, {0, 0, 0}};
  lrn_cpu_kernels()->unit[a->dtype](a, begin, end < job->n ? end : job->n, sums);
  if (a->target != NULL)
    for (int i = 0; i < 2; i++)
      a->scratch[2 * block + i] = lrn_partial_value(sums[i]);
}

int lrn_cpu_unit(const lrn_unit_args *args) {
  unit_job job = {args, args->rows * args->units};
  int64_t size = lrn_unit_block(args->categories), blocks = (job.n + size - 1) / size;
  lrn_parallel(blocks, unit_task, &job);
  if (args->target != NULL)
    for (int i = 0; i < 2; i++) {
      lrn_tree tree = {0};
      lrn_partial total;
      for (int64_t b = 0; b < blocks; b++)
        lrn_tree_push(&tree, (lrn_partial){args->scratch[2 * b + i], 0, 0});
      total = lrn_tree_total(&tree);
      args->sums[i] += lrn_partial_value(total);
    }
  return LRN_OK;
}

static void unit_map_task(void *context, int64_t block) {
  const lrn_unit_map_args *a = context;
  int64_t size = lrn_unit_block(a->categories), begin = block * size;
  lrn_cpu_kernels()->unit_map[a->dtype](a, begin, begin + size < a->n ? begin + size : a->n);
}

int lrn_cpu_unit_map(const lrn_unit_map_args *args) {
  int64_t size = lrn_unit_block(args->categories);
  lrn_parallel((args->n + size - 1) / size, unit_map_task, (void *)(uintptr_t)args);
  return LRN_OK;
}

typedef struct load_job {
  const lrn_load_args *args;
  atomic_int_fast64_t bad;   /* first value that is not finite, + 1 */
  atomic_int_fast64_t wrong; /* batch row whose position is out of range, + 1 */
} load_job;

enum { LOAD_ROWS = 16 };

static void load_task(void *context, int64_t task) {
  load_job *job = context;
  const lrn_load_args *a = job->args;
  const lrn_kernels *k = lrn_cpu_kernels();
  int64_t end = (task + 1) * LOAD_ROWS < a->count ? (task + 1) * LOAD_ROWS : a->count;
  for (int64_t r = task * LOAD_ROWS; r < end; r++) {
    /* unsigned: a position may be any number */
    int64_t row = a->index != NULL
                    ? (int64_t)((uint64_t)a->index[a->first + r] - (uint64_t)a->base)
                    : a->first + r;
    int64_t at, place = r * a->units * (int64_t)lrn_dtype_size(a->dtype);
    char *absent = a->absent != NULL ? (char *)a->absent + place : NULL;
    if (row < 0 || row >= a->n_rows) {
      atomic_store(&job->wrong, r + 1);
      return;
    }
    at = k->load[a->dtype](a,
                           (const char *)a->data +
                             row * a->row_stride * (int64_t)lrn_dtype_size(a->data_dtype),
                           (char *)a->out + place, absent);
    if (at >= 0) { /* the first one, whichever thread sees it */
      int_fast64_t mine = r * a->units + at + 1, now = atomic_load(&job->bad);
      while ((now == 0 || mine < now) && !atomic_compare_exchange_weak(&job->bad, &now, mine)) {
      }
    }
  }
}

int lrn_cpu_load(const lrn_load_args *args) {
  load_job job = {.args = args};
  int64_t wrong;
  lrn_parallel((args->count + LOAD_ROWS - 1) / LOAD_ROWS, load_task, &job);
  wrong = atomic_load(&job.wrong);
  if (wrong > 0)
    return lrn_fail(LRN_EVALUE, "batch: row %lld: position %lld is outside of %lld..%lld",
                    (long long)(wrong - 1 + args->base),
                    (long long)(args->index != NULL ? args->index[args->first + wrong - 1]
                                                    : args->first + wrong - 1 + args->base),
                    (long long)args->base, (long long)(args->base + args->n_rows - 1));
  if (args->bad != NULL)
    *args->bad = atomic_load(&job.bad) - 1;
  return LRN_OK;
}

static void flip_task(void *context, int64_t row) {
  const lrn_flip_args *args = context;
  args->out[row] = lrn_cpu_kernels()->flip[args->dtype](args, row);
}

void lrn_cpu_add_terms(double *sum, const double *terms, int64_t n) {
  lrn_tree tree = {.compensated = 1};
  for (int64_t i = 0; i < n; i += LRN_BLOCK)
    lrn_tree_push(&tree, lrn_cpu_kernels()->block[LRN_F64](
                           LRN_RED_sum, n - i < LRN_BLOCK ? n - i : LRN_BLOCK, terms + i, NULL));
  *sum += lrn_partial_value(lrn_tree_total(&tree));
}

int lrn_cpu_flip(const lrn_flip_args *args) {
  lrn_parallel(args->rows, flip_task, (void *)(uintptr_t)args);
  lrn_cpu_add_terms(args->sum, args->out, args->rows);
  return LRN_OK;
}

static void rung_task(void *context, int64_t row) {
  const lrn_rung_args *args = context;
  lrn_cpu_kernels()->rung[args->dtype](args, row);
}

int lrn_cpu_rung(const lrn_rung_args *args) {
  lrn_parallel(args->rows, rung_task, (void *)(uintptr_t)args);
  return LRN_OK;
}

typedef struct update_job {
  const lrn_update_args *args;
  atomic_int bad;
} update_job;

enum { UPDATE_TASK = 16384 };

static void update_task(void *context, int64_t task) {
  update_job *job = context;
  int64_t begin = task * UPDATE_TASK, end = begin + UPDATE_TASK;
  if (lrn_cpu_kernels()->update[job->args->dtype](job->args, begin,
                                                  end < job->args->n ? end : job->args->n))
    atomic_store(&job->bad, 1);
}

int lrn_cpu_update(const lrn_update_args *args) {
  update_job job = {.args = args};
  lrn_parallel((args->n + UPDATE_TASK - 1) / UPDATE_TASK, update_task, &job);
  if (atomic_load(&job.bad) && *args->bad == 0)
    *args->bad = args->mark;
  return LRN_OK;
}
