#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "models/conv_sparse_coding.h"

namespace basin {
namespace {

/// Pictures of one filter, one a channel, and where they lie.
struct Filter {
  const double* numbers;
  Index channels, height, width;
};

/// <a, b shifted by (dy, dx)>.
double correlation(const Filter& a, const Filter& b, Index dy, Index dx) {
  double sum = 0.0;
  for (Index c = 0; c < a.channels; ++c) {
    for (Index u = std::max<Index>(0, dy); u < std::min(a.height, a.height + dy); ++u) {
      const double* left = a.numbers + (c * a.height + u) * a.width;
      const double* right = b.numbers + (c * a.height + u - dy) * a.width - dx;
      for (Index v = std::max<Index>(0, dx); v < std::min(a.width, a.width + dx); ++v)
        sum += left[v] * right[v];
    }
  }
  return sum;
}

double best_correlation(const Filter& a, const Filter& b) {
  double best = 0.0;
  for (Index dy = 1 - a.height; dy < a.height; ++dy) {
    for (Index dx = 1 - a.width; dx < a.width; ++dx)
      best = std::max(best, std::abs(correlation(a, b, dy, dx)));
  }
  return best;
}

}  // namespace

double mean_best_correlation(const Tensor& filters) {
  const Index count = filters.dim(0), height = filters.dim(-2), width = filters.dim(-1);
  const std::vector<double> all = filters.values();
  const Index size = filters.size() / std::max<Index>(1, count);
  std::vector<Filter> kept;
  std::vector<double> norms;
  for (Index k = 0; k < count; ++k) {
    const double* numbers = all.data() + k * size;
    double square = 0.0;
    for (Index i = 0; i < size; ++i) square += numbers[i] * numbers[i];
    if (square == 0.0) continue;
    kept.push_back({numbers, size / (height * width), height, width});
    norms.push_back(std::sqrt(square));
  }
  if (kept.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> best(kept.size(), 0.0);
  for (std::size_t k = 0; k < kept.size(); ++k) {
    for (std::size_t j = 0; j < k; ++j) {
      const double coherence = best_correlation(kept[k], kept[j]) / (norms[k] * norms[j]);
      best[k] = std::max(best[k], coherence);
      best[j] = std::max(best[j], coherence);
    }
  }
  double sum = 0.0;
  for (const double value : best) sum += value;
  return sum / static_cast<double>(best.size());
}

}  // namespace basin
