/*
** listed.inc.c - products as sums of listed rows, for one float type: what of A is not 0 is listed, and
** the rows of B that it meets are added up in panels (cpu/listed.c has the threads and the choice).
**
** Included with T, NAME(f), LRN_ISA. The order of a sum depends on its list alone, and a product is rounded
** before it is added, so the bits are the same for every instruction set and number of threads.
*/
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LISTED_VECTOR 64
#else
#define LISTED_VECTOR 32
#endif
typedef T NAME(vec) __attribute__((vector_size(LISTED_VECTOR), aligned(sizeof(T)), may_alias));
#define WIDTH ((int64_t)(LISTED_VECTOR / sizeof(T))) /* values of a vector */
#define VECTORS (LRN_PANEL / LISTED_VECTOR)          /* of a row of a panel */
#define PANEL_WIDTH ((int64_t)(LRN_PANEL / sizeof(T)))

/* Bit i: is v[i] something else than 0? n <= 64 */
static uint64_t NAME(bits)(int64_t n, const T *v) {
  uint64_t bits = 0;
  int64_t i = 0;
#if defined(__AVX2__)
  for (; i + (int64_t)(32 / sizeof(T)) <= n; i += (int64_t)(32 / sizeof(T)))
#if defined(LRN_K_FLOAT)
    bits |= (uint64_t)(unsigned)_mm256_movemask_ps(
              _mm256_cmp_ps(_mm256_loadu_ps(v + i), _mm256_setzero_ps(), _CMP_NEQ_UQ)) << i;
#else
    bits |= (uint64_t)(unsigned)_mm256_movemask_pd(
              _mm256_cmp_pd(_mm256_loadu_pd(v + i), _mm256_setzero_pd(), _CMP_NEQ_UQ)) << i;
#endif
#endif
  for (; i < n; i++)
    bits |= (uint64_t)(v[i] != 0) << i;
  return bits;
}

int NAME(lrn_count)(const lrn_lists *x, int64_t from, int64_t to) {
  const T *a = x->a;
  int other = 0;
  for (int64_t b = 0; b < x->blocks; b++) {
    int64_t begin = b * x->block, end = begin + x->block < x->k ? begin + x->block : x->k;
    if (x->by_column) {
      uint32_t count[LRN_LIST_TASK] = {0};
      for (int64_t r = begin; r < end; r++) {
        const T *v = a + r * x->lda + from;
        for (int64_t i = 0; i < to - from; i++) {
          count[i] += v[i] != 0;
          other |= (v[i] != 0) & (v[i] != 1);
        }
      }
      for (int64_t i = from; i < to; i++)
        x->start[i * x->blocks + b] = count[i - from];
    } else
      for (int64_t l = from; l < to; l++) {
        const T *v = a + l * x->lda;
        int32_t count = 0;
        for (int64_t i = begin; i < end; i++) {
          count += v[i] != 0;
          other |= (v[i] != 0) & (v[i] != 1);
        }
        x->start[l * x->blocks + b] = (uint32_t)count;
      }
  }
  return other;
}

static void NAME(fill_columns)(const lrn_lists *x, int64_t b, int64_t from, int64_t to) {
  const int64_t begin = b * x->block, end = begin + x->block < x->k ? begin + x->block : x->k;
  T *value = x->value;
  uint32_t next[LRN_LIST_TASK];
  for (int64_t i = from; i < to; i++)
    next[i - from] = x->start[i * x->blocks + b];
  for (int64_t r = begin; r < end; r++) {
    const T *v = (const T *)x->a + r * x->lda + from;
    for (uint64_t bits = NAME(bits)(to - from, v); bits != 0; bits &= bits - 1) {
      int i = __builtin_ctzll(bits);
      uint32_t p = next[i]++;
      x->at[p] = (uint16_t)((r - begin) * LRN_PANEL);
      if (!x->ones)
        value[p] = v[i];
    }
  }
}

static void NAME(fill_row)(const lrn_lists *x, int64_t b, int64_t l) {
  const int64_t begin = b * x->block, end = begin + x->block < x->k ? begin + x->block : x->k;
  const T *v = (const T *)x->a + l * x->lda;
  T *value = x->value;
  uint32_t p = x->start[l * x->blocks + b];
  for (int64_t at = begin; at < end; at += 64)
    for (uint64_t bits = NAME(bits)(end - at < 64 ? end - at : 64, v + at); bits != 0; bits &= bits - 1) {
      int64_t i = at + __builtin_ctzll(bits);
      x->at[p] = (uint16_t)((i - begin) * LRN_PANEL);
      if (!x->ones)
        value[p] = v[i];
      p++;
    }
}

void NAME(lrn_fill)(const lrn_lists *x, int64_t from, int64_t to) {
  for (int64_t b = 0; b < x->blocks; b++)
    if (x->by_column)
      NAME(fill_columns)(x, b, from, to);
    else
      for (int64_t l = from; l < to; l++)
        NAME(fill_row)(x, b, l);
}

/* {=== Panels === */

/* Rows [begin, end) of columns [j, j + width) of B. What a panel has beyond them stays 0. */
static void NAME(pack)(T *panel, int64_t begin, int64_t end, const T *b, int64_t ldb, int64_t j,
                       int64_t width) {
  for (int64_t i = begin; i < end; i++, panel += PANEL_WIDTH) {
    const T *row = b + i * ldb + j;
    /* rows are far apart: nothing else would have them at hand */
    __builtin_prefetch(row + 12 * ldb);
    __builtin_prefetch(row + 12 * ldb + 64 / sizeof(T));
    if (width == PANEL_WIDTH)
      memcpy(panel, row, LRN_PANEL);
    else
      for (int64_t c = 0; c < width; c++)
        panel[c] = row[c];
  }
}

/* Squares of SIDE x SIDE are turned in registers. */
#define SIDE (32 / (int64_t)sizeof(T))
typedef T NAME(row) __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
static void NAME(turn)(T *panel, const T *b, int64_t ldb) {
  NAME(row) r[SIDE], t[SIDE];
  for (int64_t i = 0; i < SIDE; i++)
    r[i] = *(const NAME(row) *)(const void *)(b + i * ldb);
#if defined(LRN_K_FLOAT)
  for (int i = 0; i < 8; i += 2) { /* pairs of rows, within halves of a register */
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int q = 0; q < 2; q++) { /* four rows */
      r[i + 2 * q] = __builtin_shufflevector(t[i + q], t[i + q + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[i + 2 * q + 1] = __builtin_shufflevector(t[i + q], t[i + q + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; i++) { /* all eight: halves change places */
    t[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    t[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
#else
  for (int i = 0; i < 4; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 4, 2, 6);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 5, 3, 7);
  }
  for (int i = 0; i < 2; i++) {
    r[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5);
    r[i + 2] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7);
  }
  for (int i = 0; i < 4; i++)
    t[i] = r[i];
#endif
  for (int64_t i = 0; i < SIDE; i++)
    *(NAME(row) *)(void *)(panel + i * PANEL_WIDTH) = t[i];
}

/* The same of B's transpose. */
static void NAME(pack_turned)(T *panel, int64_t begin, int64_t end, const T *b, int64_t ldb, int64_t j,
                              int64_t width) {
  const int64_t rows = end - begin, square_rows = rows / SIDE * SIDE, squares = width / SIDE * SIDE;
  const T *from = b + j * ldb + begin;
  for (int64_t c = 0; c < squares; c += SIDE)
    for (int64_t i = 0; i < square_rows; i += SIDE)
      NAME(turn)(panel + i * PANEL_WIDTH + c, from + c * ldb + i, ldb);
  for (int64_t i = 0; i < rows; i++) /* what is left over of both */
    for (int64_t c = i < square_rows ? squares : 0; c < width; c++)
      panel[i * PANEL_WIDTH + c] = from[c * ldb + i];
}
#undef SIDE

/* Where a panel's sums go: rows of C, ldc apart. Sublists of the first block begin at 0, others at what C
   has; the last block's are multiplied by alpha. */
typedef struct NAME(sums) {
  const T *panel;
  int64_t lists, block, ldc;
  int partial; /* values of the last vector that there is room for; 0: all */
  T *c;
} NAME(sums);

/* `vectors` and `ones` are constants where it is called, so that all sums are in registers: two a column, so
   that an addition need not wait for the one before. */
static inline __attribute__((always_inline)) void NAME(sum_panel)(const int vectors, const int ones,
                                                                  const lrn_lists *x, T alpha,
                                                                  const NAME(sums) *o) {
  const size_t room = (size_t)((vectors - 1) * WIDTH + o->partial) * sizeof(T);
  for (int64_t l = 0; l < o->lists; l++) {
    const uint32_t *start = x->start + l * x->blocks + o->block;
    const uint16_t *at = x->at + start[0], *end = x->at + start[1];
    const T *value = ones ? NULL : (const T *)x->value + start[0];
    NAME(vec) s[VECTORS], t[VECTORS], held[VECTORS];
    NAME(vec) *out = o->partial ? held : (NAME(vec) *)(void *)(o->c + l * o->ldc);
    if (o->partial && o->block > 0)
      memcpy(held, o->c + l * o->ldc, room);
    for (int c = 0; c < vectors; c++) {
      s[c] = (NAME(vec)){0};
      t[c] = (NAME(vec)){0};
    }
    if (o->block > 0)
      for (int c = 0; c < vectors; c++)
        s[c] = out[c];
#define ROW(k) ((const NAME(vec) *)(const void *)((const char *)o->panel + at[k]))
#define TAKE(sum, k)                                          \
  _Pragma("GCC unroll 4") for (int c = 0; c < vectors; c++) { \
    if (ones)                                                 \
      sum[c] += ROW(k)[c];                                    \
    else                                                      \
      sum[c] += value[k] * ROW(k)[c];                         \
  }
    for (; at + 2 <= end; at += 2) {
      TAKE(s, 0)
      TAKE(t, 1)
      if (!ones)
        value += 2;
    }
    if (at < end)
      TAKE(s, 0)
#undef TAKE
#undef ROW
    for (int c = 0; c < vectors; c++)
      out[c] = (s[c] + t[c]) * alpha;
    if (o->partial)
      memcpy(o->c + l * o->ldc, held, room);
  }
}

static void NAME(sum_block)(int vectors, const lrn_lists *x, T alpha, const NAME(sums) *o) {
#define CASE(v)                                               \
  case 2 * (v): NAME(sum_panel)(v, 0, x, alpha, o); break;    \
  case 2 * (v) + 1: NAME(sum_panel)(v, 1, x, alpha, o); break;
  switch (2 * vectors + (x->ones != 0)) {
    CASE(1)
    CASE(2)
#if LRN_PANEL / LISTED_VECTOR > 2
    CASE(3)
    CASE(4)
#endif
  }
#undef CASE
}

void NAME(lrn_sum_lists)(const lrn_lists *x, int64_t lists, double alpha, const void *b, int64_t ldb,
                         int transb, int64_t j, int64_t width, void *c, int64_t n) {
  T panel[LRN_PANEL_ROWS * LRN_PANEL / sizeof(T)] __attribute__((aligned(64)));
  NAME(sums) o = {panel, lists, 0, n, (int)(width % WIDTH), (T *)c + j};
  if (width < PANEL_WIDTH)
    memset(panel, 0, sizeof panel);
  for (o.block = 0; o.block < x->blocks; o.block++) {
    int64_t begin = o.block * x->block, end = begin + x->block < x->k ? begin + x->block : x->k;
    (transb ? NAME(pack_turned) : NAME(pack))(panel, begin, end, b, ldb, j, width);
    NAME(sum_block)((int)((width + WIDTH - 1) / WIDTH), x, o.block + 1 < x->blocks ? 1 : (T)alpha, &o);
  }
}
#undef PANEL_WIDTH
#undef VECTORS
#undef WIDTH
#undef LISTED_VECTOR

/* ===} */
