#include "tensor/cuda/memory_pool.h"

#include <algorithm>
#include <bit>

#include "tensor/cuda/library/cuda_failure.h"
#include "tensor/error.h"

namespace basin::cuda {

MemoryPool::~MemoryPool() { drop_kept(); }

std::size_t MemoryPool::class_of(std::size_t bytes) {
  constexpr std::size_t kSmallest = 512;
  if (bytes <= kSmallest) return kSmallest;
  const std::size_t step = std::max(kSmallest, std::bit_floor(bytes - 1) / 8);
  const std::size_t rounded = (bytes + step - 1) / step * step;
  return rounded < bytes ? bytes : rounded;  // sizes that no device has
}

void* MemoryPool::kept(std::size_t size) {
  const auto found = kept_.find(size);
  if (found == kept_.end() || found->second.empty()) return nullptr;
  void* address = found->second.back();
  found->second.pop_back();
  return address;
}

void MemoryPool::drop_kept() noexcept {
  for (auto& [size, addresses] : kept_) {
    for (void* address : addresses) {
      runtime_.release(address);
      use_.reserved -= size;
    }
  }
  kept_.clear();
}

void* MemoryPool::take(std::size_t bytes) {
  const std::size_t size = class_of(bytes);
  const std::lock_guard lock(mutex_);
  void* address = kept(size);
  if (address == nullptr) {
    address = runtime_.allocate(size);
    if (address == nullptr) {
      drop_kept();
      address = runtime_.allocate(size);
    }
    if (address == nullptr) {
      const Runtime::Room room = runtime_.room();
      throw Error(cuda_message({.code = 2,
                                .call = "cudaMalloc",
                                .index = runtime_.index(),
                                .asked = bytes,
                                .free = room.free,
                                .total = room.total}));
    }
    use_.reserved += size;
  }
  use_.used += size;
  use_.peak = std::max(use_.peak, use_.used);
  return address;
}

void MemoryPool::give(void* address, std::size_t bytes) noexcept {
  if (address == nullptr) return;
  const std::size_t size = class_of(bytes);
  const std::lock_guard lock(mutex_);
  use_.used -= size;
  try {
    kept_[size].push_back(address);
  } catch (...) {
    use_.reserved -= size;
    runtime_.release(address);
  }
}

MemoryPool::Use MemoryPool::use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

}  // namespace basin::cuda
