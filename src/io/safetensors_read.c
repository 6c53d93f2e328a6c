/*
** safetensors_read.c - lrn_file_load. Nothing is believed: the ranges of the tensors must tile
** the data, each must have the size of its shape, and only then is memory taken for it.
*/
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/bytes.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "io/shape.h"
#include "io/utf8.h"

#define PREFIX sizeof(uint64_t)
#define SHA_PART ((size_t)1 << 23)
#define LIMIT ((size_t)SHAPE_LIMIT + PREFIX + SAFETENSORS_MAX_HEADER)

/* One tensor of the header */
typedef struct entry {
  const json_value *key;
  int dtype, nd;
  int64_t size[LRN_MAXDIM];
  int64_t begin, end; /* in the data */
} entry;

typedef struct reader {
  const char *name;          /* of the file */
  const unsigned char *data; /* behind the header */
  size_t n, at;              /* its bytes, and its place in the file */
  entry *entries;
  int count;
  const char *sha; /* NULL: none */
} reader;

/* {====================================================================
** The header
** ===================================================================== */

/* "load: NAME: byte B: tensor "W": " and the rest, at the place of v. */
LRN_PRINTF(4, 5)
static int refuse(const reader *R, const json_value *key, const json_value *v,
                  const char *format, ...) {
  char text[256], show[UTF8_SHOW];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  return lrn_fail(LRN_EFORMAT, "load: %s: byte %zu: %s: %s", R->name,
                  PREFIX + lrn_json_where(v ? v : key),
                  utf8_show(show, lrn_json_string(key), lrn_json_len(key)), text);
}

static const char *kind(const json_value *v) { return lrn_json_kind_name(lrn_json_type(v)); }

/* A string that C can hold */
static int text(const reader *R, const json_value *key, const json_value *v) {
  if (lrn_json_type(v) != JSON_STRING)
    return refuse(R, key, v, "found %s, expected a string", kind(v));
  if (strlen(lrn_json_string(v)) != lrn_json_len(v))
    return refuse(R, key, v, "found a NUL in a string");
  return LRN_OK;
}

/* Types of the format that lrn has no tensors of */
static int is_foreign(const char *word) {
  static const char *const list[] = {
      "F16", "BF16",    "I8",      "I16",     "U16",     "U32",     "U64",
      "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (strcmp(list[i], word) == 0)
      return 1;
  return 0;
}

static int parse_dtype(entry *e, const reader *R, const json_value *v) {
  char show[UTF8_SHOW];
  LRN_TRY(text(R, e->key, v));
  e->dtype = safetensors_dtype(lrn_json_string(v));
  if (e->dtype < 0)
    return refuse(R, e->key, v,
                  "found %s dtype %s, expected F32, F64, I64, I32, U8 or BOOL",
                  is_foreign(lrn_json_string(v)) ? "unsupported" : "unknown",
                  utf8_show(show, lrn_json_string(v), lrn_json_len(v)));
  return LRN_OK;
}

static int parse_sizes(int64_t *out, int n, const entry *e, const reader *R,
                       const json_value *v) {
  for (int i = 0; i < n; i++) {
    const json_value *item = lrn_json_at(v, (size_t)i);
    if (!lrn_json_int(&out[i], item))
      return refuse(R, e->key, item, "found %s, expected an integer", kind(item));
    if (out[i] < 0)
      return refuse(R, e->key, item, "found %lld, expected no negative number",
                    (long long)out[i]);
  }
  return LRN_OK;
}

static int parse_shape(entry *e, const reader *R, const json_value *v) {
  if (lrn_json_type(v) != JSON_ARRAY)
    return refuse(R, e->key, v, "found %s, expected a shape", kind(v));
  if (lrn_json_len(v) > LRN_MAXDIM)
    return refuse(R, e->key, v, "found %zu dimensions, expected at most %d", lrn_json_len(v),
                  LRN_MAXDIM);
  e->nd = (int)lrn_json_len(v);
  return parse_sizes(e->size, e->nd, e, R, v);
}

/* After dtype and shape, which must give the same number of bytes */
static int parse_range(entry *e, const reader *R, const json_value *v) {
  int64_t range[2], bytes = 0;
  char shape[LRN_SHAPE_MAX];
  if (lrn_json_type(v) != JSON_ARRAY || lrn_json_len(v) != 2)
    return refuse(R, e->key, v, "found %s of %zu, expected data_offsets [begin, end]",
                  kind(v), lrn_json_len(v));
  LRN_TRY(parse_sizes(range, 2, e, R, v));
  e->begin = range[0];
  e->end = range[1];
  if (e->begin > e->end || (uint64_t)e->end > R->n)
    return refuse(R, e->key, v,
                  "found range [%lld, %lld), expected one within %zu bytes of data",
                  (long long)e->begin, (long long)e->end, R->n);
  lrn_shape_text(shape, e->nd, e->size);
  if (!shape_bytes(&bytes, e->dtype, e->nd, e->size))
    return refuse(R, e->key, v, "found shape %s, expected at most 2^47 bytes", shape);
  if (e->end - e->begin != bytes)
    return refuse(R, e->key, v, "found %lld bytes, expected %lld for %s %s",
                  (long long)(e->end - e->begin), (long long)bytes,
                  safetensors_word(e->dtype), shape);
  return LRN_OK;
}

/* Keys beside the three are ignored, as the reference does. */
static int parse_entry(entry *e, const reader *R, const json_value *key,
                       const json_value *v) {
  LRN_TRY(text(R, key, key));
  if (lrn_json_type(v) != JSON_OBJECT)
    return refuse(R, key, v, "found %s, expected an object", kind(v));
  e->key = key;
  LRN_TRY(parse_dtype(e, R, lrn_json_get(v, "dtype")));
  LRN_TRY(parse_shape(e, R, lrn_json_get(v, "shape")));
  return parse_range(e, R, lrn_json_get(v, "data_offsets"));
}

static int parse_meta(lrn_file *f, reader *R, const json_value *key,
                      const json_value *v) {
  if (lrn_json_type(v) != JSON_OBJECT)
    return refuse(R, key, v, "found %s, expected an object of strings", kind(v));
  for (size_t i = 0; i < lrn_json_len(v); i++) {
    const json_value *k = lrn_json_key_at(v, i), *s = lrn_json_at(v, i);
    LRN_TRY(text(R, k, k));
    LRN_TRY(text(R, k, s));
    if (strcmp(lrn_json_string(k), SAFETENSORS_SHA) == 0)
      R->sha = lrn_json_string(s);
    else
      LRN_TRY(file_add_meta(f, lrn_json_string(k), lrn_json_string(s), "load"));
  }
  return LRN_OK;
}

static int parse_header(lrn_file *f, reader *R, const json_value *root) {
  void *room = NULL;
  LRN_TRY(lrn_alloc(&room, lrn_json_len(root), sizeof *R->entries, "load"));
  R->entries = room;
  for (size_t i = 0; i < lrn_json_len(root); i++) {
    const json_value *key = lrn_json_key_at(root, i), *v = lrn_json_at(root, i);
    if (strcmp(lrn_json_string(key), SAFETENSORS_META) == 0)
      LRN_TRY(parse_meta(f, R, key, v));
    else
      LRN_TRY(parse_entry(&R->entries[R->count++], R, key, v));
  }
  return LRN_OK;
}

/* }==================================================================== */

/* {====================================================================
** The data
** ===================================================================== */

static int by_begin(const void *a, const void *b) {
  const entry *x = *(const entry *const *)a, *y = *(const entry *const *)b;
  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* Without gap or overlap from the first byte of the data to the last. */
static int check_tiling(const reader *R) {
  const entry **sorted;
  void *room = NULL;
  int64_t end = 0;
  int st = LRN_OK;
  LRN_TRY(lrn_alloc(&room, (size_t)R->count + 1, sizeof *sorted, "load"));
  sorted = room;
  for (int i = 0; i < R->count; i++)
    sorted[i] = &R->entries[i];
  qsort(sorted, (size_t)R->count, sizeof *sorted, by_begin);
  for (int i = 0; i < R->count; i++) {
    if (sorted[i]->begin != end)
      LRN_GO(refuse(R, sorted[i]->key, NULL, "found begin %lld, expected %lld (%s)",
                    (long long)sorted[i]->begin, (long long)end,
                    sorted[i]->begin < end ? "an overlap" : "a gap"));
    end = sorted[i]->end;
  }
  if ((uint64_t)end != R->n)
    st =
        lrn_fail(LRN_EFORMAT, "load: %s: byte %zu: found %zu bytes after the last tensor",
                 R->name, R->at + (size_t)end, R->n - (size_t)end);
done:
  lrn_free(room);
  return st;
}

static int check_sha(const reader *R) {
  char hex[65], show[UTF8_SHOW];
  sha256 s;
  if (R->sha == NULL)
    return LRN_OK;
  sha256_init(&s);
  for (size_t at = 0; at < R->n; at += SHA_PART) {
    LRN_TRY(lrn_poll());
    sha256_add(&s, R->data + at, R->n - at < SHA_PART ? R->n - at : SHA_PART);
  }
  sha256_end_hex(&s, hex);
  if (strcmp(hex, R->sha) == 0)
    return LRN_OK;
  return lrn_fail(LRN_EFORMAT,
                  "load: %s: byte %zu: found data with SHA-256 %s, expected %s", R->name,
                  R->at, hex, utf8_show(show, R->sha, strlen(R->sha)));
}

static int take_tensor(lrn_file *f, const reader *R, const entry *e) {
  lrn_tensor *t = NULL;
  size_t n = (size_t)(e->end - e->begin);
  const unsigned char *p = R->data + e->begin;
  int st;
  if (e->dtype == LRN_BOOL)
    for (size_t i = 0; i < n; i++)
      if (p[i] > 1)
        return lrn_fail(LRN_EFORMAT,
                        "load: %s: byte %zu: found 0x%02X, expected a bool, 0 or 1",
                        R->name, R->at + (size_t)e->begin + i, p[i]);
  LRN_TRY(lrn_tensor_new(&t, e->dtype, e->nd, e->size, NULL));
  if (n > 0)
    memcpy(lrn_tensor_data(t), p, n);
  st = file_add_tensor(f, lrn_json_string(e->key), t, "load");
  if (st != LRN_OK)
    lrn_tensor_free(t);
  return st;
}

/* }==================================================================== */

/* The header's text, and what follows it, in R */
static int split(reader *R, size_t *header, const unsigned char *bytes, size_t n) {
  uint64_t length;
  if (n < PREFIX)
    return lrn_fail(LRN_EFORMAT,
                    "load: %s: byte %zu: found the end, expected 8 bytes of length",
                    R->name, n);
  memcpy(&length, bytes, PREFIX);
  if (length > SAFETENSORS_MAX_HEADER || length > n - PREFIX)
    return lrn_fail(LRN_EFORMAT,
                    "load: %s: byte 0: found header length %llu, expected at most %llu",
                    R->name, (unsigned long long)length,
                    (unsigned long long)(n - PREFIX < SAFETENSORS_MAX_HEADER
                                             ? n - PREFIX
                                             : SAFETENSORS_MAX_HEADER));
  *header = (size_t)length;
  R->at = PREFIX + *header;
  R->data = bytes + R->at;
  R->n = n - R->at;
  if (length == 0 || bytes[PREFIX] != '{')
    return lrn_fail(LRN_EFORMAT,
                    "load: %s: byte 8: found no '{', which begins the header", R->name);
  return LRN_OK;
}

int lrn_file_parse(lrn_file **out, const void *data, size_t n, const char *name) {
  reader R = {name, NULL, 0, 0, NULL, 0, NULL};
  const unsigned char *bytes = data;
  lrn_file *f = NULL;
  json_doc *doc = NULL;
  char what[512];
  size_t header = 0;
  int st;
  LRN_TRY(split(&R, &header, bytes, n));
  snprintf(what, sizeof what, "load: %s", name);
  LRN_GO(lrn_json_parse_at(&doc, (const char *)bytes + PREFIX, header, what, PREFIX));
  LRN_GO(lrn_file_new(&f));
  LRN_GO(parse_header(f, &R, lrn_json_root(doc)));
  LRN_GO(check_tiling(&R));
  LRN_GO(check_sha(&R));
  for (int i = 0; i < R.count; i++)
    LRN_GO(take_tensor(f, &R, &R.entries[i]));
  *out = f;
  f = NULL;
done:
  lrn_free(R.entries);
  lrn_json_free(doc);
  lrn_file_free(f);
  return st;
}

int lrn_file_load(lrn_file **out, const char *path) {
  unsigned char *bytes = NULL;
  size_t n = 0;
  int st;
  LRN_TRY(bytes_read(&bytes, &n, path, LIMIT, "load"));
  st = lrn_file_parse(out, bytes, n, path);
  lrn_free(bytes);
  return st;
}
