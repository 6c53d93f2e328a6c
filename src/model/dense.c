/*
** dense.c - the link in which every visible unit meets every hidden one: x = v W, u = h W'.
*/
#include "model/model.h"

static int up(const lrn_rbm *m, void *x, const void *v, int64_t rows, double alpha) {
  const lrn_rbm_options *o = &m->options;
  return o->device->backend.gemm(o->dtype, 0, 0, rows, o->n_hidden, o->n_visible, alpha, v,
                                 o->n_visible,
                                 m->up != NULL ? m->up : m->parameter[LRN_PARAMETER_W]->view.data,
                                 o->n_hidden, 0, x, o->n_hidden);
}

static int up01(const lrn_rbm *m, void *x, const void *v, int64_t rows) {
  const lrn_rbm_options *o = &m->options;
  if (o->device->backend.gemm01 == NULL)
    return up(m, x, v, rows, 1);
  return o->device->backend.gemm01(o->dtype, rows, o->n_hidden, o->n_visible, 1, v,
                                   m->parameter[LRN_PARAMETER_W]->view.data, o->n_hidden, x);
}

static int down(const lrn_rbm *m, void *u, const void *h, int64_t rows, double alpha) {
  const lrn_rbm_options *o = &m->options;
  return o->device->backend.gemm(o->dtype, 0, 1, rows, o->n_visible, o->n_hidden, alpha, h,
                                 o->n_hidden, m->parameter[LRN_PARAMETER_W]->view.data,
                                 o->n_hidden, 0, u, o->n_visible);
}

static int down01(const lrn_rbm *m, void *u, const void *h, int64_t rows, double alpha) {
  const lrn_rbm_options *o = &m->options;
  if (o->device->backend.gemm01 == NULL || m->turned == NULL)
    return down(m, u, h, rows, alpha);
  return o->device->backend.gemm01(o->dtype, rows, o->n_visible, o->n_hidden, alpha, h, m->turned,
                                   o->n_visible, u);
}

static int gradient(const lrn_rbm *m, void *gW, double alpha, const void *v, const void *h,
                    int64_t rows) {
  const lrn_rbm_options *o = &m->options;
  return o->device->backend.gemm(o->dtype, 1, 0, o->n_visible, o->n_hidden, rows, alpha, v,
                                 o->n_visible, h, o->n_hidden, 0, gW, o->n_hidden);
}

const lrn_link lrn_link_dense = {"dense", up, up01, down, down01, gradient};
