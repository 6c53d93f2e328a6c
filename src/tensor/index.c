/*
** index.c - picking by positions and masks, and joining.
*/
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "tensor/tensor.h"

/* idx as int64 on t's device. */
static int positions(lrn_tensor **out, const lrn_tensor *idx, const lrn_tensor *t,
                     const char *f) {
  if (idx->view.dtype != LRN_I64 && idx->view.dtype != LRN_I32)
    return lrn_fail(LRN_ETYPE, "%s: index: got %s, expected int64 or int32", f,
                    lrn_dtype_name(idx->view.dtype));
  return lrn_tensor_to(out, idx, LRN_I64, t->storage->device);
}

static int check_dim(const lrn_tensor *t, int d, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (d < 0 || d >= t->view.nd)
    return lrn_fail(LRN_ESHAPE, "%s: dimension %d of %s", f, d, lrn_tensor_text(text, t));
  return LRN_OK;
}

/* idx, 1-d, spread over the shape of t with dimension d replaced */
static lrn_view spread(const lrn_view *idx, const lrn_view *t, int d) {
  lrn_view v = *t;
  v.data = idx->data;
  v.dtype = idx->dtype;
  for (int i = 0; i < v.nd; i++)
    v.stride[i] = 0;
  v.size[d] = idx->size[0];
  v.stride[d] = idx->stride[0];
  return v;
}

int lrn_index_select(lrn_tensor **out, const lrn_tensor *t, int d, const lrn_tensor *idx,
                     int64_t base) {
  const lrn_device *device = t->storage->device;
  lrn_tensor *p = NULL, *r = NULL;
  lrn_view v;
  int st;
  LRN_TRY(check_dim(t, d, "index_select"));
  LRN_TRY(LRN_SLOT(device, gather));
  if (idx->view.nd != 1)
    return lrn_fail(LRN_ESHAPE, "index_select: index: got %d dimensions, expected 1",
                    idx->view.nd);
  LRN_GO(positions(&p, idx, t, "index_select"));
  v = spread(&p->view, &t->view, d);
  LRN_GO(lrn_tensor_new(&r, t->view.dtype, v.nd, v.size, device));
  LRN_GO(device->backend.gather(&r->view, &t->view, &v, d, base));
  *out = r;
  r = NULL;
done:
  lrn_tensor_free(p);
  lrn_tensor_free(r);
  return st;
}

int lrn_gather(lrn_tensor **out, const lrn_tensor *t, int d, const lrn_tensor *idx,
               int64_t base) {
  const lrn_device *device = t->storage->device;
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  lrn_tensor *p = NULL, *r = NULL;
  int st;
  LRN_TRY(check_dim(t, d, "gather"));
  LRN_TRY(LRN_SLOT(device, gather));
  for (int i = 0; i < t->view.nd || i < idx->view.nd; i++)
    if (idx->view.nd != t->view.nd || (i != d && idx->view.size[i] > t->view.size[i]))
      return lrn_fail(LRN_ESHAPE, "gather: index %s does not fit %s beside the gathered dimension",
                      lrn_tensor_text(a, idx), lrn_tensor_text(b, t));
  LRN_GO(positions(&p, idx, t, "gather"));
  LRN_GO(lrn_tensor_new(&r, t->view.dtype, idx->view.nd, idx->view.size, device));
  LRN_GO(device->backend.gather(&r->view, &t->view, &p->view, d, base));
  *out = r;
  r = NULL;
done:
  lrn_tensor_free(p);
  lrn_tensor_free(r);
  return st;
}

int lrn_index_copy(lrn_tensor *t, int d, const lrn_tensor *idx, int64_t base,
                   const lrn_tensor *src) {
  const lrn_device *device = t->storage->device;
  lrn_tensor *p = NULL, *s = NULL;
  int64_t size[LRN_MAXDIM];
  int nd = t->view.nd, st;
  lrn_view v, sv;
  LRN_TRY(check_dim(t, d, "index_copy"));
  LRN_TRY(lrn_check_target(t, "index_copy"));
  LRN_TRY(LRN_SLOT(device, put));
  if (idx->view.nd != 1)
    return lrn_fail(LRN_ESHAPE, "index_copy: index: got %d dimensions, expected 1", idx->view.nd);
  LRN_GO(positions(&p, idx, t, "index_copy"));
  v = spread(&p->view, &t->view, d);
  memcpy(size, v.size, sizeof size);
  LRN_GO(lrn_broadcast_shape(&nd, size, &src->view, "index_copy"));
  if (nd != v.nd || memcmp(size, v.size, (size_t)nd * sizeof *size) != 0) {
    char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
    st = lrn_fail(LRN_ESHAPE, "index_copy: %s into positions of shape %s", lrn_tensor_text(a, src),
                  lrn_shape_text(b, v.nd, v.size));
    goto done;
  }
  LRN_GO(lrn_tensor_to(&s, src, t->view.dtype, device));
  if (lrn_views_overlap(&s->view, &t->view)) {
    lrn_tensor *copy;
    LRN_GO(lrn_tensor_clone(&copy, s));
    lrn_tensor_free(s);
    s = copy;
  }
  sv = lrn_broadcast_view(&s->view, nd, size);
  LRN_GO(device->backend.put(&t->view, &sv, &v, d, base));
done:
  lrn_tensor_free(p);
  lrn_tensor_free(s);
  return st;
}

int lrn_nonzero(lrn_tensor **out, const lrn_tensor *t, int64_t base) {
  lrn_tensor *flags = NULL, *host = NULL, *flat = NULL, *r = NULL;
  lrn_arg args[2] = {lrn_argt(t), lrn_argi(0)};
  int64_t count = 0, n = lrn_tensor_numel(t), size[2], *o;
  const uint8_t *f;
  int st;
  LRN_GO(lrn_map(&flags, NULL, LRN_OP_ne, args, 2));
  LRN_GO(lrn_tensor_to(&host, flags, LRN_BOOL, lrn_device_cpu()));
  LRN_GO(lrn_tensor_contiguous(&flat, host));
  f = flat->view.data;
  for (int64_t i = 0; i < n; i++)
    count += f[i];
  size[0] = count;
  size[1] = t->view.nd;
  LRN_GO(lrn_tensor_new(&r, LRN_I64, 2, size, NULL));
  o = r->view.data;
  for (int64_t i = 0; i < n; i++)
    if (f[i]) {
      int64_t rest = i;
      for (int d = t->view.nd - 1; d >= 0; d--) {
        o[d] = rest % t->view.size[d] + base;
        rest /= t->view.size[d];
      }
      o += t->view.nd;
    }
  LRN_GO(lrn_tensor_to(out, r, LRN_I64, t->storage->device));
done:
  lrn_tensor_free(flags);
  lrn_tensor_free(host);
  lrn_tensor_free(flat);
  lrn_tensor_free(r);
  return st;
}

int lrn_masked_select(lrn_tensor **out, const lrn_tensor *t, const lrn_tensor *mask) {
  lrn_tensor *flat = NULL, *flat_mask = NULL, *where = NULL, *idx = NULL;
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  int64_t all = -1;
  int st;
  if (mask->view.dtype != LRN_BOOL)
    return lrn_fail(LRN_ETYPE, "masked_select: mask: got %s, expected bool",
                    lrn_dtype_name(mask->view.dtype));
  if (mask->view.nd != t->view.nd ||
      memcmp(mask->view.size, t->view.size, (size_t)t->view.nd * sizeof *t->view.size) != 0)
    return lrn_fail(LRN_ESHAPE, "masked_select: mask %s of a tensor %s", lrn_tensor_text(a, mask),
                    lrn_tensor_text(b, t));
  LRN_GO(lrn_tensor_reshape(&flat, t, 1, &all));
  LRN_GO(lrn_tensor_reshape(&flat_mask, mask, 1, &all));
  LRN_GO(lrn_nonzero(&where, flat_mask, 0));
  LRN_GO(lrn_tensor_select(&idx, where, 1, 0));
  LRN_GO(lrn_index_select(out, flat, 0, idx, 0));
done:
  lrn_tensor_free(flat);
  lrn_tensor_free(flat_mask);
  lrn_tensor_free(where);
  lrn_tensor_free(idx);
  return st;
}

/* {=== Joining === */

static int join(lrn_tensor **out, const lrn_tensor *const *ts, int n, int d, const char *f) {
  const lrn_device *device = ts[0]->storage->device;
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  lrn_view first = ts[0]->view;
  lrn_tensor *r;
  int64_t at = 0, total = 0;
  int dtype = first.dtype;
  LRN_TRY(check_dim(ts[0], d, f));
  for (int i = 0; i < n; i++) {
    const lrn_view *v = &ts[i]->view;
    int fits = v->nd == first.nd;
    for (int k = 0; k < first.nd && fits; k++)
      fits = k == d || v->size[k] == first.size[k];
    if (!fits)
      return lrn_fail(LRN_ESHAPE, "%s: %s and %s differ beside the joined dimension", f,
                      lrn_tensor_text(a, ts[0]), lrn_tensor_text(b, ts[i]));
    if (ts[i]->storage->device != device)
      return lrn_fail(LRN_ETYPE, "%s: tensors on %s and %s", f, device->name,
                      ts[i]->storage->device->name);
    dtype = lrn_dtype_promote(dtype, v->dtype);
    total += v->size[d];
  }
  first.size[d] = total;
  LRN_TRY(lrn_tensor_new(&r, dtype, first.nd, first.size, device));
  for (int i = 0; i < n; i++) {
    lrn_view part = r->view;
    int st;
    part.data = (char *)part.data + at * part.stride[d] * (int64_t)lrn_dtype_size(dtype);
    part.size[d] = ts[i]->view.size[d];
    at += part.size[d];
    st = lrn_copy_views(device, &part, &ts[i]->view);
    if (st != LRN_OK) {
      lrn_tensor_free(r);
      return st;
    }
  }
  *out = r;
  return LRN_OK;
}

int lrn_cat(lrn_tensor **out, const lrn_tensor *const *ts, int n, int d) {
  if (n < 1)
    return lrn_fail(LRN_EARG, "cat: of no tensor");
  return join(out, ts, n, d, "cat");
}

int lrn_stack(lrn_tensor **out, const lrn_tensor *const *ts, int n, int d) {
  void *memory;
  lrn_tensor **views;
  int st = LRN_OK;
  if (n < 1)
    return lrn_fail(LRN_EARG, "stack: of no tensor");
  for (int i = 0; i < n; i++) {
    if (ts[i]->view.nd == LRN_MAXDIM)
      return lrn_fail(LRN_ESHAPE, "stack: got %d dimensions, expected fewer", LRN_MAXDIM);
    if (ts[i]->view.nd != ts[0]->view.nd)
      return lrn_fail(LRN_ESHAPE, "stack: got %d dimensions, expected %d as the first has",
                      ts[i]->view.nd, ts[0]->view.nd);
  }
  LRN_TRY(lrn_alloc(&memory, (size_t)n, sizeof *views, "stack"));
  views = memory;
  for (int i = 0; i < n && st == LRN_OK; i++)
    st = lrn_tensor_unsqueeze(&views[i], ts[i], d);
  if (st == LRN_OK)
    st = join(out, (const lrn_tensor *const *)(void *)views, n, d, "stack");
  for (int i = 0; i < n; i++)
    lrn_tensor_free(views[i]);
  lrn_free(views);
  return st;
}

/* ===} */
