#include "data/generators/temporal_order.h"

#include <fmt/format.h>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples temporal_order(Key key, Index count) {
  if (count < 0) throw Error(fmt::format("[temporal_order] expected a count >= 0, received {}", count));
  constexpr std::uint32_t kShortest = 100, kLengths = 11, kPlaces = 11, kDistractors = 4;
  constexpr std::uint32_t kFirstPlaces[] = {10, 33, 66};
  constexpr Index kLongest = kShortest + kLengths - 1;
  constexpr std::int32_t kX = 4, kBegin = 6, kEnd = 7;  // Y is the one after X
  const auto size = static_cast<std::size_t>(count);
  std::vector<std::int32_t> input(static_cast<std::size_t>(element_count({count, kLongest}))), lengths(size),
      labels(size);
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    const auto n = static_cast<std::size_t>(i);
    std::int32_t* entries = input.data() + i * kLongest;
    const auto length = static_cast<std::int32_t>(kShortest + draws.below(kLengths));
    for (std::int32_t t = 0; t < length; ++t)
      entries[t] = static_cast<std::int32_t>(draws.below(kDistractors));
    entries[0] = kBegin;
    entries[length - 1] = kEnd;
    for (const std::uint32_t first : kFirstPlaces) {
      const auto sign = static_cast<std::int32_t>(draws.below(2));
      entries[first + draws.below(kPlaces)] = kX + sign;
      labels[n] = 2 * labels[n] + sign;
    }
    lengths[n] = length;
  }
  return {integer_column("input", {kLongest}, std::move(input), 8),
          integer_column("lengths", {}, std::move(lengths)),
          integer_column("label", {}, std::move(labels), 8)};
}

}  // namespace basin
