/*
** moments.c - what a model expects of itself: log Z and the moments E[v], E[h], E[v h'] of its own
** distribution, exactly.
**
**   enumeration  with one layer summed out in closed form, p(s) of a state s of the other is
**                exp(-F(s) / T) / Z; given s, the units of the summed-out layer are independent and have
**                the means q(s), so that E[s q'] is a product over the blocks of all states. The layer
**                with fewer states is listed, those of at most 2^24.
**   closed form  two Gaussian layers are one Gaussian of the precision P / T,
**                P = [I, -W; -W', I], where that is positive definite:  E = P^-1 [a; b],
**                log Z = (V + H)/2 log(2 pi T) - log det P / 2 + E.[a; b] / (2 T). With n the smaller
**                layer and M = I - W'W or I - W W' of its size: det P = det M, and P^-1 follows
**                from M^-1.
**
** In float64 whatever the model's dtype, on the CPU. Blocks come one after the other and each is
** threaded inside, so that the bits do not depend on the number of threads.
*/
#include <math.h>

#include "base/interrupt.h"
#include "kernel/math.h"
#include "kernel/unit.h"
#include "model/model.h"

enum { BLOCK_ROWS = 4096 };
enum { LINEAR = -1 }; /* for a side: neither is listed */

struct lrn_enumeration {
  lrn_rbm *d;   /* the model in double on the CPU */
  lrn_work *w;  /* of a block's rows */
  int side;     /* that is listed, or LINEAR */
  lrn_listing list;
  int64_t width; /* rows of a block */
  lrn_tensor *F;
  lrn_tensor *sums, *sum[LRN_PARAMETERS]; /* moments, as parameters: E[v h'] as W, E[v] as a, E[h] as b */
  lrn_tensor *inverse, *root; /* LINEAR: M^-1, and L^-1 where L L' = M */
  /* the moments as the model has its parameters */
  lrn_tensor *out, *part[LRN_PARAMETERS];
};

/* {=== States === */

int lrn_list_layer(lrn_listing *out, const lrn_layer *l) {
  *out = (lrn_listing){l->units / l->categories, l->categories > 1 ? l->categories : 2, l->categories, 1, 0, 1};
  if (!lrn_unit_can_flip(l->unit))
    return 0;
  lrn_unit_states(l->unit, &out->low, &out->high);
  for (int64_t i = 0; i < out->digits; i++) {
    if (out->states > LRN_MOST_STATES / out->base)
      return 0;
    out->states *= out->base;
  }
  return 1;
}

/* The layer that has fewer states, of those that can be listed, or LINEAR. */
static int listed_side(lrn_listing *out, const lrn_rbm *m) {
  lrn_layer visible_layer = lrn_layer_of(m, LRN_SIDE_VISIBLE), hidden_layer = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  lrn_listing v, h;
  int has_v = lrn_list_layer(&v, &visible_layer), has_h = lrn_list_layer(&h, &hidden_layer);
  int visible = has_v && (!has_h || v.states <= h.states);
  *out = visible ? v : h;
  return visible ? LRN_SIDE_VISIBLE : has_h ? LRN_SIDE_HIDDEN : LINEAR;
}

static int is_linear(const lrn_rbm *m) {
  return m->options.visible == LRN_UNIT_GAUSSIAN && m->options.hidden == LRN_UNIT_GAUSSIAN &&
         m->options.n_classes == 0;
}

int lrn_rbm_has_exact(const lrn_rbm *m) {
  lrn_listing l;
  if (m->options.up_scale != 1 || m->options.down_scale != 1 ||
      !lrn_unit_has_density(m->options.visible) || !lrn_unit_has_density(m->options.hidden))
    return 0;
  return listed_side(&l, m) != LINEAR || is_linear(m);
}

int lrn_check_density(const lrn_rbm *m, const char *f) {
  int visible = lrn_unit_has_density(m->options.visible), hidden = lrn_unit_has_density(m->options.hidden);
  if (m->options.up_scale != 1 || m->options.down_scale != 1)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: not defined for an RBM whose inputs are doubled, a part of a deep "
                    "Boltzmann machine", f);
  if (visible && hidden)
    return LRN_OK;
  return lrn_fail(LRN_EUNSUPPORTED, "%s: not defined for %s units, which are a rule without a density", f,
                  lrn_unit_name(visible ? m->options.hidden : m->options.visible));
}

int lrn_check_exact(const lrn_rbm *m, const char *f) {
  LRN_TRY(lrn_check_density(m, f));
  if (lrn_rbm_has_exact(m))
    return LRN_OK;
  return lrn_fail(LRN_EUNSUPPORTED, "%s: exact only where a layer has at most 2^24 states, such as at most "
                  "24 units of two states (n_visible %lld, n_hidden %lld), and for two Gaussian layers", f,
                  (long long)m->options.n_visible, (long long)m->options.n_hidden);
}

void lrn_write_state(double *s, const lrn_listing *l, int64_t code) {
  for (int64_t i = 0; i < l->digits; i++, code /= l->base) {
    int64_t digit = code % l->base;
    if (l->categories == 1)
      s[i] = digit ? l->high : l->low;
    else
      for (int64_t k = 0; k < l->categories; k++)
        s[i * l->categories + k] = k == digit;
  }
}

/* ===} */

/* C (rows x columns) = op(A) B + beta C, all contiguous doubles */
static int product(double *c, int64_t rows, int64_t columns, int64_t k, int transa, const double *a,
                   int transb, const double *b, double alpha, double beta) {
  return lrn_device_cpu()->backend.gemm(LRN_F64, transa, transb, rows, columns, k, alpha, a,
                                        transa ? rows : k, b, transb ? k : columns, beta, c, columns);
}

static double *doubles(const lrn_tensor *t) { return t->view.data; }

static void scale(const lrn_tensor *t, double factor) {
  double *x = doubles(t);
  for (int64_t i = 0, n = lrn_tensor_numel(t); i < n; i++)
    x[i] *= factor;
}

/* {=== Enumeration === */

/* The moments' share of a block, whose states s have the weights p, into the sums. */
static int add_block(lrn_enumeration *e, double *s, const double *p, int64_t rows) {
  int far = e->side == LRN_SIDE_VISIBLE ? LRN_SIDE_HIDDEN : LRN_SIDE_VISIBLE;
  double *q = far == LRN_SIDE_HIDDEN ? doubles(e->w->q) : doubles(e->w->v);
  int64_t V = e->d->options.n_visible, H = e->d->options.n_hidden;
  int64_t units = far == LRN_SIDE_HIDDEN ? V : H, others = far == LRN_SIDE_HIDDEN ? H : V;
  const double *v = far == LRN_SIDE_HIDDEN ? s : q, *h = far == LRN_SIDE_HIDDEN ? q : s;
  double *own = doubles(e->sum[far == LRN_SIDE_HIDDEN ? LRN_PARAMETER_A : LRN_PARAMETER_B]);
  double *other = doubles(e->sum[far == LRN_SIDE_HIDDEN ? LRN_PARAMETER_B : LRN_PARAMETER_A]);
  LRN_TRY(lrn_input(e->d, far, q, s, rows));
  LRN_TRY(lrn_activate(e->d, far, q, rows, q, NULL, (lrn_key){0}, NULL));
  LRN_TRY(product(own, 1, units, rows, 0, p, 0, s, 1, 1));
  LRN_TRY(product(other, 1, others, rows, 0, p, 0, q, 1, 1));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < units; i++)
      s[r * units + i] *= p[r];
  return product(doubles(e->sum[LRN_PARAMETER_W]), V, H, rows, 1, v, 0, h, 1, 1);
}

static int enumerate(lrn_enumeration *e, double *log_z, int moments) {
  double T = e->d->options.temperature, top = -(double)INFINITY, total = 0;
  double *s = e->side == LRN_SIDE_VISIBLE ? doubles(e->w->v) : doubles(e->w->q);
  int64_t units = lrn_layer_of(e->d, e->side).units;
  for (int64_t at = 0; at < e->list.states; at += e->width) {
    int64_t rows = e->list.states - at < e->width ? e->list.states - at : e->width;
    double *f = doubles(e->F), high = top, sum = 0;
    LRN_TRY(lrn_poll_held()); /* nothing that outlives this has changed so far */
    for (int64_t r = 0; r < rows; r++)
      lrn_write_state(s + r * units, &e->list, at + r);
    LRN_TRY(lrn_side_energy(e->d, e->w, e->side, f, s, rows));
    for (int64_t r = 0; r < rows; r++) {
      f[r] = -f[r] / T;
      high = f[r] > high ? f[r] : high;
    }
    if (high > top) { /* what was summed counts less */
      double factor = at == 0 ? 0 : lrn_exp(top - high);
      total *= factor;
      if (moments)
        scale(e->sums, factor);
      top = high;
    }
    for (int64_t r = 0; r < rows; r++) {
      f[r] = lrn_exp(f[r] - top);
      sum += f[r];
    }
    total += sum;
    if (moments)
      LRN_TRY(add_block(e, s, f, rows));
  }
  if (moments)
    scale(e->sums, 1 / total);
  *log_z = top + lrn_log(total);
  return LRN_OK;
}

/* ===} */

/* {=== Two Gaussian layers === */

/* M (n x n) = L L', L into its lower half; its logarithm of det M. 0 where M is not positive
   definite. */
static int cholesky(double *M, int64_t n, double *log_det) {
  *log_det = 0;
  for (int64_t j = 0; j < n; j++) {
    double *Lj = M + j * n, d = Lj[j];
    for (int64_t k = 0; k < j; k++)
      d -= Lj[k] * Lj[k];
    if (!(d > 1e-13))
      return 0;
    Lj[j] = sqrt(d);
    *log_det += 2 * lrn_log(Lj[j]);
    for (int64_t i = j + 1; i < n; i++) {
      double *Li = M + i * n, x = Li[j];
      for (int64_t k = 0; k < j; k++)
        x -= Li[k] * Lj[k];
      Li[j] = x / Lj[j];
    }
  }
  return 1;
}

/* Y = L^-1, both lower; by rows. */
static void invert_lower(double *Y, const double *L, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double *Yi = Y + i * n;
    for (int64_t j = 0; j < n; j++)
      Yi[j] = i == j;
    for (int64_t k = 0; k < i; k++) {
      const double *Yk = Y + k * n, x = L[i * n + k];
      for (int64_t j = 0; j <= k; j++)
        Yi[j] -= x * Yk[j];
    }
    for (int64_t j = 0; j <= i; j++)
      Yi[j] /= L[i * n + i];
  }
}

static int not_normal(const char *f) {
  return lrn_fail(LRN_EUNSUPPORTED, "%s: the model is no distribution: the weights are so large (a "
                  "singular value of W is 1 or more) that exp(-E) has no finite integral", f);
}

/* M = I - W'W or I - W W', of the smaller layer's size n, and its Cholesky factor in the lower half. */
static int factor(double *M, const lrn_rbm *d, int64_t n, double *log_det, const char *f) {
  int64_t V = d->options.n_visible, H = d->options.n_hidden;
  const double *W = doubles(d->parameter[LRN_PARAMETER_W]);
  LRN_TRY(product(M, n, n, H <= V ? V : H, H <= V, W, H > V, W, -1, 0));
  for (int64_t i = 0; i < n; i++)
    M[i * n + i] += 1;
  return cholesky(M, n, log_det) ? LRN_OK : not_normal(f);
}

static int linear(lrn_enumeration *e, double *log_z, int moments, const char *f) {
  const lrn_rbm *d = e->d;
  int64_t V = d->options.n_visible, H = d->options.n_hidden, n = H <= V ? H : V;
  int near = H <= V ? LRN_PARAMETER_B : LRN_PARAMETER_A, far = H <= V ? LRN_PARAMETER_A : LRN_PARAMETER_B;
  double T = d->options.temperature, log_det, quadratic = 0;
  const double *W = doubles(d->parameter[LRN_PARAMETER_W]), *a = doubles(d->parameter[LRN_PARAMETER_A]);
  const double *b = doubles(d->parameter[LRN_PARAMETER_B]);
  double *inverse = doubles(e->inverse), *root = doubles(e->root), *x = doubles(e->F);
  double *mean_near = doubles(e->sum[near]), *mean_far = doubles(e->sum[far]);
  double *cov = doubles(e->sum[LRN_PARAMETER_W]);
  LRN_TRY(lrn_poll_held());
  LRN_TRY(factor(inverse, d, n, &log_det, f));
  invert_lower(root, inverse, n);
  LRN_TRY(product(inverse, n, n, n, 1, root, 0, root, 1, 0));
  /* E[near] = M^-1 (own bias + the other through W); E[far] = its bias + E[near] through W */
  for (int64_t i = 0; i < n; i++)
    x[i] = (H <= V ? b : a)[i];
  LRN_TRY(H <= V ? product(x, 1, H, V, 0, a, 0, W, 1, 1) : product(x, 1, V, H, 0, b, 1, W, 1, 1));
  LRN_TRY(product(mean_near, 1, n, n, 0, x, 0, inverse, 1, 0));
  LRN_TRY(lrn_tensor_copy(e->sum[far], d->parameter[far]));
  LRN_TRY(H <= V ? product(mean_far, 1, V, H, 0, mean_near, 1, W, 1, 1)
                 : product(mean_far, 1, H, V, 0, mean_near, 0, W, 1, 1));
  for (int64_t i = 0; i < V; i++)
    quadratic += a[i] * doubles(e->sum[LRN_PARAMETER_A])[i];
  for (int64_t j = 0; j < H; j++)
    quadratic += b[j] * doubles(e->sum[LRN_PARAMETER_B])[j];
  *log_z = (double)(V + H) * (LRN_LOG_SQRT_2PI + 0.5 * lrn_log(T)) - 0.5 * log_det +
           0.5 * quadratic / T;
  if (!moments)
    return LRN_OK;
  LRN_TRY(H <= V ? product(cov, V, H, H, 0, W, 0, inverse, T, 0)
                 : product(cov, V, H, V, 0, inverse, 0, W, T, 0));
  return product(cov, V, H, 1, 0, doubles(e->sum[LRN_PARAMETER_A]), 0, doubles(e->sum[LRN_PARAMETER_B]),
                 1, 1);
}

int lrn_rbm_check_integrable(const lrn_rbm *m) {
  lrn_layer v = lrn_layer_of(m, LRN_SIDE_VISIBLE), h = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  int64_t n = v.units < h.units ? v.units : h.units, size[2] = {n, n};
  lrn_tensor *M = NULL;
  lrn_rbm *d = NULL;
  double log_det;
  int st;
  LRN_TRY(lrn_check_density(m, "model"));
  if (lrn_unit_can_flip(v.unit) || lrn_unit_can_flip(h.unit))
    return LRN_OK;
  LRN_GO(lrn_rbm_plain(&d, m, LRN_F64, NULL));
  LRN_GO(lrn_tensor_new(&M, LRN_F64, 2, size, NULL));
  st = factor(doubles(M), d, n, &log_det, "model");
done:
  lrn_tensor_free(M);
  lrn_rbm_free(d);
  return st;
}

/* ===} */

void lrn_enumeration_free(lrn_enumeration *e) {
  if (e == NULL)
    return;
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    lrn_tensor_free(e->sum[i]);
    lrn_tensor_free(e->part[i]);
  }
  lrn_tensor_free(e->sums);
  lrn_tensor_free(e->out);
  lrn_tensor_free(e->F);
  lrn_tensor_free(e->inverse);
  lrn_tensor_free(e->root);
  lrn_work_free(e->w);
  lrn_rbm_free(e->d);
  lrn_free(e);
}

int lrn_enumeration_new(lrn_enumeration **out, const lrn_rbm *m, int moments, const char *f) {
  lrn_enumeration *e = NULL;
  int64_t V = m->options.n_visible, H = m->options.n_hidden, n = V < H ? V : H, square[2] = {n, n};
  lrn_rbm_options as_parameters;
  void *memory;
  int st;
  LRN_TRY(lrn_check_exact(m, f));
  if (moments && m->options.n_classes > 0)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: not for a model with labels", f);
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *e, f));
  e = memory;
  e->side = listed_side(&e->list, m);
  e->width = e->side == LINEAR ? n : e->list.states < BLOCK_ROWS ? e->list.states : BLOCK_ROWS;
  LRN_GO(lrn_rbm_plain(&e->d, m, LRN_F64, NULL));
  LRN_GO(lrn_tensor_new(&e->F, LRN_F64, 1, &e->width, NULL));
  if (moments || e->side == LINEAR)
    LRN_GO(lrn_parameter_buffer(&e->sums, e->sum, &e->d->options));
  as_parameters = e->d->options;
  as_parameters.dtype = m->options.dtype;
  as_parameters.device = m->options.device;
  if (moments)
    LRN_GO(lrn_parameter_buffer(&e->out, e->part, &as_parameters));
  if (e->side == LINEAR) {
    LRN_GO(lrn_tensor_new(&e->inverse, LRN_F64, 2, square, NULL));
    LRN_GO(lrn_tensor_new(&e->root, LRN_F64, 2, square, NULL));
  } else
    LRN_GO(lrn_work_new(&e->w, e->d, e->width, 0));
  *out = e;
  e = NULL;
done:
  lrn_enumeration_free(e);
  return st;
}

int lrn_enumerate(lrn_enumeration *e, const lrn_rbm *m, double *log_z, int moments, const char *f) {
  LRN_TRY(lrn_plain_again(e->d, m));
  if (moments)
    LRN_TRY(lrn_tensor_fill(e->sums, 0));
  LRN_TRY(e->side == LINEAR ? linear(e, log_z, moments, f) : enumerate(e, log_z, moments));
  return moments ? lrn_tensor_copy(e->out, e->sums) : LRN_OK;
}

const lrn_tensor *lrn_enumerated(const lrn_enumeration *e) { return e->out; }

size_t lrn_enumeration_bytes(const lrn_enumeration *e) {
  const lrn_tensor *const all[] = {e->sums, e->out, e->F, e->inverse, e->root, e->d->theta};
  size_t bytes = e->w != NULL ? lrn_work_bytes(e->w) : 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    bytes += all[i] != NULL ? lrn_tensor_storage_bytes(all[i]) : 0;
  return bytes;
}

/* {=== Public === */

int lrn_volume(double *log_volume, const lrn_rbm *m) {
  lrn_rbm *d = NULL;
  LRN_TRY(lrn_rbm_double(&d, m));
  *log_volume = lrn_log_volume(d);
  lrn_rbm_free(d);
  return LRN_OK;
}

int lrn_rbm_log_partition(const lrn_rbm *m, double *log_z) {
  lrn_enumeration *e = NULL;
  double volume;
  int st;
  LRN_GO(lrn_enumeration_new(&e, m, 0, "log_partition"));
  LRN_GO(lrn_volume(&volume, m));
  LRN_GO(lrn_enumerate(e, m, log_z, 0, "log_partition"));
  *log_z += volume;
done:
  lrn_enumeration_free(e);
  return st;
}

/* Moments of v from those of v / sigma. */
static int widen(lrn_enumeration *e, const lrn_rbm *m) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden;
  double *vh = doubles(e->sum[LRN_PARAMETER_W]), *v = doubles(e->sum[LRN_PARAMETER_A]);
  lrn_tensor *narrow = NULL;
  LRN_TRY(lrn_narrow(&narrow, e->d, m));
  for (int64_t i = 0; i < V; i++) {
    double one = doubles(narrow)[i];
    v[i] /= one;
    for (int64_t j = 0; j < H; j++)
      vh[i * H + j] /= one;
  }
  lrn_tensor_free(narrow);
  return LRN_OK;
}

int lrn_rbm_moments(const lrn_rbm *m, double *log_z, lrn_tensor *vh, lrn_tensor *v, lrn_tensor *h) {
  const struct {
    lrn_tensor *to;
    int which;
    const char *name;
  } outputs[] = {{vh, LRN_PARAMETER_W, "vh"}, {v, LRN_PARAMETER_A, "v"}, {h, LRN_PARAMETER_B, "h"}};
  lrn_enumeration *e = NULL;
  char text[LRN_SHAPE_MAX];
  double z, volume;
  int st;
  LRN_GO(lrn_enumeration_new(&e, m, 1, "moments"));
  for (int i = 0; i < 3; i++) {
    const lrn_tensor *to = outputs[i].to;
    int64_t n = lrn_tensor_numel(e->sum[outputs[i].which]);
    if (to != NULL && (to->view.dtype != LRN_F64 || to->storage->device != lrn_device_cpu() ||
                       !lrn_tensor_is_contiguous(to) || lrn_tensor_numel(to) != n)) {
      st = lrn_fail(LRN_ESHAPE, "moments: %s: got %s, expected a contiguous float64 tensor of %lld values "
                    "on cpu", outputs[i].name, lrn_tensor_text(text, to), (long long)n);
      goto done;
    }
    if (to != NULL)
      LRN_GO(lrn_check_writable(to, "moments"));
  }
  LRN_GO(lrn_volume(&volume, m));
  LRN_GO(lrn_enumerate(e, m, &z, 1, "moments"));
  if (m->options.variance)
    LRN_GO(widen(e, m));
  for (int i = 0; i < 3; i++)
    if (outputs[i].to != NULL) {
      lrn_view from = lrn_flat_view(LRN_F64, e->sum[outputs[i].which]->view.data,
                                    lrn_tensor_numel(outputs[i].to));
      lrn_view to = lrn_flat_view(LRN_F64, outputs[i].to->view.data, from.size[0]);
      LRN_GO(lrn_copy_views(lrn_device_cpu(), &to, &from));
    }
  if (log_z != NULL)
    *log_z = z + volume;
done:
  lrn_enumeration_free(e);
  return st;
}

/* ===} */
