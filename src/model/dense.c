/*
** dense.c - the link in which every visible unit meets every hidden one: x = v W, u = h W'.
**
** States are often 0, so the products are the backend's sparse ones.
*/
#include "model/model.h"

/* C (m x n) = alpha op(states) op(B), all of them contiguous */
static int product(const lrn_rbm *m, void *c, double alpha, const void *states, int transposed,
                   int64_t lda, const void *b, int transb, int64_t rows, int64_t columns, int64_t k) {
  const lrn_backend *d = &m->options.device->backend;
  int64_t ldb = transb ? k : columns;
  return d->gemm_sparse != NULL
           ? d->gemm_sparse(m->options.dtype, transposed, transb, rows, columns, k, alpha, states, lda, b,
                            ldb, c)
           : d->gemm(m->options.dtype, transposed, transb, rows, columns, k, alpha, states, lda, b, ldb, 0,
                     c, columns);
}

static int up(const lrn_rbm *m, void *x, const void *v, int64_t rows, double alpha) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden;
  const void *W = m->up != NULL ? m->up : m->parameter[LRN_PARAMETER_W]->view.data;
  return product(m, x, alpha, v, 0, V, W, 0, rows, H, V);
}

static int down(const lrn_rbm *m, void *u, const void *h, int64_t rows, double alpha) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden;
  return product(m, u, alpha, h, 0, H, m->parameter[LRN_PARAMETER_W]->view.data, 1, rows, V, H);
}

static int gradient(const lrn_rbm *m, void *gW, double alpha, const void *v, const void *h,
                    int64_t rows) {
  int64_t V = m->options.n_visible, H = m->options.n_hidden;
  return product(m, gW, alpha, v, 1, V, h, 0, V, H, rows);
}

const lrn_link lrn_link_dense = {"dense", up, down, gradient};
