/*
** ising.c - configurations of the two-dimensional Ising model, by cluster updates.
**
** L x L spins on a torus, E(s) = - sum over neighbours s_i s_j, p(s) = exp(-E(s) / T) / Z. A sweep
** (Swendsen and Wang 1987) joins neighbours that are equal with probability 1 - exp(-2 / T), and gives
** every cluster that comes about a spin of its own, up or down alike. Whole clusters turn over at once,
** so that a few sweeps are enough at every temperature, also where single spins hardly ever change as
** below the critical one and at it, 2 / log(1 + sqrt(2)).
**
** Clusters are trees: parent[i] <= i, the root is its cluster's first site. Every configuration has a
** chain of its own, with draws `key.draw` + its number; the elements of a sweep are 3 N: N spins, then
** 2 N bonds.
*/
#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/math.h"
#include "kernel/philox.h"
#include "tensor/tensor.h"

static int32_t root_of(int32_t *parent, int32_t i) {
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

static void join(int32_t *parent, int32_t i, int32_t j) {
  i = root_of(parent, i);
  j = root_of(parent, j);
  if (i < j)
    parent[j] = i;
  else
    parent[i] = j;
}

static void sweep(uint8_t *s, int32_t *parent, int32_t side, double joined, lrn_draw draw,
                  uint64_t first) {
  int32_t n = side * side;
  for (int32_t i = 0; i < n; i++)
    parent[i] = i;
  for (int32_t i = 0; i < n; i++) {
    int32_t right = i % side == side - 1 ? i + 1 - side : i + 1, below = (i + side) % n;
    uint64_t bond = first + (uint64_t)n + 2 * (uint64_t)i;
    if (s[i] == s[right] && lrn_uniform(lrn_word_at(draw, bond)) < joined)
      join(parent, i, right);
    if (s[i] == s[below] && lrn_uniform(lrn_word_at(draw, bond + 1)) < joined)
      join(parent, i, below);
  }
  for (int32_t i = 0; i < n; i++) { /* a root comes before the rest of its cluster */
    int32_t root = root_of(parent, i);
    s[i] = root == i ? lrn_word_at(draw, first + (uint64_t)i) >> 31 : s[root];
  }
}

int lrn_ising(lrn_tensor *t, double temperature, int64_t sweeps, lrn_key key) {
  char text[LRN_SHAPE_MAX];
  const lrn_view *v = &t->view;
  int64_t side = v->nd == 3 ? v->size[1] : 0, n = side * side, most;
  uint8_t *s = v->data;
  int32_t *parent;
  int st = LRN_OK;
  if (v->dtype != LRN_U8 || v->nd != 3 || side < 2 || side > LRN_ISING_SIDE || v->size[2] != side ||
      !lrn_tensor_is_contiguous(t) || t->storage->device != lrn_device_cpu())
    return lrn_fail(LRN_ESHAPE, "ising: got %s, expected contiguous uint8 of n x L x L on cpu, L 2 to %d",
                    lrn_tensor_text(text, t), LRN_ISING_SIDE);
  if (!(temperature > 0))
    return lrn_fail(LRN_EVALUE, "ising: temperature: got %g, expected > 0", temperature);
  most = ((int64_t)1 << 34) / (3 * n) - 1; /* a draw's elements */
  if (sweeps < 1 || sweeps > most)
    return lrn_fail(LRN_EVALUE, "ising: sweeps: got %lld, expected 1 to %lld for a side of %lld",
                    (long long)sweeps, (long long)most, (long long)side);
  LRN_TRY(lrn_check_writable(t, "ising"));
  LRN_TRY(lrn_alloc((void **)&parent, (size_t)n, sizeof *parent, "ising"));
  for (int64_t r = 0; r < v->size[0] && st == LRN_OK; r++, s += n) {
    lrn_draw draw = lrn_draw_of(key.seed, key.step, key.stream, key.draw + (uint32_t)r);
    for (int64_t i = 0; i < n; i++)
      s[i] = lrn_word_at(draw, key.first + (uint64_t)i) >> 31;
    for (int64_t k = 0; k < sweeps; k++)
      sweep(s, parent, (int32_t)side, -lrn_expm1(-2 / temperature), draw,
            key.first + (uint64_t)n * (1 + 3 * (uint64_t)k));
    st = lrn_poll();
  }
  lrn_free(parent);
  return st;
}
