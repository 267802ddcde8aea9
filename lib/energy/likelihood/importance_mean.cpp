#include "energy/likelihood/importance_mean.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace basin {

ImportanceMean importance_mean(std::span<const double> log_weights) {
  const double top = *std::ranges::max_element(log_weights);
  double first = 0.0, second = 0.0;
  for (const double x : log_weights) {
    const double w = std::exp(x - top);
    first += w;
    second += w * w;
  }
  const auto n = static_cast<double>(log_weights.size());
  const double mean = first / n;
  const double variance = n > 1.0 ? std::max(0.0, (second - n * mean * mean) / (n - 1.0))
                                  : std::numeric_limits<double>::infinity();
  return {top + std::log(mean), std::sqrt(variance / n) / mean, first * first / second};
}

}  // namespace basin
