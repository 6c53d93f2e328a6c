/*
** dbm_exact.c - log Z and log p(v) of small deep Boltzmann machines, exactly: all layers of one parity are
** listed, their joint states numbered, and the other layers summed out in closed form.
**
**   Z      = sum over s of exp(-F(s) / T),  F(s) = sum_(l listed) (self - b_l.s_l) - sum_(others) A(x_l)
**   Z p(v) = the same over the hidden layers of one parity, v standing where it is: input of layer 1,
**            and by the product v W1 in the energy of a layer 1 that is listed
**
** Whichever parity has fewer states is listed, at most 2^24. In float64 on the CPU, block by block, so
** that the bits do not depend on threads.
*/
#include <math.h>

#include "base/interrupt.h"
#include "kernel/math.h"
#include "model/dbm.h"

enum { BLOCK_ROWS = 4096 };

/* The hidden layers (and layer 0 where `first` is 0) of one parity, from layer `first` on. */
typedef struct side {
  int first;
  int64_t states;
  lrn_listing list[LRN_DBM_LAYERS + 1];
} side;

static int list_side(side *out, const lrn_dbm *m, int first) {
  out->first = first;
  out->states = 1;
  for (int l = first; l <= m->layers; l += 2) {
    lrn_layer layer = lrn_layer_of(lrn_dbm_pair(m, l), lrn_dbm_side(l));
    if (!lrn_list_layer(&out->list[l], &layer) || out->states > LRN_MOST_STATES / out->list[l].states)
      return 0;
    out->states *= out->list[l].states;
  }
  return 1;
}

/* The smaller one of two sides that can be listed; 0 where none can. */
static int choose(side *out, const lrn_dbm *m, int first, int other) {
  side a, b;
  int has_a = list_side(&a, m, first), has_b = list_side(&b, m, other);
  *out = has_a && (!has_b || a.states <= b.states) ? a : b;
  return has_a || has_b;
}

static int none(const lrn_dbm *m, const char *f) {
  return lrn_fail(LRN_EUNSUPPORTED, "%s: exact only where the layers of even or of odd numbers have at most "
                  "2^24 states together, such as 24 units (there are %d hidden layers, the first of %lld)", f,
                  m->layers, (long long)m->units[1]);
}

/* The joint states from number `at` on, and F (rows doubles) without what layer 1 gets from a fixed v: own
   energies, minus cumulants of the hidden layers between them from layer `from` on. */
static int block(const lrn_dbm *d, lrn_dbm_work *w, const side *s, int64_t at, int64_t rows, double *F,
                 int from) {
  double beta = 0;
  for (int l = s->first; l <= d->layers; l += 2) {
    double *x = lrn_dbm_rows(w, l)->view.data;
    int64_t below = 1;
    for (int k = s->first; k < l; k += 2)
      below *= s->list[k].states;
    for (int64_t r = 0; r < rows; r++)
      lrn_write_state(x + r * d->units[l], &s->list[l], (at + r) / below % s->list[l].states);
    LRN_TRY(lrn_dbm_add_own(d, w, l, F, x, rows, beta));
    beta = 1;
  }
  for (int64_t r = 0; r < rows && beta == 0; r++)
    F[r] = 0;
  for (int l = from; l <= d->layers; l += 2) {
    void *x = lrn_dbm_spare(w, l);
    LRN_TRY(lrn_dbm_input(d, l, x, l > 0 ? lrn_dbm_rows(w, l - 1)->view.data : NULL,
                          l < d->layers ? lrn_dbm_rows(w, l + 1)->view.data : NULL, NULL, rows, 1));
    LRN_TRY(lrn_dbm_add_cumulants(d, w, l, F, x, rows));
  }
  return LRN_OK;
}

/* A running log of a sum of exponentials. */
typedef struct log_sum {
  double top, sum;
} log_sum;

static void take_in(log_sum *to, const double *F, int64_t rows, double T) {
  double top = to->top, sum = 0;
  for (int64_t r = 0; r < rows; r++)
    top = -F[r] / T > top ? -F[r] / T : top;
  for (int64_t r = 0; r < rows; r++)
    sum += lrn_exp(-F[r] / T - top);
  to->sum = (to->sum > 0 ? to->sum * lrn_exp(to->top - top) : 0) + sum;
  to->top = top;
}

static double log_of(const log_sum *s) { return s->top + lrn_log(s->sum); }

int lrn_dbm_has_exact(const lrn_dbm *m) {
  side s;
  return choose(&s, m, LRN_EVEN, LRN_ODD);
}

static int64_t width_of(const side *s) { return s->states < BLOCK_ROWS ? s->states : BLOCK_ROWS; }

int lrn_dbm_log_partition(const lrn_dbm *m, double *log_z) {
  log_sum total = {-(double)INFINITY, 0};
  double T = m->pair[0]->options.temperature, volume;
  lrn_dbm_work *w = NULL;
  lrn_tensor *F = NULL;
  lrn_dbm *d = NULL;
  int64_t width;
  side s;
  int st;
  if (!choose(&s, m, LRN_EVEN, LRN_ODD))
    return none(m, "log_partition");
  width = width_of(&s);
  LRN_GO(lrn_volume(&volume, m->pair[0]));
  LRN_GO(lrn_dbm_double(&d, m));
  LRN_GO(lrn_dbm_work_new(&w, d, width, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 1, &width, NULL));
  for (int64_t at = 0; at < s.states; at += width) {
    int64_t rows = s.states - at < width ? s.states - at : width;
    LRN_GO(lrn_poll());
    LRN_GO(block(d, w, &s, at, rows, F->view.data, 1 - s.first));
    take_in(&total, F->view.data, rows, T);
  }
  *log_z = log_of(&total) + volume;
done:
  lrn_tensor_free(F);
  lrn_dbm_work_free(w);
  lrn_dbm_free(d);
  return st;
}

/* F of a block's states for one row of data, of which `product` is v W1. */
static int with_row(const lrn_dbm *d, lrn_dbm_work *w, const side *s, double *F, const double *g,
                    const void *above, const double *product, int64_t rows) {
  lrn_view x = lrn_rows_view(LRN_F64, lrn_dbm_spare(w, 1), rows, d->units[1]);
  lrn_operand in[2] = {{.view = lrn_rows_view(LRN_F64, above, rows, d->units[1])},
                       {.view = lrn_rows_view(LRN_F64, product, rows, d->units[1])}};
  for (int64_t r = 0; r < rows; r++)
    F[r] = g[r];
  if (s->first == LRN_ODD) /* layer 1 is listed */
    return lrn_dbm_add_sums(d, 1, F, w->pair[0]->scratch->view.data, lrn_dbm_rows(w, 1)->view.data, product, 1,
                            rows, -1, 1);
  in[1].view.stride[0] = 0;
  LRN_TRY(lrn_device_cpu()->backend.map(LRN_OP_add, LRN_F64, &x, in, 2));
  return lrn_dbm_add_cumulants(d, w, 1, F, x.data, rows);
}

int lrn_dbm_log_marginal(const lrn_dbm *m, lrn_tensor *log_p, const lrn_tensor *v) {
  double T = m->pair[0]->options.temperature, spread = lrn_log_spread(m->pair[0]), *out = log_p->view.data;
  lrn_tensor *held = NULL, *F = NULL, *sums = NULL;
  lrn_dbm_work *w = NULL;
  lrn_dbm *d = NULL;
  int64_t width, most, size[2];
  lrn_rows rows;
  side s;
  int st;
  LRN_TRY(lrn_check_log_z(log_p, "log_likelihood"));
  if (!choose(&s, m, 2, LRN_ODD))
    return none(m, "log_likelihood");
  LRN_GO(lrn_dbm_double(&d, m));
  LRN_GO(lrn_rows_any(&rows, &held, d->pair[0], v, "log_likelihood"));
  if (rows.n != lrn_tensor_numel(log_p)) {
    st = lrn_fail(LRN_ESHAPE, "log_likelihood: log_p: got %lld values, expected %lld",
                  (long long)lrn_tensor_numel(log_p), (long long)rows.n);
    goto done;
  }
  width = width_of(&s);
  most = rows.n < BLOCK_ROWS ? rows.n : BLOCK_ROWS;
  size[0] = 2;
  size[1] = width;
  LRN_GO(lrn_dbm_work_new(&w, d, width > most ? width : most, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 2, size, NULL));
  size[1] = most;
  LRN_GO(lrn_tensor_new(&sums, LRN_F64, 2, size, NULL)); /* a log_sum a row */
  for (int64_t at = 0; at < rows.n; at += most) {
    int64_t n = rows.n - at < most ? rows.n - at : most;
    double *g = F->view.data, *f = g + width, *product = w->first->view.data;
    log_sum *total = sums->view.data;
    LRN_GO(lrn_load_rows(d->pair[0], w->pair[0]->v->view.data, &rows, NULL, 0, at, n, 0, "log_likelihood"));
    LRN_GO(lrn_dbm_input(d, 1, product, w->pair[0]->v->view.data, NULL, NULL, n, 1));
    LRN_GO(lrn_dbm_add_own(d, w, 0, out + at, w->pair[0]->v->view.data, n, 0));
    for (int64_t r = 0; r < n; r++)
      total[r] = (log_sum){-(double)INFINITY, 0};
    for (int64_t code = 0; code < s.states; code += width) {
      int64_t states = s.states - code < width ? s.states - code : width;
      void *above = lrn_dbm_states(w, 1);
      LRN_GO(block(d, w, &s, code, states, g, s.first == LRN_ODD ? 2 : 3));
      if (d->layers > 1 && s.first != LRN_ODD)
        LRN_GO(lrn_dbm_input(d, 1, above, NULL, lrn_dbm_rows(w, 2)->view.data, NULL, states, 1));
      else if (d->layers == 1)
        LRN_GO(lrn_tensor_fill(w->pair[0]->h, 0));
      for (int64_t r = 0; r < n; r++) {
        LRN_GO(lrn_poll());
        LRN_GO(with_row(d, w, &s, f, g, above, product + r * d->units[1], states));
        take_in(&total[r], f, states, T);
      }
    }
    for (int64_t r = 0; r < n; r++)
      out[at + r] = -out[at + r] / T + log_of(&total[r]) - spread;
  }
done:
  lrn_tensor_free(held);
  lrn_tensor_free(F);
  lrn_tensor_free(sums);
  lrn_dbm_work_free(w);
  lrn_dbm_free(d);
  return st;
}
