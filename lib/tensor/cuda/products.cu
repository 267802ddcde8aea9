#include <cublas_v2.h>
#include <cuda_runtime.h>

#include "tensor/cuda/kernels/product.h"
#include "tensor/cuda/launch.h"
#include "tensor/cuda/library/blas_library.h"
#include "tensor/cuda/products.h"
#include "tensor/cuda/typed.h"
#include "tensor/error.h"

namespace basin::cuda {
namespace {

/// What cuBLAS recommends on Hopper; smaller devices need less.
constexpr std::size_t kWorkspace = std::size_t{32} << 20;

cublasHandle_t handle_of(void* handle) { return static_cast<cublasHandle_t>(handle); }

cublasComputeType_t precision_of(Dtype dtype, const CudaOptions& options) {
  if (dtype == Dtype::F64) return CUBLAS_COMPUTE_64F;
  if (options.bf16) return CUBLAS_COMPUTE_32F_FAST_16BF;
  return options.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

}  // namespace

Products::Products(Runtime& runtime, const CudaOptions& options) : runtime_(runtime), options_(options) {
  if (wants_own_products()) {
    if (options.tf32 || options.bf16)
      throw Error(
          "[products] expected products of f32 where BASIN_CUDA_PRODUCTS is own, received tf32 or bf16");
    return;
  }
  const BlasLibrary& blas = blas_library();
  runtime_.use();
  cublasHandle_t handle = nullptr;
  require_blas(blas.create(&handle), "cublasCreate");
  handle_ = handle;
  require_blas(blas.set_stream(handle, static_cast<cudaStream_t>(runtime_.stream())), "cublasSetStream");
  workspace_ = runtime_.allocate(kWorkspace);
  if (workspace_ != nullptr)
    require_blas(blas.set_workspace(handle, workspace_, kWorkspace), "cublasSetWorkspace");
}

Products::~Products() {
  if (handle_ != nullptr) blas_library().destroy(handle_of(handle_));
  if (workspace_ != nullptr) runtime_.release(workspace_);
}

/// cuBLAS counts by columns: a row-major C = op(A) op(B) is its C' = op(B)' op(A)'.
void Products::gemm(const GemmCall& call) {
  if (handle_ == nullptr) {
    return with_type(call.dtype, [&](auto number) {
      const PlainProduct<decltype(number)> product(call);
      launch(runtime_, "gemm", product.items(), product);
    });
  }
  runtime_.use();
  const bool single = call.dtype == Dtype::F32;
  const cudaDataType_t type = single ? CUDA_R_32F : CUDA_R_64F;
  const auto alpha = static_cast<float>(call.alpha), beta = static_cast<float>(call.beta);
  const void* scale = single ? static_cast<const void*>(&alpha) : &call.alpha;
  const void* keep = single ? static_cast<const void*>(&beta) : &call.beta;
  const auto side = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const cublasComputeType_t precision = precision_of(call.dtype, options_);
  const BlasLibrary& blas = blas_library();
  require_blas(
      call.batch == 1
          ? blas.gemm_ex(handle_of(handle_), side(call.transpose_b), side(call.transpose_a), call.n, call.m,
                         call.k, scale, call.b, type, call.ldb, call.a, type, call.lda, keep, call.c, type,
                         call.ldc, precision, CUBLAS_GEMM_DEFAULT)
          : blas.gemm_strided_batched_ex(handle_of(handle_), side(call.transpose_b), side(call.transpose_a),
                                         call.n, call.m, call.k, scale, call.b, type, call.ldb, call.stride_b,
                                         call.a, type, call.lda, call.stride_a, keep, call.c, type, call.ldc,
                                         call.stride_c, call.batch, precision, CUBLAS_GEMM_DEFAULT),
      "gemm");
  runtime_.launched("gemm");
}

}  // namespace basin::cuda
