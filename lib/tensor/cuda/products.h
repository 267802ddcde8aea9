#pragma once

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda_options.h"
#include "tensor/cuda/runtime.h"

namespace basin::cuda {

/// Products of matrices by a device's library: cuBLAS (products.cu), in emulation the CPU's kernels
/// (products_emulated.cpp).
class Products {
 public:
  Products(Runtime& runtime, const CudaOptions& options);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// As Backend::gemm, with m, n, k and batch above 0.
  void gemm(const GemmCall& call);

 private:
  Runtime& runtime_;
  CudaOptions options_;
  void* handle_ = nullptr;
  void* workspace_ = nullptr;
};

}  // namespace basin::cuda
