#pragma once

#include "tensor/shape.h"

namespace basin {

struct Spread {
  double mean = 0.0, variance = 0.0;
};

/// Mean and variance (divided by the count) of numbers.
inline Spread spread(const float* values, Index count) {
  double sum = 0.0, squares = 0.0;
  for (Index p = 0; p < count; ++p) sum += static_cast<double>(values[p]);
  const double mean = sum / static_cast<double>(count);
  for (Index p = 0; p < count; ++p) {
    const double difference = static_cast<double>(values[p]) - mean;
    squares += difference * difference;
  }
  return {mean, squares / static_cast<double>(count)};
}

}  // namespace basin
