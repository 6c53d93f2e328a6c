/* header.c - the public headers stand alone as C11 (scripts/test compiles this file with
   -pedantic -Werror, once for each). */
#ifdef LRN_HEADER_LUA
#include "lrn_lua.h"
#else
#include "lrn.h"
#endif

int header_c(void);
int header_c(void) {
  lrn_arg a = lrn_argi(1), b = lrn_argd(1), c = lrn_argt(0);
  return a.i == 1 && b.d == 1 && c.t == 0 ? LRN_OK : LRN_EARG;
}
