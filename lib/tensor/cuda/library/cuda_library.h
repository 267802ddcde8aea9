#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda_options.h"
#include "tensor/solvers.h"

namespace basin {

/// What driver and runtime say before a device is used. Versions as CUDA counts them: 12040 is 12.4, 0 none.
struct CudaState {
  int error = 0;  // cudaError_t of counting the devices
  int driver = 0, runtime = 0;
  int devices = 0;
};

/// One device, or the error of asking for it.
struct CudaDevice {
  int error = 0;
  std::string name;
  int major = 0, minor = 0;         // compute capability
  std::size_t bytes = 0, free = 0;  // of its memory; free = 0 where the driver does not tell
};

/// Bytes of device memory that tensors hold now, those at their peak, and those that the allocator holds.
struct CudaMemory {
  std::size_t used = 0, peak = 0, reserved = 0;
};

/// What libbasin_cuda exports. It is a library of its own so that one program starts on machines with and
/// without an NVIDIA driver: the program loads it when a tensor of Device::Cuda is first asked for.
///
/// `build` is first and stays first: the program reads nothing else of a library whose build is not its own.
/// Nothing here throws but open; open alone makes a context on a device.
struct CudaLibrary {
  const char* build = nullptr;
  CudaState (*state)() = nullptr;
  CudaDevice (*device)(int index) = nullptr;
  /// Names and versions of the libraries it computes with ("cuBLAS", "13.1.0"); "" where one is not found.
  std::vector<std::pair<std::string, std::string>> (*libraries)() = nullptr;
  /// The kernels of one device, once a process. `host` are the CPU's, for a library that has no device (that
  /// of the tests). Throws Error.
  Backend* (*open)(const CudaOptions& options, Backend& host) = nullptr;
  Solvers* (*solvers)() = nullptr;   // after open; null where there are none
  CudaMemory (*memory)() = nullptr;  // after open
};

/// The name of the one function that the library exports: const CudaLibrary* basin_cuda_library().
inline constexpr const char* kCudaEntry = "basin_cuda_library";
using CudaEntry = const CudaLibrary*();

}  // namespace basin
