#include <cstdlib>
#include <cstring>
#include <limits>

#include "tensor/cuda/runtime.h"

namespace basin::cuda {

Runtime::Runtime(int index) : index_(index) {}
Runtime::~Runtime() = default;

void* Runtime::allocate(std::size_t bytes) {
  constexpr std::size_t kAlignment = 256;  // as cudaMalloc
  if (bytes > std::numeric_limits<std::size_t>::max() - kAlignment) return nullptr;
  return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
}

void Runtime::release(void* address) noexcept { std::free(address); }

Runtime::Room Runtime::room() const { return {}; }

void Runtime::upload(void* device, const void* host, std::size_t bytes) { copy(device, host, bytes); }

void Runtime::download(void* host, const void* device, std::size_t bytes) { copy(host, device, bytes); }

void Runtime::copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memmove(to, from, bytes);
}

void Runtime::wait() {}

void Runtime::launched(const char*) { ++launches_; }

void Runtime::use() const {}

}  // namespace basin::cuda
