#pragma once

#include <cublas_v2.h>

#include <string>

namespace basin {

/// The functions of cuBLAS that kernels call, from libcublas.so.13 or .12, whichever the machine has: their
/// interface is the same. It is loaded by the first call, so that libbasin_cuda is small and says what is
/// missing. For sources that nvcc compiles.
struct BlasLibrary {
  decltype(&cublasCreate_v2) create = nullptr;
  decltype(&cublasDestroy_v2) destroy = nullptr;
  decltype(&cublasGetVersion_v2) version = nullptr;
  decltype(&cublasSetStream_v2) set_stream = nullptr;
  decltype(&cublasSetWorkspace_v2) set_workspace = nullptr;
  decltype(&cublasSetMathMode) set_math_mode = nullptr;
  decltype(&cublasGemmEx_64) gemm_ex = nullptr;
  decltype(&cublasGemmStridedBatchedEx_64) gemm_strided_batched_ex = nullptr;
};

/// Looked for beside libbasin_cuda, in LD_LIBRARY_PATH, and in the folder of the toolkit that compiled it.
/// Throws Error where there is none.
const BlasLibrary& blas_library();

/// Whether BASIN_CUDA_PRODUCTS is "own": products by a plain kernel (kernels/product.h) where there is no
/// cuBLAS.
bool wants_own_products();

/// Its version, "13.1.0"; "" where there is none.
std::string blas_version();

/// The system's path of the file that dlopen found; "" where there is none.
std::string blas_path();

/// Throws Error unless a call of cuBLAS went well.
void require_blas(cublasStatus_t status, const char* call);

}  // namespace basin
