/*
** reduce.c - reductions over any dimensions: the kept ones first, the reduced ones after
** them, as the device's slots want it; and the few that are made of several passes.
*/
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "tensor/tensor.h"

/* v with the dimensions that are kept first; *nkeep of them. */
static lrn_view kept_first(const lrn_view *v, unsigned dims, int *nkeep) {
  lrn_view r = *v;
  int at = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int d = 0; d < v->nd; d++)
      if ((dims >> d & 1) == (unsigned)pass) {
        r.size[at] = v->size[d];
        r.stride[at++] = v->stride[d];
      }
    if (pass == 0)
      *nkeep = at;
  }
  return r;
}

static int check_dims(unsigned *dims, const lrn_tensor *t, const char *f) {
  unsigned all = (1u << t->view.nd) - 1;
  char text[LRN_SHAPE_MAX];
  if (*dims & ~all)
    return lrn_fail(LRN_ESHAPE, "%s: a dimension that %s does not have", f,
                    lrn_tensor_text(text, t));
  if (*dims == 0)
    *dims = all;
  return LRN_OK;
}

/* A result with the reduced dimensions as 1 (keepdim) or gone; *flat is the view that the
   slots write: kept dimensions only. */
static int result_of(lrn_tensor **out, lrn_view *flat, const lrn_tensor *t, int dtype,
                     unsigned dims, int keepdim) {
  int64_t size[LRN_MAXDIM];
  lrn_view v;
  int nd = 0, nkeep;
  for (int d = 0; d < t->view.nd; d++)
    if (!(dims >> d & 1))
      size[nd++] = t->view.size[d];
    else if (keepdim)
      size[nd++] = 1;
  LRN_TRY(lrn_tensor_new(out, dtype, nd, size, t->storage->device));
  v = (*out)->view;
  if (keepdim)
    v = kept_first(&v, dims, &nkeep), v.nd = nkeep;
  *flat = v;
  return LRN_OK;
}

static int is_fold(int red) { return red == LRN_RED_max || red == LRN_RED_min; }

static int result_dtype(int red, int dtype) {
  if (is_fold(red))
    return dtype;
  return red == LRN_RED_count || dtype > LRN_F64 ? LRN_I64 : dtype;
}

static int reduce(lrn_tensor **out, int red, const lrn_tensor *x, const lrn_view *y, unsigned dims,
                  int keepdim, double divisor) {
  const lrn_device *device = x->storage->device;
  lrn_view flat, vx, vy;
  lrn_tensor *r, *mask = NULL;
  int nkeep, st;
  if (red < 0 || red >= LRN_REDS)
    return lrn_fail(LRN_EARG, "reduce: %d is no reduction", red);
  LRN_TRY(LRN_SLOT(device, reduce));
  LRN_TRY(check_dims(&dims, x, lrn_reduce_name(red)));
  if (red == LRN_RED_count && x->view.dtype <= LRN_F64) { /* counts are integers: count a mask */
    lrn_arg args[2] = {lrn_argt(x), lrn_argi(0)};
    LRN_TRY(lrn_map(&mask, NULL, LRN_OP_ne, args, 2));
    x = mask;
  }
  st = result_of(&r, &flat, x, result_dtype(red, x->view.dtype), dims, keepdim);
  if (st == LRN_OK) {
    vx = kept_first(&x->view, dims, &nkeep);
    if (y != NULL)
      vy = kept_first(y, dims, &nkeep);
    st = device->backend.reduce(red, &flat, &vx, y != NULL ? &vy : NULL, nkeep, divisor);
    if (st == LRN_OK)
      *out = r;
    else
      lrn_tensor_free(r);
  }
  lrn_tensor_free(mask);
  return st;
}

int lrn_reduce(lrn_tensor **out, int red, const lrn_tensor *t, unsigned dims, int keepdim) {
  if (red == LRN_RED_dot || red == LRN_RED_diff || red == LRN_RED_sqdiff)
    return lrn_fail(LRN_EARG, "%s: needs two tensors", lrn_reduce_name(red));
  return reduce(out, red, t, NULL, dims, keepdim, 1);
}

int lrn_reduce2(lrn_tensor **out, int red, const lrn_tensor *x, const lrn_tensor *y,
                unsigned dims, int keepdim) {
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  int64_t size[LRN_MAXDIM];
  int nd = x->view.nd;
  lrn_view vy;
  if (red != LRN_RED_dot && red != LRN_RED_diff && red != LRN_RED_sqdiff)
    return lrn_fail(LRN_EARG, "reduce2: not a reduction of two tensors");
  if (x->view.dtype != y->view.dtype || x->storage->device != y->storage->device)
    return lrn_fail(LRN_ETYPE, "%s: %s and %s: one dtype and device expected",
                    lrn_reduce_name(red), lrn_tensor_text(a, x), lrn_tensor_text(b, y));
  memcpy(size, x->view.size, sizeof size);
  LRN_TRY(lrn_broadcast_shape(&nd, size, &y->view, lrn_reduce_name(red)));
  if (nd != x->view.nd || memcmp(size, x->view.size, (size_t)nd * sizeof *size) != 0)
    return lrn_fail(LRN_ESHAPE, "%s: %s does not broadcast to %s", lrn_reduce_name(red),
                    lrn_tensor_text(b, y), lrn_tensor_text(a, x));
  vy = lrn_broadcast_view(&y->view, nd, size);
  return reduce(out, red, x, &vy, dims, keepdim, 1);
}

static double count_over(const lrn_tensor *t, unsigned dims) {
  double n = 1;
  for (int d = 0; d < t->view.nd; d++)
    if (dims >> d & 1)
      n *= (double)t->view.size[d];
  return n;
}

/* The float dtype of a result over t's elements. */
static int real_dtype(const lrn_tensor *t) {
  return t->view.dtype <= LRN_F64 ? t->view.dtype : LRN_F32;
}

int lrn_mean(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim) {
  int wide = lrn_is_wide_integer(t->view.dtype);
  lrn_tensor *x = NULL, *mean = NULL;
  int st;
  LRN_TRY(check_dims(&dims, t, "mean"));
  LRN_GO(lrn_tensor_to(&x, t, wide ? LRN_F64 : real_dtype(t), NULL));
  LRN_GO(reduce(&mean, LRN_RED_sum, x, NULL, dims, keepdim, count_over(t, dims)));
  LRN_GO(lrn_tensor_to(out, mean, real_dtype(t), NULL));
done:
  lrn_tensor_free(x);
  lrn_tensor_free(mean);
  return st;
}

/* In float64: of {1e7, 1e7 + 1} the mean is no float32, and the root of a variance may be in
   float32's range where the variance is not. */
static int spread(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim,
                  double correction, int root, const char *f) {
  lrn_tensor *x = NULL, *mean = NULL, *var = NULL;
  double n;
  lrn_view y;
  int st;
  LRN_TRY(check_dims(&dims, t, f));
  n = count_over(t, dims) - correction;
  LRN_GO(lrn_tensor_to(&x, t, LRN_F64, NULL));
  LRN_GO(lrn_mean(&mean, x, dims, 1));
  y = lrn_broadcast_view(&mean->view, x->view.nd, x->view.size);
  LRN_GO(reduce(&var, LRN_RED_sqdiff, x, &y, dims, keepdim, n > 0 ? n : 0));
  if (root) {
    lrn_arg self[1] = {lrn_argt(var)};
    LRN_GO(lrn_map(NULL, var, LRN_OP_sqrt, self, 1));
  }
  LRN_GO(lrn_tensor_to(out, var, real_dtype(t), NULL));
done:
  lrn_tensor_free(x);
  lrn_tensor_free(mean);
  lrn_tensor_free(var);
  return st;
}

int lrn_var(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim,
            double correction) {
  return spread(out, t, dims, keepdim, correction, 0, "var");
}

int lrn_std(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim,
            double correction) {
  return spread(out, t, dims, keepdim, correction, 1, "std");
}

/* In float64, so that squares neither overflow nor vanish where the norm is a float32. */
int lrn_norm(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim) {
  lrn_tensor *x = NULL, *sum = NULL;
  int st;
  LRN_TRY(check_dims(&dims, t, "norm"));
  LRN_GO(lrn_tensor_to(&x, t, LRN_F64, NULL));
  LRN_GO(reduce(&sum, LRN_RED_sumsq, x, NULL, dims, keepdim, 1));
  {
    lrn_arg self[1] = {lrn_argt(sum)};
    LRN_GO(lrn_map(NULL, sum, LRN_OP_sqrt, self, 1));
  }
  LRN_GO(lrn_tensor_to(out, sum, real_dtype(t), NULL));
done:
  lrn_tensor_free(x);
  lrn_tensor_free(sum);
  return st;
}

/* log sum exp(x) = m + log sum exp(x - m), m the maximum; an infinite m is taken as 0 there, so
   that -inf stays -inf and +inf stays +inf. */
int lrn_logsumexp(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim) {
  lrn_tensor *max = NULL, *finite = NULL, *shift = NULL, *x = NULL, *sum = NULL, *flat = NULL;
  int st;
  LRN_TRY(check_dims(&dims, t, "logsumexp"));
  if (t->view.dtype > LRN_F64)
    return lrn_fail(LRN_ETYPE, "logsumexp: got %s, expected a float tensor",
                    lrn_dtype_name(t->view.dtype));
  LRN_GO(lrn_reduce(&max, LRN_RED_max, t, dims, 1));
  {
    lrn_arg test[1] = {lrn_argt(max)};
    LRN_GO(lrn_map(&finite, NULL, LRN_OP_isfinite, test, 1));
  }
  {
    lrn_arg pick[3] = {lrn_argt(finite), lrn_argt(max), lrn_argd(0)};
    LRN_GO(lrn_map(&shift, NULL, LRN_OP_where, pick, 3));
  }
  {
    lrn_arg sub[2] = {lrn_argt(t), lrn_argt(shift)};
    LRN_GO(lrn_map(&x, NULL, LRN_OP_sub, sub, 2));
  }
  {
    lrn_arg self[1] = {lrn_argt(x)};
    LRN_GO(lrn_map(NULL, x, LRN_OP_exp, self, 1));
  }
  LRN_GO(lrn_reduce(&sum, LRN_RED_sum, x, dims, keepdim));
  {
    lrn_arg self[1] = {lrn_argt(sum)};
    LRN_GO(lrn_map(NULL, sum, LRN_OP_log, self, 1));
  }
  LRN_GO(lrn_tensor_reshape(&flat, shift, sum->view.nd, sum->view.size));
  {
    lrn_arg add[2] = {lrn_argt(sum), lrn_argt(flat)};
    LRN_GO(lrn_map(NULL, sum, LRN_OP_add, add, 2));
  }
  *out = sum;
  sum = NULL;
done:
  lrn_tensor_free(max);
  lrn_tensor_free(finite);
  lrn_tensor_free(shift);
  lrn_tensor_free(x);
  lrn_tensor_free(sum);
  lrn_tensor_free(flat);
  return st;
}

int lrn_argextreme(lrn_tensor **out, const lrn_tensor *t, int max, int d, int keepdim,
                   int64_t base) {
  const lrn_device *device = t->storage->device;
  unsigned dims = d < 0 ? 0 : 1u << d;
  lrn_view flat, v;
  lrn_tensor *r;
  int nkeep, st;
  if (d >= t->view.nd)
    return lrn_fail(LRN_ESHAPE, "arg%s: dimension %d of %d", max ? "max" : "min", d, t->view.nd);
  LRN_TRY(LRN_SLOT(device, argextreme));
  LRN_TRY(check_dims(&dims, t, max ? "argmax" : "argmin"));
  LRN_TRY(result_of(&r, &flat, t, LRN_I64, dims, keepdim));
  v = kept_first(&t->view, dims, &nkeep);
  st = device->backend.argextreme(max, &flat, &v, nkeep, base);
  if (st != LRN_OK) {
    lrn_tensor_free(r);
    return st;
  }
  *out = r;
  return LRN_OK;
}
