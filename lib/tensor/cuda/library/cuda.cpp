#include "tensor/cuda/library/cuda.h"

#include <fmt/format.h>

#include <mutex>

#include "tensor/cuda/library/cuda_build.h"
#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/cuda/library/cuda_loader.h"
#include "tensor/error.h"

namespace basin {
namespace {

struct Choice {
  std::mutex mutex;
  CudaOptions options;
  bool in_use = false;
};

Choice& choice() {
  static Choice& made = *new Choice;
  return made;
}

const CudaLibrary& library() {
  static const CudaLibrary& loaded = load_cuda_library(cuda_library_paths(), kCudaBuild);
  return loaded;
}

/// Never closed: static tensors may be released after this file's other statics.
Backend& open_chosen() {
  const std::lock_guard lock(choice().mutex);
  const CudaOptions options = choice().options;
  require_cuda_device(library(), options.index);
  Backend* kernels = library().open(options, backend(Device::Cpu));
  choice().in_use = true;
  return *kernels;
}

bool is_in_use() {
  const std::lock_guard lock(choice().mutex);
  return choice().in_use;
}

std::string in_words(const CudaDevice& device) {
  return fmt::format("{}, compute capability {}.{}, {:.1f} GiB", device.name, device.major, device.minor,
                     static_cast<double>(device.bytes) / (1024.0 * 1024.0 * 1024.0));
}

}  // namespace

void choose_cuda(const CudaOptions& options) {
  const std::lock_guard lock(choice().mutex);
  if (choice().in_use && choice().options != options) {
    throw Error(
        fmt::format("[cuda] expected one device and one precision of products a process, received device {} "
                    "where device {} is in use",
                    options.index, choice().options.index));
  }
  choice().options = options;
}

CudaOptions chosen_cuda() {
  const std::lock_guard lock(choice().mutex);
  return choice().options;
}

Backend& cuda_backend() {
  static Backend& kernels = open_chosen();
  return kernels;
}

Solvers* cuda_solvers() {
  cuda_backend();
  static Solvers* const solvers = library().solvers();
  return solvers;
}

std::string cuda_device_name() {
  cuda_backend();
  return in_words(library().device(chosen_cuda().index));
}

std::size_t cuda_bytes() {
  cuda_backend();
  static const std::size_t bytes = library().device(chosen_cuda().index).bytes;
  return bytes;
}

CudaMemory cuda_memory() { return is_in_use() ? library().memory() : CudaMemory{}; }

std::vector<std::pair<std::string, std::string>> cuda_versions() {
  const CudaState state = library().state();
  std::vector<std::pair<std::string, std::string>> versions = {
      {"CUDA driver", state.driver == 0 ? std::string("none") : "for CUDA " + cuda_version(state.driver)},
      {"CUDA runtime", cuda_version(state.runtime)}};
  for (auto& [name, version] : library().libraries()) {
    versions.emplace_back(name, version.empty() ? "not found" : version);
  }
  return versions;
}

std::vector<std::string> cuda_lines() {
  std::vector<std::string> lines;
  try {
    for (const auto& [name, version] : cuda_versions()) lines.push_back(name + " " + version);
    require_cuda_device(library(), 0);
    const int devices = library().state().devices;
    for (int i = 0; i < devices; ++i) {
      const CudaDevice device = library().device(i);
      lines.push_back(device.error == 0 ? fmt::format("cuda:{} {}", i, in_words(device))
                                        : fmt::format("cuda:{} is not to be had (code {})", i, device.error));
    }
  } catch (const Error& error) {
    lines.push_back(error.what());
  }
  return lines;
}

}  // namespace basin
