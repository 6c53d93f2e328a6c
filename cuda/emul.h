/*
** emul.h - a CUDA device made of the CPU: the .cu files compiled by
** `g++ -std=c++17 -x c++ -DLRN_EMUL` run here, one fibre per thread of a block.
**
** A block's threads run one after another, each until it waits: at __syncthreads, at a warp's
** shuffle, or at its end. Sanitizers and gdb so see kernel code, and a barrier that some threads
** miss is an error of the launch, not a hang. Blocks run one after another too, which makes
** __shared__ a plain static. What cannot be seen here: races inside one stretch between
** barriers (but for the order of threads, which LRN_EMUL_ORDER=descending turns round), the
** order of streams, limits of registers and shared memory.
**
** cuda.cu defines LRN_EMUL_MAIN and holds the body; the other files see the declarations.
*/
#ifndef LRN_CUDA_EMUL_H
#define LRN_CUDA_EMUL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* {====================================================================
** The language
** ===================================================================== */

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __shared__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

enum { LRN_EMUL_WARP = 32, LRN_EMUL_THREADS = 1024 };
enum { LRN_EMUL_XOR, LRN_EMUL_DOWN, LRN_EMUL_INDEX, LRN_EMUL_SYNC };

void lrn_emul_barrier(const char *file, int line);
uint64_t lrn_emul_shuffle(int kind, unsigned mask, uint64_t bits, int arg, const char *file,
                          int line);

#define __syncthreads() lrn_emul_barrier(__FILE__, __LINE__)
#define __syncwarp(...) ((void)lrn_emul_shuffle(LRN_EMUL_SYNC, ~0u, 0, 0, __FILE__, __LINE__))

#define LRN_EMUL_SHUFFLE(name, kind, type)                                              \
  static inline type name(unsigned mask, type value, int arg, int width = 32,           \
                          const char *file = __builtin_FILE(), int line = __builtin_LINE()) { \
    uint64_t bits = 0;                                                                  \
    (void)width;                                                                        \
    memcpy(&bits, &value, sizeof value);                                                \
    bits = lrn_emul_shuffle(kind, mask, bits, arg, file, line);                         \
    memcpy(&value, &bits, sizeof value);                                                \
    return value;                                                                       \
  }
#define LRN_EMUL_SHUFFLES(type)                             \
  LRN_EMUL_SHUFFLE(__shfl_xor_sync, LRN_EMUL_XOR, type)     \
  LRN_EMUL_SHUFFLE(__shfl_down_sync, LRN_EMUL_DOWN, type)   \
  LRN_EMUL_SHUFFLE(__shfl_sync, LRN_EMUL_INDEX, type)
LRN_EMUL_SHUFFLES(float)
LRN_EMUL_SHUFFLES(double)
LRN_EMUL_SHUFFLES(int)
LRN_EMUL_SHUFFLES(unsigned)
LRN_EMUL_SHUFFLES(long long)
LRN_EMUL_SHUFFLES(unsigned long long)

/* One thread runs at a time: plain reads and writes are atomic. */
#define LRN_EMUL_ATOMIC(type)                                              \
  static inline type atomicAdd(type *p, type x) {                          \
    type old = *p;                                                         \
    *p = old + x;                                                          \
    return old;                                                            \
  }
LRN_EMUL_ATOMIC(int)
LRN_EMUL_ATOMIC(float)
LRN_EMUL_ATOMIC(double)
LRN_EMUL_ATOMIC(unsigned long long)

#define LRN_EMUL_ATOMIC_CAS(type)                                          \
  static inline type atomicCAS(type *p, type compare, type x) {            \
    type old = *p;                                                         \
    if (old == compare)                                                    \
      *p = x;                                                              \
    return old;                                                            \
  }                                                                        \
  static inline type atomicMin(type *p, type x) {                          \
    type old = *p;                                                         \
    if (x < old)                                                           \
      *p = x;                                                              \
    return old;                                                            \
  }
LRN_EMUL_ATOMIC_CAS(int)
LRN_EMUL_ATOMIC_CAS(unsigned long long)

/* }==================================================================== */

/* {====================================================================
** The runtime library, as far as it is used
** ===================================================================== */

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
typedef int cudaStream_t;

cudaError_t cudaGetLastError(void); /* of this host thread; clears it */
const char *cudaGetErrorString(cudaError_t e);
cudaError_t cudaMalloc(void **p, size_t bytes); /* malloc, filled with 0xff: NaN, -1 */
cudaError_t cudaFree(void *p);
cudaError_t cudaMemcpy(void *dst, const void *src, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemset(void *p, int byte, size_t bytes);
static inline cudaError_t cudaMallocAsync(void **p, size_t bytes, cudaStream_t) {
  return cudaMalloc(p, bytes);
}
static inline cudaError_t cudaFreeAsync(void *p, cudaStream_t) { return cudaFree(p); }
static inline cudaError_t cudaMemsetAsync(void *p, int byte, size_t bytes, cudaStream_t) {
  return cudaMemset(p, byte, bytes);
}
static inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

/* }==================================================================== */

/* {====================================================================
** Launches
** ===================================================================== */

/* Begin takes the device's lock and checks the shape; it returns 0, after recording an error,
   where nothing may run. */
int lrn_emul_begin(const char *kernel, dim3 grid, dim3 block);
void lrn_emul_end(void);
void lrn_emul_run(void (*call)(void *), void *closure); /* all blocks, with fibres */
int lrn_emul_descending(void);

template <class F> void lrn_emul_launch(const char *kernel, dim3 grid, dim3 block, F body) {
  struct thunk {
    static void call(void *p) { (*static_cast<F *>(p))(); }
  };
  if (lrn_emul_begin(kernel, grid, block)) {
    lrn_emul_run(thunk::call, &body);
    lrn_emul_end();
  }
}

/* For kernels without barriers and shuffles: no fibres, a plain loop. */
template <class F> void lrn_emul_flat(const char *kernel, dim3 grid, dim3 block, F body) {
  if (!lrn_emul_begin(kernel, grid, block))
    return;
  const int down = lrn_emul_descending();
  const uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
  const unsigned threads = block.x * block.y * block.z;
  for (uint64_t i = 0; i < blocks; i++) {
    const uint64_t b = down ? blocks - 1 - i : i;
    blockIdx = dim3((unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y),
                    (unsigned)(b / grid.x / grid.y));
    for (unsigned j = 0; j < threads; j++) {
      const unsigned t = down ? threads - 1 - j : j;
      threadIdx = dim3(t % block.x, t / block.x % block.y, t / block.x / block.y);
      body();
    }
  }
  lrn_emul_end();
}

/* }==================================================================== */

#ifdef LRN_EMUL_MAIN

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

/* {====================================================================
** Contexts: a stack of its own for every thread of a block, made once and used again.
** swapcontext saves the signal mask by two system calls a switch, which is most of a block's
** time; on x86-64 six registers are saved instead.
** ===================================================================== */

#if defined(__x86_64__) && !defined(LRN_EMUL_UCONTEXT)
#define LRN_EMUL_ASM 1
typedef void *emul_context; /* the stack pointer; the registers lie on the stack */
extern "C" void lrn_emul_switch(void **from, void *to) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".globl lrn_emul_switch\n"
        ".hidden lrn_emul_switch\n"
        ".type lrn_emul_switch, @function\n"
        "lrn_emul_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size lrn_emul_switch, .-lrn_emul_switch\n");
#else
typedef ucontext_t emul_context;
#endif

enum { EMUL_READY, EMUL_AT_BARRIER, EMUL_AT_SHUFFLE, EMUL_DONE };
enum { EMUL_STACK = 256 * 1024 }; /* address space; only touched pages are memory */

struct emul_fibre {
  emul_context context;
  char *stack;
  void *fake; /* ASan's fake stack */
  void *tsan; /* TSan's fibre */
  int made;   /* has a context that waits for the next block */
  int state;
  const char *file; /* where it waits */
  int line;
  int kind, arg; /* of the shuffle */
  unsigned mask;
  uint64_t bits; /* into the shuffle, and out of it */
};

static struct {
  pthread_mutex_t lock;
  const char *kernel;
  int flat, failed, descending;
  unsigned threads, current;
  void (*call)(void *);
  void *closure;
  emul_context scheduler;
  void *fake, *tsan;
  const void *stack; /* of the scheduler, as ASan wants it */
  size_t stack_size;
  emul_fibre fibre[LRN_EMUL_THREADS];
  char *stacks;
} emul = {PTHREAD_MUTEX_INITIALIZER, "", 0, 0, -1, 0, 0, NULL, NULL, {}, NULL, NULL, NULL, 0, {}, NULL};

static thread_local cudaError_t emul_error = cudaSuccess;
static thread_local char emul_message[512];

static void emul_fail(cudaError_t e, const char *text) {
  if (emul_error == cudaSuccess) { /* the first one tells most */
    emul_error = e;
    snprintf(emul_message, sizeof emul_message, "kernel %s: %s", emul.kernel, text);
  }
  emul.failed = 1;
}

static void emul_to_fibre(emul_fibre *f) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&emul.fake, f->stack, EMUL_STACK);
#endif
#if defined(__SANITIZE_THREAD__)
  emul.tsan = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(f->tsan, 0);
#endif
#if defined(LRN_EMUL_ASM)
  lrn_emul_switch(&emul.scheduler, f->context);
#else
  swapcontext(&emul.scheduler, &f->context);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(emul.fake, NULL, NULL);
#endif
}

static void emul_to_scheduler(emul_fibre *f) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&f->fake, emul.stack, emul.stack_size);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(emul.tsan, 0);
#endif
#if defined(LRN_EMUL_ASM)
  lrn_emul_switch(&f->context, emul.scheduler);
#else
  swapcontext(&f->context, &emul.scheduler);
#endif
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(f->fake, &emul.stack, &emul.stack_size);
#endif
}

/* A fibre never ends: it runs one thread of a block after another. */
static void emul_fibre_main(void) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(NULL, &emul.stack, &emul.stack_size);
#endif
  for (;;) {
    emul_fibre *f = &emul.fibre[emul.current];
    emul.call(emul.closure);
    f->state = EMUL_DONE;
    emul_to_scheduler(f);
  }
}

static int emul_make(unsigned n) {
  if (emul.stacks == NULL) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), all = (size_t)LRN_EMUL_THREADS * EMUL_STACK;
    void *p = mmap(NULL, all, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
      return 0;
    emul.stacks = static_cast<char *>(p);
    for (unsigned t = 0; t < LRN_EMUL_THREADS; t++) { /* an overflow faults */
      emul.fibre[t].stack = emul.stacks + (size_t)t * EMUL_STACK;
      mprotect(emul.fibre[t].stack, page, PROT_NONE);
    }
  }
  for (unsigned t = 0; t < n; t++) {
    emul_fibre *f = &emul.fibre[t];
    if (f->made)
      continue;
#if defined(LRN_EMUL_ASM)
    void **top = reinterpret_cast<void **>(f->stack + EMUL_STACK) - 8;
    memset(top, 0, 8 * sizeof *top); /* six registers, the entry, a return address */
    void (*entry)(void) = emul_fibre_main;
    memcpy(&top[6], &entry, sizeof entry);
    f->context = top;
#else
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = EMUL_STACK;
    f->context.uc_link = NULL;
    makecontext(&f->context, emul_fibre_main, 0);
#endif
#if defined(__SANITIZE_THREAD__)
    if (f->tsan != NULL)
      __tsan_destroy_fiber(f->tsan);
    f->tsan = __tsan_create_fiber(0);
#endif
    f->made = 1;
  }
  return 1;
}

/* After a failure: threads that wait inside a kernel are given up. */
static void emul_abandon(void) {
  for (unsigned t = 0; t < emul.threads; t++) {
    emul_fibre *f = &emul.fibre[t];
    if (f->state == EMUL_DONE)
      continue;
    f->made = 0;
#if defined(__SANITIZE_ADDRESS__)
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    ASAN_UNPOISON_MEMORY_REGION(f->stack + page, EMUL_STACK - page);
#endif
  }
}

/* }==================================================================== */

/* {====================================================================
** Blocks and warps
** ===================================================================== */

static void emul_wait(int state, const char *file, int line) {
  emul_fibre *f = &emul.fibre[emul.current];
  f->state = state;
  f->file = file;
  f->line = line;
  emul_to_scheduler(f);
}

void lrn_emul_barrier(const char *file, int line) {
  if (emul.flat)
    emul_fail(cudaErrorLaunchFailure, "__syncthreads in a flat launch");
  else
    emul_wait(EMUL_AT_BARRIER, file, line);
}

uint64_t lrn_emul_shuffle(int kind, unsigned mask, uint64_t bits, int arg, const char *file,
                          int line) {
  emul_fibre *f = &emul.fibre[emul.current];
  if (emul.flat) {
    emul_fail(cudaErrorLaunchFailure, "a shuffle in a flat launch");
    return bits;
  }
  f->kind = kind;
  f->mask = mask;
  f->bits = bits;
  f->arg = arg;
  emul_wait(EMUL_AT_SHUFFLE, file, line);
  return f->bits;
}

static void emul_differ(const emul_fibre *a, const emul_fibre *b, const char *what) {
  static const char *const doing[] = {"is ready", "waits at a barrier", "waits in a shuffle",
                                      "has ended"};
  char text[400];
  snprintf(text, sizeof text,
           "%s: block (%u, %u, %u): thread %u %s (%s:%d), thread %u %s (%s:%d)", what, blockIdx.x,
           blockIdx.y, blockIdx.z, (unsigned)(a - emul.fibre), doing[a->state],
           a->file ? a->file : "-", a->file ? a->line : 0, (unsigned)(b - emul.fibre),
           doing[b->state], b->file ? b->file : "-", b->file ? b->line : 0);
  emul_fail(cudaErrorLaunchFailure, text);
}

static int emul_same_place(const emul_fibre *a, const emul_fibre *b) {
  return a->state == b->state && a->line == b->line && strcmp(a->file, b->file) == 0;
}

/* No lane of the warp that begins at thread `first` can go on: do the shuffle that they wait in.
   1: lanes are ready again. */
static int emul_exchange(unsigned first) {
  const unsigned lanes = emul.threads - first < LRN_EMUL_WARP ? emul.threads - first
                                                              : (unsigned)LRN_EMUL_WARP;
  emul_fibre *w = &emul.fibre[first];
  uint64_t in[LRN_EMUL_WARP];
  unsigned lead = 0;
  while (lead < lanes && w[lead].state != EMUL_AT_SHUFFLE)
    lead++;
  if (lead == lanes)
    return 0;
  const unsigned mask = w[lead].mask;
  if (!(mask >> lead & 1u) || (lanes < LRN_EMUL_WARP && mask >> lanes != 0 && mask != ~0u)) {
    emul_fail(cudaErrorLaunchFailure, "a shuffle's mask names other lanes than take part");
    return 0;
  }
  for (unsigned l = 0; l < lanes; l++) {
    if (!(mask >> l & 1u))
      continue;
    if (!emul_same_place(&w[l], &w[lead]) || w[l].mask != mask || w[l].kind != w[lead].kind) {
      emul_differ(&w[lead], &w[l], "a warp diverged at a shuffle");
      return 0;
    }
    in[l] = w[l].bits;
  }
  for (unsigned l = 0; l < lanes; l++) {
    if (!(mask >> l & 1u))
      continue;
    unsigned from = l;
    if (w[l].kind == LRN_EMUL_XOR)
      from = l ^ (unsigned)w[l].arg;
    else if (w[l].kind == LRN_EMUL_DOWN)
      from = l + (unsigned)w[l].arg < LRN_EMUL_WARP ? l + (unsigned)w[l].arg : l;
    else if (w[l].kind == LRN_EMUL_INDEX)
      from = (unsigned)w[l].arg % LRN_EMUL_WARP;
    if (from >= lanes || !(mask >> from & 1u)) {
      emul_fail(cudaErrorLaunchFailure, "a shuffle reads a lane that does not take part");
      return 0;
    }
    w[l].bits = in[from];
    w[l].state = EMUL_READY;
  }
  return 1;
}

static void emul_resume(unsigned t) {
  emul.current = t;
  threadIdx = dim3(t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y);
  emul_to_fibre(&emul.fibre[t]);
}

static void emul_block(void) {
  const unsigned n = emul.threads, warps = (n + LRN_EMUL_WARP - 1) / LRN_EMUL_WARP;
  const int down = emul.descending;
  for (unsigned t = 0; t < n; t++) {
    emul.fibre[t].state = EMUL_READY;
    emul.fibre[t].file = NULL;
  }
  for (;;) {
    for (unsigned i = 0; i < warps; i++) {
      const unsigned first = (down ? warps - 1 - i : i) * LRN_EMUL_WARP;
      const unsigned lanes = n - first < LRN_EMUL_WARP ? n - first : (unsigned)LRN_EMUL_WARP;
      do {
        for (unsigned j = 0; j < lanes; j++) {
          const unsigned t = first + (down ? lanes - 1 - j : j);
          if (emul.fibre[t].state == EMUL_READY)
            emul_resume(t);
        }
      } while (emul_exchange(first));
      if (emul.failed)
        return;
    }
    for (unsigned t = 1; t < n; t++)
      if (emul.fibre[t].state != emul.fibre[0].state ||
          (emul.fibre[0].state == EMUL_AT_BARRIER &&
           !emul_same_place(&emul.fibre[0], &emul.fibre[t]))) {
        emul_differ(&emul.fibre[0], &emul.fibre[t], "a block diverged at __syncthreads");
        return;
      }
    if (emul.fibre[0].state == EMUL_DONE)
      return;
    for (unsigned t = 0; t < n; t++)
      emul.fibre[t].state = EMUL_READY;
  }
}

int lrn_emul_descending(void) { return emul.descending; }

int lrn_emul_begin(const char *kernel, dim3 grid, dim3 block) {
  const uint64_t threads = (uint64_t)block.x * block.y * block.z;
  pthread_mutex_lock(&emul.lock);
  if (emul.descending < 0) {
    const char *order = getenv("LRN_EMUL_ORDER");
    emul.descending = order != NULL && strcmp(order, "descending") == 0;
  }
  emul.kernel = kernel;
  emul.failed = 0;
  emul.flat = 1;
  if (threads == 0 || threads > LRN_EMUL_THREADS || block.z > 64 || grid.x == 0 ||
      grid.x > 0x7fffffffu || grid.y == 0 || grid.y > 65535u || grid.z == 0 ||
      grid.z > 65535u) {
    emul_fail(cudaErrorInvalidConfiguration, "a launch shape that no device takes");
    pthread_mutex_unlock(&emul.lock);
    return 0;
  }
  gridDim = grid;
  blockDim = block;
  emul.threads = (unsigned)threads;
  return 1;
}

void lrn_emul_end(void) { pthread_mutex_unlock(&emul.lock); }

void lrn_emul_run(void (*call)(void *), void *closure) {
  const uint64_t blocks = (uint64_t)gridDim.x * gridDim.y * gridDim.z;
  emul.flat = 0;
  emul.call = call;
  emul.closure = closure;
  if (!emul_make(emul.threads)) {
    emul_fail(cudaErrorMemoryAllocation, "no memory for the fibres' stacks");
    return;
  }
  for (uint64_t i = 0; i < blocks && !emul.failed; i++) {
    const uint64_t b = emul.descending ? blocks - 1 - i : i;
    blockIdx = dim3((unsigned)(b % gridDim.x), (unsigned)(b / gridDim.x % gridDim.y),
                    (unsigned)(b / gridDim.x / gridDim.y));
    emul_block();
  }
  if (emul.failed)
    emul_abandon();
}

/* }==================================================================== */

/* {====================================================================
** Runtime
** ===================================================================== */

cudaError_t cudaGetLastError(void) {
  cudaError_t e = emul_error;
  emul_error = cudaSuccess;
  return e;
}

const char *cudaGetErrorString(cudaError_t e) {
  switch (e) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    default: return emul_message;
  }
}

cudaError_t cudaMalloc(void **p, size_t bytes) {
  void *q = lrn_memory_must_fail() ? NULL : malloc(bytes > 0 ? bytes : 1);
  if (q == NULL)
    return cudaErrorMemoryAllocation;
  memset(q, 0xff, bytes);
  *p = q;
  return cudaSuccess;
}

cudaError_t cudaFree(void *p) {
  free(p);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void *dst, const void *src, size_t bytes, cudaMemcpyKind) {
  pthread_mutex_lock(&emul.lock);
  if (bytes > 0)
    memmove(dst, src, bytes);
  pthread_mutex_unlock(&emul.lock);
  return cudaSuccess;
}

cudaError_t cudaMemset(void *p, int byte, size_t bytes) {
  pthread_mutex_lock(&emul.lock);
  memset(p, byte, bytes);
  pthread_mutex_unlock(&emul.lock);
  return cudaSuccess;
}

/* }==================================================================== */

#endif /* LRN_EMUL_MAIN */
#endif
