/*
** status.h - how the engine reports failure: a code returned, a message kept per
** thread. lrn.h declares lrn_fail; here are the helpers that the engine itself uses.
*/
#ifndef LRN_BASE_STATUS_H
#define LRN_BASE_STATUS_H

#include "lrn.h"

/* Propagate a failure of `call`, whose message already stands. */
#define LRN_TRY(call)                   \
  do {                                  \
    int lrn_try_status = (call);        \
    if (lrn_try_status != LRN_OK)       \
      return lrn_try_status;            \
  } while (0)

/* The same in a function whose cleanup stands behind the label `done` and whose status is `st`. */
#define LRN_GO(call)              \
  do {                            \
    st = (call);                  \
    if (st != LRN_OK)             \
      goto done;                  \
  } while (0)

/* An invariant of our own; a caller's mistake is a status instead. */
#ifdef LRN_ASSERTS
#include <assert.h>
#define lrn_assert(e) assert(e)
#else
#define lrn_assert(e) ((void)0)
#endif

/* Failure of a system call on `what` (a path): LRN_EIO with errno's text. errnum is errno. */
LRN_API int lrn_fail_errno(int errnum, const char *function, const char *what);

/* "[2, 3]" into buf, and its address; cut short with "..." where it does not fit. */
#define LRN_SHAPE_MAX 160
LRN_API const char *lrn_shape_text(char buf[LRN_SHAPE_MAX], int nd, const int64_t *size);

#endif
