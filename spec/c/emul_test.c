/*
** emul_test.c: the CUDA kernels, run by the emulated device, against the CPU backend
** Every slot, bit for bit (NaN payloads excepted), over dtypes, shapes and strides; products with
** dyadic numbers, where any order of summation is exact. Twice: a child process runs with
** LRN_EMUL_ORDER=descending. Under ASan an access outside of an array is a report, since the
** emulated device's memory is malloc's.
*/
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "device/backend.h"

#ifdef __SANITIZE_THREAD__ /* the slots' tests are not called then */
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

static const lrn_backend *cpu, *emul;
static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void) { /* xorshift64 */
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}
static int64_t below(int64_t n) { return (int64_t)(rnd() >> 11) % n; }
static double unit_real(void) { return (double)(rnd() >> 11) * 0x1p-53; }

/* {=== Arrays that exist on both devices === */

typedef struct both {
  lrn_view h, d; /* on the host, on the emulated device */
  void *host, *dev;
  size_t bytes;
} both;

static void must(int status) {
  if (status != LRN_OK) {
    printf("emul_test: %s\n", lrn_error_message());
    exit(1);
  }
}

static void *copy_to_device(const void *host, size_t bytes) {
  void *p = NULL;
  must(emul->alloc(&p, bytes));
  must(emul->upload(p, host, bytes));
  return p;
}

enum { PLAIN, WILD, SMALL, POSITIVE, DYADIC, PROBABILITY, ANY_INT, EXPONENT };

static double real_value(int kind) {
  static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1e-310, -1e-40, 3e38,
                                   1e300, 0.5, 2.5, -3.5, 1, -1, 88, -104, 710};
  switch (kind) {
    case WILD:
      if (below(4) == 0)
        return special[below((int64_t)(sizeof special / sizeof *special))];
      return (unit_real() - 0.5) * exp(40 * unit_real() - 20);
    case SMALL: return floor(200 * unit_real()) + 0.25;
    case POSITIVE: return floor(100 * unit_real());
    case DYADIC: return (double)(below(33) - 16) / 8;
    case PROBABILITY: return below(8) == 0 ? (double)below(2) : unit_real();
    default: return 6 * (unit_real() - 0.5);
  }
}

static void fill(void *p, int dtype, int64_t n, int kind) {
  for (int64_t i = 0; i < n; i++) {
    int64_t k = kind == EXPONENT ? below(14)
                : kind == SMALL || kind == POSITIVE ? below(200) + 1
                : kind == DYADIC || below(2) ? below(41) - 20
                                             : (int64_t)rnd();
    switch (dtype) {
      case LRN_F32: ((float *)p)[i] = (float)real_value(kind); break;
      case LRN_F64: ((double *)p)[i] = real_value(kind); break;
      case LRN_I64: ((int64_t *)p)[i] = k; break;
      case LRN_I32: ((int32_t *)p)[i] = (int32_t)k; break;
      case LRN_U8: ((uint8_t *)p)[i] = (uint8_t)k; break;
      default: ((uint8_t *)p)[i] = (uint8_t)(k & 1); break;
    }
  }
}

enum { CONTIGUOUS, STRIDED, BROADCAST };

/* A view of that shape in a storage of its own that ends with its last element. */
static both make(int dtype, int nd, const int64_t *size, int layout, int kind) {
  both b;
  int order[LRN_MAXDIM];
  int64_t step = 1, low = 0, high = 0, n = 1;
  memset(&b, 0, sizeof b);
  b.h.dtype = dtype;
  b.h.nd = nd;
  for (int d = 0; d < nd; d++) {
    b.h.size[d] = size[d];
    order[d] = d;
    n *= size[d];
  }
  if (layout == STRIDED)
    for (int d = nd - 1; d > 0; d--) {
      int e = (int)below(d + 1), t = order[d];
      order[d] = order[e];
      order[e] = t;
    }
  for (int k = nd - 1; k >= 0; k--) {
    int d = order[k];
    if (layout == STRIDED)
      step *= 1 + below(3);
    b.h.stride[d] = step;
    step *= size[d] > 0 ? size[d] : 1;
    if (layout == BROADCAST && below(2))
      b.h.stride[d] = 0;
    if (layout == STRIDED && below(3) == 0)
      b.h.stride[d] = -b.h.stride[d];
    if (size[d] > 0 && b.h.stride[d] > 0)
      high += (size[d] - 1) * b.h.stride[d];
    else if (size[d] > 0)
      low += (size[d] - 1) * b.h.stride[d];
  }
  n = n == 0 ? 0 : high - low + 1;
  b.bytes = (size_t)n * lrn_dtype_size(dtype);
  b.host = malloc(b.bytes > 0 ? b.bytes : 1);
  fill(b.host, dtype, n, kind);
  b.dev = copy_to_device(b.host, b.bytes);
  b.d = b.h;
  b.h.data = (char *)b.host - low * (int64_t)lrn_dtype_size(dtype);
  b.d.data = (char *)b.dev - low * (int64_t)lrn_dtype_size(dtype);
  return b;
}

static both make1(int dtype, int64_t n, int kind) { return make(dtype, 1, &n, CONTIGUOUS, kind); }

static void drop(both *b) {
  free(b->host);
  emul->free(b->dev);
}

/* The host array written to the device again */
static void again(both *b) { must(emul->upload(b->dev, b->host, b->bytes)); }

static int64_t difference(int dtype, const void *a, const void *b, size_t bytes) {
  size_t item = lrn_dtype_size(dtype);
  for (size_t i = 0; i < bytes / item; i++) {
    const char *p = (const char *)a + i * item, *q = (const char *)b + i * item;
    if (memcmp(p, q, item) == 0)
      continue;
    if (dtype == LRN_F32 && isnan(*(const float *)(const void *)p) &&
        isnan(*(const float *)(const void *)q))
      continue;
    if (dtype == LRN_F64 && isnan(*(const double *)(const void *)p) &&
        isnan(*(const double *)(const void *)q))
      continue;
    return (int64_t)i;
  }
  return -1;
}

static double number(int dtype, const void *p, int64_t i) {
  switch (dtype) {
    case LRN_F32: return (double)((const float *)p)[i];
    case LRN_F64: return ((const double *)p)[i];
    case LRN_I64: return (double)((const int64_t *)p)[i];
    case LRN_I32: return ((const int32_t *)p)[i];
    default: return ((const uint8_t *)p)[i];
  }
}

/* Host and device hold the same in all of the storage, also between the view's elements. */
static void same(const both *b, const char *what, const char *which) {
  void *got = malloc(b->bytes > 0 ? b->bytes : 1);
  int64_t at;
  must(emul->download(got, b->dev, b->bytes));
  at = difference(b->h.dtype, b->host, got, b->bytes);
  CHECK(at < 0, "%s %s %s: element %lld: cpu %.17g, emul %.17g", what, which,
        lrn_dtype_name(b->h.dtype), (long long)at, number(b->h.dtype, b->host, at < 0 ? 0 : at),
        number(b->h.dtype, got, at < 0 ? 0 : at));
  free(got);
}

static void same_status(int a, int b, const char *what, const char *which) {
  CHECK(a == b, "%s %s: cpu %s, emul %s (%s)", what, which, lrn_status_name(a), lrn_status_name(b),
        lrn_error_message());
}

/* }=== */

typedef struct shape {
  int nd;
  int64_t size[4];
} shape;
static const shape shapes[] = {{0, {0}},        {1, {0}},      {1, {1}},          {1, {5}},
                               {3, {3, 0, 2}},  {2, {7, 33}},  {4, {2, 3, 4, 5}}, {1, {1300}},
                               {3, {17, 1, 29}}, {2, {1, 257}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static int has(int family, int dtype) {
  int real = dtype <= LRN_F64;
  switch (family) {
    case LRN_FLOAT:
    case LRN_TEST: return real;
    case LRN_NUMBER: return dtype != LRN_BOOL;
    case LRN_BITS: return !real;
    default: return 1;
  }
}

static void map_case(int op, int dtype, const shape *s) {
  const lrn_op_info *info = &lrn_op_table[op];
  both out, in[3];
  lrn_operand ho[3], eo[3];
  int to = info->family == LRN_COMPARE || info->family == LRN_TEST ? LRN_BOOL : dtype;
  memset(ho, 0, sizeof ho);
  memset(eo, 0, sizeof eo);
  out = make(to, s->nd, s->size, (int)below(2), PLAIN);
  for (int k = 0; k < info->arity; k++) {
    int dt = info->family == LRN_SELECT && k == 0 ? LRN_BOOL : dtype;
    int kind = dt <= LRN_F64             ? (below(2) ? WILD : PLAIN)
               : op == LRN_OP_pow && k == 1 ? EXPONENT
               : (op == LRN_OP_mod || op == LRN_OP_floordiv) && k == 1 ? SMALL
                                                                       : ANY_INT;
    int scalar = info->arity > 1 && below(4) == 0;
    in[k] = make(dt, s->nd, s->size, (int)below(3), kind);
    ho[k].is_scalar = eo[k].is_scalar = scalar;
    if (scalar) {
      both v = make1(dt, 1, kind);
      ho[k].d = eo[k].d = number(dt, v.host, 0);
      ho[k].i = eo[k].i = dt == LRN_I64   ? *(int64_t *)v.host
                          : dt == LRN_I32 ? *(int32_t *)v.host
                          : dt > LRN_I32  ? *(uint8_t *)v.host
                                          : 0;
      drop(&v);
    } else {
      ho[k].view = in[k].h;
      eo[k].view = in[k].d;
    }
  }
  if (to == dtype && info->family != LRN_SELECT && below(4) == 0 && !ho[0].is_scalar) {
    drop(&in[0]); /* in place */
    in[0] = make(dtype, s->nd, s->size, (int)below(2), PLAIN);
    drop(&out);
    out = in[0];
    ho[0].view = out.h;
    eo[0].view = out.d;
    memset(&in[0], 0, sizeof in[0]);
  }
  same_status(cpu->map(op, dtype, &out.h, ho, info->arity),
              emul->map(op, dtype, &out.d, eo, info->arity), "map", info->name);
  same(&out, "map", info->name);
  for (int k = 0; k < info->arity; k++)
    if (in[k].host != NULL)
      drop(&in[k]);
  drop(&out);
}

static void test_map(void) {
  for (int op = 0; op < LRN_OP_COPY; op++)
    for (int dtype = 0; dtype < LRN_DTYPES; dtype++)
      if (has(lrn_op_table[op].family, dtype))
        for (int i = 0; i < SHAPES; i++)
          map_case(op, dtype, &shapes[i]);
      else {
        both a = make1(dtype, 3, PLAIN);
        lrn_operand in[3];
        memset(in, 0, sizeof in);
        in[0].view = in[1].view = in[2].view = a.d;
        CHECK(emul->map(op, dtype, &a.d, in, lrn_op_table[op].arity) == LRN_ETYPE,
              "%s of %s", lrn_op_table[op].name, lrn_dtype_name(dtype));
        drop(&a);
      }
}

static void test_copy(void) {
  for (int from = 0; from < LRN_DTYPES; from++)
    for (int to = 0; to < LRN_DTYPES; to++)
      for (int i = 0; i < SHAPES; i++)
        for (int scalar = 0; scalar < 2; scalar++) {
          /* values that every dtype holds; all of them where the dtype stays a float or grows */
          int wild = (to <= LRN_F64 && from != LRN_F64) || from == to || to == LRN_BOOL;
          both out = make(to, shapes[i].nd, shapes[i].size, (int)below(2), PLAIN);
          both in = make(from, shapes[i].nd, shapes[i].size, (int)below(3),
                         wild ? WILD : SMALL);
          lrn_operand h, d;
          memset(&h, 0, sizeof h);
          h.is_scalar = scalar;
          h.i = below(200);
          h.d = (double)h.i;
          d = h;
          if (!scalar) {
            h.view = in.h;
            d.view = in.d;
          }
          same_status(cpu->map(LRN_OP_COPY, from, &out.h, &h, 1),
                      emul->map(LRN_OP_COPY, from, &out.d, &d, 1), "copy", lrn_dtype_name(from));
          same(&out, "copy from", lrn_dtype_name(from));
          drop(&in);
          drop(&out);
        }
}

/* {=== Reductions === */

static void reduce_case(int red, int dtype, const shape *s, int nkeep, int layout, int kind) {
  static const struct {
    int sum, operands;
  } rows[] = {
#define SUM(name, operands, expr, help) {1, operands},
#define FOLD(name, identity, combine, help) {0, 1},
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
  };
  both x = make(dtype, s->nd, s->size, layout, kind), out;
  both y = make(dtype, s->nd, s->size, (int)below(3), kind);
  int two = rows[red].operands == 2, a, b;
  double divisor = below(2) ? 1.0 : 7.0;
  out = make(rows[red].sum && dtype > LRN_F64 ? LRN_I64 : dtype, nkeep, s->size, (int)below(2),
             PLAIN);
  a = cpu->reduce(red, &out.h, &x.h, two ? &y.h : NULL, nkeep, divisor);
  b = emul->reduce(red, &out.d, &x.d, two ? &y.d : NULL, nkeep, divisor);
  same_status(a, b, "reduce", lrn_reduce_name(red));
  if (a == LRN_OK && b == LRN_OK)
    same(&out, "reduce", lrn_reduce_name(red));
  drop(&x);
  drop(&y);
  drop(&out);
}

static const shape long_shapes[] = {{1, {4096}},    {1, {4097}},     {2, {3, 12293}},
                                    {1, {40000}},   {2, {5, 31}},    {3, {4, 3, 70}},
                                    {3, {2, 1, 9000}}, {2, {9, 4100}}, {3, {5, 20, 6}}};
enum { LONG_SHAPES = sizeof long_shapes / sizeof *long_shapes };

static void test_reduce(void) {
  for (int dtype = 0; dtype < LRN_DTYPES; dtype++)
    for (int red = 0; red < LRN_REDS; red++) {
      for (int i = 0; i < SHAPES; i++)
        for (int keep = 0; keep <= shapes[i].nd; keep++)
          reduce_case(red, dtype, &shapes[i], keep, (int)below(3), WILD);
      for (int i = 0; i < LONG_SHAPES; i++)
        for (int keep = 0; keep < long_shapes[i].nd; keep++)
          reduce_case(red, dtype, &long_shapes[i], keep, (int)below(3), PLAIN);
    }
}

static void argextreme_case(int dtype, const shape *s, int nkeep, int kind) {
  for (int max = 0; max < 2; max++) {
    both x = make(dtype, s->nd, s->size, (int)below(3), kind), out;
    int64_t base = below(2);
    int a, b;
    out = make(LRN_I64, nkeep, s->size, (int)below(2), PLAIN);
    a = cpu->argextreme(max, &out.h, &x.h, nkeep, base);
    b = emul->argextreme(max, &out.d, &x.d, nkeep, base);
    same_status(a, b, "argextreme", max ? "max" : "min");
    if (a == LRN_OK && b == LRN_OK)
      same(&out, "argextreme of", lrn_dtype_name(dtype));
    drop(&x);
    drop(&out);
  }
}

static void test_argextreme(void) {
  for (int dtype = 0; dtype < LRN_DTYPES; dtype++) {
    for (int i = 0; i < SHAPES; i++)
      for (int keep = 0; keep <= shapes[i].nd; keep++)
        for (int wild = 0; wild < 2; wild++)
          argextreme_case(dtype, &shapes[i], keep, wild ? WILD : DYADIC);
    for (int i = 0; i < LONG_SHAPES; i++)
      for (int keep = 0; keep < long_shapes[i].nd; keep++)
        argextreme_case(dtype, &long_shapes[i], keep, DYADIC); /* many ties */
  }
}

/* }=== */

static void test_gather(void) {
  static const shape moved[] = {{1, {9}}, {2, {6, 5}}, {3, {4, 7, 3}}, {1, {600}}, {2, {3, 700}}};
  for (int dtype = 0; dtype < LRN_DTYPES; dtype++)
    for (int s = 0; s < 5; s++)
      for (int dim = 0; dim < moved[s].nd; dim++)
        for (int64_t base = 0; base < 2; base++)
          for (int bad = 0; bad < 2; bad++)
            for (int into = 0; into < 2; into++) {
              shape still = moved[s];
              int64_t n = moved[s].size[dim], count;
              both m, st, idx;
              int a, b;
              still.size[dim] = below(12);
              count = 1;
              for (int d = 0; d < still.nd; d++)
                count *= still.size[d];
              m = make(dtype, moved[s].nd, moved[s].size, (int)below(into ? 2 : 3), PLAIN);
              st = make(dtype, still.nd, still.size, (int)below(into ? 3 : 2), PLAIN);
              idx = make(LRN_I64, still.nd, still.size, (int)below(3), PLAIN);
              for (size_t i = 0; i < idx.bytes / 8; i++)
                ((int64_t *)idx.host)[i] = base == 1 && below(3) == 0 ? -1 - below(n)
                                                                       : base + below(n);
              if (bad && idx.bytes > 0) /* every one, so that both name a bad one */
                for (size_t i = 0; i < idx.bytes / 8; i++)
                  ((int64_t *)idx.host)[i] = base + n;
              again(&idx);
              if (into) {
                a = cpu->put(&m.h, &st.h, &idx.h, dim, base);
                b = emul->put(&m.d, &st.d, &idx.d, dim, base);
              } else {
                a = cpu->gather(&st.h, &m.h, &idx.h, dim, base);
                b = emul->gather(&st.d, &m.d, &idx.d, dim, base);
              }
              same_status(a, b, into ? "put" : "gather", lrn_dtype_name(dtype));
              CHECK(a == (bad && count > 0 ? LRN_EVALUE : LRN_OK), "status %d", a);
              same(into ? &m : &st, into ? "put" : "gather", "");
              drop(&m);
              drop(&st);
              drop(&idx);
            }
}

static void test_gemm(void) {
  static const int64_t sizes[][3] = {{1, 1, 1},   {5, 3, 7},    {64, 64, 16}, {65, 130, 33},
                                     {3, 0, 4},   {70, 5, 0},   {17, 90, 200}, {128, 64, 48}};
  static const double factors[][2] = {{1, 0}, {0.5, 1}, {-1, 0.5}, {0, 2}};
  for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
    for (int s = 0; s < 8; s++)
      for (int t = 0; t < 4; t++)
        for (int f = 0; f < 4; f++) {
          int ta = t & 1, tb = t >> 1;
          int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2], pad = below(3);
          int64_t sa[2], sb[2], sc[2];
          both a, b, c;
          sa[0] = ta ? k : m;
          sa[1] = (ta ? m : k) + pad + 1;
          sb[0] = tb ? n : k;
          sb[1] = (tb ? k : n) + pad + 1;
          sc[0] = m;
          sc[1] = n + pad + 1;
          a = make(dtype, 2, sa, CONTIGUOUS, DYADIC);
          b = make(dtype, 2, sb, CONTIGUOUS, DYADIC);
          c = make(dtype, 2, sc, CONTIGUOUS, DYADIC);
          if (factors[f][1] == 0) { /* beta 0 overwrites whatever is there */
            fill(c.host, dtype, (int64_t)(c.bytes / lrn_dtype_size(dtype)), WILD);
            again(&c);
          }
          same_status(cpu->gemm(dtype, ta, tb, m, n, k, factors[f][0], a.host, sa[1], b.host,
                                sb[1], factors[f][1], c.host, sc[1]),
                      emul->gemm(dtype, ta, tb, m, n, k, factors[f][0], a.dev, sa[1], b.dev,
                                 sb[1], factors[f][1], c.dev, sc[1]),
                      "gemm", "");
          for (int64_t i = 0; i < sc[0] * sc[1]; i++) { /* the sign of a zero is the order's */
            if (dtype == LRN_F32 && ((float *)c.host)[i] == 0)
              ((float *)c.host)[i] = 0;
            if (dtype == LRN_F64 && ((double *)c.host)[i] == 0)
              ((double *)c.host)[i] = 0;
          }
          {
            size_t item = lrn_dtype_size(dtype);
            void *got = malloc(c.bytes > 0 ? c.bytes : 1);
            must(emul->download(got, c.dev, c.bytes));
            for (int64_t i = 0; i < sc[0] * sc[1]; i++)
              if (number(dtype, got, i) == 0)
                memset((char *)got + (size_t)i * item, 0, item);
            CHECK(difference(dtype, c.host, got, c.bytes) < 0,
                  "gemm %s %lld %lld %lld, trans %d %d, alpha %g beta %g", lrn_dtype_name(dtype),
                  (long long)m, (long long)n, (long long)k, ta, tb, factors[f][0], factors[f][1]);
            free(got);
          }
          drop(&a);
          drop(&b);
          drop(&c);
        }
}

/* {=== Random numbers and units === */

static lrn_key a_key(void) {
  lrn_key key;
  key.seed = rnd();
  key.step = rnd() >> 8;
  key.stream = (uint32_t)below(8);
  key.draw = (uint32_t)below(10);
  key.first = (uint64_t)below(100);
  return key;
}

static void test_random(void) {
  static const double range[][2] = {{0, 1}, {-3, 250}, {2, 0.3}, {0, 200}};
  static const int64_t sizes[] = {0, 1, 7, 3000};
  for (int dtype = 0; dtype < LRN_DTYPES; dtype++)
    for (int s = 0; s < 4; s++) {
      for (int dist = 0; dist < 4; dist++)
        for (int r = 0; r < 4; r++) {
          both out = make1(dtype, sizes[s], PLAIN);
          double a = range[r][0], b = range[r][1];
          lrn_key key = a_key();
          if (dist == LRN_INTEGER && a > b)
            b = a;
          if (dist == LRN_BERNOULLI)
            a = unit_real();
          if (dtype > LRN_I32 && (a < 0 || dist == LRN_NORMAL)) { /* must fit */
            a = dist == LRN_NORMAL ? 100 : 0;
            b = dist == LRN_NORMAL ? 5 : b;
          }
          if (dtype == LRN_BOOL && dist != LRN_BERNOULLI) {
            a = 0;
            b = dist == LRN_NORMAL ? 0 : 1;
          }
          same_status(cpu->random(&out.h, dist, a, b, key), emul->random(&out.d, dist, a, b, key),
                      "random", "");
          same(&out, "random", "");
          drop(&out);
        }
      for (int p_dtype = LRN_F32; p_dtype <= LRN_F64; p_dtype++)
        for (int bad = 0; bad < 2; bad++) {
          both out = make1(dtype, sizes[s], PLAIN), p = make1(p_dtype, sizes[s], PROBABILITY);
          lrn_key key = a_key();
          int a, b;
          if (bad && sizes[s] > 0 && p_dtype == LRN_F32)
            ((float *)p.host)[sizes[s] / 2] = 1.5f;
          else if (bad && sizes[s] > 0)
            ((double *)p.host)[sizes[s] / 2] = NAN;
          again(&p);
          a = cpu->bernoulli(&out.h, p.host, p_dtype, key);
          b = emul->bernoulli(&out.d, p.dev, p_dtype, key);
          same_status(a, b, "bernoulli", "");
          if (a == LRN_OK && b == LRN_OK)
            same(&out, "bernoulli", "");
          drop(&out);
          drop(&p);
        }
    }
}

/* Sizes of groups that divide `units`, one after the other from `least` on: the smallest one, all of
   them; 0 at the end. Units that are not in groups have 1. */
static int64_t next_categories(int unit, int64_t units, int64_t least) {
  if (!lrn_unit_grouped(unit))
    return least <= 1 ? 1 : 0;
  for (int64_t k = 2; k <= units && least <= 1; k++)
    if (units % k == 0)
      return k;
  return least <= units ? units : 0;
}

/* 0 and 1, in runs of K, as absent units are marked; or NaN in their places. */
static both some_absent(int dtype, int64_t n, int64_t K, int nan) {
  both b = make1(dtype, n, PLAIN);
  for (int64_t i = 0; i < n; i++) {
    int64_t first = i / K * K;
    int off = first == i ? below(3) == 0 : 0;
    if (dtype == LRN_F32) {
      float *x = b.host;
      if (nan)
        x[i] = off || (first < i && isnan(x[first])) ? (float)NAN : x[i];
      else
        x[i] = first < i ? x[first] : (float)off;
    } else {
      double *x = b.host;
      if (nan)
        x[i] = off || (first < i && isnan(x[first])) ? (double)NAN : x[i];
      else
        x[i] = first < i ? x[first] : (double)off;
    }
  }
  again(&b);
  return b;
}

static void unit_case(int unit, int dtype, double temperature, int64_t rows, int64_t units,
                      int64_t categories, int flags) {
  int64_t n = rows * units, blocks = lrn_blocks(n);
  both x = make1(dtype, n, PLAIN), bias = make1(dtype, units, PLAIN);
  both mean = make1(dtype, n, PLAIN), state = make1(dtype, n, PLAIN);
  both target = make1(dtype, n, PLAIN), sums = make1(LRN_F64, 2, PLAIN);
  both gain = make1(dtype, units, PLAIN), absent = some_absent(dtype, n, categories, 0);
  both scratch = make1(LRN_F64, 2 * blocks, PLAIN);
  lrn_unit_args h, d;
  char what[64];
  memset(&h, 0, sizeof h);
  h.unit = unit;
  h.dtype = dtype;
  h.temperature = temperature;
  h.rows = rows;
  h.units = units;
  h.categories = categories;
  h.mean_scale = below(2) ? 1 : -1;
  h.key = a_key();
  d = h;
  snprintf(what, sizeof what, "%s T %g %lldx%lld (%lld) flags %d", lrn_unit_name(unit), temperature,
           (long long)rows, (long long)units, (long long)categories, flags);
#define GIVE(field, array) \
  h.field = (array).host, d.field = (array).dev
  GIVE(x, x);
  if (flags & 1)
    GIVE(bias, bias);
  if (flags & 2)
    GIVE(mean, mean);
  if (flags & 4)
    GIVE(state, state);
  if (flags & 8) {
    GIVE(target, target);
    GIVE(sums, sums);
    GIVE(scratch, scratch);
  }
  if (flags & 32)
    GIVE(gain, gain);
  if (flags & 64)
    GIVE(absent, absent);
  if (flags & 16) { /* in place */
    if (flags & 2)
      GIVE(mean, x);
    else if (flags & 4)
      GIVE(state, x);
  }
  same_status(cpu->unit(&h), emul->unit(&d), "unit", what);
  same(&x, "unit x", what);
  same(&mean, "unit mean", what);
  same(&state, "unit state", what);
  same(&sums, "unit sums", what);
  drop(&x);
  drop(&bias);
  drop(&mean);
  drop(&state);
  drop(&target);
  drop(&gain);
  drop(&absent);
  drop(&sums);
  drop(&scratch);
}

static void test_unit(void) {
  static const int64_t sizes[][2] = {{1, 1}, {5, 33}, {3, 1500}, {40, 257}, {0, 4}, {2, 10002}};
  static const double temperatures[] = {1, 0.7, 3};
  for (int unit = 0; unit < LRN_UNITS; unit++)
    for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
      for (int t = 0; t < 3; t++) {
        for (int s = 0; s < (lrn_unit_grouped(unit) && t == 0 ? 6 : 5); s++)
          for (int64_t k = 0; (k = next_categories(unit, sizes[s][1], k + 1)) != 0;)
            for (int flags = 0; flags < 128; flags += flags < 64 ? 1 : 3)
              if (flags & 6)
                unit_case(unit, dtype, temperatures[t], sizes[s][0], sizes[s][1], k, flags);
        for (int part = 0; part < (lrn_unit_can_flip(unit) ? LRN_UNIT_PARTS : LRN_UNIT_NEAREST); part++)
          for (int64_t n = 0; n < 5000; n += 1 + 3 * n)
            for (int64_t k = 0; (k = next_categories(unit, n > 0 ? n : 1, k + 1)) != 0;) {
              both x = make1(dtype, n, PLAIN), out = make1(dtype, n, PLAIN);
              lrn_unit_map_args h = {.unit = unit, .part = part, .dtype = dtype, .n = n,
                                     .temperature = temperatures[t], .categories = k}, d = h;
              GIVE(out, out);
              GIVE(x, x);
              same_status(cpu->unit_map(&h), emul->unit_map(&d), "unit_map", lrn_unit_name(unit));
              same(&out, "unit_map", lrn_unit_name(unit));
              drop(&x);
              drop(&out);
            }
      }
}

/* }=== */

static void test_load(void) {
  enum { N = 20, UNITS = 37, COUNT = 9, STRIDE = 41 };
  for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
    for (int from = 0; from < LRN_DTYPES; from++)
      for (int way = 0; way < 8; way++) {
        both data = make1(from, (N - 1) * STRIDE + UNITS, PLAIN), idx = make1(LRN_I64, 30, PLAIN);
        both out = make1(dtype, COUNT * UNITS, PLAIN), shift = make1(dtype, UNITS, PLAIN);
        both scale = make1(dtype, UNITS, PLAIN), absent = make1(dtype, COUNT * UNITS, PLAIN);
        int wrong = way >= 6;
        lrn_load_args h, d;
        memset(&h, 0, sizeof h);
        h.dtype = dtype;
        h.data_dtype = from;
        h.n_rows = N;
        h.row_stride = STRIDE;
        h.units = UNITS;
        h.base = way & 1;
        h.first = 4;
        h.count = COUNT;
        h.round = way >> 1 & 1;
        for (int i = 0; i < 30; i++)
          ((int64_t *)idx.host)[i] = h.base + below(N);
        if (wrong && way == 6)
          ((int64_t *)idx.host)[4 + 5] = h.base + N;
        if (wrong && way == 7)
          h.first = N - 3;
        again(&idx);
        h.categories = 1;
        if (way == 5 && from <= LRN_F64) {
          drop(&data);
          data = some_absent(from, (N - 1) * STRIDE + UNITS, 1, 1);
        }
        d = h;
        GIVE(out, out);
        GIVE(data, data);
        if (way == 2 || way == 5)
          GIVE(absent, absent);
        if (way % 3 == 1) {
          GIVE(shift, shift);
          GIVE(scale, scale);
        }
        if (way >= 4 && way != 7) {
          h.index = idx.host;
          d.index = idx.dev;
        }
        {
          int a = cpu->load(&h), b = emul->load(&d);
          same_status(a, b, "load", lrn_dtype_name(from));
          CHECK(b == (wrong ? LRN_EVALUE : LRN_OK), "load: way %d: %d", way, b);
          if (a == LRN_OK && b == LRN_OK)
            same(&out, "load", lrn_dtype_name(from));
          same(&absent, "load absent", lrn_dtype_name(from));
        }
        drop(&data);
        drop(&idx);
        drop(&out);
        drop(&shift);
        drop(&scale);
        drop(&absent);
      }
}

static void test_flip(void) {
  /* the third: of groups over which the lanes go round, and one group of several pieces */
  static const int64_t sizes[][3] = {{1, 1, 1}, {7, 30, 50}, {3, 5, 9000}, {5000, 3, 4}, {0, 2, 2}};
  static const double temperatures[] = {1, 0.6};
  for (int hidden = 0; hidden < LRN_UNITS; hidden++)
    for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
      for (int s = 0; s < 5; s++)
        for (int way = 0; way < (lrn_unit_grouped(hidden) ? 16 : 8); way++) {
          int64_t R = sizes[s][0], V = sizes[s][1], H = sizes[s][2];
          /* visible units of two states or in groups, the smallest or the largest hidden groups */
          int t = way & 1, grouped = way >> 1 & 1;
          int64_t K = next_categories(hidden, H, way & 8 ? 3 : 1);
          int64_t G = grouped ? next_categories(LRN_UNIT_SOFTMAX, V, 1) : 1;
          both absent = some_absent(dtype, R * V, G > 0 ? G : 1, 0);
          both v = make1(dtype, R * V, PLAIN), x = make1(dtype, R * H, PLAIN);
          both W = make1(dtype, V * H, PLAIN), a = make1(dtype, V, PLAIN);
          both b = make1(dtype, H, PLAIN), out = make1(LRN_F64, R, PLAIN);
          both sum = make1(LRN_F64, 1, PLAIN);
          lrn_flip_args h, d;
          for (int64_t i = 0; i < R * V; i++)
            if (dtype == LRN_F32)
              ((float *)v.host)[i] = (float)below(2);
            else
              ((double *)v.host)[i] = (double)below(2);
          again(&v); /* of a group the first 1 counts */
          memset(&h, 0, sizeof h);
          h.hidden = hidden;
          h.categories = G;
          h.hidden_categories = K > 0 ? K : 1;
          h.dtype = dtype;
          h.temperature = temperatures[t];
          h.scale = t == 0 ? 1 : 0.7;
          h.both = t == 0; /* of 0 and 1, and of -1 and 1 */
          h.rows = R;
          h.n_visible = V;
          h.n_hidden = H;
          h.key = a_key();
          d = h;
          GIVE(v, v);
          GIVE(x, x);
          GIVE(W, W);
          GIVE(a, a);
          GIVE(b, b);
          GIVE(out, out);
          GIVE(sum, sum);
          if (way & 4)
            GIVE(absent, absent);
          same_status(cpu->flip(&h), emul->flip(&d), "flip", lrn_unit_name(hidden));
          same(&out, "flip out", lrn_unit_name(hidden));
          same(&sum, "flip sum", lrn_unit_name(hidden));
          drop(&v);
          drop(&x);
          drop(&W);
          drop(&a);
          drop(&b);
          drop(&out);
          drop(&sum);
          drop(&absent);
        }
}

static void test_rung(void) {
  static const int64_t sizes[][3] = {{1, 1, 1}, {7, 30, 50}, {3, 9000, 9000}, {300, 3, 4}, {0, 2, 2}};
  for (int unit = 0; unit < LRN_UNITS; unit++)
    for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
      for (int s = 0; s < 5; s++)
        for (int way = 0; way < 8; way++) {
          int64_t R = sizes[s][0], V = sizes[s][1], H = sizes[s][2], C = 5;
          both x = make1(dtype, R * H, PLAIN), bias = make1(dtype, H, PLAIN);
          both v = make1(dtype, R * V, PLAIN), change = make1(dtype, V, PLAIN);
          both y = make1(dtype, R * C, PLAIN), c = make1(dtype, C, PLAIN);
          both log_w = make1(LRN_F64, R, PLAIN), state = make1(dtype, R * H, PLAIN);
          lrn_rung_args h, d;
          memset(&h, 0, sizeof h);
          h.unit = unit;
          h.dtype = dtype;
          h.temperature = way & 1 ? 0.7 : 1;
          h.rows = R;
          h.units = H;
          h.categories = next_categories(unit, H, way & 4 ? 3 : 1);
          if (h.categories == 0)
            h.categories = 1;
          h.from = way & 2 ? 0.25 : 0.9;
          h.to = way & 2 ? 0.3 : 0.89;
          h.linear[0].units = V;
          h.linear[1].units = C;
          h.key = a_key();
          d = h;
          GIVE(x, x);
          GIVE(bias, bias);
          GIVE(linear[0].s, v);
          GIVE(linear[0].row, change);
          GIVE(log_w, log_w);
          if (way & 4) {
            GIVE(linear[1].s, y);
            GIVE(linear[1].row, c);
          }
          if (way % 3 != 1)
            GIVE(state, state);
          if (way % 3 == 2)
            GIVE(state, x); /* in place */
          same_status(cpu->rung(&h), emul->rung(&d), "rung", lrn_unit_name(unit));
          same(&log_w, "rung log_w", lrn_unit_name(unit));
          same(&state, "rung state", lrn_unit_name(unit));
          same(&x, "rung x", lrn_unit_name(unit));
          drop(&x);
          drop(&bias);
          drop(&v);
          drop(&change);
          drop(&y);
          drop(&c);
          drop(&log_w);
          drop(&state);
        }
}

static void test_update(void) {
  for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++)
    for (int64_t n = 0; n < 20000; n = 3 * n + 1)
      for (int way = 0; way < 6; way++) {
        both theta = make1(dtype, n, PLAIN), m = make1(dtype, n, PLAIN);
        both s = make1(dtype, n, PLAIN), norm2 = make1(dtype, 1, PLAIN);
        both g = make1(dtype, n, PLAIN), bad = make1(LRN_I64, 1, PLAIN);
        lrn_update_args h, d;
        if (way % 3 > 0 && n > 0) {
          if (dtype == LRN_F32)
            ((float *)g.host)[n / 2] = NAN;
          else
            ((double *)g.host)[n / 2] = INFINITY;
          again(&g);
        }
        *(int64_t *)bad.host = way % 3 == 2 ? 5 : 0; /* 2: something went wrong before */
        again(&bad);
        memset(&h, 0, sizeof h);
        h.dtype = dtype;
        h.n = n;
        h.rate = 0.1;
        h.momentum = 0.9;
        h.decay = 0.01;
        h.mark = 7;
        if (way >= 3) {
          h.optimizer = LRN_ADAM;
          h.l1 = 0.02;
          h.clip = 0.3;
          h.beta1 = 0.9;
          h.beta2 = 0.99;
          h.epsilon = 1e-7;
          for (int64_t i = 0; i < n; i++) /* squares */
            if (dtype == LRN_F32)
              ((float *)s.host)[i] = fabsf(((float *)s.host)[i]);
            else
              ((double *)s.host)[i] = fabs(((double *)s.host)[i]);
          if (dtype == LRN_F32)
            *(float *)norm2.host = 1.7f;
          else
            *(double *)norm2.host = 1.7;
          again(&s);
          again(&norm2);
        }
        d = h;
        if (way >= 3) {
          GIVE(s, s);
          GIVE(norm2, norm2);
        }
        GIVE(theta, theta);
        GIVE(m, m);
        GIVE(g, g);
        GIVE(bad, bad);
        same_status(cpu->update(&h), emul->update(&d), "update", "");
        same(&theta, "update theta", "");
        same(&m, "update m", "");
        same(&bad, "update bad", "");
        same(&s, "update s", "");
        drop(&s);
        drop(&norm2);
        drop(&theta);
        drop(&m);
        drop(&g);
        drop(&bad);
      }
}

/* {=== The emulator itself === */

typedef int emul_check(int number, int *out);

static emul_check *find_check(void) {
  Dl_info info;
  void *library, *symbol = NULL, *slot;
  emul_check *f = NULL;
  memcpy(&slot, &emul->sync, sizeof slot);
  if (dladdr(slot, &info) != 0) {
    library = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    if (library != NULL)
      symbol = dlsym(library, "lrn_emul_check");
  }
  memcpy(&f, &symbol, sizeof f);
  return f;
}

static void test_emulator(int descending) {
  static const struct {
    int number;
    const char *message;
  } wrong[] = {{1, "a block diverged at __syncthreads"}, {2, "a block diverged at __syncthreads"},
               {3, "a warp diverged at a shuffle"},      {4, "__syncthreads in a flat launch"},
               {5, "a launch shape that no device takes"}};
  emul_check *check = find_check();
  int out = 0;
  if (check == NULL) {
    CHECK(0, "lrn_emul_check is not in the emulated device's library");
    return;
  }
  for (int turn = 0; turn < 3; turn++) /* after an error the device works again */
    for (int i = 0; i < 5; i++) {
      CHECK(check(wrong[i].number, &out) < 0, "case %d passed", wrong[i].number);
      CHECK(strstr(lrn_error_message(), wrong[i].message) != NULL, "case %d: %s",
            wrong[i].number, lrn_error_message());
      out = 0;
      CHECK(check(0, &out) == LRN_OK, "%s", lrn_error_message());
      CHECK(out == 3 * 255 * 128, "sum %d", out);
    }
  for (int number = 6; number <= 7; number++) {
    CHECK(check(number, &out) == LRN_OK, "%s", lrn_error_message());
    CHECK(out == (descending ? 0 : 63), "the last thread is %d", out);
  }
}

/* Several host threads at once */
static void *one_thread(void *result) {
  enum { N = 90 };
  float *a = malloc(N * N * sizeof *a), *c = malloc(N * N * sizeof *c);
  void *da = NULL, *dc = NULL;
  int *wrong = result;
  for (int i = 0; i < N * N; i++)
    a[i] = (float)(i % 7) - 3;
  *wrong = emul->alloc(&da, N * N * sizeof *a) | emul->alloc(&dc, N * N * sizeof *c) |
           emul->upload(da, a, N * N * sizeof *a);
  for (int turn = 0; turn < 5 && *wrong == 0; turn++) {
    *wrong |= emul->gemm(LRN_F32, 0, 0, N, N, N, 1, da, N, da, N, 0, dc, N) |
              emul->download(c, dc, N * N * sizeof *c);
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        float s = 0;
        for (int k = 0; k < N; k++)
          s += a[i * N + k] * a[k * N + j];
        *wrong |= s != c[i * N + j];
      }
  }
  emul->free(da);
  emul->free(dc);
  free(a);
  free(c);
  return NULL;
}

static void test_threads(void) {
  pthread_t t[3];
  int wrong[3];
  for (int i = 0; i < 3; i++)
    CHECK(pthread_create(&t[i], NULL, one_thread, &wrong[i]) == 0, "pthread_create");
  for (int i = 0; i < 3; i++) {
    pthread_join(t[i], NULL);
    CHECK(wrong[i] == 0, "thread %d", i);
  }
}

/* }=== */

static void test_all(int descending) {
  const lrn_device *device;
  if (lrn_device_open(&device, "emul") != LRN_OK) {
    CHECK(0, "%s", lrn_error_message());
    return;
  }
  emul = &device->backend;
  cpu = &lrn_device_cpu()->backend;
  CHECK(strcmp(emul->name, "emul") == 0 && !emul->host_memory, "%s", emul->name);
  test_emulator(descending);
  test_threads();
#ifdef __SANITIZE_THREAD__
  /* a switch of fibres costs as much as all fibres have clocks; one thread has no races */
  SKIP("slots: too slow under the thread sanitizer");
#else
  test_map();
  test_copy();
  test_reduce();
  test_argextreme();
  test_gather();
  test_gemm();
  test_random();
  test_unit();
  test_load();
  test_flip();
  test_rung();
  test_update();
#endif
}

int main(void) {
  int status = 0;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    setenv("LRN_EMUL_ORDER", "descending", 1);
    test_all(1);
    fflush(stdout);
    _exit(check_failed != 0);
  }
  unsetenv("LRN_EMUL_ORDER");
  test_all(0);
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0,
        "threads in descending order: %d", status);
  return check_done();
}
