#include "tensor/cpu/draws/units_normal.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "tensor/normal_quantile.h"

namespace basin {
namespace {

/// From here on the tail's continued fraction converges within a few dozen terms.
constexpr double kFarTail = 5.0;

/// 1 - Phi(x).
double upper_tail(double x) { return 0.5 * std::erfc(x * (1.0 / std::numbers::sqrt2)); }

/// h(s) - s = 1 / (s + 2 / (s + 3 / (s + ...))) for s >= kFarTail: Laplace's continued fraction of Mills'
/// ratio.
double far_excess(double s) {
  const int terms = s < 7.0 ? 60 : s < 12.0 ? 36 : s < 40.0 ? 16 : 6;
  double fraction = s;
  for (int k = terms; k >= 2; --k) fraction = s + k / fraction;
  return 1.0 / fraction;
}

/// Rounding may leave an excess below zero; NaN stays NaN.
double at_least_zero(double x) { return x < 0.0 ? 0.0 : x; }

}  // namespace

double log_normal_cdf(double x) {
  if (x > 0.0) return std::log1p(-upper_tail(x));
  if (x > -kFarTail) return std::log(upper_tail(-x));
  if (std::isinf(x)) return -std::numeric_limits<double>::infinity();
  // Q(s) = phi(s) / h(s); 0.5 log(2 pi) = 0.9189...
  return -0.5 * x * x - 0.91893853320467274178 - std::log(far_excess(-x) - x);
}

NormalTail::NormalTail(double start) : start_(start), tail_(start >= kFarTail ? 0.0 : upper_tail(start)) {}

double NormalTail::mean_excess() const {
  if (start_ >= kFarTail) return far_excess(start_);
  const double density =
      std::exp(-0.5 * start_ * start_) * (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
  return density / tail_ - start_;
}

double NormalTail::draw_excess(double v) const {
  if (!(start_ >= kFarTail)) {
    // Phi(-z) = Q(z) = v Q(start); where that may be near 1 its complement needs digits of its own.
    const double p = v * tail_, complement = tail_ < 0.9 ? 1.0 - p : (1.0 - v) + v * upper_tail(-start_);
    return at_least_zero(-normal_quantile(p, complement) - start_);
  }
  const double s = -std::log(v);
  if (start_ >= 1e8) return s / start_;  // the tail is exponential to the last bit
  // Solve F(e) = start e + e^2 / 2 + log(h(start + e) / h(start)) - s = 0, whose derivative is h(start + e),
  // from the root without the logarithm.
  const double hazard = start_ + far_excess(start_);
  double e = 2.0 * s / (start_ + std::sqrt(start_ * start_ + 2.0 * s));
  for (int step = 0; step < 4; ++step) {
    const double here = start_ + e + far_excess(start_ + e);
    e = at_least_zero(e - (e * (start_ + 0.5 * e) + std::log(here / hazard) - s) / here);
  }
  return e;
}

}  // namespace basin
