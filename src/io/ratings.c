/*
** ratings.c - ratings as triplets (user, item, rating): sorted into rows by user, and read from text.
**
** Sorting is two counting sorts, by item and then by user, both stable: within a user items ascend,
** and of a pair that comes twice the later triplet stands behind. Between them is one permutation.
*/
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/bytes.h"
#include "tensor/tensor.h"

/* {=== Sorting === */

typedef struct triplets {
  const lrn_tensor *user, *item, *rating;
  int64_t n, base, n_users, n_items;
  const double *values;
  int n_values;
  int64_t *bad;
} triplets;

static int64_t integer_at(const lrn_tensor *t, int64_t i) {
  return t->view.dtype == LRN_I64 ? ((const int64_t *)t->view.data)[i]
                                  : ((const int32_t *)t->view.data)[i];
}

static double number_at(const lrn_tensor *t, int64_t i) {
  switch (t->view.dtype) {
    case LRN_F32: return (double)((const float *)t->view.data)[i];
    case LRN_F64: return ((const double *)t->view.data)[i];
    case LRN_I64: return (double)((const int64_t *)t->view.data)[i];
    case LRN_I32: return (double)((const int32_t *)t->view.data)[i];
    default: return (double)((const uint8_t *)t->view.data)[i];
  }
}

/* The level of a rating, to within rounding to float32; -1 for none. */
static int level_of(const triplets *t, double rating) {
  for (int k = 0; k < t->n_values; k++)
    if (fabs(rating - t->values[k]) <= 1e-6 * (1 + fabs(rating)))
      return k;
  return -1;
}

static int is_vector(const lrn_tensor *t, int64_t n) {
  return t->view.nd == 1 && t->view.size[0] == n && lrn_tensor_is_contiguous(t) &&
         t->storage->device->backend.host_memory;
}

static int check_triplets(const triplets *t) {
  const lrn_tensor *id[2] = {t->user, t->item};
  for (int i = 0; i < 2; i++)
    if (!is_vector(id[i], t->n) || (id[i]->view.dtype != LRN_I64 && id[i]->view.dtype != LRN_I32))
      return lrn_fail(LRN_ETYPE, "ratings: %s: expected a contiguous vector of int64 or int32 on the CPU, "
                      "as long as users", i == 0 ? "users" : "items");
  if (!is_vector(t->rating, t->n))
    return lrn_fail(LRN_ETYPE, "ratings: ratings: expected a contiguous vector on the CPU, as long as users");
  if (t->n >= INT32_MAX || t->n_users < 0 || t->n_items < 1 || t->n_items >= INT32_MAX ||
      t->n_users >= INT32_MAX)
    return lrn_fail(LRN_EVALUE, "ratings: got %lld ratings, %lld users, %lld items, expected below 2^31 - 1",
                    (long long)t->n, (long long)t->n_users, (long long)t->n_items);
  if (t->n_values < 2 || t->n_values > LRN_MOST_LEVELS)
    return lrn_fail(LRN_EVALUE, "ratings: levels: got %d, expected 2 to %d", t->n_values, LRN_MOST_LEVELS);
  for (int k = 1; k < t->n_values; k++)
    if (!(t->values[k] > t->values[k - 1]))
      return lrn_fail(LRN_EVALUE, "ratings: levels: got %g after %g, expected ascending numbers",
                      t->values[k], t->values[k - 1]);
  return LRN_OK;
}

static int check_values(const triplets *t) {
  for (int64_t i = 0; i < t->n; i++) {
    int64_t u = integer_at(t->user, i) - t->base, v = integer_at(t->item, i) - t->base;
    *t->bad = i;
    if (u < 0 || u >= t->n_users)
      return lrn_fail(LRN_EVALUE, "ratings: users: got %lld (triplet %lld), expected %lld..%lld",
                      (long long)(u + t->base), (long long)(i + t->base), (long long)t->base,
                      (long long)(t->n_users - 1 + t->base));
    if (v < 0 || v >= t->n_items)
      return lrn_fail(LRN_EVALUE, "ratings: items: got %lld (triplet %lld), expected %lld..%lld",
                      (long long)(v + t->base), (long long)(i + t->base), (long long)t->base,
                      (long long)(t->n_items - 1 + t->base));
    if (level_of(t, number_at(t->rating, i)) < 0)
      return lrn_fail(LRN_EVALUE, "ratings: ratings: got %g (triplet %lld), expected one of the %d levels "
                      "%g..%g", number_at(t->rating, i), (long long)(i + t->base), t->n_values,
                      t->values[0], t->values[t->n_values - 1]);
  }
  *t->bad = -1;
  return LRN_OK;
}

/* next[k + 1] = how many ids are below k + 1: where the next one of k + 1 goes. */
static void starts(int64_t *next, const lrn_tensor *id, const triplets *t, int64_t ids) {
  memset(next, 0, (size_t)(ids + 1) * sizeof *next);
  for (int64_t i = 0; i < t->n; i++)
    next[integer_at(id, i) - t->base + 1]++;
  for (int64_t k = 0; k < ids; k++)
    next[k + 1] += next[k];
}

/* Rows without the earlier ones of equal neighbours; all move up. */
static int join_twice(lrn_tensor *out[3], const triplets *t, int keep_last) {
  int64_t *offset = out[0]->view.data, to = 0, from = 0;
  int32_t *item = out[1]->view.data;
  uint8_t *level = out[2]->view.data;
  for (int64_t u = 0; u < t->n_users; u++) {
    int64_t end = offset[u + 1], begin = to;
    for (; from < end; from++) {
      if (to > begin && item[to - 1] == item[from]) {
        if (!keep_last)
          return lrn_fail(LRN_EVALUE, "ratings: user %lld rated item %lld twice; say which counts: "
                          "duplicates = \"last\"", (long long)(u + t->base),
                          (long long)(item[from] + t->base));
        to--;
      }
      item[to] = item[from];
      level[to++] = level[from];
    }
    offset[u + 1] = to;
  }
  for (int i = 1; i < 3 && to < from; i++) {
    lrn_tensor *part = NULL, *fewer = NULL;
    int st;
    LRN_TRY(lrn_tensor_narrow(&part, out[i], 0, 0, to));
    st = lrn_tensor_clone(&fewer, part);
    lrn_tensor_free(part);
    LRN_TRY(st);
    lrn_tensor_free(out[i]);
    out[i] = fewer;
  }
  return LRN_OK;
}

int lrn_ratings_sort(lrn_tensor *out[3], const lrn_tensor *users, const lrn_tensor *items,
                     const lrn_tensor *ratings, int64_t base, int64_t n_users, int64_t n_items,
                     const double *values, int n_values, int keep_last, int64_t *bad) {
  triplets t = {.user = users, .item = items, .rating = ratings, .base = base, .n_users = n_users,
                .n_items = n_items, .values = values, .n_values = n_values, .bad = bad};
  static const int dtypes[3] = {LRN_I64, LRN_I32, LRN_U8};
  int64_t size[3], *next = NULL, *offset;
  int32_t *by_item = NULL;
  void *memory;
  int st;
  out[0] = out[1] = out[2] = NULL;
  *bad = -1;
  t.n = users->view.nd == 1 ? users->view.size[0] : -1;
  LRN_TRY(check_triplets(&t));
  LRN_TRY(check_values(&t));
  size[0] = n_users + 1;
  size[1] = size[2] = t.n;
  LRN_GO(lrn_alloc(&memory, (size_t)(n_items > n_users ? n_items : n_users) + 1, sizeof *next, "ratings"));
  next = memory;
  LRN_GO(lrn_alloc(&memory, (size_t)t.n + 1, sizeof *by_item, "ratings"));
  by_item = memory;
  starts(next, items, &t, n_items);
  for (int64_t i = 0; i < t.n; i++)
    by_item[next[integer_at(items, i) - base]++] = (int32_t)i;
  for (int i = 0; i < 3; i++)
    LRN_GO(lrn_tensor_new(&out[i], dtypes[i], 1, &size[i], lrn_device_cpu()));
  starts(next, users, &t, n_users);
  offset = out[0]->view.data;
  memcpy(offset, next, (size_t)(n_users + 1) * sizeof *offset);
  for (int64_t at = 0; at < t.n; at++) {
    int64_t i = by_item[at], to = next[integer_at(users, i) - base]++;
    ((int32_t *)out[1]->view.data)[to] = (int32_t)(integer_at(items, i) - base);
    ((uint8_t *)out[2]->view.data)[to] = (uint8_t)level_of(&t, number_at(ratings, i));
  }
  lrn_free(by_item);
  by_item = NULL;
  LRN_GO(join_twice(out, &t, keep_last));
done:
  lrn_free(next);
  lrn_free(by_item);
  for (int i = 0; i < 3 && st != LRN_OK; i++) {
    lrn_tensor_free(out[i]);
    out[i] = NULL;
  }
  return st;
}

int lrn_ratings_users(lrn_tensor **out, const lrn_tensor *offset, int64_t base) {
  const int64_t *at = offset->view.data, users = offset->view.nd == 1 ? offset->view.size[0] - 1 : -1;
  int64_t n;
  int32_t *user;
  if (users < 0 || users >= INT32_MAX || offset->view.dtype != LRN_I64 || !is_vector(offset, users + 1))
    return lrn_fail(LRN_ETYPE, "ratings: offset: expected a contiguous vector of int64 on the CPU");
  for (int64_t u = 0; u < users; u++)
    if (at[0] != 0 || at[u + 1] < at[u] || at[u + 1] >= INT32_MAX)
      return lrn_fail(LRN_EVALUE, "ratings: offset: expected ascending numbers from 0 on");
  n = at[users];
  LRN_TRY(lrn_tensor_new(out, LRN_I32, 1, &n, lrn_device_cpu()));
  user = (*out)->view.data;
  for (int64_t u = 0; u < users; u++)
    for (int64_t i = at[u]; i < at[u + 1]; i++)
      user[i] = (int32_t)(u + base);
  return LRN_OK;
}

int lrn_ratings_totals(lrn_tensor *out[2], const lrn_tensor *id, const lrn_tensor *level, int64_t n,
                       const double *values, int n_values) {
  const int32_t *key = id->view.data;
  const uint8_t *given = level->view.data;
  int st;
  out[0] = out[1] = NULL;
  if (id->view.nd != 1 || !is_vector(id, id->view.size[0]) || id->view.dtype != LRN_I32 ||
      !is_vector(level, id->view.size[0]) || level->view.dtype != LRN_U8)
    return lrn_fail(LRN_ETYPE, "ratings: expected contiguous vectors on the CPU: id int32, level uint8");
  for (int i = 0; i < 2; i++) {
    LRN_GO(lrn_tensor_new(&out[i], LRN_F64, 1, &n, lrn_device_cpu()));
    LRN_GO(lrn_tensor_fill(out[i], 0));
  }
  for (int64_t i = 0; i < id->view.size[0]; i++) {
    if (key[i] < 0 || key[i] >= n || given[i] >= n_values)
      LRN_GO(lrn_fail(LRN_EVALUE, "ratings: id %d or level %d is out of range", key[i], given[i]));
    ((double *)out[0]->view.data)[key[i]]++;
    ((double *)out[1]->view.data)[key[i]] += values[given[i]];
  }
done:
  for (int i = 0; i < 2 && st != LRN_OK; i++) {
    lrn_tensor_free(out[i]);
    out[i] = NULL;
  }
  return st;
}

/* ===} */

/* {=== Reading === */

typedef struct reader {
  const char *path, *function;
  int fd;
  int64_t line; /* of the text, from 1 */
  size_t at, n; /* of buffer */
  char text[256]; /* the line, cut */
  char buffer[65536];
} reader;

static int open_text(reader *r) {
  size_t size;
  r->line = 0;
  r->at = r->n = 0;
  return bytes_open(&r->fd, &size, r->path, r->function);
}

static void close_text(reader *r) {
  if (r->fd >= 0)
    close(r->fd);
  r->fd = -1;
}

/* The next line into r->text; *there 0 at the end. What follows the first 255 bytes is left out. */
static int next_line(reader *r, int *there) {
  size_t n = 0;
  int any = 0;
  for (;;) {
    if (r->at == r->n) {
      ssize_t got = read(r->fd, r->buffer, sizeof r->buffer);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return lrn_fail_errno(errno, r->function, r->path);
      r->at = 0;
      r->n = (size_t)got;
      if (got == 0)
        break;
    }
    any = 1;
    if (r->buffer[r->at] == '\n') {
      r->at++;
      break;
    }
    if (n < sizeof r->text - 1)
      r->text[n++] = r->buffer[r->at];
    r->at++;
  }
  r->text[n] = '\0';
  r->line += any;
  *there = any;
  return LRN_OK;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static const char *skip_blank(const char *s) {
  while (*s == ' ' || *s == '\t' || *s == '\r')
    s++;
  return s;
}

/* Past what stands between two fields; NULL where nothing does. */
static const char *skip_separator(const char *s) {
  const char *after = skip_blank(s);
  if (after[0] == ':' && after[1] == ':')
    return skip_blank(after + 2);
  if (*after == ',' || *after == ';')
    return skip_blank(after + 1);
  return after > s ? after : NULL;
}

/* Digits at s, at most those of an int32; NULL where there are none. */
static const char *read_id(const char *s, int32_t *id) {
  int64_t value = 0;
  const char *p = s;
  for (; is_digit(*p) && value <= INT32_MAX; p++)
    value = 10 * value + (*p - '0');
  *id = (int32_t)value;
  return p > s && value <= INT32_MAX ? p : NULL;
}

/* A decimal number without an exponent. strtod would ask the locale what a point is. */
static const char *read_number(const char *s, float *out) {
  int negative = *s == '-', digits = 0;
  double value = 0, unit = 1;
  for (s += negative; is_digit(*s) && digits < 15; s++, digits++)
    value = 10 * value + (*s - '0');
  if (*s == '.')
    for (s++; is_digit(*s) && digits < 15; s++, digits++) {
      value = 10 * value + (*s - '0');
      unit *= 10;
    }
  *out = (float)((negative ? -value : value) / unit);
  return digits > 0 && !is_digit(*s) ? s : NULL;
}

/* What a number may be followed by. */
static int ends(const char *s) { return *s == '\0' || skip_separator(s) != NULL; }

static int parse(const reader *r, int32_t *user, int32_t *item, float *rating) {
  const char *s = read_id(skip_blank(r->text), user);
  if (s != NULL)
    s = skip_separator(s);
  if (s != NULL)
    s = read_id(s, item);
  if (s != NULL)
    s = skip_separator(s);
  if (s != NULL)
    s = read_number(s, rating);
  if (s == NULL || !ends(s))
    return lrn_fail(LRN_EFORMAT, "%s: %s: line %lld: got '%.60s', expected user, item, rating", r->function,
                    r->path, (long long)r->line, r->text);
  return LRN_OK;
}

/* 1 where the line holds a triplet: it is neither empty nor a heading. */
static int counts(const reader *r) {
  const char *s = skip_blank(r->text);
  return *s != '\0' && (r->line > 1 || is_digit(*s));
}

/* One pass: into out, or without it the number of triplets alone. */
static int pass(reader *r, lrn_tensor *const out[3], int64_t *n) {
  int64_t most = *n;
  int there, st;
  *n = 0;
  LRN_GO(open_text(r));
  for (;;) {
    LRN_GO(next_line(r, &there));
    if (!there)
      break;
    if (!counts(r))
      continue;
    if (out != NULL && *n < most)
      LRN_GO(parse(r, (int32_t *)out[0]->view.data + *n, (int32_t *)out[1]->view.data + *n,
                   (float *)out[2]->view.data + *n));
    ++*n;
  }
  if (out != NULL && *n != most)
    st = lrn_fail(LRN_EIO, "%s: %s: changed while it was read", r->function, r->path);
done:
  close_text(r);
  return st;
}

int lrn_ratings_read(lrn_tensor *out[3], const char *path, const char *function) {
  static const int dtypes[3] = {LRN_I32, LRN_I32, LRN_F32};
  void *memory;
  reader *r = NULL;
  int64_t n = 0;
  int st;
  out[0] = out[1] = out[2] = NULL;
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *r, function));
  r = memory;
  r->path = path;
  r->function = function;
  r->fd = -1;
  LRN_GO(pass(r, NULL, &n));
  if (n == 0)
    LRN_GO(lrn_fail(LRN_EFORMAT, "%s: %s: no line with user, item, rating", function, path));
  for (int i = 0; i < 3; i++)
    LRN_GO(lrn_tensor_new(&out[i], dtypes[i], 1, &n, lrn_device_cpu()));
  LRN_GO(pass(r, out, &n));
done:
  lrn_free(r);
  for (int i = 0; i < 3 && st != LRN_OK; i++) {
    lrn_tensor_free(out[i]);
    out[i] = NULL;
  }
  return st;
}

/* ===} */
