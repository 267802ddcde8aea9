#pragma once

#include <fmt/format.h>
#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace basin::test {

template <class T>
std::string bytes_of(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// A NumPy file of a format, its header padded to 64 bytes as numpy.save does.
inline std::string npy(const std::string& type, const std::string& shape, const std::string& data,
                       int format = 1, const std::string& fortran = "False") {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type, fortran, shape);
  const std::size_t start = format == 1 ? 10 : 12;
  header.append(64 - (start + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string text = "\x93NUMPY";
  text += static_cast<char>(format);
  text += '\0';
  for (std::size_t i = 0; i < start - 8; ++i) text += static_cast<char>(header.size() >> (8 * i) & 255);
  return text + header + data;
}

inline std::string idx_header(std::uint32_t magic, const std::vector<std::uint32_t>& shape) {
  std::string bytes;
  const auto put = [&](std::uint32_t word) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(word >> shift & 255));
  };
  put(magic);
  for (const std::uint32_t extent : shape) put(extent);
  return bytes;
}

/// Deflated by zlib: 16 + MAX_WBITS for gzip, -MAX_WBITS for the bare data of a zip archive.
inline std::string deflated(const std::string& bytes, int window) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string gzip(const std::string& bytes) { return deflated(bytes, 16 + MAX_WBITS); }

/// A zip archive of files (name and bytes), as numpy.savez writes one. `size`: what it says of each file's
/// length; 0: the truth.
inline std::string zip(const std::vector<std::pair<std::string, std::string>>& files, bool deflate,
                       std::uint32_t size = 0) {
  std::string out, directory;
  const auto put = [](std::string& to, std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) to.push_back(static_cast<char>(value >> (8 * i) & 255));
  };
  for (const auto& [name, bytes] : files) {
    const std::string data = deflate ? deflated(bytes, -MAX_WBITS) : bytes;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    std::string
        facts;  // version, flags, method, time, date, checksum, sizes, lengths of name and extra field
    put(facts, 20, 2), put(facts, 0, 2), put(facts, deflate ? 8 : 0, 2), put(facts, 0, 2), put(facts, 33, 2);
    put(facts, sum, 4), put(facts, data.size(), 4), put(facts, size == 0 ? bytes.size() : size, 4);
    put(facts, name.size(), 2), put(facts, 0, 2);
    put(directory, 0x02014b50, 4), put(directory, 20, 2);
    directory += facts + std::string(10, '\0');  // comment, disk, attributes
    put(directory, out.size(), 4);
    directory += name;
    put(out, 0x04034b50, 4);
    out += facts + name + data;
  }
  const std::size_t begin = out.size();
  out += directory;
  put(out, 0x06054b50, 4), put(out, 0, 4), put(out, files.size(), 2), put(out, files.size(), 2);
  put(out, directory.size(), 4), put(out, begin, 4), put(out, 0, 2);
  return out;
}

}  // namespace basin::test
