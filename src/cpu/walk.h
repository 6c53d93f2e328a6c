/*
** walk.h - several strided arrays of one shape, walked together: dimensions of size 1
** dropped, neighbours that all arrays can treat as one merged, and the rest cut into
** tasks for the pool.
*/
#ifndef LRN_CPU_WALK_H
#define LRN_CPU_WALK_H

#include "device/backend.h"

#define LRN_WALK_ARRAYS 4

typedef struct lrn_walk {
  int arrays, nd;               /* nd >= 1; the last dimension is the inner loop */
  int64_t size[LRN_MAXDIM];
  char *data[LRN_WALK_ARRAYS];
  int64_t stride[LRN_WALK_ARRAYS][LRN_MAXDIM]; /* in elements */
  size_t item[LRN_WALK_ARRAYS]; /* bytes an element */
  int64_t rows;                 /* product of the outer dimensions */
} lrn_walk;

/* views[i] NULL: an operand that does not move, at data scalar[i]. views[0] is never NULL and has
   the shape. reorder: dimensions may be exchanged (the order of elements does not matter). */
void lrn_walk_init(lrn_walk *w, int arrays, const lrn_view *const *views,
                   const void *const *scalars, int reorder);

/* f is called for runs of n > 0 elements along the inner dimension, from several threads; it
   gets the arrays' addresses and inner strides. A negative return ends the walk soon and is
   returned (one of them, where several fail); else 0. */
typedef int (*lrn_walk_fn)(void *context, int64_t n, char *const *data, const int64_t *stride);
int lrn_walk_run(const lrn_walk *w, lrn_walk_fn f, void *context);
/* The same in row-major order, by the calling thread alone. */
int lrn_walk_in_order(const lrn_walk *w, lrn_walk_fn f, void *context);

#endif
