#pragma once

#include <cmath>
#include <limits>

namespace basin {

/// Whether a number may stand below a fraction where a variance is 0: finite, and above 0 as a float, too.
inline bool is_divisor(double number) {
  return std::isfinite(number) && number >= static_cast<double>(std::numeric_limits<float>::min());
}

}  // namespace basin
