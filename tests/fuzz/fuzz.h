#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "data/import_limit.h"
#include "tensor/error.h"

namespace basin::fuzz {

/// Bytes as a file: in memory, but with a path of its own, which HDF5 asks for.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : path_("/dev/shm/basin-fuzz-XXXXXX") {
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0 || ::write(descriptor, data, size) != static_cast<ssize_t>(size)) std::abort();
    ::close(descriptor);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
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
