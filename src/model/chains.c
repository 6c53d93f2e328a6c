/*
** chains.c - the persistent chains of training that are more than those of step.c: with fast weights, or at
** several temperatures (tempering.c).
**
** Fast weights (Tieleman and Hinton 2009): the chains see theta + f, and after each step
**
**   f = fast_decay f - fast_rate g
**
** with g the gradient of the step, before decay and l1: where the chains have just been becomes unlikely for a
** while, which drives them on. q- of their states, and so g, is that of theta alone. Variances have no fast part.
*/
#include "model/model.h"

int lrn_chains_are_plain(const lrn_rbm *m) {
  return m->options.fast_rate == 0 && m->options.replicas == 1;
}

/* theta + f, as the model that the chains see */
static int hasten(lrn_rbm *quick, const lrn_rbm *m, lrn_work *w) {
  lrn_operand in[2] = {{.view = m->theta->view}, {.view = w->fast->view}};
  LRN_TRY(w->device->backend.map(LRN_OP_add, w->dtype, &w->quick->view, in, 2));
  *quick = *m;
  for (int i = 0; i < LRN_PARAMETERS; i++)
    quick->parameter[i] = w->quick_part[i];
  return lrn_see(quick, w);
}

int lrn_run_chains(const lrn_rbm *m, lrn_work *w, void *v, void *y, void *x) {
  const lrn_rbm_options *o = &m->options;
  int64_t rows = w->chains;
  uint64_t step = w->state.step;
  void *h = w->chain->view.data;
  lrn_ladder *l = w->ladder;
  lrn_rbm chain = *m, again = *m;
  if (o->fast_rate > 0)
    LRN_TRY(hasten(&chain, m, w));
  if (l != NULL)
    LRN_TRY(lrn_ladder_begin(l, &chain));
  for (int64_t s = 0; s < o->steps; s++) {
    lrn_key down = lrn_key_of(m, step, LRN_STREAM_CHAIN, (int)(2 * s + 1), 0);
    lrn_key up = lrn_key_of(m, step, LRN_STREAM_CHAIN, (int)(2 * s + 2), 0);
    if (l != NULL) {
      LRN_TRY(lrn_ladder_visible(l, &chain, v, NULL, h, down));
      LRN_TRY(lrn_ladder_label(l, &chain, y, h, down));
      LRN_TRY(lrn_hidden_input(&chain, x, v, y, rows));
      LRN_TRY(lrn_ladder_swap(l, &chain, v, y, 1, x, lrn_key_of(m, step, LRN_STREAM_SWAP, (int)s, 0), 1));
      LRN_TRY(lrn_ladder_hidden(l, &chain, h, x, up));
    } else {
      LRN_TRY(lrn_input(&chain, LRN_SIDE_VISIBLE, v, h, rows));
      LRN_TRY(lrn_activate(&chain, LRN_SIDE_VISIBLE, v, rows, NULL, v, down, NULL));
      LRN_TRY(lrn_label_down(&chain, NULL, y, h, rows, down));
      LRN_TRY(lrn_hidden_input(&chain, x, v, y, rows));
      LRN_TRY(lrn_activate(&chain, LRN_SIDE_HIDDEN, x, rows, NULL, h, up, NULL));
    }
  }
  if (o->fast_rate == 0)
    return LRN_OK;
  LRN_TRY(lrn_see(&again, w));
  return lrn_hidden_input(m, x, v, y, o->persistent);
}

int lrn_update_fast(const lrn_rbm *m, lrn_work *w) {
  const lrn_backend *b = &w->device->backend;
  lrn_view f, change;
  lrn_operand in[2] = {{.is_scalar = 0}, {.is_scalar = 1}};
  if (m->options.fast_rate == 0)
    return LRN_OK;
  f = w->fast->view;
  change = w->quick->view;
  in[0].view = w->gradient->view;
  in[1].d = m->options.fast_rate;
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &change, in, 2));
  in[0].view = f;
  in[1].d = m->options.fast_decay;
  LRN_TRY(b->map(LRN_OP_mul, w->dtype, &f, in, 2));
  in[1] = (lrn_operand){.view = change};
  LRN_TRY(b->map(LRN_OP_sub, w->dtype, &f, in, 2));
  return w->fast_part[LRN_PARAMETER_Z] != NULL ? lrn_tensor_fill(w->fast_part[LRN_PARAMETER_Z], 0) : LRN_OK;
}
