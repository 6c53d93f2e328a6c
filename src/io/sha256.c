/*
** sha256.c - SHA-256 after FIPS 180-4, in its notation: a..h, W, Sigma, sigma, Ch, Maj.
**
** The message schedule is kept as a ring of its last 16 words, and the eight variables
** are renamed round by round instead of moved.
*/
#include "io/sha256.h"

#include <string.h>

static const uint32_t K[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

static inline uint32_t load_be(const unsigned char *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store_be(unsigned char *p, uint32_t x) {
  p[0] = (unsigned char)(x >> 24);
  p[1] = (unsigned char)(x >> 16);
  p[2] = (unsigned char)(x >> 8);
  p[3] = (unsigned char)x;
}

#define ROUND(a, b, c, d, e, f, g, h, t)                                              \
  do {                                                                                \
    uint32_t t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g))) + \
                  K[t] + W[(t) & 15];                                                 \
    d += t1;                                                                          \
    h = t1 + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b)));     \
  } while (0)

static void compress(uint32_t H[8], const unsigned char *p, size_t blocks) {
  for (; blocks > 0; blocks--, p += 64) {
    uint32_t a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];
    uint32_t W[16];
    for (int t = 0; t < 16; t++)
      W[t] = load_be(p + 4 * t);
    for (int t = 0; t < 64; t += 8) {
      if (t >= 16)
        for (int i = t; i < t + 8; i++) {
          uint32_t x = W[(i + 1) & 15], y = W[(i + 14) & 15];
          W[i & 15] += (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + W[(i + 9) & 15] +
                       (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
        }
      ROUND(a, b, c, d, e, f, g, h, t);
      ROUND(h, a, b, c, d, e, f, g, t + 1);
      ROUND(g, h, a, b, c, d, e, f, t + 2);
      ROUND(f, g, h, a, b, c, d, e, t + 3);
      ROUND(e, f, g, h, a, b, c, d, t + 4);
      ROUND(d, e, f, g, h, a, b, c, t + 5);
      ROUND(c, d, e, f, g, h, a, b, t + 6);
      ROUND(b, c, d, e, f, g, h, a, t + 7);
    }
    H[0] += a, H[1] += b, H[2] += c, H[3] += d;
    H[4] += e, H[5] += f, H[6] += g, H[7] += h;
  }
}

void sha256_init(sha256 *s) {
  static const uint32_t H0[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(s->h, H0, sizeof H0);
  s->n = 0;
}

void sha256_add(sha256 *s, const void *data, size_t n) {
  const unsigned char *p = data;
  size_t held = (size_t)(s->n % 64);
  if (n == 0) /* data may be NULL */
    return;
  s->n += n;
  if (held > 0) {
    size_t take = n < 64 - held ? n : 64 - held;
    memcpy(s->block + held, p, take);
    if (held + take < 64)
      return;
    compress(s->h, s->block, 1);
    p += take;
    n -= take;
  }
  compress(s->h, p, n / 64);
  memcpy(s->block, p + n / 64 * 64, n % 64);
}

void sha256_end(sha256 *s, unsigned char digest[32]) {
  static const unsigned char pad[64] = {0x80};
  uint64_t bits = s->n * 8;
  unsigned char length[8];
  store_be(length, (uint32_t)(bits >> 32));
  store_be(length + 4, (uint32_t)bits);
  sha256_add(s, pad, (size_t)((119 - s->n % 64) % 64 + 1)); /* up to 56 mod 64 */
  sha256_add(s, length, 8);
  for (int i = 0; i < 8; i++)
    store_be(digest + 4 * i, s->h[i]);
}

void sha256_end_hex(sha256 *s, char hex[65]) {
  unsigned char digest[32];
  sha256_end(s, digest);
  for (int i = 0; i < 32; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[64] = '\0';
}

void sha256_hex(char hex[65], const void *data, size_t n) {
  sha256 s;
  sha256_init(&s);
  sha256_add(&s, data, n);
  sha256_end_hex(&s, hex);
}
