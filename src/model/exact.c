/*
** exact.c - log Z and the likelihood by enumeration of one layer's states.
**
** With one layer summed out in closed form, log Z = log sum over the states s of the other of
** exp(-F(s) / T). In float64 whatever the model's dtype, in blocks, on the CPU.
*/
#include <math.h>

#include "kernel/math.h"
#include "kernel/unit.h"
#include "model/model.h"

enum { MOST_STATES = 1 << 24, BLOCK_ROWS = 4096 };

/* A layer whose states are the numbers of `digits` digits, each below `base`: units of two states, or
   groups of `base` units. */
typedef struct listing {
  int64_t digits, base, categories, states;
  double low, high;
} listing;

/* Whether the states of that side can be listed. */
static int list_side(listing *out, const lrn_rbm *m, int side) {
  lrn_layer l = lrn_layer_of(m, side);
  *out = (listing){l.units / l.categories, l.categories > 1 ? l.categories : 2, l.categories, 1, 0, 1};
  if (!lrn_unit_can_flip(l.unit))
    return 0;
  lrn_unit_states(l.unit, &out->low, &out->high);
  for (int64_t i = 0; i < out->digits; i++) {
    if (out->states > MOST_STATES / out->base)
      return 0;
    out->states *= out->base;
  }
  return 1;
}

/* The layer that has fewer states, of those that can be listed, or -1. */
static int listed_side(listing *out, const lrn_rbm *m) {
  listing v, h;
  int has_v = list_side(&v, m, LRN_SIDE_VISIBLE), has_h = list_side(&h, m, LRN_SIDE_HIDDEN);
  int visible = has_v && (!has_h || v.states <= h.states);
  *out = visible ? v : h;
  return visible ? LRN_SIDE_VISIBLE : has_h ? LRN_SIDE_HIDDEN : -1;
}

/* State number `code`: its lowest digit is that of the first unit or group. */
static void write_state(double *s, const listing *l, int64_t code) {
  for (int64_t i = 0; i < l->digits; i++, code /= l->base) {
    int64_t digit = code % l->base;
    if (l->categories == 1)
      s[i] = digit ? l->high : l->low;
    else
      for (int64_t k = 0; k < l->categories; k++)
        s[i * l->categories + k] = k == digit;
  }
}

/* log(e^a + e^b) */
static double log_add(double a, double b) {
  double high = a > b ? a : b, low = a > b ? b : a;
  return high == -(double)INFINITY ? high : high + lrn_log1p(lrn_exp(low - high));
}

int lrn_rbm_log_partition(const lrn_rbm *m, double *log_z) {
  listing l;
  int side = listed_side(&l, m);
  int64_t units, width;
  lrn_rbm *d = NULL, seen;
  lrn_work *w = NULL;
  lrn_tensor *F = NULL;
  double total = -(double)INFINITY;
  int st;
  if (!lrn_unit_has_density(m->options.visible) || !lrn_unit_has_density(m->options.hidden))
    return lrn_fail(LRN_EUNSUPPORTED, "log_partition: not defined for %s units, which are a rule "
                    "without a density",
                    lrn_unit_name(lrn_unit_has_density(m->options.visible) ? m->options.hidden
                                                                           : m->options.visible));
  if (side < 0)
    return lrn_fail(LRN_EUNSUPPORTED,
                    "log_partition: exact only where a layer has at most 2^24 states, such as at most "
                    "24 units of two states (n_visible %lld, n_hidden %lld)",
                    (long long)m->options.n_visible, (long long)m->options.n_hidden);
  units = lrn_layer_of(m, side).units;
  width = l.states < BLOCK_ROWS ? l.states : BLOCK_ROWS;
  LRN_GO(lrn_rbm_double(&d, m));
  LRN_GO(lrn_work_new(&w, d, width, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 1, &width, NULL));
  seen = *d;
  LRN_GO(lrn_see(&seen, w));
  for (int64_t at = 0; at < l.states; at += width) {
    int64_t rows = l.states - at < width ? l.states - at : width;
    double *s = side == LRN_SIDE_VISIBLE ? w->v->view.data : w->q->view.data;
    const double *f = F->view.data;
    for (int64_t r = 0; r < rows; r++)
      write_state(s + r * units, &l, at + r);
    LRN_GO(lrn_side_energy(&seen, w, side, F->view.data, s, rows));
    for (int64_t r = 0; r < rows; r++)
      total = log_add(total, -f[r] / m->options.temperature);
  }
  *log_z = total + lrn_log_volume(d);
done:
  lrn_tensor_free(F);
  lrn_work_free(w);
  lrn_rbm_free(d);
  return st;
}

int lrn_rbm_log_likelihood(const lrn_rbm *m, double *mean, const lrn_tensor *v) {
  lrn_rbm *d = NULL;
  lrn_work *w = NULL;
  lrn_tensor *F = NULL, *held = NULL, *average = NULL;
  lrn_rows rows;
  double log_z, f;
  int st;
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "log_likelihood"));
  if (rows.n == 0) {
    st = lrn_fail(LRN_EVALUE, "log_likelihood: data: no row");
    goto done;
  }
  LRN_GO(lrn_rbm_log_partition(m, &log_z));
  LRN_GO(lrn_rbm_double(&d, m));
  LRN_GO(lrn_work_new(&w, d, rows.n < BLOCK_ROWS ? rows.n : BLOCK_ROWS, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 1, &rows.n, NULL));
  LRN_GO(lrn_rbm_free_energy(d, w, F, v));
  LRN_GO(lrn_mean(&average, F, 0, 0));
  LRN_GO(lrn_tensor_get(&f, average, NULL));
  *mean = -f / m->options.temperature - log_z - lrn_log_spread(m); /* a density of data */
done:
  lrn_tensor_free(F);
  lrn_tensor_free(held);
  lrn_tensor_free(average);
  lrn_work_free(w);
  lrn_rbm_free(d);
  return st;
}
