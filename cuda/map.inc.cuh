/*
** map.inc.cuh - the kernels of map.cu for one computing type: included with SUFFIX, T (U) and
** one LRN_K_* defined; takes them all back. Which families a type has stands here.
*/
#include "kernel/ops.h"

#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)
#define IF_FLOAT(x) x
#define IF_NUMBER(x) x
#define IF_BITS(x)
#define IF_TEST(x) x
#define SCALAR(k) ((T)p.d[k])
#elif defined(LRN_K_INT)
#define IF_FLOAT(x)
#define IF_NUMBER(x) x
#define IF_BITS(x) x
#define IF_TEST(x)
#define SCALAR(k) ((T)p.i[k])
#else
#define IF_FLOAT(x)
#define IF_NUMBER(x)
#define IF_BITS(x) x
#define IF_TEST(x)
#define SCALAR(k) ((T)(p.i[k] != 0))
#endif
#define IF_COMPARE(x) x
#define IF_SELECT(x) x
#define IF_ANY(x) x

#define RESULT_FLOAT T
#define RESULT_NUMBER T
#define RESULT_BITS T
#define RESULT_ANY T
#define RESULT_SELECT T
#define RESULT_COMPARE uint8_t
#define RESULT_TEST uint8_t

#define FETCH(k) (p.scalar[k] ? SCALAR(k) : ((const T *)p.in[k])[lrn_at(p.layout, (k) + 1, i)])
#define REST_1
#define REST_2 T b = FETCH(1);
#define REST_3 T b = FETCH(1), c = FETCH(2);
#define FIRST_FLOAT T a = FETCH(0);
#define FIRST_NUMBER FIRST_FLOAT
#define FIRST_BITS FIRST_FLOAT
#define FIRST_ANY FIRST_FLOAT
#define FIRST_COMPARE FIRST_FLOAT
#define FIRST_TEST FIRST_FLOAT
#define FIRST_SELECT                                              \
  uint8_t a = p.scalar[0] ? (uint8_t)(p.i[0] != 0)                \
                          : ((const uint8_t *)p.in[0])[lrn_at(p.layout, 1, i)];

#define KERNEL(family, name, arity, expr)                                                    \
  static __global__ void CAT(k_map_##name, SUFFIX)(const __grid_constant__ map_args p) {     \
    LRN_GRID_STRIDE(i, p.layout.n) {                                                         \
      FIRST_##family                                                                         \
      REST_##arity                                                                           \
      ((RESULT_##family *)p.out)[lrn_at(p.layout, 0, i)] = (RESULT_##family)(expr);          \
    }                                                                                        \
  }
#define OP(family, name, arity, expr, help) IF_##family(KERNEL(family, name, arity, expr))
#include "kernel/ops.def"
#undef OP

static int CAT(map, SUFFIX)(int op, const map_args *p) {
  switch (op) {
#define CASE(name)                                                                           \
  case LRN_OP_##name:                                                                        \
    LRN_LAUNCH_FLAT(CAT(k_map_##name, SUFFIX), lrn_grid(p->layout.n), LRN_THREADS, *p);      \
    return LRN_OK;
#define OP(family, name, arity, expr, help) IF_##family(CASE(name))
#include "kernel/ops.def"
#undef OP
#undef CASE
    default:
      return lrn_fail(LRN_ETYPE, "%s: not for this dtype",
                      op >= 0 && op < LRN_OPS ? lrn_op_table[op].name : "map");
  }
}

#undef KERNEL
#undef FETCH
#undef REST_1
#undef REST_2
#undef REST_3
#undef SCALAR
#undef IF_FLOAT
#undef IF_NUMBER
#undef IF_BITS
#undef IF_TEST
#undef IF_COMPARE
#undef IF_SELECT
#undef IF_ANY
#undef RESULT_FLOAT
#undef RESULT_NUMBER
#undef RESULT_BITS
#undef RESULT_ANY
#undef RESULT_SELECT
#undef RESULT_COMPARE
#undef RESULT_TEST
#undef FIRST_FLOAT
#undef FIRST_NUMBER
#undef FIRST_BITS
#undef FIRST_ANY
#undef FIRST_COMPARE
#undef FIRST_TEST
#undef FIRST_SELECT
#undef SUFFIX
#include "kernel/ops_undef.h"
