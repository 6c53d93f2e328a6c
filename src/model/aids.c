/*
** aids.c - what joins the gradient of a step beside the likelihood: a sparsity target, and centring.
**
** Both keep running means of a batch's <v+> and <q+>, which begin as those of the first batch.
**
**   sparsity   p = d p + (1 - d) <q+>, d = sparsity_decay;  gb += c (p - target),
**              gW += c <v+> (p - target)'          (Hinton 2012, section 11)
**   centring   mu and nu, the running means of v and q with rate r = centering:
**              gW -= mu gb' + ga nu';  ga -= gW nu;  gb -= gW' mu
**              labels are visible units, too: kappa, the mean of y, gU and gc beside mu, gW and ga
**              (Cho, Raiko, Ilin 2011; Melchior, Fischer, Wiskott 2016, algorithm 1)
*/
#include "model/model.h"

static const double LEAST = 1e-30; /* of a share that is divided by; a float32 */

/* Memory of as many elements as t has. */
static lrn_view vector_like(const lrn_tensor *t, const void *data) {
  return lrn_flat_view(t->view.dtype, data, lrn_tensor_numel(t));
}

/* E[h | v+] of the batch's rows */
static const void *hidden_means(const lrn_work *w) {
  const lrn_tensor *mix = w->label[LRN_LABEL_MIX];
  return (mix != NULL ? mix : w->q)->view.data;
}

/* out = mean of n rows, as wide as out, at x, with their weights, which those in w->q have already */
static int mean_rows(const lrn_work *w, const lrn_view *out, const void *x, int64_t n) {
  lrn_view v = {.data = (void *)(uintptr_t)x, .dtype = out->dtype, .nd = 2,
                .size = {out->size[0], n}, .stride = {1, out->size[0]}};
  return w->weighed > 0 && x != w->q->view.data
           ? lrn_weighted_sum(w, out, x, 0, n, 1.0 / (double)n, 0)
           : w->device->backend.reduce(LRN_RED_sum, out, &v, NULL, 1, (double)n);
}

/* A sum of visible rows over n, where rows lack units, becomes a mean over those that have one: `before`,
   the mean so far, stands for the others; the first time (NULL) they are not counted. */
static int mean_of_present(const lrn_work *w, const lrn_view *now, const lrn_view *before, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  lrn_view share;
  lrn_operand in[2];
  LRN_TRY(lrn_absent_share(&share, w, n));
  if (before != NULL) {
    in[0] = (lrn_operand){.view = share};
    in[1] = (lrn_operand){.view = *before};
    LRN_TRY(b->map(LRN_OP_mul, w->dtype, &share, in, 2));
    in[1].view = *now;
    return b->map(LRN_OP_add, w->dtype, now, in, 2);
  }
  in[0] = (lrn_operand){.is_scalar = 1, .d = 1};
  in[1] = (lrn_operand){.view = share};
  LRN_TRY(b->map(LRN_OP_sub, w->dtype, &share, in, 2));
  in[0] = (lrn_operand){.view = share};
  in[1] = (lrn_operand){.is_scalar = 1, .d = LEAST};
  LRN_TRY(b->map(LRN_OP_maximum, w->dtype, &share, in, 2));
  in[0] = (lrn_operand){.view = *now};
  in[1] = (lrn_operand){.view = share};
  return b->map(LRN_OP_div, w->dtype, now, in, 2);
}

/* Running mean i takes in the mean of n rows at x with this rate; the first one as it is. */
int lrn_take_in(const lrn_rbm *m, lrn_work *w, int i, const void *x, int64_t n, double rate) {
  const lrn_backend *b = &w->device->backend;
  lrn_view mean = vector_like(w->mean[i], w->mean[i]->view.data);
  lrn_view now = vector_like(w->mean[i], w->spare->view.data);
  lrn_operand in[2] = {{.view = mean}, {.is_scalar = 1, .d = 1 - rate}};
  int gaps = i == LRN_MEAN_V && m->options.missing;
  if (!(w->means_begun & 1 << i)) {
    w->means_begun |= 1 << i;
    LRN_TRY(mean_rows(w, &mean, x, n));
    return gaps ? mean_of_present(w, &mean, NULL, n) : LRN_OK;
  }
  LRN_TRY(mean_rows(w, &now, x, n));
  if (gaps)
    LRN_TRY(mean_of_present(w, &now, &mean, n));
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &mean, in, 2));
  in[0].view = now;
  in[1].d = rate;
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &now, in, 2));
  in[0].view = mean;
  in[1] = (lrn_operand){.view = now};
  return b->map(LRN_OP_add, w->dtype, &mean, in, 2);
}

/* out (rows x columns) += alpha a b, inner size k; a' where transposed. All contiguous. */
int lrn_add_product(const lrn_work *w, void *out, int64_t rows, int64_t columns, int64_t k,
                    double alpha, const void *a, int transposed, const void *b) {
  return w->device->backend.gemm(w->dtype, transposed, 0, rows, columns, k, alpha, a,
                                 transposed ? rows : k, b, columns, 1, out, columns);
}

/* The gradient of a block of visible units, W (rows x H) and a (rows) or U and c, given their running
   mean; gb is changed by gW' mean in the end. */
static int centre_block(const lrn_work *w, int W, int a, int64_t rows, const void *mean) {
  int64_t H = w->n_hidden;
  void *gW = w->g[W]->view.data, *ga = w->g[a]->view.data, *gb = w->g[LRN_PARAMETER_B]->view.data;
  const void *nu = w->mean[LRN_MEAN_H]->view.data;
  LRN_TRY(lrn_add_product(w, gW, rows, H, 1, -1, mean, 0, gb));
  LRN_TRY(lrn_add_product(w, gW, rows, H, 1, -1, ga, 0, nu));
  return lrn_add_product(w, ga, rows, 1, H, -1, gW, 0, nu);
}

/* A mean of v as the weights on the way up see it: over s, into the spare buffer. */
static int seen_mean(const lrn_rbm *m, lrn_work *w, const void **mean) {
  lrn_view out = vector_like(w->mean[LRN_MEAN_V], w->spare->view.data);
  lrn_operand in[2] = {{.view = vector_like(w->mean[LRN_MEAN_V], *mean)},
                       {.view = vector_like(w->mean[LRN_MEAN_V], m->precision)}};
  if (m->precision == NULL)
    return LRN_OK;
  *mean = out.data;
  return w->device->backend.map(LRN_OP_mul, w->dtype, &out, in, 2);
}

static int centre(const lrn_rbm *m, lrn_work *w, int64_t n) {
  int64_t V = w->n_visible, H = w->n_hidden, C = m->options.n_classes;
  double rate = m->options.centering;
  void *gb = w->g[LRN_PARAMETER_B]->view.data;
  const void *mu = w->mean[LRN_MEAN_V]->view.data, *kappa = w->mean[LRN_MEAN_Y]->view.data;
  LRN_TRY(lrn_take_in(m, w, LRN_MEAN_V, w->v->view.data, n, rate));
  LRN_TRY(lrn_take_in(m, w, LRN_MEAN_H, hidden_means(w), n, rate));
  if (C > 0)
    LRN_TRY(lrn_take_in(m, w, LRN_MEAN_Y, lrn_label_row(w, 0), n, rate));
  LRN_TRY(seen_mean(m, w, &mu)); /* from here on nothing else uses the spare buffer */
  LRN_TRY(centre_block(w, LRN_PARAMETER_W, LRN_PARAMETER_A, V, mu));
  if (C > 0) {
    LRN_TRY(centre_block(w, LRN_PARAMETER_U, LRN_PARAMETER_C, C, kappa));
    LRN_TRY(lrn_add_product(w, gb, H, 1, C, -1, w->g[LRN_PARAMETER_U]->view.data, 1, kappa));
  }
  return lrn_add_product(w, gb, H, 1, V, -1, w->g[LRN_PARAMETER_W]->view.data, 1, mu);
}

int lrn_make_sparse(const lrn_rbm *m, lrn_work *w, int64_t n) {
  const lrn_rbm_options *o = &m->options;
  const lrn_backend *b = &w->device->backend;
  lrn_tensor *p = w->mean[LRN_MEAN_SPARSE], *gb = w->g[LRN_PARAMETER_B];
  lrn_view off = vector_like(p, w->norm->view.data), grad = vector_like(gb, gb->view.data);
  lrn_view v = vector_like(w->g[LRN_PARAMETER_A], w->spare->view.data);
  lrn_operand in[2] = {{.view = vector_like(p, p->view.data)},
                       {.is_scalar = 1, .d = o->sparsity_target}};
  const void *mean = v.data;
  LRN_TRY(lrn_take_in(m, w, LRN_MEAN_SPARSE, hidden_means(w), n, 1 - o->sparsity_decay));
  LRN_TRY(b->map(LRN_OP_sub, w->dtype, &off, in, 2));
  in[0].view = off;
  in[1].d = o->sparsity_cost;
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &off, in, 2));
  in[1] = (lrn_operand){.view = grad};
  LRN_TRY(b->map(LRN_OP_add, w->dtype, &grad, in, 2));
  LRN_TRY(mean_rows(w, &v, w->v->view.data, n));
  LRN_TRY(seen_mean(m, w, &mean));
  return lrn_add_product(w, w->g[LRN_PARAMETER_W]->view.data, w->n_visible, w->n_hidden, 1, 1, mean, 0,
                     off.data);
}

int lrn_join_aids(const lrn_rbm *m, lrn_work *w, int64_t n) {
  if (m->options.centering > 0)
    LRN_TRY(centre(m, w, n));
  return m->options.sparsity_cost > 0 ? lrn_make_sparse(m, w, n) : LRN_OK;
}
