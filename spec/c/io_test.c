/*
** io_test.c - src/io: SHA-256, gzip, JSON, IDX, safetensors and the atomic write, against
** published vectors, crafted files, every truncation, every flipped bit and every failed
** allocation.
*/
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "check.h"
#include "io/bytes.h"
#include "io/gz.h"
#include "io/idx.h"
#include "io/json.h"
#include "io/sha256.h"
#include "io/utf8.h"

static char folder[] = "/tmp/lrn_io_XXXXXX";

static const char *in_folder(const char *name) {
  static char path[4][256];
  static int i;
  i = (i + 1) % 4;
  snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
  return path[i];
}

static int64_t live(void) {
  lrn_memory m;
  lrn_memory_stats(&m);
  return m.live_blocks;
}

static int said(const char *part) { return strstr(lrn_error_message(), part) != NULL; }

static void write_plain(const char *path, const void *p, size_t n) {
  FILE *f = fopen(path, "wb");
  if (f == NULL || fwrite(p, 1, n, f) != n)
    printf("cannot write %s\n", path);
  if (f != NULL)
    fclose(f);
}

static int files_in(const char *path) {
  DIR *d = opendir(path);
  int n = 0;
  while (d != NULL && readdir(d) != NULL)
    n++;
  if (d != NULL)
    closedir(d);
  return n - 2;
}

/* {====================================================================
** SHA-256: NIST's vectors, and streaming in pieces of every size
** ===================================================================== */

static void test_sha256(void) {
  static const struct {
    const char *text, *hex;
  } vector[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopq"
       "r"
       "lmnopqrsmnopqrstnopqrstu",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
  };
  char hex[65], whole[65];
  sha256 s;
  unsigned char buf[300];
  char *million = malloc(1000000);
  for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
    sha256_hex(hex, vector[i].text, strlen(vector[i].text));
    CHECK(strcmp(hex, vector[i].hex) == 0, "\"%s\" gave %s", vector[i].text, hex);
  }
  memset(million, 'a', 1000000);
  sha256_hex(hex, million, 1000000);
  CHECK(strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") == 0,
        "%s", hex);
  free(million);
  for (size_t i = 0; i < sizeof buf; i++)
    buf[i] = (unsigned char)(i * 7);
  for (size_t step = 1; step < 140; step++) {
    sha256_hex(whole, buf, sizeof buf - step);
    sha256_init(&s);
    for (size_t i = 0; i < sizeof buf - step; i += step)
      sha256_add(&s, buf + i, step < sizeof buf - step - i ? step : sizeof buf - step - i);
    sha256_end_hex(&s, hex);
    CHECK(strcmp(hex, whole) == 0, "pieces of %zu", step);
  }
}

/* }==================================================================== */

/* {====================================================================
** gzip
** ===================================================================== */

static void test_gz(void) {
  static const size_t sizes[] = {0, 1, 100, 4096, 4097, 100000, 3000000};
  unsigned char *packed = NULL, *again = NULL, *plain = NULL;
  size_t n = 0, m = 0, k = 0;
  for (size_t c = 0; c < sizeof sizes / sizeof *sizes; c++) {
    unsigned char *p = malloc(sizes[c] + 1);
    for (size_t i = 0; i < sizes[c]; i++)
      p[i] = (unsigned char)(i * i >> 7 & (c & 1 ? 255 : 3));
    CHECK(gz_pack(&packed, &n, p, sizes[c], "t") == LRN_OK, "%s", lrn_error_message());
    CHECK(gz_is(packed, n), "no magic");
    CHECK(gz_pack(&again, &k, p, sizes[c], "t") == LRN_OK && k == n &&
              memcmp(packed, again, n) == 0,
          "not reproducible");
    CHECK(gz_unpack(&plain, &m, packed, n, GZ_LIMIT, "t") == LRN_OK && m == sizes[c] &&
              memcmp(p, plain, m) == 0,
          "%zu bytes: %s", sizes[c], lrn_error_message());
    lrn_free(packed);
    lrn_free(again);
    lrn_free(plain);
    free(p);
  }
  { /* two members, then something else */
    unsigned char two[200];
    CHECK(gz_pack(&packed, &n, "hello ", 6, "t") == LRN_OK, "pack");
    CHECK(gz_pack(&again, &k, "world", 5, "t") == LRN_OK, "pack");
    memcpy(two, packed, n);
    memcpy(two + n, again, k);
    CHECK(gz_unpack(&plain, &m, two, n + k, GZ_LIMIT, "t") == LRN_OK && m == 11 &&
              memcmp(plain, "hello world", 11) == 0,
          "members: %s", lrn_error_message());
    lrn_free(plain);
    two[n + k] = 0;
    CHECK(gz_unpack(&plain, &m, two, n + k + 1, GZ_LIMIT, "t") == LRN_EFORMAT &&
              said("after the gzip"),
          "%s", lrn_error_message());
    for (size_t i = 0; i < n; i++)
      CHECK(gz_unpack(&plain, &m, packed, i, GZ_LIMIT, "t") == LRN_EFORMAT, "cut at %zu", i);
    packed[n - 5] ^= 1; /* the CRC */
    CHECK(gz_unpack(&plain, &m, packed, n, GZ_LIMIT, "t") == LRN_EFORMAT, "bad CRC accepted");
    lrn_free(packed);
    lrn_free(again);
  }
  { /* the limit, in one member and in two */
    static const unsigned char zeros[50000];
    unsigned char two[400];
    CHECK(gz_pack(&packed, &n, zeros, sizeof zeros, "t") == LRN_OK && n <= 200, "pack");
    memcpy(two, packed, n);
    memcpy(two + n, packed, n);
    for (size_t limit = 49990; limit < 100010; limit += limit == 50009 ? 49981 : 1) {
      int want = limit < 50000 ? LRN_EFORMAT : LRN_OK;
      CHECK(gz_unpack(&plain, &m, packed, n, limit, "t") == want, "limit %zu: %s", limit,
            lrn_error_message());
      if (want == LRN_OK)
        lrn_free(plain);
      want = limit < 100000 ? LRN_EFORMAT : LRN_OK;
      CHECK(gz_unpack(&plain, &m, two, 2 * n, limit, "t") == want, "limit %zu", limit);
      if (want == LRN_OK)
        lrn_free(plain);
      else
        CHECK(said("found more than"), "%s", lrn_error_message());
    }
    lrn_free(packed);
  }
}

/* }==================================================================== */

/* {====================================================================
** JSON
** ===================================================================== */

static void test_json_tables(void) {
  static const char *const good[] = {
      "0",
      "-1",
      "1.5e3",
      "1E+2",
      "1e-400",
      "true",
      "false",
      "null",
      "\"\"",
      "[]",
      "{}",
      " [ ] ",
      "\t{\"a\" : 1 , \"b\":[1,2,{}]}\r\n",
      "\"\\u00e9\\n\\/\"",
      "\"\\ud83d\\ude00\"",
      "\"\xc3\xa9\"",
      "\"\xf0\x9f\x98\x80\"",
      "\"\xed\x9f\xbf\"",
      "123456789012345678901234567890",
      "\"\\u0000\"",
      "{\"\":0}",
      "-0",
      "-0.0",
      "\"\x7f\"",
  };
  static const char *const bad[] = {
      "",
      " ",
      "01",
      "-",
      "+1",
      "1.",
      ".5",
      "1e",
      "1e+",
      "0x1",
      "1e999",
      "-1e999",
      "NaN",
      "Infinity",
      "tru",
      "nul",
      "truee",
      "True",
      "'a'",
      "\"a",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\u12g4\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "\"\\ud800x\"",
      "\"a\nb\"",
      "\"\t\"",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "\"\xf4\x90\x80\x80\"",
      "\"\xe2\x82\"",
      "[",
      "]",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "[1 2]",
      "{",
      "{\"a\"",
      "{\"a\":",
      "{\"a\":1",
      "{\"a\":1,}",
      "{a:1}",
      "{1:1}",
      "{\"a\" 1}",
      "{\"a\":1,\"a\":2}",
      "{\"a\":1,\"\\u0061\":2}",
      "1 2",
      "{}{}",
      "[1]x",
      "[1}",
      "// c\n1",
      "\xef\xbb\xbf"
      "1",
      "\"\\",
      "\"\\u",
      "{\"a\":{\"b\":1,\"b\":1}}",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    json_doc *doc = NULL;
    CHECK(lrn_json_parse(&doc, good[i], strlen(good[i]), "t") == LRN_OK, "%s: %s", good[i],
          lrn_error_message());
    lrn_json_free(doc);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    json_doc *doc = NULL;
    CHECK(lrn_json_parse(&doc, bad[i], strlen(bad[i]), "t") == LRN_EFORMAT && doc == NULL &&
              said("t: byte "),
          "%s accepted", bad[i]);
    lrn_json_free(doc);
  }
  CHECK(lrn_json_parse(&(json_doc *){NULL}, "\0", 1, "t") == LRN_EFORMAT, "a NUL accepted");
}

static void test_json_depth(void) {
  char text[200];
  for (int depth = 63; depth <= 66; depth++) {
    json_doc *doc = NULL;
    int want = depth <= 64 ? LRN_OK : LRN_EFORMAT;
    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    CHECK(lrn_json_parse(&doc, text, (size_t)(2 * depth), "t") == want, "depth %d", depth);
    lrn_json_free(doc);
  }
}

static void test_json_tree(void) {
  static const char text[] =
      "{\"z\":9007199254740993,\"a\":[1,2.5,\"x\\u0000y\",null,true],\"m\":{\"k\":-0,\"big\":"
      "1e2},"
      "\"max\":9223372036854775807,\"min\":-9223372036854775808,\"over\":9223372036854775808}";
  json_doc *doc = NULL;
  const json_value *r, *a;
  int64_t i = 0;
  double d = 0;
  int truth = 0;
  CHECK(lrn_json_parse(&doc, text, strlen(text), "t") == LRN_OK, "%s", lrn_error_message());
  r = lrn_json_root(doc);
  a = lrn_json_get(r, "a");
  CHECK(lrn_json_len(r) == 6 && strcmp(lrn_json_string(lrn_json_key_at(r, 0)), "z") == 0, "order");
  CHECK(lrn_json_int(&i, lrn_json_get(r, "z")) && i == 9007199254740993, "z");
  CHECK(lrn_json_at(r, 0) == lrn_json_get(r, "z") && lrn_json_at(r, 6) == NULL, "at");
  CHECK(lrn_json_len(a) == 5 && lrn_json_number(&d, lrn_json_at(a, 1)) && d == 2.5, "a[1]");
  CHECK(lrn_json_number(&d, lrn_json_at(a, 0)) && d == 1 &&
          !lrn_json_int(&i, lrn_json_at(a, 1)), "kinds");
  CHECK(lrn_json_len(lrn_json_at(a, 2)) == 3 &&
          memcmp(lrn_json_string(lrn_json_at(a, 2)), "x\0y", 4) == 0,
        "NUL");
  CHECK(lrn_json_type(lrn_json_at(a, 3)) == JSON_NULL, "null");
  CHECK(lrn_json_bool(&truth, lrn_json_at(a, 4)) && truth == 1, "true");
  CHECK(lrn_json_type(lrn_json_at(a, 5)) == JSON_NONE && lrn_json_string(a) == NULL,
        "past the end");
  CHECK(lrn_json_number(&d, lrn_json_get(lrn_json_get(r, "m"), "k")) && d == 0 && signbit(d), "-0");
  CHECK(lrn_json_get(lrn_json_get(r, "none"), "k") == NULL && lrn_json_get(a, "k") == NULL,
        "missing");
  CHECK(lrn_json_int(&i, lrn_json_get(r, "max")) && i == INT64_MAX, "max");
  CHECK(lrn_json_int(&i, lrn_json_get(r, "min")) && i == INT64_MIN, "min");
  CHECK(lrn_json_type(lrn_json_get(r, "over")) == JSON_REAL, "over");
  CHECK(lrn_json_where(a) == 26 && text[26] == '[', "where %zu", lrn_json_where(a));
  lrn_json_free(doc);
  CHECK(lrn_json_parse_at(&doc, "[1, x]", 6, "f", 100) == LRN_EFORMAT &&
            strcmp(lrn_error_message(), "f: byte 104: found 'x', expected a value") == 0,
        "%s", lrn_error_message());
}

static void test_json_many(void) {
  json_buf b = {0};
  json_doc *doc = NULL;
  char key[32];
  int all = 1;
  lrn_json_put_open(&b, '{');
  for (int i = 0; i < 20000; i++) {
    snprintf(key, sizeof key, "k%d", i * 7919 % 20000);
    lrn_json_put_key(&b, key);
    lrn_json_put_int(&b, i);
  }
  lrn_json_put_close(&b, '}');
  CHECK(lrn_json_parse(&doc, b.s, b.n, "t") == LRN_OK, "%s", lrn_error_message());
  for (int i = 0; i < 20000; i++) {
    int64_t v = -1;
    snprintf(key, sizeof key, "k%d", i * 7919 % 20000);
    all = all && lrn_json_int(&v, lrn_json_get(lrn_json_root(doc), key)) && v == i;
  }
  CHECK(all, "a key was not found");
  lrn_json_free(doc);
  lrn_free(b.s);
}

static void put_sample(json_buf *b) {
  lrn_json_put_open(b, '{');
  lrn_json_put_key(b, "s\"\\\n");
  lrn_json_put_string(b, "\xc3\xa9\x01");
  lrn_json_put_key(b, "list");
  lrn_json_put_open(b, '[');
  lrn_json_put_int(b, INT64_MIN);
  lrn_json_put_double(b, 0.1);
  lrn_json_put_double(b, NAN);
  lrn_json_put_bool(b, 1);
  lrn_json_put_null(b);
  lrn_json_put_open(b, '{');
  lrn_json_put_close(b, '}');
  lrn_json_put_close(b, ']');
  lrn_json_put_key(b, "d");
  lrn_json_put_double(b, 1e300);
  lrn_json_put_close(b, '}');
}

static void test_json_put(void) {
  static const double numbers[] = {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5, 1e21, 0};
  json_buf b = {0};
  json_doc *doc = NULL;
  put_sample(&b);
  CHECK(
      b.status == LRN_OK &&
          strcmp(b.s,
                 "{\"s\\\"\\\\\\u000a\":\"\xc3\xa9\\u0001\",\"list\":[-9223372036854775808,0.1,"
                 "null,true,null,{}],\"d\":1e+300}") == 0,
      "%s", b.s);
  CHECK(lrn_json_parse(&doc, b.s, b.n, "t") == LRN_OK, "%s", lrn_error_message());
  lrn_json_free(doc);
  lrn_free(b.s);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    double d = 7;
    memset(&b, 0, sizeof b);
    lrn_json_put_double(&b, numbers[i]);
    doc = NULL;
    CHECK(lrn_json_parse(&doc, b.s, b.n, "t") == LRN_OK &&
            lrn_json_number(&d, lrn_json_root(doc)) &&
              d == numbers[i],
          "%s", b.s);
    lrn_json_free(doc);
    lrn_free(b.s);
  }
  memset(&b, 0, sizeof b);
  lrn_json_put_string(&b, "\xff");
  CHECK(b.status == LRN_EVALUE, "bad UTF-8 was written");
  lrn_free(b.s);
}

/* A locale with a decimal comma must change nothing. */
static void test_json_locale(void) {
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL) {
    SKIP("no locale with a decimal comma is installed");
    return;
  }
  test_json_put();
  test_json_tree();
  setlocale(LC_ALL, "C");
}

static void test_utf8_show(void) {
  char show[UTF8_SHOW], longer[200];
  memset(longer, 'x', sizeof longer);
  CHECK(strcmp(utf8_show(show, "a\033[31mb\xc2\x9b\xff", 10), "\"a?[31mb??\"") == 0, "%s",
        show);
  CHECK(strlen(utf8_show(show, longer, sizeof longer)) < UTF8_SHOW && strstr(show, "..."), "%s",
        show);
}

/* }==================================================================== */

/* {====================================================================
** Whole files
** ===================================================================== */

static void test_bytes(void) {
  const bytes_part part[] = {{"hello ", 6}, {NULL, 0}, {"world", 5}};
  unsigned char *p = NULL;
  size_t n = 0;
  const char *path = in_folder("a.bin");
  struct stat info;
  mode_t old = umask(027);
  CHECK(bytes_write(path, part, 3, "save") == LRN_OK, "%s", lrn_error_message());
  umask(old);
  CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0640, "mode %o", info.st_mode);
  CHECK(bytes_read(&p, &n, path, 100, "load") == LRN_OK && n == 11 &&
            memcmp(p, "hello world", 11) == 0,
        "%s", lrn_error_message());
  lrn_free(p);
  p = NULL;
  CHECK(bytes_read(&p, &n, path, 10, "load") == LRN_EFORMAT && p == NULL && said("at most 10"),
        "%s", lrn_error_message());
  CHECK(bytes_read(&p, &n, in_folder("none"), 10, "load") == LRN_EIO &&
            lrn_error_errno() == ENOENT && said("load: ") && said("none"),
        "%s", lrn_error_message());
  CHECK(said("No such file"), "errno's text is missing: %s", lrn_error_message());
  CHECK(bytes_read(&p, &n, folder, 10, "load") == LRN_EIO && lrn_error_errno() == EISDIR, "%s",
        lrn_error_message());
  CHECK(bytes_read(&p, &n, "/dev/zero", 10, "load") == LRN_EIO && said("not a regular"), "%s",
        lrn_error_message());
  CHECK(bytes_write(in_folder("none/x"), part, 3, "save") == LRN_EIO &&
            lrn_error_errno() == ENOENT && said("none/x"),
        "%s", lrn_error_message());
  CHECK(bytes_write(in_folder("a.bin/x"), part, 3, "save") == LRN_EIO &&
            lrn_error_errno() == ENOTDIR,
        "%s", lrn_error_message());
  CHECK(bytes_write(folder, part, 3, "save") == LRN_EIO && lrn_error_errno() == EISDIR, "%s",
        lrn_error_message());
  CHECK(bytes_write("/dev/null", part, 3, "save") == LRN_EIO, "/dev/null was replaced");
  CHECK(bytes_write("", part, 3, "save") == LRN_EIO, "an empty path");
  if (chdir(folder) == 0) { /* a path without a folder */
    CHECK(bytes_write("b.bin", part, 3, "save") == LRN_OK, "%s", lrn_error_message());
    CHECK(unlink("b.bin") == 0 && chdir("/") == 0, "b.bin");
  }
  { /* a temporary that a killed process of the same number left behind */
    char stale[300];
    snprintf(stale, sizeof stale, "%s.tmp-%ld-0", path, (long)getpid());
    write_plain(stale, "x", 1);
    CHECK(bytes_write(path, part, 3, "save") == LRN_OK, "%s", lrn_error_message());
    unlink(stale);
  }
  CHECK(files_in(folder) == 1, "%d files left", files_in(folder));
}

/* The old file stays whole, no temporary stays, and the error says why. */
static void check_no_room(const char *path, const char *where, int errnum) {
  lrn_tensor *t = NULL;
  int64_t size = 100000;
  lrn_file *f = NULL, *back = NULL;
  int before = files_in(where);
  CHECK(lrn_tensor_new(&t, LRN_F64, 1, &size, NULL) == LRN_OK, "new");
  memset(lrn_tensor_data(t), 0, 800000);
  CHECK(lrn_file_new(&f) == LRN_OK && lrn_file_put(f, "big", t) == LRN_OK, "put");
  CHECK(lrn_file_save(f, path) == LRN_EIO && lrn_error_errno() == errnum && said(path), "%s",
        lrn_error_message());
  CHECK(lrn_idx_save(path, t) == LRN_EIO && lrn_error_errno() == errnum, "%s",
        lrn_error_message());
  CHECK(files_in(where) == before, "a temporary is left");
  CHECK(lrn_file_load(&back, path) == LRN_OK && lrn_file_count(back) == 0, "the old file: %s",
        lrn_error_message());
  lrn_file_free(back);
  lrn_file_free(f);
  lrn_tensor_free(t);
}

static void test_no_room(void) {
  const char *path = in_folder("kept.safetensors"), *disk = in_folder("disk");
  char on_disk[300];
  struct rlimit old, small;
  lrn_file *empty = NULL;
  CHECK(lrn_file_new(&empty) == LRN_OK && lrn_file_save(empty, path) == LRN_OK, "%s",
        lrn_error_message());
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 100000;
  setrlimit(RLIMIT_FSIZE, &small);
  check_no_room(path, folder, EFBIG);
  setrlimit(RLIMIT_FSIZE, &old);
  if (mkdir(disk, 0777) != 0 || mount("none", disk, "tmpfs", 0, "size=128k") != 0)
    SKIP("a full disk: no right to mount a tmpfs");
  else {
    snprintf(on_disk, sizeof on_disk, "%s/kept.safetensors", disk);
    CHECK(lrn_file_save(empty, on_disk) == LRN_OK, "%s", lrn_error_message());
    check_no_room(on_disk, disk, ENOSPC);
    umount(disk);
  }
  rmdir(disk);
  lrn_file_free(empty);
  unlink(path);
}

/* }==================================================================== */

/* {====================================================================
** IDX
** ===================================================================== */

static lrn_tensor *counting(int dtype, int nd, const int64_t *size) {
  lrn_tensor *t = NULL;
  unsigned char *p;
  size_t n;
  if (lrn_tensor_new(&t, dtype, nd, size, NULL) != LRN_OK)
    return NULL;
  p = lrn_tensor_data(t);
  n = (size_t)lrn_tensor_numel(t);
  for (size_t i = 0; i < n; i++) {
    double d = (double)i * 1.25 - 3;
    float s = (float)d;
    int64_t l = (int64_t)i * 1000003 - 7;
    int32_t k = (int32_t)i * 70001 - 7;
    switch (dtype) {
      case LRN_F32: memcpy(p + 4 * i, &s, 4); break;
      case LRN_F64: memcpy(p + 8 * i, &d, 8); break;
      case LRN_I64: memcpy(p + 8 * i, &l, 8); break;
      case LRN_I32: memcpy(p + 4 * i, &k, 4); break;
      default: p[i] = (unsigned char)(dtype == LRN_U8 ? i * 3 : i & 1);
    }
  }
  return t;
}

/* Same dtype, shape and bytes; both contiguous */
static int same(const lrn_tensor *a, const lrn_tensor *b) {
  size_t n;
  if (a == NULL || b == NULL || lrn_tensor_dtype(a) != lrn_tensor_dtype(b) ||
      lrn_tensor_ndim(a) != lrn_tensor_ndim(b))
    return 0;
  for (int d = 0; d < lrn_tensor_ndim(a); d++)
    if (lrn_tensor_size(a, d) != lrn_tensor_size(b, d))
      return 0;
  n = (size_t)lrn_tensor_numel(a) * lrn_dtype_size(lrn_tensor_dtype(a));
  return n == 0 || memcmp(lrn_tensor_data(a), lrn_tensor_data(b), n) == 0;
}

static void test_idx_round_trip(void) {
  static const int dtypes[] = {LRN_U8, LRN_I32, LRN_F32, LRN_F64};
  static const char *const paths[] = {"t.idx", "t.idx.gz"};
  static const int64_t size[] = {3, 2, 4, 1, 2, 1, 1, 2}, none[] = {0, 28, 28};
  for (int d = 0; d < 4; d++)
    for (int nd = 1; nd <= 8; nd++)
      for (int z = 0; z < 2; z++) {
        lrn_tensor *t = counting(dtypes[d], nd, size), *back = NULL;
        CHECK(lrn_idx_save(in_folder(paths[z]), t) == LRN_OK &&
                  lrn_idx_load(&back, in_folder(paths[z])) == LRN_OK && same(t, back),
              "%s rank %d: %s", lrn_dtype_name(dtypes[d]), nd, lrn_error_message());
        lrn_tensor_free(back);
        lrn_tensor_free(t);
      }
  {
    lrn_tensor *t = counting(LRN_U8, 3, none), *back = NULL, *turned = NULL, *flat = NULL;
    CHECK(lrn_idx_save(in_folder("t.idx"), t) == LRN_OK &&
              lrn_idx_load(&back, in_folder("t.idx")) == LRN_OK && same(t, back),
          "no rows: %s", lrn_error_message());
    lrn_tensor_free(back);
    lrn_tensor_free(t);
    t = counting(LRN_F32, 2, size); /* strides that are not row-major */
    CHECK(lrn_tensor_transpose(&turned, t, 0, 1) == LRN_OK &&
              lrn_tensor_clone(&flat, turned) == LRN_OK &&
              lrn_idx_save(in_folder("t.idx"), turned) == LRN_OK &&
              lrn_idx_load(&back, in_folder("t.idx")) == LRN_OK && same(flat, back),
          "transposed: %s", lrn_error_message());
    lrn_tensor_free(back);
    lrn_tensor_free(flat);
    lrn_tensor_free(turned);
    lrn_tensor_free(t);
  }
  for (int dtype = 0; dtype < LRN_DTYPES; dtype++) {
    lrn_tensor *t = counting(dtype, 1, size), *scalar = counting(LRN_U8, 0, NULL);
    if (dtype == LRN_I64 || dtype == LRN_BOOL)
      CHECK(lrn_idx_save(in_folder("no.idx"), t) == LRN_ETYPE, "dtype %d", dtype);
    CHECK(lrn_idx_save(in_folder("no.idx"), scalar) == LRN_ESHAPE, "a scalar");
    lrn_tensor_free(t);
    lrn_tensor_free(scalar);
  }
  CHECK(access(in_folder("no.idx"), F_OK) != 0, "no.idx was made");
}

static void test_idx_bytes(void) {
  static const unsigned char i8[] = {0, 0, 9, 1, 0, 0, 0, 3, 0x80, 0xff, 5};
  static const unsigned char i16[] = {0, 0, 0xB, 1, 0, 0, 0, 3, 0x80, 0, 0xff, 0xfe, 1, 2};
  static const unsigned char i32[] = {0, 0, 0xC, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe};
  static const unsigned char f64[] = {0, 0, 0xE, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
  static const unsigned char f32[] = {0, 0, 0xD, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xbf, 0x80, 0, 0};
  static const struct {
    const unsigned char *p;
    size_t n;
    int dtype;
    double want[3];
  } good[] = {
      {i8, sizeof i8, LRN_I32, {-128, -1, 5}}, {i16, sizeof i16, LRN_I32, {-32768, -2, 258}},
      {i32, sizeof i32, LRN_I32, {-2, 0, 0}},  {f64, sizeof f64, LRN_F64, {1.5, 0, 0}},
      {f32, sizeof f32, LRN_F32, {-1, 0, 0}},
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    lrn_tensor *t = NULL;
    CHECK(lrn_idx_parse(&t, good[i].p, good[i].n, "t") == LRN_OK &&
              lrn_tensor_dtype(t) == good[i].dtype,
          "%s", lrn_error_message());
    for (int64_t k = 0; t != NULL && k < lrn_tensor_numel(t); k++) {
      double d = good[i].dtype == LRN_I32   ? ((int32_t *)lrn_tensor_data(t))[k]
                 : good[i].dtype == LRN_F64 ? ((double *)lrn_tensor_data(t))[k]
                                            : (double)((float *)lrn_tensor_data(t))[k];
      CHECK(d == good[i].want[k], "case %zu value %d: %g", i, (int)k, d);
    }
    lrn_tensor_free(t);
  }
}

static void test_idx_reject(void) {
  static const struct {
    size_t n;
    unsigned char p[40];
    const char *says;
  } bad[] = {
      {0, {0}, "byte 0"},
      {3, {0, 0, 8}, "byte 3"},
      {9, {1, 0, 8, 1, 0, 0, 0, 1, 7}, "byte 0: found 0x01"},
      {9, {0, 2, 8, 1, 0, 0, 0, 1, 7}, "byte 1: found 0x02"},
      {9, {0, 0, 10, 1, 0, 0, 0, 1, 7}, "byte 2: found type 0x0A"},
      {5, {0, 0, 8, 0, 7}, "byte 3: found 0 dim"},
      {40, {0, 0, 8, 9}, "byte 3: found 9 dim"},
      {7, {0, 0, 8, 1, 0, 0, 0}, "expected 1 sizes"},
      {9, {0, 0, 8, 1, 0, 0, 0, 2, 7}, "byte 8: found 1 bytes of values, expected 2"},
      {10, {0, 0, 8, 1, 0, 0, 0, 1, 7, 7}, "found 2 bytes of values, expected 1"},
      {16, {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, "2^47"},
      {20,
       {0, 0, 14, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0},
       "2^47"},
      {8, {0, 0, 8, 1, 127, 255, 255, 255}, "expected 2147483647"},
      {2, {0x1f, 0x8b}, "gzip"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    lrn_tensor *t = NULL;
    CHECK(lrn_idx_parse(&t, bad[i].p, bad[i].n, "f.idx") == LRN_EFORMAT && t == NULL &&
              said("idx_load: f.idx: ") && said(bad[i].says),
          "case %zu: %s", i, lrn_error_message());
  }
}

/* }==================================================================== */

/* {====================================================================
** safetensors
** ===================================================================== */

static size_t craft(unsigned char *to, const char *header, const void *data, size_t n) {
  uint64_t length = strlen(header);
  memcpy(to, &length, 8);
  memcpy(to + 8, header, length);
  memcpy(to + 8 + length, data, n);
  return 8 + length + n;
}

#define U8_AT(name, shape, range)                                                              \
  "\"" name "\":{\"dtype\":\"U8\",\"shape\":[" shape "],\"data_offsets\":[" range "]}"

static void test_safetensors_accept(void) {
  static const struct {
    const char *header;
    size_t n;
    int tensors;
  } good[] = {
      {"{}", 0, 0},
      {"{}      ", 0, 0},
      {"{\"__metadata__\":{}}", 0, 0},
      {"{\"__metadata__\":{\"a\":\"b\",\"\":\"\"}}", 0, 0},
      {"{" U8_AT("s", "", "0,1") "}", 1, 1},
      {"{" U8_AT("z", "0", "0,0") "}", 0, 1},
      {"{" U8_AT("z", "3,0,2", "0,0") "}", 0, 1},
      {"{" U8_AT("b", "1", "1,2") "," U8_AT("a", "1", "0,1") "," U8_AT("z", "0", "1,1") "}", 2,
       3},
      {"{" U8_AT("a", "1,1,1,1,1,1,1,2", "0,2") "}", 2, 1},
      {"{\"a\":{\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\",\"more\":1}}", 4, 1},
      {"{\"a\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2, 1},
      {"{" U8_AT("\xc3\xa9\\u00e8", "1", "0,1") "}", 1, 1},
  };
  unsigned char buf[1000];
  static const unsigned char data[8] = {1, 0, 1, 1};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    size_t n = craft(buf, good[i].header, data, good[i].n);
    lrn_file *f = NULL;
    CHECK(lrn_file_parse(&f, buf, n, "m") == LRN_OK && lrn_file_count(f) == good[i].tensors,
          "%s: %s", good[i].header, lrn_error_message());
    lrn_file_free(f);
  }
}

static void test_safetensors_reject(void) {
  static const struct {
    const char *header;
    size_t n;
    const char *says;
  } bad[] = {
      {"", 0, "byte 8"},
      {"[]", 0, "byte 8: found no '{'"},
      {" {}", 0, "byte 8: found no '{'"},
      {"{", 0, "byte 9: found the end"},
      {"{}x", 0, "byte 10"},
      {"{\"\xff\":1}", 0, "byte 10: found byte 0xFF, expected UTF-8"},
      {"{}", 1, "byte 10: found 1 bytes after the last tensor"},
      {"{" U8_AT("a", "1", "0,1") "}", 2, "1 bytes after"},
      {"{" U8_AT("a", "1", "1,2") "}", 2, "a gap"},
      {"{" U8_AT("a", "1", "0,1") "," U8_AT("b", "1", "2,3") "}", 3,
       "found begin 2, expected 1 (a gap)"},
      {"{" U8_AT("a", "2", "0,2") "," U8_AT("b", "2", "1,3") "}", 3, "an overlap"},
      {"{" U8_AT("a", "2", "0,2") "," U8_AT("b", "2", "0,2") "}", 2, "an overlap"},
      {"{" U8_AT("a", "2", "0,2") "," U8_AT("z", "0", "1,1") "}", 2, "\"z\": found begin 1"},
      {"{" U8_AT("a", "2", "0,1") "}", 1, "found 1 bytes, expected 2 for U8 [2]"},
      {"{" U8_AT("a", "1", "0,2") "}", 1, "within 1 bytes"},
      {"{" U8_AT("a", "1", "1,0") "}", 1, "found range [1, 0)"},
      {"{" U8_AT("a", "1", "-1,0") "}", 1, "found -1"},
      {"{" U8_AT("a", "-1", "0,1") "}", 1, "found -1"},
      {"{" U8_AT("a", "1.0", "0,1") "}", 1, "expected an integer"},
      {"{" U8_AT("a", "\"1\"", "0,1") "}", 1, "found a string, expected an integer"},
      {"{" U8_AT("a", "99999999999999999999", "0,1") "}", 1, "expected an integer"},
      {"{" U8_AT("a", "4294967296,4294967296", "0,0") "}", 0, "2^47"},
      {"{" U8_AT("a", "9223372036854775807,2", "0,1") "}", 1, "2^47"},
      {"{" U8_AT("a", "1,1,1,1,1,1,1,1,1", "0,1") "}", 1, "found 9 dimensions"},
      {"{" U8_AT("a", "1", "0") "}", 1, "found an array of 1"},
      {"{" U8_AT("a", "1", "0,1,2") "}", 1, "found an array of 3"},
      {"{" U8_AT("a", "1", "0,1") "," U8_AT("a", "1", "0,1") "}", 1, "found key \"a\" again"},
      {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "found key \"k\" again"},
      {"{" U8_AT("a\\u0000b", "1", "0,1") "}", 1, "NUL"},
      {"{\"a\":1}", 0, "found an integer, expected an object"},
      {"{\"a\":{}}", 0, "found nothing, expected a string"},
      {"{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "expected a shape"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"offsets\":[0,1]}}", 1,
       "expected data_offsets"},
      {"{\"a\":{\"dtype\":\"U9\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
       "unknown dtype \"U9\""},
      {"{\"a\":{\"dtype\":\"u8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "unknown dtype"},
      {"{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2,
       "unsupported dtype \"F16\""},
      {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "unsupported"},
      {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "expected a string"},
      {"{\"a\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
       "byte 63: found 0x02"},
      {"{\"__metadata__\":{\"k\":1}}", 0, "found an integer, expected a string"},
      {"{\"__metadata__\":[]}", 0, "expected an object of strings"},
      {"{\"__metadata__\":null}", 0, "expected an object of strings"},
      {"{\"__metadata__\":{\"lrn.sha256\":\"00\"}}", 0, "SHA-256"},
  };
  unsigned char buf[1000];
  static const unsigned char data[8] = {2, 2, 2, 2};
  uint64_t length;
  lrn_file *f = NULL;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    size_t n = craft(buf, bad[i].header, data, bad[i].n);
    CHECK(lrn_file_parse(&f, buf, n, "m.st") == LRN_EFORMAT && f == NULL &&
              said("load: m.st: byte") && said(bad[i].says),
          "%s: %s", bad[i].header, lrn_error_message());
  }
  craft(buf, "{}", data, 0);
  for (size_t n = 0; n < 8; n++)
    CHECK(lrn_file_parse(&f, buf, n, "m") == LRN_EFORMAT, "%zu bytes", n);
  length = UINT64_MAX;
  memcpy(buf, &length, 8);
  CHECK(lrn_file_parse(&f, buf, 10, "m") == LRN_EFORMAT && said("header length"), "%s",
        lrn_error_message());
  { /* one byte above the reference's limit */
    unsigned char *big = malloc(100000020);
    memset(big, ' ', 100000020);
    length = 100000001;
    memcpy(big, &length, 8);
    big[8] = '{', big[9] = '}';
    CHECK(lrn_file_parse(&f, big, 8 + length, "m") == LRN_EFORMAT && said("at most 100000000"),
          "%s", lrn_error_message());
    length--;
    memcpy(big, &length, 8);
    CHECK(lrn_file_parse(&f, big, 8 + length, "m") == LRN_OK, "%s", lrn_error_message());
    lrn_file_free(f);
    free(big);
  }
}

static lrn_file *sample_file(void) {
  static const int64_t size[] = {2, 3}, none[] = {0, 4};
  lrn_file *f = NULL;
  char name[32];
  if (lrn_file_new(&f) != LRN_OK)
    return NULL;
  for (int dtype = LRN_DTYPES - 1; dtype >= 0; dtype--) {
    lrn_tensor *t = counting(dtype, 2, size), *s = counting(dtype, 0, NULL);
    snprintf(name, sizeof name, "%s", lrn_dtype_name(dtype));
    CHECK(lrn_file_put(f, name, t) == LRN_OK, "%s", lrn_error_message());
    snprintf(name, sizeof name, "%s.scalar", lrn_dtype_name(dtype));
    CHECK(lrn_file_put(f, name, s) == LRN_OK, "%s", lrn_error_message());
    lrn_tensor_free(t);
    lrn_tensor_free(s);
  }
  {
    lrn_tensor *z = counting(LRN_F64, 2, none);
    CHECK(lrn_file_put(f, "empty \"\xc3\xa9\"", z) == LRN_OK, "%s", lrn_error_message());
    lrn_tensor_free(z);
  }
  CHECK(lrn_file_put_meta(f, "lrn.format", "1") == LRN_OK &&
            lrn_file_put_meta(f, "options", "{\"steps\":1}\n") == LRN_OK,
        "%s", lrn_error_message());
  return f;
}

static void test_safetensors_round_trip(void) {
  const char *path = in_folder("t.safetensors");
  lrn_file *f = sample_file(), *back = NULL;
  unsigned char *bytes = NULL, *again = NULL;
  size_t n = 0, m = 0;
  uint64_t length;
  CHECK(lrn_file_save(f, path) == LRN_OK && lrn_file_load(&back, path) == LRN_OK, "%s",
        lrn_error_message());
  CHECK(lrn_file_count(back) == lrn_file_count(f) && lrn_file_at(back, 99, NULL) == NULL &&
            lrn_file_at(back, -1, NULL) == NULL,
        "count %d", lrn_file_count(back));
  for (int i = 0; i < lrn_file_count(f); i++) {
    const char *name = NULL;
    const lrn_tensor *t = lrn_file_at(f, i, &name);
    CHECK(same(t, lrn_file_get(back, name)), "%s", name);
  }
  CHECK(lrn_file_meta_count(back) == 2 && strcmp(lrn_file_meta(back, "lrn.format"), "1") == 0 &&
            strcmp(lrn_file_meta(back, "options"), "{\"steps\":1}\n") == 0 &&
            lrn_file_meta(back, "none") == NULL && lrn_file_get(back, "none") == NULL,
        "metadata");
  CHECK(bytes_read(&bytes, &n, path, 1 << 20, "t") == LRN_OK, "%s", lrn_error_message());
  memcpy(&length, bytes, 8);
  CHECK(length % 8 == 0 && bytes[8] == '{' &&
            strstr((char *)bytes + 8, "\"F64\"") < strstr((char *)bytes + 8, "\"F32\""),
        "the order of the header");
  CHECK(lrn_file_save(back, path) == LRN_OK &&
            bytes_read(&again, &m, path, 1 << 20, "t") == LRN_OK && m == n &&
            memcmp(bytes, again, n) == 0,
        "saved again it differs");
  lrn_free(bytes);
  lrn_free(again);
  lrn_file_free(back);
  lrn_file_free(f);
}

static void test_file_put(void) {
  static const int64_t size[] = {2, 3};
  lrn_tensor *t = counting(LRN_F32, 2, size), *turned = NULL, *flat = NULL;
  lrn_file *f = NULL;
  CHECK(lrn_file_new(&f) == LRN_OK && lrn_file_put(f, "W", t) == LRN_OK, "%s",
        lrn_error_message());
  CHECK(!lrn_tensor_shares(t, lrn_file_get(f, "W")), "the file holds no copy");
  CHECK(lrn_file_put(f, "W", t) == LRN_EARG && said("there already"), "twice");
  CHECK(lrn_file_put(f, "", t) == LRN_EARG && said("empty"), "empty");
  CHECK(lrn_file_put(f, "__metadata__", t) == LRN_EARG, "reserved");
  CHECK(lrn_file_put(f, "\xff", t) == LRN_EARG && said("UTF-8"), "UTF-8");
  CHECK(lrn_file_put_meta(f, "k", "v") == LRN_OK && lrn_file_put_meta(f, "k", "v") == LRN_EARG,
        "twice");
  CHECK(lrn_file_put_meta(f, "", "v") == LRN_EARG &&
            lrn_file_put_meta(f, "lrn.sha256", "v") == LRN_EARG &&
            lrn_file_put_meta(f, "x", "\xff") == LRN_EVALUE,
        "bad metadata");
  CHECK(lrn_tensor_transpose(&turned, t, 0, 1) == LRN_OK &&
            lrn_tensor_clone(&flat, turned) == LRN_OK &&
            lrn_file_put(f, "T", turned) == LRN_OK && same(flat, lrn_file_get(f, "T")),
        "transposed");
  CHECK(lrn_file_count(f) == 2 && lrn_file_meta_count(f) == 1, "a failed put left something");
  lrn_tensor_free(flat);
  lrn_tensor_free(turned);
  lrn_tensor_free(t);
  lrn_file_free(f);
  lrn_file_free(NULL);
}

/* }==================================================================== */

/* {====================================================================
** Damage: every truncation and every flipped bit is an error or a valid load
** ===================================================================== */

typedef int (*parse_fn)(const void *bytes, size_t n);

static int parse_idx(const void *bytes, size_t n) {
  lrn_tensor *t = NULL;
  int st = lrn_idx_parse(&t, bytes, n, "t");
  lrn_tensor_free(t);
  return st;
}

static int parse_file(const void *bytes, size_t n) {
  lrn_file *f = NULL;
  int st = lrn_file_parse(&f, bytes, n, "t");
  lrn_file_free(f);
  return st;
}

/* Bits flipped from byte `certain` on must be noticed. Each case in a block of its own size, so
   that a sanitizer sees a read past the end. */
static void damage(const char *what, parse_fn parse, const unsigned char *p, size_t n,
                   size_t certain) {
  int64_t start = live();
  int cut = 0, missed = 0, other = 0;
  for (size_t i = 0; i < n; i++) {
    unsigned char *copy = malloc(i ? i : 1);
    memcpy(copy, p, i);
    cut += parse(copy, i) == LRN_OK;
    free(copy);
  }
  for (size_t bit = 0; bit < 8 * n; bit++) {
    unsigned char *copy = malloc(n);
    int st;
    memcpy(copy, p, n);
    copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
    st = parse(copy, n);
    missed += st == LRN_OK && bit / 8 >= certain;
    other += st != LRN_OK && st != LRN_EFORMAT;
    free(copy);
  }
  CHECK(cut == 0, "%s: %d truncated files were accepted", what, cut);
  CHECK(missed == 0, "%s: %d flipped bits of the data were not noticed", what, missed);
  CHECK(other == 0, "%s: %d failures are not LRN_EFORMAT, the last is %s", what, other,
        lrn_error_message());
  CHECK(live() == start, "%s: %d blocks lost", what, (int)(live() - start));
}

static void test_damage(void) {
  static const int64_t size[] = {6, 5, 4};
  lrn_tensor *t = counting(LRN_U8, 3, size);
  lrn_file *f = sample_file();
  unsigned char *p = NULL;
  size_t n = 0;
  uint64_t header;
  CHECK(parse_idx("", 0) == LRN_EFORMAT, "empty");
  CHECK(lrn_idx_save(in_folder("d.idx.gz"), t) == LRN_OK &&
            bytes_read(&p, &n, in_folder("d.idx.gz"), 1 << 20, "t") == LRN_OK,
        "%s", lrn_error_message());
  damage("idx.gz", parse_idx, p, n, 10); /* behind the gzip header all is under the CRC */
  lrn_free(p);
  CHECK(lrn_idx_save(in_folder("d.idx"), t) == LRN_OK &&
            bytes_read(&p, &n, in_folder("d.idx"), 1 << 20, "t") == LRN_OK,
        "%s", lrn_error_message());
  damage("idx", parse_idx, p, n, n);
  lrn_free(p);
  CHECK(lrn_file_save(f, in_folder("d.st")) == LRN_OK &&
            bytes_read(&p, &n, in_folder("d.st"), 1 << 20, "t") == LRN_OK,
        "%s", lrn_error_message());
  memcpy(&header, p, 8);
  damage("safetensors", parse_file, p, n, (size_t)(8 + header));
  lrn_free(p);
  lrn_file_free(f);
  lrn_tensor_free(t);
}

/* }==================================================================== */

/* {====================================================================
** Every allocation fails once, and from there on
** ===================================================================== */

static int walk_json(void) {
  json_doc *doc = NULL;
  json_buf b = {0};
  int st;
  put_sample(&b);
  st = b.status;
  lrn_free(b.s);
  if (st == LRN_OK)
    st = lrn_json_parse(&doc, "{\"a\":[1,2,3],\"b\":\"x\"}", 21, "t");
  lrn_json_free(doc);
  return st;
}

static int walk_gz(void) {
  unsigned char *packed = NULL, *plain = NULL;
  static const char zeros[20000];
  size_t n = 0, m = 0;
  int st;
  LRN_GO(gz_pack(&packed, &n, zeros, sizeof zeros, "t"));
  packed[n - 1] = 0xff; /* a size that is no help: the buffer has to grow */
  if (gz_unpack(&plain, &m, packed, n, GZ_LIMIT, "t") == LRN_ENOMEM) {
    st = LRN_ENOMEM;
    goto done;
  }
  packed[n - 1] = 0;
  LRN_GO(gz_unpack(&plain, &m, packed, n, GZ_LIMIT, "t"));
done:
  lrn_free(packed);
  lrn_free(plain);
  return st;
}

static int walk_idx(void) {
  static const int64_t size[] = {4, 3};
  lrn_tensor *t = NULL, *back = NULL, *turned = NULL;
  int st;
  LRN_GO(lrn_tensor_new(&t, LRN_I32, 2, size, NULL));
  memset(lrn_tensor_data(t), 1, 48);
  LRN_GO(lrn_tensor_transpose(&turned, t, 0, 1));
  LRN_GO(lrn_idx_save(in_folder("w.idx.gz"), turned));
  LRN_GO(lrn_idx_load(&back, in_folder("w.idx.gz")));
done:
  lrn_tensor_free(back);
  lrn_tensor_free(turned);
  lrn_tensor_free(t);
  return st;
}

static int walk_file(void) {
  static const int64_t size[] = {4, 3};
  lrn_tensor *t = NULL;
  lrn_file *f = NULL, *back = NULL;
  char name[16];
  int st;
  LRN_GO(lrn_tensor_new(&t, LRN_F32, 2, size, NULL));
  memset(lrn_tensor_data(t), 0, 48);
  LRN_GO(lrn_file_new(&f));
  for (int i = 0; i < 10; i++) { /* past the first room of the list */
    snprintf(name, sizeof name, "t%d", i);
    LRN_GO(lrn_file_put(f, name, t));
  }
  LRN_GO(lrn_file_put_meta(f, "k", "v"));
  LRN_GO(lrn_file_save(f, in_folder("w.st")));
  LRN_GO(lrn_file_load(&back, in_folder("w.st")));
done:
  lrn_file_free(back);
  lrn_file_free(f);
  lrn_tensor_free(t);
  return st;
}

static void walk(const char *what, int (*scenario)(void)) {
  int64_t start = live(), n = 1;
  for (int mode = 0; mode < 2; mode++) {
    for (n = 1; n < 10000; n++) {
      int st;
      lrn_memory_fail(n, mode);
      st = scenario();
      lrn_memory_fail(0, 0);
      CHECK(live() == start, "%s: allocation %d, mode %d: %d blocks lost", what, (int)n, mode,
            (int)(live() - start));
      if (st == LRN_OK)
        break;
      CHECK(st == LRN_ENOMEM && lrn_error_code() == LRN_ENOMEM && said("memory"),
            "%s: allocation %d, mode %d: %s", what, (int)n, mode, lrn_error_message());
    }
    CHECK(n > 2 && n < 10000, "%s: %d allocations", what, (int)n);
  }
}

/* }==================================================================== */

int main(void) {
  int64_t start = live();
  int open_files = files_in("/proc/self/fd");
  if (mkdtemp(folder) == NULL)
    return 1;
  test_sha256();
  test_gz();
  test_json_tables();
  test_json_depth();
  test_json_tree();
  test_json_many();
  test_json_put();
  test_json_locale();
  test_utf8_show();
  test_bytes();
  test_no_room();
  test_idx_round_trip();
  test_idx_bytes();
  test_idx_reject();
  test_safetensors_accept();
  test_safetensors_reject();
  test_safetensors_round_trip();
  test_file_put();
  test_damage();
  walk("json", walk_json);
  walk("gz", walk_gz);
  walk("idx", walk_idx);
  walk("safetensors", walk_file);
  CHECK(live() == start, "%d blocks lost", (int)(live() - start));
  CHECK(files_in("/proc/self/fd") == open_files, "a file is still open");
  {
    static const char *const made[] = {"a.bin",         "t.idx",    "t.idx.gz",
                                       "t.safetensors", "d.idx",    "d.idx.gz",
                                       "d.st",          "w.idx.gz", "w.st"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
      CHECK(unlink(in_folder(made[i])) == 0, "%s is not there", made[i]);
    CHECK(rmdir(folder) == 0, "%d files are left", files_in(folder));
  }
  return check_done();
}
