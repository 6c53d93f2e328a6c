/*
** utf8.h - UTF-8: is it, and how to show text from a file in a message.
*/
#ifndef LRN_IO_UTF8_H
#define LRN_IO_UTF8_H

#include <stddef.h>

/* Length of the character that begins at s (1..4), 0 where none does. */
int utf8_len(const char *s, size_t n);
int utf8_ok(const char *s, size_t n);

/* In quotes, with control bytes replaced by '?', cut short with "...". */
#define UTF8_SHOW 80
const char *utf8_show(char buf[UTF8_SHOW], const char *s, size_t n);

#endif
