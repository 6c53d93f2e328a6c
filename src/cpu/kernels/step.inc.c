/*
** step.inc.c - what a training step does beside its matrix products, for one float type:
** units (bias, mean, sample, metrics in one pass), rows of a batch, the change of free energy
** by a flipped unit or by a rung of annealing, and the update.
**
** Included with T, M(f) as in kernel/ops.h, NAME(f), the sums of reduce.inc.c and group.inc.c.
*/

#define UNIT(ENUM, name, scaling, noise, self_, cumulant_, mean_, sample_, help)               \
  static void NAME(unit_##name)(int64_t n, const T *xs, const T *us, T hs, T *means, T *states) { \
    if (states != NULL && means != NULL)                                                       \
      for (int64_t i = 0; i < n; i++) {                                                        \
        const T x = xs[i], u = us[i], z = u;                                                   \
        (void)u, (void)z;                                                                      \
        means[i] = hs * (mean_);                                                               \
        states[i] = hs * (sample_);                                                            \
      }                                                                                        \
    else if (means != NULL)                                                                    \
      for (int64_t i = 0; i < n; i++) {                                                        \
        const T x = xs[i];                                                                     \
        means[i] = hs * (mean_);                                                               \
      }                                                                                        \
    else                                                                                       \
      for (int64_t i = 0; i < n; i++) {                                                        \
        const T x = xs[i], u = us[i], z = u;                                                   \
        (void)u, (void)z;                                                                      \
        states[i] = hs * (sample_);                                                            \
      }                                                                                        \
  }
#include "kernel/unit.def"
#undef UNIT

/* state = mean + gain (state - mean), n elements from e on */
static void NAME(dampen)(const lrn_unit_args *a, int64_t e, int64_t n, const T *mean, T *state) {
  const T *gain = a->gain;
  for (int64_t i = 0; i < n;) { /* runs within one row */
    int64_t at = (e + i) % a->units, m = a->units - at < n - i ? a->units - at : n - i;
    for (int64_t k = 0; k < m; k++)
      state[i + k] = mean[i + k] + gain[at + k] * (state[i + k] - mean[i + k]);
    i += m;
  }
}

static void NAME(unit_rows)(const lrn_unit_args *a, const NAME(source) *source, T hs, int64_t begin,
                            int64_t end, lrn_lanes lanes[2]) {
  T x[PIECE], noise[PIECE], mean[PIECE], state[PIECE];
  const int kind = lrn_unit_noise(a->unit), want_state = a->state != NULL;
  const int want_mean = a->mean != NULL || a->target != NULL || a->gain != NULL;
  for (int64_t e = begin; e < end; e += PIECE) {
    int64_t n = end - e < PIECE ? end - e : PIECE;
    NAME(inputs)(source, e, n, x);
    if (want_state) {
      uint64_t first = a->key.first + (uint64_t)e;
      if (kind == LRN_NOISE_NORMAL)
        NAME(lrn_normals)(&a->key, first, n, noise);
      else
        NAME(lrn_uniforms)(&a->key, first, n, noise);
      if (kind == LRN_NOISE_UNIFORM_OPEN)
        for (int64_t i = 0; i < n; i++)
          noise[i] += (T)0x1p-25;
    }
    switch (a->unit) {
#define UNIT(ENUM, name, scaling, noise_, self_, cumulant_, mean_, sample_, help)             \
  case LRN_UNIT_##ENUM:                                                                       \
    NAME(unit_##name)(n, x, noise, hs, want_mean ? mean : NULL, want_state ? state : NULL);   \
    break;
#include "kernel/unit.def"
#undef UNIT
    }
    if (a->gain != NULL && want_state)
      NAME(dampen)(a, e, n, mean, state);
    NAME(leave_out_units)(a, e, n, want_mean ? mean : NULL, want_state ? state : NULL);
    NAME(results)(a, e, n, 0, mean, state, lanes);
  }
}

static void NAME(draw_units)(const lrn_unit_args *a, const NAME(source) *source, T hs, int64_t begin,
                             int64_t end, lrn_lanes lanes[2]) {
  if (lrn_unit_in_groups(a->unit))
    NAME(unit_groups)(a, source, begin, end, lanes);
  else
    NAME(unit_rows)(a, source, hs, begin, end, lanes);
}

void NAME(lrn_unit)(const lrn_unit_args *a, int64_t begin, int64_t end, lrn_partial sums[2]) {
  lrn_lanes lanes[2] = {{{0}, {0}}, {{0}, {0}}};
  NAME(source) source = {.x = a->x, .bias = a->bias, .units = a->units};
  double xs, hs;
  lrn_unit_scale(a->unit, a->temperature, &xs, &hs);
  source.xs = (T)xs;
  NAME(draw_units)(a, &source, (T)hs, begin, end, lanes);
  NAME(metrics)(a, lanes, sums);
}

/* One loop a row and part: a switch inside of the loop would not vectorise. */
#define LOOP(expr)                          \
  for (int64_t i = 0; i < n; i++) {         \
    const T x = p[i] * xs, s = p[i];        \
    (void)x, (void)s;                       \
    o[i] = (expr);                          \
  }                                         \
  break;
static void NAME(map_rows)(int unit, int part, int64_t n, T *o, const T *p, T xs, T hs,
                           double temperature) {
  const T t = (T)temperature, shift = (T)lrn_unit_shift(unit, temperature);
  if (part == LRN_UNIT_NEAREST)
    xs = 1; /* x itself, not what it gives */
  switch (LRN_UNIT_PARTS * unit + part) {
#define UNIT(ENUM, name, scaling, noise, self_, cumulant_, mean_, sample_, help)             \
  case LRN_UNIT_PARTS * LRN_UNIT_##ENUM + LRN_UNIT_SELF: LOOP(self_)                         \
  case LRN_UNIT_PARTS * LRN_UNIT_##ENUM + LRN_UNIT_CUMULANT: LOOP(t * ((cumulant_) + shift)) \
  case LRN_UNIT_PARTS * LRN_UNIT_##ENUM + LRN_UNIT_MEAN: LOOP(hs * (mean_))
#define STATES(ENUM, low, high, nearest) \
  case LRN_UNIT_PARTS * LRN_UNIT_##ENUM + LRN_UNIT_NEAREST: LOOP(nearest)
#include "kernel/unit.def"
#undef UNIT
#undef STATES
  }
}
#undef LOOP

void NAME(lrn_unit_map)(const lrn_unit_map_args *a, int64_t begin, int64_t end) {
  NAME(source) source = {.x = a->x, .units = a->n};
  double xs, hs;
  lrn_unit_scale(a->unit, a->temperature, &xs, &hs);
  source.xs = (T)xs;
  if (lrn_unit_in_groups(a->unit))
    NAME(map_groups)(a, &source, begin, end);
  else
    NAME(map_rows)(a->unit, a->part, end - begin, (T *)a->out + begin, source.x + begin, source.xs,
                   (T)hs, a->temperature);
}

/* Of a row of values in groups of K: NaN becomes 0, and absent says so. */
static void NAME(note_absent)(int64_t n, int64_t K, T *o, T *absent) {
  for (int64_t i = 0; i < n; i += K) {
    int whole = 1;
    for (int64_t k = i; k < i + K; k++)
      whole &= o[k] != o[k];
    for (int64_t k = i; k < i + K; k++) {
      absent[k] = (T)whole;
      o[k] = whole ? 0 : o[k];
    }
  }
}

/* uint8 means value / 255 */
#define LOAD(TF, expr)                          \
  {                                             \
    const TF *p = data;                         \
    for (int64_t i = 0; i < n; i++)             \
      o[i] = (expr);                            \
    break;                                      \
  }
int64_t NAME(lrn_load)(const lrn_load_args *a, const void *data, void *out, void *absent) {
  const T *shift = a->shift, *scale = a->scale;
  const int64_t n = a->units;
  T *o = out;
  switch (a->data_dtype) {
    case LRN_F32: LOAD(float, (T)p[i])
    case LRN_F64: LOAD(double, (T)p[i])
    case LRN_I64: LOAD(int64_t, (T)p[i])
    case LRN_I32: LOAD(int32_t, (T)p[i])
    case LRN_U8: LOAD(uint8_t, (T)p[i] / (T)255)
    case LRN_BOOL: LOAD(uint8_t, (T)(p[i] != 0))
  }
  if (absent != NULL)
    NAME(note_absent)(n, a->categories, o, absent);
  if (a->data_dtype == LRN_F32 || a->data_dtype == LRN_F64) {
    int bad = 0;
    for (int64_t i = 0; i < n; i++)
      bad |= !(o[i] - o[i] == 0);
    if (bad)
      for (int64_t i = 0; i < n; i++)
        if (!(o[i] - o[i] == 0))
          return i;
  }
  if (a->round)
    for (int64_t i = 0; i < n; i++)
      o[i] = M(round)(o[i]);
  if (scale != NULL)
    for (int64_t i = 0; i < n; i++)
      o[i] = (o[i] - shift[i]) * scale[i];
  if (absent != NULL && scale != NULL)
    NAME(leave_out)(absent, n, o);
  return -1;
}
#undef LOAD

/* The hidden layer, as its cumulants need it. */
typedef struct cells {
  int unit;
  int64_t units, categories;
  double temperature;
} cells;

/* Cumulants of the hidden units, or groups, [c, c + n) */
static void NAME(cumulants)(const cells *h, const NAME(source) *s, int64_t c, int64_t n, T *out) {
  double xs, hs;
  if (lrn_unit_in_groups(h->unit)) {
    NAME(group_cumulants)(s, h->categories, c, n, out, h->temperature);
    return;
  }
  lrn_unit_scale(h->unit, h->temperature, &xs, &hs);
  NAME(inputs)(s, c, n, out);
  NAME(map_rows)(h->unit, LRN_UNIT_CUMULANT, n, out, out, (T)xs, (T)hs, h->temperature);
}

/* beta times the hidden inputs of a row, with bias. */
static NAME(source) NAME(hidden_inputs)(const cells *h, const void *x, const void *bias, int64_t row,
                                        double beta) {
  NAME(source) s = {.x = (const T *)x + row * h->units, .bias = bias, .units = h->units,
                    .xs = (T)beta};
  if (lrn_unit_in_groups(h->unit)) { /* others are scaled by map_rows */
    double xs, hs;
    lrn_unit_scale(h->unit, h->temperature, &xs, &hs);
    s.xs = (T)(beta * xs);
  }
  return s;
}

/* sum_j A(x_j) over the hidden units; less those of other inputs, where they are given. */
static double NAME(cumulant_sum)(const cells *h, const NAME(source) *x, const NAME(source) *less) {
  const int64_t count = h->units / h->categories;
  T A[PIECE], B[PIECE];
  lrn_tree tree = {.compensated = sizeof(T) == sizeof(double)};
  for (int64_t begin = 0; begin < count; begin += LRN_BLOCK) {
    int64_t end = begin + LRN_BLOCK < count ? begin + LRN_BLOCK : count;
    lrn_lanes lanes = {{0}, {0}};
    for (int64_t j = begin; j < end; j += PIECE) {
      int64_t n = end - j < PIECE ? end - j : PIECE;
      NAME(cumulants)(h, x, j, n, A);
      if (less != NULL) {
        NAME(cumulants)(h, less, j, n, B);
        NAME(lanes_diff)(n, A, B, lanes.s, lanes.c);
      } else
        NAME(lanes_sum)(n, A, NULL, lanes.s, lanes.c);
    }
    lrn_tree_push(&tree, NAME(lane_tree)(lanes.s, lanes.c));
  }
  return lrn_partial_value(lrn_tree_total(&tree));
}

/* A unit of the row, the first one of a group, drawn from the *count units or groups that it has. */
static int64_t NAME(flipped)(const lrn_flip_args *f, int64_t row, uint32_t word, int64_t *count) {
  const int64_t K = f->categories, V = f->n_visible;
  const T *absent = f->absent;
  int64_t here = 0, left, i = 0;
  if (absent == NULL) {
    *count = V / K;
    return (int64_t)((uint64_t)word * (uint64_t)*count >> 32) * K;
  }
  absent += row * V;
  for (int64_t k = 0; k < V; k += K)
    here += absent[k] == 0;
  left = (int64_t)((uint64_t)word * (uint64_t)here >> 32);
  for (; i < V - K; i += K)
    if (absent[i] == 0 && left-- == 0)
      break;
  *count = here;
  return i;
}

/* G log P(v_g | the other groups) of one row, where group g is drawn: G (y_c - log sum_k exp y_k), c the
   category that it is in, T y_k = a_k + sum_j A(x_j + W_kj - W_cj). */
static double NAME(flip_group)(const lrn_flip_args *f, const cells *h, int64_t row, int64_t first,
                               int64_t groups) {
  const int64_t K = f->categories, H = f->n_hidden;
  const T *v = (const T *)f->v + row * f->n_visible + first, *a = (const T *)f->a + first;
  NAME(source) x = NAME(hidden_inputs)(h, f->x, f->b, row, 1);
  double top = 0, sum = 0, own = 0;
  int64_t c = 0;
  while (c < K - 1 && v[c] == 0)
    c++;
  x.dw = (T)f->scale;
  x.w0 = (const T *)f->W + (first + c) * H;
  for (int64_t k = 0; k < K; k++) {
    double y;
    x.w = (const T *)f->W + (first + k) * H;
    y = ((double)a[k] + NAME(cumulant_sum)(h, &x, NULL)) / f->temperature;
    lrn_group_join(&top, &sum, y);
    own = k == c ? y : own;
  }
  return (double)groups * ((own - top) - lrn_log(sum));
}

/* V log sigmoid((F(flip_i v) - F(v)) / T) of one row, where unit i is drawn and
   F(flip) - F(v) = -a_i d - sum_j [A(x_j + d W_ij) - A(x_j)], d = low + high - 2 v_i. */
static double NAME(flip_unit)(const lrn_flip_args *f, const cells *h, int64_t row, int64_t i,
                              int64_t units) {
  const T d = (T)f->both - (T)2 * ((const T *)f->v)[row * f->n_visible + i];
  NAME(source) before = NAME(hidden_inputs)(h, f->x, f->b, row, 1), after = before;
  double change;
  after.dw = d * (T)f->scale;
  after.w = (const T *)f->W + i * f->n_hidden;
  change = -(double)((const T *)f->a)[i] * (double)d - NAME(cumulant_sum)(h, &after, &before);
  return (double)units * lrn_logsigmoid(change / f->temperature);
}

double NAME(lrn_flip)(const lrn_flip_args *f, int64_t row) {
  const lrn_draw draw = lrn_draw_of(f->key.seed, f->key.step, f->key.stream, f->key.draw);
  const uint32_t word = lrn_word_at(draw, f->key.first + (uint64_t)row);
  const cells h = {f->hidden, f->n_hidden, f->hidden_categories, f->temperature};
  int64_t count;
  const int64_t at = NAME(flipped)(f, row, word, &count);
  if (count == 0)
    return 0;
  return f->categories > 1 ? NAME(flip_group)(f, &h, row, at, count)
                           : NAME(flip_unit)(f, &h, row, at, count);
}

static double NAME(dot)(int64_t n, const T *x, const T *y) {
  lrn_tree tree = {.compensated = sizeof(T) == sizeof(double)};
  for (int64_t i = 0; i < n; i += LRN_BLOCK)
    lrn_tree_push(&tree,
                  NAME(lrn_block)(LRN_RED_dot, n - i < LRN_BLOCK ? n - i : LRN_BLOCK, x + i, y + i));
  return lrn_partial_value(lrn_tree_total(&tree));
}

/* One row: its inputs are read once for both betas and the draw, and stay in the first-level cache. */
void NAME(lrn_rung)(const lrn_rung_args *a, int64_t row) {
  const cells h = {a->unit, a->units, a->categories, a->temperature};
  NAME(source) to = NAME(hidden_inputs)(&h, a->x, a->bias, row, a->to);
  NAME(source) from = NAME(hidden_inputs)(&h, a->x, a->bias, row, a->from);
  double linear = 0, xs, hs;
  for (int i = 0; i < 2; i++)
    if (a->linear[i].s != NULL)
      linear += NAME(dot)(a->linear[i].units, (const T *)a->linear[i].s + row * a->linear[i].units,
                          a->linear[i].row);
  a->log_w[row] +=
    ((a->to - a->from) * linear + NAME(cumulant_sum)(&h, &to, &from)) / a->temperature;
  if (a->state == NULL)
    return;
  lrn_unit_scale(a->unit, a->temperature, &xs, &hs);
  to.x = a->x;
  to.xs = (T)(a->to * xs);
  NAME(draw_units)(&(lrn_unit_args){.unit = a->unit, .dtype = a->dtype, .temperature = a->temperature,
                                    .rows = a->rows, .units = a->units, .categories = a->categories,
                                    .mean_scale = 1, .state = a->state, .key = a->key},
                   &to, (T)hs, row * a->units, (row + 1) * a->units, NULL);
}

/* c = min(1, clip / |g|) */
static T NAME(clip_factor)(const lrn_update_args *u) {
  const T clip = (T)u->clip, norm = u->norm2 != NULL ? SQRT(*(const T *)u->norm2) : 0;
  return norm > clip ? clip / norm : 1;
}

#define SLOPE ((c * g[i] + decay * theta[i]) + l1 * (T)((theta[i] > 0) - (theta[i] < 0)))

static int NAME(update_sgd)(const lrn_update_args *u, int64_t begin, int64_t end) {
  T *theta = u->theta, *m = u->m;
  const T *g = u->g;
  const T rate = (T)u->rate, momentum = (T)u->momentum, decay = (T)u->decay, l1 = (T)u->l1;
  const T c = NAME(clip_factor)(u);
  int bad = 0;
  _Pragma("GCC ivdep") for (int64_t i = begin; i < end; i++) {
    const T step = momentum * m[i] + SLOPE;
    const T next = theta[i] - rate * step;
    m[i] = step;
    theta[i] = next;
    bad |= !(next - next == 0);
  }
  return bad;
}

static int NAME(update_adam)(const lrn_update_args *u, int64_t begin, int64_t end) {
  T *theta = u->theta, *m = u->m, *s = u->s;
  const T *g = u->g;
  const T rate = (T)u->rate, decay = (T)u->decay, l1 = (T)u->l1, epsilon = (T)u->epsilon;
  const T beta1 = (T)u->beta1, beta2 = (T)u->beta2;
  const T rest1 = (T)(1 - u->beta1), rest2 = (T)(1 - u->beta2);
  const T c = NAME(clip_factor)(u);
  int bad = 0;
  _Pragma("GCC ivdep") for (int64_t i = begin; i < end; i++) {
    const T slope = SLOPE;
    const T first = beta1 * m[i] + rest1 * slope;
    const T second = beta2 * s[i] + rest2 * (slope * slope);
    const T next = theta[i] - rate * first / (SQRT(second) + epsilon);
    m[i] = first;
    s[i] = second;
    theta[i] = next;
    bad |= !(next - next == 0);
  }
  return bad;
}
#undef SLOPE

int NAME(lrn_update)(const lrn_update_args *u, int64_t begin, int64_t end) {
  return u->optimizer == LRN_ADAM ? NAME(update_adam)(u, begin, end)
                                  : NAME(update_sgd)(u, begin, end);
}
