#include "data/generators/parity.h"

#include <fmt/format.h>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples parity(Key key, Index count, Index bits) {
  if (count < 0 || bits < 1 || bits > 4096) {
    throw Error(
        fmt::format("[parity] expected a count >= 0 and 1 to 4096 bits, received {} and {}", count, bits));
  }
  std::vector<std::uint8_t> values(static_cast<std::size_t>(element_count({count, bits})));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    for (Index b = 0; b < bits; ++b) {
      const auto bit = static_cast<std::int32_t>(draws.below(2));
      values[static_cast<std::size_t>(i * bits + b)] = static_cast<std::uint8_t>(255 * bit);
      labels[static_cast<std::size_t>(i)] ^= bit;
    }
  }
  return {byte_column("bits", {bits}, std::move(values)), integer_column("label", {}, std::move(labels), 2)};
}

}  // namespace basin
