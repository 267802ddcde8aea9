#pragma once

#include <cstddef>
#include <cstdint>

namespace basin {

/// A run of n <= kStreamChunk neighbouring units of a row, in f32, with total input a = scale * (input +
/// bias) + base. Null base is 0; null outputs are not written. `draw` is the number of the first unit's draw.
struct UnitRun {
  const float* input;
  const float* bias;
  const float* base;
  const float* precision;
  float scale;
  std::uint64_t key;
  std::uint64_t draw;
  std::size_t n;
  float* mean;
  float* sample;
};

/// mean = sigma(a), sample = [u < mean].
void binary_units(const UnitRun& run);

/// mean = a / precision, sample = mean + z / sqrt(precision).
void gaussian_units(const UnitRun& run);

}  // namespace basin
