/*
** label.c - a class label y as a second block of visible units: a softmax of C units, which makes
**
**   E(v, y, h) = E(v, h) - c.y - y U h          (Larochelle and Bengio 2008)
**
** With x = v W, A the hidden cumulant and S_y = A'(x + b + U_y), one product v W serves all classes:
**
**   s_y = c_y + sum_j A(x_j + b_j + U_yj),  P(y | v) = softmax(s / T),  E[h | v] = sum_y P(y | v) S_y
**
** The objective is  -log P(y | v) + alpha L,  L the generative one: -log p(v, y) by contrastive
** divergence on the joint model; the mean over the rows of a batch. A row without a label has only
** the second part, with -log p(v), that is with y summed out. In terms of the target t (one-hot, or
** P(y | v) where there is no label) both parts of the positive phase are one mixture of the S_y, with
** the weights (1 + alpha) t - P(y | v).
*/
#include "kernel/unit.h"
#include "model/model.h"

/* Draws of labels, beside those of the layer they lie next to. */
static const uint32_t DRAW_LABELS = 0x80000000u;

typedef enum lrn_label_shape { BATCH_C, BOTH_C, C_H, BATCH_H, BATCH_1, C_1 } label_shape;
static const struct {
  label_shape shape;
  int dtype; /* -1: that of the model */
} buffers[LRN_LABEL_BUFFERS] = {
  [LRN_LABEL_Y] = {BOTH_C, -1},       [LRN_LABEL_SCORE] = {BATCH_C, -1},
  [LRN_LABEL_P] = {BATCH_C, -1},      [LRN_LABEL_WEIGHT] = {BATCH_C, -1},
  [LRN_LABEL_BIAS] = {C_H, -1},       [LRN_LABEL_MIX] = {BATCH_H, -1},
  [LRN_LABEL_NUMBER] = {BATCH_1, LRN_I64}, [LRN_LABEL_CLASSES] = {C_1, LRN_I64},
  [LRN_LABEL_HOT] = {BATCH_C, LRN_BOOL},
};

void lrn_free_labels(lrn_work *w) {
  for (int i = 0; i < LRN_LABEL_BUFFERS; i++) {
    lrn_tensor_free(w->label[i]);
    w->label[i] = NULL;
  }
}

int lrn_make_labels(lrn_work *w, const lrn_rbm *m) {
  int64_t C = m->options.n_classes, H = w->n_hidden, B = w->batch;
  int64_t wide = B > w->chains ? B : w->chains;
  const struct {
    int nd;
    int64_t size[2];
  } shapes[] = {[BATCH_C] = {2, {B, C}}, [BOTH_C] = {2, {B + wide, C}}, [C_H] = {2, {C, H}},
                [BATCH_H] = {2, {B, H}}, [BATCH_1] = {1, {B, 0}},       [C_1] = {1, {C, 0}}};
  if (C == 0)
    return LRN_OK;
  for (int i = 0; i < LRN_LABEL_BUFFERS; i++) {
    int s = buffers[i].shape, dtype = buffers[i].dtype < 0 ? w->dtype : buffers[i].dtype;
    LRN_TRY(lrn_tensor_new(&w->label[i], dtype, shapes[s].nd, shapes[s].size, w->device));
    LRN_TRY(lrn_tensor_fill(w->label[i], 0));
  }
  for (int64_t k = 0; k < C; k++)
    LRN_TRY(lrn_tensor_set_int(w->label[LRN_LABEL_CLASSES], &k, k));
  return LRN_OK;
}

/* {=== Views === */

static lrn_view buffer_rows(const lrn_work *w, int i, int64_t rows) {
  lrn_view v = w->label[i]->view;
  v.size[0] = rows;
  return v;
}

/* One row that is repeated, one value a row that is repeated. */
static lrn_view repeated_row(int dtype, const void *data, int64_t rows, int64_t units) {
  lrn_view v = lrn_rows_view(dtype, data, rows, units);
  v.stride[0] = 0;
  return v;
}
static lrn_view repeated_column(int dtype, const void *data, int64_t rows, int64_t units,
                                int64_t stride) {
  lrn_view v = lrn_rows_view(dtype, data, rows, units);
  v.stride[0] = stride;
  v.stride[1] = 0;
  return v;
}

/* Column k of a buffer of C columns, once for each of `units`. */
static lrn_view class_column(const lrn_work *w, int i, int64_t k, int64_t rows, int64_t units) {
  const lrn_tensor *t = w->label[i];
  const char *at = (const char *)t->view.data + k * (int64_t)lrn_dtype_size(t->view.dtype);
  return repeated_column(t->view.dtype, at, rows, units, t->view.size[1]);
}

static int map2(const lrn_work *w, int op, const lrn_view *out, const lrn_view *a,
                const lrn_view *b) {
  lrn_operand in[2] = {{.view = *a}, {.view = *b}};
  return w->device->backend.map(op, w->dtype, out, in, 2);
}
static int map_number(const lrn_work *w, int op, const lrn_view *out, const lrn_view *a, double x) {
  lrn_operand in[2] = {{.view = *a}, {.is_scalar = 1, .d = x}};
  return w->device->backend.map(op, w->dtype, out, in, 2);
}

static int sum_of_rows(const lrn_work *w, void *out, const lrn_view *x) {
  lrn_view o = lrn_flat_view(w->dtype, out, x->size[0]);
  return w->device->backend.reduce(LRN_RED_sum, &o, x, NULL, 1, 1);
}

/* Softmax of rows x C inputs: probabilities, and one-hot states; either NULL. */
static int softmax(const lrn_rbm *m, const void *x, const void *bias, double temperature,
                   int64_t rows, void *mean, void *state, lrn_key key) {
  lrn_unit_args args = {.unit = LRN_UNIT_SOFTMAX, .dtype = m->options.dtype,
                        .temperature = temperature, .rows = rows, .units = m->options.n_classes,
                        .categories = m->options.n_classes, .x = x, .bias = bias, .mean = mean,
                        .mean_scale = 1, .state = state, .key = key};
  args.key.draw |= DRAW_LABELS;
  return m->options.device->backend.unit(&args);
}

/* ===} */

void *lrn_label_row(const lrn_work *w, int64_t r) {
  return w->label[LRN_LABEL_Y] != NULL ? lrn_row(w->label[LRN_LABEL_Y], r) : NULL;
}

int lrn_label_up(const lrn_rbm *m, void *x, const void *y, int64_t rows) {
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  if (C == 0)
    return LRN_OK;
  return m->options.device->backend.gemm(m->options.dtype, 0, 0, rows, H, C, 1, y, C,
                                         m->parameter[LRN_PARAMETER_U]->view.data, H, 1, x, H);
}

int lrn_hidden_input(const lrn_rbm *m, void *x, const void *v, const void *y, int64_t rows) {
  LRN_TRY(lrn_input(m, LRN_SIDE_HIDDEN, x, v, rows));
  return lrn_label_up(m, x, y, rows);
}

int lrn_check_labels(const lrn_rbm *m, const lrn_tensor *labels, int64_t rows, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (labels == NULL)
    return LRN_OK;
  if (m->options.n_classes == 0)
    return lrn_fail(LRN_EARG, "%s: labels: the model has none (n_classes is 0)", f);
  if (labels->view.nd != 1 || labels->view.size[0] != rows || labels->view.dtype != LRN_I64 ||
      !lrn_tensor_is_contiguous(labels) || labels->storage->device != m->options.device)
    return lrn_fail(LRN_ETYPE, "%s: labels: got %s, expected a contiguous int64 vector of %lld on %s",
                    f, lrn_tensor_text(text, labels), (long long)rows, m->options.device->name);
  return LRN_OK;
}

int lrn_check_drawn_labels(const lrn_rbm *m, const lrn_tensor *labels, int64_t n, const char *f) {
  char text[LRN_SHAPE_MAX];
  if (m->options.n_classes == 0)
    return lrn_fail(LRN_EARG, "%s: labels: the model has none (n_classes is 0)", f);
  if (lrn_tensor_numel(labels) != n || labels->view.dtype != LRN_I64 || !lrn_tensor_is_contiguous(labels) ||
      labels->storage->device != m->options.device)
    return lrn_fail(LRN_ETYPE, "%s: labels: got %s, expected a contiguous int64 tensor of %lld on %s", f,
                    lrn_tensor_text(text, labels), (long long)n, m->options.device->name);
  return lrn_check_writable(labels, f);
}

int lrn_label_input(const lrn_rbm *m, void *u, const void *h, int64_t rows) {
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  return m->options.device->backend.gemm(m->options.dtype, 0, 1, rows, C, H, 1, h, H,
                                         m->parameter[LRN_PARAMETER_U]->view.data, H, 0, u, C);
}

int lrn_label_states(const lrn_rbm *m, const void *u, int64_t rows, void *mean, void *state, lrn_key key) {
  return softmax(m, u, m->parameter[LRN_PARAMETER_C]->view.data, m->options.temperature, rows, mean,
                 state, key);
}

int lrn_label_down(const lrn_rbm *m, void *mean, void *state, const void *h, int64_t rows,
                   lrn_key key) {
  void *u = mean != NULL ? mean : state;
  if (m->options.n_classes == 0)
    return LRN_OK;
  LRN_TRY(lrn_label_input(m, u, h, rows));
  return lrn_label_states(m, u, rows, mean, state, key);
}

/* The sums s_y of n rows of x = v W into LRN_LABEL_SCORE, and b + U into LRN_LABEL_BIAS. */
static int sums_of_classes(const lrn_rbm *m, lrn_work *w, const void *x, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  lrn_layer hidden = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  int64_t C = m->options.n_classes, H = hidden.units;
  lrn_view bias = w->label[LRN_LABEL_BIAS]->view;
  lrn_view U = m->parameter[LRN_PARAMETER_U]->view, own = repeated_row(w->dtype, hidden.bias, C, H);
  lrn_view in = lrn_rows_view(w->dtype, x, n, H), t = in;
  lrn_view s = buffer_rows(w, LRN_LABEL_SCORE, n);
  lrn_view c = repeated_row(w->dtype, m->parameter[LRN_PARAMETER_C]->view.data, n, C);
  t.data = w->spare->view.data;
  LRN_TRY(map2(w, LRN_OP_add, &bias, &U, &own));
  for (int64_t k = 0; k < C; k++) {
    lrn_view row = repeated_row(w->dtype, lrn_row(w->label[LRN_LABEL_BIAS], k), n, H);
    lrn_view out = class_column(w, LRN_LABEL_SCORE, k, n, 1);
    out.nd = 1;
    LRN_TRY(map2(w, LRN_OP_add, &t, &in, &row));
    LRN_TRY(lrn_map_units(m, LRN_SIDE_HIDDEN, LRN_UNIT_CUMULANT, t.data, t.data, n));
    LRN_TRY(b->reduce(LRN_RED_sum, &out, &t, NULL, 1, 1));
  }
  return map2(w, LRN_OP_add, &s, &s, &c);
}

/* T log sum_y exp(s_y / T) of n rows of s, into w->scratch (of the model's dtype). */
static int log_sums(const lrn_rbm *m, lrn_work *w, const void *s, int64_t n) {
  int64_t C = m->options.n_classes;
  lrn_view A = buffer_rows(w, LRN_LABEL_WEIGHT, n);
  lrn_unit_map_args map = {.unit = LRN_UNIT_SOFTMAX, .part = LRN_UNIT_CUMULANT, .dtype = w->dtype,
                           .temperature = m->options.temperature, .n = n * C, .categories = C,
                           .out = A.data, .x = s};
  LRN_TRY(w->device->backend.unit_map(&map));
  return sum_of_rows(w, w->scratch->view.data, &A);
}

int lrn_label_scores(const lrn_rbm *m, lrn_work *w, const void *x, int64_t n) {
  lrn_view s = buffer_rows(w, LRN_LABEL_SCORE, n);
  lrn_view A = repeated_column(w->dtype, w->scratch->view.data, n, m->options.n_classes, 1);
  LRN_TRY(sums_of_classes(m, w, x, n));
  LRN_TRY(log_sums(m, w, s.data, n));
  LRN_TRY(map2(w, LRN_OP_sub, &s, &s, &A));
  if (m->options.temperature != 1)
    LRN_TRY(map_number(w, LRN_OP_div, &s, &s, m->options.temperature));
  return softmax(m, s.data, NULL, 1, n, w->label[LRN_LABEL_P]->view.data, NULL, (lrn_key){0});
}

int lrn_label_cumulant(const lrn_rbm *m, lrn_work *w, int side, const void *x, int64_t n) {
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  void *s = w->label[LRN_LABEL_SCORE]->view.data;
  lrn_view sv = buffer_rows(w, LRN_LABEL_SCORE, n);
  lrn_view c = repeated_row(w->dtype, m->parameter[LRN_PARAMETER_C]->view.data, n, C);
  if (side == LRN_SIDE_VISIBLE) {
    LRN_TRY(sums_of_classes(m, w, x, n));
    return log_sums(m, w, s, n);
  }
  LRN_TRY(w->device->backend.gemm(w->dtype, 0, 1, n, C, H, 1, x, H,
                                  m->parameter[LRN_PARAMETER_U]->view.data, H, 0, s, C));
  LRN_TRY(map2(w, LRN_OP_add, &sv, &sv, &c));
  return log_sums(m, w, s, n);
}

static int hidden_means(const lrn_rbm *m, void *mean, const void *x, const void *bias, int64_t n) {
  lrn_layer l = lrn_layer_of(m, LRN_SIDE_HIDDEN);
  lrn_unit_args args = {.unit = l.unit, .dtype = m->options.dtype,
                        .temperature = m->options.temperature, .rows = n, .units = l.units,
                        .categories = l.categories, .x = x, .bias = bias, .mean = mean,
                        .mean_scale = 1};
  return m->options.device->backend.unit(&args);
}

/* out (n x H) = sum_y weight_y S_y, the weights in buffer i; x = v W lies outside of out. gU (C x H),
   where wanted, = sum over rows of weight_y S_y / divisor. After lrn_label_scores. */
static int mixture(const lrn_rbm *m, lrn_work *w, void *out, const lrn_tensor *gU, double divisor,
                   int i, const void *x, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  lrn_view sum = lrn_rows_view(w->dtype, out, n, H), S = sum;
  S.data = w->spare->view.data;
  for (int64_t k = 0; k < C; k++) {
    lrn_view weight = class_column(w, i, k, n, H);
    LRN_TRY(hidden_means(m, S.data, x, lrn_row(w->label[LRN_LABEL_BIAS], k), n));
    if (gU != NULL)
      LRN_TRY(b->gemm(w->dtype, 1, 0, 1, H, n, 1 / divisor, weight.data, C, S.data, H, 0,
                      lrn_row(gU, k), H));
    LRN_TRY(map2(w, LRN_OP_mul, k == 0 ? &sum : &S, &S, &weight));
    if (k > 0)
      LRN_TRY(map2(w, LRN_OP_add, &sum, &sum, &S));
  }
  return LRN_OK;
}

int lrn_label_draw(const lrn_rbm *m, const lrn_work *w, void *y, int64_t n, lrn_key key) {
  return softmax(m, w->label[LRN_LABEL_SCORE]->view.data, NULL, 1, n, NULL, y, key);
}

int lrn_label_hidden(const lrn_rbm *m, lrn_work *w, void *x, int64_t n, void *mean, void *state,
                     lrn_key key) {
  lrn_view mix = lrn_rows_view(w->dtype, w->label[LRN_LABEL_MIX]->view.data, n, m->options.n_hidden);
  lrn_view out = mix;
  out.data = mean;
  LRN_TRY(lrn_label_scores(m, w, x, n));
  if (mean != NULL)
    LRN_TRY(mixture(m, w, mix.data, NULL, 1, LRN_LABEL_P, x, n));
  if (state != NULL) {
    void *y = lrn_label_row(w, 0);
    LRN_TRY(lrn_label_draw(m, w, y, n, key));
    LRN_TRY(lrn_label_up(m, x, y, n));
    LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, x, n, NULL, state, key, NULL));
  }
  return mean != NULL ? lrn_copy_views(w->device, &out, &mix) : LRN_OK;
}

int lrn_label_numbers(const lrn_rbm *m, const lrn_work *w, int64_t *out, const void *y, int64_t n,
                      int64_t base) {
  lrn_view numbers = lrn_flat_view(LRN_I64, out, n);
  lrn_view rows = lrn_rows_view(w->dtype, y, n, m->options.n_classes);
  return w->device->backend.argextreme(1, &numbers, &rows, 1, base);
}

/* {=== Training === */

double lrn_generative(const lrn_rbm *m) {
  return m->options.n_classes > 0 ? m->options.alpha : 1;
}

int lrn_load_labels(const lrn_rbm *m, lrn_work *w, const lrn_batch *b, const char *f) {
  const lrn_backend *back = &w->device->backend;
  int64_t n = b->count, C = m->options.n_classes;
  lrn_view number, classes, hot, y, from;
  lrn_operand in[2] = {{.is_scalar = 1}};
  if (C == 0)
    return LRN_OK;
  y = lrn_rows_view(w->dtype, lrn_label_row(w, 0), n, C);
  if (b->labels == NULL)
    return back->map(LRN_OP_COPY, w->dtype, &y, in, 1);
  number = buffer_rows(w, LRN_LABEL_NUMBER, n);
  from = b->labels->view;
  if (b->idx != NULL) {
    lrn_view idx = b->idx->view;
    idx.data = (int64_t *)idx.data + b->first;
    idx.size[0] = n;
    LRN_TRY(back->gather(&number, &from, &idx, 0, b->base));
    from = number;
  } else {
    from.data = (int64_t *)from.data + b->first;
    from.size[0] = n;
  }
  in[0] = (lrn_operand){.view = from};
  in[1] = (lrn_operand){.is_scalar = 1, .i = b->base};
  LRN_TRY(back->map(LRN_OP_sub, LRN_I64, &number, in, 2));
  if (back->host_memory)
    for (int64_t r = 0; r < n; r++) {
      int64_t k = ((const int64_t *)number.data)[r];
      if (k < -1 || k >= C)
        return lrn_fail(LRN_EVALUE, "%s: labels: row %lld of the batch: got %lld, expected %lld to "
                        "%lld, or %lld for none", f, (long long)(r + 1), (long long)(k + b->base),
                        (long long)b->base, (long long)(C - 1 + b->base), (long long)(b->base - 1));
    }
  number = repeated_column(LRN_I64, number.data, n, C, 1);
  classes = repeated_row(LRN_I64, w->label[LRN_LABEL_CLASSES]->view.data, n, C);
  hot = buffer_rows(w, LRN_LABEL_HOT, n);
  in[0] = (lrn_operand){.view = number};
  in[1] = (lrn_operand){.view = classes};
  LRN_TRY(back->map(LRN_OP_eq, LRN_I64, &hot, in, 2));
  in[0] = (lrn_operand){.view = hot};
  return back->map(LRN_OP_COPY, w->dtype, &y, in, 1);
}

/* sums[at] += the sum of n values, which are doubles in w->scratch */
static int add_up(const lrn_work *w, int at, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  double *sums = w->sums->view.data, *values = w->scratch->view.data;
  lrn_view x = lrn_flat_view(LRN_F64, values, n), sum = {.data = sums + at, .dtype = LRN_F64};
  lrn_view total = {.data = w->sum->view.data, .dtype = LRN_F64};
  lrn_operand in[2] = {{.view = sum}, {.view = total}};
  LRN_TRY(b->reduce(LRN_RED_sum, &total, &x, NULL, 0, 1));
  return b->map(LRN_OP_add, LRN_F64, &sum, in, 2);
}

static int to_doubles(const lrn_work *w, const lrn_view *from) {
  lrn_view x = lrn_flat_view(LRN_F64, w->scratch->view.data, from->size[0]);
  lrn_operand in = {.view = *from};
  return w->device->backend.map(LRN_OP_COPY, LRN_F64, &x, &in, 1);
}

/* -log P(label | v), hits and labels of the n rows, added to the epoch's sums. The rows of the buffer
   weight are free. */
static int add_metrics(const lrn_rbm *m, lrn_work *w, int64_t n) {
  const lrn_backend *b = &w->device->backend;
  int64_t C = m->options.n_classes;
  lrn_view y = buffer_rows(w, LRN_LABEL_Y, n), p = buffer_rows(w, LRN_LABEL_P, n);
  lrn_view number = buffer_rows(w, LRN_LABEL_NUMBER, n);
  lrn_view value = lrn_flat_view(w->dtype, w->label[LRN_LABEL_WEIGHT]->view.data, n);
  lrn_view best = repeated_column(LRN_I64, number.data, n, C, 1);
  lrn_view classes = repeated_row(LRN_I64, w->label[LRN_LABEL_CLASSES]->view.data, n, C);
  lrn_view hot = buffer_rows(w, LRN_LABEL_HOT, n), weight = buffer_rows(w, LRN_LABEL_WEIGHT, n);
  lrn_view s = buffer_rows(w, LRN_LABEL_SCORE, n);
  lrn_operand in[2];
  LRN_TRY(b->reduce(LRN_RED_dot, &value, &s, &y, 1, -1));
  LRN_TRY(to_doubles(w, &value));
  LRN_TRY(add_up(w, LRN_SUM_LOSS, n));
  LRN_TRY(b->reduce(LRN_RED_sum, &value, &y, NULL, 1, 1));
  LRN_TRY(to_doubles(w, &value));
  LRN_TRY(add_up(w, LRN_SUM_LABELLED, n));
  LRN_TRY(lrn_label_numbers(m, w, number.data, p.data, n, 0));
  in[0] = (lrn_operand){.view = best};
  in[1] = (lrn_operand){.view = classes};
  LRN_TRY(b->map(LRN_OP_eq, LRN_I64, &hot, in, 2));
  in[0] = (lrn_operand){.view = hot};
  LRN_TRY(b->map(LRN_OP_COPY, w->dtype, &weight, in, 1));
  /* a value for each row, beside the weights it comes from */
  value.data = w->label[LRN_LABEL_MIX]->view.data;
  LRN_TRY(b->reduce(LRN_RED_dot, &value, &weight, &y, 1, 1));
  LRN_TRY(to_doubles(w, &value));
  return add_up(w, LRN_SUM_HITS, n);
}

int lrn_label_positive(const lrn_rbm *m, lrn_work *w, int64_t n, void *h, int metrics, int aids) {
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  double alpha = m->options.alpha;
  void *x = w->q->view.data, *next = lrn_row(w->q, n);
  lrn_view y = buffer_rows(w, LRN_LABEL_Y, n), p = buffer_rows(w, LRN_LABEL_P, n);
  lrn_view weight = buffer_rows(w, LRN_LABEL_WEIGHT, n);
  lrn_view q = lrn_rows_view(w->dtype, x, n, H), mixed = lrn_rows_view(w->dtype, next, n, H);
  lrn_view missing = lrn_flat_view(w->dtype, w->scratch->view.data, n);
  lrn_view unlabelled = repeated_column(w->dtype, missing.data, n, C, 1);
  lrn_key key = lrn_key_of(m, w->state.step, LRN_STREAM_HIDDEN, 0, 0);
  LRN_TRY(lrn_label_scores(m, w, x, n));
  if (metrics)
    LRN_TRY(add_metrics(m, w, n));
  /* 1 for a row without a label: y is 0 there */
  LRN_TRY(sum_of_rows(w, missing.data, &y));
  LRN_TRY(map_number(w, LRN_OP_sub, &missing, &missing, 1));
  LRN_TRY(w->device->backend.map(LRN_OP_neg, w->dtype, &missing, &(lrn_operand){.view = missing}, 1));
  LRN_TRY(map2(w, LRN_OP_mul, &weight, &p, &unlabelled));
  LRN_TRY(map2(w, LRN_OP_add, &weight, &weight, &y));
  if (aids)
    LRN_TRY(mixture(m, w, w->label[LRN_LABEL_MIX]->view.data, NULL, 1, LRN_LABEL_WEIGHT, x, n));
  LRN_TRY(map_number(w, LRN_OP_mul, &weight, &weight, 1 + alpha));
  LRN_TRY(map2(w, LRN_OP_sub, &weight, &weight, &p));
  if (w->weighed > 0) {
    lrn_view of_row = repeated_column(w->dtype, w->weight->view.data, n, C, 1);
    LRN_TRY(map2(w, LRN_OP_mul, &weight, &weight, &of_row));
  }
  LRN_TRY(mixture(m, w, next, w->g[LRN_PARAMETER_U], -(double)n, LRN_LABEL_WEIGHT, x, n));
  LRN_TRY(lrn_column_means(m, w->g[LRN_PARAMETER_C], weight.data, n, -(double)n));
  if (h != NULL) { /* a label is drawn where there is none */
    LRN_TRY(lrn_label_draw(m, w, p.data, n, key));
    LRN_TRY(map2(w, LRN_OP_mul, &p, &p, &unlabelled));
    LRN_TRY(map2(w, LRN_OP_add, &y, &y, &p));
    LRN_TRY(lrn_label_up(m, x, y.data, n));
    LRN_TRY(lrn_activate(m, LRN_SIDE_HIDDEN, x, n, NULL, h, key, NULL));
  }
  return lrn_copy_views(w->device, &q, &mixed);
}

int lrn_label_negative(const lrn_rbm *m, lrn_work *w, int64_t n, int64_t rows) {
  int64_t C = m->options.n_classes, H = m->options.n_hidden;
  void *y = lrn_label_row(w, n);
  lrn_tensor *gc = w->g[LRN_PARAMETER_C], later;
  if (C == 0 || rows == 0)
    return LRN_OK;
  later = *gc;
  later.view.data = w->label[LRN_LABEL_WEIGHT]->view.data;
  LRN_TRY(m->options.device->backend.gemm(m->options.dtype, 1, 0, C, H, rows, -1.0 / (double)n, y, C,
                                          lrn_row(w->q, n), H, 1,
                                          w->g[LRN_PARAMETER_U]->view.data, H));
  if (w->weighed > 0)
    return lrn_weighted_sum(w, &gc->view, y, n, rows, m->options.alpha / (double)rows, 1);
  LRN_TRY(lrn_column_means(m, &later, y, rows, (double)rows / m->options.alpha));
  return map2(w, LRN_OP_add, &gc->view, &gc->view, &later.view);
}

/* ===} */
