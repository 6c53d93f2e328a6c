/* table.c - the kernels of one instruction set, gathered */
#include "cpu/kernels.h"

extern lrn_map_fn *const LRN_K(lrn_map_f32)[], *const LRN_K(lrn_map_f64)[],
  *const LRN_K(lrn_map_i64)[], *const LRN_K(lrn_map_i32)[], *const LRN_K(lrn_map_u8)[],
  *const LRN_K(lrn_map_bool)[];
extern lrn_cast_fn *const LRN_K(lrn_cast)[LRN_DTYPES][LRN_DTYPES];
extern lrn_block_fn LRN_K(lrn_block_f32), LRN_K(lrn_block_f64), LRN_K(lrn_block_i64),
  LRN_K(lrn_block_i32), LRN_K(lrn_block_u8), LRN_K(lrn_block_bool);
extern lrn_columns_fn LRN_K(lrn_columns_f32), LRN_K(lrn_columns_f64);
extern lrn_fold_fn LRN_K(lrn_fold_f32), LRN_K(lrn_fold_f64), LRN_K(lrn_fold_i64),
  LRN_K(lrn_fold_i32), LRN_K(lrn_fold_u8), LRN_K(lrn_fold_bool);
extern lrn_unit_fn LRN_K(lrn_unit_f32), LRN_K(lrn_unit_f64);
void LRN_K(lrn_words)(const lrn_key *, uint64_t, int64_t, uint32_t *);
#define BOTH(R, name, args) R LRN_K(name##_f32) args, LRN_K(name##_f64) args;
BOTH(void, lrn_uniforms, (const lrn_key *, uint64_t, int64_t, void *))
BOTH(void, lrn_normals, (const lrn_key *, uint64_t, int64_t, void *))
BOTH(void, lrn_unit_map, (const lrn_unit_map_args *, int64_t, int64_t))
BOTH(int64_t, lrn_load, (const lrn_load_args *, const void *, void *, void *))
BOTH(double, lrn_flip, (const lrn_flip_args *, int64_t))
BOTH(void, lrn_rung, (const lrn_rung_args *, int64_t))
BOTH(int, lrn_count, (const lrn_lists *, int64_t, int64_t))
BOTH(void, lrn_fill, (const lrn_lists *, int64_t, int64_t))
BOTH(void, lrn_sum_lists, (const lrn_lists *, int64_t, double, const void *, int64_t, int, int64_t,
                           int64_t, void *, int64_t))
BOTH(void, lrn_rated_up, (const lrn_rated *, const uint8_t *, void *, int64_t))
BOTH(void, lrn_rated_down, (const lrn_rated *, const lrn_rated_down_args *, int64_t))
BOTH(void, lrn_rated_gradient,
     (const lrn_rated *, const lrn_rated_gradient_args *, int64_t, int64_t))
BOTH(void, lrn_rated_smooth, (const lrn_rated *, double, void *, int64_t))
BOTH(int, lrn_update, (const lrn_update_args *, int64_t, int64_t))

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define PAIR(name) {LRN_K(name##_f32), LRN_K(name##_f64)}
#define ALL(name)                                                                             \
  {LRN_K(name##_f32), LRN_K(name##_f64), LRN_K(name##_i64),                                    \
   LRN_K(name##_i32), LRN_K(name##_u8),  LRN_K(name##_bool)}

const lrn_kernels LRN_K(lrn_kernels) = {
  .isa = TEXT(LRN_ISA),
  .map = ALL(lrn_map),
  .cast = LRN_K(lrn_cast),
  .block = ALL(lrn_block),
  .columns = PAIR(lrn_columns),
  .fold = ALL(lrn_fold),
  .words = LRN_K(lrn_words),
  .uniform = PAIR(lrn_uniforms),
  .normal = PAIR(lrn_normals),
  .unit = PAIR(lrn_unit),
  .unit_map = PAIR(lrn_unit_map),
  .load = PAIR(lrn_load),
  .flip = PAIR(lrn_flip),
  .rung = PAIR(lrn_rung),
  .count = PAIR(lrn_count),
  .fill = PAIR(lrn_fill),
  .sum_lists = PAIR(lrn_sum_lists),
  .rated_up = PAIR(lrn_rated_up),
  .rated_down = PAIR(lrn_rated_down),
  .rated_gradient = PAIR(lrn_rated_gradient),
  .rated_smooth = PAIR(lrn_rated_smooth),
  .update = PAIR(lrn_update),
};
