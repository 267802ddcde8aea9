#include <cuda_runtime.h>

#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/cuda/runtime.h"
#include "tensor/error.h"

namespace basin::cuda {
namespace {

/// The device that CUDA's calls of this thread go to, as this library left it.
thread_local int used_device = -1;

void require(cudaError_t code, const char* call, int index) {
  if (code == cudaSuccess) return;
  CudaFailure failure{.code = static_cast<int>(code), .call = call, .reason = cudaGetErrorString(code)};
  failure.index = index;
  failure.built_for = BASIN_ARCHITECTURES;
  cudaGetLastError();  // what was told is not told again
  cudaDriverGetVersion(&failure.driver);
  cudaRuntimeGetVersion(&failure.runtime);
  if (code == cudaErrorMemoryAllocation && cudaMemGetInfo(&failure.free, &failure.total) != cudaSuccess)
    cudaGetLastError();
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, index) == cudaSuccess) {
    failure.device = properties.name;
    failure.major = properties.major;
    failure.minor = properties.minor;
  }
  throw Error(cuda_message(failure));
}

cudaStream_t stream_of(const Runtime& runtime) { return static_cast<cudaStream_t>(runtime.stream()); }

}  // namespace

Runtime::Runtime(int index) : index_(index) {
  use();
  cudaStream_t stream = nullptr;
  require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate", index_);
  stream_ = stream;
}

// Never destroyed in the program: tensors may be released after statics are.
Runtime::~Runtime() { cudaStreamDestroy(stream_of(*this)); }

void Runtime::use() const {
  if (used_device == index_) return;
  require(cudaSetDevice(index_), "cudaSetDevice", index_);
  used_device = index_;
}

void* Runtime::allocate(std::size_t bytes) {
  use();
  void* address = nullptr;
  const cudaError_t code = cudaMalloc(&address, bytes);
  if (code == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  require(code, "cudaMalloc", index_);
  return address;
}

void Runtime::release(void* address) noexcept { cudaFree(address); }

Runtime::Room Runtime::room() const {
  use();
  Room room;
  if (cudaMemGetInfo(&room.free, &room.total) != cudaSuccess) cudaGetLastError();
  return room;
}

// From and to pageable memory these return when the host's buffer was read or written.
void Runtime::upload(void* device, const void* host, std::size_t bytes) {
  if (bytes == 0) return;
  use();
  require(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_of(*this)), "upload", index_);
}

void Runtime::download(void* host, const void* device, std::size_t bytes) {
  if (bytes == 0) return;
  use();
  require(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_of(*this)), "download", index_);
  wait();
}

void Runtime::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  use();
  require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(*this)), "copy", index_);
}

void Runtime::wait() {
  use();
  require(cudaStreamSynchronize(stream_of(*this)), "cudaStreamSynchronize", index_);
}

void Runtime::launched(const char* kernel) {
  ++launches_;
  require(cudaGetLastError(), kernel, index_);
}

}  // namespace basin::cuda
