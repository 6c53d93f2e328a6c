/*
** idx.c - IDX files (Y. LeCun, MNIST), all numbers big-endian:
**
**     | 0 | 0 | type | nd | size 0 (u32) | ... | size nd-1 (u32) | values, row-major |
*/
#include "io/idx.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/bytes.h"
#include "io/gz.h"
#include "io/shape.h"

#define LIMIT ((size_t)SHAPE_LIMIT + 4 + 4 * LRN_MAXDIM)

/* `width` bytes a value in the file; the first row of a dtype is the one to write. */
static const struct {
  unsigned char code, width;
  lrn_dtype dtype;
} types[] = {
    {0x08, 1, LRN_U8},  {0x0C, 4, LRN_I32}, {0x0D, 4, LRN_F32},
    {0x0E, 8, LRN_F64}, {0x09, 1, LRN_I32}, {0x0B, 2, LRN_I32},
};
#define TYPES ((int)(sizeof types / sizeof *types))

/* {====================================================================
** Values
** ===================================================================== */

static uint32_t get32(const unsigned char *p) {
  uint32_t x;
  memcpy(&x, p, 4);
  return __builtin_bswap32(x);
}

static void put32(unsigned char *p, uint32_t x) {
  x = __builtin_bswap32(x);
  memcpy(p, &x, 4);
}

/* n values of `width` bytes turned round; the same both ways. */
static void swap(void *to, const void *from, size_t n, size_t width) {
  unsigned char *q = to;
  const unsigned char *p = from;
  if (width == 1)
    memcpy(q, p, n);
  else if (width == 4)
    for (size_t i = 0; i < n; i++) {
      uint32_t x = get32(p + 4 * i);
      memcpy(q + 4 * i, &x, 4);
    }
  else
    for (size_t i = 0; i < n; i++) {
      uint64_t x;
      memcpy(&x, p + 8 * i, 8);
      x = __builtin_bswap64(x);
      memcpy(q + 8 * i, &x, 8);
    }
}

/* Types 0x09 and 0x0B: signed, one and two bytes. */
static void widen(int32_t *to, const unsigned char *p, size_t n, size_t width) {
  if (width == 1)
    for (size_t i = 0; i < n; i++)
      to[i] = (int8_t)p[i];
  else
    for (size_t i = 0; i < n; i++)
      to[i] = (int16_t)(uint16_t)(p[2 * i] << 8 | p[2 * i + 1]);
}

/* }==================================================================== */

/* {====================================================================
** Reading
** ===================================================================== */

/* type, shape and length of the file; *type is an index into types[]. */
static int parse_head(int *type, int *nd, int64_t size[LRN_MAXDIM],
                      const unsigned char *p, size_t n, const char *name) {
  int64_t bytes = 0;
  size_t head;
  char shape[LRN_SHAPE_MAX];
  if (n < 4)
    return lrn_fail(LRN_EFORMAT,
                    "idx_load: %s: byte %zu: found the end, expected 4 bytes of magic",
                    name, n);
  for (int i = 0; i < 2; i++)
    if (p[i] != 0)
      return lrn_fail(LRN_EFORMAT, "idx_load: %s: byte %d: found 0x%02X, expected 0x00",
                      name, i, p[i]);
  for (*type = 0; *type < TYPES && types[*type].code != p[2];)
    ++*type;
  if (*type == TYPES)
    return lrn_fail(
        LRN_EFORMAT,
        "idx_load: %s: byte 2: found type 0x%02X, expected 08, 09, 0B, 0C, 0D or 0E",
        name, p[2]);
  if (p[3] < 1 || p[3] > LRN_MAXDIM)
    return lrn_fail(LRN_EFORMAT,
                    "idx_load: %s: byte 3: found %d dimensions, expected 1 to %d", name,
                    p[3], LRN_MAXDIM);
  *nd = p[3];
  head = 4 + 4 * (size_t)*nd;
  if (n < head)
    return lrn_fail(LRN_EFORMAT,
                    "idx_load: %s: byte %zu: found the end, expected %d sizes", name, n,
                    *nd);
  for (int d = 0; d < *nd; d++)
    size[d] = get32(p + 4 + 4 * d);
  lrn_shape_text(shape, *nd, size);
  if (!shape_bytes(&bytes, types[*type].dtype, *nd, size))
    return lrn_fail(LRN_EFORMAT,
                    "idx_load: %s: byte 4: found sizes %s, expected at most 2^47 bytes",
                    name, shape);
  bytes = bytes / (int64_t)lrn_dtype_size(types[*type].dtype) * types[*type].width;
  if (n - head != (size_t)bytes)
    return lrn_fail(
        LRN_EFORMAT,
        "idx_load: %s: byte %zu: found %zu bytes of values, expected %lld for sizes %s",
        name, head, n - head, (long long)bytes, shape);
  return LRN_OK;
}

static int parse_plain(lrn_tensor **out, const unsigned char *p, size_t n,
                       const char *name) {
  int64_t size[LRN_MAXDIM];
  int type = 0, nd = 0;
  size_t count, width;
  lrn_tensor *t = NULL;
  LRN_TRY(parse_head(&type, &nd, size, p, n, name));
  LRN_TRY(lrn_tensor_new(&t, types[type].dtype, nd, size, NULL));
  p += 4 + 4 * nd;
  count = (size_t)lrn_tensor_numel(t);
  width = types[type].width;
  if (count == 0) {
    /* nothing to convert; the address may be NULL */
  } else if (width < lrn_dtype_size(types[type].dtype))
    widen(lrn_tensor_data(t), p, count, width);
  else
    swap(lrn_tensor_data(t), p, count, width);
  *out = t;
  return LRN_OK;
}

static int unpack(unsigned char **bytes, size_t *n, const char *name) {
  char what[512];
  snprintf(what, sizeof what, "idx_load: %s", name);
  return gz_unpack_own(bytes, n, GZ_LIMIT, what);
}

int lrn_idx_parse(lrn_tensor **out, const void *bytes, size_t n, const char *name) {
  unsigned char *copy;
  int st;
  if (!gz_is(bytes, n))
    return parse_plain(out, bytes, n, name);
  copy = lrn_malloc(n);
  if (copy == NULL)
    return lrn_fail(LRN_ENOMEM, "idx_load: %s: out of memory: %zu bytes asked", name, n);
  memcpy(copy, bytes, n);
  st = unpack(&copy, &n, name);
  if (st == LRN_OK)
    st = parse_plain(out, copy, n, name);
  lrn_free(copy);
  return st;
}

int lrn_idx_load(lrn_tensor **out, const char *path) {
  unsigned char *bytes = NULL;
  size_t n = 0;
  int st;
  LRN_TRY(bytes_read(&bytes, &n, path, LIMIT, "idx_load"));
  st = unpack(&bytes, &n, path);
  if (st == LRN_OK)
    st = parse_plain(out, bytes, n, path);
  lrn_free(bytes);
  return st;
}

/* }==================================================================== */

/* {====================================================================
** Writing
** ===================================================================== */

static int check(int *type, const lrn_tensor *t) {
  int nd = lrn_tensor_ndim(t);
  for (*type = 0; *type < TYPES && (int)types[*type].dtype != lrn_tensor_dtype(t);)
    ++*type;
  if (*type == TYPES)
    return lrn_fail(LRN_ETYPE,
                    "idx_save: found dtype %s, expected uint8, int32, float32 or float64",
                    lrn_dtype_name(lrn_tensor_dtype(t)));
  if (nd < 1)
    return lrn_fail(LRN_ESHAPE, "idx_save: found a scalar, expected 1 to %d dimensions",
                    LRN_MAXDIM);
  for (int d = 0; d < nd; d++)
    if (lrn_tensor_size(t, d) > UINT32_MAX)
      return lrn_fail(LRN_ESHAPE, "idx_save: found size %lld, expected at most %lld",
                      (long long)lrn_tensor_size(t, d), (long long)UINT32_MAX);
  return LRN_OK;
}

/* *out = the file's bytes; t is contiguous and on the CPU. */
static int format(unsigned char **out, size_t *n, const lrn_tensor *t, int type) {
  int nd = lrn_tensor_ndim(t);
  size_t count = (size_t)lrn_tensor_numel(t), width = types[type].width;
  size_t head = 4 + 4 * (size_t)nd;
  unsigned char *p = lrn_malloc(head + count * width);
  if (p == NULL)
    return lrn_fail(LRN_ENOMEM, "idx_save: out of memory: %zu bytes asked",
                    head + count * width);
  p[0] = p[1] = 0;
  p[2] = types[type].code;
  p[3] = (unsigned char)nd;
  for (int d = 0; d < nd; d++)
    put32(p + 4 + 4 * d, (uint32_t)lrn_tensor_size(t, d));
  if (count > 0)
    swap(p + head, lrn_tensor_data(t), count, width);
  *out = p;
  *n = head + count * width;
  return LRN_OK;
}

int lrn_idx_save(const char *path, const lrn_tensor *t) {
  lrn_tensor *host = NULL, *flat = NULL;
  unsigned char *plain = NULL, *packed = NULL;
  size_t length = strlen(path);
  bytes_part part;
  int type = 0, st;
  LRN_TRY(check(&type, t));
  LRN_GO(lrn_tensor_to(&host, t, lrn_tensor_dtype(t), lrn_device_cpu()));
  LRN_GO(lrn_tensor_contiguous(&flat, host));
  LRN_GO(format(&plain, &part.n, flat, type));
  part.data = plain;
  if (length >= 3 && strcmp(path + length - 3, ".gz") == 0) {
    LRN_GO(gz_pack(&packed, &part.n, plain, part.n, "idx_save"));
    part.data = packed;
  }
  st = bytes_write(path, &part, 1, "idx_save");
done:
  lrn_free(packed);
  lrn_free(plain);
  lrn_tensor_free(flat);
  lrn_tensor_free(host);
  return st;
}

/* }==================================================================== */
