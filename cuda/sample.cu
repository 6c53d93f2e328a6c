/*
** sample.cu - random tensors, and a layer's units: mean, state and metrics in one pass.
** Element i of a call takes the words of element key.first + i (kernel/philox.h), whichever
** thread makes it. Arrays are contiguous: x, mean, state, target: (rows, units); bias: (units).
*/
#include "common.cuh"
#include "kernel/ops.h"
#include "kernel/philox.h"
#include "kernel/unit.h"

static lrn_draw draw_of(const lrn_key *key) {
  return lrn_draw_of(key->seed, key->step, key->stream, key->draw);
}

/* {====================================================================
** Tensors of random numbers
** ===================================================================== */

typedef struct random_args {
  void *out;
  int64_t n;
  int dist;
  double a, b;
  lrn_draw draw;
  uint64_t first;
} random_args;

static __device__ __forceinline__ int64_t random_integer(const random_args &p, int64_t i) {
  const int64_t low = (int64_t)p.a;
  const uint64_t count = (uint64_t)((int64_t)p.b - low) + 1u;
  const uint64_t r = lrn_bits_at(p.draw, p.first + (uint64_t)i);
  return (int64_t)((uint64_t)low + (count == 0 ? r : lrn_bounded(r, count)));
}

static __device__ __forceinline__ double random_real(const random_args &p, int64_t i) {
  const uint64_t e = p.first + (uint64_t)i;
  if (p.dist == LRN_NORMAL) {
    const uint64_t r = lrn_bits_at(p.draw, e);
    return p.a + p.b * lrn_normal((uint32_t)r, (uint32_t)(r >> 32));
  }
  const double u = lrn_uniform(lrn_word_at(p.draw, e));
  return p.dist == LRN_BERNOULLI ? (double)(u < p.a) : p.a + (p.b - p.a) * u;
}

/* float32 numbers are made in float32 */
static __global__ void k_random_f32(const __grid_constant__ random_args p) {
  LRN_GRID_STRIDE(i, p.n) {
    const uint64_t e = p.first + (uint64_t)i;
    float v;
    if (p.dist == LRN_INTEGER) {
      v = (float)random_integer(p, i);
    } else if (p.dist == LRN_NORMAL) {
      const uint64_t r = lrn_bits_at(p.draw, e);
      v = (float)p.a + (float)p.b * lrn_normalf((uint32_t)r, (uint32_t)(r >> 32));
    } else if (p.dist == LRN_BERNOULLI) {
      v = (float)random_real(p, i);
    } else {
      v = (float)p.a + (float)(p.b - p.a) * lrn_uniformf(lrn_word_at(p.draw, e));
    }
    ((float *)p.out)[i] = v;
  }
}

#define RANDOM(T, name, from_real)                                                       \
  static __global__ void k_random_##name(const __grid_constant__ random_args p) {        \
    LRN_GRID_STRIDE(i, p.n) {                                                            \
      ((T *)p.out)[i] =                                                                  \
        p.dist == LRN_INTEGER ? (T)random_integer(p, i) : from_real(random_real(p, i));  \
    }                                                                                    \
  }
#define AS_IS(x) (x)
RANDOM(double, f64, AS_IS)
RANDOM(int64_t, i64, lrn_to_i64)
RANDOM(int32_t, i32, lrn_to_i32)
RANDOM(uint8_t, u8, lrn_to_u8)

/* u < p; bad: the first element whose p is no probability */
#define BERNOULLI(T, name)                                                               \
  static __global__ void k_bernoulli_##name(const __grid_constant__ random_args p,       \
                                            const void *prob, int p64,                   \
                                            unsigned long long *bad) {                   \
    LRN_GRID_STRIDE(i, p.n) {                                                            \
      const double q = p64 ? ((const double *)prob)[i] : (double)((const float *)prob)[i]; \
      if (!(q >= 0 && q <= 1))                                                           \
        atomicMin(bad, (unsigned long long)i);                                           \
      ((T *)p.out)[i] = (T)(lrn_uniform(lrn_word_at(p.draw, p.first + (uint64_t)i)) < q); \
    }                                                                                    \
  }
BERNOULLI(float, f32)
BERNOULLI(double, f64)
BERNOULLI(int64_t, i64)
BERNOULLI(int32_t, i32)
BERNOULLI(uint8_t, u8)

static void random_fill(random_args *p, const lrn_view *out, int dist, double a, double b,
                        const lrn_key *key) {
  memset(p, 0, sizeof *p);
  p->out = out->data;
  p->n = lrn_view_n(out, 0, out->nd);
  p->dist = dist;
  p->a = a;
  p->b = b;
  p->draw = draw_of(key);
  p->first = key->first;
}

int lrn_cuda_random(const lrn_view *out, int dist, double a, double b, lrn_key key) {
  random_args p;
  random_fill(&p, out, dist, a, b, &key);
  if (p.n == 0)
    return LRN_OK;
  if (dist == LRN_BERNOULLI && !(a >= 0 && a <= 1))
    return lrn_fail(LRN_EVALUE, "bernoulli: %g is no probability: not in [0, 1]", a);
  switch (out->dtype) {
    case LRN_F32: LRN_LAUNCH_FLAT(k_random_f32, lrn_grid(p.n), LRN_THREADS, p); break;
    case LRN_F64: LRN_LAUNCH_FLAT(k_random_f64, lrn_grid(p.n), LRN_THREADS, p); break;
    case LRN_I64: LRN_LAUNCH_FLAT(k_random_i64, lrn_grid(p.n), LRN_THREADS, p); break;
    case LRN_I32: LRN_LAUNCH_FLAT(k_random_i32, lrn_grid(p.n), LRN_THREADS, p); break;
    default: LRN_LAUNCH_FLAT(k_random_u8, lrn_grid(p.n), LRN_THREADS, p); break;
  }
  return LRN_OK;
}

static int bernoulli(const random_args *p, int dtype, const void *prob, int p64,
                     unsigned long long *flag) {
  const unsigned grid = lrn_grid(p->n);
  unsigned long long bad;
  LRN_CUDA(cudaMemsetAsync(flag, 0xff, sizeof *flag, 0));
  switch (dtype) {
    case LRN_F32: LRN_LAUNCH_FLAT(k_bernoulli_f32, grid, LRN_THREADS, *p, prob, p64, flag); break;
    case LRN_F64: LRN_LAUNCH_FLAT(k_bernoulli_f64, grid, LRN_THREADS, *p, prob, p64, flag); break;
    case LRN_I64: LRN_LAUNCH_FLAT(k_bernoulli_i64, grid, LRN_THREADS, *p, prob, p64, flag); break;
    case LRN_I32: LRN_LAUNCH_FLAT(k_bernoulli_i32, grid, LRN_THREADS, *p, prob, p64, flag); break;
    default: LRN_LAUNCH_FLAT(k_bernoulli_u8, grid, LRN_THREADS, *p, prob, p64, flag); break;
  }
  LRN_CUDA(cudaMemcpy(&bad, flag, sizeof bad, cudaMemcpyDeviceToHost));
  if (bad != ~0ull)
    return lrn_fail(LRN_EVALUE, "bernoulli: element %lld is no probability: not in [0, 1]",
                    (long long)bad + 1);
  return LRN_OK;
}

int lrn_cuda_bernoulli(const lrn_view *out, const void *prob, int p_dtype, lrn_key key) {
  random_args p;
  void *flag;
  int st;
  random_fill(&p, out, LRN_BERNOULLI, 0, 0, &key);
  if (p.n == 0)
    return LRN_OK;
  LRN_TRY(lrn_scratch(&flag, sizeof(unsigned long long)));
  st = bernoulli(&p, out->dtype, prob, p_dtype == LRN_F64, (unsigned long long *)flag);
  lrn_scratch_free(flag);
  return st;
}

/* }==================================================================== */

/* {====================================================================
** Units
** ===================================================================== */

/* Of a group of units: the largest input, the sum of the weights exp(x - top) in the units'
   order, and the unit that is 1. */
typedef struct unit_group {
  double top, sum;
  int64_t one;
} unit_group;

typedef struct unit_args {
  int unit, noise;
  int64_t n, units, categories, block; /* block: elements of a block of the metrics */
  const void *x, *bias, *gain, *target, *absent;
  void *mean, *state;
  double xs, hs, sign;
  lrn_draw draw;
  uint64_t first;
  double *part;       /* (blocks, 2) */
  unit_group *groups; /* (n / categories), or NULL for rows without groups */
} unit_args;

/* What the units of a group share is found by one thread a group, before the elements. (A warp a
   group would pay where groups are large and few.) nearest: the state is the first largest input,
   and the weights are not wanted. */
#define GROUPS(T, name, f)                                                                    \
  static __device__ __forceinline__ T group_input_##name(const unit_args &p, int64_t i) {     \
    T x = ((const T *)p.x)[i];                                                                \
    if (p.bias)                                                                               \
      x = x + ((const T *)p.bias)[i % p.units];                                               \
    return x * (T)p.xs;                                                                       \
  }                                                                                           \
  static __global__ void k_groups_##name(const __grid_constant__ unit_args p, int draw,       \
                                         int nearest) {                                       \
    const int64_t K = p.categories;                                                           \
    LRN_GRID_STRIDE(g, p.n / K) {                                                             \
      const int64_t begin = g * K;                                                            \
      T top = group_input_##name(p, begin);                                                   \
      double sum = 0, below = 0;                                                              \
      int64_t one = 0;                                                                        \
      for (int64_t k = 1; k < K; k++) {                                                       \
        const T x = group_input_##name(p, begin + k);                                         \
        one = x > top ? k : one;                                                              \
        top = x > top ? x : top;                                                              \
      }                                                                                       \
      for (int64_t k = 0; k < K && !nearest; k++)                                             \
        sum += (double)lrn_group_weight##f(group_input_##name(p, begin + k), top);            \
      if (draw) {                                                                             \
        const double u = lrn_uniform(lrn_word_at(p.draw, p.first + (uint64_t)begin)) * sum;   \
        for (one = 0; one < K - 1; one++) {                                                   \
          below += (double)lrn_group_weight##f(group_input_##name(p, begin + one), top);      \
          if (u < below)                                                                      \
            break;                                                                            \
        }                                                                                     \
      }                                                                                       \
      p.groups[g].top = (double)top;                                                          \
      p.groups[g].sum = sum;                                                                  \
      p.groups[g].one = one;                                                                  \
    }                                                                                         \
  }
GROUPS(float, f32, f)
GROUPS(double, f64, )

/* p->groups, for the caller to free */
static int find_groups(unit_args *p, int dtype, int draw, int nearest) {
  const int64_t n = p->n / p->categories;
  void *groups;
  LRN_TRY(lrn_scratch(&groups, (size_t)n * sizeof(unit_group)));
  p->groups = (unit_group *)groups;
  if (dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_groups_f64, lrn_grid(n), LRN_THREADS, *p, draw, nearest);
  else
    LRN_LAUNCH_FLAT(k_groups_f32, lrn_grid(n), LRN_THREADS, *p, draw, nearest);
  return LRN_OK;
}

/* Without metrics a thread takes an element. With them a warp takes a block, 4096 elements or the
   groups that reach them, lane l those whose number in it is l mod 32, and leaves two sums. The tree
   over blocks then is one thread's. */
#define UNITS(T, name, f, compensated)                                                        \
  static __device__ __forceinline__ void unit_##name(const unit_args &p, int64_t i, T *mean,  \
                                                     T *state) {                              \
    const uint64_t e = p.first + (uint64_t)i;                                                 \
    T x = ((const T *)p.x)[i], u = 0, z = 0;                                                  \
    *state = 0;                                                                               \
    *mean = 0;                                                                                \
    if (p.groups) {                                                                           \
      const unit_group g = p.groups[i / p.categories];                                        \
      x = group_input_##name(p, i);                                                           \
      *mean = lrn_group_mean##f(lrn_group_weight##f(x, (T)g.top), g.sum);                     \
      *state = (T)(i % p.categories == g.one);                                                \
      if (p.absent) {                                                                         \
        *mean *= (T)1 - ((const T *)p.absent)[i];                                             \
        *state *= (T)1 - ((const T *)p.absent)[i];                                            \
      }                                                                                       \
      if (p.mean)                                                                             \
        ((T *)p.mean)[i] = *mean * (T)p.sign;                                                 \
      if (p.state)                                                                            \
        ((T *)p.state)[i] = *state;                                                           \
      return;                                                                                 \
    }                                                                                         \
    if (p.bias)                                                                               \
      x = x + ((const T *)p.bias)[i % p.units];                                               \
    if (p.mean || p.target || p.gain)                                                         \
      *mean = lrn_unit_mean##f(p.unit, x, (T)p.xs, (T)p.hs);                                  \
    if (p.state) {                                                                            \
      if (p.noise == LRN_NOISE_NORMAL) {                                                      \
        const uint64_t r = lrn_bits_at(p.draw, e);                                            \
        z = lrn_normal##f((uint32_t)r, (uint32_t)(r >> 32));                                  \
      } else if (p.noise == LRN_NOISE_UNIFORM_OPEN) {                                         \
        u = lrn_uniform_open##f(lrn_word_at(p.draw, e));                                      \
      } else {                                                                                \
        u = lrn_uniform##f(lrn_word_at(p.draw, e));                                           \
      }                                                                                       \
      *state = lrn_unit_draw##f(p.unit, x, (T)p.xs, (T)p.hs, u, z);                           \
      if (p.gain)                                                                             \
        *state = *mean + ((const T *)p.gain)[i % p.units] * (*state - *mean);                 \
    }                                                                                         \
    if (p.absent) {                                                                           \
      *mean *= (T)1 - ((const T *)p.absent)[i];                                               \
      *state *= (T)1 - ((const T *)p.absent)[i];                                              \
    }                                                                                         \
    if (p.mean)                                                                               \
      ((T *)p.mean)[i] = *mean * (T)p.sign;                                                   \
    if (p.state)                                                                              \
      ((T *)p.state)[i] = *state;                                                             \
  }                                                                                           \
  static __global__ void k_unit_##name(const __grid_constant__ unit_args p) {                 \
    LRN_GRID_STRIDE(i, p.n) {                                                                 \
      T mean, state;                                                                          \
      unit_##name(p, i, &mean, &state);                                                       \
    }                                                                                         \
  }                                                                                           \
  static __global__ void k_unit_metric_##name(const __grid_constant__ unit_args p) {          \
    LRN_WARP_STRIDE(block, (p.n + p.block - 1) / p.block) {                                   \
      const int64_t end = (block + 1) * p.block < p.n ? (block + 1) * p.block : p.n;          \
      lrn_acc of_mean = lrn_acc_zero(), of_state = lrn_acc_zero();                            \
      for (int64_t i = block * p.block + LRN_LANE; i < end; i += 32) {                        \
        T mean, state;                                                                        \
        double t = (double)((const T *)p.target)[i], d;                                       \
        unit_##name(p, i, &mean, &state);                                                     \
        d = t - (double)mean;                                                                 \
        lrn_acc_add(&of_mean, d * d, compensated);                                            \
        if (p.state)                                                                          \
          d = t - (double)state;                                                              \
        lrn_acc_add(&of_state, d * d, compensated);                                           \
      }                                                                                       \
      of_mean = lrn_acc_warp(of_mean, compensated);                                           \
      of_state = lrn_acc_warp(of_state, compensated);                                         \
      if (LRN_LANE == 0) {                                                                    \
        p.part[2 * block] = lrn_acc_value(of_mean, compensated);                              \
        p.part[2 * block + 1] = lrn_acc_value(of_state, compensated);                         \
      }                                                                                       \
    }                                                                                         \
  }                                                                                           \
  static __global__ void k_unit_sums_##name(const double *part, int64_t blocks, double *sums) { \
    LRN_GRID_STRIDE(k, 2) {                                                                   \
      lrn_tree tree;                                                                          \
      tree.count = 0;                                                                         \
      for (int64_t b = 0; b < blocks; b++) {                                                  \
        lrn_acc a = lrn_acc_zero();                                                           \
        a.s = part[2 * b + k];                                                                \
        lrn_tree_push(&tree, a, 0);                                                           \
      }                                                                                       \
      sums[k] += lrn_acc_value(lrn_tree_sum(&tree, 0), 0);                                    \
    }                                                                                         \
  }                                                                                           \
  static int units_##name(const unit_args *p, double *sums) {                                 \
    const int64_t blocks = (p->n + p->block - 1) / p->block;                                  \
    if (p->target == NULL) {                                                                  \
      LRN_LAUNCH_FLAT(k_unit_##name, lrn_grid(p->n), LRN_THREADS, *p);                        \
      return LRN_OK;                                                                          \
    }                                                                                         \
    LRN_LAUNCH(k_unit_metric_##name, lrn_grid_warps(blocks), LRN_THREADS, *p);                \
    LRN_LAUNCH_FLAT(k_unit_sums_##name, 1, 32, p->part, blocks, sums);                        \
    return LRN_OK;                                                                            \
  }
UNITS(float, f32, f, 0)
UNITS(double, f64, , 1)

int lrn_cuda_unit(const lrn_unit_args *args) { return lrn_cuda_unit_at(args, 1); }

int lrn_cuda_unit_at(const lrn_unit_args *args, double beta) {
  unit_args p;
  int st = LRN_OK;
  memset(&p, 0, sizeof p);
  p.unit = args->unit;
  p.noise = lrn_unit_noise(args->unit);
  p.n = args->rows * args->units;
  p.units = args->units;
  p.categories = args->categories;
  p.block = lrn_unit_block(args->categories);
  p.x = args->x;
  p.bias = args->bias;
  p.gain = args->gain;
  p.target = args->target;
  p.absent = args->absent;
  p.mean = args->mean;
  p.state = args->state;
  p.sign = args->mean_scale;
  p.draw = draw_of(&args->key);
  p.first = args->key.first;
  p.part = args->scratch;
  lrn_unit_scale(args->unit, args->temperature, &p.xs, &p.hs);
  p.xs *= beta;
  if (p.n == 0)
    return LRN_OK;
  if (lrn_unit_in_groups(args->unit))
    st = find_groups(&p, args->dtype, p.state != NULL, 0);
  if (st == LRN_OK)
    st = args->dtype == LRN_F64 ? units_f64(&p, args->sums) : units_f32(&p, args->sums);
  lrn_scratch_free(p.groups);
  return st;
}

typedef struct unit_map_args {
  int unit, part;
  int64_t n;
  void *out;
  const void *x;
  double xs, hs, temperature, shift;
  int64_t categories;
  const unit_group *groups; /* or NULL */
} unit_map_args;

#define UNIT_MAP(T, name, f)                                                                  \
  static __global__ void k_unit_map_##name(const __grid_constant__ unit_map_args p) {         \
    LRN_GRID_STRIDE(i, p.n) {                                                                 \
      const T x = ((const T *)p.x)[i];                                                        \
      T y = 0;                                                                                \
      if (p.groups) {                                                                         \
        const unit_group g = p.groups[i / p.categories];                                      \
        const int64_t k = i % p.categories;                                                   \
        if (p.part == LRN_UNIT_MEAN)                                                          \
          y = lrn_group_mean##f(lrn_group_weight##f(x * (T)p.xs, (T)g.top), g.sum);           \
        else if (p.part == LRN_UNIT_NEAREST)                                                  \
          y = (T)(k == g.one);                                                                \
        else if (p.part == LRN_UNIT_CUMULANT && k == 0)                                       \
          y = lrn_group_cumulant##f((T)g.top, g.sum, p.temperature);                          \
        ((T *)p.out)[i] = y;                                                                  \
        continue;                                                                             \
      }                                                                                       \
      ((T *)p.out)[i] =                                                                       \
        p.part == LRN_UNIT_SELF       ? lrn_unit_self##f(p.unit, x)                           \
        : p.part == LRN_UNIT_NEAREST  ? lrn_unit_nearest##f(p.unit, x)                        \
        : p.part == LRN_UNIT_CUMULANT ? lrn_unit_cumulant##f(p.unit, x, (T)p.xs,              \
                                                             (T)p.temperature, (T)p.shift)    \
                                      : lrn_unit_mean##f(p.unit, x, (T)p.xs, (T)p.hs);        \
    }                                                                                         \
  }
UNIT_MAP(float, f32, f)
UNIT_MAP(double, f64, )

static int map_units(const unit_map_args *p, int dtype) {
  if (dtype == LRN_F64)
    LRN_LAUNCH_FLAT(k_unit_map_f64, lrn_grid(p->n), LRN_THREADS, *p);
  else
    LRN_LAUNCH_FLAT(k_unit_map_f32, lrn_grid(p->n), LRN_THREADS, *p);
  return LRN_OK;
}

int lrn_cuda_unit_map(const lrn_unit_map_args *args) {
  unit_map_args p;
  unit_args g;
  int st = LRN_OK;
  memset(&p, 0, sizeof p);
  memset(&g, 0, sizeof g);
  p.unit = args->unit;
  p.part = args->part;
  g.n = p.n = args->n;
  g.categories = p.categories = args->categories;
  p.out = args->out;
  g.x = p.x = args->x;
  p.temperature = args->temperature;
  p.shift = lrn_unit_shift(p.unit, p.temperature);
  lrn_unit_scale(p.unit, p.temperature, &p.xs, &p.hs);
  g.xs = p.part == LRN_UNIT_NEAREST ? 1 : p.xs;
  if (p.n == 0)
    return LRN_OK;
  if (lrn_unit_in_groups(p.unit))
    st = find_groups(&g, args->dtype, 0, p.part == LRN_UNIT_NEAREST);
  p.groups = g.groups;
  if (st == LRN_OK)
    st = map_units(&p, args->dtype);
  lrn_scratch_free(g.groups);
  return st;
}

/* }==================================================================== */
