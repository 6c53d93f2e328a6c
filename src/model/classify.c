/*
** classify.c - what a model with labels can be asked about them: label.c has the formulas.
*/
#include "model/model.h"

static int has_labels(const lrn_rbm *m, const char *function) {
  return m->options.n_classes > 0
           ? LRN_OK
           : lrn_fail(LRN_EUNSUPPORTED, "%s: the model has no labels (n_classes is 0)", function);
}

/* n rows of a buffer of label.c into the rows from `at` on of a result, where it is wanted. */
static int copy_rows(const lrn_work *w, const lrn_tensor *to, int64_t at, int buffer, int64_t n) {
  lrn_view from = w->label[buffer]->view, rows;
  from.size[0] = n;
  if (to == NULL)
    return LRN_OK;
  rows = lrn_rows_view(w->dtype, lrn_row_at(to, at, from.size[1]), n, from.size[1]);
  return lrn_copy_views(w->device, &rows, &from);
}

int lrn_rbm_classify(const lrn_rbm *m, lrn_work *w, lrn_tensor *log_p, lrn_tensor *p,
                     lrn_tensor *drawn, int64_t base, const lrn_tensor *v) {
  int64_t C = m->options.n_classes;
  uint64_t call = w->state.calls;
  lrn_tensor *held = NULL;
  lrn_rows rows;
  int st;
  LRN_TRY(has_labels(m, "classify"));
  LRN_TRY(lrn_check_work(m, w, 0, 0, "classify"));
  LRN_GO(lrn_rows_any(&rows, &held, m, v, "classify"));
  rows.absent = lrn_absent(m, w);
  LRN_GO(lrn_check_output(m, log_p, rows.n, C, "classify", "log_p"));
  LRN_GO(lrn_check_output(m, p, rows.n, C, "classify", "p"));
  LRN_GO(lrn_check_labels(m, drawn, rows.n, "classify"));
  for (int64_t at = 0; at < rows.n; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, rows.n, at);
    void *x = w->q->view.data, *y = lrn_label_row(w, 0);
    LRN_GO(lrn_load_rows(m, w->v->view.data, &rows, NULL, 0, at, n, 0, "classify"));
    LRN_GO(lrn_input(m, LRN_SIDE_HIDDEN, x, w->v->view.data, n));
    LRN_GO(lrn_label_scores(m, w, x, n));
    LRN_GO(copy_rows(w, log_p, at, LRN_LABEL_SCORE, n));
    LRN_GO(copy_rows(w, p, at, LRN_LABEL_P, n));
    if (drawn != NULL) {
      LRN_GO(lrn_label_draw(m, w, y, n, lrn_key_of(m, call, LRN_STREAM_USER, 0, at * C)));
      LRN_GO(lrn_label_numbers(m, w, lrn_row_at(drawn, at, 1), y, n, base));
    }
  }
  w->state.calls += drawn != NULL;
done:
  lrn_tensor_free(held);
  return st;
}

int lrn_rbm_classify_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *p, lrn_tensor *drawn,
                            int64_t base, const lrn_tensor *h) {
  int64_t C = m->options.n_classes, N;
  uint64_t call = w->state.calls;
  lrn_tensor *flat = NULL;
  int st;
  LRN_TRY(has_labels(m, "class_sampling"));
  LRN_TRY(lrn_check_work(m, w, 0, 0, "class_sampling"));
  LRN_TRY(lrn_hidden_rows(&flat, &N, m, h, "class_sampling"));
  LRN_GO(lrn_check_output(m, p, N, C, "class_sampling", "p"));
  LRN_GO(lrn_check_labels(m, drawn, N, "class_sampling"));
  for (int64_t at = 0; at < N; at += lrn_stride(w)) {
    int64_t n = lrn_piece(w, N, at);
    void *y = lrn_label_row(w, 0);
    LRN_GO(lrn_label_down(m, lrn_row_at(p, at, C), y, lrn_row_at(flat, at, m->options.n_hidden), n,
                          lrn_key_of(m, call, LRN_STREAM_USER, 1, at * C)));
    if (drawn != NULL)
      LRN_GO(lrn_label_numbers(m, w, lrn_row_at(drawn, at, 1), y, n, base));
  }
  w->state.calls += drawn != NULL;
done:
  lrn_tensor_free(flat);
  return st;
}
