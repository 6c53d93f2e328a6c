/*
** safetensors.h - what the two halves of the safetensors format share: file.c keeps the
** tensors in memory, safetensors_read.c and safetensors_write.c turn them from and into bytes.
*/
#ifndef LRN_IO_SAFETENSORS_H
#define LRN_IO_SAFETENSORS_H

#include "lrn.h"

/* A growing list of named things, in the order in which they came. */
typedef struct file_entry {
  char *name;
  void *value; /* an lrn_tensor or a string */
} file_entry;

typedef struct file_list {
  file_entry *at;
  int n, room;
} file_list;

struct lrn_file {
  file_list tensors, meta;
};

/* Both take `value` over, on success only, and copy the name; neither looks for duplicates. */
int file_add_tensor(lrn_file *f, const char *name, lrn_tensor *value, const char *function);
int file_add_meta(lrn_file *f, const char *key, const char *value, const char *function);

/* Back to the first `tensors` tensors and `meta` strings: undoes what a caller added since. */
void file_truncate(lrn_file *f, int tensors, int meta);

#define SAFETENSORS_META "__metadata__"
#define SAFETENSORS_SHA "lrn.sha256"
#define SAFETENSORS_MAX_HEADER 100000000 /* that of the reference implementation */

/* The format's word for a dtype ("F32"); -1 for a word that is none of ours. */
const char *safetensors_word(int dtype);
int safetensors_dtype(const char *word);

#endif
