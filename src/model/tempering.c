/*
** tempering.c - chains at several temperatures at once, which exchange their states (parallel tempering:
** Geyer 1991; of RBMs Desjardins et al. 2010, Cho, Raiko and Ilin 2010).
**
** Rung r of R samples the model with the parameters of  beta E + (1 - beta) E0,  as ais.c has them: beta W,
** beta b, (1 - beta) a0 + beta a (and beta U, beta c of a label), beta falling from 1 to 0. E0 is a model
** without weights, which one sweep samples exactly; with a0 the biases of the data's means it is nearer to
** the model than the uniform one that a temperature for all of E ends at, so that fewer rungs do.
**
** The states of all rungs lie one rung after the other, n rows each: the first n are those of the model, and
** one product serves all. A sweep is v | h, x = v W, swaps of neighbours, h | x. Swaps are of v, with h
** summed out: two rungs exchange their rows with probability min(1, exp(g)),
**
**   g = (F_r(v_r) + F_s(v_s) - F_r(v_s) - F_s(v_r)) / T
**
** which is never less often on average than with h given. Pairs (1, 2), (3, 4), ... and (2, 3), (4, 5), ...
** take turns (which makes the way of a state through the ladder less of a random walk: Syed et al. 2022).
**
** The ladder adapts: with r_i the share of refused swaps of pair i, betas move to where their running sum has
** equal steps (Syed et al. 2022, section 5.1), piecewise linearly between the old ones. That is done after 32,
** 64, 128, ... rounds, from the mean acceptance of the rounds since: ever more rarely, so that in the limit the
** chains are those of a fixed ladder (Roberts and Rosenthal 2007), and by a function of what was drawn alone.
*/
#include <math.h>
#include <string.h>

#include "model/model.h"

/* Rows of l->table, a beta a rung: its own; that of its partner less its own, and its partner's, when
   pairs begin at the first rung, and at the second one. */
enum { OWN, CHANGE, PARTNER = CHANGE + 2, ROWS_OF_TABLE = PARTNER + 2 };
/* Rows of l->rate: sums since l->since, means before it, and room for what is added. */
enum { SUMS, MEANS, ROOM, ROWS_OF_RATE };
enum { FIRST_ROUNDS = 32 }; /* after which the ladder is adapted for the first time */

/* A pair that is never refused counts so much in the sum, so that no beta meets another. */
static const double LEAST = 1e-3;

/* {=== Views === */

static lrn_view cube(int dtype, const void *data, int64_t rungs, int64_t stride, int64_t chains, int64_t units) {
  lrn_view v = {.data = (void *)(uintptr_t)data, .dtype = dtype, .nd = 3, .size = {rungs, chains, units},
                .stride = {stride, units, 1}};
  return v;
}

/* A value of each rung, for all of its rows. */
static lrn_view of_rungs(const lrn_ladder *l, int row, int64_t units) {
  lrn_view v = cube(l->table->view.dtype, lrn_row(l->table, row), l->rungs, 1, l->chains, units);
  v.stride[1] = v.stride[2] = 0;
  return v;
}

/* Elements `units` wide of every other rung from number `first` on, `pairs` of them. */
static lrn_view every_other(const lrn_ladder *l, const void *data, int dtype, int64_t first, int64_t pairs,
                            int64_t units) {
  int64_t rung = l->chains * units;
  const char *at = (const char *)data + first * rung * (int64_t)lrn_dtype_size(dtype);
  return cube(dtype, at, pairs, 2 * rung, l->chains, units);
}

static int map2(const lrn_rbm *m, int op, const lrn_view *out, const lrn_view *a, const lrn_view *b) {
  lrn_operand in[2] = {{.view = *a}, {.view = *b}};
  return m->options.device->backend.map(op, a->dtype, out, in, 2);
}

/* out = (x + a row) times the rungs' values of one row of the table; out may be x; row NULL: 0. */
static int scaled(const lrn_ladder *l, const lrn_rbm *m, void *out, const void *x, const void *row, int beta,
                  int64_t units) {
  int dtype = m->options.dtype;
  int64_t n = l->rungs * l->chains;
  lrn_view to = lrn_rows_view(dtype, out, n, units), from = to, each = to, all, factor;
  from.data = (void *)(uintptr_t)x;
  each.data = (void *)(uintptr_t)row;
  each.stride[0] = 0;
  if (row != NULL) {
    LRN_TRY(map2(m, LRN_OP_add, &to, &from, &each));
    from.data = out;
  }
  all = cube(dtype, out, l->rungs, l->chains * units, l->chains, units);
  factor = of_rungs(l, beta, units);
  each = all;
  each.data = from.data;
  return map2(m, LRN_OP_mul, &all, &each, &factor);
}

/* ===} */

/* {=== Ladders === */

static double *betas(const lrn_ladder *l) { return l->beta->view.data; }

static void put_number(lrn_tensor *t, int64_t i, double x) {
  if (t->view.dtype == LRN_F32)
    ((float *)t->view.data)[i] = (float)x;
  else
    ((double *)t->view.data)[i] = x;
}

/* The table as the betas have it, on the device. */
static int upload_table(lrn_ladder *l) {
  const double *beta = betas(l);
  int64_t R = l->rungs;
  lrn_tensor *host = l->host;
  for (int64_t r = 0; r < R; r++) {
    put_number(host, OWN * R + r, beta[r]);
    for (int parity = 0; parity < 2; parity++) {
      int64_t partner = r < parity ? r : (r - parity) % 2 == 0 ? r + 1 : r - 1;
      if (partner >= R)
        partner = r;
      put_number(host, (CHANGE + parity) * R + r, beta[partner] - beta[r]);
      put_number(host, (PARTNER + parity) * R + r, beta[partner]);
    }
  }
  return l->table->storage->device->backend.upload(
    l->table->view.data, host->view.data,
    (size_t)(ROWS_OF_TABLE * R) * lrn_dtype_size(host->view.dtype));
}

static int vector(lrn_tensor **out, int dtype, int64_t n, const lrn_device *device) {
  LRN_TRY(lrn_tensor_new(out, dtype, 1, &n, device));
  return lrn_tensor_fill(*out, 0);
}

int lrn_ladder_new(lrn_ladder **out, const lrn_rbm *m, int64_t rungs, int64_t chains) {
  const lrn_rbm_options *o = &m->options;
  int64_t V = o->n_visible, H = o->n_hidden, C = o->n_classes, rows = rungs * chains;
  int64_t widest = V > H ? V : H, size[2] = {rows, widest};
  void *memory;
  lrn_ladder *l;
  int st;
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *l, "ladder"));
  l = memory;
  l->rungs = rungs;
  l->chains = chains;
  widest = widest > C ? widest : C;
  size[1] = widest;
  LRN_GO(vector(&l->beta, LRN_F64, rungs, NULL));
  LRN_GO(vector(&l->base, o->dtype, V, o->device));
  LRN_GO(vector(&l->zero, o->dtype, widest, o->device));
  for (int i = 0; i < 2; i++) {
    LRN_GO(vector(&l->change[i], o->dtype, V, o->device));
    LRN_GO(lrn_tensor_new(&l->part[i], o->dtype, 2, size, o->device));
  }
  for (int i = 0; i < LRN_LADDER_NUMBERS; i++)
    LRN_GO(vector(&l->number[i], o->dtype, rows, o->device));
  LRN_GO(vector(&l->accepted, LRN_BOOL, rows, o->device));
  size[0] = ROWS_OF_TABLE;
  size[1] = rungs;
  LRN_GO(lrn_tensor_new(&l->table, o->dtype, 2, size, o->device));
  LRN_GO(lrn_tensor_new(&l->host, o->dtype, 2, size, NULL));
  size[0] = ROWS_OF_RATE;
  size[1] = rungs - 1;
  LRN_GO(lrn_tensor_new(&l->rate, LRN_F64, 2, size, o->device));
  LRN_GO(lrn_tensor_new(&l->seen, LRN_F64, 2, size, NULL));
  LRN_GO(lrn_ladder_reset(l, NULL));
  *out = l;
  l = NULL;
done:
  lrn_ladder_free(l);
  return st;
}

static int each_tensor(const lrn_ladder *l, lrn_tensor *out[]) {
  int n = 0;
  lrn_tensor *const all[] = {l->beta, l->base, l->zero, l->change[0], l->change[1], l->part[0], l->part[1],
                             l->accepted, l->table, l->host, l->rate, l->seen};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    out[n++] = all[i];
  for (int i = 0; i < LRN_LADDER_NUMBERS; i++)
    out[n++] = l->number[i];
  return n;
}
enum { MOST_TENSORS = 12 + LRN_LADDER_NUMBERS };

void lrn_ladder_free(lrn_ladder *l) {
  lrn_tensor *all[MOST_TENSORS];
  int n;
  if (l == NULL)
    return;
  n = each_tensor(l, all);
  for (int i = 0; i < n; i++)
    lrn_tensor_free(all[i]);
  lrn_free(l);
}

size_t lrn_ladder_bytes(const lrn_ladder *l) {
  lrn_tensor *all[MOST_TENSORS];
  int n = each_tensor(l, all);
  size_t bytes = 0;
  for (int i = 0; i < n; i++)
    bytes += lrn_tensor_storage_bytes(all[i]);
  return bytes;
}

int lrn_ladder_set(lrn_ladder *l, const double *beta) {
  int64_t R = l->rungs;
  int good = beta[0] == 1 && beta[R - 1] == 0;
  for (int64_t r = 1; r < R; r++)
    good = good && beta[r] < beta[r - 1];
  if (!good)
    return lrn_fail(LRN_EVALUE, "ladder: expected values that fall from 1 to 0");
  memcpy(betas(l), beta, (size_t)R * sizeof *beta);
  return upload_table(l);
}

int lrn_ladder_restart(lrn_ladder *l) {
  l->since = l->swaps;
  return lrn_tensor_fill(l->rate, 0);
}

int lrn_ladder_reset(lrn_ladder *l, const double *beta) {
  int64_t R = l->rungs;
  l->swaps = 0;
  LRN_TRY(lrn_ladder_restart(l));
  if (beta != NULL)
    return lrn_ladder_set(l, beta);
  for (int64_t r = 0; r < R; r++)
    betas(l)[r] = 1 - (double)r / (double)(R - 1);
  return upload_table(l);
}

/* How often pair i was asked in the rounds from l->since on. */
static int64_t times_asked(const lrn_ladder *l, int64_t i) {
  uint64_t odd = (uint64_t)(i % 2);
  return (int64_t)((l->swaps + 1 - odd) / 2 - (l->since + 1 - odd) / 2);
}

int lrn_ladder_rates(const lrn_ladder *l, double *rate) {
  int64_t pairs = l->rungs - 1;
  double *seen = l->seen->view.data;
  size_t bytes = (size_t)(ROOM * pairs) * sizeof *seen;
  int early = l->since > 0 && l->swaps - l->since < FIRST_ROUNDS / 2; /* those before say more */
  LRN_TRY(l->rate->storage->device->backend.download(seen, l->rate->view.data, bytes));
  for (int64_t i = 0; i < pairs; i++) {
    int64_t n = times_asked(l, i);
    rate[i] = early && seen[MEANS * pairs + i] > 0 ? seen[MEANS * pairs + i]
              : n > 0                              ? seen[SUMS * pairs + i] / (double)n
                                                   : (double)NAN;
  }
  return LRN_OK;
}

/* Betas to where the refusals of all pairs are alike. */
static int adapt(lrn_ladder *l) {
  int64_t pairs = l->rungs - 1, i = 0;
  double *beta = betas(l), *seen = l->seen->view.data, *refused = seen + MEANS * pairs, *old = seen;
  double total = 0, below = 0;
  LRN_TRY(lrn_ladder_rates(l, refused));
  for (int64_t k = 0; k < pairs; k++)
    if (!isfinite(refused[k]))
      return lrn_ladder_restart(l); /* training has diverged, which the step itself says */
  memcpy(seen, refused, (size_t)pairs * sizeof *seen); /* SUMS of the copy: 0, MEANS: the rates */
  memset(seen, 0, (size_t)pairs * sizeof *seen);
  LRN_TRY(l->rate->storage->device->backend.upload(l->rate->view.data, seen,
                                                   (size_t)(ROOM * pairs) * sizeof *seen));
  l->since = l->swaps;
  for (int64_t k = 0; k < pairs; k++) {
    refused[k] = 1 - refused[k] > LEAST ? 1 - refused[k] : LEAST;
    total += refused[k];
    old[k] = beta[k];
  }
  for (int64_t r = 1; r < pairs; r++) {
    double want = total * (double)r / (double)pairs, next;
    while (i < pairs - 1 && below + refused[i] < want)
      below += refused[i++];
    next = i + 1 < pairs ? old[i + 1] : 0;
    beta[r] = old[i] + (next - old[i]) * (want - below) / refused[i];
  }
  return upload_table(l);
}

int lrn_ladder_begin(lrn_ladder *l, const lrn_rbm *m) {
  lrn_view a = m->parameter[LRN_PARAMETER_A]->view, precision = a;
  LRN_TRY(map2(m, LRN_OP_sub, &l->change[0]->view, &a, &l->base->view));
  if (m->precision == NULL)
    return LRN_OK;
  precision.data = (void *)(uintptr_t)m->precision;
  return map2(m, LRN_OP_mul, &l->change[1]->view, &l->change[0]->view, &precision);
}

/* ===} */

/* {=== A sweep === */

/* The model whose biases are those that no beta is on. */
static lrn_rbm without_biases(const lrn_ladder *l, const lrn_rbm *m) {
  lrn_rbm base = *m;
  base.parameter[LRN_PARAMETER_A] = l->base;
  base.parameter[LRN_PARAMETER_B] = base.parameter[LRN_PARAMETER_C] = l->zero;
  return base;
}

int lrn_ladder_visible(const lrn_ladder *l, const lrn_rbm *m, void *v, void *mean, const void *h, lrn_key key) {
  int64_t V = m->options.n_visible, rows = l->rungs * l->chains;
  lrn_rbm base = without_biases(l, m);
  void *u = l->part[0]->view.data;
  LRN_TRY(lrn_input(m, LRN_SIDE_VISIBLE, u, h, rows));
  LRN_TRY(scaled(l, m, u, u, l->change[0]->view.data, OWN, V));
  if (mean != NULL)
    LRN_TRY(lrn_activate(&base, LRN_SIDE_VISIBLE, u, l->chains, mean, NULL, key, NULL));
  return lrn_activate(&base, LRN_SIDE_VISIBLE, u, rows, NULL, v, key, NULL);
}

int lrn_ladder_label(const lrn_ladder *l, const lrn_rbm *m, void *y, const void *h, lrn_key key) {
  int64_t C = m->options.n_classes, rows = l->rungs * l->chains;
  lrn_rbm base = without_biases(l, m);
  if (C == 0)
    return LRN_OK;
  LRN_TRY(lrn_label_input(m, y, h, rows));
  LRN_TRY(scaled(l, m, y, y, m->parameter[LRN_PARAMETER_C]->view.data, OWN, C));
  return lrn_label_states(&base, y, rows, NULL, y, key);
}

int lrn_ladder_hidden(const lrn_ladder *l, const lrn_rbm *m, void *h, const void *x, lrn_key key) {
  lrn_layer hidden = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  lrn_rbm base = without_biases(l, m);
  void *t = l->part[0]->view.data;
  LRN_TRY(scaled(l, m, t, x, hidden.bias, OWN, hidden.units));
  return lrn_activate(&base, LRN_SIDE_HIDDEN, t, l->rungs * l->chains, NULL, h, key, NULL);
}

/* sum = (add ? sum : 0) + x . (a row) / T, for each row */
static int dot(const lrn_ladder *l, const lrn_rbm *m, lrn_view *sum, int add, const void *x, const void *row,
               int64_t units) {
  lrn_view to = *sum, xv = lrn_rows_view(sum->dtype, x, sum->size[0], units), rv = xv;
  rv.data = (void *)(uintptr_t)row;
  rv.stride[0] = 0;
  if (add)
    to.data = l->number[2]->view.data;
  LRN_TRY(m->options.device->backend.reduce(LRN_RED_dot, &to, &xv, &rv, 1, m->options.temperature));
  return add ? map2(m, LRN_OP_add, sum, sum, &to) : LRN_OK;
}

/* (F_own(v) - F_partner(v)) / T of all rows into number[0]. */
static int log_ratios(const lrn_ladder *l, const lrn_rbm *m, const void *v, const void *y, const void *x,
                      int parity) {
  lrn_layer hidden = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  int64_t H = hidden.units, rows = l->rungs * l->chains;
  int dtype = m->options.dtype;
  void *own = l->part[0]->view.data, *partner = l->part[1]->view.data;
  const lrn_tensor *change = l->change[m->precision != NULL];
  lrn_view g = lrn_flat_view(dtype, l->number[0]->view.data, rows), linear = g, factor, all;
  lrn_view A_own = lrn_rows_view(dtype, own, rows, H), A_partner = A_own;
  linear.data = l->number[1]->view.data;
  A_partner.data = partner;
  LRN_TRY(scaled(l, m, own, x, hidden.bias, OWN, H));
  LRN_TRY(scaled(l, m, partner, x, hidden.bias, PARTNER + parity, H));
  LRN_TRY(lrn_map_units(m, LRN_SIDE_HIDDEN, LRN_UNIT_CUMULANT, own, own, rows));
  LRN_TRY(lrn_map_units(m, LRN_SIDE_HIDDEN, LRN_UNIT_CUMULANT, partner, partner, rows));
  LRN_TRY(m->options.device->backend.reduce(LRN_RED_diff, &g, &A_partner, &A_own, 1,
                                            m->options.temperature));
  LRN_TRY(dot(l, m, &linear, 0, v, change->view.data, m->options.n_visible));
  if (y != NULL)
    LRN_TRY(dot(l, m, &linear, 1, y, m->parameter[LRN_PARAMETER_C]->view.data, m->options.n_classes));
  all = cube(dtype, linear.data, l->rungs, l->chains, l->chains, 1);
  factor = of_rungs(l, CHANGE + parity, 1);
  LRN_TRY(map2(m, LRN_OP_mul, &all, &all, &factor));
  return map2(m, LRN_OP_add, &g, &g, &linear);
}

/* Rows `units` wide of accepted pairs change places; through part[0]. */
static int exchange(const lrn_ladder *l, const lrn_rbm *m, void *x, int64_t pairs, int parity, int64_t units) {
  const lrn_backend *b = &m->options.device->backend;
  int dtype = m->options.dtype;
  lrn_view low = every_other(l, x, dtype, parity, pairs, units);
  lrn_view high = every_other(l, x, dtype, parity + 1, pairs, units);
  lrn_view room = cube(dtype, l->part[0]->view.data, pairs, l->chains * units, l->chains, units);
  lrn_view yes = cube(LRN_BOOL, l->accepted->view.data, pairs, l->chains, l->chains, units);
  lrn_operand in[3] = {{.view = yes}, {.view = high}, {.view = low}}, kept = {.view = room};
  if (x == NULL)
    return LRN_OK;
  in[0].view.stride[1] = 1;
  in[0].view.stride[2] = 0;
  LRN_TRY(b->map(LRN_OP_where, dtype, &room, in, 3));
  in[1].view = low;
  in[2].view = high;
  LRN_TRY(b->map(LRN_OP_where, dtype, &high, in, 3));
  return b->map(LRN_OP_COPY, dtype, &low, &kept, 1);
}

/* Which pairs change places, from the rows' log ratios; their probabilities join the rates. */
static int decide(const lrn_ladder *l, const lrn_rbm *m, int64_t pairs, int parity, lrn_key key) {
  const lrn_backend *b = &m->options.device->backend;
  int dtype = m->options.dtype;
  int64_t n = l->chains;
  lrn_view g_low = every_other(l, l->number[0]->view.data, dtype, parity, pairs, 1);
  lrn_view g_high = every_other(l, l->number[0]->view.data, dtype, parity + 1, pairs, 1);
  lrn_view p = lrn_rows_view(dtype, l->number[1]->view.data, pairs, n), p3 = cube(dtype, p.data, pairs, n, n, 1);
  lrn_view u = lrn_flat_view(dtype, l->number[2]->view.data, pairs * n), flat = u;
  lrn_view yes = lrn_flat_view(LRN_BOOL, l->accepted->view.data, pairs * n);
  lrn_view mean = lrn_flat_view(dtype, u.data, pairs);
  lrn_view sums = lrn_flat_view(LRN_F64, (double *)lrn_row(l->rate, SUMS) + parity, pairs);
  lrn_view wide = lrn_flat_view(LRN_F64, lrn_row(l->rate, ROOM), pairs);
  lrn_operand at_most[2] = {{.view = p}, {.is_scalar = 1}}, one = {.view = p};
  sums.stride[0] = 2;
  flat.data = p.data;
  LRN_TRY(map2(m, LRN_OP_add, &p3, &g_low, &g_high));
  LRN_TRY(b->map(LRN_OP_minimum, dtype, &p, at_most, 2));
  LRN_TRY(b->map(LRN_OP_exp, dtype, &p, &one, 1));
  LRN_TRY(b->random(&u, LRN_UNIFORM, 0, 1, key));
  LRN_TRY(map2(m, LRN_OP_lt, &yes, &u, &flat));
  LRN_TRY(b->reduce(LRN_RED_sum, &mean, &p, NULL, 1, (double)n));
  one.view = mean;
  LRN_TRY(b->map(LRN_OP_COPY, LRN_F64, &wide, &one, 1));
  return map2(m, LRN_OP_add, &sums, &sums, &wide);
}

int lrn_ladder_swap(lrn_ladder *l, const lrn_rbm *m, void *v, void *y, int y_moves, void *x, lrn_key key,
                    int adapts) {
  const lrn_rbm_options *o = &m->options;
  int parity = (int)(l->swaps % 2);
  int64_t pairs = (l->rungs - parity) / 2;
  if (pairs > 0) {
    LRN_TRY(log_ratios(l, m, v, y, x, parity));
    LRN_TRY(decide(l, m, pairs, parity, key));
    LRN_TRY(exchange(l, m, v, pairs, parity, o->n_visible));
    LRN_TRY(exchange(l, m, y_moves ? y : NULL, pairs, parity, o->n_classes));
    LRN_TRY(exchange(l, m, x, pairs, parity, o->n_hidden));
  }
  l->swaps++;
  return adapts && l->swaps >= FIRST_ROUNDS && (l->swaps & (l->swaps - 1)) == 0 ? adapt(l) : LRN_OK;
}

/* ===} */
