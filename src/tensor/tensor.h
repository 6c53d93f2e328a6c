/*
** tensor.h - tensors from the inside, for tensor/ and model/.
*/
#ifndef LRN_TENSOR_TENSOR_H
#define LRN_TENSOR_TENSOR_H

#include <stdatomic.h>

#include "base/status.h"
#include "device/backend.h"

/* Bytes that views share. Freed with the last reference; memory that was wrapped is given back
   through `release` instead. */
typedef struct lrn_storage {
  atomic_int references;
  const lrn_device *device;
  void *data;
  size_t bytes;
  int wrapped;
  int readonly; /* wrapped for reading alone */
  void (*release)(void *ud);
  void *ud;
} lrn_storage;

struct lrn_tensor {
  lrn_storage *storage;
  lrn_view view; /* view.data is the address of element (0, ..., 0) */
};

/* New storage on device, contents undefined; `function` names the caller in the message. */
int lrn_storage_new(lrn_storage **out, size_t bytes, const lrn_device *device,
                    const char *function);
void lrn_storage_unref(lrn_storage *s);

/* A header over storage, with a reference of its own. */
int lrn_tensor_over(lrn_tensor **out, lrn_storage *s, const lrn_view *view);

/* *n = number of elements; LRN_ESHAPE for a bad nd, a negative size, or more than 2^47 bytes. */
int lrn_check_shape(int64_t *n, int nd, const int64_t *size, int dtype, const char *function);

/* Contiguous strides for view->size. */
void lrn_set_contiguous(lrn_view *view);
int lrn_view_is_contiguous(const lrn_view *v);
int64_t lrn_view_numel(const lrn_view *v);
/* lowest and highest byte that a view touches, as offsets from its data; numel > 0 */
void lrn_view_extent(const lrn_view *v, int64_t *low, int64_t *high);
int lrn_views_overlap(const lrn_view *a, const lrn_view *b);

/* NumPy's rule; LRN_ESHAPE names both shapes. `size` is in and out. */
int lrn_broadcast_shape(int *nd, int64_t size[LRN_MAXDIM], const lrn_view *v,
                        const char *function);
/* v seen in a larger shape; the shapes were checked */
lrn_view lrn_broadcast_view(const lrn_view *v, int nd, const int64_t *size);

/* LRN_ESTATE where t may not be written to. */
int lrn_check_writable(const lrn_tensor *t, const char *function);
/* Also LRN_ESHAPE where several positions of t are one element: which write would it hold? */
int lrn_check_target(const lrn_tensor *t, const char *function);

/* Integers that float32 cannot hold. */
static inline int lrn_is_wide_integer(int dtype) { return dtype == LRN_I64 || dtype == LRN_I32; }

/* dst = src, both of one shape and device; dtypes may differ. */
int lrn_copy_views(const lrn_device *device, const lrn_view *dst, const lrn_view *src);

/* A new contiguous tensor with the values of v (on `device`). */
int lrn_pack(lrn_tensor **out, const lrn_device *device, const lrn_view *v);

/* "float32[2, 3]" */
const char *lrn_tensor_text(char buf[LRN_SHAPE_MAX], const lrn_tensor *t);

#endif
