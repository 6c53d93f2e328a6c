/*
** optim.c - the update of a step, for the models and for tensors of a caller.
*/
#include <math.h>

#include "kernel/math.h"
#include "model/model.h"

/* Adam's moments are corrected for their start at 0 in rate and epsilon: t is of this step, as in
   Kingma and Ba 2015. */
int lrn_update_at(const lrn_device *device, lrn_update_args *args) {
  if (args->optimizer == LRN_ADAM) {
    double t = (double)args->mark, root = sqrt(1 - lrn_pow(args->beta2, t));
    args->epsilon *= root;
    args->rate *= root / (1 - lrn_pow(args->beta1, t));
  }
  return device->backend.update(args);
}

/* The memory of t, which must be like theta; NULL for NULL. */
static int data_of(void **out, const lrn_tensor *t, const lrn_tensor *theta, const char *name) {
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  *out = NULL;
  if (t == NULL)
    return LRN_OK;
  if (t->view.dtype != theta->view.dtype || lrn_tensor_numel(t) != lrn_tensor_numel(theta) ||
      t->storage->device != theta->storage->device || !lrn_tensor_is_contiguous(t))
    return lrn_fail(LRN_ETYPE, "optimize: %s: got %s, expected a contiguous tensor like theta, %s",
                    name, lrn_tensor_text(a, t), lrn_tensor_text(b, theta));
  *out = t->view.data;
  return LRN_OK;
}

int lrn_optimize(lrn_tensor *theta, lrn_tensor *m, lrn_tensor *s, const lrn_tensor *g,
                 const lrn_tensor *norm2, lrn_tensor *bad, int64_t place,
                 const lrn_update_options *o) {
  const lrn_device *device = theta->storage->device;
  lrn_update_args args = {.dtype = theta->view.dtype,
                          .optimizer = s != NULL ? LRN_ADAM : LRN_SGD,
                          .n = lrn_tensor_numel(theta),
                          .clip = o->clip,
                          .rate = o->learning_rate,
                          .momentum = o->momentum,
                          .decay = o->decay,
                          .l1 = o->l1,
                          .beta1 = o->beta1,
                          .beta2 = o->beta2,
                          .epsilon = o->epsilon,
                          .mark = o->step};
  void *gradient;
  char text[LRN_SHAPE_MAX];
  if ((args.dtype != LRN_F32 && args.dtype != LRN_F64) || !lrn_tensor_is_contiguous(theta))
    return lrn_fail(LRN_ETYPE, "optimize: theta: got %s, expected a contiguous tensor of float32 "
                    "or float64", lrn_tensor_text(text, theta));
  if (bad->view.dtype != LRN_I64 || !lrn_tensor_is_contiguous(bad) ||
      bad->storage->device != device || place < 0 || place >= lrn_tensor_numel(bad))
    return lrn_fail(LRN_ETYPE, "optimize: bad: got %s, expected a contiguous int64 tensor on %s "
                    "with place %lld", lrn_tensor_text(text, bad), device->name, (long long)place);
  if (m == NULL || g == NULL)
    return lrn_fail(LRN_EARG, "optimize: m, g: got NULL, expected tensors");
  LRN_TRY(LRN_SLOT(device, update));
  LRN_TRY(lrn_check_writable(theta, "optimize"));
  LRN_TRY(data_of(&args.theta, theta, theta, "theta"));
  LRN_TRY(data_of(&args.m, m, theta, "m"));
  LRN_TRY(data_of(&args.s, s, theta, "s"));
  LRN_TRY(data_of(&gradient, g, theta, "g"));
  args.g = gradient;
  args.norm2 = norm2 != NULL ? norm2->view.data : NULL;
  args.bad = (int64_t *)bad->view.data + place;
  return lrn_update_at(device, &args);
}
