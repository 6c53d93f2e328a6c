/*
** exact.c - the likelihood of data, given log Z.
*/
#include "model/model.h"

enum { BLOCK_ROWS = 4096 };

int lrn_rbm_log_likelihood_at(const lrn_rbm *m, double *mean, const lrn_tensor *v, double log_z) {
  lrn_rbm *d = NULL;
  lrn_work *w = NULL;
  lrn_tensor *F = NULL, *held = NULL, *average = NULL;
  lrn_rows rows;
  double f;
  int st;
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "log_likelihood"));
  if (rows.n == 0) {
    st = lrn_fail(LRN_EVALUE, "log_likelihood: data: no row");
    goto done;
  }
  LRN_GO(lrn_rbm_double(&d, m));
  LRN_GO(lrn_work_new(&w, d, rows.n < BLOCK_ROWS ? rows.n : BLOCK_ROWS, 0));
  LRN_GO(lrn_tensor_new(&F, LRN_F64, 1, &rows.n, NULL));
  LRN_GO(lrn_wants_whole_rows(lrn_rbm_free_energy(d, w, F, v), m, "log_likelihood"));
  LRN_GO(lrn_mean(&average, F, 0, 0));
  LRN_GO(lrn_tensor_get(&f, average, NULL));
  *mean = -f / m->options.temperature - log_z - lrn_log_spread(m); /* a density of data */
done:
  lrn_tensor_free(F);
  lrn_tensor_free(held);
  lrn_tensor_free(average);
  lrn_work_free(w);
  lrn_rbm_free(d);
  return st;
}

int lrn_rbm_log_likelihood(const lrn_rbm *m, double *mean, const lrn_tensor *v) {
  double log_z;
  LRN_TRY(lrn_rbm_log_likelihood_at(m, mean, v, 0)); /* what is wrong with the data comes first */
  LRN_TRY(lrn_rbm_log_partition(m, &log_z));
  *mean -= log_z;
  return LRN_OK;
}
