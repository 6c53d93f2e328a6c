/*
** mem.h - the one allocator of the engine: counted, checked for overflow, and able
** to fail on request (lrn_memory_fail), so that tests can walk every failure.
*/
#ifndef LRN_BASE_MEM_H
#define LRN_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "lrn.h"

/* Alignment of every block: a cache line, and the widest vector register. */
#define LRN_ALIGN 64

/* No message is set by these two: the caller knows what the memory was for. */
void *lrn_malloc(size_t size); /* 64-byte aligned, contents undefined; NULL on failure */
void *lrn_calloc(size_t n, size_t size);
LRN_API void lrn_free(void *p); /* the binding frees with it what io/ allocated */

/* *out = n zeroed elements; LRN_ENOMEM with a message naming `function` and the bytes. */
int lrn_alloc(void **out, size_t n, size_t size, const char *function);

/* *out = a * b; 0 where that overflows or exceeds `limit`, else 1. All >= 0. */
int lrn_mul(int64_t *out, int64_t a, int64_t b, int64_t limit);

#endif
