#pragma once

#include <cstddef>
#include <initializer_list>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace basin {

/// Bytes that a kernel is about to touch.
struct Access {
  const void* address = nullptr;
  std::size_t bytes = 0;
  bool write = false;
};

/// Buffers that fault when touched, except while an Opening names them.
///
/// Each buffer lies in pages of its own between two pages that are never readable, and ends at the next
/// multiple of 64 bytes below the trailing one: a kernel that runs more than 63 bytes past the end faults at
/// once.
class GuardedMemory {
 public:
  GuardedMemory() = default;
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  /// A closed buffer, aligned to 64 bytes. Throws Error when the system has no room.
  void* allocate(std::size_t bytes);
  void release(void* address) noexcept;

  /// While it lives, the buffers behind `accesses` can be read, and written where an access says so. Kernels
  /// that hold one run one at a time. Throws Error, naming `who`, when an access is not inside one buffer.
  /// Accesses of 0 bytes are ignored.
  class Opening {
   public:
    Opening(GuardedMemory& memory, const char* who, std::span<const Access> accesses);
    Opening(GuardedMemory& memory, const char* who, std::initializer_list<Access> accesses)
        : Opening(memory, who, std::span(accesses.begin(), accesses.size())) {}
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

   private:
    struct Page {
      void* address;
      std::size_t bytes;
      bool write;
    };
    std::unique_lock<std::mutex> lock_;
    std::vector<Page> opened_;
  };

 private:
  struct Buffer {
    std::byte* pages;        // the first page, past the leading guard page
    std::size_t page_bytes;  // of the pages between the guard pages
    std::size_t bytes;       // of the buffer
  };

  std::mutex mutex_;
  std::map<const std::byte*, Buffer> buffers_;  // by the address that allocate gave
};

}  // namespace basin
