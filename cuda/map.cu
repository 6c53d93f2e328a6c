/*
** map.cu - elementwise operations: a kernel for every row of ops.def and computing type,
** and conversions between all dtypes. Operands: up to three views of out's shape, or scalars.
** map.inc.cuh holds the text for one type.
*/
#include "common.cuh"
#include "kernel/math.h"

#ifdef __CUDACC__
#pragma nv_diag_suppress 186 /* "pointless comparison with zero": `sign` of an unsigned type */
#endif

/* Array 0 of the layout is out, k + 1 is operand k. */
typedef struct map_args {
  lrn_layout layout;
  void *out;
  const void *in[3];
  int scalar[3];
  double d[3];
  int64_t i[3];
} map_args;

#define CAT2(a, b) a##_##b
#define CAT(a, b) CAT2(a, b)

#define SUFFIX f32
#define LRN_K_FLOAT
#define T float
#include "map.inc.cuh"

#define SUFFIX f64
#define LRN_K_DOUBLE
#define T double
#include "map.inc.cuh"

#define SUFFIX i64
#define LRN_K_INT
#define T int64_t
#define U uint64_t
#include "map.inc.cuh"

#define SUFFIX i32
#define LRN_K_INT
#define T int32_t
#define U uint32_t
#include "map.inc.cuh"

#define SUFFIX u8
#define LRN_K_INT
#define T uint8_t
#define U uint8_t
#include "map.inc.cuh"

#define SUFFIX bool
#define LRN_K_BOOL
#define T uint8_t
#include "map.inc.cuh"

/* {====================================================================
** Conversion. TO_<dtype>_<kind of source>
** ===================================================================== */

#define TO_f32_FLOAT(x) ((float)(x))
#define TO_f32_INT(x) ((float)(x))
#define TO_f64_FLOAT(x) ((double)(x))
#define TO_f64_INT(x) ((double)(x))
#define TO_i64_FLOAT(x) lrn_to_i64((double)(x))
#define TO_i64_INT(x) ((int64_t)(x))
#define TO_i32_FLOAT(x) lrn_to_i32((double)(x))
#define TO_i32_INT(x) ((int32_t)(x))
#define TO_u8_FLOAT(x) lrn_to_u8((double)(x))
#define TO_u8_INT(x) ((uint8_t)(x))
#define TO_bool_FLOAT(x) ((uint8_t)((x) != 0))
#define TO_bool_INT(x) ((uint8_t)((x) != 0))
#define SCALAR_FLOAT(S) ((S)p.d[0])
#define SCALAR_INT(S) ((S)p.i[0])

#define COPY(S, sname, kind, D, dname)                                                      \
  static __global__ void k_copy_##sname##_##dname(const __grid_constant__ map_args p) {     \
    LRN_GRID_STRIDE(i, p.layout.n) {                                                        \
      S x = p.scalar[0] ? SCALAR_##kind(S) : ((const S *)p.in[0])[lrn_at(p.layout, 1, i)];  \
      ((D *)p.out)[lrn_at(p.layout, 0, i)] = TO_##dname##_##kind(x);                        \
    }                                                                                       \
  }
#define COPIES(S, sname, kind)            \
  COPY(S, sname, kind, float, f32)        \
  COPY(S, sname, kind, double, f64)       \
  COPY(S, sname, kind, int64_t, i64)      \
  COPY(S, sname, kind, int32_t, i32)      \
  COPY(S, sname, kind, uint8_t, u8)       \
  COPY(S, sname, kind, uint8_t, bool)     \
  static int copy_##sname(int to, const map_args *p) {                                     \
    switch (to) {                                                                          \
      case LRN_F32: LRN_LAUNCH_FLAT(k_copy_##sname##_f32, lrn_grid(p->layout.n), LRN_THREADS, *p); break; \
      case LRN_F64: LRN_LAUNCH_FLAT(k_copy_##sname##_f64, lrn_grid(p->layout.n), LRN_THREADS, *p); break; \
      case LRN_I64: LRN_LAUNCH_FLAT(k_copy_##sname##_i64, lrn_grid(p->layout.n), LRN_THREADS, *p); break; \
      case LRN_I32: LRN_LAUNCH_FLAT(k_copy_##sname##_i32, lrn_grid(p->layout.n), LRN_THREADS, *p); break; \
      case LRN_U8: LRN_LAUNCH_FLAT(k_copy_##sname##_u8, lrn_grid(p->layout.n), LRN_THREADS, *p); break;   \
      case LRN_BOOL: LRN_LAUNCH_FLAT(k_copy_##sname##_bool, lrn_grid(p->layout.n), LRN_THREADS, *p); break; \
      default: return lrn_fail(LRN_ETYPE, "copy: no dtype %d", to);                        \
    }                                                                                      \
    return LRN_OK;                                                                         \
  }
COPIES(float, f32, FLOAT)
COPIES(double, f64, FLOAT)
COPIES(int64_t, i64, INT)
COPIES(int32_t, i32, INT)
COPIES(uint8_t, u8, INT)
COPIES(uint8_t, bool, INT)

/* }==================================================================== */

int lrn_cuda_map(int op, int dtype, const lrn_view *out, const lrn_operand *in, int n) {
  map_args p;
  const lrn_view *view[LRN_LAYOUT_VIEWS] = {out, NULL, NULL, NULL};
  memset(&p, 0, sizeof p);
  for (int k = 0; k < n && k < 3; k++) {
    p.scalar[k] = in[k].is_scalar;
    p.d[k] = in[k].d;
    p.i[k] = in[k].i;
    if (!in[k].is_scalar) {
      view[k + 1] = &in[k].view;
      p.in[k] = in[k].view.data;
    }
  }
  lrn_layout_make(&p.layout, view, LRN_LAYOUT_VIEWS, 0, out->nd, out->size);
  p.out = out->data;
  if (p.layout.n == 0)
    return LRN_OK;
  if (op == LRN_OP_COPY) {
    switch (in[0].is_scalar ? dtype : in[0].view.dtype) {
      case LRN_F32: return copy_f32(out->dtype, &p);
      case LRN_F64: return copy_f64(out->dtype, &p);
      case LRN_I64: return copy_i64(out->dtype, &p);
      case LRN_I32: return copy_i32(out->dtype, &p);
      case LRN_U8: return copy_u8(out->dtype, &p);
      case LRN_BOOL: return copy_bool(out->dtype, &p);
      default: break;
    }
  }
  switch (dtype) {
    case LRN_F32: return map_f32(op, &p);
    case LRN_F64: return map_f64(op, &p);
    case LRN_I64: return map_i64(op, &p);
    case LRN_I32: return map_i32(op, &p);
    case LRN_U8: return map_u8(op, &p);
    case LRN_BOOL: return map_bool(op, &p);
    default: return lrn_fail(LRN_ETYPE, "map: no dtype %d", dtype);
  }
}
