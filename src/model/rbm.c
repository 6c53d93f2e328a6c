/*
** rbm.c - the model: its options and parameters, and its layers as the rest of model/ sees
** them.
*/
#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "model/model.h"

#define COUNT(name, value, least) .name = (value),
#define REAL(name, value, low, high, open_low, open_high, expected) .name = (value),
#define FLAG(name, value) .name = (value),
#define WORD(name, value, count, ...) .name = (value),
void lrn_rbm_defaults(lrn_rbm_options *options) {
  *options = (lrn_rbm_options){
    .struct_size = sizeof *options,
    .visible = LRN_UNIT_BERNOULLI,
    .hidden = LRN_UNIT_BERNOULLI,
    .dtype = LRN_F32,
    .seed = 1,
#include "model/options.def"
  };
}
#undef COUNT
#undef REAL
#undef FLAG
#undef WORD

static int check_count(const char *name, int64_t value, int64_t least) {
  if (value < least)
    return lrn_fail(LRN_EVALUE, "RBM: %s: got %lld, expected an integer >= %lld", name,
                    (long long)value, (long long)least);
  if (value > INT32_MAX)
    return lrn_fail(LRN_EVALUE, "RBM: %s: got %lld, expected an integer below 2^31", name,
                    (long long)value);
  return LRN_OK;
}

static int check_range(const char *name, double value, double low, double high, int open_low,
                       int open_high, const char *expected) {
  if (!isfinite(value) || (open_low ? value <= low : value < low) ||
      (open_high ? value >= high : value > high))
    return lrn_fail(LRN_EVALUE, "RBM: %s: got %g, expected %s", name, value, expected);
  return LRN_OK;
}

static int check_word(const char *name, int value, int count) {
  if (value < 0 || value >= count)
    return lrn_fail(LRN_EARG, "RBM: %s: got %d, expected a number from 0 to %d", name, value,
                    count - 1);
  return LRN_OK;
}

/* Units that come in groups need their size, others have none. */
static int check_categories(const char *side, int unit, int64_t units, int64_t categories) {
  if (!lrn_unit_grouped(unit) && categories != 1)
    return lrn_fail(LRN_EVALUE, "RBM: %s_categories: got %lld, expected 1: %s units are not in groups",
                    side, (long long)categories, lrn_unit_name(unit));
  if (lrn_unit_grouped(unit) && categories < 2)
    return lrn_fail(LRN_EVALUE, "RBM: %s_categories: got %lld, expected an integer >= 2: %s units "
                    "come in groups of so many", side, (long long)categories, lrn_unit_name(unit));
  if (units % categories != 0)
    return lrn_fail(LRN_EVALUE, "RBM: n_%s: got %lld, expected a multiple of %s_categories (%lld)",
                    side, (long long)units, side, (long long)categories);
  return LRN_OK;
}

int lrn_check_tempered(const lrn_rbm_options *o, int64_t replicas, const char *f) {
  int unit = !lrn_unit_has_density(o->visible) ? o->visible : o->hidden;
  if (replicas == 1)
    return LRN_OK;
  if (o->mask != LRN_MASK_NONE || !lrn_unit_has_density(unit) || !o->visible_noise)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: replicas: got %lld, expected 1: %s have no energies to exchange "
                    "states by", f, (long long)replicas,
                    o->mask != LRN_MASK_NONE       ? "models with a mask"
                    : !lrn_unit_has_density(unit) ? "units that are a rule without a density"
                                                  : "chains without visible_noise");
  return LRN_OK;
}

/* What the chains of PCD can be beside plain. */
static int check_chains(const lrn_rbm_options *o) {
  if (o->persistent == 0 && (o->replicas > 1 || o->fast_rate > 0))
    return lrn_fail(LRN_EVALUE, "RBM: %s: got %g, expected %d: without persistent chains there are none",
                    o->replicas > 1 ? "replicas" : "fast_rate",
                    o->replicas > 1 ? (double)o->replicas : o->fast_rate, o->replicas > 1);
  if (o->persistent > INT32_MAX / o->replicas)
    return lrn_fail(LRN_EVALUE, "RBM: replicas: got %lld, expected fewer: %lld chains of so many are 2^31 rows "
                    "or more", (long long)o->replicas, (long long)o->persistent);
  if (o->fast_rate > 0 && o->mask != LRN_MASK_NONE)
    return lrn_fail(LRN_EVALUE, "RBM: fast_rate: got %g, expected 0: a model with a mask has no fast weights",
                    o->fast_rate);
  return lrn_check_tempered(o, o->replicas, "RBM");
}

static int check_options(const lrn_rbm_options *o) {
  int most;
  if (o->struct_size != sizeof *o)
    return lrn_fail(LRN_EARG, "RBM: options of another size (%zu, expected %zu): not set by "
                    "lrn_rbm_defaults, or of another version", o->struct_size, sizeof *o);
#define COUNT(name, value, least) LRN_TRY(check_count(#name, o->name, least));
#define REAL(name, value, low, high, open_low, open_high, expected) \
  LRN_TRY(check_range(#name, o->name, low, high, open_low, open_high, expected));
#define FLAG(name, value) LRN_TRY(check_word(#name, o->name, 2));
#define WORD(name, value, count, ...) LRN_TRY(check_word(#name, o->name, count));
#include "model/options.def"
#undef COUNT
#undef REAL
#undef FLAG
#undef WORD
  /* edropout draws twice as many numbers a step */
  most = o->mask == LRN_MASK_EDROPOUT ? LRN_MOST_STEPS / 4 : LRN_MOST_STEPS;
  if (o->steps > most)
    return lrn_fail(LRN_EVALUE, "RBM: steps: got %lld, expected an integer <= %d",
                    (long long)o->steps, most);
  if (o->optimizer == LRN_ADAM && o->momentum != 0)
    return lrn_fail(LRN_EVALUE, "RBM: momentum: got %g, expected 0: adam has beta1 instead",
                    o->momentum);
  if (o->n_classes == 1)
    return lrn_fail(LRN_EVALUE, "RBM: n_classes: got 1, expected 0 or an integer >= 2");
  if (o->n_classes > 0 && o->mask != LRN_MASK_NONE)
    return lrn_fail(LRN_EVALUE, "RBM: n_classes: got %lld, expected 0: a model with a mask has no "
                    "labels", (long long)o->n_classes);
  if (o->n_classes == 0 && o->alpha != 0)
    return lrn_fail(LRN_EVALUE, "RBM: alpha: got %g, expected 0: the model has no labels", o->alpha);
  if (o->rule == LRN_RULE_EXACT && (o->persistent > 0 || o->n_classes > 0))
    return lrn_fail(LRN_EVALUE, "RBM: %s: got %lld, expected 0: with rule = exact there are no %s",
                    o->persistent > 0 ? "persistent" : "n_classes",
                    (long long)(o->persistent > 0 ? o->persistent : o->n_classes),
                    o->persistent > 0 ? "chains" : "labels");
  if (o->missing && (o->persistent > 0 || o->rule == LRN_RULE_EXACT))
    return lrn_fail(LRN_EVALUE, "RBM: missing: got true, expected false: each row of data that lacks "
                    "values has a model, and a log Z, of its own, of which %s nothing; use CD",
                    o->persistent > 0 ? "persistent chains know" : "the exact rule knows");
  if (o->rule == LRN_RULE_EXACT && o->variance)
    return lrn_fail(LRN_EVALUE, "RBM: rule: got exact, expected cd: variances are learned by chains");
  if (o->rule == LRN_RULE_EXACT && o->mask != LRN_MASK_NONE)
    return lrn_fail(LRN_EVALUE, "RBM: rule: got exact, expected cd: a mask is defined for chains");
  if (o->mask == LRN_MASK_EDROPOUT && o->persistent > 0)
    return lrn_fail(LRN_EVALUE, "RBM: persistent: got %lld, expected 0: edropout is defined for CD",
                    (long long)o->persistent);
  if (lrn_unit_name(o->visible) == NULL || lrn_unit_name(o->hidden) == NULL)
    return lrn_fail(LRN_EARG, "RBM: visible, hidden: %d, %d: not units", o->visible, o->hidden);
  LRN_TRY(check_chains(o));
  LRN_TRY(check_categories("visible", o->visible, o->n_visible, o->visible_categories));
  LRN_TRY(check_categories("hidden", o->hidden, o->n_hidden, o->hidden_categories));
  if (o->mask == LRN_MASK_EDROPOUT && lrn_unit_grouped(o->hidden))
    return lrn_fail(LRN_EVALUE, "RBM: mask: got edropout, expected another one: the importance of a "
                    "unit of a group is not defined");
  if ((o->normalize || o->variance) && o->visible != LRN_UNIT_GAUSSIAN)
    return lrn_fail(LRN_EVALUE, "RBM: %s: got true, expected false: visible units are %s, not gaussian",
                    o->normalize ? "normalize" : "variance", lrn_unit_name(o->visible));
  if (o->conditional && (!lrn_unit_grouped(o->visible) || o->n_classes > 0 || o->rule != LRN_RULE_CD))
    return lrn_fail(LRN_EVALUE, "RBM: conditional: got true, expected false: it is of models of ratings, "
                    "with softmax visible units, rule = cd and no labels");
  if (o->n_classes > 0 && (o->variance || !lrn_unit_has_density(o->hidden)))
    return lrn_fail(LRN_EVALUE, "RBM: n_classes: got %lld, expected 0: not with %s%s", (long long)o->n_classes,
                    o->variance ? "learned variances" : lrn_unit_name(o->hidden),
                    o->variance ? "" : " units, which are a rule without a density");
  if (o->dtype != LRN_F32 && o->dtype != LRN_F64)
    return lrn_fail(LRN_ETYPE, "RBM: dtype: got %s, expected float32 or float64",
                    lrn_dtype_name(o->dtype));
  return LRN_OK;
}

static int slots_there(const lrn_device *d) {
  LRN_TRY(LRN_SLOT(d, map));
  LRN_TRY(LRN_SLOT(d, reduce));
  LRN_TRY(LRN_SLOT(d, gemm));
  LRN_TRY(LRN_SLOT(d, random));
  LRN_TRY(LRN_SLOT(d, unit));
  LRN_TRY(LRN_SLOT(d, unit_map));
  LRN_TRY(LRN_SLOT(d, load));
  LRN_TRY(LRN_SLOT(d, flip));
  LRN_TRY(LRN_SLOT(d, update));
  return LRN_OK;
}

int lrn_rbm_new(lrn_rbm **out, const lrn_rbm_options *options) {
  void *memory;
  lrn_rbm *m;
  int st;
  LRN_TRY(check_options(options));
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *m, "RBM"));
  m = memory;
  m->options = *options;
  m->link = &lrn_link_dense;
  if (m->options.device == NULL)
    m->options.device = lrn_device_cpu();
  LRN_GO(slots_there(m->options.device));
  LRN_GO(lrn_parameter_buffer(&m->theta, m->parameter, &m->options));
  if (m->options.rule == LRN_RULE_EXACT)
    LRN_GO(lrn_check_exact(m, "RBM: rule: got exact, expected cd"));
  LRN_GO(lrn_parameters_start(m));
  *out = m;
  m = NULL;
done:
  lrn_rbm_free(m);
  return st;
}

void lrn_rbm_free(lrn_rbm *m) {
  if (m == NULL)
    return;
  for (int i = 0; i < LRN_PARAMETERS; i++)
    lrn_tensor_free(m->parameter[i]);
  lrn_free_statistics(m);
  lrn_tensor_free(m->theta);
  lrn_free(m);
}

const lrn_rbm_options *lrn_rbm_get_options(const lrn_rbm *m) { return &m->options; }

int lrn_rbm_set_options(lrn_rbm *m, const lrn_rbm_options *options) {
  const lrn_rbm_options *o = &m->options;
  const lrn_device *device = options->device != NULL ? options->device : lrn_device_cpu();
  LRN_TRY(check_options(options));
  if (options->n_visible != o->n_visible || options->n_hidden != o->n_hidden ||
      options->visible != o->visible || options->hidden != o->hidden ||
      options->visible_categories != o->visible_categories ||
      options->hidden_categories != o->hidden_categories ||
      options->dtype != o->dtype || device != o->device || options->seed != o->seed ||
      options->optimizer != o->optimizer || options->mask != o->mask ||
      options->n_classes != o->n_classes || options->normalize != o->normalize ||
      options->variance != o->variance || options->rule != o->rule ||
      options->up_scale != o->up_scale || options->down_scale != o->down_scale ||
      options->conditional != o->conditional)
    return lrn_fail(LRN_EVALUE, "RBM: n_visible, n_hidden, n_classes, visible, hidden, categories, dtype, "
                    "device, mask, rule, normalize, variance, scales, conditional, optimizer and seed are fixed "
                    "when the model is made");
  m->options = *options;
  m->options.device = device;
  return LRN_OK;
}

static int without_mask(lrn_rbm *d, const lrn_rbm *m) {
  lrn_arg scaled[2] = {lrn_argt(d->parameter[LRN_PARAMETER_W]), lrn_argd(lrn_kept(m, LRN_SIDE_HIDDEN))};
  return scaled[1].d == 1 ? LRN_OK
                          : lrn_map(NULL, d->parameter[LRN_PARAMETER_W], LRN_OP_mul, scaled, 2);
}

int lrn_rbm_double(lrn_rbm **out, const lrn_rbm *m) {
  lrn_rbm_options o = m->options;
  lrn_rbm *d;
  int st;
  o.dtype = LRN_F64;
  o.device = lrn_device_cpu();
  o.mask = LRN_MASK_NONE;
  o.rule = LRN_RULE_CD;
  o.missing = 0;
  o.up_scale = o.down_scale = 1;
  LRN_TRY(lrn_rbm_new(&d, &o));
  st = lrn_tensor_copy(d->theta, m->theta);
  if (st == LRN_OK)
    st = without_mask(d, m);
  if (st == LRN_OK && m->standard != NULL)
    st = lrn_set_statistics(d, m->stat[LRN_STAT_MEAN]->view.data, m->stat[LRN_STAT_STD]->view.data);
  if (st != LRN_OK) {
    lrn_rbm_free(d);
    return st;
  }
  *out = d;
  return LRN_OK;
}

int lrn_rbm_plain(lrn_rbm **out, const lrn_rbm *m, int dtype, const lrn_device *device) {
  lrn_rbm_options o = m->options;
  lrn_rbm *p;
  int st;
  o.dtype = dtype;
  o.device = device;
  o.mask = LRN_MASK_NONE;
  o.rule = LRN_RULE_CD;
  o.replicas = 1;
  o.fast_rate = 0;
  o.up_scale = o.down_scale = 1;
  o.visible_noise = 1;
  o.normalize = o.variance = o.missing = 0;
  LRN_TRY(lrn_rbm_new(&p, &o));
  st = lrn_plain_again(p, m);
  if (st != LRN_OK) {
    lrn_rbm_free(p);
    return st;
  }
  *out = p;
  return LRN_OK;
}

int lrn_plain_again(lrn_rbm *p, const lrn_rbm *m) {
  p->options.temperature = m->options.temperature;
  for (int i = 0; i < LRN_PARAMETERS; i++)
    if (p->parameter[i] != NULL)
      LRN_TRY(lrn_tensor_copy(p->parameter[i], m->parameter[i]));
  LRN_TRY(without_mask(p, m));
  return m->options.variance ? lrn_narrow_parameters(p, m) : LRN_OK;
}

/* {=== Layers === */

lrn_layer lrn_layer_of(const lrn_rbm *m, int side) {
  lrn_layer l;
  int hidden = side == LRN_SIDE_HIDDEN;
  l.unit = hidden ? m->options.hidden : m->options.visible;
  l.units = hidden ? m->options.n_hidden : m->options.n_visible;
  l.categories = hidden ? m->options.hidden_categories : m->options.visible_categories;
  l.bias = m->parameter[hidden ? LRN_PARAMETER_B : LRN_PARAMETER_A]->view.data;
  return l;
}

void *lrn_row(const lrn_tensor *t, int64_t r) {
  return (char *)t->view.data + r * t->view.size[1] * (int64_t)lrn_dtype_size(t->view.dtype);
}

int lrn_has_pl(const lrn_rbm *m) {
  return lrn_unit_can_flip(m->options.visible) && m->options.n_classes == 0;
}

int lrn_input(const lrn_rbm *m, int side, void *out, const void *states, int64_t rows) {
  LRN_TRY(lrn_poll()); /* each batch and each sweep comes by here */
  return (side == LRN_SIDE_HIDDEN ? m->link->up : m->link->down)(m, out, states, rows,
                                                                  lrn_kept(m, side));
}

lrn_key lrn_key_of(const lrn_rbm *m, uint64_t step, int stream, int draw, int64_t first) {
  lrn_key key = {m->options.seed, step, (uint32_t)stream, (uint32_t)draw, (uint64_t)first};
  return key;
}

int lrn_map_units(const lrn_rbm *m, int side, int part, void *out, const void *x, int64_t rows) {
  lrn_layer l = lrn_layer_of(m, side);
  lrn_unit_map_args args = {.unit = l.unit, .part = part, .dtype = m->options.dtype,
                            .temperature = m->options.temperature, .n = rows * l.units,
                            .categories = l.categories, .out = out, .x = x};
  return m->options.device->backend.unit_map(&args);
}

int lrn_activate(const lrn_rbm *m, int side, const void *x, int64_t rows, void *mean, void *state,
                 lrn_key key, lrn_unit_args *extra) {
  lrn_layer l = lrn_layer_of(m, side);
  lrn_unit_args args = {.mean_scale = 1};
  void *copy = NULL; /* where the means go as well */
  if (side == LRN_SIDE_VISIBLE && !m->options.visible_noise) {
    copy = mean != NULL ? state : NULL;
    mean = mean != NULL ? mean : state;
    state = NULL;
  }
  if (extra != NULL)
    args = *extra;
  args.unit = l.unit;
  args.dtype = m->options.dtype;
  args.temperature = m->options.temperature;
  args.rows = rows;
  args.units = l.units;
  args.categories = l.categories;
  args.x = x;
  args.bias = l.bias;
  args.mean = mean;
  args.state = state;
  args.key = key;
  args.gain = side == LRN_SIDE_VISIBLE ? m->gain : NULL;
  LRN_TRY(m->options.device->backend.unit(&args));
  if (copy != NULL) {
    lrn_view to = lrn_flat_view(m->options.dtype, copy, rows * l.units);
    lrn_view from = to;
    from.data = mean;
    return lrn_copy_views(m->options.device, &to, &from);
  }
  return LRN_OK;
}

/* ===} */

/* {=== Rows of data === */

int lrn_rows_shape(lrn_rows *out, const lrn_rbm *m, const lrn_tensor *data, const char *function) {
  const lrn_view *v = &data->view;
  char text[LRN_SHAPE_MAX];
  int64_t units = 1;
  int from = v->nd == 1 ? 0 : 1;
  for (int d = from; d < v->nd; d++)
    units *= v->size[d];
  if (m->options.conditional)
    return lrn_fail(LRN_EUNSUPPORTED, "%s: the model takes ratings, not rows of data: it is conditional",
                    function);
  if (v->nd == 0 || units != m->options.n_visible)
    return lrn_fail(LRN_ESHAPE, "%s: data: got %s, expected rows of %lld values (n_visible)",
                    function, lrn_tensor_text(text, data), (long long)m->options.n_visible);
  out->data = v->data;
  out->dtype = v->dtype;
  out->n = from == 0 ? 1 : v->size[0];
  out->stride = from == 0 ? units : v->stride[0];
  out->absent = NULL;
  return LRN_OK;
}

static int row_is_contiguous(const lrn_view *v) {
  lrn_view row = *v;
  if (v->nd > 1) {
    row.size[0] = 1;
    row.stride[0] = 0;
  }
  return lrn_view_is_contiguous(&row);
}

int lrn_rows_of(lrn_rows *out, const lrn_rbm *m, const lrn_tensor *data, const char *function) {
  LRN_TRY(lrn_rows_shape(out, m, data, function));
  if (data->storage->device != m->options.device)
    return lrn_fail(LRN_ETYPE, "%s: data: on %s, the model on %s", function,
                    data->storage->device->name, m->options.device->name);
  if (!row_is_contiguous(&data->view))
    return lrn_fail(LRN_ESHAPE, "%s: data: its rows are not contiguous; use contiguous()",
                    function);
  return LRN_OK;
}

int lrn_rows_any(lrn_rows *out, lrn_tensor **held, const lrn_rbm *m, const lrn_tensor *data,
                 const char *function) {
  lrn_tensor *moved = NULL;
  int st;
  LRN_TRY(lrn_rows_shape(out, m, data, function));
  LRN_GO(lrn_tensor_to(&moved, data, data->view.dtype, m->options.device));
  if (row_is_contiguous(&moved->view)) {
    *held = moved;
    moved = NULL;
  } else
    LRN_GO(lrn_tensor_clone(held, moved));
  st = lrn_rows_shape(out, m, *held, function);
done:
  lrn_tensor_free(moved);
  return st;
}

static int is_nan(const lrn_rbm *m, const void *values, int64_t i) {
  return m->options.dtype == LRN_F64 ? isnan(((const double *)values)[i]) : isnan(((const float *)values)[i]);
}

int lrn_load_rows(const lrn_rbm *m, void *out, const lrn_rows *rows, const int64_t *idx,
                  int64_t base, int64_t first, int64_t count, int round, const char *function) {
  int64_t V = m->options.n_visible, bad = -1;
  lrn_load_args args = {.dtype = m->options.dtype, .out = out, .data_dtype = rows->dtype,
                        .data = rows->data, .n_rows = rows->n, .row_stride = rows->stride,
                        .units = V, .index = idx, .base = base, .first = first, .count = count,
                        .round = round, .shift = m->shift, .scale = m->scale,
                        .absent = rows->absent, .categories = m->options.visible_categories};
  args.bad = m->options.device->backend.host_memory ? &bad : NULL;
  LRN_TRY(m->options.device->backend.load(&args));
  if (bad >= 0 && rows->absent != NULL && is_nan(m, out, bad))
    return lrn_fail(LRN_ENUMERIC, "%s: data: row %lld of the batch, group %lld: some of its %lld values are "
                    "NaN, expected all or none", function, (long long)(bad / V + 1),
                    (long long)(bad % V / args.categories + 1), (long long)args.categories);
  if (bad >= 0)
    return lrn_fail(LRN_ENUMERIC, "%s: data: row %lld of the batch, value %lld is NaN or infinite",
                    function, (long long)(bad / V + 1), (long long)(bad % V + 1));
  return LRN_OK;
}

/* ===} */
