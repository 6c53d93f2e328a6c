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
  lrn_ladder *ladder;       /* NULL without replicas; then states of all rungs: */
  lrn_tensor *v, *y, *x, *h; /* labels y NULL without them, x hidden inputs */
  const double *beta;       /* that the ladder begins with; NULL: equal steps */
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

/* {=== Replicas === */

static int check_vector(const lrn_tensor *t, int64_t n, const char *name) {
  char text[LRN_SHAPE_MAX];
  if (t == NULL || (t->view.dtype == LRN_F64 && t->storage->device == lrn_device_cpu() &&
                    lrn_tensor_is_contiguous(t) && lrn_tensor_numel(t) == n))
    return LRN_OK;
  return lrn_fail(LRN_ESHAPE, "sample: %s: got %s, expected %lld contiguous float64 values on cpu", name,
                  lrn_tensor_text(text, t), (long long)n);
}

static int matrix(lrn_tensor **out, const lrn_rbm *m, int64_t rows, int64_t units) {
  int64_t size[2] = {rows, units};
  return lrn_tensor_new(out, m->options.dtype, 2, size, m->options.device);
}

/* Room for so many chains of all rungs. */
static int make_rungs(run *r, const lrn_rbm *m, const lrn_work *w, int64_t most) {
  const lrn_sampling *how = r->how;
  int64_t R = how->replicas, V = m->options.n_visible;
  char text[LRN_SHAPE_MAX];
  const lrn_ladder *own = w->ladder;
  if (R < 0 || R > INT32_MAX / most)
    return lrn_fail(LRN_EVALUE, "sample: replicas: got %lld, expected 1 to %lld", (long long)R,
                    (long long)(INT32_MAX / most));
  if (R <= 1)
    return LRN_OK;
  LRN_TRY(lrn_check_tempered(&m->options, R, "sample"));
  LRN_TRY(check_vector(how->ladder, R, "ladder"));
  LRN_TRY(check_vector(how->swap_rates, R - 1, "swap_rates"));
  LRN_TRY(check_vector(how->betas, R, "betas"));
  if (how->hot != NULL && (how->hot->view.nd != 1 || how->hot->view.size[0] != V))
    return lrn_fail(LRN_ESHAPE, "sample: hot: got %s, expected %lld values (n_visible)",
                    lrn_tensor_text(text, how->hot), (long long)V);
  LRN_TRY(lrn_ladder_new(&r->ladder, m, R, most));
  r->beta = how->ladder != NULL              ? how->ladder->view.data
            : own != NULL && own->rungs == R ? own->beta->view.data
                                             : NULL;
  if (how->hot != NULL || own != NULL)
    LRN_TRY(lrn_tensor_copy(r->ladder->base, how->hot != NULL ? how->hot : own->base));
  LRN_TRY(matrix(&r->v, m, R * most, V));
  LRN_TRY(matrix(&r->x, m, R * most, m->options.n_hidden));
  LRN_TRY(matrix(&r->h, m, R * most, m->options.n_hidden));
  if (m->options.n_classes > 0)
    LRN_TRY(matrix(&r->y, m, R * most, m->options.n_classes));
  return lrn_ladder_begin(r->ladder, m);
}

/* The first n rows once more for every other rung. */
static int repeat_rows(const run *r, const lrn_rbm *m, lrn_tensor *t, int64_t n) {
  int64_t units = t->view.size[1], rung = n * units;
  lrn_view to = {.data = lrn_row(t, n), .dtype = t->view.dtype, .nd = 2,
                 .size = {r->ladder->rungs - 1, rung}, .stride = {rung, 1}}, from = to;
  from.data = t->view.data;
  from.stride[0] = 0;
  return lrn_copy_views(m->options.device, &to, &from);
}

/* Hidden inputs that n chains begin with, as first_hidden: a label that is not given counts as none. */
static int first_inputs(const lrn_rbm *m, lrn_work *w, run *r, int64_t at, int64_t n) {
  int64_t rows = n * r->ladder->rungs;
  void *v = r->v->view.data;
  LRN_TRY(lrn_tensor_fill(r->v, 0));
  if (r->y != NULL)
    LRN_TRY(lrn_tensor_fill(r->y, 0));
  if (r->how->labels != NULL) {
    lrn_view to = lrn_rows_view(w->dtype, r->y->view.data, n, m->options.n_classes), from = to;
    from.data = lrn_label_row(w, 0);
    LRN_TRY(lrn_copy_views(m->options.device, &to, &from));
    LRN_TRY(repeat_rows(r, m, r->y, n));
  }
  if (r->start.n > 0)
    LRN_TRY(lrn_load_rows(m, v, &r->start, NULL, 0, at, n, 0, "sample"));
  LRN_TRY(lrn_clamp_put(&r->clamp, m, v, n));
  LRN_TRY(repeat_rows(r, m, r->v, n));
  return lrn_hidden_input(m, r->x->view.data, v, r->y != NULL ? r->y->view.data : NULL, rows);
}

/* Draw d of n chains: the states of the first rung. */
static int keep(const lrn_rbm *m, const lrn_work *w, const run *r, int64_t d, int64_t at, int64_t n) {
  int64_t V = m->options.n_visible, row = d * r->how->n + at;
  void *mean = lrn_row_at(r->mean, row, V), *state = lrn_row_at(r->state, row, V);
  lrn_view to = lrn_flat_view(w->dtype, state, n * V), from = to;
  from.data = r->v->view.data;
  if (state != NULL)
    LRN_TRY(lrn_copy_views(m->options.device, &to, &from));
  LRN_TRY(lrn_to_data_units(m, mean, n));
  LRN_TRY(lrn_to_data_units(m, state, n));
  LRN_TRY(lrn_clamp_put_given(&r->clamp, m, mean, n));
  LRN_TRY(lrn_clamp_put_given(&r->clamp, m, state, n));
  return r->labels == NULL ? LRN_OK
                           : lrn_label_numbers(m, w, lrn_row_at(r->labels, row, 1), r->y->view.data, n,
                                               r->how->base);
}

/* sweep_rows with replicas. */
static int tempered_rows(const lrn_rbm *m, lrn_work *w, run *r, int64_t at, int64_t n) {
  lrn_ladder *l = r->ladder;
  int64_t R = l->rungs, V = m->options.n_visible, C = m->options.n_classes, burn = r->how->burn;
  int64_t total = burn + r->how->steps;
  void *v = r->v->view.data, *x = r->x->view.data, *h = r->h->view.data;
  void *y = r->y != NULL ? r->y->view.data : NULL;
  int drawn = r->how->labels == NULL; /* labels */
  l->chains = n;
  LRN_TRY(lrn_ladder_reset(l, r->beta));
  LRN_TRY(lrn_clamp_load(&r->clamp, m, at, n, "sample"));
  LRN_TRY(first_inputs(m, w, r, at, n));
  for (int64_t s = 0; s < total; s++) {
    int64_t d = draw_of(r, s);
    int up = (int)(2 * s), down = up + 1;
    LRN_TRY(lrn_ladder_hidden(l, m, h, x, lrn_key_of(m, r->call, LRN_STREAM_USER, up,
                                                     at * R * m->options.n_hidden)));
    LRN_TRY(lrn_ladder_visible(l, m, v, d >= 0 ? lrn_row_at(r->mean, d * r->how->n + at, V) : NULL, h,
                               lrn_key_of(m, r->call, LRN_STREAM_USER, down, at * R * V)));
    for (int64_t k = 0; k < R; k++)
      LRN_TRY(lrn_clamp_put(&r->clamp, m, lrn_row(r->v, k * n), n));
    if (drawn)
      LRN_TRY(lrn_ladder_label(l, m, y, h, lrn_key_of(m, r->call, LRN_STREAM_USER, down, at * R * C)));
    if (d >= 0)
      LRN_TRY(keep(m, w, r, d, at, n));
    if (s + 1 == total)
      break;
    LRN_TRY(lrn_hidden_input(m, x, v, y, n * R));
    LRN_TRY(lrn_ladder_swap(l, m, v, y, drawn, x, lrn_key_of(m, r->call, LRN_STREAM_USER_SWAP, (int)s, at * R),
                            s < burn));
    if (s + 1 == burn)
      LRN_TRY(lrn_ladder_restart(l));
  }
  return LRN_OK;
}

static void join(lrn_tensor *mean, int64_t i, double x, double share) {
  double *at = (double *)mean->view.data + i;
  *at += share * (x - *at);
}

/* What the rungs of n more chains say joins the means over the `before` chains so far. */
static int report(const run *r, int64_t before, int64_t n) {
  const lrn_ladder *l = r->ladder;
  const lrn_sampling *how = r->how;
  double share = (double)n / (double)(before + n), *rate = l->seen->view.data;
  if (how->swap_rates != NULL) {
    rate += 2 * (l->rungs - 1); /* rows that lrn_ladder_rates does not read */
    LRN_TRY(lrn_ladder_rates(l, rate));
    for (int64_t i = 0; i + 1 < l->rungs; i++)
      join(how->swap_rates, i, rate[i], share);
  }
  for (int64_t i = 0; i < l->rungs && how->betas != NULL; i++)
    join(how->betas, i, ((double *)l->beta->view.data)[i], share);
  return LRN_OK;
}

static void free_rungs(run *r) {
  lrn_ladder_free(r->ladder);
  lrn_tensor_free(r->v);
  lrn_tensor_free(r->y);
  lrn_tensor_free(r->x);
  lrn_tensor_free(r->h);
}

/* ===} */

int lrn_rbm_sample(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state, lrn_tensor *labels,
                   const lrn_sampling *how) {
  run r = {.how = how, .mean = mean, .state = state, .labels = labels, .call = w->state.calls};
  lrn_tensor *held = NULL;
  lrn_rbm seen = *m;
  int64_t most = lrn_stride(w);
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
  most = most < how->n ? most : how->n;
  LRN_GO(lrn_clamp_make(&r.clamp, m, how->mask, how->values, how->n, most, "sample"));
  LRN_GO(make_rungs(&r, m, w, most));
  if (r.ladder != NULL && how->swap_rates != NULL)
    LRN_GO(lrn_tensor_fill(how->swap_rates, 0));
  if (r.ladder != NULL && how->betas != NULL)
    LRN_GO(lrn_tensor_fill(how->betas, 0));
  for (int64_t at = 0; at < how->n; at += most) {
    int64_t n = how->n - at < most ? how->n - at : most;
    lrn_batch given = {.labels = how->labels, .base = how->base, .first = at, .count = n};
    if (how->labels != NULL)
      LRN_GO(lrn_load_labels(m, w, &given, "sample"));
    if (r.ladder == NULL)
      LRN_GO(sweep_rows(m, w, &r, at, n));
    else {
      LRN_GO(tempered_rows(m, w, &r, at, n));
      LRN_GO(report(&r, at, n));
    }
  }
  w->state.calls++;
done:
  free_rungs(&r);
  lrn_clamp_free(&r.clamp);
  lrn_tensor_free(held);
  return st;
}

/* ===} */
