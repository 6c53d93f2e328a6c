/*
** part.h - a file that arrives piece by piece: kept beside its place as path.part until it is
** whole, then renamed. One process at a time holds a part; what a process that died left is gone on
** with.
**
**     open (path.part, locked) --> size, clear, write ... --> sha256 --> commit (path) or discard
**
** Functions are called by one thread at a time. `function` stands first in messages.
*/
#ifndef LRN_IO_PART_H
#define LRN_IO_PART_H

#include <stddef.h>
#include <stdint.h>

#include "lrn.h"

typedef struct lrn_part lrn_part;

/* Opens path.part, made where it is not there, and locks it. *out = NULL with LRN_OK: another part
   of this process or another has it. The folder must exist. LRN_EIO, LRN_ENOMEM. */
LRN_API int lrn_part_open(lrn_part **out, const char *path, const char *function);
/* Bytes that are there. */
LRN_API int64_t lrn_part_size(const lrn_part *p);
/* Appends. What was written before a failure (LRN_EIO: a full disk) counts in the size. */
LRN_API int lrn_part_write(lrn_part *p, const void *bytes, size_t n);
/* Forgets all bytes. */
LRN_API int lrn_part_clear(lrn_part *p);
/* SHA-256 of the bytes that are there, in hexadecimal digits. Stops where it is interrupted. */
LRN_API int lrn_part_sha256(lrn_part *p, char hex[65]);
/* The bytes become the file `path`, safe on the disk: afterwards the part can only be closed. */
LRN_API int lrn_part_commit(lrn_part *p);
/* Removes path.part: afterwards the part can only be closed. */
LRN_API void lrn_part_discard(lrn_part *p);
/* Closes, which unlocks. A part that holds bytes stays on the disk for the next one who opens it;
   an empty one goes. NULL is allowed. */
LRN_API void lrn_part_close(lrn_part *p);

/* SHA-256 of the regular file `path`. LRN_EIO, LRN_EINTERRUPTED. */
LRN_API int lrn_sha256_file(char hex[65], const char *path);

#endif
