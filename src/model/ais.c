/*
** ais.c - annealed importance sampling: an estimate of log Z where no layer can be listed.
**
** Between a base model without weights (visible biases a0, log Z known) and the model at hand lie the
** models with the parameters of  beta E + (1 - beta) E0:
**
**   beta W,  (1 - beta) a0 + beta a,  beta b        (and beta U, beta c of a label, a visible unit)
**
** so that each is a model of the same units, whichever they are. Forwards a chain begins at a sample of
** the base; at each rung of the ladder its log weight takes in
**
**   log p*_to(v) - log p*_from(v) = (beta_to - beta_from) (a - a0).v / T
**                                   + sum_j (A(x_to,j) - A(x_from,j)) / T,       p* = exp(-F / T),
**
** and one sweep v -> h -> v at `to` follows (Salakhutdinov and Murray 2008, algorithm 1). The sweep is
** reversible, so that the same walk from samples of the model down to the base estimates 1 / Z (Burda,
** Grosse and Salakhutdinov 2015): the first figure is on average too low, the second too high.
**
** One product v W serves both rungs, and one pass over it gives the summand and the states of h (the
** slot `rung`). Where states are 0 and 1, products are sums of selected rows; for those of W' the walk
** keeps a copy of it. Draws: step = call, stream user; 2 rung + side, rungs counted from the start of the
** walk.
*/
#include <math.h>

#include "base/interrupt.h"
#include "kernel/math.h"
#include "kernel/unit.h"
#include "model/model.h"

/* The model at one beta, on the way down: visible bias and the label's parameters are copies of its
   own, W counts beta in the product. On the way up all inputs count beta. */
typedef struct rung {
  double beta;
  lrn_rbm m;
  lrn_tensor *own[LRN_PARAMETERS];
} rung;

typedef struct walk {
  lrn_rbm *plain;
  rung rung;
  lrn_tensor *base;   /* a0 */
  lrn_tensor *change; /* a - a0 */
  lrn_tensor *narrow; /* 1 / sigma where variances are learned, else NULL: the walk is one of v / sigma */
  lrn_tensor *log_w;  /* a batch's, in double */
} walk;

static void free_walk(walk *k) {
  for (int i = 0; i < LRN_PARAMETERS; i++)
    lrn_tensor_free(k->rung.own[i]);
  lrn_rbm_free(k->plain);
  lrn_tensor_free(k->base);
  lrn_tensor_free(k->change);
  lrn_tensor_free(k->narrow);
  lrn_tensor_free(k->log_w);
}

/* Elementwise on whole tensors of one shape, and a number. */
static int map2(const lrn_rbm *m, int op, const lrn_view *out, const lrn_view *a, const lrn_view *b) {
  lrn_operand in[2] = {{.view = *a}, {.view = *b}};
  return m->options.device->backend.map(op, out->dtype, out, in, 2);
}
static int map_number(const lrn_rbm *m, int op, const lrn_view *out, const lrn_view *a, double x) {
  lrn_operand in[2] = {{.view = *a}, {.is_scalar = 1, .d = x}};
  return m->options.device->backend.map(op, out->dtype, out, in, 2);
}

static int set_rung(walk *k, double beta) {
  const lrn_rbm *m = k->plain;
  rung *r = &k->rung;
  r->beta = beta;
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    lrn_operand in[3];
    if (r->own[i] == NULL)
      continue;
    if (i != LRN_PARAMETER_A) {
      LRN_TRY(map_number(m, LRN_OP_mul, &r->own[i]->view, &m->parameter[i]->view, beta));
      continue;
    }
    in[0] = (lrn_operand){.view = k->base->view};
    in[1] = (lrn_operand){.view = m->parameter[i]->view};
    in[2] = (lrn_operand){.is_scalar = 1, .d = beta};
    LRN_TRY(m->options.device->backend.map(LRN_OP_lerp, m->options.dtype, &r->own[i]->view, in, 3));
  }
  return LRN_OK;
}

static int make_walk(walk *k, const lrn_rbm *m, const lrn_tensor *base, int64_t rows) {
  const lrn_device *device = m->options.device;
  int dtype = m->options.dtype;
  const lrn_tensor *a;
  LRN_TRY(lrn_rbm_plain(&k->plain, m, dtype, device));
  a = k->plain->parameter[LRN_PARAMETER_A];
  LRN_TRY(lrn_tensor_clone(&k->base, a));
  if (m->options.variance)
    LRN_TRY(lrn_narrow(&k->narrow, k->plain, m));
  if (base != NULL) {
    LRN_TRY(lrn_tensor_copy(k->base, base));
    if (k->narrow != NULL)
      LRN_TRY(map2(k->plain, LRN_OP_mul, &k->base->view, &k->base->view, &k->narrow->view));
  }
  LRN_TRY(lrn_tensor_clone(&k->change, a));
  LRN_TRY(map2(k->plain, LRN_OP_sub, &k->change->view, &a->view, &k->base->view));
  k->rung.m = *k->plain;
  for (int i = 0; i < LRN_PARAMETERS; i++)
    if (i != LRN_PARAMETER_W && i != LRN_PARAMETER_B && k->plain->parameter[i] != NULL) {
      LRN_TRY(lrn_tensor_clone(&k->rung.own[i], k->plain->parameter[i]));
      k->rung.m.parameter[i] = k->rung.own[i];
    }
  return lrn_tensor_new(&k->log_w, LRN_F64, 1, &rows, device);
}

int lrn_sum_of_cumulants(double *sum, const lrn_rbm *m, int unit, int64_t n, int64_t categories,
                         const lrn_tensor *x) {
  lrn_tensor *in = NULL, *total = NULL;
  lrn_unit_map_args args = {.unit = unit, .part = LRN_UNIT_CUMULANT, .dtype = LRN_F64, .n = n,
                            .temperature = m->options.temperature, .categories = categories};
  int st;
  LRN_GO(lrn_tensor_new(&in, LRN_F64, 1, &n, NULL));
  LRN_GO(x != NULL ? lrn_tensor_copy(in, x) : lrn_tensor_fill(in, 0));
  args.x = args.out = in->view.data;
  LRN_GO(lrn_device_cpu()->backend.unit_map(&args));
  LRN_GO(lrn_reduce(&total, LRN_RED_sum, in, 0, 0));
  st = lrn_tensor_get(sum, total, NULL);
done:
  lrn_tensor_free(in);
  lrn_tensor_free(total);
  return st;
}

static int log_z_of_base(double *log_z, const walk *k) {
  const lrn_rbm *m = k->plain;
  lrn_layer v = lrn_layer_of(m, LRN_SIDE_VISIBLE), h = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  double visible, hidden;
  LRN_TRY(lrn_sum_of_cumulants(&visible, m, v.unit, v.units, v.categories, k->base));
  LRN_TRY(lrn_sum_of_cumulants(&hidden, m, h.unit, h.units, h.categories, NULL));
  *log_z = (visible + hidden) / m->options.temperature;
  if (m->options.n_classes > 0)
    *log_z += lrn_log((double)m->options.n_classes);
  return LRN_OK;
}

/* {=== One rung === */

static lrn_key key_of(const walk *k, uint64_t call, int64_t draw, int64_t row, int64_t units) {
  return lrn_key_of(k->plain, call, LRN_STREAM_USER, (int)draw, row * units);
}

/* The log weights of n rows of v (and y) take in their change of free energy between two betas; the hidden
   states at `to` into h, where they are wanted. */
static int up(const walk *k, lrn_work *w, double from, double to, void *h, int64_t n, lrn_key key) {
  const lrn_rbm *m = k->plain;
  lrn_layer l = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  const void *v = w->v->view.data, *y = lrn_label_row(w, 0);
  void *x = w->q->view.data;
  lrn_rung_args args = {.unit = l.unit, .dtype = m->options.dtype, .temperature = m->options.temperature,
                        .rows = n, .units = l.units, .categories = l.categories, .x = x,
                        .bias = l.bias, .from = from, .to = to,
                        .linear = {{v, k->change->view.data, m->options.n_visible}},
                        .log_w = k->log_w->view.data, .state = h, .key = key};
  LRN_TRY(m->link->up(m, x, v, n, 1));
  LRN_TRY(lrn_label_up(m, x, y, n));
  if (y != NULL) {
    args.linear[1].s = y;
    args.linear[1].row = m->parameter[LRN_PARAMETER_C]->view.data;
    args.linear[1].units = m->options.n_classes;
  }
  return m->options.device->backend.rung(&args);
}

/* v (and y) given h at a rung. */
static int down(const walk *k, lrn_work *w, const void *h, int64_t n, uint64_t call, int64_t draw,
                int64_t row) {
  const rung *r = &k->rung;
  const lrn_rbm_options *o = &k->plain->options;
  void *v = w->v->view.data, *y = lrn_label_row(w, 0);
  LRN_TRY(k->plain->link->down(k->plain, v, h, n, r->beta));
  LRN_TRY(lrn_activate(&r->m, LRN_SIDE_VISIBLE, v, n, NULL, v, key_of(k, call, draw, row, o->n_visible),
                       NULL));
  return lrn_label_down(&r->m, NULL, y, h, n, key_of(k, call, draw, row, o->n_classes));
}

/* ===} */

/* The visible states that n chains begin at. */
static int begin(const walk *k, lrn_work *w, const lrn_rbm *m, const lrn_rows *rows, int64_t row,
                 int64_t n, uint64_t call) {
  const lrn_rbm *p = k->plain;
  lrn_view h = lrn_flat_view(w->dtype, w->h->view.data, n * p->options.n_hidden);
  lrn_operand zero = {.is_scalar = 1};
  void *y = lrn_label_row(w, 0);
  if (rows == NULL) {
    LRN_TRY(p->options.device->backend.map(LRN_OP_COPY, h.dtype, &h, &zero, 1));
    return down(k, w, h.data, n, call, 1, row);
  }
  LRN_TRY(lrn_wants_whole_rows(lrn_load_rows(m, w->v->view.data, rows, NULL, 0, row, n, 0, "anneal"), m,
                               "anneal"));
  if (k->narrow != NULL) {
    lrn_view v = lrn_rows_view(w->dtype, w->v->view.data, n, p->options.n_visible), each = v;
    each.data = k->narrow->view.data;
    each.stride[0] = 0;
    LRN_TRY(map2(p, LRN_OP_mul, &v, &v, &each));
  }
  if (y == NULL)
    return LRN_OK;
  /* a label of each row as the model has them */
  LRN_TRY(lrn_input(p, LRN_SIDE_HIDDEN, w->q->view.data, w->v->view.data, n));
  LRN_TRY(lrn_label_scores(p, w, w->q->view.data, n));
  return lrn_label_draw(p, w, y, n, key_of(k, call, 1, row, p->options.n_classes));
}

static int walk_rows(walk *k, lrn_work *w, const double *ladder, int64_t rungs, int down_again,
                     int64_t row, int64_t n, uint64_t call) {
  int64_t H = k->plain->options.n_hidden;
  for (int64_t i = 1; i < rungs; i++) {
    double to = ladder[down_again ? rungs - 1 - i : i];
    double from = ladder[down_again ? rungs - i : i - 1];
    void *h = i + 1 < rungs ? w->h->view.data : NULL; /* nothing reads the states of the last one */
    LRN_TRY(lrn_poll());
    LRN_TRY(up(k, w, from, to, h, n, key_of(k, call, 2 * i, row, H)));
    if (h == NULL)
      break;
    LRN_TRY(set_rung(k, to));
    LRN_TRY(down(k, w, h, n, call, 2 * i + 1, row));
  }
  return LRN_OK;
}

int lrn_check_ladder(const double *ladder, int64_t n) {
  if (n < 2 || n > LRN_MOST_STEPS)
    return lrn_fail(LRN_EVALUE, "anneal: ladder: got %lld values, expected 2 to %d", (long long)n,
                    LRN_MOST_STEPS);
  if (ladder[0] != 0 || ladder[n - 1] != 1)
    return lrn_fail(LRN_EVALUE, "anneal: ladder: got %g to %g, expected 0 to 1", ladder[0], ladder[n - 1]);
  for (int64_t i = 1; i < n; i++)
    if (!(ladder[i] > ladder[i - 1]))
      return lrn_fail(LRN_EVALUE, "anneal: ladder: got %g after %g, expected values that rise", ladder[i],
                      ladder[i - 1]);
  return LRN_OK;
}

int lrn_check_log_z(const lrn_tensor *t, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (t->view.dtype != LRN_F64 || t->storage->device != lrn_device_cpu() ||
      !lrn_tensor_is_contiguous(t) || lrn_tensor_numel(t) < 1)
    return lrn_fail(LRN_ESHAPE, "%s: log_z: got %s, expected a contiguous float64 tensor on cpu", f,
                    lrn_tensor_text(text, t));
  return LRN_OK;
}

int lrn_rbm_anneal(const lrn_rbm *m, lrn_work *w, lrn_tensor *log_z, const lrn_tensor *base,
                   const double *ladder, int64_t n, const lrn_tensor *start) {
  double *out = log_z->view.data, of_base, volume, sign = start != NULL ? -1 : 1;
  uint64_t call = w->state.calls;
  lrn_tensor *held = NULL;
  lrn_rows rows = {0};
  walk k = {0};
  int64_t N = lrn_tensor_numel(log_z);
  int st;
  LRN_TRY(lrn_check_work(m, w, 0, 0, "anneal"));
  LRN_TRY(lrn_check_log_z(log_z, "anneal"));
  LRN_TRY(lrn_check_writable(log_z, "anneal"));
  LRN_TRY(lrn_check_ladder(ladder, n));
  if (base != NULL && (base->view.nd != 1 || base->view.size[0] != m->options.n_visible))
    return lrn_fail(LRN_ESHAPE, "anneal: base: got %lld values, expected %lld (n_visible)",
                    (long long)lrn_tensor_numel(base), (long long)m->options.n_visible);
  LRN_TRY(lrn_rbm_check_integrable(m));
  LRN_TRY(lrn_volume(&volume, m));
  if (start != NULL) {
    LRN_GO(lrn_rows_any(&rows, &held, m, start, "anneal"));
    if (rows.n != N) {
      st = lrn_fail(LRN_ESHAPE, "anneal: start: got %lld rows, expected %lld", (long long)rows.n,
                    (long long)N);
      goto done;
    }
  }
  LRN_GO(make_walk(&k, m, base, lrn_stride(w)));
  LRN_GO(log_z_of_base(&of_base, &k));
  for (int64_t row = 0; row < N; row += lrn_stride(w)) {
    int64_t count = lrn_piece(w, N, row);
    LRN_GO(lrn_tensor_fill(k.log_w, 0));
    LRN_GO(set_rung(&k, 0));
    LRN_GO(begin(&k, w, m, start != NULL ? &rows : NULL, row, count, call));
    LRN_GO(walk_rows(&k, w, ladder, n, start != NULL, row, count, call));
    LRN_GO(m->options.device->backend.download(out + row, k.log_w->view.data,
                                               (size_t)count * sizeof *out));
    for (int64_t i = row; i < row + count; i++)
      out[i] = of_base + volume + sign * out[i];
  }
  w->state.calls++;
done:
  free_walk(&k);
  lrn_tensor_free(held);
  return st;
}

int lrn_anneal_summary(lrn_annealed *out, const lrn_tensor *log_z, int backwards) {
  const double *x = log_z->view.data;
  double sign = backwards ? -1 : 1, top = -(double)INFINITY, sum = 0, squares = 0, mean = 0, off = 0;
  int64_t n = lrn_tensor_numel(log_z);
  LRN_TRY(lrn_check_log_z(log_z, "anneal_summary"));
  for (int64_t i = 0; i < n; i++)
    top = sign * x[i] > top ? sign * x[i] : top;
  for (int64_t i = 0; i < n; i++) {
    double p = lrn_exp(sign * x[i] - top);
    sum += p;
    squares += p * p;
    mean += x[i] / (double)n;
  }
  for (int64_t i = 0; i < n; i++)
    off += (x[i] - mean) * (x[i] - mean);
  out->log_z = sign * (top + lrn_log(sum / (double)n));
  out->effective = sum * sum / squares;
  /* var(mean w) / mean(w)^2 = (n sum w^2 / (sum w)^2 - 1) / (n - 1) */
  out->error = n > 1 ? sqrt(fmax(0, (double)n / out->effective - 1) / (double)(n - 1)) : (double)INFINITY;
  out->spread = n > 1 ? sqrt(off / (double)(n - 1)) : 0;
  return LRN_OK;
}
