#pragma once

#include <cstdint>
#include <vector>

#include "tensor/philox.h"
#include "tensor/shape.h"

namespace basin::test {

/// n numbers in [-1, 1) that are the same everywhere, exact in f32, and made without any kernel.
inline std::vector<double> numbers(Index n, std::uint64_t seed) {
  std::vector<double> result(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<double>(philox_word(seed, i) >> 8) * 0x1p-23 - 1.0;
  }
  return result;
}

}  // namespace basin::test
