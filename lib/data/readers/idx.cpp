#include "data/readers/idx.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <new>
#include <span>

#include "data/readers/byte_source.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::uint32_t big_endian(std::span<const std::uint8_t, 4> bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

std::uint32_t read_word(ByteSource& source) {
  std::array<std::uint8_t, 4> bytes{};
  source.read(bytes, "the IDX header");
  return big_endian(bytes);
}

/// Product of the extents, or Error when no file can hold it.
std::uint64_t byte_count(const ByteSource& source, const Shape& shape) {
  std::uint64_t product = 1;
  for (const Index extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && product > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / factor) {
      source.fail(fmt::format("the header states the absurd shape {}", to_string(shape)));
    }
    product *= factor;
  }
  return product;
}

}  // namespace

IdxArray read_idx(const std::string& path, Index rank) {
  ByteSource source("idx", path);
  const std::uint32_t magic = read_word(source);
  const auto expected = std::uint32_t{0x0800} + static_cast<std::uint32_t>(rank);
  if (magic != expected) {
    source.fail(fmt::format(
        "expected the magic number {} (unsigned bytes, {} dimensions), received {}; is it another file?",
        expected, rank, magic));
  }
  IdxArray array;
  for (Index axis = 0; axis < rank; ++axis) array.shape.push_back(read_word(source));
  const std::uint64_t count = byte_count(source, array.shape);
  source.expect_remaining(count, fmt::format("the header states the shape {}", to_string(array.shape)));
  try {
    array.bytes.resize(count);
  } catch (const std::exception&) {
    source.fail(fmt::format("no memory for {} bytes", count));
  }
  source.read(array.bytes, "the data");
  source.finish();
  return array;
}

}  // namespace basin
