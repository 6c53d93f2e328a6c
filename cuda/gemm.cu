/*
** gemm.cu - C = alpha op(A) op(B) + beta C, row-major, by tiles in shared memory.
** op(A): (m, k), op(B): (k, n), C: (m, n). A thread keeps 4 x 4 of a block's 64 x 64 results;
** each is one sum in the order of k, product then sum, in the dtype.
*/
#include "common.cuh"

enum { TILE = 64, DEPTH = 16, SIDE = 16, OWN = TILE / SIDE };

typedef struct gemm_args {
  int transa, transb;
  int64_t m, n, k, lda, ldb, ldc;
  const void *a, *b;
  void *c;
  double alpha, beta;
} gemm_args;

/* 17 x 65: the + 1 spreads columns over the banks. */
#define GEMM(T, name)                                                                        \
  static __global__ void k_gemm_##name(const __grid_constant__ gemm_args p) {                \
    __shared__ T as[DEPTH][TILE + 1], bs[DEPTH][TILE + 1];                                   \
    const T *a = (const T *)p.a, *b = (const T *)p.b;                                        \
    T *c = (T *)p.c;                                                                         \
    const int tx = (int)threadIdx.x % SIDE, ty = (int)threadIdx.x / SIDE;                    \
    const int64_t across = (p.n + TILE - 1) / TILE, tiles = across * ((p.m + TILE - 1) / TILE); \
    for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {                       \
      const int64_t i0 = tile / across * TILE, j0 = tile % across * TILE;                    \
      T sum[OWN][OWN];                                                                       \
      for (int i = 0; i < OWN; i++)                                                          \
        for (int j = 0; j < OWN; j++)                                                        \
          sum[i][j] = 0;                                                                     \
      for (int64_t k0 = 0; k0 < p.k; k0 += DEPTH) {                                          \
        const int depth = p.k - k0 < DEPTH ? (int)(p.k - k0) : DEPTH;                        \
        for (int e = (int)threadIdx.x; e < DEPTH * TILE; e += SIDE * SIDE) {                 \
          /* neighbours in a warp read neighbours in memory */                               \
          const int ka = p.transa ? e / TILE : e % DEPTH, ia = p.transa ? e % TILE : e / DEPTH; \
          const int kb = p.transb ? e % DEPTH : e / TILE, jb = p.transb ? e / DEPTH : e % TILE; \
          as[ka][ia] = ka < depth && i0 + ia < p.m                                           \
                         ? a[p.transa ? (k0 + ka) * p.lda + i0 + ia                          \
                                      : (i0 + ia) * p.lda + k0 + ka]                         \
                         : (T)0;                                                             \
          bs[kb][jb] = kb < depth && j0 + jb < p.n                                           \
                         ? b[p.transb ? (j0 + jb) * p.ldb + k0 + kb                          \
                                      : (k0 + kb) * p.ldb + j0 + jb]                         \
                         : (T)0;                                                             \
        }                                                                                    \
        __syncthreads();                                                                     \
        for (int kk = 0; kk < depth; kk++)                                                   \
          for (int i = 0; i < OWN; i++)                                                      \
            for (int j = 0; j < OWN; j++)                                                    \
              sum[i][j] += as[kk][ty + SIDE * i] * bs[kk][tx + SIDE * j];                    \
        __syncthreads();                                                                     \
      }                                                                                      \
      for (int i = 0; i < OWN; i++)                                                          \
        for (int j = 0; j < OWN; j++) {                                                      \
          const int64_t row = i0 + ty + SIDE * i, col = j0 + tx + SIDE * j;                  \
          if (row < p.m && col < p.n) {                                                      \
            T *out = &c[row * p.ldc + col], v = (T)p.alpha * sum[i][j];                      \
            *out = p.beta == 0.0 ? v : v + (T)p.beta * *out;                                 \
          }                                                                                  \
        }                                                                                    \
    }                                                                                        \
  }
GEMM(float, f32)
GEMM(double, f64)

int lrn_cuda_gemm(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                  const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                  int64_t ldc) {
  gemm_args p;
  int64_t tiles = ((m + TILE - 1) / TILE) * ((n + TILE - 1) / TILE);
  unsigned grid = (unsigned)(tiles < LRN_MAX_GRID ? tiles : LRN_MAX_GRID);
  memset(&p, 0, sizeof p);
  p.transa = transa;
  p.transb = transb;
  p.m = m;
  p.n = n;
  p.k = k;
  p.lda = lda;
  p.ldb = ldb;
  p.ldc = ldc;
  p.a = a;
  p.b = b;
  p.c = c;
  p.alpha = alpha;
  p.beta = beta;
  if (tiles == 0)
    return LRN_OK;
  switch (dtype) {
    case LRN_F32: LRN_LAUNCH(k_gemm_f32, grid, SIDE * SIDE, p); return LRN_OK;
    case LRN_F64: LRN_LAUNCH(k_gemm_f64, grid, SIDE * SIDE, p); return LRN_OK;
    default: return lrn_fail(LRN_ETYPE, "gemm: not for dtype %d", dtype);
  }
}
