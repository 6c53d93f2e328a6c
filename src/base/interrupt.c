/*
** interrupt.c - one pointer and one depth a thread.
*/
#include "base/interrupt.h"

#include <stddef.h>

static _Thread_local volatile int *flag;
static _Thread_local int held;

void lrn_set_interrupt(volatile int *f) { flag = f; }

const volatile int *lrn_interrupt_flag(void) { return held > 0 ? NULL : flag; }

void lrn_hold(void) { held++; }
void lrn_release(void) { held--; }

int lrn_poll_held(void) {
  if (!lrn_flag_is_set(flag))
    return LRN_OK;
  __atomic_store_n(flag, 0, __ATOMIC_RELAXED);
  return lrn_fail(LRN_EINTERRUPTED, "interrupted!");
}

int lrn_poll(void) { return held > 0 ? LRN_OK : lrn_poll_held(); }
