#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "results/hdf5/store.h"
#include "tensor/device.h"

namespace basin {

/// Name of the processor ("AMD EPYC 7B13"), "unknown" where the system does not tell.
std::string processor_name();

/// Largest resident memory of this process so far, in bytes.
std::int64_t peak_memory();

/// A line for people where there are more threads than processors; "" where not.
std::string thread_warning();

/// Versions of the libraries this build uses, by name; of Device::Cuda also those of its own.
std::map<std::string, std::string> library_versions(Device device = Device::Cpu);

/// Of Device::Cuda the name of the GPU, "NVIDIA H200, compute capability 9.0, 139.8 GiB"; else "". Throws
/// Error where there is none.
std::string accelerator_name(Device device);

/// In what precision the device's products of f32 matrices take their factors: "f32", "tf32" or "bf16".
std::string product_precision(Device device);

/// "cpu"; "cuda (NVIDIA H200, ..., tf32 products)": where numbers are made, as far as their bits depend on
/// it.
std::string place_in_words(Device device);
/// The same of what a results file says.
std::string place_of(const Store& store);

}  // namespace basin
