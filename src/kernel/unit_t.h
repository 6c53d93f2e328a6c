/*
** unit_t.h - the functions of unit.h for one type: included with T and M(f) defined, M as in
** ops.h: M(unit_mean) is lrn_unit_meanf for float and lrn_unit_mean for double.
*/

/* self energy of the state s; the temperature does not change it */
LRN_HD T M(unit_self)(int unit, T s) {
  (void)s;
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return self;
#include "kernel/unit.def"
#undef UNIT
    default: return 0;
  }
}

/* A_T(x) = T (A(xs x) + shift) */
LRN_HD T M(unit_cumulant)(int unit, T x, T xs, T temperature, T shift) {
  x *= xs;
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return temperature * ((cumulant) + shift);
#include "kernel/unit.def"
#undef UNIT
    default: return 0;
  }
}

/* A_T'(x) = hs A'(xs x) */
LRN_HD T M(unit_mean)(int unit, T x, T xs, T hs) {
  x *= xs;
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return hs * (mean);
#include "kernel/unit.def"
#undef UNIT
    default: return 0;
  }
}

/* The nearer of two states; x itself for a unit that has not two. */
LRN_HD T M(unit_nearest)(int unit, T x) {
  switch (unit) {
#define STATES(enumname, low, high, nearest) \
  case LRN_ROW_##enumname: return nearest;
#include "kernel/unit.def"
#undef STATES
    default: return x;
  }
}

/* Of a group with the largest input `top` and the sum `sum` of the weights: a unit's weight and mean,
   and T log sum exp x. x comes scaled. */
LRN_HD T M(group_weight)(T x, T top) { return M(expneg)(top - x); }
LRN_HD T M(group_mean)(T weight, double sum) { return (T)((double)weight / sum); }
LRN_HD T M(group_cumulant)(T top, double sum, double temperature) {
  return (T)(temperature * ((double)top + lrn_log(sum)));
}

/* A state given x; u: uniform, as lrn_unit_noise says, z: standard normal; one of them is used. */
LRN_HD T M(unit_draw)(int unit, T x, T xs, T hs, T u, T z) {
  (void)u;
  (void)z;
  x *= xs;
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return hs * (sample);
#include "kernel/unit.def"
#undef UNIT
    default: return 0;
  }
}
