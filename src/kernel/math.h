/*
** math.h: the scalar functions of the engine, for float (suffix f) and double (none)
** Only + - * / sqrt, explicit fma, fabs, comparisons and bit casts: with -ffp-contract=off
** (--fmad=false) a function gives the same bits on every device, NaN payloads excepted.
** No branches, loops over elements, tables or int64 conversions: callers' loops vectorise.
**
** "err" in a comment is the largest error seen by spec/c/math_test.c, in ulp.
** Polynomials are our own fits (Remez exchange, 170-bit arithmetic, coefficients rounded).
** Denormals are kept; invalid arguments give NaN; nothing sets errno or reads the rounding mode.
*/
#ifndef LRN_KERNEL_MATH_H
#define LRN_KERNEL_MATH_H

#include "kernel/hd.h"

/* Adding 1.5 * 2^(p-1) rounds to an integer (half to even) and leaves it in the low bits. */
#define LRN_MAGICF 0x1.8p23f
#define LRN_MAGIC 0x1.8p52

/* the smallest number not below sqrt(2), as lrn_split has it */
#define LRN_SQRT2F lrn_u2f(0x3fb504f3u)
#define LRN_SQRT2 lrn_u2d(0x3ff6a09e667f3bcdu)

#define LRN_INFF lrn_u2f(0x7f800000u)
#define LRN_NANF lrn_u2f(0x7fc00000u)
#define LRN_INF lrn_u2d(0x7ff0000000000000u)
#define LRN_NAN lrn_u2d(0x7ff8000000000000u)

/* ---- Bits and rounding ---- */

/* |mag| with the sign of sgn. */
LRN_HD float lrn_copysignf(float mag, float sgn) {
  return lrn_u2f((lrn_f2u(mag) & 0x7fffffffu) | (lrn_f2u(sgn) & 0x80000000u));
}

LRN_HD double lrn_copysign(double mag, double sgn) {
  return lrn_u2d((lrn_d2u(mag) & 0x7fffffffffffffffu) | (lrn_d2u(sgn) & 0x8000000000000000u));
}

/* Nearest integer, half to even. Exact; -0 and huge arguments are kept. */
LRN_HD float lrn_roundf(float x) {
  float a = fabsf(x);
  float r = (a + 0x1p23f) - 0x1p23f;
  return a < 0x1p23f ? lrn_copysignf(r, x) : x;
}

/* Nearest integer, half to even. Exact; -0 and huge arguments are kept. */
LRN_HD double lrn_round(double x) {
  double a = fabs(x);
  double r = (a + 0x1p52) - 0x1p52;
  return a < 0x1p52 ? lrn_copysign(r, x) : x;
}

/* Integer towards zero, below, above. The sign of the result is always that of x. */
LRN_HD float lrn_truncf(float x) {
  float a = fabsf(x), r = fabsf(lrn_roundf(x));
  return lrn_copysignf(r > a ? r - 1.0f : r, x);
}

LRN_HD float lrn_floorf(float x) {
  float r = lrn_roundf(x);
  return lrn_copysignf(r > x ? r - 1.0f : r, x);
}

LRN_HD float lrn_ceilf(float x) {
  float r = lrn_roundf(x);
  return lrn_copysignf(r < x ? r + 1.0f : r, x);
}

/* Integer towards zero, below, above. The sign of the result is always that of x. */
LRN_HD double lrn_trunc(double x) {
  double a = fabs(x), r = fabs(lrn_round(x));
  return lrn_copysign(r > a ? r - 1.0 : r, x);
}

LRN_HD double lrn_floor(double x) {
  double r = lrn_round(x);
  return lrn_copysign(r > x ? r - 1.0 : r, x);
}

LRN_HD double lrn_ceil(double x) {
  double r = lrn_round(x);
  return lrn_copysign(r < x ? r + 1.0 : r, x);
}

/*
** a - floor(a / b) * b with the sign of b, as luai_nummod of Lua 5.4: m = fmod(a, b), plus b if
** the signs differ. The quotient is off by at most one below 2^53, so that the fma is exact.
** Exact for |a / b| < 2^53; beyond, where a holds no trace of its remainder, the result is 0.
*/
LRN_HD double lrn_floormod(double a, double b) {
  double ab = fabs(b), aa = fabs(a), q = lrn_trunc(aa / ab);
  double m = fma(-q, ab, aa);
  m = m < 0.0 ? m + ab : m;
  m = m >= ab ? m - ab : m;
  m = q < 0x1p53 ? m : 0.0;
  m = aa < ab ? aa : m; /* also b = inf */
  m = lrn_copysign(m, a);
  m = (((m > 0.0) & (b < 0.0)) | ((m < 0.0) & (b > 0.0))) ? m + b : m;
  return ((aa < LRN_INF) & (ab > 0.0)) ? m : LRN_NAN;
}

LRN_HD float lrn_floormodf(float a, float b) {
  return (float)lrn_floormod((double)a, (double)b);
}

/* ---- Exponential ---- */

/*
** e^r = 1 + r + r^2 P(r), |r| <= log(2)/2 (1 + 5e-4).
** float: P of degree 4, error 2^-28.0 of e^r. double: degree 10, error 2^-60.7 of e^r - 1.
*/
LRN_HD float lrn_exppolyf(float r) {
  float p;
  p = 0x1.6a23c8p-10f;
  p = fmaf(p, r, 0x1.123a2p-7f);
  p = fmaf(p, r, 0x1.5558f4p-5f);
  p = fmaf(p, r, 0x1.555492p-3f);
  p = fmaf(p, r, 0x1.fffffcp-2f);
  return fmaf(r, r * p, r) + 1.0f;
}

LRN_HD double lrn_expm1poly(double r) {
  double p;
  p = 0x1.1f9567cf378dfp-29;
  p = fma(p, r, 0x1.af5ef2e9ee08dp-26);
  p = fma(p, r, 0x1.27e4c59e4bbfp-22);
  p = fma(p, r, 0x1.71ddf83837cbdp-19);
  p = fma(p, r, 0x1.a01a01b0b8194p-16);
  p = fma(p, r, 0x1.a01a01afef033p-13);
  p = fma(p, r, 0x1.6c16c16c1444dp-10);
  p = fma(p, r, 0x1.111111110f698p-7);
  p = fma(p, r, 0x1.555555555555ap-5);
  p = fma(p, r, 0x1.5555555555559p-3);
  p = fma(p, r, 0x1p-1);
  return fma(r, r * p, r);
}

/* e^r - 1 to the last bits: degree 5, error 2^-28.7 of e^r - 1. */
LRN_HD float lrn_expm1polyf(float r) {
  float p;
  p = 0x1.a1a1b6p-13f;
  p = fmaf(p, r, 0x1.6d74cep-10f);
  p = fmaf(p, r, 0x1.11109p-7f);
  p = fmaf(p, r, 0x1.5554aep-5f);
  p = fmaf(p, r, 0x1.555556p-3f);
  p = fmaf(p, r, 0x1p-1f);
  return fmaf(r, r * p, r);
}

LRN_HD double lrn_exppoly(double r) { return lrn_expm1poly(r) + 1.0; }

/* x - n log 2, Cody and Waite (1980): the high part has 15 bits, so that n times it is exact. */
LRN_HD float lrn_ln2reducef(float n, float x) {
  return fmaf(n, -0x1.7f7d1cp-20f, fmaf(n, -0x1.62e4p-1f, x));
}

/* 2^n for an n that magic number t = MAGIC + n holds in its low bits; n a normal exponent. */
LRN_HD float lrn_pow2f(float t) { return lrn_u2f((lrn_f2u(t) + 127u) << 23); }

/* e^(x + lo), |lo| << 1. 2^n is applied as two factors: 2^1024 and denormals are reached, and
** only the last product rounds. */
LRN_HD float lrn_expsumf(float x, float lo) {
  float y, t, n, h, p;
  y = x < -104.0f ? -104.0f : x;
  y = y > 89.0f ? 89.0f : y;
  t = fmaf(y, 0x1.715476p0f, LRN_MAGICF);
  n = t - LRN_MAGICF;
  p = lrn_exppolyf(lrn_ln2reducef(n, y) + lo);
  h = fmaf(n, 0.5f, LRN_MAGICF);
  return p * lrn_pow2f(h) * lrn_pow2f((n - (h - LRN_MAGICF)) + LRN_MAGICF);
}

/* e^x, err 1.0. 0 below -104, inf above 88.7. */
LRN_HD float lrn_expf(float x) {
  float y, t, n, h, p;
  y = x < -104.0f ? -104.0f : x;
  y = y > 89.0f ? 89.0f : y;
  t = fmaf(y, 0x1.715476p0f, LRN_MAGICF);
  n = t - LRN_MAGICF;
  p = lrn_exppolyf(lrn_ln2reducef(n, y));
  h = fmaf(n, 0.5f, LRN_MAGICF);
  return p * lrn_pow2f(h) * lrn_pow2f((n - (h - LRN_MAGICF)) + LRN_MAGICF);
}

/* e^-(a + lo) for a >= 0: the hot case. 2^(64 + n) is always normal, one factor less. */
LRN_HD float lrn_expneg2f(float a, float lo) {
  float y = a > 104.0f ? 104.0f : a;
  float t = fmaf(y, -0x1.715476p0f, LRN_MAGICF + 64.0f);
  float n = t - (LRN_MAGICF + 64.0f);
  return lrn_exppolyf(lrn_ln2reducef(n, -y) - lo) * lrn_pow2f(t) * 0x1p-64f;
}

LRN_HD float lrn_expnegf(float a) {
  float y = a > 104.0f ? 104.0f : a;
  float t = fmaf(y, -0x1.715476p0f, LRN_MAGICF + 64.0f);
  float n = t - (LRN_MAGICF + 64.0f);
  return lrn_exppolyf(lrn_ln2reducef(n, -y)) * lrn_pow2f(t) * 0x1p-64f;
}

/* e^-(p q) for p q >= 0 with the product taken to twice the precision. */
LRN_HD float lrn_expnegprodf(float p, float q) {
  float hi = p * q, lo = fmaf(p, q, -hi);
  return lrn_expneg2f(hi, hi < 128.0f ? lo : 0.0f); /* no inf - inf */
}

/* e^x - 1 = 2 (2^(n-1) (e^r - 1) + 2^(n-1) - 1/2), err 1.3. */
LRN_HD float lrn_expm1f(float x) {
  float y, t, n, s, r;
  y = x < -20.0f ? -20.0f : x;
  y = y > 89.0f ? 89.0f : y;
  t = fmaf(y, 0x1.715476p0f, LRN_MAGICF);
  n = t - LRN_MAGICF;
  s = lrn_pow2f(t - 1.0f);
  r = 2.0f * fmaf(s, lrn_expm1polyf(lrn_ln2reducef(n, y)), s - 0.5f);
  return fabsf(x) < 0x1p-25f ? x : r; /* -0, and denormals that 2^-1 would round */
}

/* x - n log 2, Cody and Waite (1980): the high part has 40 bits, so that n times it is exact. */
LRN_HD double lrn_ln2reduce(double n, double x) {
  return fma(n, -0x1.9ef35793c7673p-41, fma(n, -0x1.62e42fefa2p-1, x));
}

/* 2^n for an n that magic number t = MAGIC + n holds in its low bits; n a normal exponent. */
LRN_HD double lrn_pow2(double t) { return lrn_u2d((lrn_d2u(t) + 1023u) << 52); }

/* e^(x + lo), |lo| << 1. 2^n is applied as two factors: 2^1024 and denormals are reached, and
** only the last product rounds. */
LRN_HD double lrn_expsum(double x, double lo) {
  double y, t, n, h, p;
  y = x < -746.0 ? -746.0 : x;
  y = y > 710.0 ? 710.0 : y;
  t = fma(y, 0x1.71547652b82fep0, LRN_MAGIC);
  n = t - LRN_MAGIC;
  p = lrn_exppoly(lrn_ln2reduce(n, y) + lo);
  h = fma(n, 0.5, LRN_MAGIC);
  return p * lrn_pow2(h) * lrn_pow2((n - (h - LRN_MAGIC)) + LRN_MAGIC);
}

/* e^x, err 1.0. 0 below -746, inf above 709.8. */
LRN_HD double lrn_exp(double x) {
  double y, t, n, h, p;
  y = x < -746.0 ? -746.0 : x;
  y = y > 710.0 ? 710.0 : y;
  t = fma(y, 0x1.71547652b82fep0, LRN_MAGIC);
  n = t - LRN_MAGIC;
  p = lrn_exppoly(lrn_ln2reduce(n, y));
  h = fma(n, 0.5, LRN_MAGIC);
  return p * lrn_pow2(h) * lrn_pow2((n - (h - LRN_MAGIC)) + LRN_MAGIC);
}

/* e^-(a + lo) for a >= 0: the hot case. 2^(512 + n) is always normal, one factor less. */
LRN_HD double lrn_expneg2(double a, double lo) {
  double y = a > 746.0 ? 746.0 : a;
  double t = fma(y, -0x1.71547652b82fep0, LRN_MAGIC + 512.0);
  double n = t - (LRN_MAGIC + 512.0);
  return lrn_exppoly(lrn_ln2reduce(n, -y) - lo) * lrn_pow2(t) * 0x1p-512;
}

LRN_HD double lrn_expneg(double a) {
  double y = a > 746.0 ? 746.0 : a;
  double t = fma(y, -0x1.71547652b82fep0, LRN_MAGIC + 512.0);
  double n = t - (LRN_MAGIC + 512.0);
  return lrn_exppoly(lrn_ln2reduce(n, -y)) * lrn_pow2(t) * 0x1p-512;
}

/* e^-(p q) for p q >= 0 with the product taken to twice the precision. */
LRN_HD double lrn_expnegprod(double p, double q) {
  double hi = p * q, lo = fma(p, q, -hi);
  return lrn_expneg2(hi, hi < 1024.0 ? lo : 0.0); /* no inf - inf */
}

/* e^x - 1 = 2 (2^(n-1) (e^r - 1) + 2^(n-1) - 1/2), err 1.8. */
LRN_HD double lrn_expm1(double x) {
  double y, t, n, s, r;
  y = x < -40.0 ? -40.0 : x;
  y = y > 710.0 ? 710.0 : y;
  t = fma(y, 0x1.71547652b82fep0, LRN_MAGIC);
  n = t - LRN_MAGIC;
  s = lrn_pow2(t - 1.0);
  r = 2.0 * fma(s, lrn_expm1poly(lrn_ln2reduce(n, y)), s - 0.5);
  return fabs(x) < 0x1p-54 ? x : r; /* -0, and denormals that 2^-1 would round */
}

/* ---- Logarithm ---- */

/*
** log(1 + f) + k log 2 for 1 + f in [sqrt(1/2), sqrt(2)].
** float: f + f^2 P(f), P of degree 9, error 2^-29.9 of log(1 + f).
*/
LRN_HD float lrn_logpartf(float f, float k) {
  float p, y;
  p = 0x1.1bccfcp-4f;
  p = fmaf(p, f, -0x1.e2ffaap-4f);
  p = fmaf(p, f, 0x1.e630bep-4f);
  p = fmaf(p, f, -0x1.fb409p-4f);
  p = fmaf(p, f, 0x1.2333f4p-3f);
  p = fmaf(p, f, -0x1.5562ecp-3f);
  p = fmaf(p, f, 0x1.99a53ep-3f);
  p = fmaf(p, f, -0x1.ffffeep-3f);
  p = fmaf(p, f, 0x1.555546p-2f);
  p = fmaf(p, f, -0x1p-1f);
  y = fmaf(k, 0x1.7f7d1cp-20f, f * f * p);
  return fmaf(k, 0x1.62e4p-1f, f + y);
}

/*
** double: with s = f / (2 + f), log(1 + f) = 2 atanh(s) = 2 s + s R, R = z Q(z), z = s^2, and
** 2 s = f - f^2/2 + s f^2/2, so that the large terms stay exact. Q of degree 6, error 2^-59.5.
*/
LRN_HD double lrn_logpart(double f, double k) {
  double s = f / (2.0 + f), z = s * s, h = 0.5 * f * f, p;
  p = 0x1.2f04552f92c72p-3;
  p = fma(p, z, 0x1.39a1dad94dec9p-3);
  p = fma(p, z, 0x1.74663d679a175p-3);
  p = fma(p, z, 0x1.c71c52125890dp-3);
  p = fma(p, z, 0x1.24924941e338cp-2);
  p = fma(p, z, 0x1.999999997ff04p-2);
  p = fma(p, z, 0x1.5555555555592p-1);
  p = fma(k, 0x1.9ef35793c7673p-41, s * fma(z, p, h));
  return fma(k, 0x1.62e42fefa2p-1, f - (h - p));
}

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)), for x > 0, denormals included; returns m. */
LRN_HD float lrn_splitf(float x, float *k) {
  int small = x < 0x1p-126f;
  uint32_t u = lrn_f2u(small ? x * 0x1p23f : x) - 0x3f3504f3u;
  *k = (float)((int32_t)u >> 23) - (small ? 23.0f : 0.0f);
  return lrn_u2f((u & 0x7fffffu) + 0x3f3504f3u);
}

/* The exponent turns into a double as mantissa bits of 2^52: AVX2 has no int64 conversion. */
LRN_HD double lrn_split(double x, double *k) {
  int small = x < 0x1p-1022;
  uint64_t u = lrn_d2u(small ? x * 0x1p52 : x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  *k = lrn_u2d((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0) - (small ? 52.0 : 0.0);
  return lrn_u2d((u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu);
}

/* log x, err 0.8. */
LRN_HD float lrn_logf(float x) {
  float k, m = lrn_splitf(x, &k), r = lrn_logpartf(m - 1.0f, k);
  r = x < LRN_INFF ? r : x; /* inf and NaN */
  r = x < 0.0f ? LRN_NANF : r;
  return x == 0.0f ? -LRN_INFF : r;
}

/* log(1 + x), err 1.3: u + c = 1 + x exactly, c rides along with the fraction of u. */
LRN_HD float lrn_log1pf(float x) {
  float u = 1.0f + x, v = u - 1.0f;
  float c = (1.0f - (u - v)) + (x - v);
  float k, m = lrn_splitf(u, &k), r;
  float s = lrn_u2f((uint32_t)(127 - (int32_t)k) << 23); /* 2^-k */
  c = u < 0x1p24f ? c * s : 0.0f;
  r = lrn_logpartf((m - 1.0f) + c, k);
  r = x < LRN_INFF ? r : x;
  r = x < -1.0f ? LRN_NANF : r;
  r = x == -1.0f ? -LRN_INFF : r;
  return fabsf(x) < 0x1p-25f ? x : r;
}

/* log(1 + e) for e in [0, 1], the bits of log1p: 1 + e then lies in [1, 2], so that what the
** sum lost is e - ((1 + e) - 1) to the bit, and the exponent is 0 or 1. NaN gives NaN. */
LRN_HD float lrn_log1p_unitf(float e) {
  float u = 1.0f + e, c = e - (u - 1.0f);
  int high = u >= LRN_SQRT2F;
  float s = high ? 0.5f : 1.0f;
  return lrn_logpartf((u * s - 1.0f) + c * s, high ? 1.0f : 0.0f);
}

/* ---- Logistic family ---- */

/* 1 / (1 + e^-x), err 2.0. With e^-|x| neither side loses its small values. */
LRN_HD float lrn_sigmoidf(float x) {
  float e = lrn_expnegf(fabsf(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* log(1 + e^x), err 1.6. */
LRN_HD float lrn_softplusf(float x) {
  return (x < 0.0f ? 0.0f : x) + lrn_log1p_unitf(lrn_expnegf(fabsf(x)));
}

/* log(1 / (1 + e^-x)) = -softplus(-x), err 1.6. */
LRN_HD float lrn_logsigmoidf(float x) { return -lrn_softplusf(-x); }

/* tanh x = E / (E + 2), E = e^2|x| - 1, err 2.1. */
LRN_HD float lrn_tanhf(float x) {
  float a = fabsf(x), e, r;
  e = lrn_expm1f(2.0f * (a > 10.0f ? 10.0f : a));
  r = e / (e + 2.0f);
  return a < 0x1p-13f ? x : lrn_copysignf(r, x);
}

/* log x, err 0.8. */
LRN_HD double lrn_log(double x) {
  double k, m = lrn_split(x, &k), r = lrn_logpart(m - 1.0, k);
  r = x < LRN_INF ? r : x; /* inf and NaN */
  r = x < 0.0 ? LRN_NAN : r;
  return x == 0.0 ? -LRN_INF : r;
}

/* log(1 + x), err 1.2: u + c = 1 + x exactly, c rides along with the fraction of u. */
LRN_HD double lrn_log1p(double x) {
  double u = 1.0 + x, v = u - 1.0;
  double c = (1.0 - (u - v)) + (x - v);
  double k, m = lrn_split(u, &k), r;
  double s = lrn_pow2(LRN_MAGIC - k); /* 2^-k */
  c = u < 0x1p53 ? c * s : 0.0;
  r = lrn_logpart((m - 1.0) + c, k);
  r = x < LRN_INF ? r : x;
  r = x < -1.0 ? LRN_NAN : r;
  r = x == -1.0 ? -LRN_INF : r;
  return fabs(x) < 0x1p-54 ? x : r;
}

/* log(1 + e) for e in [0, 1], the bits of log1p. */
LRN_HD double lrn_log1p_unit(double e) {
  double u = 1.0 + e, c = e - (u - 1.0);
  int high = u >= LRN_SQRT2;
  double s = high ? 0.5 : 1.0;
  return lrn_logpart((u * s - 1.0) + c * s, high ? 1.0 : 0.0);
}

/* ---- Logistic family ---- */

/* 1 / (1 + e^-x), err 2.1. With e^-|x| neither side loses its small values. */
LRN_HD double lrn_sigmoid(double x) {
  double e = lrn_expneg(fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/* log(1 + e^x), err 1.6. */
LRN_HD double lrn_softplus(double x) {
  return (x < 0.0 ? 0.0 : x) + lrn_log1p_unit(lrn_expneg(fabs(x)));
}

/* log(1 / (1 + e^-x)) = -softplus(-x), err 1.6. */
LRN_HD double lrn_logsigmoid(double x) { return -lrn_softplus(-x); }

/* tanh x = E / (E + 2), E = e^2|x| - 1, err 2.4. */
LRN_HD double lrn_tanh(double x) {
  double a = fabs(x), e, r;
  e = lrn_expm1(2.0 * (a > 20.0 ? 20.0 : a));
  r = e / (e + 2.0);
  return a < 0x1p-28 ? x : lrn_copysign(r, x);
}

/* ---- Trigonometry ---- */

/*
** sin(r + lo) and cos(r + lo) for |r| <= 1.001 pi/4, |lo| within an ulp of r, z = r^2:
** r + r z S(z), float degree 2, error 2^-28.0; double degree 5, error 2^-58.0 of r;
** 1 - z/2 + z^2 C(z), float degree 2, error 2^-33.1; double degree 5, error 2^-64.2.
*/
LRN_HD float lrn_sinpolyf(float r, float lo) {
  float z = r * r, p;
  p = -0x1.9954a4p-13f;
  p = fmaf(p, z, 0x1.11077ap-7f);
  p = fmaf(p, z, -0x1.555546p-3f);
  return r + fmaf(r * z, p, fmaf(-0.5f * z, lo, lo));
}

LRN_HD float lrn_cospolyf(float r, float lo) {
  float z = r * r, h = 0.5f * z, w = 1.0f - h, p;
  p = 0x1.99e0eep-16f;
  p = fmaf(p, z, -0x1.6c0c1ap-10f);
  p = fmaf(p, z, 0x1.55554ap-5f);
  return w + (((1.0f - w) - h) + fmaf(z * z, p, -r * lo));
}

/* sin(x + quarter pi/2): reduction by pi/2 in three parts with fma (Cody and Waite 1980). */
LRN_HD float lrn_trigf(float x, uint32_t quarter) {
  float t = fmaf(x, 0x1.45f306p-1f, LRN_MAGICF);
  float n = t - LRN_MAGICF;
  uint32_t q = lrn_f2u(t) + quarter;
  float r1 = fmaf(n, -0x1.921fb6p0f, x); /* exact while |x| is in range */
  float w = n * 0x1.777a5cp-25f;
  float wl = fmaf(n, 0x1.777a5cp-25f, -w);
  float r = r1 + w, b = r - r1, y; /* r + lo = r1 + w + wl + n p3: near a multiple of pi/2 r1 cancels w */
  float lo = fmaf(n, 0x1.ee59dap-50f, ((r1 - (r - b)) + (w - b)) + wl);
  lo = fabsf(r) > 0.8f ? 0.0f : lo;
  r = r > 0.8f ? 0.8f : r;
  r = r < -0.8f ? -0.8f : r;
  y = q & 1u ? lrn_cospolyf(r, lo) : lrn_sinpolyf(r, lo);
  return lrn_u2f(lrn_f2u(y) ^ (q & 2u) << 30);
}

/* sin x, cos x, err 0.8, 0.8 for |x| <= 1e5. Beyond, digits are lost with growing |x| and
** past 2^22 the result is a number in [-1, 1] without meaning. NaN for inf. */
LRN_HD float lrn_sinf(float x) { return x == 0.0f ? x : lrn_trigf(x, 0u); }
LRN_HD float lrn_cosf(float x) { return lrn_trigf(x, 1u); }

/*
** sin(2 pi u + quarter pi/2) for u in [0, 1]: f = u - n/4 is exact, |f| <= 1/8, z = f^2.
** sin 2 pi f = f (2 pi + z S(z)), degree 3, error 2^-33.4;
** cos 2 pi f = 1 + z C(z), degree 3, error 2^-31.2.
*/
LRN_HD float lrn_trig2pif(float u, uint32_t quarter) {
  float t = fmaf(u, 4.0f, LRN_MAGICF);
  float f = fmaf(t - LRN_MAGICF, -0.25f, u);
  uint32_t q = lrn_f2u(t) + quarter;
  float z = f * f, p, s, y;
  p = 0x1.44510ep+5f;
  p = fmaf(p, z, -0x1.32adccp+6f);
  p = fmaf(p, z, 0x1.466b78p+6f);
  p = fmaf(p, z, -0x1.4abbcep+5f);
  s = fmaf(f, 0x1.921fb6p2f, f * fmaf(z, p, -0x1.777a5cp-23f));
  p = 0x1.d47d44p+5f;
  p = fmaf(p, z, -0x1.55b146p+6f);
  p = fmaf(p, z, 0x1.03c1aep+6f);
  p = fmaf(p, z, -0x1.3bd3ccp+4f);
  y = q & 1u ? fmaf(z, p, 1.0f) : s;
  return lrn_u2f(lrn_f2u(y) ^ (q & 2u) << 30);
}

/* sin 2 pi u, cos 2 pi u for u in [0, 1], err 0.9, 0.9. Multiples of 1/4 are exact. */
LRN_HD float lrn_sin2pif(float u) { return lrn_trig2pif(u, 0u); }
LRN_HD float lrn_cos2pif(float u) { return lrn_trig2pif(u, 1u); }

LRN_HD double lrn_sinpoly(double r, double lo) {
  double z = r * r, p;
  p = 0x1.5d925ceb924eep-33;
  p = fma(p, z, -0x1.ae5e64a693d18p-26);
  p = fma(p, z, 0x1.71de3576bbe29p-19);
  p = fma(p, z, -0x1.a01a019c121a6p-13);
  p = fma(p, z, 0x1.111111110f892p-7);
  p = fma(p, z, -0x1.5555555555549p-3);
  return r + fma(r * z, p, fma(-0.5 * z, lo, lo));
}

LRN_HD double lrn_cospoly(double r, double lo) {
  double z = r * r, h = 0.5 * z, w = 1.0 - h, p;
  p = -0x1.8fb00106d6ac6p-37;
  p = fma(p, z, 0x1.1ee9ef51ff783p-29);
  p = fma(p, z, -0x1.27e4f81044eb3p-22);
  p = fma(p, z, 0x1.a01a019cbcd8cp-16);
  p = fma(p, z, -0x1.6c16c16c1521p-10);
  p = fma(p, z, 0x1.555555555554cp-5);
  return w + (((1.0 - w) - h) + fma(z * z, p, -r * lo));
}

/* sin(x + quarter pi/2): reduction by pi/2 in three parts with fma (Cody and Waite 1980). */
LRN_HD double lrn_trig(double x, uint64_t quarter) {
  double t = fma(x, 0x1.45f306dc9c883p-1, LRN_MAGIC);
  double n = t - LRN_MAGIC;
  uint64_t q = lrn_d2u(t) + quarter;
  double r1 = fma(n, -0x1.921fb54442d18p0, x); /* exact while |x| is in range */
  double w = n * -0x1.1a62633145c07p-54;
  double wl = fma(n, -0x1.1a62633145c07p-54, -w);
  double r = r1 + w, b = r - r1, y; /* r + lo = r1 + w + wl + n p3: near a multiple of pi/2 r1 cancels w */
  double lo = fma(n, 0x1.f1976b7ed8fbcp-110, ((r1 - (r - b)) + (w - b)) + wl);
  lo = fabs(r) > 0.8 ? 0.0 : lo;
  r = r > 0.8 ? 0.8 : r;
  r = r < -0.8 ? -0.8 : r;
  y = q & 1u ? lrn_cospoly(r, lo) : lrn_sinpoly(r, lo);
  return lrn_u2d(lrn_d2u(y) ^ (q & 2u) << 62);
}

/* sin x, cos x, err 0.8, 0.8 for |x| <= 1e9. Beyond, digits are lost with growing |x| and
** past 2^51 the result is a number in [-1, 1] without meaning. NaN for inf. */
LRN_HD double lrn_sin(double x) { return x == 0.0 ? x : lrn_trig(x, 0u); }
LRN_HD double lrn_cos(double x) { return lrn_trig(x, 1u); }

/*
** sin(2 pi u + quarter pi/2) for u in [0, 1]: f = u - n/4 is exact, |f| <= 1/8, z = f^2.
** sin 2 pi f = f (2 pi + z S(z)), degree 6, error 2^-63.5;
** cos 2 pi f = 1 + z C(z), degree 6, error 2^-61.5.
*/
LRN_HD double lrn_trig2pi(double u, uint64_t quarter) {
  double t = fma(u, 4.0, LRN_MAGIC);
  double f = fma(t - LRN_MAGIC, -0.25, u);
  uint64_t q = lrn_d2u(t) + quarter;
  double z = f * f, p, s, y;
  p = -0x1.7434d346f1bcap-1;
  p = fma(p, z, 0x1.e909ff910e312p+1);
  p = fma(p, z, -0x1.e30770226bba9p+3);
  p = fma(p, z, 0x1.5078349e59a6cp+5);
  p = fma(p, z, -0x1.32d2cce63b54bp+6);
  p = fma(p, z, 0x1.466bc6775ab7ep+6);
  p = fma(p, z, -0x1.4abbce625be53p+5);
  s = fma(f, 0x1.921fb54442d18p2, f * fma(z, p, 0x1.1a62633145c07p-52));
  p = -0x1.afee4a7e0fbb9p+0;
  p = fma(p, z, 0x1.f9c3d3cc73435p+2);
  p = fma(p, z, -0x1.a6d1e138d035cp+4);
  p = fma(p, z, 0x1.e1f506749a43cp+5);
  p = fma(p, z, -0x1.55d3c7e3bf5abp+6);
  p = fma(p, z, 0x1.03c1f081b5a4fp+6);
  p = fma(p, z, -0x1.3bd3cc9be45dep+4);
  y = q & 1u ? fma(z, p, 1.0) : s;
  return lrn_u2d(lrn_d2u(y) ^ (q & 2u) << 62);
}

/* sin 2 pi u, cos 2 pi u for u in [0, 1], err 0.9, 0.9. Multiples of 1/4 are exact. */
LRN_HD double lrn_sin2pi(double u) { return lrn_trig2pi(u, 0u); }
LRN_HD double lrn_cos2pi(double u) { return lrn_trig2pi(u, 1u); }

/* ---- Normal distribution: phi density, Phi distribution function ---- */

/*
** lambda(t) - t for t >= 0, lambda(t) = phi(t) / Phi(-t) the hazard of the standard normal
** (1 / lambda is Mills' ratio). It falls like 1/t, so lambda(t) - t by subtraction would lose
** t^2 ulp; fitted directly, it serves every function below, and no series for large t is
** needed. With d = 1 / (t + 4), v = 8 d, q = 1 - v = (t - 4) / (t + 4) in [-1, 1], the map of
** Shepherd and Laframboise, Math. Comp. 36 (1981):  lambda(t) - t = d (1 + v R(q)).
** float: R of degree 13, error 2^-25.9. double: degree 28, error 2^-56.2.
*/
LRN_HD float lrn_hazardrestf(float t) {
  float d = 1.0f / (t + 4.0f), p;
  float q = t < 4.0f ? fmaf(2.0f * t, d, -1.0f) : fmaf(-8.0f, d, 1.0f);
  float v = t < 4.0f ? 1.0f - q : 8.0f * d; /* each side by the form precise there */
  p = 0x1.541388p-14f;
  p = fmaf(p, q, -0x1.ad983ap-13f);
  p = fmaf(p, q, -0x1.2b1e84p-11f);
  p = fmaf(p, q, 0x1.76fef6p-10f);
  p = fmaf(p, q, 0x1.b47f94p-10f);
  p = fmaf(p, q, -0x1.8671e4p-8f);
  p = fmaf(p, q, -0x1.758f2ep-10f);
  p = fmaf(p, q, 0x1.3b4fcep-6f);
  p = fmaf(p, q, -0x1.96e52cp-7f);
  p = fmaf(p, q, -0x1.799c52p-5f);
  p = fmaf(p, q, 0x1.795ccap-4f);
  p = fmaf(p, q, 0x1.9332bcp-6f);
  p = fmaf(p, q, -0x1.82675cp-2f);
  p = fmaf(p, q, 0x1.9c163cp-1f);
  return 0.125f * v * fmaf(v, p, 1.0f);
}

LRN_HD double lrn_hazardrest(double t) {
  double d = 1.0 / (t + 4.0), p;
  double q = t < 4.0 ? fma(2.0 * t, d, -1.0) : fma(-8.0, d, 1.0);
  double v = t < 4.0 ? 1.0 - q : 8.0 * d; /* each side by the form precise there */
  p = 0x1.3e34ad91a69b1p-28;
  p = fma(p, q, 0x1.574d0043bea07p-29);
  p = fma(p, q, -0x1.8a8d0aa8cb187p-25);
  p = fma(p, q, -0x1.6112b876ec72ep-27);
  p = fma(p, q, 0x1.f78d5a34eafd2p-23);
  p = fma(p, q, -0x1.23e586b23a1e5p-24);
  p = fma(p, q, -0x1.c2aaf92b9289dp-21);
  p = fma(p, q, 0x1.f730583d32489p-21);
  p = fma(p, q, 0x1.38e563b72ed61p-19);
  p = fma(p, q, -0x1.8b0c49709b5afp-18);
  p = fma(p, q, -0x1.39067457bbbaep-18);
  p = fma(p, q, 0x1.c72a613021246p-16);
  p = fma(p, q, 0x1.c22b4283647f9p-20);
  p = fma(p, q, -0x1.b11af401d5592p-14);
  p = fma(p, q, 0x1.8a51e2ee6dffdp-15);
  p = fma(p, q, 0x1.60a7e0c1c461ap-12);
  p = fma(p, q, -0x1.5925606c7975dp-12);
  p = fma(p, q, -0x1.e473afb0cf8ep-11);
  p = fma(p, q, 0x1.99688e82950b8p-10);
  p = fma(p, q, 0x1.fb578fd9bb1b6p-10);
  p = fma(p, q, -0x1.8aec69d4a69f9p-8);
  p = fma(p, q, -0x1.93097e97a5cbdp-10);
  p = fma(p, q, 0x1.3b9ad5c7464ccp-6);
  p = fma(p, q, -0x1.961c878eacd04p-7);
  p = fma(p, q, -0x1.79a0d8adb9c67p-5);
  p = fma(p, q, 0x1.795a760fa7ee7p-4);
  p = fma(p, q, 0x1.93332129ff8afp-6);
  p = fma(p, q, -0x1.826757b265e0bp-2);
  p = fma(p, q, 0x1.9c163cb538379p-1);
  return 0.125 * v * fma(v, p, 1.0);
}

/* e^(x^2) erfc(x), err 4.2 for x >= 0: sqrt(2/pi) / lambda(sqrt(2) x).
** For x < 0, 2 e^(x^2) minus it. */
LRN_HD float lrn_erfcxf(float x) {
  float a = fabsf(x), t = 0x1.6a09e6p0f * a;
  float r = 0x1.988454p-1f / (t + lrn_hazardrestf(t));
  float h = x * x, l = fmaf(x, x, -h), e;
  e = 2.0f * lrn_expsumf(h, h < 128.0f ? l : 0.0f);
  return x < 0.0f ? e - r : r;
}

/* e^(-a^2) e^(a^2) erfc(a) for a >= 0, precise from a = 1/2 on (below, 1 - erf is better). */
LRN_HD float lrn_erfctailf(float a) {
  float t = 0x1.6a09e6p0f * a;
  return lrn_expnegprodf(a, a) * (0x1.988454p-1f / (t + lrn_hazardrestf(t)));
}

/* erf x = x + x P(x^2) for |x| <= 3/4: degree 5, error 2^-29.2. */
LRN_HD float lrn_erfpolyf(float x) {
  float z = x * x, p;
  p = -0x1.6375b4p-11f;
  p = fmaf(p, z, 0x1.4f777p-8f);
  p = fmaf(p, z, -0x1.b7b266p-6f);
  p = fmaf(p, z, 0x1.ce2b52p-4f);
  p = fmaf(p, z, -0x1.81273cp-2f);
  p = fmaf(p, z, 0x1.06eba8p-3f);
  return fmaf(x, p, x);
}

/* erf x, err 1.6. */
LRN_HD float lrn_erff(float x) {
  float a = fabsf(x);
  float r = a < 0.75f ? lrn_erfpolyf(a) : 1.0f - lrn_erfctailf(a);
  return lrn_copysignf(r, x);
}

/* erfc x, err 4.0. */
LRN_HD float lrn_erfcf(float x) {
  float a = fabsf(x), r = lrn_erfctailf(a);
  r = x < 0.0f ? 2.0f - r : r;
  return ((x < 0.5f) & (x > -0.75f)) ? 1.0f - lrn_erfpolyf(x) : r;
}

/* phi(x) / Phi(x) = lambda(-x), err 5.1. For x > 0: phi(x) / (1 - phi(x) / lambda(x)). */
LRN_HD float lrn_millsf(float x) {
  float a = fabsf(x), l = a + lrn_hazardrestf(a);
  float f = 0x1.988454p-2f * lrn_expnegprodf(0.5f * a, a);
  return x > 0.0f ? f / (1.0f - f / l) : l;
}

/* log Phi(x), err 4.8. x <= 0: -(x^2/2 + log(sqrt(2 pi) lambda(-x))), both terms
** of one sign; x > 0: log1p(-phi(x) / lambda(x)). One log1p serves both. */
LRN_HD float lrn_logndtrf(float x) {
  float a = fabsf(x), l = 0x1.40d932p1f * (a + lrn_hazardrestf(a));
  float e = lrn_expnegprodf(0.5f * a, a);
  float g = lrn_log1pf(x > 0.0f ? -(e / l) : l - 1.0f);
  return x > 0.0f ? g : -fmaf(0.5f * a, a, g);
}

/* Mean of N(x, 1) truncated to h >= 0: x + phi(x) / Phi(x), err 4.7. */
LRN_HD float lrn_relu_meanf(float x) {
  float a = fabsf(x), r = lrn_hazardrestf(a), l = a + r;
  float f = 0x1.988454p-2f * lrn_expnegprodf(0.5f * a, a);
  return x > 0.0f ? x + f / (1.0f - f / l) : r;
}

/* A step of Halley towards G(d) = lg of lrn_relu_sample, ls = lambda(s). */
LRN_HD float lrn_relu_halleyf(float d, float s, float ls, float lg) {
  float v = s + d, r = lrn_hazardrestf(v), l = v + r;
  float g = fmaf(d, fmaf(0.5f, d, s), lrn_logf(l / ls) - lg);
  d = d - g / (l - 0.5f * g * r);
  return d < 0.0f ? 0.0f : d;
}

/*
** Sample of N(x, 1) truncated to h >= 0 by inversion, u in (0, 1): Phi(x - h) = u Phi(x).
** All cases are one: find d >= 0 where the upper tail beyond s + d is a given part e^-L of that
** beyond s >= 0, i.e.  G(d) = s d + d^2/2 + log(lambda(s + d) / lambda(s)) = L.
**   x < 0:              s = -x, L = -log u,           h = d
**   x >= 0, p <= 1/2:   s = 0,  L = -log 2p,          h = x + d,   p = u Phi(x)
**   x >= 0, p > 1/2:    s = 0,  L = -log 2(1 - p),    h = x - d
** No large terms cancel, so far tails (x = -1e3) keep full precision. G is convex with
** G' = lambda, G'' = lambda (lambda - v), v = s + d; from the root of its quadratic at d = 0,
** two steps of Halley reach rounding error (measured for x in [-1e3, 1e3], u in [2^-25, 1)).
*/
LRN_HD float lrn_relu_samplef(float x, float u) {
  float a = fabsf(x), s = x < 0.0f ? a : 0.0f;
  float ra = lrn_hazardrestf(a), la = a + ra;
  float tail = 0x1.988454p-2f * lrn_expnegprodf(0.5f * a, a) / la; /* Phi(-|x|) */
  float p = u * (1.0f - tail), q = fmaf(u, tail, 1.0f - u);
  float w = x < 0.0f ? u : 2.0f * (p < q ? p : q);
  float tiny = 0x1p-126f;
  float lg = -lrn_logf(w < tiny ? tiny : w); /* u = 0 must not give inf */
  float rs = x < 0.0f ? ra : 0x1.988454p-1f;
  float ls = x < 0.0f ? la : 0x1.988454p-1f; /* lambda(0) = sqrt(2/pi) */
  float d, h;
  lg = lg < 0.0f ? 0.0f : lg;
  d = 2.0f * lg / (ls + sqrtf(fmaf(ls, ls, 2.0f * ls * rs * lg)));
  d = lrn_relu_halleyf(d, s, ls, lg);
  d = lrn_relu_halleyf(d, s, ls, lg);
  h = p < q ? x + d : x - d;
  h = x < 0.0f ? d : h;
  return h < 0.0f ? 0.0f : h;
}

/* e^(x^2) erfc(x), err 4.3 for x >= 0: sqrt(2/pi) / lambda(sqrt(2) x).
** For x < 0, 2 e^(x^2) minus it. */
LRN_HD double lrn_erfcx(double x) {
  double a = fabs(x), t = 0x1.6a09e667f3bcdp0 * a;
  double r = 0x1.9884533d43651p-1 / (t + lrn_hazardrest(t));
  double h = x * x, l = fma(x, x, -h), e;
  e = 2.0 * lrn_expsum(h, h < 1024.0 ? l : 0.0);
  return x < 0.0 ? e - r : r;
}

/* e^(-a^2) e^(a^2) erfc(a) for a >= 0, precise from a = 1/2 on (below, 1 - erf is better). */
LRN_HD double lrn_erfctail(double a) {
  double t = 0x1.6a09e667f3bcdp0 * a;
  return lrn_expnegprod(a, a) * (0x1.9884533d43651p-1 / (t + lrn_hazardrest(t)));
}

/* erf x = x + x P(x^2) for |x| <= 3/4: degree 11, error 2^-56.1. */
LRN_HD double lrn_erfpoly(double x) {
  double z = x * x, p;
  p = -0x1.0b2846bb2f294p-26;
  p = fma(p, z, 0x1.ffd69d2ccb40bp-25);
  p = fma(p, z, -0x1.e05aac357d58ap-23);
  p = fma(p, z, 0x1.c615f35a79dafp-20);
  p = fma(p, z, -0x1.f5894eeba9f68p-17);
  p = fma(p, z, 0x1.f9aa0af333504p-14);
  p = fma(p, z, -0x1.c02ddea876edfp-11);
  p = fma(p, z, 0x1.565bcdb30474bp-8);
  p = fma(p, z, -0x1.b82ce3156dacap-6);
  p = fma(p, z, 0x1.ce2f21a0496c9p-4);
  p = fma(p, z, -0x1.812746b037a47p-2);
  p = fma(p, z, 0x1.06eba8214db69p-3);
  return fma(x, p, x);
}

/* erf x, err 1.3. */
LRN_HD double lrn_erf(double x) {
  double a = fabs(x);
  double r = a < 0.75 ? lrn_erfpoly(a) : 1.0 - lrn_erfctail(a);
  return lrn_copysign(r, x);
}

/* erfc x, err 3.2. */
LRN_HD double lrn_erfc(double x) {
  double a = fabs(x), r = lrn_erfctail(a);
  r = x < 0.0 ? 2.0 - r : r;
  return ((x < 0.5) & (x > -0.75)) ? 1.0 - lrn_erfpoly(x) : r;
}

/* phi(x) / Phi(x) = lambda(-x), err 5.1. For x > 0: phi(x) / (1 - phi(x) / lambda(x)). */
LRN_HD double lrn_mills(double x) {
  double a = fabs(x), l = a + lrn_hazardrest(a);
  double f = 0x1.9884533d43651p-2 * lrn_expnegprod(0.5 * a, a);
  return x > 0.0 ? f / (1.0 - f / l) : l;
}

/* log Phi(x), err 5.2. x <= 0: -(x^2/2 + log(sqrt(2 pi) lambda(-x))), both terms
** of one sign; x > 0: log1p(-phi(x) / lambda(x)). One log1p serves both. */
LRN_HD double lrn_logndtr(double x) {
  double a = fabs(x), l = 0x1.40d931ff62706p1 * (a + lrn_hazardrest(a));
  double e = lrn_expnegprod(0.5 * a, a);
  double g = lrn_log1p(x > 0.0 ? -(e / l) : l - 1.0);
  return x > 0.0 ? g : -fma(0.5 * a, a, g);
}

/* Mean of N(x, 1) truncated to h >= 0: x + phi(x) / Phi(x), err 4.9. */
LRN_HD double lrn_relu_mean(double x) {
  double a = fabs(x), r = lrn_hazardrest(a), l = a + r;
  double f = 0x1.9884533d43651p-2 * lrn_expnegprod(0.5 * a, a);
  return x > 0.0 ? x + f / (1.0 - f / l) : r;
}

/* A step of Halley towards G(d) = lg of lrn_relu_sample, ls = lambda(s). */
LRN_HD double lrn_relu_halley(double d, double s, double ls, double lg) {
  double v = s + d, r = lrn_hazardrest(v), l = v + r;
  double g = fma(d, fma(0.5, d, s), lrn_log(l / ls) - lg);
  d = d - g / (l - 0.5 * g * r);
  return d < 0.0 ? 0.0 : d;
}

/*
** Sample of N(x, 1) truncated to h >= 0 by inversion, u in (0, 1): Phi(x - h) = u Phi(x).
** All cases are one: find d >= 0 where the upper tail beyond s + d is a given part e^-L of that
** beyond s >= 0, i.e.  G(d) = s d + d^2/2 + log(lambda(s + d) / lambda(s)) = L.
**   x < 0:              s = -x, L = -log u,           h = d
**   x >= 0, p <= 1/2:   s = 0,  L = -log 2p,          h = x + d,   p = u Phi(x)
**   x >= 0, p > 1/2:    s = 0,  L = -log 2(1 - p),    h = x - d
** No large terms cancel, so far tails (x = -1e3) keep full precision. G is convex with
** G' = lambda, G'' = lambda (lambda - v), v = s + d; from the root of its quadratic at d = 0,
** three steps of Halley reach rounding error (measured for x in [-1e3, 1e3], u in [2^-25, 1)).
*/
LRN_HD double lrn_relu_sample(double x, double u) {
  double a = fabs(x), s = x < 0.0 ? a : 0.0;
  double ra = lrn_hazardrest(a), la = a + ra;
  double tail = 0x1.9884533d43651p-2 * lrn_expnegprod(0.5 * a, a) / la; /* Phi(-|x|) */
  double p = u * (1.0 - tail), q = fma(u, tail, 1.0 - u);
  double w = x < 0.0 ? u : 2.0 * (p < q ? p : q);
  double tiny = 0x1p-1022;
  double lg = -lrn_log(w < tiny ? tiny : w); /* u = 0 must not give inf */
  double rs = x < 0.0 ? ra : 0x1.9884533d43651p-1;
  double ls = x < 0.0 ? la : 0x1.9884533d43651p-1; /* lambda(0) = sqrt(2/pi) */
  double d, h;
  lg = lg < 0.0 ? 0.0 : lg;
  d = 2.0 * lg / (ls + sqrt(fma(ls, ls, 2.0 * ls * rs * lg)));
  d = lrn_relu_halley(d, s, ls, lg);
  d = lrn_relu_halley(d, s, ls, lg);
  d = lrn_relu_halley(d, s, ls, lg);
  h = p < q ? x + d : x - d;
  h = x < 0.0 ? d : h;
  return h < 0.0 ? 0.0 : h;
}

/* ---- Noisy and self-normalising rectified units ---- */

/*
** The integral of softplus from -inf to x, which is -Li2(-e^x), the Fermi-Dirac integral of order 1;
** err 2.1. With s = log(1 + e^-|x|) <= log 2, Li2's series in Bernoulli numbers is
**   D = s + s^2/4 + s^3 P(s^2),   P = sum over k >= 1 of B_2k s^(2k-2) / (2k + 1)!,
** which is the integral for x <= 0; for x > 0 it is pi^2/6 + x^2/2 - D (L. Lewin, Polylogarithms and
** Associated Functions, 1981, 1.4). What P leaves out is below 2^-27 of D in float, 2^-60 in double.
*/
LRN_HD float lrn_softplus_integralf(float x) {
  float s = lrn_log1p_unitf(lrn_expnegf(fabsf(x))), z = s * s, p;
  p = 0x1.3d07ap-18f;
  p = fmaf(p, z, -0x1.234568p-12f);
  p = fmaf(p, z, 0x1.c71c72p-6f);
  p = fmaf(z, fmaf(s, p, 0.25f), s);
  return x > 0.0f ? fmaf(0.5f * x, x, 0x1.a51a66p0f - p) : p;
}

/* The integral of softplus from -inf to x, err 2.3. */
LRN_HD double lrn_softplus_integral(double x) {
  double s = lrn_log1p_unit(lrn_expneg(fabs(x))), z = s * s, p;
  p = -0x1.6731c59dbd7dep-46;
  p = fma(p, z, 0x1.f63f1e311ac24p-41);
  p = fma(p, z, -0x1.658a4b8f16a75p-35);
  p = fma(p, z, 0x1.04d7f65caf373p-29);
  p = fma(p, z, -0x1.8a86a49f629d1p-24);
  p = fma(p, z, 0x1.3d079fb6ef3e3p-18);
  p = fma(p, z, -0x1.23456789abcdfp-12);
  p = fma(p, z, 0x1.c71c71c71c71cp-6);
  p = fma(z, fma(s, p, 0.25), s);
  return x > 0.0 ? fma(0.5 * x, x, 0x1.a51a6625307d3p0 - p) : p;
}

/* max(0, x + sqrt(sigmoid(x)) z), z standard normal (Nair and Hinton 2010, section 2.1). */
LRN_HD float lrn_nrelu_samplef(float x, float z) {
  float h = x + sqrtf(lrn_sigmoidf(x)) * z;
  return h < 0.0f ? 0.0f : h;
}

LRN_HD double lrn_nrelu_sample(double x, double z) {
  double h = x + sqrt(lrn_sigmoid(x)) * z;
  return h < 0.0 ? 0.0 : h;
}

/* l x for x > 0, l a (e^x - 1) below, err 1.7 (Klambauer et al. 2017), and its integral from 0. */
#define LRN_SELU_L 1.0507009873554804934193349852946
#define LRN_SELU_LA 1.7580993408473768599402175208123

LRN_HD float lrn_seluf(float x) {
  float e = (float)LRN_SELU_LA * lrn_expm1f(x);
  return x > 0.0f ? (float)LRN_SELU_L * x : e;
}

LRN_HD double lrn_selu(double x) {
  double e = LRN_SELU_LA * lrn_expm1(x);
  return x > 0.0 ? LRN_SELU_L * x : e;
}

LRN_HD float lrn_selu_integralf(float x) {
  float e = (float)LRN_SELU_LA * (lrn_expm1f(x) - x);
  return x > 0.0f ? (float)(0.5 * LRN_SELU_L) * x * x : e;
}

LRN_HD double lrn_selu_integral(double x) {
  double e = LRN_SELU_LA * (lrn_expm1(x) - x);
  return x > 0.0 ? 0.5 * LRN_SELU_L * x * x : e;
}

/* ---- Power ---- */

/* The cases of C99 F.9.4.4 over r = |x|^y. */
LRN_HD double lrn_powcases(double x, double y, double r) {
  double ay = fabs(y), ax = fabs(x);
  int whole = lrn_trunc(y) == y;
  int odd = whole & (ay < 0x1p53) & (lrn_trunc(0.5 * y) != 0.5 * y);
  r = ((ax == 1.0) & (ay == LRN_INF)) ? 1.0 : r;
  r = ((x < 0.0) & (ax < LRN_INF) & (whole == 0)) ? LRN_NAN : r;
  r = odd ? lrn_copysign(r, x) : r;
  return ((x == 1.0) | (y == 0.0)) ? 1.0 : r;
}

/* x^y through double: err 0.5. */
LRN_HD float lrn_powf(float x, float y) {
  double yd = (double)y, xd = (double)x;
  return (float)lrn_powcases(xd, yd, lrn_exp(yd * lrn_log(fabs(xd))));
}

/*
** x^y, err 1.1. log|x| is taken as hi + lo, error 2^-66 or so: with s = (m - 1) / (m + 1) = s + sl,
** z = s^2, log m = s (2 + z (2/3 + z Q(z))), Q of degree 7, error 2^-73.5 of the whole.
*/
LRN_HD double lrn_pow(double x, double y) {
  double ax = fabs(x), k, m = lrn_split(ax, &k);
  double f = m - 1.0, uh = 1.0 + m, ul = m - (uh - 1.0), rc = 1.0 / uh;
  double s = f * rc, sl = fma(-s, ul, fma(-s, uh, f)) * rc;
  double z = s * s, zl = fma(s, s, -z) + 2.0 * s * sl;
  double p, ah, al, bh, bl, th, tl, lh, ll, h, hi, lo, w, wl, lg;
  p = 0x1.eac642a3ed1c6p-4;
  p = fma(p, z, 0x1.de3d62a0c7208p-4);
  p = fma(p, z, 0x1.11206f77c9cfcp-3);
  p = fma(p, z, 0x1.3b1364c7ccf21p-3);
  p = fma(p, z, 0x1.745d18295a3f8p-3);
  p = fma(p, z, 0x1.c71c71c5968bfp-3);
  p = fma(p, z, 0x1.2492492492f51p-2);
  p = fma(p, z, 0x1.9999999999996p-2);
  p = z * p;
  ah = 0x1.5555555555555p-1 + p; /* a = 2/3 + z Q */
  al = ((0x1.5555555555555p-1 - ah) + p) + 0x1.5555555555555p-55;
  bh = z * ah; /* b = z a */
  bl = fma(z, ah, -bh) + fma(z, al, zl * ah);
  th = 2.0 + bh; /* t = 2 + b */
  tl = ((2.0 - th) + bh) + bl;
  lh = s * th; /* log m = s t */
  ll = fma(s, th, -lh) + fma(s, tl, sl * th);
  h = fma(k, 0x1.62e42fefa2p-1, lh); /* + k log 2; k times the high part is exact */
  ll = ll + ((k * 0x1.62e42fefa2p-1 - h) + lh) + k * 0x1.9ef35793c7673p-41;
  hi = h + ll;
  lo = (h - hi) + ll;
  lg = ax < LRN_INF ? hi : ax;
  lg = ax == 0.0 ? -LRN_INF : lg;
  w = y * lg; /* y log|x| = w + wl */
  wl = fma(y, hi, -w) + y * lo;
  return lrn_powcases(x, y, lrn_expsum(w, fabs(w) < 1000.0 ? wl : 0.0));
}

#endif
