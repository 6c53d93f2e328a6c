/*
** common.cuh - what every .cu file of the backend uses: checked calls and launches,
** strided indexing, and the sums of numerics.md. Compiled by nvcc, or by g++ with
** -DLRN_EMUL as the emulated device (emul.h).
*/
#ifndef LRN_CUDA_COMMON_CUH
#define LRN_CUDA_COMMON_CUH

#include "lrn.h"
#ifdef LRN_EMUL
#include "emul.h"
#else
#include <cuda_runtime.h>
#endif
#include "base/status.h"
#include "device/backend.h"

/* {====================================================================
** Calls and launches
** ===================================================================== */

#ifdef LRN_EMUL
#define LRN_CUDA_NAME "emul"
#define LRN_CUDA_RUN(kernel, grid, block, ...) \
  lrn_emul_launch(#kernel, (grid), (block), [&] { kernel(__VA_ARGS__); })
#define LRN_CUDA_RUN_FLAT(kernel, grid, block, ...) \
  lrn_emul_flat(#kernel, (grid), (block), [&] { kernel(__VA_ARGS__); })
#define LRN_MAX_GRID 5 /* few, so that grid-stride loops do stride */
#else
#define LRN_CUDA_NAME "cuda"
#define LRN_CUDA_RUN(kernel, grid, block, ...) kernel<<<(grid), (block), 0, 0>>>(__VA_ARGS__)
#define LRN_CUDA_RUN_FLAT LRN_CUDA_RUN
#define LRN_MAX_GRID 4096
#endif

/* The message and status of a failed call; takes the error away, so that the next call does not
   report it again. */
int lrn_cuda_fail(cudaError_t e, const char *call, const char *file, int line);

/* Return the failure of a runtime call as a status. */
#define LRN_CUDA(call)                                              \
  do {                                                              \
    cudaError_t lrn_cuda_error = (call);                            \
    if (lrn_cuda_error != cudaSuccess)                              \
      return lrn_cuda_fail(lrn_cuda_error, #call, __FILE__, __LINE__); \
  } while (0)

/* Launch and check; FLAT: the kernel has neither barrier nor shuffle. */
#define LRN_LAUNCH(kernel, grid, block, ...)                              \
  do {                                                                    \
    cudaError_t lrn_cuda_error;                                           \
    LRN_CUDA_RUN(kernel, grid, block, __VA_ARGS__);                       \
    lrn_cuda_error = cudaGetLastError();                                  \
    if (lrn_cuda_error != cudaSuccess)                                    \
      return lrn_cuda_fail(lrn_cuda_error, #kernel, __FILE__, __LINE__);  \
  } while (0)
#define LRN_LAUNCH_FLAT(kernel, grid, block, ...)                         \
  do {                                                                    \
    cudaError_t lrn_cuda_error;                                           \
    LRN_CUDA_RUN_FLAT(kernel, grid, block, __VA_ARGS__);                  \
    lrn_cuda_error = cudaGetLastError();                                  \
    if (lrn_cuda_error != cudaSuccess)                                    \
      return lrn_cuda_fail(lrn_cuda_error, #kernel, __FILE__, __LINE__);  \
  } while (0)


#define LRN_THREADS 256
#define LRN_WARPS (LRN_THREADS / 32)

/* Grid for n threads in grid-stride loops, for n > 0 */
static inline unsigned lrn_grid(int64_t n) {
  int64_t blocks = (n + LRN_THREADS - 1) / LRN_THREADS;
  return (unsigned)(blocks < LRN_MAX_GRID ? blocks : LRN_MAX_GRID);
}
/* Grid for n warps */
static inline unsigned lrn_grid_warps(int64_t n) {
  int64_t blocks = (n + LRN_WARPS - 1) / LRN_WARPS;
  return (unsigned)(blocks < LRN_MAX_GRID ? blocks : LRN_MAX_GRID);
}

#define LRN_GRID_STRIDE(i, n)                                                       \
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < (n);         \
       i += (int64_t)gridDim.x * blockDim.x)

/* Tasks of a whole warp; blockDim.x is a multiple of 32. All lanes see the same task. */
#define LRN_WARP_STRIDE(task, n)                                                       \
  for (int64_t task = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32; task < (n); \
       task += (int64_t)gridDim.x * blockDim.x / 32)
#define LRN_LANE ((int)(threadIdx.x % 32))

/* Device memory for the length of a slot, in the order of the stream. */
static inline int lrn_scratch(void **out, size_t bytes) {
  if (cudaMallocAsync(out, bytes > 0 ? bytes : 1, 0) == cudaSuccess)
    return LRN_OK;
  cudaGetLastError();
  return lrn_fail(LRN_ENOMEM, LRN_CUDA_NAME ": no memory for %lld bytes of scratch",
                  (long long)bytes);
}
static inline void lrn_scratch_free(void *p) {
  if (p != NULL && cudaFreeAsync(p, 0) != cudaSuccess)
    cudaGetLastError();
}

/* }==================================================================== */

/* {====================================================================
** Strided arrays of one shape
** ===================================================================== */

#define LRN_LAYOUT_VIEWS 4

/* Sizes, and the strides of up to four arrays; at least one dimension. */
typedef struct lrn_layout {
  int nd;
  int64_t n; /* elements */
  int64_t size[LRN_MAXDIM];
  int64_t stride[LRN_LAYOUT_VIEWS][LRN_MAXDIM];
} lrn_layout;

/* From dimensions [d0, d1) of the views (NULL: stride 0), with neighbours merged where all strides
   allow it. Keeps row-major order. */
static inline void lrn_layout_make(lrn_layout *L, const lrn_view *const *view, int views, int d0,
                                   int d1, const int64_t *size) {
  int nd = 0;
  memset(L, 0, sizeof *L);
  L->n = 1;
  for (int d = d0; d < d1; d++) {
    int merge = nd > 0;
    L->n *= size[d];
    if (size[d] == 1)
      continue;
    for (int v = 0; v < views && merge; v++)
      merge = view[v] == NULL || L->stride[v][nd - 1] == view[v]->stride[d] * size[d];
    if (!merge)
      L->size[nd++] = 1;
    L->size[nd - 1] *= size[d];
    for (int v = 0; v < views; v++)
      L->stride[v][nd - 1] = view[v] == NULL ? 0 : view[v]->stride[d];
  }
  if (nd == 0)
    L->size[nd++] = 1;
  L->nd = nd;
}

/* Loops over dimensions are short: unrolled, they are most of the library's size. */
#ifdef __CUDACC__
#define LRN_ROLLED _Pragma("unroll 1")
#else
#define LRN_ROLLED
#endif

/* Offset of element i (row-major) in array v. 32-bit division where it will do: the GPU has no
   64-bit one. */
static __device__ __forceinline__ int64_t lrn_at(const lrn_layout &L, int v, int64_t i) {
  int64_t offset = 0;
  if (L.nd > 1 && L.n <= 0x7fffffff) {
    uint32_t r = (uint32_t)i;
    LRN_ROLLED
    for (int d = L.nd - 1; d > 0; d--) {
      uint32_t s = (uint32_t)L.size[d], q = r / s;
      offset += (int64_t)(r - q * s) * L.stride[v][d];
      r = q;
    }
    i = r;
  } else {
    LRN_ROLLED
    for (int d = L.nd - 1; d > 0; d--) {
      int64_t q = i / L.size[d];
      offset += (i - q * L.size[d]) * L.stride[v][d];
      i = q;
    }
  }
  return offset + i * L.stride[v][0];
}

static inline int64_t lrn_view_n(const lrn_view *v, int d0, int d1) {
  int64_t n = 1;
  for (int d = d0; d < d1; d++)
    n *= v->size[d];
  return n;
}

/* }==================================================================== */

/* {====================================================================
** Sums (numerics.md): blocks of 4096, 32 lanes, then trees. `comp` is a constant at each call:
** 0 for terms of float32, 1 (compensated) for those of float64.
** ===================================================================== */

typedef struct lrn_acc {
  double s, c; /* the sum is s + c; c is 0 where not compensated */
} lrn_acc;

static __device__ __forceinline__ lrn_acc lrn_acc_zero(void) {
  lrn_acc a;
  a.s = 0.0;
  a.c = 0.0;
  return a;
}

/* Knuth 1969: a + b = s + error exactly */
static __device__ __forceinline__ double lrn_two_sum_error(double a, double b, double s) {
  double t = s - a;
  return (a - (s - t)) + (b - t);
}

static __device__ __forceinline__ void lrn_acc_add(lrn_acc *a, double x, int comp) {
  double s = a->s + x;
  if (comp)
    a->c += lrn_two_sum_error(a->s, x, s);
  a->s = s;
}

static __device__ __forceinline__ lrn_acc lrn_acc_join(lrn_acc a, lrn_acc b, int comp) {
  lrn_acc r;
  r.s = a.s + b.s;
  r.c = comp ? (a.c + b.c) + lrn_two_sum_error(a.s, b.s, r.s) : 0.0;
  return r;
}

/* An infinite sum has a NaN for its error. */
static __device__ __forceinline__ double lrn_acc_value(lrn_acc a, int comp) {
  return comp && a.s - a.s == 0.0 ? a.s + a.c : a.s;
}

/* The lanes' sums, in lane 0. */
static __device__ __forceinline__ lrn_acc lrn_acc_warp(lrn_acc a, int comp) {
  for (int w = 16; w > 0; w /= 2) {
    lrn_acc b;
    b.s = __shfl_down_sync(0xffffffffu, a.s, w);
    b.c = comp ? __shfl_down_sync(0xffffffffu, a.c, w) : 0.0;
    a = lrn_acc_join(a, b, comp);
  }
  return a;
}

/* Pairwise tree over blocks as they come: level[l] is the sum of 2^l blocks where bit l of the
   count is set. */
typedef struct lrn_tree {
  int64_t count;
  lrn_acc level[40];
} lrn_tree;

static __device__ __forceinline__ void lrn_tree_push(lrn_tree *t, lrn_acc a, int comp) {
  int l = 0;
  for (int64_t n = t->count++; n & 1; n >>= 1)
    a = lrn_acc_join(t->level[l++], a, comp);
  t->level[l] = a;
}

static __device__ __forceinline__ lrn_acc lrn_tree_sum(const lrn_tree *t, int comp) {
  lrn_acc r = lrn_acc_zero();
  int first = 1, l = 0;
  for (int64_t n = t->count; n > 0; n >>= 1, l++)
    if (n & 1) {
      r = first ? t->level[l] : lrn_acc_join(t->level[l], r, comp);
      first = 0;
    }
  return r;
}

/* }==================================================================== */

/* {====================================================================
** Slots, by file
** ===================================================================== */

int lrn_cuda_map(int op, int dtype, const lrn_view *out, const lrn_operand *in, int n);
int lrn_cuda_reduce(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
                    double divisor);
int lrn_cuda_argextreme(int max, const lrn_view *out, const lrn_view *x, int nkeep, int64_t base);
int lrn_cuda_gather(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                    int64_t base);
int lrn_cuda_put(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                 int64_t base);
int lrn_cuda_load(const lrn_load_args *args);
int lrn_cuda_gemm(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                  const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                  int64_t ldc);
int lrn_cuda_random(const lrn_view *out, int dist, double a, double b, lrn_key key);
int lrn_cuda_bernoulli(const lrn_view *out, const void *p, int p_dtype, lrn_key key);
int lrn_cuda_unit(const lrn_unit_args *args);
int lrn_cuda_unit_at(const lrn_unit_args *args, double beta); /* of beta times the inputs */
int lrn_cuda_unit_map(const lrn_unit_map_args *args);
int lrn_cuda_flip(const lrn_flip_args *args);
int lrn_cuda_rung(const lrn_rung_args *args);
int lrn_cuda_update(const lrn_update_args *args);
int lrn_cuda_add_terms(double *sum, const double *terms, int64_t n); /* all on the device */
int lrn_cuda_rated_up(const lrn_rated *batch, const uint8_t *level, void *x);
int lrn_cuda_rated_down(const lrn_rated *batch, const lrn_rated_down_args *args);
int lrn_cuda_rated_gradient(const lrn_rated *batch, const lrn_rated_gradient_args *args);
int lrn_cuda_rated_smooth(const lrn_rated *batch, double strength, void *gW);

/* }==================================================================== */

#endif
