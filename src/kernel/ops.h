/*
** ops.h - what the rows of ops.def and reduce.def are written in, for one computing type.
** Meant to be included once per type; ops_undef.h takes the names back.
**
** The includer defines one of
**   LRN_K_FLOAT    T is float
**   LRN_K_DOUBLE   T is double
**   LRN_K_INT      T is an integer type (defined by the includer, with its unsigned type U)
**   LRN_K_BOOL     T is uint8_t, of value 0 or 1
** and gets M ADD SUB MUL NEG ABS FLOORDIV MOD POW MAX MIN BNOT SQRT LOWEST HIGHEST (those that
** the type has). C11, C++17 and CUDA C++.
*/
#ifndef LRN_KERNEL_OPS_H
#define LRN_KERNEL_OPS_H

#include "kernel/hd.h"
#include "kernel/math.h"

/* Lua's // and %: towards minus infinity. b = 0 is refused before it comes here and gives 0
   (never a trap); b = -1 is apart, because INT64_MIN / -1 traps. */
LRN_HD int64_t lrn_floordiv_i64(int64_t a, int64_t b) {
  int64_t q;
  if ((uint64_t)b + 1u <= 1u)
    return b == 0 ? 0 : (int64_t)(0u - (uint64_t)a);
  q = a / b;
  return (a ^ b) < 0 && q * b != a ? q - 1 : q;
}

LRN_HD int64_t lrn_mod_i64(int64_t a, int64_t b) {
  int64_t r;
  if ((uint64_t)b + 1u <= 1u)
    return 0;
  r = a % b;
  return r != 0 && (r ^ b) < 0 ? r + b : r;
}

/* By squaring, modulo 2^64, so also right modulo 2^8 and 2^32. b < 0 does not come here. */
LRN_HD int64_t lrn_pow_i64(int64_t a, int64_t b) {
  uint64_t r = 1, x = (uint64_t)a;
  for (; b > 0; b >>= 1, x *= x)
    if (b & 1)
      r *= x;
  return (int64_t)r;
}

LRN_HD float lrn_lerpf(float a, float b, float c) { return a + c * (b - a); }
LRN_HD double lrn_lerp(double a, double b, double c) { return a + c * (b - a); }

/* NaN where one is NaN; +0 is above -0, so that a fold does not depend on its order. */
LRN_HD float lrn_maxf(float a, float b) {
  float r = a > b ? a : b;
  r = a == b ? lrn_u2f(lrn_f2u(a) & lrn_f2u(b)) : r;
  return a != a ? a : r;
}
LRN_HD float lrn_minf(float a, float b) {
  float r = a < b ? a : b;
  r = a == b ? lrn_u2f(lrn_f2u(a) | lrn_f2u(b)) : r;
  return a != a ? a : r;
}
LRN_HD double lrn_max(double a, double b) {
  double r = a > b ? a : b;
  r = a == b ? lrn_u2d(lrn_d2u(a) & lrn_d2u(b)) : r;
  return a != a ? a : r;
}
LRN_HD double lrn_min(double a, double b) {
  double r = a < b ? a : b;
  r = a == b ? lrn_u2d(lrn_d2u(a) | lrn_d2u(b)) : r;
  return a != a ? a : r;
}

/* Float to integer, truncated; defined for every value: NaN gives 0, others the nearest end. */
LRN_HD int64_t lrn_to_i64(double x) {
  if (!(x == x))
    return 0;
  if (x >= 0x1p63)
    return INT64_MAX;
  return x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}
LRN_HD int32_t lrn_to_i32(double x) {
  if (!(x == x))
    return 0;
  if (x >= 0x1p31)
    return INT32_MAX;
  return x <= -0x1p31 ? INT32_MIN : (int32_t)x;
}
LRN_HD uint8_t lrn_to_u8(double x) {
  if (!(x > 0.0))
    return 0;
  return x >= 255.0 ? 255 : (uint8_t)x;
}

#endif

#if defined(LRN_K_FLOAT)
#define M(name) lrn_##name##f
#define SQRT(a) sqrtf(a)
#define ABS(a) fabsf(a)
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#elif defined(LRN_K_DOUBLE)
#define M(name) lrn_##name
#define SQRT(a) sqrt(a)
#define ABS(a) fabs(a)
#define LOWEST (-(double)INFINITY)
#define HIGHEST ((double)INFINITY)
#endif

#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define NEG(a) (-(a))
#define FLOORDIV(a, b) M(floor)((a) / (b))
#define MOD(a, b) M(floormod)(a, b)
#define POW(a, b) M(pow)(a, b)
#define MAX(a, b) M(max)(a, b)
#define MIN(a, b) M(min)(a, b)
#elif defined(LRN_K_INT)
#define ADD(a, b) ((T)((U)(a) + (U)(b)))
#define SUB(a, b) ((T)((U)(a) - (U)(b)))
#define MUL(a, b) ((T)((U)(a) * (U)(b)))
#define NEG(a) ((T)((U)0 - (U)(a)))
#define ABS(a) ((a) > 0 ? (a) : NEG(a))
#define FLOORDIV(a, b) ((T)lrn_floordiv_i64((int64_t)(a), (int64_t)(b)))
#define MOD(a, b) ((T)lrn_mod_i64((int64_t)(a), (int64_t)(b)))
#define POW(a, b) ((T)lrn_pow_i64((int64_t)(a), (int64_t)(b)))
#define MAX(a, b) ((T)((a) > (b) ? (a) : (b)))
#define MIN(a, b) ((T)((a) < (b) ? (a) : (b)))
#define BNOT(a) ((T)~(a))
#define LOWEST ((T)((T)-1 > (T)0 ? (U)0 : (U)((U)1 << (8 * sizeof(T) - 1))))
#define HIGHEST ((T)~LOWEST)
#elif defined(LRN_K_BOOL)
#define MAX(a, b) ((T)((a) | (b)))
#define MIN(a, b) ((T)((a) & (b)))
#define BNOT(a) ((T)!(a))
#define LOWEST ((T)0)
#define HIGHEST ((T)1)
#endif
