/*
** wrap_test.c - tensors on memory of the host: what they show, who may write, and when release is
** called: once, and never where the wrap failed.
*/
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lrn.h"

static int released;
static void release(void *ud) { released += *(int *)ud; }

/* {=== Strides === */

static void test_strides(void) {
  float x[24];
  const int64_t size[2] = {3, 2}, backwards[2] = {-8, 3};
  lrn_tensor *t = NULL, *copy = NULL;
  for (int i = 0; i < 24; i++)
    x[i] = (float)i;
  /* element (i, j) is x[20 - 8 i + 3 j] */
  CHECK(lrn_tensor_wrap(&t, x + 20, LRN_F32, 2, size, backwards, NULL, NULL) == LRN_OK, "%s",
        lrn_error_message());
  CHECK(lrn_tensor_clone(&copy, t) == LRN_OK, "%s", lrn_error_message());
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 2; j++)
      CHECK(((float *)lrn_tensor_data(copy))[2 * i + j] == x[20 - 8 * i + 3 * j], "%d %d", i, j);
  CHECK(lrn_tensor_fill(t, -1) == LRN_OK, "%s", lrn_error_message());
  for (int i = 0; i < 24; i++) {
    int inside = i == 20 || i == 23 || i == 12 || i == 15 || i == 4 || i == 7;
    CHECK((x[i] == -1) == inside, "%d: %g", i, (double)x[i]);
  }
  lrn_tensor_free(t);
  lrn_tensor_free(copy);
}

/* Sizes and strides that no memory has, NULL, and memory that is not aligned: refused, release
   not called. */
static void test_refused(void) {
  static double x[4];
  static const struct {
    int dtype, nd;
    int64_t size[2], stride[2];
    int offset, status;
  } cases[] = {
    {LRN_F64, 2, {2, 2}, {INT64_MAX, 1}, 0, LRN_ESHAPE},
    {LRN_F64, 2, {2, 2}, {1, INT64_MIN}, 0, LRN_ESHAPE},
    {LRN_F64, 2, {1 << 20, 1 << 20}, {1 << 30, 1 << 30}, 0, LRN_ESHAPE},
    {LRN_F64, 2, {INT64_MAX, 2}, {1, 1}, 0, LRN_ESHAPE},
    {LRN_F64, 2, {-1, 2}, {1, 1}, 0, LRN_ESHAPE},
    {LRN_F64, 9, {1, 1}, {1, 1}, 0, LRN_ESHAPE},
    {LRN_DTYPES, 2, {2, 2}, {2, 1}, 0, LRN_EARG},
    {LRN_F64, 2, {2, 1}, {1, 1}, 4, LRN_EVALUE},
    {LRN_F32, 2, {2, 1}, {1, 1}, 1, LRN_EVALUE},
  };
  int one = 1;
  released = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    lrn_tensor *t = NULL;
    int st = lrn_tensor_wrap(&t, (char *)x + cases[i].offset, cases[i].dtype, cases[i].nd,
                             cases[i].size, cases[i].stride, release, &one);
    CHECK(st == cases[i].status && t == NULL, "case %zu: %s: %s", i, lrn_status_name(st),
          lrn_error_message());
  }
  {
    lrn_tensor *t = NULL;
    const int64_t two = 2, none = 0;
    CHECK(lrn_tensor_wrap(&t, NULL, LRN_F32, 1, &two, NULL, release, &one) == LRN_EVALUE, "%s",
          lrn_error_message());
    CHECK(released == 0, "%d", released);
    CHECK(lrn_tensor_wrap(&t, NULL, LRN_F32, 1, &none, NULL, release, &one) == LRN_OK, "%s",
          lrn_error_message());
    lrn_tensor_free(t);
    CHECK(released == 1, "%d", released);
  }
}

/* ===} */

/* {=== Read-only === */

/* Every function that writes into a tensor of the caller, into a view of it too. */
static int write_into(lrn_tensor *t, int how, const lrn_rbm *m, lrn_work *w,
                      const lrn_tensor *source) {
  static const int64_t origin[LRN_MAXDIM];
  const lrn_key key = {1, 0, LRN_STREAM_USER, 0, 0};
  const int64_t zero = 0;
  lrn_arg args[2];
  lrn_tensor *index = NULL, *row = NULL;
  int st;
  switch (how) {
    case 0: return lrn_tensor_set(t, origin, 1);
    case 1: return lrn_tensor_set_int(t, origin, 1);
    case 2: return lrn_tensor_fill(t, 1);
    case 3: return lrn_tensor_copy(t, source);
    case 4:
      args[0] = lrn_argt(t);
      args[1] = lrn_argd(1);
      return lrn_map(NULL, t, lrn_op_find("add"), args, 2);
    case 5: return lrn_gemm(t, 1, source, source, 0);
    case 6: return lrn_random(t, LRN_UNIFORM, 0, 1, key);
    case 7: return lrn_random_bernoulli(t, source, key);
    case 8: return lrn_unit_map(t, LRN_UNIT_BERNOULLI, LRN_UNIT_MEAN, source, 1);
    case 9: return lrn_unit_sample(t, LRN_UNIT_BERNOULLI, source, 1, key);
    case 10: return lrn_rbm_hidden(m, w, t, NULL, source);
    case 11: return lrn_rbm_hidden(m, w, NULL, t, source);
    case 12: return lrn_rbm_visible(m, w, t, NULL, source);
    case 13: return lrn_rbm_sample(m, w, NULL, t, NULL,
                                     &(lrn_sampling){.n = lrn_tensor_size(t, 0), .steps = 1});
    case 14: return lrn_rbm_gibbs(m, w, NULL, NULL, NULL, NULL, t, source);
    case 15: return lrn_rbm_reconstruct(m, w, NULL, NULL, t, source, 0);
    case 16:
      st = lrn_tensor_wrap_const(&index, &zero, LRN_I64, 1, (const int64_t[]){1}, NULL, NULL, NULL);
      st = st < 0 ? st : lrn_tensor_narrow(&row, source, 0, 0, 1);
      st = st < 0 ? st : lrn_index_copy(t, 0, index, 0, row);
      lrn_tensor_free(index);
      lrn_tensor_free(row);
      return st;
    case 17: { /* and their views */
      st = lrn_tensor_transpose(&row, t, 0, 1);
      st = st < 0 ? st : lrn_tensor_fill(row, 1);
      lrn_tensor_free(row);
      return st;
    }
  }
  return 1; /* no more */
}

static void test_readonly(void) {
  enum { N = 4 };
  static float x[N * N];
  const int64_t size[2] = {N, N};
  float before[N * N];
  int64_t order[3] = {7, 7, 7};
  lrn_tensor *fixed = NULL, *free_one = NULL, *copy = NULL, *source = NULL, *list = NULL;
  lrn_rbm_options o;
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  const lrn_key key = {1, 0, LRN_STREAM_USER, 0, 0};
  int how, st;
  lrn_rbm_defaults(&o);
  o.n_visible = o.n_hidden = N;
  for (int i = 0; i < N * N; i++)
    before[i] = x[i] = (float)i / 20;
  CHECK(lrn_tensor_wrap_const(&fixed, x, LRN_F32, 2, size, NULL, NULL, NULL) == LRN_OK &&
          lrn_tensor_clone(&source, fixed) == LRN_OK && lrn_rbm_new(&m, &o) == LRN_OK &&
          lrn_work_new(&w, m, N, 0) == LRN_OK,
        "%s", lrn_error_message());
  CHECK(lrn_tensor_is_readonly(fixed) && !lrn_tensor_is_readonly(source), "flags");
  for (how = 0; (st = write_into(fixed, how, m, w, source)) != 1; how++) {
    CHECK(st == LRN_ESTATE && strstr(lrn_error_message(), "read-only") != NULL, "%d: %s: %s", how,
          lrn_status_name(st), lrn_error_message());
    CHECK(memcmp(before, x, sizeof x) == 0, "%d has written", how);
  }
  CHECK(how == 18, "%d", how);
  /* the same calls succeed on the same memory where it may be written to */
  CHECK(lrn_tensor_wrap(&free_one, x, LRN_F32, 2, size, NULL, NULL, NULL) == LRN_OK, "%s",
        lrn_error_message());
  for (how = 0; (st = write_into(free_one, how, m, w, source)) != 1; how++)
    CHECK(st == LRN_OK, "%d: %s", how, lrn_error_message());
  /* reading is free, a clone is an ordinary tensor, what only passes through stays read-only */
  CHECK(lrn_tensor_clone(&copy, fixed) == LRN_OK && lrn_tensor_fill(copy, 1) == LRN_OK, "%s",
        lrn_error_message());
  lrn_tensor_free(copy);
  CHECK(lrn_tensor_contiguous(&copy, fixed) == LRN_OK && lrn_tensor_is_readonly(copy), "%s",
        lrn_error_message());
  lrn_tensor_free(copy);
  CHECK(lrn_tensor_wrap_const(&list, order, LRN_I64, 1, (const int64_t[]){3}, NULL, NULL, NULL) ==
            LRN_OK && lrn_permutation(list, 0, key) == LRN_ESTATE && order[0] == 7,
        "%s", lrn_error_message());
  lrn_tensor_free(list);
  lrn_tensor_free(fixed);
  lrn_tensor_free(free_one);
  lrn_tensor_free(source);
  lrn_work_free(w);
  lrn_rbm_free(m);
}

/* ===} */

/* {=== Release === */

/* Views are made while allocations fail one after the other: however far it comes, release is
   called once for each wrap that succeeded. */
static void test_release(void) {
  const int64_t size[2] = {2, 3};
  float x[6] = {0};
  int one = 1, mode, reached = 0;
  for (mode = 0; mode < 2; mode++)
    for (int64_t n = 1;; n++) {
      lrn_tensor *t = NULL, *row = NULL, *turned = NULL;
      int wrapped, whole;
      released = 0;
      lrn_memory_fail(n, mode);
      wrapped = lrn_tensor_wrap(&t, x, LRN_F32, 2, size, NULL, release, &one) == LRN_OK;
      CHECK(wrapped || t == NULL, "a tensor of a wrap that failed");
      whole = wrapped && lrn_tensor_select(&row, t, 0, 1) == LRN_OK &&
              lrn_tensor_transpose(&turned, t, 0, 1) == LRN_OK;
      lrn_memory_fail(0, 0);
      CHECK(released == 0, "released %d times while views live", released);
      lrn_tensor_free(t);
      CHECK(released == (wrapped && row == NULL && turned == NULL), "%d", released);
      lrn_tensor_free(turned);
      lrn_tensor_free(row);
      CHECK(released == wrapped, "mode %d, allocation %lld: released %d times", mode, (long long)n,
            released);
      if (whole) {
        reached++;
        CHECK(n > 3, "%lld", (long long)n); /* it did fail before */
        break;
      }
    }
  CHECK(reached == 2, "%d", reached);
}

/* ===} */

int main(void) {
  lrn_memory before, after;
  lrn_memory_stats(&before);
  test_strides();
  test_refused();
  test_readonly();
  test_release();
  lrn_memory_stats(&after);
  CHECK(before.live_blocks == after.live_blocks, "%lld blocks are left",
        (long long)(after.live_blocks - before.live_blocks));
  return check_done();
}
