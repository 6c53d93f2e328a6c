/*
** lindex.c - selection: t[s], t(s, s, ...), t"1:10, :, ::-1" and t[s] = v.
**
** A selector of one dimension is a position, {from, to [, step]}, nil or {} (all), an index tensor
** or a mask of the dimension's length. A mask of t's whole shape stands alone. Positions and
** ranges give views; an index tensor or a mask gives a copy. Ranges are inclusive and never
** clipped; {k, k - 1} is empty.
*/
#include <stdlib.h>
#include <string.h>

#include "bind/lbind.h"

typedef enum { ALL, POSITION, RANGE, TENSOR } selector_kind;

typedef struct selector {
  selector_kind kind;
  int64_t from, len, step; /* 0-based; POSITION: from alone */
  int at;                  /* TENSOR: stack index */
} selector;

static void bad_range(lua_State *L, int64_t from, int64_t to, int64_t step, int d, int64_t size) {
  lrnB_raise(L, "value", "index: range {%lld, %lld, %lld} on dimension %d of size %lld",
             (long long)from, (long long)to, (long long)step, d + 1, (long long)size);
}

/* from, to 1-based (negative from the end), inclusive */
static void set_range(lua_State *L, selector *s, int64_t from, int64_t to, int64_t step, int d,
                      int64_t size) {
  int64_t a = from, b = to;
  s->kind = RANGE;
  s->step = step;
  if (a < 0)
    a += size + 1;
  if (b < 0)
    b += size + 1;
  if (step == 0 || a < 0 || a > size + 1 || b < 0 || b > size + 1)
    bad_range(L, from, to, step, d, size);
  if (b == (step > 0 ? a - 1 : a + 1)) { /* empty: {k, k - 1}, k within 1..size + 1 */
    s->from = 0;
    s->len = 0;
    if (step > 0 ? a < 1 : b > size + 1)
      bad_range(L, from, to, step, d, size);
    return;
  }
  if (from == 0 || to == 0)
    lrnB_raise(L, "value", "index: 0 in a range on dimension %d; positions start at 1", d + 1);
  if (a < 1 || a > size || b < 1 || b > size || (step > 0 ? b < a : b > a))
    bad_range(L, from, to, step, d, size);
  s->from = a - 1;
  s->len = (b - a) / step + 1;
}

static void set_position(lua_State *L, selector *s, int64_t i, int d, int64_t size) {
  if (i == 0)
    lrnB_raise(L, "value", "index: 0 on dimension %d; positions start at 1", d + 1);
  if (i > size || i < -size)
    lrnB_raise(L, "value", "index: %lld on dimension %d of size %lld", (long long)i, d + 1,
               (long long)size);
  s->kind = POSITION;
  s->from = i > 0 ? i - 1 : i + size;
}

/* {from, to, step} at arg; {} is all */
static void read_range(lua_State *L, selector *s, int arg, int d, int64_t size) {
  int64_t value[3] = {0, 0, 1};
  lua_Integer n = lrnB_length(L, arg, "index", "range");
  if (n == 0) {
    s->kind = ALL;
    return;
  }
  if (n > 3)
    lrnB_raise(L, "size", "index: a range of %lld numbers on dimension %d, expected {from, to} or "
               "{from, to, step}", (long long)n, d + 1);
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, arg, i + 1);
    value[i] = lrnB_integer(L, lua_gettop(L), "index", "range");
    lua_pop(L, 1);
  }
  if (n == 1) {
    set_position(L, s, value[0], d, size);
    s->kind = RANGE;
    s->len = 1;
    s->step = 1;
  } else
    set_range(L, s, value[0], value[1], value[2], d, size);
}

static void read_selector(lua_State *L, selector *s, int arg, int d, int64_t size) {
  if (lrnB_opt_tensor(L, arg, "index") != NULL) {
    s->kind = TENSOR;
    s->at = arg;
    return;
  }
  switch (lua_type(L, arg)) {
    case LUA_TNIL: s->kind = ALL; return;
    case LUA_TNUMBER:
      set_position(L, s, lrnB_integer(L, arg, "index", "position"), d, size);
      return;
    case LUA_TTABLE: read_range(L, s, arg, d, size); return;
    default:
      lrnB_raise(L, "type", "index: got %s, expected a position, {from, to}, nil, a tensor",
                 lrnB_show(L, arg));
  }
}

/* {=== "1:10, :, ::-1" === */

static const char *blanks(const char *p) { return p + strspn(p, " \t"); }

static void bad_text(lua_State *L, const char *text) {
  lrnB_raise(L, "value", "index: '%s': expected positions, from:to or from:to:step, with commas",
             text);
}

/* A number at *p into *out; 1 where there was one. */
static int text_number(const char **p, int64_t *out) {
  char *end;
  *p = blanks(*p);
  *out = strtoll(*p, &end, 10);
  if (end == *p)
    return 0;
  *p = blanks(end);
  return 1;
}

static int read_text(lua_State *L, selector *s, const lrn_tensor *t, const char *text) {
  const char *p = text;
  int n = 0, nd = lrn_tensor_ndim(t);
  for (;; p++) {
    int64_t from, to, step = 1, size;
    int have_from, have_to = 0;
    if (n == nd)
      lrnB_raise(L, "size", "index: '%s': more selectors than the %d dimensions", text, nd);
    size = lrn_tensor_size(t, n);
    have_from = text_number(&p, &from);
    if (*p == ':') {
      p++;
      have_to = text_number(&p, &to);
      if (*p == ':') {
        p++;
        if (!text_number(&p, &step))
          bad_text(L, text);
      }
      if (!have_from)
        from = step > 0 ? 1 : -1;
      if (!have_to)
        to = step > 0 ? -1 : 1;
      if (size == 0 && !have_from && !have_to)
        s[n].kind = ALL;
      else
        set_range(L, &s[n], from, to, step, n, size);
    } else if (have_from)
      set_position(L, &s[n], from, n, size);
    else
      bad_text(L, text);
    n++;
    if (*p == '\0')
      return n;
    if (*p != ',')
      bad_text(L, text);
  }
}

/* ===} */

/* The selectors at stack positions first .. first + n, or in one table or text. Returns their
   number; *whole_mask is the stack index of a mask of t's shape, or 0. */
static int read_selectors(lua_State *L, const lrn_tensor *t, selector s[LRN_MAXDIM], int first,
                          int n, int *whole_mask) {
  int nd = lrn_tensor_ndim(t);
  lrn_tensor *only = n == 1 ? lrnB_opt_tensor(L, first, "index") : NULL;
  *whole_mask = 0;
  if (only != NULL && lrn_tensor_dtype(only) == LRN_BOOL && lrn_tensor_ndim(only) == nd) {
    *whole_mask = first;
    return 0;
  }
  if (n == 1 && lua_type(L, first) == LUA_TSTRING)
    return read_text(L, s, t, lua_tostring(L, first));
  if (n > nd)
    lrnB_raise(L, "size", "index: %d selectors for %d dimensions", n, nd);
  for (int d = 0; d < n; d++)
    read_selector(L, &s[d], first + d, d, lrn_tensor_size(t, d));
  return n;
}

/* t[{s, s, ...}]: the selectors of the table, pushed; nil cannot stand in a table, {} can. */
static int unpack_table(lua_State *L, int arg, int nd) {
  lua_Integer n = lrnB_length(L, arg, "index", "selectors");
  if (n > nd)
    lrnB_raise(L, "size", "index: %lld selectors for %d dimensions", (long long)n, nd);
  for (lua_Integer i = 1; i <= n; i++)
    lua_rawgeti(L, arg, i);
  return (int)n;
}

static int only_positions(const selector *s, int n, int nd) {
  for (int d = 0; d < n; d++)
    if (s[d].kind != POSITION)
      return 0;
  return n == nd;
}

/* The view of all selectors but the index tensor, on the top; *dim is the dimension of that view
   which the index tensor selects, or -1. */
static lrn_tensor *select_view(lua_State *L, lrn_tensor *t, const selector *s, int n, int *dim,
                               int *at) {
  lrn_tensor **view = lrnB_new_tensor(L);
  int kept = 0;
  *dim = -1;
  LRNB_TRY(L, lrn_tensor_alias(view, t));
  for (int d = 0; d < n; d++) {
    lrn_tensor *next = NULL;
    if (s[d].kind == ALL || s[d].kind == TENSOR) {
      if (s[d].kind == TENSOR) {
        if (*dim >= 0)
          lrnB_raise(L, "argument", "index: two index tensors in one selection");
        *dim = kept;
        *at = s[d].at;
      }
      kept++;
      continue;
    }
    if (s[d].kind == POSITION)
      LRNB_TRY(L, lrn_tensor_select(&next, *view, kept, s[d].from));
    else {
      LRNB_TRY(L, lrn_tensor_slice(&next, *view, kept, s[d].from, s[d].len, s[d].step));
      kept++;
    }
    lrn_tensor_free(*view);
    *view = next;
  }
  return *view;
}

/* An index tensor, or a mask of one dimension as positions (+ LRN_BASE), on the top. */
static lrn_tensor *index_tensor(lua_State *L, int at, int64_t size) {
  lrn_tensor *idx = lrnB_tensor(L, at, "index");
  if (lrn_tensor_dtype(idx) == LRN_BOOL) {
    lrn_tensor **where, **flat;
    if (lrn_tensor_ndim(idx) != 1 || lrn_tensor_size(idx, 0) != size)
      lrnB_raise(L, "size", "index: mask: got %s, expected a bool tensor of %lld elements",
                 lrnB_show(L, at), (long long)size);
    where = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_nonzero(where, idx, LRN_BASE));
    flat = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_select(flat, *where, 1, 0));
    lrnB_drop(L, -2);
    lua_remove(L, -2);
    lrnB_result(L); /* a view, but all that is left of `where` */
    return *flat;
  }
  lua_pushvalue(L, at);
  return idx;
}

int lrnB_get_selected(lua_State *L, lrn_tensor *t, int first, int n, int is_key) {
  selector s[LRN_MAXDIM];
  int nd = lrn_tensor_ndim(t), mask, dim, at = 0, got;
  lrn_tensor *view;
  if (n == 1 && lua_type(L, first) == LUA_TNUMBER && nd > 1) { /* a row */
    lrn_tensor **row;
    set_position(L, &s[0], lrnB_integer(L, first, "index", "position"), 0, lrn_tensor_size(t, 0));
    row = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_select(row, t, 0, s[0].from));
    return 1;
  }
  if (is_key && lua_isnil(L, first))
    return lrnB_raise(L, "type", "index: got nil, expected a selector");
  if (is_key && lua_type(L, first) == LUA_TTABLE) { /* t[{ {1, 10}, {} }] */
    n = unpack_table(L, first, nd);
    first = lua_gettop(L) - n + 1;
  }
  got = read_selectors(L, t, s, first, n, &mask);
  if (mask != 0) {
    lrn_tensor *m = lrnB_tensor(L, mask, "index");
    lrn_tensor **out = lrnB_new_tensor(L);
    LRNB_TRY_AS(L, "index", lrn_masked_select(out, t, m));
    return lrnB_result(L);
  }
  if (only_positions(s, got, nd)) {
    int64_t index[LRN_MAXDIM];
    for (int d = 0; d < nd; d++)
      index[d] = s[d].from;
    return lrnB_push_element(L, t, index);
  }
  view = select_view(L, t, s, got, &dim, &at);
  if (dim >= 0) {
    lrn_tensor *idx = index_tensor(L, at, lrn_tensor_size(view, dim));
    lrn_tensor **out = lrnB_new_tensor(L);
    LRNB_TRY_AS(L, "index", lrn_index_select(out, view, dim, idx, LRN_BASE));
    return lrnB_result(L);
  }
  return 1;
}

/* The value at `value` into all of `to`. */
static void assign(lua_State *L, lrn_tensor *to, int value) {
  lrn_tensor *src = lrnB_opt_tensor(L, value, "index");
  if (src == NULL)
    lrnB_fill(L, to, value, "index");
  else
    LRNB_TRY_AS(L, "index", lrn_tensor_copy(to, src));
}

lrn_tensor *lrnB_value_tensor(lua_State *L, const lrn_tensor *t, int value, const char *f) {
  lrn_tensor *src = lrnB_opt_tensor(L, value, f);
  lrn_tensor **box;
  if (src != NULL) {
    lua_pushvalue(L, value);
    return src;
  }
  box = lrnB_new_tensor(L);
  LRNB_TRY_AS(L, f, lrn_tensor_new(box, lrn_tensor_dtype(t), 0, NULL, lrn_tensor_device(t)));
  lrnB_fill(L, *box, value, f);
  return *box;
}

static void assign_masked(lua_State *L, lrn_tensor *t, int mask_at, int value) {
  lrn_tensor *mask = lrnB_tensor(L, mask_at, "index");
  lrn_tensor *src = lrnB_opt_tensor(L, value, "index");
  for (int d = 0; d < lrn_tensor_ndim(t); d++) /* as many dimensions as t has, but their sizes? */
    if (lrn_tensor_size(mask, d) != lrn_tensor_size(t, d))
      lrnB_raise(L, "size", "index: mask: got %s of %s", lrnB_show(L, mask_at), lrnB_show(L, 1));
  if (src == NULL || lrn_tensor_ndim(src) == 0) {
    lrn_tensor *v = lrnB_value_tensor(L, t, value, "index");
    lrn_arg args[3] = {lrn_argt(mask), lrn_argt(v), lrn_argt(t)};
    LRNB_TRY_AS(L, "index", lrn_map(NULL, t, lrn_op_find("where"), args, 3));
    return;
  }
  { /* one value for each true element, in order: through the flat positions */
    int64_t all = lrn_tensor_numel(t);
    lrn_tensor **whole = lrnB_new_tensor(L), **flat, **flat_mask, **where, **idx;
    LRNB_TRY(L, lrn_tensor_contiguous(whole, t));
    flat = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_view(flat, *whole, 1, &all));
    flat_mask = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_reshape(flat_mask, mask, 1, &all));
    where = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_nonzero(where, *flat_mask, LRN_BASE));
    idx = lrnB_new_tensor(L);
    LRNB_TRY(L, lrn_tensor_select(idx, *where, 1, 0));
    if (lrn_tensor_ndim(src) != 1 || lrn_tensor_size(src, 0) != lrn_tensor_size(*idx, 0))
      lrnB_raise(L, "size", "index: got %s for the %lld true elements of the mask",
                 lrnB_show(L, value), (long long)lrn_tensor_size(*idx, 0));
    LRNB_TRY_AS(L, "index", lrn_index_copy(*flat, 0, *idx, LRN_BASE, src));
    if (!lrn_tensor_shares(*whole, t))
      LRNB_TRY(L, lrn_tensor_copy(t, *whole));
    for (int i = -5; i < 0; i++)
      lrnB_drop(L, i);
  }
}

int lrnB_set_selected(lua_State *L, lrn_tensor *t, int at_selector, int value) {
  selector s[LRN_MAXDIM];
  int nd = lrn_tensor_ndim(t), first = at_selector, n = 1, mask, dim, at = 0, got;
  lrn_tensor *view;
  lrnB_box *box;
  if (lua_type(L, at_selector) == LUA_TTABLE) {
    n = unpack_table(L, at_selector, nd);
    first = lua_gettop(L) - n + 1;
  }
  if (lua_isnil(L, at_selector))
    return lrnB_raise(L, "type", "index: got nil, expected a selector");
  if (n == 1 && lua_type(L, first) == LUA_TNUMBER && nd > 0) {
    int64_t i = lrnB_integer(L, first, "index", "position");
    if (i == lrn_tensor_size(t, 0) + 1)
      return lrnB_raise(L, "value", "index: %lld on dimension 1 of size %lld: a tensor does not "
                        "grow; use cat", (long long)i, (long long)i - 1);
  }
  got = read_selectors(L, t, s, first, n, &mask);
  if (mask != 0) {
    assign_masked(L, t, mask, value);
    return 0;
  }
  view = select_view(L, t, s, got, &dim, &at);
  box = lua_touserdata(L, -1);
  if (dim >= 0) {
    lrn_tensor *idx = index_tensor(L, at, lrn_tensor_size(view, dim));
    lrn_tensor *v = lrnB_value_tensor(L, t, value, "index");
    LRNB_TRY_AS(L, "index", lrn_index_copy(view, dim, idx, LRN_BASE, v));
  } else
    assign(L, view, value);
  lrn_tensor_free(view); /* not left to the collector: it would hold the storage of a closed t */
  box->p = NULL;
  return 0;
}
