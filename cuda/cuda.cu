/*
** cuda.cu - the plug-in's entry: looks for a device and fills the backend's table.
** Memory and copies are here; the kernels are in the other files. All work goes to the
** default stream, so that it happens in the order of the calls.
*/
#ifdef LRN_EMUL
#define LRN_EMUL_MAIN
#endif
#include "common.cuh"

int lrn_cuda_fail(cudaError_t e, const char *call, const char *file, int line) {
  const char *base = strrchr(file, '/');
  int st = e == cudaErrorMemoryAllocation ? LRN_ENOMEM : LRN_EUNSUPPORTED;
  lrn_fail(st, LRN_CUDA_NAME ": %s (%s:%d): %s", cudaGetErrorString(e), base ? base + 1 : file,
           line, call);
  cudaGetLastError();
  return st;
}

static int cuda_alloc(void **out, size_t bytes) {
  void *p;
  if (cudaMalloc(&p, bytes > 0 ? bytes : 1) != cudaSuccess) {
    cudaGetLastError();
    return LRN_ENOMEM;
  }
  *out = p;
  return LRN_OK;
}

static void cuda_free(void *p) {
  if (cudaFree(p) != cudaSuccess)
    cudaGetLastError();
}

static int cuda_upload(void *dst, const void *src_host, size_t bytes) {
  if (bytes > 0)
    LRN_CUDA(cudaMemcpy(dst, src_host, bytes, cudaMemcpyHostToDevice));
  return LRN_OK;
}

static int cuda_download(void *dst_host, const void *src, size_t bytes) {
  if (bytes > 0)
    LRN_CUDA(cudaMemcpy(dst_host, src, bytes, cudaMemcpyDeviceToHost));
  return LRN_OK;
}

static int cuda_sync(void) {
  LRN_CUDA(cudaStreamSynchronize(0));
  return LRN_OK;
}

#ifdef LRN_EMUL
static int find_device(void) { return LRN_OK; }
#else
static __global__ void k_nothing(int *p) { (void)p; }

static int no_device(const char *step, cudaError_t e) {
  cudaGetLastError();
  return lrn_fail(LRN_EUNSUPPORTED, "device cuda: %s: %s", step, cudaGetErrorString(e));
}

/* Every step that can fail on a machine without a usable GPU, each with its own message. */
static int find_device(void) {
  int n = 0, driver = 0, major = 0, minor = 0;
  cudaError_t e = cudaDriverGetVersion(&driver);
  if (e == cudaSuccess && driver == 0)
    return lrn_fail(LRN_EUNSUPPORTED, "device cuda: no NVIDIA driver is loaded");
  e = cudaGetDeviceCount(&n);
  if (e != cudaSuccess)
    return no_device("looking for GPUs", e);
  if (n == 0)
    return lrn_fail(LRN_EUNSUPPORTED, "device cuda: the driver sees no GPU");
  e = cudaSetDevice(0);
  if (e == cudaSuccess)
    e = cudaFree(NULL);
  if (e != cudaSuccess)
    return no_device("making a context on GPU 0", e);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
  if (10 * major + minor < 75)
    return lrn_fail(LRN_EUNSUPPORTED,
                    "device cuda: GPU 0 has compute capability %d.%d; needed is 7.5", major, minor);
  k_nothing<<<1, 1, 0, 0>>>(NULL);
  e = cudaGetLastError();
  if (e == cudaSuccess)
    e = cudaStreamSynchronize(0);
  if (e != cudaSuccess)
    return no_device("running a first kernel on GPU 0", e);
  return LRN_OK;
}
#endif

extern "C" LRN_API int lrn_backend_open(int abi, lrn_backend *out) {
  lrn_backend b;
  if (abi != LRN_BACKEND_ABI)
    return lrn_fail(LRN_EUNSUPPORTED,
                    "device " LRN_CUDA_NAME ": the plug-in is of another build (interface %d, "
                    "the engine has %d)",
                    LRN_BACKEND_ABI, abi);
  LRN_TRY(find_device());
  memset(&b, 0, sizeof b);
  b.name = LRN_CUDA_NAME;
  b.host_memory = 0;
  b.alloc = cuda_alloc;
  b.free = cuda_free;
  b.upload = cuda_upload;
  b.download = cuda_download;
  b.sync = cuda_sync;
  b.map = lrn_cuda_map;
  b.reduce = lrn_cuda_reduce;
  b.argextreme = lrn_cuda_argextreme;
  b.gather = lrn_cuda_gather;
  b.put = lrn_cuda_put;
  b.gemm = lrn_cuda_gemm;
  b.random = lrn_cuda_random;
  b.bernoulli = lrn_cuda_bernoulli;
  b.unit = lrn_cuda_unit;
  b.unit_map = lrn_cuda_unit_map;
  b.load = lrn_cuda_load;
  b.flip = lrn_cuda_flip;
  b.rung = lrn_cuda_rung;
  b.update = lrn_cuda_update;
  b.rated_up = lrn_cuda_rated_up;
  b.rated_down = lrn_cuda_rated_down;
  b.rated_gradient = lrn_cuda_rated_gradient;
  b.rated_smooth = lrn_cuda_rated_smooth;
  *out = b;
  return LRN_OK;
}
