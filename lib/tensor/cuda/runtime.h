#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace basin::cuda {

/// One device and its stream of work: everything that is asked of it runs in the order of the calls.
///
/// What the other sources of this folder need of CUDA's runtime, so that they compile for both devices:
/// runtime.cu has it for a GPU; runtime_emulated.cpp on host memory, where all is done when a call returns.
class Runtime {
 public:
  struct Room {
    std::size_t free = 0, total = 0;
  };

  /// Throws Error when there is no device of this index.
  explicit Runtime(int index);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Null when there is no room.
  void* allocate(std::size_t bytes);
  void release(void* address) noexcept;
  Room room() const;

  /// The host's buffer may be used again when upload returns; download waits for its bytes.
  void upload(void* device, const void* host, std::size_t bytes);
  void download(void* host, const void* device, std::size_t bytes);
  void copy(void* to, const void* from, std::size_t bytes);
  /// Waits for all that was asked.
  void wait();

  /// After every launch: counts it, and throws Error when it was refused, naming the kernel.
  void launched(const char* kernel);
  std::uint64_t launches() const { return launches_; }

  /// The cudaStream_t, null in emulation; `use` makes the device that of the calling thread.
  void* stream() const { return stream_; }
  void use() const;
  int index() const { return index_; }

 private:
  int index_;
  void* stream_ = nullptr;
  std::atomic<std::uint64_t> launches_{0};
};

}  // namespace basin::cuda
