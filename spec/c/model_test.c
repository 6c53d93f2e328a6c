/*
** model_test.c - what of the model is better said in C: statuses and messages of options, order
** of calls, and what a failed step leaves behind.
*/
#include <math.h>
#include <string.h>

#include "check.h"
#include "lrn.h"

#define OK(call) CHECK((call) == LRN_OK, "%s", lrn_error_message())
#define FAILS(status, word, call) \
  do { \
    int st_ = (call); \
    CHECK(st_ == (status), "%s, expected %s", lrn_status_name(st_), lrn_status_name(status)); \
    CHECK(lrn_error_code() == (status) && strstr(lrn_error_message(), word) != NULL, \
          "no '%s' in: %s", word, lrn_error_message()); \
  } while (0)

static lrn_rbm_options small(void) {
  lrn_rbm_options o;
  lrn_rbm_defaults(&o);
  o.n_visible = 6;
  o.n_hidden = 4;
  return o;
}

static lrn_tensor *matrix(int dtype, int64_t rows, int64_t columns) {
  int64_t size[2] = {rows, columns};
  lrn_tensor *t = NULL;
  OK(lrn_tensor_new(&t, dtype, 2, size, NULL));
  OK(lrn_tensor_fill(t, 0));
  return t;
}

static void set(lrn_tensor *t, int64_t row, int64_t column, double value) {
  int64_t at[2] = {row, column};
  OK(lrn_tensor_set(t, at, value));
}

/* Bits of some kind, 0 or 1 */
static lrn_tensor *data_of(int64_t rows, int64_t columns) {
  lrn_tensor *t = matrix(LRN_F32, rows, columns);
  lrn_key key = {5, 0, LRN_STREAM_USER, 0, 0};
  OK(lrn_random(t, LRN_BERNOULLI, 0.5, 0, key));
  return t;
}

/* Sum of x (i + 1) over all parameters: changes where any of them does. */
static double fingerprint(const lrn_rbm *m) {
  double sum = 0;
  for (int i = 0; i < 3; i++) {
    const lrn_tensor *t = lrn_rbm_parameter(m, i, NULL);
    const float *x = lrn_tensor_data(t);
    for (int64_t k = 0; k < lrn_tensor_numel(t); k++)
      sum += (double)x[k] * (double)(k + 1) * (i + 1);
  }
  return sum;
}

static void test_options(void) {
  static const double nan_ = NAN, inf = INFINITY;
  lrn_rbm *m = NULL, *const untouched = m;
  lrn_rbm_options o;
#define BAD(status, word, field, value) \
  do { \
    o = small(); \
    o.field = (value); \
    FAILS(status, word, lrn_rbm_new(&m, &o)); \
    CHECK(m == untouched, #field ": the out-parameter was written"); \
  } while (0)
  BAD(LRN_EARG, "lrn_rbm_defaults", struct_size, 0);
  BAD(LRN_EARG, "lrn_rbm_defaults", struct_size, sizeof o + 8);
  BAD(LRN_EVALUE, "n_visible: got 0", n_visible, 0);
  BAD(LRN_EVALUE, "n_visible: got -3", n_visible, -3);
  BAD(LRN_EVALUE, "n_hidden: got 0", n_hidden, 0);
  BAD(LRN_EVALUE, "n_hidden: got 2147483648", n_hidden, (int64_t)1 << 31);
  BAD(LRN_EVALUE, "steps: got 0", steps, 0);
  BAD(LRN_EVALUE, "persistent: got -1", persistent, -1);
  BAD(LRN_EVALUE, "learning_rate: got -0.1", learning_rate, -0.1);
  BAD(LRN_EVALUE, "learning_rate: got nan", learning_rate, nan_);
  BAD(LRN_EVALUE, "learning_rate: got inf", learning_rate, inf);
  BAD(LRN_EVALUE, "momentum: got 1", momentum, 1);
  BAD(LRN_EVALUE, "momentum: got -0.5", momentum, -0.5);
  BAD(LRN_EVALUE, "momentum: got nan", momentum, nan_);
  BAD(LRN_EVALUE, "decay: got -1", decay, -1);
  BAD(LRN_EVALUE, "decay: got inf", decay, inf);
  BAD(LRN_EVALUE, "temperature: got 0", temperature, 0);
  BAD(LRN_EVALUE, "temperature: got -1", temperature, -1);
  BAD(LRN_EVALUE, "temperature: got inf", temperature, inf);
  BAD(LRN_EVALUE, "temperature: got nan", temperature, nan_);
  BAD(LRN_EARG, "visible", visible, LRN_UNITS);
  BAD(LRN_EARG, "hidden", hidden, -1);
  BAD(LRN_EVALUE, "visible_categories: got 1", visible, LRN_UNIT_SOFTMAX);
  BAD(LRN_EVALUE, "visible_categories: got 2, expected 1", visible_categories, 2);
  BAD(LRN_EVALUE, "hidden_categories: got 0", hidden_categories, 0);
  BAD(LRN_ETYPE, "dtype: got int64", dtype, LRN_I64);
  BAD(LRN_ETYPE, "dtype", dtype, 99);
  BAD(LRN_EARG, "visible_bias", visible_bias, 7);
#undef BAD
  /* sizes whose product overflows, or no machine has */
  o = small();
  o.n_visible = o.n_hidden = INT32_MAX;
  FAILS(LRN_ESHAPE, "weights are too many", lrn_rbm_new(&m, &o));
  CHECK(m == NULL, "the out-parameter was written");
}

static void test_set_options(void) {
  lrn_rbm *m = NULL;
  lrn_rbm_options o = small();
  OK(lrn_rbm_new(&m, &o));
#define FIXED(field, value) \
  do { \
    o = *lrn_rbm_get_options(m); \
    o.field = (value); \
    FAILS(LRN_EVALUE, "are fixed", lrn_rbm_set_options(m, &o)); \
    CHECK(strstr(lrn_error_message(), #field) != NULL, "%s", lrn_error_message()); \
  } while (0)
  FIXED(n_visible, 7);
  FIXED(n_hidden, 7);
  FIXED(visible, LRN_UNIT_GAUSSIAN);
  FIXED(hidden, LRN_UNIT_RELU);
  o = *lrn_rbm_get_options(m);
  o.visible = LRN_UNIT_SOFTMAX;
  o.visible_categories = 3;
  FAILS(LRN_EVALUE, "categories", lrn_rbm_set_options(m, &o));
  FIXED(dtype, LRN_F64);
  FIXED(seed, 99);
  o = small();
  lrn_rbm_free(m);
  o.visible = LRN_UNIT_GAUSSIAN;
  OK(lrn_rbm_new(&m, &o));
  FIXED(normalize, 1);
  FIXED(variance, 1);
#undef FIXED
  o = *lrn_rbm_get_options(m);
  o.momentum = 2;
  FAILS(LRN_EVALUE, "momentum: got 2", lrn_rbm_set_options(m, &o));
  CHECK(lrn_rbm_get_options(m)->momentum == 0, "a refused option stayed");
  o.momentum = 0.5;
  o.learning_rate = 0;
  o.device = NULL; /* the CPU, where it is */
  OK(lrn_rbm_set_options(m, &o));
  CHECK(lrn_rbm_get_options(m)->momentum == 0.5 && lrn_rbm_get_options(m)->learning_rate == 0,
        "not set");
  CHECK(lrn_rbm_get_options(m)->device == lrn_device_cpu(), "no device");
  lrn_rbm_free(m);
}

static void test_workspace(void) {
  lrn_rbm *m = NULL, *other = NULL, *twin = NULL;
  lrn_work *w = NULL, *w2 = NULL;
  lrn_rbm_options o = small();
  lrn_tensor *data = data_of(9, 6), *F = NULL, *wide = matrix(LRN_F32, 9, 7), *neg = NULL;
  lrn_state means;
  int64_t nine = 9;
  double before;
  OK(lrn_rbm_new(&m, &o));
  OK(lrn_rbm_new(&twin, &o));
  o.n_hidden = 5;
  OK(lrn_rbm_new(&other, &o));
  FAILS(LRN_EVALUE, "batch: got 0", lrn_work_new(&w, m, 0, 0));
  CHECK(w == NULL, "the out-parameter was written");
  OK(lrn_work_new(&w, m, 4, 0));
  OK(lrn_work_new(&w2, other, 4, LRN_WORK_TRAIN));
  OK(lrn_tensor_new(&F, LRN_F32, 1, &nine, NULL));
  FAILS(LRN_ESTATE, "another model", lrn_rbm_free_energy(m, w2, F, data));
  FAILS(LRN_ESTATE, "another model", lrn_rbm_step(m, w2, &(lrn_batch){.data = data, .count = 4}));
  FAILS(LRN_ESTATE, "another model", lrn_rbm_update(m, w2));
  FAILS(LRN_ESTATE, "another model", lrn_work_reserve(w2, m, 9, 0));
  FAILS(LRN_ESTATE, "not made for training", lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  FAILS(LRN_ESTATE, "not made for training", lrn_rbm_update(m, w));
  CHECK(lrn_work_gradient(w, 0, NULL) == NULL && lrn_work_chain(w) == NULL, "lent from nothing");
  FAILS(LRN_ESTATE, "no step was made", lrn_work_negative(&neg, w));
  FAILS(LRN_ESTATE, "no row was seen", lrn_work_end_epoch(w, &means));
  OK(lrn_rbm_free_energy(m, w, F, data)); /* more rows than room: in batches */
  OK(lrn_work_reserve(w, m, 4, LRN_WORK_TRAIN));
  FAILS(LRN_ESHAPE, "got 5 rows, the workspace has room for 4",
        lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 5}));
  FAILS(LRN_EVALUE, "got 4 from 7 on (counted from 0), there are 9",
        lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = 7, .count = 4}));
  FAILS(LRN_EVALUE, "rows", lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = -1, .count = 4}));
  FAILS(LRN_EVALUE, "rows", lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 0}));
  FAILS(LRN_EVALUE, "rows", lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = INT64_MAX, .count = 4}));
  FAILS(LRN_ESHAPE, "n_visible", lrn_rbm_step(m, w, &(lrn_batch){.data = wide, .count = 4}));
  /* the refusals changed nothing: the same step as a model that saw none of them */
  before = fingerprint(m);
  CHECK(before == fingerprint(twin), "a refused step changed the model");
  lrn_work_free(w2);
  w2 = NULL;
  OK(lrn_work_new(&w2, twin, 9, LRN_WORK_TRAIN));
  OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  OK(lrn_rbm_step(twin, w2, &(lrn_batch){.data = data, .count = 4}));
  CHECK(before != fingerprint(m) && fingerprint(m) == fingerprint(twin),
        "steps of equal models differ");
  /* growing keeps momentum and counters */
  OK(lrn_work_reserve(w, m, 9, 0));
  CHECK(lrn_work_batch(w) == 9, "%lld", (long long)lrn_work_batch(w));
  OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 9}));
  OK(lrn_rbm_step(twin, w2, &(lrn_batch){.data = data, .count = 9}));
  CHECK(fingerprint(m) == fingerprint(twin), "a workspace that grew gives another step");
  lrn_work_get_state(w, &means);
  CHECK(means.step == 2 && means.batch == 2 && means.samples == 13, "%llu %lld %lld",
        (unsigned long long)means.step, (long long)means.batch, (long long)means.samples);
  OK(lrn_work_end_epoch(w, &means));
  CHECK(means.mse > 0 && means.error > 0 && means.error < means.mse && means.pl < 0,
        "%g %g %g", means.mse, means.error, means.pl);
  /* options that ask for other memory than the workspace has */
  o = *lrn_rbm_get_options(m);
  before = fingerprint(m);
  o.persistent = 4;
  OK(lrn_rbm_set_options(m, &o));
  FAILS(LRN_ESTATE, "the number of chains has changed",
        lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  OK(lrn_work_reserve(w, m, 4, 0));
  o.fast_rate = 0.01;
  OK(lrn_rbm_set_options(m, &o));
  FAILS(LRN_ESTATE, "no memory for fast weights", lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  o.replicas = 3;
  OK(lrn_rbm_set_options(m, &o));
  FAILS(LRN_ESTATE, "the number of chains has changed",
        lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  CHECK(before == fingerprint(m), "a refused step changed the model");
  OK(lrn_work_reserve(w, m, 4, 0));
  OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4}));
  CHECK(before != fingerprint(m), "no step was made");
  lrn_work_free(NULL);
  lrn_rbm_free(NULL);
  lrn_work_free(w);
  lrn_work_free(w2);
  lrn_rbm_free(m);
  lrn_rbm_free(other);
  lrn_rbm_free(twin);
  lrn_tensor_free(data);
  lrn_tensor_free(wide);
  lrn_tensor_free(F);
}

/* The views of parameters, gradient and momentum lie in one buffer each, W a b. */
static void test_layout(void) {
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  lrn_rbm_options o = small();
  static const char *const names[] = {"W", "a", "b"};
  static const int64_t offsets[] = {0, 24, 30};
  OK(lrn_rbm_new(&m, &o));
  OK(lrn_work_new(&w, m, 1, LRN_WORK_TRAIN));
  for (int set_ = 0; set_ < 3; set_++)
    for (int i = 0; i < 3; i++) {
      const char *name = NULL;
      const lrn_tensor *first = set_ == 0 ? lrn_rbm_parameter(m, 0, NULL)
                                : set_ == 1 ? lrn_work_gradient(w, 0, NULL)
                                            : lrn_work_momentum(w, 0, NULL);
      const lrn_tensor *t = set_ == 0 ? lrn_rbm_parameter(m, i, &name)
                            : set_ == 1 ? lrn_work_gradient(w, i, &name)
                                        : lrn_work_momentum(w, i, &name);
      CHECK(strcmp(name, names[i]) == 0, "%s", name);
      CHECK((float *)lrn_tensor_data(t) - (float *)lrn_tensor_data(first) == offsets[i], "%s",
            name);
      CHECK(lrn_tensor_shares(t, first), "%s", name);
    }
  CHECK(lrn_rbm_parameter(m, 3, NULL) == NULL && lrn_rbm_parameter(m, -1, NULL) == NULL &&
          lrn_work_momentum(w, 3, NULL) == NULL,
        "more than three");
  lrn_work_free(w);
  lrn_rbm_free(m);
}

static void test_step_allocates_nothing(void) {
  for (int persistent = 0; persistent < 2; persistent++) {
    lrn_rbm *m = NULL;
    lrn_work *w = NULL;
    lrn_rbm_options o = small();
    lrn_memory before, after;
    lrn_tensor *data = data_of(20, 6);
    o.persistent = 5 * persistent;
    o.steps = 2;
    OK(lrn_rbm_new(&m, &o));
    OK(lrn_work_new(&w, m, 8, LRN_WORK_TRAIN));
    lrn_memory_stats(&before);
    OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 8}));
    OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = 16, .count = 4}));
    OK(lrn_rbm_gradient(m, w, &(lrn_batch){.data = data, .count = 8}));
    OK(lrn_rbm_update(m, w));
    lrn_memory_stats(&after);
    CHECK(before.allocations == after.allocations, "%lld allocations",
          (long long)(after.allocations - before.allocations));
    lrn_work_free(w);
    lrn_rbm_free(m);
    lrn_tensor_free(data);
  }
}

/* NaN in the data: an error that says where, and nothing changed. */
static void test_bad_data(void) {
  for (int persistent = 0; persistent < 2; persistent++)
    for (int way = 0; way < 2; way++) {
      lrn_rbm *m = NULL, *twin = NULL;
      lrn_work *w = NULL, *w2 = NULL;
      lrn_rbm_options o = small();
      lrn_tensor *data = data_of(10, 6), *clean = data_of(10, 6), *idx = NULL, *F = NULL;
      lrn_state s, t;
      int64_t ten = 10, three = 3, at;
      double before, pl = 0;
      o.persistent = 4 * persistent;
      o.momentum = 0.5;
      OK(lrn_rbm_new(&m, &o));
      OK(lrn_rbm_new(&twin, &o));
      OK(lrn_work_new(&w, m, 5, LRN_WORK_TRAIN));
      OK(lrn_work_new(&w2, twin, 5, LRN_WORK_TRAIN));
      set(data, 7, 2, way == 0 ? NAN : INFINITY);
      OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 5}));
      OK(lrn_rbm_step(twin, w2, &(lrn_batch){.data = clean, .count = 5}));
      before = fingerprint(m);
      lrn_work_get_state(w, &s);
      FAILS(LRN_ENUMERIC, "row 3 of the batch, value 3 is NaN or infinite",
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .first = 5, .count = 5}));
      CHECK(strstr(lrn_error_message(), "epoch 1, batch 2") != NULL, "%s", lrn_error_message());
      FAILS(LRN_ENUMERIC, "row 3 of the batch",
            lrn_rbm_gradient(m, w, &(lrn_batch){.data = data, .first = 5, .count = 5}));
      lrn_work_get_state(w, &t);
      CHECK(s.step == t.step && s.samples == t.samples && s.mse == t.mse && s.error == t.error &&
              s.pl == t.pl && s.batch == t.batch,
            "the state moved");
      CHECK(before == fingerprint(m), "a parameter changed");
      /* as an index says, too: rows 1, 7, 4 from base 1 */
      OK(lrn_tensor_new(&idx, LRN_I64, 1, &three, NULL));
      at = 0;
      OK(lrn_tensor_set_int(idx, &at, 2));
      at = 1;
      OK(lrn_tensor_set_int(idx, &at, 8));
      at = 2;
      OK(lrn_tensor_set_int(idx, &at, 5));
      FAILS(LRN_ENUMERIC, "row 2 of the batch, value 3",
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .base = 1, .count = 3}));
      at = 1;
      OK(lrn_tensor_set_int(idx, &at, 11));
      FAILS(LRN_EVALUE, "11",
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .base = 1, .count = 3}));
      OK(lrn_tensor_set_int(idx, &at, 0));
      FAILS(LRN_EVALUE, "position 0 is outside of 1..10",
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .base = 1, .count = 3}));
      OK(lrn_tensor_set_int(idx, &at, INT64_MIN));
      FAILS(LRN_EVALUE, "outside of 1..10",
            lrn_rbm_step(m, w, &(lrn_batch){.data = data, .idx = idx, .base = 1, .count = 3}));
      CHECK(before == fingerprint(m), "a parameter changed");
      /* inference and prepare refuse it as well */
      OK(lrn_tensor_new(&F, LRN_F32, 1, &ten, NULL));
      FAILS(LRN_ENUMERIC, "value 3 is NaN", lrn_rbm_free_energy(m, w, F, data));
      FAILS(LRN_ENUMERIC, "value 3 is NaN", lrn_rbm_pseudo_likelihood(m, w, &pl, data));
      /* and training goes on as if nothing had been */
      OK(lrn_rbm_step(m, w, &(lrn_batch){.data = clean, .first = 5, .count = 5}));
      OK(lrn_rbm_step(twin, w2, &(lrn_batch){.data = clean, .first = 5, .count = 5}));
      CHECK(fingerprint(m) == fingerprint(twin), "a refused step left something behind");
      lrn_tensor_free(data);
      lrn_tensor_free(clean);
      lrn_tensor_free(idx);
      lrn_tensor_free(F);
      lrn_work_free(w);
      lrn_work_free(w2);
      lrn_rbm_free(m);
      lrn_rbm_free(twin);
    }
  {
    lrn_rbm *m = NULL;
    lrn_work *w = NULL;
    lrn_rbm_options o = small();
    lrn_tensor *data = data_of(10, 6), *none = matrix(LRN_F32, 0, 6), *ll = NULL;
    double x = 0;
    set(data, 3, 1, NAN);
    OK(lrn_rbm_new(&m, &o));
    OK(lrn_work_new(&w, m, 4, LRN_WORK_TRAIN));
    FAILS(LRN_ENUMERIC, "value 2 is NaN", lrn_rbm_prepare(m, w, data));
    {
      const float *a = lrn_tensor_data(lrn_rbm_parameter(m, 1, NULL));
      CHECK(a[0] == 0 && a[5] == 0, "prepare wrote biases");
    }
    FAILS(LRN_ENUMERIC, "value 2 is NaN", lrn_rbm_log_likelihood(m, &x, data));
    FAILS(LRN_EVALUE, "no row", lrn_rbm_log_likelihood(m, &x, none));
    FAILS(LRN_EVALUE, "no row", lrn_rbm_pseudo_likelihood(m, w, &x, none));
    FAILS(LRN_EVALUE, "no row", lrn_rbm_reconstruct(m, w, &x, &x, NULL, none, 0));
    lrn_tensor_free(data);
    lrn_tensor_free(none);
    lrn_tensor_free(ll);
    lrn_work_free(w);
    lrn_rbm_free(m);
  }
}

/* learning_rate 1e6 and decay 0.01 multiply the weights by -1e4 a step. */
static void test_divergence(void) {
  for (int dtype = LRN_F32; dtype <= LRN_F64; dtype++) {
    lrn_rbm *m = NULL;
    lrn_work *w = NULL;
    lrn_rbm_options o = small();
    lrn_tensor *data = data_of(8, 6);
    int st = LRN_OK, steps = 0, most = dtype == LRN_F32 ? 20 : 200;
    lrn_state s;
    o.dtype = dtype;
    o.learning_rate = 1e6;
    o.decay = 0.01;
    OK(lrn_rbm_new(&m, &o));
    OK(lrn_work_new(&w, m, 8, LRN_WORK_TRAIN));
    while (st == LRN_OK && steps < most) {
      steps++;
      st = lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 8});
    }
    CHECK(st == LRN_ENUMERIC, "%s after %d steps", lrn_status_name(st), steps);
    CHECK(strstr(lrn_error_message(), "W is no longer finite: epoch 1, batch ") != NULL, "%s",
          lrn_error_message());
    lrn_work_get_state(w, &s);
    CHECK((int)s.step == steps, "step %llu of %d", (unsigned long long)s.step, steps);
    lrn_work_free(w);
    lrn_rbm_free(m);
    lrn_tensor_free(data);
  }
}

/* Outputs that do not fit are refused by name. */
static void test_outputs(void) {
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  lrn_rbm_options o = small();
  lrn_tensor *data = data_of(3, 6), *h = matrix(LRN_F32, 3, 4), *h64 = matrix(LRN_F64, 3, 4);
  lrn_tensor *v = matrix(LRN_F32, 3, 6), *turned = NULL, *few = matrix(LRN_F32, 2, 4);
  double x = 0;
  lrn_state s;
  lrn_sampling how = {.n = 3, .steps = 1};
  OK(lrn_rbm_new(&m, &o));
  OK(lrn_work_new(&w, m, 2, 0));
  FAILS(LRN_ESHAPE, "hidden_sampling: mean: ", lrn_rbm_hidden(m, w, h64, NULL, data));
  FAILS(LRN_ESHAPE, "hidden_sampling: state: ", lrn_rbm_hidden(m, w, h, few, data));
  OK(lrn_tensor_transpose(&turned, v, 0, 1));
  FAILS(LRN_ESHAPE, "visible_sampling: mean: ", lrn_rbm_visible(m, w, turned, NULL, h));
  FAILS(LRN_ESHAPE, "visible_sampling: ", lrn_rbm_visible(m, w, v, NULL, v));
  FAILS(LRN_EARG, "sample: neither", lrn_rbm_sample(m, w, NULL, NULL, NULL, &how));
  how.steps = 0;
  FAILS(LRN_EVALUE, "sample: steps: got 0", lrn_rbm_sample(m, w, v, NULL, NULL, &how));
  how.steps = 4;
  FAILS(LRN_ESHAPE, "sample: mean: ",
        (how.thin = 2, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  FAILS(LRN_EVALUE, "sample: thin: got 5, expected 1 to 4",
        (how.thin = 5, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  how.thin = 0;
  FAILS(LRN_EVALUE, "sample: burn + steps: got 1073741824",
        (how.burn = (1 << 30) - 4, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  how.burn = 0;
  FAILS(LRN_EVALUE, "sample: temperature: got -1",
        (how.temperature = -1, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  how.temperature = 0;
  FAILS(LRN_EARG, "sample: clamp: got a mask alone",
        (how.mask = data, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  FAILS(LRN_ESHAPE, "sample: clamp: values: got ",
        (how.values = h, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  how.mask = how.values = NULL;
  FAILS(LRN_EARG, "sample: labels: the model has none",
        lrn_rbm_sample(m, w, v, NULL, h, &how));
  how.n = 0;
  FAILS(LRN_EVALUE, "sample: n: got 0", lrn_rbm_sample(m, w, v, NULL, NULL, &how));
  how.n = 3;
  FAILS(LRN_ESHAPE, "sample: start: got 2 rows",
        (lrn_tensor_free(turned), turned = NULL, lrn_tensor_narrow(&turned, data, 0, 0, 2),
         how.start = turned, lrn_rbm_sample(m, w, v, NULL, NULL, &how)));
  lrn_work_get_state(w, &s);
  CHECK(s.calls == 0, "a refused call was counted: %llu", (unsigned long long)s.calls);
  OK(lrn_rbm_hidden(m, w, h, NULL, data));
  lrn_work_get_state(w, &s);
  CHECK(s.calls == 0, "means alone took a draw");
  OK(lrn_rbm_hidden(m, w, NULL, h, data));
  OK(lrn_rbm_reconstruct(m, w, &x, NULL, NULL, data, 1));
  lrn_work_get_state(w, &s);
  CHECK(s.calls == 2, "%llu", (unsigned long long)s.calls);
  o.n_visible = 30;
  o.n_hidden = 25;
  lrn_rbm_free(m);
  lrn_work_free(w);
  m = NULL;
  w = NULL;
  OK(lrn_rbm_new(&m, &o));
  OK(lrn_work_new(&w, m, 2, 0));
  FAILS(LRN_EUNSUPPORTED, "at most 24 units", lrn_rbm_log_partition(m, &x));
  lrn_tensor_free(data);
  lrn_tensor_free(h);
  lrn_tensor_free(h64);
  lrn_tensor_free(v);
  lrn_tensor_free(turned);
  lrn_tensor_free(few);
  lrn_work_free(w);
  lrn_rbm_free(m);
}

/* visible_bias = data: the input at which a unit has the data's mean, whatever the unit; of a group the
   share of the unit's mean in the sum of them. */
static void test_prepare(void) {
  for (int unit = 0; unit < LRN_UNITS; unit++)
    for (int t = 0; t < 3; t++) {
      lrn_rbm *m = NULL;
      lrn_work *w = NULL;
      lrn_rbm_options o = small();
      lrn_tensor *data = matrix(LRN_F64, 40, 6), *mean = matrix(LRN_F64, 1, 6);
      lrn_tensor *a;
      lrn_key key = {9, 0, LRN_STREAM_USER, 0, 0};
      double all = 0;
      o.dtype = LRN_F64;
      o.visible = unit;
      o.visible_categories = lrn_unit_grouped(unit) ? 6 : 1;
      o.temperature = t == 0 ? 1 : t == 1 ? 0.5 : 2;
      OK(lrn_random(data, LRN_UNIFORM, 0.125, 0.875, key));
      for (int64_t r = 0; r < 40; r++)
        set(data, r, 5, unit == LRN_UNIT_BERNOULLI ? 1 : 0.25); /* constant */
      OK(lrn_rbm_new(&m, &o));
      OK(lrn_work_new(&w, m, 7, 0));
      OK(lrn_rbm_prepare(m, w, data));
      a = lrn_rbm_parameter(m, 1, NULL);
      OK(lrn_unit_map(mean, unit, LRN_UNIT_MEAN, a, o.temperature));
      for (int64_t r = 0; r < 240; r++)
        all += ((double *)lrn_tensor_data(data))[r] / 40;
      for (int64_t i = 0; i < 6; i++) {
        double want = 0, got = ((double *)lrn_tensor_data(mean))[i];
        for (int64_t r = 0; r < 40; r++)
          want += ((double *)lrn_tensor_data(data))[r * 6 + i] / 40;
        if (i == 5 && unit == LRN_UNIT_BERNOULLI)
          want = 1 - 1.0 / 42;
        if (lrn_unit_grouped(unit))
          want /= all;
        CHECK(fabs(got - want) < 1e-12, "%s, T %g, unit %lld: mean %.17g, data %.17g",
              lrn_unit_name(unit), o.temperature, (long long)i, got, want);
      }
      /* a second call and biases that are set stay as they are */
      ((double *)lrn_tensor_data(a))[0] = 3;
      OK(lrn_rbm_prepare(m, w, data));
      CHECK(((double *)lrn_tensor_data(a))[0] == 3, "prepared twice");
      lrn_tensor_free(data);
      lrn_tensor_free(mean);
      lrn_work_free(w);
      lrn_rbm_free(m);
    }
}

/* A vector of n, each element `value`. */
static lrn_tensor *vector(int dtype, int64_t n, double value) {
  lrn_tensor *t = NULL;
  OK(lrn_tensor_new(&t, dtype, 1, &n, NULL));
  OK(lrn_tensor_fill(t, value));
  return t;
}

static void test_weights(void) {
  lrn_rbm_options o = small();
  lrn_rbm *m;
  lrn_work *w;
  lrn_tensor *data = matrix(LRN_F32, 8, 6), *few = vector(LRN_F32, 3, 1);
  lrn_tensor *wide = vector(LRN_F64, 4, 1), *good = vector(LRN_F32, 4, 1);
  lrn_state before, after;
  double print;
  OK(lrn_rbm_new(&m, &o));
  OK(lrn_work_new(&w, m, 4, LRN_WORK_TRAIN));
  lrn_work_get_state(w, &before);
  print = fingerprint(m);
  FAILS(LRN_ETYPE, "fit: weights: got float32[3], expected a contiguous float32[4] on cpu",
        lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4, .weights = few}));
  FAILS(LRN_ETYPE, "gradient: weights: got float64[4]",
        lrn_rbm_gradient(m, w, &(lrn_batch){.data = data, .count = 4, .weights = wide}));
  lrn_work_get_state(w, &after);
  CHECK(before.step == after.step && print == fingerprint(m), "a refused step changed the model");
  {
    size_t bytes = lrn_work_bytes(w);
    OK(lrn_rbm_step(m, w, &(lrn_batch){.data = data, .count = 4, .weights = good}));
    CHECK(lrn_work_bytes(w) == bytes + 8 * sizeof(float), "weights of both phases are counted");
  }
  lrn_rbm_free(m);
  lrn_work_free(w);
  lrn_tensor_free(data);
  lrn_tensor_free(few);
  lrn_tensor_free(wide);
  lrn_tensor_free(good);
}

/* m = 0.5 m + g + decay theta; theta -= 0.25 m: dyadic numbers are exact. */
static void test_optimize(void) {
  lrn_tensor *theta = vector(LRN_F32, 3, 1), *m = vector(LRN_F32, 3, 0), *g = vector(LRN_F32, 3, 2);
  lrn_tensor *bad = vector(LRN_I64, 2, 0), *other = vector(LRN_F64, 3, 0);
  lrn_update_options o = {.learning_rate = 0.25, .momentum = 0.5, .decay = 1, .step = 1};
  int64_t at = 1, place = 0;
  double value = 0;
  OK(lrn_optimize(theta, m, NULL, g, NULL, bad, 1, &o)); /* m = 3, theta = 0.25 */
  o.step = 2;
  OK(lrn_optimize(theta, m, NULL, g, NULL, bad, 1, &o)); /* m = 3.75, theta = -0.6875 */
  OK(lrn_tensor_get(&value, theta, &at));
  CHECK(value == -0.6875, "%g", value);
  OK(lrn_tensor_set(g, &at, NAN));
  o.step = 3;
  OK(lrn_optimize(theta, m, NULL, g, NULL, bad, 1, &o));
  OK(lrn_tensor_get_int(&place, bad, &at));
  CHECK(place == 3, "stopped being finite at %lld", (long long)place);
  FAILS(LRN_ETYPE, "g: got float64[3], expected a contiguous tensor like theta",
        lrn_optimize(theta, m, NULL, other, NULL, bad, 1, &o));
  FAILS(LRN_ETYPE, "bad: got int64[2]", lrn_optimize(theta, m, NULL, g, NULL, bad, 2, &o));
  FAILS(LRN_ETYPE, "theta: got int64[2]", lrn_optimize(bad, m, NULL, g, NULL, bad, 0, &o));
  FAILS(LRN_EARG, "m, g: got NULL", lrn_optimize(theta, NULL, NULL, g, NULL, bad, 0, &o));
  lrn_tensor_free(theta);
  lrn_tensor_free(m);
  lrn_tensor_free(g);
  lrn_tensor_free(bad);
  lrn_tensor_free(other);
}

int main(void) {
  lrn_memory before, after;
  lrn_memory_stats(&before);
  test_options();
  test_set_options();
  test_workspace();
  test_layout();
  test_step_allocates_nothing();
  test_bad_data();
  test_divergence();
  test_outputs();
  test_prepare();
  test_weights();
  test_optimize();
  lrn_memory_stats(&after);
  CHECK(before.live_blocks == after.live_blocks, "%lld blocks are left",
        (long long)(after.live_blocks - before.live_blocks));
  return check_done();
}
