#include "data/readers/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tensor/error.h"

namespace basin {

struct ByteSource::State {
  std::string reader, path;
  std::ifstream file;
  std::uint64_t length = 0;  // of the file
  std::uint64_t given = 0;   // bytes handed out
  bool compressed = false;
  bool ended = false;        // the gzip trailer has been read and is right
  std::uint32_t stated = 0;  // uncompressed length modulo 2^32, by the gzip trailer
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(1 << 16);
  z_stream stream{};

  ~State() {
    if (compressed) inflateEnd(&stream);
  }

  /// Next piece of the compressed file. False at its end.
  bool refill() {
    file.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    stream.next_in = buffer.data();
    stream.avail_in = static_cast<uInt>(file.gcount());
    return stream.avail_in > 0;
  }

  void begin_gzip() {
    std::array<std::uint8_t, 4> trailer{};
    file.seekg(-4, std::ios::end);
    file.read(reinterpret_cast<char*>(trailer.data()), 4);
    file.seekg(0);
    for (std::size_t i = 0; i < 4; ++i) stated |= std::uint32_t{trailer[i]} << (8 * i);
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    compressed = inflateInit2(&stream, kGzipOnly) == Z_OK;
    if (!compressed) throw Error(fmt::format("[{}] {}: zlib does not start; is memory short?", reader, path));
  }
};

ByteSource::ByteSource(std::string reader, std::string path) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.reader = std::move(reader);
  s.path = std::move(path);
  std::error_code error;
  if (!std::filesystem::is_regular_file(s.path, error))
    fail("expected an ordinary file, found none; check the path");
  s.length = std::filesystem::file_size(s.path, error);
  errno = 0;
  s.file.open(s.path, std::ios::binary);
  if (error || !s.file) fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  std::array<std::uint8_t, 2> magic{};
  s.file.read(reinterpret_cast<char*>(magic.data()), 2);
  s.file.clear();
  s.file.seekg(0);
  constexpr std::uint64_t kSmallestGzip = 18;  // header and trailer
  const bool gzip = magic[0] == 0x1f && magic[1] == 0x8b;
  if (gzip && s.length < kSmallestGzip)
    fail(fmt::format("the gzip file is cut short, it has only {} bytes; fetch it again", s.length));
  if (gzip) s.begin_gzip();
}

ByteSource::~ByteSource() = default;

void ByteSource::read(std::span<std::uint8_t> out, const std::string& what) {
  State& s = *state_;
  const auto cut_short = [&](std::uint64_t got) {
    fail(fmt::format("the file ends inside {}, {} bytes before its end; it is cut short, fetch it again",
                     what, out.size() - got));
  };
  if (!s.compressed) {
    s.file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    if (const auto got = static_cast<std::uint64_t>(s.file.gcount()); got < out.size()) cut_short(got);
  }
  constexpr std::size_t kPiece = 1 << 30;  // zlib counts in 32 bits
  for (std::size_t done = 0; s.compressed && done < out.size();) {
    if (s.ended || (s.stream.avail_in == 0 && !s.refill())) cut_short(done);
    const auto piece = static_cast<uInt>(std::min(kPiece, out.size() - done));
    s.stream.next_out = out.data() + done;
    s.stream.avail_out = piece;
    const int status = inflate(&s.stream, Z_NO_FLUSH);
    done += piece - s.stream.avail_out;
    s.ended = status == Z_STREAM_END;
    if (status != Z_OK && !s.ended) {
      fail(fmt::format("the compressed data are damaged ({}); fetch it again",
                       s.stream.msg != nullptr ? s.stream.msg : "zlib error"));
    }
  }
  s.given += out.size();
}

void ByteSource::expect_remaining(std::uint64_t bytes, const std::string& why) const {
  const State& s = *state_;
  if (!s.compressed && s.length != s.given + bytes) {
    fail(fmt::format(
        "{}, so the file should have {} bytes, but it has {}; it is cut short or not what it says", why,
        s.given + bytes, s.length));
  }
  constexpr std::uint64_t kLargestRatio = 1032;
  if (s.compressed &&
      (bytes / kLargestRatio > s.length || static_cast<std::uint32_t>(s.given + bytes) != s.stated)) {
    fail(
        fmt::format("{}, so it should inflate to {} bytes, but its gzip trailer says {}; it is cut short or "
                    "not what it says",
                    why, s.given + bytes, s.stated));
  }
}

void ByteSource::finish() {
  State& s = *state_;
  if (!s.compressed) {
    if (s.file.peek() != std::ifstream::traits_type::eof())
      fail("there are bytes after the data; it is not what it says");
    return;
  }
  std::uint8_t extra = 0;
  while (!s.ended) {  // the trailer may still be ahead; no byte may come out before it
    if (s.stream.avail_in == 0 && !s.refill())
      fail("the file ends inside the gzip trailer; it is cut short, fetch it again");
    s.stream.next_out = &extra;
    s.stream.avail_out = 1;
    const int status = inflate(&s.stream, Z_NO_FLUSH);
    if (s.stream.avail_out == 0)
      fail("it inflates to more bytes than its header states; it is not what it says");
    if (status != Z_OK && status != Z_STREAM_END) {
      fail(fmt::format("the compressed data are damaged ({}); fetch it again",
                       s.stream.msg != nullptr ? s.stream.msg : "zlib error"));
    }
    s.ended = status == Z_STREAM_END;
  }
  if (s.stream.avail_in > 0 || s.refill())
    fail("there are bytes after the end of the compressed data; fetch it again");
}

void ByteSource::fail(const std::string& what) const {
  throw Error(fmt::format("[{}] {}: {}", state_->reader, state_->path, what));
}

}  // namespace basin
