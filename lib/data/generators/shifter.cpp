#include "data/generators/shifter.h"

#include <fmt/format.h>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples shifter(Key key, Index count, Index bits) {
  if (count < 0 || bits < 3 || bits > 4096) {
    throw Error(
        fmt::format("[shifter] expected a count >= 0 and 3 to 4096 bits, received {} and {}", count, bits));
  }
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(element_count({count, 2, bits})));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const auto label = static_cast<std::int32_t>(draws.below(3));
    std::uint8_t* pattern = pixels.data() + i * 2 * bits;
    std::uint8_t* shifted = pattern + bits;
    for (Index p = 0; p < bits; ++p) pattern[p] = draws.below(2) != 0 ? 255 : 0;
    for (Index p = 0; p < bits; ++p) shifted[(p + label - 1 + bits) % bits] = pattern[p];
    labels[static_cast<std::size_t>(i)] = label;
  }
  return {byte_column("image", {2, bits}, std::move(pixels)),
          integer_column("label", {}, std::move(labels), 3)};
}

}  // namespace basin
