#pragma once

#include <string>
#include <string_view>

namespace basin {

/// Where a tensor's bytes live.
///   Cpu    host memory
///   Guard  the CPU kernels on memory that faults when touched outside a kernel or an explicit copy (a test
///          device)
///   Cuda   an NVIDIA GPU
///   CudaEmulated  its kernels in loops on the host, on such memory as Guard has (a test device)
enum class Device { Cpu, Guard, Cuda, CudaEmulated };

/// "cpu", "guard", "cuda" or "cuda_emulated".
std::string to_string(Device device);

/// Inverse of to_string. Throws Error on any other name.
Device parse_device(std::string_view name);

}  // namespace basin
