/*
** reduce.inc.cuh - the kernels of reduce.cu for one dtype: included with SUFFIX, T (U), LANE,
** COMPENSATED for floats, and one LRN_K_* defined; takes them all back.
*/
#include "kernel/ops.h"

#define GET_X ((const T *)p.x)[x0 + lrn_at(p.red, 0, e)]
#define GET_Y ((const T *)p.y)[y0 + lrn_at(p.red, 1, e)]

/* One block of one output: element e of the output's p.red.n, lane e mod 32 */
#define BLOCK_BEGIN                                                                    \
  const int64_t o = task / p.blocks, block = task % p.blocks;                          \
  const int64_t x0 = lrn_at(p.keep, 1, o);                                             \
  const int64_t end = (block + 1) * LRN_BLOCK < p.red.n ? (block + 1) * LRN_BLOCK : p.red.n

#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)
#define SUM_FINISH CAT(k_finish, SUFFIX)
#define SUM_KERNEL(name, operands, expr)                                               \
  static __global__ void CAT(k_##name, SUFFIX)(const __grid_constant__ red_args p) {   \
    LRN_WARP_STRIDE(task, p.keep.n * p.blocks) {                                       \
      BLOCK_BEGIN;                                                                     \
      lrn_acc acc = lrn_acc_zero();                                                    \
      READ_##operands##_BEGIN                                                          \
      for (int64_t e = block * LRN_BLOCK + LRN_LANE; e < end; e += 32) {               \
        const double X = (double)GET_X;                                                \
        READ_##operands                                                                \
        lrn_acc_add(&acc, (double)(expr), COMPENSATED);                                \
      }                                                                                \
      acc = lrn_acc_warp(acc, COMPENSATED);                                            \
      if (LRN_LANE == 0)                                                               \
        ((lrn_acc *)p.part)[task] = acc;                                               \
    }                                                                                  \
  }
#define READ_2 const double Y = (double)GET_Y;
#else
#define SUM_FINISH k_finish_i64
#define SUM_KERNEL(name, operands, expr)                                               \
  static __global__ void CAT(k_##name, SUFFIX)(const __grid_constant__ red_args p) {   \
    LRN_WARP_STRIDE(task, p.keep.n * p.blocks) {                                       \
      BLOCK_BEGIN;                                                                     \
      unsigned long long acc = 0;                                                      \
      READ_##operands##_BEGIN                                                          \
      for (int64_t e = block * LRN_BLOCK + LRN_LANE; e < end; e += 32) {               \
        const uint64_t X = (uint64_t)GET_X;                                            \
        READ_##operands                                                                \
        acc += (uint64_t)(expr);                                                       \
      }                                                                                \
      for (int w = 16; w > 0; w /= 2)                                                  \
        acc += __shfl_down_sync(0xffffffffu, acc, w);                                  \
      if (LRN_LANE == 0)                                                               \
        ((uint64_t *)p.part)[task] = acc;                                              \
    }                                                                                  \
  }
#define READ_2 const uint64_t Y = (uint64_t)GET_Y;
#endif
#define READ_1
#define READ_1_BEGIN
#define READ_2_BEGIN const int64_t y0 = lrn_at(p.keep, 2, o);

#define FOLD_KERNEL(name, identity, combine)                                           \
  static __global__ void CAT(k_##name, SUFFIX)(const __grid_constant__ red_args p) {   \
    LRN_WARP_STRIDE(task, p.keep.n * p.blocks) {                                       \
      BLOCK_BEGIN;                                                                     \
      T r = identity;                                                                  \
      for (int64_t e = block * LRN_BLOCK + LRN_LANE; e < end; e += 32) {               \
        const T x = GET_X;                                                             \
        r = combine;                                                                   \
      }                                                                                \
      for (int w = 16; w > 0; w /= 2) {                                                \
        const T x = (T)__shfl_down_sync(0xffffffffu, (LANE)r, w);                      \
        r = combine;                                                                   \
      }                                                                                \
      if (LRN_LANE == 0)                                                               \
        ((T *)p.part)[task] = r;                                                       \
    }                                                                                  \
  }                                                                                    \
  static __global__ void CAT(k_finish_##name, SUFFIX)(const __grid_constant__ red_args p) { \
    LRN_GRID_STRIDE(o, p.keep.n) {                                                     \
      T r = identity;                                                                  \
      for (int64_t b = 0; b < p.blocks; b++) {                                         \
        const T x = ((const T *)p.part)[o * p.blocks + b];                             \
        r = combine;                                                                   \
      }                                                                                \
      ((T *)p.out)[lrn_at(p.keep, 0, o)] = r;                                          \
    }                                                                                  \
  }

#define SUM(name, operands, expr, help) SUM_KERNEL(name, operands, expr)
#define FOLD(name, identity, combine, help) FOLD_KERNEL(name, identity, combine)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD

/* The first extreme; a NaN is one. `a` stays where b is not better: earlier wins. */
#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)
#define IS_NAN(x) ((x) != (x))
#define AT_VALUE(a) (a).f
#else
#define IS_NAN(x) 0
#define AT_VALUE(a) (a).k
#endif

static __device__ __forceinline__ red_at CAT(better, SUFFIX)(red_at a, red_at b, int max) {
  int wins, ties;
  if (a.i < 0 || b.i < 0)
    return a.i < 0 ? b : a;
  wins = IS_NAN(AT_VALUE(b)) ? !IS_NAN(AT_VALUE(a))
         : IS_NAN(AT_VALUE(a)) ? 0
         : max                 ? AT_VALUE(b) > AT_VALUE(a)
                               : AT_VALUE(b) < AT_VALUE(a);
  ties = (IS_NAN(AT_VALUE(a)) && IS_NAN(AT_VALUE(b))) || AT_VALUE(a) == AT_VALUE(b);
  return wins || (ties && b.i < a.i) ? b : a;
}

static __global__ void CAT(k_at, SUFFIX)(const __grid_constant__ red_args p, int max) {
  LRN_WARP_STRIDE(task, p.keep.n * p.blocks) {
    BLOCK_BEGIN;
    red_at best;
    best.f = 0.0;
    best.k = 0;
    best.i = -1;
    for (int64_t e = block * LRN_BLOCK + LRN_LANE; e < end; e += 32) {
      red_at x = best;
      AT_VALUE(x) = GET_X;
      x.i = e;
      best = CAT(better, SUFFIX)(best, x, max);
    }
    for (int w = 16; w > 0; w /= 2) {
      red_at x;
      x.f = __shfl_down_sync(0xffffffffu, best.f, w);
      x.k = __shfl_down_sync(0xffffffffu, (long long)best.k, w);
      x.i = __shfl_down_sync(0xffffffffu, (long long)best.i, w);
      best = CAT(better, SUFFIX)(best, x, max);
    }
    if (LRN_LANE == 0)
      ((red_at *)p.part)[task] = best;
  }
}

static __global__ void CAT(k_finish_at, SUFFIX)(const __grid_constant__ red_args p, int max) {
  LRN_GRID_STRIDE(o, p.keep.n) {
    red_at best = ((const red_at *)p.part)[o * p.blocks];
    for (int64_t b = 1; b < p.blocks; b++)
      best = CAT(better, SUFFIX)(best, ((const red_at *)p.part)[o * p.blocks + b], max);
    ((int64_t *)p.out)[lrn_at(p.keep, 0, o)] = best.i + (int64_t)p.divisor;
  }
}

static int CAT(reduce, SUFFIX)(int red, const red_args *p) {
  const unsigned grid = lrn_grid(p->keep.n);
  const int64_t tasks = p->keep.n * p->blocks;
  const unsigned warps = tasks > 0 ? lrn_grid_warps(tasks) : 0; /* 0: nothing to add */
  switch (red) {
#define SUM(name, operands, expr, help)                                                \
  case LRN_RED_##name:                                                                 \
    if (warps > 0)                                                                     \
      LRN_LAUNCH(CAT(k_##name, SUFFIX), warps, LRN_THREADS, *p);                       \
    LRN_LAUNCH_FLAT(SUM_FINISH, grid, LRN_THREADS, *p);                                \
    return LRN_OK;
#define FOLD(name, identity, combine, help)                                            \
  case LRN_RED_##name:                                                                 \
    LRN_LAUNCH(CAT(k_##name, SUFFIX), warps, LRN_THREADS, *p);                         \
    LRN_LAUNCH_FLAT(CAT(k_finish_##name, SUFFIX), grid, LRN_THREADS, *p);              \
    return LRN_OK;
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
    case LRN_REDS:
    case LRN_REDS + 1: /* argmin, argmax */
      LRN_LAUNCH(CAT(k_at, SUFFIX), warps, LRN_THREADS, *p, red > LRN_REDS);
      LRN_LAUNCH_FLAT(CAT(k_finish_at, SUFFIX), grid, LRN_THREADS, *p, red > LRN_REDS);
      return LRN_OK;
    default: return lrn_fail(LRN_EARG, "reduce: no reduction %d", red);
  }
}

#undef GET_X
#undef GET_Y
#undef BLOCK_BEGIN
#undef SUM_FINISH
#undef SUM_KERNEL
#undef READ_1
#undef READ_2
#undef READ_1_BEGIN
#undef READ_2_BEGIN
#undef FOLD_KERNEL
#undef IS_NAN
#undef AT_VALUE
#undef SUFFIX
#undef LANE
#undef COMPENSATED
#include "kernel/ops_undef.h"
