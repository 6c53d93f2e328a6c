/*
** store.c - a model in a safetensors file, and back. numerics.md, "Files", has the names.
** Options and generator go as text of decimal digits, so that every reader of JSON keeps them.
*/
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"
#include "io/safetensors.h"
#include "model/model.h"

/* The rows of options.def by name and place. */
typedef struct field {
  const char *name;
  size_t offset;
  enum { COUNTED, REAL_NUMBER, YES_OR_NO, ONE_WORD } kind;
  int words;
  const char *word[4];
} field;
static const field fields[] = {
#define COUNT(name, ...) {#name, offsetof(lrn_rbm_options, name), COUNTED, 0, {0}},
#define REAL(name, ...) {#name, offsetof(lrn_rbm_options, name), REAL_NUMBER, 0, {0}},
#define FLAG(name, ...) {#name, offsetof(lrn_rbm_options, name), YES_OR_NO, 0, {0}},
#define WORD(name, value, count, ...) \
  {#name, offsetof(lrn_rbm_options, name), ONE_WORD, count, {__VA_ARGS__}},
#include "model/options.def"
#undef COUNT
#undef REAL
#undef FLAG
#undef WORD
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* What the optimiser and the chains keep, by the name in front of the parameter's. */
static const struct {
  const char *name;
  lrn_tensor *(*get)(const lrn_work *w, int i, const char **name);
} buffers[] = {{"momentum", lrn_work_momentum}, {"second", lrn_work_second}, {"fast", lrn_work_fast}};
enum { OPTIMIZER_BUFFERS = sizeof buffers / sizeof *buffers };

/* Running means; one that has not begun is not in the file. */
static const char *const mean_names[LRN_MEANS] = {"mean.v", "mean.h", "mean.sparse",
                                                  "mean.y"};

/* Of the data, in the order of LRN_STAT_...; there once training has begun. */
static const char *const stat_names[LRN_STATS] = {"stat.mean", "stat.std"};

/* {=== Writing === */

static int put_options(lrn_file *f, const lrn_rbm_options *o) {
  json_buf b = {0};
  char seed[24];
  int st;
  snprintf(seed, sizeof seed, "%" PRIu64, o->seed);
  lrn_json_put_open(&b, '{');
  for (int i = 0; i < FIELDS; i++) {
    const char *at = (const char *)o + fields[i].offset;
    lrn_json_put_key(&b, fields[i].name);
    switch (fields[i].kind) {
      case COUNTED: lrn_json_put_int(&b, *(const int64_t *)(const void *)at); break;
      case REAL_NUMBER: lrn_json_put_double(&b, *(const double *)(const void *)at); break;
      case YES_OR_NO: lrn_json_put_int(&b, *(const int *)(const void *)at); break;
      case ONE_WORD: lrn_json_put_string(&b, fields[i].word[*(const int *)(const void *)at]); break;
    }
  }
  lrn_json_put_key(&b, "visible");
  lrn_json_put_string(&b, lrn_unit_name(o->visible));
  lrn_json_put_key(&b, "hidden");
  lrn_json_put_string(&b, lrn_unit_name(o->hidden));
  lrn_json_put_key(&b, "dtype");
  lrn_json_put_string(&b, lrn_dtype_name(o->dtype));
  lrn_json_put_key(&b, "seed");
  lrn_json_put_string(&b, seed);
  lrn_json_put_close(&b, '}');
  st = b.status;
  if (st == LRN_OK)
    st = lrn_file_put_meta(f, "lrn.options", b.s);
  lrn_free(b.s);
  return st;
}

/* Where the generator and the epoch stand: "step calls epoch batch samples", and the sums of the
   epoch in hexadecimal floating point, which is exact. */
static int put_generator(lrn_file *f, const lrn_work *w) {
  char text[256];
  lrn_state s;
  lrn_work_get_state(w, &s);
  snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, s.step, s.calls);
  LRN_TRY(lrn_file_put_meta(f, "lrn.generator", text));
  snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %a %a %a %a %a %a", s.epoch,
           s.batch, s.samples, s.mse, s.error, s.pl, s.loss, s.hits, s.labelled);
  return lrn_file_put_meta(f, "lrn.epoch", text);
}

/* "swaps since" */
static int put_ladder(lrn_file *f, const lrn_ladder *l) {
  char text[64];
  snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, l->swaps, l->since);
  LRN_TRY(lrn_file_put_meta(f, "lrn.ladder", text));
  LRN_TRY(lrn_file_put(f, "chain.beta", l->beta));
  LRN_TRY(lrn_file_put(f, "chain.rate", l->rate));
  return lrn_file_put(f, "chain.base", l->base);
}

static int put_model(lrn_file *f, const lrn_rbm *m, const lrn_work *w) {
  const char *name;
  char long_name[32];
  LRN_TRY(lrn_file_put_meta(f, "lrn.format", "1"));
  if (lrn_file_meta(f, "lrn.class") == NULL) /* a caller's own class stays */
    LRN_TRY(lrn_file_put_meta(f, "lrn.class", "RBM"));
  LRN_TRY(put_options(f, &m->options));
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    const lrn_tensor *t = lrn_rbm_parameter(m, i, &name);
    if (t == NULL)
      break;
    LRN_TRY(lrn_file_put(f, name, t));
  }
  for (int i = 0; i < LRN_STATS && m->stat[i] != NULL; i++)
    LRN_TRY(lrn_file_put(f, stat_names[i], m->stat[i]));
  if (w == NULL)
    return LRN_OK;
  LRN_TRY(put_generator(f, w));
  for (int k = 0; k < OPTIMIZER_BUFFERS; k++)
    for (int i = 0; i < LRN_PARAMETERS; i++) {
      const lrn_tensor *t = buffers[k].get(w, i, &name);
      if (t == NULL)
        break;
      snprintf(long_name, sizeof long_name, "%s.%s", buffers[k].name, name);
      LRN_TRY(lrn_file_put(f, long_name, t));
    }
  for (int i = 0; i < LRN_MEANS; i++)
    if (w->means_begun & 1 << i)
      LRN_TRY(lrn_file_put(f, mean_names[i], w->mean[i]));
  if (w->chain != NULL)
    LRN_TRY(lrn_file_put(f, "chain.h", w->chain));
  return w->ladder != NULL ? put_ladder(f, w->ladder) : LRN_OK;
}

int lrn_rbm_store(lrn_file *f, const lrn_rbm *m, const lrn_work *w) {
  int tensors = lrn_file_count(f), meta = lrn_file_meta_count(f);
  int st = put_model(f, m, w);
  if (st != LRN_OK)
    file_truncate(f, tensors, meta); /* so that the caller may try again */
  return st;
}

/* ===} */

/* {=== Reading === */

static int bad_option(const char *name) {
  return lrn_fail(LRN_EFORMAT, "load: lrn.options: '%s' is missing or of another kind", name);
}

static int get_word(const char **out, const json_value *root, const char *name) {
  *out = lrn_json_string(lrn_json_get(root, name));
  return *out != NULL ? LRN_OK : bad_option(name);
}

/* The value of one field; a file that does not have it keeps the default. */
static int get_field(lrn_rbm_options *o, const json_value *root, const field *f) {
  char *at = (char *)o + f->offset;
  const json_value *v = lrn_json_get(root, f->name);
  if (v == NULL)
    return LRN_OK;
  if (f->kind == ONE_WORD) {
    const char *word = lrn_json_string(v);
    for (int i = 0; word != NULL && i < f->words; i++)
      if (strcmp(word, f->word[i]) == 0) {
        *(int *)(void *)at = i;
        return LRN_OK;
      }
    return bad_option(f->name);
  }
  if (f->kind == YES_OR_NO) {
    int64_t flag;
    if (!lrn_json_int(&flag, v) || flag < 0 || flag > 1)
      return bad_option(f->name);
    *(int *)(void *)at = (int)flag;
    return LRN_OK;
  }
  return (f->kind == COUNTED ? lrn_json_int((int64_t *)(void *)at, v)
                             : lrn_json_number((double *)(void *)at, v))
           ? LRN_OK
           : bad_option(f->name);
}

static int get_options(lrn_rbm_options *o, const json_value *root) {
  const char *word;
  char *end;
  for (int i = 0; i < FIELDS; i++)
    LRN_TRY(get_field(o, root, &fields[i]));
  LRN_TRY(get_word(&word, root, "visible"));
  LRN_TRY(lrn_unit_parse(&o->visible, word));
  LRN_TRY(get_word(&word, root, "hidden"));
  LRN_TRY(lrn_unit_parse(&o->hidden, word));
  LRN_TRY(get_word(&word, root, "dtype"));
  LRN_TRY(lrn_dtype_parse(&o->dtype, word));
  LRN_TRY(get_word(&word, root, "seed"));
  o->seed = strtoull(word, &end, 10);
  return *word >= '0' && *word <= '9' && *end == '\0' ? LRN_OK : bad_option("seed");
}

static int get_state(lrn_state *s, const lrn_file *f) {
  const char *generator = lrn_file_meta(f, "lrn.generator"), *epoch = lrn_file_meta(f, "lrn.epoch");
  char junk;
  memset(s, 0, sizeof *s);
  if (generator != NULL &&
      sscanf(generator, "%" SCNu64 " %" SCNu64 "%c", &s->step, &s->calls, &junk) != 2)
    return lrn_fail(LRN_EFORMAT, "load: lrn.generator: '%.60s', expected two integers", generator);
  if (epoch != NULL) { /* six values before there were labels */
    int found = sscanf(epoch, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %la %la %la %la %la %la%c",
                       &s->epoch, &s->batch, &s->samples, &s->mse, &s->error, &s->pl, &s->loss,
                       &s->hits, &s->labelled, &junk);
    if ((found != 6 && found != 9) || s->epoch < 0 || s->batch < 0 || s->samples < 0)
      return lrn_fail(LRN_EFORMAT, "load: lrn.epoch: '%.60s', expected three integers and six "
                      "numbers", epoch);
  }
  return LRN_OK;
}

/* The file's tensor of this name into `to`: shape and dtype must be those of the model. */
static int fetch(lrn_tensor *to, const lrn_file *f, const char *name) {
  const lrn_tensor *t = lrn_file_get(f, name);
  char a[LRN_SHAPE_MAX], b[LRN_SHAPE_MAX];
  if (t == NULL)
    return lrn_fail(LRN_EFORMAT, "load: tensor '%s' is missing", name);
  if (t->view.dtype != to->view.dtype || t->view.nd != to->view.nd ||
      memcmp(t->view.size, to->view.size, (size_t)t->view.nd * sizeof *t->view.size) != 0)
    return lrn_fail(LRN_EFORMAT, "load: tensor '%s': found %s, expected %s", name,
                    lrn_tensor_text(a, t), lrn_tensor_text(b, to));
  return lrn_tensor_copy(to, t);
}

static int fetch_statistics(lrn_rbm *m, const lrn_file *f) {
  int64_t V = m->options.n_visible, size[2] = {LRN_STATS, V};
  lrn_tensor *both = NULL, *row = NULL;
  int st = LRN_OK;
  if (!m->options.normalize || lrn_file_get(f, stat_names[0]) == NULL)
    return LRN_OK;
  LRN_GO(lrn_tensor_new(&both, LRN_F64, 2, size, NULL));
  for (int i = 0; i < LRN_STATS; i++) {
    lrn_tensor_free(row);
    row = NULL;
    LRN_GO(lrn_tensor_select(&row, both, 0, i));
    LRN_GO(fetch(row, f, stat_names[i]));
  }
  st = lrn_set_statistics(m, both->view.data, (double *)both->view.data + V);
  if (st == LRN_ENUMERIC)
    st = lrn_fail(LRN_EFORMAT, "load: stat.mean, stat.std: expected finite numbers, std >= 0");
done:
  lrn_tensor_free(row);
  lrn_tensor_free(both);
  return st;
}

static int fetch_ladder(lrn_ladder *l, const lrn_file *f) {
  const char *text = lrn_file_meta(f, "lrn.ladder");
  lrn_tensor *beta = NULL;
  uint64_t swaps, since;
  char junk;
  int st;
  if (text == NULL || sscanf(text, "%" SCNu64 " %" SCNu64 "%c", &swaps, &since, &junk) != 2 || since > swaps)
    return lrn_fail(LRN_EFORMAT, "load: lrn.ladder: '%.60s', expected two integers, the second one not larger",
                    text != NULL ? text : "");
  LRN_GO(lrn_tensor_clone(&beta, l->beta));
  LRN_GO(fetch(beta, f, "chain.beta"));
  if (lrn_ladder_set(l, beta->view.data) != LRN_OK) {
    st = lrn_fail(LRN_EFORMAT, "load: tensor 'chain.beta': expected values that fall from 1 to 0");
    goto done;
  }
  LRN_GO(fetch(l->rate, f, "chain.rate"));
  LRN_GO(fetch(l->base, f, "chain.base"));
  l->swaps = swaps;
  l->since = since;
done:
  lrn_tensor_free(beta);
  return st;
}

int lrn_rbm_restore(lrn_rbm **out_m, lrn_work **out_w, const lrn_file *f,
                    const lrn_device *device) {
  const char *format = lrn_file_meta(f, "lrn.format"), *options = lrn_file_meta(f, "lrn.options");
  const char *name;
  char long_name[32];
  json_doc *doc = NULL;
  lrn_rbm *m = NULL;
  lrn_work *w = NULL;
  lrn_rbm_options o;
  lrn_state s;
  int st;
  if (format == NULL || strcmp(format, "1") != 0)
    return lrn_fail(LRN_EFORMAT, "load: lrn.format: found '%.20s', expected '1'",
                    format != NULL ? format : "nothing");
  if (options == NULL)
    return lrn_fail(LRN_EFORMAT, "load: lrn.options: found nothing, expected a model's options");
  LRN_GO(lrn_json_parse(&doc, options, strlen(options), "load: lrn.options"));
  lrn_rbm_defaults(&o);
  LRN_GO(get_options(&o, lrn_json_root(doc)));
  o.device = device;
  /* the tensors are looked at first: options of a hostile file must not make us allocate */
  {
    const lrn_tensor *W = lrn_file_get(f, "W");
    if (W == NULL || W->view.nd != 2 || W->view.size[0] != o.n_visible ||
        W->view.size[1] != o.n_hidden) {
      char text[LRN_SHAPE_MAX];
      st = lrn_fail(LRN_EFORMAT, "load: tensor 'W': found %s, expected [%lld, %lld]",
                    W != NULL ? lrn_tensor_text(text, W) : "nothing", (long long)o.n_visible,
                    (long long)o.n_hidden);
      goto done;
    }
  }
  if (o.persistent > 0) {
    const lrn_tensor *chain = lrn_file_get(f, "chain.h");
    if (chain != NULL && (chain->view.nd != 2 || o.replicas < 1 || chain->view.size[0] % o.replicas != 0 ||
                          chain->view.size[0] / o.replicas != o.persistent)) {
      st = lrn_fail(LRN_EFORMAT, "load: tensor 'chain.h': expected %lld chains of %lld rungs",
                    (long long)o.persistent, (long long)o.replicas);
      goto done;
    }
  }
  LRN_GO(get_state(&s, f));
  LRN_GO(lrn_rbm_new(&m, &o));
  for (int i = 0; i < LRN_PARAMETERS; i++) {
    lrn_tensor *t = lrn_rbm_parameter(m, i, &name);
    if (t == NULL)
      break;
    LRN_GO(fetch(t, f, name));
  }
  LRN_GO(fetch_statistics(m, f));
  LRN_GO(lrn_work_new(&w, m, 1, lrn_file_get(f, "momentum.W") != NULL ? LRN_WORK_TRAIN : 0));
  for (int k = 0; k < OPTIMIZER_BUFFERS; k++)
    for (int i = 0; i < LRN_PARAMETERS; i++) {
      lrn_tensor *t = buffers[k].get(w, i, &name);
      if (t == NULL)
        break;
      snprintf(long_name, sizeof long_name, "%s.%s", buffers[k].name, name);
      LRN_GO(fetch(t, f, long_name));
    }
  for (int i = 0; i < LRN_MEANS && w->train; i++)
    if (lrn_file_get(f, mean_names[i]) != NULL) {
      LRN_GO(fetch(w->mean[i], f, mean_names[i]));
      w->means_begun |= 1 << i;
    }
  if (w->chain != NULL && lrn_file_get(f, "chain.h") != NULL)
    LRN_GO(fetch(w->chain, f, "chain.h"));
  if (w->ladder != NULL && lrn_file_get(f, "chain.h") != NULL)
    LRN_GO(fetch_ladder(w->ladder, f));
  lrn_work_set_state(w, &s);
  *out_m = m;
  *out_w = w;
  m = NULL;
  w = NULL;
done:
  lrn_json_free(doc);
  lrn_rbm_free(m);
  lrn_work_free(w);
  return st;
}

/* ===} */
