#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "energy/minimise/conv_lasso.h"

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

}  // namespace

double conv_lipschitz(const Tensor& filters) {
  const Index h = filters.dim(2), w = filters.dim(3);
  const std::vector<double> lags = autocorrelation(filters.values(), filters.dim(0) * filters.dim(1), h, w);
  // S(a, b) = sum_{du,dv} R(du, dv) cos(a du + b dv), R even: du = 0 once, du > 0 twice. First the sums over
  // dv, then those over du.
  const Index rows = std::max<Index>(1, kSamples * (h - 1)), columns = std::max<Index>(1, kSamples * (w - 1));
  const auto angle = [](Index i, Index samples) {
    return 2.0 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(samples);
  };
  double largest = 0.0;
  std::vector<double> real(static_cast<std::size_t>(h)), imaginary(real.size());
  for (Index column = 0; column < columns; ++column) {
    for (Index du = 0; du < h; ++du) {
      double cosines = 0.0, sines = 0.0;
      for (Index dv = 1 - w; dv < w; ++dv) {
        const double lag = lags[static_cast<std::size_t>(du * (2 * w - 1) + dv + w - 1)];
        cosines += lag * std::cos(angle(column, columns) * static_cast<double>(dv));
        sines += lag * std::sin(angle(column, columns) * static_cast<double>(dv));
      }
      const double twice = du == 0 ? 1.0 : 2.0;
      real[static_cast<std::size_t>(du)] = twice * cosines;
      imaginary[static_cast<std::size_t>(du)] = twice * sines;
    }
    for (Index row = 0; row < rows; ++row) {
      double sum = 0.0;
      // Powers of e^{i a} by recurrence.
      const double c = std::cos(angle(row, rows)), s = std::sin(angle(row, rows));
      double cosine = 1.0, sine = 0.0;
      for (std::size_t du = 0; du < real.size(); ++du) {
        sum += real[du] * cosine - imaginary[du] * sine;
        const double next = cosine * c - sine * s;
        sine = sine * c + cosine * s;
        cosine = next;
      }
      largest = std::isnan(sum) ? sum : std::max(largest, sum);
    }
  }
  const auto rise = [](Index degree) {
    return degree == 0 ? 1.0 : 1.0 / std::cos(std::numbers::pi / static_cast<double>(kSamples));
  };
  return largest * rise(h - 1) * rise(w - 1);
}

}  // namespace basin
