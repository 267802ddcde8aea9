#include "data/readers/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tensor/checked.h"
#include "tensor/error.h"

namespace basin {
namespace {

constexpr const char* kMore = "there are more bytes than its header states; it is not what it says";

class PlainFile final : public ByteSource {
 public:
  PlainFile(std::string reader, std::string path, std::ifstream file, std::uint64_t length)
      : ByteSource(std::move(reader), std::move(path)), file_(std::move(file)), length_(length) {}

  void expect_remaining(std::uint64_t bytes, const std::string& why) const override {
    if (checked_add(given(), bytes) == length_) return;
    fail(fmt::format(
        "{}, so the file should have {} bytes, but it has {}; it is cut short or not what it says", why,
        given() + bytes, length_));
  }

 private:
  std::size_t next(std::span<std::uint8_t> out) override {
    file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return static_cast<std::size_t>(file_.gcount());
  }

  std::ifstream file_;
  std::uint64_t length_;
};

/// Memory: one 64 KiB buffer.
class GzipFile final : public ByteSource {
 public:
  GzipFile(std::string reader, std::string path, std::ifstream file, std::uint64_t length)
      : ByteSource(std::move(reader), std::move(path)), file_(std::move(file)), length_(length) {
    constexpr std::uint64_t kSmallest = 18;  // header and trailer
    if (length < kSmallest)
      fail(fmt::format("the gzip file is cut short, it has only {} bytes; fetch it again", length));
    std::array<std::uint8_t, 4> trailer{};
    file_.seekg(-4, std::ios::end);
    file_.read(reinterpret_cast<char*>(trailer.data()), 4);
    file_.seekg(0);
    for (std::size_t i = 0; i < 4; ++i) stated_ |= std::uint32_t{trailer[i]} << (8 * i);
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) fail("zlib does not start; is memory short?");
  }
  ~GzipFile() override { inflateEnd(&stream_); }

  void expect_remaining(std::uint64_t bytes, const std::string& why) const override {
    if (bytes / kDeflateRatio <= length_ && static_cast<std::uint32_t>(given() + bytes) == stated_) return;
    fail(fmt::format(
        "{}, so it should inflate to {} bytes, but its gzip trailer says {}; it is cut short or not what it "
        "says",
        why, given() + bytes, stated_));
  }

 private:
  /// Next piece of the compressed file. False at its end.
  bool refill() {
    file_.read(reinterpret_cast<char*>(buffer_.data()), static_cast<std::streamsize>(buffer_.size()));
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(file_.gcount());
    return stream_.avail_in > 0;
  }

  std::size_t next(std::span<std::uint8_t> out) override {
    constexpr std::size_t kMost = 1 << 30;  // zlib counts in 32 bits
    const auto wanted = static_cast<uInt>(std::min(kMost, out.size()));
    stream_.next_out = out.data();
    stream_.avail_out = wanted;
    while (!ended_ && stream_.avail_out == wanted) {
      if (stream_.avail_in == 0 && !refill())
        fail("the compressed data end before their end; the file is cut short, fetch it again");
      const int status = inflate(&stream_, Z_NO_FLUSH);
      ended_ = status == Z_STREAM_END;
      if (status != Z_OK && !ended_) {
        fail(fmt::format("the compressed data are damaged ({}); fetch it again",
                         stream_.msg != nullptr ? stream_.msg : "zlib error"));
      }
      if (ended_ && (stream_.avail_in > 0 || refill()))
        fail("there are bytes after the end of the compressed data; fetch it again");
    }
    return wanted - stream_.avail_out;
  }

  std::ifstream file_;
  std::uint64_t length_;
  bool ended_ = false;        // the gzip trailer has been read and is right
  std::uint32_t stated_ = 0;  // uncompressed length modulo 2^32, by the gzip trailer
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(1 << 16);
  z_stream stream_{};
};

}  // namespace

void ByteSource::read(std::span<std::uint8_t> out, const std::string& what) {
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t got = next(out.subspan(done));
    if (got == 0)
      fail(fmt::format("the file ends inside {}, {} bytes before its end; it is cut short, fetch it again",
                       what, out.size() - done));
    done += got;
    given_ += got;
  }
}

std::string ByteSource::read_rest(const ImportLimit& limit) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::string rest;
  std::vector<std::uint8_t> piece(kPiece);
  for (std::size_t got = next(piece); got > 0; got = next(piece)) {
    limit.take(fmt::format("[{}] {}", reader_, path_), got, rest.size() + kPiece);
    rest.append(reinterpret_cast<const char*>(piece.data()), got);
    given_ += got;
  }
  return rest;
}

void ByteSource::finish() {
  std::uint8_t extra = 0;
  if (next({&extra, 1}) != 0) fail(kMore);
}

void ByteSource::fail(const std::string& what) const {
  throw Error(fmt::format("[{}] {}: {}", reader_, path_, one_line(what)));
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  return text;
}

std::unique_ptr<ByteSource> open_bytes(const std::string& reader, const std::string& path) {
  const auto fail = [&](const std::string& what) {
    throw Error(fmt::format("[{}] {}: {}", reader, path, what));
  };
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    fail("expected an ordinary file, found none; check the path");
  const std::uint64_t length = std::filesystem::file_size(path, error);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (error || !file) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::array<std::uint8_t, 2> magic{};
  file.read(reinterpret_cast<char*>(magic.data()), 2);
  file.clear();
  file.seekg(0);
  if (magic[0] == 0x1f && magic[1] == 0x8b)
    return std::make_unique<GzipFile>(reader, path, std::move(file), length);
  return std::make_unique<PlainFile>(reader, path, std::move(file), length);
}

}  // namespace basin
