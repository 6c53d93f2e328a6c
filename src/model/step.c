/*
** step.c - one training step, for every pair of units and every link.
**
**   positive  q+ = E[h | v+],  h ~ P(h | v+)
**   chain     k times:  v- ~ P(v | h),  h ~ P(h | v-)     from h (CD-k, Hinton 2002) or from the
**             stored chains (PCD-k, Tieleman 2008), which may have fast weights or rungs (chains.c)
**   negative  q- = E[h | v-]
**   gradient  of mean F(v+) - mean F(v-), v- held fixed:
**             gW = -<v+ q+> + <v- q->,  ga = -<v+> + <v->,  gb = -<q+> + <q->
**             (units without a density: their states in place of q)
**   weights   of rows (weigh.c): <.> is sum_r w_r (.)_r / sum_r w_r, of v- and q- as well,
**             but for the chains of PCD
**   masks     of mask.c leave out hidden units or weights, the same ones in both phases
**   exact     the rule of that name has E[v h'], E[v], E[h] of the model in place of a negative phase
**             (moments.c)
**   missing   values of a row are units that its model does not have, in both phases (missing.c)
**   labels    of label.c are visible units beside v, with a loss of their own
**   update    gW += decay W + l1 sign(W);  m = momentum m + g;  theta -= learning_rate m; or Adam
**
** The temperature acts in every activation. Draws: step = training step; CD: streams hidden and
** visible; PCD: stream chain, and one sweep from the data for the metrics. draw = 2 sweep + side.
*/
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "kernel/math.h"
#include "kernel/unit.h"
#include "model/model.h"

int lrn_check_batch(const lrn_rbm *m, const lrn_work *w, const lrn_batch *b, lrn_rows *rows,
                    const char *f) {
  const lrn_tensor *idx = b->idx;
  int64_t have;
  char text[LRN_SHAPE_MAX];
  LRN_TRY(lrn_rows_of(rows, m, b->data, f));
  if (idx != NULL && (idx->view.nd != 1 || idx->view.dtype != LRN_I64 ||
                      !lrn_tensor_is_contiguous(idx) ||
                      idx->storage->device != m->options.device))
    return lrn_fail(LRN_ETYPE, "%s: index: got %s, expected a contiguous int64 vector on %s", f,
                    lrn_tensor_text(text, idx), m->options.device->name);
  have = idx != NULL ? idx->view.size[0] : rows->n;
  if (b->count < 1 || b->first < 0 || b->first > have - b->count)
    return lrn_fail(LRN_EVALUE, "%s: rows: got %lld from %lld on (counted from 0), there are %lld",
                    f, (long long)b->count, (long long)b->first, (long long)have);
  LRN_TRY(lrn_check_labels(m, b->labels, rows->n, f));
  return lrn_check_work(m, w, b->count, 1, f);
}

/* Where the sums of the epoch are added up; `pl` the third. */
static lrn_unit_args metrics_into(const lrn_rbm *m, lrn_work *w, const void *target) {
  lrn_unit_args extra = {.mean_scale = 1, .target = target, .sums = w->sums->view.data,
                         .scratch = w->scratch->view.data, .absent = lrn_absent(m, w)};
  return extra;
}

/* What one pass of both phases leaves out (mask.c), NULL for nothing, and its first draw: hidden
   units of the rows of data, and of the rows of the chain. */
typedef struct thinning {
  const void *plus, *minus;
  int draw;
} thinning;

/* k sweeps from the hidden states h (rows of them), which are overwritten while more sweeps
   follow; v and y get the last visible states. extra: metrics of the last visible sweep, or NULL. */
static int sweeps(const lrn_rbm *m, lrn_work *w, void *h, void *v, void *y, void *x, int64_t rows,
                  int stream_h, int stream_v, const thinning *thin, lrn_unit_args *extra) {
  uint64_t step = w->state.step;
  lrn_unit_args plain = {.mean_scale = 1, .absent = lrn_absent(m, w)};
  for (int64_t s = 0; s < m->options.steps; s++) {
    int last = s + 1 == m->options.steps, draw = thin->draw + (int)(2 * s);
    if (m->options.persistent == 0) /* nothing that outlives the step has changed so far */
      LRN_TRY(lrn_poll_held());
    LRN_TRY(lrn_input(m, LRN_SIDE_VISIBLE, v, h, rows));
    LRN_TRY(lrn_activate(m, LRN_SIDE_VISIBLE, v, rows, NULL, v,
                         lrn_key_of(m, step, stream_v, draw + 1, 0),
                         last && extra != NULL ? extra : &plain));
    LRN_TRY(lrn_label_down(m, NULL, y, h, rows, lrn_key_of(m, step, stream_v, draw + 1, 0)));
    if (last)
      break;
    LRN_TRY(lrn_hidden_input(m, x, v, y, rows));
    LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, x, rows, NULL, h,
                         lrn_key_of(m, step, stream_h, draw + 2, 0), NULL));
    LRN_TRY(lrn_masked(w, h, thin->minus, rows));
  }
  return LRN_OK;
}

int lrn_column_means(const lrn_rbm *m, const lrn_tensor *out, const void *x, int64_t rows,
                     double divisor) {
  lrn_view v = {.dtype = out->view.dtype, .nd = 2, .data = (void *)(uintptr_t)x};
  v.size[0] = out->view.size[0];
  v.stride[0] = 1;
  v.size[1] = rows;
  v.stride[1] = out->view.size[0];
  return m->options.device->backend.reduce(LRN_RED_sum, &out->view, &v, NULL, 1, divisor);
}

/* The hidden layer's part of the sums over one phase, from its inputs in place: means, whose variance
   is lower (Hinton 2012, section 3); of a unit without a density its states. NULL or states for the
   chain in `state`; the sums' part is multiplied by `weight`. */
static int statistics(const lrn_rbm *m, void *x, int64_t rows, void *state, lrn_key key,
                      double weight) {
  const lrn_rbm_options *o = &m->options;
  lrn_view all = lrn_flat_view(o->dtype, x, rows * o->n_hidden), copy = all;
  lrn_unit_args extra = {.mean_scale = weight};
  lrn_operand in[2] = {{.view = all}, {.is_scalar = 1, .d = weight}};
  if (lrn_unit_has_density(o->hidden))
    return lrn_activate(m, LRN_SIDE_HIDDEN, x, rows, x, state, key, &extra);
  LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, x, rows, NULL, x, key, NULL));
  copy.data = state;
  if (state != NULL)
    LRN_TRY(lrn_copy_views(o->device, &copy, &all));
  return weight == 1 ? LRN_OK : o->device->backend.map(LRN_OP_mul, o->dtype, &all, in, 2);
}

/* Rows of the negative phase of n rows of data. */
static int64_t negative_rows(const lrn_rbm *m, int64_t n) {
  if (lrn_generative(m) == 0 || m->options.rule == LRN_RULE_EXACT)
    return 0;
  return m->options.persistent > 0 ? m->options.persistent : n;
}

/* The metrics of a negative phase that does not begin at the data: one sweep from them, h being their
   hidden states. */
static int sweep_from_data(const lrn_rbm *m, lrn_work *w, const void *h, int64_t n, int first) {
  void *v = w->spare->view.data;
  lrn_unit_args extra = metrics_into(m, w, w->v->view.data);
  LRN_TRY(lrn_input(m, LRN_SIDE_VISIBLE, v, h, n));
  return lrn_activate(m, LRN_SIDE_VISIBLE, v, n, NULL, v,
                      lrn_key_of(m, w->state.step, LRN_STREAM_VISIBLE, first + 1, 0), &extra);
}

/* Both phases of the n rows in w->v: [v+; v-] in w->v, [q+; -q-] in w->q (weighted as many chains as
   rows). */
static int phases(const lrn_rbm *m, lrn_work *w, int64_t n, int metrics, const thinning *thin) {
  const lrn_rbm_options *o = &m->options;
  int pcd = o->persistent > 0, exact = o->rule == LRN_RULE_EXACT, first = thin->draw;
  int64_t rows = negative_rows(m, n);
  uint64_t step = w->state.step;
  void *vp = w->v->view.data, *vn = lrn_row(w->v, n);
  void *qp = w->q->view.data, *qn = lrn_row(w->q, n), *yn = lrn_label_row(w, n);
  int begins = exact ? metrics : rows > 0 && (metrics || !pcd); /* something, at states of h */
  void *h = begins ? w->h->view.data : NULL;
  lrn_unit_args extra = metrics_into(m, w, vp);
  double negative = -lrn_generative(m) * (double)n / (double)rows; /* weight of a negative row */
  LRN_TRY(lrn_input(m, LRN_SIDE_HIDDEN, qp, vp, n));
  if (o->n_classes > 0)
    LRN_TRY(lrn_label_positive(m, w, n, h, metrics, o->centering > 0 || o->sparsity_cost > 0));
  else
    LRN_TRY(statistics(m, qp, n, h, lrn_key_of(m, step, LRN_STREAM_HIDDEN, first, 0), 1));
  LRN_TRY(lrn_masked(w, qp, thin->plus, n));
  LRN_TRY(lrn_masked(w, h, thin->plus, n));
  if (begins && (pcd || exact))
    LRN_TRY(sweep_from_data(m, w, h, n, first));
  if (rows == 0)
    return LRN_OK;
  if (pcd && !lrn_chains_are_plain(m)) {
    LRN_TRY(lrn_run_chains(m, w, vn, yn, qn));
    LRN_TRY(statistics(m, qn, rows, NULL, lrn_key_of(m, step, LRN_STREAM_CHAIN, (int)(2 * o->steps), 0),
                       negative));
  } else if (pcd) {
    void *chain = w->chain->view.data;
    LRN_TRY(lrn_masked(w, chain, thin->minus, rows));
    LRN_TRY(sweeps(m, w, chain, vn, yn, qn, rows, LRN_STREAM_CHAIN, LRN_STREAM_CHAIN, thin, NULL));
    LRN_TRY(lrn_hidden_input(m, qn, vn, yn, rows));
    LRN_TRY(statistics(m, qn, rows, chain,
                       lrn_key_of(m, step, LRN_STREAM_CHAIN, first + (int)(2 * o->steps), 0),
                       negative));
    LRN_TRY(lrn_masked(w, chain, thin->minus, rows));
  } else {
    LRN_TRY(sweeps(m, w, h, vn, yn, qn, rows, LRN_STREAM_HIDDEN, LRN_STREAM_VISIBLE, thin,
                   metrics ? &extra : NULL));
    LRN_TRY(lrn_hidden_input(m, qn, vn, yn, rows));
    LRN_TRY(statistics(m, qn, rows, NULL,
                       lrn_key_of(m, step, LRN_STREAM_HIDDEN, first + (int)(2 * o->steps), 0),
                       negative));
  }
  return lrn_masked(w, qn, thin->minus, rows);
}

/* The phases with the model's mask, and W's gradient into gW. */
static int masked_phases(const lrn_rbm *m, lrn_work *w, int64_t n, int metrics, void *gW) {
  int64_t rows = negative_rows(m, n), V = m->options.n_visible;
  void *vp = w->v->view.data, *qp = w->q->view.data;
  const void *mask = w->mask != NULL ? w->mask->view.data : NULL;
  lrn_tensor W = *m->parameter[LRN_PARAMETER_W];
  thinning thin = {NULL, NULL, 0};
  lrn_rbm seen = *m; /* as the step sees it: nothing is scaled for what is missing */
  seen.options.dropout = 0;
  switch (m->options.mask) {
    case LRN_MASK_DROPOUT:
      LRN_TRY(lrn_draw_row_masks(m, w, n));
      thin.plus = mask;
      thin.minus = m->options.persistent > 0 ? lrn_row(w->mask, w->batch) : mask;
      break;
    case LRN_MASK_DROPCONNECT:
      LRN_TRY(lrn_draw_weight_mask(m, w));
      W.view.data = lrn_row(w->mask, V);
      seen.parameter[LRN_PARAMETER_W] = &W;
      LRN_TRY(lrn_see(&seen, w));
      break;
    case LRN_MASK_EDROPOUT:
      LRN_TRY(phases(&seen, w, n, 0, &thin));
      LRN_TRY(lrn_draw_importance_mask(m, w, n));
      thin.plus = thin.minus = mask;
      thin.draw = (int)(2 * m->options.steps) + 2; /* other draws than the first time */
      break;
  }
  LRN_TRY(phases(&seen, w, n, metrics, &thin));
  /* with labels, the weights are in what made q+ of the classes */
  LRN_TRY(lrn_weigh_means(w, m->options.n_classes > 0 ? n : 0, n + rows));
  LRN_TRY(m->link->gradient(m, gW, -1.0 / (double)n, vp, qp, n + rows));
  return m->options.mask == LRN_MASK_DROPCONNECT ? lrn_masked(w, gW, mask, V) : LRN_OK;
}

/* Visible states are stored unsigned: two sums, the second one in the spare buffer. */
static int visible_gradient(const lrn_rbm *m, lrn_work *w, int64_t n, int64_t rows) {
  int exact = m->options.rule == LRN_RULE_EXACT; /* the moments join it later */
  double share = lrn_generative(m);
  lrn_tensor *ga = w->g[LRN_PARAMETER_A], minus = *ga;
  lrn_operand in[2] = {{.view = ga->view}, {.view = ga->view}};
  if (rows == 0 && !exact)
    return lrn_tensor_fill(ga, 0);
  LRN_TRY(w->weighed > 0
            ? lrn_weighted_sum(w, &ga->view, w->v->view.data, 0, n, -share / (double)n, 0)
            : lrn_column_means(m, ga, w->v->view.data, n, -(double)n / share));
  if (exact)
    return LRN_OK;
  if (w->weighed > 0)
    return lrn_weighted_sum(w, &ga->view, lrn_row(w->v, n), n, rows, share / (double)rows, 1);
  minus.view.data = in[1].view.data = w->spare->view.data;
  LRN_TRY(lrn_column_means(m, &minus, lrn_row(w->v, n), rows, (double)rows / share));
  return m->options.device->backend.map(LRN_OP_add, w->dtype, &ga->view, in, 2);
}

/* The gradient's negative phase where it is no sample: E[v h'], E[v], E[h] join it. They count 0 where
   all rows weigh 0. */
static int join_moments(const lrn_work *w, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  lrn_view all = w->gradient->view, moments = lrn_enumerated(w->exact)->view;
  lrn_view some = {.data = w->norm->view.data, .dtype = w->dtype};
  lrn_operand in[2] = {{.view = moments}, {.view = lrn_flat_view(w->dtype, some.data, all.size[0])}};
  if (w->weighed > 0) {
    lrn_view weights = lrn_flat_view(w->dtype, w->weight->view.data, n);
    LRN_TRY(b->reduce(LRN_RED_max, &some, &weights, NULL, 0, 1));
    LRN_TRY(b->map(LRN_OP_sign, w->dtype, &some, &(lrn_operand){.view = some}, 1));
    in[1].view.stride[0] = 0;
    LRN_TRY(b->map(LRN_OP_mul, w->dtype, &moments, in, 2));
  }
  in[1].view = all;
  return b->map(LRN_OP_add, w->dtype, &all, in, 2);
}

static int gradient(const lrn_rbm *m, lrn_work *w, const lrn_batch *b, int metrics, const char *f) {
  int64_t n = b->count, rows = negative_rows(m, n);
  int exact = m->options.rule == LRN_RULE_EXACT;
  double log_z;
  void *vp = w->v->view.data;
  const int64_t *idx = b->idx != NULL ? b->idx->view.data : NULL;
  lrn_rows data;
  lrn_rbm seen = *m;
  LRN_TRY(lrn_check_batch(m, w, b, &data, f));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  data.absent = lrn_absent(m, w);
  LRN_TRY(lrn_load_rows(m, vp, &data, idx, b->base, b->first, n, 0, f));
  LRN_TRY(lrn_load_labels(m, w, b, f));
  LRN_TRY(lrn_weigh(w, b->weights, n, f));
  if (exact) /* first, as it may be interrupted */
    LRN_TRY(lrn_enumerate(w->exact, m, &log_z, 1, f));
  LRN_TRY(masked_phases(m, w, n, metrics, w->g[LRN_PARAMETER_W]->view.data));
  w->negative_at = n;
  w->negative_rows = rows;
  LRN_TRY(lrn_column_means(m, w->g[LRN_PARAMETER_B], w->q->view.data, n + rows, -(double)n));
  LRN_TRY(visible_gradient(m, w, n, rows));
  LRN_TRY(lrn_label_negative(m, w, n, rows));
  LRN_TRY(lrn_variance_gradient(m, w, n, rows));
  if (exact)
    LRN_TRY(join_moments(w, n));
  return lrn_join_aids(m, w, n);
}

/* "epoch 2, batch 17 (step 141)" of the step that is being made */
static const char *where(char text[96], const lrn_work *w) {
  snprintf(text, 96, "epoch %lld, batch %lld (step %llu)", (long long)w->state.epoch + 1,
           (long long)w->state.batch + 1, (unsigned long long)w->state.step + 1);
  return text;
}

/* A failure of the data gets the place it happened at. */
int lrn_located(int st, const lrn_work *w) {
  char text[96], message[512];
  if (st != LRN_ENUMERIC)
    return st;
  snprintf(message, sizeof message, "%s", lrn_error_message());
  return lrn_fail(st, "%s: %s", message, where(text, w));
}

/* Has a parameter stopped being finite? Read where the device's memory is the host's; elsewhere
   lrn_work_finite asks at the end of an epoch. */
static int check_finite(lrn_work *w, const char *place) {
  int64_t bad[LRN_PARAMETERS];
  LRN_TRY(w->device->backend.download(bad, w->bad->view.data, sizeof bad));
  for (int i = 0; i < LRN_PARAMETERS; i++)
    if (bad[i] != 0) {
      LRN_TRY(lrn_tensor_fill(w->bad, 0));
      return lrn_fail(LRN_ENUMERIC,
                      "fit: %s is no longer finite: %s; try a smaller learning_rate, less "
                      "decay, or standardised data",
                      lrn_parameter_name(i), place);
    }
  return LRN_OK;
}

/* W_j *= min(1, max_norm / |W_j|), W_j the weights of hidden unit j */
static int limit_norms(lrn_rbm *m, lrn_work *w) {
  const lrn_rbm_options *o = &m->options;
  const lrn_backend *b = &o->device->backend;
  int64_t V = o->n_visible, H = o->n_hidden;
  lrn_view norm = lrn_flat_view(o->dtype, w->norm->view.data, H);
  lrn_view W = lrn_rows_view(o->dtype, m->parameter[LRN_PARAMETER_W]->view.data, V, H);
  lrn_view by_unit = W, spread = W;
  lrn_operand factor[2] = {{.is_scalar = 1, .d = o->max_norm}, {.view = norm}};
  lrn_operand scaled[2] = {{.view = W}, {.view = spread}};
  by_unit.size[0] = H;
  by_unit.stride[0] = 1;
  by_unit.size[1] = V;
  by_unit.stride[1] = H;
  LRN_TRY(b->reduce(LRN_RED_sumsq, &norm, &by_unit, NULL, 1, 1));
  LRN_TRY(b->map(LRN_OP_sqrt, o->dtype, &norm, &factor[1], 1));
  LRN_TRY(b->map(LRN_OP_maximum, o->dtype, &norm, factor, 2));
  LRN_TRY(b->map(LRN_OP_div, o->dtype, &norm, factor, 2));
  scaled[1].view.data = norm.data;
  scaled[1].view.stride[0] = 0;
  return b->map(LRN_OP_mul, o->dtype, &W, scaled, 2);
}

static int update(lrn_rbm *m, lrn_work *w) {
  const lrn_rbm_options *o = &m->options;
  const lrn_backend *b = &o->device->backend;
  int64_t *bad = w->bad->view.data;
  LRN_TRY(lrn_update_fast(m, w));
  if (o->clip > 0) {
    lrn_view all = w->gradient->view;
    lrn_view norm2 = {.data = w->norm->view.data, .dtype = o->dtype}; /* no dimension: one number */
    LRN_TRY(b->reduce(LRN_RED_sumsq, &norm2, &all, NULL, 0, 1));
  }
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    int weights = lrn_parameter_is_weights(i);
    lrn_update_args args = {.dtype = o->dtype,
                            .optimizer = o->optimizer,
                            .norm2 = o->clip > 0 ? w->norm->view.data : NULL,
                            .clip = o->clip,
                            .rate = o->learning_rate,
                            .momentum = o->momentum,
                            .decay = weights ? o->decay : 0,
                            .l1 = weights ? o->l1 : 0,
                            .beta1 = o->beta1,
                            .beta2 = o->beta2,
                            .epsilon = o->epsilon,
                            .bad = bad + i,
                            .mark = (int64_t)w->state.step + 1};
    if (m->parameter[i] == NULL)
      continue;
    args.n = lrn_tensor_numel(m->parameter[i]);
    args.theta = m->parameter[i]->view.data;
    args.m = w->m[i]->view.data;
    args.s = o->optimizer == LRN_ADAM ? w->s[i]->view.data : NULL;
    args.g = w->g[i]->view.data;
    if (i == LRN_PARAMETER_Z)
      args.rate *= o->variance_rate;
    LRN_TRY(lrn_update_at(o->device, &args));
  }
  LRN_TRY(lrn_limit_variance(m, w));
  return o->max_norm > 0 ? limit_norms(m, w) : LRN_OK;
}

/* Pseudo-likelihood of the n rows in w->v, which become states here, added to *sum (device). */
int lrn_pseudo_sum(const lrn_rbm *m, lrn_work *w, int64_t n, lrn_key key, double *sum) {
  const lrn_rbm_options *o = &m->options;
  void *v = w->v->view.data;
  double low = 0, high = 1;
  lrn_flip_args flip = {.hidden = o->hidden, .categories = o->visible_categories,
                        .hidden_categories = o->hidden_categories, .dtype = o->dtype,
                        .temperature = o->temperature,
                        .rows = n, .n_visible = o->n_visible, .n_hidden = o->n_hidden,
                        .v = v, .x = w->q->view.data,
                        .W = m->parameter[LRN_PARAMETER_W]->view.data,
                        .a = m->parameter[LRN_PARAMETER_A]->view.data,
                        .b = m->parameter[LRN_PARAMETER_B]->view.data, .key = key,
                        .out = w->scratch->view.data, .sum = sum, .absent = lrn_absent(m, w)};
  lrn_unit_states(o->visible, &low, &high);
  flip.both = (int)(low + high);
  flip.scale = lrn_kept(m, LRN_SIDE_HIDDEN);
  LRN_TRY(lrn_map_units(m, LRN_SIDE_VISIBLE, LRN_UNIT_NEAREST, v, v, n));
  LRN_TRY(lrn_leave_out(m, w, v, n));
  LRN_TRY(m->link->up(m, w->q->view.data, v, n, flip.scale));
  return o->device->backend.flip(&flip);
}

static int whole_update(lrn_rbm *m, lrn_work *w) {
  char place[96];
  LRN_TRY(lrn_check_work(m, w, 0, 1, "update"));
  where(place, w);
  LRN_TRY(update(m, w));
  w->state.step++;
  return w->device->backend.host_memory ? check_finite(w, place) : LRN_OK;
}

static int whole_step(lrn_rbm *m, lrn_work *w, const lrn_batch *b) {
  char place[96];
  LRN_TRY(lrn_located(gradient(m, w, b, 1, "fit"), w));
  where(place, w);
  LRN_TRY(update(m, w));
  if (lrn_has_pl(m))
    LRN_TRY(lrn_pseudo_sum(m, w, b->count, lrn_key_of(m, w->state.step, LRN_STREAM_METRIC, 0, 0),
                           (double *)w->sums->view.data + LRN_SUM_PL));
  w->state.step++;
  w->state.batch++;
  w->state.samples += b->count;
  return w->device->backend.host_memory ? check_finite(w, place) : LRN_OK;
}

/* All of a step or nothing: it is not interrupted (but see `sweeps`). */

int lrn_rbm_gradient(const lrn_rbm *m, lrn_work *w, const lrn_batch *batch) {
  int st;
  lrn_hold();
  st = lrn_located(gradient(m, w, batch, 0, "gradient"), w);
  lrn_release();
  return st;
}

int lrn_rbm_update(lrn_rbm *m, lrn_work *w) {
  int st;
  lrn_hold();
  st = whole_update(m, w);
  lrn_release();
  return st;
}

int lrn_rbm_step(lrn_rbm *m, lrn_work *w, const lrn_batch *batch) {
  int st;
  lrn_hold();
  st = whole_step(m, w, batch);
  lrn_release();
  return st;
}
