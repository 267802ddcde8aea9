#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tensor/cuda/library/blas_library.h"
#include "tensor/error.h"

namespace basin {
namespace {

/// This library's own folder, so that one carried beside it is found.
std::string own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string path = info.dli_fname;
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

void* opened() {
  static void* const library = [] {
    // That of the runtime's own version first: a driver that serves the one serves the other.
    constexpr bool kIsNew = CUDART_VERSION >= 13000;
    for (const char* file :
         {kIsNew ? "libcublas.so.13" : "libcublas.so.12", kIsNew ? "libcublas.so.12" : "libcublas.so.13"}) {
      for (const std::string& folder : {own_folder(), std::string(), std::string(BASIN_TOOLKIT_FOLDER "/")}) {
        if (void* found = dlopen((folder + file).c_str(), RTLD_NOW | RTLD_LOCAL)) return found;
      }
    }
    return static_cast<void*>(nullptr);
  }();
  return library;
}

template <class Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(opened(), name));
  if (function == nullptr)
    throw Error(std::string("[cuda] expected cuBLAS with ") + name + ", found one without it");
}

BlasLibrary loaded() {
  if (opened() == nullptr) {
    throw Error(
        "[cuda] expected cuBLAS (libcublas.so.13 or .12), found none on this machine; install it, or name "
        "its "
        "folder in LD_LIBRARY_PATH");
  }
  BlasLibrary blas;
  find(blas.create, "cublasCreate_v2");
  find(blas.destroy, "cublasDestroy_v2");
  find(blas.version, "cublasGetVersion_v2");
  find(blas.set_stream, "cublasSetStream_v2");
  find(blas.set_workspace, "cublasSetWorkspace_v2");
  find(blas.set_math_mode, "cublasSetMathMode");
  find(blas.gemm_ex, "cublasGemmEx_64");
  find(blas.gemm_strided_batched_ex, "cublasGemmStridedBatchedEx_64");
  return blas;
}

}  // namespace

const BlasLibrary& blas_library() {
  static const BlasLibrary blas = loaded();
  return blas;
}

bool wants_own_products() {
  const char* word = std::getenv("BASIN_CUDA_PRODUCTS");
  return word != nullptr && std::strcmp(word, "own") == 0;
}

std::string blas_version() {
  if (wants_own_products()) return "none (BASIN_CUDA_PRODUCTS=own)";
  if (opened() == nullptr) return "";
  decltype(&cublasGetProperty) property = nullptr;
  find(property, "cublasGetProperty");
  int parts[3] = {};
  property(MAJOR_VERSION, &parts[0]);
  property(MINOR_VERSION, &parts[1]);
  property(PATCH_LEVEL, &parts[2]);
  return std::to_string(parts[0]) + "." + std::to_string(parts[1]) + "." + std::to_string(parts[2]);
}

std::string blas_path() {
  Dl_info info{};
  if (opened() == nullptr || dladdr(dlsym(opened(), "cublasCreate_v2"), &info) == 0) return "";
  return info.dli_fname == nullptr ? "" : info.dli_fname;
}

void require_blas(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Error(
      std::string("[cuda] ") + call + " of cuBLAS failed with status " +
      std::to_string(static_cast<int>(status)) +
      (status == CUBLAS_STATUS_ALLOC_FAILED ? " (out of memory); use smaller batches or models" : ""));
}

}  // namespace basin
