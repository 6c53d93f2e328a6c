/*
** safetensors_write.c - lrn_file_save. A file is
**
**     | N (u64, little-endian) | N bytes of JSON, spaces at the end | data |
**
** with N a multiple of 8 and the widest elements first, so that all are aligned.
*/
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/bytes.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/sha256.h"
#include "io/shape.h"

static const char *const words[LRN_DTYPES] = {
    [LRN_F32] = "F32", [LRN_F64] = "F64", [LRN_I64] = "I64",
    [LRN_I32] = "I32", [LRN_U8] = "U8",   [LRN_BOOL] = "BOOL",
};

const char *safetensors_word(int dtype) { return words[dtype]; }

int safetensors_dtype(const char *word) {
  for (int i = 0; i < LRN_DTYPES; i++)
    if (strcmp(words[i], word) == 0)
      return i;
  return -1;
}

static size_t bytes_of(const lrn_tensor *t) {
  return (size_t)lrn_tensor_numel(t) * lrn_dtype_size(lrn_tensor_dtype(t));
}

/* part[1..]: the data in the order of the file, order[i] the tensor of part[i + 1]. */
static void arrange(bytes_part *part, int *order, const lrn_file *f) {
  int k = 0;
  for (size_t width = 8; width > 0; width /= 2)
    for (int i = 0; i < f->tensors.n; i++) {
      const lrn_tensor *t = f->tensors.at[i].value;
      if (lrn_dtype_size(lrn_tensor_dtype(t)) != width)
        continue;
      order[k++] = i;
      part[k].data = lrn_tensor_data(t);
      part[k].n = bytes_of(t);
    }
}

static void hash(char hex[65], const bytes_part *part, int n) {
  sha256 s;
  sha256_init(&s);
  for (int i = 1; i <= n; i++)
    sha256_add(&s, part[i].data, part[i].n);
  sha256_end_hex(&s, hex);
}

static void put_meta(json_buf *b, const lrn_file *f, const char *sha) {
  lrn_json_put_key(b, SAFETENSORS_META);
  lrn_json_put_open(b, '{');
  for (int i = 0; i < f->meta.n; i++) {
    lrn_json_put_key(b, f->meta.at[i].name);
    lrn_json_put_string(b, f->meta.at[i].value);
  }
  lrn_json_put_key(b, SAFETENSORS_SHA);
  lrn_json_put_string(b, sha);
  lrn_json_put_close(b, '}');
}

static void put_tensor(json_buf *b, const file_entry *e, int64_t *offset) {
  const lrn_tensor *t = e->value;
  lrn_json_put_key(b, e->name);
  lrn_json_put_open(b, '{');
  lrn_json_put_key(b, "dtype");
  lrn_json_put_string(b, safetensors_word(lrn_tensor_dtype(t)));
  lrn_json_put_key(b, "shape");
  lrn_json_put_open(b, '[');
  for (int d = 0; d < lrn_tensor_ndim(t); d++)
    lrn_json_put_int(b, lrn_tensor_size(t, d));
  lrn_json_put_close(b, ']');
  lrn_json_put_key(b, "data_offsets");
  lrn_json_put_open(b, '[');
  lrn_json_put_int(b, *offset);
  *offset += (int64_t)bytes_of(t);
  lrn_json_put_int(b, *offset);
  lrn_json_put_close(b, ']');
  lrn_json_put_close(b, '}');
}

/* The length and the JSON; the caller frees b->s. */
static int put_header(json_buf *b, const lrn_file *f, const int *order, const char *sha) {
  int64_t offset = 0;
  uint64_t n = 0;
  lrn_json_put_raw(b, (const char *)&n, sizeof n); /* its place: it is known at the end */
  lrn_json_put_raw(b, "{", 1); /* raw: no comma after the length */
  put_meta(b, f, sha);
  for (int i = 0; i < f->tensors.n; i++)
    put_tensor(b, &f->tensors.at[order[i]], &offset);
  lrn_json_put_close(b, '}');
  lrn_json_put_raw(b, "       ", (8 - b->n % 8) % 8);
  if (b->status != LRN_OK)
    return b->status;
  n = b->n - sizeof n;
  if (n > SAFETENSORS_MAX_HEADER)
    return lrn_fail(LRN_EVALUE,
                    "save: %llu bytes of names and metadata, expected at most %d",
                    (unsigned long long)n, SAFETENSORS_MAX_HEADER);
  memcpy(b->s, &n, sizeof n);
  return LRN_OK;
}

int lrn_file_save(const lrn_file *f, const char *path) {
  int n = f->tensors.n, st;
  void *part = NULL, *order = NULL;
  json_buf b = {0};
  char sha[65];
  LRN_GO(lrn_alloc(&part, (size_t)n + 1, sizeof(bytes_part), "save"));
  LRN_GO(lrn_alloc(&order, (size_t)n + 1, sizeof(int), "save"));
  arrange(part, order, f);
  hash(sha, part, n);
  LRN_GO(put_header(&b, f, order, sha));
  ((bytes_part *)part)->data = b.s;
  ((bytes_part *)part)->n = b.n;
  st = bytes_write(path, part, n + 1, "save");
done:
  lrn_free(b.s);
  lrn_free(order);
  lrn_free(part);
  return st;
}
