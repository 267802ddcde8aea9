#include "data/generators/copy_memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/draws.h"
#include "tensor/error.h"

namespace basin {

Samples copy_memory(Key key, Index count, Index delay) {
  if (count < 0 || delay < 1) {
    throw Error(fmt::format("[copy_memory] expected a count >= 0 and a delay >= 1, received {} and {}", count,
                            delay));
  }
  const Index length = delay + 2 * kCopiedSymbols;
  const auto size = static_cast<std::size_t>(element_count({count, length}));
  std::vector<std::int32_t> input(size, static_cast<std::int32_t>(kCopyBlank)), target = input;
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < count; ++i) {
    Draws draws(key.fold(static_cast<std::uint64_t>(i)));
    std::int32_t* begin = input.data() + i * length;
    for (Index k = 0; k < kCopiedSymbols; ++k)
      begin[k] = static_cast<std::int32_t>(draws.below(static_cast<std::uint32_t>(kCopyBlank)));
    begin[kCopiedSymbols + delay - 1] = static_cast<std::int32_t>(kCopyAsk);
    std::copy_n(begin, kCopiedSymbols, target.data() + (i + 1) * length - kCopiedSymbols);
  }
  return {integer_column("input", {length}, std::move(input), kCopyAsk + 1),
          integer_column("target", {length}, std::move(target), kCopyBlank + 1)};
}

}  // namespace basin
