/*
** random_test.c: the vectors of numerics.md, through kernel/philox.h and through lrn_random
** Also what the keys promise: draws depend on (seed, step, stream, draw, element) and on nothing else.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "kernel/philox.h"
#include "lrn.h"

static void must(int status) {
  CHECK(status == LRN_OK, "%s", lrn_error_message());
  if (status != LRN_OK)
    exit(check_done());
}

static lrn_tensor *drawn(int dtype, int64_t n, int dist, double a, double b, lrn_key key) {
  lrn_tensor *t = NULL;
  must(lrn_tensor_new(&t, dtype, 1, &n, NULL));
  must(lrn_random(t, dist, a, b, key));
  return t;
}

static double at(const lrn_tensor *t, int64_t i) {
  double v = 0;
  must(lrn_tensor_get(&v, t, &i));
  return v;
}

static void test_known_answers(void) {
  static const struct {
    uint32_t in, words[4];
  } known[] = {{0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
               {~0u, {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}}};
  for (int i = 0; i < 2; i++) {
    uint32_t x = known[i].in;
    lrn_draw d = {x, x, x, x, x};
    lrn_block b = lrn_philox(d, x);
    for (int k = 0; k < 4; k++)
      CHECK(b.w[k] == known[i].words[k], "word %d: %08x", k, (unsigned)b.w[k]);
  }
}

static void test_words(void) {
  static const struct {
    lrn_key key; /* first: the element */
    uint32_t word;
    double u; /* 0: not given */
  } vectors[] = {
    {{1, 0, 1, 0, 0}, 0x127bee41u, 0.07220351696014404},
    {{1, 0, 1, 0, 1}, 0x1e047488u, 0},
    {{1, 0, 1, 0, 2}, 0x48842b20u, 0},
    {{1, 0, 1, 0, 3}, 0x0a393496u, 0},
    {{1, 0, 1, 0, 4}, 0x10cc6764u, 0},
    {{1, 0, 1, 0, 5}, 0xa9634a04u, 0},
    {{1, 0, 1, 0, 6}, 0x4506ae51u, 0},
    {{1, 0, 1, 0, 7}, 0xf15e1f53u, 0},
    {{1, 3, 2, 1, 783}, 0x7d4da286u, 0.4894658327102661},
    {{0x0123456789abcdefu, 5000000000u, 3, 2, 100352}, 0x3f3e8f06u, 0},
  };
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    lrn_key k = vectors[i].key;
    uint32_t w = vectors[i].word;
    double u = (double)(w >> 8) * 0x1p-24;
    lrn_draw d = lrn_draw_of(k.seed, k.step, k.stream, k.draw);
    CHECK(lrn_word_at(d, k.first) == w, "vector %zu: %08x", i, (unsigned)lrn_word_at(d, k.first));
    CHECK(vectors[i].u == 0 || vectors[i].u == u, "vector %zu: %.17g", i, u);
    for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++) { /* alone, and inside a longer draw */
      lrn_key earlier = k;
      lrn_tensor *one = drawn(dtype, 1, LRN_UNIFORM, 0, 1, k), *many;
      earlier.first = k.first > 700 ? k.first - 700 : 0;
      many = drawn(dtype, 1000, LRN_UNIFORM, 0, 1, earlier);
      CHECK(at(one, 0) == u, "vector %zu: %.17g", i, at(one, 0));
      CHECK(at(many, (int64_t)(k.first - earlier.first)) == u, "vector %zu in a longer draw", i);
      lrn_tensor_free(one);
      lrn_tensor_free(many);
    }
  }
}

static void test_normals(void) {
  static const double z[4] = {0.3804006458512121, -0.24923348737694584, 0.6269476490994039,
                              -0.6782717949656754};
  lrn_key k = {1, 0, 0, 0, 0};
  lrn_tensor *d = drawn(LRN_F64, 4, LRN_NORMAL, 0, 1, k), *f = drawn(LRN_F32, 4, LRN_NORMAL, 0, 1, k);
  for (int i = 0; i < 4; i++) {
    CHECK(fabs(at(d, i) - z[i]) <= 4e-16, "normal %d: %.17g", i, at(d, i));
    CHECK(fabs(at(f, i) - z[i]) <= 3e-7, "float normal %d: %.9g", i, at(f, i));
  }
  lrn_tensor_free(d);
  lrn_tensor_free(f);
}

/* first = k gives the tail of the draw that starts at 0, for every distribution and dtype. */
static void test_slices(void) {
  enum { N = 20011 };
  static const int64_t firsts[] = {1, 2, 3, 4, 5, 31, 512, 8191, 8192, 8193, 20010};
  for (int dist = LRN_UNIFORM; dist <= LRN_INTEGER; dist++)
    for (int dtype = LRN_F32; dtype < LRN_DTYPES; dtype++) {
      lrn_key k = {99, 7, 7, 1, 0};
      double a = dist == LRN_BERNOULLI ? 0.3 : 0, b = 1;
      size_t item = lrn_dtype_size(dtype);
      lrn_tensor *whole;
      if (dist <= LRN_NORMAL && dtype > LRN_F64)
        continue;
      whole = drawn(dtype, N, dist, a, b, k);
      for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        lrn_tensor *tail;
        k.first = (uint64_t)firsts[i];
        tail = drawn(dtype, N - firsts[i], dist, a, b, k);
        CHECK(memcmp(lrn_tensor_data(tail),
                     (const char *)lrn_tensor_data(whole) + (size_t)firsts[i] * item,
                     (size_t)(N - firsts[i]) * item) == 0,
              "distribution %d, %s, first %lld", dist, lrn_dtype_name(dtype), (long long)firsts[i]);
        lrn_tensor_free(tail);
      }
      lrn_tensor_free(whole);
    }
}

/* Every part of the key counts, in all of its bits. */
static void test_keys(void) {
  lrn_key base = {5, 6, 7, 8, 0};
  uint32_t first = lrn_word_at(lrn_draw_of(5, 6, 7, 8), 0);
  for (int bit = 0; bit < 64; bit++) {
    lrn_key k = base;
    CHECK(lrn_word_at(lrn_draw_of(k.seed ^ (uint64_t)1 << bit, 6, 7, 8), 0) != first, "seed %d", bit);
    if (bit < 56)
      CHECK(lrn_word_at(lrn_draw_of(5, k.step ^ (uint64_t)1 << bit, 7, 8), 0) != first, "step %d",
            bit);
    if (bit < 32)
      CHECK(lrn_word_at(lrn_draw_of(5, 6, 7, k.draw ^ 1u << bit), 0) != first, "draw %d", bit);
    if (bit < 8)
      CHECK(lrn_word_at(lrn_draw_of(5, 6, k.stream ^ 1u << bit, 8), 0) != first, "stream %d", bit);
  }
}

/* lrn_bounded against 128-bit arithmetic where the compiler has it */
static void test_bounded(void) {
#ifdef __SIZEOF_INT128__
  uint64_t r = 1, n = 3;
  int wrong = 0;
  for (int i = 0; i < 10000; i++) {
    r = r * 6364136223846793005u + 1442695040888963407u;
    n = i % 3 ? n * 2862933555777941757u + 3037000493u : (uint64_t)1 << i % 64;
    wrong += lrn_bounded(r, n) != (uint64_t)(((unsigned __int128)r * n) >> 64);
  }
  CHECK(wrong == 0, "%d of 10000", wrong);
#else
  SKIP("no 128-bit integers");
#endif
}

/* The permutation is the one of numerics.md: Fisher-Yates from the last element down. */
static void test_permutation(void) {
  enum { N = 257 };
  lrn_key k = {3, 11, LRN_STREAM_SHUFFLE, 0, 0};
  lrn_draw d = lrn_draw_of(3, 11, LRN_STREAM_SHUFFLE, 0);
  int64_t n = N, want[N];
  lrn_tensor *t = NULL;
  must(lrn_tensor_new(&t, LRN_I64, 1, &n, NULL));
  must(lrn_permutation(t, 1, k));
  for (int i = 0; i < N; i++)
    want[i] = i + 1;
  for (int i = N - 1; i > 0; i--) {
    int64_t j = (int64_t)lrn_bounded(lrn_bits_at(d, (uint64_t)i), (uint64_t)i + 1), x = want[i];
    want[i] = want[j];
    want[j] = x;
  }
  CHECK(memcmp(lrn_tensor_data(t), want, sizeof want) == 0, "another permutation");
  lrn_tensor_free(t);
}

/* Limits that no double holds, and both ways of drawing where both apply. */
static void test_integers(void) {
  static const int64_t limits[][2] = {{INT64_MIN, INT64_MAX}, {INT64_MAX - 2, INT64_MAX},
                                      {INT64_MIN, INT64_MIN}, {-5, INT64_MAX}};
  lrn_key k = {17, 0, 7, 0, 0};
  int64_t n = 4001;
  lrn_tensor *t = NULL, *u;
  const int64_t *v;
  must(lrn_tensor_new(&t, LRN_I64, 1, &n, NULL));
  v = lrn_tensor_data(t);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    int low = 0, high = 0, outside = 0;
    int64_t from = limits[i][0], to = limits[i][1];
    must(lrn_random_integer(t, from, to, k));
    for (int64_t e = 0; e < n; e++) {
      low += v[e] < from / 2 + to / 2;
      high += v[e] > from / 2 + to / 2;
      outside += v[e] < from || v[e] > to;
    }
    CHECK(outside == 0, "%d outside of %lld..%lld", outside, (long long)from, (long long)to);
    if (to / 2 - from / 2 > 100) /* 6 sigma */
      CHECK(abs(low - high) < 6 * 64, "%d below, %d above the middle", low, high);
  }
  must(lrn_random_integer(t, -7, 1000000, k));
  u = drawn(LRN_I64, n, LRN_INTEGER, -7, 1000000, k);
  CHECK(memcmp(v, lrn_tensor_data(u), (size_t)n * sizeof *v) == 0, "two ways, two results");
  CHECK(lrn_random_integer(t, 2, 1, k) == LRN_EVALUE, "%s", lrn_error_message());
  lrn_tensor_free(t);
  lrn_tensor_free(u);
}

int main(void) {
  test_known_answers();
  test_words();
  test_normals();
  test_slices();
  test_keys();
  test_bounded();
  test_permutation();
  test_integers();
  return check_done();
}
