/*
** oom_test.c - memory that runs out at every place of a model's life. The n-th allocation fails,
** once or from there on, for n = 1, 2, ... until the scenario gets through: each time LRN_ENOMEM
** with a message, no block left behind, and the scenario then gives the same numbers as before.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "lrn.h"

enum { V = 7, H = 5, N = 12, BATCH = 5 };

/* What the scenario gives; compared as bytes. */
typedef struct numbers {
  double pl, error, sampled, log_z, log_likelihood, F, free_energy_again;
  double mse, W, h, v, vk;
} numbers;

static char path[64];

static int sum_of(double *out, const lrn_tensor *t) {
  lrn_tensor *sum = NULL;
  int st = lrn_reduce(&sum, lrn_reduce_find("sum"), t, 0, 0);
  if (st == LRN_OK)
    st = lrn_tensor_get(out, sum, NULL);
  lrn_tensor_free(sum);
  return st;
}

#define GO(call) \
  do { \
    if ((st = (call)) != LRN_OK) \
      goto done; \
  } while (0)

static int scenario(numbers *out, int persistent, int real) {
  int64_t size[2] = {N, V}, n = N, batch = BATCH, hidden[2] = {N, H};
  lrn_key key = {3, 0, LRN_STREAM_USER, 0, 0};
  lrn_tensor *data = NULL, *weights = NULL, *turned = NULL, *idx = NULL, *F = NULL, *h = NULL, *v = NULL;
  lrn_tensor *negative = NULL, *q = NULL, *vk = NULL, *copied = NULL, *mask = NULL;
  lrn_rbm *m = NULL, *m2 = NULL;
  lrn_work *w = NULL, *w2 = NULL;
  lrn_file *f = NULL, *g = NULL;
  lrn_rbm_options o;
  lrn_state means;
  int st;
  memset(out, 0, sizeof *out);
  GO(lrn_tensor_new(&data, LRN_F32, 2, size, NULL));
  GO(lrn_random(data, LRN_BERNOULLI, 0.4, 0, key));
  GO(lrn_tensor_new(&idx, LRN_I64, 1, &n, NULL));
  GO(lrn_permutation(idx, 0, key));
  lrn_rbm_defaults(&o);
  o.n_visible = V;
  o.n_hidden = H;
  o.persistent = persistent;
  if (persistent > 0) {
    o.replicas = 2;
    o.fast_rate = 0.01;
  }
  o.momentum = 0.5;
  if (real) {
    o.visible = LRN_UNIT_GAUSSIAN;
    o.normalize = o.variance = 1;
  }
  GO(lrn_rbm_new(&m, &o));
  GO(lrn_work_new(&w, m, 2, 0));
  GO(lrn_work_reserve(w, m, BATCH, LRN_WORK_TRAIN));
  GO(lrn_rbm_prepare(m, w, data));
  for (int64_t first = 0; first < N; first += BATCH)
    GO(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .first = first,
                                       .count = N - first < BATCH ? N - first : BATCH}));
  GO(lrn_tensor_new(&weights, LRN_F32, 1, &batch, NULL));
  GO(lrn_tensor_fill(weights, 2));
  GO(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = BATCH, .weights = weights}));
  GO(lrn_work_negative(&negative, w));
  GO(lrn_work_end_epoch(w, &means));
  out->mse = means.mse;
  GO(lrn_tensor_new(&F, LRN_F32, 1, &n, NULL));
  GO(lrn_tensor_new(&h, LRN_F32, 2, hidden, NULL));
  GO(lrn_tensor_new(&q, LRN_F32, 2, hidden, NULL));
  GO(lrn_tensor_new(&v, LRN_F32, 2, size, NULL));
  GO(lrn_tensor_new(&vk, LRN_F32, 2, size, NULL));
  GO(lrn_tensor_transpose(&turned, data, 0, 1));
  GO(lrn_tensor_clone(&copied, turned)); /* V x N; turned again: rows that are not contiguous */
  lrn_tensor_free(turned);
  turned = NULL;
  GO(lrn_tensor_transpose(&turned, copied, 0, 1));
  GO(lrn_rbm_hidden(m, w, q, h, data));
  GO(sum_of(&out->h, h));
  GO(lrn_rbm_visible(m, w, v, NULL, h));
  GO(sum_of(&out->v, v));
  GO(lrn_rbm_gibbs(m, w, q, h, q, h, vk, data));
  GO(sum_of(&out->vk, vk));
  GO(lrn_rbm_sample(m, w, v, vk, NULL, &(lrn_sampling){.n = N, .steps = 2, .start = data}));
  GO(lrn_tensor_narrow(&mask, data, 0, 0, 1));
  GO(lrn_rbm_sample(m, w, v, vk, NULL,
                    &(lrn_sampling){.n = N, .steps = 2, .mask = mask, .values = turned}));
  if (persistent > 0)
    GO(lrn_rbm_sample(m, w, v, vk, NULL, &(lrn_sampling){.n = N, .steps = 1, .replicas = 2}));
  GO(lrn_rbm_free_energy(m, w, F, turned));
  GO(sum_of(&out->F, F));
  if (!real)
    GO(lrn_rbm_pseudo_likelihood(m, w, &out->pl, data));
  GO(lrn_rbm_reconstruct(m, w, &out->error, &out->sampled, v, data, 0));
  GO(lrn_rbm_log_partition(m, &out->log_z));
  GO(lrn_rbm_log_likelihood(m, &out->log_likelihood, data));
  GO(lrn_file_new(&f));
  GO(lrn_rbm_store(f, m, w));
  GO(lrn_file_save(f, path));
  GO(lrn_file_load(&g, path));
  GO(lrn_rbm_restore(&m2, &w2, g, NULL));
  GO(lrn_rbm_free_energy(m2, w2, F, data));
  GO(sum_of(&out->free_energy_again, F));
  GO(sum_of(&out->W, lrn_rbm_parameter(m2, 0, NULL)));
done:
  lrn_tensor_free(data);
  lrn_tensor_free(weights);
  lrn_tensor_free(turned);
  lrn_tensor_free(copied);
  lrn_tensor_free(mask);
  lrn_tensor_free(idx);
  lrn_tensor_free(F);
  lrn_tensor_free(h);
  lrn_tensor_free(q);
  lrn_tensor_free(v);
  lrn_tensor_free(vk);
  lrn_tensor_free(negative);
  lrn_rbm_free(m);
  lrn_rbm_free(m2);
  lrn_work_free(w);
  lrn_work_free(w2);
  lrn_file_free(f);
  lrn_file_free(g);
  return st;
}

static int64_t blocks(void) {
  lrn_memory m;
  lrn_memory_stats(&m);
  return m.live_blocks;
}

static int64_t bytes(void) {
  lrn_memory m;
  lrn_memory_stats(&m);
  return m.live_bytes;
}

/* No file but `path` may stay beside it. */
static void check_no_temporary(const char *folder, int64_t n) {
  char command[160];
  FILE *pipe;
  int count = 0;
  snprintf(command, sizeof command, "ls -A '%s'", folder);
  pipe = popen(command, "r");
  while (pipe != NULL && fgets(command, sizeof command, pipe) != NULL)
    count++;
  if (pipe != NULL)
    pclose(pipe);
  CHECK(count <= 1, "allocation %lld: %d files", (long long)n, count);
}

static void every_oom(int persistent, int real, int mode, const char *folder) {
  numbers want, got;
  int64_t n = 0, live, live_bytes, most = 100000;
  int st;
  st = scenario(&want, persistent, real);
  CHECK(st == LRN_OK, "%s", lrn_error_message());
  CHECK(want.F == want.free_energy_again, "another model came back");
  live = blocks();
  live_bytes = bytes();
  do {
    lrn_memory_fail(++n, mode);
    lrn_fail(LRN_OK, "%s", "");
    st = scenario(&got, persistent, real);
    lrn_memory_fail(0, 0);
    CHECK(st == LRN_OK || st == LRN_ENOMEM, "allocation %lld: %s: %s", (long long)n,
          lrn_status_name(st), lrn_error_message());
    CHECK(st == LRN_OK || lrn_error_code() == LRN_ENOMEM, "allocation %lld: code %s",
          (long long)n, lrn_status_name(lrn_error_code()));
    CHECK(st == LRN_OK || strlen(lrn_error_message()) > 10, "allocation %lld: message '%s'",
          (long long)n, lrn_error_message());
    CHECK(blocks() == live && bytes() == live_bytes, "allocation %lld: %lld blocks are left",
          (long long)n, (long long)(blocks() - live));
    if (st != LRN_OK && n % 16 == 1) {
      check_no_temporary(folder, n);
      CHECK(scenario(&got, persistent, real) == LRN_OK, "%s", lrn_error_message());
      CHECK(memcmp(&want, &got, sizeof got) == 0, "other numbers after allocation %lld",
            (long long)n);
    }
  } while (st != LRN_OK && n < most);
  CHECK(st == LRN_OK && memcmp(&want, &got, sizeof got) == 0, "after %lld", (long long)n);
  CHECK(n > 60, "only %lld allocations", (long long)n);
  check_no_temporary(folder, n);
}

/* What is reserved or restored in vain leaves the old in place, and training goes on. */
static void test_reserve(int mode) {
  for (int64_t n = 1;; n++) {
    lrn_rbm *m = NULL, *twin = NULL;
    lrn_work *w = NULL, *w2 = NULL;
    lrn_tensor *data = NULL;
    lrn_key key = {3, 0, LRN_STREAM_USER, 0, 0};
    int64_t size[2] = {N, V}, live = blocks();
    lrn_rbm_options o;
    int st;
    lrn_rbm_defaults(&o);
    o.n_visible = V;
    o.n_hidden = H;
    o.momentum = 0.5;
    o.persistent = 3;
    CHECK(lrn_tensor_new(&data, LRN_F32, 2, size, NULL) == LRN_OK &&
            lrn_random(data, LRN_BERNOULLI, 0.4, 0, key) == LRN_OK &&
            lrn_rbm_new(&m, &o) == LRN_OK && lrn_rbm_new(&twin, &o) == LRN_OK &&
            lrn_work_new(&w, m, 4, LRN_WORK_TRAIN) == LRN_OK &&
            lrn_work_new(&w2, twin, 4, LRN_WORK_TRAIN) == LRN_OK &&
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}) == LRN_OK &&
            lrn_rbm_step(twin, w2, &(lrn_batch){.data = data, .count = 4}) == LRN_OK,
          "%s", lrn_error_message());
    lrn_memory_fail(n, mode);
    st = lrn_work_reserve(w, m, N, LRN_WORK_TRAIN);
    lrn_memory_fail(0, 0);
    CHECK(st == LRN_OK || lrn_work_batch(w) == 4, "a reserve that failed changed the batch");
    CHECK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = 4, .count = 4}) == LRN_OK &&
            lrn_rbm_step(twin, w2, &(lrn_batch){.data = data, .first = 4, .count = 4}) == LRN_OK,
          "%s", lrn_error_message());
    for (int i = 0; i < 3; i++) {
      int same = 0;
      CHECK(lrn_tensor_equal(&same, lrn_rbm_parameter(m, i, NULL),
                             lrn_rbm_parameter(twin, i, NULL)) == LRN_OK && same,
            "allocation %lld: another step", (long long)n);
    }
    lrn_tensor_free(data);
    lrn_rbm_free(m);
    lrn_rbm_free(twin);
    lrn_work_free(w);
    lrn_work_free(w2);
    CHECK(blocks() == live, "%lld blocks are left", (long long)(blocks() - live));
    if (st == LRN_OK)
      break;
  }
}

int main(void) {
  char in_memory[] = "/dev/shm/lrn_oom_XXXXXX", on_disk[] = "/tmp/lrn_oom_XXXXXX";
  char *folder = mkdtemp(in_memory); /* some thousand files are synchronised */
  numbers warm;
  if (folder == NULL)
    folder = mkdtemp(on_disk);
  CHECK(folder != NULL, "mkdtemp");
  if (folder == NULL)
    return check_done();
  snprintf(path, sizeof path, "%s/m.safetensors", folder);
  scenario(&warm, 0, 0); /* what is made once for good is made now */
  for (int mode = 0; mode < 2; mode++) {
    every_oom(0, 0, mode, folder);
    every_oom(3, 0, mode, folder);
    every_oom(3, 1, mode, folder);
    test_reserve(mode);
  }
  unlink(path);
  CHECK(rmdir(folder) == 0, "%s is not empty", folder);
  return check_done();
}
