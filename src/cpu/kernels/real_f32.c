/* real_f32.c - sums, folds and the step's kernels for float: see the
** .inc.c files below */
#include "cpu/kernels.h"
#include "kernel/philox.h"
#include "kernel/unit.h"

#define LRN_K_FLOAT
#define T float
#define NAME(f) LRN_K(f##_f32)

/* of random.c */
void NAME(lrn_uniforms)(const lrn_key *key, uint64_t first, int64_t n, void *out);
void NAME(lrn_normals)(const lrn_key *key, uint64_t first, int64_t n, void *out);

#include "reduce.inc.c"
#include "group.inc.c"
#include "step.inc.c"
#include "listed.inc.c"
#include "rated.inc.c"
