#include "results/environment.h"

#include <fmt/format.h>
#include <hdf5.h>
#include <oneapi/dnnl/dnnl.h>
#include <sys/resource.h>

#include <boost/version.hpp>
#include <fstream>

#include "results/hdf5/hdf5_handle.h"
#include "tensor/cuda/library/cuda.h"
#include "tensor/threads.h"

extern "C" char* openblas_get_config(void);  // of OpenBLAS; its cblas.h is not on every system's include path

namespace basin {
namespace {

std::string place_in_words(const std::string& device, const std::string& accelerator,
                           const std::string& products) {
  if (accelerator.empty()) return device;
  return fmt::format("{} ({}{})", device, accelerator,
                     products == "f32" ? "" : fmt::format(", {} products", products));
}

}  // namespace

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      const auto colon = line.find(": ");
      if (colon != std::string::npos) {
        return line.substr(colon + 2);
      }
    }
  }
  return "unknown";
}

std::int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;  // Linux counts in KiB
}

std::string thread_warning() {
  if (thread_count() <= processor_count()) return "";
  return fmt::format(
      "warning: {} threads on {} processors take turns, which is slow; at most {} is better (--threads)",
      thread_count(), processor_count(), processor_count());
}

std::map<std::string, std::string> library_versions(Device device) {
  unsigned major = 0, minor = 0, release = 0;
  {
    const Hdf5Session session;  // HDF5 is first used under one, wherever that is
    H5get_libversion(&major, &minor, &release);
  }
  const dnnl_version_t* dnnl = dnnl_version();
  const std::string name = "OpenBLAS ";
  const std::string openblas = openblas_get_config();  // "OpenBLAS 0.3.21 ... USE_OPENMP ..."
  std::map<std::string, std::string> versions = {
      {"OpenBLAS", openblas.starts_with(name) ? openblas.substr(name.size()) : openblas},
      {"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)},
      {"HDF5", fmt::format("{}.{}.{}", major, minor, release)},
      {"Boost",
       fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
      {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
  if (device == Device::Cuda) {
    for (auto& [library, version] : cuda_versions()) versions[library] = version;
  }
  return versions;
}

std::string accelerator_name(Device device) { return device == Device::Cuda ? cuda_device_name() : ""; }

std::string product_precision(Device device) {
  if (device != Device::Cuda) return "f32";
  const CudaOptions options = chosen_cuda();
  return options.bf16 ? "bf16" : options.tf32 ? "tf32" : "f32";
}

std::string place_in_words(Device device) {
  return place_in_words(to_string(device), accelerator_name(device), product_precision(device));
}

std::string place_of(const Store& store) {
  const auto text = [&](const char* path) { return store.has(path) ? store.text(path) : std::string(); };
  return place_in_words(store.text("/environment/device"), text("/environment/accelerator"),
                        text("/environment/products"));
}

}  // namespace basin
