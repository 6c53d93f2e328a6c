/*
** mem_test.c - the cache of freed blocks: what it gives out, what it keeps, what it counts.
*/
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"

enum { KB = 1024, MB = 1024 * 1024 };

static lrn_memory now(void) {
  lrn_memory m;
  lrn_memory_stats(&m);
  return m;
}

/* 0 under a sanitizer, which must see what is freed. */
static int keeps_blocks(void) {
  int64_t cached;
  lrn_free(lrn_malloc(MB));
  cached = now().cached_bytes;
  lrn_memory_empty_cache();
  return cached > 0;
}

static void test_reuse(void) {
  char *p, *q;
  int64_t live;
  lrn_free(lrn_malloc(16 * MB)); /* below the peak nothing is given back */
  lrn_memory_empty_cache();
  p = lrn_malloc(MB);
  live = now().live_bytes;
  memset(p, 1, MB);
  lrn_free(p);
  CHECK(now().live_bytes == live - MB, "%lld live", (long long)now().live_bytes);
  CHECK(now().cached_bytes == MB, "%lld cached", (long long)now().cached_bytes);
  q = lrn_malloc(2 * MB);
  CHECK(now().cached_bytes == MB, "a block that is too small was taken");
  lrn_free(q);
  q = lrn_malloc(MB / 2);
  CHECK(q != p && now().cached_bytes == 3 * MB, "a block twice as large was taken");
  lrn_free(q);
  q = lrn_malloc(MB - 100 * KB);
  CHECK(q == p, "the block that fits was not taken");
  CHECK((uintptr_t)q % LRN_ALIGN == 0, "not aligned");
  lrn_free(q);
  q = lrn_calloc(1, MB);
  CHECK(q == p && q[0] == 0 && q[MB - 1] == 0, "calloc gave what was left in the block");
  lrn_free(q);
  lrn_memory_empty_cache();
  CHECK(now().cached_bytes == 0, "%lld cached", (long long)now().cached_bytes);
}

static void test_limit(void) {
  void *p[40];
  lrn_memory_set_cache(10 * MB);
  for (int i = 0; i < 40; i++)
    p[i] = lrn_malloc(MB);
  for (int i = 0; i < 40; i++) {
    lrn_free(p[i]);
    CHECK(now().cached_bytes <= 10 * MB, "%lld cached", (long long)now().cached_bytes);
  }
  CHECK(now().cached_bytes == 10 * MB, "%lld cached", (long long)now().cached_bytes);
  lrn_memory_set_cache(3 * MB);
  CHECK(now().cached_bytes == 3 * MB, "%lld cached", (long long)now().cached_bytes);
  lrn_free(lrn_malloc(4 * MB)); /* larger than the limit */
  CHECK(now().cached_bytes <= 3 * MB, "%lld cached", (long long)now().cached_bytes);
  lrn_memory_set_cache(0);
  CHECK(now().cached_bytes == 0, "%lld cached", (long long)now().cached_bytes);
  lrn_memory_set_cache(64 * MB);
}

/* Sizes that change all the time: what is kept does not add to the peak. */
static void test_peak(void) {
  void *p = lrn_malloc(20 * MB);
  int64_t start;
  lrn_free(p);
  lrn_memory_empty_cache();
  lrn_memory_reset_peak();
  start = now().live_bytes;
  for (int i = 0; i < 2000; i++) {
    p = lrn_malloc((size_t)(i * 7919 % 5000 + 64) * KB);
    lrn_free(p);
  }
  CHECK(now().peak_bytes - start <= 6 * MB, "%lld", (long long)(now().peak_bytes - start));
  CHECK(now().live_bytes == start, "%lld", (long long)(now().live_bytes - start));
  lrn_memory_empty_cache();
}

static void test_refusals(void) {
  void *p;
  CHECK(lrn_malloc(SIZE_MAX) == NULL && lrn_malloc(SIZE_MAX - 100) == NULL, "all addresses");
  CHECK(lrn_malloc((size_t)1 << 46) == NULL, "more than any machine has");
  CHECK(lrn_calloc(SIZE_MAX / 2, 3) == NULL, "a product that overflows");
  lrn_free(lrn_malloc(MB));
  lrn_memory_fail(1, 0); /* a block of the cache must fail as well */
  p = lrn_malloc(MB);
  CHECK(p == NULL, "the allocation that had to fail");
  lrn_memory_fail(0, 0);
  lrn_memory_empty_cache();
}

int main(void) {
  if (keeps_blocks()) {
    test_reuse();
    test_limit();
    test_peak();
  }
  test_refusals();
  return check_done();
}
