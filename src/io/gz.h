/*
** gz.h - gzip (RFC 1952) from memory to memory.
*/
#ifndef LRN_IO_GZ_H
#define LRN_IO_GZ_H

#include <stddef.h>

/* A limit for gz_unpack: a few kilobytes of file may hold terabytes. */
#define GZ_LIMIT ((size_t)1 << 30)

/* 1 where the bytes begin as a gzip file does. */
int gz_is(const void *data, size_t n);

/* *out = the *m unpacked bytes of all members (lrn_free). LRN_EFORMAT: truncated, corrupt,
   followed by something else, or above `limit`. `what` stands first in messages. */
int gz_unpack(unsigned char **out, size_t *m, const void *data, size_t n, size_t limit,
              const char *what);

/* *bytes (lrn_malloc), which is freed here, unpacked; what is not gzip stays as it is. The packed
   bytes go before anything else is made of the plain ones. */
int gz_unpack_own(unsigned char **bytes, size_t *n, size_t limit, const char *what);

/* One member without name or time: the same bytes for the same input. */
int gz_pack(unsigned char **out, size_t *m, const void *data, size_t n, const char *what);

#endif
