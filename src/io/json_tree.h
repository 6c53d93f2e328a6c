/*
** json_tree.h - how a parsed document lies in memory; for json.c and json_tree.c.
**
** A value is 16 bytes. The elements of an array stand side by side, so that the i-th is
** found at once; an object is key, value, key, value, ... and behind them its keys once more
** as pointers in sorted order, for the search and for finding duplicates:
**
**     items -> | key 0 | value 0 | key 1 | value 1 | ... | &key | &key | ...
*/
#ifndef LRN_IO_JSON_TREE_H
#define LRN_IO_JSON_TREE_H

#include <string.h>

#include "io/json.h"

#define JSON_MAX_TEXT ((size_t)1 << 29) /* `where` has 29 bits */

struct json_value {
  union {
    int64_t i;
    double d;
    const char *s;
    const json_value *items;
  } u;
  uint32_t n; /* bytes, elements, members */
  uint32_t kind : 3, where : 29;
};

typedef struct json_block {
  struct json_block *next;
  size_t used, room; /* of the bytes that follow */
  json_value data[];
} json_block;

struct json_doc {
  json_value root;
  size_t base;
  json_block *blocks;
  char *strings;
};

static inline int json_compare(const char *a, size_t na, const char *b, size_t nb) {
  int c = memcmp(a, b, na < nb ? na : nb);
  return c ? c : (na > nb) - (na < nb);
}

#endif
