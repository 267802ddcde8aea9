#include "data/generators/adding.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples adding(Key key, Index count, Index length) {
  if (count < 0 || length < 2) {
    throw Error(
        fmt::format("[adding] expected a count >= 0 and a length >= 2, received {} and {}", count, length));
  }
  const Tensor sequence({count, length, 2}), target({count, 1});
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    float* entries = sequence.host<float>() + i * length * 2;
    const auto first_half = static_cast<std::uint32_t>(length / 2),
               second_half = static_cast<std::uint32_t>(length) - first_half;
    const Index first = draws.below(first_half), second = first_half + draws.below(second_half);
    for (Index t = 0; t < length; ++t) {
      entries[2 * t] = draws.uniform(0.0f, 1.0f);
      entries[2 * t + 1] = t == first || t == second ? 1.0f : 0.0f;
    }
    target.host<float>()[i] = entries[2 * first] + entries[2 * second];
  }
  return {real_column("sequence", sequence), real_column("target", target)};
}

}  // namespace basin
