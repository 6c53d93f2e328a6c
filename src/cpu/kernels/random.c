/*
** random.c - random numbers in bulk. Philox has no state, so any run of elements can be made
** by any thread; the AVX2 form makes four blocks a register, the same bits as kernel/philox.h.
*/
#include "cpu/kernels.h"
#include "kernel/philox.h"

#if defined(__AVX2__)
#include <immintrin.h>

/* Eight blocks from `block` on: 32 words. Only the low halves of the 64-bit lanes count. */
static inline void eight_blocks(lrn_draw d, uint32_t block, uint32_t *out) {
  const __m256i m0 = _mm256_set1_epi64x(0xD2511F53), m1 = _mm256_set1_epi64x(0xCD9E8D57);
  const __m256i low = _mm256_set1_epi64x(0xFFFFFFFF);
  __m256i c0[2], c1[2], c2[2], c3[2];
  uint32_t k0 = d.k0, k1 = d.k1;
  for (int h = 0; h < 2; h++) {
    uint32_t b = block + 4 * (uint32_t)h;
    c0[h] = _mm256_set_epi64x(b + 3u, b + 2u, b + 1u, b);
    c1[h] = _mm256_set1_epi64x(d.c1);
    c2[h] = _mm256_set1_epi64x(d.c2);
    c3[h] = _mm256_set1_epi64x(d.c3);
  }
  for (int round = 0; round < 10; round++) {
    const __m256i vk0 = _mm256_set1_epi64x(k0), vk1 = _mm256_set1_epi64x(k1);
    for (int h = 0; h < 2; h++) {
      __m256i p0 = _mm256_mul_epu32(c0[h], m0), p1 = _mm256_mul_epu32(c2[h], m1);
      c0[h] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1[h]), vk0);
      c2[h] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3[h]), vk1);
      c1[h] = p1;
      c3[h] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int h = 0; h < 2; h++) {
    /* lanes: block i holds w0 w1 in `a`, w2 w3 in `b` */
    __m256i a = _mm256_or_si256(_mm256_and_si256(c0[h], low), _mm256_slli_epi64(c1[h], 32));
    __m256i b = _mm256_or_si256(_mm256_and_si256(c2[h], low), _mm256_slli_epi64(c3[h], 32));
    __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);
    __m256i *o = (__m256i *)(void *)(out + 16 * h);
    _mm256_storeu_si256(o, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(o + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
}
#else
static inline void eight_blocks(lrn_draw d, uint32_t block, uint32_t *out) {
  for (uint32_t b = 0; b < 8; b++) {
    lrn_block r = lrn_philox(d, block + b);
    memcpy(out + 4 * b, r.w, sizeof r.w);
  }
}
#endif

static lrn_draw draw_of(const lrn_key *key) {
  return lrn_draw_of(key->seed, key->step, key->stream, key->draw);
}

/* Words per_element * first ... of a draw, n of them: `first` is in words here. */
static void raw_words(lrn_draw d, uint64_t first, int64_t n, uint32_t *out) {
  uint32_t buffer[32];
  uint32_t block = (uint32_t)(first / 4);
  int64_t skip = (int64_t)(first % 4);
  while (n > 0) {
    if (skip == 0 && n >= 32) {
      eight_blocks(d, block, out);
      n -= 32;
      out += 32;
    } else {
      int64_t m = 32 - skip < n ? 32 - skip : n;
      eight_blocks(d, block, buffer);
      memcpy(out, buffer + skip, (size_t)m * 4);
      n -= m;
      out += m;
      skip = 0;
    }
    block += 8;
  }
}

void LRN_K(lrn_words)(const lrn_key *key, uint64_t first, int64_t n, uint32_t *out) {
  raw_words(draw_of(key), first, n, out);
}

#define CHUNK 512 /* numbers at a time: their words stay in the first-level cache */

#define UNIFORM(suffix, T, f)                                                              \
  void LRN_K(lrn_uniforms_##suffix)(const lrn_key *key, uint64_t first, int64_t n,         \
                                    void *out) {                                           \
    T *o = out;                                                                            \
    lrn_draw d = draw_of(key);                                                             \
    uint32_t w[CHUNK];                                                                     \
    for (int64_t i = 0; i < n; i += CHUNK) {                                               \
      int64_t m = n - i < CHUNK ? n - i : CHUNK;                                           \
      raw_words(d, first + (uint64_t)i, m, w);                                             \
      for (int64_t j = 0; j < m; j++)                                                      \
        o[i + j] = f(w[j]);                                                                \
    }                                                                                      \
  }
UNIFORM(f32, float, lrn_uniformf)
UNIFORM(f64, double, lrn_uniform)

#define NORMAL(suffix, T, f)                                                               \
  void LRN_K(lrn_normals_##suffix)(const lrn_key *key, uint64_t first, int64_t n,          \
                                   void *out) {                                            \
    T *o = out;                                                                            \
    lrn_draw d = draw_of(key);                                                             \
    uint32_t w[2 * CHUNK];                                                                 \
    for (int64_t i = 0; i < n; i += CHUNK) {                                               \
      int64_t m = n - i < CHUNK ? n - i : CHUNK;                                           \
      raw_words(d, 2 * (first + (uint64_t)i), 2 * m, w);                                   \
      for (int64_t j = 0; j < m; j++)                                                      \
        o[i + j] = f(w[2 * j], w[2 * j + 1]);                                              \
    }                                                                                      \
  }
NORMAL(f32, float, lrn_normalf)
NORMAL(f64, double, lrn_normal)
