#pragma once

#include <cstddef>
#include <cstdint>

namespace basin {

/// A run of binary units in f32: a = scale * (input + bias) + base, mean = sigma(a), sample = [u < mean].
/// Null base is 0; null outputs are not written. `draw` is the number of the first unit's draw; n <= kStreamChunk.
struct BinaryRun {
  const float* input;
  const float* bias;
  const float* base;
  float scale;
  std::uint64_t key;
  std::uint64_t draw;
  std::size_t n;
  float* mean;
  float* sample;
};

void binary_units(const BinaryRun& run);

}  // namespace basin
