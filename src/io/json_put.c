/*
** json_put.c - the JSON writer. Whether a comma is due is seen from the last byte: after an
** opening bracket, a colon or nothing it is not.
*/
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json.h"
#include "io/utf8.h"

void lrn_json_put_raw(json_buf *b, const char *s, size_t n) {
  if (b->status != LRN_OK)
    return;
  if (b->room < b->n + n + 1) {
    size_t room = 2 * (b->n + n) + 64;
    char *more = lrn_malloc(room);
    if (more == NULL) {
      b->status = lrn_fail(LRN_ENOMEM, "json: out of memory: %zu bytes asked", room);
      return;
    }
    if (b->n > 0)
      memcpy(more, b->s, b->n);
    lrn_free(b->s);
    b->s = more;
    b->room = room;
  }
  memcpy(b->s + b->n, s, n);
  b->n += n;
  b->s[b->n] = '\0';
}

static void comma(json_buf *b) {
  if (b->n > 0 && strchr("{[:", b->s[b->n - 1]) == NULL)
    lrn_json_put_raw(b, ",", 1);
}

static void put_word(json_buf *b, const char *s) {
  comma(b);
  lrn_json_put_raw(b, s, strlen(s));
}

static void put_quoted(json_buf *b, const char *s) {
  size_t n = strlen(s), run = 0, i;
  if (b->status == LRN_OK && !utf8_ok(s, n)) {
    char show[UTF8_SHOW];
    b->status =
        lrn_fail(LRN_EVALUE, "json: found %s, expected UTF-8", utf8_show(show, s, n));
  }
  comma(b);
  lrn_json_put_raw(b, "\"", 1);
  for (i = 0; i < n; i++) {
    unsigned char c = (unsigned char)s[i];
    char text[8];
    if (c >= 32 && c != '"' && c != '\\')
      continue;
    lrn_json_put_raw(b, s + run, i - run);
    run = i + 1;
    if (c < 32)
      lrn_json_put_raw(b, text, (size_t)snprintf(text, sizeof text, "\\u%04x", c));
    else {
      lrn_json_put_raw(b, "\\", 1);
      lrn_json_put_raw(b, s + i, 1);
    }
  }
  lrn_json_put_raw(b, s + run, n - run);
  lrn_json_put_raw(b, "\"", 1);
}

void lrn_json_put_open(json_buf *b, char bracket) {
  comma(b);
  lrn_json_put_raw(b, &bracket, 1);
}

void lrn_json_put_close(json_buf *b, char bracket) { lrn_json_put_raw(b, &bracket, 1); }

void lrn_json_put_key(json_buf *b, const char *key) {
  put_quoted(b, key);
  lrn_json_put_raw(b, ":", 1);
}

void lrn_json_put_string(json_buf *b, const char *s) { put_quoted(b, s); }

void lrn_json_put_int(json_buf *b, int64_t i) {
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)i);
  put_word(b, text);
}

void lrn_json_put_double(json_buf *b, double d) {
  char text[40];
  locale_t c, old;
  if (!isfinite(d)) {
    lrn_json_put_null(b);
    return;
  }
  c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* the decimal point is the point */
  old = c ? uselocale(c) : (locale_t)0;
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(text, sizeof text, "%.*g", precision, d);
    if (strtod(text, NULL) == d)
      break;
  }
  if (c) {
    uselocale(old);
    freelocale(c);
  }
  put_word(b, text);
}

void lrn_json_put_bool(json_buf *b, int truth) { put_word(b, truth ? "true" : "false"); }
void lrn_json_put_null(json_buf *b) { put_word(b, "null"); }
