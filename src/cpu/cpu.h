/*
** cpu.h - the slots of the CPU backend (device/backend.h says what each must do), by file.
*/
#ifndef LRN_CPU_CPU_H
#define LRN_CPU_CPU_H

#include "cpu/kernels.h"

/* elementwise.c */
int lrn_cpu_map(int op, int dtype, const lrn_view *out, const lrn_operand *in, int n);
int lrn_cpu_gather(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                   int64_t base);
int lrn_cpu_put(const lrn_view *out, const lrn_view *in, const lrn_view *idx, int dim,
                int64_t base);
/* reduce.c */
int lrn_cpu_reduce(int red, const lrn_view *out, const lrn_view *x, const lrn_view *y, int nkeep,
                   double divisor);
int lrn_cpu_argextreme(int max, const lrn_view *out, const lrn_view *x, int nkeep, int64_t base);
/* gemm.c */
int lrn_cpu_gemm(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                 const void *a, int64_t lda, const void *b, int64_t ldb, double beta, void *c,
                 int64_t ldc);
/* listed.c */
int lrn_cpu_gemm_sparse(int dtype, int transa, int transb, int64_t m, int64_t n, int64_t k, double alpha,
                        const void *a, int64_t lda, const void *b, int64_t ldb, void *c);
/* Products so far that were computed as sums of listed rows: for tests. */
int64_t lrn_cpu_listed(void);
/* random.c */
int lrn_cpu_random(const lrn_view *out, int dist, double a, double b, lrn_key key);
int lrn_cpu_bernoulli(const lrn_view *out, const void *p, int p_dtype, lrn_key key);
/* step.c */
int lrn_cpu_unit(const lrn_unit_args *args);
int lrn_cpu_unit_map(const lrn_unit_map_args *args);
int lrn_cpu_load(const lrn_load_args *args);
int lrn_cpu_flip(const lrn_flip_args *args);
int lrn_cpu_rung(const lrn_rung_args *args);
int lrn_cpu_update(const lrn_update_args *args);
void lrn_cpu_add_terms(double *sum, const double *terms, int64_t n); /* float64, in blocks */
/* rated.c */
int lrn_cpu_rated_up(const lrn_rated *batch, const uint8_t *level, void *x);
int lrn_cpu_rated_down(const lrn_rated *batch, const lrn_rated_down_args *args);
int lrn_cpu_rated_gradient(const lrn_rated *batch, const lrn_rated_gradient_args *args);
int lrn_cpu_rated_smooth(const lrn_rated *batch, double strength, void *gW);

#endif
