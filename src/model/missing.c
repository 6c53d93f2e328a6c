/*
** missing.c - visible units that a row of data does not have.
**
** With the option `missing` a NaN is a unit that is absent: row r belongs to the model of its units P(r),
**
**   E_r(v, h) = sum_{i in P(r)} (self(v_i) - a_i v_i - sum_j v_i W_ij h_j) - b.h + self(h)
**
** whose parameters all rows share (Salakhutdinov, Mnih, Hinton 2007, section 2.1). What a unit adds to
** inputs, energies and gradients is 0 where its state is 0, for every row of unit.def: so a state of 0 in
** place of an absent unit, in the data and after each draw of the row's chain, is all that it takes, and
** w->absent (1 where a row lacks a unit) remembers where.
**
** This is not p(v_P) of the whole model, in which absent units would be summed out. And it needs a chain
** a row: log Z_r depends on P(r), so chains that belong to no row, and moments of the whole model, say
** nothing of its gradient (options `persistent`, rule exact: refused).
*/
#include <stdio.h>

#include "model/model.h"

int lrn_make_absent(lrn_work *w, const lrn_rbm *m) {
  int64_t size[2] = {w->batch + 1, w->n_visible};
  if (!m->options.missing)
    return LRN_OK;
  LRN_TRY(lrn_tensor_new(&w->absent, w->dtype, 2, size, w->device));
  return lrn_tensor_fill(w->absent, 0);
}

static int map2(const lrn_work *w, int op, const lrn_view *out, lrn_operand a, const lrn_view *b) {
  lrn_operand in[2] = {a, {.view = *b}};
  return w->device->backend.map(op, w->dtype, out, in, 2);
}

static lrn_view rows_of(const lrn_work *w, const void *data, int64_t n) {
  return lrn_rows_view(w->dtype, data, n, w->n_visible);
}

int lrn_leave_out(const lrn_rbm *m, const lrn_work *w, void *v, int64_t n) {
  lrn_view x = rows_of(w, v, n), part = rows_of(w, w->spare->view.data, n), absent;
  if (!m->options.missing)
    return LRN_OK;
  absent = rows_of(w, w->absent->view.data, n);
  LRN_TRY(map2(w, LRN_OP_mul, &part, (lrn_operand){.view = x}, &absent));
  return map2(w, LRN_OP_sub, &x, (lrn_operand){.view = x}, &part);
}

int lrn_nan_for_absent(const lrn_rbm *m, const lrn_work *w, void *v, int64_t n) {
  lrn_view x = rows_of(w, v, n), present = rows_of(w, w->spare->view.data, n), absent;
  lrn_operand one = {.is_scalar = 1, .d = 1};
  if (!m->options.missing)
    return LRN_OK;
  absent = rows_of(w, w->absent->view.data, n);
  LRN_TRY(map2(w, LRN_OP_sub, &present, one, &absent));
  LRN_TRY(map2(w, LRN_OP_mul, &x, (lrn_operand){.view = x}, &present));
  return map2(w, LRN_OP_div, &x, (lrn_operand){.view = x}, &present); /* x / 1, or 0 / 0 */
}

int lrn_absent_share(lrn_view *out, const lrn_work *w, int64_t n) {
  lrn_view by_unit = {.data = w->absent->view.data, .dtype = w->dtype, .nd = 2,
                      .size = {w->n_visible, n}, .stride = {1, w->n_visible}};
  *out = lrn_flat_view(w->dtype, lrn_row(w->absent, w->batch), w->n_visible);
  return w->weighed > 0
           ? lrn_weighted_sum(w, out, by_unit.data, 0, n, 1.0 / (double)n, 0)
           : w->device->backend.reduce(LRN_RED_sum, out, &by_unit, NULL, 1, (double)n);
}

int lrn_wants_whole_rows(int st, const lrn_rbm *m, const char *f) {
  char text[400];
  if (st != LRN_ENUMERIC || !m->options.missing)
    return st;
  snprintf(text, sizeof text, "%s", lrn_error_message());
  return lrn_fail(st, "%s; %s takes rows without missing values: impute fills them in", text, f);
}
