/*
** walk.c - see walk.h. A task is a run of about TASK elements: long enough that taking it
** costs nothing, short enough that two threads finish together.
*/
#include "cpu/walk.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/status.h"
#include "cpu/pool.h"

#define TASK 32768

static int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

/* Outer dimensions first: descending strides of array 0, so that the inner loop is contiguous
   where one can be. Insertion sort of at most eight. */
static void sort_dims(lrn_walk *w) {
  for (int i = 1; i < w->nd; i++)
    for (int d = i; d > 0; d--) {
      int64_t a = magnitude(w->stride[0][d - 1]), b = magnitude(w->stride[0][d]), t;
      if (a >= b)
        break;
      t = w->size[d];
      w->size[d] = w->size[d - 1];
      w->size[d - 1] = t;
      for (int k = 0; k < w->arrays; k++) {
        t = w->stride[k][d];
        w->stride[k][d] = w->stride[k][d - 1];
        w->stride[k][d - 1] = t;
      }
    }
}

static int mergeable(const lrn_walk *w, int d) { /* d with d + 1 */
  for (int k = 0; k < w->arrays; k++)
    if (w->stride[k][d] != w->stride[k][d + 1] * w->size[d + 1])
      return 0;
  return 1;
}

void lrn_walk_init(lrn_walk *w, int arrays, const lrn_view *const *views,
                   const void *const *scalars, int reorder) {
  const lrn_view *shape = views[0];
  int n;
  w->arrays = arrays;
  w->nd = 0;
  for (int k = 0; k < arrays; k++) {
    w->data[k] = views[k] ? views[k]->data : (char *)(uintptr_t)scalars[k];
    w->item[k] = views[k] ? lrn_dtype_size(views[k]->dtype) : 0;
  }
  for (int d = 0; d < shape->nd; d++) {
    if (shape->size[d] == 1)
      continue;
    w->size[w->nd] = shape->size[d];
    for (int k = 0; k < arrays; k++)
      w->stride[k][w->nd] = views[k] ? views[k]->stride[d] : 0;
    w->nd++;
  }
  if (reorder)
    sort_dims(w);
  n = 0; /* merge neighbours */
  for (int d = 1; d < w->nd; d++) {
    w->size[n + 1] = w->size[d];
    for (int k = 0; k < arrays; k++)
      w->stride[k][n + 1] = w->stride[k][d];
    if (mergeable(w, n)) {
      w->size[n] *= w->size[n + 1];
      for (int k = 0; k < arrays; k++)
        w->stride[k][n] = w->stride[k][n + 1];
    } else
      n++;
  }
  if (w->nd == 0) {
    w->size[0] = 1;
    for (int k = 0; k < arrays; k++)
      w->stride[k][0] = 0;
  } else
    n++;
  w->nd = n > 0 ? n : 1;
  w->rows = 1;
  for (int d = 0; d + 1 < w->nd; d++)
    w->rows *= w->size[d];
}

typedef struct run {
  const lrn_walk *w;
  lrn_walk_fn f;
  void *context;
  int64_t rows_a_task, pieces, piece; /* either several rows, or a piece of one */
  atomic_int status;
} run;

static void run_row(run *r, int64_t row, int64_t from, int64_t n) {
  const lrn_walk *w = r->w;
  char *data[LRN_WALK_ARRAYS];
  int64_t stride[LRN_WALK_ARRAYS], index[LRN_MAXDIM];
  int st;
  for (int d = w->nd - 2; d >= 0; d--) {
    index[d] = row % w->size[d];
    row /= w->size[d];
  }
  for (int k = 0; k < w->arrays; k++) {
    int64_t offset = from * w->stride[k][w->nd - 1];
    for (int d = 0; d + 1 < w->nd; d++)
      offset += index[d] * w->stride[k][d];
    data[k] = w->data[k] + offset * (int64_t)w->item[k];
    stride[k] = w->stride[k][w->nd - 1];
  }
  st = r->f(r->context, n, data, stride);
  if (st < 0)
    atomic_store(&r->status, st);
}

static void run_task(void *context, int64_t task) {
  run *r = context;
  int64_t inner = r->w->size[r->w->nd - 1];
  if (atomic_load_explicit(&r->status, memory_order_relaxed) < 0)
    return;
  if (r->pieces > 1) {
    int64_t row = task / r->pieces, from = task % r->pieces * r->piece;
    run_row(r, row, from, inner - from < r->piece ? inner - from : r->piece);
  } else {
    int64_t row = task * r->rows_a_task, end = row + r->rows_a_task;
    for (; row < end && row < r->w->rows; row++)
      run_row(r, row, 0, inner);
  }
}

int lrn_walk_run(const lrn_walk *w, lrn_walk_fn f, void *context) {
  int64_t inner = w->size[w->nd - 1], tasks;
  run r = {.w = w, .f = f, .context = context};
  if (inner == 0 || w->rows == 0)
    return LRN_OK;
  r.pieces = inner > 2 * TASK ? (inner + TASK - 1) / TASK : 1;
  r.piece = (inner + r.pieces - 1) / r.pieces;
  r.pieces = (inner + r.piece - 1) / r.piece;
  r.rows_a_task = r.pieces > 1 ? 1 : (TASK + inner - 1) / inner;
  tasks = r.pieces > 1 ? w->rows * r.pieces : (w->rows + r.rows_a_task - 1) / r.rows_a_task;
  LRN_TRY(lrn_parallel_until(tasks, run_task, &r));
  return atomic_load(&r.status);
}

int lrn_walk_in_order(const lrn_walk *w, lrn_walk_fn f, void *context) {
  run r = {.w = w, .f = f, .context = context};
  int64_t inner = w->size[w->nd - 1];
  for (int64_t row = 0; row < w->rows && inner > 0 && atomic_load(&r.status) == LRN_OK; row++)
    run_row(&r, row, 0, inner);
  return atomic_load(&r.status);
}
