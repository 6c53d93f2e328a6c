/*
** standardise.c - data of real-valued visible units in units of their own: mean 0, deviation 1.
**
** The statistics are those of the training set, computed once and kept with the model. What the model
** works on is s = (v - mean) / std; what its user sees is v. A unit whose deviation is below CONSTANT of
** the range of all data is constant: it has std 0, is 0 in s whatever comes, never gets noise, and
** reconstructs to its mean; its weights and bias are 0 and stay so, because their gradient is.
*/
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "model/model.h"

static const double CONSTANT = 0.01;

enum { PIECE_ROWS = 64 };

/* Rows of m->standard. */
enum { SHIFT, SCALE, SPREAD, LIVE, VECTORS };

/* {=== Statistics of data === */

/* Mean and sum of squared deviations of each unit over the rows n[i] that have it, and the range of all
   values so far. */
typedef struct moments {
  double *n, *mean, *m2, low, high;
} moments;

/* Takes in k rows x, absent 1 where one lacks a value (Chan, Golub, LeVeque 1979): two passes over a piece
   that the cache holds, and one addition of means. sum, m2, count have room for a row. */
static void take_in(moments *to, const double *x, const double *absent, int64_t k, int64_t V, double *sum,
                    double *m2, double *count) {
  for (int64_t i = 0; i < V; i++)
    sum[i] = m2[i] = count[i] = 0;
  for (int64_t r = 0; r < k; r++)
    for (int64_t i = 0; i < V; i++) {
      double value = x[r * V + i];
      if (absent[r * V + i] != 0)
        continue;
      count[i]++;
      sum[i] += value;
      to->low = value < to->low ? value : to->low;
      to->high = value > to->high ? value : to->high;
    }
  for (int64_t i = 0; i < V; i++)
    sum[i] /= count[i] > 0 ? count[i] : 1;
  for (int64_t r = 0; r < k; r++)
    for (int64_t i = 0; i < V; i++) {
      double off = x[r * V + i] - sum[i];
      if (absent[r * V + i] == 0)
        m2[i] += off * off;
    }
  for (int64_t i = 0; i < V; i++) {
    double off = sum[i] - to->mean[i], share = count[i] / (to->n[i] + count[i]);
    if (count[i] == 0)
      continue;
    to->mean[i] += off * share;
    to->m2[i] += m2[i] + off * off * (to->n[i] * share);
    to->n[i] += count[i];
  }
}

/* mean[i] and std[i] of the rows, which lie on the CPU; std 0 where the unit is constant. missing: a NaN is
   no value. */
static int statistics_of(const lrn_rows *rows, int64_t V, int missing, double *mean, double *std) {
  void *memory;
  double *x, *absent, *sum, *m2, *count;
  moments all = {NULL, mean, std, INFINITY, -(double)INFINITY};
  int st = LRN_OK;
  LRN_TRY(lrn_alloc(&memory, (size_t)(2 * PIECE_ROWS + 4) * (size_t)V, sizeof *x, "fit"));
  x = memory;
  absent = x + PIECE_ROWS * V; /* zeros, as all new memory */
  sum = absent + PIECE_ROWS * V;
  m2 = sum + V;
  count = m2 + V;
  all.n = count + V;
  for (int64_t i = 0; i < V; i++)
    mean[i] = std[i] = all.n[i] = 0;
  for (int64_t at = 0; at < rows->n; at += PIECE_ROWS) {
    int64_t bad = -1, k = rows->n - at < PIECE_ROWS ? rows->n - at : PIECE_ROWS;
    lrn_load_args args = {.dtype = LRN_F64, .out = x, .data_dtype = rows->dtype,
                          .data = rows->data, .n_rows = rows->n, .row_stride = rows->stride,
                          .units = V, .first = at, .count = k, .bad = &bad,
                          .absent = missing ? absent : NULL, .categories = 1};
    LRN_GO(lrn_poll());
    LRN_GO(lrn_device_cpu()->backend.load(&args));
    if (bad >= 0) {
      st = lrn_fail(LRN_ENUMERIC, "fit: data: row %lld, value %lld is NaN or infinite",
                    (long long)(at + bad / V + 1), (long long)(bad % V + 1));
      goto done;
    }
    take_in(&all, x, absent, k, V, sum, m2, count);
  }
  for (int64_t i = 0; i < V; i++) {
    std[i] = all.n[i] > 0 ? sqrt(std[i] / all.n[i]) : 0;
    if (std[i] < CONSTANT * (all.high - all.low) || all.high == all.low)
      std[i] = 0;
  }
done:
  lrn_free(memory);
  return st;
}

/* ===} */

/* {=== The model's === */

static int vector_of(lrn_tensor **out, const double *x, int64_t n) {
  LRN_TRY(lrn_tensor_new(out, LRN_F64, 1, &n, NULL));
  memcpy((*out)->view.data, x, (size_t)n * sizeof *x);
  return LRN_OK;
}

/* The four vectors of the statistics on the model's device. */
static int make_vectors(lrn_tensor **out, int64_t *constants, const lrn_rbm *m, const double *mean,
                        const double *std) {
  int64_t V = m->options.n_visible, size[2] = {VECTORS, V};
  double most = m->options.dtype == LRN_F64 ? 0x1p1023 : 0x1p127, *x;
  lrn_tensor *wide = NULL;
  int st;
  LRN_GO(lrn_tensor_new(&wide, LRN_F64, 2, size, NULL));
  x = wide->view.data;
  *constants = 0;
  for (int64_t i = 0; i < V; i++) {
    if (!(fabs(mean[i]) < most && std[i] >= 0 && std[i] < most && (std[i] == 0 || std[i] > 1 / most))) {
      st = lrn_fail(LRN_ENUMERIC, "fit: data: unit %lld: a mean of %g with a standard deviation of %g "
                    "cannot be standardised in %s", (long long)(i + 1), mean[i], std[i],
                    lrn_dtype_name(m->options.dtype));
      goto done;
    }
    *constants += std[i] == 0;
    x[SHIFT * V + i] = mean[i];
    x[SCALE * V + i] = std[i] > 0 ? 1 / std[i] : 0;
    x[SPREAD * V + i] = std[i];
    x[LIVE * V + i] = std[i] > 0;
  }
  st = lrn_tensor_to(out, wide, m->options.dtype, m->options.device);
done:
  lrn_tensor_free(wide);
  return st;
}

int lrn_set_statistics(lrn_rbm *m, const double *mean, const double *std) {
  lrn_tensor *vectors = NULL, *stat[LRN_STATS] = {NULL, NULL};
  int64_t constants;
  int st;
  LRN_GO(make_vectors(&vectors, &constants, m, mean, std));
  LRN_GO(vector_of(&stat[LRN_STAT_MEAN], mean, m->options.n_visible));
  LRN_GO(vector_of(&stat[LRN_STAT_STD], std, m->options.n_visible));
  lrn_free_statistics(m);
  for (int i = 0; i < LRN_STATS; i++)
    m->stat[i] = stat[i];
  m->standard = vectors;
  m->constants = constants;
  m->shift = lrn_row(vectors, SHIFT);
  m->scale = lrn_row(vectors, SCALE);
  m->gain = lrn_live(m);
  return LRN_OK;
done:
  lrn_tensor_free(vectors);
  for (int i = 0; i < LRN_STATS; i++)
    lrn_tensor_free(stat[i]);
  return st;
}

void lrn_free_statistics(lrn_rbm *m) {
  for (int i = 0; i < LRN_STATS; i++) {
    lrn_tensor_free(m->stat[i]);
    m->stat[i] = NULL;
  }
  lrn_tensor_free(m->standard);
  m->standard = NULL;
  m->shift = m->scale = m->gain = NULL;
  m->constants = 0;
}

lrn_tensor *lrn_rbm_statistic(const lrn_rbm *m, int i, const char **name) {
  static const char *const names[LRN_STATS] = {"mean", "std"};
  if (i < 0 || i >= LRN_STATS)
    return NULL;
  if (name != NULL)
    *name = names[i];
  return m->stat[i];
}

const void *lrn_live(const lrn_rbm *m) {
  return m->constants > 0 ? lrn_row(m->standard, LIVE) : NULL;
}

/* t (V rows) *= live */
static int kill(const lrn_rbm *m, lrn_tensor *t) {
  int64_t V = m->options.n_visible;
  lrn_view all = lrn_rows_view(m->options.dtype, t->view.data, V, lrn_tensor_numel(t) / V);
  lrn_operand in[2] = {{.view = all}, {.view = all}};
  in[1].view.data = (void *)(uintptr_t)lrn_live(m);
  in[1].view.stride[0] = 1;
  in[1].view.stride[1] = 0;
  return m->options.device->backend.map(LRN_OP_mul, m->options.dtype, &all, in, 2);
}

int lrn_standardise_by(lrn_rbm *m, const lrn_tensor *data) {
  int64_t V = m->options.n_visible, size[2] = {LRN_STATS, V};
  lrn_tensor *host = NULL, *held = NULL, *found = NULL;
  lrn_rows rows;
  double *mean;
  int st;
  LRN_GO(lrn_tensor_to(&host, data, data->view.dtype, lrn_device_cpu()));
  LRN_GO(lrn_tensor_contiguous(&held, host));
  LRN_GO(lrn_rows_shape(&rows, m, held, "fit"));
  if (rows.n == 0)
    goto done;
  LRN_GO(lrn_tensor_new(&found, LRN_F64, 2, size, NULL));
  mean = found->view.data;
  LRN_GO(statistics_of(&rows, V, m->options.missing, mean, mean + V));
  LRN_GO(lrn_set_statistics(m, mean, mean + V));
  if (m->constants > 0) {
    LRN_GO(kill(m, m->parameter[LRN_PARAMETER_W]));
    st = kill(m, m->parameter[LRN_PARAMETER_A]);
  }
done:
  lrn_tensor_free(host);
  lrn_tensor_free(held);
  lrn_tensor_free(found);
  return st;
}

/* rows of v = v op a vector of m->standard */
static int by_vector(const lrn_rbm *m, int op, void *v, int64_t rows, int vector) {
  lrn_view all = lrn_rows_view(m->options.dtype, v, rows, m->options.n_visible);
  lrn_operand in[2] = {{.view = all}, {.view = all}};
  if (v == NULL || m->standard == NULL)
    return LRN_OK;
  in[1].view.stride[0] = 0;
  in[1].view.data = lrn_row(m->standard, vector);
  return m->options.device->backend.map(op, all.dtype, &all, in, 2);
}

int lrn_to_data_widths(const lrn_rbm *m, void *v, int64_t rows) {
  return by_vector(m, LRN_OP_mul, v, rows, SPREAD);
}

int lrn_to_data_units(const lrn_rbm *m, void *v, int64_t rows) {
  LRN_TRY(by_vector(m, LRN_OP_mul, v, rows, SPREAD));
  return by_vector(m, LRN_OP_add, v, rows, SHIFT);
}

double lrn_log_spread(const lrn_rbm *m) {
  double sum = 0;
  const double *std;
  if (m->stat[LRN_STAT_STD] == NULL)
    return 0;
  std = m->stat[LRN_STAT_STD]->view.data;
  for (int64_t i = 0; i < m->options.n_visible; i++)
    sum += std[i] > 0 ? log(std[i]) : 0;
  return sum;
}

/* ===} */
