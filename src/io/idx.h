/*
** idx.h - IDX from memory, for lrn_idx_load and for fuzzers.
*/
#ifndef LRN_IO_IDX_H
#define LRN_IO_IDX_H

#include <stddef.h>

#include "lrn.h"

/* From n bytes, plain or gzip; `name` stands in messages for the path. */
LRN_API int lrn_idx_parse(lrn_tensor **out, const void *bytes, size_t n, const char *name);

#endif
