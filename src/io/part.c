/*
** part.c - parts, under an flock on path.part.
**
** The name is the lock's, not the file: whoever waited for a lock may hold that of a file which has
** meanwhile been renamed to `path`, or removed. So after locking, the name must still lead to the
** file that was locked (`is_at`); else another round begins. While a part is held its name and its
** file stay together, since only the holder renames or removes.
*/
#include "io/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/bytes.h"
#include "io/sha256.h"

struct lrn_part {
  const char *function; /* a literal of the caller */
  char *path, *name;    /* name: path.part */
  int fd;
  int gone;             /* renamed or removed: the name is another's now */
  int64_t size;
};

/* {====================================================================
** Checksums
** ===================================================================== */

/* Of the n bytes from the start of fd. */
static int digest(char hex[65], int fd, int64_t n, const char *path, const char *function) {
  unsigned char buffer[1 << 16];
  sha256 s;
  sha256_init(&s);
  for (int64_t at = 0; at < n;) {
    size_t want = n - at < (int64_t)sizeof buffer ? (size_t)(n - at) : sizeof buffer;
    ssize_t r;
    LRN_TRY(lrn_poll());
    r = pread(fd, buffer, want, (off_t)at);
    if (r < 0 && errno == EINTR)
      continue;
    if (r < 0)
      return lrn_fail_errno(errno, function, path);
    if (r == 0)
      return lrn_fail(LRN_EIO, "%s: %s: became shorter while it was read", function, path);
    sha256_add(&s, buffer, (size_t)r);
    at += r;
  }
  sha256_end_hex(&s, hex);
  return LRN_OK;
}

int lrn_sha256_file(char hex[65], const char *path) {
  size_t n = 0;
  int fd = -1, st;
  LRN_TRY(bytes_open(&fd, &n, path, "sha256"));
  st = digest(hex, fd, (int64_t)n, path, "sha256");
  close(fd);
  return st;
}

/* }==================================================================== */

/* {====================================================================
** Opening
** ===================================================================== */

/* Does the name lead to the file that fd has open? */
static int is_at(int fd, const char *name) {
  struct stat a, b;
  return fstat(fd, &a) == 0 && stat(name, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

/* *fd = path.part, locked; -1 where another has the lock. */
static int open_locked(int *fd, const char *name, const char *function) {
  for (;;) {
    struct stat info;
    int f, err;
    do /* what is no file of ours is not written to: no links, and no waiting for pipes */
      f = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    while (f < 0 && errno == EINTR);
    if (f < 0)
      return lrn_fail_errno(errno, function, name);
    if (fstat(f, &info) == 0 && !S_ISREG(info.st_mode)) {
      close(f);
      return lrn_fail(LRN_EIO, "%s: %s: not a regular file", function, name);
    }
    if (flock(f, LOCK_EX | LOCK_NB) == 0) {
      *fd = f;
      if (is_at(f, name))
        return LRN_OK;
    } else {
      err = errno;
      if (err != EINTR) {
        close(f);
        *fd = -1;
        return err == EWOULDBLOCK ? LRN_OK : lrn_fail_errno(err, function, name);
      }
    }
    close(f);
  }
}

static void free_part(lrn_part *p) {
  lrn_free(p->path);
  lrn_free(p->name);
  lrn_free(p);
}

int lrn_part_open(lrn_part **out, const char *path, const char *function) {
  size_t n = strlen(path);
  struct stat info;
  void *memory = NULL;
  lrn_part *p;
  int st;
  *out = NULL;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return S_ISDIR(info.st_mode)
               ? lrn_fail_errno(EISDIR, function, path)
               : lrn_fail(LRN_EIO, "%s: %s: not a regular file", function, path);
  LRN_TRY(lrn_alloc(&memory, 1, sizeof *p, function));
  p = memory;
  p->function = function;
  p->fd = -1;
  p->path = lrn_malloc(n + 1);
  p->name = lrn_malloc(n + 6);
  if (p->path == NULL || p->name == NULL) {
    st = lrn_fail(LRN_ENOMEM, "%s: %s: out of memory", function, path);
    goto done;
  }
  memcpy(p->path, path, n + 1);
  snprintf(p->name, n + 6, "%s.part", path);
  LRN_GO(open_locked(&p->fd, p->name, function));
  if (p->fd < 0)
    goto done;
  p->size = lseek(p->fd, 0, SEEK_END);
  *out = p;
  p = NULL;
done:
  if (p != NULL)
    free_part(p);
  return st;
}

void lrn_part_close(lrn_part *p) {
  if (p == NULL)
    return;
  if (p->size == 0)
    lrn_part_discard(p);
  close(p->fd);
  free_part(p);
}

/* }==================================================================== */

/* {====================================================================
** Use
** ===================================================================== */

int64_t lrn_part_size(const lrn_part *p) { return p->size; }

int lrn_part_write(lrn_part *p, const void *bytes, size_t n) {
  const unsigned char *from = bytes;
  while (n > 0) {
    ssize_t w = pwrite(p->fd, from, n, (off_t)p->size);
    if (w < 0 && errno == EINTR)
      continue;
    if (w <= 0)
      return lrn_fail_errno(w < 0 ? errno : ENOSPC, p->function, p->name);
    from += w;
    n -= (size_t)w;
    p->size += w;
  }
  return LRN_OK;
}

int lrn_part_clear(lrn_part *p) {
  if (ftruncate(p->fd, 0) != 0)
    return lrn_fail_errno(errno, p->function, p->name);
  p->size = 0;
  return LRN_OK;
}

int lrn_part_sha256(lrn_part *p, char hex[65]) {
  return digest(hex, p->fd, p->size, p->name, p->function);
}

/* So that a rename outlives a crash; a file system that cannot do it is no failure. */
static void sync_folder(const char *path) {
  char folder[4096] = ".";
  const char *slash = strrchr(path, '/');
  int fd;
  if (slash != NULL && (size_t)(slash - path) >= sizeof folder)
    return;
  if (slash != NULL)
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  fsync(fd);
  close(fd);
}

int lrn_part_commit(lrn_part *p) {
  while (fsync(p->fd) != 0)
    if (errno != EINTR)
      return lrn_fail_errno(errno, p->function, p->name);
  if (rename(p->name, p->path) != 0)
    return lrn_fail_errno(errno, p->function, p->path);
  p->gone = 1;
  sync_folder(p->path);
  return LRN_OK;
}

void lrn_part_discard(lrn_part *p) {
  if (!p->gone)
    unlink(p->name);
  p->gone = 1;
}

/* }==================================================================== */
