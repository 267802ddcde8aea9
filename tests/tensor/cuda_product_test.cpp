#include <gtest/gtest.h>

#include <vector>

#include "tensor/backend.h"
#include "tensor/cuda/kernels/product.h"
#include "tensor/random.h"

namespace basin {
namespace {

struct Product {
  Index m, n, k, batch;
  bool transpose_a, transpose_b;
  double alpha, beta;
};

/// The plain kernel, item after item, against the CPU's product. Rows are 3 numbers longer than they need be.
template <class T>
void expect_products(Dtype dtype, double tolerance) {
  const Placement here{dtype, Device::Cpu};
  for (const Product& p :
       {Product{4, 4, 4, 1, false, false, 1.0, 0.0}, Product{5, 7, 9, 1, true, false, 0.5, 1.0},
        Product{1, 9, 3, 3, false, true, 2.0, 0.0}, Product{13, 2, 6, 2, true, true, -1.0, 0.5},
        Product{3, 3, 1, 4, false, false, 1.0, -2.0}}) {
    const Index a_rows = p.transpose_a ? p.k : p.m, lda = (p.transpose_a ? p.m : p.k) + 3,
                b_rows = p.transpose_b ? p.n : p.k, ldb = (p.transpose_b ? p.k : p.n) + 3, ldc = p.n + 3;
    const Tensor a = normal(Key(1), {p.batch, a_rows, lda}, here),
                 b = normal(Key(2), {p.batch, b_rows, ldb}, here),
                 expected = normal(Key(3), {p.batch, p.m, ldc}, here), c = expected.clone();
    GemmCall call{.dtype = dtype,
                  .transpose_a = p.transpose_a,
                  .transpose_b = p.transpose_b,
                  .m = p.m,
                  .n = p.n,
                  .k = p.k,
                  .alpha = p.alpha,
                  .a = a.data(),
                  .lda = lda,
                  .b = b.data(),
                  .ldb = ldb,
                  .beta = p.beta,
                  .c = expected.data(),
                  .ldc = ldc,
                  .batch = p.batch,
                  .stride_a = a_rows * lda,
                  .stride_b = b_rows * ldb,
                  .stride_c = p.m * ldc};
    backend(Device::Cpu).gemm(call);
    call.c = c.data();
    const cuda::PlainProduct<T> kernel(call);
    for (Index i = 0; i < kernel.items(); ++i) kernel(i);
    const std::vector<double> wanted = expected.values(), got = c.values();
    for (std::size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(got[i], wanted[i], tolerance) << p.m << " " << p.n << " " << i;
  }
}

// Sums of at most nine products of standard normals: rounding errors of a few units of their last place.
TEST(CudaProduct, ThePlainKernelMultipliesMatrices) {
  expect_products<float>(Dtype::F32, 1e-5);
  expect_products<double>(Dtype::F64, 1e-13);
}

}  // namespace
}  // namespace basin
