/* own.c - a file of a project that has taken lrn in: compiled with the project's flags alone. */
#if __STDC_VERSION__ != 199901L
#error "not the C standard of the project"
#endif
#ifdef __OPTIMIZE__
#error "an optimisation that the project has not asked for"
#endif
#ifndef FOO
#error "the project's flags are gone"
#endif
#ifndef __FAST_MATH__
#error "other flags than the project's"
#endif
#if defined(_GNU_SOURCE) || defined(LRN_ASSERTS) || defined(LRN_ISA)
#error "definitions of lrn"
#endif
#if defined(__has_include)
#if __has_include("base/mem.h") || __has_include("tensor/tensor.h")
#error "lrn's private headers are in the way"
#endif
#endif
#include <lrn.h>

const char *own_version(void);
const char *own_version(void) { return lrn_version(); }
