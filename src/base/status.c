/*
** status.c - the thread's last failure. A fixed buffer: reporting that memory is
** gone must not need memory.
*/
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct {
  int code;
  int errnum;
  char message[1024];
} last;

static const struct {
  int code;
  const char *name;
} names[] = {
  {LRN_OK, "OK"},
  {LRN_EARG, "EARG"},
  {LRN_ESHAPE, "ESHAPE"},
  {LRN_EVALUE, "EVALUE"},
  {LRN_ETYPE, "ETYPE"},
  {LRN_ENOMEM, "ENOMEM"},
  {LRN_ESTATE, "ESTATE"},
  {LRN_EUNSUPPORTED, "EUNSUPPORTED"},
  {LRN_ENUMERIC, "ENUMERIC"},
  {LRN_EIO, "EIO"},
  {LRN_EFORMAT, "EFORMAT"},
  {LRN_EINTERRUPTED, "EINTERRUPTED"},
};

const char *lrn_status_name(int status) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].code == status)
      return names[i].name;
  return "E?";
}

const char *lrn_error_message(void) { return last.message; }
int lrn_error_code(void) { return last.code; }
int lrn_error_errno(void) { return last.errnum; }

int lrn_fail(int status, const char *format, ...) {
  va_list ap;
  char text[sizeof last.message]; /* arguments may point into last.message */
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  memcpy(last.message, text, sizeof text);
  last.code = status;
  last.errnum = 0;
  return status;
}

int lrn_fail_errno(int errnum, const char *function, const char *what) {
  char buffer[128]; /* GNU's strerror_r may use it, or return text of its own */
  const char *text = strerror_r(errnum, buffer, sizeof buffer);
  lrn_fail(LRN_EIO, "%s: %s: %s", function, what, text);
  last.errnum = errnum;
  return LRN_EIO;
}

const char *lrn_shape_text(char buf[LRN_SHAPE_MAX], int nd, const int64_t *size) {
  size_t n = 0;
  n += (size_t)snprintf(buf, LRN_SHAPE_MAX, "[");
  for (int d = 0; d < nd && n < LRN_SHAPE_MAX - 32; d++)
    n += (size_t)snprintf(buf + n, LRN_SHAPE_MAX - n, "%s%lld", d ? ", " : "",
                          (long long)size[d]);
  snprintf(buf + n, LRN_SHAPE_MAX - n, "]");
  return buf;
}
