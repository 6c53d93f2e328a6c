/*
** pool.c - worker threads.
**
** The caller publishes a job and raises `generation`; every worker sees it once, takes task
** numbers from `next` until none is left, and lowers `active`. The caller does the same and
** then waits for active == 0, so that no worker still looks at the job when it returns.
** Workers spin for some microseconds before they sleep: the steps of a training follow one
** another at that distance, and a futex wake-up costs more than the wait.
*/
#include "cpu/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "base/status.h"

#define MAX_THREADS 256
#define SPINS 4000

static struct {
  pthread_mutex_t owner; /* held by the thread whose job runs, or that resizes the pool */
  pthread_mutex_t lock;  /* with `wake`: for sleeping workers */
  pthread_cond_t wake;
  atomic_uint generation;
  atomic_int sleepers, active, stop;
  atomic_int_fast64_t next;
  int64_t n;
  void (*f)(void *, int64_t);
  void *context;
  const volatile int *flag; /* of the caller: set, no further task begins */
  int workers; /* threads[0 .. workers) run */
  pthread_t threads[MAX_THREADS];
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

static atomic_int size; /* threads a job may use; 0: not yet decided */
static _Thread_local int inside;

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

static int default_size(void) {
  cpu_set_t set;
  const char *env = getenv("LRN_NUM_THREADS");
  if (env != NULL && *env != '\0') {
    char *end;
    long n = strtol(env, &end, 10);
    if (*end == '\0' && n >= 1 && n <= MAX_THREADS)
      return (int)n;
  }
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n;
  }
  return 1;
}

static void take_tasks(void) {
  int64_t i;
  while ((i = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed)) < pool.n &&
         !lrn_flag_is_set(pool.flag))
    pool.f(pool.context, i);
}

static void *worker(void *start) {
  unsigned seen = (unsigned)(uintptr_t)start;
  inside = 1;
  for (;;) {
    for (int spin = 0; atomic_load_explicit(&pool.generation, memory_order_acquire) == seen;) {
      if (++spin < SPINS) {
        pause_cpu();
        continue;
      }
      pthread_mutex_lock(&pool.lock);
      atomic_fetch_add(&pool.sleepers, 1);
      while (atomic_load(&pool.generation) == seen)
        pthread_cond_wait(&pool.wake, &pool.lock);
      atomic_fetch_sub(&pool.sleepers, 1);
      pthread_mutex_unlock(&pool.lock);
    }
    seen++;
    if (atomic_load(&pool.stop))
      return NULL;
    take_tasks();
    atomic_fetch_sub_explicit(&pool.active, 1, memory_order_release);
  }
}

static void publish(void) {
  atomic_fetch_add(&pool.generation, 1);
  if (atomic_load(&pool.sleepers) > 0) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
}

/* Workers block all signals: a handler of the host never runs in a thread that it does not know. */
static int start_worker(pthread_t *thread, unsigned seen) {
  sigset_t all, before;
  int error;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  error = pthread_create(thread, NULL, worker, (void *)(uintptr_t)seen);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/* With `owner` held. Returns how many workers there are then. */
static int resize(int workers) {
  if (workers < pool.workers) { /* threads are all alike: stop all, start anew */
    atomic_store(&pool.stop, 1);
    publish();
    while (pool.workers > 0)
      pthread_join(pool.threads[--pool.workers], NULL);
    atomic_store(&pool.stop, 0);
  }
  while (pool.workers < workers) {
    unsigned seen = atomic_load(&pool.generation);
    if (start_worker(&pool.threads[pool.workers], seen) != 0)
      break;
    pool.workers++;
  }
  return pool.workers;
}

/* In a forked child the workers do not exist. */
static void after_fork(void) {
  pool.workers = 0;
  atomic_store(&pool.sleepers, 0);
  pthread_mutex_init(&pool.owner, NULL);
  pthread_mutex_init(&pool.lock, NULL);
  pthread_cond_init(&pool.wake, NULL);
}

static void register_fork(void) { pthread_atfork(NULL, NULL, after_fork); }

int lrn_get_threads(void) {
  int n = atomic_load(&size);
  if (n == 0) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_fork);
    n = default_size();
    atomic_store(&size, n);
  }
  return n;
}

int lrn_set_threads(int n) {
  int got;
  if (n < 1 || n > MAX_THREADS)
    return lrn_fail(LRN_EVALUE, "threads: got %d, expected 1 to %d", n, MAX_THREADS);
  lrn_get_threads();
  pthread_mutex_lock(&pool.owner);
  got = resize(n - 1);
  if (got == n - 1)
    atomic_store(&size, n);
  else
    resize(atomic_load(&size) - 1);
  pthread_mutex_unlock(&pool.owner);
  return got == n - 1 ? LRN_OK
                      : lrn_fail(LRN_ENOMEM, "threads: the system gave %d of %d", got + 1, n);
}

static void run(int64_t n, void (*f)(void *context, int64_t i), void *context,
                const volatile int *flag) {
  if (n > 1 && !inside && lrn_get_threads() > 1 && pthread_mutex_trylock(&pool.owner) == 0) {
    int workers = pool.workers;
    if (workers < atomic_load(&size) - 1)
      workers = resize(atomic_load(&size) - 1);
    if (workers > 0) {
      pool.n = n;
      pool.f = f;
      pool.context = context;
      pool.flag = flag;
      atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
      atomic_store_explicit(&pool.active, workers, memory_order_relaxed);
      publish();
      inside = 1;
      take_tasks();
      inside = 0;
      for (int spin = 0; atomic_load_explicit(&pool.active, memory_order_acquire) != 0;)
        if (++spin < SPINS)
          pause_cpu();
        else
          sched_yield();
      pthread_mutex_unlock(&pool.owner);
      return;
    }
    pthread_mutex_unlock(&pool.owner);
  }
  for (int64_t i = 0; i < n && !lrn_flag_is_set(flag); i++)
    f(context, i);
}

void lrn_parallel(int64_t n, void (*f)(void *context, int64_t i), void *context) {
  run(n, f, context, NULL);
}

int lrn_parallel_until(int64_t n, void (*f)(void *context, int64_t i), void *context) {
  run(n, f, context, lrn_interrupt_flag());
  return lrn_poll();
}
