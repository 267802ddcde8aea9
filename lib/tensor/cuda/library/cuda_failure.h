#pragma once

#include <cstddef>
#include <string>

namespace basin {

/// Codes of cudaError_t that have words of their own; export.cu compares them with CUDA's headers.
enum CudaCode : int {
  kCudaOutOfMemory = 2,
  kCudaStubLibrary = 34,
  kCudaDriverTooOld = 35,
  kCudaDevicesUnavailable = 46,
  kCudaNoDevice = 100,
  kCudaNoSuchDevice = 101,
  kCudaNoKernelImage = 209,
  kCudaEccError = 214,
  kCudaNvlinkError = 220,
  kCudaPtxTooNew = 222,
  kCudaIllegalAddress = 700,
  kCudaLaunchTimeout = 702,
  kCudaAssert = 710,
  kCudaHardwareStack = 714,
  kCudaIllegalInstruction = 715,
  kCudaMisalignedAddress = 716,
  kCudaInvalidAddressSpace = 717,
  kCudaInvalidPc = 718,
  kCudaLaunchFailure = 719,
  kCudaContained = 721,
  kCudaSystemNotReady = 802,
  kCudaDriverMismatch = 803,
  kCudaUnknown = 999
};

/// What a call of the CUDA runtime failed with, as plain numbers: code and versions as CUDA counts them.
struct CudaFailure {
  int code = 0;                // cudaError_t
  std::string call = {};       // what failed: "cudaMalloc", "units"
  std::string reason = {};     // the runtime's own words, for codes that are not known here
  int driver = 0;              // the newest CUDA that the driver serves, 12040 is 12.4; 0: there is none
  int runtime = 0;             // that the kernels were built with
  int index = 0;               // of the device asked for
  int devices = 0;             // how many there are
  std::string device = {};     // its name; may be empty
  int major = 0, minor = 0;    // its compute capability
  std::string built_for = {};  // the architectures that the library has kernels for: "8.0, 9.0"
  std::size_t asked = 0, free = 0, total = 0;  // bytes, where memory ran out
};

/// One line for people: "[cuda] what was expected, what came, what to do".
std::string cuda_message(const CudaFailure& failure);

/// Whether the code means that the device, or all that this process had on it, is gone: nothing that follows
/// can succeed.
bool is_device_lost(int code);

/// "12.4" of 12040.
std::string cuda_version(int version);

}  // namespace basin
