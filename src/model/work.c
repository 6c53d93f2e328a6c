/*
** work.c - the workspace: every buffer a call needs, made once, so that a step allocates
** nothing.
*/
#include <math.h>
#include <string.h>

#include "model/model.h"

static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

static int matrix(lrn_tensor **out, const lrn_work *w, int64_t rows, int64_t columns) {
  int64_t size[2] = {rows, columns};
  return lrn_tensor_new(out, w->dtype, 2, size, w->device);
}

static int vector(lrn_tensor **out, int dtype, int64_t n, const lrn_device *device) {
  LRN_TRY(lrn_tensor_new(out, dtype, 1, &n, device));
  return lrn_tensor_fill(*out, 0);
}

/* The buffers whose size follows from batch and chains. */
static int make_activations(lrn_work *w, const lrn_rbm *m) {
  int64_t wide = max64(w->batch, w->chains), units = max64(w->n_visible, w->n_hidden);
  LRN_TRY(matrix(&w->v, w, w->batch + wide, w->n_visible));
  LRN_TRY(matrix(&w->q, w, w->batch + wide, w->n_hidden));
  LRN_TRY(matrix(&w->h, w, wide, w->n_hidden));
  LRN_TRY(matrix(&w->spare, w, wide, units));
  LRN_TRY(lrn_make_labels(w, m));
  return vector(&w->scratch, LRN_F64, max64(2 * lrn_blocks(wide * units), wide), w->device);
}

static void free_activations(lrn_work *w) {
  lrn_tensor_free(w->weight);
  w->weight = NULL;
  lrn_tensor_free(w->v);
  lrn_tensor_free(w->q);
  lrn_tensor_free(w->h);
  lrn_tensor_free(w->spare);
  lrn_tensor_free(w->scratch);
  lrn_free_labels(w);
  w->v = w->q = w->h = w->spare = w->scratch = NULL;
}

/* New chains: hidden states drawn from the biases alone. The ladder of several rungs ends at the visible
   biases that the model has now, or those of the data, when they come (lrn_rbm_prepare). */
static int make_chains(lrn_work *w, const lrn_rbm *m) {
  lrn_tensor *chain = NULL;
  lrn_ladder *ladder = NULL;
  int st;
  if (w->chains == 0)
    return LRN_OK;
  LRN_GO(matrix(&chain, w, w->chains, w->n_hidden));
  LRN_GO(lrn_tensor_fill(chain, 0));
  LRN_GO(lrn_activate(m, LRN_SIDE_HIDDEN, chain->view.data, w->chains, NULL, chain->view.data,
                      lrn_key_of(m, w->state.step, LRN_STREAM_CHAIN, 0, 0), NULL));
  if (w->rungs > 1) {
    LRN_GO(lrn_ladder_new(&ladder, m, w->rungs, w->chains / w->rungs));
    LRN_GO(lrn_tensor_copy(ladder->base, m->parameter[LRN_PARAMETER_A]));
  }
  w->chain = chain;
  w->ladder = ladder;
  chain = NULL;
  ladder = NULL;
done:
  lrn_tensor_free(chain);
  lrn_ladder_free(ladder);
  return st;
}

static int make_fast(lrn_work *w, const lrn_rbm *m) {
  LRN_TRY(lrn_parameter_buffer(&w->fast, w->fast_part, &m->options));
  return lrn_parameter_buffer(&w->quick, w->quick_part, &m->options);
}

static void free_fast(lrn_work *w) {
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    lrn_tensor_free(w->fast_part[i]);
    lrn_tensor_free(w->quick_part[i]);
  }
  lrn_tensor_free(w->fast);
  lrn_tensor_free(w->quick);
}

static int make_training(lrn_work *w, const lrn_rbm *m) {
  const int64_t width[LRN_MEANS] = {
    [LRN_MEAN_V] = w->n_visible, [LRN_MEAN_H] = w->n_hidden, [LRN_MEAN_SPARSE] = w->n_hidden,
    [LRN_MEAN_Y] = max64(m->options.n_classes, 1)};
  LRN_TRY(lrn_parameter_buffer(&w->gradient, w->g, &m->options));
  LRN_TRY(vector(&w->norm, w->dtype, w->n_hidden, w->device));
  for (int i = 0; i < LRN_MEANS; i++)
    LRN_TRY(vector(&w->mean[i], w->dtype, width[i], w->device));
  if (m->options.optimizer == LRN_ADAM)
    LRN_TRY(lrn_parameter_buffer(&w->second, w->s, &m->options));
  if (m->options.rule == LRN_RULE_EXACT)
    LRN_TRY(lrn_enumeration_new(&w->exact, m, 1, "fit"));
  return lrn_parameter_buffer(&w->momentum, w->m, &m->options);
}

static void free_training(lrn_work *w) {
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    lrn_tensor_free(w->g[i]);
    lrn_tensor_free(w->m[i]);
    lrn_tensor_free(w->s[i]);
  }
  lrn_tensor_free(w->gradient);
  lrn_tensor_free(w->momentum);
  lrn_tensor_free(w->second);
  lrn_tensor_free(w->norm);
  lrn_enumeration_free(w->exact);
  for (int i = 0; i < LRN_MEANS; i++)
    lrn_tensor_free(w->mean[i]);
}

int lrn_work_new(lrn_work **out, const lrn_rbm *m, int64_t batch, int flags) {
  void *memory;
  lrn_work *w;
  int st;
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *w, "workspace"));
  w = memory;
  w->n_visible = m->options.n_visible;
  w->n_hidden = m->options.n_hidden;
  w->dtype = m->options.dtype;
  w->device = m->options.device;
  w->rungs = 1;
  LRN_GO(vector(&w->sums, LRN_F64, LRN_SUMS, w->device));
  LRN_GO(vector(&w->sum, LRN_F64, 1, w->device));
  LRN_GO(vector(&w->bad, LRN_I64, LRN_PARAMETERS, w->device));
  LRN_GO(lrn_make_sight(w, m));
  LRN_GO(lrn_work_reserve(w, m, batch, flags));
  *out = w;
  w = NULL;
done:
  lrn_work_free(w);
  return st;
}

static int made_for(const lrn_rbm *m, const lrn_work *w, const char *function) {
  const lrn_rbm_options *o = &m->options;
  if (w->n_visible != o->n_visible || w->n_hidden != o->n_hidden || w->dtype != o->dtype ||
      w->device != o->device)
    return lrn_fail(LRN_ESTATE, "%s: the workspace was made for another model", function);
  return LRN_OK;
}

/* New buffers are made beside the old ones and exchanged when all are there. */
int lrn_work_reserve(lrn_work *w, const lrn_rbm *m, int64_t batch, int flags) {
  int train = (flags & LRN_WORK_TRAIN) != 0 || w->train;
  int64_t rungs = train ? m->options.replicas : 1;
  int64_t chains = train ? m->options.persistent * rungs : 0;
  int larger = batch > w->batch || chains != w->chains || w->v == NULL;
  int begin = train && !w->train, masks = train && (larger || begin);
  int absent = larger ? m->options.missing || w->absent != NULL : m->options.missing && w->absent == NULL;
  int others = chains != w->chains || rungs != w->rungs; /* other chains */
  int fast = (train && m->options.fast_rate > 0) != (w->fast != NULL); /* fast weights come or go */
  lrn_work new = *w;
  int st;
  LRN_TRY(made_for(m, w, "workspace"));
  if (batch < 1 || batch > INT32_MAX)
    return lrn_fail(LRN_EVALUE, "workspace: batch: got %lld, expected 1 to 2^31 - 1",
                    (long long)batch);
  if (!larger && !begin && !absent && !others && !fast)
    return LRN_OK;
  new.batch = max64(batch, w->batch);
  new.chains = chains;
  new.rungs = rungs;
  new.train = train;
  if (larger) {
    new.v = new.q = new.h = new.spare = new.scratch = new.weight = NULL;
    memset(new.label, 0, sizeof new.label);
  }
  if (begin) {
    new.gradient = new.momentum = new.second = new.norm = NULL;
    new.exact = NULL;
    memset(new.g, 0, sizeof new.g);
    memset(new.m, 0, sizeof new.m);
    memset(new.s, 0, sizeof new.s);
    memset(new.mean, 0, sizeof new.mean);
  }
  if (masks)
    new.mask = NULL;
  if (absent)
    new.absent = NULL;
  if (others) {
    new.chain = NULL;
    new.ladder = NULL;
  }
  if (fast) {
    new.fast = new.quick = NULL;
    memset(new.fast_part, 0, sizeof new.fast_part);
    memset(new.quick_part, 0, sizeof new.quick_part);
  }
  if (larger)
    LRN_GO(make_activations(&new, m));
  if (begin)
    LRN_GO(make_training(&new, m));
  if (masks)
    LRN_GO(lrn_make_masks(&new, m));
  if (absent)
    LRN_GO(lrn_make_absent(&new, m));
  if (fast && w->fast == NULL)
    LRN_GO(make_fast(&new, m));
  if (others)
    LRN_GO(make_chains(&new, m));
  if (larger)
    free_activations(w);
  if (masks)
    lrn_tensor_free(w->mask);
  if (absent)
    lrn_tensor_free(w->absent);
  if (fast)
    free_fast(w);
  if (others) {
    lrn_tensor_free(w->chain);
    lrn_ladder_free(w->ladder);
  }
  new.negative_rows = new.weighed = 0;
  *w = new;
  return LRN_OK;
done:
  if (larger)
    free_activations(&new);
  if (begin)
    free_training(&new);
  if (masks)
    lrn_tensor_free(new.mask);
  if (absent)
    lrn_tensor_free(new.absent);
  if (fast)
    free_fast(&new);
  return st;
}

void lrn_work_free(lrn_work *w) {
  if (w == NULL)
    return;
  free_activations(w);
  free_training(w);
  free_fast(w);
  lrn_free_ratings(w);
  lrn_tensor_free(w->chain);
  lrn_ladder_free(w->ladder);
  lrn_tensor_free(w->mask);
  lrn_tensor_free(w->absent);
  lrn_tensor_free(w->up);
  lrn_tensor_free(w->sight);
  lrn_tensor_free(w->sums);
  lrn_tensor_free(w->sum);
  lrn_tensor_free(w->bad);
  lrn_free(w);
}

int64_t lrn_work_batch(const lrn_work *w) { return w->batch; }

size_t lrn_work_bytes(const lrn_work *w) {
  const lrn_tensor *const all[] = {w->v, w->q, w->h, w->spare, w->scratch, w->chain, w->gradient,
                                   w->momentum, w->second, w->mask, w->sums, w->bad, w->up,
                                   w->sight, w->weight, w->absent, w->fast, w->quick};
  size_t bytes = w->exact != NULL ? lrn_enumeration_bytes(w->exact) : 0;
  bytes += w->ladder != NULL ? lrn_ladder_bytes(w->ladder) : 0;
  bytes += lrn_ratings_bytes(w);
  for (int i = 0; i < LRN_LABEL_BUFFERS; i++)
    bytes += w->label[i] != NULL ? lrn_tensor_storage_bytes(w->label[i]) : 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    bytes += all[i] != NULL ? lrn_tensor_storage_bytes(all[i]) : 0;
  return bytes;
}

int lrn_check_work(const lrn_rbm *m, const lrn_work *w, int64_t rows, int train,
                   const char *function) {
  const lrn_rbm_options *o = &m->options;
  LRN_TRY(made_for(m, w, function));
  if (o->missing && w->absent == NULL)
    return lrn_fail(LRN_ESTATE, "%s: `missing` was set after the workspace was made; reserve first",
                    function);
  if (rows > w->batch)
    return lrn_fail(LRN_ESHAPE, "%s: got %lld rows, the workspace has room for %lld", function,
                    (long long)rows, (long long)w->batch);
  if (train && !w->train)
    return lrn_fail(LRN_ESTATE, "%s: the workspace was not made for training", function);
  if (train && (w->chains != o->persistent * o->replicas || w->rungs != o->replicas))
    return lrn_fail(LRN_ESTATE, "%s: the number of chains has changed; reserve first", function);
  if (train && o->fast_rate > 0 && w->fast == NULL)
    return lrn_fail(LRN_ESTATE, "%s: there is no memory for fast weights; reserve first", function);
  return LRN_OK;
}

/* {=== State === */

void lrn_work_get_state(const lrn_work *w, lrn_state *out) {
  double sums[LRN_SUMS] = {0};
  *out = w->state;
  if (w->device->backend.download(sums, w->sums->view.data, sizeof sums) == LRN_OK) {
    out->error = sums[LRN_SUM_ERROR];
    out->mse = sums[LRN_SUM_MSE];
    out->pl = sums[LRN_SUM_PL];
    out->loss = sums[LRN_SUM_LOSS];
    out->hits = sums[LRN_SUM_HITS];
    out->labelled = sums[LRN_SUM_LABELLED];
  }
}

void lrn_work_set_state(lrn_work *w, const lrn_state *state) {
  double sums[LRN_SUMS] = {
    [LRN_SUM_ERROR] = state->error, [LRN_SUM_MSE] = state->mse, [LRN_SUM_PL] = state->pl,
    [LRN_SUM_LOSS] = state->loss, [LRN_SUM_HITS] = state->hits,
    [LRN_SUM_LABELLED] = state->labelled};
  w->state = *state;
  w->device->backend.upload(w->sums->view.data, sums, sizeof sums);
}

int lrn_work_end_epoch(lrn_work *w, lrn_state *means) {
  lrn_state s;
  double n;
  lrn_work_get_state(w, &s);
  if (s.samples == 0)
    return lrn_fail(LRN_ESTATE, "end_epoch: no row was seen");
  n = (double)s.samples;
  s.mse /= n;
  s.error /= n;
  s.pl /= n;
  s.loss /= s.labelled;
  s.hits /= s.labelled;
  *means = s;
  s.epoch++;
  s.batch = s.samples = 0;
  s.mse = s.error = s.pl = s.loss = s.hits = s.labelled = 0;
  lrn_work_set_state(w, &s);
  return LRN_OK;
}

/* ===} */

lrn_tensor *lrn_work_gradient(const lrn_work *w, int i, const char **name) {
  return w->train ? lrn_named_parameter(w->g, i, name) : NULL;
}
lrn_tensor *lrn_work_momentum(const lrn_work *w, int i, const char **name) {
  return w->train ? lrn_named_parameter(w->m, i, name) : NULL;
}
lrn_tensor *lrn_work_second(const lrn_work *w, int i, const char **name) {
  return w->second != NULL ? lrn_named_parameter(w->s, i, name) : NULL;
}
lrn_tensor *lrn_work_fast(const lrn_work *w, int i, const char **name) {
  return w->fast != NULL ? lrn_named_parameter(w->fast_part, i, name) : NULL;
}
lrn_tensor *lrn_work_chain(const lrn_work *w) { return w->chain; }
lrn_tensor *lrn_work_ladder(const lrn_work *w) { return w->ladder != NULL ? w->ladder->beta : NULL; }
lrn_tensor *lrn_work_base(const lrn_work *w) { return w->ladder != NULL ? w->ladder->base : NULL; }

int lrn_work_swap_rates(const lrn_work *w, double *rates) {
  if (w->ladder == NULL)
    return lrn_fail(LRN_ESTATE, "swap_rates: there are no replicas, or no step was made");
  return lrn_ladder_rates(w->ladder, rates);
}
lrn_tensor *lrn_work_mask(const lrn_work *w) { return w->mask; }

int lrn_work_negative(lrn_tensor **out, const lrn_work *w) {
  if (w->negative_rows == 0)
    return lrn_fail(LRN_ESTATE, "negative: no step was made");
  return lrn_tensor_narrow(out, w->v, 0, w->negative_at, w->negative_rows);
}

int lrn_work_negative_labels(lrn_tensor **out, const lrn_work *w) {
  if (w->negative_rows == 0 || w->label[LRN_LABEL_Y] == NULL)
    return lrn_fail(LRN_ESTATE, "negative_labels: no step with labels was made");
  return lrn_tensor_narrow(out, w->label[LRN_LABEL_Y], 0, w->negative_at, w->negative_rows);
}
