/*
** reduce.inc.c - one block of a sum, and folds, for one dtype.
**
** Included with T, LRN_K_..., and NAME(f), the function's name for this dtype, which the
** includer takes back (kernel/ops_undef.h). A block is at
** most LRN_BLOCK elements; element e of it goes to lane e mod 32; lanes are added by a fixed tree.
** float32 lanes are double; float64 lanes are a double and the errors it left behind (Knuth's
** two-sum); integers are exact in any order.
*/
#include "kernel/ops.h"

#if defined(LRN_K_FLOAT) || defined(LRN_K_DOUBLE)

/* f(lane sums, lane errors, elements): adds n elements to lanes 0, 1, ... */
#define LANES LRN_LANES
#if defined(LRN_K_FLOAT)
#define ACCUMULATE(l, value) s[l] += (value);
#else
#define ACCUMULATE(l, value)                \
  {                                         \
    const double v = (value), t = s[l] + v; \
    const double w = t - s[l];              \
    c[l] += (s[l] - (t - w)) + (v - w);     \
    s[l] = t;                               \
  }
#endif

#define X ((double)x[i + l])
#define Y ((double)y[i + l])
#define SUM(name, operands, expr, help)                                                    \
  static void NAME(lanes_##name)(int64_t n, const T *x, const T *y, double *s, double *c) { \
    int64_t i = 0;                                                                          \
    (void)y, (void)c;                                                                       \
    for (; i + LANES <= n; i += LANES)                                                      \
      for (int l = 0; l < LANES; l++)                                                       \
        ACCUMULATE(l, expr)                                                                 \
    for (int l = 0; i + l < n; l++)                                                         \
      ACCUMULATE(l, expr)                                                                   \
  }
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
#undef X
#undef Y

/* Adds the lanes of `columns` columns by a fixed tree; s[lane * columns + column]. */
static inline void NAME(fold_lanes)(double *restrict s, double *restrict c, int columns) {
  (void)c;
  for (int w = LANES / 2 * columns; w >= columns; w /= 2)
    for (int i = 0; i < w; i++) {
#if defined(LRN_K_FLOAT)
      s[i] += s[i + w];
#else
      const double t = s[i] + s[i + w], v = t - s[i];
      c[i] = (c[i] + c[i + w]) + ((s[i] - (t - v)) + (s[i + w] - v));
      s[i] = t;
#endif
    }
}

static lrn_partial NAME(lane_tree)(double *s, double *c) {
  NAME(fold_lanes)(s, c, 1);
  return (lrn_partial){s[0], c[0], 0};
}

lrn_partial NAME(lrn_block)(int red, int64_t n, const void *x, const void *y) {
  double s[LANES] = {0}, c[LANES] = {0};
  switch (red) {
#define SUM(name, operands, expr, help)    \
  case LRN_RED_##name:                     \
    NAME(lanes_##name)(n, x, y, s, c);     \
    break;
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
  }
  return NAME(lane_tree)(s, c);
}

/* The same for up to LRN_COLUMNS columns at once, row by row: row r goes to lane r mod 32. Rows are
   read in runs of several cache lines, and all lanes of the columns fit the first-level cache;
   lane by lane, with the sums in registers, was slower: each element then lies in another page. */
#define X ((double)x[r * ldx + j])
#define Y ((double)y[r * ldy + j])
#define SUM(name, operands, expr, help)                                                     \
  static void NAME(columns_##name)(int64_t n, int columns, const T *x, int64_t ldx,          \
                                   const T *y, int64_t ldy, double (*sl)[LRN_COLUMNS],       \
                                   double (*cl)[LRN_COLUMNS]) {                              \
    (void)y, (void)ldy, (void)cl;                                                            \
    for (int64_t r = 0; r < n; r++) {                                                        \
      double *restrict s = sl[r % LANES], *restrict c = cl[r % LANES];                       \
      (void)c;                                                                               \
      for (int j = 0; j < columns; j++)                                                      \
        ACCUMULATE(j, expr)                                                                  \
    }                                                                                        \
  }
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
#undef X
#undef Y

void NAME(lrn_columns)(int red, int64_t n, int columns, const void *x, int64_t ldx,
                       const void *y, int64_t ldy, lrn_partial *out) {
  double s[LANES][LRN_COLUMNS], c[LANES][LRN_COLUMNS];
  memset(s, 0, sizeof s);
#if defined(LRN_K_DOUBLE)
  memset(c, 0, sizeof c);
#else
  memset(c, 0, sizeof c[0]); /* float32 has no errors to carry: only the results' 0 is read */
#endif
  switch (red) {
#define SUM(name, operands, expr, help)                      \
  case LRN_RED_##name:                                       \
    NAME(columns_##name)(n, columns, x, ldx, y, ldy, s, c);  \
    break;
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
  }
  NAME(fold_lanes)(&s[0][0], &c[0][0], LRN_COLUMNS);
  for (int j = 0; j < columns; j++)
    out[j] = (lrn_partial){s[0][j], c[0][j], 0};
}
#undef LANES
#undef ACCUMULATE

#else /* integers and bool */

lrn_partial NAME(lrn_block)(int red, int64_t n, const void *vx, const void *vy) {
  const T *x = vx, *y = vy;
  uint64_t total = 0;
  switch (red) {
#define X ((uint64_t)(int64_t)x[i])
#define Y ((uint64_t)(int64_t)y[i])
#define SUM(name, operands, expr, help)    \
  case LRN_RED_##name:                     \
    for (int64_t i = 0; i < n; i++)        \
      total += (uint64_t)(expr);           \
    break;
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
#undef X
#undef Y
  }
  return (lrn_partial){0, 0, (int64_t)total};
}

#endif

void NAME(lrn_fold)(int red, int64_t n, const void *vx, int64_t sx, void *result) {
  const T *p = vx;
  T r = *(T *)result;
  switch (red) {
#define SUM(name, operands, expr, help)
#define FOLD(name, identity, combine, help) \
  case LRN_RED_##name:                      \
    for (int64_t i = 0; i < n; i++) {       \
      const T x = p[i * sx];                \
      r = combine;                          \
    }                                       \
    break;
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
  }
  *(T *)result = r;
}
