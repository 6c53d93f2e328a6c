/*
** clamp.c - visible units that are held at given values while others are sampled.
**
** A mask says which (1: held); the values are rows of data. Values where the mask is 0 are never looked at:
** they become 0 before anything is computed. A held unit is put back after every draw of its layer, so that
** its state is the same bits throughout, and in results, too: there in the units of the data, as they were
** given, not as they would come back from standardised ones.
*/
#include "model/model.h"

/* Of a mask or of values: 1 row for all, or one for each of the n chains. */
static int rows_of(int64_t *rows, const lrn_rbm *m, const lrn_tensor *t, int64_t n, const char *name,
                   const char *f) {
  int64_t V = m->options.n_visible, row = 1;
  char text[LRN_SHAPE_MAX];
  for (int d = t->view.nd > 1 ? 1 : 0; d < t->view.nd; d++)
    row *= t->view.size[d];
  *rows = t->view.nd > 1 ? t->view.size[0] : 1;
  if (t->view.nd == 0 || row != V || (*rows != 1 && *rows != n))
    return lrn_fail(LRN_ESHAPE, "%s: clamp: %s: got %s, expected %lld values (n_visible), or that for each "
                    "of %lld rows", f, name, lrn_tensor_text(text, t), (long long)V, (long long)n);
  return LRN_OK;
}

/* A copy (or t itself, once more) on the model's device as rows x n_visible; bools as float32. */
static int as_rows(lrn_tensor **out, const lrn_rbm *m, const lrn_tensor *t, int64_t rows) {
  int64_t size[2] = {rows, m->options.n_visible};
  lrn_tensor *moved = NULL;
  int st;
  LRN_GO(lrn_tensor_to(&moved, t, t->view.dtype == LRN_BOOL ? LRN_F32 : t->view.dtype, m->options.device));
  st = lrn_tensor_reshape(out, moved, 2, size);
done:
  lrn_tensor_free(moved);
  return st;
}

/* *at: position of the first true element, -1 where there is none */
static int first_true(int64_t *at, const lrn_tensor *t) {
  lrn_tensor *count = NULL, *where = NULL;
  int64_t n = 0, place = 0;
  int st;
  LRN_GO(lrn_reduce(&count, LRN_RED_sum, t, 0, 0));
  LRN_GO(lrn_tensor_get_int(&n, count, NULL));
  if (n > 0) {
    LRN_GO(lrn_argextreme(&where, t, 1, -1, 0, 0));
    LRN_GO(lrn_tensor_get_int(&place, where, NULL));
  }
  *at = n > 0 ? place : -1;
done:
  lrn_tensor_free(count);
  lrn_tensor_free(where);
  return st;
}

/* c->mask from numbers that are 0 or 1 */
static int make_mask(lrn_clamp *c, const lrn_rbm *m, const lrn_tensor *given, const char *f) {
  int64_t V = m->options.n_visible, bad;
  lrn_tensor *one = NULL, *odd = NULL;
  lrn_arg a[2] = {lrn_argt(given), lrn_argi(0)};
  int st;
  LRN_GO(lrn_map(&c->mask, NULL, LRN_OP_ne, a, 2));
  a[1] = lrn_argi(1);
  LRN_GO(lrn_map(&one, NULL, LRN_OP_eq, a, 2));
  a[0] = lrn_argt(c->mask);
  a[1] = lrn_argt(one);
  LRN_GO(lrn_map(&odd, NULL, LRN_OP_logical_xor, a, 2));
  LRN_GO(first_true(&bad, odd));
  if (bad >= 0)
    st = lrn_fail(LRN_EVALUE, "%s: clamp: mask: row %lld, value %lld is neither 0 nor 1", f,
                  (long long)(bad / V + 1), (long long)(bad % V + 1));
done:
  lrn_tensor_free(one);
  lrn_tensor_free(odd);
  return st;
}

/* Units of a group have one state: all of them are held, or none. */
static int check_groups(const lrn_clamp *c, const lrn_rbm *m, const char *f) {
  int64_t V = m->options.n_visible, K = m->options.visible_categories, bad;
  int64_t size[3] = {c->mask->view.size[0], V / K, K};
  lrn_tensor *groups = NULL, *most = NULL, *least = NULL, *odd = NULL;
  lrn_arg a[2];
  int st;
  if (K == 1)
    return LRN_OK;
  LRN_GO(lrn_tensor_view(&groups, c->mask, 3, size));
  LRN_GO(lrn_reduce(&most, LRN_RED_max, groups, 4u, 0));
  LRN_GO(lrn_reduce(&least, LRN_RED_min, groups, 4u, 0));
  a[0] = lrn_argt(most);
  a[1] = lrn_argt(least);
  LRN_GO(lrn_map(&odd, NULL, LRN_OP_ne, a, 2));
  LRN_GO(first_true(&bad, odd));
  if (bad >= 0)
    st = lrn_fail(LRN_EVALUE, "%s: clamp: mask: row %lld holds a part of group %lld, expected all of its "
                  "%lld units or none", f, (long long)(bad / (V / K) + 1), (long long)(bad % (V / K) + 1),
                  (long long)K);
done:
  lrn_tensor_free(groups);
  lrn_tensor_free(most);
  lrn_tensor_free(least);
  lrn_tensor_free(odd);
  return st;
}

/* c->values: those given where they are held, else 0 */
static int make_values(lrn_clamp *c, const lrn_rbm *m, const lrn_tensor *given, const char *f) {
  int64_t V = m->options.n_visible, bad = -1;
  lrn_tensor *odd = NULL;
  lrn_arg a[3] = {lrn_argt(c->mask), lrn_argt(given), lrn_argi(0)};
  int st;
  LRN_GO(lrn_map(&c->values, NULL, LRN_OP_where, a, 3));
  if (given->view.dtype <= LRN_F64) {
    lrn_arg x = lrn_argt(c->values);
    LRN_GO(lrn_map(&odd, NULL, LRN_OP_isfinite, &x, 1));
    x = lrn_argt(odd);
    LRN_GO(lrn_map(NULL, odd, LRN_OP_logical_not, &x, 1));
    LRN_GO(first_true(&bad, odd));
  }
  if (bad >= 0)
    st = lrn_fail(LRN_ENUMERIC, "%s: clamp: values: row %lld, value %lld is NaN or infinite, and held", f,
                  (long long)(bad / V + 1), (long long)(bad % V + 1));
done:
  lrn_tensor_free(odd);
  return st;
}

int lrn_clamp_make(lrn_clamp *c, const lrn_rbm *m, const lrn_tensor *mask, const lrn_tensor *values, int64_t n,
                   int64_t most, const char *f) {
  int64_t V = m->options.n_visible, mask_rows, value_rows, size[2] = {most, V};
  lrn_tensor *flat_mask = NULL, *flat_values = NULL;
  int st;
  if (mask == NULL && values == NULL)
    return LRN_OK;
  if (mask == NULL || values == NULL)
    return lrn_fail(LRN_EARG, "%s: clamp: got %s, expected a mask and values", f,
                    mask == NULL ? "values alone" : "a mask alone");
  LRN_TRY(rows_of(&mask_rows, m, mask, n, "mask", f));
  LRN_TRY(rows_of(&value_rows, m, values, n, "values", f));
  LRN_GO(as_rows(&flat_mask, m, mask, mask_rows));
  LRN_GO(as_rows(&flat_values, m, values, value_rows));
  LRN_GO(make_mask(c, m, flat_mask, f));
  LRN_GO(check_groups(c, m, f));
  LRN_GO(make_values(c, m, flat_values, f));
  LRN_GO(lrn_tensor_new(&c->held, m->options.dtype, 2, size, m->options.device));
  if (m->shift != NULL)
    st = lrn_tensor_new(&c->given, m->options.dtype, 2, size, m->options.device);
done:
  lrn_tensor_free(flat_mask);
  lrn_tensor_free(flat_values);
  return st;
}

void lrn_clamp_free(lrn_clamp *c) {
  lrn_tensor_free(c->mask);
  lrn_tensor_free(c->values);
  lrn_tensor_free(c->held);
  lrn_tensor_free(c->given);
}

int lrn_clamp_load(lrn_clamp *c, const lrn_rbm *m, int64_t at, int64_t n, const char *f) {
  lrn_rbm as_is = *m;
  lrn_rows rows;
  if (c->mask == NULL)
    return LRN_OK;
  LRN_TRY(lrn_rows_shape(&rows, m, c->values, f));
  if (rows.n == 1) {
    rows.n = at + n;
    rows.stride = 0;
  }
  LRN_TRY(lrn_load_rows(m, c->held->view.data, &rows, NULL, 0, at, n, 0, f));
  as_is.shift = as_is.scale = NULL;
  if (c->given != NULL)
    LRN_TRY(lrn_load_rows(&as_is, c->given->view.data, &rows, NULL, 0, at, n, 0, f));
  c->at = at;
  return LRN_OK;
}

static int put(const lrn_clamp *c, const lrn_rbm *m, const lrn_tensor *values, void *x, int64_t n) {
  int64_t V = m->options.n_visible;
  lrn_view v = lrn_rows_view(m->options.dtype, x, n, V), held = v, mask;
  lrn_operand in[3];
  if (x == NULL || c->mask == NULL)
    return LRN_OK;
  held.data = values->view.data;
  mask = lrn_rows_view(LRN_BOOL, c->mask->view.data, n, V);
  if (c->mask->view.size[0] == 1)
    mask.stride[0] = 0;
  else
    mask.data = lrn_row(c->mask, c->at);
  in[0] = (lrn_operand){.view = mask};
  in[1] = (lrn_operand){.view = held};
  in[2] = (lrn_operand){.view = v};
  return m->options.device->backend.map(LRN_OP_where, m->options.dtype, &v, in, 3);
}

int lrn_clamp_put(const lrn_clamp *c, const lrn_rbm *m, void *v, int64_t n) {
  return put(c, m, c->held, v, n);
}

int lrn_clamp_put_given(const lrn_clamp *c, const lrn_rbm *m, void *v, int64_t n) {
  return put(c, m, c->given != NULL ? c->given : c->held, v, n);
}
