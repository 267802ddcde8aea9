#include "data/images/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "data/spread.h"
#include "tensor/error.h"

namespace basin {
namespace {

std::vector<float> gaussian(Index radius, double deviation) {
  std::vector<float> weights;
  for (Index k = -radius; k <= radius; ++k) {
    const double z = static_cast<double>(k) / deviation;
    weights.push_back(static_cast<float>(std::exp(-0.5 * z * z)));
  }
  return weights;
}

/// Weighted mean along one axis: `count` numbers, `stride` apart. The weights inside are scaled to sum to 1.
void blur_line(const float* in, float* out, Index count, Index stride, const std::vector<float>& weights) {
  const Index radius = static_cast<Index>(weights.size()) / 2;
  for (Index i = 0; i < count; ++i) {
    const Index first = std::max<Index>(0, i - radius), last = std::min(count - 1, i + radius);
    float sum = 0.0f, norm = 0.0f;
    for (Index k = first; k <= last; ++k) {
      const float weight = weights[static_cast<std::size_t>(k - i + radius)];
      sum += weight * in[k * stride];
      norm += weight;
    }
    out[i * stride] = sum / norm;
  }
}

/// A Gaussian window is a product of its two axes, and so is its part inside a rectangle.
std::vector<float> blur(const std::vector<float>& image, Index height, Index width,
                        const std::vector<float>& weights) {
  std::vector<float> rows(image.size()), both(image.size());
  for (Index y = 0; y < height; ++y)
    blur_line(image.data() + y * width, rows.data() + y * width, width, 1, weights);
  for (Index x = 0; x < width; ++x) blur_line(rows.data() + x, both.data() + x, height, width, weights);
  return both;
}

/// Calls action(values, size) for each sample, in parallel.
template <class Action>
void for_each_sample(const Tensor& samples, Action action) {
  constexpr Index kWorthThreads = Index{1} << 16;
  const Index count = samples.dim(0), size = count == 0 ? 0 : samples.size() / count;
  float* values = samples.host<float>();
#pragma omp parallel for schedule(static) if (samples.size() >= kWorthThreads)
  for (Index n = 0; n < count; ++n) action(n, values + n * size, size);
}

}  // namespace

Tensor local_contrast(const Tensor& image, const LocalContrastOptions& options) {
  if (options.window < 3 || options.window % 2 == 0) {
    throw Error(fmt::format("[local_contrast] expected an odd window of at least 3 pixels, received {}",
                            options.window));
  }
  const double deviation =
      options.deviation > 0.0 ? options.deviation : static_cast<double>(options.window) / 4.0;
  const Index height = image.dim(0), width = image.dim(1);
  const Index farthest = std::max<Index>(0, std::max(height, width) - 1);  // no weight beyond meets a pixel
  const std::vector<float> weights = gaussian(std::min(options.window / 2, farthest), deviation);
  std::vector<float> v(image.host<float>(), image.host<float>() + image.size());
  const std::vector<float> means = blur(v, height, width, weights);
  for (std::size_t p = 0; p < v.size(); ++p) v[p] -= means[p];
  std::vector<float> squares = v;
  for (float& value : squares) value *= value;
  std::vector<float> s = blur(squares, height, width, weights);
  double sum = 0.0;
  for (float& value : s) sum += static_cast<double>(value = std::sqrt(value));
  const auto c = static_cast<float>(sum / static_cast<double>(s.size()));
  constexpr float kRounding = 1e-6f;  // of the largest pixel: an image that varies less is of one colour
  float largest = 0.0f;
  for (Index p = 0; p < image.size(); ++p) largest = std::max(largest, std::abs(image.host<float>()[p]));
  const bool is_flat = c <= kRounding * largest;
  const Tensor out({height, width});
  for (std::size_t p = 0; p < v.size(); ++p) out.host<float>()[p] = is_flat ? 0.0f : v[p] / std::max(c, s[p]);
  return out;
}

void remove_means(const Tensor& samples) {
  for_each_sample(samples, [](Index, float* values, Index size) {
    const auto mean = static_cast<float>(spread(values, size).mean);
    for (Index p = 0; p < size; ++p) values[p] -= mean;
  });
}

void normalise_contrasts(const Tensor& samples, double floor) {
  for_each_sample(samples, [floor](Index, float* values, Index size) {
    const double deviation = std::sqrt(spread(values, size).variance + floor);
    const auto factor = static_cast<float>(deviation > 0.0 ? 1.0 / deviation : 0.0);
    for (Index p = 0; p < size; ++p) values[p] *= factor;
  });
}

double mean_variance(const Tensor& samples) {
  std::vector<double> variances(static_cast<std::size_t>(samples.dim(0)));
  for_each_sample(samples, [&](Index n, const float* values, Index size) {
    variances[static_cast<std::size_t>(n)] = spread(values, size).variance;
  });
  double sum = 0.0;  // in order, so that it does not depend on threads
  for (const double variance : variances) sum += variance;
  return variances.empty() ? 0.0 : sum / static_cast<double>(variances.size());
}

}  // namespace basin
