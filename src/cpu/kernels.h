/*
** kernels.h - the inner loops that are compiled once per instruction set, and the
** table through which they are called. cpu/kernels/ has the bodies; cpu.c chooses a table
** once, and does the walking of dimensions, the threads and the checks.
*/
#ifndef LRN_CPU_KERNELS_H
#define LRN_CPU_KERNELS_H

#include "device/backend.h"

/* n elements of one inner dimension; strides in elements. out may equal an operand. */
typedef void lrn_map_fn(int64_t n, void *out, int64_t so, const void *a, int64_t sa,
                        const void *b, int64_t sb, const void *c, int64_t sc);

/* Conversion; returns the number of the first element that does not fit, or -1. */
typedef int64_t lrn_cast_fn(int64_t n, void *out, int64_t so, const void *in, int64_t si);

/* A partial sum of floats: s + c, c the compensation (0 for float32); of integers: i. */
typedef struct lrn_partial {
  double s, c;
  int64_t i;
} lrn_partial;

/* Where s is infinite its error is a NaN, which says nothing. */
static inline double lrn_partial_value(lrn_partial p) {
  return p.s - p.s == 0.0 ? p.s + p.c : p.s;
}

/* The accumulators of one block: element e goes to lane e mod 32; c as above. */
#define LRN_LANES 32
typedef struct lrn_lanes {
  double s[LRN_LANES], c[LRN_LANES];
} lrn_lanes;

/* One block: n <= LRN_BLOCK contiguous elements of x (and y). */
typedef lrn_partial lrn_block_fn(int red, int64_t n, const void *x, const void *y);
/* The same for `columns` <= LRN_COLUMNS adjacent columns of n <= LRN_BLOCK rows. */
#define LRN_COLUMNS 64
typedef void lrn_columns_fn(int red, int64_t n, int columns, const void *x, int64_t ldx,
                            const void *y, int64_t ldy, lrn_partial *out);
/* A product C = alpha op(A) op(B) as sums of rows of op(B): list l has the values of row l of op(A)
   that are not 0, in sublists (l, b) of blocks of consecutive k. See cpu/listed.c. */
typedef struct lrn_lists {
  int dtype;
  int by_column; /* list l is column l of A as it is stored (k x lists), else row l (lists x k) */
  int ones;      /* all that is listed is 1 */
  int64_t k, block, blocks;
  const void *a;
  int64_t lda;
  uint32_t *start; /* where sublist l * blocks + b begins; the last one ends where the next would begin */
  uint16_t *at;    /* place of the value's row in a panel, in bytes */
  void *value;     /* of dtype, beside `at`; not where `ones` */
} lrn_lists;
/* What is kept at hand of op(B): a panel, up to LRN_PANEL_ROWS rows of LRN_PANEL bytes, which the
   first-level cache nearly holds. `at` reaches so far. */
#define LRN_PANEL 128
#define LRN_PANEL_ROWS 400
#define LRN_LIST_TASK 64 /* lists that count and fill take at once, by columns */
/* max, min: *r (of the dtype) is combined with n strided elements */
typedef void lrn_fold_fn(int red, int64_t n, const void *x, int64_t sx, void *r);

/* Elements [begin, end) of a unit call: a block (lrn_unit_block) or less; its metrics into
   sums[0] (mean) and sums[1] (state) where args->target is given. */
typedef void lrn_unit_fn(const lrn_unit_args *args, int64_t begin, int64_t end,
                         lrn_partial sums[2]);

typedef struct lrn_kernels {
  const char *isa;
  lrn_map_fn *const *map[LRN_DTYPES]; /* [dtype][op]; NULL where the family has no such type */
  lrn_cast_fn *const (*cast)[LRN_DTYPES]; /* [from][to] */
  lrn_block_fn *block[LRN_DTYPES];
  lrn_columns_fn *columns[2]; /* float32, float64 */
  lrn_fold_fn *fold[LRN_DTYPES];
  /* words of elements first .. first + n of a draw */
  void (*words)(const lrn_key *key, uint64_t first, int64_t n, uint32_t *out);
  /* n of uniform [0,1), or standard normal numbers, as float32 / float64 */
  void (*uniform[2])(const lrn_key *key, uint64_t first, int64_t n, void *out);
  void (*normal[2])(const lrn_key *key, uint64_t first, int64_t n, void *out);
  lrn_unit_fn *unit[2];
  /* elements [begin, end), whole groups */
  void (*unit_map[2])(const lrn_unit_map_args *args, int64_t begin, int64_t end);
  /* one row of a data set, `row` its first element, `absent` NULL or the row there; returns the first
     value that is not finite, or -1 */
  int64_t (*load[2])(const lrn_load_args *args, const void *row, void *out, void *absent);
  double (*flip[2])(const lrn_flip_args *args, int64_t row);
  void (*rung[2])(const lrn_rung_args *args, int64_t row);
  /* count: start[l * blocks + b] becomes the length of the sublist, for the lists [from, to); 1 where one
     holds something else than 1. fill: at and value from the starts on. */
  int (*count[2])(const lrn_lists *lists, int64_t from, int64_t to);
  void (*fill[2])(const lrn_lists *lists, int64_t from, int64_t to);
  /* columns [j, j + width) of C, contiguous rows of n, for lists [0, n_lists); width <= a panel's */
  void (*sum_lists[2])(const lrn_lists *lists, int64_t n_lists, double alpha, const void *b, int64_t ldb,
                       int transb, int64_t j, int64_t width, void *c, int64_t n);
  /* of one row; of items [item, end) of those touched */
  void (*rated_up[2])(const lrn_rated *batch, const uint8_t *level, void *x, int64_t row);
  void (*rated_down[2])(const lrn_rated *batch, const lrn_rated_down_args *args, int64_t row);
  void (*rated_gradient[2])(const lrn_rated *batch, const lrn_rated_gradient_args *args, int64_t item,
                            int64_t end);
  void (*rated_smooth[2])(const lrn_rated *batch, double strength, void *gW, int64_t item); /* one */
  /* elements [begin, end); 1 where a new theta is not finite */
  int (*update[2])(const lrn_update_args *args, int64_t begin, int64_t end);
} lrn_kernels;

extern const lrn_kernels lrn_kernels_generic;
extern const lrn_kernels lrn_kernels_avx2;

/* The table in use. */
const lrn_kernels *lrn_cpu_kernels(void);

/* The binary-counter form of a pairwise tree: push block results in index order. A sum of n
   blocks has the shape ((0 1) (2 3)) ... whatever pieces it was computed in, as long as the
   pieces are aligned powers of two. */
typedef struct lrn_tree {
  int compensated; /* float64: errors are carried along; float32 sums are plain double */
  uint64_t count;
  lrn_partial level[48];
} lrn_tree;
void lrn_tree_push(lrn_tree *tree, lrn_partial p);
lrn_partial lrn_tree_total(const lrn_tree *tree);

/* Names of one instruction set's objects: LRN_K(map_f32) is map_f32_avx2. */
#define LRN_PASTE_(a, b) a##_##b
#define LRN_PASTE(a, b) LRN_PASTE_(a, b)
#define LRN_K(name) LRN_PASTE(name, LRN_ISA)

#endif
