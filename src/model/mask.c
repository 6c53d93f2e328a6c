/*
** mask.c - parts of a model that are left out of one training step.
**
**   dropout      r ~ Bern(1 - p) for each row and hidden unit: states and means of h are r h in
**                both phases (Srivastava et al. 2014, section 8); units in groups: one r a group, so
**                that what is left is a model
**   dropconnect  M ~ Bern(1 - p) for each weight, one M a batch: the step sees M * W (Wan et al.
**                2013, who draw one a row)
**   edropout     after a step of CD without a mask, I = (q- / q+) / max over the row's units; a unit
**                is kept where I < t, t uniform (Roder et al. 2020, arXiv 2101.06741; the change of
**                energy that they divide by cancels in I)
**
** Outside of training all units and weights are there, and where a part p of them was missing their
** inputs are multiplied by 1 - p.
*/
#include "model/model.h"

/* What I is kept from dividing by. */
static const double TINY = 1e-10;

double lrn_kept(const lrn_rbm *m, int side) {
  const lrn_rbm_options *o = &m->options;
  int thinned = o->mask == LRN_MASK_DROPCONNECT ||
                (o->mask == LRN_MASK_DROPOUT && side == LRN_SIDE_VISIBLE);
  return (thinned ? 1 - o->dropout : 1) * (side == LRN_SIDE_HIDDEN ? o->up_scale : o->down_scale);
}

int lrn_make_masks(lrn_work *w, const lrn_rbm *m) {
  int64_t size[2] = {w->batch, w->n_hidden};
  switch (m->options.mask) {
    case LRN_MASK_NONE: return LRN_OK;
    case LRN_MASK_DROPOUT: size[0] += w->chains; break;
    case LRN_MASK_DROPCONNECT: size[0] = 2 * w->n_visible; break; /* M, and M * W */
  }
  LRN_TRY(lrn_tensor_new(&w->mask, w->dtype, 2, size, w->device));
  return lrn_tensor_fill(w->mask, 0);
}

static lrn_view rows_view(const lrn_work *w, const void *data, int64_t rows) {
  return lrn_rows_view(w->dtype, data, rows, w->n_hidden);
}

/* 1 with probability `keep` into rows of a mask */
static int draw(const lrn_rbm *m, const lrn_work *w, void *mask, int64_t rows, double keep,
                int number) {
  lrn_view v = lrn_flat_view(w->dtype, mask, rows * w->n_hidden);
  return w->device->backend.random(&v, LRN_BERNOULLI, keep, 0,
                                   lrn_key_of(m, w->state.step, LRN_STREAM_MASK, number, 0));
}

/* Of rows of a mask over hidden units: those of a group get the number of its first unit. */
static int spread_over_groups(const lrn_rbm *m, const lrn_work *w, void *mask, int64_t rows) {
  int64_t K = m->options.hidden_categories;
  lrn_view others = lrn_rows_view(w->dtype, mask, rows * w->n_hidden / K, K);
  lrn_operand first = {.view = others};
  if (K == 1)
    return LRN_OK;
  others.data = (char *)mask + lrn_dtype_size(w->dtype);
  others.size[1] = first.view.size[1] = K - 1;
  first.view.stride[1] = 0;
  return w->device->backend.map(LRN_OP_COPY, w->dtype, &others, &first, 1);
}

static int draw_rows(const lrn_rbm *m, const lrn_work *w, void *mask, int64_t rows, int number) {
  LRN_TRY(draw(m, w, mask, rows, 1 - m->options.dropout, number));
  return spread_over_groups(m, w, mask, rows);
}

static int combine(const lrn_work *w, int op, const lrn_view *out, const lrn_view *a,
                   const lrn_view *b) {
  lrn_operand in[2] = {{.view = *a}, {.view = *b}};
  return w->device->backend.map(op, w->dtype, out, in, 2);
}

int lrn_masked(const lrn_work *w, void *x, const void *mask, int64_t rows) {
  lrn_view v = rows_view(w, x, rows), r = rows_view(w, mask, rows);
  return mask == NULL || x == NULL ? LRN_OK : combine(w, LRN_OP_mul, &v, &v, &r);
}

int lrn_draw_row_masks(const lrn_rbm *m, lrn_work *w, int64_t rows) {
  LRN_TRY(draw_rows(m, w, w->mask->view.data, rows, 0));
  return w->chains > 0 ? draw_rows(m, w, lrn_row(w->mask, w->batch), w->chains, 1) : LRN_OK;
}

int lrn_draw_weight_mask(const lrn_rbm *m, lrn_work *w) {
  int64_t V = w->n_visible;
  lrn_view M = rows_view(w, w->mask->view.data, V), W, MW;
  LRN_TRY(draw(m, w, M.data, V, 1 - m->options.dropout, 0));
  W = rows_view(w, m->parameter[LRN_PARAMETER_W]->view.data, V);
  MW = rows_view(w, lrn_row(w->mask, V), V);
  return combine(w, LRN_OP_mul, &MW, &M, &W);
}

/* q- is stored as -q-; t is drawn into w->h, which the next phase overwrites; the rows' maxima go
   to w->scratch, whose doubles have room for either type. */
int lrn_draw_importance_mask(const lrn_rbm *m, lrn_work *w, int64_t rows) {
  const lrn_backend *b = &w->device->backend;
  lrn_view plus = rows_view(w, w->q->view.data, rows), minus = rows_view(w, lrn_row(w->q, rows), rows);
  lrn_view I = rows_view(w, w->mask->view.data, rows), t = rows_view(w, w->h->view.data, rows);
  lrn_view most = lrn_flat_view(w->dtype, w->scratch->view.data, rows);
  lrn_view spread = t, flat = lrn_flat_view(w->dtype, t.data, rows * w->n_hidden);
  lrn_operand add[2] = {{.view = plus}, {.is_scalar = 1, .d = TINY}};
  lrn_operand floor_at_0[2] = {{.view = I}, {.is_scalar = 1, .d = 0}};
  LRN_TRY(b->map(LRN_OP_add, w->dtype, &I, add, 2));
  LRN_TRY(combine(w, LRN_OP_div, &I, &minus, &I));
  add[0].view = I;
  LRN_TRY(b->map(LRN_OP_neg, w->dtype, &I, add, 1));
  LRN_TRY(b->reduce(LRN_RED_max, &most, &I, NULL, 1, 1));
  add[0].view = most;
  LRN_TRY(b->map(LRN_OP_add, w->dtype, &most, add, 2));
  spread.data = most.data;
  spread.stride[0] = 1;
  spread.stride[1] = 0;
  LRN_TRY(combine(w, LRN_OP_div, &I, &I, &spread));
  LRN_TRY(b->random(&flat, LRN_UNIFORM, 0, 1,
                    lrn_key_of(m, w->state.step, LRN_STREAM_MASK, 0, 0)));
  /* 1 where t > I, else 0: t - I is in [-1, 1) */
  LRN_TRY(combine(w, LRN_OP_sub, &I, &t, &I));
  LRN_TRY(b->map(LRN_OP_ceil, w->dtype, &I, floor_at_0, 1));
  return b->map(LRN_OP_maximum, w->dtype, &I, floor_at_0, 2);
}
