/*
** model.h - models from the inside, for model/.
**
** A model is a visible and a hidden layer of units (rows of kernel/unit.def) and a link between
** them, which turns the states of one into inputs of the other. The step, inference and
** enumeration are written over these and know neither the units nor the link.
**
** parameters and gradient: one buffer each,  | W ... | a ... | b ... |, see parameters.def
*/
#ifndef LRN_MODEL_MODEL_H
#define LRN_MODEL_MODEL_H

#include "base/mem.h"
#include "base/status.h"
#include "tensor/tensor.h"

typedef struct lrn_link lrn_link;

enum { LRN_SIDE_HIDDEN = 0, LRN_SIDE_VISIBLE = 1 };
enum { LRN_INFER_ROWS = 512 }; /* rows that inference computes at once */
enum {
#define PARAMETER(ENUM, name, rows, columns, weights, start) LRN_PARAMETER_##ENUM,
#include "model/parameters.def"
#undef PARAMETER
  LRN_PARAMETERS
};

enum { LRN_STAT_MEAN, LRN_STAT_STD, LRN_STATS };
enum { LRN_MEAN_V = 0, LRN_MEAN_H = 1, LRN_MEAN_SPARSE = 2, LRN_MEAN_Y = 3, LRN_MEANS = 4 };

/* The epoch's sums over rows, of w->sums. */
enum { LRN_SUM_ERROR, LRN_SUM_MSE, LRN_SUM_PL, LRN_SUM_LOSS, LRN_SUM_HITS, LRN_SUM_LABELLED,
       LRN_SUMS };

/* Buffers of models with labels (label.c), C = n_classes wide unless noted. */
enum {
  LRN_LABEL_Y,       /* states of both phases, beside those in w->v */
  LRN_LABEL_SCORE,   /* batch rows: s_y, then log P(y | v) */
  LRN_LABEL_P,       /* batch rows: P(y | v) */
  LRN_LABEL_WEIGHT,  /* batch rows: weights of a mixture */
  LRN_LABEL_BIAS,    /* C x H: b + U */
  LRN_LABEL_MIX,     /* batch x H: E[h | v+] */
  LRN_LABEL_NUMBER,  /* int64, batch: classes from 0, -1 for none */
  LRN_LABEL_CLASSES, /* int64: 0, 1, ... */
  LRN_LABEL_HOT,     /* bool, batch rows */
  LRN_LABEL_BUFFERS
};

struct lrn_rbm {
  lrn_rbm_options options; /* options.device is never NULL */
  const lrn_link *link;
  lrn_tensor *theta;                     /* all parameters, 1-d */
  lrn_tensor *parameter[LRN_PARAMETERS]; /* views on it; NULL for those that it has not */
  /* standardise.c; NULL before the first data, and without `normalize` */
  lrn_tensor *stat[LRN_STATS]; /* mean and std of visible units, float64 on the CPU; std 0: constant */
  lrn_tensor *standard;        /* the vectors that follow from them, on the model's device */
  int64_t constants;           /* how many */
  /* Vectors of n_visible values; NULL where there is nothing to do */
  const void *shift, *scale; /* rows of data become (v - shift) scale */
  const void *gain;          /* of the noise of visible states */
  /* variance.c: where variances are learned, a call works on a copy of the model with these */
  const void *up;          /* V x H: the weights on the way up, W / s */
  const void *precision;   /* 1 / s */
  const void *narrow;      /* 1 / sigma */
  const void *energy_bias; /* a / s */
};

struct lrn_work {
  int64_t batch, chains, n_visible, n_hidden; /* chains: rows of all rungs */
  int dtype, train;
  const lrn_device *device;
  /* Activations; rows: [v+; v-] and [q+; q-] are stacked, so that the gradient is one product
     over both phases. `spare` holds the reconstructions of a PCD step. */
  lrn_tensor *v;     /* (batch + max(batch, chains)) x V */
  lrn_tensor *q;     /* the same x H */
  lrn_tensor *h;     /* max(batch, chains) x H: states */
  lrn_tensor *spare; /* batch x V */
  lrn_tensor *scratch; /* float64: partial sums of metrics; one value a row */
  lrn_tensor *sums;    /* float64, LRN_SUMS: of the epoch so far */
  lrn_tensor *sum;     /* float64: one number */
  lrn_tensor *bad;     /* int64, one a parameter: step at which it stopped being finite */
  /* Training */
  lrn_tensor *gradient, *g[LRN_PARAMETERS];
  lrn_tensor *momentum, *m[LRN_PARAMETERS];
  lrn_tensor *second, *s[LRN_PARAMETERS]; /* Adam's second moments; NULL without it */
  lrn_tensor *mean[LRN_MEANS]; /* running means (aids.c), and which of them have begun */
  int means_begun;
  lrn_tensor *norm; /* n_hidden: squared norms of gradient or weights */
  lrn_tensor *chain; /* chains x H: hidden states, persistent rows for each of `rungs` rungs */
  int64_t rungs;     /* 1: no tempering */
  struct lrn_ladder *ladder;                    /* of the rungs; NULL for one */
  lrn_tensor *fast, *fast_part[LRN_PARAMETERS];   /* fast weights (chains.c); NULL without them, */
  lrn_tensor *quick, *quick_part[LRN_PARAMETERS]; /* and the parameters plus them */
  lrn_tensor *mask;  /* see lrn_make_masks; NULL without one */
  lrn_tensor *absent; /* batch x V: 1 where the row of w->v lacks a unit, else 0; NULL without `missing` */
  lrn_tensor *label[LRN_LABEL_BUFFERS]; /* NULL without labels */
  /* Weights of the rows of [v+; v-] of the last gradient (weigh.c). NULL before the first use;
     weighed: rows of data they are for, 0: none. */
  lrn_tensor *weight;
  int64_t weighed;
  lrn_tensor *up, *sight; /* see lrn_see; NULL where variances are 1 */
  struct lrn_enumeration *exact; /* of rule exact, else NULL */
  struct lrn_ratings_work *rated; /* ratings.c; NULL before the first use */
  lrn_state state;   /* sums are on the device, not here */
  int64_t negative_at, negative_rows; /* v- of the last step: rows of v */
};

/* What a link does. x and u are inputs of units without biases; all arrays contiguous, rows
   first. */
struct lrn_link {
  const char *name;
  /* x = alpha v W; u = alpha h W' */
  int (*up)(const lrn_rbm *m, void *x, const void *v, int64_t rows, double alpha);
  int (*down)(const lrn_rbm *m, void *u, const void *h, int64_t rows, double alpha);
  /* gW = alpha v' h */
  int (*gradient)(const lrn_rbm *m, void *gW, double alpha, const void *v, const void *h,
                  int64_t rows);
};
extern const lrn_link lrn_link_dense;

/* Sweeps of one chain: each takes two draws, whose numbers, 32 bits in the key, would repeat. */
#define LRN_MOST_STEPS ((1 << 30) - 1)

/* One layer as seen from its units. */
typedef struct lrn_layer {
  int unit;
  int64_t units, categories; /* of a group; 1: no groups */
  const void *bias;
} lrn_layer;
lrn_layer lrn_layer_of(const lrn_rbm *m, int side);

/* Contiguous memory as rows x units, and as n elements. */
static inline lrn_view lrn_rows_view(int dtype, const void *data, int64_t rows, int64_t units) {
  lrn_view v = {.data = (void *)(uintptr_t)data, .dtype = dtype, .nd = 2, .size = {rows, units},
                .stride = {units, 1}};
  return v;
}
static inline lrn_view lrn_flat_view(int dtype, const void *data, int64_t n) {
  lrn_view v = {.data = (void *)(uintptr_t)data, .dtype = dtype, .nd = 1, .size = {n},
                .stride = {1}};
  return v;
}

/* {=== parameters.c === */

/* A zeroed buffer of all parameters' size, and its views; NULL for those that the options leave
   out. On failure what was made stays in *whole and views, for the caller to free. */
int lrn_parameter_buffer(lrn_tensor **whole, lrn_tensor *views[LRN_PARAMETERS],
                         const lrn_rbm_options *o);
/* The values that a new model's parameters have. */
int lrn_parameters_start(lrn_rbm *m);
/* The i-th of a set of tensors named as the parameters, of those that are there; NULL past the end. */
lrn_tensor *lrn_named_parameter(lrn_tensor *const set[LRN_PARAMETERS], int i, const char **name);
/* Of LRN_PARAMETER_...: its name, and whether decay acts on it. */
const char *lrn_parameter_name(int i);
int lrn_parameter_is_weights(int i);

/* ===} */

int lrn_all_zero(int *out, const lrn_tensor *t);

/* Address of row r of a two-dimensional workspace tensor. */
void *lrn_row(const lrn_tensor *t, int64_t r);

/* LRN_OK where models with these options can have so many replicas; f names the caller. */
int lrn_check_tempered(const lrn_rbm_options *o, int64_t replicas, const char *f);

/* Whether the pseudo-likelihood of its visible units can be had. */
int lrn_has_pl(const lrn_rbm *m);

/* The input of `side` from `rows` states of the other side. */
int lrn_input(const lrn_rbm *m, int side, void *out, const void *states, int64_t rows);

/* unit slot on rows of inputs x (without bias): see lrn_unit_args. */
int lrn_activate(const lrn_rbm *m, int side, const void *x, int64_t rows, void *mean, void *state,
                 lrn_key key, lrn_unit_args *extra);

/* unit_map slot on rows of states or inputs (with bias) of a side; out may be x. */
int lrn_map_units(const lrn_rbm *m, int side, int part, void *out, const void *x, int64_t rows);

lrn_key lrn_key_of(const lrn_rbm *m, uint64_t step, int stream, int draw, int64_t first);

/* The rows of a data tensor as the model sees them; `function` names the caller. The rows must
   lie on the model's device, each row contiguous. */
typedef struct lrn_rows {
  const void *data;
  int dtype;
  int64_t n, stride;
  void *absent; /* where loaded rows leave what they lack; NULL at first: a NaN is an error */
} lrn_rows;
int lrn_rows_shape(lrn_rows *out, const lrn_rbm *m, const lrn_tensor *data, const char *function);
int lrn_rows_of(lrn_rows *out, const lrn_rbm *m, const lrn_tensor *data, const char *function);

/* For inference: the same from any device and strides; *held keeps what had to be copied. */
int lrn_rows_any(lrn_rows *out, lrn_tensor **held, const lrn_rbm *m, const lrn_tensor *data,
                 const char *function);

/* count rows into `out` (contiguous, of the model's dtype); a value that is not finite is
   LRN_ENUMERIC. */
int lrn_load_rows(const lrn_rbm *m, void *out, const lrn_rows *rows, const int64_t *idx,
                  int64_t base, int64_t first, int64_t count, int round, const char *function);

/* Inference goes by pieces of the same size however large the workspace has become: a product's
   bits may depend on its number of rows, and results must not depend on what was called before. */
static inline int64_t lrn_stride(const lrn_work *w) {
  return w->batch < LRN_INFER_ROWS ? w->batch : LRN_INFER_ROWS;
}
static inline int64_t lrn_piece(const lrn_work *w, int64_t n, int64_t at) {
  return n - at < lrn_stride(w) ? n - at : lrn_stride(w);
}
/* Row `row` of rows of `units` values, NULL where there is no tensor. */
static inline void *lrn_row_at(const lrn_tensor *t, int64_t row, int64_t units) {
  return t == NULL ? NULL
                   : (char *)t->view.data + row * units * (int64_t)lrn_dtype_size(t->view.dtype);
}
/* An output of the caller: the model's dtype and device, contiguous, rows x units; or NULL. */
int lrn_check_output(const lrn_rbm *m, const lrn_tensor *t, int64_t rows, int64_t units,
                     const char *function, const char *name);

/* h given n rows of v in w->v, from inputs in w->q: the label, where the model has one, is summed out of
   the means and drawn for the states. */
int lrn_hidden_of(const lrn_rbm *m, lrn_work *w, int64_t n, void *mean, void *state, lrn_key key);

/* Rows of hidden values, from any device and of any dtype, as the model has them; caller frees. */
int lrn_hidden_rows(lrn_tensor **out, int64_t *n, const lrn_rbm *m, const lrn_tensor *h,
                    const char *function);

/* The workspace fits the model and has room for `rows`. */
int lrn_check_work(const lrn_rbm *m, const lrn_work *w, int64_t rows, int train,
                   const char *function);

/* F of rows of states of `side` (states contiguous, rows <= batch), into F (rows, of the
   model's dtype): sum self - bias . s - sum A(input of the other side). Uses w->q and w->spare
   (or their counterparts), so `states` must be w->v or lie outside of the workspace. */
int lrn_side_energy(const lrn_rbm *m, lrn_work *w, int side, void *F, const void *states,
                    int64_t rows);

/* {=== standardise.c === */

/* Statistics of the data, which may lie on any device, and what follows from them; weights and biases of
   constant units become 0. LRN_ENUMERIC names the first value that is not finite. */
int lrn_standardise_by(lrn_rbm *m, const lrn_tensor *data);
/* From n_visible means and standard deviations; on failure the model is as before. */
int lrn_set_statistics(lrn_rbm *m, const double *mean, const double *std);
void lrn_free_statistics(lrn_rbm *m);
/* 1 for units that are not constant, 0 for others; NULL where none is. */
const void *lrn_live(const lrn_rbm *m);
/* Rows of visible values as the user sees them, in place; nothing for NULL, and without statistics. */
int lrn_to_data_units(const lrn_rbm *m, void *v, int64_t rows);
/* Widths, deviations say, of them: multiplied alone. */
int lrn_to_data_widths(const lrn_rbm *m, void *v, int64_t rows);
/* log of the volume of data that one of standardised data has: sum of log std. */
double lrn_log_spread(const lrn_rbm *m);

/* ===} */

/* {=== variance.c === */

int lrn_make_sight(lrn_work *w, const lrn_rbm *m);
/* *seen, a copy of a model, becomes what this call works on. */
int lrn_see(lrn_rbm *seen, lrn_work *w);
/* The gradient of a model with variances from that with s = 1 of n rows of data and `rows` negative
   ones, in place. */
int lrn_variance_gradient(const lrn_rbm *seen, lrn_work *w, int64_t n, int64_t rows);
int lrn_limit_variance(lrn_rbm *m, lrn_work *w);
/* What log Z has beside the sum over hidden states: log of sigma, nothing of a constant unit. d is of
   lrn_rbm_double. */
double lrn_log_volume(const lrn_rbm *d);
/* 1 / sigma, n_visible values, of p's dtype and device; and W and a of p, a plain copy of m, times it. */
int lrn_narrow(lrn_tensor **out, const lrn_rbm *p, const lrn_rbm *m);
int lrn_narrow_parameters(lrn_rbm *p, const lrn_rbm *m);

/* ===} */

/* {=== clamp.c === */

/* Visible units that are held; all NULL: none is. */
typedef struct lrn_clamp {
  lrn_tensor *mask;   /* bool: 1 or n rows of n_visible */
  lrn_tensor *values; /* 1 or n rows, 0 where nothing is held; of any dtype */
  lrn_tensor *held;   /* those of the rows at hand, as the model has them, */
  lrn_tensor *given;  /* and as results have them; NULL: the same */
  int64_t at;         /* the first of these rows */
} lrn_clamp;
/* For n rows, `most` of them at a time, into an empty *c; f names the caller. On failure what was made is
   for the caller to free. NULL, NULL: stays empty. */
int lrn_clamp_make(lrn_clamp *c, const lrn_rbm *m, const lrn_tensor *mask, const lrn_tensor *values, int64_t n,
                   int64_t most, const char *f);
void lrn_clamp_free(lrn_clamp *c);
/* The rows at hand are n from `at` on. */
int lrn_clamp_load(lrn_clamp *c, const lrn_rbm *m, int64_t at, int64_t n, const char *f);
/* Held values into n rows of visible states (or means) of the model, and into those of a result, which are in
   units of the data; nothing for NULL, and where none is held. */
int lrn_clamp_put(const lrn_clamp *c, const lrn_rbm *m, void *v, int64_t n);
int lrn_clamp_put_given(const lrn_clamp *c, const lrn_rbm *m, void *v, int64_t n);

/* ===} */

/* {=== mask.c === */

/* What the inputs of a side are multiplied by: outside of training for what is missing there, and always by
   the side's scale. */
double lrn_kept(const lrn_rbm *m, int side);
/* w->mask for the workspace's batch and chains; nothing without a mask. */
int lrn_make_masks(lrn_work *w, const lrn_rbm *m);
/* x (rows x H) *= mask; nothing where one of them is NULL. */
int lrn_masked(const lrn_work *w, void *x, const void *mask, int64_t rows);
/* Draw the masks of this step: dropout's for `rows` rows of data (row 0 on) and for the chains
   (row w->batch on); dropconnect's M (row 0 on) and M * W (row V on); edropout's from q+ and q-
   of `rows` rows in w->q. */
int lrn_draw_row_masks(const lrn_rbm *m, lrn_work *w, int64_t rows);
int lrn_draw_weight_mask(const lrn_rbm *m, lrn_work *w);
int lrn_draw_importance_mask(const lrn_rbm *m, lrn_work *w, int64_t rows);

/* ===} */

/* {=== missing.c === */

/* w->absent for the workspace's batch, and a row for lrn_absent_share; nothing without `missing`. */
int lrn_make_absent(lrn_work *w, const lrn_rbm *m);
/* Its first row, NULL without `missing`: for lrn_rows and lrn_unit_args. */
static inline void *lrn_absent(const lrn_rbm *m, const lrn_work *w) {
  return m->options.missing ? w->absent->view.data : NULL;
}
/* n rows of visible values, which are those that were loaded: 0, or NaN, for what is absent; through the
   spare buffer. Nothing without `missing`. */
int lrn_leave_out(const lrn_rbm *m, const lrn_work *w, void *v, int64_t n);
int lrn_nan_for_absent(const lrn_rbm *m, const lrn_work *w, void *v, int64_t n);
/* *out (V values in the workspace): the share of the n rows, with their weights, that lacks a unit. */
int lrn_absent_share(lrn_view *out, const lrn_work *w, int64_t n);
/* The status of a function that has no use for rows with missing values; says so where they may have
   been meant. */
int lrn_wants_whole_rows(int st, const lrn_rbm *m, const char *function);

/* ===} */

/* {=== tempering.c === */

enum { LRN_LADDER_NUMBERS = 3 };
/* Rungs of chains. Rows of states: those of one rung after those of another, `chains` each. */
typedef struct lrn_ladder {
  int64_t rungs, chains;
  uint64_t swaps, since; /* rounds of swaps so far, and when the rates began anew */
  lrn_tensor *beta;      /* float64, on the CPU: 1 > ... > 0 */
  lrn_tensor *base;      /* n_visible: a0; the caller's to fill */
  lrn_tensor *rate;      /* float64: see tempering.c */
  lrn_tensor *zero, *change[2], *part[2], *number[LRN_LADDER_NUMBERS], *accepted, *table, *host, *seen;
} lrn_ladder;
/* For rungs x chains rows, rungs >= 2; betas in equal steps, base 0. */
int lrn_ladder_new(lrn_ladder **out, const lrn_rbm *m, int64_t rungs, int64_t chains);
void lrn_ladder_free(lrn_ladder *l);
size_t lrn_ladder_bytes(const lrn_ladder *l);
/* LRN_EVALUE for betas that do not fall from 1 to 0. */
int lrn_ladder_set(lrn_ladder *l, const double *beta);
/* As a new one with these betas (rungs of them; NULL: equal steps), but for the base. */
int lrn_ladder_reset(lrn_ladder *l, const double *beta);
/* Rates are counted anew. */
int lrn_ladder_restart(lrn_ladder *l);
/* The mean acceptance of rungs - 1 pairs; NaN before a pair was asked. */
int lrn_ladder_rates(const lrn_ladder *l, double *rate);
/* Before sweeps, and after parameters have changed: m as in all that follows. */
int lrn_ladder_begin(lrn_ladder *l, const lrn_rbm *m);
/* States of all rungs given the others; mean: of the first rung, or NULL. y: labels, in place. x: v W + y U. */
int lrn_ladder_visible(const lrn_ladder *l, const lrn_rbm *m, void *v, void *mean, const void *h, lrn_key key);
int lrn_ladder_label(const lrn_ladder *l, const lrn_rbm *m, void *y, const void *h, lrn_key key);
int lrn_ladder_hidden(const lrn_ladder *l, const lrn_rbm *m, void *h, const void *x, lrn_key key);
/* One round of swaps of v and x, and of y (NULL: no labels) where it moves: it does not where it is given. */
int lrn_ladder_swap(lrn_ladder *l, const lrn_rbm *m, void *v, void *y, int y_moves, void *x, lrn_key key,
                    int adapts);

/* ===} */

/* {=== chains.c === */

/* Whether the persistent chains have neither fast weights nor rungs. */
int lrn_chains_are_plain(const lrn_rbm *m);
/* options.steps sweeps of chains that are not: v and y get visible states of all rungs, those of the model
   first, x the hidden inputs of the latter, without biases. */
int lrn_run_chains(const lrn_rbm *m, lrn_work *w, void *v, void *y, void *x);
/* After the gradient; nothing without fast weights. */
int lrn_update_fast(const lrn_rbm *m, lrn_work *w);

/* ===} */

/* {=== label.c; without labels (n_classes 0) the first six do nothing or give NULL === */

int lrn_make_labels(lrn_work *w, const lrn_rbm *m); /* for the workspace's batch and chains */
void lrn_free_labels(lrn_work *w);
void *lrn_label_row(const lrn_work *w, int64_t r); /* label states beside row r of w->v */
/* x (rows x H) += y U; and given h: P(y | h) and states of y, either may be NULL */
int lrn_label_up(const lrn_rbm *m, void *x, const void *y, int64_t rows);
int lrn_label_down(const lrn_rbm *m, void *mean, void *state, const void *h, int64_t rows,
                   lrn_key key);
/* The two halves of it, for models with labels: inputs without the bias, and states (and means) from them. */
int lrn_label_input(const lrn_rbm *m, void *u, const void *h, int64_t rows);
int lrn_label_states(const lrn_rbm *m, const void *u, int64_t rows, void *mean, void *state, lrn_key key);
/* x = v W + y U */
int lrn_hidden_input(const lrn_rbm *m, void *x, const void *v, const void *y, int64_t rows);
/* LRN_OK for NULL, else whether they are labels of that many rows of this model. */
int lrn_check_labels(const lrn_rbm *m, const lrn_tensor *labels, int64_t rows, const char *f);
/* The same of labels that come out, in any shape. */
int lrn_check_drawn_labels(const lrn_rbm *m, const lrn_tensor *labels, int64_t n, const char *f);
/* Labels drawn from the buffer LRN_LABEL_SCORE, as lrn_label_scores left it: one-hot rows. */
int lrn_label_draw(const lrn_rbm *m, const lrn_work *w, void *y, int64_t n, lrn_key key);
/* The classes, counted from base, of n one-hot (or any) rows y: where the largest value is. */
int lrn_label_numbers(const lrn_rbm *m, const lrn_work *w, int64_t *out, const void *y, int64_t n,
                      int64_t base);
/* One-hot rows of the batch's labels into lrn_label_row(w, 0); 0 where there is none. */
int lrn_load_labels(const lrn_rbm *m, lrn_work *w, const lrn_batch *b, const char *f);
/* From n rows of x = v W (without the bias): log P(y | v) and P(y | v) into their buffers. */
int lrn_label_scores(const lrn_rbm *m, lrn_work *w, const void *x, int64_t n);
/* The cumulant of the side that lies across from states of `side`: what the label adds to it, or, for
   visible ones, hidden and label in one. x: v W, or the states h. n values into w->scratch, of the
   model's dtype. */
int lrn_label_cumulant(const lrn_rbm *m, lrn_work *w, int side, const void *x, int64_t n);
/* E[h | v] and a state of h given v, the label summed out or drawn: from x = v W, which is overwritten.
   mean may be x. */
int lrn_label_hidden(const lrn_rbm *m, lrn_work *w, void *x, int64_t n, void *mean, void *state,
                     lrn_key key);
/* The share of the generative part in the gradient: alpha; 1 without labels. */
double lrn_generative(const lrn_rbm *m);
/* The positive phase from x = v+ W in w->q: [q+] there becomes what the gradient of W takes, U and c get
   their gradients, h (NULL: not wanted) its states. metrics: loss and hits are added up. aids: E[h | v+]
   goes to LRN_LABEL_MIX. Row n of w->q and what follows is overwritten. */
int lrn_label_positive(const lrn_rbm *m, lrn_work *w, int64_t n, void *h, int metrics, int aids);
/* The negative phase's share of the gradients of U and c. */
int lrn_label_negative(const lrn_rbm *m, lrn_work *w, int64_t n, int64_t rows);

/* ===} */

/* *out = column sums of `rows` rows at x, contiguous and as wide as out, over divisor (step.c). */
int lrn_column_means(const lrn_rbm *m, const lrn_tensor *out, const void *x, int64_t rows,
                     double divisor);

/* The rows of a batch, and whether batch and workspace are as a step wants them (step.c). */
int lrn_check_batch(const lrn_rbm *m, const lrn_work *w, const lrn_batch *b, lrn_rows *rows,
                    const char *f);
/* st; a failure of the data gets the place in training that it happened at. */
int lrn_located(int st, const lrn_work *w);

/* The backend's update with rate and epsilon as the options have them; args->mark is the step, from 1
   on. */
int lrn_update_at(const lrn_device *device, lrn_update_args *args);

/* {=== weigh.c === */

/* Takes in the weights of n rows for the gradient that follows; NULL: none. */
int lrn_weigh(lrn_work *w, const lrn_tensor *weights, int64_t n, const char *function);
/* Rows of [q+; -q-] (from row `first` on, to row `end`) times their weights; nothing without. */
int lrn_weigh_means(const lrn_work *w, int64_t first, int64_t end);
/* out = beta out + alpha sum_r w_r x_r over n rows at x, as wide as out, whose weights begin with that of
   row `first` of both phases. */
int lrn_weighted_sum(const lrn_work *w, const lrn_view *out, const void *x, int64_t first, int64_t n,
                     double alpha, double beta);

/* ===} */

/* ratings.c */
void lrn_free_ratings(lrn_work *w);
size_t lrn_ratings_bytes(const lrn_work *w);

/* Sparsity and centring join the gradient of a step on n rows (aids.c). */
int lrn_join_aids(const lrn_rbm *m, lrn_work *w, int64_t n);
/* Their parts: sparsity of the hidden layer; running mean i takes in that of n rows at x, the first as it
   is; out (rows x columns) += alpha a b, of the inner size k, a' where transposed, all contiguous. */
int lrn_make_sparse(const lrn_rbm *m, lrn_work *w, int64_t n);
int lrn_take_in(const lrn_rbm *m, lrn_work *w, int i, const void *x, int64_t n, double rate);
int lrn_add_product(const lrn_work *w, void *out, int64_t rows, int64_t columns, int64_t k, double alpha,
                    const void *a, int transposed, const void *b);

/* A float64 copy of the model on the CPU: its energies, without a mask. */
int lrn_rbm_double(lrn_rbm **out, const lrn_rbm *m);
/* A copy as it is to be sampled and summed over: without mask or rule, with all noise, of visible units of
   variance 1 (v / sigma where variances are learned) in units of standardised rows; its log Z lacks
   lrn_volume. And the same again with the parameters that m has now. */
int lrn_rbm_plain(lrn_rbm **out, const lrn_rbm *m, int dtype, const lrn_device *device);
int lrn_plain_again(lrn_rbm *plain, const lrn_rbm *m);
int lrn_volume(double *log_volume, const lrn_rbm *m);

/* {=== ais.c === */

/* sum of A of n units whose inputs are x, or 0 for NULL; in double */
int lrn_sum_of_cumulants(double *sum, const lrn_rbm *m, int unit, int64_t n, int64_t categories,
                         const lrn_tensor *x);
/* The arguments of an annealing of that name. */
int lrn_check_ladder(const double *ladder, int64_t n);
int lrn_check_log_z(const lrn_tensor *log_z, const char *f);

/* ===} */

/* {=== moments.c === */

/* A layer whose states are the numbers of `digits` digits, each below `base`: units of two states, or
   groups of `base` units. */
enum { LRN_MOST_STATES = 1 << 24 };
typedef struct lrn_listing {
  int64_t digits, base, categories, states;
  double low, high;
} lrn_listing;
/* Whether the states of a layer can be listed. State number `code`: its lowest digit is that of the first
   unit or group. */
int lrn_list_layer(lrn_listing *out, const lrn_layer *l);
void lrn_write_state(double *s, const lrn_listing *l, int64_t code);

/* What an exact log Z of the model takes, and moments where they are wanted; `f` names the caller. */
typedef struct lrn_enumeration lrn_enumeration;
int lrn_enumeration_new(lrn_enumeration **out, const lrn_rbm *m, int moments, const char *f);
void lrn_enumeration_free(lrn_enumeration *e);
size_t lrn_enumeration_bytes(const lrn_enumeration *e);
/* log Z of m, which is as the model that it was made for but for its parameters; allocates nothing. */
int lrn_enumerate(lrn_enumeration *e, const lrn_rbm *m, double *log_z, int moments, const char *f);
/* Then: E[v h'], E[v], E[h] in one buffer as the parameters, of the model's dtype and device. */
const lrn_tensor *lrn_enumerated(const lrn_enumeration *e);
/* LRN_EUNSUPPORTED for a model with units without a density. */
int lrn_check_density(const lrn_rbm *m, const char *f);
/* Whether there is an exact log Z at all: LRN_OK, or LRN_EUNSUPPORTED with a message that begins with f. */
int lrn_check_exact(const lrn_rbm *m, const char *f);

/* ===} */

#endif
