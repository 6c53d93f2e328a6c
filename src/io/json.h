/*
** json.h - JSON (RFC 8259): a strict parser into a tree, and a writer.
**
** Strict: UTF-8 is checked, keys are unique, nesting ends at 64, escaped surrogates come
** in pairs, numbers are finite, nothing follows the value but white space.
*/
#ifndef LRN_IO_JSON_H
#define LRN_IO_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "lrn.h" /* LRN_API: the binding uses these too */

/* {====================================================================
** Reading
** ===================================================================== */

typedef enum json_kind {
  JSON_NONE = 0, /* lrn_json_type(NULL) */
  JSON_NULL,
  JSON_BOOL,
  JSON_INT,  /* a literal without fraction and exponent that fits an int64 ("-0" is a real) */
  JSON_REAL, /* any other number */
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT
} json_kind;

typedef struct json_doc json_doc;     /* owns everything below */
typedef struct json_value json_value; /* lent by it */

/* LRN_EFORMAT: "WHAT: byte 12: found ..., expected ..."; LRN_ENOMEM. Text below 512 MB. _at:
   `base` is added to the byte numbers, for text that stands inside a file. */
LRN_API int lrn_json_parse(json_doc **out, const char *s, size_t n, const char *what);
LRN_API int lrn_json_parse_at(json_doc **out, const char *s, size_t n, const char *what,
                              size_t base);
LRN_API void lrn_json_free(json_doc *doc);
LRN_API const json_value *lrn_json_root(const json_doc *doc);

/* All of these accept a NULL or a value of another kind: NULL or 0 is the answer then. */
LRN_API json_kind lrn_json_type(const json_value *v);
LRN_API const char *lrn_json_kind_name(json_kind kind);       /* "a string"; static */
LRN_API size_t lrn_json_where(const json_value *v);           /* its byte number in the text */
LRN_API int lrn_json_bool(int *out, const json_value *v);     /* 1 where v is one and *out is set */
LRN_API int lrn_json_int(int64_t *out, const json_value *v);  /* same, for JSON_INT */
LRN_API int lrn_json_number(double *out, const json_value *v); /* JSON_INT and JSON_REAL */
/* UTF-8, ended by a NUL; lrn_json_len tells whether it also holds one ("\u0000"). */
LRN_API const char *lrn_json_string(const json_value *v);
LRN_API size_t lrn_json_len(const json_value *v); /* bytes of a string, elements, members */
LRN_API const json_value *lrn_json_get(const json_value *object, const char *key);
/* i-th element, or value of the i-th member in the order of the text; and its key, a string. */
LRN_API const json_value *lrn_json_at(const json_value *v, size_t i);
LRN_API const json_value *lrn_json_key_at(const json_value *object, size_t i);

/* }==================================================================== */

/* {====================================================================
** Writing: compact, into a buffer that grows
** ===================================================================== */

/* Start from {0}; free s with lrn_free. Commas come by themselves. The first failure stays in
   `status` and makes the rest do nothing: LRN_ENOMEM, LRN_EVALUE (a string that is not UTF-8). */
typedef struct json_buf {
  char *s; /* ended by a NUL where not NULL */
  size_t n, room;
  int status;
} json_buf;

LRN_API void lrn_json_put_open(json_buf *b, char bracket); /* '{' or '[' */
LRN_API void lrn_json_put_close(json_buf *b, char bracket);
LRN_API void lrn_json_put_key(json_buf *b, const char *key);
LRN_API void lrn_json_put_string(json_buf *b, const char *s);
LRN_API void lrn_json_put_int(json_buf *b, int64_t i);
/* The shortest of 15 to 17 digits that reads back as d; NaN and infinities become null. */
LRN_API void lrn_json_put_double(json_buf *b, double d);
LRN_API void lrn_json_put_bool(json_buf *b, int truth);
LRN_API void lrn_json_put_null(json_buf *b);
LRN_API void lrn_json_put_raw(json_buf *b, const char *s, size_t n); /* as it is */

/* }==================================================================== */

#endif
