/*
** reduce.c - sums and folds on the CPU, in the one shape that numerics.md fixes.
**
** The elements of one output, in index order, are cut into blocks of 4096; a block becomes one
** partial sum (kernels/reduce.inc.c); the partial sums are added in a pairwise tree. Work is
** shared out by outputs, and within a long output by groups of blocks whose number is a power
** of two, so that a group is a whole subtree and the result has the same bits.
*/
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "cpu/pool.h"

/* {=== Partial sums === */

static lrn_partial partial_add(lrn_partial a, lrn_partial b, int compensated) {
  lrn_partial r = {a.s + b.s, 0, (int64_t)((uint64_t)a.i + (uint64_t)b.i)};
  if (compensated) { /* Knuth's two-sum */
    double v = r.s - a.s;
    r.c = a.c + b.c + ((a.s - (r.s - v)) + (b.s - v));
  }
  return r;
}

void lrn_tree_push(lrn_tree *tree, lrn_partial p) {
  int level = 0;
  for (uint64_t c = tree->count; c & 1; c >>= 1)
    p = partial_add(tree->level[level++], p, tree->compensated);
  tree->level[level] = p;
  tree->count++;
}

lrn_partial lrn_tree_total(const lrn_tree *tree) {
  lrn_partial total = {0};
  int any = 0, level = 0;
  for (uint64_t c = tree->count; c != 0; c >>= 1, level++)
    if (c & 1) {
      total = any ? partial_add(tree->level[level], total, tree->compensated) : tree->level[level];
      any = 1;
    }
  return total;
}

/* ===} */

/* A strided index space: element i of x lies at offset(i). */
typedef struct space {
  int nd;
  int64_t size[LRN_MAXDIM], stride[LRN_MAXDIM], n;
} space;

static void space_of(space *s, const lrn_view *v, int from, int to) {
  s->nd = 0;
  s->n = 1;
  for (int d = from; d < to; d++) {
    s->n *= v->size[d];
    if (v->size[d] == 1)
      continue;
    if (s->nd > 0 && s->stride[s->nd - 1] == v->stride[d] * v->size[d]) {
      s->size[s->nd - 1] *= v->size[d];
      s->stride[s->nd - 1] = v->stride[d];
    } else {
      s->size[s->nd] = v->size[d];
      s->stride[s->nd++] = v->stride[d];
    }
  }
}

static int64_t offset_of(const space *s, int64_t i) {
  int64_t offset = 0;
  for (int d = s->nd - 1; d >= 0; d--) {
    offset += i % s->size[d] * s->stride[d];
    i /= s->size[d];
  }
  return offset;
}

static int contiguous(const space *s) { return s->nd == 0 || (s->nd == 1 && s->stride[0] == 1); }

/* n elements from number `from` on, copied side by side into buffer. */
static void collect(const space *s, size_t item, const char *base, int64_t from, int64_t n,
                    char *buffer) {
  while (n > 0) {
    int last = s->nd - 1;
    int64_t at = last < 0 ? 0 : from % s->size[last];
    int64_t run = last < 0 ? n : s->size[last] - at < n ? s->size[last] - at : n;
    const char *p = base + offset_of(s, from) * (int64_t)item;
    int64_t step = last < 0 ? 0 : s->stride[last] * (int64_t)item;
    for (int64_t i = 0; i < run; i++)
      memcpy(buffer + (size_t)i * item, p + i * step, item);
    buffer += (size_t)run * item;
    from += run;
    n -= run;
  }
}

typedef struct reduce_job {
  int red, is_sum;
  const lrn_view *out, *x, *y;
  double divisor;
  size_t item;
  space out_keep, x_keep, y_keep, x_red, y_red;
  int64_t outputs, blocks;
  int64_t group, groups; /* blocks a group, groups an output */
  lrn_partial *partial;  /* groups of the one output, where it is shared out */
} reduce_job;

static void write_sum(const reduce_job *j, int64_t output, lrn_partial p) {
  char *o = (char *)j->out->data +
            offset_of(&j->out_keep, output) * (int64_t)lrn_dtype_size(j->out->dtype);
  switch (j->out->dtype) {
    case LRN_F32: *(float *)(void *)o = (float)(lrn_partial_value(p) / j->divisor); break;
    case LRN_F64: *(double *)(void *)o = lrn_partial_value(p) / j->divisor; break;
    default: *(int64_t *)(void *)o = p.i; break;
  }
}

/* Blocks [from, to) of one output. */
static lrn_partial sum_blocks(const reduce_job *j, int64_t output, int64_t from, int64_t to) {
  lrn_block_fn *block = lrn_cpu_kernels()->block[j->x->dtype];
  const char *x = (const char *)j->x->data + offset_of(&j->x_keep, output) * (int64_t)j->item;
  const char *y = j->y == NULL ? NULL
                               : (const char *)j->y->data +
                                   offset_of(&j->y_keep, output) * (int64_t)j->item;
  int x_direct = contiguous(&j->x_red), y_direct = y == NULL || contiguous(&j->y_red);
  double bx[LRN_BLOCK], by[LRN_BLOCK]; /* large enough for every dtype, and aligned */
  lrn_tree tree = {.compensated = j->x->dtype == LRN_F64};
  /* y of one value for all elements (stride 0) has no dimension left: it must be spread */
  if (y != NULL && j->y_red.nd == 0 && j->x_red.n > 1)
    y_direct = 0;
  for (int64_t b = from; b < to; b++) {
    int64_t at = b * LRN_BLOCK, n = j->x_red.n - at < LRN_BLOCK ? j->x_red.n - at : LRN_BLOCK;
    const void *px = x + at * (int64_t)j->item, *py = y == NULL ? NULL : y + at * (int64_t)j->item;
    if (!x_direct) {
      collect(&j->x_red, j->item, x, at, n, (char *)bx);
      px = bx;
    }
    if (!y_direct) {
      collect(&j->y_red, j->item, y, at, n, (char *)by);
      py = by;
    }
    lrn_tree_push(&tree, block(j->red, n, px, py));
  }
  return lrn_tree_total(&tree);
}

static void sum_output(void *context, int64_t output) {
  const reduce_job *j = context;
  write_sum(j, output, sum_blocks(j, output, 0, j->blocks));
}

static void sum_group(void *context, int64_t g) {
  reduce_job *j = context;
  int64_t from = g * j->group, to = from + j->group < j->blocks ? from + j->group : j->blocks;
  j->partial[g] = sum_blocks(j, 0, from, to);
}

/* Columns: the kept inner dimension is contiguous and one dimension is reduced. */
static void sum_columns(void *context, int64_t task) {
  const reduce_job *j = context;
  int64_t width = j->out->size[j->out->nd - 1], tasks = (width + LRN_COLUMNS - 1) / LRN_COLUMNS;
  int64_t row = task / tasks, column = task % tasks * LRN_COLUMNS;
  int64_t first = row * width + column;
  int columns = (int)(width - column < LRN_COLUMNS ? width - column : LRN_COLUMNS);
  const char *x = (const char *)j->x->data + offset_of(&j->x_keep, first) * (int64_t)j->item;
  const char *y = j->y == NULL ? NULL
                               : (const char *)j->y->data +
                                   offset_of(&j->y_keep, first) * (int64_t)j->item;
  int64_t ldx = j->x_red.stride[0], ldy = j->y == NULL ? 0 : j->y_red.stride[0];
  lrn_tree tree[LRN_COLUMNS];
  lrn_partial p[LRN_COLUMNS];
  for (int c = 0; c < columns; c++)
    tree[c] = (lrn_tree){.compensated = j->x->dtype == LRN_F64};
  for (int64_t at = 0; at < j->x_red.n; at += LRN_BLOCK) {
    int64_t n = j->x_red.n - at < LRN_BLOCK ? j->x_red.n - at : LRN_BLOCK;
    lrn_cpu_kernels()->columns[j->x->dtype](j->red, n, columns, x + at * ldx * (int64_t)j->item,
                                            ldx,
                                            y == NULL ? NULL : y + at * ldy * (int64_t)j->item,
                                            ldy, p);
    for (int c = 0; c < columns; c++)
      lrn_tree_push(&tree[c], p[c]);
  }
  for (int c = 0; c < columns; c++)
    write_sum(j, first + c, lrn_tree_total(&tree[c]));
}

static int columns_apply(const reduce_job *j, int nkeep) {
  int inner = nkeep - 1;
  return j->x->dtype <= LRN_F64 && nkeep > 0 && j->out->size[inner] >= 4 &&
         j->x->stride[inner] == 1 && j->x_red.nd == 1 && j->x_red.stride[0] != 1 &&
         (j->y == NULL || (j->y->stride[inner] == 1 && j->y_red.nd == 1));
}

static void fold_output(void *context, int64_t output) {
  const reduce_job *j = context;
  const char *x = (const char *)j->x->data + offset_of(&j->x_keep, output) * (int64_t)j->item;
  char *o = (char *)j->out->data + offset_of(&j->out_keep, output) * (int64_t)j->item;
  int last = j->x_red.nd - 1;
  int64_t inner = last < 0 ? 1 : j->x_red.size[last];
  /* the first element is the identity's stand-in: a fold of nothing was refused above */
  memcpy(o, x, j->item);
  for (int64_t i = 0; i < j->x_red.n; i += inner)
    lrn_cpu_kernels()->fold[j->x->dtype](j->red, inner,
                                         x + offset_of(&j->x_red, i) * (int64_t)j->item,
                                         last < 0 ? 0 : j->x_red.stride[last], o);
}

static int is_sum(int red) {
  switch (red) {
#define SUM(name, operands, expr, help) \
  case LRN_RED_##name: return 1;
#define FOLD(name, identity, combine, help)
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
    default: return 0;
  }
}

int lrn_cpu_reduce(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
                   double divisor) {
  enum { GROUPS = 256, GROUP = 64 };
  lrn_partial partial[GROUPS];
  reduce_job j = {.red = red, .is_sum = is_sum(red), .out = out, .x = x, .y = y,
                  .divisor = divisor, .item = lrn_dtype_size(x->dtype), .partial = partial};
  space_of(&j.out_keep, out, 0, out->nd);
  space_of(&j.x_keep, x, 0, nkeep);
  space_of(&j.x_red, x, nkeep, x->nd);
  if (y != NULL) {
    space_of(&j.y_keep, y, 0, nkeep);
    space_of(&j.y_red, y, nkeep, y->nd);
  }
  j.outputs = j.x_keep.n;
  j.blocks = lrn_blocks(j.x_red.n);
  if (j.outputs == 0)
    return LRN_OK;
  if (!j.is_sum) {
    if (j.x_red.n == 0)
      return lrn_fail(LRN_EVALUE, "%s: of no element", lrn_reduce_name(red));
    return lrn_parallel_until(j.outputs, fold_output, &j);
  }
  if (columns_apply(&j, nkeep)) {
    int64_t width = out->size[out->nd - 1];
    int64_t tasks = j.outputs / width * ((width + LRN_COLUMNS - 1) / LRN_COLUMNS);
    return lrn_parallel_until(tasks, sum_columns, &j);
  }
  j.group = GROUP;
  while (j.blocks > j.group * GROUPS)
    j.group *= 2;
  j.groups = (j.blocks + j.group - 1) / j.group;
  if (j.outputs == 1 && j.groups > 1) {
    lrn_tree tree = {.compensated = x->dtype == LRN_F64};
    LRN_TRY(lrn_parallel_until(j.groups, sum_group, &j));
    for (int64_t g = 0; g < j.groups; g++)
      lrn_tree_push(&tree, partial[g]);
    write_sum(&j, 0, lrn_tree_total(&tree));
    return LRN_OK;
  }
  return lrn_parallel_until(j.outputs, sum_output, &j);
}

/* {=== Position of an extreme === */

#define BETTER(D, TYPE, is_nan)                                                             \
  case LRN_##D: {                                                                           \
    const TYPE *p = (const TYPE *)(const void *)x;                                          \
    TYPE best = p[0];                                                                       \
    for (int64_t i = 0; i < n && !(is_nan); i++) {                                          \
      const TYPE v = p[offset_of(&j->x_red, i)];                                            \
      if (v != v || (j->red ? v > best : v < best)) {                                       \
        best = v;                                                                           \
        at = i;                                                                             \
      }                                                                                     \
    }                                                                                       \
    break;                                                                                  \
  }

typedef struct arg_job {
  reduce_job r;
  int64_t base;
} arg_job;

static void arg_output(void *context, int64_t output) {
  const arg_job *a = context;
  const reduce_job *j = &a->r;
  const char *x = (const char *)j->x->data + offset_of(&j->x_keep, output) * (int64_t)j->item;
  int64_t n = j->x_red.n, at = 0;
  switch (j->x->dtype) {
    BETTER(F32, float, best != best)
    BETTER(F64, double, best != best)
    BETTER(I64, int64_t, 0)
    BETTER(I32, int32_t, 0)
    BETTER(U8, uint8_t, 0)
    BETTER(BOOL, uint8_t, 0)
  }
  ((int64_t *)j->out->data)[offset_of(&j->out_keep, output)] = at + a->base;
}

int lrn_cpu_argextreme(int max, const lrn_view *out, const lrn_view *x, int nkeep, int64_t base) {
  arg_job a = {.r = {.red = max, .out = out, .x = x, .item = lrn_dtype_size(x->dtype)},
               .base = base};
  space_of(&a.r.out_keep, out, 0, out->nd);
  space_of(&a.r.x_keep, x, 0, nkeep);
  space_of(&a.r.x_red, x, nkeep, x->nd);
  if (a.r.x_keep.n == 0)
    return LRN_OK;
  if (a.r.x_red.n == 0)
    return lrn_fail(LRN_EVALUE, "argextreme: of no element");
  return lrn_parallel_until(a.r.x_keep.n, arg_output, &a);
}

/* ===} */
