/*
** tensor.c - what a tensor is (fields), its elements one at a time, and its views.
** A view is a new header; nothing here copies data.
*/
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "tensor/tensor.h"

/* {=== Fields === */

int lrn_tensor_dtype(const lrn_tensor *t) { return t->view.dtype; }
int lrn_tensor_ndim(const lrn_tensor *t) { return t->view.nd; }
int64_t lrn_tensor_size(const lrn_tensor *t, int d) { return t->view.size[d]; }
int64_t lrn_tensor_stride(const lrn_tensor *t, int d) { return t->view.stride[d]; }
int64_t lrn_tensor_numel(const lrn_tensor *t) { return lrn_view_numel(&t->view); }
const lrn_device *lrn_tensor_device(const lrn_tensor *t) { return t->storage->device; }
void *lrn_tensor_data(const lrn_tensor *t) { return t->view.data; }
int lrn_tensor_is_contiguous(const lrn_tensor *t) { return lrn_view_is_contiguous(&t->view); }
int lrn_tensor_is_readonly(const lrn_tensor *t) { return t->storage->readonly; }
size_t lrn_tensor_storage_bytes(const lrn_tensor *t) { return t->storage->bytes; }
int lrn_tensor_shares(const lrn_tensor *a, const lrn_tensor *b) {
  return a->storage == b->storage;
}

int64_t lrn_view_numel(const lrn_view *v) {
  int64_t n = 1;
  for (int d = 0; d < v->nd; d++)
    n *= v->size[d];
  return n;
}

int lrn_view_is_contiguous(const lrn_view *v) {
  int64_t stride = 1;
  if (lrn_view_numel(v) == 0)
    return 1;
  for (int d = v->nd - 1; d >= 0; d--) {
    if (v->size[d] == 1)
      continue;
    if (v->stride[d] != stride)
      return 0;
    stride *= v->size[d];
  }
  return 1;
}

void lrn_view_extent(const lrn_view *v, int64_t *low, int64_t *high) {
  int64_t item = (int64_t)lrn_dtype_size(v->dtype);
  *low = 0;
  *high = item;
  for (int d = 0; d < v->nd; d++) {
    int64_t reach = (v->size[d] - 1) * v->stride[d] * item;
    if (reach < 0)
      *low += reach;
    else
      *high += reach;
  }
}

int lrn_views_overlap(const lrn_view *a, const lrn_view *b) {
  int64_t la, ha, lb, hb;
  uintptr_t pa = (uintptr_t)a->data, pb = (uintptr_t)b->data;
  if (lrn_view_numel(a) == 0 || lrn_view_numel(b) == 0)
    return 0;
  lrn_view_extent(a, &la, &ha);
  lrn_view_extent(b, &lb, &hb);
  return pa + (uintptr_t)la < pb + (uintptr_t)hb && pb + (uintptr_t)lb < pa + (uintptr_t)ha;
}

const char *lrn_tensor_text(char buf[LRN_SHAPE_MAX], const lrn_tensor *t) {
  char shape[LRN_SHAPE_MAX];
  lrn_shape_text(shape, t->view.nd, t->view.size);
  snprintf(buf, LRN_SHAPE_MAX, "%s%.140s", lrn_dtype_name(t->view.dtype), shape);
  return buf;
}

/* ===} */

/* {=== One element === */

static int element_at(void **out, const lrn_tensor *t, const int64_t *index, const char *f) {
  int64_t offset = 0;
  for (int d = 0; d < t->view.nd; d++) {
    if (index[d] < 0 || index[d] >= t->view.size[d])
      return lrn_fail(LRN_EVALUE, "%s: index %lld on dimension %d of size %lld", f,
                      (long long)index[d], d, (long long)t->view.size[d]);
    offset += index[d] * t->view.stride[d];
  }
  *out = (char *)t->view.data + offset * (int64_t)lrn_dtype_size(t->view.dtype);
  return LRN_OK;
}

typedef union element {
  float f32;
  double f64;
  int64_t i64;
  int32_t i32;
  uint8_t u8;
} element;

static int read_element(element *e, const lrn_tensor *t, const int64_t *index, const char *f) {
  void *p = NULL;
  LRN_TRY(element_at(&p, t, index, f));
  return t->storage->device->backend.download(e, p, lrn_dtype_size(t->view.dtype));
}

int lrn_tensor_get(double *out, const lrn_tensor *t, const int64_t *index) {
  element e;
  LRN_TRY(read_element(&e, t, index, "get"));
  switch (t->view.dtype) {
    case LRN_F32: *out = (double)e.f32; break;
    case LRN_F64: *out = e.f64; break;
    case LRN_I64: *out = (double)e.i64; break;
    case LRN_I32: *out = e.i32; break;
    default: *out = e.u8; break;
  }
  return LRN_OK;
}

int lrn_tensor_get_int(int64_t *out, const lrn_tensor *t, const int64_t *index) {
  element e;
  LRN_TRY(read_element(&e, t, index, "get"));
  switch (t->view.dtype) {
    case LRN_F32:
    case LRN_F64: {
      double d = t->view.dtype == LRN_F32 ? (double)e.f32 : e.f64;
      if (!(d >= -0x1p63 && d < 0x1p63))
        return lrn_fail(LRN_EVALUE, "get: %g is no integer", d);
      *out = (int64_t)d;
      break;
    }
    case LRN_I64: *out = e.i64; break;
    case LRN_I32: *out = e.i32; break;
    default: *out = e.u8; break;
  }
  return LRN_OK;
}

int lrn_tensor_set(lrn_tensor *t, const int64_t *index, double value) {
  void *p = NULL;
  element e;
  LRN_TRY(lrn_check_writable(t, "set"));
  LRN_TRY(element_at(&p, t, index, "set"));
  switch (t->view.dtype) {
    case LRN_F32: e.f32 = (float)value; break;
    case LRN_F64: e.f64 = value; break;
    case LRN_BOOL: e.u8 = value != 0; break;
    default:
      if (!(value >= -0x1p63 && value < 0x1p63) || value != (double)(int64_t)value)
        return lrn_fail(LRN_EVALUE, "set: %g does not fit %s", value,
                        lrn_dtype_name(t->view.dtype));
      return lrn_tensor_set_int(t, index, (int64_t)value);
  }
  return t->storage->device->backend.upload(p, &e, lrn_dtype_size(t->view.dtype));
}

int lrn_tensor_set_int(lrn_tensor *t, const int64_t *index, int64_t value) {
  void *p = NULL;
  element e;
  int fits = 1;
  LRN_TRY(lrn_check_writable(t, "set"));
  LRN_TRY(element_at(&p, t, index, "set"));
  switch (t->view.dtype) {
    case LRN_F32: e.f32 = (float)value; break;
    case LRN_F64: e.f64 = (double)value; break;
    case LRN_I64: e.i64 = value; break;
    case LRN_I32:
      e.i32 = (int32_t)value;
      fits = value >= INT32_MIN && value <= INT32_MAX;
      break;
    case LRN_U8:
      e.u8 = (uint8_t)value;
      fits = value >= 0 && value <= 255;
      break;
    default: e.u8 = value != 0; break;
  }
  if (!fits)
    return lrn_fail(LRN_EVALUE, "set: %lld does not fit %s", (long long)value,
                    lrn_dtype_name(t->view.dtype));
  return t->storage->device->backend.upload(p, &e, lrn_dtype_size(t->view.dtype));
}

/* ===} */

/* {=== Views === */

static int check_dim(const lrn_tensor *t, int d, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (d < 0 || d >= t->view.nd)
    return lrn_fail(LRN_ESHAPE, "%s: dimension %d of %s", f, d, lrn_tensor_text(text, t));
  return LRN_OK;
}

static void move(lrn_view *v, int64_t elements) {
  v->data = (char *)v->data + elements * (int64_t)lrn_dtype_size(v->dtype);
}

static void drop_dim(lrn_view *v, int d) {
  for (; d + 1 < v->nd; d++) {
    v->size[d] = v->size[d + 1];
    v->stride[d] = v->stride[d + 1];
  }
  v->nd--;
}

static void insert_dim(lrn_view *v, int at, int64_t size, int64_t stride) {
  for (int d = v->nd; d > at; d--) {
    v->size[d] = v->size[d - 1];
    v->stride[d] = v->stride[d - 1];
  }
  v->size[at] = size;
  v->stride[at] = stride;
  v->nd++;
}

int lrn_tensor_alias(lrn_tensor **out, const lrn_tensor *t) {
  return lrn_tensor_over(out, t->storage, &t->view);
}

int lrn_tensor_slice(lrn_tensor **out, const lrn_tensor *t, int d, int64_t start, int64_t len,
                     int64_t step) {
  lrn_view v = t->view;
  char text[LRN_SHAPE_MAX];
  int64_t last;
  LRN_TRY(check_dim(t, d, "slice"));
  if (step == 0)
    return lrn_fail(LRN_EVALUE, "slice: step: got 0");
  if (len < 0 || start < 0 || start > v.size[d] || (len > 0 && start == v.size[d]) ||
      (len > 1 && (__builtin_mul_overflow(len - 1, step, &last) ||
                   __builtin_add_overflow(last, start, &last) || last < 0 || last >= v.size[d])))
    return lrn_fail(LRN_EVALUE, "slice: %lld elements from %lld, step %lld, on dimension %d of %s",
                    (long long)len, (long long)start, (long long)step, d,
                    lrn_tensor_text(text, t));
  if (len > 0)
    move(&v, start * v.stride[d]);
  v.size[d] = len;
  if (len > 1)
    v.stride[d] *= step;
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_narrow(lrn_tensor **out, const lrn_tensor *t, int d, int64_t start,
                      int64_t len) {
  char text[LRN_SHAPE_MAX];
  LRN_TRY(check_dim(t, d, "narrow"));
  if (start < 0 || len < 0 || start > t->view.size[d] - len)
    return lrn_fail(LRN_EVALUE, "narrow: %lld elements from %lld on dimension %d of %s",
                    (long long)len, (long long)start, d, lrn_tensor_text(text, t));
  return lrn_tensor_slice(out, t, d, start, len, 1);
}

int lrn_tensor_select(lrn_tensor **out, const lrn_tensor *t, int d, int64_t i) {
  lrn_view v = t->view;
  char text[LRN_SHAPE_MAX];
  LRN_TRY(check_dim(t, d, "select"));
  if (i < 0 || i >= v.size[d])
    return lrn_fail(LRN_EVALUE, "select: index %lld on dimension %d of %s", (long long)i, d,
                    lrn_tensor_text(text, t));
  move(&v, i * v.stride[d]);
  drop_dim(&v, d);
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_permute(lrn_tensor **out, const lrn_tensor *t, const int *dims) {
  lrn_view v = t->view;
  char text[LRN_SHAPE_MAX];
  unsigned seen = 0;
  for (int d = 0; d < v.nd; d++) {
    if (dims[d] < 0 || dims[d] >= v.nd || (seen >> dims[d] & 1))
      return lrn_fail(LRN_ESHAPE, "permute: the dimensions are no permutation of the %d of %s",
                      v.nd, lrn_tensor_text(text, t));
    seen |= 1u << dims[d];
    v.size[d] = t->view.size[dims[d]];
    v.stride[d] = t->view.stride[dims[d]];
  }
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_transpose(lrn_tensor **out, const lrn_tensor *t, int d1, int d2) {
  int dims[LRN_MAXDIM];
  LRN_TRY(check_dim(t, d1, "transpose"));
  LRN_TRY(check_dim(t, d2, "transpose"));
  for (int d = 0; d < t->view.nd; d++)
    dims[d] = d == d1 ? d2 : d == d2 ? d1 : d;
  return lrn_tensor_permute(out, t, dims);
}

/* Replaces a -1 in size, and checks the number of elements. */
static int resolve_shape(int64_t size[LRN_MAXDIM], const lrn_tensor *t, int nd,
                         const int64_t *want, const char *f) {
  char shape[LRN_SHAPE_MAX], text[LRN_SHAPE_MAX];
  int64_t known = 1, n = lrn_tensor_numel(t);
  int open = -1;
  if (nd < 0 || nd > LRN_MAXDIM)
    return lrn_fail(LRN_ESHAPE, "%s: got %d dimensions, expected 0 to %d", f, nd, LRN_MAXDIM);
  for (int d = 0; d < nd; d++) {
    size[d] = want[d];
    if (want[d] == -1 && open < 0)
      open = d;
    else if (want[d] < 0 || !lrn_mul(&known, known, want[d], (int64_t)1 << 47))
      return lrn_fail(LRN_ESHAPE, "%s: %s to %s", f, lrn_tensor_text(text, t),
                      lrn_shape_text(shape, nd, want));
  }
  if (open >= 0 && known > 0 && n % known == 0)
    size[open] = n / known;
  else if (open >= 0 || known != n)
    return lrn_fail(LRN_ESHAPE, "%s: %s to %s: %lld elements", f, lrn_tensor_text(text, t),
                    lrn_shape_text(shape, nd, want), (long long)n);
  return LRN_OK;
}

/* Strides that give new->size over the elements of v in row-major order; 0 where there are none.
   v's dimensions form runs of one stride; the new sizes, from the last on, must fill each run. */
static int view_strides(lrn_view *new, const lrn_view *v) {
  int e = new->nd - 1;
  if (lrn_view_numel(v) == 0) {
    lrn_set_contiguous(new);
    return 1;
  }
  for (int d = v->nd - 1; d >= 0;) {
    int64_t run = 1, have = 1, stride = v->stride[d];
    if (v->size[d] == 1) {
      d--;
      continue;
    }
    for (; d >= 0 && (v->size[d] == 1 || v->stride[d] == stride * run); d--)
      run *= v->size[d];
    for (; e >= 0 && have < run; e--) {
      new->stride[e] = stride * have;
      have *= new->size[e];
    }
    if (have != run)
      return 0;
  }
  for (; e >= 0; e--)
    new->stride[e] = 1;
  return 1;
}

int lrn_tensor_view(lrn_tensor **out, const lrn_tensor *t, int nd, const int64_t *size) {
  lrn_view v = {.data = t->view.data, .dtype = t->view.dtype, .nd = nd};
  char shape[LRN_SHAPE_MAX], text[LRN_SHAPE_MAX];
  LRN_TRY(resolve_shape(v.size, t, nd, size, "view"));
  if (lrn_view_is_contiguous(&t->view))
    lrn_set_contiguous(&v);
  else if (!view_strides(&v, &t->view))
    return lrn_fail(LRN_ESHAPE, "view: %s to %s: the strides do not allow it; use reshape",
                    lrn_tensor_text(text, t), lrn_shape_text(shape, nd, v.size));
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_reshape(lrn_tensor **out, const lrn_tensor *t, int nd, const int64_t *size) {
  lrn_view v = {.data = t->view.data, .dtype = t->view.dtype, .nd = nd};
  lrn_tensor *packed;
  int st;
  LRN_TRY(resolve_shape(v.size, t, nd, size, "reshape"));
  if (lrn_view_is_contiguous(&t->view))
    lrn_set_contiguous(&v);
  else if (!view_strides(&v, &t->view)) {
    LRN_TRY(lrn_tensor_clone(&packed, t));
    st = lrn_tensor_view(out, packed, nd, v.size);
    lrn_tensor_free(packed);
    return st;
  }
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_expand(lrn_tensor **out, const lrn_tensor *t, int nd, const int64_t *size) {
  lrn_view v = t->view;
  char shape[LRN_SHAPE_MAX], text[LRN_SHAPE_MAX];
  int64_t want[LRN_MAXDIM], n;
  int shift = nd - v.nd, fits = shift >= 0;
  if (nd > LRN_MAXDIM)
    return lrn_fail(LRN_ESHAPE, "expand: got %d dimensions, expected at most %d", nd, LRN_MAXDIM);
  for (int d = 0; d < nd && fits; d++) {
    want[d] = size[d] == -1 && d >= shift ? v.size[d - shift] : size[d];
    fits = want[d] >= 0 && (d < shift || v.size[d - shift] == want[d] || v.size[d - shift] == 1);
  }
  if (!fits)
    return lrn_fail(LRN_ESHAPE, "expand: %s to %s", lrn_tensor_text(text, t),
                    lrn_shape_text(shape, nd > 0 ? nd : 0, size));
  LRN_TRY(lrn_check_shape(&n, nd, want, v.dtype, "expand"));
  v = lrn_broadcast_view(&v, nd, want);
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_unsqueeze(lrn_tensor **out, const lrn_tensor *t, int d) {
  lrn_view v = t->view;
  if (v.nd == LRN_MAXDIM)
    return lrn_fail(LRN_ESHAPE, "unsqueeze: got %d dimensions, expected fewer", v.nd);
  if (d < 0 || d > v.nd)
    return lrn_fail(LRN_ESHAPE, "unsqueeze: dimension %d into %d dimensions", d, v.nd);
  insert_dim(&v, d, 1, d < v.nd ? v.stride[d] * v.size[d] : 1);
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_squeeze(lrn_tensor **out, const lrn_tensor *t, int d) {
  lrn_view v = t->view;
  if (d >= 0) {
    LRN_TRY(check_dim(t, d, "squeeze"));
    if (v.size[d] == 1)
      drop_dim(&v, d);
  } else
    for (int i = v.nd - 1; i >= 0; i--)
      if (v.size[i] == 1)
        drop_dim(&v, i);
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_unfold(lrn_tensor **out, const lrn_tensor *t, int d, int64_t size, int64_t step) {
  lrn_view v = t->view;
  char text[LRN_SHAPE_MAX];
  LRN_TRY(check_dim(t, d, "unfold"));
  if (size < 1 || step < 1 || size > v.size[d] || v.nd == LRN_MAXDIM)
    return lrn_fail(LRN_EVALUE, "unfold: windows of %lld every %lld over %lld positions of %s",
                    (long long)size, (long long)step, (long long)v.size[d],
                    lrn_tensor_text(text, t));
  insert_dim(&v, v.nd, size, v.stride[d]);
  v.size[d] = (v.size[d] - size) / step + 1;
  if (v.size[d] > 1) /* else the step may be anything */
    v.stride[d] *= step;
  return lrn_tensor_over(out, t->storage, &v);
}

int lrn_tensor_diagonal(lrn_tensor **out, const lrn_tensor *t, int64_t offset, int d1, int d2) {
  lrn_view v = t->view;
  int64_t rows, columns, n, stride;
  LRN_TRY(check_dim(t, d1, "diagonal"));
  LRN_TRY(check_dim(t, d2, "diagonal"));
  if (d1 == d2)
    return lrn_fail(LRN_ESHAPE, "diagonal: one dimension twice");
  rows = v.size[d1] + (offset < 0 ? offset : 0);
  columns = v.size[d2] - (offset > 0 ? offset : 0);
  n = rows < columns ? rows : columns;
  if (n < 0)
    n = 0;
  if (n > 0)
    move(&v, offset < 0 ? -offset * v.stride[d1] : offset * v.stride[d2]);
  stride = v.stride[d1] + v.stride[d2];
  drop_dim(&v, d1 > d2 ? d1 : d2);
  drop_dim(&v, d1 > d2 ? d2 : d1);
  insert_dim(&v, v.nd, n, stride);
  return lrn_tensor_over(out, t->storage, &v);
}

/* ===} */
