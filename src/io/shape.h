/*
** shape.h - the size in bytes of a tensor that a file describes, before it is believed.
*/
#ifndef LRN_IO_SHAPE_H
#define LRN_IO_SHAPE_H

#include "base/mem.h"
#include "lrn.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "src/io writes little-endian files by copying memory"
#endif

#define SHAPE_LIMIT ((int64_t)1 << 47) /* that of lrn_tensor_new */

/* *bytes = the elements' size; 0 where a size is negative, or the product is above the limit even
   with ones for zeros: the strides of 0 x 2^40 x 2^40 overflow too. */
static inline int shape_bytes(int64_t *bytes, int dtype, int nd, const int64_t *size) {
  int64_t n = (int64_t)lrn_dtype_size(dtype);
  int empty = 0;
  for (int d = 0; d < nd; d++) {
    if (size[d] < 0 || !lrn_mul(&n, n, size[d] > 0 ? size[d] : 1, SHAPE_LIMIT))
      return 0;
    empty |= size[d] == 0;
  }
  *bytes = empty ? 0 : n;
  return 1;
}

#endif
