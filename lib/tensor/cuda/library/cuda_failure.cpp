#include "tensor/cuda/library/cuda_failure.h"

#include <fmt/format.h>

namespace basin {
namespace {

std::string device_in_words(const CudaFailure& failure) {
  if (failure.device.empty()) return fmt::format("device {}", failure.index);
  return fmt::format("device {} ({}, compute capability {}.{})", failure.index, failure.device, failure.major,
                     failure.minor);
}

std::string indices(int devices) {
  return devices == 1 ? std::string("there is one, --device cuda:0")
                      : fmt::format("there are {}, --device cuda:0 to cuda:{}", devices, devices - 1);
}

/// How many bytes, in the largest unit that keeps three figures.
std::string bytes_in_words(std::size_t bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const double size = static_cast<double>(bytes);
  if (size >= 1024.0 * kMiB) return fmt::format("{:.1f} GiB", size / (1024.0 * kMiB));
  return size >= kMiB ? fmt::format("{:.1f} MiB", size / kMiB) : fmt::format("{} bytes", bytes);
}

std::string lost(const CudaFailure& failure, const char* how) {
  return fmt::format(
      "[cuda] {} {} ({}): nothing more can be computed on it by this process; look at nvidia-smi and at the "
      "system's log",
      device_in_words(failure), how, failure.call);
}

}  // namespace

std::string cuda_version(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

bool is_device_lost(int code) {
  return code == kCudaDevicesUnavailable || code == kCudaEccError || code == kCudaNvlinkError ||
         code == kCudaUnknown || (code >= kCudaIllegalAddress && code <= kCudaContained);
}

std::string cuda_message(const CudaFailure& failure) {
  const std::string own = failure.reason.empty() ? "" : fmt::format(": {}", failure.reason);
  switch (failure.code) {
    case kCudaStubLibrary:
      return "[cuda] expected an NVIDIA driver, found the toolkit's stub of libcuda.so in its place; take "
             "the "
             "folder of stubs out of LD_LIBRARY_PATH";
    case kCudaDriverTooOld:
      if (failure.driver == 0) {
        return fmt::format(
            "[cuda] expected an NVIDIA driver for CUDA {} or newer, found none on this machine; install one, "
            "or use --device cpu",
            cuda_version(failure.runtime));
      }
      return fmt::format(
          "[cuda] expected an NVIDIA driver for CUDA {} or newer, found one for CUDA {}; install a newer "
          "driver, or build basin by an older CUDA toolkit",
          cuda_version(failure.runtime), cuda_version(failure.driver));
    case kCudaNoDevice:
      return "[cuda] expected an NVIDIA GPU, the driver finds none (CUDA_VISIBLE_DEVICES may hide them); use "
             "--device cpu";
    case kCudaNoSuchDevice:
      return fmt::format("[cuda] expected the index of a GPU, received {}; {}", failure.index,
                         indices(failure.devices));
    case kCudaDevicesUnavailable:
      return fmt::format(
          "[cuda] {} is busy or was taken away: another process may hold it alone (compute mode), or it was "
          "lost ({})",
          device_in_words(failure), failure.call);
    case kCudaNoKernelImage:
    case kCudaPtxTooNew:
      return fmt::format(
          "[cuda] expected a GPU that this build has kernels for ({}), received {}; build basin with "
          "-DCMAKE_CUDA_ARCHITECTURES={}{}",
          failure.built_for, device_in_words(failure), failure.major, failure.minor);
    case kCudaOutOfMemory:
      return fmt::format(
          "[cuda] out of memory: expected room for {} on {}, received none ({} of {} are free); use smaller "
          "batches or models, or end other programs that use it",
          failure.asked == 0 ? failure.call : bytes_in_words(failure.asked), device_in_words(failure),
          bytes_in_words(failure.free), bytes_in_words(failure.total));
    case kCudaSystemNotReady:
      return "[cuda] the GPUs of this machine are not ready (of several that NVLink joins, "
             "nvidia-fabricmanager must run); try again later";
    case kCudaDriverMismatch:
      return "[cuda] the NVIDIA driver in the kernel is not that of its library (an update needs a restart "
             "of "
             "the machine)";
    case kCudaEccError:
      return lost(failure, "has an error in its memory that it cannot correct");
    case kCudaIllegalAddress:
    case kCudaMisalignedAddress:
    case kCudaInvalidAddressSpace:
    case kCudaIllegalInstruction:
    case kCudaInvalidPc:
    case kCudaAssert:
      return lost(failure, fmt::format("stopped at a mistake in a kernel of basin{}", own).c_str());
    case kCudaLaunchTimeout:
      return lost(failure, "stopped a kernel that took too long for a GPU that draws a screen");
    default:
      break;
  }
  if (is_device_lost(failure.code)) return lost(failure, fmt::format("is lost{}", own).c_str());
  return fmt::format("[cuda] {} failed on {} with code {}{}", failure.call, device_in_words(failure),
                     failure.code, own);
}

}  // namespace basin
