/*
** rated.inc.c - rows of ratings (device/backend.h: lrn_rated), for one float type: sums of the weights
** that a row selects, levels of its items given hidden states, and the gradient item by item.
**
** Included with T, M(f), NAME(f), after step.inc.c. The order of every sum is that of cuda/rated.cu.
*/

static void NAME(add_row)(T *x, const T *w, int64_t n) {
  for (int64_t j = 0; j < n; j++)
    x[j] += w[j];
}

void NAME(lrn_rated_up)(const lrn_rated *b, const uint8_t *level, void *x, int64_t row) {
  const int64_t H = b->hidden, K = b->categories;
  T *out = (T *)x + row * H;
  memset(out, 0, (size_t)H * sizeof(T));
  for (int64_t e = b->offset[row]; e < b->offset[row + 1]; e++) {
    const int64_t i = b->item[e];
    NAME(add_row)(out, (const T *)b->W + (i * K + level[e]) * H, H);
    if (b->D != NULL)
      NAME(add_row)(out, (const T *)b->D + i * H, H);
  }
}

/* w . h: element j goes to lane j mod 32, lanes fold in a tree */
static T NAME(lane_dot)(const T *w, const T *h, int64_t n) {
  T s[LRN_LANES] = {0};
  int64_t j = 0;
  for (; j + LRN_LANES <= n; j += LRN_LANES)
    for (int l = 0; l < LRN_LANES; l++)
      s[l] += w[j + l] * h[j + l];
  for (int l = 0; l < n - j; l++)
    s[l] += w[j + l] * h[j + l];
  for (int half = LRN_LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++)
      s[l] += s[l + half];
  return s[0];
}

void NAME(lrn_rated_down)(const lrn_rated *b, const lrn_rated_down_args *p, int64_t row) {
  const int64_t H = b->hidden, K = b->categories;
  const lrn_draw draw = lrn_draw_of(p->key.seed, p->key.step, p->key.stream, p->key.draw);
  const T *h = (const T *)p->h + row * H, *a = b->a, xs = (T)(1.0 / p->temperature);
  T w[LRN_MOST_LEVELS];
  for (int64_t e = b->offset[row]; e < b->offset[row + 1]; e++) {
    const int64_t unit = b->item[e] * K;
    double sum = 0, expected = 0;
    T top = 0;
    for (int64_t k = 0; k < K; k++) {
      w[k] = (NAME(lane_dot)((const T *)b->W + (unit + k) * H, h, H) + a[unit + k]) * xs;
      top = k == 0 || w[k] > top ? w[k] : top;
    }
    for (int64_t k = 0; k < K; k++) {
      w[k] = M(group_weight)(w[k], top);
      sum += (double)w[k];
    }
    if (p->mean != NULL)
      for (int64_t k = 0; k < K; k++)
        ((T *)p->mean)[e * K + k] = M(group_mean)(w[k], sum);
    if (p->target != NULL) {
      for (int64_t k = 0; k < K; k++)
        expected += (double)w[k] * p->value[k];
      expected = p->value[p->target[e]] - expected / sum;
      p->scratch[e] = expected * expected;
    }
    if (p->level != NULL) {
      const uint64_t element = p->key.first + (uint64_t)(row * b->n_items * K + unit);
      const double at = lrn_uniform(lrn_word_at(draw, element)) * sum;
      double below = (double)w[0];
      int64_t k = 0;
      while (k < K - 1 && !(at < below)) /* of NaN: the last one, as of other groups */
        below += (double)w[++k];
      p->level[e] = (uint8_t)k;
    }
  }
}

static void NAME(add_scaled)(T *g, T alpha, const T *q, int64_t n) {
  for (int64_t j = 0; j < n; j++)
    g[j] += alpha * q[j];
}

void NAME(lrn_rated_gradient)(const lrn_rated *b, const lrn_rated_gradient_args *p, int64_t item,
                              int64_t end) {
  const int64_t H = b->hidden, K = b->categories;
  const T alpha = (T)p->alpha;
  for (int64_t t = item; t < end; t++) {
    const int64_t i = p->touched[t];
    T *gW = (T *)p->gW + i * K * H, *ga = (T *)p->ga + i * K;
    for (int64_t at = p->start[t]; at < p->start[t + 1]; at++) {
      const int64_t e = p->order[at], r = p->row[e];
      const T *plus = (const T *)p->q + r * H, *minus = (const T *)p->p + r * H;
      NAME(add_scaled)(gW + p->plus[e] * H, alpha, plus, H);
      NAME(add_scaled)(gW + p->minus[e] * H, alpha, minus, H);
      ga[p->plus[e]] += alpha;
      ga[p->minus[e]] -= alpha;
      if (p->gD != NULL) {
        NAME(add_scaled)((T *)p->gD + i * H, alpha, plus, H);
        NAME(add_scaled)((T *)p->gD + i * H, alpha, minus, H);
      }
    }
  }
}

/* Of K levels z_k = k - (K - 1) / 2 and sum z_k^2 = K (K^2 - 1) / 12. */
void NAME(lrn_rated_smooth)(const lrn_rated *b, double strength, void *gradient, int64_t item) {
  const int64_t H = b->hidden, K = b->categories;
  const T *W = (const T *)b->W + item * K * H, s = (T)strength;
  const T middle = (T)((double)(K - 1) / 2), share = (T)(1 / (double)K);
  const T spread = (T)(12 / ((double)K * ((double)K * (double)K - 1)));
  T *g = (T *)gradient + item * K * H, mean[PIECE], slope[PIECE];
  for (int64_t j = 0; j < H; j += PIECE) {
    const int64_t n = H - j < PIECE ? H - j : PIECE;
    memset(mean, 0, (size_t)n * sizeof(T));
    memset(slope, 0, (size_t)n * sizeof(T));
    for (int64_t k = 0; k < K; k++)
      for (int64_t i = 0; i < n; i++) {
        const T w = W[k * H + j + i];
        mean[i] += share * w;
        slope[i] += spread * (((T)k - middle) * w);
      }
    for (int64_t k = 0; k < K; k++)
      for (int64_t i = 0; i < n; i++)
        g[k * H + j + i] += s * (W[k * H + j + i] - (mean[i] + slope[i] * ((T)k - middle)));
  }
}
