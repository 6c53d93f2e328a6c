/*
** posterior.c - visible units given what is known of them: means and deviations over the sweeps of a chain.
**
** A unit is held at its value (clamp.c), seen through noise, or free. Noise is one more factor p(y_i | v_i)
** of the chain's conditional p(v_i | h), which u = h W' + a says:
**
**   two states    y is the other state with probability f:
**                 u += T log((1 - f) / f) (2 y - low - high) / (high - low)^2
**   groups of K   y is drawn anew from all K with probability f:   u_k += T log(1 + K (1 - f) / f) y_k
**   Gaussian      y = v + N(0, r^2), v | h ~ N(u, T s):   v | h, y ~ N(u + k (y - u), k r^2),
**                 k = T s / (T s + r^2)
**
** so that inputs become keep u + pull, and the noise of a Gaussian state is `spread` times that of
** variance T. What y does not say (NaN) is free. Means are those of the conditionals, averaged over the
** sweeps (Rao and Blackwell); second moments of units of two states follow from them, others are those of
** the states.
*/
#include <math.h>

#include "kernel/unit.h"
#include "model/model.h"

enum { PULL, KEEP, SPREAD, TOTAL, SQUARE, BUFFERS }; /* of as many rows as go at once */
enum { PART, FREE, LESS, VECTORS };                  /* of one row, Gaussian units alone: k, spread of a
                                                        free unit, and what evidence adds to it */

typedef struct run {
  const lrn_known *how;
  lrn_tensor *mean, *std, *state;
  lrn_clamp clamp;
  lrn_rows noisy;
  lrn_tensor *buffer[BUFFERS]; /* NULL where there is no use for it */
  lrn_tensor *vector[VECTORS];
  int real; /* the noise is that of Gaussian units */
  double slope, offset; /* of the pull on others: slope y + offset */
  double low, high; /* the two states; the same: there are not two */
  uint64_t call;
} run;

static lrn_view rows_of(const lrn_rbm *m, const void *data, int64_t n) {
  return lrn_rows_view(m->options.dtype, data, n, m->options.n_visible);
}
static lrn_view all_of(const lrn_rbm *m, const lrn_tensor *t, int64_t n) {
  return rows_of(m, t->view.data, n);
}
static lrn_operand view(lrn_view v) { return (lrn_operand){.view = v}; }
static lrn_operand number(double d) { return (lrn_operand){.is_scalar = 1, .d = d}; }
static lrn_operand each_row(const lrn_rbm *m, const void *data, int64_t n) {
  lrn_view v = rows_of(m, data, n);
  v.stride[0] = 0;
  return view(v);
}
static int map2(const lrn_rbm *m, int op, const lrn_view *out, lrn_operand a, lrn_operand b) {
  lrn_operand in[2] = {a, b};
  return m->options.device->backend.map(op, m->options.dtype, out, in, 2);
}
static int put_number(const lrn_rbm *m, const lrn_view *out, double d) {
  lrn_operand in = number(d);
  return m->options.device->backend.map(LRN_OP_COPY, m->options.dtype, out, &in, 1);
}

/* {=== What is known === */

static int vector_of(lrn_tensor **out, const lrn_rbm *m, const lrn_tensor *host) {
  return lrn_tensor_to(out, host, m->options.dtype, m->options.device);
}

/* k, and the spreads, of each unit: in double on the CPU, then on the model's device. */
static int make_vectors(run *r, const lrn_rbm *m) {
  int64_t V = m->options.n_visible;
  const lrn_tensor *z = m->parameter[LRN_PARAMETER_Z];
  const double *std = m->stat[LRN_STAT_STD] != NULL ? m->stat[LRN_STAT_STD]->view.data : NULL;
  double T = m->options.temperature;
  lrn_tensor *logs = NULL, *host[VECTORS] = {NULL};
  int st = LRN_OK;
  if (z != NULL)
    LRN_GO(lrn_tensor_to(&logs, z, LRN_F64, lrn_device_cpu()));
  for (int i = 0; i < VECTORS; i++)
    LRN_GO(lrn_tensor_new(&host[i], LRN_F64, 1, &V, NULL));
  for (int64_t i = 0; i < V; i++) {
    int constant = std != NULL && std[i] == 0;
    double s = logs != NULL ? exp(((double *)logs->view.data)[i]) : 1;
    double noise = r->how->noise / (std != NULL && !constant ? std[i] : 1);
    double k = constant ? 0 : T * s / (T * s + noise * noise), free = constant ? 0 : sqrt(s);
    ((double *)host[PART]->view.data)[i] = k;
    ((double *)host[FREE]->view.data)[i] = free;
    ((double *)host[LESS]->view.data)[i] = constant ? 0 : sqrt(k / T) * noise - free;
  }
  for (int i = 0; i < VECTORS; i++)
    LRN_GO(vector_of(&r->vector[i], m, host[i]));
done:
  lrn_tensor_free(logs);
  for (int i = 0; i < VECTORS; i++)
    lrn_tensor_free(host[i]);
  return st;
}

static int check_noise(run *r, const lrn_rbm *m, const char *f) {
  const lrn_rbm_options *o = &m->options;
  const lrn_known *how = r->how;
  int flips = r->low < r->high;
  double K = (double)o->visible_categories, T = o->temperature, range = r->high - r->low;
  r->real = o->visible == LRN_UNIT_GAUSSIAN;
  if (!flips && !r->real)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: not for %s visible units", f, lrn_unit_name(o->visible));
  if (flips && !(how->flip > 0 && (K > 1 ? how->flip <= 1 : how->flip < 1)))
    return lrn_fail(LRN_EVALUE, "%s: flip: got %g, expected a probability > 0 and %s 1 (visible units are %s)",
                    f, how->flip, K > 1 ? "<=" : "<", lrn_unit_name(o->visible));
  if (r->real && !(how->noise > 0 && isfinite(how->noise)))
    return lrn_fail(LRN_EVALUE, "%s: noise: got %g, expected a number > 0 (visible units are gaussian)", f,
                    how->noise);
  if (flips && K > 1)
    r->slope = T * log(1 + K * (1 - how->flip) / how->flip);
  else if (flips) {
    r->slope = 2 * T * log((1 - how->flip) / how->flip) / (range * range);
    r->offset = -r->slope * (r->low + r->high) / 2;
  }
  return LRN_OK;
}

/* What y of n rows from `at` on does to inputs and spread; the rows themselves into v. */
static int load_noisy(const run *r, const lrn_rbm *m, void *v, int64_t at, int64_t n, const char *f) {
  lrn_view pull = all_of(m, r->buffer[PULL], n), keep = all_of(m, r->buffer[KEEP], n), there = keep;
  lrn_view state = rows_of(m, v, n);
  lrn_rows rows = r->noisy;
  if (r->real)
    there = all_of(m, r->buffer[SPREAD], n);
  rows.absent = there.data;
  LRN_TRY(lrn_load_rows(m, pull.data, &rows, NULL, 0, at, n, 0, f));
  LRN_TRY(lrn_copy_views(m->options.device, &state, &pull));
  LRN_TRY(map2(m, LRN_OP_sub, &there, number(1), view(there)));
  if (!r->real) {
    LRN_TRY(map2(m, LRN_OP_mul, &pull, view(pull), number(r->slope)));
    LRN_TRY(map2(m, LRN_OP_add, &pull, view(pull), number(r->offset)));
    return map2(m, LRN_OP_mul, &pull, view(pull), view(there));
  }
  LRN_TRY(map2(m, LRN_OP_mul, &keep, view(there), each_row(m, r->vector[PART]->view.data, n)));
  LRN_TRY(map2(m, LRN_OP_sub, &pull, view(pull),
               each_row(m, m->parameter[LRN_PARAMETER_A]->view.data, n)));
  LRN_TRY(map2(m, LRN_OP_mul, &pull, view(pull), view(keep)));
  LRN_TRY(map2(m, LRN_OP_sub, &keep, number(1), view(keep)));
  LRN_TRY(map2(m, LRN_OP_mul, &there, view(there), each_row(m, r->vector[LESS]->view.data, n)));
  return map2(m, LRN_OP_add, &there, view(there), each_row(m, r->vector[FREE]->view.data, n));
}

/* ===} */

/* {=== Chains === */

/* v given h: means into the spare buffer, states into v. */
static int visible(const run *r, const lrn_rbm *m, lrn_work *w, void *v, int64_t n, lrn_key key) {
  lrn_view u = rows_of(m, w->spare->view.data, n), state = rows_of(m, v, n);
  LRN_TRY(lrn_input(m, LRN_SIDE_VISIBLE, u.data, w->h->view.data, n));
  if (r->real)
    LRN_TRY(map2(m, LRN_OP_mul, &u, view(u), view(all_of(m, r->buffer[KEEP], n))));
  if (r->buffer[PULL] != NULL)
    LRN_TRY(map2(m, LRN_OP_add, &u, view(u), view(all_of(m, r->buffer[PULL], n))));
  LRN_TRY(lrn_activate(m, LRN_SIDE_VISIBLE, u.data, n, u.data, v, key, NULL));
  if (r->real) {
    LRN_TRY(map2(m, LRN_OP_sub, &state, view(state), view(u)));
    LRN_TRY(map2(m, LRN_OP_mul, &state, view(state), view(all_of(m, r->buffer[SPREAD], n))));
    LRN_TRY(map2(m, LRN_OP_add, &state, view(state), view(u)));
  }
  LRN_TRY(lrn_clamp_put(&r->clamp, m, v, n));
  return lrn_clamp_put(&r->clamp, m, u.data, n);
}

/* The sums take in the means in the spare buffer, which is then free, and the states v. */
static int count(const run *r, const lrn_rbm *m, const lrn_work *w, const void *v, int64_t n) {
  lrn_view total = all_of(m, r->buffer[TOTAL], n), mean = rows_of(m, w->spare->view.data, n);
  lrn_view state = rows_of(m, v, n), square;
  LRN_TRY(map2(m, LRN_OP_add, &total, view(total), view(mean)));
  if (r->buffer[SQUARE] == NULL)
    return LRN_OK;
  square = all_of(m, r->buffer[SQUARE], n);
  LRN_TRY(map2(m, LRN_OP_mul, &mean, view(state), view(state)));
  return map2(m, LRN_OP_add, &square, view(square), view(mean));
}

/* From the sums the results of n rows from `at` on, in units of the data. */
static int finish(const run *r, const lrn_rbm *m, const lrn_work *w, const void *v, int64_t at, int64_t n) {
  int64_t V = m->options.n_visible;
  double sweeps = (double)r->how->steps;
  lrn_view mean = all_of(m, r->buffer[TOTAL], n), second = rows_of(m, w->spare->view.data, n);
  lrn_view to = rows_of(m, lrn_row_at(r->mean, at, V), n), state = rows_of(m, v, n);
  lrn_view std = rows_of(m, lrn_row_at(r->std, at, V), n);
  LRN_TRY(map2(m, LRN_OP_div, &mean, view(mean), number(sweeps)));
  if (to.data != NULL)
    LRN_TRY(lrn_copy_views(m->options.device, &to, &mean));
  if (std.data != NULL) {
    if (r->buffer[SQUARE] != NULL)
      LRN_TRY(map2(m, LRN_OP_div, &second, view(all_of(m, r->buffer[SQUARE], n)), number(sweeps)));
    else { /* (v - low) (v - high) = 0 */
      LRN_TRY(map2(m, LRN_OP_mul, &second, view(mean), number(r->low + r->high)));
      LRN_TRY(map2(m, LRN_OP_sub, &second, view(second), number(r->low * r->high)));
    }
    LRN_TRY(map2(m, LRN_OP_mul, &mean, view(mean), view(mean)));
    LRN_TRY(map2(m, LRN_OP_sub, &std, view(second), view(mean)));
    LRN_TRY(map2(m, LRN_OP_maximum, &std, view(std), number(0)));
    LRN_TRY(m->options.device->backend.map(LRN_OP_sqrt, m->options.dtype, &std, &(lrn_operand){.view = std}, 1));
    LRN_TRY(lrn_to_data_widths(m, std.data, n));
  }
  LRN_TRY(lrn_to_data_units(m, to.data, n));
  to.data = lrn_row_at(r->state, at, V);
  if (to.data != NULL)
    LRN_TRY(lrn_copy_views(m->options.device, &to, &state));
  return lrn_to_data_units(m, to.data, n);
}

static int sweep_rows(const run *r, const lrn_rbm *m, lrn_work *w, int64_t at, int64_t n) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden, C = m->options.n_classes;
  int64_t burn = r->how->burn, sweeps = burn + r->how->steps;
  void *v = w->v->view.data, *q = w->q->view.data, *h = w->h->view.data, *y = lrn_label_row(w, 0);
  for (int64_t s = 0; s < sweeps; s++) {
    lrn_key of_h = lrn_key_of(m, r->call, LRN_STREAM_USER, (int)(2 * s), at * H);
    lrn_key of_v = lrn_key_of(m, r->call, LRN_STREAM_USER, (int)(2 * s + 1), at * V);
    lrn_key of_y = lrn_key_of(m, r->call, LRN_STREAM_USER, (int)(2 * s + 1), at * C);
    if (s == 0)
      LRN_TRY(lrn_hidden_of(m, w, n, NULL, h, of_h));
    else {
      LRN_TRY(lrn_hidden_input(m, q, v, y, n));
      LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, q, n, NULL, h, of_h, NULL));
    }
    LRN_TRY(visible(r, m, w, v, n, of_v));
    if (s >= burn)
      LRN_TRY(count(r, m, w, v, n));
    LRN_TRY(lrn_label_down(m, NULL, y, h, n, of_y));
  }
  return finish(r, m, w, v, at, n);
}

/* What is known of n rows from `at` on, 0 for the rest, into w->v; and sums of nothing. */
static int begin(run *r, const lrn_rbm *m, lrn_work *w, int64_t at, int64_t n, const char *f) {
  lrn_view v = rows_of(m, w->v->view.data, n), sum;
  LRN_TRY(put_number(m, &v, 0));
  if (r->noisy.n > 0)
    LRN_TRY(load_noisy(r, m, v.data, at, n, f));
  LRN_TRY(lrn_clamp_load(&r->clamp, m, at, n, f));
  LRN_TRY(lrn_clamp_put(&r->clamp, m, v.data, n));
  for (int i = TOTAL; i <= SQUARE; i++)
    if (r->buffer[i] != NULL) {
      sum = all_of(m, r->buffer[i], n);
      LRN_TRY(put_number(m, &sum, 0));
    }
  return LRN_OK;
}

/* ===} */

static int make_buffers(run *r, const lrn_rbm *m, int64_t rows) {
  int64_t size[2] = {rows, m->options.n_visible};
  const int wanted[BUFFERS] = {[PULL] = r->noisy.n > 0, [KEEP] = r->noisy.n > 0, [SPREAD] = r->real,
                               [TOTAL] = 1,
                               [SQUARE] = r->low == r->high};
  for (int i = 0; i < BUFFERS; i++)
    if (wanted[i])
      LRN_TRY(lrn_tensor_new(&r->buffer[i], m->options.dtype, 2, size, m->options.device));
  return r->real ? make_vectors(r, m) : LRN_OK;
}

static int check_how(const run *r, const lrn_rbm *m, const char *f) {
  const lrn_known *how = r->how;
  int64_t V = m->options.n_visible;
  if (how->n < 1)
    return lrn_fail(LRN_EVALUE, "%s: n: got %lld, expected an integer >= 1", f, (long long)how->n);
  if (how->steps < 1 || how->steps > LRN_MOST_STEPS || how->burn < 0 ||
      how->burn > LRN_MOST_STEPS - how->steps)
    return lrn_fail(LRN_EVALUE, "%s: steps, burn: got %lld and %lld, expected integers >= 1 and >= 0, "
                    "together at most %d", f, (long long)how->steps, (long long)how->burn, LRN_MOST_STEPS);
  LRN_TRY(lrn_check_output(m, r->mean, how->n, V, f, "mean"));
  LRN_TRY(lrn_check_output(m, r->std, how->n, V, f, "std"));
  return lrn_check_output(m, r->state, how->n, V, f, "state");
}

int lrn_rbm_posterior(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *std, lrn_tensor *state,
                      const lrn_known *how) {
  const char *f = how->noisy != NULL ? "denoise" : "impute";
  run r = {.how = how, .mean = mean, .std = std, .state = state, .call = w->state.calls};
  lrn_tensor *held = NULL;
  lrn_rbm seen = *m;
  int64_t piece;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, f));
  LRN_TRY(check_how(&r, m, f));
  piece = lrn_piece(w, how->n, 0);
  if (!lrn_unit_states(m->options.visible, &r.low, &r.high))
    r.low = r.high = 0;
  if (lrn_unit_grouped(m->options.visible)) /* of one unit of a group */
    r.high = 1;
  seen.options.visible_noise = 1;
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  if (how->noisy != NULL) {
    LRN_GO(check_noise(&r, m, f));
    LRN_GO(lrn_rows_any(&r.noisy, &held, m, how->noisy, f));
    if (r.noisy.n != how->n) {
      st = lrn_fail(LRN_ESHAPE, "%s: y: got %lld rows, expected %lld", f, (long long)r.noisy.n,
                    (long long)how->n);
      goto done;
    }
  }
  LRN_GO(lrn_clamp_make(&r.clamp, m, how->mask, how->values, how->n, piece, f));
  LRN_GO(make_buffers(&r, m, piece));
  if (r.real) /* the spread has it */
    seen.gain = NULL;
  for (int64_t at = 0; at < how->n; at += piece) {
    int64_t n = lrn_piece(w, how->n, at);
    LRN_GO(begin(&r, m, w, at, n, f));
    LRN_GO(sweep_rows(&r, m, w, at, n));
  }
  w->state.calls++;
done:
  lrn_clamp_free(&r.clamp);
  for (int i = 0; i < BUFFERS; i++)
    lrn_tensor_free(r.buffer[i]);
  for (int i = 0; i < VECTORS; i++)
    lrn_tensor_free(r.vector[i]);
  lrn_tensor_free(held);
  return st;
}
