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

enum { MOST_UNITS = 24, BLOCK_ROWS = 4096 };

/* The smaller layer whose states can be listed, or -1. */
static int listed_side(const lrn_rbm *m) {
  const lrn_rbm_options *o = &m->options;
  int v = lrn_unit_can_flip(o->visible) && o->n_visible <= MOST_UNITS;
  int h = lrn_unit_can_flip(o->hidden) && o->n_hidden <= MOST_UNITS;
  if (v && h)
    return o->n_visible <= o->n_hidden ? LRN_SIDE_VISIBLE : LRN_SIDE_HIDDEN;
  return v ? LRN_SIDE_VISIBLE : h ? LRN_SIDE_HIDDEN : -1;
}

/* log(e^a + e^b) */
static double log_add(double a, double b) {
  double high = a > b ? a : b, low = a > b ? b : a;
  return high == -(double)INFINITY ? high : high + lrn_log1p(lrn_exp(low - high));
}

int lrn_rbm_log_partition(const lrn_rbm *m, double *log_z) {
  int side = listed_side(m);
  double low = 0, high = 1;
  int64_t units, count, width;
  lrn_rbm *d = NULL;
  lrn_work *w = NULL;
  lrn_tensor *F = NULL;
  double total = -(double)INFINITY;
  int st;
  if (side < 0)
    return lrn_fail(LRN_EUNSUPPORTED,
                    "log_partition: exact only where a layer of two-state units has at most %d units "
                    "(n_visible %lld, n_hidden %lld)",
                    MOST_UNITS, (long long)m->options.n_visible, (long long)m->options.n_hidden);
  units = lrn_layer_of(m, side).units;
  lrn_unit_states(lrn_layer_of(m, side).unit, &low, &high);
  count = (int64_t)1 << units;
  width = count < BLOCK_ROWS ? count : BLOCK_ROWS;
  LRN_GO(lrn_rbm_double(&d, m));
  LRN_GO(lrn_work_new(&w, d, width, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 1, &width, NULL));
  for (int64_t at = 0; at < count; at += width) {
    double *s = side == LRN_SIDE_VISIBLE ? w->v->view.data : w->q->view.data;
    const double *f = F->view.data;
    for (int64_t r = 0; r < width; r++)
      for (int64_t i = 0; i < units; i++)
        s[r * units + i] = (at + r) >> i & 1 ? high : low;
    LRN_GO(lrn_side_energy(d, w, side, F->view.data, s, width));
    for (int64_t r = 0; r < width; r++)
      total = log_add(total, -f[r] / m->options.temperature);
  }
  *log_z = total;
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
  *mean = -f / m->options.temperature - log_z;
done:
  lrn_tensor_free(F);
  lrn_tensor_free(held);
  lrn_tensor_free(average);
  lrn_work_free(w);
  lrn_rbm_free(d);
  return st;
}
