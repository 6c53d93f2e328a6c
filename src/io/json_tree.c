/*
** json_tree.c - reading a parsed document.
*/
#include "io/json_tree.h"

#include "base/mem.h"

void lrn_json_free(json_doc *doc) {
  if (doc == NULL)
    return;
  while (doc->blocks != NULL) {
    json_block *b = doc->blocks;
    doc->blocks = b->next;
    lrn_free(b);
  }
  lrn_free(doc->strings);
  lrn_free(doc);
}

const json_value *lrn_json_root(const json_doc *doc) { return &doc->root; }

json_kind lrn_json_type(const json_value *v) { return v ? (json_kind)v->kind : JSON_NONE; }

const char *lrn_json_kind_name(json_kind kind) {
  static const char *const name[] = {"nothing",  "null",     "a boolean", "an integer",
                                     "a number", "a string", "an array",  "an object"};
  return name[kind];
}

size_t lrn_json_where(const json_value *v) { return v ? v->where : 0; }

int lrn_json_bool(int *out, const json_value *v) {
  if (lrn_json_type(v) != JSON_BOOL)
    return 0;
  *out = (int)v->u.i;
  return 1;
}

int lrn_json_int(int64_t *out, const json_value *v) {
  if (lrn_json_type(v) != JSON_INT)
    return 0;
  *out = v->u.i;
  return 1;
}

int lrn_json_number(double *out, const json_value *v) {
  if (lrn_json_type(v) == JSON_INT)
    *out = (double)v->u.i;
  else if (lrn_json_type(v) == JSON_REAL)
    *out = v->u.d;
  else
    return 0;
  return 1;
}

const char *lrn_json_string(const json_value *v) {
  return lrn_json_type(v) == JSON_STRING ? v->u.s : NULL;
}

size_t lrn_json_len(const json_value *v) { return v ? v->n : 0; }

const json_value *lrn_json_get(const json_value *object, const char *key) {
  size_t lo = 0, hi, n = strlen(key);
  const json_value *const *keys;
  if (lrn_json_type(object) != JSON_OBJECT)
    return NULL;
  hi = object->n;
  keys = (const json_value *const *)(const void *)(object->u.items + 2 * hi);
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    int c = json_compare(key, n, keys[mid]->u.s, keys[mid]->n);
    if (c == 0)
      return keys[mid] + 1;
    if (c < 0)
      hi = mid;
    else
      lo = mid + 1;
  }
  return NULL;
}

const json_value *lrn_json_at(const json_value *v, size_t i) {
  if (lrn_json_type(v) == JSON_ARRAY && i < v->n)
    return v->u.items + i;
  return lrn_json_type(v) == JSON_OBJECT && i < v->n ? v->u.items + 2 * i + 1 : NULL;
}

const json_value *lrn_json_key_at(const json_value *object, size_t i) {
  return lrn_json_type(object) == JSON_OBJECT && i < object->n ? object->u.items + 2 * i
                                                           : NULL;
}
