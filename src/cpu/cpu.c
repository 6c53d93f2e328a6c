/*
** cpu.c - the CPU as a device: its table, and the choice of the instruction set.
*/
#include "cpu/cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

static const lrn_kernels *kernels;
static pthread_once_t kernels_once = PTHREAD_ONCE_INIT;

static void choose_kernels(void) {
  const char *want = getenv("LRN_ISA");
  kernels = &lrn_kernels_generic;
#ifdef LRN_HAVE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      (want == NULL || strcmp(want, "generic") != 0))
    kernels = &lrn_kernels_avx2;
#else
  (void)want;
#endif
}

const lrn_kernels *lrn_cpu_kernels(void) {
  pthread_once(&kernels_once, choose_kernels);
  return kernels;
}

const char *lrn_isa(void) { return lrn_cpu_kernels()->isa; }

static int cpu_alloc(void **out, size_t bytes) {
  *out = lrn_malloc(bytes);
  return *out != NULL ? LRN_OK : LRN_ENOMEM;
}

static int cpu_copy(void *dst, const void *src, size_t bytes) {
  if (bytes > 0)
    memcpy(dst, src, bytes);
  return LRN_OK;
}

static int cpu_sync(void) { return LRN_OK; }

void lrn_cpu_backend(lrn_backend *out) {
  *out = (lrn_backend){
    .name = "cpu",
    .host_memory = 1,
    .alloc = cpu_alloc,
    .free = lrn_free,
    .upload = cpu_copy,
    .download = cpu_copy,
    .sync = cpu_sync,
    .map = lrn_cpu_map,
    .reduce = lrn_cpu_reduce,
    .argextreme = lrn_cpu_argextreme,
    .gather = lrn_cpu_gather,
    .put = lrn_cpu_put,
    .gemm = lrn_cpu_gemm,
    .gemm_sparse = lrn_cpu_gemm_sparse,
    .random = lrn_cpu_random,
    .bernoulli = lrn_cpu_bernoulli,
    .unit = lrn_cpu_unit,
    .unit_map = lrn_cpu_unit_map,
    .load = lrn_cpu_load,
    .flip = lrn_cpu_flip,
    .rung = lrn_cpu_rung,
    .update = lrn_cpu_update,
    .rated_up = lrn_cpu_rated_up,
    .rated_down = lrn_cpu_rated_down,
    .rated_gradient = lrn_cpu_rated_gradient,
    .rated_smooth = lrn_cpu_rated_smooth,
  };
}
