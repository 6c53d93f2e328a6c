/*
** mem.c - counted allocation.
**
** Each block is preceded by one alignment unit that holds its size:
**
**     | size ...pad... | user data ... |
**     ^ from aligned_alloc             ^ returned, 64-byte aligned
**
** The counters are the sum over all live blocks; `countdown` > 0 says how many more
** allocations succeed before one fails.
*/
#include "base/mem.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

static atomic_int_fast64_t live_bytes, peak_bytes, live_blocks, allocations;
static atomic_int_fast64_t countdown; /* 0: off */
static atomic_int fail_all;           /* 1: all fail once the countdown has run out */
static atomic_int failing;

int lrn_memory_must_fail(void) {
  if (atomic_load_explicit(&failing, memory_order_relaxed))
    return 1;
  if (atomic_load_explicit(&countdown, memory_order_relaxed) == 0)
    return 0;
  if (atomic_fetch_sub(&countdown, 1) != 1)
    return 0;
  if (atomic_load(&fail_all))
    atomic_store(&failing, 1);
  return 1;
}

void lrn_memory_fail(int64_t n, int mode) {
  atomic_store(&failing, 0);
  atomic_store(&fail_all, mode);
  atomic_store(&countdown, n > 0 ? n : 0);
}

static void count(int64_t bytes) {
  int_fast64_t now = atomic_fetch_add(&live_bytes, bytes) + bytes;
  int_fast64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now)) {
  }
}

static size_t *header_of(void *p) { return (size_t *)(void *)((char *)p - LRN_ALIGN); }

void *lrn_malloc(size_t size) {
  size_t total;
  char *base;
  atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
  if (lrn_memory_must_fail() || size > SIZE_MAX / 2)
    return NULL;
  total = (size + 2 * LRN_ALIGN - 1) / LRN_ALIGN * LRN_ALIGN;
  base = aligned_alloc(LRN_ALIGN, total);
  if (base == NULL)
    return NULL;
  *(size_t *)(void *)base = size;
  atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  count((int64_t)size);
  return base + LRN_ALIGN;
}

void *lrn_calloc(size_t n, size_t size) {
  size_t total;
  void *p;
  if (__builtin_mul_overflow(n, size, &total))
    return NULL;
  p = lrn_malloc(total);
  if (p != NULL)
    memset(p, 0, total);
  return p;
}

void lrn_free(void *p) {
  if (p == NULL)
    return;
  atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
  atomic_fetch_sub_explicit(&live_bytes, (int64_t)*header_of(p), memory_order_relaxed);
  free(header_of(p));
}

int lrn_alloc(void **out, size_t n, size_t size, const char *function) {
  void *p = lrn_calloc(n, size);
  if (p == NULL)
    return lrn_fail(LRN_ENOMEM, "%s: out of memory: %zu x %zu bytes asked, %lld live",
                    function, n, size, (long long)atomic_load(&live_bytes));
  *out = p;
  return LRN_OK;
}

int lrn_mul(int64_t *out, int64_t a, int64_t b, int64_t limit) {
  return !__builtin_mul_overflow(a, b, out) && *out <= limit;
}

void lrn_memory_stats(lrn_memory *out) {
  out->live_bytes = atomic_load(&live_bytes);
  out->peak_bytes = atomic_load(&peak_bytes);
  out->live_blocks = atomic_load(&live_blocks);
  out->allocations = atomic_load(&allocations);
}

void lrn_memory_reset_peak(void) { atomic_store(&peak_bytes, atomic_load(&live_bytes)); }
