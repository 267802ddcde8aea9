#include "tensor/cuda/library/cuda_loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kFile = "libbasin_cuda.so";
constexpr const char* kVariable = "BASIN_CUDA_LIBRARY";

/// What dlopen says, in the words of who can mend it.
std::string explained(const std::string& path, const std::string& reason) {
  const std::string missing = ": cannot open shared object file";
  const std::size_t end = reason.find(missing);
  if (end != std::string::npos && !reason.starts_with(path)) {
    return fmt::format(
        "[cuda] {} needs {}, which is not on this machine; install it, or name its folder in "
        "LD_LIBRARY_PATH",
        path, reason.substr(0, end));
  }
  return fmt::format("[cuda] expected a library of CUDA kernels, {} cannot be loaded: {}", path, reason);
}

}  // namespace

std::vector<std::string> cuda_library_paths() {
  const char* named = std::getenv(kVariable);
  if (named != nullptr && *named != '\0') return {named};
  std::error_code none;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  std::vector<std::string> paths;
  for (const char* in : {".", "../lib", "../" BASIN_LIBRARY_FOLDER, BASIN_INSTALLED_FOLDER}) {
    const std::string path = (folder / in / kFile).lexically_normal().string();
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

const CudaLibrary& load_cuda_library(const std::vector<std::string>& paths, const std::string& build) {
  for (const std::string& path : paths) {
    std::error_code none;
    if (!std::filesystem::exists(path, none)) continue;
    void* library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Error(explained(std::filesystem::absolute(path).string(), dlerror()));
    auto* entry = reinterpret_cast<CudaEntry*>(dlsym(library, kCudaEntry));
    const CudaLibrary* found = entry == nullptr ? nullptr : entry();
    if (found == nullptr || found->build == nullptr) {
      dlclose(library);
      throw Error(
          fmt::format("[cuda] expected a library of CUDA kernels of basin, received {}, which has no "
                      "function {}; unset {} "
                      "or name another",
                      path, kCudaEntry, kVariable));
    }
    if (build != found->build) {
      const std::string other = found->build;
      dlclose(library);
      throw Error(fmt::format(
          "[cuda] expected the CUDA kernels of this build ({}), received those of another ({}) in "
          "{}; build both together",
          build, other, path));
    }
    return *found;
  }
  throw Error(
      fmt::format("[cuda] expected {}, found none in {}: this build has no CUDA kernels; build basin where "
                  "nvcc is (cmake "
                  "-DBASIN_CUDA=ON), name the library in {}, or use --device cpu",
                  kFile, fmt::join(paths, ", "), kVariable));
}

void require_cuda_device(const CudaLibrary& library, int index) {
  const CudaState state = library.state();
  CudaFailure failure{.code = state.error,
                      .call = "cudaGetDeviceCount",
                      .driver = state.driver,
                      .runtime = state.runtime,
                      .index = index,
                      .devices = state.devices};
  if (state.error == 0 && state.devices == 0) failure.code = kCudaNoDevice;
  if (state.error == 0 && state.devices > 0 && (index < 0 || index >= state.devices)) {
    failure.code = kCudaNoSuchDevice;
  }
  if (failure.code == 0) {
    const CudaDevice device = library.device(index);
    failure.code = device.error;
    failure.call = "cudaGetDeviceProperties";
    failure.device = device.name;
  }
  if (failure.code != 0) throw Error(cuda_message(failure));
}

}  // namespace basin
