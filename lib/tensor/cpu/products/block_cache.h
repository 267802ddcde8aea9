#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace basin {

/// Released blocks kept for the next request of the same size. Tensors of one training step come back in the
/// next one in the same sizes; without this, malloc returns the larger ones to the system each time and their
/// pages are faulted in again, which doubled the time of the derived path.
class BlockCache {
 public:
  /// Keeps at most `limit` bytes.
  explicit BlockCache(std::size_t limit) : limit_(limit) {}
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  /// A kept block of exactly this size, or null.
  void* take(std::size_t bytes);
  /// False when there is no room: the block stays the caller's.
  bool keep(void* block, std::size_t bytes) noexcept;

 private:
  std::size_t limit_, kept_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> blocks_;
};

}  // namespace basin
