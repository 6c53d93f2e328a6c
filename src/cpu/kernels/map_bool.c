/* map_bool.c - the elementwise loops of bool: see map.inc.c */
#include "cpu/kernels.h"

#define LRN_K_BOOL
#define T uint8_t
#define MAP_TABLE LRN_K(lrn_map_bool)
#include "map.inc.c"
