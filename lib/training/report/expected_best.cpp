#include "training/report/expected_best.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace basin {

std::vector<double> expected_best(std::vector<double> values, bool more_is_better) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (more_is_better) {
    std::ranges::sort(values, std::greater());
  } else {
    std::ranges::sort(values);
  }
  const std::size_t n = values.size();
  std::vector<double> best;
  for (std::size_t k = 1; k <= n; ++k) {
    // The best is the i-th (from 0) with probability C(n - 1 - i, k - 1) / C(n, k): k / n for the first, then
    // times (n - i - k) / (n - 1 - i) from each to the next.
    double probability = static_cast<double>(k) / static_cast<double>(n), mean = 0.0;
    for (std::size_t i = 0; i + k <= n; ++i) {
      mean += probability * values[i];
      if (i + 1 < n) probability *= static_cast<double>(n - i - k) / static_cast<double>(n - 1 - i);
    }
    best.push_back(mean);
  }
  return best;
}

}  // namespace basin
