/*
** dbm_ais.c - annealed importance sampling of a deep Boltzmann machine (Salakhutdinov and Murray 2008;
** Salakhutdinov and Hinton 2009). As ais.c, between a model without weights and the one at hand lie
**
**   beta W_l,   (1 - beta) a0 + beta a,   beta b_l
**
** A chain has the states of the layers of one parity, the one with fewer units; the others are summed out
** of its weight:
**
**   log p*_to - log p*_from = (beta_to - beta_from) sum_(l kept) b_l.s_l / T      (a - a0 for layer 0)
**                             + sum_(l summed out) sum (A(x_to) - A(x_from)) / T
**
** then the layers that were summed out are drawn, and the kept ones given these. Draws: step = call,
** stream user; 2 rung, and 2 rung + 1 for the kept ones.
*/
#include "base/interrupt.h"
#include "model/dbm.h"

/* The model at one beta: biases of its own; weights count beta in products. */
typedef struct rung {
  double beta;
  lrn_dbm m;
  lrn_rbm pair[LRN_DBM_LAYERS];
  lrn_tensor *bias[LRN_DBM_LAYERS + 1];
} rung;

typedef struct walk {
  const lrn_dbm *m;
  int kept; /* parity */
  rung rungs[2];
  lrn_tensor *base, *change; /* a0, a - a0 */
  /* of a batch: log weights in double; what joins them at a rung, as it comes and in double */
  lrn_tensor *log_w, *step, *wide;
} walk;

static lrn_tensor *bias_of(const lrn_dbm *m, int l) {
  return lrn_dbm_pair(m, l)->parameter[l > 0 ? LRN_PARAMETER_B : LRN_PARAMETER_A];
}

static void free_walk(walk *k) {
  for (int l = 0; l <= LRN_DBM_LAYERS; l++) {
    lrn_tensor_free(k->rungs[0].bias[l]);
    lrn_tensor_free(k->rungs[1].bias[l]);
  }
  lrn_tensor_free(k->base);
  lrn_tensor_free(k->change);
  lrn_tensor_free(k->log_w);
  lrn_tensor_free(k->step);
  lrn_tensor_free(k->wide);
}

static int apply(const walk *k, int op, const lrn_view *out, lrn_operand x, lrn_operand y) {
  lrn_operand in[2] = {x, y};
  return k->m->pair[0]->options.device->backend.map(op, out->dtype, out, in, 2);
}
static lrn_operand of_view(lrn_view v) { return (lrn_operand){.view = v}; }
static lrn_operand number(double d) { return (lrn_operand){.is_scalar = 1, .d = d}; }

static int make_rung(rung *r, const lrn_dbm *m) {
  r->m = *m;
  for (int i = 0; i < m->layers; i++) {
    r->pair[i] = *m->pair[i];
    r->pair[i].options.visible_noise = 1;
    r->pair[i].shift = r->pair[i].scale = r->pair[i].gain = NULL;
    r->m.pair[i] = &r->pair[i];
  }
  for (int l = 0; l <= m->layers; l++) {
    LRN_TRY(lrn_tensor_clone(&r->bias[l], bias_of(m, l)));
    r->m.pair[l > 0 ? l - 1 : 0]->parameter[l > 0 ? LRN_PARAMETER_B : LRN_PARAMETER_A] = r->bias[l];
  }
  return LRN_OK;
}

static int make_walk(walk *k, const lrn_dbm *m, const lrn_tensor *base, int64_t rows) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  int64_t units[2] = {0, 0};
  k->m = m;
  for (int l = 0; l <= m->layers; l++)
    units[l % 2] += m->units[l];
  k->kept = units[LRN_EVEN] <= units[LRN_ODD] ? LRN_EVEN : LRN_ODD;
  LRN_TRY(lrn_tensor_clone(&k->base, bias_of(m, 0)));
  if (base != NULL)
    LRN_TRY(lrn_tensor_copy(k->base, base));
  LRN_TRY(lrn_tensor_clone(&k->change, bias_of(m, 0)));
  LRN_TRY(apply(k, LRN_OP_sub, &k->change->view, of_view(k->change->view), of_view(k->base->view)));
  LRN_TRY(make_rung(&k->rungs[0], m));
  LRN_TRY(make_rung(&k->rungs[1], m));
  LRN_TRY(lrn_tensor_new(&k->log_w, LRN_F64, 1, &rows, o->device));
  LRN_TRY(lrn_tensor_new(&k->wide, LRN_F64, 1, &rows, o->device));
  return lrn_tensor_new(&k->step, o->dtype, 1, &rows, o->device);
}

static int set_rung(const walk *k, rung *r, double beta) {
  lrn_operand in[3] = {of_view(k->base->view), of_view(bias_of(k->m, 0)->view), number(beta)};
  r->beta = beta;
  LRN_TRY(k->m->pair[0]->options.device->backend.map(LRN_OP_lerp, k->base->view.dtype, &r->bias[0]->view, in, 3));
  for (int l = 1; l <= k->m->layers; l++)
    LRN_TRY(apply(k, LRN_OP_mul, &r->bias[l]->view, of_view(bias_of(k->m, l)->view), number(beta)));
  return LRN_OK;
}

static int log_z_of_base(double *log_z, const walk *k) {
  *log_z = 0;
  for (int l = 0; l <= k->m->layers; l++) {
    lrn_layer layer = lrn_layer_of(lrn_dbm_pair(k->m, l), lrn_dbm_side(l));
    double sum;
    LRN_TRY(lrn_sum_of_cumulants(&sum, k->m->pair[0], layer.unit, layer.units, layer.categories,
                                 l == 0 ? k->base : NULL));
    *log_z += sum / k->m->pair[0]->options.temperature;
  }
  return LRN_OK;
}

/* {=== One rung === */

static void *state(const lrn_dbm_work *w, int l) { return lrn_dbm_rows(w, l)->view.data; }

/* x = the layer's inputs without biases from its neighbours' states. */
static int input(const walk *k, const lrn_dbm_work *w, int l, void *x, int64_t n, double beta) {
  return lrn_dbm_input(k->m, l, x, l > 0 ? state(w, l - 1) : NULL, l < k->m->layers ? state(w, l + 1) : NULL,
                       NULL, n, beta);
}

/* out = A(beta x + bias) of n rows of inputs of a layer at a rung */
static int cumulants(const walk *k, const rung *r, int l, void *out, const void *x, int64_t n) {
  int dtype = k->base->view.dtype;
  lrn_view ov = lrn_rows_view(dtype, out, n, k->m->units[l]), xv = ov, bias = ov;
  xv.data = (void *)(uintptr_t)x;
  bias.data = r->bias[l]->view.data;
  bias.stride[0] = 0;
  LRN_TRY(apply(k, LRN_OP_mul, &ov, of_view(xv), number(r->beta)));
  LRN_TRY(apply(k, LRN_OP_add, &ov, of_view(ov), of_view(bias)));
  return lrn_dbm_map(&r->m, l, LRN_UNIT_CUMULANT, out, out, n);
}

/* The log weights of n chains take in their change from one rung to another; the layers that are summed
   out have their inputs, without biases, at `to` on return. */
static int reweigh(const walk *k, lrn_dbm_work *w, const rung *from, const rung *to, int64_t n) {
  const lrn_backend *b = &k->m->pair[0]->options.device->backend;
  double T = k->m->pair[0]->options.temperature, beta = 0;
  void *step = k->step->view.data, *part = w->pair[0]->scratch->view.data;
  lrn_view wide = lrn_flat_view(LRN_F64, k->wide->view.data, n), total = wide;
  lrn_operand in = of_view(lrn_flat_view(k->step->view.dtype, step, n));
  for (int l = k->kept; l <= k->m->layers; l += 2, beta = 1)
    LRN_TRY(lrn_dbm_add_sums(k->m, l, step, part, state(w, l),
                             (l > 0 ? bias_of(k->m, l) : k->change)->view.data, 1, n,
                             (to->beta - from->beta) / T, beta));
  for (int l = 1 - k->kept; l <= k->m->layers; l += 2) {
    void *x = state(w, l), *low = lrn_row(lrn_dbm_rows(w, l), n), *high = lrn_dbm_spare(w, l);
    lrn_view xv = lrn_rows_view(k->step->view.dtype, x, n, k->m->units[l]), lv = xv, hv = xv;
    lrn_view sum = lrn_flat_view(k->step->view.dtype, part, n);
    LRN_TRY(input(k, w, l, x, n, 1));
    LRN_TRY(cumulants(k, from, l, low, x, n));
    LRN_TRY(cumulants(k, to, l, high, x, n));
    lv.data = low;
    hv.data = high;
    LRN_TRY(b->reduce(LRN_RED_diff, &sum, &hv, &lv, 1, T));
    LRN_TRY(apply(k, LRN_OP_add, &in.view, in, of_view(sum)));
    LRN_TRY(apply(k, LRN_OP_mul, &xv, of_view(xv), number(to->beta)));
  }
  total.data = k->log_w->view.data;
  LRN_TRY(b->map(LRN_OP_COPY, LRN_F64, &wide, &in, 1));
  return apply(k, LRN_OP_add, &total, of_view(total), of_view(wide));
}

/* Layers of a parity drawn from inputs that lie where their states go. */
static int draw(const walk *k, lrn_dbm_work *w, const rung *r, int parity, int64_t n, uint64_t call,
                int64_t number_of_draw, int64_t row) {
  for (int l = parity; l <= k->m->layers; l += 2)
    LRN_TRY(lrn_dbm_activate(&r->m, l, state(w, l), n, NULL, state(w, l),
                             lrn_dbm_key(k->m, l, call, LRN_STREAM_USER, (int)number_of_draw, row), NULL));
  return LRN_OK;
}

/* ===} */

/* The kept layers' states that n chains begin at. */
static int begin(const walk *k, lrn_dbm_work *w, const lrn_rows *v, lrn_tensor *const *hidden, int64_t row,
                 int64_t n, uint64_t call) {
  for (int l = k->kept; l <= k->m->layers; l += 2) {
    lrn_view to = lrn_flat_view(k->base->view.dtype, state(w, l), n * k->m->units[l]), from = to;
    lrn_operand zero = {.is_scalar = 1};
    if (v == NULL)
      LRN_TRY(k->m->pair[0]->options.device->backend.map(LRN_OP_COPY, to.dtype, &to, &zero, 1));
    else if (l == 0)
      LRN_TRY(lrn_load_rows(k->m->pair[0], to.data, v, NULL, 0, row, n, 0, "anneal"));
    else {
      from.data = lrn_row_at(hidden[l - 1], row, k->m->units[l]);
      LRN_TRY(lrn_copy_views(k->m->pair[0]->options.device, &to, &from));
    }
  }
  return v == NULL ? draw(k, w, &k->rungs[0], k->kept, n, call, 1, row) : LRN_OK;
}

static int walk_rows(walk *k, lrn_dbm_work *w, const double *ladder, int64_t rungs, int down, int64_t row,
                     int64_t n, uint64_t call) {
  for (int64_t i = 1; i < rungs; i++) {
    rung *from = &k->rungs[(i - 1) % 2], *to = &k->rungs[i % 2];
    LRN_TRY(lrn_poll());
    LRN_TRY(set_rung(k, to, ladder[down ? rungs - 1 - i : i]));
    LRN_TRY(reweigh(k, w, from, to, n));
    if (i + 1 == rungs)
      break;
    LRN_TRY(draw(k, w, to, 1 - k->kept, n, call, 2 * i, row));
    for (int l = k->kept; l <= k->m->layers; l += 2)
      LRN_TRY(input(k, w, l, state(w, l), n, to->beta));
    LRN_TRY(draw(k, w, to, k->kept, n, call, 2 * i + 1, row));
  }
  return LRN_OK;
}

static int check_start(const lrn_dbm *m, lrn_tensor *const *hidden, int64_t n) {
  for (int l = 1; l <= m->layers; l++) {
    if (hidden == NULL || hidden[l - 1] == NULL)
      return lrn_fail(LRN_EARG, "anneal: start: got no states of hidden layer %d", l);
    LRN_TRY(lrn_check_output(m->pair[0], hidden[l - 1], n, m->units[l], "anneal", "start"));
  }
  return LRN_OK;
}

int lrn_dbm_anneal(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *log_z, const lrn_tensor *base,
                   const double *ladder, int64_t n, const lrn_tensor *start, lrn_tensor *const *start_hidden) {
  double *out = log_z->view.data, of_base, volume, sign = start != NULL ? -1 : 1;
  uint64_t call = w->pair[0]->state.calls;
  int64_t N = lrn_tensor_numel(log_z);
  lrn_tensor *held = NULL;
  lrn_rows rows = {0};
  walk k = {0};
  int st;
  LRN_TRY(lrn_dbm_check_work(m, w, 0, 0, "anneal"));
  LRN_TRY(lrn_check_log_z(log_z, "anneal"));
  LRN_TRY(lrn_check_ladder(ladder, n));
  if (base != NULL && lrn_tensor_numel(base) != m->units[0])
    return lrn_fail(LRN_ESHAPE, "anneal: base: got %lld values, expected %lld (n_visible)",
                    (long long)lrn_tensor_numel(base), (long long)m->units[0]);
  LRN_TRY(lrn_volume(&volume, m->pair[0]));
  if (start != NULL) {
    LRN_GO(lrn_rows_any(&rows, &held, m->pair[0], start, "anneal"));
    LRN_GO(rows.n == N ? check_start(m, start_hidden, N)
                       : lrn_fail(LRN_ESHAPE, "anneal: start: got %lld rows, expected %lld", (long long)rows.n,
                                  (long long)N));
  }
  LRN_GO(make_walk(&k, m, base, lrn_dbm_stride(w)));
  LRN_GO(log_z_of_base(&of_base, &k));
  for (int64_t row = 0; row < N; row += lrn_dbm_stride(w)) {
    int64_t count = lrn_dbm_piece(w, N, row);
    LRN_GO(lrn_tensor_fill(k.log_w, 0));
    LRN_GO(set_rung(&k, &k.rungs[0], start != NULL ? 1 : 0));
    LRN_GO(begin(&k, w, start != NULL ? &rows : NULL, start_hidden, row, count, call));
    LRN_GO(walk_rows(&k, w, ladder, n, start != NULL, row, count, call));
    LRN_GO(m->pair[0]->options.device->backend.download(out + row, k.log_w->view.data,
                                                        (size_t)count * sizeof *out));
  }
  for (int64_t i = 0; i < N; i++)
    out[i] = of_base + volume + sign * out[i];
  w->pair[0]->state.calls++;
done:
  free_walk(&k);
  lrn_tensor_free(held);
  return st;
}
