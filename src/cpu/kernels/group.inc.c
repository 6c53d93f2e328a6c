/*
** group.inc.c - units that come in groups (rows GROUP of unit.def), for one float type; and what
** they share with other units: where inputs come from and where results go.
**
** Included with T, M(f), NAME(f) and the sums of reduce.inc.c, before step.inc.c.
**
** Work goes by runs: as many whole groups as fit a piece, or one larger group of several pieces. A
** pass over a run sees pieces of groups that have `size` units each. The weights of a run of one piece
** stay where they are, those of a larger one are computed again when they are needed.
*/

/* In pieces that stay in the first-level cache; a multiple of the 32 lanes of a sum. */
#define PIECE 512

/* Where the inputs (x + bias + dw (w - w0)) xs of a layer come from; bias, w and w0 are rows of
   `units`, NULL for 0. */
typedef struct NAME(source) {
  const T *x, *bias, *w, *w0;
  int64_t units;
  T dw, xs;
} NAME(source);

static void NAME(inputs)(const NAME(source) *s, int64_t e, int64_t n, T *out) {
  int64_t j = e % s->units;
  for (int64_t i = 0; i < n;) { /* runs within one row */
    const int64_t m = s->units - j < n - i ? s->units - j : n - i;
    const T *x = s->x + e + i, *bias = s->bias, *w = s->w, *w0 = s->w0;
    T *o = out + i;
    if (bias == NULL)
      for (int64_t k = 0; k < m; k++)
        o[k] = x[k] * s->xs;
    else if (w == NULL)
      for (int64_t k = 0; k < m; k++)
        o[k] = (x[k] + bias[j + k]) * s->xs;
    else if (w0 == NULL)
      for (int64_t k = 0; k < m; k++)
        o[k] = ((x[k] + bias[j + k]) + s->dw * w[j + k]) * s->xs;
    else
      for (int64_t k = 0; k < m; k++)
        o[k] = ((x[k] + bias[j + k]) + s->dw * (w[j + k] - w0[j + k])) * s->xs;
    i += m;
    j = 0;
  }
}

/* x = 0 where its unit is absent */
static void NAME(leave_out)(const T *absent, int64_t n, T *x) {
  for (int64_t i = 0; i < n; i++)
    x[i] *= (T)1 - absent[i];
}
static void NAME(leave_out_units)(const lrn_unit_args *a, int64_t e, int64_t n, T *mean, T *state) {
  if (a->absent == NULL)
    return;
  if (mean != NULL)
    NAME(leave_out)((const T *)a->absent + e, n, mean);
  if (state != NULL)
    NAME(leave_out)((const T *)a->absent + e, n, state);
}

/* n means and states of elements e on, to where args wants them and into the metrics; `lane` is the
   first one's place in the sums. */
static void NAME(results)(const lrn_unit_args *a, int64_t e, int64_t n, int64_t lane, const T *mean,
                          const T *state, lrn_lanes lanes[2]) {
  const T *target = a->target;
  const T sign = (T)a->mean_scale;
  T *pm = a->mean, *ps = a->state;
  if (target != NULL) {
    const int64_t r = lane % LRN_LANES, m = LRN_LANES - r < n ? LRN_LANES - r : n;
    const T *value[2] = {mean, state};
    for (int i = 0; i < 1 + (ps != NULL); i++) {
      NAME(lanes_sqdiff)(m, target + e, value[i], lanes[i].s + r, lanes[i].c + r);
      NAME(lanes_sqdiff)(n - m, target + e + m, value[i] + m, lanes[i].s, lanes[i].c);
    }
  }
  if (pm != NULL)
    for (int64_t i = 0; i < n; i++)
      pm[e + i] = mean[i] * sign;
  if (ps != NULL)
    memcpy(ps + e, state, (size_t)n * sizeof(T));
}

static void NAME(metrics)(const lrn_unit_args *a, lrn_lanes lanes[2], lrn_partial sums[2]) {
  if (a->target == NULL)
    return;
  sums[0] = NAME(lane_tree)(lanes[0].s, lanes[0].c);
  sums[1] = a->state != NULL ? NAME(lane_tree)(lanes[1].s, lanes[1].c) : sums[0];
}

typedef struct NAME(group) {
  T top;        /* the largest input */
  double sum;   /* of the weights exp(x - top), in the units' order */
  double draw;  /* the state is the first unit at which the sum so far is above this number */
  double below; /* the sum so far */
  int open;     /* 1: no unit was it */
} NAME(group);

/* Groups of a run that begins at most `left` elements before the end of the work. */
static inline int64_t NAME(run)(int64_t K, int64_t left) {
  const int64_t groups = K < PIECE ? PIECE / K : 1;
  return groups * K < left ? groups : left / K;
}

/* Inputs x of whole groups, or of a part of one, become weights. */
static void NAME(weights)(T *x, int64_t n, int64_t size, const NAME(group) *g) {
  T top[PIECE];
  for (int64_t i = 0; i < n; i += size, g++)
    for (int64_t k = 0; k < size; k++)
      top[i + k] = g->top;
  for (int64_t i = 0; i < n; i++)
    x[i] = M(group_weight)(x[i], top[i]);
}

/* Tops and sums of the groups of a run that begins at element e. Leaves the weights in w where n is
   at most PIECE. */
static void NAME(weigh)(const NAME(source) *s, int64_t e, int64_t n, int64_t K, T w[PIECE],
                        NAME(group) *g) {
  for (int64_t at = 0; at < n; at += PIECE) {
    const int64_t m = n - at < PIECE ? n - at : PIECE, size = K < m ? K : m;
    NAME(inputs)(s, e + at, m, w);
    for (int64_t i = 0; i < m / size; i++) {
      const T *x = w + i * size;
      T top = at == 0 ? x[0] : g[i].top;
      for (int64_t k = 0; k < size; k++)
        top = x[k] > top ? x[k] : top;
      g[i].top = top;
    }
  }
  for (int64_t at = 0; at < n; at += PIECE) {
    const int64_t m = n - at < PIECE ? n - at : PIECE, size = K < m ? K : m;
    if (n > PIECE)
      NAME(inputs)(s, e + at, m, w);
    NAME(weights)(w, m, size, g);
    for (int64_t i = 0; i < m / size; i++) {
      double sum = at == 0 ? 0 : g[i].sum;
      for (int64_t k = 0; k < size; k++)
        sum += (double)w[i * size + k];
      g[i].sum = sum;
    }
  }
}

/* The weights of a run's piece at `at` again, where they are not in w any more. */
static void NAME(weigh_again)(const NAME(source) *s, int64_t e, int64_t at, int64_t n, int64_t m,
                              T *w, const NAME(group) *g) {
  if (n <= PIECE)
    return;
  NAME(inputs)(s, e + at, m, w);
  NAME(weights)(w, m, m, g);
}

static void NAME(group_means)(const T *w, int64_t n, int64_t size, const NAME(group) *g, T *mean) {
  for (int64_t i = 0; i < n; i += size, g++)
    for (int64_t k = 0; k < size; k++)
      mean[i + k] = M(group_mean)(w[i + k], g->sum);
}

/* last: the groups end with this piece. A group whose inputs are NaN has its last unit at 1. */
static void NAME(group_states)(const T *w, int64_t n, int64_t size, int last, NAME(group) *g,
                               T *state) {
  for (int64_t i = 0; i < n; i += size, g++)
    for (int64_t k = 0; k < size; k++) {
      int one;
      g->below += (double)w[i + k];
      one = g->open & ((g->draw < g->below) | (last & (k + 1 == size)));
      g->open &= !one;
      state[i + k] = (T)one;
    }
}

static void NAME(unit_groups)(const lrn_unit_args *a, const NAME(source) *s, int64_t begin,
                              int64_t end, lrn_lanes lanes[2]) {
  const int64_t K = a->categories;
  const lrn_draw draw = lrn_draw_of(a->key.seed, a->key.step, a->key.stream, a->key.draw);
  const int want_mean = a->mean != NULL || a->target != NULL, want_state = a->state != NULL;
  T w[PIECE], mean[PIECE], state[PIECE];
  NAME(group) g[PIECE];
  for (int64_t e = begin, n; e < end; e += n) {
    n = K * NAME(run)(K, end - e);
    NAME(weigh)(s, e, n, K, w, g);
    if (want_state)
      for (int64_t i = 0; i < n / K; i++) {
        const uint64_t first = a->key.first + (uint64_t)(e + i * K);
        g[i].draw = lrn_uniform(lrn_word_at(draw, first)) * g[i].sum;
        g[i].below = 0;
        g[i].open = 1;
      }
    for (int64_t at = 0; at < n; at += PIECE) {
      const int64_t m = n - at < PIECE ? n - at : PIECE, size = K < m ? K : m;
      NAME(weigh_again)(s, e, at, n, m, w, g);
      if (want_mean)
        NAME(group_means)(w, m, size, g, mean);
      if (want_state)
        NAME(group_states)(w, m, size, at + m == n, g, state);
      NAME(leave_out_units)(a, e + at, m, want_mean ? mean : NULL, want_state ? state : NULL);
      NAME(results)(a, e + at, m, e + at - begin, mean, state, lanes);
    }
  }
}

/* Cumulants of n groups from number `first` on. */
static void NAME(group_cumulants)(const NAME(source) *s, int64_t K, int64_t first, int64_t n, T *out,
                                  double temperature) {
  T w[PIECE];
  NAME(group) g[PIECE];
  for (int64_t i = 0, m; i < n; i += m) {
    m = NAME(run)(K, (n - i) * K);
    NAME(weigh)(s, (first + i) * K, m * K, K, w, g);
    for (int64_t k = 0; k < m; k++)
      out[i + k] = M(group_cumulant)(g[k].top, g[k].sum, temperature);
  }
}

/* Elements [begin, end), whole groups, of a unit_map; out may be x. */
static void NAME(map_groups)(const lrn_unit_map_args *a, const NAME(source) *s, int64_t begin,
                             int64_t end) {
  const int64_t K = a->categories;
  T *out = a->out;
  T w[PIECE], A[PIECE];
  NAME(group) g[PIECE];
  for (int64_t e = begin, n; e < end; e += n) {
    n = K * NAME(run)(K, end - e);
    switch (a->part) {
      case LRN_UNIT_SELF: memset(out + e, 0, (size_t)n * sizeof(T)); break;
      case LRN_UNIT_CUMULANT:
        NAME(group_cumulants)(s, K, e / K, n / K, A, a->temperature);
        memset(out + e, 0, (size_t)n * sizeof(T));
        for (int64_t i = 0; i < n / K; i++)
          out[e + i * K] = A[i];
        break;
      case LRN_UNIT_MEAN:
        NAME(weigh)(s, e, n, K, w, g);
        for (int64_t at = 0; at < n; at += PIECE) {
          const int64_t m = n - at < PIECE ? n - at : PIECE;
          NAME(weigh_again)(s, e, at, n, m, w, g);
          NAME(group_means)(w, m, K < m ? K : m, g, out + e + at);
        }
        break;
      case LRN_UNIT_NEAREST: /* the first one of the largest */
        for (int64_t i = e; i < e + n; i += K) {
          int64_t largest = i;
          for (int64_t k = i; k < i + K; k++)
            largest = s->x[k] > s->x[largest] ? k : largest;
          memset(out + i, 0, (size_t)K * sizeof(T));
          out[largest] = 1;
        }
        break;
    }
  }
}
