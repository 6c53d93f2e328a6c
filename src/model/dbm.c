/*
** dbm.c - the deep Boltzmann machine (Salakhutdinov and Hinton 2009): its pairs, their workspaces, and
** what one layer gets from its neighbours.
**
**   E(v, h1, h2, ...) = self(v) - a.v - sum_l b_l.h_l - v W1 h1 - h1 W2 h2 - ...
*/
#include <string.h>

#include "base/interrupt.h"
#include "model/dbm.h"

/* {=== The model === */

/* The options of pair i: its layers, and random numbers of its own. */
static lrn_rbm_options pair_options(const lrn_rbm_options *o, const int64_t *units, int i) {
  lrn_rbm_options p = *o;
  p.n_visible = units[i];
  p.n_hidden = units[i + 1];
  p.seed = o->seed + (uint64_t)i * 0x9E3779B97F4A7C15u;
  if (i > 0) {
    p.visible = o->hidden;
    p.visible_categories = 1;
    p.normalize = 0;
    p.visible_noise = 1;
  }
  return p;
}

static int check_options(const lrn_rbm_options *o, int layers) {
  if (layers < 1 || layers > LRN_DBM_LAYERS)
    return lrn_fail(LRN_EVALUE, "DBM: n_hidden: got %d layers, expected 1 to %d", layers, LRN_DBM_LAYERS);
  if (!lrn_unit_has_density(o->visible))
    return lrn_fail(LRN_EVALUE, "DBM: visible: got %s, expected units with a density", lrn_unit_name(o->visible));
  if (!lrn_unit_can_flip(o->hidden) || lrn_unit_grouped(o->hidden))
    return lrn_fail(LRN_EVALUE, "DBM: hidden: got %s, expected units of two states", lrn_unit_name(o->hidden));
  if (o->rule != LRN_RULE_CD || o->mask != LRN_MASK_NONE || o->n_classes > 0 || o->variance || o->clip > 0 ||
      o->missing || o->replicas != 1 || o->fast_rate > 0 || o->conditional)
    return lrn_fail(LRN_EVALUE, "DBM: rule, mask, n_classes, variance, clip, missing, replicas, fast_rate, "
                                "conditional: not of this model");
  return LRN_OK;
}

int lrn_dbm_new(lrn_dbm **out, const lrn_rbm_options *options, const int64_t *n_hidden, int layers) {
  void *memory;
  lrn_dbm *m;
  int st;
  LRN_TRY(check_options(options, layers));
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *m, "DBM"));
  m = memory;
  m->layers = layers;
  m->units[0] = options->n_visible;
  for (int i = 0; i < layers; i++)
    m->units[i + 1] = n_hidden[i];
  for (int i = 0; i < layers; i++) {
    lrn_rbm_options o = pair_options(options, m->units, i);
    LRN_GO(lrn_rbm_new(&m->pair[i], &o));
    if (i > 0) {
      lrn_tensor_free(m->pair[i]->parameter[LRN_PARAMETER_A]);
      m->pair[i]->parameter[LRN_PARAMETER_A] = NULL;
    }
  }
  *out = m;
  m = NULL;
done:
  lrn_dbm_free(m);
  return st;
}

void lrn_dbm_free(lrn_dbm *m) {
  if (m == NULL)
    return;
  for (int i = 0; i < m->layers; i++)
    lrn_rbm_free(m->pair[i]);
  lrn_free(m);
}

int lrn_dbm_layers(const lrn_dbm *m) { return m->layers; }
int64_t lrn_dbm_units(const lrn_dbm *m, int layer) { return m->units[layer]; }
const lrn_rbm_options *lrn_dbm_get_options(const lrn_dbm *m) { return &m->pair[0]->options; }

int lrn_dbm_set_options(lrn_dbm *m, const lrn_rbm_options *options) {
  LRN_TRY(check_options(options, m->layers));
  for (int i = 0; i < m->layers; i++) { /* the first one finds what is wrong */
    lrn_rbm_options o = pair_options(options, m->units, i);
    if (i == 0)
      o.n_hidden = options->n_hidden;
    LRN_TRY(lrn_rbm_set_options(m->pair[i], &o));
  }
  return LRN_OK;
}

lrn_rbm *lrn_dbm_get_pair(const lrn_dbm *m, int i) {
  return i >= 0 && i < m->layers ? m->pair[i] : NULL;
}

int lrn_dbm_double(lrn_dbm **out, const lrn_dbm *m) {
  lrn_rbm_options o = m->pair[0]->options;
  lrn_dbm *d = NULL;
  int st;
  o.dtype = LRN_F64;
  o.device = lrn_device_cpu();
  LRN_TRY(lrn_dbm_new(&d, &o, m->units + 1, m->layers));
  for (int i = 0; i < m->layers; i++)
    for (int k = 0; k < LRN_PARAMETERS; k++)
      if (d->pair[i]->parameter[k] != NULL)
        LRN_GO(lrn_tensor_copy(d->pair[i]->parameter[k], m->pair[i]->parameter[k]));
  if (m->pair[0]->standard != NULL)
    LRN_GO(lrn_set_statistics(d->pair[0], m->pair[0]->stat[LRN_STAT_MEAN]->view.data,
                              m->pair[0]->stat[LRN_STAT_STD]->view.data));
  *out = d;
  d = NULL;
  st = LRN_OK;
done:
  lrn_dbm_free(d);
  return st;
}

/* ===} */

/* {=== The workspace === */

static int make_field(lrn_dbm_work *new, const lrn_dbm *m, int64_t rows) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  int64_t size[2] = {rows, m->units[1]}, one = 1;
  LRN_TRY(lrn_tensor_new(&new->first, o->dtype, 2, size, o->device));
  LRN_TRY(lrn_tensor_new(&new->moved, o->dtype, 1, &rows, o->device));
  LRN_TRY(lrn_tensor_new(&new->move, o->dtype, 1, &rows, o->device));
  LRN_TRY(lrn_tensor_new(&new->active, LRN_BOOL, 1, &rows, o->device));
  return lrn_tensor_new(&new->most, o->dtype, 1, &one, o->device);
}

static void free_field(lrn_dbm_work *w) {
  lrn_tensor_free(w->first);
  lrn_tensor_free(w->moved);
  lrn_tensor_free(w->move);
  lrn_tensor_free(w->active);
  lrn_tensor_free(w->most);
}

int lrn_dbm_work_new(lrn_dbm_work **out, const lrn_dbm *m, int64_t batch, int flags) {
  void *memory;
  lrn_dbm_work *w;
  int st;
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *w, "workspace"));
  w = memory;
  w->layers = m->layers;
  for (int i = 0; i < m->layers; i++)
    LRN_GO(lrn_work_new(&w->pair[i], m->pair[i], 1, 0));
  LRN_GO(lrn_dbm_work_reserve(w, m, batch, flags));
  *out = w;
  w = NULL;
done:
  lrn_dbm_work_free(w);
  return st;
}

/* A pair that has grown when a later one could not is larger than it need be, and no more. */
int lrn_dbm_work_reserve(lrn_dbm_work *w, const lrn_dbm *m, int64_t batch, int flags) {
  lrn_dbm_work new = {.rows = batch};
  int64_t had = w->pair[0]->batch, chains = w->pair[0]->chains;
  if (w->layers != m->layers)
    return lrn_fail(LRN_ESTATE, "workspace: it was made for another model");
  for (int i = 0; i < m->layers; i++)
    LRN_TRY(lrn_work_reserve(w->pair[i], m->pair[i], batch, flags));
  if (w->pair[0]->batch != had || w->pair[0]->chains != chains)
    w->negative_rows = 0;
  if (batch <= w->rows)
    return LRN_OK;
  {
    int st = make_field(&new, m, batch);
    if (st != LRN_OK) {
      free_field(&new);
      return st;
    }
  }
  free_field(w);
  w->rows = batch;
  w->first = new.first;
  w->moved = new.moved;
  w->move = new.move;
  w->active = new.active;
  w->most = new.most;
  return LRN_OK;
}

void lrn_dbm_work_free(lrn_dbm_work *w) {
  if (w == NULL)
    return;
  for (int i = 0; i < w->layers; i++)
    lrn_work_free(w->pair[i]);
  free_field(w);
  lrn_free(w);
}

int64_t lrn_dbm_work_batch(const lrn_dbm_work *w) { return w->rows; }

size_t lrn_dbm_work_bytes(const lrn_dbm_work *w) {
  size_t bytes = w->first != NULL ? lrn_tensor_storage_bytes(w->first) : 0;
  for (int i = 0; i < w->layers; i++)
    bytes += lrn_work_bytes(w->pair[i]);
  return bytes;
}

lrn_work *lrn_dbm_work_pair(const lrn_dbm_work *w, int i) {
  return i >= 0 && i < w->layers ? w->pair[i] : NULL;
}

int lrn_dbm_work_negative(lrn_tensor **out, const lrn_dbm_work *w, int layer) {
  if (w->negative_rows == 0)
    return lrn_fail(LRN_ESTATE, "negative: no step was made");
  return lrn_tensor_narrow(out, lrn_dbm_rows(w, layer), 0, w->negative_at, w->negative_rows);
}

int lrn_dbm_check_work(const lrn_dbm *m, const lrn_dbm_work *w, int64_t rows, int train, const char *f) {
  if (w->layers != m->layers)
    return lrn_fail(LRN_ESTATE, "%s: the workspace was made for another model", f);
  if (rows > w->rows)
    return lrn_fail(LRN_ESHAPE, "%s: got %lld rows, the workspace has room for %lld", f, (long long)rows,
                    (long long)w->rows);
  for (int i = 0; i < m->layers; i++)
    LRN_TRY(lrn_check_work(m->pair[i], w->pair[i], rows, train, f));
  return LRN_OK;
}

/* ===} */

/* {=== One layer and its neighbours === */

int lrn_dbm_input(const lrn_dbm *m, int layer, void *x, const void *below, const void *above,
                  const void *product, int64_t rows, double alpha) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  const lrn_backend *b = &o->device->backend;
  int64_t n = m->units[layer];
  double beta = 0;
  if (product != NULL) {
    lrn_view out = lrn_flat_view(o->dtype, x, rows * n);
    lrn_operand in[2] = {{.view = lrn_flat_view(o->dtype, product, rows * n)}, {.is_scalar = 1, .d = alpha}};
    LRN_TRY(alpha == 1 ? lrn_copy_views(o->device, &out, &in[0].view)
                       : b->map(LRN_OP_mul, o->dtype, &out, in, 2));
    beta = 1;
  } else if (below != NULL) {
    const lrn_rbm *pair = m->pair[layer - 1];
    LRN_TRY(pair->link->up(pair, x, below, rows, alpha));
    beta = 1;
  }
  if (above != NULL && layer < m->layers) {
    const lrn_rbm *pair = m->pair[layer];
    if (beta == 0)
      return pair->link->down(pair, x, above, rows, alpha);
    int64_t k = m->units[layer + 1];
    LRN_TRY(b->gemm(o->dtype, 0, 1, rows, n, k, alpha, above, k,
                    pair->parameter[LRN_PARAMETER_W]->view.data, k, beta, x, n));
  }
  return LRN_OK;
}

int lrn_dbm_activate(const lrn_dbm *m, int layer, const void *x, int64_t rows, void *mean, void *state,
                     lrn_key key, lrn_unit_args *extra) {
  return lrn_activate(lrn_dbm_pair(m, layer), lrn_dbm_side(layer), x, rows, mean, state, key, extra);
}

int lrn_dbm_map(const lrn_dbm *m, int layer, int part, void *out, const void *x, int64_t rows) {
  return lrn_map_units(lrn_dbm_pair(m, layer), lrn_dbm_side(layer), part, out, x, rows);
}

lrn_key lrn_dbm_key(const lrn_dbm *m, int layer, uint64_t step, int stream, int draw, int64_t row) {
  return lrn_key_of(lrn_dbm_pair(m, layer), step, stream, draw, row * m->units[layer]);
}

int lrn_dbm_add_sums(const lrn_dbm *m, int layer, void *F, void *part, const void *x, const void *y,
                     int repeated, int64_t rows, double alpha, double beta) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  lrn_view xv = lrn_rows_view(o->dtype, x, rows, m->units[layer]), yv = xv;
  lrn_view out = lrn_flat_view(o->dtype, beta == 0 ? F : part, rows), total = lrn_flat_view(o->dtype, F, rows);
  lrn_operand in[2] = {{.view = total}, {.view = out}};
  yv.data = (void *)(uintptr_t)y;
  yv.stride[0] = repeated ? 0 : yv.stride[0];
  LRN_TRY(o->device->backend.reduce(y != NULL ? LRN_RED_dot : LRN_RED_sum, &out, &xv, y != NULL ? &yv : NULL,
                                    1, 1 / alpha));
  return beta == 0 ? LRN_OK : o->device->backend.map(LRN_OP_add, o->dtype, &total, in, 2);
}

/* Room for a value a row, of either dtype. */
static void *part_of(const lrn_dbm_work *w) { return w->pair[0]->scratch->view.data; }

int lrn_dbm_add_own(const lrn_dbm *m, const lrn_dbm_work *w, int layer, void *F, const void *s,
                    int64_t rows, double beta) {
  lrn_layer l = lrn_layer_of(lrn_dbm_pair(m, layer), lrn_dbm_side(layer));
  void *self = lrn_dbm_spare(w, layer);
  LRN_TRY(lrn_dbm_add_sums(m, layer, F, part_of(w), s, l.bias, 1, rows, -1, beta));
  LRN_TRY(lrn_dbm_map(m, layer, LRN_UNIT_SELF, self, s, rows));
  return lrn_dbm_add_sums(m, layer, F, part_of(w), self, NULL, 0, rows, 1, 1);
}

int lrn_dbm_add_cumulants(const lrn_dbm *m, const lrn_dbm_work *w, int layer, void *F, void *x,
                          int64_t rows) {
  lrn_layer l = lrn_layer_of(lrn_dbm_pair(m, layer), lrn_dbm_side(layer));
  int dtype = m->pair[0]->options.dtype;
  lrn_view xv = lrn_rows_view(dtype, x, rows, l.units);
  lrn_operand in[2] = {{.view = xv}, {.view = lrn_rows_view(dtype, l.bias, rows, l.units)}};
  in[1].view.stride[0] = 0;
  LRN_TRY(m->pair[0]->options.device->backend.map(LRN_OP_add, dtype, &xv, in, 2));
  LRN_TRY(lrn_dbm_map(m, layer, LRN_UNIT_CUMULANT, x, x, rows));
  return lrn_dbm_add_sums(m, layer, F, part_of(w), x, NULL, 0, rows, -1, 1);
}

int lrn_dbm_draw(const lrn_dbm *m, void *const *s, int parity, int64_t n, uint64_t step, int stream,
                 int draw, int64_t row, void *mean, lrn_unit_args *extra) {
  for (int l = parity; l <= m->layers; l += 2) {
    lrn_key key = lrn_dbm_key(m, l, step, stream, draw, row);
    LRN_TRY(lrn_dbm_input(m, l, s[l], l > 0 ? s[l - 1] : NULL, l < m->layers ? s[l + 1] : NULL, NULL, n, 1));
    if (l == 0 && mean != NULL)
      LRN_TRY(lrn_dbm_activate(m, 0, s[0], n, mean, NULL, key, NULL));
    LRN_TRY(lrn_dbm_activate(m, l, s[l], n, NULL, s[l], key, l == 0 ? extra : NULL));
  }
  return LRN_OK;
}

/* ===} */
