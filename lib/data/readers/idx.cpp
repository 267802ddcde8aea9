#include "data/readers/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>

#include "data/readers/byte_source.h"
#include "tensor/checked.h"

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

}  // namespace

IdxArray read_idx(const std::string& path, Index rank, const ImportLimit& limit) {
  const std::unique_ptr<ByteSource> source = open_bytes("idx", path);
  const std::uint32_t magic = read_word(*source);
  const Index stated = magic & 0xff;
  if (magic >> 8 != 0x08 || stated == 0 || (rank != 0 && rank != stated)) {
    source->fail(fmt::format(
        "expected the magic number {} (unsigned bytes, {} dimensions), received {}; is it another file?",
        0x0800 + std::max<Index>(1, rank), rank == 0 ? "1 or more" : std::to_string(rank), magic));
  }
  IdxArray array;
  for (Index axis = 0; axis < stated; ++axis) array.shape.push_back(read_word(*source));
  std::optional<Index> count = 1;  // an extent of 0 hides no overflow
  for (const Index extent : array.shape)
    count = count ? checked_product({*count, std::max<Index>(1, extent)}) : count;
  if (!count) source->fail(fmt::format("the header states the absurd shape {}", to_string(array.shape)));
  const auto bytes = static_cast<std::uint64_t>(element_count(array.shape));
  source->expect_remaining(bytes, fmt::format("the header states the shape {}", to_string(array.shape)));
  limit.take("[idx] " + path, bytes);
  array.bytes = source->read_numbers<std::uint8_t>(bytes, "the data");
  source->finish();
  return array;
}

}  // namespace basin
