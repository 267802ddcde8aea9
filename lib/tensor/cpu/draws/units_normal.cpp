#include "tensor/cpu/draws/units_normal.h"

#include <cmath>
#include <limits>
#include <numbers>

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

double polynomial(const double (&coefficients)[8], double x) {
  double y = coefficients[0];
  for (int i = 1; i < 8; ++i) y = y * x + coefficients[i];
  return y;
}

/// The x with Phi(x) = p, given p and 1 - p so that both tails are exact. Wichura 1988, AS 241, PPND16.
double normal_quantile(double p, double complement) {
  static constexpr double kCentre[8] = {
      2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
      1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0};
  static constexpr double kCentreBelow[8] = {
      5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
      5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
  static constexpr double kMiddle[8] = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                        2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                        3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                        4.63033784615654529590e+0, 1.42343711074968357734e+0};
  static constexpr double kMiddleBelow[8] = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                             1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                             6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                             2.05319162663775882187e+0, 1.0};
  static constexpr double kTail[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                      1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                      2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                      5.46378491116411436990e+0, 6.65790464350110377720e+0};
  static constexpr double kTailBelow[8] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                           1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                           1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                           5.99832206555887937690e-1,  1.0};
  const double q = 0.5 * (p - complement);
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(kCentre, r) / polynomial(kCentreBelow, r);
  }
  const double r = std::sqrt(-std::log(q < 0 ? p : complement));
  const double x = r <= 5.0 ? polynomial(kMiddle, r - 1.6) / polynomial(kMiddleBelow, r - 1.6)
                            : polynomial(kTail, r - 5.0) / polynomial(kTailBelow, r - 5.0);
  return q < 0 ? -x : x;
}

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
