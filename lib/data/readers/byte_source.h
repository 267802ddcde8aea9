#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace basin {

/// The bytes of a file in order, inflated on the way when the file is gzip (one member, RFC 1952). Memory:
/// one 64 KiB buffer.
///
/// All errors are basin::Error "[reader] path: what is wrong; what to do".
class ByteSource {
 public:
  /// Throws Error when the file cannot be opened or is not an ordinary file.
  ByteSource(std::string reader, std::string path);
  ~ByteSource();

  /// Fills `out`. Throws Error naming `what` when the file ends before, or its compressed data are damaged.
  void read(std::span<std::uint8_t> out, const std::string& what);

  /// Throws Error, beginning with `why`, unless exactly `bytes` are left: exact for a plain file; for gzip by
  /// the length modulo 2^32 that its trailer states and the ratio of 1032 that deflate cannot exceed. Memory
  /// may be taken after this.
  void expect_remaining(std::uint64_t bytes, const std::string& why) const;

  /// Throws Error unless the file ends here, with a correct gzip checksum.
  void finish();

  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace basin
