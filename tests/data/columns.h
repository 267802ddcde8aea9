#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace basin::test {

inline std::vector<std::uint8_t> pixels_of(const Samples& samples) {
  return {samples.pixels().begin(), samples.pixels().end()};
}

inline std::vector<int> labels_of(const Samples& samples) {
  const Column* labels = samples.labels();
  if (labels == nullptr) return {};
  return {labels->integers().begin(), labels->integers().end()};
}

}  // namespace basin::test
