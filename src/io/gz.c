/*
** gz.c - zlib's streams between two buffers. zlib counts in unsigned int, so both
** sides are handed over in windows, between which an interrupt is seen; its own memory comes from
** the counted allocator.
*/
#include "io/gz.h"

#include <string.h>
#include <zlib.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"

#define WINDOW ((size_t)1 << 22)
#define GZIP (15 + 16) /* zlib's windowBits: 32 KiB, gzip wrapper */

static void *z_alloc(void *ud, uInt n, uInt size) {
  (void)ud;
  return lrn_malloc((size_t)n * size);
}

static void z_free(void *ud, void *p) {
  (void)ud;
  lrn_free(p);
}

static z_stream stream_on(const void *data) {
  z_stream z;
  memset(&z, 0, sizeof z);
  z.zalloc = z_alloc;
  z.zfree = z_free;
  z.next_in = (Bytef *)data; /* zlib's type lacks const; it only reads */
  return z;
}

static uInt window(size_t n) { return (uInt)(n < WINDOW ? n : WINDOW); }

static int no_memory(const char *what) {
  return lrn_fail(LRN_ENOMEM, "%s: out of memory", what);
}

int gz_is(const void *data, size_t n) {
  const unsigned char *p = data;
  return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

/* Where to begin: the size that the last member claims, where deflate can reach it. */
static size_t first_room(const unsigned char *p, size_t n, size_t limit) {
  size_t claim = 0, most = n > limit / 1032 ? limit : 1032 * n;
  if (n >= 18)
    claim = (size_t)p[n - 4] | (size_t)p[n - 3] << 8 | (size_t)p[n - 2] << 16 |
            (size_t)p[n - 1] << 24;
  return claim > 0 && claim <= most ? claim : 4096;
}

/* Twice the room, which is full; one byte above the limit at most. */
static int grow(unsigned char **out, size_t *room, size_t limit, const char *what) {
  size_t more = *room < limit / 2 ? 2 * *room : limit + 1;
  unsigned char *p = lrn_malloc(more);
  if (p == NULL)
    return no_memory(what);
  memcpy(p, *out, *room);
  lrn_free(*out);
  *out = p;
  *room = more;
  return LRN_OK;
}

int gz_unpack(unsigned char **out, size_t *m, const void *data, size_t n, size_t limit,
              const char *what) {
  const unsigned char *bytes = data;
  size_t room = first_room(data, n, limit), used = 0;
  unsigned char *p = lrn_malloc(room);
  z_stream z = stream_on(data);
  int st = LRN_OK, r;
  if (p == NULL)
    return no_memory(what);
  if (inflateInit2(&z, GZIP) != Z_OK) {
    lrn_free(p);
    return no_memory(what);
  }
  for (;;) {
    size_t at = (size_t)(z.next_in - bytes);
    uInt give = window(room - used);
    LRN_GO(lrn_poll());
    z.avail_in = window(n - at);
    z.next_out = p + used;
    z.avail_out = give;
    r = inflate(&z, Z_NO_FLUSH);
    used += give - z.avail_out;
    at = (size_t)(z.next_in - bytes);
    if (used > limit) {
      st = lrn_fail(LRN_EFORMAT, "%s: gzip: found more than %zu bytes unpacked", what,
                    limit);
      break;
    }
    if (r == Z_STREAM_END) {
      if (at == n)
        break;
      if (!gz_is(bytes + at, n - at)) {
        st = lrn_fail(LRN_EFORMAT, "%s: byte %zu: found %zu bytes after the gzip data",
                      what, at, n - at);
        break;
      }
      inflateReset(&z);
    } else if (r == Z_MEM_ERROR) {
      st = no_memory(what);
      break;
    } else if (r != Z_OK && r != Z_BUF_ERROR) {
      st = lrn_fail(LRN_EFORMAT, "%s: byte %zu: gzip: %s", what, at,
                    z.msg ? z.msg : "corrupt data");
      break;
    } else if (at == n && used < room) {
      st = lrn_fail(LRN_EFORMAT,
                    "%s: byte %zu: gzip: found the end of the file inside the data", what,
                    n);
      break;
    }
    if (used == room)
      LRN_GO(grow(&p, &room, limit, what));
  }
done:
  inflateEnd(&z);
  if (st == LRN_OK) {
    *out = p;
    *m = used;
  } else
    lrn_free(p);
  return st;
}

int gz_unpack_own(unsigned char **bytes, size_t *n, size_t limit, const char *what) {
  unsigned char *plain = NULL;
  size_t m = 0;
  int st;
  if (!gz_is(*bytes, *n))
    return LRN_OK;
  st = gz_unpack(&plain, &m, *bytes, *n, limit, what);
  lrn_free(*bytes);
  *bytes = plain;
  *n = m;
  return st;
}

int gz_pack(unsigned char **out, size_t *m, const void *data, size_t n,
            const char *what) {
  const unsigned char *bytes = data;
  z_stream z = stream_on(data);
  size_t room, used = 0;
  unsigned char *p;
  int r =
      deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY);
  if (r != Z_OK)
    return no_memory(what);
  room = deflateBound(&z, n);
  p = lrn_malloc(room);
  if (p == NULL) {
    deflateEnd(&z);
    return no_memory(what);
  }
  do {
    size_t left = n - (size_t)(z.next_in - bytes);
    uInt give = window(room - used);
    z.avail_in = window(left);
    z.next_out = p + used;
    z.avail_out = give;
    r = deflate(&z, left > WINDOW ? Z_NO_FLUSH : Z_FINISH);
    used += give - z.avail_out;
  } while (r == Z_OK);
  deflateEnd(&z);
  if (r != Z_STREAM_END) {
    lrn_free(p);
    return lrn_fail(LRN_EFORMAT, "%s: gzip: deflate stopped with code %d", what, r);
  }
  *out = p;
  *m = used;
  return LRN_OK;
}
