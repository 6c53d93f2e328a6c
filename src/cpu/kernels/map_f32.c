/* map_f32.c - the elementwise loops of float32: see map.inc.c */
#include "cpu/kernels.h"

#define LRN_K_FLOAT
#define T float
#define MAP_TABLE LRN_K(lrn_map_f32)
#include "map.inc.c"
