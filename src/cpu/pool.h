/*
** pool.h - the one pool of worker threads. A job is n independent tasks; which thread
** takes which task is left to chance, so a task's result must depend on its number alone.
*/
#ifndef LRN_CPU_POOL_H
#define LRN_CPU_POOL_H

#include <stdint.h>

/* Runs f(context, 0) ... f(context, n - 1), the caller taking part, and returns when all are
   done. A job begun inside of a task, or while another thread's job runs, is done by its caller
   alone. */
void lrn_parallel(int64_t n, void (*f)(void *context, int64_t i), void *context);

/* The same, but tasks are left out once the calling thread is to stop (base/interrupt.h):
   LRN_EINTERRUPTED then, else LRN_OK. A task should take well below 0.1 s. */
int lrn_parallel_until(int64_t n, void (*f)(void *context, int64_t i), void *context);

#endif
