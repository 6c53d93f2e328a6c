/*
** dbm.h - deep Boltzmann machines from the inside.
**
** Layer 0 is visible, 1 to `layers` are hidden. Neighbours are an RBM each, pair i of the layers i and
** i + 1, so that a layer's unit, bias and draws are those of the pair in which it is the hidden one
** (of layer 0: the visible one of pair 0). Every weight joins a layer of an even number with one of an
** odd number: given all even layers the odd ones are independent, and the other way round.
**
**   v = 0 ---W1--- 1 ---W2--- 2 ---W3--- 3      pair[0] = (W1, a, b1), pair[1] = (W2, b2), ...
*/
#ifndef LRN_MODEL_DBM_H
#define LRN_MODEL_DBM_H

#include "model/model.h"

struct lrn_dbm {
  int layers;
  int64_t units[LRN_DBM_LAYERS + 1];
  lrn_rbm *pair[LRN_DBM_LAYERS]; /* those above the first have no a: it is the b below */
};

/* Workspaces of the pairs: pair i has the rows of layer i + 1 in q, pair 0 those of layer 0 in v; spare
   and h are as wide as its hidden layer. Counters and sums are those of pair 0. */
struct lrn_dbm_work {
  int layers;
  lrn_work *pair[LRN_DBM_LAYERS];
  /* of mean field, as many rows as the workspace has for data: v W; how far a row's means moved, and
     whether it still moves; the largest move */
  int64_t rows;
  lrn_tensor *first, *moved, *move, *active, *most;
  int64_t negative_at, negative_rows;
};

enum { LRN_EVEN = 0, LRN_ODD = 1 };

static inline const lrn_rbm *lrn_dbm_pair(const lrn_dbm *m, int layer) {
  return m->pair[layer > 0 ? layer - 1 : 0];
}
static inline int lrn_dbm_side(int layer) { return layer > 0 ? LRN_SIDE_HIDDEN : LRN_SIDE_VISIBLE; }
/* Rows of a layer: [data; negative phase] one below the other. */
static inline lrn_tensor *lrn_dbm_rows(const lrn_dbm_work *w, int layer) {
  return layer > 0 ? w->pair[layer - 1]->q : w->pair[0]->v;
}
/* Room for one more set of inputs, and of states, of a layer. */
static inline void *lrn_dbm_spare(const lrn_dbm_work *w, int layer) {
  return w->pair[layer > 0 ? layer - 1 : 0]->spare->view.data;
}
static inline void *lrn_dbm_states(const lrn_dbm_work *w, int layer) {
  return w->pair[layer - 1]->h->view.data;
}
static inline int64_t lrn_dbm_stride(const lrn_dbm_work *w) {
  return w->rows < LRN_INFER_ROWS ? w->rows : LRN_INFER_ROWS;
}
static inline int64_t lrn_dbm_piece(const lrn_dbm_work *w, int64_t n, int64_t at) {
  return n - at < lrn_dbm_stride(w) ? n - at : lrn_dbm_stride(w);
}

int lrn_dbm_check_work(const lrn_dbm *m, const lrn_dbm_work *w, int64_t rows, int train, const char *f);

/* x = alpha (rows of the layer below W + rows of the layer above W'), without the bias; `below` of layer
   1 may be given as the product v W itself. */
int lrn_dbm_input(const lrn_dbm *m, int layer, void *x, const void *below, const void *above,
                  const void *product, int64_t rows, double alpha);
/* lrn_activate, lrn_map_units and lrn_key_of of a layer. */
int lrn_dbm_activate(const lrn_dbm *m, int layer, const void *x, int64_t rows, void *mean, void *state,
                     lrn_key key, lrn_unit_args *extra);
int lrn_dbm_map(const lrn_dbm *m, int layer, int part, void *out, const void *x, int64_t rows);
lrn_key lrn_dbm_key(const lrn_dbm *m, int layer, uint64_t step, int stream, int draw, int64_t row);

/* F[r] = beta F[r] + alpha times the sum over the units of row r of x, or of x y; y rows, or one row for
   all where `repeated`. part: room for `rows` values. */
int lrn_dbm_add_sums(const lrn_dbm *m, int layer, void *F, void *part, const void *x, const void *y,
                     int repeated, int64_t rows, double alpha, double beta);
/* F = beta F + sum over units of self(s) - bias s; and minus the sum of A(x + bias), x overwritten. */
int lrn_dbm_add_own(const lrn_dbm *m, const lrn_dbm_work *w, int layer, void *F, const void *s,
                    int64_t rows, double beta);
int lrn_dbm_add_cumulants(const lrn_dbm *m, const lrn_dbm_work *w, int layer, void *F, void *x,
                          int64_t rows);

/* {=== dbm_field.c === */

/* Mean field of n rows in layer 0: means of the hidden layers, the odd ones given the even ones; states
   (NULL: not wanted) of the odd ones, drawn with draw 0 of step and stream, into lrn_dbm_states. */
int lrn_dbm_field(const lrn_dbm *m, lrn_dbm_work *w, int64_t n);
int lrn_dbm_odd_layers(const lrn_dbm *m, lrn_dbm_work *w, int64_t n, int states, uint64_t step,
                       int stream, int64_t row);
/* F (n values of the model's dtype): the variational free energy of those rows. */
int lrn_dbm_field_energy(const lrn_dbm *m, lrn_dbm_work *w, void *F, int64_t n);

/* ===} */

/* One half of a sweep: the layers of that parity drawn given the others, in place; s[l]: n rows of layer
   l, of which the first is number `row`. mean (NULL: not wanted) gets the means of layer 0, and extra
   (or NULL) goes along with its draw. */
int lrn_dbm_draw(const lrn_dbm *m, void *const *s, int parity, int64_t n, uint64_t step, int stream,
                 int draw, int64_t row, void *mean, lrn_unit_args *extra);

/* A float64 copy on the CPU: its energies. */
int lrn_dbm_double(lrn_dbm **out, const lrn_dbm *m);

#endif
