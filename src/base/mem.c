/*
** mem.c - counted allocation, with a cache of large freed blocks.
**
** Each block is preceded by one alignment unit that holds its size and how much fits:
**
**     | size room ...pad... | user data ... |
**     ^ from aligned_alloc                  ^ returned, 64-byte aligned
**
** The counters are the sum over all live blocks; `countdown` > 0 says how many more
** allocations succeed before one fails.
**
** A block of CACHE_LEAST and more costs a page fault every 4 KB when it comes from the system,
** which is more than most operations do with it. So freed ones are kept in a table, the oldest at
** the front: an allocation takes the smallest that fits and wastes at most a quarter. Live and cached
** bytes together are what the engine holds. Where memory of the system would take that sum over its
** peak, the oldest blocks are given back first: the cache does not raise the peak.
*/
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/status.h"

static atomic_int_fast64_t live_bytes, peak_bytes, live_blocks, allocations, cached_bytes;
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
  int_fast64_t now = atomic_fetch_add(&live_bytes, bytes) + bytes +
                     atomic_load_explicit(&cached_bytes, memory_order_relaxed);
  int_fast64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
  while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now)) {
  }
}

typedef struct header {
  size_t size; /* asked for */
  size_t room; /* >= size: without the header */
} header;

static header *header_of(void *p) { return (header *)(void *)((char *)p - LRN_ALIGN); }

/* {=== The cache === */

/* A sanitizer sees the use of a freed block only where free is called. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CACHE_START = 0 };
#define CACHE_MOST 0
#else
enum { CACHE_START = 64 << 20 };
#define CACHE_MOST INT64_MAX
#endif
enum { CACHE_LEAST = 64 << 10, CACHE_BLOCKS = 64 };

static struct {
  pthread_mutex_t lock;
  size_t limit;
  int n;
  header *block[CACHE_BLOCKS]; /* the oldest first */
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER, .limit = CACHE_START};

/* Takes block i out of the table. */
static header *cache_remove(int i) {
  header *h = cache.block[i];
  cache.n--;
  memmove(&cache.block[i], &cache.block[i + 1], (size_t)(cache.n - i) * sizeof *cache.block);
  atomic_fetch_sub(&cached_bytes, (int_fast64_t)h->room);
  return h;
}

static header *cache_take(size_t size) {
  header *h = NULL;
  int best = -1;
  pthread_mutex_lock(&cache.lock);
  for (int i = 0; i < cache.n; i++) {
    size_t room = cache.block[i]->room;
    if (room >= size && room - size <= size / 4 &&
        (best < 0 || room < cache.block[best]->room))
      best = i;
  }
  if (best >= 0)
    h = cache_remove(best);
  pthread_mutex_unlock(&cache.lock);
  return h;
}

/* Gives the oldest back until `bytes` more fit. Called with the lock. */
static void cache_make_room(size_t bytes) {
  while (cache.n > 0 && (cache.n == CACHE_BLOCKS || bytes > cache.limit ||
                         (size_t)atomic_load(&cached_bytes) > cache.limit - bytes))
    free(cache_remove(0));
}

/* 1: the block is in the cache now. */
static int cache_put(header *h) {
  int fits;
  pthread_mutex_lock(&cache.lock);
  fits = h->room <= cache.limit;
  if (fits) {
    cache_make_room(h->room);
    cache.block[cache.n++] = h;
    atomic_fetch_add(&cached_bytes, (int_fast64_t)h->room);
  }
  pthread_mutex_unlock(&cache.lock);
  return fits;
}

/* Before `bytes` come from the system. */
static void cache_yield(size_t bytes) {
  int_fast64_t allowed;
  if (atomic_load_explicit(&cached_bytes, memory_order_relaxed) == 0)
    return;
  pthread_mutex_lock(&cache.lock);
  allowed = atomic_load(&peak_bytes) - atomic_load(&live_bytes) - (int_fast64_t)bytes;
  while (cache.n > 0 && atomic_load(&cached_bytes) > allowed)
    free(cache_remove(0));
  pthread_mutex_unlock(&cache.lock);
}

void lrn_memory_set_cache(int64_t bytes) {
  pthread_mutex_lock(&cache.lock);
  cache.limit = (size_t)(bytes < 0 ? 0 : bytes > CACHE_MOST ? CACHE_MOST : bytes);
  cache_make_room(0);
  pthread_mutex_unlock(&cache.lock);
}

void lrn_memory_empty_cache(void) {
  pthread_mutex_lock(&cache.lock);
  while (cache.n > 0)
    free(cache_remove(cache.n - 1));
  pthread_mutex_unlock(&cache.lock);
}

/* ===} */

/* The system may promise more than it has, and end the process when it is used: what exceeds all
   memory and swap is refused here. Asked for large blocks only. */
static int exceeds_machine(size_t size) {
  struct sysinfo s;
  if (size < (size_t)1 << 30)
    return 0;
  if (size > SIZE_MAX / 2)
    return 1;
  return sysinfo(&s) == 0 && (size + (size_t)atomic_load(&live_bytes)) / s.mem_unit >
                               (size_t)s.totalram + s.totalswap;
}

void *lrn_malloc(size_t size) {
  header *h = NULL;
  atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
  if (lrn_memory_must_fail() || exceeds_machine(size))
    return NULL;
  if (size >= CACHE_LEAST)
    h = cache_take(size);
  if (h == NULL) {
    size_t room = (size + LRN_ALIGN - 1) / LRN_ALIGN * LRN_ALIGN;
    cache_yield(room);
    h = aligned_alloc(LRN_ALIGN, LRN_ALIGN + room);
    if (h == NULL && atomic_load(&cached_bytes) > 0) {
      lrn_memory_empty_cache();
      h = aligned_alloc(LRN_ALIGN, LRN_ALIGN + room);
    }
    if (h == NULL)
      return NULL;
    h->room = room;
  }
  h->size = size;
  atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  count((int64_t)size);
  return (char *)h + LRN_ALIGN;
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
  atomic_fetch_sub_explicit(&live_bytes, (int64_t)header_of(p)->size, memory_order_relaxed);
  if (header_of(p)->size < CACHE_LEAST || !cache_put(header_of(p)))
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
  out->cached_bytes = atomic_load(&cached_bytes);
}

void lrn_memory_reset_peak(void) {
  atomic_store(&peak_bytes, atomic_load(&live_bytes) + atomic_load(&cached_bytes));
}
