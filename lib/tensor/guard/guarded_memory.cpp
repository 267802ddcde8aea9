#include "tensor/guard/guarded_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "tensor/cpu/machine.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void* GuardedMemory::allocate(std::size_t bytes) {
  const std::size_t page = page_size();
  void* mapping = MAP_FAILED;
  std::size_t page_bytes = 0;
  if (bytes <= machine_bytes()) {
    page_bytes = round_up(std::max<std::size_t>(bytes, 1), page);
    mapping = mmap(nullptr, page_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (mapping == MAP_FAILED) {
    throw Error(fmt::format(
        "[guard] expected room for {} bytes, received none; use smaller batches or models", bytes));
  }
  std::byte* pages = static_cast<std::byte*>(mapping) + page;
  std::byte* address = pages + page_bytes - round_up(std::max<std::size_t>(bytes, 1), kAlignment);
  const std::lock_guard lock(mutex_);
  buffers_.emplace(address, Buffer{pages, page_bytes, bytes});
  return address;
}

void GuardedMemory::release(void* address) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(static_cast<const std::byte*>(address));
  if (found == buffers_.end()) return;
  munmap(found->second.pages - page_size(), found->second.page_bytes + 2 * page_size());
  buffers_.erase(found);
}

GuardedMemory::Opening::Opening(GuardedMemory& memory, const char* who, std::span<const Access> accesses)
    : lock_(memory.mutex_) {
  // All are looked up before any is opened, so that a refused call leaves everything closed.
  for (const Access& access : accesses) {
    if (access.bytes == 0) continue;
    const auto* address = static_cast<const std::byte*>(access.address);
    const auto after = memory.buffers_.upper_bound(address);
    const bool inside = after != memory.buffers_.begin() &&
                        address + access.bytes <= std::prev(after)->first + std::prev(after)->second.bytes;
    if (!inside) {
      throw Error(
          fmt::format("[guard] {} expected {} bytes inside one buffer of this device, received address {}; "
                      "copy host data there first",
                      who, access.bytes, fmt::ptr(access.address)));
    }
    const Buffer& buffer = std::prev(after)->second;
    const auto same = std::find_if(opened_.begin(), opened_.end(),
                                   [&](const Page& page) { return page.address == buffer.pages; });
    if (same == opened_.end()) {
      opened_.push_back({buffer.pages, buffer.page_bytes, access.write});
    } else {
      same->write = same->write || access.write;
    }
  }
  for (std::size_t i = 0; i < opened_.size(); ++i) {
    if (mprotect(opened_[i].address, opened_[i].bytes,
                 opened_[i].write ? PROT_READ | PROT_WRITE : PROT_READ) == 0)
      continue;
    for (std::size_t j = 0; j < i; ++j) mprotect(opened_[j].address, opened_[j].bytes, PROT_NONE);
    throw Error(fmt::format("[guard] {} could not open a buffer of {} bytes; the system has no room for it",
                            who, opened_[i].bytes));
  }
}

GuardedMemory::Opening::~Opening() {
  for (const Page& page : opened_) mprotect(page.address, page.bytes, PROT_NONE);
}

}  // namespace basin
