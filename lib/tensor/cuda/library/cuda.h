#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tensor/backend.h"
#include "tensor/cuda/library/cuda_library.h"
#include "tensor/cuda/library/cuda_options.h"
#include "tensor/solvers.h"

namespace basin {

/// Which GPU Device::Cuda is, and its switches; without a call the first one and none. Throws Error when it
/// is in use as another.
void choose_cuda(const CudaOptions& options);
CudaOptions chosen_cuda();

/// The kernels of the chosen GPU, from libbasin_cuda, which is loaded by the first call. It is looked for in
/// BASIN_CUDA_LIBRARY (a file) where that is set, else beside the program, in ../lib and in the installed
/// folder of libraries. Throws Error that says what is missing: the library, or another build's; a driver or
/// a newer one; a device, or that of this index; kernels for its architecture.
Backend& cuda_backend();

/// Their solvers, nullptr where there are none.
Solvers* cuda_solvers();

/// The chosen GPU in words, "NVIDIA H200, compute capability 9.0, 139.7 GiB"; throws as cuda_backend.
std::string cuda_device_name();

/// The memory of the chosen GPU; throws as cuda_backend.
std::size_t cuda_bytes();

/// Of tensors on the chosen GPU; zeros where none was used.
CudaMemory cuda_memory();

/// Versions of driver, runtime and libraries, by name; throws as cuda_backend where there is no library.
std::vector<std::pair<std::string, std::string>> cuda_versions();

/// What there is of CUDA on this machine, one line each, and what is missing; never throws Error.
std::vector<std::string> cuda_lines();

}  // namespace basin
