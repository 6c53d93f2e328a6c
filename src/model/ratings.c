/*
** ratings.c - training and inference on ratings (Salakhutdinov, Mnih, Hinton 2007): rows of softmax units
** of which most are absent.
**
**   positive  q+ = E[h | v+],  h ~ P(h | v+)        x_j = b_j + sum over rated items i of W_{i v_i, j}
**   chain     k times: v- ~ P(v | h) of the same items, h ~ P(h | v-)
**   negative  q- = E[h | v-]
**   gradient  gW_{ik} = -<1[v+_i = k] q+> + <1[v-_i = k] q->, and likewise ga, gb, over users
**   smoothing     gW += smoothing (W - L W), L W the straight line over an item's levels that is nearest: K
**             weight vectors an item are more than its few ratings can tell
**   conditional   x_j has sum_i D_ij over rated items, too; gD_i = -<q+ - q-> over users who rated i
**
** A batch is gathered from the users' rows on the host. The gradient goes by item: `order` has the
** batch's entries sorted by item, so that no two threads write to the same weights. Work is
** proportional to the entries, but for the update, which goes over all parameters as every model's does.
** Draws are those of the dense model, so that rows without an absent unit have its states.
*/
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "kernel/math.h"
#include "model/model.h"

/* Integers of a batch: on the host and, where that is elsewhere, on the device. */
enum { OFFSET, ITEM, LEVEL, STATE, ROW, ORDER, TOUCHED, START, PARTS };
static const int part_dtype[PARTS] = {LRN_I64, LRN_I32, LRN_U8,  LRN_U8,
                                      LRN_I32, LRN_I32, LRN_I32, LRN_I32};

typedef struct lrn_ratings_work {
  int64_t rows, entries;
  lrn_tensor *host[PARTS], *device[PARTS]; /* device: NULL where it is the host's */
  lrn_tensor *place; /* int32, n_items: entries of an item, 0 between batches */
  lrn_tensor *q;     /* 2 rows x H: [q+; -q-] */
  lrn_tensor *h;     /* rows x H: states */
  lrn_tensor *scratch, *value; /* float64: entries; categories */
  /* the batch */
  int64_t count, n, items;
} ratings_work;

static int64_t n_items(const lrn_rbm *m) {
  return m->options.n_visible / m->options.visible_categories;
}

/* {=== Buffers === */

static void free_buffers(ratings_work *r) {
  for (int i = 0; i < PARTS; i++) {
    lrn_tensor_free(r->host[i]);
    lrn_tensor_free(r->device[i]);
  }
  lrn_tensor_free(r->place);
  lrn_tensor_free(r->q);
  lrn_tensor_free(r->h);
  lrn_tensor_free(r->scratch);
  lrn_tensor_free(r->value);
}

void lrn_free_ratings(lrn_work *w) {
  if (w->rated == NULL)
    return;
  free_buffers(w->rated);
  lrn_free(w->rated);
  w->rated = NULL;
}

static size_t bytes_of(const lrn_tensor *t) { return t != NULL ? lrn_tensor_storage_bytes(t) : 0; }

size_t lrn_ratings_bytes(const lrn_work *w) {
  const ratings_work *r = w->rated;
  size_t bytes = 0;
  if (r == NULL)
    return 0;
  for (int i = 0; i < PARTS; i++)
    bytes += bytes_of(r->host[i]) + bytes_of(r->device[i]);
  return bytes + bytes_of(r->place) + bytes_of(r->q) + bytes_of(r->h) + bytes_of(r->scratch) +
         bytes_of(r->value);
}

static int make_buffers(ratings_work *r, const lrn_rbm *m) {
  const lrn_device *device = m->options.device, *cpu = lrn_device_cpu();
  const int64_t K = m->options.visible_categories, items = n_items(m);
  const int64_t q[2] = {2 * r->rows, m->options.n_hidden}, h[2] = {r->rows, m->options.n_hidden};
  int64_t size[PARTS];
  for (int i = 0; i < PARTS; i++)
    size[i] = r->entries + 1;
  size[OFFSET] = r->rows + 1;
  for (int i = 0; i < PARTS; i++) {
    LRN_TRY(lrn_tensor_new(&r->host[i], part_dtype[i], 1, &size[i], cpu));
    if (!device->backend.host_memory)
      LRN_TRY(lrn_tensor_new(&r->device[i], part_dtype[i], 1, &size[i], device));
  }
  LRN_TRY(lrn_tensor_new(&r->place, LRN_I32, 1, &items, cpu));
  LRN_TRY(lrn_tensor_fill(r->place, 0));
  LRN_TRY(lrn_tensor_new(&r->q, m->options.dtype, 2, q, device));
  LRN_TRY(lrn_tensor_new(&r->h, m->options.dtype, 2, h, device));
  LRN_TRY(lrn_tensor_new(&r->scratch, LRN_F64, 1, &size[ITEM], device));
  return lrn_tensor_new(&r->value, LRN_F64, 1, &K, device);
}

static int check_model(const lrn_rbm *m, const char *f) {
  const lrn_rbm_options *o = &m->options;
  if (!lrn_unit_grouped(o->visible) || !lrn_unit_has_density(o->hidden) || o->n_classes > 0 ||
      o->mask != LRN_MASK_NONE || o->rule != LRN_RULE_CD || o->persistent > 0 || o->centering > 0 ||
      o->sparsity_cost > 0 || !o->visible_noise || o->visible_categories > LRN_MOST_LEVELS)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: a model of ratings has softmax visible units of at most %d "
                    "levels, no labels, mask, chains, centring or sparsity, rule = cd and visible_noise",
                    f, LRN_MOST_LEVELS);
  LRN_TRY(LRN_SLOT(o->device, rated_up));
  LRN_TRY(LRN_SLOT(o->device, rated_down));
  LRN_TRY(LRN_SLOT(o->device, rated_smooth));
  return LRN_SLOT(o->device, rated_gradient);
}

int lrn_ratings_reserve(lrn_work *w, const lrn_rbm *m, int64_t rows, int64_t entries) {
  ratings_work new = {.rows = rows, .entries = entries};
  const ratings_work *old = w->rated;
  int st;
  LRN_TRY(check_model(m, "ratings"));
  LRN_TRY(lrn_check_work(m, w, 0, 0, "ratings"));
  if (rows < 0 || entries < 0 || rows >= INT32_MAX || entries >= INT32_MAX)
    return lrn_fail(LRN_EVALUE, "ratings: batch: got %lld users with %lld ratings, expected below 2^31 - 1",
                    (long long)rows, (long long)entries);
  if (old != NULL && old->place != NULL && rows <= old->rows && entries <= old->entries)
    return LRN_OK;
  if (old != NULL) {
    new.rows = rows > old->rows ? rows : old->rows;
    /* some more, so that batches of about one size do not reserve each time */
    new.entries = entries > old->entries ? entries + entries / 4 : old->entries;
  }
  if (w->rated == NULL) {
    void *memory;
    LRN_TRY(lrn_alloc(&memory, 1, sizeof *w->rated, "ratings"));
    w->rated = memory;
  }
  st = make_buffers(&new, m);
  if (st != LRN_OK) {
    free_buffers(&new);
    return st;
  }
  free_buffers(w->rated);
  *w->rated = new;
  return LRN_OK;
}

/* ===} */

/* {=== A batch === */

static void *host(const ratings_work *r, int part) { return r->host[part]->view.data; }
static void *on_device(const ratings_work *r, int part) {
  return (r->device[part] != NULL ? r->device[part] : r->host[part])->view.data;
}
static int send(const lrn_work *w, int part, int64_t n) {
  const ratings_work *r = w->rated;
  if (r->device[part] == NULL)
    return LRN_OK;
  return w->device->backend.upload(r->device[part]->view.data, r->host[part]->view.data,
                                   (size_t)n * lrn_dtype_size(part_dtype[part]));
}

static int is_vector(const lrn_tensor *t, int dtype) {
  return t->view.nd == 1 && t->view.dtype == dtype && lrn_tensor_is_contiguous(t) &&
         t->storage->device->backend.host_memory;
}

static int check_ratings(const lrn_ratings *s, int levels, const char *f) {
  const lrn_tensor *offset = s->offset, *item = s->item, *level = s->level;
  if (!is_vector(offset, LRN_I64) || !is_vector(item, LRN_I32) || offset->view.size[0] < 1 ||
      (levels && (level == NULL || !is_vector(level, LRN_U8) ||
                  level->view.size[0] != item->view.size[0])))
    return lrn_fail(LRN_ETYPE, "%s: ratings: expected contiguous vectors on the CPU: offset int64, item "
                    "int32, level uint8 of as many", f);
  return LRN_OK;
}

/* Whether the rating at `at` is one of this model's. */
static int check_entry(const lrn_rbm *m, const lrn_ratings *s, int64_t at, int levels, const char *f) {
  const int32_t i = ((const int32_t *)s->item->view.data)[at];
  if (i < 0 || i >= n_items(m))
    return lrn_fail(LRN_EVALUE, "%s: ratings: item %lld, expected one below %lld (counted from 0)", f,
                    (long long)i, (long long)n_items(m));
  if (levels && ((const uint8_t *)s->level->view.data)[at] >= m->options.visible_categories)
    return lrn_fail(LRN_EVALUE, "%s: ratings: level %d, expected one below %lld (counted from 0)", f,
                    ((const uint8_t *)s->level->view.data)[at],
                    (long long)m->options.visible_categories);
  return LRN_OK;
}

/* First and last place of the ratings of the batch's row r. */
static int row_range(int64_t *begin, int64_t *end, const lrn_ratings_batch *b, int64_t r,
                     const char *f) {
  const int64_t *offset = b->ratings.offset->view.data, users = b->ratings.offset->view.size[0] - 1;
  const int64_t *idx = b->idx != NULL ? b->idx->view.data : NULL;
  /* unsigned: an index may be any number */
  int64_t user = idx != NULL ? (int64_t)((uint64_t)idx[b->first + r] - (uint64_t)b->base)
                             : b->first + r;
  if (user < 0 || user >= users)
    return lrn_fail(LRN_EVALUE, "%s: user: got %lld, expected %lld..%lld", f,
                    (long long)(user + b->base), (long long)b->base, (long long)(b->base + users - 1));
  *begin = offset[user];
  *end = offset[user + 1];
  if (*begin < 0 || *end < *begin || *end > b->ratings.item->view.size[0])
    return lrn_fail(LRN_EVALUE, "%s: ratings: the offsets of user %lld are not of these items", f,
                    (long long)(user + b->base));
  return LRN_OK;
}

/* The batch's rows into the workspace. levels: with what was given. */
static int gather(const lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *b, int levels,
                  const char *f) {
  int64_t n = 0, begin, end, users;
  ratings_work *r;
  int64_t *offset;
  int32_t *item, *row;
  LRN_TRY(check_ratings(&b->ratings, levels, f));
  if (b->idx != NULL && !is_vector(b->idx, LRN_I64))
    return lrn_fail(LRN_ETYPE, "%s: index: expected a contiguous int64 vector on the CPU", f);
  users = b->idx != NULL ? b->idx->view.size[0] : b->ratings.offset->view.size[0] - 1;
  if (b->count < 0 || b->first < 0 || b->first > users - b->count)
    return lrn_fail(LRN_EVALUE, "%s: users: got %lld from %lld on (counted from 0), there are %lld", f,
                    (long long)b->count, (long long)b->first, (long long)users);
  for (int64_t u = 0; u < b->count; u++) {
    LRN_TRY(row_range(&begin, &end, b, u, f));
    n += end - begin;
  }
  LRN_TRY(lrn_ratings_reserve(w, m, b->count, n));
  r = w->rated;
  r->count = b->count;
  r->n = n;
  offset = host(r, OFFSET);
  item = host(r, ITEM);
  row = host(r, ROW);
  offset[0] = n = 0;
  for (int64_t u = 0; u < b->count; u++) {
    LRN_TRY(row_range(&begin, &end, b, u, f));
    for (int64_t at = begin; at < end; at++) {
      LRN_TRY(check_entry(m, &b->ratings, at, levels, f));
      row[n] = (int32_t)u;
      if (levels)
        ((uint8_t *)host(r, LEVEL))[n] = ((const uint8_t *)b->ratings.level->view.data)[at];
      item[n++] = ((const int32_t *)b->ratings.item->view.data)[at];
    }
    offset[u + 1] = n;
  }
  LRN_TRY(send(w, OFFSET, r->count + 1));
  LRN_TRY(send(w, ITEM, n));
  return levels ? send(w, LEVEL, n) : LRN_OK;
}

/* The entries by item, items in the order in which the batch has them. */
static int sort_by_item(const lrn_work *w) {
  ratings_work *r = w->rated;
  const int32_t *item = host(r, ITEM);
  int32_t *place = r->place->view.data, *touched = host(r, TOUCHED), *start = host(r, START);
  int32_t *order = host(r, ORDER);
  r->items = 0;
  for (int64_t e = 0; e < r->n; e++)
    if (place[item[e]]++ == 0)
      touched[r->items++] = item[e];
  start[0] = 0;
  for (int64_t t = 0; t < r->items; t++) {
    start[t + 1] = start[t] + place[touched[t]];
    place[touched[t]] = start[t];
  }
  for (int64_t e = 0; e < r->n; e++)
    order[place[item[e]]++] = (int32_t)e;
  for (int64_t t = 0; t < r->items; t++)
    place[touched[t]] = 0;
  LRN_TRY(send(w, ROW, r->n));
  LRN_TRY(send(w, TOUCHED, r->items));
  LRN_TRY(send(w, START, r->items + 1));
  return send(w, ORDER, r->n);
}

static void *parameter(const lrn_rbm *m, int i) {
  return m->parameter[i] != NULL ? m->parameter[i]->view.data : NULL;
}

static lrn_rated rated_of(const lrn_rbm *m, const ratings_work *r) {
  lrn_rated b = {.dtype = m->options.dtype, .rows = r->count, .entries = r->n, .n_items = n_items(m),
                 .hidden = m->options.n_hidden, .categories = m->options.visible_categories,
                 .offset = on_device(r, OFFSET), .item = on_device(r, ITEM),
                 .W = parameter(m, LRN_PARAMETER_W), .D = parameter(m, LRN_PARAMETER_D),
                 .a = parameter(m, LRN_PARAMETER_A)};
  return b;
}

/* ===} */

/* {=== Training === */

/* Both phases of the batch: [q+; -q-] in r->q, levels of the chain's end in STATE. */
static int phases(const lrn_rbm *m, lrn_work *w, int metrics) {
  const lrn_backend *b = &m->options.device->backend;
  ratings_work *r = w->rated;
  lrn_rated batch = rated_of(m, r);
  void *q = r->q->view.data, *p = lrn_row(r->q, r->count), *h = r->h->view.data;
  uint8_t *level = on_device(r, LEVEL), *state = on_device(r, STATE);
  uint64_t step = w->state.step;
  lrn_unit_args negative = {.mean_scale = -1};
  LRN_TRY(b->rated_up(&batch, level, q));
  LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, q, r->count, q, h,
                       lrn_key_of(m, step, LRN_STREAM_HIDDEN, 0, 0), NULL));
  for (int64_t s = 0; s < m->options.steps; s++) {
    int last = s + 1 == m->options.steps, draw = (int)(2 * s);
    lrn_rated_down_args down = {.temperature = m->options.temperature, .h = h, .level = state,
                                .key = lrn_key_of(m, step, LRN_STREAM_VISIBLE, draw + 1, 0)};
    LRN_TRY(lrn_poll_held());
    if (last && metrics) {
      down.target = level;
      down.value = r->value->view.data;
      down.scratch = r->scratch->view.data;
      down.error = (double *)w->sums->view.data + LRN_SUM_ERROR;
      down.number = (double *)w->sums->view.data + LRN_SUM_LABELLED;
    }
    LRN_TRY(b->rated_down(&batch, &down));
    LRN_TRY(b->rated_up(&batch, state, p));
    if (!last)
      LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, p, r->count, NULL, h,
                           lrn_key_of(m, step, LRN_STREAM_HIDDEN, draw + 2, 0), NULL));
  }
  return lrn_activate(m, LRN_SIDE_HIDDEN, p, r->count, p, NULL,
                      lrn_key_of(m, step, LRN_STREAM_HIDDEN, (int)(2 * m->options.steps), 0), &negative);
}

static int gradient(const lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch, int metrics,
                    const char *f) {
  const lrn_backend *b = &m->options.device->backend;
  ratings_work *r;
  lrn_rated rated;
  lrn_rated_gradient_args args;
  LRN_TRY(lrn_check_work(m, w, 0, 1, f));
  if (batch->count < 1)
    return lrn_fail(LRN_EVALUE, "%s: users: got %lld, expected at least 1", f, (long long)batch->count);
  LRN_TRY(gather(m, w, batch, 1, f));
  r = w->rated;
  if (metrics)
    LRN_TRY(b->upload(r->value->view.data, batch->values,
                      (size_t)m->options.visible_categories * sizeof(double)));
  LRN_TRY(sort_by_item(w));
  LRN_TRY(phases(m, w, metrics));
  rated = rated_of(m, r);
  args = (lrn_rated_gradient_args){
    .items = r->items, .touched = on_device(r, TOUCHED), .start = on_device(r, START),
    .order = on_device(r, ORDER), .row = on_device(r, ROW), .plus = on_device(r, LEVEL),
    .minus = on_device(r, STATE), .q = r->q->view.data, .p = lrn_row(r->q, r->count),
    .alpha = -1.0 / (double)r->count, .gW = w->g[LRN_PARAMETER_W]->view.data,
    .ga = w->g[LRN_PARAMETER_A]->view.data,
    .gD = w->g[LRN_PARAMETER_D] != NULL ? w->g[LRN_PARAMETER_D]->view.data : NULL};
  LRN_TRY(lrn_tensor_fill(w->gradient, 0));
  LRN_TRY(b->rated_gradient(&rated, &args));
  if (m->options.smoothing > 0)
    LRN_TRY(b->rated_smooth(&rated, m->options.smoothing, args.gW));
  return lrn_column_means(m, w->g[LRN_PARAMETER_B], r->q->view.data, 2 * r->count,
                          -(double)r->count);
}

static int whole_step(lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch) {
  LRN_TRY(gradient(m, w, batch, 1, "fit"));
  LRN_TRY(lrn_rbm_update(m, w));
  w->state.batch++;
  w->state.samples += batch->count;
  return LRN_OK;
}

int lrn_ratings_step(lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch) {
  int st;
  lrn_hold();
  st = whole_step(m, w, batch);
  lrn_release();
  return st;
}

int lrn_ratings_gradient(const lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch) {
  int st;
  lrn_hold();
  st = gradient(m, w, batch, 0, "gradient");
  lrn_release();
  return st;
}

/* {=== The start of the visible biases === */

enum { PRIOR = 5 }; /* ratings with the levels' usual shares that each item is given beside its own */

static void biases_of(double *bias, const lrn_ratings *s, int64_t V, int64_t K, double temperature,
                      double *share) {
  const int32_t *item = s->item->view.data;
  const uint8_t *level = s->level->view.data;
  int64_t n = s->item->view.size[0];
  for (int64_t at = 0; at < n; at++) {
    bias[item[at] * K + level[at]]++;
    share[level[at]]++;
  }
  for (int64_t k = 0; k < K; k++)
    share[k] = (share[k] + 1) / (double)(n + K);
  for (int64_t i = 0; i < V; i += K) {
    double total = 0;
    for (int64_t k = 0; k < K; k++)
      total += bias[i + k];
    for (int64_t k = 0; k < K; k++)
      bias[i + k] = temperature * lrn_log((bias[i + k] + PRIOR * share[k]) / (total + PRIOR));
  }
}

int lrn_ratings_prepare(lrn_rbm *m, lrn_work *w, const lrn_ratings *ratings) {
  lrn_tensor *a = m->parameter[LRN_PARAMETER_A], *bias = NULL;
  int64_t V = m->options.n_visible, K = m->options.visible_categories;
  double share[LRN_MOST_LEVELS] = {0};
  int zero, st;
  LRN_TRY(check_model(m, "fit"));
  LRN_TRY(check_ratings(ratings, 1, "fit"));
  if (m->options.visible_bias != LRN_BIAS_DATA || w->state.step > 0)
    return LRN_OK;
  LRN_TRY(lrn_all_zero(&zero, a));
  if (!zero)
    return LRN_OK;
  for (int64_t at = 0; at < ratings->item->view.size[0]; at++)
    LRN_TRY(check_entry(m, ratings, at, 1, "fit"));
  LRN_GO(lrn_tensor_new(&bias, LRN_F64, 1, &V, lrn_device_cpu()));
  LRN_GO(lrn_tensor_fill(bias, 0));
  biases_of(bias->view.data, ratings, V, K, m->options.temperature, share);
  LRN_GO(lrn_tensor_copy(a, bias));
done:
  lrn_tensor_free(bias);
  return st;
}

/* ===} */

/* ===} */

/* {=== Inference === */

int lrn_ratings_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean,
                       const lrn_ratings_batch *batch) {
  lrn_rated rated;
  LRN_TRY(lrn_check_output(m, mean, batch->count, m->options.n_hidden, "hidden", "mean"));
  LRN_TRY(gather(m, w, batch, 1, "hidden"));
  rated = rated_of(m, w->rated);
  LRN_TRY(m->options.device->backend.rated_up(&rated, on_device(w->rated, LEVEL), mean->view.data));
  return lrn_activate(m, LRN_SIDE_HIDDEN, mean->view.data, rated.rows, mean->view.data, NULL,
                      lrn_key_of(m, 0, LRN_STREAM_HIDDEN, 0, 0), NULL);
}

/* x (rows x H) = A(x + b), rows of hidden inputs */
static int cumulants(const lrn_rbm *m, void *x, int64_t rows) {
  lrn_view all = lrn_rows_view(m->options.dtype, x, rows, m->options.n_hidden), bias = all;
  lrn_operand in[2];
  bias.data = parameter(m, LRN_PARAMETER_B);
  bias.stride[0] = 0;
  in[0] = (lrn_operand){.view = all};
  in[1] = (lrn_operand){.view = bias};
  LRN_TRY(m->options.device->backend.map(LRN_OP_add, m->options.dtype, &all, in, 2));
  return lrn_map_units(m, LRN_SIDE_HIDDEN, LRN_UNIT_CUMULANT, x, x, rows);
}

int lrn_ratings_free_energy(const lrn_rbm *m, lrn_work *w, lrn_tensor *F,
                            const lrn_ratings_batch *batch) {
  const lrn_backend *b = &m->options.device->backend;
  lrn_rated rated, bias;
  lrn_view f, part, x;
  lrn_operand in[2];
  LRN_TRY(lrn_check_output(m, F, batch->count, 1, "energy", "F"));
  LRN_TRY(gather(m, w, batch, 1, "energy"));
  bias = rated = rated_of(m, w->rated);
  bias.hidden = 1; /* the sum of the biases of a row is the sum of rows of one column */
  bias.W = rated.a;
  bias.D = NULL;
  f = lrn_flat_view(m->options.dtype, F->view.data, rated.rows);
  part = lrn_flat_view(m->options.dtype, w->rated->h->view.data, rated.rows);
  x = lrn_rows_view(m->options.dtype, w->rated->q->view.data, rated.rows, rated.hidden);
  LRN_TRY(b->rated_up(&rated, on_device(w->rated, LEVEL), x.data));
  LRN_TRY(cumulants(m, x.data, rated.rows));
  LRN_TRY(b->reduce(LRN_RED_sum, &f, &x, NULL, 1, -1));
  LRN_TRY(b->rated_up(&bias, on_device(w->rated, LEVEL), part.data));
  in[0] = (lrn_operand){.view = f};
  in[1] = (lrn_operand){.view = part};
  return b->map(LRN_OP_sub, m->options.dtype, &f, in, 2);
}

int lrn_ratings_negative(lrn_tensor **out, const lrn_work *w) {
  const ratings_work *r = w->rated;
  int st;
  if (r == NULL || r->items == 0)
    return lrn_fail(LRN_ESTATE, "negative: no step was made");
  LRN_TRY(lrn_tensor_new(out, LRN_U8, 1, &r->n, lrn_device_cpu()));
  st = w->device->backend.download((*out)->view.data, on_device(r, STATE), (size_t)r->n);
  if (st != LRN_OK) {
    lrn_tensor_free(*out);
    *out = NULL;
  }
  return st;
}

int lrn_ratings_visible(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, const lrn_tensor *h,
                        const lrn_ratings_batch *batch) {
  lrn_rated rated;
  lrn_rated_down_args down = {.temperature = m->options.temperature, .h = h->view.data,
                              .mean = mean->view.data,
                              .key = lrn_key_of(m, 0, LRN_STREAM_VISIBLE, 0, 0)};
  LRN_TRY(gather(m, w, batch, 0, "visible"));
  LRN_TRY(lrn_check_output(m, mean, w->rated->n, m->options.visible_categories, "visible", "mean"));
  LRN_TRY(lrn_check_output(m, h, batch->count, m->options.n_hidden, "visible", "h"));
  rated = rated_of(m, w->rated);
  return m->options.device->backend.rated_down(&rated, &down);
}

/* ===} */
