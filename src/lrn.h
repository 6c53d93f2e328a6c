/*
** lrn.h - the C API of lrn: tensors, random numbers, files and restricted
** Boltzmann machines. This header is the manual; it needs nothing but the C
** library, compiles as C11 and as C++17, and knows no Lua.
**
** Conventions
**   Status     A function that can fail returns an int: LRN_OK (0) or a negative
**              lrn_status. The message of the last failure in the calling thread
**              is lrn_error_message(). Nothing prints, exits, aborts or longjmps.
**              On failure an out-parameter is left as it was.
**   Outputs    come first. `T **out` in a name ending in _new, _load, _clone or in
**              a view verb (_narrow, _select, ...) gives an object that the caller
**              frees; a plain noun (`lrn_rbm_parameter`) lends one.
**   Free       every *_free accepts NULL.
**   Integers   are 0-based and half-open; sizes are int64_t, strides count elements.
**              Functions that read or write index tensors take the base (0 or 1) of
**              the positions in them.
**   Threads    Any function may be called from any thread; each part below begins with
**              what that means for it. The rule behind: an argument that is const is
**              read, and many threads may read one object at once; one that is not is
**              written, by one thread while no other uses it. Nothing is locked for
**              the caller. Results never depend on the number of threads
**              (docs/architecture.md). No function is safe in a signal handler; the
**              workers of the pool block all signals. After fork() the child may go on
**              with CPU objects, if no other thread was inside lrn.
*/
#ifndef LRN_H
#define LRN_H

#include <stddef.h>
#include <stdint.h>

#define LRN_VERSION_MAJOR 0
#define LRN_VERSION_MINOR 1
#define LRN_VERSION_PATCH 0
#define LRN_VERSION "0.1.0"

#if defined(__GNUC__)
#define LRN_API __attribute__((visibility("default")))
#define LRN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define LRN_API
#define LRN_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* {====================================================================
** Status
**
** Threads: message, code and errno are thread-local: a thread reads its own last
** failure, whatever others do, and the lent text is overwritten by that thread alone.
** lrn_fail writes nothing else. Names are constants.
** ===================================================================== */

typedef enum lrn_status {
  LRN_OK = 0,
  LRN_EARG = -1,         /* no such option, name or argument */
  LRN_ESHAPE = -2,       /* sizes that do not fit */
  LRN_EVALUE = -3,       /* a value outside its range */
  LRN_ETYPE = -4,        /* a dtype or a device that does not fit */
  LRN_ENOMEM = -5,       /* out of memory */
  LRN_ESTATE = -6,       /* a closed object, a call out of order */
  LRN_EUNSUPPORTED = -7, /* not built in, or not defined for this device or model */
  LRN_ENUMERIC = -8,     /* a NaN or an infinity where none may be */
  LRN_EIO = -9,          /* the operating system refused: see lrn_error_errno() */
  LRN_EFORMAT = -10,     /* a file that is truncated, corrupt or of another format */
  LRN_EINTERRUPTED = -11 /* the call was asked to stop: see lrn_set_interrupt */
} lrn_status;

/* Message of the last failure in this thread; "" before the first. Lent, valid until the
   next failing call of the thread. Names the function, the argument, what came and what
   was expected. */
LRN_API const char *lrn_error_message(void);
/* Status of that failure, and errno where it is LRN_EIO (else 0). */
LRN_API int lrn_error_code(void);
LRN_API int lrn_error_errno(void);
/* "ESHAPE" for LRN_ESHAPE, and so on; "E?" for a number that is none. Static. */
LRN_API const char *lrn_status_name(int status);
/* Record a failure and return `status`: `return lrn_fail(LRN_EVALUE, "f: ...", ...)`.
   For engine parts, plug-ins and callbacks of a host. */
LRN_API int lrn_fail(int status, const char *format, ...) LRN_PRINTF(2, 3);

/* }==================================================================== */

/* {====================================================================
** Process: version, threads, memory
**
** Threads: all of this belongs to the process, and may be called at any time. Each
** switch is one atomic number: a call that runs meanwhile goes by the old or the new
** one. The number of threads changes no result; deterministic and dense may change the
** last bits of products. lrn_set_threads takes the lock of the pool and waits for the
** call that is in it. The pool serves one call at a time; another thread's call does
** its work alone, with the same result. The counters of memory are atomic each, not
** together: lrn_memory_stats reads one after the other, and is exact where no other
** thread allocates. lrn_memory_fail acts on whichever thread allocates next. What
** lrn_set_interrupt sets belongs to the calling thread, and stops that thread's calls
** alone.
** ===================================================================== */

/* LRN_VERSION of the library that is loaded. Static. */
LRN_API const char *lrn_version(void);
/* Core type that OpenBLAS chose ("Zen", "SkylakeX", ...), and the instruction set of lrn's own
   kernels: "generic" or "avx2" (LRN_ISA forces one; read once, at first use). Static. At its first
   product lrn sets OpenBLAS to one thread, for the whole process. */
LRN_API const char *lrn_blas_core(void);
LRN_API const char *lrn_isa(void);

/* Worker threads used by one call, the caller's included. Start value: LRN_NUM_THREADS,
   else the number of CPUs this process may run on. LRN_EVALUE outside 1..256; LRN_ENOMEM
   where the system gives no more threads (the old number stays). Changing it changes no
   result. Waits until no call is in the pool. */
LRN_API int lrn_set_threads(int n);
LRN_API int lrn_get_threads(void);
/* 1: every matrix product is cut into eight slices, whatever its shape; 0 (default): into a
   number that depends on its shape. Both give the same bits for any number of threads. */
LRN_API int lrn_set_deterministic(int on);
LRN_API int lrn_get_deterministic(void);

/* 1: products with many zeros are dense products too; 0: sums of rows where that is faster, with
   |x - exact| <= 4 2^-24 sum |w| in float32. Start value: LRN_DENSE. */
LRN_API int lrn_set_dense(int on);
LRN_API int lrn_get_dense(void);

/* Long calls of this thread stop soon (0.1 s) after *flag has become nonzero: they set it to 0
   and return LRN_EINTERRUPTED. NULL (the start): they run to their end. The flag is the caller's, lent
   until the next call of this function, and may be set by a signal handler or, atomically, by
   another thread. What the call was making is freed or, where it is the caller's, holds values
   without a meaning. A call that changes something in place (an operation with `into`, a fill or
   copy, a training step) is not stopped; a step of CD looks between its sweeps, before it has
   changed anything. */
LRN_API void lrn_set_interrupt(volatile int *flag);

typedef struct lrn_memory {
  int64_t live_bytes;   /* held now by tensors, models and workspaces (host memory) */
  int64_t peak_bytes;   /* the largest live_bytes + cached_bytes since lrn_memory_reset_peak */
  int64_t live_blocks;  /* number of blocks held now */
  int64_t allocations;  /* number of allocations ever made */
  int64_t cached_bytes; /* freed, and kept for the next allocations of that size */
} lrn_memory;
LRN_API void lrn_memory_stats(lrn_memory *out);
LRN_API void lrn_memory_reset_peak(void);
/* Freed blocks of 64 KB and more are kept, at most `bytes` of them (64 MB at the start; 0: none):
   their pages are there already when memory of about that size is asked for again. What does not
   fit any more goes back to the system. Under the sanitizers nothing is ever kept. Process-wide, any
   thread. */
LRN_API void lrn_memory_set_cache(int64_t bytes);
/* Gives all of it back to the system. Also done before an allocation fails. */
LRN_API void lrn_memory_empty_cache(void);
/* For tests: let the n-th allocation from now (1 is the next) fail, once (mode 0) or it and
   all that follow (mode 1). n = 0 switches it off. Process-wide. */
LRN_API void lrn_memory_fail(int64_t n, int mode);
/* For a host's own allocator (that of its Lua state, say) that is to take part in it: 1 where
   this allocation must fail. */
LRN_API int lrn_memory_must_fail(void);

/* }==================================================================== */

/* {====================================================================
** Devices
**
** Threads: opening takes a lock, so that threads that open one device at once load it
** once and get the same pointer, which stays valid until the process ends. The others
** read constants. What runs on a device may be called from any thread; calls on "cuda"
** go to one stream, in order. A failure to open is not kept: the next call tries again.
** ===================================================================== */

/* "cpu" is always there. "cuda" is opened from liblrn_cuda.so at first use; "emul" runs the
   CUDA kernels on the CPU (test builds: liblrn_emul.so). Lent; lives as long as the process. */
typedef struct lrn_device lrn_device;

/* LRN_EUNSUPPORTED with the reason where the device cannot be opened; LRN_EARG for a name
   that is none. "cuda" is "cuda:0". */
LRN_API int lrn_device_open(const lrn_device **device, const char *name);
LRN_API const char *lrn_device_name(const lrn_device *device);
LRN_API const lrn_device *lrn_device_cpu(void);

/* }==================================================================== */

/* {====================================================================
** Tensors
**
** Threads: a tensor's header never changes; its elements and the count of its storage
** do. The count is atomic: views of one storage may be made, used and freed by
** different threads, and the last one, whichever thread frees it, releases the storage.
** Elements are plain memory: any number of threads may read them, or write elements
** that no two of them share (rows of one tensor, each thread its own); a write while
** another thread reads the same elements is a race, and the host's to prevent. A header
** itself is freed by one thread, when no other uses it: give each thread its own
** (lrn_tensor_alias). What is here beside objects (dtypes, ops, arguments) is constant.
** ===================================================================== */

#define LRN_MAXDIM 8 /* dimensions of a tensor at most */

typedef enum lrn_dtype {
  LRN_F32 = 0, /* float */
  LRN_F64 = 1, /* double */
  LRN_I64 = 2,
  LRN_I32 = 3,
  LRN_U8 = 4,
  LRN_BOOL = 5, /* one byte, 0 or 1 */
  LRN_DTYPES = 6
} lrn_dtype;

LRN_API const char *lrn_dtype_name(int dtype); /* "float32"; "?" for none. Static. */
LRN_API size_t lrn_dtype_size(int dtype);      /* bytes an element; 0 for none */
/* From a name or an alias (f32 f64 i64 i32 u8 b); LRN_EARG lists the valid ones. */
LRN_API int lrn_dtype_parse(int *dtype, const char *name);
/* dtype of the result of mixing two tensors, after the array API's table; a bool with a number
   takes the number's, an integer with a float the float's. Cannot fail for valid dtypes. */
LRN_API int lrn_dtype_promote(int a, int b);

/* A tensor is a header (dtype, sizes, strides) on a reference-counted storage that views
   share. An element's position is offset + sum(index[d] * stride[d]). */
typedef struct lrn_tensor lrn_tensor;

/* New, contiguous (row-major), contents undefined. nd 0 is a scalar (size may be NULL).
   device NULL: the CPU. LRN_ESHAPE: nd outside 0..8, a negative size, a product above 2^47
   bytes; LRN_ENOMEM. */
LRN_API int lrn_tensor_new(lrn_tensor **out, int dtype, int nd, const int64_t *size,
                           const lrn_device *device);
/* A tensor on host memory that the caller owns; nothing is copied, so that each side sees what
   the other writes. stride, in elements, NULL: contiguous; it may be negative, data is then still
   the address of element (0, ..., 0). bool: bytes that are 0 or 1. `release(ud)` is called exactly
   once, when the last view is freed, in the thread that frees it: with Lua that may be inside
   a garbage collection, so it must not call Lua, raise, throw or longjmp. It may call lrn.
   release NULL: the memory outlives the tensor. On failure release is not called: LRN_EVALUE for
   data that is NULL or not aligned for dtype; LRN_ESHAPE for sizes or strides that reach beyond
   2^47 bytes; LRN_ENOMEM. */
LRN_API int lrn_tensor_wrap(lrn_tensor **out, void *data, int dtype, int nd,
                            const int64_t *size, const int64_t *stride,
                            void (*release)(void *ud), void *ud);
/* The same on memory that may only be read (const data, a file that is mapped for reading).
   Every function that would write into it, or into a view of it, fails with LRN_ESTATE; copies
   (lrn_tensor_clone) are ordinary tensors. */
LRN_API int lrn_tensor_wrap_const(lrn_tensor **out, const void *data, int dtype, int nd,
                                  const int64_t *size, const int64_t *stride,
                                  void (*release)(void *ud), void *ud);
LRN_API void lrn_tensor_free(lrn_tensor *t);

LRN_API int lrn_tensor_dtype(const lrn_tensor *t);
LRN_API int lrn_tensor_ndim(const lrn_tensor *t);
LRN_API int64_t lrn_tensor_size(const lrn_tensor *t, int d);   /* 0 <= d < ndim */
LRN_API int64_t lrn_tensor_stride(const lrn_tensor *t, int d); /* in elements */
LRN_API int64_t lrn_tensor_numel(const lrn_tensor *t);
LRN_API const lrn_device *lrn_tensor_device(const lrn_tensor *t);
/* Address of element (0, ..., 0), on the tensor's device. Lent, valid while a view of the storage
   lives. Not to be written through where the tensor is read-only. */
LRN_API void *lrn_tensor_data(const lrn_tensor *t);
LRN_API int lrn_tensor_is_readonly(const lrn_tensor *t); /* of lrn_tensor_wrap_const */
LRN_API int lrn_tensor_is_contiguous(const lrn_tensor *t);
LRN_API int lrn_tensor_shares(const lrn_tensor *a, const lrn_tensor *b); /* one storage? */
/* Bytes that the storage holds (also those that this view does not reach). */
LRN_API size_t lrn_tensor_storage_bytes(const lrn_tensor *t);

/* One element as double / int64 (a float is truncated), by index of ndim entries. Copies from the device. LRN_EVALUE for
   an index out of range; set: also for a value that the dtype cannot hold. */
LRN_API int lrn_tensor_get(double *out, const lrn_tensor *t, const int64_t *index);
LRN_API int lrn_tensor_get_int(int64_t *out, const lrn_tensor *t, const int64_t *index);
LRN_API int lrn_tensor_set(lrn_tensor *t, const int64_t *index, double value);
LRN_API int lrn_tensor_set_int(lrn_tensor *t, const int64_t *index, int64_t value);

/* Views: new headers on the same storage. */
LRN_API int lrn_tensor_alias(lrn_tensor **out, const lrn_tensor *t);
/* [start, start + len) of dimension d */
LRN_API int lrn_tensor_narrow(lrn_tensor **out, const lrn_tensor *t, int d, int64_t start,
                              int64_t len);
/* index i of dimension d, which is dropped */
LRN_API int lrn_tensor_select(lrn_tensor **out, const lrn_tensor *t, int d, int64_t i);
/* len elements of dimension d from `start` on, `step` (not 0, may be negative) apart */
LRN_API int lrn_tensor_slice(lrn_tensor **out, const lrn_tensor *t, int d, int64_t start,
                             int64_t len, int64_t step);
LRN_API int lrn_tensor_permute(lrn_tensor **out, const lrn_tensor *t, const int *dims);
LRN_API int lrn_tensor_transpose(lrn_tensor **out, const lrn_tensor *t, int d1, int d2);
/* Another shape over the same elements; one size may be -1 (computed). LRN_ESHAPE where the
   strides do not allow a view: see lrn_tensor_reshape, which copies then. */
LRN_API int lrn_tensor_view(lrn_tensor **out, const lrn_tensor *t, int nd, const int64_t *size);
LRN_API int lrn_tensor_reshape(lrn_tensor **out, const lrn_tensor *t, int nd,
                               const int64_t *size);
/* Broadcast to `size` (NumPy's rules; stride 0 where a dimension is repeated; -1 keeps) */
LRN_API int lrn_tensor_expand(lrn_tensor **out, const lrn_tensor *t, int nd,
                              const int64_t *size);
LRN_API int lrn_tensor_unsqueeze(lrn_tensor **out, const lrn_tensor *t, int d);
LRN_API int lrn_tensor_squeeze(lrn_tensor **out, const lrn_tensor *t, int d); /* -1: all */
/* windows of `size` elements every `step` along d; the windows' elements become the last dim */
LRN_API int lrn_tensor_unfold(lrn_tensor **out, const lrn_tensor *t, int d, int64_t size,
                              int64_t step);
/* diagonal `offset` (> 0 above, < 0 below) of dimensions d1, d2, as the last dimension */
LRN_API int lrn_tensor_diagonal(lrn_tensor **out, const lrn_tensor *t, int64_t offset, int d1,
                                int d2);

/* Copies. */
LRN_API int lrn_tensor_clone(lrn_tensor **out, const lrn_tensor *t); /* contiguous, its own storage */
/* t itself under a new header where it already is contiguous, else a clone */
LRN_API int lrn_tensor_contiguous(lrn_tensor **out, const lrn_tensor *t);
/* Converted to dtype and device: a new header on the same storage where nothing changes.
   float to integer truncates; LRN_EVALUE for NaN or a value that does not fit. */
LRN_API int lrn_tensor_to(lrn_tensor **out, const lrn_tensor *t, int dtype,
                          const lrn_device *device);
/* dst[...] = src broadcast to dst's shape, converted to dst's dtype and device. Overlap of the
   two is allowed. */
LRN_API int lrn_tensor_copy(lrn_tensor *dst, const lrn_tensor *src);
LRN_API int lrn_tensor_fill(lrn_tensor *t, double value);
/* 1 where shapes and all values are equal (NaN differs from itself), else 0. Dtypes may
   differ. */
LRN_API int lrn_tensor_equal(int *out, const lrn_tensor *a, const lrn_tensor *b);

/* Elementwise operations: the rows of kernel/ops.def, "add", "exp", ... */
typedef struct lrn_arg {
  const lrn_tensor *t; /* a tensor, or NULL: a scalar */
  double d;            /* value of a scalar ... */
  int64_t i;           /* ... and where it is an integer, exactly */
  int is_int;          /* 1; 2: a boolean */
} lrn_arg;
static inline lrn_arg lrn_argt(const lrn_tensor *t) {
  lrn_arg a;
  a.t = t;
  a.d = 0;
  a.i = 0;
  a.is_int = 0;
  return a;
}
static inline lrn_arg lrn_argd(double d) {
  lrn_arg a = lrn_argt(NULL);
  a.d = d;
  return a;
}
static inline lrn_arg lrn_argi(int64_t i) {
  lrn_arg a = lrn_argt(NULL);
  a.i = i;
  a.d = (double)i;
  a.is_int = 1;
  return a;
}

static inline lrn_arg lrn_argb(int b) {
  lrn_arg a = lrn_argi(b != 0);
  a.is_int = 2;
  return a;
}

LRN_API int lrn_op_count(void);
LRN_API const char *lrn_op_name(int op);  /* NULL past the end. Static. */
LRN_API int lrn_op_arity(int op);         /* 1, 2 or 3 */
LRN_API const char *lrn_op_help(int op);  /* one line. Static. */
LRN_API int lrn_op_find(const char *name); /* -1: none */
/* out = op(args...), broadcast by NumPy's rules, on the tensors' device. `into` NULL: *out is a
   new tensor; else the result is written there (its shape must be the result's, its dtype is
   kept: a kind that does not fit is LRN_ETYPE) and out is not used (may be NULL). A scalar never
   changes the kind of a tensor; an integer scalar that does not fit the dtype is LRN_EVALUE;
   integer division by 0 is LRN_EVALUE. At least one argument is a tensor. `into` may be one of
   the arguments; a view that repeats elements (stride 0) is LRN_ESHAPE. A comparison of integers
   with floats is made in float64. */
LRN_API int lrn_map(lrn_tensor **out, lrn_tensor *into, int op, const lrn_arg *args, int n);

/* Reductions: the rows of kernel/reduce.def: sum sumsq count max min.
   dims: bit d set: dimension d is reduced; 0 means all. keepdim: reduced dimensions stay as 1.
   Counts, and sums of integers and bool, are int64. min and max of nothing: LRN_EVALUE.
   float32 sums are accumulated in double in a fixed order (docs/decisions.md, "Sums"). */
LRN_API int lrn_reduce_find(const char *name);        /* -1: none */
LRN_API const char *lrn_reduce_name(int red);         /* NULL past the end. Static. */
LRN_API int lrn_reduce(lrn_tensor **out, int red, const lrn_tensor *t, unsigned dims,
                       int keepdim);
/* Same for a pair of tensors of one shape and dtype: "dot" x y, "diff" x - y, "sqdiff" (x - y)^2,
   summed; y may be broadcast to x. */
LRN_API int lrn_reduce2(lrn_tensor **out, int red, const lrn_tensor *x, const lrn_tensor *y,
                        unsigned dims, int keepdim);
/* Mean over dims, in the tensor's float dtype (float32 for others). */
LRN_API int lrn_mean(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim);
/* Variance over dims (two passes, in float64), divided by n - correction; its root; the
   Euclidean norm. In the tensor's float dtype (float32 for others). */
LRN_API int lrn_var(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim,
                    double correction);
LRN_API int lrn_std(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim,
                    double correction);
LRN_API int lrn_norm(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim);
/* log sum exp over dims, shifted by the maximum. float only. */
LRN_API int lrn_logsumexp(lrn_tensor **out, const lrn_tensor *t, unsigned dims, int keepdim);
/* Position (int64, + base) of the first smallest (max = 0) or largest element along d; d = -1:
   in the whole tensor, flat. A NaN wins. */
LRN_API int lrn_argextreme(lrn_tensor **out, const lrn_tensor *t, int max, int d, int keepdim,
                           int64_t base);

/* Indexing. idx: int64 or int32 positions counted from `base`; with base 1 negative ones count from the end
   (-1 is the last). LRN_EVALUE names the first one that is out of range. */
/* out[..., k, ...] = t[..., idx[k], ...]; idx is 1-d */
LRN_API int lrn_index_select(lrn_tensor **out, const lrn_tensor *t, int d,
                             const lrn_tensor *idx, int64_t base);
/* out[i][j] = t[idx[i][j]][j] for d = 0, and so on: idx has t's number of dimensions */
LRN_API int lrn_gather(lrn_tensor **out, const lrn_tensor *t, int d, const lrn_tensor *idx,
                       int64_t base);
/* t[..., idx[k], ...] = src[..., k, ...] (src broadcast); of repeated positions the last wins */
LRN_API int lrn_index_copy(lrn_tensor *t, int d, const lrn_tensor *idx, int64_t base,
                           const lrn_tensor *src);
/* The elements where mask (bool, t's shape) is true, in row-major order, 1-d */
LRN_API int lrn_masked_select(lrn_tensor **out, const lrn_tensor *t, const lrn_tensor *mask);
/* Positions (+ base) of the true (not 0) elements: int64, count x ndim */
LRN_API int lrn_nonzero(lrn_tensor **out, const lrn_tensor *t, int64_t base);
/* Join along an existing dimension / along a new one. Dtypes are promoted. */
LRN_API int lrn_cat(lrn_tensor **out, const lrn_tensor *const *ts, int n, int d);
LRN_API int lrn_stack(lrn_tensor **out, const lrn_tensor *const *ts, int n, int d);

/* Matrix product of an n x k and a k x m tensor (float, one dtype; any strides). */
LRN_API int lrn_mm(lrn_tensor **out, const lrn_tensor *a, const lrn_tensor *b);
/* c = alpha a b + beta c; beta 0 overwrites c whatever it holds. c must not overlap a or b. */
LRN_API int lrn_gemm(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b,
                     double beta);

/* }==================================================================== */

/* {====================================================================
** Random numbers: Philox4x32-10, keyed by element (docs/decisions.md, "Random numbers")
**
** Threads: there is no generator with a state, so nothing is shared: a call writes t, as
** any write to a tensor, and the key decides the numbers. Threads that must draw
** different numbers use different keys.
** ===================================================================== */

enum {
  LRN_STREAM_INIT = 0,
  LRN_STREAM_HIDDEN = 1,
  LRN_STREAM_VISIBLE = 2,
  LRN_STREAM_MASK = 3,
  LRN_STREAM_METRIC = 4,
  LRN_STREAM_CHAIN = 5,
  LRN_STREAM_SHUFFLE = 6,
  LRN_STREAM_USER = 7,
  LRN_STREAM_SWAP = 8,     /* swaps of persistent chains, */
  LRN_STREAM_USER_SWAP = 9 /* and of a call's */
};

/* Names one draw: element e of the draw is random number `first + e` of it. */
typedef struct lrn_key {
  uint64_t seed;   /* the generator's seed */
  uint64_t step;   /* training step, call counter or epoch; below 2^56 */
  uint32_t stream; /* LRN_STREAM_*, below 256 */
  uint32_t draw;   /* number of the draw within the step */
  uint64_t first;  /* number of the first element */
} lrn_key;

typedef enum lrn_dist {
  LRN_UNIFORM = 0,   /* a + (b - a) u, u in [0, 1) */
  LRN_NORMAL = 1,    /* a + b z */
  LRN_BERNOULLI = 2, /* u < a ? 1 : 0 */
  LRN_INTEGER = 3    /* a + floor(u (b - a + 1)) by multiply-shift of 64 random bits: a..b */
} lrn_dist;

/* Fill t (any dtype that holds the values; elements in row-major order). a, b: see lrn_dist. */
LRN_API int lrn_random(lrn_tensor *t, int dist, double a, double b, lrn_key key);
/* LRN_INTEGER with limits beyond 2^53, which no double holds: any of int64. */
LRN_API int lrn_random_integer(lrn_tensor *t, int64_t from, int64_t to, lrn_key key);
/* u < p elementwise: 1 or 0 in t, p broadcast to t's shape. LRN_EVALUE where a p is not in [0, 1]. */
LRN_API int lrn_random_bernoulli(lrn_tensor *t, const lrn_tensor *p, lrn_key key);
/* A random permutation of base .. base + n - 1 in t (int64, 1-d, n elements): Fisher-Yates from
   the last element down, position i exchanged with (r (i + 1)) >> 64, r the 64 bits of element i. */
LRN_API int lrn_permutation(lrn_tensor *t, int64_t base, lrn_key key);
/* Independent configurations of the two-dimensional Ising model on a torus of L x L spins, E = - sum
   over neighbours s_i s_j, at a temperature > 0, into t (uint8 on the CPU, contiguous, n x L x L, L from 2
   to LRN_ISING_SIDE; 1: up, 0: down): each after so many cluster sweeps (Swendsen and Wang 1987) from
   random spins; 100 are enough at any temperature. Configuration r has the draw key.draw + r. */
#define LRN_ISING_SIDE 1024
LRN_API int lrn_ising(lrn_tensor *t, double temperature, int64_t sweeps, lrn_key key);

/* }==================================================================== */

/* {====================================================================
** Files
**
** Threads: loading makes objects of the calling thread alone. An lrn_file is filled
** (lrn_file_put*) and freed by one thread while no other uses it; then any number may
** read and save it. Saving to one path from several threads or processes at once leaves
** one of the whole files: each writes under a temporary name of its own.
** ===================================================================== */

/* An IDX file (Y. LeCun's format), plain or gzip; big-endian values of any of its types except
   16 bit, which become int32. Result on the CPU. LRN_EIO, LRN_EFORMAT name the file and offset. */
LRN_API int lrn_idx_load(lrn_tensor **out, const char *path);
/* Written atomically (see lrn_file_save); a path ending in .gz is compressed. uint8, int32,
   float32, float64. */
LRN_API int lrn_idx_save(const char *path, const lrn_tensor *t);

/* A safetensors file in memory: named tensors and metadata (string to string). */
typedef struct lrn_file lrn_file;
LRN_API int lrn_file_new(lrn_file **out);
/* Reads and checks everything: header, ranges that tile the data, and lrn.sha256 where it is
   present (it is not kept among the metadata). Tensors come in the order of the header. LRN_EIO;
   LRN_EFORMAT names the offset, what was found and what was expected. */
LRN_API int lrn_file_load(lrn_file **out, const char *path);
/* Same from bytes in memory; `name` stands in messages for the path. */
LRN_API int lrn_file_parse(lrn_file **out, const void *data, size_t n, const char *name);
LRN_API void lrn_file_free(lrn_file *f);
/* Adds a copy of t (from any device, made contiguous) or of a string. LRN_EARG for a name that
   is there already or is empty. */
LRN_API int lrn_file_put(lrn_file *f, const char *name, const lrn_tensor *t);
LRN_API int lrn_file_put_meta(lrn_file *f, const char *key, const char *value);
/* Number of tensors, and the i-th (name and tensor lent); NULL past the end. */
LRN_API int lrn_file_count(const lrn_file *f);
LRN_API const lrn_tensor *lrn_file_at(const lrn_file *f, int i, const char **name);
LRN_API const lrn_tensor *lrn_file_get(const lrn_file *f, const char *name); /* NULL: none */
LRN_API int lrn_file_meta_count(const lrn_file *f);
LRN_API const char *lrn_file_meta_at(const lrn_file *f, int i, const char **key);
LRN_API const char *lrn_file_meta(const lrn_file *f, const char *key); /* NULL: none */
/* Written to a temporary name in the same folder, fsync, rename, fsync of the folder: `path`
   is the old file or the whole new one at any moment. Adds lrn.sha256. A symbolic link is
   replaced by the file; a folder or a device is refused. LRN_EIO. */
LRN_API int lrn_file_save(const lrn_file *f, const char *path);

/* }==================================================================== */

/* {====================================================================
** Restricted Boltzmann machines
**
** Threads: a workspace is written by every call that takes one (but lrn_work_batch,
** lrn_work_get_state and the functions that lend its tensors): one thread at a time. A
** model is only read by inference, by lrn_rbm_gradient and by lrn_rbm_store, where it
** is const: any number of threads may use one model, each with a workspace of its own,
** and get the bits that one thread would. lrn_rbm_step, _update, _prepare, _set_options
** and writes through lrn_rbm_parameter change it: no other thread may use the model
** meanwhile, not even for reading. Different models share nothing. Units are constants.
** ===================================================================== */

/* Rows of kernel/unit.def. With E(v,h) = sum self(v) + sum self(h) - a.v - b.h - v W h and
   p = exp(-E / temperature) / Z, a unit with input x has the cumulant A(x) and the mean A'(x). */
typedef enum lrn_unit {
  LRN_UNIT_BERNOULLI = 0, /* 0 or 1 */
  LRN_UNIT_GAUSSIAN = 1,  /* real, self energy s^2 / 2 */
  LRN_UNIT_RELU = 2,      /* rectified Gaussian: s >= 0, self energy s^2 / 2 */
  LRN_UNIT_SPIN = 3,      /* -1 or 1 */
  LRN_UNIT_NRELU = 4,     /* max(0, x + N(0, sigmoid(x))) (Nair and Hinton 2010); mean softplus(x) */
  LRN_UNIT_SELU = 5,      /* selu(x), without noise */
  LRN_UNIT_SOFTMAX = 6,   /* one-hot: of each group of units one is 1, the others are 0 */
  LRN_UNITS = 7
} lrn_unit;
LRN_API const char *lrn_unit_name(int unit); /* NULL for none. Static. */
LRN_API int lrn_unit_parse(int *unit, const char *name);
/* 1 for units whose states can be counted, two of a unit or K of a group: their layer can be listed
   (lrn_rbm_log_partition) and, where it is the visible one, changed in one place
   (lrn_rbm_pseudo_likelihood); else 0. */
LRN_API int lrn_unit_can_flip(int unit);
/* 1 for units that come in groups (softmax): one cumulant, state and random number a group. */
LRN_API int lrn_unit_grouped(int unit);
/* 0 for a unit that is a rule (nrelu, selu): its states are not drawn from the density that its cumulant
   belongs to. A model with one has energies, which are potentials of its means, but no likelihood; a
   step sums states of it, not means. Else 1. */
LRN_API int lrn_unit_has_density(int unit);

typedef enum lrn_unit_part {
  LRN_UNIT_SELF = 0,     /* self energy of the state x */
  LRN_UNIT_CUMULANT = 1, /* T log integral exp(-(self(s) - x s) / T) ds */
  LRN_UNIT_MEAN = 2,     /* E[s | x], the cumulant's derivative */
  LRN_UNIT_NEAREST = 3,  /* the state nearest to x; of a group: 1 for its first largest x */
  LRN_UNIT_PARTS = 4
} lrn_unit_part;
/* out = that function of x elementwise, at temperature T > 0; float, out of x's shape and dtype,
   both contiguous. Units in groups: the last dimension of x is a group, and the cumulant
   T log sum_k exp(x_k / T) stands at its first element, with 0 at the others. LRN_EUNSUPPORTED where
   the row has no such function: real-valued units have no nearest state. */
LRN_API int lrn_unit_map(lrn_tensor *out, int unit, int part, const lrn_tensor *x,
                         double temperature);
/* out = a sample of each unit with input x; units in groups as above. */
LRN_API int lrn_unit_sample(lrn_tensor *out, int unit, const lrn_tensor *x,
                            double temperature, lrn_key key);

typedef enum lrn_bias {
  LRN_BIAS_ZERO = 0,
  LRN_BIAS_DATA = 1 /* first lrn_rbm_prepare: the visible mean equals that of the data */
} lrn_bias;

/* What a training step leaves out; see model/mask.c for the formulas. */
typedef enum lrn_mask {
  LRN_MASK_NONE = 0,
  LRN_MASK_DROPOUT = 1,     /* hidden units, drawn for each row */
  LRN_MASK_DROPCONNECT = 2, /* weights, drawn for each batch */
  LRN_MASK_EDROPOUT = 3     /* hidden units by their importance; CD only */
} lrn_mask;

typedef enum lrn_optimizer {
  LRN_SGD = 0, /* m = momentum m + g;  theta -= learning_rate m */
  LRN_ADAM = 1 /* Kingma and Ba 2015, algorithm 1, with their names */
} lrn_optimizer;

typedef enum lrn_rule {
  LRN_RULE_CD = 0,   /* contrastive divergence, or with `persistent` chains PCD */
  LRN_RULE_EXACT = 1 /* the gradient of the likelihood itself, by lrn_rbm_moments */
} lrn_rule;

typedef struct lrn_rbm_options {
  size_t struct_size;        /* sizeof(lrn_rbm_options); set by lrn_rbm_defaults */
  int64_t n_visible;         /* 128 */
  int64_t n_hidden;          /* 128 */
  int visible, hidden;       /* lrn_unit: Bernoulli, Bernoulli */
  int64_t visible_categories; /* 1; where the units come in groups (softmax) the units of a group: */
  int64_t hidden_categories;  /* 1  >= 2, and n_visible or n_hidden is a multiple of it; fixed */
  int dtype;                 /* LRN_F32 or LRN_F64 */
  const lrn_device *device;  /* NULL: the CPU */
  int rule;                  /* lrn_rule: LRN_RULE_CD; fixed. The exact one is for models of which
                                lrn_rbm_moments are known, without mask, chains and labels */
  int64_t steps;             /* 1: k of CD-k and PCD-k; >= 1 */
  double learning_rate;      /* 0.1; >= 0 */
  double momentum;           /* 0; in [0, 1) */
  double decay;              /* 0; >= 0; acts on weights only */
  double temperature;        /* 1; > 0; in both phases and in inference */
  int64_t persistent;        /* 0: CD; P > 0: PCD with P chains */
  int64_t replicas;          /* 1; R > 1: each of these chains has R rungs, from the model (beta = 1) to one
                                without weights (0), which exchange their states (model/tempering.c); the
                                statistics are those of the first. Units have densities; no mask */
  double fast_rate;          /* 0: off; > 0: the chains see fast weights, which learn at this rate */
  double fast_decay;         /* 0.95; in [0, 1): and decay by this factor a step (model/chains.c); no mask */
  int visible_bias;          /* lrn_bias: LRN_BIAS_DATA */
  int visible_noise;         /* 1; 0: wherever a visible state is asked for, its mean is given */
  int normalize;             /* 0; 1: Gaussian visible units see data standardised by the statistics of
                                the first ones (lrn_rbm_prepare); fixed. What goes in and comes out is
                                in units of the data, errors and energies are not */
  int input_normalize;       /* 1; 0: lrn_rbm_forward takes standardised rows */
  int variance;              /* 0; 1: Gaussian visible units have a variance e^z each that is learned
                                (model/variance.c); fixed */
  int conditional;           /* 0; 1: of models of ratings: hidden units see as well which items were
                                rated, by weights D (n_items x n_hidden); fixed, see lrn_ratings_step */
  double smoothing;          /* 0; >= 0: of models of ratings: what in an item's weights is not a straight
                                line over its levels decays so much more; joins the gradient */
  double variance_rate;      /* 0.1; >= 0: the learning rate of z is so many times learning_rate */
  int missing;               /* 0; 1: a NaN in data is a unit that its row does not have: it is in no
                                energy, gradient or error of this row (model/missing.c); with groups all
                                values of one. Not with persistent chains or the exact rule */
  int mask;                  /* lrn_mask: LRN_MASK_NONE; fixed */
  double dropout;            /* 0; in [0, 1]: probability of leaving out, of the first two masks.
                                Inference has all units and weights: inputs of visible units (of both
                                layers with dropconnect) are multiplied by 1 - dropout; with
                                LRN_MASK_DROPOUT the energies are those without a mask */
  int optimizer;             /* lrn_optimizer: LRN_SGD; fixed, as Adam has a buffer of its own */
  double beta1, beta2;       /* 0.9, 0.999; in [0, 1): of Adam, which has no `momentum` */
  double epsilon;            /* 1e-8; > 0: of Adam */
  double l1;                 /* 0; >= 0: l1 sign(W) joins the weights' gradient */
  double clip;               /* 0: off; > 0: the gradient of all parameters is scaled down to
                                this norm where it is larger, before decay and l1 join it */
  double sparsity_cost;      /* 0: off; > 0: c (p - sparsity_target) joins the gradient of the */
  double sparsity_target;    /* 0.1     hidden biases, and c <v+> (p - target)' that of the weights; */
  double sparsity_decay;     /* 0.9; in [0, 1): p = decay p + (1 - decay) <q+> (Hinton 2012, 11) */
  double centering;          /* 0: off; in (0, 1], 0.01 say: the gradient is centred by running means
                                of data and hidden means with this rate (model/aids.c) */
  int64_t n_classes;         /* 0: no labels; C >= 2: the model has a label y of C classes, with the
                                parameters U and c, and learns P(y | v) (model/label.c); no mask */
  double alpha;              /* 0; >= 0: with labels: weight of the generative part, CD on (v, y), in
                                the objective; 0: P(y | v) alone */
  int64_t mean_field;        /* 25; >= 1: of a deep Boltzmann machine: turns of mean field at most, which */
  double tolerance;          /* 1e-4; >= 0   end for a row when none of its means moves by more in a turn */
  double up_scale, down_scale; /* 1, 1; > 0: what comes from the visible units to the hidden ones counts so
                                many times, and the other way; fixed. 2 and 1 for the first, 1 and 2 for the
                                last of RBMs that are to become a deep Boltzmann machine. Where they are not
                                1 the model is no distribution: no likelihood */
  double max_norm;           /* 0: off; > 0: after an update the weights of a hidden unit are
                                scaled down to this norm where theirs is larger (Hinton et al.
                                2012, arXiv 1207.0580, section 2) */
  uint64_t seed;             /* 1 */
} lrn_rbm_options;
LRN_API void lrn_rbm_defaults(lrn_rbm_options *options);

/* A model: parameters and options. Inference only reads it, so that threads may share one,
   each with a workspace of its own. */
typedef struct lrn_rbm lrn_rbm;
/* Everything that a call needs beside the model: activations, gradient, momentum, chains,
   generator counters, sums of the metrics. Belongs to the model it was made for. */
typedef struct lrn_work lrn_work;

/* W is n_visible x n_hidden, drawn from N(0, 0.01^2) (stream 0); a and b are 0. The errors name
   the option, its value and what is valid. */
LRN_API int lrn_rbm_new(lrn_rbm **out, const lrn_rbm_options *options);
LRN_API void lrn_rbm_free(lrn_rbm *m);
LRN_API const lrn_rbm_options *lrn_rbm_get_options(const lrn_rbm *m); /* lent */
/* Acts at the next step. Sizes, units, categories, dtype, device, mask, rule, optimizer and seed are
   fixed: LRN_EVALUE. */
LRN_API int lrn_rbm_set_options(lrn_rbm *m, const lrn_rbm_options *options);
/* i-th parameter: "W" (V x H), "a" (V), "b" (H), with labels "U" (C x H), "c" (C), with `variance` "z"
   (V); NULL past the end. Lent; writing to it writes to the model. z is in [-6, 2] after each step. */
LRN_API lrn_tensor *lrn_rbm_parameter(const lrn_rbm *m, int i, const char **name);

/* What data are standardised by: 0 "mean", 1 "std" (V, float64, on the CPU; std 0: a constant unit).
   NULL before the first lrn_rbm_prepare, without `normalize` and past the end. Lent, not to be written. */
LRN_API lrn_tensor *lrn_rbm_statistic(const lrn_rbm *m, int i, const char **name);

enum { LRN_WORK_TRAIN = 1 };
/* For batches of up to `batch` rows; flags LRN_WORK_TRAIN: also gradient, momentum and chains.
   Inference on more rows goes through them in such batches. */
LRN_API int lrn_work_new(lrn_work **out, const lrn_rbm *m, int64_t batch, int flags);
/* Makes room for larger batches, for training, or for another number of chains; momentum,
   chains that keep their number, and counters stay. On failure the workspace is as before. */
LRN_API int lrn_work_reserve(lrn_work *w, const lrn_rbm *m, int64_t batch, int flags);
LRN_API void lrn_work_free(lrn_work *w);
LRN_API int64_t lrn_work_batch(const lrn_work *w);
LRN_API size_t lrn_work_bytes(const lrn_work *w); /* of its tensors */

/* Where training stands; what a resumed run needs beside the tensors. */
typedef struct lrn_state {
  uint64_t step;    /* training steps since the model was made */
  uint64_t calls;   /* sampling calls by the user: `step` of stream 7 */
  int64_t epoch;    /* epochs completed */
  int64_t batch;    /* batches done in the current epoch */
  int64_t samples;  /* rows seen in the current epoch; the sums are over them */
  double mse, error, pl;
  double loss;      /* of labelled rows: sum of -log P(label | v), */
  double hits;      /* number of those whose most probable class is the label, */
  double labelled;  /* and number of them */
} lrn_state;
LRN_API void lrn_work_get_state(const lrn_work *w, lrn_state *out);
LRN_API void lrn_work_set_state(lrn_work *w, const lrn_state *state);
/* Means of the epoch that ends; epoch + 1, batch and sums 0. loss and hits are means over labelled
   rows. LRN_ESTATE where no row was seen. */
LRN_API int lrn_work_end_epoch(lrn_work *w, lrn_state *means);

/* Lent tensors of a training workspace; NULL past the end or where there is none.
   Gradient, momentum (Adam: first moments) and second moments: one contiguous buffer each, laid
   out as the parameters. */
LRN_API lrn_tensor *lrn_work_gradient(const lrn_work *w, int i, const char **name);
LRN_API lrn_tensor *lrn_work_momentum(const lrn_work *w, int i, const char **name);
LRN_API lrn_tensor *lrn_work_second(const lrn_work *w, int i, const char **name); /* Adam's second
                                                                                      moments */
LRN_API lrn_tensor *lrn_work_fast(const lrn_work *w, int i, const char **name); /* fast weights */
/* Hidden states of the persistent chains, replicas * P x n_hidden: those of the model first, those of the
   next rung then, ... */
LRN_API lrn_tensor *lrn_work_chain(const lrn_work *w);
/* The betas of the rungs (float64, on the CPU), and the visible biases at beta = 0; NULL without replicas.
   Not to be written. */
LRN_API lrn_tensor *lrn_work_ladder(const lrn_work *w);
LRN_API lrn_tensor *lrn_work_base(const lrn_work *w);
/* How often each of the replicas - 1 pairs of neighbours exchanged states, on average since the ladder was
   last adapted, or before that where it just was; NaN before the first step. LRN_ESTATE without replicas. */
LRN_API int lrn_work_swap_rates(const lrn_work *w, double *rates);
/* The last step's mask, n_hidden wide; lent, NULL without one. dropout: rows of the batch, and from row
   lrn_work_batch on those of the chains. dropconnect: its first n_visible rows; W times it follows.
   edropout: rows of the batch. */
LRN_API lrn_tensor *lrn_work_mask(const lrn_work *w);
/* The last step's negative visible states (rows x V), as the model sees them (standardised): of the
   CD chain, or of the persistent chains. A view on the workspace: the next call overwrites it. Caller frees. */
LRN_API int lrn_work_negative(lrn_tensor **out, const lrn_work *w);
/* Their labels, one-hot rows x n_classes, likewise; LRN_ESTATE for a model without labels. */
LRN_API int lrn_work_negative_labels(lrn_tensor **out, const lrn_work *w);

/* Data: N rows of n_visible values in dimensions 2 and up (a 1-d tensor is one row). uint8
   means value / 255; other dtypes are taken as they are. On the model's device or the
   CPU; those of a training step on the model's device. */

/* Before the first step, of all data: sets the visible biases where visible_bias is LRN_BIAS_DATA, they
   are all 0 and no step was made. A Bernoulli unit's mean is kept within 1 / (N + 2) of 0 and 1, that
   of a category above 1 / (N + 2); biases of a group are T log of its means, not centred.
   With `normalize` instead the statistics of the data, once: mean and standard deviation (over N, not
   N - 1) of each unit, in double. A unit whose deviation is below 0.01 of the range of all values is
   constant: 0 in the model, its weights and bias are 0, it reconstructs to its mean and adds nothing to
   an error. LRN_ENUMERIC: a NaN or an infinity, named. */
LRN_API int lrn_rbm_prepare(lrn_rbm *m, lrn_work *w, const lrn_tensor *data);
/* The rows of one step: idx[first .. first + count) of data, or data[first .. first + count) where idx
   is NULL; idx int64, contiguous, counted from base, on the model's device. labels: NULL where there
   are none, else one for each row of data: int64, contiguous, on the model's device; classes counted
   from base, base - 1 for a row without a label. On the CPU a label that is neither is LRN_EVALUE.
   weights: NULL, or one value >= 0 for each row of the batch, a contiguous vector of `count` of the
   model's dtype on its device. Means over rows are then sum w x / sum w, in both phases; chains of PCD
   have no weights, and metrics count each row once. Rows that all weigh 0 give a gradient of 0. The
   first batch that has weights allocates. */
typedef struct lrn_batch {
  const lrn_tensor *data, *idx;
  int64_t base, first, count;
  const lrn_tensor *labels, *weights;
} lrn_batch;
/* One training step (models: Hinton 2002, 2012; Tieleman 2008). Allocates nothing. On the CPU a NaN
   or an infinity in the rows is LRN_ENUMERIC before anything changes; one in the parameters after
   the update is LRN_ENUMERIC and names the tensor (the step is counted). LRN_ESHAPE: count above
   the workspace's batch. */
LRN_API int lrn_rbm_step(lrn_rbm *m, lrn_work *w, const lrn_batch *batch);
/* The two halves of it, without metrics: chain and gradient of mean F(v+) - mean F(v-) at the
   temperature; then decay, momentum and update, which counts the step. */
LRN_API int lrn_rbm_gradient(const lrn_rbm *m, lrn_work *w, const lrn_batch *batch);
LRN_API int lrn_rbm_update(lrn_rbm *m, lrn_work *w);

/* Ratings (Salakhutdinov, Mnih, Hinton 2007): n_items items that users have rated with one of K levels
   each. The model has softmax visible units, visible_categories = K, n_visible = n_items K, the units of
   an item side by side; a user's row has the units of the items that they rated, all others are absent
   from energy and gradient, and the work is proportional to the number of ratings.

   Stored by user, ascending items within one: offset int64 (n_users + 1), item int32 and level uint8
   (a value a rating), counted from 0, contiguous, on the CPU. Lent. */
typedef struct lrn_ratings {
  const lrn_tensor *offset, *item, *level; /* level: NULL where only items count */
} lrn_ratings;
/* From n triplets, vectors of one length on the CPU: users and items int64 or int32 counted from base,
   ratings of any dtype, each one of the K ascending `values` (2 <= K <= 255). out: offset, item, level;
   caller frees. A pair (user, item) that comes twice: the last one counts where keep_last, else
   LRN_EVALUE, as is a user, item or rating that is none; *bad is then the triplet, counted from 0.
   Counting sorts: 4 bytes a triplet beside input and output. */
LRN_API int lrn_ratings_sort(lrn_tensor *out[3], const lrn_tensor *users, const lrn_tensor *items,
                             const lrn_tensor *ratings, int64_t base, int64_t n_users,
                             int64_t n_items, const double *values, int n_values, int keep_last,
                             int64_t *bad);
/* From a text file: user, item, rating and whatever follows, a line each, separated by a tab, spaces,
   comma, semicolon or "::"; users and items are integers. A first line that does not begin with a digit
   is skipped. out: users and items int32, ratings float32; caller frees. LRN_EIO; LRN_EFORMAT names the
   line. */
LRN_API int lrn_ratings_read(lrn_tensor *out[3], const char *path, const char *function);

/* out: the user of each rating, int32, counted from base. Caller frees. */
LRN_API int lrn_ratings_users(lrn_tensor **out, const lrn_tensor *offset, int64_t base);
/* out: a float64 vector of n counts and one of n sums of values[level], of the ratings with each id (int32,
   0 <= id < n): of users, or of items. Caller frees both. */
LRN_API int lrn_ratings_totals(lrn_tensor *out[2], const lrn_tensor *id, const lrn_tensor *level, int64_t n,
                               const double *values, int n_values);

/* Users idx[first .. first + count) of the ratings (NULL: first ..), counted from base; idx int64,
   contiguous, on the CPU. values: what the K levels are worth, for the error. */
typedef struct lrn_ratings_batch {
  lrn_ratings ratings;
  const lrn_tensor *idx;
  int64_t base, first, count;
  const double *values;
} lrn_ratings_batch;
/* Room for `rows` users with `entries` ratings in all; the calls below reserve what they need, so that a
   step allocates only where it is the largest so far. */
LRN_API int lrn_ratings_reserve(lrn_work *w, const lrn_rbm *m, int64_t rows, int64_t entries);
/* Before the first step: visible biases from how often each level of an item was given, smoothed by how
   often it is given at all, where visible_bias is LRN_BIAS_DATA, they are all 0 and no step was made. */
LRN_API int lrn_ratings_prepare(lrn_rbm *m, lrn_work *w, const lrn_ratings *ratings);
/* One training step of CD-k: each user counts once. Draws as lrn_rbm_step's. The state's `error` gets the
   squared differences between ratings and their means given the chain's last hidden states, `labelled`
   the number of ratings. The gradient alone, without error: lrn_ratings_gradient. */
LRN_API int lrn_ratings_step(lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch);
LRN_API int lrn_ratings_gradient(const lrn_rbm *m, lrn_work *w, const lrn_ratings_batch *batch);
/* mean (count x n_hidden): hidden means given the users' ratings. */
LRN_API int lrn_ratings_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean,
                               const lrn_ratings_batch *batch);
/* mean (ratings of the batch x K): probabilities of the levels of its items, row r given hidden values
   h[r]. */
LRN_API int lrn_ratings_visible(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, const lrn_tensor *h,
                                const lrn_ratings_batch *batch);
/* F (count): free energies -sum of a over the rated units - sum_j A(x_j). */
LRN_API int lrn_ratings_free_energy(const lrn_rbm *m, lrn_work *w, lrn_tensor *F,
                                    const lrn_ratings_batch *batch);
/* Levels at the end of the last gradient's or step's chain, one a rating of its batch, uint8 on the CPU.
   Caller frees. */
LRN_API int lrn_ratings_negative(lrn_tensor **out, const lrn_work *w);

/* One step of an optimiser on a caller's tensors: theta, m (momentum; Adam: first moments), s (second
   moments; NULL: no Adam) and the gradient g, all contiguous, of one of float32 and float64, one size
   and device; m and s are 0 before the first step, and the caller's. norm2: NULL, or one value of
   theta's type, the squared norm of the whole gradient, for `clip`. bad: an int64 tensor on the
   device, whose element `place` (from 0) gets `step` where it is 0 and a new theta is not finite.
   step counts from 1. The fields mean what they mean in lrn_rbm_options. LRN_ETYPE. */
typedef struct lrn_update_options {
  double learning_rate, momentum, decay, l1, clip, beta1, beta2, epsilon;
  int64_t step;
} lrn_update_options;
LRN_API int lrn_optimize(lrn_tensor *theta, lrn_tensor *m, lrn_tensor *s, const lrn_tensor *g,
                         const lrn_tensor *norm2, lrn_tensor *bad, int64_t place,
                         const lrn_update_options *options);

/* Inference. Outputs are tensors made by the caller with the model's dtype and device,
   contiguous, of the shape named; NULL: not wanted. A call that samples takes one from `calls`.
   hidden: N x H means and states given v; visible: N x V means and states given h. */
LRN_API int lrn_rbm_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean,
                           lrn_tensor *state, const lrn_tensor *v);
/* The means of lrn_rbm_hidden; of rows as they are where input_normalize is 0. */
LRN_API int lrn_rbm_forward(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, const lrn_tensor *v);
LRN_API int lrn_rbm_visible(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean,
                            lrn_tensor *state, const lrn_tensor *h);
/* F(v) = sum self(v) - a.v - sum_j A(x_j), x = v W + b: N values. With `variance` sum (self(v_i) -
   a_i v_i) / s_i, s = e^z, and x = (v / s) W + b. v: as the model sees it, standardised or not. */
LRN_API int lrn_rbm_free_energy(const lrn_rbm *m, lrn_work *w, lrn_tensor *F,
                                const lrn_tensor *v);
/* Mean over rows of V log sigmoid((F(flip_i v) - F(v)) / T), v the nearest state (0.5 is 0, of
   spins 0 is 1; of a group the first of the largest is 1), i drawn per row. Of G groups: G log P(v_g |
   the other groups), g drawn per row, which costs K n_hidden cumulants. LRN_EUNSUPPORTED where the visible units are real-valued. */
LRN_API int lrn_rbm_pseudo_likelihood(const lrn_rbm *m, lrn_work *w, double *pl,
                                      const lrn_tensor *v);
/* One sweep from each row: v (N x V) visible means given sampled hidden states (mean_field: given
   hidden means). error: mean over rows of sum (row - means)^2; sampled: of sum (row -
   states)^2. */
LRN_API int lrn_rbm_reconstruct(const lrn_rbm *m, lrn_work *w, double *error,
                                double *sampled, lrn_tensor *v, const lrn_tensor *data,
                                int mean_field);
/* The same for data that come in parts: these are the rows from number `first` (from 0) on of one
   call, which begins with first = 0. total: the sums, not the means, of the rows so far; read where
   first > 0. The bits are those of a single call where every part but the last has a multiple of
   512 rows and the workspace room for 512. */
LRN_API int lrn_rbm_reconstruct_part(const lrn_rbm *m, lrn_work *w, double total[2],
                                     lrn_tensor *v, const lrn_tensor *data, int64_t first,
                                     int mean_field);
/* The CD chain of options.steps sweeps: means and states of h given v (ph, sh), of h given the
   last v (qh, th), and that v (vk). */
LRN_API int lrn_rbm_gibbs(const lrn_rbm *m, lrn_work *w, lrn_tensor *ph, lrn_tensor *sh,
                          lrn_tensor *qh, lrn_tensor *th, lrn_tensor *vk,
                          const lrn_tensor *v);
/* How chains are run; fields that are 0 or NULL: not wanted, or the default. */
typedef struct lrn_sampling {
  int64_t n;                /* chains, >= 1 */
  int64_t steps;            /* sweeps that count, >= 1 */
  int64_t burn;             /* sweeps before them; burn + steps is below 2^30 */
  int64_t thin;             /* 0: only the last sweep is looked at; else every thin-th one of the steps,
                               which makes steps / thin draws of each chain */
  double temperature;       /* 0: the model's; else in its place */
  const lrn_tensor *start;  /* n rows to start from. NULL: hidden states drawn from the biases alone, or,
                               with a clamp, from the held values, with 0 for what is free */
  /* The clamp: what the mask says (1: held, 0: free; any dtype) has these values in every sweep and in the
     results, bit for bit; rows of data, read nowhere else. Each is n_visible values for all chains, or n
     rows; on any device. Of units in groups whole groups are held. LRN_ENUMERIC: a held value that is not
     finite */
  const lrn_tensor *mask, *values;
  const lrn_tensor *labels; /* of a model with labels: the label of each chain, held; int64, n, contiguous,
                               on the model's device, counted from base; base - 1 counts as no class at all */
  int64_t base;             /* of labels and of those that come out */
  /* Parallel tempering: each chain has so many rungs, see lrn_rbm_options; results are of the first one. The
     ladder adapts while the chains burn, and is then fixed. */
  int64_t replicas;         /* 0, 1: none */
  const lrn_tensor *ladder; /* betas to begin with, float64, on the CPU: 1 > ... > 0. NULL: those of the
                               persistent chains where these are as many, else equal steps */
  const lrn_tensor *hot;    /* the visible biases at beta = 0, n_visible values, as the model has them. NULL: those of the persistent
                               chains where there are some, else 0 */
  lrn_tensor *swap_rates;   /* or NULL: gets how often each of replicas - 1 pairs exchanged states after burn; */
  lrn_tensor *betas;        /* or NULL: gets the ladder (replicas); both contiguous float64, on the CPU */
} lrn_sampling;
/* Block Gibbs sampling from the model. mean and state: draws x n x V, what visible units were and what they
   were drawn from; either may be NULL. labels (or NULL): draws x n, int64, contiguous, on the model's device:
   the classes of the same sweeps, of a model with labels. */
LRN_API int lrn_rbm_sample(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *state,
                           lrn_tensor *labels, const lrn_sampling *how);

/* What is known of the visible units of n rows; fields that are 0 or NULL: nothing. */
typedef struct lrn_known {
  int64_t n;                /* rows, >= 1: one chain each */
  int64_t steps, burn;      /* sweeps that count, >= 1, and sweeps before them; together below 2^30 */
  const lrn_tensor *mask, *values; /* what is held, as in lrn_sampling */
  const lrn_tensor *noisy;  /* n rows of data, each value seen through noise; NaN: not seen (of units in
                               groups: all of a group). On any device */
  double flip;              /* of units of two states: the probability, in (0, 1), that noise shows the
                               other; of a group: that it shows one of all drawn alike, in (0, 1] */
  double noise;             /* of Gaussian units: standard deviation of what noise adds, > 0, in units of
                               the data */
} lrn_known;
/* The visible units given that (and, of a model with labels, whatever the label): posterior means and
   standard deviations over the sweeps of a chain that begins at what is known, and the states of its last
   sweep. n x V each, made by the caller as those of inference; NULL: not wanted. In units of the data.
   Deviations of real-valued units are those of the states that came up. Always with visible_noise.
   LRN_EUNSUPPORTED: noise is not for real-valued units other than Gaussian ones. */
LRN_API int lrn_rbm_posterior(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean, lrn_tensor *std,
                              lrn_tensor *state, const lrn_known *how);

/* Models with labels (LRN_EUNSUPPORTED for others). log_p, p: N x n_classes, log P(y | v) and
   P(y | v) = softmax_y((c_y + sum_j A(x_j + U_yj)) / T), exact (Larochelle and Bengio 2008); drawn:
   int64, N, contiguous, a class drawn from it for each row, counted from base. NULL: not wanted. */
LRN_API int lrn_rbm_classify(const lrn_rbm *m, lrn_work *w, lrn_tensor *log_p, lrn_tensor *p,
                             lrn_tensor *drawn, int64_t base, const lrn_tensor *v);
/* P(y | h) = softmax((c + U h) / T) of rows of hidden values (N x n_hidden), and classes drawn. */
LRN_API int lrn_rbm_classify_hidden(const lrn_rbm *m, lrn_work *w, lrn_tensor *p,
                                    lrn_tensor *drawn, int64_t base, const lrn_tensor *h);
/* h given v and the labels of its rows, as lrn_rbm_hidden, which sums the label out of the means and
   draws it for the states. */
LRN_API int lrn_rbm_hidden_given(const lrn_rbm *m, lrn_work *w, lrn_tensor *mean,
                                 lrn_tensor *state, const lrn_tensor *v,
                                 const lrn_tensor *labels, int64_t base);
/* Exact figures: by enumeration of the layer that has fewer states, at most 2^24: 24 units of two states,
   or groups; in closed form where both layers are Gaussian (LRN_EUNSUPPORTED where exp(-E) has no finite
   integral then); else LRN_EUNSUPPORTED. In float64 on the CPU, with memory of their own; the bits do not
   depend on the number of threads. Without the model's mask; not for units without a density.
   log Z; the mean over rows of log p(v) = -F(v) / T - log Z, in nats; and the same given log Z. Z is that
   of standardised rows; log p is the log density of the data as they were given, of the units that are
   not constant: minus sum log std. */
LRN_API int lrn_rbm_has_exact(const lrn_rbm *m); /* 1 where there are exact figures; 0: layers too large */
LRN_API int lrn_rbm_log_partition(const lrn_rbm *m, double *log_z);
LRN_API int lrn_rbm_log_likelihood(const lrn_rbm *m, double *mean, const lrn_tensor *v);
LRN_API int lrn_rbm_log_likelihood_at(const lrn_rbm *m, double *mean, const lrn_tensor *v,
                                      double log_z);
/* Moments of the model's distribution: E[v h'] (V x H), E[v] (V) and E[h] (H), contiguous float64 tensors
   of the caller on the CPU, and log Z; NULL for what is not wanted. They are T times the derivatives of
   log Z by W, a and b. Not for models with labels: LRN_EUNSUPPORTED. */
LRN_API int lrn_rbm_moments(const lrn_rbm *m, double *log_z, lrn_tensor *vh, lrn_tensor *v,
                            lrn_tensor *h);

/* Annealed importance sampling (Neal 2001; Salakhutdinov and Murray 2008): chains that go from a model
   without weights, whose log Z is known, to the model m, through models whose parameters are
   (1 - beta) times the first one's and beta times m's; or, given samples of m, from m to it (Burda,
   Grosse and Salakhutdinov 2015).
     log_z   float64 of N values on the CPU: what each of N chains says of log Z. Forwards the mean of
             exp(log_z) is Z in expectation, so that its logarithm is on average too low; backwards, from
             exact samples, the mean of exp(-log_z) is 1 / Z, and the logarithm on average too high
     base    visible biases of the first model (n_visible values); NULL: those of m
     ladder  n >= 2 values of beta that rise from 0 to 1
     start   NULL: forwards; else backwards from these N rows, which should be samples of m
   On the model's device and in its dtype; log weights are summed in float64. Any number of chains goes
   through the workspace in batches, on which no draw depends; nor on threads. Draws: a call of stream 7.
   Without the model's mask. LRN_EUNSUPPORTED as lrn_rbm_check_integrable. */
LRN_API int lrn_rbm_anneal(const lrn_rbm *m, lrn_work *w, lrn_tensor *log_z, const lrn_tensor *base,
                           const double *ladder, int64_t n, const lrn_tensor *start);
/* LRN_OK where the model is a distribution for certain. LRN_EUNSUPPORTED for units without a density, and
   where exp(-E) may have no finite integral: no layer has bounded states, and a singular value of W is 1 or
   more. */
LRN_API int lrn_rbm_check_integrable(const lrn_rbm *m);
/* What the chains say together. */
typedef struct lrn_annealed {
  double log_z;     /* log of the mean of exp(log_z), backwards minus that of exp(-log_z) */
  double error;     /* its standard error (delta method) */
  double effective; /* (sum w)^2 / sum w^2 of the weights: how many chains count */
  double spread;    /* standard deviation of the log weights */
} lrn_annealed;
LRN_API int lrn_anneal_summary(lrn_annealed *out, const lrn_tensor *log_z, int backwards);
/* Visible biases (n_visible float64 values on the CPU) at which a model without weights has the means of
   the data: the `base` of lrn_rbm_anneal. A mean is kept off its ends as by lrn_rbm_prepare. */
LRN_API int lrn_rbm_base_biases(const lrn_rbm *m, lrn_work *w, lrn_tensor *out,
                                const lrn_tensor *data);

/* Into a file, under the names of numerics.md: W a b, momentum.W ..., chain.h, stat.mean, stat.std and the metadata
   lrn.format, lrn.class ("RBM" where the file has none yet), lrn.options, lrn.generator and
   lrn.epoch. w may be NULL: then neither momentum, chains nor counters. On failure f is as before. */
LRN_API int lrn_rbm_store(lrn_file *f, const lrn_rbm *m, const lrn_work *w);
/* Back from it. device NULL: the CPU. The workspace is for training where the file has momentum. LRN_EFORMAT names what is
   missing or does not fit. */
LRN_API int lrn_rbm_restore(lrn_rbm **m, lrn_work **w, const lrn_file *f,
                            const lrn_device *device);

/* }==================================================================== */

/* {====================================================================
** Deep Boltzmann machines (Salakhutdinov and Hinton 2009, 2012)
**
** E(v, h1, h2, ...) = self(v) - a.v - sum_l b_l.h_l - v W1 h1 - h1 W2 h2 - ...: layer 0 is visible, the
** hidden layers are 1 to lrn_dbm_layers. Threads: as for restricted Boltzmann machines, lrn_dbm in place
** of lrn_rbm and lrn_dbm_work in place of lrn_work. Outputs, data, statuses, draws and counters, too, are
** as there unless something else is said.
** ===================================================================== */

enum { LRN_DBM_LAYERS = 16 }; /* hidden layers at most */
typedef struct lrn_dbm lrn_dbm;
typedef struct lrn_dbm_work lrn_dbm_work;

/* options: those of an RBM. n_hidden there is not read; hidden: LRN_UNIT_BERNOULLI or LRN_UNIT_SPIN, of all
   hidden layers; visible: any unit with a density; no rule, mask, labels, variance or clip.
   n_hidden: of each of the hidden layers, 1 to LRN_DBM_LAYERS of them. Copied. */
LRN_API int lrn_dbm_new(lrn_dbm **out, const lrn_rbm_options *options, const int64_t *n_hidden, int layers);
LRN_API void lrn_dbm_free(lrn_dbm *m);
LRN_API int lrn_dbm_layers(const lrn_dbm *m);
LRN_API int64_t lrn_dbm_units(const lrn_dbm *m, int layer);           /* 0: visible */
LRN_API const lrn_rbm_options *lrn_dbm_get_options(const lrn_dbm *m); /* lent; n_hidden: of layer 1 */
LRN_API int lrn_dbm_set_options(lrn_dbm *m, const lrn_rbm_options *options);
/* Pair i (0 to layers - 1) of neighbours, an RBM of the layers i and i + 1, and its part of the workspace:
   for lrn_rbm_parameter ("W", "b"; of pair 0 also "a"), lrn_rbm_statistic (of pair 0), lrn_work_gradient,
   lrn_work_momentum, lrn_work_second and lrn_work_chain. Lent; NULL past the end. No other function of an
   RBM is for them. */
LRN_API lrn_rbm *lrn_dbm_get_pair(const lrn_dbm *m, int i);
LRN_API lrn_work *lrn_dbm_work_pair(const lrn_dbm_work *w, int i);

LRN_API int lrn_dbm_work_new(lrn_dbm_work **out, const lrn_dbm *m, int64_t batch, int flags);
/* On failure the workspace serves for what it served before. */
LRN_API int lrn_dbm_work_reserve(lrn_dbm_work *w, const lrn_dbm *m, int64_t batch, int flags);
LRN_API void lrn_dbm_work_free(lrn_dbm_work *w);
LRN_API int64_t lrn_dbm_work_batch(const lrn_dbm_work *w);
LRN_API size_t lrn_dbm_work_bytes(const lrn_dbm_work *w);
/* What the last step had of a layer in its negative phase: rows x units; even layers: states, odd ones:
   means given these, times minus the rows of data over those of the chain. A view; caller frees. */
LRN_API int lrn_dbm_work_negative(lrn_tensor **out, const lrn_dbm_work *w, int layer);
/* Counters and sums are those of lrn_dbm_work_pair(w, 0): lrn_work_get_state, lrn_work_set_state,
   lrn_work_end_epoch. */

LRN_API int lrn_dbm_prepare(lrn_dbm *m, lrn_dbm_work *w, const lrn_tensor *data);
/* Means and standard deviations (0: a constant unit) of n_visible units, as prepare finds them. */
LRN_API int lrn_dbm_set_statistics(lrn_dbm *m, const double *mean, const double *std);
/* One step: mean field of the batch, `steps` sweeps of the chains (persistent > 0: stored ones; 0: they
   begin at the batch's mean field), gradient and update; lrn_batch without labels and weights. error and
   mse: of one sweep that begins at the mean field of the data. */
LRN_API int lrn_dbm_step(lrn_dbm *m, lrn_dbm_work *w, const lrn_batch *batch);
LRN_API int lrn_dbm_gradient(const lrn_dbm *m, lrn_dbm_work *w, const lrn_batch *batch);
LRN_API int lrn_dbm_update(lrn_dbm *m, lrn_dbm_work *w);

/* Mean field of rows v: means (NULL, or one place a hidden layer, NULL where it is not wanted) N x units,
   and F (or NULL), N values, of the variational free energy: log p(v) >= -F / T - log Z, equal where there
   is one hidden layer. */
LRN_API int lrn_dbm_infer(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *const *means, lrn_tensor *F,
                          const lrn_tensor *v);
/* Mean over rows of the bound -F / T - log Z, in units of the data as lrn_rbm_log_likelihood. */
LRN_API int lrn_dbm_log_likelihood_at(const lrn_dbm *m, lrn_dbm_work *w, double *mean, const lrn_tensor *v,
                                      double log_z);
/* E of rows v and h (one tensor a hidden layer, of the model's dtype and device, contiguous): N values. */
LRN_API int lrn_dbm_energy(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *E, const lrn_tensor *v,
                           lrn_tensor *const *h);
/* As lrn_rbm_reconstruct_part, layer 1 drawn from its mean field (mean_field: its means). */
LRN_API int lrn_dbm_reconstruct_part(const lrn_dbm *m, lrn_dbm_work *w, double total[2], lrn_tensor *v,
                                     const lrn_tensor *data, int64_t first, int mean_field);
/* Chains of `steps` sweeps: odd layers given even ones, then even ones. start: N rows of v, whose mean field
   the odd layers are drawn from; or start_hidden: states of every hidden layer, of which the odd ones count;
   or both NULL: from the biases. state (N x n_visible) and mean (or NULL) of the last sweep, hidden (or
   NULL): the states of the hidden layers (or NULL). */
LRN_API int lrn_dbm_sample(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *mean, lrn_tensor *state,
                           lrn_tensor *const *hidden, const lrn_tensor *start, lrn_tensor *const *start_hidden,
                           int64_t steps);

/* Exact figures: where all layers of even numbers, or all of odd numbers, have at most 2^24 states together;
   the others are summed out. log_p: N float64 values on the CPU, of log p(v) + log Z, the hidden layers
   likewise; in units of the data as lrn_rbm_log_likelihood. */
LRN_API int lrn_dbm_has_exact(const lrn_dbm *m); /* of log Z */
LRN_API int lrn_dbm_log_partition(const lrn_dbm *m, double *log_z);
LRN_API int lrn_dbm_log_marginal(const lrn_dbm *m, lrn_tensor *log_p, const lrn_tensor *v);
/* As lrn_rbm_anneal; start (v) and start_hidden (one tensor a hidden layer) together: downwards from these
   states. */
LRN_API int lrn_dbm_anneal(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *log_z, const lrn_tensor *base,
                           const double *ladder, int64_t n, const lrn_tensor *start,
                           lrn_tensor *const *start_hidden);
LRN_API int lrn_dbm_base_biases(const lrn_dbm *m, lrn_dbm_work *w, lrn_tensor *out, const lrn_tensor *data);

/* }==================================================================== */

#ifdef __cplusplus
}
#endif
#endif
