/*
** raw.c - the bytes of a file as a tensor.
*/
#include "io/raw.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/bytes.h"
#include "io/gz.h"

int lrn_raw_load(lrn_tensor **out, const char *path) {
  unsigned char *bytes = NULL;
  size_t n = 0;
  int64_t size[1];
  char what[512];
  int st;
  LRN_TRY(bytes_read(&bytes, &n, path, GZ_LIMIT, "raw_load"));
  snprintf(what, sizeof what, "raw_load: %s", path);
  LRN_GO(gz_unpack_own(&bytes, &n, GZ_LIMIT, what));
  size[0] = (int64_t)n;
  LRN_GO(lrn_tensor_new(out, LRN_U8, 1, size, NULL));
  if (n > 0)
    memcpy(lrn_tensor_data(*out), bytes, n);
done:
  lrn_free(bytes);
  return st;
}
