/*
** sha256.h - SHA-256 (FIPS 180-4), streaming and in one call.
*/
#ifndef LRN_IO_SHA256_H
#define LRN_IO_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct sha256 {
  uint32_t h[8];
  uint64_t n;              /* bytes seen */
  unsigned char block[64]; /* the last n % 64 of them */
} sha256;

void sha256_init(sha256 *s);
void sha256_add(sha256 *s, const void *data, size_t n);
void sha256_end(sha256 *s, unsigned char digest[32]);

/* Digest of n bytes as 64 lower-case hexadecimal digits and a NUL; sha256_end_hex ends a stream. */
void sha256_end_hex(sha256 *s, char hex[65]);
void sha256_hex(char hex[65], const void *data, size_t n);

#endif
