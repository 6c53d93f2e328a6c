/*
** raw.h - the bytes of a file, unpacked, for formats that Lua takes apart by views.
*/
#ifndef LRN_IO_RAW_H
#define LRN_IO_RAW_H

#include "lrn.h"

/* *out = the bytes of the file, plain or gzip, as uint8 of one dimension on the CPU. LRN_EIO,
   LRN_EFORMAT (corrupt, or more than 1 GiB), LRN_ENOMEM. */
LRN_API int lrn_raw_load(lrn_tensor **out, const char *path);

#endif
