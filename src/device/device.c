/*
** device.c - the devices there are, and the tables that all of them share.
**
** The CPU is static. Another device lives in a plug-in beside liblrn.so; it is opened
** once, at first use, and never closed: a stream or a context may still hold its code.
*/
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "device/backend.h"

#define LRN_FAMILY_OF(f) LRN_##f

const lrn_op_info lrn_op_table[LRN_OPS + 1] = {
#define OP(family, name, arity, expr, help) {#name, help, LRN_FAMILY_OF(family), arity},
#include "kernel/ops.def"
#undef OP
  {"copy", "the same values, converted", LRN_ANY, 1},
  {NULL, NULL, 0, 0},
};

int lrn_op_count(void) { return LRN_OP_COPY; }
const char *lrn_op_name(int op) {
  return op >= 0 && op < LRN_OP_COPY ? lrn_op_table[op].name : NULL;
}
int lrn_op_arity(int op) { return op >= 0 && op < LRN_OP_COPY ? lrn_op_table[op].arity : 0; }
const char *lrn_op_help(int op) {
  return op >= 0 && op < LRN_OP_COPY ? lrn_op_table[op].help : NULL;
}
int lrn_op_find(const char *name) {
  for (int op = 0; op < LRN_OP_COPY; op++)
    if (strcmp(lrn_op_table[op].name, name) == 0)
      return op;
  return -1;
}

static const char *const red_names[LRN_REDS] = {
#define SUM(name, operands, expr, help) #name,
#define FOLD(name, identity, combine, help) #name,
#include "kernel/reduce.def"
#undef SUM
#undef FOLD
};

const char *lrn_reduce_name(int red) {
  return red >= 0 && red < LRN_REDS ? red_names[red] : NULL;
}
int lrn_reduce_find(const char *name) {
  for (int r = 0; r < LRN_REDS; r++)
    if (strcmp(red_names[r], name) == 0)
      return r;
  return -1;
}

int lrn_no_slot(const lrn_device *device, const char *slot) {
  return lrn_fail(LRN_EUNSUPPORTED, "%s: not on device %s yet", slot, device->name);
}

/* Devices in the order of opening. A failure is not kept: the cause may go away. */
static struct lrn_device cpu = {.name = "cpu"};
static struct lrn_device plugins[2] = {{.name = "cuda:0"}, {.name = "emul"}};
static const char *const plugin_files[2] = {"liblrn_cuda.so", "liblrn_emul.so"};
static int plugin_open[2];
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t plugin_lock = PTHREAD_MUTEX_INITIALIZER;

static void cpu_init(void) { lrn_cpu_backend(&cpu.backend); }

const lrn_device *lrn_device_cpu(void) {
  pthread_once(&cpu_once, cpu_init);
  return &cpu;
}

const char *lrn_device_name(const lrn_device *device) { return device->name; }

/* The folder this library was loaded from, with a closing slash; "" where it is unknown. Asked by
   an address that is ours alone: that of a public function is the program's own where the program
   is no PIE. */
static void own_folder(char *out, size_t n) {
  Dl_info info;
  const char *slash;
  out[0] = '\0';
  if (dladdr(plugins, &info) == 0 || info.dli_fname == NULL)
    return;
  slash = strrchr(info.dli_fname, '/');
  if (slash != NULL && (size_t)(slash - info.dli_fname) + 2 <= n) {
    memcpy(out, info.dli_fname, (size_t)(slash - info.dli_fname) + 1);
    out[slash - info.dli_fname + 1] = '\0';
  }
}

static int open_plugin(int i) {
  char path[4096];
  void *library, *symbol;
  lrn_backend_entry entry;
  own_folder(path, sizeof path - 32);
  strcat(path, plugin_files[i]);
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == NULL)
    return lrn_fail(LRN_EUNSUPPORTED, "device %s: its library cannot be opened: %s",
                    plugins[i].name, dlerror());
  symbol = dlsym(library, LRN_BACKEND_ENTRY);
  if (symbol == NULL)
    return lrn_fail(LRN_EUNSUPPORTED, "device %s: %s has no " LRN_BACKEND_ENTRY,
                    plugins[i].name, path);
  memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from object to function */
  return entry(LRN_BACKEND_ABI, &plugins[i].backend);
}

int lrn_device_open(const lrn_device **device, const char *name) {
  int st = LRN_OK, i;
  if (name == NULL || strcmp(name, "cpu") == 0) {
    *device = lrn_device_cpu();
    return LRN_OK;
  }
  if (strcmp(name, "cuda") == 0)
    name = "cuda:0";
  for (i = 0; i < 2; i++)
    if (strcmp(name, plugins[i].name) == 0)
      break;
  if (i == 2)
    return lrn_fail(LRN_EARG, "device: '%s' is none; valid: cpu, cuda, cuda:0, emul", name);
  pthread_mutex_lock(&plugin_lock);
  if (!plugin_open[i]) {
    st = open_plugin(i);
    plugin_open[i] = st == LRN_OK;
  }
  pthread_mutex_unlock(&plugin_lock);
  if (st == LRN_OK)
    *device = &plugins[i];
  return st;
}

const char *lrn_version(void) { return LRN_VERSION; }
