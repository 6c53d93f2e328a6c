/* header.cpp - the public headers stand alone as C++17; see header.c. */
#ifdef LRN_HEADER_LUA
#include "lrn_lua.h"
#else
#include "lrn.h"
#endif

int header_cpp() {
  lrn_arg a = lrn_argi(1), b = lrn_argd(1), c = lrn_argt(nullptr);
  return a.i == 1 && b.d == 1 && c.t == nullptr ? LRN_OK : LRN_EARG;
}
