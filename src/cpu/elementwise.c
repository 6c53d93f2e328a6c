/*
** elementwise.c - map, conversions, gather and put on the CPU.
*/
#include <stdatomic.h>
#include <string.h>

#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/walk.h"

typedef struct map_job {
  lrn_map_fn *f;
  lrn_cast_fn *cast;
} map_job;

static int map_run(void *context, int64_t n, char *const *data, const int64_t *stride) {
  const map_job *job = context;
  job->f(n, data[0], stride[0], data[1], stride[1], data[2], stride[2], data[3], stride[3]);
  return LRN_OK;
}

static int cast_run(void *context, int64_t n, char *const *data, const int64_t *stride) {
  const map_job *job = context;
  return job->cast(n, data[0], stride[0], data[1], stride[1]) < 0 ? LRN_OK : LRN_EVALUE;
}

typedef union scalar {
  float f32;
  double f64;
  int64_t i64;
  int32_t i32;
  uint8_t u8;
} scalar;

static void set_scalar(scalar *s, int dtype, const lrn_operand *operand) {
  switch (dtype) {
    case LRN_F32: s->f32 = (float)operand->d; break;
    case LRN_F64: s->f64 = operand->d; break;
    case LRN_I64: s->i64 = operand->i; break;
    case LRN_I32: s->i32 = (int32_t)operand->i; break;
    case LRN_U8: s->u8 = (uint8_t)operand->i; break;
    default: s->u8 = operand->i != 0; break;
  }
}

int lrn_cpu_map(int op, int dtype, const lrn_view *out, const lrn_operand *in, int n) {
  static const char nothing[8];
  const lrn_kernels *k = lrn_cpu_kernels();
  const lrn_view *views[LRN_WALK_ARRAYS] = {out};
  const void *scalars[LRN_WALK_ARRAYS] = {NULL, nothing, nothing, nothing};
  scalar values[3];
  lrn_walk w;
  map_job job = {0};
  for (int i = 0; i < n; i++) {
    int own = lrn_op_table[op].family == LRN_SELECT && i == 0 ? LRN_BOOL
              : op == LRN_OP_COPY && in[i].is_scalar          ? LRN_F64
                                                              : dtype;
    if (in[i].is_scalar) {
      set_scalar(&values[i], own, &in[i]);
      scalars[i + 1] = &values[i];
    } else
      views[i + 1] = &in[i].view;
  }
  lrn_walk_init(&w, LRN_WALK_ARRAYS, views, scalars, 1);
  if (op == LRN_OP_COPY) {
    int from = in[0].is_scalar ? LRN_F64 : in[0].view.dtype, st;
    job.cast = k->cast[from][out->dtype];
    st = lrn_walk_run(&w, cast_run, &job);
    if (st == LRN_EVALUE)
      return lrn_fail(LRN_EVALUE, "copy: a %s value does not fit %s (NaN or out of range)",
                      lrn_dtype_name(from), lrn_dtype_name(out->dtype));
    return st;
  }
  job.f = k->map[dtype][op];
  if (job.f == NULL)
    return lrn_fail(LRN_ETYPE, "%s: not defined for %s", lrn_op_table[op].name,
                    lrn_dtype_name(dtype));
  return lrn_walk_run(&w, map_run, &job);
}

/* Gather and put: `moved` is indexed by idx along one dimension, `still` has idx's shape. The walk
   goes over still, idx and moved, the latter with stride 0 along that dimension. */
typedef struct index_job {
  int64_t base, count, stride, bad;
  size_t item;
  int into_moved;
  atomic_int failed;
} index_job;

static int index_run(void *context, int64_t n, char *const *data, const int64_t *stride) {
  index_job *job = context;
  const int64_t *idx = (const int64_t *)(const void *)data[1];
  size_t item = job->item;
  int64_t step_still = stride[0] * (int64_t)item, step_moved = stride[2] * (int64_t)item;
  /* one position for the whole run, both sides contiguous: rows of a matrix */
  int whole = stride[1] == 0 && stride[0] == 1 && stride[2] == 1;
  for (int64_t i = 0; i < n; i++) {
    int64_t p = idx[i * stride[1]];
    int64_t at = p < 0 && job->base == 1 ? p + job->count : p - job->base;
    char *still, *moved;
    if (at < 0 || at >= job->count || (job->base == 0 && p < 0)) {
      if (atomic_exchange(&job->failed, 1) == 0)
        job->bad = p;
      return LRN_EVALUE;
    }
    still = data[0] + i * step_still;
    moved = data[2] + i * step_moved + at * job->stride * (int64_t)item;
    if (whole) {
      memcpy(job->into_moved ? moved : still, job->into_moved ? still : moved, (size_t)n * item);
      break;
    }
    memcpy(job->into_moved ? moved : still, job->into_moved ? still : moved, item);
  }
  return LRN_OK;
}

static int indexed(const char *name, const lrn_view *still, const lrn_view *moved,
                   const lrn_view *idx, int dim, int64_t base, int into_moved) {
  lrn_view rest = *moved;
  const lrn_view *views[3] = {still, idx, &rest};
  index_job job = {.base = base,
                   .count = moved->size[dim],
                   .stride = moved->stride[dim],
                   .item = lrn_dtype_size(still->dtype),
                   .into_moved = into_moved};
  lrn_walk w;
  rest.stride[dim] = 0;
  lrn_walk_init(&w, 3, views, NULL, 0);
  if (into_moved) /* of repeated positions the last wins */
    lrn_walk_in_order(&w, index_run, &job);
  else {
    int st = lrn_walk_run(&w, index_run, &job);
    if (st == LRN_EINTERRUPTED)
      return st;
  }
  if (atomic_load(&job.failed))
    return lrn_fail(LRN_EVALUE, "%s: position %lld is outside of %lld..%lld", name,
                    (long long)job.bad, (long long)base, (long long)(base + job.count - 1));
  return LRN_OK;
}

int lrn_cpu_gather(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                   int64_t base) {
  return indexed("gather", out, in, idx, dim, base, 0);
}

int lrn_cpu_put(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                int64_t base) {
  return indexed("put", in, out, idx, dim, base, 1);
}
