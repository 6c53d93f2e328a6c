/*
** dbm_step.c - one training step of a deep Boltzmann machine: all layers jointly.
**
**   positive  mu = mean field given v+                                          (dbm_field.c)
**   chain     k times: even layers given odd ones, odd given even; of the stored chains (PCD-k,
**             Tieleman 2008; Salakhutdinov and Hinton 2009), or of chains that begin at odd layers drawn
**             from mu
**   negative  even layers as drawn, odd layers as their means given these: exact where it can be, as
**             every weight joins an even layer with an odd one
**   gradient  of -(bound):  gW_l = -<mu_(l-1)' mu_l> + <s_(l-1)' s_l>-,  gb_l = -<mu_l> + <s_l>-
**
** The rows of both phases lie one below the other, the negative ones of odd layers with their sign and
** weight, so that the gradient of W is one product. With one hidden layer this is the step of an RBM, to
** the bit. Draws: those of an RBM, each pair with a seed of its own.
*/
#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"
#include "model/dbm.h"

static lrn_tensor *bias_gradient(const lrn_dbm_work *w, int layer) {
  return layer > 0 ? w->pair[layer - 1]->g[LRN_PARAMETER_B] : w->pair[0]->g[LRN_PARAMETER_A];
}

/* {=== Phases === */

/* Where the chain has its states: even layers in row n of the layer, odd ones beside it. */
static void places(const lrn_dbm *m, const lrn_dbm_work *w, int64_t n, void *s[LRN_DBM_LAYERS + 1]) {
  int pcd = m->pair[0]->options.persistent > 0;
  for (int l = 0; l <= m->layers; l++)
    s[l] = l % 2 == LRN_EVEN ? lrn_row(lrn_dbm_rows(w, l), n)
           : pcd             ? w->pair[l - 1]->chain->view.data
                             : lrn_dbm_states(w, l);
}

static int negative(const lrn_dbm *m, lrn_dbm_work *w, int64_t n, int64_t rows, lrn_unit_args *metrics) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  int pcd = o->persistent > 0;
  int hidden = pcd ? LRN_STREAM_CHAIN : LRN_STREAM_HIDDEN;
  int visible = pcd ? LRN_STREAM_CHAIN : LRN_STREAM_VISIBLE;
  uint64_t step = w->pair[0]->state.step;
  lrn_unit_args extra = {.mean_scale = -(double)n / (double)rows};
  void *s[LRN_DBM_LAYERS + 1];
  places(m, w, n, s);
  for (int64_t k = 0; k < o->steps; k++) {
    int last = k + 1 == o->steps;
    if (!pcd)
      LRN_TRY(lrn_poll_held());
    LRN_TRY(lrn_dbm_draw(m, s, LRN_EVEN, rows, step, visible, (int)(2 * k + 1), 0, NULL,
                         last ? metrics : NULL));
    if (!last)
      LRN_TRY(lrn_dbm_draw(m, s, LRN_ODD, rows, step, hidden, (int)(2 * k + 2), 0, NULL, NULL));
  }
  for (int l = 1; l <= m->layers; l++) {
    void *x = lrn_row(lrn_dbm_rows(w, l), n);
    lrn_view chain, from;
    if (l % 2 == LRN_ODD) {
      LRN_TRY(lrn_dbm_input(m, l, x, s[l - 1], l < m->layers ? s[l + 1] : NULL, NULL, rows, 1));
      LRN_TRY(lrn_dbm_activate(m, l, x, rows, x, pcd ? s[l] : NULL,
                               lrn_dbm_key(m, l, step, hidden, (int)(2 * o->steps), 0), &extra));
    } else if (pcd) { /* for those who look at the chains; the next step begins at the odd layers */
      chain = lrn_flat_view(o->dtype, w->pair[l - 1]->chain->view.data, rows * m->units[l]);
      from = chain;
      from.data = s[l];
      LRN_TRY(lrn_copy_views(o->device, &chain, &from));
    }
  }
  return LRN_OK;
}

/* ===} */

/* {=== Gradient === */

/* Means of even layers are stored unsigned: two sums, the second one by way of the spare buffer. */
static int even_bias(const lrn_dbm *m, lrn_dbm_work *w, int l, int64_t n, int64_t rows) {
  const lrn_rbm *pair = lrn_dbm_pair(m, l);
  lrn_tensor *g = bias_gradient(w, l), minus = *g;
  lrn_operand in[2] = {{.view = g->view}, {.view = g->view}};
  minus.view.data = in[1].view.data = lrn_dbm_spare(w, l);
  LRN_TRY(lrn_column_means(pair, g, lrn_dbm_rows(w, l)->view.data, n, -(double)n));
  LRN_TRY(lrn_column_means(pair, &minus, lrn_row(lrn_dbm_rows(w, l), n), rows, (double)rows));
  return pair->options.device->backend.map(LRN_OP_add, pair->options.dtype, &g->view, in, 2);
}

/* With c_l the running mean of mu_l:  gW_l -= c_(l-1) gb_l' + gb_(l-1) c_l',  then
   gb_l -= gW_(l+1) c_(l+1) + gW_l' c_(l-1)     (Montavon and Mueller 2012; aids.c for one pair) */
static int centre(const lrn_dbm *m, lrn_dbm_work *w, int64_t n) {
  double rate = m->pair[0]->options.centering;
  const void *c[LRN_DBM_LAYERS + 1];
  for (int l = 0; l <= m->layers; l++) {
    lrn_work *own = w->pair[l > 0 ? l - 1 : 0];
    int which = l > 0 ? LRN_MEAN_H : LRN_MEAN_V;
    LRN_TRY(lrn_take_in(lrn_dbm_pair(m, l), own, which, lrn_dbm_rows(w, l)->view.data, n, rate));
    c[l] = own->mean[which]->view.data;
  }
  for (int i = 0; i < m->layers; i++) {
    void *gW = w->pair[i]->g[LRN_PARAMETER_W]->view.data;
    const void *low = bias_gradient(w, i)->view.data, *high = bias_gradient(w, i + 1)->view.data;
    LRN_TRY(lrn_add_product(w->pair[i], gW, m->units[i], m->units[i + 1], 1, -1, c[i], 0, high));
    LRN_TRY(lrn_add_product(w->pair[i], gW, m->units[i], m->units[i + 1], 1, -1, low, 0, c[i + 1]));
  }
  for (int i = 0; i < m->layers; i++) {
    const void *gW = w->pair[i]->g[LRN_PARAMETER_W]->view.data;
    LRN_TRY(lrn_add_product(w->pair[i], bias_gradient(w, i)->view.data, m->units[i], 1, m->units[i + 1], -1,
                            gW, 0, c[i + 1]));
    LRN_TRY(lrn_add_product(w->pair[i], bias_gradient(w, i + 1)->view.data, m->units[i + 1], 1, m->units[i],
                            -1, gW, 1, c[i]));
  }
  return LRN_OK;
}

/* Sparsity of each hidden layer, whose pair's rows v are those of the layer below. */
static int make_sparse(const lrn_dbm *m, lrn_dbm_work *w, int64_t n) {
  for (int i = 0; i < m->layers; i++) {
    lrn_work seen = *w->pair[i];
    seen.v = lrn_dbm_rows(w, i);
    LRN_TRY(lrn_make_sparse(m->pair[i], &seen, n));
    w->pair[i]->means_begun = seen.means_begun;
  }
  return LRN_OK;
}

static int gradient(const lrn_dbm *m, lrn_dbm_work *w, const lrn_batch *b, int metrics, const char *f) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  int64_t n = b->count, rows = o->persistent > 0 ? o->persistent : n;
  const int64_t *idx = b->idx != NULL ? b->idx->view.data : NULL;
  void *v = w->pair[0]->v->view.data, *spare = lrn_dbm_spare(w, 0);
  int pcd = o->persistent > 0;
  lrn_unit_args extra = {.mean_scale = 1, .target = v, .sums = w->pair[0]->sums->view.data,
                         .scratch = w->pair[0]->scratch->view.data};
  lrn_rows data;
  LRN_TRY(lrn_dbm_check_work(m, w, n, 1, f));
  LRN_TRY(lrn_check_batch(m->pair[0], w->pair[0], b, &data, f));
  if (b->weights != NULL)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: weights: not for a deep Boltzmann machine", f);
  for (int i = 1; i < m->layers; i++) {
    w->pair[i]->state = w->pair[0]->state;
    w->pair[i]->weighed = 0;
  }
  LRN_TRY(lrn_load_rows(m->pair[0], v, &data, idx, b->base, b->first, n, 0, f));
  LRN_TRY(lrn_dbm_field(m, w, n));
  LRN_TRY(lrn_dbm_odd_layers(m, w, n, metrics || !pcd, w->pair[0]->state.step, LRN_STREAM_HIDDEN, 0));
  if (pcd && metrics) { /* one sweep from the data, which the chains know nothing of */
    LRN_TRY(lrn_dbm_input(m, 0, spare, NULL, lrn_dbm_states(w, 1), NULL, n, 1));
    LRN_TRY(lrn_dbm_activate(m, 0, spare, n, NULL, spare,
                             lrn_dbm_key(m, 0, w->pair[0]->state.step, LRN_STREAM_VISIBLE, 1, 0), &extra));
  }
  LRN_TRY(negative(m, w, n, rows, metrics && !pcd ? &extra : NULL));
  w->negative_at = n;
  w->negative_rows = rows;
  for (int i = 0; i < m->layers; i++)
    LRN_TRY(m->pair[i]->link->gradient(m->pair[i], w->pair[i]->g[LRN_PARAMETER_W]->view.data, -1.0 / (double)n,
                                       lrn_dbm_rows(w, i)->view.data, lrn_dbm_rows(w, i + 1)->view.data,
                                       n + rows));
  for (int l = 0; l <= m->layers; l++)
    LRN_TRY(l % 2 == LRN_EVEN ? even_bias(m, w, l, n, rows)
                              : lrn_column_means(lrn_dbm_pair(m, l), bias_gradient(w, l),
                                                 lrn_dbm_rows(w, l)->view.data, n + rows, -(double)n));
  if (o->centering > 0)
    LRN_TRY(centre(m, w, n));
  return o->sparsity_cost > 0 ? make_sparse(m, w, n) : LRN_OK;
}

/* ===} */

/* A parameter that stopped being finite is named with its layer. */
static int name_layer(int st, int i) {
  char text[512];
  const char *message = lrn_error_message();
  if (st != LRN_ENUMERIC || strncmp(message, "fit: ", 5) != 0)
    return st;
  snprintf(text, sizeof text, "%s", message + 5);
  return lrn_fail(st, "fit: %d.%s", i + 1, text);
}

static int update(lrn_dbm *m, lrn_dbm_work *w) {
  uint64_t step = w->pair[0]->state.step;
  int st = LRN_OK;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 1, "update"));
  for (int i = 0; i < m->layers && st == LRN_OK; i++) {
    w->pair[i]->state.step = step;
    st = name_layer(lrn_rbm_update(m->pair[i], w->pair[i]), i);
  }
  w->pair[0]->state.step = step + 1; /* of all */
  return st;
}

int lrn_dbm_gradient(const lrn_dbm *m, lrn_dbm_work *w, const lrn_batch *batch) {
  int st;
  lrn_hold();
  st = lrn_located(gradient(m, w, batch, 0, "gradient"), w->pair[0]);
  lrn_release();
  return st;
}

int lrn_dbm_update(lrn_dbm *m, lrn_dbm_work *w) {
  int st;
  lrn_hold();
  st = update(m, w);
  lrn_release();
  return st;
}

int lrn_dbm_step(lrn_dbm *m, lrn_dbm_work *w, const lrn_batch *batch) {
  lrn_state *s = &w->pair[0]->state;
  int st;
  lrn_hold();
  st = lrn_located(gradient(m, w, batch, 1, "fit"), w->pair[0]);
  if (st == LRN_OK) {
    st = update(m, w);
    s->batch++;
    s->samples += batch->count;
  }
  lrn_release();
  return st;
}

int lrn_dbm_prepare(lrn_dbm *m, lrn_dbm_work *w, const lrn_tensor *data) {
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "fit"));
  return lrn_rbm_prepare(m->pair[0], w->pair[0], data);
}

int lrn_dbm_set_statistics(lrn_dbm *m, const double *mean, const double *std) {
  return lrn_set_statistics(m->pair[0], mean, std);
}
