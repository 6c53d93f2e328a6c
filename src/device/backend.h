/*
** backend.h - what a device must be able to do: one table of functions over plain
** views. The CPU fills it in cpu/, CUDA in cuda/ (a shared object of its own, opened at
** run time; the same text runs as the emulated device in tests). Neither knows tensors.
**
** A slot that is NULL means "not on this device": the engine then fails with
** LRN_EUNSUPPORTED, naming slot and device. All pointers but those marked `host` are in the
** device's memory. Unless a slot says otherwise it may return before the work is done; work of
** one device happens in the order of the calls; `download` and `sync` wait for it.
*/
#ifndef LRN_DEVICE_BACKEND_H
#define LRN_DEVICE_BACKEND_H

#include "lrn.h"

/* A strided array. Strides count elements and may be 0 or negative. */
typedef struct lrn_view {
  void *data; /* element (0, ..., 0) */
  int dtype;
  int nd;
  int64_t size[LRN_MAXDIM];
  int64_t stride[LRN_MAXDIM];
} lrn_view;

/* The operand of an elementwise operation: a view, or one host value for all elements. */
typedef struct lrn_operand {
  lrn_view view;  /* of the operation's shape; not used where is_scalar */
  int is_scalar;
  double d;       /* the scalar, for float computing types */
  int64_t i;      /* the scalar, for integer and bool ones */
} lrn_operand;

/* Operations beyond ops.def that `map` knows: a conversion of dtype (also a plain strided copy).
   Numbered after the last row of ops.def. */
enum lrn_ops {
#define OP(family, name, arity, expr, help) LRN_OP_##name,
#include "kernel/ops.def"
#undef OP
  LRN_OP_COPY,
  LRN_OPS
};

enum lrn_reductions {
#define SUM(name, operands, expr, help) LRN_RED_##name,
#define FOLD(name, identity, combine, help) LRN_RED_##name,
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
  LRN_REDS
};

enum lrn_families { LRN_FLOAT, LRN_NUMBER, LRN_BITS, LRN_ANY, LRN_COMPARE, LRN_TEST, LRN_SELECT };

/* What the engine and a backend know of an operation. device.c holds the table. */
typedef struct lrn_op_info {
  const char *name, *help;
  int family, arity;
} lrn_op_info;
LRN_API extern const lrn_op_info lrn_op_table[LRN_OPS + 1];

/* What `unit` and `flip` need of one layer. */
typedef struct lrn_unit_args {
  int unit;          /* lrn_unit */
  int dtype;         /* LRN_F32 or LRN_F64: of x, bias and outputs */
  double temperature;
  int64_t rows, units;
  int64_t categories; /* units of a group, which `units` is a multiple of; 1 for other rows */
  const void *x;     /* rows x units, contiguous: v W or h W^T, without the bias */
  const void *bias;  /* units; NULL: 0 */
  void *mean;        /* rows x units or NULL; may be x */
  double mean_scale; /* means are multiplied by it: 1, or -1 for the negative phase's statistics */
  void *state;       /* rows x units or NULL; may be x where mean is NULL */
  lrn_key key;       /* of the states: element = key.first + row * units + unit; of a group: that of
                        its first unit */
  const void *gain;  /* units; NULL: 1. state = mean + gain (state - mean); not of groups */
  const void *absent; /* rows x units, 1 for a unit that its row lacks, else 0; NULL: none. Its mean and
                         state are 0 */
  /* metrics, NULL where not wanted; `target` is rows x units */
  const void *target;
  double *sums; /* device: sums[0] += sum (target - mean)^2, before mean_scale;
                   sums[1] += sum (target - state)^2, or the same where no states are wanted */
  double *scratch; /* device: 2 * lrn_blocks(rows * units) doubles where target is given */
} lrn_unit_args;

/* Blocks of a reduction over n elements (numerics.md: Sums) */
#define LRN_BLOCK 4096
static inline int64_t lrn_blocks(int64_t n) { return (n + LRN_BLOCK - 1) / LRN_BLOCK; }
/* Elements of a block of a unit call's metrics: whole groups, as few as reach LRN_BLOCK, so that
   there are not more than lrn_blocks(n) of them. */
static inline int64_t lrn_unit_block(int64_t categories) {
  return (LRN_BLOCK + categories - 1) / categories * categories;
}

/* A part of a unit elementwise; in groups of `categories`, which n is a multiple of. */
typedef struct lrn_unit_map_args {
  int unit, part; /* lrn_unit, lrn_unit_part */
  int dtype;
  double temperature;
  int64_t n, categories;
  void *out;
  const void *x; /* may be out */
} lrn_unit_map_args;

/* A change of one unit (or group) per row: the pseudo-likelihood's difference of free energies. */
typedef struct lrn_flip_args {
  int hidden;       /* lrn_unit of the hidden layer; the visible one has two states or groups */
  int64_t categories, hidden_categories; /* of the visible layer and of the hidden one: as above */
  int both;         /* their sum: a flip adds both - 2 v_i */
  double scale;     /* of the weights: 1, or what dropconnect keeps */
  int dtype;
  double temperature;
  int64_t rows, n_visible, n_hidden;
  const void *v;    /* rows x n_visible: states */
  const void *x;    /* rows x n_hidden: v W, without the bias */
  const void *W, *a, *b;
  const void *absent; /* rows x n_visible as in lrn_unit_args, NULL: none; whole groups. The others of a
                         row are those that are counted and flipped; a row without any gives 0 */
  lrn_key key;      /* row r flips unit, or group, floor(word(first + r) * number of them / 2^32) */
  double *out;      /* device: rows values n_visible log sigmoid((F(flip) - F(v)) / T); of groups:
                       their number times the log of the share of exp(-F(v) / T) in the sum over the
                       categories of the one that changes */
  double *sum;      /* device: *sum += sum of out over rows */
} lrn_flip_args;

/* One rung of annealing, of rows of states: what log p* of a row changes by from one beta to another, and
   the hidden states at the other one (model/ais.c). With y = x + bias,
     log_w[r] += ((to - from) sum of the linear terms + sum_j (A(to y_j) - A(from y_j))) / temperature */
typedef struct lrn_rung_args {
  int unit;          /* lrn_unit: the hidden layer's */
  int dtype;
  double temperature;
  int64_t rows, units, categories; /* as in lrn_unit_args */
  const void *x;     /* rows x units, contiguous: v W, without the bias */
  const void *bias;  /* units */
  double from, to;
  struct {
    const void *s;   /* rows x units: visible states, and labels; NULL: no such term */
    const void *row; /* units: what they are multiplied by */
    int64_t units;
  } linear[2];
  double *log_w;     /* device: rows */
  void *state;       /* rows x units or NULL; may be x: drawn given to y, with the key of a unit call */
  lrn_key key;
} lrn_rung_args;

/* Rows of a data set, gathered into a batch of the model's dtype. */
typedef struct lrn_load_args {
  int dtype;            /* of out: LRN_F32 or LRN_F64 */
  void *out;            /* count x units, contiguous */
  int data_dtype;       /* uint8 is divided by 255 */
  const void *data;     /* row i begins at data + i * row_stride elements; units contiguous */
  int64_t n_rows, row_stride, units;
  const int64_t *index; /* count positions from `base`, or NULL: rows first .. first + count */
  int64_t base, first, count;
  int round;            /* 1: values are rounded to integers, half to even */
  const void *shift, *scale; /* units each, of dtype: values become (value - shift) scale; NULL: not */
  void *absent;         /* count x units of dtype, or NULL. 1 where a value is NaN, which becomes 0, else 0;
                           where units come in groups of `categories` (else 1) a NaN among numbers stays */
  int64_t categories;
  int64_t *bad;         /* host or NULL. CPU: set to row * units + unit of the first value that
                           is not finite (batch row), else -1; a row out of range is an error */
} lrn_load_args;

#define LRN_MOST_LEVELS 255 /* categories of a rating: a level is a byte */

/* A batch of rows of ratings: row r has the entries offset[r] .. offset[r + 1], each an item, which is
   a group of `categories` visible units, of which one, its level (from 0), is 1. Units of other items
   are absent from the row. */
typedef struct lrn_rated {
  int dtype; /* LRN_F32 or LRN_F64: of all that is not an integer below */
  int64_t rows, entries, n_items, hidden, categories;
  const int64_t *offset; /* rows + 1 */
  const int32_t *item;   /* entries, from 0 */
  const void *W, *D, *a; /* n_items categories x hidden; n_items x hidden or NULL; n_items categories */
} lrn_rated;

/* What rated_down makes. */
typedef struct lrn_rated_down_args {
  double temperature;
  const void *h;         /* rows x hidden */
  lrn_key key;           /* of the levels: element = key.first + unit of a dense row of all items */
  void *mean;            /* entries x categories or NULL */
  uint8_t *level;        /* entries or NULL: drawn */
  const uint8_t *target; /* entries or NULL; then */
  const double *value;   /* device: what each category is worth */
  double *scratch;       /* device: `entries` doubles */
  double *error, *number; /* device: *error += sum (value[target] - sum_k p_k value[k])^2,
                            *number += entries */
} lrn_rated_down_args;

/* What rated_gradient adds up, item by item, so that no two threads meet: touched[t] has the entries
   order[start[t]] .. order[start[t + 1]]; row: of each entry. */
typedef struct lrn_rated_gradient_args {
  int64_t items;
  const int32_t *touched, *start, *order, *row;
  const uint8_t *plus, *minus; /* levels of both phases */
  const void *q, *p;           /* rows x hidden: q+ and -q- */
  double alpha;
  void *gW, *gD, *ga; /* of W, D (NULL without) and a; other items stay as they are */
} lrn_rated_gradient_args;

/* With g' = c g + decay theta + l1 sign(theta), c = min(1, clip / sqrt(*norm2)), or 1 without norm2:
     SGD   m = momentum m + g';  theta -= rate m
     Adam  m = beta1 m + (1 - beta1) g';  s = beta2 s + (1 - beta2) g'^2;
           theta -= rate m / (sqrt(s) + epsilon)
   Adam's corrections of the moments are in rate and epsilon already. */
typedef struct lrn_update_args {
  int dtype;
  int optimizer; /* lrn_optimizer */
  int64_t n;
  void *theta, *m, *s; /* s: NULL for SGD */
  const void *g;
  const void *norm2; /* device, of dtype: squared norm of the whole gradient; or NULL */
  double rate, momentum, decay, l1, clip, beta1, beta2, epsilon;
  int64_t *bad; /* device: set to `mark` where it is 0 and some new theta is not finite */
  int64_t mark;
} lrn_update_args;

typedef struct lrn_backend lrn_backend;
struct lrn_backend {
  const char *name; /* "cpu", "cuda", "emul" */
  int host_memory;  /* 1: the device's pointers may be read by the host */

  int (*alloc)(void **out, size_t bytes); /* LRN_ENOMEM without a message */
  void (*free)(void *p);
  int (*upload)(void *dst, const void *src_host, size_t bytes);
  int (*download)(void *dst_host, const void *src, size_t bytes);
  int (*sync)(void);

  /* out = op(in...): views of one shape; out of dtype bool for COMPARE and TEST, else of the
     computing type `dtype`, as the inputs are (SELECT: in[0] is bool). COPY: any dtypes;
     a scalar is read as a double; a value that the new dtype cannot hold is LRN_EVALUE on the
     CPU. out may equal an input,
     but not overlap one otherwise. */
  int (*map)(int op, int dtype, const lrn_view *out, const lrn_operand *in, int n);
  /* out[k...] = reduction over r... of x[k..., r...] (and y, of the same sizes; may be NULL).
     The first nkeep dimensions of x are out's. SUM rows are divided by `divisor`; out is of x's
     dtype for floats, int64 for sums of the others, x's dtype for FOLD. */
  int (*reduce)(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
                double divisor);
  /* out[k...] (int64) = base + flat position over r... of the first extreme. */
  int (*argextreme)(int max, const lrn_view *out, const lrn_view *x, int nkeep, int64_t base);
  /* out[.., i, ..] = in[.., idx[.., i, ..], ..] along `dim`; idx int64 of out's shape. put:
     out[.., idx[..], ..] = in, idx of in's shape. One dtype. LRN_EVALUE for a bad position. */
  int (*gather)(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                int64_t base);
  int (*put)(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim, int64_t base);
  /* C (m x n, ldc) = alpha op(A) op(B) + beta C; op(A) is m x k. Row-major; trans: 0 or 1.
     Cut into slices on a grid that depends on the shape alone. */
  int (*gemm)(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
              const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
              int64_t ldc);
  /* C (m x n, contiguous) = alpha op(A) op(B), where many values of A may be 0: what they meet in B may
     be left out, NaN included. May be NULL: then gemm serves. */
  int (*gemm_sparse)(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                     const void *a, int64_t lda, const void *b, int64_t ldb, void *c);
  /* Contiguous out, of any dtype; p: contiguous, float32 or float64 as p_dtype says. */
  int (*random)(const lrn_view *out, int dist, double a, double b, lrn_key key);
  int (*bernoulli)(const lrn_view *out, const void *p, int p_dtype, lrn_key key);

  /* The step's own: contiguous arrays, nothing allocated. */
  int (*unit)(const lrn_unit_args *args);
  int (*unit_map)(const lrn_unit_map_args *args);
  int (*load)(const lrn_load_args *args);
  int (*flip)(const lrn_flip_args *args);
  int (*rung)(const lrn_rung_args *args);
  int (*update)(const lrn_update_args *args);
  /* Ratings. x (rows x hidden) = sum over a row's entries of W of its unit, and D of its item. */
  int (*rated_up)(const lrn_rated *batch, const uint8_t *level, void *x);
  int (*rated_down)(const lrn_rated *batch, const lrn_rated_down_args *args);
  int (*rated_gradient)(const lrn_rated *batch, const lrn_rated_gradient_args *args);
  /* gW += strength times what is left of each item's W, seen as a function of the level, without the
     straight line that is nearest to it. Of `batch` the model alone is read. */
  int (*rated_smooth)(const lrn_rated *batch, double strength, void *gW);
};

struct lrn_device {
  lrn_backend backend;
  char name[16];
};

/* What a plug-in (liblrn_cuda.so, liblrn_emul.so) exports: fills *out, or fails with the
   reason why the device cannot be used. `abi` guards against a plug-in of another build. */
#define LRN_BACKEND_ABI 9
#define LRN_BACKEND_ENTRY "lrn_backend_open"
typedef int (*lrn_backend_entry)(int abi, lrn_backend *out);

/* The CPU's table (cpu/cpu.c). */
void lrn_cpu_backend(lrn_backend *out);

/* "not on this device": for a slot that is NULL */
int lrn_no_slot(const lrn_device *device, const char *slot);
#define LRN_SLOT(device, slot) \
  ((device)->backend.slot != NULL ? LRN_OK : lrn_no_slot((device), #slot))

#endif
