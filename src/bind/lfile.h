/*
** lfile.h - boxes of files, shared by lfile.c and lrbm.c.
*/
#ifndef LRN_BIND_LFILE_H
#define LRN_BIND_LFILE_H

#define LRNB_FILE "lrn.File"
#define LRNB_JSON "lrn.JSON"
#define LRNB_BYTES "lrn.Bytes"

/* Frees what the engine's allocator gave. */
void lrnB_free_bytes(void *p);

#endif
