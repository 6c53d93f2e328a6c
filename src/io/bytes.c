/*
** bytes.c - whole files by the system's calls, so that errno is there for the message
** and fsync for the promise: a path holds its old bytes or all of its new ones.
*/
#include "io/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "base/status.h"

/* One call moves at most this much: an interrupt is seen between them. */
#define CHUNK ((size_t)1 << 26)

/* {====================================================================
** Reading
** ===================================================================== */

/* O_NONBLOCK: opening a pipe must not wait for its writer; the file's kind is checked after. */
int bytes_open(int *out, size_t *size, const char *path, const char *function) {
  struct stat info;
  int fd, st;
  do
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return lrn_fail_errno(errno, function, path);
  if (fstat(fd, &info) != 0)
    st = lrn_fail_errno(errno, function, path);
  else if (S_ISDIR(info.st_mode))
    st = lrn_fail_errno(EISDIR, function, path);
  else if (!S_ISREG(info.st_mode))
    st = lrn_fail(LRN_EIO, "%s: %s: not a regular file", function, path);
  else {
    *out = fd;
    *size = (size_t)info.st_size;
    return LRN_OK;
  }
  close(fd);
  return st;
}

/* Up to n bytes; fewer only at the end of the file. */
static int read_all(size_t *got, int fd, unsigned char *p, size_t n, const char *path,
                    const char *function) {
  size_t have = 0;
  while (have < n) {
    size_t want = n - have < CHUNK ? n - have : CHUNK;
    ssize_t r;
    LRN_TRY(lrn_poll());
    r = read(fd, p + have, want);
    if (r < 0 && errno == EINTR)
      continue;
    if (r < 0)
      return lrn_fail_errno(errno, function, path);
    if (r == 0)
      break;
    have += (size_t)r;
  }
  *got = have;
  return LRN_OK;
}

int bytes_read(unsigned char **out, size_t *n, const char *path, size_t limit,
               const char *function) {
  unsigned char *p = NULL;
  size_t size = 0, got = 0;
  int fd = -1, st;
  LRN_TRY(bytes_open(&fd, &size, path, function));
  if (size > limit) {
    st = lrn_fail(LRN_EFORMAT, "%s: %s: found %zu bytes, expected at most %zu", function,
                  path, size, limit);
    goto done;
  }
  p = lrn_malloc(size + 1); /* one more byte tells whether the file has grown */
  if (p == NULL) {
    st = lrn_fail(LRN_ENOMEM, "%s: %s: out of memory: %zu bytes asked", function, path,
                  size);
    goto done;
  }
  LRN_GO(read_all(&got, fd, p, size + 1, path, function));
  if (got != size) {
    st = lrn_fail(LRN_EIO, "%s: %s: changed while it was read (%zu bytes, then %s)",
                  function, path, size, got < size ? "fewer" : "more");
    goto done;
  }
  *out = p;
  *n = size;
  p = NULL;
done:
  close(fd);
  lrn_free(p);
  return st;
}

/* }==================================================================== */

/* {====================================================================
** Writing
** ===================================================================== */

/* The place of a file: its folder, open, and the name of the temporary beside it. */
typedef struct place {
  char *folder;
  char *temporary;
  int folder_fd, fd; /* -1: not open */
} place;

static void leave(place *at) {
  if (at->folder_fd >= 0)
    close(at->folder_fd);
  if (at->fd >= 0)
    close(at->fd);
  lrn_free(at->folder);
  lrn_free(at->temporary);
}

static int enter(place *at, const char *path, const char *function) {
  size_t n = strlen(path), room = n + 48;
  const char *slash = strrchr(path, '/');
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return S_ISDIR(info.st_mode)
               ? lrn_fail_errno(EISDIR, function, path)
               : lrn_fail(LRN_EIO, "%s: %s: not a regular file", function, path);
  at->folder = lrn_malloc(n + 2);
  at->temporary = lrn_malloc(room);
  if (at->folder == NULL || at->temporary == NULL)
    return lrn_fail(LRN_ENOMEM, "%s: %s: out of memory", function, path);
  n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
  memcpy(at->folder, n ? path : ".", n ? n : 1);
  at->folder[n ? n : 1] = '\0';
  at->folder_fd = open(at->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (at->folder_fd < 0)
    return lrn_fail_errno(errno, function, path);
  /* A name may be taken by another thread, or by a process that was killed. */
  for (int i = 0; i < 1000; i++) {
    snprintf(at->temporary, room, "%s.tmp-%ld-%d", path, (long)getpid(), i);
    do
      at->fd = open(at->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    while (at->fd < 0 && errno == EINTR);
    if (at->fd >= 0)
      return LRN_OK;
    if (errno != EEXIST)
      break;
  }
  return lrn_fail_errno(errno, function, path);
}

static int write_all(int fd, const unsigned char *p, size_t n) {
  while (n > 0) {
    ssize_t w = write(fd, p, n < CHUNK ? n : CHUNK);
    if (w < 0 && errno == EINTR)
      continue;
    if (w <= 0)
      return w < 0 ? errno : ENOSPC;
    p += w;
    n -= (size_t)w;
  }
  return 0;
}

/* Some file systems cannot sync a folder and say EINVAL. */
static int sync_fd(int fd) {
  while (fsync(fd) != 0)
    if (errno != EINTR)
      return errno == EINVAL ? 0 : errno;
  return 0;
}

int bytes_write(const char *path, const bytes_part *part, int parts,
                const char *function) {
  place at = {NULL, NULL, -1, -1};
  int errnum = 0, fd;
  int st = enter(&at, path, function);
  if (st != LRN_OK)
    goto done;
  for (int i = 0; i < parts && errnum == 0; i++)
    errnum = write_all(at.fd, part[i].data, part[i].n);
  if (errnum == 0)
    errnum = sync_fd(at.fd);
  fd = at.fd;
  at.fd = -1;
  if (close(fd) != 0 && errnum == 0 && errno != EINTR)
    errnum = errno;
  if (errnum == 0 && rename(at.temporary, path) != 0)
    errnum = errno;
  if (errnum != 0)
    unlink(at.temporary);
  else
    errnum = sync_fd(at.folder_fd);
  if (errnum != 0)
    st = lrn_fail_errno(errnum, function, path);
done:
  leave(&at);
  return st;
}

/* }==================================================================== */
