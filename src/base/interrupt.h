/*
** interrupt.h - how long calls stop when they are asked to: see lrn_set_interrupt in lrn.h.
*/
#ifndef LRN_BASE_INTERRUPT_H
#define LRN_BASE_INTERRUPT_H

#include "lrn.h"

/* The flag of this thread where its call may stop now, else NULL. For workers that act for it. */
const volatile int *lrn_interrupt_flag(void);
static inline int lrn_flag_is_set(const volatile int *flag) {
  return flag != NULL && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
}

/* LRN_EINTERRUPTED, and the flag back to 0, where this thread's call is to stop and may; else
   LRN_OK. For loops whose turns are long: rows of a data set, sweeps of a chain. */
int lrn_poll(void);

/* Between hold and release calls of this thread do not stop: what they change would be left half
   changed. They nest. */
void lrn_hold(void);
void lrn_release(void);
/* lrn_poll all the same, where a part of a held call has changed nothing yet. */
int lrn_poll_held(void);

#endif
