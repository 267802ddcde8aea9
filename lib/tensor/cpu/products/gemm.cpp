#include <cblas.h>
#include <dnnl.h>

#include <cstddef>

#include "tensor/cpu/cpu_backend.h"
#include "tensor/cpu/products/gemm_binary.h"
#include "tensor/cpu/products/gemm_one_hot.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// The product of no columns with no rows is 0: C = beta * C. The libraries leave C as it was.
template <class T>
void empty_product(const GemmCall& call) {
  auto* c = static_cast<T*>(call.c);
  for (Index i = 0; i < call.m; ++i) {
    for (Index j = 0; j < call.n; ++j) {
      T& element = c[i * call.ldc + j];
      element = call.beta == 0.0 ? T{0} : static_cast<T>(call.beta) * element;
    }
  }
}

/// Which library, measured for batches of 100 to 1000 and layers of 500 and 1000 units in all transpositions
/// and on small products: zeros and ones on the left go to binary_gemm (1.8 times oneDNN's rate at batch 100,
/// 2.1 at 512). Of the rest oneDNN is nowhere slower than OpenBLAS: 1.0 to 1.4 times its rate on AVX2 and
/// below batch 512 on AVX-512, equal from there, and 4 to 8 times on products with a vector. Rows with a
/// single 1 take no product at all. f64, which serves the oracles, goes to OpenBLAS.
void gemm_f32(const GemmCall& call) {
  if (one_hot_gemm(call)) return;
  if (binary_gemm(call)) return;
  const auto letter = [](bool transposed) { return transposed ? 'T' : 'N'; };
  const dnnl_status_t status =
      dnnl_sgemm(letter(call.transpose_a), letter(call.transpose_b), call.m, call.n, call.k,
                 static_cast<float>(call.alpha), static_cast<const float*>(call.a), call.lda,
                 static_cast<const float*>(call.b), call.ldb, static_cast<float>(call.beta),
                 static_cast<float*>(call.c), call.ldc);
  if (status != dnnl_success)
    throw Error("[gemm] oneDNN refused the product; check shapes and leading dimensions");
}

void gemm_f64(const GemmCall& call) {
  const auto side = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
  const auto extent = [](Index n) { return static_cast<blasint>(n); };
  cblas_dgemm(CblasRowMajor, side(call.transpose_a), side(call.transpose_b), extent(call.m), extent(call.n),
              extent(call.k), call.alpha, static_cast<const double*>(call.a), extent(call.lda),
              static_cast<const double*>(call.b), extent(call.ldb), call.beta, static_cast<double*>(call.c),
              extent(call.ldc));
}

/// One product.
void gemm_of(const GemmCall& call) {
  const bool empty = call.k <= 0;
  if (call.dtype == Dtype::F32) empty ? empty_product<float>(call) : gemm_f32(call);
  if (call.dtype == Dtype::F64) empty ? empty_product<double>(call) : gemm_f64(call);
}

const void* moved(const void* address, Index elements, Dtype dtype) {
  return static_cast<const std::byte*>(address) + elements * static_cast<Index>(byte_size(dtype));
}

}  // namespace

void CpuBackend::gemm(const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0) return;
  if (call.batch == 1) return gemm_of(call);
  for (Index i = 0; i < call.batch; ++i) {
    GemmCall one = call;
    one.a = moved(call.a, i * call.stride_a, call.dtype);
    one.b = moved(call.b, i * call.stride_b, call.dtype);
    one.c = const_cast<void*>(moved(call.c, i * call.stride_c, call.dtype));
    gemm_of(one);
  }
}

}  // namespace basin
