#pragma once

#include <cmath>
#include <limits>

#include "tensor/host_device.h"
#include "tensor/normal_quantile.h"

namespace basin {
namespace detail {

/// From here on the tail's continued fraction converges within a few dozen terms.
constexpr double kFarTail = 5.0;

/// 1 - Phi(x).
BASIN_HOST_DEVICE inline double upper_tail(double x) {
  return 0.5 * ::erfc(x * (1.0 / 1.41421356237309504880));
}

/// h(s) - s = 1 / (s + 2 / (s + 3 / (s + ...))) for s >= kFarTail: Laplace's continued fraction of Mills'
/// ratio.
BASIN_HOST_DEVICE inline double far_excess(double s) {
  const int terms = s < 7.0 ? 60 : s < 12.0 ? 36 : s < 40.0 ? 16 : 6;
  double fraction = s;
  for (int k = terms; k >= 2; --k) fraction = s + k / fraction;
  return 1.0 / fraction;
}

/// Rounding may leave an excess below zero; NaN stays NaN.
BASIN_HOST_DEVICE inline double at_least_zero(double x) { return x < 0.0 ? 0.0 : x; }

}  // namespace detail

/// log Phi(x), the logarithm of the standard normal's distribution function, without underflow in the far
/// tail.
BASIN_HOST_DEVICE inline double log_normal_cdf(double x) {
  if (x > 0.0) return ::log1p(-detail::upper_tail(x));
  if (x > -detail::kFarTail) return ::log(detail::upper_tail(-x));
  if (x == -std::numeric_limits<double>::infinity()) return x;
  // Q(s) = phi(s) / h(s); 0.5 log(2 pi) = 0.9189...
  return -0.5 * x * x - 0.91893853320467274178 - ::log(detail::far_excess(-x) - x);
}

/// A standard normal z, given that z >= start: its excess z - start >= 0, without cancellation for any start.
class NormalTail {
 public:
  BASIN_HOST_DEVICE explicit NormalTail(double start)
      : start_(start), tail_(start >= detail::kFarTail ? 0.0 : detail::upper_tail(start)) {}

  /// E[z - start | z >= start] = h(start) - start with the hazard h(s) = phi(s) / Q(s), Q = 1 - Phi.
  BASIN_HOST_DEVICE double mean_excess() const {
    if (start_ >= detail::kFarTail) return detail::far_excess(start_);
    constexpr double kDensityAtZero = 0.39894228040143267794;  // 1 / sqrt(2 pi)
    return ::exp(-0.5 * start_ * start_) * kDensityAtZero / tail_ - start_;
  }

  /// A draw by inversion: Q(z) = v Q(start), 0 < v < 1. Near the middle by Wichura 1988 (Algorithm AS 241),
  /// in the far tail by Newton steps on the excess itself.
  BASIN_HOST_DEVICE double draw_excess(double v) const {
    if (!(start_ >= detail::kFarTail)) {
      // Phi(-z) = Q(z) = v Q(start); where that may be near 1 its complement needs digits of its own.
      const double p = v * tail_,
                   complement = tail_ < 0.9 ? 1.0 - p : (1.0 - v) + v * detail::upper_tail(-start_);
      return detail::at_least_zero(-normal_quantile(p, complement) - start_);
    }
    const double s = -::log(v);
    if (start_ >= 1e8) return s / start_;  // the tail is exponential to the last bit
    // Solve F(e) = start e + e^2 / 2 + log(h(start + e) / h(start)) - s = 0, whose derivative is h(start +
    // e), from the root without the logarithm.
    const double hazard = start_ + detail::far_excess(start_);
    double e = 2.0 * s / (start_ + ::sqrt(start_ * start_ + 2.0 * s));
    for (int step = 0; step < 4; ++step) {
      const double here = start_ + e + detail::far_excess(start_ + e);
      e = detail::at_least_zero(e - (e * (start_ + 0.5 * e) + ::log(here / hazard) - s) / here);
    }
    return e;
  }

 private:
  double start_;
  double tail_;  // Q(start), where it is used
};

}  // namespace basin
