#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/import_limit.h"

namespace basin {

/// Bytes in order, unpacked on the way: of a file, a gzip file or a member of a zip archive.
///
/// All errors are basin::Error "[reader] path: what is wrong; what to do".
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `out`. Throws Error naming `what` when the bytes end before, or the packed data are damaged.
  void read(std::span<std::uint8_t> out, const std::string& what);

  /// So many numbers as they lie in the file. Memory is taken piece by piece, as they come: data that are cut
  /// short cost no more than there are.
  template <class T>
  std::vector<T> read_numbers(std::uint64_t count, const std::string& what) {
    constexpr std::uint64_t kPiece = (std::uint64_t{1} << 24) / sizeof(T);
    std::vector<T> numbers;
    try {
      numbers.reserve(count);
    } catch (const std::exception&) {
      fail("no memory for " + std::to_string(count) + " numbers");
    }
    while (numbers.size() < count) {
      const std::size_t before = numbers.size();
      numbers.resize(std::min(count, before + kPiece));
      read({reinterpret_cast<std::uint8_t*>(numbers.data() + before), (numbers.size() - before) * sizeof(T)},
           what);
    }
    return numbers;
  }

  /// All that is left, with a correct checksum where there is one. `limit` is asked piece by piece.
  std::string read_rest(const ImportLimit& limit);

  /// Throws Error, beginning with `why`, unless exactly `bytes` are left: exact for a plain file; for packed
  /// ones by the length that their header or trailer states (gzip: modulo 2^32) and the ratio of 1032 that
  /// deflate cannot exceed. Memory may be taken after this.
  virtual void expect_remaining(std::uint64_t bytes, const std::string& why) const = 0;

  /// Throws Error unless the bytes end here, with a correct checksum where there is one.
  void finish();

  /// What the messages name: the file, or the member of an archive.
  const std::string& path() const { return path_; }
  [[noreturn]] void fail(const std::string& what) const;

 protected:
  ByteSource(std::string reader, std::string path) : reader_(std::move(reader)), path_(std::move(path)) {}
  std::uint64_t given() const { return given_; }

 private:
  /// Some of the next bytes, at least one; 0 at the end, when the checksum has been compared.
  virtual std::size_t next(std::span<std::uint8_t> out) = 0;

  std::string reader_, path_;
  std::uint64_t given_ = 0;
};

/// Text of a file as a message can show it: on one line, control characters as '?'.
std::string one_line(std::string text);

/// Deflate cannot pack more bytes into one.
inline constexpr std::uint64_t kDeflateRatio = 1032;

/// A file, inflated when it is gzip (one member, RFC 1952; told apart by its first bytes). Throws Error when
/// it cannot be opened or is not an ordinary file.
std::unique_ptr<ByteSource> open_bytes(const std::string& reader, const std::string& path);

/// A member of a zip archive, stored or deflated; "x" stands for "x.npy" too. Throws Error naming the members
/// there are.
std::unique_ptr<ByteSource> open_zip_member(const std::string& reader, const std::string& path,
                                            const std::string& member);

}  // namespace basin
