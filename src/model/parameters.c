/*
** parameters.c - one buffer of everything that a model learns, and views on it by name: parameters,
** gradient and what the optimiser keeps all have this form.
*/
#include "model/model.h"

static const struct {
  const char *name;
  int weights;
  double start;
} table[LRN_PARAMETERS] = {
#define PARAMETER(ENUM, name, rows, columns, weights, start) {#name, weights, start},
#include "model/parameters.def"
#undef PARAMETER
};

typedef struct shape {
  int nd;
  int64_t size[2];
} shape;

static void shapes_of(shape out[LRN_PARAMETERS], const lrn_rbm_options *o) {
  const shape shapes[LRN_PARAMETERS] = {
#define PARAMETER(ENUM, name, rows, columns, weights, start) \
  {(columns) > 0 ? 2 : 1, {(rows), (columns)}},
#include "model/parameters.def"
#undef PARAMETER
  };
  for (int i = 0; i < LRN_PARAMETERS; i++)
    out[i] = shapes[i];
}

int lrn_parameter_is_weights(int i) { return table[i].weights; }

int lrn_parameter_buffer(lrn_tensor **whole, lrn_tensor *views[LRN_PARAMETERS],
                         const lrn_rbm_options *o) {
  int64_t total = 0, at = 0, limit = (int64_t)1 << 44;
  shape shapes[LRN_PARAMETERS];
  shapes_of(shapes, o);
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    int64_t n = shapes[i].size[0];
    if (shapes[i].nd == 2 && !lrn_mul(&n, n, shapes[i].size[1], limit))
      return lrn_fail(LRN_ESHAPE, "RBM: %s: %lld x %lld weights are too many", table[i].name,
                      (long long)shapes[i].size[0], (long long)shapes[i].size[1]);
    total += n;
  }
  LRN_TRY(lrn_tensor_new(whole, o->dtype, 1, &total, o->device));
  LRN_TRY(lrn_tensor_fill(*whole, 0));
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    int64_t n = shapes[i].size[0] * (shapes[i].nd == 2 ? shapes[i].size[1] : 1);
    lrn_tensor *part;
    int st;
    if (n == 0)
      continue;
    LRN_TRY(lrn_tensor_narrow(&part, *whole, 0, at, n));
    st = lrn_tensor_view(&views[i], part, shapes[i].nd, shapes[i].size);
    lrn_tensor_free(part);
    LRN_TRY(st);
    at += n;
  }
  return LRN_OK;
}

int lrn_parameters_start(lrn_rbm *m) {
  for (int i = 0; i < LRN_PARAMETERS; i++)
    if (m->parameter[i] != NULL && table[i].start > 0)
      LRN_TRY(lrn_random(m->parameter[i], LRN_NORMAL, 0, table[i].start,
                         lrn_key_of(m, 0, LRN_STREAM_INIT, i, 0)));
  return LRN_OK;
}

lrn_tensor *lrn_named_parameter(lrn_tensor *const set[LRN_PARAMETERS], int i, const char **name) {
  for (int k = 0; k < LRN_PARAMETERS && i >= 0; k++)
    if (set[k] != NULL && i-- == 0) {
      if (name != NULL)
        *name = table[k].name;
      return set[k];
    }
  return NULL;
}

const char *lrn_parameter_name(int i) { return table[i].name; }

lrn_tensor *lrn_rbm_parameter(const lrn_rbm *m, int i, const char **name) {
  return lrn_named_parameter(m->parameter, i, name);
}
