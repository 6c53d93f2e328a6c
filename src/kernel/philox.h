/*
** philox.h - Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), and how draws are keyed.
**
** A random number is a function of (seed, step, stream, draw, element) and of nothing
** else: not of threads, launch shapes or the slicing of a batch. Element e takes
**   uniform, Bernoulli   word e mod 4 of block e div 4
**   normal               words 2 (e mod 2) and 2 (e mod 2) + 1 of block e div 2
**   64 bits              the same two words, the first one low
*/
#ifndef LRN_KERNEL_PHILOX_H
#define LRN_KERNEL_PHILOX_H

#include "kernel/hd.h"
#include "kernel/math.h"

typedef struct {
  uint32_t w[4];
} lrn_block;

/* The counter's three upper words, and the key: what one draw has in common. */
typedef struct {
  uint32_t k0, k1, c1, c2, c3;
} lrn_draw;

LRN_HD lrn_draw lrn_draw_of(uint64_t seed, uint64_t step, uint32_t stream, uint32_t draw) {
  lrn_draw d;
  d.k0 = (uint32_t)seed;
  d.k1 = (uint32_t)(seed >> 32);
  d.c1 = draw;
  d.c2 = (uint32_t)step;
  d.c3 = (uint32_t)(step >> 32) * 256u + stream;
  return d;
}

LRN_HD lrn_block lrn_philox(lrn_draw d, uint32_t block) {
  uint32_t c0 = block, c1 = d.c1, c2 = d.c2, c3 = d.c3, k0 = d.k0, k1 = d.k1;
  lrn_block r;
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  r.w[0] = c0;
  r.w[1] = c1;
  r.w[2] = c2;
  r.w[3] = c3;
  return r;
}

/* [0, 1), 24 bits, exact in float; and (0, 1). Through int32: AVX2 has no conversion of uint32. */
LRN_HD float lrn_uniformf(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f; }
LRN_HD double lrn_uniform(uint32_t w) { return (double)(int32_t)(w >> 8) * 0x1p-24; }
LRN_HD float lrn_uniform_openf(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f + 0x1p-25f; }
LRN_HD double lrn_uniform_open(uint32_t w) { return (double)(int32_t)(w >> 8) * 0x1p-24 + 0x1p-25; }

/* Box and Muller 1958 */
LRN_HD float lrn_normalf(uint32_t w0, uint32_t w1) {
  return sqrtf(-2.0f * lrn_logf(lrn_uniform_openf(w0))) * lrn_cos2pif(lrn_uniformf(w1));
}
LRN_HD double lrn_normal(uint32_t w0, uint32_t w1) {
  return sqrt(-2.0 * lrn_log(lrn_uniform_open(w0))) * lrn_cos2pi(lrn_uniform(w1));
}

/* Element e of a draw, one at a time: tests and small uses; the kernels work on whole blocks. */
LRN_HD uint32_t lrn_word_at(lrn_draw d, uint64_t e) {
  return lrn_philox(d, (uint32_t)(e / 4)).w[e % 4];
}
LRN_HD uint64_t lrn_bits_at(lrn_draw d, uint64_t e) {
  lrn_block b = lrn_philox(d, (uint32_t)(e / 2));
  return (uint64_t)b.w[2 * (e % 2) + 1] << 32 | b.w[2 * (e % 2)];
}

/* floor(r n / 2^64): an integer in [0, n) from 64 random bits, without a division */
LRN_HD uint64_t lrn_bounded(uint64_t r, uint64_t n) {
  uint64_t rl = (uint32_t)r, rh = r >> 32, nl = (uint32_t)n, nh = n >> 32;
  uint64_t low = rl * nl, m1 = rh * nl + (low >> 32), m2 = rl * nh + (uint32_t)m1;
  return rh * nh + (m1 >> 32) + (m2 >> 32);
}

#endif
