#include "data/generators/shifter.h"

#include <fmt/format.h>

#include "data/generators/draws.h"
#include "tensor/error.h"

namespace basin {

Samples shifter(Key key, Index count, Index bits) {
  if (count < 0 || bits < 3 || bits > 4096) {
    throw Error(
        fmt::format("[shifter] expected a count >= 0 and 3 to 4096 bits, received {} and {}", count, bits));
  }
  Samples samples{.shape = {2, bits}, .count = count, .pixels = {}, .labels = {}, .classes = 3};
  samples.pixels.resize(static_cast<std::size_t>(count * 2 * bits));
  samples.labels.resize(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const int label = static_cast<int>(draws.below(3));
    std::uint8_t* pattern = samples.pixels.data() + i * 2 * bits;
    std::uint8_t* shifted = pattern + bits;
    for (Index p = 0; p < bits; ++p) pattern[p] = draws.below(2) != 0 ? 255 : 0;
    for (Index p = 0; p < bits; ++p) shifted[(p + label - 1 + bits) % bits] = pattern[p];
    samples.labels[static_cast<std::size_t>(i)] = label;
  }
  return samples;
}

}  // namespace basin
