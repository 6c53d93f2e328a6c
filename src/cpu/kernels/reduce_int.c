/* reduce_int.c - sums and folds of integers and bool: see reduce.inc.c */
#include "cpu/kernels.h"

#define LRN_K_INT
#define T int64_t
#define U uint64_t
#define NAME(f) LRN_K(f##_i64)
#include "reduce.inc.c"
#undef NAME
#include "kernel/ops_undef.h"

#define LRN_K_INT
#define T int32_t
#define U uint32_t
#define NAME(f) LRN_K(f##_i32)
#include "reduce.inc.c"
#undef NAME
#include "kernel/ops_undef.h"

#define LRN_K_INT
#define T uint8_t
#define U uint8_t
#define NAME(f) LRN_K(f##_u8)
#include "reduce.inc.c"
#undef NAME
#include "kernel/ops_undef.h"

#define LRN_K_BOOL
#define T uint8_t
#define NAME(f) LRN_K(f##_bool)
#include "reduce.inc.c"
