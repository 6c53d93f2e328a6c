/*
** sample.c - chains of sweeps that a caller asks for: fantasies of a model, and gibbs. The model is only
** read; rows go through the workspace in batches.
**
** Draws: step = call, stream user; 2 sweep + side, sweeps counted from the start of the chain, those that
** burn included; element numbers those of the whole call.
*/
#include <math.h>
#include <string.h>

#include "model/model.h"

static lrn_key label_key(const lrn_rbm *m, uint64_t call, int draw, int64_t row) {
  return lrn_key_of(m, call, LRN_STREAM_USER, draw, row * m->options.n_classes);
}

int lrn_rbm_gibbs(const lrn_rbm *m, lrn_work *w, lrn_tensor *ph, lrn_tensor *sh, lrn_tensor *qh,
                  lrn_tensor *th, lrn_tensor *vk, const lrn_tensor *v) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden, k = m->options.steps;
  uint64_t call = w->state.calls;
  lrn_tensor *held = NULL;
  lrn_rows rows;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "gibbs_sampling"));
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "gibbs_sampling"));
  rows.absent = lrn_absent(m, w);
  LRN_GO(lrn_check_output(m, ph, rows.n, H, "gibbs_sampling", "ph"));
  LRN_GO(lrn_check_output(m, sh, rows.n, H, "gibbs_sampling", "sh"));
  LRN_GO(lrn_check_output(m, qh, rows.n, H, "gibbs_sampling", "qh"));
  LRN_GO(lrn_check_output(m, th, rows.n, H, "gibbs_sampling", "th"));
  LRN_GO(lrn_check_output(m, vk, rows.n, V, "gibbs_sampling", "vk"));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    void *x = w->v->view.data, *q = w->q->view.data, *h = w->h->view.data, *y = lrn_label_row(w, 0);
    lrn_unit_args extra = {.mean_scale = 1, .absent = rows.absent};
    LRN_GO(lrn_load_rows(m, x, &rows, NULL, 0, at, n, 0, "gibbs_sampling"));
    for (int64_t s = 0; s <= k; s++) {
      lrn_tensor *mean = s == 0 ? ph : s == k ? qh : NULL;
      lrn_tensor *state = s == 0 ? sh : s == k ? th : NULL;
      if (s == 0)
        LRN_GO(lrn_hidden_of(m, w, n, lrn_row_at(mean, at, H), h,
                         lrn_key_of(m, call, LRN_STREAM_USER, 0, at * H)));
      else {
        LRN_GO(lrn_hidden_input(m, q, x, y, n));
        LRN_GO(lrn_activate(m, LRN_SIDE_HIDDEN, q, n, lrn_row_at(mean, at, H), h,
                            lrn_key_of(m, call, LRN_STREAM_USER, (int)(2 * s), at * H), NULL));
      }
      if (state != NULL) {
        lrn_view to = lrn_flat_view(m->options.dtype, lrn_row_at(state, at, H), n * H);
        lrn_view from = to;
        from.data = h;
        LRN_GO(lrn_copy_views(m->options.device, &to, &from));
      }
      if (s == k)
        break;
      LRN_GO(lrn_input(m, LRN_SIDE_VISIBLE, x, h, n));
      LRN_GO(lrn_activate(m, LRN_SIDE_VISIBLE, x, n, NULL, x,
                          lrn_key_of(m, call, LRN_STREAM_USER, (int)(2 * s + 1), at * V), &extra));
      LRN_GO(lrn_label_down(m, NULL, y, h, n, label_key(m, call, (int)(2 * s + 1), at)));
    }
    if (vk != NULL) {
      lrn_view to = lrn_flat_view(m->options.dtype, lrn_row_at(vk, at, V), n * V);
      lrn_view from = to;
      from.data = x;
      LRN_GO(lrn_copy_views(m->options.device, &to, &from));
      LRN_GO(lrn_to_data_units(m, to.data, n));
      LRN_GO(lrn_nan_for_absent(m, w, to.data, n));
    }
  }
  w->state.calls++;
done:
  lrn_tensor_free(held);
  return st;
}

/* {=== Fantasies === */

/* One call of lrn_rbm_sample. */
typedef struct run {
  const lrn_sampling *how;
  lrn_tensor *mean, *state, *labels; /* results, NULL where not wanted */
  lrn_rows start;
  lrn_clamp clamp;
  uint64_t call;
  int64_t draws; /* how often the chains are looked at */
} run;

static int check_count(const char *name, int64_t value, int64_t least) {
  if (value < least || value > LRN_MOST_STEPS)
    return lrn_fail(LRN_EVALUE, "sample: %s: got %lld, expected an integer >= %lld and <= %d", name,
                    (long long)value, (long long)least, LRN_MOST_STEPS);
  return LRN_OK;
}

static int check_how(const lrn_rbm *m, run *r) {
  const lrn_sampling *how = r->how;
  int64_t V = m->options.n_visible;
  if (r->mean == NULL && r->state == NULL)
    return lrn_fail(LRN_EARG, "sample: neither means nor states are wanted");
  if (how->n < 1)
    return lrn_fail(LRN_EVALUE, "sample: n: got %lld, expected an integer >= 1", (long long)how->n);
  LRN_TRY(check_count("steps", how->steps, 1));
  LRN_TRY(check_count("burn", how->burn, 0));
  LRN_TRY(check_count("burn + steps", how->burn + how->steps, 1));
  if (how->thin < 0 || how->thin > how->steps)
    return lrn_fail(LRN_EVALUE, "sample: thin: got %lld, expected 1 to %lld (steps)", (long long)how->thin,
                    (long long)how->steps);
  if (how->temperature != 0 && !(how->temperature > 0 && isfinite(how->temperature)))
    return lrn_fail(LRN_EVALUE, "sample: temperature: got %g, expected a number > 0", how->temperature);
  r->draws = how->thin > 0 ? how->steps / how->thin : 1;
  if (how->n > INT64_MAX / r->draws / V)
    return lrn_fail(LRN_ESHAPE, "sample: n: got %lld, which is too many", (long long)how->n);
  LRN_TRY(lrn_check_output(m, r->mean, r->draws * how->n, V, "sample", "mean"));
  LRN_TRY(lrn_check_output(m, r->state, r->draws * how->n, V, "sample", "state"));
  LRN_TRY(lrn_check_labels(m, how->labels, how->n, "sample"));
  return r->labels != NULL ? lrn_check_drawn_labels(m, r->labels, r->draws * how->n, "sample") : LRN_OK;
}

/* Which of the draws sweep s (from 0) is; -1: none. */
static int64_t draw_of(const run *r, int64_t s) {
  int64_t done = s + 1 - r->how->burn;
  if (r->how->thin == 0)
    return done == r->how->steps ? 0 : -1;
  return done > 0 && done % r->how->thin == 0 ? done / r->how->thin - 1 : -1;
}

/* Hidden states of n chains at their start: given their rows (of a clamp: its values, with 0 for what is
   free) in w->v, or the biases alone; and a label that is given. */
static int first_hidden(const lrn_rbm *m, lrn_work *w, run *r, int64_t at, int64_t n, void *h) {
  const void *y = r->how->labels != NULL ? lrn_label_row(w, 0) : NULL;
  void *q = w->q->view.data, *v = w->v->view.data;
  lrn_key key = lrn_key_of(m, r->call, LRN_STREAM_USER, 0, at * m->options.n_hidden);
  lrn_view zero = lrn_flat_view(m->options.dtype, q, n * m->options.n_hidden);
  lrn_operand number = {.is_scalar = 1};
  if (r->start.n > 0) {
    LRN_TRY(lrn_load_rows(m, v, &r->start, NULL, 0, at, n, 0, "sample"));
    LRN_TRY(lrn_clamp_put(&r->clamp, m, v, n));
  } else if (r->clamp.mask != NULL) {
    zero = lrn_flat_view(m->options.dtype, v, n * m->options.n_visible);
    LRN_TRY(m->options.device->backend.map(LRN_OP_COPY, zero.dtype, &zero, &number, 1));
    LRN_TRY(lrn_clamp_put(&r->clamp, m, v, n));
  } else {
    LRN_TRY(m->options.device->backend.map(LRN_OP_COPY, zero.dtype, &zero, &number, 1));
    if (y != NULL)
      LRN_TRY(lrn_label_up(m, q, y, n));
    return lrn_activate(m, LRN_SIDE_HIDDEN, q, n, NULL, h, key, NULL);
  }
  if (y == NULL)
    return lrn_hidden_of(m, w, n, NULL, h, key);
  LRN_TRY(lrn_hidden_input(m, q, v, y, n));
  return lrn_activate(m, LRN_SIDE_HIDDEN, q, n, NULL, h, key, NULL);
}

/* Visible units of n chains given h in w->h, their states into w->v; of draw d (-1: none) the results. */
static int visible(const lrn_rbm *m, lrn_work *w, const run *r, int64_t s, int64_t at, int64_t n) {
  int64_t V = m->options.n_visible, d = draw_of(r, s), row = d * r->how->n + at;
  int last = s + 1 == r->how->burn + r->how->steps;
  void *x = w->v->view.data;
  void *mean = d >= 0 ? lrn_row_at(r->mean, row, V) : NULL;
  void *state = d >= 0 ? lrn_row_at(r->state, row, V) : NULL;
  /* where the states are drawn: beside the means that come from the same inputs */
  void *drawn = mean == NULL ? x : state != NULL ? state : last ? NULL : w->spare->view.data;
  lrn_key key = lrn_key_of(m, r->call, LRN_STREAM_USER, (int)(2 * s + 1), at * V);
  lrn_view to = lrn_flat_view(m->options.dtype, x, n * V), from = to;
  LRN_TRY(lrn_input(m, LRN_SIDE_VISIBLE, x, w->h->view.data, n));
  LRN_TRY(lrn_activate(m, LRN_SIDE_VISIBLE, x, n, mean, drawn, key, NULL));
  LRN_TRY(lrn_clamp_put(&r->clamp, m, drawn, n));
  from.data = drawn;
  if (drawn != x && !last)
    LRN_TRY(lrn_copy_views(m->options.device, &to, &from));
  to.data = state;
  if (state != NULL && drawn != state)
    LRN_TRY(lrn_copy_views(m->options.device, &to, &from));
  LRN_TRY(lrn_to_data_units(m, mean, n));
  LRN_TRY(lrn_to_data_units(m, state, n));
  LRN_TRY(lrn_clamp_put_given(&r->clamp, m, mean, n));
  return lrn_clamp_put_given(&r->clamp, m, state, n);
}

/* All sweeps of n chains from number `at` on. */
static int sweep_rows(const lrn_rbm *m, lrn_work *w, run *r, int64_t at, int64_t n) {
  int64_t H = m->options.n_hidden, total = r->how->burn + r->how->steps;
  void *v = w->v->view.data, *q = w->q->view.data, *h = w->h->view.data, *y = lrn_label_row(w, 0);
  LRN_TRY(lrn_clamp_load(&r->clamp, m, at, n, "sample"));
  for (int64_t s = 0; s < total; s++) {
    int64_t d = draw_of(r, s);
    if (s == 0)
      LRN_TRY(first_hidden(m, w, r, at, n, h));
    else {
      LRN_TRY(lrn_hidden_input(m, q, v, y, n));
      LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, q, n, NULL, h,
                           lrn_key_of(m, r->call, LRN_STREAM_USER, (int)(2 * s), at * H), NULL));
    }
    LRN_TRY(visible(m, w, r, s, at, n));
    if (r->how->labels == NULL)
      LRN_TRY(lrn_label_down(m, NULL, y, h, n, label_key(m, r->call, (int)(2 * s + 1), at)));
    if (d >= 0 && r->labels != NULL)
      LRN_TRY(lrn_label_numbers(m, w, lrn_row_at(r->labels, d * r->how->n + at, 1), y, n, r->how->base));
  }
  return LRN_OK;
}

int lrn_rbm_sample(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state, lrn_tensor *labels,
                   const lrn_sampling *how) {
  run r = {.how = how, .mean = mean, .state = state, .labels = labels, .call = w->state.calls};
  lrn_tensor *held = NULL;
  lrn_rbm seen = *m;
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "sample"));
  LRN_TRY(check_how(m, &r));
  if (how->temperature > 0)
    seen.options.temperature = how->temperature;
  LRN_TRY(lrn_see(&seen, w));
  m = &seen;
  if (how->start != NULL) {
    LRN_GO(lrn_rows_any(&r.start, &held, m, how->start, "sample"));
    r.start.absent = lrn_absent(m, w);
    if (r.start.n != how->n) {
      st = lrn_fail(LRN_ESHAPE, "sample: start: got %lld rows, expected %lld", (long long)r.start.n,
                    (long long)how->n);
      goto done;
    }
  }
  LRN_GO(lrn_clamp_make(&r.clamp, m, how->mask, how->values, how->n, lrn_piece(w, how->n, 0), "sample"));
  for (int64_t at = 0; at < how->n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, how->n, at);
    lrn_batch given = {.labels = how->labels, .base = how->base, .first = at, .count = n};
    if (how->labels != NULL)
      LRN_GO(lrn_load_labels(m, w, &given, "sample"));
    LRN_GO(sweep_rows(m, w, &r, at, n));
  }
  w->state.calls++;
done:
  lrn_clamp_free(&r.clamp);
  lrn_tensor_free(held);
  return st;
}

/* ===} */
