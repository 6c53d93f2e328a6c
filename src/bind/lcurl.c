/*
** lcurl.c - transfers over HTTP by libcurl.
** A library of its own (liblrn_curl.so, opened by lua/lrn/fetch.lua at first use), so that nothing
** else needs libcurl. Thin: what to ask, where to go on, and what to believe are Lua's matter.
**
** One class, Transfer: one request and its one response; a redirection is reported, not followed.
** The caller drives it by steps of at most a given time, between which Lua can be interrupted:
**
**     step --> bytes, "running" | "done" | "failed", message
**
** Bytes wait in `buffer` from libcurl's callback to the end of the step; where it is full the
** transfer pauses. No Lua function is called inside of libcurl.
*/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include <lauxlib.h>
#include <lua.h>

#define LRN_EXPORT __attribute__((visibility("default")))
#define TRANSFER "lrn.Transfer"
#define ROOM ((size_t)1 << 20)

typedef struct Transfer {
  CURLM *multi; /* NULL: closed */
  CURL *easy;
  unsigned char *buffer; /* ROOM bytes, of which n wait */
  size_t n;
  int paused;
  int ended;    /* what came is complete, or `result` says why not */
  CURLcode result;
  int chunked;                 /* the response says where it ends without a length */
  char range[128];             /* Content-Range of the response, or "" */
  char error[CURL_ERROR_SIZE]; /* in libcurl's words */
} Transfer;

/* {=== libcurl's callbacks === */

static size_t receive(char *bytes, size_t size, size_t n, void *ud) {
  Transfer *t = ud;
  n *= size;
  if (n > ROOM - t->n) {
    t->paused = 1;
    return CURL_WRITEFUNC_PAUSE;
  }
  memcpy(t->buffer + t->n, bytes, n);
  t->n += n;
  return n;
}

/* What stands behind `name` in a line of n bytes, *m of them; NULL for another line. */
static const char *value(const char *line, size_t n, const char *name, int *m) {
  size_t skip = strlen(name);
  if (n <= skip || strncasecmp(line, name, skip) != 0)
    return NULL;
  *m = (int)(n - skip);
  return line + skip;
}

static size_t header(char *line, size_t size, size_t n, void *ud) {
  Transfer *t = ud;
  const char *text;
  int m;
  n *= size;
  if ((text = value(line, n, "content-range:", &m)) != NULL)
    snprintf(t->range, sizeof t->range, "%.*s", m, text);
  else if (value(line, n, "transfer-encoding:", &m) != NULL)
    t->chunked = 1;
  return n;
}

/* ===} */

static void release(Transfer *t) {
  if (t->multi != NULL && t->easy != NULL)
    curl_multi_remove_handle(t->multi, t->easy);
  curl_easy_cleanup(t->easy);
  if (t->multi != NULL)
    curl_multi_cleanup(t->multi);
  free(t->buffer);
  t->easy = NULL;
  t->multi = NULL;
  t->buffer = NULL;
}

static int transfer_close(lua_State *L) {
  release(luaL_checkudata(L, 1, TRANSFER));
  return 0;
}

static Transfer *check(lua_State *L) {
  Transfer *t = luaL_checkudata(L, 1, TRANSFER);
  if (t->multi == NULL)
    luaL_error(L, "transfer: got a closed one");
  return t;
}

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value != NULL && *value != '\0' ? value : NULL;
}

/* Certificates that the user trusts, under the names that curl and OpenSSL know. */
static void certificates(CURL *c) {
  const char *file = environment("CURL_CA_BUNDLE"), *folder = environment("SSL_CERT_DIR");
  if (file == NULL)
    file = environment("SSL_CERT_FILE");
  if (file != NULL)
    curl_easy_setopt(c, CURLOPT_CAINFO, file);
  if (folder != NULL)
    curl_easy_setopt(c, CURLOPT_CAPATH, folder);
}

/* transfer(url, from, connect, agent): asks for url from byte `from` on, by a connection that is
   made within `connect` seconds */
static int transfer_new(lua_State *L) {
  const char *url = luaL_checkstring(L, 1), *agent = luaL_checkstring(L, 4);
  lua_Integer from = luaL_checkinteger(L, 2);
  lua_Number connect = luaL_checknumber(L, 3);
  Transfer *t = lua_newuserdatauv(L, sizeof *t, 0);
  char range[32];
  CURL *c;
  memset(t, 0, sizeof *t);
  luaL_setmetatable(L, TRANSFER);
  t->buffer = malloc(ROOM);
  t->multi = curl_multi_init();
  t->easy = c = curl_easy_init();
  if (t->buffer == NULL || t->multi == NULL || c == NULL)
    return luaL_error(L, "not enough memory");
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* a name server that is silent is not waited for */
#endif
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect * 1000));
  curl_easy_setopt(c, CURLOPT_USERAGENT, agent);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
  certificates(c);
  if (from > 0) {
    snprintf(range, sizeof range, "%lld-", (long long)from);
    curl_easy_setopt(c, CURLOPT_RANGE, range);
  }
  if (curl_easy_setopt(c, CURLOPT_URL, url) != CURLE_OK ||
      curl_multi_add_handle(t->multi, c) != CURLM_OK)
    return luaL_error(L, "not enough memory");
  return 1;
}

static double now(void) {
  struct timespec s;
  clock_gettime(CLOCK_MONOTONIC, &s);
  return (double)s.tv_sec + (double)s.tv_nsec * 1e-9;
}

/* Has the one transfer of t ended? */
static void see_the_end(Transfer *t) {
  int left;
  for (CURLMsg *m; (m = curl_multi_info_read(t->multi, &left)) != NULL;)
    if (m->msg == CURLMSG_DONE) {
      t->ended = 1;
      t->result = m->data.result;
    }
}

/* Works until half a buffer has come, the transfer has ended, or the time is over. */
static void work(Transfer *t, double seconds) {
  double end = now() + seconds;
  CURLMcode fault = CURLM_OK;
  int running = 1;
  if (t->paused) {
    t->paused = 0;
    curl_easy_pause(t->easy, CURLPAUSE_CONT);
  }
  while (!t->ended && fault == CURLM_OK) {
    double left = end - now();
    fault = curl_multi_perform(t->multi, &running);
    see_the_end(t);
    if (t->n >= ROOM / 2 || t->paused || left <= 0 || t->ended || fault != CURLM_OK)
      break;
    fault = curl_multi_poll(t->multi, NULL, 0, (int)(left * 1000) + 1, NULL);
  }
  if (fault != CURLM_OK && !t->ended) {
    t->ended = 1;
    t->result = CURLE_FAILED_INIT;
    snprintf(t->error, sizeof t->error, "%s", curl_multi_strerror(fault));
  }
}

/* t:step(seconds) -> bytes, state, message */
static int transfer_step(lua_State *L) {
  Transfer *t = check(L);
  work(t, luaL_checknumber(L, 2));
  lua_pushlstring(L, (const char *)t->buffer, t->n);
  t->n = 0;
  /* what the pause held back comes with the next step */
  if (!t->ended || t->paused) {
    lua_pushliteral(L, "running");
    return 2;
  }
  lua_pushstring(L, t->result == CURLE_OK ? "done" : "failed");
  lua_pushstring(L, t->error[0] != '\0' ? t->error : curl_easy_strerror(t->result));
  return 3;
}

/* t:response() -> status (0: none yet), Content-Length or nil, Content-Range or nil, where a
   redirection leads or nil, whether a response that is cut short can be told from a whole one */
static int transfer_response(lua_State *L) {
  Transfer *t = check(L);
  long status = 0, http = 0;
  curl_off_t length = -1;
  char *redirect = NULL;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
  curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &http);
  lua_pushinteger(L, status);
  if (length >= 0)
    lua_pushinteger(L, length);
  else
    lua_pushnil(L);
  lua_pushstring(L, t->range[0] != '\0' ? t->range : NULL); /* nil for NULL */
  lua_pushstring(L, redirect);
  lua_pushboolean(L, length >= 0 || t->chunked || http >= CURL_HTTP_VERSION_2_0);
  return 5;
}

/* "libcurl/7.88.1 OpenSSL/3.0.17 ..." */
static int version(lua_State *L) {
  lua_pushstring(L, curl_version());
  return 1;
}

/* wait(seconds): nothing, or until a signal comes */
static int wait(lua_State *L) {
  double s = luaL_checknumber(L, 1);
  struct timespec time = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
  nanosleep(&time, NULL);
  return 0;
}

static const luaL_Reg methods[] = {{"step", transfer_step},
                                   {"response", transfer_response},
                                   {"close", transfer_close},
                                   {NULL, NULL}};
static const luaL_Reg meta[] = {
  {"__gc", transfer_close}, {"__close", transfer_close}, {NULL, NULL}};
static const luaL_Reg functions[] = {
  {"transfer", transfer_new}, {"version", version}, {"wait", wait}, {NULL, NULL}};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void start(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

LRN_EXPORT int luaopen_lrn_curl(lua_State *L);

LRN_EXPORT int luaopen_lrn_curl(lua_State *L) {
  luaL_checkversion(L);
  pthread_once(&once, start);
  luaL_newmetatable(L, TRANSFER);
  luaL_setfuncs(L, meta, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
