/*
** gemm01_test.c - products with a matrix of 0 and 1: as sums of rows, within the bound of
** numerics.md of the exact sum; the dense product's bits where they are not used.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "device/backend.h"
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

static double at(const lrn_tensor *t, int64_t i) {
  return lrn_tensor_dtype(t) == LRN_F32 ? (double)((float *)lrn_tensor_data(t))[i]
                                        : ((double *)lrn_tensor_data(t))[i];
}

static int product(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b) {
  return lrn_device_cpu()->backend.gemm01(
    lrn_tensor_dtype(a), lrn_tensor_size(a, 0), lrn_tensor_size(b, 1), lrn_tensor_size(a, 1), alpha,
    lrn_tensor_data(a), lrn_tensor_data(b), lrn_tensor_size(b, 1), lrn_tensor_data(c));
}

static int same(const lrn_tensor *a, const lrn_tensor *b) {
  return memcmp(lrn_tensor_data(a), lrn_tensor_data(b),
                (size_t)lrn_tensor_numel(a) * lrn_dtype_size(lrn_tensor_dtype(a))) == 0;
}

static void check_shape(int dtype, int64_t m, int64_t n, int64_t k, double density) {
  static uint64_t step;
  lrn_tensor *a = matrix(dtype, m, k), *b = matrix(dtype, k, n), *c = matrix(dtype, m, n);
  lrn_tensor *dense = matrix(dtype, m, n), *again = matrix(dtype, m, n);
  double unit = dtype == LRN_F32 ? 0x1p-24 : 0x1p-53, worst = 0;
  fill(a, LRN_BERNOULLI, density, 0, ++step);
  fill(b, LRN_NORMAL, 0, 1, ++step);
  CHECK(product(c, 1, a, b) == LRN_OK, "%s", lrn_error_message());
  for (int64_t r = 0; r < m; r++)
    for (int64_t j = 0; j < n; j++) {
      long double exact = 0, size = 0;
      for (int64_t i = 0; i < k; i++)
        if (at(a, r * k + i) != 0) {
          exact += (long double)at(b, i * n + j);
          size += (long double)fabs(at(b, i * n + j));
        }
      if (size > 0) {
        double error = (double)(fabsl((long double)at(c, r * n + j) - exact) / size) / unit;
        worst = error > worst ? error : worst;
      } else
        CHECK(at(c, r * n + j) == 0, "an empty sum is %g", at(c, r * n + j));
    }
  CHECK(worst <= 4, "%s %lld x %lld x %lld density %g: %g times 2^-24 sum |w|",
        lrn_dtype_name(dtype), (long long)m, (long long)k, (long long)n, density, worst);
  for (int threads = 1; threads <= 7; threads += 2) {
    lrn_set_threads(threads);
    CHECK(product(again, 1, a, b) == LRN_OK && same(c, again), "%d threads", threads);
  }
  lrn_set_threads(2);
  /* alpha: a power of two is exact, whichever way the product goes */
  CHECK(product(again, -0.25, a, b) == LRN_OK, "%s", lrn_error_message());
  for (int64_t i = 0; i < m * n; i++)
    CHECK(at(again, i) == -0.25 * at(c, i), "alpha: %g of %g", at(again, i), at(c, i));
  /* switched off, and with a value that is neither 0 nor 1: the dense product's bits */
  CHECK(lrn_gemm(dense, 1, a, b, 0) == LRN_OK, "%s", lrn_error_message());
  lrn_set_dense(1);
  CHECK(product(again, 1, a, b) == LRN_OK && same(dense, again), "dense");
  lrn_set_dense(0);
  if (m * k > 0) {
    CHECK(lrn_tensor_set(a, (int64_t[]){m - 1, k - 1}, 0.5) == LRN_OK, "%s", lrn_error_message());
    CHECK(lrn_gemm(dense, 1, a, b, 0) == LRN_OK, "%s", lrn_error_message());
    CHECK(product(again, 1, a, b) == LRN_OK && same(dense, again), "a grey value");
  }
  lrn_tensor_free(a);
  lrn_tensor_free(b);
  lrn_tensor_free(c);
  lrn_tensor_free(dense);
  lrn_tensor_free(again);
}

int main(void) {
  static const int64_t shapes[][3] = {{1, 1, 1}, {3, 31, 17}, {16, 32, 300}, {17, 33, 784},
                                      {37, 100, 784}, {128, 129, 64}, {2, 70, 4096}, {2, 70, 4097}};
  static const double densities[] = {0, 0.05, 0.2, 0.32, 0.6, 1};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
      for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
        check_shape(dtype, shapes[s][0], shapes[s][1], shapes[s][2], densities[d]);
  return check_done();
}
