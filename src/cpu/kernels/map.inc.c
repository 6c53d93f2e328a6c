/*
** map.inc.c - elementwise loops of one dtype, from the rows of ops.def.
**
** Included with T (and LRN_K_FLOAT, ... as kernel/ops.h wants) and MAP_TABLE, the name of the
** table to make. Each row becomes one function with a loop for contiguous operands, for scalar
** second or first operands, and for any strides. `ivdep`: out equals an operand or does not
** overlap it, so that no iteration depends on another.
*/
#include "kernel/ops.h"

#define LOOP(body) \
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { body }

#define A_AT(k) const T a = pa[k];
#define B_AT(k) const T b = pb[k];
#define C_AT(k) const T c = pc[k];

#define MAP_1(name, R, TA, expr)                                                             \
  static void name(int64_t n, void *out, int64_t so, const void *va, int64_t sa,               \
                   const void *vb, int64_t sb, const void *vc, int64_t sc) {                   \
    R *o = out;                                                                                \
    const TA *pa = va;                                                                         \
    (void)vb, (void)sb, (void)vc, (void)sc;                                                    \
    if (so == 1 && sa == 1)                                                                    \
      LOOP(A_AT(i) o[i] = (R)(expr);)                                                       \
    else                                                                                       \
      LOOP(A_AT(i * sa) o[i * so] = (R)(expr);)                                             \
  }

#define MAP_2(name, R, TA, expr)                                                             \
  static void name(int64_t n, void *out, int64_t so, const void *va, int64_t sa,               \
                   const void *vb, int64_t sb, const void *vc, int64_t sc) {                   \
    R *o = out;                                                                                \
    const TA *pa = va;                                                                         \
    const T *pb = vb;                                                                          \
    (void)vc, (void)sc;                                                                        \
    if (so == 1 && sa == 1 && sb == 1)                                                         \
      LOOP(A_AT(i) B_AT(i) o[i] = (R)(expr);)                                               \
    else if (so == 1 && sa == 1 && sb == 0) {                                                  \
      B_AT(0)                                                                                  \
      LOOP(A_AT(i) o[i] = (R)(expr);)                                                       \
    } else if (so == 1 && sa == 0 && sb == 1) {                                                \
      A_AT(0)                                                                                  \
      LOOP(B_AT(i) o[i] = (R)(expr);)                                                       \
    } else                                                                                     \
      LOOP(A_AT(i * sa) B_AT(i * sb) o[i * so] = (R)(expr);)                                \
  }

#define MAP_3(name, R, TA, expr)                                                             \
  static void name(int64_t n, void *out, int64_t so, const void *va, int64_t sa,               \
                   const void *vb, int64_t sb, const void *vc, int64_t sc) {                   \
    R *o = out;                                                                                \
    const TA *pa = va;                                                                         \
    const T *pb = vb;                                                                          \
    const T *pc = vc;                                                                          \
    if (so == 1 && sa == 1 && sb == 1 && sc == 1)                                              \
      LOOP(A_AT3(i) B_AT(i) C_AT(i) o[i] = (R)(expr);)                                      \
    else if (so == 1 && sa == 1 && sb == 0 && sc == 0) {                                       \
      B_AT(0)                                                                                  \
      C_AT(0)                                                                                  \
      LOOP(A_AT3(i) o[i] = (R)(expr);)                                                      \
    } else                                                                                     \
      LOOP(A_AT3(i * sa) B_AT(i * sb) C_AT(i * sc) o[i * so] = (R)(expr);)                  \
  }
#define A_AT3(k) const __typeof__(*pa) a = pa[k];

/* Which families this dtype has: MAKE_family defines the function, PICK_family names it. */
#define MAKE(name, arity, R, TA, expr) MAP_##arity(map_##name, R, TA, expr)
#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)
#define MAKE_FLOAT(name, arity, expr) MAKE(name, arity, T, T, expr)
#define PICK_FLOAT(name) map_##name
#define MAKE_TEST(name, arity, expr) MAKE(name, arity, uint8_t, T, expr)
#define PICK_TEST(name) map_##name
#else
#define MAKE_FLOAT(name, arity, expr)
#define PICK_FLOAT(name) 0
#define MAKE_TEST(name, arity, expr)
#define PICK_TEST(name) 0
#endif
#if defined(LRN_K_BOOL)
#define MAKE_NUMBER(name, arity, expr)
#define PICK_NUMBER(name) 0
#else
#define MAKE_NUMBER(name, arity, expr) MAKE(name, arity, T, T, expr)
#define PICK_NUMBER(name) map_##name
#endif
#if defined(LRN_K_INT) || defined(LRN_K_BOOL)
#define MAKE_BITS(name, arity, expr) MAKE(name, arity, T, T, expr)
#define PICK_BITS(name) map_##name
#else
#define MAKE_BITS(name, arity, expr)
#define PICK_BITS(name) 0
#endif
#define MAKE_COMPARE(name, arity, expr) MAKE(name, arity, uint8_t, T, expr)
#define PICK_COMPARE(name) map_##name
#define MAKE_SELECT(name, arity, expr) MAKE(name, arity, T, uint8_t, expr)
#define PICK_SELECT(name) map_##name

#define OP(family, name, arity, expr, help) MAKE_##family(name, arity, expr)
#include "kernel/ops.def"
#undef OP

lrn_map_fn *const MAP_TABLE[LRN_OPS] = {
#define OP(family, name, arity, expr, help) PICK_##family(name),
#include "kernel/ops.def"
#undef OP
};
