/*
** random.c - tensors of random numbers, and permutations.
*/
#include "base/status.h"
#include "kernel/philox.h"
#include "tensor/tensor.h"

/* The slots write contiguous memory; a strided tensor gets a copy of it. */
static int into_strided(lrn_tensor *t, const lrn_tensor *p, int dist, double a, double b,
                        lrn_key key) {
  const lrn_device *device = t->storage->device;
  lrn_tensor *whole = NULL, *probabilities = NULL, *spread = NULL;
  int st;
  LRN_TRY(LRN_SLOT(device, random));
  LRN_TRY(LRN_SLOT(device, bernoulli));
  LRN_TRY(lrn_check_target(t, "random"));
  if (lrn_tensor_is_contiguous(t))
    LRN_GO(lrn_tensor_alias(&whole, t));
  else
    LRN_GO(lrn_tensor_new(&whole, t->view.dtype, t->view.nd, t->view.size, device));
  if (p != NULL) {
    if (p->view.dtype > LRN_F64) {
      st = lrn_fail(LRN_ETYPE, "bernoulli: p: got %s, expected a float tensor",
                    lrn_dtype_name(p->view.dtype));
      goto done;
    }
    LRN_GO(lrn_tensor_to(&probabilities, p, p->view.dtype, device));
    LRN_GO(lrn_tensor_expand(&spread, probabilities, t->view.nd, t->view.size));
    lrn_tensor_free(probabilities);
    probabilities = NULL;
    LRN_GO(lrn_tensor_contiguous(&probabilities, spread));
    LRN_GO(device->backend.bernoulli(&whole->view, probabilities->view.data, p->view.dtype, key));
  } else
    LRN_GO(device->backend.random(&whole->view, dist, a, b, key));
  if (!lrn_tensor_is_contiguous(t))
    LRN_GO(lrn_copy_views(device, &t->view, &whole->view));
done:
  lrn_tensor_free(whole);
  lrn_tensor_free(probabilities);
  lrn_tensor_free(spread);
  return st;
}

int lrn_random(lrn_tensor *t, int dist, double a, double b, lrn_key key) {
  int is_float = t->view.dtype <= LRN_F64;
  switch (dist) {
    case LRN_UNIFORM:
    case LRN_NORMAL:
      if (!is_float)
        return lrn_fail(LRN_ETYPE, "random: real numbers into a tensor of dtype %s",
                        lrn_dtype_name(t->view.dtype));
      break;
    case LRN_BERNOULLI:
      if (!(a >= 0 && a <= 1))
        return lrn_fail(LRN_EVALUE, "bernoulli: p: got %g, expected 0 to 1", a);
      break;
    case LRN_INTEGER: {
      double low = t->view.dtype == LRN_U8 ? 0 : t->view.dtype == LRN_BOOL ? 0
                   : t->view.dtype == LRN_I32 ? -0x1p31 : -0x1p53;
      double high = t->view.dtype == LRN_U8 ? 255 : t->view.dtype == LRN_BOOL ? 1
                    : t->view.dtype == LRN_I32 ? 0x1p31 - 1 : 0x1p53;
      if (!(a <= b) || a < low || b > high)
        return lrn_fail(LRN_EVALUE, "randint: from %.17g to %.17g does not fit %s", a, b,
                        lrn_dtype_name(t->view.dtype));
      break;
    }
    default: return lrn_fail(LRN_EARG, "random: %d is no distribution", dist);
  }
  return into_strided(t, NULL, dist, a, b, key);
}

int lrn_random_integer(lrn_tensor *t, int64_t from, int64_t to, lrn_key key) {
  const int64_t exact = (int64_t)1 << 53;
  lrn_draw d = lrn_draw_of(key.seed, key.step, key.stream, key.draw);
  uint64_t count = (uint64_t)to - (uint64_t)from + 1; /* 0: all of them */
  lrn_tensor *host = NULL;
  int64_t n = lrn_tensor_numel(t), *p;
  int st;
  if (from > to)
    return lrn_fail(LRN_EVALUE, "randint: from %lld to %lld: nothing is between them",
                    (long long)from, (long long)to);
  if (from >= -exact && to <= exact)
    return lrn_random(t, LRN_INTEGER, (double)from, (double)to, key);
  LRN_GO(lrn_tensor_new(&host, LRN_I64, t->view.nd, t->view.size, NULL));
  p = host->view.data;
  for (int64_t i = 0; i < n; i++) {
    uint64_t r = lrn_bits_at(d, key.first + (uint64_t)i);
    p[i] = (int64_t)((uint64_t)from + (count == 0 ? r : lrn_bounded(r, count)));
  }
  LRN_GO(lrn_tensor_copy(t, host));
done:
  lrn_tensor_free(host);
  return st;
}

int lrn_random_bernoulli(lrn_tensor *t, const lrn_tensor *p, lrn_key key) {
  return into_strided(t, p, LRN_BERNOULLI, 0, 0, key);
}

int lrn_permutation(lrn_tensor *t, int64_t base, lrn_key key) {
  lrn_draw d = lrn_draw_of(key.seed, key.step, key.stream, key.draw);
  int64_t *p = t->view.data, n = t->view.nd == 1 ? t->view.size[0] : -1;
  char text[LRN_SHAPE_MAX];
  if (n < 0 || t->view.dtype != LRN_I64 || !lrn_tensor_is_contiguous(t) ||
      !t->storage->device->backend.host_memory)
    return lrn_fail(LRN_ETYPE, "permutation: got %s, expected a contiguous int64 vector on the CPU",
                    lrn_tensor_text(text, t));
  LRN_TRY(lrn_check_writable(t, "permutation"));
  for (int64_t i = 0; i < n; i++)
    p[i] = base + i;
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)lrn_bounded(lrn_bits_at(d, key.first + (uint64_t)i), (uint64_t)i + 1);
    int64_t x = p[i];
    p[i] = p[j];
    p[j] = x;
  }
  return LRN_OK;
}
