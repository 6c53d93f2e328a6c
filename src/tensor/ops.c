/*
** ops.c - elementwise operations and copies: broadcasting, promotion of dtypes, where the
** result goes; the device's `map` does the rest.
*/
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"
#include "tensor/tensor.h"

int lrn_broadcast_shape(int *nd, int64_t size[LRN_MAXDIM], const lrn_view *v,
                        const char *function) {
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  int64_t merged[LRN_MAXDIM];
  int n = *nd > v->nd ? *nd : v->nd;
  for (int d = 0; d < n; d++) {
    int da = d - (n - *nd), db = d - (n - v->nd);
    int64_t sa = da < 0 ? 1 : size[da], sb = db < 0 ? 1 : v->size[db];
    if (sa != sb && sa != 1 && sb != 1)
      return lrn_fail(LRN_ESHAPE, "%s: shapes %s and %s do not broadcast (%lld vs %lld)", function,
                      lrn_shape_text(a, *nd, size), lrn_shape_text(b, v->nd, v->size),
                      (long long)sa, (long long)sb);
    merged[d] = sa == 1 ? sb : sa;
  }
  *nd = n;
  memcpy(size, merged, (size_t)n * sizeof *size);
  return LRN_OK;
}

lrn_view lrn_broadcast_view(const lrn_view *v, int nd, const int64_t *size) {
  lrn_view r = *v;
  int shift = nd - v->nd;
  r.nd = nd;
  for (int d = 0; d < nd; d++) {
    r.size[d] = size[d];
    r.stride[d] = d < shift || v->size[d - shift] != size[d] ? 0 : v->stride[d - shift];
  }
  return r;
}

int lrn_check_writable(const lrn_tensor *t, const char *function) {
  if (t->storage->readonly)
    return lrn_fail(LRN_ESTATE, "%s: into a tensor that is read-only; clone it", function);
  return LRN_OK;
}

int lrn_check_target(const lrn_tensor *t, const char *function) {
  const lrn_view *v = &t->view;
  char text[LRN_SHAPE_MAX];
  LRN_TRY(lrn_check_writable(t, function));
  for (int d = 0; d < v->nd; d++)
    if (v->stride[d] == 0 && v->size[d] > 1)
      return lrn_fail(LRN_ESHAPE, "%s: into a view %s that repeats its elements (expand); clone it",
                      function, lrn_shape_text(text, v->nd, v->size));
  return LRN_OK;
}

int lrn_copy_views(const lrn_device *device, const lrn_view *dst, const lrn_view *src) {
  lrn_operand in = {.view = *src};
  LRN_TRY(LRN_SLOT(device, map));
  return device->backend.map(LRN_OP_COPY, dst->dtype, dst, &in, 1);
}

int lrn_pack(lrn_tensor **out, const lrn_device *device, const lrn_view *v) {
  lrn_tensor *t;
  int st;
  LRN_TRY(lrn_tensor_new(&t, v->dtype, v->nd, v->size, device));
  st = lrn_copy_views(device, &t->view, v);
  if (st != LRN_OK) {
    lrn_tensor_free(t);
    return st;
  }
  *out = t;
  return LRN_OK;
}

int lrn_tensor_clone(lrn_tensor **out, const lrn_tensor *t) {
  return lrn_pack(out, t->storage->device, &t->view);
}

int lrn_tensor_contiguous(lrn_tensor **out, const lrn_tensor *t) {
  return lrn_tensor_is_contiguous(t) ? lrn_tensor_alias(out, t) : lrn_tensor_clone(out, t);
}

/* The same contiguous tensor on another device. */
static int to_device(lrn_tensor **out, const lrn_tensor *t, const lrn_device *device) {
  const lrn_device *from = t->storage->device;
  lrn_tensor *packed = NULL, *moved = NULL;
  size_t bytes = (size_t)lrn_tensor_numel(t) * lrn_dtype_size(t->view.dtype);
  int st;
  LRN_GO(lrn_tensor_contiguous(&packed, t));
  LRN_GO(lrn_tensor_new(&moved, t->view.dtype, t->view.nd, t->view.size, device));
  if (from->backend.host_memory)
    LRN_GO(device->backend.upload(moved->view.data, packed->view.data, bytes));
  else if (device->backend.host_memory)
    LRN_GO(from->backend.download(moved->view.data, packed->view.data, bytes));
  else { /* through the host */
    lrn_tensor *host = NULL;
    LRN_GO(to_device(&host, packed, lrn_device_cpu()));
    st = device->backend.upload(moved->view.data, host->view.data, bytes);
    lrn_tensor_free(host);
    LRN_GO(st);
  }
  *out = moved;
  moved = NULL;
done:
  lrn_tensor_free(packed);
  lrn_tensor_free(moved);
  return st;
}

int lrn_tensor_to(lrn_tensor **out, const lrn_tensor *t, int dtype, const lrn_device *device) {
  lrn_tensor *moved = NULL, *cast = NULL;
  int st;
  if (device == NULL)
    device = t->storage->device;
  if (lrn_dtype_size(dtype) == 0)
    return lrn_fail(LRN_EARG, "to: %d is no dtype", dtype);
  if (device == t->storage->device)
    LRN_GO(lrn_tensor_alias(&moved, t));
  else
    LRN_GO(to_device(&moved, t, device));
  if (dtype != t->view.dtype) {
    LRN_GO(lrn_tensor_new(&cast, dtype, moved->view.nd, moved->view.size, device));
    LRN_GO(lrn_copy_views(device, &cast->view, &moved->view));
  }
  *out = cast != NULL ? cast : moved;
  if (cast == NULL)
    moved = NULL;
  cast = NULL;
done:
  lrn_tensor_free(moved);
  lrn_tensor_free(cast);
  return st;
}

int lrn_tensor_copy(lrn_tensor *dst, const lrn_tensor *src) {
  const lrn_device *device = dst->storage->device;
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  int64_t size[LRN_MAXDIM];
  int nd = dst->view.nd, st;
  lrn_tensor *moved = NULL, *safe = NULL;
  lrn_view v;
  LRN_TRY(lrn_check_target(dst, "copy"));
  memcpy(size, dst->view.size, sizeof size);
  if (src->view.nd <= nd)
    LRN_TRY(lrn_broadcast_shape(&nd, size, &src->view, "copy"));
  if (nd != dst->view.nd || memcmp(size, dst->view.size, (size_t)nd * sizeof *size) != 0 ||
      src->view.nd > nd)
    return lrn_fail(LRN_ESHAPE, "copy: %s into %s", lrn_tensor_text(a, src),
                    lrn_tensor_text(b, dst));
  if (src->storage->device != device)
    LRN_GO(to_device(&moved, src, device));
  else if (lrn_views_overlap(&dst->view, &src->view))
    LRN_GO(lrn_tensor_clone(&safe, src));
  v = lrn_broadcast_view(moved ? &moved->view : safe ? &safe->view : &src->view, nd, size);
  lrn_hold();
  st = lrn_copy_views(device, &dst->view, &v);
  lrn_release();
done:
  lrn_tensor_free(moved);
  lrn_tensor_free(safe);
  return st;
}

int lrn_tensor_fill(lrn_tensor *t, double value) {
  lrn_operand in = {.is_scalar = 1, .d = value}; /* a float64, converted to t's dtype */
  int st;
  LRN_TRY(lrn_check_target(t, "fill"));
  LRN_TRY(LRN_SLOT(t->storage->device, map));
  lrn_hold();
  st = t->storage->device->backend.map(LRN_OP_COPY, LRN_F64, &t->view, &in, 1);
  lrn_release();
  return st;
}

/* {=== map === */

static int is_float(int dtype) { return dtype <= LRN_F64; }

/* dtype that op computes in, given the promoted dtype of its tensors and its scalars. */
static int computing_dtype(int *dtype, int op, int tensors, const lrn_arg *args, int n) {
  const lrn_op_info *info = &lrn_op_table[op];
  int t = tensors, float_scalar = 0;
  for (int i = info->family == LRN_SELECT; i < n; i++)
    float_scalar |= args[i].t == NULL && !args[i].is_int;
  if (info->family == LRN_COMPARE) { /* the result is bool: so no integer needs to be rounded */
    int any_float = float_scalar || is_float(t), any_int = 0;
    for (int i = 0; i < n; i++)
      any_int |= args[i].t != NULL && lrn_is_wide_integer(args[i].t->view.dtype);
    if (any_float && any_int)
      t = LRN_F64;
  }
  if (float_scalar && !is_float(t))
    t = LRN_F32;
  switch (info->family) {
    case LRN_FLOAT:
    case LRN_TEST:
      if (!is_float(t))
        t = LRN_F32;
      break;
    case LRN_NUMBER:
      if (t == LRN_BOOL)
        return lrn_fail(LRN_ETYPE,
                        "%s: not defined for bool; convert with to, or use logical_and, "
                        "logical_or, logical_not",
                        info->name);
      break;
    case LRN_BITS:
      if (is_float(t))
        return lrn_fail(LRN_ETYPE, "%s: not defined for %s", info->name, lrn_dtype_name(t));
      break;
    case LRN_COMPARE:
    case LRN_SELECT:
      if (t == LRN_BOOL) /* compared with a number: 0 and 1 */
        for (int i = 0; i < n; i++)
          if (args[i].t == NULL && args[i].is_int && (args[i].i < 0 || args[i].i > 1))
            t = LRN_I64;
      break;
    default: break;
  }
  *dtype = t;
  return LRN_OK;
}

static int scalar_operand(lrn_operand *o, int dtype, const lrn_arg *a, const char *name) {
  int fits = 1;
  o->is_scalar = 1;
  o->d = a->is_int ? (double)a->i : a->d;
  o->i = a->is_int ? a->i : 0;
  if (is_float(dtype))
    return LRN_OK;
  if (!a->is_int) /* of a bool selector */
    o->i = a->d != 0;
  if (dtype == LRN_I32)
    fits = o->i >= INT32_MIN && o->i <= INT32_MAX;
  else if (dtype == LRN_U8)
    fits = o->i >= 0 && o->i <= 255;
  if (!fits)
    return lrn_fail(LRN_EVALUE, "%s: %lld does not fit %s", name, (long long)o->i,
                    lrn_dtype_name(dtype));
  return LRN_OK;
}

/* Integer // and % by 0, and negative integer exponents, are errors: found before anything is
   written. */
static int check_integer_operand(int op, int dtype, const lrn_operand *b,
                                 const lrn_device *device) {
  int division = op == LRN_OP_floordiv || op == LRN_OP_mod;
  int64_t low;
  if (is_float(dtype) || (!division && op != LRN_OP_pow) || dtype == LRN_BOOL)
    return LRN_OK;
  if (b->is_scalar) {
    low = division ? (b->i == 0 ? -1 : 0) : b->i;
  } else {
    lrn_tensor t = {NULL, b->view}, *flag = NULL, *least = NULL;
    lrn_storage borrowed = {.device = device, .wrapped = 1};
    double v = 0;
    int st = LRN_OK;
    if (lrn_view_numel(&b->view) == 0)
      return LRN_OK;
    atomic_init(&borrowed.references, 1);
    t.storage = &borrowed;
    if (division) {
      lrn_arg args[2] = {lrn_argt(&t), lrn_argi(0)};
      LRN_GO(lrn_map(&flag, NULL, LRN_OP_ne, args, 2));
      LRN_GO(lrn_reduce(&least, LRN_RED_min, flag, 0, 0));
      LRN_GO(lrn_tensor_get(&v, least, NULL));
      v -= 1;
    } else {
      LRN_GO(lrn_reduce(&least, LRN_RED_min, &t, 0, 0));
      LRN_GO(lrn_tensor_get(&v, least, NULL));
    }
  done:
    lrn_tensor_free(flag);
    lrn_tensor_free(least);
    if (st != LRN_OK)
      return st;
    low = v < 0 ? -1 : 0;
  }
  if (low < 0)
    return lrn_fail(LRN_EVALUE, division ? "%s: integer division by 0" : "%s: negative exponent of an integer",
                    lrn_op_table[op].name);
  return LRN_OK;
}

/* Everything of one map call that must be freed. */
typedef struct map_call {
  lrn_tensor *cast[3], *result;
} map_call;

static int map_into(lrn_tensor *into, int op, int dtype, int result_dtype, const lrn_device *device,
                    const lrn_operand *in, int n) {
  lrn_tensor *temporary = NULL;
  int st, direct = into->view.dtype == result_dtype;
  for (int i = 0; i < n && direct; i++)
    if (!in[i].is_scalar && lrn_views_overlap(&into->view, &in[i].view))
      direct = into->view.data == in[i].view.data &&
               memcmp(into->view.stride, in[i].view.stride,
                      (size_t)into->view.nd * sizeof *into->view.stride) == 0;
  if (!direct) {
    LRN_GO(lrn_tensor_new(&temporary, result_dtype, into->view.nd, into->view.size, device));
    LRN_GO(device->backend.map(op, dtype, &temporary->view, in, n));
  }
  lrn_hold(); /* no half of a result */
  st = direct ? device->backend.map(op, dtype, &into->view, in, n)
              : lrn_copy_views(device, &into->view, &temporary->view);
  lrn_release();
done:
  lrn_tensor_free(temporary);
  return st;
}

int lrn_map(lrn_tensor **out, lrn_tensor *into, int op, const lrn_arg *args, int n) {
  const lrn_op_info *info;
  const lrn_device *device = NULL;
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  lrn_operand in[3];
  map_call call = {{NULL}, NULL};
  int64_t size[LRN_MAXDIM];
  int nd = 0, tensors = -1, dtype = 0, result, st;
  if (op < 0 || op >= LRN_OP_COPY)
    return lrn_fail(LRN_EARG, "map: %d is no operation", op);
  info = &lrn_op_table[op];
  if (n != info->arity)
    return lrn_fail(LRN_EARG, "%s: got %d operands, expected %d", info->name, n, info->arity);
  for (int i = 0; i < n; i++) {
    const lrn_tensor *t = args[i].t;
    if (t == NULL)
      continue;
    if (device != NULL && device != t->storage->device)
      return lrn_fail(LRN_ETYPE, "%s: tensors on %s and %s; move one with to", info->name,
                      device->name, t->storage->device->name);
    device = t->storage->device;
    LRN_TRY(lrn_broadcast_shape(&nd, size, &t->view, info->name));
    if (info->family != LRN_SELECT || i > 0)
      tensors = tensors < 0 ? t->view.dtype : lrn_dtype_promote(tensors, t->view.dtype);
  }
  if (device == NULL)
    return lrn_fail(LRN_EARG, "%s: no operand is a tensor", info->name);
  if (tensors < 0) /* where(mask, 1, 2): of scalars alone */
    tensors = LRN_BOOL;
  if (info->family == LRN_SELECT && tensors == LRN_BOOL)
    for (int i = 1; i < n; i++)
      if (args[i].t == NULL)
        tensors = !args[i].is_int                               ? LRN_F32
                  : args[i].is_int == 1 && tensors == LRN_BOOL ? LRN_I64
                                                               : tensors;
  LRN_TRY(LRN_SLOT(device, map));
  LRN_TRY(computing_dtype(&dtype, op, tensors, args, n));
  result = info->family == LRN_COMPARE || info->family == LRN_TEST ? LRN_BOOL : dtype;
  if (into != NULL) {
    int same = into->view.nd == nd && memcmp(into->view.size, size, (size_t)nd * sizeof *size) == 0;
    if (into->storage->device != device)
      return lrn_fail(LRN_ETYPE, "%s: the result is on %s, the operands on %s", info->name,
                      into->storage->device->name, device->name);
    if (!same)
      return lrn_fail(LRN_ESHAPE, "%s: a result of shape %s into %s", info->name,
                      lrn_shape_text(a, nd, size), lrn_tensor_text(b, into));
    if (lrn_dtype_promote(into->view.dtype, result) != into->view.dtype &&
        !(is_float(into->view.dtype) && is_float(result)))
      return lrn_fail(LRN_ETYPE, "%s: a %s result into a %s tensor; in place keeps the dtype",
                      info->name, lrn_dtype_name(result), lrn_dtype_name(into->view.dtype));
    LRN_TRY(lrn_check_target(into, info->name));
  }
  for (int i = 0; i < n; i++) {
    int want = info->family == LRN_SELECT && i == 0 ? LRN_BOOL : dtype;
    memset(&in[i], 0, sizeof in[i]);
    if (args[i].t == NULL) {
      LRN_GO(scalar_operand(&in[i], want, &args[i], info->name));
    } else {
      const lrn_tensor *t = args[i].t;
      if (t->view.dtype != want) {
        if (want == LRN_BOOL) {
          st = lrn_fail(LRN_ETYPE, "%s: the mask is %s, expected bool", info->name,
                        lrn_dtype_name(t->view.dtype));
          goto done;
        }
        LRN_GO(lrn_tensor_to(&call.cast[i], t, want, NULL));
        t = call.cast[i];
      }
      in[i].view = lrn_broadcast_view(&t->view, nd, size);
    }
  }
  if (n > 1)
    LRN_GO(check_integer_operand(op, dtype, &in[1], device));
  if (into != NULL) {
    LRN_GO(map_into(into, op, dtype, result, device, in, n));
  } else {
    LRN_GO(lrn_tensor_new(&call.result, result, nd, size, device));
    LRN_GO(device->backend.map(op, dtype, &call.result->view, in, n));
    *out = call.result;
    call.result = NULL;
  }
done:
  for (int i = 0; i < 3; i++)
    lrn_tensor_free(call.cast[i]);
  lrn_tensor_free(call.result);
  return st;
}

/* ===} */

int lrn_tensor_equal(int *out, const lrn_tensor *a, const lrn_tensor *b) {
  lrn_tensor *flags = NULL, *least = NULL;
  lrn_arg args[2] = {lrn_argt(a), lrn_argt(b)};
  double v = 0;
  int st;
  *out = 0;
  if (a->view.nd != b->view.nd ||
      memcmp(a->view.size, b->view.size, (size_t)a->view.nd * sizeof *a->view.size) != 0)
    return LRN_OK;
  if (lrn_tensor_numel(a) == 0) {
    *out = 1;
    return LRN_OK;
  }
  LRN_GO(lrn_map(&flags, NULL, LRN_OP_eq, args, 2));
  LRN_GO(lrn_reduce(&least, LRN_RED_min, flags, 0, 0));
  LRN_GO(lrn_tensor_get(&v, least, NULL));
  *out = v != 0;
done:
  lrn_tensor_free(flags);
  lrn_tensor_free(least);
  return st;
}
