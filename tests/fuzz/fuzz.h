#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "data/import_limit.h"
#include "tensor/error.h"

namespace basin::fuzz {

/// Bytes as a file in memory that has a path.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// What the targets let a reader take.
inline ImportLimit limit() { return ImportLimit(std::uint64_t{64} << 20); }

/// Calls `read`. It may refuse, in one line; whatever else it throws ends the process, which libFuzzer
/// reports.
template <class Read>
int expect_read_or_refusal(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (std::string(error.what()).find('\n') != std::string::npos) std::abort();
  }
  return 0;
}

}  // namespace basin::fuzz
