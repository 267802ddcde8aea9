#include "energy/minimise/conv_lipschitz.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "autograd/ops.h"

namespace basin {
namespace {

/// Samples a period for each degree of the polynomial: between them it rises by 2 % at most.
constexpr Index kSamples = 16;

/// sum over filters and channels of w(u, v) w(u + du, v + dv), for du = 0 .. h - 1 and |dv| < w: [du][dv + w
/// - 1].
std::vector<double> autocorrelation(const std::vector<double>& filters, Index images, Index h, Index w) {
  std::vector<double> sums(static_cast<std::size_t>(h * (2 * w - 1)), 0.0);
  for (Index image = 0; image < images; ++image) {
    const double* x = filters.data() + image * h * w;
    for (Index du = 0; du < h; ++du) {
      for (Index dv = 1 - w; dv < w; ++dv) {
        double sum = 0.0;
        for (Index u = 0; u + du < h; ++u) {
          for (Index v = std::max<Index>(0, -dv); v < std::min(w, w - dv); ++v)
            sum += x[u * w + v] * x[(u + du) * w + v + dv];
        }
        sums[static_cast<std::size_t>(du * (2 * w - 1) + dv + w - 1)] += sum;
      }
    }
  }
  return sums;
}

/// f(2 pi i j / period) for i = 0 .. period - 1 and j = first .. last, [period, last - first + 1].
Value waves(double (*f)(double), Index period, Index first, Index last) {
  std::vector<double> values;
  for (Index i = 0; i < period; ++i) {
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(period);
    for (Index j = first; j <= last; ++j) values.push_back(f(angle * static_cast<double>(j)));
  }
  return Tensor::from(values, {period, last - first + 1}, {Dtype::F64, Device::Cpu});
}

}  // namespace

double conv_lipschitz(const Tensor& filters) {
  const Index h = filters.dim(2), w = filters.dim(3);
  // S(a, b) = sum_{du,dv} R(du, dv) cos(a du + b dv), R even: du = 0 once, du > 0 twice.
  std::vector<double> lags = autocorrelation(filters.values(), filters.dim(0) * filters.dim(1), h, w);
  for (auto lag = lags.begin() + 2 * w - 1; lag < lags.end(); ++lag) *lag *= 2.0;
  const Value sums = Tensor::from(lags, {h, 2 * w - 1}, {Dtype::F64, Device::Cpu});
  const Index rows = std::max<Index>(1, kSamples * (h - 1)), columns = std::max<Index>(1, kSamples * (w - 1));
  const auto part = [&](double (*f)(double)) {
    return matmul(matmul(waves(f, rows, 0, h - 1), sums), waves(f, columns, 1 - w, w - 1),
                  {.transpose_b = true});
  };
  const Value samples =
      part([](double x) { return std::cos(x); }) - part([](double x) { return std::sin(x); });
  const auto rise = [](Index degree) {
    return degree == 0 ? 1.0 : 1.0 / std::cos(std::numbers::pi / static_cast<double>(kSamples));
  };
  return max(reshape(samples, {rows * columns}), 0).item() * rise(h - 1) * rise(w - 1);
}

}  // namespace basin
