/*
** cast.c - conversions between all dtypes; with equal dtypes, a strided copy.
**
** A float becomes an integer by truncation. A value that the new dtype cannot hold (NaN
** among them) ends the loop and is reported; what was written before it stays.
*/
#include "cpu/kernels.h"

/* Does x survive? Written so that NaN does not. 2^63 and 2^31 are exact in both float types. */
#define FITS_FLOAT_I64(x) ((double)(x) >= -0x1p63 && (double)(x) < 0x1p63)
#define FITS_FLOAT_I32(x) ((double)(x) > -0x1p31 - 1 && (double)(x) < 0x1p31)
#define FITS_FLOAT_U8(x) ((x) > -1 && (x) < 256)
#define FITS_INT_I64(x) ((void)(x), 1)
#define FITS_INT_I32(x) ((x) >= INT32_MIN && (x) <= INT32_MAX)
#define FITS_INT_U8(x) ((x) >= 0 && (x) <= 255)
#define FITS_ALWAYS(x) ((void)(x), 1)
#define AS_IS(T, x) ((T)(x))
#define AS_BOOL(T, x) ((T)((x) != 0))

#define CAST(from, TF, to, TT, fits, as)                                                      \
  static int64_t cast_##from##_##to(int64_t n, void *out, int64_t so, const void *in,          \
                                    int64_t si) {                                              \
    TT *o = out;                                                                               \
    const TF *p = in;                                                                          \
    if (so == 1 && si == 1) {                                                                  \
      _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {                                   \
        const TF x = p[i];                                                                     \
        if (!fits(x))                                                                          \
          return i;                                                                            \
        o[i] = as(TT, x);                                                                      \
      }                                                                                        \
    } else {                                                                                   \
      for (int64_t i = 0; i < n; i++) {                                                        \
        const TF x = p[i * si];                                                                \
        if (!fits(x))                                                                          \
          return i;                                                                            \
        o[i * so] = as(TT, x);                                                                 \
      }                                                                                        \
    }                                                                                          \
    return -1;                                                                                 \
  }

#define FROM_FLOAT(from, TF)                          \
  CAST(from, TF, F32, float, FITS_ALWAYS, AS_IS)      \
  CAST(from, TF, F64, double, FITS_ALWAYS, AS_IS)     \
  CAST(from, TF, I64, int64_t, FITS_FLOAT_I64, AS_IS) \
  CAST(from, TF, I32, int32_t, FITS_FLOAT_I32, AS_IS) \
  CAST(from, TF, U8, uint8_t, FITS_FLOAT_U8, AS_IS)   \
  CAST(from, TF, BOOL, uint8_t, FITS_ALWAYS, AS_BOOL)
#define FROM_INT(from, TF)                          \
  CAST(from, TF, F32, float, FITS_ALWAYS, AS_IS)    \
  CAST(from, TF, F64, double, FITS_ALWAYS, AS_IS)   \
  CAST(from, TF, I64, int64_t, FITS_INT_I64, AS_IS) \
  CAST(from, TF, I32, int32_t, FITS_INT_I32, AS_IS) \
  CAST(from, TF, U8, uint8_t, FITS_INT_U8, AS_IS)   \
  CAST(from, TF, BOOL, uint8_t, FITS_ALWAYS, AS_BOOL)

FROM_FLOAT(F32, float)
FROM_FLOAT(F64, double)
FROM_INT(I64, int64_t)
FROM_INT(I32, int32_t)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"
FROM_INT(U8, uint8_t)
FROM_INT(BOOL, uint8_t)
#pragma GCC diagnostic pop

#define ROW(from) \
  {cast_##from##_F32, cast_##from##_F64, cast_##from##_I64, \
   cast_##from##_I32, cast_##from##_U8, cast_##from##_BOOL},
lrn_cast_fn *const LRN_K(lrn_cast)[LRN_DTYPES][LRN_DTYPES] = {ROW(F32) ROW(F64) ROW(I64) ROW(I32)
                                                                ROW(U8) ROW(BOOL)};
