/* map_f64.c - the elementwise loops of float64: see map.inc.c */
#include "cpu/kernels.h"

#define LRN_K_DOUBLE
#define T double
#define MAP_TABLE LRN_K(lrn_map_f64)
#include "map.inc.c"
