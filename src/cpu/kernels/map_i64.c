/* map_i64.c - the elementwise loops of int64: see map.inc.c */
#include "cpu/kernels.h"

#define LRN_K_INT
#define T int64_t
#define U uint64_t
#define MAP_TABLE LRN_K(lrn_map_i64)
#include "map.inc.c"
