/*
** rated.cu - rows of ratings: see lrn_rated in device/backend.h. W: (n_items K, H), x, h, q: (rows, H),
** mean: (entries, K), row-major. Sums have the order of cpu/kernels/rated.inc.c.
*/
#include "common.cuh"
#include "kernel/philox.h"
#include "kernel/unit.h"

/* A thread a value of x: neighbours read neighbouring weights. */
#define UP(T, name)                                                                      \
  static __global__ void k_up_##name(const lrn_rated b, const uint8_t *level, T *x) {    \
    LRN_GRID_STRIDE(at, b.rows * b.hidden) {                                             \
      const int64_t r = at / b.hidden, j = at - r * b.hidden;                            \
      T sum = 0;                                                                         \
      for (int64_t e = b.offset[r]; e < b.offset[r + 1]; e++) {                          \
        const int64_t i = b.item[e];                                                     \
        sum += ((const T *)b.W)[(i * b.categories + level[e]) * b.hidden + j];           \
        if (b.D != NULL)                                                                 \
          sum += ((const T *)b.D)[i * b.hidden + j];                                     \
      }                                                                                  \
      x[at] = sum;                                                                       \
    }                                                                                    \
  }
UP(float, f32)
UP(double, f64)

int lrn_cuda_rated_up(const lrn_rated *batch, const uint8_t *level, void *x) {
  const unsigned grid = lrn_grid(batch->rows * batch->hidden);
  if (batch->rows == 0)
    return LRN_OK;
  if (batch->dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_up_f64, grid, LRN_THREADS, *batch, level, (double *)x);
  else
    LRN_LAUNCH_FLAT(k_up_f32, grid, LRN_THREADS, *batch, level, (float *)x);
  return LRN_OK;
}

/* The row of entry e: the last one whose entries begin at or before it. */
static __device__ int64_t row_of(const lrn_rated &b, int64_t e) {
  int64_t low = 0, high = b.rows; /* offset[low] <= e < offset[high] */
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (b.offset[middle] <= e)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* A warp an entry. All lanes have the dot products, of which each is computed twice: once for the
   largest, once as weights are summed; the GPU has no room for K of them a thread. */
#define DOWN(T, name, F)                                                                 \
  static __device__ T input_##name(const lrn_rated &b, const T *h, int64_t unit, T xs) { \
    const T *w = (const T *)b.W + unit * b.hidden;                                       \
    T s = 0;                                                                             \
    for (int64_t j = LRN_LANE; j < b.hidden; j += 32)                                    \
      s += w[j] * h[j];                                                                  \
    for (int half = 16; half > 0; half /= 2)                                             \
      s += __shfl_down_sync(0xffffffffu, s, half);                                       \
    s = (s + ((const T *)b.a)[unit]) * xs;                                               \
    return __shfl_sync(0xffffffffu, s, 0);                                               \
  }                                                                                      \
  static __global__ void k_down_##name(const lrn_rated b, const lrn_rated_down_args p,   \
                                       const lrn_draw draw) {                            \
    const int K = (int)b.categories;                                                     \
    const T xs = (T)(1.0 / p.temperature);                                               \
    LRN_WARP_STRIDE(e, b.entries) {                                                      \
      const int64_t r = row_of(b, e), unit = (int64_t)b.item[e] * K;                     \
      const T *h = (const T *)p.h + r * b.hidden;                                        \
      const double u = lrn_uniform(lrn_word_at(draw, p.key.first + (uint64_t)(r * b.n_items * K + unit))); \
      double sum = 0, expected = 0, below = 0;                                           \
      int level = K - 1, open = 1;                                                       \
      T top = 0;                                                                         \
      for (int k = 0; k < K; k++) {                                                      \
        const T x = input_##name(b, h, unit + k, xs);                                    \
        top = k == 0 || x > top ? x : top;                                               \
      }                                                                                  \
      for (int k = 0; k < K; k++) {                                                      \
        const double w = (double)lrn_group_weight##F(input_##name(b, h, unit + k, xs), top); \
        sum += w;                                                                        \
        expected += p.target != NULL ? w * p.value[k] : 0;                               \
      }                                                                                  \
      for (int k = 0; k < K; k++) {                                                      \
        const T w = lrn_group_weight##F(input_##name(b, h, unit + k, xs), top);          \
        below += (double)w;                                                              \
        if (open && u * sum < below) {                                                   \
          level = k;                                                                     \
          open = 0;                                                                      \
        }                                                                                \
        if (p.mean != NULL && LRN_LANE == 0)                                             \
          ((T *)p.mean)[e * K + k] = lrn_group_mean##F(w, sum);                          \
      }                                                                                  \
      if (LRN_LANE == 0 && p.level != NULL)                                              \
        p.level[e] = (uint8_t)level;                                                     \
      if (LRN_LANE == 0 && p.target != NULL) {                                           \
        const double off = p.value[p.target[e]] - expected / sum;                        \
        p.scratch[e] = off * off;                                                        \
      }                                                                                  \
    }                                                                                    \
  }
DOWN(float, f32, f)
DOWN(double, f64, )

static __global__ void k_count(double *number, int64_t entries) { *number += (double)entries; }

int lrn_cuda_rated_down(const lrn_rated *batch, const lrn_rated_down_args *args) {
  const unsigned grid = lrn_grid_warps(batch->entries);
  const lrn_draw draw = lrn_draw_of(args->key.seed, args->key.step, args->key.stream, args->key.draw);
  if (batch->entries == 0)
    return LRN_OK;
  if (batch->dtype == LRN_F64)
    LRN_LAUNCH(k_down_f64, grid, LRN_THREADS, *batch, *args, draw);
  else
    LRN_LAUNCH(k_down_f32, grid, LRN_THREADS, *batch, *args, draw);
  if (args->target == NULL)
    return LRN_OK;
  LRN_LAUNCH_FLAT(k_count, 1, 1, args->number, batch->entries);
  return lrn_cuda_add_terms(args->error, args->scratch, batch->entries);
}

/* A thread a hidden unit of an item: it alone writes there. */
#define GRADIENT(T, name)                                                                \
  static __global__ void k_gradient_##name(const lrn_rated b, const lrn_rated_gradient_args p) { \
    const int64_t H = b.hidden, K = b.categories;                                        \
    const T alpha = (T)p.alpha;                                                          \
    LRN_GRID_STRIDE(n, p.items * H) {                                                    \
      const int64_t t = n / H, j = n - t * H, i = p.touched[t];                          \
      T *gW = (T *)p.gW + i * K * H + j, *ga = (T *)p.ga + i * K;                        \
      T *gD = p.gD != NULL ? (T *)p.gD + i * H + j : NULL;                               \
      for (int64_t at = p.start[t]; at < p.start[t + 1]; at++) {                         \
        const int64_t e = p.order[at], r = p.row[e];                                     \
        const T plus = alpha * ((const T *)p.q)[r * H + j];                              \
        const T minus = alpha * ((const T *)p.p)[r * H + j];                             \
        gW[p.plus[e] * H] += plus;                                                       \
        gW[p.minus[e] * H] += minus;                                                     \
        if (gD != NULL) {                                                                \
          *gD += plus;                                                                   \
          *gD += minus;                                                                  \
        }                                                                                \
        if (j == 0) {                                                                    \
          ga[p.plus[e]] += alpha;                                                        \
          ga[p.minus[e]] -= alpha;                                                       \
        }                                                                                \
      }                                                                                  \
    }                                                                                    \
  }
GRADIENT(float, f32)
GRADIENT(double, f64)

int lrn_cuda_rated_gradient(const lrn_rated *batch, const lrn_rated_gradient_args *args) {
  const unsigned grid = lrn_grid(args->items * batch->hidden);
  if (args->items == 0)
    return LRN_OK;
  if (batch->dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_gradient_f64, grid, LRN_THREADS, *batch, *args);
  else
    LRN_LAUNCH_FLAT(k_gradient_f32, grid, LRN_THREADS, *batch, *args);
  return LRN_OK;
}

/* A thread a hidden unit of an item. */
#define SMOOTH(T, name)                                                                  \
  static __global__ void k_smooth_##name(const lrn_rated b, const double strength, T *gW) { \
    const int64_t H = b.hidden, K = b.categories;                                        \
    const T middle = (T)((double)(K - 1) / 2), share = (T)(1 / (double)K);               \
    const T spread = (T)(12 / ((double)K * ((double)K * (double)K - 1)));                \
    LRN_GRID_STRIDE(at, b.n_items * H) {                                                 \
      const int64_t i = at / H, first = i * K * H + (at - i * H);                        \
      const T *W = (const T *)b.W + first;                                               \
      T mean = 0, slope = 0;                                                             \
      for (int64_t k = 0; k < K; k++) {                                                  \
        mean += share * W[k * H];                                                        \
        slope += spread * (((T)k - middle) * W[k * H]);                                  \
      }                                                                                  \
      for (int64_t k = 0; k < K; k++)                                                    \
        gW[first + k * H] += (T)strength * (W[k * H] - (mean + slope * ((T)k - middle))); \
    }                                                                                    \
  }
SMOOTH(float, f32)
SMOOTH(double, f64)

int lrn_cuda_rated_smooth(const lrn_rated *batch, double strength, void *gW) {
  const unsigned grid = lrn_grid(batch->n_items * batch->hidden);
  if (batch->dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_smooth_f64, grid, LRN_THREADS, *batch, strength, (double *)gW);
  else
    LRN_LAUNCH_FLAT(k_smooth_f32, grid, LRN_THREADS, *batch, strength, (float *)gW);
  return LRN_OK;
}
