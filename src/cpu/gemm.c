/*
** gemm.c - matrix products: OpenBLAS, single-threaded, over slices of our own.
**
** OpenBLAS's threads lose against slices taken by the pool (docs/decisions.md, "Products"),
** and its result may depend on their number. So a product is cut on a grid that depends on its
** shape alone, each slice is one single-threaded call, and any thread may take any slice.
*/
#include <cblas.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/interrupt.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/pool.h"

static atomic_int deterministic;

int lrn_set_deterministic(int on) {
  atomic_store(&deterministic, on != 0);
  return LRN_OK;
}
int lrn_get_deterministic(void) { return atomic_load(&deterministic); }

static pthread_once_t blas_once = PTHREAD_ONCE_INIT;
static void blas_init(void) { openblas_set_num_threads(1); }

const char *lrn_blas_core(void) { return openblas_get_corename(); }

/* Slices of a product of m n k multiplications: enough to keep the cores busy where it is large,
   and none that is too small to be worth a hand-over. */
static int64_t slices_of(int64_t m, int64_t n, int64_t k) {
  double work = (double)m * (double)n * (double)k;
  if (atomic_load_explicit(&deterministic, memory_order_relaxed))
    return 8;
  return work < 0x1p18 ? 1 : work < 0x1p29 ? 2 : work < 0x1p32 ? 8 : 32;
}

typedef struct gemm_job {
  int dtype, transa, transb, by_rows;
  int64_t m, n, k, slices;
  double alpha, beta;
  const char *a, *b;
  char *c;
  int64_t lda, ldb, ldc;
  const volatile int *flag;
} gemm_job;

/* rows x columns of C from (i, j) on */
static void gemm_block(const gemm_job *g, int64_t i, int64_t j, int64_t rows, int64_t columns) {
  int64_t item = (int64_t)lrn_dtype_size(g->dtype);
  const char *a = g->a + i * (g->transa ? 1 : g->lda) * item;
  const char *b = g->b + j * (g->transb ? g->ldb : 1) * item;
  char *c = g->c + (i * g->ldc + j) * item;
  enum CBLAS_TRANSPOSE ta = g->transa ? CblasTrans : CblasNoTrans;
  enum CBLAS_TRANSPOSE tb = g->transb ? CblasTrans : CblasNoTrans;
  if (g->dtype == LRN_F32)
    cblas_sgemm(CblasRowMajor, ta, tb, (int)rows, (int)columns, (int)g->k, (float)g->alpha,
                (const float *)(const void *)a, (int)g->lda, (const float *)(const void *)b,
                (int)g->ldb, (float)g->beta, (float *)(void *)c, (int)g->ldc);
  else
    cblas_dgemm(CblasRowMajor, ta, tb, (int)rows, (int)columns, (int)g->k, g->alpha,
                (const double *)(const void *)a, (int)g->lda, (const double *)(const void *)b,
                (int)g->ldb, g->beta, (double *)(void *)c, (int)g->ldc);
}

/* A slice above 2^31 multiplications (about 0.05 s) is computed in blocks, between which the product
   can stop: as few as make a block take half of that, and no smaller than what makes up for
   packing the operands again. Like the slices they depend on the shape alone. */
enum { BLOCK_ROWS = 256, LEAST_COLUMNS = 256 };

static void gemm_blocks(const gemm_job *g, int64_t i, int64_t j, int64_t rows, int64_t columns) {
  int64_t width = columns;
  if ((double)rows * (double)columns * (double)g->k <= 0x1p31) {
    gemm_block(g, i, j, rows, columns);
    return;
  }
  while (width / 2 >= LEAST_COLUMNS && (double)BLOCK_ROWS * (double)width * (double)g->k > 0x1p30)
    width = (width / 2 + 7) / 8 * 8;
  for (int64_t at = 0; at < columns; at += width)
    for (int64_t down = 0; down < rows && !lrn_flag_is_set(g->flag); down += BLOCK_ROWS)
      gemm_block(g, i + down, j + at, rows - down < BLOCK_ROWS ? rows - down : BLOCK_ROWS,
                 columns - at < width ? columns - at : width);
}

static void gemm_slice(void *context, int64_t i) {
  const gemm_job *g = context;
  int64_t extent = g->by_rows ? g->m : g->n;
  /* boundaries are multiples of 8, so that full vectors stay full */
  int64_t unit = (extent + 8 * g->slices - 1) / (8 * g->slices) * 8;
  int64_t from = i * unit, to = from + unit < extent ? from + unit : extent;
  if (to <= from)
    return;
  if (g->by_rows)
    gemm_blocks(g, from, 0, to - from, g->n);
  else
    gemm_blocks(g, 0, from, g->m, to - from);
}

int lrn_cpu_gemm(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                 const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                 int64_t ldc) {
  gemm_job g = {.dtype = dtype, .transa = transa, .transb = transb, .by_rows = m >= n,
                .m = m, .n = n, .k = k, .alpha = alpha, .beta = beta,
                .a = a, .b = b, .c = c, .lda = lda, .ldb = ldb, .ldc = ldc,
                .flag = lrn_interrupt_flag()};
  if (m == 0 || n == 0)
    return LRN_OK;
  if (m > INT_MAX || n > INT_MAX || k > INT_MAX || lda > INT_MAX || ldb > INT_MAX ||
      ldc > INT_MAX)
    return lrn_fail(LRN_ESHAPE, "mm: a size above 2^31 - 1: %lld x %lld x %lld", (long long)m,
                    (long long)k, (long long)n);
  pthread_once(&blas_once, blas_init);
  g.slices = slices_of(m, n, k);
  return lrn_parallel_until(g.slices, gemm_slice, &g);
}
