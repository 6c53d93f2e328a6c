/*
** check.h: the smallest harness for the C tests
** CHECK counts and tells where it failed; main ends with `return check_done();`.
*/
#ifndef LRN_SPEC_CHECK_H
#define LRN_SPEC_CHECK_H

#include <stdio.h>

static long check_passed, check_failed, check_skipped;

/* CHECK(cond, "format", ...): the message, a printf format literal, is shown on failure. */
#define CHECK(cond, ...) \
  do { \
    if (cond) { \
      check_passed++; \
    } else { \
      check_failed++; \
      printf("%s:%d: failed: %s: ", __FILE__, __LINE__, #cond); \
      printf(__VA_ARGS__); \
      printf("\n"); \
    } \
  } while (0)

/* A check that cannot run here, with the reason. */
#define SKIP(reason) \
  do { \
    check_skipped++; \
    printf("%s:%d: skipped: %s\n", __FILE__, __LINE__, reason); \
  } while (0)

/* The closing line that runners parse; 1 if anything failed. */
static int check_done(void) {
  printf("%ld passed, %ld failed, %ld skipped\n", check_passed, check_failed, check_skipped);
  return check_failed != 0;
}

#endif
