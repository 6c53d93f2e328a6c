/*
** bytes.h - whole files: read into a counted buffer, written atomically.
**
** `function` stands first in messages: "load: model.safetensors: No such file ...".
*/
#ifndef LRN_IO_BYTES_H
#define LRN_IO_BYTES_H

#include <stddef.h>

/* Opens the regular file `path` for reading, *size bytes long. The caller closes. LRN_EIO. */
int bytes_open(int *out, size_t *size, const char *path, const char *function);

/* *out = the *n bytes of the regular file `path` (lrn_free). LRN_EIO; LRN_EFORMAT where it is
   larger than `limit`; LRN_ENOMEM. */
int bytes_read(unsigned char **out, size_t *n, const char *path, size_t limit,
               const char *function);

typedef struct bytes_part {
  const void *data;
  size_t n;
} bytes_part;

/* The parts, one after the other, become the file `path`: written to path.tmp-PID-N, fsync,
   rename, fsync of the folder. On failure `path` is as before and the temporary is gone. Mode
   0666 less the umask. A symbolic link is replaced by the file; anything else that is no
   regular file is refused. LRN_EIO, LRN_ENOMEM. */
int bytes_write(const char *path, const bytes_part *part, int parts, const char *function);

#endif
