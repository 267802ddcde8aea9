#include "tensor/cpu/products/block_cache.h"

#include <cstdlib>

namespace basin {

BlockCache::~BlockCache() {
  for (const auto& [bytes, blocks] : blocks_) {
    for (void* block : blocks) std::free(block);
  }
}

void* BlockCache::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(bytes);
  if (found == blocks_.end() || found->second.empty()) return nullptr;
  void* block = found->second.back();
  found->second.pop_back();
  kept_ -= bytes;
  return block;
}

bool BlockCache::keep(void* block, std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (kept_ + bytes > limit_) {
    // Full of sizes that are asked for no longer, perhaps: begin anew.
    for (auto& [size, blocks] : blocks_) {
      for (void* old : blocks) std::free(old);
      blocks.clear();
    }
    kept_ = 0;
    if (bytes > limit_) return false;
  }
  try {
    blocks_[bytes].push_back(block);
  } catch (...) {  // no memory for the list itself
    return false;
  }
  kept_ += bytes;
  return true;
}

}  // namespace basin
