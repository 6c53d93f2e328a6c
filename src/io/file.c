/*
** file.c - lrn_file: named tensors and metadata in memory.
*/
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/safetensors.h"
#include "io/utf8.h"

/* {====================================================================
** Lists
** ===================================================================== */

static int reserve(file_list *list, const char *function) {
  int room = list->room ? 2 * list->room : 8;
  void *more = NULL;
  if (list->n < list->room)
    return LRN_OK;
  LRN_TRY(lrn_alloc(&more, (size_t)room, sizeof *list->at, function));
  if (list->n > 0)
    memcpy(more, list->at, (size_t)list->n * sizeof *list->at);
  lrn_free(list->at);
  list->at = more;
  list->room = room;
  return LRN_OK;
}

static int copy_string(char **out, const char *s, const char *function) {
  size_t n = strlen(s) + 1;
  char *copy = lrn_malloc(n);
  if (copy == NULL)
    return lrn_fail(LRN_ENOMEM, "%s: out of memory: %zu bytes asked", function, n);
  memcpy(copy, s, n);
  *out = copy;
  return LRN_OK;
}

static int add(file_list *list, const char *name, void *value, const char *function) {
  char *copy = NULL;
  LRN_TRY(reserve(list, function));
  LRN_TRY(copy_string(&copy, name, function));
  list->at[list->n].name = copy;
  list->at[list->n++].value = value;
  return LRN_OK;
}

static const file_entry *entry(const file_list *list, int i) {
  return i >= 0 && i < list->n ? &list->at[i] : NULL;
}

static void *find(const file_list *list, const char *name) {
  for (int i = 0; i < list->n; i++)
    if (strcmp(list->at[i].name, name) == 0)
      return list->at[i].value;
  return NULL;
}

/* }==================================================================== */

int file_add_tensor(lrn_file *f, const char *name, lrn_tensor *value,
                    const char *function) {
  return add(&f->tensors, name, value, function);
}

int file_add_meta(lrn_file *f, const char *key, const char *value, const char *function) {
  char *copy = NULL;
  int st;
  LRN_TRY(copy_string(&copy, value, function));
  st = add(&f->meta, key, copy, function);
  if (st != LRN_OK)
    lrn_free(copy);
  return st;
}

int lrn_file_new(lrn_file **out) {
  void *f = NULL;
  LRN_TRY(lrn_alloc(&f, 1, sizeof(lrn_file), "file_new"));
  *out = f;
  return LRN_OK;
}

void file_truncate(lrn_file *f, int tensors, int meta) {
  while (f->tensors.n > tensors) {
    file_entry *last = &f->tensors.at[--f->tensors.n];
    lrn_free(last->name);
    lrn_tensor_free(last->value);
  }
  while (f->meta.n > meta) {
    file_entry *last = &f->meta.at[--f->meta.n];
    lrn_free(last->name);
    lrn_free(last->value);
  }
}

void lrn_file_free(lrn_file *f) {
  if (f == NULL)
    return;
  file_truncate(f, 0, 0);
  lrn_free(f->tensors.at);
  lrn_free(f->meta.at);
  lrn_free(f);
}

/* A name that a file can hold and that is not taken: by another, or by the format. */
static int check_name(const file_list *list, const char *name, const char *reserved,
                      const char *function) {
  char show[UTF8_SHOW];
  const char *fault = NULL;
  if (*name == '\0')
    fault = "empty";
  else if (strcmp(name, reserved) == 0)
    fault = "reserved by the format";
  else if (find(list, name) != NULL)
    fault = "there already";
  else if (!utf8_ok(name, strlen(name)))
    fault = "not UTF-8";
  if (fault == NULL)
    return LRN_OK;
  return lrn_fail(LRN_EARG, "%s: the name %s is %s", function,
                  utf8_show(show, name, strlen(name)), fault);
}

/* On the device first: what crosses is contiguous. The CPU's copy must not share t's storage. */
static int copy_to_cpu(lrn_tensor **out, const lrn_tensor *t) {
  lrn_tensor *copy = NULL;
  int st;
  if (lrn_tensor_device(t) == lrn_device_cpu())
    return lrn_tensor_clone(out, t);
  LRN_TRY(lrn_tensor_contiguous(&copy, t));
  st = lrn_tensor_to(out, copy, lrn_tensor_dtype(t), lrn_device_cpu());
  lrn_tensor_free(copy);
  return st;
}

int lrn_file_put(lrn_file *f, const char *name, const lrn_tensor *t) {
  lrn_tensor *copy = NULL;
  int st;
  LRN_TRY(check_name(&f->tensors, name, SAFETENSORS_META, "file_put"));
  LRN_TRY(copy_to_cpu(&copy, t));
  st = file_add_tensor(f, name, copy, "file_put");
  if (st != LRN_OK)
    lrn_tensor_free(copy);
  return st;
}

int lrn_file_put_meta(lrn_file *f, const char *key, const char *value) {
  char show[UTF8_SHOW];
  LRN_TRY(check_name(&f->meta, key, SAFETENSORS_SHA, "file_put_meta"));
  if (!utf8_ok(value, strlen(value)))
    return lrn_fail(LRN_EVALUE, "file_put_meta: %s is not UTF-8",
                    utf8_show(show, value, strlen(value)));
  return file_add_meta(f, key, value, "file_put_meta");
}

int lrn_file_count(const lrn_file *f) { return f->tensors.n; }

const lrn_tensor *lrn_file_at(const lrn_file *f, int i, const char **name) {
  const file_entry *e = entry(&f->tensors, i);
  if (e != NULL && name != NULL)
    *name = e->name;
  return e ? e->value : NULL;
}

const lrn_tensor *lrn_file_get(const lrn_file *f, const char *name) {
  return find(&f->tensors, name);
}

int lrn_file_meta_count(const lrn_file *f) { return f->meta.n; }

const char *lrn_file_meta_at(const lrn_file *f, int i, const char **key) {
  const file_entry *e = entry(&f->meta, i);
  if (e != NULL && key != NULL)
    *key = e->name;
  return e ? e->value : NULL;
}

const char *lrn_file_meta(const lrn_file *f, const char *key) {
  return find(&f->meta, key);
}
