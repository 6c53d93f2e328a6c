/*
** emul_check.cu - kernels that are wrong on purpose: does the emulator say so?
** Part of the emulated device only. spec/c/emul_test.c calls lrn_emul_check through dlsym.
*/
#ifdef LRN_EMUL
#include "common.cuh"

/* Every thread but `lazy` reaches the barrier. */
static __global__ void k_missed_barrier(int lazy) {
  if ((int)threadIdx.x != lazy)
    __syncthreads();
}

/* All threads reach a barrier, but not one and the same. */
static __global__ void k_two_barriers(int half) {
  if ((int)threadIdx.x < half)
    __syncthreads();
  else
    __syncthreads();
}

static __global__ void k_partial_shuffle(int lanes, int *out) {
  if ((int)threadIdx.x < lanes)
    *out = __shfl_xor_sync(0xffffffffu, (int)threadIdx.x, 1);
}

/* A sum over a block of 256, by shuffles and by shared memory: right in any order of threads. */
static __global__ void k_block_sum(int *out) {
  __shared__ int part[8];
  int v = (int)threadIdx.x;
  for (int w = 16; w > 0; w /= 2)
    v += __shfl_xor_sync(0xffffffffu, v, w);
  if (threadIdx.x % 32 == 0)
    part[threadIdx.x / 32] = v;
  __syncthreads();
  v = 0;
  for (int i = 0; i < 8; i++)
    v += part[i];
  __syncthreads();
  if (threadIdx.x == 0)
    atomicAdd(out, v);
}

/* Who writes last? 0 in descending order, 63 in ascending */
static __global__ void k_race(int *out) { *out = (int)threadIdx.x; }

extern "C" LRN_API int lrn_emul_check(int number, int *out) {
  switch (number) {
    case 0: LRN_LAUNCH(k_block_sum, 3, 256, out); break;
    case 1: LRN_LAUNCH(k_missed_barrier, 2, 64, 40); break;
    case 2: LRN_LAUNCH(k_two_barriers, 1, 64, 32); break;
    case 3: LRN_LAUNCH(k_partial_shuffle, 1, 32, 20, out); break;
    case 4: LRN_LAUNCH_FLAT(k_missed_barrier, 1, 32, -1); break;
    case 5: LRN_LAUNCH(k_missed_barrier, 1, 2048, -1); break;
    case 6: LRN_LAUNCH_FLAT(k_race, 1, 64, out); break;
    case 7: LRN_LAUNCH(k_race, 1, 64, out); break;
    default: return lrn_fail(LRN_EARG, "emul_check: no case %d", number);
  }
  return LRN_OK;
}
#endif
