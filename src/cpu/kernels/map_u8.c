/* map_u8.c - the elementwise loops of uint8: see map.inc.c */
#include "cpu/kernels.h"

/* sign compares with 0 from below, which no uint8 is */
#pragma GCC diagnostic ignored "-Wtype-limits"
#define LRN_K_INT
#define T uint8_t
#define U uint8_t
#define MAP_TABLE LRN_K(lrn_map_u8)
#include "map.inc.c"
