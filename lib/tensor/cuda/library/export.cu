// What libbasin_cuda exports (cuda_library.h).
#include <cuda_runtime.h>

#include "tensor/cuda/cuda_backend.h"
#include "tensor/cuda/cuda_solvers.h"
#include "tensor/cuda/library/blas_library.h"
#include "tensor/cuda/library/cuda_build.h"
#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/cuda/library/cuda_library.h"

namespace basin {
namespace {

// cuda_failure.h knows the codes as plain numbers.
static_assert(kCudaOutOfMemory == int{cudaErrorMemoryAllocation} &&
              kCudaStubLibrary == int{cudaErrorStubLibrary} &&
              kCudaDriverTooOld == int{cudaErrorInsufficientDriver} &&
              kCudaDevicesUnavailable == int{cudaErrorDevicesUnavailable} &&
              kCudaNoDevice == int{cudaErrorNoDevice} &&
              kCudaNoSuchDevice == int{cudaErrorInvalidDevice} &&
              kCudaNoKernelImage == int{cudaErrorNoKernelImageForDevice} &&
              kCudaEccError == int{cudaErrorECCUncorrectable} &&
              kCudaNvlinkError == int{cudaErrorNvlinkUncorrectable} &&
              kCudaPtxTooNew == int{cudaErrorUnsupportedPtxVersion} &&
              kCudaIllegalAddress == int{cudaErrorIllegalAddress} &&
              kCudaLaunchTimeout == int{cudaErrorLaunchTimeout} &&
              kCudaAssert == int{cudaErrorAssert} &&
              kCudaHardwareStack == int{cudaErrorHardwareStackError} &&
              kCudaIllegalInstruction == int{cudaErrorIllegalInstruction} &&
              kCudaMisalignedAddress == int{cudaErrorMisalignedAddress} &&
              kCudaInvalidAddressSpace == int{cudaErrorInvalidAddressSpace} &&
              kCudaInvalidPc == int{cudaErrorInvalidPc} &&
              kCudaLaunchFailure == int{cudaErrorLaunchFailure} &&
              kCudaSystemNotReady == int{cudaErrorSystemNotReady} &&
              kCudaDriverMismatch == int{cudaErrorSystemDriverMismatch} &&
              kCudaUnknown == int{cudaErrorUnknown});

CudaState state() {
  CudaState now;
  now.error = static_cast<int>(cudaGetDeviceCount(&now.devices));
  if (now.error != 0) now.devices = 0;
  cudaGetLastError();  // what was told is not told again
  cudaDriverGetVersion(&now.driver);
  cudaRuntimeGetVersion(&now.runtime);
  return now;
}

CudaDevice device(int index) {
  CudaDevice found;
  cudaDeviceProp properties{};
  found.error = static_cast<int>(cudaGetDeviceProperties(&properties, index));
  cudaGetLastError();
  if (found.error != 0) return found;
  found.name = properties.name;
  found.major = properties.major;
  found.minor = properties.minor;
  found.bytes = properties.totalGlobalMem;
  return found;
}

std::vector<std::pair<std::string, std::string>> libraries() { return {{"cuBLAS", blas_version()}}; }

/// Never destroyed: tensors may be released after statics are.
CudaBackend* kernels = nullptr;

Backend* open_kernels(const CudaOptions& options, Backend&) {
  if (kernels == nullptr) kernels = new CudaBackend(options);
  return kernels;
}

Solvers* own_solvers() {
  static CudaSolvers* const solvers = kernels == nullptr ? nullptr : new CudaSolvers(*kernels);
  return solvers;
}

CudaMemory memory() { return kernels == nullptr ? CudaMemory{} : kernels->memory(); }

constexpr CudaLibrary kLibrary = {kCudaBuild, state, device, libraries, open_kernels, own_solvers, memory};

}  // namespace
}  // namespace basin

extern "C" __attribute__((visibility("default"))) const basin::CudaLibrary* basin_cuda_library() {
  return &basin::kLibrary;
}
