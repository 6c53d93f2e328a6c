/*
** listed_test.c - products with a matrix that is mostly 0: as sums of rows, within the bound of numerics.md
** of the exact sum, for any number of threads the same; the dense product's bits where they are not used; and
** which of the two it was.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cpu/cpu.h"
#include "kernel/philox.h"

static void fill(lrn_tensor *t, int dist, double a, double b, uint64_t step) {
  CHECK(lrn_random(t, dist, a, b, (lrn_key){7, step, LRN_STREAM_USER, 0, 0}) == LRN_OK, "%s",
        lrn_error_message());
}

static lrn_tensor *matrix(int dtype, int64_t n, int64_t m) {
  int64_t size[2] = {n, m};
  lrn_tensor *t = NULL;
  CHECK(lrn_tensor_new(&t, dtype, 2, size, NULL) == LRN_OK, "%s", lrn_error_message());
  return t;
}

static double get(const lrn_tensor *t, int64_t i) {
  return lrn_tensor_dtype(t) == LRN_F32 ? (double)((float *)lrn_tensor_data(t))[i]
                                        : ((double *)lrn_tensor_data(t))[i];
}
static void put(lrn_tensor *t, int64_t i, double x) {
  if (lrn_tensor_dtype(t) == LRN_F32)
    ((float *)lrn_tensor_data(t))[i] = (float)x;
  else
    ((double *)lrn_tensor_data(t))[i] = x;
}

/* op(A) of `lists` x k, op(B) of k x n: as the link has them going up, going down, and in the gradient */
typedef struct shape {
  int transa, transb;
  int64_t m, n, k;
} shape;

static int64_t at_a(const shape *s, int64_t r, int64_t i) { return s->transa ? i * s->m + r : r * s->k + i; }
static int64_t at_b(const shape *s, int64_t i, int64_t j) { return s->transb ? j * s->k + i : i * s->n + j; }

static int product(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b, const shape *s) {
  return lrn_device_cpu()->backend.gemm_sparse(
    lrn_tensor_dtype(a), s->transa, s->transb, s->m, s->n, s->k, alpha, lrn_tensor_data(a),
    s->transa ? s->m : s->k, lrn_tensor_data(b), s->transb ? s->k : s->n, lrn_tensor_data(c));
}
static int dense_product(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b,
                         const shape *s) {
  return lrn_device_cpu()->backend.gemm(
    lrn_tensor_dtype(a), s->transa, s->transb, s->m, s->n, s->k, alpha, lrn_tensor_data(a),
    s->transa ? s->m : s->k, lrn_tensor_data(b), s->transb ? s->k : s->n, 0, lrn_tensor_data(c), s->n);
}

static int same(const lrn_tensor *a, const lrn_tensor *b) {
  return memcmp(lrn_tensor_data(a), lrn_tensor_data(b),
                (size_t)lrn_tensor_numel(a) * lrn_dtype_size(lrn_tensor_dtype(a))) == 0;
}

/* |c - alpha A B| over 2^-24 sum |alpha a b| (2^-53 of doubles), the worst of all elements */
static double worst_error(const lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b,
                          const shape *s) {
  double unit = lrn_tensor_dtype(c) == LRN_F32 ? 0x1p-24 : 0x1p-53, worst = 0;
  for (int64_t r = 0; r < s->m; r++)
    for (int64_t j = 0; j < s->n; j++) {
      long double exact = 0, size = 0;
      for (int64_t i = 0; i < s->k; i++) {
        long double term = (long double)get(a, at_a(s, r, i)) * (long double)get(b, at_b(s, i, j));
        exact += (long double)alpha * term;
        size += fabsl((long double)alpha * term);
      }
      if (size > 0) {
        double error = (double)(fabsl((long double)get(c, r * s->n + j) - exact) / size) / unit;
        worst = error > worst ? error : worst;
      } else
        CHECK(get(c, r * s->n + j) == 0, "an empty sum is %g", get(c, r * s->n + j));
    }
  return worst;
}

static void check_shape(int dtype, const shape *s, double density, int grey, double alpha) {
  static uint64_t step;
  lrn_tensor *a = s->transa ? matrix(dtype, s->k, s->m) : matrix(dtype, s->m, s->k);
  lrn_tensor *b = s->transb ? matrix(dtype, s->n, s->k) : matrix(dtype, s->k, s->n);
  lrn_tensor *c = matrix(dtype, s->m, s->n), *dense = matrix(dtype, s->m, s->n);
  lrn_tensor *again = matrix(dtype, s->m, s->n), *u = matrix(dtype, s->m, s->k);
  int64_t before = lrn_cpu_listed(), listed = 0;
  char text[160];
  fill(a, LRN_BERNOULLI, density, 0, ++step);
  fill(b, LRN_NORMAL, 0, 1, ++step);
  fill(u, LRN_UNIFORM, 0, 1, ++step);
  for (int64_t i = 0; i < s->m * s->k; i++) {
    if (grey)
      put(a, i, get(a, i) * get(u, i));
    listed += get(a, i) != 0;
  }
  snprintf(text, sizeof text, "%s %lld x %lld x %lld%s%s density %g%s", lrn_dtype_name(dtype),
           (long long)s->m, (long long)s->k, (long long)s->n, s->transa ? " A'" : "",
           s->transb ? " B'" : "", density, grey ? " grey" : "");
  for (int64_t i = 0; i < s->m * s->n; i++) /* what was there before must not matter */
    put(c, i, NAN);
  CHECK(product(c, alpha, a, b, s) == LRN_OK, "%s", lrn_error_message());
  { /* which way it went: by count alone */
    int expected = s->m >= 8 && s->k <= 8192 && (double)listed <= 0.45 * (double)(s->m * s->k);
    CHECK(lrn_cpu_listed() - before == expected, "%s: listed: %lld", text,
          (long long)(lrn_cpu_listed() - before));
    double error = expected ? worst_error(c, alpha, a, b, s) : 0;
    CHECK(error <= 4, "%s: %g times 2^-24 sum |a b|", text, error);
    CHECK(dense_product(dense, alpha, a, b, s) == LRN_OK, "%s", lrn_error_message());
    CHECK(expected || same(dense, c), "%s: bits of the dense product", text);
  }
  for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
    lrn_set_threads(threads);
    CHECK(product(again, alpha, a, b, s) == LRN_OK && same(c, again), "%s: %d threads", text, threads);
  }
  lrn_set_threads(2);
  before = lrn_cpu_listed();
  lrn_set_dense(1);
  CHECK(product(again, alpha, a, b, s) == LRN_OK && same(dense, again), "%s: dense", text);
  CHECK(lrn_cpu_listed() == before, "%s: listed in spite of dense", text);
  lrn_set_dense(0);
  lrn_tensor_free(a);
  lrn_tensor_free(b);
  lrn_tensor_free(c);
  lrn_tensor_free(u);
  lrn_tensor_free(dense);
  lrn_tensor_free(again);
}

/* With weights that are small multiples of 1/8 both products are exact: all bits agree. */
static void check_exact(int dtype, const shape *s) {
  lrn_tensor *a = s->transa ? matrix(dtype, s->k, s->m) : matrix(dtype, s->m, s->k);
  lrn_tensor *b = s->transb ? matrix(dtype, s->n, s->k) : matrix(dtype, s->k, s->n);
  lrn_tensor *c = matrix(dtype, s->m, s->n), *dense = matrix(dtype, s->m, s->n);
  fill(a, LRN_BERNOULLI, 0.2, 0, 1000);
  fill(b, LRN_UNIFORM, -8, 8, 1001);
  for (int64_t i = 0; i < s->k * s->n; i++)
    put(b, i, floor(get(b, i) * 8) / 8);
  CHECK(product(c, 1, a, b, s) == LRN_OK && dense_product(dense, 1, a, b, s) == LRN_OK, "%s",
        lrn_error_message());
  for (int64_t i = 0; i < s->m * s->n; i++) /* 0 and -0 are one number */
    CHECK(get(c, i) == get(dense, i), "%g, dense %g", get(c, i), get(dense, i));
  lrn_tensor_free(a);
  lrn_tensor_free(b);
  lrn_tensor_free(c);
  lrn_tensor_free(dense);
}

/* What is not a number must not get lost. */
static void check_nan(int dtype) {
  shape s = {0, 0, 16, 5, 40};
  lrn_tensor *a = matrix(dtype, s.m, s.k), *b = matrix(dtype, s.k, s.n), *c = matrix(dtype, s.m, s.n);
  CHECK(lrn_tensor_fill(a, 0) == LRN_OK && lrn_tensor_fill(b, 1) == LRN_OK, "%s", lrn_error_message());
  put(a, 3 * s.k + 7, NAN);
  put(a, 4 * s.k + 7, INFINITY);
  CHECK(product(c, 1, a, b, &s) == LRN_OK, "%s", lrn_error_message());
  for (int64_t j = 0; j < s.n; j++)
    CHECK(isnan(get(c, 3 * s.n + j)) && isinf(get(c, 4 * s.n + j)) && get(c, j) == 0, "NaN and infinity");
  lrn_tensor_free(a);
  lrn_tensor_free(b);
  lrn_tensor_free(c);
}

int main(void) {
  static const int64_t sizes[][3] = {{1, 1, 1},     {8, 1, 1},      {9, 7, 3},     {9, 31, 17},
                                     {16, 32, 300}, {17, 33, 784},  {65, 100, 401}, {128, 129, 64},
                                     {70, 70, 800}, {10, 35, 2048}, {10, 3, 8192},  {8, 3, 8193},
                                     {1000, 3, 2500}};
  static const double densities[] = {0, 0.05, 0.2, 0.4, 0.6, 0.95, 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int way = 0; way < 4; way++) {
      shape s = {way & 1, way >> 1, sizes[i][0], sizes[i][1], sizes[i][2]};
      for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++) {
        for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
          check_shape(dtype, &s, densities[d], (int)(d + i) % 2, (d + i) % 3 == 0 ? -0.3125 : 1);
        check_exact(dtype, &s);
      }
    }
  for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
    check_nan(dtype);
  return check_done();
}
