/*
** reduce.cu - sums, folds and positions of extremes along the last dimensions.
** x: (keep..., red...), any strides; out: (keep...). A warp takes one block of 4096 elements of
** one output: its lanes are the 32 lanes of numerics.md. Then a thread per output joins the blocks.
*/
#include "common.cuh"
#include "kernel/math.h"

/* Arrays of keep: 0 out, 1 x, 2 y; of red: 0 x, 1 y. */
typedef struct red_args {
  lrn_layout keep, red;
  const void *x, *y;
  void *out, *part; /* part: (outputs, blocks) */
  int64_t blocks;
  double divisor;
} red_args;

/* A candidate for the extreme; i = -1: none */
typedef struct red_at {
  double f;
  int64_t k, i;
} red_at;

/* The four kernels that finish; part is of their accumulator's type. */
#define FINISH_SUM(name, T, comp)                                                       \
  static __global__ void k_finish_##name(const __grid_constant__ red_args p) {          \
    LRN_GRID_STRIDE(o, p.keep.n) {                                                      \
      const lrn_acc *part = (const lrn_acc *)p.part + o * p.blocks;                     \
      lrn_tree tree;                                                                    \
      tree.count = 0;                                                                   \
      for (int64_t b = 0; b < p.blocks; b++)                                            \
        lrn_tree_push(&tree, part[b], comp);                                            \
      ((T *)p.out)[lrn_at(p.keep, 0, o)] =                                              \
        (T)(lrn_acc_value(lrn_tree_sum(&tree, comp), comp) / p.divisor);                \
    }                                                                                   \
  }
FINISH_SUM(f32, float, 0)
FINISH_SUM(f64, double, 1)

static __global__ void k_finish_i64(const __grid_constant__ red_args p) {
  LRN_GRID_STRIDE(o, p.keep.n) {
    const uint64_t *part = (const uint64_t *)p.part + o * p.blocks;
    uint64_t sum = 0;
    for (int64_t b = 0; b < p.blocks; b++)
      sum += part[b];
    ((int64_t *)p.out)[lrn_at(p.keep, 0, o)] = (int64_t)sum;
  }
}

#define CAT2(a, b) a##_##b
#define CAT(a, b) CAT2(a, b)

/* LANE: the type in which an element crosses a warp */
#define SUFFIX f32
#define LRN_K_FLOAT
#define T float
#define LANE float
#define COMPENSATED 0
#include "reduce.inc.cuh"

#define SUFFIX f64
#define LRN_K_DOUBLE
#define T double
#define LANE double
#define COMPENSATED 1
#include "reduce.inc.cuh"

#define SUFFIX i64
#define LRN_K_INT
#define T int64_t
#define U uint64_t
#define LANE long long
#include "reduce.inc.cuh"

#define SUFFIX i32
#define LRN_K_INT
#define T int32_t
#define U uint32_t
#define LANE int
#include "reduce.inc.cuh"

#define SUFFIX u8
#define LRN_K_INT
#define T uint8_t
#define U uint8_t
#define LANE int
#include "reduce.inc.cuh"

#define SUFFIX bool
#define LRN_K_BOOL
#define T uint8_t
#define LANE int
#include "reduce.inc.cuh"

static int is_fold(int red) {
  switch (red) {
#define SUM(name, operands, expr, help)
#define FOLD(name, identity, combine, help) case LRN_RED_##name: return 1;
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
    default: return 0;
  }
}

static int dispatch(int red, int dtype, const red_args *p) {
  switch (dtype) {
    case LRN_F32: return reduce_f32(red, p);
    case LRN_F64: return reduce_f64(red, p);
    case LRN_I64: return reduce_i64(red, p);
    case LRN_I32: return reduce_i32(red, p);
    case LRN_U8: return reduce_u8(red, p);
    case LRN_BOOL: return reduce_bool(red, p);
    default: return lrn_fail(LRN_ETYPE, "reduce: no dtype %d", dtype);
  }
}

/* Numbers beside those of reduce.def, for argextreme */
enum { RED_ARGMIN = LRN_REDS, RED_ARGMAX };

static int run(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
               double divisor, int64_t base, size_t part) {
  red_args p;
  const lrn_view *keep[3] = {out, x, y}, *over[2] = {x, y};
  lrn_view out_of_keep = *out; /* out may have other sizes where a dimension was dropped or kept */
  int st;
  memset(&p, 0, sizeof p);
  keep[0] = &out_of_keep;
  lrn_layout_make(&p.keep, keep, 3, 0, nkeep, x->size);
  lrn_layout_make(&p.red, over, 2, nkeep, x->nd, x->size);
  p.x = x->data;
  p.y = y != NULL ? y->data : NULL;
  p.out = out->data;
  p.blocks = lrn_blocks(p.red.n);
  p.divisor = red < LRN_REDS ? divisor : (double)base;
  if (p.keep.n == 0)
    return LRN_OK;
  if (p.red.n == 0 && (red >= LRN_REDS || is_fold(red)))
    return lrn_fail(LRN_EVALUE, "%s: of no element",
                    red >= LRN_REDS ? "argextreme" : lrn_reduce_name(red));
  LRN_TRY(lrn_scratch(&p.part, (size_t)p.keep.n * (size_t)p.blocks * part));
  st = dispatch(red, x->dtype, &p);
  lrn_scratch_free(p.part);
  return st;
}

int lrn_cuda_reduce(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
                    double divisor) {
  return run(red, out, x, y, nkeep, divisor, 0, sizeof(lrn_acc));
}

int lrn_cuda_argextreme(int max, const lrn_view *out, const lrn_view *x, int nkeep, int64_t base) {
  return run(max ? RED_ARGMAX : RED_ARGMIN, out, x, NULL, nkeep, 1.0, base, sizeof(red_at));
}
