/*
** infer.c - what a model can be asked without changing it. Rows go through the workspace in
** batches; the model is only read.
*/
#include <math.h>
#include <string.h>

#include "kernel/unit.h"
#include "model/model.h"

int lrn_pseudo_sum(const lrn_rbm *m, lrn_work *w, int64_t n, lrn_key key, double *sum);

/* An output of the caller: the model's dtype and device, contiguous, rows x units; or NULL. */
int lrn_check_output(const lrn_rbm *m, const lrn_tensor *t, int64_t rows, int64_t units,
                     const char *function, const char *name) {
  char text[LRN_SHAPE_MAX];
  if (t == NULL)
    return LRN_OK;
  if (t->view.dtype != m->options.dtype || t->storage->device != m->options.device ||
      !lrn_tensor_is_contiguous(t) || lrn_tensor_numel(t) != rows * units)
    return lrn_fail(LRN_ESHAPE, "%s: %s: got %s, expected a contiguous %s tensor of %lld x %lld "
                    "on %s", function, name, lrn_tensor_text(text, t),
                    lrn_dtype_name(m->options.dtype), (long long)rows, (long long)units,
                    m->options.device->name);
  return lrn_check_writable(t, function);
}

int lrn_hidden_of(const lrn_rbm *m, lrn_work *w, int64_t n, void *mean, void *state, lrn_key key) {
  void *x = w->q->view.data;
  LRN_TRY(lrn_input(m, LRN_SIDE_HIDDEN, x, w->v->view.data, n));
  return m->options.n_classes > 0 ? lrn_label_hidden(m, w, x, n, mean, state, key)
                                  : lrn_activate(m, LRN_SIDE_HIDDEN, x, n, mean, state, key, NULL);
}

/* labels, counted from base: those of the rows, or NULL */
static int hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state,
                  const lrn_tensor *v, const lrn_tensor *labels, int64_t base) {
  int64_t H = m->options.n_hidden;
  uint64_t call = w->state.calls;
  lrn_tensor *held = NULL;
  lrn_rows rows;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "hidden_sampling"));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "hidden_sampling"));
  rows.absent = lrn_absent(m, w);
  LRN_GO(lrn_check_output(m, mean, rows.n, H, "hidden_sampling", "mean"));
  LRN_GO(lrn_check_output(m, state, rows.n, H, "hidden_sampling", "state"));
  LRN_GO(lrn_check_labels(m, labels, rows.n, "hidden_sampling"));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    lrn_batch part = {.labels = labels, .base = base, .first = at, .count = n};
    lrn_key key = lrn_key_of(m, call, LRN_STREAM_USER, 0, at * H);
    void *x = w->q->view.data, *p = lrn_row_at(mean, at, H), *h = lrn_row_at(state, at, H);
    LRN_GO(lrn_load_rows(m, w->v->view.data, &rows, NULL, 0, at, n, 0, "hidden_sampling"));
    if (labels == NULL)
      LRN_GO(lrn_hidden_of(m, w, n, p, h, key));
    else {
      LRN_GO(lrn_load_labels(m, w, &part, "hidden_sampling"));
      LRN_GO(lrn_hidden_input(m, x, w->v->view.data, lrn_label_row(w, 0), n));
      LRN_GO(lrn_activate(m, LRN_SIDE_HIDDEN, x, n, p, h, key, NULL));
    }
  }
  w->state.calls += state != NULL;
done:
  lrn_tensor_free(held);
  return st;
}

int lrn_rbm_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state,
                   const lrn_tensor *v) {
  return hidden(m, w, mean, state, v, NULL, 0);
}

int lrn_rbm_hidden_given(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state,
                         const lrn_tensor *v, const lrn_tensor *labels, int64_t base) {
  return hidden(m, w, mean, state, v, labels, base);
}

int lrn_rbm_forward(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, const lrn_tensor *v) {
  lrn_rbm as_is = *m;
  if (!m->options.input_normalize)
    as_is.shift = as_is.scale = NULL;
  return hidden(&as_is, w, mean, NULL, v, NULL, 0);
}

int lrn_hidden_rows(lrn_tensor **out, int64_t *n, const lrn_rbm *m, const lrn_tensor *h,
                    const char *function) {
  int64_t H = m->options.n_hidden;
  lrn_tensor *cast = NULL;
  char text[LRN_SHAPE_MAX];
  int st;
  if (h->view.nd < 1 || h->view.nd > 2 || h->view.size[h->view.nd - 1] != H)
    return lrn_fail(LRN_ESHAPE, "%s: got %s, expected rows of %lld values (n_hidden)", function,
                    lrn_tensor_text(text, h), (long long)H);
  *n = h->view.nd == 1 ? 1 : h->view.size[0];
  LRN_GO(lrn_tensor_to(&cast, h, m->options.dtype, m->options.device));
  st = lrn_tensor_contiguous(out, cast);
done:
  lrn_tensor_free(cast);
  return st;
}

int lrn_rbm_visible(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state,
                    const lrn_tensor *h) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden, N;
  uint64_t call = w->state.calls;
  lrn_tensor *flat = NULL;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "visible_sampling"));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  LRN_TRY(lrn_hidden_rows(&flat, &N, m, h, "visible_sampling"));
  LRN_GO(lrn_check_output(m, mean, N, V, "visible_sampling", "mean"));
  LRN_GO(lrn_check_output(m, state, N, V, "visible_sampling", "state"));
  for (int64_t at = 0; at < N; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, N, at);
    LRN_GO(lrn_input(m, LRN_SIDE_VISIBLE, w->v->view.data, lrn_row_at(flat, at, H), n));
    LRN_GO(lrn_activate(m, LRN_SIDE_VISIBLE, w->v->view.data, n, lrn_row_at(mean, at, V),
                        lrn_row_at(state, at, V), lrn_key_of(m, call, LRN_STREAM_USER, 1, at * V),
                        NULL));
    LRN_GO(lrn_to_data_units(m, lrn_row_at(mean, at, V), n));
    LRN_GO(lrn_to_data_units(m, lrn_row_at(state, at, V), n));
  }
  w->state.calls += state != NULL;
done:
  lrn_tensor_free(flat);
  return st;
}

/* {=== Free energy === */

/* out[r] = (divisor-scaled) row sums of f: rows x units, contiguous; y a row that is repeated. */
static int row_sums(const lrn_rbm *m, int red, lrn_view *out, const void *x, const void *y,
                    int64_t rows, int64_t units, double divisor) {
  lrn_view v = {.dtype = m->options.dtype, .nd = 2, .data = (void *)(uintptr_t)x}, vy;
  v.size[0] = rows;
  v.stride[0] = units;
  v.size[1] = units;
  v.stride[1] = 1;
  vy = v;
  vy.data = (void *)(uintptr_t)y;
  vy.stride[0] = 0;
  return m->options.device->backend.reduce(red, out, &v, y != NULL ? &vy : NULL, 1, divisor);
}

static int binary(const lrn_rbm *m, int op, const lrn_view *out, const lrn_view *a,
                  const lrn_view *b) {
  lrn_operand in[2] = {{.view = *a}, {.view = *b}};
  return m->options.device->backend.map(op, m->options.dtype, out, in, 2);
}

int lrn_side_energy(const lrn_rbm *m, lrn_work *w, int side, void *F, const void *states,
                    int64_t rows) {
  const lrn_rbm_options *o = &m->options;
  int other = side == LRN_SIDE_VISIBLE ? LRN_SIDE_HIDDEN : LRN_SIDE_VISIBLE;
  lrn_layer own = lrn_layer_of(m, side), far = lrn_layer_of(m, other);
  int real = side == LRN_SIDE_VISIBLE && m->precision != NULL; /* see variance.c */
  const void *own_bias = real ? m->energy_bias : own.bias, *precision = real ? m->precision : NULL;
  /* far's inputs, in a buffer of its width that `states` is not in; spare holds self energies */
  void *x = other == LRN_SIDE_HIDDEN ? w->q->view.data : w->v->view.data;
  lrn_view xv = {.dtype = o->dtype, .nd = 2, .data = x}, bias = xv, fv = xv, part;
  xv.size[0] = rows;
  xv.size[1] = far.units;
  xv.stride[0] = far.units;
  xv.stride[1] = 1;
  bias = xv;
  bias.data = (void *)(uintptr_t)far.bias;
  bias.stride[0] = 0;
  fv = (lrn_view){.dtype = o->dtype, .nd = 1, .data = F, .size = {rows}, .stride = {1}};
  part = fv;
  part.data = w->scratch->view.data; /* doubles: wide enough for either dtype */
  LRN_TRY(lrn_input(m, other, x, states, rows));
  if (o->n_classes > 0 && side == LRN_SIDE_VISIBLE) {
    LRN_TRY(lrn_label_cumulant(m, w, side, x, rows));
    LRN_TRY(o->device->backend.map(LRN_OP_neg, o->dtype, &fv, &(lrn_operand){.view = part}, 1));
  } else {
    LRN_TRY(binary(m, LRN_OP_add, &xv, &xv, &bias));
    if (other == LRN_SIDE_VISIBLE && m->narrow != NULL) {
      bias.data = (void *)(uintptr_t)m->narrow;
      LRN_TRY(binary(m, LRN_OP_mul, &xv, &xv, &bias));
    }
    LRN_TRY(lrn_map_units(m, other, LRN_UNIT_CUMULANT, x, x, rows));
    LRN_TRY(row_sums(m, LRN_RED_sum, &fv, x, NULL, rows, far.units, -1));
    if (o->n_classes > 0) {
      LRN_TRY(lrn_label_cumulant(m, w, side, states, rows));
      LRN_TRY(binary(m, LRN_OP_sub, &fv, &fv, &part));
    }
  }
  LRN_TRY(row_sums(m, LRN_RED_dot, &part, states, own_bias, rows, own.units, -1));
  LRN_TRY(binary(m, LRN_OP_add, &fv, &fv, &part));
  LRN_TRY(lrn_map_units(m, side, LRN_UNIT_SELF, w->spare->view.data, states, rows));
  LRN_TRY(row_sums(m, precision != NULL ? LRN_RED_dot : LRN_RED_sum, &part, w->spare->view.data,
                   precision, rows, own.units, 1));
  return binary(m, LRN_OP_add, &fv, &fv, &part);
}

int lrn_rbm_free_energy(const lrn_rbm *m, lrn_work *w, lrn_tensor *F, const lrn_tensor *v) {
  lrn_tensor *held = NULL;
  lrn_rows rows;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "energy"));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "energy"));
  rows.absent = lrn_absent(m, w);
  LRN_GO(lrn_check_output(m, F, rows.n, 1, "energy", "F"));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    LRN_GO(lrn_load_rows(m, w->v->view.data, &rows, NULL, 0, at, n, 0, "energy"));
    LRN_GO(lrn_side_energy(m, w, LRN_SIDE_VISIBLE, lrn_row_at(F, at, 1), w->v->view.data, n));
  }
done:
  lrn_tensor_free(held);
  return st;
}

/* ===} */

/* A zeroed double on the device for a metric's sum. */
static int zero_sums(lrn_tensor **out, const lrn_rbm *m) {
  int64_t n = 2;
  LRN_TRY(lrn_tensor_new(out, LRN_F64, 1, &n, m->options.device));
  return lrn_tensor_fill(*out, 0);
}

int lrn_rbm_pseudo_likelihood(const lrn_rbm *m, lrn_work *w, double *pl, const lrn_tensor *v) {
  uint64_t call = w->state.calls;
  lrn_tensor *held = NULL, *sum = NULL;
  lrn_rows rows;
  int64_t zero = 0;
  double total;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "pseudo_likelihood"));
  if (m->options.n_classes > 0)
    return lrn_fail(LRN_EUNSUPPORTED, "pseudo_likelihood: not for a model with labels");
  if (!lrn_has_pl(m))
    return lrn_fail(LRN_EUNSUPPORTED, "pseudo_likelihood: not defined for %s visible units",
                    lrn_unit_name(m->options.visible));
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "pseudo_likelihood"));
  rows.absent = lrn_absent(m, w);
  if (rows.n == 0) {
    st = lrn_fail(LRN_EVALUE, "pseudo_likelihood: data: no row");
    goto done;
  }
  LRN_GO(zero_sums(&sum, m));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    LRN_GO(lrn_load_rows(m, w->v->view.data, &rows, NULL, 0, at, n, 0, "pseudo_likelihood"));
    LRN_GO(lrn_pseudo_sum(m, w, n, lrn_key_of(m, call, LRN_STREAM_USER, 4, at),
                          sum->view.data));
  }
  LRN_GO(lrn_tensor_get(&total, sum, &zero));
  *pl = total / (double)rows.n;
  w->state.calls++;
done:
  lrn_tensor_free(held);
  lrn_tensor_free(sum);
  return st;
}

int lrn_rbm_reconstruct_part(const lrn_rbm *m, lrn_work *w, double total[2], lrn_tensor *v,
                             const lrn_tensor *data, int64_t first, int mean_field) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden;
  uint64_t call = w->state.calls - (first > 0);
  lrn_tensor *held = NULL, *sums = NULL;
  lrn_rows rows;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "reconstruct"));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  LRN_GO(lrn_rows_any(&rows, &held, m, data, "reconstruct"));
  rows.absent = lrn_absent(m, w);
  LRN_GO(lrn_check_output(m, v, rows.n, V, "reconstruct", "v"));
  if (rows.n == 0 || first < 0) {
    st = rows.n == 0 ? lrn_fail(LRN_EVALUE, "reconstruct: data: no row")
                     : lrn_fail(LRN_EARG, "reconstruct: first: got %lld, expected an integer >= 0",
                                (long long)first);
    goto done;
  }
  LRN_GO(zero_sums(&sums, m));
  if (first > 0)
    LRN_GO(m->options.device->backend.upload(sums->view.data, total, 2 * sizeof *total));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    void *x = w->v->view.data, *u = w->spare->view.data, *q = w->q->view.data;
    lrn_unit_args extra = {.mean_scale = 1, .target = x, .sums = sums->view.data,
                           .scratch = w->scratch->view.data, .absent = rows.absent};
    void *mean = lrn_row_at(v, at, V);
    lrn_key key = lrn_key_of(m, call, LRN_STREAM_USER, 1, (first + at) * V);
    LRN_GO(lrn_load_rows(m, x, &rows, NULL, 0, at, n, 0, "reconstruct"));
    LRN_GO(lrn_hidden_of(m, w, n, mean_field ? q : NULL, mean_field ? NULL : q,
                     lrn_key_of(m, call, LRN_STREAM_USER, 0, (first + at) * H)));
    LRN_GO(lrn_input(m, LRN_SIDE_VISIBLE, u, q, n));
    if (rows.absent != NULL && mean != NULL) { /* means of all units, errors of those that are there */
      LRN_GO(lrn_activate(m, LRN_SIDE_VISIBLE, u, n, mean, NULL, key, NULL));
      mean = NULL;
    }
    /* the states are drawn for `sampled` alone, into rows of w->v that nothing needs */
    LRN_GO(lrn_activate(m, LRN_SIDE_VISIBLE, u, n, mean, lrn_row(w->v, w->batch), key, &extra));
    LRN_GO(lrn_to_data_units(m, lrn_row_at(v, at, V), n));
  }
  LRN_GO(m->options.device->backend.download(total, sums->view.data, 2 * sizeof *total));
  w->state.calls += first == 0;
done:
  lrn_tensor_free(held);
  lrn_tensor_free(sums);
  return st;
}

int lrn_rbm_reconstruct(const lrn_rbm *m, lrn_work *w, double *error, double *sampled,
                        lrn_tensor *v, const lrn_tensor *data, int mean_field) {
  double total[2], n = (double)(data->view.nd <= 1 ? 1 : data->view.size[0]);
  LRN_TRY(lrn_rbm_reconstruct_part(m, w, total, v, data, 0, mean_field));
  if (error != NULL)
    *error = total[0] / n;
  if (sampled != NULL)
    *sampled = total[1] / n;
  return LRN_OK;
}

/* logit(p) is the input at which a unit of the states 0 and 1 has mean p; inputs log p of a group give
   means p where these sum to 1; real units by bisection of their mean, which rises with the input. */
static double input_of_mean(const lrn_rbm *m, double p, int64_t n) {
  double low = -64, high = 64, margin = 1.0 / ((double)n + 2);
  double off = 0, on = 1;
  int unit = m->options.visible;
  if (lrn_unit_grouped(unit))
    return m->options.temperature * log(p < margin ? margin : p);
  if (lrn_unit_states(unit, &off, &on)) {
    p = (p - off) / (on - off);
    p = p < margin ? margin : p > 1 - margin ? 1 - margin : p;
    return m->options.temperature * log(p / (1 - p)) / (on - off);
  }
  if (unit == LRN_UNIT_GAUSSIAN)
    return p;
  for (int i = 0; i < 64; i++) {
    double middle = 0.5 * (low + high), mean;
    lrn_unit_map_args args = {.unit = unit, .part = LRN_UNIT_MEAN, .dtype = LRN_F64,
                              .temperature = m->options.temperature, .n = 1, .categories = 1,
                              .out = &mean, .x = &middle};
    if (lrn_device_cpu()->backend.unit_map(&args) != LRN_OK)
      return 0;
    if (mean < p)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}

int lrn_all_zero(int *out, const lrn_tensor *t) {
  lrn_tensor *sum = NULL;
  double v = 0;
  int st;
  LRN_GO(lrn_reduce(&sum, LRN_RED_sumsq, t, 0, 0));
  LRN_GO(lrn_tensor_get(&v, sum, NULL));
  *out = v == 0;
done:
  lrn_tensor_free(sum);
  return st;
}

/* p[i] += sum over n rows of values in the workspace, by unit */
static int add_rows(double *p, lrn_tensor *values, int64_t n) {
  lrn_tensor *rows = NULL, *sum = NULL, *host = NULL;
  const double *found;
  int st;
  LRN_GO(lrn_tensor_narrow(&rows, values, 0, 0, n));
  LRN_GO(lrn_reduce(&sum, LRN_RED_sum, rows, 1u, 0));
  LRN_GO(lrn_tensor_to(&host, sum, LRN_F64, lrn_device_cpu()));
  found = host->view.data;
  for (int64_t i = 0; i < lrn_tensor_numel(host); i++)
    p[i] += found[i];
done:
  lrn_tensor_free(rows);
  lrn_tensor_free(sum);
  lrn_tensor_free(host);
  return st;
}

/* The biases at which visible units without weights have the means of the data, into p; nothing where there
   are no rows, 0 for a unit that none of them has. *n: rows. */
static int biases_of_data(const lrn_rbm *m, lrn_work *w, double *p, int64_t *n, const lrn_tensor *data,
                          const char *f) {
  int64_t V = m->options.n_visible;
  lrn_tensor *held = NULL, *lacking = NULL; /* how many rows lack a unit */
  lrn_rows rows;
  double *absent;
  int st;
  LRN_GO(lrn_tensor_new(&lacking, LRN_F64, 1, &V, NULL));
  LRN_GO(lrn_tensor_fill(lacking, 0));
  absent = lacking->view.data;
  LRN_GO(lrn_rows_any(&rows, &held, m, data, f));
  rows.absent = lrn_absent(m, w);
  for (int64_t i = 0; i < V && rows.n > 0; i++)
    p[i] = 0;
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t count = lrn_piece(w, rows.n, at);
    LRN_GO(lrn_load_rows(m, w->v->view.data, &rows, NULL, 0, at, count, 0, f));
    LRN_GO(add_rows(p, w->v, count));
    if (rows.absent != NULL)
      LRN_GO(add_rows(absent, w->absent, count));
  }
  for (int64_t i = 0; i < V && rows.n > 0; i++) {
    double here = (double)rows.n - absent[i];
    p[i] = here > 0 ? input_of_mean(m, p[i] / here, (int64_t)here) : 0;
  }
  *n = rows.n;
done:
  lrn_tensor_free(lacking);
  lrn_tensor_free(held);
  return st;
}

int lrn_rbm_base_biases(const lrn_rbm *m, lrn_work *w, lrn_tensor *out, const lrn_tensor *data) {
  char text[LRN_SHAPE_MAX];
  int64_t n;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "base"));
  if (out->view.dtype != LRN_F64 || out->storage->device != lrn_device_cpu() ||
      !lrn_tensor_is_contiguous(out) || lrn_tensor_numel(out) != m->options.n_visible)
    return lrn_fail(LRN_ESHAPE, "base: got %s, expected a contiguous float64 tensor of %lld values on cpu",
                    lrn_tensor_text(text, out), (long long)m->options.n_visible);
  LRN_TRY(lrn_check_writable(out, "base"));
  LRN_TRY(biases_of_data(m, w, out->view.data, &n, data, "base"));
  return n > 0 ? LRN_OK : lrn_fail(LRN_EVALUE, "base: no row");
}

int lrn_rbm_prepare(lrn_rbm *m, lrn_work *w, const lrn_tensor *data) {
  int64_t V = m->options.n_visible, n;
  lrn_tensor *total = NULL, *a = m->parameter[LRN_PARAMETER_A];
  int zero, st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "fit"));
  if (w->state.step != 0)
    return LRN_OK;
  if (m->options.normalize) /* the biases that fit standardised data are 0 */
    return m->standard == NULL ? lrn_standardise_by(m, data) : LRN_OK;
  LRN_TRY(lrn_all_zero(&zero, a));
  zero = zero && m->options.visible_bias == LRN_BIAS_DATA;
  if (!zero && w->ladder == NULL)
    return LRN_OK;
  LRN_GO(lrn_tensor_new(&total, LRN_F64, 1, &V, NULL));
  LRN_GO(biases_of_data(m, w, total->view.data, &n, data, "fit"));
  if (n > 0 && w->ladder != NULL)
    LRN_GO(lrn_tensor_copy(w->ladder->base, total));
  if (n > 0 && zero)
    st = lrn_tensor_copy(a, total);
done:
  lrn_tensor_free(total);
  return st;
}
