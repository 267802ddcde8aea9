#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

#include "tensor/cuda/runtime.h"

namespace basin::cuda {

/// Device memory that is kept when it is given back, since asking the driver waits for all work.
///
/// A block goes to the next who asks for bytes of its class (eighths of powers of two: at most an eighth is
/// lost), even while a kernel that used it runs: what follows comes after it in the stream. When the device
/// is full, all that is kept goes back to it before a request is refused.
class MemoryPool {
 public:
  explicit MemoryPool(Runtime& runtime) : runtime_(runtime) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// Aligned to 256 bytes. Throws Error that says what was asked and what is free.
  void* take(std::size_t bytes);
  void give(void* address, std::size_t bytes) noexcept;

  /// Bytes that are taken, the most that were at once, and those held of the device.
  struct Use {
    std::size_t used = 0, peak = 0, reserved = 0;
  };
  Use use() const;

  /// What a request of this many bytes takes.
  static std::size_t class_of(std::size_t bytes);

 private:
  void* kept(std::size_t size);
  void drop_kept() noexcept;

  Runtime& runtime_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> kept_;  // by class
  Use use_;
};

/// Work memory of a kernel, `count` numbers of type T, given back at the end of the scope.
template <class T>
class Scratch {
 public:
  Scratch(MemoryPool& pool, std::size_t count)
      : pool_(pool),
        bytes_(count * sizeof(T)),
        data_(count > 0 ? static_cast<T*>(pool.take(bytes_)) : nullptr) {}
  ~Scratch() {
    if (data_ != nullptr) pool_.give(data_, bytes_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return data_; }

 private:
  MemoryPool& pool_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace basin::cuda
