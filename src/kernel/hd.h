/*
** hd.h: what lets src/kernel/ compile unchanged as C11, C++17 and CUDA C++
** Scalar bodies are LRN_HD functions; loops and launches live elsewhere.
*/
#ifndef LRN_KERNEL_HD_H
#define LRN_KERNEL_HD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Always inlined on the host too: a call left in a loop would stop vectorisation. */
#if defined(__CUDACC__)
#define LRN_HD static __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define LRN_HD static inline __attribute__((always_inline))
#else
#define LRN_HD static inline
#endif

/* Bits of a number and back. memcpy is the one cast without undefined behaviour in C and C++. */
LRN_HD uint32_t lrn_f2u(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

LRN_HD float lrn_u2f(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

LRN_HD uint64_t lrn_d2u(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

LRN_HD double lrn_u2d(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}

#endif
