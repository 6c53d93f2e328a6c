/*
** gather.cu - reading and writing by position, and rows of a data set into a batch.
** A position that is out of range is found by the kernel and read back: these slots wait for
** the device where they use positions.
*/
#include "common.cuh"
#include "kernel/math.h"

/* Arrays of the layout (idx's shape): 0 still (the side of idx's shape), 1 moved without its
   stride along dim, 2 idx. */
typedef struct gather_args {
  lrn_layout layout;
  void *still, *moved;
  const int64_t *idx;
  int64_t base, count, stride; /* of moved along dim */
  unsigned long long *bad;     /* first element with a bad position; all ones: none */
  /* put: (outer, along dim, inner) instead, one thread for all positions along dim */
  lrn_layout rest;
  int64_t along, step_still, step_idx;
} gather_args;

/* Position in [0, count), or -1. Base 1 also counts from the end: -1 is the last. */
static __device__ __forceinline__ int64_t place(const gather_args &p, int64_t position) {
  int64_t at = position < 0 && p.base == 1 ? position + p.count : position - p.base;
  return at < 0 || at >= p.count || (position < 0 && p.base == 0) ? -1 : at;
}

static __global__ void k_check(const __grid_constant__ gather_args p) {
  LRN_GRID_STRIDE(i, p.layout.n) {
    if (place(p, p.idx[lrn_at(p.layout, 2, i)]) < 0)
      atomicMin(p.bad, (unsigned long long)i);
  }
}

/* Elements are moved as words of their size. */
#define GATHER(W, size)                                                                   \
  static __global__ void k_gather_##size(const __grid_constant__ gather_args p) {         \
    LRN_GRID_STRIDE(i, p.layout.n) {                                                      \
      int64_t at = place(p, p.idx[lrn_at(p.layout, 2, i)]);                               \
      if (at < 0)                                                                         \
        atomicMin(p.bad, (unsigned long long)i);                                          \
      else                                                                                \
        ((W *)p.still)[lrn_at(p.layout, 0, i)] =                                          \
          ((const W *)p.moved)[lrn_at(p.layout, 1, i) + at * p.stride];                   \
    }                                                                                     \
  }                                                                                       \
  /* of repeated positions the last wins, so one thread goes along dim, in order */       \
  static __global__ void k_put_##size(const __grid_constant__ gather_args p) {            \
    LRN_GRID_STRIDE(i, p.rest.n) {                                                        \
      const W *still = (const W *)p.still + lrn_at(p.rest, 0, i);                         \
      W *moved = (W *)p.moved + lrn_at(p.rest, 1, i);                                     \
      const int64_t *idx = p.idx + lrn_at(p.rest, 2, i);                                  \
      for (int64_t k = 0; k < p.along; k++)                                               \
        moved[place(p, idx[k * p.step_idx]) * p.stride] = still[k * p.step_still];        \
    }                                                                                     \
  }
GATHER(uint8_t, 1)
GATHER(uint32_t, 4)
GATHER(uint64_t, 8)

/* Offset of element i of a view, on the host */
static int64_t offset_of(const lrn_view *v, int64_t i) {
  int64_t offset = 0;
  for (int d = v->nd - 1; d >= 0; d--) {
    offset += i % v->size[d] * v->stride[d];
    i /= v->size[d];
  }
  return offset;
}

/* What k_check and k_gather left behind, as a status. */
static int check(const char *name, const gather_args *p, const lrn_view *idx) {
  unsigned long long bad;
  int64_t position;
  LRN_CUDA(cudaMemcpy(&bad, p->bad, sizeof bad, cudaMemcpyDeviceToHost));
  if (bad == ~0ull)
    return LRN_OK;
  LRN_CUDA(cudaMemcpy(&position, p->idx + offset_of(idx, (int64_t)bad), sizeof position,
                      cudaMemcpyDeviceToHost));
  return lrn_fail(LRN_EVALUE, "%s: position %lld is outside of %lld..%lld", name,
                  (long long)position, (long long)p->base, (long long)(p->base + p->count - 1));
}

static int gather(const gather_args *p, const lrn_view *idx, size_t item) {
  const unsigned grid = lrn_grid(p->layout.n);
  switch (item) {
    case 1: LRN_LAUNCH_FLAT(k_gather_1, grid, LRN_THREADS, *p); break;
    case 4: LRN_LAUNCH_FLAT(k_gather_4, grid, LRN_THREADS, *p); break;
    default: LRN_LAUNCH_FLAT(k_gather_8, grid, LRN_THREADS, *p); break;
  }
  return check("gather", p, idx);
}

static int put(const gather_args *p, const lrn_view *idx, size_t item) {
  const unsigned grid = lrn_grid(p->rest.n);
  LRN_LAUNCH_FLAT(k_check, lrn_grid(p->layout.n), LRN_THREADS, *p);
  LRN_TRY(check("put", p, idx));
  switch (item) {
    case 1: LRN_LAUNCH_FLAT(k_put_1, grid, LRN_THREADS, *p); break;
    case 4: LRN_LAUNCH_FLAT(k_put_4, grid, LRN_THREADS, *p); break;
    default: LRN_LAUNCH_FLAT(k_put_8, grid, LRN_THREADS, *p); break;
  }
  return LRN_OK;
}

/* A word of ones on the device */
static int flag_new(unsigned long long **flag) {
  void *p;
  cudaError_t e;
  LRN_TRY(lrn_scratch(&p, sizeof **flag));
  e = cudaMemsetAsync(p, 0xff, sizeof **flag, 0);
  if (e != cudaSuccess) {
    lrn_scratch_free(p);
    return lrn_cuda_fail(e, "cudaMemsetAsync", __FILE__, __LINE__);
  }
  *flag = (unsigned long long *)p;
  return LRN_OK;
}

static int indexed(const lrn_view *still, const lrn_view *moved, const lrn_view *idx, int dim,
                   int64_t base, int into_moved) {
  gather_args p;
  lrn_view rest = *moved, line[3];
  const lrn_view *view[3] = {still, &rest, idx}, *lines[3] = {&line[0], &line[1], &line[2]};
  int st;
  memset(&p, 0, sizeof p);
  rest.stride[dim] = 0;
  lrn_layout_make(&p.layout, view, 3, 0, idx->nd, idx->size);
  for (int k = 0; k < 3; k++) { /* the shape with dim as one line */
    line[k] = *view[k];
    line[k].size[dim] = 1;
  }
  line[2].nd = idx->nd;
  lrn_layout_make(&p.rest, lines, 3, 0, idx->nd, line[2].size);
  p.still = still->data;
  p.moved = moved->data;
  p.idx = (const int64_t *)idx->data;
  p.base = base;
  p.count = moved->size[dim];
  p.stride = moved->stride[dim];
  p.along = idx->size[dim];
  p.step_still = still->stride[dim];
  p.step_idx = idx->stride[dim];
  if (p.layout.n == 0)
    return LRN_OK;
  LRN_TRY(flag_new(&p.bad));
  st = into_moved ? put(&p, idx, lrn_dtype_size(still->dtype))
                  : gather(&p, idx, lrn_dtype_size(still->dtype));
  lrn_scratch_free(p.bad);
  return st;
}

int lrn_cuda_gather(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                    int64_t base) {
  return indexed(out, in, idx, dim, base, 0);
}

int lrn_cuda_put(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                 int64_t base) {
  return indexed(in, out, idx, dim, base, 1);
}

/* {====================================================================
** load: (count, units) of out from rows of data
** ===================================================================== */

#define ROUND_float(x) lrn_roundf(x)
#define ROUND_double(x) lrn_round(x)

#define LOAD(T, tname, S, sname, divide)                                                  \
  static __global__ void k_load_##tname##_##sname(const lrn_load_args p,                  \
                                                  unsigned long long *bad) {              \
    LRN_GRID_STRIDE(i, p.count * p.units) {                                               \
      const int64_t r = i / p.units, u = i - r * p.units;                                 \
      const int64_t row = /* unsigned: a position may be any number */                    \
        p.index ? (int64_t)((uint64_t)p.index[p.first + r] - (uint64_t)p.base)            \
                : p.first + r;                                                            \
      if (row < 0 || row >= p.n_rows) {                                                   \
        atomicMin(bad, (unsigned long long)r);                                            \
      } else {                                                                            \
        const S *values = (const S *)p.data + row * p.row_stride;                         \
        T v = (T)values[u];                                                               \
        int absent = 0;                                                                   \
        if (p.absent) {                                                                   \
          const S *k = values + u / p.categories * p.categories;                          \
          absent = 1;                                                                     \
          for (int64_t j = 0; j < p.categories; j++)                                      \
            absent &= k[j] != k[j];                                                       \
        }                                                                                 \
        if (divide)                                                                       \
          v = v / (T)255;                                                                 \
        if (p.round)                                                                      \
          v = ROUND_##T(v);                                                               \
        if (p.scale)                                                                      \
          v = (v - ((const T *)p.shift)[u]) * ((const T *)p.scale)[u];                    \
        ((T *)p.out)[i] = absent ? 0 : v;                                                 \
        if (p.absent)                                                                     \
          ((T *)p.absent)[i] = (T)absent;                                                 \
      }                                                                                   \
    }                                                                                     \
  }
#define LOADS(T, tname)                                                                   \
  LOAD(T, tname, float, f32, 0)                                                           \
  LOAD(T, tname, double, f64, 0)                                                          \
  LOAD(T, tname, int64_t, i64, 0)                                                         \
  LOAD(T, tname, int32_t, i32, 0)                                                         \
  LOAD(T, tname, uint8_t, u8, 1)                                                          \
  LOAD(T, tname, uint8_t, bool, 0)                                                        \
  static int load_##tname(const lrn_load_args *p, unsigned long long *bad) {              \
    const unsigned grid = lrn_grid(p->count * p->units);                                  \
    switch (p->data_dtype) {                                                              \
      case LRN_F32: LRN_LAUNCH_FLAT(k_load_##tname##_f32, grid, LRN_THREADS, *p, bad); break; \
      case LRN_F64: LRN_LAUNCH_FLAT(k_load_##tname##_f64, grid, LRN_THREADS, *p, bad); break; \
      case LRN_I64: LRN_LAUNCH_FLAT(k_load_##tname##_i64, grid, LRN_THREADS, *p, bad); break; \
      case LRN_I32: LRN_LAUNCH_FLAT(k_load_##tname##_i32, grid, LRN_THREADS, *p, bad); break; \
      case LRN_U8: LRN_LAUNCH_FLAT(k_load_##tname##_u8, grid, LRN_THREADS, *p, bad); break;   \
      case LRN_BOOL: LRN_LAUNCH_FLAT(k_load_##tname##_bool, grid, LRN_THREADS, *p, bad); break; \
      default: return lrn_fail(LRN_ETYPE, "batch: no dtype %d", p->data_dtype);           \
    }                                                                                     \
    return LRN_OK;                                                                        \
  }
LOADS(float, f32)
LOADS(double, f64)

static int load_checked(const lrn_load_args *args, unsigned long long *flag) {
  unsigned long long bad;
  int64_t position;
  LRN_TRY(args->dtype == LRN_F64 ? load_f64(args, flag) : load_f32(args, flag));
  LRN_CUDA(cudaMemcpy(&bad, flag, sizeof bad, cudaMemcpyDeviceToHost));
  if (bad == ~0ull)
    return LRN_OK;
  LRN_CUDA(cudaMemcpy(&position, args->index + args->first + (int64_t)bad, sizeof position,
                      cudaMemcpyDeviceToHost));
  return lrn_fail(LRN_EVALUE, "batch: row %lld: position %lld is outside of %lld..%lld",
                  (long long)((int64_t)bad + args->base), (long long)position,
                  (long long)args->base, (long long)(args->base + args->n_rows - 1));
}

int lrn_cuda_load(const lrn_load_args *args) {
  unsigned long long *flag;
  int st;
  if (args->bad != NULL)
    *args->bad = -1; /* not looked for: it would wait for the device in every step */
  if (args->count == 0 || args->units == 0)
    return LRN_OK;
  if (args->index == NULL) {
    if (args->first < 0 || args->first > args->n_rows - args->count)
      return lrn_fail(LRN_EVALUE, "batch: rows %lld..%lld are outside of %lld..%lld",
                      (long long)(args->first + args->base),
                      (long long)(args->first + args->count - 1 + args->base),
                      (long long)args->base, (long long)(args->base + args->n_rows - 1));
    return args->dtype == LRN_F64 ? load_f64(args, NULL) : load_f32(args, NULL);
  }
  LRN_TRY(flag_new(&flag));
  st = load_checked(args, flag);
  lrn_scratch_free(flag);
  return st;
}

/* }==================================================================== */
