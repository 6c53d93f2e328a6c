/*
** lcairo.c - cairo and pango for the plots: surfaces, a drawing context, text, images.
** A library of its own (liblrn_plot.so, opened by lua/lrn/plot/cairo.lua at first use), so
** that lrn itself starts without cairo. Thin: layout, ticks and colours are Lua's matter.
**
** Two classes. A Surface owns a cairo surface and, for PDF, the file that it is written
** to; a Context draws on one Surface and keeps it alive (user value 1).
**
**     Context --user value 1--> Surface --sink--> "a.pdf.1234-0.tmp" --finish--> "a.pdf"
**
** A file appears under its name only when it is complete: `finish`, `write_to_png` and
** `write_file` rename,
** everything else (collection, __close, an error) removes the temporary file.
** Between the making of a cairo object and its storing in a box no Lua function is called
** that can raise, so that nothing leaks on a longjmp.
*/
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cairo-pdf.h>
#include <cairo.h>
#include <pango/pangocairo.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/lgc.h"
#include "lrn.h"

#define SURFACE "lrn.plot.Surface"
#define CONTEXT "lrn.plot.Context"

#define MAX_PIXELS 32767 /* cairo's limit on a side of an image */
#define MAX_POINTS 14400 /* and PDF's on a page, 200 inches */
#define MAX_DASHES 16

/* {====================================================================
** Sink: a file that replaces its target only when it is complete
** ===================================================================== */

typedef struct Sink {
  FILE *file; /* NULL: not open */
  char *path; /* the target, symbolic links resolved */
  char *temp; /* what is written; NULL: the target itself (a pipe, a device) */
  int error;  /* errno of the first failed write */
} Sink;

static void sink_free(Sink *s) {
  free(s->path);
  free(s->temp);
  memset(s, 0, sizeof *s);
}

static void sink_discard(Sink *s) {
  if (s->file != NULL)
    fclose(s->file);
  if (s->temp != NULL)
    unlink(s->temp);
  sink_free(s);
}

/* Opens a new file beside the target, with the target's mode if there is one. 0 or errno. */
static int sink_open(Sink *s, const char *path) {
  struct stat st;
  mode_t mode = 0666;
  int fd = -1, exists, err;
  size_t room;
  memset(s, 0, sizeof *s);
  s->path = realpath(path, NULL);
  if (s->path == NULL)
    s->path = strdup(path);
  if (s->path == NULL)
    return ENOMEM;
  exists = stat(s->path, &st) == 0;
  if (exists && S_ISDIR(st.st_mode)) {
    sink_free(s);
    return EISDIR;
  }
  if (exists && !S_ISREG(st.st_mode)) {
    s->file = fopen(s->path, "wb");
  } else {
    room = strlen(s->path) + 48;
    s->temp = malloc(room);
    for (int i = 0; s->temp != NULL && i < 100; i++) {
      snprintf(s->temp, room, "%s.%ld-%d.tmp", s->path, (long)getpid(), i);
      fd = open(s->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (fd >= 0 || errno != EEXIST)
        break;
    }
    if (fd >= 0) {
      if (exists && fchmod(fd, st.st_mode & 0777) != 0) {
        /* another's file in a folder of ours: the new file keeps the default mode */
      }
      s->file = fdopen(fd, "wb");
    }
  }
  if (s->file != NULL)
    return 0;
  err = errno != 0 ? errno : EIO;
  if (fd >= 0) {
    close(fd);
    unlink(s->temp);
  }
  sink_free(s);
  return err;
}

/* Closes and renames. 0 or errno; the sink is free either way. */
static int sink_commit(Sink *s) {
  int err = s->error;
  if (fclose(s->file) != 0 && err == 0)
    err = errno;
  s->file = NULL;
  if (err == 0 && s->temp != NULL && rename(s->temp, s->path) != 0)
    err = errno;
  if (err == 0)
    sink_free(s);
  else
    sink_discard(s);
  return err;
}

static cairo_status_t sink_write(void *closure, const unsigned char *data,
                                 unsigned int length) {
  Sink *s = closure;
  if (s->error == 0 && fwrite(data, 1, length, s->file) != length)
    s->error = errno != 0 ? errno : EIO;
  return s->error == 0 ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* A fact about the world: nil, message, code. */
static int world(lua_State *L, const char *function, const char *path, int errnum) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s: %s", function, path, strerror(errnum));
  lua_pushliteral(L, "EIO");
  return 3;
}

/* }==================================================================== */

/* {====================================================================
** Surface
** ===================================================================== */

typedef enum { IMAGE, PDF } Kind;
static const char *const kind_name[] = {"image", "pdf"};

typedef struct Surface {
  cairo_surface_t *surface; /* NULL: closed */
  Kind kind;
  double width, height; /* pixels of an image, points of a page */
  Sink sink;            /* PDF: open as long as the surface is */
} Surface;

static Surface *checksurface(lua_State *L) {
  Surface *s = luaL_checkudata(L, 1, SURFACE);
  luaL_argcheck(L, s->surface != NULL, 1, "the surface is closed");
  return s;
}

static Surface *checkimage(lua_State *L) {
  Surface *s = checksurface(L);
  luaL_argcheck(L, s->kind == IMAGE, 1, "image surface expected");
  return s;
}

/* An empty box; the caller fills in the surface. */
static Surface *newsurface(lua_State *L, Kind kind, double width, double height) {
  Surface *s = lua_newuserdatauv(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->kind = kind;
  s->width = width;
  s->height = height;
  luaL_setmetatable(L, SURFACE);
  return s;
}

static int surface_gc(lua_State *L) {
  Surface *s = luaL_checkudata(L, 1, SURFACE);
  if (s->surface != NULL) {
    cairo_surface_finish(s->surface); /* the last writes to the sink */
    cairo_surface_destroy(s->surface);
    s->surface = NULL;
  }
  sink_discard(&s->sink);
  return 0;
}

/* image_surface(width, height [, format]) -> surface. format: "argb32" (default), "rgb24". */
static int image_surface(lua_State *L) {
  static const char *const name[] = {"argb32", "rgb24", NULL};
  static const cairo_format_t format[] = {CAIRO_FORMAT_ARGB32, CAIRO_FORMAT_RGB24};
  lua_Integer w = luaL_checkinteger(L, 1), h = luaL_checkinteger(L, 2);
  int f = luaL_checkoption(L, 3, "argb32", name);
  Surface *s;
  luaL_argcheck(L, w >= 1 && w <= MAX_PIXELS, 1, "width outside 1..32767");
  luaL_argcheck(L, h >= 1 && h <= MAX_PIXELS, 2, "height outside 1..32767");
  if (w * h >= 256)
    lrnB_tell_collector(L, (size_t)(4 * w * h));
  s = newsurface(L, IMAGE, (double)w, (double)h);
  s->surface = cairo_image_surface_create(format[f], (int)w, (int)h);
  if (cairo_surface_status(s->surface) != CAIRO_STATUS_SUCCESS)
    return luaL_error(L, "image_surface: out of memory for %d x %d pixels", (int)w, (int)h);
  return 1;
}

/* pdf_surface(path, width, height) -> surface | nil, message, code. Sizes in points. */
static int pdf_surface(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  double w = luaL_checknumber(L, 2), h = luaL_checknumber(L, 3);
  Surface *s;
  int err;
  luaL_argcheck(L, w > 0 && w <= MAX_POINTS, 2, "width outside 0..14400 points");
  luaL_argcheck(L, h > 0 && h <= MAX_POINTS, 3, "height outside 0..14400 points");
  s = newsurface(L, PDF, w, h);
  err = sink_open(&s->sink, path);
  if (err != 0)
    return world(L, "pdf_surface", path, err);
  s->surface = cairo_pdf_surface_create_for_stream(sink_write, &s->sink, w, h);
  if (cairo_surface_status(s->surface) != CAIRO_STATUS_SUCCESS)
    return luaL_error(L, "pdf_surface: %s",
                      cairo_status_to_string(cairo_surface_status(s->surface)));
  return 1;
}

/* read_png(path) -> image surface | nil, message, code. */
static int read_png(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  Surface *s = newsurface(L, IMAGE, 0, 0);
  cairo_format_t format;
  cairo_status_t status;
  s->surface = cairo_image_surface_create_from_png(path);
  status = cairo_surface_status(s->surface);
  format = cairo_image_surface_get_format(s->surface);
  if (format == CAIRO_FORMAT_ARGB32 || format == CAIRO_FORMAT_RGB24) {
    s->width = cairo_image_surface_get_width(s->surface);
    s->height = cairo_image_surface_get_height(s->surface);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "read_png: %s: %s", path,
                  status == CAIRO_STATUS_FILE_NOT_FOUND ? strerror(ENOENT)
                                                          : "not a PNG file of 8 bits a channel");
  lua_pushstring(L, status == CAIRO_STATUS_FILE_NOT_FOUND ? "EIO" : "EFORMAT");
  return 3;
}

/* write_file(path, bytes) -> true | nil, message, code. */
static int write_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  Sink sink;
  int err = sink_open(&sink, path);
  if (err == 0) {
    errno = 0;
    if (fwrite(bytes, 1, length, sink.file) != length)
      sink.error = errno != 0 ? errno : EIO;
    err = sink_commit(&sink);
  }
  if (err != 0)
    return world(L, "write_file", path, err);
  lua_pushboolean(L, 1);
  return 1;
}

/* s:finish() -> true | nil, message, code. Completes the file of a page and closes. */
static int surface_finish(lua_State *L) {
  Surface *s = checksurface(L);
  cairo_status_t status;
  int err = 0;
  if (s->sink.path != NULL) /* for the message: sink_commit frees it */
    lua_pushstring(L, s->sink.path);
  cairo_surface_finish(s->surface);
  status = cairo_surface_status(s->surface);
  cairo_surface_destroy(s->surface);
  s->surface = NULL;
  if (s->sink.file != NULL) {
    if (status != CAIRO_STATUS_SUCCESS && s->sink.error == 0)
      s->sink.error = status == CAIRO_STATUS_NO_MEMORY ? ENOMEM : EIO;
    err = sink_commit(&s->sink);
  }
  if (err != 0)
    return world(L, "finish", lua_tostring(L, -1), err);
  lua_pushboolean(L, 1);
  return 1;
}

/* s:write_to_png(path) -> true | nil, message, code. */
static int surface_write_to_png(lua_State *L) {
  Surface *s = checkimage(L);
  const char *path = luaL_checkstring(L, 2);
  Sink sink;
  cairo_status_t status;
  int err = sink_open(&sink, path);
  if (err == 0) {
    status = cairo_surface_write_to_png_stream(s->surface, sink_write, &sink);
    if (status != CAIRO_STATUS_SUCCESS && sink.error == 0)
      sink.error = status == CAIRO_STATUS_NO_MEMORY ? ENOMEM : EIO;
    err = sink_commit(&sink);
  }
  if (err != 0)
    return world(L, "write_to_png", path, err);
  lua_pushboolean(L, 1);
  return 1;
}

/* A string under construction, in the buffer of a luaL_Buffer that is large enough for all of it:
   cairo's writer must not call Lua. */
typedef struct Text {
  char *to;
  size_t length, room;
} Text;

static cairo_status_t text_write(void *closure, const unsigned char *data, unsigned int length) {
  Text *t = closure;
  if (length > t->room - t->length)
    return CAIRO_STATUS_WRITE_ERROR;
  memcpy(t->to + t->length, data, length);
  t->length += length;
  return CAIRO_STATUS_SUCCESS;
}

/* s:topng() -> the bytes of a PNG file. */
static int surface_topng(lua_State *L) {
  Surface *s = checkimage(L);
  size_t raw = ((size_t)s->width * 4 + 1) * (size_t)s->height;
  Text t = {NULL, 0, raw + raw / 128 + 4096}; /* incompressible: deflate adds 1/1000, chunks 1/600 */
  cairo_status_t status;
  luaL_Buffer b;
  t.to = luaL_buffinitsize(L, &b, t.room);
  status = cairo_surface_write_to_png_stream(s->surface, text_write, &t);
  if (status != CAIRO_STATUS_SUCCESS)
    return luaL_error(L, "topng: %s", cairo_status_to_string(status));
  luaL_pushresultsize(&b, t.length);
  return 1;
}

/* Straight (not premultiplied) red, green, blue, alpha of a pixel in cairo's native word. */
static void straight(uint32_t word, int opaque, unsigned char rgba[4]) {
  unsigned a = opaque ? 255 : word >> 24;
  for (int i = 0; i < 3; i++) {
    unsigned v = word >> (16 - 8 * i) & 255;
    rgba[i] = (unsigned char)(a == 0 ? 0 : (v * 255 + a / 2) / a);
  }
  rgba[3] = (unsigned char)a;
}

static uint32_t word_at(const unsigned char *row, int x) {
  uint32_t word;
  memcpy(&word, row + 4 * (size_t)x, 4);
  return word;
}

/* s:get_pixel(x, y) -> red, green, blue, alpha, each 0..255. (1, 1) is the top left pixel. */
static int surface_get_pixel(lua_State *L) {
  Surface *s = checkimage(L);
  lua_Integer x = luaL_checkinteger(L, 2), y = luaL_checkinteger(L, 3);
  unsigned char rgba[4];
  luaL_argcheck(L, x >= 1 && x <= (lua_Integer)s->width, 2, "x outside the image");
  luaL_argcheck(L, y >= 1 && y <= (lua_Integer)s->height, 3, "y outside the image");
  cairo_surface_flush(s->surface);
  straight(word_at(cairo_image_surface_get_data(s->surface) +
                     (size_t)(y - 1) * (size_t)cairo_image_surface_get_stride(s->surface),
                   (int)x - 1),
           cairo_image_surface_get_format(s->surface) == CAIRO_FORMAT_RGB24, rgba);
  for (int i = 0; i < 4; i++)
    lua_pushinteger(L, rgba[i]);
  return 4;
}

/* s:tobytes() -> string of width * height * 4 bytes, RGBA, row by row. */
static int surface_tobytes(lua_State *L) {
  Surface *s = checkimage(L);
  size_t w = (size_t)s->width, h = (size_t)s->height;
  luaL_Buffer b;
  unsigned char *out = (unsigned char *)luaL_buffinitsize(L, &b, w * h * 4);
  const unsigned char *row;
  int stride, opaque;
  cairo_surface_flush(s->surface);
  row = cairo_image_surface_get_data(s->surface);
  stride = cairo_image_surface_get_stride(s->surface);
  opaque = cairo_image_surface_get_format(s->surface) == CAIRO_FORMAT_RGB24;
  for (size_t y = 0; y < h; y++, row += stride)
    for (size_t x = 0; x < w; x++, out += 4)
      straight(word_at(row, (int)x), opaque, out);
  luaL_pushresultsize(&b, w * h * 4);
  return 1;
}

/* s:size() -> width, height, kind. */
static int surface_size(lua_State *L) {
  Surface *s = checksurface(L);
  lua_pushnumber(L, s->width);
  lua_pushnumber(L, s->height);
  lua_pushstring(L, kind_name[s->kind]);
  return 3;
}

/* s:set_metadata(key, text) -> s. key: title author subject keywords creator created. PDF only;
   nothing happens elsewhere. "created" is ISO 8601, and dates the file reproducibly. */
static int surface_set_metadata(lua_State *L) {
  static const char *const name[] = {"title",    "author",  "subject",
                                     "keywords", "creator", "created", NULL};
  static const cairo_pdf_metadata_t key[] = {
    CAIRO_PDF_METADATA_TITLE,    CAIRO_PDF_METADATA_AUTHOR,  CAIRO_PDF_METADATA_SUBJECT,
    CAIRO_PDF_METADATA_KEYWORDS, CAIRO_PDF_METADATA_CREATOR, CAIRO_PDF_METADATA_CREATE_DATE};
  Surface *s = checksurface(L);
  int k = luaL_checkoption(L, 2, NULL, name);
  const char *text = luaL_checkstring(L, 3);
  if (s->kind == PDF)
    cairo_pdf_surface_set_metadata(s->surface, key[k], text);
  lua_settop(L, 1);
  return 1;
}

static int surface_tostring(lua_State *L) {
  Surface *s = luaL_checkudata(L, 1, SURFACE);
  if (s->surface == NULL)
    lua_pushliteral(L, SURFACE " (closed)");
  else
    lua_pushfstring(L, SURFACE " (%s, %d x %d)", kind_name[s->kind], (int)s->width,
                    (int)s->height);
  return 1;
}

/* }==================================================================== */

/* {====================================================================
** Context: state, paths, painting. Every function that returns nothing else returns its
** context, so that calls chain.
** ===================================================================== */

typedef struct Context {
  cairo_t *cr; /* NULL: closed */
  PangoLayout *layout;
  Surface *owner; /* user value 1 */
} Context;

static Context *checkcontext(lua_State *L) {
  Context *c = luaL_checkudata(L, 1, CONTEXT);
  luaL_argcheck(L, c->cr != NULL, 1, "the context is closed");
  luaL_argcheck(L, c->owner->surface != NULL, 1, "the surface of this context is closed");
  return c;
}

/* Returns the context, or raises what cairo holds against it. A failed write is not raised:
   `finish` reports it, as a fact about the world. */
static int done(lua_State *L, Context *c) {
  cairo_status_t status = cairo_status(c->cr);
  if (status != CAIRO_STATUS_SUCCESS && status != CAIRO_STATUS_WRITE_ERROR)
    return luaL_error(L, "cairo: %s", cairo_status_to_string(status));
  lua_settop(L, 1);
  return 1;
}

/* context(surface) -> context. Text is laid out without hinting, so that it has one size at
   every resolution. */
static int context_new(lua_State *L) {
  Surface *s = checksurface(L);
  Context *c = lua_newuserdatauv(L, sizeof *c, 1);
  cairo_font_options_t *font;
  PangoContext *pango;
  memset(c, 0, sizeof *c);
  c->owner = s;
  luaL_setmetatable(L, CONTEXT);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  c->cr = cairo_create(s->surface);
  c->layout = pango_cairo_create_layout(c->cr);
  pango = pango_layout_get_context(c->layout);
  font = cairo_font_options_create();
  cairo_font_options_set_hint_style(font, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(font, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(font, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options(pango, font);
  cairo_font_options_destroy(font);
  pango_context_set_round_glyph_positions(pango, FALSE);
  pango_layout_context_changed(c->layout);
  if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS)
    return luaL_error(L, "context: %s", cairo_status_to_string(cairo_status(c->cr)));
  return 1;
}

static int context_gc(lua_State *L) {
  Context *c = luaL_checkudata(L, 1, CONTEXT);
  if (c->layout != NULL)
    g_object_unref(c->layout);
  if (c->cr != NULL)
    cairo_destroy(c->cr);
  c->layout = NULL;
  c->cr = NULL;
  return 0;
}

static int context_tostring(lua_State *L) {
  Context *c = luaL_checkudata(L, 1, CONTEXT);
  if (c->cr == NULL || c->owner->surface == NULL)
    lua_pushliteral(L, CONTEXT " (closed)");
  else
    lua_pushfstring(L, CONTEXT " (%s)", kind_name[c->owner->kind]);
  return 1;
}

/* cairo_NAME(cr) and cairo_NAME(cr, number, ...) as they are. */
#define NUM(i) luaL_checknumber(L, (i) + 1)
#define PLAIN(name, ...)                       \
  static int context_##name(lua_State *L) {    \
    Context *c = checkcontext(L);              \
    cairo_##name(c->cr __VA_ARGS__);           \
    return done(L, c);                         \
  }
#define NOTHING
#define COMMA ,

PLAIN(save, NOTHING)
PLAIN(restore, NOTHING)
PLAIN(identity_matrix, NOTHING)
PLAIN(translate, COMMA NUM(1), NUM(2))
PLAIN(scale, COMMA NUM(1), NUM(2))
PLAIN(rotate, COMMA NUM(1))
PLAIN(new_path, NOTHING)
PLAIN(new_sub_path, NOTHING)
PLAIN(close_path, NOTHING)
PLAIN(move_to, COMMA NUM(1), NUM(2))
PLAIN(line_to, COMMA NUM(1), NUM(2))
PLAIN(curve_to, COMMA NUM(1), NUM(2), NUM(3), NUM(4), NUM(5), NUM(6))
PLAIN(rectangle, COMMA NUM(1), NUM(2), NUM(3), NUM(4))
PLAIN(arc, COMMA NUM(1), NUM(2), NUM(3), NUM(4), NUM(5))
PLAIN(arc_negative, COMMA NUM(1), NUM(2), NUM(3), NUM(4), NUM(5))
PLAIN(stroke, NOTHING)
PLAIN(stroke_preserve, NOTHING)
PLAIN(fill, NOTHING)
PLAIN(fill_preserve, NOTHING)
PLAIN(clip, NOTHING)
PLAIN(clip_preserve, NOTHING)
PLAIN(reset_clip, NOTHING)
PLAIN(paint, NOTHING)
PLAIN(paint_with_alpha, COMMA NUM(1))
PLAIN(set_line_width, COMMA NUM(1))
PLAIN(set_miter_limit, COMMA NUM(1))

/* c:set_source_rgba(r, g, b [, a]) -> c. Each 0..1. */
static int context_set_source_rgba(lua_State *L) {
  Context *c = checkcontext(L);
  cairo_set_source_rgba(c->cr, NUM(1), NUM(2), NUM(3), luaL_optnumber(L, 5, 1));
  return done(L, c);
}

/* c:set_dash([list [, offset]]) -> c. Lengths of on, off, on, ...; without a list: solid. */
static int context_set_dash(lua_State *L) {
  Context *c = checkcontext(L);
  double dash[MAX_DASHES], offset = luaL_optnumber(L, 3, 0), total = 0;
  lua_Unsigned n = 0;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    n = lua_rawlen(L, 2);
    luaL_argcheck(L, n <= MAX_DASHES, 2, "more than 16 dashes");
    for (lua_Unsigned i = 0; i < n; i++) {
      lua_rawgeti(L, 2, (lua_Integer)i + 1);
      dash[i] = lua_tonumber(L, -1);
      luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER && dash[i] >= 0, 2,
                    "lengths that are not negative expected");
      total += dash[i];
      lua_pop(L, 1);
    }
    luaL_argcheck(L, n == 0 || total > 0, 2, "all lengths are 0");
  }
  cairo_set_dash(c->cr, dash, (int)n, offset);
  return done(L, c);
}

/* c:set_line_cap("butt" | "round" | "square") -> c */
static int context_set_line_cap(lua_State *L) {
  static const char *const name[] = {"butt", "round", "square", NULL};
  static const cairo_line_cap_t value[] = {CAIRO_LINE_CAP_BUTT, CAIRO_LINE_CAP_ROUND,
                                           CAIRO_LINE_CAP_SQUARE};
  Context *c = checkcontext(L);
  cairo_set_line_cap(c->cr, value[luaL_checkoption(L, 2, NULL, name)]);
  return done(L, c);
}

/* c:set_line_join("miter" | "round" | "bevel") -> c */
static int context_set_line_join(lua_State *L) {
  static const char *const name[] = {"miter", "round", "bevel", NULL};
  static const cairo_line_join_t value[] = {CAIRO_LINE_JOIN_MITER, CAIRO_LINE_JOIN_ROUND,
                                            CAIRO_LINE_JOIN_BEVEL};
  Context *c = checkcontext(L);
  cairo_set_line_join(c->cr, value[luaL_checkoption(L, 2, NULL, name)]);
  return done(L, c);
}

/* c:set_antialias(boolean) -> c */
static int context_set_antialias(lua_State *L) {
  Context *c = checkcontext(L);
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  cairo_set_antialias(c->cr,
                      lua_toboolean(L, 2) ? CAIRO_ANTIALIAS_DEFAULT : CAIRO_ANTIALIAS_NONE);
  return done(L, c);
}

/* c:polyline{x1, y1, x2, y2, ...} -> c. Adds an open path through the points. */
static int context_polyline(lua_State *L) {
  Context *c = checkcontext(L);
  lua_Integer n;
  luaL_checktype(L, 2, LUA_TTABLE);
  n = (lua_Integer)lua_rawlen(L, 2);
  luaL_argcheck(L, n % 2 == 0, 2, "a list of x, y, x, y, ... expected");
  cairo_new_sub_path(c->cr);
  for (lua_Integer i = 1; i < n; i += 2) {
    int xok, yok;
    double x, y;
    lua_rawgeti(L, 2, i);
    lua_rawgeti(L, 2, i + 1);
    x = lua_tonumberx(L, -2, &xok);
    y = lua_tonumberx(L, -1, &yok);
    luaL_argcheck(L, xok && yok, 2, "numbers expected");
    cairo_line_to(c->cr, x, y); /* the first one moves */
    lua_pop(L, 2);
  }
  return done(L, c);
}

/* c:path_extents() -> x, y, width, height of the current path, without line width. */
static int context_path_extents(lua_State *L) {
  Context *c = checkcontext(L);
  double x1, y1, x2, y2;
  cairo_path_extents(c->cr, &x1, &y1, &x2, &y2);
  lua_pushnumber(L, x1);
  lua_pushnumber(L, y1);
  lua_pushnumber(L, x2 - x1);
  lua_pushnumber(L, y2 - y1);
  return 4;
}

/* c:user_to_device(x, y) -> x, y;  c:device_to_user(x, y) -> x, y. */
static int context_user_to_device(lua_State *L) {
  Context *c = checkcontext(L);
  double x = NUM(1), y = NUM(2);
  cairo_user_to_device(c->cr, &x, &y);
  lua_pushnumber(L, x);
  lua_pushnumber(L, y);
  return 2;
}

static int context_device_to_user(lua_State *L) {
  Context *c = checkcontext(L);
  double x = NUM(1), y = NUM(2);
  cairo_device_to_user(c->cr, &x, &y);
  lua_pushnumber(L, x);
  lua_pushnumber(L, y);
  return 2;
}

/* }==================================================================== */

/* {====================================================================
** Text
** ===================================================================== */

/* c:set_font(family, size [, weight [, slant]]) -> c. size in user units; weight "normal",
   "bold"; slant "normal", "italic". Families may be a list: "DejaVu Sans, sans-serif". */
static int context_set_font(lua_State *L) {
  static const char *const weight_name[] = {"normal", "bold", NULL};
  static const char *const slant_name[] = {"normal", "italic", NULL};
  Context *c = checkcontext(L);
  const char *family = luaL_checkstring(L, 2);
  double size = luaL_checknumber(L, 3);
  int weight = luaL_checkoption(L, 4, "normal", weight_name);
  int slant = luaL_checkoption(L, 5, "normal", slant_name);
  PangoFontDescription *font;
  luaL_argcheck(L, size > 0 && size <= 10000, 3, "size outside 0..10000");
  font = pango_font_description_new();
  pango_font_description_set_family(font, family);
  pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
  pango_font_description_set_weight(font, weight ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_font_description_set_style(font, slant ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
  pango_layout_set_font_description(c->layout, font);
  pango_font_description_free(font);
  return done(L, c);
}

/* Lays the text at `arg` out; bytes that are not UTF-8 become U+FFFD. */
static void settext(lua_State *L, Context *c, int arg) {
  size_t length;
  const char *text = luaL_checklstring(L, arg, &length);
  gchar *valid;
  luaL_argcheck(L, length <= INT32_MAX / 4, arg, "text too long");
  valid = g_utf8_make_valid(text, (gssize)length);
  pango_layout_set_text(c->layout, valid, -1);
  g_free(valid);
}

static double units(int pango) { return (double)pango / PANGO_SCALE; }

/* c:text_extents(text) -> width, height, baseline, ink_x, ink_y, ink_width, ink_height.
   The first three are of the logical box (advance and line height), baseline from its top;
   the ink box is relative to the logical box's top left corner. */
static int context_text_extents(lua_State *L) {
  Context *c = checkcontext(L);
  PangoRectangle ink, logical;
  settext(L, c, 2);
  pango_cairo_update_layout(c->cr, c->layout);
  pango_layout_get_extents(c->layout, &ink, &logical);
  lua_pushnumber(L, units(logical.width));
  lua_pushnumber(L, units(logical.height));
  lua_pushnumber(L, units(pango_layout_get_baseline(c->layout)));
  lua_pushnumber(L, units(ink.x));
  lua_pushnumber(L, units(ink.y));
  lua_pushnumber(L, units(ink.width));
  lua_pushnumber(L, units(ink.height));
  return 7;
}

/* c:show_text(text, x, y [, halign [, valign]]) -> c. The point (x, y) is the "left" (default),
   "center" or "right" and the "baseline" (default, of the first line), "top", "middle" or
   "bottom" of the logical box; lines of one text are aligned likewise. */
static int context_show_text(lua_State *L) {
  static const char *const hname[] = {"left", "center", "right", NULL};
  static const PangoAlignment align[] = {PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER, PANGO_ALIGN_RIGHT};
  static const char *const vname[] = {"baseline", "top", "middle", "bottom", NULL};
  Context *c = checkcontext(L);
  double x = luaL_checknumber(L, 3), y = luaL_checknumber(L, 4), up;
  int h = luaL_checkoption(L, 5, "left", hname), v = luaL_checkoption(L, 6, "baseline", vname);
  PangoRectangle box;
  settext(L, c, 2);
  pango_layout_set_alignment(c->layout, align[h]);
  pango_cairo_update_layout(c->cr, c->layout);
  pango_layout_get_extents(c->layout, NULL, &box);
  up = v == 0 ? units(pango_layout_get_baseline(c->layout)) : units(box.height) * (v - 1) / 2;
  cairo_move_to(c->cr, x - units(box.x) - units(box.width) * h / 2, y - up);
  pango_cairo_show_layout(c->cr, c->layout);
  cairo_new_path(c->cr);
  return done(L, c);
}

/* }==================================================================== */

/* {====================================================================
** Images
** ===================================================================== */

/* A cairo image of the bytes, each pixel a block of k x k. NULL: no memory. */
static cairo_surface_t *toimage(const unsigned char *bytes, int w, int h, int channels, int k) {
  cairo_surface_t *image =
    cairo_image_surface_create(channels == 4 ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24,
                               w * k, h * k);
  unsigned char *data;
  size_t stride;
  if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
    cairo_surface_destroy(image);
    return NULL;
  }
  cairo_surface_flush(image);
  data = cairo_image_surface_get_data(image);
  stride = (size_t)cairo_image_surface_get_stride(image);
  for (int y = 0; y < h; y++) {
    unsigned char *row = data + (size_t)y * (size_t)k * stride;
    unsigned char *to = row;
    for (int x = 0; x < w; x++, bytes += channels) {
      uint32_t a = channels == 4 ? bytes[3] : 255, word = a << 24;
      for (int i = 0; i < 3; i++) {
        uint32_t v = bytes[channels == 1 ? 0 : i];
        word |= (v * a + 127) / 255 << (16 - 8 * i);
      }
      for (int i = 0; i < k; i++, to += 4)
        memcpy(to, &word, 4);
    }
    for (int i = 1; i < k; i++)
      memcpy(row + (size_t)i * stride, row, (size_t)w * (size_t)k * 4);
  }
  cairo_surface_mark_dirty(image);
  return image;
}

/* c:draw_image(bytes, width, height, channels, x, y, w, h [, filter]) -> c
   Paints width x height pixels of 1 (grey), 3 (RGB) or 4 (RGBA) bytes into the rectangle.
   filter "nearest": squares, whatever the scale. "auto" (default): squares too, of equal size
   where the scale is no whole number (enlarged by the next one, then averaged down), and
   averages where the image shrinks. Pages keep the pixels, enlarged so far that a viewer that
   smooths shows squares none the less. */
static int context_draw_image(lua_State *L) {
  static const char *const filter_name[] = {"auto", "nearest", NULL};
  Context *c = checkcontext(L);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  lua_Integer w = luaL_checkinteger(L, 3), h = luaL_checkinteger(L, 4);
  lua_Integer channels = luaL_checkinteger(L, 5);
  double x = NUM(5), y = NUM(6), tow = NUM(7), toh = NUM(8), sx = 1, sy = 0, scale;
  int nearest = luaL_checkoption(L, 10, "auto", filter_name), smooth = 0, k = 1;
  cairo_surface_t *image;
  luaL_argcheck(L, w >= 1 && w <= MAX_PIXELS, 3, "width outside 1..32767");
  luaL_argcheck(L, h >= 1 && h <= MAX_PIXELS, 4, "height outside 1..32767");
  luaL_argcheck(L, channels == 1 || channels == 3 || channels == 4, 5, "1, 3 or 4 expected");
  luaL_argcheck(L, length == (size_t)(w * h * channels), 2,
                "width * height * channels bytes expected");
  luaL_argcheck(L, tow > 0, 8, "w is not positive");
  luaL_argcheck(L, toh > 0, 9, "h is not positive");
  cairo_user_to_device_distance(c->cr, &sx, &sy);
  scale = hypot(sx, sy) * tow / (double)w; /* device pixels a pixel */
  if (!nearest && c->owner->kind != IMAGE) {
    k = scale >= 8 || w * h > 250000 ? 1 : 4;
  } else if (!nearest && scale < 8 && fabs(scale - floor(scale + 0.5)) > 1e-3) {
    smooth = 1;
    k = (int)ceil(scale);
  }
  while (k > 1 && (w * k > MAX_PIXELS || h * k > MAX_PIXELS || w * h * k * k > 64000000))
    k--;
  image = toimage((const unsigned char *)bytes, (int)w, (int)h, (int)channels, k);
  if (image == NULL)
    return luaL_error(L, "draw_image: out of memory for %d x %d pixels", (int)w * k, (int)h * k);
  cairo_save(c->cr);
  cairo_translate(c->cr, x, y);
  cairo_scale(c->cr, tow / (double)(w * k), toh / (double)(h * k));
  cairo_set_source_surface(c->cr, image, 0, 0);
  cairo_pattern_set_filter(cairo_get_source(c->cr),
                           smooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  if (c->owner->kind == IMAGE) { /* PAD: no soft edge, which a filter would give */
    cairo_pattern_set_extend(cairo_get_source(c->cr), CAIRO_EXTEND_PAD);
    cairo_new_path(c->cr);
    cairo_rectangle(c->cr, 0, 0, (double)(w * k), (double)(h * k));
    cairo_fill(c->cr);
  } else { /* one image in the page, where a fill would be a tiled pattern */
    cairo_paint(c->cr);
  }
  cairo_restore(c->cr);
  cairo_surface_destroy(image);
  return done(L, c);
}

/* }==================================================================== */

/* {====================================================================
** Module
** ===================================================================== */

/* version() -> cairo's, pango's */
static int version(lua_State *L) {
  lua_pushstring(L, cairo_version_string());
  lua_pushstring(L, pango_version_string());
  return 2;
}

static const luaL_Reg surface_methods[] = {{"finish", surface_finish},
                                           {"get_pixel", surface_get_pixel},
                                           {"set_metadata", surface_set_metadata},
                                           {"size", surface_size},
                                           {"tobytes", surface_tobytes},
                                           {"topng", surface_topng},
                                           {"write_to_png", surface_write_to_png},
                                           {NULL, NULL}};

static const luaL_Reg surface_meta[] = {{"__gc", surface_gc},
                                        {"__close", surface_gc},
                                        {"__tostring", surface_tostring},
                                        {NULL, NULL}};

#define ROW(name) {#name, context_##name}
static const luaL_Reg context_methods[] = {
  ROW(save), ROW(restore), ROW(identity_matrix), ROW(translate), ROW(scale), ROW(rotate),
  ROW(new_path), ROW(new_sub_path), ROW(close_path), ROW(move_to), ROW(line_to), ROW(curve_to),
  ROW(rectangle), ROW(arc), ROW(arc_negative), ROW(polyline), ROW(path_extents),
  ROW(stroke), ROW(stroke_preserve), ROW(fill), ROW(fill_preserve),
  ROW(clip), ROW(clip_preserve), ROW(reset_clip), ROW(paint), ROW(paint_with_alpha),
  ROW(set_source_rgba), ROW(set_line_width), ROW(set_dash), ROW(set_line_cap),
  ROW(set_line_join), ROW(set_miter_limit), ROW(set_antialias),
  ROW(user_to_device), ROW(device_to_user),
  ROW(set_font), ROW(text_extents), ROW(show_text), ROW(draw_image),
  {NULL, NULL}};

static const luaL_Reg context_meta[] = {{"__gc", context_gc},
                                        {"__close", context_gc},
                                        {"__tostring", context_tostring},
                                        {NULL, NULL}};

static const luaL_Reg functions[] = {{"context", context_new},
                                     {"image_surface", image_surface},
                                     {"pdf_surface", pdf_surface},
                                     {"read_png", read_png},
                                     {"version", version},
                                     {"write_file", write_file},
                                     {NULL, NULL}};

static void newclass(lua_State *L, const char *name, const luaL_Reg *meta,
                     const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

LRN_API int luaopen_lrn_cairo(lua_State *L);

/* Keeps this library, and with it pango, in the process after lua_close: pango and fontconfig
   leave threads and thread-local destructors behind that must not lose their code. */
static void stay(void) {
  Dl_info info;
  if (dladdr((void *)(size_t)&luaopen_lrn_cairo, &info) != 0 && info.dli_fname != NULL)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

LRN_API int luaopen_lrn_cairo(lua_State *L) {
  luaL_checkversion(L);
  stay();
  newclass(L, SURFACE, surface_meta, surface_methods);
  newclass(L, CONTEXT, context_meta, context_methods);
  luaL_newlib(L, functions);
  return 1;
}

/* }==================================================================== */
