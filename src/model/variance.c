/*
** variance.c - Gaussian visible units with a variance of their own, s = e^z, that is learned (Cho, Ilin,
** Raiko 2011).
**
**   E(v, h) = sum_i (v_i^2 / 2 - a_i v_i) / s_i - b.h - sum_ij (v_i / s_i) W_ij h_j + self(h)
**   x = (v / s) W + b,   v | h ~ N(h W' + a, T s)
**   gradient of F:  gW and ga are those of s = 1, each row over s_i;
**                   gz_i = -<v_i^2 / 2>+ / s_i + <v_i^2 / 2>- / s_i - a_i ga_i - sum_j W_ij gW_ij
**
** v / sigma is thus a layer of variance 1 with W / sigma and a / sigma. A call sees the model through
** lrn_see, which puts W / s and the vectors that follow from z into the workspace; all other code reads
** those pointers, NULL where the variances are 1. z stays in [LOW, HIGH], which is a sigma from 0.05 to
** 2.7: beyond, a single unit or none at all would decide about every hidden state.
*/
#include <math.h>

#include "kernel/unit.h"
#include "model/model.h"

static const double LOW = -6, HIGH = 2;

/* Rows of w->sight. */
enum { PRECISION, GAIN, NARROW, BIAS, VECTORS };

int lrn_make_sight(lrn_work *w, const lrn_rbm *m) {
  int64_t weights[2] = {w->n_visible, w->n_hidden}, vectors[2] = {VECTORS, w->n_visible};
  if (!m->options.variance)
    return LRN_OK;
  LRN_TRY(lrn_tensor_new(&w->up, w->dtype, 2, weights, w->device));
  return lrn_tensor_new(&w->sight, w->dtype, 2, vectors, w->device);
}

static int apply(const lrn_work *w, int op, const lrn_view *out, lrn_operand x, lrn_operand y) {
  lrn_operand in[2] = {x, y};
  return w->device->backend.map(op, w->dtype, out, in, 2);
}
static lrn_operand of_view(lrn_view v) { return (lrn_operand){.view = v}; }
static lrn_operand number(double d) { return (lrn_operand){.is_scalar = 1, .d = d}; }

static lrn_view vector(const lrn_work *w, const void *data) {
  return lrn_flat_view(w->dtype, data, w->n_visible);
}
static lrn_view weights(const lrn_work *w, const void *data) {
  return lrn_rows_view(w->dtype, data, w->n_visible, w->n_hidden);
}
/* A value a visible unit, over its row of weights. */
static lrn_view along_rows(const lrn_work *w, const void *data) {
  lrn_view v = weights(w, data);
  v.stride[0] = 1;
  v.stride[1] = 0;
  return v;
}

/* out = e^(factor z) */
static int powers(const lrn_work *w, const lrn_rbm *m, lrn_view out, double factor) {
  lrn_operand in = of_view(out);
  LRN_TRY(apply(w, LRN_OP_mul, &out, of_view(m->parameter[LRN_PARAMETER_Z]->view), number(factor)));
  return w->device->backend.map(LRN_OP_exp, w->dtype, &out, &in, 1);
}

int lrn_see(lrn_rbm *seen, lrn_work *w) {
  lrn_view precision, gain, narrow, bias, up;
  if (!seen->options.variance)
    return LRN_OK;
  precision = vector(w, lrn_row(w->sight, PRECISION));
  gain = vector(w, lrn_row(w->sight, GAIN));
  narrow = vector(w, lrn_row(w->sight, NARROW));
  bias = vector(w, lrn_row(w->sight, BIAS));
  up = weights(w, w->up->view.data);
  LRN_TRY(powers(w, seen, precision, -1));
  LRN_TRY(powers(w, seen, narrow, -0.5));
  LRN_TRY(powers(w, seen, gain, 0.5));
  if (lrn_live(seen) != NULL) /* a constant unit has no noise */
    LRN_TRY(apply(w, LRN_OP_mul, &gain, of_view(gain), of_view(vector(w, lrn_live(seen)))));
  LRN_TRY(apply(w, LRN_OP_mul, &bias, of_view(precision),
                of_view(seen->parameter[LRN_PARAMETER_A]->view)));
  LRN_TRY(apply(w, LRN_OP_mul, &up,
                of_view(weights(w, seen->parameter[LRN_PARAMETER_W]->view.data)),
                of_view(along_rows(w, precision.data))));
  seen->up = up.data;
  seen->precision = precision.data;
  seen->narrow = narrow.data;
  seen->energy_bias = bias.data;
  seen->gain = gain.data;
  return LRN_OK;
}

/* out = beta out + alpha times the mean of v^2 over `rows` rows of [v+; v-] from `first` on, by unit,
   weighed as they are; the squares pass through the spare buffer. */
static int squares(const lrn_work *w, const lrn_view *out, int64_t first, int64_t rows, double alpha,
                   double beta) {
  const void *v = lrn_row(w->v, first);
  lrn_view x = {.data = (void *)(uintptr_t)v, .dtype = w->dtype, .nd = 2,
                .size = {w->n_visible, rows}, .stride = {1, w->n_visible}};
  lrn_view all = lrn_flat_view(w->dtype, v, rows * w->n_visible), part;
  lrn_view squared = lrn_flat_view(w->dtype, w->spare->view.data, rows * w->n_visible);
  if (w->weighed > 0) {
    LRN_TRY(apply(w, LRN_OP_mul, &squared, of_view(all), of_view(all)));
    return lrn_weighted_sum(w, out, squared.data, first, rows, alpha / (double)rows, beta);
  }
  part = beta == 0 ? *out : vector(w, w->spare->view.data);
  LRN_TRY(w->device->backend.reduce(LRN_RED_sumsq, &part, &x, NULL, 1, (double)rows / alpha));
  return beta == 0 ? LRN_OK : apply(w, LRN_OP_add, out, of_view(*out), of_view(part));
}

int lrn_variance_gradient(const lrn_rbm *seen, lrn_work *w, int64_t n, int64_t rows) {
  lrn_view W = weights(w, seen->parameter[LRN_PARAMETER_W]->view.data), gW, ga, gz, part, precision;
  if (!seen->options.variance)
    return LRN_OK;
  gW = weights(w, w->g[LRN_PARAMETER_W]->view.data);
  ga = w->g[LRN_PARAMETER_A]->view;
  gz = w->g[LRN_PARAMETER_Z]->view;
  part = vector(w, w->spare->view.data);
  precision = vector(w, seen->precision);
  LRN_TRY(apply(w, LRN_OP_mul, &gW, of_view(gW), of_view(along_rows(w, precision.data))));
  LRN_TRY(apply(w, LRN_OP_mul, &ga, of_view(ga), of_view(precision)));
  LRN_TRY(squares(w, &gz, 0, n, -0.5, 0));
  LRN_TRY(squares(w, &gz, n, rows, 0.5, 1));
  LRN_TRY(apply(w, LRN_OP_mul, &gz, of_view(gz), of_view(precision)));
  LRN_TRY(w->device->backend.reduce(LRN_RED_dot, &part, &W, &gW, 1, 1));
  LRN_TRY(apply(w, LRN_OP_sub, &gz, of_view(gz), of_view(part)));
  LRN_TRY(apply(w, LRN_OP_mul, &part, of_view(seen->parameter[LRN_PARAMETER_A]->view), of_view(ga)));
  return apply(w, LRN_OP_sub, &gz, of_view(gz), of_view(part));
}

int lrn_limit_variance(lrn_rbm *m, lrn_work *w) {
  lrn_view z;
  if (!m->options.variance)
    return LRN_OK;
  z = m->parameter[LRN_PARAMETER_Z]->view;
  LRN_TRY(apply(w, LRN_OP_maximum, &z, of_view(z), number(LOW)));
  return apply(w, LRN_OP_minimum, &z, of_view(z), number(HIGH));
}

/* z on the CPU, in double */
double lrn_log_volume(const lrn_rbm *d) {
  const double *z = d->options.variance ? d->parameter[LRN_PARAMETER_Z]->view.data : NULL;
  const double *std = d->stat[LRN_STAT_STD] != NULL ? d->stat[LRN_STAT_STD]->view.data : NULL;
  double sum = 0;
  for (int64_t i = 0; i < d->options.n_visible; i++)
    if (std != NULL && std[i] == 0)
      sum -= LRN_LOG_SQRT_2PI + 0.5 * log(d->options.temperature);
    else if (z != NULL)
      sum += 0.5 * z[i];
  return sum;
}

int lrn_narrow(lrn_tensor **out, const lrn_rbm *p, const lrn_rbm *m) {
  lrn_arg half[2] = {lrn_argt(NULL), lrn_argd(-0.5)};
  lrn_tensor *z = NULL;
  int st;
  LRN_GO(lrn_tensor_clone(&z, p->parameter[LRN_PARAMETER_A]));
  LRN_GO(lrn_tensor_copy(z, m->parameter[LRN_PARAMETER_Z]));
  half[0] = lrn_argt(z);
  LRN_GO(lrn_map(NULL, z, LRN_OP_mul, half, 2));
  LRN_GO(lrn_map(NULL, z, LRN_OP_exp, half, 1));
  *out = z;
  z = NULL;
done:
  lrn_tensor_free(z);
  return st;
}

int lrn_narrow_parameters(lrn_rbm *p, const lrn_rbm *m) {
  lrn_tensor *narrow = NULL, *column = NULL;
  lrn_arg a[2], W[2];
  int st;
  LRN_GO(lrn_narrow(&narrow, p, m));
  LRN_GO(lrn_tensor_view(&column, narrow, 2, (int64_t[2]){p->options.n_visible, 1}));
  a[0] = lrn_argt(p->parameter[LRN_PARAMETER_A]);
  a[1] = lrn_argt(narrow);
  W[0] = lrn_argt(p->parameter[LRN_PARAMETER_W]);
  W[1] = lrn_argt(column);
  LRN_GO(lrn_map(NULL, p->parameter[LRN_PARAMETER_A], LRN_OP_mul, a, 2));
  st = lrn_map(NULL, p->parameter[LRN_PARAMETER_W], LRN_OP_mul, W, 2);
done:
  lrn_tensor_free(narrow);
  lrn_tensor_free(column);
  return st;
}
