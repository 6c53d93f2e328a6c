/*
** update.cu - the parameters' step, and the free energy's change by a flipped unit or another beta.
** theta, m, g: (n). v: (rows, V), x: (rows, H), W: (V, H), a: (V), b: (H), out: (rows), all
** contiguous, row-major.
*/
#include "common.cuh"
#include "kernel/philox.h"
#include "kernel/unit.h"

/* See lrn_update_args. */
#define UPDATE(T, name, ROOT)                                                            \
  static __global__ void k_update_##name(const lrn_update_args p) {                      \
    const T rate = (T)p.rate, momentum = (T)p.momentum, decay = (T)p.decay;              \
    const T l1 = (T)p.l1, epsilon = (T)p.epsilon, beta1 = (T)p.beta1, beta2 = (T)p.beta2; \
    const T rest1 = (T)(1 - p.beta1), rest2 = (T)(1 - p.beta2), clip = (T)p.clip;        \
    const T norm = p.norm2 != NULL ? ROOT(*(const T *)p.norm2) : 0;                      \
    const T c = norm > clip ? clip / norm : 1;                                           \
    LRN_GRID_STRIDE(i, p.n) {                                                            \
      T *theta = (T *)p.theta + i, *m = (T *)p.m + i;                                    \
      const T slope = (c * ((const T *)p.g)[i] + decay * *theta) +                       \
                      l1 * (T)((*theta > 0) - (*theta < 0));                             \
      T first, next;                                                                     \
      if (p.optimizer == LRN_ADAM) {                                                     \
        T *s = (T *)p.s + i;                                                             \
        const T second = beta2 * *s + rest2 * (slope * slope);                           \
        first = beta1 * *m + rest1 * slope;                                              \
        next = *theta - rate * first / (ROOT(second) + epsilon);                         \
        *s = second;                                                                     \
      } else {                                                                           \
        first = momentum * *m + slope;                                                   \
        next = *theta - rate * first;                                                    \
      }                                                                                  \
      *m = first;                                                                        \
      *theta = next;                                                                     \
      if (!(next - next == 0))                                                           \
        atomicCAS((unsigned long long *)p.bad, 0ull, (unsigned long long)p.mark);        \
    }                                                                                    \
  }
UPDATE(float, f32, sqrtf)
UPDATE(double, f64, sqrt)

int lrn_cuda_update(const lrn_update_args *args) {
  if (args->n == 0)
    return LRN_OK;
  if (args->dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_update_f64, lrn_grid(args->n), LRN_THREADS, *args);
  else
    LRN_LAUNCH_FLAT(k_update_f32, lrn_grid(args->n), LRN_THREADS, *args);
  return LRN_OK;
}

/* The hidden layer, as its cumulants need it. */
typedef struct cells {
  int unit;
  int64_t units, categories;
  const void *x, *b;
  double xs, temperature, shift;
} cells;

static cells cells_of(int unit, int64_t units, int64_t categories, double temperature, const void *x,
                      const void *b) {
  cells h = {unit, units, categories, x, b, 1, temperature, lrn_unit_shift(unit, temperature)};
  double hs;
  lrn_unit_scale(unit, temperature, &h.xs, &hs);
  return h;
}

typedef struct flip_args {
  cells hidden;
  int both;
  double scale;
  int64_t rows, n_visible, categories;
  const void *v, *W, *a, *absent;
  lrn_draw draw;
  uint64_t first;
  double *out, *sum;
} flip_args;

/* beta times the input of hidden unit j of a row, after a change of the visible units by
   dw (w - w0). */
#define INPUT                                              \
  ((w == NULL    ? x[j] + b[j]                             \
    : w0 == NULL ? (x[j] + b[j]) + dw * w[j]               \
                 : (x[j] + b[j]) + dw * (w[j] - w0[j])) * beta)

/* A warp takes a row. `sum` is that of the cumulants A(x_j + dw (w_j - w0_j)) over hidden units, or
   groups, x_j with its bias, less those of x_j where `less`; or those at one beta less those at
   another. Lane l takes units or groups j = l mod 32, lane 0 has the result. A flipped unit i:  F(flip) - F(v) = -a_i d - sum, d = low + high -
   2 v_i. A group in category c:  y_c - log sum_k exp y_k, T y_k = a_k + sum, w = W_k, w0 = W_c. */
#define FLIP(T, name, f, comp)                                                           \
  static __device__ T cumulant_##name(const cells &h, const T *x, int64_t cell, double at, T dw, \
                                      const T *w, const T *w0) {                         \
    const int grouped = lrn_unit_in_groups(h.unit);                                      \
    const T *b = (const T *)h.b;                                                         \
    const T beta = grouped ? 1 : (T)at, xs = grouped ? (T)(at * h.xs) : (T)h.xs;         \
    const T t = (T)h.temperature, shift = (T)h.shift;                                    \
    const int64_t K = h.categories, first = cell * K;                                    \
    T top;                                                                               \
    double sum = 0;                                                                      \
    int64_t j = first;                                                                   \
    if (!grouped)                                                                        \
      return lrn_unit_cumulant##f(h.unit, INPUT, xs, t, shift);                          \
    top = INPUT * xs;                                                                    \
    for (; j < first + K; j++)                                                           \
      top = INPUT * xs > top ? INPUT * xs : top;                                         \
    for (j = first; j < first + K; j++)                                                  \
      sum += (double)lrn_group_weight##f(INPUT * xs, top);                               \
    return lrn_group_cumulant##f(top, sum, h.temperature);                               \
  }                                                                                      \
  static __device__ double sum_##name(const cells &h, int64_t r, double to, T dw, const T *w, \
                                      const T *w0, int less, double from) {              \
    const T *x = (const T *)h.x + r * h.units;                                           \
    const int64_t count = h.units / h.categories;                                        \
    lrn_tree tree;                                                                       \
    tree.count = 0;                                                                      \
    for (int64_t begin = 0; begin < count; begin += LRN_BLOCK) {                         \
      const int64_t end = begin + LRN_BLOCK < count ? begin + LRN_BLOCK : count;         \
      lrn_acc acc = lrn_acc_zero();                                                      \
      for (int64_t j = begin + LRN_LANE; j < end; j += 32) {                             \
        double A = (double)cumulant_##name(h, x, j, to, dw, w, w0);                      \
        if (less)                                                                        \
          A -= (double)cumulant_##name(h, x, j, from, dw, NULL, NULL);                   \
        lrn_acc_add(&acc, A, comp);                                                      \
      }                                                                                  \
      acc = lrn_acc_warp(acc, comp);                                                     \
      if (LRN_LANE == 0)                                                                 \
        lrn_tree_push(&tree, acc, comp);                                                 \
    }                                                                                    \
    return LRN_LANE == 0 ? lrn_acc_value(lrn_tree_sum(&tree, comp), comp) : 0;           \
  }                                                                                      \
  static __device__ int64_t flipped_##name(const flip_args &p, int64_t r, uint32_t word, \
                                           int64_t *count) {                             \
    const int64_t K = p.categories, V = p.n_visible;                                     \
    const T *absent = (const T *)p.absent + r * V;                                       \
    int64_t here = 0, left, i = 0;                                                       \
    if (p.absent == NULL) {                                                              \
      *count = V / K;                                                                    \
      return (int64_t)((uint64_t)word * (uint64_t)*count >> 32) * K;                     \
    }                                                                                    \
    for (int64_t k = 0; k < V; k += K)                                                   \
      here += absent[k] == 0;                                                            \
    left = (int64_t)((uint64_t)word * (uint64_t)here >> 32);                             \
    for (; i < V - K; i += K)                                                            \
      if (absent[i] == 0 && left-- == 0)                                                 \
        break;                                                                           \
    *count = here;                                                                       \
    return i;                                                                            \
  }                                                                                      \
  static __device__ double flip_group_##name(const flip_args &p, int64_t r, int64_t first, \
                                             int64_t groups) {                           \
    const int64_t K = p.categories, H = p.hidden.units;                                  \
    const T *v = (const T *)p.v + r * p.n_visible + first, *a = (const T *)p.a + first;  \
    const T *w = (const T *)p.W + first * H;                                             \
    double top = 0, sum = 0, own = 0;                                                    \
    int64_t c = 0;                                                                       \
    while (c < K - 1 && v[c] == 0)                                                       \
      c++;                                                                               \
    for (int64_t k = 0; k < K; k++) {                                                    \
      const double A = sum_##name(p.hidden, r, 1, (T)p.scale, w + k * H, w + c * H, 0, 1); \
      const double y = ((double)a[k] + A) / p.hidden.temperature;                        \
      lrn_group_join(&top, &sum, y);                                                     \
      own = k == c ? y : own;                                                            \
    }                                                                                    \
    return (double)groups * ((own - top) - lrn_log(sum));                                \
  }                                                                                      \
  static __device__ double flip_unit_##name(const flip_args &p, int64_t r, int64_t i,    \
                                            int64_t units) {                             \
    const T d = (T)p.both - (T)2 * ((const T *)p.v)[r * p.n_visible + i];                \
    const T *w = (const T *)p.W + i * p.hidden.units;                                    \
    const double A = sum_##name(p.hidden, r, 1, d * (T)p.scale, w, NULL, 1, 1);          \
    const double change = -(double)((const T *)p.a)[i] * (double)d - A;                  \
    return (double)units * lrn_logsigmoid(change / p.hidden.temperature);                \
  }                                                                                      \
  static __global__ void k_flip_##name(const __grid_constant__ flip_args p) {            \
    LRN_WARP_STRIDE(r, p.rows) {                                                         \
      const uint32_t word = lrn_word_at(p.draw, p.first + (uint64_t)r);                  \
      int64_t count;                                                                     \
      const int64_t at = flipped_##name(p, r, word, &count);                             \
      const double pl = count == 0         ? 0                                           \
                        : p.categories > 1 ? flip_group_##name(p, r, at, count)          \
                                           : flip_unit_##name(p, r, at, count);          \
      if (LRN_LANE == 0)                                                                 \
        p.out[r] = pl;                                                                   \
    }                                                                                    \
  }                                                                                      \
  static __device__ double dot_##name(int64_t n, const T *x, const T *y) {               \
    lrn_tree tree;                                                                       \
    tree.count = 0;                                                                      \
    for (int64_t begin = 0; begin < n; begin += LRN_BLOCK) {                             \
      const int64_t end = begin + LRN_BLOCK < n ? begin + LRN_BLOCK : n;                 \
      lrn_acc acc = lrn_acc_zero();                                                      \
      for (int64_t i = begin + LRN_LANE; i < end; i += 32)                               \
        lrn_acc_add(&acc, (double)x[i] * (double)y[i], comp);                            \
      acc = lrn_acc_warp(acc, comp);                                                     \
      if (LRN_LANE == 0)                                                                 \
        lrn_tree_push(&tree, acc, comp);                                                 \
    }                                                                                    \
    return LRN_LANE == 0 ? lrn_acc_value(lrn_tree_sum(&tree, comp), comp) : 0;           \
  }                                                                                      \
  static __global__ void k_rung_##name(const __grid_constant__ lrn_rung_args p,          \
                                       const __grid_constant__ cells h) {                \
    LRN_WARP_STRIDE(r, p.rows) {                                                         \
      const double A = sum_##name(h, r, p.to, 0, NULL, NULL, 1, p.from);                 \
      double linear = 0;                                                                 \
      for (int i = 0; i < 2; i++)                                                        \
        if (p.linear[i].s != NULL)                                                       \
          linear += dot_##name(p.linear[i].units,                                        \
                               (const T *)p.linear[i].s + r * p.linear[i].units,         \
                               (const T *)p.linear[i].row);                              \
      if (LRN_LANE == 0)                                                                 \
        p.log_w[r] += ((p.to - p.from) * linear + A) / p.temperature;                    \
    }                                                                                    \
  }
FLIP(float, f32, f, 0)
FLIP(double, f64, , 1)
#undef INPUT

/* *sum += sum of out: float64 terms, so compensated. One warp: a batch is one block or two. */
static __global__ void k_terms(const double *out, int64_t rows, double *sum) {
  lrn_tree tree;
  tree.count = 0;
  for (int64_t begin = 0; begin < rows; begin += LRN_BLOCK) {
    const int64_t end = begin + LRN_BLOCK < rows ? begin + LRN_BLOCK : rows;
    lrn_acc acc = lrn_acc_zero();
    for (int64_t r = begin + LRN_LANE; r < end; r += 32)
      lrn_acc_add(&acc, out[r], 1);
    acc = lrn_acc_warp(acc, 1);
    if (LRN_LANE == 0)
      lrn_tree_push(&tree, acc, 1);
  }
  if (LRN_LANE == 0)
    *sum += lrn_acc_value(lrn_tree_sum(&tree, 1), 1);
}

int lrn_cuda_add_terms(double *sum, const double *terms, int64_t n) {
  LRN_LAUNCH(k_terms, 1, 32, terms, n, sum);
  return LRN_OK;
}

int lrn_cuda_flip(const lrn_flip_args *args) {
  flip_args p;
  memset(&p, 0, sizeof p);
  p.hidden = cells_of(args->hidden, args->n_hidden, args->hidden_categories, args->temperature, args->x,
                      args->b);
  p.both = args->both;
  p.scale = args->scale;
  p.rows = args->rows;
  p.n_visible = args->n_visible;
  p.categories = args->categories;
  p.v = args->v;
  p.W = args->W;
  p.a = args->a;
  p.absent = args->absent;
  p.draw = lrn_draw_of(args->key.seed, args->key.step, args->key.stream, args->key.draw);
  p.first = args->key.first;
  p.out = args->out;
  p.sum = args->sum;
  if (p.rows == 0)
    return LRN_OK;
  if (args->dtype == LRN_F64)
    LRN_LAUNCH(k_flip_f64, lrn_grid_warps(p.rows), LRN_THREADS, p);
  else
    LRN_LAUNCH(k_flip_f32, lrn_grid_warps(p.rows), LRN_THREADS, p);
  return lrn_cuda_add_terms(p.sum, p.out, p.rows);
}

int lrn_cuda_rung(const lrn_rung_args *args) {
  const cells h = cells_of(args->unit, args->units, args->categories, args->temperature, args->x,
                           args->bias);
  if (args->rows == 0)
    return LRN_OK;
  if (args->dtype == LRN_F64)
    LRN_LAUNCH(k_rung_f64, lrn_grid_warps(args->rows), LRN_THREADS, *args, h);
  else
    LRN_LAUNCH(k_rung_f32, lrn_grid_warps(args->rows), LRN_THREADS, *args, h);
  if (args->state == NULL)
    return LRN_OK;
  lrn_unit_args draw;
  memset(&draw, 0, sizeof draw);
  draw.unit = args->unit;
  draw.dtype = args->dtype;
  draw.temperature = args->temperature;
  draw.rows = args->rows;
  draw.units = args->units;
  draw.categories = args->categories;
  draw.x = args->x;
  draw.bias = args->bias;
  draw.mean_scale = 1;
  draw.state = args->state;
  draw.key = args->key;
  return lrn_cuda_unit_at(&draw, args->to);
}
