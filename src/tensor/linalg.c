/*
** linalg.c - matrix products of tensors with any strides. A matrix whose rows or columns are
** contiguous goes to the device as it is, transposed or not; others are packed first.
*/
#include "base/interrupt.h"
#include "base/status.h"
#include "tensor/tensor.h"

/* How BLAS sees v: trans and ld, or 0 where it must be packed. */
static int blas_layout(const lrn_view *v, int *trans, int64_t *ld) {
  int64_t rows = v->size[0], columns = v->size[1];
  int64_t sr = v->stride[0], sc = v->stride[1];
  if ((sc == 1 || columns == 1) && (rows == 1 || sr >= columns)) {
    *trans = 0;
    *ld = rows == 1 ? (columns > 1 ? columns : 1) : sr;
    return columns > 1 || sr >= 1 || rows == 1;
  }
  if (sr == 1 && sc >= rows) {
    *trans = 1;
    *ld = sc;
    return 1;
  }
  return 0;
}

static int check_gemm(const lrn_tensor *c, const lrn_tensor *a, const lrn_tensor *b) {
  const lrn_view *va = &a->view, *vb = &b->view;
  char ta[LRN_SHAPE_MAX], tb[LRN_SHAPE_MAX];
  if (va->nd != 2 || vb->nd != 2)
    return lrn_fail(LRN_ESHAPE, "mm: %s x %s: two matrices expected", lrn_tensor_text(ta, a),
                    lrn_tensor_text(tb, b));
  if (va->dtype > LRN_F64 || va->dtype != vb->dtype)
    return lrn_fail(LRN_ETYPE, "mm: %s x %s: one float dtype expected; convert with to",
                    lrn_dtype_name(va->dtype), lrn_dtype_name(vb->dtype));
  if (a->storage->device != b->storage->device)
    return lrn_fail(LRN_ETYPE, "mm: tensors on %s and %s", a->storage->device->name,
                    b->storage->device->name);
  if (va->size[1] != vb->size[0])
    return lrn_fail(LRN_ESHAPE, "mm: inner dimensions differ: %s x %s (%lld vs %lld)",
                    lrn_shape_text(ta, 2, va->size), lrn_shape_text(tb, 2, vb->size),
                    (long long)va->size[1], (long long)vb->size[0]);
  if (c == NULL)
    return LRN_OK;
  if (c->view.nd != 2 || c->view.size[0] != va->size[0] || c->view.size[1] != vb->size[1])
    return lrn_fail(LRN_ESHAPE, "mm: %lld x %lld values into %s", (long long)va->size[0],
                    (long long)vb->size[1], lrn_tensor_text(ta, c));
  if (c->view.dtype != va->dtype || c->storage->device != a->storage->device)
    return lrn_fail(LRN_ETYPE, "mm: the result is %s on %s, the operands %s on %s",
                    lrn_dtype_name(c->view.dtype), c->storage->device->name,
                    lrn_dtype_name(va->dtype), a->storage->device->name);
  return LRN_OK;
}

static int gemm(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b,
                double beta) {
  const lrn_device *device = a->storage->device;
  lrn_tensor *pa = NULL, *pb = NULL, *pc = NULL;
  lrn_view va = a->view, vb = b->view, vc = c->view;
  int ta = 0, tb = 0, tc = 0, st;
  int64_t lda = 0, ldb = 0, ldc = 0;
  LRN_TRY(LRN_SLOT(device, gemm));
  LRN_TRY(check_gemm(c, a, b));
  LRN_TRY(lrn_check_target(c, "mm"));
  if (lrn_views_overlap(&vc, &va) || lrn_views_overlap(&vc, &vb))
    return lrn_fail(LRN_EARG, "mm: the result overlaps an operand");
  if (!blas_layout(&va, &ta, &lda)) {
    LRN_GO(lrn_tensor_clone(&pa, a));
    va = pa->view;
    blas_layout(&va, &ta, &lda);
  }
  if (!blas_layout(&vb, &tb, &ldb)) {
    LRN_GO(lrn_tensor_clone(&pb, b));
    vb = pb->view;
    blas_layout(&vb, &tb, &ldb);
  }
  if (!blas_layout(&vc, &tc, &ldc)) {
    LRN_GO(lrn_tensor_clone(&pc, c));
    vc = pc->view;
    blas_layout(&vc, &tc, &ldc);
  }
  if (tc) /* C' = B' A' */
    LRN_GO(device->backend.gemm(vc.dtype, !tb, !ta, vc.size[1], vc.size[0], va.size[1], alpha,
                                vb.data, ldb, va.data, lda, beta, vc.data, ldc));
  else
    LRN_GO(device->backend.gemm(vc.dtype, ta, tb, vc.size[0], vc.size[1], va.size[1], alpha,
                                va.data, lda, vb.data, ldb, beta, vc.data, ldc));
  if (pc != NULL)
    LRN_GO(lrn_copy_views(device, &c->view, &pc->view));
done:
  lrn_tensor_free(pa);
  lrn_tensor_free(pb);
  lrn_tensor_free(pc);
  return st;
}

int lrn_gemm(lrn_tensor *c, double alpha, const lrn_tensor *a, const lrn_tensor *b,
             double beta) {
  int st;
  lrn_hold();
  st = gemm(c, alpha, a, b, beta);
  lrn_release();
  return st;
}

int lrn_mm(lrn_tensor **out, const lrn_tensor *a, const lrn_tensor *b) {
  lrn_tensor *c;
  int64_t size[2];
  int st;
  LRN_TRY(check_gemm(NULL, a, b));
  size[0] = a->view.size[0];
  size[1] = b->view.size[1];
  LRN_TRY(lrn_tensor_new(&c, a->view.dtype, 2, size, a->storage->device));
  st = gemm(c, 1, a, b, 0);
  if (st != LRN_OK) {
    lrn_tensor_free(c);
    return st;
  }
  *out = c;
  return LRN_OK;
}
