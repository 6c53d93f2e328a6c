/*
** utf8.c - UTF-8, strictly.
*/
#include "io/utf8.h"

#include <stdio.h>

static int is_tail(const char *s, size_t n, size_t i) {
  return i < n && ((unsigned char)s[i] & 0xC0) == 0x80;
}

/* After the Unicode standard, table 3-7: no overlong forms, no surrogates, at most U+10FFFF. */
int utf8_len(const char *s, size_t n) {
  unsigned c = n > 0 ? (unsigned char)s[0] : 0xFF, d = n > 1 ? (unsigned char)s[1] : 0;
  if (c < 0x80)
    return 1;
  if (!is_tail(s, n, 1) || c < 0xC2)
    return 0;
  if (c < 0xE0)
    return 2;
  if (!is_tail(s, n, 2) || (c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F))
    return 0;
  if (c < 0xF0)
    return 3;
  if (!is_tail(s, n, 3) || c > 0xF4 || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F))
    return 0;
  return 4;
}

int utf8_ok(const char *s, size_t n) {
  for (size_t i = 0; i < n;) {
    int k = utf8_len(s + i, n - i);
    if (k == 0)
      return 0;
    i += (size_t)k;
  }
  return 1;
}

const char *utf8_show(char buf[UTF8_SHOW], const char *s, size_t n) {
  size_t k = 0, i = 0;
  buf[k++] = '"';
  while (i < n && k < UTF8_SHOW - 9) {
    int len = utf8_len(s + i, n - i);
    unsigned char c = (unsigned char)s[i];
    /* C2 80 .. C2 9F are control characters too */
    if (len == 0 || c < 32 || c == 127 || (c == 0xC2 && (unsigned char)s[i + 1] < 0xA0)) {
      buf[k++] = '?';
      i += len > 1 ? (size_t)len : 1;
    } else
      for (; len > 0; len--)
        buf[k++] = s[i++];
  }
  snprintf(buf + k, UTF8_SHOW - k, i < n ? "...\"" : "\"");
  return buf;
}
