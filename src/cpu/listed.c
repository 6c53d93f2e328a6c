/*
** listed.c - products with a matrix that is mostly 0: the values that are not are listed, and the rows that
** they meet are summed. States of units are such matrices, and so are images.
**
**   A, row l:   0 0 1 0 1 0 0 1      list l: 2 4 7      row l of A B = B_2 + B_4 + B_7
**
** B goes through the cache in panels of 128 bytes a row. A panel is copied, or turned where B is
** transposed, once for all lists; a list is followed once a panel, with its sums in registers.
**
** Where too much is listed the dense product is faster. The choice follows from counts alone.
*/
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/pool.h"

static atomic_int dense = -1; /* -1: not yet read from LRN_DENSE */

int lrn_set_dense(int on) {
  atomic_store(&dense, on != 0);
  return LRN_OK;
}
int lrn_get_dense(void) {
  int d = atomic_load_explicit(&dense, memory_order_relaxed);
  if (d < 0) {
    const char *env = getenv("LRN_DENSE");
    d = env != NULL && *env != '\0' && strcmp(env, "0") != 0;
    atomic_store(&dense, d);
  }
  return d;
}

static atomic_int_fast64_t products;
int64_t lrn_cpu_listed(void) { return atomic_load(&products); }

/* Lists are made for a part of op(A)'s rows at a time, on the caller's stack: nothing is allocated. */
enum {
  LEAST_LISTS = 8,    /* below, a panel's copy costs more than it saves */
  MOST_K = 8192,      /* a list of so many, with values, always fits */
  STARTS = 4096,      /* sublists of a part */
  STORE = 192 * 1024, /* bytes for places and values */
  SAMPLE = 16         /* lists that are counted first */
};

typedef struct listed_job {
  lrn_lists x; /* of a part */
  int transb;
  int64_t m, n, first, lists, ldb;
  double alpha;
  const char *b;
  char *c;
  atomic_int other; /* something is neither 0 nor 1 */
} listed_job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The part [first, first + lists) of the lists of A */
static void take_part(listed_job *j, const void *a, int64_t first, int64_t lists) {
  int64_t step = j->x.by_column ? 1 : j->x.lda;
  j->x.a = (const char *)a + first * step * (int64_t)lrn_dtype_size(j->x.dtype);
  j->first = first;
  j->lists = lists;
}

static void count_task(void *context, int64_t task) {
  listed_job *j = context;
  int64_t from = task * LRN_LIST_TASK, to = least(from + LRN_LIST_TASK, j->lists);
  if (lrn_cpu_kernels()->count[j->x.dtype](&j->x, from, to))
    atomic_store_explicit(&j->other, 1, memory_order_relaxed);
}

static void fill_task(void *context, int64_t task) {
  const listed_job *j = context;
  int64_t from = task * LRN_LIST_TASK, to = least(from + LRN_LIST_TASK, j->lists);
  lrn_cpu_kernels()->fill[j->x.dtype](&j->x, from, to);
}

static void sum_task(void *context, int64_t task) {
  const listed_job *j = context;
  int64_t item = (int64_t)lrn_dtype_size(j->x.dtype), panel = LRN_PANEL / item, at = task * panel;
  lrn_cpu_kernels()->sum_lists[j->x.dtype](&j->x, j->lists, j->alpha, j->b, j->ldb, j->transb, at,
                                           least(panel, j->n - at), j->c + j->first * j->n * item,
                                           j->n);
}

/* Counts the part's lists into start, and returns how many values they have. */
static int64_t count_part(listed_job *j) {
  int64_t sum = 0, sublists = j->lists * j->x.blocks;
  lrn_parallel((j->lists + LRN_LIST_TASK - 1) / LRN_LIST_TASK, count_task, j);
  for (int64_t s = 0; s < sublists; s++)
    sum += j->x.start[s];
  return sum;
}

/* Lengths become starts; the part ends where the store is full. */
static void place_lists(listed_job *j, char *store) {
  int64_t item = j->x.ones ? 0 : (int64_t)lrn_dtype_size(j->x.dtype), most = STORE / (2 + item);
  int64_t blocks = j->x.blocks, sum = 0, lists = 0;
  for (; lists < j->lists; lists++) {
    int64_t length = 0;
    for (int64_t b = 0; b < blocks; b++)
      length += j->x.start[lists * blocks + b];
    if (sum + length > most)
      break;
    for (int64_t b = 0; b < blocks; b++) {
      uint32_t n = j->x.start[lists * blocks + b];
      j->x.start[lists * blocks + b] = (uint32_t)sum;
      sum += n;
    }
  }
  j->lists = lists;
  j->x.start[lists * blocks] = (uint32_t)sum;
  j->x.value = store;
  j->x.at = (uint16_t *)(void *)(store + sum * item);
}

/* Whether sums of listed rows take less time than the product. On Zen 3 the two meet at a density of 0.43 to
   0.47 at 784 x 128, above 0.5 at 784 x 500. */
static int is_worth_it(int64_t listed, int64_t lists, int64_t k) {
  return (double)listed <= 0.45 * (double)lists * (double)k;
}

/* Whether the lists of all of A are short enough. Where a sample has hardly a zero the rest is not
   looked at: data of real values should not pay for it. */
static int is_sparse(listed_job *j, const void *a, int64_t most) {
  int64_t listed = 0;
  if (j->m > 4 * SAMPLE) {
    take_part(j, a, 0, SAMPLE);
    if (count_part(j) > 9 * SAMPLE * j->x.k / 10)
      return 0;
  }
  for (int64_t at = 0; at < j->m; at += most) {
    take_part(j, a, at, least(most, j->m - at));
    listed += count_part(j);
  }
  return is_worth_it(listed, j->m, j->x.k);
}

int lrn_cpu_gemm_sparse(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                        const void *a, int64_t lda, const void *b, int64_t ldb, void *c) {
  uint32_t start[STARTS + 1];
  char store[STORE] __attribute__((aligned(64)));
  int64_t blocks = (k + LRN_PANEL_ROWS - 1) / LRN_PANEL_ROWS;
  int64_t panel = LRN_PANEL / (int64_t)lrn_dtype_size(dtype), most;
  listed_job j = {.x = {.dtype = dtype, .by_column = transa, .k = k, .blocks = blocks, .lda = lda,
                        .start = start},
                  .transb = transb, .m = m, .n = n, .ldb = ldb, .alpha = alpha, .b = b, .c = c};
  if (lrn_get_dense() || m < LEAST_LISTS || n == 0 || k == 0 || k > MOST_K)
    return lrn_cpu_gemm(dtype, transa, transb, m, n, k, alpha, a, lda, b, ldb, 0, c, n);
  j.x.block = (k + blocks - 1) / blocks;
  most = STARTS / blocks;
  if (!is_sparse(&j, a, most))
    return lrn_cpu_gemm(dtype, transa, transb, m, n, k, alpha, a, lda, b, ldb, 0, c, n);
  atomic_fetch_add_explicit(&products, 1, memory_order_relaxed);
  j.x.ones = !atomic_load(&j.other);
  for (int64_t at = 0; at < m; at += j.lists) {
    if (m > most || at > 0) { /* else they have just been counted */
      take_part(&j, a, at, least(most, m - at));
      count_part(&j);
    }
    place_lists(&j, store);
    lrn_parallel((j.lists + LRN_LIST_TASK - 1) / LRN_LIST_TASK, fill_task, &j);
    LRN_TRY(lrn_parallel_until((n + panel - 1) / panel, sum_task, &j));
  }
  return LRN_OK;
}
