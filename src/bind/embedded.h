/*
** embedded.h - files of lua/ inside the library: module sources and the shipped data set.
** CMakeLists.txt makes the table.
*/
#ifndef LRN_BIND_EMBEDDED_H
#define LRN_BIND_EMBEDDED_H

typedef struct lrn_embedded {
  const char *path; /* below lua/: "lrn/rbm.lua"; NULL ends the table */
  const char *begin, *end;
} lrn_embedded;

extern const lrn_embedded lrn_embedded_files[];

#define LRN_INCBIN(symbol, file)                                                       \
  __asm__(".section .rodata\n.balign 16\n.local " #symbol "\n" #symbol ":\n.incbin \"" file \
          "\"\n.local " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n");         \
  extern const char symbol[], symbol##_end[];

#endif
