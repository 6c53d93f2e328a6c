/* map_i32.c - the elementwise loops of int32: see map.inc.c */
#include "cpu/kernels.h"

#define LRN_K_INT
#define T int32_t
#define U uint32_t
#define MAP_TABLE LRN_K(lrn_map_i32)
#include "map.inc.c"
