/*
** dbm_infer.c - what a deep Boltzmann machine can be asked: mean field, energies, reconstructions,
** samples. Rows go through the workspace in batches; the model is only read.
*/
#include "base/interrupt.h"
#include "model/dbm.h"

static int copy_rows(const lrn_dbm *m, int layer, void *to, const void *from, int64_t rows) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  lrn_view out = lrn_flat_view(o->dtype, to, rows * m->units[layer]);
  lrn_view in = lrn_flat_view(o->dtype, from, rows * m->units[layer]);
  return lrn_copy_views(o->device, &out, &in);
}

/* layers[l - 1]: outputs of hidden layer l, NULL where it is not wanted. */
static int check_layers(const lrn_dbm *m, lrn_tensor *const *layers, int64_t rows, const char *f) {
  for (int l = 1; layers != NULL && l <= m->layers; l++)
    LRN_TRY(lrn_check_output(m->pair[0], layers[l - 1], rows, m->units[l], f, "layer"));
  return LRN_OK;
}
static lrn_tensor *layer_of(lrn_tensor *const *layers, int l) {
  return layers != NULL ? layers[l - 1] : NULL;
}

static int infer(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *const *means, lrn_tensor *F,
                 const lrn_tensor *v, const char *f) {
  const lrn_rbm *first = m->pair[0];
  lrn_tensor *held = NULL;
  lrn_rows rows;
  int st;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, f));
  LRN_GO(lrn_rows_any(&rows, &held, first, v, f));
  LRN_GO(check_layers(m, means, rows.n, f));
  LRN_GO(lrn_check_output(first, F, rows.n, 1, f, "F"));
  for (int64_t at = 0; at < rows.n; at += lrn_dbm_stride(w)) {
    int64_t n = lrn_dbm_piece(w, rows.n, at);
    LRN_GO(lrn_poll());
    LRN_GO(lrn_load_rows(first, w->pair[0]->v->view.data, &rows, NULL, 0, at, n, 0, f));
    LRN_GO(lrn_dbm_field(m, w, n));
    LRN_GO(F != NULL ? lrn_dbm_field_energy(m, w, lrn_row_at(F, at, 1), n)
                     : lrn_dbm_odd_layers(m, w, n, 0, 0, LRN_STREAM_USER, at));
    for (int l = 1; l <= m->layers; l++)
      if (layer_of(means, l) != NULL)
        LRN_GO(copy_rows(m, l, lrn_row_at(means[l - 1], at, m->units[l]), lrn_dbm_rows(w, l)->view.data, n));
  }
done:
  lrn_tensor_free(held);
  return st;
}

int lrn_dbm_infer(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *const *means, lrn_tensor *F,
                  const lrn_tensor *v) {
  return infer(m, w, means, F, v, "mean_field");
}

int lrn_dbm_log_likelihood_at(const lrn_dbm *m, lrn_dbm_work *w, double *mean, const lrn_tensor *v,
                              double log_z) {
  const lrn_rbm *first = m->pair[0];
  lrn_tensor *F = NULL, *average = NULL;
  lrn_rows rows;
  double f;
  int st;
  LRN_TRY(lrn_rows_shape(&rows, first, v, "log_likelihood"));
  if (rows.n == 0)
    return lrn_fail(LRN_EVALUE, "log_likelihood: data: no row");
  LRN_GO(lrn_tensor_new(&F, first->options.dtype, 1, &rows.n, first->options.device));
  LRN_GO(infer(m, w, NULL, F, v, "log_likelihood"));
  LRN_GO(lrn_mean(&average, F, 0, 0));
  LRN_GO(lrn_tensor_get(&f, average, NULL));
  *mean = -f / first->options.temperature - log_z - lrn_log_spread(first);
done:
  lrn_tensor_free(F);
  lrn_tensor_free(average);
  return st;
}

int lrn_dbm_energy(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *E, const lrn_tensor *v,
                   lrn_tensor *const *h) {
  const lrn_rbm *first = m->pair[0];
  lrn_tensor *held = NULL;
  lrn_rows rows;
  int st;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "energy"));
  LRN_GO(lrn_rows_any(&rows, &held, first, v, "energy"));
  LRN_GO(check_layers(m, h, rows.n, "energy"));
  LRN_GO(lrn_check_output(first, E, rows.n, 1, "energy", "E"));
  for (int64_t at = 0; at < rows.n; at += lrn_dbm_stride(w)) {
    int64_t n = lrn_dbm_piece(w, rows.n, at);
    void *out = lrn_row_at(E, at, 1), *part = w->pair[0]->scratch->view.data;
    const void *below = w->pair[0]->v->view.data;
    LRN_GO(lrn_poll());
    LRN_GO(lrn_load_rows(first, w->pair[0]->v->view.data, &rows, NULL, 0, at, n, 0, "energy"));
    LRN_GO(lrn_dbm_add_own(m, w, 0, out, below, n, 0));
    for (int l = 1; l <= m->layers; l++) {
      const void *s = lrn_row_at(h[l - 1], at, m->units[l]);
      void *x = lrn_dbm_states(w, l);
      LRN_GO(lrn_dbm_add_own(m, w, l, out, s, n, 1));
      LRN_GO(lrn_dbm_input(m, l, x, below, NULL, NULL, n, 1));
      LRN_GO(lrn_dbm_add_sums(m, l, out, part, x, s, 0, n, -1, 1));
      below = s;
    }
  }
done:
  lrn_tensor_free(held);
  return st;
}

int lrn_dbm_reconstruct_part(const lrn_dbm *m, lrn_dbm_work *w, double total[2], lrn_tensor *v,
                             const lrn_tensor *data, int64_t first, int mean_field) {
  const lrn_rbm *pair = m->pair[0];
  uint64_t call = w->pair[0]->state.calls - (first > 0);
  lrn_tensor *held = NULL, *sums = NULL;
  int64_t two = 2;
  lrn_rows rows;
  int st;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "reconstruct"));
  LRN_GO(lrn_rows_any(&rows, &held, pair, data, "reconstruct"));
  LRN_GO(lrn_check_output(pair, v, rows.n, m->units[0], "reconstruct", "v"));
  LRN_GO(lrn_tensor_new(&sums, LRN_F64, 1, &two, pair->options.device));
  LRN_GO(lrn_tensor_fill(sums, 0));
  if (first > 0)
    LRN_GO(pair->options.device->backend.upload(sums->view.data, total, 2 * sizeof *total));
  for (int64_t at = 0; at < rows.n; at += lrn_dbm_stride(w)) {
    int64_t n = lrn_dbm_piece(w, rows.n, at);
    void *x = w->pair[0]->v->view.data, *u = lrn_dbm_spare(w, 0);
    lrn_unit_args extra = {.mean_scale = 1, .target = x, .sums = sums->view.data,
                           .scratch = w->pair[0]->scratch->view.data};
    LRN_GO(lrn_poll());
    LRN_GO(lrn_load_rows(pair, x, &rows, NULL, 0, at, n, 0, "reconstruct"));
    LRN_GO(lrn_dbm_field(m, w, n));
    LRN_GO(lrn_dbm_odd_layers(m, w, n, !mean_field, call, LRN_STREAM_USER, first + at));
    LRN_GO(lrn_dbm_input(m, 0, u, NULL, mean_field ? lrn_dbm_rows(w, 1)->view.data : lrn_dbm_states(w, 1),
                         NULL, n, 1));
    /* the states are drawn for `sampled` alone, into rows that nothing needs */
    LRN_GO(lrn_dbm_activate(m, 0, u, n, lrn_row_at(v, at, m->units[0]), lrn_row(w->pair[0]->v, n),
                            lrn_dbm_key(m, 0, call, LRN_STREAM_USER, 1, first + at), &extra));
    LRN_GO(lrn_to_data_units(pair, lrn_row_at(v, at, m->units[0]), n));
  }
  LRN_GO(pair->options.device->backend.download(total, sums->view.data, 2 * sizeof *total));
  w->pair[0]->state.calls += first == 0;
done:
  lrn_tensor_free(held);
  lrn_tensor_free(sums);
  return st;
}

/* {=== Samples === */

/* The odd layers of n chains at their start: given, from mean field of rows of v, or from the biases. */
static int begin(const lrn_dbm *m, lrn_dbm_work *w, void *const *s, const lrn_rows *v,
                 lrn_tensor *const *given, int64_t at, int64_t n, uint64_t call) {
  if (v != NULL) {
    LRN_TRY(lrn_load_rows(m->pair[0], w->pair[0]->v->view.data, v, NULL, 0, at, n, 0, "sample"));
    LRN_TRY(lrn_dbm_field(m, w, n));
    return lrn_dbm_odd_layers(m, w, n, 1, call, LRN_STREAM_USER, at);
  }
  for (int l = 1; l <= m->layers; l += 2) {
    lrn_view flat = lrn_flat_view(m->pair[0]->options.dtype, s[l], n * m->units[l]);
    lrn_operand zero = {.is_scalar = 1};
    if (given != NULL) {
      LRN_TRY(copy_rows(m, l, s[l], lrn_row_at(given[l - 1], at, m->units[l]), n));
      continue;
    }
    LRN_TRY(m->pair[0]->options.device->backend.map(LRN_OP_COPY, flat.dtype, &flat, &zero, 1));
    LRN_TRY(lrn_dbm_activate(m, l, s[l], n, NULL, s[l],
                             lrn_dbm_key(m, l, call, LRN_STREAM_USER, 0, at), NULL));
  }
  return LRN_OK;
}

int lrn_dbm_sample(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *mean, lrn_tensor *state,
                   lrn_tensor *const *hidden, const lrn_tensor *start, lrn_tensor *const *start_hidden,
                   int64_t steps) {
  const lrn_rbm *pair = m->pair[0];
  uint64_t call = w->pair[0]->state.calls;
  int64_t V = m->units[0], N = lrn_tensor_numel(state) / V;
  void *s[LRN_DBM_LAYERS + 1];
  lrn_tensor *held = NULL;
  lrn_rows rows = {0};
  int st;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "sample"));
  if (steps < 1 || steps > LRN_MOST_STEPS)
    return lrn_fail(LRN_EVALUE, "sample: steps: got %lld, expected an integer >= 1 and <= %d",
                    (long long)steps, LRN_MOST_STEPS);
  LRN_GO(lrn_check_output(pair, mean, N, V, "sample", "mean"));
  LRN_GO(lrn_check_output(pair, state, N, V, "sample", "state"));
  LRN_GO(check_layers(m, hidden, N, "sample"));
  LRN_GO(check_layers(m, start_hidden, N, "sample"));
  if (start != NULL) {
    LRN_GO(lrn_rows_any(&rows, &held, pair, start, "sample"));
    if (rows.n != N) {
      st = lrn_fail(LRN_ESHAPE, "sample: start: got %lld rows, expected %lld", (long long)rows.n, (long long)N);
      goto done;
    }
  }
  for (int l = 0; l <= m->layers; l++)
    s[l] = l % 2 == LRN_ODD ? lrn_dbm_states(w, l) : lrn_dbm_rows(w, l)->view.data;
  for (int64_t at = 0; at < N; at += lrn_dbm_stride(w)) {
    int64_t n = lrn_dbm_piece(w, N, at);
    LRN_GO(begin(m, w, s, start != NULL ? &rows : NULL, start_hidden, at, n, call));
    for (int64_t k = 0; k < steps; k++) {
      void *means = k + 1 == steps ? lrn_row_at(mean, at, V) : NULL;
      LRN_GO(lrn_poll());
      if (k > 0)
        LRN_GO(lrn_dbm_draw(m, s, LRN_ODD, n, call, LRN_STREAM_USER, (int)(2 * k), at, NULL, NULL));
      LRN_GO(lrn_dbm_draw(m, s, LRN_EVEN, n, call, LRN_STREAM_USER, (int)(2 * k + 1), at, means, NULL));
    }
    LRN_GO(copy_rows(m, 0, lrn_row_at(state, at, V), s[0], n));
    for (int l = 1; l <= m->layers; l++)
      if (layer_of(hidden, l) != NULL)
        LRN_GO(copy_rows(m, l, lrn_row_at(hidden[l - 1], at, m->units[l]), s[l], n));
    LRN_GO(lrn_to_data_units(pair, lrn_row_at(mean, at, V), n));
    LRN_GO(lrn_to_data_units(pair, lrn_row_at(state, at, V), n));
  }
  w->pair[0]->state.calls++;
done:
  lrn_tensor_free(held);
  return st;
}

/* ===} */

int lrn_dbm_base_biases(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *out, const lrn_tensor *data) {
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "base"));
  return lrn_rbm_base_biases(m->pair[0], w->pair[0], out, data);
}
