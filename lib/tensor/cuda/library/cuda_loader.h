#pragma once

#include <string>
#include <vector>

#include "tensor/cuda/library/cuda_library.h"

namespace basin {

/// Where libbasin_cuda is looked for, in order: BASIN_CUDA_LIBRARY alone where it is set; else beside the
/// program, in ../lib, and in the folder of libraries that this build installs to.
std::vector<std::string> cuda_library_paths();

/// Loads the first of the files that exists; it stays loaded. Throws Error where there is none, where one
/// cannot be loaded, and where it is another build's than `build`.
const CudaLibrary& load_cuda_library(const std::vector<std::string>& paths, const std::string& build);

/// Throws Error where `library` finds no driver, an older one than its runtime needs, no device, or no device
/// `index`.
void require_cuda_device(const CudaLibrary& library, int index);

}  // namespace basin
