/*
** storage.c - reference-counted bytes, and the tensors that are made of new ones.
*/
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "tensor/tensor.h"

static const struct {
  const char *name, *alias;
  size_t size;
} dtypes[LRN_DTYPES] = {
#define DTYPE(D, TYPE, name, alias, kind) {name, alias, sizeof(TYPE)},
#include "kernel/dtype.def"
#undef DTYPE
};

const char *lrn_dtype_name(int dtype) {
  return dtype >= 0 && dtype < LRN_DTYPES ? dtypes[dtype].name : "?";
}
size_t lrn_dtype_size(int dtype) {
  return dtype >= 0 && dtype < LRN_DTYPES ? dtypes[dtype].size : 0;
}

int lrn_dtype_parse(int *dtype, const char *name) {
  for (int d = 0; d < LRN_DTYPES; d++)
    if (strcmp(name, dtypes[d].name) == 0 || strcmp(name, dtypes[d].alias) == 0) {
      *dtype = d;
      return LRN_OK;
    }
  return lrn_fail(LRN_EARG,
                  "dtype: '%s' is none; valid: float32 float64 int64 int32 uint8 bool "
                  "(f32 f64 i64 i32 u8 b)",
                  name);
}

/* The array API's table for these six types; where it leaves a mix open (integer with float),
   the float's, as for Lua numbers. */
int lrn_dtype_promote(int a, int b) {
  static const signed char rank[LRN_DTYPES] = {4, 5, 3, 2, 1, 0};
  return rank[a] >= rank[b] ? a : b;
}

int lrn_storage_new(lrn_storage **out, size_t bytes, const lrn_device *device,
                    const char *function) {
  lrn_storage *s = lrn_calloc(1, sizeof *s);
  int st = LRN_ENOMEM;
  if (s != NULL) {
    if (device == NULL)
      device = lrn_device_cpu();
    s->device = device;
    s->bytes = bytes;
    atomic_init(&s->references, 1);
    st = device->backend.alloc(&s->data, bytes > 0 ? bytes : 1);
  }
  if (st == LRN_ENOMEM) {
    lrn_memory m;
    lrn_memory_stats(&m);
    lrn_free(s);
    return lrn_fail(LRN_ENOMEM, "%s: out of memory: %zu bytes asked on %s, %lld live on the host",
                    function, bytes, device != NULL ? device->name : "cpu",
                    (long long)m.live_bytes);
  }
  if (st != LRN_OK) {
    lrn_free(s);
    return st;
  }
  *out = s;
  return LRN_OK;
}

void lrn_storage_unref(lrn_storage *s) {
  if (s == NULL || atomic_fetch_sub(&s->references, 1) != 1)
    return;
  if (s->wrapped) {
    if (s->release != NULL)
      s->release(s->ud);
  } else
    s->device->backend.free(s->data);
  lrn_free(s);
}

int lrn_check_shape(int64_t *n, int nd, const int64_t *size, int dtype, const char *function) {
  char text[LRN_SHAPE_MAX];
  int64_t count = 1, limit = ((int64_t)1 << 47) / (int64_t)lrn_dtype_size(dtype);
  int empty = 0;
  if (nd < 0 || nd > LRN_MAXDIM)
    return lrn_fail(LRN_ESHAPE, "%s: got %d dimensions, expected 0 to %d", function, nd,
                    LRN_MAXDIM);
  for (int d = 0; d < nd; d++) {
    if (size[d] < 0)
      return lrn_fail(LRN_ESHAPE, "%s: size: got %s, expected sizes >= 0", function,
                      lrn_shape_text(text, nd, size));
    empty |= size[d] == 0;
  }
  for (int d = 0; d < nd; d++) /* zeros do not excuse an absurd rest */
    if (size[d] > 0 && !lrn_mul(&count, count, size[d], limit))
      return lrn_fail(LRN_ESHAPE, "%s: size: got %s, which is more than 2^47 bytes", function,
                      lrn_shape_text(text, nd, size));
  *n = empty ? 0 : count;
  return LRN_OK;
}

void lrn_set_contiguous(lrn_view *v) {
  int64_t stride = 1;
  for (int d = v->nd - 1; d >= 0; d--) {
    v->stride[d] = stride;
    stride *= v->size[d] > 0 ? v->size[d] : 1;
  }
}

int lrn_tensor_over(lrn_tensor **out, lrn_storage *s, const lrn_view *view) {
  lrn_tensor *t = lrn_malloc(sizeof *t);
  if (t == NULL)
    return lrn_fail(LRN_ENOMEM, "tensor: out of memory: %zu bytes asked", sizeof *t);
  atomic_fetch_add(&s->references, 1);
  t->storage = s;
  t->view = *view;
  *out = t;
  return LRN_OK;
}

int lrn_tensor_new(lrn_tensor **out, int dtype, int nd, const int64_t *size,
                   const lrn_device *device) {
  lrn_view v = {.dtype = dtype, .nd = nd};
  lrn_storage *s;
  int64_t n;
  int st;
  if (lrn_dtype_size(dtype) == 0)
    return lrn_fail(LRN_EARG, "tensor: %d is no dtype", dtype);
  LRN_TRY(lrn_check_shape(&n, nd, size, dtype, "tensor"));
  if (nd > 0)
    memcpy(v.size, size, (size_t)nd * sizeof *size);
  lrn_set_contiguous(&v);
  LRN_TRY(lrn_storage_new(&s, (size_t)n * lrn_dtype_size(dtype), device, "tensor"));
  v.data = s->data;
  st = lrn_tensor_over(out, s, &v);
  lrn_storage_unref(s);
  return st;
}

/* Whether strides keep every element within 2^47 bytes of data. */
static int check_strides(int nd, const int64_t *size, const int64_t *stride, int dtype) {
  int64_t limit = ((int64_t)1 << 47) / (int64_t)lrn_dtype_size(dtype), reach = 0;
  for (int d = 0; d < nd; d++) {
    int64_t step = stride[d] < 0 ? -(stride[d] + 1) : stride[d], span;
    if (size[d] > 1 && (!lrn_mul(&span, size[d] - 1, step, limit) || (reach += span) > limit))
      return lrn_fail(LRN_ESHAPE, "tensor_wrap: stride: got %lld on dimension %d of size %lld: "
                      "more than 2^47 bytes", (long long)stride[d], d, (long long)size[d]);
  }
  return LRN_OK;
}

static int wrap(lrn_tensor **out, void *data, int dtype, int nd, const int64_t *size,
                const int64_t *stride, void (*release)(void *ud), void *ud, int readonly) {
  lrn_view v = {.dtype = dtype, .nd = nd, .data = data};
  lrn_storage *s;
  int64_t n, low = 0, high = 0;
  int st;
  if (lrn_dtype_size(dtype) == 0)
    return lrn_fail(LRN_EARG, "tensor_wrap: %d is no dtype", dtype);
  LRN_TRY(lrn_check_shape(&n, nd, size, dtype, "tensor_wrap"));
  if (data == NULL && n > 0)
    return lrn_fail(LRN_EVALUE, "tensor_wrap: data: got NULL for %lld elements", (long long)n);
  if ((uintptr_t)data % lrn_dtype_size(dtype) != 0)
    return lrn_fail(LRN_EVALUE, "tensor_wrap: data: not aligned for %s", lrn_dtype_name(dtype));
  if (stride != NULL && n > 0)
    LRN_TRY(check_strides(nd, size, stride, dtype));
  if (nd > 0)
    memcpy(v.size, size, (size_t)nd * sizeof *size);
  if (stride != NULL && nd > 0)
    memcpy(v.stride, stride, (size_t)nd * sizeof *stride);
  else
    lrn_set_contiguous(&v);
  s = lrn_calloc(1, sizeof *s);
  if (s == NULL)
    return lrn_fail(LRN_ENOMEM, "tensor_wrap: out of memory: %zu bytes asked", sizeof *s);
  if (n > 0)
    lrn_view_extent(&v, &low, &high);
  s->device = lrn_device_cpu();
  s->data = data;
  s->bytes = (size_t)(high - low);
  s->wrapped = 1;
  s->readonly = readonly;
  atomic_init(&s->references, 1);
  st = lrn_tensor_over(out, s, &v);
  if (st == LRN_OK) { /* only now does the release belong to the storage */
    s->release = release;
    s->ud = ud;
  }
  lrn_storage_unref(s);
  return st;
}

int lrn_tensor_wrap(lrn_tensor **out, void *data, int dtype, int nd, const int64_t *size,
                    const int64_t *stride, void (*release)(void *ud), void *ud) {
  return wrap(out, data, dtype, nd, size, stride, release, ud, 0);
}

int lrn_tensor_wrap_const(lrn_tensor **out, const void *data, int dtype, int nd,
                          const int64_t *size, const int64_t *stride, void (*release)(void *ud),
                          void *ud) {
  return wrap(out, (void *)(uintptr_t)data, dtype, nd, size, stride, release, ud, 1);
}

void lrn_tensor_free(lrn_tensor *t) {
  if (t == NULL)
    return;
  lrn_storage_unref(t->storage);
  lrn_free(t);
}
