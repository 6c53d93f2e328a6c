/*
** files.c - what the prompt does with files: its history, and names to complete.
**
** The history is text, one entry after the other; a line that begins with a tab goes on with the
** entry before it. Each entry is appended in one write as it is made, under a lock of the file, so
** that sessions side by side and a crash lose nothing. A file that has become too long is replaced
** by its last half; who waited for the lock meanwhile sees that the name leads to another file.
*/
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/program.h"

/* Opens a file and locks it, as long as the name leads to it. -1: errno says why not. */
static int open_locked(const char *path) {
  for (;;) {
    struct stat ours, named;
    int saved, fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
      return -1;
    if (flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0) {
      if (!S_ISREG(ours.st_mode))
        errno = EINVAL;
      else if (stat(path, &named) == 0 && named.st_ino == ours.st_ino &&
               named.st_dev == ours.st_dev)
        return fd;
      else {
        close(fd);
        continue;
      }
    }
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
  }
}

static int write_all(int fd, const char *text, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, text, n);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return -1;
    text += done;
    n -= (size_t)done;
  }
  return 0;
}

/* Puts the last half of limit bytes of a locked file, from the start of an entry on, in its place.
   Where that fails the file stays as it is. */
static void shorten(const char *path, int fd, off_t length, size_t limit) {
  char name[PATH_MAX];
  size_t n = limit / 2, start = 0;
  char *text = malloc(n + 1);
  int out;
  if (text == NULL)
    return;
  if (pread(fd, text, n, length - (off_t)n) != (ssize_t)n ||
      snprintf(name, sizeof name, "%s.XXXXXX", path) >= (int)sizeof name) {
    free(text);
    return;
  }
  text[n] = '\t';
  while (start < n && !(text[start] == '\n' && text[start + 1] != '\t'))
    start++;
  if (start < n && (out = mkostemp(name, O_CLOEXEC)) >= 0) { /* mode 0600 */
    int status = write_all(out, text + start + 1, n - start - 1);
    if (close(out) != 0 || status != 0 || rename(name, path) != 0)
      unlink(name);
  }
  free(text);
}

int lrnP_append(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  size_t n;
  const char *text = luaL_checklstring(L, 2, &n);
  size_t limit = (size_t)luaL_checkinteger(L, 3);
  struct stat s;
  int fd = open_locked(path), status;
  if (fd < 0)
    return luaL_fileresult(L, 0, path);
  if (fstat(fd, &s) == 0 && s.st_size > (off_t)limit) {
    shorten(path, fd, s.st_size, limit);
    close(fd);
    if ((fd = open_locked(path)) < 0)
      return luaL_fileresult(L, 0, path);
  }
  status = write_all(fd, text, n);
  if (close(fd) != 0 || status != 0)
    return luaL_fileresult(L, 0, path);
  lua_pushboolean(L, 1);
  return 1;
}

int lrnP_files(lua_State *L) {
  const char *folder = luaL_checkstring(L, 1);
  DIR *dir = opendir(folder[0] != '\0' ? folder : ".");
  struct dirent *entry;
  lua_Integer n = 0;
  lua_newtable(L);
  if (dir == NULL)
    return 1;
  while (n < 10000 && (entry = readdir(dir)) != NULL) {
    struct stat s;
    int is_folder = entry->d_type == DT_DIR;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN)
      is_folder = fstatat(dirfd(dir), entry->d_name, &s, 0) == 0 && S_ISDIR(s.st_mode);
    lua_pushfstring(L, "%s%s", entry->d_name, is_folder ? "/" : "");
    lua_rawseti(L, -2, ++n);
  }
  closedir(dir);
  return 1;
}
