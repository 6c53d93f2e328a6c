/*
** unit.c - kinds of units by name, and their functions over tensors: what a test or a user
** sees of a row of kernel/unit.def.
*/
#include <string.h>

#include "kernel/unit.h"
#include "model/model.h"

/* The public numbers are those of the table's rows. */
#define UNIT(ENUM, name, scaling, noise, self, cumulant, mean, sample, help) \
  _Static_assert((int)LRN_ROW_##ENUM == (int)LRN_UNIT_##ENUM, #name);
#define GROUP(ENUM, name, help) UNIT(ENUM, name, , , , , , , )
#include "kernel/unit.def"
#undef UNIT
_Static_assert((int)LRN_ROWS == (int)LRN_UNITS, "rows of unit.def");

static const char *const names[LRN_UNITS] = {
#define UNIT(ENUM, name, scaling, noise, self, cumulant, mean, sample, help) \
  [LRN_UNIT_##ENUM] = #name,
#include "kernel/unit.def"
#undef UNIT
};

/* " bernoulli gaussian ..." */
#define UNIT(ENUM, name, scaling, noise, self, cumulant, mean, sample, help) " " #name
static const char NAMES[] =
#include "kernel/unit.def"
  ;
#undef UNIT
#undef GROUP

const char *lrn_unit_name(int unit) {
  return unit >= 0 && unit < LRN_UNITS ? names[unit] : NULL;
}

int lrn_unit_parse(int *unit, const char *name) {
  for (int u = 0; u < LRN_UNITS; u++)
    if (strcmp(name, names[u]) == 0) {
      *unit = u;
      return LRN_OK;
    }
  return lrn_fail(LRN_EARG, "unit: '%s' is none; valid:%s", name, NAMES);
}

int lrn_unit_can_flip(int unit) {
  double low, high;
  return lrn_unit_states(unit, &low, &high) || lrn_unit_in_groups(unit);
}

int lrn_unit_grouped(int unit) { return lrn_unit_in_groups(unit); }

/* The last dimension is a group. */
static int64_t categories_of(int unit, const lrn_tensor *x) {
  int nd = x->view.nd;
  return lrn_unit_in_groups(unit) && nd > 0 && x->view.size[nd - 1] > 0 ? x->view.size[nd - 1] : 1;
}

int lrn_unit_has_density(int unit) { return lrn_unit_density(unit); }

static int check(const lrn_tensor *out, int unit, const lrn_tensor *x, double temperature,
                 const char *f) {
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  if (lrn_unit_name(unit) == NULL)
    return lrn_fail(LRN_EARG, "%s: %d is no unit", f, unit);
  if (!(temperature > 0))
    return lrn_fail(LRN_EVALUE, "%s: temperature: got %g, expected > 0", f, temperature);
  if (x->view.dtype > LRN_F64 || out->view.dtype != x->view.dtype ||
      out->storage->device != x->storage->device || !lrn_tensor_is_contiguous(out) ||
      !lrn_tensor_is_contiguous(x) || lrn_tensor_numel(out) != lrn_tensor_numel(x))
    return lrn_fail(LRN_ETYPE, "%s: %s into %s: contiguous float tensors of one shape expected", f,
                    lrn_tensor_text(a, x), lrn_tensor_text(b, out));
  return lrn_check_writable(out, f);
}

int lrn_unit_map(lrn_tensor *out, int unit, int part, const lrn_tensor *x, double temperature) {
  const lrn_device *device = x->storage->device;
  lrn_unit_map_args args = {.unit = unit, .part = part, .dtype = x->view.dtype,
                            .temperature = temperature, .n = lrn_tensor_numel(x),
                            .categories = categories_of(unit, x), .out = out->view.data,
                            .x = x->view.data};
  LRN_TRY(check(out, unit, x, temperature, "unit_map"));
  if (part < LRN_UNIT_SELF || part >= LRN_UNIT_PARTS)
    return lrn_fail(LRN_EARG, "unit_map: part: got %d, expected 0 to %d", part, LRN_UNIT_PARTS - 1);
  if (part == LRN_UNIT_NEAREST && !lrn_unit_can_flip(unit))
    return lrn_fail(LRN_EUNSUPPORTED, "unit_map: part: %s units are real-valued: none is nearest",
                    lrn_unit_name(unit));
  LRN_TRY(LRN_SLOT(device, unit_map));
  return device->backend.unit_map(&args);
}

int lrn_unit_sample(lrn_tensor *out, int unit, const lrn_tensor *x, double temperature,
                    lrn_key key) {
  const lrn_device *device = x->storage->device;
  lrn_unit_args args = {.unit = unit, .dtype = x->view.dtype, .temperature = temperature,
                        .rows = 1, .units = lrn_tensor_numel(x),
                        .categories = categories_of(unit, x), .x = x->view.data,
                        .mean_scale = 1, .state = out->view.data, .key = key};
  LRN_TRY(check(out, unit, x, temperature, "unit_sample"));
  LRN_TRY(LRN_SLOT(device, unit));
  return device->backend.unit(&args);
}
