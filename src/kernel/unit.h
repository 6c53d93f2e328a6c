/*
** unit.h - the rows of unit.def as functions of a unit's number, at a temperature.
** C11, C++17 and CUDA C++. Where the unit is fixed, unit.def itself serves (cpu/).
**
** The temperature comes in as factors, made once by lrn_unit_scale; at temperature 1 all of
** them are 1 (the summand 0), so that the results have the bits of the unscaled formula.
**
**   lrn_unit_self(unit, s)                                  self energy
**   lrn_unit_cumulant(unit, x, xs, temperature, shift)      A_T(x)
**   lrn_unit_mean(unit, x, xs, hs)                          A_T'(x)
**   lrn_unit_draw(unit, x, xs, hs, u, z)                    a state
**   lrn_unit_nearest(unit, x)                               the state nearest to x
**   lrn_group_weight, _mean, _cumulant                      the same of rows GROUP
** for double; the same names with a closing f for float, factors rounded to float.
*/
#ifndef LRN_KERNEL_UNIT_H
#define LRN_KERNEL_UNIT_H

#include "kernel/hd.h"
#include "kernel/math.h"

#define LRN_LOG_SQRT_2PI 0.91893853320467274178

/* Numbers of the rows, in the table's order; lrn.h gives them the names LRN_UNIT_... */
enum lrn_unit_row {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) LRN_ROW_##enumname,
#define GROUP(enumname, name, help) LRN_ROW_##enumname,
#include "kernel/unit.def"
#undef UNIT
#undef GROUP
  LRN_ROWS
};

enum lrn_scaling { LRN_SCALING_FIXED, LRN_SCALING_SQUARE };
enum lrn_noise { LRN_NOISE_UNIFORM, LRN_NOISE_UNIFORM_OPEN, LRN_NOISE_NORMAL };

LRN_HD int lrn_unit_scaling(int unit) {
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return LRN_SCALING_##scaling;
#include "kernel/unit.def"
#undef UNIT
    default: return LRN_SCALING_FIXED;
  }
}

LRN_HD int lrn_unit_noise(int unit) {
  switch (unit) {
#define UNIT(enumname, name, scaling, noise, self, cumulant, mean, sample, help) \
  case LRN_ROW_##enumname: return LRN_NOISE_##noise;
#include "kernel/unit.def"
#undef UNIT
    default: return LRN_NOISE_UNIFORM;
  }
}

/* Whether a unit has two states, and which. */
LRN_HD int lrn_unit_states(int unit, double *low, double *high) {
  switch (unit) {
#define STATES(enumname, l, h, nearest) \
  case LRN_ROW_##enumname: *low = l; *high = h; return 1;
#include "kernel/unit.def"
#undef STATES
    default: return 0;
  }
}

/* Whether units come in groups that share a state. */
LRN_HD int lrn_unit_in_groups(int unit) {
  switch (unit) {
#define GROUP(enumname, name, help) \
  case LRN_ROW_##enumname: return 1;
#include "kernel/unit.def"
#undef GROUP
    default: return 0;
  }
}

/* Whether a unit's states are drawn from the density of its cumulant. */
LRN_HD int lrn_unit_density(int unit) {
  switch (unit) {
#define RULE(enumname) \
  case LRN_ROW_##enumname: return 0;
#include "kernel/unit.def"
#undef RULE
    default: return 1;
  }
}

/* Input factor xs and output factor hs of mean and sample: hs A'(xs x), hs sample(xs x). */
LRN_HD void lrn_unit_scale(int unit, double temperature, double *xs, double *hs) {
  int square = lrn_unit_scaling(unit) == LRN_SCALING_SQUARE;
  double root = sqrt(temperature);
  *xs = 1.0 / (square ? root : temperature);
  *hs = square ? root : 1.0;
}

/* The summand of the cumulant T (A(xs x) + shift) */
LRN_HD double lrn_unit_shift(int unit, double temperature) {
  return lrn_unit_scaling(unit) == LRN_SCALING_SQUARE && temperature != 1.0
           ? 0.5 * lrn_log(temperature)
           : 0.0;
}

/* log sum exp of numbers as they come, top + log sum; sum is 0 before the first one. */
LRN_HD void lrn_group_join(double *top, double *sum, double x) {
  if (*sum == 0.0 || x > *top) {
    *sum = *sum == 0.0 ? 1.0 : *sum * lrn_expneg(x - *top) + 1.0;
    *top = x;
  } else
    *sum += lrn_expneg(*top - x);
}

#define T float
#define M(name) lrn_##name##f
#include "kernel/unit_t.h"
#undef T
#undef M
#define T double
#define M(name) lrn_##name
#include "kernel/unit_t.h"
#undef T
#undef M

#endif
