/*
** dbm_field.c - mean field: the product distribution q(h) = prod_j q(h_j) over the hidden units that is
** nearest to P(h | v), and the bound on log p(v) that follows from it.
**
**   mu_l = A'(mu_(l-1) W_l + mu_(l+1) W_(l+1)' + b_l),   mu_0 = v
**
** The odd layers are updated given the even ones, then the even ones: with the others fixed either half
** is the exact maximum of the bound over these means, so that it rises with every half and nothing has
** to be damped. The start is a pass upwards with doubled inputs, which stand for the layer above that
** has said nothing yet (Salakhutdinov and Hinton 2009). A row stays where it is once none of its means
** has moved by more than `tolerance` in a turn, so that it does not depend on its neighbours.
**
**   log p(v) >= E_q[-E / T] + H(q) - log Z = -F_q(v) / T - log Z
**   F_q(v) = self(v) - a.v - sum_(l odd) A(x_l) - sum_(l even, l > 0) (A(x_l) - (x_l - b_l).mu_l)
**
** where x_l are the inputs that mu_l = A'(x_l) were made of and those of the odd layers come from the
** means of the even ones. With one hidden layer F_q is the free energy.
*/
#include "base/interrupt.h"
#include "model/dbm.h"

static int map3(const lrn_dbm *m, int op, const lrn_view *out, lrn_operand a, lrn_operand b, lrn_operand c,
                int n) {
  lrn_operand in[3] = {a, b, c};
  return m->pair[0]->options.device->backend.map(op, m->pair[0]->options.dtype, out, in, n);
}
static lrn_operand of_view(lrn_view v) { return (lrn_operand){.view = v}; }
static lrn_operand number(double d) { return (lrn_operand){.is_scalar = 1, .d = d}; }

/* The input of a hidden layer from the means of its neighbours. */
static int input(const lrn_dbm *m, const lrn_dbm_work *w, int l, void *x, int64_t n) {
  return lrn_dbm_input(m, l, x, lrn_dbm_rows(w, l - 1)->view.data,
                       l < m->layers ? lrn_dbm_rows(w, l + 1)->view.data : NULL,
                       l == 1 ? w->first->view.data : NULL, n, 1);
}

/* New means of a layer for the rows that are active; `moved` takes in how far they are from the old. */
static int renew(const lrn_dbm *m, lrn_dbm_work *w, int l, int64_t n) {
  int dtype = m->pair[0]->options.dtype;
  void *x = lrn_dbm_spare(w, l), *mu = lrn_dbm_rows(w, l)->view.data;
  lrn_view new = lrn_rows_view(dtype, x, n, m->units[l]), old = lrn_rows_view(dtype, mu, n, m->units[l]);
  lrn_view off = lrn_rows_view(dtype, lrn_dbm_states(w, l), n, m->units[l]);
  lrn_view move = lrn_flat_view(dtype, w->move->view.data, n), moved = move;
  lrn_view active = lrn_rows_view(LRN_BOOL, w->active->view.data, n, m->units[l]);
  moved.data = w->moved->view.data;
  active.stride[0] = 1;
  active.stride[1] = 0;
  LRN_TRY(input(m, w, l, x, n));
  LRN_TRY(lrn_dbm_activate(m, l, x, n, x, NULL, (lrn_key){0}, NULL));
  LRN_TRY(map3(m, LRN_OP_sub, &off, of_view(new), of_view(old), number(0), 2));
  LRN_TRY(map3(m, LRN_OP_abs, &off, of_view(off), number(0), number(0), 1));
  LRN_TRY(m->pair[0]->options.device->backend.reduce(LRN_RED_max, &move, &off, NULL, 1, 1));
  LRN_TRY(map3(m, LRN_OP_maximum, &moved, of_view(moved), of_view(move), number(0), 2));
  return map3(m, LRN_OP_where, &old, of_view(active), of_view(new), of_view(old), 3);
}

/* Which rows are still to be renewed; *some: whether there is one. */
static int look(const lrn_dbm *m, lrn_dbm_work *w, int64_t n, int *some) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  lrn_view moved = lrn_flat_view(o->dtype, w->moved->view.data, n);
  lrn_view active = lrn_flat_view(LRN_BOOL, w->active->view.data, n);
  lrn_view most = {.data = w->most->view.data, .dtype = o->dtype};
  int64_t zero = 0;
  double largest;
  LRN_TRY(map3(m, LRN_OP_where, &moved, of_view(active), of_view(moved), number(0), 3));
  LRN_TRY(map3(m, LRN_OP_gt, &active, of_view(moved), number(o->tolerance), number(0), 2));
  LRN_TRY(o->device->backend.reduce(LRN_RED_max, &most, &moved, NULL, 0, 1));
  LRN_TRY(lrn_tensor_get(&largest, w->most, &zero));
  *some = largest > o->tolerance;
  return LRN_OK;
}

int lrn_dbm_field(const lrn_dbm *m, lrn_dbm_work *w, int64_t n) {
  const lrn_rbm_options *o = &m->pair[0]->options;
  lrn_view moved = lrn_flat_view(o->dtype, w->moved->view.data, n);
  lrn_view active = lrn_flat_view(LRN_BOOL, w->active->view.data, n);
  lrn_operand none = number(0), all = {.is_scalar = 1, .d = 1, .i = 1};
  LRN_TRY(lrn_dbm_input(m, 1, w->first->view.data, w->pair[0]->v->view.data, NULL, NULL, n, 1));
  if (m->layers == 1)
    return LRN_OK;
  for (int l = 1; l <= m->layers; l++) {
    void *mu = lrn_dbm_rows(w, l)->view.data;
    LRN_TRY(lrn_dbm_input(m, l, mu, lrn_dbm_rows(w, l - 1)->view.data, NULL,
                          l == 1 ? w->first->view.data : NULL, n, l < m->layers ? 2 : 1));
    LRN_TRY(lrn_dbm_activate(m, l, mu, n, mu, NULL, (lrn_key){0}, NULL));
  }
  LRN_TRY(o->device->backend.map(LRN_OP_COPY, LRN_BOOL, &active, &all, 1));
  for (int64_t turn = 0; turn < o->mean_field; turn++) {
    int some;
    LRN_TRY(lrn_poll_held()); /* nothing that outlives the call has changed so far */
    LRN_TRY(o->device->backend.map(LRN_OP_COPY, o->dtype, &moved, &none, 1));
    for (int l = 1; l <= m->layers; l += 2)
      LRN_TRY(renew(m, w, l, n));
    for (int l = 2; l <= m->layers; l += 2)
      LRN_TRY(renew(m, w, l, n));
    LRN_TRY(look(m, w, n, &some));
    if (!some)
      break;
  }
  return LRN_OK;
}

int lrn_dbm_odd_layers(const lrn_dbm *m, lrn_dbm_work *w, int64_t n, int states, uint64_t step,
                       int stream, int64_t row) {
  for (int l = 1; l <= m->layers; l += 2) {
    void *mu = lrn_dbm_rows(w, l)->view.data;
    LRN_TRY(input(m, w, l, mu, n));
    LRN_TRY(lrn_dbm_activate(m, l, mu, n, mu, states ? lrn_dbm_states(w, l) : NULL,
                             lrn_dbm_key(m, l, step, stream, 0, row), NULL));
  }
  return LRN_OK;
}

int lrn_dbm_field_energy(const lrn_dbm *m, lrn_dbm_work *w, void *F, int64_t n) {
  void *part = w->pair[0]->scratch->view.data;
  LRN_TRY(lrn_dbm_add_own(m, w, 0, F, w->pair[0]->v->view.data, n, 0));
  for (int l = 2; l <= m->layers; l += 2) {
    void *x = lrn_dbm_spare(w, l), *mu = lrn_dbm_rows(w, l)->view.data;
    LRN_TRY(input(m, w, l, x, n));
    LRN_TRY(lrn_dbm_activate(m, l, x, n, mu, NULL, (lrn_key){0}, NULL));
    LRN_TRY(lrn_dbm_add_sums(m, l, F, part, x, mu, 0, n, 1, 1));
    LRN_TRY(lrn_dbm_add_cumulants(m, w, l, F, x, n));
  }
  for (int l = 1; l <= m->layers; l += 2) {
    void *x = lrn_dbm_spare(w, l);
    LRN_TRY(input(m, w, l, x, n));
    LRN_TRY(lrn_dbm_activate(m, l, x, n, lrn_dbm_rows(w, l)->view.data, NULL, (lrn_key){0}, NULL));
    LRN_TRY(lrn_dbm_add_cumulants(m, w, l, F, x, n));
  }
  return LRN_OK;
}
