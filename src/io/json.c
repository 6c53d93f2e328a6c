/*
** json.c - the JSON parser: recursive descent, one function a rule.
**
** While a container is open its elements wait on a stack, then they move into blocks that
** only the document frees. All strings lie in one buffer: each fits in its literal.
*/
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json_tree.h"
#include "io/utf8.h"

#define DEPTH 64
#define MAX_VALUES ((size_t)1 << 24) /* bounds the tree of "[1,1,1,..." to 512 MB or so */

typedef struct parser {
  json_doc *doc;
  const char *what;
  const char *s, *p, *end; /* the text, the next byte, its end */
  char *free;              /* first unused byte of doc->strings */
  json_value *stack;
  size_t top, room, values;
  int depth;
} parser;

/* {====================================================================
** Errors and memory
** ===================================================================== */

static size_t offset(const parser *P, const char *p) {
  return P->doc->base + (size_t)(p - P->s);
}

static int unexpected(const parser *P, const char *p, const char *expected) {
  char found[16];
  unsigned char c = p < P->end ? (unsigned char)*p : 0;
  if (p >= P->end)
    snprintf(found, sizeof found, "the end");
  else
    snprintf(found, sizeof found, c > 32 && c < 127 ? "'%c'" : "byte 0x%02X", c);
  return lrn_fail(LRN_EFORMAT, "%s: byte %zu: found %s, expected %s", P->what,
                  offset(P, p), found, expected);
}

static int no_memory(const parser *P) {
  return lrn_fail(LRN_ENOMEM, "%s: out of memory", P->what);
}

/* *out = n bytes that live as long as the document. */
static int arena(void **out, parser *P, size_t n) {
  json_block *b = P->doc->blocks;
  n = (n + 15) / 16 * 16;
  if (b == NULL || b->room - b->used < n) {
    size_t room = b == NULL ? 1024 : b->room < ((size_t)1 << 20) ? 2 * b->room : b->room;
    room = room < n ? n : room;
    b = lrn_malloc(sizeof *b + room);
    if (b == NULL)
      return no_memory(P);
    b->next = P->doc->blocks;
    b->used = 0;
    b->room = room;
    P->doc->blocks = b;
  }
  *out = (char *)b->data + b->used;
  b->used += n;
  return LRN_OK;
}

static int push(parser *P, json_value v) {
  if (P->top == P->room) {
    size_t room = P->room ? 2 * P->room : 64;
    json_value *more = lrn_malloc(room * sizeof *more);
    if (more == NULL)
      return no_memory(P);
    if (P->top > 0)
      memcpy(more, P->stack, P->top * sizeof *more);
    lrn_free(P->stack);
    P->stack = more;
    P->room = room;
  }
  if (++P->values > MAX_VALUES)
    return lrn_fail(LRN_EFORMAT, "%s: found more than %zu values", P->what, MAX_VALUES);
  P->stack[P->top++] = v;
  return LRN_OK;
}

/* }==================================================================== */

/* {====================================================================
** Strings
** ===================================================================== */

static int hex4(unsigned *out, const char *p, const char *end) {
  unsigned x = 0;
  if (end - p < 4)
    return 0;
  for (int i = 0; i < 4; i++) {
    const char *const all = "0123456789abcdef0123456789ABCDEF";
    const char *found = p[i] ? strchr(all, p[i]) : NULL;
    if (found == NULL)
      return 0;
    x = x << 4 | ((unsigned)(found - all) & 15);
  }
  *out = x;
  return 1;
}

static char *encode(char *q, unsigned c) {
  if (c < 0x80)
    *q++ = (char)c;
  else if (c < 0x800) {
    *q++ = (char)(0xC0 | c >> 6);
    *q++ = (char)(0x80 | (c & 63));
  } else if (c < 0x10000) {
    *q++ = (char)(0xE0 | c >> 12);
    *q++ = (char)(0x80 | (c >> 6 & 63));
    *q++ = (char)(0x80 | (c & 63));
  } else {
    *q++ = (char)(0xF0 | c >> 18);
    *q++ = (char)(0x80 | (c >> 12 & 63));
    *q++ = (char)(0x80 | (c >> 6 & 63));
    *q++ = (char)(0x80 | (c & 63));
  }
  return q;
}

/* P->p is at the backslash */
static int escape(parser *P) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *at = P->p, *found;
  unsigned c, low;
  if (P->end - at < 2)
    return unexpected(P, P->end, "an escaped character");
  P->p += 2;
  if (at[1] != 'u') {
    found = at[1] ? strchr(from, at[1]) : NULL;
    if (found == NULL)
      return unexpected(P, at + 1, "one of \"\\/bfnrtu after a backslash");
    *P->free++ = to[found - from];
    return LRN_OK;
  }
  if (!hex4(&c, P->p, P->end))
    return unexpected(P, P->p, "four hexadecimal digits");
  P->p += 4;
  if (c >= 0xD800 && c < 0xDC00) {
    if (P->end - P->p < 6 || P->p[0] != '\\' || P->p[1] != 'u' ||
        !hex4(&low, P->p + 2, P->end) || low < 0xDC00 || low > 0xDFFF)
      return unexpected(P, P->p, "the second half of a surrogate pair");
    P->p += 6;
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
  } else if (c >= 0xDC00 && c < 0xE000)
    return unexpected(P, at, "no lone surrogate");
  P->free = encode(P->free, c);
  return LRN_OK;
}

/* P->p is at the opening quote */
static int string(json_value *v, parser *P) {
  char *start = P->free;
  P->p++;
  for (;;) {
    const char *run = P->p;
    while (P->p < P->end && *P->p != '"' && *P->p != '\\' && (unsigned char)*P->p >= 32) {
      int k = utf8_len(P->p, (size_t)(P->end - P->p));
      if (k == 0)
        return unexpected(P, P->p, "UTF-8");
      P->p += k;
    }
    memcpy(P->free, run, (size_t)(P->p - run));
    P->free += P->p - run;
    if (P->p == P->end || (unsigned char)*P->p < 32)
      return unexpected(P, P->p, "the rest of a string");
    if (*P->p == '"')
      break;
    LRN_TRY(escape(P));
  }
  P->p++;
  v->kind = JSON_STRING;
  v->n = (uint32_t)(P->free - start);
  v->u.s = start;
  *P->free++ = '\0';
  return LRN_OK;
}

/* }==================================================================== */

/* {====================================================================
** Numbers
** ===================================================================== */

/* strtod under the C locale, whose decimal point is the point. */
static double to_double(const char *s) {
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t old = c ? uselocale(c) : (locale_t)0;
  double d = strtod(s, NULL);
  if (c) {
    uselocale(old);
    freelocale(c);
  }
  return d;
}

static int digits(parser *P) {
  const char *start = P->p;
  while (P->p < P->end && *P->p >= '0' && *P->p <= '9')
    P->p++;
  return P->p > start ? LRN_OK : unexpected(P, P->p, "a digit");
}

static int number(json_value *v, parser *P) {
  const char *start = P->p;
  size_t n;
  int whole = 1;
  if (*P->p == '-')
    P->p++;
  if (P->p < P->end && *P->p == '0')
    P->p++;
  else
    LRN_TRY(digits(P));
  if (P->p < P->end && *P->p == '.') {
    whole = 0;
    P->p++;
    LRN_TRY(digits(P));
  }
  if (P->p < P->end && (*P->p == 'e' || *P->p == 'E')) {
    whole = 0;
    P->p++;
    if (P->p < P->end && (*P->p == '+' || *P->p == '-'))
      P->p++;
    LRN_TRY(digits(P));
  }
  n = (size_t)(P->p - start);
  memcpy(P->free, start, n); /* for the NUL; the next string overwrites it */
  P->free[n] = '\0';
  if (whole && strcmp(P->free, "-0") != 0) {
    long long i;
    errno = 0;
    i = strtoll(P->free, NULL, 10);
    if (errno == 0) {
      v->kind = JSON_INT;
      v->u.i = i;
      return LRN_OK;
    }
  }
  v->kind = JSON_REAL;
  v->u.d = to_double(P->free);
  if (!isfinite(v->u.d))
    return unexpected(P, start, "a number within the range of a double");
  return LRN_OK;
}

/* }==================================================================== */

/* {====================================================================
** Values
** ===================================================================== */

static void skip_space(parser *P) {
  while (P->p < P->end &&
         (*P->p == ' ' || *P->p == '\n' || *P->p == '\t' || *P->p == '\r'))
    P->p++;
}

static int value(json_value *v, parser *P);

/* By key; equal keys by place, so that the error names the second. */
static int by_key(const void *a, const void *b) {
  const json_value *x = *(const json_value *const *)a, *y = *(const json_value *const *)b;
  int c = json_compare(x->u.s, x->n, y->u.s, y->n);
  return c ? c : (x->where > y->where) - (x->where < y->where);
}

/* Moves the elements above `from` off the stack. */
static int close_container(json_value *v, parser *P, size_t from, json_kind kind) {
  size_t n = P->top - from, members = kind == JSON_OBJECT ? n / 2 : 0;
  json_value *items;
  const json_value **keys;
  void *room = NULL;
  char show[UTF8_SHOW];
  LRN_TRY(arena(&room, P, n * sizeof *items + members * sizeof *keys));
  items = room;
  if (n > 0)
    memcpy(items, P->stack + from, n * sizeof *items);
  P->top = from;
  v->kind = kind;
  v->n = (uint32_t)(kind == JSON_OBJECT ? members : n);
  v->u.items = items;
  keys = (const json_value **)(void *)(items + n);
  for (size_t i = 0; i < members; i++)
    keys[i] = &items[2 * i];
  if (members > 1)
    qsort(keys, members, sizeof *keys, by_key);
  for (size_t i = 1; i < members; i++)
    if (json_compare(keys[i - 1]->u.s, keys[i - 1]->n, keys[i]->u.s, keys[i]->n) == 0)
      return lrn_fail(LRN_EFORMAT, "%s: byte %zu: found key %s again, expected it once",
                      P->what, P->doc->base + keys[i]->where,
                      utf8_show(show, keys[i]->u.s, keys[i]->n));
  return LRN_OK;
}

/* P->p is at the opening bracket */
static int container(json_value *v, parser *P, json_kind kind) {
  const char close = kind == JSON_OBJECT ? '}' : ']';
  const char *const next = kind == JSON_OBJECT ? "',' or '}'" : "',' or ']'";
  size_t from = P->top;
  if (P->depth == DEPTH)
    return unexpected(P, P->p, "no more than 64 levels");
  P->depth++;
  P->p++;
  skip_space(P);
  if (P->p < P->end && *P->p == close)
    P->p++;
  else
    for (;;) {
      json_value item;
      if (kind == JSON_OBJECT) {
        skip_space(P);
        if (P->p == P->end || *P->p != '"')
          return unexpected(P, P->p, "a key in quotes");
        LRN_TRY(value(&item, P));
        LRN_TRY(push(P, item));
        skip_space(P);
        if (P->p == P->end || *P->p != ':')
          return unexpected(P, P->p, "':'");
        P->p++;
      }
      LRN_TRY(value(&item, P));
      LRN_TRY(push(P, item));
      skip_space(P);
      if (P->p == P->end || (*P->p != ',' && *P->p != close))
        return unexpected(P, P->p, next);
      if (*P->p++ == close)
        break;
    }
  P->depth--;
  return close_container(v, P, from, kind);
}

static int word(parser *P, const char *w) {
  size_t n = strlen(w);
  if ((size_t)(P->end - P->p) < n || memcmp(P->p, w, n) != 0)
    return unexpected(P, P->p, "a value");
  P->p += n;
  return LRN_OK;
}

static int value(json_value *v, parser *P) {
  memset(v, 0, sizeof *v);
  skip_space(P);
  v->where = (uint32_t)(P->p - P->s) & (JSON_MAX_TEXT - 1);
  if (P->p == P->end)
    return unexpected(P, P->p, "a value");
  if (*P->p == '-' || (*P->p >= '0' && *P->p <= '9'))
    return number(v, P);
  switch (*P->p) {
    case '{': return container(v, P, JSON_OBJECT);
    case '[': return container(v, P, JSON_ARRAY);
    case '"': return string(v, P);
    case 't':
      v->kind = JSON_BOOL;
      v->u.i = 1;
      return word(P, "true");
    case 'f': v->kind = JSON_BOOL; return word(P, "false");
    default: v->kind = JSON_NULL; return word(P, "null");
  }
}

int lrn_json_parse_at(json_doc **out, const char *s, size_t n, const char *what,
                  size_t base) {
  parser P = {NULL, what, s, s, s + n, NULL, NULL, 0, 0, 0, 0};
  int st = LRN_OK;
  if (n >= JSON_MAX_TEXT)
    return lrn_fail(LRN_EFORMAT, "%s: found %zu bytes of JSON, expected less than %zu",
                    what, n, JSON_MAX_TEXT);
  P.doc = lrn_calloc(1, sizeof *P.doc);
  if (P.doc != NULL)
    P.doc->strings = P.free = lrn_malloc(n + 1);
  if (P.doc == NULL || P.free == NULL) {
    st = no_memory(&P);
    goto done;
  }
  P.doc->base = base;
  LRN_GO(value(&P.doc->root, &P));
  skip_space(&P);
  if (P.p != P.end)
    LRN_GO(unexpected(&P, P.p, "the end"));
  *out = P.doc;
  P.doc = NULL;
done:
  lrn_free(P.stack);
  lrn_json_free(P.doc);
  return st;
}

int lrn_json_parse(json_doc **out, const char *s, size_t n, const char *what) {
  return lrn_json_parse_at(out, s, n, what, 0);
}

/* }==================================================================== */
