/*
** weigh.c - weights of the rows of a step.
**
** A batch's weights become w_r n / sum w, so that the formulas of a step without weights
** hold as they stand, with their factors 1 / n. Rows that all weigh 0 weigh 0: the gradient is then 0. In CD the
** negative rows have the weights of the data they began at; chains of PCD belong to no row, and
** count 1 each, or 0 where no row counts.
*/
#include "model/model.h"

static const double LEAST = 1e-30; /* of a sum that is divided by; a float32 */

/* One value, seen as n. */
static lrn_view spread(const lrn_view *one, int64_t n) {
  lrn_view v = lrn_flat_view(one->dtype, one->data, n);
  v.stride[0] = 0;
  return v;
}

/* The weights from that of row `first` of both phases on. */
static void *from(const lrn_work *w, int64_t first) {
  return (char *)w->weight->view.data + first * (int64_t)lrn_dtype_size(w->dtype);
}

static int check_weights(const lrn_work *w, const lrn_tensor *weights, int64_t n, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (weights->view.nd != 1 || weights->view.size[0] != n || weights->view.dtype != w->dtype ||
      weights->storage->device != w->device || !lrn_tensor_is_contiguous(weights))
    return lrn_fail(LRN_ETYPE, "%s: weights: got %s, expected a contiguous %s[%lld] on %s", f,
                    lrn_tensor_text(text, weights), lrn_dtype_name(w->dtype), (long long)n,
                    w->device->name);
  return LRN_OK;
}

int lrn_weigh(lrn_work *w, const lrn_tensor *weights, int64_t n, const char *f) {
  const lrn_backend *b = &w->device->backend;
  int64_t room = w->batch + (w->chains > w->batch ? w->chains : w->batch);
  lrn_view plus, minus, total = {.data = w->norm->view.data, .dtype = w->dtype};
  lrn_operand in[2];
  w->weighed = 0;
  if (weights == NULL)
    return LRN_OK;
  LRN_TRY(check_weights(w, weights, n, f));
  if (w->weight == NULL)
    LRN_TRY(lrn_tensor_new(&w->weight, w->dtype, 1, &room, w->device));
  plus = lrn_flat_view(w->dtype, w->weight->view.data, n);
  minus = lrn_flat_view(w->dtype, from(w, n), w->chains > 0 ? w->chains : n);
  LRN_TRY(b->reduce(LRN_RED_sum, &total, &weights->view, NULL, 0, 1));
  in[0] = (lrn_operand){.view = spread(&total, minus.size[0])};
  if (w->chains > 0)
    LRN_TRY(b->map(LRN_OP_sign, w->dtype, &minus, in, 1));
  in[0] = (lrn_operand){.view = total};
  in[1] = (lrn_operand){.is_scalar = 1, .d = LEAST};
  LRN_TRY(b->map(LRN_OP_maximum, w->dtype, &total, in, 2));
  in[0] = (lrn_operand){.is_scalar = 1, .d = (double)n};
  in[1] = (lrn_operand){.view = total};
  LRN_TRY(b->map(LRN_OP_div, w->dtype, &total, in, 2));
  in[0] = (lrn_operand){.view = weights->view};
  in[1] = (lrn_operand){.view = spread(&total, n)};
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &plus, in, 2));
  if (w->chains == 0)
    LRN_TRY(lrn_copy_views(w->device, &minus, &plus));
  w->weighed = n;
  return LRN_OK;
}

int lrn_weigh_means(const lrn_work *w, int64_t first, int64_t end) {
  lrn_view q = lrn_rows_view(w->dtype, lrn_row(w->q, first), end - first, w->n_hidden);
  lrn_operand in[2] = {{.view = q}, {.view = q}};
  if (w->weighed == 0 || end == first)
    return LRN_OK;
  in[1].view.data = from(w, first);
  in[1].view.stride[0] = 1;
  in[1].view.stride[1] = 0;
  return w->device->backend.map(LRN_OP_mul, w->dtype, &q, in, 2);
}

int lrn_weighted_sum(const lrn_work *w, const lrn_view *out, const void *x, int64_t first,
                     int64_t n, double alpha, double beta) {
  int64_t width = out->size[0];
  return w->device->backend.gemm(w->dtype, 0, 0, 1, width, n, alpha, from(w, first), n, x, width,
                                 beta, out->data, width);
}
